//! What every POST goes through, in this order: where it comes from, whether it can be read, whether
//! somebody is signed in, whether the form was drawn for them; only then a backend is asked.

use super::act::{Act, Garbled};
use super::again::Again;
use super::draw::audience;
use super::pictures::Room;
use super::visit::{Heard, Visit};
use super::{Fault, Handled, Site, Stop, journal, see_other};
use crate::action::{Problem, RequestKey};
use crate::auth::policy::{self, Names};
use crate::text;
use crate::user::entry::Audience;
use crate::web::ask::{Ask, AskError};
use crate::web::csrf::{Binding, Forbidden, check_source, fresh_key};
use crate::web::form::{Form, FormFault};
use crate::web::page::said::Trouble;
use crate::web::response::{Location, Response};
use crate::web::route::Route;
use crate::web::session::Session;
use crate::wire::request::{Field, FieldProblem, Outcome, Refusal, Saved};

impl<A: Ask> Site<A> {
    /// Does what a form asks for, or gives the form back with the reason why not.
    pub(super) fn write(&self, visit: &Visit<'_>, route: &Route) -> Handled {
        let mut form = Form::parse(visit.request.content_type.as_deref(), &visit.request.body);
        if form.fault() == Some(FormFault::TooLong) {
            // The browser has it still, all of it.
            let text = format!("{} {}", visit.t.body_too_large(), visit.t.gate_shorten());
            return self.message(visit, None, (413, visit.t.too_long(), &text));
        }
        if *route == Route::SettingsLanguage {
            return self.choose_language(visit, &form);
        }
        if *route == Route::AllowApp {
            return self.allow_app(visit, &form);
        }
        if *route == Route::SettingsKeys {
            return self.switch_keys(visit, &form);
        }
        let (act, is_garbled) = match Act::of(route, &form) {
            Some(Ok(act)) => (act, false),
            Some(Err(Garbled(act))) => (act, true),
            None => return self.not_allowed(visit, route),
        };
        let key = form.get("key").parse().or_else(|_| fresh_key(None))?;
        if let Err(trouble) = self.check(visit, &act, &form, is_garbled) {
            let (form_name, outcome) = (act.form_name(), journal::why(&trouble));
            log::info!(form:? = form_name, request:% = visit.request.id, outcome:%; "form refused");
            let again = Again { act: &act, form: &form, key, trouble, heard: None };
            return self.again(visit, &again);
        }
        if let (Act::Post(_), Some(room)) = (&act, Room::asked(&form)) {
            return self.give_room(visit, (&act, &form, room), key);
        }
        if let Some(problem) = self.host_in_password(&act, &form).or_else(|| unnamed(&act, &form)) {
            let trouble = Trouble::Refused(Refusal::Invalid { problems: vec![problem] });
            return self.again(visit, &Again { act: &act, form: &form, key, trouble, heard: None });
        }
        if let Err((trouble, heard)) = self.keep_pictures(visit, (&act, &mut form))? {
            let again = Again { act: &act, form: &form, key, trouble, heard: heard.as_ref() };
            return self.again(visit, &again);
        }
        let again = |trouble, heard| {
            self.again(visit, &Again { act: &act, form: &form, key, trouble, heard })
        };
        let asked = self.ask_for(visit, &act, &form, key)?;
        journal::note(visit, &act, &form, asked.as_ref().ok().map(|heard| &heard.outcome));
        let heard = match asked {
            Ok(heard) => heard,
            Err(AskError::Unreachable { asked }) => {
                return again(Trouble::Unreachable { asked }, None);
            }
        };
        match &heard.outcome {
            Outcome::Saved(saved) => self.saved(visit, &act, &form, (&heard, saved)),
            Outcome::Refused(refusal) => {
                if let Refusal::BadRequest { detail } = refusal {
                    log::warn!(request:% = visit.request.id, detail:%; "form not understood");
                }
                again(Trouble::Refused(heard.honest(refusal)), Some(&heard))
            }
            _ => Err(Fault::Nonsense.into()),
        }
    }

    /// Everything that must hold before a backend is asked.
    fn check(
        &self,
        visit: &Visit<'_>,
        act: &Act,
        form: &Form,
        is_garbled: bool,
    ) -> Result<(), Trouble> {
        let matches_origin = |origin: &str| self.origin.matches_origin_header(origin);
        check_source(visit.request, &matches_origin).map_err(|_| Trouble::Elsewhere)?;
        if is_garbled || form.fault().is_some() {
            return Err(Trouble::Unreadable);
        }
        let binding = if act.needs_session() {
            let session = visit.session.as_ref().ok_or(Trouble::Refused(Refusal::SignedOut))?;
            if let Act::EditPost(post) | Act::DeletePost(post) = act
                && post.user != *session.user()
            {
                return Err(Trouble::Refused(Refusal::NotFound));
            }
            Some(Binding::Session(session.token()))
        } else {
            visit.stranger.as_ref().map(|stranger| Binding::Stranger(stranger.secret()))
        };
        let checked = match binding {
            Some(binding) => self.form_key.check(binding, act.form_name(), form.get("token")),
            None => Err(Forbidden::Token),
        };
        checked.map_err(|_| Trouble::OldForm)
    }

