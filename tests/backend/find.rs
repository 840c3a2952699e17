//! What is found on real machines: mentions, tags, a search, on each of them, after a restart, and
//! after a deletion.

use tern::action::{Action, OnePost, Page, Search, TaggedBy, Whom};
use tern::id::PostId;
use tern::wire::request::{FoundPage, NewsPage, NewsRow, Outcome, Request};

use super::{Backends, eventually, joined, key, post};

fn asking(session: Option<&str>, read_to: Option<PostId>, action: Action) -> Request {
    Request { session: session.map(str::to_owned), read_to, action }
}

fn tagged(all: &Backends, n: usize, word: &str) -> Vec<String> {
    let action = Action::Tagged(TaggedBy { tag: word.parse().unwrap(), before: None });
    match all.ask(n, &asking(None, None, action)).data.outcome {
        Outcome::Posts(page) => page.posts.into_iter().map(|post| post.text).collect(),
        other => panic!("posts were asked for: {other:?}"),
    }
}

fn search(all: &Backends, n: usize, query: &str, before: Option<PostId>) -> FoundPage {
    let action = Action::Search(Search { query: query.to_owned(), before, address: None });
    match all.ask(n, &asking(None, None, action)).data.outcome {
        Outcome::Found(found) => found,
        other => panic!("a search was asked for: {other:?}"),
    }
}

fn texts(found: &FoundPage) -> Vec<&str> {
    found.posts.iter().map(|post| post.text.as_str()).collect()
}

/// What concerns somebody on a machine, and how much of it is new.
fn news(all: &Backends, n: usize, session: &str, read_to: Option<PostId>) -> (NewsPage, u32) {
    let action = Action::News(Page::default());
    let answer = all.ask(n, &asking(Some(session), read_to, action)).data;
    match answer.outcome {
        Outcome::News(page) => (page, answer.viewer.unwrap().news),
        other => panic!("news were asked for: {other:?}"),
    }
}

#[test]
fn found_on_every_machine_after_a_restart_and_no_more_once_deleted() {
    let mut all = Backends::start();
    let ada = joined(&all, 0, "ada", 1);
    let mut ben = joined(&all, 0, "ben", 2);
    let said = ["@ada the #Größe of gulls", "nothing of note", "Café am See #GRÖSSE"];
    let mut numbers = Vec::new();
    for (number, text) in (3..).zip(said) {
        let answer = all.ask(0, &post(&ben, number, text));
        let Outcome::Saved(saved) = answer.data.outcome else { panic!("not saved") };
        numbers.push(saved.post.unwrap());
        ben = answer.session.unwrap();
    }
    let follow = Whom { key: key(9), username: "ada".parse().unwrap() };
    all.ask(0, &asking(Some(&ben), None, Action::Follow(follow)));
    for n in 0..3 {
        eventually(|| (news(&all, n, &ada, None).0.news.len() == 2).then_some(()));
        assert_eq!(tagged(&all, n, "größe"), [said[2], said[0]]);
        assert_eq!(texts(&search(&all, n, "CAFE see", None)), [said[2]]);
        assert_eq!(texts(&search(&all, n, "gull #größe @ada", None)), [said[0]]);
        assert_eq!(texts(&search(&all, n, "@ben note", None)), [said[1]]);
        assert_eq!(search(&all, n, "be", None).people.len(), 1);
        let (page, new) = news(&all, n, &ada, None);
        assert!(
            matches!(&page.news[0], NewsRow::Followed { person, .. } if person.username.as_str() == "ben")
        );
        assert!(matches!(&page.news[1], NewsRow::Named(post) if post.text == said[0]));
        assert_eq!(new, 2, "since the session began");
        assert_eq!(news(&all, n, &ada, Some(page.news[0].place())).1, 0);
        assert_eq!(news(&all, n, &ada, Some(page.news[1].place())).1, 1);
    }
    assert_eq!(search(&all, 0, "", None).tags, ["größe".parse().unwrap()]);

    all.kill(1);
    all.spawn(1);
    let again = || {
        let action = Action::Tagged(TaggedBy { tag: "größe".parse().unwrap(), before: None });
        let answer = all.try_ask(1, &asking(None, None, action)).ok()?;
        matches!(answer.data.outcome, Outcome::Posts(page) if page.posts.len() == 2).then_some(())
    };
    eventually(again);
    assert_eq!(news(&all, 1, &ada, None).0.news.len(), 2, "told by the files alone");

    let delete = OnePost { key: key(10), id: numbers[0] };
    all.ask(0, &asking(Some(&ben), None, Action::DeletePost(delete)));
    for n in 0..3 {
        eventually(|| (tagged(&all, n, "größe") == [said[2]]).then_some(()));
        assert_eq!(news(&all, n, &ada, None).0.news.len(), 1);
        assert!(search(&all, n, "gull", None).posts.is_empty());
    }
}

#[test]
fn search_paged_finds_each_once() {
    let all = Backends::without_rate_limits();
    let mut session = joined(&all, 0, "ada", 1);
    let mut expected = Vec::new();
    for number in 2..72 {
        let text =
            if number % 2 == 0 { format!("gull {number}") } else { format!("tern {number}") };
        session = all.ask(0, &post(&session, number, &text)).session.unwrap();
        if number % 2 == 0 {
            expected.insert(0, text);
        }
    }
    let (mut found, mut before, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = search(&all, 0, "Gull", before);
        assert!(!page.is_stopped);
        found.extend(page.posts.into_iter().map(|post| post.text));
        before = page.older;
        pages += 1;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (expected, 2));
}

#[test]
fn search_hostile_answered() {
    let all = Backends::start();
    joined(&all, 0, "ada", 1);
    for query in ["\u{0}", "\"' OR 1=1 --", "* (", "\u{202e}\u{200b}", "𝒢𝓊𝓁𝓁", "@ # @@ ##", "%_%"]
    {
        assert!(search(&all, 0, query, None).posts.is_empty(), "{query:?}");
    }
    let action = Action::Search(Search { query: "a".repeat(100_000), before: None, address: None });
    let answer = all.ask(0, &asking(None, None, action)).data.outcome;
    assert!(matches!(answer, Outcome::Refused(_)), "{answer:?}");
}
