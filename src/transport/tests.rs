//! Connections over loopback, honest and hostile.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::connection::{Connection, accept, dial};
use super::error::TransportError;
use super::frame::Cutter;
use super::key::{ClusterKey, Keys};
use super::listener::Listener;
use super::secure::{Channel, Dialling, GREETING_BYTES, Role};
use crate::clock::Clock;
use crate::limits::{
    FRAME_BYTES_MAX, FRAME_BYTES_PER_MS_MIN, FRAME_STALL_MS, HANDSHAKE_MS, SEND_BUFFER_BYTES,
    STRANGERS_MAX,
};
use crate::thread::Stop;

/// Long enough never to pass, short enough to fail.
const LONG: Duration = Duration::from_secs(20);
/// A wait whose end is the point.
const SHORT: Duration = Duration::from_millis(50);

/// The keys of the cluster whose key's file holds 64 times the digit `number`.
pub(crate) fn keys(number: u8) -> Keys {
    let dir = tempfile::tempdir().unwrap();
    Keys::from(&cluster_key(&dir, number))
}

/// The same cluster's keys for a web server.
pub(crate) fn web_keys(number: u8) -> Keys {
    let dir = tempfile::tempdir().unwrap();
    let web = dir.path().join("web");
    cluster_key(&dir, number).create_web_file(&web).unwrap();
    Keys::read(&web).unwrap()
}

fn cluster_key(dir: &tempfile::TempDir, number: u8) -> ClusterKey {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.path().join("key");
    std::fs::write(&path, number.to_string().repeat(64)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    ClusterKey::read(&path).unwrap()
}

/// Closes its flag also when a test fails: threads of a scope must end for the failure to be seen.
pub(crate) struct StopOnDrop(pub(crate) Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Runs `test` beside a listener of cluster 1 that serves `handler`.
fn serving(
    connections_max: usize,
    handler: impl Fn(Connection, Role) + Send + Sync + Clone,
    test: impl FnOnce(SocketAddr, &Stop),
) {
    let stop = Stop::new();
    let listener = Listener::bind("127.0.0.1:0").unwrap().with_connections_max(connections_max);
    let addr = listener.local_addr();
    std::thread::scope(|scope| {
        let _stop = StopOnDrop(stop.clone());
        let handler = move |connection, role, _, _| handler(connection, role);
        listener.serve(scope, &stop, &keys(1), handler).unwrap();
        test(addr, &stop);
    });
}

/// Sends back every frame until the connection ends.
fn echo(mut connection: Connection, _role: Role) {
    while let Ok(frame) = connection.receive(FRAME_BYTES_MAX, LONG) {
        connection.send(&frame.header, &frame.body, LONG).unwrap();
    }
}

fn dial_peer(addr: SocketAddr) -> Connection {
    dial(&addr.to_string(), Role::Peer, &keys(1), LONG).unwrap()
}

fn check_echo(connection: &mut Connection, header: &[u8], body: &[u8]) {
    connection.send(header, body, LONG).unwrap();
    let frame = connection.receive(FRAME_BYTES_MAX, LONG).unwrap();
    assert!(frame.header == header && frame.body == body, "{frame:?}");
}

/// Two ends of one connection.
fn pair() -> (Connection, Connection) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::scope(|scope| {
        let dialled = crate::thread::spawn_named(scope, "dial", |_| dial_peer(addr)).unwrap();
        let accepted = accept(listener.accept().unwrap().0, &keys(1)).unwrap().0;
        (dialled.join().unwrap(), accepted)
    })
}

/// A dialler whose bytes the test makes itself, and the end that accepted it.
fn forger() -> (TcpStream, Channel, Connection) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (dialling, first) = Dialling::start(Role::Peer, &keys(1)).unwrap();
    stream.write_all(&first).unwrap();
    std::thread::scope(|scope| {
        let accepting = crate::thread::spawn_named(scope, "accept", |_| {
            accept(listener.accept().unwrap().0, &keys(1)).unwrap().0
        });
        let mut answer = [0; 2 + GREETING_BYTES];
        stream.read_exact(&mut answer).unwrap();
        let (channel, confirmation) = dialling.finish(&answer[2..]).unwrap();
        stream.write_all(&confirmation).unwrap();
        let accepted = accepting.unwrap().join().unwrap();
        (stream, channel, accepted)
    })
}

