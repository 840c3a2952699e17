//! The pages that the matrix looks at: each in each state that looks different. A new page gets a line.

/// What must have happened before a page is looked at; in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// There are members, and nobody has written anything.
    Empty,
    /// People talk, and a keeper has something to do.
    Full,
    /// Who has an invitation may join.
    Invited,
    /// Whom a keeper lets in may.
    Approved,
    /// Nobody may.
    Closed,
    /// One machine of three is dead.
    OneDown,
    /// Two are.
    TwoDown,
}

impl Stage {
    pub(super) const ALL: [Self; 7] = [
        Self::Empty,
        Self::Full,
        Self::Invited,
        Self::Approved,
        Self::Closed,
        Self::OneDown,
        Self::TwoDown,
    ];
}

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Somebody who is not signed in.
    Stranger,
    /// Ada, a member.
    Member,
    /// Kim, a keeper.
    Keeper,
    /// Sue, whom the keeper has suspended.
    Suspended,
    /// Wim, who waits to be let in.
    Waiting,
    /// Rex, who was not let in.
    Refused,
}

/// A page in a state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// The name of its pictures.
    pub(super) name: &'static str,
    pub(super) stage: Stage,
    pub(super) who: Who,
    /// Its address; what stands in braces is a place of the [`Community`](super::community::Community).
    pub(super) path: &'static str,
    /// The form on it that is filled in and sent, if the page that follows is meant.
    pub(super) sent: Option<Sent>,
    pub(super) status: u64,
    /// Whether each run of the tests looks at it, or only a full one.
    pub(super) is_quick: bool,
}

/// A form that is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// Where it goes, or how that begins.
    pub(super) action: &'static str,
    pub(super) fields: &'static [(&'static str, &'static str)],
}

const fn page(who: Who, name: &'static str, path: &'static str) -> Page {
    Page { name, stage: Stage::Full, who, path, sent: None, status: 200, is_quick: false }
}

/// As somebody sees it who is not signed in.
const fn stranger(name: &'static str, path: &'static str) -> Page {
    page(Who::Stranger, name, path)
}

/// As a member sees it.
const fn member(name: &'static str, path: &'static str) -> Page {
    page(Who::Member, name, path)
}

/// As a keeper sees it.
const fn keeper(name: &'static str, path: &'static str) -> Page {
    page(Who::Keeper, name, path)
}

impl Page {
    /// Whether the script has something to do there: for members, and where a password is typed to sign in.
    pub(super) fn has_script(&self) -> bool {
        self.who != Who::Stranger || self.path.starts_with("/login")
    }

