//! A seeded random walk of three machines over a network that loses, repeats and reorders, with
//! crashes: the invariants of this folder are checked after every step.

use std::collections::BTreeMap;

use super::super::coordinator::{Begin, Coordinator, Effect, Event};
use super::super::version::chain_hash;
use super::*;

/// A question or an answer on its way, with the attempt of the coordinator that it belongs to.
#[derive(Debug, Clone)]
enum Letter {
    Ask { from: usize, to: usize, attempt: u64, event: Asked },
    Answer { from: usize, to: usize, attempt: u64, reply: Reply },
}

struct World {
    seed: u64,
    floors: [Floors; 3],
    acceptors: Vec<Acceptor>,
    coordinators: Vec<Coordinator>,
    attempts: [u64; 3],
    boots: [u32; 3],
    letters: Vec<Letter>,
    /// What each version stands for: the operations in order. One value a version.
    values: BTreeMap<Version, Vec<u32>>,
    hashes: BTreeMap<Version, Hash128>,
    bases: [Option<State>; 3],
    writing: [Option<Proposal>; 3],
    committed: Version,
    operations: u32,
    answered: Vec<u32>,
    now: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let coordinator = |n: u16| Coordinator::new(node(n), 1, seed + u64::from(n));
        Self {
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            floors: [FLOORS; 3],
            acceptors: vec![Acceptor::new(State::default()); 3],
            coordinators: (1..=3).map(coordinator).collect(),
            attempts: [0; 3],
            boots: [1; 3],
            letters: Vec::new(),
            values: BTreeMap::from([(Version::ZERO, Vec::new())]),
            hashes: BTreeMap::from([(Version::ZERO, Hash128::default())]),
            bases: [None; 3],
            writing: [None; 3],
            committed: Version::ZERO,
            operations: 0,
            answered: Vec::new(),
            now: 0,
        }
    }

    fn random(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        usize::try_from(self.seed % below as u64).unwrap()
    }

    fn begin(&mut self, n: usize) {
        self.attempts[n] += 1;
        let own = &self.acceptors[n];
        let begin = Begin {
            epoch: 1,
            members: (1..=3).map(node).collect(),
            is_repair: false,
            own: own.state(),
            own_promise: own.promise(&self.floors[n]),
            live: (1..=3).map(node).collect(),
            round_floor: 0,
            deadline: Mono(self.now + 1_000),
        };
        self.coordinate(n, Event::Begin(begin));
    }

    fn coordinate(&mut self, n: usize, event: Event) {
        let mut effects = Vec::new();
        self.coordinators[n].step(Mono(self.now), event, &mut effects);
        for effect in effects {
            let ask = |to: NodeId, event| Letter::Ask {
                from: n,
                to: usize::from(to.get()) - 1,
                attempt: self.attempts[n],
                event,
            };
            match effect {
                Effect::Lock(to, term) => {
                    self.letters.push(ask(to, Asked::Lock { term, lease_ms: 500 }));
                }
                Effect::Sync { to, full } => {
                    let proposal = Proposal { full, ..self.writing[n].unwrap() };
                    self.letters.push(ask(to, Asked::Sync(proposal)));
                }
                Effect::Unlock(to, term, com) => {
                    self.letters.push(ask(to, Asked::Unlock { term, com }));
                }
                Effect::Held(holding) => {
                    self.attempts[n] += 1;
                    self.bases[n] = Some(holding.base);
                }
                Effect::Committed(version) => self.check_committed(version),
                Effect::Unknown | Effect::Outpaced | Effect::Failed(_) | Effect::WakeAt(_) => {}
            }
        }
    }

    /// Appends one operation to the value that the lock was granted on.
    fn write(&mut self, n: usize) {
        let Some(base) = self.bases[n].take() else { return };
        let version = self.coordinators[n].next_version();
        self.operations += 1;
        let mut value = self.values[&base.acc].clone();
        value.push(self.operations);
        let hash = chain_hash(self.hashes[&base.acc], &[&self.operations.to_be_bytes()]);
        assert!(self.values.insert(version, value.clone()).is_none(), "one value a version");
        self.hashes.insert(version, hash);
        let committed = &self.values[&self.committed];
        if version > self.committed {
            assert!(value.starts_with(committed), "builds on what is committed");
        }
        let (base, base_hash, com) = (base.acc, self.hashes[&base.acc], base.com);
        let asked = Proposal { version, base, base_hash, hash, com, full: false };
        self.writing[n] = Some(asked);
        self.coordinate(n, Event::Write(hash));
    }

    fn check_committed(&mut self, version: Version) {
        let (value, before) = (&self.values[&version], &self.values[&self.committed]);
        assert!(value.starts_with(before) || before.starts_with(value), "one history");
        let majority = self.acceptors.iter().filter(|a| a.state().acc >= version).count();
        assert!(majority >= 2, "committed means on disk at a majority");
        for (later, value) in self.values.range(version..) {
            assert!(value.starts_with(&self.values[&version]), "{later} lost what {version} holds");
        }
        self.answered.push(*value.last().unwrap());
        self.committed = self.committed.max(version);
    }

    fn deliver(&mut self, letter: Letter) {
        match letter {
            Letter::Ask { from, to, attempt, event } => {
                let mut floors = self.floors[to];
                let mut effects = at(&mut self.acceptors[to], self.now, &floors, event);
                if let Some(Done::RaiseCeiling(ceiling)) = effects.first() {
                    floors.ceiling = *ceiling;
                    self.floors[to] = floors;
                    effects = at(&mut self.acceptors[to], self.now, &floors, event);
                }
                if matches!(effects.first(), Some(Done::Append | Done::Replace)) {
                    effects = at(&mut self.acceptors[to], self.now, &floors, Asked::Written);
                }
                for effect in effects {
                    if let Done::Reply(reply) = effect {
                        self.letters.push(Letter::Answer { from: to, to: from, attempt, reply });
                    }
                }
            }
            Letter::Answer { from, to, attempt, reply } if attempt == self.attempts[to] => {
                let from = node(u16::try_from(from).unwrap() + 1);
                self.coordinate(to, Event::Answered(from, reply));
            }
            Letter::Answer { .. } => {}
        }
    }

    /// Forgets all that is not on disk: promises, locks, the coordinator's act.
    fn crash(&mut self, n: usize) {
        self.boots[n] += 1;
        let ceiling = self.floors[n].ceiling;
        self.floors[n] = Floors {
            bootfloor: Term::floor(1, ceiling),
            ceiling: ceiling + CEILING_STEP,
            ..FLOORS
        };
        let kept = State { com: Version::ZERO, ..self.acceptors[n].state() };
        self.acceptors[n] = Acceptor::new(kept);
        let me = node(u16::try_from(n).unwrap() + 1);
        self.coordinators[n] = Coordinator::new(me, self.boots[n], self.seed);
        self.attempts[n] += 1;
        self.bases[n] = None;
    }

    fn act(&mut self) {
        let n = self.random(3);
        match self.random(40) {
            0 if self.random(10) == 0 => self.crash(n),
            1..=3 => {
                self.now += self.random(400) as u64;
                self.coordinate(n, Event::Wake);
            }
            4..=8 if self.bases[n].is_none() && self.coordinators[n].is_idle() => self.begin(n),
            9..=14 => self.write(n),
            _ if self.letters.is_empty() => {}
            kind => {
                let which = self.random(self.letters.len());
                let letter = match kind {
                    15 => self.letters[which].clone(),
                    _ => self.letters.swap_remove(which),
                };
                if kind != 16 {
                    self.deliver(letter);
                }
            }
        }
    }
}

#[test]
fn random_walks_keep_every_invariant() {
    let mut answered = 0;
    for seed in 1..=300 {
        let mut world = World::new(seed);
        (0..3_000).for_each(|_| world.act());
        let end = &world.values[&world.committed];
        for operation in &world.answered {
            assert_eq!(end.iter().filter(|&o| o == operation).count(), 1, "seed {seed}");
        }
        answered += world.answered.len();
    }
    assert!(answered > 5_000, "the walk must get somewhere: {answered} writes were answered");
}
