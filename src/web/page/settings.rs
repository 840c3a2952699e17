//! Settings: the tabs over them, and the places where one is signed in.

use askama::Template;

use super::form::{ButtonForm, FormHead};
use super::frame::Frame;
use super::time::Moment;
use crate::limits::DEVICE_CHARS_SHOWN;
use crate::web::route::Route;
use crate::web::words::Lang;

/// A link to one of the settings.
#[derive(Debug, Clone)]
pub(crate) struct Tab {
    /// Where to.
    pub(crate) href: String,
    /// What it is called.
    pub(crate) label: &'static str,
    /// Whether it is this page.
    pub(crate) is_current: bool,
}

/// The links over each of the settings.
pub(crate) fn tabs(t: Lang, here: &Route) -> Vec<Tab> {
    let all = [
        (Route::SettingsProfile, t.profile_tab()),
        (Route::SettingsPassword, t.password_tab()),
        (Route::SettingsDevices, t.devices_tab()),
        (Route::SettingsLanguage, t.language_tab()),
        (Route::SettingsPeople, t.people_tab()),
        (Route::SettingsInvitations, t.invitations_tab()),
        (Route::SettingsKeys, t.keys()),
        (Route::SettingsData, t.data_tab()),
        (Route::SettingsLeave, t.leave_tab()),
    ];
    let tab = |(route, label): (Route, _)| Tab {
        href: route.to_string(),
        label,
        is_current: *here == route,
    };
    all.into_iter().map(tab).collect()
}

/// A row of the list of keys: pressed one after the other, and what they do.
type KeyRow = (Vec<&'static str>, &'static str);

/// The keys that the script knows.
pub(crate) fn keys(t: Lang) -> Vec<KeyRow> {
    vec![
        (vec!["j"], t.key_next()),
        (vec!["k"], t.key_previous()),
        (vec![t.enter_key()], t.key_open()),
        (vec!["r"], t.key_reply()),
        (vec!["n"], t.key_write()),
        (vec!["."], t.key_fresh()),
        (vec!["/"], t.search()),
        (vec!["g", "h"], t.home()),
        (vec!["g", "l"], t.everyone()),
        (vec!["g", "n"], t.mentions()),
        (vec![t.ctrl_enter_key()], t.key_send()),
        (vec!["?"], t.key_list()),
    ]
}

/// The list of keys.
#[derive(Debug, Template)]
#[template(path = "keys.html", config = "src/web/askama.toml")]
pub(crate) struct KeysPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The links to all settings.
    pub(crate) tabs: Vec<Tab>,
    /// The keys.
    pub(crate) keys: Vec<KeyRow>,
    /// Whether they are on.
    pub(crate) is_on: bool,
    /// The button that turns them off or on.
    pub(crate) switch: ButtonForm,
}

/// What can be taken along.
#[derive(Debug, Template)]
#[template(path = "data.html", config = "src/web/askama.toml")]
pub(crate) struct DataPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The links to all settings.
    pub(crate) tabs: Vec<Tab>,
    /// How many posts.
    pub(crate) posts_count: u32,
    /// Where the file for programs is.
    pub(crate) json: String,
    /// Where the file for people is.
    pub(crate) html: String,
}

/// Where one is signed in.
#[derive(Debug, Template)]
#[template(path = "devices.html", config = "src/web/askama.toml")]
pub(crate) struct DevicesPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The links to all settings.
    pub(crate) tabs: Vec<Tab>,
    /// The places.
    pub(crate) devices: Vec<Device>,
    /// The button that ends all others, if there are others.
    pub(crate) end_others: Option<ButtonForm>,
    /// The button that signs out here.
    pub(crate) logout: ButtonForm,
}

/// A place where one is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    /// The browser, in short.
    pub(crate) browser: String,
    /// What it calls itself.
    pub(crate) agent: String,
    /// From which network address.
    pub(crate) address: String,
    /// Since when.
    pub(crate) since: Moment,
    /// The button that ends it; none for the place one is at.
    pub(crate) end: Option<ButtonForm>,
}

/// The language, chosen on this device.
#[derive(Debug, Template)]
#[template(path = "language.html", config = "src/web/askama.toml")]
pub(crate) struct LanguagePage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The links to all settings; none for strangers.
    pub(crate) tabs: Vec<Tab>,
    /// The form.
    pub(crate) form: FormHead,
    /// The languages, and whether each was chosen.
    pub(crate) choices: Vec<(Lang, bool)>,
    /// Whether none was, so that the browser's wish counts.
    pub(crate) is_open: bool,
}

/// What a browser calls itself, in short: `Firefox on Linux`. Names are looked for in the order in
/// which browsers pretend to be each other.
pub(crate) fn browser(t: Lang, agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => t.browser_on(browser, system),
        (Some(browser), None) => browser.to_owned(),
        (None, _) if agent.trim().is_empty() => t.unknown_browser().to_owned(),
        (None, _) => agent.chars().take(DEVICE_CHARS_SHOWN).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(agent: &str, short: &str) {
        assert_eq!(browser(Lang::En, agent), short);
    }

    #[test]
    fn browser_named_in_short() {
        check(
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox on Linux",
        );
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 \
             Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        );
        check(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 \
             Safari/537.36 Edg/126.0",
            "Edge on Windows",
        );
        check(
            "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36",
            "Chrome on Android",
        );
        check("curl/8.5.0", "curl/8.5.0");
        check("", "Unknown browser");
        check(&"x".repeat(300), &"x".repeat(DEVICE_CHARS_SHOWN));
    }
}
