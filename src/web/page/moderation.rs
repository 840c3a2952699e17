//! What keepers see: reports, members, the log of their acts, the page that asks before each; and
//! invitations.

use askama::Template;

use super::form::{ButtonForm, FieldView, FormHead};
use super::frame::Frame;
use super::post::{Byline, PostItem};
use super::settings::Tab;
use super::time::Moment;
use crate::action::KeepersDeed;
use crate::id::{PostId, UserName};
use crate::user::entry::{House, Signup};
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::LogRow;

/// What was reported.
#[derive(Debug, Template)]
#[template(path = "mod_reports.html", config = "src/web/askama.toml")]
pub(crate) struct ReportsPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The links to all of moderation.
    pub(crate) tabs: Vec<Tab>,
    /// That people wait to be let in: address and words.
    pub(crate) asking: Option<(String, String)>,
    /// The posts.
    pub(crate) posts: Vec<ReportedPost>,
    /// Where the list goes on.
    pub(crate) more: Option<String>,
}

/// A post that was reported.
#[derive(Debug)]
pub(crate) struct ReportedPost {
    /// The post; none if it does not stand any more.
    pub(crate) post: Option<PostItem>,
    /// Its author: address and name.
    pub(crate) author: (String, String),
    /// Why it was reported.
    pub(crate) reports: Vec<ReportWords>,
    /// What can be done: address and label.
    pub(crate) deeds: Vec<(String, &'static str)>,
}

/// Why somebody reported it.
#[derive(Debug)]
pub(crate) struct ReportWords {
    /// Who: address and name.
    pub(crate) by: (String, String),
    /// When.
    pub(crate) at: Moment,
    /// Why.
    pub(crate) reason: String,
}

/// Members, or people who wait to be let in.
#[derive(Debug, Template)]
#[template(path = "mod_members.html", config = "src/web/askama.toml")]
pub(crate) struct MembersPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The links to all of moderation.
    pub(crate) tabs: Vec<Tab>,
    /// What was looked for, where one can look.
    pub(crate) search: Option<String>,
    /// The people.
    pub(crate) members: Vec<Member>,
    /// Where the list goes on.
    pub(crate) more: Option<String>,
}

/// A member as keepers see them.
#[derive(Debug)]
pub(crate) struct Member {
    /// Who.
    pub(crate) by: Byline,
    /// Since when.
    pub(crate) joined: Moment,
    /// Whether they are a keeper.
    pub(crate) is_keeper: bool,
    /// Who invited them.
    pub(crate) inviter: Option<String>,
    /// What keeps them from writing.
    pub(crate) standing: Option<String>,
    /// What can be done: address and label.
    pub(crate) deeds: Vec<(String, &'static str)>,
}

/// What keepers did.
#[derive(Debug, Template)]
#[template(path = "mod_log.html", config = "src/web/askama.toml")]
pub(crate) struct LogPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The links to all of moderation; none for members.
    pub(crate) tabs: Vec<Tab>,
    /// The acts.
    pub(crate) acts: Vec<Logged>,
    /// Where the list goes on.
    pub(crate) more: Option<String>,
}

/// Something that a keeper did.
#[derive(Debug)]
pub(crate) struct Logged {
    /// When.
    pub(crate) at: Moment,
    /// Who: address and name.
    pub(crate) keeper: (String, String),
    /// What.
    pub(crate) did: Did,
    /// Why; may be empty.
    pub(crate) reason: String,
    /// Where to undo it: address and label.
    pub(crate) undo: Option<(String, &'static str)>,
}

/// What a keeper did, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Did {
    /// What, before and behind whom or what it is about.
    pub(crate) words: [&'static str; 2],
    /// Whom or what it is about: address and words.
    pub(crate) about: Option<(String, String)>,
    /// For how long; may be empty.
    pub(crate) until: String,
    /// Which settings were changed, and to what.
    pub(crate) changes: Vec<String>,
}

/// Asks before something is done.
#[derive(Debug, Template)]
#[template(path = "mod_act.html", config = "src/web/askama.toml")]
pub(crate) struct DeedPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// What it means.
    pub(crate) text: String,
    /// Where it goes.
    pub(crate) form: FormHead,
    /// What must be said.
    pub(crate) fields: Vec<FieldView>,
    /// What the button says.
    pub(crate) button: &'static str,
    /// The way out: address and label.
    pub(crate) cancel: (String, &'static str),
}

/// One's own invitations.
#[derive(Debug, Template)]
#[template(path = "invitations.html", config = "src/web/askama.toml")]
pub(crate) struct InvitationsPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The links to all settings.
    pub(crate) tabs: Vec<Tab>,
    /// The code that was just made: the address to join at with it, and itself.
    pub(crate) made: Option<(String, String)>,
    /// The form to make one, if one may.
    pub(crate) form: Option<InviteForm>,
    /// Those that stand.
    pub(crate) rows: Vec<Invitation>,
}

