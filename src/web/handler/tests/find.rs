//! Mentions, tags, the search, and the line where one left off.

use super::fake::{Browser, Fake, found, location, news, post, posts, site, text};
use super::fitting::fitting;
use crate::action::Action;
use crate::id::PostId;
use crate::web::handler::Site;
use crate::web::request::Method;
use crate::web::response::Cache;
use crate::wire::request::{FoundPage, NewsPage, Outcome, PostPage, Refusal};

/// A backend whose home page holds these posts: number and author.
fn home_of(held: &'static [(u64, &'static str)], older: Option<u64>) -> Site<Fake> {
    let site = site();
    show_home(&site, held, older);
    site
}

fn show_home(site: &Site<Fake>, held: &'static [(u64, &'static str)], older: Option<u64>) {
    site.answer(move |action| match action {
        Action::Home(_) => {
            let view = |&(id, author): &(u64, &str)| post(id, author, author, 1, "hello");
            let posts = held.iter().map(view).collect();
            Ok(Outcome::Posts(PostPage {
                posts,
                older: older.map(PostId::from_raw),
                ..posts_none()
            }))
        }
        other => Ok(fitting(other)),
    });
}

fn posts_none() -> PostPage {
    PostPage { posts: Vec::new(), ..posts() }
}

/// The numbers of the posts on a page, and 0 for the line.
fn order(html: &str) -> Vec<u64> {
    let mut found = Vec::new();
    for item in html.split("<li").skip(1) {
        if item.starts_with(" class=\"here\"") {
            found.push(0);
        } else if let Some((_, after)) = item.split_once(" id=\"p") {
            found.push(after.split('"').next().unwrap().parse().unwrap());
        }
    }
    found
}

#[test]
fn home_line_stands_where_one_left_off_until_others_post() {
    let site = home_of(&[(12, "ben"), (11, "ben")], None);
    let mut ada = Browser::ada(&site);
    let first = ada.get("/");
    assert_eq!((order(&text(&first)), first.cache), (vec![12, 11], Cache::NoStore));
    // Nothing new: no cookie, so the page may be kept, and there is no line above all.
    let again = ada.get("/");
    assert_eq!((order(&text(&again)), again.cache), (vec![12, 11], Cache::Private));

    show_home(&site, &[(14, "ben"), (13, "mina"), (12, "ben")], None);
    let expected = [14, 13, 0, 12];
    assert_eq!(order(&text(&ada.get("/"))), expected);
    assert_eq!(order(&text(&ada.get("/"))), expected, "the line stays after a reload");
    // One's own post moves no line.
    show_home(&site, &[(15, "ada"), (14, "ben"), (13, "mina"), (12, "ben")], None);
    ada.get("/");
    assert_eq!(order(&text(&ada.get("/"))), [15, 14, 13, 0, 12]);
    show_home(&site, &[(16, "mina"), (15, "ada"), (14, "ben"), (13, "mina")], None);
    assert_eq!(order(&text(&ada.get("/"))), [16, 0, 15, 14, 13]);
}

#[test]
fn home_line_found_at_first_visit_after_new_posts() {
    let site = home_of(&[(12, "ben")], None);
    let mut ada = Browser::ada(&site);
    ada.get("/");
    show_home(&site, &[(14, "ben"), (12, "ben")], None);
    let html = text(&ada.get("/"));
    assert_eq!(order(&html), [14, 0, 12]);
    assert!(html.contains("<li class=\"here\">you left off here</li>"));
    // Only new ones: the line is on the older page, wherever the new ones end.
    show_home(&site, &[(30, "ben"), (29, "ben")], Some(29));
    assert_eq!(order(&text(&ada.get("/"))), [30, 29]);
    show_home(&site, &[(28, "ben"), (14, "ben")], None);
    assert_eq!(order(&text(&ada.get("/?before=29"))), [28, 0, 14]);
    show_home(&site, &[(14, "ben"), (12, "ben")], None);
    assert_eq!(order(&text(&ada.get("/?before=15"))), [0, 14, 12], "it begins the page");
    assert_eq!(order(&text(&ada.get("/?before=14"))), [14, 12], "it stood on the page before");
    // Looking at an older page, or at the head alone, is not reading the newest.
    show_home(&site, &[(40, "ben")], None);
    assert!(ada.get("/?before=41").cookies.is_empty());
    assert!(ada.send(Method::Head, "/", Vec::new()).cookies.is_empty());
    assert!(ada.get("/?peek=1").cookies.is_empty());
    assert_eq!(ada.get("/").cookies.len(), 1);
}

