//! What happened, as apps are told it, and what they change of their person.

use serde_json::{Value, json};

use super::app::{App, one_machine};

const NEWS: &str = "/api/v1/notifications";

#[test]
fn mentions_and_follows_told_paged_chosen_and_read() {
    let cluster = one_machine();
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| App::joined(&cluster, name));
    let (of_ada, of_ben) = (ada.account(), ben.account());
    let unread = || ada.get(&format!("{NEWS}/unread_count")).value["count"].clone();
    assert_eq!((ada.get(NEWS).ids().len(), unread()), (0, json!(0)));
    let mut mentions: Vec<_> = (0..5).map(|n| ben.write(&format!("Hello @ada {n}"))).collect();
    assert_eq!(cleo.post(&format!("/api/v1/accounts/{of_ada}/follow"), &json!({})).status, 200);
    mentions.extend((5..7).map(|n| cleo.write(&format!("Hello @ada {n}"))));
    ada.write("Oneself, @ada, is no news");
    let all = ada.get(NEWS);
    assert_eq!((all.ids().len(), unread()), (8, json!(8)), "{all:?}");
    assert!(all.ids().is_sorted_by(|a, b| (a.len(), a) > (b.len(), b)));
    let kinds: Vec<_> = (0..8).map(|n| all.value[n]["type"].as_str().unwrap_or("none")).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "mention").count(), 7, "{kinds:?}");
    assert_eq!(kinds[2], "follow");
    assert_eq!(all.value[7]["status"]["id"], json!(mentions[0]));
    // Down and up, three at a time, each once.
    for (from, rel, count) in [
        (format!("{NEWS}?limit=3"), "next", 8),
        (format!("{NEWS}?limit=3&min_id={}", all.ids()[7]), "prev", 7),
    ] {
        let pages = ada.pages(from, rel);
        assert!(pages.iter().all(|page| page.len() <= 3));
        let mut met = pages.concat();
        met.sort();
        met.dedup();
        assert_eq!(met.len(), count, "{rel}");
    }
    let chosen = |query: &str| ada.get(&format!("{NEWS}?{query}")).ids().len();
    assert_eq!(chosen("types[]=follow"), 1);
    assert_eq!(chosen("exclude_types[]=follow&exclude_types[]=favourite"), 7);
    assert_eq!(chosen("types[]=favourite&types[]=poll"), 0);
    assert_eq!(chosen(&format!("account_id={of_ben}")), 5);
    assert_eq!(chosen("account_id=17"), 0);
    assert_eq!(chosen(&format!("since_id={}", all.ids()[3])), 3);
    let one = format!("{NEWS}/{}", all.ids()[0]);
    assert_eq!(ada.get(&one).value["status"]["id"], json!(mentions[6]));
    for (app, path) in [(&ben, one.as_str()), (&ada, "/api/v1/notifications/17")] {
        assert_eq!(app.get(path).status, 404, "{path}");
    }
    assert_eq!(ada.post(&format!("{one}/dismiss"), &json!({})).value, json!({}));
    // What was read is said with a marker, and cleared means read.
    let mark = json!({ "notifications": { "last_read_id": all.ids()[1] }, "home": { "last_read_id": "7" } });
    let set = ada.post("/api/v1/markers", &mark);
    assert_eq!(set.value["notifications"]["version"], json!(1), "{set:?}");
    assert_eq!(unread(), json!(1));
    let got = ada.get("/api/v1/markers?timeline[]=home&timeline[]=notifications");
    assert_eq!(got.value, set.value);
    assert_eq!(ada.get("/api/v1/markers?timeline[]=home").value["notifications"], json!(null));
    assert_eq!(ben.get("/api/v1/markers?timeline[]=home").value, json!({}));
    let odd = json!({ "home": { "last_read_id": "<b>" } });
    assert_eq!(ada.post("/api/v1/markers", &odd).status, 422);
    assert_eq!(ada.post(&format!("{NEWS}/clear"), &json!({})).value, json!({}));
    assert_eq!(unread(), json!(0));
    // Whom one mutes is not heard of.
    assert_eq!(ada.post(&format!("/api/v1/accounts/{of_ben}/mute"), &json!({})).status, 200);
    assert_eq!(ada.get(NEWS).ids().len(), 3);
}

/// Has an app like or repost a post, or undo that.
fn act(app: &App, post: &str, what: &str) {
    let path = format!("/api/v1/statuses/{post}/{what}");
    assert_eq!(app.post(&path, &json!({})).status, 200, "{path}");
}

/// What an app is told: by whom, what, and of which post.
fn told(app: &App, query: &str) -> Vec<String> {
    let heard = app.get(&format!("{NEWS}?{query}")).value;
    let items = heard.as_array().cloned().unwrap_or_default();
    let text = |it: &Value| {
        let what = [&it["account"]["acct"], &it["type"], &it["status"]["id"]];
        what.map(|it| it.as_str().unwrap_or_default()).join(" ")
    };
    items.iter().map(text).collect()
}

