//! One machine's disk: what the processes see, and what a power cut leaves of it.
//!
//! A process that is killed leaves the kernel's cache, so what it wrote and never flushed is still
//! seen, and may be lost later. After a power cut an append that was not flushed is there wholly,
//! in part, with a block of zeros in place of its bytes, or not at all; a replaced file is the old
//! one or the new one.

use std::collections::{BTreeMap, BTreeSet};

use tern::id::UserName;
use tern::replica::barrier::Place;

use crate::random::Random;

/// Bytes that arrive on the platter together.
const BLOCK: usize = 512;

/// What a write ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskError {
    /// The flush failed: nobody knows what is on the platter.
    Sync,
    /// No room: nothing was written.
    Full,
}

/// What became of a file since the last flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Dirt {
    #[default]
    Clean,
    Appended,
    Replaced,
}

#[derive(Debug, Clone, Default)]
struct File {
    /// On the platter. `None`: no name there.
    durable: Option<Vec<u8>>,
    /// As a process reads it.
    seen: Option<Vec<u8>>,
    dirt: Dirt,
    /// A flush failed: an append to this file is never tried again.
    retired: bool,
}

/// `node.json`, as far as the protocol reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeFile {
    pub(crate) boot: u32,
    pub(crate) ceiling: u64,
    pub(crate) place: Place,
}

/// One machine's disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    files: BTreeMap<UserName, File>,
    /// Marks of damage; each is flushed before anything else is done.
    pub(crate) marks: BTreeSet<UserName>,
    pub(crate) node: NodeFile,
    /// A `node.json` on its way to the platter.
    pub(crate) node_next: Option<NodeFile>,
    /// No room for anything new.
    pub(crate) is_full: bool,
    /// Flushes hang now and then, for longer than a lease lasts and anybody waits.
    pub(crate) is_slow: bool,
    /// The next so many flushes fail.
    pub(crate) failing: u32,
    /// The power fails during the next write.
    pub(crate) is_doomed: bool,
    /// How many files were cut in the middle by a power cut.
    pub(crate) torn: u64,
}

impl Disk {
    pub(crate) fn new(place: Place) -> Self {
        Self {
            files: BTreeMap::new(),
            marks: BTreeSet::new(),
            node: NodeFile { boot: 0, ceiling: 0, place },
            node_next: None,
            is_full: false,
            is_slow: false,
            failing: 0,
            is_doomed: false,
            torn: 0,
        }
    }

    pub(crate) fn names(&self) -> Vec<UserName> {
        let is_there = |(_, file): &(&UserName, &File)| file.seen.is_some();
        self.files.iter().filter(is_there).map(|(name, _)| name.clone()).collect()
    }

    /// A file's bytes as a process reads them.
    pub(crate) fn read(&self, user: &UserName) -> &[u8] {
        self.files.get(user).and_then(|file| file.seen.as_deref()).unwrap_or_default()
    }

    /// Begins an append at `at`; [`Self::flush`] ends it.
    pub(crate) fn append(
        &mut self,
        user: &UserName,
        at: usize,
        bytes: &[u8],
    ) -> Result<(), DiskError> {
        if self.is_full {
            return Err(DiskError::Full);
        }
        let file = self.files.entry(user.clone()).or_default();
        if file.retired || file.seen.as_ref().map_or(0, Vec::len) != at {
            return Err(DiskError::Sync);
        }
        file.seen.get_or_insert_default().extend_from_slice(bytes);
        file.dirt = Dirt::Appended;
        Ok(())
    }

    /// Begins to put other bytes in a file's place; [`Self::flush`] ends it.
    pub(crate) fn replace(&mut self, user: &UserName, bytes: &[u8]) -> Result<(), DiskError> {
        if self.is_full {
            return Err(DiskError::Full);
        }
        let file = self.files.entry(user.clone()).or_default();
        file.seen = Some(bytes.to_vec());
        file.dirt = Dirt::Replaced;
        Ok(())
    }

