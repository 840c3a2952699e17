//! One picture at a time: each takes tens of megabytes and a core, and a small machine has few of either.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use parking_lot::Mutex;

use super::{Made, PictureError, Use, prepare};
use crate::limits::PICTURE_WAIT_MS;

/// Where pictures are made, one after the other.
#[derive(Debug, Default)]
pub struct Studio(Mutex<()>);

impl Studio {
    /// Makes what is kept of a picture, once it is its turn. A decoder that panics has found a damaged
    /// picture: it holds nothing but that, so nothing else is the worse for it.
    ///
    /// # Errors
    /// [`PictureError`]; [`PictureError::Busy`] if its turn does not come soon.
    pub fn prepare(&self, bytes: &[u8], what_for: Use) -> Result<Made, PictureError> {
        self.prepare_by(bytes, &|bytes| prepare(bytes, what_for))
    }

    pub(super) fn prepare_by(
        &self,
        bytes: &[u8],
        make: &dyn Fn(&[u8]) -> Result<Made, PictureError>,
    ) -> Result<Made, PictureError> {
        let turn = self.0.try_lock_for(Duration::from_millis(PICTURE_WAIT_MS));
        let _turn = turn.ok_or(PictureError::Busy)?;
        catch_unwind(AssertUnwindSafe(|| make(bytes))).unwrap_or_else(|_| {
            log::error!(bytes = bytes.len(); "picture's decoder panicked");
            Err(PictureError::Damaged)
        })
    }
}
