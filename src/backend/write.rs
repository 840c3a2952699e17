//! An action under a lock: look, handle, commit; and what each outcome is called.

use std::cell::Cell;

use super::Backend;
use super::ids::order_end;
use super::view::{Asked, Asker, Done, Permit, Result, SessionNow};
use crate::action::{
    self, Action, ActionError, Change, EditProfile, EndSession, Keyed, NewPost, OnePost, Plan,
    RequestKey, Whom,
};
use crate::auth::throttle::ActKind;
use crate::clock::Wall;
use crate::cluster::fold::Wish;
use crate::cluster::lock::LockError;
use crate::id::{Hash128, PostId, UserName};
use crate::limits::WRITE_MS_MAX;
use crate::metrics;
use crate::replica::version::Version;
use crate::user::entry::{Audience, Entry, Picture, SessionId};
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
    Now(Receipt),
    /// It had been done at an earlier sending of the same request, with this result.
    Before(Receipt),
}

/// What an act led to, and the version that its sender must be shown from now on.
pub(super) type Written = (Wrote, Version);

impl Backend {
    /// Does one act, in one line with others of that user that wait. Begins anew when another machine
    /// came first. Whatever is told, a refusal included, is committed before.
    pub(super) fn change(
        &self,
        permit: &mut Permit,
        act: &OneAct<'_>,
        plan: &dyn Fn(&User) -> std::result::Result<Plan, ActionError>,
    ) -> std::result::Result<Written, Refusal> {
        let deadline = self.cluster.deadline(WRITE_MS_MAX);
        let mut was_sent = false;
        let takes_some_away = Cell::new(false);
        loop {
            let judge = |user: &User| {
                let judged = judge(act, plan, user);
                takes_some_away.set(match &judged {
                    (Wish::Write { entries, .. }, _) => entries.iter().any(takes_away),
                    // Nothing tells any more what it was.
                    (_, answer) => matches!(answer, Ok(Wrote::Before(_))),
                });
                judged
            };
            let failed = match self.cluster.fold(permit, act.user, deadline, judge) {
                Ok((answer, version)) => {
                    self.show(act.user, version);
                    // No machine may go on to show or allow what somebody was told is gone or over.
                    if takes_some_away.get() && !self.cluster.await_heard(act.user) {
                        log::info!("some machine may not have heard yet what is gone or over");
                    }
                    return answer.map(|wrote| (wrote, version));
                }
                Err(failed) => failed,
            };
            was_sent |= failed.was_sent;
            match failed.error {
                LockError::Outpaced if self.clock.mono() < deadline => {}
                // Its line may be on some disk and may yet become everybody's.
                error if was_sent => {
                    log::warn!(user:% = act.user, error:%; "outcome not known");
                    self.cluster.settle_later(act.user);
                    return Err(Refusal::Unknown);
                }
                error => {
                    return self.done_before(act).unwrap_or_else(|| Err(self.not_done(error)));
                }
            }
        }
    }

    /// Why an act was not done of which no line was sent.
    fn not_done(&self, error: LockError) -> Refusal {
        match error {
            LockError::Indeterminate => Refusal::Unknown,
            LockError::NoMajority => self.no_majority(),
            LockError::Busy | LockError::Outpaced => Refusal::Busy { retry_after_s: 1 },
            LockError::Full => Refusal::Full,
            LockError::NoSpace => Refusal::NoSpace,
        }
    }

    /// Has this machine's own view show what the other members committed without it: its replica may
    /// have refused. What cannot be fetched now is shown by whichever machine is asked next.
    fn show(&self, user: &UserName, version: Version) {
        if self.committed(user) < version && !self.cluster.learn_from_any(user, version) {
            log::debug!(user:%, version:%; "committed elsewhere and not here yet");
        }
    }

    /// A signed-in person's act that needs nothing but its change.
    pub(super) fn simple(
        &self,
        asked: Asked<'_>,
        action: &Action,
        act: ActKind,
        change: &Change,
    ) -> Result {
        self.act(asked, action, act, &|_, _| change.clone())
    }

    pub(super) fn act(
        &self,
        asked: Asked<'_>,
        action: &Action,
        kind: ActKind,
        change: &dyn Fn(&User, Wall) -> Change,
    ) -> Result {
        let asker = asked.signed_in()?;
        if !signs_out(action) {
            self.check_unhindered(asker.user())?;
            self.allow(asker.user(), kind)?;
        }
        let request = action.key().map(|key| (key, action.digest()));
        let act = OneAct { user: asker.user(), request };
        let who = action::Who { session: Some(asker.id.clone()) };
        let written = self.change(asked.permit, &act, &|user| {
            // Under the lock: whoever waited for it comes after what was written meanwhile.
            let now = self.now();
            let change = change(user, now);
            let at = if change.has_place_by_time() { self.time_above_all(now) } else { now };
            action::handle(user, &who, &change, at)
        })?;
        if action.written().is_some() && matches!(written.0, Wrote::Now(_)) {
            metrics::POSTS.count();
        }
        Ok(self.done(asker, &written))
    }

