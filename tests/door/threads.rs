//! The longest threads, and posts that become longest when they are drawn, asked for by many at once.

use std::time::Duration;

use serde_json::json;
use tern::thread::spawn_named;

use super::watch::Door;
use super::{attacked, connect, stranger};
use crate::api::app::App;
use crate::cluster::harness::Cluster;

/// More than are told of at once.
const REPLIES: usize = 70;
/// Connections of each of those who ask.
const EACH: usize = 25;
const ASKING: usize = 4;
/// For so long each of them goes on.
const ROUNDS: usize = 2;
/// A page that is waited for in line.
const PATIENCE: Duration = Duration::from_mins(1);

/// Threads whose replies are texts, and tags alone: each becomes a link, in two places. Numbers of their roots.
fn threads(app: &App) -> [String; 2] {
    let letters = || 'a'..='z';
    let tags: Vec<String> =
        letters().flat_map(|a| letters().map(move |b| format!("#{a}{b}"))).collect();
    let words = "tea and a kettle, ".repeat(26);
    let all_tags = tags[..120].join(" ");
    [words.trim_end(), &all_tags].map(|text| {
        let root = app.write("A thread");
        for _ in 0..REPLIES {
            let says = json!({ "status": text, "in_reply_to_id": root });
            let posted = app.post("/api/v1/statuses", &says);
            assert_eq!(posted.status, 200, "{posted:?}");
        }
        root
    })
}

/// Everybody asks at once, again and again; they are answered, or told to come back.
fn ask_at_once(door: &Door, path: &str, token: Option<&str>) {
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let bearer = bearer.unwrap_or_default();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{bearer}\r\n", door.address);
    std::thread::scope(|scope| {
        for n in 0..ASKING * EACH {
            let request = request.clone();
            spawn_named(scope, "asking", move |_permit| {
                let mut client = connect(door, stranger(4_000 + n % ASKING));
                client.stream.set_read_timeout(Some(PATIENCE)).unwrap();
                for _ in 0..ROUNDS {
                    client.send(&request);
                    let Some(reply) = client.try_reply(false) else { return };
                    assert!([200, 503].contains(&reply.status), "{}", reply.head);
                    assert!(reply.status == 200 || reply.header("Retry-After").is_some());
                }
            })
            .unwrap();
        }
    });
}

#[test]
fn long_threads_asked_for_by_many_at_once_let_others_in() {
    let (cluster, door): (Cluster, Door) = attacked();
    let ada = App::joined(&cluster, "ada");
    let (roots, token) = (threads(&ada), ada.token.clone());
    // Its connections, which have threads of their own, end with it.
    drop(ada);
    let [words, tags] = roots.each_ref();
    let context = |root: &str| format!("/api/v1/statuses/{root}/context");
    let paths = [
        context(words),
        context(tags),
        format!("/@ada/{tags}"),
        "/api/v1/timelines/public?limit=40".to_owned(),
        "/@ada".to_owned(),
    ];
    for path in paths {
        door.attack(&format!("a hundred ask for {path}"), |watch| {
            watch.while_others_come(|| ask_at_once(&door, &path, None));
        });
    }
    door.attack("a hundred of a member's apps ask for tags", |watch| {
        watch.while_others_come(|| ask_at_once(&door, &context(tags), token.as_deref()));
    });
}
