//! Statements 22 to 27: what a browser, or something that only looks like one, may ask.

use tern::limits;

use super::wire::{ORIGIN, Site, ask, cookies, location};
use crate::cluster::form::encode;
use crate::cluster::harness::connect;

/// What follows `next=` in a query, and must lead home.
const EVIL_NEXT: [&str; 22] = [
    "//evil.example",
    "/%2f/evil.example",
    "%2F%2Fevil.example",
    "/%2Fevil.example",
    "///evil.example",
    "/\\evil.example",
    "%5Cevil.example",
    "/%5Cevil.example",
    "/a%5C..%5Cb",
    "%5C%5Cevil.example",
    "https:evil.example",
    "https://evil.example/",
    "HTTPS%3A%2F%2Fevil.example",
    "javascript:alert(1)",
    "evil.example",
    "%09//evil.example",
    "/%09/evil.example",
    "%20/evil.example",
    "/%00",
    "/%0d%0aX-Evil:%20yes",
    "/%E2%80%A8evil",
    "",
];

#[test]
fn s22_next_leads_to_a_path_of_this_site_or_home() {
    let site = Site::start(&[]);
    let mut ada = site.member("ada");
    site.member("ben");
    let mut stranger = site.cluster.person("ada");
    for next in EVIL_NEXT {
        // Who is signed in is sent on at once; who is not, after the form, which carries it along.
        let known = site.get(&format!("/login?next={next}"), &cookies(&ada));
        assert_eq!(location(&known), "/", "{next:?}");
        let page = stranger.get(&format!("/login?next={next}"));
        let form = page.form("/login");
        assert_eq!(form.value("next").unwrap_or_default(), "", "{next:?}: {form:?}");
        let follow = ada.get("/@ben").forms();
        let form = follow.iter().find(|form| form.action.starts_with("/@ben/")).unwrap();
        let body = encode(&form.filled(&[])) + "&";
        let body: Vec<_> = body.split('&').filter(|pair| !pair.starts_with("next=")).collect();
        let sent = site.send(&ada, &form.action, &format!("{}next={next}", body.join("&")));
        assert_eq!(location(&sent), "/@ben", "{next:?}");
    }
    let password = stranger.password();
    let login = stranger.get("/login").form("/login");
    for next in ["//evil.example", "/\\evil", "/\t/evil", "https:evil", "/\r\nX-Evil: yes"] {
        let typed = [("username", "ada"), ("password", &password), ("next", next)];
        assert_eq!(
            location(&site.post(&stranger, "/login", &login.filled(&typed))),
            "/",
            "{next:?}"
        );
    }
    for next in
        ["/@ben", "/settings/profile?saved=1", "/tag/tea", "/@ada/1#p1", "/%252f/here", "/a//b"]
    {
        let known = site.get(&format!("/login?next={}", next.replace('#', "%23")), &cookies(&ada));
        // Decoded once, and no more: what is left is a path of this site, be there a page or none.
        assert_eq!(location(&known), next.replace("%25", "%"), "{next:?}");
    }
}

/// A request whose header lines fill so many bytes, the empty one at their end included.
fn padded(site: &Site, line: &str, bytes: usize) -> String {
    let host = format!("Host: {}\r\n", site.address);
    let rest = bytes - host.len() - "A: \r\n\r\n".len();
    format!("{line}\r\n{host}A: {}\r\n\r\n", "x".repeat(rest))
}

