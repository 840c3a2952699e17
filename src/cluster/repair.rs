//! The thread `repair`: rebuilds this machine's damaged files from what the others hold.
//!
//! Reading them is not enough: an acknowledgement that this machine gave for what it has lost may
//! still complete a majority at a peer that was read before. So a repair is a lock, above all that
//! was promised here, on a majority of the *others*: it closes every term in which such an
//! acknowledgement could count. What that lock finds becomes the file, and only then this machine
//! votes again. Where so many copies are damaged that no such majority can be had, all machines must
//! have told what is left, and the highest of it is taken.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Cluster;
use super::lock::LockError;
use crate::clock::Mono;
use crate::id::UserName;
use crate::limits::{
    IDLE_LOOK_MS, REPAIR_LOOK_MS, REPAIR_MS_MAX, REPAIR_PAUSE_MS, REPAIR_PAUSE_MS_MAX, WRITE_MS_MAX,
};
use crate::thread::LockPermit;
use crate::wire::status::ChangeKind;

/// When a file that could not be rebuilt is tried again.
#[derive(Clone, Copy)]
struct Attempt {
    next: Mono,
    pause_ms: u64,
}

impl Cluster {
    /// Rebuilds damaged files until the process stops; ends the process when the disk is lost.
    pub fn run_repair(&self, permit: &mut LockPermit) {
        let mut tried: BTreeMap<UserName, Attempt> = BTreeMap::new();
        let (mut wait_ms, mut live) = (IDLE_LOOK_MS, self.members.live());
        while !self.stop.wait(Duration::from_millis(wait_ms)) {
            if self.local.is_disk_lost() {
                self.stop.close();
                return;
            }
            self.local.mark_again();
            let damaged = self.local.damaged_users();
            wait_ms = if damaged.is_empty() { IDLE_LOOK_MS } else { REPAIR_LOOK_MS };
            tried.retain(|user, _| damaged.contains(user));
            let live_before = std::mem::replace(&mut live, self.members.live());
            if live.iter().any(|node| !live_before.contains(node)) {
                // What was missing may be there now.
                let again = Attempt { next: self.clock.mono(), pause_ms: REPAIR_PAUSE_MS };
                for attempt in tried.values_mut() {
                    *attempt = again;
                }
            }
            for user in damaged {
                let now = self.clock.mono();
                let is_due = tried.get(&user).is_none_or(|attempt| attempt.next <= now);
                if !is_due || self.stop.is_closed() {
                    continue;
                }
                let before = tried.get(&user).map(|attempt| attempt.pause_ms);
                if before.is_some() {
                    self.fill(permit, &user);
                } else {
                    self.changes.note(ChangeKind::DamageFound, self.members.me);
                }
                if let Err(error) = self.repair(permit, &user) {
                    if before.is_none() {
                        log::warn!(user:%, error:%; "damaged file not repaired yet");
                    }
                    let pause_ms = before.map_or(REPAIR_PAUSE_MS, |ms| ms * 2);
                    let pause_ms = pause_ms.min(REPAIR_PAUSE_MS_MAX);
                    // Two machines that repair one user must not meet each time anew.
                    let jitter = self.seed(&user).rotate_left(pause_ms as u32) % pause_ms;
                    let next = self.clock.mono().plus_ms(pause_ms + jitter);
                    tried.insert(user, Attempt { next, pause_ms });
                }
            }
        }
    }

    /// Brings the damaged copy up to what is committed, as for any reader: what a lock finds on top of
    /// that is little, however long the file and slow the line. It gives no vote.
    fn fill(&self, permit: &mut LockPermit, user: &UserName) {
        if let Err(error) = self.fresh(permit, user, self.deadline(WRITE_MS_MAX)) {
            log::debug!(user:%, error:%; "damaged file not filled");
        }
    }

    /// Rebuilds one damaged file.
    fn repair(&self, permit: &mut LockPermit, user: &UserName) -> Result<(), LockError> {
        let guard = self.acquire_to_repair(permit, user, self.deadline(REPAIR_MS_MAX))?;
        let is_loss_possible = guard.loss_possible();
        let version = guard.restore()?;
        log::info!(user:%, version:%; "damaged file repaired");
        self.changes.note(ChangeKind::Repaired, self.members.me);
        if is_loss_possible {
            log::error!(user:%, version:%; "possible loss");
        }
        Ok(())
    }
}
