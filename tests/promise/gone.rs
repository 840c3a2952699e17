//! Machines that are killed, frozen, unplugged, away for long, or gone two at once.

use std::time::Duration;

use rustix::process::Signal;
use tern::clock::Clock;

use super::*;
use crate::security::sessions::{caller, make_known};
use crate::torture::proxy::Mode;

/// Milliseconds within which another machine takes over from one that was killed.
const TAKE_OVER_MS: u64 = 1_000;
/// Milliseconds that the one slow request may take.
const SLOW_MS: u64 = 2_000;
/// Somebody is on each machine: people are spread over the machines by their names.
const PEOPLE: usize = 8;
/// Posts of each after each failure: the first may meet it, the others must not.
const POSTS: usize = 3;

/// People and what they were told was saved.
struct People(Vec<(Person, Vec<String>)>);

impl People {
    fn join(fleet: &Fleet, count: usize) -> Self {
        Self((0..count).map(|n| (member(fleet, &format!("member_{n}")), Vec::new())).collect())
    }

    /// All of them post at once, each `count` times; the milliseconds of each one's requests.
    fn post(&mut self, what: &str, count: usize) -> Vec<Vec<u64>> {
        let post = |person: &mut Person, texts: &mut Vec<String>| {
            let mut times = Vec::new();
            for number in 0..count {
                let text = format!("{what} {number}");
                times.extend(post_timed(person, &text));
                texts.push(text);
            }
            times
        };
        std::thread::scope(|scope| {
            let people = self.0.iter_mut();
            let threads: Vec<_> =
                people.map(|(person, texts)| scope.spawn(|| post(person, texts))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn posts(&self) -> Vec<(String, Vec<String>)> {
        self.0.iter().map(|(person, texts)| (person.name.clone(), texts.clone())).collect()
    }
}

/// Everybody has at most one slow request, and it ends in time.
fn check_one_slow(what: &str, times: &[Vec<u64>]) {
    println!("{what}: milliseconds of each person's requests {times:?}");
    for times in times {
        let slow: Vec<_> = times.iter().filter(|ms| **ms > ALLOWANCE_MS).collect();
        assert!(slow.len() <= 1, "{what}: {times:?}");
        assert!(slow.iter().all(|ms| **ms < SLOW_MS + ALLOWANCE_MS), "{what}: {times:?}");
    }
}

#[test]
fn row01_one_of_three_killed_next_takes_over_within_a_second() {
    let mut fleet = start();
    let mut people = People::join(&fleet, PEOPLE);
    for n in 0..3 {
        people.post(&format!("before the end of {n}"), 1);
        fleet.machine(n).kill();
        let times = people.post(&format!("after the end of {n}"), POSTS);
        for times in &times {
            let first: u64 = times.iter().take(2).sum();
            assert!(first < TAKE_OVER_MS + ALLOWANCE_MS, "saved again after {first} ms");
        }
        check_one_slow("killed", &times);
        fleet.start_machine(n, &Start::default());
        wait_until_well(&fleet);
    }
    check_kept(&fleet, &people.posts());
}

#[test]
fn row01_one_of_three_unplugged_or_frozen_one_slow_request_then_nothing() {
    let mut fleet = start();
    let mut people = People::join(&fleet, PEOPLE);
    let unplug = |fleet: &Fleet, n: usize, mode: Mode| {
        fleet.set_island(n, mode);
        fleet.set_door(n, mode);
    };
    let ways = [("all connections cut", Mode::Cut), ("unplugged", Mode::SwallowThere)];
    for (n, (what, mode)) in ways.into_iter().enumerate() {
        people.post(&format!("before {what}"), 1);
        unplug(&fleet, n, mode);
        check_one_slow(what, &people.post(what, POSTS));
        wait_for_page(&fleet.site(), "/public", &["2 of 3 machines"]);
        unplug(&fleet, n, Mode::Pass);
        wait_until_well(&fleet);
    }
    fleet.machine(2).signal(Signal::STOP);
    check_one_slow("frozen", &people.post("frozen", POSTS));
    wait_for_page(&fleet.site(), "/public", &["2 of 3 machines"]);
    fleet.machine(2).signal(Signal::CONT);
    wait_until_well(&fleet);
    check_kept(&fleet, &people.posts());
}

#[test]
fn row02_back_after_a_day_catches_up_by_itself_and_says_so() {
    let mut fleet = start();
    let mut people = People::join(&fleet, 12);
    fleet.machine(2).kill();
    people.post("while one was away", 10);
    // A thin line, so that there is time to look.
    let thin = Mode::Delay(Duration::from_millis(150));
    fleet.set_ways(2, thin, Mode::Pass);
    fleet.start_machine(2, &Start::default());
    let said = ["one machine is catching up.", "machine 3 up and catching up"];
    wait_for_page(&fleet.site(), "/status", &said);
    people.post("meanwhile", 1);
    fleet.set_ways(2, Mode::Pass, Mode::Pass);
    wait_until_well(&fleet);
    check_kept(&fleet, &people.posts());
    // It votes: with another one gone it is needed.
    fleet.machine(0).kill();
    people.post("with its vote", 1);
    fleet.start_machine(0, &Start::default());
    check_kept(&fleet, &people.posts());
}

#[test]
fn row05_two_of_three_gone_reading_goes_on_text_kept() {
    const TEXT: &str = "Frost tonight.\nCover <your> lemons & limes.";
    let mut fleet = start();
    let (mut ada, mut ben) = (member(&fleet, "ada"), member(&fleet, "ben"));
    post_timed(&mut ada, "before");
    let [form, ben_form] = [&mut ada, &mut ben].map(|one| one.get("/").form("/post"));
    // What those two alone know nobody can show.
    let machines = caller(fleet.keys.clone(), fleet.door_addresses());
    make_known(&machines, 1, &[&ada, &ben]);
    fleet.machine(1).kill();
    fleet.machine(2).kill();
    let clock = Clock::system();
    let (answer, form) = refused(&mut ada, &form, TEXT);
    assert!(clock.mono().0 < 10_000, "told after {} ms", clock.mono().0);
    // How many are gone may be noticed a moment later.
    wait_for_page(&fleet.site(), "/public", &["1 of 3 machines"]);
    let (_, form) = refused_again(&mut ada, (&answer, &form), TEXT);
    // Who was not asked to save anything before is told for certain.
    let (answer, _) = refused(&mut ben, &ben_form, TEXT);
    for words in ["Nothing was saved", "Try again", "Only 1 of 3 machines can be reached."] {
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
    }
    assert_eq!(answer.header("retry-after"), Some("10"));
    for path in ["/", "/public", "/@ada"] {
        let page = wait_for_page_as(&mut ada, path, "1</bdi>’s copy of");
        assert!(page.contains("before"), "{path}: {page}");
        assert!(!page.contains("Frost tonight"), "{path}: {page}");
    }
    fleet.start_machine(1, &Start::default());
    saved_at_last(&mut ada, &form, TEXT);
    // The key is good for one post, however often it is sent.
    saved_at_last(&mut ada, &form, TEXT);
    fleet.start_machine(2, &Start::default());
    wait_until_well(&fleet);
    check_kept(&fleet, &[("ada".to_owned(), ["before", TEXT].map(str::to_owned).to_vec())]);
}

fn wait_for_page_as(person: &mut Person, path: &str, words: &str) -> String {
    eventually(words, WAIT, || {
        let answer = person.get(path);
        assert_eq!(answer.status, 200, "reading goes on: {}", answer.body);
        answer.body.contains(words).then_some(answer.body)
    })
}
