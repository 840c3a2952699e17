//! From the landing page to a reply that is posted, without a mouse: with scripts and without.

use super::keyboard::TAB;
use super::webdriver::Browser;
use super::{is_skipped, until};
use crate::cluster::harness::{Cluster, Options};

#[test]
fn from_landing_to_a_reply_by_keyboard_alone() {
    if is_skipped("from_landing_to_a_reply_by_keyboard_alone") {
        return;
    }
    let cluster = Cluster::start(Options::default());
    let mut ben = cluster.person("ben");
    ben.join();
    until("a post of Ben's", || (ben.post("Who has the chapel key?").status == 303).then_some(()));
    let browser = Browser::start();
    // A phone's keyboard, and a desk's.
    for (name, has_scripts, (width, height)) in
        [("mina", true, (1_200, 900)), ("ines", false, (390, 844))]
    {
        browser.set_size(width, height);
        browser.set_scripts(has_scripts);
        join_and_answer(&browser, &cluster.address(), name);
        leave(&browser);
    }
}

fn join_and_answer(browser: &Browser, site: &str, name: &str) {
    browser.open(site);
    browser.press([TAB]);
    assert!(browser.focused().expect("a first stop").0.contains("Skip to content"));
    browser.tab_to("main a[href=\"/join\"]");
    browser.enter();
    for (field, text) in [
        ("username", name),
        ("display_name", "Mina of number nine"),
        ("password", "hens & chickens"),
    ] {
        browser.tab_to(&format!("[name={field}]"));
        browser.press(text.chars());
    }
    browser.tab_to("form[action=\"/join\"] button");
    browser.enter();
    assert_eq!(browser.find("h1").text(), "Home", "{}", browser.page_text());

    browser.tab_to("nav a[href=\"/public\"]");
    browser.enter();
    browser.tab_to("a.at[href^=\"/@ben/\"]");
    browser.enter();
    let thread = browser.url();
    browser.tab_to("[name=text]");
    assert_eq!(browser.find("[name=text]").property("value").trim_end(), "@ben");
    let reply = format!("It is with {name} until Thursday.");
    browser.press(reply.chars());
    browser.tab_to("form[action=\"/post\"] button");
    browser.enter();
    browser.wait_for_text("Posted.");
    browser.wait_for_text(&reply);
    assert!(browser.url().starts_with(&thread), "{}", browser.url());
}

/// So that the next one comes as a stranger.
fn leave(browser: &Browser) {
    browser.tab_to("nav a[href^=\"/@\"]");
    browser.enter();
    browser.tab_to("form[action=\"/logout\"] button");
    browser.enter();
    browser.find_labelled("Join");
}