    /// Backends, which judge passwords, do not know under which name people come here.
    fn host_in_password(&self, act: &Act, form: &Form) -> Option<FieldProblem> {
        let (field, name) = match act {
            Act::Join | Act::FirstKeeper => (Field::Password, "password"),
            Act::ChangePassword | Act::ResetPassword => (Field::NewPassword, "new"),
            _ => return None,
        };
        let host = self.origin.host();
        let names = Names { host: &host, ..Names::default() };
        // What else is wrong with it the backends say, and all at once.
        let problem = policy::check(form.get(name), names);
        let problem = problem.filter(|problem| *problem == Problem::Guessable)?;
        Some(FieldProblem { field, problem })
    }

    /// Asks for it: joining and signing in as the stranger that one still is.
    fn ask_for(
        &self,
        visit: &Visit<'_>,
        act: &Act,
        form: &Form,
        key: RequestKey,
    ) -> Result<Result<Heard, AskError>, Stop> {
        let action = self.action(visit, act, form, key)?;
        if act.needs_session() {
            return Ok(self.ask_as(visit.session.as_ref(), None, action));
        }
        let about = action.user();
        Ok(self.ask_as(None, about.as_ref(), action))
    }

    /// Where a browser goes after what it asked for was done.
    fn saved(
        &self,
        visit: &Visit<'_>,
        act: &Act,
        form: &Form,
        (heard, saved): (&Heard, &Saved),
    ) -> Handled {
        let to = match act {
            // Made, but not signed in: somebody who sent it twice.
            Act::Join if heard.session.is_none() => Route::Login.href(),
            Act::Join => Route::Home.href(),
            Act::FirstKeeper => Route::ModHouse.href(),
            Act::Login => return self.logged_in(visit, form, heard),
            Act::Logout => return Ok(signed_out(&Route::Home.href())),
            Act::Leave => return Ok(signed_out("/?left=1")),
            Act::Post(reply_to) => posted(reply_to.as_ref(), saved),
            Act::EditPost(post) => Route::Thread(post.clone()).href(),
            Act::Mark { post, .. } | Act::Vote(post, _) => {
                let to = next(form).unwrap_or_else(|| Route::Thread(post.clone()).href());
                format!("{}#p{}", to.split('#').next().unwrap_or_default(), post.id)
            }
            Act::DeletePost(post) => format!("{}?deleted=1", Route::Profile(post.user.clone())),
            Act::Follow(name)
            | Act::Unfollow(name)
            | Act::Mute(name)
            | Act::Unmute(name)
            | Act::Block(name)
            | Act::Unblock(name)
            | Act::RemoveFollower(name) => {
                next(form).unwrap_or_else(|| Route::Profile(name.clone()).href())
            }
            Act::Report(post) => format!("{}?reported=1", Route::Thread(post.clone())),
            Act::Invite => {
                let made = form.get("key").parse::<RequestKey>();
                let made = made.map_or_else(|_| String::new(), |key| format!("?made={}", key.id));
                format!("{}{made}", Route::SettingsInvitations)
            }
            Act::EndInvitation(_) => Route::SettingsInvitations.href(),
            Act::Keep(_) => next(form).unwrap_or_else(|| Route::Mod.href()),
            Act::SetHouse => format!("{}?saved=1", Route::ModHouse),
            Act::EditProfile => format!("{}?saved=1", Route::SettingsProfile),
            Act::ChangePassword | Act::ResetPassword => {
                format!("{}?ended={}", Route::SettingsPassword, saved.sessions_ended)
            }
            Act::EndSession(_) => format!("{}?ended=1", Route::SettingsDevices),
            Act::EndOthers => format!("{}?ended={}", Route::SettingsDevices, saved.sessions_ended),
        };
        Ok(see_other(&to, heard.cookies.clone()))
    }
}

/// A post for those whom it names that names nobody is a mistake: at a browser one would
/// not notice that nobody reads it.
fn unnamed(act: &Act, form: &Form) -> Option<FieldProblem> {
    let is_for_named = matches!(act, Act::Post(_)) && audience(form) == Some(Audience::Named);
    let names_nobody = is_for_named && text::mentions(form.get("text")).is_empty();
    names_nobody.then_some(FieldProblem { field: Field::Text, problem: Problem::NamesNobody })
}

/// The page that a form wants to go back to, if it is one of this site's.
pub(crate) fn next(form: &Form) -> Option<String> {
    let location = form.find("next").and_then(Location::new)?;
    Some(location.as_str().to_owned())
}

/// Where a post is seen: at home, or in the thread that it was written in.
fn posted(reply_to: Option<&crate::user::entry::PostRef>, saved: &Saved) -> String {
    match (reply_to, saved.post) {
        (None, Some(post)) => format!("/?posted={post}"),
        (Some(parent), Some(post)) => {
            format!("{}?posted={post}#p{post}", Route::Thread(parent.clone()))
        }
        (None, None) => Route::Home.href(),
        (Some(parent), None) => Route::Thread(parent.clone()).href(),
    }
}

/// The browser forgets the session, and the pages it has kept.
fn signed_out(to: &str) -> Response {
    Response { clear_cache: true, ..see_other(to, Session::cleared()) }
}
