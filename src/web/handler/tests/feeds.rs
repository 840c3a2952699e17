//! Feeds, read by an XML parser: RFC 4287 as far as it binds a feed like ours.

use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::fake::{ACCEPT_LANGUAGE, Browser, Fake, posts, site, site_at, text};
use super::fitting::fitting;
use crate::action::Action;
use crate::id::PostId;
use crate::web::handler::Site;
use crate::web::response::{Cache, Content};
use crate::wire::request::{Outcome, PostPage, Refusal};

const ATOM: &str = "http://www.w3.org/2005/Atom";
const FEEDS: [&str; 3] = ["/public.atom", "/@ada.atom", "/tag/seeds.atom"];

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Node<'a, 'a> {
    let mut found = node.children().filter(|child| child.has_tag_name((ATOM, name)));
    let one = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(found.next().is_none(), "more than one {name}");
    one
}

fn words<'a>(node: Node<'a, 'a>, name: &str) -> &'a str {
    child(node, name).text().unwrap_or_default()
}

fn link<'a>(node: Node<'a, 'a>, rel: &str) -> &'a str {
    let is_it = |child: &Node<'_, '_>| {
        child.has_tag_name((ATOM, "link")) && child.attribute("rel") == Some(rel)
    };
    let found: Vec<_> = node.children().filter(is_it).collect();
    assert_eq!(found.len(), 1, "links that are {rel}");
    found[0].attribute("href").unwrap()
}

/// What RFC 4287 asks of every feed, sections 4.1.1 and 4.1.2, and the entries' texts.
fn check(xml: &str, origin: &str, address: &str) -> Vec<String> {
    let document = Document::parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let feed = document.root_element();
    assert!(feed.has_tag_name((ATOM, "feed")));
    assert_eq!(words(feed, "id"), format!("{origin}{address}"));
    assert_eq!(link(feed, "self"), format!("{origin}{address}"));
    assert!(link(feed, "alternate").starts_with(origin));
    assert!(!words(feed, "title").is_empty());
    let is_time = |time: &str| time.len() == 20 && time.ends_with('Z') && time.contains('T');
    assert!(is_time(words(feed, "updated")), "{xml}");
    let mut ids = Vec::new();
    let mut texts = Vec::new();
    for entry in feed.children().filter(|child| child.has_tag_name((ATOM, "entry"))) {
        child(entry, "title");
        assert!(is_time(words(entry, "updated")) && is_time(words(entry, "published")));
        assert!(words(entry, "updated") <= words(feed, "updated"));
        assert_eq!(words(entry, "id"), link(entry, "alternate"));
        assert!(words(entry, "id").starts_with(&format!("{origin}/@")));
        let author = child(entry, "author");
        assert!(words(author, "uri").starts_with(&format!("{origin}/@")));
        child(author, "name");
        let content = child(entry, "content");
        assert_eq!(content.attribute("type"), Some("xhtml"));
        let inside: Vec<_> = content.children().filter(Node::is_element).collect();
        assert_eq!(inside.len(), 1);
        assert!(inside[0].has_tag_name(("http://www.w3.org/1999/xhtml", "div")));
        let allowed = ["div", "p", "a", "br"];
        for node in content.descendants().filter(Node::is_element).skip(1) {
            assert!(allowed.contains(&node.tag_name().name()), "{xml}");
            let href = node.attribute("href").unwrap_or("https://");
            assert!(href.starts_with("http://") || href.starts_with("https://"), "{href}");
        }
        let line = |node: Node<'_, '_>| match node.is_text() {
            true => node.text().unwrap_or_default().to_owned(),
            false if node.has_tag_name(("http://www.w3.org/1999/xhtml", "br")) => "\n".to_owned(),
            false => String::new(),
        };
        ids.push(words(entry, "id").to_owned());
        texts.push(content.descendants().map(line).collect());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), texts.len(), "ids are unique");
    texts
}

#[test]
fn feeds_are_sound_and_asked_for_as_a_stranger() {
    let site = site_at("https://tern.example");
    for address in FEEDS {
        // Whoever's browser it is: a feed is a stranger's.
        let page = Browser::ada(&site).get(address);
        assert_eq!((page.status, page.content, page.cache), (200, Content::Atom, Cache::Public));
        assert!(page.cookies.is_empty());
        let texts = check(&text(&page), "https://tern.example", address);
        assert_eq!(texts.len(), 5);
        assert_eq!(
            texts[4],
            "Frost tonight, says the sky. Cover your lemons.\nSee https://example.org/frost?x=1&y=2"
        );
        let (_, asked) = site.ask.asked.lock().last().cloned().unwrap();
        assert!(asked.session.is_none(), "{address}");
    }
}