    /// What somebody is told of an act of theirs.
    fn done(&self, asker: &Asker, (wrote, version): &Written) -> Done {
        let saved = saved(wrote.receipt());
        let seen = Some(self.committed(asker.user()).max(*version));
        let session = crate::auth::session::SessionText { seen, ..asker.session.clone() };
        Done { outcome: Outcome::Saved(saved), session: SessionNow::Is(session) }
    }

    /// The last place in lists that is known here and that others must come after.
    fn newest_place(&self, now: Wall) -> PostId {
        self.cluster.local.index().newest_place(order_end(now))
    }

    /// A number for what this author writes.
    pub(super) fn post_id(&self, now: Wall, own: Option<PostId>) -> PostId {
        self.ids.next(now, self.newest_place(now), own)
    }

    /// Now, or the first moment after all that is known here.
    fn time_above_all(&self, now: Wall) -> Wall {
        now.max(Wall(self.newest_place(now).at_ms() + 1))
    }

    pub(super) fn allow(&self, user: &UserName, act: ActKind) -> std::result::Result<(), Refusal> {
        self.throttle
            .check_act(user, act, self.clock.mono())
            .map_err(|later| Refusal::TooMany { retry_after_s: later.seconds })
    }

    pub(super) fn post(&self, mut asked: Asked<'_>, action: &Action) -> Result {
        let (audience, post, poll) = action.written().ok_or(Refusal::NotFound)?;
        let pictures = match self.check_may_post(&mut asked, action) {
            Ok(pictures) => pictures,
            // What stood in its way may have come since it was done: what it answers is gone.
            Err(refusal) => {
                let (asker, request) = (asked.signed_in()?, (action.key(), action.digest()));
                let request = request.0.map(|key| (key, request.1));
                let before = self.done_before(&OneAct { user: asker.user(), request });
                return Ok(self.done(asker, &before.unwrap_or(Err(refusal))?));
            }
        };
        let NewPost { text, reply_to, note, sent, sensitive, .. } = post.clone();
        self.act(asked, action, ActKind::Post, &|user, now| Change::Post {
            id: self.post_id(now, user.post_id_max),
            audience,
            text: text.clone(),
            reply_to: reply_to.clone(),
            note: note.clone(),
            pictures: pictures.clone(),
            sent: sent.clone(),
            sensitive,
            poll: poll.cloned(),
        })
    }

    /// What can be said of a post without its author's lock; gives its pictures, of which a majority takes
    /// note that they are wanted.
    fn check_may_post(
        &self,
        asked: &mut Asked<'_>,
        action: &Action,
    ) -> std::result::Result<Vec<Picture>, Refusal> {
        let (audience, post, poll) = action.written().ok_or(Refusal::NotFound)?;
        self.check_audience(audience.unwrap_or_default())?;
        if poll.is_some() {
            self.check_polls()?;
            if !(post.pictures.is_empty() && post.sent.is_empty()) {
                let detail = "a post that asks something has no pictures".to_owned();
                return Err(Refusal::BadRequest { detail });
            }
        }
        if !post.note.is_empty() {
            self.check_social()?;
        }
        self.check_covers(post.sensitive)?;
        if let Some(parent) = &post.reply_to {
            self.check_is_for(asked, parent)?;
            let stands = self.look(&parent.user, |user| user.post(parent.id).is_some());
            match stands {
                Some(true) => {}
                Some(false) => return Err(Refusal::Gone),
                None => return Err(Refusal::NotFound),
            }
            self.check_not_blocked(asked.signed_in()?.user(), &parent.user)?;
        }
        let asker = asked.signed_in()?;
        if audience == Some(Audience::Named) {
            self.check_names_somebody(asked, &post.text)?;
        }
        let pictures = self.posted_pictures(&post.pictures)?;
        self.want_sent(asked.permit, asker.user(), &post.sent)?;
        Ok(pictures)
    }

    pub(super) fn delete_post(&self, asked: Asked<'_>, data: OnePost) -> Result {
        // Apps that take a post back may be about to write it anew.
        let asker = asked.signed_in()?;
        let gives_pictures = asker.app.is_some() && self.want_posted(asker.user(), data.id);
        let change = Change::DeletePost { id: data.id, gives_pictures };
        self.simple(asked, &Action::DeletePost(data), ActKind::Other, &change)
    }

    pub(super) fn follow(&self, asked: Asked<'_>, data: Whom) -> Result {
        if !self.cluster.local.index().is_member(&data.username) {
            return Err(Refusal::NotFound);
        }
        let asker = asked.signed_in()?;
        self.check_not_blocked(asker.user(), &data.username)?;
        let is_one = self.cluster.local.index().follows(asker.user(), &data.username);
        self.hear_of_unless(!is_one, asked.permit, &data.username)?;
        let removed_at = self.removed_at(asker.user(), &data.username);
        let change = Change::Follow { user: data.username.clone(), removed_at };
        self.simple(asked, &Action::Follow(data), ActKind::Other, &change)
    }

