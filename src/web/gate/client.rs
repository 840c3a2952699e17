//! Whose request it is: the peer's, or behind a trusted proxy whomever the proxy names.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use parking_lot::Mutex;

/// The browser's address. Read from the right, the first address in `forwarded_for` that is no
/// trusted proxy is the one that a trusted proxy saw; what stands left of it is hearsay. Nothing
/// there, or nothing that reads as an address, leaves the peer.
pub(super) fn client_of(peer: IpAddr, trusted: &[IpAddr], forwarded_for: &[String]) -> IpAddr {
    if !trusted.contains(&peer) {
        return peer;
    }
    let entries = forwarded_for.iter().rev().flat_map(|line| line.rsplit(','));
    for entry in entries {
        match entry.trim().parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(address) if trusted.contains(&address) => {}
            Ok(address) => return address,
            Err(_not_an_address) => return peer,
        }
    }
    peer
}

/// What counts as one address for the caps: an IPv6 network of 64 bits is one household or one
/// rented machine. Link-local addresses and loopback stand for themselves, as all of a home's
/// machines share that network.
pub(super) fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_unicast_link_local() && !v6.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)))
        }
        other => other,
    }
}

/// Requests under way behind trusted proxies, by household: there the cap on connections says
/// nothing about any one person.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<IpAddr, usize>>);

/// One request under way; over when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    household: IpAddr,
}

impl Turns {
    /// Counts one more request of `client`, or `None` if it has `max` already.
    pub(super) fn begin(&self, client: IpAddr, max: usize) -> Option<Turn<'_>> {
        let household = household(client);
        let mut counts = self.0.lock();
        let count = counts.entry(household).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Turn { turns: self, household })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut counts = self.turns.0.lock();
        if let Some(count) = counts.get_mut(&self.household) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.household);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(peer: &str, lines: &[&str], expected: &str) {
        let trusted = [ip("10.0.0.1"), ip("10.0.0.2"), ip("fd00::1")];
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(client_of(ip(peer), &trusted, &lines), ip(expected), "{peer} {lines:?}");
    }

    #[test]
    fn client_behind_trusted_proxy_is_rightmost_untrusted() {
        check("10.0.0.1", &["1.1.1.1"], "1.1.1.1");
        check("10.0.0.1", &["9.9.9.9, 1.1.1.1"], "1.1.1.1");
        check("10.0.0.1", &["9.9.9.9, 1.1.1.1,10.0.0.2"], "1.1.1.1");
        check("10.0.0.1", &["9.9.9.9", "1.1.1.1", "10.0.0.2"], "1.1.1.1");
        check("fd00::1", &["2001:db8::7"], "2001:db8::7");
        check("10.0.0.1", &["::ffff:1.1.1.1"], "1.1.1.1");
    }

    #[test]
    fn client_untrusted_or_malformed_is_peer() {
        check("1.2.3.4", &["1.1.1.1"], "1.2.3.4");
        check("10.0.0.1", &[], "10.0.0.1");
        for odd in ["", "unknown", "1.1.1.1, ", "1.1.1.1, x", "1.1.1", "10.0.0.2"] {
            check("10.0.0.1", &[odd], "10.0.0.1");
        }
    }

    #[test]
    fn household_of_ipv6_is_its_network() {
        assert_eq!(household(ip("2001:db8::1")), household(ip("2001:db8::ffff:2")));
        assert_ne!(household(ip("2001:db8::1")), household(ip("2001:db8:0:1::1")));
        assert_ne!(household(ip("fe80::1")), household(ip("fe80::2")));
        assert_eq!(household(ip("::1")), ip("::1"));
        assert_eq!(household(ip("::ffff:1.2.3.4")), ip("1.2.3.4"));
    }

    #[test]
    fn turns_over_cap_refused_until_one_ends() {
        let turns = Turns::default();
        let first = turns.begin(ip("1.1.1.1"), 2);
        let second = turns.begin(ip("1.1.1.1"), 2);
        assert!(first.is_some() && second.is_some());
        assert!(turns.begin(ip("1.1.1.1"), 2).is_none());
        assert!(turns.begin(ip("1.1.1.2"), 2).is_some());
        drop(first);
        assert!(turns.begin(ip("1.1.1.1"), 2).is_some());
        drop(second);
        assert!(turns.0.lock().is_empty());
    }
}
