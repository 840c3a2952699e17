//! The page that comes back when something was not done: what happened, and the form with all that
//! was typed, ready to be sent again.

use super::act::Act;
use super::draw::{answering, audiences_again, composer, head};
use super::entry::LoginForm;
use super::posts::editor;
use super::visit::{Heard, Visit};
use super::{Handled, Head, Site, html, pictures, poll};
use crate::action::{Mark, Problem, RequestKey};
use crate::text;
use crate::web::ask::Ask;
use crate::web::csrf::{Binding, fresh_key};
use crate::web::form::Form;
use crate::web::page::form::{ButtonForm, ComposePage, Composer, ConfirmPage, FormHead};
use crate::web::page::problem::problem;
use crate::web::page::said::{Said, Trouble};
use crate::web::response::Cache;
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::{Field, FieldProblem, Refusal};

/// A write that was not done, or may not have been.
pub(super) struct Again<'a> {
    /// What was asked for.
    pub(super) act: &'a Act,
    /// What came with it.
    pub(super) form: &'a Form,
    /// Its one-time key.
    pub(super) key: RequestKey,
    /// Why.
    pub(super) trouble: Trouble,
    /// What a backend said, if one was asked and answered.
    pub(super) heard: Option<&'a Heard>,
}

impl Again<'_> {
    /// What is wrong with a field; empty if nothing is.
    pub(super) fn problem_of(&self, t: Lang, field: Field) -> String {
        let say = |it: &FieldProblem| match it.problem {
            Problem::NamesNobody => self.names_nobody(t),
            _ => problem(t, field, &it.problem),
        };
        let of_field: Vec<_> = self.problems_of(field).map(say).collect();
        of_field.join(" ")
    }

    fn problems_of(&self, field: Field) -> impl Iterator<Item = &FieldProblem> {
        let problems = match &self.trouble {
            Trouble::Refused(Refusal::Invalid { problems }) => problems.as_slice(),
            _ => &[],
        };
        problems.iter().filter(move |it| it.field == field)
    }

    /// What is wrong with the poll, and with which of what can be chosen; may be empty.
    fn poll_problem(&self, t: Lang) -> String {
        let said = self.problem_of(t, Field::Poll);
        let number =
            self.problems_of(Field::Poll).find_map(|it| poll::at_fault(self.form, &it.problem));
        number.map_or(said.clone(), |number| format!("{}: {said}", t.option_number(number)))
    }

    /// Why a post names nobody: none of the names in it is anybody's, or there are none.
    fn names_nobody(&self, t: Lang) -> String {
        let names = text::mentions(self.form.get("text"));
        let names: Vec<_> = names.iter().map(|name| format!("@{name}")).collect();
        let Some((last, others)) = names.split_last() else { return t.name_somebody().to_owned() };
        match others {
            [] => t.none_is_called(last),
            others => t.none_is_called(&format!("{} {} {last}", others.join(", "), t.or_last())),
        }
    }

    /// What is wrong with the pictures; may be empty.
    fn picture_problem(&self, t: Lang) -> String {
        let described = self.problem_of(t, Field::Description);
        format!("{} {described}", self.problem_of(t, Field::Picture)).trim().to_owned()
    }

    /// The answer's head.
    pub(super) fn head(&self, said: &Said) -> Head {
        let cookies = self.heard.map_or_else(Vec::new, |heard| heard.cookies.clone());
        // A page that nobody may keep loses what was typed in it when one leaves it and comes back.
        let cache = matches!(self.act, Act::Post(_)).then_some(Cache::Private);
        Head { cache, retry_after_s: said.retry_after_s, ..Head::of(said.status, cookies) }
    }
}

