//! Posts that stand in a list because of whoever wrote them, or because somebody reposted them; and who
//! likes a post.
//!
//! A repost stands at the time at which it was made, among posts, and so has a number like theirs for
//! pages to go on from. It stays in here when its post is deleted, or is not known here yet: whether
//! that stands is looked up when it is shown.

use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Bound;

use super::echo::Echo;
use super::people::PersonId;
use super::sorted::SortedChunks;
use super::timeline::PostList;
use super::{Eyes, Index, Key};
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{FEED_STEPS_PER_POST, PASSED_OVER_MAX};
use crate::user::User;
use crate::user::entry::{Entry, PostRef};

/// A post in somebody's list of those they reposted, in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Repost {
    /// Its place among posts.
    pub(super) place: PostId,
    pub(super) post: Key,
}

/// That somebody likes a post; sorted so that one post's likes stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Like {
    post_id: PostId,
    post_author: PersonId,
    liker: PersonId,
}

const _: () = assert!(size_of::<Repost>() <= 24 && size_of::<Like>() <= 16);

impl Repost {
    fn of(post: Key, at: Wall) -> Self {
        Self { place: PostId::floor_of(at.0), post }
    }
}

impl Like {
    const fn of(liker: PersonId, post: Key) -> Self {
        Self { post_id: post.id, post_author: post.author, liker }
    }
}

/// What all users think of posts, to be sorted at once.
#[derive(Debug, Default)]
pub(super) struct Marks {
    likes: Vec<Like>,
    liked: Vec<Echo>,
    reposted: Vec<Echo>,
}

/// A post in a list, and why it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shown {
    place: PostId,
    /// Who reposted it; nobody where it stands for itself.
    by: Option<PersonId>,
    post: Key,
}

/// Who likes a post.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Likers {
    /// Some of them, by name.
    pub names: Vec<UserName>,
    /// How many more there are.
    pub more: u32,
}

impl Index {
    /// Up to `n` of those who like `post`, by name, and how many others do. Costs a step for each.
    pub fn likers(&self, post: &PostRef, n: usize) -> Likers {
        let Some(Key { id: post_id, author: post_author }) = self.key(post) else {
            return Likers::default();
        };
        let first = Like { post_id, post_author, liker: PersonId::FIRST };
        let likes = self.likes.up(Bound::Included(&first));
        let likes = likes.take_while(|it| (it.post_id, it.post_author) == (post_id, post_author));
        let mut names: Vec<&UserName> = likes.map(|it| &self.people.get(it.liker).name).collect();
        names.sort_unstable();
        let more = u32::try_from(names.len().saturating_sub(n)).unwrap_or(u32::MAX);
        Likers { names: names.into_iter().take(n).cloned().collect(), more }
    }

    /// Takes in what somebody thinks of a post; `before` is who says it, as they were before.
    pub(super) fn mark(&mut self, before: &User, entry: &Entry) {
        let who = self.people.intern(&before.name);
        match entry {
            Entry::Liked { at, post } if !before.likes.contains_key(post) => {
                self.add_like(who, post, *at);
            }
            Entry::Unliked { post, .. } => {
                if let Some(at) = before.likes.get(post) {
                    self.remove_like(who, post, *at);
                }
            }
            Entry::Reposted { at, post } if !before.reposts.contains_key(post) => {
                self.add_repost(who, post, *at);
            }
            Entry::Unreposted { post, .. } => {
                if let Some(at) = before.reposts.get(post) {
                    self.remove_repost(who, post, *at);
                }
            }
            _ => {}
        }
    }

    /// Has `who` like and repost what `after` does and `before` did not, and the other way round.
    pub(super) fn replace_marks(&mut self, who: PersonId, before: &User, after: &User) {
        for (post, at) in before.likes.iter().filter(|(it, at)| after.likes.get(it) != Some(at)) {
            self.remove_like(who, post, *at);
        }
        for (post, at) in after.likes.iter().filter(|(it, at)| before.likes.get(it) != Some(at)) {
            self.add_like(who, post, *at);
        }
        for (post, at) in before.reposts.iter().filter(|(it, at)| after.reposts.get(it) != Some(at))
        {
            self.remove_repost(who, post, *at);
        }
        for (post, at) in after.reposts.iter().filter(|(it, at)| before.reposts.get(it) != Some(at))
        {
            self.add_repost(who, post, *at);
        }
    }

