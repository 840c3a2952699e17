//! The promise itself, under the worst that we can do to the real processes, their disks, clocks and
//! networks: nothing that was acknowledged is lost, nothing happens twice, nothing shown vanishes.
//!
//! ```text
//! clients ─────────────┐                      faults: one thread that spoils and mends
//! browsers ─ tern web ─┴─ proxies ─ tern backend x3 ─ proxies between each two
//!                                      │
//!                                  a disk image each
//! ```
//!
//! `TERN_TORTURE_SECONDS` says how long, `TERN_TORTURE_SEED` repeats the choices of an earlier run. The
//! first part of it is a rolling upgrade, with machines going to and fro between the program before (see
//! `crate::upgrade`) and the present one. The former shows an old copy without a word where it reaches no
//! majority; that is not held against the present one. What needs root or a package that is missing is
//! left out, with a line that says so.

mod browsing;
mod check;
#[cfg(test)]
mod check_tests;
mod client;
mod damage;
mod dice;
pub(crate) mod disk;
mod fault;
pub(crate) mod fleet;
mod history;
pub(crate) mod machine;
pub(crate) mod proxy;
mod replacement;
mod witness;

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tern::clock::{Clock, Mono};
use tern::thread::{Stop, spawn_named};

use browsing::Browsing;
use client::{Client, IDOLS, Shared};
use dice::Dice;
use fault::Heal;
use fleet::{Fleet, MACHINES};
use history::{History, Ticks};

use crate::upgrade::old_program;

/// Seconds of it in an ordinary run of the tests.
const SECONDS: u64 = 60;
/// The part of them, one in so many, in which old and new programs are mixed.
const MIXED: u64 = 4;
/// Accounts that many clients use at once, and how many.
const HOT: [(&str, usize); 3] = [("hot_ada", 4), ("hot_ben", 3), ("hot_cleo", 2)];
/// Accounts of one client each.
const QUIET: [&str; 5] = ["dan", "eve", "finn", "gus", "hal"];
/// People at browsers.
const BROWSERS: [&str; 3] = ["web_ivy", "web_jon", "web_kim"];
/// Milliseconds from one fault to the next, at most.
const BETWEEN_MS: u64 = 900;
/// Milliseconds for what takes several steps to be mended, once nothing more is broken.
const MENDING_MS: u64 = 120_000;
/// How long joining may take while nothing is broken.
const JOIN_MS: u64 = 60_000;
/// Violations that are printed.
const SHOWN_MAX: usize = 10;

