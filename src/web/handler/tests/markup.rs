//! What must hold of every page's markup: elements closed, one heading, ids unique and referred to,
//! labels for fields, no styles or scripts of its own, and every link leads to a route.

use std::collections::BTreeSet;

use super::fake::{Browser, machines, posts, site, text, unescape};
use super::fitting::fitting;
use crate::action::{Action, Problem};
use crate::clock::Wall;
use crate::id::PostId;
use crate::web::form::decode_path;
use crate::web::handler::Site;
use crate::web::request::Method;
use crate::web::response::{Content, Response};
use crate::web::route::Route;
use crate::wire::request::MachineState::{self, Behind, Down, InStep};
use crate::wire::request::{Field, FieldProblem, Kept, Outcome, PostPage, Refusal};

use super::fake::{Fake, cluster};

/// Elements that are never closed.
const VOID: [&str; 4] = ["meta", "link", "input", "br"];

/// Pages of somebody who is signed in.
const MEMBERS: [(&str, &str); 34] = [
    ("home", "/"),
    ("everyone", "/public"),
    ("profile-own", "/@ada"),
    ("profile", "/@ben"),
    ("thread", "/@ada/901"),
    ("delete", "/@ada/901/delete"),
    ("edit", "/@ada/901/edit"),
    ("history", "/@ada/901/history"),
    ("bookmarks", "/bookmarks"),
    ("followers", "/@ada/followers"),
    ("following", "/@ada/following"),
    ("mentions", "/mentions"),
    ("tag", "/tag/gr%C3%B6sse"),
    ("search", "/search"),
    ("search-found", "/search?q=seed+swap"),
    ("search-too-long", "/search?q=1+2+3+4+5+6+7+8+9+10+11"),
    ("settings-profile", "/settings/profile?saved=1"),
    ("settings-password", "/settings/password"),
    ("settings-devices", "/settings/devices"),
    ("settings-people", "/settings/people"),
    ("settings-invitations", "/settings/invitations"),
    ("settings-keys", "/settings/keys"),
    ("settings-data", "/settings/data"),
    ("settings-language", "/settings/language?saved=1"),
    ("settings-leave", "/settings/leave"),
    ("report", "/@ben/899/report"),
    ("mod", "/mod"),
    ("mod-joining", "/mod/joining"),
    ("mod-members", "/mod/members?named=a"),
    ("mod-log", "/mod/log"),
    ("mod-settings", "/mod/settings"),
    ("mod-act", "/mod/act?deed=suspend&username=ben"),
    ("machines", "/status"),
    ("not-found", "/nothing"),
];

/// Pages of somebody who is not.
const STRANGERS: [(&str, &str); 7] = [
    ("landing", "/"),
    ("join", "/join"),
    ("login", "/login?next=/@ben"),
    ("everyone-stranger", "/public"),
    ("thread-stranger", "/@ada/901"),
    ("machines-stranger", "/status"),
    ("language-stranger", "/settings/language"),
];

