//! Sentences: what became of a write, what an error's page says.
//!
//! A write is saved, not saved, or nobody knows; each says so in its first line, and each says what
//! became of the text that was typed.

use super::frame::{Notice, Tone};
use super::problem::problem;
use super::time::{Moment, span};
use crate::action::Problem;
use crate::limits::{BEHIND_RETRY_S, NO_MAJORITY_RETRY_S, UNKNOWN_RETRY_S};
use crate::picture::PictureError;
use crate::web::words::Lang;
use crate::wire::request::{Field, FieldProblem, Hindered, Person, Refusal};

/// What a write was about, as far as its sentences differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A post or a reply.
    Post,
    /// Another text for a post.
    Edit,
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
    /// A picture is none, or cannot be taken; its number, where it is one of several.
    Picture(PictureError, Option<u32>),
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
    /// Whether the button only asks what became of it.
    pub(crate) is_check: bool,
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
            is_check: false,
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
    pub(crate) fn of(t: Lang, trouble: &Trouble, subject: Subject) -> Self {
        let kept = subject.kept(t);
        match trouble {
            Trouble::Elsewhere => {
                let text = format!("{} {kept}", t.not_believed());
                Self::new(403, t.not_from_here(), t.form_from_elsewhere(), text).with_key_spent()
            }
            Trouble::OldForm => {
                let text = format!("{} {kept}", t.form_why_not_valid());
                Self::new(403, t.old_form(), t.form_not_valid(), text).with_key_spent()
            }
            Trouble::Unreadable => {
                Self::new(400, t.not_understood(), t.form_unreadable(), kept.to_owned())
            }
            Trouble::Unreachable { asked: true } => Self::unknown(t, subject),
            Trouble::Unreachable { asked: false } => {
                Self::new(503, t.nothing_saved(), t.no_machine_reached(), kept.to_owned())
                    .retry(t.try_again(), NO_MAJORITY_RETRY_S)
            }
            Trouble::Picture(PictureError::Busy, _) => {
                Self::later(t, (503, t.nothing_saved(), t.pictures_busy()), kept, BEHIND_RETRY_S)
            }
            Trouble::Picture(why, number) => {
                let text = format!("{} {kept}", t.choose_again());
                let which =
                    number.map(|n| format!("{}: ", t.picture_number(n))).unwrap_or_default();
                Self::new(422, t.not_posted_yet(), which + of_picture(t, *why), text)
            }
            Trouble::Refused(refusal) => Self::of_refusal(t, refusal, subject),
        }
    }

    fn of_refusal(t: Lang, refusal: &Refusal, subject: Subject) -> Self {
        let kept = subject.kept(t);
        match refusal {
            Refusal::Invalid { problems } => Self::invalid(t, problems, subject),
            Refusal::BadLogin => Self::new(422, t.sign_in(), t.bad_login(), String::new()),
            Refusal::SignedOut => {
                Self::new(403, t.sign_in(), t.signed_out(), subject.rides(t).to_owned())
            }
            // No page asks as an app.
            Refusal::Scope | Refusal::NotFound => {
                Self::new(404, t.not_found(), t.no_such_thing(), kept.to_owned())
            }
            Refusal::Gone => Self::new(410, t.gone(), t.deleted_meanwhile(), kept.to_owned()),
            Refusal::Blocked => Self::new(403, t.not_possible(), t.kept_apart(), kept.to_owned()),
            Refusal::Closed => Self::new(403, t.closed(), t.invited_by_keeper(), kept.to_owned()),
            Refusal::Hindered(why) => {
                let (title, strong) = hindered(t, why);
                let text = format!("{} {kept}", reason_of(t, why)).trim().to_owned();
                Self::new(403, title, strong, text)
            }
            Refusal::Keeper => {
                let text = format!("{} {kept}", t.ask_operator());
                Self::new(403, t.not_possible(), t.keeper_cannot_leave(), text)
            }
            Refusal::Conflict if subject == Subject::Post => {
                let (title, strong) = (t.not_posted_yet(), t.posted_already());
                Self::new(409, title, strong, t.press_post_too().to_owned()).with_key_spent()
            }
            Refusal::Conflict => {
                Self::new(409, t.nothing_saved(), t.form_used(), kept.to_owned()).with_key_spent()
            }
            Refusal::Expired => {
                let text = format!("{} {kept}", t.look_before_sending());
                Self::new(409, t.nothing_saved(), t.form_too_old(), text).with_key_spent()
            }
            Refusal::NotYet => {
                let text = format!("{} {kept}", t.not_known_to_all());
                Self::new(503, t.nothing_saved(), t.not_before_upgrade(), text)
            }
            Refusal::Full => {
                let text = format!("{} {kept}", t.delete_some());
                Self::new(422, t.nothing_saved(), t.account_full(), text)
            }
            Refusal::NoSpace => Self::new(503, t.nothing_saved(), t.disks_full(), kept.to_owned())
                .retry(t.try_again(), NO_MAJORITY_RETRY_S),
            Refusal::TooMany { retry_after_s } => {
                Self::later(t, (429, t.too_fast(), t.too_many()), kept, *retry_after_s)
            }
            Refusal::Busy { retry_after_s } => {
                Self::later(t, (503, t.nothing_saved(), t.machines_busy()), kept, *retry_after_s)
            }
            Refusal::Behind => {
                Self::later(t, (503, t.nothing_saved(), t.machine_behind()), kept, BEHIND_RETRY_S)
            }
            Refusal::NoMajority { reachable, members, needed } => {
                // Machines count as reached until it shows that they died: then it is they who did not agree.
                let strong = if reachable < needed {
                    t.only_reached(*members, *reachable)
                } else {
                    t.too_few_answered().to_owned()
                };
                let text = format!("{} {kept}", t.saved_when(*needed, subject.name(t)));
                Self::new(503, t.nothing_saved(), strong, text)
                    .retry(t.try_again(), NO_MAJORITY_RETRY_S)
            }
            Refusal::Unknown => Self::unknown(t, subject),
            Refusal::BadRequest { .. } => {
                Self::new(400, t.not_understood(), t.form_makes_no_sense(), kept.to_owned())
            }
        }
    }

    /// Nothing was done, and in so many seconds it may be.
    fn later(
        t: Lang,
        (status, title, strong): (u16, &'static str, &str),
        kept: &str,
        seconds: u32,
    ) -> Self {
        let text = format!("{} {kept}", t.try_again_in(&span(t, seconds.into())));
        Self::new(status, title, strong, text).retry(t.try_again(), seconds)
    }

    fn unknown(t: Lang, subject: Subject) -> Self {
        let text = match subject {
            Subject::Post | Subject::Edit => t.check_post(),
            Subject::Account => t.check_account(),
            Subject::SignIn | Subject::Fields | Subject::Button => t.check_done(),
        };
        let said = Self::new(503, t.not_known(), t.not_known_if_saved(), text.to_owned());
        Self { is_check: true, ..said.retry(t.check(), UNKNOWN_RETRY_S) }
    }

    fn invalid(t: Lang, problems: &[FieldProblem], subject: Subject) -> Self {
        if subject == Subject::Button {
            // There is no field to go to, so the reasons stand here.
            let reason = |it: &FieldProblem| match it.problem {
                Problem::Wrong if it.field == Field::Username => t.that_is_you().to_owned(),
                _ => problem(t, it.field, &it.problem),
            };
            let reasons: Vec<_> = problems.iter().map(reason).collect();
            return Self::new(422, t.not_possible(), t.cannot_be_done(), reasons.join(" "));
        }
        if let Some(it) = problems.iter().find(|it| is_of_oneself(it)) {
            let why = problem(t, it.field, &it.problem);
            return Self::new(422, t.not_possible(), t.cannot_be_done(), why);
        }
        let mut fields: Vec<_> = problems.iter().map(|problem| anchor(t, problem.field)).collect();
        fields.dedup();
        let strong = match fields.len() {
            0 | 1 => t.one_to_fix().to_owned(),
            2 => t.two_to_fix().to_owned(),
            3 => t.three_to_fix().to_owned(),
            n => t.many_to_fix(n),
        };
        let title = match subject {
            Subject::Post | Subject::Edit => t.not_posted_yet(),
            _ => t.not_saved_yet(),
        };
        let mut said = Self::new(422, title, strong, String::new());
        said.notice.fields = fields;
        said
    }
}