/// The form to make an invitation.
#[derive(Debug)]
pub(crate) struct InviteForm {
    /// Where it goes.
    pub(crate) form: FormHead,
    /// Its fields.
    pub(crate) fields: Vec<FieldView>,
}

/// An invitation.
#[derive(Debug)]
pub(crate) struct Invitation {
    /// When it was made.
    pub(crate) made: Moment,
    /// Until when it stands.
    pub(crate) until: Moment,
    /// Whether that is over.
    pub(crate) is_over: bool,
    /// How many joined with it, in words.
    pub(crate) uses: String,
    /// Who: address and name.
    pub(crate) used_by: Vec<(String, String)>,
    /// The button that ends it.
    pub(crate) end: ButtonForm,
}

/// The links over each page of moderation.
pub(crate) fn mod_tabs(t: Lang, here: &Route) -> Vec<Tab> {
    let all = [
        (Route::Mod, t.reports_tab()),
        (Route::ModAsking, t.joining_tab()),
        (Route::ModMembers, t.members_tab()),
        (Route::SettingsInvitations, t.invitations_tab()),
        (Route::ModLog, t.log_tab()),
        (Route::ModHouse, t.settings()),
    ];
    let tab = |(route, label): (Route, _)| Tab {
        href: route.to_string(),
        label,
        is_current: *here == route,
    };
    all.into_iter().map(tab).collect()
}

/// A keeper's deed, as a form spells it and as it is asked for.
pub(crate) struct Deed {
    /// Its name in the form.
    pub(crate) name: &'static str,
    /// Whom it is about.
    pub(crate) user: UserName,
    /// Which post of theirs.
    pub(crate) id: Option<PostId>,
    /// What a link to it says.
    pub(crate) link: &'static str,
    /// The heading of the page that asks.
    pub(crate) title: &'static str,
    /// What it means.
    pub(crate) text: String,
    /// What the button says.
    pub(crate) button: &'static str,
    /// Whether a reason is asked for.
    pub(crate) needs_reason: bool,
}

impl Deed {
    pub(crate) fn of(t: Lang, deed: &KeepersDeed) -> Self {
        let (name, needs_reason) = match deed {
            KeepersDeed::Hide(_) => ("hide", true),
            KeepersDeed::Show(_) => ("show", false),
            KeepersDeed::Close(_) => ("close", false),
            KeepersDeed::Reopen(_) => ("reopen", false),
            KeepersDeed::Suspend { .. } => ("suspend", true),
            KeepersDeed::Lift { .. } => ("lift", false),
            KeepersDeed::Admit { .. } => ("admit", false),
            KeepersDeed::Refuse { .. } => ("refuse", true),
            KeepersDeed::Undecide { .. } => ("undecide", false),
        };
        let (user, id) = match deed {
            KeepersDeed::Hide(post)
            | KeepersDeed::Show(post)
            | KeepersDeed::Close(post)
            | KeepersDeed::Reopen(post) => (&post.user, Some(post.id)),
            KeepersDeed::Suspend { user, .. }
            | KeepersDeed::Lift { user }
            | KeepersDeed::Admit { user }
            | KeepersDeed::Refuse { user }
            | KeepersDeed::Undecide { user } => (user, None),
        };
        let ([link, title, button], text) = words(t, deed, user.as_str());
        Self { name, user: user.clone(), id, link, title, text, button, needs_reason }
    }
}

