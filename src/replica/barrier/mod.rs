//! Changing the members: a barrier between two configurations, so that no vote is ever counted
//! together with one of another configuration, and nothing committed under the old one is missed.
//!
//! It is one decision for the whole machine, not one for each user. Pure: the shell makes each
//! [`Place`] durable before it tells of it, exchanges [`Standing`]s with the pings, copies files when
//! told to, and asks again.
//!
//! ```text
//!              adopt                    all that the old one               a majority of the old
//!   Open e ───────────► Adopted e+1 ──── committed is copied, ──► Ready ── and all of the new ──► Open e+1
//!   votes               votes nowhere     all sums equal                   are ready              votes
//! ```
//!
//! Why it is safe. (1) A machine that holds the next epoch votes in the old one no more; once a
//! majority of the old members hold it, nothing more can be committed there, and what was committed
//! stands on one of them: taking each user's highest version among them misses nothing. (2) Two
//! changes that follow the same configuration cannot both open: each needs a majority of the old
//! members ready for it, a majority has a member in common with any other, and whoever was ready for
//! one does not count for the other (`is_clean`). (3) Ready is durable, and all new members said that
//! they hold the same before any was: whoever opens late, or starts anew, has missed nothing.

use serde::{Deserialize, Serialize};

use crate::id::{Hash128, NodeId};

use super::NotVoting;
use super::mistake::{Mistake, is_made};
use super::quorum::majority;

/// One machine in one life of its data directory. A number alone names a place in the cluster; a
/// machine set up anew in it is another seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// Its number.
    pub node: NodeId,
    /// Which life of its data directory.
    pub incarnation: Hash128,
}

/// A configuration of members.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Roster {
    /// Its number; higher is later. Two that never opened may share one.
    pub epoch: u32,
    /// Names all of it, addresses included: equal digests mean the same configuration.
    pub digest: Hash128,
    /// The members, sorted.
    pub seats: Vec<Seat>,
}

/// How far a machine is with the configuration that it holds. Durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It holds it, and votes nowhere.
    Adopted,
    /// It has seen that all new members hold the same.
    Ready,
    /// It votes.
    Open,
}

/// Where a machine stands between configurations. Durable, and only ever replaced by what
/// [`Place::adopt`], [`Place::made_ready`] and [`Place::opened`] make of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The configuration that it holds.
    pub current: Roster,
    /// How far it is with that one.
    pub phase: Phase,
    /// The last configuration that opened before it; none before the first.
    pub before: Option<Roster>,
    /// The members for whom it was last ready, in a configuration that follows `before`: that one may
    /// have opened elsewhere.
    pub ready_for: Option<Vec<Seat>>,
}

/// What a machine tells of itself; `place` in few words, and what it has copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// Its configuration's number.
    pub epoch: u32,
    /// Its configuration's digest.
    pub digest: Hash128,
    /// How far it is.
    pub phase: Phase,
    /// Whether it counts for this configuration: [`Place::is_clean`].
    pub is_clean: bool,
    /// Whether it has copied what the old configuration left, in this life of its process.
    pub has_installed: bool,
    /// The sum over all that it holds.
    pub sum: Hash128,
    /// Whether a user's file is damaged there.
    pub is_damaged: bool,
}

/// What a machine does next about a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Nothing: its configuration is open.
    Done,
    /// Nothing yet.
    Wait(Waiting),
    /// Copy, for each user that any of `listed_by` has, the highest version among `from`.
    Install {
        /// Who is asked which users there are: old members, and new ones for what they have copied.
        listed_by: Vec<Seat>,
        /// Who is asked for their files.
        from: Vec<Seat>,
    },
    /// Make [`Place::made_ready`] durable.
    GetReady,
    /// Make [`Place::opened`] durable, and vote.
    Open,
    /// Stop: the new configuration goes on without this machine.
    Leave,
}

/// For what a change waits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// For these old members: a majority must hold the new configuration.
    OldMembers(Vec<NodeId>),
    /// For these new members: all must hold it.
    NewMembers(Vec<NodeId>),
    /// For all new members to hold the same files.
    SameFiles,
    /// For others to be ready.
    Readiness,
    /// For a newer change: an earlier one with other members may have taken effect, and must be
    /// repeated first.
    EarlierChange,
}

