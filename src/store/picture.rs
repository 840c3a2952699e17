//! Pictures on one machine's disk: files named by what they are, below `pictures/`.
//!
//! A picture is written once and never changed, so there is nothing to lock and nothing to vote on: whoever
//! holds a file of that name holds the same as all others, or what is no longer what its name says. That is
//! found when it is read, and counts as not being there.
//!
//! When a picture was last wanted is its file's time, so that it is known after a restart, too: one that
//! nothing refers to goes some time after that, and not before.
//!
//! ```text
//! pictures/ab/ab12….jpg        by the first two digits
//! pictures/ab/ab12….jpg.tmp    about to be written; after a crash worthless, and removed at start
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rustix::fs::{AtFlags, OFlags, Timespec, Timestamps, futimens, statat};

use super::data_dir::{DataDir, PICTURES};
use super::directory::{Directory, failed};
use super::error::StoreError;
use super::line::Line;
use crate::clock::Wall;
use crate::id::{PictureName, UserName};
use crate::limits::PICTURE_BYTES_MAX;
use crate::user::User;

const TEMPORARY: &str = ".tmp";

/// The pictures of one data directory.
#[derive(Debug)]
pub struct PictureStore {
    dir: DataDir,
    /// What is there, with its bytes, and when it was last wanted. Held while a picture is written or
    /// removed, so that one is never removed while it is wanted anew.
    held: Mutex<BTreeMap<PictureName, Held>>,
    /// How often one was found missing or damaged.
    losses: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    bytes: u64,
    wanted_at: Wall,
}