/// Whether it is whom an act is about that is wrong with it: no field says that.
fn is_of_oneself(it: &FieldProblem) -> bool {
    it.field == Field::Username && it.problem == Problem::Own
}

impl Subject {
    /// That nothing was done, and that what was typed is safe.
    const fn kept(self, t: Lang) -> &'static str {
        match self {
            Self::Post | Self::Edit => t.text_kept(),
            Self::Account => t.account_kept(),
            Self::SignIn => t.not_signed_in(),
            Self::Fields => t.fields_kept(),
            Self::Button => t.nothing_changed(),
        }
    }

    /// What becomes of what was typed while one signs in.
    const fn rides(self, t: Lang) -> &'static str {
        match self {
            Self::Post | Self::Edit => t.text_rides(),
            Self::Fields => t.fields_ride(),
            Self::Account | Self::SignIn | Self::Button => t.sign_in_again(),
        }
    }

    const fn name(self, t: Lang) -> &'static str {
        match self {
            Self::Post | Self::Edit => t.subject_post(),
            Self::Account => t.subject_account(),
            Self::SignIn => t.subject_sign_in(),
            Self::Fields | Self::Button => t.subject_change(),
        }
    }
}

/// Why a picture cannot be taken.
pub(crate) const fn of_picture(t: Lang, why: PictureError) -> &'static str {
    match why {
        PictureError::TooManyBytes => t.picture_too_many_bytes(),
        PictureError::NotAPicture => t.picture_not_one(),
        PictureError::TooManyPixels | PictureError::TooMuchMemory => t.picture_too_large(),
        PictureError::Damaged => t.picture_damaged(),
        PictureError::Busy => t.pictures_busy(),
    }
}