/// Why a configuration is not taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Stale {
    /// A configuration at least as new is held.
    #[error("a newer list of members is held already")]
    Epoch,
    /// It follows one that was superseded.
    #[error("it does not follow the list of members in force")]
    Before,
}

impl Roster {
    /// Whether this machine is a member.
    pub fn has(&self, seat: Seat) -> bool {
        self.seats.contains(&seat)
    }

    /// The members' numbers.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.seats.iter().map(|seat| seat.node).collect()
    }
}

impl Place {
    /// Why this machine has no vote at all, if so.
    pub fn not_voting(&self, me: Seat) -> Option<NotVoting> {
        if self.phase == Phase::Open && self.current.has(me) || is_made(Mistake::WipedVotes) {
            None
        } else if self.before.is_none() {
            Some(NotVoting::Joining)
        } else {
            Some(NotVoting::Changing)
        }
    }

    /// Takes on a configuration that follows `before`.
    ///
    /// # Errors
    /// [`Stale`] if something as new is held, or if `before` is older than what has opened here.
    pub fn adopt(&self, next: &Roster, before: &Roster) -> Result<Self, Stale> {
        if next.epoch <= self.current.epoch {
            return Err(Stale::Epoch);
        }
        let fresh = Self {
            current: next.clone(),
            phase: Phase::Adopted,
            before: Some(before.clone()),
            ready_for: None,
        };
        let opened =
            if self.phase == Phase::Open { Some(&self.current) } else { self.before.as_ref() };
        if opened.is_none_or(|opened| opened.epoch < before.epoch) {
            // Something newer has opened without this machine.
            return Ok(fresh);
        }
        if opened != Some(before) {
            return Err(Stale::Before);
        }
        // It may take the place of a change that has not opened here, which is not forgotten.
        let ready_for = self.ready_for.clone().filter(|_| self.phase != Phase::Open);
        Ok(Self { ready_for, ..fresh })
    }

    /// Whether this machine counts among the old members for the configuration that it holds. If it
    /// was ready for other members, those may have opened without its knowing. The last readiness is
    /// the one that matters: a later one was reached past a majority that counts for no earlier one.
    pub fn is_clean(&self) -> bool {
        self.ready_for.as_ref().is_none_or(|seats| *seats == self.current.seats)
    }

    /// The same, ready.
    #[must_use]
    pub fn made_ready(&self) -> Self {
        let ready_for = Some(self.current.seats.clone());
        Self { phase: Phase::Ready, ready_for, ..self.clone() }
    }

    /// The same, voting.
    #[must_use]
    pub fn opened(&self) -> Self {
        Self { phase: Phase::Open, ..self.clone() }
    }

    /// What machine `me` does next, given what it and others have told of themselves, last word of
    /// each; its own is among them.
    pub fn next(&self, me: Seat, told: &[(Seat, Standing)]) -> Step {
        let Some(before) = self.before.as_ref().filter(|_| self.phase != Phase::Open) else {
            return Step::Done;
        };
        let view = View { place: self, before, told };
        if view.any_new(|standing| standing.phase == Phase::Open) {
            return match self.phase {
                _ if !self.current.has(me) => Step::Leave,
                Phase::Ready => Step::Open,
                // Nobody opens before all are ready: whoever is not has lost what it had.
                Phase::Adopted | Phase::Open => Step::Wait(Waiting::Readiness),
            };
        }
        if !view.old_is_over() {
            return Step::Wait(Waiting::OldMembers(view.missing(&before.seats)));
        }
        let missing = view.missing(&self.current.seats);
        if !missing.is_empty() {
            return Step::Wait(Waiting::NewMembers(missing));
        }
        match self.phase {
            Phase::Adopted if self.current.has(me) => view.adopted(me),
            Phase::Adopted if view.all_new(|standing| standing.phase >= Phase::Ready) => {
                view.get_ready()
            }
            Phase::Ready if view.may_open() && self.current.has(me) => Step::Open,
            Phase::Adopted | Phase::Ready | Phase::Open => Step::Wait(Waiting::Readiness),
        }
    }
}

