//! The page on which somebody lets an app act in their name, or does not.

use super::entry::LoginForm;
use super::visit::{Heard, Visit};
use super::{Handled, Head, Site, html, see_other};
use crate::action::{Action, AllowApp, Opening, RequestKey};
use crate::user::entry::App;
use crate::web::api::authorize::{AppAsks, BadAsk, Fault, Unfit};
use crate::web::ask::{Ask, AskError};
use crate::web::away::Away;
use crate::web::csrf::{Binding, FormName, check_source, fresh_key};
use crate::web::form::Form;
use crate::web::page::apps::{AllowAppPage, CodePage, what_it_may};
use crate::web::page::form::FormHead;
use crate::web::page::said::{Said, Subject, Trouble};
use crate::web::response::{Content, Response};
use crate::web::route::Route;
use crate::web::session::Session;
use crate::wire::request::{Outcome, Refusal};

impl<A: Ask> Site<A> {
    /// Asks whether an app may act in one's name; who is not signed in signs in first, right here.
    pub(super) fn ask_allow_app(&self, visit: &Visit<'_>) -> Handled {
        self.consent(visit, &visit.request.query, None)
    }

    /// `query` is what the app asks; `said` is what became of an answer that did not work out.
    fn consent(&self, visit: &Visit<'_>, query: &str, said: Option<Said>) -> Handled {
        let asks = match AppAsks::read(&self.form_key, query) {
            Ok(asks) => Ok(asks),
            Err(Unfit::Asks(bad)) => Err(bad),
            Err(Unfit::Stranger) => {
                let (title, text) = (visit.t.unknown_app(), visit.t.unknown_app_text());
                return self.message(visit, None, (400, title, text)).map(popup);
            }
        };
        let session = visit.session.as_ref();
        let heard = self.hear(visit, session, None, Action::CheckSession)?;
        let Some((viewer, session)) = heard.viewer.as_ref().zip(heard.session.as_ref()) else {
            let next = format!("{}?{query}", Route::AllowApp);
            return self.login_page(visit, Some(&heard), LoginForm::then(next)).map(popup);
        };
        let asks = match asks {
            Ok(asks) => asks,
            Err(bad) => return self.bad_ask(visit, &heard, &bad),
        };
        let t = visit.t;
        let title = t.allow_app(&asks.client.name);
        let binding = Binding::Session(session.token());
        let key = fresh_key(Some(viewer.ops))?;
        let form = super::draw::head(&self.form_key, binding, FormName::App, &Route::AllowApp, key);
        let notice = said.as_ref().map(|said| said.notice.clone());
        let page = AllowAppPage {
            frame: self.around(visit, Some(&heard)).frame(&title, None).saying(notice),
            app: asks.client.name.clone(),
            website: asks.client.website.clone(),
            name: viewer.username.to_string(),
            may: what_it_may(t, &asks.scopes),
            form: FormHead { ..form }.carrying("app", query),
        };
        let status = said.as_ref().map_or(200, |said| said.status);
        let response = html(&page, Head::of(status, heard.cookies.clone()))?;
        Ok(Response { leads_to: asks.back().cloned(), ..popup(response) })
    }

    /// Says what is wrong with what an app asks, and whose app it is. It hears of that itself only if the
    /// link to it is followed.
    fn bad_ask(&self, visit: &Visit<'_>, heard: &Heard, bad: &BadAsk) -> Handled {
        let (t, client) = (visit.t, &bad.client);
        let why = match bad.fault {
            Fault::Kind => t.app_asks_no_code(),
            Fault::Scopes => t.app_asks_unknown_scopes(),
            Fault::Challenge => t.app_asks_by_unknown_challenge(),
        };
        let mut text = t.app_asks_in_vain(&client.name, why);
        if !client.website.is_empty() {
            text = format!("{text} {}", t.app_page(&client.website));
        }
        let mut page = self.message_page(visit, Some(heard), (t.app_cannot_be_let_in(), &text));
        if let Some(back) = bad.back.as_ref().filter(|back| back.is_private()) {
            page.text = format!("{text} {}", t.app_wants_you_at(&back.source()));
            page.link = (back.as_str().to_owned(), t.back_to_app());
        }
        html(&page, Head::of(400, heard.cookies.clone())).map(popup)
    }

