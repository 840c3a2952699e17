//! Sentences: what is wrong with a field, what became of a write, what an error's page says.
//!
//! A write is saved, not saved, or nobody knows; each says so in its first line, and each says what
//! became of the text that was typed.

use super::frame::{Notice, Tone};
use super::time::{Moment, span};
use crate::action::Problem;
use crate::id::USER_NAME_CHARS_MAX;
use crate::limits::{
    BEHIND_RETRY_S, BIO_CHARS_MAX, COMMUNITY_CHARS_MAX, DISPLAY_NAME_CHARS_MAX,
    NO_MAJORITY_RETRY_S, POST_CHARS_MAX, REASON_CHARS_MAX, UNKNOWN_RETRY_S,
};
use crate::wire::request::{Field, FieldProblem, Hindered, Person, Refusal};

/// What a write was about, as far as its sentences differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A post or a reply.
    Post,
    /// A new account.
    Account,
    /// A sign-in.
    SignIn,
    /// A form whose fields come back.
    Fields,
    /// A button.
    Button,
}

/// Why a write was not done, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The form came from another site.
    Elsewhere,
    /// The form does not fit the session.
    OldForm,
    /// The form cannot be read.
    Unreadable,
    /// A backend said why.
    Refused(Refusal),
    /// No backend answered; whether one was asked.
    Unreachable {
        /// Whether some backend may have received it.
        asked: bool,
    },
}

/// What is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The page's heading, where the page has none of its own.
    pub(crate) title: &'static str,
    /// What stands first.
    pub(crate) notice: Notice,
    /// What the button says now, if not what it always says.
    pub(crate) button: Option<&'static str>,
    /// Seconds after which to try again.
    pub(crate) retry_after_s: Option<u32>,
    /// Whether the form's one-time key is spent: sending it again takes a fresh one.
    pub(crate) is_key_spent: bool,
}

impl Said {
    fn new(status: u16, title: &'static str, strong: impl Into<String>, text: String) -> Self {
        Self {
            status,
            title,
            notice: Notice::new(Tone::Stop, strong, text),
            button: None,
            retry_after_s: None,
            is_key_spent: false,
        }
    }

    fn retry(self, button: &'static str, seconds: u32) -> Self {
        Self { button: Some(button), retry_after_s: Some(seconds), ..self }
    }

    fn with_key_spent(self) -> Self {
        Self { is_key_spent: true, ..self }
    }

    /// Says what became of a write.
    pub(crate) fn of(trouble: &Trouble, subject: Subject) -> Self {
        let kept = subject.kept();
        match trouble {
            Trouble::Elsewhere => {
                let strong = "This form was not sent from this site.";
                let text = format!("So it was not believed. {kept}");
                Self::new(403, "Not sent from here", strong, text).with_key_spent()
            }
            Trouble::OldForm => {
                let strong = "This form is no longer valid.";
                let why = "Perhaps you signed in or out since it was opened, or cookies are off.";
                Self::new(403, "An old form", strong, format!("{why} {kept}")).with_key_spent()
            }
            Trouble::Unreadable => {
                let strong = "Your browser sent a form that makes no sense.";
                Self::new(400, "Not understood", strong, kept.to_owned())
            }
            Trouble::Unreachable { asked: true } => Self::unknown(subject),
            Trouble::Unreachable { asked: false } => {
                let strong = "No machine can be reached.";
                Self::new(503, "Nothing was saved", strong, kept.to_owned())
                    .retry("Try again", NO_MAJORITY_RETRY_S)
            }
            Trouble::Refused(refusal) => Self::of_refusal(refusal, subject),
        }
    }

