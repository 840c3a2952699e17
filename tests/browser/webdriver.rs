//! A blocking client for W3C WebDriver (<https://www.w3.org/TR/webdriver2/>): as much of it as a walk
//! through the pages needs. What only Chromium can do is in `emulate`, keys are in `keyboard`.
//!
//! Every failure is a panic that names the command: a test has nothing else to do with it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use super::driver::Driver;
use super::until;

/// Where Debian puts the browser; `TERN_CHROMIUM` names another.
const CHROMIUM: &str = "/usr/bin/chromium";
/// Seconds after which the driver is taken for hung.
const COMMAND: Duration = Duration::from_mins(1);
/// Bytes of an answer: a screenshot of a long page, in base64.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The key of an element in JSON. Source: WebDriver, section 11.
const ELEMENT_KEY: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser window with a profile of its own.
pub(super) struct Browser {
    agent: Agent,
    session: String,
    /// Ended after the session.
    _driver: Driver,
    /// Removed last, when nobody writes there any more.
    _profile: TempDir,
}

/// An element of the page as it was found; a new page makes it stale.
pub(super) struct Element<'b> {
    browser: &'b Browser,
    id: String,
}

/// A tab of a browser.
pub(super) struct Tab(String);

enum Verb<'a> {
    Get,
    Post(&'a Value),
}

impl Browser {
    /// A driver and a browser with an empty profile. Commands wait for the page that they lead to.
    pub(super) fn start() -> Self {
        Self::start_waiting("normal")
    }

    /// The same, but commands wait for no page: for several tabs that wait for answers at once.
    pub(super) fn start_impatient() -> Self {
        Self::start_waiting("none")
    }

    fn start_waiting(strategy: &str) -> Self {
        let driver = Driver::start();
        let profile = TempDir::with_prefix("tern-browser-").expect("make a profile's folder");
        let config = Agent::config_builder()
            .timeout_global(Some(COMMAND))
            .http_status_as_error(false)
            .proxy(None);
        let agent = Agent::new_with_config(config.build());
        let origin = driver.origin();
        let wanted = capabilities(profile.path(), strategy);
        let made = call(&agent, &format!("{origin}/session"), &Verb::Post(&wanted));
        let id = made["sessionId"].as_str().expect("a session has an id");
        let session = format!("{origin}/session/{id}");
        Self { agent, session, _driver: driver, _profile: profile }
    }

    pub(super) fn goto(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    /// The address of the page shown.
    pub(super) fn url(&self) -> String {
        text(&self.get("url"))
    }

    pub(super) fn title(&self) -> String {
        text(&self.get("title"))
    }

    /// The first element that a CSS selector names, as soon as there is one.
    pub(super) fn find(&self, css: &str) -> Element<'_> {
        until(&format!("{css} on {}", self.url()), || self.find_all(css).into_iter().next())
    }

    /// All elements that a CSS selector names now.
    pub(super) fn find_all(&self, css: &str) -> Vec<Element<'_>> {
        self.find_by("css selector", css)
    }

    /// The first link or button of that very text, as soon as there is one.
    pub(super) fn find_labelled(&self, label: &str) -> Element<'_> {
        assert!(!label.contains('"'), "XPath 1.0 has no escape for a quote");
        let path = format!("//*[self::a or self::button][normalize-space()=\"{label}\"]");
        until(&format!("\"{label}\" on {}", self.url()), || {
            self.find_by("xpath", &path).into_iter().next()
        })
    }

    fn find_by(&self, using: &str, value: &str) -> Vec<Element<'_>> {
        let found = self.post("elements", &json!({ "using": using, "value": value }));
        let found = found.as_array().expect("elements come as a list");
        let id = |element: &Value| text(&element[ELEMENT_KEY]);
        found.iter().map(|element| Element { browser: self, id: id(element) }).collect()
    }

    /// What a person reads on the whole page.
    pub(super) fn page_text(&self) -> String {
        text(&self.run("return document.body.innerText"))
    }

    /// Waits until the page shows `words`.
    pub(super) fn wait_for_text(&self, words: &str) {
        until(&format!("{words:?} on {}", self.url()), || {
            self.page_text().contains(words).then_some(())
        });
    }

    /// Runs a script in the page and gives what it returns.
    pub(super) fn run(&self, script: &str) -> Value {
        self.run_on(script, &[])
    }

    /// As [`Self::run`], for a script that reads `arguments`.
    pub(super) fn run_on(&self, script: &str, args: &[Value]) -> Value {
        self.post("execute/sync", &json!({ "script": script, "args": args }))
    }

    /// Runs a script that calls the last of its `arguments` when it is done, with what it found.
    pub(super) fn run_until_called(&self, script: &str, args: &[Value]) -> Value {
        self.post("execute/async", &json!({ "script": script, "args": args }))
    }

    /// Waits until another page than that of `before`, a [`Self::page_mark`], has come in whole.
    pub(super) fn wait_for_page(&self, before: &Value) {
        until(&format!("a page after {}", self.url()), || {
            let script = "return document.readyState == 'complete' && performance.timeOrigin";
            // A page that is going away may answer nothing.
            let now = self.try_run(script).ok()?;
            (now.is_number() && now != *before).then_some(())
        });
    }

    /// Goes there and waits until the page has come in whole.
    pub(super) fn open(&self, url: &str) {
        let before = self.page_mark();
        self.goto(url);
        self.wait_for_page(&before);
    }

    fn try_run(&self, script: &str) -> Result<Value, String> {
        let body = json!({ "script": script, "args": [] });
        try_call(&self.agent, &format!("{}/execute/sync", self.session), &Verb::Post(&body))
    }

    /// Opens another tab and turns to it.
    pub(super) fn open_tab(&self) -> Tab {
        let made = self.post("window/new", &json!({ "type": "tab" }));
        let tab = Tab(text(&made["handle"]));
        self.turn_to(&tab);
        tab
    }

    /// Turns to a tab: all commands are about that one now.
    pub(super) fn turn_to(&self, tab: &Tab) {
        self.post("window", &json!({ "handle": tab.0 }));
    }

    /// What tells this page from every other that the window shows before or after.
    pub(super) fn page_mark(&self) -> Value {
        self.run("return performance.timeOrigin")
    }

    /// The HTTP status that the page came with.
    pub(super) fn status(&self) -> u64 {
        let script = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.run(script).as_u64().expect("a page has a status")
    }

    /// One page back, as the button beside the address does.
    pub(super) fn back(&self) {
        self.post("back", &json!({}));
    }

    /// Errors and warnings that the browser has logged since the last call: of scripts, of requests that
    /// failed, of what the content security policy forbade.
    pub(super) fn take_complaints(&self) -> Vec<String> {
        let entries = self.post("se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().expect("the log is a list");
        let complaint =
            |entry: &&Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        entries.iter().filter(complaint).map(|entry| text(&entry["message"])).collect()
    }

    /// One command of the Chrome `DevTools` Protocol.
    pub(super) fn chromium(&self, command: &str, params: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": params }))
    }

    pub(super) fn get(&self, command: &str) -> Value {
        self.call(command, &Verb::Get)
    }

    pub(super) fn post(&self, command: &str, body: &Value) -> Value {
        self.call(command, &Verb::Post(body))
    }

    fn call(&self, command: &str, verb: &Verb<'_>) -> Value {
        call(&self.agent, &format!("{}/{command}", self.session), verb)
    }
}