#[test]
fn s23_requests_bounded_in_size_and_time() {
    // The times run out in tests/door; here they are what was agreed.
    assert_eq!((limits::GATE_HEAD_MS, limits::GATE_REQUEST_MS), (5_000, 15_000));
    assert_eq!(limits::GATE_IDLE_MS, 30_000);
    assert_eq!((limits::GATE_CONNECTIONS_MAX, limits::GATE_ADDRESS_CONNECTIONS_MAX), (512, 32));
    let site = Site::start(&[]);
    let mut ada = site.member("ada");
    let host = format!("Host: {}\r\n{}", site.address, cookies(&ada));
    let line = |bytes: usize| {
        let target = "x".repeat(bytes - "GET /public? HTTP/1.1".len());
        site.ask(format!("GET /public?{target} HTTP/1.1\r\n{host}\r\n")).status
    };
    assert_eq!((line(8_192), line(8_193)), (200, 414));
    let headers = |bytes| site.ask(padded(&site, "GET /public HTTP/1.1", bytes)).status;
    assert_eq!((headers(16_384), headers(16_385)), (200, 431));
    // The host and the cookies are two of them.
    let lines = |n: usize| site.get("/public", &(cookies(&ada) + &"A: b\r\n".repeat(n - 2))).status;
    assert_eq!((lines(64), lines(65)), (200, 431));
    let form = ada.get("/").form("/post");
    let body = |bytes: usize| {
        let fields = encode(&form.filled(&[("text", "")]));
        format!("{fields}{}", "x".repeat(bytes - fields.len()))
    };
    let long = site.send(&ada, "/post", &body(65_536));
    assert_eq!(long.status, 422, "{}", long.head);
    assert!(long.body.contains(&"x".repeat(60_000)), "the text comes back");
    assert_eq!(site.send(&ada, "/post", &body(65_537)).status, 413);
    // Fields beyond the fiftieth are not even looked at, known or not.
    let own = form.fields.len();
    let with = |n: usize| encode(&form.filled(&[("text", "Tea")])) + &"&a=b".repeat(n - own);
    for (count, status) in [(1_000, 400), (51, 400), (50, 303)] {
        let reply = site.send(&ada, "/post", &with(count));
        assert_eq!(reply.status, status, "{count} fields: {}", reply.head);
        assert!(status == 303 || reply.body.contains("Tea"), "the text comes back");
    }
    let post = format!("POST /post HTTP/1.1\r\n{host}");
    let mut bad: Vec<_> = ["chunked", "identity", "gzip, chunked", "x", ""]
        .map(|coding| format!("{post}Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n"))
        .into();
    bad.push(format!("{post}Content-Length: 1\r\nContent-Length: 1\r\n\r\na"));
    bad.push(format!("{post}Content-Length: 1\n\r\na"));
    bad.push(format!("{post}A: b\r\n c\r\nContent-Length: 1\r\n\r\na"));
    bad.push(format!("{post}Host: {}\r\nContent-Length: 1\r\n\r\na", site.address));
    bad.push("GET / HTTP/1.1\r\n\r\n".to_owned());
    for request in bad {
        assert_eq!(site.ask(&request).status, 400, "{request:?}");
    }
    assert_eq!(site.file_of("ada").matches("\"posted\"").count(), 1);
}

