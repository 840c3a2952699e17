//! What machines say to each other about the one user.

use std::fmt;

use tern::replica::acceptor::Proposal;
use tern::replica::version::{Term, Version};
use tern::replica::{Reply, State};

use crate::file::{File, Line};

/// A message. It stays in the network for as long as it can have an effect: so it may be lost, late,
/// early or doubled. A refusal is no letter: heard late, it tells nothing that the question, had it
/// come that late, would not have been told, and so it is heard at once.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Letter {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) epoch: u32,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Lock(Term),
    /// In place of a lock, by a repair that makes the mistake of only reading.
    Look(Term),
    /// A grant, or the word of a damaged copy, with its file.
    Granted(Term, Reply, File),
    Sync(Proposal, Body),
    Ack(Version),
    Unlock(Term, Version),
    /// The reading's act and how often it was begun.
    Read(u8, u8),
    Held(u8, u8, State),
    Rows(u8),
    /// Whether the teller has a vote.
    Row(u8, State, bool),
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Body {
    None,
    Line(Line),
    File(File),
}

/// As a line of a story: who says what to whom, by the machines' numbers.
impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from + 1, self.to + 1);
        write!(f, "{from} to {to}: ")?;
        match &self.what {
            What::Lock(term) => write!(f, "lock {term}"),
            What::Look(term) => write!(f, "look {term}"),
            What::Granted(term, reply, _) => {
                let is_damaged = matches!(reply, Reply::Damaged { .. });
                let word = if is_damaged { "damaged" } else { "granted" };
                let (Reply::Grant { state, .. }
                | Reply::Damaged { state, .. }
                | Reply::State(state)) = reply
                else {
                    return write!(f, "{reply:?}");
                };
                write!(f, "{word} {term}, have {} committed {}", state.acc, state.com)
            }
            What::Sync(asked, _) => {
                let kind = if asked.full { "file" } else { "line" };
                write!(f, "sync {} on {} ({kind})", asked.version, asked.base)
            }
            What::Ack(version) => write!(f, "ack {version}"),
            What::Unlock(_, com) => write!(f, "unlock, committed {com}"),
            What::Read(act, _) => write!(f, "read for act {act}"),
            What::Held(act, _, state) => {
                write!(f, "for act {act}: have {} committed {}", state.acc, state.com)
            }
            What::Rows(_) => write!(f, "rows?"),
            What::Row(_, state, has_vote) => {
                write!(f, "row: {} committed {} votes {has_vote}", state.acc, state.com)
            }
        }
    }
}