#[test]
fn all_that_happened_paged_down_and_up() {
    let cluster = one_machine();
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| App::joined(&cluster, name));
    let (of_ada, post, other) = (ada.account(), ada.write("One"), ada.write("Two"));
    act(&ben, &post, "favourite");
    ben.write("@ada Three");
    act(&cleo, &post, "reblog");
    assert_eq!(cleo.post(&format!("/api/v1/accounts/{of_ada}/follow"), &json!({})).status, 200);
    act(&cleo, &other, "favourite");
    act(&ben, &other, "reblog");
    act(&ben, &other, "favourite");
    let all = ada.get(NEWS).ids();
    assert_eq!(all.len(), 7);
    assert_eq!(ada.pages(format!("{NEWS}?limit=2"), "next").concat(), all);
    let up = ada.pages(format!("{NEWS}?limit=2&min_id={}", all[6]), "prev");
    let up: Vec<_> = up.into_iter().flat_map(|page| page.into_iter().rev()).collect();
    assert_eq!(up, all[..6].iter().rev().cloned().collect::<Vec<_>>());
}

#[test]
fn likes_and_reposts_of_ones_posts_told_until_they_are_undone() {
    let cluster = one_machine();
    let mut person = cluster.person("ada");
    person.join();
    let ada = App::of(&cluster, &mut person, "read write follow");
    let [ben, cleo] = ["ben", "cleo"].map(|name| App::joined(&cluster, name));
    let (of_ada, of_ben) = (ada.account(), ben.account());
    let post = ada.write("One");
    for (app, what) in [(&ben, "favourite"), (&ben, "favourite"), (&cleo, "reblog")] {
        act(app, &post, what);
    }
    // What one does oneself is no news.
    act(&ada, &post, "favourite");
    act(&ada, &post, "reblog");
    let told = |query: &str| told(&ada, query);
    let (like, repost) = (format!("ben favourite {post}"), format!("cleo reblog {post}"));
    assert_eq!(told(""), [repost.as_str(), &like]);
    assert_eq!(told("types[]=favourite"), [like.as_str()]);
    assert_eq!(told("types[]=reblog&types[]=poll"), [repost.as_str()]);
    assert_eq!(told("exclude_types[]=favourite"), [repost.as_str()]);
    assert_eq!(told(&format!("account_id={of_ben}")), [like.as_str()]);
    let unread = || ada.get(&format!("{NEWS}/unread_count")).value["count"].clone();
    assert_eq!(unread(), json!(2));
    // The pages tell of mentions and followers alone.
    let page = person.get("/mentions").body;
    assert!(!page.contains("@cleo") && !page.contains("@ben"), "{page}");
    let all = ada.get(NEWS);
    assert_eq!(all.value[1]["status"]["account"]["id"], json!(of_ada));
    assert_eq!(all.value[1]["status"]["favourites_count"], json!(2));
    for (at, id) in all.ids().iter().enumerate() {
        let one = format!("{NEWS}/{id}");
        assert_eq!(ada.get(&one).value, all.value[at]);
        assert_eq!(ben.get(&one).status, 404);
    }
    // Undone, and done again, which is another.
    act(&ben, &post, "unfavourite");
    assert_eq!((told(""), unread()), (vec![repost.clone()], json!(1)));
    assert_eq!(ada.get(&format!("{NEWS}/{}", all.ids()[1])).status, 404);
    act(&ben, &post, "favourite");
    assert_eq!(told(""), [like.as_str(), &repost]);
    assert_ne!(ada.get(NEWS).ids()[0], all.ids()[1]);
    for (what, undo) in [("mute", "unmute"), ("block", "unblock")] {
        let tie = |what: &str| {
            let path = format!("/api/v1/accounts/{of_ben}/{what}");
            assert_eq!(ada.post(&path, &json!({})).status, 200, "{path}");
        };
        tie(what);
        assert_eq!(told(""), [repost.as_str()], "{what}");
        tie(undo);
        assert_eq!(told("").len(), 2, "{undo}");
    }
    // A post takes with it what befell it.
    let gone = ada.send("DELETE", &format!("/api/v1/statuses/{post}"), &Value::Null, None);
    assert_eq!((gone.status, told("").len()), (200, 0));
}

/// Two apps, and the form of the page, each say something else of the same profile at the same time.
#[test]
fn changes_of_a_profile_that_meet_all_stand() {
    let cluster = one_machine();
    let app = App::joined(&cluster, "ada");
    let mut ada = cluster.person("ada");
    assert_eq!(ada.login().status, 303);
    let patch = |field: &str, said: &str| {
        let says = json!({ field: said });
        let answer = app.send("PATCH", "/api/v1/accounts/update_credentials", &says, None);
        assert_eq!(answer.status, 200, "{field}");
    };
    for round in 0..12 {
        let [name, note] = ["Ada", "Gulls"].map(|said| format!("{said} {round}"));
        std::thread::scope(|scope| {
            scope.spawn(|| patch("display_name", &name));
            scope.spawn(|| patch("note", &note));
        });
        let now = app.get("/api/v1/accounts/verify_credentials");
        assert_eq!(
            (now.text("display_name"), now.value["source"]["note"].as_str()),
            (name, Some(note.as_str()))
        );
        let page = "/settings/profile";
        let only = if round % 2 == 0 { [("members_only", "1")].as_slice() } else { &[] };
        let mut form = ada.get(page).form(page);
        form.fields.retain(|(name, _)| name != "members_only");
        std::thread::scope(|scope| {
            scope.spawn(|| patch("note", "Terns"));
            assert_eq!(ada.submit(&form, only).status, 303);
        });
        let is_only = ada.get(page).body.contains("name=\"members_only\" value=\"1\" checked");
        assert_eq!(is_only, round % 2 == 0, "{round}");
    }
}

