//! The requests that a user's file has answered: what makes sending a form twice harmless.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use super::User;
use crate::id::{Hash128, PostId, RequestId, RequestKey, serde_as_text};
use crate::limits::{LIST_GROWTH_PART, REQUESTS_KEPT, REQUESTS_LEAST, REQUESTS_MS};

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

/// What a request that was done got. A type and not a text: many are kept for each user, so none may
/// need an allocation. As text it is empty, a post's number, or `ended:N`.
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

/// What was done under a request's id is another act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherAct;

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

/// A [`Recorded`] as it is kept: 33 bytes and not 48, because everybody has some. Half of the digest is
/// enough to notice another act under one's own key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Packed {
    id: RequestId,
    digest: [u8; 8],
    kind: u8,
    number: [u8; 8],
}

const _: () = assert!(size_of::<Packed>() == 33);

impl Packed {
    const DONE: u8 = 0;
    const POST: u8 = 1;
    const ENDED: u8 = 2;

    fn of(request: &Recorded) -> Self {
        let (kind, number) = match request.result {
            Receipt::Done => (Self::DONE, 0),
            Receipt::Post(id) => (Self::POST, id.get()),
            Receipt::SessionsEnded(count) => (Self::ENDED, u64::from(count)),
        };
        let (id, digest) = (request.id, Self::half(request.digest));
        Self { id, digest, kind, number: number.to_be_bytes() }
    }

    fn half(digest: Hash128) -> [u8; 8] {
        digest.0.first_chunk().copied().unwrap_or_default()
    }

    fn result(&self) -> Receipt {
        let number = u64::from_be_bytes(self.number);
        match self.kind {
            Self::POST => Receipt::Post(PostId::from_raw(number)),
            // It was a `u32`.
            Self::ENDED => Receipt::SessionsEnded(u32::try_from(number).unwrap_or(u32::MAX)),
            _ => Receipt::Done,
        }
    }
}

/// The last requests that a user's file has answered, oldest first. The file itself keeps the last
/// [`REQUESTS_KEPT`]; in memory are of these only
/// - the last [`REQUESTS_LEAST`], and
/// - those that are not [`REQUESTS_MS`] older than the last post.
///
/// Nothing says when a request was answered but the number of the post that it made: what came before
/// that is not younger. So only posts make older requests forgotten, no clock is asked, and every
/// machine forgets alike, also one that reads a compacted file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requests(VecDeque<Packed>);

impl Requests {
    /// None.
    pub(super) const fn none() -> Self {
        Self(VecDeque::new())
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push(&mut self, request: &Recorded) {
        if let Receipt::Post(id) = request.result {
            self.forget_before(id.at_ms().saturating_sub(REQUESTS_MS));
        }
        if self.len() == REQUESTS_KEPT {
            self.0.pop_front();
        }
        // As in `make_room`: doubling would take the memory of all again after a start.
        if self.len() == self.0.capacity() {
            self.0.reserve_exact(1 + self.len() / LIST_GROWTH_PART);
        }
        self.0.push_back(Packed::of(request));
    }

    /// Forgets what was answered before that time, but for the last ones. One more comes in after this.
    fn forget_before(&mut self, ms: u64) {
        while let Some(surplus) = (self.len() + 1).checked_sub(REQUESTS_LEAST) {
            let made = self.0.iter().position(|request| request.kind == Packed::POST);
            let Some(made) = made.filter(|_| surplus > 0) else { return };
            let post = self.0.get(made).and_then(|request| request.result().post());
            if post.is_none_or(|post| post.at_ms() >= ms) {
                return;
            }
            self.0.drain(..surplus.min(made + 1));
        }
    }

    /// All but the last are forgotten.
    pub(super) fn keep_last(mut self) -> Self {
        self.0.drain(..self.len().saturating_sub(1));
        self.0.shrink_to_fit();
        self
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.0.shrink_to_fit();
    }
}

impl User {
    /// Counts an answered request and remembers it, forgetting older ones as [`Requests`] says.
    pub fn record(&mut self, request: Recorded) {
        // Saturating, because a file states the count it starts from: it must not be able to stop us.
        self.ops = self.ops.saturating_add(1);
        self.requests.push(&request);
        self.assert_invariants();
    }

    /// Takes over the count that a compacted file states: it has forgotten the older requests, but
    /// not how many they were. The count never falls.
    pub fn raise_ops(&mut self, ops: u64) {
        self.ops = self.ops.max(ops);
    }

    /// What the request of that id got, if it is remembered, unless another act was done under it.
    pub fn answered(&self, id: &RequestId, digest: Hash128) -> Option<Result<Receipt, OtherAct>> {
        // From the end: what is sent again was mostly sent a moment ago.
        let found = self.requests.0.iter().rev().find(|request| request.id == *id)?;
        let is_same = found.digest == Packed::half(digest);
        Some(if is_same { Ok(found.result()) } else { Err(OtherAct) })
    }

    /// The post that the request of that id made, if it is remembered, whatever it asked besides.
    pub fn made_by(&self, id: &RequestId) -> Option<PostId> {
        let found = self.requests.0.iter().rev().find(|request| request.id == *id)?;
        found.result().post()
    }

    /// Whether a request was answered already. `digest` is what it asks now.
    ///
    /// A form drawn when `key.ops` requests were recorded can itself be at the earliest number
    /// `key.ops + 1`, so it is remembered unless more came since than are. A count above ours comes from a
    /// form that could not know it and expires nothing.
    /// Source: PROTOCOL.md, section 6.
    pub fn seen(&self, key: RequestKey, digest: Hash128) -> Seen {
        match self.answered(&key.id, digest) {
            Some(Ok(result)) => Seen::Same(result),
            Some(Err(OtherAct)) => Seen::Conflict,
            None if self.ops.saturating_sub(key.ops) > self.requests.len() as u64 => Seen::Expired,
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