/// What keeps somebody from writing: title and sentence.
pub(crate) fn hindered(t: Lang, why: &Hindered) -> (&'static str, String) {
    match why {
        Hindered::Waiting => (t.you_wait(), t.wait_for_keeper().to_owned()),
        Hindered::Refused { .. } => (t.not_let_in(), t.keeper_said_no().to_owned()),
        Hindered::Suspended { until: Some(until), .. } => {
            let until = Moment::to_the_minute(t, *until).full;
            (t.suspended(), t.suspended_until(&until))
        }
        Hindered::Suspended { until: None, .. } => {
            (t.suspended(), t.suspended_until_lifted().to_owned())
        }
    }
}

/// The keeper's reason, as a sentence; empty if there is none.
pub(crate) fn reason_of(t: Lang, why: &Hindered) -> String {
    match why {
        Hindered::Waiting => String::new(),
        Hindered::Refused { reason } | Hindered::Suspended { reason, .. } => t.the_reason(reason),
    }
}

/// That a member is suspended, on their page.
pub(crate) fn suspended(t: Lang, person: &Person, why: &Hindered) -> Notice {
    let text = match why {
        Hindered::Suspended { until: Some(until), .. } => {
            t.until_time(&Moment::to_the_minute(t, *until).full)
        }
        _ => String::new(),
    };
    Notice::new(Tone::Care, t.is_suspended(&person.display_name), text)
}

/// A field's id on the page, and what it is called.
pub(crate) const fn anchor(t: Lang, field: Field) -> (&'static str, &'static str) {
    match field {
        Field::Username => ("u", t.username()),
        Field::DisplayName => ("d", t.display_name()),
        Field::Password => ("p", t.password()),
        Field::NewPassword => ("n", t.new_password()),
        Field::Bio => ("b", t.about_you()),
        Field::Text | Field::Post => ("c", t.text()),
        Field::Note => ("cn", t.content_note()),
        Field::Picture | Field::Description => ("cp", t.pictures()),
        Field::Reason => ("r", t.reason()),
        Field::Code => ("i", t.code()),
        Field::Community => ("w", t.words_for_strangers()),
        Field::Poll | Field::Choice => ("co", t.poll()),
    }
}

