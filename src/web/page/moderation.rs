//! What keepers see: reports, members, the log of their acts, the page that asks before each; and
//! invitations.

use askama::Template;

use super::form::{ButtonForm, FieldView, FormHead};
use super::frame::Frame;
use super::post::{Byline, PostItem};
use super::settings::Tab;
use super::text::Run;
use super::time::Moment;
use crate::action::KeepersDeed;
use crate::id::{PostId, UserName};
use crate::web::route::Route;
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
    /// What.
    pub(crate) words: String,
    /// Whom or what it is about: address and words.
    pub(crate) about: Option<(String, String)>,
    /// What follows that; may be empty.
    pub(crate) end: String,
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
pub(crate) fn mod_tabs(here: &Route) -> Vec<Tab> {
    let all = [
        (Route::Mod, "Reports"),
        (Route::ModAsking, "Joining"),
        (Route::ModMembers, "Members"),
        (Route::SettingsInvitations, "Invitations"),
        (Route::ModLog, "Log"),
        (Route::ModHouse, "Settings"),
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
    pub(crate) fn of(deed: &KeepersDeed) -> Self {
        let (name, link, title, means, button) = words(deed);
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
        let needs_reason = matches!(
            deed,
            KeepersDeed::Hide(_) | KeepersDeed::Suspend { .. } | KeepersDeed::Refuse { .. }
        );
        let text = means.replace("@", &format!("@{user}"));
        Self { name, user: user.clone(), id, link, title, text, button, needs_reason }
    }
}

/// A deed's name in a form, what links to it say, the heading and words of the page that asks (with @
/// for whom it is about), and what the button says.
const fn words(
    deed: &KeepersDeed,
) -> (&'static str, &'static str, &'static str, &'static str, &'static str) {
    match deed {
        KeepersDeed::Hide(_) => (
            "hide",
            "Hide the post",
            "Hide this post?",
            "Nobody but @ sees what it says. It can be shown again.",
            "Hide it",
        ),
        KeepersDeed::Show(_) => (
            "show",
            "Show the post",
            "Show this post again?",
            "Everybody sees again what @ wrote.",
            "Show it",
        ),
        KeepersDeed::Close(_) => (
            "close",
            "Close",
            "Close these reports?",
            "What was reported of this post by @ so far needs nothing more.",
            "Close them",
        ),
        KeepersDeed::Reopen(_) => (
            "reopen",
            "Look again",
            "Look at these reports again?",
            "What was reported of this post by @ stands in the list again.",
            "Look again",
        ),
        KeepersDeed::Suspend { .. } => (
            "suspend",
            "Suspend the member",
            "Suspend this member?",
            "@ can write nothing while it lasts, and their posts stand in no list. It can be lifted.",
            "Suspend",
        ),
        KeepersDeed::Lift { .. } => (
            "lift",
            "Lift the suspension",
            "Lift this suspension?",
            "@ can write again, and their posts are seen again.",
            "Lift it",
        ),
        KeepersDeed::Admit { .. } => {
            ("admit", "Let in", "Let them in?", "@ becomes a member.", "Let them in")
        }
        KeepersDeed::Refuse { .. } => (
            "refuse",
            "Don’t let in",
            "Not let them in?",
            "@ is told so. It can be changed later.",
            "Don’t let them in",
        ),
        KeepersDeed::Undecide { .. } => (
            "undecide",
            "Take it back",
            "Take this back?",
            "@ waits to be let in again.",
            "Take it back",
        ),
    }
}

/// A deed as the query of the page that asks.
pub(crate) fn query(deed: &KeepersDeed) -> String {
    let Deed { name, user, id, .. } = Deed::of(deed);
    let id = id.map_or_else(String::new, |id| format!("&id={id}"));
    format!("deed={name}&username={user}{id}")
}

/// The page that asks before a deed.
pub(crate) fn deed_href(deed: &KeepersDeed) -> String {
    format!("{}?{}", Route::ModAct, query(deed))
}

/// Where a deed is undone, and what the link there says.
pub(crate) fn undoes(deed: &KeepersDeed) -> Option<(String, &'static str)> {
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
    Some((deed_href(&undo), "Undo"))
}

/// What a keeper did, in words.
pub(crate) fn did(row: &LogRow) -> Did {
    let Some(deed) = &row.deed else {
        let words = "changed how the community is kept".to_owned();
        return Did { words, about: None, end: String::new() };
    };
    let words = match deed {
        KeepersDeed::Hide(_) => "hid a post by",
        KeepersDeed::Show(_) => "showed again a post by",
        KeepersDeed::Close(_) => "closed the reports of a post by",
        KeepersDeed::Reopen(_) => "reopened the reports of a post by",
        KeepersDeed::Suspend { .. } => "suspended",
        KeepersDeed::Lift { .. } => "lifted the suspension of",
        KeepersDeed::Admit { .. } => "let in",
        KeepersDeed::Refuse { .. } => "did not let in",
        KeepersDeed::Undecide { .. } => "took back the word on",
    };
    let Deed { user, .. } = Deed::of(deed);
    let route = match deed {
        KeepersDeed::Hide(post)
        | KeepersDeed::Show(post)
        | KeepersDeed::Close(post)
        | KeepersDeed::Reopen(post) => Route::Thread(post.clone()),
        _ => Route::Profile(user.clone()),
    };
    let end = match (deed, row.until) {
        (KeepersDeed::Suspend { .. }, Some(until)) => {
            format!("until {}", Moment::to_the_minute(until).full)
        }
        (KeepersDeed::Suspend { .. }, None) => "until it is lifted".to_owned(),
        _ => String::new(),
    };
    Did { words: words.to_owned(), about: Some((route.to_string(), format!("@{user}"))), end }
}
