//! Who gets which connection to a worker: of those who wait, whoever has fewest requests under way, so
//! that a crowd from one address stands in line behind everybody else, however long its line is.
//!
//! What has a password hashed waits for that while it holds a worker, and a crowd that signs in could hold
//! them all: so it gets no more than some of them, and pages always find one soon.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;

/// All connections, by number.
#[derive(Debug)]
pub(super) struct Lending {
    /// How many may be under way at once of what hashes.
    hashing_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Those that nobody has; none while anybody waits who may have one.
    idle: Vec<usize>,
    /// Those who wait, in the order in which they came.
    waiting: Vec<Waiting>,
    /// Requests under way, by household.
    under_way: HashMap<IpAddr, usize>,
    /// How many of them hash.
    hashing: usize,
    next_number: u64,
}

/// One who wants a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanting {
    /// For whom it counts.
    pub(super) household: IpAddr,
    /// Whether a password is hashed for it.
    pub(super) hashes: bool,
}

#[derive(Debug)]
struct Waiting {
    who: Wanting,
    number: u64,
    hand: Sender<usize>,
}

impl Lending {
    /// No connection yet, and room for so many requests at once that hash.
    pub(super) fn new(hashing_max: usize) -> Self {
        Self { hashing_max, state: Mutex::default() }
    }

    /// Takes a connection, for at most `wait` until one is free.
    pub(super) fn take(&self, who: Wanting, wait: Duration) -> Option<usize> {
        let mut state = self.state.lock();
        if state.may_have(who, self.hashing_max)
            && let Some(index) = state.idle.pop()
        {
            state.begin(who);
            return Some(index);
        }
        // Holds the one that is handed over, so that whoever does so never waits.
        let (hand, handed) = bounded(1);
        let number = state.next_number;
        state.next_number += 1;
        state.waiting.push(Waiting { who, number, hand });
        drop(state);
        if let Ok(index) = handed.recv_timeout(wait) {
            return Some(index);
        }
        let mut state = self.state.lock();
        state.waiting.retain(|other| other.number != number);
        // It may have been handed over in the last moment.
        handed.try_recv().ok()
    }

    /// Adds a connection that nobody has.
    pub(super) fn add(&self, index: usize) {
        let mut state = self.state.lock();
        state.idle.push(index);
        state.hand_over(self.hashing_max);
    }

    /// Ends a request. Its connection goes to the next, unless it is lost.
    pub(super) fn end(&self, who: Wanting, index: Option<usize>) {
        let mut state = self.state.lock();
        if let Some(count) = state.under_way.get_mut(&who.household) {
            *count -= 1;
            if *count == 0 {
                state.under_way.remove(&who.household);
            }
        }
        state.hashing -= usize::from(who.hashes);
        state.idle.extend(index);
        state.hand_over(self.hashing_max);
    }
}

impl State {
    const fn may_have(&self, who: Wanting, hashing_max: usize) -> bool {
        !who.hashes || self.hashing < hashing_max
    }

    fn begin(&mut self, who: Wanting) {
        *self.under_way.entry(who.household).or_default() += 1;
        self.hashing += usize::from(who.hashes);
    }

    /// Gives what nobody has to those who wait and may have it.
    fn hand_over(&mut self, hashing_max: usize) {
        while !self.idle.is_empty()
            && let Some(at) = self.next(hashing_max)
            && let Some(index) = self.idle.pop()
        {
            let Waiting { who, hand, .. } = self.waiting.remove(at);
            self.begin(who);
            // There is room for it, and whoever waits looks once more before giving up.
            let _handed = hand.try_send(index);
        }
    }

    /// Whose turn it is.
    fn next(&self, hashing_max: usize) -> Option<usize> {
        let count = |it: &Waiting| self.under_way.get(&it.who.household).copied().unwrap_or(0);
        let waiting = self.waiting.iter().enumerate();
        let may_have = waiting.filter(|(_, it)| self.may_have(it.who, hashing_max));
        may_have.min_by_key(|(_, it)| (count(it), it.number)).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::spawn_named;

    const LONG: Duration = Duration::from_mins(1);

    fn page_of(address: &str) -> Wanting {
        Wanting { household: address.parse().unwrap(), hashes: false }
    }

    fn wait_for_line(lending: &Lending, length: usize) {
        while lending.state.lock().waiting.len() < length {
            std::thread::yield_now();
        }
    }

    #[test]
    fn lending_goes_to_who_has_fewest_then_to_who_came_first() {
        let lending = Lending::new(1);
        (0..2).for_each(|index| lending.add(index));
        let (crowd, other) = (page_of("1.1.1.1"), page_of("2.2.2.2"));
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
        let state = lending.state.lock();
        assert!(state.under_way.is_empty() && state.waiting.is_empty());
        assert_eq!(state.idle.len(), 1);
    }

    #[test]
    fn r0130_crowd_that_signs_in_leaves_connections_to_pages() {
        let lending = Lending::new(2);
        (0..3).for_each(|index| lending.add(index));
        let sign_in = |address: &str| Wanting { hashes: true, ..page_of(address) };
        let all = ["1.1.1.1", "1.1.1.2", "1.1.1.3"].map(sign_in);
        assert!(all[..2].iter().all(|who| lending.take(*who, Duration::ZERO).is_some()));
        assert_eq!(lending.take(all[2], Duration::ZERO), None, "one is left, and not for this");
        let page = page_of("2.2.2.2");
        std::thread::scope(|scope| {
            let waits = spawn_named(scope, "waits", |_permit| lending.take(all[2], LONG));
            wait_for_line(&lending, 1);
            let index = lending.take(page, Duration::ZERO);
            assert!(index.is_some(), "pages pass by those who wait to sign in");
            lending.end(page, index);
            assert_eq!(lending.state.lock().waiting.len(), 1, "it is not for them now either");
            // What was lost makes room as well: they may have the one that is left.
            lending.end(all[0], None);
            assert!(waits.unwrap().join().unwrap().is_some());
        });
        assert_eq!(lending.take(page, Duration::ZERO), None);
        lending.end(all[1], Some(1));
        assert_eq!(lending.take(page, Duration::ZERO), Some(1));
        assert_eq!(lending.state.lock().hashing, 1);
    }
}
