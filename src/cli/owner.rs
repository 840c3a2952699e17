//! What root makes in the data directory of another account, which the program is to run as, belongs to
//! that account: else the program could not read its own files.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

use super::error::CliError;
use crate::store::OWN;

/// The account that a directory is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner(Option<(u32, u32)>);

impl Owner {
    /// Of this directory, if root asks and it is another's; else nothing need be done. One that is not
    /// there yet is whoever's makes it.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub(super) fn of(directory: &Path) -> Result<Self, CliError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        match fs::metadata(directory) {
            Ok(found) => Ok(Self((found.uid() != 0).then_some((found.uid(), found.gid())))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self(None)),
            Err(source) => Err(failed("look at", directory, source)),
        }
    }

    /// Gives it what root has of a machine's in its directory. What else is there was there before.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn take_all(self, directory: &Path) -> Result<(), CliError> {
        let Some(owner) = self.0 else { return Ok(()) };
        OWN.iter()
            .try_for_each(|name| give_all(&directory.join(name), owner))
            .map_err(|source| failed("hand over", directory, source))
    }

    /// Gives it a file, if that is root's.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn take(self, file: &Path) -> Result<(), CliError> {
        // A pipe is nobody's to keep.
        let Some(owner) = self.0.filter(|_| file.is_file()) else { return Ok(()) };
        give(file, owner).map_err(|source| failed("hand over", file, source))
    }
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> CliError {
    CliError::Data { what, path: path.to_owned(), source }
}

fn give(path: &Path, (user, group): (u32, u32)) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.uid() == 0 { lchown(path, Some(user), Some(group)) } else { Ok(()) }
}

fn give_all(path: &Path, owner: (u32, u32)) -> io::Result<()> {
    // No link is followed.
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => {
            for entry in fs::read_dir(path)? {
                give_all(&entry?.path(), owner)?;
            }
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    give(path, owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r0193_what_root_makes_belongs_to_the_account_of_the_directory_and_nothing_else() {
        if !rustix::process::geteuid().is_root() {
            println!("left out: only root makes files for others");
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let missing = Owner::of(&data).unwrap();
        fs::create_dir_all(data.join("users")).unwrap();
        fs::write(data.join("users/ada.jsonl"), "").unwrap();
        fs::write(home.path().join("key"), "").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", data.join("users/link")).unwrap();
        // A fresh file system's, which is root's alone.
        fs::create_dir(data.join("lost+found")).unwrap();
        let owners = || {
            let paths = ["data/users", "data/users/ada.jsonl", "data/users/link", "key"];
            paths.map(|path| fs::symlink_metadata(home.path().join(path)).unwrap().uid())
        };
        for nobody in [missing, Owner::of(&data).unwrap()] {
            nobody.take_all(&data).unwrap();
            nobody.take(&home.path().join("key")).unwrap();
            assert_eq!(owners(), [0; 4]);
        }
        lchown(&data, Some(4711), Some(4712)).unwrap();
        let owner = Owner::of(&data).unwrap();
        owner.take_all(&data).unwrap();
        owner.take(&home.path().join("key")).unwrap();
        assert_eq!(owners(), [4711; 4]);
        for other in [Path::new("/etc/passwd"), &data.join("lost+found")] {
            assert_eq!(fs::metadata(other).unwrap().uid(), 0, "r0193 {other:?}");
        }
    }
}
