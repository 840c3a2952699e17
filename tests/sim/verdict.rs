//! The verdict on a run: whether all copies are equal, and whether they hold what clients were told.

use std::collections::BTreeMap;

use tern::id::UserName;
use tern::replica::version::Version;
use tern::store::line::Line;
use tern::store::scan::{self, End};
use tern::user::entry::Entry;

use crate::client::Deed;
use crate::event::{Verdict, What};
use crate::world::World;

/// In what the members in force differ, in words.
pub(crate) fn differences(world: &mut World) -> Vec<String> {
    let mut found = Vec::new();
    let mut first = None;
    for seat in &world.faults.open.seats.clone() {
        let Some(mut host) =
            world.machines.get_mut(&seat.node).and_then(|machine| machine.host(&mut world.cx))
        else {
            found.push(format!("{} is down", seat.node));
            continue;
        };
        if !host.disk.marks.is_empty() {
            found.push(format!("{} has marks {:?}", seat.node, host.disk.marks));
        }
        if host.floors().not_voting.is_some() {
            found.push(format!("{} has no vote", seat.node));
        }
        let held = host.states();
        for (user, state) in &held {
            let scan = scan::scan(host.disk.read(user), &mut |_| {});
            if scan.end != End::Whole || scan.chain.version != state.acc {
                found.push(format!("{} has a damaged file of {user}", seat.node));
            }
            if host.slot(user).shown() != state.acc {
                found.push(format!("{} does not show all of {user}", seat.node));
            }
        }
        let held: BTreeMap<UserName, _> =
            held.into_iter().map(|(user, state)| (user, (state.acc, state.hash))).collect();
        match &first {
            None => first = Some(held),
            Some(first) if *first == held => {}
            Some(first) => found.push(format!("{} holds {held:?} and not {first:?}", seat.node)),
        }
    }
    found
}

/// Everything that can be said once a run is over.
pub(crate) fn judge(world: &mut World) {
    let differences = differences(world);
    if !differences.is_empty() {
        return world.cx.oracle.breach(format!("all copies are equal in the end: {differences:?}"));
    }
    let silent =
        world.last_words().iter().find(|deed| world.clients.deeds[**deed].answered.is_none());
    if world.last_words().is_empty() || silent.is_some() {
        return world.cx.oracle.breach("a last write on each user comes through".to_owned());
    }
    let Some(seat) = world.faults.open.seats.first() else { return };
    let disk = &world.machines[&seat.node].disk;
    let mut found = Vec::new();
    for user in disk.names() {
        if world.cx.oracle.losses.contains(&user) {
            continue;
        }
        let mut lines = Vec::new();
        scan::scan(disk.read(&user), &mut |line| lines.push(line));
        let deeds: Vec<&Deed> =
            world.clients.deeds.iter().filter(|deed| deed.user == user).collect();
        found.extend(judge_user(&lines, &deeds).map(|what| format!("{user}: {what}")));
    }
    let absent = world.clients.deeds.iter().find(|deed| {
        let is_saved = matches!(&deed.answered, Some((_, Verdict::Saved { recorded: true, .. })));
        is_saved && disk.read(&deed.user).is_empty()
    });
    found.extend(
        absent.map(|deed| format!("{}: no file, and {:?} was saved", deed.user, deed.what)),
    );
    if let Some(what) = found.into_iter().next() {
        world.cx.oracle.breach(what);
    }
}

/// One user's file against what clients were told of it. The first thing wrong.
fn judge_user(lines: &[Line], deeds: &[&Deed]) -> Option<String> {
    let at: BTreeMap<Version, usize> =
        lines.iter().enumerate().map(|(at, line)| (line.version, at + 1)).collect();
    let joins = count(lines, |entry| matches!(entry, Entry::Joined { .. }));
    if joins > 1 {
        return Some(format!("one winner a name, not {joins}"));
    }
    // For each answer: from when to when it was sought, and as of which line it was given.
    let mut seen: Vec<(u64, u64, usize)> = Vec::new();
    for deed in deeds {
        let places = places(lines, deed);
        if places.len() > 1 {
            return Some(format!("done once: {:?} stands in lines {places:?}", deed.what));
        }
        let is_write = !matches!(deed.what, What::Read | What::View(_));
        match &deed.answered {
            None if is_write && !deed.is_open() && !places.is_empty() => {
                return Some(format!("{:?} is there, and nothing was saved", deed.what));
            }
            None => {}
            Some((until, verdict)) => {
                let version = match verdict {
                    Verdict::Saved { version, recorded: true, .. } if places.is_empty() => {
                        return Some(format!(
                            "{:?} was saved in {version}, and is gone",
                            deed.what
                        ));
                    }
                    Verdict::Saved { version, .. }
                    | Verdict::Refused { version, .. }
                    | Verdict::Seen { version, .. } => *version,
                    Verdict::Nothing | Verdict::Unknown => continue,
                };
                let line = if version.is_zero() { Some(0) } else { at.get(&version).copied() };
                let Some(line) = line else {
                    return Some(format!("{:?} was answered from {version}, gone", deed.what));
                };
                match deed.what {
                    What::View(token) if version < token => {
                        return Some(format!("a view of {version} after {token} was seen"));
                    }
                    What::View(_) => {}
                    _ => seen.push((deed.begun, *until, line)),
                }
            }
        }
    }
    order(&mut seen)
}

/// Answers that followed one another in time must not go back in the file.
fn order(seen: &mut [(u64, u64, usize)]) -> Option<String> {
    seen.sort_unstable();
    let mut by_end = seen.to_vec();
    by_end.sort_unstable_by_key(|(_, until, _)| *until);
    let (mut next, mut highest) = (0, 0);
    for (begun, _, line) in seen.iter() {
        while let Some((_, _, line)) = by_end.get(next).filter(|(_, until, _)| until < begun) {
            highest = highest.max(*line);
            next += 1;
        }
        if *line < highest {
            return Some(format!(
                "answers keep the order of time: line {line} at {begun} after line {highest}"
            ));
        }
    }
    None
}

fn count(lines: &[Line], is: impl Fn(&Entry) -> bool) -> usize {
    lines.iter().flat_map(|line| &line.entries).filter(|(entry, _)| is(entry)).count()
}

/// In which lines a deed was recorded.
fn places(lines: &[Line], deed: &Deed) -> Vec<usize> {
    let of = |(at, line): (usize, &Line)| {
        let count = line.requests.iter().filter(|request| request.id == deed.key.id).count();
        std::iter::repeat_n(at + 1, count)
    };
    lines.iter().enumerate().flat_map(of).collect()
}
