//! Polls as apps ask, see and answer them.

use std::io::{BufRead, BufReader};

use rustix::process::Signal;
use serde_json::{Value, json};
use tern::limits::{POLL_OPTION_CHARS_MAX, POLL_S_MAX};

use super::app::{App, Heard, OUT_OF_BAND, one_machine};
use crate::cluster::harness::{Cluster, Options, eventually};
use crate::torture::machine::faketime;

const STATUSES: &str = "/api/v1/statuses";
const SOON: std::time::Duration = std::time::Duration::from_secs(20);

fn asking(options: &[&str], more: &Value) -> Value {
    let mut poll = json!({ "options": options, "expires_in": 600 });
    poll.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "status": "Which?", "poll": poll })
}

/// Asks, and gives the numbers of the post and of the poll.
fn asks(app: &App, says: &Value) -> [String; 2] {
    let asked = app.post(STATUSES, says);
    assert_eq!(asked.status, 200, "{asked:?}");
    [asked.text("id"), asked.value["poll"]["id"].as_str().unwrap().to_owned()]
}

fn vote(app: &App, poll: &str, choices: &Value) -> Heard {
    app.post(&format!("/api/v1/polls/{poll}/votes"), &json!({ "choices": choices }))
}

/// How many chose each.
fn counts(poll: &Value) -> Vec<Value> {
    let options = poll["options"].as_array().cloned().unwrap_or_default();
    options.iter().map(|option| option["votes_count"].clone()).collect()
}

#[test]
fn poll_asked_answered_and_told_everywhere() {
    let cluster = Cluster::start(Options::default());
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| App::joined(&cluster, name));
    let says = asking(&["Tea <3", "Cake", "Fig"], &json!({ "multiple": true }));
    let [post, poll] = asks(&ada, &says);
    assert!(post != poll && post.len() == poll.len());
    let of = |app: &App| app.get(&format!("/api/v1/polls/{poll}")).value;
    let own = of(&ada);
    for (field, value) in [
        ("expired", json!(false)),
        ("multiple", json!(true)),
        ("votes_count", json!(0)),
        ("voters_count", json!(0)),
        ("voted", json!(true)),
        ("own_votes", json!([])),
        ("emojis", json!([])),
        ("id", json!(poll)),
    ] {
        assert_eq!(own[field], value, "{field}: {own}");
    }
    assert_eq!(own["options"][0], json!({ "title": "Tea <3", "votes_count": 0 }));
    assert!(own["expires_at"].as_str().unwrap().ends_with('Z'));
    let stranger = App::introduce(&cluster.address(), "read", OUT_OF_BAND);
    eventually("the poll", SOON, || Some(of(&stranger)).filter(|it| it["id"] == json!(poll)));
    assert_eq!(ada.get(&format!("{STATUSES}/{post}")).value["poll"], own);

    // A machine dies, and votes are taken.
    cluster.kill(2, Signal::KILL);
    let voted = vote(&ben, &poll, &json!([2, "0", 2]));
    assert_eq!(voted.status, 200, "{voted:?}");
    assert_eq!(voted.value["own_votes"], json!([0, 2]));
    assert_eq!(
        (&voted.value["voted"], counts(&voted.value)),
        (&json!(true), json!([1, 0, 1]).as_array().unwrap().clone())
    );
    assert_eq!((&voted.value["votes_count"], &voted.value["voters_count"]), (&json!(2), &json!(1)));
    let key = Some("once");
    let path = format!("/api/v1/polls/{poll}/votes");
    let says = json!({ "choices": [0] });
    for _ in 0..2 {
        let again = cleo.send("POST", &path, &says, key);
        assert_eq!((again.status, &again.value["voters_count"]), (200, &json!(2)), "{again:?}");
    }
    let told = || Some(of(&ada)).filter(|it| it["voters_count"] == json!(2));
    assert_eq!(counts(&eventually("both votes", SOON, told)), [json!(2), json!(0), json!(1)]);

    // What is edited asks the same; what is deleted asks nothing, and says what it asked.
    let path = format!("{STATUSES}/{post}");
    let anew = ada.send("PUT", &path, &json!({ "status": "Which one?" }), None);
    assert_eq!((anew.status, &anew.value["poll"]["voters_count"]), (200, &json!(2)), "{anew:?}");
    let same = asking(&["Tea <3", "Cake", "Fig"], &json!({ "multiple": true }));
    assert_eq!(ada.send("PUT", &path, &same, None).status, 200);
    let other = asking(&["Tea", "Cake"], &json!({}));
    let refused = ada.send("PUT", &path, &other, None);
    assert_eq!((refused.status, refused.text("error").contains("stays")), (422, true));
    let gone = ada.send("DELETE", &path, &json!({}), None);
    assert_eq!(gone.value["poll"]["options"][2]["title"], json!("Fig"), "{gone:?}");
    assert_eq!(vote(&cleo, &poll, &json!([1])).status, 404);
    assert_eq!(cleo.get(&format!("/api/v1/polls/{poll}")).status, 404);
}

