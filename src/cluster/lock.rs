//! `UserGuard`: the one way to change a user.
//!
//! Taking a lock takes it on a majority of the machines (or finds that this machine still holds it);
//! `commit` appends one line on all of them and returns once a majority has it on disk. The borrowed
//! permit makes holding two users at once a compile error; see `thread::LockPermit`.

use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};
use parking_lot::{ArcMutexGuard, RawMutex};

use super::Cluster;
use super::base::Lacked;
use super::link::{Asker, Heard};
use super::replicas::{Body, Slot};
use crate::clock::Mono;
use crate::id::{NodeId, UserName};
use crate::limits::LEASE_MS;
use crate::metrics;
use crate::replica::acceptor::{Event as Asked, Proposal};
use crate::replica::coordinator::{Begin, Coordinator, Effect, Event, Failure, Holding};
use crate::replica::version::{Term, Version};
use crate::replica::{Refuse, Reply, State};
use crate::store::line::{self, Kind, NewLine};
use crate::thread::LockPermit;
use crate::user::entry::Entry;
use crate::user::{Recorded, User};
use crate::wire::message::{Answer, Message, Sync};

/// Why a user was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Fewer than a majority can be reached; nothing was written.
    #[error("no majority can be reached, nothing was written")]
    NoMajority,
    /// Others changed this user until the deadline; nothing was written.
    #[error("others held the lock until the deadline, nothing was written")]
    Busy,
    /// The user's file has reached its limit; nothing was written.
    #[error("the user's file is full, nothing was written")]
    Full,
    /// Too few machines have room on their disks; nothing was written.
    #[error("too few disks have room, nothing was written")]
    NoSpace,
    /// Asked, and no majority answered in time.
    #[error("no majority answered in time, nobody knows yet whether it is saved")]
    Indeterminate,
    /// Another machine's lock came first: take the lock anew and look again.
    #[error("another machine's lock came first")]
    Outpaced,
}

/// One line to be written.
pub struct Draft<'a> {
    /// The entries.
    pub entries: &'a [Entry],
    /// The requests it answers.
    pub requests: &'a [Recorded],
    /// Whether it ends the account.
    pub is_tombstone: bool,
}

/// The right to change one user, until it is dropped.
pub struct UserGuard<'p> {
    pub(super) cluster: &'p Cluster,
    pub(super) slot: Arc<Slot>,
    coordinator: Option<ArcMutexGuard<RawMutex, Coordinator>>,
    pub(super) deadline: Mono,
    /// The epoch in which the lock was taken: only votes of the same count.
    epoch: u32,
    pub(super) holding: Holding,
    /// The user at the base, where that is not what this machine's view shows.
    pub(super) built: Option<Box<User>>,
    /// What this machine's own copy lacks of the base, where that is another's.
    pub(super) lacked: Option<Lacked>,
    /// Bytes of this machine's own file up to the base, or up to what it lacks of that.
    pub(super) own_len: u64,
    answers: (crossbeam_channel::Sender<Heard>, Receiver<Heard>),
    ticket: u64,
    pub(super) bodies: BTreeMap<NodeId, Vec<u8>>,
    /// What is committed in the copies of those that need more than the line.
    pub(super) needs: BTreeMap<NodeId, Version>,
    permit: PhantomData<&'p mut LockPermit>,
}

/// How an act goes on after a round of effects.
enum Next {
    Held(Holding),
    Committed(Version),
    Failed(LockError),
}

/// The line being written and what goes with it.
pub(super) struct Writing {
    pub(super) proposal: Proposal,
    pub(super) line: Arc<[u8]>,
    pub(super) whole: Option<Arc<[u8]>>,
}

