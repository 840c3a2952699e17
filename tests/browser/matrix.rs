//! Every page from all sides: three widths, two schemes, text of usual and of double size, in English with
//! scripts and in German without, by eye (pictures), by rule and by keyboard.

use super::axe::{Axe, check_that_it_finds_something};
use super::community::Community;
use super::emulate::Scheme;
use super::keyboard::TAB;
use super::pages::{PAGES, Page, Stage};
use super::rules;
use super::sheet;
use super::view::pictures;
use super::webdriver::Browser;
use super::weight;
use super::{is_full_run, is_skipped};
use crate::cluster::harness::{Cluster, Options};

/// A small phone, a phone, a desk: width, height.
const SIZES: [(u32, u32); 3] = [(320, 640), (390, 844), (1_200, 900)];
/// Sizes of text in hundredths of the usual one.
const TEXT_SIZES: [u32; 2] = [100, 200];
/// Stops that Tab is followed to on one page: more are more of the same.
const TABS_MAX: usize = 60;
/// Stops that the shortest page has: after what the page says first, a link and the navigation.
const STOPS_MIN: usize = 4;

/// How a page is looked at.
#[derive(Clone, Copy)]
struct View {
    width: u32,
    text_size: u32,
    scheme: Scheme,
}

impl View {
    fn all() -> impl Iterator<Item = (u32, Self)> {
        TEXT_SIZES.into_iter().flat_map(|text_size| {
            SIZES.into_iter().flat_map(move |(width, height)| {
                Scheme::BOTH.map(|scheme| (height, Self { width, text_size, scheme }))
            })
        })
    }

    /// Whether axe-core looks too: it is slow, and most of what it finds is there in each view.
    fn is_for_axe(self, is_full: bool) -> bool {
        let is_usual = self.text_size == 100;
        match (self.width, self.scheme) {
            (390, Scheme::Light) | (1_200, Scheme::Dark) => is_usual || is_full,
            (320, Scheme::Light) => !is_usual && is_full,
            _ => is_usual && is_full,
        }
    }

    /// Whether there is a picture of it in German too: one of each width and scheme.
    fn is_for_german(self) -> bool {
        matches!((self.width, self.scheme), (390, Scheme::Light) | (1_200, Scheme::Dark))
    }

    fn picture(self) -> String {
        let size = if self.text_size == 100 { "" } else { "-large" };
        format!("{}-{}{size}", self.width, self.scheme.name())
    }
}

/// The two ways in which each page is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// In English, with scripts.
    Scripts,
    /// In German, whose words are longer, without scripts.
    German,
}

impl Pass {
    const BOTH: [Self; 2] = [Self::Scripts, Self::German];

    const fn language(self) -> &'static str {
        match self {
            Self::Scripts => "en",
            Self::German => "de",
        }
    }

    /// What tells its pictures and faults apart.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Scripts => "",
            Self::German => "-de",
        }
    }
}

/// The judge: what it looks with, and what it has found.
struct Judge<'c> {
    browser: Browser,
    axe: Axe,
    is_full: bool,
    community: Community<'c>,
    faults: Vec<String>,
}

#[test]
fn every_page_from_all_sides() {
    if is_skipped("every_page_from_all_sides") {
        return;
    }
    // More people join than one household may have in an hour.
    let more = ["--community=Fen Lane", "--trusted-proxies=127.0.0.1"].map(str::to_owned).into();
    let cluster = Cluster::start(Options { no_restart: true, more, ..Options::default() });
    let community = Community::new(&cluster);
    let (browser, axe) = (Browser::start(), Axe::load());
    check_that_it_finds_something(&axe, &browser);
    let mut judge = Judge { browser, axe, is_full: is_full_run(), community, faults: Vec::new() };
    let mut judged = Vec::new();
    for stage in Stage::ALL {
        judge.community.go_on_to(stage);
        for page in PAGES.iter().filter(|page| page.stage == stage) {
            if judge.is_full || page.is_quick {
                judge.judge(page);
                judged.push(page.name);
            }
        }
    }
    sheet::draw(&judge.browser, &judged);
    assert!(judge.faults.is_empty(), "{} faults:\n{}", judge.faults.len(), judge.faults.join("\n"));
}

