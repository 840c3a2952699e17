//! What apps do with posts and people.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::app::{App, one_machine};
use crate::cluster::harness::{Cluster, Options, eventually};

#[test]
fn same_post_sent_again_with_a_backend_killed_stands_once() {
    let cluster = Cluster::start(Options { no_restart: true, ..Options::default() });
    let app = App::joined(&cluster, "ada");
    let says = json!({ "status": "Once and for all" });
    let send = |key: &str| app.try_send("POST", "/api/v1/statuses", &says, Some(key));
    let first = send("k1").map_or_else(|error| panic!("{error}"), |heard| heard.text("id"));
    cluster.kill(1, Signal::KILL);
    // The same moment, four times, and again with a machine gone.
    let ids: Vec<String> = std::thread::scope(|scope| {
        let ask = || send("k2").map(|heard| heard.text("id")).unwrap_or_default();
        let threads: Vec<_> = (0..4)
            .map(|n| std::thread::Builder::new().name(format!("app-{n}")).spawn_scoped(scope, ask))
            .collect();
        threads.into_iter().filter_map(Result::ok).filter_map(|it| it.join().ok()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0] && !id.is_empty()), "{ids:?}");
    assert_eq!(send("k1").map(|heard| heard.text("id")).ok(), Some(first.clone()));
    assert_eq!(send("k2").map(|heard| heard.text("id")).ok(), Some(ids[0].clone()));
    let other = app.try_send("POST", "/api/v1/statuses", &json!({ "status": "Else" }), Some("k1"));
    assert_eq!(other.map(|heard| heard.status).ok(), Some(422));
    let home = app.get("/api/v1/timelines/home");
    assert_eq!(home.ids(), [ids[0].clone(), first]);
}

#[test]
fn post_answered_marked_edited_and_taken_back() {
    let cluster = Cluster::start(Options::default());
    let [ada, ben] = ["ada", "ben"].map(|name| App::joined(&cluster, name));
    let text = "1 < 2 & 3\nHello @ben #Tea\n\nhttps://a.example/?x=1";
    let post = ada.write(text);
    let seen = ben.get(&format!("/api/v1/statuses/{post}"));
    let content = seen.text("content");
    assert!(
        content.starts_with("<p>1 &lt; 2 &amp; 3<br>Hello <span class=\"h-card\">"),
        "{content}"
    );
    assert_eq!(seen.value["mentions"][0]["acct"], json!("ben"));
    assert_eq!(seen.value["tags"][0]["name"], json!("tea"));
    assert_eq!(seen.value["account"]["username"], json!("ada"));
    let says = json!({ "status": "Gladly!", "in_reply_to_id": post, "visibility": "public" });
    let reply = ben.post("/api/v1/statuses", &says);
    assert_eq!(reply.text("in_reply_to_id"), post);
    // Another's machine hears of it a moment later.
    let below = || ada.get(&format!("/api/v1/statuses/{post}/context")).value["descendants"].take();
    let below = eventually("the reply", Duration::from_secs(20), || {
        Some(below()).filter(|it| it[0].is_object())
    });
    assert_eq!(below[0]["id"], reply.value["id"]);
    let context = ada.get(&format!("/api/v1/statuses/{}/context", reply.text("id")));
    assert_eq!(context.value["ancestors"][0]["id"], json!(post));
    for (act, field) in
        [("favourite", "favourited"), ("bookmark", "bookmarked"), ("reblog", "reblogged")]
    {
        for _ in 0..2 {
            let heard = ben.post(&format!("/api/v1/statuses/{post}/{act}"), &json!({}));
            let of = if act == "reblog" { &heard.value["reblog"] } else { &heard.value };
            assert_eq!((&of[field], &of["id"]), (&json!(true), &json!(post)), "{act}: {heard:?}");
        }
    }
    // Who likes it is for its author to know.
    let liked =
        |app: &App| app.get(&format!("/api/v1/statuses/{post}")).value["favourites_count"].clone();
    assert_eq!((liked(&ada), liked(&ben)), (json!(1), json!(1)));
    assert_eq!(ben.get("/api/v1/favourites").ids(), [post.as_str()]);
    assert_eq!(ben.get("/api/v1/bookmarks").ids(), [post.as_str()]);
    for (act, field) in
        [("unfavourite", "favourited"), ("unbookmark", "bookmarked"), ("unreblog", "reblogged")]
    {
        let heard = ben.post(&format!("/api/v1/statuses/{post}/{act}"), &json!({}));
        assert_eq!(
            (&heard.value[field], &heard.value["id"]),
            (&json!(false), &json!(post)),
            "{act}"
        );
    }
    // Only its author changes it or takes it back.
    let path = format!("/api/v1/statuses/{post}");
    let change = json!({ "status": "Changed" });
    assert_eq!(ben.send("PUT", &path, &change, None).status, 404);
    assert_eq!(ben.send("DELETE", &path, &json!(null), None).status, 404);
    let edited = ada.send("PUT", &path, &change, None);
    assert_eq!(
        (edited.text("id"), edited.text("content")),
        (post.clone(), "<p>Changed</p>".to_owned())
    );
    assert!(edited.value["edited_at"].is_string(), "{edited:?}");
    assert_eq!(ada.get(&format!("{path}/source")).text("text"), "Changed");
    assert_eq!(ada.send("DELETE", &path, &json!(null), None).text("text"), "Changed");
    assert_eq!(ada.get(&path).status, 404);
}

