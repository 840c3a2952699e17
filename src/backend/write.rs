//! An action under a lock: look, handle, commit; and what each outcome is called.

use super::Backend;
use super::view::{Asked, Done, Result, SessionNow};
use crate::action::{
    self, Action, ActionError, Change, EditProfile, EndSession, Keyed, NewPost, OnePost, Plan,
    RequestKey, Whom,
};
use crate::auth::throttle::ActKind;
use crate::clock::Mono;
use crate::cluster::lock::{Draft, LockError};
use crate::id::{Hash128, UserName};
use crate::limits::WRITE_MS_MAX;
use crate::thread::LockPermit;
use crate::user::entry::SessionId;
use crate::user::{Receipt, Recorded, Seen, User};
use crate::wire::request::{Field, FieldProblem, Outcome, Refusal, Saved};

/// One act on one user's file.
pub(super) struct OneAct<'a> {
    /// Whose file.
    pub(super) user: &'a UserName,
    /// The form's key and what it asked; absent where the act is safe to repeat by itself.
    pub(super) request: Option<(RequestKey, Hash128)>,
}

/// What an act led to.
pub(super) enum Wrote {
    /// It was done now.
    Now(Plan),
    /// It had been done at an earlier sending of the same request, with this result.
    Before(Receipt),
}

impl Backend {
    /// Does one act: takes the user's lock, looks whether the request was answered already, asks the
    /// pure handler what to write, and has a majority write it. Begins anew when another machine came
    /// first. Whatever is told, a refusal included, is committed before.
    pub(super) fn change(
        &self,
        permit: &mut LockPermit,
        act: &OneAct<'_>,
        plan: &dyn Fn(&User) -> std::result::Result<Plan, ActionError>,
    ) -> std::result::Result<Wrote, Refusal> {
        let deadline = self.cluster.deadline(WRITE_MS_MAX);
        let mut was_sent = false;
        loop {
            match self.try_change(permit, act, plan, (deadline, &mut was_sent)) {
                Err(LockError::Outpaced) if self.clock.mono() < deadline => {}
                // Its line may be on some disk and may yet become everybody's.
                Err(error) if was_sent => {
                    log::warn!("outcome not known user={} error={error}", act.user);
                    self.cluster.settle_later(act.user);
                    return Err(Refusal::Unknown);
                }
                Err(LockError::Indeterminate) => return Err(Refusal::Unknown),
                Err(LockError::NoMajority) => return Err(self.no_majority()),
                Err(LockError::Busy | LockError::Outpaced) => {
                    return Err(Refusal::Busy { retry_after_s: 1 });
                }
                Err(LockError::Full) => return Err(Refusal::Full),
                Ok(wrote) => return wrote,
            }
        }
    }

    fn try_change(
        &self,
        permit: &mut LockPermit,
        act: &OneAct<'_>,
        plan: &dyn Fn(&User) -> std::result::Result<Plan, ActionError>,
        (deadline, was_sent): (Mono, &mut bool),
    ) -> std::result::Result<std::result::Result<Wrote, Refusal>, LockError> {
        let guard = self.cluster.acquire(permit, act.user, deadline)?;
        if let Some((key, digest)) = act.request {
            match guard.look(|user| user.seen(key, digest)) {
                Seen::New => {}
                Seen::Same(result) => return guard.confirm().map(|_| Ok(Wrote::Before(result))),
                Seen::Conflict => return guard.confirm().map(|_| Err(Refusal::Conflict)),
                Seen::Expired => return guard.confirm().map(|_| Err(Refusal::Expired)),
            }
        }
        let plan = match guard.look(plan) {
            Ok(plan) => plan,
            Err(error) => return guard.confirm().map(|_| Err(refusal(error))),
        };
        if plan.entries.is_empty() {
            return guard.confirm().map(|_| Ok(Wrote::Now(plan)));
        }
        let request =
            act.request.map(|(key, digest)| Recorded { id: key.id, digest, result: plan.result });
        let draft = Draft { entries: &plan.entries, request, is_tombstone: plan.is_tombstone() };
        let committed = guard.commit(&draft);
        *was_sent |= matches!(committed, Err(LockError::Outpaced | LockError::Indeterminate));
        committed.map(|_version| Ok(Wrote::Now(plan)))
    }

    /// A signed-in person's act that needs nothing but its change.
    fn simple(&self, asked: Asked<'_>, action: &Action, act: ActKind, change: &Change) -> Result {
        self.act(asked, action, act, &|_| change.clone())
    }

    fn act(
        &self,
        asked: Asked<'_>,
        action: &Action,
        kind: ActKind,
        change: &dyn Fn(&User) -> Change,
    ) -> Result {
        let asker = asked.signed_in()?;
        self.allow(asker.user(), kind)?;
        let request = action.key().map(|key| (key, action.digest()));
        let act = OneAct { user: asker.user(), request };
        let who = action::Who { session: Some(asker.id.clone()) };
        let now = self.now();
        let wrote = self
            .change(asked.permit, &act, &|user| action::handle(user, &who, &change(user), now))?;
        let saved = saved(wrote.receipt());
        let seen = Some(self.committed(asker.user()));
        let session = crate::auth::session::SessionText { seen, ..asker.session.clone() };
        Ok(Done { outcome: Outcome::Saved(saved), session: SessionNow::Is(session) })
    }

