//! Statements 31 to 33: what every answer bears, who may keep it, and what an error tells.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::process::Signal;
use tern::limits::EXPORTS_DAY_MAX;

use super::shared_cache::SharedCache;
use super::wire::{Secure, Site, ask, cookies};
use crate::cluster::form::encode;
use crate::cluster::harness::eventually;
use crate::cluster::person::Person;
use crate::web::client::Reply;

/// Pages for anybody; a member named ada has a post, whose address follows them.
const PAGES: [&str; 17] = [
    "/",
    "/public",
    "/public.atom",
    "/search",
    "/search?q=tea",
    "/tag/tea",
    "/tag/tea.atom",
    "/@ada",
    "/@ada.atom",
    "/@ada/followers",
    "/@ada/following",
    "/join",
    "/login",
    "/status",
    "/healthz",
    "/readyz",
    "/robots.txt",
];
/// Pages that know whose they are.
const OWN_PAGES: [&str; 20] = [
    "/",
    "/mentions",
    "/bookmarks",
    "/settings/profile",
    "/settings/password",
    "/settings/devices",
    "/settings/people",
    "/settings/invitations",
    "/settings/keys",
    "/settings/data",
    "/settings/data/tern.json",
    "/settings/data/posts.html",
    "/settings/language",
    "/settings/leave",
    "/mod",
    "/mod/joining",
    "/mod/members",
    "/mod/log",
    "/mod/settings",
    "/mod/act",
];

/// A member with a post and its address, and a second post that is deleted.
fn ada_with_posts(site: &Site) -> (Person, String, String) {
    let mut ada = site.member("ada");
    let mut addresses = Vec::new();
    for text in ["Tea at four #tea", "Not this one"] {
        let posted = ada.post(text);
        let to = posted.location.as_deref().unwrap();
        addresses.push(to.replace("/?posted=", "/@ada/"));
    }
    let deleted = addresses.pop().unwrap();
    let asked = format!("{deleted}/delete");
    assert_eq!(ada.act(&asked, &asked, &[]).status, 303);
    (ada, addresses.pop().unwrap(), deleted)
}

/// Every address of the site that is worth a look.
fn every_path(site: &Site, post: &str, deleted: &str) -> BTreeSet<String> {
    let mut paths: BTreeSet<_> =
        PAGES.iter().chain(&OWN_PAGES).map(|path| (*path).to_owned()).collect();
    for of_post in ["", "/edit", "/history", "/delete", "/like", "/unlike", "/report"] {
        paths.insert(format!("{post}{of_post}"));
        paths.insert(format!("{deleted}{of_post}"));
    }
    let page = site.get("/public", "").body;
    let assets = page.split('"').filter(|text| text.starts_with("/s/"));
    paths.extend(assets.map(str::to_owned));
    paths.extend(
        [
            "/s/style-000000000000.css",
            "/nowhere",
            "/logout",
            "/post",
            "/@ada/follow",
            "/@ada/block",
            "/%ff",
        ]
        .map(str::to_owned),
    );
    paths.extend(["/@nobody", "/public?before=x", "/login?next=/a&next=/b"].map(str::to_owned));
    paths
}

/// Every address, by GET, HEAD and POST, for a stranger and a member, and once more where it is known.
fn check_every_path(site: &Site, ada: &Person, paths: &BTreeSet<String>, seen: &mut BTreeSet<u16>) {
    let mut look = |reply: Reply| {
        reply.assert_secure_without_https();
        assert_eq!(reply.header("X-Robots-Tag"), None, "nobody said so");
        seen.insert(reply.status);
        reply
    };
    for path in paths {
        for who in [String::new(), cookies(ada)] {
            let lines = format!("Host: {}\r\n{who}", site.address);
            let reply = look(site.ask(format!("GET {path} HTTP/1.1\r\n{lines}\r\n")));
            if let Some(etag) = reply.header("ETag") {
                let known = format!("GET {path} HTTP/1.1\r\n{lines}If-None-Match: {etag}\r\n\r\n");
                look(site.ask(known));
            }
            look(site.ask(format!("HEAD {path} HTTP/1.1\r\n{lines}\r\n")));
            look(site.ask(format!("POST {path} HTTP/1.1\r\n{lines}Content-Length: 0\r\n\r\n")));
        }
    }
}

