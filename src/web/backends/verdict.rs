//! What several backends' answers come to. Pure.
//!
//! A machine that is cut off, or whose disk is full, says what is true for itself and not for all: its answer is
//! kept while the others are asked. And nobody is told "nothing was saved" while a machine that may have saved it
//! has not said so.

use super::AskError;
use crate::action::{Action, Problem};
use crate::wire::request::{Outcome, Refusal, Response};

/// What was heard so far of one request.
pub(super) struct Verdict {
    is_write: bool,
    /// A backend may have received the request and did not answer.
    is_unanswered: bool,
    /// How many backends answered that they do not know.
    unknowns: usize,
    /// The same request was sent before, and nobody knows what became of it.
    was_sent: bool,
    /// What to answer if nothing better comes.
    kept: Option<Response>,
}

impl Verdict {
    pub(super) const fn new(action: &Action) -> Self {
        let is_write = is_write(action);
        Self { is_write, is_unanswered: false, unknowns: 0, was_sent: false, kept: None }
    }

    /// The same, of a request of which it is not known whether it was done before.
    pub(super) fn sent_before(self, was_sent: bool) -> Self {
        Self { was_sent: was_sent && self.is_write, ..self }
    }

    /// A backend was asked, and its answer did not come.
    pub(super) const fn unanswered(&mut self) {
        self.is_unanswered = true;
    }

    /// A backend answered. Returns what to answer the browser, or nothing: ask the next.
    pub(super) fn heard(&mut self, response: Response) -> Option<Response> {
        let is_stale = response.data.cluster.stale_since.is_some();
        match &response.data.outcome {
            Outcome::Refused(Refusal::Unknown) if self.is_write => {
                self.unknowns += 1;
                if self.unknowns > 1 {
                    return Some(response);
                }
                self.kept = Some(response);
                None
            }
            Outcome::Refused(refusal) if self.was_sent && is_for_now(refusal, is_stale) => {
                self.kept = Some(unknown(response));
                None
            }
            Outcome::Refused(Refusal::NoMajority { .. }) => {
                self.kept = Some(response);
                None
            }
            Outcome::Refused(Refusal::Behind) => {
                self.kept.get_or_insert(response);
                None
            }
            // Not done by this one; perhaps by the one asked before.
            Outcome::Refused(Refusal::Busy { .. } | Refusal::TooMany { .. })
                if self.is_uncertain() =>
            {
                Some(unknown(response))
            }
            Outcome::Refused(refusal) if self.is_uncertain() && !is_word_on_all(refusal) => {
                self.kept.get_or_insert(response);
                None
            }
            Outcome::Saved(_) => Some(response),
            _ if is_stale => {
                self.kept.get_or_insert(response);
                None
            }
            _ => Some(response),
        }
    }

    /// Whether what is missing is worth asking a backend that is suspected. A page that is a little
    /// old is not kept from its reader for that.
    pub(super) fn needs_suspected(&self) -> bool {
        self.kept.as_ref().is_none_or(|kept| {
            matches!(
                kept.data.outcome,
                Outcome::Refused(Refusal::Unknown | Refusal::NoMajority { .. } | Refusal::Behind)
            )
        })
    }

    /// No other backend can be asked.
    pub(super) fn conclude(self) -> Result<Response, AskError> {
        let is_uncertain = self.is_uncertain();
        match self.kept {
            Some(kept) if is_uncertain => Ok(unknown(kept)),
            Some(kept) => Ok(kept),
            None => Err(AskError::Unreachable { asked: self.is_unanswered || self.was_sent }),
        }
    }

    const fn is_uncertain(&self) -> bool {
        self.is_write && (self.is_unanswered || self.unknowns > 0)
    }
}

