//! The lock protocol's own code on simulated machines: one thread, virtual time, and everything that
//! happens drawn from one seed, so that a run that fails can be run again, event for event.
#![cfg(test)]

mod act;
mod body;
mod change;
mod client;
mod disk;
mod event;
mod fault;
mod machine;
mod net;
mod oracle;
mod plan;
mod random;
mod read;
mod slot;
mod verdict;
mod world;

use world::{Options, Outcome, run};

/// Seeds of a normal test run.
const SEEDS: u64 = 200;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: {text}")))
}

fn options() -> Options {
    let without = std::env::var("TERN_SIM_WITHOUT").unwrap_or_default();
    Options {
        is_printed: false,
        machines: number("TERN_SIM_MACHINES").map(|count| u16::try_from(count).unwrap()),
        clients: number("TERN_SIM_CLIENTS").map(|count| usize::try_from(count).unwrap()),
        without: without.split(',').map(str::to_owned).collect(),
    }
}

fn assert_sound(outcome: &Outcome) {
    if let Some(breach) = &outcome.breach {
        panic!(
            "{}\nseed {}: {breach}\nagain: make sim SEED={}",
            outcome.tail, outcome.seed, outcome.seed
        );
    }
}

#[test]
fn sim_seeds_all_promises_kept() {
    if let Some(seed) = number("TERN_SIM_SEED") {
        let outcome = run(seed, &Options { is_printed: true, ..options() });
        println!("{:?}", outcome.totals);
        return assert_sound(&outcome);
    }
    let mut totals = event::Totals::default();
    for seed in 1..=number("TERN_SIM_SEEDS").unwrap_or(SEEDS) {
        let outcome = run(seed, &options());
        assert_sound(&outcome);
        for (what, count) in &outcome.totals.0 {
            totals.add(what, *count);
        }
    }
    println!("{totals:?}");
}
