//! Whatever people write, it stays text: in posts, names, bios, in fields that come back, in what a
//! machine is called.

use proptest::prelude::*;

use super::fake::{Browser, Fake, person, site, text, unescape};
use super::fitting::fitting;
use super::naughty::{self, Skeleton};
use crate::action::Action;
use crate::web::form::encode_query;
use crate::web::handler::Site;
use crate::web::response::Response;
use crate::wire::request::{
    Ancestor, Hindered, NewsRow, Outcome, PersonRow, PostView, ProfilePage, Refusal,
};

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

#[track_caller]
fn skeleton(response: &Response) -> Skeleton {
    Skeleton::of(&text(response))
}

const PAGES: [&str; 36] = [
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
    "/mod/act?deed=suspend&username=ben",
    "/status",
    "/settings/leave",
    "/@ada/901?posted=901",
    "/tag/gr%C3%B6sse",
    "/settings/password",
    "/settings/data",
    "/settings/language",
    "/settings/data/posts.html",
    "/public.atom",
    "/@ada.atom",
    "/tag/seeds.atom",
];

/// Every page has the same tags whatever the texts on it say.
fn check_pages<'a>(naughty: impl IntoIterator<Item = &'a str>) {
    let plain = saying("x");
    let expected = PAGES.map(|address| skeleton(&Browser::ada(&plain).get(address)));
    for naughty in naughty {
        let spoilt = saying(naughty);
        for (address, expected) in PAGES.iter().zip(&expected) {
            let page = Browser::ada(&spoilt).get(address);
            assert_eq!(page.status, 200, "{address}: {naughty:?}");
            let found = skeleton(&page);
            // A bio line or an agent that is empty has no element.
            if !naughty.trim().is_empty() {
                assert_eq!(found, *expected, "{address}: {naughty:?}");
            }
        }
    }
}

/// A form: who fills it in, where it stands, where it goes, and what one types.
type Typed = (bool, &'static str, &'static str, &'static [&'static str]);

/// Every form with a text in it.
const FORMS: [Typed; 11] = [
    (true, "/", "/post", &["text", "note"]),
    (true, "/@ben/899", "/post", &["text", "note"]),
    (true, "/@ada/901/edit", "/@ada/901/edit", &["text", "note"]),
    (true, "/settings/profile", "/settings/profile", &["display_name", "bio"]),
    (true, "/settings/leave", "/settings/leave", &["username"]),
    (true, "/@ben/899/report", "/@ben/899/report", &["reason"]),
    (true, "/mod/act?deed=suspend&username=ben", "/mod/act", &["reason"]),
    (true, "/mod/settings", "/mod/settings", &["words"]),
    (false, "/join", "/join", &["username", "display_name", "code"]),
    (false, "/login", "/login", &["username"]),
    (false, "/first?link=AAECAwQFBgcICQoLDA0ODw", "/first", &["username", "display_name"]),
];

/// A refused form comes back with the same tags, and with what was typed.
fn check_form<'a>(form: &Typed, naughty: impl IntoIterator<Item = &'a str>) {
    let (is_member, address, action, fields) = *form;
    let site = site().refusing(Refusal::Conflict);
    *site.ask.is_keeper.lock() = true;
    let mut browser = if is_member { Browser::ada(&site) } else { Browser::stranger(&site) };
    let page = browser.get(address);
    let mut send = |value: &str| {
        let typed = fields.iter().map(|name| (*name, value));
        let typed: Vec<_> = typed.chain([("signup", "open"), ("hours", "")]).collect();
        browser.resubmit(&page, action, &typed)
    };
    let expected = skeleton(&send("x"));
    for naughty in naughty {
        let response = send(naughty);
        assert_eq!(skeleton(&response), expected, "{action}: {naughty:?}");
        let shown = unescape(&text(&response)).matches(naughty).count();
        assert!(shown >= fields.len(), "{action}: {naughty:?} came back {shown} times");
    }
}

#[test]
fn s28_naughty_strings_stay_text_on_every_page() {
    check_pages(naughty::all().iter().map(String::as_str));
}

#[test]
fn s28_naughty_strings_stay_text_in_forms_that_come_back() {
    let naughty = naughty::all();
    for form in &FORMS {
        check_form(form, naughty.iter().map(String::as_str));
    }
}

#[test]
fn s28_naughty_searches_stay_text() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let mut search = |typed: &str| {
        let page = ada.get(&format!("/search?q={}", encode_query(typed)));
        let mut found = skeleton(&page);
        // What was found is marked.
        found.tags.retain(|tag| tag != "mark" && tag != "/mark");
        (page.status, found, text(&page))
    };
    let (found, none, too_many) =
        (search("zzz"), search("\u{1}"), search("1 2 3 4 5 6 7 8 9 10 11"));
    for naughty in naughty::all() {
        let (status, skeleton, html) = search(&naughty);
        let expected = [&found, &none, &too_many].map(|it| (it.0, &it.1));
        assert!(expected.contains(&(status, &skeleton)), "{naughty:?}: {status} {skeleton:?}");
        assert!(unescape(&html).contains(&naughty), "{naughty:?}");
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
        check_pages([naughty.as_str()]);
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
    let site = site();
    let mut ada = Browser::ada(&site);
    for naughty in naughty::all() {
        ada.submit("/", "/post", &[("text", &naughty)]);
        let Some(Action::Post(post)) = site.last_asked() else { panic!("no post asked for") };
        assert_eq!(post.text, naughty);
    }
}
