//! The index against a naive recomputation from the list of entries, and the stories behind the rules.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::world::{ANYONE, World, name};
use super::*;
use crate::clock::Wall;
use crate::limits::{HOME_MERGE_PEOPLE, PASSED_OVER_MAX};

fn post_id(raw: u64) -> PostId {
    PostId::from_raw(raw)
}

fn post_ref(user: &str, id: u64) -> PostRef {
    PostRef { user: name(user), id: post_id(id) }
}

fn joined() -> Entry {
    Entry::Joined { at: Wall(1) }
}

fn posted(id: u64, reply_to: Option<PostRef>) -> Entry {
    Entry::Posted {
        at: Wall(id),
        id: post_id(id),
        text: "hi".into(),
        reply_to,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    }
}

fn deleted(id: u64) -> Entry {
    Entry::PostDeleted { at: Wall(id), id: post_id(id), few: false }
}

fn followed(user: &str) -> Entry {
    Entry::Followed { at: Wall(1), user: name(user) }
}

fn left() -> Entry {
    Entry::Left { at: Wall(9) }
}

fn eyes_of(index: &Index, user: &str) -> Eyes {
    index.eyes(Some(&name(user)), Wall(0))
}

fn names(list: &PeopleList) -> Vec<&str> {
    list.names.iter().map(UserName::as_str).collect()
}

fn shown(list: &PostList) -> Vec<(&str, u64)> {
    list.posts.iter().map(|post| (post.user.as_str(), post.id.get())).collect()
}

fn tree(thread: &Thread) -> Vec<(u32, u64)> {
    thread.replies.iter().map(|reply| (reply.depth, reply.post.id.get())).collect()
}

#[test]
fn lists_newest_first_by_page() {
    let mut world = World::of(&[("ada", joined()), ("ben", joined()), ("ada", followed("ben"))]);
    for id in 1..=5 {
        world.write(if id % 2 == 0 { "ben" } else { "ada" }, &posted(id, None));
    }
    let first = world.index.everyone(ANYONE, None, 2);
    assert_eq!((shown(&first), first.older), (vec![("ada", 5), ("ben", 4)], Some(post_id(4))));
    let next = world.index.everyone(ANYONE, first.older, 2);
    assert_eq!(shown(&next), [("ada", 3), ("ben", 2)]);
    let last = world.index.everyone(ANYONE, next.older, 2);
    assert_eq!((shown(&last), last.older), (vec![("ada", 1)], None));
    assert_eq!(
        shown(&world.index.posts_of(ANYONE, &name("ben"), Some(post_id(4)), 9)),
        [("ben", 2)]
    );
    assert_eq!(world.index.home(eyes_of(&world.index, "ada"), None, 9).posts.len(), 5);
    assert_eq!(
        shown(&world.index.home(eyes_of(&world.index, "ben"), None, 9)),
        [("ben", 4), ("ben", 2)]
    );
    assert_eq!(world.index.home(eyes_of(&world.index, "nobody"), None, 9), PostList::default());
}

#[test]
fn page_never_ends_between_equal_numbers() {
    let mut world = World::default();
    for user in ["ada", "ben", "cleo"] {
        world.write(user, &posted(7, None));
    }
    world.write("ada", &posted(3, None));
    let page = world.index.everyone(ANYONE, None, 1);
    assert_eq!((page.posts.len(), page.older), (3, Some(post_id(7))));
    assert_eq!(shown(&world.index.everyone(ANYONE, page.older, 1)), [("ada", 3)]);
    world.write("ben", &deleted(7));
    assert!(world.index.contains(&post_ref("ada", 7)));
    assert!(!world.index.contains(&post_ref("ben", 7)));
}

