//! How the community is kept: the first page for strangers, who may join, invitations, and what is said
//! to those who may not write.

use super::again::Again;
use super::visit::{Heard, Visit};
use super::{Fault, Handled, Head, Site, Stop, html, to_login};
use crate::action::{Action, Page, code_hash};
use crate::id::RequestId;
use crate::limits::{COMMUNITY_CHARS_MAX, LANDING_POSTS};
use crate::user::entry::{House, Signup};
use crate::web::ask::Ask;
use crate::web::csrf::{Binding, FormName};
use crate::web::page::form::{ButtonForm, Choice, FieldView, FieldsPage, FormHead};
use crate::web::page::frame::{Frame, Notice, Tone};
use crate::web::page::list::{Feed, LandingPage};
use crate::web::page::message::MessagePage;
use crate::web::page::moderation::{Invitation, InvitationsPage, InviteForm, mod_tabs};
use crate::web::page::post::Eyes;
use crate::web::page::settings::tabs;
use crate::web::page::time::Moment;
use crate::web::page::words::{Said, anchor, hindered, reason_of};
use crate::web::route::Route;
use crate::web::session::Session;
use crate::wire::request::{Field, Hindered, InvitationRow, Outcome, PostPage, Refusal, Welcome};

/// What strangers are told where nobody can join by themselves.
const CLOSED: &str = "New members are invited by the keeper.";

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
        let left = visit.query.find("left").map(|_| {
            Notice::new(Tone::Good, "Your account is gone.", "Your posts are gone with it.")
        });
        let eyes = Eyes { viewer: None, now: visit.now, just_posted: None };
        let see =
            |page: &PostPage| eyes.see_all(page.posts.get(..LANDING_POSTS).unwrap_or(&page.posts));
        let is_closed = welcome.signup == Signup::Closed;
        let page = LandingPage {
            frame: self.around(visit, Some(&heard)).frame("Welcome", None).saying(left),
            words: welcome.words,
            feed: welcome.posts.as_ref().map(|page| Feed {
                posts: see(page),
                older: None,
                empty: super::read::NOTHING_YET,
                is_end: false,
            }),
            everyone: Route::Everyone.to_string(),
            join: (!is_closed).then(|| Route::Join.to_string()),
            closed: CLOSED,
            login: Route::Login.to_string(),
        };
        let cookies = as_member.map_or_else(Vec::new, |heard| heard.cookies.clone());
        html(&page, Head { cookies, ..super::read::seen(visit, &heard) })
    }

    /// Says that nobody can join by themselves.
    pub(super) fn closed_page(&self, visit: &Visit<'_>, heard: &Heard) -> Handled {
        self.say(visit, heard, "Closed", CLOSED.to_owned())
    }

    /// Says what keeps somebody from writing, or from everything.
    pub(super) fn hindered_page(
        &self,
        visit: &Visit<'_>,
        heard: &Heard,
        why: &Hindered,
    ) -> Handled {
        let (title, text) = hindered(why);
        let text = format!("{text} {}", reason_of(why)).trim().to_owned();
        self.say(visit, heard, title, text)
    }

    /// A page that says something, and is no error.
    fn say(&self, visit: &Visit<'_>, heard: &Heard, title: &str, text: String) -> Handled {
        let page = MessagePage {
            frame: self.around(visit, Some(heard)).frame(title, None),
            text,
            link: (Route::Everyone.to_string(), "Read what everyone is saying"),
            request_id: visit.request.id.clone(),
        };
        html(&page, Head::of(200, heard.cookies.clone()))
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
            label: "End it",
            spoken: String::new(),
            class: "q",
        };
        let row = |row: &InvitationRow| Invitation {
            made: Moment::seen_at(row.made_at, visit.now),
            until: Moment::of_day(row.until),
            is_over: visit.now >= row.until,
            uses: format!("{} of {} used", row.used_by.len(), row.uses),
            used_by: row
                .used_by
                .iter()
                .map(|name| (Route::Profile(name.clone()).to_string(), name.to_string()))
                .collect(),
            end: end(row),
        };
        let page = InvitationsPage {
            frame: self.settings_frame(visit, Some(&heard)),
            tabs: tabs(&Route::SettingsInvitations),
            made: made.map(|code| (format!("{}?code={code}", Route::Join), code)),
            form: found.may_invite.then(|| InviteForm {
                form: drawer.form(FormName::Invite, &Route::SettingsInvitations, ""),
                fields: invite_fields(),
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
        let saved = visit.query.find("saved").map(|_| Notice::new(Tone::Good, "Saved.", ""));
        let frame = self.mod_frame(visit, Some(&heard)).saying(saved);
        let form = drawer.form(FormName::House, &Route::ModHouse, "");
        html(&house_form(frame, form, house, String::new()), Head::of(200, heard.cookies.clone()))
    }

    pub(super) fn house_again(&self, visit: &Visit<'_>, again: &Again<'_>, said: Said) -> Handled {
        let form = self.again_form(visit, again, &said)?;
        let frame = self.mod_frame(visit, again.heard).saying(said.notice.clone());
        let typed = super::act::house(again.form);
        let mut page = house_form(frame, form, &typed, again.problem_of(Field::Community));
        page.button = said.button.unwrap_or(page.button);
        html(&page, again.head(&said))
    }
}

fn choices(all: &[(&'static str, &'static str)], chosen: &str) -> Vec<Choice> {
    let choice = |(value, label): &(&'static str, &'static str)| Choice {
        value,
        label,
        is_chosen: *value == chosen,
    };
    all.iter().map(choice).collect()
}

fn invite_fields() -> Vec<FieldView> {
    let field = |id, name, label, all: &[_], chosen| FieldView {
        id,
        name,
        label,
        kind: "select",
        choices: choices(all, chosen),
        ..FieldView::default()
    };
    let uses = [("1", "1"), ("2", "2"), ("5", "5"), ("10", "10"), ("25", "25"), ("100", "100")];
    let days = [("1", "a day"), ("7", "a week"), ("30", "30 days"), ("90", "90 days")];
    vec![
        field("nu", "uses", "How many may join with it", &uses, "1"),
        field("da", "days", "It stands for", &days, "7"),
    ]
}

fn house_form(frame: Frame, form: FormHead, house: &House, problem: String) -> FieldsPage {
    let signup = match house.signup {
        Signup::Open => "open",
        Signup::Invited => "invited",
        Signup::Approved => "approved",
        Signup::Closed => "closed",
    };
    let all = [
        ("open", "everybody"),
        ("invited", "whoever has an invitation"),
        ("approved", "whom a keeper lets in"),
        ("closed", "nobody"),
    ];
    let check = |id, name, label, is_on: bool| FieldView {
        id,
        name,
        label,
        kind: "checkbox",
        value: if is_on { "1".to_owned() } else { String::new() },
        ..FieldView::default()
    };
    let (id, label) = anchor(Field::Community);
    const _: () = assert!(COMMUNITY_CHARS_MAX == 1_000);
    let fields = vec![
        FieldView {
            id: "su",
            name: "signup",
            label: "Who may join",
            kind: "select",
            choices: choices(&all, signup),
            ..FieldView::default()
        },
        check(
            "mi",
            "members_invite",
            "All members may invite, not only keepers",
            house.members_invite,
        ),
        FieldView {
            id,
            name: "words",
            label,
            hint: "What you say to them on the first page, up to 1000 characters.",
            kind: "textarea",
            value: house.words.clone(),
            autocomplete: "off",
            problem,
            ..FieldView::default()
        },
        check("sp", "shows_posts", "Strangers see the newest posts there", house.shows_posts),
        check("sl", "shows_log", "Members may read what keepers did", house.shows_log),
    ];
    FieldsPage {
        frame,
        tabs: mod_tabs(&Route::ModHouse),
        intro: Vec::new(),
        form,
        fields,
        button: "Save",
        class: "",
        link: None,
        footnote: "",
        logout: None,
    }
}
