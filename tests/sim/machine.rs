//! One machine: its disk, its process while it has one, and the process's start. The parts of the
//! process mirror the shell, each file here one there, with events in place of threads that wait.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tern::clock::Mono;
use tern::id::{Hash128, NodeId, UserName};
use tern::replica::State;
use tern::replica::acceptor::Floors;
use tern::replica::barrier::{Place, Seat, Standing};
use tern::replica::restart;
use tern::replica::version::{Term, Version, chain_hash};

use crate::act::{Act, Lane};
use crate::change::Install;
use crate::disk::{Disk, NodeFile};
use crate::event::{Alarm, Answer, Ask, Content, Ctx, Event, Packet, Told};
use crate::read::{Compare, Learn, Reading};
use crate::slot::Slot;

pub(crate) struct Machine {
    pub(crate) seat: Seat,
    pub(crate) disk: Disk,
    pub(crate) process: Option<Process>,
    /// Until when nothing runs here, though the process lives (`SIGSTOP`).
    pub(crate) frozen_until: u64,
    /// How fast its monotonic clock goes, in thousandths.
    rate: u64,
}

/// Who waits for an answer.
#[derive(Debug, Clone)]
pub(crate) enum Waiter {
    Act { act: u64, ticket: u64 },
    Base(u64),
    Read(u64),
    Learn(u64),
    Compare,
    InstallRows,
    InstallFile(UserName),
    Ping,
}

/// A write of `node.json` that waits for its turn.
pub(crate) enum NodeJob {
    Ceiling { to: u64, user: UserName },
    Place(Place),
}

/// What is known of another machine: `cluster::membership`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer {
    pub(crate) is_up: bool,
    pub(crate) missed: u32,
    pub(crate) told: Option<Told>,
    pub(crate) sums_differed: bool,
}

/// One life of a process: everything that a crash forgets.
pub(crate) struct Process {
    pub(crate) life: u64,
    pub(crate) boot: u32,
    pub(crate) bootfloor: Term,
    pub(crate) slots: BTreeMap<UserName, Slot>,
    pub(crate) lanes: BTreeMap<UserName, Lane>,
    pub(crate) round_used: u64,
    pub(crate) acts: BTreeMap<u64, Act>,
    pub(crate) reads: BTreeMap<u64, Reading>,
    pub(crate) learns: BTreeMap<u64, Learn>,
    pub(crate) pending: BTreeMap<u64, (Waiter, Seat)>,
    pub(crate) peers: BTreeMap<Seat, Peer>,
    pub(crate) node_jobs: VecDeque<NodeJob>,
    pub(crate) numbers: u64,
    pub(crate) compare: Option<Compare>,
    pub(crate) compare_wanted: bool,
    pub(crate) compared_at: u64,
    pub(crate) unsettled: BTreeMap<UserName, Version>,
    pub(crate) install: Option<Install>,
    pub(crate) has_installed: bool,
    /// The sum that all new members told when this one got ready.
    pub(crate) agreed: Option<Hash128>,
    /// Damaged copies that were made whole by the change that opens.
    pub(crate) rebuilt: Vec<(UserName, State)>,
    pub(crate) installed_at: u64,
    pub(crate) last_post: u64,
}

/// A machine with a running process, and all that is around it.
pub(crate) struct Host<'a> {
    pub(crate) seat: Seat,
    pub(crate) disk: &'a mut Disk,
    pub(crate) p: &'a mut Process,
    pub(crate) cx: &'a mut Ctx,
    pub(crate) rate: u64,
}