#[test]
fn profile_changed_in_what_is_sent() {
    let cluster = one_machine();
    let app = App::joined(&cluster, "ada");
    let path = "/api/v1/accounts/update_credentials";
    let patch = |says: &serde_json::Value| app.send("PATCH", path, says, None);
    let changed = patch(&json!({ "display_name": "Ada <b>", "note": "Tea\n& cake", "bot": true }));
    assert_eq!(changed.text("display_name"), "Ada <b>");
    assert_eq!(changed.value["source"]["note"], json!("Tea\n& cake"));
    assert_eq!(changed.text("note"), "<p>Tea<br>&amp; cake</p>");
    let changed = patch(&json!({ "note": "" }));
    assert_eq!(
        (changed.text("display_name").as_str(), changed.text("note").as_str()),
        ("Ada <b>", "")
    );
    for body in ["form", "parts", "picture"] {
        let part = |name: &str, value: &str| {
            format!("--x7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let (kind, body, status, name) = match body {
            "form" => {
                ("application/x-www-form-urlencoded", "display_name=Ada+L".to_owned(), 200, "Ada L")
            }
            "parts" => (
                "multipart/form-data; boundary=x7",
                part("display_name", "Ada M") + "--x7--\r\n",
                200,
                "Ada M",
            ),
            _ => {
                let file = part("avatar\"; filename=\"a.png", "\u{1}") + "--x7--\r\n";
                ("multipart/form-data; boundary=x7", file, 422, "Ada M")
            }
        };
        let request = ureq::http::Request::builder()
            .method("PATCH")
            .uri(format!("{}{path}", app.base))
            .header("Authorization", format!("Bearer {}", app.token.clone().unwrap_or_default()))
            .header("Content-Type", kind);
        let answer = request.body(body).map_err(ureq::Error::from).and_then(|it| app.agent.run(it));
        assert_eq!(answer.map(|answer| answer.status().as_u16()).ok(), Some(status), "{kind}");
        let now = app.get("/api/v1/accounts/verify_credentials");
        assert_eq!(now.text("display_name"), name, "{kind}");
    }
    assert_eq!(patch(&json!({ "display_name": "x".repeat(500) })).status, 422);
}

#[test]
fn posts_seen_from_all_sides() {
    let cluster = one_machine();
    let app = App::joined(&cluster, "ada");
    let post = app.write("Green tea #tea #green");
    let other = app.write("Black tea #tea #black");
    let ids = |path: &str| app.get(&format!("/api/v1/timelines/tag/{path}")).ids();
    assert_eq!(ids("tea"), [other.clone(), post.clone()]);
    assert_eq!(ids("green?any[]=black&any[]=tea"), [other.clone(), post.clone()]);
    assert_eq!(ids("green?any[]=black&min_id=1"), [other.clone(), post.clone()]);
    assert_eq!(ids("tea?all[]=green"), [post.as_str()]);
    assert_eq!(ids("tea?none[]=green"), [other.as_str()]);
    let own = app.account();
    assert_eq!(
        app.get(&format!("/api/v1/accounts/{own}/statuses?tagged=green")).ids(),
        [post.as_str()]
    );
    let found =
        |query: &str| app.get(&format!("/api/v2/search?q={query}")).value["statuses"].clone();
    assert_eq!(found("blac&type=statuses")[0]["id"], json!(other));
    assert_eq!(found("blac"), json!([]));
    let at = format!("/api/v1/statuses/{post}");
    assert_eq!(app.send("PUT", &at, &json!({ "status": "Green" }), None).status, 200);
    let history = app.get(&format!("{at}/history")).value;
    assert_eq!(history[1]["content"], json!("<p>Green</p>"), "{history}");
    assert_eq!(history.as_array().map(Vec::len), Some(2));
    for (list, act) in [("favourited_by", "favourite"), ("reblogged_by", "reblog")] {
        assert_eq!(app.get(&format!("{at}/{list}")).value, json!([]));
        assert_eq!(app.post(&format!("{at}/{act}"), &json!({})).status, 200);
        assert_eq!(app.get(&format!("{at}/{list}")).value[0]["acct"], json!("ada"), "{list}");
    }
    assert_eq!(app.post(&format!("{at}/pin"), &json!({})).value["pinned"], json!(true));
    assert_eq!(app.post(&format!("{at}/unpin"), &json!({})).value["pinned"], json!(false));
    assert_eq!(app.post(&format!("{at}/mute"), &json!({})).value["muted"], json!(true));
    assert_eq!(app.post(&format!("{at}/unmute"), &json!({})).value["muted"], json!(false));
}