impl Drop for Browser {
    /// Lets the browser close its profile in peace; the driver's end would kill it all the same.
    fn drop(&mut self) {
        if let Err(error) = self.agent.delete(&self.session).call() {
            println!("close the browser: {error}");
        }
    }
}

impl Element<'_> {
    pub(super) fn click(&self) {
        self.post("click", &json!({}));
    }

    /// Scrolls to it as a person does, so that nothing which sticks to an edge covers it, and clicks it.
    pub(super) fn click_in_sight(&self) {
        let element = json!({ ELEMENT_KEY: self.id });
        self.browser.run_on("arguments[0].scrollIntoView({ block: 'center' })", &[element]);
        self.click();
    }

    /// Types at the end of what the field holds.
    pub(super) fn type_text(&self, text: &str) {
        self.post("value", &json!({ "text": text }));
    }

    pub(super) fn clear(&self) {
        self.post("clear", &json!({}));
    }

    /// Puts text in place of what the field holds.
    pub(super) fn fill(&self, text: &str) {
        self.clear();
        // After clearing, which takes the cursor away again.
        self.click_in_sight();
        self.browser.paste(text);
    }

    /// What a person reads of it.
    pub(super) fn text(&self) -> String {
        text(&self.browser.get(&format!("element/{}/text", self.id)))
    }

    /// A property, as scripts see it: `value` is what a field holds now.
    pub(super) fn property(&self, name: &str) -> String {
        text(&self.browser.get(&format!("element/{}/property/{name}", self.id)))
    }

    fn post(&self, command: &str, body: &Value) {
        self.browser.post(&format!("element/{}/{command}", self.id), body);
    }
}

fn capabilities(profile: &Path, strategy: &str) -> Value {
    let chromium = std::env::var("TERN_CHROMIUM").unwrap_or_else(|_| CHROMIUM.to_owned());
    let flags = [
        "--headless",
        // Whatever language the machine speaks.
        "--lang=en-US",
        "--accept-lang=en-US,en",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ];
    let profile = format!("--user-data-dir={}", profile.display());
    let flags: Vec<&str> = flags.into_iter().chain([profile.as_str()]).collect();
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "pageLoadStrategy": strategy,
        "goog:chromeOptions": { "binary": chromium, "args": flags },
        "goog:loggingPrefs": { "browser": "ALL" },
    } } })
}

/// One command: its `value`.
fn call(agent: &Agent, url: &str, verb: &Verb<'_>) -> Value {
    try_call(agent, url, verb).unwrap_or_else(|complaint| panic!("{url}: {complaint}"))
}

/// One command: its `value`, or what the driver complains of.
fn try_call(agent: &Agent, url: &str, verb: &Verb<'_>) -> Result<Value, String> {
    let sent = match verb {
        Verb::Get => agent.get(url).call(),
        Verb::Post(body) => agent.post(url).send_json(body),
    };
    let mut answer = sent.unwrap_or_else(|error| panic!("{url}: {error}"));
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_json::<Value>();
    let mut body = body.unwrap_or_else(|error| panic!("{url}: {error}"));
    let value = body["value"].take();
    if answer.status().is_success() {
        return Ok(value);
    }
    // The rest of the message is the driver's own stack.
    let complaint = value["message"].as_str().and_then(|text| text.lines().next());
    Err(complaint.unwrap_or_default().to_owned())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
