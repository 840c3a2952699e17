//! What happened to the machines lately, as this one saw it: a short memory, for people. It is kept
//! nowhere, and nothing is decided by it.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::clock::{Clock, Wall};
use crate::id::NodeId;
use crate::limits::CHANGES_KEPT;
use crate::wire::status::ChangeKind;

/// The last changes. Its lock is a leaf.
#[derive(Debug)]
pub struct Changes {
    clock: Clock,
    last: Mutex<VecDeque<Noted>>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// When.
    pub at: Wall,
    /// To which machine.
    pub node: NodeId,
    /// What.
    pub what: ChangeKind,
}

impl Changes {
    /// Nothing has happened yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, last: Mutex::default() }
    }

    /// Remembers that this happened now; the oldest change beyond [`CHANGES_KEPT`] is forgotten.
    pub fn note(&self, what: ChangeKind, node: NodeId) {
        let noted = Noted { at: self.clock.wall(), node, what };
        let mut last = self.last.lock();
        last.push_front(noted);
        last.truncate(CHANGES_KEPT);
    }

    /// The last `count` changes, the newest first.
    pub fn last(&self, count: usize) -> Vec<Noted> {
        self.last.lock().iter().take(count).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Mono;

    #[test]
    fn changes_newest_first_and_bounded() {
        let clock = Clock::manual(Mono(0), Wall(0));
        let changes = Changes::new(clock.clone());
        let node = NodeId::new(2).unwrap();
        assert_eq!(changes.last(5), []);
        for ms in 0..=CHANGES_KEPT as u64 {
            clock.set(Mono(ms), Wall(ms));
            changes.note(ChangeKind::Down, node);
        }
        let at: Vec<_> = changes.last(2).iter().map(|noted| noted.at.0).collect();
        assert_eq!(at, [CHANGES_KEPT as u64, CHANGES_KEPT as u64 - 1]);
        assert_eq!(changes.last(usize::MAX).len(), CHANGES_KEPT);
    }
}
