//! The one place that decides what of others somebody is shown. Every list passes through it.

use super::people::PersonId;
use super::{Index, Key};
use crate::clock::Wall;
use crate::id::UserName;
use crate::user::entry::PostRef;
use crate::user::keeping::Standing;

/// Who looks, and when. Made by [`Index::eyes`] and good for the index that made it.
#[derive(Debug, Clone, Copy)]
pub struct Eyes {
    /// Nobody for strangers, and for members that this index has not heard of.
    pub(super) viewer: Option<PersonId>,
    /// When.
    pub(super) now: Wall,
    /// Whether they look at a list of everybody's posts: those that are not for all are not in it, whoever
    /// looks.
    pub(super) in_public: bool,
}

impl Eyes {
    /// The same on a list of everybody's posts.
    pub(super) const fn in_public(self) -> Self {
        Self { in_public: true, ..self }
    }
}

impl Index {
    /// The eyes of `viewer`, or of a stranger, at `now`.
    pub fn eyes(&self, viewer: Option<&UserName>, now: Wall) -> Eyes {
        let viewer = viewer.and_then(|name| self.people.find(name));
        Eyes { viewer, now, in_public: false }
    }

    /// Whether these eyes are shown the post at all.
    pub fn shows(&self, eyes: Eyes, post: &PostRef) -> bool {
        self.key(post).is_none_or(|key| self.shows_key(eyes, key))
    }

    /// Whether these eyes are shown what the post says: one that a keeper has hidden stands in its
    /// place without its text, but for its author.
    pub fn shows_text(&self, eyes: Eyes, post: &PostRef) -> bool {
        let is_own = eyes.viewer.is_some() && eyes.viewer == self.people.find(&post.user);
        self.shows(eyes, post) && (is_own || self.hidden(post).is_none())
    }

    /// As [`Self::shows_text`], of a post that is found by what it says.
    pub(super) fn shows_text_of(&self, eyes: Eyes, key: Key) -> bool {
        let is_own = eyes.viewer == Some(key.author);
        self.shows_key(eyes, key) && (is_own || self.hidden(&self.post_ref(key)).is_none())
    }

    /// Whether these eyes are shown posts of that author.
    pub fn shows_posts_of(&self, eyes: Eyes, author: &UserName) -> bool {
        self.people.find(author).is_none_or(|author| self.shows_author(eyes, author))
    }

    /// Whether these eyes are shown that person in lists of people. Muting hides posts, not people.
    pub fn shows_person(&self, eyes: Eyes, person: &UserName) -> bool {
        self.people.find(person).is_none_or(|person| self.shows_id(eyes, person))
    }

    /// Whether the viewer mutes `whom` now.
    pub fn mutes(&self, eyes: Eyes, whom: &UserName) -> bool {
        let pair = eyes.viewer.zip(self.people.find(whom));
        pair.is_some_and(|(who, whom)| self.people.apart.mutes(who, whom, eyes.now))
    }

    /// Whether `who` blocks `whom`.
    pub fn blocks(&self, who: &UserName, whom: &UserName) -> bool {
        let pair = self.people.find(who).zip(self.people.find(whom));
        pair.is_some_and(|(who, whom)| self.people.apart.blocks(who, whom))
    }

    /// As [`Self::shows`], of a post in a list.
    pub(super) fn shows_key(&self, eyes: Eyes, key: Key) -> bool {
        self.is_meant_for(eyes, key) && self.shows_author(eyes, key.author)
    }

    pub(super) fn shows_author(&self, eyes: Eyes, author: PersonId) -> bool {
        let apart = &self.people.apart;
        let is_muted = eyes.viewer.is_some_and(|viewer| apart.mutes(viewer, author, eyes.now));
        !is_muted && self.may_read(eyes, author)
    }

    /// Whether these eyes are shown posts of that author unless they mute them.
    pub(super) fn may_read(&self, eyes: Eyes, author: PersonId) -> bool {
        let is_own = eyes.viewer == Some(author);
        let is_heard = is_own || self.standing_of(author, eyes.now) == Standing::Member;
        let is_in = || is_own || eyes.viewer.is_some_and(|viewer| self.has_come_in(viewer));
        let is_for_these = !self.people.get(author).members_only || is_in();
        is_heard && is_for_these && self.shows_id(eyes, author)
    }

    pub(super) fn shows_id(&self, eyes: Eyes, person: PersonId) -> bool {
        if !self.has_come_in(person) {
            return eyes.viewer == Some(person);
        }
        eyes.viewer.is_none_or(|viewer| !self.people.apart.is_blocked(viewer, person))
    }
}
