//! What keepers see and do, and how others ask them to look. Each act asks once, on a page of its own.

use super::again::Again;
use super::draw::Drawer;
use super::visit::{Heard, Visit};
use super::{Fault, Handled, Head, Site, Stop, html, to_login};
use crate::action::{Action, Cursor, KeepersDeed, Members, Next, ThreadOf};
use crate::id::{PostId, UserName};
use crate::limits::REASON_CHARS_MAX;
use crate::user::entry::PostRef;
use crate::web::ask::Ask;
use crate::web::csrf::FormName;
use crate::web::form::{Form, encode_query};
use crate::web::page::form::{Choice, FieldView, FieldsPage, FormHead};
use crate::web::page::frame::{Frame, Notice, Tone};
use crate::web::page::moderation::{
    Deed, DeedPage, LogPage, Logged, Member, MembersPage, ReportWords, ReportedPost, ReportsPage,
    deed_href, did, mod_tabs, query, undoes,
};
use crate::web::page::post::{Byline, Eyes};
use crate::web::page::said::{Said, anchor, reason_of};
use crate::web::page::time::Moment;
use crate::web::response::Response;
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::{
    Field, Hindered, LogRow, MemberRow, Outcome, ReportRow, ReportedPost as Reported,
};

impl<A: Ask> Site<A> {
    pub(super) fn mod_frame(
        &self,
        visit: &Visit<'_>,
        heard: Option<&Heard>,
        here: &Route,
    ) -> Frame {
        let frame = self.around(visit, heard).frame(visit.t.moderation(), None);
        frame.under(&mod_tabs(visit.t, here))
    }

