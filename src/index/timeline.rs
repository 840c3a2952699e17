//! Lists of posts, newest first: everybody's, one person's, and those of the people one follows.

use std::cell::Cell;

use super::people::{Circle, PersonId};
use super::repost::{Shown, merged, with_reposts};
use super::{Eyes, Index, Key};
use crate::id::{PostId, UserName};
use crate::limits::{HOME_MERGE_PEOPLE, HOME_WALK_PER_PERSON};
use crate::user::entry::PostRef;

/// A page of posts, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PostList {
    /// As many as were asked for, or fewer where there are no more (or, within
    /// [`crate::limits::PASSED_OVER_MAX`], none that may be shown). A page never ends between posts
    /// of the same number, for which the next page could not be told where to begin: it is longer by
    /// those instead.
    pub posts: Vec<PostRef>,
    /// Those of them that stand there because somebody reposted them, and who.
    pub reposted: Vec<(PostRef, UserName)>,
    /// Where the next older page begins, if there is one: its `before`.
    pub older: Option<PostId>,
}

impl Index {
    /// Up to `n` posts of all people, older than `before`.
    pub fn everyone(&self, eyes: Eyes, before: Option<PostId>, n: usize) -> PostList {
        let below = before.map(below_all_of);
        self.page(eyes.in_public(), self.timeline.down(below.as_ref()).copied(), n)
    }

    /// Up to `n` posts of one person, older than `before`.
    pub fn posts_of(
        &self,
        eyes: Eyes,
        user: &UserName,
        before: Option<PostId>,
        n: usize,
    ) -> PostList {
        let Some(author) = self.people.find(user) else { return PostList::default() };
        self.page(eyes, self.older_of(author, before), n)
    }

    fn older_of(&self, author: PersonId, before: Option<PostId>) -> impl Iterator<Item = Key> {
        let posts = &self.people.get(author).posts;
        let end = before.map_or(posts.len(), |before| posts.partition_point(|id| *id < before));
        let older = posts.get(..end).unwrap_or_default();
        older.iter().rev().map(move |id| Key { id: *id, author })
    }

    /// Up to `n` posts that one person wrote or reposted, older than `before`.
    pub fn profile(
        &self,
        eyes: Eyes,
        user: &UserName,
        before: Option<PostId>,
        n: usize,
    ) -> PostList {
        let Some(who) = self.people.find(user) else { return PostList::default() };
        let reposts = self.reposts_of([who].into_iter(), before);
        self.feed(eyes, with_reposts(self.older_of(who, before), reposts), n)
    }

    /// Up to `n` posts of the viewer and those they follow, and of what these reposted, older than
    /// `before`.
    ///
    /// Two ways lead there. Walking back through everybody's posts is fast when most of them are by
    /// people one follows; merging each one's own list costs a search a person and is fast when they
    /// are few or quiet. So: few people, merge; else walk, but not farther than merging would cost,
    /// then merge from there on.
    pub fn home(&self, eyes: Eyes, before: Option<PostId>, n: usize) -> PostList {
        let Some(viewer) = eyes.viewer else { return PostList::default() };
        let follows = self.people.circle(viewer, Circle::Follows);
        let authors = || follows.iter().copied().chain([viewer]);
        let below = before.map(below_all_of);
        let reposts = self.reposts_of(follows.iter().copied(), before);
        if follows.len() < HOME_MERGE_PEOPLE {
            return self.feed(eyes, with_reposts(self.merged(authors(), below), reposts), n);
        }

        let mut wanted = vec![false; self.people.len()];
        for author in authors() {
            if let Some(wanted) = wanted.get_mut(author.index()) {
                *wanted = true;
            }
        }
        let is_wanted = |key: &Key| wanted.get(key.author.index()).copied().unwrap_or(false);
        let reached = Cell::new(None);
        let near = self
            .timeline
            .down(below.as_ref())
            .copied()
            .take(follows.len() * HOME_WALK_PER_PERSON)
            .inspect(|key| reached.set(Some(*key)))
            .filter(is_wanted);
        // Begun only if the walk did not fill the page.
        let far =
            std::iter::once_with(|| reached.get().map(|last| self.merged(authors(), Some(last))));
        self.feed(eyes, with_reposts(near.chain(far.flatten().flatten()), reposts), n)
    }

    /// The posts of these people below `below`, newest first: a k-way merge of their lists.
    pub(super) fn merged(
        &self,
        authors: impl Iterator<Item = PersonId>,
        below: Option<Key>,
    ) -> impl Iterator<Item = Key> {
        merged(authors.map(move |author| {
            let posts = &self.people.get(author).posts;
            let is_below = |id: &PostId| below.is_none_or(|below| Key { id: *id, author } < below);
            // Most people's newest post is below, or there is no bound: no search then.
            let end = match posts.last() {
                Some(last) if !is_below(last) => posts.partition_point(is_below),
                Some(_) | None => posts.len(),
            };
            let older = posts.get(..end).unwrap_or_default().iter().rev();
            older.map(move |id| Key { id: *id, author })
        }))
    }

    /// The first `n` of these that the eyes are shown, and where the next page begins.
    pub(super) fn page(&self, eyes: Eyes, keys: impl Iterator<Item = Key>, n: usize) -> PostList {
        self.feed(eyes, keys.map(Shown::from), n)
    }
}

/// Below every post of that number, whoever wrote it.
pub(super) const fn below_all_of(id: PostId) -> Key {
    Key { id, author: PersonId::FIRST }
}
