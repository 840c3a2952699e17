//! Stories of strangers and members, with a clock by hand.

use super::*;

const HOME: &str = "192.0.2.1";
const S: u64 = 1_000;

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A wrong password from an address that nothing was heard of before.
fn stranger(throttle: &Throttle, name: &str, number: u32, at: u64) -> u32 {
    let addr = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number));
    seconds(throttle.check_login(name, addr, Mono(at)))
}

/// Seconds to wait; 0 where it is allowed.
fn seconds(answer: Result<(), RetryAfter>) -> u32 {
    answer.map_or_else(|retry| retry.seconds, |()| 0)
}

#[test]
fn s09_login_five_failures_then_pauses_double_to_quarter_hour() {
    let throttle = Throttle::new(true);
    let mut number = 0;
    let mut attempt = |at| {
        number += 1;
        stranger(&throttle, "ada", number, at)
    };
    for _ in 0..5 {
        assert_eq!(attempt(0), 0);
    }
    let mut now = 0;
    for pause_s in [30, 60, 120, 240, 480, 900, 900, 900] {
        assert_eq!(attempt(now), pause_s);
        assert_eq!(attempt(now + u64::from(pause_s) * S - 1), 1);
        now += u64::from(pause_s) * S;
        assert_eq!(attempt(now), 0, "after {pause_s} s");
    }
}

#[test]
fn login_refused_attempt_not_counted() {
    let throttle = Throttle::new(true);
    for number in 0..5 {
        stranger(&throttle, "ada", number, 0);
    }
    for number in 5..500 {
        assert_eq!(stranger(&throttle, "ada", number, 1), 30);
    }
    assert_eq!(stranger(&throttle, "ada", 500, 30 * S), 0);
}

#[test]
fn login_guesses_sent_together_counted_before_answers() {
    let throttle = Throttle::new(true);
    let allowed = (0..200).filter(|number| stranger(&throttle, "ada", *number, 0) == 0).count();
    assert_eq!(allowed, 5);
}

#[test]
fn login_name_spelt_otherwise_is_same_account() {
    let throttle = Throttle::new(true);
    for (number, name) in (0..).zip(["ada", "Ada", " ADA ", "aDa", "ada\t"]) {
        assert_eq!(stranger(&throttle, name, number, 0), 0);
    }
    assert_eq!(stranger(&throttle, "ada", 9, 0), 30);
    assert_eq!(stranger(&throttle, "ben", 9, 0), 0);
}

#[test]
fn login_right_password_forgives_account_and_attempt() {
    let throttle = Throttle::new(true);
    for at in 0..100 {
        assert_eq!(seconds(throttle.check_login("ada", addr(HOME), Mono(at))), 0, "at {at}");
        throttle.login_succeeded("ada", addr(HOME));
    }
    for number in 0..4 {
        stranger(&throttle, "ada", number, 100);
    }
    assert_eq!(seconds(throttle.check_login("ada", addr(HOME), Mono(100))), 0);
    throttle.login_succeeded("ada", addr(HOME));
    for number in 0..5 {
        assert_eq!(stranger(&throttle, "ada", number, 100), 0);
    }
}

#[test]
fn s09_login_closed_account_open_to_known_address() {
    let throttle = Throttle::new(true);
    throttle.check_login("ada", addr(HOME), Mono(0)).unwrap();
    throttle.login_succeeded("Ada ", addr(HOME));
    for number in 0..6 {
        stranger(&throttle, "ada", number, 0);
    }
    assert_eq!(stranger(&throttle, "ada", 7, 0), 30);
    assert_eq!(seconds(throttle.check_login("ada", addr(HOME), Mono(0))), 0);
    assert_eq!(seconds(throttle.check_login("ada", addr("192.0.2.2"), Mono(0))), 60);
    // Only for that account, and not without end.
    for number in 0..5 {
        stranger(&throttle, "ben", number, 0);
    }
    assert_eq!(seconds(throttle.check_login("ben", addr(HOME), Mono(0))), 30);
    let guesses =
        (0..100).filter(|_| throttle.check_login("ada", addr(HOME), Mono(0)).is_ok()).count();
    assert_eq!(guesses, limits::LOGIN_ADDRESS_MAX - 1);
}

