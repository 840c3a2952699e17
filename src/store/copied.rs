//! Files that were copied under another member's name. No line says whose it is, but no two users' files
//! begin alike: whoever voted with such a copy would have the other machines take one member for the other.

use std::collections::BTreeMap;
use std::path::Path;

use parking_lot::Mutex;

use super::error::StoreError;
use super::line::{Kind, Line};
use crate::id::{Hash128, UserName};

/// How a file begins: the hash of its first line that has something random in it. An identity is the same
/// for all whose file lacked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct First(Option<Hash128>);

impl First {
    /// Sees the next line.
    pub(super) fn see(&mut self, line: &Line) {
        if self.0.is_none() && line.kind != Kind::Identity {
            self.0 = Some(line.hash);
        }
    }
}

/// Whose file begins how.
#[derive(Debug, Default)]
pub(super) struct Beginnings(BTreeMap<Hash128, UserName>);

impl Beginnings {
    /// Takes note of a file; whose begins alike, if another one does.
    pub(super) fn note(&mut self, user: &UserName, First(first): First) -> Option<UserName> {
        let other = self.0.insert(first?, user.clone());
        other.filter(|other| other != user)
    }
}

/// The same while a machine starts, and nothing before and after.
#[derive(Debug, Default)]
pub(super) struct Firsts(Mutex<Option<Beginnings>>);

impl Firsts {
    pub(super) fn begin(&self) {
        *self.0.lock() = Some(Beginnings::default());
    }

    pub(super) fn end(&self) {
        *self.0.lock() = None;
    }

    /// Takes note of a file of a data directory.
    ///
    /// # Errors
    /// [`StoreError::Copied`].
    pub(super) fn check(
        &self,
        user: &UserName,
        first: First,
        dir: &Path,
    ) -> Result<(), StoreError> {
        let other = self.0.lock().as_mut().and_then(|all| all.note(user, first));
        other.map_or(Ok(()), |other| Err(StoreError::copied(dir, user, &other)))
    }
}
