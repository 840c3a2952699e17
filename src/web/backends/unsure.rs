//! Requests of which nobody knows what became of them. A form or an app may send one again, with its key,
//! while no machine can tell: "nothing was saved" would be a guess then, and perhaps somebody reads it already.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::AskError;
use super::verdict::is_word_on_all;
use crate::action::Action;
use crate::id::{Hash128, RequestId};
use crate::limits::UNSURE_KEPT;
use crate::wire::request::{Outcome, Refusal, Response};

/// A request's key, and what is asked under it: a form that was opened before something was saved has the
/// same key as the one that is opened next, and another text in it was never sent.
pub(super) type Sent = (RequestId, Hash128);

/// The last of them, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unsure(Mutex<VecDeque<Sent>>);

/// What is sent with an action that is done once, however often it comes.
pub(super) fn sent(action: &Action) -> Option<Sent> {
    action.key().map(|key| (key.id, action.digest()))
}

impl Unsure {
    /// Whether this one was sent before and nobody knows yet.
    pub(super) fn holds(&self, sent: Sent) -> bool {
        self.0.lock().contains(&sent)
    }

    /// Takes note of what was heard of it.
    pub(super) fn heard(&self, sent: Sent, answer: Result<&Response, AskError>) {
        let is_known = match answer.map(|response| &response.data.outcome) {
            Ok(Outcome::Refused(Refusal::Unknown)) | Err(AskError::Unreachable { asked: true }) => {
                false
            }
            Ok(Outcome::Saved(_)) => true,
            Ok(Outcome::Refused(refusal)) if is_word_on_all(refusal) => true,
            _ => return,
        };
        let mut all = self.0.lock();
        all.retain(|other| *other != sent);
        if !is_known {
            all.push_back(sent);
        }
        let over = all.len().saturating_sub(UNSURE_KEPT);
        all.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{no_majority, response};
    use super::*;
    use crate::wire::request::Saved;

    #[test]
    fn unsure_until_some_machine_knows_and_the_last_alone() {
        let unsure = Unsure::default();
        let of = |number: u16, text: u8| {
            (RequestId(u128::from(number).to_be_bytes()), Hash128([text; 16]))
        };
        let id = |number| of(number, 0);
        let refused = |refusal| response(Outcome::Refused(refusal));
        unsure.heard(id(1), Ok(&response(no_majority())));
        assert!(!unsure.holds(id(1)), "nothing was sent");
        unsure.heard(id(1), Ok(&refused(Refusal::Unknown)));
        unsure.heard(id(2), Err(AskError::Unreachable { asked: true }));
        unsure.heard(id(3), Err(AskError::Unreachable { asked: false }));
        assert_eq!([1, 2, 3].map(|n| unsure.holds(id(n))), [true, true, false]);
        assert!(!unsure.holds(of(1, 1)), "another text was not sent");
        // What cannot be done now says nothing of what was done before.
        unsure.heard(id(1), Ok(&refused(Refusal::Busy { retry_after_s: 1 })));
        assert!(unsure.holds(id(1)));
        unsure.heard(id(1), Ok(&response(Outcome::Saved(Saved { post: None, sessions_ended: 0 }))));
        unsure.heard(id(2), Ok(&refused(Refusal::Conflict)));
        assert_eq!([1, 2].map(|n| unsure.holds(id(n))), [false, false]);
        for number in 0..=u16::try_from(UNSURE_KEPT).unwrap() {
            unsure.heard(id(number), Ok(&refused(Refusal::Unknown)));
        }
        assert_eq!([0, 1].map(|n| unsure.holds(id(n))), [false, true]);
        assert_eq!(unsure.0.lock().len(), UNSURE_KEPT);
    }
}
