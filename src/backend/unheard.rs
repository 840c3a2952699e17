//! What is asked about somebody of whom this machine has not heard yet: what was saved a moment ago by way of
//! another machine is on its way here, and nobody who has seen it is told that there is no such thing.

use super::Backend;
use super::view::{Asked, Permit, Result};
use crate::action::{About, Action};
use crate::id::UserName;
use crate::wire::request::Refusal;

impl Backend {
    /// Does what is asked. A majority is asked before somebody who is signed in is told that there is no such
    /// thing, also where this copy knows it: whoever may not see it must not learn from the time that it
    /// takes, nor where nobody answers, that it is there. Where this copy is known to lack something, one is
    /// asked before anybody acts or is told so.
    ///
    /// # Errors
    /// As of what is done; [`Refusal::Behind`] of an act about what is not known here if nobody could be asked, and
    /// where what is known to be lacking cannot be had.
    pub(super) fn perform(
        &self,
        asked: Asked<'_>,
        action: Action,
        body: &[u8],
        beside: &mut Vec<u8>,
    ) -> Result {
        let Asked { asker, permit } = asked;
        let about = action.about();
        let lacking = about.as_ref().map(About::user).filter(|user| self.lacks_some(user));
        let is_lacking = lacking.is_some_and(|user| !self.refresh(permit, user));
        if is_lacking && action.is_write() {
            return Err(Refusal::Behind);
        }
        if let Some(asker) = asker {
            let names = about.as_ref().map(About::user).into_iter().chain([asker.user()]);
            names.for_each(|name| self.hear_of_admission(permit, name));
        }
        let Some(about) = about.filter(|_| asker.is_some() || is_lacking) else {
            return self.perform_by_own_copy(Asked { asker, permit }, action, body, beside);
        };
        let was_told = permit.has_heard_of(about.user());
        let again = action.clone();
        let asked = Asked { asker, permit: &mut *permit };
        match self.perform_by_own_copy(asked, action, body, beside) {
            Err(Refusal::NotFound | Refusal::Gone) if !was_told => {
                if is_lacking || !self.refresh(permit, about.user()) && again.is_write() {
                    return Err(Refusal::Behind);
                }
                self.perform_by_own_copy(Asked { asker, permit }, again, body, beside)
            }
            done => done,
        }
    }

    /// Whether this machine's disk takes nothing of what the others go on with: by whose word it would let anybody
    /// act, or join, may be of hours ago.
    pub(super) fn check_not_left_behind(&self) -> std::result::Result<(), Refusal> {
        let is_full = self.cluster.local.disk_refusal().is_some();
        let members = &self.cluster.members;
        let is_left = is_full && members.lacking() > 0 && members.cut_off().is_none();
        if is_left { Err(Refusal::Behind) } else { Ok(()) }
    }

    /// Asks a majority what keepers did, where as far as is known here none of them has let somebody in.
    fn hear_of_admission(&self, permit: &mut Permit, user: &UserName) {
        let keepers = {
            let index = self.cluster.local.index();
            let is_waiting = index.is_active(user) && !index.is_member(user);
            if is_waiting { index.keepers() } else { Vec::new() }
        };
        let _all_told = keepers.iter().all(|keeper| self.refresh(permit, keeper));
    }

    /// Asks a majority what somebody has done, unless it is all the same: by this copy an act may have nothing to
    /// change that by a newer one has.
    pub(super) fn hear_of_unless(
        &self,
        is_same: bool,
        permit: &mut Permit,
        user: &UserName,
    ) -> std::result::Result<(), Refusal> {
        if is_same { Ok(()) } else { self.hear_of(permit, user) }
    }

    /// Asks a majority what somebody has done: by this copy alone nothing is to be said of it.
    pub(super) fn hear_of(
        &self,
        permit: &mut Permit,
        user: &UserName,
    ) -> std::result::Result<(), Refusal> {
        if self.refresh(permit, user) { Ok(()) } else { Err(Refusal::Behind) }
    }

    /// Whether this machine may lack what anybody did, and so cannot say of anything that there is none.
    pub(super) fn may_lack_any(&self) -> bool {
        let members = &self.cluster.members;
        members.cut_off().is_some() || members.may_be_old() || members.lacking() > 0
    }