impl Judge<'_> {
    fn judge(&mut self, page: &Page) {
        self.become_who_sees(page);
        for pass in Pass::BOTH {
            self.browser.set_scripts(pass == Pass::Scripts);
            self.browser.set_language(pass.language());
            self.arrive(page);
            let language = self.browser.run("return document.documentElement.lang");
            assert_eq!(language, pass.language(), "{}", page.name);
            self.look(page, pass);
            match pass {
                Pass::Scripts => {
                    let faults = weight::faults(&self.browser, page.has_script());
                    self.note(page, "weight", faults);
                    self.tab_through(page, SIZES[1]);
                    self.browser.set_text_size(200);
                    self.tab_through(page, SIZES[0]);
                    self.browser.set_text_size(100);
                }
                Pass::German => self.tab_through(page, SIZES[2]),
            }
        }
    }

    fn become_who_sees(&self, page: &Page) {
        self.browser.forget_cookies();
        if let Some(person) = self.community.person(page.who) {
            let origin = self.community.address("");
            for name in ["s", "u", "v"] {
                let value = person.cookie(name).expect("a session");
                self.browser.set_cookie(&origin, name, value);
            }
        }
    }

    /// Goes there, through a form if that is the way.
    fn arrive(&mut self, page: &Page) {
        let browser = &self.browser;
        browser.goto(&self.community.address(page.path));
        if let Some(sent) = &page.sent {
            let form = format!("form[action^=\"{}\"]", sent.action);
            for (name, text) in sent.fields {
                browser.find(&format!("{form} [name={name}]")).fill(text);
            }
            let before = browser.page_mark();
            browser.find(&format!("{form} button")).click_in_sight();
            browser.wait_for_page(&before);
        }
        let status = browser.status();
        if status != page.status {
            let shown = browser.page_text();
            self.note(page, "", [format!("status {status}, not {}: {shown}", page.status)]);
        }
        let browser = &self.browser;
        let expected = format!("responded with a status of {} ", page.status);
        let complaints = browser.take_complaints();
        self.note(page, "", complaints.into_iter().filter(|text| !text.contains(&expected)));
    }

    fn look(&mut self, page: &Page, pass: Pass) {
        if pass == Pass::Scripts {
            self.axe.enter(&self.browser);
        }
        for (height, view) in View::all() {
            self.browser.set_text_size(view.text_size);
            self.browser.set_size(view.width, height);
            self.browser.set_scheme(view.scheme);
            let mut found = rules::faults(&self.browser);
            if pass == Pass::Scripts || view.is_for_german() {
                self.browser.fit_height(view.width);
                let name = format!("{}-{}{}.png", page.name, view.picture(), pass.suffix());
                self.browser.screenshot(&pictures().join(name));
            }
            if pass == Pass::Scripts && view.is_for_axe(self.is_full) {
                found.extend(self.axe.faults(&self.browser));
            }
            self.note(page, &(view.picture() + pass.suffix()), found);
        }
        self.browser.set_text_size(100);
    }

    /// Follows the focus from stop to stop.
    fn tab_through(&mut self, page: &Page, (width, height): (u32, u32)) {
        self.browser.set_size(width, height);
        let mut stops = 0;
        while stops < TABS_MAX {
            self.browser.press([TAB]);
            let Some((named, faults)) = self.browser.focused() else { break };
            stops += 1;
            self.note(page, &format!("{width} px, Tab to {named}"), faults);
        }
        if stops < STOPS_MIN {
            self.note(page, "Tab", [format!("only {stops} stops")]);
        }
    }

    fn note(&mut self, page: &Page, how: &str, found: impl IntoIterator<Item = String>) {
        for fault in found {
            let fault = format!("{} {how}: {fault}", page.name);
            // At once: what comes later may take minutes.
            println!("{fault}");
            self.faults.push(fault);
        }
    }
}
