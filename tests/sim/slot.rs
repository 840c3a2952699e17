//! One user's replica on one machine: `cluster::replicas` and the answers of `cluster::peer`. What
//! happens under the replica lock there is a job here; jobs of one user wait for each other, and a
//! flush takes time in which a crash may come.

use std::collections::VecDeque;

use tern::id::UserName;
use tern::limits::{GRANT_BODY_BYTES_MAX, LEASE_MS, WRITE_MS_MAX};
use tern::replica::acceptor::{Acceptor, Effect, Event};
use tern::replica::version::Version;
use tern::replica::{NotVoting, Refuse, Reply, State, restart};
use tern::store::line::Line;
use tern::store::scan::{self, End, Scan};
use tern::user::User;

use crate::body::{Body, apply_line};
use crate::disk::DiskError;
use crate::event::{Alarm, Answer, Ask, Event as Happening};
use crate::machine::{Host, NodeJob};
use tern::replica::barrier::Seat;

pub(crate) struct Slot {
    pub(crate) acceptor: Acceptor,
    pub(crate) len: usize,
    /// Lines that are not shown yet.
    tail: VecDeque<Line>,
    shown: Version,
    pub(crate) view: User,
    jobs: VecDeque<Job>,
    /// The step that waits for the disk.
    writing: Option<Step>,
}

/// Work under one user's replica lock.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    Step(Box<Step>),
    /// An act begins: what is held and promised.
    Begin(u64),
    /// An act looks at the user as of its base.
    Look(u64),
    Fetch {
        to: Seat,
        number: u64,
    },
    Verify,
    /// Take the mark off, if the file is what this says.
    Clear(State),
}

impl Job {
    pub(crate) fn step(step: Step) -> Self {
        Self::Step(Box::new(step))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) event: Event,
    pub(crate) body: Body,
    pub(crate) back: Back,
}

/// Where the answer goes.
#[derive(Debug, Clone)]
pub(crate) enum Back {
    Nobody,
    Peer {
        to: Seat,
        number: u64,
        have: Option<Version>,
    },
    Act {
        act: u64,
        ticket: u64,
    },
    /// A rebuilt file is in its place, or is not.
    Repair(u64),
    /// A read has learnt what it found.
    Read(u64),
    /// What the own replica says to a read.
    ReadOwn(u64),
    Install,
}

impl Slot {
    fn new(user: &UserName, acceptor: Acceptor) -> Self {
        Self {
            acceptor,
            len: 0,
            tail: VecDeque::new(),
            shown: Version::ZERO,
            view: User::absent(user.clone()),
            jobs: VecDeque::new(),
            writing: None,
        }
    }

    /// Up to which version everything is shown.
    pub(crate) fn shown(&self) -> Version {
        self.shown
    }

    /// The user as the file up to its end `base` tells; `None` if it ends elsewhere by now.
    pub(crate) fn at(&self, base: Version) -> Option<User> {
        if self.acceptor.state().acc != base {
            return None;
        }
        let mut user = self.view.clone();
        self.tail.iter().for_each(|line| apply_line(&mut user, line));
        Some(user)
    }

    /// Whether a file that is to replace this one still holds what is committed.
    fn keeps_committed(&self, lines: &[Line]) -> bool {
        let com = self.acceptor.state().com;
        com.is_zero() || lines.iter().any(|line| line.version == com)
    }

    fn took(&mut self, body: &Body) {
        match body {
            Body::None => {}
            Body::Line(bytes, line) => {
                self.len += bytes.len();
                self.tail.push_back((**line).clone());
            }
            Body::File(bytes, lines) => self.took_lines(bytes.len(), lines),
        }
    }

    fn took_lines(&mut self, len: usize, lines: &[Line]) {
        self.len = len;
        self.tail = lines.iter().filter(|line| line.version > self.shown).cloned().collect();
    }
}