    fn of_refusal(refusal: &Refusal, subject: Subject) -> Self {
        let kept = subject.kept();
        match refusal {
            Refusal::Invalid { problems } => Self::invalid(problems, subject),
            Refusal::BadLogin => {
                let strong = "That name and password don’t match.";
                Self::new(422, "Sign in", strong, String::new())
            }
            Refusal::SignedOut => {
                Self::new(403, "Sign in", "You are signed out.", subject.rides().to_owned())
            }
            Refusal::NotFound => {
                Self::new(404, "Not found", "There is no such thing.", kept.to_owned())
            }
            Refusal::Gone => Self::new(410, "Gone", "It was deleted meanwhile.", kept.to_owned()),
            Refusal::Blocked => {
                let strong = "You and they are kept apart by a block.";
                Self::new(403, "Not possible", strong, kept.to_owned())
            }
            Refusal::Closed => {
                let strong = "New members are invited by the keeper.";
                Self::new(403, "Closed", strong, kept.to_owned())
            }
            Refusal::Hindered(why) => {
                let (title, strong) = hindered(why);
                let mut said = Self::new(403, title, strong, kept.to_owned());
                said.notice.text = format!("{} {kept}", reason_of(why)).trim().to_owned();
                said
            }
            Refusal::Keeper => {
                let strong = "A keeper can’t leave.";
                let text = "Ask whoever runs the machines to make you a plain member first.";
                Self::new(403, "Not possible", strong, format!("{text} {kept}"))
            }
            Refusal::NotYet => {
                let strong = "Not before the upgrade of the machines is finished.";
                Self::new(503, "Not yet possible", strong, kept.to_owned())
            }
            Refusal::Conflict => {
                let strong = "This form was already used for something else.";
                Self::new(409, "Nothing was saved", strong, kept.to_owned()).with_key_spent()
            }
            Refusal::Expired => {
                let strong = "This form is too old to tell whether it was saved before.";
                let text = format!("Look whether it was before you send it again. {kept}");
                Self::new(409, "Nothing was saved", strong, text).with_key_spent()
            }
            Refusal::Full => {
                let strong = "Your account is full.";
                let text = format!("Delete some posts, or ask the keeper. {kept}");
                Self::new(422, "Nothing was saved", strong, text)
            }
            Refusal::TooMany { retry_after_s } => {
                let strong = "Too many in a short time.";
                let text = format!("Try again in {}. {kept}", span((*retry_after_s).into()));
                Self::new(429, "Too fast", strong, text).retry("Try again", *retry_after_s)
            }
            Refusal::Busy { retry_after_s } => {
                let strong = "The machines are very busy.";
                let text = format!("Try again in {}. {kept}", span((*retry_after_s).into()));
                Self::new(503, "Nothing was saved", strong, text).retry("Try again", *retry_after_s)
            }
            Refusal::Behind => {
                let strong = "This machine is catching up.";
                let text = format!("Try again in {}. {kept}", span(BEHIND_RETRY_S.into()));
                Self::new(503, "Nothing was saved", strong, text).retry("Try again", BEHIND_RETRY_S)
            }
            Refusal::NoMajority { reachable, members, needed } => {
                let machines = if *members == 1 { "machine" } else { "machines" };
                let strong = format!("Only {reachable} of {members} {machines} can be reached.");
                let text = format!("{} is saved when {needed} agree. {kept}", subject.name());
                Self::new(503, "Nothing was saved", strong, text)
                    .retry("Try again", NO_MAJORITY_RETRY_S)
            }
            Refusal::Unknown => Self::unknown(subject),
            Refusal::BadRequest { .. } => {
                let strong = "This form makes no sense to the machines.";
                Self::new(400, "Not understood", strong, kept.to_owned())
            }
        }
    }

    fn unknown(subject: Subject) -> Self {
        let twice = match subject {
            Subject::Post => "posted",
            Subject::Account => "made",
            Subject::SignIn | Subject::Fields | Subject::Button => "done",
        };
        let text = format!("Press Check. If it was saved it will not be {twice} twice.");
        Self::new(503, "Not known yet", "We don’t know yet if it was saved.", text)
            .retry("Check", UNKNOWN_RETRY_S)
    }

