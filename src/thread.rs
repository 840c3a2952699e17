//! Threads: the only place that spawns, the flag that stops them, and the permit that lets a thread
//! hold one user's lock at a time.

use std::any::Any;
use std::io;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rustix::process::{getpriority_process, setpriority_process};

/// Bytes of a thread's stack: pages are made and JSON is parsed well inside it, and 500
/// connections' threads stay small.
pub const STACK_BYTES: usize = 512 * 1024;
/// Milliseconds that a crew waits for threads that are about to end.
const CREW_ROOM_MS: u32 = 1_000;
/// Longest name of a thread; Linux cuts the rest.
const NAME_BYTES_MAX: usize = 15;

/// The right to hold one user's action lock. A thread gets one when it is spawned and can neither
/// copy nor send it; a lock borrows it mutably. One after the other is fine:
///
/// ```no_run
/// # use tern::{clock::Mono, cluster::Cluster, id::UserName, thread::LockPermit};
/// # fn two(cluster: &Cluster, permit: &mut LockPermit, a: &UserName, b: &UserName, until: Mono) {
/// let first = cluster.acquire(permit, a, until);
/// drop(first);
/// let second = cluster.acquire(permit, b, until);
/// # }
/// ```
///
/// Holding two at once does not compile:
///
/// ```compile_fail,E0499
/// # use tern::{clock::Mono, cluster::Cluster, id::UserName, thread::LockPermit};
/// # fn two(cluster: &Cluster, permit: &mut LockPermit, a: &UserName, b: &UserName, until: Mono) {
/// let first = cluster.acquire(permit, a, until);
/// let second = cluster.acquire(permit, b, until);
/// drop(first);
/// # }
/// ```
#[derive(Debug)]
pub struct LockPermit {
    not_send: PhantomData<*const ()>,
}

/// Spawns a thread of `scope` under `name`, giving it its permit.
///
/// # Errors
/// When the system has no thread left.
///
/// # Panics
/// When the name is longer than Linux keeps.
pub fn spawn_named<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    body: impl FnOnce(LockPermit) -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    named(name).spawn_scoped(scope, move || body(LockPermit { not_send: PhantomData }))
}

/// Spawns a thread without which the process must not go on: when it panics, `stop` closes.
///
/// # Errors
/// When the system has no thread left.
///
/// # Panics
/// When the name is longer than Linux keeps.
pub fn spawn_vital<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    stop: &Stop,
    name: &str,
    body: impl FnOnce(LockPermit) -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    let vital = CloseOnPanic::new(stop);
    spawn_named(scope, name, move |permit| {
        let _vital = vital;
        body(permit)
    })
}

/// Spawns a thread under `name` that is its owner's to stop and to join. It takes no user's lock.
///
/// # Errors
/// When the system has no thread left.
///
/// # Panics
/// When the name is longer than Linux keeps.
pub fn spawn_owned(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    named(name).spawn(body)
}

fn named(name: &str) -> Builder {
    assert!(name.len() <= NAME_BYTES_MAX, "thread name {name:?} is longer than {NAME_BYTES_MAX}");
    Builder::new().name(name.to_owned()).stack_size(STACK_BYTES)
}

/// The most that a thread gives way to others.
const NICENESS_MAX: i32 = 19;

/// Has the system favour the process's other threads over this one, by so much of 19. Linux counts by thread.
pub fn be_nice(name: &str, more: i32) {
    let nicer = |own: i32| setpriority_process(None, own.saturating_add(more).min(NICENESS_MAX));
    if let Err(error) = getpriority_process(None).and_then(nicer) {
        log::warn!(thread:% = name, error:%; "runs at full priority");
    }
}

/// Does the same work on so many threads, this one and `name-1`, `name-2` and so on; the work takes what is
/// next by itself. Where the system has no thread left, fewer do it.
pub fn side_by_side(name: &str, threads: usize, work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for number in 1..threads {
            if let Err(error) = spawn_named(scope, &format!("{name}-{number}"), |_permit| work()) {
                log::warn!(name:%, error:%; "working with fewer threads");
            }
        }
        work();
    });
}

/// Threads of a scope, so many at most. One that has done its work counts until it has ended: till then the system
/// keeps its stack, and where memory is limited a crowd that comes and goes would fill it with those.
#[derive(Debug)]
pub struct Crew<'scope> {
    threads: Vec<ScopedJoinHandle<'scope, ()>>,
    panic: Option<Box<dyn Any + Send>>,
    max: usize,
}

impl<'scope> Crew<'scope> {
    /// Of `max` at most.
    pub const fn new(max: usize) -> Self {
        Self { threads: Vec::new(), panic: None, max }
    }