    pub(super) fn unfollow(&self, asked: Asked<'_>, data: Whom) -> Result {
        let change = Change::Unfollow { user: data.username.clone() };
        self.simple(asked, &Action::Unfollow(data), ActKind::Other, &change)
    }

    pub(super) fn edit_profile(&self, asked: Asked<'_>, data: EditProfile) -> Result {
        if data.members_only {
            // A machine with an older program would show the posts to everybody.
            self.check_social()?;
        }
        self.check_posts_for(data.posts_for.unwrap_or_default())?;
        asked.signed_in()?;
        let change = Change::EditProfile {
            display_name: data.display_name.clone(),
            bio: data.bio.clone(),
            members_only: data.members_only,
            posts_for: data.posts_for,
            avatar: self.avatar(data.avatar)?,
            untouched: data.untouched,
        };
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
        // Signed out already is what was wanted. A machine that is cut off trusts nobody, open or not.
        let Some(asker) = asked.asker else {
            if self.cluster.members.cut_off().is_some() {
                return Err(self.no_majority());
            }
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

/// Judges an act by the user as they are under the lock: what is to be written, and what its sender
/// is told once that is committed.
fn judge(
    act: &OneAct<'_>,
    plan: &dyn Fn(&User) -> std::result::Result<Plan, ActionError>,
    user: &User,
) -> (Wish, std::result::Result<Wrote, Refusal>) {
    if let Some((key, digest)) = act.request {
        match user.seen(key, digest) {
            Seen::New => {}
            Seen::Same(result) => return (Wish::Tell, Ok(Wrote::Before(result))),
            Seen::Conflict => return (Wish::Tell, Err(Refusal::Conflict)),
            Seen::Expired => return (Wish::Tell, Err(Refusal::Expired)),
        }
    }
    let Plan { entries, result } = match plan(user) {
        Ok(plan) => plan,
        Err(error) => return (Wish::Tell, Err(refusal(error))),
    };
    if entries.is_empty() {
        return (Wish::Tell, Ok(Wrote::Now(result)));
    }
    let request = act.request.map(|(key, digest)| Recorded { id: key.id, digest, result });
    (Wish::Write { entries, request }, Ok(Wrote::Now(result)))
}

/// Signing out, on whatever device, is everybody's at any time: also of whoever may do nothing else, and where
/// an app that was let in, or who came by a session, has done all that may be done.
const fn signs_out(action: &Action) -> bool {
    matches!(action, Action::Logout(_) | Action::EndSession(_) | Action::EndOtherSessions(_))
}

/// Whether by this somebody is signed out, or what could be read or done can be no longer.
const fn takes_away(entry: &Entry) -> bool {
    use Entry::{
        Blocked, CommunitySet, FollowerRemoved, KeeperEnded, Left, MemberSuspended,
        MemberUndecided, PostDeleted, PostEdited, PostHidden, Profile, SessionClosed,
    };
    match entry {
        SessionClosed { .. }
        | Left { .. }
        | Blocked { .. }
        | FollowerRemoved { .. }
        | PostDeleted { .. }
        | PostEdited { .. }
        | PostHidden { .. }
        | MemberSuspended { .. }
        | MemberUndecided { .. }
        | KeeperEnded { .. }
        | CommunitySet { .. } => true,
        Profile { members_only, .. } => *members_only,
        _gives => false,
    }
}

impl Wrote {
    /// What the request got, now or before.
    pub(super) const fn receipt(&self) -> Receipt {
        match self {
            Self::Now(receipt) | Self::Before(receipt) => *receipt,
        }
    }
}

/// A receipt in the wire's words.
pub(super) const fn saved(receipt: Receipt) -> Saved {
    Saved { post: receipt.post(), sessions_ended: receipt.sessions_ended() }
}

/// Why a handler would write nothing, in the wire's words.
pub(super) fn refusal(error: ActionError) -> Refusal {
    match error {
        ActionError::SignedOut => Refusal::SignedOut,
        ActionError::Taken => invalid(Field::Username, action::Problem::Taken),
        ActionError::BadLogin => Refusal::BadLogin,
        ActionError::NotFound => Refusal::NotFound,
        ActionError::Gone => Refusal::Gone,
        ActionError::Blocked => Refusal::Blocked,
        ActionError::Keeper => Refusal::Keeper,
        ActionError::Invalid(problems) => Refusal::Invalid { problems },
        // The number was made above the author's highest under this very lock.
        ActionError::StaleId { .. } => Refusal::Busy { retry_after_s: 1 },
    }
}

/// One field's problem.
pub(super) fn invalid(field: Field, problem: action::Problem) -> Refusal {
    Refusal::Invalid { problems: vec![FieldProblem { field, problem }] }
}
