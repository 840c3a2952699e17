//! Answers that go on for as long as somebody listens.

use super::*;
use tern::limits::GATE_STREAMS_MEMBER_PART;

/// `/events?flood` tells a megabyte at a time, without end.
const FLOOD: &str = "flood";

/// `/events?N` tells N and goes on with N + 1; `/events?N-M` ends at M, and `/events?N-M-no` is refused
/// there. `/events?N-@ada` is ada's.
pub(super) fn handle(request: &Request) -> Response {
    if request.query == FLOOD {
        let next = Location::new(&format!("/events?{FLOOD}"));
        let body = ": much\n".repeat(150_000);
        return Response { next, pause_ms: Some(2), ..Response::new(200, Content::Events, body) };
    }
    let (query, listener) = request.query.split_once("-@").unwrap_or((&request.query, ""));
    let mut words = query.split('-');
    let number: usize = words.next().unwrap().parse().unwrap();
    let last = words.next().map(|last| last.parse::<usize>().unwrap());
    let is_over = last == Some(number);
    if is_over && words.next().is_some() {
        return Response::new(401, Content::Text, "signed out");
    }
    let rest = request.query.split_once('-').map(|(_, rest)| format!("-{rest}"));
    let next = format!("/events?{}{}", number + 1, rest.unwrap_or_default());
    // Each tenth tells something: most of the time nothing happens.
    let body =
        if number.is_multiple_of(10) { format!("data: {number}\n\n") } else { String::new() };
    Response {
        next: Location::new(&next).filter(|_| !is_over),
        pause_ms: Some(2),
        listener: listener.parse().ok(),
        ..Response::new(200, Content::Events, body)
    }
}

/// Begins to listen.
fn listen(site: &Site, query: &str) -> (Client, Reply) {
    let mut client = Client::connect(site);
    let head = client.get(&format!("/events?{query}"));
    (client, head)
}

#[test]
fn stream_tells_what_happens_until_it_is_over() {
    with_site(limits(), |site| {
        let (mut client, head) = listen(site, "0-25");
        head.assert_secure();
        assert_eq!(head.header("Content-Type"), Some("text/event-stream; charset=utf-8"));
        assert_eq!(head.header("Transfer-Encoding"), Some("chunked"));
        assert_eq!(head.header("Connection"), Some("close"));
        for absent in ["Content-Length", "X-Tern-Next", "X-Tern-Pause", "Content-Encoding"] {
            assert_eq!(head.header(absent), None, "{absent}");
        }
        let (body, is_whole) = client.chunks();
        let told = "data: 0\n\ndata: 10\n\ndata: 20\n\n";
        assert_eq!((String::from_utf8_lossy(&body).as_ref(), is_whole), (told, true));
        client.assert_closed();
    })
    .unwrap();
}

#[test]
fn stream_of_a_session_that_is_over_ends() {
    with_site(limits(), |site| {
        let (mut client, _) = listen(site, "0-15-no");
        let (body, is_whole) = client.chunks();
        assert_eq!((body.as_slice(), is_whole), (&b"data: 0\n\ndata: 10\n\n"[..], true));
    })
    .unwrap();
}

#[test]
fn streams_hold_no_worker_and_end_with_the_server() {
    let mut listeners = Vec::new();
    with_site(GateLimits { stop_ms: 600_000, ..limits() }, |site| {
        for _ in 0..3 * limits().workers {
            let (client, head) = listen(site, "0");
            assert_eq!(head.status, 200);
            listeners.push(client);
        }
        let mut other = Client::connect(site);
        (0..50).for_each(|_| assert_eq!(other.get("/hello").body, "hello"));
    })
    .unwrap();
    for mut client in listeners {
        let (body, _) = client.chunks();
        assert!(body.starts_with(b"data: 0\n\n"));
    }
}

#[test]
fn streams_over_the_cap_refused_until_one_ends() {
    with_site(GateLimits { streams: 1, ..limits() }, |site| {
        let (first, head) = listen(site, "0");
        assert_eq!(head.status, 200);
        let (_, refused) = listen(site, "0");
        assert_eq!((refused.status, refused.header("Retry-After")), (503, Some("2")));
        // An app is told so in words that it reads.
        let refused = Client::connect(site).get("/api/v1/streaming?0");
        let kind = refused.header("Content-Type");
        assert_eq!((refused.status, kind), (503, Some("application/json; charset=utf-8")));
        let told: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
        assert!(told["error"].as_str().is_some_and(|error| !error.is_empty()), "{told}");
        // Whoever left makes room.
        drop(first);
        let is_free = || listen(site, "0").1.status == 200;
        assert!((0..).take(3_000).any(|_| is_free()), "its place stays taken");
    })
    .unwrap();
}

/// One member took all there are, from two networks, and everybody else's apps heard nothing.
#[test]
fn r0220_streams_of_one_member_leave_room_for_others() {
    with_site(GateLimits { streams: 2 * GATE_STREAMS_MEMBER_PART, ..limits() }, |site| {
        let of = |name: &str| listen(site, &format!("0-@{name}"));
        let (first, second) = (of("ada"), of("ada"));
        assert_eq!((first.1.status, second.1.status), (200, 200));
        assert_eq!((of("ada").1.status, of("ben").1.status), (503, 200));
        // Whoever left makes room.
        drop(first);
        assert!((0..).take(3_000).any(|_| of("ada").1.status == 200), "its place stays taken");
    })
    .unwrap();
}

#[test]
fn stream_reader_too_slow_given_up() {
    let slow = GateLimits { write_ms: 50, write_bytes_per_s: usize::MAX, ..limits() };
    with_site(GateLimits { streams: 1, ..slow }, |site| {
        // It takes nothing more than the systems on both sides hold.
        let (mut reader, head) = listen(site, FLOOD);
        assert_eq!(head.status, 200);
        let is_free = || listen(site, "0").1.status == 200;
        assert!((0..).take(3_000).any(|_| is_free()), "its place stays taken");
        let (_, is_whole) = reader.chunks();
        assert!(!is_whole, "it is told that this is all");
    })
    .unwrap();
}

#[test]
fn stream_makes_room_for_whoever_asks_for_a_page() {
    with_site(GateLimits { address_connections: 1, ..limits() }, |site| {
        let (mut listener, head) = listen(site, "0");
        assert_eq!(head.status, 200);
        let mut other = Client::connect(site);
        // While its part is asked for, a stream is as busy as any.
        let mut asked = 0;
        while other.try_hello() != Some(200) {
            other = Client::connect(site);
            asked += 1;
            assert!(asked < 3_000, "never let in");
        }
        drop(listener.chunks());
        listener.assert_closed();
    })
    .unwrap();
}

impl Client {
    fn try_hello(&mut self) -> Option<u16> {
        self.send("GET /hello HTTP/1.1\r\nHost: tern.example\r\n\r\n");
        self.try_reply(false).map(|reply| reply.status)
    }
}