#[test]
fn s09_login_closed_account_open_to_where_it_was_made() {
    let throttle = Throttle::new(true);
    throttle.password_chosen(&"ada".parse().unwrap(), addr(HOME));
    for number in 0..6 {
        stranger(&throttle, "ada", number, 0);
    }
    assert_eq!(seconds(throttle.check_login("ada", addr(HOME), Mono(0))), 0);
    assert!(seconds(throttle.check_login("ada", addr("192.0.2.2"), Mono(0))) > 0);
}

#[test]
fn login_known_addresses_oldest_forgotten() {
    let throttle = Throttle::new(true);
    let address = |n: usize| IpAddr::V4(Ipv4Addr::new(198, 51, 100, u8::try_from(n).unwrap()));
    // One address, however often, takes one place.
    for n in (0..=limits::LOGIN_ADDRESSES_KNOWN_MAX).chain([2, 2, 2, 2]) {
        throttle.login_succeeded("ada", address(n));
    }
    for number in 0..5 {
        stranger(&throttle, "ada", number, 0);
    }
    assert!(throttle.check_login("ada", address(0), Mono(0)).is_err());
    assert!(throttle.check_login("ada", address(1), Mono(0)).is_ok());
}

#[test]
fn login_undecided_not_counted() {
    let throttle = Throttle::new(true);
    for _ in 0..100 {
        assert_eq!(seconds(throttle.check_login("ada", addr(HOME), Mono(0))), 0);
        throttle.login_undecided("ada", addr(HOME));
    }
}

#[test]
fn s09_login_twenty_from_one_address_then_refused() {
    let throttle = Throttle::new(true);
    for n in 0..20 {
        let name = format!("name_{n}");
        assert_eq!(seconds(throttle.check_login(&name, addr(HOME), Mono(n * S))), 0);
    }
    assert_eq!(seconds(throttle.check_login("other", addr(HOME), Mono(20 * S))), 280);
    assert_eq!(seconds(throttle.check_login("other", addr("192.0.2.2"), Mono(20 * S))), 0);
    assert_eq!(seconds(throttle.check_login("other", addr(HOME), Mono(300 * S))), 0);
    assert_eq!(seconds(throttle.check_login("other", addr(HOME), Mono(300 * S))), 1);
}

#[test]
fn login_no_possible_name_counted_by_address() {
    let throttle = Throttle::new(true);
    let hostile = "x".repeat(100_000);
    for n in 0..20 {
        let name = if n % 2 == 0 { "" } else { hostile.as_str() };
        assert_eq!(seconds(throttle.check_login(name, addr(HOME), Mono(0))), 0);
    }
    assert_eq!(seconds(throttle.check_login("ada", addr(HOME), Mono(0))), 300);
}

#[test]
fn s09_login_ipv6_counted_by_64_and_mapped_as_ipv4() {
    let throttle = Throttle::new(true);
    for n in 0..20 {
        let host = addr(&format!("2001:db8:1:2::{n:x}"));
        assert_eq!(seconds(throttle.check_login("", host, Mono(0))), 0);
        let mapped = addr(if n % 2 == 0 { "::ffff:192.0.2.9" } else { "192.0.2.9" });
        assert_eq!(seconds(throttle.check_login("", mapped, Mono(0))), 0);
    }
    assert!(throttle.check_login("", addr("2001:db8:1:2:ffff::1"), Mono(0)).is_err());
    assert!(throttle.check_login("", addr("2001:db8:1:3::1"), Mono(0)).is_ok());
    assert!(throttle.check_login("", addr("192.0.2.9"), Mono(0)).is_err());
    assert!(throttle.check_login("", addr("::ffff:192.0.2.9"), Mono(0)).is_err());
}

#[test]
fn login_failures_long_ago_forgotten() {
    let throttle = Throttle::new(true);
    for number in 0..12 {
        stranger(&throttle, "ada", number, u64::from(number) * 1_000 * S);
    }
    let last = 11_000 * S;
    let almost = last + limits::LOGIN_FAILURES_KEPT_MS - 1;
    assert_eq!(stranger(&throttle, "ada", 20, almost), 0);
    assert_eq!(stranger(&throttle, "ada", 21, almost), 900);
    let later = almost + limits::LOGIN_FAILURES_KEPT_MS;
    for number in 30..35 {
        assert_eq!(stranger(&throttle, "ada", number, later), 0);
    }
    assert_eq!(stranger(&throttle, "ada", 40, later), 30);
}

