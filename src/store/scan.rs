//! A whole file: its lines one after the other, each checked against the one before, and how it
//! ends. Pure; the file comes in pieces of one line, so that a big one needs no second copy.
//!
//! How a file may end (PROTOCOL, section 8):
//!
//! ```text
//!   …good line\n                                        whole
//!   …good line\n{"v":"1.4.2                             torn: never flushed, so never acknowledged
//!   …good line\n{"v":"1.4.\0\0\0\0\0\0…,"c":"…"}\n      torn: a whole block of it never arrived
//!   …good line\n{"v":"1.4.2.1.7",\0"c":"…"}\n           damaged: no disk leaves out a single byte
//!   …good line\n{"v":"1.4#2.1.7"…,"c":"…"}\n            damaged, like any bad line further up
//!   {"v":"1.4.2.1.7","p":"0","k":"s"…                  damaged: snapshots are never appended
//! ```

use super::line::{Kind, Line, LineError, Part, check_chain, decode};
use super::snapshot::is_part;
use crate::id::Hash128;
use crate::limits::{LINE_BYTES_MAX, REQUESTS_KEPT};
use crate::replica::version::Version;
use crate::user::entry::Entry;

/// The least that a disk writes or does not write: a piece of a file that never arrived is zeros from
/// one multiple of this to the next.
const BLOCK_BYTES: usize = 512;

/// The state of a file after some of its lines. The default is that of no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chain {
    /// The version of the last line.
    pub version: Version,
    /// Its chain hash.
    pub hash: Hash128,
    /// The highest version that the lines say is committed.
    pub com: Version,
    /// Whether the account was deleted: only identities may follow.
    pub left: bool,
    /// The last part of a snapshot of which more must come: nothing before is a state.
    pub open: Option<Part>,
}

impl Chain {
    /// Takes the next line; `bytes` are those it was decoded from. Nothing changes on an error.
    ///
    /// # Errors
    /// [`LineError::Base`], [`LineError::Hash`], [`LineError::AfterTombstone`] or
    /// [`LineError::Snapshot`].
    pub fn follow(&mut self, line: &Line, bytes: &[u8]) -> Result<(), LineError> {
        if let Kind::Snapshot(part) = line.kind {
            return self.follow_part(line, part);
        }
        if self.open.is_some() {
            return Err(LineError::Snapshot);
        }
        check_chain(line, bytes, self.version, self.hash)?;
        if self.left && line.kind != Kind::Identity {
            return Err(LineError::AfterTombstone);
        }
        *self = Self {
            version: line.version,
            hash: line.hash,
            com: self.com.max(line.com),
            left: self.left || line.kind == Kind::Tombstone,
            open: None,
        };
        Ok(())
    }

    /// A snapshot's hash is that of the lines it took the place of, so nothing here can prove it:
    /// whoever wrote it had checked them.
    fn follow_part(&mut self, line: &Line, part: Part) -> Result<(), LineError> {
        let is_next = match self.open {
            None => self.version.is_zero() && part.number == 1,
            Some(before) => {
                part == Part { number: before.number + 1, ..before }
                    && (self.version, self.hash) == (line.version, line.hash)
                    && line.requests.is_empty()
            }
        };
        // The requests all stand in the first part.
        let asked = line.requests.len();
        if !is_next || asked > REQUESTS_KEPT || asked as u64 > part.ops {
            return Err(LineError::Snapshot);
        }
        *self = Self {
            version: line.version,
            hash: line.hash,
            com: line.version,
            left: matches!(line.entries.last(), Some((Entry::Left { .. }, _))),
            open: (!part.is_last()).then_some(part),
        };
        Ok(())
    }
}

/// How a file ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With a good line, or there is nothing in it.
    Whole,
    /// With bytes that were never flushed; to be cut off.
    Torn {
        /// How many.
        bytes: u64,
    },
    /// With a line that is not what was written, or not in its place. Not to be trusted.
    Damaged {
        /// Which, counted from 1.
        line_number: u64,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        why: LineError,
    },
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Good lines; none while a snapshot is incomplete.
    pub lines: u64,
    /// Bytes of them.
    pub good_len: u64,
    /// The state after them.
    pub chain: Chain,
    /// What stands behind them.
    pub end: End,
}

