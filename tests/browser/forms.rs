//! Every form that writes, and everything that may go wrong with it.

use super::pages::VERY_LONG;

/// Characters that no body of ours may have.
const TOO_MANY: usize = 70_000;

/// Fields and what is typed into them.
type Typed = &'static [(&'static str, &'static str)];

/// A form that writes.
pub(super) struct WritingForm {
    pub(super) name: &'static str,
    /// Whether whoever sends it is signed in.
    pub(super) is_member: bool,
    /// Where it stands; `{own}` and `{other}` are posts.
    pub(super) page: &'static str,
    /// Where it goes, or how that begins.
    pub(super) action: &'static str,
    typed: Typed,
    /// What is refused if it is typed in place of that; nothing if nothing can be wrong.
    wrong: Typed,
    /// Whether what was typed rides along through a sign-in.
    pub(super) rides: bool,
    pub(super) is_quick: bool,
}

pub(super) const FORMS: [WritingForm; 19] = [
    WritingForm {
        name: "join",
        is_member: false,
        page: "/join",
        action: "/join",
        typed: &[("username", "mina"), ("display_name", "Mina Okafor"), ("password", "hens & co")],
        wrong: &[("username", "Mi.Na")],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "login",
        is_member: false,
        page: "/login",
        action: "/login",
        typed: &[("username", "ada"), ("password", "seven lamps of ada")],
        wrong: &[("password", "seven lamps of eve")],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "post",
        is_member: true,
        page: "/",
        action: "/post",
        typed: &[("text", "Frost tonight.\nCover <your> \"lemons\" & beans."), ("note", "weather")],
        wrong: &[("text", " \n ")],
        rides: true,
        is_quick: true,
    },
    WritingForm {
        name: "reply",
        is_member: true,
        page: "{other}",
        action: "/post",
        typed: &[("text", "@ben It is with me.\n\nUntil Thursday.")],
        wrong: &[("text", "")],
        rides: true,
        is_quick: false,
    },
    WritingForm {
        name: "edit",
        is_member: true,
        page: "{own}/edit",
        action: "/@ada/",
        typed: &[("text", "The chapel key is back."), ("note", "keys")],
        wrong: &[("text", "")],
        rides: true,
        is_quick: false,
    },
    WritingForm {
        name: "profile",
        is_member: true,
        page: "/settings/profile",
        action: "/settings/profile",
        typed: &[("display_name", "Ada <b>Lind</b>"), ("bio", "Roses,\nmostly.")],
        wrong: &[("display_name", "Ada of the lane behind the old chapel by the pond")],
        rides: true,
        is_quick: true,
    },
    WritingForm {
        name: "password",
        is_member: true,
        page: "/settings/password",
        action: "/settings/password",
        typed: &[("current", "seven lamps of ada"), ("new", "seven lamps of ada lind")],
        wrong: &[("current", "seven lamps of eve")],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "leave",
        is_member: true,
        page: "/settings/leave",
        action: "/settings/leave",
        typed: &[("username", "ada"), ("password", "seven lamps of ada")],
        wrong: &[("password", "seven lamps of eve")],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "delete",
        is_member: true,
        page: "{own}/delete",
        action: "/@ada/",
        typed: &[],
        wrong: &[],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "follow",
        is_member: true,
        page: "/@ben",
        action: "/@ben/follow",
        typed: &[],
        wrong: &[],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "devices",
        is_member: true,
        page: "/settings/devices",
        action: "/settings/devices",
        typed: &[],
        wrong: &[],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "report",
        is_member: true,
        page: "{other}/report",
        action: "{other}/report",
        typed: &[("reason", "Not how we\ntalk to <each> other.")],
        wrong: &[("reason", " ")],
        rides: true,
        is_quick: false,
    },
    WritingForm {
        name: "suspend",
        is_member: true,
        page: "/mod/act?deed=suspend&username=mia",
        action: "/mod/act",
        typed: &[
            ("hours", "24"),
            ("reason", "Cool down, & think."),
            ("password", "seven lamps of ada"),
        ],
        wrong: &[("reason", "")],
        rides: true,
        is_quick: false,
    },
    WritingForm {
        name: "house",
        is_member: true,
        page: "/mod/settings",
        action: "/mod/settings",
        typed: &[
            ("signup", "approved"),
            ("words", "For those\non the <lane>."),
            ("password", "seven lamps of ada"),
        ],
        wrong: &[("words", VERY_LONG)],
        rides: true,
        is_quick: false,
    },
    WritingForm {
        name: "invite",
        is_member: true,
        page: "/settings/invitations",
        action: "/settings/invitations",
        typed: &[("uses", "5"), ("days", "30")],
        wrong: &[],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "mute",
        is_member: true,
        page: "/@mia",
        action: "/@mia/mute",
        typed: &[],
        wrong: &[],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "block",
        is_member: true,
        page: "/@mia",
        action: "/@mia/block",
        typed: &[],
        wrong: &[],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "like",
        is_member: true,
        page: "{other}",
        action: "{other}/like",
        typed: &[],
        wrong: &[],
        rides: false,
        is_quick: false,
    },
    WritingForm {
        name: "logout",
        is_member: true,
        page: "/@ada",
        action: "/logout",
        typed: &[],
        wrong: &[],
        rides: false,
        is_quick: false,
    },
];

