//! The other side of the protocol: one machine's attempts to change one user.
//!
//! It lives as long as the user's slot, because a term that nobody has superseded lets the next
//! write skip LOCK (`sticky`): this machine still holds what it held. The shell sends what is asked,
//! feeds back what comes, and encodes the line once `Held` has told what it builds on.

use crate::clock::Mono;
use crate::id::{Hash128, NodeId};

use super::mistake::{Mistake, is_made};
use super::quorum::{Quorum, Verdict, majority};
use super::version::{Term, Version};
use super::{Refuse, Reply, State};

/// Longest pause before asking again when another machine held the lock, in milliseconds: a few
/// flushes, for a lock that nobody holds while all wait costs more than asking one member.
const BACKOFF_MS_MAX: u64 = 8;
/// Acts after the last sign of another machine at this user until a term is kept again.
const CONTENDED_ACTS: u32 = 16;
/// How long the lowest-numbered member is asked alone, in milliseconds: it may be hanging.
const LOWEST_ALONE_MS: u64 = 50;
/// How long a silent member is waited for beside one that said `Busy`, in milliseconds: it may be gone.
const SILENT_MS: u64 = 100;
/// Attempts at locking in one act: one each millisecond of it, so that its deadline comes first.
const TRIES_MAX: u32 = 1_000;

/// One machine's attempts to change one user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Coordinator {
    me: NodeId,
    boot: u32,
    sticky: Option<(Term, Version, Hash128)>,
    /// Acts to come that ask for the lock, the lowest member first, as another machine was met of
    /// late: writes under kept terms, which nothing shields, would overtake each other half done.
    contended: u32,
    round_heard: u64,
    /// Numbers for the pauses after `Busy`, from a seed: the core draws no randomness.
    random: u64,
    act: Act,
    phase: Phase,
}

/// What holds for the whole of one act.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Act {
    epoch: u32,
    members: Vec<NodeId>,
    is_repair: bool,
    own: State,
    live: Vec<NodeId>,
    deadline: Mono,
    tries: u32,
    /// Ask the lowest-numbered live member first, the others after its grant: two writers that each
    /// hold one grant of three would block each other for long.
    lowest_first: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    Locking(Locking),
    BackingOff,
    Held { term: Term, seq: u32, base: State },
    Syncing(Syncing),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Locking {
    term: Term,
    quorum: Quorum,
    grants: Vec<(NodeId, State)>,
    /// What members with a damaged file could still read of it.
    prefixes: Vec<(NodeId, State)>,
    asked: Vec<NodeId>,
    was_busy: bool,
    was_outpaced: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Syncing {
    version: Version,
    hash: Hash128,
    quorum: Quorum,
    given_full: Vec<NodeId>,
    was_outpaced: bool,
}

/// The circumstances in which an act begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Begin {
    /// The epoch in force.
    pub epoch: u32,
    /// Its members, this machine included.
    pub members: Vec<NodeId>,
    /// Whether this machine's own file is damaged and is to be rebuilt: then a majority of *other*
    /// members must grant, in a round above all that this machine may have promised.
    pub is_repair: bool,
    /// What the own replica holds.
    pub own: State,
    /// What the own replica has promised.
    pub own_promise: Term,
    /// The members that are not suspected, this machine included.
    pub live: Vec<NodeId>,
    /// The highest round that a live member is known to refuse since its start; for a repair also
    /// this machine's ceiling.
    pub round_floor: u64,
    /// When the act must have its outcome.
    pub deadline: Mono,
}

/// What happens to a coordinator.
#[derive(Debug, Clone)]
pub enum Event {
    /// An act begins, or begins anew after `Outpaced`.
    Begin(Begin),
    /// A member answered.
    Answered(NodeId, Reply),
    /// A member will not answer the last question.
    Lost(NodeId),
    /// The version told by `next_version` is to be written; its chain hash.
    Write(Hash128),
    /// Nothing is to be written after all.
    Release,
    /// The time asked for by `WakeAt` has come.
    Wake,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask this member for the lock.
    Lock(NodeId, Term),
    /// Ask this member to accept the version being written: the line, or the whole file.
    Sync {
        /// Whom.
        to: NodeId,
        /// Whether to send the whole file.
        full: bool,
    },
    /// Tell this member that the term is let go, and what is committed.
    Unlock(NodeId, Term, Option<Version>),
    /// Step `Wake` at this time if nothing has come before.
    WakeAt(Mono),
    /// The lock is held.
    Held(Holding),
    /// A majority has the version on disk.
    Committed(Version),
    /// Asked, no majority answered in time: nobody knows yet whether it is saved.
    Unknown,
    /// Another machine's term came first; nothing of this act may have been lost, so begin anew.
    Outpaced,
    /// Nothing was asked to be written, and nothing can be.
    Failed(Failure),
}

