//! Heads and lengths that no browser sends: each is refused with its status and a page, and the
//! connection closed.

use std::net::Shutdown;

use super::watch::Door;
use super::{announcing, attacked, connect, stranger, thorough};

/// A TLS client's first words.
const TLS_HELLO: &[u8] =
    b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/// Bytes of a head that never ends.
const HUGE: usize = 10 * 1024 * 1024;
/// Connections of noise.
const NOISES: usize = 100;

/// Sends `bytes`; fails unless they are refused with `status` and the connection is closed.
#[track_caller]
fn check_refused(door: &Door, bytes: impl AsRef<[u8]>, status: u16) {
    let bytes = bytes.as_ref();
    let shown = String::from_utf8_lossy(bytes).chars().take(200).collect::<String>();
    let mut client = connect(door, stranger(1));
    client.send(bytes);
    let reply = client.try_reply(bytes.starts_with(b"HEAD "));
    let reply = reply.unwrap_or_else(|| panic!("closed without a word: {shown:?}"));
    assert_eq!(reply.status, status, "{shown:?}\n{}", reply.head);
    assert_eq!(reply.header("Connection"), Some("close"), "{shown:?}");
    reply.assert_secure_without_https();
    client.assert_closed();
}

/// A form's head with these lines in it.
fn form(door: &Door, lines: &str) -> String {
    format!("POST /login HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", door.address)
}

/// Lengths that are none, or not only one.
fn check_lengths(door: &Door) {
    for length in [
        "65537",
        "100000000000",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        &"9".repeat(100),
        &"9".repeat(5_000),
    ] {
        check_refused(door, announcing(door, length) + "text", 413);
    }
    for length in [
        "-1", "+5", "5, 5", "5,6", "5;", "0x5", "5.0", "5e3", "five", "\"5\"", "5 5", " 5", "5 ",
        "", "٥", "NaN", "5\t", "_5", "5,",
    ] {
        check_refused(door, announcing(door, length) + "texts", 400);
    }
    for lines in [
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\ncontent-length: 6\r\n",
        "Content-Length: 0\r\nA: b\r\nCONTENT-LENGTH: 0\r\n",
        "Content-Length : 5\r\n",
        " Content-Length: 5\r\n",
        "Content-Length:\r\n 5\r\n",
        "Content-Length\r\n",
    ] {
        check_refused(door, form(door, lines) + "texts", 400);
    }
}

fn check_transfer_encodings(door: &Door) {
    for coding in [
        "chunked",
        "Chunked",
        "identity",
        "gzip",
        "gzip, chunked",
        "chunked, identity",
        "xchunked",
        "\"chunked\"",
        "chunked;q=1",
        "",
        "trailers",
        "chunked\r\nTransfer-Encoding: identity",
    ] {
        let line = format!("Transfer-Encoding: {coding}\r\n");
        check_refused(door, form(door, &line) + "0\r\n\r\n", 400);
        let both = format!("Content-Length: 5\r\n{line}");
        check_refused(door, form(door, &both) + "0\r\n\r\n", 400);
        for head in ["GET /public HTTP/1.1", "HEAD /public HTTP/1.1", "POST /login HTTP/1.0"] {
            check_refused(door, format!("{head}\r\nHost: {}\r\n{line}\r\n", door.address), 400);
        }
    }
    for line in [
        "transfer-encoding: chunked\r\n",
        "TRANSFER-ENCODING:chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        "Transfer-Encoding:\tchunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "A: b\r\n Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chun\x0bked\r\n",
    ] {
        check_refused(door, form(door, line) + "0\r\n\r\n", 400);
    }
}