    fn invalid(problems: &[FieldProblem], subject: Subject) -> Self {
        if subject == Subject::Button {
            // There is no field to go to, so the reasons stand here.
            let reason = |it: &FieldProblem| match it.problem {
                Problem::Wrong => "That is you.".to_owned(),
                _ => problem(it.field, &it.problem),
            };
            let reasons: Vec<_> = problems.iter().map(reason).collect();
            return Self::new(422, "Not possible", "This can’t be done.", reasons.join(" "));
        }
        let mut fields: Vec<_> = problems.iter().map(|problem| anchor(problem.field)).collect();
        fields.dedup();
        let strong = match fields.len() {
            0 | 1 => "One thing to fix".to_owned(),
            2 => "Two things to fix".to_owned(),
            3 => "Three things to fix".to_owned(),
            n => format!("{n} things to fix"),
        };
        let title = if subject == Subject::Post { "Not posted yet" } else { "Not saved yet" };
        let mut said = Self::new(422, title, strong, String::new());
        said.notice.fields = fields;
        said
    }
}

impl Subject {
    /// That nothing was done, and that what was typed is safe.
    const fn kept(self) -> &'static str {
        match self {
            Self::Post => "Your text is kept below; nothing is lost and nothing was posted.",
            Self::Account => {
                "No account was made. What you typed is kept below, except the password."
            }
            Self::SignIn => "You are not signed in.",
            Self::Fields => "Nothing was changed. What you typed is kept below, except passwords.",
            Self::Button => "Nothing was changed.",
        }
    }

    /// What becomes of what was typed while one signs in.
    const fn rides(self) -> &'static str {
        match self {
            Self::Post => "Your text is safe: sign in and it comes back. It was not posted.",
            Self::Fields => {
                "What you typed is safe: sign in and it comes back. Nothing was changed."
            }
            Self::Account | Self::SignIn | Self::Button => {
                "Sign in and try again. Nothing was changed."
            }
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Post => "A post",
            Self::Account => "An account",
            Self::SignIn => "A sign-in",
            Self::Fields | Self::Button => "A change",
        }
    }
}

/// What keeps somebody from writing: title and sentence.
pub(crate) fn hindered(why: &Hindered) -> (&'static str, String) {
    match why {
        Hindered::Waiting => {
            ("You are waiting", "A keeper has yet to let you in. Come back later.".to_owned())
        }
        Hindered::Refused { .. } => ("Not let in", "The keeper has not let you in.".to_owned()),
        Hindered::Suspended { until: Some(until), .. } => (
            "Suspended",
            format!("You are suspended until {}.", Moment::to_the_minute(*until).full),
        ),
        Hindered::Suspended { until: None, .. } => {
            ("Suspended", "You are suspended until the keeper lifts it.".to_owned())
        }
    }
}

/// The keeper's reason, as a sentence; empty if there is none.
pub(crate) fn reason_of(why: &Hindered) -> String {
    match why {
        Hindered::Waiting => String::new(),
        Hindered::Refused { reason } | Hindered::Suspended { reason, .. } => {
            format!("The reason: {reason}")
        }
    }
}

/// That a member is suspended, on their page.
pub(crate) fn suspended(person: &Person, why: &Hindered) -> Notice {
    let name = &person.display_name;
    let text = match why {
        Hindered::Suspended { until: Some(until), .. } => {
            format!("Until {}.", Moment::to_the_minute(*until).full)
        }
        _ => String::new(),
    };
    Notice::new(Tone::Care, format!("{name} is suspended."), text)
}

/// A field's id on the page, and what it is called.
pub(crate) const fn anchor(field: Field) -> (&'static str, &'static str) {
    match field {
        Field::Username => ("u", "Username"),
        Field::DisplayName => ("d", "Display name"),
        Field::Password => ("p", "Password"),
        Field::NewPassword => ("n", "New password"),
        Field::Bio => ("b", "About you"),
        Field::Text => ("c", "Text"),
        Field::Reason => ("r", "Reason"),
        Field::Code => ("i", "Invitation code"),
        Field::Community => ("w", "Words for strangers"),
    }
}

