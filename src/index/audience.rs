//! Posts that are not for everybody, and who may read each.
//!
//! Beside the lists, because most posts are for everybody: those take no memory here. Whom a post names
//! the labels tell, and who follows its author the people do.

use std::collections::{BTreeMap, BTreeSet};

use super::{Eyes, Index, Key};
use crate::clock::Wall;
use crate::id::UserName;
use crate::text::{self, Label};
use crate::user::User;
use crate::user::entry::{Audience, PostRef};

/// For whom a post is.
#[derive(Debug, Clone, Copy)]
struct Limit {
    audience: Audience,
    /// Since when it says what it says: whoever took a name after that is not whom it names.
    said_at: Wall,
}

/// See the module. Invariant: only posts that stand are in `posts`, and none that is for everybody.
#[derive(Debug, Clone, Default)]
pub(super) struct Audiences {
    posts: BTreeMap<Key, Limit>,
    /// Those that were for few and were taken back: only their authors are told that they were.
    deleted: BTreeSet<Key>,
    /// How many of them are kept from some.
    pub(super) few: usize,
}

impl Index {
    /// Who may read a post.
    pub fn audience(&self, post: &PostRef) -> Audience {
        self.key(post).map_or(Audience::Everyone, |key| self.audience_of(key))
    }

    /// Whether a post is kept from nobody, or else not from these eyes.
    pub fn is_for(&self, eyes: Eyes, post: &PostRef) -> bool {
        self.key(post).is_none_or(|key| self.is_for_key(eyes, key))
    }

    pub(super) fn is_for_key(&self, eyes: Eyes, key: Key) -> bool {
        !self.is_for_few(key) || self.shows_key(eyes, key)
    }

    pub(super) fn audience_of(&self, key: Key) -> Audience {
        self.audiences.posts.get(&key).map_or(Audience::Everyone, |limit| limit.audience)
    }

    pub(super) fn is_meant_for(&self, eyes: Eyes, key: Key) -> bool {
        let Some(limit) = self.audiences.posts.get(&key) else {
            return eyes.viewer == Some(key.author) || !self.audiences.deleted.contains(&key);
        };
        if eyes.in_public {
            return false;
        }
        if !limit.audience.is_few() {
            return true;
        }
        let names = |name: &UserName| self.labels.is_on(&Label::of_name(name), key);
        self.is_among_few(eyes, key, *limit, &names)
    }

    /// Whether these eyes may read what a post said from `at` on, if they may read the post now: of what is
    /// kept from some, whom it did not name then is not told what it said to others.
    pub fn was_said_to(&self, eyes: Eyes, post: &PostRef, (text, at): (&str, Wall)) -> bool {
        let Some(key) = self.key(post) else { return false };
        let Some(limit) = self.audiences.posts.get(&key) else { return true };
        let names = |name: &UserName| text::mentions(text).contains(name);
        let limit = Limit { said_at: at, ..*limit };
        !limit.audience.is_few() || self.is_among_few(eyes, key, limit, &names)
    }

    /// Whether they are among the few whom a post is for, if it names whom it is said to name.
    fn is_among_few(
        &self,
        eyes: Eyes,
        post: Key,
        limit: Limit,
        names: &dyn Fn(&UserName) -> bool,
    ) -> bool {
        let Some(viewer) = eyes.viewer else { return false };
        let follows =
            || limit.audience == Audience::Followers && self.people.follows(viewer, post.author);
        let is_named = || {
            let person = self.people.get(viewer);
            person.joined_at <= limit.said_at && names(&person.name)
        };
        viewer == post.author || (self.has_come_in(viewer) && (follows() || is_named()))
    }

    /// Takes note of whom a post is for, which is new here.
    pub(super) fn limit(&mut self, key: Key, audience: Audience, said_at: Wall) {
        if audience.is_everyone() {
            return;
        }
        let before = self.audiences.posts.insert(key, Limit { audience, said_at });
        self.count_few(key, before.map(|limit| limit.audience), Some(audience));
    }

    /// The post stands no longer.
    pub(super) fn unlimit(&mut self, key: Key) {
        if let Some(limit) = self.audiences.posts.remove(&key) {
            self.count_few(key, Some(limit.audience), None);
        }
    }

    /// The post was for few, and was taken back.
    pub(super) fn deleted_of_few(&mut self, key: Key) {
        self.audiences.deleted.insert(key);
    }

    /// If it is not for everybody, the post says something else from `at` on.
    pub(super) fn said_anew(&mut self, key: Key, at: Wall) {
        if let Some(limit) = self.audiences.posts.get_mut(&key) {
            limit.said_at = at;
        }
    }

    /// Whom all the posts of a user are for.
    pub(super) fn limit_all(&mut self, user: &User) {
        let author = self.people.intern(&user.name);
        for (id, audience) in &user.audiences {
            let edited_at = user.edits.get(id).map(|edits| edits.last_at);
            let said_at = edited_at.unwrap_or_else(|| Wall(id.at_ms()));
            self.limit(Key { id: *id, author }, *audience, said_at);
        }
        let deleted = user.aside().few_deleted.iter().map(|id| Key { id: *id, author });
        self.audiences.deleted.extend(deleted);
    }

    /// Takes back what [`Self::limit_all`] took in.
    pub(super) fn unlimit_all(&mut self, user: &User) {
        let author = self.people.intern(&user.name);
        for id in user.audiences.keys() {
            self.unlimit(Key { id: *id, author });
        }
        for id in &user.aside().few_deleted {
            self.audiences.deleted.remove(&Key { id: *id, author });
        }
    }

    /// Whether a post is kept from some.
    pub(super) fn is_for_few(&self, key: Key) -> bool {
        self.audience_of(key).is_few() || self.audiences.deleted.contains(&key)
    }

    fn count_few(&mut self, key: Key, before: Option<Audience>, after: Option<Audience>) {
        let [before, after] = [before, after].map(|it| it.is_some_and(Audience::is_few));
        let of_author = &mut self.people.get_mut(key.author).few;
        *of_author = *of_author + u32::from(after) - u32::from(before);
        let few = &mut self.audiences.few;
        *few = *few + usize::from(after) - usize::from(before);
    }
}
