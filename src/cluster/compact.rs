//! Compaction: a user's file loses what later entries made void.
//!
//! Local: each machine folds its own copy when it likes, and what it holds, promises and answers is the
//! same before and after. Only the committed part is folded, so nothing that could still be replaced
//! by another history is ever lost.
//!
//! The folding itself needs no lock: it works on bytes that do not change. The replica lock is taken
//! for the replacement, and it is given up if a line has come meanwhile.

use super::replicas::{Replicas, Slot};
use crate::clock::Wall;
use crate::id::PostId;
use crate::limits::{DEAD_BYTES_MIN, DEAD_PERCENT_MIN, DELETED_TEXT_MS, POST_READS_MAX};
use crate::replica::State;
use crate::store::StoreError;
use crate::store::snapshot::{Folded, fold};
use crate::user::entry::Entry;
use crate::user::{Post, Status, User};

/// Since when a text that its writer deleted has stood in a file, if one does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gone(Option<Wall>);

impl Gone {
    /// Takes note of an entry, before it changes the user.
    pub(super) fn note(&mut self, before: &User, entry: &Entry) {
        let at = match entry {
            Entry::PostDeleted { at, id } if before.post(*id).is_some() => *at,
            Entry::Left { at } if before.status == Status::Active => *at,
            _ => return,
        };
        self.0 = Some(self.0.map_or(at, |since| since.min(at)));
    }

    fn is_due(self, now: Wall) -> bool {
        self.0.is_some_and(|since| now.0.saturating_sub(since.0) >= DELETED_TEXT_MS)
    }
}

impl Slot {
    /// Whether folding would free enough, or take a deleted text off the disk. A guess that reads
    /// nothing.
    fn is_worth_folding(&self, now: Wall) -> bool {
        let replica = self.lock();
        let (len, gone, folded_to) = (replica.len, replica.gone, replica.folded_to);
        let nothing = replica.acceptor.is_damaged() || replica.acceptor.state().com.is_zero();
        drop(replica);
        if nothing {
            return false;
        }
        if gone.is_due(now) {
            return true;
        }
        // Most files are too short to be looked at further.
        if len < folded_to.saturating_add(DEAD_BYTES_MIN) {
            return false;
        }
        let dead = len.saturating_sub(self.view().folded_bytes());
        dead > DEAD_BYTES_MIN && dead * 100 > len * DEAD_PERCENT_MIN
    }
}

impl Replicas {
    /// Compacts files that are worth it, at most `most`; how many it was. Only to be called once all
    /// machines of the cluster understand snapshots: they receive whole files.
    pub fn compact_some(&self, now: Wall, most: usize) -> usize {
        let slots = self.slots();
        let worth = slots.iter().filter(|slot| slot.is_worth_folding(now));
        worth.filter(|slot| self.compact(slot)).take(most).count()
    }

    /// Compacts one user's file; whether it was.
    pub fn compact(&self, slot: &Slot) -> bool {
        let (state, len) = {
            let replica = slot.lock();
            (replica.acceptor.state(), replica.len)
        };
        let bytes = match self.store.read_prefix(&slot.name, len) {
            Ok(bytes) => bytes,
            Err(error) => {
                log::error!("not compacted user={} error={error}", slot.name);
                return false;
            }
        };
        let folded = match fold(&slot.name, &bytes, state.com) {
            Ok(Some(folded)) if folded.bytes.len() < bytes.len() => folded,
            Ok(_) => return self.not_worth_it(slot, len),
            Err(error) => {
                // If it is damage, reading the file through will find it and deal with it.
                log::error!("not compacted user={} error={error}", slot.name);
                return self.not_worth_it(slot, len);
            }
        };
        self.put_in_place(slot, (state, len), folded)
    }

    /// Does not look at a file again until it has grown.
    fn not_worth_it(&self, slot: &Slot, len: u64) -> bool {
        let mut replica = slot.lock();
        if replica.len == len {
            (replica.folded_to, replica.gone) = (len, Gone::default());
        }
        false
    }

    /// Replaces the file by the folded one, unless it is another by now; whether it did.
    fn put_in_place(&self, slot: &Slot, (state, len): (State, u64), folded: Folded) -> bool {
        let mut replica = slot.lock();
        let Folded { bytes, user, tail } = folded;
        let now = replica.acceptor.state();
        let is_same = replica.len == len && (now.acc, now.hash) == (state.acc, state.hash);
        if !is_same || replica.acceptor.is_damaged() || replica.shown() < state.com {
            return false;
        }
        let new_len = bytes.len() as u64;
        match self.store.compact(&slot.name, &bytes) {
            Ok(()) => {
                slot.took_folded(&mut replica, new_len, user, tail);
                log::info!("compacted user={} from={len} to={new_len}", slot.name);
                true
            }
            // The name may mean either file, and which one is not known.
            Err(error @ StoreError::SyncFailed { .. }) => {
                self.lose(slot, &mut replica, &error);
                false
            }
            Err(error) => {
                log::warn!("not compacted user={} error={error}", slot.name);
                false
            }
        }
    }

    /// What `about` says of a post, and its text; `None` if the post does not stand. The file may be
    /// replaced between looking up where the text stands and reading it: then both are done again.
    pub fn read_post<T>(
        &self,
        slot: &Slot,
        id: PostId,
        about: impl Fn(&User, &Post) -> T,
    ) -> Option<(T, Result<String, StoreError>)> {
        let read = || {
            let look = |user: &User| user.post(id).map(|post| (about(user, post), post.place()));
            let (told, place) = look(&slot.view())?;
            Some((told, self.store.read_text(&slot.name, id, place)))
        };
        for _ in 1..POST_READS_MAX {
            match read()? {
                (_, Err(StoreError::NotAtPlace { .. })) => {}
                found => return Some(found),
            }
        }
        // Nothing replaces a file under this lock.
        let _replica = slot.lock();
        read()
    }
}
