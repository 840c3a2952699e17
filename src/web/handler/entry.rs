//! Joining and signing in, and what was typed by somebody whose session ended meanwhile: it rides
//! along in the sign-in form and is shown afterwards, never sent by itself.

use super::act::Act;
use super::again::Again;
use super::apps::popup;
use super::draw::{AUDIENCE, POSTS_FOR, answering, audiences_again, composer, head};
use super::visit::{Heard, Visit};
use super::write::next;
use super::{Handled, Head, Site, html, pictures, poll, see_other};
use crate::action::Action;
use crate::user::entry::{PostRef, Signup};
use crate::web::ask::Ask;
use crate::web::csrf::{Binding, FormName, fresh_key};
use crate::web::form::{Form, encode_query};
use crate::web::page::form::{ComposePage, Composer, FieldView, FieldsPage, FormHead};
use crate::web::page::frame::{Notice, Tone};
use crate::web::page::moderation::deed_href;
use crate::web::page::said::{Said, anchor};
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::Field;

/// Fields that ride along while somebody signs in.
const DRAFT: [&str; 37] = [
    "text",
    "note",
    AUDIENCE,
    "reply_user",
    "reply_id",
    "edit_id",
    "draft_key",
    "display_name",
    "bio",
    "members_only",
    POSTS_FOR,
    "signup",
    "words",
    "members_invite",
    "shows_posts",
    "shows_log",
    "description_1",
    "description_2",
    "description_3",
    "description_4",
    "kept_1",
    "kept_2",
    "kept_3",
    "kept_4",
    "remove_1",
    "remove_2",
    "remove_3",
    "remove_4",
    "sensitive",
    "option_1",
    "option_2",
    "option_3",
    "option_4",
    "lasts",
    "several",
    "reason",
    "hours",
];

/// What stands in the form to sign in.
#[derive(Default)]
pub(super) struct LoginForm {
    /// What to say first.
    pub(super) said: Option<Said>,
    /// The name typed.
    username: String,
    /// Where to go afterwards; empty for home.
    next: String,
    /// Whether the password is shown as it is typed.
    is_shown: bool,
    /// What rides along.
    draft: Vec<(&'static str, String)>,
}

impl LoginForm {
    /// An empty one, from which it goes on to `next`.
    pub(super) fn then(next: String) -> Self {
        Self { next, ..Self::default() }
    }

    /// As it was sent.
    pub(super) fn typed(form: &Form) -> Self {
        Self {
            username: form.get("username").to_owned(),
            next: next(form).unwrap_or_default(),
            draft: drafted(form, form.find("edit_id").is_some()),
            ..Self::default()
        }
    }
}

/// What of a form rides along through signing in: what was filled in, and what a picture of a post that is changed
/// shows, even nothing, for somebody may have taken that away.
fn drafted(form: &Form, is_edit: bool) -> Vec<(&'static str, String)> {
    let said = |name: &'static str| Some((name, form.find(name)?.to_owned()));
    let counts = |(name, value): &(&str, String)| {
        !value.is_empty() || is_edit && name.starts_with("description_")
    };
    DRAFT.into_iter().filter_map(said).filter(counts).collect()
}

/// Whether a post, or a change of one, was typed before signing in.
fn has_post(form: &Form) -> bool {
    let of_posts = |name: &str| {
        matches!(name, "text" | "edit_id")
            || name.starts_with("kept_")
            || name.starts_with("description_")
    };
    let is_typed = DRAFT.into_iter().any(|name| of_posts(name) && !form.get(name).is_empty());
    is_typed || !matches!(poll::asked(form), Ok(None))
}

impl<A: Ask> Site<A> {
    /// The form to join; members go home.
    pub(super) fn join(&self, visit: &Visit<'_>) -> Handled {
        let (heard, welcome) = self.welcome(visit, visit.session.as_ref())?;
        if heard.viewer.is_some() {
            return Ok(see_other("/", heard.cookies));
        }
        if welcome.signup == Signup::Closed {
            return self.closed_page(visit, &heard);
        }
        self.join_page(visit, Some(&heard), (&visit.query, welcome.signup), None)
    }

