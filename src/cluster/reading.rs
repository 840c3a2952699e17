//! The index while a thread reads it, which it does once at a time.
//!
//! A thread that begins to read it again while it still does waits for any writer that came in between, and
//! that one waits for it: for ever. So builds with assertions, as tests are, refuse a second reading whether
//! or not a writer waits just then.

use std::cell::Cell;
use std::ops::Deref;

use parking_lot::{RwLock, RwLockReadGuard};

use crate::index::Index;

thread_local! {
    static READS: Cell<bool> = const { Cell::new(false) };
}

/// The index as it is; nobody changes it as long as this is held.
pub struct Reading<'a>(RwLockReadGuard<'a, Index>);

impl<'a> Reading<'a> {
    /// # Panics
    /// In builds with assertions, if this thread reads it already.
    pub(super) fn of(index: &'a RwLock<Index>) -> Self {
        let was_reading = cfg!(debug_assertions) && READS.replace(true);
        assert!(!was_reading, "the index is read by a thread that reads it already");
        Self(index.read())
    }
}

impl Deref for Reading<'_> {
    type Target = Index;

    fn deref(&self) -> &Index {
        &self.0
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if cfg!(debug_assertions) {
            READS.set(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "read by a thread that reads it already")]
    fn index_read_twice_at_once_is_refused() {
        let index = RwLock::new(Index::new());
        let first = Reading::of(&index);
        assert_eq!(first.posts() + Reading::of(&index).posts(), 0);
    }

    #[test]
    fn index_read_again_once_it_was_let_go_and_by_others_meanwhile() {
        let index = RwLock::new(Index::new());
        drop(Reading::of(&index));
        let here = Reading::of(&index);
        let there =
            std::thread::scope(|scope| scope.spawn(|| Reading::of(&index).posts()).join().unwrap());
        assert_eq!(here.posts(), there);
    }
}
