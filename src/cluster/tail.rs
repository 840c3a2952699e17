//! The lines that somebody lacks at the end of a file: mostly few, while the file is long. A lock holds for
//! less time than reading all of it takes.

use std::borrow::Cow;

use super::body::Body;
use super::replicas::{Replicas, Slot};
use super::slot::Replica;
use crate::id::{Hash128, UserName};
use crate::limits::FETCH_TAIL_BYTES;
use crate::replica::State;
use crate::replica::version::Version;
use crate::store::line;
use crate::user::User;

/// The committed part of a copy: it is the same in all copies, whatever follows on it here.
pub(super) struct Stem {
    /// The version that it ends in, and its chain hash.
    pub(super) at: (Version, Hash128),
    /// How many bytes of the file it is.
    pub(super) len: u64,
}

/// Lines as a copy takes them.
pub(super) struct Fitted<'a> {
    pub(super) body: Cow<'a, Body>,
    /// Where the copy goes on otherwise, what it keeps: the version that ends there, and its bytes.
    pub(super) keeps: Option<(Version, u64)>,
}

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
        let lines = self.lines_within(slot, replica.len, have.0)?;
        // From what is had the hashes lead to what was written: no byte is another, whatever came before.
        let body = Body::lines(&slot.name, lines.as_slice().into(), have).ok()?;
        (body.last() == Some((state.acc, state.hash))).then_some((state, lines))
    }

    /// The lines within the first `len` bytes of a user's file that follow on `after`, which may be none.
    /// `None` if that is not found near their end.
    pub(super) fn lines_within(&self, slot: &Slot, len: u64, after: Version) -> Option<Vec<u8>> {
        let mut tail = self.read_end(&slot.name, len)?;
        let (at, _) = joint_in(&tail, after)?;
        tail.drain(..at);
        Some(tail)
    }

    /// The chain hash of a version that stands in a user's file, near its end.
    pub(super) fn hash_at(&self, slot: &Slot, version: Version) -> Option<Hash128> {
        self.joint(&slot.name, &slot.lock(), version).map(|(_, hash)| hash)
    }

    /// The committed part of a user's file, if it ends near the end of that.
    pub(super) fn stem(&self, slot: &Slot) -> Option<Stem> {
        self.stem_of(&slot.name, &slot.lock())
    }

    /// The same, and the user as it tells. `None` also while more is shown: the file was damaged, and the
    /// rest is on its way back.
    pub(super) fn stem_and_user(&self, slot: &Slot) -> Option<(Stem, User)> {
        let replica = slot.lock();
        let stem = self.stem_of(&slot.name, &replica)?;
        if replica.shown() != stem.at.0 {
            return None;
        }
        let user = slot.view().clone();
        Some((stem, user))
    }

    /// How lines fit onto a copy; `None` if they do not follow on anything that is there for good.
    pub(super) fn fitted<'a>(
        &self,
        slot: &Slot,
        replica: &Replica,
        body: &'a Body,
    ) -> Option<Fitted<'a>> {
        let State { acc, hash, .. } = replica.acceptor.state();
        if let Some(body) = body.behind((acc, hash)) {
            return Some(Fitted { body, keeps: None });
        }
        // What is not committed may have been overtaken by another's write.
        let Stem { at, len } = self.stem_of(&slot.name, replica)?;
        Some(Fitted { body: body.behind(at)?, keeps: Some((at.0, len)) })
    }

    fn stem_of(&self, name: &UserName, replica: &Replica) -> Option<Stem> {
        let com = replica.acceptor.state().com;
        if com.is_zero() {
            return None;
        }
        let (len, hash) = self.joint(name, replica, com)?;
        Some(Stem { at: (com, hash), len })
    }

    /// Where in a file a version ends, and its chain hash.
    fn joint(
        &self,
        name: &UserName,
        replica: &Replica,
        version: Version,
    ) -> Option<(u64, Hash128)> {
        let State { acc, hash, .. } = replica.acceptor.state();
        if version == acc {
            return Some((replica.len, hash));
        }
        let tail = self.read_end(name, replica.len)?;
        let (at, hash) = joint_in(&tail, version)?;
        Some((replica.len - (tail.len() - at) as u64, hash))
    }

    fn read_end(&self, name: &UserName, len: u64) -> Option<Vec<u8>> {
        let read = self.store.read_tail(name, len, FETCH_TAIL_BYTES);
        read.inspect_err(|error| log::error!(user:% = name, error:%; "end of file not read")).ok()
    }
}

/// Where in the end of a file, which may begin within a line, `version` ends, and its chain hash.
pub(super) fn joint_in(tail: &[u8], version: Version) -> Option<(usize, Hash128)> {
    let mut end = tail.len();
    while end > 0 {
        let before = tail.get(..end)?;
        let begin = memchr::memrchr(b'\n', before.get(..end - 1)?).map_or(0, |at| at + 1);
        let line = line::decode(before.get(begin..)?, 0).ok()?;
        if line.version <= version {
            return (line.version == version).then_some((end, line.hash));
        }
        end = begin;
    }
    None
}
