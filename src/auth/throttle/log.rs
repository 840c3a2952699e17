//! When something was done last: at most so many times in any stretch of time. Exact, unlike counters
//! that start anew at each full hour and let twice as many through around it.

use std::collections::VecDeque;

use super::RetryAfter;
use crate::clock::Mono;

/// At most `count` in any `ms` milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) count: usize,
    pub(super) ms: u64,
}

/// The times, oldest first; no more of them than the widest rate looks back.
#[derive(Debug, Default)]
pub(super) struct Log(VecDeque<Mono>);

impl Log {
    /// Whether once more is within all of `rates`.
    pub(super) fn check(&self, rates: &[Rate], now: Mono) -> Result<(), RetryAfter> {
        let wait_ms = rates.iter().map(|rate| self.wait_ms(*rate, now)).max().unwrap_or(0);
        if wait_ms == 0 { Ok(()) } else { Err(RetryAfter::from_ms(wait_ms)) }
    }

    /// Milliseconds until a rate allows once more: until the `count`-th last time is `ms` ago.
    fn wait_ms(&self, rate: Rate, now: Mono) -> u64 {
        let decisive = self.0.len().checked_sub(rate.count).and_then(|index| self.0.get(index));
        decisive.map_or(0, |time| time.plus_ms(rate.ms).since_ms(now))
    }

    /// Writes down a time, and forgets those that no rate looks back to.
    pub(super) fn record(&mut self, rates: &[Rate], now: Mono) {
        self.0.push_back(now);
        let kept = rates.iter().map(|rate| rate.count).max().unwrap_or(0);
        while self.0.len() > kept {
            self.0.pop_front();
        }
    }

    /// Takes the last time back: what it stood for did not happen.
    pub(super) fn take_back(&mut self) {
        self.0.pop_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: [Rate; 2] = [Rate { count: 2, ms: 1_000 }, Rate { count: 3, ms: 10_000 }];

    /// Tries at each time, and expects the seconds to wait; 0 where it is let through.
    fn check(tries: &[(u64, u32)]) {
        let mut log = Log::default();
        for &(at, expected) in tries {
            let answer = log.check(&RATES, Mono(at));
            assert_eq!(answer.map_or_else(|retry| retry.seconds, |()| 0), expected, "at {at}");
            if answer.is_ok() {
                log.record(&RATES, Mono(at));
            }
        }
    }

    #[test]
    fn log_rate_reached_refused_until_oldest_leaves() {
        check(&[(0, 0), (500, 0), (600, 1), (999, 1), (1_000, 0), (1_001, 9)]);
    }

    #[test]
    fn log_wide_rate_counts_what_narrow_forgot() {
        check(&[(0, 0), (5_000, 0), (9_000, 0), (9_001, 1), (9_999, 1), (10_000, 0), (10_001, 5)]);
    }

    #[test]
    fn log_taken_back_not_counted() {
        let mut log = Log::default();
        log.record(&RATES, Mono(0));
        log.record(&RATES, Mono(0));
        assert!(log.check(&RATES, Mono(1)).is_err());
        log.take_back();
        assert!(log.check(&RATES, Mono(1)).is_ok());
    }

    #[test]
    fn log_grows_no_further_than_widest_rate() {
        let mut log = Log::default();
        (0..100).for_each(|at| log.record(&RATES, Mono(at)));
        assert_eq!(log.0.len(), 3);
    }
}