/// What is wrong with a field, with a way out.
pub(crate) fn problem(field: Field, problem: &Problem) -> String {
    let what = match field {
        Field::Username => "A username",
        Field::DisplayName => "A display name",
        Field::Password | Field::NewPassword => "A password",
        Field::Bio => "What you say of yourself",
        Field::Text => "A post",
        Field::Reason => "A reason",
        Field::Code => "A code",
        Field::Community => "This",
    };
    match problem {
        Problem::Empty => match field {
            Field::Text => "Write something first.".to_owned(),
            Field::Username => "Enter a username.".to_owned(),
            Field::Password | Field::NewPassword => "Enter a password.".to_owned(),
            Field::Reason => "Say why.".to_owned(),
            Field::Code => "Enter the code of your invitation.".to_owned(),
            Field::DisplayName | Field::Bio | Field::Community => {
                "Enter something here.".to_owned()
            }
        },
        Problem::TooLong { over } => {
            let characters = if *over == 1 { "character" } else { "characters" };
            let max = match field {
                Field::Username => USER_NAME_CHARS_MAX,
                Field::DisplayName => DISPLAY_NAME_CHARS_MAX,
                Field::Bio => BIO_CHARS_MAX,
                Field::Text => POST_CHARS_MAX,
                Field::Reason => REASON_CHARS_MAX,
                Field::Community => COMMUNITY_CHARS_MAX,
                Field::Password | Field::NewPassword | Field::Code => {
                    return format!("{over} {characters} too many.");
                }
            };
            format!("{over} {characters} too many. {what} has up to {max}.")
        }
        Problem::TooShort { min } => format!("{what} has at least {min} characters."),
        Problem::BadStart { suggestion } => {
            let how =
                suggestion.as_ref().map_or_else(String::new, |name| format!(" How about {name}?"));
            format!("{what} begins with a letter from a to z.{how}")
        }
        Problem::BadChar { found, suggestion } => {
            let how =
                suggestion.as_ref().map_or_else(String::new, |name| format!(" How about {name}?"));
            format!("{} can’t be used.{how}", character(*found))
        }
        Problem::Reserved => "This name is kept for the system. Choose another.".to_owned(),
        Problem::Taken => "This name is taken. Choose another.".to_owned(),
        Problem::Common => "This password is on every guessing list. Choose another.".to_owned(),
        Problem::Guessable => {
            "This password is made of a name that others know. Choose another.".to_owned()
        }
        Problem::Wrong => match field {
            Field::Username => "This is not your username.".to_owned(),
            Field::Code => "There is no such code. Look whether it was mistyped.".to_owned(),
            _ => "This is not your password.".to_owned(),
        },
        Problem::Used => "As many as may have joined with this code. Ask for another.".to_owned(),
        Problem::Past => "The time of this code is over. Ask for another.".to_owned(),
        Problem::Full { max } => format!("You have {max} already, and that is the most."),
    }
}

/// A character as people call it.
fn character(found: char) -> String {
    let name = match found {
        '.' => "A dot",
        ',' => "A comma",
        ' ' => "A space",
        '-' => "A hyphen",
        '@' => "An @",
        '/' => "A slash",
        '\'' | '’' => "An apostrophe",
        '"' => "A quotation mark",
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => "A line break",
        c if c.is_control() || is_unseen(c) => "An invisible character",
        c if c.is_uppercase() || c.is_alphabetic() => return format!("The letter “{c}”"),
        c => return format!("“{c}”"),
    };
    name.to_owned()
}