#[test]
fn home_line_of_another_person_at_the_same_browser_not_drawn() {
    let site = home_of(&[(12, "ben")], None);
    let mut ada = Browser::ada(&site);
    ada.cookies.insert("h".to_owned(), "ben.5.5".to_owned());
    show_home(&site, &[(12, "ben"), (4, "ben")], None);
    assert_eq!(order(&text(&ada.get("/"))), [12, 4]);
    assert_eq!(ada.cookies["h"], "ada.12.12");
}

#[test]
fn mentions_new_ones_above_the_line_and_counted_in_the_bar() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let bar = "Mentions <b class=\"n\">3<span class=\"vh\"> new</span></b></a>";
    assert!(text(&ada.get("/public")).contains(bar));
    let first = ada.get("/mentions");
    let html = text(&first);
    assert!(html.contains(">Mentions</a>") && !html.contains("class=\"n\""), "{html}");
    assert!(html.contains("/mentions?before=0"));
    // The last of the three is not above where the session began.
    assert_eq!(order(&html), [900, 0, 0]);
    assert!(html.find("new above") < html.find("follows you"), "{html}");
    assert_eq!(ada.cookies["n"], "ada.0.900");
    // Read: the backend is told so, the line stays until there is something newer.
    let again = ada.get("/mentions");
    assert!(again.cookies.is_empty() && text(&again).contains("new above"));
    let (_, asked) = site.ask.asked.lock().last().cloned().unwrap();
    assert_eq!(asked.read_to, Some(PostId::from_raw(900)));
    site.answer(|action| match action {
        Action::News(_) => {
            let mut page = news();
            page.news.insert(
                0,
                crate::wire::request::NewsRow::Named(Box::new(post(901, "ben", "Ben", 1, "@ada"))),
            );
            Ok(Outcome::News(page))
        }
        other => Ok(fitting(other)),
    });
    assert_eq!(order(&text(&ada.get("/mentions"))), [901, 0, 900, 0]);
    assert_eq!(ada.cookies["n"], "ada.900.901");
}

#[test]
fn r0041_who_follows_is_told_by_the_name_that_is_theirs_alone() {
    let html = text(&Browser::ada(&site()).get("/mentions"));
    let named =
        "<bdi>Mina Okafor</bdi></b></a> <span class=\"hd\">@mina</span> <span>follows you</span>";
    assert!(html.contains(named), "{html}");
}

#[test]
fn mentions_of_nobody_and_of_strangers() {
    let site = site().answering(|action| match action {
        Action::News(_) => {
            let read_to = PostId::from_raw(5);
            Ok(Outcome::News(NewsPage { news: Vec::new(), older: None, read_to }))
        }
        other => Ok(fitting(other)),
    });
    let page = Browser::ada(&site).get("/mentions");
    assert!(text(&page).contains("When someone writes @ada, it shows here."));
    assert_eq!((page.status, page.cookies.len(), page.cache), (200, 0, Cache::Private));
    let strangers = super::fake::site().refusing(Refusal::SignedOut);
    strangers.answer(|_| Ok(Outcome::Refused(Refusal::SignedOut)));
    let page = Browser::stranger(&strangers).get("/mentions");
    assert_eq!(location(&page), "/login?next=/mentions");
}

#[test]
fn tag_in_any_spelling_shown_with_its_feed() {
    let site = site();
    let page = Browser::stranger(&site).get("/tag/Gr%C3%B6%C3%9Fe?before=77");
    let html = text(&page);
    assert_eq!((page.status, page.cache), (200, Cache::Public));
    for words in [
        "<title>#grösse · Fen Lane</title>",
        "href=\"/tag/gr%C3%B6sse?before=896\"",
        "<link rel=\"alternate\" type=\"application/atom+xml\" href=\"/tag/gr%C3%B6sse.atom\"",
        "<a href=\"/tag/gr%C3%B6sse.atom\">Atom feed</a>",
    ] {
        assert!(html.contains(words), "{words} is not in {html}");
    }
    let Some(Action::Tagged(asked)) = site.last_asked() else { panic!("no tag asked for") };
    assert_eq!((asked.tag.as_str(), asked.before), ("grösse", Some(PostId::from_raw(77))));
    let none = site.answering(|_| Ok(Outcome::Posts(PostPage { older: None, ..posts_none() })));
    let html = text(&Browser::stranger(&none).get("/tag/x"));
    assert!(html.contains("No post has this tag yet.") && !html.contains("That’s everything."));
}

