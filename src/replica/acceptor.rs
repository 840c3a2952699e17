//! The replica's side of the protocol for one user: grant, refuse, accept, learn.
//!
//! A step that needs the disk ends in `Append` or `Replace`; the shell does it while it still holds
//! the user's replica lock and steps `Written` or `Failed`, which yields the answer. So no answer
//! can leave before the flush returned.

use crate::clock::Mono;
use crate::id::{Hash128, NodeId};
use crate::limits::{CEILING_STEP, ROUND_LEAP_MAX};

use super::mistake::{Mistake, is_made};
use super::version::{Term, Version};
use super::{NotVoting, Refuse, Reply, State};

/// What this machine as a whole has promised and may do; the same for all its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Floors {
    /// The configuration of members in force.
    pub epoch: u32,
    /// Everything up to this term is refused: promises made before the start are forgotten.
    pub bootfloor: Term,
    /// Rounds up to this one are covered by the durable ceiling.
    pub ceiling: u64,
    /// Why this machine has no vote, if it has none.
    pub not_voting: Option<NotVoting>,
}

/// One user's replica on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acceptor {
    state: State,
    /// The highest version heard to be committed; above `state.acc` while this machine is behind.
    known: Version,
    promised: Term,
    lock: Option<Held>,
    writing: Option<Writing>,
    damaged: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Held {
    term: Term,
    until: Mono,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Writing {
    version: Version,
    hash: Hash128,
    com: Version,
    why: Why,
}

/// On whose behalf something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Why {
    /// A coordinator's, as a vote that is to be acknowledged.
    Vote,
    /// This machine's own, taking what is committed or what a new configuration begins with.
    Copy,
    /// This machine's own, rebuilding a damaged file under a term of its own.
    Repair,
}

/// A version that a coordinator asks to accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proposal {
    /// The version.
    pub version: Version,
    /// What it builds on.
    pub base: Version,
    /// The chain hash there.
    pub base_hash: Hash128,
    /// The chain hash of `version`.
    pub hash: Hash128,
    /// What the coordinator knows to be committed.
    pub com: Version,
    /// Whether the whole file comes with it, not the last line alone.
    pub full: bool,
}

/// What happens to a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A coordinator asks for the lock.
    Lock {
        /// Its term.
        term: Term,
        /// For how long to shield it.
        lease_ms: u64,
    },
    /// A coordinator asks to accept a version.
    Sync(Proposal),
    /// A coordinator lets go.
    Unlock {
        /// Its term.
        term: Term,
        /// What is committed.
        com: Option<Version>,
    },
    /// Somebody asks what is held.
    Read,
    /// The file up to a committed version is at hand.
    Learn {
        /// The version.
        version: Version,
        /// Its chain hash.
        hash: Hash128,
    },
    /// The file that a new configuration begins with is at hand. Only while nobody here votes.
    Install {
        /// The version.
        version: Version,
        /// Its chain hash.
        hash: Hash128,
    },
    /// A version is known to be committed.
    Committed(Version),
    /// A machine is gone, or started anew: its lock is void.
    Gone(NodeId),
    /// The file turned out to be damaged and is marked so: this much of it is intact.
    Damaged(State),
    /// The file is rebuilt on what a lock found, ending in this version of the lock's term. Where it
    /// has been brought up to the base meanwhile, the version's line alone is missing.
    Restore(Proposal),
    /// The write asked for is on disk.
    Written,
    /// The write asked for failed.
    Failed(NotVoting),
    /// The mark of damage is gone from the disk.
    Cleared,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Make this ceiling durable, then step the same event again.
    RaiseCeiling(u64),
    /// Append the event's line and flush it, then step `Written` or `Failed`.
    Append,
    /// Put the event's file in place of the old one, durably, then step `Written` or `Failed`.
    Replace,
    /// Remove the mark of damage, durably, then step `Cleared`; if it cannot be removed, nothing.
    ClearMark,
    /// Answer.
    Reply(Reply),
    /// Everything up to this version may be shown.
    Advance(Version),
    /// This version is committed and not held: fetch it.
    Behind(Version),
}

impl Acceptor {
    /// A replica as its file tells: `state.com` is what the last line says of earlier ones.
    ///
    /// # Panics
    /// When `state.com` lies beyond `state.acc`.
    pub fn new(state: State) -> Self {
        assert!(state.com <= state.acc, "a file knows of no commit beyond its end");
        Self {
            state,
            known: state.com,
            promised: Term::default(),
            lock: None,
            writing: None,
            damaged: false,
        }
    }

    /// The same, without a vote until it was rebuilt: its file is not to be trusted.
    #[must_use]
    pub fn damaged(mut self) -> Self {
        self.damaged = true;
        self
    }

    /// What is on disk.
    pub fn state(&self) -> State {
        self.state
    }

