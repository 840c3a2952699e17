//! What a first visit costs: bytes as they come compressed, and requests.

use serde_json::{Value, json};

use super::webdriver::Browser;
use crate::cluster::person::Answer;

/// Bytes of a page, compressed.
const PAGE_BYTES_MAX: u64 = 10 * 1024;
/// Bytes of the style sheet, compressed.
const STYLE_BYTES_MAX: u64 = 5 * 1024;
/// Requests of a first visit: the page, the style sheet, the mark.
const REQUESTS_MAX: u64 = 3;

const GZIP: &str = "
    const [text, done] = arguments;
    const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
    new Response(packed).arrayBuffer().then((bytes) => done(bytes.byteLength));";

/// The addresses of all that a page fetches by itself.
const FETCHED: &str = "
    const fetched = 'link[rel~=stylesheet], link[rel~=icon], link[rel~=preload], link[rel~=manifest]';
    const seen = [...document.querySelectorAll(fetched)].map((it) => it.href)
        .concat([...document.querySelectorAll('[src]')].map((it) => it.src))
        .concat(performance.getEntriesByType('resource').map((it) => it.name));
    return [...new Set(seen)];";

fn packed(browser: &Browser, text: &str) -> u64 {
    browser.run_until_called(GZIP, &[json!(text)]).as_u64().expect("a size")
}

/// What is wrong with the weight of a page.
pub(super) fn page(browser: &Browser, answer: &Answer) -> Option<String> {
    too_heavy("the page", packed(browser, &answer.body), PAGE_BYTES_MAX)
}

/// What is wrong with the weight of the style sheet.
pub(super) fn style(browser: &Browser, answer: &Answer) -> Option<String> {
    too_heavy("the style sheet", packed(browser, &answer.body), STYLE_BYTES_MAX)
}

/// What is wrong with the requests that the page shown causes.
pub(super) fn requests(browser: &Browser) -> Option<String> {
    let fetched = browser.run(FETCHED);
    let fetched: Vec<_> =
        fetched.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let count = u64::try_from(fetched.len()).expect("few") + 1;
    (count > REQUESTS_MAX).then(|| format!("{count} requests: {fetched:?}"))
}

fn too_heavy(what: &str, size: u64, max: u64) -> Option<String> {
    (size > max).then(|| format!("{what} is {size} bytes compressed, more than {max}"))
}
