//! A fixed number of threads that hash, each in memory of its own; what is to be hashed waits in line.
//!
//! Argon2 wants 19 MiB for every hash. Allocating them per hash was seen to grow a process to 1.6 GB
//! under 200 sign-ins; here a thread has a buffer as long as it lives. They are threads of their own
//! because whoever asks is one of hundreds: when a buffer went from each of those to the next, the system
//! moved the hashing from core to core and let cores idle meanwhile, and one in twelve fewer was hashed.
//!
//! A thread begins when all others are busy, and ends with its memory when nobody wanted it for a while. What
//! comes goes to the one that became free last: under a trickle the others would be wanted now and then, and
//! none would ever end.
//! Where there is no memory for another one, those that there are serve all.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use argon2::Block;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use parking_lot::{Condvar, Mutex, MutexGuard};
use rustix::process::{Resource, getrlimit};

use crate::clock::{Clock, Mono};
use crate::limits::PASSWORD_MAPPED_BYTES;
use crate::thread::{be_nice, spawn_owned};

/// How much the system favours every other thread over those that hash, of 19: a page that is asked for while
/// a crowd signs in takes a millisecond, a hash a tenth of a second.
const NICENESS: i32 = 5;

/// How many may hash, how many may wait, and how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolSize {
    /// Threads with a buffer each, and so hashes at once.
    pub(super) buffers: usize,
    /// Callers that may wait.
    pub(super) queue: usize,
    /// Milliseconds one of them waits.
    pub(super) wait_ms: u64,
    /// Milliseconds after which a thread ends that nobody wants.
    pub(super) idle_ms: u64,
}

/// Why nothing was hashed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoBuffer {
    /// The pool is as busy as it may be.
    Busy,
    /// There is not the memory for a single one.
    Memory,
}

pub(super) type Blocks = Vec<Block>;
/// Makes room in an empty buffer; false if there is none.
type Reserve = fn(&mut Blocks, usize) -> bool;
type Work = Box<dyn FnOnce(&mut Blocks) + Send>;

/// The threads, and who waits for one.
pub(super) struct Pool {
    clock: Clock,
    size: PoolSize,
    /// Blocks of a buffer.
    blocks: usize,
    /// How a buffer gets its memory; the tests let it fail.
    reserve: Reserve,
    line: Arc<Line>,
}

/// What the threads share.
struct Line {
    idle: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// First come, first served.
    waiting: VecDeque<(u64, Work)>,
    next_ticket: u64,
    /// Threads that there are.
    workers: usize,
    /// How many of them take what waits next.
    free: usize,
    /// Those that wait for it, the last that came to it last: told when something waits, and at the end.
    parked: Vec<Arc<Condvar>>,
    is_closed: bool,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Of so many buffers, each of so many blocks.
    pub(super) fn new(clock: Clock, size: PoolSize, blocks: usize) -> Self {
        let reserve: Reserve =
            |blocks, count| has_mapped(blocks, count) || blocks.try_reserve_exact(count).is_ok();
        let idle = Duration::from_millis(size.idle_ms);
        let line = Line { idle, state: Mutex::default() };
        Self { clock, size, blocks, reserve, line: Arc::new(line) }
    }

