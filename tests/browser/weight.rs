//! What a first visit costs: bytes as they came over HTTP, compressed, and requests.

use super::webdriver::Browser;

/// Bytes that came for each kind of thing, at most.
const BYTES_MAX: [(&str, u64); 3] = [("page", 10 * 1024), ("css", 5 * 1024), ("js", 3 * 1024)];
/// Requests of a stranger's first visit: the page, the style sheet, the mark.
const REQUESTS_MAX: usize = 3;

/// Everything that the page shown consists of, with its kind and its bytes as they came. The mark may be
/// fetched by nobody, where no window shows it; what the script asks for half a minute later is no part of it.
const CAME: &str = "
    const came = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .map((it) => [it.name, it.entryType == 'navigation' ? 'page' : it.name.split('.').at(-1),
            it.encodedBodySize])
        .filter((it) => !it[0].includes('?peek='));
    const linked = [...document.querySelectorAll('link[rel~=icon], [src]')].map((it) => it.href ?? it.src)
        .filter((name) => !came.some((it) => it[0] == name));
    return came.concat(linked.map((name) => [name, '', 0]));";

/// What is wrong with the weight of the page shown; with the script, where it has something to do.
pub(super) fn faults(browser: &Browser, has_script: bool) -> Vec<String> {
    faults_with_pictures(browser, has_script, 0)
}

/// The same of a page that shows so many pictures, which people have put there.
pub(super) fn faults_with_pictures(
    browser: &Browser,
    has_script: bool,
    pictures: usize,
) -> Vec<String> {
    let came = browser.run(CAME);
    let came = came.as_array().expect("a list");
    let kinds: Vec<_> = came.iter().filter_map(|it| it[1].as_str()).collect();
    let mut faults = Vec::new();
    if !kinds.contains(&"page")
        || !kinds.contains(&"css")
        || kinds.contains(&"js") != has_script
        || came.len() > REQUESTS_MAX + usize::from(has_script) + pictures
    {
        faults.push(format!("not the requests that were expected: {came:?}"));
    }
    for it in came {
        let limit = BYTES_MAX.iter().find(|(kind, _)| it[1] == *kind);
        if let Some((_, max)) = limit
            && !it[2].as_u64().is_some_and(|bytes| (1..=*max).contains(&bytes))
        {
            faults.push(format!("{} bytes, not 1 to {max}: {}", it[2], it[0]));
        }
    }
    faults
}
