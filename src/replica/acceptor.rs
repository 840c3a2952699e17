//! The replica's side of the protocol for one user: grant, refuse, accept, learn.
//!
//! A step that needs the disk ends in `Append` or `Replace`; the shell does it while it still holds
//! the user's replica lock and steps `Written` or `Failed`, which yields the answer. So no answer
//! can leave before the flush returned.

use crate::clock::Mono;
use crate::id::{Hash128, NodeId};
use crate::limits::{CEILING_STEP, ROUND_LEAP_MAX};

use super::version::{Term, Version};
use super::{NotVoting, Refuse, Reply, State};

/// What this machine as a whole has promised and may do; the same for all its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone)]
pub struct Acceptor {
    state: State,
    /// The highest version heard to be committed; above `state.acc` while this machine is behind.
    known: Version,
    promised: Term,
    lock: Option<Held>,
    writing: Option<Writing>,
    damaged: bool,
    /// Whether somebody was told `Busy` since the shell last asked.
    turned_away: bool,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    term: Term,
    until: Mono,
}

#[derive(Debug, Clone, Copy)]
struct Writing {
    version: Version,
    hash: Hash128,
    com: Version,
    /// Whether it was asked for as a vote, and is to be acknowledged.
    vote: bool,
}

/// A version that a coordinator asks to accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// A version is known to be committed.
    Committed(Version),
    /// A machine is gone, or started anew: its lock is void.
    Gone(NodeId),
    /// The write asked for is on disk.
    Written,
    /// The write asked for failed.
    Failed(NotVoting),
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
            turned_away: false,
        }
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

    /// Whether a coordinator was told `Busy` since this was last asked.
    pub fn take_turned_away(&mut self) -> bool {
        std::mem::take(&mut self.turned_away)
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
            Event::Read => effects.push(Effect::Reply(Reply::State(self.state))),
            Event::Learn { version, hash } => self.learn(version, hash, effects),
            Event::Committed(version) => self.commit(version, effects),
            Event::Gone(node) => {
                self.lock.take_if(|held| held.term.node == node.get());
            }
            Event::Written => self.written(effects),
            Event::Failed(why) => self.failed(why, effects),
        }
        assert!(before <= self.promise(floors), "a promise never falls");
    }

    /// Why this machine has no vote on this user, if so.
    fn not_voting(&self, floors: &Floors) -> Option<NotVoting> {
        if self.damaged { Some(NotVoting::Damaged) } else { floors.not_voting }
    }

    /// The checks that a lock and a sync have in common.
    fn check(&self, floors: &Floors, term: Term) -> Option<Refuse> {
        let promise = self.promise(floors);
        if term.epoch != floors.epoch {
            Some(Refuse::Epoch { epoch: floors.epoch })
        } else if let Some(why) = self.not_voting(floors) {
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
            && held.until > now
            && let Some(holder) = held.term.coordinator()
        {
            self.turned_away = true;
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
        effects.push(Effect::Reply(Reply::Grant { term, state: self.state }));
    }

    fn sync(&mut self, floors: &Floors, asked: Proposal, effects: &mut Vec<Effect>) {
        let mut refuse = |why| effects.push(Effect::Reply(Reply::Refuse(why)));
        let State { acc, hash, .. } = self.state;
        if let Some(why) = self.check(floors, asked.version.term) {
            return refuse(why);
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
        if !asked.full && asked.base != acc {
            return effects.push(Effect::Reply(Reply::Need(self.state)));
        }
        if asked.version.term.round > floors.ceiling {
            let ceiling = asked.version.term.round.saturating_add(CEILING_STEP);
            return effects.push(Effect::RaiseCeiling(ceiling));
        }
        let Proposal { version, hash, com, .. } = asked;
        self.writing = Some(Writing { version, hash, com, vote: true });
        effects.push(if asked.full { Effect::Replace } else { Effect::Append });
    }

    /// Takes a committed version whatever was promised: it adds no vote that was not already one of
    /// a majority, and is not acknowledged.
    fn learn(&mut self, version: Version, hash: Hash128, effects: &mut Vec<Effect>) {
        if version <= self.state.acc {
            return self.commit(version, effects);
        }
        self.writing = Some(Writing { version, hash, com: version, vote: false });
        effects.push(Effect::Replace);
    }

    fn written(&mut self, effects: &mut Vec<Effect>) {
        let Some(Writing { version, hash, com, vote }) = self.writing.take() else { return };
        assert!(version > self.state.acc, "what is accepted only grows");
        self.state.acc = version;
        self.state.hash = hash;
        self.lock.take_if(|held| held.term < version.term);
        if vote {
            self.promised = self.promised.max(version.term);
        }
        self.commit(com, effects);
        if vote {
            effects.push(Effect::Reply(Reply::Ack(version)));
        }
    }

    fn failed(&mut self, why: NotVoting, effects: &mut Vec<Effect>) {
        let vote = self.writing.take().is_some_and(|writing| writing.vote);
        self.damaged |= why == NotVoting::Damaged;
        if vote {
            effects.push(Effect::Reply(Reply::Refuse(Refuse::NotVoting { why })));
        }
    }

    /// Takes note that `version` is committed. What is held and at least as high builds on it.
    fn commit(&mut self, version: Version, effects: &mut Vec<Effect>) {
        self.known = self.known.max(version);
        if self.known > self.state.acc {
            effects.push(Effect::Behind(self.known));
        } else if self.known > self.state.com {
            self.state.com = self.known;
            effects.push(Effect::Advance(self.known));
        }
    }
}
