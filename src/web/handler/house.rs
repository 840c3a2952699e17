//! How the community is kept: the first page for strangers, who may join, invitations, and what is said
//! to those who may not write.

use super::again::Again;
use super::draw::head;
use super::moderation::password_field;
use super::visit::{Heard, Visit};
use super::{Fault, Handled, Head, Site, Stop, html, to_login};
use crate::action::{Action, Page, code_hash};
use crate::id::RequestId;
use crate::limits::{COMMUNITY_CHARS_MAX, LANDING_POSTS};
use crate::user::entry::{House, Signup};
use crate::web::ask::Ask;
use crate::web::csrf::{Binding, FormName, fresh_key};
use crate::web::form::Form;
use crate::web::page::form::{ButtonForm, Choice, FieldView, FieldsPage, FormHead};
use crate::web::page::frame::{Frame, Notice, Tone};
use crate::web::page::list::{Feed, LandingPage};
use crate::web::page::message::MessagePage;
use crate::web::page::moderation::{Invitation, InvitationsPage, InviteForm, mod_tabs};
use crate::web::page::said::{Said, anchor, hindered, reason_of};
use crate::web::page::settings::tabs;
use crate::web::page::time::Moment;
use crate::web::route::Route;
use crate::web::session::Session;
use crate::web::words::Lang;
use crate::wire::request::{Field, Hindered, InvitationRow, Outcome, PostPage, Refusal, Welcome};

impl<A: Ask> Site<A> {
    /// Asks what strangers are shown first. A backend of the version before knows no such question:
    /// there everybody may join and is shown posts.
    pub(super) fn welcome(
        &self,
        visit: &Visit<'_>,
        session: Option<&Session>,
    ) -> Result<(Heard, Welcome), Stop> {
        let heard = self.hear(visit, session, None, Action::Welcome)?;
        match &heard.outcome {
            Outcome::Welcome(welcome) => {
                let welcome = welcome.clone();
                return Ok((heard, welcome));
            }
            Outcome::Refused(Refusal::BadRequest { .. }) => {}
            Outcome::Refused(refusal) => {
                return Err(Stop::Answer(Box::new(self.refuse_page(visit, &heard, refusal)?)));
            }
            _ => return Err(Fault::Nonsense.into()),
        }
        let heard = self.hear(visit, session, None, Action::Everyone(Page::default()))?;
        match &heard.outcome {
            Outcome::Posts(posts) => {
                let posts = Some(posts.clone());
                let welcome = Welcome { signup: Signup::Open, words: String::new(), posts };
                Ok((heard, welcome))
            }
            Outcome::Refused(refusal) => {
                Err(Stop::Answer(Box::new(self.refuse_page(visit, &heard, refusal)?)))
            }
            _ => Err(Fault::Nonsense.into()),
        }
    }

    /// What strangers see first. `as_member` is what a backend said when it did not know the session.
    pub(super) fn landing(&self, visit: &Visit<'_>, as_member: Option<&Heard>) -> Handled {
        let (heard, welcome) = self.welcome(visit, None)?;
        let t = visit.t;
        let left = visit.query.find("left");
        let left = left.map(|_| Notice::new(Tone::Good, t.account_gone(), t.posts_gone()));
        let look = self.look(visit, &heard, None, Route::Home.href());
        let see = |page: &PostPage| {
            Ok::<_, askama::Error>(Feed {
                posts: look.drawn(page.posts.iter().take(LANDING_POSTS))?,
                older: None,
                empty: t.nothing_posted(),
                newest: None,
                is_end: false,
                line: None,
            })
        };
        let is_closed = welcome.signup == Signup::Closed;
        let page = LandingPage {
            frame: self.around(visit, Some(&heard)).frame(t.welcome(), None).saying(left),
            words: welcome.words,
            feed: welcome.posts.as_ref().map(see).transpose()?,
            everyone: Route::Everyone.href(),
            language: Route::SettingsLanguage.href(),
            join: (!is_closed).then(|| Route::Join.href()),
            login: Route::Login.href(),
        };
        let cookies = as_member.map_or_else(Vec::new, |heard| heard.cookies.clone());
        html(&page, Head { cookies, ..super::read::seen(visit, &heard) })
    }

