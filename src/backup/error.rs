//! What can be wrong with a backup.

use std::fmt;
use std::io;

use crate::store::StoreError;
use crate::store::line::LineError;

/// Why a backup cannot be read to its end. Nothing behind that place is known.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The system does not give it.
    #[error("cannot read the backup")]
    Read(#[source] io::Error),
    /// It ends too early.
    #[error("it ends after {at} bytes, in the middle: it was cut off")]
    CutOff {
        /// How long it is.
        at: u64,
    },
    /// Bytes that are not those that were written.
    #[error("it is damaged at byte {at}: {what}")]
    Damaged {
        /// Where the block begins that is wrong.
        at: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Well-formed, but nothing that this program writes.
    #[error("this is no backup that tern made: {0}")]
    Foreign(String),
    /// Made by a newer program.
    #[error("it was made by a newer version of this program ({0})")]
    Newer(String),
    /// What was read could not be put where it belongs.
    #[error("cannot restore")]
    Taken(#[from] StoreError),
}

impl BackupError {
    /// Whether the backup cannot be used by this program at all, however whole it is.
    pub const fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign(_) | Self::Newer(_))
    }
}

/// What is wrong inside a backup that could be read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Which file of it.
    pub file: String,
    /// What is wrong.
    pub why: Why,
}

/// See [`Flaw`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A line of a user's file.
    #[error("damaged in line {line}: {why}")]
    Line {
        /// Which, counted from 1.
        line: u64,
        /// What is wrong with it.
        why: LineError,
    },
    /// A user's file without its end.
    #[error("its last line is cut off")]
    Torn,
    /// A file without a line.
    #[error("there is nothing in it")]
    Empty,
    /// A picture whose name is that of other bytes.
    #[error("it is not the picture of that name")]
    Picture,
    /// Not what the manifest says.
    #[error("it is not the file that the manifest tells of")]
    Differs,
    /// Not in the manifest.
    #[error("the manifest does not name it")]
    Unlisted,
    /// In the manifest alone.
    #[error("the manifest names it, and it is not there")]
    Missing,
    /// The manifest.
    #[error("row {row} is not what was written")]
    Row {
        /// Which, counted from 1.
        row: u64,
    },
    /// The manifest's hash of itself.
    #[error("its rows are not those that were written")]
    Rows,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.why)
    }
}
