//! Sessions off the wire: which tokens open them, and when they no longer do.

use crate::cluster::form::Form;
use crate::cluster::harness::{Cluster, Options, PROGRAM};
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

/// Asks the operator's program to do something with an account.
fn order(cluster: &Cluster, order: &[&str]) {
    let data = format!("--data={}", cluster.data().display());
    let mut command = std::process::Command::new(PROGRAM);
    let done = command.arg("user").args(order).arg(data).output().unwrap();
    assert!(done.status.success(), "{order:?}: {done:?}");
}

/// How many sessions a person sees that are not this one: each has a button that ends it.
fn others_seen(person: &mut Person) -> Vec<Form> {
    let forms = person.get("/settings/devices").forms();
    let ends = |form: &Form| form.action == "/settings/devices" && form.value("id").is_some();
    forms.into_iter().filter(ends).collect()
}

#[test]
fn s17_sessions_are_seen_and_ended_by_their_owner_and_the_operator() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    let (mut second, mut third) = (cluster.person("ada"), cluster.person("ada"));
    assert_eq!((second.login().status, third.login().status), (303, 303));
    // Both others are seen; ending one ends that one alone, on whatever it was copied to.
    let copies = [copy_of(&cluster, &second), copy_of(&cluster, &third)];
    let shown = others_seen(&mut ada);
    assert_eq!(shown.len(), 2);
    assert_eq!([&mut second, &mut third].map(is_signed_in), [true, true]);
    assert_eq!(ada.submit(&shown[0], &[]).status, 303);
    let left = [&mut second, &mut third].map(is_signed_in);
    assert!(left[0] != left[1] && is_signed_in(&mut ada), "{left:?}");
    assert_eq!(copies.map(|mut copy| is_signed_in(&mut copy)), left, "a copy is over, too");
    let mut other = if left[0] { second } else { third };
    // Another member's session is nobody's else to end, whatever form is sent.
    let mut ben = cluster.person("ben");
    ben.join();
    assert_eq!(cluster.person("ben").login().status, 303);
    let bens = others_seen(&mut ben).pop().expect("ben's other session");
    let id = others_seen(&mut other).pop().expect("ada's first").value("id").unwrap().to_owned();
    ben.submit(&bens, &[("id", &id)]);
    assert!(is_signed_in(&mut ada), "ben ended what is ada's");
    // The operator ends anybody's.
    order(&cluster, &["signout", "ada"]);
    assert!(!is_signed_in(&mut ada) && !is_signed_in(&mut other));
    assert!(is_signed_in(&mut ben));
}

#[test]
fn s17_suspending_stops_writing_and_deleting_ends_sessions() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let [mut kim, mut sam, mut tom] = ["kim", "sam", "tom"].map(|name| {
        let mut person = cluster.person(name);
        person.join();
        person
    });
    order(&cluster, &["admin", "kim"]);
    assert!(!is_signed_in(&mut kim), "whoever becomes a keeper signs in anew");
    // Suspended, sam reads and takes along what is his, and writes nothing: his session tells him so.
    let form = sam.get("/").form("/post");
    order(&cluster, &["suspend", "sam"]);
    assert_eq!(sam.submit(&form, &[("text", "Tea")]).status, 403);
    assert_eq!(sam.get("/settings/data/tern.json").status, 200);
    assert!(!sam.get("/@sam").body.contains("Tea"));
    // Deleted, tom has no session any more, nor can he open one.
    order(&cluster, &["delete", "tom", "--yes"]);
    assert!(!is_signed_in(&mut tom));
    assert_ne!(cluster.person("tom").login().status, 303);
}