/// Whether a refusal holds whatever an earlier backend did with the same request. Most are told
/// before the request's key is looked at, or can be undone by what that one still does: a user whom
/// only the other knows, a post that was answered and is gone since, a file that was nearly full.
/// What cannot be taken at all, no backend took, and what a later act made final stays so.
pub(super) fn is_word_on_all(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::BadLogin | Refusal::Conflict | Refusal::Expired => true,
        // A password that was right may have been changed by this very request, and what is full
        // need not stay so.
        Refusal::Invalid { problems } => {
            !problems.iter().any(|one| matches!(one.problem, Problem::Wrong | Problem::Full { .. }))
        }
        Refusal::SignedOut
        | Refusal::Scope
        | Refusal::NotFound
        | Refusal::Gone
        | Refusal::Blocked
        | Refusal::NotYet
        | Refusal::Closed
        | Refusal::Hindered(_)
        | Refusal::Keeper
        | Refusal::Full
        | Refusal::NoSpace
        | Refusal::TooMany { .. }
        | Refusal::Busy { .. }
        | Refusal::NoMajority { .. }
        | Refusal::Unknown
        | Refusal::Behind
        | Refusal::BadRequest { .. } => false,
    }
}

/// Whether it is refused because it cannot be done just now, whatever was done before. A machine that has been
/// cut off for long takes nobody for who they say they are.
const fn is_for_now(refusal: &Refusal, is_stale: bool) -> bool {
    match refusal {
        Refusal::SignedOut => is_stale,
        _ => matches!(
            refusal,
            Refusal::NoMajority { .. }
                | Refusal::NoSpace
                | Refusal::Busy { .. }
                | Refusal::TooMany { .. }
                | Refusal::Behind
        ),
    }
}

fn unknown(mut response: Response) -> Response {
    response.data.outcome = Outcome::Refused(Refusal::Unknown);
    response
}

