//! The accessibility checker axe-core, if it is there: `make axe` fetches it to `target/`. It is run
//! beside the pages and is no part of the project.

use std::path::Path;

use serde_json::{Value, json};

use super::webdriver::Browser;

/// Where `make axe` puts it, below the project; `TERN_AXE` names another place.
const AXE: &str = "target/axe-core-4.14.1/package/axe.min.js";

/// Every rule that is about pages: of WCAG 2.2 to AA, best practices, and the size of targets, which is
/// off by default.
const RUN: &str = "
    const done = arguments[0];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
    axe.run(document, {
        runOnly: { type: 'tag', values: tags },
        rules: { 'target-size': { enabled: true } },
        resultTypes: ['violations'],
    }).then(
        (found) => done(found.violations.flatMap((rule) => rule.nodes.map((node) =>
            `${rule.id}: ${node.target.join(' ')}: ${node.failureSummary.replaceAll('\\n', ' ')}`))),
        (error) => done(['axe-core: ' + error]));";

/// The checker, or the lack of it.
pub(super) struct Axe(Option<String>);

impl Axe {
    /// Reads it, and says so if it is not there.
    pub(super) fn load() -> Self {
        let named = std::env::var("TERN_AXE").unwrap_or_else(|_| AXE.to_owned());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(named);
        let source = std::fs::read_to_string(&path).ok();
        if source.is_none() {
            println!("left out: axe-core ({} is not there; make axe fetches it)", path.display());
        }
        Self(source)
    }

    /// Makes it ready to look at the page shown, for as long as that is shown.
    pub(super) fn enter(&self, browser: &Browser) {
        if let Some(source) = &self.0 {
            browser.run(source);
        }
    }

    /// What it has to say against the page as it looks now.
    pub(super) fn faults(&self, browser: &Browser) -> Vec<String> {
        if self.0.is_none() {
            return Vec::new();
        }
        let found = browser.run_until_called(RUN, &[]);
        let found = found.as_array().expect("faults are a list");
        found.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// Without this nobody would know whether the checker checks.
pub(super) fn check_that_it_finds_something(axe: &Axe, browser: &Browser) {
    browser.goto("data:text/html,<!doctype html><title>Bad</title><input><img src=x>");
    axe.enter(browser);
    let faults = axe.faults(browser).join("\n");
    assert!(axe.0.is_none() || faults.contains("label:"), "{}", json!(faults));
}