    /// What `work` makes with a buffer, at once or when it is its turn; there is memory for it, and it may
    /// be empty yet.
    ///
    /// # Panics
    /// When `work` does.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Blocks) -> T + Send + 'static,
    ) -> Result<T, NoBuffer> {
        let deadline = self.clock.mono().plus_ms(self.size.wait_ms);
        // One place, used once: whoever tells never blocks.
        let (tell, told) = bounded(1);
        let ticket = self.line_up(Box::new(move |blocks| {
            let done = catch_unwind(AssertUnwindSafe(|| work(blocks)));
            drop(tell.try_send(done));
        }))?;
        let done = self.outcome(ticket, &told, deadline)?;
        Ok(done.unwrap_or_else(|panic| resume_unwind(panic)))
    }

    /// What somebody is told of their work: they wait until `deadline` for its turn, and once it has begun
    /// to its end.
    fn outcome<T>(&self, ticket: u64, told: &Receiver<T>, deadline: Mono) -> Result<T, NoBuffer> {
        match told.recv_timeout(deadline.left(self.clock.mono())) {
            Ok(done) => Ok(done),
            Err(RecvTimeoutError::Timeout) if self.leave(ticket) => Err(NoBuffer::Busy),
            // It has begun.
            Err(_) => told.recv().map_err(|_| NoBuffer::Busy),
        }
    }

    fn line_up(&self, work: Work) -> Result<u64, NoBuffer> {
        let mut state = self.line.state.lock();
        if state.free <= state.waiting.len() {
            let is_hired = state.workers < self.size.buffers && self.hire(&mut state);
            if state.workers == 0 {
                return Err(NoBuffer::Memory);
            }
            if !is_hired && state.waiting.len() - state.free >= self.size.queue {
                return Err(NoBuffer::Busy);
            }
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.push_back((ticket, work));
        // Without one, those that are free are just looking.
        let wanted = state.parked.pop();
        drop(state);
        if let Some(wanted) = wanted {
            wanted.notify_one();
        }
        Ok(ticket)
    }

    /// Begins another thread, if there is memory for it.
    fn hire(&self, state: &mut State) -> bool {
        // Under the mutex: whoever finds none must know whether somebody else did. It only sets addresses
        // aside, the pages are filled later.
        let mut blocks = Blocks::new();
        if !(self.reserve)(&mut blocks, self.blocks) {
            return false;
        }
        state.threads.retain(|thread| !thread.is_finished());
        let line = Arc::clone(&self.line);
        let serve = move || {
            be_nice("hash", NICENESS);
            line.serve(blocks);
        };
        match spawn_owned("hash", serve) {
            Ok(thread) => state.threads.push(thread),
            Err(error) => {
                log::warn!(error:%; "hashing with fewer threads");
                return false;
            }
        }
        state.workers += 1;
        state.free += 1;
        true
    }

    /// Leaves the line; false if it was one's turn already.
    fn leave(&self, ticket: u64) -> bool {
        let mut state = self.line.state.lock();
        let place = state.waiting.iter().position(|(of, _)| *of == ticket);
        let work = place.and_then(|place| state.waiting.remove(place));
        drop(state);
        work.is_some()
    }

    /// Callers that wait now.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.line.state.lock().waiting.len()
    }

    /// Threads that there are now, and those of them that have nothing to do.
    #[cfg(test)]
    pub(super) fn workers(&self) -> (usize, usize) {
        let state = self.line.state.lock();
        (state.workers, state.free)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let (threads, parked) = {
            let mut state = self.line.state.lock();
            state.is_closed = true;
            (std::mem::take(&mut state.threads), std::mem::take(&mut state.parked))
        };
        for one in parked {
            one.notify_one();
        }
        for thread in threads {
            // It catches what panics.
            drop(thread.join());
        }
    }
}

/// Whether room was made where the system gets it back. Not where it counts what is set aside.
fn has_mapped(blocks: &mut Blocks, count: usize) -> bool {
    let is_for_glibc = cfg!(all(target_env = "gnu", target_pointer_width = "64"));
    let mapped = PASSWORD_MAPPED_BYTES / size_of::<Block>();
    let is_unlimited = |of| getrlimit(of).current.is_none();
    // What is small is not worth it.
    is_for_glibc
        && (mapped / 4..mapped).contains(&count)
        && is_unlimited(Resource::As)
        && is_unlimited(Resource::Data)
        && blocks.try_reserve_exact(mapped).is_ok()
}

impl Line {
    fn serve(&self, mut blocks: Blocks) {
        let (own, mut state) = (Arc::default(), self.state.lock());
        while let Some(work) = self.next(&mut state, &own) {
            MutexGuard::unlocked(&mut state, || work(&mut blocks));
            state.free += 1;
        }
    }