/// What an error's page says: heading, sentence.
pub(crate) const fn error(t: Lang, status: u16) -> (&'static str, &'static str) {
    match status {
        400 => (t.not_understood(), t.not_understood_text()),
        403 => (t.not_allowed(), t.not_allowed_text()),
        404 => (t.not_found(), t.not_found_text()),
        405 => (t.not_a_page(), t.not_a_page_text()),
        409 => (t.already_used(), t.already_used_text()),
        410 => (t.gone(), t.gone_text()),
        413 => (t.too_long(), t.too_long_text()),
        422 => (t.not_yet(), t.not_yet_text()),
        429 => (t.too_fast(), t.too_fast_text()),
        503 => (t.not_reachable(), t.not_reachable_text()),
        _ => (t.broken(), t.broken_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn said_of_no_majority_in_full() {
        let refusal = Refusal::NoMajority { reachable: 1, members: 3, needed: 2 };
        let said = Said::of(Lang::En, &Trouble::Refused(refusal), Subject::Post);
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
    fn said_of_no_majority_in_german() {
        let refusal = Refusal::NoMajority { reachable: 1, members: 3, needed: 2 };
        let said = Said::of(Lang::De, &Trouble::Refused(refusal), Subject::Post);
        assert_eq!(said.title, "Es wurde nichts gespeichert");
        assert_eq!(said.notice.strong, "Nur 1 von 3 Maschinen erreichbar.");
        assert_eq!(
            said.notice.text,
            "Ein Beitrag ist gespeichert, wenn 2 zustimmen. Dein Text steht unten; nichts ist \
             verloren, und nichts wurde veröffentlicht."
        );
        let unknown = Said::of(Lang::De, &Trouble::Refused(Refusal::Unknown), Subject::Post);
        assert_eq!(unknown.notice.strong, "Wir wissen noch nicht, ob es gespeichert wurde.");
        assert_eq!((unknown.button, unknown.is_check), (Some("Nachsehen"), true));
    }

    #[test]
    fn said_of_machines_that_just_died_is_true() {
        let said = |t, reachable| {
            let refusal = Refusal::NoMajority { reachable, members: 3, needed: 2 };
            Said::of(t, &Trouble::Refused(refusal), Subject::Post).notice
        };
        for reachable in [2, 3] {
            // That two of three can be reached, and that two are enough, cannot both be so.
            let notice = said(Lang::En, reachable);
            assert_eq!(notice.strong, "Too few machines answered.");
            assert!(
                notice.text.starts_with("A post is saved when 2 agree. Your text"),
                "{notice:?}"
            );
        }
        assert_eq!(said(Lang::De, 2).strong, "Zu wenige Maschinen haben geantwortet.");
        assert_eq!(said(Lang::En, 1).strong, "Only 1 of 3 machines can be reached.");
    }

    #[test]
    fn said_of_unknown_outcome_is_neither() {
        for trouble in [Trouble::Refused(Refusal::Unknown), Trouble::Unreachable { asked: true }] {
            let said = Said::of(Lang::En, &trouble, Subject::Post);
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
        let said =
            Said::of(Lang::En, &Trouble::Refused(Refusal::Invalid { problems }), Subject::Account);
        assert_eq!((said.status, said.notice.strong.as_str()), (422, "Two things to fix"));
        assert_eq!(said.notice.fields, [("u", "Username"), ("p", "Password")]);
    }

    #[test]
    fn said_of_button_refused_gives_reason() {
        let problem = Problem::Full { max: 5_000 };
        let problems = vec![FieldProblem { field: Field::Username, problem }];
        let said =
            Said::of(Lang::En, &Trouble::Refused(Refusal::Invalid { problems }), Subject::Button);
        assert_eq!(said.notice.text, "You have 5000 already, and that is the most.");
        assert!(said.notice.fields.is_empty());
    }
}