#[test]
fn login_flood_of_names_remembers_no_more_than_limit() {
    let throttle = Throttle::new(true);
    for number in 0..u32::try_from(limits::THROTTLE_KEYS_MAX).unwrap() + 100 {
        stranger(&throttle, &format!("name_{number}"), number, 0);
    }
    let logins = throttle.logins.lock();
    assert!(logins.accounts.get(&UserName::parse("name_0").unwrap()).is_none());
    assert!(logins.accounts.get(&UserName::parse("name_100").unwrap()).is_some());
    assert!(logins.addresses.get(&addr("10.0.0.0")).is_none());
}

#[test]
fn confirmation_five_wrong_ones_then_pauses_and_a_right_one_forgives() {
    let throttle = Throttle::new(true);
    let ada = UserName::parse("ada").unwrap();
    let confirm = |at| seconds(throttle.check_confirmation(&ada, Mono(at)));
    let mut now = 0;
    for _ in 0..2 {
        for _ in 0..5 {
            assert_eq!(confirm(now), 0);
        }
        for pause_s in [30, 60, 120, 240, 480, 900, 900] {
            assert_eq!(confirm(now), pause_s);
            now += u64::from(pause_s) * S;
            assert_eq!(confirm(now), 0, "after {pause_s} s");
        }
        throttle.confirmed(&ada);
    }
    assert!(throttle.check_confirmation(&"ben".parse().unwrap(), Mono(now)).is_ok());
}

#[test]
fn confirmation_undecided_not_counted() {
    let throttle = Throttle::new(true);
    let ada = UserName::parse("ada").unwrap();
    for _ in 0..100 {
        assert!(throttle.check_confirmation(&ada, Mono(0)).is_ok());
        throttle.confirmation_undecided(&ada);
    }
}

#[test]
fn confirmation_wrong_or_right_changes_nothing_for_who_signs_in() {
    let throttle = Throttle::new(true);
    let ada = UserName::parse("ada").unwrap();
    for _ in 0..5 {
        assert!(throttle.check_confirmation(&ada, Mono(0)).is_ok());
    }
    for number in 0..5 {
        assert_eq!(stranger(&throttle, "ada", number, 0), 0);
    }
    throttle.confirmed(&ada);
    throttle.confirmation_undecided(&ada);
    assert_eq!(stranger(&throttle, "ada", 5, 0), 30);
}

#[test]
fn confirmations_of_many_remember_no_more_than_limit() {
    let throttle = Throttle::new(true);
    let user = |number: usize| UserName::parse(&format!("name_{number}")).unwrap();
    for number in 0..=limits::THROTTLE_KEYS_MAX {
        assert!(throttle.check_confirmation(&user(number), Mono(0)).is_ok());
    }
    let confirmations = throttle.confirmations.lock();
    assert!(confirmations.get(&user(0)).is_none() && confirmations.get(&user(1)).is_some());
}

#[test]
fn s08_join_five_an_hour_from_one_address() {
    let throttle = Throttle::new(true);
    let address = addr(HOME);
    for n in 0..5 {
        assert_eq!(seconds(throttle.check_join(address, Mono(n * 60 * S))), 0);
    }
    assert_eq!(seconds(throttle.check_join(address, Mono(300 * S))), 3_300);
    assert_eq!(seconds(throttle.check_join(addr("192.0.2.2"), Mono(300 * S))), 0);
    assert_eq!(seconds(throttle.check_join(address, Mono(3_600 * S))), 0);
}

