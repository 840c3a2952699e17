//! Files that go bad while their machine is down. What no machine can see (bytes cut off a file's end, a
//! file that is gone) is only done when both others hold all of it: such a loss is one of those that
//! a majority bears, and nobody else is hurt until the machine is in step again.

use std::fs;

use super::dice::Dice;
use super::fault::{Heal, pick_many, then};
use super::fleet::{Fleet, MACHINES};
use super::witness::{Held, Home, read, read_one};

/// Milliseconds between looks at whether something has come.
pub(super) const LOOK_MS: u64 = 200;
/// How often it is looked whether the others hold all of a file: then it is let be.
const LOOKS_FOR_OTHERS: u32 = 20;
/// How often it is looked whether the machine is in step again.
const LOOKS_FOR_STEP: u32 = 450;

/// How a file goes bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Flipped,
    CutShort,
    Deleted,
}

/// A user's file on a machine that is down, and what is to become of it.
struct Wound {
    n: usize,
    user: String,
    whole: Held,
    way: Way,
    /// The byte that it happens to.
    at: usize,
    bit: u8,
    /// Whether it may pass for a file that was never longer.
    is_silent: bool,
}

/// Takes a machine down and spoils one of its files.
pub(super) fn begin(fleet: &mut Fleet, dice: &mut Dice) -> Option<Heal> {
    if fleet.is_changing() {
        return None;
    }
    let n = *pick_many(fleet, dice, MACHINES)?.first()?;
    fleet.machine(n).kill();
    let home = home(fleet, n);
    let Some(wound) = choose(fleet, dice, n, &home) else {
        return Some(bind_up(n));
    };
    Some(then(LOOK_MS, move |fleet, _| Some(wait_for_others(fleet, wound, LOOKS_FOR_OTHERS))))
}

/// What a machine that is down holds.
fn home(fleet: &mut Fleet, n: usize) -> Home {
    let data = fleet.disk(n).data();
    read(&data).unwrap_or_else(|error| panic!("machine {}: {error}", n + 1))
}

fn choose(fleet: &mut Fleet, dice: &mut Dice, n: usize, home: &Home) -> Option<Wound> {
    let users: Vec<_> = home.keys().filter(|user| !fleet.is_marked(n, user)).collect();
    let user = (*users.get(dice.below(users.len().max(1)))?).clone();
    let bytes = fs::read(fleet.file(n, &user)).unwrap();
    if bytes.is_empty() {
        return None;
    }
    let way = [Way::Flipped, Way::Flipped, Way::CutShort, Way::Deleted][dice.below(4)];
    let (at, bit) = (dice.below(bytes.len()), 1 << dice.below(8));
    // In the last line a flip may look like a block that was never written.
    let last = bytes.iter().rev().skip(1).position(|byte| *byte == b'\n');
    let last = last.map_or(0, |from_end| bytes.len() - 1 - from_end);
    let is_silent = way != Way::Flipped || at >= last;
    let whole = home[&user].clone();
    Some(Wound { n, user, whole, way, at, bit, is_silent })
}

fn wait_for_others(fleet: &mut Fleet, wound: Wound, looks: u32) -> Heal {
    let covers = |fleet: &mut Fleet, n: usize| {
        let held = held(fleet, n, &wound.user)?;
        (held.covers(&wound.whole) && !fleet.is_marked(n, &wound.user)).then_some(())
    };
    let others = (0..MACHINES).filter(|other| *other != wound.n);
    let is_safe = !wound.is_silent || others.map(|n| covers(fleet, n)).all(|held| held.is_some());
    if is_safe {
        spoil(fleet, &wound);
        fleet.start_plainly(wound.n);
        return then(LOOK_MS, move |fleet, _| wait_for_step(fleet, wound, LOOKS_FOR_STEP));
    }
    if looks == 0 {
        fleet.count("files let be: the others lacked some of it");
        return bind_up(wound.n);
    }
    then(LOOK_MS, move |fleet, _| Some(wait_for_others(fleet, wound, looks - 1)))
}

fn spoil(fleet: &mut Fleet, wound: &Wound) {
    let path = fleet.file(wound.n, &wound.user);
    let mut bytes = fs::read(&path).unwrap();
    match wound.way {
        Way::Flipped => bytes[wound.at] ^= wound.bit,
        Way::CutShort => bytes.truncate(wound.at),
        Way::Deleted => fs::remove_file(&path).unwrap(),
    }
    if wound.way != Way::Deleted {
        fs::write(&path, bytes).unwrap();
    }
    let what = match wound.way {
        Way::Flipped => "files with a bit flipped",
        Way::CutShort => "files cut short",
        Way::Deleted => "files deleted",
    };
    fleet.count(what);
}

/// Waits until the machine holds at least what it held, and votes on it.
fn wait_for_step(fleet: &mut Fleet, wound: Wound, looks: u32) -> Option<Heal> {
    let Wound { n, user, whole, .. } = &wound;
    let held = held(fleet, *n, user);
    let is_back = held.as_ref().is_some_and(|held| held.version >= whole.version);
    if is_back && !fleet.is_marked(*n, user) {
        fleet.free_all();
        fleet.count("files whole again");
        return None;
    }
    assert!(looks > 0, "machine {} did not get back its file of {user}", n + 1);
    if looks == LOOKS_FOR_STEP / 2 {
        fleet.mend_networks();
    }
    let what = format!(
        "machine {} had its file of {user} {:?} at {} of version {}, has {:?}, marked: {}",
        n + 1,
        wound.way,
        wound.at,
        whole.version,
        held.map(|held| held.version),
        fleet.is_marked(*n, user),
    );
    Some(then(LOOK_MS, move |fleet, _| wait_for_step(fleet, wound, looks - 1)).of(what))
}

/// What a machine holds of a user, as far as that can be read.
fn held(fleet: &Fleet, n: usize, user: &str) -> Option<Held> {
    read_one(&fleet.file(n, user), user).ok().flatten()
}

/// Starts a machine that nothing was done to.
fn bind_up(n: usize) -> Heal {
    then(0, move |fleet, _| {
        fleet.start_plainly(n);
        fleet.free_all();
        None
    })
}
