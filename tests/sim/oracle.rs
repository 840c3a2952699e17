//! The one who sees everything: what every machine has on disk, promised and shown, and which
//! versions are committed by the definition, not by anybody's word. Each of its checks is one of the
//! invariants in `src/replica/PROTOCOL.md`, section 8; a breach ends the run.

use std::collections::{BTreeMap, BTreeSet};

use tern::id::{Hash128, UserName};
use tern::replica::barrier::{Roster, Seat};
use tern::replica::quorum::majority;
use tern::replica::version::{Term, Version};

/// A property that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach(pub(crate) String);

/// What is known of one user.
#[derive(Debug, Default)]
struct Register {
    /// Every version ever made: what it builds on, and its hash.
    made: BTreeMap<Version, (Version, Hash128)>,
    /// Who had a version on disk while voting under an epoch.
    votes: BTreeMap<(u32, Version), BTreeSet<Seat>>,
    /// Committed versions, and all they build on.
    committed: BTreeSet<Version>,
    /// The epoch in which the highest of them was committed.
    ///
    /// A version of an older epoch may be above it and not build on it: an old member that the change
    /// left out accepted it. `made` and `commit` let it be, since nobody who votes in this epoch or a
    /// later one can take it, which `held` sees to. SYNC: a term of an older epoch is below every
    /// promise made since (`Acceptor::promise`). LEARN: it was never committed, for this epoch opened
    /// when a majority of the old members had stopped voting, and what they had came along. INSTALL:
    /// it is copied from members in force, who all held the same when they opened, and not this. And
    /// whoever is added has a new directory, with nothing in it.
    epoch: u32,
}

/// Sees everything.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    registers: BTreeMap<UserName, Register>,
    rosters: BTreeMap<(u32, Hash128), Roster>,
    promised: BTreeMap<(Seat, UserName), Term>,
    shown: BTreeMap<(u64, UserName), Version>,
    /// The first breach.
    pub(crate) breach: Option<Breach>,
    /// Users of whom something may be lost, by a repair's own word.
    pub(crate) losses: BTreeSet<UserName>,
}

impl Register {
    /// Whether `later` is `earlier` or builds on it.
    fn builds_on(&self, later: Version, earlier: Version) -> bool {
        let mut at = later;
        while at > earlier {
            let Some((base, _)) = self.made.get(&at) else { return false };
            at = *base;
        }
        at == earlier
    }

    fn highest(&self) -> Version {
        self.committed.last().copied().unwrap_or_default()
    }
}

impl Oracle {
    pub(crate) fn breach(&mut self, what: String) {
        self.breach.get_or_insert(Breach(what));
    }

    pub(crate) fn roster(&mut self, roster: &Roster) {
        self.rosters.entry((roster.epoch, roster.digest)).or_insert_with(|| roster.clone());
    }

    /// A coordinator has made a version.
    pub(crate) fn made(
        &mut self,
        user: &UserName,
        version: Version,
        (base, hash): (Version, Hash128),
    ) {
        let register = self.registers.entry(user.clone()).or_default();
        let known = *register.made.entry(version).or_insert((base, hash));
        let highest = register.highest();
        let strays = version > highest
            && version.term.epoch >= register.epoch
            && !register.builds_on(version, highest);
        if known != (base, hash) {
            self.breach(format!("one value a version: {user} {version} is made twice"));
        } else if strays {
            self.breach(format!(
                "what is above a committed version builds on it: {user} {version} on {base} does \
                 not build on {highest}"
            ));
        }
    }

    /// A machine with a vote under `roster` has a version on disk.
    pub(crate) fn held(
        &mut self,
        seat: Seat,
        roster: &Roster,
        user: &UserName,
        (version, hash): (Version, Hash128),
    ) {
        if version.is_zero() {
            return;
        }
        let register = self.registers.entry(user.clone()).or_default();
        if let Some((_, made)) = register.made.get(&version)
            && *made != hash
        {
            return self.breach(format!("one value a version: {user} {version} has two hashes"));
        }
        let highest = register.highest();
        let strays = version > highest
            && roster.epoch >= register.epoch
            && !register.builds_on(version, highest);
        if strays {
            return self.breach(format!(
                "what is voted for above a committed version builds on it: {user} {version} does not \
                 build on {highest}"
            ));
        }
        let votes = register.votes.entry((roster.epoch, version)).or_default();
        votes.insert(seat);
        let count = roster.seats.iter().filter(|seat| votes.contains(seat)).count();
        if count >= majority(roster.seats.len()) {
            self.commit(user, version, roster.epoch);
        }
    }

    fn commit(&mut self, user: &UserName, version: Version, epoch: u32) {
        let register = self.registers.entry(user.clone()).or_default();
        if register.committed.contains(&version) {
            return;
        }
        let highest = register.highest();
        if version > highest && !register.builds_on(version, highest) {
            return self.breach(format!("committed twice: {user} {version} beside {highest}"));
        }
        if version < highest {
            return self.breach(format!("committed late: {user} {version} beside {highest}"));
        }
        let above = register.made.range(version..).map(|(above, _)| *above);
        let mut above = above.filter(|above| above.term.epoch >= epoch);
        let stray = above.find(|&above| !register.builds_on(above, version));
        register.epoch = register.epoch.max(epoch);
        let mut at = version;
        while !at.is_zero() && register.committed.insert(at) {
            let Some((base, _)) = register.made.get(&at) else { break };
            at = *base;
        }
        if let Some(stray) = stray {
            self.breach(format!(
                "what is above a committed version builds on it: {user} {stray} does not build on \
                 {version}"
            ));
        }
    }

    /// A machine promises a term, by a grant or by accepting.
    pub(crate) fn promised(&mut self, seat: Seat, user: &UserName, term: Term) {
        let promise = self.promised.entry((seat, user.clone())).or_default();
        if term < *promise {
            let text = format!("a promise never falls: {user} at {seat:?} {term} under {promise}");
            return self.breach(text);
        }
        *promise = term;
    }

    /// A machine, in one life of its process, shows everything up to a version.
    pub(crate) fn shows(&mut self, life: u64, user: &UserName, version: Version) {
        if !self.is_committed(user, version) {
            return self.breach(format!("shown and not committed: {user} {version}"));
        }
        let shown = self.shown.entry((life, user.clone())).or_default();
        if version < *shown {
            let text = format!("what was shown stays: {user} {version} after {shown}");
            return self.breach(text);
        }
        *shown = version;
    }

    /// Somebody is told something that rests on a version.
    pub(crate) fn told(&mut self, user: &UserName, version: Version, what: &str) {
        if !self.is_committed(user, version) {
            self.breach(format!("told and not committed: {user} {version} to {what}"));
        }
    }

    /// A read that began when `then` was the highest committed version has found `version`.
    pub(crate) fn read(&mut self, user: &UserName, (then, version): (Version, Version)) {
        if !self.is_committed(user, version) {
            self.breach(format!("read and not committed: {user} {version}"));
        } else if version < then {
            self.breach(format!("a read is fresh: {user} {version} after {then} was committed"));
        }
    }

    pub(crate) fn is_committed(&self, user: &UserName, version: Version) -> bool {
        version.is_zero()
            || self.registers.get(user).is_some_and(|of| of.committed.contains(&version))
    }

    /// The highest committed version.
    pub(crate) fn highest(&self, user: &UserName) -> Version {
        self.registers.get(user).map(Register::highest).unwrap_or_default()
    }

    /// How many versions are committed.
    pub(crate) fn commits(&self) -> usize {
        self.registers.values().map(|of| of.committed.len()).sum()
    }
}
