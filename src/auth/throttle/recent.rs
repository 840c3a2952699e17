//! A map that remembers so many keys, and forgets the one not touched for longest.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// The map. Its hashing is keyed at random, because strangers choose the keys.
pub(crate) struct Recent<K, V> {
    keys_max: usize,
    touches: u64,
    entries: HashMap<K, (u64, V)>,
    /// Keys by the count of touches at which each was touched last.
    order: BTreeMap<u64, K>,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    pub(crate) fn new(keys_max: usize) -> Self {
        assert!(keys_max > 0, "a map of no keys remembers nothing");
        Self { keys_max, touches: 0, entries: HashMap::new(), order: BTreeMap::new() }
    }

    /// A key's value, untouched.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// A key's value to change in place, untouched.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// A key's value, made if it is not there; from now on the last to be forgotten.
    pub(crate) fn touch(&mut self, key: &K) -> &mut V
    where
        V: Default,
    {
        self.touches += 1;
        if let Some((touched, _)) = self.entries.get(key) {
            self.order.remove(touched);
        } else if self.entries.len() >= self.keys_max
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        self.order.insert(self.touches, key.clone());
        let (touched, value) = self.entries.entry(key.clone()).or_default();
        *touched = self.touches;
        value
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, key: &K) {
        if let Some((touched, _)) = self.entries.remove(key) {
            self.order.remove(&touched);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_full_forgets_untouched_longest() {
        let mut map = Recent::<u32, u32>::new(3);
        for key in [1, 2, 3, 1, 4] {
            *map.touch(&key) += 1;
        }
        assert_eq!(
            [1, 2, 3, 4].map(|key| map.get(&key).copied()),
            [Some(2), None, Some(1), Some(1)]
        );
        assert_eq!((map.entries.len(), map.order.len()), (3, 3));
    }

    #[test]
    fn recent_removed_key_leaves_room() {
        let mut map = Recent::<u32, u32>::new(2);
        map.touch(&1);
        map.touch(&2);
        map.remove(&2);
        map.remove(&9);
        map.touch(&3);
        assert!(map.get(&1).is_some() && map.get(&2).is_none() && map.get(&3).is_some());
        assert_eq!((map.entries.len(), map.order.len()), (2, 2));
    }
}
