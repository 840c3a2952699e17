//! One open directory, and every call to the file system that the store makes below it.
//!
//! Files are named by a single component and opened relative to the directory's handle, following
//! no link and leaving the directory by no way, so that whatever is planted there (a link, a pipe,
//! a directory) is an error and nothing else.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FallocateFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::error::{StoreError, is_no_space};
use crate::metrics::DISK_WRITTEN;

/// Mode of every file: its owner's alone.
const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
/// A directory that file systems have at their top for what they find when they are checked.
pub(super) const LOST_AND_FOUND: &str = "lost+found";
/// Mode of every directory.
pub(super) const DIR_MODE: Mode = Mode::from_raw_mode(0o700);

/// An open directory.
#[derive(Debug)]
pub(super) struct Directory {
    fd: OwnedFd,
    path: PathBuf,
}

/// A name found in a directory, and whether it is a regular file's.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: CString,
    pub(super) is_file: bool,
}

impl Directory {
    /// Opens the data directory itself. Its keeper chose the path, so links in it are followed.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = fs::open(path, flags, Mode::empty()).map_err(|e| failed("open", path, e))?;
        Ok(Self { fd, path: path.to_owned() })
    }

    /// Opens a directory in this one, making it if it is not there.
    pub(super) fn open_or_make(&self, name: &str) -> Result<Self, StoreError> {
        let path = self.path.join(name);
        match fs::mkdirat(&self.fd, name, DIR_MODE) {
            Ok(()) => self.sync()?,
            Err(Errno::EXIST) => {}
            Err(e) => return Err(failed("make", &path, e)),
        }
        let made = self.open_in(name)?;
        made.ok_or_else(|| failed("open", &path, Errno::NOENT))
    }

    /// Opens a directory in this one; `None` if there is nothing of that name.
    pub(super) fn open_in(&self, name: &str) -> Result<Option<Self>, StoreError> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => Ok(Some(Self { fd, path })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(StoreError::NoDirectory { path }),
            Err(e) => Err(failed("open", &path, e)),
        }
    }

    /// Whether something has that name, of whatever kind.
    pub(super) fn holds(&self, name: &str) -> Result<bool, StoreError> {
        match fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(e) => Err(self.failed("look at", name, e)),
        }
    }

    /// Where this directory is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file of this directory is, for messages.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The handle, for what concerns the directory as a whole.
    pub(super) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Opens a regular file that is there; `None` if there is nothing of that name.
    pub(super) fn open_file(&self, name: &str, flags: OFlags) -> Result<Option<File>, StoreError> {
        match self.open_at(name, flags) {
            Ok(fd) => self.regular(name, fd).map(Some),
            Err(Errno::NOENT) => Ok(None),
            // A link, a directory opened for writing, a pipe or socket that nobody reads.
            Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO) => {
                Err(StoreError::Foreign { path: self.path_of(name) })
            }
            Err(e) => Err(self.no_space_or("open", name, e.into())),
        }
    }

    /// Makes a file and opens it for writing; `None` if the name is taken.
    pub(super) fn create_file(&self, name: &str) -> Result<Option<File>, StoreError> {
        match self.open_at(name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL) {
            Ok(fd) => self.regular(name, fd).map(Some),
            Err(Errno::EXIST) => Ok(None),
            Err(e) => Err(self.no_space_or("make", name, e.into())),
        }
    }

    /// Whether so many bytes are allotted to a file that has no name and goes at once. What cannot be tried
    /// here, as on some file systems, is not denied.
    pub(super) fn allots(&self, bytes: u64) -> bool {
        let tried = self
            .open_at(".", OFlags::WRONLY | OFlags::TMPFILE)
            .and_then(|file| fs::fallocate(file, FallocateFlags::empty(), 0, bytes));
        !tried.is_err_and(|e| is_no_space(&e.into()))
    }

    /// Replaces a file's content as a whole: at any moment, and after a crash at any moment, the
    /// name means the old bytes or the new ones. `temporary` is overwritten.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`] and [`StoreError::Io`]: the file is as it was.
    /// [`StoreError::SyncFailed`]: it may be either, and another crash may change which.
    pub(super) fn replace_file(
        &self,
        name: &str,
        temporary: &str,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        self.remove_file(temporary)?;
        let file = self.create_file(temporary)?;
        let mut file = file.ok_or_else(|| self.failed("make", temporary, Errno::EXIST))?;
        let written = file
            .write_all(bytes)
            .map_err(|e| self.no_space_or("write", temporary, e))
            .inspect(|()| DISK_WRITTEN.add(bytes.len()))
            .and_then(|()| file.sync_all().map_err(|e| self.sync_failed(temporary, e)))
            .and_then(|()| {
                let renamed = fs::renameat(&self.fd, temporary, &self.fd, name);
                renamed.map_err(io::Error::from).map_err(|e| {
                    // Without room for a name nothing was done; else nobody knows.
                    let known = is_no_space(&e);
                    if known {
                        self.no_space_or("rename", name, e)
                    } else {
                        self.sync_failed(name, e)
                    }
                })
            });
        if let Err(error) = written {
            // The reason to report is the first one; what is left here goes at the next start.
            if let Err(e) = self.remove_file(temporary) {
                log::warn!(error:% = e; "temporary file left behind");
            }
            return Err(error);
        }
        self.sync()
    }

    /// Removes a file; whether there was one.
    pub(super) fn remove_file(&self, name: &str) -> Result<bool, StoreError> {
        match fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(e) => Err(self.no_space_or("remove", name, e.into())),
        }
    }

    /// Moves a file into another directory, or says that there is none. Neither directory is
    /// flushed.
    pub(super) fn move_file(&self, name: &str, to: &Self, new: &str) -> Result<bool, StoreError> {
        match fs::renameat(&self.fd, name, &to.fd, new) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(e) => Err(self.failed("move", name, e)),
        }
    }

    /// Flushes the directory: which names there are and which files they mean.
    ///
    /// # Errors
    /// [`StoreError::SyncFailed`].
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        fs::fsync(&self.fd)
            .map_err(|e| StoreError::SyncFailed { path: self.path.clone(), source: e.into() })
    }

    /// What is in the directory, in no order; apart from `.`, `..` and what a file system has for itself.
    pub(super) fn list(&self) -> Result<Vec<Found>, StoreError> {
        let listed = |e| failed("list", &self.path, e);
        let mut found = Vec::new();
        for entry in fs::Dir::read_from(&self.fd).map_err(listed)? {
            let entry = entry.map_err(listed)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let is_file = match entry.file_type() {
                // Some file systems leave the type to a second question.
                FileType::Unknown => {
                    let stat = fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
                    FileType::from_raw_mode(stat.map_err(listed)?.st_mode) == FileType::RegularFile
                }
                known => known == FileType::RegularFile,
            };
            if is_file || name.to_bytes() != LOST_AND_FOUND.as_bytes() {
                found.push(Found { name: name.to_owned(), is_file });
            }
        }
        Ok(found)
    }

    /// The error of an operation on one of this directory's files.
    pub(super) fn failed(
        &self,
        operation: &'static str,
        name: &str,
        error: impl Into<io::Error>,
    ) -> StoreError {
        failed(operation, &self.path_of(name), error)
    }

    /// The same for an operation that needs room.
    pub(super) fn no_space_or(
        &self,
        operation: &'static str,
        name: &str,
        source: io::Error,
    ) -> StoreError {
        if is_no_space(&source) {
            StoreError::NoSpace { path: self.path_of(name), source }
        } else {
            self.failed(operation, name, source)
        }
    }

    /// The error of a flush, or of anything after which the disk's content is not known.
    pub(super) fn sync_failed(&self, name: &str, source: io::Error) -> StoreError {
        StoreError::SyncFailed { path: self.path_of(name), source }
    }

    fn open_at(&self, name: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        // Without NONBLOCK, opening a planted pipe would wait for its other end.
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mode = if flags.contains(OFlags::CREATE) { FILE_MODE } else { Mode::empty() };
        let inside = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match fs::openat2(&self.fd, name, flags, mode, inside) {
            // Before Linux 5.6, or a sandbox that does not know the call. Names are single
            // components, so NOFOLLOW says the same.
            Err(Errno::NOSYS | Errno::PERM) => fs::openat(&self.fd, name, flags, mode),
            opened => opened,
        }
    }

    fn regular(&self, name: &str, fd: OwnedFd) -> Result<File, StoreError> {
        let stat = fs::fstat(&fd).map_err(|e| self.failed("look at", name, e))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(File::from(fd)),
            _ => Err(StoreError::Foreign { path: self.path_of(name) }),
        }
    }
}

pub(super) fn failed(
    operation: &'static str,
    path: &Path,
    error: impl Into<io::Error>,
) -> StoreError {
    StoreError::Io { operation, path: path.to_owned(), source: error.into() }
}
