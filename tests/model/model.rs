//! The model as the checker sees it: states, what may happen next, what must hold.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use stateright::{Model, Property};
use tern::replica::coordinator::Event;
use tern::replica::mistake::{Mistake, is_made};
use tern::replica::version::Version;

use crate::change;
use crate::config::{Config, Turn};
use crate::history::Act;
use crate::letter::{Letter, What};
use crate::machine::{Job, Why};
use crate::shared::Shared;
use crate::step::Step;
use crate::world::{Progress, RULES, Rule, Stage, World};

/// What must have been seen, or the run has shown nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Seen {
    AllAnswered = 1,
    Sticky = 2,
    Delta = 4,
    Full = 8,
    Outpaced = 16,
    Crashed = 32,
    Read = 64,
    Unsettled = 128,
    Learned = 256,
    Agreed = 512,
    Repaired = 1024,
    Opened = 2048,
}

/// What a run has seen so far. Beside the states: they stay as few as they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Witness(Arc<AtomicU32>);

impl Witness {
    pub(crate) fn see(&self, seen: Seen) {
        self.0.fetch_or(seen as u32, Ordering::Relaxed);
    }

    pub(crate) fn has(&self, seen: Seen) -> bool {
        self.0.load(Ordering::Relaxed) & seen as u32 != 0
    }
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// A client asks a machine.
    Start(Act, usize),
    /// A letter arrives.
    Deliver(Shared<Letter>),
    /// The same, and the receiver dies having sent its own line to the others alone.
    DeliverAndDie(Shared<Letter>),
    /// A machine's act has reached its deadline.
    Deadline(usize),
    /// A machine's coordinator takes another for gone.
    Silent(usize, usize),
    /// A machine's reading waits no longer.
    Grace(usize),
    /// A machine fetches what it knows to be committed from another.
    CatchUp(usize, usize),
    Crash(usize),
    Wipe(usize),
    LoseFile(usize),
    Repair(usize),
    Compare(usize),
    /// A machine decides upon the rows it has.
    Mend(usize),
    /// A machine removes what is left of an ended account.
    Collect(usize),
    /// A machine takes on one of the lists of members that the operator asks for.
    Adopt(usize, usize),
    /// A machine does its next step towards it.
    Advance(usize),
}

/// One configuration, explored.
#[derive(Debug, Clone)]
pub(crate) struct Explored {
    pub(crate) config: Config,
    pub(crate) witness: Witness,
}

impl Model for Explored {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.config)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.starts(world, actions);
        change::actions(&self.config, world, actions);
        for letter in &world.net {
            if matches!(letter.what, What::Unlock(..)) && world.may.unlocks == 0 {
                continue;
            }
            actions.push(Action::Deliver(letter.clone()));
            if world.may.crashes > 0
                && matches!(letter.what, What::Granted(..))
                && self.config.frail.contains(&letter.to)
            {
                actions.push(Action::DeliverAndDie(letter.clone()));
            }
        }
        for at in 0..world.machines.len() {
            of_machine(world, at, actions);
        }
        for &at in &self.config.frail {
            of_frail(world, at, actions);
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let step = || {
            let mut step = Step {
                config: &self.config,
                witness: &self.witness,
                world: last.clone(),
                is_dying: false,
            };
            let is_possible = step.take(&action);
            step.prune();
            step.world.seal();
            is_possible.then_some(step.world)
        };
        match catch_unwind(AssertUnwindSafe(step)) {
            Ok(next) => next,
            Err(_said_already) => {
                let mut world = last.clone();
                world.breaks(Rule::Assertion);
                Some(world)
            }
        }
    }

    fn within_boundary(&self, world: &World) -> bool {
        !world.is_over
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! always {
            ($rule:expr) => {
                Property::always($rule.name(), |_, world: &World| world.broken & $rule as u16 == 0)
            };
        }
        let all = vec![
            always!(Rule::Linearizable),
            always!(Rule::Promise),
            always!(Rule::OneValue),
            always!(Rule::Descent),
            always!(Rule::Sequence),
            always!(Rule::Shown),
            always!(Rule::Once),
            always!(Rule::Answer),
            always!(Rule::Assertion),
        ];
        assert_eq!(all.len(), RULES.len());
        all
    }
}

impl Explored {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, witness: Witness::default() }
    }

    /// The first time at its home, so that machines that could stand for each other do not; again
    /// anywhere.
    fn starts(&self, world: &World, actions: &mut Vec<Action>) {
        for (act, (progress, plan)) in world.acts.iter().zip(&self.config.acts).enumerate() {
            let Progress { begun, stage, .. } = *progress;
            let is_waiting = matches!(stage, Stage::New | Stage::Unknown | Stage::Refused);
            let is_early = act > 0
                && match self.config.turn {
                    Turn::Any => false,
                    Turn::Begun => world.acts[act - 1].begun == 0,
                    Turn::Answered => world.acts[act - 1].stage != Stage::Answered,
                };
            if is_early || !is_waiting || begun >= plan.tries {
                continue;
            }
            for at in 0..world.machines.len() {
                let machine = &world.machines[at];
                let is_here = begun > 0 || at == plan.home;
                if is_here && machine.is_free() && machine.is_member() {
                    actions.push(Action::Start(Act::try_from(act).unwrap(), at));
                }
            }
        }
    }
}

