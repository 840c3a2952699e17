//! A user's file: its lines, each an act of a client or a mere confirmation.

use std::sync::Arc;

use tern::id::Hash128;
use tern::replica::State;
use tern::replica::version::{Version, chain_hash};

use crate::history::{Act, Ask};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Line {
    /// The version that ends with it.
    pub(crate) version: Version,
    /// The chain hash there.
    pub(crate) hash: Hash128,
    /// What was known to be committed when it was made.
    pub(crate) com: Version,
    /// The act that it saves; none in an identity line.
    pub(crate) act: Option<Act>,
    /// Whether it ends the account.
    pub(crate) is_end: bool,
}

/// A file, or what travels of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct File(Arc<Vec<Line>>);

impl Line {
    /// The next line on `base`.
    pub(crate) fn new(version: Version, base: State, act: Option<&Ask>) -> Self {
        let (act, is_end) = match act {
            Some(Ask::Append(act)) => (Some(*act), false),
            Some(Ask::End(act)) => (Some(*act), true),
            Some(Ask::Read) | None => (None, false),
        };
        let text = version.to_string();
        let hash = chain_hash(base.hash, &[text.as_bytes(), &[act.unwrap_or(u8::MAX)]]);
        Self { version, hash, com: base.com, act, is_end }
    }
}

impl File {
    /// The same with one line more.
    pub(crate) fn with(&self, line: Line) -> Self {
        let mut lines = self.0.to_vec();
        lines.push(line);
        Self(Arc::new(lines))
    }

    /// The version and hash that it ends in.
    pub(crate) fn last(&self) -> (Version, Hash128) {
        self.0.last().map(|line| (line.version, line.hash)).unwrap_or_default()
    }

    /// The version that its last line builds on.
    pub(crate) fn before(&self) -> Version {
        let before = self.0.len().checked_sub(2).map(|at| self.0[at].version);
        before.unwrap_or_default()
    }

    /// What a start reads from it. Mirrors `Replicas::load_one`.
    pub(crate) fn state(&self) -> State {
        let (acc, hash) = self.last();
        let com = self.0.iter().map(|line| line.com).max().unwrap_or_default();
        State { acc, hash, com }
    }

    /// Whether it contains this version.
    pub(crate) fn has(&self, version: Version) -> bool {
        version.is_zero() || self.0.iter().any(|line| line.version == version)
    }

    /// Cut after `version`. Mirrors `Body::up_to`.
    pub(crate) fn up_to(&self, version: Version) -> Option<Self> {
        let end = self.0.iter().position(|line| line.version == version)? + 1;
        Some(Self(Arc::new(self.0[..end].to_vec())))
    }

    /// The acts that stand in its lines up to `version`, in order.
    pub(crate) fn acts(&self, version: Version) -> Vec<Act> {
        let lines = self.0.iter().filter(|line| line.version <= version);
        lines.filter_map(|line| line.act).collect()
    }

    /// The place of an act among all acts.
    pub(crate) fn place(&self, act: Act) -> Option<usize> {
        self.0.iter().filter_map(|line| line.act).position(|other| other == act)
    }

    /// Whether the account is ended, as its lines up to `version` tell.
    pub(crate) fn is_ended(&self, version: Version) -> bool {
        self.0.iter().any(|line| line.is_end && line.version <= version)
    }
}
