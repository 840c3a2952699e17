//! Walking through a list in both directions while it grows.

use std::collections::BTreeSet;

use serde_json::json;

use super::app::{App, one_machine};
use crate::cluster::harness::{Cluster, Options};

const POSTS: usize = 300;

#[test]
fn three_hundred_posts_walked_both_ways_while_new_ones_arrive() {
    let cluster = Cluster::start(Options::default());
    let app = App::joined(&cluster, "ada");
    let mut written: Vec<String> =
        (0..POSTS).map(|n| app.write(&format!("Post {n} #tea"))).collect();
    // A repost among them is an item of its own.
    let repost = app.post(&format!("/api/v1/statuses/{}/reblog", written[7]), &json!({}));
    assert_eq!(repost.value["reblog"]["id"], json!(written[7]), "{repost:?}");
    let repost = repost.text("id");
    for (list, count) in [
        ("/api/v1/timelines/home?limit=40", POSTS + 1),
        ("/api/v1/timelines/public?limit=40&local=true", POSTS),
        ("/api/v1/timelines/tag/TEA?limit=40", POSTS),
    ] {
        // Down: nothing that comes meanwhile disturbs.
        let more = |page: usize| {
            if page == 2 {
                app.write("Meanwhile #tea");
            }
        };
        let known: BTreeSet<String> = written.iter().cloned().collect();
        let down = app.pages_while(list.to_owned(), "next", &more);
        assert!(down[..7].iter().all(|page| page.len() == 40), "{list}");
        let down: Vec<String> = down.concat();
        assert!(down.is_sorted_by(|a, b| (a.len(), a) > (b.len(), b)), "{list}");
        let old = down.iter().filter(|id| known.contains(*id) || **id == repost).count();
        assert_eq!(old, count, "{list}");
        // Up from the oldest: all of it, and what came since.
        let from = format!("{list}&min_id={}", written[0]);
        let up = app.pages_while(from, "prev", &more);
        assert!(up.iter().all(|page| page.is_sorted_by(|a, b| a > b)), "{list}");
        let up: Vec<String> = up.into_iter().flat_map(|page| page.into_iter().rev()).collect();
        assert!(up.is_sorted_by(|a, b| a < b), "{list}: something twice or out of order");
        let old = up.iter().filter(|id| known.contains(*id) || **id == repost).count();
        assert_eq!(old, count - 1, "{list}");
        assert!(up.len() > count - 1, "{list}: what came meanwhile is missing");
        // The newest page above the oldest, and nothing above the newest.
        let newest = up.last().cloned().unwrap_or_default();
        let since = app.get(&format!("{list}&since_id={}", written[0]));
        assert_eq!((since.ids().len(), since.ids().first()), (40, Some(&newest)), "{list}");
        let nothing = app.get(&format!("{list}&since_id={newest}"));
        assert_eq!((nothing.ids().len(), nothing.link_to("next")), (0, None), "{list}");
        let both = format!("{list}&max_id={}&since_id={}", written[20], written[10]);
        let both: Vec<_> =
            app.get(&both).ids().into_iter().filter(|id| known.contains(id)).collect();
        assert_eq!(both, written[11..20].iter().rev().cloned().collect::<Vec<_>>(), "{list}");
        written = app
            .get("/api/v1/timelines/public?limit=40")
            .ids()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .into_iter()
            .filter(|id| !known.contains(id))
            .fold(written, |mut all, id| {
                all.push(id);
                all
            });
        written.truncate(POSTS);
    }
    for odd in
        ["limit=0", "limit=-1", "limit=99999999999999999999", "limit=x", "max_id=x", "min_id="]
    {
        let heard = app.get(&format!("/api/v1/timelines/home?{odd}"));
        assert_eq!(heard.status, 200, "{odd}");
        assert!((1..=40).contains(&heard.ids().len()), "{odd}");
    }
}

#[test]
fn likes_and_bookmarks_listed_by_when_they_were_made() {
    let cluster = Cluster::start(Options::default());
    let app = App::joined(&cluster, "ada");
    let posts: Vec<String> = (0..5).map(|n| app.write(&format!("Post {n}"))).collect();
    let order = [3, 0, 4, 1, 2].map(|nth| posts[nth].as_str());
    for (act, list) in [("favourite", "favourites"), ("bookmark", "bookmarks")] {
        let path = format!("/api/v1/{list}?limit=2");
        for post in order {
            app.post(&format!("/api/v1/statuses/{post}/{act}"), &json!({}));
        }
        // Once more changes nothing.
        app.post(&format!("/api/v1/statuses/{}/{act}", order[0]), &json!({}));
        let newest_first = [vec![order[4], order[3]], vec![order[2], order[1]], vec![order[0]]];
        assert_eq!(app.pages(path.clone(), "next"), newest_first, "{list}");
        let second = app.get(&path).link_to("next").unwrap();
        let back = app.get(&second).link_to("prev").unwrap();
        assert_eq!(app.get(&back).ids(), newest_first[0], "{list}");
        // Taken back and made again, it is the newest.
        app.post(&format!("/api/v1/statuses/{}/un{act}", order[0]), &json!({}));
        app.post(&format!("/api/v1/statuses/{}/{act}", order[0]), &json!({}));
        assert_eq!(app.get(&path).ids(), [order[0], order[4]], "{list}");
    }
}

/// Fewer are looked at for one page than lie between those that are wanted.
#[test]
fn page_without_anything_wanted_says_where_the_list_goes_on() {
    let cluster = one_machine();
    let app = App::joined(&cluster, "ada");
    let mut green = Vec::new();
    for n in 0..3 {
        green.push(app.write(&format!("Leaf {n} #green")));
        (0..7).for_each(|m| drop(app.write(&format!("Snow {n} {m}"))));
    }
    let list = format!("/api/v1/accounts/{}/statuses?tagged=green&limit=1", app.account());
    let walk = |from: String, rel: &str| {
        let (mut next, mut met, mut empty) = (Some(from), Vec::new(), 0);
        while let Some(path) = next {
            let heard = app.get(&path);
            empty += usize::from(heard.ids().is_empty());
            met.extend(heard.ids());
            assert!(met.len() + empty < 20, "{rel} goes on for ever");
            next = heard.link_to(rel);
            // At the newer end the link leads to what may come.
            if rel == "prev" && met.last() == green.last() {
                break;
            }
        }
        (met, empty > 0)
    };
    let down: Vec<_> = green.iter().rev().cloned().collect();
    assert_eq!(walk(list.clone(), "next"), (down, true));
    let up = green[1..].to_vec();
    assert_eq!(walk(format!("{list}&min_id={}", green[0]), "prev"), (up, true));
}
