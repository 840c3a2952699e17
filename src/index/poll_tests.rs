//! How polls were answered and what of it is told: against a plain reading, in every order of files.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::{World, name};
use super::*;
use crate::clock::Wall;
use crate::user::aside::{Choices, Poll};
use crate::user::entry::Audience;

const PEOPLE: [&str; 4] = ["ada", "ben", "cleo", "dora"];

fn at(ms: u64) -> PostId {
    PostId::floor_of(ms)
}

fn of(user: &str, ms: u64) -> PostRef {
    PostRef { user: name(user), id: at(ms) }
}

/// A poll with two options that ends after ten milliseconds.
fn asked(ms: u64) -> Entry {
    let (at, id, text) = (Wall(ms), at(ms), "Tea or cake?".to_owned());
    let (reply_to, note, audience) = (None, None, Audience::Everyone);
    let options = vec!["Tea".to_owned(), "Cake".to_owned()];
    let poll = Poll { options, until: Wall(ms + 10), many: true, hides_votes: false };
    Entry::PostedPoll { at, id, audience, text, reply_to, note, poll, sensitive: false }
}

fn voted(post: PostRef, places: &[usize]) -> Entry {
    Entry::Voted { at: Wall(7), post, choices: places.iter().copied().collect() }
}

fn joined() -> Vec<(&'static str, Entry)> {
    PEOPLE.iter().map(|user| (*user, Entry::Joined { at: Wall(1) })).collect()
}

/// Which polls are over for somebody at a time, the latest first, and when.
fn over(world: &World, user: &str, now: u64) -> Vec<(String, u64)> {
    let eyes = world.index.eyes(Some(&name(user)), Wall(now));
    let told = world.index.news(eyes, None, &[NewsKind::PollEnded], 100).news;
    let rising = Span { above: Some(PostId::from_raw(0)), is_rising: true, ..Span::default() };
    let wanted = NewsWanted { kinds: &[NewsKind::PollEnded], by: None };
    assert_eq!(world.index.news_part(eyes, rising, &wanted, 100).news, told);
    let count = world.index.news_count(eyes, PostId::from_raw(0), &[NewsKind::PollEnded]);
    assert_eq!(count, told.len());
    let what = |news| match news {
        News::PollEnded(post, at) => (post.user.to_string(), at.0),
        other => panic!("{other:?}"),
    };
    told.into_iter().map(what).collect()
}

#[test]
fn poll_over_is_told_to_its_author_and_voters_at_its_end_and_no_sooner() {
    let mut world = World::of(&joined());
    world.write("ada", &asked(20));
    world.write("ben", &voted(of("ada", 20), &[0, 1]));
    world.write("cleo", &voted(of("ada", 20), &[1]));
    assert_eq!(world.index.tally(&of("ada", 20)), Tally { counts: vec![1, 2], voters: 2 });
    let told = vec![("ada".to_owned(), 30)];
    for user in ["ada", "ben", "cleo"] {
        assert_eq!(over(&world, user, 29), []);
        assert_eq!(over(&world, user, 30), told, "{user}");
    }
    assert_eq!(over(&world, "dora", 99), []);
    // Whom one mutes is not heard of, and what is gone is not told.
    world.write("ben", &Entry::Muted { at: Wall(8), user: name("ada"), until: None });
    assert_eq!((over(&world, "ben", 30), over(&world, "cleo", 30)), (vec![], told));
    // Nor is a thread that one mutes.
    world.write("cleo", &Entry::ThreadMuted { at: Wall(9), post: of("ada", 20) });
    assert_eq!((over(&world, "cleo", 30), over(&world, "ada", 30).len()), (vec![], 1));
    world.write("cleo", &Entry::ThreadUnmuted { at: Wall(9), post: of("ada", 20) });
    assert_eq!(over(&world, "cleo", 30).len(), 1);
    world.write("ada", &Entry::PostDeleted { at: Wall(9), id: at(20), few: false });
    assert_eq!((over(&world, "ada", 30), over(&world, "cleo", 30)), (vec![], vec![]));
}

