//! A file that has its name only once it is whole and on the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// As every file with users' secrets: its owner's alone.
const MODE: u32 = 0o600;

/// The file under the name that it has meanwhile; removed when dropped.
pub(super) struct Part {
    pub(super) file: File,
    path: PathBuf,
    to: PathBuf,
    is_kept: bool,
}

impl Part {
    /// Makes it beside the place where it is to be.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken, and what the system says.
    pub(super) fn create(to: &Path) -> io::Result<Self> {
        if to.symlink_metadata().is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(|_| io::Error::other("no random bytes"))?;
        let mut path = to.as_os_str().to_owned();
        path.push(format!(".part-{:08x}", u32::from_le_bytes(random)));
        let path = PathBuf::from(path);
        let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&path)?;
        Ok(Self { file, path, to: to.to_owned(), is_kept: false })
    }

    /// Gives it its name, on the disk when this returns. What got the name meanwhile stays.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub(super) fn keep(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        match renameat_with(CWD, &self.path, CWD, &self.to, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            // Not every file system can tell whether the name is free and take it in one step.
            Err(Errno::INVAL | Errno::NOSYS) if self.to.symlink_metadata().is_err() => {
                std::fs::rename(&self.path, &self.to)?;
            }
            Err(Errno::INVAL | Errno::NOSYS) => return Err(ErrorKind::AlreadyExists.into()),
            Err(error) => return Err(error.into()),
        }
        self.is_kept = true;
        let parent = self.to.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            log::warn!(path:% = self.path.display(), error:%; "unfinished file left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn part_has_its_name_once_it_is_kept_and_is_private() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("a.tar");
        let mut part = Part::create(&to).unwrap();
        part.file.write_all(b"whole").unwrap();
        assert!(!to.exists());
        part.keep().unwrap();
        assert_eq!(names(home.path()), ["a.tar"]);
        assert_eq!(std::fs::read(&to).unwrap(), b"whole");
        assert_eq!(to.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn part_given_up_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut part = Part::create(&home.path().join("a.tar")).unwrap();
        part.file.write_all(b"half").unwrap();
        drop(part);
        assert!(names(home.path()).is_empty());
    }

    #[test]
    fn part_takes_no_name_that_is_taken() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("a.tar");
        let part = Part::create(&to).unwrap();
        std::fs::write(&to, "mine").unwrap();
        assert_eq!(part.keep().unwrap_err().kind(), ErrorKind::AlreadyExists);
        let again = Part::create(&to).map(drop).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        assert_eq!(names(home.path()), ["a.tar"]);
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "mine");
    }
}
