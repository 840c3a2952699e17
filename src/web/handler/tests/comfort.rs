//! What a visit costs, what is kept and what the script finds; and what a member takes along.

use super::fake::{Browser, NOW, location, post, posts, site, text};
use super::fitting::fitting;
use super::markup::every_page;
use crate::action::{Action, ExportFrom};
use crate::clock::{Mono, Wall};
use crate::id::PostId;
use crate::limits::{EXPORT_POSTS, POST_CHARS_MAX, POSTS_PAGE};
use crate::user::entry::{Audience, PostRef};
use crate::web::origin::Origin;
use crate::web::page::frame::SCRIPT;
use crate::web::request::Method;
use crate::web::response::{Asked, Cache, Content, Response};
use crate::wire::request::{ExportPage, ExportPost, Outcome, PostPage};

/// Bytes that a browser gets of an answer's body.
pub(super) fn sent(response: Response) -> usize {
    let asked =
        Asked { method: Method::Get, if_none_match: None, accept_encoding: Some("gzip, br") };
    response.encode(asked, &Origin::parse("http://a", true).unwrap()).body.len()
}

/// What people might write, word by word: what neighbours tell each other, and how something works.
///
/// It stands in a file of its own, so that what a page costs changes with the page alone. 15,000
/// characters of it, gzipped by themselves, take 6.6 KB.
fn prose() -> Vec<char> {
    include_str!("prose.txt").lines().collect::<Vec<_>>().join(" ").chars().collect()
}

/// Characters of a long post: three sentences.
pub(super) const LONG_CHARS: usize = 300;

/// Posts of so many characters of real prose.
pub(super) fn long_posts(chars: usize) -> PostPage {
    let prose = prose();
    let author = |n: u64| (format!("member_{}", n * 7919 % 97), format!("Member No. {}", n * 31));
    let long = prose.chunks_exact(chars).zip(0..).take(POSTS_PAGE).map(|(says, n)| {
        let (username, shown) = author(n);
        post(
            9_000_000_000_000_000 + n * 7_777_777,
            &username,
            &shown,
            n * 11,
            &String::from_iter(says),
        )
    });
    PostPage { posts: long.collect(), older: Some(PostId::from_raw(1)), ..posts() }
}

