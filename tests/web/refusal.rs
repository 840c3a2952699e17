//! What the gate refuses, each with its status, all security headers and a closed connection.

use tern::limits::UPLOAD_BYTES_MAX;

use super::*;

#[track_caller]
fn refused(site: &Site, request: impl AsRef<[u8]>, status: u16) -> Reply {
    let shown = String::from_utf8_lossy(request.as_ref()).chars().take(200).collect::<String>();
    let mut client = Client::connect(site);
    client.send(request);
    let reply = client.reply();
    assert_eq!(reply.status, status, "{shown:?}\n{}", reply.head);
    reply.assert_secure();
    assert_eq!(reply.header("Connection"), Some("close"), "{shown:?}");
    assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
    let has_number = reply.body.contains("Request ") || reply.body.contains("Anfrage ");
    assert!(has_number, "{}", reply.body);
    client.assert_closed();
    reply
}

#[test]
fn request_malformed_answered_400() {
    with_site(limits(), |site| {
        let post = "POST /echo HTTP/1.1\r\nHost: tern.example\r\n";
        for bad in [
            "GET /hello HTTP/1.1\nHost: tern.example\n\n".to_owned(),
            "GET /hello HTTP/1.1\r\nHost: tern.example\r\nA: b\r\n c\r\n\r\n".to_owned(),
            "GET /hello HTTP/1.1\r\nHost: tern.example\r\nA: \0\r\n\r\n".to_owned(),
            "GET /hellö HTTP/1.1\r\nHost: tern.example\r\n\r\n".to_owned(),
            "GET /hello HTTP/1.1\r\n\r\n".to_owned(),
            "GET /hello HTTP/1.1\r\nHost: tern.example\r\nHost: tern.example\r\n\r\n".to_owned(),
            "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(),
            "GET http://tern.example/ HTTP/1.1\r\nHost: tern.example\r\n\r\n".to_owned(),
            "GET * HTTP/1.1\r\nHost: tern.example\r\n\r\n".to_owned(),
            "GET /\r\n\r\n".to_owned(),
            "GET /hello HTTP/1.1\r\nHost: tern.example\r\nContent-Length: 3\r\n\r\nabc".to_owned(),
            "HEAD /hello HTTP/1.1\n".to_owned(),
            format!("{post}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            format!("{post}Transfer-Encoding: identity\r\n\r\n"),
            format!("{post}Content-Length: 1\r\nContent-Length: 1\r\n\r\na"),
            format!("{post}Content-Length: 1\r\nContent-Length: 2\r\n\r\na"),
            format!("{post}Content-Length: +5\r\n\r\nabcde"),
            format!("{post}Content-Length: 5, 5\r\n\r\nabcde"),
            format!("{post}Content-Length:  5\r\n\r\nabcde"),
            format!("{post}Content-Length: five\r\n\r\nabcde"),
        ] {
            if bad.starts_with("HEAD") {
                let mut client = Client::connect(site);
                client.send(&bad);
                assert_eq!(client.reply_to_head().status, 400);
                client.assert_closed();
            } else {
                refused(site, &bad, 400);
            }
        }
    })
    .unwrap();
}

#[test]
fn request_odd_answered_with_its_status() {
    with_site(limits(), |site| {
        let host = "Host: tern.example\r\n\r\n";
        refused(site, format!("GET / HTTP/2.0\r\n{host}"), 505);
        for method in ["PUT", "DELETE", "TRACE", "OPTIONS", "PATCH", "CONNECT", "FROB"] {
            let reply = refused(site, format!("{method} / HTTP/1.1\r\n{host}"), 405);
            assert_eq!(reply.header("Allow"), Some("GET, HEAD, POST"));
        }
        refused(site, format!("OPTIONS * HTTP/1.1\r\n{host}"), 405);
        refused(site, format!("GET /{} HTTP/1.1\r\n{host}", "x".repeat(9_000)), 414);
        refused(site, format!("GET / HTTP/1.1\r\nA: {}\r\n{host}", "x".repeat(17_000)), 431);
        refused(site, format!("GET / HTTP/1.1\r\n{}{host}", "A: b\r\n".repeat(64)), 431);
        let reply = refused(site, format!("POST / HTTP/1.1\r\nExpect: tea\r\n{host}"), 417);
        assert_eq!(reply.header("Retry-After"), None);
    })
    .unwrap();
}

#[test]
fn body_over_limit_answered_413_though_it_is_being_sent() {
    with_site(limits(), |site| {
        let head = |bytes: &str| {
            format!("POST /echo HTTP/1.1\r\nHost: tern.example\r\nContent-Length: {bytes}\r\n\r\n")
        };
        let reply = refused(site, head("200000") + &"x".repeat(200_000), 413);
        assert!(reply.body.contains("go back and shorten it"), "{}", reply.body);
        refused(site, head("30000000000") + "x", 413);
        refused(site, head("99999999999999999999999999999"), 413);
        assert_eq!(ask(site, head("65536") + &"x".repeat(65_536)).status, 200);
    })
    .unwrap();
}

#[test]
fn r0129_whoever_sends_the_longest_form_is_told_why_it_is_refused() {
    with_site(limits(), |site| {
        let head =
            "POST /echo HTTP/1.1\r\nHost: tern.example\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut client = Client::connect(site);
        // Refused by its head; who passes a form on for a browser may read no answer before it has sent all.
        let sent =
            client.stream.write_all((head.to_owned() + &"x".repeat(UPLOAD_BYTES_MAX)).as_bytes());
        assert!(sent.is_ok(), "{sent:?}");
        assert_eq!(client.reply().status, 400);
        assert!(matches!(client.stream.read(&mut [0]), Ok(0)), "closed, and not reset");
    })
    .unwrap();
}

#[test]
fn host_of_others_answered_421() {
    with_site(limits(), |site| {
        for host in ["evil.example", "tern.example:8080", "localhost", "10.0.0.1"] {
            refused(site, format!("GET /hello HTTP/1.1\r\nHost: {host}\r\n\r\n"), 421);
        }
        let port = site.address.port();
        let listener = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        for host in ["tern.example", "TERN.example:443"]
            .into_iter()
            .chain(listener.iter().map(String::as_str))
        {
            let reply = ask(site, format!("GET /hello HTTP/1.1\r\nHost: {host}\r\n\r\n"));
            assert_eq!(reply.status, 200, "{host}");
        }
    })
    .unwrap();
}

#[test]
fn smuggled_request_never_answered() {
    with_site(limits(), |site| {
        let inner = "GET /echo?smuggled HTTP/1.1\r\nHost: tern.example\r\n\r\n";
        let post = "POST /echo HTTP/1.1\r\nHost: tern.example\r\n";
        let length = inner.len() + 5;
        for attempt in [
            // One reader goes by the length, the other by the chunks: and the reverse.
            format!(
                "{post}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n"),
            format!("{post}Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n"),
            format!("{post}Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n"),
            format!("{post}X: a\nTransfer-Encoding: chunked\r\n\r\n"),
            format!("{post}X:\r\n Content-Length: 0\r\n\r\n"),
            format!("{post}Content-Length: 0\r\nContent-Length: {length}\r\n\r\n"),
            format!("{post}Content-Length: 0, {length}\r\n\r\n"),
            format!("{post}Content-Length: 0x{length:x}\r\n\r\n"),
            format!(
                "GET /hello HTTP/1.1\r\nHost: tern.example\r\nContent-Length: {length}\r\n\r\n"
            ),
            "GET /hello\0 HTTP/1.1\r\nHost: tern.example\r\n\r\n".to_owned(),
        ] {
            let mut client = Client::connect(site);
            client.send(attempt + inner);
            assert_eq!(client.reply().status, 400);
            client.assert_closed();
        }
    })
    .unwrap();
}

#[test]
fn headers_of_ours_from_outside_dropped() {
    with_site(limits(), |site| {
        let forged = "GET /echo?q HTTP/1.1\r\nHost: tern.example\r\nX-Tern-Client: 6.6.6.6\r\n\
                      x-tern-id: forged\r\nX-Forwarded-For: 7.7.7.7\r\n\r\n";
        assert_eq!(ask(site, forged).body, "Get q 127.0.0.1 None ");
    })
    .unwrap();
}

#[test]
fn request_refused_in_the_language_it_asks_for() {
    with_site(limits(), |site| {
        let head = "Host: tern.example\r\nAccept-Language: de-CH, en;q=0.5\r\n";
        let refused_in = |request: String, status, language: &str, words: &str| {
            let reply = refused(site, request, status);
            assert_eq!(reply.header("Content-Language"), Some(language));
            let vary = reply.header("Vary").unwrap();
            assert!(vary.ends_with("Accept-Language, Cookie"), "{vary}");
            assert!(reply.body.contains(words), "{}", reply.body);
        };
        let german = "Es wurde nichts gespeichert";
        refused_in(format!("PUT / HTTP/1.1\r\n{head}\r\n"), 405, "de", german);
        refused_in(
            format!("POST / HTTP/1.1\r\n{head}Content-Length: 99999999\r\n\r\n"),
            413,
            "de",
            german,
        );
        refused_in(
            format!("GET / HTTP/1.1\r\n{head}Host: evil.example\r\n\r\n"),
            400,
            "de",
            german,
        );
        let elsewhere = "GET / HTTP/1.1\r\nHost: evil.example\r\nAccept-Language: de\r\n\r\n";
        refused_in(elsewhere.to_owned(), 421, "de", "frag den Betreiber");
        let cookie = "Cookie: __Host-lang=en\r\n\r\n";
        refused_in(format!("PUT / HTTP/1.1\r\n{head}{cookie}"), 405, "en", "Nothing was saved");
        // Where nothing was said before it went wrong, both are.
        refused_in("GET /\r\n\u{1}".to_owned(), 400, "en, de", german);
    })
    .unwrap();
}

#[test]
fn languages_asked_for_reach_the_page() {
    with_site(limits(), |site| {
        let get = |head: &str| {
            ask(site, format!("GET /language HTTP/1.1\r\nHost: tern.example\r\n{head}\r\n")).body
        };
        assert_eq!(get(""), "None");
        assert_eq!(get("Accept-Language: de, en;q=0.5\r\n"), "Some(\"de, en;q=0.5\")");
        assert_eq!(get("accept-language: fr\r\nAccept-Language: de\r\n"), "Some(\"fr, de\")");
    })
    .unwrap();
}

#[test]
fn refused_to_apps_in_json() {
    with_site(limits(), |site| {
        let long = "x".repeat(20_000);
        for (request, status) in [
            ("GET /api/v1/statuses HTTP/1.1\r\n\r\n".to_owned(), 400),
            ("BREW /api/v1/statuses HTTP/1.1\r\nHost: tern.example\r\n\r\n".to_owned(), 405),
            (
                "POST /oauth/token HTTP/1.1\r\nHost: tern.example\r\nContent-Length: 99999999\r\n\r\n"
                    .to_owned(),
                413,
            ),
            (
                "POST /api/v2/media HTTP/1.1\r\nHost: tern.example\r\nExpect: tea\r\n\r\n".to_owned(),
                417,
            ),
            ("GET /api/v1/instance HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(), 421),
            (format!("GET /api/v1/a HTTP/1.1\r\nHost: tern.example\r\nA: {long}\r\n\r\n"), 431),
            ("POST /oauth/revoke HTTP/3.0\r\nHost: tern.example\r\n\r\n".to_owned(), 505),
        ] {
            let mut client = Client::connect(site);
            client.send(&request);
            let reply = client.reply();
            assert_eq!(reply.status, status, "{request}\n{}", reply.head);
            reply.assert_secure();
            let kind = reply.header("Content-Type");
            assert_eq!(kind, Some("application/json; charset=utf-8"), "{request}");
            assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("*"), "{request}");
            let told: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
            assert!(told["error"].as_str().is_some_and(|error| !error.is_empty()), "{told}");
            client.assert_closed();
        }
        // The other methods are for apps' addresses alone.
        for method in ["PUT", "PATCH", "DELETE", "OPTIONS"] {
            let head = "HTTP/1.1\r\nHost: tern.example\r\n\r\n";
            let reply = refused(site, format!("{method} /hello {head}"), 405);
            assert_eq!(reply.header("Allow"), Some("GET, HEAD, POST"));
            assert_eq!(reply.header("Access-Control-Allow-Origin"), None);
        }
    })
    .unwrap();
}
