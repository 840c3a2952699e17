//! Whatever goes wrong with a form, what was typed comes back, passwords apart. No scripts; a real
//! cluster whose machines and networks fail.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::forms::{FORMS, Failure, WritingForm};
use super::served::with_pages;
use super::webdriver::{Browser, Tab};
use super::{is_full_run, is_skipped, until};
use crate::cluster::files::{check_exactly_once, posts, wait_for_agreement};
use crate::cluster::person::Person;
use crate::torture::fleet::Fleet;
use crate::torture::machine::Start;
use crate::torture::proxy::Mode;

/// How often forms are sent to machines that hear nothing: those that come late are told that no machine
/// can be reached, which the web server has noticed by then.
const ROUNDS_MAX: usize = 8;
/// What each message takes while connections are opened: long enough for all to be under way at once.
const SLOW: Duration = Duration::from_millis(100);

/// Ada and a stranger at browsers without scripts.
struct Desks {
    fleet: Fleet,
    /// Its cookies are Ada's.
    member: Browser,
    /// Nobody has signed in here.
    stranger: Browser,
    /// Ada's other device.
    elsewhere: Person,
    ben: Person,
    /// A post of Ada's.
    own: String,
    /// A post of Ben's.
    other: String,
}

/// What was typed into a form in a tab of its own.
struct Sheet<'f> {
    form: &'f WritingForm,
    tab: Tab,
    typed: Vec<(&'static str, String)>,
}

#[test]
fn what_was_typed_comes_back_whatever_fails() {
    if is_skipped("what_was_typed_comes_back_whatever_fails") {
        return;
    }
    let mut desks = Desks::start();
    let forms: Vec<_> = FORMS.iter().filter(|form| form.is_quick || is_full_run()).collect();
    for form in &forms {
        for failure in Failure::OF_A_BROWSER {
            if failure.can_happen_to(form) {
                println!("{} {failure:?}", form.name);
                desks.fail_in_browser(form, failure);
            }
        }
    }
    let before = desks.posts();
    let mut sent = desks.lose_majority(&forms);
    sent.extend(desks.lose_answers(&forms));
    wait_for_agreement(&desks.fleet);
    let new = desks.posts().split_off(before.len());
    assert_eq!(new.len(), sent.len(), "each once: {new:?}");
    check_exactly_once(&desks.fleet, "ada", &sent);
}

impl Desks {
    fn start() -> Self {
        let fleet = Fleet::start();
        until("all is well", || fleet.is_well().then_some(()));
        let site = fleet.site();
        let (mut ada, mut ben) = (Person::new(&site, "ada"), Person::new(&site, "ben"));
        Person::new(&site, "mia").join();
        let mut written = [&mut ada, &mut ben].map(|person| {
            person.join();
            let answer = person.post("The chapel key is gone.");
            let (_, id) =
                answer.location.as_deref().expect("saved").split_once('=').expect("?posted=");
            format!("/@{}/{id}", person.name)
        });
        let [own, other] = written.each_mut().map(std::mem::take);
        fleet.make_keeper("ada");
        assert_eq!(ada.login().status, 303, "a new keeper signs in anew");
        let desks = Self {
            fleet,
            member: Browser::start_impatient(),
            stranger: Browser::start_impatient(),
            elsewhere: ada,
            ben,
            own,
            other,
        };
        for browser in [&desks.member, &desks.stranger] {
            browser.set_scripts(false);
        }
        desks.member.open(&format!("{site}/login"));
        desks.sign_in();
        desks
    }

    fn browser(&self, form: &WritingForm) -> &Browser {
        if form.is_member { &self.member } else { &self.stranger }
    }

    fn address(&self, form: &WritingForm) -> String {
        let page = form.page.replace("{own}", &self.own).replace("{other}", &self.other);
        format!("{}{page}", self.fleet.site())
    }

    /// What Ada has written so far.
    fn posts(&self) -> Vec<String> {
        posts(&self.fleet, 1, "ada")
    }

    /// Types Ada's password into the form to sign in that is shown, and sends it.
    fn sign_in(&self) {
        let browser = &self.member;
        let name = browser.find("form[action=\"/login\"] [name=username]");
        if name.property("value").is_empty() {
            name.fill("ada");
        }
        browser.find("form[action=\"/login\"] [name=password]").fill(&self.elsewhere.password());
        press_and_wait(browser, "form[action=\"/login\"] button");
    }

