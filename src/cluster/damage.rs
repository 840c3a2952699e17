//! What becomes of a file that is found damaged: at the start, by a read, by the regular look at all
//! files, by a failed write.
//!
//! The mark comes first, durably; then the file is set aside and what is intact of it takes its
//! place. From then on this machine has no vote on that user until `repair` has rebuilt the file;
//! its promises stand. What was shown is shown on.

use super::replicas::{Body, Replicas, Slot};
use super::slot::Replica;
use crate::id::UserName;
use crate::replica::State;
use crate::replica::acceptor::Event;
use crate::store::line::{Line, LineError};
use crate::store::scan::{self, End};
use crate::store::{Loaded, StoreError};
use crate::thread::CloseOnPanic;

impl Replicas {
    /// Whose file is damaged here and not rebuilt yet.
    pub fn damaged_users(&self) -> Vec<UserName> {
        self.damaged.lock().iter().cloned().collect()
    }

    /// How many those are.
    pub fn damaged_count(&self) -> usize {
        self.damaged.lock().len()
    }

    /// Something read from this user's file was not what should stand there: looks at the whole file.
    /// Whether it is damaged.
    pub fn suspect(&self, slot: &Slot) -> bool {
        let mut replica = slot.lock();
        // What is missing meanwhile is known to be missing.
        replica.acceptor.is_damaged() || self.check(slot, &mut replica)
    }

    /// Reads a user's file from the disk and compares it with what was written. Whether it is damaged;
    /// then it is marked and set aside by now.
    pub fn scrub(&self, slot: &Slot) -> bool {
        let (state, len) = {
            let replica = slot.lock();
            (replica.acceptor.state(), replica.len)
        };
        // A write in between may have changed the file: only what is read under the lock counts.
        if self.differs(slot, state, len).is_none() {
            return false;
        }
        self.check(slot, &mut slot.lock())
    }

    /// As [`Self::scrub`], under the replica lock.
    pub(super) fn check(&self, slot: &Slot, replica: &mut Replica) -> bool {
        match self.differs(slot, replica.acceptor.state(), replica.len) {
            None => false,
            Some(error) => {
                self.lose(slot, replica, &error);
                true
            }
        }
    }

    /// Takes the mark off a user whose file was copied anew, if it stands on the disk as `state` says.
    pub(super) fn clear_if_whole(&self, slot: &Slot, state: State) {
        let mut replica = slot.lock();
        if replica.acceptor.state() != state {
            return;
        }
        let cleared = match self.store.verify(&slot.name, replica.len) {
            Ok(found) if (found.acc, found.hash) != (state.acc, state.hash) => {
                Err(ends_elsewhere(&slot.name))
            }
            verified => verified.and_then(|_whole| self.store.clear_mark(&slot.name)),
        };
        match cleared {
            Ok(()) => {
                self.damaged.lock().remove(&slot.name);
                self.perform(slot, &mut replica, Event::Cleared, &Body::None);
            }
            Err(error) => log::error!(user:% = slot.name, error:%; "mark not removed"),
        }
    }

    /// How a file differs from what was written. An error that says nothing of the file is none.
    fn differs(&self, slot: &Slot, state: State, len: u64) -> Option<StoreError> {
        match self.store.verify(&slot.name, len) {
            Ok(found) if (found.acc, found.hash) == (state.acc, state.hash) => None,
            Ok(_) => Some(ends_elsewhere(&slot.name)),
            Err(error) if error.is_damage() => Some(error),
            Err(error) => {
                log::warn!(user:% = slot.name, error:%; "file not checked");
                None
            }
        }
    }