#[test]
fn poll_that_cannot_be_asked_is_refused_and_nothing_posted() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    let long = "x".repeat(POLL_OPTION_CHARS_MAX + 1);
    let picture = ada.send_picture(&super::media::small(), "");
    let none = json!({});
    let lasts = |seconds: Value| json!({ "expires_in": seconds });
    for (options, more, why) in [
        (&["Tea"][..], &none, "at least 2 options"),
        (&[][..], &none, "at least 2 options"),
        (&["1", "2", "3", "4", "5"][..], &none, "at most 4 options"),
        (&["Tea", " tea", "Tea"][..], &none, "say the same"),
        (&["Tea", " "][..], &none, "says something"),
        (&["Tea", &long][..], &none, "1 character too many"),
        (&["Tea", "Cake"][..], &lasts(json!(299)), "five minutes"),
        (&["Tea", "Cake"][..], &lasts(json!(POLL_S_MAX + 1)), "to a month"),
        (&["Tea", "Cake"][..], &lasts(json!(-5)), "number of seconds"),
        (&["Tea", "Cake"][..], &lasts(json!("soon")), "number of seconds"),
    ] {
        let refused = ada.post(STATUSES, &asking(options, more));
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(refused.text("error").contains(why), "{why}: {refused:?}");
    }
    let mut both = asking(&["Tea", "Cake"], &none);
    both["media_ids"] = json!([picture]);
    let refused = ada.post(STATUSES, &both);
    assert!(refused.status == 422 && refused.text("error").contains("not both"), "{refused:?}");
    assert_eq!(ada.get("/api/v1/timelines/home").ids().len(), 0);
    // In parts; and a poll needs no text.
    let fields = [("poll[options][]", "Tea"), ("poll[options][]", "Cake")];
    let fields = [&fields[..], &[("poll[expires_in]", "300"), ("poll[hide_totals]", "1")]];
    let asked = ada.send_parts(("POST", STATUSES), &fields.concat(), &[]).unwrap();
    assert_eq!((asked.status, asked.text("content").as_str()), (200, ""), "{asked:?}");
    assert_eq!(counts(&asked.value["poll"]), [json!(null), json!(null)]);
    let configured = ada.get("/api/v1/instance").value["configuration"]["polls"].clone();
    let limits = json!({
        "max_options": 4, "max_characters_per_option": POLL_OPTION_CHARS_MAX,
        "min_expiration": 300, "max_expiration": POLL_S_MAX,
    });
    assert_eq!(configured, limits);
}