pub(in crate::web) const fn is_write(action: &Action) -> bool {
    match action {
        Action::Join(_)
        | Action::Login(_)
        | Action::FirstKeeper(_)
        | Action::ResetPassword(_)
        | Action::Logout(_)
        | Action::Post(_)
        | Action::PostFor(_)
        | Action::PostPoll(_)
        | Action::Vote(_)
        | Action::SendPicture(_)
        | Action::EditPost(_)
        | Action::Mark(_)
        | Action::DeletePost(_)
        | Action::Follow(_)
        | Action::Unfollow(_)
        | Action::Mute(_)
        | Action::MuteFor(_)
        | Action::Unmute(_)
        | Action::Block(_)
        | Action::Unblock(_)
        | Action::RemoveFollower(_)
        | Action::EditProfile(_)
        | Action::ChangePassword(_)
        | Action::EndSession(_)
        | Action::EndOtherSessions(_)
        | Action::Report(_)
        | Action::Invite(_)
        | Action::EndInvitation(_)
        | Action::Keep(_)
        | Action::SetHouse(_)
        | Action::AllowApp(_)
        | Action::RedeemCode(_)
        | Action::DeleteAccount(_) => true,
        Action::CheckSession
        | Action::KeepPicture(_)
        | Action::Picture(_)
        | Action::Face(_)
        | Action::OfferFirst(_)
        | Action::OpenLink(_)
        | Action::Home(_)
        | Action::Everyone(_)
        | Action::Profile(_)
        | Action::UserPosts(_)
        | Action::Bookmarks(_)
        | Action::History(_)
        | Action::Thread(_)
        | Action::Followers(_)
        | Action::Following(_)
        | Action::News(_)
        | Action::Tagged(_)
        | Action::Listen(_)
        | Action::Search(_)
        | Action::KeptApart(_)
        | Action::Export(_)
        | Action::Sessions
        | Action::Api(_)
        | Action::Welcome
        | Action::Invitations
        | Action::Reports(_)
        | Action::AskingIn(_)
        | Action::Members(_)
        | Action::KeepersLog(_)
        | Action::House
        | Action::ClusterStatus => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{no_majority, response, stale, write};
    use super::*;
    use crate::wire::request::{Field, FieldProblem, Saved};

    fn saved() -> Outcome {
        Outcome::Saved(Saved { post: None, sessions_ended: 0 })
    }
    fn busy() -> Outcome {
        Outcome::Refused(Refusal::Busy { retry_after_s: 1 })
    }
    const UNKNOWN: Outcome = Outcome::Refused(Refusal::Unknown);

    /// What happened at one backend: an answer, or none.
    type Heard = Option<Response>;

    fn check(action: &Action, heard: &[Heard], expected: Result<Outcome, AskError>) {
        check_of(Verdict::new(action), heard, expected);
    }

    fn check_of(mut verdict: Verdict, heard: &[Heard], expected: Result<Outcome, AskError>) {
        for one in heard {
            match one {
                None => verdict.unanswered(),
                Some(one) => {
                    if let Some(answer) = verdict.heard(one.clone()) {
                        assert_eq!(Ok(answer.data.outcome), expected, "{heard:?}");
                        return;
                    }
                }
            }
        }
        assert_eq!(verdict.conclude().map(|answer| answer.data.outcome), expected, "{heard:?}");
    }

    #[test]
    fn verdict_write_never_says_not_saved_while_unsure() {
        let no = || Some(response(no_majority()));
        let unknown = || Some(response(UNKNOWN));
        let write = &write();
        check(write, &[no(), Some(response(saved()))], Ok(saved()));
        check(write, &[no(), no(), no()], Ok(no_majority()));
        check(write, &[None, no(), no()], Ok(UNKNOWN));
        check(write, &[no(), None], Ok(UNKNOWN));
        check(write, &[no(), unknown(), no()], Ok(UNKNOWN));
        check(write, &[unknown(), Some(response(saved()))], Ok(saved()));
        check(write, &[unknown(), unknown(), Some(response(saved()))], Ok(UNKNOWN));
        check(write, &[unknown(), Some(response(busy()))], Ok(UNKNOWN));
        check(write, &[None, Some(response(busy()))], Ok(UNKNOWN));
        check(write, &[Some(response(busy()))], Ok(busy()));
        check(write, &[None, None], Err(AskError::Unreachable { asked: true }));
        check(write, &[], Err(AskError::Unreachable { asked: false }));
    }

    #[test]
    fn r0019_sent_again_never_said_not_to_be_saved_while_unsure() {
        let check = |heard: &[Heard], expected| {
            check_of(Verdict::new(&write()).sent_before(true), heard, expected);
        };
        let no = || Some(response(no_majority()));
        check(&[no(), no()], Ok(UNKNOWN));
        check(&[Some(response(busy())), no()], Ok(UNKNOWN));
        check(&[Some(response(Outcome::Refused(Refusal::NoSpace)))], Ok(UNKNOWN));
        check(&[no(), Some(response(saved()))], Ok(saved()));
        check(&[Some(response(busy())), Some(response(saved()))], Ok(saved()));
        check(&[], Err(AskError::Unreachable { asked: true }));
        // Whoever is signed out must get to signing in.
        let signed_out = Outcome::Refused(Refusal::SignedOut);
        check(&[Some(response(signed_out.clone()))], Ok(signed_out));
        let conflict = Outcome::Refused(Refusal::Conflict);
        check(&[no(), Some(response(conflict.clone()))], Ok(conflict));
        let read = Verdict::new(&Action::ClusterStatus).sent_before(true);
        check_of(read, &[no()], Ok(no_majority()));
    }

    #[test]
    fn r0073_sent_again_to_machines_that_trust_no_session_any_more_is_not_known() {
        // They have been cut off for so long that they take nobody for who they say they are.
        let cut_off = || Some(stale(Outcome::Refused(Refusal::SignedOut)));
        let check = |was_sent, heard: &[Heard], expected| {
            check_of(Verdict::new(&write()).sent_before(was_sent), heard, expected);
        };
        check(true, &[cut_off(), None], Ok(UNKNOWN));
        check(true, &[cut_off(), cut_off()], Ok(UNKNOWN));
        check(true, &[cut_off(), Some(response(saved()))], Ok(saved()));
        let signed_out = Outcome::Refused(Refusal::SignedOut);
        check(true, &[cut_off(), Some(response(signed_out.clone()))], Ok(signed_out.clone()));
        check(false, &[cut_off()], Ok(signed_out));
    }

    #[test]
    fn verdict_read_prefers_one_in_touch() {
        let page = || response(Outcome::Checked);
        let old = || Some(stale(Outcome::Checked));
        let read = &Action::ClusterStatus;
        let fresh = Outcome::Refused(Refusal::NotFound);
        check(read, &[old(), Some(response(fresh.clone()))], Ok(fresh));
        check(read, &[old(), None], Ok(Outcome::Checked));
        check(read, &[Some(page())], Ok(Outcome::Checked));
        check(read, &[None, Some(response(no_majority()))], Ok(no_majority()));
        check(&write(), &[Some(stale(saved()))], Ok(saved()));
    }

    #[test]
    fn verdict_machine_behind_its_reader_not_the_last_word() {
        let behind = || Some(response(Outcome::Refused(Refusal::Behind)));
        let read = &Action::ClusterStatus;
        let kept = Ok(Outcome::Refused(Refusal::Behind));
        check(read, &[behind(), Some(response(Outcome::Checked))], Ok(Outcome::Checked));
        check(read, &[behind(), None, behind()], kept.clone());
        check(&write(), &[behind(), Some(response(saved()))], Ok(saved()));
        check(&write(), &[behind()], kept);
        check(&write(), &[None, behind()], Ok(UNKNOWN));
    }

    #[test]
    fn verdict_old_page_in_hand_suspected_not_asked() {
        let mut verdict = Verdict::new(&Action::ClusterStatus);
        assert!(verdict.needs_suspected());
        assert_eq!(verdict.heard(stale(Outcome::Checked)), None);
        assert!(!verdict.needs_suspected());
        let mut verdict = Verdict::new(&write());
        assert_eq!(verdict.heard(response(no_majority())), None);
        assert!(verdict.needs_suspected());
    }

    #[test]
    fn r0001_signed_out_elsewhere_is_no_word_on_what_one_did_unanswered() {
        let signed_out = || Outcome::Refused(Refusal::SignedOut);
        let heard = || Some(response(signed_out()));
        check(&write(), &[None, heard()], Ok(UNKNOWN));
        check(&write(), &[None, heard(), Some(response(saved()))], Ok(saved()));
        check(&write(), &[heard()], Ok(signed_out()));
    }

    #[test]
    fn r0003_refusal_elsewhere_is_no_word_on_what_one_did_unanswered() {
        let password = |problem| {
            let problems = vec![FieldProblem { field: Field::Password, problem }];
            Outcome::Refused(Refusal::Invalid { problems })
        };
        let detail = || "an action of a newer version".to_owned();
        let no_word = [
            Outcome::Refused(Refusal::NotFound),
            Outcome::Refused(Refusal::Gone),
            Outcome::Refused(Refusal::Full),
            Outcome::Refused(Refusal::BadRequest { detail: detail() }),
            password(Problem::Wrong),
            password(Problem::Full { max: 1 }),
        ];
        for refused in no_word {
            let heard = || Some(response(refused.clone()));
            check(&write(), &[None, heard()], Ok(UNKNOWN));
            check(&write(), &[Some(response(UNKNOWN)), heard(), heard()], Ok(UNKNOWN));
            check(&write(), &[None, heard(), Some(response(saved()))], Ok(saved()));
            check(&write(), &[heard()], Ok(refused.clone()));
            check(&Action::ClusterStatus, &[None, heard()], Ok(refused));
        }
        let last_words = [
            Outcome::Refused(Refusal::BadLogin),
            Outcome::Refused(Refusal::Conflict),
            Outcome::Refused(Refusal::Expired),
            password(Problem::TooLong { over: 1 }),
        ];
        for refused in last_words {
            check(&write(), &[None, Some(response(refused.clone()))], Ok(refused));
        }
    }
}