#[test]
fn posts_that_nobody_could_write_refused() {
    let cluster = one_machine();
    let mut ada = cluster.person("ada");
    ada.join();
    let ada = App::of(&cluster, &mut ada, "write");
    for (says, status) in [
        (json!({ "status": "x".repeat(500) }), 200),
        (json!({ "status": "x".repeat(501) }), 422),
        (json!({ "status": "x".repeat(400), "spoiler_text": "y".repeat(101) }), 422),
        (json!({ "status": "" }), 422),
        (json!({ "status": "for few", "visibility": "private" }), 200),
        (json!({ "status": "for few", "visibility": "sideways" }), 422),
        (json!({ "status": "to nobody", "in_reply_to_id": "1" }), 404),
    ] {
        assert_eq!(ada.post("/api/v1/statuses", &says).status, status, "{says}");
    }
}

#[test]
fn r0116_deletion_sent_again_under_its_key_is_answered_as_done() {
    let cluster = Cluster::start(Options::default());
    let mut ada = cluster.person("ada");
    ada.join();
    let app = App::of(&cluster, &mut ada, "read write");
    let post = app.write("Soon gone");
    let delete = |key| app.send("DELETE", &format!("/api/v1/statuses/{post}"), &json!({}), key);
    let first = delete(Some("k1"));
    assert_eq!((first.status, first.value["text"].as_str()), (200, Some("Soon gone")));
    let again = delete(Some("k1"));
    assert_eq!((again.status, again.text("id")), (200, post.clone()));
    assert_eq!(again.value["account"]["acct"], json!("ada"));
    assert_eq!(delete(None).status, 404, "as elsewhere");
    let never = app.send("DELETE", "/api/v1/statuses/1", &json!({}), Some("k2"));
    assert_eq!(never.status, 404);
    // So is a form.
    let other = app.write("Gone as well");
    let page = format!("/@ada/{other}/delete");
    let form = ada.get(&page).form(&page);
    for _ in 0..2 {
        let deleted = ada.submit(&form, &[]);
        let to = deleted.location.as_deref();
        assert_eq!((deleted.status, to), (303, Some("/@ada?deleted=1")));
    }
}