#[test]
fn replies_depth_first_oldest_first() {
    let reply = |id, user: &str, to| posted(id, Some(post_ref(user, to)));
    let mut world = World::of(&[
        ("ada", posted(1, None)),
        ("ben", reply(2, "ada", 1)),
        ("cleo", reply(3, "ada", 1)),
        ("ada", reply(4, "ben", 2)),
        ("ben", reply(5, "ada", 4)),
        ("ben", reply(6, "ada", 1)),
    ]);
    let root = post_ref("ada", 1);
    let thread = world.index.replies(ANYONE, &root, 9);
    assert_eq!(tree(&thread), [(1, 2), (2, 4), (3, 5), (1, 3), (1, 6)]);
    assert!(!thread.more);
    let thread = world.index.replies(ANYONE, &root, 3);
    assert_eq!((tree(&thread), thread.more), (vec![(1, 2), (2, 4), (3, 5)], true));
    assert!(!world.index.replies(ANYONE, &root, 5).more);
    assert_eq!(world.index.reply_count(ANYONE, &root), 3);

    // A deleted reply takes what answers it out of sight, but not out of its own thread.
    world.write("ben", &deleted(2));
    assert_eq!(tree(&world.index.replies(ANYONE, &root, 9)), [(1, 3), (1, 6)]);
    assert_eq!(tree(&world.index.replies(ANYONE, &post_ref("ben", 2), 9)), [(1, 4), (2, 5)]);
    world.write("cleo", &left());
    assert_eq!(world.index.reply_count(ANYONE, &root), 1);
}

#[test]
fn replies_from_a_number_on_whether_it_stands_or_not() {
    let reply = |id, user: &str, to| posted(id, Some(post_ref(user, to)));
    let world = World::of(&[
        ("ada", posted(1, None)),
        ("ben", reply(3, "ada", 1)),
        ("ben", reply(4, "ben", 3)),
        ("cleo", reply(5, "ada", 1)),
    ]);
    let check = |id, expected: &[(u32, u64)]| {
        let begin = Begin::Child(post_id(id));
        let thread = world.index.replies_from(ANYONE, &post_ref("ada", 1), begin, 9);
        assert_eq!(tree(&thread), expected, "{id}");
    };
    for id in [0, 2, 3] {
        check(id, &[(1, 3), (2, 4), (1, 5)]);
    }
    for id in [4, 5] {
        check(id, &[(1, 5)]);
    }
    check(6, &[]);
    check(u64::MAX, &[]);
}

/// Muting somebody hid what third people had answered to them.
#[test]
fn r0033_what_answers_somebody_muted_or_blocked_stays_in_the_thread() {
    let reply = |id, user: &str, to| posted(id, Some(post_ref(user, to)));
    let mut world = World::of(&[
        ("ada", posted(1, None)),
        ("ben", reply(2, "ada", 1)),
        ("cleo", reply(3, "ben", 2)),
        ("ben", reply(4, "cleo", 3)),
        ("ben", reply(5, "ben", 4)),
        ("cleo", reply(6, "ben", 5)),
        ("ben", reply(7, "ben", 4)),
        ("cleo", reply(8, "ada", 1)),
    ]);
    let root = post_ref("ada", 1);
    let all = [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (4, 7), (1, 8)];
    for entry in [
        Entry::Muted { at: Wall(9), user: name("ben"), until: None },
        Entry::Blocked { at: Wall(9), user: name("ben") },
    ] {
        assert_eq!(tree(&world.index.replies(eyes_of(&world.index, "cleo"), &root, 9)), all);
        world.write("ada", &entry);
        let eyes = eyes_of(&world.index, "ada");
        let thread = world.index.replies(eyes, &root, 9);
        assert_eq!((tree(&thread), thread.more), (vec![(2, 3), (5, 6), (1, 8)], false));
        let thread = world.index.replies(eyes, &root, 2);
        assert_eq!((tree(&thread), thread.more), (vec![(2, 3), (5, 6)], true));
        let way = [("ben", 2), ("cleo", 3), ("ben", 4), ("ben", 5), ("cleo", 6)];
        let way = way.map(|(user, id)| post_ref(user, id));
        let next = world.index.replies_from(eyes, &root, Begin::Behind(&way), 2);
        assert_eq!((tree(&next), next.more), (vec![(1, 8)], false));
        // What answers the post itself is counted as far as it is seen.
        assert_eq!(world.index.reply_count(eyes, &root), 1);
    }
}

#[test]
fn replies_in_a_circle_end() {
    let world = World::of(&[
        ("ada", posted(1, Some(post_ref("ben", 2)))),
        ("ben", posted(2, Some(post_ref("ada", 1)))),
        ("ada", posted(3, Some(post_ref("ada", 3)))),
    ]);
    assert_eq!(tree(&world.index.replies(ANYONE, &post_ref("ada", 1), 99)), [(1, 2)]);
    assert_eq!(tree(&world.index.replies(ANYONE, &post_ref("ada", 3), 99)), []);
}