    /// The form to sign in; members go on to where they were going.
    pub(super) fn login(&self, visit: &Visit<'_>) -> Handled {
        let heard = self.read(visit, None, Action::CheckSession)?;
        let next = next(&visit.query).unwrap_or_default();
        if heard.viewer.is_some() {
            return Ok(see_other(&next, heard.cookies));
        }
        let is_shown = visit.query.find("show").is_some();
        self.login_page(visit, Some(&heard), LoginForm { next, is_shown, ..LoginForm::default() })
    }

    pub(super) fn join_again(&self, visit: &Visit<'_>, again: &Again<'_>, said: Said) -> Handled {
        // What was asked for before is asked for again, and what a backend finds missing.
        let wants_code =
            again.form.find("code").is_some() || !again.problem_of(visit.t, Field::Code).is_empty();
        let signup = if wants_code { Signup::Invited } else { Signup::Open };
        self.join_page(visit, again.heard, (again.form, signup), Some((again, said)))
    }

    fn join_page(
        &self,
        visit: &Visit<'_>,
        heard: Option<&Heard>,
        (typed, signup): (&Form, Signup),
        failed: Option<(&Again<'_>, Said)>,
    ) -> Handled {
        let t = visit.t;
        let (again, said) = failed.unzip();
        let key = match (again, &said) {
            (Some(again), Some(said)) if !said.is_key_spent => again.key,
            _ => fresh_key(None)?,
        };
        let (stranger, cookie) = Self::stranger(visit)?;
        let binding = Binding::Stranger(stranger.secret());
        let problem = |field| again.map_or_else(String::new, |again| again.problem_of(t, field));
        let field = |field, name, value: &str, autocomplete| FieldView {
            id: anchor(t, field).0,
            name,
            label: anchor(t, field).1,
            kind: "text",
            value: value.to_owned(),
            autocomplete,
            problem: problem(field),
            ..FieldView::default()
        };
        let title = t.join_community(&self.community);
        let frame = self.around(visit, heard).frame(title, Some(&Route::Join));
        let code = (signup == Signup::Invited).then(|| FieldView {
            hint: t.code_hint(),
            ..field(Field::Code, "code", typed.get("code"), "off")
        });
        let of_person = [
            FieldView {
                hint: t.username_hint(),
                ..field(Field::Username, "username", typed.get("username"), "username")
            },
            FieldView {
                hint: t.join_name_hint(),
                ..field(Field::DisplayName, "display_name", typed.get("display_name"), "name")
            },
            FieldView {
                hint: t.new_password_hint(),
                kind: "password",
                ..field(Field::Password, "password", "", "new-password")
            },
        ];
        let approved = (signup == Signup::Approved).then(|| t.approved_intro().to_owned());
        let page = FieldsPage {
            frame: frame.saying(said.as_ref().map(|said| said.notice.clone())),
            tabs: Vec::new(),
            intro: approved.into_iter().collect(),
            form: head(&self.form_key, binding, FormName::Join, &Route::Join, key),
            fields: code.into_iter().chain(of_person).collect(),
            button: said.as_ref().and_then(|said| said.button).unwrap_or(t.create_account()),
            class: "",
            link: Some((Route::Login.href(), t.have_account())),
            footnote: "",
            logout: None,
        };
        let mut cookies = heard.map_or_else(Vec::new, |heard| heard.cookies.clone());
        cookies.extend(cookie);
        let status = said.as_ref().map_or(200, |said| said.status);
        let retry_after_s = said.and_then(|said| said.retry_after_s);
        html(&page, Head { retry_after_s, ..Head::of(status, cookies) })
    }

    /// The form to sign in, because what was asked for takes somebody who is signed in.
    pub(super) fn login_first(&self, visit: &Visit<'_>, again: &Again<'_>, said: Said) -> Handled {
        let mut login = LoginForm { said: Some(said), ..LoginForm::default() };
        login.next = back_to(visit.t, again);
        let has_text = matches!(again.act, Act::Post(_) | Act::EditPost(_));
        let has_reason = matches!(again.act, Act::Report(_) | Act::Keep(_));
        if has_text || has_reason || matches!(again.act, Act::EditProfile | Act::SetHouse) {
            let form = again.form;
            login.draft = drafted(form, matches!(again.act, Act::EditPost(_)));
            // Sent before, perhaps: under the same key it cannot be saved twice.
            login.draft.retain(|(name, _)| *name != "draft_key");
            if has_text {
                login.draft.push(("draft_key", again.key.to_string()));
            }
            if let Act::EditPost(post) = again.act {
                login.draft.retain(|(name, _)| *name != "edit_id");
                login.draft.push(("edit_id", post.id.to_string()));
            }
        }
        if let Some(user) = visit.session.as_ref().map(crate::web::session::Session::user) {
            login.username = user.to_string();
        }
        self.login_page(visit, again.heard, login)
    }

    pub(super) fn login_page(
        &self,
        visit: &Visit<'_>,
        heard: Option<&Heard>,
        login: LoginForm,
    ) -> Handled {
        let t = visit.t;
        let (stranger, cookie) = Self::stranger(visit)?;
        let binding = Binding::Stranger(stranger.secret());
        // Signing in twice does no harm, so its key need not be kept.
        let key = fresh_key(None)?;
        let mut form = head(&self.form_key, binding, FormName::Login, &Route::Login, key)
            .carrying("next", &login.next);
        form.hidden.extend(login.draft.iter().cloned());
        let notice = login.said.as_ref().map(|said| said.notice.clone());
        let mut around = self.around(visit, heard);
        around.viewer = None;
        let mut frame = around.frame(t.sign_in(), Some(&Route::Login)).saying(notice);
        // It shows the password without another page.
        frame.script = Some(around.script());
        let page = FieldsPage {
            frame,
            tabs: Vec::new(),
            intro: Vec::new(),
            form,
            fields: login_fields(t, &login),
            button: login.said.as_ref().and_then(|said| said.button).unwrap_or(t.sign_in()),
            class: "",
            link: (!around.is_closed).then(|| (Route::Join.href(), t.create_an_account())),
            footnote: t.lost_password(),
            logout: None,
        };
        let mut cookies = heard.map_or_else(Vec::new, |heard| heard.cookies.clone());
        cookies.extend(cookie);
        let status = login.said.as_ref().map_or(200, |said| said.status);
        let retry_after_s = login.said.and_then(|said| said.retry_after_s);
        html(&page, Head { retry_after_s, ..Head::of(status, cookies) })
    }

    /// Somebody signed in: what they had typed before comes back, else they go on.
    pub(super) fn logged_in(&self, visit: &Visit<'_>, form: &Form, heard: &Heard) -> Handled {
        if has_post(form) {
            return self.draft_page(visit, form, heard);
        }
        if form.find("display_name").or(form.find("bio")).is_some() {
            return self.profile_draft(visit, form, heard);
        }
        if form.find("signup").is_some() {
            return self.house_draft(visit, form, heard);
        }
        let to = next(form).unwrap_or_else(|| Route::Home.href());
        if form.find("reason").or(form.find("hours")).is_some()
            && let Some(page) = self.reason_draft(visit, (&to, form), heard)?
        {
            return Ok(page);
        }
        let response = see_other(&to, heard.cookies.clone());
        // On the way to let an app in, in a window that may be the app's.
        Ok(if to.starts_with(&Route::AllowApp.href()) { popup(response) } else { response })
    }

    fn draft_page(&self, visit: &Visit<'_>, form: &Form, heard: &Heard) -> Handled {
        let ops = heard.viewer.as_ref().map(|viewer| viewer.ops);
        let key = form.get("draft_key").parse().or_else(|_| fresh_key(ops))?;
        let token = heard.session.as_ref().map_or("", |session| session.token());
        let edited = form.get("edit_id").parse().ok().zip(heard.session.as_ref());
        let edited = edited.map(|(id, session)| PostRef { user: session.user().clone(), id });
        let (name, route) = match edited {
            Some(post) => (FormName::EditPost, Route::EditPost(post)),
            None => (FormName::Post, Route::Post),
        };
        let is_edit = name == FormName::EditPost;
        let mut to_post: FormHead =
            head(&self.form_key, Binding::Session(token), name, &route, key);
        if let (Ok(user), Ok(id)) = (form.get("reply_user").parse(), form.get("reply_id").parse()) {
            to_post = answering(to_post, &PostRef { user, id });
        }
        let t = visit.t;
        let press = if is_edit { t.press_save_edited() } else { t.press_post() };
        let notice = Notice::new(Tone::Care, t.text_not_posted(), press);
        let title = if is_edit { t.edit_this_post() } else { t.write_post() };
        let frame = self.around(visit, Some(heard)).frame(title, Some(&Route::Home));
        let described = pictures::described(form).filter(|_| is_edit).unwrap_or_default();
        let pictures = if is_edit { Vec::new() } else { pictures::fields_again(form, None) };
        let poll = poll::fields(t, form, String::new()).filter(|_| !is_edit);
        let page = ComposePage {
            frame: frame.saying(notice),
            composer: Composer {
                label: t.your_text(),
                is_labelled: true,
                rows: 4,
                text: form.get("text").to_owned(),
                note: form.get("note").to_owned(),
                audiences: if is_edit { Vec::new() } else { audiences_again(t, form) },
                offers_more: !is_edit && pictures.is_empty() && poll.is_none(),
                covers_pictures: pictures::covers(form),
                described: pictures::describing(described, &[]),
                pictures,
                poll,
                button: if is_edit { t.save() } else { t.post() },
                cancel: Some((Route::Home.href(), t.go_home())),
                ..composer(t, to_post)
            },
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }
}

/// Where to go on after signing in. What was typed stands in no address: histories and logs keep those.
fn back_to(t: Lang, again: &Again<'_>) -> String {
    match again.act {
        Act::Keep(deed) => deed_href(t, deed),
        act => act.page().to_string(),
    }
}

fn login_fields(t: Lang, login: &LoginForm) -> Vec<FieldView> {
    let next = encode_query(&login.next);
    let show = match (login.is_shown, login.next.is_empty()) {
        (true, true) => Route::Login.href(),
        (true, false) => format!("{}?next={next}", Route::Login),
        (false, true) => format!("{}?show=1", Route::Login),
        (false, false) => format!("{}?show=1&next={next}", Route::Login),
    };
    // What rides along would be lost on the way.
    let has_draft = login.draft.iter().any(|(_, value)| !value.is_empty());
    let (label, other_label) = if login.is_shown {
        (t.hide_password(), t.show_password())
    } else {
        (t.show_password(), t.hide_password())
    };
    vec![
        FieldView {
            id: anchor(t, Field::Username).0,
            name: "username",
            label: anchor(t, Field::Username).1,
            kind: "text",
            value: login.username.clone(),
            autocomplete: "username",
            ..FieldView::default()
        },
        FieldView {
            id: anchor(t, Field::Password).0,
            name: "password",
            label: anchor(t, Field::Password).1,
            kind: if login.is_shown { "text" } else { "password" },
            autocomplete: "current-password",
            link: (!has_draft).then_some((show, label)),
            other_label,
            ..FieldView::default()
        },
    ]
}
