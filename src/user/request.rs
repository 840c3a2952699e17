//! The requests that a user's file has answered: what makes sending a form twice harmless.

use std::fmt;
use std::str::FromStr;

use super::User;
use crate::id::{Hash128, PostId, RequestId, RequestKey, serde_as_text};
use crate::limits::REQUESTS_KEPT;

/// A request that this file answered, so that sending it again gets the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The request's id.
    pub id: RequestId,
    /// What it asked, so that another act under the same id is noticed.
    pub digest: Hash128,
    /// What it got.
    pub result: Receipt,
}

/// What a request that was done got. A type and not a text: a thousand are kept for each user, so
/// none may need an allocation. As text it is empty, a post's number, or `ended:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Receipt {
    /// Nothing beyond its having been done.
    #[default]
    Done,
    /// It made this post.
    Post(PostId),
    /// It ended so many other sessions.
    SessionsEnded(u32),
}

/// A string that is no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a receipt is empty, a post's number, or ended:N")]
pub struct ReceiptError;

/// What a user's file knows about a request that has come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It was never answered here: do it.
    New,
    /// It was done, and got this.
    Same(Receipt),
    /// Another act was done under its id.
    Conflict,
    /// Too many were answered since its form was drawn to tell whether it was: never do it.
    Expired,
}

impl Receipt {
    /// The post that was made.
    pub const fn post(self) -> Option<PostId> {
        match self {
            Self::Post(id) => Some(id),
            Self::Done | Self::SessionsEnded(_) => None,
        }
    }

    /// How many other sessions were ended.
    pub const fn sessions_ended(self) -> u32 {
        match self {
            Self::SessionsEnded(count) => count,
            Self::Done | Self::Post(_) => 0,
        }
    }
}

impl User {
    /// Counts an answered request and remembers it, forgetting the oldest beyond
    /// [`REQUESTS_KEPT`].
    pub fn record(&mut self, request: Recorded) {
        // Saturating, because a file states the count it starts from: it must not be able to stop us.
        self.ops = self.ops.saturating_add(1);
        if self.requests.len() == REQUESTS_KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
        self.assert_invariants();
    }

    /// Takes over the count that a compacted file states: it has forgotten the older requests, but
    /// not how many they were. The count never falls.
    pub fn raise_ops(&mut self, ops: u64) {
        self.ops = self.ops.max(ops);
    }

    /// The answered request of that id, if it is among the last [`REQUESTS_KEPT`].
    pub fn request(&self, id: &RequestId) -> Option<&Recorded> {
        // From the end: what is sent again was mostly sent a moment ago.
        self.requests.iter().rev().find(|request| request.id == *id)
    }

    /// Whether a request was answered already. `digest` is what it asks now.
    ///
    /// A form drawn when `key.ops` requests were recorded can itself be at the earliest number
    /// `key.ops + 1`, so it is in the window unless more than [`REQUESTS_KEPT`] came since. A count
    /// above ours comes from a form that could not know it and expires nothing.
    /// Source: PROTOCOL.md, section 6.
    pub fn seen(&self, key: RequestKey, digest: Hash128) -> Seen {
        match self.request(&key.id) {
            Some(done) if done.digest == digest => Seen::Same(done.result),
            Some(_) => Seen::Conflict,
            None if self.ops.saturating_sub(key.ops) > REQUESTS_KEPT as u64 => Seen::Expired,
            None => Seen::New,
        }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => Ok(()),
            Self::Post(id) => id.fmt(f),
            Self::SessionsEnded(count) => write!(f, "ended:{count}"),
        }
    }
}

impl FromStr for Receipt {
    type Err = ReceiptError;
    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        match text.strip_prefix("ended:") {
            Some(count) => count.parse().map(Self::SessionsEnded).map_err(|_| ReceiptError),
            None if text.is_empty() => Ok(Self::Done),
            None => text.parse().map(Self::Post).map_err(|_| ReceiptError),
        }
    }
}
serde_as_text!(Receipt);
