//! Who is told nothing of which threads: against a plain reading of the users, and the stories behind it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{World, name};
use super::*;
use crate::clock::Wall;
use crate::limits::THREAD_STEPS_MAX;
use crate::user::entry::Audience;

const PEOPLE: [&str; 4] = ["ada", "ben", "cleo", "dora"];

fn at(ms: u64) -> PostId {
    PostId::floor_of(ms)
}

fn post(user: &str, ms: u64) -> PostRef {
    PostRef { user: name(user), id: at(ms) }
}

fn said(ms: u64, text: &str, reply_to: Option<PostRef>) -> Entry {
    let (at, id, text) = (Wall(ms), at(ms), text.to_owned());
    Entry::Posted { at, id, text, reply_to, note: None, pictures: Vec::new(), sensitive: false }
}

fn said_to_few(ms: u64, audience: Audience, reply_to: Option<PostRef>) -> Entry {
    let (at, id, text, pictures) = (Wall(ms), at(ms), "to @ben".to_owned(), Vec::new());
    Entry::PostedFor { at, id, audience, text, reply_to, note: None, pictures, sensitive: false }
}

fn deleted(ms: u64) -> Entry {
    Entry::PostDeleted { at: Wall(50), id: at(ms), few: false }
}

fn muted(post: PostRef) -> Entry {
    Entry::ThreadMuted { at: Wall(51), post }
}

fn unmuted(post: PostRef) -> Entry {
    Entry::ThreadUnmuted { at: Wall(52), post }
}

fn liked(ms: u64, post: PostRef) -> Entry {
    Entry::Liked { at: Wall(ms), post }
}

fn community() -> World {
    let mut world = World::default();
    for user in PEOPLE {
        world.write(user, &Entry::Joined { at: Wall(1) });
    }
    world
}

// ---- against a plain reading

/// Whether a viewer mutes the thread of a post, by what the users say of it.
fn is_muted(world: &World, viewer: &UserName, post: &PostRef) -> bool {
    let muted = &world.users[viewer].aside().muted_threads;
    let eyes = world.index.eyes(Some(viewer), Wall(99));
    let (mut at, mut passed) = (Some(post.clone()), BTreeSet::new());
    while let Some(post) = at.filter(|it| world.index.is_for(eyes, it) && passed.insert(it.clone()))
    {
        if muted.contains(&post) {
            return true;
        }
        at = world.users.get(&post.user).and_then(|user| user.reply_to(post.id)).cloned();
    }
    false
}

/// What an index holds of it, by names: those have other numbers in one that was built.
fn spelt(index: &Index) -> impl PartialEq + std::fmt::Debug + use<> {
    let post = |key: &Key| index.post_ref(*key);
    let by: BTreeSet<_> = index
        .hush
        .by
        .iter()
        .flat_map(|(key, who)| {
            who.iter().map(move |who| (post(key), index.people.get(*who).name.clone()))
        })
        .collect();
    let within: BTreeSet<_> =
        index.hush.within.iter().map(|(child, parent)| (post(child), post(parent))).collect();
    let counts: BTreeSet<_> = index
        .hush
        .counts
        .iter()
        .map(|(who, n)| (index.people.get(*who).name.clone(), *n))
        .collect();
    (by, within, counts)
}

#[track_caller]
fn check(index: &Index, world: &World) {
    assert_eq!(spelt(index), spelt(&Index::build(world.users.values())));
    for viewer in world.users.keys() {
        let eyes = index.eyes(Some(viewer), Wall(99));
        let mut told = BTreeSet::new();
        for (user, author) in &world.users {
            for id in author.posts.iter().map(|post| post.id) {
                let post = PostRef { user: user.clone(), id };
                let is_muted = is_muted(world, viewer, &post);
                assert_eq!(index.is_hushed(eyes, &post), is_muted, "{viewer} {post:?}");
                let names = author
                    .labels
                    .of(id)
                    .iter()
                    .any(|(_, label)| label.name().as_ref() == Some(viewer));
                if names && user != viewer && !is_muted && index.shows(eyes, &post) {
                    told.insert(post);
                }
            }
        }
        let news = index.news(eyes, None, &[NewsKind::Named], 999).news;
        let found: BTreeSet<_> = news
            .into_iter()
            .map(|it| {
                let News::Named(post) = it else { panic!("{it:?}") };
                post
            })
            .collect();
        assert_eq!(found, told, "{viewer}");
        assert_eq!(index.news_count(eyes, at(0), &[NewsKind::Named]), told.len());
    }
}

