//! One-time links, and passwords that are made of the site's address.

use super::fake::{Browser, hidden_fields, location, site, site_at, text};
use super::fitting::fitting;
use crate::action::{Action, Link, Problem};
use crate::wire::request::{Field, FieldProblem, Outcome, Refusal};

const FIRST: &str = "/first?link=AAECAwQFBgcICQoLDA0ODw";
const RESET: &str = "/reset?link=ben.AAECAwQFBgcICQoLDA0ODw";

#[test]
fn s10_first_keeper_is_asked_for_with_the_link_and_goes_to_the_settings() {
    let site = site();
    let mut browser = Browser::stranger(&site);
    let page = browser.get(FIRST);
    assert!(page.hides_address && page.status == 200);
    let typed = [("username", "Ada"), ("password", "eight lamps"), ("display_name", "Ada L.")];
    let done = browser.resubmit(&page, "/first", &typed);
    assert_eq!(location(&done), "/mod/settings");
    assert!(done.hides_address, "its browser tells where it comes from");
    let Some(Action::FirstKeeper(first)) = site.last_asked() else { panic!("nothing asked") };
    assert_eq!(first.secret, "AAECAwQFBgcICQoLDA0ODw");
    assert_eq!(
        (first.join.username.as_str(), first.join.password.as_str()),
        ("Ada", "eight lamps")
    );
    assert!(!browser.get("/login").hides_address);
}

/// The address is decoded before it is looked up, and was compared as it came.
#[test]
fn link_in_an_address_spelt_otherwise_is_hidden_as_well() {
    let site = site();
    let mut browser = Browser::stranger(&site);
    for link in [FIRST, RESET] {
        for spelt in [
            link.replacen("/r", "/%72", 1),
            link.replacen("st", "%73t", 1),
            link.replacen("et", "e%74", 1),
        ] {
            let page = browser.get(&spelt);
            assert_eq!((page.status, page.hides_address), (200, true), "{spelt}");
        }
    }
    assert!(!browser.get("/%6cogin").hides_address);
}

#[test]
fn s11_password_is_reset_with_the_link_of_its_owner() {
    let site = site();
    let mut browser = Browser::stranger(&site);
    let page = browser.get(RESET);
    assert!(text(&page).contains("@ben"), "{}", text(&page));
    let done = browser.resubmit(&page, "/reset", &[("new", "eight lamps")]);
    assert_eq!(location(&done), "/settings/password?ended=0");
    let Some(Action::ResetPassword(reset)) = site.last_asked() else { panic!("nothing asked") };
    assert_eq!((reset.user.as_str(), reset.new.as_str()), ("ben", "eight lamps"));
    assert_eq!(reset.secret, "AAECAwQFBgcICQoLDA0ODw");
}

#[test]
fn link_stays_in_the_form_until_it_is_dead() {
    for (address, action) in [(FIRST, "/first"), (RESET, "/reset")] {
        let site = site();
        let mut browser = Browser::stranger(&site);
        let page = browser.get(address);
        let link = address.split_once('=').unwrap().1;
        let typed = [("username", "ada"), ("password", "a"), ("new", "a")];
        for (refusal, status) in [
            (Refusal::Behind, 503),
            (Refusal::Busy { retry_after_s: 1 }, 503),
            (Refusal::NoMajority { reachable: 1, members: 3, needed: 2 }, 503),
            (Refusal::Unknown, 503),
            (invalid(Field::NewPassword), 422),
        ] {
            site.refuse(refusal);
            let again = browser.resubmit(&page, action, &typed);
            assert_eq!(again.status, status);
            let kept = hidden_fields(&again, action);
            assert!(kept.contains(&("link".to_owned(), link.to_owned())), "{kept:?}");
            assert!(!text(&again).contains("value=\"a\""), "no password comes back");
        }
        site.refuse(Refusal::Gone);
        let dead = browser.resubmit(&page, action, &typed);
        assert_eq!(dead.status, 410);
        assert!(text(&dead).contains("This link opens nothing"), "{}", text(&dead));
        site.answer(|action| {
            Ok(match action {
                Action::OpenLink(Link::FirstKeeper { .. } | Link::NewPassword { .. }) => {
                    Outcome::Refused(Refusal::Gone)
                }
                other => fitting(other),
            })
        });
        assert_eq!(browser.get(address).status, 410);
    }
}

fn invalid(field: Field) -> Refusal {
    let problem = Problem::TooShort { min: 8 };
    Refusal::Invalid { problems: vec![FieldProblem { field, problem }] }
}

#[test]
fn link_that_can_be_none_asks_nobody() {
    let site = site();
    let mut browser = Browser::stranger(&site);
    let long = format!("/reset?link=ben.{}", "A".repeat(61));
    for bad in ["/first", "/reset", "/reset?link=", "/reset?link=ben", "/reset?link=B en.A", &long]
    {
        assert_eq!(browser.get(bad).status, 410, "{bad}");
    }
    assert!(site.last_asked().is_none());
}

#[test]
fn s05_password_made_of_the_host_refused_wherever_one_is_chosen() {
    let site = site_at("http://garden-street.example");
    let places = [
        ("/join", "/join", "password", false),
        (FIRST, "/first", "password", false),
        (RESET, "/reset", "new", false),
        ("/settings/password", "/settings/password", "new", true),
    ];
    for (page, action, field, is_member) in places {
        for (password, is_taken) in [
            ("Garden-Street.example 1", false),
            ("gardenstreet2026", false),
            ("garden2026!", false),
            ("a garden on the street", true),
        ] {
            let mut browser =
                if is_member { Browser::ada(&site) } else { Browser::stranger(&site) };
            let typed = [("username", "zoe"), ("current", "eight lamps"), (field, password)];
            let answer = browser.submit(page, action, &typed);
            assert_eq!(answer.status, if is_taken { 303 } else { 422 }, "{page} {password}");
        }
    }
}