#[test]
fn s24_host_from_the_list_and_links_from_the_origin() {
    let site = Site::start(&[]);
    let mut ada = site.member("ada");
    assert_eq!(ada.post("Tea at four").status, 303);
    let secure = site.secure(&["--trusted-proxies=127.0.0.77"]);
    let port = secure.address.port();
    for host in [
        "evil.example".to_owned(),
        "tern.example.evil.example".to_owned(),
        "eviltern.example".to_owned(),
        format!("tern.example:{port}"),
        "tern.example.".to_owned(),
        "127.0.0.1".to_owned(),
        format!("10.0.0.1:{port}"),
    ] {
        let reply = ask(secure.address, format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(reply.status, 421, "{host}");
        reply.assert_secure();
        assert!(!reply.body.contains("evil"), "{}", reply.body);
    }
    // Beyond the origin's own, the address that it listens on is let in, for health checks.
    let forwarded = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\n\
                     X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6;host=evil.example\r\n\
                     X-Original-URL: /settings/data\r\n";
    for host in
        ["tern.example".to_owned(), "TERN.example:443".to_owned(), secure.address.to_string()]
    {
        let get = |path: &str| {
            ask(secure.address, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{forwarded}\r\n"))
        };
        let feed = get("/public.atom");
        assert_eq!(feed.status, 200);
        assert!(feed.body.contains(&format!("<id>{ORIGIN}/public.atom</id>")), "{}", feed.body);
        for page in [feed, get("/public"), get("/@ada"), get("/settings/data")] {
            let text = page.head + &page.body;
            for foreign in ["evil.example", "127.0.0.1", "http://tern.example", "6.6.6.6"] {
                assert!(!text.contains(foreign), "{foreign}: {text}");
            }
        }
    }
    // Whose request it is, only a trusted proxy may say: it is in the log of who joins.
    let mut eve = site.cluster.person("eve");
    let join = eve.get("/join").form("/join");
    let fields = encode(&join.filled(&[("username", "eve"), ("password", "seven lamps at sea")]));
    let joined = site.ask(format!(
        "POST /join HTTP/1.1\r\nHost: {}\r\n{}{forwarded}Content-Type: \
         application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{fields}",
        site.address,
        cookies(&eve),
        fields.len(),
    ));
    assert_eq!(location(&joined), "/");
    let log = site.cluster.log();
    assert!(log.contains("msg=joined user=eve client=127.0.0.1"), "{log}");
    assert!(!log.contains("6.6.6.6"), "{log}");
}

#[test]
fn s25_fields_given_twice_refused_and_unknown_ones_ignored() {
    let site = Site::start(&[]);
    let mut ada = site.member("ada");
    let profile = ada.get("/settings/profile").form("/settings/profile");
    let before = site.file_of("ada");
    let own = encode(&profile.filled(&[("display_name", "Ada L."), ("bio", "")]));
    for twice in
        ["display_name=Eve", "display_name=Ada+L.", "token=x", "key=", "%64isplay_name=Eve"]
    {
        let reply = site.send(&ada, "/settings/profile", &format!("{own}&{twice}"));
        assert_eq!(reply.status, 400, "{twice}");
        // Whatever a person typed comes back to them.
        assert!(reply.body.contains("Ada L."), "{}", reply.body);
    }
    assert_eq!(site.get("/login?next=/@ada&next=/public", "").status, 400);
    assert_eq!(site.file_of("ada"), before, "nothing was done");
    let more = "&is_admin=1&role=admin&is_admin=true&username=eve&user=eve&id=1&joined_at=0&password=x\
                &session=eve.token&constructor=1&__proto__=1&display_name[]=Eve";
    let reply = site.send(&ada, "/settings/profile", &format!("{own}{more}"));
    assert_eq!(location(&reply), "/settings/profile?saved=1");
    let after = site.file_of("ada");
    let line = after.strip_prefix(&before).expect("one line more");
    assert_eq!(line.lines().count(), 1);
    assert!(line.contains("Ada L."), "{line}");
    for foreign in ["admin", "eve", "Eve", "proto", "constructor", "token"] {
        assert!(!line.contains(foreign), "{foreign}: {line}");
    }
}

/// What would be a header of its own if line ends got through: encoded for a query or a form.
const SPLITS: [&str; 6] = [
    "a%0d%0aX-Evil:%20yes%0d%0a%0d%0aevil",
    "a%0aX-Evil:%20yes",
    "a%0dX-Evil:%20yes",
    "/%0d%0aX-Evil:%20yes",
    "a%00X-Evil:%20yes",
    "%E5%98%8A%E5%98%8DX-Evil:%20yes",
];

/// Fails if a head is anything but lines of printable ASCII, or holds the header.
#[track_caller]
fn check_head(reply: &crate::web::client::Reply, how: &str) {
    let lines: Vec<_> = reply.head.split("\r\n").collect();
    assert!(
        lines.iter().all(|line| line.bytes().all(|b| (b' '..=b'~').contains(&b))),
        "{how}: {lines:?}"
    );
    for line in lines {
        let name = line.split(':').next().unwrap_or_default();
        assert!(!name.eq_ignore_ascii_case("x-evil"), "{how}: {}", reply.head);
        assert!(!line.contains("evil") || name == "Location", "{how}: {line}");
    }
}

#[test]
fn s26_no_line_end_gets_into_a_header() {
    let site = Site::start(&[]);
    let mut ada = site.member("ada");
    assert_eq!(ada.post("Tea").status, 303);
    let own = cookies(&ada);
    let profile = ada.get("/settings/profile").form("/settings/profile");
    let join = site.cluster.person("eve").get("/join").form("/join");
    let compose = ada.get("/").form("/post");
    for split in SPLITS {
        for path in [
            "/login?next=",
            "/login?show=1&next=",
            "/search?q=",
            "/public?before=",
            "/?posted=",
            "/settings/devices?ended=",
            "/settings/data/tern.json?list=",
            "/tag/",
            "/@",
            "/@ada/",
            "/s/",
            "/",
            "/settings/data/",
        ] {
            for who in ["", own.as_str()] {
                let reply = site.get(&format!("{path}{split}"), who);
                check_head(&reply, &format!("{path}{split}"));
                if let Some(to) = reply.header("Location") {
                    assert!(to.starts_with('/') && !to.contains("\r\n"), "{to}");
                }
            }
        }
        let without = |form: &crate::cluster::form::Form, name: &str| {
            let left = form.fields.iter().filter(|(field, _)| field != name).cloned();
            encode(&left.collect::<Vec<_>>())
        };
        for (form, name) in [
            (&profile, "display_name"),
            (&profile, "bio"),
            (&join, "username"),
            (&join, "password"),
            (&compose, "text"),
            (&compose, "note"),
            (&compose, "key"),
            (&compose, "token"),
        ] {
            let body = format!("{}&{name}={split}", without(form, name));
            check_head(&site.send(&ada, &form.action, &body), &format!("{name}={split}"));
        }
    }
    for cookie in [
        "lang=de%0d%0aX-Evil",
        "s=ada.x\u{7f}",
        "p=%0d%0aX-Evil: yes",
        "keys=\"\\r\\nX-Evil: yes\"",
    ] {
        check_head(&site.get("/", &format!("Cookie: {cookie}\r\n")), cookie);
    }
    // The name of the file that is taken along is ours, whatever the member is called.
    let export = site.get("/settings/data/tern.json", &own);
    check_head(&export, "export");
    assert_eq!(export.header("Content-Disposition"), Some("attachment; filename=\"tern.json\""));
}

#[test]
fn s27_methods_unknown_refused_and_nothing_listed() {
    let site = Site::start(&[]);
    let tomas = site.member("tomas");
    let host = format!("Host: {}\r\n{}", site.address, cookies(&tomas));
    for method in
        ["TRACE", "CONNECT", "OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND", "get", "GETT", "X"]
    {
        for target in ["/", "/public", "/post"] {
            let reply = site.ask(format!("{method} {target} HTTP/1.1\r\n{host}\r\n"));
            assert_eq!(reply.status, 405, "{method} {target}");
            assert_eq!(reply.header("Allow"), Some("GET, HEAD, POST"), "{method}");
            // Nothing is echoed, least of all a cookie. No request's number has such letters.
            assert!(!reply.body.contains("tomas"), "{}", reply.body);
        }
    }
    let connect_to = format!("CONNECT {} HTTP/1.1\r\n{host}\r\n", site.address);
    assert_eq!(site.ask(connect_to).status, 405);
    assert_eq!(site.ask(format!("OPTIONS * HTTP/1.1\r\n{host}\r\n")).status, 405);
    // A method that we know, where it is not taken.
    for (path, method, allow) in [
        ("/logout", "GET", "POST"),
        ("/post", "HEAD", "POST"),
        ("/public", "POST", "GET, HEAD"),
        ("/healthz", "POST", "GET, HEAD"),
    ] {
        let reply = site.ask(format!("{method} {path} HTTP/1.1\r\n{host}\r\n"));
        assert_eq!((reply.status, reply.header("Allow")), (405, Some(allow)), "{method} {path}");
    }
    for path in [
        "/s/",
        "/s",
        "/static/",
        "/users/",
        "/users/ada.jsonl",
        "/db/",
        "/node.json",
        "/.git/config",
        "/.env",
        "/settings/x/",
        "/settings/data//",
        "/tag/",
        "/@",
        "/@/",
        "/@ada//",
        "/../etc/passwd",
        "/s/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/s/..%2f..%2fetc%2fpasswd",
        "/s/%5c..%5c",
        "/metrics",
        "/debug/pprof/",
        "/server-status",
        "/cluster",
        "/status.json",
        "//",
        "//evil.example",
        "//evil.example/",
        "//@Ada/",
        "/%2Fevil.example/",
        "/%5Cevil.example/",
        "/%00",
        "/%ff",
    ] {
        let reply = site.get(path, &cookies(&tomas));
        assert_eq!(reply.status, 404, "{path}: {}", reply.body);
        assert!(!reply.body.contains("root:") && !reply.body.contains("jsonl"), "{}", reply.body);
    }
    check_other_spellings(&site);
    check_ports_apart(&site);
}

/// An address in another spelling leads to its own, on this site.
fn check_other_spellings(site: &Site) {
    for (path, own) in [
        ("/@Ada/", "/@ada"),
        ("/%40ADA", "/@ada"),
        ("/settings/", "/settings/profile"),
        ("/settings/data/", "/settings/data"),
        ("/public/?before=1&x=//evil.example", "/public?before=1&x=//evil.example"),
    ] {
        let reply = site.get(path, "");
        assert_eq!((reply.status, reply.header("Location")), (308, Some(own)), "{path}");
        reply.assert_secure_without_https();
    }
}

/// What machines say to each other is not understood where browsers come, and the reverse.
fn check_ports_apart(site: &Site) {
    use std::io::{Read, Write};
    let mut machine = connect(&site.cluster.backend_address(1));
    machine
        .write_all(format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", site.address).as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    // It may be reset for what was not read.
    let _reset = machine.read_to_end(&mut answer);
    assert_eq!(answer, b"");
    // The first frame of a machine: its length, the version, a handshake's first message.
    let frame = [0_u8, 0, 0, 35, 1, 2, 3].into_iter().chain([7; 32]).collect::<Vec<_>>();
    assert_eq!(site.ask(frame).status, 400);
}