    /// Lets an app in, or sends people back to it with a no.
    pub(super) fn allow_app(&self, visit: &Visit<'_>, form: &Form) -> Handled {
        let query = form.get("app");
        let again = |trouble| {
            let said = Said::of(visit.t, &trouble, Subject::Button);
            self.consent(visit, query, Some(said))
        };
        let matches_origin = |origin: &str| self.origin.matches_origin_header(origin);
        if check_source(visit.request, &matches_origin).is_err() {
            return again(Trouble::Elsewhere);
        }
        if form.fault().is_some() {
            return again(Trouble::Unreadable);
        }
        let Some(session) = &visit.session else { return self.consent(visit, query, None) };
        let binding = Binding::Session(session.token());
        if self.form_key.check(binding, FormName::App, form.get("token")).is_err() {
            return again(Trouble::OldForm);
        }
        let Ok(asks) = AppAsks::read(&self.form_key, query) else {
            return self.consent(visit, query, None);
        };
        if form.find("deny").is_some() {
            let away = asks.answer("error", "access_denied");
            let home = || popup(see_other(&Route::Home.href(), Vec::new()));
            return Ok(away.map_or_else(home, gone));
        }
        let Ok(key) = form.get("key").parse::<RequestKey>() else {
            return again(Trouble::Unreadable);
        };
        let code = self.form_key.app_grant(binding, key.id, query);
        let heard = match self.grant(visit, session, (&asks, key), &code) {
            Ok(heard) => heard,
            Err(AskError::Unreachable { asked }) => return again(Trouble::Unreachable { asked }),
        };
        match &heard.outcome {
            Outcome::Saved(_) => {}
            Outcome::Refused(Refusal::SignedOut) if heard.is_over => {
                return self.consent(visit, query, None);
            }
            Outcome::Refused(refusal) => return again(Trouble::Refused(heard.honest(refusal))),
            _ => return Err(super::Fault::Nonsense.into()),
        }
        log::info!(user:% = session.user(), request:% = visit.request.id; "app let in");
        let code = format!("{}.{code}", session.user());
        match asks.answer("code", &code) {
            Some(away) => Ok(Response { cookies: heard.cookies, ..gone(away) }),
            None => self.code_page(visit, &heard, (&asks.client.name, code)),
        }
    }

    fn grant(
        &self,
        visit: &Visit<'_>,
        session: &Session,
        (asks, key): (&AppAsks, RequestKey),
        code: &str,
    ) -> Result<Heard, AskError> {
        let app = App {
            name: asks.client.name.clone(),
            website: asks.client.website.clone(),
            client: asks.client.hash(),
            scopes: asks.scopes.clone(),
            code_for: Some(asks.bound()),
            came_of: None,
        };
        let opening = Opening {
            token: code.to_owned(),
            device: asks.client.name.clone(),
            address: visit.request.client.to_string(),
        };
        let allow = Action::AllowApp(AllowApp { key, app, opening });
        self.ask_as(Some(session), None, allow)
    }

    /// The code, for people to copy.
    fn code_page(&self, visit: &Visit<'_>, heard: &Heard, (app, code): (&str, String)) -> Handled {
        let frame = self.around(visit, Some(heard)).frame(visit.t.app_code(), None);
        let page = CodePage { intro: visit.t.copy_app_code(app), frame, code };
        html(&page, Head::of(200, heard.cookies.clone())).map(popup)
    }
}

/// A page in a window that may be an app's.
pub(super) fn popup(response: Response) -> Response {
    Response { is_popup: true, ..response }
}

/// Sends people back to an app.
fn gone(away: Away) -> Response {
    Response { away: Some(away), is_popup: true, ..Response::new(302, Content::Text, "") }
}