    /// Whether this copy of somebody is known to lack something: by word of a write, or by a comparison that found
    /// what could not be taken. The disk may be full, and stay so.
    pub(super) fn lacks_some(&self, user: &UserName) -> bool {
        let is_behind = self.cluster.local.get(user).is_some_and(|slot| slot.is_behind());
        is_behind || self.cluster.members.lacks_of(user)
    }
}

#[cfg(test)]
mod tests {
    use crate::action::{Action, Mark, MuteFor, NewPost, PostFor, Report, SetMark, Vote, Whom};
    use crate::backend::tests::{Home, tea};
    use crate::id::{PostId, RequestId, RequestKey, UserName};
    use crate::user::entry::{Audience, PostRef};
    use crate::wire::request::{Outcome, Refusal};

    const KEY: RequestKey = RequestKey { ops: 0, id: RequestId([9; 16]) };

    fn acts(user: &UserName) -> Vec<Action> {
        let whom = || Whom { key: KEY, username: user.clone() };
        let post = || PostRef { user: user.clone(), id: PostId::floor_of(1) };
        let mark = |mark| Action::Mark(SetMark { key: KEY, mark, post: post(), on: true });
        vec![
            Action::Follow(whom()),
            Action::Mute(whom()),
            Action::MuteFor(MuteFor { key: KEY, username: user.clone(), lasts_s: 60 }),
            Action::Block(whom()),
            Action::Unblock(whom()),
            Action::RemoveFollower(whom()),
            mark(Mark::Like),
            mark(Mark::MuteThread),
            Action::Vote(Vote { key: KEY, post: post(), choices: vec![0] }),
            Action::Report(Report { key: KEY, post: post(), reason: "Spam.".to_owned() }),
            Action::Post(NewPost { reply_to: Some(post()), ..tea(9) }),
        ]
    }

    #[test]
    fn r0131_who_was_not_heard_of_is_not_said_not_to_be_there() {
        let (home, session) = Home::of_three();
        home.run(|machine| {
            // In touch with one that may know, and does not answer.
            machine.is_in_touch();
            let ben = "ben".parse().unwrap();
            for (number, act) in acts(&ben).into_iter().enumerate() {
                let told = machine.ask(Some(&session), act).data.outcome;
                assert_eq!(told, Outcome::Refused(Refusal::Behind), "act {number}");
            }
        });
    }

    #[test]
    fn r0131_follow_is_not_taken_for_done_before_it_is_known_that_it_counts() {
        let home = Home::new();
        let follow = |key| Action::Follow(Whom { key, username: "ben".parse().unwrap() });
        let session = home.run(|alone| {
            let [ada, ben] = ["ada", "ben"].map(|name| alone.joined(name));
            let followed = alone.ask(Some(&ada), follow(KEY)).data.outcome;
            assert!(matches!(followed, Outcome::Saved(_)), "{followed:?}");
            // Their lines say that those before are committed.
            for session in [&ada, &ben] {
                assert!(matches!(alone.post(session), Outcome::Saved(_)));
            }
            ada
        });
        home.have_members(&[2, 3]);
        home.run(|machine| {
            machine.is_in_touch();
            let key = RequestKey { id: RequestId([8; 16]), ..KEY };
            let again = machine.ask(Some(&session), follow(key)).data.outcome;
            assert_eq!(again, Outcome::Refused(Refusal::Behind), "he may have removed her");
        });
    }

    #[test]
    fn r0150_post_for_few_is_no_more_there_than_none_where_nobody_answers() {
        let home = Home::new();
        let (mia, kept) = home.run(|alone| {
            let [ada, mia] = ["ada", "mia"].map(|name| alone.joined(name));
            let few = PostFor { audience: Audience::Followers, post: tea(7) };
            let Outcome::Saved(saved) = alone.ask(Some(&ada), Action::PostFor(few)).data.outcome
            else {
                panic!("not saved");
            };
            // Their lines say that those before are committed.
            for session in [&ada, &mia] {
                assert!(matches!(alone.post(session), Outcome::Saved(_)));
            }
            (mia, saved.post.unwrap())
        });
        home.have_members(&[2, 3]);
        home.run(|machine| {
            machine.is_in_touch();
            for id in [kept, PostId::floor_of(1)] {
                let post = PostRef { user: "ada".parse().unwrap(), id };
                let like = Action::Mark(SetMark { key: KEY, mark: Mark::Like, post, on: true });
                let told = machine.ask(Some(&mia), like).data.outcome;
                assert_eq!(told, Outcome::Refused(Refusal::Behind), "{id}");
            }
        });
    }
}