#[test]
fn left_vanishes_everywhere() {
    let mut world = World::of(&[
        ("ada", joined()),
        ("ben", joined()),
        ("ada", followed("ben")),
        ("ben", followed("ada")),
        ("ben", posted(1, None)),
        ("ben", left()),
        ("ada", followed("ben")),
        ("ben", joined()),
        ("ben", posted(2, None)),
    ]);
    let none = Counts::default();
    assert_eq!(
        (world.index.counts(ANYONE, &name("ada")), world.index.counts(ANYONE, &name("ben"))),
        (none, none)
    );
    assert!(!world.index.is_active(&name("ben")) && !world.index.contains(&post_ref("ben", 1)));
    assert_eq!((world.index.members(), world.index.posts()), (1, 0));
    assert_eq!(names(&world.index.directory(ANYONE, None, 9)), ["ada"]);
    assert!(world.index.everyone(ANYONE, None, 9).posts.is_empty());
    world.write("ada", &left());
    assert_eq!(world.index.members(), 0);
}

#[test]
fn people_by_name_and_page() {
    let mut world = World::default();
    for user in ["dora", "ben", "cleo", "ada"] {
        world.write(user, &joined());
        world.write(user, &followed("zoe"));
    }
    let zoe = name("zoe");
    let first = world.index.followers(ANYONE, &zoe, None, 3);
    assert_eq!(
        (names(&first), &first.more_after),
        (vec!["ada", "ben", "cleo"], &Some(name("cleo")))
    );
    let last = world.index.followers(ANYONE, &zoe, first.more_after.as_ref(), 3);
    assert_eq!((names(&last), &last.more_after), (vec!["dora"], &None));
    // A cursor names a place, not a person: who left between two pages loses nobody.
    assert_eq!(names(&world.index.followers(ANYONE, &zoe, Some(&name("bz")), 9)), ["cleo", "dora"]);
    assert_eq!(names(&world.index.following(ANYONE, &name("ada"), None, 9)), ["zoe"]);
    assert_eq!(names(&world.index.directory(ANYONE, Some(&name("ben")), 1)), ["cleo"]);
}

#[test]
fn suggestions_recent_posters_first_then_others() {
    let mut world = World::default();
    for user in ["ada", "ben", "cleo", "dora", "eva", "finn"] {
        world.write(user, &joined());
    }
    for (id, user) in (1..).zip(["dora", "eva", "cleo", "eva", "ada", "finn"]) {
        world.write(user, &posted(id, None));
    }
    world.write("ada", &followed("cleo"));
    world.write("finn", &left());
    // A file that begins without its account: nobody to follow.
    world.write("gus", &posted(9, None));
    let suggested = world.index.suggestions(eyes_of(&world.index, "ada"), 5);
    assert_eq!(suggested.iter().map(UserName::as_str).collect::<Vec<_>>(), ["eva", "dora", "ben"]);
    assert_eq!(world.index.suggestions(eyes_of(&world.index, "ada"), 1).len(), 1);
}

