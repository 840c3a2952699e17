//! What somebody types stays and stands where it belongs, whatever they press besides.

use serde_json::json;

use super::desk::{Desk, small_community};
use super::is_skipped;
use super::keyboard::TAB;
use crate::cluster::harness::Cluster;
use crate::cluster::person::Person;

const TYPED: &str = "Frost tonight, and the beans are out.";
/// Where a page has its box.
const BOX: &str = "textarea[name=text]";

/// Ada at her browser, and Ben, who has asked something at the second address.
fn ada_and_ben(cluster: &Cluster) -> (Desk<'_>, Person, String) {
    let desk = Desk::at(cluster, "typed");
    desk.browser.set_size(1_200, 900);
    desk.join();
    let mut ben = cluster.person("ben");
    ben.join();
    let asked = ben.post("Who has the chapel key?").location.expect("saved");
    let (_, id) = asked.split_once("posted=").expect("a post's number");
    (desk, ben, format!("/@ben/{id}"))
}

impl Desk<'_> {
    fn typed(&self) -> String {
        self.browser.find(BOX).property("value")
    }

    /// Tells, as the script does after a while, that there is something new.
    fn hear_of_new_posts(&self) {
        self.browser.run("document.querySelector('#new a').textContent = '1 new post'");
    }

    /// What the box of the page at `path` holds when one comes there.
    fn found_at(&self, path: &str) -> String {
        self.browser.open(&format!("{}{path}", self.cluster.address()));
        self.typed()
    }

    fn type_letters(&self, letters: &str) {
        self.browser.press(letters.chars());
    }

    /// Presses a key that leads to another page.
    fn press_key(&self, key: char) {
        let before = self.browser.page_mark();
        self.browser.press([key]);
        self.browser.wait_for_page(&before);
    }
}

#[test]
fn r0037_what_was_typed_outlasts_new_posts_and_other_buttons() {
    if is_skipped("r0037_what_was_typed_outlasts_new_posts_and_other_buttons") {
        return;
    }
    let cluster = small_community();
    let (desk, mut ben, asked) = ada_and_ben(&cluster);
    let browser = &desk.browser;
    desk.goto("/public");
    browser.find(BOX).fill(TYPED);
    browser.find("#cn").fill("cold");
    browser.run("document.querySelector('#ca').value = 'followers'");
    ben.post("And who has the kettle?");
    desk.hear_of_new_posts();
    desk.press("#new a");
    browser.wait_for_text("And who has the kettle?");
    assert_eq!(desk.typed(), TYPED);
    // With who may read it and what it is about, or it would be told to others than it was meant for.
    let beside = "return ['cn', 'ca'].map((id) => document.getElementById(id).value)";
    assert_eq!(browser.run(beside), json!(["cold", "followers"]));
    assert_eq!(browser.run("return document.querySelector('.fold').open"), json!(true));
    browser.run("document.activeElement.blur()");
    desk.hear_of_new_posts();
    desk.press_key('.');
    assert_eq!(desk.typed(), TYPED);
    desk.press("button[formaction$=\"/like\"]");
    assert_eq!(desk.typed(), TYPED);
    // Each box has its own.
    let reply = format!("@ben {TYPED}");
    assert_eq!(desk.found_at(&asked), "@ben ");
    browser.find(BOX).fill(&reply);
    desk.press("button[formaction$=\"/repost\"]");
    assert_eq!(desk.typed(), reply);
    // Room for pictures takes along what was typed, and the way back does.
    assert_eq!(desk.found_at("/"), TYPED);
    desk.press("button[name=more]");
    assert_eq!(desk.typed(), TYPED);
    desk.press("button[name=back]");
    assert_eq!(desk.typed(), TYPED);
    // So does the way out of a page that gives it back.
    let long = TYPED.repeat(20);
    browser.find(BOX).fill(&long);
    desk.press("form[action=\"/post\"] button");
    assert_eq!((browser.status(), desk.typed()), (422, long.clone()));
    desk.press("form[action=\"/post\"] .row a");
    assert_eq!(desk.typed(), long);
    browser.find(BOX).fill(TYPED);
    let complaints = browser.take_complaints();
    assert!(complaints.iter().all(|text| text.contains("status of 422")), "{complaints:?}");
    // What was sent, emptied or signed out of is forgotten.
    desk.press("form[action=\"/post\"] button");
    browser.wait_for_text("Posted.");
    assert_eq!([desk.typed(), desk.found_at("/public")], ["", ""]);
    assert_eq!(desk.found_at(&asked), reply);
    browser.find(BOX).fill("");
    assert_eq!([desk.found_at("/"), desk.found_at(&asked)], ["", "@ben "]);
    browser.find(BOX).fill(&reply);
    desk.goto("/@ada");
    let kept = "return sessionStorage.length";
    assert_eq!(browser.run(kept), json!(1));
    desk.press("form[action=\"/logout\"] button");
    assert_eq!(browser.run(kept), json!(0));
    assert_eq!(browser.take_complaints(), [""; 0]);
}