/// Replies answer what comes first, later or never, and themselves; of few posts threads are muted, so that
/// one lies in the other and is unmuted.
fn any_line() -> impl Strategy<Value = (UserName, Entry)> {
    let who = || prop::sample::select(PEOPLE.to_vec());
    let any_post = move || (who(), 1..6u64).prop_map(|(user, ms)| post(user, ms));
    let of_few = move || (0..2usize, 1..3u64).prop_map(|(who, ms)| post(PEOPLE[who], ms));
    let audience = prop::sample::select(vec![Audience::Followers, Audience::Named]);
    let entry = prop_oneof![
        12 => (1..6u64, prop::option::weighted(0.9, prop_oneof![any_post(), of_few()]))
            .prop_map(|(ms, to)| said(ms, "@ada and @ben", to)),
        2 => (1..6u64, audience, any_post())
            .prop_map(|(ms, audience, to)| said_to_few(ms, audience, Some(to))),
        3 => (1..6u64).prop_map(deleted),
        6 => of_few().prop_map(muted),
        3 => of_few().prop_map(unmuted),
        1 => who().prop_map(|user| Entry::Followed { at: Wall(7), user: name(user) }),
        1 => Just(Entry::Left { at: Wall(60) }),
    ];
    (who().prop_map(name), entry)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn muted_threads_fed_built_or_replaced_are_as_the_users_say(
        log in prop::collection::vec(any_line(), 0..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut fed, mut early) = (community(), community());
        for (at, (user, entry)) in log.iter().enumerate() {
            fed.write(user.as_str(), entry);
            if at < cut.index(log.len()) {
                early.write(user.as_str(), entry);
            }
        }
        check(&fed.index, &fed);
        // Each user's lines in their order, but one user after the other: as machines hear of them.
        let mut by_user = community();
        for user in PEOPLE.iter().rev() {
            for (_, entry) in log.iter().filter(|(who, _)| who.as_str() == *user) {
                by_user.write(user, entry);
            }
        }
        check(&by_user.index, &fed);
        let mut whole = early.index;
        for (user, after) in &fed.users {
            whole.replace(&early.users[user], after);
        }
        check(&whole, &fed);
    }
}

// ---- stories

/// Ada asks, ben answers and names cleo, cleo answers and names ada, and ben likes and reposts what she
/// asked.
fn talk() -> World {
    let mut world = community();
    world.write("ada", &said(10, "who comes?", None));
    world.write("ben", &said(11, "@cleo and I", Some(post("ada", 10))));
    world.write("cleo", &said(12, "@ada yes", Some(post("ben", 11))));
    world.write("ben", &liked(13, post("ada", 10)));
    world.write("ben", &Entry::Reposted { at: Wall(14), post: post("ada", 10) });
    world.write("dora", &said(15, "@ada something else", None));
    world
}

fn news(world: &World, user: &str) -> Vec<u64> {
    let eyes = world.eyes(user);
    let list = world.index.news(eyes, None, &NewsKind::ALL, 99).news;
    assert_eq!(world.index.news_count(eyes, at(0), &NewsKind::ALL), list.len());
    let place = |item: &News| match item {
        News::PollEnded(post, _) => panic!("a poll in {post:?}"),
        News::Named(post) => post.id.at_ms(),
        News::Followed(_, at) | News::Liked(_, _, at) | News::Reposted(_, _, at) => at.0,
    };
    list.iter().map(place).collect()
}

