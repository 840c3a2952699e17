//! What comes with a message about a user's file, or goes to the disk: one line, or the whole file,
//! checked before anything is done with it.

use std::sync::Arc;

use crate::id::{Hash128, UserName};
use crate::replica::version::Version;
use crate::store::line::{self, Line};
use crate::store::scan::{self, End};

/// What came with an event.
pub enum Body {
    /// Nothing.
    None,
    /// One line and its bytes; its entries' places count from the line's start.
    Line(Arc<[u8]>, Box<Line>),
    /// A whole file and its lines.
    File(Arc<[u8]>, Vec<Line>),
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

    /// A whole file cut after `version`; `None` if that version is not in it.
    pub fn up_to(self, version: Version) -> Option<Self> {
        let Self::File(bytes, mut lines) = self else { return None };
        let end = lines.iter().position(|line| line.version == version)? + 1;
        let mut starts = bytes.split_inclusive(|&byte| byte == b'\n');
        let len = starts.by_ref().take(end).map(<[u8]>::len).sum();
        lines.truncate(end);
        Some(Self::File(bytes.get(..len)?.into(), lines))
    }

    /// The version and hash that a whole file ends in.
    pub fn last(&self) -> Option<(Version, Hash128)> {
        match self {
            Self::File(_, lines) => lines.last().map(|line| (line.version, line.hash)),
            Self::Line(_, line) => Some((line.version, line.hash)),
            Self::None => None,
        }
    }
}
