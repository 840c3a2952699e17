//! What answers a post.

use std::ops::Bound;

use super::people::PersonId;
use super::sorted::SortedChunks;
use super::{Edge, Eyes, Index, Key};
use crate::id::PostId;
use crate::limits::PASSED_OVER_MAX;
use crate::user::entry::PostRef;

/// What answers a post, at any depth: each reply is followed by its own replies, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thread {
    /// At most as many as were asked for.
    pub replies: Vec<Reply>,
    /// Whether there are more.
    pub more: bool,
}

/// A reply in a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The reply.
    pub post: PostRef,
    /// 1 for a reply to the post itself, 2 for a reply to that, and so on.
    pub depth: u32,
    /// Whether it answers what these eyes are not shown, and no reply before it says so.
    pub is_below_unseen: bool,
}

/// Where in a thread a list of its replies begins.
#[derive(Debug, Clone, Copy, Default)]
pub enum Begin<'a> {
    /// With the first.
    #[default]
    First,
    /// With the first of those that answer the post itself and have this number or a higher one.
    Child(PostId),
    /// Behind a reply, with what answers it: the way down to it, each answering the one before and the first
    /// the post itself.
    Behind(&'a [PostRef]),
}

/// A post whose replies are being listed, and where to go on in them.
struct Cursor {
    parent: Key,
    from: Bound<Edge>,
    /// Whether the post is not shown, and no reply below it was found yet, which would say so.
    is_untold: bool,
}

impl Index {
    /// Up to `n` posts that answer `post`, and those that answer them.
    ///
    /// What answers a deleted reply hangs from nothing and is not found: what that answered is nowhere any
    /// more. What answers a reply that the eyes are not shown is, but below what is for few: to whom it is
    /// not there is no such post, and nothing answers it.
    pub fn replies(&self, eyes: Eyes, post: &PostRef, n: usize) -> Thread {
        self.replies_from(eyes, post, Begin::First, n)
    }

    /// The same, from some place in them on.
    pub fn replies_from(&self, eyes: Eyes, post: &PostRef, begin: Begin<'_>, n: usize) -> Thread {
        let mut thread = Thread::default();
        let Some(root) = self.key(post) else { return thread };
        let mut path = self.path(root, begin);
        let mut passed_over = 0;
        // A list and no recursion: a chain of replies may be as deep as it is long.
        while let Some(cursor) = path.last_mut() {
            let Some(child) = cursor.next(self) else {
                path.pop();
                continue;
            };
            // Each post answers at most one, so a circle, which no honest file holds, could only lead
            // back to where we began.
            if child == root || !self.is_for_key(eyes, child) {
                continue;
            }
            if !self.shows_key(eyes, child) {
                // However much of what is not shown hangs together, it is looked through for a while alone.
                passed_over += 1;
                if passed_over <= PASSED_OVER_MAX {
                    path.push(Cursor { is_untold: true, ..Cursor::at_first_of(child) });
                }
                continue;
            }
            if thread.replies.len() >= n {
                thread.more = true;
                break;
            }
            let depth = u32::try_from(path.len()).unwrap_or(u32::MAX);
            let is_below_unseen = path.last().is_some_and(|parent| parent.is_untold);
            for above in &mut path {
                above.is_untold = false;
            }
            thread.replies.push(Reply { post: self.post_ref(child), depth, is_below_unseen });
            path.push(Cursor::at_first_of(child));
        }
        thread
    }

    /// Where to go on in the replies of `root`, of each post on the way down, and last of the one on top.
    fn path(&self, root: Key, begin: Begin<'_>) -> Vec<Cursor> {
        let mut path = vec![Cursor::at_first_of(root)];
        match begin {
            Begin::First => {}
            Begin::Child(id) => {
                let from = Edge { child_id: id, ..first_of(root) };
                path = vec![Cursor { from: Bound::Included(from), ..Cursor::at_first_of(root) }];
            }
            Begin::Behind(way) => {
                for child in way.iter().filter_map(|post| self.key(post)) {
                    if let Some(last) = path.last_mut() {
                        last.from = Bound::Excluded(Edge::of(last.parent, child));
                    }
                    path.push(Cursor::at_first_of(child));
                }
            }
        }
        path
    }

    /// How many posts answer `post` itself, of those that the eyes are shown.
    pub fn reply_count(&self, eyes: Eyes, post: &PostRef) -> u32 {
        let Some(parent) = self.key(post) else { return 0 };
        let children = self.replies.children(parent);
        let count = children.filter(|child| self.shows_key(eyes, *child)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl SortedChunks<Edge> {
    /// What answers a post itself, oldest first.
    pub(super) fn children(&self, parent: Key) -> impl Iterator<Item = Key> {
        let edges = self.up(Bound::Included(&first_of(parent))).copied();
        edges.take_while(move |edge| edge.parent() == parent).map(Edge::child)
    }
}

impl Cursor {
    fn at_first_of(parent: Key) -> Self {
        Self { parent, from: Bound::Included(first_of(parent)), is_untold: false }
    }

    fn next(&mut self, index: &Index) -> Option<Key> {
        let edge = *index.replies.up(self.from.as_ref()).next()?;
        self.from = Bound::Excluded(edge);
        (edge.parent() == self.parent).then_some(edge.child())
    }
}

impl Edge {
    const fn of(parent: Key, child: Key) -> Self {
        Self {
            parent_id: parent.id,
            parent_author: parent.author,
            child_id: child.id,
            child_author: child.author,
        }
    }

    pub(super) const fn parent(self) -> Key {
        Key { id: self.parent_id, author: self.parent_author }
    }

    const fn child(self) -> Key {
        Key { id: self.child_id, author: self.child_author }
    }
}

/// Not above any reply of that post.
const fn first_of(parent: Key) -> Edge {
    Edge::of(parent, Key { id: PostId::from_raw(0), author: PersonId::FIRST })
}