fn check_heads(door: &Door) {
    let host = format!("Host: {}", door.address);
    for head in [
        format!("GET / HTTP/1.1\n{host}\n\n"),
        format!("GET / HTTP/1.1\r\n{host}\n\r\n"),
        format!("GET / HTTP/1.1\n{host}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\n\n"),
        format!("GET / HTTP/1.1\r\r\n{host}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\nA: b\rC: d\r\n\r\n"),
        format!("\r\nGET / HTTP/1.1\r\n{host}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\nA: b\r\n c\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\nA: b\r\n\tc\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n {host}\r\n\r\n"),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.0\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost:\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\n{host}\r\n{host}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\nhost: evil.example\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}, evil.example\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host} evil.example\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: ada@{}\r\n\r\n", door.address),
        format!("GET / HTTP/1.1\r\nHost : {}\r\n\r\n", door.address),
        format!("GET /\0 HTTP/1.1\r\n{host}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\nA: \0\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\nA\0: b\r\n\r\n"),
        format!("\0GET / HTTP/1.1\r\n{host}\r\n\r\n"),
        format!("GET http://{}/ HTTP/1.1\r\n{host}\r\n\r\n", door.address),
        format!("GET public HTTP/1.1\r\n{host}\r\n\r\n"),
        format!("GET  / HTTP/1.1\r\n{host}\r\n\r\n"),
        format!("GET / HTTP/1.1 \r\n{host}\r\n\r\n"),
        format!("GET\t/ HTTP/1.1\r\n{host}\r\n\r\n"),
        format!("GET / http/1.1\r\n{host}\r\n\r\n"),
        format!("GET /\r\n{host}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\nA b\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\n: b\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\nContent-Length: 1\r\n\r\na"),
    ] {
        check_refused(door, head, 400);
    }
    check_refused(door, TLS_HELLO, 400);
    check_refused(door, format!("GET / HTTP/2.0\r\n{host}\r\n\r\n"), 505);
    check_refused(door, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    for host in ["evil.example", "127.0.0.1", "localhost:1", "10.0.0.1:80"] {
        check_refused(door, format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), 421);
    }
}

/// Heads of 10 MB: told as soon as the limit is passed, whatever else comes.
fn check_huge_heads(door: &Door) {
    let host = format!("Host: {}\r\n", door.address);
    let check = |bytes: String, status: u16| {
        let mut client = connect(door, stranger(2));
        client.send(bytes);
        // Whoever has not stopped sending by now may be reset before it reads.
        let reply = client.try_reply(false);
        assert!(reply.is_none_or(|reply| reply.status == status));
        let mut rest = Vec::new();
        assert!(
            std::io::Read::read_to_end(&mut client.stream, &mut rest).is_ok_and(|n| n == 0)
                || rest.is_empty()
        );
    };
    check(format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(HUGE)), 414);
    check(format!("GET / HTTP/1.1\r\n{host}A: {}\r\n\r\n", "x".repeat(HUGE)), 431);
    check(format!("GET / HTTP/1.1\r\n{host}{}\r\n", "A: b\r\n".repeat(HUGE / 6)), 431);
    // Who stops at the limit is told.
    check_refused(door, format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(9_000)), 414);
    check_refused(door, format!("GET / HTTP/1.1\r\n{host}A: {}\r\n\r\n", "x".repeat(17_000)), 431);
    check_refused(door, format!("GET / HTTP/1.1\r\n{host}{}\r\n", "A: b\r\n".repeat(64)), 431);
}

/// Random bytes, and requests with some of their bytes changed: an answer or none, never more.
fn send_noise(door: &Door, count: usize) {
    let sound = announcing(door, "5") + "texts";
    for n in 0..count {
        let mut noise = [0; 64];
        getrandom::fill(&mut noise).unwrap();
        let mut bytes = sound.clone().into_bytes();
        for pair in noise.chunks(2).take(n % 4) {
            let at = usize::from(pair[0]) % bytes.len();
            bytes[at] = pair[1];
        }
        let mut client = connect(door, stranger(3 + n % 20));
        client.send(if n % 4 == 0 { noise.as_slice() } else { &bytes });
        // It may have been closed before.
        let _closed = client.stream.shutdown(Shutdown::Write);
        if let Some(reply) = client.try_reply(false) {
            let is_known = matches!(reply.status, 400 | 403 | 404 | 405 | 413 | 421 | 431 | 505);
            assert!(is_known, "{:?}: {}", String::from_utf8_lossy(&bytes), reply.head);
        }
        while client.try_reply(false).is_some() {}
    }
}

#[test]
fn words_of_no_browser_refused_and_others_served() {
    let (_cluster, door) = attacked();
    door.attack("lengths", |watch| watch.while_others_come(|| check_lengths(&door)));
    door.attack("transfer encodings", |watch| {
        watch.while_others_come(|| check_transfer_encodings(&door));
    });
    door.attack("heads", |watch| watch.while_others_come(|| check_heads(&door)));
    door.attack("huge heads", |watch| watch.while_others_come(|| check_huge_heads(&door)));
    let noises = if thorough().is_some() { 100 * NOISES } else { NOISES };
    door.attack("noise", |watch| watch.while_others_come(|| send_noise(&door, noises)));
}
