//! The users' files on one machine's disk: loaded, appended to, replaced, set aside.
//!
//! It knows bytes, lines and flushes; what an entry means is `user`'s business, and who may write
//! when is the lock protocol's. Nothing here retries and nothing here decides to vote.
//!
//! Invariants:
//! - `append` and `replace` return `Ok` only when the bytes, and the file's name, are flushed;
//! - a file whose flush failed is not written again: only `replace`, which makes a new one, ends
//!   that;
//! - a user's name becomes a file's name in `name` and nowhere else;
//! - no file is removed because it could not be read: it is set aside, a mark before it;
//! - `web` and `action` never come here.
//!
//! Threads: all of the backend's. Calls for one user that write (`load` included, which may cut a
//! torn tail) must exclude each other: the user's replica lock does that. Reads need no lock.
//!
//! ```text
//!              append, replace
//!                 ┌──────┐
//!                 ▼      │     flush failed                 mark_damaged
//!   start ─► load ─► in use ─────────────► retired, readable ───────────► marked
//!              │                                                            │
//!              └── damaged ─► set_aside (mark, then move) ─► marked         │ replace, clear_mark
//!                                                              └────────────┴────► in use
//! ```

mod ballast;
pub mod check;
mod copied;
mod damage;
pub mod data_dir;
mod directory;
pub mod error;
mod file;
mod finding;
pub mod folding;
mod handles;
pub mod line;
mod name;
pub mod node;
pub mod picture;
mod plain;
pub mod restore;
pub mod scan;
pub mod snapshot;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use parking_lot::Mutex;
use rustix::fs::OFlags;

pub use data_dir::{DataDir, OWN};
pub use error::StoreError;
pub use node::{NodeFile, NodeState};
pub use picture::PictureStore;

use crate::clock::Wall;
use crate::id::{Hash128, PostId, UserName};
use crate::json;
use crate::limits::{LINE_BYTES_MAX, USER_FILE_BYTES_MAX};
use crate::replica::version::Version;
use crate::user::Place;
use crate::user::entry::Entry;
use copied::{First, Firsts};
use directory::Directory;
use file::SyncData;
use handles::{Handle, Handles};
use line::{Line, LineError};
use name::{FileName, Role};
use scan::{End, Scan};

/// What a post says, or said before it was edited.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// Since when.
    pub at: Wall,
    /// Its text.
    pub text: String,
    /// What that is folded behind.
    pub note: Option<String>,
}

/// The users' files of one data directory.
#[derive(Debug)]
pub struct UserStore {
    dir: DataDir,
    handles: Handles,
    /// Users whose file saw a failed flush and was not replaced since.
    retired: Mutex<BTreeSet<UserName>>,
    /// How the files begin that were loaded, from [`Self::start`] to [`Self::started`].
    firsts: Firsts,
    /// How a file is flushed; the tests let it fail.
    sync_data: SyncData,
}

/// What a user's file holds; the default is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loaded {
    /// Bytes: where the next line goes.
    pub len: u64,
    /// The version of the last line.
    pub acc: Version,
    /// Its chain hash.
    pub hash: Hash128,
    /// What the lines say is committed: a lower bound.
    pub com: Version,
}

impl Loaded {
    fn of(scan: &Scan) -> Self {
        let chain = scan.chain;
        Self { len: scan.good_len, acc: chain.version, hash: chain.hash, com: chain.com }
    }
}

