//! All pictures on one sheet, to be looked at by people: `target/screens/index.html`, and drawn as
//! `target/screens/sheet.png`.

use std::fmt::Write as _;

use super::emulate::Scheme;
use super::view::pictures;
use super::webdriver::Browser;

/// The views that stand on the sheet, side by side.
const SHOWN: [&str; 9] = [
    "320-light",
    "390-light",
    "390-dark",
    "1200-light",
    "1200-dark",
    "320-light-large",
    "1200-light-large",
    "390-light-de",
    "1200-dark-de",
];
/// Pixels across the sheet: each picture is 220 wide.
const SHEET_WIDTH: u32 = 2_090;
const HEAD: &str = "<!doctype html><meta charset=utf-8><title>All pages</title><style>\
    body { font: 14px system-ui; margin: 16px; background: #999 } h2 { margin: 16px 0 4px }\
    div { display: flex; gap: 8px } img { width: 220px; max-height: 330px; object-fit: cover; object-position: top }\
    </style>";

/// Lays out the pictures of these pages and draws the sheet.
pub(super) fn draw(browser: &Browser, pages: &[&str]) {
    let mut sheet = HEAD.to_owned();
    for page in pages {
        let _infallible = write!(sheet, "<h2>{page}</h2><div>");
        for view in SHOWN {
            let file = format!("{page}-{view}.png");
            let _infallible =
                write!(sheet, "<a href={file}><img src={file} alt=\"{page}, {view}\"></a>");
        }
        sheet.push_str("</div>");
    }
    let index = pictures().join("index.html");
    std::fs::write(&index, sheet).unwrap();
    browser.set_scheme(Scheme::Light);
    browser.set_size(SHEET_WIDTH, 900);
    browser.open(&format!("file://{}", index.display()));
    browser.fit_height(SHEET_WIDTH);
    browser.screenshot(&pictures().join("sheet.png"));
}
