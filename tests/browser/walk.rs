//! Two people join, post, follow and answer; a machine dies; nobody notices but the status page.

use super::site::Site;
use super::until;
use super::view::{inspect, inspect_error, sideways};
use super::webdriver::Browser;

/// Where somebody looks for the button that signs them out.
const SIGN_OUT_PAGES: [&str; 3] = ["/", "/settings/devices", "/settings/profile"];

/// Somebody with a browser of their own.
struct Visitor<'s> {
    browser: Browser,
    site: &'s dyn Site,
    name: &'static str,
    display_name: &'static str,
    password: &'static str,
}

/// The whole walk, with pictures of each page on the way.
pub(super) fn two_people_talk(site: &dyn Site) {
    let ada = Visitor {
        browser: Browser::start(),
        site,
        name: "ada",
        display_name: "Ada Lind",
        password: "seven green gloves",
    };
    let ben = Visitor {
        browser: Browser::start(),
        site,
        name: "ben",
        display_name: "Ben Kroll",
        password: "mind the rabbits",
    };
    look_around_signed_out(&ada);
    fail_to_join(&ada);
    ada.join();
    inspect(&ada.browser, "home-empty");
    write_posts(&ada);
    ben.join();
    follow_and_reply(&ben, &ada);
    site.kill_one_backend();
    go_on_with_one_machine_down(&ada, &ben);
    look_at_settings(&ada);
    read_in_german(&ada);
    leave_and_come_back(&ben);
}

impl Visitor<'_> {
    fn goto(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.site.origin()));
    }

    /// Waits until the page at `path` is shown; what stands after `?` does not matter.
    fn arrive(&self, path: &str) {
        let expected = format!("{}{path}", self.site.origin());
        until(&format!("{} at {expected}", self.name), || {
            (self.browser.url().split('?').next() == Some(&expected)).then_some(())
        });
    }

    /// Fills a field anew.
    fn fill(&self, field: &str, text: &str) {
        let element = self.browser.find(&format!("[name={field}]"));
        element.clear();
        element.type_text(text);
    }

    /// Presses the button of the form that is sent to `action`.
    fn send(&self, action: &str) {
        self.browser.find(&format!("form[action=\"{action}\"] button")).click();
    }

    fn join(&self) {
        self.goto("/join");
        self.fill("username", self.name);
        self.fill("display_name", self.display_name);
        self.fill("password", self.password);
        self.send("/join");
        self.arrive("/");
        assert_eq!(self.browser.find("h1").text(), "Home");
    }

    /// Writes a post at home and sees that it was saved and stands there.
    fn post(&self, text: &str) {
        self.goto("/");
        self.fill("text", text);
        self.send("/post");
        self.browser.wait_for_text("Posted.");
        self.arrive("/");
        assert!(self.browser.page_text().contains("Kept on "), "{}", self.browser.page_text());
        let newest = self.browser.find("article").text();
        assert!(newest.contains(text), "{newest}");
        assert!(newest.contains(self.display_name), "{newest}");
    }

    fn sign_out(&self) {
        let form = "form[action=\"/logout\"] button";
        let has_button = |page: &&&str| {
            self.goto(page);
            !self.browser.find_all(form).is_empty()
        };
        assert!(SIGN_OUT_PAGES.iter().find(has_button).is_some(), "no button to sign out");
        self.send("/logout");
        self.browser.find_labelled("Sign in");
        assert!(self.browser.find_all(form).is_empty(), "still signed in");
    }
}

fn look_around_signed_out(visitor: &Visitor<'_>) {
    visitor.goto("/");
    visitor.browser.find_labelled("Join");
    visitor.browser.find_labelled("Sign in");
    inspect(&visitor.browser, "landing");
    visitor.goto("/public");
    inspect(&visitor.browser, "everyone-empty");
    visitor.goto("/login");
    inspect(&visitor.browser, "login");
    visitor.goto("/join");
    inspect(&visitor.browser, "join");
    visitor.goto("/@nobody");
    inspect_error(&visitor.browser, "not-found", 404);
}

fn fail_to_join(visitor: &Visitor<'_>) {
    visitor.goto("/join");
    visitor.fill("username", "Rose.Bay");
    visitor.fill("display_name", visitor.display_name);
    visitor.fill("password", "password1");
    visitor.send("/join");
    let browser = &visitor.browser;
    browser.find("[role=alert]");
    assert!(browser.title().starts_with("Error:"), "{}", browser.title());
    browser.wait_for_text("rose_bay");
    for (field, kept) in
        [("username", "Rose.Bay"), ("display_name", visitor.display_name), ("password", "")]
    {
        let element = browser.find(&format!("[name={field}]"));
        assert_eq!(element.property("value"), kept, "{field}");
    }
    assert_eq!(browser.find_all("[aria-invalid=true]").len(), 2, "name and password");
    inspect_error(browser, "join-error", 422);
}