fn heard(world: &World, user: &str) -> Vec<Happened> {
    world.index.happened(world.eyes(user), Listened::Home, 0, 99).unwrap().0
}

#[test]
fn muted_thread_ends_being_told_of_it_and_unmuting_tells_it_all() {
    let mut world = talk();
    let root = post("ada", 10);
    let all = heard(&world, "ada");
    assert_eq!((news(&world, "ada"), news(&world, "cleo")), (vec![15, 14, 13, 12], vec![11]));
    world.write("ada", &muted(root.clone()));
    assert_eq!((news(&world, "ada"), news(&world, "cleo")), (vec![15], vec![11]));
    let is_told = |it: &&Happened| match it {
        Happened::Named(post) => post.user == name("dora"),
        Happened::Liked(..) | Happened::RepostedOwn(..) => false,
        _ => true,
    };
    let expected: Vec<_> = all.iter().filter(is_told).cloned().collect();
    assert_eq!(heard(&world, "ada"), expected);
    assert_eq!(all.len(), expected.len() + 3);
    assert!(all.contains(&Happened::Posted(root.clone())));
    // The posts themselves are shown as ever.
    assert_eq!(world.index.replies(world.eyes("ada"), &root, 9).replies.len(), 2);
    world.write("ada", &unmuted(root));
    assert_eq!((news(&world, "ada"), heard(&world, "ada")), (vec![15, 14, 13, 12], all));
}

#[test]
fn thread_muted_within_another_ends_by_itself() {
    let mut world = talk();
    let threads = [post("ada", 10), post("ben", 11)];
    for thread in &threads {
        world.write("ada", &muted(thread.clone()));
    }
    world.write("ada", &unmuted(threads[1].clone()));
    assert_eq!(news(&world, "ada"), [15], "the outer one is muted still");
    world.write("ada", &muted(threads[1].clone()));
    world.write("ada", &unmuted(threads[0].clone()));
    assert_eq!(news(&world, "ada"), [15, 14, 13], "the inner one is");
}

#[test]
fn thread_whose_beginning_is_gone_is_muted_all_the_same() {
    let mut world = talk();
    world.write("ada", &deleted(10));
    world.write("cleo", &muted(post("ada", 10)));
    assert!(news(&world, "cleo").is_empty());
    assert_eq!(news(&world, "ada"), [15, 12]);
    world.write("cleo", &unmuted(post("ada", 10)));
    assert_eq!(news(&world, "cleo"), [11]);
}

#[test]
fn what_a_post_for_few_answers_is_not_told_by_muting() {
    let mut world = community();
    world.write("ada", &said(10, "who comes?", None));
    world.write("cleo", &said_to_few(11, Audience::Named, Some(post("ada", 10))));
    world.write("ben", &said(12, "@dora and @ada too", Some(post("cleo", 11))));
    for user in ["ben", "dora"] {
        world.write(user, &muted(post("ada", 10)));
    }
    let is_muted =
        |user: &str, of: &str, ms| world.index.is_hushed(world.eyes(user), &post(of, ms));
    assert!(is_muted("ben", "ben", 12), "whom it is for can follow it up");
    assert!(!is_muted("dora", "ben", 12), "dora learns what cleo's post for ben answers");
    assert!(!is_muted("dora", "cleo", 11));
    assert_eq!(news(&world, "dora"), [12]);
}

#[test]
fn a_thread_is_followed_up_for_so_many_steps() {
    let mut world = community();
    let last = THREAD_STEPS_MAX as u64 + 1;
    for ms in 1..=last {
        world.write("ada", &said(ms, "on", (ms > 1).then(|| post("ada", ms - 1))));
    }
    world.write("ben", &muted(post("ada", 1)));
    let is_muted = |ms| world.index.is_hushed(world.eyes("ben"), &post("ada", ms));
    assert!(is_muted(last - 1) && !is_muted(last));
}