impl PictureStore {
    /// Looks at what is there, removing what a crash left half written. Reads no picture.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(dir: &DataDir) -> Result<Self, StoreError> {
        let mut held = BTreeMap::new();
        if let Some(pictures) = dir.root().open_in(PICTURES)? {
            for found in pictures.list()? {
                let prefix = found.name.to_str().ok().filter(|name| is_prefix(name));
                match prefix.map(|name| pictures.open_in(name)).transpose()?.flatten() {
                    Some(shelf) => look(&shelf, &mut held)?,
                    None => log::warn!(
                        directory = PICTURES, file:% = found.name.to_bytes().escape_ascii();
                        "foreign file ignored"
                    ),
                }
            }
        }
        Ok(Self { dir: dir.clone(), held: Mutex::new(held), losses: AtomicU64::new(0) })
    }

    /// Writes a picture, or takes note that it is wanted if it is there already. On the disk when this
    /// returns.
    ///
    /// # Errors
    /// [`StoreError::NotAsNamed`], [`StoreError::NoSpace`], [`StoreError::SyncFailed`],
    /// [`StoreError::Io`]; none of them hurts another file.
    pub fn keep(&self, name: PictureName, bytes: &[u8], now: Wall) -> Result<(), StoreError> {
        let file = name.to_string();
        if bytes.len() > PICTURE_BYTES_MAX || !name.is_of(bytes) {
            return Err(StoreError::NotAsNamed { name });
        }
        let mut held = self.held.lock();
        if held.contains_key(&name) {
            return self.touch(&mut held, name, now).map(drop);
        }
        self.dir.check_room(&file)?;
        let shelf = self.dir.root().open_or_make(PICTURES)?.open_or_make(prefix(&file))?;
        shelf.replace_file(&file, &format!("{file}{TEMPORARY}"), bytes)?;
        held.insert(name, Held { bytes: bytes.len() as u64, wanted_at: now });
        Ok(())
    }

    /// Takes note that a picture is wanted; whether it is there.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::SyncFailed`].
    pub fn renew(&self, name: PictureName, now: Wall) -> Result<bool, StoreError> {
        let mut held = self.held.lock();
        self.touch(&mut held, name, now)
    }

    fn touch(
        &self,
        held: &mut BTreeMap<PictureName, Held>,
        name: PictureName,
        now: Wall,
    ) -> Result<bool, StoreError> {
        let Some(known) = held.get_mut(&name) else { return Ok(false) };
        let file = name.to_string();
        let shelf = self.shelf(&file)?;
        let opened =
            shelf.as_ref().map(|shelf| shelf.open_file(&file, OFlags::WRONLY)).transpose()?;
        let (Some(shelf), Some(opened)) = (shelf, opened.flatten()) else {
            held.remove(&name);
            return Ok(false);
        };
        let at = Timespec { tv_sec: i64::try_from(now.0 / 1000).unwrap_or(i64::MAX), tv_nsec: 0 };
        let times = Timestamps { last_access: at, last_modification: at };
        futimens(&opened, &times).map_err(|e| shelf.failed("set the time of", &file, e))?;
        opened.sync_all().map_err(|e| shelf.sync_failed(&file, e))?;
        known.wanted_at = now;
        Ok(true)
    }

    /// A picture's file, if it is there and is what its name says.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Foreign`].
    pub fn read(&self, name: PictureName) -> Result<Option<Vec<u8>>, StoreError> {
        let file = name.to_string();
        let Some(shelf) = self.shelf(&file)? else { return Ok(None) };
        let Some(opened) = shelf.open_file(&file, OFlags::RDONLY)? else {
            self.lose(name);
            return Ok(None);
        };
        match read_all(opened) {
            Ok(bytes) if name.is_of(&bytes) => return Ok(Some(bytes)),
            Ok(bytes) => log::warn!(name:%, bytes = bytes.len(); "picture is damaged"),
            Err(error) if super::error::is_unreadable(&error) => {
                log::warn!(name:%, error:%; "picture cannot be read");
            }
            Err(error) => return Err(shelf.failed("read", &file, error)),
        }
        // The next that is kept under this name takes its place.
        self.lose(name);
        Ok(None)
    }

    fn lose(&self, name: PictureName) {
        if self.held.lock().remove(&name).is_some() {
            self.losses.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A number that differs whenever one was found missing or damaged that was there before.
    pub fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    /// Removes a picture that nobody has wanted since `before`; whether it did.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn remove(&self, name: PictureName, before: Wall) -> Result<bool, StoreError> {
        let mut held = self.held.lock();
        if held.get(&name).is_none_or(|known| known.wanted_at >= before) {
            return Ok(false);
        }
        let file = name.to_string();
        let was_there = match self.shelf(&file)? {
            Some(shelf) => shelf.remove_file(&file)?,
            None => false,
        };
        held.remove(&name);
        Ok(was_there)
    }

    /// Moves each that is not what its name says into `damaged/`, in place of what was set aside of it
    /// before: it may be all that is left of it.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::SyncFailed`].
    pub(super) fn set_damaged_aside(&self) -> Result<(), StoreError> {
        let damaged = self.dir.damaged();
        for (name, _) in self.all() {
            let file = name.to_string();
            let Some(shelf) = self.shelf(&file)? else { continue };
            if !is_sound(&shelf, name)? && shelf.move_file(&file, damaged, &file)? {
                // The new name first: the bytes must have one on the disk at any moment.
                damaged.sync()?;
                shelf.sync()?;
                self.lose(name);
            }
        }
        Ok(())
    }

    /// Removes all pictures, wanted or not, and their directories: for a data directory that is given up.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub(super) fn give_up(&self) -> Result<(), StoreError> {
        let mut held = self.held.lock();
        let Some(pictures) = self.dir.root().open_in(PICTURES)? else { return Ok(()) };
        let mut shelves = BTreeSet::new();
        while let Some((name, _)) = held.pop_first() {
            let file = name.to_string();
            if let Some(shelf) = pictures.open_in(prefix(&file))? {
                shelf.remove_file(&file)?;
                shelves.insert(shelf.path().to_owned());
            }
        }
        for path in shelves.iter().map(PathBuf::as_path).chain([pictures.path()]) {
            std::fs::remove_dir(path).map_err(|e| failed("remove", path, e))?;
        }
        Ok(())
    }

    /// Whether a picture is there, as far as can be said without reading it.
    pub fn holds(&self, name: PictureName) -> bool {
        self.held.lock().contains_key(&name)
    }

    /// What nobody has wanted since `before`.
    pub fn unwanted(&self, before: Wall) -> Vec<PictureName> {
        let held = self.held.lock();
        held.iter().filter(|(_, it)| it.wanted_at < before).map(|(name, _)| *name).collect()
    }

    /// All that is there, by name, with its bytes.
    pub fn all(&self) -> Vec<(PictureName, u64)> {
        self.held.lock().iter().map(|(name, it)| (*name, it.bytes)).collect()
    }

    fn shelf(&self, file: &str) -> Result<Option<Directory>, StoreError> {
        match self.dir.root().open_in(PICTURES)? {
            Some(pictures) => pictures.open_in(prefix(file)),
            None => Ok(None),
        }
    }
}

