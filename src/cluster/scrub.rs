//! The thread `scrub`: reads every file from the disk, one after the other, and checks that it still
//! holds what was written. What rots where nobody reads is found while the others can still mend it.

use std::time::Duration;

use super::Cluster;
use super::replicas::Slot;
use crate::limits::{SCRUB_BYTES_PER_MS_MAX, SCRUB_PAUSE_MS_MAX};
use crate::thread::be_nice;

/// How much the system favours every other thread over this one, of 19.
const NICENESS: i32 = 19;

impl Cluster {
    /// Checks all files, over and over, each once in `round`, until the process stops.
    pub fn run_scrub(&self, round: Duration) {
        be_nice("scrub", NICENESS);
        loop {
            let slots = self.local.slots();
            let share = round / u32::try_from(slots.len()).unwrap_or(u32::MAX).max(1);
            let (least, most) =
                (Duration::from_millis(1), Duration::from_millis(SCRUB_PAUSE_MS_MAX));
            let pause = share.clamp(least, most);
            if slots.is_empty() && self.stop.wait(pause) {
                return;
            }
            for slot in slots {
                let read = self.scrub_one(&slot);
                if self.stop.wait(pause.max(read)) {
                    return;
                }
            }
        }
    }

    /// Checks one file; for how long the disk is then left to others.
    fn scrub_one(&self, slot: &Slot) -> Duration {
        let (_, _, len) = slot.standing(&self.local.floors());
        if len > 0 {
            self.local.scrub(slot);
        }
        Duration::from_millis(len / SCRUB_BYTES_PER_MS_MAX)
    }
}
