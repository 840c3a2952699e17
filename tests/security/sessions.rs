//! Sessions off the wire: which tokens open them, and when they no longer do.

use crate::cluster::harness::{Cluster, Options};
use crate::cluster::person::Person;

fn is_signed_in(person: &mut Person) -> bool {
    let page = person.get("/").body;
    let is_in = page.contains("action=\"/post\"");
    assert!(is_in || page.contains("href=\"/login\""), "neither in nor out:\n{page}");
    is_in
}

/// A browser with all the cookies of another.
fn copy_of(cluster: &Cluster, other: &Person) -> Person {
    let mut copy = cluster.person(&other.name);
    copy.keep_session(&other.cookies());
    copy
}

#[test]
fn s15_every_sign_in_and_new_password_makes_another_token() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let mut ada = cluster.person("ada");
    // What a stranger plants is never taken over.
    let planted = format!("s=ada.{}", "A".repeat(43));
    ada.keep_session(&planted);
    ada.join();
    let first = ada.cookie("s").unwrap().to_owned();
    assert_ne!(format!("s={first}"), planted);
    let mut elsewhere = cluster.person("ada");
    elsewhere.keep_session(&planted);
    assert!(!is_signed_in(&mut elsewhere));
    assert_eq!(elsewhere.login().status, 303);
    assert_ne!(elsewhere.cookie("s"), Some(first.as_str()));
    let (mut old, mut old_elsewhere) = (copy_of(&cluster, &ada), copy_of(&cluster, &elsewhere));
    assert!(is_signed_in(&mut old) && is_signed_in(&mut old_elsewhere));

    let password = ada.password();
    let typed = [("current", password.as_str()), ("new", "eight lamps and a boat")];
    assert_eq!(ada.act("/settings/password", "/settings/password", &typed).status, 303);
    assert!(is_signed_in(&mut ada));
    assert_ne!(ada.cookie("s"), Some(first.as_str()), "s06: the old token is dead, too");
    assert!(!is_signed_in(&mut old) && !is_signed_in(&mut old_elsewhere));
}

#[test]
fn s16_signed_out_token_is_dead_on_every_machine() {
    let mut cluster = Cluster::start(Options { no_restart: true, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    let mut copy = copy_of(&cluster, &ada);
    assert!(is_signed_in(&mut copy));
    // Going to the address does not sign out.
    assert_eq!(ada.get("/logout").status, 405);
    assert!(is_signed_in(&mut ada));
    let own = ada.get("/@ada").form("/logout");
    let answer = ada.submit(&own, &[]);
    assert_eq!((answer.status, answer.header("clear-site-data")), (303, Some("\"cache\"")));
    assert_eq!((ada.cookie("s"), ada.cookie("v"), ada.cookie("u")), (None, None, None));
    assert!(!is_signed_in(&mut copy_of(&cluster, &copy)));
    // Whichever machine is asked: with one of them gone the others answer for it.
    for node in 1..=3 {
        let mut again = copy_of(&cluster, &copy);
        assert!(!is_signed_in(&mut again), "machine {node}");
        if node == 1 {
            cluster.kill(1, rustix::process::Signal::KILL);
        }
    }
    cluster.stop();
}

#[test]
fn s18_new_password_and_deletion_take_the_password_itself() {
    // There is no time within which it is not asked: the form that does it has a field for it.
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    for current in ["", "not her password"] {
        let typed = [("current", current), ("new", "eight lamps and a boat")];
        let answer = ada.act("/settings/password", "/settings/password", &typed);
        assert_eq!(answer.status, 422, "{current:?}");
        let typed = [("username", "ada"), ("password", current)];
        assert_eq!(
            ada.act("/settings/leave", "/settings/leave", &typed).status,
            422,
            "{current:?}"
        );
    }
    assert!(is_signed_in(&mut ada));
    assert_eq!(cluster.person("ada").login().status, 303, "the password is the old one");
    let password = ada.password();
    let typed = [("username", "ada"), ("password", password.as_str())];
    assert_eq!(ada.act("/settings/leave", "/settings/leave", &typed).status, 303);
}
