//! Reads and catching up: `cluster::read` and `cluster::catch_up`, and the pings that prompt it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tern::clock::Mono;
use tern::id::{NodeId, UserName};
use tern::limits::{COMPARE_MS, PING_MS, PINGS_MISSED_MAX, SETTLE_MS, WRITE_MS_MAX};
use tern::replica::acceptor::Event;
use tern::replica::barrier::Seat;
use tern::replica::digest::{Mend, Row, mend};
use tern::replica::reader::{Found, Reader};
use tern::replica::version::Version;
use tern::replica::{Reply, State};

use crate::act::{Aim, End};
use crate::body::Body;
use crate::event::{Alarm, Answer, Ask, Event as Happening, Request, Told, Verdict};
use crate::machine::{Host, Waiter};
use crate::slot::{Back, Job};

/// How long a read waits for the rest once a majority has answered, in milliseconds.
const READ_GRACE_MS: u64 = 50;

/// A linearizable read under way.
pub(crate) struct Reading {
    user: UserName,
    reader: Reader,
    /// Who asked; nobody did if this machine is settling what was left undecided.
    client: Option<Request>,
    /// What was committed when it began.
    then: Version,
    deadline: Mono,
    /// What it has found, while that is being learnt.
    found: Option<Version>,
}

/// A committed version that is being fetched.
pub(crate) struct Learn {
    user: UserName,
    version: Version,
    peers: VecDeque<NodeId>,
    read: Option<u64>,
}

/// A comparison of all versions.
pub(crate) struct Compare {
    /// The epoch it began in: its rows are counted by no other majority.
    epoch: u32,
    rows: BTreeMap<NodeId, BTreeMap<UserName, (State, bool)>>,
    waiting: BTreeSet<NodeId>,
}

