//! The promise itself, under the worst that one machine can do to its processes.

use std::time::Duration;

use rustix::process::Signal;
use tern::clock::Clock;

use super::files::{check_exactly_once, wait_for_agreement};
use super::harness::{Cluster, Options};
use super::load::under_load;

/// Seconds of it in an ordinary run of the tests; `TERN_TORTURE_SECONDS` says otherwise.
const SECONDS: u64 = 10;
const WRITERS: usize = 6;

/// A number below `bound`, from the system: another course of events at every run.
fn random(bound: u64) -> u64 {
    getrandom::u64().unwrap() % bound
}

#[test]
fn every_acknowledged_post_on_all_three_exactly_once() {
    let seconds =
        std::env::var("TERN_TORTURE_SECONDS").ok().map(|text| text.parse().expect("seconds"));
    let cluster = Cluster::start(Options::default());
    let clock = Clock::system();
    let mut kills = 0;
    let (acknowledged, ()) = under_load(&cluster, WRITERS, |load| {
        load.wait_for_more(WRITERS);
        let end = clock.mono().plus_ms(1_000 * seconds.unwrap_or(SECONDS));
        while clock.mono() < end {
            // One at a time mostly; now and then a second one while the first is down.
            let node = u16::try_from(1 + random(3)).unwrap();
            cluster.kill(node, Signal::KILL);
            kills += 1;
            std::thread::park_timeout(Duration::from_millis(200 + random(3_800)));
        }
        load.wait_for_more(WRITERS);
    });
    cluster.wait_in_step();
    wait_for_agreement(&cluster);
    let mut count = 0;
    for (name, texts) in &acknowledged {
        check_exactly_once(&cluster, name, texts);
        count += texts.len();
    }
    println!("{count} acknowledged posts on all machines exactly once after {kills} kills");
    assert!(count >= 2 * WRITERS);
}