impl Machine {
    pub(crate) fn new(seat: Seat, place: Place, rate: u64) -> Self {
        Self { seat, disk: Disk::new(place), process: None, frozen_until: 0, rate }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    pub(crate) fn host<'a>(&'a mut self, cx: &'a mut Ctx) -> Option<Host<'a>> {
        let p = self.process.as_mut()?;
        Some(Host { seat: self.seat, disk: &mut self.disk, p, cx, rate: self.rate })
    }

    /// The process ends in the middle of whatever it does.
    pub(crate) fn crash(&mut self, cx: &mut Ctx, is_power_cut: bool) {
        let what = if is_power_cut { "power cut" } else { "killed" };
        cx.trace(self.seat.node, format_args!("{what}"));
        self.process = None;
        self.frozen_until = 0;
        if is_power_cut {
            self.disk.cut_power(&mut cx.random);
        } else {
            self.disk.kill(&mut cx.random);
        }
    }

    /// A process starts: counts the start, flushes, reads every file. `cluster::identity::start` and
    /// `store::UserStore::start`.
    pub(crate) fn start(&mut self, cx: &mut Ctx) {
        let NodeFile { boot, ceiling, place } = self.disk.node.clone();
        let Some(boot) = restart::next_boot(boot) else { return };
        self.disk.node.boot = boot;
        self.disk.sync_all();
        let bootfloor = restart::bootfloor(place.current.epoch, ceiling);
        let process = Process {
            life: cx.life(),
            boot,
            bootfloor,
            slots: BTreeMap::new(),
            lanes: BTreeMap::new(),
            round_used: 0,
            acts: BTreeMap::new(),
            reads: BTreeMap::new(),
            learns: BTreeMap::new(),
            pending: BTreeMap::new(),
            peers: BTreeMap::new(),
            node_jobs: VecDeque::new(),
            numbers: 0,
            compare: None,
            compare_wanted: true,
            compared_at: 0,
            unsettled: BTreeMap::new(),
            install: None,
            has_installed: false,
            agreed: None,
            rebuilt: Vec::new(),
            installed_at: 0,
            last_post: 0,
        };
        cx.trace(self.seat.node, format_args!("starts boot={boot} floor={bootfloor}"));
        self.process = Some(process);
        let Some(mut host) = self.host(cx) else { return };
        let marked = host.disk.marks.iter().cloned();
        let users: BTreeSet<UserName> = host.disk.names().into_iter().chain(marked).collect();
        for user in users {
            host.load(&user);
        }
        host.agree_alone();
        host.alarm(0, Alarm::Ping);
        host.alarm(100, Alarm::CatchUp);
        host.alarm(1_000, Alarm::Repair);
        host.alarm(4_000, Alarm::Scrub);
    }
}

impl Host<'_> {
    pub(crate) fn me(&self) -> NodeId {
        self.seat.node
    }

    pub(crate) fn place(&self) -> &Place {
        &self.disk.node.place
    }

    pub(crate) fn trace(&mut self, what: std::fmt::Arguments<'_>) {
        let me = self.me();
        self.cx.trace(me, what);
    }

    /// This machine's monotonic clock: `clock::Clock::mono`.
    pub(crate) fn mono(&self) -> Mono {
        Mono(self.cx.now * self.rate / 1000)
    }

    pub(crate) fn alarm(&mut self, ms: u64, alarm: Alarm) {
        let event = Event::Alarm { node: self.me(), life: self.p.life, alarm };
        self.cx.after(ms, event);
    }

    /// In how many real milliseconds this machine's clock shows a time.
    pub(crate) fn until(&self, at: Mono) -> u64 {
        at.since_ms(self.mono()) * 1000 / self.rate + 1
    }

    /// What this machine has promised as a whole: `Identity::floors`.
    pub(crate) fn floors(&self) -> Floors {
        let place = self.place();
        Floors {
            epoch: place.current.epoch,
            bootfloor: self.p.bootfloor,
            ceiling: self.disk.node.ceiling,
            not_voting: place.not_voting(self.seat),
        }
    }

    pub(crate) fn members(&self) -> Vec<NodeId> {
        self.place().current.nodes()
    }

    pub(crate) fn seat_of(&self, node: NodeId) -> Option<Seat> {
        let place = self.place();
        let before = place.before.iter().flat_map(|roster| &roster.seats);
        place.current.seats.iter().chain(before).copied().find(|seat| seat.node == node)
    }

    /// All machines that this one speaks with, in the old list or the new one.
    pub(crate) fn others(&self) -> Vec<Seat> {
        let place = self.place();
        let mut all = place.current.seats.clone();
        if !place.phase.eq(&tern::replica::barrier::Phase::Open)
            && let Some(before) = &place.before
        {
            all.extend(&before.seats);
        }
        all.sort_unstable();
        all.dedup();
        all.retain(|seat| *seat != self.seat);
        all
    }

    /// The members that are not suspected, this machine first: `Membership::live`.
    pub(crate) fn live(&self) -> Vec<NodeId> {
        let current = &self.place().current;
        let up = current.seats.iter().filter(|seat| {
            **seat != self.seat && self.p.peers.get(seat).is_some_and(|peer| peer.is_up)
        });
        std::iter::once(self.me()).chain(up.map(|seat| seat.node)).collect()
    }

