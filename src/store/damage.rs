//! Damage: marks that outlive a restart, and files set aside.
//!
//! While a mark exists this machine has no vote on the user, whatever stands in `users/`: an
//! acknowledgement it once gave may rest on bytes that are gone. So the mark comes first, flushed,
//! before the file is moved; a crash between the two leaves a marked user with a file, which is
//! safe, and never the other way round.

use std::io::{Read, Write};

use rustix::fs::OFlags;

use super::directory::Directory;
use super::error::StoreError;
use super::name::{FileName, Role};
use super::{DataDir, UserStore, lines_name};
use crate::id::{PictureName, UserName};
use crate::limits::{MARK_BYTES_MAX, USER_FILE_BYTES_MAX};
use crate::metrics::DISK_WRITTEN;
use crate::order::sort_by;

impl UserStore {
    /// Marks a user's file as not to be trusted, for good: a restart finds the mark. The first
    /// reason stays.
    ///
    /// # Errors
    /// Whatever the error, there may be no mark on the disk: this machine must stop voting for all
    /// users.
    pub fn mark_damaged(&self, user: &UserName, why: &str) -> Result<(), StoreError> {
        let directory = self.dir.damaged();
        let name = FileName::new(user, Role::Mark).to_string();
        let made = self.dir.with_ballast(|| directory.create_file(&name))?;
        let Some(mut mark) = made else {
            return flush_again(directory, &name);
        };
        let mut reason = why.replace(|c: char| c.is_control(), " ");
        reason.truncate(reason.floor_char_boundary(MARK_BYTES_MAX - 1));
        reason.push('\n');
        DISK_WRITTEN.add(reason.len());
        // The name alone is the mark, so a full disk must not keep it from being flushed.
        if let Err(error) = mark.write_all(reason.as_bytes()) {
            log::warn!(user:%, error:%; "damage mark without its reason");
        }
        mark.sync_all().map_err(|e| directory.sync_failed(&name, e))?;
        directory.sync()
    }

    /// Marks a user and moves the bad file beside the mark. A new file takes its name, with the lines
    /// before the first bad one: they can still be read, and alone they are all that is left, so the ballast is
    /// given up for them if the disk is full. Without a file, the mark is all.
    ///
    /// # Errors
    /// As [`Self::mark_damaged`]. When the mark was made and the move failed, the user is marked
    /// and the file may be in either place.
    pub fn set_aside(&self, user: &UserName, why: &str) -> Result<(), StoreError> {
        self.mark_damaged(user, why)?;
        let intact = self.intact_lines(user)?;
        // Marked and moved: what can be read meanwhile is a help and no more.
        if self.move_aside(user)?
            && !intact.is_empty()
            && let Err(error) = self.compact(user, &intact)
        {
            log::warn!(user:%, error:%; "nothing kept of damaged file");
        }
        Ok(())
    }

    /// The same for a file that may be another user's: nothing of it is read under this name any more.
    ///
    /// # Errors
    /// As [`Self::set_aside`].
    pub fn set_aside_whole(&self, user: &UserName, why: &str) -> Result<(), StoreError> {
        self.mark_damaged(user, why)?;
        self.move_aside(user).map(drop)
    }

    /// Moves a marked user's file beside the mark, if there is one.
    fn move_aside(&self, user: &UserName) -> Result<bool, StoreError> {
        let damaged = self.dir.damaged();
        let mut last = 0;
        for found in damaged.list()? {
            match found.name.to_str().ok().and_then(FileName::parse) {
                Some(FileName { user: of, role: Role::Aside(number) }) if of == *user => {
                    last = last.max(number);
                }
                _ => {}
            }
        }
        let aside = FileName::new(user, Role::Aside(last.saturating_add(1))).to_string();
        let moved = self.users().move_file(&lines_name(user), damaged, &aside)?;
        self.handles.forget(user);
        if moved {
            // The new name first: the bytes must have one on the disk at any moment.
            damaged.sync()?;
            self.users().sync()?;
            self.retired.lock().remove(user);
            log::warn!(user:%, file:% = aside; "damaged file kept");
        }
        Ok(moved)
    }

    /// The lines of a file before the first bad one; none if the disk does not give them.
    fn intact_lines(&self, user: &UserName) -> Result<Vec<u8>, StoreError> {
        let name = lines_name(user);
        let Some(file) = self.users().open_file(&name, OFlags::RDONLY)? else {
            return Ok(Vec::new());
        };
        let len = file.metadata().map_err(|e| self.users().failed("look at", &name, e))?.len();
        let len = len.min(USER_FILE_BYTES_MAX as u64);
        let good = self.scan_file(user, &file, len, &mut |_| {}).map(|scan| scan.good_len);
        let read = good.and_then(|len| self.read_prefix(user, len));
        Ok(read.unwrap_or_else(|error| {
            log::warn!(user:%, error:%; "nothing kept of damaged file");
            Vec::new()
        }))
    }

    /// Removes a user's mark, the file having been rebuilt as the protocol says. No mark is fine.
    ///
    /// # Errors
    /// [`StoreError::SyncFailed`] and [`StoreError::Io`]: the mark may come back with a restart.
    pub fn clear_mark(&self, user: &UserName) -> Result<(), StoreError> {
        let damaged = self.dir.damaged();
        damaged.remove_file(&FileName::new(user, Role::Mark).to_string())?;
        damaged.sync()
    }

    /// Who is marked, by name, and why. What is neither a mark nor set aside is reported and left
    /// alone.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when a mark's name is no regular file's, and [`StoreError::Io`].
    pub fn marks(&self) -> Result<Vec<(UserName, String)>, StoreError> {
        let damaged = self.dir.damaged();
        let mut marks = Vec::new();
        for found in damaged.list()? {
            let text = found.name.to_str().unwrap_or_default();
            match FileName::parse(text) {
                Some(FileName { user, role: Role::Mark }) => {
                    marks.push((user, read_reason(damaged, text)?));
                }
                Some(FileName { role: Role::Aside(_), .. }) => {}
                None if text.parse::<PictureName>().is_ok() => {}
                _ => log::warn!(
                    directory = "damaged", file:% = found.name.to_bytes().escape_ascii();
                    "foreign file ignored"
                ),
            }
        }
        sort_by(&mut marks, Ord::cmp);
        Ok(marks)
    }
}

impl DataDir {
    /// Whether a user's file is marked as damaged.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn has_marks(&self) -> Result<bool, StoreError> {
        let is_mark = |name: &str| FileName::parse(name).is_some_and(|n| n.role == Role::Mark);
        let found = self.damaged().list()?;
        Ok(found.iter().any(|found| found.name.to_str().is_ok_and(is_mark)))
    }
}

/// The mark is there; whoever made it may not have got as far as flushing it.
fn flush_again(directory: &Directory, name: &str) -> Result<(), StoreError> {
    if let Some(mark) = directory.open_file(name, OFlags::RDONLY)? {
        mark.sync_all().map_err(|e| directory.sync_failed(name, e))?;
    }
    directory.sync()
}

/// A mark without a readable reason is a mark all the same.
pub(super) fn read_reason(directory: &Directory, name: &str) -> Result<String, StoreError> {
    let Some(mark) = directory.open_file(name, OFlags::RDONLY)? else { return Ok(String::new()) };
    let mut reason = Vec::new();
    mark.take(MARK_BYTES_MAX as u64)
        .read_to_end(&mut reason)
        .map_err(|e| directory.failed("read", name, e))?;
    Ok(String::from_utf8_lossy(&reason).trim_end().to_owned())
}