impl Host<'_> {
    /// Hands an answer, or the word that none will come, to whoever waits for it.
    pub(crate) fn heard(&mut self, waiter: Waiter, from: Seat, answer: Option<Answer>) {
        match waiter {
            Waiter::Act { act, ticket } => self.act_heard((act, ticket), from.node, answer),
            Waiter::Base(act) => {
                let bytes = match answer {
                    Some(Answer::Body(bytes)) => Some(bytes),
                    _ => None,
                };
                self.base_fetched(act, bytes);
            }
            Waiter::Read(read) => self.read_heard(read, from.node, answer),
            Waiter::Learn(learn) => self.learn_heard(learn, answer),
            Waiter::Compare => self.compare_heard(from.node, answer),
            Waiter::InstallRows => self.install_rows(from, answer),
            Waiter::InstallFile(user) => self.install_file(&user, answer),
            Waiter::Ping => self.pinged(from, answer),
        }
    }

    /// A read begins: `Cluster::fresh`.
    pub(crate) fn read(&mut self, user: &UserName, client: Option<Request>) {
        self.p.numbers += 1;
        let id = self.p.numbers;
        let deadline = self.mono().plus_ms(WRITE_MS_MAX);
        let members = self.members();
        let reading = Reading {
            user: user.clone(),
            reader: Reader::new(&members),
            client,
            then: self.cx.oracle.highest(user),
            deadline,
            found: None,
        };
        self.p.reads.insert(id, reading);
        let live = self.live();
        for node in members {
            if node == self.me() {
                self.job(
                    user,
                    Job::step(crate::slot::Step {
                        event: Event::Read,
                        body: Body::None,
                        back: Back::ReadOwn(id),
                    }),
                );
            } else if let Some(to) = self.seat_of(node).filter(|_| live.contains(&node)) {
                let ask = Ask::Read { user: user.clone() };
                self.ask(to, ask, (Waiter::Read(id), WRITE_MS_MAX));
            } else {
                self.read_answered(id, node, None);
            }
        }
        let wait = self.until(deadline);
        self.alarm(wait, Alarm::Read(id));
    }

    fn read_heard(&mut self, id: u64, from: NodeId, answer: Option<Answer>) {
        let state = match answer {
            Some(Answer::Reply(Reply::State(state), _)) => Some(state),
            _ => None,
        };
        self.read_answered(id, from, state);
    }

    pub(crate) fn read_answered(&mut self, id: u64, from: NodeId, state: Option<State>) {
        let Some(reading) = self.p.reads.get_mut(&id).filter(|reading| reading.found.is_none())
        else {
            return;
        };
        let had_majority = reading.reader.has_majority();
        match state {
            Some(state) => reading.reader.answered(from, state),
            None => reading.reader.lost(from),
        }
        if reading.reader.found() != Found::Pending {
            self.read_found(id);
        } else if reading.reader.has_majority() && !had_majority {
            self.alarm(READ_GRACE_MS, Alarm::Read(id));
        }
    }

    /// Nobody is waited for any longer.
    pub(crate) fn read_alarm(&mut self, id: u64) {
        let Some(reading) = self.p.reads.get_mut(&id).filter(|reading| reading.found.is_none())
        else {
            return;
        };
        if reading.reader.found() == Found::Pending {
            reading.reader.give_up_rest();
            self.read_found(id);
        }
    }

    fn read_found(&mut self, id: u64) {
        let now = self.mono();
        let Some(reading) = self.p.reads.get_mut(&id) else { return };
        let user = reading.user.clone();
        match reading.reader.found() {
            Found::Fresh(version, holder) => {
                let then = reading.then;
                reading.found = Some(version);
                self.cx.oracle.read(&user, (then, version));
                self.learn(&user, version, (VecDeque::from([holder]), Some(id)));
            }
            Found::Unsettled if now < reading.deadline => {
                reading.found = Some(Version::ZERO);
                self.act(&user, Aim::Confirm(Some(id)));
            }
            Found::Unsettled | Found::Pending | Found::NoMajority => self.read_ends(id, false),
        }
    }

    /// What a read found was written back, or was not.
    pub(crate) fn confirmed(&mut self, user: &UserName, read: Option<u64>, end: End) {
        let Some(id) = read else { return };
        let Some(reading) = self.p.reads.get_mut(&id) else { return };
        let End::Committed(version) = end else { return self.read_ends(id, false) };
        reading.found = Some(version);
        // A majority holds it, and this machine need not be among them.
        let peers: VecDeque<NodeId> = self.live().into();
        self.learn(user, version, (peers, Some(id)));
    }

    /// A read's version is here now, or could not be fetched.
    pub(crate) fn learnt(&mut self, id: u64) {
        let Some(reading) = self.p.reads.get(&id) else { return };
        let is_here = reading.found.is_some_and(|version| self.state(&reading.user).com >= version);
        self.read_ends(id, is_here);
    }

    fn read_ends(&mut self, id: u64, is_fresh: bool) {
        let Some(reading) = self.p.reads.remove(&id) else { return };
        if is_fresh {
            let shown = self.slot(&reading.user).shown();
            self.cx.oracle.read(&reading.user, (reading.then, shown));
        }
        match reading.client {
            Some(request) if is_fresh => self.tell_view(request),
            Some(request) => self.tell(request, Verdict::Nothing),
            None if is_fresh => self.settle_own(&reading.user),
            None => {}
        }
    }

    /// The others may agree without a line that only this machine has: then it is for this machine to
    /// have it taken on or replaced, or their files would differ for good.
    fn settle_own(&mut self, user: &UserName) {
        let state = self.state(user);
        if state.com < state.acc {
            self.cx.totals.add("settled alone", 1);
            self.act(user, Aim::Confirm(None));
        }
    }

    /// Shows a client what this machine shows everybody.
    pub(crate) fn tell_view(&mut self, request: Request) {
        let slot = self.slot(&request.user);
        let (version, ops) = (slot.shown(), slot.view.ops);
        self.tell(request, Verdict::Seen { version, ops });
    }

    pub(crate) fn tell(&mut self, request: Request, verdict: Verdict) {
        let delay = self.cx.random.between(1, 4);
        self.cx.after(delay, Happening::Told { request, verdict });
    }

    /// Takes note that a version is committed, fetching it if it is not held here: `Cluster::learn`.
    fn learn(
        &mut self,
        user: &UserName,
        version: Version,
        (peers, read): (VecDeque<NodeId>, Option<u64>),
    ) {
        self.cx.oracle.told(user, version, "a machine that learns");
        if version.is_zero() || self.state(user).acc >= version {
            let back = read.map_or(Back::Nobody, Back::Read);
            return self.step(user, Event::Committed(version), (Body::None, back));
        }
        self.p.numbers += 1;
        let id = self.p.numbers;
        self.p.learns.insert(id, Learn { user: user.clone(), version, peers, read });
        self.learn_next(id);
    }

    fn learn_next(&mut self, id: u64) {
        let me = self.me();
        let Some(learn) = self.p.learns.get_mut(&id) else { return };
        let peer = std::iter::from_fn(|| learn.peers.pop_front()).find(|&peer| peer != me);
        let user = learn.user.clone();
        if let Some(to) = peer.and_then(|peer| self.seat_of(peer)) {
            return self.ask(to, Ask::Fetch { user }, (Waiter::Learn(id), WRITE_MS_MAX));
        }
        self.p.compare_wanted = true;
        let learn = self.p.learns.remove(&id);
        if let Some(read) = learn.and_then(|learn| learn.read) {
            self.learnt(read);
        }
    }

    fn learn_heard(&mut self, id: u64, answer: Option<Answer>) {
        let Some(learn) = self.p.learns.get(&id) else { return };
        let (user, version, read) = (learn.user.clone(), learn.version, learn.read);
        let body = match answer {
            Some(Answer::Body(bytes)) => Body::file(bytes).and_then(|b| b.up_to(version)),
            _ => None,
        };
        let Some(body) = body else { return self.learn_next(id) };
        self.p.learns.remove(&id);
        let (version, hash) = body.last();
        self.cx.totals.add("learnt", 1);
        let back = read.map_or(Back::Nobody, Back::Read);
        self.step(&user, Event::Learn { version, hash }, (body, back));
    }

    /// A version is known to be committed and was not here a moment ago.
    pub(crate) fn behind(&mut self, user: &UserName, version: Version) {
        if self.state(user).com < version {
            let peers: VecDeque<NodeId> = self.live().into();
            self.learn(user, version, (peers, None));
        }
    }

    /// Looks around: the loop of `Cluster::run_catch_up`.
    pub(crate) fn catch_up(&mut self) {
        self.alarm(100, Alarm::CatchUp);
        self.change();
        if self.floors().not_voting.is_some() {
            return;
        }
        let now = self.cx.now;
        if self.p.compare_wanted
            && self.p.compare.is_none()
            && (now >= self.p.compared_at + COMPARE_MS || self.p.compared_at == 0)
        {
            self.p.compare_wanted = false;
            self.p.compared_at = now;
            self.compare();
        }
        if now / SETTLE_MS != (now + 100) / SETTLE_MS {
            self.settle_old();
        }
    }

    /// Finds out what is committed of a user: `Cluster::settle`.
    pub(crate) fn settle(&mut self, user: &UserName) {
        self.read(user, None);
    }

    /// Settles users whose last line was not known to be committed at the last look already.
    fn settle_old(&mut self) {
        let marks = self.disk.marks.clone();
        let states = self.states().into_iter().filter(|(_, state)| state.com < state.acc);
        let states: BTreeMap<UserName, Version> = states
            .filter(|(user, _)| !marks.contains(user))
            .map(|(user, state)| (user, state.acc))
            .collect();
        let before = std::mem::replace(&mut self.p.unsettled, states.clone());
        for (user, acc) in states {
            if before.get(&user) == Some(&acc) {
                self.settle(&user);
            }
        }
    }

    fn compare(&mut self) {
        let me = self.me();
        let marks = self.disk.marks.clone();
        let own = self.states().into_iter();
        let own = own.map(|(user, state)| {
            let votes = !marks.contains(&user);
            (user, (state, votes))
        });
        let rows = BTreeMap::from([(me, own.collect())]);
        let others: Vec<NodeId> = self.live().into_iter().filter(|&node| node != me).collect();
        let epoch = self.floors().epoch;
        self.p.compare = Some(Compare { epoch, rows, waiting: others.iter().copied().collect() });
        let others: Vec<Seat> = others.into_iter().filter_map(|node| self.seat_of(node)).collect();
        for to in others {
            self.ask(to, Ask::Sums, (Waiter::Compare, WRITE_MS_MAX));
        }
        self.compare_done();
    }

    fn compare_heard(&mut self, from: NodeId, answer: Option<Answer>) {
        let Some(compare) = &mut self.p.compare else { return };
        compare.waiting.remove(&from);
        match answer {
            Some(Answer::Rows(rows)) => {
                let rows = rows.into_iter().map(|(user, state, votes)| (user, (state, votes)));
                compare.rows.insert(from, rows.collect());
            }
            _ => self.p.compare_wanted = true,
        }
        self.compare_done();
    }

    fn compare_done(&mut self) {
        let Some(compare) = self.p.compare.take_if(|compare| compare.waiting.is_empty()) else {
            return;
        };
        let floors = self.floors();
        if floors.epoch != compare.epoch || floors.not_voting.is_some() {
            return;
        }
        let (me, members) = (self.me(), self.members().len());
        let users: BTreeSet<&UserName> = compare.rows.values().flat_map(BTreeMap::keys).collect();
        for user in users {
            let row = |(&node, held): (&NodeId, &BTreeMap<UserName, (State, bool)>)| {
                let (state, has_vote) = held.get(user).copied().unwrap_or((State::default(), true));
                Row { node, state, has_vote }
            };
            let rows: Vec<Row> = compare.rows.iter().map(row).collect();
            match mend(me, members, &rows) {
                Mend::Nothing => {}
                Mend::Commit(version) => {
                    self.step(user, Event::Committed(version), (Body::None, Back::Nobody));
                }
                Mend::Learn(version, from) => {
                    self.learn(user, version, (VecDeque::from([from]), None));
                }
                Mend::Settle => self.settle(user),
            }
        }
    }

    pub(crate) fn ping(&mut self) {
        self.alarm(PING_MS, Alarm::Ping);
        for to in self.others() {
            let told = self.told();
            self.ask(to, Ask::Ping(told), (Waiter::Ping, 2 * PING_MS));
        }
    }

    fn pinged(&mut self, from: Seat, answer: Option<Answer>) {
        let Some(Answer::Pong(told)) = answer else {
            let peer = self.p.peers.entry(from).or_default();
            peer.missed += 1;
            if peer.missed >= PINGS_MISSED_MAX && peer.is_up {
                peer.is_up = false;
                self.gone(from.node);
            }
            return;
        };
        self.take_note(from, told);
        let own = self.sum();
        let peer = self.p.peers.entry(from).or_default();
        let differs = told.standing.sum != own;
        let is_news = !peer.is_up || (differs && peer.sums_differed);
        peer.sums_differed = differs;
        peer.missed = 0;
        peer.is_up = true;
        self.p.compare_wanted |= is_news;
    }

    /// What another machine has said of itself: `Membership::admit`.
    pub(crate) fn take_note(&mut self, from: Seat, told: Told) {
        let peer = self.p.peers.entry(from).or_default();
        let before = peer.told.map(|told| told.boot);
        peer.told = Some(told);
        if before.is_some_and(|boot| boot < told.boot) {
            self.gone(from.node);
        }
    }

    /// The locks of a machine that is gone are void.
    fn gone(&mut self, node: NodeId) {
        let users: Vec<UserName> = self.p.slots.keys().cloned().collect();
        for user in users {
            self.step(&user, Event::Gone(node), (Body::None, Back::Nobody));
        }
    }

    /// Rebuilds what is damaged: `Cluster::run_repair`.
    pub(crate) fn repair(&mut self) {
        let pause = self.cx.random.between(500, 1_500);
        self.alarm(pause, Alarm::Repair);
        let users: Vec<UserName> = self.disk.marks.iter().cloned().collect();
        for user in users {
            let is_damaged = self.slot(&user).acceptor.is_damaged();
            let is_at_it =
                self.p.acts.values().any(|act| act.user == user && matches!(act.aim, Aim::Repair));
            if is_damaged && !is_at_it {
                self.act(&user, Aim::Repair);
            }
        }
    }

    /// Reads all files again and compares them with what was written.
    pub(crate) fn scrub(&mut self) {
        let pause = self.cx.random.between(2_000, 6_000);
        self.alarm(pause, Alarm::Scrub);
        let users: Vec<UserName> = self.p.slots.keys().cloned().collect();
        for user in &users {
            self.job(user, Job::Verify);
        }
    }
}
