//! One line in the making: the requests it answers, and the user as the next of them shall see them.
//!
//! The entries have no place in a file yet, so the user kept here is good for planning only and is
//! thrown away with the batch; views take the line itself, once it is committed.

use crate::cluster::lock::Draft;
use crate::id::Hash128;
use crate::limits::{FOLD_REQUESTS_MAX, LINE_BYTES_MAX};
use crate::replica::version::{Term, Version};
use crate::store::line::{self, Kind, NewLine};
use crate::user::entry::Entry;
use crate::user::{Place, Recorded, User};

/// What a request wants of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// These entries in it; at least one.
    Write {
        /// What changes.
        entries: Vec<Entry>,
        /// The request, if it is to be known again.
        request: Option<Recorded>,
    },
    /// Nothing in it: a refusal, or an earlier result, that is told once what it rests on is
    /// committed.
    Tell,
}

/// A line in the making.
pub(super) struct Batch {
    user: Option<User>,
    entries: Vec<Entry>,
    requests: Vec<Recorded>,
    members: usize,
    bytes: usize,
    room: usize,
    is_closed: bool,
}

impl Batch {
    /// A batch that begins with the wish of the one who holds the lock, whatever its size. `room`:
    /// bytes that the file still takes.
    pub(super) fn new(first: Wish, room: usize) -> Self {
        let mut batch = Self {
            user: None,
            entries: Vec::new(),
            requests: Vec::new(),
            members: 0,
            bytes: 0,
            room: room.min(LINE_BYTES_MAX),
            is_closed: false,
        };
        batch.bytes = bytes_of(&first);
        batch.take(first);
        batch
    }

    /// Makes the batch ready for further requests, which plan on the user as of here.
    pub(super) fn open(&mut self, mut base: User) {
        for request in &self.requests {
            base.record(*request);
        }
        for entry in &self.entries {
            base.apply(entry, Place::default());
        }
        self.user = Some(base);
    }

    /// The user as all planned so far leaves them; none before `open`.
    pub(super) fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// Takes one more request in. False, and the batch is closed, if its entries do not fit any more.
    pub(super) fn admit(&mut self, wish: Wish) -> bool {
        let bytes = self.bytes.saturating_add(bytes_of(&wish));
        if self.is_full() || bytes > self.room {
            self.is_closed = true;
            return false;
        }
        self.bytes = bytes;
        if let (Some(user), Wish::Write { entries, request }) = (&mut self.user, &wish) {
            if let Some(request) = request {
                user.record(*request);
            }
            for entry in entries {
                user.apply(entry, Place::default());
            }
        }
        self.take(wish);
        true
    }

    fn take(&mut self, wish: Wish) {
        self.members += 1;
        if let Wish::Write { entries, request } = wish {
            self.entries.extend(entries);
            self.requests.extend(request);
        }
    }

    /// Whether nobody else may come in. Nothing may follow the end of an account.
    pub(super) fn is_full(&self) -> bool {
        self.is_closed
            || self.members >= FOLD_REQUESTS_MAX
            || self.bytes >= self.room
            || self.is_tombstone()
    }

    /// The line, if anything is to be written.
    pub(super) fn draft(&self) -> Option<Draft<'_>> {
        (!self.entries.is_empty()).then(|| Draft {
            entries: &self.entries,
            requests: &self.requests,
            is_tombstone: self.is_tombstone(),
        })
    }

    fn is_tombstone(&self) -> bool {
        Kind::of(&self.entries) == Kind::Tombstone
    }
}

/// Bytes of a line of its own for this wish, under the longest of versions: never less than what it
/// adds to a line that it shares.
fn bytes_of(wish: &Wish) -> usize {
    let Wish::Write { entries, request } = wish else { return 0 };
    let term = Term { epoch: u32::MAX, round: u64::MAX, node: u16::MAX, boot: u32::MAX };
    let base = Version { term, seq: u32::MAX - 1 };
    let new = NewLine {
        version: Version { seq: u32::MAX, ..base },
        base,
        base_hash: Hash128::default(),
        com: base,
        kind: Kind::of(entries),
        requests: request.as_slice(),
        entries,
    };
    line::encode(&new).bytes.len()
}