impl UserStore {
    /// Opens the users' files, removing what a crash left of files that were being replaced.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(dir: &DataDir) -> Result<Self, StoreError> {
        let users = dir.users();
        let mut removed = false;
        for found in users.list()? {
            let Some(text) = found.name.to_str().ok().filter(|_| found.is_file) else { continue };
            if FileName::parse(text).is_some_and(|name| name.role == Role::Temporary) {
                log::info!(file:% = text; "temporary file of a crash removed");
                removed |= users.remove_file(text)?;
            }
        }
        if removed {
            users.sync()?;
        }
        Ok(Self {
            dir: dir.clone(),
            handles: Handles::new(),
            retired: Mutex::default(),
            firsts: Firsts::default(),
            sync_data: file::sync_data,
        })
    }

    /// To be called once, before any file is loaded and before the first vote: flushes what a
    /// killed process left in the kernel's cache only, and makes the ballast. Otherwise a line that the cache shows could
    /// be acknowledged as being on the disk. Each [`Self::load`] then drops its file from the cache
    /// first, so that it sees the disk.
    ///
    /// # Errors
    /// [`StoreError::SyncFailed`].
    pub fn start(&self) -> Result<(), StoreError> {
        let users = self.users();
        rustix::fs::syncfs(users.fd()).map_err(|e| StoreError::SyncFailed {
            path: users.path().to_owned(),
            source: e.into(),
        })?;
        self.dir.make_ballast();
        self.firsts.begin();
        Ok(())
    }

    /// To be called once all files are loaded: how they begin is forgotten.
    pub fn started(&self) {
        self.firsts.end();
    }

    /// Whose files there are, by name. What is no user's file is reported and left alone.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn names(&self) -> Result<Vec<UserName>, StoreError> {
        let mut names = Vec::new();
        for found in self.users().list()? {
            let name = found.name.to_str().ok().and_then(FileName::parse);
            match name {
                Some(name) if name.role == Role::Lines && found.is_file => names.push(name.user),
                _ => log::warn!(
                    directory = "users", file:% = found.name.to_bytes().escape_ascii();
                    "foreign file ignored"
                ),
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Reads a user's file from the disk and shows every line to `visit`. A torn tail is cut off;
    /// no file, and one of which nothing is left, is the default [`Loaded`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`]: the file is untouched, to be set aside; what `visit` saw is to be
    /// thrown away. [`StoreError::Copied`] while the files are loaded at a start: this one begins as another
    /// does, and nobody can tell which of the two is the copy. [`StoreError::NewerFormat`]: untouched, and not damage: another program wrote
    /// it. [`StoreError::SyncFailed`] when the cut could not be flushed, [`StoreError::TooLarge`],
    /// [`StoreError::Foreign`], [`StoreError::Io`].
    pub fn load(&self, user: &UserName, visit: &mut dyn FnMut(Line)) -> Result<Loaded, StoreError> {
        let name = lines_name(user);
        let Some(file) = self.users().open_file(&name, OFlags::RDONLY)? else {
            return Ok(Loaded::default());
        };
        let len = file.metadata().map_err(|e| self.users().failed("look at", &name, e))?.len();
        let mut first = First::default();
        let scan = self.scan_file(user, &file, len, &mut |line| {
            first.see(&line);
            visit(line);
        })?;
        self.firsts.check(user, first, self.dir.path())?;
        match &scan.end {
            End::Whole => {}
            End::Torn { bytes } => {
                let at = scan.good_len;
                log::warn!(user:%, bytes, at; "torn tail cut off");
                self.cut(user, at)?;
            }
            End::Damaged { line_number, why, .. } => {
                return Err(self.bad_line(user, *line_number, why.clone()));
            }
        }
        Ok(Loaded::of(&scan))
    }

    /// Reads the first `len` bytes of a user's file from the disk again and checks every line,
    /// changing nothing: they must be whole lines.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], also when there are fewer bytes; else as [`Self::load`].
    pub fn verify(&self, user: &UserName, len: u64) -> Result<Loaded, StoreError> {
        let scan = match self.users().open_file(&lines_name(user), OFlags::RDONLY)? {
            Some(file) => self.scan_file(user, &file, len, &mut |_| {})?,
            None => scan::scan(&[], &mut |_| {}),
        };
        match scan.end {
            End::Damaged { line_number, why, .. } => Err(self.bad_line(user, line_number, why)),
            End::Whole if scan.good_len == len => Ok(Loaded::of(&scan)),
            End::Whole | End::Torn { .. } => {
                Err(self.bad_line(user, scan.lines + 1, LineError::LineEnd))
            }
        }
    }

    /// Appends one line to a file that is `at` bytes long; `at` 0 makes the file.
    ///
    /// # Errors
    /// [`StoreError::SyncFailed`]: nobody knows whether the line is on the disk, and this file is
    /// not written again. [`StoreError::Retired`]: that happened before. All others leave the file
    /// as it was: [`StoreError::NoSpace`], [`StoreError::LengthDiffers`] (another owner's bytes, or
    /// bytes lost), [`StoreError::TooLarge`], [`StoreError::BadLine`], [`StoreError::Foreign`],
    /// [`StoreError::Io`].
    pub fn append(&self, user: &UserName, at: u64, line: &[u8]) -> Result<(), StoreError> {
        check_appendable(user, at, line)?;
        self.append_checked(user, at, line)
    }

    /// Appends several lines, which were checked one by one, by one write and one flush. A crash may
    /// leave some of them: only what is committed already is written so.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_lines(&self, user: &UserName, at: u64, lines: &[u8]) -> Result<(), StoreError> {
        check_size(user, at.saturating_add(lines.len() as u64))?;
        if lines.last() != Some(&b'\n') {
            return Err(StoreError::BadLine { user: user.clone(), source: LineError::LineEnd });
        }
        self.append_checked(user, at, lines)
    }

    fn append_checked(&self, user: &UserName, at: u64, lines: &[u8]) -> Result<(), StoreError> {
        if self.retired.lock().contains(user) {
            return Err(StoreError::Retired { user: user.clone() });
        }
        let name = lines_name(user);
        self.dir.check_room(&name)?;
        let appended = file::append(self.users(), &name, at, lines, self.sync_data);
        appended.map_err(|why| {
            // A first line that did not fit took its file along.
            self.handles.forget(user);
            match why {
                file::Why::Length(found) => {
                    StoreError::LengthDiffers { user: user.clone(), expected: at, found }
                }
                file::Why::Store(error) => self.retire_if_unknown(user, error),
            }
        })
    }

    /// Replaces a user's file as a whole, by a new file under the same name.
    ///
    /// # Errors
    /// [`StoreError::SyncFailed`]: the name may mean the old file or the new one, and is not
    /// written again except by another replacement. All others leave the old file:
    /// [`StoreError::NoSpace`], [`StoreError::TooLarge`], [`StoreError::Io`].
    pub fn replace(&self, user: &UserName, bytes: &[u8]) -> Result<(), StoreError> {
        self.dir.check_room(&lines_name(user))?;
        self.replace_now(user, bytes)
    }

    fn replace_now(&self, user: &UserName, bytes: &[u8]) -> Result<(), StoreError> {
        check_size(user, bytes.len() as u64)?;
        let temporary = FileName::new(user, Role::Temporary).to_string();
        let replaced = self.users().replace_file(&lines_name(user), &temporary, bytes);
        // On an error too: the name may mean the new file already.
        self.handles.forget(user);
        replaced.map_err(|error| self.retire_if_unknown(user, error))?;
        self.retired.lock().remove(user);
        Ok(())
    }

    /// [`Self::replace`] by a shorter file, for which the ballast is given up if the disk is full.
    ///
    /// # Errors
    /// As [`Self::replace`].
    pub fn compact(&self, user: &UserName, bytes: &[u8]) -> Result<(), StoreError> {
        self.dir.with_ballast(|| self.replace_now(user, bytes))
    }

    /// The bytes at a place of a user's file; [`StoreError::NotAtPlace`] when the file ends before it or the
    /// place is longer than a line.
    fn read_place(
        &self,
        user: &UserName,
        handle: &Handle,
        place: Place,
    ) -> Result<Vec<u8>, StoreError> {
        let is_line = place.len as usize <= LINE_BYTES_MAX;
        let bytes = || self.read_at(user, handle, place.offset, place.len as usize);
        let found = if is_line { bytes()? } else { None };
        found.ok_or_else(|| StoreError::NotAtPlace { user: user.clone(), place })
    }

    /// What the post of that number said by an entry that stood at a place when somebody looked: the
    /// file may have been replaced since.
    ///
    /// # Errors
    /// [`StoreError::NotAtPlace`] when not this post stands there; [`StoreError::Foreign`], [`StoreError::Io`].
    pub fn read_text(
        &self,
        user: &UserName,
        post: PostId,
        place: Place,
    ) -> Result<Said, StoreError> {
        let not_there = || StoreError::NotAtPlace { user: user.clone(), place };
        let handle = self.handle(user)?.ok_or_else(not_there)?;
        self.handles.said(&handle, (place, post), || {
            let bytes = self.read_place(user, &handle, place)?;
            match json::parse(&bytes).map_err(|_| not_there())? {
                Entry::Posted { at, id, text, note, .. }
                | Entry::PostedFor { at, id, text, note, .. }
                | Entry::PostedPoll { at, id, text, note, .. }
                | Entry::PostEdited { at, id, text, note, .. }
                    if id == post =>
                {
                    Ok(Said { at, text, note })
                }
                _ => Err(not_there()),
            }
        })
    }

    /// The first `len` bytes of a user's file.
    ///
    /// # Errors
    /// [`StoreError::LengthDiffers`] when there are fewer; [`StoreError::TooLarge`],
    /// [`StoreError::Foreign`], [`StoreError::Io`].
    pub fn read_prefix(&self, user: &UserName, len: u64) -> Result<Vec<u8>, StoreError> {
        let size = check_size(user, len)?;
        if let Some(handle) = self.handle(user)?
            && let Some(bytes) = self.read_at(user, &handle, 0, size)?
        {
            return Ok(bytes);
        }
        let name = lines_name(user);
        let file = self.users().open_file(&name, OFlags::RDONLY)?;
        let found = file.map_or(Ok(0), |file| file.metadata().map(|metadata| metadata.len()));
        let found = found.map_err(|e| self.users().failed("look at", &name, e))?;
        Err(StoreError::LengthDiffers { user: user.clone(), expected: len, found })
    }

    /// The end of the first `len` bytes of a user's file: `most` bytes of it, or all.
    ///
    /// # Errors
    /// As [`Self::read_prefix`].
    pub fn read_tail(&self, user: &UserName, len: u64, most: usize) -> Result<Vec<u8>, StoreError> {
        let size = check_size(user, len)?.min(most);
        let found = match self.handle(user)? {
            Some(handle) => self.read_at(user, &handle, len - size as u64, size)?,
            None => None,
        };
        found.map_or_else(|| self.read_prefix(user, len), Ok)
    }

    /// How full the disk is, in percent.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn disk_percent(&self) -> Result<u8, StoreError> {
        self.dir.disk_percent()
    }

    /// Whether the disk takes so many bytes, as far as can be told without writing them: where shares of it are
    /// limited, more is free than is given.
    pub fn has_room_for(&self, bytes: u64) -> bool {
        self.keep_ballast()
            && self.dir.has_room(bytes).unwrap_or(false)
            && (bytes == 0 || self.dir.root().allots(bytes))
    }

    /// Bytes that this user may still write to the disk that holds the data directory.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn disk_free_bytes(&self) -> Result<u64, StoreError> {
        self.dir.disk_free_bytes()
    }

    /// Has files flushed by this instead: tests let it fail.
    #[cfg(test)]
    pub(crate) fn flushing_by(mut self, sync: fn(&std::fs::File) -> std::io::Result<()>) -> Self {
        self.sync_data = sync;
        self
    }

    fn users(&self) -> &Directory {
        self.dir.users()
    }

    fn retire_if_unknown(&self, user: &UserName, error: StoreError) -> StoreError {
        if matches!(error, StoreError::SyncFailed { .. }) {
            self.retired.lock().insert(user.clone());
        }
        error
    }

    /// Damage, unless the bytes are right and only this program is too old for them.
    fn bad_line(&self, user: &UserName, line: u64, why: LineError) -> StoreError {
        match why {
            LineError::NewerFormat(what) => {
                StoreError::NewerFormat { path: self.users().path_of(&lines_name(user)), what }
            }
            why => StoreError::Damaged { user: user.clone(), line, why },
        }
    }
}

fn lines_name(user: &UserName) -> String {
    FileName::new(user, Role::Lines).to_string()
}

fn check_size(user: &UserName, bytes: u64) -> Result<usize, StoreError> {
    usize::try_from(bytes)
        .ok()
        .filter(|&bytes| bytes <= USER_FILE_BYTES_MAX)
        .ok_or_else(|| StoreError::TooLarge { user: user.clone(), bytes })
}

/// Whether these bytes have the outward form of one line: its content was checked by whoever
/// encoded or decoded it, but a second line end would make two of it.
fn check_appendable(user: &UserName, at: u64, line: &[u8]) -> Result<(), StoreError> {
    let bad = |source| Err(StoreError::BadLine { user: user.clone(), source });
    if line.len() > LINE_BYTES_MAX {
        return bad(LineError::TooLong);
    }
    match line.split_last() {
        Some((b'\n', inside)) if !inside.contains(&b'\n') => {}
        _ => return bad(LineError::LineEnd),
    }
    check_size(user, at.saturating_add(line.len() as u64)).map(|_| ())
}
