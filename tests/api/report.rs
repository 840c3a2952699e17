//! Posts that apps report.

use serde_json::{Value, json};

use super::app::{App, one_machine};

const REPORTS: &str = "/api/v1/reports";

#[test]
fn posts_reported_reach_the_keepers_and_nobody_reports_what_they_do_not_see() {
    let cluster = one_machine();
    let mut people = ["ada", "ben", "kim"].map(|name| cluster.person(name));
    for person in &mut people {
        person.join();
    }
    cluster.order(&["admin", "kim"]);
    let [ada, ben, kim] = &mut people;
    let [of_ada, of_ben] = [ada, ben].map(|person| App::of(&cluster, person, "read write"));
    let (first, second) = (of_ben.write("Buy my tulips"), of_ben.write("Buy my roses"));
    let report = |account: &str, posts: &[&str], more: &Value| {
        let mut says = json!({ "account_id": account, "status_ids": posts });
        says.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        of_ada.post(REPORTS, &says)
    };

    let wordy = json!({ "comment": "Sells <b>flowers</b>", "category": "spam", "forward": true });
    let heard = report(&of_ben.account(), &[&first], &wordy);
    assert_eq!(heard.status, 200, "{heard:?}");
    assert_eq!(heard.value["target_account"]["acct"], json!("ben"));
    assert_eq!(heard.value["status_ids"], json!([first]));
    assert_eq!((heard.text("category"), heard.text("comment").len()), ("spam".to_owned(), 20));
    let silent = json!({ "category": "spam", "comment": " " });
    let heard = report(&of_ben.account(), &[&first, &second, &second], &silent);
    assert_eq!((heard.status, &heard.value["status_ids"]), (200, &json!([first, second])));
    kim.login();
    let seen = kim.get("/mod").body;
    assert!(seen.contains("Buy my tulips") && seen.contains("Buy my roses"), "{seen}");
    assert!(seen.contains("spam") && !seen.contains("<b>flowers"), "{seen}");

    let none = json!({});
    let own = of_ada.write("My own, which names @ben");
    let many: Vec<_> = (1..=11).map(|n| n.to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let long = json!({ "comment": "x".repeat(201) });
    for (account, posts, more, status, why) in [
        (of_ben.account(), &[][..], &none, 422, "choose the posts"),
        (of_ben.account(), &many[..], &none, 422, "10 posts at most"),
        (of_ben.account(), &[own.as_str()][..], &none, 404, "not found"),
        (of_ben.account(), &["17"][..], &none, 404, "not found"),
        (of_ben.account(), &["tulips"][..], &none, 404, "not found"),
        (of_ada.account(), &[own.as_str()][..], &none, 422, "that is you"),
        (of_ben.account(), &[first.as_str()][..], &long, 422, "200"),
        ("17".to_owned(), &[first.as_str()][..], &none, 404, "not found"),
    ] {
        let heard = report(&account, posts, more);
        assert_eq!(heard.status, status, "{heard:?}");
        assert!(heard.text("error").contains(why), "{heard:?}");
    }
    // All of it or nothing.
    let half = json!({ "comment": "half of it" });
    assert_eq!(report(&of_ben.account(), &[&first, &own], &half).status, 404);
    assert!(!kim.get("/mod").body.contains("half of it"));
    // Whoever is blocked sees no posts, and so reports none.
    of_ben.post(&format!("/api/v1/accounts/{}/block", of_ada.account()), &none);
    assert_eq!(report(&of_ben.account(), &[&first], &none).status, 404);
}