impl<A: Ask> Site<A> {
    /// Gives a form back.
    pub(super) fn again(&self, visit: &Visit<'_>, again: &Again<'_>) -> Handled {
        let is_over = again.heard.is_some_and(|heard| heard.is_over);
        // Of what only keepers may see a stranger is told that it does not exist.
        let signed_out = Trouble::Refused(Refusal::SignedOut);
        let trouble = if is_over { &signed_out } else { &again.trouble };
        let mut said = Said::of(visit.t, trouble, again.act.subject());
        if said.status != 422 {
            // Not what was typed is at fault, so its number is wanted to find out what is.
            said.notice.add(&format!("{}.", visit.t.request_number(&visit.request.id)));
        }
        if again.act.needs_session() && (visit.session.is_none() || is_over) {
            return self.login_first(visit, again, said);
        }
        match again.act {
            Act::Join => self.join_again(visit, again, said),
            Act::FirstKeeper | Act::ResetPassword => self.link_again(visit, again, said),
            Act::Login => {
                let mut login = LoginForm::typed(again.form);
                login.said = Some(said);
                self.login_page(visit, again.heard, login)
            }
            Act::Post(reply_to) => {
                let is_lost =
                    matches!(again.trouble, Trouble::Refused(Refusal::NotFound | Refusal::Gone));
                let reply_to = reply_to.as_ref().filter(|_| !is_lost);
                self.compose_again(visit, again, said, reply_to)
            }
            Act::EditPost(post) => self.compose_again(visit, again, said, Some(post)),
            Act::EditProfile => self.profile_again(visit, again, said),
            Act::ChangePassword => self.password_again(visit, again, said),
            Act::Leave => self.leave_again(visit, again, said),
            Act::Report(post) => self.report_again(visit, again, said, post),
            Act::Keep(deed) => self.deed_again(visit, again, said, deed),
            Act::SetHouse => self.house_again(visit, again, said),
            Act::Logout
            | Act::Mark { .. }
            | Act::Vote(..)
            | Act::DeletePost(_)
            | Act::Follow(_)
            | Act::Unfollow(_)
            | Act::Mute(_)
            | Act::Unmute(_)
            | Act::Block(_)
            | Act::Unblock(_)
            | Act::RemoveFollower(_)
            | Act::Invite
            | Act::EndInvitation(_)
            | Act::EndSession(_)
            | Act::EndOthers => self.button_again(visit, again, said),
        }
    }

    /// The head of the form to send again, under the session that the browser has.
    pub(super) fn again_form(
        &self,
        visit: &Visit<'_>,
        again: &Again<'_>,
        said: &Said,
    ) -> Result<FormHead, super::Stop> {
        let key = if said.is_key_spent {
            fresh_key(again.heard.and_then(|heard| heard.viewer.as_ref()).map(|viewer| viewer.ops))?
        } else {
            again.key
        };
        let session =
            again.heard.and_then(|heard| heard.session.as_ref()).or(visit.session.as_ref());
        let token = session.map_or("", |session| session.token());
        let binding = Binding::Session(token);
        Ok(head(&self.form_key, binding, again.act.form_name(), &again.act.route(), key))
    }

    fn compose_again(
        &self,
        visit: &Visit<'_>,
        again: &Again<'_>,
        said: Said,
        about: Option<&crate::user::entry::PostRef>,
    ) -> Handled {
        let mut form = self.again_form(visit, again, &said)?;
        let is_edit = matches!(again.act, Act::EditPost(_));
        if let Some(parent) = about.filter(|_| !is_edit) {
            form = answering(form, parent);
        }
        let t = visit.t;
        let empty = composer(t, form);
        let empty = if is_edit { editor(t, empty) } else { empty };
        let around = self.around(visit, again.heard);
        let cancel = match about {
            Some(parent) => (Route::Thread(parent.clone()).href(), t.back_to_thread()),
            // Where the text alone is at fault, nothing keeps anybody from anything.
            None if said.status == 422 => (Route::Home.href(), t.go_back()),
            None => (Route::Home.href(), t.read_home()),
        };
        let wrong = match again.trouble {
            Trouble::Picture(_, number) => number,
            _ => None,
        };
        // Those of a post that is changed stay; they are shown again where a machine answers at once.
        let described = pictures::described(again.form).filter(|_| is_edit).unwrap_or_default();
        let is_answered = !described.is_empty() && said.status == 422;
        let post = about.filter(|_| is_answered).and_then(|post| self.own_post(visit, post).ok());
        let shown = post.map(|(_, thread)| thread.post.pictures).unwrap_or_default();
        let pictures = if is_edit { Vec::new() } else { pictures::fields_again(again.form, wrong) };
        let poll = poll::fields(t, again.form, again.poll_problem(t));
        let poll = poll.filter(|_| !is_edit);
        let page = ComposePage {
            frame: around.frame(said.title, Some(&Route::Home)).saying(said.notice.clone()),
            composer: Composer {
                label: t.your_text(),
                is_labelled: true,
                rows: 4,
                text: again.form.get("text").to_owned(),
                problem: again.problem_of(t, Field::Text),
                note: again.form.get("note").to_owned(),
                note_problem: again.problem_of(t, Field::Note),
                audiences: if is_edit { Vec::new() } else { audiences_again(t, again.form) },
                offers_more: !is_edit && pictures.is_empty() && poll.is_none(),
                poll,
                covers_pictures: pictures::covers(again.form),
                described: pictures::describing(described, &shown),
                pictures,
                picture_problem: again.picture_problem(t),
                button: said.button.unwrap_or(empty.button),
                cancel: Some(cancel),
                footnote: match said.button {
                    Some(_) if !said.is_check => t.cannot_post_twice(),
                    _ => "",
                },
                ..empty
            },
        };
        html(&page, again.head(&said))
    }

