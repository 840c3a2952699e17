//! The data directory: made where it lacks, held by one process at a time.
//!
//! ```text
//! DIR/            locked as long as a process uses it
//!   node.json     who this machine is
//!   ballast       room to be given up when the disk is full
//!   users/        NAME.jsonl, a file a user
//!   pictures/     ab/ab….jpg, a file a picture, named by what it is
//!   damaged/      NAME.mark while this machine has no vote on NAME; NAME.N.jsonl, set aside
//! ```

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{self, Access, AtFlags, FlockOperation, Mode};
use rustix::io::Errno;

use super::ballast::Ballast;
use super::directory::{DIR_MODE, Directory, failed};
use super::error::StoreError;
use super::{ballast, node, restore};

pub(super) const USERS: &str = "users";
pub(super) const DAMAGED: &str = "damaged";
/// Made with the first picture.
pub(super) const PICTURES: &str = "pictures";
/// All that a machine makes in its directory. Whatever else is there, as `lost+found` is, is another's.
pub const OWN: [&str; 7] =
    [USERS, DAMAGED, PICTURES, node::NAME, node::TEMPORARY, ballast::NAME, restore::MARK];

/// A data directory that this process holds; it is let go with the last clone.
#[derive(Debug, Clone)]
pub struct DataDir(Arc<Open>);

#[derive(Debug)]
struct Open {
    /// Carries the lock.
    root: Locked,
    users: Directory,
    damaged: Directory,
    ballast: Ballast,
}

/// A directory that this process holds: the system drops the lock with the last handle, however the
/// process ends.
#[derive(Debug)]
pub(super) struct Locked(Directory);

impl Locked {
    /// Locks a directory.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it, and what the system says.
    pub(super) fn take(directory: Directory) -> Result<Self, StoreError> {
        let path = || directory.path().to_owned();
        match fs::flock(directory.fd(), FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(directory)),
            Err(Errno::WOULDBLOCK) => Err(StoreError::InUse { path: path() }),
            Err(e) => Err(failed("lock", &path(), e)),
        }
    }
}

impl Deref for Locked {
    type Target = Directory;

    fn deref(&self) -> &Directory {
        &self.0
    }
}

impl Drop for Locked {
    /// Unlocks by word: a program that this process is just starting holds a copy of every handle
    /// until it has begun, and would keep the lock that long.
    fn drop(&mut self) {
        if let Err(error) = fs::flock(self.0.fd(), FlockOperation::Unlock) {
            log::warn!(path:% = self.0.path().display(), error:%; "data directory not unlocked");
        }
    }
}

impl DataDir {
    /// Opens a data directory, making what is not there, and locks it.
    ///
    /// `node.json` is written into a directory that has all others, flushed: where it stands and one of
    /// them does not, that one was there and is gone, with what this machine promised.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it, [`StoreError::NotWritable`],
    /// [`StoreError::Gone`] when `users` or `damaged` is not there and `node.json` is,
    /// [`StoreError::NoDirectory`] when one of them is no directory, and what the system says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make(path)?;
        let root = Locked::take(Directory::open(path)?)?;
        check_writable(&root)?;
        // Nothing is made before both were looked at.
        for name in [USERS, DAMAGED] {
            if is_gone(&root, name)? {
                return Err(StoreError::Gone { path: root.path_of(name) });
            }
        }
        let users = root.open_or_make(USERS)?;
        let damaged = root.open_or_make(DAMAGED)?;
        if !root.holds(node::NAME)? {
            // A process that was killed may have made them, and not have flushed their names.
            root.sync()?;
        }
        check_writable(&users)?;
        check_writable(&damaged)?;
        warn_if_open_to_others(&users)?;
        warn_if_open_to_others(&damaged)?;
        Ok(Self(Arc::new(Open { root, users, damaged, ballast: Ballast::default() })))
    }

    /// Looks, without making anything, whether a directory says which machine it is of; if not, whether
    /// users' files are in it nevertheless. One that is not there says nothing.
    ///
    /// # Errors
    /// [`StoreError::Unfinished`] when a restore was interrupted there, and what the system says.
    pub fn lacks_identity(path: &Path) -> Result<Option<bool>, StoreError> {
        if !path.exists() {
            return Ok(Some(false));
        }
        let root = Directory::open(path)?;
        if root.holds(node::NAME)? {
            return Ok(None);
        }
        if root.holds(restore::MARK)? {
            return Err(StoreError::Unfinished { path: path.to_owned() });
        }
        let found = [root.open_in(USERS)?, root.open_in(DAMAGED)?];
        node::has_users(found.iter().flatten()).map(Some)
    }

    /// Makes sure that no process has a directory, whatever is in it; nothing is made there.
    ///
    /// # Errors
    /// [`StoreError::InUse`], and what the system says.
    pub fn check_free(path: &Path) -> Result<(), StoreError> {
        Locked::take(Directory::open(path)?).map(drop)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.root.path()
    }

    /// How full the disk is for us: what is used, of what is used and what we may still take.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn disk_percent(&self) -> Result<u8, StoreError> {
        let stat = self.disk()?;
        let used = u128::from(stat.f_blocks.saturating_sub(stat.f_bfree));
        let all = used + u128::from(stat.f_bavail);
        let percent = (used * 100).div_ceil(all.max(1));
        Ok(u8::try_from(percent).unwrap_or(100))
    }

    /// Bytes that this user may still write to the disk.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn disk_free_bytes(&self) -> Result<u64, StoreError> {
        let stat = self.disk()?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Whether the disk takes writes, and has room for so many bytes more of this user's.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn has_room(&self, bytes: u64) -> Result<bool, StoreError> {
        let stat = self.disk()?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        Ok(!stat.f_flag.contains(fs::StatVfsMountFlags::RDONLY) && free >= bytes)
    }

    fn disk(&self) -> Result<fs::StatVfs, StoreError> {
        fs::fstatvfs(self.0.root.fd())
            .map_err(|e| failed("ask for the free space of", self.path(), e))
    }

    pub(super) fn root(&self) -> &Directory {
        &self.0.root
    }

    pub(super) fn users(&self) -> &Directory {
        &self.0.users
    }

    pub(super) fn ballast(&self) -> &Ballast {
        &self.0.ballast
    }

    pub(super) fn damaged(&self) -> &Directory {
        &self.0.damaged
    }
}

