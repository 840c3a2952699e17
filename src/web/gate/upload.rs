//! Forms that bring pictures: a few at a time, and from members alone.
//!
//! Such a form is as long as a hundred others and is held whole, so the gate takes in one only after a
//! worker has said that whoever sends it is signed in. That is asked with the head alone, before the body
//! is read. Then it waits for its turn, and nothing but its head is held meanwhile. A member has one turn at a
//! time, from however many devices. While somebody waits, whoever sends a byte a second gives their place to
//! them; while nobody does, a slow line has all the time that it takes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::clock::Clock;
use crate::id::UserName;
use crate::limits::{
    GATE_UPLOAD_MS, UPLOAD_BEGIN_MS, UPLOAD_BYTES_PER_MS_MIN, UPLOAD_LOOK_MS, UPLOAD_WAIT_MS,
};
use crate::thread::Stop;
use crate::web::api::bearer;
use crate::web::request::is_for_apps;
use crate::web::session::Session;

use super::head::Head;

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

/// Whose form it is, once a worker has said that what stands there opens something: the same is read here
/// as there.
pub(super) fn sender(head: &Head, cookie_prefix: &str) -> Option<UserName> {
    let field = |name| {
        let mut passed = head.passed.iter();
        passed.find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    };
    let session = if is_for_apps(&head.target) {
        bearer(field("Authorization")).and_then(Session::parse)
    } else {
        field("Cookie").and_then(|cookies| Session::from_cookies(cookies, cookie_prefix))
    };
    session.map(|session| session.user().clone())
}

/// Those that there are just now.
#[derive(Debug)]
pub(super) struct Uploads {
    clock: Clock,
    /// How many there may be: none where memory is too small for one.
    most: usize,
    /// Whose they are.
    senders: Mutex<Vec<UserName>>,
    /// How many wait to be one of them; changed while `senders` is held, so that nobody sees those who need
    /// not wait at all.
    waiting: AtomicUsize,
    ended: Condvar,
}

/// One who waits; no longer when it is dropped.
struct Waits<'a>(&'a AtomicUsize);

/// One of them; over when it is dropped.
#[derive(Debug)]
pub(super) struct Upload<'a> {
    uploads: &'a Uploads,
    sender: UserName,
}

impl Uploads {
    pub(super) fn new(clock: Clock, most: usize) -> Self {
        Self {
            clock,
            most,
            senders: Mutex::default(),
            waiting: AtomicUsize::new(0),
            ended: Condvar::default(),
        }
    }

    /// Counts one more once there are fewer than there may be and none of the same sender; nothing if that
    /// takes too long, or the server stops.
    pub(super) fn begin(&self, sender: &UserName, stopping: &Stop) -> Option<Upload<'_>> {
        if self.most == 0 {
            return None;
        }
        // By the clock: whoever ends wakes all who wait, so how often one looked tells no time.
        let deadline = self.clock.mono().plus_ms(UPLOAD_WAIT_MS);
        let mut senders = self.senders.lock();
        let _waits = Waits::begin(&self.waiting);
        loop {
            if senders.len() < self.most && !senders.contains(sender) {
                senders.push(sender.clone());
                return Some(Upload { uploads: self, sender: sender.clone() });
            }
            let left = deadline.left(self.clock.mono());
            if stopping.is_closed() || left.is_zero() {
                return None;
            }
            self.ended.wait_for(&mut senders, left.min(Duration::from_millis(UPLOAD_LOOK_MS)));
        }
    }
}

impl<'a> Waits<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Upload<'_> {
    /// Whether it has to give its place to those who wait, of which so many bytes came in so many
    /// milliseconds since it was let in.
    pub(super) fn gives_way(&self, bytes: usize, ms: u64) -> bool {
        let _senders = self.uploads.senders.lock();
        self.uploads.waiting.load(Ordering::SeqCst) > 0 && is_too_slow(bytes, ms)
    }
}

