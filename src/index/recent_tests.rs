//! What those hear who listen.

use super::world::{ANYONE, World, name};
use super::*;
use crate::clock::Wall;
use crate::limits::RECENT_CHANGES_KEPT;
use crate::text::Tag;
use crate::user::Place;

fn posted(id: u64, text: &str) -> Entry {
    let id = PostId::from_raw(id);
    Entry::Posted {
        at: Wall(1),
        id,
        text: text.into(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    }
}

fn post(user: &str, id: u64) -> PostRef {
    PostRef { user: name(user), id: PostId::from_raw(id) }
}

fn followed(user: &str) -> Entry {
    Entry::Followed { at: Wall(7), user: name(user) }
}

fn deleted(id: u64) -> Entry {
    Entry::PostDeleted { at: Wall(1), id: PostId::from_raw(id), few: false }
}

/// Ada follows Ben.
fn world() -> World {
    let joined = ["ada", "ben", "cleo"].map(|user| (user, Entry::Joined { at: Wall(1) }));
    let mut world = World::of(&joined);
    world.write("ada", &followed("ben"));
    world
}

/// What `user` hears of what happened from `number` on.
fn heard(world: &World, user: &str, listened: Listened<'_>, number: u64) -> Vec<Happened> {
    world.index.happened(world.eyes(user), listened, number, 100).unwrap().0
}

#[test]
fn home_hears_those_followed_and_what_concerns_one() {
    let mut world = world();
    let from = world.index.next_change();
    let edited = |id| Entry::PostEdited {
        at: Wall(2),
        id: PostId::from_raw(id),
        text: "better".into(),
        note: None,
        sensitive: None,
        descriptions: None,
    };
    for (user, entry) in [
        ("ben", posted(10, "one")),
        ("cleo", posted(11, "nobody follows me")),
        ("cleo", posted(12, "but @ada reads")),
        ("ben", Entry::Reposted { at: Wall(2), post: post("cleo", 11) }),
        ("ben", edited(10)),
        ("cleo", edited(11)),
        ("cleo", followed("ada")),
        ("ben", deleted(10)),
        ("cleo", deleted(12)),
    ] {
        world.write(user, &entry);
    }
    // A post that is gone by now is not told of, though it was written meanwhile.
    let place = PostId::floor_of(2);
    let repost = Index::number_of_repost(place, &name("ben"), &post("cleo", 11));
    let expected = [
        Happened::Reposted(post("cleo", 11), name("ben"), repost),
        Happened::Followed(name("cleo"), Wall(7)),
        Happened::Deleted(post("ben", 10)),
    ];
    assert_eq!(heard(&world, "ada", Listened::Home, from), expected);
    world.write("ben", &posted(13, "@ada"));
    let last = heard(&world, "ada", Listened::Home, world.index.next_change() - 1);
    assert_eq!(last, [Happened::Posted(post("ben", 13)), Happened::Named(post("ben", 13))]);
    assert_eq!(heard(&world, "ada", Listened::Home, world.index.next_change()), []);
}

#[test]
fn author_hears_who_likes_and_reposts_unless_it_was_undone() {
    let mut world = world();
    world.write("ada", &posted(10, "one"));
    let from = world.index.next_change();
    let own = |world: &World, user| heard(world, user, Listened::Home, from);
    for (user, entry) in [
        ("ben", Entry::Liked { at: Wall(2), post: post("ada", 10) }),
        ("ben", Entry::Liked { at: Wall(3), post: post("ada", 10) }),
        ("cleo", Entry::Liked { at: Wall(4), post: post("ada", 10) }),
        ("cleo", Entry::Unliked { at: Wall(5), post: post("ada", 10) }),
        ("ada", Entry::Liked { at: Wall(6), post: post("ada", 10) }),
        ("ben", Entry::Reposted { at: Wall(7), post: post("ada", 10) }),
        ("cleo", Entry::Reposted { at: Wall(8), post: post("ada", 10) }),
    ] {
        world.write(user, &entry);
    }
    let like = Happened::Liked(post("ada", 10), name("ben"), Wall(2));
    let repost = |who, at| Happened::RepostedOwn(post("ada", 10), name(who), Wall(at));
    // Ada follows Ben, so his repost stands at home besides.
    let at_home = heard(&world, "ada", Listened::Home, from).remove(1);
    assert!(matches!(&at_home, Happened::Reposted(_, who, _) if *who == name("ben")));
    assert_eq!(at_home.id(), repost("ben", 7).id());
    let expected = [like.clone(), at_home, repost("ben", 7), repost("cleo", 8)];
    assert_eq!(own(&world, "ada"), expected);
    let of_cleo = own(&world, "cleo");
    assert!(matches!(of_cleo.as_slice(), [Happened::Reposted(..)]), "{of_cleo:?}");
    let ids: std::collections::BTreeSet<_> = expected.iter().map(Happened::id).collect();
    assert_eq!(ids.len(), 3);
    // The same from a file that came whole.
    let absent = User::absent(name("ben"));
    let mut other = World::of(&[("ada", posted(10, "one"))]);
    other.index.replace(&absent, &world.users[&name("ben")]);
    assert_eq!(heard(&other, "ada", Listened::Home, 1), [repost("ben", 7), like]);
    world.write("ada", &Entry::Muted { at: Wall(9), user: name("ben"), until: None });
    assert_eq!(own(&world, "ada"), [repost("cleo", 8)]);
    world.write("ada", &deleted(10));
    assert_eq!(own(&world, "ada"), [Happened::Deleted(post("ada", 10))]);
}

#[test]
fn strangers_hear_everyone_and_tags() {
    let mut world = world();
    let from = world.index.next_change();
    world.write("ben", &posted(10, "#Seeds"));
    world.write("cleo", &posted(11, "none"));
    let anyone = |listened| world.index.happened(ANYONE, listened, from, 100).unwrap().0;
    let (ben, cleo) = (Happened::Posted(post("ben", 10)), Happened::Posted(post("cleo", 11)));
    assert_eq!(anyone(Listened::Everyone), [ben.clone(), cleo]);
    let seeds = Tag::parse("seeds").unwrap();
    assert_eq!(anyone(Listened::Tagged(&seeds)), [ben]);
    assert_eq!(anyone(Listened::Home), []);
}

#[test]
fn who_is_kept_apart_is_not_heard() {
    let mut world = world();
    let from = world.index.next_change();
    world.write("ada", &Entry::Muted { at: Wall(1), user: name("ben"), until: None });
    world.write("ben", &posted(10, "@ada"));
    world.write("cleo", &Entry::Blocked { at: Wall(1), user: name("ada") });
    world.write("cleo", &posted(11, "@ada"));
    assert_eq!(heard(&world, "ada", Listened::Home, from), []);
    assert_eq!(heard(&world, "ada", Listened::Everyone, from), []);
}

#[test]
fn hidden_post_is_gone_for_all_but_its_author() {
    let mut world = world();
    world.write("cleo", &Entry::KeeperMade { at: Wall(1) });
    world.write("ben", &posted(10, "rude"));
    let from = world.index.next_change();
    let (user, id) = (name("ben"), PostId::from_raw(10));
    let reason = String::new();
    world.write("cleo", &Entry::PostHidden { at: Wall(2), user, id, reason });
    assert_eq!(heard(&world, "ada", Listened::Home, from), [Happened::Deleted(post("ben", 10))]);
    assert_eq!(heard(&world, "ben", Listened::Home, from), [Happened::Edited(post("ben", 10))]);
}

#[test]
fn page_ends_between_two_changes_and_goes_on_there() {
    let mut world = world();
    let mut number = world.index.next_change();
    (10..15).for_each(|id| world.write("ben", &posted(id, "@ada")));
    let (mut all, mut pages) = (Vec::new(), 0);
    while number < world.index.next_change() {
        let (happened, next) =
            world.index.happened(world.eyes("ada"), Listened::Home, number, 3).unwrap();
        assert!((2..=4).contains(&happened.len()), "{happened:?}");
        all.extend(happened);
        (number, pages) = (next, pages + 1);
    }
    assert_eq!((all.len(), pages), (10, 3));
}

#[test]
fn number_too_old_or_not_given_yet_is_not_known() {
    let mut world = world();
    let from = world.index.next_change();
    for id in 0..RECENT_CHANGES_KEPT as u64 {
        world.write("ben", &posted(10 + id, "one"));
    }
    let known =
        |world: &World, number| world.index.happened(ANYONE, Listened::Home, number, 1).is_some();
    let next = world.index.next_change();
    assert_eq!([from, next, next + 1].map(|number| known(&world, number)), [true, true, false]);
    world.write("ben", &posted(9, "one more"));
    assert_eq!([from, from + 1].map(|number| known(&world, number)), [false, true]);
}

#[test]
fn file_that_came_whole_is_heard_of() {
    let mut world = world();
    world.write("ben", &posted(10, "here before"));
    world.write("ben", &posted(11, "deleted elsewhere"));
    let from = world.index.next_change();
    let before = world.users[&name("ben")].clone();
    let mut after = before.clone();
    for entry in [deleted(11), posted(12, "written elsewhere")] {
        after.apply(&entry, Place::default());
    }
    world.index.replace(&before, &after);
    let expected = [Happened::Deleted(post("ben", 11)), Happened::Posted(post("ben", 12))];
    assert_eq!(heard(&world, "ada", Listened::Home, from), expected);
}

#[test]
fn newest_place_is_the_last_before_an_end_whatever_lies_beyond_it() {
    let mut world = world();
    let place = |at: u64| PostId::floor_of(at);
    assert_eq!(world.index.newest_place(Wall(100)), place(7), "she followed him then");
    world.write("cleo", &Entry::Followed { at: Wall(50), user: name("ben") });
    world.write("cleo", &posted(place(60).get(), "one"));
    world.write("ben", &Entry::Reposted { at: Wall(90), post: post("cleo", place(60).get()) });
    for (end, newest) in [(100, 90), (91, 90), (90, 60), (60, 50), (50, 7), (7, 0)] {
        assert_eq!(world.index.newest_place(Wall(end)), place(newest), "before {end}");
    }
    // What is not kept any more counts as well, as long as nothing lies beyond the end.
    let like = |at| Entry::Liked { at: Wall(at), post: post("cleo", place(60).get()) };
    let unlike = |at| Entry::Unliked { at: Wall(at), post: post("cleo", place(60).get()) };
    world.write("ada", &Entry::Followed { at: Wall(95), user: name("cleo") });
    for _ in 0..RECENT_CHANGES_KEPT {
        world.write("ada", &like(80));
        world.write("ada", &unlike(80));
    }
    assert_eq!(world.index.newest_place(Wall(100)), place(95));
}
