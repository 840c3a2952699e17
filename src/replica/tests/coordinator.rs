//! The asking side: repairs, and locks that others hold.

use std::collections::VecDeque;

use super::super::coordinator::{Begin, Coordinator, Effect, Event, Failure, Holding};
use super::*;

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
fn r0013_of_equal_copies_a_whole_one_taken() {
    let (mut coordinator, term) = repairing();
    assert_eq!(told(&mut coordinator, 3, Reply::Grant { term, state: held(4) }), None);
    assert_eq!(told(&mut coordinator, 1, Reply::Damaged { term, state: held(4) }), None);
    let holding = told(&mut coordinator, 2, Reply::Damaged { term, state: held(4) }).unwrap();
    assert_eq!((holding.base.acc, holding.held_by), (held(4).acc, Some(node(3))));
}

#[test]
fn r0014_repair_asks_the_rest_as_soon_as_the_lowest_has_granted() {
    let mut coordinator = Coordinator::new(node(2), 1, 1);
    let both: Vec<_> = (1..=2).map(node).collect();
    let begin = Begin { members: both.clone(), live: both, ..repair_begin() };
    stepped(&mut coordinator, Event::Begin(begin));
    let busy = Refuse::Busy { holder: node(1), left_ms: 500 };
    stepped(&mut coordinator, Event::Answered(node(1), Reply::Refuse(busy)));
    let asked = |effects: &[Effect]| {
        let lock = |effect: &Effect| match effect {
            Effect::Lock(to, term) => Some((*to, *term)),
            _ => None,
        };
        effects.iter().filter_map(lock).collect::<Vec<_>>()
    };
    let again = asked(&stepped(&mut coordinator, Event::Wake));
    let (lowest, term) = again[0];
    assert_eq!((again.len(), lowest), (1, node(1)));
    // Waiting for it alone gave whoever writes in vain the time to promise this machine to a later term.
    let grant = Reply::Grant { term, state: held(3) };
    let rest = asked(&stepped(&mut coordinator, Event::Answered(node(1), grant)));
    assert_eq!(rest, [(node(2), term)]);
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

/// Machine 3 never answers; these say `Busy` until `free`, as a lock that the silent one has taken there
/// runs out.
fn busy_until(free: Mono, busy: &[u16], seed: u64) -> Option<Holding> {
    let mut coordinator = Coordinator::new(node(1), 1, seed);
    let begin = Begin { is_repair: false, round_floor: 0, ..repair_begin() };
    let deadline = begin.deadline;
    let (mut now, mut wake) = (Mono(0), deadline);
    let mut events = VecDeque::from([Event::Begin(begin)]);
    loop {
        let event = events.pop_front().unwrap_or_else(|| {
            now = std::mem::replace(&mut wake, deadline);
            Event::Wake
        });
        let mut effects = Vec::new();
        coordinator.step(now, event, &mut effects);
        for effect in effects {
            match effect {
                Effect::Lock(to, term) if to != node(3) => {
                    let is_busy = now < free && busy.contains(&to.get());
                    let grant = Reply::Grant { term, state: held(0) };
                    let refusal = Reply::Refuse(Refuse::Busy { holder: node(3), left_ms: 500 });
                    let reply = if is_busy { refusal } else { grant };
                    events.push_back(Event::Answered(to, reply));
                }
                Effect::Held(holding) => return Some(holding),
                Effect::Failed(_) => return None,
                Effect::WakeAt(at) => wake = at,
                _ => {}
            }
        }
    }
}

#[test]
fn r0007_busy_beside_a_silent_member_asked_again_before_the_deadline() {
    assert!((1..=50).all(|seed| busy_until(Mono(10), &[2], seed).is_some()));
}

#[test]
fn r0008_lock_of_a_machine_that_fell_silent_waited_for_to_its_end() {
    assert!((1..=50).all(|seed| busy_until(Mono(500), &[1, 2], seed).is_some()));
    assert!((1..=50).all(|seed| busy_until(Mono(1_000), &[1, 2], seed).is_none()));
}

/// How often machine 1 asks the others, one time after the other, until a write is committed; every
/// question is answered as a healthy machine would.
fn questions_of_a_write(
    coordinator: &mut Coordinator,
    own: State,
    promise: Term,
) -> (u32, Version) {
    let begin =
        Begin { is_repair: false, own, own_promise: promise, round_floor: 0, ..repair_begin() };
    let mut effects = stepped(coordinator, Event::Begin(begin));
    let (mut questions, mut version) = (0, Version::ZERO);
    loop {
        let (mut answers, mut is_asked) = (Vec::new(), false);
        for effect in effects.drain(..) {
            match effect {
                Effect::Committed(version) => return (questions, version),
                Effect::Held(_) => {
                    version = coordinator.next_version();
                    answers.push(Event::Write(hash(2)));
                }
                Effect::Lock(to, term) => {
                    is_asked |= to != node(1);
                    answers.push(Event::Answered(to, Reply::Grant { term, state: own }));
                }
                Effect::Sync { to, full } => {
                    assert!(!full);
                    is_asked |= to != node(1);
                    answers.push(Event::Answered(to, Reply::Ack(version)));
                }
                Effect::WakeAt(_) | Effect::Unlock(..) => {}
                Effect::Unknown | Effect::Outpaced | Effect::Failed(_) => panic!("{effect:?}"),
            }
        }
        questions += u32::from(is_asked);
        assert!(!answers.is_empty(), "nothing is waited for");
        effects.extend(answers.into_iter().flat_map(|event| stepped(coordinator, event)));
    }
}

#[test]
fn healthy_write_waits_once_when_held_and_twice_otherwise() {
    let mut coordinator = Coordinator::new(node(1), 1, 1);
    let (questions, first) =
        questions_of_a_write(&mut coordinator, State::default(), Version::ZERO.term);
    assert_eq!(questions, 2, "the lock, and the line");
    let own = State { acc: first, hash: hash(2), com: Version::ZERO };
    let (questions, second) = questions_of_a_write(&mut coordinator, own, first.term);
    assert_eq!((questions, second.term), (1, first.term), "the line alone");
    // Another machine's term came between.
    let own = State { acc: second, hash: hash(2), com: first };
    let (questions, third) = questions_of_a_write(&mut coordinator, own, term(9, 2));
    assert_eq!(questions, 2);
    assert!(third.term > term(9, 2));
}
