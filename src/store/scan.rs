//! A whole file: its lines one after the other, each checked against the one before, and how it
//! ends. Pure; the file comes in pieces of one line, so that a big one needs no second copy.
//!
//! How a file may end (PROTOCOL, section 8):
//!
//! ```text
//!   …good line\n                                        whole
//!   …good line\n{"v":"1.4.2                             torn: never flushed, so never acknowledged
//!   …good line\n{"v":"1.4.\0\0\0\0\0\0…,"c":"…"}\n      torn: a block of it never arrived
//!   …good line\n{"v":"1.4#2.1.7"…,"c":"…"}\n            damaged, like any bad line further up
//! ```

use super::line::{Kind, Line, LineError, check_chain, decode};
use crate::id::Hash128;
use crate::limits::LINE_BYTES_MAX;
use crate::replica::version::Version;

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
}

impl Chain {
    /// Takes the next line; `bytes` are those it was decoded from. Nothing changes on an error.
    ///
    /// # Errors
    /// [`LineError::Base`], [`LineError::Hash`] or [`LineError::AfterTombstone`].
    pub fn follow(&mut self, line: &Line, bytes: &[u8]) -> Result<(), LineError> {
        check_chain(line, bytes, self.version, self.hash)?;
        if self.left && line.kind != Kind::Identity {
            return Err(LineError::AfterTombstone);
        }
        *self = Self {
            version: line.version,
            hash: line.hash,
            com: self.com.max(line.com),
            left: self.left || line.kind == Kind::Tombstone,
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
    /// Good lines.
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
        if piece.len() > LINE_BYTES_MAX {
            return false;
        }
        match piece.split_last() {
            // JSON has no NUL; a file system shows them where a block never reached the disk.
            Some((b'\n', inside)) => inside.contains(&0),
            None | Some((0, _)) => true,
            // All is there and one byte reads otherwise: the line was flushed, its end rotted.
            Some((_, inside)) => {
                let ended = [inside, b"\n"].concat();
                next_line(&mut self.chain.clone(), &ended, self.good_len).is_err()
            }
        }
    }
}

fn next_line(chain: &mut Chain, piece: &[u8], offset: u64) -> Result<Line, LineError> {
    let line = decode(piece, offset)?;
    chain.follow(&line, piece)?;
    Ok(line)
}