#[test]
fn home_of_many_follows_equal_whichever_way_it_is_found() {
    // Many quiet people before many posts of someone not followed: the walk gives up, merging ends it.
    let people = u64::try_from(HOME_MERGE_PEOPLE).unwrap() + 20;
    let mut world = World::default();
    let viewer = name("viewer");
    for number in 0..people {
        let quiet = format!("p{number}");
        world.write(&quiet, &posted(10 + number, None));
        world.write(viewer.as_str(), &followed(&quiet));
    }
    for number in 0..1000 {
        world.write("loud", &posted(1000 + number, None));
        if number % 100 == 0 {
            world.write("p3", &posted(1000 + number, None));
        }
    }
    let mut expected: Vec<u64> = (0..people).map(|number| 10 + number).collect();
    expected.extend((0..10).map(|number| 1000 + number * 100));
    expected.reverse();
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = world.index.home(world.index.eyes(Some(&viewer), Wall(0)), before, 7);
        found.extend(page.posts.iter().map(|post| post.id.get()));
        before = page.older;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn page_passes_over_a_limited_number_of_unseen_posts() {
    let unseen = u64::try_from(PASSED_OVER_MAX).unwrap() + 10;
    let mut world = World::of(&[("ada", joined()), ("ben", posted(1, None))]);
    for id in 2..2 + unseen {
        world.write("loud", &posted(id, None));
    }
    world.write("ada", &Entry::Muted { at: Wall(1), user: name("loud"), until: None });
    let eyes = eyes_of(&world.index, "ada");
    let first = world.index.everyone(eyes, None, 5);
    assert_eq!((first.posts.len(), first.older), (0, Some(post_id(12))));
    let second = world.index.everyone(eyes, first.older, 5);
    assert_eq!((shown(&second), second.older), (vec![("ben", 1)], None));
    // A full page does not promise more where there is nothing but what is not shown.
    world.write("ben", &posted(9_999, None));
    world.write("ben", &posted(9_998, None));
    let all: Vec<u64> = (2..2 + unseen - 20).collect();
    for id in &all {
        world.write("loud", &deleted(*id));
    }
    world.write("ben", &deleted(1));
    let full = world.index.everyone(eyes, None, 2);
    assert_eq!((shown(&full), full.older), (vec![("ben", 9_999), ("ben", 9_998)], None));
}

// ---- against a naive recomputation

const PEOPLE: [&str; 5] = ["ada", "ben", "cleo", "dora", "eva"];

/// One person as a plain reading of their entries gives them.
#[derive(Default)]
struct Plain {
    active: bool,
    left: bool,
    posts: BTreeMap<u64, Option<PostRef>>,
    deleted: BTreeSet<u64>,
    follows: BTreeSet<UserName>,
    mutes: BTreeSet<UserName>,
    blocks: BTreeSet<UserName>,
}

type Model = BTreeMap<UserName, Plain>;

fn recompute(log: &[(UserName, Entry)]) -> Model {
    let mut model: Model = PEOPLE.iter().map(|user| (name(user), Plain::default())).collect();
    for (user, entry) in log {
        let plain = model.get_mut(user).unwrap();
        match entry {
            _ if plain.left => {}
            Entry::Joined { .. } => plain.active = true,
            Entry::Posted { id, reply_to, .. } if !plain.deleted.contains(&id.get()) => {
                plain.posts.entry(id.get()).or_insert_with(|| reply_to.clone());
            }
            Entry::PostDeleted { id, .. } => {
                plain.posts.remove(&id.get());
                plain.deleted.insert(id.get());
            }
            Entry::Followed { user, .. } => drop(plain.follows.insert(user.clone())),
            Entry::Unfollowed { user, .. } => drop(plain.follows.remove(user)),
            Entry::Muted { user, .. } => drop(plain.mutes.insert(user.clone())),
            Entry::Unmuted { user, .. } => drop(plain.mutes.remove(user)),
            Entry::Blocked { user, .. } => drop(plain.blocks.insert(user.clone())),
            Entry::Unblocked { user, .. } => drop(plain.blocks.remove(user)),
            Entry::Left { .. } => *plain = Plain { left: true, ..Plain::default() },
            _ => {}
        }
    }
    let gone: Vec<UserName> =
        model.iter().filter(|(_, plain)| plain.left).map(|(user, _)| user.clone()).collect();
    let blocks: BTreeSet<(UserName, UserName)> = model
        .iter()
        .flat_map(|(who, plain)| plain.blocks.iter().map(|whom| (who.clone(), whom.clone())))
        .collect();
    for (user, plain) in &mut model {
        plain.mutes.remove(user);
        plain.blocks.remove(user);
        let blocked = |whom: &UserName| {
            let (there, back) = ((user.clone(), whom.clone()), (whom.clone(), user.clone()));
            blocks.contains(&there) || blocks.contains(&back)
        };
        plain.follows.retain(|whom| !gone.contains(whom) && whom != user && !blocked(whom));
    }
    model
}

/// Whether `viewer` is to be shown posts of `author`.
fn is_shown(model: &Model, viewer: &UserName, author: &UserName) -> bool {
    let apart = |who: &UserName, whom: &UserName| model[who].blocks.contains(whom);
    let muted = model[viewer].mutes.contains(author);
    !muted && !apart(viewer, author) && !apart(author, viewer)
}

fn posts_where(model: &Model, wanted: impl Fn(&UserName) -> bool) -> Vec<(u64, UserName)> {
    let posts = model
        .iter()
        .filter(|(user, _)| wanted(user))
        .flat_map(|(user, plain)| plain.posts.keys().map(|id| (*id, user.clone())));
    let mut posts: Vec<_> = posts.collect();
    posts.sort_by(|a, b| b.cmp(a));
    posts
}

fn replies_where(model: &Model, post: &PostRef, depth: u32, out: &mut Vec<(u32, PostRef)>) {
    let mut children: Vec<(u64, &UserName)> = Vec::new();
    for (user, plain) in model {
        let answers = plain.posts.iter().filter(|(_, parent)| parent.as_ref() == Some(post));
        children.extend(answers.map(|(id, _)| (*id, user)));
    }
    children.sort();
    for (id, user) in children {
        let child = PostRef { user: user.clone(), id: post_id(id) };
        out.push((depth, child.clone()));
        replies_where(model, &child, depth + 1, out);
    }
}

/// Walks all pages; the order among equal numbers is nobody's business.
fn all_pages(query: impl Fn(Option<PostId>) -> PostList) -> Vec<(u64, UserName)> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = query(before);
        assert!(page.posts.windows(2).all(|pair| pair[0].id >= pair[1].id));
        all.extend(page.posts.into_iter().map(|post| (post.id.get(), post.user)));
        before = page.older;
        if before.is_none() {
            all.sort_by(|a, b| b.cmp(a));
            return all;
        }
    }
}

