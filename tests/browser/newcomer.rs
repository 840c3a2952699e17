//! Somebody who has never seen it, on a phone: joins, posts, finds a friend, answers and leaves, by what
//! the pages say alone. Without scripts; in a full run with them too.

use super::emulate::Scheme;
use super::view::{pictures, sideways};
use super::webdriver::Browser;
use super::{is_full_run, is_skipped, until};
use crate::cluster::harness::{Cluster, Options};

/// A phone.
const PHONE: (u32, u32) = (390, 844);

/// A newcomer and their phone.
struct Newcomer<'c> {
    browser: Browser,
    site: String,
    cluster: &'c Cluster,
    name: &'static str,
    has_scripts: bool,
    /// Pages seen so far: the names of their pictures begin with it.
    pages: u32,
}

#[test]
fn newcomer_joins_posts_finds_a_friend_answers_and_leaves() {
    if is_skipped("newcomer_joins_posts_finds_a_friend_answers_and_leaves") {
        return;
    }
    let more = vec!["--community=Fen Lane".to_owned()];
    let cluster = Cluster::start(Options { more, ..Options::default() });
    let mut ben = cluster.person("ben");
    ben.join();
    until("a post of Ben's", || (ben.post("Who has the chapel key?").status == 303).then_some(()));
    let ways = [("mina", false), ("ines", true)];
    for (name, has_scripts) in ways.into_iter().filter(|(_, scripts)| !scripts || is_full_run()) {
        let browser = Browser::start();
        browser.set_scripts(has_scripts);
        browser.set_scheme(Scheme::Light);
        let site = cluster.address();
        let mut newcomer =
            Newcomer { browser, site, cluster: &cluster, name, has_scripts, pages: 0 };
        newcomer.comes_in();
        newcomer.finds_a_friend();
        newcomer.leaves();
    }
}

impl Newcomer<'_> {
    fn comes_in(&mut self) {
        self.browser.open(&self.site.clone());
        self.look("landing");
        self.press("Join");
        self.look("join");
        self.fill("Username", self.name);
        self.fill("Display name", "Mina of number nine");
        self.fill("Password", "hens & chickens");
        self.press("Create account");
        self.look("joined");
        self.fill("Write a post", "Hello, I am new on the lane.");
        self.press("Post");
        self.browser.wait_for_text("Posted.");
        // Whoever follows nobody yet is shown whom they could.
        self.browser.wait_for_text("People to follow");
        self.look("posted");
    }

    fn finds_a_friend(&mut self) {
        self.press("Search");
        self.look("search");
        self.fill("Search for", "ben");
        self.press_button("Search");
        self.look("found");
        self.press_button("Follow ben");
        self.browser.find_labelled("Unfollow");
        self.look("followed");
        self.press("Home");
        self.browser.wait_for_text("Who has the chapel key?");
        assert!(!self.browser.page_text().contains("People to follow"));
        self.look("home");
        let before = self.browser.page_mark();
        self.browser.find("article a[href^=\"/@ben/\"][href$=\"#c\"]").click_in_sight();
        self.browser.wait_for_page(&before);
        self.look("thread");
        let field = self.browser.find("[name=text]");
        assert_eq!(field.property("value").trim_end(), "@ben");
        field.fill("@ben It is with me until Thursday.");
        self.press_button("Reply");
        self.browser.wait_for_text("Posted.");
        self.browser.wait_for_text("It is with me until Thursday.");
        self.look("answered");
    }

    fn leaves(&mut self) {
        self.press("You");
        self.look("own");
        self.press("Settings");
        self.look("settings");
        // The other settings stand in a menu, under the name of this one.
        self.browser.find("main summary").click_in_sight();
        self.look("menu");
        self.press("Leave");
        self.look("leave");
        self.fill("Username", self.name);
        self.fill("Password", "hens & chickens");
        self.press("Delete my account");
        self.look("left");
        self.browser.find_labelled("Join");
        let mut stranger = self.cluster.person("stranger");
        let path = format!("/@{}", self.name);
        until("gone", || (stranger.get(&path).status == 410).then_some(()));
    }

    /// Follows a link or presses a button as it is called, and waits for the page.
    fn press(&self, label: &str) {
        let before = self.browser.page_mark();
        self.browser.find_labelled(label).click_in_sight();
        self.browser.wait_for_page(&before);
    }

    /// Presses a button where a link is called the same, by the name that it is read out under.
    fn press_button(&self, label: &str) {
        let before = self.browser.page_mark();
        let named = format!("button[aria-label=\"{label}\" i]");
        let buttons = || {
            let named = self.browser.find_all(&named).into_iter();
            let all = self.browser.find_all("main button").into_iter();
            named.chain(all.filter(|button| button.text() == label)).next()
        };
        until(&format!("a button {label}"), buttons).click_in_sight();
        self.browser.wait_for_page(&before);
    }

    /// Types into the field that has this label.
    fn fill(&self, label: &str, text: &str) {
        let field = |label: &str| {
            let script = "const label = [...document.querySelectorAll('label')]\
                .find(it => it.textContent.trim() === arguments[0]); return label && label.htmlFor";
            let id = self.browser.run_on(script, &[label.into()]);
            id.as_str().map(str::to_owned)
        };
        let id = until(&format!("a field {label}"), || field(label));
        self.browser.find(&format!("[id=\"{id}\"]")).fill(text);
    }

    /// Takes a picture of what the phone shows, and of the whole page.
    fn look(&mut self, what: &str) {
        self.pages += 1;
        let (width, height) = PHONE;
        let scripts = if self.has_scripts { "-scripts" } else { "" };
        let name = format!("{:02}-{what}{scripts}.png", self.pages);
        self.browser.set_size(width, height);
        let wide = sideways(&self.browser);
        assert!(wide <= 0, "{what} is {wide} px too wide");
        self.browser.screenshot(&pictures().join("newcomer").join(name));
    }
}
