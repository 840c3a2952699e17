//! Names and tags, and the posts that bear them.

use std::collections::BTreeMap;
use std::ops::Bound;

use std::cmp::Reverse;

use super::people::PersonId;
use super::repost::merged;
use super::sorted::SortedChunks;
use super::timeline::{PostList, below_all_of};
use super::{Eyes, Index, Key};
use crate::id::{PostId, UserName};
use crate::limits::{RECENT_TAGS_KEPT, RECENT_TAGS_STEPS_MAX};
use crate::text::{Label, Tag};
use crate::user::User;
use crate::user::entry::PostRef;

/// A label's number in this process. Never on disk or wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LabelId(u32);

/// A post that bears a label; sorted so that one label's posts stand together, in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    label: LabelId,
    id: PostId,
    author: PersonId,
}

/// A tag that a post bears, in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tagged {
    id: PostId,
    author: PersonId,
    label: LabelId,
}

const _: () = assert!(size_of::<Use>() == 16 && size_of::<Tagged>() == 16);

/// Invariants: `uses` holds what the posts that stand bear, without those who name themselves; `tagged`
/// holds tags among these, none older than one that was left out, and at most [`RECENT_TAGS_KEPT`].
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    ids: BTreeMap<Label, LabelId>,
    list: Vec<Label>,
    uses: SortedChunks<Use>,
    tagged: SortedChunks<Tagged>,
}

impl Labels {
    /// All at once, at start.
    pub(super) fn fill(&mut self, uses: Vec<Use>, mut tagged: Vec<Tagged>) {
        self.uses = SortedChunks::from_unsorted(uses);
        keep_newest(&mut tagged);
        self.tagged = SortedChunks::from_unsorted(tagged);
    }

    fn tag(&mut self, tagged: Tagged) {
        self.tagged.insert(tagged);
        if self.tagged.len() > RECENT_TAGS_KEPT {
            let oldest = self.tagged.up(Bound::Unbounded).next().copied();
            if let Some(oldest) = oldest {
                self.tagged.remove(&oldest);
            }
        }
    }

    #[expect(clippy::expect_used, reason = "four thousand million labels do not fit the memory")]
    fn intern(&mut self, label: &Label) -> LabelId {
        if let Some(id) = self.ids.get(label) {
            return *id;
        }
        let id = LabelId(u32::try_from(self.list.len()).expect("too many labels"));
        self.ids.insert(label.clone(), id);
        self.list.push(label.clone());
        id
    }

    /// The posts that bear a label, below `before`, newest first.
    pub(super) fn down<'a>(
        &'a self,
        label: &Label,
        before: Option<PostId>,
    ) -> impl Iterator<Item = Key> + use<'a> {
        let id = self.ids.get(label).copied();
        id.into_iter().flat_map(move |label| {
            // Below every post of that number, or above all of the label's.
            let bound = before.map(|id| Use { label, id, author: PersonId::FIRST });
            let next = Use {
                label: LabelId(label.0.saturating_add(1)),
                id: PostId::from_raw(0),
                author: PersonId::FIRST,
            };
            let below = self.uses.down(Some(&bound.unwrap_or(next)));
            below.take_while(move |found| found.label == label).map(Use::post)
        })
    }

    /// The posts that bear a label, from `from` on, oldest first.
    fn up<'a>(&'a self, label: &Label, from: PostId) -> impl Iterator<Item = Key> + use<'a> {
        let id = self.ids.get(label).copied();
        id.into_iter().flat_map(move |label| {
            let first = Use { label, id: from, author: PersonId::FIRST };
            let from = self.uses.up(std::ops::Bound::Included(&first));
            from.take_while(move |found| found.label == label).map(Use::post)
        })
    }

    /// Whether a post bears a label.
    pub(super) fn is_on(&self, label: &Label, post: Key) -> bool {
        let of = |label: &LabelId| Use { label: *label, id: post.id, author: post.author };
        self.ids.get(label).is_some_and(|label| self.uses.contains(&of(label)))
    }
}

impl Use {
    const fn post(&self) -> Key {
        Key { id: self.id, author: self.author }
    }
}

impl Index {
    /// Up to `n` posts that bear a tag, older than `before`, without those whose text is hidden.
    pub fn tagged(&self, eyes: Eyes, tag: &Tag, before: Option<PostId>, n: usize) -> PostList {
        let eyes = eyes.in_public();
        let posts = self.labels.down(&Label::of_tag(tag), before);
        self.page(eyes, posts.filter(|post| self.shows_text_of(eyes, *post)), n)
    }

