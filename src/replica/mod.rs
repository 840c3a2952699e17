//! The lock protocol's core: one user, its acceptor and its coordinator. Deterministic: events in,
//! effects out; no socket, file, clock, thread or random source. `PROTOCOL.md` here is the
//! specification; `cluster/` is the shell that performs the effects.
//!
//! Invariants, asserted where they can be seen:
//! - a promise never falls, restart included;
//! - a version names one value: equal versions have equal chain hashes;
//! - the first write of a term builds on the highest version of a majority that promised it, each
//!   later one on the one before, so that whatever was committed is built on;
//! - an acknowledgement and a grant tell only what is on disk;
//! - yes is answered only to what a majority holds on disk.
//!
//! ```text
//!  coordinator    Idle --Begin--> Locking --m grants--> Held --Write--> Syncing --m acks--> Idle
//!                   \______ sticky: nobody superseded ____/  ^              | outpaced: Begin again
//!                                  Backing off <-- Busy -----'              | deadline: unknown
//! ```

pub mod acceptor;
pub mod barrier;
pub mod coordinator;
pub mod digest;
pub mod mistake;
pub mod quorum;
pub mod reader;
pub mod restart;
pub mod version;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::id::{Hash128, NodeId};
use crate::json::tagged;
use version::{Term, Version};

/// What a replica holds of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct State {
    /// The version on disk.
    pub acc: Version,
    /// Its chain hash.
    pub hash: Hash128,
    /// What is known to be committed.
    pub com: Version,
}

/// Why a replica does not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Refuse {
    /// Another machine holds the lock.
    Busy {
        /// Which.
        holder: NodeId,
        /// For how long at most, in milliseconds.
        left_ms: u64,
    },
    /// A higher term is promised.
    Promised {
        /// Which.
        promise: Term,
    },
    /// Another configuration of members is in force here.
    Epoch {
        /// Which.
        epoch: u32,
    },
    /// This machine has no vote on this user just now.
    NotVoting {
        /// Why.
        why: NotVoting,
    },
    /// A round so far ahead that only a mistake can have made it.
    Leap,
    /// An older version than the one held.
    Old {
        /// What is held.
        acc: Version,
    },
    /// The same base version with another hash: corruption somewhere.
    BadBase,
}

tagged!(Refuse, "is");

/// Why a machine has no vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotVoting {
    /// It does not know all its fellow members yet.
    Joining,
    /// The list of members is being changed: the old one is over, the new one not yet begun.
    Changing,
    /// This user's file is damaged, or a write to it failed.
    Damaged,
    /// Its disk is full, or what it may take of it.
    NoSpace,
    /// Its disk refuses what must be written, and not for want of room: it is read-only, say.
    Disk,
    /// A damaged file cannot be marked as such: it would be trusted at the next start.
    Unmarked,
    /// What was to be written does not go on from what is held by now.
    Overtaken,
    /// What was to be written lacks what is committed.
    Lacking,
}

impl NotVoting {
    /// Whether it is for a person to see to the machine's disk.
    pub const fn is_of_disk(self) -> bool {
        matches!(self, Self::NoSpace | Self::Disk | Self::Unmarked)
    }
}

/// What a replica says to a question about one user; bodies travel beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reply {
    /// To a lock: promised, and this is held.
    Grant {
        /// The term promised.
        term: Term,
        /// What is on disk.
        state: State,
    },
    /// To a lock: promised, but the file is damaged, so this is no vote. This much of it is intact.
    Damaged {
        /// The term promised.
        term: Term,
        /// What of the file can be read.
        state: State,
    },
    /// To a sync: on disk.
    Ack(Version),
    /// To a sync of one line: it builds on something else than this.
    Need(State),
    /// No.
    Refuse(Refuse),
    /// To a read.
    State(State),
}