    fn allow(&self, user: &UserName, act: ActKind) -> std::result::Result<(), Refusal> {
        self.throttle
            .check_act(user, act, self.clock.mono())
            .map_err(|later| Refusal::TooMany { retry_after_s: later.seconds })
    }

    pub(super) fn post(&self, asked: Asked<'_>, data: NewPost) -> Result {
        if let Some(parent) = &data.reply_to {
            let stands = self.look(&parent.user, |user| user.post(parent.id).is_some());
            match stands {
                Some(true) => {}
                Some(false) => return Err(Refusal::Gone),
                None => return Err(Refusal::NotFound),
            }
        }
        let (text, reply_to) = (data.text.clone(), data.reply_to.clone());
        let now = self.now();
        self.act(asked, &Action::Post(data), ActKind::Post, &|user| Change::Post {
            id: self.ids.next(now, user.post_id_max),
            text: text.clone(),
            reply_to: reply_to.clone(),
        })
    }

    pub(super) fn delete_post(&self, asked: Asked<'_>, data: OnePost) -> Result {
        let change = Change::DeletePost { id: data.id };
        self.simple(asked, &Action::DeletePost(data), ActKind::Other, &change)
    }

    pub(super) fn follow(&self, asked: Asked<'_>, data: Whom) -> Result {
        if !self.cluster.local.index().is_active(&data.username) {
            return Err(Refusal::NotFound);
        }
        let change = Change::Follow { user: data.username.clone() };
        self.simple(asked, &Action::Follow(data), ActKind::Other, &change)
    }

    pub(super) fn unfollow(&self, asked: Asked<'_>, data: Whom) -> Result {
        let change = Change::Unfollow { user: data.username.clone() };
        self.simple(asked, &Action::Unfollow(data), ActKind::Other, &change)
    }

    pub(super) fn edit_profile(&self, asked: Asked<'_>, data: EditProfile) -> Result {
        let change =
            Change::EditProfile { display_name: data.display_name.clone(), bio: data.bio.clone() };
        self.simple(asked, &Action::EditProfile(data), ActKind::Other, &change)
    }

    pub(super) fn end_session(&self, asked: Asked<'_>, data: EndSession) -> Result {
        let id = SessionId(data.id.clone());
        let is_own = asked.signed_in()?.id == id;
        let change = Change::CloseSession { id };
        let done = self.simple(asked, &Action::EndSession(data), ActKind::Other, &change)?;
        Ok(if is_own { Done { session: SessionNow::Ended, ..done } } else { done })
    }

    pub(super) fn end_other_sessions(&self, asked: Asked<'_>, data: Keyed) -> Result {
        let action = Action::EndOtherSessions(data);
        self.simple(asked, &action, ActKind::Other, &Change::CloseOtherSessions)
    }

    pub(super) fn logout(&self, asked: Asked<'_>, data: Keyed) -> Result {
        // Signed out already is what was wanted.
        let Some(asker) = asked.asker else {
            let outcome = Outcome::Saved(saved(Receipt::Done));
            return Ok(Done { outcome, session: SessionNow::Ended });
        };
        let change = Change::CloseSession { id: asker.id.clone() };
        let done = self.simple(asked, &Action::Logout(data), ActKind::Other, &change)?;
        Ok(Done { session: SessionNow::Ended, ..done })
    }

    /// Nothing was saved, and why.
    pub(super) fn no_majority(&self) -> Refusal {
        let members = &self.cluster.members;
        let count = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        Refusal::NoMajority {
            reachable: count(members.live().len()),
            members: count(members.count()),
            needed: count(members.needed()),
        }
    }
}

impl Wrote {
    /// What the request got, now or before.
    pub(super) const fn receipt(&self) -> Receipt {
        match self {
            Self::Now(plan) => plan.result,
            Self::Before(receipt) => *receipt,
        }
    }
}

/// A receipt in the wire's words.
pub(super) const fn saved(receipt: Receipt) -> Saved {
    Saved { post: receipt.post(), sessions_ended: receipt.sessions_ended() }
}

/// Why a handler would write nothing, in the wire's words.
fn refusal(error: ActionError) -> Refusal {
    match error {
        ActionError::SignedOut => Refusal::SignedOut,
        ActionError::Taken => invalid(Field::Username, action::Problem::Taken),
        ActionError::BadLogin => Refusal::BadLogin,
        ActionError::NotFound => Refusal::NotFound,
        ActionError::Gone => Refusal::Gone,
        ActionError::Invalid(problems) => Refusal::Invalid { problems },
        // The number was made above the author's highest under this very lock.
        ActionError::StaleId { .. } => Refusal::Busy { retry_after_s: 1 },
    }
}

/// One field's problem.
pub(super) fn invalid(field: Field, problem: action::Problem) -> Refusal {
    Refusal::Invalid { problems: vec![FieldProblem { field, problem }] }
}
