//! Reposts in lists and who likes a post, against a plain reading of the entries.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::index::world::{ANYONE, World, name};

const PEOPLE: [&str; 4] = ["ada", "ben", "cleo", "dora"];

/// A post made in millisecond `at`.
fn id(at: u64) -> PostId {
    PostId::from_raw((at << 16) + 1)
}

fn of(user: &str, at: u64) -> PostRef {
    PostRef { user: name(user), id: id(at) }
}

fn posted(at: u64) -> Entry {
    Entry::Posted {
        at: Wall(at),
        id: id(at),
        text: "hi".into(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    }
}

fn reposted(at: u64, user: &str, of_at: u64) -> Entry {
    Entry::Reposted { at: Wall(at), post: of(user, of_at) }
}

fn followed(user: &str) -> Entry {
    Entry::Followed { at: Wall(1), user: name(user) }
}

impl World {
    fn home(&self, user: &str) -> Vec<(String, u64, Option<String>)> {
        shown(&self.index.home(self.eyes(user), None, 9))
    }
}

/// Whose posts, of when, and who reposted them.
fn shown(list: &PostList) -> Vec<(String, u64, Option<String>)> {
    let by = |post: &PostRef| {
        let found = list.reposted.iter().find(|(it, _)| it == post);
        found.map(|(_, by)| by.to_string())
    };
    list.posts.iter().map(|post| (post.user.to_string(), post.id.at_ms(), by(post))).collect()
}

fn line(user: &str, at: u64, by: Option<&str>) -> (String, u64, Option<String>) {
    (user.to_owned(), at, by.map(str::to_owned))
}

#[test]
fn repost_stands_where_it_was_made_and_once() {
    let mut world = World::of(&[
        ("ada", followed("ben")),
        ("ada", followed("cleo")),
        ("dora", posted(1)),
        ("ben", posted(2)),
        ("ben", reposted(3, "dora", 1)),
        ("cleo", posted(4)),
        ("cleo", reposted(5, "dora", 1)),
    ]);
    let dora = line("dora", 1, Some("cleo"));
    assert_eq!(world.home("ada"), [dora, line("cleo", 4, None), line("ben", 2, None)]);
    let profile = world.index.profile(ANYONE, &name("ben"), None, 9);
    assert_eq!(shown(&profile), [line("dora", 1, Some("ben")), line("ben", 2, None)]);
    // Lists of everybody's posts, and of a person's own, show none.
    assert_eq!(world.index.everyone(ANYONE, None, 9).posts.len(), 3);
    assert_eq!(world.index.posts_of(ANYONE, &name("ben"), None, 9).posts, [of("ben", 2)]);
    // Nor does one's own home show what one reposted oneself.
    assert_eq!(world.home("ben"), [line("ben", 2, None)]);

    world.write("cleo", &Entry::Unreposted { at: Wall(6), post: of("dora", 1) });
    let dora = line("dora", 1, Some("ben"));
    assert_eq!(world.home("ada"), [line("cleo", 4, None), dora, line("ben", 2, None)]);
    let deleted = Entry::PostDeleted { at: Wall(7), id: id(1), few: false };
    world.write("dora", &deleted);
    assert_eq!(world.home("ada"), [line("cleo", 4, None), line("ben", 2, None)]);
    assert_eq!(shown(&world.index.profile(ANYONE, &name("ben"), None, 9)), [line("ben", 2, None)]);
}

#[test]
fn reposts_of_and_by_those_one_does_not_see_are_not_shown() {
    let muted = |user: &str| Entry::Muted { at: Wall(9), user: name(user), until: None };
    let mut world = World::of(&[
        ("ada", followed("ben")),
        ("ada", followed("cleo")),
        ("dora", posted(1)),
        ("cleo", posted(2)),
        ("ben", reposted(3, "dora", 1)),
    ]);
    let (own, theirs) = (line("cleo", 2, None), line("dora", 1, Some("ben")));
    assert_eq!(world.home("ada"), [theirs.clone(), own.clone()]);
    world.write("ada", &muted("dora"));
    assert_eq!(world.home("ada"), std::slice::from_ref(&own));
    world.write("ada", &Entry::Unmuted { at: Wall(10), user: name("dora") });
    world.write("ada", &muted("ben"));
    assert_eq!(world.home("ada"), [own]);
    let profile = world.index.profile(world.eyes("ada"), &name("ben"), None, 9);
    assert!(profile.posts.is_empty());
    world.write("dora", &Entry::Blocked { at: Wall(11), user: name("cleo") });
    world.write("cleo", &reposted(12, "dora", 1));
    let profile = world.index.profile(world.eyes("cleo"), &name("cleo"), None, 9);
    assert_eq!(shown(&profile), [line("cleo", 2, None)]);
}

#[test]
fn list_after_whose_page_all_is_gone_has_no_next_page() {
    let mut world = World::of(&[("ada", followed("ben")), ("ben", posted(9))]);
    for at in 1..5 {
        world.write("ben", &reposted(at, "dora", at));
    }
    let page = world.index.home(world.eyes("ada"), None, 1);
    assert_eq!((page.posts.len(), page.older), (1, None));
}

#[test]
fn list_full_of_what_is_gone_given_up_and_gone_on_with() {
    let mut world = World::of(&[("ada", followed("ben")), ("ben", posted(1))]);
    let steps = FEED_STEPS_PER_POST as u64;
    for at in 2..2 + 3 * steps {
        world.write("ben", &reposted(at, "dora", at));
    }
    let (mut before, mut found, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = world.index.home(world.eyes("ada"), before, 1);
        found.extend(page.posts);
        pages += 1;
        before = page.older;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (vec![of("ben", 1)], 4));
}

#[test]
fn likers_by_name_and_the_rest_counted() {
    let like = |at| Entry::Liked { at: Wall(at), post: of("ada", 1) };
    let mut world = World::of(&[
        ("ada", posted(1)),
        ("dora", like(2)),
        ("cleo", like(3)),
        ("ben", like(4)),
        ("ben", like(5)),
    ]);
    let likers = world.index.likers(&of("ada", 1), 2);
    assert_eq!((likers.names, likers.more), (vec![name("ben"), name("cleo")], 1));
    world.write("cleo", &Entry::Left { at: Wall(6) });
    world.write("dora", &Entry::Unliked { at: Wall(6), post: of("ada", 1) });
    let likers = world.index.likers(&of("ada", 1), 2);
    assert_eq!((likers.names, likers.more), (vec![name("ben")], 0));
    assert_eq!(world.index.likers(&of("ada", 2), 2), Likers::default());
}

// ---- against a plain reading

/// One thing that somebody does at a time of its own; `user` and `of` name a post that may be there.
#[derive(Debug, Clone)]
struct Step {
    who: &'static str,
    what: u8,
    user: &'static str,
    of: u64,
}

impl Step {
    fn entry(&self, at: u64) -> Entry {
        let (at, post) = (Wall(at), of(self.user, self.of));
        match self.what {
            0..=3 => posted(at.0),
            4 => Entry::PostDeleted { at, id: id(self.of), few: false },
            5 | 6 => followed(self.user),
            7 => Entry::Unfollowed { at, user: name(self.user) },
            8..=11 => Entry::Reposted { at, post },
            12 => Entry::Unreposted { at, post },
            13 | 14 => Entry::Liked { at, post },
            15 => Entry::Unliked { at, post },
            _ => Entry::Left { at },
        }
    }
}

/// A list as it should be: places, who reposted, what, newest first.
type Items = Vec<(u64, Option<UserName>, PostRef)>;

fn plain_items(users: &BTreeMap<UserName, User>, wrote: &[UserName], showed: &[UserName]) -> Items {
    let stands =
        |post: &PostRef| users.get(&post.user).is_some_and(|it| it.post(post.id).is_some());
    let mut items = Items::new();
    for user in wrote.iter().filter_map(|user| users.get(user)) {
        let own = user.posts.iter().map(|post| PostRef { user: user.name.clone(), id: post.id });
        items.extend(own.map(|post| (post.id.get(), None, post)));
    }
    for user in showed.iter().filter_map(|user| users.get(user)) {
        let standing = user.reposts.iter().filter(|(post, _)| stands(post));
        let place = |at: Wall| PostId::floor_of(at.0).get();
        let by = Some(user.name.clone());
        items.extend(standing.map(|(post, at)| (place(*at), by.clone(), post.clone())));
    }
    items.sort_by(|a, b| b.cmp(a));
    items
}

/// Walks all pages; each must be as a plain reading gives it.
fn check(items: &Items, n: usize, query: impl Fn(Option<PostId>) -> PostList) {
    let (mut rest, mut before) = (items.as_slice(), None);
    loop {
        let mut expected: Vec<(PostRef, Option<UserName>)> = Vec::new();
        while let [(_, by, post), after @ ..] = rest
            && expected.len() < n
        {
            if !expected.iter().any(|(it, _)| it == post) {
                expected.push((post.clone(), by.clone()));
            }
            rest = after;
        }
        let page = query(before);
        let by = |post: &PostRef| page.reposted.iter().find(|(it, _)| it == post);
        let found: Vec<_> = page
            .posts
            .iter()
            .map(|post| (post.clone(), by(post).map(|(_, by)| by.clone())))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(page.older.is_some(), !rest.is_empty());
        before = page.older;
        if before.is_none() {
            return;
        }
    }
}

fn check_all(index: &Index, users: &BTreeMap<UserName, User>, n: usize) {
    let left = |user: &UserName| {
        users.get(user).is_some_and(|it| matches!(it.status, crate::user::Status::Left(_)))
    };
    for user in PEOPLE.map(name) {
        let follows = users.get(&user).map(|it| it.follows.clone()).unwrap_or_default();
        let follows: Vec<_> = follows.into_keys().filter(|it| !left(it) && *it != user).collect();
        let wrote: Vec<_> = follows.iter().cloned().chain([user.clone()]).collect();
        check(&plain_items(users, &wrote, &follows), n, |before| {
            index.home(index.eyes(Some(&user), Wall(0)), before, n)
        });
        let own = [user.clone()];
        check(&plain_items(users, &own, &own), n, |before| index.profile(ANYONE, &user, before, n));
    }
    for post in PEOPLE.iter().flat_map(|user| (0..40).map(|at| of(user, at))) {
        let likers: BTreeSet<_> = users
            .values()
            .filter(|it| it.likes.contains_key(&post))
            .map(|it| it.name.clone())
            .collect();
        assert!(index.likers(&post, 99).names.iter().eq(&likers), "{post:?}");
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    let who = || prop::sample::select(PEOPLE.to_vec());
    (who(), 0..17u8, who(), 0..40u64).prop_map(|(who, what, user, of)| Step { who, what, user, of })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lists_with_reposts_fed_built_or_replaced_equal_a_plain_reading(
        steps in prop::collection::vec(any_step(), 0..60), n in 1..6usize, cut in 0..60usize,
    ) {
        let mut fed = World::default();
        let mut whole = World::default();
        for (at, step) in steps.iter().enumerate() {
            if at == cut {
                whole = World { users: fed.users.clone(), index: fed.index.clone() };
            }
            fed.write(step.who, &step.entry(at as u64));
        }
        check_all(&fed.index, &fed.users, n);
        check_all(&Index::build(fed.users.values()), &fed.users, n);
        for (user, after) in &fed.users {
            let absent = User::absent(user.clone());
            whole.index.replace(whole.users.get(user).unwrap_or(&absent), after);
        }
        check_all(&whole.index, &fed.users, n);
    }
}
