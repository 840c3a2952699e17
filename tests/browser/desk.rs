//! Somebody at a browser, who looks at each page from all sides.

use super::axe::Axe;
use super::emulate::Scheme;
use super::rules;
use super::view::pictures;
use super::webdriver::Browser;
use super::weight::faults_with_pictures;
use crate::cluster::harness::{Cluster, Options};

/// A phone and a desk.
const SIZES: [(u32, u32); 2] = [(390, 844), (1_200, 900)];

/// Ada at her browser, and what is wrong with what she sees.
pub(super) struct Desk<'c> {
    pub(super) cluster: &'c Cluster,
    pub(super) browser: Browser,
    axe: Axe,
    /// Where what is seen is kept.
    folder: &'static str,
    pub(super) home: tempfile::TempDir,
    pub(super) faults: Vec<String>,
}

/// One machine is enough for what people see.
pub(super) fn small_community() -> Cluster {
    let more = vec!["--community=Fen Lane".to_owned()];
    Cluster::start(Options { backends: 1, more, ..Options::default() })
}

impl<'c> Desk<'c> {
    pub(super) fn at(cluster: &'c Cluster, folder: &'static str) -> Self {
        let (browser, axe) = (Browser::start(), Axe::load());
        let home = tempfile::tempdir().unwrap();
        Self { cluster, browser, axe, folder, home, faults: Vec::new() }
    }

    pub(super) fn goto(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.cluster.address()));
    }

    /// Presses a button and waits for the page that follows.
    pub(super) fn press(&self, css: &str) {
        let before = self.browser.page_mark();
        self.browser.find(css).click_in_sight();
        self.browser.wait_for_page(&before);
    }

    /// Looks at the page shown from all sides; it shows so many pictures.
    pub(super) fn look(&mut self, name: &str, shown: usize) {
        let browser = &self.browser;
        self.axe.enter(browser);
        for (width, height) in SIZES {
            for scheme in Scheme::BOTH {
                browser.set_size(width, height);
                browser.set_scheme(scheme);
                let how = format!("{name}-{width}-{}", scheme.name());
                let mut found = rules::faults(browser);
                browser.fit_height(width);
                browser.screenshot(&pictures().join(self.folder).join(format!("{how}.png")));
                found.extend(self.axe.faults(browser));
                self.faults.extend(found.into_iter().map(|fault| format!("{how}: {fault}")));
            }
        }
        let heavy = faults_with_pictures(browser, true, shown);
        self.faults.extend(heavy.into_iter().map(|fault| format!("{name}: {fault}")));
        self.faults.extend(browser.take_complaints());
    }

    pub(super) fn join(&self) {
        self.goto("/join");
        for (field, text) in
            [("username", "ada"), ("display_name", "Ada Lind"), ("password", "seven green gloves")]
        {
            self.browser.find(&format!("[name={field}]")).fill(text);
        }
        self.press("form[action=\"/join\"] button");
    }
}
