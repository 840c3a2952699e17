//! Room in lists that hold most of the memory.

use crate::limits::LIST_GROWTH_PART;

/// Makes room for so many more items. `Vec` doubles: after a start, when each list is as long as what
/// it holds, one more post of everybody would take the memory of all of them again.
pub fn make_room<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more.max(list.len() / LIST_GROWTH_PART));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_by_a_part_and_seldom() {
        let (mut list, mut moved) = (Vec::new(), 0);
        for item in 0..100_000u32 {
            let before = list.capacity();
            make_room(&mut list, 1);
            moved += usize::from(list.capacity() != before);
            list.push(item);
            assert!(list.capacity() <= list.len() + list.len() / LIST_GROWTH_PART + 1);
        }
        assert!(moved < 200, "moved {moved} times");
        make_room(&mut list, 50_000);
        assert!(list.capacity() >= 150_000);
    }
}