fn write_posts(visitor: &Visitor<'_>) {
    let browser = &visitor.browser;
    visitor.post("The seed swap is on Saturday at ten, in the old chapel.");
    inspect(browser, "home-posted");
    visitor.post("Is <b>this</b> bold? & is \"that\" quoted? See https://example.org/a?b=c&d");
    assert!(browser.find_all("article b b").is_empty(), "markup of a post became the page's");
    let link = browser.find("article a[href^=\"https:\"]");
    assert_eq!(link.property("href"), "https://example.org/a?b=c&d");

    let long = "y".repeat(501);
    visitor.goto("/");
    visitor.fill("text", &long);
    visitor.send("/post");
    browser.find("[role=alert]");
    assert_eq!(browser.find("[name=text]").property("value"), long, "what was typed is lost");
    inspect_error(browser, "post-too-long", 422);
}

fn follow_and_reply(ben: &Visitor<'_>, ada: &Visitor<'_>) {
    let browser = &ben.browser;
    ben.goto("/@ada");
    inspect(browser, "profile");
    ben.send("/@ada/follow");
    browser.find_labelled("Unfollow");
    ben.arrive("/@ada");
    for list in ["followers", "following"] {
        ben.goto(&format!("/@ada/{list}"));
        inspect(browser, list);
    }
    ben.goto("/");
    browser.wait_for_text("The seed swap is on Saturday");
    inspect(browser, "home-following");

    let of_ada = format!("article a[href^=\"/@{}/\"]:has(time)", ada.name);
    browser.find(&of_ada).click();
    let field = browser.find("[name=text]");
    assert_eq!(field.property("value").trim_end(), "@ada");
    field.type_text(" The chapel key is with me until Thursday.");
    ben.send("/post");
    browser.wait_for_text("The chapel key is with me until Thursday.");
    inspect(browser, "thread");
}

fn go_on_with_one_machine_down(ada: &Visitor<'_>, ben: &Visitor<'_>) {
    ada.post("Does anybody notice?");
    ben.post("Notice what?");
    ben.goto("/");
    ben.browser.wait_for_text("Does anybody notice?");
    until("a status page that tells of two machines", || {
        ada.goto("/status");
        ada.browser.page_text().contains("2 of 3 machines").then_some(())
    });
    inspect(&ada.browser, "status-one-down");
    ada.post("Posting goes on.");
    let said = ada.browser.page_text();
    assert!(said.contains("Kept on 2 of 3"), "{said}");
    inspect(&ada.browser, "home-one-down");
}

fn look_at_settings(visitor: &Visitor<'_>) {
    for page in ["profile", "password", "devices", "language", "leave"] {
        visitor.goto(&format!("/settings/{page}"));
        inspect(&visitor.browser, &format!("settings-{page}"));
    }
}

fn read_in_german(visitor: &Visitor<'_>) {
    let browser = &visitor.browser;
    let choose = |lang: &str, saved: &str| {
        visitor.goto("/settings/language");
        browser.find(&format!("button[name=lang][value=\"{lang}\"]")).click();
        browser.wait_for_text(saved);
    };
    choose("de", "Gespeichert.");
    for (page, name) in [
        ("/", "home"),
        ("/@ada", "profile"),
        ("/status", "status"),
        ("/settings/devices", "settings-devices"),
        ("/settings/language", "settings-language"),
    ] {
        visitor.goto(page);
        assert_eq!(browser.run("return document.documentElement.lang"), "de", "{page}");
        inspect(browser, &format!("german-{name}"));
        // German words are long.
        browser.set_size(320, 640);
        assert!(sideways(browser) <= 0, "{page} is too wide for 320 px");
    }
    visitor.goto("/@nobody");
    browser.wait_for_text("Nicht gefunden");
    inspect_error(browser, "german-not-found", 404);
    choose("en", "Saved.");
}

fn leave_and_come_back(visitor: &Visitor<'_>) {
    let browser = &visitor.browser;
    visitor.sign_out();
    visitor.goto("/settings/profile");
    assert!(browser.find_all("[name=bio]").is_empty(), "settings shown to a stranger");
    browser.take_complaints();

    visitor.goto("/login");
    visitor.fill("username", visitor.name);
    visitor.fill("password", "mind the ladder");
    visitor.send("/login");
    browser.wait_for_text("That name and password don’t match.");
    assert_eq!(browser.find("[name=username]").property("value"), visitor.name);
    assert_eq!(browser.find("[name=password]").property("value"), "");
    let complaints = browser.take_complaints();
    assert!(complaints.iter().all(|text| text.contains("status of 4")), "{complaints:?}");
    inspect(browser, "login-error");

    visitor.fill("password", visitor.password);
    visitor.send("/login");
    visitor.arrive("/");
    browser.wait_for_text("Does anybody notice?");
    visitor.sign_out();
}
