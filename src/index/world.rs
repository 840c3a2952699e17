//! For tests: users and their index, fed together.

use std::collections::BTreeMap;

use super::{Eyes, Index};
use crate::clock::Wall;
use crate::id::UserName;
use crate::user::entry::Entry;
use crate::user::{Place, User};

/// A stranger's eyes.
pub(super) const ANYONE: Eyes = Eyes { viewer: None, now: Wall(0), in_public: false };

pub(super) fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

/// Users and their index, fed together.
#[derive(Default)]
pub(super) struct World {
    pub(super) users: BTreeMap<UserName, User>,
    pub(super) index: Index,
}

impl World {
    pub(super) fn of(entries: &[(&str, Entry)]) -> Self {
        let mut world = Self::default();
        for (user, entry) in entries {
            world.write(user, entry);
        }
        world
    }

    pub(super) fn write(&mut self, user: &str, entry: &Entry) {
        let user = self.users.entry(name(user)).or_insert_with(|| User::absent(name(user)));
        self.index.apply(user, entry);
        user.apply(entry, Place::default());
    }

    /// A member's eyes.
    pub(super) fn eyes(&self, user: &str) -> Eyes {
        self.index.eyes(Some(&name(user)), Wall(0))
    }
}