    /// Whether one more may start, waiting up to [`CREW_ROOM_MS`] for those that are about to end.
    pub fn has_room(&mut self, stop: &Stop) -> bool {
        for _ in 0..CREW_ROOM_MS {
            while let Some(over) = self.threads.iter().position(ScopedJoinHandle::is_finished) {
                // This waits for the system alone.
                let panic = self.threads.swap_remove(over).join().err();
                self.panic = self.panic.take().or(panic);
            }
            if self.threads.len() < self.max {
                return true;
            }
            if stop.wait(Duration::from_millis(1)) {
                return false;
            }
        }
        false
    }

    /// Panics as one of them did, if one did that has ended: its scope hears of the others itself.
    pub fn report(self) {
        if let Some(panic) = self.panic {
            resume_unwind(panic);
        }
    }

    /// Counts one more.
    pub fn add(&mut self, thread: ScopedJoinHandle<'scope, ()>) {
        self.threads.push(thread);
    }
}

/// A flag that many threads wait on and one closes; it never opens again.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// A flag that is still open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes all who wait, for good.
    pub fn close(&self) {
        *self.0.0.lock() = true;
        self.0.1.notify_all();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        *self.0.0.lock()
    }

    /// Waits up to `timeout`; true as soon as the flag is closed.
    pub fn wait(&self, timeout: Duration) -> bool {
        let mut closed = self.0.0.lock();
        if !*closed {
            self.0.1.wait_for(&mut closed, timeout);
        }
        *closed
    }
}

/// Closes its flag when it is dropped: however a thread ends, and when there never was one, and however
/// the body of a scope ends, whose threads wait for the flag.
#[derive(Debug)]
pub struct CloseOnDrop(pub Stop);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Closes its flag when a panic drops it: where to go on would be worse than to end the process.
#[derive(Debug)]
pub struct CloseOnPanic(Option<Stop>);

impl CloseOnPanic {
    /// For a panic from here on. What is done while another one unwinds, as a lock is given back, has not
    /// failed by that.
    pub fn new(stop: &Stop) -> Self {
        Self((!std::thread::panicking()).then(|| stop.clone()))
    }
}

impl Drop for CloseOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(stop) = &self.0
        {
            stop.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_closed_wakes_waiter() {
        let stop = Stop::new();
        assert!(!stop.wait(Duration::from_millis(1)));
        std::thread::scope(|scope| {
            let waiter = spawn_named(scope, "waiter", |_permit| stop.wait(Duration::from_mins(1)));
            stop.close();
            assert!(waiter.unwrap().join().unwrap());
        });
        assert!(stop.is_closed());
    }

    #[test]
    fn r0132_thread_counts_until_it_has_ended() {
        let (stop, goes_on) = (Stop::new(), Stop::new());
        std::thread::scope(|scope| {
            let mut crew = Crew::new(2);
            let _end = CloseOnDrop(goes_on.clone());
            for _ in 0..2 {
                assert!(crew.has_room(&stop));
                let goes_on = goes_on.clone();
                let works = move |_permit| assert!(goes_on.wait(Duration::from_mins(1)));
                crew.add(spawn_named(scope, "works", works).unwrap());
            }
            assert!(!crew.has_room(&stop), "both are there");
            goes_on.close();
            assert!(crew.has_room(&stop), "one has ended");
        });
        stop.close();
        assert!(!Crew::new(0).has_room(&stop));
    }

    #[test]
    fn r0026_panic_of_a_vital_thread_closes_the_flag_and_its_end_does_not() {
        for (is_vital, panics) in [(true, true), (true, false), (false, true)] {
            let stop = Stop::new();
            let body = move |_permit| assert!(!panics, "a bug");
            let ended = std::thread::scope(|scope| {
                let spawned = if is_vital {
                    spawn_vital(scope, &stop, "bug", body)
                } else {
                    spawn_named(scope, "bug", body)
                };
                spawned.unwrap().join()
            });
            assert_eq!(ended.is_err(), panics);
            assert_eq!(stop.is_closed(), is_vital && panics, "{is_vital} {panics}");
        }
    }

    #[test]
    fn r0026_what_is_done_while_a_panic_unwinds_closes_nothing() {
        struct GivenBack<'a>(&'a Stop);
        impl Drop for GivenBack<'_> {
            fn drop(&mut self) {
                drop(CloseOnPanic::new(self.0));
            }
        }
        let stop = Stop::new();
        let ended = std::thread::scope(|scope| {
            let body = |_permit| {
                let _lock = GivenBack(&stop);
                panic!("a bug in a handler");
            };
            spawn_named(scope, "handler", body).unwrap().join()
        });
        assert!(ended.is_err() && !stop.is_closed());
    }
}
