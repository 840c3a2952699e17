//! Forms that bring pictures: a few at a time, and from members alone.
//!
//! Such a form is as long as a hundred others and is held whole, so the gate takes in one only after a
//! worker has said that whoever sends it is signed in. That is asked with the head alone, before the body
//! is read.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::UPLOADS_MAX;

/// What a worker is asked.
pub(super) const MAY_UPLOAD: &str = "/post/pictures";

/// How many there are just now.
#[derive(Debug, Default)]
pub(super) struct Uploads(AtomicUsize);

/// One of them; over when it is dropped.
#[derive(Debug)]
pub(super) struct Upload<'a>(&'a Uploads);

impl Uploads {
    /// Counts one more, unless there are as many as there may be.
    pub(super) fn begin(&self) -> Option<Upload<'_>> {
        let more = |count: usize| (count < UPLOADS_MAX).then_some(count + 1);
        let counted = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        counted.is_ok().then(|| Upload(self))
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_over_cap_wait_for_another_to_end() {
        let uploads = Uploads::default();
        let mut all: Vec<_> = (0..UPLOADS_MAX).map(|_| uploads.begin().unwrap()).collect();
        assert!(uploads.begin().is_none());
        all.pop();
        let _last = uploads.begin().unwrap();
        assert!(uploads.begin().is_none());
    }
}
