//! The pages that the matrix looks at: each in each state that looks different. A new page gets a line.

/// What must have happened before a page is looked at; in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// There are members, and nobody has written anything.
    Empty,
    /// People talk.
    Full,
    /// One machine of three is dead.
    OneDown,
    /// Two are.
    TwoDown,
}

impl Stage {
    pub(super) const ALL: [Self; 4] = [Self::Empty, Self::Full, Self::OneDown, Self::TwoDown];
}

/// A page in a state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// The name of its pictures.
    pub(super) name: &'static str,
    pub(super) stage: Stage,
    pub(super) is_member: bool,
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

const fn page(stage: Stage, is_member: bool, name: &'static str, path: &'static str) -> Page {
    Page { name, stage, is_member, path, sent: None, status: 200, is_quick: false }
}

/// As somebody sees it who is not signed in.
const fn stranger(name: &'static str, path: &'static str) -> Page {
    page(Stage::Full, false, name, path)
}

/// As a member sees it.
const fn member(name: &'static str, path: &'static str) -> Page {
    page(Stage::Full, true, name, path)
}

impl Page {
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

/// More characters than a post may have.
const LONG: &str = "The seed swap is on Saturday at ten, in the old chapel. Bring labels, bring \
    jars, bring whoever lives next door. We need somebody with a key, somebody with a kettle and \
    somebody who knows which of last year’s beans were the good ones. If it rains we move to the \
    back room. If it pours we move to Sunday. Children are welcome, dogs are welcome, rabbits are \
    not, and the rabbits know why. What is left over goes to the school garden, where it was last \
    year too, and where the pumpkins are said to have reached the second floor.";

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
    stranger("landing", "/").quick(),
    stranger("everyone-stranger", "/public"),
    stranger("profile-stranger", "/@ben"),
    stranger("thread-stranger", "{thread}"),
    stranger("not-found", "/@nobody").status(404),
    stranger("deleted-post", "{deleted}").status(410),
    stranger("left-member", "/@dora").status(410),
    stranger("method", "/logout").status(405),
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
    member("delete", "{own}/delete"),
    member("followers", "/@ben/followers"),
    member("following", "/@ada/following"),
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
    member("settings-leave", "/settings/leave"),
    member("settings-leave-error", "/settings/leave")
        .sends("/settings/leave", &[("username", "ben"), ("password", "seven")])
        .status(422),
    member("machines", "/status").quick(),
    stranger("machines-stranger", "/status"),
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
