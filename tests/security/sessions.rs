//! Sessions off the wire: which tokens open them, and when they no longer do.

use std::time::Duration;

use rustix::process::Signal;
use tern::action::{Action, Keyed};
use tern::limits::FRAME_BYTES_MAX;
use tern::transport::Role;
use tern::transport::connection::dial;
use tern::transport::key::Keys;
use tern::wire::request::{Outcome, Request, Response};

use crate::cluster::files::wait_for_agreement;
use crate::cluster::form::Form;
use crate::cluster::harness::{Cluster, Options, eventually};
use crate::cluster::person::Person;
use crate::member::harness::Caller;
use crate::torture::fleet::Fleet;
use crate::torture::machine::Start;
use crate::torture::proxy::Mode;

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

/// Asks machines themselves; where they listen, by number.
pub(crate) fn caller(keys: Keys, addresses: impl IntoIterator<Item = String>) -> Caller {
    let port = |address: String| address.rsplit_once(':').unwrap().1.parse().unwrap();
    Caller::new(keys, (1..).zip(addresses.into_iter().map(port)).collect())
}

/// Asks the machines of a cluster themselves.
pub(crate) fn machines_of(cluster: &Cluster) -> Caller {
    let keys = Keys::read(&cluster.data().join("cluster.key")).unwrap();
    caller(keys, (1..=cluster.backends()).map(|node| cluster.backend_address(node)))
}

/// A browser's session as a web server passes it on: with what the browser has seen, and without.
pub(super) fn sessions_of(person: &Person) -> [String; 2] {
    let session = person.cookie("s").unwrap().to_owned();
    [format!("{session}@{}", person.cookie("v").unwrap()), session]
}

/// Whether a machine trusts a session; none if it says neither.
fn trusts(caller: &Caller, node: u16, session: &str) -> Option<bool> {
    let answer = caller.ask(node, Some(session), Action::CheckSession).ok()?;
    let is_trusted = answer.data.viewer.is_some();
    assert_eq!(answer.session.is_some(), is_trusted);
    (answer.data.outcome == Outcome::Checked).then_some(is_trusted)
}

/// Has a machine know by itself who these people are, and what they have seen: those who wrote it may have told
/// the others alone so far.
pub(crate) fn make_known(machines: &Caller, node: u16, people: &[&Person]) {
    for person in people {
        let [session, _] = sessions_of(person);
        eventually("it knows who somebody is", WAIT, || {
            trusts(machines, node, &session).filter(|is_trusted| *is_trusted)
        });
    }
}

/// How long machines may take to be there.
pub(super) const WAIT: Duration = Duration::from_secs(30);
/// How often it is tried whether a machine hears too late that a session is over.
const ENDS: usize = 4;

#[test]
fn s16_signed_out_token_is_dead_on_every_machine() {
    let cluster = Cluster::start(Options::default());
    let machines = machines_of(&cluster);
    let mut ada = cluster.person("ada");
    ada.join();
    // Going to the address does not sign out.
    assert_eq!(ada.get("/logout").status, 405);
    assert!(is_signed_in(&mut ada));
    for _ in 0..ENDS {
        let mut copy = copy_of(&cluster, &ada);
        let sessions = sessions_of(&ada);
        for node in 1..=3 {
            let there = sessions.each_ref().map(|session| trusts(&machines, node, session));
            assert_eq!(there, [Some(true); 2], "machine {node}");
        }
        let own = ada.get("/@ada").form("/logout");
        let answer = ada.submit(&own, &[]);
        for session in &sessions {
            let there = [1, 2, 3].map(|node| trusts(&machines, node, session));
            assert_eq!(there, [Some(false); 3]);
        }
        assert_eq!((answer.status, answer.header("clear-site-data")), (303, Some("\"cache\"")));
        assert_eq!((ada.cookie("s"), ada.cookie("v"), ada.cookie("u")), (None, None, None));
        assert!(!is_signed_in(&mut copy));
        assert_eq!(ada.login().status, 303);
    }
}

/// How late everything comes to a machine on a slow line, and from it.
pub(super) const LATE: Mode = Mode::Delay(Duration::from_millis(80));

