//! Scenarios of one machine's part, step by step (`coordinator` has those of the asking side), and
//! `walk`: three machines at random.

mod coordinator;
mod walk;

use super::acceptor::{Acceptor, Effect as Done, Event as Asked, Floors, Proposal};
use super::reader::{Found, Reader};
use super::version::{Term, Version};
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

/// Who catches up with somebody that writes all the time is never level with them.
#[test]
fn acceptor_shows_what_it_has_learned_while_more_is_committed() {
    let mut acceptor = holding_one();
    let (first, second) = (version(4, 2, 1), version(5, 2, 1));
    assert_eq!(step(&mut acceptor, Asked::Committed(second)), [Done::Behind(second)]);
    let learn = Asked::Learn { version: first, hash: hash(7) };
    assert_eq!(step(&mut acceptor, learn), [Done::Replace]);
    let shown = [Done::Advance(first), Done::Behind(second)];
    assert_eq!(step(&mut acceptor, Asked::Written), shown);
    assert_eq!(acceptor.state().com, first);
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

/// The flush of a file from a peer failed, and the file is there and whole.
#[test]
fn r0016_file_found_damaged_shows_all_that_it_knows_to_be_committed() {
    let mut acceptor = holding_one();
    let (acc, com) = (version(3, 1, 1), version(2, 1, 1));
    let intact = State { acc, hash: hash(3), com };
    assert_eq!(step(&mut acceptor, Asked::Damaged(intact)), [Done::Advance(com)]);
    assert_eq!((acceptor.state(), acceptor.is_damaged()), (intact, true));
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

/// What a repair's lock in round 5 found, and its line.
fn restoring(full: bool) -> Proposal {
    Proposal {
        version: version(5, 1, 1),
        base: version(1, 1, 1),
        base_hash: hash(1),
        hash: hash(5),
        com: version(1, 1, 1),
        full,
    }
}

#[test]
fn acceptor_brought_up_to_the_base_restored_by_a_line() {
    let mut acceptor = holding_one();
    step(&mut acceptor, Asked::Damaged(State::default()));
    step(&mut acceptor, lock(5, 1));
    let line = Asked::Restore(restoring(false));
    let need = [Done::Reply(Reply::Need(State::default()))];
    assert_eq!(step(&mut acceptor, line), need, "a line on what is not here");
    step(&mut acceptor, Asked::Learn { version: version(1, 1, 1), hash: hash(1) });
    step(&mut acceptor, Asked::Written);
    let other = Proposal { base_hash: hash(2), ..restoring(false) };
    let need = step(&mut acceptor, Asked::Restore(other));
    assert!(matches!(need[..], [Done::Reply(Reply::Need(_))]), "another value: {need:?}");
    assert_eq!(step(&mut acceptor, line), [Done::Append]);
    assert_eq!(step(&mut acceptor, Asked::Written), [Done::ClearMark]);
    step(&mut acceptor, Asked::Cleared);
    assert_eq!(acceptor.state().acc, version(5, 1, 1));
    assert!(!acceptor.is_damaged());
}

#[test]
fn acceptor_restored_votes_once_its_mark_is_gone() {
    let mut acceptor = Acceptor::new(State::default()).damaged();
    step(&mut acceptor, lock(5, 1));
    assert_eq!(step(&mut acceptor, Asked::Restore(restoring(true))), [Done::Replace]);
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
    let restore = Asked::Restore(restoring(true));
    let promise = term(6, 2);
    assert_eq!(step(&mut acceptor, restore), refused(Refuse::Promised { promise }));
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
