//! What the program counts and measures, for those who watch it: one set of numbers a process.
//!
//! - `table` says what each number is and what a bad one looks like; the page and WATCH.md come of it.
//! - Here are the numbers that are counted as things happen. What is known only when asked (`Now`) is
//!   handed in then.
//! - `page` writes them as text, `serve` answers who asks, on a listener of its own.
//!
//! Labels come from closed sets; no name of a user is ever one, and nothing here grows with what
//! strangers send.
//!
//! Threads: all that count; `metrics` answers.

pub mod page;
pub mod serve;
pub mod table;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::id::NodeId;

/// Milliseconds up to which the parts of a [`Histogram`] count; one part more is without a bound.
pub const BOUNDS_MS: [u64; 13] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/// Requests of browsers that the gate or a worker answered.
pub static REQUESTS: Answers = Answers(Mutex::new(BTreeMap::new()));
/// From a request's first byte until its answer is there.
pub static REQUEST_TIMES: Histogram = Histogram::new();
/// From the decision what to write until a majority has it on disk.
pub static COMMIT_TIMES: Histogram = Histogram::new();
/// From wanting a member's lock until a majority gave it.
pub static LOCK_TIMES: Histogram = Histogram::new();
/// Locks lost to another machine.
pub static CONFLICTS: Counter = Counter::new();
/// Sign-ins that were refused.
pub static LOGIN_FAILURES: Counter = Counter::new();
/// Posts that were written.
pub static POSTS: Counter = Counter::new();

/// Bytes that were written to files of the data directory: what wears out a memory card.
pub static DISK_WRITTEN: Counter = Counter::new();

/// Something that is counted; it only grows.
#[derive(Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Once more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// So many more.
    pub fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Answers by route and status.
#[derive(Debug)]
pub struct Answers(Mutex<BTreeMap<(&'static str, u16), u64>>);

impl Answers {
    /// Once more. Routes and statuses are few: both are written in the program.
    pub fn count(&self, route: &'static str, status: u16) {
        *self.0.lock().entry((route, status)).or_default() += 1;
    }

    fn all(&self) -> Vec<(&'static str, u16, u64)> {
        self.0.lock().iter().map(|((route, status), count)| (*route, *status, *count)).collect()
    }
}

/// How long something took, as often as it happened.
#[derive(Debug)]
pub struct Histogram {
    /// How many took at most so long and longer than the bound before; the last has no bound.
    parts: [AtomicU64; BOUNDS_MS.len() + 1],
    sum_ms: AtomicU64,
}

/// A histogram's numbers at one moment.
struct Measured {
    /// Up to each bound, all shorter ones included; the last is all.
    up_to: Vec<u64>,
    sum_ms: u64,
}

impl Histogram {
    const fn new() -> Self {
        Self {
            parts: [const { AtomicU64::new(0) }; BOUNDS_MS.len() + 1],
            sum_ms: AtomicU64::new(0),
        }
    }

    /// Once more, and it took so long.
    pub fn observe(&self, ms: u64) {
        let part = BOUNDS_MS.iter().position(|bound| ms <= *bound).unwrap_or(BOUNDS_MS.len());
        if let Some(part) = self.parts.get(part) {
            part.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_ms.fetch_add(ms, Ordering::Relaxed);
    }

    fn measured(&self) -> Measured {
        let mut all = 0;
        let up_to = self.parts.iter().map(|part| {
            all += part.load(Ordering::Relaxed);
            all
        });
        Measured { up_to: up_to.collect(), sum_ms: self.sum_ms.load(Ordering::Relaxed) }
    }
}

/// What a backend knows when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    /// The machines of the cluster, as this one sees them.
    pub nodes: Vec<Node>,
    /// How many have an account.
    pub users: u64,
    /// Bytes that the data directory may still grow by, if the disk tells.
    pub disk_free_bytes: Option<u64>,
}

/// A machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub node: NodeId,
    /// Whether it answers.
    pub is_up: bool,
    /// Whether it refuses its vote on nobody's posts.
    pub votes: bool,
    /// How many members' files it lacks entries of, if known.
    pub behind: Option<u32>,
    /// How many files of pictures it lacks.
    pub pictures_missing: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histogram_counts_each_once_in_its_part() {
        let times = Histogram::new();
        for ms in [0, 1, 2, 3, 10_000, 10_001, u64::from(u32::MAX)] {
            times.observe(ms);
        }
        let measured = times.measured();
        assert_eq!(measured.up_to[..3], [2, 3, 4]);
        assert_eq!(measured.up_to[BOUNDS_MS.len() - 1], 5);
        assert_eq!(measured.up_to[BOUNDS_MS.len()], 7);
        assert_eq!(measured.sum_ms, 6 + 20_001 + u64::from(u32::MAX));
    }
}
