//! The keys that the script knows: their list, and the switch that turns them off. What is chosen
//! stands in a cookie of the device, so no backend is asked to keep it.

use super::visit::Visit;
use super::{Handled, Head, Site, html, see_other};
use crate::limits::DEVICE_COOKIE_S;
use crate::web::ask::Ask;
use crate::web::cookie::{CookieValue, SetCookie};
use crate::web::csrf::{Binding, FormName, check_source};
use crate::web::form::Form;
use crate::web::page::form::ButtonForm;
use crate::web::page::frame::{Notice, Tone};
use crate::web::page::settings::{KeysPage, keys, tabs};
use crate::web::route::Route;

/// The cookie of a device on which the keys are off.
pub(super) const COOKIE: &str = "k";
/// Its one value.
pub(super) const OFF: &str = "0";

impl<A: Ask> Site<A> {
    /// The list of keys, and the switch; only members have the script.
    pub(super) fn settings_keys(&self, visit: &Visit<'_>) -> Handled {
        let heard = self.checked(visit)?;
        let (t, drawer) = (visit.t, self.must_draw(visit, &heard)?);
        let (label, value) =
            if visit.has_keys { (t.turn_keys_off(), OFF) } else { (t.turn_keys_on(), "1") };
        let switch = ButtonForm {
            form: drawer.form(FormName::Keys, &Route::SettingsKeys, value).carrying("keys", value),
            label,
            spoken: String::new(),
            class: "q",
        };
        let saved = visit.query.find("saved").map(|_| Notice::new(Tone::Good, t.saved(), ""));
        let page = KeysPage {
            frame: self.settings_frame(visit, Some(&heard), &Route::SettingsKeys).saying(saved),
            tabs: tabs(t, &Route::SettingsKeys),
            keys: keys(t),
            is_on: visit.has_keys,
            switch,
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// Turns the keys off or on, on this device.
    pub(super) fn switch_keys(&self, visit: &Visit<'_>, form: &Form) -> Handled {
        let matches_origin = |origin: &str| self.origin.matches_origin_header(origin);
        let is_ours = check_source(visit.request, &matches_origin).is_ok()
            && visit.session.as_ref().is_some_and(|session| {
                let binding = Binding::Session(session.token());
                self.form_key.check(binding, FormName::Keys, form.get("token")).is_ok()
            });
        if !is_ours || form.fault().is_some() {
            return self.error(visit, None, 403);
        }
        let value = CookieValue::new(OFF).filter(|_| form.get("keys") == OFF);
        let cookie = SetCookie { name: COOKIE, value, max_age_s: Some(DEVICE_COOKIE_S) };
        Ok(see_other(&format!("{}?saved=1", Route::SettingsKeys), vec![cookie]))
    }
}