fn sealed(channel: &mut Channel, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    channel.seal(plain, &mut out).unwrap();
    out
}

/// A frame of one message: lengths, header.
fn plain_frame(header: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).unwrap().to_be_bytes();
    [&length, &length, header].concat()
}

/// Asserts that the other side hung up and said nothing.
fn assert_dropped_unanswered(mut stream: &TcpStream) {
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut heard = Vec::new();
    match stream.read_to_end(&mut heard) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    assert_eq!(heard, b"");
}

#[test]
fn connection_frames_of_all_sizes_come_back() {
    serving(8, echo, |addr, _| {
        for role in [Role::Peer, Role::Web, Role::Operator] {
            let mut connection = dial(&addr.to_string(), role, &keys(1), LONG).unwrap();
            check_echo(&mut connection, b"", b"");
            check_echo(&mut connection, b"header", b"");
            check_echo(&mut connection, b"{}", &vec![3; 3_000_000]);
            check_echo(&mut connection, &vec![4; 100_000], b"body");
        }
        let mut by_name =
            dial(&format!("localhost:{}", addr.port()), Role::Web, &web_keys(1), LONG).unwrap();
        check_echo(&mut by_name, b"web", b"key");
    });
}

#[test]
fn connection_idle_stays_usable() {
    let (mut one, mut other) = pair();
    assert!(matches!(one.receive(10, SHORT), Err(TransportError::Idle)));
    assert!(matches!(one.receive(10, Duration::ZERO), Err(TransportError::Idle)));
    assert!(one.is_quiet());
    other.send(b"late", b"", LONG).unwrap();
    other.send(b"later", b"", LONG).unwrap();
    assert_eq!(one.receive(10, LONG).unwrap().header, b"late");
    until(|| !one.is_quiet());
    assert_eq!(one.receive(10, LONG).unwrap().header, b"later");
    drop(other);
    assert!(matches!(one.receive(10, LONG), Err(TransportError::Closed { .. })));
    assert!(!one.is_quiet());
    assert!(matches!(one.send(b"", b"", LONG), Err(TransportError::Closed { .. })));
}

#[test]
fn connection_frames_in_a_burst_arrive_in_order() {
    let (mut one, mut other) = pair();
    std::thread::scope(|scope| {
        let send = |_| {
            for number in 0..30_u8 {
                let body = vec![number; usize::from(number) * 700];
                one.send(&[number], &body, LONG).unwrap();
            }
        };
        let _sent = crate::thread::spawn_named(scope, "send", send).unwrap();
        for number in 0..30_u8 {
            let frame = other.receive(FRAME_BYTES_MAX, LONG).unwrap();
            assert!(frame.header == [number] && frame.body.len() == usize::from(number) * 700);
            assert!(frame.body.iter().all(|&byte| byte == number), "{number}");
        }
    });
}

#[test]
fn connection_reset_is_closed() {
    let (mut one, other) = pair();
    one.send(b"never read", b"", LONG).unwrap();
    drop(other);
    let mut error = None;
    until(|| {
        error = one.send(b"again", b"", LONG).err();
        error.is_some()
    });
    assert!(matches!(error, Some(TransportError::Closed { .. })), "{error:?}");
}

#[test]
fn connection_closer_wakes_receiver() {
    let (mut one, other) = pair();
    let closer = one.closer();
    std::thread::scope(|scope| {
        let waiting = crate::thread::spawn_named(scope, "receive", |_| one.receive(10, LONG));
        closer.close();
        let heard = waiting.unwrap().join().unwrap();
        assert!(matches!(heard, Err(TransportError::Closed { .. })), "{heard:?}");
    });
    drop(other);
}