    /// Ends what was begun.
    pub(crate) fn flush(&mut self, user: &UserName) -> Result<(), DiskError> {
        let file = self.files.entry(user.clone()).or_default();
        if self.failing > 0 {
            self.failing -= 1;
            // The kernel has dropped the pages from its list: no later flush will write them, and a
            // reader sees them all the same.
            file.dirt = Dirt::Clean;
            file.retired = true;
            return Err(DiskError::Sync);
        }
        if file.dirt == Dirt::Replaced {
            file.retired = false;
        }
        file.dirt = Dirt::Clean;
        file.durable.clone_from(&file.seen);
        Ok(())
    }

    /// A start: flushes what a killed process left, then reads past the cache.
    pub(crate) fn sync_all(&mut self) {
        for file in self.files.values_mut() {
            if file.dirt != Dirt::Clean {
                file.durable.clone_from(&file.seen);
                file.dirt = Dirt::Clean;
            }
            file.seen.clone_from(&file.durable);
            file.retired = false;
        }
    }

    /// Cuts a torn tail off, durably.
    pub(crate) fn cut(&mut self, user: &UserName, len: usize) {
        let file = self.files.entry(user.clone()).or_default();
        if let Some(seen) = &mut file.seen {
            seen.truncate(len);
        }
        file.durable.clone_from(&file.seen);
    }

    /// Marks a user, sets the bad file aside and puts what is intact of it in its place, durably.
    pub(crate) fn set_aside(&mut self, user: &UserName, intact: &[u8]) {
        self.marks.insert(user.clone());
        let bytes = Some(intact.to_vec()).filter(|bytes| !bytes.is_empty());
        let file = File { durable: bytes.clone(), seen: bytes, ..File::default() };
        self.files.insert(user.clone(), file);
    }

    /// The process is gone; the kernel is not. A rename of `node.json` was done or was not.
    pub(crate) fn kill(&mut self, random: &mut Random) {
        if let Some(next) = self.node_next.take()
            && random.chance(50)
        {
            self.node = next;
        }
    }

    /// Nothing but the platter is left.
    pub(crate) fn cut_power(&mut self, random: &mut Random) {
        self.kill(random);
        for file in self.files.values_mut() {
            match std::mem::take(&mut file.dirt) {
                Dirt::Replaced if random.chance(50) => file.durable.clone_from(&file.seen),
                Dirt::Clean | Dirt::Replaced => {}
                Dirt::Appended => {
                    let before = file.durable.as_ref().map_or(0, Vec::len);
                    let seen = file.seen.clone().unwrap_or_default();
                    let left = leave(&seen, before, random);
                    self.torn += u64::from(left.len() > before && left != seen);
                    if !left.is_empty() {
                        file.durable = Some(left);
                    }
                }
            }
            file.seen.clone_from(&file.durable);
        }
    }

    /// One bit of a file rots. False if there is nothing to rot, or it is being written.
    pub(crate) fn rot(&mut self, user: &UserName, random: &mut Random) -> bool {
        let Some(file) = self.files.get_mut(user).filter(|file| file.dirt == Dirt::Clean) else {
            return false;
        };
        let Some(bytes) = file.durable.as_mut().filter(|bytes| !bytes.is_empty()) else {
            return false;
        };
        let at = random.index(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        file.seen.clone_from(&file.durable);
        true
    }
}

/// What is left of the bytes after `before`, which were not flushed.
fn leave(seen: &[u8], before: usize, random: &mut Random) -> Vec<u8> {
    let new = seen.len() - before;
    match random.below(4) {
        0 => seen[..before].to_vec(),
        1 => seen.to_vec(),
        2 => seen[..before + random.index(new.max(1))].to_vec(),
        _ => {
            let mut bytes = seen.to_vec();
            let first = before / BLOCK;
            let block = first + random.index(seen.len().div_ceil(BLOCK) - first);
            let from = (block * BLOCK).max(before);
            let to = ((block + 1) * BLOCK).min(seen.len());
            bytes[from..to].fill(0);
            bytes
        }
    }
}