/// A change as one machine sees it.
struct View<'a> {
    place: &'a Place,
    before: &'a Roster,
    told: &'a [(Seat, Standing)],
}

impl View<'_> {
    /// What a machine said, if it holds the new configuration.
    fn standing(&self, seat: Seat) -> Option<&Standing> {
        let current = &self.place.current;
        let (_, standing) = self.told.iter().find(|(of, _)| *of == seat)?;
        let holds = (standing.epoch, standing.digest) == (current.epoch, current.digest);
        holds.then_some(standing)
    }

    fn missing(&self, seats: &[Seat]) -> Vec<NodeId> {
        let lacking = seats.iter().filter(|seat| self.standing(**seat).is_none());
        lacking.map(|seat| seat.node).collect()
    }

    fn any_new(&self, is: impl Fn(&Standing) -> bool) -> bool {
        self.place.current.seats.iter().any(|seat| self.standing(*seat).is_some_and(&is))
    }

    fn all_new(&self, is: impl Fn(&Standing) -> bool) -> bool {
        self.place.current.seats.iter().all(|seat| self.standing(*seat).is_some_and(&is))
    }

    fn count_old(&self, is: impl Fn(&Standing) -> bool) -> usize {
        self.before.seats.iter().filter(|seat| self.standing(**seat).is_some_and(&is)).count()
    }

    /// Whether so many old members vote no more that nothing can be committed under the old
    /// configuration, and what was can be found. A damaged copy may lack it, and a machine that is not
    /// there may be the only one that does not, so damaged ones count only where all have come. Who is
    /// gone for good is not in `before`: the operator has given it up, knowing what may be lost.
    fn old_is_over(&self) -> bool {
        if is_made(Mistake::OldEpochVotes) {
            return true;
        }
        let needed = majority(self.before.seats.len());
        self.count_old(|standing| !standing.is_damaged) >= needed
            || self.missing(&self.before.seats).is_empty()
    }

    /// The next step of a new member that has not yet seen all of them hold the same.
    fn adopted(&self, me: Seat) -> Step {
        if !self.standing(me).is_some_and(|own| own.has_installed) {
            return self.install();
        }
        let sum = self.standing(me).map(|own| own.sum);
        let is_same = |other: &Standing| {
            (other.has_installed || other.phase >= Phase::Ready) && Some(other.sum) == sum
        };
        if self.all_new(is_same) { self.get_ready() } else { Step::Wait(Waiting::SameFiles) }
    }

    fn install(&self) -> Step {
        let is_asked = |seat: &&Seat| {
            let is_told = self.told.iter().any(|(of, _)| of == *seat);
            self.standing(**seat).is_some() || (is_told && is_made(Mistake::OldEpochVotes))
        };
        let old = self.before.seats.iter().filter(is_asked).copied();
        // What a new member copied may since be damaged where it came from. Then either all copy it or
        // nobody ever holds the same.
        let new = self.place.current.seats.iter().copied();
        let new = new.filter(|seat| !self.before.has(*seat) && self.standing(*seat).is_some());
        let mut from: Vec<Seat> = old.chain(new).collect();
        if is_made(Mistake::FilledFromOne) {
            from.truncate(1);
        }
        let mut listed_by = from.clone();
        if is_made(Mistake::ListedFromOne) {
            listed_by.truncate(1);
        }
        Step::Install { listed_by, from }
    }

    fn get_ready(&self) -> Step {
        let clean = self.count_old(|standing| standing.is_clean);
        if clean >= majority(self.before.seats.len()) {
            Step::GetReady
        } else {
            Step::Wait(Waiting::EarlierChange)
        }
    }

    fn may_open(&self) -> bool {
        let is_ready = |standing: &Standing| standing.phase >= Phase::Ready;
        let old = self.count_old(|standing| is_ready(standing) && standing.is_clean);
        self.all_new(is_ready) && old >= majority(self.before.seats.len())
    }
}

#[cfg(test)]
mod tests;
