//! Acts at a machine that has not heard yet of whom they are about.

use rustix::process::Signal;
use tern::action::{Action, KeepersDeed};
use tern::id::PostId;
use tern::user::entry::PostRef;
use tern::wire::request::{Outcome, Refusal};

use super::apart::Person;
use super::keeping::kept;
use super::{Backends, eventually};

/// The machine that stands still meanwhile.
const LATE: usize = 2;

/// Has somebody join and post while one machine stands still, and `act` asked of it as soon as it goes on.
fn is_done(
    all: &Backends,
    number: u8,
    by: &Person<'_>,
    act: impl Fn(&Person<'_>, PostRef) -> Action,
) {
    all.signal(LATE, Signal::STOP);
    all.wait_until(0, |page| page.machines.iter().any(|row| row.down_since.is_some()));
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
    is_done(&all, 3, &ada, |ada, post| Action::Follow(ada.whom(post.user.as_str())));
    is_done(&all, 4, &ada, |ada, post| ada.keeping(KeepersDeed::Hide(post), "Not here."));
    is_done(&all, 5, &ada, |ada, post| {
        ada.keeping(KeepersDeed::Suspend { user: post.user, hours: Some(1) }, "Not here.")
    });
}
