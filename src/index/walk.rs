//! Lists of posts for apps: from any place in them, and in both directions, so that who walks up meets
//! all that came meanwhile and nothing twice.
//!
//! A repost is an item of its own here, beside the post: apps know it by a number of its own, made of the
//! time at which it was made and of what it is.

use std::cmp::Reverse;

use sha2::{Digest, Sha256};

use super::people::{Circle, PersonId};
use super::repost::{Shown, merged, with_reposts};
use super::timeline::below_all_of;
use super::{Eyes, Index, Key};
use crate::id::{PostId, UserName};
use crate::limits::PASSED_OVER_MAX;
use crate::text::Tag;
use crate::user::entry::PostRef;

/// Which list.
#[derive(Debug, Clone, Copy)]
pub enum Walk<'a> {
    /// Of the viewer and those they follow.
    Home,
    /// Everybody's.
    Everyone,
    /// Everybody's that have pictures.
    Pictured,
    /// What one person wrote and, if asked for, reposted.
    Of(&'a UserName, bool),
    /// What bears these tags.
    Tagged(TagsWanted<'a>),
}

/// Which tags, and what else of posts that bear them.
#[derive(Debug, Clone, Copy, Default)]
pub struct TagsWanted<'a> {
    /// One of these at least.
    pub any: &'a [Tag],
    /// And all of these.
    pub all: &'a [Tag],
    /// And none of these.
    pub none: &'a [Tag],
    /// Whether it must have pictures.
    pub only_pictures: bool,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Only what is older.
    pub below: Option<PostId>,
    /// Only what is newer.
    pub above: Option<PostId>,
    /// Whether to begin at the older end.
    pub is_rising: bool,
}

/// A post in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// Which.
    pub post: PostRef,
    /// By what number apps know the item: the post's own, or the repost's.
    pub id: PostId,
    /// Who reposted it, where it is there for that.
    pub by: Option<UserName>,
}

/// Posts, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WalkedList {
    /// As many as were asked for, or fewer where there are no more, and those of the same moment as the
    /// last.
    pub items: Vec<Walked>,
    /// Where to go on, if the walk ended early because too much in it is not for these eyes, or not wanted.
    pub stopped: Option<PostId>,
}

impl Span {
    /// Reposts are known by numbers that no place in a list has: only their time is one.
    fn place(id: PostId) -> PostId {
        if is_repost(id) { PostId::floor_of(id.at_ms()) } else { id }
    }
}

/// Whether a number is that of a repost: those of posts name a machine.
const fn is_repost(id: PostId) -> bool {
    (id.get() >> 12).trailing_zeros() >= 4
}

/// The number by which apps know a repost.
fn repost_id(place: PostId, by: &UserName, post: &PostRef) -> PostId {
    made_of(place, &format!("{by} {} {}", post.user, post.id))
}

/// A number in the millisecond of a place, which no post has.
fn made_of(place: PostId, text: &str) -> PostId {
    let [a, b, ..] = <[u8; 32]>::from(Sha256::digest(text));
    PostId::from_raw(place.get() | u64::from(u16::from_be_bytes([a, b]) & 0xfff))
}

impl Index {
    /// Up to `n` posts of a list.
    pub fn walk(&self, eyes: Eyes, list: Walk<'_>, span: Span, n: usize) -> WalkedList {
        let is_public = matches!(list, Walk::Everyone | Walk::Pictured | Walk::Tagged(_));
        let eyes = if is_public { eyes.in_public() } else { eyes };
        let (below, above) = (span.below.map(Span::place), span.above.map(Span::place));
        let within = |item: &Shown| {
            below.is_none_or(|below| item.place() < below)
                && above.is_none_or(|above| item.place() > above)
        };
        let is_wanted = |item: Shown| match list {
            Walk::Tagged(tags) => self.bears_wanted(tags, item.post()),
            _ => true,
        };
        if span.is_rising {
            let rising = self.rising(eyes, list, above);
            let mut found = self.first(eyes, rising.take_while(within), is_wanted, n);
            found.items.reverse();
            return found;
        }
        let hides = matches!(list, Walk::Tagged(_) | Walk::Pictured);
        let falling = self.falling(eyes, list, below).take_while(within);
        let falling = falling.filter(|it| !hides || self.shows_text_of(eyes, it.post()));
        self.first(eyes, falling, is_wanted, n)
    }