/// Reads a file's bytes and shows each good line to `visit`, in order. Where the file turns out to
/// be damaged, the lines before the damage were shown already.
pub fn scan(bytes: &[u8], visit: &mut dyn FnMut(Line)) -> Scan {
    let mut scanner = Scanner::default();
    for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
        if let Some(line) = scanner.feed(piece) {
            visit(line);
        }
        if scanner.is_decided() {
            break;
        }
    }
    scanner.finish()
}

/// The same for a file that is read piece by piece.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    chain: Chain,
    lines: u64,
    good_len: u64,
    bad: Option<Bad>,
}

#[derive(Debug)]
struct Bad {
    bytes: u64,
    why: LineError,
    /// Whether a write that was cut off explains it, as long as nothing follows.
    may_be_torn: bool,
}

impl Scanner {
    /// Takes the next piece: up to and with the next `\n`, or to the end of the file, or longer
    /// than any line may be.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Option<Line> {
        if let Some(bad) = &mut self.bad {
            bad.may_be_torn = false;
            return None;
        }
        match next_line(&mut self.chain, piece, self.good_len) {
            Ok(line) => {
                self.lines += 1;
                self.good_len += piece.len() as u64;
                Some(line)
            }
            Err(why) => {
                let may_be_torn = self.is_torn(piece);
                self.bad = Some(Bad { bytes: piece.len() as u64, why, may_be_torn });
                None
            }
        }
    }

    /// Whether feeding more cannot change the result.
    pub(super) fn is_decided(&self) -> bool {
        self.bad.as_ref().is_some_and(|bad| !bad.may_be_torn)
    }

    /// What the file holds, all of it having been fed.
    pub(super) fn finish(self) -> Scan {
        if self.chain.open.is_some() {
            // What was seen of it is no state, and it stands at the head: nothing is good.
            let why = self.bad.map_or(LineError::Snapshot, |bad| bad.why);
            let end = End::Damaged { line_number: self.lines + 1, offset: self.good_len, why };
            return Scan { lines: 0, good_len: 0, chain: Chain::default(), end };
        }
        let end = match self.bad {
            None => End::Whole,
            Some(bad) if bad.may_be_torn => End::Torn { bytes: bad.bytes },
            Some(bad) => {
                End::Damaged { line_number: self.lines + 1, offset: self.good_len, why: bad.why }
            }
        };
        Scan { lines: self.lines, good_len: self.good_len, chain: self.chain, end }
    }

    /// Whether a bad piece at the very end is what a write leaves that was cut off by a crash.
    fn is_torn(&self, piece: &[u8]) -> bool {
        if piece.len() > LINE_BYTES_MAX || is_part(piece) {
            return false;
        }
        if lacks_block(piece, self.good_len) {
            return true;
        }
        match piece.split_last() {
            None => true,
            Some((b'\n', _)) => false,
            // All is there and one byte reads otherwise: the line was flushed, its end rotted.
            Some((_, inside)) => {
                let ended = [inside, b"\n"].concat();
                next_line(&mut self.chain.clone(), &ended, self.good_len).is_err()
            }
        }
    }
}

/// Whether a block of this line, which begins at `offset`, never reached the disk: JSON has no NUL,
/// and a file system shows them there. Of the first block only what belongs to the line is looked at:
/// what was in it before had arrived. A rotten byte that reads as NUL fills no block.
fn lacks_block(line: &[u8], offset: u64) -> bool {
    let into = usize::try_from(offset % BLOCK_BYTES as u64).unwrap_or_default();
    let (first, others) = line.split_at(line.len().min(BLOCK_BYTES - into));
    let is_zero = |block: &[u8]| !block.is_empty() && block.iter().all(|&byte| byte == 0);
    is_zero(first) || others.chunks(BLOCK_BYTES).any(is_zero)
}

fn next_line(chain: &mut Chain, piece: &[u8], offset: u64) -> Result<Line, LineError> {
    let line = decode(piece, offset)?;
    chain.follow(&line, piece)?;
    Ok(line)
}