impl Host<'_> {
    pub(crate) fn slot(&mut self, user: &UserName) -> &mut Slot {
        let make = || Slot::new(user, restart::replica(State::default(), false));
        self.p.slots.entry(user.clone()).or_insert_with(make)
    }

    pub(crate) fn state(&self, user: &UserName) -> State {
        self.p.slots.get(user).map(|slot| slot.acceptor.state()).unwrap_or_default()
    }

    pub(crate) fn job(&mut self, user: &UserName, job: Job) {
        self.slot(user).jobs.push_back(job);
        self.run_jobs(user);
    }

    pub(crate) fn step(&mut self, user: &UserName, event: Event, (body, back): (Body, Back)) {
        self.job(user, Job::step(Step { event, body, back }));
    }

    fn run_jobs(&mut self, user: &UserName) {
        loop {
            let slot = self.slot(user);
            if slot.writing.is_some() {
                return;
            }
            let Some(job) = slot.jobs.pop_front() else { return };
            match job {
                Job::Step(step) => self.perform(user, *step),
                Job::Begin(act) => self.begin(act),
                Job::Look(act) => self.look(act),
                Job::Fetch { to, number } => {
                    self.verify(user);
                    let bytes = self.disk.read(user).to_vec();
                    let answer = Answer::Body(bytes);
                    self.answer(to, number, answer);
                }
                Job::Verify => self.verify(user),
                Job::Clear(state) => self.clear_if_whole(user, state),
            }
        }
    }

    /// Steps the acceptor until it waits for the disk or is done: `Replicas::step`.
    fn perform(&mut self, user: &UserName, step: Step) {
        let event = step.event;
        self.perform_event(user, step, event);
    }

    fn perform_event(&mut self, user: &UserName, step: Step, event: Event) {
        let mut todo = VecDeque::new();
        self.step_acceptor(user, event, &mut todo);
        if matches!(event, Event::Failed(NotVoting::Damaged)) {
            // Before anybody is answered, who may go on to write.
            self.lose(user, usize::MAX);
        }
        let mut reply = None;
        while let Some(effect) = todo.pop_front() {
            match effect {
                Effect::Reply(answer) => reply = Some(answer),
                Effect::Advance(com) => self.show(user, com),
                Effect::Behind(com) => self.alarm(50, Alarm::Behind(user.clone(), com)),
                Effect::RaiseCeiling(to) => {
                    self.slot(user).writing = Some(step);
                    return self.node_job(NodeJob::Ceiling { to, user: user.clone() });
                }
                Effect::Append | Effect::Replace => match self.begin_write(user, &step.body) {
                    Ok(()) => {
                        self.slot(user).writing = Some(step);
                        let ms = self.flush_ms();
                        return self.alarm(ms, Alarm::Flushed(user.clone()));
                    }
                    Err(why) => {
                        self.step_acceptor(user, Event::Failed(why), &mut todo);
                        if why == NotVoting::Damaged {
                            self.lose(user, usize::MAX);
                        }
                    }
                },
                Effect::ClearMark => {
                    self.disk.marks.remove(user);
                    self.cx.totals.add("repaired", 1);
                    self.trace(format_args!("{user} mark cleared"));
                    self.step_acceptor(user, Event::Cleared, &mut todo);
                }
            }
        }
        self.reply(user, step, reply);
    }

    /// How long a flush takes; the power may fail meanwhile.
    fn flush_ms(&mut self) -> u64 {
        if std::mem::take(&mut self.disk.is_doomed) {
            let (me, within) = (self.me(), self.cx.random.between(0, 3));
            self.cx.after(within, Happening::PowerCut(me));
            return 20;
        }
        if let Some(ms) = self.hang_ms() {
            return ms;
        }
        let is_late = self.cx.random.chance(3);
        self.cx.random.between(1, if is_late { 60 } else { 5 })
    }

    /// How long a write hangs on a slow disk, if this one does.
    pub(crate) fn hang_ms(&mut self) -> Option<u64> {
        if !self.disk.is_slow || !self.cx.random.chance(20) {
            return None;
        }
        self.cx.totals.add("hung writes", 1);
        Some(self.cx.random.between(LEASE_MS / 2, 3 * WRITE_MS_MAX))
    }

    fn step_acceptor(&mut self, user: &UserName, event: Event, todo: &mut VecDeque<Effect>) {
        let (now, floors) = (self.mono(), self.floors());
        let mut effects = Vec::new();
        self.slot(user).acceptor.step(now, &floors, event, &mut effects);
        todo.extend(effects);
    }

    fn begin_write(&mut self, user: &UserName, body: &Body) -> Result<(), NotVoting> {
        let slot = self.slot(user);
        let at = slot.len;
        if let Body::File(_, lines) = body
            && !slot.keeps_committed(lines)
        {
            let what = format!("file lacks what is committed: {user} at {}", self.me());
            self.cx.oracle.breach(what);
            return Err(NotVoting::NoSpace);
        }
        let begun = match body {
            Body::Line(bytes, _) => self.disk.append(user, at, bytes),
            Body::File(bytes, _) => self.disk.replace(user, bytes),
            Body::None => panic!("an acceptor only writes what came with its event"),
        };
        begun.map_err(|error| match error {
            DiskError::Full => {
                self.cx.totals.add("disk full", 1);
                NotVoting::NoSpace
            }
            DiskError::Sync => NotVoting::Damaged,
        })
    }

    /// A flush has returned.
    pub(crate) fn flushed(&mut self, user: &UserName) {
        let Some(step) = self.slot(user).writing.take() else { return };
        match self.disk.flush(user) {
            Ok(()) => {
                self.slot(user).took(&step.body);
                let (version, hash) = step.body.last();
                self.trace(format_args!("{user} holds {version}"));
                let is_vote = matches!(step.event, Event::Sync(_) | Event::Restore(_));
                let floors = self.floors();
                // What was written for members that are not in force any more is no vote.
                if is_vote && floors.epoch == version.term.epoch && floors.not_voting.is_none() {
                    let roster = self.place().current.clone();
                    self.cx.oracle.held(self.seat, &roster, user, (version, hash));
                }
                self.perform_event(user, step, Event::Written);
            }
            Err(error) => {
                self.trace(format_args!("{user} flush failed {error:?}"));
                self.cx.totals.add("flush failed", 1);
                self.perform_event(user, step, Event::Failed(NotVoting::Damaged));
            }
        }
        self.run_jobs(user);
    }

    pub(crate) fn ceiling_raised(&mut self, user: &UserName, is_done: bool) {
        let Some(step) = self.slot(user).writing.take() else { return };
        if is_done {
            self.perform(user, step);
        } else {
            let why = NotVoting::NoSpace;
            self.reply(user, step, Some(Reply::Refuse(Refuse::NotVoting { why })));
        }
        self.run_jobs(user);
    }

    /// Shows the lines up to `com`.
    fn show(&mut self, user: &UserName, com: Version) {
        let life = self.p.life;
        let slot = self.slot(user);
        while let Some(line) = slot.tail.pop_front_if(|line| line.version <= com) {
            apply_line(&mut slot.view, &line);
        }
        slot.shown = slot.shown.max(com);
        let shown = slot.shown;
        self.cx.oracle.shows(life, user, shown);
    }

    fn reply(&mut self, user: &UserName, step: Step, reply: Option<Reply>) {
        match reply {
            Some(Reply::Grant { term, .. } | Reply::Damaged { term, .. }) => {
                self.cx.oracle.promised(self.seat, user, term);
            }
            Some(Reply::Ack(version)) => {
                self.cx.oracle.promised(self.seat, user, version.term);
            }
            _ => {}
        }
        match step.back {
            Back::Nobody => {}
            Back::Peer { to, number, have } => {
                // A late repetition gets no word of the acceptor; its asker waits for one all the same.
                let acc = self.state(user).acc;
                let reply = reply.unwrap_or(Reply::Refuse(Refuse::Old { acc }));
                let body = self.granted_body(user, &reply, have);
                self.answer(to, number, Answer::Reply(reply, body));
            }
            Back::Act { act, ticket } => self.own_answer(act, ticket, reply),
            Back::Repair(act) => self.restored(act, reply.is_none()),
            Back::Read(read) => self.learnt(read),
            Back::ReadOwn(read) => {
                let state = match reply {
                    Some(Reply::State(state)) => Some(state),
                    _ => None,
                };
                let me = self.me();
                self.read_answered(read, me, state);
            }
            Back::Install => self.installed_one(user),
        }
    }

    fn granted_body(&self, user: &UserName, reply: &Reply, have: Option<Version>) -> Vec<u8> {
        match (reply, have) {
            (Reply::Grant { state, .. }, Some(have)) if state.acc != have => {
                let bytes = self.disk.read(user);
                if bytes.len() <= GRANT_BODY_BYTES_MAX { bytes.to_vec() } else { Vec::new() }
            }
            _ => Vec::new(),
        }
    }

    /// One question about a user from another machine: `Cluster::answer`.
    pub(crate) fn asked(&mut self, from: Seat, number: u64, ask: Ask) {
        let back = Back::Peer { to: from, number, have: None };
        match ask {
            Ask::Lock { user, term, have } => {
                if term.node != from.node.get() {
                    return;
                }
                let back = Back::Peer { to: from, number, have: Some(have) };
                self.step(&user, Event::Lock { term, lease_ms: LEASE_MS }, (Body::None, back));
            }
            Ask::Sync { user, proposal, bytes } => {
                let (version, hash) = (proposal.version, proposal.hash);
                let body = if proposal.full {
                    Body::file(bytes).filter(|body| body.last() == (version, hash))
                } else {
                    Body::line(bytes, (proposal.base, proposal.base_hash), (version, hash))
                };
                if let Some(body) = body {
                    return self.step(&user, Event::Sync(proposal), (body, back));
                }
                let reply = Reply::Refuse(Refuse::BadBase);
                self.answer(from, number, Answer::Reply(reply, Vec::new()));
            }
            Ask::Unlock { user, term, com } => {
                self.step(&user, Event::Unlock { term, com }, (Body::None, Back::Nobody));
            }
            Ask::Read { user } => self.step(&user, Event::Read, (Body::None, back)),
            Ask::Fetch { user } => self.job(&user, Job::Fetch { to: from, number }),
            Ask::Sums => {
                let has_vote = self.floors().not_voting.is_none();
                let marks = &self.disk.marks;
                let rows = self.states().into_iter().map(|(user, state)| {
                    let votes = has_vote && !marks.contains(&user);
                    (user, state, votes)
                });
                let rows = rows.collect();
                self.answer(from, number, Answer::Rows(rows));
            }
            Ask::Ping(told) => {
                self.take_note(from, told);
                let told = self.told();
                self.answer(from, number, Answer::Pong(told));
            }
        }
    }

    /// Reads one user's file at the start: `Replicas::load_one`.
    pub(crate) fn load(&mut self, user: &UserName) {
        let mut lines = Vec::new();
        let bytes = self.disk.read(user).to_vec();
        let scan = scan::scan(&bytes, &mut |line| lines.push(line));
        let good = &bytes[..usize::try_from(scan.good_len).unwrap()];
        match &scan.end {
            End::Whole => {}
            End::Torn { bytes } => {
                self.trace(format_args!("{user} torn tail of {bytes} bytes cut off"));
                self.cx.totals.add("torn tails", 1);
                self.disk.cut(user, good.len());
            }
            End::Damaged { why, .. } => {
                self.trace(format_args!("{user} damaged: {why}"));
                self.cx.totals.add("damaged", 1);
                self.disk.set_aside(user, good);
            }
        }
        let state = held(&scan);
        let is_marked = self.disk.marks.contains(user);
        let mut slot = Slot::new(user, restart::replica(state, is_marked));
        slot.took_lines(good.len(), &lines);
        self.p.slots.insert(user.clone(), slot);
        self.trace(format_args!("{user} loaded {} marked={is_marked}", state.acc));
        if !state.com.is_zero() {
            self.show(user, state.com);
        }
        self.vote_for(user);
    }

    /// What is held of a user counts as this machine's vote from now on.
    pub(crate) fn vote_for(&mut self, user: &UserName) {
        let state = self.state(user);
        if self.floors().not_voting.is_none() && !self.disk.marks.contains(user) {
            let roster = self.place().current.clone();
            self.cx.oracle.held(self.seat, &roster, user, (state.acc, state.hash));
        }
    }

    /// A machine that is alone is the majority: what it holds is committed.
    pub(crate) fn agree_alone(&mut self) {
        if self.members().len() > 1 || self.floors().not_voting.is_some() {
            return;
        }
        for (user, state) in self.states() {
            self.step(&user, Event::Committed(state.acc), (Body::None, Back::Nobody));
        }
    }

    /// Takes the mark off a user whose file was copied anew: `Replicas::clear_if_whole`.
    fn clear_if_whole(&mut self, user: &UserName, state: State) {
        let scan = scan::scan(self.disk.read(user), &mut |_| {});
        let found = (scan.chain.version, scan.chain.hash);
        let is_whole = scan.end == End::Whole && found == (state.acc, state.hash);
        if self.state(user) != state || !is_whole {
            return;
        }
        self.disk.marks.remove(user);
        self.cx.totals.add("rebuilt by a change", 1);
        self.trace(format_args!("{user} mark cleared by the change"));
        self.perform(user, Step { event: Event::Cleared, body: Body::None, back: Back::Nobody });
        self.vote_for(user);
    }

    /// Compares a user's file with what was written; marks it and sets it aside if it differs:
    /// `Replicas::check`.
    fn verify(&mut self, user: &UserName) {
        let slot = self.slot(user);
        let (state, len) = (slot.acceptor.state(), slot.len);
        let bytes = self.disk.read(user);
        let scan = scan::scan(&bytes[..len.min(bytes.len())], &mut |_| {});
        let found = (scan.chain.version, scan.chain.hash);
        if scan.end == End::Whole && found == (state.acc, state.hash) {
            return;
        }
        self.lose(user, len);
    }

    /// This user's file is not to be trusted any more: what is intact of its first `len` bytes takes its
    /// name. `Replicas::lose`.
    fn lose(&mut self, user: &UserName, len: usize) {
        let mut lines = Vec::new();
        let bytes = self.disk.read(user);
        let bytes = bytes[..len.min(bytes.len())].to_vec();
        let scan = scan::scan(&bytes, &mut |line| lines.push(line));
        self.trace(format_args!("{user} found damaged after {}", scan.chain.version));
        self.cx.totals.add("damaged", 1);
        let good = usize::try_from(scan.good_len).unwrap();
        self.disk.set_aside(user, &bytes[..good]);
        self.slot(user).took_lines(good, &lines);
        let event = Event::Damaged(held(&scan));
        self.perform(user, Step { event, body: Body::None, back: Back::Nobody });
    }
}

fn held(scan: &Scan) -> State {
    State { acc: scan.chain.version, hash: scan.chain.hash, com: scan.chain.com }
}
