//! How often a stranger may try a password or make an account, and a member may act.
//!
//! Counts are in this machine's memory alone, so that in a cluster each limit holds within a factor of
//! its machines, and a restart forgets them. Nothing is asked of the user's file: a name that nobody
//! has is counted as any other, so that the answers tell nothing.
//!
//! A sign-in is counted *before* its password is hashed and forgiven when it proves right. Counting
//! only failures afterwards would let all guesses pass that are sent before the first is answered.
//! So is a member's own password that they give with what they do, but apart: whoever is signed in
//! is no stranger, from whatever address, and no stranger's guesses are theirs.
//!
//! Times are passed in; nothing here waits.

mod log;
pub(crate) mod recent;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use parking_lot::Mutex;

use self::log::{Log, Rate};
use self::recent::Recent;
use crate::clock::Mono;
use crate::id::UserName;
use crate::limits;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

const LOGIN_ADDRESS: [Rate; 1] =
    [Rate { count: limits::LOGIN_ADDRESS_MAX, ms: limits::LOGIN_ADDRESS_MS }];
const JOIN_ADDRESS: [Rate; 1] = [Rate { count: limits::JOINS_HOUR_ADDRESS_MAX, ms: HOUR_MS }];
const JOIN_NETWORK: [Rate; 1] = [Rate { count: limits::JOINS_DAY_NETWORK_MAX, ms: DAY_MS }];
const POSTS: [Rate; 2] = [
    Rate { count: limits::POSTS_MINUTE_MAX, ms: MINUTE_MS },
    Rate { count: limits::POSTS_HOUR_MAX, ms: HOUR_MS },
];
const PICTURES: [Rate; 2] = [
    Rate { count: limits::PICTURES_HOUR_MAX, ms: HOUR_MS },
    Rate { count: limits::PICTURES_DAY_MAX, ms: DAY_MS },
];
const SEARCHES: [Rate; 1] = [Rate { count: limits::SEARCHES_MINUTE_MAX, ms: MINUTE_MS }];
const EXPORTS: [Rate; 1] = [Rate { count: limits::EXPORTS_DAY_MAX, ms: DAY_MS }];
const SIGN_INS: [Rate; 2] = [
    Rate { count: limits::SIGN_INS_MINUTE_MAX, ms: MINUTE_MS },
    Rate { count: limits::SIGN_INS_HOUR_MAX, ms: HOUR_MS },
];
const PASSWORDS: [Rate; 1] = [Rate { count: limits::PASSWORD_CHANGES_HOUR_MAX, ms: HOUR_MS }];
const ACTS: [Rate; 1] = [Rate { count: limits::ACTS_HOUR_MAX, ms: HOUR_MS }];

/// Too often: what was asked must not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts, retry after {seconds} s")]
pub struct RetryAfter {
    /// Seconds after which to try again, at least 1.
    pub seconds: u32,
}

/// What a member does, as far as its limit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActKind {
    /// A post or a reply.
    Post,
    /// A picture that is to be posted.
    Picture,
    /// A search.
    Search,
    /// Taking one's data along.
    Export,
    /// A sign-in whose password was right.
    SignIn,
    /// Choosing another password.
    Password,
    /// Any other act that writes.
    Other,
}

/// All limits that depend on who asks. One in each backend; shared by all its threads.
pub struct Throttle {
    on: bool,
    logins: Mutex<Logins>,
    /// Own passwords, given by those who are signed in.
    confirmations: Mutex<Recent<UserName, Account>>,
    joins: Mutex<Joins>,
    acts: Mutex<Recent<(UserName, ActKind), Log>>,
    /// By strangers.
    searches: Mutex<Recent<IpAddr, Log>>,
}

struct Logins {
    accounts: Recent<UserName, Account>,
    addresses: Recent<IpAddr, Log>,
    /// Where each account signed in from, the latest last.
    known: Recent<UserName, VecDeque<IpAddr>>,
}

struct Joins {
    addresses: Recent<IpAddr, Log>,
    networks: Recent<IpAddr, Log>,
}

/// Attempts at one account that have not proved right.
#[derive(Debug, Default)]
struct Account {
    failures: u32,
    last: Mono,
}

impl ActKind {
    /// How often it may be done.
    const fn rates(self) -> &'static [Rate] {
        match self {
            Self::Post => &POSTS,
            Self::Picture => &PICTURES,
            Self::Search => &SEARCHES,
            Self::Export => &EXPORTS,
            Self::SignIn => &SIGN_INS,
            Self::Password => &PASSWORDS,
            Self::Other => &ACTS,
        }
    }
}

