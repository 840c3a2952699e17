//! A poll as people see and answer it.

use serde_json::json;

use super::desk::{Desk, small_community};
use super::is_skipped;
use crate::api::app::App;

#[test]
fn poll_is_seen_answered_and_seen_again() {
    if is_skipped("poll_is_seen_answered_and_seen_again") {
        return;
    }
    let cluster = small_community();
    let mut desk = Desk::at(&cluster, "polls");
    desk.join();
    let ben = App::joined(&cluster, "ben");
    let options = ["Tea at four, on the lawn if it is dry", "Größenwahn-Torte", "☕", "Nothing <3"];
    for (text, many) in [("One of these?", false), ("Some of these?", true)] {
        let poll = json!({ "options": options, "expires_in": 86_400, "multiple": many });
        let asked = ben.post("/api/v1/statuses", &json!({ "status": text, "poll": poll }));
        assert_eq!(asked.status, 200, "{asked:?}");
    }
    desk.goto("/public");
    desk.look("asked", 0);
    // Without a choice nothing is done, and it is said what is missing.
    desk.press("form.poll button");
    assert_eq!(desk.browser.status(), 422);
    desk.browser.wait_for_text("Choose something first.");
    let complaints = desk.browser.take_complaints();
    assert!(complaints.iter().all(|text| text.contains("status of 422")), "{complaints:?}");
    desk.goto("/public");
    desk.browser.find("[name=choice_2]").click_in_sight();
    desk.browser.find("[name=choice_4]").click_in_sight();
    desk.press("form.poll button");
    let voted = "return [...document.querySelectorAll('ul.poll b')].map((it) => it.previousSibling \
                 && it.parentNode.querySelector('bdi').textContent)";
    assert_eq!(desk.browser.run(voted), json!(["Größenwahn-Torte", "Nothing <3"]));
    desk.browser.find("[name=choice][value=\"2\"]").click_in_sight();
    desk.press("form.poll button");
    assert!(desk.browser.find_all("form.poll").is_empty());
    let said = desk.browser.run("return document.querySelectorAll('ul.poll')[1].textContent");
    assert!(said.as_str().unwrap().contains("☕ 100 % (1 vote) your choice"), "{said}");
    desk.look("answered", 0);
    // One's own, asked on a page; what is missing is said, and nothing is lost.
    desk.goto("/");
    desk.browser.find("[name=text]").fill("Who brings a boat?");
    desk.press("button[name=ask]");
    assert_eq!(desk.browser.find("[name=text]").property("value"), "Who brings a boat?");
    desk.look("asking", 0);
    desk.browser.find("[name=option_1]").fill("I do");
    desk.press("form[action=\"/post\"] button");
    assert_eq!(desk.browser.status(), 422);
    desk.browser.wait_for_text("A poll needs at least 2 options.");
    desk.browser.take_complaints();
    desk.browser.find("[name=option_4]").fill("Nobody, we swim");
    desk.press("form[action=\"/post\"] button");
    desk.browser.wait_for_text("Posted.");
    let options =
        "return [...document.querySelectorAll('ul.poll bdi')].map((it) => it.textContent)";
    assert_eq!(desk.browser.run(options), json!(["I do", "Nobody, we swim"]));
    assert_eq!(desk.faults, [""; 0]);
}

#[test]
fn r0042_poll_ends_in_the_readers_own_time() {
    if is_skipped("r0042_poll_ends_in_the_readers_own_time") {
        return;
    }
    let cluster = small_community();
    let desk = Desk::at(&cluster, "polls");
    desk.join();
    let ben = App::joined(&cluster, "ben");
    let poll = json!({ "options": ["Tea", "Cake"], "expires_in": 86_400 });
    let asked = ben.post("/api/v1/statuses", &json!({ "status": "Which?", "poll": poll }));
    assert_eq!(asked.status, 200, "{asked:?}");
    // Always 5 hours and 45 minutes ahead.
    let zone = json!({ "timezoneId": "Asia/Kathmandu" });
    desk.browser.chromium("Emulation.setTimezoneOverride", &zone);
    desk.goto("/public");
    let told = "const time = document.querySelector('.poll + .to time');
        const there = new Date(Date.parse(time.dateTime) + 345 * 60000).toISOString().slice(11, 16);
        return [time.textContent.includes(there), time.textContent];";
    let told = desk.browser.run(told);
    assert_eq!(told[0], json!(true), "{told}");
    // The post's own, opened, and what cannot run scripts.
    desk.press("article .at");
    let words = "return [...document.querySelectorAll('main time')].map((it) => it.textContent)";
    let words = desk.browser.run(words).to_string();
    assert!(!words.contains("UTC") && words.contains("20"), "{words}");
    desk.browser.set_scripts(false);
    desk.goto("/public");
    desk.browser.wait_for_text("Ends 24 hours from now");
}