/// What is refused before any page is asked, by status.
fn refused(host: &str) -> Vec<(u16, String)> {
    let get = format!("GET / HTTP/1.1\r\nHost: {host}\r\n");
    let post = format!("POST /post HTTP/1.1\r\nHost: {host}\r\n");
    vec![
        (400, "nonsense\r\n\r\n".to_owned()),
        (400, "\u{16}\u{3}\u{1}\r\n\r\n".to_owned()),
        (400, format!("{post}Transfer-Encoding: chunked\r\n\r\n")),
        (405, format!("BREW / HTTP/1.1\r\nHost: {host}\r\n\r\n")),
        (405, format!("TRACE / HTTP/1.1\r\nHost: {host}\r\n\r\n")),
        (413, format!("{post}Content-Length: 99999999999999999999\r\n\r\n")),
        (414, format!("GET /{} HTTP/1.1\r\nHost: {host}\r\n\r\n", "x".repeat(9_000))),
        (417, format!("{post}Expect: tea\r\nContent-Length: 0\r\n\r\n")),
        (421, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned()),
        (431, format!("{get}{}\r\n", "A: b\r\n".repeat(100))),
        (505, format!("GET / HTTP/3.0\r\nHost: {host}\r\n\r\n")),
    ]
}

/// Answers to a member's forms: done, wrong, too old, too often.
fn check_forms(site: &Site, ada: &mut Person, seen: &mut BTreeSet<u16>) {
    let form = ada.get("/").form("/post");
    for filled in [
        [("text", "Tea"), ("note", "")],
        [("text", ""), ("note", "")],
        [("token", "x"), ("text", "Tea")],
    ] {
        let reply = site.post(ada, "/post", &form.filled(&filled));
        reply.assert_secure_without_https();
        seen.insert(reply.status);
    }
    let mut eve = site.cluster.person("ada");
    for _ in 0..7 {
        let login = eve.get("/login").form("/login");
        let wrong = login.filled(&[("username", "ada"), ("password", "not this one")]);
        let reply = site.post(&eve, "/login", &wrong);
        reply.assert_secure_without_https();
        seen.insert(reply.status);
    }
    let logout = ada.get("/@ada").form("/logout");
    let reply = site.post(ada, "/logout", &logout.fields);
    reply.assert_secure_without_https();
    assert_eq!(reply.header("Clear-Site-Data"), Some("\"cache\""));
    seen.insert(reply.status);
}

/// The same behind https: told to insist on it, on pages and refusals alike.
fn check_https(secure: &Secure, post: &str) {
    let host = "tern.example";
    for path in PAGES.into_iter().chain([post, "/nowhere", "/settings/data", "/logout"]) {
        let get = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
        let reply = ask(secure.address, format!("{get}\r\n"));
        reply.assert_secure();
        assert_eq!(reply.header("X-Robots-Tag"), Some("noindex"), "{path}");
        if let Some(etag) = reply.header("ETag") {
            let known = ask(secure.address, format!("{get}If-None-Match: {etag}\r\n\r\n"));
            assert_eq!(known.status, 304, "{path}");
            known.assert_secure();
            assert_eq!(known.header("X-Robots-Tag"), Some("noindex"), "{path}");
        }
    }
    for (status, request) in refused(host) {
        let reply = ask(secure.address, &request);
        assert_eq!(reply.status, status, "{request}");
        reply.assert_secure();
    }
}

#[test]
fn s31_every_answer_bears_all_headers_on_the_wire() {
    let site = Site::start(&["--rate-limits=on"]);
    let (mut ada, post, deleted) = ada_with_posts(&site);
    let secure = site.secure(&["--noindex=on"]);
    let mut seen = BTreeSet::new();
    let paths = every_path(&site, &post, &deleted);
    check_every_path(&site, &ada, &paths, &mut seen);
    // More downloads than there are a day.
    for _ in 0..=EXPORTS_DAY_MAX {
        let reply = site.get("/settings/data/tern.json", &cookies(&ada));
        reply.assert_secure_without_https();
        seen.insert(reply.status);
    }
    for (status, request) in refused(&site.address.to_string()) {
        let reply = site.ask(&request);
        assert_eq!(reply.status, status, "{request}");
        reply.assert_secure_without_https();
    }
    check_https(&secure, &post);
    check_forms(&site, &mut ada, &mut seen);
    // With nobody left to ask.
    site.cluster.kill(1, Signal::KILL);
    for path in &paths {
        let reply = site.get(path, &cookies(&ada));
        reply.assert_secure_without_https();
        seen.insert(reply.status);
        ask(secure.address, format!("GET {path} HTTP/1.1\r\nHost: tern.example\r\n\r\n"))
            .assert_secure();
    }
    // 408 and 503 of the gate are looked at in tests/door, 500 in tests/web: no request brings it about.
    let expected = [200, 303, 304, 400, 403, 404, 405, 409, 410, 422, 429, 503];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}

