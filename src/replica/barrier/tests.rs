//! Each step of a change, and the two dangers: a majority that still votes, and a second change.

use super::*;

fn node(number: u16) -> NodeId {
    NodeId::new(number).unwrap()
}

/// Machine `number` in life `life` of its directory.
fn seat(number: u16, life: u8) -> Seat {
    Seat { node: node(number), incarnation: Hash128([life; 16]) }
}

fn roster(epoch: u32, seats: &[(u16, u8)]) -> Roster {
    let digest = Hash128([u8::try_from(epoch).unwrap(); 16]);
    Roster { epoch, digest, seats: seats.iter().map(|&(n, life)| seat(n, life)).collect() }
}

fn open(roster: &Roster) -> Place {
    Place { current: roster.clone(), phase: Phase::Open, before: None, ready_for: None }
}

fn told(place: &Place, has_installed: bool, sum: u8) -> Standing {
    Standing {
        epoch: place.current.epoch,
        digest: place.current.digest,
        phase: place.phase,
        is_clean: place.is_clean(),
        has_installed,
        sum: Hash128([sum; 16]),
        is_damaged: false,
    }
}

/// Machine 3 of three replaced by another life of it.
struct Replacing {
    old: Roster,
    new: Roster,
    place: Place,
}

fn replacing() -> Replacing {
    let old = roster(1, &[(1, 1), (2, 1), (3, 1)]);
    let new = roster(2, &[(1, 1), (2, 1), (3, 2)]);
    let place = open(&old).adopt(&new, &old).unwrap();
    Replacing { old, new, place }
}

#[test]
fn replace_waits_for_old_majority_then_installs_then_opens() {
    let Replacing { old, place, .. } = replacing();
    let (one, two, three) = (seat(1, 1), seat(2, 1), seat(3, 2));
    let fresh = told(&place, false, 0);
    let behind = told(&open(&old), false, 0);
    let waits = place.next(three, &[(three, fresh), (one, fresh), (two, behind)]);
    assert_eq!(waits, Step::Wait(Waiting::OldMembers(vec![node(2), node(3)])));
    let all = [(three, fresh), (one, fresh), (two, fresh)];
    let from = vec![one, two, three];
    assert_eq!(place.next(three, &all), Step::Install { listed_by: from.clone(), from });
    let (done, other) = (told(&place, true, 7), told(&place, true, 8));
    let differing = [(three, done), (one, done), (two, other)];
    assert_eq!(place.next(three, &differing), Step::Wait(Waiting::SameFiles));
    let same = [(three, done), (one, done), (two, done)];
    assert_eq!(place.next(three, &same), Step::GetReady);
    let ready = place.made_ready();
    let is_ready = told(&ready, false, 7);
    let some = [(three, is_ready), (one, is_ready), (two, done)];
    assert_eq!(ready.next(three, &some), Step::Wait(Waiting::Readiness));
    let every = [(three, is_ready), (one, is_ready), (two, is_ready)];
    assert_eq!(ready.next(three, &every), Step::Open);
    assert_eq!(ready.opened().not_voting(three), None);
}

#[test]
fn replace_votes_nowhere_between_and_replaced_machine_leaves() {
    let Replacing { place, .. } = replacing();
    for held in [&place, &place.made_ready()] {
        assert_eq!(held.not_voting(seat(1, 1)), Some(NotVoting::Changing));
    }
    let opened = place.made_ready().opened();
    assert_eq!(opened.not_voting(seat(3, 1)), Some(NotVoting::Changing));
    let one = [(seat(1, 1), told(&opened, false, 7))];
    assert_eq!(place.next(seat(3, 1), &one), Step::Leave);
    assert_eq!(place.made_ready().next(seat(2, 1), &one), Step::Open);
}

#[test]
fn ready_machine_started_anew_copies_nothing_again() {
    let Replacing { place, .. } = replacing();
    let ready = place.made_ready();
    let three = seat(3, 2);
    let after_start = told(&ready, false, 7);
    let all =
        [(three, after_start), (seat(1, 1), after_start), (seat(2, 1), told(&place, true, 7))];
    assert_eq!(ready.next(three, &all), Step::Wait(Waiting::Readiness));
}

