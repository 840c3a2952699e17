//! What browsers may do and expect to work.

use super::*;

#[test]
fn answers_bear_all_headers_and_keep_connection() {
    with_site(limits(), |site| {
        let mut client = Client::connect(site);
        for (path, status) in [("/hello", 200), ("/nowhere", 404), ("/cookie", 200)] {
            let reply = client.get(path);
            assert_eq!(reply.status, status);
            reply.assert_secure();
            assert_eq!(reply.header("Connection"), None);
        }
        let cookie = client.get("/cookie");
        let expected = "__Host-s=ada.token; Path=/; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(cookie.header("Set-Cookie"), Some(expected));
        assert_eq!(cookie.header("Cache-Control"), Some("private, no-store"));
        assert_eq!(client.get("/hello").header("Server"), Some("tern"));
    })
    .unwrap();
}

#[test]
fn form_reaches_handler_whole() {
    with_site(limits(), |site| {
        for bytes in [0, 1, 1_024, 1_025, 40_000] {
            let body = "y".repeat(bytes);
            let reply = ask(
                site,
                format!(
                    "POST /echo?a=b&c HTTP/1.1\r\nHost: tern.example\r\nCookie: s=1; t=2\r\n\
                     Content-Length: {bytes}\r\n\r\n{body}"
                ),
            );
            assert_eq!(reply.body, format!("Post a=b&c 127.0.0.1 Some(\"s=1; t=2\") {body}"));
        }
    })
    .unwrap();
}