    fn bears_wanted(&self, wanted: TagsWanted<'_>, post: Key) -> bool {
        let TagsWanted { any: _, all, none, only_pictures } = wanted;
        (!only_pictures || self.has_pictures(post))
            && all.iter().all(|tag| self.bears_key(tag, post))
            && !none.iter().any(|tag| self.bears_key(tag, post))
    }

    /// The posts of that number, by author: mostly one, but two machines' clocks may have agreed.
    pub fn posts_numbered(&self, id: PostId) -> Vec<PostRef> {
        let first = below_all_of(id);
        let keys = self.timeline.up(std::ops::Bound::Included(&first));
        let keys = keys.take_while(|key| { key.id } == id);
        let mut posts: Vec<_> = keys.map(|key| self.post_ref(*key)).collect();
        posts.sort_unstable();
        posts
    }

    /// The repost that apps know by that number. Costs a search for each member.
    pub fn repost_numbered(&self, id: PostId) -> Option<Walked> {
        if !is_repost(id) {
            return None;
        }
        let place = Span::place(id);
        let made_then = self.people.ids().flat_map(|who| {
            let reposts = &self.people.get(who).reposts;
            let from = reposts.partition_point(|it| it.place < place);
            let then = reposts.get(from..).unwrap_or_default().iter();
            then.take_while(move |it| it.place == place)
                .map(move |it| Shown::reposted(place, who, it.post))
        });
        made_then.map(|shown| self.walked(shown)).find(|walked| walked.id == id)
    }

    /// The number by which apps know somebody's repost of a post, made at that place.
    pub fn number_of_repost(place: PostId, by: &UserName, post: &PostRef) -> PostId {
        repost_id(place, by, post)
    }

    /// The number by which a stream remembers that a like of that place was told.
    pub(super) fn number_of_like(place: PostId, by: &UserName, post: &PostRef) -> PostId {
        made_of(place, &format!("like {by} {} {}", post.user, post.id))
    }

    /// The same of a poll that ended there.
    pub(super) fn number_of_poll_end(place: PostId, post: &PostRef) -> PostId {
        made_of(place, &format!("end {} {}", post.user, post.id))
    }

