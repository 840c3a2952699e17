//! How a machine whose own copy is not what its lock builds on comes by that, and how it hands what it
//! builds on to others: by the lines that a copy lacks behind what is committed in it. A lock holds for
//! less time than a long file takes to be sent, checked and written; as long as every attempt had to do
//! that, and none of them could, a user would be locked out of their account. A whole file goes where
//! such lines are not found near the end of it.

use std::sync::Arc;

use super::lock::{LockError, UserGuard, Writing};
use super::replicas::{Body, apply_line};
use crate::id::{Hash128, NodeId};
use crate::replica::acceptor::Proposal;
use crate::replica::coordinator::Holding;
use crate::replica::version::Version;
use crate::user::User;
use crate::wire::message::PROTO_LINES;

/// The lines of a base that this machine's own copy lacks.
pub(super) struct Lacked {
    /// Behind which version they follow, and its chain hash: zero where they are the whole file.
    after: (Version, Hash128),
    pub(super) lines: Arc<[u8]>,
}

impl UserGuard<'_> {
    /// Brings this machine's own copy up to the base, if that is known to be committed: mostly it
    /// lacks one line, and the file need be neither fetched nor put in place anew. False if it did
    /// not come about.
    pub(super) fn learn_base(&mut self) -> bool {
        let Holding { base, held_by, .. } = self.holding;
        let Some(node) = held_by.filter(|&node| node != self.cluster.members.me) else {
            return false;
        };
        if base.com != base.acc || base.acc.is_zero() {
            return false;
        }
        self.cluster.learn_until(&self.slot, (base.acc, node), self.deadline);
        let Some(at) = self.slot.at(base.acc) else { return false };
        self.own_len = at.0;
        self.built = at.1.map(Box::new);
        true
    }

    /// Gets what the lock was granted on from the member that holds it: what follows on what is committed
    /// here, or the whole file.
    pub(super) fn fetch_base(&mut self, node: NodeId) -> Result<(), LockError> {
        let base = self.holding.base;
        let mut user = User::absent(self.slot.name.clone());
        let (mut after, mut own_len, mut bytes) = Default::default();
        if let Some(granted) = self.bodies.remove(&node) {
            bytes = granted;
        } else if node == self.cluster.members.me {
            // What is left of a damaged copy.
            bytes = self.own_file().ok_or(LockError::Busy)?;
        } else if !base.acc.is_zero() {
            let stem = self.cluster.local.stem_and_user(&self.slot);
            let have = stem.as_ref().map(|(stem, _)| stem.at);
            let fetched = self.cluster.fetch(node, &self.slot.name, have, self.deadline);
            (after, bytes) = fetched.ok_or(LockError::Busy)?;
            if let Some((stem, known)) = stem.filter(|(stem, _)| stem.at == after) {
                (user, own_len) = (known, stem.len);
            }
        }
        let lacked = Lacked { after, lines: bytes.into() };
        if !base.acc.is_zero() {
            let body = self.body_of(after, Arc::clone(&lacked.lines)).ok_or(LockError::Busy)?;
            if body.last() != Some((base.acc, base.hash)) {
                return Err(LockError::Busy);
            }
            body.all_lines().iter().for_each(|line| apply_line(&mut user, line));
        }
        self.built = Some(Box::new(user));
        (self.own_len, self.lacked) = (own_len, Some(lacked));
        Ok(())
    }

    /// What this machine's own replica is given: the line, or with it all that it lacks.
    pub(super) fn own_body(&self, writing: &mut Writing, full: bool) -> Option<Body> {
        if !full {
            let Proposal { version, base, base_hash, hash, .. } = writing.proposal;
            let (line, base) = (Arc::clone(&writing.line), (base, base_hash));
            let body = Body::line(&self.slot.name, line, base, (version, hash));
            return body.inspect_err(|error| log::error!(error:%; "own line unreadable")).ok();
        }
        match &self.lacked {
            Some(lacked) => self.body_of(lacked.after, joined(&lacked.lines, &writing.line)),
            None => self.body_of((Version::ZERO, Hash128::default()), self.whole(writing)?),
        }
    }

    /// What a peer is given that lacks more than the line: behind which version it begins, if it is not
    /// the whole file, and its bytes.
    pub(super) fn body_for(
        &self,
        peer: NodeId,
        writing: &mut Writing,
    ) -> Option<(Option<Version>, Arc<[u8]>)> {
        let is_taken = self.cluster.members.proto(peer) >= PROTO_LINES;
        let after = self.needs.get(&peer).copied();
        let after = after.filter(|after| is_taken && !after.is_zero());
        if let Some(after) = after
            && let Some(lines) = self.base_behind(after)
        {
            return Some((Some(after), joined(&lines, &writing.line)));
        }
        Some((None, self.whole(writing)?))
    }

    /// The lines of the base behind a version; `None` if that is not found near its end.
    fn base_behind(&self, after: Version) -> Option<Vec<u8>> {
        let lacked = self.lacked.as_ref();
        let lines = lacked.map_or(&[][..], |lacked| &lacked.lines);
        if lacked.is_some_and(|lacked| lacked.after.0 == after) {
            return Some(lines.to_vec());
        }
        if let Some((at, _)) = super::tail::joint_in(lines, after) {
            return lines.get(at..).map(<[u8]>::to_vec);
        }
        let mut found = self.cluster.local.lines_within(&self.slot, self.own_len, after)?;
        found.extend_from_slice(lines);
        Some(found)
    }

    /// The whole file with the line at its end.
    fn whole(&self, writing: &mut Writing) -> Option<Arc<[u8]>> {
        if writing.whole.is_none() {
            let mut bytes = Vec::new();
            if self.own_len > 0 {
                let len = usize::try_from(self.own_len).ok()?;
                bytes.extend_from_slice(self.own_file()?.get(..len)?);
            }
            if let Some(lacked) = &self.lacked {
                bytes.extend_from_slice(&lacked.lines);
            }
            writing.whole = Some(joined(&bytes, &writing.line));
        }
        writing.whole.clone()
    }

    fn own_file(&self) -> Option<Vec<u8>> {
        let name = &self.slot.name;
        let read = self.cluster.local.file(&self.slot);
        let read =
            read.inspect_err(|error| log::error!(user:% = name, error:%; "own file not read"));
        read.ok().map(|(_, bytes)| bytes)
    }

    /// These bytes as what they are: lines behind a version, or a whole file.
    fn body_of(&self, after: (Version, Hash128), bytes: Arc<[u8]>) -> Option<Body> {
        let body = Body::after(&self.slot.name, bytes, after);
        body.inspect_err(|error| log::warn!(error:%; "lines to build on are unreadable")).ok()
    }
}

fn joined(before: &[u8], line: &[u8]) -> Arc<[u8]> {
    [before, line].concat().into()
}
