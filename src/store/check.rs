//! A look at a data directory that no process uses, file by file: what is wrong, and what becomes of it.
//! Nothing is changed by looking.
//!
//! Files are read by the same code as at a start, and [`repair`] calls what a start calls: there is no
//! second opinion of what a line is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat};
use serde::Serialize;

use super::ballast;
use super::copied::{Beginnings, First};
use super::data_dir::{DAMAGED, DataDir, Locked, PICTURES, USERS, is_gone};
use super::directory::{Directory, Found, failed};
use super::error::StoreError;
use super::file::scan_open;
pub use super::finding::{Finding, Kind, Mend};
use super::line::{Line, LineError};
use super::name::{FileName, Role};
use super::node::{self, NodeFile};
use super::picture::{Needed, PictureStore};
use super::restore;
use super::scan::End;
use super::{UserStore, check_size, damage, picture};
use crate::id::{Hash128, PictureName, UserName};
use crate::limits::NODE_FILE_BYTES_MAX;
use crate::order::sort_by;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// How many users' files were read.
    pub users: u64,
    /// How many files of pictures.
    pub pictures: u64,
    /// How many of these no post refers to; not told while a user's file cannot be read to its end. Such
    /// were sent and never posted, or their posts were deleted: the running machine removes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pictures_unneeded: Option<u64>,
    /// Bytes of all of these.
    pub bytes: u64,
    /// What is wrong, by file.
    pub findings: Vec<Finding>,
    /// What `node.json` says, if that can be read.
    #[serde(skip)]
    pub node: Option<Whose>,
}

/// Whose a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whose {
    /// Of which cluster.
    pub cluster: Hash128,
    /// Whether the machine is all members of it.
    pub is_alone: bool,
    /// Whether nobody is told its port, as of one that `tern serve` runs.
    pub is_unlisted: bool,
    /// The list of members.
    epoch: u32,
}

impl From<&NodeFile> for Whose {
    fn from(file: &NodeFile) -> Self {
        let own = file.member(file.node);
        Self {
            cluster: file.cluster,
            is_alone: file.before.is_none() && file.members.len() == 1,
            is_unlisted: own.is_some_and(|own| own.address.ends_with(":0")),
            epoch: file.epoch,
        }
    }
}

/// What stands in a data directory and is no business of the store's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Others<'a> {
    /// Names of files.
    pub files: &'a [&'a str],
    /// Names of directories.
    pub directories: &'a [String],
}

/// Looks at a data directory.
///
/// # Errors
/// [`StoreError::InUse`] while a process has it, and [`StoreError::Io`] when it cannot be read.
pub fn check(path: &Path, others: Others<'_>) -> Result<Checked, StoreError> {
    let root = Locked::take(Directory::open(path)?)?;
    let stat = rustix::fs::fstat(root.fd()).map_err(|e| failed("look at", path, e))?;
    let mut look = Look {
        checked: Checked::default(),
        owner: stat.st_uid,
        begun: Beginnings::default(),
        needed: BTreeSet::new(),
        is_all_read: true,
        held: BTreeSet::new(),
    };
    look.mode_of(&root, "")?;
    look.root(&root, others)?;
    if let Some(users) = look.directory(&root, USERS)? {
        look.users(&users)?;
    }
    if let Some(damaged) = look.directory(&root, DAMAGED)? {
        look.damaged(&damaged)?;
    }
    if let Some(pictures) = look.directory(&root, PICTURES)? {
        look.pictures(&pictures)?;
    }
    look.compare_pictures();
    sort_by(&mut look.checked.findings, |one, other| one.file.cmp(&other.file));
    Ok(look.checked)
}

