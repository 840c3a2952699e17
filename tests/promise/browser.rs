//! What reaches the web server: its own death in the middle of a post, and strangers who send what
//! nobody should.

use std::io::{Read, Write};
use std::net::Shutdown;

use tern::limits::FRAME_BYTES_MAX;
use tern::transport::Role;
use tern::transport::connection::dial;
use tern::transport::key::{ClusterKey, Keys};

use super::*;
use crate::cluster::harness::connect;
use crate::cluster::load::under_load_at;
use crate::torture::proxy::Mode;

#[test]
fn row09_web_server_killed_in_a_post_the_same_form_saved_once() {
    let mut fleet = start();
    let mut ada = member(&fleet, "ada");
    let mut texts = Vec::new();
    // The request had reached a machine, which saved it, or it had not; the browser cannot know.
    for (what, mode) in [("saved", Mode::SwallowBack), ("not asked", Mode::SwallowThere)] {
        let text = format!("a post that was {what}");
        let form = ada.get("/").form("/post");
        (0..3).for_each(|n| fleet.set_door(n, mode));
        std::thread::scope(|scope| {
            let sending = scope.spawn(|| ada.try_again(&form, &text));
            if mode == Mode::SwallowBack {
                eventually("it is on a disk", WAIT, || {
                    let has = |n| std::fs::read_to_string(file(&fleet, n, "ada"));
                    (0..3).any(|n| has(n).is_ok_and(|all| all.contains(&text))).then_some(())
                });
            }
            assert!(!sending.is_finished(), "the web server waits for an answer");
            fleet.kill_web();
            assert_eq!(sending.join().unwrap(), Written::Other(0), "the connection broke");
        });
        (0..3).for_each(|n| fleet.set_door(n, Mode::Pass));
        fleet.start_web();
        wait_until_well(&fleet);
        saved_at_last(&mut ada, &form, &text);
        saved_at_last(&mut ada, &form, &text);
        texts.push(text);
    }
    post_timed(&mut ada, "after all");
    texts.push("after all".to_owned());
    check_kept(&fleet, &[("ada".to_owned(), texts)]);
}

/// What is sent to the web server, and the status of the answer.
const BAD_HTTP: [(&str, u16); 8] = [
    ("nonsense\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000000\r\n\r\n", 413),
    ("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab", 400),
    ("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ("GET / HTTP/7.0\r\nHost: a\r\n\r\n", 505),
];

fn send_bad_http(address: &str) {
    for (bytes, expected) in BAD_HTTP {
        let mut stream = connect(address);
        stream.write_all(bytes.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // It may be reset after the answer, for what was not read.
        let _reset = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|word| word.parse::<u16>().ok());
        assert_eq!(status, Some(expected), "{bytes}: {answer}");
    }
}

/// Broken frames and strangers at a machine's port: nothing is answered.
fn send_broken_frames(address: &str) {
    for length in [1, 3, 64, 4_096, 100_000] {
        let mut bytes = vec![0; length];
        getrandom::fill(&mut bytes).unwrap();
        let mut stream = connect(address);
        // It may be closed while this is being written.
        let _closed = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        assert_eq!(answer, b"", "{length} bytes");
    }
}

/// What a web server with the right key must not send either.
fn send_unknown_actions(address: &str, keys: &Keys) {
    for frame in [
        r#"{"session":null,"action":"fly","data":{}}"#,
        r#"{"session":null,"action":"login","data":7}"#,
        "no JSON at all",
    ] {
        let mut connection = dial(address, Role::Web, keys, WAIT).unwrap();
        connection.send(frame.as_bytes(), &[], WAIT).unwrap();
        let answer = connection.receive(FRAME_BYTES_MAX, WAIT).unwrap();
        let answer = String::from_utf8(answer.header).unwrap();
        assert!(answer.contains("bad_request"), "{frame}: {answer}");
    }
}

#[test]
fn row10_bad_input_told_or_closed_everyone_else_served() {
    let fleet = start();
    let site = fleet.site();
    let web = site.trim_start_matches("http://");
    let doors = fleet.door_addresses();
    let directory = tempfile::tempdir().unwrap();
    ClusterKey::create(&directory.path().join("other.key")).unwrap();
    let wrong = Keys::read(&directory.path().join("other.key")).unwrap();
    let (acknowledged, troubles) = under_load_at(&site, 4, |load| {
        // Slow ones stay for all of it: heads and bodies that never end, strangers who say nothing.
        let mut slow: Vec<_> = (0..8).map(|_| connect(web)).collect();
        for (n, stream) in slow.iter_mut().enumerate() {
            let body = "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\nabc";
            stream.write_all(if n % 2 == 0 { b"GET / HT" } else { body.as_bytes() }).unwrap();
        }
        slow.extend(doors.iter().flat_map(|door| (0..20).map(|_| connect(door))));
        send_bad_http(web);
        load.wait_for_more(20);
        for door in &doors {
            send_broken_frames(door);
            send_unknown_actions(door, &fleet.keys);
            assert!(dial(door, Role::Web, &wrong, WAIT).is_err(), "another key");
            assert!(dial(door, Role::Peer, &wrong, WAIT).is_err(), "another key");
        }
        load.wait_for_more(20);
        drop(slow);
        load.troubles()
    });
    assert_eq!(troubles, [], "everyone else is served");
    wait_until_well(&fleet);
    check_kept(&fleet, &acknowledged);
}