#[test]
fn s16_no_machine_trusts_a_token_however_slow_its_line_or_long_away() {
    let mut fleet = Fleet::start();
    let machines = caller(fleet.keys.clone(), fleet.door_addresses());
    eventually("the machines are up", WAIT, || fleet.is_well().then_some(()));
    let mut ada = Person::new(&fleet.site(), "ada");
    ada.join();
    for slow in 0..3 {
        let sessions = sessions_of(&ada);
        for session in &sessions {
            eventually("all machines know the session", WAIT, || {
                let there = [1, 2, 3].map(|node| trusts(&machines, node, session));
                (there == [Some(true); 3]).then_some(())
            });
        }
        fleet.set_ways(slow, LATE, LATE);
        let form = ada.get("/@ada").form("/logout");
        assert_eq!(ada.submit(&form, &[]).status, 303);
        for session in &sessions {
            let there = [1, 2, 3].map(|node| trusts(&machines, node, session));
            assert_eq!(there, [Some(false); 3], "machine {} is slow", slow + 1);
        }
        fleet.set_ways(slow, Mode::Pass, Mode::Pass);
        assert_eq!(ada.login().status, 303);
    }
    // One that was away meanwhile finds out before it trusts anybody, though its disk tells of the session.
    assert_eq!(ada.post("Its line says that the one before is committed").status, 303);
    let sessions = sessions_of(&ada);
    wait_for_agreement(&fleet);
    fleet.machine(2).kill();
    assert_eq!(ada.logout().status, 303);
    fleet.set_ways(2, LATE, LATE);
    fleet.start_machine(2, &Start::default());
    // Without what the browser has seen, which would tell it that it lacks something.
    let [_, session] = sessions;
    let said = eventually("it says something", WAIT, || trusts(&machines, 3, &session));
    assert!(!said, "{session}");
}

/// A session that is asked for while its machine stands still, and answered as soon as that goes on.
fn asked_of_a_frozen_machine(
    cluster: &Cluster,
    (keys, machines): (&Keys, &Caller),
    session: &str,
) -> Response {
    let mut connection = dial(&cluster.backend_address(3), Role::Web, keys, WAIT).unwrap();
    cluster.kill(3, Signal::STOP);
    let action = Action::Logout(Keyed { key: machines.key() });
    let ended = machines.ask(1, Some(session), action).unwrap();
    assert!(matches!(ended.data.outcome, Outcome::Saved(_)), "{:?}", ended.data.outcome);
    let session = Some(session.to_owned());
    let request = Request { session, read_to: None, need: None, action: Action::CheckSession };
    connection.send(&serde_json::to_vec(&request).unwrap(), &[], WAIT).unwrap();
    cluster.kill(3, Signal::CONT);
    let answer = connection.receive(FRAME_BYTES_MAX, WAIT).unwrap();
    serde_json::from_slice(&answer.header).unwrap()
}

#[test]
fn r0115_machine_that_stood_still_asks_before_it_trusts_a_session() {
    let cluster = Cluster::start(Options { alone: true, ..Options::default() });
    let keys = Keys::read(&cluster.data().join("cluster.key")).unwrap();
    let machines = machines_of(&cluster);
    let mut ada = cluster.person("ada");
    ada.join();
    for _ in 0..ENDS {
        wait_for_agreement(&cluster);
        // Without what the browser has seen, which would tell it that it lacks something.
        let [_, session] = sessions_of(&ada);
        let answer = asked_of_a_frozen_machine(&cluster, (&keys, &machines), &session);
        assert!(answer.data.viewer.is_none(), "{:?}", answer.data.outcome);
        cluster.wait_in_step();
        assert_eq!(ada.login().status, 303);
    }
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
    cluster.order(&["signout", "ada"]);
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
    cluster.order(&["admin", "kim"]);
    assert!(!is_signed_in(&mut kim), "whoever becomes a keeper signs in anew");
    // Suspended, sam reads and takes along what is his, and writes nothing: his session tells him so.
    let form = sam.get("/").form("/post");
    cluster.order(&["suspend", "sam"]);
    assert_eq!(sam.submit(&form, &[("text", "Tea at the jetty")]).status, 403);
    assert_eq!(sam.get("/settings/data/tern.json").status, 200);
    assert!(!sam.get("/@sam").body.contains("Tea at the jetty"));
    // Deleted, tom has no session any more, nor can he open one.
    cluster.order(&["delete", "tom", "--yes"]);
    assert!(!is_signed_in(&mut tom));
    assert_ne!(cluster.person("tom").login().status, 303);
}
