//! What must hold of every page at every width and in both schemes, and its pictures.

use std::path::{Path, PathBuf};

use super::emulate::Scheme;
use super::webdriver::Browser;

/// A phone and a desk: width, height.
const SIZES: [(u32, u32); 2] = [(390, 844), (1_200, 900)];

/// Looks at the page from all sides and takes its pictures, `walk/NAME-WIDTH-SCHEME.png`.
///
/// # Panics
/// When it scrolls sideways, or the browser complains of anything.
pub(super) fn inspect(browser: &Browser, name: &str) {
    look(browser, name);
    assert_eq!(browser.take_complaints(), [""; 0], "{name}");
}

/// As [`inspect`], for a page that comes with an error's status, of which the browser tells.
pub(super) fn inspect_error(browser: &Browser, name: &str, status: u16) {
    look(browser, name);
    let expected = format!("responded with a status of {status} ");
    let others: Vec<String> =
        browser.take_complaints().into_iter().filter(|text| !text.contains(&expected)).collect();
    assert_eq!(others, [""; 0], "{name}");
}

fn look(browser: &Browser, name: &str) {
    for (width, height) in SIZES {
        browser.set_size(width, height);
        let wide = sideways(browser);
        assert!(wide <= 0, "{name} at {width} px is {wide} px too wide");
        browser.fit_height(width);
        for scheme in Scheme::BOTH {
            browser.set_scheme(scheme);
            let file = format!("{name}-{width}-{}.png", scheme.name());
            browser.screenshot(&pictures().join("walk").join(file));
        }
    }
}

/// Pixels by which the page is wider than its window. Not `innerWidth`: on a phone that grows with the
/// page, and nothing would ever be too wide.
pub(super) fn sideways(browser: &Browser) -> i64 {
    let script =
        "return document.scrollingElement.scrollWidth - document.documentElement.clientWidth";
    browser.run(script).as_i64().expect("widths are whole numbers")
}

/// `target/screens`, where all pictures go.
pub(super) fn pictures() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target/tmp has a parent");
    target.join("screens")
}
