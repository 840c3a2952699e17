//! Which follows count, for as long as two are kept from each other and after: against a plain reading of
//! the users, and the stories behind it.

use proptest::prelude::*;

use super::world::{ANYONE, World, name};
use super::*;
use crate::clock::Wall;

const PEOPLE: [&str; 4] = ["ada", "ben", "cleo", "dora"];

fn joined() -> Entry {
    Entry::Joined { at: Wall(1) }
}

fn followed(at: u64, user: &str) -> Entry {
    Entry::Followed { at: Wall(at), user: name(user) }
}

fn unfollowed(user: &str) -> Entry {
    Entry::Unfollowed { at: Wall(1), user: name(user) }
}

fn blocked(user: &str) -> Entry {
    Entry::Blocked { at: Wall(1), user: name(user) }
}

fn unblocked(user: &str) -> Entry {
    Entry::Unblocked { at: Wall(1), user: name(user) }
}

fn removed(at: u64, user: &str) -> Entry {
    Entry::FollowerRemoved { at: Wall(at), user: name(user) }
}

fn names(list: &PeopleList) -> Vec<&str> {
    list.names.iter().map(UserName::as_str).collect()
}

#[test]
fn block_ends_following_both_ways_while_it_lasts() {
    let mut world = World::of(&[
        ("ada", joined()),
        ("ben", joined()),
        ("cleo", joined()),
        ("ben", followed(1, "ada")),
        ("cleo", followed(1, "ada")),
        ("cleo", followed(1, "ben")),
        ("ada", blocked("ben")),
    ]);
    assert!(!world.index.follows(&name("ben"), &name("ada")));
    assert_eq!(world.index.counts(ANYONE, &name("ada")).followers, 1);
    assert_eq!(world.index.counts(ANYONE, &name("ben")).following, 0);
    assert_eq!(names(&world.index.followers(ANYONE, &name("ada"), None, 9)), ["cleo"]);
    // Whom one has blocked one does not meet in another's list either.
    let ada = world.eyes("ada");
    assert!(world.index.following(ada, &name("cleo"), None, 9).names.eq(&[name("ada")]));
    assert!(!world.index.suggestions(ada, 9).contains(&name("ben")));
    // As a program wrote it that knew of nothing else: what was stated counts again.
    world.write("ada", &unblocked("ben"));
    assert!(world.index.follows(&name("ben"), &name("ada")));
}

/// Whether ben follows ada, what of that ada is told, and what he reads of her.
fn told(index: &Index) -> (bool, Vec<News>, usize) {
    let [ada, ben] = ["ada", "ben"].map(|user| index.eyes(Some(&name(user)), Wall(99)));
    let news = index.news(ada, None, &[NewsKind::Followed], 9).news;
    let home = index.home(ben, None, 9).posts.len();
    (index.follows(&name("ben"), &name("ada")), news, home)
}

