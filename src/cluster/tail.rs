//! The lines that somebody lacks at the end of a file: mostly few, while the file is long. A lock holds for
//! less time than reading all of it takes.

use super::body::Body;
use super::replicas::{Replicas, Slot};
use crate::id::Hash128;
use crate::limits::FETCH_TAIL_BYTES;
use crate::replica::State;
use crate::replica::version::Version;
use crate::store::line::{self, Kind};

impl Replicas {
    /// The lines of a user's file behind `have`, and what the file is. `None` where that is not found near
    /// its end, cannot be read, or does not lead to what was written: then the whole file is to be looked at.
    pub(super) fn lines_behind(
        &self,
        slot: &Slot,
        have: (Version, Hash128),
    ) -> Option<(State, Vec<u8>)> {
        // What is read stays what it is as long as the replica is not stepped.
        let replica = slot.lock();
        let state = replica.acceptor.state();
        if have == (state.acc, state.hash) {
            return Some((state, Vec::new()));
        }
        let mut tail = self.store.read_tail(&slot.name, replica.len, FETCH_TAIL_BYTES).ok()?;
        tail.drain(..begin_behind(&tail, have.0)?);
        // From what is had the hashes lead to what was written: no byte is another, whatever came before.
        let lines = Body::lines(&slot.name, tail.as_slice().into(), have).ok()?;
        (lines.last() == Some((state.acc, state.hash))).then_some((state, tail))
    }
}

/// Where the lines begin that follow on `version`; `None` if not in this end of a file, which may begin
/// within a line.
fn begin_behind(tail: &[u8], version: Version) -> Option<usize> {
    let mut end = tail.len();
    while end > 0 {
        let before = tail.get(..end)?;
        let begin = memchr::memrchr(b'\n', before.get(..end - 1)?).map_or(0, |at| at + 1);
        let line = line::decode(before.get(begin..)?, 0).ok()?;
        if matches!(line.kind, Kind::Snapshot(_)) || line.base < version {
            return None;
        }
        if line.base == version {
            return Some(begin);
        }
        end = begin;
    }
    None
}
