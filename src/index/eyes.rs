//! The one place that decides what of others somebody is shown. Every list passes through it.

use super::people::PersonId;
use super::{Index, Key};
use crate::clock::Wall;
use crate::id::UserName;
use crate::user::entry::PostRef;

/// Who looks, and when. Made by [`Index::eyes`] and good for the index that made it.
#[derive(Debug, Clone, Copy)]
pub struct Eyes {
    /// Nobody for strangers, and for members that this index has not heard of.
    pub(super) viewer: Option<PersonId>,
    /// When.
    #[expect(dead_code, reason = "what is shown for a time only comes with the keeper's acts")]
    pub(super) now: Wall,
}

impl Index {
    /// The eyes of `viewer`, or of a stranger, at `now`.
    pub fn eyes(&self, viewer: Option<&UserName>, now: Wall) -> Eyes {
        Eyes { viewer: viewer.and_then(|name| self.people.find(name)), now }
    }

    /// Whether these eyes are shown the post at all.
    pub fn shows(&self, eyes: Eyes, post: &PostRef) -> bool {
        self.key(post).is_none_or(|key| self.shows_key(eyes, key))
    }

    /// Whether these eyes are shown posts of that author.
    pub fn shows_posts_of(&self, eyes: Eyes, author: &UserName) -> bool {
        self.people.find(author).is_none_or(|author| self.shows_author(eyes, author))
    }

    /// Whether these eyes are shown that person in lists of people. Muting hides posts, not people.
    pub fn shows_person(&self, eyes: Eyes, person: &UserName) -> bool {
        self.people.find(person).is_none_or(|person| self.shows_id(eyes, person))
    }

    /// Whether `who` mutes `whom`.
    pub fn mutes(&self, who: &UserName, whom: &UserName) -> bool {
        let pair = self.people.find(who).zip(self.people.find(whom));
        pair.is_some_and(|(who, whom)| self.people.apart.mutes(who, whom))
    }

    /// Whether `who` blocks `whom`.
    pub fn blocks(&self, who: &UserName, whom: &UserName) -> bool {
        let pair = self.people.find(who).zip(self.people.find(whom));
        pair.is_some_and(|(who, whom)| self.people.apart.blocks(who, whom))
    }

    /// As [`Self::shows`], of a post in a list.
    pub(super) fn shows_key(&self, eyes: Eyes, key: Key) -> bool {
        self.shows_author(eyes, key.author)
    }

    pub(super) fn shows_author(&self, eyes: Eyes, author: PersonId) -> bool {
        let apart = &self.people.apart;
        let is_muted = eyes.viewer.is_some_and(|viewer| apart.mutes(viewer, author));
        !is_muted && self.shows_id(eyes, author)
    }

    pub(super) fn shows_id(&self, eyes: Eyes, person: PersonId) -> bool {
        eyes.viewer.is_none_or(|viewer| !self.people.apart.is_blocked(viewer, person))
    }
}
