//! What can go wrong, one small function a kind: it begins, says when it is to end, and how.

use rustix::process::Signal;

use super::dice::Dice;
use super::fleet::{Fleet, MACHINES};
use super::proxy::{Mode, SPOILT};

/// What ends a fault.
type End = dyn FnOnce(&mut Fleet, &mut Dice);

/// How something that was begun ends.
pub(super) struct Heal {
    pub(super) after_ms: u64,
    pub(super) end: Box<End>,
}

/// A kind of fault.
pub(super) struct Fault {
    pub(super) name: &'static str,
    /// How often it is chosen beside the others.
    pub(super) weight: usize,
    /// Begins it, unless it cannot be now.
    begin: fn(&mut Fleet, &mut Dice) -> Option<Heal>,
}

/// All kinds.
const FAULTS: [Fault; 12] = [
    Fault {
        name: "network spoilt",
        weight: 12,
        begin: |fleet, dice| Some(spoil_network(fleet, dice)),
    },
    Fault { name: "machine cut off", weight: 3, begin: |fleet, dice| Some(cut_off(fleet, dice)) },
    Fault { name: "kill -9 of one", weight: 8, begin: |fleet, dice| kill(fleet, dice, 1) },
    Fault { name: "kill -9 of two", weight: 2, begin: |fleet, dice| kill(fleet, dice, 2) },
    Fault { name: "kill -9 of all", weight: 1, begin: |fleet, dice| kill(fleet, dice, MACHINES) },
    Fault { name: "stop", weight: 6, begin: stop },
    Fault {
        name: "web server killed",
        weight: 2,
        begin: |fleet, dice| Some(kill_web(fleet, dice)),
    },
    Fault { name: "power cut of one", weight: 3, begin: |fleet, dice| power(fleet, dice, 1) },
    Fault {
        name: "power cut of all",
        weight: 1,
        begin: |fleet, dice| power(fleet, dice, MACHINES),
    },
    Fault { name: "disk full", weight: 2, begin: fill_disk },
    Fault { name: "disk read-only", weight: 2, begin: read_only },
    Fault { name: "files damaged while down", weight: 2, begin: damage },
];

/// Kinds that need a machine to mend its files from the others', which it cannot yet.
const WAITING_FOR_REPAIR: [&str; 1] = ["files damaged while down"];

/// Begins something that can begin now, if there is anything.
pub(super) fn begin(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    let usable: Vec<_> =
        FAULTS.iter().filter(|fault| !WAITING_FOR_REPAIR.contains(&fault.name)).collect();
    let mut at = dice.below(usable.iter().map(|fault| fault.weight).sum());
    for fault in usable {
        if at < fault.weight {
            return (fault.begin)(fleet, dice);
        }
        at -= fault.weight;
    }
    None
}

fn heal(after_ms: u64, end: impl FnOnce(&mut Fleet, &mut Dice) + 'static) -> Heal {
    Heal { after_ms, end: Box::new(end) }
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
fn pick_many(fleet: &mut Fleet, dice: &mut Dice, count: usize) -> Option<Vec<usize>> {
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

fn fill_disk(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    if !fleet.disk(0).has_image() {
        return None;
    }
    let n = fleet.pick(dice)?;
    fleet.disk(n).fill().unwrap();
    fleet.count("disks full");
    Some(heal(dice.between(500, 3_000), move |fleet, _| {
        fleet.disk(n).free().unwrap();
        fleet.busy[n] = false;
    }))
}

/// Only while the machine keeps no file open for writing can its disk turn read-only by command.
fn read_only(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    if !fleet.disk(0).has_image() {
        return None;
    }
    let n = fleet.pick(dice)?;
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

fn damage(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    let n = fleet.pick(dice)?;
    fleet.machine(n).kill();
    let users = fleet.disk(n).data().join("users");
    let mut files: Vec<_> =
        std::fs::read_dir(users).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|path| path.extension().is_some_and(|is| is == "jsonl"));
    if !files.is_empty() {
        let path = &files[dice.below(files.len())];
        let mut bytes = std::fs::read(path).unwrap();
        let way = ["flipped", "cut short", "deleted"][dice.below(3)];
        if !bytes.is_empty() {
            let at = dice.below(bytes.len());
            match way {
                "flipped" => bytes[at] ^= 1 << dice.below(8),
                _ => bytes.truncate(at),
            }
        }
        match way {
            "deleted" => std::fs::remove_file(path).unwrap(),
            _ => std::fs::write(path, bytes).unwrap(),
        }
        fleet.count(&format!("files {way}"));
    }
    Some(start_again(vec![n], dice.between(50, 1_500)))
}