impl RetryAfter {
    fn from_ms(ms: u64) -> Self {
        Self { seconds: u32::try_from(ms.div_ceil(1_000)).unwrap_or(u32::MAX).max(1) }
    }
}

impl Throttle {
    /// A throttle that remembers nothing yet; switched off it allows everything.
    pub fn new(on: bool) -> Self {
        let keys_max = limits::THROTTLE_KEYS_MAX;
        Self {
            on,
            logins: Mutex::new(Logins {
                accounts: Recent::new(keys_max),
                addresses: Recent::new(keys_max),
                known: Recent::new(keys_max),
            }),
            confirmations: Mutex::new(Recent::new(keys_max)),
            joins: Mutex::new(Joins {
                addresses: Recent::new(keys_max),
                networks: Recent::new(keys_max),
            }),
            acts: Mutex::new(Recent::new(limits::THROTTLE_USERS_MAX)),
            searches: Mutex::new(Recent::new(keys_max)),
        }
    }

    /// Whether a password may be tried for the name that was typed, from `addr`; if so it is counted
    /// as a failure until [`Self::login_succeeded`] or [`Self::login_undecided`] says otherwise.
    ///
    /// An account that is closed to strangers stays open to addresses where it signed in before, so
    /// that nobody can lock its owner out. What can be no name is counted by address alone: that it
    /// has no account is plain to see.
    ///
    /// # Errors
    /// [`RetryAfter`]; nothing is counted then.
    pub fn check_login(&self, name: &str, addr: IpAddr, now: Mono) -> Result<(), RetryAfter> {
        if !self.on {
            return Ok(());
        }
        let (name, addr) = (UserName::from_input(name).ok(), subnet(addr, 32, 64));
        let mut logins = self.logins.lock();
        if let Some(log) = logins.addresses.get(&addr) {
            log.check(&LOGIN_ADDRESS, now)?;
        }
        if let Some(name) = &name {
            let known = logins.known.get(name).is_some_and(|known| known.contains(&addr));
            let account = logins.accounts.touch(name);
            if !known {
                account.check(now)?;
            }
            account.record(now);
        }
        logins.addresses.touch(&addr).record(&LOGIN_ADDRESS, now);
        Ok(())
    }

    /// The password was right: forgives the account's failures and this attempt from the address,
    /// which is known from now on.
    pub fn login_succeeded(&self, name: &str, addr: IpAddr) {
        let (Ok(name), true) = (UserName::from_input(name), self.on) else { return };
        let addr = subnet(addr, 32, 64);
        let mut logins = self.logins.lock();
        logins.accounts.remove(&name);
        logins.take_back(addr);
        logins.know(&name, addr);
    }

    /// An account was made or got another password from `addr`: its password was given there, so whoever
    /// has it gets in from there, however often strangers fail meanwhile.
    pub fn password_chosen(&self, name: &UserName, addr: IpAddr) {
        if self.on {
            self.logins.lock().know(name, subnet(addr, 32, 64));
        }
    }

    /// Nobody looked whether the password was right (too busy, no majority): this attempt does not
    /// count.
    pub fn login_undecided(&self, name: &str, addr: IpAddr) {
        if !self.on {
            return;
        }
        let mut logins = self.logins.lock();
        logins.take_back(subnet(addr, 32, 64));
        if let Ok(name) = UserName::from_input(name)
            && let Some(account) = logins.accounts.get_mut(&name)
        {
            account.take_back();
        }
    }

    /// Whether one more account may be made from `addr`; if so it is counted. To be asked once the
    /// fields are right in themselves, so that a mistyped form costs nothing, and before looking
    /// whether the name is taken, which is what a prober wants to know.
    ///
    /// # Errors
    /// [`RetryAfter`]; nothing is counted then.
    pub fn check_join(&self, addr: IpAddr, now: Mono) -> Result<(), RetryAfter> {
        if !self.on {
            return Ok(());
        }
        let (address, network) = (subnet(addr, 32, 64), subnet(addr, 24, 48));
        let joins = &mut *self.joins.lock();
        let by_address = joins.addresses.touch(&address);
        let by_network = joins.networks.touch(&network);
        by_address.check(&JOIN_ADDRESS, now)?;
        by_network.check(&JOIN_NETWORK, now)?;
        by_address.record(&JOIN_ADDRESS, now);
        by_network.record(&JOIN_NETWORK, now);
        Ok(())
    }

