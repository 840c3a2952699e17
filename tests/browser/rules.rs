//! What each view of each page must keep, found out by looking at where things stand.

use serde_json::Value;

use super::view::sideways;
use super::webdriver::Browser;

/// Pixels that a finger needs. Source: WCAG 2.2, 2.5.8.
const TARGET_PIXELS: u32 = 24;

/// Links and controls that are too small. A link in a sentence is as high as its line.
const SMALL_TARGETS: &str = "
    const min = arguments[0];
    const isInSentence = (it) => getComputedStyle(it).display == 'inline'
        && [...it.parentNode.childNodes].some((n) => n.nodeType == 3 && n.data.trim());
    return [...document.querySelectorAll('a[href], button, input, textarea, select, summary')]
        .filter((it) => it.type != 'hidden' && it.getClientRects().length && !isInSentence(it))
        .map((it) => [it, it.getBoundingClientRect()])
        .filter(([_, box]) => box.width < min - 0.01 || box.height < min - 0.01)
        .map(([it, box]) => `${it.tagName.toLowerCase()}.${it.className} in ${it.parentNode.className} `
            + `\"${it.innerText || it.name}\" is ${box.width.toFixed(1)} x ${box.height.toFixed(1)} px`);";

/// Words of the interface that are broken in the middle, because the room for them is too small.
const BROKEN_WORDS: &str = "
    const faults = [];
    for (const it of document.querySelectorAll('nav a, button, .btn, .tabs a, label, th, td, .top a, .changes')) {
        const texts = document.createTreeWalker(it, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            for (const word of texts.currentNode.data.matchAll(/[^\\s\u{ad}-]+/gu)) {
                const range = document.createRange();
                range.setStart(texts.currentNode, word.index);
                range.setEnd(texts.currentNode, word.index + word[0].length);
                const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
                const wide = [...range.getClientRects()].reduce((sum, box) => sum + box.width, 0);
                // Where the word alone fills the window nothing else helps.
                if (tops.size > 1 && wide < innerWidth * 0.6) faults.push(`\"${word[0]}\" is broken`);
            }
        }
    }
    return faults;";

/// What does not fit where it stands: labels of what is folded away, tables.
const FALLEN: &str = "
    const named = (it) => it.tagName.toLowerCase() + ' \"' + it.textContent.trim().slice(0, 30) + '\"';
    const fallen = [...document.querySelectorAll('summary > *')]
        .map((it) => [it, it.getBoundingClientRect().bottom - it.parentNode.getBoundingClientRect().bottom])
        .filter(([it, by]) => it.getClientRects().length && by > 0.5)
        .map(([it, by]) => named(it) + ' hangs ' + by.toFixed(0) + ' px out of its box');
    const wide = [...document.querySelectorAll('.wide')]
        .filter((it) => it.scrollWidth > it.clientWidth)
        .map((it) => named(it) + ' is ' + it.scrollWidth + ' px wide in ' + it.clientWidth);
    return fallen.concat(wide);";

/// The first thing that sticks out at the right.
const WIDEST: &str = "
    const hides = (it) => it && (getComputedStyle(it).overflowX !== 'visible' || hides(it.parentElement));
    const wide = [...document.body.querySelectorAll('*')]
        .filter((it) => !hides(it.parentElement))
        .filter((it) => it.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5);
    const it = wide.at(-1);
    const name = (it) => it.tagName.toLowerCase() + '.' + it.className;
    const around = (it) => name(it.parentNode.parentNode) + ' ' + name(it.parentNode);
    return it ? around(it) + ' ' + name(it) + ': ' + it.textContent.slice(0, 40) : '';";

/// What is wrong with the page as it looks now.
pub(super) fn faults(browser: &Browser) -> Vec<String> {
    let mut found = texts(&browser.run_on(SMALL_TARGETS, &[TARGET_PIXELS.into()]));
    found.extend(texts(&browser.run(BROKEN_WORDS)));
    found.extend(texts(&browser.run(FALLEN)));
    let wide = sideways(browser);
    if wide > 0 {
        found.push(format!("{wide} px too wide: {}", browser.run(WIDEST)));
    }
    found
}

/// What a script found.
fn texts(found: &Value) -> Vec<String> {
    let found = found.as_array().expect("what is found comes as a list");
    found.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
