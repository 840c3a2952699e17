//! The ballast: a file that only takes up room, to be given up when the disk is full.
//!
//! What must go on then is small: `node.json`, damage marks, and compaction, which makes room by
//! first taking some. While the ballast is given up, users' lines are refused as if the disk were
//! still full: they would eat the room that it made.

use std::io;

use parking_lot::Mutex;
use rustix::fs::{FallocateFlags, OFlags, fallocate};

use super::directory::Directory;
use super::error::StoreError;
use super::{DataDir, UserStore, lines_name};
use crate::id::UserName;
use crate::limits::BALLAST_BYTES;

pub(super) const NAME: &str = "ballast";

/// Whether the ballast had to be given up and was not made again since. Held while it is made or given up:
/// of two who make it at once, one that fails would remove what the other says is there.
#[derive(Debug, Default)]
pub(super) struct Ballast {
    released: Mutex<bool>,
}

impl DataDir {
    /// Makes the ballast where it lacks. On a disk too small for it there is none.
    pub(super) fn make_ballast(&self) {
        let mut released = self.ballast().released.lock();
        match make(self.root()) {
            Ok(()) => *released = false,
            Err(error) => log::warn!(error:%; "no ballast"),
        }
    }

    /// Makes the ballast again if it had to be given up; whether none lacks. That it had to be was said
    /// then: as long as the disk is full, each write comes by here in vain.
    fn make_again(&self) -> bool {
        let mut released = self.ballast().released.lock();
        if *released {
            match make(self.root()) {
                Ok(()) => {
                    *released = false;
                    log::info!(bytes = BALLAST_BYTES; "ballast made again");
                }
                Err(error) => log::debug!(error:%; "no room for the ballast yet"),
            }
        }
        !*released
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
        let mut released = self.ballast().released.lock();
        let was_there = self.root().remove_file(NAME)?;
        if was_there {
            *released = true;
            // Some file systems give the room back only now.
            self.root().sync()?;
            log::warn!(bytes = BALLAST_BYTES; "disk full, ballast given up");
        }
        Ok(was_there)
    }

    /// Refuses what may wait while the room that the ballast made is needed for what may not.
    pub(super) fn check_room(&self, name: &str) -> Result<(), StoreError> {
        if self.make_again() {
            return Ok(());
        }
        let source = io::Error::from(io::ErrorKind::StorageFull);
        Err(StoreError::NoSpace { path: self.users().path_of(name), source })
    }
}

impl UserStore {
    /// Refuses while there is no room for as much again as a user's file has.
    pub(super) fn check_room_of(&self, user: &UserName) -> Result<(), StoreError> {
        let name = lines_name(user);
        let file = self.users().open_file(&name, OFlags::RDONLY)?;
        let len = file.and_then(|file| file.metadata().ok()).map_or(0, |data| data.len());
        if self.dir.has_room(len)? {
            return Ok(());
        }
        let source = io::Error::from(io::ErrorKind::StorageFull);
        Err(StoreError::NoSpace { path: self.users().path_of(&name), source })
    }

    /// Makes the ballast again once there is room for it; whether it is there. To be called from
    /// time to time; a user's next line does it too.
    pub fn keep_ballast(&self) -> bool {
        self.dir.make_again()
    }
}

#[cfg(test)]
impl UserStore {
    /// Has the disk full from now on, for all that may wait, or no longer.
    pub(crate) fn be_full(&self, is_full: bool) {
        let mut released = self.dir.ballast().released.lock();
        let in_the_way = self.dir.path().join(NAME);
        // Whatever has that name: nothing can be made under it.
        let _was_none =
            std::fs::remove_file(&in_the_way).or_else(|_| std::fs::remove_dir(&in_the_way));
        if is_full {
            std::fs::create_dir(in_the_way).unwrap();
        }
        *released = is_full;
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
