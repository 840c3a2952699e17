//! Scenarios, and a seeded random walk of three machines over a network that loses, repeats and
//! reorders, with crashes: the invariants of this folder are checked after every step.

use std::collections::BTreeMap;

use super::acceptor::{Acceptor, Effect as Done, Event as Asked, Floors, Proposal};
use super::coordinator::{Begin, Coordinator, Effect, Event, Failure, Holding};
use super::reader::{Found, Reader};
use super::version::{Term, Version, chain_hash};
use super::{NotVoting, Refuse, Reply, State};
use crate::clock::Mono;
use crate::id::{Hash128, NodeId};
use crate::limits::CEILING_STEP;

const FLOORS: Floors =
    Floors { epoch: 1, bootfloor: Term::floor(1, 0), ceiling: CEILING_STEP, not_voting: None };

fn node(number: u16) -> NodeId {
    NodeId::new(number).unwrap()
}

fn term(round: u64, node: u16) -> Term {
    Term { epoch: 1, round, node, boot: 1 }
}

fn version(round: u64, node: u16, seq: u32) -> Version {
    Version { term: term(round, node), seq }
}

fn hash(byte: u8) -> Hash128 {
    Hash128([byte; 16])
}

fn at(acceptor: &mut Acceptor, now: u64, floors: &Floors, event: Asked) -> Vec<Done> {
    let mut effects = Vec::new();
    acceptor.step(Mono(now), floors, event, &mut effects);
    effects
}

fn step(acceptor: &mut Acceptor, event: Asked) -> Vec<Done> {
    at(acceptor, 0, &FLOORS, event)
}

fn lock(round: u64, node: u16) -> Asked {
    Asked::Lock { term: term(round, node), lease_ms: 500 }
}

fn first_line(version: Version) -> Proposal {
    let (base, base_hash) = (Version::ZERO, Hash128::default());
    Proposal { version, base, base_hash, hash: hash(1), com: Version::ZERO, full: false }
}

fn refused(why: Refuse) -> Vec<Done> {
    vec![Done::Reply(Reply::Refuse(why))]
}

/// A replica that has accepted `version(1, 1, 1)` with hash 1.
fn holding_one() -> Acceptor {
    let mut acceptor = Acceptor::new(State::default());
    assert_eq!(step(&mut acceptor, Asked::Sync(first_line(version(1, 1, 1)))), [Done::Append]);
    let acked = step(&mut acceptor, Asked::Written);
    assert_eq!(acked, [Done::Reply(Reply::Ack(version(1, 1, 1)))]);
    acceptor
}

/// While a line was flushed this machine took on other members and told what it held before.
#[test]
fn r0002_flush_that_ends_under_the_next_epoch_is_not_acknowledged() {
    let mut acceptor = Acceptor::new(State::default());
    assert_eq!(step(&mut acceptor, Asked::Sync(first_line(version(1, 1, 1)))), [Done::Append]);
    let changing = Floors { epoch: 2, not_voting: Some(NotVoting::Changing), ..FLOORS };
    let told = at(&mut acceptor, 0, &changing, Asked::Written);
    assert_eq!(told, refused(Refuse::Epoch { epoch: 2 }));
    assert_eq!(acceptor.state().acc, version(1, 1, 1), "it is on the disk all the same");
}

#[test]
fn acceptor_lower_term_refused() {
    let mut acceptor = Acceptor::new(State::default());
    let grant = Reply::Grant { term: term(5, 1), state: State::default() };
    assert_eq!(step(&mut acceptor, lock(5, 1)), [Done::Reply(grant)]);
    let promised = refused(Refuse::Promised { promise: term(5, 1) });
    assert_eq!(step(&mut acceptor, lock(4, 1)), promised);
    assert_eq!(step(&mut acceptor, Asked::Sync(first_line(version(4, 3, 1)))), promised);
}

#[test]
fn acceptor_held_lock_busy_until_lease_end_and_promises_nothing() {
    let mut acceptor = Acceptor::new(State::default());
    step(&mut acceptor, lock(5, 1));
    let busy = refused(Refuse::Busy { holder: node(1), left_ms: 500 });
    assert_eq!(step(&mut acceptor, lock(6, 2)), busy);
    assert_eq!(acceptor.promise(&FLOORS), term(5, 1));
    let grant = Reply::Grant { term: term(6, 2), state: State::default() };
    assert_eq!(at(&mut acceptor, 500, &FLOORS, lock(6, 2)), [Done::Reply(grant)]);
}