#[test]
fn people_found_followed_muted_and_blocked() {
    let cluster = Cluster::start(Options::default());
    let [ada, ben] = ["ada", "ben"].map(|name| App::joined(&cluster, name));
    let host = cluster.address().replace("http://", "");
    let found = ada.get(&format!("/api/v2/search?q=@ben@{host}&type=accounts&resolve=true"));
    let id = found.value["accounts"][0]["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(ada.get("/api/v1/accounts/lookup?acct=ben").text("id"), id);
    assert_eq!(ada.get(&format!("/api/v1/accounts/{id}")).text("acct"), "ben");
    let to = |act: &str| ada.post(&format!("/api/v1/accounts/{id}/{act}"), &json!({})).value;
    assert_eq!(to("follow")["following"], json!(true));
    assert_eq!(to("follow")["following"], json!(true));
    let post = ben.write("By ben");
    assert_eq!(ada.get("/api/v1/timelines/home").ids(), [post.as_str()]);
    assert_eq!(ada.get(&format!("/api/v1/accounts/{id}/followers")).value[0]["acct"], json!("ada"));
    assert_eq!(to("mute")["muting"], json!(true));
    assert!(ada.get("/api/v1/timelines/home").ids().is_empty());
    assert_eq!(ada.get("/api/v1/mutes").ids(), [id.as_str()]);
    assert_eq!(to("unmute")["muting"], json!(false));
    assert_eq!(ada.get("/api/v1/timelines/home").ids(), [post.as_str()]);
    let blocked = to("block");
    assert_eq!((&blocked["blocking"], &blocked["following"]), (&json!(true), &json!(false)));
    assert_eq!(ada.get("/api/v1/blocks").ids(), [id.as_str()]);
    assert_eq!(ada.get("/api/v2/search?q=ben&type=accounts").value["accounts"][0]["id"], json!(id));
    assert_eq!(to("unblock")["blocking"], json!(false));
    assert_eq!(to("remove_from_followers")["followed_by"], json!(false));
    assert_eq!(to("unfollow")["following"], json!(false));
    let relations = ada.get(&format!("/api/v1/accounts/relationships?id[]={id}&id[]=17"));
    assert_eq!(relations.ids(), [id.as_str()]);
    let own = ada.account();
    assert_eq!(ada.post(&format!("/api/v1/accounts/{own}/follow"), &json!({})).status, 422);
    let url = ben.get(&format!("/api/v1/statuses/{post}")).text("url");
    assert_eq!(ada.get(&format!("/api/v2/search?q={url}")).value["statuses"][0]["id"], json!(post));
    let statuses = ada.get(&format!("/api/v1/accounts/{id}/statuses?exclude_replies=true"));
    assert_eq!(statuses.ids(), [post]);
}

/// One who sends an empty key sends none: the second post was another under the first one's key.
#[test]
fn r0092_empty_key_is_none() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    for text in ["One", "Two"] {
        let says = json!({ "status": text });
        assert_eq!(ada.send("POST", "/api/v1/statuses", &says, Some("")).status, 200, "{text}");
    }
}

/// It was answered 404, and an app that believed that lost sight of its post.
#[test]
fn r0093_reply_sent_again_is_the_same_though_what_it_answers_is_gone() {
    let cluster = Cluster::start(Options::default());
    let [ada, ben] = ["ada", "ben"].map(|name| App::joined(&cluster, name));
    let parent = ada.write("A question");
    let says = |text: &str| json!({ "status": text, "in_reply_to_id": parent });
    let send = |text: &str, key: &str| ben.send("POST", "/api/v1/statuses", &says(text), Some(key));
    let first = send("An answer", "k1");
    assert_eq!((first.status, first.text("in_reply_to_id")), (200, parent.clone()), "{first:?}");
    let path = format!("/api/v1/statuses/{parent}");
    assert_eq!(ada.send("DELETE", &path, &json!(null), None).status, 200);
    let again = send("An answer", "k1");
    assert_eq!((again.status, again.text("id")), (200, first.text("id")), "{again:?}");
    // What was not sent before is answered as ever.
    assert_eq!(send("An answer", "k2").status, 404);
    assert_eq!(send("Another", "k1").status, 404);
    assert_eq!(ada.send("POST", "/api/v1/statuses", &says("An answer"), Some("k1")).status, 404);
}

/// The second took the first one's place, unsaid.
#[test]
fn r0098_pin_beyond_the_last_refused() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    let [one, two] = ["One", "Two"].map(|text| ada.write(text));
    let act =
        |post: &str, act: &str| ada.post(&format!("/api/v1/statuses/{post}/{act}"), &json!({}));
    for _ in 0..2 {
        assert_eq!(act(&one, "pin").value["pinned"], json!(true));
    }
    let over = act(&two, "pin");
    assert_eq!((over.status, over.text("error").contains("pinned")), (422, true), "{over:?}");
    assert_eq!(ada.get(&format!("/api/v1/statuses/{one}")).value["pinned"], json!(true));
    assert_eq!(act(&one, "unpin").status, 200);
    assert_eq!(act(&two, "pin").value["pinned"], json!(true));
}