    /// What a user likes and reposted, for building an index.
    pub(super) fn marks_of(&mut self, who: PersonId, user: &User, marks: &mut Marks) {
        for (post, at) in &user.likes {
            let post = self.interned(post);
            marks.likes.push(Like::of(who, post));
            marks.liked.extend(Echo::of(who, post, *at));
        }
        let mut reposts = Vec::with_capacity(user.reposts.len());
        for (post, at) in &user.reposts {
            let post = self.interned(post);
            reposts.push(Repost::of(post, *at));
            marks.reposted.extend(Echo::of(who, post, *at));
        }
        reposts.sort_unstable();
        self.people.get_mut(who).reposts = reposts;
    }

    /// Takes in what was gathered of all users.
    pub(super) fn fill_marks(&mut self, marks: Marks) {
        self.likes = SortedChunks::from_unsorted(marks.likes);
        self.liked = SortedChunks::from_unsorted(marks.liked);
        self.reposted = SortedChunks::from_unsorted(marks.reposted);
    }

    fn add_like(&mut self, who: PersonId, post: &PostRef, at: Wall) {
        let post = self.interned(post);
        self.likes.insert(Like::of(who, post));
        if let Some(echo) = Echo::of(who, post, at) {
            self.liked.insert(echo);
        }
    }

    fn remove_like(&mut self, who: PersonId, post: &PostRef, at: Wall) {
        let post = self.interned(post);
        self.likes.remove(&Like::of(who, post));
        if let Some(echo) = Echo::of(who, post, at) {
            self.liked.remove(&echo);
        }
    }

    fn add_repost(&mut self, who: PersonId, post: &PostRef, at: Wall) {
        let post = self.interned(post);
        let repost = Repost::of(post, at);
        let reposts = &mut self.people.get_mut(who).reposts;
        if let Err(place) = reposts.binary_search(&repost) {
            reposts.insert(place, repost);
        }
        if let Some(echo) = Echo::of(who, post, at) {
            self.reposted.insert(echo);
        }
    }

    fn remove_repost(&mut self, who: PersonId, post: &PostRef, at: Wall) {
        let post = self.interned(post);
        let repost = Repost::of(post, at);
        let reposts = &mut self.people.get_mut(who).reposts;
        if let Ok(place) = reposts.binary_search(&repost) {
            reposts.remove(place);
        }
        if let Some(echo) = Echo::of(who, post, at) {
            self.reposted.remove(&echo);
        }
    }

    /// What these people reposted, made before `before`, newest first.
    pub(super) fn reposts_of(
        &self,
        people: impl Iterator<Item = PersonId>,
        before: Option<PostId>,
    ) -> impl Iterator<Item = Shown> {
        merged(people.map(move |who| {
            let reposts = &self.people.get(who).reposts;
            let end = before.map_or(reposts.len(), |before| {
                reposts.partition_point(|repost| repost.place < before)
            });
            let older = reposts.get(..end).unwrap_or_default().iter().rev();
            older.map(move |it| Shown { place: it.place, by: Some(who), post: it.post })
        }))
    }