    /// Whether a member may do one more thing; if so it is counted.
    ///
    /// # Errors
    /// [`RetryAfter`]; nothing is counted then.
    pub fn check_act(&self, user: &UserName, kind: ActKind, now: Mono) -> Result<(), RetryAfter> {
        if !self.on {
            return Ok(());
        }
        let rates = kind.rates();
        let mut acts = self.acts.lock();
        let log = acts.touch(&(user.clone(), kind));
        log.check(rates, now)?;
        log.record(rates, now);
        Ok(())
    }

    /// The same without counting it: what it costs to find out is asked for only by who may do it.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn may_act(&self, user: &UserName, kind: ActKind, now: Mono) -> Result<(), RetryAfter> {
        let acts = self.acts.lock();
        let log = acts.get(&(user.clone(), kind)).filter(|_| self.on);
        log.map_or(Ok(()), |log| log.check(kind.rates(), now))
    }
}

impl Throttle {
    /// Whether somebody who is signed in may give their own password once more; if so it is counted as
    /// wrong until [`Self::confirmed`] or [`Self::confirmation_undecided`] says otherwise.
    ///
    /// # Errors
    /// [`RetryAfter`]; nothing is counted then.
    pub fn check_confirmation(&self, user: &UserName, now: Mono) -> Result<(), RetryAfter> {
        if !self.on {
            return Ok(());
        }
        let mut confirmations = self.confirmations.lock();
        let account = confirmations.touch(user);
        account.check(now)?;
        account.record(now);
        Ok(())
    }

    /// Their own password was right: what they mistyped before is forgiven. Of what strangers guessed
    /// nothing is: they may have guessed all the while.
    pub fn confirmed(&self, user: &UserName) {
        self.confirmations.lock().remove(user);
    }

    /// Nobody looked whether it was right: this attempt does not count.
    pub fn confirmation_undecided(&self, user: &UserName) {
        if let Some(account) = self.confirmations.lock().get_mut(user) {
            account.take_back();
        }
    }

    /// Whether a stranger at `addr` may search once more; if so it is counted.
    ///
    /// # Errors
    /// [`RetryAfter`]; nothing is counted then.
    pub fn check_search(&self, addr: IpAddr, now: Mono) -> Result<(), RetryAfter> {
        if !self.on {
            return Ok(());
        }
        let mut searches = self.searches.lock();
        let log = searches.touch(&subnet(addr, 32, 64));
        log.check(&SEARCHES, now)?;
        log.record(&SEARCHES, now);
        Ok(())
    }
}

impl Logins {
    /// The password was right from there.
    fn know(&mut self, name: &UserName, addr: IpAddr) {
        let known = self.known.touch(name);
        known.retain(|one| *one != addr);
        known.push_back(addr);
        if known.len() > limits::LOGIN_ADDRESSES_KNOWN_MAX {
            known.pop_front();
        }
    }

    fn take_back(&mut self, addr: IpAddr) {
        if let Some(log) = self.addresses.get_mut(&addr) {
            log.take_back();
        }
    }
}

impl Account {
    /// Whether it may be tried: five times, then once after each pause.
    fn check(&self, now: Mono) -> Result<(), RetryAfter> {
        let pause_ms = match self.failures_at(now).checked_sub(limits::LOGIN_FAILURES_MAX) {
            None => return Ok(()),
            Some(further) => {
                let factor = 1_u64.checked_shl(further).unwrap_or(u64::MAX);
                limits::LOGIN_LOCK_MS.saturating_mul(factor).min(limits::LOGIN_LOCK_MS_MAX)
            }
        };
        let left_ms = self.last.plus_ms(pause_ms).since_ms(now);
        if left_ms == 0 { Ok(()) } else { Err(RetryAfter::from_ms(left_ms)) }
    }

    fn record(&mut self, now: Mono) {
        self.failures = self.failures_at(now).saturating_add(1);
        self.last = now;
    }

    /// Takes the last attempt back: nobody looked whether it was right.
    fn take_back(&mut self) {
        self.failures = self.failures.saturating_sub(1);
    }

    fn failures_at(&self, now: Mono) -> u32 {
        let forgotten = now.since_ms(self.last) >= limits::LOGIN_FAILURES_KEPT_MS;
        if forgotten { 0 } else { self.failures }
    }
}

/// The network that an address lies in: its first bits, the others 0. One household has one IPv4
/// address, but 2^64 of IPv6; IPv4 written as IPv6 is IPv4.
pub(crate) fn subnet(addr: IpAddr, v4_bits: u32, v6_bits: u32) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V4(addr) => {
            let mask = u32::MAX.checked_shl(32 - v4_bits).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(addr.to_bits() & mask))
        }
        IpAddr::V6(addr) => {
            let mask = u128::MAX.checked_shl(128 - v6_bits).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits() & mask))
        }
    }
}