#[test]
fn vote_that_cannot_be_cast_is_refused_and_nothing_counted() {
    let cluster = one_machine();
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| App::joined(&cluster, name));
    let [post, poll] = asks(&ada, &asking(&["Tea", "Cake"], &json!({})));
    for (app, number, choices, status) in [
        (&ada, &poll, json!([0]), 422),
        (&ben, &poll, json!([]), 422),
        (&ben, &poll, json!([2]), 422),
        (&ben, &poll, json!([-1]), 422),
        (&ben, &poll, json!(["Tea"]), 422),
        (&ben, &poll, json!([0, 1]), 422),
        (&ben, &post, json!([0]), 404),
        (&ben, &"17".to_owned(), json!([0]), 404),
        (&ben, &"poll".to_owned(), json!([0]), 404),
        (&ben, &"0".to_owned(), json!([0]), 404),
        (&ben, &u64::MAX.to_string(), json!([0]), 404),
    ] {
        let refused = vote(app, number, &choices);
        assert_eq!(refused.status, status, "{number} {choices}: {refused:?}");
        assert!(!refused.text("error").is_empty());
    }
    // The numbers of posts and of polls are different things.
    assert_eq!(ben.get(&format!("/api/v1/polls/{post}")).status, 404);
    assert_eq!(ben.get(&format!("{STATUSES}/{poll}")).status, 404);
    let plain = cleo.write("No poll");
    let beside = (plain.parse::<u64>().unwrap() + 5).to_string();
    assert_eq!(vote(&ben, &beside, &json!([0])).status, 404);
    assert_eq!(vote(&ben, &poll, &json!([1])).status, 200);
    let twice = vote(&ben, &poll, &json!([1]));
    assert!(twice.status == 422 && twice.text("error").contains("before"), "{twice:?}");
    assert_eq!(counts(&ben.get(&format!("/api/v1/polls/{poll}")).value), [json!(0), json!(1)]);

    // Who may not read what asks learns nothing of it.
    let mut few = asking(&["Tea", "Cake"], &json!({}));
    few["visibility"] = json!("direct");
    few["status"] = json!("@cleo Which?");
    let [_, few] = asks(&ada, &few);
    assert_eq!(vote(&ben, &few, &json!([0])).status, 404);
    assert_eq!(ben.get(&format!("/api/v1/polls/{few}")).status, 404);
    assert_eq!(vote(&cleo, &few, &json!([0])).status, 200);
    let block = format!("/api/v1/accounts/{}/block", ben.account());
    assert_eq!(ada.post(&block, &json!({})).status, 200);
    let [_, next] = asks(&ada, &asking(&["Tea", "Cake"], &json!({})));
    assert_eq!(vote(&ben, &next, &json!([0])).status, 404);
}

/// A cluster of one machine, and the file that says how far its clock is ahead; none without faketime.
fn with_clock() -> Option<(Cluster, tempfile::NamedTempFile)> {
    let Some(library) = faketime() else {
        println!("left out: the end of a poll (no faketime; Debian: faketime)");
        return None;
    };
    let clock = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&clock, "+0\n").unwrap();
    let pairs =
        [("LD_PRELOAD", library.as_ref()), ("FAKETIME_TIMESTAMP_FILE", clock.path().as_os_str())];
    let set = ["FAKETIME_NO_CACHE", "DONT_FAKE_MONOTONIC", "FAKETIME_DONT_FAKE_MONOTONIC"];
    let set = set.map(|name| (name, "1".as_ref()));
    let environment = pairs.into_iter().chain(set);
    let environment =
        environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Some((Cluster::start(Options { backends: 1, environment, ..Options::default() }), clock))
}

