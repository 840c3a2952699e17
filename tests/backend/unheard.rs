//! Acts at a machine that has not heard yet of whom they are about.

use rustix::process::Signal;
use tern::action::{Action, KeepersDeed, Page, PageOf, Problem};
use tern::id::PostId;
use tern::user::entry::{House, PostRef, Signup};
use tern::wire::request::{Hindered, Outcome, Refusal};

use super::apart::Person;
use super::keeping::{code_refused, join, kept, race_in};
use super::{Backends, eventually};

/// The machine that stands still meanwhile.
const LATE: usize = 2;

/// Stops that machine, and waits until it is given up.
fn stands_still(all: &Backends) {
    all.signal(LATE, Signal::STOP);
    all.wait_until(0, |page| page.machines.iter().any(|row| row.down_since.is_some()));
}

/// Has somebody join and post while one machine stands still, and `act` asked of it as soon as it goes on.
fn check_done(
    all: &Backends,
    number: u8,
    by: &Person<'_>,
    act: impl Fn(&Person<'_>, PostRef) -> Action,
) {
    stands_still(all);
    let name = format!("user{number}");
    let id: PostId = Person::join(all, &name, number).post("Here I am.", None);
    let action = act(by, PostRef { user: name.parse().unwrap(), id });
    all.signal(LATE, Signal::CONT);
    let outcome = eventually(|| {
        Some(by.ask_at(LATE, action.clone())).filter(|it| *it != Outcome::Refused(Refusal::Behind))
    });
    assert!(matches!(outcome, Outcome::Saved(_)), "{name}: {outcome:?}");
}

#[test]
fn r0131_nobody_is_said_not_to_be_there_by_a_machine_that_has_not_heard_of_them() {
    let all = Backends::without_rate_limits();
    let (ada, []) = kept(&all, []);
    check_done(&all, 3, &ada, |ada, post| Action::Follow(ada.whom(post.user.as_str())));
    check_done(&all, 4, &ada, |ada, post| ada.keeping(KeepersDeed::Hide(post), "Not here."));
    check_done(&all, 5, &ada, |ada, post| {
        ada.keeping(KeepersDeed::Suspend { user: post.user, hours: Some(1) }, "Not here.")
    });
}

#[test]
fn r0169_who_was_let_in_is_a_member_where_that_was_not_heard_of_yet() {
    let all = Backends::without_rate_limits();
    let (ada, [ben]) = kept(&all, ["ben"]);
    ada.sets(House { signup: Signup::Approved, ..House::default() });
    let eve = Person::join(&all, "eve", 5);
    let home = || Action::Home(Page::default());
    let waits = |n| eve.ask_at(n, home()) == Outcome::Refused(Refusal::Hindered(Hindered::Waiting));
    eventually(|| waits(LATE).then_some(()));
    stands_still(&all);
    ada.keeps(KeepersDeed::Admit { user: "eve".parse().unwrap() }, "");
    all.signal(LATE, Signal::CONT);
    let told = eve.ask_at(LATE, home());
    assert!(matches!(told, Outcome::Posts(_)), "{told:?}");
    let profile = Action::Profile(PageOf { username: "eve".parse().unwrap(), before: None });
    let told = ben.ask_at(LATE, profile);
    assert!(matches!(told, Outcome::Profile(_)), "{told:?}");
}

#[test]
fn r0133_invitation_is_not_called_wrong_by_a_machine_that_may_not_have_heard_of_it() {
    let all = Backends::without_rate_limits();
    let (ada, []) = kept(&all, []);
    ada.sets(House { signup: Signup::Invited, ..House::default() });
    let is_asked_for = || join(&all, LATE, "cleo", "");
    eventually(|| (is_asked_for() == code_refused(Problem::Empty)).then_some(()));
    // A machine that is in step says so of what nobody has made.
    let is_told = || join(&all, LATE, "cleo", "gull-and-tern");
    eventually(|| (is_told() == code_refused(Problem::Wrong)).then_some(()));
    stands_still(&all);
    ada.invites("gull-and-tern", 1);
    // Who could tell it stands still now.
    (0..LATE).for_each(|n| all.signal(n, Signal::STOP));
    all.signal(LATE, Signal::CONT);
    assert_eq!(is_told(), Outcome::Refused(Refusal::Behind));
    (0..LATE).for_each(|n| all.signal(n, Signal::CONT));
    let joined = race_in(&all, LATE, "cleo", "gull-and-tern");
    assert!(matches!(joined, Outcome::Saved(_)), "{joined:?}");
}
