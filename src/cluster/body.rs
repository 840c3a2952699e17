//! What comes with a message about a user's file, or goes to the disk: one line, several, or the whole
//! file, checked before anything is done with it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::id::{Hash128, UserName};
use crate::replica::version::Version;
use crate::store::line::{self, Kind, Line};
use crate::store::scan::{self, End};

/// What came with an event.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    None,
    /// One line and its bytes; its entries' places count from the line's start.
    Line(Arc<[u8]>, Box<Line>),
    /// A whole file and its lines.
    File(Arc<[u8]>, Vec<Line>),
    /// The lines that follow on a version of this chain hash; their entries' places count from the first
    /// line's start.
    Lines((Version, Hash128), Arc<[u8]>, Vec<Line>),
}

/// Bytes that another machine sent and that are no user's file.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Not lines as they should be.
    #[error("the lines of user {0} are malformed")]
    Malformed(UserName),
    /// Well-formed, but not what was announced with them.
    #[error("the lines of user {0} are not those announced")]
    Mismatch(UserName),
}

impl Body {
    /// Reads one line that is announced to lead from `base` to `version`.
    ///
    /// # Errors
    /// [`BodyError`] if it does not.
    pub fn line(
        user: &UserName,
        bytes: Arc<[u8]>,
        (base, base_hash): (Version, Hash128),
        (version, hash): (Version, Hash128),
    ) -> Result<Self, BodyError> {
        let line = line::decode(&bytes, 0).map_err(|_| BodyError::Malformed(user.clone()))?;
        line::check_chain(&line, &bytes, base, base_hash)
            .map_err(|_| BodyError::Mismatch(user.clone()))?;
        if line.version != version || line.hash != hash {
            return Err(BodyError::Mismatch(user.clone()));
        }
        Ok(Self::Line(bytes, Box::new(line)))
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// [`BodyError`] if it is not whole from first to last line.
    pub fn file(user: &UserName, bytes: Arc<[u8]>) -> Result<Self, BodyError> {
        let mut lines = Vec::new();
        let scan = scan::scan(&bytes, &mut |line| lines.push(line));
        if scan.end == End::Whole && !lines.is_empty() {
            Ok(Self::File(bytes, lines))
        } else {
            Err(BodyError::Malformed(user.clone()))
        }
    }

    /// Reads what follows on a version: several lines, or on none the whole file.
    ///
    /// # Errors
    /// [`BodyError`] if it does not.
    pub fn after(
        user: &UserName,
        bytes: Arc<[u8]>,
        after: (Version, Hash128),
    ) -> Result<Self, BodyError> {
        if after.0.is_zero() { Self::file(user, bytes) } else { Self::lines(user, bytes, after) }
    }

    /// Reads the lines that are announced to follow on a version.
    ///
    /// # Errors
    /// [`BodyError`] if they do not.
    pub fn lines(
        user: &UserName,
        bytes: Arc<[u8]>,
        after: (Version, Hash128),
    ) -> Result<Self, BodyError> {
        let ((mut last, mut hash), mut at) = (after, 0);
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let line = line::decode(piece, at).map_err(|_| BodyError::Malformed(user.clone()))?;
            line::check_chain(&line, piece, last, hash)
                .map_err(|_| BodyError::Mismatch(user.clone()))?;
            (last, hash, at) = (line.version, line.hash, at + piece.len() as u64);
            lines.push(line);
        }
        Ok(Self::Lines(after, bytes, lines))
    }

    /// Several lines but those up to this version of this hash; `None` if they do not follow on it.
    pub(super) fn behind(&self, from: (Version, Hash128)) -> Option<Cow<'_, Self>> {
        let Self::Lines(after, bytes, lines) = self else { return None };
        if *after == from {
            return Some(Cow::Borrowed(self));
        }
        let count = lines.iter().rposition(|line| (line.version, line.hash) == from)? + 1;
        let skipped = len_of(bytes, count);
        let mut rest = lines.get(count..)?.to_vec();
        for (_, place) in rest.iter_mut().flat_map(|line| &mut line.entries) {
            place.offset -= skipped as u64;
        }
        Some(Cow::Owned(Self::Lines(from, bytes.get(skipped..)?.into(), rest)))
    }

    /// How many bytes they are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Line(bytes, _) | Self::File(bytes, _) | Self::Lines(_, bytes, _) => bytes.len(),
            Self::None => 0,
        }
    }

    /// The lines of a whole file, or several.
    pub(super) fn all_lines(&self) -> &[Line] {
        match self {
            Self::File(_, lines) | Self::Lines(_, _, lines) => lines,
            Self::Line(_, line) => std::slice::from_ref(line),
            Self::None => &[],
        }
    }

    /// Several lines cut after `version`; `None` if that version is not among them.
    pub fn up_to(self, version: Version) -> Option<Self> {
        let (bytes, lines) = match &self {
            Self::File(bytes, lines) | Self::Lines(_, bytes, lines) => (bytes, lines),
            Self::Line(..) | Self::None => return None,
        };
        // The last of its version: a snapshot takes several lines, and holds all that came before.
        let count = lines.iter().rposition(|line| line.version == version)? + 1;
        if count == lines.len() {
            return Some(self);
        }
        let bytes = bytes.get(..len_of(bytes, count))?.into();
        let lines = lines.get(..count)?.to_vec();
        Some(match self {
            Self::Lines(after, ..) => Self::Lines(after, bytes, lines),
            _ => Self::File(bytes, lines),
        })
    }

    /// The version up to which a whole file was folded: only what is committed ever is.
    pub(super) fn folded(&self) -> Option<Version> {
        match self {
            Self::File(_, lines) => folded(lines),
            Self::None | Self::Line(..) | Self::Lines(..) => None,
        }
    }

    /// The version and hash that it ends in: what no lines follow on, if there are none of several.
    pub fn last(&self) -> Option<(Version, Hash128)> {
        let last = self.all_lines().last().map(|line| (line.version, line.hash));
        match self {
            Self::Lines(after, ..) => Some(last.unwrap_or(*after)),
            Self::File(..) | Self::Line(..) | Self::None => last,
        }
    }
}

/// The version of the snapshot that a file's lines begin with, if they do.
pub(super) fn folded(lines: &[Line]) -> Option<Version> {
    let is_part = |line: &&Line| matches!(line.kind, Kind::Snapshot(_));
    lines.first().filter(is_part).map(|line| line.version)
}

/// Where a file's line of this version and hash ends; `None` if there is none.
pub(super) fn end_of(file: &[u8], (version, hash): (Version, Hash128)) -> Option<usize> {
    end_where(file, |line| (line.version, line.hash) == (version, hash))
}

/// Where the last line ends of which that is true; `None` if there is none.
pub(super) fn end_where(file: &[u8], is_it: impl Fn(&Line) -> bool) -> Option<usize> {
    let (mut count, mut found) = (0, None);
    scan::scan(file, &mut |line| {
        count += 1;
        if is_it(&line) {
            found = Some(count);
        }
    });
    found.map(|count| len_of(file, count))
}

/// Bytes of the first `count` lines.
fn len_of(bytes: &[u8], count: usize) -> usize {
    bytes.split_inclusive(|&byte| byte == b'\n').take(count).map(<[u8]>::len).sum()
}