impl Cluster {
    /// Takes a user's lock: first this machine's own, first come first served, then on a majority.
    ///
    /// # Errors
    /// `NoMajority` and `Busy`: nothing was written.
    pub fn acquire<'p>(
        &'p self,
        permit: &'p mut LockPermit,
        user: &UserName,
        deadline: Mono,
    ) -> Result<UserGuard<'p>, LockError> {
        let begun = self.clock.mono();
        let taken = self.take_lock(permit, (user, false), deadline);
        metrics::LOCK_TIMES.observe(self.clock.mono().since_ms(begun));
        taken.inspect_err(|error| count_conflict(*error))
    }

    /// Takes the lock on a majority of the *other* machines, to rebuild this machine's damaged file
    /// on what they hold.
    ///
    /// # Errors
    /// As [`Self::acquire`].
    pub(super) fn acquire_to_repair<'p>(
        &'p self,
        permit: &'p mut LockPermit,
        user: &UserName,
        deadline: Mono,
    ) -> Result<UserGuard<'p>, LockError> {
        self.take_lock(permit, (user, true), deadline)
    }

    fn take_lock<'p>(
        &'p self,
        permit: &'p mut LockPermit,
        (user, is_repair): (&UserName, bool),
        deadline: Mono,
    ) -> Result<UserGuard<'p>, LockError> {
        // The permit is borrowed for as long as the guard lives; that is all it is for.
        let _ = permit;
        let lock = self.locks.of(self, user);
        let left = deadline.left(self.clock.mono());
        let coordinator = lock.try_lock_arc_for(left).ok_or(LockError::Busy)?;
        let slot = self.local.get_or_make(user);
        let room = self.members.count() * 8;
        let mut guard = UserGuard {
            cluster: self,
            slot,
            coordinator: Some(coordinator),
            deadline,
            epoch: 0,
            holding: Holding::default(),
            built: None,
            lacked: None,
            own_len: 0,
            // Each question is asked of each member once or twice; an answer beyond that is dropped.
            answers: bounded(room),
            ticket: 0,
            bodies: BTreeMap::new(),
            needs: BTreeMap::new(),
            permit: PhantomData,
        };
        guard.begin(is_repair)?;
        Ok(guard)
    }
}

fn count_conflict(error: LockError) {
    if error == LockError::Outpaced {
        metrics::CONFLICTS.count();
    }
}