/// Each member sees what nobody keeps from them, and pages are full in spite of it.
fn check_eyes(index: &Index, model: &Model, n: usize) {
    for viewer in model.keys() {
        let eyes = index.eyes(Some(viewer), Wall(0));
        let seen = posts_where(model, |who| is_shown(model, viewer, who));
        assert_eq!(all_pages(|before| index.everyone(eyes, before, n)), seen);
        let first = index.everyone(eyes, None, n);
        assert!(first.older.is_none() || first.posts.len() >= n);
        for author in model.keys() {
            assert_eq!(index.shows_posts_of(eyes, author), is_shown(model, viewer, author));
            let own = all_pages(|before| index.posts_of(eyes, author, before, n));
            let expected = posts_where(model, |who| who == author && is_shown(model, viewer, who));
            assert_eq!(own, expected);
        }
        for post in PEOPLE.iter().flat_map(|user| (0..12).map(|id| post_ref(user, id))) {
            let answers = model.iter().filter(|(who, _)| is_shown(model, viewer, who));
            let answers = answers.flat_map(|(_, plain)| plain.posts.values());
            let count = answers.filter(|parent| parent.as_ref() == Some(&post)).count();
            assert_eq!(index.reply_count(eyes, &post) as usize, count);
            let replies = index.replies(eyes, &post, 99).replies;
            assert!(replies.iter().all(|it| is_shown(model, viewer, &it.post.user)));
        }
    }
}

fn check(index: &Index, model: &Model, n: usize) {
    check_eyes(index, model, n);
    let everyone = all_pages(|before| index.everyone(ANYONE, before, n));
    assert_eq!(everyone, posts_where(model, |_| true));
    assert_eq!(index.posts(), everyone.len());
    assert_eq!(index.members(), model.values().filter(|plain| plain.active).count());
    for (user, plain) in model {
        assert_eq!(index.is_active(user), plain.active);
        let home = all_pages(|before| index.home(index.eyes(Some(user), Wall(0)), before, n));
        let muted = |who: &UserName| plain.mutes.contains(who);
        let home_of = |who: &UserName| who == user || plain.follows.contains(who) && !muted(who);
        assert_eq!(home, posts_where(model, home_of));
        let own = all_pages(|before| index.posts_of(ANYONE, user, before, n));
        assert_eq!(own, posts_where(model, |who| who == user));
        let fans: Vec<_> = model.iter().filter(|(_, fan)| fan.follows.contains(user)).collect();
        let followers = index.followers(ANYONE, user, None, 99).names;
        assert!(followers.iter().eq(fans.iter().map(|(name, _)| *name)));
        assert!(index.following(ANYONE, user, None, 99).names.iter().eq(&plain.follows));
        assert!(plain.follows.iter().all(|whom| index.follows(user, whom)));
        let counts = index.counts(ANYONE, user);
        let lens = [plain.posts.len(), fans.len(), plain.follows.len()];
        assert_eq!([counts.posts, counts.followers, counts.following].map(|n| n as usize), lens);
    }
}