    /// What is next, as soon as there is something; none if there was nothing for a while.
    fn next(&self, state: &mut MutexGuard<'_, State>, own: &Arc<Condvar>) -> Option<Work> {
        let mut is_over = false;
        loop {
            if let Some((_, work)) = state.waiting.pop_front() {
                state.free -= 1;
                return Some(work);
            }
            if is_over || state.is_closed {
                state.free -= 1;
                state.workers -= 1;
                return None;
            }
            state.parked.push(Arc::clone(own));
            is_over = own.wait_for(state, self.idle).timed_out();
            state.parked.retain(|one| !Arc::ptr_eq(one, own));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::thread;

    use crossbeam_channel::Sender;

    use super::*;
    use crate::clock::Wall;

    const FOREVER_MS: u64 = 60_000;

    fn pool(buffers: usize, queue: usize, wait_ms: u64) -> Pool {
        let clock = Clock::manual(Mono(0), Wall(0));
        let size = PoolSize { buffers, queue, wait_ms, idle_ms: FOREVER_MS };
        Pool::new(clock, size, 1)
    }

    #[track_caller]
    fn until(condition: impl Fn() -> bool) {
        let clock = Clock::system();
        let deadline = clock.mono().plus_ms(FOREVER_MS / 4);
        while !condition() {
            assert!(clock.mono() < deadline, "waited in vain");
            thread::yield_now();
        }
    }

    /// Has one thread be busy while `body` runs, and what it makes then be there.
    fn while_busy(pool: &Pool, body: impl FnOnce(&dyn Fn())) {
        let (release, held) = bounded::<()>(1);
        let (begin, begun) = bounded(1);
        thread::scope(|scope| {
            let busy = scope.spawn(move || {
                pool.run(move |_| {
                    begin.send(()).unwrap();
                    held.recv().unwrap();
                    7
                })
            });
            begun.recv().unwrap();
            body(&|| release.send(()).unwrap());
            assert_eq!(busy.join().unwrap(), Ok(7));
        });
    }

    #[test]
    fn pool_serves_whoever_has_waited_longest() {
        let pool = pool(1, 8, FOREVER_MS);
        let order = Arc::new(Mutex::new(Vec::new()));
        while_busy(&pool, |release| {
            thread::scope(|scope| {
                for number in 0..8 {
                    let (pool, order) = (&pool, Arc::clone(&order));
                    scope.spawn(move || pool.run(move |_| order.lock().push(number)).unwrap());
                    until(|| pool.waiting() == number + 1);
                }
                release();
            });
        });
        assert_eq!(*order.lock(), (0..8).collect::<Vec<_>>());
        until(|| pool.workers() == (1, 1));
    }

    #[test]
    fn pool_queue_full_refused_at_once() {
        let pool = pool(1, 1, FOREVER_MS);
        while_busy(&pool, |release| {
            thread::scope(|scope| {
                let waiter = scope.spawn(|| pool.run(|_| 1));
                until(|| pool.waiting() == 1);
                assert_eq!(pool.run(|_| 2), Err(NoBuffer::Busy), "one more may wait");
                release();
                assert_eq!(waiter.join().unwrap(), Ok(1));
            });
        });
    }

    #[test]
    fn pool_without_a_queue_takes_as_many_as_it_has_threads() {
        let pool = pool(2, 0, FOREVER_MS);
        while_busy(&pool, |release| {
            assert_eq!(pool.run(|_| ()), Ok(()));
            // It is free a moment after whoever asked was told.
            until(|| pool.workers() == (2, 1));
            while_busy(&pool, |release_other| {
                assert_eq!(pool.run(|_| ()), Err(NoBuffer::Busy));
                release_other();
            });
            release();
        });
        until(|| pool.workers() == (2, 2));
    }

    /// The second is not left to the first one's thread, which has been told and has not begun.
    #[test]
    fn pool_two_at_once_have_a_thread_each() {
        for _round in 0..200 {
            let pool = pool(2, 8, FOREVER_MS);
            assert_eq!(pool.run(|_| ()), Ok(()));
            until(|| pool.workers() == (1, 1));
            let (one, other) = (bounded(1), bounded(1));
            // Each waits for the other one, which works only while both run.
            let meet = |mine: Sender<()>, its: Receiver<()>| {
                let met = move |_: &mut Blocks| {
                    mine.send(()).unwrap();
                    its.recv_timeout(Duration::from_secs(10)).is_ok()
                };
                assert_eq!(pool.run(met), Ok(true));
            };
            thread::scope(|scope| {
                scope.spawn(|| meet(one.0.clone(), other.1.clone()));
                scope.spawn(|| meet(other.0.clone(), one.1.clone()));
            });
        }
    }

    #[test]
    fn pool_wait_over_leaves_the_line() {
        let mut pool = pool(1, 1, 1);
        let ran = Arc::new(AtomicUsize::new(0));
        let (release, held) = bounded::<()>(1);
        let (begin, begun) = bounded(1);
        // Without waiting for what comes of it: its thread may take longer to begin than one waits here.
        let busy = pool.line_up(Box::new(move |_| {
            begin.send(()).unwrap();
            held.recv().unwrap();
        }));
        assert!(busy.is_ok());
        begun.recv().unwrap();
        let of_other = Arc::clone(&ran);
        let late = pool.run(move |_| of_other.fetch_add(1, Relaxed));
        assert_eq!((late, pool.waiting()), (Err(NoBuffer::Busy), 0));
        release.send(()).unwrap();
        pool.size.wait_ms = FOREVER_MS;
        assert_eq!(pool.run(|_| 3), Ok(3));
        assert_eq!(ran.load(Relaxed), 0, "what nobody waits for is not done");
    }

    #[test]
    fn pool_work_that_has_begun_is_waited_for() {
        let pool = pool(1, 1, FOREVER_MS);
        let (begin, begun) = bounded(1);
        let (tell, told) = bounded(1);
        let slow = pool.line_up(Box::new(move |_| {
            begin.send(()).unwrap();
            // Whoever asked waits by now; if they do not yet, what they are told is the same.
            thread::sleep(Duration::from_millis(50));
            tell.send(4).unwrap();
        }));
        begun.recv().unwrap();
        let over = pool.clock.mono();
        assert_eq!(pool.outcome(slow.unwrap(), &told, over), Ok(4));
    }

    /// Of the memory there is room for one buffer.
    #[test]
    fn pool_without_memory_for_a_second_buffer_serves_all_with_the_first() {
        static LEFT: AtomicUsize = AtomicUsize::new(1);
        let mut pool = pool(3, 12, FOREVER_MS);
        pool.reserve = |blocks, count| {
            let take = || LEFT.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
            take().is_ok() && blocks.try_reserve_exact(count).is_ok()
        };
        while_busy(&pool, |release| {
            thread::scope(|scope| {
                let pool = &pool;
                let wait = |number| scope.spawn(move || pool.run(move |_| number));
                let waiters: Vec<_> = (0..12).map(wait).collect();
                until(|| pool.waiting() == 12);
                assert_eq!(pool.workers(), (1, 0));
                release();
                for (number, waiter) in waiters.into_iter().enumerate() {
                    assert_eq!(waiter.join().unwrap(), Ok(number));
                }
            });
        });
        // It is tried again when there is memory.
        LEFT.store(1, Relaxed);
        while_busy(&pool, |release| {
            assert_eq!(pool.run(|_| ()), Ok(()));
            assert_eq!(pool.workers().0, 2);
            release();
        });
    }

    #[test]
    fn pool_without_memory_for_any_buffer_says_so() {
        let mut pool = pool(2, 8, FOREVER_MS);
        pool.reserve = |_, _| false;
        assert_eq!(pool.run(|_| ()), Err(NoBuffer::Memory));
        assert_eq!((pool.workers(), pool.waiting()), ((0, 0), 0));
    }

    #[test]
    fn pool_thread_that_nobody_wants_ends_and_another_begins() {
        let clock = Clock::manual(Mono(0), Wall(0));
        let size = PoolSize { buffers: 2, queue: 1, wait_ms: FOREVER_MS, idle_ms: 1 };
        let pool = Pool::new(clock, size, 1);
        for round in 0..20 {
            assert_eq!(pool.run(move |blocks| (round, blocks.capacity())), Ok((round, 1)));
            until(|| pool.workers() == (0, 0));
        }
        assert!(pool.line.state.lock().threads.len() <= 2, "those that ended are forgotten");
    }

    /// One at a time is enough for what comes, so of two threads one stays.
    #[test]
    fn pool_thread_more_than_a_trickle_wants_ends() {
        let mut pool = pool(2, 1, FOREVER_MS);
        Arc::get_mut(&mut pool.line).unwrap().idle = Duration::from_millis(300);
        while_busy(&pool, |release| {
            assert_eq!(pool.run(|_| ()), Ok(()));
            assert_eq!(pool.workers().0, 2);
            release();
        });
        until(|| {
            assert_eq!(pool.run(|_| ()), Ok(()));
            until(|| pool.workers().0 == pool.workers().1);
            pool.workers().0 == 1
        });
    }

    #[test]
    fn pool_threads_have_ended_when_it_is_dropped() {
        let pool = pool(2, 1, FOREVER_MS);
        while_busy(&pool, |release| {
            assert_eq!(pool.run(|_| ()), Ok(()));
            release();
        });
        let line = Arc::clone(&pool.line);
        drop(pool);
        assert_eq!((line.state.lock().workers, Arc::strong_count(&line)), (0, 1));
    }

    #[test]
    fn pool_panic_is_the_askers_and_the_thread_serves_on() {
        let pool = pool(1, 1, FOREVER_MS);
        let panicked = catch_unwind(AssertUnwindSafe(|| pool.run(|_| panic!("as planned"))));
        assert!(panicked.is_err());
        assert_eq!((pool.run(|_| 5), pool.workers().0), (Ok(5), 1));
    }
}