/// The pictures to which what stands in a user's file refers.
#[derive(Debug)]
pub struct Needed(User);

impl Needed {
    /// Those of a file of which nothing was read yet.
    pub const fn by(user: UserName) -> Self {
        Self(User::absent(user))
    }

    /// Takes in the next line.
    pub fn see(&mut self, line: &Line) {
        line.apply_to(&mut self.0, |_, _| {});
    }

    /// Their names, small ones included, so often as they are referred to.
    pub fn names(&self) -> impl Iterator<Item = PictureName> {
        self.0.all_pictures().flat_map(|picture| [picture.file, picture.thumb])
    }
}

/// A file's bytes, and one more than a picture has if there are too many.
fn read_all(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(PICTURE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether the picture of that name in a directory is what the name says; one that is gone since is.
pub(super) fn is_sound(shelf: &Directory, name: PictureName) -> Result<bool, StoreError> {
    let file = name.to_string();
    let opened = match shelf.open_file(&file, OFlags::RDONLY) {
        // Nobody can tell. That its owner or mode is wrong is another matter.
        Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied => None,
        opened => opened?,
    };
    let Some(opened) = opened else { return Ok(true) };
    match read_all(opened) {
        Ok(bytes) => Ok(name.is_of(&bytes)),
        Err(error) if super::error::is_unreadable(&error) => Ok(false),
        Err(error) => Err(shelf.failed("read", &file, error)),
    }
}

/// Whether a crash left this of a picture that was being written.
pub(super) fn is_left_over(shelf: &Directory, text: &str) -> bool {
    text.strip_suffix(TEMPORARY).is_some_and(|name| named_in(shelf, name).is_some())
}

/// Where a picture stands in a data directory.
pub(super) fn path_of(name: PictureName) -> String {
    let file = name.to_string();
    format!("{PICTURES}/{}/{file}", prefix(&file))
}

/// The directory in which a file stands.
fn prefix(file: &str) -> &str {
    file.get(..2).unwrap_or(file)
}

pub(super) fn is_prefix(name: &str) -> bool {
    name.len() == 2 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Takes note of what stands in one of the directories.
fn look(shelf: &Directory, held: &mut BTreeMap<PictureName, Held>) -> Result<(), StoreError> {
    for found in shelf.list()? {
        let text = found.name.to_str().ok().filter(|_| found.is_file).unwrap_or_default();
        if let Some(name) = named_in(shelf, text) {
            let stat = statat(shelf.fd(), text, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|e| failed("look at", &shelf.path_of(text), e))?;
            let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
            let bytes = u64::try_from(stat.st_size).unwrap_or(0);
            held.insert(name, Held { bytes, wanted_at: Wall(seconds.saturating_mul(1000)) });
        } else if is_left_over(shelf, text) {
            log::info!(file:% = text; "temporary file of a crash removed");
            shelf.remove_file(text)?;
        } else {
            log::warn!(
                directory = PICTURES, file:% = found.name.to_bytes().escape_ascii();
                "foreign file ignored"
            );
        }
    }
    Ok(())
}

/// The picture of that file's name, if it stands where it should.
pub(super) fn named_in(shelf: &Directory, text: &str) -> Option<PictureName> {
    let is_here = shelf.path().file_name().is_some_and(|name| name == prefix(text));
    text.parse().ok().filter(|_| is_here)
}
