//! Whatever people write, it stays text: in posts, names, bios, in fields that come back, in what a
//! machine is called.

use proptest::prelude::*;

use super::fake::{Browser, Fake, person, site, text, unescape};
use super::fitting::fitting;
use crate::action::Action;
use crate::web::handler::Site;
use crate::web::response::Response;
use crate::wire::request::{
    Ancestor, Hindered, NewsRow, Outcome, PersonRow, PostView, ProfilePage, Refusal,
};

const NAUGHTY: [&str; 24] = [
    "<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!--",
    "]]><svg onload=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' autofocus onfocus='alert(1)",
    "`onclick=alert(1)`",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "http://a\"onmouseover=alert(1)",
    "http://bank@evil.example/",
    "https://example.org/?a=\"><script>",
    "&lt;script&gt;",
    "&#60;b&#62;",
    "&amp;amp;",
    "{{ 7 * 7 }}{% raw %}",
    "\u{202e}txt.exe",
    "\u{0}\u{8}\u{1b}[31m",
    "%3Cscript%3E",
    "\r\nSet-Cookie: s=1",
    "👩‍👩‍👧‍👦 é ß İ \u{fffd} \u{feff}",
];

/// A backend whose every text is `naughty`.
fn saying(naughty: &str) -> Site<Fake> {
    let naughty = naughty.to_owned();
    let site = site();
    site.ask.cluster.lock().answered_by.clone_from(&naughty);
    site.ask.cluster.lock().stale_since = Some(crate::clock::Wall(0));
    site.answering(move |action| Ok(spoil(fitting(action), &naughty)))
}

fn spoil_post(post: &mut PostView, naughty: &str) {
    naughty.clone_into(&mut post.text);
    naughty.clone_into(&mut post.author.display_name);
    post.note = post.note.is_some().then(|| naughty.to_owned());
    let likers = post.liked_by.iter_mut().flat_map(|by| &mut by.people);
    for person in likers.chain(&mut post.reposted_by) {
        naughty.clone_into(&mut person.display_name);
    }
}

fn spoil_profile(profile: &mut ProfilePage, naughty: &str) {
    profile.person = person(profile.person.username.as_str(), naughty);
    naughty.clone_into(&mut profile.bio);
    profile.page.posts.iter_mut().for_each(|post| spoil_post(post, naughty));
}

/// What keepers see, and one's own list of people kept apart.
fn spoil_kept(outcome: &mut Outcome, naughty: &str) {
    match outcome {
        Outcome::KeptApart(list) => {
            for row in &mut list.people {
                naughty.clone_into(&mut row.person.display_name);
            }
        }
        Outcome::Reports(page) => {
            for it in &mut page.posts {
                it.post.iter_mut().for_each(|post| spoil_post(post, naughty));
                it.reports.iter_mut().for_each(|report| naughty.clone_into(&mut report.reason));
            }
        }
        Outcome::Members(page) => {
            for row in &mut page.members {
                naughty.clone_into(&mut row.person.display_name);
                if let Some(Hindered::Suspended { reason, .. } | Hindered::Refused { reason }) =
                    &mut row.hindered
                {
                    naughty.clone_into(reason);
                }
            }
        }
        Outcome::KeepersLog(page) => {
            let acts = page.acts.iter_mut().filter(|act| !act.reason.is_empty());
            acts.for_each(|act| naughty.clone_into(&mut act.reason));
        }
        Outcome::House(house) => naughty.clone_into(&mut house.words),
        _ => {}
    }
}