    const fn at(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    const fn quick(self) -> Self {
        Self { is_quick: true, ..self }
    }

    const fn status(self, status: u64) -> Self {
        Self { status, ..self }
    }

    const fn sends(
        self,
        action: &'static str,
        fields: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { sent: Some(Sent { action, fields }), ..self }
    }
}

macro_rules! long {
    () => {
        "The seed swap is on Saturday at ten, in the old chapel. Bring labels, bring \
    jars, bring whoever lives next door. We need somebody with a key, somebody with a kettle and \
    somebody who knows which of last year’s beans were the good ones. If it rains we move to the \
    back room. If it pours we move to Sunday. Children are welcome, dogs are welcome, rabbits are \
    not, and the rabbits know why. What is left over goes to the school garden, where it was last \
    year too, and where the pumpkins are said to have reached the second floor."
    };
}

/// More characters than a post may have.
const LONG: &str = long!();
/// More than the words for strangers may have.
pub(super) const VERY_LONG: &str = concat!(long!(), " ", long!(), " ", long!());

pub(super) const PAGES: &[Page] = &[
    stranger("landing-empty", "/").at(Stage::Empty),
    stranger("everyone-empty", "/public").at(Stage::Empty),
    stranger("join", "/join").at(Stage::Empty).quick(),
    stranger("login", "/login").at(Stage::Empty),
    stranger("login-shown", "/login?show=1").at(Stage::Empty),
    stranger("join-error", "/join")
        .at(Stage::Empty)
        .sends("/join", &[("username", "Rose.Bay"), ("display_name", "Rose"), ("password", "x")])
        .status(422)
        .quick(),
    stranger("login-error", "/login")
        .at(Stage::Empty)
        .sends("/login", &[("username", "ada"), ("password", "mind the ladder")])
        .status(422),
    member("home-empty", "/").at(Stage::Empty),
    member("profile-empty", "/@ada").at(Stage::Empty),
    member("followers-empty", "/@ada/followers").at(Stage::Empty),
    member("bookmarks-empty", "/bookmarks").at(Stage::Empty),
    member("mentions-empty", "/mentions").at(Stage::Empty),
    member("tag-empty", "/tag/seeds").at(Stage::Empty),
    member("search-empty", "/search").at(Stage::Empty),
    member("people-empty", "/settings/people").at(Stage::Empty),
    member("invitations-empty", "/settings/invitations").at(Stage::Empty),
    keeper("mod-empty", "/mod").at(Stage::Empty),
    keeper("mod-joining-empty", "/mod/joining").at(Stage::Empty),
    keeper("mod-log-empty", "/mod/log").at(Stage::Empty),
    keeper("mod-members-none", "/mod/members?named=zoe").at(Stage::Empty),
    stranger("landing", "/").quick(),
    stranger("everyone-stranger", "/public"),
    stranger("profile-stranger", "/@ben"),
    stranger("thread-stranger", "{thread}"),
    stranger("not-found", "/@nobody").status(404),
    stranger("deleted-post", "{deleted}").status(410),
    stranger("left-member", "/@dora").status(410),
    stranger("method", "/logout").status(405),
    stranger("reset", "{reset}").quick(),
    stranger("reset-error", "{reset}").sends("/reset", &[("new", "x")]).status(422),
    stranger("link-dead", "/reset?link=ben.nothing").status(410),
    member("home", "/").quick(),
    member("home-older", "{older}"),
    member("home-posted", "/").sends("/post", &[("text", "Who has a ladder?")]),
    member("post-too-long", "/").sends("/post", &[("text", LONG)]).status(422),
    member("post-empty", "/").sends("/post", &[]).status(422),
    member("everyone", "/public"),
    member("profile", "/@ben").quick(),
    member("profile-own", "/@ada"),
    member("profile-toggled", "/@ben").sends("/@ben/", &[]),
    member("thread", "{thread}").quick(),
    member("thread-deep", "{deep}"),
    member("edit", "{own}/edit"),
    member("edit-error", "{own}/edit").sends("/@ada/", &[("text", LONG)]).status(422),
    member("history", "{own}/history"),
    member("bookmarks", "/bookmarks"),
    member("delete", "{own}/delete"),
    member("followers", "/@ben/followers"),
    member("following", "/@ada/following"),
    member("mentions", "/mentions"),
    member("tag", "/tag/seeds"),
    stranger("tag-stranger", "/tag/seeds"),
    member("search", "/search"),
    member("search-found", "/search?q=ben").quick(),
    member("search-none", "/search?q=rhubarb"),
    member("search-too-long", "/search?q=1+2+3+4+5+6+7+8+9+10+11").status(422),
    stranger("search-stranger", "/search?q=row"),
    member("profile-muted", "/@mia"),
    member("profile-blocked", "/@noa"),
    member("profile-blocked-by", "/@sue"),
    stranger("profile-suspended", "/@sue"),
    stranger("profile-members-only", "/@noa"),
    page(Who::Suspended, "home-suspended", "/"),
    page(Who::Suspended, "everyone-suspended", "/public"),
    page(Who::Suspended, "thread-suspended", "{thread}"),
    stranger("thread-hidden", "{hidden}"),
    keeper("thread-hidden-keeper", "{hidden}"),
    member("thread-reported", "{thread}/report")
        .sends("/@ben/", &[("reason", "This is not how we talk to each other.")]),
    member("report", "{thread}/report"),
    member("report-error", "{thread}/report").sends("/@ben/", &[("reason", LONG)]).status(422),
    keeper("home-keeper", "/").sends("/post", &[("text", "I keep the keys.")]),
    keeper("profile-keeper", "/@kim"),
    keeper("mod", "/mod").quick(),
    keeper("mod-members", "/mod/members"),
    keeper("mod-members-found", "/mod/members?named=ben"),
    keeper("mod-log", "/mod/log"),
    keeper("mod-settings", "/mod/settings"),
    keeper("mod-settings-error", "/mod/settings")
        .sends("/mod/settings", &[("words", VERY_LONG)])
        .status(422),
    keeper("mod-suspend", "/mod/act?deed=suspend&username=ben"),
    keeper("mod-suspend-error", "/mod/act?deed=suspend&username=ben")
        .sends("/mod/act", &[("reason", LONG)])
        .status(422),
    keeper("mod-lift", "/mod/act?deed=lift&username=sue"),
    member("mod-not-yours", "/mod").status(404),
    member("people", "/settings/people"),
    member("settings-language", "/settings/language"),
    stranger("language-stranger", "/settings/language"),
    member("settings-profile", "/settings/profile"),
    member("settings-profile-saved", "/settings/profile")
        .sends("/settings/profile", &[("display_name", "Ada Lind"), ("bio", "Roses, mostly.")]),
    member("settings-profile-error", "/settings/profile")
        .sends("/settings/profile", &[("display_name", LONG), ("bio", LONG)])
        .status(422),
    member("settings-password", "/settings/password"),
    member("settings-password-error", "/settings/password")
        .sends("/settings/password", &[("current", "seven"), ("new", "eight")])
        .status(422),
    member("settings-devices", "/settings/devices"),
    member("settings-keys", "/settings/keys"),
    member("settings-data", "/settings/data"),
    member("settings-leave", "/settings/leave"),
    member("settings-leave-error", "/settings/leave")
        .sends("/settings/leave", &[("username", "ben"), ("password", "seven")])
        .status(422),
    member("machines", "/status").quick(),
    stranger("machines-stranger", "/status"),
    stranger("landing-invited", "/").at(Stage::Invited),
    stranger("join-invited", "/join?code=abcde-fghij-klmno-pqrst").at(Stage::Invited),
    stranger("join-invited-error", "/join")
        .at(Stage::Invited)
        .sends("/join", &[("code", "abcde"), ("username", "tom"), ("password", "hens & co")])
        .status(422),
    member("invitations-made", "/settings/invitations")
        .at(Stage::Invited)
        .sends("/settings/invitations", &[])
        .quick(),
    member("log-member", "/mod/log").at(Stage::Invited),
    stranger("join-approved", "/join").at(Stage::Approved),
    page(Who::Waiting, "home-waiting", "/").at(Stage::Approved),
    page(Who::Waiting, "search-waiting", "/search").at(Stage::Approved),
    page(Who::Refused, "home-refused", "/").at(Stage::Approved),
    keeper("mod-waiting", "/mod").at(Stage::Approved),
    keeper("mod-joining", "/mod/joining").at(Stage::Approved),
    keeper("mod-members-all", "/mod/members").at(Stage::Approved),
    keeper("mod-refuse", "/mod/act?deed=refuse&username=wim").at(Stage::Approved),
    stranger("landing-closed", "/").at(Stage::Closed),
    stranger("join-closed", "/join").at(Stage::Closed),
    member("home-one-down", "/").at(Stage::OneDown),
    member("machines-one-down", "/status").at(Stage::OneDown),
    member("home-two-down", "/").at(Stage::TwoDown),
    stranger("machines-two-down", "/status").at(Stage::TwoDown),
    member("post-two-down", "/")
        .at(Stage::TwoDown)
        .sends("/post", &[("text", "Frost tonight.")])
        .status(503)
        .quick(),
];

#[test]
fn pages_come_in_the_order_of_their_stages_under_names_of_their_own() {
    let stages: Vec<_> = PAGES.iter().map(|page| page.stage as usize).collect();
    assert!(stages.is_sorted(), "{stages:?}");
    let names: std::collections::BTreeSet<_> = PAGES.iter().map(|page| page.name).collect();
    assert_eq!(names.len(), PAGES.len());
}
