//! What apps are told of a thread: all that a reader needs, and no more than a machine can bear.

use serde_json::{Value, json};

use super::app::{App, one_machine};

const STATUSES: &str = "/api/v1/statuses";
/// What strangers are told of what answers a post, and of what it answers. Source: Mastodon's own bounds.
const BELOW: usize = 60;
const ABOVE: usize = 40;

fn reply(app: &App, to: &str, text: &str) -> String {
    let says = json!({ "status": text, "in_reply_to_id": to });
    let answer = app.post(STATUSES, &says);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text("id")
}

fn ids(list: &Value) -> Vec<String> {
    let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(id).collect()
}

/// What is above and below a post.
fn context(app: &App, post: &str) -> [Vec<String>; 2] {
    let heard = app.get(&format!("{STATUSES}/{post}/context"));
    assert_eq!(heard.status, 200, "{heard:?}");
    ["ancestors", "descendants"].map(|name| ids(&heard.value[name]))
}

#[test]
fn context_of_a_long_thread_is_bounded_and_more_so_for_strangers() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    let stranger = App::introduce(&cluster.address(), "read", super::app::OUT_OF_BAND);
    let root = ada.write("A long thread");
    let replies: Vec<String> =
        (0..BELOW + 5).map(|n| reply(&ada, &root, &format!("Reply {n}"))).collect();
    assert_eq!(context(&ada, &root), [vec![], replies.clone()]);
    assert_eq!(context(&stranger, &root), [vec![], replies[..BELOW].to_vec()]);
    // What answers those comes behind each, and counts.
    let first = reply(&ada, &replies[0], "And on it goes");
    let told = context(&stranger, &root)[1].clone();
    assert_eq!(told[..2], [replies[0].clone(), first.clone()]);
    assert_eq!(told[2..], replies[1..BELOW - 1]);

    let mut chain = vec![root];
    for n in 0..ABOVE + 3 {
        chain.push(reply(&ada, chain.last().unwrap(), &format!("Link {n}")));
    }
    let last = chain.pop().unwrap();
    // The nearest, from above down; the link of a single reply leads to it, however long its thread is.
    for app in [&ada, &stranger] {
        assert_eq!(context(app, &last), [chain[chain.len() - ABOVE..].to_vec(), vec![]]);
    }
    let mut reader = cluster.person("somebody");
    let page = reader.get(&format!("/@ada/{last}")).body;
    assert!(page.contains(&format!("Link {}", ABOVE + 2)), "{page}");
    assert!(page.contains(&format!("Link {}", ABOVE + 1)) && !page.contains("Link 3<"), "{page}");
}

#[test]
fn context_of_posts_that_are_all_tags_ends_before_it_is_too_long() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    let root = ada.write("Tags");
    let letters = || 'a'..='z';
    let mut tags = letters().flat_map(|a| letters().map(move |b| format!("#{a}{b} ")));
    let text: String = tags.by_ref().take(120).collect();
    for _ in 0..60 {
        reply(&ada, &root, text.trim_end());
    }
    let heard = ada.get(&format!("{STATUSES}/{root}/context"));
    let told = heard.value["descendants"].as_array().unwrap();
    let bytes = heard.value.to_string().len();
    assert!(told.len() > 10 && told.len() < 60, "{}", told.len());
    assert!(bytes > 1_000_000 && bytes < 1_200_000, "{bytes}");
    assert!(told.iter().all(|it| it["tags"].as_array().unwrap().len() == 120));
}

/// An app that was told nothing of what answers somebody muted showed no thread at all.
#[test]
fn r0033_context_goes_on_below_what_the_reader_does_not_see() {
    let cluster = one_machine();
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| App::joined(&cluster, name));
    let root = ada.write("A thread");
    let bens = reply(&ben, &root, "Ben says");
    let below = reply(&cleo, &bens, "Cleo answers");
    let deeper = reply(&ada, &below, "Ada goes on");
    let id = ben.get("/api/v1/accounts/verify_credentials").text("id");
    let path = format!("/api/v1/accounts/{id}/mute");
    assert_eq!(ada.post(&path, &json!({})).status, 200);
    assert_eq!(context(&ada, &root), [vec![], vec![below.clone(), deeper.clone()]]);
    assert_eq!(context(&cleo, &root), [vec![], vec![bens, below, deeper]]);
}