/// What a held lock rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Holding {
    /// The state to build on.
    pub base: State,
    /// The member whose copy holds it, if this machine's own does not.
    pub held_by: Option<NodeId>,
    /// Whether a majority has just said that the base is committed and the newest, so that what it
    /// says may be told. Under a kept term nobody was asked: another machine may have gone on.
    pub committed: bool,
    /// Whether more may have been acknowledged than is found: so many members hold a damaged copy
    /// that a majority of them may have held what nobody else has. For a repair only.
    pub loss_possible: bool,
}

/// Why nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Fewer than a majority can be reached.
    NoMajority,
    /// Others held the lock until the deadline.
    Busy,
}

impl Coordinator {
    /// A coordinator of machine `me` in its `boot`-th life. `seed` makes its pauses differ from
    /// others'.
    pub fn new(me: NodeId, boot: u32, seed: u64) -> Self {
        Self {
            me,
            boot,
            sticky: None,
            contended: 0,
            round_heard: 0,
            random: seed | 1,
            act: Act::default(),
            phase: Phase::Idle,
        }
    }

    /// The same, never using a round up to `round`.
    #[must_use]
    pub fn above(mut self, round: u64) -> Self {
        self.round_heard = self.round_heard.max(round);
        self
    }

    /// The highest round used or heard of: a coordinator that takes this one's place must start
    /// above it, so that no term is used twice.
    pub fn round(&self) -> u64 {
        self.round_heard
    }

    /// Whether no act is under way.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    /// The version that a `Write` now would make.
    ///
    /// # Panics
    /// When the lock is not held.
    pub fn next_version(&self) -> Version {
        match &self.phase {
            Phase::Held { term, seq, .. } => Version { term: *term, seq: seq + 1 },
            _ => panic!("a version is only made under a lock"),
        }
    }

