//! What people write comes out as text, whichever way it comes out.

use std::collections::BTreeSet;

use super::naughty::{self, Skeleton};
use crate::cluster::form::encode;
use crate::cluster::harness::{Cluster, Options};
use crate::cluster::person::{Answer, Person};

/// Where texts come out besides the pages of the list of all posts.
const ADDRESSES: [&str; 9] = [
    "/",
    "/@ada",
    "/@ada.atom",
    "/public.atom",
    "/bookmarks",
    "/settings/profile",
    "/settings/data/posts.html",
    "/search?q=script",
    "/search?q=alert",
];

/// All pages of the list of all posts, of which there are no more than `most`.
fn pages_of_public(ada: &mut Person, most: usize) -> Vec<Answer> {
    const OLDER: &str = "<a class=\"btn q\" href=\"/public?before=";
    let mut pages = vec![ada.get("/public")];
    while let Some((_, rest)) = pages.last().and_then(|page| page.body.split_once(OLDER)) {
        assert!(pages.len() < most, "no end of pages");
        let before: String = rest.chars().take_while(char::is_ascii_digit).collect();
        pages.push(ada.get(&format!("/public?before={before}")));
    }
    pages
}

/// The kinds of tags on a page, and that no quote of a text stands there as it is.
#[track_caller]
fn tags(answer: &Answer, at: &str) -> BTreeSet<String> {
    assert_eq!(answer.status, 200, "{at}");
    let Skeleton { tags, quotes } = Skeleton::of(&answer.body);
    assert_eq!(quotes, 0, "{at}: {}", answer.body);
    tags.into_iter().collect()
}

#[track_caller]
fn check_known(found: &BTreeSet<String>, known: &BTreeSet<String>, at: &str) {
    let strange: Vec<_> = found.difference(known).collect();
    assert!(strange.is_empty(), "{at}: {strange:?}");
}

fn change_profile(ada: &mut Person, name: &str, bio: &str) {
    let typed = [("display_name", name), ("bio", bio)];
    let answer = ada.act("/settings/profile", "/settings/profile", &typed);
    assert_eq!(answer.status, 303, "{name:?}, {bio:?}: {}", answer.body);
}

#[test]
fn s28_naughty_texts_come_out_as_text_everywhere() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    // What stands on these pages when all texts are plain.
    change_profile(&mut ada, "Script alert", "Seeds, mostly.");
    for text in ["script alert", "#seeds @ada http://a.example/"] {
        for note in ["", "script"] {
            assert_eq!(ada.act("/", "/post", &[("text", text), ("note", note)]).status, 303);
        }
    }
    let mut known = BTreeSet::new();
    for address in ADDRESSES.into_iter().chain(["/public", "/public?before=1"]) {
        known.append(&mut tags(&ada.get(address), address));
    }
    let all = naughty::all();
    for (text, note) in all.iter().zip(all.iter().rev()) {
        let answer = ada.act("/public", "/post", &[("text", text), ("note", note)]);
        assert_eq!(answer.status, 303, "{text:?}, {note:?}");
    }
    let pages = pages_of_public(&mut ada, all.len());
    let shown: usize = pages.iter().map(|page| page.body.matches("<article").count()).sum();
    assert_eq!(shown, all.len() + 4);
    for page in &pages {
        let found = tags(page, "/public");
        check_known(&found, &known, "/public");
    }
    // Every eighth as a name and about oneself: the pages alone are shown with each in these, too.
    for (n, naughty) in all.iter().enumerate().step_by(8) {
        let short: String = naughty.chars().take(40).collect();
        change_profile(&mut ada, &short, naughty);
        let address = ADDRESSES[n / 8 % ADDRESSES.len()];
        for address in ["/@ada", address] {
            let found = tags(&ada.get(address), address);
            check_known(&found, &known, address);
        }
        let query = encode(&[("q".to_owned(), naughty.clone())]);
        let answer = ada.get(&format!("/search?{query}"));
        assert!([200, 400].contains(&answer.status), "{naughty:?}");
        assert_eq!(Skeleton::of(&answer.body).quotes, 0, "{naughty:?}");
    }
}
