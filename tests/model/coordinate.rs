//! The asking side: writes, reads, repair and comparison, as the shell drives them.

use std::collections::VecDeque;

use tern::clock::Mono;
use tern::replica::acceptor::{Event as Asked, Proposal};
use tern::replica::coordinator::{Begin, Effect, Event, Holding};
use tern::replica::digest::{Mend, Row, mend};
use tern::replica::mistake::{Mistake, is_made};
use tern::replica::reader::{Found, Reader};
use tern::replica::version::Version;
use tern::replica::{Reply, State};

use crate::file::{File, Line};
use crate::history::{self, Act, Ask, Told};
use crate::letter::{Body, What};
use crate::machine::{Job, Lock, Question, Why};
use crate::model::Seen;
use crate::step::{DEADLINE, Step};
use crate::world::{Rule, Stage};

/// How a lock went.
enum End {
    Held(Holding),
    Committed(Version),
    Outpaced,
    /// Nobody knows whether it is saved.
    Unknown,
    /// Nothing was saved.
    Failed,
}

impl Step<'_> {
    /// A client asks a machine, for the first time or again.
    pub(crate) fn start(&mut self, act: Act, at: usize) {
        let ask = self.config.acts[usize::from(act)].ask.clone();
        let progress = &mut self.world.acts[usize::from(act)];
        let is_again = progress.begun > 0;
        progress.begun += 1;
        progress.stage = Stage::Running;
        let begun = progress.begun;
        history::asked(self.world.history.edit(), act, &ask, is_again);
        if ask == Ask::Read {
            self.read(act, begun, at);
        } else {
            self.acquire(at, Why::Write(act));
        }
    }

    /// Takes the lock. Mirrors `UserGuard::begin`.
    pub(crate) fn acquire(&mut self, at: usize, why: Why) {
        let machine = &self.world.machines[at];
        let floors = machine.floors();
        let heard = self.world.machines.iter().map(|other| other.bootfloor.round).max();
        let own_ceiling = if why == Why::Repair { machine.ceiling } else { 0 };
        let begin = Begin {
            epoch: floors.epoch,
            members: machine.place.current.nodes(),
            is_repair: why == Why::Repair,
            own: machine.acceptor.state(),
            own_promise: machine.acceptor.promise(&floors),
            live: machine.place.current.nodes(),
            round_floor: heard.unwrap_or_default().max(own_ceiling),
            deadline: DEADLINE,
        };
        self.machine(at).job = Job::Lock(Lock::new(why));
        self.coordinate(at, Event::Begin(begin));
    }

    /// Steps a coordinator, sends what it asks for, feeds back what the own replica says, until
    /// others must be heard. Mirrors `UserGuard::drive`.
    pub(crate) fn coordinate(&mut self, at: usize, first: Event) {
        let mut events = VecDeque::from([first]);
        while let Some(event) = events.pop_front() {
            let now = if matches!(event, Event::Wake) { DEADLINE } else { Mono(0) };
            let mut effects = Vec::new();
            self.machine(at).coordinator.step(now, event, &mut effects);
            let mut end = None;
            let mut own = Vec::new();
            let me = self.world.machines[at].seat.node;
            let mut has_sent_line = false;
            for effect in effects {
                match effect {
                    Effect::Lock(to, _) | Effect::Sync { to, .. } | Effect::Unlock(to, ..)
                        if to == me =>
                    {
                        own.push(effect);
                    }
                    Effect::Lock(..) | Effect::Sync { .. } | Effect::Unlock(..) => {
                        has_sent_line |= matches!(effect, Effect::Sync { .. });
                        self.send(at, &effect);
                    }
                    Effect::WakeAt(_) => {}
                    Effect::Held(holding) => end = Some(End::Held(holding)),
                    Effect::Committed(version) => end = Some(End::Committed(version)),
                    Effect::Unknown => end = Some(End::Unknown),
                    Effect::Outpaced => end = Some(End::Outpaced),
                    Effect::Failed(_) => end = Some(End::Failed),
                }
            }
            if has_sent_line && self.is_dying {
                self.is_dying = false;
                return self.crash(at);
            }
            for effect in own {
                events.extend(self.perform_own(at, &effect));
            }
            if let Some(end) = end {
                events.clear();
                events.extend(self.ended(at, end));
            }
        }
    }

    /// Sends what is meant for a peer. Mirrors `UserGuard::send`.
    fn send(&mut self, at: usize, effect: &Effect) {
        let (to, what) = match *effect {
            Effect::Lock(to, term) => {
                self.asks(at, Question::Lock(term));
                (to, self.lock_letter(at, term))
            }
            Effect::Sync { to, full } => {
                let (proposal, body) = self.proposal(at, full);
                (to, What::Sync(proposal, body))
            }
            Effect::Unlock(to, term, Some(com)) => (to, What::Unlock(term, com)),
            // It would only end a lease.
            _ => return,
        };
        if let Some(to) = self.world.index(at, to) {
            self.post(at, to, what);
        }
    }

    fn lock_letter(&mut self, at: usize, term: tern::replica::version::Term) -> What {
        let is_repair = self.machine(at).lock().why == Why::Repair;
        if is_repair && is_made(Mistake::RepairedByReading) {
            What::Look(term)
        } else {
            What::Lock(term)
        }
    }

    fn asks(&mut self, at: usize, question: Question) {
        let lock = self.machine(at).lock();
        if lock.asked != question {
            lock.asked = question;
            lock.bodies.clear();
            match self.world.may.locks.checked_sub(1) {
                Some(left) => self.world.may.locks = left,
                None => self.world.is_over = true,
            }
        }
    }

    /// Does what is meant for the own replica. Mirrors `UserGuard::perform_own`.
    fn perform_own(&mut self, at: usize, effect: &Effect) -> Option<Event> {
        let me = self.world.machines[at].seat.node;
        let (event, body) = match *effect {
            Effect::Lock(_, term) => {
                self.asks(at, Question::Lock(term));
                let is_look = matches!(self.lock_letter(at, term), What::Look(_));
                let lock = Asked::Lock { term, lease_ms: 0 };
                (if is_look { Asked::Read } else { lock }, Body::None)
            }
            Effect::Unlock(_, term, com) => {
                self.replica(at, Asked::Unlock { term, com }, &Body::None);
                return None;
            }
            Effect::Sync { full, .. } => {
                let (proposal, body) = self.proposal(at, full);
                (Asked::Sync(proposal), body)
            }
            _ => return None,
        };
        let reply = self.replica(at, event, &body);
        Some(reply.map_or(Event::Lost(me), |reply| Event::Answered(me, reply)))
    }

    /// The version being written, as the line or the whole file. Mirrors `UserGuard::body`.
    fn proposal(&mut self, at: usize, full: bool) -> (Proposal, Body) {
        let lock = self.machine(at).lock();
        let line = lock.line.clone().unwrap();
        let (base, base_hash) = lock.base.last();
        let Line { version, hash, com, .. } = line;
        let body = if full { Body::File(lock.base.with(line)) } else { Body::Line(line) };
        (Proposal { version, base, base_hash, hash, com, full }, body)
    }

    /// What follows for whoever took the lock. Mirrors `UserGuard::begin`, `Backend::try_change` and
    /// the end of `Backend::change`.
    fn ended(&mut self, at: usize, end: End) -> Option<Event> {
        match end {
            End::Held(holding) => return self.held(at, holding),
            End::Committed(version) => {
                if !self.world.is_committed(version) {
                    self.world.breaks(Rule::Answer);
                }
                let file = {
                    let lock = self.machine(at).lock();
                    lock.base.with(lock.line.clone().unwrap())
                };
                self.finish(at, &file);
            }
            End::Outpaced => self.outpaced(at),
            End::Unknown => self.drop_job(at),
            End::Failed => self.failed(at),
        }
        None
    }

    /// The lock is held: looks, and writes or tells. Mirrors `UserGuard::begin` and `fetch_base`,
    /// then `Backend::try_change`.
    fn held(&mut self, at: usize, holding: Holding) -> Option<Event> {
        let base = holding.base;
        let machine = &self.world.machines[at];
        let file = match holding.held_by {
            None => Some(&machine.file),
            Some(node) => {
                let Job::Lock(lock) = &machine.job else { return None };
                let own = (node == machine.seat.node).then_some(&machine.file);
                let body = lock.bodies.iter().rev().find(|(from, _)| *from == node);
                body.map(|(_, file)| file).or(own)
            }
        };
        let Some(file) = file.filter(|file| file.last() == (base.acc, base.hash)).cloned() else {
            self.coordinate(at, Event::Release);
            self.retry(at);
            return None;
        };
        if holding.base.acc == self.world.machines[at].acceptor.state().acc
            && self.world.machines[at].coordinator.next_version().seq > 1
        {
            self.witness.see(Seen::Sticky);
        }
        let why = {
            let lock = self.machine(at).lock();
            lock.base = file.clone();
            lock.bodies.clear();
            lock.why
        };
        let new = match why {
            Why::Write(act) if file.place(act).is_none() && !file.is_ended(base.acc) => {
                Some(self.config.acts[usize::from(act)].ask.clone())
            }
            Why::Write(_) | Why::Settle(_) if holding.committed => {
                self.coordinate(at, Event::Release);
                self.finish(at, &file);
                return None;
            }
            Why::Write(_) | Why::Settle(_) | Why::Repair => None,
        };
        Some(self.propose(at, base, new.as_ref()))
    }

    /// Makes the next version and has it written. Mirrors `UserGuard::write`, and the repair's
    /// restoring of the own file before.
    fn propose(&mut self, at: usize, base: State, new: Option<&Ask>) -> Event {
        let version = self.world.machines[at].coordinator.next_version();
        let line = Line::new(version, base, new);
        let hash = line.hash;
        let lock = self.machine(at).lock();
        lock.line = Some(line.clone());
        lock.asked = Question::Sync(version);
        let (why, file) = (lock.why, lock.base.with(line));
        self.world.proposed(at, &file);
        match why {
            Why::Write(act) => self.world.acts[usize::from(act)].was_sent = true,
            Why::Settle(_) => {}
            Why::Repair => {
                let State { acc, hash: own, .. } = self.world.machines[at].acceptor.state();
                let full = (acc, own) != (base.acc, base.hash);
                let (proposal, body) = self.proposal(at, full);
                self.replica(at, Asked::Restore(proposal), &body);
                if self.world.machines[at].is_marked {
                    // Refused: a higher term was promised meanwhile.
                    self.machine(at).job = Job::None;
                    return Event::Release;
                }
            }
        }
        Event::Write(hash)
    }

    /// What was looked at or written is committed, and is told.
    fn finish(&mut self, at: usize, file: &File) {
        let why = self.machine(at).lock().why;
        let (version, _) = file.last();
        self.machine(at).job = Job::None;
        match why {
            Why::Write(act) => {
                let told = file.place(act).map_or(Told::Gone, Told::At);
                self.tell(act, told);
            }
            Why::Settle(act) => self.settled(at, act, version),
            Why::Repair => {}
        }
    }

    fn outpaced(&mut self, at: usize) {
        self.witness.see(Seen::Outpaced);
        self.retry(at);
    }

    /// Begins anew, if that was not done too often; who gives up does not know.
    fn retry(&mut self, at: usize) {
        let why = self.machine(at).lock().why;
        match why {
            Why::Write(act) if self.may_begin(act) => {
                self.world.acts[usize::from(act)].begun += 1;
                self.acquire(at, why);
            }
            Why::Write(_) | Why::Settle(_) => self.drop_job(at),
            Why::Repair => self.machine(at).job = Job::None,
        }
    }

    pub(crate) fn may_begin(&self, act: Act) -> bool {
        let act = usize::from(act);
        self.world.acts[act].begun < self.config.acts[act].tries
    }

    fn failed(&mut self, at: usize) {
        if let Why::Write(act) = self.machine(at).lock().why
            && !self.world.acts[usize::from(act)].was_sent
        {
            self.world.acts[usize::from(act)].stage = Stage::Refused;
            self.machine(at).job = Job::None;
            return;
        }
        self.drop_job(at);
    }

    /// A linearizable read. Mirrors `Cluster::fresh` and `ask_all`.
    fn read(&mut self, act: Act, begun: u8, at: usize) {
        let members = self.world.machines[at].place.current.nodes();
        self.machine(at).job = Job::Read(act, begun, Reader::new(&members));
        for node in members {
            match self.world.index(at, node) {
                Some(to) if to != at => self.post(at, to, What::Read(act, begun)),
                _ => {}
            }
        }
        let own = match self.replica(at, Asked::Read, &Body::None) {
            Some(Reply::State(state)) => Some(state),
            _ => None,
        };
        self.heard(at, (act, begun), at, own);
    }

    /// A member told a reader what it holds, or that it has no vote.
    pub(crate) fn heard(
        &mut self,
        at: usize,
        (act, begun): (Act, u8),
        from: usize,
        state: Option<State>,
    ) {
        let node = self.world.machines[from].seat.node;
        let Job::Read(of, times, reader) = &mut self.machine(at).job else { return };
        if (*of, *times) != (act, begun) {
            return;
        }
        match state {
            Some(state) => reader.answered(node, state),
            None => reader.lost(node),
        }
        self.reader_moved(at);
    }

    /// Those who have not answered are not waited for any longer.
    pub(crate) fn grace_over(&mut self, at: usize) {
        if let Job::Read(.., reader) = &mut self.machine(at).job {
            reader.give_up_rest();
        }
        self.reader_moved(at);
    }

    fn reader_moved(&mut self, at: usize) {
        let Job::Read(act, _, reader) = &self.world.machines[at].job else { return };
        let act = *act;
        match reader.found() {
            Found::Pending => {}
            Found::Fresh(version, holder) => {
                if version.is_zero() || self.learn(at, version, holder) {
                    self.machine(at).job = Job::None;
                    self.tell_view(at, act);
                } else {
                    self.drop_job(at);
                }
            }
            Found::Unsettled => {
                self.witness.see(Seen::Unsettled);
                self.acquire(at, Why::Settle(act));
            }
            Found::NoMajority => self.drop_job(at),
        }
    }

    /// The lock has shown or made a committed version, perhaps without this machine's replica.
    fn settled(&mut self, at: usize, act: Act, version: Version) {
        let nodes = self.world.machines[at].place.current.nodes();
        if version.is_zero() || nodes.into_iter().any(|peer| self.learn(at, version, peer)) {
            return self.tell_view(at, act);
        }
        self.world.acts[usize::from(act)].stage = Stage::Unknown;
    }

    fn tell_view(&mut self, at: usize, act: Act) {
        let machine = &self.world.machines[at];
        let is_ended = machine.file.is_ended(machine.acceptor.state().com);
        let list = if is_ended { Vec::new() } else { machine.view() };
        self.witness.see(Seen::Read);
        self.tell(act, Told::Is(list));
    }

    /// Asks all for what they hold. Mirrors `Cluster::compare`.
    pub(crate) fn compare(&mut self, at: usize, number: u8) {
        let machine = &self.world.machines[at];
        let (node, state) = (machine.seat.node, machine.acceptor.state());
        let has_vote = !machine.acceptor.is_damaged() && machine.floors().not_voting.is_none();
        let row = Row { node, state, has_vote };
        let members = machine.place.current.nodes();
        self.machine(at).job = Job::Compare(number, vec![row]);
        for node in members {
            match self.world.index(at, node) {
                Some(to) if to != at => self.post(at, to, What::Rows(number)),
                _ => {}
            }
        }
    }

    pub(crate) fn row(&mut self, at: usize, from: usize, state: State, has_vote: bool) {
        let node = self.world.machines[from].seat.node;
        if let Job::Compare(_, rows) = &mut self.machine(at).job
            && rows.iter().all(|row| row.node != node)
        {
            rows.push(Row { node, state, has_vote });
        }
    }

    /// Mends what the rows that came in tell. Mirrors `Cluster::compare_user`.
    pub(crate) fn mend(&mut self, at: usize) {
        let Job::Compare(_, rows) = std::mem::replace(&mut self.machine(at).job, Job::None) else {
            return;
        };
        let members = self.world.machines[at].place.current.seats.len();
        let me = self.world.machines[at].seat.node;
        match mend(me, members, &rows) {
            // Settling is a reading, which is among clients' acts.
            Mend::Nothing | Mend::Settle => {}
            Mend::Commit(version) => {
                self.replica(at, Asked::Committed(version), &Body::None);
                self.witness.see(Seen::Agreed);
            }
            Mend::Learn(version, holder) => {
                self.learn(at, version, holder);
            }
        }
    }
}
