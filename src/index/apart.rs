//! Who wants to see nothing of whom: mutes and blocks, and the follows that a block makes void.

use std::collections::BTreeSet;

use super::people::PersonId;

/// Pairs of people, the first of whom stated it.
#[derive(Debug, Clone, Default)]
pub(super) struct Apart {
    mutes: BTreeSet<(PersonId, PersonId)>,
    blocks: BTreeSet<(PersonId, PersonId)>,
    /// Follows that stand in a file but count for nothing, because one of the two blocks the other.
    void: BTreeSet<(PersonId, PersonId)>,
}

impl Apart {
    /// Nobody mutes themselves, whatever a file says.
    pub(super) fn mute(&mut self, who: PersonId, whom: PersonId) {
        if who != whom {
            self.mutes.insert((who, whom));
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

    pub(super) fn mutes(&self, who: PersonId, whom: PersonId) -> bool {
        self.mutes.contains(&(who, whom))
    }

    pub(super) fn blocks(&self, who: PersonId, whom: PersonId) -> bool {
        self.blocks.contains(&(who, whom))
    }

    /// Whether one of them blocks the other.
    pub(super) fn is_blocked(&self, one: PersonId, other: PersonId) -> bool {
        self.blocks(one, other) || self.blocks(other, one)
    }

    /// Notes a follow that counts for nothing.
    pub(super) fn set_void(&mut self, who: PersonId, whom: PersonId) {
        self.void.insert((who, whom));
    }

    /// Forgets it; whether there was one.
    pub(super) fn clear_void(&mut self, who: PersonId, whom: PersonId) -> bool {
        self.void.remove(&(who, whom))
    }

    /// Forgets all that somebody who has left stated, and all follows of them. That others muted or
    /// blocked them stays, as in their files, and means nothing any more.
    pub(super) fn forget(&mut self, who: PersonId) {
        self.mutes.retain(|(by, _)| *by != who);
        self.blocks.retain(|(by, _)| *by != who);
        self.void.retain(|(by, whom)| *by != who && *whom != who);
    }
}
