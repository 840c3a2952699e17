//! What a machine holds in memory about one user: everything but the texts, which stay in the file.
//!
//! Pure: no file, no clock, no thread. A `User` changes through [`User::apply`] alone, on the machine
//! that coordinated the write, on those that received it and at start, so that all agree.
//!
//! Invariants:
//! - `posts` is sorted by id, without repetition;
//! - `requests` holds the last `limits::REQUESTS_KEPT` at most, oldest first; `ops` counts all ever;
//! - once `Left`, nothing but the name, the time and the requests remains.

pub mod entry;

use std::collections::{BTreeSet, VecDeque};

use crate::clock::Wall;
use crate::id::{Hash128, PostId, RequestId, UserName};
use entry::{PostRef, SessionId};

/// Where an entry's JSON stands in the user's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Bytes from the file's start.
    pub offset: u64,
    /// Bytes of the entry.
    pub len: u32,
}

/// One user as their file tells.
#[derive(Debug, Clone)]
pub struct User {
    /// Whose file.
    pub name: UserName,
    /// Whether there is an account.
    pub status: Status,
    /// When the account was made; the epoch while there is none.
    pub joined_at: Wall,
    /// The name shown.
    pub display_name: String,
    /// What the user says of themselves.
    pub bio: String,
    /// The password's PHC string.
    pub password: String,
    /// Sessions that nobody has ended, oldest first.
    pub sessions: Vec<Session>,
    /// Whom this user follows.
    pub follows: BTreeSet<UserName>,
    /// The posts that still stand, by id.
    pub posts: Vec<Post>,
    /// The highest post id ever given here, deleted posts included.
    pub post_id_max: Option<PostId>,
    /// How many requests were ever recorded.
    pub ops: u64,
    /// The last of them with what they got, oldest first.
    pub requests: VecDeque<Recorded>,
}

/// Whether a name has an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody has taken this name.
    Absent,
    /// An account.
    Active,
    /// An account that was deleted at this time.
    Left(Wall),
}

/// A place where the user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The hash of its token.
    pub id: SessionId,
    /// Since when.
    pub opened_at: Wall,
    /// What the browser called itself.
    pub device: String,
    /// The network address it came from.
    pub address: String,
}

/// A post without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its number.
    pub id: PostId,
    /// Where its entry stands.
    pub place: Place,
    /// What it answers.
    pub reply_to: Option<Box<PostRef>>,
}

/// A request that this file answered, so that sending it again gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The request's id.
    pub id: RequestId,
    /// What it asked, so that another act under the same id is noticed.
    pub digest: Hash128,
    /// What it got: a post's number, or nothing.
    pub result: String,
}