    /// A user's whole file as it stands, with what it is. Nothing that is not what was written leaves
    /// this machine: what is left of a file found damaged goes instead.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn file(&self, slot: &Slot) -> Result<(State, Vec<u8>), StoreError> {
        let mut replica = slot.lock();
        match self.read_checked(slot, &replica) {
            Err(error) if error.is_damage() && self.check(slot, &mut replica) => {
                let bytes = self.read_checked(slot, &replica)?;
                Ok((replica.acceptor.state(), bytes))
            }
            read => Ok((replica.acceptor.state(), read?)),
        }
    }

    fn read_checked(&self, slot: &Slot, replica: &Replica) -> Result<Vec<u8>, StoreError> {
        if replica.len == 0 {
            return Ok(Vec::new());
        }
        let bytes = self.store.read_prefix(&slot.name, replica.len)?;
        let scan = scan::scan(&bytes, &mut |_| {});
        let state = replica.acceptor.state();
        match scan.end {
            End::Whole if (scan.chain.version, scan.chain.hash) == (state.acc, state.hash) => {
                Ok(bytes)
            }
            _ => Err(ends_elsewhere(&slot.name)),
        }
    }

    /// This user's file is not to be trusted any more.
    pub(super) fn lose(&self, slot: &Slot, replica: &mut Replica, why: &StoreError) {
        // As in a step: this is done outside of one, too.
        let _vital = CloseOnPanic::new(&self.stop);
        let (loaded, lines) = self.put_aside(&slot.name, why);
        let before = replica.acceptor.state();
        let intact = State { acc: loaded.acc, hash: loaded.hash, com: loaded.com };
        self.add_to_sum(&slot.name, before, intact);
        replica.len = loaded.len;
        slot.took_lines(replica, &self.index, &lines);
        self.perform(slot, replica, Event::Damaged(intact), &Body::None);
    }

    /// Puts a damaged file's mark on the disk; whether it is there. Without it a later start would trust the
    /// file, so that this machine votes on nobody until it is.
    pub(super) fn mark(&self, name: &UserName, reason: &str) -> bool {
        let marked = self.store.mark_damaged(name, reason);
        let mut unmarked = self.unmarked.lock();
        match marked {
            Ok(()) => unmarked.remove(name),
            Err(error) => {
                // Once: as long as it lasts it is each try's fate.
                if unmarked.insert(name.clone()) {
                    log::error!(user:% = name, error:%; "damage not marked, no vote until it is");
                }
                false
            }
        };
        self.node.let_vote(unmarked.is_empty());
        !unmarked.contains(name)
    }

    /// Tries again to mark what could not be marked.
    pub(super) fn mark_again(&self) {
        let unmarked: Vec<UserName> = self.unmarked.lock().iter().cloned().collect();
        let mark = |name: &UserName| {
            // Nobody rebuilds it meanwhile, and takes its mark off.
            let Some(slot) = self.get(name) else { return false };
            let _replica = slot.lock();
            !self.unmarked.lock().contains(name)
                || self.mark(name, "it could not be marked at once")
        };
        let left = unmarked.iter().filter(|name| !mark(name)).count();
        if left == 0 && !unmarked.is_empty() {
            log::info!(users = unmarked.len(); "damage marked, voting again");
        }
    }

    /// Marks a user, moves the bad file away and reads what is intact of it; nothing, if the disk
    /// does not allow that.
    ///
    /// If the disk cannot be read either, there is nothing left to answer with.
    pub(super) fn put_aside(&self, name: &UserName, why: &StoreError) -> (Loaded, Vec<Line>) {
        self.damaged.lock().insert(name.clone());
        if !self.mark(name, &why.reason()) {
            if matches!(why, StoreError::Io { .. }) {
                self.disk_lost();
            }
            return (Loaded::default(), Vec::new());
        }
        let mut lines = Vec::new();
        let kept = self
            .store
            .set_aside(name, &why.reason())
            .and_then(|()| self.store.load(name, &mut |line| lines.push(line)));
        match kept {
            Ok(loaded) => {
                match why {
                    StoreError::Damaged { line, why, .. } => {
                        log::error!(user:% = name, line, why:%; "damaged file set aside");
                    }
                    why => log::error!(user:% = name, why:%; "damaged file set aside"),
                }
                (loaded, lines)
            }
            Err(error) => {
                log::error!(user:% = name, error:%; "damaged file not set aside");
                (Loaded::default(), Vec::new())
            }
        }
    }
}

/// Good lines, but not up to the one that was written last.
fn ends_elsewhere(user: &UserName) -> StoreError {
    StoreError::Damaged { user: user.clone(), line: 0, why: LineError::LineEnd }
}
