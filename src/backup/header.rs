//! What stands before each file of the archive: one block, in its one spelling.

use std::str;

use tar::{EntryType, Header};

use super::error::BackupError;
use crate::id::{PictureName, UserName};
use crate::limits::{
    BACKUP_ABOUT_BYTES_MAX, BACKUP_MANIFEST_BYTES_MAX, PICTURE_BYTES_MAX, USER_FILE_BYTES_MAX,
};

/// Bytes of a block: everything in an archive is a multiple of it.
pub(super) const BLOCK_BYTES: usize = 512;
/// The folder that all files are in, so that unpacking by hand spills nothing.
pub(super) const FOLDER: &str = "tern-backup/";
const ABOUT: &str = "backup.json";
const MANIFEST: &str = "manifest.jsonl";
const USERS: &str = "users/";
const LINES: &str = ".jsonl";
const PICTURES: &str = "pictures/";
/// As every file of a data directory: its owner's alone.
const MODE: u32 = 0o600;

/// A file of the archive; files stand in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    About,
    User(UserName),
    Picture(PictureName),
    Manifest,
}

impl Name {
    /// Its path inside the folder.
    pub(super) fn path(&self) -> String {
        match self {
            Self::About => ABOUT.to_owned(),
            Self::User(user) => format!("{USERS}{user}{LINES}"),
            Self::Picture(picture) => {
                let file = picture.to_string();
                let shelf = file.get(..2).unwrap_or_default();
                format!("{PICTURES}{shelf}/{file}")
            }
            Self::Manifest => MANIFEST.to_owned(),
        }
    }

    /// Which file a path means; whatever is not spelt as we spell it is none. So a path becomes the
    /// name of a user or a picture, and never a path again.
    pub(super) fn parse(path: &str) -> Option<Self> {
        match path {
            ABOUT => Some(Self::About),
            MANIFEST => Some(Self::Manifest),
            other => {
                if let Some(inside) = other.strip_prefix(PICTURES) {
                    let (_, file) = inside.split_once('/')?;
                    let picture = file.parse().ok().map(Self::Picture)?;
                    return (picture.path() == other).then_some(picture);
                }
                let user = other.strip_prefix(USERS)?.strip_suffix(LINES)?;
                UserName::parse(user).ok().map(Self::User)
            }
        }
    }

    const fn bytes_max(&self) -> usize {
        match self {
            Self::About => BACKUP_ABOUT_BYTES_MAX,
            Self::User(_) => USER_FILE_BYTES_MAX,
            Self::Picture(_) => PICTURE_BYTES_MAX,
            Self::Manifest => BACKUP_MANIFEST_BYTES_MAX,
        }
    }
}

/// A file's header; `at` is in Unix seconds, and the same in all of an archive.
#[expect(clippy::expect_used, reason = "our names are ASCII and have at most 92 bytes of 100")]
pub(super) fn of(name: &Name, bytes: u64, at: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_path(format!("{FOLDER}{}", name.path())).expect("a short path of ours");
    header.set_entry_type(EntryType::Regular);
    header.set_mode(MODE);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(at);
    header.set_size(bytes);
    header.set_cksum();
    header
}

/// What a header says.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) name: Name,
    pub(super) bytes: u64,
    pub(super) at: u64,
}

/// Reads a header that stands at byte `place`.
///
/// # Errors
/// [`BackupError::Damaged`] where its checksum is wrong, else [`BackupError::Foreign`] for whatever
/// we would not have written so.
pub(super) fn parse(block: &[u8; BLOCK_BYTES], place: u64) -> Result<Told, BackupError> {
    let header = Header::from_byte_slice(block);
    let mut summed = header.clone();
    summed.set_cksum();
    let is_sound = header.cksum().is_ok_and(|sum| summed.cksum().is_ok_and(|own| own == sum));
    if !is_sound {
        // What does not even begin as one is not called a damaged one.
        return Err(if place == 0 && !block.starts_with(FOLDER.as_bytes()) {
            BackupError::Foreign("it is no tar archive (if it was packed, unpack it first)".into())
        } else {
            BackupError::Damaged { at: place, what: "the checksum of a file's header is wrong" }
        });
    }
    let path = header.path_bytes();
    let shown = || String::from_utf8_lossy(&path).escape_debug().to_string();
    if header.entry_type() != EntryType::Regular {
        return Err(BackupError::Foreign(format!("{:?} is no plain file", shown())));
    }
    let inside = str::from_utf8(&path).ok().and_then(|path| path.strip_prefix(FOLDER));
    let name = inside.and_then(Name::parse).ok_or_else(|| {
        BackupError::Foreign(format!("a file of the name \"{}\" is in it", shown()))
    })?;
    let number = |read: std::io::Result<u64>| {
        read.map_err(|_| {
            BackupError::Foreign(format!("the header of {} is no number", name.path()))
        })
    };
    let (bytes, at) = (number(header.entry_size())?, number(header.mtime())?);
    if bytes > name.bytes_max() as u64 {
        let (path, max) = (name.path(), name.bytes_max());
        return Err(BackupError::Foreign(format!(
            "{path} is said to have {bytes} bytes, where {max} is the most"
        )));
    }
    if of(&name, bytes, at).as_bytes() != block {
        let path = name.path();
        return Err(BackupError::Foreign(format!("the header of {path} is not as tern writes it")));
    }
    Ok(Told { name, bytes, at })
}

/// How many zeros follow so many bytes, up to the end of their block.
pub(super) fn padding(bytes: u64) -> usize {
    let block = BLOCK_BYTES as u64;
    usize::try_from(bytes.next_multiple_of(block) - bytes).unwrap_or_default()
}