/// The files that a page names, and what each is.
fn files_of(html: &str, browser: &mut Browser<'_>) -> (Vec<Response>, Vec<Content>) {
    let names = html.split("\"/s/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let files: Vec<_> = names.map(|file| browser.get(&format!("/s/{file}"))).collect();
    let contents = files.iter().map(|file| file.content).collect();
    (files, contents)
}

#[test]
fn visit_stays_within_its_budget() {
    let site = site().answering(|action| match action {
        Action::Home(_) => Ok(Outcome::Posts(long_posts(LONG_CHARS))),
        Action::Everyone(_) => Ok(Outcome::Posts(long_posts(POST_CHARS_MAX))),
        other => Ok(fitting(other)),
    });
    let mut ada = Browser::ada(&site);
    // Whoever comes for the first time is a stranger: page, style sheet and mark.
    let (files, contents) = files_of(&text(&Browser::stranger(&site).get("/public")), &mut ada);
    assert_eq!(contents, [Content::Css, Content::Svg]);
    assert_eq!(files.len(), 2);
    let page = ada.get("/");
    let html = text(&page);
    assert_eq!(html.matches("<article").count(), POSTS_PAGE);
    let (files, contents) = files_of(&html, &mut ada);
    assert_eq!(contents, [Content::Css, Content::Script, Content::Svg]);
    // The next page takes one request: nothing of these is asked for again.
    assert!(files.iter().all(|file| file.cache == Cache::Forever));
    let page = sent(page);
    let files: Vec<_> = files.into_iter().map(sent).collect();
    assert!(page <= 10 * 1024, "the page takes {page} bytes");
    assert!(files[0] <= 5 * 1024, "the style sheet takes {} bytes", files[0]);
    assert!(files[1] <= 3 * 1024, "the script takes {} bytes", files[1]);
    let all = page + files.iter().sum::<usize>();
    assert!(all <= 15 * 1024, "the first visit takes {all} bytes");
    // 30 posts as long as they may be, which nobody writes in a row: the text alone takes 6.5 KB.
    let longest = ada.get("/public");
    assert_eq!(text(&longest).matches("<article").count(), POSTS_PAGE);
    let longest = sent(longest);
    assert!(longest <= 10 * 1024, "30 posts of {POST_CHARS_MAX} characters take {longest} bytes");
    for (name, response) in every_page() {
        let bytes = sent(response);
        assert!(bytes <= 10 * 1024, "{name} takes {bytes} bytes");
    }
    println!("page {page}, longest {longest}, style sheet, script, mark {files:?}, all {all}");
}

#[test]
fn pages_kept_by_kind() {
    let site = site();
    let (mut ada, mut stranger) = (Browser::ada(&site), Browser::stranger(&site));
    // The first time it is remembered what was shown; that page nobody keeps.
    assert_eq!(ada.get("/").cache, Cache::NoStore);
    for address in ["/", "/public", "/@ada", "/@ben/899", "/@ada/followers", "/status"] {
        assert_eq!(ada.get(address).cache, Cache::Private, "{address}");
        assert_eq!(stranger.get(address).cache, Cache::Public, "{address}");
    }
    for address in ["profile", "password", "devices", "keys", "data", "leave", "data/tern.json"] {
        assert_eq!(ada.get(&format!("/settings/{address}")).cache, Cache::NoStore, "{address}");
    }
    for address in ["/join", "/login", "/nothing"] {
        assert_eq!(stranger.get(address).cache, Cache::NoStore, "{address}");
    }
}

#[test]
fn text_given_back_survives_leaving_the_page() {
    let site = site().refusing(crate::wire::request::Refusal::Unknown);
    let response = Browser::ada(&site).submit("/", "/post", &[("text", "typed")]);
    assert_eq!((response.status, response.cache), (503, Cache::Private));
    // A password must not.
    let left = Browser::ada(&site).submit("/settings/leave", "/settings/leave", &[]);
    assert_eq!((left.status, left.cache), (503, Cache::NoStore));
}

#[test]
fn tokens_are_masked_on_every_page() {
    for (name, response) in every_page() {
        let html = text(&response);
        for token in html.split("name=\"token\" value=\"").skip(1) {
            let token = token.split('"').next().unwrap();
            assert_eq!(token.len(), 43, "{name}: {token}");
        }
    }
}

#[test]
fn script_finds_what_it_looks_for() {
    let site = site();
    let (mut ada, mut stranger) = (Browser::ada(&site), Browser::stranger(&site));
    for address in ["/", "/public"] {
        let html = text(&ada.get(address));
        let line = format!(
            "<p id=\"new\" aria-live=\"polite\"><a class=\"btn q\" href=\"{address}\"></a>"
        );
        assert!(html.contains(&line), "{html}");
        assert!(html.contains("<textarea id=\"c\""));
        assert!(html.contains("id=\"ch\" data-max=\"500\">up to 500 characters<"));
        assert!(!text(&ada.get(&format!("{address}?before=7"))).contains("id=\"new\""));
    }
    assert!(text(&stranger.get("/login")).contains("data-hide=\"Hide password\">Show password<"));
    let shown = text(&stranger.get("/login?show=1"));
    assert!(shown.contains("data-hide=\"Show password\">Hide password<"));
    for word in ["keys", "max", "hide"] {
        assert!(SCRIPT.contains(&format!("dataset.{word}")), "{word}");
    }
    for selector in [".by time", "time.full", ".feed .post", "#new a", "#ch", "#c"] {
        assert!(SCRIPT.contains(&format!("\"{selector}\"")), "{selector}");
    }
}

#[test]
fn keys_turned_off_and_on_for_one_device() {
    let site = site();
    let mut ada = Browser::ada(&site);
    assert!(text(&ada.get("/")).contains(" data-keys=\"1\""));
    let response = ada.submit("/settings/keys", "/settings/keys", &[]);
    assert_eq!(location(&response), "/settings/keys?saved=1");
    assert_eq!(ada.cookies.get("k").map(String::as_str), Some("0"));
    assert!(!text(&ada.get("/")).contains("data-keys"));
    assert!(text(&ada.get("/settings/keys")).contains("These keys are off on this device."));
    let response = ada.submit("/settings/keys", "/settings/keys", &[]);
    assert_eq!(response.status, 303);
    assert_eq!(ada.cookies.get("k"), None);
    assert!(text(&ada.get("/")).contains(" data-keys=\"1\""));
    // Nothing of it is any backend's business.
    assert!(site.ask.asked.lock().iter().all(|(_, request)| !request.action.is_write()));
}

#[test]
fn keys_switch_from_elsewhere_or_without_token_refused() {
    let site = site();
    let mut ada = Browser::ada(&site);
    assert_eq!(ada.post("/settings/keys", &[("keys", "0")]).status, 403);
    let page = ada.get("/settings/keys");
    ada.fetch_site = Some("cross-site");
    assert_eq!(ada.resubmit(&page, "/settings/keys", &[]).status, 403);
    assert_eq!(ada.cookies.get("k"), None);
    let mut stranger = Browser::stranger(&site);
    assert_eq!(stranger.post("/settings/keys", &[("keys", "0")]).status, 403);
    assert!(!text(&stranger.get("/settings/keys")).contains("action=\"/settings/keys\""));
}

/// All parts of a download, as the gate puts them together.
fn download(browser: &mut Browser<'_>, address: &str) -> (String, usize) {
    let (mut whole, mut next) = (String::new(), Some(address.to_owned()));
    let mut parts = 0;
    while let Some(address) = next {
        let part = browser.get(&address);
        assert_eq!((part.status, part.cache), (200, Cache::NoStore), "{address}");
        assert!(part.download.is_some());
        whole.push_str(&text(&part));
        next = part.next.map(|next| next.as_str().to_owned());
        parts += 1;
    }
    (whole, parts)
}

#[test]
fn data_taken_along_for_programs() {
    let site = site();
    let (whole, parts) = download(&mut Browser::ada(&site), "/settings/data/tern.json");
    assert_eq!(parts, 6);
    let data: serde_json::Value = serde_json::from_str(&whole).unwrap();
    let ms = 1_582_246_865_000_u64;
    let id = |n: u64| ((ms + n * 60_000) << 16).to_string();
    let expected = serde_json::json!({
        "tern_export": 1,
        "community": "Fen Lane",
        "exported_at": "2023-11-14T22:13:20.000Z",
        "profile": {
            "username": "ada",
            "display_name": "Ada Lind",
            "bio": "Seeds, mostly.",
            "joined_at": "2020-02-21T01:01:05.000Z",
            "members_only": true,
            "posts_for": "followers",
            "pinned": id(0),
        },
        "follows": ["ben", "mina"],
        "mutes": ["gus"],
        "blocks": [],
        "votes": [{"user": "ben", "id": "5", "choices": [0, 2]}],
        "muted_threads": [{"user": "ben", "id": "6"}, {"user": "ben", "id": "7"}],
        "posts": [
            {"id": id(0), "at": "2020-02-21T01:01:05.000Z", "text": "Tea at \"four\"?\nBring cups <3"},
            {
                "id": id(1),
                "at": "2020-02-21T01:02:05.000Z",
                "text": "@ben gladly!",
                "reply_to": {"user": "ben", "id": "899"},
            },
            {
                "id": id(2),
                "at": "2020-02-21T01:03:05.000Z",
                "edited_at": "2020-02-21T01:09:25.000Z",
                "text": "See https://example.org/?a=1&b=2",
                "note": "Frost",
                "poll": {"options": ["\"Tea\"", "Cake <3"], "until": "2020-02-21T01:16:05.000Z", "many": true},
                "earlier": [{"at": "2020-02-21T01:01:05.000Z", "text": "Se"}],
            },
        ],
        "likes": [{"user": "ben", "id": "1"}, {"user": "ben", "id": "2"}],
        "reposts": [],
        "bookmarks": [{"user": "ben", "id": "3", "at": "2020-02-21T01:01:05.000Z"}],
    });
    assert_eq!(data, expected);
}

/// Three links elsewhere, and nobody could take anything along for the rest of the day.
#[test]
fn r0182_link_elsewhere_uses_no_download_up() {
    let site = site();
    let mut ada = Browser::ada(&site);
    for address in ["/settings/data/tern.json", "/settings/data/posts.html"] {
        for fetch_site in ["cross-site", "same-site"] {
            ada.fetch_site = Some(fetch_site);
            assert_eq!(location(&ada.get(address)), "/settings/data", "{fetch_site}");
        }
        assert!(site.ask.asked.lock().is_empty(), "{address}");
    }
    for fetch_site in [Some("same-origin"), Some("none"), None] {
        ada.fetch_site = fetch_site;
        assert!(ada.get("/settings/data/tern.json").download.is_some(), "{fetch_site:?}");
    }
}

/// A program that asks first how long a file is used up one of three a day.
#[test]
fn r0221_asking_for_the_head_of_a_download_uses_none_up() {
    let site = site();
    let mut ada = Browser::ada(&site);
    for address in ["/settings/data/tern.json", "/settings/data/posts.html"] {
        let head = ada.send(Method::Head, address, Vec::new());
        assert!(head.status == 200 && head.download.is_some() && head.next.is_some(), "{address}");
    }
    let counted = Action::Export(ExportFrom::default());
    assert!(!site.asked().contains(&counted));
}

#[test]
fn data_taken_along_without_posts_is_whole() {
    let site = site().answering(|action| match (action, fitting(action)) {
        (Action::Export(from), Outcome::Export(part)) => {
            let next = from.list.next().map(|list| ExportFrom { list, after: None });
            let none = ExportPage { profile: part.profile, next, ..ExportPage::default() };
            Ok(Outcome::Export(none))
        }
        (_, other) => Ok(other),
    });
    let mut ada = Browser::ada(&site);
    let (whole, _) = download(&mut ada, "/settings/data/tern.json");
    let data: serde_json::Value = serde_json::from_str(&whole).unwrap();
    for list in ["posts", "likes", "reposts", "bookmarks"] {
        assert_eq!(data[list], serde_json::json!([]), "{list}");
    }
    let (page, _) = download(&mut ada, "/settings/data/posts.html");
    assert!(page.ends_with("</body>\n</html>\n"), "{page}");
}

#[test]
fn data_taken_along_for_people() {
    let site = site();
    let (page, parts) = download(&mut Browser::ada(&site), "/settings/data/posts.html");
    assert_eq!(parts, 2);
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</body>\n</html>\n"), "{page}");
    assert_eq!((page.matches("<article>").count(), page.matches("</article>").count()), (3, 3));
    assert!(page.contains("21 February 2020, 01:02 UTC</time> · to @ben</small>"), "{page}");
    assert!(page.contains("Tea at &#34;four&#34;?\nBring cups &#60;3</p>"), "{page}");
    assert!(page.contains("<a href=\"https://example.org/?a=1&#38;b=2\""), "{page}");
    assert!(page.contains("<p dir=\"auto\"><b>Frost</b></p>"), "{page}");
    assert!(page.contains("<p dir=\"auto\">• Cake &#60;3</p>"), "{page}");
    // It leans on nothing of this site: no file, no page.
    assert!(!page.contains("href=\"/") && !page.contains("src="), "{page}");
}

#[test]
fn data_of_a_hundred_thousand_posts_comes_in_small_parts() {
    const POSTS: u64 = 100_000;
    let site = site().answering(|action| {
        let Action::Export(asked) = action else { return Ok(fitting(action)) };
        let first = asked.after.as_ref().map_or(1, |after| after.id.get() + 1);
        let count = u64::try_from(EXPORT_POSTS).unwrap().min(POSTS + 1 - first);
        let says = |id| ExportPost {
            id: PostId::from_raw(id),
            at: NOW,
            edited_at: None,
            audience: Audience::Everyone,
            text: "😀\"".repeat(POST_CHARS_MAX / 2),
            note: None,
            reply_to: None,
            earlier: Vec::new(),
            pictures: Vec::new(),
            sensitive: false,
            poll: None,
        };
        let posts: Vec<_> = (first..first + count).map(says).collect();
        let last = posts.last().map(|post| post.id).filter(|last| last.get() < POSTS);
        let after = last.map(|id| PostRef { user: "ada".parse().unwrap(), id });
        let next = after.map(|after| ExportFrom { after: Some(after), ..asked.clone() });
        let Outcome::Export(fit) = fitting(&Action::Export(asked.clone())) else { unreachable!() };
        let profile = fit.profile.filter(|_| asked.after.is_none());
        Ok(Outcome::Export(ExportPage { profile, posts, next, ..ExportPage::default() }))
    });
    let mut ada = Browser::ada(&site);
    let mut next = Some("/settings/data/tern.json".to_owned());
    let (mut longest, mut posts) = (0, 0);
    while let Some(address) = next {
        let part = ada.get(&address);
        longest = longest.max(part.body.len());
        posts += text(&part).matches("\"text\":").count();
        next = part.next.map(|next| next.as_str().to_owned());
        site.ask.asked.lock().clear();
    }
    assert_eq!(posts, 100_000);
    assert!(longest < 1024 * 1024, "{longest}");
}

/// Only the first part of a download is counted: the address of another is good within one, for whom it was
/// made, and for a while.
#[test]
fn r0056_part_of_a_download_comes_to_whoever_began_one_alone() {
    let site = site();
    let mut ada = Browser::ada(&site);
    for part in ["list=posts&of=ada&after=0", "list=likes", "list=bookmarks&of=ben&after=1"] {
        let address = format!("/settings/data/tern.json?{part}");
        assert_eq!(ada.get(&address).status, 400, "{part}");
        assert_eq!(
            ada.get(&format!("{address}&until=99999999999999&code=x")).status,
            400,
            "{part}"
        );
    }
    assert!(site.ask.asked.lock().is_empty(), "nothing was asked for");
    let first = ada.get("/settings/data/tern.json");
    let next = first.next.unwrap().as_str().to_owned();
    assert_eq!(ada.get(&next).status, 200);
    for other in [
        next.replace("list=posts", "list=likes"),
        next.replace("tern.json", "posts.html"),
        next.replace("until=1", "until=2"),
        next.replace("after=", "after=9"),
    ] {
        assert_ne!(other, next);
        assert_eq!(ada.get(&other).status, 400, "{other}");
    }
    site.clock.set(Mono(0), Wall(NOW.0 + 10 * 60 * 1000));
    assert_eq!(ada.get(&next).status, 200);
    site.clock.set(Mono(0), Wall(NOW.0 + 10 * 60 * 1000 + 1));
    assert_eq!(ada.get(&next).status, 400, "too old");
}

#[test]
fn data_for_members_alone() {
    let site = site();
    let mut stranger = Browser::stranger(&site);
    for address in ["/settings/data", "/settings/data/tern.json", "/settings/data/posts.html"] {
        assert_eq!(location(&stranger.get(address)), format!("/login?next={address}"));
    }
    let mut ada = Browser::ada(&site);
    for odd in ["after=x", "after=1", "of=ben", "of=ben&after=x", "list=all", "list="] {
        assert_eq!(ada.get(&format!("/settings/data/tern.json?{odd}")).status, 400, "{odd}");
    }
    assert!(
        text(&ada.get("/settings/data")).contains("5 posts, your profile and whom you follow.")
    );
}
