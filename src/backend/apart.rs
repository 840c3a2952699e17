//! Muting and blocking: the acts, the list of them, and what stands between two people.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::Backend;
use super::view::{Asked, Asker, Done, Result};
use crate::action::{Action, After, Change, MuteFor, Whom};
use crate::auth::throttle::ActKind;
use crate::clock::Wall;
use crate::id::UserName;
use crate::limits::{MUTE_S_MAX, PEOPLE_PAGE};
use crate::order::gather;
use crate::user::User;
use crate::wire::message::FEATURE_TIES;
use crate::wire::request::{Apart, ApartRow, KeptApart, Outcome, Refusal};

impl Backend {
    pub(super) fn mute(&self, asked: Asked<'_>, data: Whom) -> Result {
        self.check_can_part(&data.username)?;
        let change = Change::Mute { user: data.username.clone(), until: None };
        self.simple(asked, &Action::Mute(data), ActKind::Other, &change)
    }

    pub(super) fn mute_for(&self, asked: Asked<'_>, data: MuteFor) -> Result {
        self.check_ties()?;
        self.check_can_part(&data.username)?;
        if data.lasts_s > MUTE_S_MAX {
            let detail = format!("somebody is muted for {MUTE_S_MAX} seconds at most, or for good");
            return Err(Refusal::BadRequest { detail });
        }
        let until = self.now().0.saturating_add(u64::from(data.lasts_s) * 1000);
        let change = Change::Mute { user: data.username.clone(), until: Some(Wall(until)) };
        self.simple(asked, &Action::MuteFor(data), ActKind::Other, &change)
    }

    pub(super) fn unmute(&self, asked: Asked<'_>, data: Whom) -> Result {
        let change = Change::Unmute { user: data.username.clone() };
        self.simple(asked, &Action::Unmute(data), ActKind::Other, &change)
    }

    pub(super) fn block(&self, asked: Asked<'_>, data: Whom) -> Result {
        self.check_can_part(&data.username)?;
        let change = Change::Block { user: data.username.clone() };
        self.simple(asked, &Action::Block(data), ActKind::Other, &change)
    }

    pub(super) fn unblock(&self, asked: Asked<'_>, data: Whom) -> Result {
        let (user, asker) = (data.username.clone(), asked.signed_in()?);
        let is_stated = self.follows_since(&user, asker.user()).is_some();
        self.hear_of_unless(is_stated, asked.permit, &user)?;
        // While some machine's program knows of no such entry, what they stated counts again, as ever.
        let may_end = self.check_ties().is_ok();
        let follows_since = self.follows_since(&user, asker.user()).filter(|_| may_end);
        let change = Change::Unblock { user, follows_since };
        self.simple(asked, &Action::Unblock(data), ActKind::Other, &change)
    }

    pub(super) fn remove_follower(&self, asked: Asked<'_>, data: Whom) -> Result {
        self.check_ties()?;
        let (user, asker) = (data.username.clone(), asked.signed_in()?);
        let is_one = || self.cluster.local.index().follows(&user, asker.user());
        self.hear_of_unless(is_one(), asked.permit, &user)?;
        let is_one = is_one();
        let follows_since = self.follows_since(&user, asker.user()).filter(|_| is_one);
        let change = Change::RemoveFollower { user, follows_since };
        self.simple(asked, &Action::RemoveFollower(data), ActKind::Other, &change)
    }

    /// Since when `who` follows `whom`, as the file of `who` states it, whether or not that counts.
    fn follows_since(&self, who: &UserName, whom: &UserName) -> Option<Wall> {
        self.look(who, |user| user.follows.get(whom).copied()).flatten()
    }

    /// When `whom` removed `who` from their followers last.
    pub(super) fn removed_at(&self, who: &UserName, whom: &UserName) -> Option<Wall> {
        self.look(whom, |user| user.aside().removed_followers.get(who).copied()).flatten()
    }

    /// Refuses what takes kinds of entries that not all machines' programs know yet.
    fn check_ties(&self) -> std::result::Result<(), Refusal> {
        let can = self.cluster.local.node.features() >= FEATURE_TIES;
        if can { Ok(()) } else { Err(Refusal::NotYet) }
    }

    /// A page of those whom the one who asks mutes or blocks. Who was not let in is told of to keepers alone.
    pub(super) fn kept_apart(&self, asked: Asked<'_>, data: After) -> Result {
        let asker = asked.signed_in()?;
        let (after, now) = (data.after.as_ref(), self.now());
        let range = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        // One more than fit, to know whether there is another page; both lists are sorted.
        let names = |user: &User| -> BTreeSet<UserName> {
            let muted = user.muted_after(after, now).take(PEOPLE_PAGE + 1);
            let blocked = user.blocks.range::<UserName, _>(range).take(PEOPLE_PAGE + 1);
            gather(muted.chain(blocked).cloned())
        };
        let names = self.look(asker.user(), names).unwrap_or_default();
        let last = names.iter().nth(PEOPLE_PAGE - 1).filter(|_| names.len() > PEOPLE_PAGE);
        let row = |name: &UserName| {
            if !self.cluster.local.index().is_member(name) {
                return None;
            }
            let apart = self.apart(Some(asker), name).unwrap_or_default();
            self.person(name).map(|person| ApartRow { person, apart })
        };
        let people = names.iter().take(PEOPLE_PAGE).filter_map(row).collect();
        Ok(Done::told(Outcome::KeptApart(KeptApart { people, more_after: last.cloned() })))
    }

    /// What stands between the one who asks and `name`; nothing for strangers and oneself.
    pub(super) fn apart(&self, asker: Option<&Asker>, name: &UserName) -> Option<Apart> {
        let viewer = asker.map(Asker::user)?;
        let eyes = self.eyes(asker);
        let index = self.cluster.local.index();
        let apart = Apart {
            mutes: index.mutes(eyes, name),
            blocks: index.blocks(viewer, name),
            is_blocked: index.blocks(name, viewer),
        };
        (apart != Apart::default()).then_some(apart)
    }

    /// Nobody follows or answers whom they block, or who blocks them.
    pub(super) fn check_not_blocked(
        &self,
        one: &UserName,
        other: &UserName,
    ) -> std::result::Result<(), Refusal> {
        let index = self.cluster.local.index();
        let is_blocked = index.blocks(one, other) || index.blocks(other, one);
        if is_blocked { Err(Refusal::Blocked) } else { Ok(()) }
    }

    fn check_can_part(&self, whom: &UserName) -> std::result::Result<(), Refusal> {
        self.check_social()?;
        let is_member = self.cluster.local.index().is_member(whom);
        if is_member { Ok(()) } else { Err(Refusal::NotFound) }
    }
}