    /// What was reported.
    pub(super) fn reports(&self, visit: &Visit<'_>) -> Handled {
        let after: Option<Cursor> = self.or_bad(visit, visit.cursor("after"))?;
        let heard = self.read(visit, None, Action::Reports(Next { after }))?;
        let Outcome::Reports(found) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let eyes =
            Eyes { t: visit.t, viewer: None, now: visit.now, just_posted: None, query: None };
        let words = |row: &ReportRow| ReportWords {
            by: (Route::Profile(row.by.clone()).href(), row.by.to_string()),
            at: Moment::seen_at(visit.t, row.at, visit.now),
            reason: row.reason.clone(),
        };
        let post = |it: &Reported| ReportedPost {
            post: it.post.as_ref().map(|post| eyes.see(post)),
            author: (Route::Profile(it.of.user.clone()).href(), it.of.user.to_string()),
            reports: it.reports.iter().map(words).collect(),
            deeds: deeds_about(visit.t, it, keeper(&heard)),
        };
        let asking = (found.asking_in > 0).then(|| visit.t.people_wait(found.asking_in));
        let page = ReportsPage {
            frame: self.mod_frame(visit, Some(&heard), &Route::Mod),
            tabs: mod_tabs(visit.t, &Route::Mod),
            asking: asking.map(|words| (Route::ModAsking.href(), words)),
            posts: found.posts.iter().map(post).collect(),
            more: found.next.as_ref().map(|next| format!("{}?after={next}", Route::Mod)),
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// Members, or who waits to be let in.
    pub(super) fn members(&self, visit: &Visit<'_>, route: &Route) -> Handled {
        let after: Option<UserName> = self.or_bad(visit, visit.cursor("after"))?;
        let is_asking = *route == Route::ModAsking;
        let named = visit.query.get("named").to_owned();
        let action = if is_asking {
            Action::AskingIn(crate::action::After { after })
        } else {
            Action::Members(Members { named: named.clone(), after })
        };
        let heard = self.read(visit, None, action)?;
        let Outcome::Members(found) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let search = (!is_asking).then(|| named.clone());
        let more = found.more_after.as_ref().map(|last| {
            if named.is_empty() {
                format!("{route}?after={last}")
            } else {
                format!("{route}?named={}&after={last}", encode_query(&named))
            }
        });
        let page = MembersPage {
            frame: self.mod_frame(visit, Some(&heard), route),
            tabs: mod_tabs(visit.t, route),
            search,
            members: found.members.iter().map(|row| member(row, visit, keeper(&heard))).collect(),
            more,
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// What keepers did.
    pub(super) fn keepers_log(&self, visit: &Visit<'_>) -> Handled {
        let after: Option<Cursor> = self.or_bad(visit, visit.cursor("after"))?;
        let heard = self.read(visit, None, Action::KeepersLog(Next { after }))?;
        let Outcome::KeepersLog(found) = &heard.outcome else {
            return Err(Fault::Nonsense.into());
        };
        let is_keeper = heard.viewer.as_ref().is_some_and(|viewer| viewer.is_keeper);
        let row = |row: &LogRow| Logged {
            at: Moment::seen_at(visit.t, row.at, visit.now),
            keeper: (Route::Profile(row.keeper.clone()).href(), row.keeper.to_string()),
            did: did(visit.t, row),
            reason: row.reason.clone(),
            undo: row
                .deed
                .as_ref()
                .filter(|_| is_keeper && row.is_newest)
                .and_then(|deed| undoes(visit.t, deed)),
        };
        let frame = self.around(visit, Some(&heard));
        let title = if is_keeper { visit.t.moderation() } else { visit.t.what_keepers_did() };
        let tabs = if is_keeper { mod_tabs(visit.t, &Route::ModLog) } else { Vec::new() };
        let page = LogPage {
            frame: frame.frame(title, None).under(&tabs),
            tabs,
            acts: found.acts.iter().map(row).collect(),
            more: found.next.as_ref().map(|next| format!("{}?after={next}", Route::ModLog)),
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// Asks before a keeper's act is done.
    pub(super) fn ask_deed(&self, visit: &Visit<'_>) -> Handled {
        let Some(deed) = super::act::deed(&visit.query) else {
            return self.error(visit, None, 404);
        };
        let heard = self.read(visit, None, Action::House)?;
        let drawer = self.must_draw(visit, &heard)?;
        let reported = super::act::reported(&visit.query, &deed);
        let form = deed_form(visit.t, &drawer, &deed, reported);
        self.deed_page(visit, (Some(&heard), form), &deed, |_| (String::new(), String::new()))
    }

    pub(super) fn deed_again(
        &self,
        visit: &Visit<'_>,
        again: &Again<'_>,
        said: Said,
        deed: &KeepersDeed,
    ) -> Handled {
        let reported = super::act::reported(again.form, deed);
        let form = self.again_form(visit, again, &said)?;
        let form = carrying_deed(visit.t, form, (deed, reported))
            .carrying("next", super::write::next(again.form).unwrap_or_default());
        let mut reason = again.problem_of(visit.t, Field::Reason);
        if !said.notice.fields.is_empty() {
            reason += &again.problem_of(visit.t, Field::Username);
        }
        let mut page = self.deed_view(visit, (again.heard, form), deed, |field| match field {
            "password" => (String::new(), again.problem_of(visit.t, Field::Password)),
            field => (again.form.get(field).to_owned(), reason.clone()),
        });
        page.frame = page.frame.saying(said.notice.clone());
        page.button = said.button.unwrap_or(page.button);
        html(&page, again.head(&said))
    }

    fn deed_page(
        &self,
        visit: &Visit<'_>,
        (heard, form): (Option<&Heard>, FormHead),
        deed: &KeepersDeed,
        typed: impl Fn(&str) -> (String, String),
    ) -> Handled {
        let page = self.deed_view(visit, (heard, form), deed, typed);
        let cookies = heard.map_or_else(Vec::new, |heard| heard.cookies.clone());
        html(&page, Head::of(200, cookies))
    }

    fn deed_view(
        &self,
        visit: &Visit<'_>,
        (heard, form): (Option<&Heard>, FormHead),
        deed: &KeepersDeed,
        typed: impl Fn(&str) -> (String, String),
    ) -> DeedPage {
        let Deed { title, text, button, needs_reason, .. } = Deed::of(visit.t, deed);
        let mut fields = Vec::new();
        if matches!(deed, KeepersDeed::Suspend { .. }) {
            fields.push(hours_field(visit.t, &typed("hours").0));
        }
        if needs_reason {
            let (value, problem) = typed("reason");
            fields.push(reason_field(visit.t, visit.t.told_why(), (value, problem)));
        }
        fields.push(password_field(visit.t, typed("password").1));
        DeedPage {
            frame: self.around(visit, heard).frame(title, None),
            text,
            form,
            fields,
            button,
            cancel: (next_of(deed).to_string(), visit.t.leave_it()),
        }
    }

    /// Asks why somebody reports a post.
    pub(super) fn ask_report(&self, visit: &Visit<'_>, post: PostRef) -> Handled {
        if visit.session.is_none() {
            return Ok(to_login(visit, Vec::new()));
        }
        let about = post.user.clone();
        let asked = Action::Thread(ThreadOf::alone(post.clone()));
        let heard = self.read(visit, Some(&about), asked)?;
        let drawer = self.must_draw(visit, &heard)?;
        if *drawer.viewer == post.user {
            return self.error(visit, Some(&heard), 403);
        }
        let here = Route::Report(post.clone());
        let form = drawer.form(FormName::Report, &here, &post.id.to_string());
        let frame = self.around(visit, Some(&heard)).frame(visit.t.report_post(), None);
        let page = report_form(visit.t, (frame, form), &post, (String::new(), String::new()));
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    pub(super) fn report_again(
        &self,
        visit: &Visit<'_>,
        again: &Again<'_>,
        said: Said,
        post: &PostRef,
    ) -> Handled {
        let form = self.again_form(visit, again, &said)?;
        let frame = self.around(visit, again.heard).frame(visit.t.report_post(), None);
        let typed = (again.form.get("reason").to_owned(), again.problem_of(visit.t, Field::Reason));
        let mut page = report_form(visit.t, (frame.saying(said.notice.clone()), form), post, typed);
        page.button = said.button.unwrap_or(page.button);
        html(&page, again.head(&said))
    }

    /// The reason that was typed before somebody had to sign in again, in the form on the page at `to`; nothing
    /// if no form there asks them for one.
    pub(super) fn reason_draft(
        &self,
        visit: &Visit<'_>,
        (to, typed): (&str, &Form),
        heard: &Heard,
    ) -> Result<Option<Response>, Stop> {
        let (t, head) = (visit.t, Head::of(200, heard.cookies.clone()));
        let (path, rest) = to.split_once('?').unwrap_or((to, ""));
        let Some(drawer) = self.drawer(t, heard) else { return Ok(None) };
        let notice = Notice::new(Tone::Care, t.not_sent_yet(), t.send_when_ready());
        match (Route::parse(path), super::act::deed(&Form::parse_query(rest))) {
            (Some(Route::Report(post)), _) => {
                let here = Route::Report(post.clone());
                let form = drawer.form(FormName::Report, &here, &post.id.to_string());
                let frame = self.around(visit, Some(heard)).frame(t.report_post(), None);
                let reason = (typed.get("reason").to_owned(), String::new());
                let page = report_form(t, (frame.saying(notice), form), &post, reason);
                html(&page, head).map(Some)
            }
            // Others find nothing there.
            (Some(Route::ModAct), Some(deed)) if is_keeper(heard) => {
                let reported = super::act::reported(&Form::parse_query(rest), &deed);
                let form = deed_form(t, &drawer, &deed, reported);
                let mut page = self.deed_view(visit, (Some(heard), form), &deed, |field| {
                    (typed.get(field).to_owned(), String::new())
                });
                page.frame = page.frame.saying(notice);
                html(&page, head).map(Some)
            }
            _ => Ok(None),
        }
    }
}

fn is_keeper(heard: &Heard) -> bool {
    heard.viewer.as_ref().is_some_and(|viewer| viewer.is_keeper)
}

/// Which keeper looks.
fn keeper(heard: &Heard) -> Option<&UserName> {
    heard.viewer.as_ref().map(|viewer| &viewer.username)
}

/// Where a keeper goes on after a deed.
fn next_of(deed: &KeepersDeed) -> Route {
    match deed {
        KeepersDeed::Hide(_)
        | KeepersDeed::Show(_)
        | KeepersDeed::Close(_)
        | KeepersDeed::Reopen(_) => Route::Mod,
        KeepersDeed::Suspend { .. } | KeepersDeed::Lift { .. } => Route::ModMembers,
        KeepersDeed::Admit { .. } | KeepersDeed::Refuse { .. } | KeepersDeed::Undecide { .. } => {
            Route::ModAsking
        }
    }
}

/// The form that does a deed, with where its keeper goes on.
fn deed_form(
    t: Lang,
    drawer: &Drawer<'_>,
    deed: &KeepersDeed,
    reported: Option<PostId>,
) -> FormHead {
    let about = query(t, deed) + &reported.map_or_else(String::new, |it| it.to_string());
    let form = drawer.form(FormName::Keep, &Route::ModAct, &about);
    let next = if reported.is_some() { Route::Mod } else { next_of(deed) };
    carrying_deed(t, form, (deed, reported)).carrying("next", next.to_string())
}

/// With the deed, and with the post about whose reports a suspension is.
fn carrying_deed(
    t: Lang,
    form: FormHead,
    (deed, reported): (&KeepersDeed, Option<PostId>),
) -> FormHead {
    let Deed { name, user, id, .. } = Deed::of(t, deed);
    let id = id.or(reported).map_or_else(String::new, |id| id.to_string());
    form.carrying("deed", name).carrying("username", user.as_str()).carrying("id", id)
}

/// Links to the pages that ask before these are done.
fn links(t: Lang, deeds: &[KeepersDeed]) -> Vec<(String, &'static str)> {
    deeds.iter().map(|deed| (deed_href(t, deed), Deed::of(t, deed).link)).collect()
}

/// What a keeper may do about a reported post.
fn deeds_about(t: Lang, it: &Reported, keeper: Option<&UserName>) -> Vec<(String, &'static str)> {
    let mut deeds = vec![KeepersDeed::Close(it.of.clone())];
    match it.post.as_ref().map(|post| post.hidden.is_some()) {
        Some(false) => deeds.push(KeepersDeed::Hide(it.of.clone())),
        Some(true) => deeds.push(KeepersDeed::Show(it.of.clone())),
        None => {}
    }
    let mut links = links(t, &deeds);
    if keeper != Some(&it.of.user) {
        let suspend = KeepersDeed::Suspend { user: it.of.user.clone(), hours: None };
        let href = format!("{}&id={}", deed_href(t, &suspend), it.of.id);
        links.push((href, Deed::of(t, &suspend).link));
    }
    links
}

fn member(row: &MemberRow, visit: &Visit<'_>, keeper: Option<&UserName>) -> Member {
    let t = visit.t;
    let user = || row.person.username.clone();
    let deeds = match &row.hindered {
        None if keeper == Some(&row.person.username) => Vec::new(),
        None => vec![KeepersDeed::Suspend { user: user(), hours: None }],
        Some(Hindered::Suspended { .. }) => vec![KeepersDeed::Lift { user: user() }],
        Some(Hindered::Waiting) => {
            vec![KeepersDeed::Admit { user: user() }, KeepersDeed::Refuse { user: user() }]
        }
        Some(Hindered::Refused { .. }) => vec![KeepersDeed::Admit { user: user() }],
    };
    let standing = row.hindered.as_ref().map(|why| {
        let is = match why {
            Hindered::Waiting => t.waits_to_be_let_in().to_owned(),
            Hindered::Refused { .. } => t.was_not_let_in().to_owned(),
            Hindered::Suspended { until: Some(until), .. } => {
                t.under_suspension_until(&Moment::to_the_minute(t, *until).full)
            }
            Hindered::Suspended { until: None, .. } => t.under_suspension().to_owned(),
        };
        format!("{is} {}", reason_of(t, why)).trim().to_owned()
    });
    Member {
        by: Byline::of(&row.person),
        joined: Moment::of_day(t, row.joined_at),
        is_keeper: row.is_keeper,
        inviter: row.inviter.as_ref().map(|inviter| t.invited_by(inviter.as_str())),
        standing,
        deeds: links(t, &deeds),
    }
}

/// A keeper's own password.
pub(super) fn password_field(t: Lang, problem: String) -> FieldView {
    let (id, label) = anchor(t, Field::Password);
    FieldView {
        id,
        name: "password",
        label,
        hint: t.keepers_password(),
        kind: "password",
        autocomplete: "current-password",
        problem,
        ..FieldView::default()
    }
}

fn reason_field(t: Lang, hint: &'static str, (value, problem): (String, String)) -> FieldView {
    // The words of the hints name it.
    const _: () = assert!(REASON_CHARS_MAX == 200);
    let (id, label) = anchor(t, Field::Reason);
    FieldView {
        id,
        name: "reason",
        label,
        hint,
        kind: "textarea",
        value,
        autocomplete: "off",
        problem,
        ..FieldView::default()
    }
}

fn hours_field(t: Lang, chosen: &str) -> FieldView {
    let all = [
        ("1", t.an_hour()),
        ("6", t.six_hours()),
        ("24", t.a_day()),
        ("72", t.three_days()),
        ("168", t.a_week()),
        ("720", t.thirty_days()),
        ("", t.until_lifted()),
    ];
    let choice = |(value, label)| Choice { value, label, is_chosen: value == chosen };
    FieldView {
        id: "h",
        name: "hours",
        label: t.for_how_long(),
        kind: "select",
        choices: all.map(choice).into(),
        ..FieldView::default()
    }
}

fn report_form(
    t: Lang,
    (frame, form): (Frame, FormHead),
    post: &PostRef,
    typed: (String, String),
) -> FieldsPage {
    FieldsPage {
        frame,
        tabs: Vec::new(),
        intro: vec![t.report_intro(post.user.as_str())],
        form,
        fields: vec![reason_field(t, t.report_hint(), typed)],
        button: t.report(),
        class: "",
        link: Some((Route::Thread(post.clone()).href(), t.leave_it())),
        footnote: "",
        logout: None,
    }
}
