//! What goes wrong, and when: drawn from the seed. And the operator, who changes the members.

use tern::id::{Hash128, NodeId};
use tern::replica::barrier::{Phase, Roster, Seat};
use tern::replica::mistake::{Mistake, is_made};
use tern::replica::quorum::majority;
use tern::store::scan::{self, End};

use crate::disk::Disk;
use crate::event::Event;
use crate::machine::Machine;
use crate::net::Net;
use crate::random::Random;
use crate::world::{Options, World, node, nowhere, roster};

/// How long faults go on, in virtual milliseconds.
const FAULTS_MS: u64 = 20_000;
/// How long the operator waits for a change before it is repeated or replaced, in milliseconds.
const CHANGE_MS: u64 = 12_000;

/// Which faults a run has.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault that a run has or has not")]
pub(crate) struct Mix {
    pub(crate) net: bool,
    pub(crate) cuts: bool,
    pub(crate) crashes: bool,
    pub(crate) freezes: bool,
    pub(crate) full: bool,
    pub(crate) slow: bool,
    pub(crate) damage: bool,
    pub(crate) changes: bool,
}

impl Mix {
    pub(crate) fn draw(random: &mut Random, options: &Options) -> Self {
        let mut draw = |what: &str, percent| {
            random.chance(percent) && options.without.iter().all(|without| without != what)
        };
        Self {
            net: draw("net", 80),
            cuts: draw("cuts", 70),
            crashes: draw("crashes", 80),
            freezes: draw("freezes", 50),
            full: draw("full", 30),
            slow: draw("slow", 30),
            damage: draw("damage", 60),
            changes: draw("changes", 40),
        }
    }
}

/// A change that the operator has begun.
struct Change {
    next: Roster,
    begun: u64,
}

pub(crate) struct Faults {
    mix: Mix,
    pub(crate) ends_at: u64,
    /// The members in force.
    pub(crate) open: Roster,
    change: Option<Change>,
    /// The members of every change since one has opened.
    tried: Vec<Vec<Seat>>,
    epoch: u32,
}

impl Faults {
    pub(crate) fn new(mix: Mix, open: Roster) -> Self {
        Self { mix, ends_at: FAULTS_MS, open, change: None, tried: Vec::new(), epoch: 1 }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.change.is_none()
    }
}

/// Whether some file of a disk is not what was written.
fn is_bad(disk: &Disk) -> bool {
    !disk.marks.is_empty()
        || disk.names().iter().any(|user| {
            let bytes = disk.read(user);
            matches!(scan::scan(bytes, &mut |_| {}).end, End::Damaged { .. })
        })
}

impl World {
    pub(crate) fn fault(&mut self) {
        if self.cx.now >= self.faults.ends_at {
            return self.calm();
        }
        let pause = self.cx.random.between(100, 1_200);
        self.cx.after(pause, Event::Fault);
        let mix = self.faults.mix.clone();
        let nodes: Vec<NodeId> = self.machines.keys().copied().collect();
        let victim = *self.cx.random.pick(&nodes);
        match self.cx.random.below(11) {
            0 | 1 if mix.net => self.spoil_net(),
            2 | 3 if mix.cuts => self.cut(victim, &nodes),
            4 | 5 if mix.crashes => self.crash(victim),
            6 if mix.freezes => self.freeze(victim),
            7 if mix.full => self.fill(victim),
            8 if mix.damage => self.damage(victim),
            9 if mix.changes => self.begin_change(victim),
            10 if mix.slow => self.slow_down(victim),
            _ => {}
        }
    }

    fn spoil_net(&mut self) {
        let random = &mut self.cx.random;
        let cut = std::mem::take(&mut self.cx.net.cut);
        self.cx.net = if random.chance(30) {
            Net::default()
        } else {
            Net {
                loss: random.below(15),
                doubled: random.below(10),
                late: random.below(30),
                late_ms: random.between(10, 1_500),
                ..Net::default()
            }
        };
        self.cx.net.cut = cut;
    }

    fn cut(&mut self, victim: NodeId, nodes: &[NodeId]) {
        if self.cx.random.chance(50) {
            self.cx.net.cut.clear();
            return;
        }
        self.cx.totals.add("cuts", 1);
        let (both, one) = (self.cx.random.chance(60), *self.cx.random.pick(nodes));
        let others = nodes.iter().filter(|other| **other != victim);
        let all = self.cx.random.chance(60);
        for &other in others.filter(|other| all || **other == one) {
            self.cx.net.cut.insert((victim, other));
            if both {
                self.cx.net.cut.insert((other, victim));
            }
        }
        self.cx.trace(victim, format_args!("cut off both={both} all={all}"));
    }

