//! The ballast: a file that only takes up room, to be given up when the disk is full.
//!
//! What must go on then is small: `node.json`, damage marks, and compaction, which makes room by
//! first taking some. While the ballast is given up, users' lines are refused as if the disk were
//! still full: they would eat the room that it made.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{FallocateFlags, OFlags, fallocate};

use super::directory::Directory;
use super::error::StoreError;
use super::{DataDir, UserStore};
use crate::limits::BALLAST_BYTES;

pub(super) const NAME: &str = "ballast";

/// Whether the ballast had to be given up and was not made again since.
#[derive(Debug, Default)]
pub(super) struct Ballast {
    released: AtomicBool,
}

impl DataDir {
    /// Makes the ballast where it lacks; whether it is there. On a disk too small for it there is
    /// none.
    pub(super) fn make_ballast(&self) -> bool {
        match make(self.root()) {
            Ok(()) => {
                self.ballast().released.store(false, Ordering::Release);
                true
            }
            Err(error) => {
                log::warn!(error:%; "no ballast");
                false
            }
        }
    }

    /// Does what must go on when the disk is full, giving up the ballast if it does not fit.
    pub(super) fn with_ballast<T>(
        &self,
        act: impl Fn() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match act() {
            Err(StoreError::NoSpace { .. }) if self.release_ballast()? => act(),
            done => done,
        }
    }

    /// Gives up the ballast; whether there was one.
    fn release_ballast(&self) -> Result<bool, StoreError> {
        let was_there = self.root().remove_file(NAME)?;
        if was_there {
            self.ballast().released.store(true, Ordering::Release);
            // Some file systems give the room back only now.
            self.root().sync()?;
            log::warn!(bytes = BALLAST_BYTES; "disk full, ballast given up");
        }
        Ok(was_there)
    }

    /// Refuses what may wait while the room that the ballast made is needed for what may not.
    pub(super) fn check_room(&self, name: &str) -> Result<(), StoreError> {
        if !self.ballast().released.load(Ordering::Acquire) || self.make_ballast() {
            return Ok(());
        }
        let source = io::Error::from(io::ErrorKind::StorageFull);
        Err(StoreError::NoSpace { path: self.users().path_of(name), source })
    }
}

impl UserStore {
    /// Makes the ballast again once there is room for it; whether it is there. To be called from
    /// time to time; a user's next line does it too.
    pub fn keep_ballast(&self) -> bool {
        !self.dir.ballast().released.load(Ordering::Acquire) || self.dir.make_ballast()
    }
}

/// The file with all its bytes allotted. One that is too short is from a crash, or was never whole.
fn make(root: &Directory) -> Result<(), StoreError> {
    let file = match root.open_file(NAME, OFlags::RDWR)? {
        Some(file) => Some(file),
        None => root.create_file(NAME)?,
    };
    let file = file.ok_or_else(|| root.failed("make", NAME, rustix::io::Errno::EXIST))?;
    let allotted = fallocate(&file, FallocateFlags::empty(), 0, BALLAST_BYTES);
    let made = allotted
        .map_err(|e| root.no_space_or("make", NAME, e.into()))
        .and_then(|()| file.sync_all().map_err(|e| root.sync_failed(NAME, e)))
        .and_then(|()| root.sync());
    if made.is_err() {
        // Half a ballast is room that nobody has.
        root.remove_file(NAME)?;
    }
    made
}
