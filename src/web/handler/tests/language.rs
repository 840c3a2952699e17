//! The language of pages: what a browser asks for, what was chosen on the device, and that a page is
//! in one language throughout.

use super::fake::{ACCEPT_LANGUAGE, Browser, hidden_fields, location, site, site_at, text};
use super::markup::every_page;
use crate::web::ask::AskError;
use crate::web::handler::Site;
use crate::web::handler::tests::fake::Fake;
use crate::web::request::Method;
use crate::web::response::{Cache, Content, Response};
use crate::web::words::Lang;
use crate::web::words::tests::{english_alone, split};

const PAGE: &str = "/settings/language";

#[track_caller]
fn check(response: &Response, lang: Lang, words: &str) {
    let html = text(response);
    assert!(html.contains(&format!("<html lang=\"{}\">", lang.tag())), "{html}");
    assert_eq!(response.languages, [lang], "{html}");
    assert!(html.contains(words), "{words:?} is not in {html}");
}

fn choose(browser: &mut Browser<'_>, lang: &str) -> Response {
    browser.submit(PAGE, PAGE, &[("lang", lang)])
}

#[test]
fn page_in_language_that_the_browser_asks_for() {
    let site = site();
    check(&Browser::ada(&site).get("/"), Lang::En, "What’s happening?");
    ACCEPT_LANGUAGE.set(Some("de-AT,de;q=0.9,en;q=0.5"));
    check(&Browser::ada(&site).get("/"), Lang::De, "Was gibt’s Neues?");
    check(&Browser::stranger(&site).get("/"), Lang::De, "Das Schwarze Brett von ");
    ACCEPT_LANGUAGE.set(Some("nl"));
    check(&Browser::stranger(&site).get("/"), Lang::En, "The notice board of ");
}

#[test]
fn script_says_it_in_the_language_of_its_page() {
    let site = site();
    for (asked, words) in [("en", "new post|"), ("de", "neuer Beitrag|")] {
        ACCEPT_LANGUAGE.set(Some(asked));
        let mut ada = Browser::ada(&site);
        let page = text(&ada.get("/public"));
        let (_, named) = page.split_once("<script src=\"").unwrap();
        let file = ada.get(named.split('"').next().unwrap());
        assert!(text(&file).contains(words) && file.cache == Cache::Forever, "{asked}");
        // The name that another version gave it.
        let other = ada.get("/s/script-0123456789ab.js");
        assert!(text(&other).contains(words) && other.cache == Cache::Public, "{asked}");
    }
    ACCEPT_LANGUAGE.set(None);
}

#[test]
fn language_chosen_on_a_device_wins() {
    for mut browser in [Browser::ada(&site()), Browser::stranger(&site())] {
        let chosen = choose(&mut browser, "de");
        assert_eq!(location(&chosen), "/settings/language?saved=1");
        assert!(chosen.languages.is_empty());
        check(&browser.get("/settings/language?saved=1"), Lang::De, "Gespeichert.");
        check(&browser.get("/public"), Lang::De, "Alle");
        ACCEPT_LANGUAGE.set(Some("de"));
        assert_eq!(choose(&mut browser, "en").status, 303);
        check(&browser.get("/public"), Lang::En, "Everyone");
        // Chosen no longer: what the browser asks for counts again.
        assert_eq!(choose(&mut browser, "").status, 303);
        assert!(!browser.cookies.contains_key("lang"));
        check(&browser.get("/public"), Lang::De, "Alle");
        ACCEPT_LANGUAGE.set(None);
    }
}

#[test]
fn language_chosen_is_marked() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let current = |page: &Response| {
        let html = text(page);
        let button = html.split("<button ").skip(1).find(|it| it.contains("aria-current")).unwrap();
        button.split(['>', '<']).nth(1).unwrap().to_owned()
    };
    assert_eq!(current(&ada.get(PAGE)), "As my browser asks");
    choose(&mut ada, "de");
    assert_eq!(current(&ada.get(PAGE)), "Deutsch");
}

#[test]
fn language_asks_no_backend_to_be_kept() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = ada.get(PAGE);
    site.answer(|_| Err(AskError::Unreachable { asked: false }));
    let chosen = ada.resubmit(&page, PAGE, &[("lang", "de")]);
    assert_eq!(location(&chosen), "/settings/language?saved=1");
    check(&ada.get("/"), Lang::De, "Nicht erreichbar");
}

