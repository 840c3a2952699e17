//! Too many connections at once, and too few descriptors: whoever comes next is told to come back, and
//! served as soon as the crowd's time is up.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tern::clock::Clock;
use tern::limits::{GATE_ADDRESS_CONNECTIONS_MAX, GATE_HEAD_MS};
use tern::thread::spawn_named;

use super::watch::{Door, Watch};
use super::{attacked, connect, flood, get, stranger};
use crate::cluster::harness::{Cluster, PROGRAM, eventually};
use crate::ports::free_ports;
use crate::torture::machine::{Machine, Start};
use crate::web::client::Client;

/// Connections that say nothing.
const IDLE: usize = 2_000;
/// As many more, until it is full.
const MORE: usize = 32;
/// Browsers at once.
const BROWSERS: usize = 200;
/// After this long nobody who said nothing is connected: the deadline, and what a busy machine adds.
const IDLE_GONE: Duration = Duration::from_millis(GATE_HEAD_MS + 3_000);

/// Connects and says nothing.
fn idle(door: &Door, count: usize, of_each: usize) -> Vec<Client> {
    (0..count).map(|n| connect(door, stranger(1_000 + n / of_each))).collect()
}

/// Fails unless each connection was closed, with or without a word that the server is full.
fn check_closed(idle: Vec<Client>) {
    for mut client in idle {
        if let Some(reply) = client.try_reply(false) {
            assert_eq!(reply.status, 503, "{}", reply.head);
            reply.assert_secure_without_https();
        }
        client.assert_closed();
    }
}

/// Fills the server, and looks when others are served again: at once when the crowd leaves, or after
/// the deadline when it stays.
fn fill(door: &Door, watch: &Watch<'_>, crowd: impl FnOnce() -> Vec<Client>, leaves: bool) {
    // A busy machine may be full, and rid of the first again, before the last has come.
    let before = watch.turned_away();
    let mut crowd = crowd();
    eventually("it is full", IDLE_GONE, || {
        let is_full = watch.turned_away() > before;
        if !is_full {
            // The places of a crowd before it may have been free only when all were turned away.
            crowd.extend(idle(door, MORE, 10));
        }
        is_full.then_some(())
    });
    if leaves {
        drop(crowd);
        watch.wait_served(Duration::from_secs(2));
        watch.while_others_come(|| ());
    } else {
        watch.wait_served(IDLE_GONE);
        check_closed(crowd);
    }
}

/// More browsers than one address may have connections, taking turns.
fn browse_from_one(door: &Door) {
    std::thread::scope(|scope| {
        for n in 0..GATE_ADDRESS_CONNECTIONS_MAX {
            let visits = (n..BROWSERS).step_by(GATE_ADDRESS_CONNECTIONS_MAX).count();
            spawn_named(scope, "browser", move |_permit| {
                for _ in 0..visits {
                    // Two requests on one connection, as browsers do, which then gives way.
                    let mut client = connect(door, stranger(2_000));
                    for path in ["/public", "/join"] {
                        assert_eq!(client.get_of(&door.address.to_string(), path).status, 200);
                    }
                    client.half_close();
                    client.assert_closed();
                }
            })
            .unwrap();
        }
    });
}

fn browse_from_many(door: &Door) {
    std::thread::scope(|scope| {
        for n in 0..BROWSERS {
            spawn_named(scope, "browser", move |_permit| {
                let mut client = connect(door, stranger(2_100 + n / 10));
                for path in ["/public", "/join"] {
                    assert_eq!(client.get_of(&door.address.to_string(), path).status, 200);
                }
            })
            .unwrap();
        }
    });
}

/// Connects and resets the connection, as fast as one can.
fn reset(door: &Door, addresses: usize) {
    let clock = Clock::system();
    let mut count = 0;
    while clock.mono().0 < u64::try_from(flood().as_millis()).unwrap() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(stranger(3_000 + count % addresses), 0).into()).unwrap();
        socket.connect(&door.address.into()).unwrap();
        if count.is_multiple_of(2) {
            let request = get(door.address, "/public");
            socket.send(&request.as_bytes()[..count % request.len()]).unwrap();
        }
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        count += 1;
    }
    assert!(count > 100, "{count} connections are no flood");
}

#[test]
fn crowds_let_others_in() {
    let (_cluster, door) = attacked();
    door.attack("200 browsers from one address", |watch| {
        watch.while_others_come(|| browse_from_one(&door));
    });
    door.attack("200 browsers from many addresses", |watch| {
        watch.while_others_come(|| browse_from_many(&door));
    });
    door.attack("resets from one address", |_| reset(&door, 1));
    door.attack("resets from many addresses", |_| reset(&door, 500));
    door.attack("2,000 idle sockets of one address", |watch| {
        let crowd = idle(&door, IDLE, IDLE);
        watch.wait_served(Duration::from_secs(3));
        watch.while_others_come(|| ());
        drop(crowd);
    });
    door.fill("2,000 idle sockets that stay", |watch| {
        fill(&door, watch, || idle(&door, IDLE, GATE_ADDRESS_CONNECTIONS_MAX), false);
    });
    door.fill("2,000 idle sockets that leave", |watch| {
        fill(&door, watch, || idle(&door, IDLE, GATE_ADDRESS_CONNECTIONS_MAX), true);
    });
}

/// A second web server of the cluster, with room for few descriptors.
fn poor_web(cluster: &Cluster, directory: &std::path::Path) -> (Machine, Door) {
    let address: SocketAddr = format!("127.0.0.1:{}", free_ports(1)).parse().unwrap();
    let args = [
        "-c".to_owned(),
        "ulimit -n 256; exec \"$0\" \"$@\"".to_owned(),
        PROGRAM.to_owned(),
        "web".to_owned(),
        format!("--listen={address}"),
        format!("--backends={}", cluster.backend_address(1)),
        format!("--key-file={}", cluster.data().join("cluster.key").display()),
    ];
    let mut web = Machine::new("poor-web", directory);
    web.start(&args, &Start { program: Some(PathBuf::from("/bin/sh")), ..Start::default() });
    eventually("the web server serves", Duration::from_secs(30), || {
        web.said().contains("web serving").then_some(())
    });
    let pid = web.pid().unwrap().as_raw_nonzero().get();
    let door = Door::new(address, u32::try_from(pid).unwrap());
    (web, door)
}

#[test]
fn descriptors_filled_and_emptied_answers_again() {
    let (cluster, _) = attacked();
    let directory = tempfile::tempdir().unwrap();
    let (web, door) = poor_web(&cluster, directory.path());
    for leaves in [true, false] {
        door.fill("256 descriptors", |watch| {
            fill(&door, watch, || idle(&door, 300, 10), leaves);
        });
    }
    door.fill("256 descriptors and half a request", |watch| {
        let crowd = || {
            let mut crowd = idle(&door, 300, 10);
            for client in &mut crowd {
                client.send("GET / HT");
            }
            crowd
        };
        fill(&door, watch, crowd, true);
    });
    assert!(!web.said().contains("panicked"), "{}", web.said());
}
