//! Post numbers: unique in the cluster without asking anyone, never going back on this machine even
//! when its clock does.

use parking_lot::Mutex;

use crate::clock::Wall;
use crate::id::{NodeId, PostId};

/// Gives out post numbers.
pub(super) struct PostIds {
    node: NodeId,
    last: Mutex<u64>,
}

impl PostIds {
    /// A source of this machine's numbers.
    pub(super) const fn new(node: NodeId) -> Self {
        Self { node, last: Mutex::new(0) }
    }

    /// A number above all given before and above `floor`, the highest in the author's file.
    ///
    /// The low 12 bits count within a millisecond; when they are used up the next millisecond is
    /// begun early.
    pub(super) fn next(&self, now: Wall, floor: Option<PostId>) -> PostId {
        let mut last = self.last.lock();
        let floor = floor.map_or(0, PostId::get);
        let fresh = PostId::first_of(now.0, self.node).get();
        let within = *last + 1;
        let is_ours = (within >> 12) == (*last >> 12);
        let mut id = fresh.max(if is_ours {
            within
        } else {
            PostId::first_of(PostId::from_raw(*last).at_ms() + 1, self.node).get()
        });
        if id <= floor {
            id = PostId::first_of(PostId::from_raw(floor).at_ms() + 1, self.node).get();
        }
        *last = id;
        PostId::from_raw(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> PostIds {
        PostIds::new(NodeId::new(3).unwrap())
    }

    #[test]
    fn post_ids_clock_back_never_go_back() {
        let ids = ids();
        let first = ids.next(Wall(1_000), None);
        let second = ids.next(Wall(10), None);
        assert!(second > first);
        assert_eq!(second.at_ms(), 1_000);
    }

    #[test]
    fn post_ids_above_the_authors_highest() {
        let ids = ids();
        let floor = PostId::first_of(5_000, NodeId::new(9).unwrap());
        assert!(ids.next(Wall(1_000), Some(floor)) > floor);
    }

    #[test]
    fn post_ids_many_in_a_millisecond_stay_this_machines() {
        let ids = ids();
        let mut last = ids.next(Wall(1_000), None);
        for _ in 0..10_000 {
            let next = ids.next(Wall(1_000), None);
            assert!(next > last);
            assert_eq!(next.get() >> 12 & 0xf, 3, "another machine's share");
            last = next;
        }
    }
}