#[test]
fn poll_over_takes_no_votes_and_is_told_to_whom_it_concerns() {
    let Some((cluster, clock)) = with_clock() else { return };
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| App::joined(&cluster, name));
    let [post, poll] = asks(&ada, &asking(&["Tea", "Cake"], &json!({ "hide_totals": true })));
    assert_eq!(vote(&ben, &poll, &json!([1])).status, 200);
    let of = |app: &App| app.get(&format!("/api/v1/polls/{poll}")).value;
    assert_eq!(counts(&of(&ben)), [json!(null), json!(null)]);
    let news = |app: &App| app.get("/api/v1/notifications?types[]=poll").value;
    assert_eq!(news(&ben), json!([]));

    std::fs::write(&clock, "+11m\n").unwrap();
    let over = of(&ben);
    assert_eq!((&over["expired"], counts(&over)), (&json!(true), vec![json!(0), json!(1)]));
    let late = vote(&cleo, &poll, &json!([0]));
    assert!(late.status == 422 && late.text("error").contains("ended"), "{late:?}");
    for app in [&ada, &ben] {
        let told = news(app);
        let expected = (json!("poll"), json!("ada"), json!(post));
        let first = &told[0];
        let found = (&first["type"], &first["account"]["acct"], &first["status"]["id"]);
        assert_eq!(found, (&expected.0, &expected.1, &expected.2), "{told}");
        assert_eq!(first["created_at"], over["expires_at"]);
        assert_eq!(told.as_array().unwrap().len(), 1);
        let one = format!("/api/v1/notifications/{}", first["id"].as_str().unwrap());
        assert_eq!(app.get(&one).value, *first);
        let count = app.get("/api/v1/notifications/unread_count").value["count"].clone();
        assert_eq!(count, json!(1));
    }
    assert_eq!(news(&cleo), json!([]));
    assert_eq!(ben.get("/api/v1/notifications?exclude_types[]=poll").value, json!([]));
}

#[test]
fn r0110_poll_over_is_heard_of_by_whom_it_concerns_once() {
    let Some((cluster, clock)) = with_clock() else { return };
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| App::joined(&cluster, name));
    let [_, poll] = asks(&ada, &asking(&["Tea", "Cake"], &json!({})));
    assert_eq!(vote(&ben, &poll, &json!([1])).status, 200);
    let streams = [&ada, &ben, &cleo].map(|app| app.listen("/api/v1/streaming/user"));
    std::fs::write(&clock, "+11m\n").unwrap();
    let in_list = |app: &App| app.get("/api/v1/notifications?types[]=poll").value[0].clone();
    // Told a moment later than the end, and no other time.
    let mut news = streams.map(|stream| {
        let lines = BufReader::new(stream.into_body().into_reader()).lines().map(Result::unwrap);
        let mut is_news = false;
        lines.filter_map(move |line| {
            let data =
                line.strip_prefix("data: ").filter(|_| is_news).map(serde_json::from_str::<Value>);
            is_news = line == "event: notification";
            data.map(Result::unwrap)
        })
    });
    for (app, news) in [&ada, &ben].into_iter().zip(&mut news) {
        assert_eq!(news.next(), Some(in_list(app)));
    }
    cleo.write("@ada @ben");
    ada.write("@cleo");
    for news in &mut news {
        assert_eq!(news.next().unwrap()["type"], json!("mention"));
    }
}

/// A number of seconds was taken as digits alone, and an option of blanks was.
#[test]
fn r0094_numbers_of_all_kinds_taken_and_blank_options_refused() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    for seconds in [json!(300), json!(300.0), json!("300"), json!("300.0"), json!(3e2)] {
        let says = asking(&["Tea", "Cake"], &json!({ "expires_in": seconds }));
        let asked = ada.post(STATUSES, &says);
        assert_eq!(asked.status, 200, "{seconds} {asked:?}");
    }
    for seconds in [json!(300.5), json!(-300), json!("soon"), json!(""), json!(1e300), json!(true)]
    {
        let says = asking(&["Tea", "Cake"], &json!({ "expires_in": seconds }));
        let refused = ada.post(STATUSES, &says);
        let error = refused.text("error");
        assert!(refused.status == 422 && error.contains("expires_in"), "{seconds} {error}");
    }
    for blank in ["", "  ", "\u{200b}"] {
        let refused = ada.post(STATUSES, &asking(&["Tea", "Cake", blank], &json!({})));
        let error = refused.text("error");
        assert!(refused.status == 422 && error.contains("option"), "{blank:?} {error}");
    }
}