#[test]
fn connection_frame_too_long_to_send_leaves_it_usable() {
    let (mut one, mut other) = pair();
    let long = vec![0; FRAME_BYTES_MAX + 1];
    assert!(matches!(one.send(b"", &long, LONG), Err(TransportError::TooLarge { .. })));
    one.send(b"short", b"", LONG).unwrap();
    assert_eq!(other.receive(10, LONG).unwrap().header, b"short");
}

#[test]
fn connection_nobody_reads_send_times_out() {
    let (mut one, _other) = pair();
    let sent = one.send(b"", &vec![0; 32 * 1024 * 1024], SHORT);
    assert!(matches!(sent, Err(TransportError::TimedOut { .. })), "{sent:?}");
    assert!(matches!(one.send(b"", b"", LONG), Err(TransportError::Closed { .. })));
}

#[test]
fn frame_longer_than_taken_refused_before_it_arrives() {
    let (mut stream, mut channel, mut accepted) = forger();
    let lengths = [60_000_000_u32.to_be_bytes(), 0_u32.to_be_bytes()].concat();
    let (long, good) = (sealed(&mut channel, &lengths), sealed(&mut channel, &plain_frame(b"ok")));
    stream.write_all(&[long, good].concat()).unwrap();
    let heard = accepted.receive(1_000, LONG);
    let Err(TransportError::TooLarge { announced: 60_000_000, max: 1_000 }) = heard else {
        panic!("{heard:?}");
    };
    assert!(matches!(accepted.receive(1_000, LONG), Err(TransportError::Closed { .. })));
}

#[test]
fn frame_changed_or_repeated_refused() {
    for at in [2, 10, 20] {
        let (mut stream, mut channel, mut accepted) = forger();
        let mut bytes = sealed(&mut channel, &plain_frame(b"hello"));
        bytes[at] ^= 0x10;
        stream.write_all(&bytes).unwrap();
        let heard = accepted.receive(1_000, LONG);
        assert!(matches!(heard, Err(TransportError::Malformed { .. })), "{at}: {heard:?}");
    }
    let (mut stream, mut channel, mut accepted) = forger();
    let bytes = sealed(&mut channel, &plain_frame(b"hello"));
    stream.write_all(&[bytes.clone(), bytes].concat()).unwrap();
    assert_eq!(accepted.receive(1_000, LONG).unwrap().header, b"hello");
    let again = accepted.receive(1_000, LONG);
    assert!(matches!(again, Err(TransportError::Malformed { .. })), "{again:?}");
}

#[test]
fn frame_cut_short_ends_the_connection() {
    let (mut stream, mut channel, mut accepted) = forger();
    let bytes = sealed(&mut channel, &plain_frame(b"hello"));
    stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    let heard = accepted.receive(1_000, SHORT);
    assert!(matches!(heard, Err(TransportError::TimedOut { .. })), "begun, not idle: {heard:?}");
    drop(stream);

    let (mut stream, mut channel, mut accepted) = forger();
    let bytes = sealed(&mut channel, &plain_frame(b"hello"));
    stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    drop(stream);
    let heard = accepted.receive(1_000, LONG);
    assert!(matches!(heard, Err(TransportError::Closed { .. })), "{heard:?}");
}

/// The pieces in which a frame with so long a body leaves.
fn pieces(channel: &mut Channel, bytes: usize) -> Vec<Vec<u8>> {
    let body = vec![7; bytes];
    let mut cutter = Cutter::new(b"long", &body, FRAME_BYTES_MAX).unwrap();
    let (mut plain, mut pieces) = (Vec::new(), Vec::new());
    while cutter.next_into(&mut plain) {
        pieces.push(sealed(channel, &plain));
    }
    pieces
}

/// 700 KB take six seconds at 1 Mbit/s.
#[test]
fn r0241_long_frame_on_a_slow_line_arrives_while_it_goes_on() {
    let (mut stream, mut channel, mut accepted) = forger();
    let pieces = pieces(&mut channel, 100_000);
    std::thread::scope(|scope| {
        let receive = |_| accepted.receive(FRAME_BYTES_MAX, LONG);
        let received = crate::thread::spawn_named(scope, "receive", receive).unwrap();
        // Its first piece is as long as any.
        let bytes = pieces.concat();
        stream.write_all(&bytes[..10_000]).unwrap();
        std::thread::sleep(Duration::from_millis(1_600));
        stream.write_all(&bytes[10_000..]).unwrap();
        assert_eq!(received.join().unwrap().unwrap().body.len(), 100_000);
    });
}