/// A page of each kind, in each state that has markup of its own.
pub(super) fn every_page() -> Vec<(&'static str, Response)> {
    let site = site();
    let mut all = Vec::new();
    all.extend(MEMBERS.map(|(name, address)| (name, Browser::ada(&site).get(address))));
    all.extend(STRANGERS.map(|(name, address)| (name, Browser::stranger(&site).get(address))));
    all.push((
        "home-posted",
        home(&|page| PostPage {
            just_posted: Some(Kept { post: PostId::from_raw(900), on: 3, of: 3 }),
            ..page
        }),
    ));
    all.push((
        "home-empty",
        home(&|_| PostPage {
            posts: Vec::new(),
            older: None,
            suggestions: super::fake::people(),
            just_posted: None,
        }),
    ));
    all.extend(failures());
    let states: [(_, &'static [MachineState]); 5] = [
        ("machines-down", &[InStep, InStep, Down]),
        ("machines-one", &[InStep]),
        ("machines-two", &[InStep, Behind]),
        ("machines-five", &[InStep, InStep, Behind, Down, InStep]),
        ("machines-lost", &[InStep, Down, Down]),
    ];
    all.extend(states.map(|(name, states)| {
        let site = super::fake::site().answering(move |_| Ok(Outcome::Status(machines(states))));
        *site.ask.cluster.lock() = cluster(states);
        (name, Browser::ada(&site).get("/status"))
    }));
    let stale = super::fake::site();
    stale.ask.cluster.lock().stale_since = Some(Wall(1_700_000_000_000 - 29_469_000));
    all.push(("home-stale", Browser::ada(&stale).get("/")));
    all
}

fn home(change: &'static (dyn Fn(PostPage) -> PostPage + Sync)) -> Response {
    let site = site().answering(move |action| {
        Ok(match action {
            Action::Home(_) => Outcome::Posts(change(posts())),
            other => fitting(other),
        })
    });
    Browser::ada(&site).get("/")
}

/// Pages that come back.
fn failures() -> Vec<(&'static str, Response)> {
    let text =
        [("text", "The seed swap moves to Saturday, 10:00, in the old chapel. Bring labels!")];
    let refusing = |refusal| site().refusing(refusal);
    let at = |field, problem| FieldProblem { field, problem };
    let suggestion = Some(super::fake::name("rose_bay"));
    let problems = vec![
        at(Field::Username, Problem::BadChar { found: '.', suggestion }),
        at(Field::Password, Problem::Common),
    ];
    let join = [("username", "Rose.Bay"), ("display_name", "Rose Bay"), ("password", "password1")];
    let long = vec![at(Field::Text, Problem::TooLong { over: 23 })];
    let lost = refusing(Refusal::NoMajority { reachable: 1, members: 3, needed: 2 });
    *lost.ask.cluster.lock() =
        cluster(&[MachineState::InStep, MachineState::Down, MachineState::Down]);
    let stranger = |site: &Site<Fake>| Browser::stranger(site).submit("/join", "/join", &join);
    let member = |site: &Site<Fake>, page, action, typed: &[_]| {
        Browser::ada(site).submit(page, action, typed)
    };
    let unknown = refusing(Refusal::Unknown);
    let over = refusing(Refusal::SignedOut);
    let page = Browser::ada(&over).get("/");
    *over.ask.knows_session.lock() = false;
    vec![
        ("join-error", stranger(&refusing(Refusal::Invalid { problems }))),
        ("no-majority", member(&lost, "/", "/post", &text)),
        ("unknown", member(&unknown, "/", "/post", &text)),
        (
            "too-long",
            member(&refusing(Refusal::Invalid { problems: long }), "/@ben/899", "/post", &text),
        ),
        ("button-unknown", member(&unknown, "/@ben", "/@ben/follow", &[])),
        ("signed-out", Browser::ada(&over).resubmit(&page, "/post", &text)),
    ]
}

#[test]
fn markup_of_every_page_is_sound() {
    for (name, response) in every_page() {
        assert_eq!(response.content, Content::Html, "{name}");
        check(name, &text(&response));
    }
}

fn check(name: &str, html: &str) {
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}");
    let mut open = Vec::new();
    let mut ids = BTreeSet::new();
    let mut referred = Vec::new();
    let mut headings = 0;
    for tag in html.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("{name}: <{tag}"));
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}: </{closed}>");
            continue;
        }
        let element = tag.split([' ', '/']).next().unwrap();
        if !VOID.contains(&element) && !tag.ends_with('/') && !tag.starts_with('!') {
            open.push(element);
        }
        headings += usize::from(element == "h1");
        for (attribute, value) in attributes(tag) {
            assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: {tag}");
            match attribute {
                "id" => assert!(ids.insert(value.clone()), "{name}: id {value} stands twice"),
                "for" | "form" | "aria-labelledby" | "aria-describedby" => {
                    referred.extend(value.split(' ').map(str::to_owned));
                }
                "href" => check_link(name, &value),
                "action" => check_action(name, tag, &value),
                "formaction" => check_action(name, "method=\"post\"", &value),
                _ => {}
            }
        }
        // The script is one file of ours, and the page does not wait for it.
        let is_ours = tag.starts_with("script src=\"/s/script-") && tag.ends_with("\" defer");
        assert!(element != "script" || is_ours, "{name}: {tag}");
        assert!(element != "style", "{name}");
    }
    assert!(open.is_empty(), "{name}: not closed: {open:?}");
    assert_eq!(headings, 1, "{name}");
    for id in referred {
        assert!(ids.contains(&id), "{name}: nothing has the id {id}");
    }
    for landmark in ["<header", "<main id=\"main\"", "<nav", "href=\"#main\""] {
        assert!(html.contains(landmark), "{name}: {landmark}");
    }
    assert!(html.len() < 64 * 1024, "{name}: {} bytes", html.len());
}

/// Names and values of a tag's attributes.
fn attributes(tag: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let (value, next) = after.split_once('"').unwrap();
        found.push((before.rsplit(' ').next().unwrap(), unescape(value)));
        rest = next;
    }
    found
}

/// A link leads to a page, to a place on this one, or elsewhere if a post says so.
fn check_link(name: &str, href: &str) {
    if href.starts_with("https://") || href.starts_with('#') {
        return;
    }
    let path = href.split(['?', '#']).next().unwrap();
    let route = decode_path(path).and_then(|path| Route::parse(&path));
    let route = route.unwrap_or_else(|| panic!("{name}: {href} leads nowhere"));
    assert!(route.allows(Method::Get), "{name}: {href} is no page");
    assert_eq!(route.to_string(), path, "{name}: {href} is not the canonical address");
}

fn check_action(name: &str, tag: &str, action: &str) {
    let route = Route::parse(action).unwrap_or_else(|| panic!("{name}: {action} is nowhere"));
    let method = if tag.contains("method=\"post\"") { Method::Post } else { Method::Get };
    assert!(route.allows(method), "{name}: {action} takes no such forms");
}

/// Writes every page where `TERN_PAGES_DIR` says, to be looked at; without it there is nothing to do.
#[test]
fn pages_written_out_on_request() {
    let Some(dir) = std::env::var_os("TERN_PAGES_DIR").map(std::path::PathBuf::from) else {
        return;
    };
    let style = "style.css";
    std::fs::write(dir.join(style), crate::web::page::frame::STYLE).unwrap();
    for (name, response) in every_page() {
        let html = text(&response);
        let start = html.find("/s/style-").unwrap();
        let hashed = html[start..].split('"').next().unwrap();
        std::fs::write(dir.join(format!("{name}.html")), html.replace(hashed, style)).unwrap();
    }
}

#[test]
fn r0042_no_reader_is_told_a_time_of_another_zone() {
    for (name, response) in every_page() {
        let html = text(&response);
        // In full it stands in a title, and the script tells it in the reader's own time.
        assert!(!html.contains("UTC</time>"), "{name}: {html}");
        for time in html.split("<time ").skip(1) {
            let tag = time.split('>').next().unwrap();
            assert!(tag.contains(" title=\""), "{name}: {tag}");
        }
    }
}
