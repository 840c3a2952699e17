//! How often an app may ask: so many calls in a while, counted in this process alone. And what each
//! person's apps have seen last: apps keep no version, as browsers do, so it is kept for them.

use std::net::IpAddr;

use parking_lot::Mutex;

use super::marks::Marks;
use crate::auth::throttle::recent::Recent;
use crate::auth::throttle::subnet;
use crate::clock::Wall;
use crate::id::{Hash128, UserName};
use crate::limits::{API_CALLS_MAX, API_CALLS_MS, API_SEEN_MAX, THROTTLE_KEYS_MAX};

/// Whose calls are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    /// Who shows this token, hashed, which has opened a user's session. Not the name in it: anybody could use
    /// up another's calls.
    Token(Hash128),
    /// All else that comes from an address (IPv6: from one /64): without a token, or with one of which
    /// nobody knows yet that it opens anything, which are as many as anybody likes to make up.
    Address(IpAddr),
}

impl Caller {
    /// Who asks from there without a token that opens anything.
    pub(super) fn at(address: IpAddr) -> Self {
        Self::Address(subnet(address, 32, 64))
    }
}

/// Calls so far.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    began: Wall,
    calls: u32,
}

/// How a caller stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Calls in a while.
    pub(super) limit: u32,
    /// Calls left.
    pub(super) remaining: u32,
    /// When they are counted anew.
    pub(super) reset: Wall,
    /// Whether this one is one too many.
    pub(super) is_over: bool,
}

/// All that is remembered of apps. In memory: a restart forgets it.
pub(in crate::web) struct Calls {
    /// Calls in a while; none where they are not counted.
    limit: Option<u32>,
    windows: Mutex<Recent<Caller, Window>>,
    seen: Mutex<Recent<UserName, String>>,
    pub(super) marks: Marks,
}

impl Calls {
    /// Nothing remembered yet; without a limit it counts nothing.
    pub(in crate::web) fn new(limit: Option<u32>) -> Self {
        let windows = Mutex::new(Recent::new(THROTTLE_KEYS_MAX));
        let seen = Mutex::new(Recent::new(API_SEEN_MAX));
        Self { limit, windows, seen, marks: Marks::new() }
    }

    /// Who shows a token from an address.
    pub(super) fn caller(&self, token: Option<Hash128>, address: IpAddr) -> Caller {
        let token = token.map(Caller::Token);
        let windows = self.windows.lock();
        let token = token.filter(|token| windows.get(token).is_some());
        token.unwrap_or_else(|| Caller::at(address))
    }

    /// The token has opened a user's session, so it has calls of its own.
    pub(super) fn opened(&self, token: Hash128) {
        if self.limit.is_some() {
            self.windows.lock().touch(&Caller::Token(token));
        }
    }

    /// The token opens nothing any more.
    pub(super) fn ended(&self, token: Hash128) {
        self.windows.lock().remove(&Caller::Token(token));
    }

    /// Counts a call no longer: it turned out to be another's.
    pub(super) fn take_back(&self, caller: &Caller) {
        if let Some(window) = self.windows.lock().get_mut(caller) {
            window.calls = window.calls.saturating_sub(1);
        }
    }

    /// Counts one call.
    pub(super) fn count(&self, caller: &Caller, now: Wall) -> Standing {
        let end = |began: Wall| Wall(began.0 + API_CALLS_MS);
        let Some(limit) = self.limit else {
            let (limit, remaining) = (API_CALLS_MAX, API_CALLS_MAX);
            return Standing { limit, remaining, reset: end(now), is_over: false };
        };
        let mut windows = self.windows.lock();
        let window = windows.touch(caller);
        if now >= end(window.began) || now < window.began {
            *window = Window { began: now, calls: 0 };
        }
        let is_over = window.calls >= limit;
        window.calls = window.calls.saturating_add(1);
        let remaining = limit.saturating_sub(window.calls);
        Standing { limit, remaining, reset: end(window.began), is_over }
    }

    /// The version that a person's apps saw last.
    pub(super) fn seen(&self, user: &UserName) -> Option<String> {
        self.seen.lock().get(user).cloned()
    }

    /// From now on it is this one, if it is a later one: of requests that overlap the answers come in any
    /// order, and nobody is to be shown less than before.
    pub(super) fn saw(&self, user: &UserName, version: &str) {
        let Some(new) = numbers(version) else { return };
        let mut all = self.seen.lock();
        let seen = all.touch(user);
        if numbers(seen).is_none_or(|old| old < new) {
            version.clone_into(seen);
        }
    }
}

/// The numbers of a version, the weightiest first, as backends write and compare them.
fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(1_700_000_000_000);

    #[test]
    fn calls_counted_for_each_caller_and_anew_after_a_while() {
        let calls = Calls::new(Some(API_CALLS_MAX));
        let (one, other) = (Caller::Token(Hash128([1; 16])), Caller::Token(Hash128([2; 16])));
        for left in (0..API_CALLS_MAX).rev() {
            let standing = calls.count(&one, NOW);
            assert_eq!((standing.remaining, standing.is_over), (left, false));
            assert_eq!(standing.reset, Wall(NOW.0 + API_CALLS_MS));
        }
        assert!(calls.count(&one, NOW).is_over);
        assert!(!calls.count(&other, NOW).is_over);
        assert!(!calls.count(&one, Wall(NOW.0 + API_CALLS_MS)).is_over);
        // A clock that went back does not lock anybody out.
        assert!(!calls.count(&other, Wall(1)).is_over);
    }

    #[test]
    fn r0075_version_seen_last_does_not_go_back_when_answers_come_in_another_order() {
        let calls = Calls::new(None);
        let ada: UserName = "ada".parse().unwrap();
        for (answered, seen) in [
            ("1.4.2.1.7", "1.4.2.1.7"),
            ("1.4.2.1.6", "1.4.2.1.7"),
            // As numbers, not as text.
            ("1.10.1.1.1", "1.10.1.1.1"),
            ("1.9.3.9.99", "1.10.1.1.1"),
            ("no version", "1.10.1.1.1"),
            ("2.1.1.1.1", "2.1.1.1.1"),
        ] {
            calls.saw(&ada, answered);
            assert_eq!(calls.seen(&ada).as_deref(), Some(seen), "{answered}");
        }
    }

    #[test]
    fn calls_switched_off_never_run_out() {
        let calls = Calls::new(None);
        let caller = Caller::Address([127, 0, 0, 1].into());
        for _ in 0..=API_CALLS_MAX {
            assert_eq!(calls.count(&caller, NOW).remaining, API_CALLS_MAX);
        }
    }
}