#[test]
fn acceptor_lock_of_gone_machine_released() {
    let mut acceptor = Acceptor::new(State::default());
    step(&mut acceptor, lock(5, 1));
    step(&mut acceptor, Asked::Gone(node(3)));
    assert!(matches!(step(&mut acceptor, lock(6, 2))[0], Done::Reply(Reply::Refuse(_))));
    step(&mut acceptor, Asked::Gone(node(1)));
    assert!(matches!(step(&mut acceptor, lock(6, 2))[0], Done::Reply(Reply::Grant { .. })));
}

#[test]
fn acceptor_after_restart_refuses_up_to_ceiling() {
    let floors = Floors { bootfloor: Term::floor(1, 100), ceiling: 100 + CEILING_STEP, ..FLOORS };
    let mut acceptor = Acceptor::new(State::default());
    let promise = floors.bootfloor;
    assert_eq!(at(&mut acceptor, 0, &floors, lock(100, 3)), refused(Refuse::Promised { promise }));
    let granted = at(&mut acceptor, 0, &floors, lock(101, 1));
    assert!(matches!(granted[0], Done::Reply(Reply::Grant { .. })));
}

#[test]
fn acceptor_round_above_ceiling_raises_it_first() {
    let mut acceptor = Acceptor::new(State::default());
    let round = CEILING_STEP + 1;
    let raise = [Done::RaiseCeiling(round + CEILING_STEP)];
    assert_eq!(step(&mut acceptor, lock(round, 1)), raise);
    assert_eq!(
        acceptor.promise(&FLOORS),
        FLOORS.bootfloor,
        "nothing promised before it is durable"
    );
    assert_eq!(step(&mut acceptor, Asked::Sync(first_line(version(round, 1, 1)))), raise);
    assert_eq!(step(&mut acceptor, lock(1 << 62, 1)), refused(Refuse::Leap));
}

#[test]
fn acceptor_sync_on_other_base_needs_whole_file() {
    let mut acceptor = holding_one();
    let state = acceptor.state();
    let mut asked = first_line(version(2, 2, 1));
    asked.base = version(1, 3, 9);
    assert_eq!(step(&mut acceptor, Asked::Sync(asked)), [Done::Reply(Reply::Need(state))]);
    asked.full = true;
    assert_eq!(step(&mut acceptor, Asked::Sync(asked)), [Done::Replace]);
    step(&mut acceptor, Asked::Written);
    assert_eq!(acceptor.state().acc, version(2, 2, 1));
}

#[test]
fn acceptor_same_base_other_hash_refused() {
    let mut acceptor = holding_one();
    let mut asked = first_line(version(2, 2, 1));
    (asked.base, asked.base_hash) = (version(1, 1, 1), hash(9));
    assert_eq!(step(&mut acceptor, Asked::Sync(asked)), refused(Refuse::BadBase));
}

#[test]
fn acceptor_repeated_sync_acknowledged_older_refused() {
    let mut acceptor = holding_one();
    let again = step(&mut acceptor, Asked::Sync(first_line(version(1, 1, 1))));
    assert_eq!(again, [Done::Reply(Reply::Ack(version(1, 1, 1)))]);
    let mut next = first_line(version(1, 1, 2));
    (next.base, next.base_hash, next.hash) = (version(1, 1, 1), hash(1), hash(2));
    step(&mut acceptor, Asked::Sync(next));
    step(&mut acceptor, Asked::Written);
    let acc = version(1, 1, 2);
    let old = step(&mut acceptor, Asked::Sync(first_line(version(1, 1, 1))));
    assert_eq!(old, refused(Refuse::Old { acc }));
}

#[test]
fn acceptor_failed_write_never_votes_again() {
    let mut acceptor = holding_one();
    let mut next = first_line(version(1, 1, 2));
    (next.base, next.base_hash) = (version(1, 1, 1), hash(1));
    step(&mut acceptor, Asked::Sync(next));
    let why = NotVoting::Damaged;
    assert_eq!(step(&mut acceptor, Asked::Failed(why)), refused(Refuse::NotVoting { why }));
    assert_eq!(acceptor.state().acc, version(1, 1, 1));
    let told = Reply::Damaged { term: term(9, 1), state: acceptor.state() };
    assert_eq!(step(&mut acceptor, lock(9, 1)), [Done::Reply(told)]);
}

#[test]
fn acceptor_learns_committed_below_its_promise_without_ack() {
    let mut acceptor = Acceptor::new(State::default());
    step(&mut acceptor, lock(9, 1));
    let learn = Asked::Learn { version: version(3, 2, 1), hash: hash(7) };
    assert_eq!(step(&mut acceptor, learn), [Done::Replace]);
    assert_eq!(step(&mut acceptor, Asked::Written), [Done::Advance(version(3, 2, 1))]);
    assert_eq!(acceptor.promise(&FLOORS), term(9, 1));
}

