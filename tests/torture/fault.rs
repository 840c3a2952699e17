//! What can go wrong, one small function a kind: it begins, says when it is to end, and how.

use rustix::process::Signal;

use super::damage;
use super::dice::Dice;
use super::fleet::{Fleet, MACHINES};
use super::proxy::{Mode, SPOILT};
use super::replacement;

/// What ends a fault, or leads to its next step.
type End = dyn FnOnce(&mut Fleet, &mut Dice) -> Option<Heal>;

/// How something that was begun ends.
pub(super) struct Heal {
    pub(super) after_ms: u64,
    pub(super) end: Box<End>,
    /// What is waited for, where that may take long.
    pub(super) what: String,
}

impl Heal {
    /// Says what is waited for.
    pub(super) fn of(self, what: String) -> Self {
        Self { what, ..self }
    }
}

/// A kind of fault.
struct Fault {
    /// How often it is chosen beside the others.
    weight: usize,
    /// Whether the program before withstands it too.
    is_old: bool,
    /// Begins it, unless it cannot be now.
    begin: fn(&mut Fleet, &mut Dice) -> Option<Heal>,
}

/// All kinds.
const FAULTS: [Fault; 14] = [
    Fault { weight: 12, is_old: true, begin: |fleet, dice| Some(spoil_network(fleet, dice)) },
    Fault { weight: 3, is_old: true, begin: |fleet, dice| Some(cut_off(fleet, dice)) },
    Fault { weight: 8, is_old: true, begin: |fleet, dice| kill(fleet, dice, 1) },
    Fault { weight: 2, is_old: true, begin: |fleet, dice| kill(fleet, dice, 2) },
    Fault { weight: 1, is_old: true, begin: |fleet, dice| kill(fleet, dice, MACHINES) },
    Fault { weight: 6, is_old: true, begin: stop },
    Fault { weight: 2, is_old: true, begin: |fleet, dice| Some(kill_web(fleet, dice)) },
    Fault { weight: 3, is_old: false, begin: |fleet, dice| power(fleet, dice, 1) },
    Fault { weight: 1, is_old: false, begin: |fleet, dice| power(fleet, dice, MACHINES) },
    Fault { weight: 2, is_old: false, begin: fill_disk },
    Fault { weight: 2, is_old: false, begin: read_only },
    Fault { weight: 6, is_old: false, begin: damage::begin },
    Fault { weight: 2, is_old: false, begin: replacement::wipe },
    Fault { weight: 3, is_old: false, begin: replacement::put_back },
];

/// Begins something that can begin now, if there is anything.
pub(super) fn begin(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    let is_mixed = fleet.is_mixed();
    let known = || FAULTS.iter().filter(|fault| fault.is_old || !is_mixed);
    let mut at = dice.below(known().map(|fault| fault.weight).sum());
    for fault in known() {
        if at < fault.weight {
            return (fault.begin)(fleet, dice);
        }
        at -= fault.weight;
    }
    None
}

fn heal(after_ms: u64, end: impl FnOnce(&mut Fleet, &mut Dice) + 'static) -> Heal {
    then(after_ms, move |fleet, dice| {
        end(fleet, dice);
        None
    })
}

/// A fault that goes on with another step.
pub(super) fn then(
    after_ms: u64,
    next: impl FnOnce(&mut Fleet, &mut Dice) -> Option<Heal> + 'static,
) -> Heal {
    Heal { after_ms, end: Box::new(next), what: String::new() }
}

fn spoil_network(fleet: &mut Fleet, dice: &mut Dice) -> Heal {
    let at = dice.below(fleet.networks());
    let (name, mode) = SPOILT[dice.below(SPOILT.len())];
    fleet.count(&format!("network: {name}"));
    fleet.set_network(at, mode);
    heal(dice.between(100, 3_000), move |fleet, _| fleet.set_network(at, Mode::Pass))
}

fn cut_off(fleet: &mut Fleet, dice: &mut Dice) -> Heal {
    let n = dice.below(MACHINES);
    fleet.count("network: machine cut off");
    fleet.set_island(n, Mode::Cut);
    heal(dice.between(300, 3_000), move |fleet, _| fleet.set_island(n, Mode::Pass))
}

/// So many machines at once, if nothing else is being done to so many.
pub(super) fn pick_many(fleet: &mut Fleet, dice: &mut Dice, count: usize) -> Option<Vec<usize>> {
    if fleet.busy.iter().filter(|busy| !**busy).count() < count {
        return None;
    }
    (0..count).map(|_| fleet.pick(dice)).collect()
}

fn start_again(chosen: Vec<usize>, after_ms: u64) -> Heal {
    heal(after_ms, move |fleet, dice| {
        for n in chosen {
            fleet.restart(n, dice);
            fleet.busy[n] = false;
        }
    })
}

fn kill(fleet: &mut Fleet, dice: &mut Dice, count: usize) -> Option<Heal> {
    let chosen = pick_many(fleet, dice, count)?;
    // All of them before any is waited for.
    for n in &chosen {
        fleet.machine(*n).signal(Signal::KILL);
    }
    for n in &chosen {
        fleet.machine(*n).kill();
        fleet.count("kills");
    }
    Some(start_again(chosen, dice.between(50, 2_500)))
}

fn stop(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    let n = fleet.pick(dice)?;
    fleet.machine(n).signal(Signal::STOP);
    fleet.count("stops");
    // Always longer than a lease.
    Some(heal(dice.between(600, 3_000), move |fleet, _| {
        fleet.machine(n).signal(Signal::CONT);
        fleet.busy[n] = false;
    }))
}

fn kill_web(fleet: &mut Fleet, dice: &mut Dice) -> Heal {
    fleet.count("web server kills");
    fleet.kill_web();
    // At once again: only what was under way is to be lost.
    fleet.start_web();
    heal(dice.between(200, 1_000), |_, _| {})
}

fn power(fleet: &mut Fleet, dice: &mut Dice, count: usize) -> Option<Heal> {
    if !fleet.disk(0).has_image() {
        return None;
    }
    let chosen = pick_many(fleet, dice, count)?;
    for n in &chosen {
        fleet.machine(*n).signal(Signal::KILL);
    }
    for n in &chosen {
        fleet.machine(*n).kill();
        fleet.disk(*n).cut_power().unwrap();
        fleet.count("power cuts");
    }
    Some(start_again(chosen, dice.between(50, 1_500)))
}

/// A machine whose disk may take nothing more: one that is starting would end, as it should.
fn pick_disk(fleet: &mut Fleet, dice: &mut Dice) -> Option<usize> {
    if !fleet.disk(0).has_image() {
        return None;
    }
    let n = fleet.pick(dice)?;
    if !fleet.machine(n).is_serving() {
        fleet.busy[n] = false;
        return None;
    }
    Some(n)
}

fn fill_disk(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    let n = pick_disk(fleet, dice)?;
    fleet.disk(n).fill().unwrap();
    fleet.count("disks full");
    Some(heal(dice.between(500, 3_000), move |fleet, _| {
        fleet.disk(n).free().unwrap();
        fleet.busy[n] = false;
    }))
}

/// Only while the machine keeps no file open for writing can its disk turn read-only by command.
fn read_only(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    let n = pick_disk(fleet, dice)?;
    if fleet.disk(n).remount("ro").is_err() {
        fleet.busy[n] = false;
        fleet.count("disks too busy to turn read-only");
        return None;
    }
    fleet.count("disks read-only");
    Some(heal(dice.between(500, 3_000), move |fleet, _| {
        fleet.disk(n).remount("rw").unwrap();
        fleet.busy[n] = false;
    }))
}