/// Whether a directory that a machine cannot be without is not there, and the machine's identity is.
pub(super) fn is_gone(root: &Directory, name: &str) -> Result<bool, StoreError> {
    Ok(!root.holds(name)? && root.holds(node::NAME)?)
}

/// Makes a directory and its parents, each of them flushed in its own parent: otherwise a power cut
/// could take the directory away with all that was flushed inside it.
fn make(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    make(parent)?;
    match fs::mkdir(path, DIR_MODE) {
        Ok(()) | Err(Errno::EXIST) => Directory::open(parent)?.sync(),
        Err(e) => Err(failed("make", path, e)),
    }
}

fn check_writable(directory: &Directory) -> Result<(), StoreError> {
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    fs::accessat(directory.fd(), ".", wanted, AtFlags::empty()).map_err(|e| {
        StoreError::NotWritable { path: directory.path().to_owned(), source: e.into() }
    })
}

/// Password hashes and network addresses are in there; whoever copied the directory by hand may have
/// left it open.
fn warn_if_open_to_others(directory: &Directory) -> Result<(), StoreError> {
    let path = directory.path();
    let stat = fs::fstat(directory.fd()).map_err(|e| failed("look at", path, e))?;
    if Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
        let mode = stat.st_mode & 0o7777;
        log::warn!(
            path:% = path.display(), mode:% = format_args!("{mode:o}");
            "directory is open to other accounts"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn s39_data_dir_missing_made_private() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let dir = DataDir::open(&path).unwrap();
        assert_eq!(dir.path(), path);
        for made in ["", "users", "damaged"] {
            let mode = path.join(made).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o700, "{made:?}");
        }
        assert!(dir.disk_percent().unwrap() <= 100);
        assert!(dir.disk_free_bytes().unwrap() < 1 << 60);
    }

    #[test]
    fn data_dir_opened_twice_in_use() {
        let parent = tempfile::tempdir().unwrap();
        let first = DataDir::open(parent.path()).unwrap();
        let second = DataDir::open(parent.path());
        assert!(matches!(&second, Err(StoreError::InUse { path }) if path == parent.path()));
        let clone = first.clone();
        drop(first);
        assert!(matches!(DataDir::open(parent.path()), Err(StoreError::InUse { .. })));
        drop(clone);
        DataDir::open(parent.path()).unwrap();
    }

    #[test]
    fn s36_data_dir_with_link_as_users_refused() {
        let parent = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(elsewhere.path(), parent.path().join("users")).unwrap();
        assert!(matches!(DataDir::open(parent.path()), Err(StoreError::NoDirectory { .. })));
    }

    #[test]
    fn data_dir_whose_users_or_marks_are_gone_refused_and_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        for made in ["users", "damaged"] {
            std::fs::create_dir(path(made)).unwrap();
            std::fs::write(path("node.json"), "{}").unwrap();
            let error = DataDir::open(parent.path()).unwrap_err();
            assert!(matches!(&error, StoreError::Gone { path } if !path.exists()), "{error}");
            std::fs::remove_file(path("node.json")).unwrap();
            // Set up no further than that: the next call goes on.
            DataDir::open(parent.path()).unwrap();
            for name in ["users", "damaged"] {
                std::fs::remove_dir(path(name)).unwrap();
            }
        }
    }

    #[test]
    fn identity_looked_for_without_making_anything() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("db");
        let lacks = || DataDir::lacks_identity(&path);
        let below = || std::fs::read_dir(&path).map_or(0, Iterator::count);
        assert_eq!((lacks().unwrap(), path.exists()), (Some(false), false));
        std::fs::create_dir_all(path.join("users")).unwrap();
        assert_eq!((lacks().unwrap(), below()), (Some(false), 1));
        std::fs::write(path.join("users/ada.jsonl"), "").unwrap();
        assert_eq!((lacks().unwrap(), below()), (Some(true), 1));
        std::fs::write(path.join("restoring"), "").unwrap();
        assert!(matches!(lacks(), Err(StoreError::Unfinished { .. })));
        std::fs::write(path.join("node.json"), "{}").unwrap();
        assert_eq!((lacks().unwrap(), below()), (None, 3));
    }

    #[test]
    fn data_dir_at_file_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("db");
        std::fs::write(&path, "mine").unwrap();
        assert!(matches!(DataDir::open(&path), Err(StoreError::Io { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }
}
