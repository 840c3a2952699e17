//! A backup: every user's file, and the pictures of posts, in one tar archive, with a list of what must be
//! in it.
//!
//! ```text
//! tern-backup/backup.json        what this is: format, when, of which cluster
//! tern-backup/users/ada.jsonl    each user's file, by name, up to what was committed when it was asked for
//! tern-backup/users/ben.jsonl
//! tern-backup/pictures/ab/ab12….jpg   each picture that a post refers to
//! tern-backup/manifest.jsonl     a row a file: path, length, SHA-256, version; last of all the rows' own hash
//! ```
//!
//! - `write` makes one while it is sent: nothing is held but one file and the rows.
//! - `read` believes nothing: whoever can put a file under the operator's hands chose its bytes. An
//!   archive has one spelling, and each byte that differs from it is found.
//!
//! Pure but for the reader and the writer that it is given: it opens no file and no socket.

mod error;
mod header;
mod manifest;
mod read;
mod write;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::id::Hash128;

pub use error::{BackupError, Flaw, Why};
pub use read::{Found, Part, Take, read};
pub use write::Writer;

/// The form described here.
pub const FORMAT: u32 = 2;
/// The form before there were pictures, in which archives are made that have none to hold: programs that
/// know no other read them.
pub const FORMAT_WITHOUT_PICTURES: u32 = 1;

/// What stands first in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Which form it has.
    pub tern_backup: u32,
    /// Which program made it.
    pub program: String,
    /// When it was begun, as people read it: RFC 3339 in UTC.
    pub made_at: String,
    /// The same, in Unix milliseconds.
    pub at: Wall,
    /// Of which cluster.
    pub cluster: Hash128,
    /// Which list of members was in force there.
    pub epoch: u32,
    /// What all its machines understood: an older program cannot read what a later one let them write.
    pub features: u32,
}