#[test]
fn r0241_long_frame_that_stands_still_is_given_up_long_before_its_time_is_over() {
    let whole_ms = 4_000_000 / FRAME_BYTES_PER_MS_MIN;
    assert!(whole_ms > 10 * FRAME_STALL_MS);
    let (mut stream, mut channel, mut accepted) = forger();
    let (mut sender, _silent) = pair();
    stream.write_all(&pieces(&mut channel, 4_000_000)[0]).unwrap();
    let clock = Clock::system();
    std::thread::scope(|scope| {
        let receive = |_| accepted.receive(FRAME_BYTES_MAX, LONG);
        let received = crate::thread::spawn_named(scope, "receive", receive).unwrap();
        let sent = sender.send(b"", &vec![0; 60_000_000], Duration::from_millis(whole_ms));
        for ended in [sent, received.join().unwrap().map(|_| ())] {
            assert!(matches!(ended, Err(TransportError::TimedOut { .. })), "{ended:?}");
        }
    });
    assert!((FRAME_STALL_MS..5 * FRAME_STALL_MS).contains(&clock.mono().0), "{:?}", clock.mono());
}

/// What the system holds stands before pings and locks on a slow line.
#[test]
fn r0242_system_holds_little_of_what_is_sent() {
    let (one, other) = pair();
    for end in [one, other] {
        let held = end.send_buffer_bytes();
        assert!((SEND_BUFFER_BYTES..=2 * SEND_BUFFER_BYTES).contains(&held), "{held}");
    }
}

#[test]
fn frame_of_nonsense_in_a_good_session_refused() {
    for plain in [&b""[..], b"\0\0\0", b"\0\0\0\x01\0\0\0\x02x", b"\0\0\0\x01\0\0\0\x01xy"] {
        let (mut stream, mut channel, mut accepted) = forger();
        stream.write_all(&sealed(&mut channel, plain)).unwrap();
        let heard = accepted.receive(1_000, LONG);
        assert!(matches!(heard, Err(TransportError::Malformed { .. })), "{plain:?}: {heard:?}");
    }
    for raw in [&[0, 0][..], &[0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
        let (mut stream, _channel, mut accepted) = forger();
        stream.write_all(raw).unwrap();
        let heard = accepted.receive(1_000, LONG);
        assert!(matches!(heard, Err(TransportError::Malformed { .. })), "{raw:?}: {heard:?}");
    }
}

#[test]
fn dial_dead_port_refused_silent_port_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let silent = dial(&addr, Role::Peer, &keys(1), SHORT).err().unwrap();
    assert!(matches!(silent, TransportError::TimedOut { .. }), "{silent:?}");
    drop(listener);
    let dead = dial(&addr, Role::Peer, &keys(1), LONG).err().unwrap();
    assert!(matches!(dead, TransportError::Refused { .. }), "{dead:?}");
    let nowhere = dial("no port here", Role::Peer, &keys(1), LONG).err().unwrap();
    assert!(matches!(nowhere, TransportError::Io { op: "resolve", .. }), "{nowhere:?}");
}

#[test]
fn s43_dial_other_cluster_or_web_key_as_peer_refused() {
    serving(8, echo, |addr, _| {
        let addr = addr.to_string();
        for role in [Role::Peer, Role::Web, Role::Operator] {
            let error = dial(&addr, role, &keys(2), LONG).err().unwrap();
            assert!(matches!(error, TransportError::Handshake { .. }), "{error:?}");
        }
        let error = dial(&addr, Role::Peer, &web_keys(1), LONG).err().unwrap();
        assert!(error.to_string().contains("the key file here is a web server's"), "{error}");
        let error = dial(&addr, Role::Operator, &web_keys(1), LONG).err().unwrap();
        assert!(error.to_string().contains("the key file here is a web server's"), "{error}");
        // A web server that says it is a peer or the operator, with the only key it has.
        for byte in *b"PO" {
            let (_, mut first) = Dialling::start(Role::Web, &web_keys(1)).unwrap();
            first[0] = byte;
            let mut stream = TcpStream::connect(&addr).unwrap();
            stream.write_all(&first).unwrap();
            assert_dropped_unanswered(&stream);
        }
    });
}