/// Does what a start would do with what can be mended: damaged files are marked and set aside, torn ends
/// cut off, left-over files removed. And what no start does by itself: of files of which one is a copy of the
/// other both are marked and set aside, where other machines hold what stood there. Were that done on all
/// machines at once, both members would be gone.
///
/// # Errors
/// As a start: a directory that is not usable is not touched.
pub fn repair(path: &Path) -> Result<(), StoreError> {
    let dir = DataDir::open(path)?;
    let store = UserStore::open(&dir)?;
    let is_alone = NodeFile::load(&dir)?.is_none_or(|file| Whose::from(&file).is_alone);
    // Opening it removes what a crash left.
    PictureStore::open(&dir)?.set_damaged_aside()?;
    let (mut begun, mut copied) = (Beginnings::default(), BTreeMap::new());
    for user in store.names()? {
        let mut first = First::default();
        match store.load(&user, &mut |line| first.see(&line)) {
            Ok(_) => {}
            Err(error) if error.is_damage() => {
                // What is set aside keeps its room, and what is intact of it needs as much again. With less it
                // would have its name no more, and alone be counted as lost.
                store.check_room_of(&user)?;
                store.set_aside(&user, &error.reason())?;
                // As much as is intact has its name again.
                store.load(&user, &mut |_| {})?;
            }
            Err(error) => return Err(error),
        }
        if let Some(other) = begun.note(&user, first) {
            copied.insert(other.clone(), user.clone());
            copied.insert(user, other);
        }
    }
    for (user, other) in &copied {
        if is_alone {
            return Err(StoreError::copied(path, user, other));
        }
        store.set_aside_whole(user, &format!("it begins with the same line as that of {other}"))?;
    }
    Ok(())
}

/// What was found so far.
struct Look {
    checked: Checked,
    /// The account that the directory is of.
    owner: u32,
    begun: Beginnings,
    /// Pictures that posts refer to.
    needed: BTreeSet<PictureName>,
    /// Whether these are all: no user's file is damaged.
    is_all_read: bool,
    /// Pictures that are there.
    held: BTreeSet<PictureName>,
}

impl Look {
    fn add(&mut self, file: impl Into<String>, kind: Kind, what: impl Into<String>) {
        let (file, what) = (file.into(), what.into());
        self.checked.findings.push(Finding { file, kind, line: None, what });
    }

    /// What stands in the directory itself.
    fn root(&mut self, root: &Directory, others: Others<'_>) -> Result<(), StoreError> {
        let mut names = BTreeSet::new();
        for found in root.list()? {
            let name = text_of(&found);
            let known = [node::NAME, ballast::NAME].contains(&name.as_str())
                || others.files.contains(&name.as_str());
            match name.as_str() {
                USERS | DAMAGED | PICTURES | restore::MARK => {}
                _ if !found.is_file && others.directories.contains(&name) => {}
                node::TEMPORARY => self.left_over(root, &name),
                _ if known && found.is_file => drop(self.mode_in(root, "", &name)?),
                _ if known => self.add(name.clone(), Kind::Foreign, NO_FILE),
                _ => self.add(name.clone(), Kind::Foreign, FOREIGN),
            }
            names.insert(name);
        }
        let is_marked = names.contains(restore::MARK);
        if !names.contains(node::NAME) {
            let (kind, what) = if is_marked {
                (Kind::Unfinished, "restoring a backup into this directory was interrupted")
            } else {
                (Kind::Identity, "it is not there, so nothing says which machine this is")
            };
            self.add(node::NAME, kind, what);
            return Ok(());
        }
        if is_marked {
            self.left_over(root, restore::MARK);
        }
        self.identity(root)
    }

    /// What a start removes, unless it is a directory.
    fn left_over(&mut self, root: &Directory, name: &str) {
        match root.open_in(name) {
            Ok(None) | Err(StoreError::NoDirectory { .. }) => {
                self.add(name, Kind::LeftOver, LEFT_OVER);
            }
            Ok(Some(_)) | Err(_) => self.add(name, Kind::NoFile, NO_FILE),
        }
    }

