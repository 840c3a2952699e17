//! What was made lately and may be wanted again, as much of it as has a fixed number of places.

use std::fmt::{self, Debug, Formatter};
use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::Mutex;

/// Things in sets, by a key's hash; a new one takes the place of its set's oldest. Of two with one key both
/// are kept, and whoever looks says which they want.
pub(crate) struct Recent<T> {
    hasher: RandomState,
    /// The newest first. They take no memory before there is something in them.
    sets: Box<[Mutex<Vec<T>>]>,
}

/// Things of a set: enough that some dozens which are wanted together hardly ever fall on one.
const SET: usize = 4;

impl<T> Recent<T> {
    /// With so many places, rounded up.
    pub(crate) fn new(places: usize) -> Self {
        let sets = (0..places.div_ceil(SET).max(1)).map(|_| Mutex::default()).collect();
        Self { hasher: RandomState::new(), sets }
    }

    /// What `of` gives of one of this key, if it gives something. Others that want a thing of the same set
    /// wait for it.
    pub(crate) fn find<R>(&self, key: impl Hash, of: impl Fn(&T) -> Option<R>) -> Option<R> {
        let set = self.set(key)?.lock();
        set.iter().find_map(of)
    }

    /// Keeps one.
    pub(crate) fn keep(&self, key: impl Hash, one: T) {
        let Some(set) = self.set(key) else { return };
        let mut kept = set.lock();
        let oldest = if kept.len() < SET { None } else { kept.pop() };
        kept.insert(0, one);
        drop(kept);
        // Where nobody waits.
        drop(oldest);
    }

    /// Drops all of which this is true.
    pub(crate) fn forget(&self, is: impl Fn(&T) -> bool) {
        for set in &self.sets {
            set.lock().retain(|one| !is(one));
        }
    }

    fn set(&self, key: impl Hash) -> Option<&Mutex<Vec<T>>> {
        let index = self.hasher.hash_one(key) % u64::try_from(self.sets.len()).ok()?;
        self.sets.get(usize::try_from(index).ok()?)
    }
}

impl<T> Debug for Recent<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("sets", &self.sets.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(recent: &Recent<(u32, u32)>, key: u32) -> Option<u32> {
        recent.find(key, |(of, value)| (*of == key).then_some(*value))
    }

    fn all(recent: &Recent<(u32, u32)>) -> usize {
        recent.sets.iter().map(|set| set.lock().len()).sum()
    }

    #[test]
    fn newest_found_and_no_more_kept_than_there_are_places() {
        let recent = Recent::new(8);
        for key in 0..1_000 {
            recent.keep(key, (key, key * 7));
            assert_eq!(found(&recent, key), Some(key * 7));
            assert!(all(&recent) <= 8);
        }
        assert_eq!(all(&recent), 8);
        assert_eq!(found(&recent, 0), None);
        assert_eq!(Recent::<()>::new(0).sets.len(), 1);
    }

    #[test]
    fn oldest_of_a_set_goes_first() {
        let recent = Recent::new(SET);
        for key in 1..=4 {
            recent.keep(key, (key, key));
        }
        recent.keep(5, (5, 5));
        assert_eq!(found(&recent, 1), None);
        assert!((2..=5).all(|key| found(&recent, key) == Some(key)));
    }

    #[test]
    fn forgotten_are_gone_and_others_stay() {
        let recent = Recent::new(64);
        (0..16).for_each(|key| recent.keep(key, (key, key)));
        let before: Vec<_> = (0..16).map(|key| found(&recent, key)).collect();
        recent.forget(|(key, _)| key % 2 == 0);
        for (key, before) in (0..).zip(before) {
            assert_eq!(found(&recent, key), before.filter(|_| key % 2 == 1));
        }
    }
}