/// Characters that show nothing, or turn the writing's direction.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// What an error's page says: heading, sentence.
pub(crate) const fn error(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("Not understood", "Your browser asked for something that makes no sense."),
        403 => ("Not allowed", "This is not yours to see or to do. Nothing was changed."),
        404 => ("Not found", "There is nothing at this address. Perhaps it was mistyped."),
        405 => ("Not a page", "This address takes forms and shows nothing. Nothing was changed."),
        409 => ("Already used", "This form was used before. Nothing was changed."),
        410 => ("Gone", "This was deleted by whoever wrote it."),
        413 => {
            ("Too long", "What you sent is too long. Nothing was saved; go back and shorten it.")
        }
        422 => ("Not yet", "Something in the form needs another look. Nothing was changed."),
        429 => ("Too fast", "Too many requests in a short time. Wait a moment, then try again."),
        503 => (
            "Not reachable",
            "No machine that holds the posts can be reached just now. Nothing is lost. Try again in \
             a few seconds.",
        ),
        _ => (
            "Something broke",
            "This is our fault, not yours. If you were writing, go back: your browser still holds \
             your text, and sending it again is safe.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: Field, what: &Problem, words: &str) {
        assert_eq!(problem(field, what), words);
    }

    #[test]
    fn problem_names_a_way_out() {
        let suggestion = Some("rose_bay".parse().unwrap());
        let dot = Problem::BadChar { found: '.', suggestion };
        check(Field::Username, &dot, "A dot can’t be used. How about rose_bay?");
        let kelvin = Problem::BadChar { found: '\u{212a}', suggestion: None };
        check(Field::Username, &kelvin, "The letter “\u{212a}” can’t be used.");
        let hidden = Problem::BadChar { found: '\u{202e}', suggestion: None };
        check(Field::DisplayName, &hidden, "An invisible character can’t be used.");
        check(Field::Text, &Problem::Empty, "Write something first.");
        let over = |over| Problem::TooLong { over };
        check(Field::Text, &over(23), "23 characters too many. A post has up to 500.");
        check(
            Field::Bio,
            &over(1),
            "1 character too many. What you say of yourself has up to 200.",
        );
        let min = Problem::TooShort { min: 8 };
        check(Field::NewPassword, &min, "A password has at least 8 characters.");
        check(Field::Password, &Problem::Wrong, "This is not your password.");
        check(Field::Username, &Problem::Wrong, "This is not your username.");
    }

    #[test]
    fn said_of_no_majority_in_full() {
        let refusal = Refusal::NoMajority { reachable: 1, members: 3, needed: 2 };
        let said = Said::of(&Trouble::Refused(refusal), Subject::Post);
        assert_eq!((said.status, said.title), (503, "Nothing was saved"));
        assert_eq!(said.notice.strong, "Only 1 of 3 machines can be reached.");
        assert_eq!(
            said.notice.text,
            "A post is saved when 2 agree. Your text is kept below; nothing is lost and nothing was \
             posted."
        );
        assert_eq!((said.button, said.retry_after_s), (Some("Try again"), Some(10)));
        assert!(!said.is_key_spent);
    }

    #[test]
    fn said_of_unknown_outcome_is_neither() {
        for trouble in [Trouble::Refused(Refusal::Unknown), Trouble::Unreachable { asked: true }] {
            let said = Said::of(&trouble, Subject::Post);
            assert_eq!(said.notice.strong, "We don’t know yet if it was saved.");
            let text = "Press Check. If it was saved it will not be posted twice.";
            assert_eq!(said.notice.text, text);
            assert_eq!((said.status, said.button, said.is_key_spent), (503, Some("Check"), false));
        }
    }

    #[test]
    fn said_of_invalid_links_each_field_once() {
        let at = |field| FieldProblem { field, problem: Problem::Empty };
        let problems = vec![at(Field::Username), at(Field::Password)];
        let said = Said::of(&Trouble::Refused(Refusal::Invalid { problems }), Subject::Account);
        assert_eq!((said.status, said.notice.strong.as_str()), (422, "Two things to fix"));
        assert_eq!(said.notice.fields, [("u", "Username"), ("p", "Password")]);
    }

    #[test]
    fn said_of_button_refused_gives_reason() {
        let problem = Problem::Full { max: 5_000 };
        let problems = vec![FieldProblem { field: Field::Username, problem }];
        let said = Said::of(&Trouble::Refused(Refusal::Invalid { problems }), Subject::Button);
        assert_eq!(said.notice.text, "You have 5000 already, and that is the most.");
        assert!(said.notice.fields.is_empty());
    }
}