/// Apps count 23 characters for an address, of which this site counts all.
#[test]
fn r0099_post_that_is_too_long_told_how_long_it_is() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    let address = format!("https://a.example/{}", "x".repeat(600 - 18));
    for (text, note, chars) in
        [(address.as_str(), "", 600), (&address[..490], "Fifteen letters", 505)]
    {
        let heard = ada.post("/api/v1/statuses", &json!({ "status": text, "spoiler_text": note }));
        let error = heard.text("error");
        assert!(heard.status == 422 && error.contains("500"), "{error}");
        assert!(error.contains(&chars.to_string()) && error.contains("address"), "{error}");
    }
}

#[test]
fn r0085_follower_removed_by_an_app_is_none_until_they_follow_anew() {
    let cluster = Cluster::start(Options::default());
    let [ada, ben] = ["ada", "ben"].map(|name| App::joined(&cluster, name));
    let post = ada.post("/api/v1/statuses", &json!({ "status": "Hi", "visibility": "private" }));
    let (post, hers, his) = (post.text("id"), ada.account(), ben.account());
    let to = |app: &App, id: &str, act: &str| {
        app.post(&format!("/api/v1/accounts/{id}/{act}"), &json!({})).value
    };
    let reads = || ben.get(&format!("/api/v1/statuses/{post}")).status;
    for ends in [["remove_from_followers"].as_slice(), &["block", "unblock"]] {
        assert_eq!(to(&ben, &hers, "follow")["following"], json!(true));
        assert_eq!(reads(), 200);
        let all: Vec<_> = ends.iter().map(|act| to(&ada, &his, act)).collect();
        let told = all.last().unwrap();
        assert_eq!((&told["id"], &told["followed_by"]), (&json!(his), &json!(false)), "{ends:?}");
        assert_eq!(reads(), 404);
        assert!(ada.get(&format!("/api/v1/accounts/{hers}/followers")).ids().is_empty());
        assert!(ada.get("/api/v1/notifications?types[]=follow").ids().is_empty());
        let relation = ben.get(&format!("/api/v1/accounts/relationships?id[]={hers}"));
        assert_eq!(relation.value[0]["following"], json!(false));
    }
    assert_eq!(to(&ada, &his, "remove_from_followers")["followed_by"], json!(false));
    let nobody = "/api/v1/accounts/17/remove_from_followers";
    assert_eq!(ada.post(nobody, &json!({})).status, 404);
}

#[test]
fn r0089_mute_for_a_while_ends_by_itself_and_says_when() {
    let cluster = Cluster::start(Options::default());
    let [ada, ben] = ["ada", "ben"].map(|name| App::joined(&cluster, name));
    let (post, his) = (ben.write("By ben"), ben.account());
    let mute = |says: &Value| ada.post(&format!("/api/v1/accounts/{his}/mute"), says);
    let home = || ada.get("/api/v1/timelines/public").ids();
    for bad in [json!("soon"), json!(-1), json!(400_000_000_u32)] {
        let refused = mute(&json!({ "duration": bad }));
        assert_eq!((refused.status, home()), (422, vec![post.clone()]), "{bad}");
    }
    let until = || ada.get("/api/v1/mutes").value[0]["mute_expires_at"].clone();
    for (lasts, ends) in [(json!(3600), true), (json!(0), false), (json!(7200), true)] {
        let told = mute(&json!({ "duration": lasts })).value;
        let said = ["muting", "muting_notifications"].map(|it| told[it] == json!(true));
        assert_eq!((said, home().len()), ([true; 2], 0));
        assert_eq!(until().as_str().is_some_and(|at| at.starts_with("20")), ends, "{lasts}");
    }
    assert_eq!(mute(&json!({ "duration": 1 })).value["muting"], json!(true));
    let is_over = || (home() == [post.as_str()]).then_some(());
    eventually("the mute to be over", Duration::from_secs(20), is_over);
    let relation = ada.get(&format!("/api/v1/accounts/relationships?id[]={his}"));
    assert_eq!(relation.value[0]["muting"], json!(false));
    assert!(ada.get("/api/v1/mutes").ids().is_empty());
    // What a program says of a follow that it passes over holds.
    let follow = json!({ "reblogs": false, "notify": true });
    let told = ada.post(&format!("/api/v1/accounts/{his}/follow"), &follow).value;
    assert_eq!((&told["showing_reblogs"], &told["notifying"]), (&json!(true), &json!(false)));
}
