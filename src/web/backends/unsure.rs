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
type Sent = (RequestId, Hash128);

/// The last of them, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unsure(Mutex<VecDeque<Sent>>);

impl Unsure {
    /// Whether this was sent before and nobody knows yet.
    pub(super) fn holds(&self, action: &Action) -> bool {
        !self.is_empty() && sent(action).is_some_and(|sent| self.0.lock().contains(&sent))
    }

    /// Whether anything was sent under this number of which nobody knows yet.
    pub(super) fn holds_any(&self, id: &RequestId) -> bool {
        self.0.lock().iter().any(|(held, _)| held == id)
    }

    /// Takes note of what was heard of it.
    pub(super) fn heard(&self, action: &Action, answer: Result<&Response, AskError>) {
        let is_known = match answer.map(|response| &response.data.outcome) {
            Ok(Outcome::Refused(Refusal::Unknown)) | Err(AskError::Unreachable { asked: true }) => {
                false
            }
            Ok(Outcome::Saved(_)) => true,
            Ok(Outcome::Refused(refusal)) if is_word_on_all(refusal) => true,
            _ => return,
        };
        // Mostly there is nothing to forget, and then nobody need know what exactly was asked.
        if is_known && self.is_empty() {
            return;
        }
        let Some(sent) = sent(action) else { return };
        let mut all = self.0.lock();
        all.retain(|other| *other != sent);
        if !is_known {
            all.push_back(sent);
        }
        let over = all.len().saturating_sub(UNSURE_KEPT);
        all.drain(..over);
    }

    fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

/// What is sent with an action that is done once, however often it comes.
fn sent(action: &Action) -> Option<Sent> {
    action.key().map(|key| (key.id, action.digest()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{no_majority, response};
    use super::*;
    use crate::action::EndSession;
    use crate::id::RequestKey;
    use crate::wire::request::Saved;

    #[test]
    fn unsure_until_some_machine_knows_and_the_last_alone() {
        let unsure = Unsure::default();
        let of = |number: u16, id: &str| {
            let key = RequestKey { ops: 1, id: RequestId(u128::from(number).to_be_bytes()) };
            Action::EndSession(EndSession { key, id: id.to_owned() })
        };
        let act = |number| of(number, "one");
        let refused = |refusal| response(Outcome::Refused(refusal));
        unsure.heard(&act(1), Ok(&response(no_majority())));
        assert!(!unsure.holds(&act(1)), "nothing was sent");
        unsure.heard(&act(1), Ok(&refused(Refusal::Unknown)));
        unsure.heard(&act(2), Err(AskError::Unreachable { asked: true }));
        unsure.heard(&act(3), Err(AskError::Unreachable { asked: false }));
        assert_eq!([1, 2, 3].map(|n| unsure.holds(&act(n))), [true, true, false]);
        assert!(!unsure.holds(&of(1, "another")), "another was not sent");
        let id = |number| act(number).key().unwrap().id;
        assert_eq!([1, 3].map(|n| unsure.holds_any(&id(n))), [true, false]);
        // What cannot be done now says nothing of what was done before.
        unsure.heard(&act(1), Ok(&refused(Refusal::Busy { retry_after_s: 1 })));
        assert!(unsure.holds(&act(1)));
        unsure
            .heard(&act(1), Ok(&response(Outcome::Saved(Saved { post: None, sessions_ended: 0 }))));
        unsure.heard(&act(2), Ok(&refused(Refusal::Conflict)));
        assert_eq!([1, 2].map(|n| unsure.holds(&act(n))), [false, false]);
        for number in 0..=u16::try_from(UNSURE_KEPT).unwrap() {
            unsure.heard(&act(number), Ok(&refused(Refusal::Unknown)));
        }
        assert_eq!([0, 1].map(|n| unsure.holds(&act(n))), [false, true]);
        assert_eq!(unsure.0.lock().len(), UNSURE_KEPT);
    }
}