#[test]
fn s08_join_twenty_a_day_from_one_network() {
    for (own, other) in [("192.0.2.", "192.0.3.1"), ("2001:db8:1:", "2001:db8:2::1")] {
        let throttle = Throttle::new(true);
        let v6 = if own.contains(':') { "::1" } else { "" };
        for n in 1..=20 {
            assert_eq!(seconds(throttle.check_join(addr(&format!("{own}{n}{v6}")), Mono(0))), 0);
        }
        let one_more = addr(&format!("{own}99{v6}"));
        assert_eq!(seconds(throttle.check_join(one_more, Mono(0))), 86_400);
        assert_eq!(seconds(throttle.check_join(addr(other), Mono(0))), 0);
        // The refused one was not counted against its address.
        for _ in 0..5 {
            assert_eq!(seconds(throttle.check_join(one_more, Mono(86_400 * S))), 0);
        }
    }
}

#[test]
fn s42_act_posts_thirty_a_minute_and_three_hundred_an_hour() {
    let throttle = Throttle::new(true);
    let ada = UserName::parse("ada").unwrap();
    let post = |at| seconds(throttle.check_act(&ada, ActKind::Post, Mono(at)));
    for minute in 0..10 {
        for n in 0..30 {
            assert_eq!(post(minute * 60 * S), 0, "{n} in {minute}");
        }
        assert_eq!(post(minute * 60 * S), if minute < 9 { 60 } else { 3_060 });
    }
    assert_eq!(post(3_600 * S), 0);
    // Other acts, and other people, have limits of their own.
    assert!(throttle.check_act(&ada, ActKind::Other, Mono(540 * S)).is_ok());
    let ben = UserName::parse("ben").unwrap();
    assert!(throttle.check_act(&ben, ActKind::Post, Mono(540 * S)).is_ok());
}

#[test]
fn s42_act_others_three_hundred_an_hour() {
    let throttle = Throttle::new(true);
    let ada = UserName::parse("ada").unwrap();
    for _ in 0..300 {
        assert!(throttle.check_act(&ada, ActKind::Other, Mono(0)).is_ok());
    }
    let refused = throttle.check_act(&ada, ActKind::Other, Mono(S));
    assert_eq!(refused, Err(RetryAfter { seconds: 3_599 }));
}

#[test]
fn s42_search_thirty_a_minute_by_user_and_by_address() {
    let throttle = Throttle::new(true);
    let ada = UserName::parse("ada").unwrap();
    for n in 0..30 {
        assert!(throttle.check_act(&ada, ActKind::Search, Mono(n)).is_ok(), "{n}");
        // One household has many IPv6 addresses.
        let own: IpAddr = format!("2001:db8::{n}").parse().unwrap();
        assert!(throttle.check_search(own, Mono(n)).is_ok(), "{n}");
    }
    let refused = Err(RetryAfter { seconds: 60 });
    assert_eq!(throttle.check_act(&ada, ActKind::Search, Mono(0)), refused);
    assert_eq!(throttle.check_search("2001:db8::99".parse().unwrap(), Mono(0)), refused);
    assert!(throttle.check_search("2001:db8:1::1".parse().unwrap(), Mono(0)).is_ok());
    assert!(throttle.check_act(&ada, ActKind::Search, Mono(60 * S)).is_ok());
}

#[test]
fn s42_export_three_a_day() {
    let throttle = Throttle::new(true);
    let ada = UserName::parse("ada").unwrap();
    for _ in 0..3 {
        assert!(throttle.check_act(&ada, ActKind::Export, Mono(0)).is_ok());
    }
    let day = 24 * 3_600;
    let refused = throttle.check_act(&ada, ActKind::Export, Mono(S));
    assert_eq!(refused, Err(RetryAfter { seconds: day - 1 }));
    assert!(throttle.check_act(&ada, ActKind::Export, Mono(u64::from(day) * S)).is_ok());
}

#[test]
fn throttle_off_allows_everything() {
    let throttle = Throttle::new(false);
    let ada = UserName::parse("ada").unwrap();
    for _ in 0..1_000 {
        assert!(throttle.check_login("ada", addr(HOME), Mono(0)).is_ok());
        assert!(throttle.check_confirmation(&ada, Mono(0)).is_ok());
        assert!(throttle.check_join(addr(HOME), Mono(0)).is_ok());
        assert!(throttle.check_act(&ada, ActKind::Post, Mono(0)).is_ok());
        assert!(throttle.check_search(addr(HOME), Mono(0)).is_ok());
    }
}