impl WritingForm {
    /// What is typed into it this time: no two posts are the same.
    pub(super) fn typed(&self, failure: Failure) -> Vec<(&'static str, String)> {
        let text = |field, text: &str| match field {
            "text" => format!("{text}\n{failure:?}"),
            _ => text.to_owned(),
        };
        let mut typed: Vec<_> =
            self.typed.iter().map(|(field, typed)| (*field, text(*field, typed))).collect();
        if failure == Failure::WrongField {
            for (field, wrong) in self.wrong {
                typed.retain(|(other, _)| other != field);
                typed.push((field, (*wrong).to_owned()));
            }
        }
        if failure == Failure::TooLarge
            && let Some((_, text)) = typed.iter_mut().find(|(field, _)| is_text(field))
        {
            *text = "z".repeat(TOO_MANY);
        }
        typed
    }

    /// The form, on the page that it stands on or that comes back.
    pub(super) fn css(&self) -> String {
        self.css_at("")
    }

    /// The form on a copy of the page, from which it is sent to the site at `origin`.
    pub(super) fn css_at(&self, origin: &str) -> String {
        match self.action.strip_prefix("{other}/") {
            Some(end) => format!("form[action^=\"{origin}/@ben/\"][action$=\"/{end}\"]"),
            None => format!("form[action^=\"{origin}{}\"]", self.action),
        }
    }

    /// The button that sends it: those of posts stand outside of their form.
    pub(super) fn button(&self, origin: &str) -> String {
        let button = format!("{} button", self.css_at(origin));
        match self.action.strip_prefix("{other}/") {
            Some(mark @ "like") => {
                format!("{button}, button[formaction^=\"{origin}/@ben/\"][formaction$=\"/{mark}\"]")
            }
            _ => button,
        }
    }

    /// Whether it may bring a picture, and so as many bytes as one has: what is too long is read then.
    pub(super) fn takes_files(&self) -> bool {
        self.action == "/settings/profile"
    }

    pub(super) fn is_post(&self) -> bool {
        self.action == "/post"
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    WrongField,
    TooLarge,
    WrongOrigin,
    ExpiredSignIn,
    LostMajority,
    UnknownOutcome,
}

impl Failure {
    /// Those that need no machine to fail.
    pub(super) const OF_A_BROWSER: [Self; 4] =
        [Self::WrongField, Self::TooLarge, Self::WrongOrigin, Self::ExpiredSignIn];

    /// The status that is answered, and words that say what happened.
    pub(super) fn told(self, form: &WritingForm) -> (u64, &'static str) {
        match self {
            Self::WrongField if form.name == "login" => (422, "don’t match"),
            Self::WrongField => (422, "to fix"),
            Self::TooLarge if form.takes_files() => (422, "characters too many"),
            Self::TooLarge => (413, "too long"),
            Self::WrongOrigin => (403, "not sent from this site"),
            Self::ExpiredSignIn if form.is_member => (403, "You are signed out."),
            Self::ExpiredSignIn => (403, "no longer valid"),
            Self::LostMajority => (503, "Only 1 of 3 machines can be reached."),
            Self::UnknownOutcome => (503, "We don’t know yet if it was saved."),
        }
    }

    pub(super) fn can_happen_to(self, form: &WritingForm) -> bool {
        match self {
            Self::WrongField => !form.wrong.is_empty(),
            // Whoever is signed out already has what they wanted.
            Self::ExpiredSignIn => form.name != "logout",
            // Who types a book where a name belongs has nothing to lose.
            Self::TooLarge => form.typed.iter().any(|(field, _)| is_text(field)),
            _ => true,
        }
    }
}

/// Whether a field holds what somebody has thought about.
fn is_text(field: &str) -> bool {
    ["text", "note", "display_name", "bio", "reason", "words"].contains(&field)
}
