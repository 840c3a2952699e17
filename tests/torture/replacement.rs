//! Directories that are gone, or put back from an old copy: the machine must not start with them, and
//! say which command mends it. Then the command is typed, and while the load goes on and other things
//! break, the machine copies, the members change over, and it votes again.

use std::fs;
use std::time::Duration;

use tern::clock::{Clock, Mono};
use tern::store::NodeFile;

use super::dice::Dice;
use super::fault::{Heal, pick_many, then};
use super::fleet::{Fleet, MACHINES};
use crate::member::harness::copy;

/// Milliseconds between looks at whether the change has gone through.
const LOOK_MS: u64 = 300;
/// Milliseconds for a machine to be turned away, all others being well.
const TURNED_AWAY_MS: u64 = 60_000;
/// Milliseconds for the others to be in touch, so that a change can begin.
const TAKEN_ON_MS: u64 = 60_000;
/// How a program ends that cannot use its directory.
const UNUSABLE: &str = "exit status: 3";

/// An old copy of a machine's directory.
#[derive(Debug)]
pub(super) struct Backup {
    n: usize,
    node: NodeFile,
}

/// Wipes a machine's directory.
pub(super) fn wipe(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    let n = begin(fleet, dice)?;
    fleet.machine(n).kill();
    fs::remove_dir_all(fleet.disk(n).data()).unwrap();
    fleet.count("directories wiped");
    Some(replace(fleet, n))
}

/// Takes a copy of a machine's directory, or puts an earlier one back that the others must know.
pub(super) fn put_back(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    let Some(Backup { n, .. }) = fleet.backup else { return take_copy(fleet, dice) };
    if !is_outdated(fleet) {
        return None;
    }
    begin(fleet, dice)?;
    fleet.machine(n).kill();
    let (data, kept) = (fleet.disk(n).data(), fleet.backup_path());
    fs::remove_dir_all(&data).unwrap();
    copy(&kept, &data);
    fs::remove_dir_all(kept).unwrap();
    fleet.backup = None;
    fleet.count("old directories put back");
    Some(replace(fleet, n))
}

/// A machine, and nobody else may be hurt.
fn begin(fleet: &mut Fleet, dice: &mut Dice) -> Option<usize> {
    if fleet.is_changing() {
        return None;
    }
    let n = *pick_many(fleet, dice, MACHINES)?.first()?;
    // Who is turned away must be able to hear it, and the command to reach the others.
    fleet.mend_networks();
    Some(n)
}

fn take_copy(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    let n = fleet.pick(dice)?;
    fleet.machine(n).kill();
    let data = fleet.disk(n).data();
    if let Some(node) = fleet.node_file(n).filter(|node| node.opened) {
        copy(&data, &fleet.backup_path());
        fleet.backup = Some(Backup { n, node });
        fleet.count("directories copied");
    }
    Some(then(dice.between(50, 500), move |fleet, dice| {
        fleet.restart(n, dice);
        fleet.busy[n] = false;
        None
    }))
}

/// Whether both others have met the machine since, in a later life than the copy could begin.
fn is_outdated(fleet: &mut Fleet) -> bool {
    let Some(Backup { n, node }) = &fleet.backup else { return false };
    let (n, number, incarnation, boot) = (*n, node.node, node.incarnation, node.boot);
    let is_its = |node: &NodeFile| node.incarnation == incarnation;
    if !fleet.node_file(n).is_some_and(|node| is_its(&node)) {
        // It was replaced since.
        fs::remove_dir_all(fleet.backup_path()).unwrap();
        fleet.backup = None;
        return false;
    }
    (0..MACHINES).filter(|other| *other != n).all(|other| {
        let file = fleet.node_file(other);
        let members = file.map(|file| file.members).unwrap_or_default();
        let mut known = members.iter().filter(|one| one.node == number);
        known.any(|one| one.incarnation == Some(incarnation) && one.boot > boot + 1)
    })
}

/// The machine is turned away, and replaced by a new one of its number.
fn replace(fleet: &mut Fleet, n: usize) -> Heal {
    fleet.start_plainly(n);
    let (how, said) = ended(fleet, n);
    assert_eq!(how, UNUSABLE, "machine {} started: {said}", n + 1);
    let command = format!("tern cluster replace {}", n + 1);
    assert!(said.contains(&command), "machine {} does not say {command}: {said}", n + 1);
    fleet.count("machines turned away");
    if fleet.disk(n).data().exists() {
        fs::remove_dir_all(fleet.disk(n).data()).unwrap();
    }
    let clock = Clock::system();
    // The others may be starting, or not in touch again yet.
    while let Err(why) = fleet.type_replace(n) {
        assert!(clock.mono() < Mono(TAKEN_ON_MS), "{command}: {why}");
        std::thread::park_timeout(Duration::from_millis(200));
    }
    fleet.start_plainly(n);
    fleet.set_changing(n);
    fleet.free_all();
    then(LOOK_MS, look)
}

fn ended(fleet: &mut Fleet, n: usize) -> (String, String) {
    let clock = Clock::system();
    loop {
        if let Some(how) = fleet.machine(n).ended() {
            return (how, fleet.machine(n).log_end());
        }
        let said = || fleet.logs();
        assert!(clock.mono() < Mono(TURNED_AWAY_MS), "machine {} runs on: {}", n + 1, said());
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Looks whether all members are in the new list.
fn look(fleet: &mut Fleet, _: &mut Dice) -> Option<Heal> {
    if fleet.has_changed() {
        fleet.count("machines replaced");
        return None;
    }
    let what = "the members change".to_owned();
    Some(then(LOOK_MS, look).of(what))
}
