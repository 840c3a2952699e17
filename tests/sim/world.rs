//! A run: machines, clients and faults of one seed, one event after another; then all faults end, and
//! everything must come together again.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tern::id::{Hash128, NodeId, UserName};
use tern::replica::Refuse;
use tern::replica::Reply;
use tern::replica::barrier::{Phase, Place, Roster, Seat};
use tern::replica::version::chain_hash;

use crate::act::Aim;
use crate::client::Clients;
use crate::event::{Alarm, Answer, Ask, Content, Ctx, Event, Packet, Request, Totals, What};
use crate::fault::{Faults, Mix};
use crate::machine::Machine;
use crate::verdict;

/// How long a run may take to come together after its faults, in virtual milliseconds.
const CALM_MS: u64 = 180_000;
/// Events of a run, at most: more is an endless loop.
const EVENTS_MAX: u64 = 3_000_000;

/// What a run is to be like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) is_printed: bool,
    pub(crate) machines: Option<u16>,
    pub(crate) clients: Option<usize>,
    /// Without faults of this kind.
    pub(crate) without: Vec<String>,
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) breach: Option<String>,
    pub(crate) tail: String,
    pub(crate) trace_hash: u64,
    pub(crate) totals: Totals,
}

pub(crate) struct World {
    pub(crate) cx: Ctx,
    pub(crate) machines: BTreeMap<NodeId, Machine>,
    pub(crate) clients: Clients,
    pub(crate) faults: Faults,
    is_calm: bool,
    /// When to look again whether the run has come together.
    looks_at: u64,
    last_words: Vec<usize>,
}

pub(crate) fn node(number: u16) -> NodeId {
    NodeId::new(number).unwrap()
}

/// A configuration of members, its digest made of all that is in it.
pub(crate) fn roster(epoch: u32, mut seats: Vec<Seat>) -> Roster {
    seats.sort_unstable();
    let text = format!("{epoch} {seats:?}");
    Roster { epoch, digest: chain_hash(Hash128::default(), &[text.as_bytes()]), seats }
}

/// Where a machine stands that was only just set up.
pub(crate) fn nowhere() -> Place {
    let current = Roster { epoch: 0, digest: Hash128::default(), seats: Vec::new() };
    Place { current, phase: Phase::Open, before: None, ready_for: None }
}

/// Runs one seed. A panic is a breach like any other: the core asserts its own invariants.
pub(crate) fn run(seed: u64, options: &Options) -> Outcome {
    let mut world = World::new(seed, options);
    let ran = catch_unwind(AssertUnwindSafe(|| world.run()));
    let panicked = ran.err().map(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!("panicked: {}", text.unwrap_or_default())
    });
    let commits = world.cx.oracle.commits() as u64;
    world.cx.totals.add("committed", commits);
    world.cx.totals.add("virtual seconds", world.cx.now / 1_000);
    Outcome {
        seed,
        breach: panicked.or(world.cx.oracle.breach.take().map(|breach| breach.0)),
        tail: world.cx.trace.tail(),
        trace_hash: world.cx.trace.hash,
        totals: world.cx.totals,
    }
}

impl World {
    fn new(seed: u64, options: &Options) -> Self {
        let mut cx = Ctx::new(seed, options.is_printed);
        let count = options.machines.unwrap_or(*cx.random.pick(&[1, 2, 3, 3, 3, 3, 5, 5]));
        let clients = cx.random.between(2, 8);
        let clients = options.clients.unwrap_or(usize::try_from(clients).unwrap());
        let seats: Vec<Seat> = (1..=count)
            .map(|number| Seat { node: node(number), incarnation: Hash128(cx.random.bytes()) })
            .collect();
        let first = roster(1, seats.clone());
        cx.oracle.roster(&first);
        cx.folds = cx.random.chance(60);
        let mut machines = BTreeMap::new();
        for seat in seats {
            let place =
                Place { current: first.clone(), phase: Phase::Open, before: None, ready_for: None };
            let rate = cx.random.between(950, 1_050);
            machines.insert(seat.node, Machine::new(seat, place, rate));
        }
        let names = ["anna", "ben", "carol", "dave", "eve"];
        let users = cx.random.between(2, 5);
        let users = names.iter().take(usize::try_from(users).unwrap());
        let users: Vec<UserName> = users.map(|name| UserName::parse(name).unwrap()).collect();
        let clients = Clients::new(clients, users, machines.keys().copied().collect());
        let faults = Faults::new(Mix::draw(&mut cx.random, options), first);
        let mut world = Self {
            cx,
            machines,
            clients,
            faults,
            is_calm: false,
            looks_at: 0,
            last_words: Vec::new(),
        };
        for machine in world.machines.values_mut() {
            machine.start(&mut world.cx);
        }
        world.clients.begin(&mut world.cx);
        world.cx.after(500, Event::Fault);
        world.cx.after(500, Event::Operator);
        world
    }