/// Whether others need not wait for something that comes so slowly.
const fn is_too_slow(bytes: usize, ms: u64) -> bool {
    ms > GATE_UPLOAD_MS || (ms > UPLOAD_BEGIN_MS && (bytes as u64) < UPLOAD_BYTES_PER_MS_MIN * ms)
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        self.uploads.senders.lock().retain(|sender| *sender != self.sender);
        // Not each of those who wait may be next.
        self.uploads.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Mono, Wall};
    use crate::limits::UPLOADS_MAX;
    use crate::thread::spawn_named;

    fn name(name: &str) -> UserName {
        name.parse().unwrap()
    }

    /// By a clock that stands.
    fn uploads(most: usize) -> Uploads {
        Uploads::new(Clock::manual(Mono(0), Wall(0)), most)
    }

    #[test]
    fn no_upload_where_memory_is_too_small_for_one() {
        assert!(uploads(0).begin(&name("ada"), &Stop::new()).is_none());
        assert!(uploads(1).begin(&name("ada"), &Stop::new()).is_some());
    }

    #[test]
    fn uploads_over_cap_wait_for_another_to_end() {
        let (uploads, stop) = (uploads(UPLOADS_MAX), Stop::new());
        let mut all: Vec<_> = (0..UPLOADS_MAX)
            .map(|n| uploads.begin(&name(&format!("ada{n}")), &stop).unwrap())
            .collect();
        std::thread::scope(|scope| {
            let next =
                spawn_named(scope, "next", |_permit| uploads.begin(&name("ben"), &stop).is_some());
            all.pop();
            assert!(next.unwrap().join().unwrap(), "it has waited, or came when one had ended");
        });
        let _last = uploads.begin(&name("cleo"), &stop).unwrap();
        // Nobody waits for a server that stops.
        stop.close();
        assert!(uploads.begin(&name("dan"), &stop).is_none());
    }

    #[test]
    fn uploads_of_one_member_take_one_place_and_others_go_first() {
        let (uploads, stop) = (uploads(UPLOADS_MAX), Stop::new());
        let dripping = uploads.begin(&name("ada"), &stop).unwrap();
        std::thread::scope(|scope| {
            let again = |_permit| uploads.begin(&name("ada"), &stop).is_some();
            let again = spawn_named(scope, "again", again).unwrap();
            stop.wait(Duration::from_millis(2 * UPLOAD_LOOK_MS));
            assert_eq!(uploads.senders.lock().as_slice(), [name("ada")]);
            drop(uploads.begin(&name("ben"), &stop).unwrap());
            drop(dripping);
            assert!(again.join().unwrap(), "she has waited for herself");
        });
        assert!(uploads.senders.lock().is_empty());
    }

    #[test]
    fn r0024_upload_waits_its_time_however_many_others_end_meanwhile() {
        let (uploads, stop) = (uploads(UPLOADS_MAX), Stop::new());
        let dripping = uploads.begin(&name("ada"), &stop).unwrap();
        std::thread::scope(|scope| {
            let again = |_permit| uploads.begin(&name("ada"), &stop).is_some();
            let again = spawn_named(scope, "again", again).unwrap();
            // The clock stands: whatever ends before she does, none of her time is over.
            for _ in 0..10 * UPLOAD_WAIT_MS / UPLOAD_LOOK_MS {
                drop(uploads.begin(&name("ben"), &stop).unwrap());
                stop.wait(Duration::from_millis(1));
            }
            drop(dripping);
            assert!(again.join().unwrap(), "turned away before her time");
        });
    }

    #[test]
    fn upload_whose_time_is_over_turned_away() {
        let (uploads, stop) = (uploads(UPLOADS_MAX), Stop::new());
        let _dripping = uploads.begin(&name("ada"), &stop).unwrap();
        std::thread::scope(|scope| {
            let again = |_permit| uploads.begin(&name("ada"), &stop).is_some();
            let again = spawn_named(scope, "again", again).unwrap();
            // Whenever she came, at some look her time is over.
            let mut now = Mono(0);
            while !again.is_finished() {
                now = now.plus_ms(UPLOAD_WAIT_MS);
                uploads.clock.set(now, Wall(0));
                stop.wait(Duration::from_millis(1));
            }
            assert!(!again.join().unwrap());
        });
    }

    #[test]
    fn upload_gives_way_to_those_who_wait_if_it_is_slow() {
        let (uploads, stop) = (uploads(1), Stop::new());
        let upload = uploads.begin(&name("ada"), &stop).unwrap();
        assert!(!upload.gives_way(0, 10 * GATE_UPLOAD_MS), "for nobody");
        std::thread::scope(|scope| {
            let next =
                spawn_named(scope, "next", |_permit| uploads.begin(&name("ben"), &stop).is_some());
            while !upload.gives_way(0, 10 * GATE_UPLOAD_MS) {
                stop.wait(Duration::from_millis(1));
            }
            for (bytes, ms, gives_way) in [
                (0, UPLOAD_BEGIN_MS, false),
                (0, UPLOAD_BEGIN_MS + 1, true),
                (12 * 5_000, 5_000, false),
                (12 * 5_000 - 1, 5_000, true),
                // A phone where it hardly reaches anything.
                (16 * 1024 * 40, GATE_UPLOAD_MS, false),
                (8_000_000, GATE_UPLOAD_MS + 1, true),
            ] {
                assert_eq!(upload.gives_way(bytes, ms), gives_way, "{bytes} {ms}");
            }
            drop(upload);
            assert!(next.unwrap().join().unwrap());
        });
        assert_eq!(uploads.waiting.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn sender_named_by_what_the_worker_reads() {
        let of = |target: &str, field: &str| {
            let head = format!(
                "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n{field}\r\n\r\n"
            );
            let head = super::super::head::parse(head.as_bytes()).unwrap();
            sender(&head, "__Host-").map(|name| name.to_string())
        };
        let token = "ada.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let cookie = format!("Cookie: s=ben.x; __Host-s={token}");
        assert_eq!(of("/post", &cookie).as_deref(), Some("ada"));
        assert_eq!(of("/api/v2/media", &cookie), None);
        let bearer = format!("Authorization: Bearer {token}");
        assert_eq!(of("/api/v2/media", &bearer).as_deref(), Some("ada"));
        assert_eq!(of("/post", &bearer), None);
    }
}
