//! Lists of posts, newest first: everybody's, one person's, and those of the people one follows.

use std::cell::Cell;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::people::{Circle, PersonId};
use super::{Eyes, Index, Key};
use crate::id::{PostId, UserName};
use crate::limits::{HOME_MERGE_PEOPLE, HOME_WALK_PER_PERSON, PASSED_OVER_MAX};
use crate::user::entry::PostRef;

/// A page of posts, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PostList {
    /// As many as were asked for, or fewer where there are no more (or, within
    /// [`PASSED_OVER_MAX`], none that may be shown). A page never ends between posts
    /// of the same number, for which the next page could not be told where to begin: it is longer by
    /// those instead.
    pub posts: Vec<PostRef>,
    /// Where the next older page begins, if there is one: its `before`.
    pub older: Option<PostId>,
}

impl Index {
    /// Up to `n` posts of all people, older than `before`.
    pub fn everyone(&self, eyes: Eyes, before: Option<PostId>, n: usize) -> PostList {
        let below = before.map(below_all_of);
        self.page(eyes, self.timeline.down(below.as_ref()).copied(), n)
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
        let posts = &self.people.get(author).posts;
        let end = before.map_or(posts.len(), |before| posts.partition_point(|id| *id < before));
        let older = posts.get(..end).unwrap_or_default();
        self.page(eyes, older.iter().rev().map(|id| Key { id: *id, author }), n)
    }

    /// Up to `n` posts of the viewer and those they follow, older than `before`.
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
        if follows.len() < HOME_MERGE_PEOPLE {
            return self.page(eyes, self.merged(authors(), below), n);
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
        self.page(eyes, near.chain(far.flatten().flatten()), n)
    }

    /// The posts of these people below `below`, newest first: a k-way merge of their lists.
    fn merged(
        &self,
        authors: impl Iterator<Item = PersonId>,
        below: Option<Key>,
    ) -> impl Iterator<Item = Key> {
        let mut heads: BinaryHeap<Head<'_>> = authors
            .filter_map(|author| {
                let posts = &self.people.get(author).posts;
                let is_below =
                    |id: &PostId| below.is_none_or(|below| Key { id: *id, author } < below);
                // Most people's newest post is below, or there is no bound: no search then.
                let end = match posts.last() {
                    Some(last) if !is_below(last) => posts.partition_point(is_below),
                    Some(_) | None => posts.len(),
                };
                Head::of(author, posts.get(..end)?)
            })
            .collect();
        std::iter::from_fn(move || {
            let mut head = heads.peek_mut()?;
            let key = head.key;
            match Head::of(key.author, head.older) {
                Some(next) => *head = next,
                None => drop(PeekMut::pop(head)),
            }
            Some(key)
        })
    }

    /// The first `n` of these that the eyes are shown, and where the next page begins. Passes over a
    /// limited number of others: then the page ends early, and the next goes on from there.
    pub(super) fn page(&self, eyes: Eyes, keys: impl Iterator<Item = Key>, n: usize) -> PostList {
        let mut posts = Vec::new();
        let (mut last, mut passed_over) = (None, 0);
        for key in keys {
            let is_shown = self.shows_key(eyes, key);
            let is_full = passed_over >= PASSED_OVER_MAX || (is_shown && posts.len() >= n);
            if is_full && last != Some(key.id) {
                return PostList { posts, older: last };
            }
            if is_shown {
                posts.push(self.post_ref(key));
            } else {
                passed_over += 1;
            }
            last = Some(key.id);
        }
        PostList { posts, older: None }
    }
}

/// Below every post of that number, whoever wrote it.
const fn below_all_of(id: PostId) -> Key {
    Key { id, author: PersonId::FIRST }
}

/// A person's newest post not yet taken, and the older ones. Ordered by the post alone.
struct Head<'a> {
    key: Key,
    older: &'a [PostId],
}

impl<'a> Head<'a> {
    fn of(author: PersonId, posts: &'a [PostId]) -> Option<Self> {
        let (id, older) = posts.split_last()?;
        Some(Self { key: Key { id: *id, author }, older })
    }
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Head<'_> {}