    fn falling<'a>(
        &'a self,
        eyes: Eyes,
        list: Walk<'_>,
        below: Option<PostId>,
    ) -> Box<dyn Iterator<Item = Shown> + 'a> {
        let bound = below.map(below_all_of);
        match list {
            Walk::Everyone => {
                Box::new(self.timeline.down(bound.as_ref()).copied().map(Shown::from))
            }
            Walk::Pictured => Box::new(self.pictured_down(bound).map(Shown::from)),
            Walk::Tagged(tags) => Box::new(self.tagged_down(tags.any, below).map(Shown::from)),
            Walk::Of(name, reposts) => {
                let who = self.people.find(name);
                let posts = self.merged(who.into_iter(), bound);
                let reposts = self.reposts_of(who.filter(|_| reposts).into_iter(), below);
                Box::new(with_reposts(posts, reposts))
            }
            Walk::Home => {
                let (authors, followed) = self.home_authors(eyes);
                let posts = self.merged(authors.into_iter(), bound);
                Box::new(with_reposts(posts, self.reposts_of(followed.into_iter(), below)))
            }
        }
    }

    /// The same from the older end.
    fn rising<'a>(
        &'a self,
        eyes: Eyes,
        list: Walk<'_>,
        above: Option<PostId>,
    ) -> Box<dyn Iterator<Item = Shown> + 'a> {
        let from = PostId::from_raw(above.map_or(0, |above| above.get().saturating_add(1)));
        match list {
            Walk::Everyone => {
                let first = below_all_of(from);
                let keys = self.timeline.up(std::ops::Bound::Included(&first));
                Box::new(keys.copied().map(Shown::from))
            }
            Walk::Pictured => {
                let keys = self.pictured_up(below_all_of(from));
                let shown = keys.filter(move |key| self.shows_text_of(eyes, *key));
                Box::new(shown.map(Shown::from))
            }
            Walk::Tagged(tags) => {
                let keys = self.tagged_up(tags.any, from);
                let shown = keys.filter(move |key| self.shows_text_of(eyes, *key));
                Box::new(shown.map(Shown::from))
            }
            Walk::Of(name, reposts) => {
                let who: Vec<_> = self.people.find(name).into_iter().collect();
                let reposters = if reposts { who.clone() } else { Vec::new() };
                Box::new(self.rising_of(who, reposters, from))
            }
            Walk::Home => {
                let (authors, followed) = self.home_authors(eyes);
                Box::new(self.rising_of(authors, followed, from))
            }
        }
    }

    fn home_authors(&self, eyes: Eyes) -> (Vec<PersonId>, Vec<PersonId>) {
        let Some(viewer) = eyes.viewer else { return (Vec::new(), Vec::new()) };
        let mut reposters = self.people.circle(viewer, Circle::Follows).to_vec();
        reposters.push(viewer);
        (reposters.clone(), reposters)
    }

    fn rising_of(
        &self,
        authors: Vec<PersonId>,
        reposters: Vec<PersonId>,
        from: PostId,
    ) -> impl Iterator<Item = Shown> {
        let posts = authors.into_iter().map(move |author| {
            let posts = &self.people.get(author).posts;
            let newer = posts.get(posts.partition_point(|id| *id < from)..).unwrap_or_default();
            let shown = newer.iter().map(move |id| Reverse(Shown::from(Key { id: *id, author })));
            Box::new(shown) as Box<dyn Iterator<Item = Reverse<Shown>>>
        });
        let reposts = reposters.into_iter().map(move |who| {
            let all = &self.people.get(who).reposts;
            let newer = all.get(all.partition_point(|it| it.place < from)..).unwrap_or_default();
            let shown =
                newer.iter().map(move |it| Reverse(Shown::reposted(it.place, who, it.post)));
            Box::new(shown) as Box<dyn Iterator<Item = Reverse<Shown>>>
        });
        merged(posts.chain(reposts)).map(|Reverse(shown)| shown)
    }

    /// The first `n` of these that are wanted and that the eyes are shown.
    fn first(
        &self,
        eyes: Eyes,
        items: impl Iterator<Item = Shown>,
        is_wanted: impl Fn(Shown) -> bool,
        n: usize,
    ) -> WalkedList {
        let mut list = WalkedList::default();
        let (mut last, mut passed_over) = (None, 0);
        for item in items {
            let begins_place = last != Some(item.place());
            if begins_place && list.items.len() >= n {
                return list;
            }
            if begins_place && passed_over >= PASSED_OVER_MAX {
                return WalkedList { stopped: last, ..list };
            }
            last = Some(item.place());
            if is_wanted(item) && self.shows_item(eyes, item) && self.stands(item.post()) {
                list.items.push(self.walked(item));
            } else {
                passed_over += 1;
            }
        }
        list
    }

    fn walked(&self, item: Shown) -> Walked {
        let post = self.post_ref(item.post());
        let by = item.by().map(|by| self.people.get(by).name.clone());
        let id = by.as_ref().map_or(post.id, |by| repost_id(item.place(), by, &post));
        Walked { post, id, by }
    }
}