    /// One event, and what is to be done about it.
    ///
    /// # Panics
    /// When the shell breaks the order: an act begun within an act, a write without a lock.
    pub fn step(&mut self, now: Mono, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Begin(begin) => self.begin(now, begin, effects),
            Event::Answered(from, reply) => self.answered(now, from, reply, effects),
            Event::Lost(from) => self.lost(now, from, effects),
            Event::Write(hash) => self.write(hash, effects),
            Event::Release => self.release(effects),
            Event::Wake => self.wake(now, effects),
        }
    }

    fn begin(&mut self, now: Mono, begin: Begin, effects: &mut Vec<Effect>) {
        assert!(self.is_idle(), "one act at a time");
        let Begin { epoch, members, is_repair, own, own_promise, live, round_floor, deadline } =
            begin;
        self.round_heard = self.round_heard.max(own_promise.round).max(round_floor);
        let (tries, lowest_first) = (0, self.contended > 0 && !is_repair);
        self.act = Act { epoch, members, is_repair, own, live, deadline, tries, lowest_first };
        let mut reachable = Quorum::new(&self.act.members);
        for &node in &self.act.live {
            reachable.yes(node);
        }
        if reachable.verdict() != Verdict::Won && !is_repair {
            return effects.push(Effect::Failed(Failure::NoMajority));
        }
        effects.push(Effect::WakeAt(deadline));
        if let Some((term, version, hash)) = self.sticky
            && own_promise == term
            && own.acc == version
            && round_floor < term.round
            && self.contended == 0
            && !is_repair
        {
            assert_eq!(own.hash, hash, "one value a version");
            self.phase = Phase::Held { term, seq: version.seq, base: own };
            let base = State { com: own.acc, ..own };
            let holding = Holding { base, ..Holding::default() };
            return effects.push(Effect::Held(holding));
        }
        self.sticky = None;
        self.lock(now, effects);
    }

    /// Asks for the lock under a term never used before.
    fn lock(&mut self, now: Mono, effects: &mut Vec<Effect>) {
        self.act.tries += 1;
        if self.act.tries > TRIES_MAX || now >= self.act.deadline {
            return self.fail(Failure::Busy, effects);
        }
        self.round_heard += 1;
        let term = Term {
            epoch: self.act.epoch,
            round: self.round_heard,
            node: self.me.get(),
            boot: self.boot,
        };
        let quorum = self.act.ballot(self.act.is_repair.then_some(self.me));
        let mut asked = self.act.live.clone();
        if self.act.lowest_first {
            asked.sort_unstable();
            asked.truncate(1);
            effects.push(Effect::WakeAt(now.plus_ms(LOWEST_ALONE_MS).min(self.act.deadline)));
        }
        effects.extend(asked.iter().map(|&to| Effect::Lock(to, term)));
        self.phase = Phase::Locking(Locking {
            term,
            quorum,
            grants: Vec::new(),
            prefixes: Vec::new(),
            asked,
            was_busy: false,
            was_outpaced: false,
        });
    }

    fn answered(&mut self, now: Mono, from: NodeId, reply: Reply, effects: &mut Vec<Effect>) {
        if let Reply::Refuse(Refuse::Promised { promise }) = reply {
            self.round_heard = self.round_heard.max(promise.round);
        }
        match &mut self.phase {
            Phase::Locking(locking) => {
                match reply {
                    Reply::Grant { term, state } if term == locking.term => {
                        locking.quorum.yes(from);
                        locking.grants.retain(|(node, _)| *node != from);
                        locking.grants.push((from, state));
                    }
                    Reply::Damaged { term, state } if term == locking.term => {
                        locking.quorum.no(from);
                        locking.prefixes.retain(|(node, _)| *node != from);
                        locking.prefixes.push((from, state));
                    }
                    // Reading promises nothing: an acknowledgement given before may still count.
                    Reply::State(state)
                        if self.act.is_repair && is_made(Mistake::RepairedByReading) =>
                    {
                        locking.quorum.yes(from);
                        locking.grants.push((from, state));
                    }
                    Reply::Refuse(why) => {
                        locking.was_busy |= matches!(why, Refuse::Busy { .. });
                        locking.was_outpaced |= matches!(why, Refuse::Promised { .. });
                        locking.quorum.no(from);
                    }
                    Reply::Grant { .. }
                    | Reply::Damaged { .. }
                    | Reply::Ack(_)
                    | Reply::Need(_)
                    | Reply::State(_) => return,
                }
                self.locking_moved(now, effects);
            }
            Phase::Syncing(syncing) => {
                match reply {
                    Reply::Ack(version) if version == syncing.version => syncing.quorum.yes(from),
                    Reply::Need(_) if !syncing.given_full.contains(&from) => {
                        syncing.given_full.push(from);
                        return effects.push(Effect::Sync { to: from, full: true });
                    }
                    Reply::Refuse(why) => {
                        let outpaced = matches!(why, Refuse::Promised { .. } | Refuse::Old { .. });
                        syncing.was_outpaced |= outpaced;
                        syncing.quorum.no(from);
                    }
                    Reply::Need(_) => syncing.quorum.no(from),
                    Reply::Grant { .. }
                    | Reply::Damaged { .. }
                    | Reply::Ack(_)
                    | Reply::State(_) => return,
                }
                self.syncing_moved(effects);
            }
            Phase::Idle | Phase::BackingOff | Phase::Held { .. } => {}
        }
    }

    fn lost(&mut self, now: Mono, from: NodeId, effects: &mut Vec<Effect>) {
        match &mut self.phase {
            Phase::Locking(locking) if is_made(Mistake::TimeoutIsYes) => {
                locking.quorum.yes(from);
                self.locking_moved(now, effects);
            }
            Phase::Syncing(syncing) if is_made(Mistake::TimeoutIsYes) => {
                syncing.quorum.yes(from);
                self.syncing_moved(effects);
            }
            Phase::Locking(locking) => {
                locking.quorum.no(from);
                self.locking_moved(now, effects);
            }
            Phase::Syncing(syncing) => {
                syncing.quorum.no(from);
                self.syncing_moved(effects);
            }
            Phase::Idle | Phase::BackingOff | Phase::Held { .. } => {}
        }
    }

    fn locking_moved(&mut self, now: Mono, effects: &mut Vec<Effect>) {
        let Phase::Locking(locking) = &mut self.phase else { return };
        match locking.quorum.verdict() {
            Verdict::Won => self.locked(effects),
            // The lowest member's word is in: a grant, or nothing that speaks for another holder.
            Verdict::Pending if !locking.was_busy => ask_rest(&self.act.live, locking, effects),
            Verdict::Pending if locking.asked.len() == 1 => self.back_off(now, effects),
            Verdict::Pending => {
                effects.push(Effect::WakeAt(now.plus_ms(SILENT_MS).min(self.act.deadline)));
            }
            Verdict::Lost if locking.was_busy => self.back_off(now, effects),
            Verdict::Lost if locking.was_outpaced => self.lock(now, effects),
            Verdict::Lost if self.act.all_told(locking) => self.locked(effects),
            Verdict::Lost if self.act.may_all_tell(locking) => {
                ask_rest(&self.act.live, locking, effects);
            }
            Verdict::Lost => self.fail(Failure::NoMajority, effects),
        }
    }

    fn locked(&mut self, effects: &mut Vec<Effect>) {
        let Phase::Locking(Locking { term, grants, prefixes, quorum, .. }) = &self.phase else {
            return;
        };
        let term = *term;
        // Only where no majority of whole copies can be had do damaged ones count.
        let is_short = quorum.verdict() != Verdict::Won;
        // Of equals a whole copy: what is left of a damaged one may not be readable any more.
        let found = prefixes.iter().filter(|_| is_short).chain(grants);
        let Some(&(node, mut base)) = found.max_by_key(|(_, state)| state.acc) else { return };
        // What the own replica holds now: it may have accepted another's write since the act began.
        if let Some((_, own)) = grants.iter().find(|(node, _)| *node == self.me) {
            self.act.own = *own;
        }
        let same = |state: &State| (state.acc, state.hash) == (base.acc, base.hash);
        let com = grants.iter().map(|(_, state)| state.com).max().unwrap_or_default();
        let agreed = !is_short && grants.iter().all(|(_, state)| same(state));
        base.com = if agreed { base.acc } else { com.min(base.acc) };
        let is_damaged_here = self.act.is_repair || self.act.own.acc != base.acc;
        let held_by = is_damaged_here.then_some(node);
        let loss_possible = is_short && prefixes.len() >= majority(self.act.members.len());
        self.phase = Phase::Held { term, seq: 0, base };
        let is_anothers = !base.acc.is_zero() && base.acc.term.node != self.me.get();
        let is_met = self.act.tries > 1 || is_anothers;
        self.contended = if is_met { CONTENDED_ACTS } else { self.contended.saturating_sub(1) };
        let committed = base.com == base.acc || is_made(Mistake::RepeatUnconfirmed);
        effects.push(Effect::Held(Holding { base, held_by, committed, loss_possible }));
    }

    fn back_off(&mut self, now: Mono, effects: &mut Vec<Effect>) {
        self.unlock_all(None, effects);
        self.act.lowest_first = true;
        let most = (2_u64 << self.act.tries.min(16)).min(BACKOFF_MS_MAX);
        let pause = 1 + self.next_random() % most;
        self.phase = Phase::BackingOff;
        effects.push(Effect::WakeAt(now.plus_ms(pause).min(self.act.deadline)));
    }

    /// Xorshift, 64 bits. Source: Marsaglia, "Xorshift RNGs", 2003.
    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn write(&mut self, hash: Hash128, effects: &mut Vec<Effect>) {
        let version = self.next_version();
        let Phase::Held { base, .. } = self.phase else { return };
        // Until the outcome is known nothing may build on this term.
        self.sticky = None;
        let quorum = self.act.ballot(None);
        let mut given_full = Vec::new();
        for &to in &self.act.live {
            // A machine whose own copy is not the base needs the whole file as well.
            let full = to == self.me && self.act.own.acc != base.acc;
            if full {
                given_full.push(to);
            }
            effects.push(Effect::Sync { to, full });
        }
        self.phase =
            Phase::Syncing(Syncing { version, hash, quorum, given_full, was_outpaced: false });
    }

    fn syncing_moved(&mut self, effects: &mut Vec<Effect>) {
        let Phase::Syncing(Syncing { version, hash, quorum, was_outpaced, .. }) = &self.phase
        else {
            return;
        };
        let (version, hash, outpaced) = (*version, *hash, *was_outpaced);
        if outpaced {
            self.contended = CONTENDED_ACTS;
        }
        match quorum.verdict() {
            Verdict::Pending => {}
            Verdict::Won => {
                // A member that refused has promised a higher term: the next write asks for a lock
                // above it, so that this member is not left behind for good.
                self.sticky = (!outpaced).then_some((version.term, version, hash));
                self.unlock_all(Some(version), effects);
                self.end();
                effects.push(Effect::Committed(version));
            }
            Verdict::Lost => {
                self.give_up(effects);
                effects.push(if outpaced { Effect::Outpaced } else { Effect::Unknown });
            }
        }
    }

    /// Ends a write without knowing its outcome. No version of this term may follow: it would build
    /// on something that is perhaps not committed.
    fn give_up(&mut self, effects: &mut Vec<Effect>) {
        self.unlock_all(None, effects);
        self.sticky = None;
        if let Phase::Syncing(Syncing { version, hash, .. }) = &self.phase
            && is_made(Mistake::TermAfterUnknown)
        {
            self.sticky = Some((version.term, *version, *hash));
        }
        self.end();
    }

    fn release(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Locking(_) | Phase::Syncing(_)) {
            return self.give_up(effects);
        }
        if let Phase::Held { term, seq, base } = self.phase {
            let com = (base.com == base.acc).then_some(base.acc).filter(|com| !com.is_zero());
            self.unlock_all(com, effects);
            // Still ours to go on with, if it was: a term that has not written yet is not kept.
            if seq == 0 {
                self.sticky = None;
            }
            assert!(seq == 0 || self.sticky.is_some_and(|(sticky, ..)| sticky == term));
        }
        self.end();
    }

    fn fail(&mut self, why: Failure, effects: &mut Vec<Effect>) {
        self.unlock_all(None, effects);
        self.end();
        effects.push(Effect::Failed(why));
    }

    /// Nothing of an ended act is kept but `sticky` and the rounds heard of.
    fn end(&mut self) {
        self.act = Act::default();
        self.phase = Phase::Idle;
    }

    fn wake(&mut self, now: Mono, effects: &mut Vec<Effect>) {
        let is_over = now >= self.act.deadline;
        match &mut self.phase {
            Phase::BackingOff => self.lock(now, effects),
            Phase::Locking(locking) if is_over => {
                let why = if locking.was_busy { Failure::Busy } else { Failure::NoMajority };
                self.fail(why, effects);
            }
            Phase::Locking(locking) if locking.was_busy => self.back_off(now, effects),
            Phase::Locking(locking) => ask_rest(&self.act.live, locking, effects),
            Phase::Syncing(_) if is_over => {
                self.give_up(effects);
                effects.push(Effect::Unknown);
            }
            Phase::Idle | Phase::Held { .. } | Phase::Syncing(_) => {}
        }
    }

    fn unlock_all(&self, com: Option<Version>, effects: &mut Vec<Effect>) {
        let term = match &self.phase {
            Phase::Idle | Phase::BackingOff => return,
            Phase::Locking(locking) => locking.term,
            Phase::Held { term, .. } => *term,
            Phase::Syncing(syncing) => syncing.version.term,
        };
        effects.extend(self.act.live.iter().map(|&to| Effect::Unlock(to, term, com)));
    }
}

