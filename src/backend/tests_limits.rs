//! A backend that counts how often: what has the threads at work that hash passwords.

use super::tests::{Home, PASSWORD as RIGHT, Running, opening};
use crate::action::{Action, ChangePassword, EndSession, Keyed, Whom};
use crate::id::{RequestId, RequestKey};
use crate::limits::{
    ACTS_HOUR_MAX, LOGIN_ADDRESS_MAX, LOGIN_ADDRESS_MS, PASSWORD_CHANGES_HOUR_MAX,
    SIGN_INS_HOUR_MAX, SIGN_INS_MINUTE_MAX,
};
use crate::wire::request::{Outcome, Refusal, Response};

const HOUR_MS: u64 = 60 * 60 * 1000;

fn key(number: usize) -> RequestKey {
    let number = u8::try_from(number % 251).unwrap();
    RequestKey { ops: u64::MAX, id: RequestId([number; 16]) }
}

#[track_caller]
fn check_too_often(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Refused(Refusal::TooMany { .. })), "{outcome:?}");
}

#[test]
fn r0052_sign_in_with_what_can_be_no_name_is_counted_by_address() {
    Home::with_limits().run(|machine| {
        let wrong = Outcome::Refused(Refusal::BadLogin);
        for n in 0..LOGIN_ADDRESS_MAX {
            let name = ["!!!", "", "a b", "@"][n % 4];
            assert_eq!(machine.login((name, RIGHT), "192.0.2.1"), wrong, "{n}");
        }
        check_too_often(&machine.login(("!!!", RIGHT), "192.0.2.1"));
        check_too_often(&machine.login(("ada", RIGHT), "192.0.2.1"));
        assert_eq!(machine.login(("!!!", RIGHT), "192.0.2.2"), wrong, "another address");
        machine.at_ms(LOGIN_ADDRESS_MS);
        assert_eq!(machine.login(("!!!", RIGHT), "192.0.2.1"), wrong, "later");
    });
}

#[test]
fn r0053_sign_ins_that_succeed_are_limited_for_a_user() {
    Home::with_limits().run(|machine| {
        machine.joined("ada");
        let mut from = 0;
        let mut right = |machine: &mut Running<'_>| {
            // From anywhere: it is the user that is counted.
            from += 1;
            machine.login(("ada", RIGHT), &format!("198.51.100.{from}"))
        };
        for minute in 0..SIGN_INS_HOUR_MAX / SIGN_INS_MINUTE_MAX {
            machine.at_ms(minute as u64 * 60_000);
            for n in 0..SIGN_INS_MINUTE_MAX {
                let outcome = right(machine);
                assert!(matches!(outcome, Outcome::Saved(_)), "{minute} {n}: {outcome:?}");
            }
            check_too_often(&right(machine));
        }
        machine.at_ms(30 * 60_000);
        check_too_often(&right(machine));
        // Nobody looks at the password then: no thread is kept busy.
        check_too_often(&machine.login(("ada", "a wrong one"), "192.0.2.1"));
        machine.at_ms(HOUR_MS);
        assert!(matches!(machine.login(("ada", RIGHT), "192.0.2.7"), Outcome::Saved(_)));
        // Who fails uses up nothing of it, or strangers could lock anybody out.
        machine.at_ms(3 * HOUR_MS);
        for n in 0..2 * SIGN_INS_HOUR_MAX {
            machine.login(("ada", "a wrong one"), &format!("203.0.113.{n}"));
        }
        assert!(matches!(machine.login(("ada", RIGHT), "192.0.2.7"), Outcome::Saved(_)));
    });
}

#[test]
fn r0053_new_passwords_are_limited_for_a_user() {
    Home::with_limits().run(|machine| {
        let mut session = machine.joined("ada");
        let passwords = [RIGHT, "nine ferns at noon"];
        let mut change = |machine: &mut Running<'_>, n: usize| {
            let data = ChangePassword {
                key: key(n + 100),
                current: passwords[n % 2].to_owned(),
                new: passwords[(n + 1) % 2].to_owned(),
                opening: opening("127.0.0.1"),
            };
            let Response { session: opened, data, .. } =
                machine.ask(Some(&session), Action::ChangePassword(data));
            session = opened.unwrap();
            data.outcome
        };
        for n in 0..PASSWORD_CHANGES_HOUR_MAX {
            let outcome = change(machine, n);
            assert!(matches!(outcome, Outcome::Saved(_)), "{n}: {outcome:?}");
        }
        check_too_often(&change(machine, PASSWORD_CHANGES_HOUR_MAX));
        machine.at_ms(HOUR_MS);
        let outcome = change(machine, PASSWORD_CHANGES_HOUR_MAX);
        assert!(matches!(outcome, Outcome::Saved(_)), "{outcome:?}");
    });
}

#[test]
fn r0152_whoever_has_done_all_that_may_be_done_signs_out() {
    Home::with_limits().run(|machine| {
        let session = machine.joined("ada");
        machine.joined("ben");
        let follow = |n| Action::Follow(Whom { key: key(n + 7), username: "ben".parse().unwrap() });
        let mut ask = |action| machine.ask(Some(&session), action).data.outcome;
        for n in 0..ACTS_HOUR_MAX {
            ask(follow(n));
        }
        check_too_often(&ask(follow(0)));
        // It may be an app that did all that, or whoever came by a session.
        for act in [
            Action::EndSession(EndSession { key: key(4), id: "another".to_owned() }),
            Action::EndOtherSessions(Keyed { key: key(5) }),
            Action::Logout(Keyed { key: key(6) }),
        ] {
            let outcome = ask(act);
            assert!(matches!(outcome, Outcome::Saved(_)), "{outcome:?}");
        }
    });
}