#[test]
fn head_answered_as_get_without_body() {
    with_site(limits(), |site| {
        let mut client = Client::connect(site);
        client.send("HEAD /hello HTTP/1.1\r\nHost: tern.example\r\n\r\n");
        let head = client.reply_to_head();
        let get = client.get("/hello");
        let timeless = |reply: &Reply| {
            let lines = reply.head.lines().filter(|line| !line.starts_with("Date: "));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(timeless(&head), timeless(&get));
        assert_eq!(get.body, "hello");
    })
    .unwrap();
}

#[test]
fn page_known_answered_304_and_connection_kept() {
    with_site(limits(), |site| {
        let mut client = Client::connect(site);
        let etag = client.get("/hello").header("ETag").unwrap().to_owned();
        client.send(format!(
            "GET /hello HTTP/1.1\r\nHost: tern.example\r\nIf-None-Match: {etag}\r\n\r\n"
        ));
        let unchanged = client.reply();
        assert_eq!(unchanged.status, 304);
        unchanged.assert_secure();
        assert_eq!(unchanged.header("ETag"), Some(etag.as_str()));
        assert_eq!(unchanged.header("Vary"), Some("Accept-Encoding, Cookie"));
        assert_eq!(client.get("/hello").status, 200);
    })
    .unwrap();
}

#[test]
fn pipelined_requests_answered_in_order() {
    with_site(limits(), |site| {
        let mut client = Client::connect(site);
        let request = |n| format!("GET /echo?{n} HTTP/1.1\r\nHost: tern.example\r\n\r\n");
        client.send((0..100).map(request).collect::<String>());
        for n in 0..100 {
            assert_eq!(client.reply().body, format!("Get {n} 127.0.0.1 None "));
        }
    })
    .unwrap();
}

#[test]
fn expectation_met_before_body_is_sent() {
    with_site(limits(), |site| {
        let head = "POST /echo HTTP/1.1\r\nHost: tern.example\r\nExpect: 100-continue\r\n";
        let mut client = Client::connect(site);
        client.send(format!("{head}Content-Length: 4\r\n\r\n"));
        assert_eq!(client.reply().status, 100);
        client.send("text");
        assert!(client.reply().body.ends_with("text"));
        // Who sends the body at once needs no leave, and too large a one is never asked for.
        client.send(format!("{head}Content-Length: 4\r\n\r\nmore"));
        assert!(client.reply().body.ends_with("more"));
        client.send(format!("{head}Content-Length: 70000\r\n\r\n"));
        assert_eq!(client.reply().status, 413);
    })
    .unwrap();
}

#[test]
fn connection_closed_when_browser_asks() {
    with_site(limits(), |site| {
        for (version, option, expected) in [
            ("1.1", "Connection: close\r\n", Some("close")),
            ("1.0", "", Some("close")),
            ("1.0", "Connection: keep-alive\r\n", Some("keep-alive")),
        ] {
            let mut client = Client::connect(site);
            client.send(format!("GET /hello HTTP/{version}\r\nHost: tern.example\r\n{option}\r\n"));
            let reply = client.reply();
            assert_eq!((reply.status, reply.header("Connection")), (200, expected));
            if expected == Some("close") {
                client.assert_closed();
            } else {
                assert_eq!(client.get("/hello").status, 200);
            }
        }
    })
    .unwrap();
}

#[test]
fn connection_half_closed_still_answered() {
    with_site(limits(), |site| {
        let mut client = Client::connect(site);
        client.send("GET /hello HTTP/1.1\r\nHost: tern.example\r\n\r\n");
        client.half_close();
        assert_eq!(client.reply().body, "hello");
        client.assert_closed();

        let mut client = Client::connect(site);
        client.send("GET /hello HTT");
        client.half_close();
        assert_eq!(client.reply().status, 400);
        client.assert_closed();
    })
    .unwrap();
}

#[test]
fn handler_panic_costs_one_request() {
    with_site(GateLimits { workers: 1, ..limits() }, |site| {
        for _ in 0..3 {
            let reply = Client::connect(site).get("/panic");
            assert_eq!(reply.status, 500);
            reply.assert_secure();
            assert!(!reply.body.contains("a handler's bug"), "{}", reply.body);
        }
        assert_eq!(Client::connect(site).get("/hello").status, 200);
    })
    .unwrap();
}

#[test]
fn answer_too_large_is_500_and_costs_one_request() {
    with_site(GateLimits { workers: 1, ..limits() }, |site| {
        let mut client = Client::connect(site);
        assert_eq!(client.get("/big?9000000").status, 500);
        assert_eq!(client.get("/big?8000000").body.len(), 8_000_000);
    })
    .unwrap();
}

#[test]
fn client_behind_trusted_proxy_named_by_it() {
    with_site(limits(), |site| {
        let mut proxy = Client::connect_from(PROXY, site.address);
        for (forwarded, client) in
            [("1.2.3.4", "1.2.3.4"), ("6.6.6.6, 1.2.3.4", "1.2.3.4"), ("junk", "127.0.0.77")]
        {
            proxy.send(format!(
                "GET /echo HTTP/1.1\r\nHost: tern.example\r\nX-Forwarded-For: {forwarded}\r\n\r\n"
            ));
            assert_eq!(proxy.reply().body, format!("Get  {client} None "));
        }
    })
    .unwrap();
}

#[test]
fn workers_all_busy_answered_503_and_connection_kept() {
    let limits = GateLimits { workers: 1, worker_wait_ms: 30, ..limits() };
    with_site(limits, |site| {
        let mut waiting = Client::connect(site);
        waiting.send("GET /wait HTTP/1.1\r\nHost: tern.example\r\n\r\n");
        site.waiting.until_entered();
        let mut other = Client::connect(site);
        let busy = other.get("/hello");
        assert_eq!((busy.status, busy.header("Retry-After")), (503, Some("2")));
        busy.assert_secure();
        assert!(busy.body.contains("Nothing was saved"), "{}", busy.body);
        site.waiting.release.close();
        assert_eq!(waiting.reply().body, "waited");
        assert_eq!(other.get("/hello").status, 200);
    })
    .unwrap();
}

#[test]
fn worker_too_late_answered_503_and_free_again_later() {
    let limits = GateLimits { workers: 1, answer_ms: 50, worker_wait_ms: 30, ..limits() };
    with_site(limits, |site| {
        let mut client = Client::connect(site);
        client.send("POST /wait HTTP/1.1\r\nHost: tern.example\r\nContent-Length: 0\r\n\r\n");
        let late = client.reply();
        assert_eq!((late.status, late.header("Connection")), (503, Some("close")));
        late.assert_secure();
        assert!(late.body.contains("We don’t know yet if it was saved"), "{}", late.body);
        assert!(!late.body.contains("Nothing was saved"), "{}", late.body);
        client.assert_closed();
        assert_eq!(Client::connect(site).get("/hello").status, 503);
        site.waiting.release.close();
        ask_until(site, "/hello", |reply| reply.status == 200);
    })
    .unwrap();
}