#[test]
fn search_shows_people_then_posts_with_marks() {
    let site = site();
    let html = text(&Browser::ada(&site).get("/search?q=Seed+lemon"));
    for words in [
        "<form class=\"f\" role=\"search\" action=\"/search\">",
        "type=\"search\" value=\"Seed lemon\"",
        "<h2 id=\"people\">People</h2>",
        "name=\"next\" value=\"/search?q=Seed%20lemon\"",
        "The <mark>seed</mark> swap",
        "Cover your <mark>lemon</mark>s",
        "href=\"/search?q=Seed%20lemon&#38;before=896\">Older posts</a>",
    ] {
        assert!(html.contains(words), "{words} is not in {html}");
    }
    assert!(html.find("<h2 id=\"people\">") < html.find("<h2 id=\"posts\">"));
    let Some(Action::Search(asked)) = site.last_asked() else { panic!("no search asked for") };
    assert_eq!(asked.query, "Seed lemon");
}

#[test]
fn search_for_nothing_shows_recent_tags() {
    let site = site();
    for address in ["/search", "/search?q="] {
        let page = Browser::stranger(&site).get(address);
        let html = text(&page);
        assert_eq!((page.status, page.cache), (200, Cache::Public));
        assert!(html.contains("<a href=\"/tag/gr%C3%B6sse\" dir=\"auto\">#grösse</a>"), "{html}");
        assert!(!html.contains("Nothing found"), "{html}");
    }
}

fn searched(answer: FoundPage, address: &str) -> String {
    let site = site().answering(move |_| Ok(Outcome::Found(answer.clone())));
    text(&Browser::stranger(&site).get(address))
}

#[test]
fn search_says_what_it_did_not_find() {
    let html = searched(FoundPage::default(), "/search?q=%3Cb%3Ezebra");
    assert!(html.contains("Nothing found for <b dir=\"auto\">&#60;b&#62;zebra</b>."), "{html}");
    assert!(html.contains("value=\"&#60;b&#62;zebra\""), "{html}");
    let stopped =
        FoundPage { is_stopped: true, older: Some(PostId::from_raw(77)), ..FoundPage::default() };
    let html = searched(stopped.clone(), "/search?q=zebra");
    assert!(html.contains("Stopped after 1 s; ") && !html.contains("Nothing found"), "{html}");
    assert!(html.contains("before=77\">Search older posts</a>"), "{html}");
    let html = searched(
        FoundPage { people: Vec::new(), older: None, ..found("zebra") },
        "/search?q=zebra&before=99",
    );
    assert!(html.contains("That’s everything."), "{html}");
}

#[test]
fn search_hostile_answered_plainly() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let long = "a".repeat(201);
    for query in [long.as_str(), "1+2+3+4+5+6+7+8+9+10+11"] {
        let page = ada.get(&format!("/search?q={query}"));
        let html = text(&page);
        assert_eq!((page.status, page.cache), (422, Cache::NoStore));
        assert!(html.contains("A search has up to 200 characters and 10 words."), "{html}");
        let typed = query.replace('+', " ");
        assert!(html.contains(&format!("value=\"{typed}\"")), "what was typed stays");
    }
    assert_eq!(ada.get("/search?q=%ff").status, 400);
    assert_eq!(ada.get("/search?q=a&q=b").status, 400);
    assert_eq!(ada.get("/search?q=a&before=x").status, 400);
    let busy = super::fake::site();
    busy.answer(|_| Ok(Outcome::Refused(Refusal::Busy { retry_after_s: 2 })));
    let page = Browser::ada(&busy).get("/search?q=a");
    assert_eq!((page.status, page.retry_after_s), (503, Some(2)));
    assert!(text(&page).contains("Others are searching just now."));
    assert!(text(&page).contains("value=\"a\""));
}