#[test]
fn r0037_nothing_is_kept_of_passwords_and_other_forms() {
    if is_skipped("r0037_nothing_is_kept_of_passwords_and_other_forms") {
        return;
    }
    let cluster = small_community();
    let (desk, _, asked) = ada_and_ben(&cluster);
    let report = format!("{asked}/report");
    for (page, field) in [
        ("/settings/profile", "bio"),
        ("/settings/password", "current"),
        ("/search", "q"),
        (report.as_str(), "reason"),
    ] {
        desk.goto(page);
        desk.browser.find(&format!("[name={field}]")).fill("seven green gloves");
        desk.goto("/status");
        assert_eq!(desk.browser.run("return sessionStorage.length"), json!(0), "{page}");
    }
}

#[test]
fn r0038_reply_by_keyboard_stands_behind_whom_it_names() {
    if is_skipped("r0038_reply_by_keyboard_stands_behind_whom_it_names") {
        return;
    }
    let cluster = small_community();
    let (desk, _, asked) = ada_and_ben(&cluster);
    desk.goto(&asked);
    desk.browser.tab_to(BOX);
    desk.type_letters("Thanks");
    assert_eq!(desk.typed(), "@ben Thanks");
    // Who goes back to it finds the cursor where it was.
    desk.browser.run("document.querySelector('textarea').setSelectionRange(5, 5)");
    desk.browser.press([TAB]);
    desk.browser.run("document.querySelector('textarea').focus()");
    desk.type_letters("so ");
    assert_eq!(desk.typed(), "@ben so Thanks");
}

#[test]
fn r0039_key_to_reply_puts_the_cursor_into_the_box() {
    if is_skipped("r0039_key_to_reply_puts_the_cursor_into_the_box") {
        return;
    }
    let cluster = small_community();
    let (desk, _, asked) = ada_and_ben(&cluster);
    desk.goto("/public");
    desk.type_letters("j");
    desk.press_key('r');
    desk.type_letters("nice job");
    assert_eq!(desk.typed(), "@ben nice job");
    assert!(desk.browser.url().contains(&asked), "{}", desk.browser.url());
    // On the post's own page.
    desk.browser.find(BOX).fill("");
    desk.goto(&asked);
    desk.type_letters("jrmine");
    assert_eq!(desk.typed(), "@ben mine");
    // And the key to search into the box there.
    desk.goto("/public");
    desk.press_key('/');
    desk.type_letters("gloves");
    assert_eq!(desk.browser.find("[name=q]").property("value"), "gloves");
    // Without scripts a press of the link does it.
    desk.browser.set_scripts(false);
    desk.goto("/public");
    desk.press(".post .acts a");
    let focused = "return document.activeElement.name";
    super::until("the box has the focus", || (desk.browser.run(focused) == "text").then_some(()));
}
