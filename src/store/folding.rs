//! Folding a user's file as it lies on the disk: only what survives is ever in memory as a whole.
//!
//! Nothing is written here: the new file takes the old one's place by [`UserStore::compact`].

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memchr_iter;
use rustix::fs::OFlags;

use super::line::{Line, LineError};
use super::scan::{End, Scan};
use super::snapshot::{Folded, Source, fold_from};
use super::{StoreError, UserStore, lines_name};
use crate::id::UserName;
use crate::limits::LOAD_BUFFER_BYTES;
use crate::replica::version::Version;
use crate::user::Place;

/// Why a file was not folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// Something is wrong with what stands in it.
    #[error(transparent)]
    Line(#[from] LineError),
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The first `len` bytes of a user's file. They do not change: lines are added behind them, and a file
/// that takes its place is another one.
struct Prefix<'a> {
    store: &'a UserStore,
    user: &'a UserName,
    file: File,
    len: u64,
    /// Bytes that were read, and from where: what survives stands in order, much of it side by side.
    window: RefCell<(u64, Vec<u8>)>,
}

impl UserStore {
    /// Folds the first `len` bytes of a user's file up to `com`, as [`super::snapshot::fold`] does.
    ///
    /// # Errors
    /// [`FoldError::Line`] as for that; [`FoldError::Store`] with [`StoreError::LengthDiffers`] when there
    /// are fewer bytes, [`StoreError::TooLarge`], [`StoreError::Foreign`], [`StoreError::Io`].
    ///
    /// # Panics
    /// When the new file would tell something else.
    pub fn fold(
        &self,
        user: &UserName,
        len: u64,
        com: Version,
    ) -> Result<Option<Folded>, FoldError> {
        let file = self.users().open_file(&lines_name(user), OFlags::RDONLY)?;
        let differs =
            |found| StoreError::LengthDiffers { user: user.clone(), expected: len, found };
        let file = file.ok_or_else(|| differs(0))?;
        let found = file.metadata().map_err(|e| self.failed_to_read(user, e))?.len();
        if found < len {
            return Err(differs(found).into());
        }
        fold_from(user, &Prefix { store: self, user, file, len, window: RefCell::default() }, com)
    }

    fn failed_to_read(&self, user: &UserName, error: io::Error) -> StoreError {
        self.users().failed("read", &lines_name(user), error)
    }
}

impl Prefix<'_> {
    /// Has the bytes from here on in the window, at least `least` of them.
    fn read(&self, from: u64, least: usize, window: &mut (u64, Vec<u8>)) -> Result<(), StoreError> {
        let left = usize::try_from(self.len.saturating_sub(from)).unwrap_or(usize::MAX);
        window.1.resize(least.max(LOAD_BUFFER_BYTES).min(left.max(least)), 0);
        window.0 = from;
        let read = self.file.read_exact_at(&mut window.1, from);
        read.map_err(|error| self.store.failed_to_read(self.user, error))
    }
}

impl Source for Prefix<'_> {
    type Error = FoldError;

    fn scan(&self, visit: &mut dyn FnMut(Line)) -> Result<Scan, FoldError> {
        let scan = self.store.scan_file(self.user, &self.file, self.len, visit)?;
        if scan.end == End::Whole && scan.good_len != self.len {
            return Err(LineError::LineEnd.into());
        }
        Ok(scan)
    }

    fn copy(&self, place: Place, to: &mut Vec<u8>) -> Result<(), FoldError> {
        let mut window = self.window.borrow_mut();
        let len = place.len as usize;
        let within = |window: &(u64, Vec<u8>)| {
            let from = usize::try_from(place.offset.checked_sub(window.0)?).ok()?;
            let to = from.checked_add(len)?;
            (to <= window.1.len()).then_some(from..to)
        };
        if within(&window).is_none() {
            self.read(place.offset, len, &mut window)?;
        }
        let bytes = within(&window).and_then(|range| window.1.get(range));
        to.extend_from_slice(bytes.ok_or(LineError::LineEnd)?);
        Ok(())
    }

    fn copy_behind(&self, lines: usize, to: &mut Vec<u8>) -> Result<(), FoldError> {
        let mut window = self.window.borrow_mut();
        let (mut from, mut left) = (0, lines);
        while from < self.len {
            self.read(from, 1, &mut window)?;
            let bytes = window.1.as_slice();
            from += bytes.len() as u64;
            if left == 0 {
                to.extend_from_slice(bytes);
                continue;
            }
            let ends = memchr_iter(b'\n', bytes).take(left);
            let (count, last) = ends.fold((0, 0), |(count, _), at| (count + 1, at + 1));
            left -= count;
            if left == 0 {
                to.extend_from_slice(bytes.get(last..).unwrap_or_default());
            }
        }
        Ok(())
    }
}
