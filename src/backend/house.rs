//! How the community is kept: who may join, how members stand, inviting, and who its keepers are.

use super::Backend;
use super::view::{Asked, Done, Permit, Result};
use super::write::{OneAct, invalid};
use crate::action::{
    self, Action, Admission, Change, EndInvitation, Invite, Page, Problem, SetHouse, code_hash,
};
use crate::auth::throttle::ActKind;
use crate::id::UserName;
use crate::limits::LANDING_POSTS;
use crate::order::sort_by_key;
use crate::user::User;
use crate::user::entry::Signup;
use crate::user::keeping::{Deed, Standing};
use crate::wire::request::{
    Field, Hindered, InvitationRow, Invitations, Outcome, PostPage, Refusal, Welcome,
};

impl Backend {
    /// What strangers are shown first.
    pub(super) fn welcome(&self, asked: Asked<'_>) -> Result {
        let house = self.cluster.local.index().house();
        let (signup, words) = (house.signup, house.words);
        let posts = if house.shows_posts {
            match self.everyone(asked, Page::default())?.outcome {
                Outcome::Posts(page) => {
                    let posts = page.posts.into_iter().take(LANDING_POSTS).collect();
                    Some(PostPage { posts, ..page })
                }
                _ => None,
            }
        } else {
            None
        };
        Ok(Done::told(Outcome::Welcome(Welcome { signup, words, posts })))
    }

    /// On what ground `name` may join now. An invitation has one use less afterwards: that is written
    /// into its maker's file, under their lock, before the account is made. So no use is spent twice;
    /// where the account is not made after all, it stays promised to that name.
    pub(super) fn admission(
        &self,
        permit: &mut Permit,
        code: &str,
        name: &UserName,
    ) -> std::result::Result<Admission, Refusal> {
        self.check_not_left_behind()?;
        let signup = self.cluster.local.index().house().signup;
        match signup {
            Signup::Open => Ok(Admission::Free),
            Signup::Approved => Ok(Admission::Asking),
            Signup::Closed => Err(Refusal::Closed),
            Signup::Invited => self.promise(permit, code, name),
        }
    }

    fn promise(
        &self,
        permit: &mut Permit,
        typed: &str,
        name: &UserName,
    ) -> std::result::Result<Admission, Refusal> {
        if typed.trim().is_empty() {
            return Err(invalid(Field::Code, Problem::Empty));
        }
        let code = code_hash(typed);
        let inviter = || self.cluster.local.index().inviter(&code).cloned();
        // Whose it is the code does not say, so there is nobody's copy to refresh.
        self.cluster.await_coming(|| inviter().is_some());
        let Some(inviter) = inviter().filter(|inviter| self.may_invite(inviter)) else {
            let wrong = invalid(Field::Code, Problem::Wrong);
            return Err(if self.may_lack_any() { Refusal::Behind } else { wrong });
        };
        let change = Change::Promise { code: code.clone(), by: name.clone() };
        self.community_writes(permit, &inviter, &change)?;
        Ok(Admission::Invited { inviter, code })
    }

    /// Writes into somebody's file what is not their own act. Safe to repeat by itself.
    pub(super) fn community_writes(
        &self,
        permit: &mut Permit,
        user: &UserName,
        change: &Change,
    ) -> std::result::Result<(), Refusal> {
        let act = OneAct { user, request: None };
        let (who, now) = (action::Who::default(), self.now());
        self.change(permit, &act, &|user| action::handle(user, &who, change, now))?;
        Ok(())
    }

    /// Keepers may invite; others where a keeper said so, and nothing hinders them.
    pub(super) fn may_invite(&self, name: &UserName) -> bool {
        let index = self.cluster.local.index();
        let is_in_order = index.standing(name, self.now()) == Standing::Member;
        is_in_order && (index.is_keeper(name) || index.house().members_invite)
    }

    pub(super) fn invite(&self, asked: Asked<'_>, data: Invite) -> Result {
        self.check_social()?;
        if !self.may_invite(asked.signed_in()?.user()) {
            return Err(Refusal::NotFound);
        }
        let uses_and_days = [data.uses, data.days];
        let change = Change::Invite { code: data.code.clone(), uses_and_days };
        self.simple(asked, &Action::Invite(data), ActKind::Other, &change)
    }

    pub(super) fn end_invitation(&self, asked: Asked<'_>, data: EndInvitation) -> Result {
        let change = Change::EndInvitation { code: data.code.clone() };
        self.simple(asked, &Action::EndInvitation(data), ActKind::Other, &change)
    }

    pub(super) fn invitations(&self, asked: Asked<'_>) -> Result {
        let name = asked.signed_in()?.user();
        let rows = |user: &User| -> Vec<InvitationRow> {
            let all = user.keeping.iter().flat_map(|keeping| &keeping.invitations);
            let row = |(code, it): (&_, &crate::user::keeping::Invitation)| InvitationRow {
                code: Clone::clone(code),
                made_at: it.made_at,
                until: it.until,
                uses: it.uses,
                used_by: it.used_by.clone(),
            };
            let mut rows: Vec<_> = all.map(row).collect();
            sort_by_key(&mut rows, |row| std::cmp::Reverse(row.made_at));
            rows
        };
        let rows = self.look(name, rows).unwrap_or_default();
        let may_invite = self.may_invite(name);
        Ok(Done::told(Outcome::Invitations(Invitations { may_invite, rows })))
    }

    /// How the community is kept, for keepers to change.
    pub(super) fn house(&self, asked: Asked<'_>) -> Result {
        self.check_keeper(&asked)?;
        Ok(Done::told(Outcome::House(self.cluster.local.index().house())))
    }

    pub(super) fn set_house(&self, asked: Asked<'_>, data: SetHouse) -> Result {
        let (deed, password) = ((Deed::Set(data.house.clone()), None), data.password.clone());
        self.rule(asked, &Action::SetHouse(data), deed, &password)
    }

    /// What keeps somebody from writing, if anything does.
    pub(super) fn hindered(&self, name: &UserName) -> Option<Hindered> {
        let standing = self.cluster.local.index().standing(name, self.now());
        match standing {
            Standing::Member => None,
            Standing::Waiting => Some(Hindered::Waiting),
            Standing::Refused { reason } => Some(Hindered::Refused { reason }),
            Standing::Suspended { until, reason } => Some(Hindered::Suspended { until, reason }),
        }
    }

    /// Refuses what somebody may not do who waits, was not let in, or is suspended.
    pub(super) fn check_unhindered(&self, name: &UserName) -> std::result::Result<(), Refusal> {
        self.check_not_left_behind()?;
        self.hindered(name).map_or(Ok(()), |hindered| Err(Refusal::Hindered(hindered)))
    }
}
