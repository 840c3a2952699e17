//! What this machine knows by itself of a request that it refuses: it may have been sent before, to whichever
//! web server, and stand in a line here. Nobody is told then that nothing was saved.

use super::Backend;
use super::write::{OneAct, Written, Wrote};
use crate::action::{Action, RequestKey};
use crate::auth::session::SessionText;
use crate::id::{Hash128, UserName};
use crate::user::{Receipt, Seen};
use crate::wire::request::Refusal;

/// A request that is done once, with the session under which it was sent.
pub(super) struct Sent {
    session: SessionText,
    key: RequestKey,
    digest: Hash128,
}

/// What the lines here tell of a request.
enum Known {
    /// It is committed, and got this.
    Done(Receipt),
    /// It stands in a line that may yet become everybody's.
    Open,
    Nothing,
}

impl Sent {
    pub(super) fn of(session: Option<&str>, action: &Action) -> Option<Self> {
        let key = action.key()?;
        let session = SessionText::parse(session?).ok()?;
        Some(Self { session, key, digest: action.digest() })
    }
}

impl Backend {
    fn known(&self, user: &UserName, (key, digest): (RequestKey, Hash128)) -> Known {
        let Some(slot) = self.cluster.local.get(user) else { return Known::Nothing };
        // In this order: a line that is found to be committed meanwhile goes from the one to the other.
        if slot.has_open(&key.id, digest) {
            return Known::Open;
        }
        let seen = slot.view().seen(key, digest);
        match seen {
            Seen::Same(receipt) => Known::Done(receipt),
            Seen::New | Seen::Conflict | Seen::Expired => Known::Nothing,
        }
    }

    /// What became of an act that cannot be done now, if it was done before or may have been.
    pub(super) fn done_before(
        &self,
        act: &OneAct<'_>,
    ) -> Option<std::result::Result<Written, Refusal>> {
        match self.known(act.user, act.request?) {
            Known::Done(receipt) => Some(Ok((Wrote::Before(receipt), self.committed(act.user)))),
            Known::Open => {
                self.cluster.settle_later(act.user);
                Some(Err(Refusal::Unknown))
            }
            Known::Nothing => None,
        }
    }

    /// A refusal for now as it is meant, of a request that may be saved. Only to whoever shows a session
    /// that this copy knows, if it trusts none: an app's keys can be guessed. Whoever asks too often is told
    /// just that, of what was done before as well.
    pub(super) fn unless_sent(&self, refusal: Refusal, sent: Option<&Sent>) -> Refusal {
        let is_for_now = matches!(
            refusal,
            Refusal::NoMajority { .. } | Refusal::NoSpace | Refusal::Busy { .. } | Refusal::Behind
        );
        let is_cut_off =
            || refusal == Refusal::SignedOut && self.cluster.members.cut_off().is_some();
        let Some(Sent { session, key, digest }) = sent.filter(|_| is_for_now || is_cut_off())
        else {
            return refusal;
        };
        let has_session = self.look(&session.user, |user| {
            user.open_session(&session.token.id(), self.clock.wall()).is_some()
        });
        if has_session != Some(true) {
            return refusal;
        }
        match self.known(&session.user, (*key, *digest)) {
            Known::Done(_) | Known::Open => Refusal::Unknown,
            Known::Nothing => refusal,
        }
    }
}