impl Act {
    /// A vote of the members, `without` this one, those that are suspected having said no.
    fn ballot(&self, without: Option<NodeId>) -> Quorum {
        let mut quorum = Quorum::without(&self.members, without);
        self.members.iter().filter(|one| !self.live.contains(one)).for_each(|one| quorum.no(*one));
        quorum
    }

    /// For a repair: whether every member has said what it holds, damaged or not. Then nothing is
    /// left to wait for, and the highest of it is all there is.
    fn all_told(&self, locking: &Locking) -> bool {
        self.is_repair && self.members.iter().all(|&node| locking.has_told(node))
    }

    /// Whether that may still come about: nobody has refused or is out of reach.
    fn may_all_tell(&self, locking: &Locking) -> bool {
        let is_open = |&node: &NodeId| locking.has_told(node) || !locking.quorum.has_no(node);
        self.is_repair && self.members.iter().all(is_open)
    }
}

impl Locking {
    fn has_told(&self, node: NodeId) -> bool {
        self.grants.iter().chain(&self.prefixes).any(|(from, _)| *from == node)
    }
}

/// Asks those live members for the lock that were not asked yet.
fn ask_rest(live: &[NodeId], locking: &mut Locking, effects: &mut Vec<Effect>) {
    let others: Vec<_> = live.iter().copied().filter(|one| !locking.asked.contains(one)).collect();
    effects.extend(others.iter().map(|&to| Effect::Lock(to, locking.term)));
    locking.asked.extend(others);
}
