//! Who gets which connection to a worker: of those who wait, whoever has fewest requests under way, so
//! that a crowd from one address stands in line behind everybody else, however long its line is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;

/// All connections, by number.
#[derive(Debug, Default)]
pub(super) struct Lending(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Those that nobody has; none while anybody waits.
    idle: Vec<usize>,
    /// Those who wait, in the order in which they came.
    waiting: Vec<Waiting>,
    /// Requests under way, by household.
    under_way: HashMap<IpAddr, usize>,
    next_number: u64,
}

#[derive(Debug)]
struct Waiting {
    household: IpAddr,
    number: u64,
    hand: Sender<usize>,
}

impl Lending {
    /// Takes a connection, for at most `wait` until one is free.
    pub(super) fn take(&self, household: IpAddr, wait: Duration) -> Option<usize> {
        let mut state = self.0.lock();
        if let Some(index) = state.idle.pop() {
            state.begin(household);
            return Some(index);
        }
        // Holds the one that is handed over, so that whoever does so never waits.
        let (hand, handed) = bounded(1);
        let number = state.next_number;
        state.next_number += 1;
        state.waiting.push(Waiting { household, number, hand });
        drop(state);
        if let Ok(index) = handed.recv_timeout(wait) {
            return Some(index);
        }
        let mut state = self.0.lock();
        state.waiting.retain(|other| other.number != number);
        // It may have been handed over in the last moment.
        handed.try_recv().ok()
    }

    /// Adds a connection that nobody has.
    pub(super) fn add(&self, index: usize) {
        self.0.lock().hand_over(index);
    }

    /// Ends a request. Its connection goes to the next, unless it is lost.
    pub(super) fn end(&self, household: IpAddr, index: Option<usize>) {
        let mut state = self.0.lock();
        if let Some(count) = state.under_way.get_mut(&household) {
            *count -= 1;
            if *count == 0 {
                state.under_way.remove(&household);
            }
        }
        if let Some(index) = index {
            state.hand_over(index);
        }
    }
}

impl State {
    fn begin(&mut self, household: IpAddr) {
        *self.under_way.entry(household).or_default() += 1;
    }

    fn hand_over(&mut self, index: usize) {
        let count = |it: &Waiting| self.under_way.get(&it.household).copied().unwrap_or(0);
        let next = self.waiting.iter().enumerate().min_by_key(|(_, it)| (count(it), it.number));
        let Some(at) = next.map(|(at, _)| at) else { return self.idle.push(index) };
        let next = self.waiting.remove(at);
        self.begin(next.household);
        // There is room for it, and whoever waits looks once more before giving up.
        let _handed = next.hand.try_send(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::spawn_named;

    const LONG: Duration = Duration::from_mins(1);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn wait_for_line(lending: &Lending, length: usize) {
        while lending.0.lock().waiting.len() < length {
            std::thread::yield_now();
        }
    }

    #[test]
    fn lending_goes_to_who_has_fewest_then_to_who_came_first() {
        let lending = Lending::default();
        (0..2).for_each(|index| lending.add(index));
        let (crowd, other) = (address("1.1.1.1"), address("2.2.2.2"));
        for _ in 0..2 {
            assert!(lending.take(crowd, Duration::ZERO).is_some());
        }
        assert_eq!(lending.take(other, Duration::ZERO), None);
        let served = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for (n, (who, from)) in
                [("first", crowd), ("second", crowd), ("other", other)].into_iter().enumerate()
            {
                let (lending, served) = (&lending, &served);
                spawn_named(scope, who, move |_permit| {
                    let index = lending.take(from, LONG).unwrap();
                    served.lock().push(who);
                    lending.end(from, Some(index));
                })
                .unwrap();
                wait_for_line(lending, n + 1);
            }
            lending.end(crowd, Some(0));
        });
        assert_eq!(served.into_inner(), ["other", "first", "second"]);
        lending.end(crowd, None);
        let state = lending.0.lock();
        assert!(state.under_way.is_empty() && state.waiting.is_empty());
        assert_eq!(state.idle.len(), 1);
    }
}