fn spoil(outcome: Outcome, naughty: &str) -> Outcome {
    let spoil_post = |post: &mut PostView| spoil_post(post, naughty);
    let spoil_row = |row: &mut PersonRow| {
        naughty.clone_into(&mut row.person.display_name);
        naughty.clone_into(&mut row.bio_line);
    };
    let mut outcome = outcome;
    match &mut outcome {
        Outcome::Posts(page) => page.posts.iter_mut().for_each(spoil_post),
        Outcome::Profile(profile) => spoil_profile(profile, naughty),
        Outcome::Thread(thread) => {
            spoil_post(&mut thread.post);
            thread.replies.iter_mut().for_each(|reply| spoil_post(&mut reply.post));
            for ancestor in &mut thread.ancestors {
                if let Ancestor::Post(post) = ancestor {
                    spoil_post(post);
                }
            }
        }
        Outcome::History(history) => {
            spoil_post(&mut history.post);
            for text in &mut history.texts {
                naughty.clone_into(&mut text.text);
                text.note = text.note.is_some().then(|| naughty.to_owned());
            }
        }
        Outcome::People(people) => {
            people.people.iter_mut().for_each(spoil_row);
            naughty.clone_into(&mut people.of.display_name);
        }
        Outcome::News(news) => {
            for row in &mut news.news {
                match row {
                    NewsRow::Named(post) => spoil_post(post),
                    NewsRow::Followed { person: who, .. } => {
                        *who = person(who.username.as_str(), naughty);
                    }
                }
            }
        }
        Outcome::Found(found) => {
            found.people.iter_mut().for_each(spoil_row);
            found.posts.iter_mut().for_each(spoil_post);
        }
        Outcome::Export(part) => {
            if let Some(profile) = &mut part.profile {
                naughty.clone_into(&mut profile.display_name);
                naughty.clone_into(&mut profile.bio);
            }
            part.posts.iter_mut().for_each(|post| naughty.clone_into(&mut post.text));
        }
        Outcome::Sessions(rows) => {
            for row in rows {
                naughty.clone_into(&mut row.device);
                naughty.clone_into(&mut row.address);
                naughty.clone_into(&mut row.id);
            }
        }
        Outcome::Status(status) => {
            for machine in &mut status.machines {
                naughty.clone_into(&mut machine.name);
                machine.version = Some(naughty.to_owned());
            }
        }
        Outcome::Welcome(welcome) => {
            naughty.clone_into(&mut welcome.words);
            welcome.posts.iter_mut().flat_map(|page| &mut page.posts).for_each(spoil_post);
        }
        other => spoil_kept(other, naughty),
    }
    outcome
}

/// The skeleton of a page: its tags with the values of their attributes left out.
fn skeleton(response: &Response) -> Vec<String> {
    let html = text(response);
    let mut tags = Vec::new();
    let mut rest = html.as_str();
    while let Some((_, after)) = rest.split_once('<') {
        let mut tag = String::new();
        let mut is_quoted = false;
        let mut end = after.len();
        for (at, c) in after.char_indices() {
            match c {
                '"' => is_quoted = !is_quoted,
                '>' if !is_quoted => {
                    end = at;
                    break;
                }
                c if !is_quoted => tag.push(c),
                _ => {}
            }
        }
        // Links in texts come and go with the text.
        if !tag.starts_with("a href=") && tag != "/a" {
            tags.push(tag);
        }
        rest = after.get(end..).unwrap_or_default();
    }
    tags
}

const PAGES: [&str; 26] = [
    "/",
    "/public",
    "/@ada",
    "/@ben",
    "/@ada/901",
    "/@ada/901/delete",
    "/@ada/901/edit",
    "/@ada/901/history",
    "/bookmarks",
    "/@ada/followers",
    "/@ada/following",
    "/mentions",
    "/tag/seeds",
    "/search?q=zzz",
    "/settings/profile",
    "/settings/devices",
    "/settings/people",
    "/settings/invitations",
    "/@ben/899/report",
    "/mod",
    "/mod/joining",
    "/mod/members",
    "/mod/log",
    "/mod/settings",
    "/status",
    "/settings/leave",
];

/// Every page has the same tags whatever the texts on it say.
fn check_pages(naughty: &str) {
    let (plain, spoilt) = (saying("x"), saying(naughty));
    for address in PAGES {
        let expected = skeleton(&Browser::ada(&plain).get(address));
        let page = Browser::ada(&spoilt).get(address);
        assert_eq!(page.status, 200, "{address}: {naughty:?}");
        let found = skeleton(&page);
        // A bio line or an agent that is empty has no element.
        if !naughty.trim().is_empty() {
            assert_eq!(found, expected, "{address}: {naughty:?}");
        }
    }
}

