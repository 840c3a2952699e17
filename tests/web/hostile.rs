//! Clients that are slow, silent or never read, while others are served.

use super::*;

fn slot_is_free(reply: &Reply) -> bool {
    match reply.status {
        200 => true,
        503 => false,
        status => panic!("status {status}"),
    }
}

#[test]
fn head_dripped_answered_408_by_absolute_deadline() {
    with_site(GateLimits { head_ms: 150, ..limits() }, |site| {
        let mut client = Client::connect(site);
        client.stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let mut dripped = 0;
        // Each byte comes well within the deadline, and no head ever ends.
        while client.buf.is_empty() {
            client.send("G");
            dripped += 1;
            assert!(dripped < 3_000, "no deadline came");
            client.read_more();
        }
        client.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let reply = client.reply();
        assert_eq!(reply.status, 408);
        reply.assert_secure();
    })
    .unwrap();
}

#[test]
fn body_unsent_answered_408() {
    with_site(GateLimits { request_ms: 50, ..limits() }, |site| {
        let reply =
            ask(site, "POST / HTTP/1.1\r\nHost: tern.example\r\nContent-Length: 9\r\n\r\nabc");
        assert_eq!(reply.status, 408);
        assert!(reply.body.contains("Nothing was saved"), "{}", reply.body);
    })
    .unwrap();
}

#[test]
fn connection_silent_closed_without_a_word() {
    with_site(GateLimits { head_ms: 30, idle_ms: 30, ..limits() }, |site| {
        Client::connect(site).assert_closed();
        let mut client = Client::connect(site);
        assert_eq!(client.get("/hello").status, 200);
        client.assert_closed();
    })
    .unwrap();
}

#[test]
fn bodies_announced_and_unsent_hold_no_worker() {
    with_site(limits(), |site| {
        let silent: Vec<_> = (0..10)
            .map(|_| {
                let mut client = Client::connect(site);
                let head = "POST /echo HTTP/1.1\r\nHost: tern.example\r\nContent-Length: 60000\r\n";
                client.send(format!("{head}\r\nabc"));
                client
            })
            .collect();
        for _ in 0..20 {
            assert_eq!(Client::connect(site).get("/hello").status, 200);
        }
        drop(silent);
    })
    .unwrap();
}

#[test]
fn pipeline_never_read_holds_no_worker() {
    with_site(limits(), |site| {
        let mut greedy = Client::connect(site);
        let mut writer = greedy.stream.try_clone().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let one = "GET /big?30000 HTTP/1.1\r\nHost: tern.example\r\n\r\n";
                // Ends when the connection is shut down below.
                drop(writer.write_all(one.repeat(6_000).as_bytes()));
            });
            assert_eq!(greedy.reply().body.len(), 30_000);
            for _ in 0..50 {
                assert_eq!(Client::connect(site).get("/hello").status, 200);
            }
            greedy.stream.shutdown(Shutdown::Both).unwrap();
        });
    })
    .unwrap();
}

#[test]
fn reader_too_slow_given_up() {
    let slow = GateLimits { write_ms: 50, write_bytes_per_s: usize::MAX, ..limits() };
    with_site(GateLimits { address_connections: 1, ..slow }, |site| {
        let mut reader = Client::connect(site);
        reader.send("GET /big?8000000 HTTP/1.1\r\nHost: tern.example\r\n\r\n");
        // The one place of this address is free again only if the gate has given up.
        ask_until(site, "/hello", slot_is_free);
        assert!(reader.try_reply(false).is_none(), "the whole answer came");
    })
    .unwrap();
}

#[test]
fn readers_slow_beyond_memory_let_go_oldest_first() {
    // Room for three of these answers; what the systems on both sides take is far less than one.
    with_site(GateLimits { answers_bytes: 24_500_000, ..limits() }, |site| {
        let big = "GET /big?8000000 HTTP/1.1\r\nHost: tern.example\r\n\r\n";
        let mut readers = Vec::new();
        for _ in 0..8 {
            let mut reader = Client::connect(site);
            reader.send(big);
            // Its answer is being written from here on.
            assert!(reader.read_more().is_some());
            readers.push(reader);
        }
        // No worker is held: there are four of them.
        for _ in 0..20 {
            assert_eq!(Client::connect(site).get("/hello").status, 200);
        }
        let whole = readers.iter_mut().map(|reader| reader.try_reply(false).is_some());
        let whole: Vec<_> = whole.collect();
        assert_eq!(whole, [false, false, false, false, false, true, true, true]);
    })
    .unwrap();
}

#[test]
fn connections_over_cap_of_address_refused_and_others_served() {
    // Long enough that the idle ones are still there at the end, however busy the machine.
    with_site(GateLimits { head_ms: 600_000, ..limits() }, |site| {
        let mut idle: Vec<_> = (0..600).map(|_| Client::connect(site)).collect();
        let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        assert_eq!(Client::connect_from(other, site.address).get("/hello").status, 200);
        for client in idle.iter_mut().take(32) {
            assert_eq!(client.get("/hello").status, 200);
        }
        // Those told are told well; the rest of such a flood is closed.
        let refused = idle.iter_mut().skip(32).filter_map(|client| client.try_reply(false));
        let refused: Vec<_> = refused.collect();
        assert!(!refused.is_empty());
        for reply in refused {
            assert_eq!((reply.status, reply.header("Retry-After")), (503, Some("2")));
            reply.assert_secure();
        }
    })
    .unwrap();
}

#[test]
fn connection_kept_alive_gives_way_at_cap() {
    with_site(GateLimits { address_connections: 2, ..limits() }, |site| {
        let mut first = Client::connect(site);
        assert_eq!(first.get("/hello").status, 200);
        let mut second = Client::connect(site);
        assert_eq!(second.get("/hello").status, 200);
        ask_until(site, "/hello", slot_is_free);
        first.assert_closed();
    })
    .unwrap();
}

#[test]
fn requests_behind_proxy_capped_by_client() {
    let limits = GateLimits { address_connections: 1, ..limits() };
    with_site(limits, |site| {
        let ask = |client: &str, path: &str| {
            let mut proxy = Client::connect_from(PROXY, site.address);
            proxy.send(format!(
                "GET {path} HTTP/1.1\r\nHost: tern.example\r\nX-Forwarded-For: {client}\r\n\r\n"
            ));
            proxy
        };
        let mut waiting = ask("1.1.1.1", "/wait");
        site.waiting.until_entered();
        assert_eq!(ask("1.1.1.1", "/hello").reply().status, 503);
        assert_eq!(ask("2.2.2.2", "/hello").reply().status, 200);
        site.waiting.release.close();
        assert_eq!(waiting.reply().status, 200);
    })
    .unwrap();
}