#[test]
fn acceptor_commit_beyond_what_is_held_told_as_behind() {
    let mut acceptor = holding_one();
    let com = version(4, 2, 1);
    let unlock = Asked::Unlock { term: term(4, 2), com: Some(com) };
    assert_eq!(step(&mut acceptor, unlock), [Done::Behind(com)]);
    assert!(acceptor.state().com.is_zero());
}

#[test]
fn acceptor_damaged_promises_without_voting() {
    let mut acceptor = holding_one();
    let intact = State::default();
    assert_eq!(step(&mut acceptor, Asked::Damaged(intact)), []);
    assert_eq!(acceptor.promise(&FLOORS), term(1, 1), "what the lost line promised is kept");
    let why = NotVoting::Damaged;
    assert_eq!(step(&mut acceptor, Asked::Read), refused(Refuse::NotVoting { why }));
    let told = Reply::Damaged { term: term(5, 2), state: intact };
    assert_eq!(step(&mut acceptor, lock(5, 2)), [Done::Reply(told)]);
    assert_eq!(acceptor.promise(&FLOORS), term(5, 2));
    let sync = step(&mut acceptor, Asked::Sync(first_line(version(5, 2, 1))));
    assert_eq!(sync, refused(Refuse::NotVoting { why }));
}

#[test]
fn acceptor_damaged_file_learned_still_no_vote() {
    let mut acceptor = holding_one();
    step(&mut acceptor, Asked::Committed(version(1, 1, 1)));
    let behind = [Done::Behind(version(1, 1, 1))];
    assert_eq!(step(&mut acceptor, Asked::Damaged(State::default())), behind, "to be read again");
    step(&mut acceptor, Asked::Learn { version: version(1, 1, 1), hash: hash(1) });
    assert_eq!(step(&mut acceptor, Asked::Written), [Done::Advance(version(1, 1, 1))]);
    assert!(acceptor.is_damaged());
}

#[test]
fn acceptor_restored_votes_once_its_mark_is_gone() {
    let mut acceptor = Acceptor::new(State::default()).damaged();
    step(&mut acceptor, lock(5, 1));
    let restore = Asked::Restore { version: version(5, 1, 1), hash: hash(5) };
    assert_eq!(step(&mut acceptor, restore), [Done::Replace]);
    assert_eq!(step(&mut acceptor, Asked::Written), [Done::ClearMark]);
    assert!(acceptor.is_damaged(), "a crash here finds the mark");
    step(&mut acceptor, Asked::Cleared);
    let granted = step(&mut acceptor, lock(6, 1));
    assert!(matches!(granted[0], Done::Reply(Reply::Grant { .. })));
}

#[test]
fn acceptor_restore_below_a_promise_refused() {
    let mut acceptor = Acceptor::new(State::default()).damaged();
    step(&mut acceptor, lock(6, 2));
    let restore = Asked::Restore { version: version(5, 1, 1), hash: hash(5) };
    let promise = term(6, 2);
    assert_eq!(step(&mut acceptor, restore), refused(Refuse::Promised { promise }));
}

/// A coordinator of machine 1 that repairs its own damaged file, all three having been asked.
fn repairing() -> (Coordinator, Term) {
    let mut coordinator = Coordinator::new(node(1), 1, 1);
    let effects = stepped(&mut coordinator, Event::Begin(repair_begin()));
    let term = effects.iter().find_map(|effect| match effect {
        Effect::Lock(_, term) => Some(*term),
        _ => None,
    });
    (coordinator, term.unwrap())
}

fn repair_begin() -> Begin {
    Begin {
        epoch: 1,
        members: (1..=3).map(node).collect(),
        is_repair: true,
        own: State::default(),
        own_promise: FLOORS.bootfloor,
        live: (1..=3).map(node).collect(),
        round_floor: CEILING_STEP,
        deadline: Mono(1_000),
    }
}

fn stepped(coordinator: &mut Coordinator, event: Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    coordinator.step(Mono(0), event, &mut effects);
    effects
}

fn told(coordinator: &mut Coordinator, from: u16, reply: Reply) -> Option<Holding> {
    let effects = stepped(coordinator, Event::Answered(node(from), reply));
    effects.iter().find_map(|effect| match effect {
        Effect::Held(holding) => Some(*holding),
        _ => None,
    })
}

fn held(round: u64) -> State {
    State { acc: version(round, 2, 1), hash: hash(1), com: Version::ZERO }
}

