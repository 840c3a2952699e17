//! Whether the disk is slow: what others see of it are timeouts, which may come of anything.

use parking_lot::Mutex;

use crate::clock::Mono;
use crate::limits::{DISK_SLOW_MS, DISK_SLOW_TOLD_MS};

/// Writes that took long, and when that was said.
#[derive(Debug, Default)]
pub(super) struct SlowDisk(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    next: Mono,
    /// Milliseconds of the longest since then, and how many there were.
    longest: u64,
    count: u64,
}

impl SlowDisk {
    /// Takes note of one write. What is to be said, if anything: how many were slow since it was said
    /// last, and milliseconds of the longest.
    fn note(&self, begun: Mono, now: Mono) -> Option<(u64, u64)> {
        let ms = now.since_ms(begun);
        if ms < DISK_SLOW_MS {
            return None;
        }
        let mut told = self.0.lock();
        told.longest = told.longest.max(ms);
        told.count += 1;
        if now < told.next {
            return None;
        }
        let (count, longest) = (told.count, told.longest);
        *told = Told { next: now.plus_ms(DISK_SLOW_TOLD_MS), ..Told::default() };
        Some((count, longest))
    }

    /// The same, and says it.
    pub(super) fn wrote(&self, begun: Mono, now: Mono) {
        if let Some((writes, ms)) = self.note(begun, now) {
            log::warn!(writes, ms; "disk slow");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_disk_told_once_a_minute_with_the_longest_since() {
        let disk = SlowDisk::default();
        let note = |begun: u64, ms: u64| disk.note(Mono(begun), Mono(begun + ms));
        assert_eq!(note(5, DISK_SLOW_MS - 1), None);
        assert_eq!(note(10, DISK_SLOW_MS), Some((1, DISK_SLOW_MS)));
        assert_eq!(note(2_000, 9_000), None);
        assert_eq!(note(20_000, 1_500), None);
        let later = 10 + DISK_SLOW_MS + DISK_SLOW_TOLD_MS;
        assert_eq!(note(later, DISK_SLOW_MS - 1), None, "only with what is slow");
        assert_eq!(note(later, 2_000), Some((3, 9_000)));
        assert_eq!(note(later + 10_000, 3_000), None);
    }
}
