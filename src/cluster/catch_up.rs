//! The thread `catch-up`: fetches what this machine has missed, settles what was left undecided.
//!
//! It works from three hints: errands that replicas leave, comparisons of all versions with the
//! peers (when one comes, and when sums differ twice in a row), and a regular look at users whose
//! last line is not known to be committed. Never is something uncommitted copied into a replica.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Cluster;
use super::replicas::{Body, Errand};
use crate::clock::Mono;
use crate::id::{NodeId, UserName};
use crate::limits::{COMPARE_MS, ERRANDS_QUEUE, SETTLE_MS, WRITE_MS_MAX};
use crate::replica::State;
use crate::replica::acceptor::Event;
use crate::replica::quorum::majority;
use crate::replica::version::Version;
use crate::thread::LockPermit;
use crate::wire::message::{Answer, Message};

/// How long the thread waits for an errand before it looks around.
const LOOK_MS: u64 = 100;
/// How long a version that is known to be committed may still be on its way here by itself.
const ON_ITS_WAY_MS: u64 = 50;

/// What the peers hold.
type Rows = BTreeMap<NodeId, BTreeMap<UserName, State>>;

impl Cluster {
    /// Catches up until the process stops.
    pub fn run_catch_up(&self, permit: &mut LockPermit) {
        let mut compared_at: Option<Mono> = None;
        let mut looked_at = self.clock.mono();
        let mut unsettled = BTreeMap::new();
        while !self.stop.is_closed() {
            if let Ok(first) = self.errands.recv_timeout(Duration::from_millis(LOOK_MS)) {
                self.run_errands(permit, first);
            }
            let now = self.clock.mono();
            let is_due = compared_at.is_none_or(|at| now.since_ms(at) >= COMPARE_MS);
            if (is_due || self.members.may_be_old())
                && self.compare_wanted.swap(false, Ordering::Relaxed)
            {
                self.compare(permit);
                compared_at = Some(now);
            }
            if now.since_ms(looked_at) >= SETTLE_MS {
                unsettled = self.settle_old(permit, &unsettled);
                looked_at = now;
            }
        }
    }

    /// Runs the errands that are there. What is known to be committed may be on its way here by
    /// itself, so all of them wait a moment together.
    fn run_errands(&self, permit: &mut LockPermit, first: Errand) {
        let mut behind: BTreeMap<UserName, Version> = BTreeMap::new();
        let mut unsettled = BTreeSet::new();
        for errand in std::iter::once(first).chain(self.errands.try_iter().take(ERRANDS_QUEUE)) {
            match errand {
                Errand::Behind(user, version) => {
                    let known = behind.entry(user).or_default();
                    *known = version.max(*known);
                }
                Errand::Settle(user) => {
                    unsettled.insert(user);
                }
            }
        }
        self.stop.wait(Duration::from_millis(ON_ITS_WAY_MS));
        for (user, version) in behind {
            let held = self.local.get(&user).map(|slot| slot.state().com).unwrap_or_default();
            if held < version && !self.stop.is_closed() {
                let _found_again_by_comparison = self.learn_from_any(&user, version);
            }
        }
        for user in unsettled {
            self.settle(permit, &user);
        }
    }

    /// Has this machine's view show a committed version, whoever holds it. Whether it does now.
    pub(super) fn learn_from_any(&self, user: &UserName, version: Version) -> bool {
        let me = self.members.me;
        let peers = self.members.live().into_iter().filter(|&node| node != me);
        for peer in peers {
            if self.learn(user, version, peer) {
                return true;
            }
        }
        self.compare_wanted.store(true, Ordering::Relaxed);
        false
    }

    /// Finds out what is committed of a user, writing it back if need be. What fails now is found
    /// again by the regular look.
    fn settle(&self, permit: &mut LockPermit, user: &UserName) {
        if let Err(error) = self.fresh(permit, user, self.deadline(WRITE_MS_MAX)) {
            log::debug!("not settled user={user} error={error}");
        }
    }

    /// Settles users whose last line was not known to be committed at the last look already.
    fn settle_old(
        &self,
        permit: &mut LockPermit,
        before: &BTreeMap<UserName, Version>,
    ) -> BTreeMap<UserName, Version> {
        let mut unsettled = BTreeMap::new();
        for (user, state) in self.local.states() {
            if state.com < state.acc {
                if before.get(&user) == Some(&state.acc) && self.members.has_majority() {
                    self.settle(permit, &user);
                }
                unsettled.insert(user, state.acc);
            }
        }
        unsettled
    }

    /// Compares all versions with every live peer, and mends what differs here.
    fn compare(&self, permit: &mut LockPermit) {
        let me = self.members.me;
        let mut rows = Rows::new();
        for peer in self.members.live().into_iter().filter(|&node| node != me) {
            match self.rows_of(peer) {
                Some(held) => {
                    rows.insert(peer, held);
                }
                None => self.compare_wanted.store(true, Ordering::Relaxed),
            }
        }
        rows.insert(me, self.local.states());
        let users: BTreeSet<&UserName> = rows.values().flat_map(BTreeMap::keys).collect();
        for user in users {
            if self.stop.is_closed() {
                return;
            }
            self.compare_user(permit, user, &rows);
        }
        let own = self.local.states();
        let differing = rows.iter().filter(|(node, _)| **node != me).map(|(node, held)| {
            let names: BTreeSet<&UserName> = held.keys().chain(own.keys()).collect();
            let acc = |of: &BTreeMap<UserName, State>, name| of.get(name).map(|s| s.acc);
            let differs = names.into_iter().filter(|&name| acc(held, name) != acc(&own, name));
            (*node, u32::try_from(differs.count()).unwrap_or(u32::MAX))
        });
        self.members.compared(&differing.collect());
    }

    fn compare_user(&self, permit: &mut LockPermit, user: &UserName, rows: &Rows) {
        let held: Vec<(NodeId, State)> = rows
            .iter()
            .map(|(node, held)| (*node, held.get(user).copied().unwrap_or_default()))
            .collect();
        let Some(own) = held.iter().find(|(node, _)| *node == self.members.me) else { return };
        let known = held.iter().max_by_key(|(_, state)| state.com);
        if let Some((holder, state)) = known
            && state.com > own.1.com
        {
            self.learn(user, state.com, *holder);
            return;
        }
        let is_same = |state: &State| (state.acc, state.hash) == (own.1.acc, own.1.hash);
        let same = held.iter().filter(|(_, state)| is_same(state)).count();
        if same >= majority(self.members.members.len()) {
            if let Some(slot) = self.local.get(user) {
                self.local.step(&slot, Event::Committed(own.1.acc), &Body::None);
            }
        } else if held.iter().any(|(_, state)| state.acc > own.1.acc) {
            self.settle(permit, user);
        }
    }

    /// Everything a peer holds, page by page.
    fn rows_of(&self, peer: NodeId) -> Option<BTreeMap<UserName, State>> {
        let mut all = BTreeMap::new();
        let mut after = None;
        loop {
            let (Answer::Sums { rows, last }, _) = self.ask(peer, Message::Sums { after })? else {
                return None;
            };
            after = rows.last().map(|row| row.user.clone());
            all.extend(rows.into_iter().map(|row| (row.user, row.state)));
            if last || after.is_none() {
                return Some(all);
            }
        }
    }
}
