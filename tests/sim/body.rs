//! Bytes that come with an event, checked as the shell checks them: `cluster::replicas::Body`.

use tern::id::Hash128;
use tern::replica::acceptor::Proposal;
use tern::replica::version::Version;
use tern::store::line::{self, Line};
use tern::store::scan::{self, End};
use tern::user::User;

/// What came with an event.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    None,
    Line(Vec<u8>, Box<Line>),
    File(Vec<u8>, Vec<Line>),
}

impl Body {
    /// What a proposal comes with, if it is that.
    pub(crate) fn announced((proposal, bytes): (Proposal, Vec<u8>)) -> Option<(Proposal, Self)> {
        let Proposal { version, base, base_hash, hash, full, .. } = proposal;
        let body = if full {
            Self::file(bytes).filter(|body| body.last() == (version, hash))
        } else {
            Self::line(bytes, (base, base_hash), (version, hash))
        };
        Some((proposal, body?))
    }

    /// One line that is announced to lead from `base` to `version`.
    pub(crate) fn line(
        bytes: Vec<u8>,
        (base, base_hash): (Version, Hash128),
        (version, hash): (Version, Hash128),
    ) -> Option<Self> {
        let line = line::decode(&bytes, 0).ok()?;
        line::check_chain(&line, &bytes, base, base_hash).ok()?;
        let is_it = (line.version, line.hash) == (version, hash);
        is_it.then(|| Self::Line(bytes, Box::new(line)))
    }

    /// A whole file.
    pub(crate) fn file(bytes: Vec<u8>) -> Option<Self> {
        let mut lines = Vec::new();
        let scan = scan::scan(&bytes, &mut |line| lines.push(line));
        (scan.end == End::Whole && !lines.is_empty()).then_some(Self::File(bytes, lines))
    }

    /// A whole file cut after `version`; `None` if that version is not in it.
    pub(crate) fn up_to(self, version: Version) -> Option<Self> {
        let Self::File(mut bytes, mut lines) = self else { return None };
        let end = lines.iter().position(|line| line.version == version)? + 1;
        let len = bytes.split_inclusive(|&byte| byte == b'\n').take(end).map(<[u8]>::len).sum();
        bytes.truncate(len);
        lines.truncate(end);
        Some(Self::File(bytes, lines))
    }

    /// The version and hash that it ends in.
    pub(crate) fn last(&self) -> (Version, Hash128) {
        match self {
            Self::None => Default::default(),
            Self::Line(_, line) => (line.version, line.hash),
            Self::File(_, lines) => {
                lines.last().map(|line| (line.version, line.hash)).unwrap_or_default()
            }
        }
    }
}

/// What a line means to its user.
pub(crate) fn apply_line(user: &mut User, line: &Line) {
    for request in &line.requests {
        user.record(*request);
    }
    for (entry, place) in &line.entries {
        user.apply(entry, *place);
    }
}