/// Fails unless an answer's `Cache-Control` and `Vary` say this.
#[track_caller]
fn check_kept(reply: &Reply, path: &str, directives: &str) {
    assert_eq!(reply.header("Cache-Control"), Some(directives), "{path}");
    let vary = reply.header("Vary").unwrap_or_default();
    let varies = vary.split(", ").any(|name| name == "Cookie");
    assert!(varies || directives.starts_with("public, max-age"), "{path}: {vary}");
}

#[test]
fn s32_pages_of_members_kept_by_their_browser_alone() {
    let site = Site::start(&[]);
    let (mut ada, post, _) = ada_with_posts(&site);
    let mut ben = site.member("ben");
    let get = |path: &str, person: &Person| site.get(path, &cookies(person));
    for path in
        ["/", "/public", "/@ada", "/@ben", "/bookmarks", "/search?q=tea", "/tag/tea", post.as_str()]
    {
        let reply = get(path, &ada);
        assert_eq!(reply.status, 200, "{path}");
        // A page of a list is kept, but asked for again; see statement 31 for what goes with it.
        check_kept(&reply, path, "private, no-cache");
    }
    for path in OWN_PAGES.into_iter().filter(|path| path.starts_with("/settings")) {
        check_kept(&get(path, &ada), path, "private, no-store");
        check_kept(&site.get(path, ""), path, "private, no-store");
    }
    let form = ada.get("/").form("/post");
    let refused = site.post(&ada, "/post", &form.filled(&[("token", "x")]));
    // Kept by her own browser, so that what was typed is there when she comes back to it.
    check_kept(&refused, "/post", "private, no-cache");
    assert_eq!(refused.header("ETag"), None);
    check_shared(&site, [&mut ada, &mut ben], &post);
}

/// What stands on a page of somebody's and on no other's: the name in the links to one's own pages, and
/// the tokens of the forms.
fn marks_of(person: &mut Person, path: &str) -> Vec<String> {
    let page = person.get(path);
    let tokens = page.forms().into_iter().filter_map(|form| form.value("token").map(str::to_owned));
    let mut marks: Vec<_> = tokens.filter(|token| !token.is_empty()).collect();
    marks.push(format!("<a href=\"/@{}\"", person.name));
    marks
}

/// A cache that obeys the rules, between the site and two members and two strangers.
fn check_shared(site: &Site, [ada, ben]: [&mut Person; 2], post: &str) {
    let mut cache = SharedCache::default();
    let style = site.get("/public", "").body;
    let style = style.split('"').find(|text| text.starts_with("/s/style-")).unwrap().to_owned();
    let paths = ["/", "/public", "/@cleo", "/settings/profile", "/login", post, style.as_str()];
    for path in paths {
        let marks = [marks_of(ada, path), marks_of(ben, path)];
        for _ in 0..2 {
            for (n, cookie) in
                [cookies(ada), cookies(ben), String::new(), String::new()].iter().enumerate()
            {
                let reply = cache.get(site, path, cookie);
                let text = reply.head + &reply.body;
                for (owner, marks) in marks.iter().enumerate().filter(|(owner, _)| *owner != n) {
                    let told = marks.iter().find(|mark| text.contains(mark.as_str()));
                    assert_eq!(told, None, "{path}: what is {owner}'s went to {n}");
                }
            }
        }
    }
    // It did keep what it may: the style sheet without asking again, a stranger's page after asking.
    assert!(cache.unasked >= 7, "{cache:?}");
    assert!(cache.confirmed >= 3, "{cache:?}");
}

