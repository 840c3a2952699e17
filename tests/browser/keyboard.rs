//! Keys, pressed as a person presses them: the browser cannot tell the difference.

use serde_json::{Value, json};

use super::webdriver::Browser;

/// WebDriver's names of keys that write nothing. Source: WebDriver, section 17.4.2.
pub(super) const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// How often Tab is pressed before a thing counts as out of reach.
const TABS_MAX: usize = 120;

/// What has the focus: how it is marked, and whether it can be seen.
const FOCUSED: &str = "
    const it = document.activeElement;
    if (!it || it == document.body) return null;
    const named = it.tagName.toLowerCase() + (it.name ? '[name=' + it.name + ']' : '')
        + ' \"' + (it.getAttribute('aria-label') || it.innerText || it.value || '').slice(0, 30) + '\"';
    const style = getComputedStyle(it);
    const faults = [];
    if (style.outlineStyle == 'none' || parseFloat(style.outlineWidth) < 2)
        faults.push('no outline when it has the focus');
    const box = it.getClientRects()[0] || it.getBoundingClientRect();
    if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth)
        faults.push('has the focus out of sight');
    // Whatever lies over it, lies over its middle, its upper edge or its lower one.
    const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
    const isOver = (top) => top && top != it && !it.contains(top) && !top.contains(it);
    const over = [box.top + box.height / 2, box.top + 3, box.bottom - 3]
        .filter((y) => y >= 0 && y < innerHeight)
        .map((y) => document.elementFromPoint(x, y)).find(isOver);
    if (over) faults.push('has the focus under ' + over.tagName.toLowerCase() + '.' + over.className);
    return { named, faults };";

impl Browser {
    /// Presses keys one after the other.
    pub(super) fn press(&self, keys: impl IntoIterator<Item = char>) {
        let strokes =
            keys.into_iter().flat_map(|key| [stroke("keyDown", key), stroke("keyUp", key)]);
        let strokes: Vec<_> = strokes.collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.post("actions", &json!({ "actions": [keyboard] }));
    }

    /// What has the focus and what is wrong with how it is shown; `None` when nothing has it.
    pub(super) fn focused(&self) -> Option<(String, Vec<String>)> {
        let found = self.run(FOCUSED);
        let named = found["named"].as_str()?.to_owned();
        let faults = found["faults"].as_array()?.iter().filter_map(Value::as_str);
        Some((named, faults.map(str::to_owned).collect()))
    }

    /// Presses Tab until what has the focus is what the selector names.
    ///
    /// # Panics
    /// When it is out of reach, or something on the way has the focus and does not show it.
    pub(super) fn tab_to(&self, css: &str) {
        let is_there = format!("return document.activeElement.matches({})", json!(css));
        for _ in 0..TABS_MAX {
            self.press([TAB]);
            let (named, faults) = self.focused().unwrap_or_default();
            assert!(faults.is_empty(), "{named} on {}: {faults:?}", self.url());
            if self.run(&is_there) == Value::Bool(true) {
                return;
            }
        }
        panic!("{css} on {} cannot be reached by Tab", self.url());
    }

    /// Presses Enter and waits for the page that it leads to.
    pub(super) fn enter(&self) {
        let before = self.page_mark();
        self.press([ENTER]);
        self.wait_for_page(&before);
    }
}

fn stroke(kind: &str, key: char) -> Value {
    json!({ "type": kind, "value": key.to_string() })
}
