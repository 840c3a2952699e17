//! Forms that bring pictures: a few at a time, and from members alone.
//!
//! Such a form is as long as a hundred others and is held whole, so the gate takes in one only after a
//! worker has said that whoever sends it is signed in. That is asked with the head alone, before the body
//! is read. Then it waits for its turn, and nothing but its head is held meanwhile.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::limits::{UPLOAD_LOOK_MS, UPLOAD_WAIT_MS};
use crate::thread::Stop;
use crate::web::request::is_for_apps;

/// Where forms go that may bring pictures, and what a worker is asked before one is read: for pages whose
/// session it is, for apps whose token.
const UPLOADS: [(&str, &str); 5] = [
    ("/post", "/post/pictures"),
    ("/settings/profile", "/post/pictures"),
    ("/api/v1/media", "/api/v1/media"),
    ("/api/v2/media", "/api/v1/media"),
    ("/api/v1/accounts/update_credentials", "/api/v1/profile/avatar"),
];

/// What a worker is asked before a long form to this address is read; nothing where none goes.
pub(super) fn may_upload(target: &str) -> Option<&'static str> {
    let path = target.split('?').next().unwrap_or_default();
    let path = if is_for_apps(path) { path.strip_suffix('/').unwrap_or(path) } else { target };
    UPLOADS.into_iter().find(|(known, _)| *known == path).map(|(_, asked)| asked)
}

/// How many there are just now.
#[derive(Debug)]
pub(super) struct Uploads {
    /// How many there may be: none where memory is too small for one.
    most: usize,
    count: Mutex<usize>,
    ended: Condvar,
}

/// One of them; over when it is dropped.
#[derive(Debug)]
pub(super) struct Upload<'a>(&'a Uploads);

impl Uploads {
    pub(super) fn new(most: usize) -> Self {
        Self { most, count: Mutex::default(), ended: Condvar::default() }
    }

    /// Counts one more once there are fewer than there may be; nothing if that takes too long, or the
    /// server stops.
    pub(super) fn begin(&self, stopping: &Stop) -> Option<Upload<'_>> {
        if self.most == 0 {
            return None;
        }
        let mut count = self.count.lock();
        for _ in 0..UPLOAD_WAIT_MS / UPLOAD_LOOK_MS {
            if *count < self.most {
                *count += 1;
                return Some(Upload(self));
            }
            if stopping.is_closed() {
                return None;
            }
            self.ended.wait_for(&mut count, Duration::from_millis(UPLOAD_LOOK_MS));
        }
        None
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        *self.0.count.lock() -= 1;
        self.0.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::UPLOADS_MAX;
    use crate::thread::spawn_named;

    #[test]
    fn no_upload_where_memory_is_too_small_for_one() {
        assert!(Uploads::new(0).begin(&Stop::new()).is_none());
        assert!(Uploads::new(1).begin(&Stop::new()).is_some());
    }

    #[test]
    fn uploads_over_cap_wait_for_another_to_end() {
        let (uploads, stop) = (Uploads::new(UPLOADS_MAX), Stop::new());
        let mut all: Vec<_> = (0..UPLOADS_MAX).map(|_| uploads.begin(&stop).unwrap()).collect();
        std::thread::scope(|scope| {
            let next = spawn_named(scope, "next", |_permit| uploads.begin(&stop).is_some());
            all.pop();
            assert!(next.unwrap().join().unwrap(), "it has waited, or came when one had ended");
        });
        let _last = uploads.begin(&stop).unwrap();
        // Nobody waits for a server that stops.
        stop.close();
        assert!(uploads.begin(&stop).is_none());
    }
}