#[test]
fn repair_takes_highest_of_a_majority_of_others_above_the_ceiling() {
    let (mut coordinator, term) = repairing();
    assert!(term.round > CEILING_STEP);
    let own = Reply::Damaged { term, state: held(9) };
    assert_eq!(told(&mut coordinator, 1, own), None);
    assert_eq!(told(&mut coordinator, 2, Reply::Grant { term, state: held(2) }), None);
    let holding = told(&mut coordinator, 3, Reply::Grant { term, state: held(3) }).unwrap();
    assert_eq!((holding.base.acc, holding.held_by), (held(3).acc, Some(node(3))));
    assert!(!holding.loss_possible);
}

#[test]
fn repair_of_two_damaged_copies_takes_highest_once_all_have_told() {
    let (mut coordinator, term) = repairing();
    assert_eq!(told(&mut coordinator, 1, Reply::Damaged { term, state: held(2) }), None);
    assert_eq!(told(&mut coordinator, 2, Reply::Damaged { term, state: held(4) }), None);
    let holding = told(&mut coordinator, 3, Reply::Grant { term, state: held(3) }).unwrap();
    assert_eq!((holding.base.acc, holding.held_by), (held(4).acc, Some(node(2))));
    assert!(holding.loss_possible);
}

#[test]
fn repair_without_everybodys_word_fails() {
    let (mut coordinator, term) = repairing();
    told(&mut coordinator, 1, Reply::Damaged { term, state: held(2) });
    told(&mut coordinator, 2, Reply::Damaged { term, state: held(4) });
    let effects = stepped(&mut coordinator, Event::Lost(node(3)));
    assert!(effects.contains(&Effect::Failed(Failure::NoMajority)), "{effects:?}");
}

#[test]
fn coordinator_damaged_word_is_no_grant() {
    let mut coordinator = Coordinator::new(node(1), 1, 1);
    let begin = Begin { is_repair: false, round_floor: 0, ..repair_begin() };
    stepped(&mut coordinator, Event::Begin(begin));
    let term = Term { epoch: 1, round: 1, node: 1, boot: 1 };
    assert_eq!(told(&mut coordinator, 1, Reply::Grant { term, state: held(0) }), None);
    assert_eq!(told(&mut coordinator, 2, Reply::Damaged { term, state: held(4) }), None);
    let holding = told(&mut coordinator, 3, Reply::Grant { term, state: held(3) }).unwrap();
    assert_eq!(holding.base.acc, held(3).acc);
}

#[test]
fn r0007_busy_beside_a_silent_member_asked_again_before_the_deadline() {
    let mut coordinator = Coordinator::new(node(1), 1, 1);
    let begin = Begin { is_repair: false, round_floor: 0, ..repair_begin() };
    stepped(&mut coordinator, Event::Begin(begin));
    let term = Term { epoch: 1, round: 1, node: 1, boot: 1 };
    told(&mut coordinator, 1, Reply::Grant { term, state: held(0) });
    let busy = Reply::Refuse(Refuse::Busy { holder: node(2), left_ms: 500 });
    let effects = stepped(&mut coordinator, Event::Answered(node(3), busy));
    let [Effect::WakeAt(at)] = effects.as_slice() else { panic!("waits for good: {effects:?}") };
    let mut step = |now, event| {
        let mut effects = Vec::new();
        coordinator.step(now, event, &mut effects);
        effects
    };
    let effects = step(*at, Event::Wake);
    let Some(Effect::WakeAt(again)) = effects.last() else { panic!("{effects:?}") };
    let is_asked = |effect: &Effect| matches!(effect, Effect::Lock(_, asked) if *asked > term);
    assert!(*again < Mono(1_000) && step(*again, Event::Wake).iter().any(is_asked));
}

#[test]
fn reader_majority_agreement_proves_commit() {
    let members = [node(1), node(2), node(3)];
    let held = |acc, com| State { acc, hash: hash(1), com };
    let (one, two) = (version(1, 1, 1), version(2, 2, 1));
    let mut reader = Reader::new(&members);
    reader.answered(node(1), held(one, Version::ZERO));
    assert_eq!(reader.found(), Found::Pending);
    reader.answered(node(2), held(two, Version::ZERO));
    assert_eq!(reader.found(), Found::Pending);
    let mut lost = reader.clone();
    lost.lost(node(3));
    assert_eq!(lost.found(), Found::Unsettled);
    reader.answered(node(3), held(two, Version::ZERO));
    assert_eq!(reader.found(), Found::Fresh(two, node(2)));
    let mut told = Reader::new(&members);
    told.answered(node(1), held(one, one));
    told.answered(node(2), held(two, two));
    assert_eq!(told.found(), Found::Fresh(two, node(2)));
    let mut alone = Reader::new(&members);
    alone.lost(node(2));
    alone.lost(node(3));
    assert_eq!(alone.found(), Found::NoMajority);
}

// ---- the random walk

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
