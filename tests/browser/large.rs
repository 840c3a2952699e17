//! Text of double size on a phone: nothing scrolls sideways, nothing lies over what has the focus, and
//! whoever writes is named.

use serde_json::{Value, json};

use super::community::done;
use super::emulate::Scheme;
use super::is_skipped;
use super::keyboard::TAB;
use super::rules;
use super::view::pictures;
use super::webdriver::Browser;
use crate::cluster::harness::{Cluster, Options};

/// Two phones: width, height.
const PHONES: [(u32, u32); 2] = [(320, 640), (390, 844)];
/// Sizes of text in hundredths of the usual one.
const TEXT_SIZES: [u32; 2] = [100, 200];
/// Stops of Tab: more are more of the same.
const TABS_MAX: usize = 50;
/// A name that claims to be somebody else's.
const CLAIMS: &str = "Ada Lind @ada · keeper of Fen Lane abcde";

/// Ada at her browser, a keeper; and what is hard to lay out on these pages.
struct Phone {
    cluster: Cluster,
    browser: Browser,
    pages: Vec<(&'static str, String)>,
}

impl Phone {
    fn start() -> Self {
        let more =
            ["--community=Fen Lane", "--trusted-proxies=127.0.0.1"].map(str::to_owned).into();
        let cluster = Cluster::start(Options { backends: 1, more, ..Options::default() });
        let [mut ada, mut tomas, mut zoe] =
            [("ada", 1), ("tomas", 2), ("zoe", 3)].map(|(name, n)| {
                let mut person = cluster.person(name).through_proxy(&format!("192.0.2.{n}"));
                person.join();
                person
            });
        // Signs of vowels without a letter, which no line can break.
        let marks = "\u{e49}".repeat(40);
        for (person, name) in [(&mut ada, "Ada Lind"), (&mut tomas, CLAIMS), (&mut zoe, &marks)] {
            let profile = [("display_name", name), ("bio", "Roses, mostly.")];
            done(person, "/settings/profile", "/settings/profile", &profile);
        }
        done(&mut tomas, "/@ada", "/@ada/follow", &[]);
        for whom in ["", "quiet", "followers", "named"] {
            let said = [("text", "The gate stays shut, @ada."), ("for", whom)];
            done(&mut tomas, "/", "/post", &said);
        }
        done(&mut zoe, "/", "/post", &[("text", marks.repeat(3).as_str())]);
        let own = done(&mut ada, "/", "/post", &[("text", "Seeds, @tomas!"), ("for", "quiet")]);
        let (_, id) = own.location.as_deref().expect("saved").split_once('=').expect("?posted=");
        let own = format!("/@ada/{id}");
        let answered = done(&mut ada, &own, "/post", &[("text", "Twice."), ("for", "followers")]);
        let (_, deep) =
            answered.location.as_deref().expect("saved").split_once('=').expect("?posted=");
        let deep = deep.split('#').next().expect("a number");
        let browser = Browser::start();
        for name in ["s", "u", "v"] {
            browser.set_cookie(&cluster.address(), name, ada.cookie(name).expect("a session"));
        }
        let pages = [
            ("home", "/"),
            ("own", "/@ada"),
            ("marks", "/@zoe"),
            ("mentions", "/mentions"),
            ("search", "/search?q=gate"),
            ("keys", "/settings/keys"),
            ("profile", "/settings/profile"),
            ("machines", "/status"),
            ("followers", "/@ada/followers"),
        ];
        let mut pages: Vec<_> = pages.map(|(name, path)| (name, path.to_owned())).into();
        pages.push(("delete", format!("{own}/delete")));
        pages.push(("deep", format!("/@ada/{deep}")));
        Self { cluster, browser, pages }
    }

    fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.cluster.address()));
    }

    /// What is wrong with each page, as far as `judge` finds it.
    fn judge(&self, judge: impl Fn(&Browser) -> Vec<String>) -> Vec<String> {
        let browser = &self.browser;
        let mut faults = Vec::new();
        for language in ["en", "de"] {
            browser.set_language(language);
            for (name, path) in &self.pages {
                self.open(path);
                for ((width, height), text_size) in
                    PHONES.into_iter().flat_map(|it| TEXT_SIZES.map(|size| (it, size)))
                {
                    browser.set_text_size(text_size);
                    browser.set_size(width, height);
                    let how = format!("{name}-{width}-{text_size}-{language}");
                    let found = judge(browser);
                    faults.extend(found.into_iter().map(|fault| format!("{how}: {fault}")));
                    browser.fit_height(width);
                    browser.screenshot(&pictures().join("large").join(format!("{how}.png")));
                }
            }
        }
        browser.set_text_size(100);
        faults
    }
}

#[test]
fn text_of_double_size_fits_on_a_phone() {
    if is_skipped("text_of_double_size_fits_on_a_phone") {
        return;
    }
    let phone = Phone::start();
    phone.browser.set_scheme(Scheme::Light);
    let mut faults = phone.judge(rules::faults);
    phone.browser.set_language("en");
    for (width, height) in PHONES {
        for path in ["/", "/mentions"] {
            phone.browser.set_size(width, height);
            phone.browser.set_text_size(200);
            phone.open(path);
            for _ in 0..TABS_MAX {
                phone.browser.press([TAB]);
                let Some((named, found)) = phone.browser.focused() else { break };
                faults.extend(found.into_iter().map(|it| format!("{width} {path} {named}: {it}")));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The pixels of each `@name` beside a display name, and those that its letters take.
const NAMES: &str = "return [...document.querySelectorAll('.by .hd')].map((it) =>
    [it.textContent, Math.ceil(it.getBoundingClientRect().width) - it.scrollWidth]);";

#[test]
fn r0040_name_that_claims_to_be_anothers_leaves_room_for_ones_own() {
    if is_skipped("r0040_name_that_claims_to_be_anothers_leaves_room_for_ones_own") {
        return;
    }
    let phone = Phone::start();
    for path in ["/public", "/mentions", "/@ada/followers"] {
        phone.open(path);
        for (width, height) in PHONES {
            phone.browser.set_size(width, height);
            let names = phone.browser.run(NAMES);
            let names = names.as_array().expect("a list");
            let of_tomas: Vec<_> = names.iter().filter(|it| it[0] == json!("@tomas")).collect();
            assert!(!of_tomas.is_empty(), "{path}: {names:?}");
            let cut = |it: &&&Value| it[1].as_i64().is_none_or(|room| room < 0);
            assert_eq!(of_tomas.iter().find(cut), None, "{path} at {width} px");
        }
    }
}
