//! What only Chromium can do: other widths, colours and sizes of text, no scripts, pictures, cookies,
//! text as if pasted.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::webdriver::Browser;

/// Pixels of text that nobody has changed the size of. Source: Chromium's settings, "Medium".
const TEXT_PIXELS: u32 = 16;
/// The same for text of fixed width.
const FIXED_PIXELS: u32 = 13;

/// A page's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    pub(super) const BOTH: [Self; 2] = [Self::Light, Self::Dark];

    /// As CSS calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// How often a window is made as high as the page that grew with it.
const FITTINGS_MAX: usize = 4;

impl Browser {
    /// Makes the page as wide as a screen of that size shows it; a narrow one is a phone's, which obeys
    /// `<meta name=viewport>`.
    pub(super) fn set_size(&self, width: u32, height: u32) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600
        });
        self.chromium("Emulation.setDeviceMetricsOverride", &metrics);
    }

    pub(super) fn set_scheme(&self, scheme: Scheme) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme.name() });
        self.chromium("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
    }

    /// Whether pages loaded from now on may run scripts; the driver's own always do.
    pub(super) fn set_scripts(&self, are_on: bool) {
        self.chromium("Emulation.setScriptExecutionDisabled", &json!({ "value": !are_on }));
    }

    /// The language that pages are asked for in, by its tag.
    pub(super) fn set_language(&self, tag: &str) {
        // The browser's own name stays: it is told to give the one together with the other.
        let agent = self.run("return navigator.userAgent");
        let asked = json!({ "userAgent": agent, "acceptLanguage": tag });
        self.chromium("Emulation.setUserAgentOverride", &asked);
    }

    /// The size of text that pages start from, in hundredths of the usual one.
    pub(super) fn set_text_size(&self, percent: u32) {
        let sizes = json!({
            "standard": TEXT_PIXELS * percent / 100, "fixed": FIXED_PIXELS * percent / 100
        });
        self.chromium("Page.setFontSizes", &json!({ "fontSizes": sizes }));
    }

    /// Puts text where the cursor is, as pasting does.
    pub(super) fn paste(&self, text: &str) {
        self.chromium("Input.insertText", &json!({ "text": text }));
    }

    pub(super) fn set_cookie(&self, origin: &str, name: &str, value: &str) {
        let cookie = json!({ "url": origin, "name": name, "value": value, "httpOnly": true });
        let set = self.chromium("Network.setCookie", &cookie);
        assert_eq!(set["success"], Value::Bool(true), "{name}");
    }

    pub(super) fn forget_cookies(&self) {
        self.chromium("Network.clearBrowserCookies", &json!({}));
    }

    /// Makes the window as high as the page, so that nothing is out of sight and what sticks to an edge
    /// covers nothing.
    pub(super) fn fit_height(&self, width: u32) {
        let mut known = 0;
        // A field that may fill a part of the window grows with it.
        for _round in 0..FITTINGS_MAX {
            let height = self.run("return document.documentElement.scrollHeight");
            let height = height.as_u64().and_then(|height| u32::try_from(height).ok());
            let height = height.expect("a page has a height");
            if height == known {
                return;
            }
            self.set_size(width, height);
            known = height;
        }
    }

    /// Writes a picture of what the window shows. Chromium can show more than that by itself, but forgets
    /// the size of text for it.
    pub(super) fn screenshot(&self, path: &Path) {
        let picture = self.chromium("Page.captureScreenshot", &json!({ "format": "png" }));
        let data = picture["data"].as_str().expect("a picture's bytes");
        let bytes = STANDARD.decode(data).expect("pictures come in base64");
        let folder = path.parent().expect("a picture lies in a folder");
        std::fs::create_dir_all(folder).expect("make the folder of pictures");
        std::fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