#[test]
fn s43_stranger_with_random_bytes_dropped_unanswered() {
    let handled = AtomicUsize::new(0);
    let count = |connection, role| {
        handled.fetch_add(1, Ordering::SeqCst);
        echo(connection, role);
    };
    serving(64, count, |addr, _| {
        let mut honest = dial_peer(addr);
        for round in 0..40_u8 {
            let mut bytes = vec![0; 200];
            getrandom::fill(&mut bytes).unwrap();
            // Every other one gets past the first byte, every fourth past the length.
            match round % 4 {
                1 => bytes[0] = b'P',
                3 => bytes[..3].copy_from_slice(&[b'W', 0, 48]),
                _ => {}
            }
            let mut stream = TcpStream::connect(addr).unwrap();
            stream.write_all(&bytes).unwrap();
            assert_dropped_unanswered(&stream);
        }
        let mut browser = TcpStream::connect(addr).unwrap();
        browser.write_all(b"GET / HTTP/1.1\r\nHost: tern\r\n\r\n").unwrap();
        assert_dropped_unanswered(&browser);
        check_echo(&mut honest, b"still", b"served");
    });
    assert_eq!(handled.into_inner(), 1);
}

#[test]
fn stranger_replaying_a_handshake_never_handled() {
    let handled = AtomicUsize::new(0);
    let count = |_, _| {
        handled.fetch_add(1, Ordering::SeqCst);
    };
    serving(8, count, |addr, _| {
        let (dialling, first) = Dialling::start(Role::Peer, &keys(1)).unwrap();
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(&first).unwrap();
        let mut answer = [0; 2 + GREETING_BYTES];
        stream.read_exact(&mut answer).unwrap();
        let (_, confirmation) = dialling.finish(&answer[2..]).unwrap();
        let mut replay = TcpStream::connect(addr).unwrap();
        replay.write_all(&[first, confirmation].concat()).unwrap();
        replay.read_exact(&mut answer).unwrap();
        assert_dropped_unanswered(&replay);
    });
    assert_eq!(handled.into_inner(), 0);
}

#[test]
fn s43_stranger_dripping_dropped_before_it_is_done() {
    serving(8, echo, |addr, _| {
        assert_eq!(HANDSHAKE_MS, 1_000);
        let (_, first) = Dialling::start(Role::Peer, &keys(1)).unwrap();
        let clock = Clock::system();
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let is_dropped = first.iter().any(|&byte| {
            let sent = stream.write_all(&[byte]);
            let heard = stream.read(&mut [0]);
            sent.is_err()
                || heard.is_ok()
                || heard.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset)
        });
        assert!(is_dropped);
        // A busy machine may look a moment later; the whole of it would take five seconds.
        assert!((HANDSHAKE_MS..3 * HANDSHAKE_MS).contains(&clock.mono().0), "{:?}", clock.mono());
    });
}

#[test]
fn strangers_many_do_not_keep_an_honest_one_out() {
    serving(STRANGERS_MAX + 3, echo, |addr, _| {
        let mut early = dial_peer(addr);
        check_echo(&mut early, b"known", b"by now");
        let idle: Vec<_> = (0..STRANGERS_MAX).map(|_| TcpStream::connect(addr).unwrap()).collect();
        let mut late = dial_peer(addr);
        check_echo(&mut early, b"early", b"");
        check_echo(&mut late, b"late", b"");
        assert_dropped_unanswered(&idle[0]);
    });
}

