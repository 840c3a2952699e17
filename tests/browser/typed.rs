//! What somebody types stays and stands where it belongs, whatever they press besides.

use serde_json::json;

use super::desk::{Desk, small_community};
use super::is_skipped;
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
    // Without scripts a press of the link does it.
    desk.browser.set_scripts(false);
    desk.goto("/public");
    desk.press(".post .acts a");
    let focused = "return document.activeElement.name";
    super::until("the box has the focus", || (desk.browser.run(focused) == "text").then_some(()));
}
