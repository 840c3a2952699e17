//! Changes of members: the barrier decides, this does what it says. Mirrors the shell's part that
//! keeps a machine's place.
//!
//! Machines hear of each other at once here: a word that is late is the same as a step that is late,
//! except for the words of a machine that has since gone further, which only say less.

use tern::replica::acceptor::Event as Asked;
use tern::replica::barrier::{Seat, Standing, Step as Next};
use tern::replica::coordinator::Coordinator;

use crate::letter::Body;
use crate::model::{Action, Seen};
use crate::step::Step;
use crate::world::World;

/// What may happen next to the members.
pub(crate) fn actions(config: &crate::config::Config, world: &World, actions: &mut Vec<Action>) {
    for (at, machine) in world.machines.iter().enumerate() {
        for (which, next) in config.changes.iter().enumerate() {
            if machine.place.adopt(next, &config.members).is_ok() {
                actions.push(Action::Adopt(at, which));
            }
        }
        if !config.changes.is_empty()
            && matches!(next(world, at), Next::Install { .. } | Next::GetReady | Next::Open)
        {
            actions.push(Action::Advance(at));
        }
    }
}

fn next(world: &World, at: usize) -> Next {
    let told: Vec<_> = (0..world.machines.len())
        .map(|of| (world.machines[of].seat, standing(world, of)))
        .collect();
    let machine = &world.machines[at];
    machine.place.next(machine.seat, &told)
}

fn standing(world: &World, of: usize) -> Standing {
    let machine = &world.machines[of];
    Standing {
        epoch: machine.place.current.epoch,
        digest: machine.place.current.digest,
        phase: machine.place.phase,
        is_clean: machine.place.is_clean(),
        has_installed: machine.has_installed,
        sum: machine.file.last().1,
        is_damaged: machine.acceptor.is_damaged(),
    }
}

impl Step<'_> {
    /// A machine takes a new list of members on; what it was doing under the old one is over.
    pub(crate) fn adopt(&mut self, at: usize, which: usize) {
        let config = self.config;
        let next = &config.changes[which];
        let Ok(place) = self.world.machines[at].place.adopt(next, &config.members) else { return };
        self.drop_job(at);
        let machine = self.machine(at);
        let round = machine.coordinator.round();
        machine.coordinator = Coordinator::new(machine.seat.node, machine.boot, 1).above(round);
        machine.has_installed = false;
        machine.take_place(place);
    }

    /// Does the next step of the change.
    pub(crate) fn advance(&mut self, at: usize) {
        let place = self.world.machines[at].place.clone();
        match next(&self.world, at) {
            Next::Install { listed_by, from } => self.install(at, &listed_by, &from),
            Next::GetReady => self.machine(at).take_place(place.made_ready()),
            Next::Open => {
                self.machine(at).take_place(place.opened());
                self.witness.see(Seen::Opened);
            }
            Next::Done | Next::Wait(_) | Next::Leave => {}
        }
    }

    fn install(&mut self, at: usize, listed_by: &[Seat], from: &[Seat]) {
        let files = |seats: &[Seat]| {
            let held = seats.iter().filter_map(|seat| {
                let machine = self.world.machines.iter().find(|machine| machine.seat == *seat);
                machine.map(|machine| machine.file.clone())
            });
            held.filter(|file| !file.last().0.is_zero()).max_by_key(|file| file.last().0)
        };
        // A user whom none of those lists is not known to exist.
        let file = files(listed_by).and_then(|_| files(from));
        if let Some(file) = file {
            let (version, hash) = file.last();
            self.replica(at, Asked::Install { version, hash }, &Body::File(file));
        }
        self.machine(at).has_installed = true;
    }
}