/// A refused form comes back with the same tags, and with what was typed.
fn check_forms(naughty: &str) {
    let forms: [(&str, &str, &[&str]); 5] = [
        ("/", "/post", &["text", "note"]),
        ("/@ada/901/edit", "/@ada/901/edit", &["text", "note"]),
        ("/settings/profile", "/settings/profile", &["display_name", "bio"]),
        ("/settings/leave", "/settings/leave", &["username"]),
        ("/@ben", "/@ben/follow", &["next"]),
    ];
    let site = site().refusing(Refusal::Conflict);
    for (page, action, fields) in forms {
        let send = |value: &str| {
            let typed: Vec<_> = fields.iter().map(|name| (*name, value)).collect();
            Browser::ada(&site).submit(page, action, &typed)
        };
        let response = send(naughty);
        if action != "/@ben/follow" {
            assert_eq!(skeleton(&response), skeleton(&send("x")), "{action}: {naughty:?}");
            assert!(unescape(&text(&response)).contains(naughty), "{action}: {naughty:?}");
        }
    }
    for address in ["/join", "/login"] {
        let send = |value: &str| {
            let typed = [("username", value), ("display_name", value), ("password", value)];
            Browser::stranger(&site).submit(address, address, &typed)
        };
        assert_eq!(send(naughty).status, 409, "{address}");
        assert!(unescape(&text(&send(naughty))).contains(naughty), "{address}: {naughty:?}");
    }
}

#[test]
fn s28_naughty_strings_stay_text_on_every_page() {
    for naughty in NAUGHTY {
        check_pages(naughty);
    }
}

#[test]
fn s28_naughty_strings_stay_text_in_forms_that_come_back() {
    for naughty in NAUGHTY {
        check_forms(naughty);
    }
}

#[test]
fn community_name_stays_text() {
    let origin = crate::web::origin::Origin::parse("http://127.0.0.1:1", false).unwrap();
    let clock = crate::clock::Clock::manual(crate::clock::Mono(0), super::fake::NOW);
    let fake = site().ask;
    let site = Site::new(fake, "<b>\"Fen\"</b>".to_owned(), [7; 32], origin, clock);
    for address in ["/", "/join", "/nothing"] {
        let html = text(&Browser::stranger(&site).get(address));
        assert!(!html.contains("<b>\"Fen"), "{address}");
    }
}

#[test]
fn s29_links_in_posts_lead_where_they_say() {
    let site = saying("see https://example.org/?a=1&b=2 and javascript:alert(1)");
    let html = text(&Browser::ada(&site).get("/public"));
    let link = "<a href=\"https://example.org/?a=1&#38;b=2\" rel=\"nofollow noopener ugc\">";
    assert!(html.contains(link), "{html}");
    assert!(!html.contains("href=\"javascript"));
    let mention = site_saying_hello();
    let html = text(&Browser::ada(&mention).get("/public"));
    assert!(
        html.contains("<a href=\"/@ben\">@Ben</a>") && !html.contains("href=\"/@nobody\""),
        "{html}"
    );
}

fn site_saying_hello() -> Site<Fake> {
    saying("hello @Ben and @nobody")
}

#[test]
fn s30_text_between_paragraph_tags_is_exact() {
    let site = saying("two  spaces\n\nand lines");
    let html = text(&Browser::ada(&site).get("/public"));
    assert!(html.contains("<p class=\"txt\" dir=\"auto\">two  spaces\n\nand lines</p>"), "{html}");
    let site = saying("a @ben b");
    let html = text(&Browser::ada(&site).get("/public"));
    assert!(html.contains(">a <a href=\"/@ben\">@ben</a> b</p>"), "{html}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn s28_any_text_stays_text(naughty in "[<>\"'&=/a-z {}%\u{0}-\u{ff}\u{2028}\u{202e}]{1,60}") {
        check_pages(&naughty);
    }

    #[test]
    fn any_request_is_answered(path in "/[@a-z0-9/%.?=&]{0,40}", body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let site = site();
        let mut ada = Browser::ada(&site);
        prop_assert!(ada.get(&path).status < 500);
        prop_assert!(ada.send(crate::web::request::Method::Post, "/post", body).status < 500);
    }
}

#[test]
fn action_asked_holds_the_text_as_typed() {
    for naughty in NAUGHTY {
        let site = site();
        Browser::ada(&site).submit("/", "/post", &[("text", naughty)]);
        let Some(Action::Post(post)) = site.last_asked() else { panic!("no post asked for") };
        assert_eq!(post.text, naughty);
    }
}