    /// The first `n` of these, and where the next page begins. A post that is there several times
    /// stands where it is met first. Gives up early, with fewer, where too many are there for nothing.
    ///
    /// What the eyes are not shown, for its author's or its reposter's sake, is passed over, within a
    /// limit of its own: then the page ends early, and the next goes on from there.
    pub(super) fn feed(
        &self,
        eyes: Eyes,
        shown: impl Iterator<Item = Shown>,
        n: usize,
    ) -> PostList {
        let mut list = PostList::default();
        let mut taken: Vec<Key> = Vec::new();
        // Where a page ends is told: not by the number of what is not shown, if that can be.
        let (mut last, mut end, mut passed_over, mut step) = (None, None, 0, 0);
        for item in shown {
            let begins_place = last != Some(item.place);
            if !self.shows_item(eyes, item) {
                if begins_place && passed_over >= PASSED_OVER_MAX {
                    return PostList { older: last, ..list };
                }
                (last, passed_over) = (Some(item.place), passed_over + 1);
                continue;
            }
            step += 1;
            let is_gone = item.by.is_some() && !self.stands(item.post);
            if begins_place && taken.len() >= n && is_gone && step <= n * FEED_STEPS_PER_POST {
                // It begins no page: perhaps nothing else follows.
                continue;
            }
            if begins_place && (taken.len() >= n || step > n * FEED_STEPS_PER_POST) {
                return PostList { older: end, ..list };
            }
            last = Some(item.place);
            end = last;
            if is_gone || taken.contains(&item.post) {
                continue;
            }
            taken.push(item.post);
            let post = self.post_ref(item.post);
            if let Some(by) = item.by {
                list.reposted.push((post.clone(), self.people.get(by).name.clone()));
            }
            list.posts.push(post);
        }
        list
    }

    pub(super) fn shows_item(&self, eyes: Eyes, item: Shown) -> bool {
        let is_reposted = |by| self.shows_author(eyes, by) && !self.is_for_few(item.post);
        self.shows_key(eyes, item.post) && item.by.is_none_or(is_reposted)
    }

    /// Whether these eyes are shown somebody's repost of a post.
    pub fn shows_repost(&self, eyes: Eyes, by: &UserName, post: &PostRef) -> bool {
        let who = self.people.find(by).zip(self.key(post));
        who.is_some_and(|(by, key)| {
            self.shows_item(eyes, Shown::reposted(key.id, by, key)) && self.stands(key)
        })
    }
}

impl Shown {
    /// A post where it stands because somebody reposted it.
    pub(super) const fn reposted(place: PostId, by: PersonId, post: Key) -> Self {
        Self { place, by: Some(by), post }
    }

    pub(super) const fn place(&self) -> PostId {
        self.place
    }

    pub(super) const fn by(&self) -> Option<PersonId> {
        self.by
    }

    pub(super) const fn post(&self) -> Key {
        self.post
    }
}

impl From<Key> for Shown {
    fn from(post: Key) -> Self {
        Self { place: post.id, by: None, post }
    }
}

/// Posts for themselves and reposts, newest first.
pub(super) fn with_reposts(
    posts: impl Iterator<Item = Key>,
    reposts: impl Iterator<Item = Shown>,
) -> impl Iterator<Item = Shown> {
    let mut posts = posts.map(Shown::from).peekable();
    let mut reposts = reposts.peekable();
    std::iter::from_fn(move || match (posts.peek(), reposts.peek()) {
        (Some(post), Some(repost)) if repost > post => reposts.next(),
        (Some(_), _) => posts.next(),
        (None, _) => reposts.next(),
    })
}

/// The items of these lists, the highest first, as each list is: a k-way merge.
pub(super) fn merged<T, I>(lists: impl Iterator<Item = I>) -> impl Iterator<Item = T>
where
    T: Ord + Copy,
    I: Iterator<Item = T>,
{
    let head = |mut rest: I| rest.next().map(|item| Head { item, rest });
    let mut heads: BinaryHeap<Head<T, I>> = lists.filter_map(head).collect();
    std::iter::from_fn(move || {
        let mut head = heads.peek_mut()?;
        let item = head.item;
        match head.rest.next() {
            Some(next) => head.item = next,
            None => drop(PeekMut::pop(head)),
        }
        Some(item)
    })
}

/// A list's first item not yet taken, and the rest. Ordered by the item alone.
struct Head<T, I> {
    item: T,
    rest: I,
}

impl<T: Ord, I> Ord for Head<T, I> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.item.cmp(&other.item)
    }
}

impl<T: Ord, I> PartialOrd for Head<T, I> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord, I> PartialEq for Head<T, I> {
    fn eq(&self, other: &Self) -> bool {
        self.item == other.item
    }
}

impl<T: Ord, I> Eq for Head<T, I> {}

#[cfg(test)]
mod tests;