    fn fail_in_browser(&mut self, form: &WritingForm, failure: Failure) {
        let typed = form.typed(failure);
        let address = self.address(form);
        self.browser(form).open(&address);
        match failure {
            Failure::WrongOrigin => self.send_from_a_copy(form, &typed),
            Failure::ExpiredSignIn => {
                fill(self.browser(form), form, &typed);
                self.end_session(form);
                send(self.browser(form), form);
            }
            _ => {
                fill(self.browser(form), form, &typed);
                send(self.browser(form), form);
            }
        }
        let browser = self.browser(form);
        check_told(browser, form, failure);
        match failure {
            Failure::TooLarge if !form.takes_files() => {
                // It was not even read: the browser has it still, as the page says.
                let before = browser.page_mark();
                browser.back();
                browser.wait_for_page(&before);
                check_held(browser, form, &typed);
            }
            Failure::ExpiredSignIn if form.is_member => {
                assert_eq!(browser.find("[name=username]").property("value"), "ada");
                self.sign_in();
                let typed = if form.rides { typed } else { Vec::new() };
                check_kept(browser, form, &typed);
            }
            _ => check_kept(browser, form, &typed),
        }
    }

    /// A copy of the page on another site: the browser sends its cookies, and says where it is.
    fn send_from_a_copy(&self, form: &WritingForm, typed: &[(&'static str, String)]) {
        let browser = self.browser(form);
        let page = browser.run("return document.documentElement.outerHTML");
        let page = page.as_str().expect("markup");
        let copy = page.replace("action=\"/", &format!("action=\"{}/", self.fleet.site()));
        with_pages(
            |_path, _sent| (200, "text/html", format!("<!doctype html>{copy}")),
            |origin| {
                browser.open(origin);
                let css = form.css_at(&self.fleet.site());
                for (field, text) in typed {
                    put(browser, &format!("{css} [name={field}]"), text);
                }
                press_and_wait(browser, &form.button(&self.fleet.site()));
            },
        );
    }

    /// What the form was drawn for is over before it is sent.
    fn end_session(&mut self, form: &WritingForm) {
        if !form.is_member {
            self.stranger.forget_cookies();
            return;
        }
        let devices = "/settings/devices";
        let answer = self.elsewhere.act(devices, devices, &[]);
        assert_eq!(answer.status, 303, "{}", answer.body);
    }

    /// Each form in a tab, filled in while all is well.
    fn fill_sheets<'f>(&self, forms: &[&'f WritingForm], failure: Failure) -> Vec<Sheet<'f>> {
        let sheet = |form: &&'f WritingForm| {
            let browser = self.browser(form);
            let tab = browser.open_tab();
            browser.set_scripts(false);
            browser.open(&self.address(form));
            let typed = form.typed(failure);
            fill(browser, form, &typed);
            Sheet { form, tab, typed }
        };
        forms.iter().map(sheet).collect()
    }

    /// Two of three machines die; the texts that are posted once they are back.
    fn lose_majority(&mut self, forms: &[&WritingForm]) -> Vec<String> {
        let sheets = self.fill_sheets(forms, Failure::LostMajority);
        for n in [1, 2] {
            self.fleet.machine(n).signal(Signal::KILL);
            self.fleet.machine(n).kill();
        }
        // What was sent to machines that are silent only since is not known.
        self.ben.post_in_vain();
        until("both are missed", || {
            self.ben.get("/public").body.contains("1 of 3 machines").then_some(())
        });
        for Sheet { form, tab, typed } in &sheets {
            let browser = self.browser(form);
            browser.turn_to(tab);
            send(browser, form);
            check_kept(browser, form, typed);
            check_told(browser, form, Failure::LostMajority);
        }
        for n in [1, 2] {
            self.fleet.start_machine(n, &Start::default());
        }
        until("all is well again", || self.fleet.is_well().then_some(()));
        self.post_at_last(&sheets)
    }

    /// No machine hears anything any more; the texts that are posted once they do.
    fn lose_answers(&mut self, forms: &[&WritingForm]) -> Vec<String> {
        let sheets = self.fill_sheets(forms, Failure::UnknownOutcome);
        let mut left: Vec<_> = sheets.iter().collect();
        for _round in 0..ROUNDS_MAX {
            self.wait_until_reached();
            let ready = |Sheet { form, tab, typed }: &&Sheet<'_>| {
                let browser = self.browser(form);
                browser.turn_to(tab);
                fill(browser, form, typed);
                browser.page_mark()
            };
            let marks: Vec<Value> = left.iter().map(ready).collect();
            let mut marks = marks.iter();
            self.connect(left.len());
            (0..3).for_each(|n| self.fleet.set_door(n, Mode::SwallowThere));
            for sheet in &left {
                self.press(sheet);
            }
            left.retain(|sheet| !self.is_unknown(sheet, marks.next().expect("one each")));
            (0..3).for_each(|n| self.fleet.set_door(n, Mode::Pass));
            if left.is_empty() {
                break;
            }
        }
        let left: Vec<_> = left.iter().map(|sheet| sheet.form.name).collect();
        assert!(left.is_empty(), "not once unknown: {left:?}");
        self.post_at_last(&sheets)
    }

    /// Waits until the web server reaches every machine.
    fn wait_until_reached(&self) {
        let mut stranger = Person::new(&self.fleet.site(), "stranger");
        until("all is well with the web server", || {
            stranger.get("/status").body.contains("All is well.").then_some(())
        });
    }

    /// Lets the web server open that many connections to the machines that will be asked: what is sent on
    /// a connection that is open may have arrived, and what cannot be sent has not.
    fn connect(&self, count: usize) {
        (0..3).for_each(|n| self.fleet.set_door(n, Mode::Delay(SLOW)));
        let session = self.elsewhere.cookies();
        std::thread::scope(|scope| {
            for n in 0..=count {
                let mut person = Person::new(&self.fleet.site(), "ada");
                person.keep_session(&session);
                // Who wants to join asks the machine that would be theirs.
                let path = if n == 0 { "/@mina" } else { "/" };
                scope.spawn(move || person.get(path));
            }
        });
    }

    /// Sends a form without waiting for an answer.
    fn press(&self, Sheet { form, tab, .. }: &Sheet<'_>) {
        let browser = self.browser(form);
        browser.turn_to(tab);
        browser.find(&form.button("")).click_in_sight();
    }

    /// Whether the answer is that nobody knows. If the web server had noticed before that nobody answers
    /// it says truly that nothing was saved; then the same form can be sent again.
    fn is_unknown(&self, Sheet { form, tab, typed }: &Sheet<'_>, mark: &Value) -> bool {
        let browser = self.browser(form);
        browser.turn_to(tab);
        browser.wait_for_page(mark);
        check_kept(browser, form, typed);
        if browser.page_text().contains("No machine can be reached.") {
            return false;
        }
        check_told(browser, form, Failure::UnknownOutcome);
        browser.find_labelled("Check");
        true
    }

    /// Presses the buttons of the posts among what came back until they are posted.
    fn post_at_last(&self, sheets: &[Sheet<'_>]) -> Vec<String> {
        let mut sent = Vec::new();
        for Sheet { form, tab, typed } in sheets.iter().filter(|sheet| sheet.form.is_post()) {
            self.member.turn_to(tab);
            until(&format!("{} saved", form.name), || {
                send(&self.member, form);
                (self.member.status() == 200).then_some(())
            });
            assert!(self.member.page_text().contains("Posted."), "{}", self.member.page_text());
            sent.push(typed[0].1.clone());
        }
        sent
    }
}

