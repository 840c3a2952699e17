//! Post numbers: unique in the cluster without asking anyone, never going back on this machine even
//! when its clock does, and above all that this machine knows even when its clock is behind.
//!
//! Whoever walks up a list goes on above the highest number that they saw: what comes later with a lower
//! one they never meet. So the last that is known counts beside the clock, as long as it is not so far ahead
//! that it says more of its machine's clock than of the order.

use parking_lot::Mutex;

use crate::clock::Wall;
use crate::id::{NodeId, PostId};
use crate::limits::ORDER_AHEAD_MS_MAX;

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

    /// A number above all given before, above `newest`, the last that is known here, and above `own`, the
    /// highest in the author's file.
    ///
    /// The low 12 bits count within a millisecond; when they are used up the next millisecond is
    /// begun early.
    pub(super) fn next(&self, now: Wall, newest: PostId, own: Option<PostId>) -> PostId {
        let mut last = self.last.lock();
        if *last >= PostId::floor_of(order_end(now).0).get() {
            *last = 0;
        }
        let fresh = PostId::first_of(now.0, self.node);
        let within = *last + 1;
        let is_ours = (within >> 12) == (*last >> 12);
        let next = if is_ours { PostId::from_raw(within) } else { self.after(*last) };
        let mut id = fresh.max(next);
        if id <= newest {
            id = self.after(newest.get());
        }
        *last = id.get();
        // Only in their own file somebody goes on by a clock that was far ahead.
        own.filter(|own| id <= *own).map_or(id, |own| self.after(own.get()))
    }

    /// The first of the next millisecond.
    const fn after(&self, id: u64) -> PostId {
        PostId::first_of(PostId::from_raw(id).at_ms() + 1, self.node)
    }
}

/// From when on what somebody wrote is not what others must come after.
pub(super) const fn order_end(now: Wall) -> Wall {
    Wall(now.0.saturating_add(ORDER_AHEAD_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> PostIds {
        PostIds::new(NodeId::new(3).unwrap())
    }

    const NONE: PostId = PostId::from_raw(0);

    #[test]
    fn post_ids_clock_back_never_go_back() {
        let ids = ids();
        let first = ids.next(Wall(1_000), NONE, None);
        let second = ids.next(Wall(10), NONE, None);
        assert!(second > first);
        assert_eq!(second.at_ms(), 1_000);
    }

    #[test]
    fn post_ids_above_the_authors_highest() {
        let ids = ids();
        let floor = PostId::first_of(5_000, NodeId::new(9).unwrap());
        assert!(ids.next(Wall(1_000), NONE, Some(floor)) > floor);
    }

    #[test]
    fn post_ids_many_in_a_millisecond_stay_this_machines() {
        let ids = ids();
        let mut last = ids.next(Wall(1_000), NONE, None);
        for _ in 0..10_000 {
            let next = ids.next(Wall(1_000), NONE, None);
            assert!(next > last);
            assert_eq!(next.get() >> 12 & 0xf, 3, "another machine's share");
            last = next;
        }
    }

    #[test]
    fn r0103_clock_that_is_behind_gives_a_number_below_none_that_is_known() {
        let ids = ids();
        let newest = PostId::first_of(5_000, NodeId::new(9).unwrap());
        let id = ids.next(Wall(1_000), newest, None);
        assert!(id > newest);
        assert!(ids.next(Wall(1_000), NONE, None) > id);
    }

    #[test]
    fn r0103_one_author_that_is_far_ahead_takes_nobody_along() {
        let (ids, now) = (ids(), Wall(1_000));
        let far = PostId::floor_of(order_end(now).0);
        assert!(ids.next(now, NONE, Some(far)) > far);
        assert_eq!(ids.next(now, NONE, None).at_ms(), 1_000);
        // Nor does this machine's own clock, once it is put right.
        ids.next(order_end(now), NONE, None);
        assert_eq!(ids.next(now, NONE, None).at_ms(), 1_000);
    }
}
