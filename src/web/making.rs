//! How many answers are in the making at once: read from what a backend told, written, handed to the gate. A
//! worker has several times an answer's bytes in hand meanwhile, and there are many workers, because most wait
//! for backends; so few take their turn at a time, and the others wait with what they were told, still packed.
//!
//! It is the thread that has a turn: from the backend's answer on until the gate has ours, or until it asks a
//! backend once more. So none is ever held while a backend hangs, or a browser reads.

use std::collections::VecDeque;
use std::thread::ThreadId;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::limits::{MAKING_MAX, MAKING_WAIT_MS};

/// Whose turn it is.
#[derive(Debug)]
pub struct Making {
    max: usize,
    wait: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    at_it: Vec<ThreadId>,
    /// Those who wait, in the order in which they came.
    waiting: VecDeque<u64>,
    next_number: u64,
}

impl Default for Making {
    fn default() -> Self {
        Self::new(MAKING_MAX, Duration::from_millis(MAKING_WAIT_MS))
    }
}

impl Making {
    /// Nobody's turn yet; `max` at a time, for which the others wait so long.
    pub fn new(max: usize, wait: Duration) -> Self {
        Self { max, wait, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Takes a turn, unless this thread has one; false if there was none in time.
    pub(super) fn begin(&self) -> bool {
        let me = std::thread::current().id();
        let mut state = self.state.lock();
        if state.at_it.contains(&me) {
            return true;
        }
        let number = state.next_number;
        state.next_number += 1;
        state.waiting.push_back(number);
        let is_not_next = |state: &mut State| !state.is_next(number, self.max);
        self.changed.wait_while_for(&mut state, is_not_next, self.wait);
        let is_next = state.is_next(number, self.max);
        state.waiting.retain(|other| *other != number);
        if is_next {
            state.at_it.push(me);
        }
        drop(state);
        // Whoever stood behind may be next now.
        self.changed.notify_all();
        is_next
    }

    /// Ends this thread's turn, if it has one.
    pub(super) fn end(&self) {
        let me = std::thread::current().id();
        let mut state = self.state.lock();
        let before = state.at_it.len();
        state.at_it.retain(|other| *other != me);
        let has_ended = state.at_it.len() < before;
        drop(state);
        if has_ended {
            self.changed.notify_all();
        }
    }
}

impl State {
    fn is_next(&self, number: u64, max: usize) -> bool {
        self.waiting.front() == Some(&number) && self.at_it.len() < max
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::spawn_named;

    const LONG: Duration = Duration::from_mins(1);

    fn wait_for_line(making: &Making, length: usize) {
        while making.state.lock().waiting.len() < length {
            std::thread::yield_now();
        }
    }

    #[test]
    fn turns_are_few_and_whoever_waits_too_long_has_none() {
        let making = Making::new(1, Duration::from_millis(20));
        // Twice is once.
        assert!(making.begin() && making.begin());
        std::thread::scope(|scope| {
            let other = spawn_named(scope, "other", |_permit| making.begin());
            assert!(!other.unwrap().join().unwrap());
            making.end();
            making.end();
            let other = spawn_named(scope, "other", |_permit| {
                let has_turn = making.begin();
                making.end();
                has_turn
            });
            assert!(other.unwrap().join().unwrap());
        });
        let state = making.state.lock();
        assert!(state.at_it.is_empty() && state.waiting.is_empty());
    }

    #[test]
    fn turns_go_to_whoever_waits_longest() {
        let making = Making::new(1, LONG);
        let served = Mutex::new(Vec::new());
        assert!(making.begin());
        std::thread::scope(|scope| {
            for (n, name) in ["first", "second", "third"].into_iter().enumerate() {
                let (making, served) = (&making, &served);
                spawn_named(scope, name, move |_permit| {
                    assert!(making.begin());
                    served.lock().push(name);
                    making.end();
                })
                .unwrap();
                wait_for_line(making, n + 1);
            }
            making.end();
        });
        assert_eq!(served.into_inner(), ["first", "second", "third"]);
    }
}
