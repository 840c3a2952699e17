//! The map from user name to lock: this machine's coordinator of each user, first come first served.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::Cluster;
use crate::id::UserName;
use crate::limits::USER_LOCKS_KEPT;
use crate::replica::coordinator::Coordinator;

/// The map from user name to lock.
pub struct UserLocks {
    locks: RwLock<HashMap<UserName, Arc<Mutex<Coordinator>>>>,
    /// Rounds used by coordinators that were forgotten since: none may be used again.
    round_used: Mutex<u64>,
}

impl UserLocks {
    /// No locks yet.
    pub fn new() -> Self {
        Self { locks: RwLock::default(), round_used: Mutex::new(0) }
    }

    pub(super) fn of(&self, cluster: &Cluster, user: &UserName) -> Arc<Mutex<Coordinator>> {
        if let Some(lock) = self.locks.read().get(user) {
            return Arc::clone(lock);
        }
        let mut locks = self.locks.write();
        if locks.len() >= USER_LOCKS_KEPT {
            let mut used = self.round_used.lock();
            locks.retain(|_, lock| {
                let is_free = Arc::strong_count(lock) == 1;
                if is_free {
                    *used = lock.lock().round().max(*used);
                }
                !is_free
            });
        }
        let make = || {
            let members = &cluster.members;
            let boot = cluster.local.node.boot;
            let seed = cluster.seed(user);
            let round = *self.round_used.lock();
            let coordinator = Coordinator::new(members.me, boot, seed).above(round);
            Arc::new(Mutex::new(coordinator))
        };
        Arc::clone(locks.entry(user.clone()).or_insert_with(make))
    }
}

impl Default for UserLocks {
    fn default() -> Self {
        Self::new()
    }
}
