//! Threads of which somebody wants to hear nothing, and the posts that belong to these.
//!
//! Beside the lists: where nobody mutes a thread this is empty, and whoever mutes none is asked for once.
//! Of the way up from a reply only so much is kept as lies below a post with which a muted thread begins.

use std::collections::{BTreeMap, BTreeSet};

use super::people::PersonId;
use super::{Eyes, Index, Key};
use crate::limits::THREAD_STEPS_MAX;
use crate::user::User;
use crate::user::entry::PostRef;

/// See the module. Invariant: `within` holds each standing reply below a post of `by`, and nothing else.
#[derive(Debug, Clone, Default)]
pub(super) struct Hush {
    /// Who mutes the thread that begins with a post, which may be gone.
    pub(super) by: BTreeMap<Key, BTreeSet<PersonId>>,
    /// How many threads they mute, of those who mute any.
    pub(super) counts: BTreeMap<PersonId, usize>,
    /// What a reply in such a thread answers.
    pub(super) within: BTreeMap<Key, Key>,
}

impl Index {
    /// Whether the viewer mutes the thread to which a post belongs, as far as they can follow it up.
    pub fn is_hushed(&self, eyes: Eyes, post: &PostRef) -> bool {
        self.key(post).is_some_and(|key| self.is_hushed_key(eyes, key))
    }

    /// The same. The way up ends before a post for few that the viewer is not shown: what is answered there
    /// they are not told, and so not to which thread it belongs.
    pub(super) fn is_hushed_key(&self, eyes: Eyes, post: Key) -> bool {
        let viewer = eyes.viewer.filter(|viewer| self.hush.counts.contains_key(viewer));
        let Some(viewer) = viewer else { return false };
        let eyes = Eyes { in_public: false, ..eyes };
        let mut at = Some(post);
        for _ in 0..THREAD_STEPS_MAX {
            let Some(key) = at.filter(|key| self.is_for_key(eyes, *key)) else { return false };
            if self.hush.by.get(&key).is_some_and(|who| who.contains(&viewer)) {
                return true;
            }
            at = self.hush.within.get(&key).copied();
        }
        false
    }

    /// Takes note that somebody mutes the thread that begins with this post.
    pub(super) fn hush(&mut self, who: PersonId, post: &PostRef) {
        let key = self.interned(post);
        let muting = self.hush.by.entry(key).or_default();
        let is_first = muting.is_empty();
        if muting.insert(who) {
            *self.hush.counts.entry(who).or_default() += 1;
        }
        if is_first {
            self.take_in_below(key);
        }
    }

    /// They mute it no longer.
    pub(super) fn unhush(&mut self, who: PersonId, post: &PostRef) {
        let key = self.interned(post);
        let Some(muting) = self.hush.by.get_mut(&key) else { return };
        if !muting.remove(&who) {
            return;
        }
        let is_last = muting.is_empty();
        if let Some(count) = self.hush.counts.get_mut(&who) {
            *count -= 1;
            if *count == 0 {
                self.hush.counts.remove(&who);
            }
        }
        if is_last {
            self.hush.by.remove(&key);
            if !self.hush.is_below_one(key) {
                self.leave_out_below(key);
            }
        }
    }

    /// A reply stands from now on, and its edge is known. What answers it may have come before it.
    pub(super) fn hush_reply(&mut self, key: Key, parent: Key) {
        let hush = &mut self.hush;
        let is_within = hush.by.contains_key(&parent) || hush.within.contains_key(&parent);
        if is_within && hush.within.insert(key, parent).is_none() {
            self.take_in_below(key);
        }
    }

    /// A reply stands no longer: nobody can tell to what its own replies belong.
    pub(super) fn unhush_reply(&mut self, key: Key) {
        if self.hush.within.remove(&key).is_some() && !self.hush.by.contains_key(&key) {
            self.leave_out_below(key);
        }
    }

    /// All threads that a user mutes, in place of those that they muted before.
    pub(super) fn replace_hushed(&mut self, who: PersonId, before: &User, after: &User) {
        let [before, after] = [before, after].map(|user| &user.aside().muted_threads);
        for unmuted in before.difference(after) {
            self.unhush(who, unmuted);
        }
        for muted in after.difference(before) {
            self.hush(who, muted);
        }
    }

    /// What belongs to muted threads, once all replies are known.
    pub(super) fn fill_hushed(&mut self) {
        let beginnings: Vec<Key> = self.hush.by.keys().copied().collect();
        for key in beginnings {
            self.take_in_below(key);
        }
    }

    /// What is in already has all that answers it in as well.
    fn take_in_below(&mut self, key: Key) {
        let mut parents = vec![key];
        while let Some(parent) = parents.pop() {
            for child in self.replies.children(parent) {
                if self.hush.within.insert(child, parent).is_none() {
                    parents.push(child);
                }
            }
        }
    }

    /// All but what lies below another post with which a muted thread begins.
    fn leave_out_below(&mut self, key: Key) {
        let mut parents = vec![key];
        while let Some(parent) = parents.pop() {
            for child in self.replies.children(parent) {
                let was_in = self.hush.within.remove(&child).is_some();
                if was_in && !self.hush.by.contains_key(&child) {
                    parents.push(child);
                }
            }
        }
    }
}

impl Hush {
    /// Whether a muted thread begins above this post. Replies in a circle, which no honest file holds, lead
    /// back here.
    fn is_below_one(&self, key: Key) -> bool {
        let mut at = key;
        for _ in 0..self.within.len() {
            match self.within.get(&at) {
                Some(parent) if self.by.contains_key(parent) => return true,
                Some(parent) => at = *parent,
                None => return false,
            }
        }
        false
    }
}