impl UserGuard<'_> {
    /// Whose lock this is.
    pub fn name(&self) -> &UserName {
        &self.slot.name
    }

    /// Looks at the user as they are under the lock.
    pub fn look<T>(&self, look: impl FnOnce(&User) -> T) -> T {
        match &self.built {
            Some(user) => look(user),
            None => look(&self.slot.view()),
        }
    }

    /// Bytes of the file up to the base.
    pub(super) fn base_len(&self) -> u64 {
        self.own_len + self.lacked.as_ref().map_or(0, |lacked| lacked.lines.len() as u64)
    }

    /// Appends one line on a majority of the machines.
    ///
    /// # Errors
    /// `Indeterminate` when no majority answered in time; `Outpaced` when the lock must be taken
    /// anew; `Full` and `NoMajority` when nothing was written.
    pub fn commit(mut self, draft: &Draft<'_>) -> Result<Version, LockError> {
        if !self.cluster.may_have_room() {
            let is_of_disks = self.cluster.members.has_majority();
            return Err(if is_of_disks { LockError::NoSpace } else { LockError::NoMajority });
        }
        let kind = if draft.is_tombstone { Kind::Tombstone } else { Kind::Delta };
        let begun = self.cluster.clock.mono();
        let version = self.write(kind, draft.entries, draft.requests);
        let version = version.inspect_err(|error| count_conflict(*error))?;
        metrics::COMMIT_TIMES.observe(self.cluster.clock.mono().since_ms(begun));
        Ok(version)
    }

    /// Makes sure that what was seen under the lock is committed, before it is told: a refusal, or
    /// the result of an earlier request, is an answer too.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn confirm(mut self) -> Result<Version, LockError> {
        if self.holding.committed {
            return Ok(self.holding.base.acc);
        }
        self.write(Kind::Identity, &[], &[])
    }

    /// The same for whoever asked after this lock was asked for: a line shows that it still holds.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn confirm_anew(mut self) -> Result<Version, LockError> {
        self.write(Kind::Identity, &[], &[])
    }

    /// Whether more may have been acknowledged than this lock found.
    pub(super) fn loss_possible(&self) -> bool {
        self.holding.loss_possible
    }

    /// Rebuilds this machine's file: what the lock found, unless that stands here already, and an
    /// identity line under the lock's term. Then this machine votes again, and the line is written on
    /// the others as well.
    ///
    /// # Errors
    /// When the file was not rebuilt; what became of the line on the others is found out later.
    pub(super) fn restore(mut self) -> Result<Version, LockError> {
        let mut writing = self.encode(Kind::Identity, &[], &[])?;
        let Proposal { version, base, base_hash, .. } = writing.proposal;
        let State { acc, hash, .. } = self.slot.state();
        // A lock holds for less time than a long file takes.
        let full = (acc, hash) != (base, base_hash);
        let body = self.own_body(&mut writing, full).ok_or(LockError::Busy)?;
        let proposal = Proposal { full, ..writing.proposal };
        self.cluster.local.step(&self.slot, Asked::Restore(proposal), &body);
        if self.slot.is_damaged() {
            return Err(LockError::Busy);
        }
        match self.propose(&mut writing) {
            Ok(_) => {}
            Err(error) => {
                log::debug!(user:% = self.slot.name, error:%; "rebuilt, not committed");
            }
        }
        Ok(version)
    }

    fn begin(&mut self, is_repair: bool) -> Result<(), LockError> {
        let config = self.cluster.local.node.config();
        self.epoch = config.place.current.epoch;
        let floors = self.cluster.local.floors();
        let round_floor = self.cluster.members.round_floor();
        let (own, own_promise, _) = self.slot.standing(&floors);
        let begin = Begin {
            epoch: self.epoch,
            members: config.nodes(),
            is_repair,
            own,
            own_promise,
            live: self.cluster.members.live(),
            // Above all that this machine may have promised and forgotten.
            round_floor: if is_repair { round_floor.max(floors.ceiling) } else { round_floor },
            deadline: self.deadline,
        };
        let holding = match self.drive(Event::Begin(begin), None) {
            Next::Held(holding) => holding,
            Next::Failed(error) => return Err(error),
            Next::Committed(_) => panic!("nothing is committed before it is written"),
        };
        self.holding = holding;
        match holding.held_by {
            None => {
                let at = self.slot.at(holding.base.acc).ok_or(LockError::Outpaced)?;
                self.own_len = at.0;
                self.built = at.1.map(Box::new);
            }
            Some(_) if self.learn_base() => {}
            Some(node) => self.fetch_base(node)?,
        }
        Ok(())
    }

    fn write(
        &mut self,
        kind: Kind,
        entries: &[Entry],
        requests: &[Recorded],
    ) -> Result<Version, LockError> {
        let mut writing = self.encode(kind, entries, requests)?;
        self.propose(&mut writing)
    }

    fn encode(
        &self,
        kind: Kind,
        entries: &[Entry],
        requests: &[Recorded],
    ) -> Result<Writing, LockError> {
        let Some(coordinator) = &self.coordinator else { return Err(LockError::Busy) };
        if self.cluster.clock.mono() >= self.deadline {
            return Err(LockError::Busy);
        }
        let base = self.holding.base;
        let version = coordinator.next_version();
        let encoded = line::encode(&NewLine {
            version,
            base: base.acc,
            base_hash: base.hash,
            com: base.com,
            kind,
            requests,
            entries,
        });
        let len = self.base_len() + encoded.bytes.len() as u64;
        if len > super::room::most(kind, entries) as u64 {
            return Err(LockError::Full);
        }
        let proposal = Proposal {
            version,
            base: base.acc,
            base_hash: base.hash,
            hash: encoded.hash,
            com: base.com,
            full: false,
        };
        Ok(Writing { proposal, line: encoded.bytes.into(), whole: None })
    }

    fn propose(&mut self, writing: &mut Writing) -> Result<Version, LockError> {
        match self.drive(Event::Write(writing.proposal.hash), Some(writing)) {
            Next::Committed(version) => Ok(version),
            Next::Failed(error) => Err(error),
            Next::Held(_) => panic!("a write ends in an outcome"),
        }
    }

    /// Steps the coordinator, sends what it asks for, feeds back what comes, until the act has moved
    /// on or failed.
    fn drive(&mut self, first: Event, mut writing: Option<&mut Writing>) -> Next {
        let mut events = VecDeque::from([first]);
        let mut wake = self.deadline;
        let mut asked_for = Term::default();
        loop {
            let event = match events.pop_front() {
                Some(event) => event,
                None => self.hear(wake),
            };
            let mut effects = Vec::new();
            let now = self.cluster.clock.mono();
            if matches!(event, Event::Wake) {
                wake = self.deadline;
            }
            if matches!(event, Event::Write(_)) {
                self.ticket = self.cluster.tickets.next();
            }
            let last = match &event {
                Event::Answered(_, reply) => Some(*reply),
                _ => None,
            };
            if let Some(coordinator) = &mut self.coordinator {
                coordinator.step(now, event, &mut effects);
            }
            // Peers first: this machine's own flush then runs beside theirs.
            let me = self.cluster.members.me;
            let is_own = |effect: &Effect| {
                matches!(effect, Effect::Lock(to, _) | Effect::Sync { to, .. }
                    | Effect::Unlock(to, ..) if *to == me)
            };
            let (own, others): (Vec<_>, Vec<_>) = effects.into_iter().partition(is_own);
            let mut end = None;
            // The first question of an attempt at locking: what comes for earlier ones is stale.
            let asks =
                |effect: &Effect| matches!(effect, Effect::Lock(_, term) if *term != asked_for);
            if let Some(Effect::Lock(_, term)) = others.iter().chain(&own).find(|e| asks(e)) {
                asked_for = *term;
                self.ticket = self.cluster.tickets.next();
                self.bodies.clear();
            }
            for effect in others {
                match effect {
                    Effect::WakeAt(at) => wake = at,
                    Effect::Held(holding) => end = Some(Next::Held(holding)),
                    Effect::Committed(version) => end = Some(Next::Committed(version)),
                    Effect::Unknown => end = Some(Next::Failed(self.not_voted(last))),
                    Effect::Outpaced => end = Some(Next::Failed(LockError::Outpaced)),
                    Effect::Failed(why) => end = Some(Next::Failed(why.into())),
                    Effect::Lock(..) | Effect::Sync { .. } | Effect::Unlock(..) => {
                        self.send(effect, writing.as_deref_mut());
                    }
                }
            }
            for effect in own {
                events.extend(self.perform_own(effect, writing.as_deref_mut()));
            }
            if let Some(end) = end {
                return self.ended(end);
            }
        }
    }

    /// What a write came to that too few have acknowledged. Of a machine alone its own refusal is all there
    /// is to know; what was sent to others may be on their disks whatever they answer.
    fn not_voted(&self, last: Option<Reply>) -> LockError {
        if let Some(Reply::Refuse(Refuse::NotVoting { why })) = last
            && why.is_of_disk()
            && self.cluster.members.count() == 1
        {
            return LockError::NoSpace;
        }
        LockError::Indeterminate
    }

    fn ended(&self, end: Next) -> Next {
        if let Next::Failed(LockError::Indeterminate) = end {
            self.cluster.settle_later(&self.slot.name);
        }
        end
    }

    /// Waits for the next answer of a peer, or for the time to wake.
    fn hear(&mut self, wake: Mono) -> Event {
        loop {
            let left = wake.left(self.cluster.clock.mono());
            let Ok(heard) = self.answers.1.recv_timeout(left) else { return Event::Wake };
            if heard.ticket != self.ticket {
                continue;
            }
            let from = heard.from;
            let Some((answer, body)) = heard.answer else { return Event::Lost(from) };
            match answer {
                Answer::Grant { term, state } => {
                    if !body.is_empty() {
                        self.bodies.insert(from, body);
                    }
                    return Event::Answered(from, Reply::Grant { term, state });
                }
                Answer::Damaged { term, state } => {
                    return Event::Answered(from, Reply::Damaged { term, state });
                }
                Answer::Ack { version } => return Event::Answered(from, Reply::Ack(version)),
                Answer::Need { state } => {
                    self.needs.insert(from, state.com);
                    return Event::Answered(from, Reply::Need(state));
                }
                Answer::Refuse { why } => return Event::Answered(from, Reply::Refuse(why)),
                Answer::State { .. }
                | Answer::Body { .. }
                | Answer::Sums { .. }
                | Answer::Members(_)
                | Answer::Picture { .. }
                | Answer::Pong(_) => return Event::Lost(from),
            }
        }
    }

    /// Sends what is meant for a peer.
    fn send(&mut self, effect: Effect, writing: Option<&mut Writing>) {
        let user = self.slot.name.clone();
        let (to, message, body, is_question) = match effect {
            Effect::Lock(to, term) => {
                let have = self.slot.state().acc;
                (to, Message::Lock { user, term, have, lease_ms: LEASE_MS }, Arc::default(), true)
            }
            Effect::Sync { to, full } => {
                let Some(writing) = writing else { return };
                let line = || Some((None, Arc::clone(&writing.line)));
                let found = if full { self.body_for(to, writing) } else { line() };
                let Some((after, body)) = found else { return };
                (to, Message::Sync(sync(user, writing.proposal, (full, after))), body, true)
            }
            Effect::Unlock(to, term, com) => {
                (to, Message::Unlock { user, term, com }, Arc::default(), false)
            }
            _ => return,
        };
        let asker =
            is_question.then(|| Asker { answers: self.answers.0.clone(), ticket: self.ticket });
        let when = (self.deadline, self.epoch);
        self.cluster.links.send(to, (message, body), asker, when);
    }

    /// Does what is meant for this machine's own replica.
    fn perform_own(&mut self, effect: Effect, writing: Option<&mut Writing>) -> Option<Event> {
        let me = self.cluster.members.me;
        let (event, body) = match effect {
            Effect::Lock(_, term) => (Asked::Lock { term, lease_ms: LEASE_MS }, Body::None),
            Effect::Unlock(_, term, com) => (Asked::Unlock { term, com }, Body::None),
            Effect::Sync { full, .. } => {
                let writing = writing?;
                // It may have learned the base meanwhile; then the line alone will do.
                let full = full && self.slot.state().acc != writing.proposal.base;
                let proposal = Proposal { full, ..writing.proposal };
                let Some(body) = self.own_body(writing, full) else {
                    return Some(Event::Lost(me));
                };
                (Asked::Sync(proposal), body)
            }
            _ => return None,
        };
        let is_question = !matches!(event, Asked::Unlock { .. });
        let reply = self.cluster.local.step(&self.slot, event, &body);
        is_question.then(|| reply.map_or(Event::Lost(me), |reply| Event::Answered(me, reply)))
    }
}

impl Drop for UserGuard<'_> {
    fn drop(&mut self) {
        let Some(mut coordinator) = self.coordinator.take() else { return };
        let mut effects = Vec::new();
        coordinator.step(self.cluster.clock.mono(), Event::Release, &mut effects);
        for effect in effects {
            if let Effect::Unlock(to, ..) = effect {
                if to == self.cluster.members.me {
                    self.perform_own(effect, None);
                } else {
                    self.send(effect, None);
                }
            }
        }
        // Hands the lock to whoever has waited longest.
        ArcMutexGuard::unlock_fair(coordinator);
    }
}

impl From<Failure> for LockError {
    fn from(why: Failure) -> Self {
        match why {
            Failure::NoMajority => Self::NoMajority,
            Failure::Busy => Self::Busy,
        }
    }
}

fn sync(user: UserName, proposal: Proposal, (full, after): (bool, Option<Version>)) -> Sync {
    let Proposal { version, base, base_hash, hash, com, .. } = proposal;
    Sync { user, version, base, base_hash, hash, com, full, after }
}
