//! Lines to other machines, of which one is far away, or at the end of a slow line.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::Cluster;
use super::config::Address;
use super::link::Links;
use super::tests::{of_three, of_three_at};
use crate::id::{Hash128, NodeId, UserName};
use crate::limits::{FRAME_BYTES_MAX, GREET_MS, LINKS_PER_PEER, PING_MS, PING_SILENCE_MS};
use crate::replica::State;
use crate::replica::version::Version;
use crate::thread::{CloseOnDrop, Stop, spawn_named};
use crate::transport::tests::until;
use crate::transport::{Connection, Keys, Listener};
use crate::wire::message::{Answer, Envelope, Health, Hello, Message, Welcome};

/// Longer than there is between two pings, and shorter than a machine is waited for.
const LATE_MS: u64 = 600;

const _: () = assert!(PING_MS < LATE_MS && LATE_MS < PING_SILENCE_MS && LATE_MS < GREET_MS);

/// Ends no test, and never passes.
const LONG: Duration = Duration::from_secs(20);

/// What machine 2 of one cluster with who asks it has seen.
#[derive(Default)]
struct Two {
    /// Connections on which it was met.
    met: AtomicUsize,
    /// Pings that it answered.
    pongs: AtomicUsize,
}

impl Two {
    /// Says hello, and answers pings; each word so late.
    fn answer(&self, connection: &mut Connection, late: Duration, end: &Stop) {
        let mut say = |of: &dyn Fn(&[u8]) -> Vec<u8>| {
            let frame = connection.receive(FRAME_BYTES_MAX, LONG).ok()?;
            end.wait(late);
            connection.send(&of(&frame.header), &[], LONG).ok()
        };
        let welcome = |header: &[u8]| {
            let hello: Hello = serde_json::from_slice(header).unwrap();
            let (node, incarnation) = (NodeId::new(2).unwrap(), Hash128([2; 16]));
            let welcome = Hello { node, incarnation, process: Hash128([4; 16]), ..hello };
            serde_json::to_vec(&Welcome::Hello(welcome)).unwrap()
        };
        let pong = |header: &[u8]| {
            let Envelope { epoch, number, message } = serde_json::from_slice(header).unwrap();
            let Message::Ping(health) = message else { panic!("{message:?}") };
            serde_json::to_vec(&Envelope { epoch, number, message: Answer::Pong(health) }).unwrap()
        };
        let mut said = say(&welcome);
        self.met.fetch_add(1, Ordering::SeqCst);
        while said.is_some() {
            said = say(&pong);
            self.pongs.fetch_add(usize::from(said.is_some()), Ordering::SeqCst);
        }
    }
}

/// Runs `test` beside a machine 1 whose links lead to a machine 2 that says each word so late.
fn beside_two(late_ms: u64, test: impl FnOnce(&Cluster, &Two)) {
    let home = tempfile::tempdir().unwrap();
    let (stop, two) = (Stop::new(), Two::default());
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let ports = [1, listener.local_addr().port(), 3];
    let cluster = of_three_at(&home.path().join("db"), &stop, &[], ports);
    std::thread::scope(|scope| {
        let _end = CloseOnDrop(stop.clone());
        let (two, stop) = (&two, &stop);
        let handler = move |mut connection: Connection, _, _, _| {
            two.answer(&mut connection, Duration::from_millis(late_ms), stop);
        };
        let keys = Keys::of_text(&"0a".repeat(32)).unwrap();
        listener.serve(scope, stop, &keys, handler).unwrap();
        cluster.run_links(scope).unwrap();
        test(&cluster, two);
    });
}

#[test]
fn r0240_machine_that_is_far_away_is_met_and_late_answers_keep_it_up() {
    let node = NodeId::new(2).unwrap();
    beside_two(LATE_MS, |cluster, two| {
        until(|| cluster.members.is_up(node));
        // Three such answers were as many missed.
        until(|| {
            assert!(cluster.members.is_up(node));
            two.pongs.load(Ordering::SeqCst) > 3
        });
    });
}