#[test]
fn nothing_acknowledged_is_lost_whatever_breaks() {
    let seconds = from_environment("TERN_TORTURE_SECONDS").unwrap_or(SECONDS);
    let seed = from_environment("TERN_TORTURE_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    println!("torture for {seconds} s; again with TERN_TORTURE_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut fleet = old_program().map_or_else(Fleet::start_beside, Fleet::start_old);
    let keys = fleet.keys.clone();
    let shared = Shared {
        doors: fleet.door_addresses(),
        site: fleet.site(),
        keys: &keys,
        ticks: Ticks::default(),
        stop: Stop::new(),
        runs_old: Arc::clone(&fleet.runs_old),
    };
    let mut history = join_all(&shared, &mut dice);
    std::thread::scope(|scope| {
        let closing = Closing(&shared.stop);
        let mut threads = Vec::new();
        let quiet = QUIET.map(|name| (name, 1));
        for (name, count) in HOT.into_iter().chain(quiet) {
            for number in 0..count {
                let client = Client::new(&shared, name, number, dice.fork());
                threads.push(spawn_named(scope, "client", |_permit| client.run()).unwrap());
            }
        }
        for name in BROWSERS {
            let browsing = Browsing::new(&shared, name, dice.fork());
            threads.push(spawn_named(scope, "browser", |_permit| browsing.run()).unwrap());
        }
        let mixed = if fleet.is_mixed() { seconds / MIXED } else { 0 };
        if fleet.is_mixed() {
            break_things(&mut fleet, &mut dice, mixed);
            fleet.finish_upgrade();
        }
        break_things(&mut fleet, &mut dice, seconds - mixed);
        drop(closing);
        for thread in threads {
            history.extend(thread.join().unwrap());
        }
    });
    let files = fleet.agreed();
    let violations = check::violations(&history, &files);
    report(seed, &fleet, &history, &violations);
    assert!(violations.is_empty(), "seed {seed}: what was promised did not hold (see above)");
    let (saved, _, _) = history.counts();
    assert!(saved > HOT.len() + QUIET.len(), "hardly anything was done: {saved}");
}

fn from_environment<T: FromStr<Err: Display>>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

/// Makes all accounts while nothing is broken.
fn join_all(shared: &Shared<'_>, dice: &mut Dice) -> History {
    let clock = Clock::system();
    let mut history = History::default();
    for name in HOT.map(|hot| hot.0).into_iter().chain(QUIET).chain(IDOLS) {
        let mut client = Client::new(shared, name, 0, dice.fork());
        while !client.join(name) {
            assert!(clock.mono() < Mono(JOIN_MS), "{name} cannot join: {:?}", client.history);
            shared.stop.wait(Duration::from_millis(50));
        }
        history.extend(client.history);
    }
    history
}

/// Spoils and mends until the time is over, then mends everything.
fn break_things(fleet: &mut Fleet, dice: &mut Dice, seconds: u64) {
    let clock = Clock::system();
    let end = Mono(0).plus_ms(1_000 * seconds);
    let mut open: Vec<(Mono, Heal)> = Vec::new();
    let mut next = Mono(0);
    while clock.mono() < end {
        let now = clock.mono();
        heal_due(&mut open, now, fleet, dice);
        if now >= next {
            if let Some(heal) = fault::begin(fleet, dice) {
                open.push((clock.mono().plus_ms(heal.after_ms), heal));
            }
            next = clock.mono().plus_ms(dice.between(50, BETWEEN_MS));
        }
        if let Some((n, how)) = fleet.ended() {
            panic!("machine {} ended by itself: {how}", n + 1);
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    // What takes several steps is gone through to its end.
    let late = clock.mono().plus_ms(MENDING_MS);
    while !open.is_empty() {
        let waited_for = || open.iter().map(|(_, heal)| heal.what.as_str()).collect::<Vec<_>>();
        assert!(clock.mono() < late, "what was broken is not mended: {:?}", waited_for());
        heal_due(&mut open, late, fleet, dice);
        // Who waits counts its looks: so many are to be as much time as before.
        std::thread::park_timeout(Duration::from_millis(damage::LOOK_MS));
    }
    fleet.start_all();
    assert_eq!(fleet.busy, [false; MACHINES], "something was not mended");
}

/// Ends or carries on with what is due.
fn heal_due(open: &mut Vec<(Mono, Heal)>, now: Mono, fleet: &mut Fleet, dice: &mut Dice) {
    let (due, later): (Vec<_>, Vec<_>) =
        std::mem::take(open).into_iter().partition(|(at, _)| *at <= now);
    *open = later;
    for (_, heal) in due {
        if let Some(next) = (heal.end)(fleet, dice) {
            open.push((Clock::system().mono().plus_ms(next.after_ms), next));
        }
    }
}

fn report(seed: u64, fleet: &Fleet, history: &History, violations: &[String]) {
    let (saved, refused, lost) = history.counts();
    let count = |word: &str| violations.iter().filter(|text| text.starts_with(word)).count();
    println!("seed {seed}");
    println!("operations {}", history.ops.len());
    println!("acknowledged {saved}");
    println!("unknown {lost}");
    println!("refused {} {refused:?}", refused.values().sum::<usize>());
    println!("reads {}", history.reads.len());
    for (what, times) in &fleet.counts {
        println!("{what} {times}");
    }
    println!("files compacted {}", fleet.said("msg=compacted user="));
    println!("lost {}", count("lost"));
    println!("doubled {}", count("doubled"));
    println!("reads behind their session {}", count(check::BEHIND));
    println!("violations {}", violations.len());
    for violation in violations.iter().take(SHOWN_MAX) {
        println!("FOUND {violation}");
    }
}

struct Closing<'a>(&'a Stop);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