    pub(crate) fn round_floor(&self) -> u64 {
        let floors = self.p.peers.values().filter(|peer| peer.is_up);
        floors.filter_map(|peer| peer.told).map(|told| told.bootfloor.round).max().unwrap_or(0)
    }

    fn packet(&self, to: Seat, number: u64, content: Content) -> Packet {
        let epoch = self.place().current.epoch;
        Packet { from: self.seat, boot: self.p.boot, to, epoch, number, content }
    }

    /// Asks another machine; the waiter hears its answer, or that none will come: `Links::send`.
    pub(crate) fn ask(&mut self, to: Seat, ask: Ask, (waiter, within_ms): (Waiter, u64)) {
        self.p.numbers += 1;
        let number = self.p.numbers;
        self.p.pending.insert(number, (waiter, to));
        let packet = self.packet(to, number, Content::Ask(ask));
        self.cx.send(packet);
        self.alarm(within_ms.min(tern::limits::PEER_ANSWER_MS), Alarm::Unanswered(number));
    }

    /// Tells another machine what needs no answer.
    pub(crate) fn notice(&mut self, to: Seat, ask: Ask) {
        let packet = self.packet(to, 0, Content::Ask(ask));
        self.cx.send(packet);
    }

    pub(crate) fn answer(&mut self, to: Seat, number: u64, answer: Answer) {
        let packet = self.packet(to, number, Content::Answer(answer));
        self.cx.send(packet);
    }

    /// XOR over all users of what is held: `Replicas::sum`.
    pub(crate) fn sum(&self) -> Hash128 {
        let mut sum = [0; 16];
        for (user, state) in self.states() {
            let version = state.acc.to_string();
            let parts = [user.as_str().as_bytes(), b" ", version.as_bytes(), &state.hash.0];
            let hash = chain_hash(Hash128::default(), &parts);
            sum.iter_mut().zip(hash.0).for_each(|(to, from)| *to ^= from);
        }
        Hash128(sum)
    }

    /// What each replica with a file holds.
    pub(crate) fn states(&self) -> BTreeMap<UserName, State> {
        let held = self.p.slots.iter().map(|(user, slot)| (user.clone(), slot.acceptor.state()));
        held.filter(|(_, state)| !state.acc.is_zero()).collect()
    }

    pub(crate) fn told(&self) -> Told {
        let place = self.place();
        let standing = Standing {
            epoch: place.current.epoch,
            digest: place.current.digest,
            phase: place.phase,
            is_clean: place.is_clean(),
            has_installed: self.p.has_installed,
            sum: self.sum(),
            is_damaged: !self.disk.marks.is_empty(),
        };
        Told { boot: self.p.boot, bootfloor: self.p.bootfloor, standing }
    }

    /// A write of `node.json` begins, or waits for the one before it: `store::NodeState`.
    pub(crate) fn node_job(&mut self, job: NodeJob) {
        self.p.node_jobs.push_back(job);
        if self.p.node_jobs.len() == 1 {
            self.next_node_job();
        }
    }

    fn next_node_job(&mut self) {
        let Some(job) = self.p.node_jobs.front() else { return };
        let mut next = self.disk.node.clone();
        match job {
            NodeJob::Ceiling { to, .. } => next.ceiling = next.ceiling.max(*to),
            NodeJob::Place(place) => next.place = place.clone(),
        }
        self.disk.node_next = (!self.disk.is_full).then_some(next);
        let delay = self.hang_ms().unwrap_or_else(|| self.cx.random.between(1, 8));
        self.alarm(delay, Alarm::NodeFlushed);
    }

    /// A write of `node.json` has ended.
    pub(crate) fn node_flushed(&mut self) {
        let Some(job) = self.p.node_jobs.pop_front() else { return };
        let next = self.disk.node_next.take();
        let is_done = next.is_some();
        if let Some(next) = next {
            self.disk.node = next;
        }
        self.next_node_job();
        match job {
            NodeJob::Ceiling { user, .. } => self.ceiling_raised(&user, is_done),
            NodeJob::Place(_) if is_done => self.placed(),
            NodeJob::Place(_) => {}
        }
    }

    /// The time that a question may take has passed.
    pub(crate) fn unanswered(&mut self, number: u64) {
        if let Some((waiter, from)) = self.p.pending.remove(&number) {
            self.heard(waiter, from, None);
        }
    }
}