fn check_threads(index: &Index, model: &Model, n: usize) {
    for post in PEOPLE.iter().flat_map(|user| (0..12).map(|id| post_ref(user, id))) {
        let mut expected = Vec::new();
        replies_where(model, &post, 1, &mut expected);
        let direct = expected.iter().filter(|(depth, _)| *depth == 1).count();
        assert_eq!(index.reply_count(ANYONE, &post) as usize, direct);
        // The order among equal numbers is nobody's business.
        let ids: BTreeSet<PostId> = expected.iter().map(|(_, post)| post.id).collect();
        if ids.len() == expected.len() {
            let thread = index.replies(ANYONE, &post, n);
            assert_eq!(thread.more, expected.len() > n);
            for (at, begin) in ways_down(&expected).iter().enumerate() {
                let thread = index.replies_from(ANYONE, &post, Begin::Behind(begin), n);
                let rest = expected.iter().skip(at + 1);
                assert_eq!(thread.more, rest.len() > n);
                let found = thread.replies.iter().map(|reply| (reply.depth, &reply.post));
                assert!(found.eq(rest.take(n).map(|(depth, post)| (*depth, post))), "{begin:?}");
            }
            expected.truncate(n);
            let found = thread.replies.into_iter().map(|reply| (reply.depth, reply.post));
            assert!(found.eq(expected), "{post:?}");
        }
    }
}

/// Of each of these replies, each followed by its own, the way down to it.
fn ways_down(replies: &[(u32, PostRef)]) -> Vec<Vec<PostRef>> {
    let mut way = Vec::new();
    let down = |(depth, post): &(u32, PostRef)| {
        way.truncate(*depth as usize - 1);
        way.push(post.clone());
        way.clone()
    };
    replies.iter().map(down).collect()
}

/// Replies answer lower numbers alone, as honest ones mostly do: circles have their own test.
fn any_line() -> impl Strategy<Value = (UserName, Entry)> {
    let who = || prop::sample::select(PEOPLE.to_vec());
    let reply = (1..12u64, prop::option::of((who(), 0..12u64)))
        .prop_map(|(id, to)| posted(id, to.map(|(user, parent)| post_ref(user, parent % id))));
    let entry = prop_oneof![
        2 => Just(joined()),
        8 => reply,
        2 => (0..12u64).prop_map(deleted),
        4 => who().prop_map(followed),
        2 => who().prop_map(|user| Entry::Unfollowed { at: Wall(1), user: name(user) }),
        1 => who().prop_map(|user| Entry::Muted { at: Wall(1), user: name(user), until: None }),
        1 => who().prop_map(|user| Entry::Unmuted { at: Wall(1), user: name(user) }),
        2 => who().prop_map(|user| Entry::Blocked { at: Wall(1), user: name(user) }),
        1 => who().prop_map(|user| Entry::Unblocked { at: Wall(1), user: name(user) }),
        1 => Just(left()),
    ];
    (who().prop_map(name), entry)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn index_fed_built_or_replaced_equals_recomputation(
        log in prop::collection::vec(any_line(), 0..80),
        n in 1..6usize,
        cut in 0..80usize,
    ) {
        let mut fed = World::default();
        let mut whole = World::default();
        for (at, (user, entry)) in log.iter().enumerate() {
            if at == cut {
                whole.index = fed.index.clone();
                whole.users = fed.users.clone();
            }
            fed.write(user.as_str(), entry);
        }
        let model = recompute(&log);
        check(&fed.index, &model, n);
        check_threads(&fed.index, &model, n);

        let built = Index::build(fed.users.values());
        check(&built, &model, n);
        check_threads(&built, &model, n);

        // The state at the cut, brought up to date by whole files.
        let absent: BTreeMap<_, _> =
            PEOPLE.iter().map(|user| (name(user), User::absent(name(user)))).collect();
        for (user, after) in &fed.users {
            let before = whole.users.get(user).or_else(|| absent.get(user)).unwrap();
            whole.index.replace(before, after);
        }
        check(&whole.index, &model, n);
        check_threads(&whole.index, &model, n);
    }
}
