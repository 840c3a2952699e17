//! A file that has its name only once it is whole and on the disk.
//!
//! Source: `open(2)`, `O_TMPFILE`.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, open, renameat_with};
use rustix::io::Errno;

/// As every file with users' secrets: its owner's alone.
const MODE: u32 = 0o600;

/// The file, without a name where the file system can do that, so that a kill leaves nothing; else under one
/// that it has meanwhile, removed when dropped.
pub(super) struct Part {
    pub(super) file: File,
    /// Where it is to be. Opened first: a name that cannot be flushed is not given.
    home: File,
    path: Option<PathBuf>,
    to: PathBuf,
}

impl Part {
    /// Makes it in the directory where it is to be.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken, and what the system says.
    pub(super) fn create(to: &Path) -> io::Result<Self> {
        if to.symlink_metadata().is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        match open_unnamed(parent(to)) {
            Some(file) => {
                let home = File::open(parent(to))?;
                Ok(Self { file, home, path: None, to: to.to_owned() })
            }
            None => Self::create_named(to),
        }
    }

    fn create_named(to: &Path) -> io::Result<Self> {
        let mut random = [0; 4];
        let home = File::open(parent(to))?;
        getrandom::fill(&mut random).map_err(|_| io::Error::other("no random bytes"))?;
        let mut path = to.as_os_str().to_owned();
        path.push(format!(".part-{:08x}", u32::from_le_bytes(random)));
        let path = PathBuf::from(path);
        let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&path)?;
        Ok(Self { file, home, path: Some(path), to: to.to_owned() })
    }

    /// Gives it its name, on the disk when this returns. What got the name meanwhile stays.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub(super) fn keep(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        match &self.path {
            None => {
                let open = format!("{OPEN_FILES}/{}", self.file.as_raw_fd());
                linkat(CWD, &open, CWD, &self.to, AtFlags::SYMLINK_FOLLOW)?;
            }
            Some(path) => rename(path, &self.to)?,
        }
        self.path = None;
        self.home.sync_all()
    }
}

/// Where the system shows the files that a process has open.
const OPEN_FILES: &str = "/proc/self/fd";

/// A file in a directory that has no name there; nothing where that cannot be.
fn open_unnamed(directory: &Path) -> Option<File> {
    if !Path::new(OPEN_FILES).exists() {
        return None;
    }
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    open(directory, flags, Mode::from_raw_mode(MODE)).ok().map(File::from)
}

/// Takes a name that is free.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // Not every file system can tell whether the name is free and take it in one step.
        Err(Errno::INVAL | Errno::NOSYS) if to.symlink_metadata().is_err() => {
            std::fs::rename(from, to)
        }
        Err(Errno::INVAL | Errno::NOSYS) => Err(ErrorKind::AlreadyExists.into()),
        Err(error) => Err(error.into()),
    }
}

fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new("."))
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && let Err(error) = std::fs::remove_file(path)
        {
            log::warn!(path:% = path.display(), error:%; "unfinished file left behind");
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
        for create in [Part::create, Part::create_named] {
            let home = tempfile::tempdir().unwrap();
            let to = home.path().join("a.tar");
            let mut part = create(&to).unwrap();
            part.file.write_all(b"whole").unwrap();
            assert!(!to.exists());
            part.keep().unwrap();
            assert_eq!(names(home.path()), ["a.tar"]);
            assert_eq!(std::fs::read(&to).unwrap(), b"whole");
            assert_eq!(to.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        }
    }

    #[test]
    fn r0072_part_that_nobody_finishes_has_no_name_that_could_stay() {
        let home = tempfile::tempdir().unwrap();
        let mut part = Part::create(&home.path().join("a.tar")).unwrap();
        part.file.write_all(b"half").unwrap();
        // A kill runs no destructor.
        assert!(names(home.path()).is_empty());
        part.keep().unwrap();
        assert_eq!(names(home.path()), ["a.tar"]);
    }

    #[test]
    fn part_given_up_leaves_nothing() {
        for create in [Part::create, Part::create_named] {
            let home = tempfile::tempdir().unwrap();
            let mut part = create(&home.path().join("a.tar")).unwrap();
            part.file.write_all(b"half").unwrap();
            drop(part);
            assert!(names(home.path()).is_empty());
        }
    }

    #[test]
    fn part_takes_no_name_that_is_taken() {
        for create in [Part::create, Part::create_named] {
            let home = tempfile::tempdir().unwrap();
            let to = home.path().join("a.tar");
            let part = create(&to).unwrap();
            std::fs::write(&to, "mine").unwrap();
            assert_eq!(part.keep().unwrap_err().kind(), ErrorKind::AlreadyExists);
            let again = Part::create(&to).map(drop).unwrap_err();
            assert_eq!(again.kind(), ErrorKind::AlreadyExists);
            assert_eq!(names(home.path()), ["a.tar"]);
            assert_eq!(std::fs::read_to_string(&to).unwrap(), "mine");
        }
    }
}