#[test]
fn r0082_follower_removed_counts_nowhere_until_they_follow_anew() {
    let post = Entry::PostedFor {
        at: Wall(9),
        id: PostId::from_raw(9),
        audience: crate::user::entry::Audience::Followers,
        text: "to those who follow".to_owned(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    };
    let mut world = World::of(&[
        ("ada", joined()),
        ("ben", joined()),
        ("ada", post),
        ("ben", followed(5, "ada")),
        ("ada", followed(5, "ben")),
    ]);
    assert_eq!(told(&world.index).2, 1);
    let check = |world: &World, expected: &(bool, Vec<News>, usize)| {
        assert_eq!(told(&world.index), *expected);
        assert_eq!(told(&Index::build(world.users.values())), *expected);
        let mut replaced = Index::new();
        for (user, after) in &world.users {
            replaced.replace(&User::absent(user.clone()), after);
        }
        assert_eq!(told(&replaced), *expected);
    };
    let nothing = (false, Vec::new(), 0);
    world.write("ada", &removed(5, "ben"));
    check(&world, &nothing);
    // Hers of him is not his of her.
    assert!(world.index.follows(&name("ada"), &name("ben")));
    world.write("ada", &blocked("ben"));
    world.write("ada", &unblocked("ben"));
    check(&world, &nothing);
    // What he stated later counts, as what he stated while blocked would: the later one decides.
    world.write("ben", &unfollowed("ada"));
    world.write("ben", &followed(6, "ada"));
    let before = world.index.next_change();
    check(&world, &(true, vec![News::Followed(name("ben"), Wall(6))], 1));
    world.write("ada", &removed(7, "ben"));
    check(&world, &nothing);
    let ada = world.eyes("ada");
    let (happened, _) = world.index.happened(ada, Listened::Home, before - 1, 9).unwrap();
    assert!(happened.is_empty(), "{happened:?}");
}

#[test]
fn follow_anew_from_another_machine_is_told_to_listeners() {
    let mut world = World::of(&[("ada", joined()), ("ben", joined()), ("ben", followed(5, "ada"))]);
    world.write("ada", &removed(5, "ben"));
    let (before, mut after) =
        (world.users[&name("ben")].clone(), world.users[&name("ben")].clone());
    for entry in [unfollowed("ada"), followed(6, "ada")] {
        after.apply(&entry, crate::user::Place::default());
    }
    let mark = world.index.next_change();
    world.index.replace(&before, &after);
    let (happened, _) = world.index.happened(world.eyes("ada"), Listened::Home, mark, 9).unwrap();
    assert_eq!(happened, [Happened::Followed(name("ben"), Wall(6))]);
}

#[test]
fn r0088_mute_for_a_while_hides_until_it_is_over() {
    let said = |id: u64| Entry::Posted {
        at: Wall(id),
        id: PostId::from_raw(id),
        text: "to @ada".to_owned(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    };
    let muted = |until: Option<u64>| {
        let (user, until) = (name("ben"), until.map(Wall));
        Entry::Muted { at: Wall(2), user, until }
    };
    let mut world = World::of(&[
        ("ada", joined()),
        ("ben", joined()),
        ("ben", said(1)),
        ("ada", muted(Some(9))),
    ]);
    let shown = |index: &Index, now| {
        let eyes = index.eyes(Some(&name("ada")), Wall(now));
        let posts = index.everyone(eyes, None, 9).posts.len();
        let news = index.news(eyes, None, &NewsKind::ALL, 9).news.len();
        assert_eq!((index.mutes(eyes, &name("ben")), news), (posts == 0, posts));
        posts
    };
    let check = |world: &World, expected: [usize; 2]| {
        let mut replaced = Index::new();
        for (user, after) in &world.users {
            replaced.replace(&User::absent(user.clone()), after);
        }
        for index in [&world.index, &Index::build(world.users.values()), &replaced] {
            assert_eq!([shown(index, 8), shown(index, 9)], expected);
        }
    };
    check(&world, [0, 1]);
    // The first one stands, as in a file that is folded.
    world.write("ada", &muted(None));
    check(&world, [0, 1]);
    world.write("ada", &Entry::Unmuted { at: Wall(3), user: name("ben") });
    check(&world, [1, 1]);
    world.write("ada", &muted(None));
    check(&world, [0, 0]);
}

fn any_line() -> impl Strategy<Value = (&'static str, Entry)> {
    let who = || prop::sample::select(PEOPLE.to_vec());
    let entry = prop_oneof![
        2 => Just(joined()),
        6 => (0..9u64, who()).prop_map(|(at, user)| followed(at, user)),
        3 => who().prop_map(unfollowed),
        2 => who().prop_map(blocked),
        2 => who().prop_map(unblocked),
        4 => (0..9u64, who()).prop_map(|(at, user)| removed(at, user)),
        1 => Just(Entry::Left { at: Wall(9) }),
    ];
    (who(), entry)
}

/// Whether a follow counts, as the two files tell.
fn counts(world: &World, who: &UserName, whom: &UserName) -> bool {
    let user = |name: &UserName| world.users.get(name).cloned();
    let [one, other] = [who, whom].map(|name| user(name).unwrap_or(User::absent(name.clone())));
    let is_gone = [&one, &other].iter().any(|user| matches!(user.status, Status::Left(_)));
    let is_blocked = one.blocks.contains(whom) || other.blocks.contains(who);
    let removed_at = other.aside().removed_followers.get(who);
    let is_stated = one.follows.get(whom).is_some_and(|at| removed_at.is_none_or(|it| at > it));
    is_stated && !is_gone && !is_blocked && who != whom
}

fn check(index: &Index, world: &World) {
    for (who, whom) in PEOPLE.iter().flat_map(|who| PEOPLE.map(|whom| (name(who), name(whom)))) {
        let expected = counts(world, &who, &whom);
        assert_eq!(index.follows(&who, &whom), expected, "{who} {whom}");
        assert_eq!(index.followers(ANYONE, &whom, None, 9).names.contains(&who), expected);
        assert_eq!(index.following(ANYONE, &who, None, 9).names.contains(&whom), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn follows_that_count_are_the_same_fed_built_or_replaced(
        log in prop::collection::vec(any_line(), 0..60),
        cut in 0..60usize,
    ) {
        let (mut fed, mut whole) = (World::default(), World::default());
        for (at, (user, entry)) in log.iter().enumerate() {
            if at == cut {
                whole.index = fed.index.clone();
                whole.users = fed.users.clone();
            }
            fed.write(user, entry);
        }
        check(&fed.index, &fed);
        check(&Index::build(fed.users.values()), &fed);
        for (user, after) in &fed.users {
            let absent = User::absent(user.clone());
            whole.index.replace(whole.users.get(user).unwrap_or(&absent), after);
        }
        check(&whole.index, &fed);
    }
}