#[test]
fn listener_full_turns_the_newest_away_until_one_ends() {
    serving(2, echo, |addr, _| {
        let (mut first, mut second) = (dial_peer(addr), dial_peer(addr));
        check_echo(&mut second, b"second", b"");
        let third = dial(&addr.to_string(), Role::Peer, &keys(1), LONG).err().unwrap();
        assert!(
            matches!(third, TransportError::Refused { .. } | TransportError::Handshake { .. }),
            "{third:?}"
        );
        check_echo(&mut first, b"first", b"");
        drop(first);
        until(|| dial(&addr.to_string(), Role::Peer, &keys(1), LONG).is_ok());
    });
}

/// Tries until it holds; fails when that takes too long.
pub(crate) fn until(mut holds: impl FnMut() -> bool) {
    let clock = crate::clock::Clock::system();
    while !holds() {
        assert!(clock.mono().0 < 20_000, "it never held");
        std::thread::yield_now();
    }
}

#[test]
fn listener_handler_panics_room_is_made() {
    let faulty = |connection: Connection, role| {
        assert!(role == Role::Web, "a peer that this handler cannot bear");
        echo(connection, role);
    };
    let outcome = std::panic::catch_unwind(|| {
        serving(1, faulty, |addr, _| {
            drop(dial_peer(addr));
            let addr = addr.to_string();
            let mut web = None;
            until(|| {
                web = dial(&addr, Role::Web, &keys(1), LONG).ok();
                web.as_mut().is_some_and(|web| web.send(b"hello", b"", LONG).is_ok())
            });
            assert_eq!(web.unwrap().receive(10, LONG).unwrap().header, b"hello");
        });
    });
    assert!(outcome.is_err(), "the scope reports the panic");
}

#[test]
fn listener_port_taken_says_so() {
    let first = Listener::bind("127.0.0.1:0").unwrap();
    let addr = first.local_addr().to_string();
    let error = Listener::bind(&addr).unwrap_err();
    assert_eq!(error.to_string(), format!("{addr} is in use by another process"));
}

#[test]
fn listener_stopped_ends_waiting_and_lets_answers_leave() {
    let (asked, stopped) = (Arc::new(Stop::new()), Arc::new(Stop::new()));
    let (asked_here, stopped_here) = (Arc::clone(&asked), Arc::clone(&stopped));
    let slow = move |mut connection: Connection, _role| {
        while connection.receive(10, LONG).is_ok() {
            asked_here.close();
            assert!(stopped_here.wait(LONG));
            connection.send(b"answer", b"", LONG).unwrap();
        }
    };
    let mut answered = Vec::new();
    serving(8, slow, |addr, stop| {
        let (mut idle, mut asking) = (dial_peer(addr), dial_peer(addr));
        let stranger = TcpStream::connect(addr).unwrap();
        asking.send(b"ask", b"", LONG).unwrap();
        assert!(asked.wait(LONG));
        stop.close();
        assert!(matches!(idle.receive(10, LONG), Err(TransportError::Closed { .. })));
        assert_dropped_unanswered(&stranger);
        stopped.close();
        answered = asking.receive(10, LONG).unwrap().header;
        assert!(matches!(asking.receive(10, LONG), Err(TransportError::Closed { .. })));
    });
    assert_eq!(answered, b"answer");
}

/// Keeps a thread that has done its work from ending until its flag closes.
struct EndsLate(Stop);

impl Drop for EndsLate {
    fn drop(&mut self) {
        self.0.wait(LONG);
    }
}

#[test]
fn r0174_thread_of_a_connection_counts_until_it_has_ended() {
    thread_local! { static LATE: RefCell<Option<EndsLate>> = const { RefCell::new(None) }; }
    let ends = Stop::new();
    let late = ends.clone();
    let handler = move |connection, role| {
        LATE.set(Some(EndsLate(late.clone())));
        echo(connection, role);
    };
    serving(1, handler, |addr, _stop| {
        let _ends = StopOnDrop(ends.clone());
        let dials = || dial(&addr.to_string(), Role::Peer, &keys(1), SHORT).is_ok();
        drop(dial_peer(addr));
        assert!(
            !(0..20).any(|_| dials()),
            "its thread is still there, and one is all there may be"
        );
        ends.close();
        assert!((0..400).any(|_| dials()), "it has ended");
    });
}