#[test]
fn feed_holds_whole_addresses() {
    let xml = text(&Browser::stranger(&site()).get("/@ada.atom"));
    for words in [
        "<id>http://127.0.0.1:8080/@ada/900</id>",
        "<title>The seed swap is on Saturday at ten, in the old chapel. Bri…</title>",
        "<a href=\"http://127.0.0.1:8080/tag/seeds\">#seeds</a>",
        "<a href=\"https://example.org/frost?x=1&#38;y=2\" rel=\"nofollow noopener ugc\">",
        "<title>@ada · Fen Lane</title>",
        "<published>2023-11-14T22:09:20Z</published>\n<updated>2023-11-14T22:09:20Z</updated>",
        // Edited two minutes ago, which is the last that happened.
        "<published>2023-11-14T22:08:20Z</published>\n<updated>2023-11-14T22:11:20Z</updated>",
        "type=\"text/html\" href=\"http://127.0.0.1:8080/@ada\"/>\n<updated>2023-11-14T22:11:20Z</updated>",
    ] {
        assert!(xml.contains(words), "{words} is not in {xml}");
    }
}

#[test]
fn feed_is_in_no_language() {
    let site = site();
    let english = Browser::stranger(&site).get("/@ada.atom");
    ACCEPT_LANGUAGE.set(Some("de"));
    let german = Browser::stranger(&site).get("/@ada.atom");
    ACCEPT_LANGUAGE.set(None);
    assert_eq!(text(&english), text(&german));
    assert!(english.languages.is_empty() && german.languages.is_empty());
}

#[test]
fn feed_without_posts_is_sound_too() {
    let none = || PostPage { posts: Vec::new(), older: None, ..posts() };
    let site = site().answering(move |action| {
        Ok(match fitting(action) {
            Outcome::Posts(_) => Outcome::Posts(none()),
            Outcome::Profile(mut profile) => {
                profile.page = none();
                Outcome::Profile(profile)
            }
            other => other,
        })
    });
    for address in FEEDS {
        let xml = text(&Browser::stranger(&site).get(address));
        assert!(check(&xml, "http://127.0.0.1:8080", address).is_empty());
    }
}

#[test]
fn feed_of_nobody_or_of_who_shows_strangers_nothing() {
    for (refusal, status) in [(Refusal::NotFound, 404), (Refusal::Gone, 410)] {
        let site = site().answering(move |_| Ok(Outcome::Refused(refusal.clone())));
        assert_eq!(Browser::stranger(&site).get("/@ada.atom").status, status);
    }
    // What a backend keeps from strangers it keeps from feeds, whoever asks.
    let site = site().answering(|action| match action {
        Action::Profile(_) => Ok(Outcome::Refused(Refusal::SignedOut)),
        other => Ok(fitting(other)),
    });
    // A reader has nobody who could sign in.
    assert_eq!(Browser::ada(&site).get("/@ada.atom").status, 404);
}

fn saying(text: String) -> Site<Fake> {
    site().answering(move |action| {
        Ok(match fitting(action) {
            Outcome::Posts(mut page) => {
                for (post, id) in page.posts.iter_mut().zip(1..) {
                    post.text.clone_from(&text);
                    post.author.display_name.clone_from(&text);
                    post.id = PostId::from_raw(id);
                }
                Outcome::Posts(page)
            }
            other => other,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn feed_of_any_text_is_sound(said in "[<>\"'&=/a-z \\]\n@#.:{}%\u{0}-\u{ff}\u{2028}\u{202e}\u{fffe}\u{ffff}]{1,60}") {
        let xml = text(&Browser::stranger(&saying(said.clone())).get("/public.atom"));
        let texts = check(&xml, "http://127.0.0.1:8080", "/public.atom");
        // White space at the ends is XML's to give and take.
        let kept = |text: &str| text.split_whitespace().collect::<String>();
        let sound = |c: char| if c < ' ' && !c.is_whitespace() || c >= '\u{fffe}' { '\u{fffd}' } else { c };
        let expected: String = said.chars().map(sound).collect();
        prop_assert_eq!(kept(&texts[0]), kept(&expected.replace(['\u{b}', '\u{c}'], "\u{fffd}")));
    }
}
