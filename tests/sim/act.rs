//! One act on one user: `cluster::lock::UserGuard`, which drives the coordinator, and around it
//! `backend::write`, which looks, asks the handlers and begins anew when another machine came first.

use std::collections::{BTreeMap, VecDeque};

use tern::clock::Mono;
use tern::id::{NodeId, UserName};
use tern::limits::{LEASE_MS, WRITE_MS_MAX};
use tern::replica::Reply;
use tern::replica::acceptor::{Event as Asked, Proposal};
use tern::replica::coordinator::{Begin, Coordinator, Effect, Event, Failure, Holding};
use tern::replica::version::{Term, Version};
use tern::store::line::{self, Kind, NewLine};
use tern::user::entry::Entry;
use tern::user::{Recorded, User};

use crate::body::{Body, apply_line};
use crate::event::{Alarm, Answer, Ask, Request, Verdict};
use crate::machine::{Host, Waiter};
use crate::plan::{Planned, plan};
use crate::slot::{Back, Job};

/// Who may act on a user here, one after the other, and the coordinator they share.
pub(crate) struct Lane {
    coordinator: Coordinator,
    holder: Option<u64>,
    pub(crate) waiting: VecDeque<u64>,
}

/// On whose behalf.
#[derive(Debug, Clone)]
pub(crate) enum Aim {
    /// Clients', whose requests become one line.
    Write(Vec<Request>),
    /// A read's, that found no agreement.
    Confirm(Option<u64>),
    /// This machine's own, whose file is damaged.
    Repair,
}

pub(crate) struct Act {
    pub(crate) user: UserName,
    pub(crate) aim: Aim,
    deadline: Mono,
    /// Its line may be on some disk and may yet become everybody's.
    pub(crate) was_sent: bool,
    pub(crate) ticket: u64,
    asked_for: Term,
    wake: Mono,
    /// Answers of the own replica that are still to come; others' wait for them.
    own_pending: u32,
    inbox: VecDeque<Event>,
    bodies: BTreeMap<NodeId, Vec<u8>>,
    pub(crate) holding: Holding,
    /// The file up to the base, where this machine's own copy is another.
    fetched: Option<Vec<u8>>,
    own_len: usize,
    writing: Option<Writing>,
    verdicts: Vec<(Request, Planned)>,
}

struct Writing {
    proposal: Proposal,
    line: Vec<u8>,
    kind: Kind,
}

/// How an act ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Committed(Version),
    NoMajority,
    Busy,
    Unknown,
    Outpaced,
}