#[test]
fn vote_of_whoever_left_counts_no_longer() {
    let mut world = World::of(&joined());
    world.write("ben", &voted(of("ada", 20), &[0]));
    world.write("cleo", &voted(of("ada", 20), &[0]));
    world.write("ada", &asked(20));
    world.write("ben", &Entry::Left { at: Wall(9) });
    assert_eq!(world.index.tally(&of("ada", 20)), Tally { counts: vec![1], voters: 1 });
}

fn any_act() -> impl Strategy<Value = (&'static str, Entry)> {
    let user = || (0..PEOPLE.len()).prop_map(|at| PEOPLE[at]);
    let ms = || 2..8_u64;
    let places = prop::collection::vec(0..3_usize, 1..3);
    prop_oneof![
        3 => (user(), ms()).prop_map(|(user, ms)| (user, asked(ms))),
        6 => (user(), user(), ms(), places)
            .prop_map(|(user, whose, ms, places)| (user, voted(of(whose, ms), &places))),
        1 => (user(), ms())
            .prop_map(|(user, ms)| (user, Entry::PostDeleted { at: Wall(9), id: at(ms), few: false })),
        1 => user().prop_map(|user| (user, Entry::Left { at: Wall(9) })),
    ]
}

/// A plain reading: of each poll that stands how it was answered, and whom its end concerns.
fn plain(world: &World) -> BTreeMap<PostRef, (Tally, Vec<String>)> {
    let mut polls = BTreeMap::new();
    for author in world.users.values() {
        for (id, poll) in &author.aside().polls {
            let post = PostRef { user: author.name.clone(), id: *id };
            let votes: Vec<(String, Choices)> = world
                .users
                .values()
                .filter_map(|user| Some((user.name.to_string(), *user.aside().votes.get(&post)?)))
                .collect();
            let counts = (0..3_usize)
                .map(|place| votes.iter().filter(|(_, it)| it.has(place)).count())
                .map(|count| u32::try_from(count).unwrap())
                .collect();
            let voters = u32::try_from(votes.len()).unwrap();
            let mut whom: Vec<String> = votes.into_iter().map(|(who, _)| who).collect();
            whom.push(author.name.to_string());
            whom.sort_unstable();
            whom.dedup();
            assert_eq!(poll.until, Wall(id.at_ms() + 10));
            polls.insert(post, (Tally { counts, voters }, whom));
        }
    }
    polls
}

fn check(world: &World) {
    let expected = plain(world);
    for (post, (tally, _)) in &expected {
        let mut found = world.index.tally(post);
        found.counts.resize(3, 0);
        assert_eq!(&found, tally, "{post:?}");
    }
    for user in PEOPLE {
        let mut told = over(world, user, 1_000);
        let concerns = |(post, (_, whom)): (&PostRef, &(Tally, Vec<String>))| {
            whom.iter().any(|it| it == user).then(|| (post.user.to_string(), post.id.at_ms() + 10))
        };
        let mut expected: Vec<_> = expected.iter().filter_map(concerns).collect();
        let is_here = world.users[&name(user)].status == Status::Active;
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, if is_here { expected } else { vec![] }, "{user}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Fed one by one, built at once, and with a file that came whole: the same.
    #[test]
    fn polls_in_any_order_told_as_a_plain_reading_does(
        acts in prop::collection::vec(any_act(), 0..40),
        cut in 0..40_usize,
    ) {
        let mut world = World::of(&joined());
        for (user, entry) in &acts {
            world.write(user, entry);
        }
        check(&world);
        let built = World { index: Index::build(world.users.values()), users: world.users.clone() };
        check(&built);
        // Of one person's file another machine knew a part, and got the rest whole.
        let mut behind = World::of(&joined());
        let known = acts.iter().enumerate().filter(|(at, (user, _))| *user != "ben" || *at < cut);
        known.for_each(|(_, (user, entry))| behind.write(user, entry));
        let (before, after) = (behind.users[&name("ben")].clone(), world.users[&name("ben")].clone());
        behind.index.replace(&before, &after);
        behind.users.insert(name("ben"), after);
        check(&behind);
    }
}
