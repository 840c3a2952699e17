//! Answers that come in parts, and compressed ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use tern::web::response::FileName;

use super::*;

/// How many parts were made, of all tests in this process: each looks at how many more there are.
static MADE: AtomicUsize = AtomicUsize::new(0);
/// Bytes of each part but the last, which is empty.
const PART_BYTES: usize = 300_000;

/// `/parts?FROM-TO`, or `/parts?FROM-TO-fail` to break off at the end.
pub(super) fn handle(request: &Request) -> Response {
    MADE.fetch_add(1, Ordering::SeqCst);
    let mut bounds = request.query.split('-');
    let mut bound = || bounds.next().unwrap().parse::<usize>().unwrap();
    let (from, to) = (bound(), bound());
    let fails = request.query.ends_with("-fail");
    if from == to && fails {
        return Response::new(503, Content::Text, "no");
    }
    let letter = char::from(b'a' + u8::try_from(from % 26).unwrap());
    let body = if from == to { String::new() } else { letter.to_string().repeat(PART_BYTES) };
    let end = if fails { "-fail" } else { "" };
    let next = (from < to).then(|| Location::new(&format!("/parts?{}-{to}{end}", from + 1)));
    Response {
        download: FileName::new("all.txt"),
        next: next.flatten(),
        ..Response::new(200, Content::Text, body)
    }
}

/// Fails unless `body` is that of parts 0 to `parts`.
#[track_caller]
fn assert_parts(body: &[u8], parts: usize) {
    assert_eq!(body.len(), parts * PART_BYTES);
    for (at, part) in body.chunks(PART_BYTES).enumerate() {
        let letter = b'a' + u8::try_from(at % 26).unwrap();
        assert!(part.iter().all(|byte| *byte == letter), "part {at}");
    }
}

#[test]
fn parts_put_together_and_connection_kept() {
    with_site(limits(), |site| {
        let mut client = Client::connect(site);
        for _ in 0..2 {
            let head = client.get("/parts?0-30");
            head.assert_secure();
            assert_eq!(head.header("Transfer-Encoding"), Some("chunked"));
            let disposition = "attachment; filename=\"all.txt\"";
            assert_eq!(head.header("Content-Disposition"), Some(disposition));
            for absent in ["Content-Length", "X-Tern-Next", "Connection"] {
                assert_eq!(head.header(absent), None, "{absent}");
            }
            let (body, is_whole) = client.chunks();
            assert!(is_whole);
            assert_parts(&body, 30);
        }
        assert_eq!(client.get("/hello").body, "hello");
    })
    .unwrap();
}

#[test]
fn parts_asked_for_only_as_they_are_taken() {
    with_site(limits(), |site| {
        let before = MADE.load(Ordering::SeqCst);
        let mut client = Client::connect(site);
        // 600 MB, if anybody held them.
        let head = client.get("/parts?0-2000");
        assert_eq!(head.status, 200);
        // Nobody reads on, and so no more are made; all workers are free to answer others.
        let hello = "GET /hello HTTP/1.1\r\nHost: tern.example\r\n\r\n";
        let mut made = MADE.load(Ordering::SeqCst);
        loop {
            (0..20).for_each(|_| assert_eq!(ask(site, hello).body, "hello"));
            let seen = std::mem::replace(&mut made, MADE.load(Ordering::SeqCst));
            if seen == made {
                break;
            }
        }
        let made = made - before;
        assert!(made < 500, "{made} parts made for nobody");
    })
    .unwrap();
}

#[test]
fn parts_broken_off_end_the_connection_without_an_end() {
    with_site(limits(), |site| {
        let mut client = Client::connect(site);
        assert_eq!(client.get("/parts?0-3-fail").status, 200);
        let (body, is_whole) = client.chunks();
        assert!(!is_whole);
        assert_parts(&body, 3);
    })
    .unwrap();
}

#[test]
fn parts_for_an_old_browser_end_with_the_connection() {
    with_site(limits(), |site| {
        let mut client = Client::connect(site);
        client.send(
            "GET /parts?0-3 HTTP/1.0\r\nHost: tern.example\r\nConnection: keep-alive\r\n\r\n",
        );
        let head = client.reply();
        assert_eq!(head.header("Transfer-Encoding"), None);
        assert_eq!(head.header("Connection"), Some("close"));
        let body = client.take(3 * PART_BYTES).unwrap();
        assert_parts(&body, 3);
        client.assert_closed();
    })
    .unwrap();
}

#[test]
fn parts_asked_for_by_head_are_none() {
    with_site(limits(), |site| {
        let mut client = Client::connect(site);
        client.send("HEAD /parts?0-3 HTTP/1.1\r\nHost: tern.example\r\n\r\n");
        let head = client.reply_to_head();
        assert_eq!(head.header("Transfer-Encoding"), Some("chunked"));
        assert_eq!(client.get("/hello").body, "hello");
    })
    .unwrap();
}

#[test]
fn page_gzipped_to_those_who_take_it() {
    with_site(limits(), |site| {
        let mut client = Client::connect(site);
        let ask = |client: &mut Client, fields: &str| {
            client.send(format!("GET /gzip HTTP/1.1\r\nHost: tern.example\r\n{fields}\r\n"));
        };
        let plain = client.get("/gzip");
        assert_eq!((plain.header("Content-Encoding"), plain.body.len()), (None, 13_000));
        // A list may come in several lines.
        ask(&mut client, "Accept-Encoding: br\r\nAccept-Encoding: gzip;q=0.5\r\n");
        let head = client.reply_to_head();
        assert_eq!(head.header("Content-Encoding"), Some("gzip"));
        assert_eq!(head.header("Vary"), Some("Accept-Encoding, Cookie"));
        let length: usize = head.header("Content-Length").unwrap().parse().unwrap();
        let packed = client.take(length).unwrap();
        let mut body = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut body).unwrap();
        assert_eq!(body, plain.body);
        let etag = head.header("ETag").unwrap();
        assert_ne!(Some(etag), plain.header("ETag"));
        ask(&mut client, &format!("Accept-Encoding: gzip\r\nIf-None-Match: {etag}\r\n"));
        let unchanged = client.reply();
        assert_eq!((unchanged.status, unchanged.header("ETag")), (304, Some(etag)));
        assert_eq!(unchanged.header("Content-Length"), None);
        ask(&mut client, &format!("If-None-Match: {etag}\r\n"));
        assert_eq!(client.reply().status, 200);
    })
    .unwrap();
}
