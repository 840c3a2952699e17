//! What can go wrong on the disk.

use std::io;
use std::path::{Path, PathBuf};

use super::data_dir::USERS;
use super::line::LineError;
use super::lines_name;
use crate::id::{NodeId, PictureName, UserName};
use crate::user::Place;

/// Why the store did not do what it was asked. The file system's word stands in the source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused an operation; what was on the disk still is.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process uses this data directory.
    #[error("the data directory {} is in use by another process", path.display())]
    InUse {
        /// Which directory.
        path: PathBuf,
    },
    /// This process may not write here.
    #[error("the data directory {} is not writable", path.display())]
    NotWritable {
        /// Which directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There are users and no word of which machine they belong to.
    #[error(
        "{} holds users but no node.json, so this machine was wiped, or the directory comes from \
         another one: put node.json back from this same machine, or see \"A machine is replaced\" \
         in RUN.md", path.display()
    )]
    NoIdentity {
        /// Which directory.
        path: PathBuf,
    },
    /// A machine's directory lacks a part of which nothing may be forgotten. Nothing was touched.
    #[error(
        "{} is not there, and node.json is: a mount is missing, or it was removed. Nothing was changed. \
         Mount it or put back what this machine had last; if that is lost, the machine must not vote as \
         it is: let it take its place again, empty, with tern cluster replace, or restore the backup \
         where it was alone (\"A machine is replaced\", \"All is lost\" in RUN.md)", path.display()
    )]
    Gone {
        /// What is not there.
        path: PathBuf,
    },
    /// There were users' files, and nothing is left of them.
    #[error(
        "{} is empty, and there were users' files on this machine: a mount is missing, or they were \
         removed. Nothing was changed. Mount it or put back what this machine had last; if that is lost, \
         the machine must not vote as it is: let it take its place again, empty, with tern cluster \
         replace, or restore the backup where it was alone (\"A machine is replaced\", \"All is lost\" in \
         RUN.md)", path.display()
    )]
    Emptied {
        /// What is empty.
        path: PathBuf,
    },
    /// A restore into the directory was never finished.
    #[error(
        "{} holds part of a backup: restoring it was interrupted. Remove the directory and restore \
         again; nothing in it is needed", path.display()
    )]
    Unfinished {
        /// Which directory.
        path: PathBuf,
    },
    /// A backup is restored into an empty directory only.
    #[error("{} is not empty: a backup is restored into an empty directory only", path.display())]
    NotEmpty {
        /// Which directory.
        path: PathBuf,
    },
    /// Written by a newer program. Nothing was touched.
    #[error("{} was written by a newer version of this program ({what})", path.display())]
    NewerFormat {
        /// Which file.
        path: PathBuf,
        /// What is not understood.
        what: String,
    },
    /// `node.json` is no JSON of its format.
    #[error("cannot understand {}", path.display())]
    NodeFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// `node.json` says what cannot be.
    #[error("{} is wrong: {what}", path.display())]
    NodeValue {
        /// Which file.
        path: PathBuf,
        /// What cannot be.
        what: &'static str,
    },
    /// No machine of the cluster has this number.
    #[error("machine {node} is not in the cluster's list")]
    NotMember {
        /// The number.
        node: NodeId,
    },
    /// The number is another machine's, or its data directory was set up anew.
    #[error("machine {node} is known with another incarnation")]
    OtherIncarnation {
        /// The number.
        node: NodeId,
    },
    /// A user's file is not to be trusted. It is as it was; `set_aside` is what comes next.
    #[error("the file of {user} is damaged in line {line}")]
    Damaged {
        /// Whose file.
        user: UserName,
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        why: LineError,
    },
    /// Two users' files begin alike, so that one of them is a copy. Both are as they were.
    #[error(
        "{file} begins with the same line as {other}: one of the two is a copy, and which of them \
         nobody can tell from the files. Nothing of either was changed. If it was made on this machine \
         alone and others have run with it, tern check --repair {} sets both aside, and the others give \
         them back; else put back what stood there, or restore the newest backup (\"All is lost\" in \
         RUN.md)", dir.display()
    )]
    Copied {
        /// The data directory.
        dir: PathBuf,
        /// The file of one of them, from the data directory on.
        file: String,
        /// The other's.
        other: String,
    },
    /// Something stands in a file's place that is no regular file. It is left alone.
    #[error("{} is no regular file", path.display())]
    Foreign {
        /// Where.
        path: PathBuf,
    },
    /// Something else stands in a directory's place. It is left alone.
    #[error("{} is no directory: move it out of the way", path.display())]
    NoDirectory {
        /// Where.
        path: PathBuf,
    },
    /// The disk, a quota or a size limit has no room, or the file system went read-only. The file is
    /// as it was.
    #[error("no space left to write {}", path.display())]
    NoSpace {
        /// What was to be written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// What is on the disk now is not known. The file must never be written again: a second flush
    /// proves nothing, because the kernel has forgotten what it could not write.
    #[error("cannot flush {}", path.display())]
    SyncFailed {
        /// Which file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The bytes are not those of the picture whose name they were to bear. Nothing was written.
    #[error("what was to be kept as {name} is another picture")]
    NotAsNamed {
        /// The name.
        name: PictureName,
    },
    /// An earlier flush of this file failed; nothing was tried.
    #[error("the file of {user} is not written any more since a flush of it failed")]
    Retired {
        /// Whose file.
        user: UserName,
    },
    /// The file is not as long as its owner believes: nothing was written.
    #[error("the file of {user} has {found} bytes where {expected} were expected")]
    LengthDiffers {
        /// Whose file.
        user: UserName,
        /// Bytes by the caller's account.
        expected: u64,
        /// Bytes on the disk.
        found: u64,
    },
    /// More bytes than `limits::USER_FILE_BYTES_MAX`.
    #[error("{bytes} bytes are too many for the file of {user}")]
    TooLarge {
        /// Whose file.
        user: UserName,
        /// How many.
        bytes: u64,
    },
    /// What was to be appended is not one line. Nothing was written.
    #[error("cannot append to the file of {user}")]
    BadLine {
        /// Whose file.
        user: UserName,
        /// What is wrong with it.
        source: LineError,
    },
    /// No entry, or not the kind of entry that was asked for, stands at this place.
    #[error(
        "nothing of that kind stands at byte {} of the file of {user}, {} bytes long",
        place.offset, place.len
    )]
    NotAtPlace {
        /// Whose file.
        user: UserName,
        /// Where.
        place: Place,
    },
}