fn fill(browser: &Browser, form: &WritingForm, typed: &[(&'static str, String)]) {
    for (field, text) in typed {
        put(browser, &format!("{} [name={field}]", form.css()), text);
    }
}

/// Types into a field, or chooses.
fn put(browser: &Browser, field: &str, text: &str) {
    let element = browser.find(field);
    match element.property("type").as_str() {
        "select-one" => browser.find(&format!("{field} [value=\"{text}\"]")).click_in_sight(),
        // What comes back of a page with nothing but a button.
        "hidden" => assert_eq!(element.property("value"), text, "{field}"),
        _ => element.fill(text),
    }
}

/// Presses the button of a form and waits for the answer.
fn send(browser: &Browser, form: &WritingForm) {
    press_and_wait(browser, &form.button(""));
}

fn press_and_wait(browser: &Browser, button: &str) {
    let before = browser.page_mark();
    browser.find(button).click_in_sight();
    browser.wait_for_page(&before);
}

fn check_told(browser: &Browser, form: &WritingForm, failure: Failure) {
    let (status, words) = failure.told(form);
    let page = browser.page_text();
    assert_eq!(browser.status(), status, "{} {failure:?}: {page}", form.name);
    assert!(page.contains(words), "{} {failure:?}: {page}", form.name);
}

/// The form is there, ready to be sent again, with all that was typed but passwords.
fn check_kept(browser: &Browser, form: &WritingForm, typed: &[(&'static str, String)]) {
    check_fields(browser, form, typed, |is_password, text, value| {
        value == if is_password { "" } else { text }
    });
}

/// The form is there with what was typed, as the browser held it: no answer of ours brought it back. A
/// page that it kept as a whole has the password too, one that it asked for again has not.
fn check_held(browser: &Browser, form: &WritingForm, typed: &[(&'static str, String)]) {
    check_fields(browser, form, typed, |is_password, text, value| {
        value == text || (is_password && value.is_empty())
    });
}

/// The form is there, and each field holds what it should: whether it is a password, what was typed, what
/// stands there.
fn check_fields(
    browser: &Browser,
    form: &WritingForm,
    typed: &[(&'static str, String)],
    is_right: impl Fn(bool, &str, &str) -> bool,
) {
    browser.find(&form.button(""));
    for (field, text) in typed {
        let element = browser.find(&format!("{} [name={field}]", form.css()));
        let is_password = element.property("type") == "password";
        let value = element.property("value");
        let shown: String = value.chars().take(200).collect();
        let name = form.name;
        let is_right = is_right(is_password, text, &value);
        assert!(is_right, "{field} of {name} at {}: {shown:?}", browser.url());
    }
}