#[test]
fn new_members_alone_are_not_equal_before_they_installed() {
    let old = roster(1, &[(1, 1), (2, 1), (3, 1)]);
    let new = roster(2, &[(4, 1), (5, 1), (6, 1)]);
    let place = open(&old).adopt(&new, &old).unwrap();
    let empty = told(&place, false, 0);
    let mut all: Vec<_> = [4, 5, 6, 1, 2].iter().map(|&n| (seat(n, 1), empty)).collect();
    let from = [1, 2, 4, 5, 6].map(|number| seat(number, 1)).to_vec();
    let install = Step::Install { listed_by: from.clone(), from };
    assert_eq!(place.next(seat(4, 1), &all), install);
    all[0].1 = told(&place, true, 0);
    assert_eq!(place.next(seat(4, 1), &all), Step::Wait(Waiting::SameFiles));
}

#[test]
fn old_members_outside_get_ready_last_and_are_needed_to_open() {
    let old = roster(1, &[(1, 1), (2, 1), (3, 1)]);
    let new = roster(2, &[(4, 1), (5, 1), (6, 1)]);
    let place = open(&old).adopt(&new, &old).unwrap();
    let ready = place.made_ready();
    let (adopted, is_ready) = (told(&place, true, 0), told(&ready, true, 0));
    let mut all: Vec<_> = [4, 5, 6].iter().map(|&n| (seat(n, 1), is_ready)).collect();
    all.extend([1, 2].iter().map(|&n| (seat(n, 1), adopted)));
    assert_eq!(place.next(seat(1, 1), &all), Step::GetReady);
    all[3].1 = is_ready;
    assert_eq!(ready.next(seat(4, 1), &all), Step::Wait(Waiting::Readiness));
    all[4].1 = is_ready;
    assert_eq!(ready.next(seat(4, 1), &all), Step::Open);
}

#[test]
fn second_change_after_readiness_for_first_waits_for_it() {
    let Replacing { old, place, .. } = replacing();
    let other = roster(3, &[(1, 1), (2, 1), (4, 1)]);
    let ready = place.made_ready();
    let turned = ready.adopt(&other, &old).unwrap();
    let clean = place.adopt(&other, &old).unwrap();
    assert!(!turned.is_clean() && clean.is_clean());
    let (one, two, four) = (seat(1, 1), seat(2, 1), seat(4, 1));
    let of = |place: &Place| told(place, true, 7);
    let blocked = [(one, of(&turned)), (two, of(&clean)), (four, of(&clean))];
    assert_eq!(clean.next(two, &blocked), Step::Wait(Waiting::EarlierChange));
    let with_third = [blocked[0], blocked[1], blocked[2], (seat(3, 1), of(&clean))];
    assert_eq!(
        clean.next(two, &with_third),
        Step::GetReady,
        "two clean ones: it cannot have opened"
    );
    let again = roster(4, &[(1, 1), (2, 1), (3, 2)]);
    assert!(ready.adopt(&again, &old).unwrap().is_clean(), "the same members again");
}

#[test]
fn change_of_superseded_or_older_list_refused() {
    let Replacing { old, new, place } = replacing();
    let opened = place.made_ready().opened();
    let other = roster(3, &[(1, 1), (2, 1), (4, 1)]);
    assert_eq!(opened.adopt(&other, &old), Err(Stale::Before));
    assert_eq!(opened.adopt(&new, &old), Err(Stale::Epoch));
    assert!(opened.adopt(&other, &new).is_ok());
    let missed_it = open(&old).adopt(&other, &new).unwrap();
    assert_eq!(missed_it.before, Some(new));
}