/// Making a connection takes three round trips, and an act has hardly more time.
#[test]
fn r0246_connections_are_there_before_somebody_waits_for_them() {
    beside_two(0, |_, two| until(|| two.met.load(Ordering::SeqCst) == LINKS_PER_PEER + 2));
}

#[test]
fn r0119_line_that_got_no_thread_is_made_anew_and_none_keeps_another_from_its_own() {
    let links = Links::new(Keys::of_text(&"0a".repeat(32)).unwrap());
    let to = |number: u16| Address {
        node: NodeId::new(number).unwrap(),
        incarnation: None,
        address: format!("127.0.0.1:{number}"),
    };
    let look = |refused: u16| {
        let fresh = links.set(vec![to(2), to(3)], Vec::new());
        let mut asked = Vec::new();
        let served = links.serve(fresh, |line| {
            asked.push(line.to.node.get());
            let is_refused = line.to.node.get() == refused;
            if is_refused { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        (asked, served.is_ok())
    };
    assert_eq!(look(2), (vec![2, 3], false));
    assert_eq!(look(2), (vec![2], false), "and the other goes on");
    assert_eq!(look(0), (vec![2], true));
    assert_eq!(look(0), (vec![], true));
}

/// Whoever was named first, and stood still, was waited for before the next one was told.
#[test]
fn r0281_what_is_passed_on_goes_to_all_before_one_is_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let cluster = of_three(home.path(), &Stop::new(), &[]);
    cluster.have_silent_peers();
    let node = |number| NodeId::new(number).unwrap();
    let others = [2, 3].map(node);
    for other in others {
        cluster.members.answered(other, Health::default(), cluster.clock.mono());
    }
    let user = UserName::parse("ada").unwrap();
    let (stop, has_heard) = (Stop::new(), AtomicBool::new(false));
    let holds = || Some((Answer::State { state: State::default() }, Vec::new()));
    // Says nothing until the other has heard.
    let late = |_: &Message| holds().filter(|_| has_heard.load(Ordering::SeqCst));
    let hears = |asked: &Message| {
        has_heard.fetch_or(matches!(asked, Message::Unlock { .. }), Ordering::SeqCst);
        holds()
    };
    std::thread::scope(|scope| {
        let end = CloseOnDrop(stop.clone());
        let late = |_permit| cluster.say_for(others[0], &stop, late);
        let late = spawn_named(scope, "machine-2", late).unwrap();
        let hears = |_permit| cluster.say_for(others[1], &stop, hears);
        spawn_named(scope, "machine-3", hears).unwrap();
        cluster.pass_on(&user, &others);
        drop(end);
        assert!(late.join().unwrap() > 0);
    });
}

/// What is taken away was told only once a second had passed, and not when the machine that stood still was given up.
#[test]
fn r0271_whoever_is_given_up_meanwhile_is_waited_for_no_longer() {
    const LONG_MS: u64 = 60_000;
    let home = tempfile::tempdir().unwrap();
    let cluster = of_three(home.path(), &Stop::new(), &[]);
    cluster.have_silent_peers();
    let node = NodeId::new(2).unwrap();
    cluster.members.answered(node, Health::default(), cluster.clock.mono());
    let (end, is_told, user) = (Stop::new(), Stop::new(), UserName::parse("ada").unwrap());
    std::thread::scope(|scope| {
        let _end = CloseOnDrop(end.clone());
        let silent = |_permit| {
            cluster.say_for(node, &end, |_| {
                cluster.members.gone(node);
                assert!(
                    is_told.wait(Duration::from_millis(LONG_MS / 2)),
                    "waited for until it answers"
                );
                None
            })
        };
        let silent = spawn_named(scope, "machine-2", silent).unwrap();
        cluster.await_holding(node, (&user, Version::default()), LONG_MS);
        is_told.close();
        end.close();
        silent.join().unwrap();
    });
}
