//! The private directory that holds the socket between the gate and `tiny_http`.
//!
//! Invariants: it is new, of mode 0700, and held by a locked file for as long as this process
//! lives; what a dead process left is known by its lock being free, whatever its number was.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What their names begin with.
const PREFIX: &str = "tern-web-";
const SOCKET: &str = "socket";
const LOCK: &str = "lock";
/// Bytes of a Unix socket's path. Source: `sun_path` of Linux's unix(7), less its NUL.
const PATH_BYTES_MAX: usize = 107;
/// New names tried: another start may sweep a directory away before its lock is taken.
const TRIES: usize = 4;

/// The directory; removed when it is dropped.
#[derive(Debug)]
pub(super) struct SocketDir {
    path: PathBuf,
    _lock: File,
}

impl SocketDir {
    /// Makes one in the first of `parents` that takes it, after sweeping out what dead processes
    /// left in any.
    pub(super) fn create(parents: &[PathBuf]) -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for parent in parents {
            sweep(parent);
        }
        for parent in parents {
            for _ in 0..TRIES {
                match Self::create_in(parent) {
                    Ok(dir) => return Ok(dir),
                    Err(error) => last = error,
                }
            }
        }
        Err(last)
    }

    fn create_in(parent: &Path) -> io::Result<Self> {
        let unique = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
        let path = parent.join(format!("{PREFIX}{unique:016x}"));
        if path.join(SOCKET).as_os_str().len() > PATH_BYTES_MAX {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        DirBuilder::new().mode(0o700).create(&path)?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&lock_path)?;
        lock.try_lock()?;
        // Swept between its creation and its lock, the file is nobody's any more.
        if fs::metadata(&lock_path)?.ino() != lock.metadata()?.ino() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self { path, _lock: lock })
    }

    /// Where the socket is to be bound.
    pub(super) fn socket(&self) -> PathBuf {
        self.path.join(SOCKET)
    }
}

impl Drop for SocketDir {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            log::warn!(
                path:% = self.path.display(), error:%;
                "socket directory not removed"
            );
        }
    }
}

/// Where to try, in order.
pub(super) fn parents() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|path| path.is_absolute());
    runtime.into_iter().chain([PathBuf::from("/run/tern"), std::env::temp_dir()]).collect()
}

/// Removes what dead processes of this user left. What cannot be read or removed is not ours, or
/// goes next time.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_named = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_named && is_stale(&entry.path()).unwrap_or(false) {
            match remove(&entry.path()) {
                Ok(()) => log::info!(
                    path:% = entry.path().display();
                    "stale socket directory removed"
                ),
                Err(error) => {
                    log::warn!(
                        path:% = entry.path().display(), error:%;
                        "stale socket directory stays"
                    );
                }
            }
        }
    }
}

/// Whether a directory is this user's own and its lock is free.
fn is_stale(path: &Path) -> io::Result<bool> {
    let dir = fs::symlink_metadata(path)?;
    let own = rustix::process::geteuid().as_raw();
    // In a shared /tmp anybody may plant a name or a link.
    if !dir.is_dir() || dir.uid() != own || dir.mode() & 0o077 != 0 {
        return Ok(false);
    }
    let lock = OpenOptions::new().write(true).open(path.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Removes the two files by name and then the directory, which fails if it holds anything else.
fn remove(path: &Path) -> io::Result<()> {
    for name in [SOCKET, LOCK] {
        match fs::remove_file(path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::remove_dir(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn dir_is_private_and_removed_when_dropped() {
        let parent = tempfile::tempdir().unwrap();
        let dir = SocketDir::create(&[parent.path().to_owned()]).unwrap();
        let path = dir.socket().parent().unwrap().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        let _bound = UnixListener::bind(dir.socket()).unwrap();
        drop(dir);
        assert!(!path.exists());
    }

    #[test]
    fn dir_of_dead_process_swept_and_of_living_kept() {
        let parent = tempfile::tempdir().unwrap();
        let parents = [parent.path().to_owned()];
        let living = SocketDir::create(&parents).unwrap();
        let stale = parent.path().join(format!("{PREFIX}dead"));
        DirBuilder::new().mode(0o700).create(&stale).unwrap();
        fs::write(stale.join(LOCK), "").unwrap();
        drop(UnixListener::bind(stale.join(SOCKET)).unwrap());
        let _new = SocketDir::create(&parents).unwrap();
        assert!(!stale.exists());
        assert!(living.path.join(LOCK).exists());
    }

    #[test]
    fn dir_foreign_or_odd_never_touched() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("target");
        DirBuilder::new().mode(0o700).create(&target).unwrap();
        fs::write(target.join(LOCK), "").unwrap();
        let link = parent.path().join(format!("{PREFIX}link"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let open = parent.path().join(format!("{PREFIX}open"));
        DirBuilder::new().mode(0o755).create(&open).unwrap();
        fs::write(open.join(LOCK), "").unwrap();
        let fuller = parent.path().join(format!("{PREFIX}fuller"));
        DirBuilder::new().mode(0o700).create(&fuller).unwrap();
        fs::write(fuller.join(LOCK), "").unwrap();
        fs::write(fuller.join("precious"), "").unwrap();
        let _dir = SocketDir::create(&[parent.path().to_owned()]).unwrap();
        assert!(target.join(LOCK).exists() && link.exists() && open.join(LOCK).exists());
        assert!(fuller.join("precious").exists());
    }

    #[test]
    fn dir_with_unusable_parents_made_in_next() {
        let parent = tempfile::tempdir().unwrap();
        let long = parent.path().join("x".repeat(100));
        fs::create_dir(&long).unwrap();
        let parents = ["/nowhere/at/all".into(), long, parent.path().to_owned()];
        let dir = SocketDir::create(&parents).unwrap();
        assert_eq!(dir.path.parent(), Some(parent.path()));
        assert!(SocketDir::create(&["/nowhere/at/all".into()]).is_err());
    }
}
