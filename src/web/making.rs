//! How many answers are in the making at once: read from what a backend told, written, handed to the gate. A
//! worker has several times an answer's bytes in hand meanwhile, and there are many workers, because most wait
//! for backends; so few take their turn at a time, and the others wait with what they were told, still packed.
//!
//! It is the thread that has a turn: from the backend's answer on until the gate has ours, or until it asks a
//! backend once more. So none is ever held while a backend hangs, or a browser reads.

use std::collections::VecDeque;
use std::sync::Arc;
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
}

#[derive(Debug, Default)]
struct State {
    at_it: Vec<ThreadId>,
    /// Those who wait, in the order in which they came; each is told by itself, for they are many.
    waiting: VecDeque<(ThreadId, Arc<Condvar>)>,
}

impl Default for Making {
    fn default() -> Self {
        Self::new(MAKING_MAX, Duration::from_millis(MAKING_WAIT_MS))
    }
}

impl Making {
    /// Nobody's turn yet; `max` at a time, for which the others wait so long.
    pub fn new(max: usize, wait: Duration) -> Self {
        Self { max, wait, state: Mutex::default() }
    }

    /// Takes a turn, unless this thread has one; false if there was none in time.
    pub(super) fn begin(&self) -> bool {
        let me = std::thread::current().id();
        let mut state = self.state.lock();
        if state.at_it.contains(&me) {
            return true;
        }
        if state.at_it.len() < self.max {
            state.at_it.push(me);
            return true;
        }
        let own = Arc::new(Condvar::new());
        state.waiting.push_back((me, Arc::clone(&own)));
        let is_not_next = |state: &mut State| !state.at_it.contains(&me);
        own.wait_while_for(&mut state, is_not_next, self.wait);
        let has_turn = state.at_it.contains(&me);
        state.waiting.retain(|(other, _)| *other != me);
        has_turn
    }

    /// Ends this thread's turn, if it has one.
    pub(super) fn end(&self) {
        let me = std::thread::current().id();
        let mut state = self.state.lock();
        let before = state.at_it.len();
        state.at_it.retain(|other| *other != me);
        if state.at_it.len() == before {
            return;
        }
        // To whoever waits longest, and past all who come now.
        if let Some((next, told)) = state.waiting.pop_front() {
            state.at_it.push(next);
            drop(state);
            told.notify_one();
        }
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
