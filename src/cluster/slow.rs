//! Whether the disk is slow: what others see of it are timeouts, which may come of anything. While a write
//! does not come back at all, this machine answers no ping: nobody can be served here whose file it is, and
//! as one that is taken to be frozen it keeps nobody waiting.

use parking_lot::Mutex;

use crate::clock::Mono;
use crate::limits::{DISK_SLOW_MS, DISK_SLOW_TOLD_MS};

/// Writes that took long, and when that was said; and when those began that are not over.
#[derive(Debug, Default)]
pub(super) struct SlowDisk {
    told: Mutex<Told>,
    running: Mutex<Vec<Mono>>,
}

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
        let mut told = self.told.lock();
        told.longest = told.longest.max(ms);
        told.count += 1;
        if now < told.next {
            return None;
        }
        let (count, longest) = (told.count, told.longest);
        *told = Told { next: now.plus_ms(DISK_SLOW_TOLD_MS), ..Told::default() };
        Some((count, longest))
    }

    /// Takes note that a write begins; [`Self::wrote`] is to follow.
    pub(super) fn begin(&self, now: Mono) {
        self.running.lock().push(now);
    }

    /// Whether a write has been under way for so long that this machine is no use to anybody.
    pub(super) fn hangs(&self, now: Mono) -> bool {
        self.running.lock().iter().any(|&begun| now.since_ms(begun) >= DISK_SLOW_MS)
    }

    /// Takes note of a write that is over, and says so if it or others before it were slow.
    pub(super) fn wrote(&self, begun: Mono, now: Mono) {
        let mut running = self.running.lock();
        if let Some(at) = running.iter().position(|&one| one == begun) {
            running.swap_remove(at);
        }
        drop(running);
        if let Some((writes, ms)) = self.note(begun, now) {
            log::warn!(writes, ms; "disk slow");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_hangs_while_any_write_is_not_over() {
        let disk = SlowDisk::default();
        for begun in [10, 10, 700] {
            disk.begin(Mono(begun));
        }
        assert!(!disk.hangs(Mono(9 + DISK_SLOW_MS)) && disk.hangs(Mono(10 + DISK_SLOW_MS)));
        disk.wrote(Mono(10), Mono(10 + DISK_SLOW_MS));
        assert!(disk.hangs(Mono(20 + DISK_SLOW_MS)), "of two that began at once the other");
        disk.wrote(Mono(10), Mono(20 + DISK_SLOW_MS));
        assert!(!disk.hangs(Mono(699 + DISK_SLOW_MS)) && disk.hangs(Mono(700 + DISK_SLOW_MS)));
        disk.wrote(Mono(700), Mono(800 + DISK_SLOW_MS));
        assert!(!disk.hangs(Mono(10 * DISK_SLOW_MS)));
    }

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