    fn run(&mut self) {
        let mut events = 0;
        while let Some(event) = self.cx.next() {
            events += 1;
            if events > EVENTS_MAX {
                self.cx.oracle.breach("the run comes to no end".to_owned());
            }
            self.happen(event);
            if self.cx.oracle.breach.is_some() {
                return;
            }
            if self.is_over() {
                break;
            }
        }
        self.cx.totals.add("events", events);
        verdict::judge(self);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver(packet) => self.deliver(packet),
            Event::Alarm { node, life, alarm } => self.alarm(node, life, alarm),
            Event::Request { to, request } => self.request(to, request),
            Event::Told { request, verdict } => {
                self.cx.trace.line(format!(
                    "{:>7} c{} {} {:?} hears {verdict:?}",
                    self.cx.now, request.client, request.user, request.what
                ));
                self.clients.told(&mut self.cx, &request, verdict);
            }
            Event::Client { client, waited_for } => {
                self.clients.turn(&mut self.cx, client, waited_for);
            }
            Event::Fault => self.fault(),
            Event::Restart(node) => {
                if let Some(machine) = self.machines.get_mut(&node).filter(|m| !m.is_up()) {
                    machine.start(&mut self.cx);
                }
            }
            Event::Operator => self.operator(),
            Event::PowerCut(node) => self.cut_power(node),
        }
    }

    /// A frozen machine does later what comes now. Whether it does.
    fn is_frozen(&mut self, node: NodeId, event: impl FnOnce() -> Event) -> bool {
        let until = self.machines.get(&node).map_or(0, |machine| machine.frozen_until);
        let is_frozen = until > self.cx.now;
        if is_frozen {
            self.cx.at(until, event());
        }
        is_frozen
    }

    fn alarm(&mut self, node: NodeId, life: u64, alarm: Alarm) {
        if self.is_frozen(node, || Event::Alarm { node, life, alarm: alarm.clone() }) {
            return;
        }
        let Some(mut host) = self.machines.get_mut(&node).and_then(|m| m.host(&mut self.cx)) else {
            return;
        };
        if host.p.life != life {
            return;
        }
        match alarm {
            Alarm::Flushed(user) => host.flushed(&user),
            Alarm::NodeFlushed => host.node_flushed(),
            Alarm::Act(act, at) => host.act_alarm(act, at),
            Alarm::Unanswered(number) => host.unanswered(number),
            Alarm::Read(read) => host.read_alarm(read),
            Alarm::Behind(user, version) => host.behind(&user, version),
            Alarm::Settle(user) => host.settle(&user),
            Alarm::Ping => host.ping(),
            Alarm::CatchUp => host.catch_up(),
            Alarm::Repair => host.repair(),
            Alarm::Scrub => host.scrub(),
        }
    }

    fn deliver(&mut self, packet: Packet) {
        let to = packet.to;
        if self.is_frozen(to.node, || Event::Deliver(packet.clone())) {
            return;
        }
        let Some(machine) = self.machines.get_mut(&to.node).filter(|m| m.seat == to) else {
            return;
        };
        let Some(mut host) = machine.host(&mut self.cx) else { return };
        let known = host.p.peers.get(&packet.from).and_then(|peer| peer.told);
        if known.is_some_and(|told| told.boot > packet.boot) {
            return;
        }
        match packet.content {
            Content::Ask(ask) => {
                let epoch = host.floors().epoch;
                if packet.epoch != epoch && !matches!(ask, Ask::Ping(_)) {
                    let why = Refuse::Epoch { epoch };
                    let answer = Answer::Reply(Reply::Refuse(why), Vec::new());
                    return host.answer(packet.from, packet.number, answer);
                }
                host.asked(packet.from, packet.number, ask);
            }
            Content::Answer(answer) => {
                let is_asked = host.p.pending.get(&packet.number);
                if is_asked.is_some_and(|(_, of)| *of == packet.from)
                    && let Some((waiter, from)) = host.p.pending.remove(&packet.number)
                {
                    host.heard(waiter, from, Some(answer));
                }
            }
        }
    }

    fn request(&mut self, to: NodeId, request: Request) {
        if self.is_frozen(to, || Event::Request { to, request: request.clone() }) {
            return;
        }
        let Some(mut host) = self.machines.get_mut(&to).and_then(|m| m.host(&mut self.cx)) else {
            return;
        };
        host.cx.totals.add("requests", 1);
        match request.what {
            What::Read => host.read(&request.user.clone(), Some(request)),
            What::View(seen) => {
                if host.slot(&request.user).shown() >= seen {
                    host.tell_view(request);
                } else {
                    host.read(&request.user.clone(), Some(request));
                }
            }
            _ => host.act(&request.user.clone(), Aim::Write(vec![request])),
        }
    }

    /// All faults end; whoever is down starts.
    pub(crate) fn calm(&mut self) {
        self.is_calm = true;
        self.cx.trace.line(format!("{:>7} all faults end", self.cx.now));
        self.cx.net = crate::net::Net::default();
        self.clients.is_over = true;
        for machine in self.machines.values_mut() {
            machine.frozen_until = 0;
            machine.disk.is_full = false;
            machine.disk.is_slow = false;
            machine.disk.failing = 0;
            machine.disk.is_doomed = false;
            if !machine.is_up() {
                machine.start(&mut self.cx);
            }
        }
        self.clients.machines = self.faults.open.nodes();
    }

    /// Whether the run has come together, or has had its time.
    fn is_over(&mut self) -> bool {
        if !self.is_calm || self.cx.now < self.looks_at {
            return false;
        }
        self.looks_at = self.cx.now + 250;
        if self.cx.now > self.faults.ends_at + CALM_MS {
            return true;
        }
        if !self.faults.is_settled() {
            return false;
        }
        if self.last_words.is_empty() {
            self.clients.machines = self.faults.open.nodes();
            self.last_words = self.clients.finish(&mut self.cx);
            return false;
        }
        let is_answered = |deed: &usize| self.clients.deeds[*deed].answered.is_some();
        self.last_words.iter().all(is_answered) && verdict::differences(self).is_empty()
    }

    /// The last acts of the clients, which must have been answered.
    pub(crate) fn last_words(&self) -> &[usize] {
        &self.last_words
    }
}
