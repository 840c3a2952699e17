//! Machines that die at a chosen step of a change.

use std::time::Duration;

use serde_json::Value;

use super::harness::{Machines, eventually};

/// How far a machine is, by what is on its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Adopted,
    Ready,
    Open,
}

pub(super) fn node_file(all: &Machines, number: u16) -> Option<Value> {
    let bytes = std::fs::read(all.data(number).join("node.json")).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

fn step(all: &Machines, number: u16, epoch: u64) -> Option<Step> {
    let file = node_file(all, number)?;
    if file["epoch"] != epoch || file["learning"] == true {
        return None;
    }
    Some(match (file["opened"] == true, file["ready"] == true) {
        (true, _) => Step::Open,
        (false, true) => Step::Ready,
        (false, false) => Step::Adopted,
    })
}

/// Waits until a machine has come to a step, and returns while it is hardly further.
pub(super) fn wait_for_step(all: &Machines, watched: u16, at: Step, epoch: u64) {
    eventually(&format!("{watched} to come to {at:?} of list {epoch}"), || {
        // A step lasts for milliseconds: look often, in one turn of the slower asking.
        (0..100).find_map(|_| {
            std::thread::sleep(Duration::from_micros(100));
            step(all, watched, epoch).filter(|step| *step >= at)
        })
    });
}

/// Kills a machine as soon as `watched` has come to a step, and starts it again.
fn die_when(all: &mut Machines, victim: u16, (watched, at): (u16, Step), epoch: u64) {
    wait_for_step(all, watched, at, epoch);
    all.kill(victim);
    all.spawn(victim);
}

#[test]
fn machine_killed_at_each_step_of_a_change_carries_it_through() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    let mut posts = Vec::new();
    let mut epoch = 1;
    // What a machine has copied is on no disk of its own: then another is ready already.
    let moments = [(0, Step::Adopted), (1, Step::Ready), (0, Step::Ready), (1, Step::Open)];
    for (next, at) in moments {
        for victim in 1..=3 {
            posts.push(format!("{victim} dies at {at:?} of {next}"));
            all.post(1, &ada, posts.last().unwrap());
            all.kill(3);
            std::fs::remove_dir_all(all.data(3)).unwrap();
            all.change(&["replace", "3"], 3).done();
            all.spawn(3);
            epoch += 1;
            let watched = (victim - 1 + next) % 3 + 1;
            die_when(&mut all, victim, (watched, at), epoch);
            (1..=3).for_each(|number| all.wait_until_open(number, &[1, 2, 3]));
        }
    }
    (1..=3).for_each(|number| all.wait_until_shown(number, &posts));
    assert!((1..=3).all(|number| step(&all, number, epoch) == Some(Step::Open)));
}
