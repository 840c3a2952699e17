//! What a look at a data directory finds, and what becomes of it.

use serde::Serialize;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which file, from the data directory on; empty for the directory itself.
    pub file: String,
    /// What kind of thing it is.
    pub kind: Kind,
    /// In which line, counted from 1, if it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// In words.
    pub what: String,
}

/// See [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A write that was cut off, and that nobody was told of as saved.
    TornEnd,
    /// A line that is not what was written.
    DamagedLine,
    /// A file that the disk does not give, or that is too long.
    Unreadable,
    /// A picture that is not what its name says: the running machine fetches it anew.
    DamagedPicture,
    /// A picture that a post refers to, and that is not there: the running machine fetches it.
    MissingPicture,
    /// What a crash leaves of a file that was being replaced.
    LeftOver,
    /// A file that was set aside, and is not rebuilt from the other machines yet.
    Marked,
    /// A user's file without a line.
    Empty,
    /// A user's file that begins as another one does, so that one of the two is a copy.
    Copied,
    /// The cluster's key, which no start takes as it is.
    Key,
    /// Something that this program did not put there.
    Foreign,
    /// A file of a user's by its content or place, under a name that no start looks at.
    WrongName,
    /// A file or directory that others may read.
    WrongMode,
    /// A file or directory of another account than the data directory is of.
    WrongOwner,
    /// The same, which each start must read and the account that the data directory is of cannot.
    Denied,
    /// A file of a list of members that `node.json` does not know.
    Ahead,
    /// Written by a newer program.
    Newer,
    /// No `node.json`, one that makes no sense, or one without what it belongs to.
    Identity,
    /// Part of a backup, whose restoring was interrupted.
    Unfinished,
    /// Something else stands where a directory must be.
    NoDirectory,
    /// Something else stands where a file must be that each start reads.
    NoFile,
}

/// What becomes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mend {
    /// The next start mends it, and so does [`repair`].
    Start,
    /// The running machine mends it, with what the others hold.
    Running,
    /// The same; and [`repair`] sets aside what is there.
    Aside,
    /// Someone has to.
    Hand,
    /// No start succeeds before [`repair`](super::check::repair) was called, where other machines hold what
    /// it sets aside; else as [`Self::Unusable`].
    Repair,
    /// No start succeeds before someone has mended it.
    Unusable,
}

impl Kind {
    /// What becomes of it.
    pub const fn mend(self) -> Mend {
        match self {
            Self::TornEnd | Self::DamagedLine | Self::Unreadable | Self::LeftOver => Mend::Start,
            Self::DamagedPicture => Mend::Aside,
            Self::Marked | Self::Ahead | Self::MissingPicture => Mend::Running,
            Self::Empty | Self::Foreign | Self::WrongName | Self::WrongMode | Self::WrongOwner => {
                Mend::Hand
            }
            Self::Copied => Mend::Repair,
            Self::Key
            | Self::Newer
            | Self::Identity
            | Self::Unfinished
            | Self::NoDirectory
            | Self::NoFile
            | Self::Denied => Mend::Unusable,
        }
    }
}