fn of_machine(world: &World, at: usize, actions: &mut Vec<Action>) {
    let machine = &world.machines[at];
    match &machine.job {
        Job::Lock(_) => {
            if world.may.timeouts > 0 {
                actions.push(Action::Deadline(at));
            }
            if world.may.silences > 0 {
                let others = (0..world.machines.len()).filter(|other| *other != at);
                actions.extend(others.map(|other| Action::Silent(at, other)));
            }
        }
        Job::Read(.., reader) if reader.has_majority() => actions.push(Action::Grace(at)),
        Job::Compare(_, rows) if rows.len() > 1 => actions.push(Action::Mend(at)),
        Job::Read(..) | Job::Compare(..) => {}
        Job::None => {
            if world.may.repairs > 0 && machine.is_marked {
                actions.push(Action::Repair(at));
            }
        }
    }
    if world.may.fetches > 0 && !machine.behind.is_zero() {
        let holds = |from: &usize| *from != at && world.machines[*from].file.has(machine.behind);
        let others = (0..world.machines.len()).filter(holds);
        actions.extend(others.map(|from| Action::CatchUp(at, from)));
    }
    if world.may.collects > 0
        && is_made(Mistake::TombstoneCollected)
        && machine.file.is_ended(machine.acceptor.state().com)
    {
        actions.push(Action::Collect(at));
    }
}

fn of_frail(world: &World, at: usize, actions: &mut Vec<Action>) {
    if world.may.crashes > 0 {
        actions.push(Action::Crash(at));
    }
    if world.may.compares > 0 && world.machines[at].is_free() && world.machines[at].is_member() {
        actions.push(Action::Compare(at));
    }
    if world.may.wipes > 0 {
        actions.push(Action::Wipe(at));
    }
    if world.may.losses > 0 && !world.machines[at].acceptor.state().acc.is_zero() {
        actions.push(Action::LoseFile(at));
    }
}

impl Step<'_> {
    /// Takes a step; whether it was possible after all.
    fn take(&mut self, action: &Action) -> bool {
        match *action {
            Action::Start(act, at) => self.start(act, at),
            Action::Deliver(ref letter) => {
                if matches!(letter.what, What::Unlock(..)) {
                    self.world.may.unlocks -= 1;
                }
                self.deliver(letter);
            }
            Action::DeliverAndDie(ref letter) => {
                self.world.may.crashes -= 1;
                self.is_dying = true;
                self.deliver(letter);
                return !self.is_dying;
            }
            Action::Deadline(at) => {
                self.world.may.timeouts -= 1;
                self.coordinate(at, Event::Wake);
            }
            Action::Silent(at, other) => {
                self.world.may.silences -= 1;
                let node = self.world.machines[other].seat.node;
                self.coordinate(at, Event::Lost(node));
            }
            Action::Grace(at) => self.grace_over(at),
            Action::CatchUp(at, from) => {
                self.world.may.fetches -= 1;
                let version = self.world.machines[at].behind;
                let holder = self.world.machines[from].seat.node;
                self.learn(at, version, holder);
            }
            Action::Crash(at) => {
                self.world.may.crashes -= 1;
                self.crash(at);
            }
            Action::Wipe(at) => {
                self.world.may.wipes -= 1;
                self.wipe(at);
            }
            Action::LoseFile(at) => {
                self.world.may.losses -= 1;
                self.lose_file(at);
            }
            Action::Repair(at) => {
                self.world.may.repairs -= 1;
                self.acquire(at, Why::Repair);
            }
            Action::Compare(at) => {
                let number = self.world.may.compares;
                self.world.may.compares -= 1;
                self.compare(at, number);
            }
            Action::Mend(at) => self.mend(at),
            Action::Adopt(at, which) => self.adopt(at, which),
            Action::Advance(at) => self.advance(at),
            Action::Collect(at) => {
                self.world.may.collects -= 1;
                self.collect(at);
            }
        }
        true
    }

    /// A directory is emptied and set up anew: nobody knows this incarnation.
    fn wipe(&mut self, at: usize) {
        self.drop_job(at);
        let machine = self.machine(at);
        let mut seat = machine.seat;
        seat.incarnation.0[0] += 1;
        let place = machine.kept_place.clone();
        *machine = crate::machine::Machine::new(seat, place);
    }

    fn collect(&mut self, at: usize) {
        let machine = self.machine(at);
        let promise = machine.acceptor.promise(&machine.floors());
        machine.bootfloor = machine.bootfloor.max(promise);
        machine.file = crate::file::File::default();
        machine.acceptor = tern::replica::restart::replica(machine.file.state(), false);
        machine.behind = Version::ZERO;
    }
}