    /// The term below which everything is refused.
    pub fn promise(&self, floors: &Floors) -> Term {
        let epochfloor = Term { epoch: floors.epoch, ..Term::default() };
        floors.bootfloor.max(epochfloor).max(self.promised).max(self.state.acc.term)
    }

    /// Whether an earlier write failed, so that this machine has no vote on this user.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Whether more is known to be committed than is known to be held: the file lacks it.
    pub fn is_behind(&self) -> bool {
        self.known > self.state.com
    }

    /// One event, and what is to be done about it.
    ///
    /// # Panics
    /// When events arrive between a write and its result, or a promise would fall: proofs that the
    /// shell broke the contract.
    pub fn step(&mut self, now: Mono, floors: &Floors, event: Event, effects: &mut Vec<Effect>) {
        let before = self.promise(floors);
        let is_result = matches!(event, Event::Written | Event::Failed(_));
        assert_eq!(self.writing.is_some(), is_result, "a write and its result are one step");
        match event {
            Event::Lock { term, lease_ms } => self.lock(now, floors, (term, lease_ms), effects),
            Event::Sync(proposal) => self.sync(floors, proposal, effects),
            Event::Unlock { term, com } => {
                self.lock.take_if(|held| held.term == term);
                if let Some(version) = com {
                    self.commit(version, effects);
                }
            }
            Event::Read => effects.push(Effect::Reply(match self.not_voting(floors) {
                Some(why) => Reply::Refuse(Refuse::NotVoting { why }),
                None => Reply::State(self.state),
            })),
            Event::Learn { version, hash } => self.copy(version, (hash, version), effects),
            Event::Install { version, hash } => {
                assert!(floors.not_voting.is_some(), "nothing is installed where votes are given");
                self.copy(version, (hash, self.known), effects);
            }
            Event::Committed(version) => self.commit(version, effects),
            Event::Gone(node) => {
                self.lock.take_if(|held| held.term.node == node.get());
            }
            Event::Damaged(intact) => self.damage(intact, effects),
            Event::Restore(proposal) => self.restore(floors, proposal, effects),
            Event::Written => self.written(floors, effects),
            Event::Failed(why) => self.failed(why, effects),
            Event::Cleared => self.damaged = false,
        }
        assert!(before <= self.promise(floors), "a promise never falls");
    }

    /// Why this machine has no vote on this user, if so.
    fn not_voting(&self, floors: &Floors) -> Option<NotVoting> {
        let is_damaged = self.damaged && !is_made(Mistake::DamagedVotes);
        if is_damaged { Some(NotVoting::Damaged) } else { floors.not_voting }
    }

    /// The checks that a lock, a sync and a repair have in common.
    fn check(&self, floors: &Floors, term: Term) -> Option<Refuse> {
        let promise = self.promise(floors);
        if term.epoch != floors.epoch {
            Some(Refuse::Epoch { epoch: floors.epoch })
        } else if let Some(why) = floors.not_voting {
            Some(Refuse::NotVoting { why })
        } else if term < promise {
            Some(Refuse::Promised { promise })
        } else if term.round > floors.ceiling.saturating_add(ROUND_LEAP_MAX) {
            Some(Refuse::Leap)
        } else {
            None
        }
    }

    fn lock(
        &mut self,
        now: Mono,
        floors: &Floors,
        (term, lease_ms): (Term, u64),
        effects: &mut Vec<Effect>,
    ) {
        if let Some(why) = self.check(floors, term) {
            return effects.push(Effect::Reply(Reply::Refuse(why)));
        }
        if let Some(held) = self.lock
            && held.term.node != term.node
            && held.term.epoch == term.epoch
            && held.until > now
            && let Some(holder) = held.term.coordinator()
        {
            let left_ms = held.until.since_ms(now);
            return effects.push(Effect::Reply(Reply::Refuse(Refuse::Busy { holder, left_ms })));
        }
        // A late repetition: that term writes already, and has what it needs.
        if self.state.acc.term == term {
            return;
        }
        if term.round > floors.ceiling {
            return effects.push(Effect::RaiseCeiling(term.round.saturating_add(CEILING_STEP)));
        }
        self.promised = term;
        self.lock = Some(Held { term, until: now.plus_ms(lease_ms) });
        let state = self.state;
        // A promise is kept whatever became of the file; what is left of it is no vote.
        effects.push(Effect::Reply(match self.not_voting(floors) {
            Some(_damaged) => Reply::Damaged { term, state },
            None => Reply::Grant { term, state },
        }));
    }