    /// Says that nobody can join by themselves.
    pub(super) fn closed_page(&self, visit: &Visit<'_>, heard: &Heard) -> Handled {
        let page = self.say(visit, heard, visit.t.closed(), visit.t.invited_by_keeper().to_owned());
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// Says what keeps somebody from writing, or from everything.
    pub(super) fn hindered_page(
        &self,
        visit: &Visit<'_>,
        heard: &Heard,
        why: &Hindered,
    ) -> Handled {
        let (title, text) = hindered(visit.t, why);
        let text = format!("{text} {}", reason_of(visit.t, why)).trim().to_owned();
        let page = self.say(visit, heard, title, text);
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// A page that says something, and is no error.
    fn say(&self, visit: &Visit<'_>, heard: &Heard, title: &str, text: String) -> MessagePage {
        MessagePage {
            looks_for: String::new(),
            login: String::new(),
            frame: self.around(visit, Some(heard)).frame(title, None),
            text,
            link: (Route::Everyone.href(), visit.t.read_everyone()),
            request_id: visit.request.id.clone(),
        }
    }

    /// The code of the invitation that a session makes with a form of this key.
    pub(super) fn invitation_code(&self, session: Option<&Session>, id: RequestId) -> String {
        let token = session.map_or("", |session| session.token());
        self.form_key.invitation_code(Binding::Session(token), id)
    }

    /// One's own invitations, and the form to make one.
    pub(super) fn invitations(&self, visit: &Visit<'_>) -> Handled {
        if visit.session.is_none() {
            return Ok(to_login(visit, Vec::new()));
        }
        let heard = self.read(visit, None, Action::Invitations)?;
        let Outcome::Invitations(found) = &heard.outcome else {
            return Err(Fault::Nonsense.into());
        };
        let drawer = self.must_draw(visit, &heard)?;
        // Only this session can tell the code that it has just made.
        let made = visit.query.get("made").parse().ok();
        let made = made.map(|id| self.invitation_code(visit.session.as_ref(), id));
        let made = made.filter(|code| {
            let hash = code_hash(code);
            found.rows.iter().any(|row| row.code == hash)
        });
        let end = |row: &InvitationRow| ButtonForm {
            form: drawer
                .form(FormName::Invite, &Route::SettingsInvitations, &row.code.0)
                .carrying("code", &row.code.0),
            label: visit.t.end_it(),
            spoken: String::new(),
            class: "q",
        };
        let row = |row: &InvitationRow| Invitation {
            made: Moment::seen_at(visit.t, row.made_at, visit.now),
            until: Moment::of_day(visit.t, row.until),
            is_over: visit.now >= row.until,
            uses: visit.t.used_of(row.used_by.len(), row.uses),
            used_by: row
                .used_by
                .iter()
                .map(|name| (Route::Profile(name.clone()).href(), name.to_string()))
                .collect(),
            end: end(row),
        };
        let page = InvitationsPage {
            frame: self.settings_frame(visit, Some(&heard), &Route::SettingsInvitations),
            tabs: tabs(visit.t, &Route::SettingsInvitations),
            made: made.map(|code| (format!("{}?code={code}", Route::Join), code)),
            form: found.may_invite.then(|| InviteForm {
                form: drawer.form(FormName::Invite, &Route::SettingsInvitations, ""),
                fields: invite_fields(visit.t),
            }),
            rows: found.rows.iter().map(row).collect(),
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// How the community is kept, for a keeper to change.
    pub(super) fn house(&self, visit: &Visit<'_>) -> Handled {
        let heard = self.read(visit, None, Action::House)?;
        let Outcome::House(house) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let drawer = self.must_draw(visit, &heard)?;
        let saved = visit.query.find("saved").map(|_| Notice::new(Tone::Good, visit.t.saved(), ""));
        let frame = self.mod_frame(visit, Some(&heard), &Route::ModHouse).saying(saved);
        let form = drawer.form(FormName::House, &Route::ModHouse, "");
        let page = house_form(visit.t, (frame, form), house, &|_| String::new());
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// What a keeper had typed before they had to sign in again.
    pub(super) fn house_draft(&self, visit: &Visit<'_>, form: &Form, heard: &Heard) -> Handled {
        let key = fresh_key(heard.viewer.as_ref().map(|viewer| viewer.ops))?;
        let token = heard.session.as_ref().map_or("", |session| session.token());
        let binding = Binding::Session(token);
        let drawn = head(&self.form_key, binding, FormName::House, &Route::ModHouse, key);
        let notice = Notice::new(Tone::Care, visit.t.not_changed_yet(), visit.t.press_save());
        let frame = self.mod_frame(visit, Some(heard), &Route::ModHouse).saying(notice);
        let typed = super::act::house_again(form);
        let page = house_form(visit.t, (frame, drawn), &typed, &|_| String::new());
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    pub(super) fn house_again(&self, visit: &Visit<'_>, again: &Again<'_>, said: Said) -> Handled {
        let form = self.again_form(visit, again, &said)?;
        let frame =
            self.mod_frame(visit, again.heard, &Route::ModHouse).saying(said.notice.clone());
        let typed = super::act::house_again(again.form);
        let mut page =
            house_form(visit.t, (frame, form), &typed, &|field| again.problem_of(visit.t, field));
        page.button = said.button.unwrap_or(page.button);
        html(&page, again.head(&said))
    }
}

// The words of the hint name it.
const _: () = assert!(COMMUNITY_CHARS_MAX == 1_000);

fn choices(all: &[(&'static str, &'static str)], chosen: &str) -> Vec<Choice> {
    let choice = |(value, label): &(&'static str, &'static str)| Choice {
        value,
        label,
        is_chosen: *value == chosen,
    };
    all.iter().map(choice).collect()
}

fn invite_fields(t: Lang) -> Vec<FieldView> {
    let field = |id, name, label, all: &[_], chosen| FieldView {
        id,
        name,
        label,
        kind: "select",
        choices: choices(all, chosen),
        ..FieldView::default()
    };
    let uses = [("1", "1"), ("2", "2"), ("5", "5"), ("10", "10"), ("25", "25"), ("100", "100")];
    let days =
        [("1", t.a_day()), ("7", t.a_week()), ("30", t.thirty_days()), ("90", t.ninety_days())];
    vec![
        field("nu", "uses", t.uses_label(), &uses, "1"),
        field("da", "days", t.days_label(), &days, "7"),
    ]
}

fn house_form(
    t: Lang,
    (frame, form): (Frame, FormHead),
    house: &House,
    problem: &dyn Fn(Field) -> String,
) -> FieldsPage {
    let signup = match house.signup {
        Signup::Open => "open",
        Signup::Invited => "invited",
        Signup::Approved => "approved",
        Signup::Closed => "closed",
    };
    let all = [
        ("open", t.everybody()),
        ("invited", t.whoever_invited()),
        ("approved", t.whom_keeper_lets()),
        ("closed", t.nobody()),
    ];
    let check = |id, name, label, is_on: bool| FieldView {
        id,
        name,
        label,
        kind: "checkbox",
        value: if is_on { "1".to_owned() } else { String::new() },
        ..FieldView::default()
    };
    let (id, label) = anchor(t, Field::Community);
    let signup = FieldView {
        id: "su",
        name: "signup",
        label: t.who_may_join(),
        kind: "select",
        choices: choices(&all, signup),
        ..FieldView::default()
    };
    let words = FieldView {
        id,
        name: "words",
        label,
        hint: t.words_hint(),
        kind: "textarea",
        value: house.words.clone(),
        autocomplete: "off",
        problem: problem(Field::Community),
        ..FieldView::default()
    };
    FieldsPage {
        frame,
        tabs: mod_tabs(t, &Route::ModHouse),
        intro: Vec::new(),
        form,
        fields: vec![
            signup,
            check("mi", "members_invite", t.members_invite(), house.members_invite),
            words,
            check("sp", "shows_posts", t.shows_posts(), house.shows_posts),
            check("sl", "shows_log", t.shows_log(), house.shows_log),
            password_field(t, problem(Field::Password)),
        ],
        button: t.save(),
        class: "",
        link: None,
        footnote: "",
        logout: None,
    }
}
