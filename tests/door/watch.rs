//! What others see while the web server is attacked, and what the attack costs it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use parking_lot::Mutex;
use tern::clock::Clock;
use tern::thread::{Stop, spawn_named};

use super::{get, thorough};
use crate::cluster::harness::eventually;
use crate::web::client::Client;

/// Milliseconds within which others are answered.
const ANSWER_MS: u64 = 1_000;
/// What a busy machine may add to that, where attacks and other tests run side by side.
const ALLOWANCE_MS: u64 = 1_000;
/// Memory that the web server may use, in KiB.
const MEMORY_KIB_MAX: u64 = 150 * 1024;
/// How long it may take until the last thread of an attack has ended: the longest deadline.
const THREADS_END: Duration = Duration::from_secs(20);
/// The address of those who only want to read.
const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 200));
/// How often they come.
const VISITS: Duration = Duration::from_millis(50);
/// As often they come at least while an attack lasts, one way or the other.
const VISITS_MIN: usize = 5;
/// An attack is begun again at most for so long until they came so often.
const AGAIN: Duration = Duration::from_secs(20);

/// A web server, and what it is like when nobody attacks it.
pub(super) struct Door {
    pub(super) address: SocketAddr,
    pid: u32,
    threads: u64,
}

/// What others have seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) answered: usize,
    pub(super) turned_away: usize,
    slowest_ms: u64,
    memory_kib: u64,
}

/// Looks on while an attack runs.
pub(super) struct Watch<'a> {
    door: &'a Door,
    stop: Stop,
    seen: Mutex<Seen>,
}

/// Milliseconds within which others are answered here.
fn answer_ms() -> u64 {
    if thorough().is_some() { ANSWER_MS } else { ANSWER_MS + ALLOWANCE_MS }
}

impl Door {
    /// A web server that has started and that nobody asks yet.
    pub(super) fn new(address: SocketAddr, pid: u32) -> Self {
        let mut door = Self { address, pid, threads: 0 };
        assert!(door.is_answering(), "not even before");
        door.threads = door.status("Threads:");
        door
    }

    /// Runs an attack; fails unless others are served meanwhile, each within a second.
    pub(super) fn attack<T>(&self, what: &str, attack: impl FnOnce(&Watch<'_>) -> T) -> T {
        self.attack_within(MEMORY_KIB_MAX, what, attack)
    }

    /// The same, with a bound of its own for the memory.
    pub(super) fn attack_within<T>(
        &self,
        memory_kib_max: u64,
        what: &str,
        attack: impl FnOnce(&Watch<'_>) -> T,
    ) -> T {
        let (outcome, seen) = self.watch(what, memory_kib_max, attack);
        assert_eq!(seen.turned_away, 0, "{what}: others were turned away: {seen:?}");
        outcome
    }

    /// Runs an attack that fills the server, so that others may be told to come back for a while, which
    /// the attack itself looks at.
    pub(super) fn fill<T>(&self, what: &str, attack: impl FnOnce(&Watch<'_>) -> T) -> T {
        self.watch(what, MEMORY_KIB_MAX, attack).0
    }

    fn watch<T>(
        &self,
        what: &str,
        memory_kib_max: u64,
        attack: impl FnOnce(&Watch<'_>) -> T,
    ) -> (T, Seen) {
        let watch = Watch { door: self, stop: Stop::new(), seen: Mutex::default() };
        let outcome = std::thread::scope(|scope| {
            let watching = spawn_named(scope, "others", |_permit| watch.run()).unwrap();
            // The watch ends when the attack does, also when it fails.
            let ending = Ending(&watch.stop);
            let outcome = attack(&watch);
            drop(ending);
            watching.join().unwrap();
            outcome
        });
        let seen = watch.seen.into_inner();
        println!("{what}: {seen:?}");
        assert!(seen.answered + seen.turned_away >= VISITS_MIN, "{what}: {seen:?}");
        assert!(seen.slowest_ms < answer_ms(), "{what}: {seen:?}");
        assert!(seen.memory_kib < memory_kib_max, "{what}: {seen:?}");
        self.check_over(what);
        (outcome, seen)
    }

    /// Fails unless it is as if nothing had been.
    fn check_over(&self, what: &str) {
        let clock = Clock::system();
        assert!(self.is_answering(), "{what}: no answer afterwards");
        let ms = clock.mono().0;
        assert!(ms < answer_ms(), "{what}: answered after {ms} ms");
        let mut threads = 0;
        eventually(&format!("{what}: threads end"), THREADS_END, || {
            threads = self.status("Threads:");
            (threads <= self.threads).then_some(())
        });
    }

    /// Whether somebody else is served.
    pub(super) fn is_answering(&self) -> bool {
        let mut client = Client::connect_from(OTHERS, self.address);
        client.send(get(self.address, "/login"));
        let reply = client.try_reply(false);
        match reply.as_ref().map(|reply| reply.status) {
            Some(200) => true,
            // It closed the door without a word, or with one.
            None => false,
            Some(503) => {
                assert!(reply.is_some_and(|reply| reply.header("Retry-After").is_some()));
                false
            }
            Some(status) => panic!("others are answered {status}"),
        }
    }

    /// How many of its connections have something to send that nobody takes, closed ones included.
    pub(super) fn unsent(&self) -> usize {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let port = format!(":{:04X}", self.address.port());
        let is_unsent = |line: &&str| {
            let mut words = line.split_whitespace().skip(1);
            let local = words.next().unwrap_or_default();
            let queues = words.nth(2).unwrap_or_default();
            local.ends_with(&port) && !queues.starts_with("00000000:")
        };
        // Of a listener the number is another.
        table.lines().filter(|line| !line.contains(" 0A ")).filter(is_unsent).count()
    }

    /// A number of the process as the system tells it.
    fn status(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.pid);
        let status =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Watch<'_> {
    fn run(&self) {
        while !self.stop.is_closed() {
            let clock = Clock::system();
            let is_answered = self.door.is_answering();
            let ms = clock.mono().0;
            // The most that it ever used, so that nothing happens between two looks.
            let memory_kib = self.door.status("VmHWM:");
            let mut seen = self.seen.lock();
            if is_answered {
                seen.answered += 1;
                seen.slowest_ms = seen.slowest_ms.max(ms);
            } else {
                seen.turned_away += 1;
            }
            seen.memory_kib = seen.memory_kib.max(memory_kib);
            drop(seen);
            self.stop.wait(VISITS);
        }
    }

    /// Waits until somebody else is served who came after this was called.
    pub(super) fn wait_served(&self, limit: Duration) {
        // The one who is on the way now came before.
        let goal = self.seen.lock().answered + 2;
        eventually("others are served", limit, || {
            (self.seen.lock().answered >= goal).then_some(())
        });
    }

    /// Attacks again and again until others came often enough meanwhile.
    pub(super) fn while_others_come(&self, mut attack: impl FnMut()) {
        eventually("others come", AGAIN, || {
            attack();
            (self.seen.lock().answered >= VISITS_MIN).then_some(())
        });
    }

    /// How many were turned away so far.
    pub(super) fn turned_away(&self) -> usize {
        self.seen.lock().turned_away
    }
}

struct Ending<'a>(&'a Stop);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
