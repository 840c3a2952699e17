//! The language: a cookie of the device, so no backend is asked and strangers choose too.

use super::draw::head;
use super::visit::{Heard, Visit};
use super::{Handled, Head, Site, html, see_other};
use crate::action::Action;
use crate::web::ask::Ask;
use crate::web::csrf::{Binding, FormName, check_source, fresh_key};
use crate::web::form::Form;
use crate::web::page::frame::{Notice, Tone};
use crate::web::page::said::{Said, Subject, Trouble};
use crate::web::page::settings::{LanguagePage, tabs};
use crate::web::route::Route;
use crate::web::words::Lang;

impl<A: Ask> Site<A> {
    /// The languages to choose from.
    pub(super) fn settings_language(&self, visit: &Visit<'_>) -> Handled {
        let heard = self.read(visit, None, Action::CheckSession)?;
        let saved = visit.query.find("saved");
        let saved = saved.map(|_| Notice::new(Tone::Good, visit.t.saved(), ""));
        self.language_page(visit, Some(&heard), saved, Head::of(200, Vec::new()))
    }

    /// Keeps what was chosen, or says why it was not believed.
    pub(super) fn choose_language(&self, visit: &Visit<'_>, form: &Form) -> Handled {
        match self.chosen_language(visit, form) {
            Ok(chosen) => {
                let to = format!("{}?saved=1", Route::SettingsLanguage);
                Ok(see_other(&to, vec![Lang::cookie(chosen)]))
            }
            Err(trouble) => {
                let said = Said::of(visit.t, &trouble, Subject::Button);
                let head = Head::of(said.status, Vec::new());
                self.language_page(visit, None, Some(said.notice), head)
            }
        }
    }

    fn chosen_language(&self, visit: &Visit<'_>, form: &Form) -> Result<Option<Lang>, Trouble> {
        let matches_origin = |origin: &str| self.origin.matches_origin_header(origin);
        check_source(visit.request, &matches_origin).map_err(|_| Trouble::Elsewhere)?;
        let stranger = visit.stranger.as_ref().ok_or(Trouble::OldForm)?;
        let binding = Binding::Stranger(stranger.secret());
        let token = form.get("token");
        let checked = self.form_key.check(binding, FormName::Language, token);
        checked.map_err(|_| Trouble::OldForm)?;
        match form.find("lang") {
            Some("") => Ok(None),
            Some(tag) => Lang::tagged(tag).map(Some).ok_or(Trouble::Unreadable),
            None => Err(Trouble::Unreadable),
        }
    }

    fn language_page(
        &self,
        visit: &Visit<'_>,
        heard: Option<&Heard>,
        notice: Option<Notice>,
        mut answer: Head,
    ) -> Handled {
        let (t, here) = (visit.t, Route::SettingsLanguage);
        let (stranger, cookie) = Self::stranger(visit)?;
        answer.cookies.extend(heard.into_iter().flat_map(|heard| heard.cookies.clone()));
        answer.cookies.extend(cookie);
        let around = self.around(visit, heard);
        let is_member = around.viewer.is_some();
        // Choosing twice does no harm, so its key need not be kept.
        let (binding, key) = (Binding::Stranger(stranger.secret()), fresh_key(None)?);
        let title = if is_member { t.settings() } else { t.language_tab() };
        let tabs = if is_member { tabs(t, &here) } else { Vec::new() };
        let page = LanguagePage {
            frame: around.frame(title, None).under(&tabs).saying(notice),
            tabs,
            form: head(&self.form_key, binding, FormName::Language, &here, key),
            choices: Lang::ALL.map(|lang| (lang, visit.chosen == Some(lang))).into(),
            is_open: visit.chosen.is_none(),
        };
        html(&page, answer)
    }
}
