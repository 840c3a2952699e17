//! How a machine judges what it holds by whom it hears, and when.

use super::*;
use crate::limits::PING_MS;

pub(super) fn node(number: u16) -> NodeId {
    NodeId::new(number).unwrap()
}

/// Machine 1 of so many, and the clock by which it goes.
fn machine_of(count: u16) -> (Membership, Clock) {
    let clock = Clock::manual(Mono(0), Wall(0));
    let members = (1..=count).map(node).collect();
    let name = "birch".to_owned();
    (Membership::new(node(1), name, members, Hash128([3; 16]), clock.clone()), clock)
}

/// What a machine says that reaches these.
pub(super) fn reaching(reaches: &[u16]) -> Health {
    let reaches = reaches.iter().copied().map(node).collect();
    Health { voting: true, reaches, ..Health::default() }
}

/// It has compared what it holds with machine 2, beginning then.
fn compared(machine: &Membership, began: u64) {
    machine.compared(&BTreeMap::from([(node(2), 0)]), Mono(began));
}

#[test]
fn r0115_machine_that_stood_still_may_be_old_until_it_has_compared_anew() {
    let (machine, clock) = machine_of(3);
    assert_eq!(machine.answered(node(2), reaching(&[1, 2, 3]), Mono(0)), Change::Up);
    assert!(machine.may_be_old());
    compared(&machine, 0);
    assert!(!machine.may_be_old());
    // A ping that comes back as late as it may is no reason to doubt.
    clock.set(Mono(2 * PING_MS), Wall(0));
    assert!(!machine.may_be_old());
    let heard = machine.answered(node(2), reaching(&[1, 2, 3]), Mono(PING_MS));
    assert_eq!(heard, Change::None);
    // It is known before anybody is heard, and not forgotten by hearing of one.
    clock.set(Mono(10_000), Wall(0));
    assert!(machine.may_be_old());
    let heard = machine.answered(node(2), reaching(&[1, 2, 3]), Mono(10_000));
    assert_eq!(heard, Change::Doubted);
    assert!(machine.may_be_old());
    compared(&machine, 700);
    assert!(machine.may_be_old(), "this one began before");
    compared(&machine, 10_000);
    assert!(!machine.may_be_old());
}

#[test]
fn r0115_majority_is_in_touch_once_so_many_have_answered_lately() {
    let (machine, clock) = machine_of(5);
    for number in 2..=5 {
        machine.answered(node(number), reaching(&[1, 2, 3, 4, 5]), Mono(0));
    }
    machine.compared(&BTreeMap::from([(node(2), 0), (node(3), 0)]), Mono(0));
    assert!(!machine.may_be_old());
    clock.set(Mono(10_000), Wall(0));
    machine.answered(node(2), reaching(&[1, 2, 3, 4, 5]), Mono(10_000));
    machine.compared(&BTreeMap::from([(node(2), 0), (node(3), 0)]), Mono(10_000));
    assert!(machine.may_be_old(), "two of five are in touch");
    let heard = machine.answered(node(3), reaching(&[1, 2, 3, 4, 5]), Mono(10_000));
    assert_eq!(heard, Change::Doubted);
    machine.compared(&BTreeMap::from([(node(2), 0), (node(3), 0)]), Mono(10_000));
    assert!(!machine.may_be_old());
}

#[test]
fn r0134_time_of_a_copy_is_that_of_the_last_moment_without_a_doubt_of_it() {
    let (machine, clock) = machine_of(3);
    let is_of = |ms| {
        clock.set(Mono(ms), Wall(ms));
        machine.gone(node(2));
        machine.cut_off().unwrap()
    };
    let answers = |ms| {
        clock.set(Mono(ms), Wall(ms));
        machine.answered(node(2), reaching(&[1, 2, 3]), Mono(ms));
    };
    answers(10);
    assert_eq!(is_of(20), (20, None), "it met one, and asked for nothing");
    answers(30);
    compared(&machine, 30);
    assert_eq!(is_of(40), (10, Some(Wall(30))));
    // It stands still; what it is told of when it goes on it has not asked for yet.
    answers(10_000);
    assert_eq!(is_of(10_010), (9_980, Some(Wall(30))));
    answers(10_020);
    compared(&machine, 10_020);
    assert_eq!(is_of(10_030), (10, Some(Wall(10_020))));
}

#[test]
fn r0115_machine_that_another_gave_up_may_be_old() {
    let (machine, clock) = machine_of(3);
    machine.answered(node(2), reaching(&[1, 2, 3]), Mono(0));
    compared(&machine, 0);
    clock.set(Mono(10), Wall(0));
    assert_eq!(machine.answered(node(2), reaching(&[2, 3]), Mono(10)), Change::None);
    assert!(machine.may_be_old() && !machine.is_doubted());
    compared(&machine, 10);
    assert!(machine.may_be_old(), "it goes on without this one");
    clock.set(Mono(20), Wall(0));
    assert_eq!(machine.answered(node(2), reaching(&[1, 2, 3]), Mono(20)), Change::Doubted);
    assert!(machine.may_be_old() && machine.is_doubted());
    compared(&machine, 20);
    assert!(!machine.may_be_old());
}

#[test]
fn machine_alone_is_never_old() {
    let (machine, clock) = machine_of(1);
    clock.set(Mono(10_000), Wall(0));
    assert!(!machine.may_be_old() && machine.has_agreed() && !machine.is_doubted());
}

#[test]
fn r0232_machine_that_was_cut_off_for_a_moment_may_be_old_until_it_has_compared_anew() {
    let (machine, clock) = machine_of(3);
    for number in [2, 3] {
        machine.answered(node(number), reaching(&[1, 2, 3]), Mono(0));
    }
    compared(&machine, 0);
    // One that dies takes no trust along.
    assert_eq!(machine.gone(node(3)), Change::Down);
    assert!(!machine.may_be_old());
    assert_eq!(machine.gone(node(2)), Change::Down);
    assert!(machine.may_be_old(), "the others do without it from now on");
    let at = Mono(OUT_OF_TOUCH_MS / 2);
    clock.set(at, Wall(0));
    assert_eq!(machine.answered(node(2), reaching(&[1, 2]), at), Change::Up);
    assert!(machine.may_be_old() && machine.is_doubted());
    compared(&machine, at.0);
    assert!(!machine.may_be_old());
}
