//! Threads that one mutes.

use std::io::{BufRead as _, BufReader};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::app::{App, one_machine};
use crate::cluster::harness::{Cluster, Options, eventually};

const STATUSES: &str = "/api/v1/statuses";
const NEWS: &str = "/api/v1/notifications";
const SOON: std::time::Duration = std::time::Duration::from_secs(20);

fn reply(app: &App, to: &str, text: &str) -> String {
    let says = json!({ "status": text, "in_reply_to_id": to });
    let answer = app.post(STATUSES, &says);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text("id")
}

/// Mutes the thread of a post, or no longer; whether it is muted then.
#[track_caller]
fn mute(app: &App, post: &str, on: bool) {
    let act = if on { "mute" } else { "unmute" };
    let answer = app.post(&format!("{STATUSES}/{post}/{act}"), &json!({}));
    assert_eq!((answer.status, &answer.value["muted"]), (200, &json!(on)), "{answer:?}");
    assert_eq!(answer.text("id"), post);
}

fn is_muted(app: &App, post: &str) -> Value {
    app.get(&format!("{STATUSES}/{post}")).value["muted"].clone()
}

/// What an app is told, by kind and post, the latest first.
fn told(app: &App) -> Vec<String> {
    let heard = app.get(NEWS).value;
    let text = |it: &Value| {
        [&it["type"], &it["status"]["id"]].map(|it| it.as_str().unwrap_or_default()).join(" ")
    };
    heard.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn muted_thread_is_told_of_no_more_until_it_is_unmuted() {
    let cluster = Cluster::start(Options::default());
    let mut people = ["ada", "ben"].map(|name| cluster.person(name));
    for person in &mut people {
        person.join();
    }
    let [ada, ben] = &mut people;
    let [of_ada, of_ben] = [ada, ben].map(|it| App::of(&cluster, it, "read write follow"));
    let root = of_ada.write("A thread");
    let first = reply(&of_ben, &root, "@ada first");
    assert_eq!(told(&of_ada), [format!("mention {first}")]);
    // By any post of it, and twice is fine.
    mute(&of_ada, &first, true);
    mute(&of_ada, &root, true);
    let second = reply(&of_ben, &first, "@ada second");
    let like = of_ben.post(&format!("{STATUSES}/{root}/favourite"), &json!({}));
    assert_eq!(like.status, 200);
    let other = of_ben.write("@ada elsewhere");
    let elsewhere = vec![format!("mention {other}")];
    eventually("the other post", SOON, || (told(&of_ada) == elsewhere).then_some(()));
    let count = of_ada.get(&format!("{NEWS}/unread_count")).value["count"].clone();
    assert_eq!(count, json!(1));
    let page = people[0].get("/mentions").body;
    assert!(page.contains("@ada</a> elsewhere") && !page.contains("second"), "{page}");
    for (post, is) in [(&root, true), (&first, true), (&second, true), (&other, false)] {
        assert_eq!((is_muted(&of_ada, post), is_muted(&of_ben, post)), (json!(is), json!(false)));
    }
    // It is read as ever.
    let context = of_ada.get(&format!("{STATUSES}/{root}/context")).value;
    assert_eq!(context["descendants"].as_array().unwrap().len(), 2);

    // A machine dies, and it stays so; what begins it goes, and it can still be undone.
    cluster.kill(2, Signal::KILL);
    assert_eq!(told(&of_ada), elsewhere);
    let gone = of_ada.send("DELETE", &format!("{STATUSES}/{root}"), &json!({}), None);
    assert_eq!(gone.status, 200, "{gone:?}");
    assert_eq!((is_muted(&of_ada, &second), told(&of_ada)), (json!(true), elsewhere));
    mute(&of_ada, &second, false);
    let all: Vec<_> = [&other, &second, &first].map(|id| format!("mention {id}")).into();
    eventually("all of it", SOON, || (told(&of_ada) == all).then_some(()));
    assert_eq!(is_muted(&of_ada, &first), json!(false));
}

#[test]
fn thread_muted_on_its_page_is_silent_on_streams() {
    let cluster = one_machine();
    let mut ada = cluster.person("ada");
    ada.join();
    let of_ada = App::of(&cluster, &mut ada, "read write follow");
    let ben = App::joined(&cluster, "ben");
    let root = of_ada.write("A thread");
    let page = format!("/@ada/{root}");
    let address = format!("{page}/mute");
    assert_eq!(ada.act(&page, &address, &[]).status, 303);
    assert!(ada.get(&page).body.contains(">Thread muted</button>"));
    let stream = of_ada.listen("/api/v1/streaming/user");
    reply(&ben, &root, "@ada in the thread");
    ben.write("@ada elsewhere");
    // What was done first would be told first.
    let lines = BufReader::new(stream.into_body().into_reader()).lines().map(Result::unwrap);
    let mut of_news = lines.skip_while(|line| line != "event: notification");
    let first = of_news.find(|line| line.starts_with("data: ")).unwrap();
    assert!(first.contains("elsewhere") && !first.contains("in the thread"), "{first}");
    let undo = format!("{page}/unmute");
    assert_eq!(ada.act(&page, &undo, &[]).status, 303);
    assert!(ada.get(&page).body.contains(">Mute thread</button>"));
}

#[test]
fn muting_tells_nobody_of_what_they_may_not_read() {
    let cluster = one_machine();
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| App::joined(&cluster, name));
    let direct = |app: &App, text: &str| {
        let posted = app.post(STATUSES, &json!({ "status": text, "visibility": "direct" }));
        posted.text("id")
    };
    let few = direct(&ada, "@ben between us");
    for act in ["mute", "unmute"] {
        let refused = cleo.post(&format!("{STATUSES}/{few}/{act}"), &json!({}));
        assert_eq!(refused.status, 404, "{refused:?}");
        for odd in ["17", "thread", "0"] {
            let refused = cleo.post(&format!("{STATUSES}/{odd}/{act}"), &json!({}));
            assert_eq!(refused.status, 404, "{odd}");
        }
    }
    // A public reply to it hangs from nothing for those who do not see what it answers.
    let public = reply(&ben, &few, "All may read this");
    mute(&cleo, &public, true);
    mute(&ada, &public, true);
    assert_eq!((is_muted(&ada, &few), is_muted(&ben, &few)), (json!(true), json!(false)));
    mute(&cleo, &public, false);
    assert_eq!(is_muted(&ada, &public), json!(true), "cleo's word is cleo's alone");
}