/// What links to a deed say, the heading of the page that asks and what its button says; and what the
/// deed means.
fn words(t: Lang, deed: &KeepersDeed, user: &str) -> ([&'static str; 3], String) {
    match deed {
        KeepersDeed::Hide(_) => {
            ([t.hide_link(), t.hide_title(), t.hide_button()], t.hide_text(user))
        }
        KeepersDeed::Show(_) => {
            ([t.show_link(), t.show_title(), t.show_button()], t.show_text(user))
        }
        KeepersDeed::Close(_) => {
            ([t.close_link(), t.close_title(), t.close_button()], t.close_text(user))
        }
        KeepersDeed::Reopen(_) => {
            ([t.reopen_link(), t.reopen_title(), t.reopen_link()], t.reopen_text(user))
        }
        KeepersDeed::Suspend { .. } => {
            ([t.suspend_link(), t.suspend_title(), t.suspend_button()], t.suspend_text(user))
        }
        KeepersDeed::Lift { .. } => {
            ([t.lift_link(), t.lift_title(), t.lift_button()], t.lift_text(user))
        }
        KeepersDeed::Admit { .. } => {
            ([t.admit_link(), t.admit_title(), t.admit_link()], t.admit_text(user))
        }
        KeepersDeed::Refuse { .. } => {
            ([t.refuse_link(), t.refuse_title(), t.refuse_link()], t.refuse_text(user))
        }
        KeepersDeed::Undecide { .. } => {
            ([t.undecide_link(), t.undecide_title(), t.undecide_link()], t.undecide_text(user))
        }
    }
}

/// A deed as the query of the page that asks.
pub(crate) fn query(t: Lang, deed: &KeepersDeed) -> String {
    let Deed { name, user, id, .. } = Deed::of(t, deed);
    let id = id.map_or_else(String::new, |id| format!("&id={id}"));
    format!("deed={name}&username={user}{id}")
}

/// The page that asks before a deed.
pub(crate) fn deed_href(t: Lang, deed: &KeepersDeed) -> String {
    format!("{}?{}", Route::ModAct, query(t, deed))
}

/// Where a deed is undone, and what the link there says.
pub(crate) fn undoes(t: Lang, deed: &KeepersDeed) -> Option<(String, &'static str)> {
    let undo = match deed {
        KeepersDeed::Hide(post) => KeepersDeed::Show(post.clone()),
        KeepersDeed::Close(post) => KeepersDeed::Reopen(post.clone()),
        KeepersDeed::Suspend { user, .. } => KeepersDeed::Lift { user: user.clone() },
        KeepersDeed::Admit { user } | KeepersDeed::Refuse { user } => {
            KeepersDeed::Undecide { user: user.clone() }
        }
        KeepersDeed::Show(_)
        | KeepersDeed::Reopen(_)
        | KeepersDeed::Lift { .. }
        | KeepersDeed::Undecide { .. } => return None,
    };
    Some((deed_href(t, &undo), t.undo()))
}

/// What a keeper did, in words.
pub(crate) fn did(t: Lang, row: &LogRow) -> Did {
    let Some(deed) = &row.deed else {
        let changes = changes(t, row.house_before.as_ref(), row.house.as_ref());
        return Did { words: [t.did_set(), ""], about: None, until: String::new(), changes };
    };
    let words = match deed {
        KeepersDeed::Hide(_) => t.did_hide(),
        KeepersDeed::Show(_) => t.did_show(),
        KeepersDeed::Close(_) => t.did_close(),
        KeepersDeed::Reopen(_) => t.did_reopen(),
        KeepersDeed::Suspend { .. } if row.until.is_none() => t.did_suspend_open(),
        KeepersDeed::Suspend { .. } => t.did_suspend(),
        KeepersDeed::Lift { .. } => t.did_lift(),
        KeepersDeed::Admit { .. } => t.did_admit(),
        KeepersDeed::Refuse { .. } => t.did_refuse(),
        KeepersDeed::Undecide { .. } => t.did_undecide(),
    };
    let Deed { user, .. } = Deed::of(t, deed);
    let route = match deed {
        KeepersDeed::Hide(post)
        | KeepersDeed::Show(post)
        | KeepersDeed::Close(post)
        | KeepersDeed::Reopen(post) => Route::Thread(post.clone()),
        _ => Route::Profile(user.clone()),
    };
    let until = match (deed, row.until) {
        (KeepersDeed::Suspend { .. }, Some(until)) => {
            t.until_when(&Moment::to_the_minute(t, until).full)
        }
        _ => String::new(),
    };
    let about = Some((route.to_string(), format!("@{user}")));
    Did { words, about, until, changes: Vec::new() }
}

/// What is set otherwise than before; nothing where a backend of an earlier version does not tell.
fn changes(t: Lang, before: Option<&House>, after: Option<&House>) -> Vec<String> {
    let Some((before, after)) = before.zip(after) else { return Vec::new() };
    let is_on = |is_on| if is_on { t.setting_is_on() } else { t.setting_is_off() };
    let words = if after.words.is_empty() { t.no_words() } else { after.words.as_str() };
    let all = [
        (before.signup != after.signup, t.who_may_join(), admits(t, after.signup)),
        (
            before.members_invite != after.members_invite,
            t.members_invite(),
            is_on(after.members_invite),
        ),
        (before.words != after.words, t.words_for_strangers(), words),
        (before.shows_posts != after.shows_posts, t.shows_posts(), is_on(after.shows_posts)),
        (before.shows_log != after.shows_log, t.shows_log(), is_on(after.shows_log)),
    ];
    let changed = all.into_iter().filter(|(is_changed, ..)| *is_changed);
    changed.map(|(_, setting, value)| format!("{setting}: {value}")).collect()
}

/// Whom a community takes in, in words.
const fn admits(t: Lang, signup: Signup) -> &'static str {
    match signup {
        Signup::Open => t.everybody(),
        Signup::Invited => t.whoever_invited(),
        Signup::Approved => t.whom_keeper_lets(),
        Signup::Closed => t.nobody(),
    }
}
