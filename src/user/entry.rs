//! Everything that can stand in a user's file.

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::id::{PostId, UserName};

/// Names one post: its author and its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PostRef {
    /// Who wrote it.
    pub user: UserName,
    /// Its number.
    pub id: PostId,
}

/// One change of one user, with its time. In the file `{"e":"posted","at":…,…}`.
///
/// Fields that this version does not know are kept, because lines are moved as bytes and never
/// written anew; a kind that it does not know makes the line unreadable to it, which is why new
/// kinds need every machine's consent first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub enum Entry {
    /// The account was made.
    Joined {
        /// When.
        at: Wall,
    },
    /// The profile reads so from now on.
    Profile {
        /// When.
        at: Wall,
        /// The name shown, 1 to 40 characters.
        display_name: String,
        /// What the user says of themselves, up to 200 characters.
        bio: String,
    },
    /// The password is this one from now on.
    Password {
        /// When.
        at: Wall,
        /// A PHC string, Argon2id.
        hash: String,
    },
    /// Somebody signed in.
    SessionOpened {
        /// When.
        at: Wall,
        /// Which session.
        id: SessionId,
        /// What the browser calls itself, up to 200 characters.
        device: String,
        /// From which network address.
        address: String,
    },
    /// A session ended.
    SessionClosed {
        /// When.
        at: Wall,
        /// Which one.
        id: SessionId,
    },
    /// A post or a reply.
    Posted {
        /// When.
        at: Wall,
        /// Its number.
        id: PostId,
        /// Its text, 1 to 500 characters, line ends as `\n`.
        text: String,
        /// What it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<PostRef>,
    },
    /// A post was taken back.
    PostDeleted {
        /// When.
        at: Wall,
        /// Which one.
        id: PostId,
    },
    /// This user follows another.
    Followed {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// This user no longer follows another.
    Unfollowed {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// This user wants to see nothing of another.
    Muted {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// Not any more.
    Unmuted {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// This user wants nothing to do with another, either way.
    Blocked {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// Not any more.
    Unblocked {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// The account was deleted; nothing follows this entry.
    Left {
        /// When.
        at: Wall,
    },
}

/// The SHA-256 of a session's token, in 64 hexadecimal digits: what the file keeps, so that a stolen
/// disk opens no session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub String);