/// Linux's numbers for what a disk answers that cannot give back what it holds: EIO, EBADMSG and
/// EUCLEAN.
const UNREADABLE: [i32; 3] = [5, 74, 117];

impl StoreError {
    /// Of two users, by name.
    pub(super) fn copied(dir: &Path, one: &UserName, other: &UserName) -> Self {
        let of = |user| format!("{USERS}/{}", lines_name(user));
        let (file, other) = (of(one.max(other)), of(one.min(other)));
        Self::Copied { dir: dir.to_owned(), file, other }
    }

    /// Whether an error at reading says that this one file is not what was written.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::LengthDiffers { .. } | Self::TooLarge { .. } => true,
            Self::Io { source, .. } => is_unreadable(source),
            _ => false,
        }
    }

    /// What is wrong with a file, as its mark tells.
    pub fn reason(&self) -> String {
        match self {
            Self::Damaged { line, why, .. } => format!("line {line}: {why}"),
            why => why.to_string(),
        }
    }
}

/// Whether the disk does not give back what it holds.
pub fn is_unreadable(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|number| UNREADABLE.contains(&number))
}

/// Whether the system said that nothing can be written now and nothing was: full disk, used-up quota, a
/// limit on file sizes, or a file system that went read-only.
pub(super) fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge
            | io::ErrorKind::ReadOnlyFilesystem
    )
}