#[test]
fn language_not_believed_changes_nothing() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = ada.get(PAGE);
    let refused = |browser: &mut Browser<'_>, typed: &[(&str, &str)], status| {
        let response = browser.resubmit(&page, PAGE, typed);
        assert_eq!(response.status, status, "{typed:?}");
        assert!(text(&response).contains("Nothing was changed."), "{}", text(&response));
        assert!(!browser.cookies.contains_key("lang"), "{typed:?}");
    };
    for bad in ["fr", "DE", "de ", "de;x", "\r\nSet-Cookie: a=b", "*"] {
        refused(&mut ada, &[("lang", bad)], 400);
    }
    refused(&mut ada, &[], 400);
    refused(&mut ada, &[("lang", "de"), ("token", "x")], 403);
    let of_another = &hidden_fields(&Browser::ada(&site).get(PAGE), PAGE)[1].1;
    refused(&mut ada, &[("lang", "de"), ("token", of_another)], 403);
    ada.fetch_site = Some("cross-site");
    refused(&mut ada, &[("lang", "de")], 403);
}

#[test]
fn language_cookie_by_origin() {
    let site = site_at("https://tern.example");
    let mut stranger = Browser::stranger(&site);
    stranger.cookies.insert("__Host-lang".to_owned(), "de".to_owned());
    check(&stranger.get("/public"), Lang::De, "Alle");
}

#[test]
fn answers_that_are_no_pages_are_in_no_language() {
    let site = site();
    for address in ["/robots.txt", "/healthz", "/readyz"] {
        let response = Browser::stranger(&site).get(address);
        assert!(response.languages.is_empty(), "{address}");
    }
}

#[test]
fn error_pages_in_german() {
    ACCEPT_LANGUAGE.set(Some("de"));
    let site = site();
    let mut ada = Browser::ada(&site);
    check(&ada.get("/nothing"), Lang::De, "Unter dieser Adresse ist nichts.");
    check(&ada.get("/post"), Lang::De, "Keine Seite");
    check(&ada.get("/?%"), Lang::De, "Nicht verstanden");
    let title = "<title>Fehler: Nicht gefunden · Fen Lane</title>";
    check(&ada.get("/nothing"), Lang::De, title);
    let request = |site: &Site<Fake>| {
        let mut ada = Browser::ada(site);
        ada.send(Method::Post, "/public", Vec::new())
    };
    check(&request(&site), Lang::De, "Es wurde nichts geändert.");
    let lost = site.answering(|_| Err(AskError::Unreachable { asked: false }));
    check(&Browser::ada(&lost).get("/"), Lang::De, "Nichts ist verloren.");
    check(&Browser::ada(&lost).get("/status"), Lang::De, "Nicht zu sagen");
}

/// What of a page a person reads or hears, without what members wrote.
fn read_aloud(html: &str) -> String {
    let mut heard = String::new();
    let mut is_written = Vec::new();
    for part in html.split('<').skip(1) {
        let (tag, words) = part.split_once('>').unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            if is_written.last() == Some(&closed) {
                is_written.pop();
            }
        } else if !is_written.is_empty() || is_of_members(tag) {
            let name = tag.split(' ').next().unwrap();
            if !matches!(name, "input" | "br" | "meta" | "link") && !tag.ends_with('/') {
                is_written.push(name);
            }
        }
        for attribute in ["aria-label", "title", "placeholder"] {
            let mark = format!(" {attribute}=\"");
            if let Some((_, rest)) = tag.split_once(&mark) {
                heard.push_str(rest.split('"').next().unwrap());
                heard.push('\n');
            }
        }
        if is_written.is_empty() {
            heard.push_str(words);
            heard.push(' ');
        }
    }
    heard
}

/// Whether an element holds what members wrote, or words of another language.
fn is_of_members(tag: &str) -> bool {
    let is_heading = tag.starts_with("h1");
    let is_other = tag.contains(" lang=\"") && !tag.starts_with("html");
    (tag.contains("dir=\"auto\"") && !is_heading) || tag.starts_with("bdi") || is_other
}

#[test]
fn pages_in_german_hold_no_english() {
    let english = english_alone();
    for word in
        ["the", "your", "you", "posts", "nothing", "saved", "follow", "machines", "settings"]
    {
        assert!(english.contains(word), "{word}");
    }
    ACCEPT_LANGUAGE.set(Some("de"));
    let pages = every_page();
    assert!(pages.len() > 30);
    let mut offenders = Vec::new();
    for (name, page) in pages {
        assert_eq!((page.content, page.languages), (Content::Html, Lang::De.alone()), "{name}");
        let words = split(&read_aloud(&text(&page)));
        assert!(words.len() > 20, "{name}: {words:?}");
        let left = words.into_iter().filter(|word| english.contains(word));
        offenders.extend(left.map(|word| format!("{name}: {word}")));
    }
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

#[test]
fn english_is_found_where_it_stands() {
    let heard = read_aloud(
        "<html lang=\"de\"><p title=\"a b\">this<bdi>that</bdi>is<p dir=\"auto\">x</p>it</p>",
    );
    assert_eq!(heard.split_whitespace().collect::<Vec<_>>(), ["a", "b", "this", "is", "it"]);
}