    /// A machine loses its power in the middle of a write.
    pub(crate) fn cut_power(&mut self, victim: NodeId) {
        if let Some(machine) = self.machines.get_mut(&victim).filter(|machine| machine.is_up()) {
            machine.crash(&mut self.cx, true);
            self.cx.totals.add("power cuts", 1);
            let down = self.cx.random.between(20, 2_000);
            self.cx.after(down, Event::Restart(victim));
        }
    }

    fn crash(&mut self, victim: NodeId) {
        if self.cx.random.chance(40) {
            if let Some(machine) = self.machines.get_mut(&victim) {
                machine.disk.is_doomed = true;
            }
            return;
        }
        let is_power_cut = self.cx.random.chance(50);
        // Now and then the power fails for all.
        let all = is_power_cut && self.cx.random.chance(15);
        for (&node, machine) in &mut self.machines {
            if node != victim && !all || !machine.is_up() {
                continue;
            }
            machine.crash(&mut self.cx, is_power_cut);
            self.cx.totals.add(if is_power_cut { "power cuts" } else { "kills" }, 1);
            // A killed machine may lose its power before it was started again.
            if !is_power_cut && self.cx.random.chance(20) {
                machine.disk.cut_power(&mut self.cx.random);
            }
            let long = self.cx.random.chance(30);
            let down = self.cx.random.between(20, if long { 6_000 } else { 800 });
            self.cx.after(down, Event::Restart(node));
        }
    }

    fn freeze(&mut self, victim: NodeId) {
        let ms = self.cx.random.between(50, 3_500);
        let until = self.cx.now + ms;
        if let Some(machine) = self.machines.get_mut(&victim).filter(|machine| machine.is_up()) {
            machine.frozen_until = until;
            self.cx.totals.add("freezes", 1);
            self.cx.trace(victim, format_args!("frozen for {ms} ms"));
        }
    }

    fn fill(&mut self, victim: NodeId) {
        if let Some(machine) = self.machines.get_mut(&victim) {
            machine.disk.is_full = !machine.disk.is_full;
            let is_full = machine.disk.is_full;
            self.cx.trace(victim, format_args!("disk full={is_full}"));
        }
    }

    fn slow_down(&mut self, victim: NodeId) {
        if let Some(machine) = self.machines.get_mut(&victim) {
            machine.disk.is_slow = !machine.disk.is_slow;
            let is_slow = machine.disk.is_slow;
            self.cx.trace(victim, format_args!("disk slow={is_slow}"));
        }
    }

    /// Whether one more machine may lose what it has acknowledged: whole copies of everything must
    /// remain at so many that any majority has one, of the members in force and, while they change,
    /// of all that may be by now.
    fn may_spoil(&self, victim: NodeId) -> bool {
        let is_lost = |seat: &&Seat| {
            let machine = &self.machines[&seat.node];
            let is_spoilt = is_bad(&machine.disk) || machine.disk.failing > 0;
            seat.node == victim || machine.seat != **seat || is_spoilt
        };
        let Faults { open, change, tried, .. } = &self.faults;
        let next = change.iter().map(|change| &change.next.seats);
        let mut lists = tried.iter().chain(next).chain([&open.seats]);
        lists.all(|seats| {
            seats.iter().filter(is_lost).count() <= seats.len() - majority(seats.len())
        })
    }

    fn damage(&mut self, victim: NodeId) {
        if !self.may_spoil(victim) {
            return;
        }
        let is_changing = !self.faults.is_settled();
        self.cx.totals.add("damage in a change", u64::from(is_changing));
        let Some(machine) = self.machines.get_mut(&victim) else { return };
        if self.cx.random.chance(40) {
            machine.disk.failing = 1;
            return self.cx.trace(victim, format_args!("the next flush fails"));
        }
        let names = machine.disk.names();
        if names.is_empty() {
            return;
        }
        let user = self.cx.random.pick(&names).clone();
        if machine.disk.rot(&user, &mut self.cx.random) {
            self.cx.totals.add("rotted", 1);
            self.cx.trace(victim, format_args!("{user} rots"));
        }
    }

    /// A machine is wiped and replaced, or one is added or removed, whatever is damaged meanwhile: it
    /// is for the barrier to see that the only whole copy does not go.
    fn begin_change(&mut self, victim: NodeId) {
        if !self.faults.is_settled() {
            return;
        }
        let is_bad = self.machines.values().any(|machine| is_bad(&machine.disk));
        let mut seats = self.faults.open.seats.clone();
        match self.cx.random.below(3) {
            0 if self.may_spoil(victim) => {
                let Some(seat) = self.wipe(victim) else { return };
                if is_made(Mistake::WipedVotes) {
                    return;
                }
                seats.retain(|seat| seat.node != victim);
                seats.push(seat);
            }
            1 if seats.len() < 5 => {
                for _ in 0..self.cx.random.between(1, 2) {
                    seats.push(self.set_up());
                }
            }
            2 if seats.len() > 2 => {
                let gone = self.cx.random.index(seats.len());
                seats.remove(gone);
            }
            _ => return,
        }
        self.cx.totals.add("changes while damaged", u64::from(is_bad));
        self.propose_change(seats);
    }