    fn button_again(&self, visit: &Visit<'_>, again: &Again<'_>, said: Said) -> Handled {
        let mut form = self.again_form(visit, again, &said)?;
        form = form.carrying("next", super::write::next(again.form).unwrap_or_default());
        if let Act::EndSession(id) = again.act {
            form = form.carrying("id", id);
        }
        if *again.act == Act::Invite {
            for name in ["uses", "days"] {
                form = form.carrying(name, again.form.get(name));
            }
        }
        if let Act::EndInvitation(code) = again.act {
            form = form.carrying("code", code);
        }
        if let Act::Vote(..) = again.act {
            form = poll::carrying(form, again.form);
        }
        if *again.act == Act::EndOthers {
            form = form.carrying("others", "1");
        }
        // What was chosen cannot be changed here.
        let is_futile = match again.act {
            Act::Vote(..) => said.status == 422,
            Act::Invite => said.status == 400,
            _ => false,
        };
        let page = ConfirmPage {
            frame: self
                .around(visit, again.heard)
                .frame(said.title, None)
                .saying(said.notice.clone()),
            button: (!is_futile).then(|| ButtonForm {
                form,
                label: said.button.unwrap_or_else(|| label(visit.t, again.act)),
                spoken: String::new(),
                class: "",
            }),
            cancel: (again.act.page().to_string(), visit.t.go_back()),
            post: None,
        };
        html(&page, again.head(&said))
    }
}

/// What the button of an act says.
const fn label(t: Lang, act: &Act) -> &'static str {
    match act {
        Act::Logout => t.sign_out(),
        Act::Mark { mark: Mark::Like, on: true, .. } => t.like(),
        Act::Mark { mark: Mark::Repost, on: true, .. } => t.repost(),
        Act::Mark { mark: Mark::Bookmark, on: true, .. } => t.bookmark(),
        Act::Mark { mark: Mark::Pin, on: true, .. } => t.pin(),
        Act::Mark { mark: Mark::MuteThread, on: true, .. } => t.mute_thread(),
        Act::Mark { on: false, .. } => t.take_back(),
        Act::Vote(..) => t.vote(),
        Act::DeletePost(_) => t.delete(),
        Act::Follow(_) => t.follow(),
        Act::Unfollow(_) => t.unfollow(),
        Act::Mute(_) => t.mute(),
        Act::Unmute(_) => t.unmute(),
        Act::Block(_) => t.block(),
        Act::Unblock(_) => t.unblock(),
        Act::RemoveFollower(_) => t.remove_follower(),
        Act::Invite => t.make_invitation(),
        Act::EndInvitation(_) => t.end_it(),
        Act::Report(_) => t.report(),
        Act::Keep(_) => t.do_it(),
        Act::EndSession(_) | Act::EndOthers => t.sign_out_there(),
        Act::Join => t.create_account(),
        Act::FirstKeeper => t.become_keeper(),
        Act::ResetPassword => t.choose_password(),
        Act::Login => t.sign_in(),
        Act::Post(_) => t.post(),
        Act::EditPost(_) | Act::EditProfile | Act::ChangePassword | Act::SetHouse => t.save(),
        Act::Leave => t.delete_my_account(),
    }
}