    fn sync(&mut self, floors: &Floors, asked: Proposal, effects: &mut Vec<Effect>) {
        let mut refuse = |why| effects.push(Effect::Reply(Reply::Refuse(why)));
        let State { acc, hash, .. } = self.state;
        if let Some(why) = self.check(floors, asked.version.term) {
            return refuse(why);
        }
        if let Some(why) = self.not_voting(floors) {
            return refuse(Refuse::NotVoting { why });
        }
        if asked.version == acc {
            if asked.hash != hash {
                return refuse(Refuse::BadBase);
            }
            self.commit(asked.com, effects);
            return effects.push(Effect::Reply(Reply::Ack(acc)));
        }
        if asked.version < acc {
            return refuse(Refuse::Old { acc });
        }
        if asked.base == acc && asked.base_hash != hash {
            return refuse(Refuse::BadBase);
        }
        if !asked.full && asked.base != acc && !is_made(Mistake::BaseUnchecked) {
            return effects.push(Effect::Reply(Reply::Need(self.state)));
        }
        if asked.version.term.round > floors.ceiling {
            let ceiling = asked.version.term.round.saturating_add(CEILING_STEP);
            return effects.push(Effect::RaiseCeiling(ceiling));
        }
        let Proposal { version, hash, com, .. } = asked;
        self.writing = Some(Writing { version, hash, com, why: Why::Vote });
        effects.push(if asked.full { Effect::Replace } else { Effect::Append });
    }

    /// Takes a version that is committed, or that a new configuration begins with, whatever was
    /// promised: it adds no vote that was not already one of a majority, and is not acknowledged.
    fn copy(
        &mut self,
        version: Version,
        (hash, com): (Hash128, Version),
        effects: &mut Vec<Effect>,
    ) {
        if version <= self.state.acc {
            return self.commit(com, effects);
        }
        self.writing = Some(Writing { version, hash, com, why: Why::Copy });
        effects.push(Effect::Replace);
    }

    /// Gives up the vote, not the promises: also what the lost lines promised is kept.
    fn damage(&mut self, intact: State, effects: &mut Vec<Effect>) {
        assert!(intact.com <= intact.acc, "a file knows of no commit beyond its end");
        self.promised = self.promised.max(self.state.acc.term);
        self.known = self.known.max(self.state.com);
        let shown = std::mem::replace(&mut self.state, intact).com;
        self.damaged = true;
        // A file that was on its way here may tell of more.
        if intact.com > shown {
            effects.push(Effect::Advance(intact.com));
        }
        // What is known to be committed is fetched again, for people to read.
        self.commit(intact.com, effects);
    }

    /// Takes what a lock on a majority of the others found, as the first version of that lock's term:
    /// the lock has closed every term in which an acknowledgement of the lost file could still count.
    fn restore(&mut self, floors: &Floors, asked: Proposal, effects: &mut Vec<Effect>) {
        let Proposal { version, hash, full, .. } = asked;
        let State { acc, hash: own, .. } = self.state;
        if let Some(why) = self.check(floors, version.term) {
            return effects.push(Effect::Reply(Reply::Refuse(why)));
        }
        if version <= acc {
            return effects.push(Effect::Reply(Reply::Refuse(Refuse::Old { acc })));
        }
        if !full && (asked.base, asked.base_hash) != (acc, own) {
            return effects.push(Effect::Reply(Reply::Need(self.state)));
        }
        self.writing = Some(Writing { version, hash, com: self.known, why: Why::Repair });
        effects.push(if full { Effect::Replace } else { Effect::Append });
    }

    fn written(&mut self, floors: &Floors, effects: &mut Vec<Effect>) {
        let Some(Writing { version, hash, com, why }) = self.writing.take() else { return };
        assert!(version > self.state.acc, "what is accepted only grows");
        self.state.acc = version;
        self.state.hash = hash;
        self.lock.take_if(|held| held.term < version.term);
        if why != Why::Copy {
            self.promised = self.promised.max(version.term);
        }
        self.commit(if is_made(Mistake::AcceptedShown) { version } else { com }, effects);
        match why {
            Why::Vote => {
                // While it was written this machine may have taken on other members, and told what it
                // holds: an acknowledgement now would be a vote that nobody saw.
                let refused = self.check(floors, version.term);
                effects.push(Effect::Reply(refused.map_or(Reply::Ack(version), Reply::Refuse)));
            }
            Why::Repair => effects.push(Effect::ClearMark),
            Why::Copy => {}
        }
    }

    fn failed(&mut self, why: NotVoting, effects: &mut Vec<Effect>) {
        let was_vote = self.writing.take().is_some_and(|writing| writing.why != Why::Copy);
        self.damaged |= why == NotVoting::Damaged;
        if was_vote {
            effects.push(Effect::Reply(Reply::Refuse(Refuse::NotVoting { why })));
        }
    }

    /// Takes note that `version` is committed. What is held and at least as high builds on it, also
    /// while more is committed than is held.
    fn commit(&mut self, version: Version, effects: &mut Vec<Effect>) {
        self.known = self.known.max(version);
        let is_behind = self.known > self.state.acc;
        let held = if is_behind { version } else { self.known };
        if self.state.com < held && held <= self.state.acc {
            self.state.com = held;
            effects.push(Effect::Advance(held));
        }
        if is_behind {
            effects.push(Effect::Behind(self.known));
        }
    }
}
