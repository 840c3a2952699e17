//! Who wants to see nothing of whom: mutes and blocks; and which follows count for nothing, though they
//! stand in a file.

use std::collections::{BTreeMap, BTreeSet};

use super::people::PersonId;
use crate::clock::Wall;
use crate::user::is_ahead;

/// Pairs of people, the first of whom stated it.
#[derive(Debug, Clone, Default)]
pub(super) struct Apart {
    /// Until when, if not for good.
    mutes: BTreeMap<(PersonId, PersonId), Option<Wall>>,
    blocks: BTreeSet<(PersonId, PersonId)>,
    /// Followers who were removed: what the second stated up to then counts for nothing.
    removed: BTreeMap<(PersonId, PersonId), Wall>,
}

impl Apart {
    /// Nobody mutes themselves, whatever a file says.
    pub(super) fn mute(&mut self, who: PersonId, whom: PersonId, until: Option<Wall>) {
        if who != whom {
            self.mutes.insert((who, whom), until);
        }
    }

    pub(super) fn unmute(&mut self, who: PersonId, whom: PersonId) {
        self.mutes.remove(&(who, whom));
    }

    pub(super) fn block(&mut self, who: PersonId, whom: PersonId) {
        self.blocks.insert((who, whom));
    }

    pub(super) fn unblock(&mut self, who: PersonId, whom: PersonId) {
        self.blocks.remove(&(who, whom));
    }

    pub(super) fn mutes(&self, who: PersonId, whom: PersonId, now: Wall) -> bool {
        self.mutes.get(&(who, whom)).is_some_and(|until| is_ahead(*until, now))
    }

    pub(super) fn blocks(&self, who: PersonId, whom: PersonId) -> bool {
        self.blocks.contains(&(who, whom))
    }

    /// Whether one of them blocks the other.
    pub(super) fn is_blocked(&self, one: PersonId, other: PersonId) -> bool {
        self.blocks(one, other) || self.blocks(other, one)
    }

    /// From now on what `follower` stated up to `at`, if that is any time, counts for nothing to `whom`.
    pub(super) fn remove_follower(&mut self, whom: PersonId, follower: PersonId, at: Option<Wall>) {
        match at {
            Some(at) => self.removed.insert((whom, follower), at),
            None => self.removed.remove(&(whom, follower)),
        };
    }

    /// Whether a follow that was stated `since` then counts for nothing: one of the two blocks the other,
    /// or the follower was removed and has not followed anew.
    pub(super) fn is_void(&self, who: PersonId, whom: PersonId, since: Wall) -> bool {
        let removed = self.removed.get(&(whom, who));
        self.is_blocked(who, whom) || removed.is_some_and(|at| since <= *at)
    }

    /// Forgets all that somebody who has left stated. That others muted, blocked or removed them stays,
    /// as in their files, and means nothing any more.
    pub(super) fn forget(&mut self, who: PersonId) {
        self.mutes.retain(|(by, _), _| *by != who);
        self.blocks.retain(|(by, _)| *by != who);
        self.removed.retain(|(by, _), _| *by != who);
    }
}