/// An error's answer: fails unless it says its number and nothing about the machine or others.
#[track_caller]
fn check_error(site: &Site, reply: &Reply, what: &str, numbers: &mut BTreeSet<String>) {
    assert!(reply.status >= 400, "{what}: {}", reply.head);
    let number = ["Request ", "Anfrage "].into_iter().find_map(|word| {
        let (_, after) = reply.body.rsplit_once(word)?;
        after.get(..8).filter(|id| id.bytes().all(|b| b.is_ascii_hexdigit())).map(str::to_owned)
    });
    let number = number.unwrap_or_else(|| panic!("{what}: no number\n{}", reply.body));
    assert!(numbers.insert(number), "{what}: a number twice");
    let data = site.cluster.data().display().to_string();
    for secret in [
        data.as_str(),
        "/tmp",
        "/home",
        ".rs:",
        "src/",
        "panick",
        "backtrace",
        "jsonl",
        "127.0.0.1",
        "quentin",
        "Wanted",
        "seven lamps",
        "Os {",
        "Error(",
    ] {
        assert!(!reply.body.contains(secret), "{what}: {secret}: {}", reply.body);
    }
}

#[test]
fn s33_errors_tell_their_number_and_nothing_else() {
    let site = Site::start(&["--rate-limits=on"]);
    let (mut ada, _, deleted) = ada_with_posts(&site);
    let mut quentin = site.member("quentin");
    assert_eq!(quentin.post("Wanted: a ladder").status, 303);
    let mut numbers = BTreeSet::new();
    let mut check = |reply: &Reply, what: &str| check_error(&site, reply, what, &mut numbers);
    for (_, request) in refused(&site.address.to_string()) {
        check(&site.ask(&request), &request.chars().take(60).collect::<String>());
    }
    for lines in [String::new(), cookies(&ada), "Accept-Language: de\r\n".to_owned()] {
        for path in [
            "/Wanted",
            "/%2e%2e/src/main.rs",
            "/logout",
            "/public?before=Wanted",
            "/@nobody",
            "/@ada/99",
        ] {
            check(&site.get(path, &lines), path);
        }
        check(&site.get(&deleted, &lines), &deleted);
    }
    let form = ada.get("/").form("/post");
    for (status, filled) in [(403, ("token", "x")), (400, ("key", "%"))] {
        let body = encode(&form.filled(&[filled, ("text", "Tea")])).replace("key=%25", "key=%");
        let reply = site.send(&ada, "/post", &body);
        assert_eq!(reply.status, status);
        check(&reply, "a form");
    }
    // What was typed wrong is told at its field, and needs no number.
    let empty = site.post(&ada, "/post", &form.filled(&[("text", "")]));
    assert_eq!(empty.status, 422);
    assert!(!empty.body.contains("Request "), "{}", empty.body);
    check_etags(&site, &mut ada);
    site.cluster.kill(1, Signal::KILL);
    eventually("nobody is asked any more", Duration::from_secs(10), || {
        (site.get("/public", "").status == 503).then_some(())
    });
    for path in ["/", "/public", "/settings/profile"] {
        check(&site.get(path, &cookies(&ada)), path);
    }
    let reply = site.post(&ada, "/post", &form.filled(&[("text", "Tea")]));
    assert_eq!(reply.status, 503);
    check(&reply, "a form that nobody takes");
}

/// An ETag is a hash of the page as the browser sees it, which tells of no secret that is not on the page:
/// strangers with other cookies have the same, and a page that has not changed keeps its own.
fn check_etags(site: &Site, ada: &mut Person) {
    let etag = |lines: &str| {
        let reply = site.get("/@ada", lines);
        reply.header("ETag").unwrap_or_else(|| panic!("{lines}: {}", reply.head)).to_owned()
    };
    let stranger = etag("");
    assert_eq!(stranger, etag("Cookie: p=AAAAAAAAAAAAAAAAAAAAAA\r\n"));
    assert_eq!(stranger, etag("Cookie: lang=en; other=1\r\nUser-Agent: x\r\n"));
    // What was written meanwhile is in no cookie of hers yet.
    ada.get("/@ada");
    let own = cookies(ada);
    assert_eq!(etag(&own), etag(&own));
    // A member's holds the tokens of its forms, so another's is another; nobody else is given it.
    assert_ne!(etag(&own), stranger);
}