/// 1 alone is whole and was removed while it lived: 2 and 3 opened with what was left of 2's copy.
#[test]
fn r0004_damaged_old_member_counts_only_where_all_old_members_have_come() {
    let old = roster(1, &[(1, 1), (2, 1), (3, 1)]);
    let fewer = roster(2, &[(2, 1), (3, 1)]);
    let place = open(&old).adopt(&fewer, &old).unwrap();
    let whole = told(&place, false, 0);
    let damaged = Standing { is_damaged: true, ..whole };
    let mut all = vec![(seat(2, 1), damaged), (seat(3, 1), whole)];
    let waits = Step::Wait(Waiting::OldMembers(vec![node(1)]));
    assert_eq!(place.next(seat(2, 1), &all), waits, "it may be the only one that has everything");
    all.push((seat(1, 1), told(&open(&old), false, 0)));
    assert_eq!(place.next(seat(2, 1), &all), waits, "it has not heard of the change");
    all[2].1 = damaged;
    let from = vec![seat(1, 1), seat(2, 1), seat(3, 1)];
    assert_eq!(
        place.next(seat(2, 1), &all),
        Step::Install { listed_by: from.clone(), from },
        "nobody else has more"
    );
}

/// Machine 1 is gone for good and 2 is damaged: the keeper has given 1 up, in a list of those left.
#[test]
fn damaged_old_member_counts_if_the_missing_one_was_given_up() {
    let old = roster(1, &[(1, 1), (2, 1), (3, 1)]);
    let left = roster(2, &[(2, 1), (3, 1)]);
    let next = roster(3, &[(2, 1), (3, 1)]);
    let place = open(&old).adopt(&next, &left).unwrap();
    let whole = told(&place, false, 0);
    let damaged = Standing { is_damaged: true, ..whole };
    let all = [(seat(2, 1), damaged), (seat(3, 1), whole)];
    assert!(matches!(place.next(seat(2, 1), &all), Step::Install { .. }));
    let waits = Step::Wait(Waiting::OldMembers(vec![node(3)]));
    assert_eq!(place.next(seat(2, 1), &all[..1]), waits, "of those left all are needed");
}

#[test]
fn machine_left_behind_by_a_change_takes_part_in_the_next() {
    let Replacing { old, new, place } = replacing();
    let other = roster(3, &[(1, 1), (2, 1), (4, 1)]);
    let stray = place.made_ready().adopt(&other, &old).unwrap();
    let next = roster(4, &[(1, 1), (2, 1), (3, 2), (4, 1)]);
    let back = stray.adopt(&next, &new).unwrap();
    assert_eq!((back.before.clone(), back.is_clean()), (Some(new), true));
}

#[test]
fn machine_that_was_never_ready_does_not_open() {
    let Replacing { place, .. } = replacing();
    let opened = place.made_ready().opened();
    let one = [(seat(1, 1), told(&opened, false, 7))];
    assert_eq!(place.next(seat(2, 1), &one), Step::Wait(Waiting::Readiness));
}

/// 4 and 5 opened the second list while 1 was given a third that took the place of it: from then on
/// every change follows the second.
#[test]
fn r0001_change_that_cannot_open_any_more_yields_to_what_follows_the_open_one() {
    let old = roster(1, &[(1, 1), (2, 1), (3, 1)]);
    let opened = roster(2, &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
    let stuck = roster(3, &[(1, 1), (2, 1), (3, 1)]);
    let next = roster(4, &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
    let ready = open(&old).adopt(&opened, &old).unwrap().made_ready();
    let unclean = ready.adopt(&stuck, &old).unwrap();
    assert!(!unclean.is_clean());
    let place = unclean.adopt(&next, &opened).unwrap();
    assert_eq!((place.before.as_ref(), place.is_clean()), (Some(&opened), true));
    assert_eq!(place.adopt(&roster(5, &[(1, 1)]), &old), Err(Stale::Before));
    assert_eq!(ready.opened().adopt(&stuck, &old), Err(Stale::Before));
}

/// Ready for one list, then given another and back to the first: repeating the first change is what
/// the keeper is told to do, so it must count again.
#[test]
fn r0002_earlier_change_repeated_after_another_counts_again() {
    let Replacing { old, place, .. } = replacing();
    let other = roster(3, &[(1, 1), (2, 1), (4, 1)]);
    let again = roster(4, &[(1, 1), (2, 1), (3, 2)]);
    let turned = place.made_ready().adopt(&other, &old).unwrap();
    assert!(!turned.is_clean());
    assert!(turned.adopt(&again, &old).unwrap().is_clean());
    let later = roster(5, &[(1, 1), (5, 1)]);
    assert!(!turned.adopt(&again, &old).unwrap().adopt(&later, &old).unwrap().is_clean());
}