    /// The posts that bear any of these tags, below `before`, newest first.
    pub(super) fn tagged_down<'a>(
        &'a self,
        tags: &[Tag],
        before: Option<PostId>,
    ) -> impl Iterator<Item = Key> + use<'a> {
        let lists: Vec<_> =
            tags.iter().map(|tag| self.labels.down(&Label::of_tag(tag), before)).collect();
        once_each(merged(lists.into_iter()))
    }

    /// The posts that bear any of these tags, from `from` on, oldest first.
    pub(super) fn tagged_up<'a>(
        &'a self,
        tags: &[Tag],
        from: PostId,
    ) -> impl Iterator<Item = Key> + use<'a> {
        let up = |tag| self.labels.up(&Label::of_tag(tag), from).map(Reverse);
        let lists: Vec<_> = tags.iter().map(up).collect();
        once_each(merged(lists.into_iter())).map(|Reverse(key)| key)
    }

    /// Whether a post bears a tag.
    pub fn bears(&self, tag: &Tag, post: &PostRef) -> bool {
        self.key(post).is_some_and(|key| self.bears_key(tag, key))
    }

    pub(super) fn bears_key(&self, tag: &Tag, post: Key) -> bool {
        self.labels.is_on(&Label::of_tag(tag), post)
    }

    /// Up to `n` tags, those first that were used last. Looks at a limited number of posts.
    pub fn recent_tags(&self, eyes: Eyes, n: usize) -> Vec<Tag> {
        let (eyes, mut found) = (eyes.in_public(), Vec::<LabelId>::new());
        for tagged in self.labels.tagged.down(None).take(RECENT_TAGS_STEPS_MAX) {
            if found.len() >= n {
                break;
            }
            let post = Key { id: tagged.id, author: tagged.author };
            if !found.contains(&tagged.label) && self.shows_text_of(eyes, post) {
                found.push(tagged.label);
            }
        }
        let tag = |id: LabelId| self.labels.list.get(id.0 as usize)?.tag();
        found.into_iter().filter_map(tag).collect()
    }

    /// What a user's posts bear, for [`Labels::fill`].
    pub(super) fn labels_of(
        &mut self,
        author: PersonId,
        user: &User,
        uses: &mut Vec<Use>,
        tagged: &mut Vec<Tagged>,
    ) {
        // Most people write about the same thing for a while.
        let mut last: Option<(&Label, LabelId)> = None;
        for (id, label) in user.labels.iter().filter(|(_, label)| !label.is_name(&user.name)) {
            let known = last.filter(|(known, _)| *known == label);
            let number = known.map_or_else(|| self.labels.intern(label), |(_, number)| number);
            last = Some((label, number));
            uses.push(Use { label: number, id, author });
            if label.is_tag() {
                tagged.push(Tagged { id, author, label: number });
            }
        }
        if tagged.len() > 2 * RECENT_TAGS_KEPT {
            keep_newest(tagged);
        }
    }

    /// Takes note that of two sorted lists of what one author's posts bear the second holds now.
    pub(super) fn relabel(
        &mut self,
        author: PersonId,
        before: &[(PostId, Label)],
        after: &[(PostId, Label)],
    ) {
        let lacks = |list: &[(PostId, Label)], item| list.binary_search(item).is_err();
        for (id, label) in before.iter().filter(|item| lacks(after, item)) {
            let label = self.labels.intern(label);
            self.labels.uses.remove(&Use { label, id: *id, author });
            self.labels.tagged.remove(&Tagged { id: *id, author, label });
        }
        let own: UserName = self.people.get(author).name.clone();
        for (id, label) in after.iter().filter(|item| lacks(before, item)) {
            if label.is_name(&own) {
                continue;
            }
            let number = self.labels.intern(label);
            self.labels.uses.insert(Use { label: number, id: *id, author });
            if label.is_tag() {
                self.labels.tag(Tagged { id: *id, author, label: number });
            }
        }
    }

    /// The posts that name somebody, of others, below `before`, newest first.
    pub(super) fn naming<'a>(
        &'a self,
        name: &UserName,
        before: Option<PostId>,
    ) -> impl Iterator<Item = Key> + use<'a> {
        self.labels.down(&Label::of_name(name), before)
    }

    /// The same from `from` on, oldest first.
    pub(super) fn naming_up<'a>(
        &'a self,
        name: &UserName,
        from: PostId,
    ) -> impl Iterator<Item = Key> + use<'a> {
        self.labels.up(&Label::of_name(name), from)
    }

    /// The posts of somebody and those that name them, below `before`, newest first.
    pub(super) fn by_or_naming<'a>(
        &'a self,
        name: &UserName,
        before: Option<PostId>,
    ) -> impl Iterator<Item = Key> + use<'a> {
        let below = before.map(below_all_of);
        let own = self.merged(self.people.find(name).into_iter(), below);
        merge(own, self.naming(name, before))
    }
}

/// Leaves out what is older than what is kept.
fn keep_newest(tagged: &mut Vec<Tagged>) {
    if let Some(surplus) = tagged.len().checked_sub(RECENT_TAGS_KEPT) {
        tagged.sort_unstable();
        tagged.drain(..surplus);
    }
}

/// Without what stands twice in a row.
fn once_each<T: PartialEq + Copy>(items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let mut last = None;
    items.filter(move |item| last.replace(*item) != Some(*item))
}

/// Two lists that fall, as one that falls.
fn merge(
    one: impl Iterator<Item = Key>,
    other: impl Iterator<Item = Key>,
) -> impl Iterator<Item = Key> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(a), Some(b)) if a < b => other.next(),
        (Some(_), _) => one.next(),
        (None, _) => other.next(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::world::{ANYONE, World};
    use super::*;
    use crate::clock::Wall;
    use crate::user::entry::Entry;

    #[test]
    fn tags_kept_to_tell_the_last_are_bounded() {
        let mut world = World::default();
        world.write("ada", &Entry::Joined { at: Wall(1) });
        let count = 2 * RECENT_TAGS_KEPT + 2;
        for number in 1..=count {
            let (id, text) = (PostId::from_raw(number as u64), format!("on #tag{number}"));
            let entry = Entry::Posted {
                at: Wall(1),
                id,
                text,
                reply_to: None,
                note: None,
                pictures: Vec::new(),
                sensitive: false,
            };
            world.write("ada", &entry);
        }
        let last = [count, count - 1].map(|number| format!("tag{number}"));
        for index in [&Index::build(world.users.values()), &world.index] {
            assert_eq!(index.labels.tagged.len(), RECENT_TAGS_KEPT);
            let tags = index.recent_tags(ANYONE, 2);
            assert!(tags.iter().map(ToString::to_string).eq(last.clone()), "{tags:?}");
            let first = Tag::parse("tag1").unwrap();
            assert_eq!(index.tagged(ANYONE, &first, None, 2).posts.len(), 1, "found all the same");
        }
    }
}
