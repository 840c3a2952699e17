//! Putting few things in order. The standard library's sorts, and `collect` into an ordered set or map,
//! which sorts first, are some 6 KB of program for each type of things; here all types share one.
//! For what is sorted by the hundred thousand, they are quicker.

use std::cmp::Ordering;

/// Sorts; what is equal stays in its order.
pub(crate) fn sort_by<T>(items: &mut Vec<T>, mut compare: impl FnMut(&T, &T) -> Ordering) {
    let order = order(items.len(), &mut |a, b| match (items.get(a), items.get(b)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    let mut unsorted: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(order.into_iter().filter_map(|place| unsorted.get_mut(place)?.take()));
}

/// [`sort_by`] what a function says of each.
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// The places of so many things, in order.
fn order(count: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|one, other| compare(*one, *other));
    places
}

/// As `collect`, one after the other.
pub(crate) fn gather<T, C: Default + Extend<T>>(items: impl IntoIterator<Item = T>) -> C {
    let mut gathered = C::default();
    gathered.extend(items);
    gathered
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn sorted_as_by_the_standard_library() {
        for count in [0_u64, 1, 2, 21, 500] {
            let mut ours: Vec<(u64, String)> =
                (0..count).map(|n| (n * 7_919 % 31, n.to_string())).collect();
            let mut theirs = ours.clone();
            theirs.sort_by_key(|(key, _)| *key);
            sort_by_key(&mut ours, |(key, _)| *key);
            assert_eq!(ours, theirs);
            theirs.sort_by_key(|(key, _)| Reverse(*key));
            sort_by(&mut ours, |(one, _), (other, _)| other.cmp(one));
            assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn last_of_one_key_stands_in_what_is_gathered() {
        let pairs = [(3, 'a'), (1, 'b'), (3, 'c')];
        let gathered: BTreeMap<u8, char> = gather(pairs);
        assert_eq!(gathered, pairs.into_iter().collect());
    }
}