impl Host<'_> {
    /// An act comes in and takes its place in the queue.
    pub(crate) fn act(&mut self, user: &UserName, aim: Aim) {
        let deadline = self.mono().plus_ms(WRITE_MS_MAX);
        let act = Act {
            user: user.clone(),
            aim,
            deadline,
            was_sent: false,
            ticket: 0,
            asked_for: Term::default(),
            wake: deadline,
            own_pending: 0,
            inbox: VecDeque::new(),
            bodies: BTreeMap::new(),
            holding: Holding::default(),
            fetched: None,
            own_len: 0,
            writing: None,
            verdicts: Vec::new(),
        };
        self.p.numbers += 1;
        let id = self.p.numbers;
        self.p.acts.insert(id, act);
        let wait = self.until(deadline);
        self.alarm(wait, Alarm::Act(id, deadline));
        self.enqueue(user, id);
    }

    fn enqueue(&mut self, user: &UserName, id: u64) {
        let (me, boot, above) = (self.me(), self.p.boot, self.p.round_used);
        let seed = self.cx.random.next();
        let lane = self.p.lanes.entry(user.clone()).or_insert_with(|| Lane {
            coordinator: Coordinator::new(me, boot, seed).above(above),
            holder: None,
            waiting: VecDeque::new(),
        });
        lane.waiting.push_back(id);
        self.next_act(user);
    }

    fn next_act(&mut self, user: &UserName) {
        let Some(lane) = self.p.lanes.get_mut(user).filter(|lane| lane.holder.is_none()) else {
            return;
        };
        if let Some(id) = lane.waiting.pop_front() {
            lane.holder = Some(id);
            self.job(user, Job::Begin(id));
        } else if self.cx.random.chance(5) {
            // Coordinators that nobody needs are forgotten now and then: `UserLocks::of`.
            self.p.round_used = self.p.round_used.max(lane.coordinator.round());
            self.p.lanes.remove(user);
        }
    }

    /// Under the replica lock: what is held and promised, with which the coordinator begins.
    pub(crate) fn begin(&mut self, id: u64) {
        let Some(act) = self.p.acts.get(&id) else { return };
        let (user, deadline) = (act.user.clone(), act.deadline);
        let is_repair = matches!(act.aim, Aim::Repair);
        let floors = self.floors();
        let slot = self.slot(&user);
        let (own, own_promise) = (slot.acceptor.state(), slot.acceptor.promise(&floors));
        if is_repair && !slot.acceptor.is_damaged() {
            return self.ended(id, End::Committed(own.acc));
        }
        let round_floor =
            if is_repair { self.round_floor().max(floors.ceiling) } else { self.round_floor() };
        let begin = Begin {
            epoch: floors.epoch,
            members: self.members(),
            is_repair,
            own,
            own_promise,
            live: self.live(),
            round_floor,
            deadline,
        };
        if self.mono() >= deadline || floors.not_voting.is_some() {
            return self.ended(id, End::NoMajority);
        }
        self.drive(id, Event::Begin(begin));
    }

    /// Steps the coordinator and does what it asks: `UserGuard::drive`.
    fn drive(&mut self, id: u64, event: Event) {
        let now = self.mono();
        let Some(act) = self.p.acts.get_mut(&id) else { return };
        let Some(lane) = self.p.lanes.get_mut(&act.user) else { return };
        if matches!(event, Event::Wake) {
            act.wake = act.deadline;
        }
        if matches!(event, Event::Write(_)) {
            self.p.numbers += 1;
            act.ticket = self.p.numbers;
        }
        let mut effects = Vec::new();
        lane.coordinator.step(now, event, &mut effects);
        let term = effects.iter().find_map(|effect| match effect {
            Effect::Lock(_, term) if *term != act.asked_for => Some(*term),
            _ => None,
        });
        if let Some(term) = term {
            act.asked_for = term;
            self.p.numbers += 1;
            act.ticket = self.p.numbers;
            act.bodies.clear();
        }
        let me = self.me();
        let is_own = |effect: &Effect| {
            matches!(effect, Effect::Lock(to, _) | Effect::Sync { to, .. }
                | Effect::Unlock(to, ..) if *to == me)
        };
        let (own, others): (Vec<_>, Vec<_>) = effects.into_iter().partition(is_own);
        let mut held = None;
        let mut end = None;
        for effect in others {
            match effect {
                Effect::WakeAt(at) => self.wake_at(id, at),
                Effect::Held(holding) => held = Some(holding),
                Effect::Committed(version) => end = Some(End::Committed(version)),
                Effect::Unknown => end = Some(End::Unknown),
                Effect::Outpaced => end = Some(End::Outpaced),
                Effect::Failed(Failure::NoMajority) => end = Some(End::NoMajority),
                Effect::Failed(Failure::Busy) => end = Some(End::Busy),
                Effect::Lock(..) | Effect::Sync { .. } | Effect::Unlock(..) => {
                    self.send_effect(id, effect);
                }
            }
        }
        for effect in own {
            self.perform_own(id, effect);
        }
        match (held, end) {
            (_, Some(end)) => self.ended(id, end),
            (Some(holding), None) => self.hold(id, holding),
            (None, None) => self.pump(id),
        }
    }

    /// Feeds back what has come, once the own replica has answered.
    fn pump(&mut self, id: u64) {
        let Some(act) = self.p.acts.get_mut(&id).filter(|act| act.own_pending == 0) else { return };
        if let Some(event) = act.inbox.pop_front() {
            self.drive(id, event);
        }
    }

    fn wake_at(&mut self, id: u64, at: Mono) {
        if let Some(act) = self.p.acts.get_mut(&id) {
            act.wake = at;
            let ms = self.until(at);
            self.alarm(ms, Alarm::Act(id, at));
        }
    }

    /// The time that an act asked to be woken at has come.
    pub(crate) fn act_alarm(&mut self, id: u64, at: Mono) {
        let now = self.mono();
        let Some(act) = self.p.acts.get_mut(&id) else { return };
        let user = act.user.clone();
        let Some(lane) = self.p.lanes.get_mut(&user) else { return };
        if lane.holder != Some(id) {
            if now >= act.deadline {
                lane.waiting.retain(|waiting| *waiting != id);
                self.conclude(id, End::Busy);
            }
        } else if act.wake == at && !lane.coordinator.is_idle() {
            act.inbox.push_back(Event::Wake);
            self.pump(id);
        }
    }

    fn send_effect(&mut self, id: u64, effect: Effect) {
        let Some(act) = self.p.acts.get(&id) else { return };
        let (user, ticket) = (act.user.clone(), act.ticket);
        let left = self.until(act.deadline);
        let (to, ask) = match effect {
            Effect::Lock(to, term) => {
                let have = self.state(&user).acc;
                (to, Ask::Lock { user, term, have })
            }
            Effect::Sync { to, full } => {
                let Some((proposal, bytes)) = self.proposal(id, full) else { return };
                (to, Ask::Sync { user, proposal, bytes })
            }
            Effect::Unlock(to, term, com) => {
                if let Some(to) = self.seat_of(to) {
                    self.notice(to, Ask::Unlock { user, term, com });
                }
                return;
            }
            _ => return,
        };
        if let Some(to) = self.seat_of(to) {
            self.ask(to, ask, (Waiter::Act { act: id, ticket }, left));
        }
    }

    /// The line, or the whole file with the line at its end: `UserGuard::body`.
    fn proposal(&self, id: u64, full: bool) -> Option<(Proposal, Vec<u8>)> {
        let act = self.p.acts.get(&id)?;
        let writing = act.writing.as_ref()?;
        let proposal = Proposal { full, ..writing.proposal };
        if !full {
            return Some((proposal, writing.line.clone()));
        }
        let mut bytes = match &act.fetched {
            Some(bytes) => bytes.clone(),
            None => self.disk.read(&act.user).get(..act.own_len)?.to_vec(),
        };
        bytes.extend_from_slice(&writing.line);
        Some((proposal, bytes))
    }

    fn perform_own(&mut self, id: u64, effect: Effect) {
        let Some(act) = self.p.acts.get(&id) else { return };
        let (user, ticket) = (act.user.clone(), act.ticket);
        let back = Back::Act { act: id, ticket };
        let (event, body, back) = match effect {
            Effect::Lock(_, term) => (Asked::Lock { term, lease_ms: LEASE_MS }, Body::None, back),
            Effect::Unlock(_, term, com) => (Asked::Unlock { term, com }, Body::None, Back::Nobody),
            Effect::Sync { full, .. } => {
                let Some((proposal, body)) = self.proposal(id, full).and_then(Body::announced)
                else {
                    return self.act_event(id, Event::Lost(self.me()));
                };
                (Asked::Sync(proposal), body, back)
            }
            _ => return,
        };
        if matches!(back, Back::Act { .. })
            && let Some(act) = self.p.acts.get_mut(&id)
        {
            act.own_pending += 1;
        }
        self.step(&user, event, (body, back));
    }

    /// The own replica has answered.
    pub(crate) fn own_answer(&mut self, id: u64, ticket: u64, reply: Option<Reply>) {
        let me = self.me();
        let Some(act) = self.p.acts.get_mut(&id) else { return };
        act.own_pending = act.own_pending.saturating_sub(1);
        if act.ticket == ticket {
            let event = reply.map_or(Event::Lost(me), |reply| Event::Answered(me, reply));
            act.inbox.push_front(event);
        }
        self.pump(id);
    }

    fn act_event(&mut self, id: u64, event: Event) {
        if let Some(act) = self.p.acts.get_mut(&id) {
            act.inbox.push_back(event);
        }
    }

    /// Another machine has answered, or will not: `UserGuard::hear`.
    pub(crate) fn act_heard(
        &mut self,
        (id, ticket): (u64, u64),
        from: NodeId,
        answer: Option<Answer>,
    ) {
        let Some(act) = self.p.acts.get_mut(&id).filter(|act| act.ticket == ticket) else { return };
        let event = match answer {
            Some(Answer::Reply(reply, body)) => {
                if matches!(reply, Reply::Grant { .. }) && !body.is_empty() {
                    act.bodies.insert(from, body);
                }
                Event::Answered(from, reply)
            }
            _ => Event::Lost(from),
        };
        act.inbox.push_back(event);
        self.pump(id);
    }

    fn hold(&mut self, id: u64, holding: Holding) {
        let me = self.me();
        let Some(act) = self.p.acts.get_mut(&id) else { return };
        act.holding = holding;
        act.inbox.clear();
        let user = act.user.clone();
        let left = act.deadline;
        if holding.loss_possible {
            self.cx.oracle.losses.insert(user.clone());
            self.cx.totals.add("possible losses", 1);
        }
        let Some(node) = holding.held_by else { return self.job(&user, Job::Look(id)) };
        let Some(act) = self.p.acts.get_mut(&id) else { return };
        if let Some(bytes) = act.bodies.remove(&node) {
            return self.base_fetched(id, Some(bytes));
        }
        if holding.base.acc.is_zero() {
            return self.base_fetched(id, Some(Vec::new()));
        }
        if node == me {
            let bytes = self.disk.read(&user).to_vec();
            return self.base_fetched(id, Some(bytes));
        }
        let within = self.until(left);
        match self.seat_of(node) {
            Some(to) => self.ask(to, Ask::Fetch { user }, (Waiter::Base(id), within)),
            None => self.ended(id, End::Busy),
        }
    }

    /// The file that the lock was granted on has come: `UserGuard::fetch_base`.
    pub(crate) fn base_fetched(&mut self, id: u64, bytes: Option<Vec<u8>>) {
        let Some(act) = self.p.acts.get_mut(&id) else { return };
        let base = act.holding.base;
        let mut user = User::absent(act.user.clone());
        let Some(bytes) = bytes else { return self.ended(id, End::Busy) };
        if base.acc.is_zero() {
            act.fetched = Some(Vec::new());
            return self.write(id, user);
        }
        match Body::file(bytes) {
            Some(Body::File(bytes, lines))
                if lines.last().map(|line| (line.version, line.hash))
                    == Some((base.acc, base.hash)) =>
            {
                for line in lines {
                    apply_line(&mut user, &line);
                }
                act.fetched = Some(bytes);
                self.write(id, user);
            }
            _ => self.ended(id, End::Busy),
        }
    }

    /// Under the replica lock: the user as of the base, from the own file.
    pub(crate) fn look(&mut self, id: u64) {
        let Some(act) = self.p.acts.get(&id) else { return };
        let (user, base) = (act.user.clone(), act.holding.base);
        let slot = self.slot(&user);
        let len = slot.len;
        let found = slot.at(base.acc);
        match found {
            Some(user) => {
                if let Some(act) = self.p.acts.get_mut(&id) {
                    act.own_len = len;
                }
                self.write(id, user);
            }
            None => self.ended(id, End::Outpaced),
        }
    }

    /// Looks, judges, and writes what is to be written: `Backend::try_change`.
    fn write(&mut self, id: u64, mut user: User) {
        self.fold(id);
        let now = self.cx.wall();
        let Some(act) = self.p.acts.get_mut(&id) else { return };
        let is_repair = matches!(act.aim, Aim::Repair);
        let requests = match &act.aim {
            Aim::Write(requests) => requests.clone(),
            Aim::Confirm(_) | Aim::Repair => Vec::new(),
        };
        let mut entries: Vec<Entry> = Vec::new();
        let mut recorded: Vec<Recorded> = Vec::new();
        let mut verdicts = Vec::new();
        for request in requests {
            let planned = plan(&mut user, &request, (now, self.seat.node, &mut self.p.last_post));
            if let Planned::Write { entries: new, record, .. } = &planned {
                entries.extend(new.clone());
                recorded.push(*record);
            }
            verdicts.push((request, planned));
        }
        act.verdicts = verdicts;
        if entries.is_empty() && act.holding.committed && !is_repair {
            let version = act.holding.base.acc;
            return self.ended(id, End::Committed(version));
        }
        let kind = if entries.is_empty() { Kind::Identity } else { Kind::of(&entries) };
        self.propose(id, kind, (&entries, &recorded));
    }

    fn propose(&mut self, id: u64, kind: Kind, (entries, requests): (&[Entry], &[Recorded])) {
        if self.mono() >= self.p.acts.get(&id).map_or(Mono(0), |act| act.deadline) {
            return self.ended(id, End::Busy);
        }
        let Some(act) = self.p.acts.get_mut(&id) else { return };
        let Some(lane) = self.p.lanes.get(&act.user) else { return };
        let base = act.holding.base;
        let version = lane.coordinator.next_version();
        let encoded = line::encode(&NewLine {
            version,
            base: base.acc,
            base_hash: base.hash,
            com: base.com,
            kind,
            requests,
            entries,
        });
        let proposal = Proposal {
            version,
            base: base.acc,
            base_hash: base.hash,
            hash: encoded.hash,
            com: base.com,
            full: false,
        };
        act.writing = Some(Writing { proposal, line: encoded.bytes, kind });
        let (user, is_repair) = (act.user.clone(), matches!(act.aim, Aim::Repair));
        self.cx.oracle.made(&user, version, (base.acc, encoded.hash));
        self.trace(format_args!(
            "{user} writes {version} on {} {kind:?} requests={}",
            base.acc,
            requests.len()
        ));
        if is_repair {
            self.restore(id);
        } else {
            self.drive(id, Event::Write(encoded.hash));
        }
    }

    /// Puts what the lock found in place of the damaged file, or behind what of it stands here already,
    /// then writes it on the others.
    fn restore(&mut self, id: u64) {
        let Some(act) = self.p.acts.get(&id) else { return };
        let (user, base) = (act.user.clone(), act.holding.base);
        let own = self.state(&user);
        let full = (own.acc, own.hash) != (base.acc, base.hash);
        self.cx.totals.add("restored by a line", u64::from(!full));
        match self.proposal(id, full).and_then(Body::announced) {
            Some((proposal, body)) => {
                self.step(&user, Asked::Restore(proposal), (body, Back::Repair(id)));
            }
            None => self.ended(id, End::Busy),
        }
    }

    pub(crate) fn restored(&mut self, id: u64, is_done: bool) {
        let Some(act) = self.p.acts.get(&id) else { return };
        match act.writing.as_ref().map(|writing| writing.proposal.hash) {
            Some(hash) if is_done => self.drive(id, Event::Write(hash)),
            _ => self.ended(id, End::Busy),
        }
    }

    /// The act on this user has moved on or failed; whoever waits is next.
    fn ended(&mut self, id: u64, end: End) {
        let now = self.mono();
        let Some(act) = self.p.acts.get_mut(&id) else { return };
        let user = act.user.clone();
        let is_line = act.writing.as_ref().is_some_and(|line| line.kind != Kind::Identity);
        act.was_sent |= is_line && matches!(end, End::Outpaced | End::Unknown);
        act.inbox.clear();
        act.own_pending = 0;
        act.ticket = 0;
        let mut effects = Vec::new();
        if let Some(lane) = self.p.lanes.get_mut(&user) {
            lane.coordinator.step(now, Event::Release, &mut effects);
            lane.holder = None;
        }
        let me = self.me();
        for effect in effects {
            match effect {
                Effect::Unlock(to, ..) if to == me => self.perform_own(id, effect),
                effect => self.send_effect(id, effect),
            }
        }
        let Some(act) = self.p.acts.get_mut(&id) else { return };
        if end == End::Outpaced && now < act.deadline && matches!(act.aim, Aim::Write(_)) {
            act.writing = None;
            act.fetched = None;
            act.verdicts.clear();
            self.enqueue(&user, id);
        } else {
            self.conclude(id, end);
            self.next_act(&user);
        }
    }

    /// Tells everybody concerned how it ended: `Backend::change`.
    fn conclude(&mut self, id: u64, end: End) {
        let Some(act) = self.p.acts.remove(&id) else { return };
        self.trace(format_args!("{} act ends {end:?}", act.user));
        let is_unknown = end == End::Unknown || act.was_sent;
        if is_unknown && !matches!(end, End::Committed(_)) {
            self.alarm(50, Alarm::Settle(act.user.clone()));
        }
        match act.aim {
            Aim::Repair => {}
            Aim::Confirm(read) => self.confirmed(&act.user, read, end),
            Aim::Write(requests) => {
                if let End::Committed(version) = end {
                    self.cx.oracle.told(&act.user, version, "a client");
                    for (request, planned) in act.verdicts {
                        self.tell(request, planned.verdict(version));
                    }
                    return;
                }
                let verdict = if is_unknown { Verdict::Unknown } else { Verdict::Nothing };
                for request in requests {
                    self.tell(request, verdict.clone());
                }
            }
        }
    }
}