    fn identity(&mut self, root: &Directory) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        let file = match root.open_file(node::NAME, OFlags::RDONLY) {
            Ok(Some(file)) => file,
            Ok(None) | Err(StoreError::Foreign { .. }) => {
                self.add(node::NAME, Kind::Identity, NO_FILE);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        file.take(NODE_FILE_BYTES_MAX as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| root.failed("read", node::NAME, e))?;
        match node::parse(&bytes, || root.path_of(node::NAME)) {
            Ok(file) => {
                self.checked.node = Some(Whose::from(&file));
                let found = [root.open_in(USERS), root.open_in(DAMAGED)];
                let [Ok(users), Ok(damaged)] = found else { return Ok(()) };
                // Where it is not there at all, that is said of it.
                if file.holds_users
                    && users.is_some()
                    && !node::has_users(users.iter().chain(&damaged))?
                {
                    self.add(USERS, Kind::Identity, EMPTIED);
                }
            }
            Err(StoreError::NewerFormat { what, .. }) => self.add(node::NAME, Kind::Newer, what),
            Err(StoreError::NodeFile { source, .. }) => {
                self.add(node::NAME, Kind::Identity, source.to_string());
            }
            Err(StoreError::NodeValue { what, .. }) => self.add(node::NAME, Kind::Identity, what),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A directory in the data directory, if it is there.
    fn directory(&mut self, root: &Directory, name: &str) -> Result<Option<Directory>, StoreError> {
        match root.open_in(name) {
            Ok(Some(directory)) => {
                self.mode_of(&directory, name)?;
                Ok(Some(directory))
            }
            Ok(None) => {
                if [USERS, DAMAGED].contains(&name) && is_gone(root, name)? {
                    self.add(name, Kind::Identity, GONE);
                }
                Ok(None)
            }
            Err(StoreError::NoDirectory { .. }) => {
                self.add(name, Kind::NoDirectory, NO_DIRECTORY);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn users(&mut self, users: &Directory) -> Result<(), StoreError> {
        for found in users.list()? {
            let name = text_of(&found);
            let path = format!("{USERS}/{name}");
            match FileName::parse(&name) {
                _ if !found.is_file => self.add(path, Kind::Foreign, NO_FILE),
                Some(FileName { user, role: Role::Lines }) => {
                    self.mode_in(users, USERS, &name)?;
                    self.lines(users, &name, &user)?;
                }
                Some(FileName { role: Role::Temporary, .. }) => {
                    self.add(path, Kind::LeftOver, LEFT_OVER);
                }
                Some(_) => self.add(path, Kind::WrongName, "its place is damaged/"),
                None if is_like_lines(&name) => {
                    self.add(
                        path,
                        Kind::WrongName,
                        "no user can have that name, so nobody reads it",
                    );
                }
                None => self.add(path, Kind::Foreign, FOREIGN),
            }
        }
        Ok(())
    }

    /// One user's file.
    fn lines(&mut self, users: &Directory, name: &str, user: &UserName) -> Result<(), StoreError> {
        let path = format!("{USERS}/{name}");
        // Gone or replaced since it was listed: by somebody who does not ask for the lock.
        let Some(file) = users.open_file(name, OFlags::RDONLY)? else { return Ok(()) };
        let len = file.metadata().map_err(|e| users.failed("look at", name, e))?.len();
        (self.checked.users, self.checked.bytes) =
            (self.checked.users + 1, self.checked.bytes.saturating_add(len));
        let mut needed = Needed::by(user.clone());
        let mut first = First::default();
        let scanned = check_size(user, len).and_then(|_size| {
            let see = &mut |line: Line| {
                first.see(&line);
                needed.see(&line);
            };
            scan_open(&file, len, see).map_err(|e| users.failed("read", name, e))
        });
        self.needed.extend(needed.names());
        self.compare_first(user, first);
        if len == 0 {
            self.add(path.clone(), Kind::Empty, "it has no line");
        }
        let scan = match scanned {
            Ok(scan) => scan,
            Err(error) if error.is_damage() => {
                self.is_all_read = false;
                self.add(path, Kind::Unreadable, error.reason());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let (kind, line, what) = match scan.end {
            End::Whole => {
                let epoch = scan.chain.version.term.epoch;
                if self.checked.node.is_some_and(|known| epoch > known.epoch) {
                    let what = format!(
                        "written under list of members {epoch}, of which node.json does not know: it is \
                         an old copy, or this machine was away when the members changed"
                    );
                    self.add(path, Kind::Ahead, what);
                }
                return Ok(());
            }
            End::Torn { bytes } => (
                Kind::TornEnd,
                scan.lines + 1,
                format!("{bytes} bytes of a write that was cut off"),
            ),
            End::Damaged { line_number, why: LineError::NewerFormat(what), .. } => {
                (Kind::Newer, line_number, what)
            }
            End::Damaged { line_number, why, .. } => {
                (Kind::DamagedLine, line_number, why.to_string())
            }
        };
        self.is_all_read &= kind == Kind::TornEnd;
        self.checked.findings.push(Finding { file: path, kind, line: Some(line), what });
        Ok(())
    }

    /// No line says whose it is; but no two users' files begin alike, unless one is a copy.
    fn compare_first(&mut self, user: &UserName, first: First) {
        let Some(other) = self.begun.note(user, first) else { return };
        let of = |user: &UserName| format!("{USERS}/{}", FileName::new(user, Role::Lines));
        let (one, later) = (of(user.min(&other)), of(user.max(&other)));
        let what = format!(
            "it begins with the same line as {one}: one of the two is a copy, and a member's file is gone"
        );
        self.add(later, Kind::Copied, what);
    }

    fn pictures(&mut self, pictures: &Directory) -> Result<(), StoreError> {
        for found in pictures.list()? {
            let name = text_of(&found);
            let path = format!("{PICTURES}/{name}");
            // Another name is not opened: what of it is no text is written out, and may be too long then.
            if !picture::is_prefix(&name) {
                self.add(path, Kind::Foreign, FOREIGN);
                continue;
            }
            match pictures.open_in(&name) {
                Ok(Some(shelf)) => self.shelf(&shelf, &path)?,
                Ok(None) => {}
                Err(StoreError::NoDirectory { .. }) => {
                    self.add(path, Kind::NoDirectory, NO_DIRECTORY);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Pictures whose names begin alike.
    fn shelf(&mut self, shelf: &Directory, at: &str) -> Result<(), StoreError> {
        self.mode_of(shelf, at)?;
        for found in shelf.list()? {
            let name = text_of(&found);
            let path = format!("{at}/{name}");
            let is_left_over = picture::is_left_over(shelf, &name);
            match picture::named_in(shelf, &name) {
                _ if !found.is_file => self.add(path, Kind::Foreign, NO_FILE),
                None if is_left_over => self.add(path, Kind::LeftOver, LEFT_OVER),
                None => self.add(path, Kind::Foreign, FOREIGN),
                Some(picture) => {
                    let bytes = self.mode_in(shelf, at, &name)?;
                    self.held.insert(picture);
                    self.checked.pictures += 1;
                    self.checked.bytes = self.checked.bytes.saturating_add(bytes);
                    if !picture::is_sound(shelf, picture)? {
                        self.add(path, Kind::DamagedPicture, "it is not what its name says");
                    }
                }
            }
        }
        Ok(())
    }

    /// Those that are there against those that posts refer to.
    fn compare_pictures(&mut self) {
        for name in self.needed.difference(&self.held) {
            let (file, what) = (picture::path_of(*name), "a post refers to it".to_owned());
            let kind = Kind::MissingPicture;
            self.checked.findings.push(Finding { file, kind, line: None, what });
        }
        let unneeded = self.held.difference(&self.needed).count() as u64;
        self.checked.pictures_unneeded = self.is_all_read.then_some(unneeded);
    }

    fn damaged(&mut self, damaged: &Directory) -> Result<(), StoreError> {
        for found in damaged.list()? {
            let name = text_of(&found);
            let path = format!("{DAMAGED}/{name}");
            match FileName::parse(&name) {
                Some(FileName { role: Role::Mark, .. }) if !found.is_file => {
                    self.add(path, Kind::NoFile, NO_FILE);
                }
                _ if !found.is_file => self.add(path, Kind::Foreign, NO_FILE),
                Some(FileName { role: Role::Mark, .. }) => {
                    self.mode_in(damaged, DAMAGED, &name)?;
                    let what = damage::read_reason(damaged, &name)?;
                    self.is_all_read = false;
                    self.add(path, Kind::Marked, what);
                }
                Some(FileName { role: Role::Aside(_), .. }) => {
                    self.mode_in(damaged, DAMAGED, &name)?;
                }
                Some(_) => self.add(path, Kind::WrongName, "its place is users/"),
                None if name.parse::<PictureName>().is_ok() => {
                    self.mode_in(damaged, DAMAGED, &name)?;
                }
                None => self.add(path, Kind::Foreign, FOREIGN),
            }
        }
        Ok(())
    }

    fn mode_of(&mut self, directory: &Directory, file: &str) -> Result<(), StoreError> {
        let stat = rustix::fs::fstat(directory.fd())
            .map_err(|e| failed("look at", directory.path(), e))?;
        self.access(file.to_owned(), &stat);
        Ok(())
    }

    /// Looks at a file's mode and owner; how many bytes it has.
    fn mode_in(&mut self, directory: &Directory, at: &str, name: &str) -> Result<u64, StoreError> {
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        let stat = rustix::fs::statat(directory.fd(), name, flags)
            .map_err(|e| directory.failed("look at", name, e))?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            let file = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            self.access(file, &stat);
        }
        Ok(u64::try_from(stat.st_size).unwrap_or(0))
    }

    /// Who may read it, and whether those can who must.
    fn access(&mut self, file: String, stat: &Stat) {
        if Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
            let mode = stat.st_mode & 0o7777;
            let what = format!("mode {mode:o}: other accounts may read or change it");
            self.add(file.clone(), Kind::WrongMode, what);
        }
        // What the account must be allowed, and what each start needs of it: that opens no picture, and must list
        // where they are. Root may do all.
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let is_spare = file.starts_with(PICTURES) || file == ballast::NAME;
        let (all, least) = match (is_directory, is_spare) {
            (true, false) => (7, 7),
            (true, true) => (7, 5),
            (false, false) => (6, 4),
            (false, true) => (6, 0),
        };
        let (own, owner) = (stat.st_uid, self.owner);
        let may = if own == owner { stat.st_mode >> 6 } else { stat.st_mode };
        let (kind, what) = if own != owner {
            let what = format!("it belongs to account {own}, and the directory to account {owner}");
            (Kind::WrongOwner, what)
        } else if owner != 0 && may & all != all {
            let mode = stat.st_mode & 0o7777;
            (Kind::WrongMode, format!("mode {mode:o}: its own account may not change it"))
        } else {
            return;
        };
        let is_denied = owner != 0 && may & least != least;
        let kind = if is_denied { Kind::Denied } else { kind };
        self.add(file, kind, what);
    }
}

const LEFT_OVER: &str = "left by a crash, and worthless";
const FOREIGN: &str = "tern did not put it there";
const GONE: &str =
    "it is not there, and node.json is: a mount is missing, or it was removed; put it back";
const NO_DIRECTORY: &str = "it is no directory";
const EMPTIED: &str = "it is empty, and there were users' files on this machine";
const NO_FILE: &str = "it is no regular file";

/// Whether a name ends as those of users' files do, or nearly so.
fn is_like_lines(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("jsonl"))
}

/// A file's name, as far as it is text.
fn text_of(found: &Found) -> String {
    found.name.to_string_lossy().into_owned()
}
