//! How a machine whose own copy is not what its lock builds on comes by that: it learns the lines that
//! it lacks, or builds on the whole file that another member granted.

use std::sync::Arc;

use super::lock::{LockError, UserGuard};
use super::replicas::{Body, apply_line};
use crate::id::NodeId;
use crate::replica::coordinator::Holding;
use crate::user::User;

impl UserGuard<'_> {
    /// Brings this machine's own copy up to the base, if that is known to be committed: mostly it
    /// lacks one line, and the file need be neither fetched nor put in place anew. False if it did
    /// not come about.
    pub(super) fn learn_base(&mut self) -> bool {
        let Holding { base, held_by, .. } = self.holding;
        let Some(node) = held_by.filter(|&node| node != self.cluster.members.me) else {
            return false;
        };
        if base.com != base.acc || base.acc.is_zero() {
            return false;
        }
        self.cluster.learn_until(&self.slot, (base.acc, node), self.deadline);
        let Some(at) = self.slot.at(base.acc) else { return false };
        self.own_len = at.0;
        self.built = at.1.map(Box::new);
        true
    }

    /// Gets the file that the lock was granted on from the member that holds it.
    pub(super) fn fetch_base(&mut self, node: NodeId) -> Result<(), LockError> {
        let base = self.holding.base;
        let bytes = match self.bodies.remove(&node) {
            Some(bytes) => bytes,
            None if base.acc.is_zero() => Vec::new(),
            None => {
                self.cluster.fetch_whole(node, &self.slot, self.deadline).ok_or(LockError::Busy)?
            }
        };
        let mut user = User::absent(self.slot.name.clone());
        let bytes: Arc<[u8]> = bytes.into();
        if !base.acc.is_zero() {
            let body = Body::file(&self.slot.name, Arc::clone(&bytes)).map_err(|error| {
                log::warn!(node, error:%; "granted file is unreadable");
                LockError::Busy
            })?;
            if body.last() != Some((base.acc, base.hash)) {
                return Err(LockError::Busy);
            }
            if let Body::File(_, lines) = &body {
                for line in lines {
                    apply_line(&mut user, line);
                }
            }
        }
        self.built = Some(Box::new(user));
        self.fetched = Some(bytes);
        Ok(())
    }
}
