//! Filling an empty directory from a backup, so that nothing half done can ever be started.
//!
//! ```text
//! empty ─► marked (file `restoring`) ─► users' files, pictures ─► node.json ─► mark gone
//!            │                                                       └─ from here on it is a machine's directory
//!            └─ no command starts it, sets it up or lets it join
//! ```

use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::Path;

use rustix::fs::OFlags;

use super::directory::{DIR_MODE, LOST_AND_FOUND, failed};
use super::error::StoreError;
use super::node::NAME as NODE;
use super::{DataDir, NodeFile, PictureStore, UserStore};
use crate::clock::Wall;
use crate::id::{PictureName, UserName};

/// The mark of a directory that is being filled.
pub(super) const MARK: &str = "restoring";

/// A directory that is being filled.
#[derive(Debug)]
pub struct Restore {
    dir: DataDir,
    store: UserStore,
    pictures: PictureStore,
    /// When the pictures count as last wanted.
    at: Wall,
    /// Whether the directory was not there before.
    is_made: bool,
}

/// Whether a directory was left while it was being filled.
pub(super) fn is_unfinished(dir: &DataDir) -> Result<bool, StoreError> {
    Ok(dir.root().open_file(MARK, OFlags::RDONLY)?.is_some())
}

impl Restore {
    /// Takes an empty directory, which is its owner's alone from then on, or makes one; `at` is now.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], [`StoreError::Unfinished`] for what an interrupted restore left; as
    /// [`DataDir::open`].
    pub fn begin(path: &Path, at: Wall) -> Result<Self, StoreError> {
        let is_made = match std::fs::read_dir(path) {
            Ok(mut found) => {
                let is_other = |entry: DirEntry| entry.file_name() != LOST_AND_FOUND;
                if found.any(|entry| entry.map_or(true, is_other)) {
                    let path = path.to_owned();
                    let was_left = path.join(MARK).exists() && !path.join(NODE).exists();
                    return Err(if was_left {
                        // One that goes on has it still.
                        DataDir::check_free(&path)?;
                        StoreError::Unfinished { path }
                    } else {
                        StoreError::NotEmpty { path }
                    });
                }
                false
            }
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(failed("list", path, error)),
        };
        let dir = DataDir::open(path)?;
        let root = dir.root();
        // Others could put files of theirs in the place of what is restored.
        rustix::fs::fchmod(root.fd(), DIR_MODE).map_err(|e| failed("shut", path, e))?;
        // Taken by another process between the look and the lock: it is not empty any more.
        let mark = root.create_file(MARK)?;
        let mark = mark.ok_or_else(|| StoreError::NotEmpty { path: path.to_owned() })?;
        mark.sync_all().map_err(|error| root.sync_failed(MARK, error))?;
        root.sync()?;
        let (store, pictures) = (UserStore::open(&dir)?, PictureStore::open(&dir)?);
        Ok(Self { dir, store, pictures, at, is_made })
    }

    /// Puts a user's file in its place, flushed.
    ///
    /// # Errors
    /// As [`UserStore::replace`].
    pub fn user(&self, user: &UserName, lines: &[u8]) -> Result<(), StoreError> {
        self.store.replace(user, lines)
    }

    /// Puts a picture in its place, flushed.
    ///
    /// # Errors
    /// As [`PictureStore::keep`].
    pub fn picture(&self, name: PictureName, bytes: &[u8]) -> Result<(), StoreError> {
        self.pictures.keep(name, bytes, self.at)
    }

    /// Makes the directory a machine's.
    ///
    /// # Errors
    /// As [`NodeFile::save`]; the directory is to be abandoned then.
    pub fn finish(&self, node: &NodeFile) -> Result<(), StoreError> {
        node.save(&self.dir)?;
        self.dir.root().remove_file(MARK)?;
        self.dir.root().sync()
    }

    /// Empties the directory again.
    ///
    /// # Errors
    /// [`StoreError::Io`]: what is left cannot be started either.
    pub fn abandon(self) -> Result<(), StoreError> {
        let (root, users) = (self.dir.root(), self.dir.users());
        root.remove_file(NODE)?;
        for found in users.list()? {
            if let Ok(name) = found.name.to_str() {
                users.remove_file(name)?;
            }
        }
        self.pictures.give_up()?;
        for directory in [users.path(), self.dir.damaged().path()] {
            std::fs::remove_dir(directory).map_err(|e| failed("remove", directory, e))?;
        }
        root.remove_file(MARK)?;
        root.sync()?;
        if self.is_made {
            let path = self.dir.path();
            std::fs::remove_dir(path).map_err(|e| failed("remove", path, e))?;
        }
        Ok(())
    }
}