    fn propose_change(&mut self, seats: Vec<Seat>) {
        self.faults.epoch += 1;
        if !self.faults.tried.contains(&seats) {
            self.faults.tried.push(seats.clone());
        }
        let next = roster(self.faults.epoch, seats);
        let nodes: Vec<u16> = next.nodes().into_iter().map(NodeId::get).collect();
        self.cx.trace.line(format!(
            "{:>7} the operator gives out epoch {} with {nodes:?}",
            self.cx.now, next.epoch
        ));
        self.cx.oracle.roster(&next);
        self.cx.totals.add("changes begun", 1);
        self.faults.change = Some(Change { next, begun: self.cx.now });
    }

    /// A machine loses its disk and is set up anew.
    fn wipe(&mut self, victim: NodeId) -> Option<Seat> {
        let machine = self.machines.get_mut(&victim)?;
        if machine.is_up() {
            machine.crash(&mut self.cx, true);
        }
        self.cx.totals.add("wiped", 1);
        self.cx.trace(victim, format_args!("wiped"));
        let rate = self.cx.random.between(950, 1_050);
        let fresh = if is_made(Mistake::WipedVotes) {
            // Nothing tells it from the machine it was.
            let place = machine.disk.node.place.clone();
            let boot = machine.disk.node.boot;
            let mut fresh = Machine::new(machine.seat, place, rate);
            fresh.disk.node.boot = boot;
            fresh
        } else {
            let incarnation = Hash128(self.cx.random.bytes());
            Machine::new(Seat { node: victim, incarnation }, nowhere(), rate)
        };
        let seat = fresh.seat;
        *machine = fresh;
        machine.start(&mut self.cx);
        Some(seat)
    }

    /// A machine that was never there.
    fn set_up(&mut self) -> Seat {
        let taken = |number: &u16| !self.machines.contains_key(&node(*number));
        let number = (1..=NodeId::MAX).find(taken).unwrap();
        let seat = Seat { node: node(number), incarnation: Hash128(self.cx.random.bytes()) };
        let rate = self.cx.random.between(950, 1_050);
        let mut machine = Machine::new(seat, nowhere(), rate);
        machine.start(&mut self.cx);
        self.machines.insert(seat.node, machine);
        seat
    }

    /// The members in force are the latest that any machine votes under.
    fn find_open(&mut self) {
        for machine in self.machines.values().filter(|machine| machine.is_up()) {
            let place = &machine.disk.node.place;
            if place.phase == Phase::Open && place.current.epoch > self.faults.open.epoch {
                self.faults.open = place.current.clone();
                self.faults.tried.clear();
            }
        }
    }

    /// The operator looks how a change is going, and gives it to whoever has not got it.
    pub(crate) fn operator(&mut self) {
        self.cx.after(500, Event::Operator);
        let Some(Change { next, begun }) = &self.faults.change else { return };
        let (next, begun) = (next.clone(), *begun);
        self.find_open();
        let before = self.faults.open.clone();
        for seat in before.seats.iter().chain(&next.seats) {
            let Some(machine) = self.machines.get_mut(&seat.node) else { continue };
            let is_reached = machine.frozen_until <= self.cx.now && self.cx.random.chance(80);
            if machine.seat == *seat
                && is_reached
                && let Some(mut host) = machine.host(&mut self.cx)
            {
                host.adopt(&next, &before);
            }
        }
        let is_open = next.seats.iter().all(|seat| {
            self.machines.get(&seat.node).is_some_and(|machine| {
                let place = &machine.disk.node.place;
                machine.seat == *seat && place.current == next && place.phase == Phase::Open
            })
        });
        if is_open && self.faults.open == next {
            self.cx.totals.add("changes", 1);
            self.cx.trace.line(format!("{:>7} epoch {} is open", self.cx.now, next.epoch));
            self.faults.change = None;
            self.faults.tried.clear();
            self.clients.machines = self.faults.open.nodes();
        } else if self.cx.now > begun + CHANGE_MS {
            // Somebody was out of reach for too long: the same again, or something else.
            self.cx.totals.add("changes repeated", 1);
            // Or what was given out before: once a majority is ready for a list, no other can open.
            let tried = &self.faults.tried;
            let is_calm = self.cx.now >= self.faults.ends_at;
            let mut seats = match self.cx.random.below(3) {
                0 => next.seats,
                1 if !is_calm => before.seats,
                _ if tried.is_empty() => next.seats,
                _ => tried[self.cx.random.index(tried.len())].clone(),
            };
            // A machine that was set up anew takes the place of what it was.
            for seat in &mut seats {
                *seat = self.machines[&seat.node].seat;
            }
            self.propose_change(seats);
        }
    }
}
