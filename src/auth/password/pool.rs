//! A fixed number of buffers to hash in, given out first come first served.
//!
//! Argon2 wants 19 MiB for every hash. Allocating them per hash was seen to grow a process to 1.6 GB
//! under 200 sign-ins; a buffer here is allocated when it is first needed and kept.
//!
//! A buffer that comes back goes straight to whoever has waited longest, so that a newcomer cannot
//! overtake: that is why this is a queue of one-place channels and not a condition variable.
//!
//! What nobody uses for a while goes back to the system.
//!
//! Where the memory for another buffer is not to be had, those that there are serve all: whoever would have
//! filled it waits as if it were in use, and the next who finds it free tries again.

use std::collections::VecDeque;

use argon2::Block;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use crate::clock::Clock;

/// How many may hash, how many may wait, and how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolSize {
    /// Buffers, and so hashes at once.
    pub(super) buffers: usize,
    /// Callers that may wait.
    pub(super) queue: usize,
    /// Milliseconds one of them waits.
    pub(super) wait_ms: u64,
}

/// Why there is no buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoBuffer {
    /// The pool is as busy as it may be.
    Busy,
    /// There is not the memory for a single one.
    Memory,
}

type Blocks = Vec<Block>;
/// Makes room in an empty buffer; false if there is none.
type Reserve = fn(&mut Blocks, usize) -> bool;

/// The buffers and who waits for one.
pub(super) struct Pool {
    clock: Clock,
    size: PoolSize,
    /// Blocks of a buffer.
    blocks: usize,
    /// How a buffer gets its memory; the tests let it fail.
    reserve: Reserve,
    state: Mutex<State>,
}

struct State {
    /// Last in, first out, so that as few as possible are ever filled; those that have no memory yet are
    /// the first.
    free: Vec<Blocks>,
    waiting: VecDeque<Waiter>,
    next_ticket: u64,
    /// Whether one was lent since the last look.
    was_lent: bool,
}

struct Waiter {
    ticket: u64,
    hand_over: Sender<Blocks>,
}

/// A buffer while it is in use; goes back when dropped, also by a panic.
pub(super) struct Lent<'p> {
    pool: &'p Pool,
    pub(super) blocks: Blocks,
}

enum Turn {
    Now(Blocks),
    Wait { ticket: u64, turn: Receiver<Blocks> },
}

impl Pool {
    /// Of so many buffers, each of so many blocks.
    pub(super) fn new(clock: Clock, size: PoolSize, blocks: usize) -> Self {
        let free = (0..size.buffers).map(|_| Blocks::new()).collect();
        let state = State { free, waiting: VecDeque::new(), next_ticket: 0, was_lent: false };
        let reserve: Reserve = |blocks, count| blocks.try_reserve_exact(count).is_ok();
        Self { clock, size, blocks, reserve, state: Mutex::new(state) }
    }

    /// A buffer, at once or when one comes back; there is memory for it, and it may be empty yet.
    pub(super) fn borrow(&self) -> Result<Lent<'_>, NoBuffer> {
        let deadline = self.clock.mono().plus_ms(self.size.wait_ms);
        let blocks = match self.queue_up()? {
            Turn::Now(blocks) => blocks,
            Turn::Wait { ticket, turn } => {
                match turn.recv_timeout(deadline.left(self.clock.mono())) {
                    Ok(blocks) => blocks,
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                        self.give_up(ticket, &turn)?
                    }
                }
            }
        };
        Ok(Lent { pool: self, blocks })
    }

    fn queue_up(&self) -> Result<Turn, NoBuffer> {
        let mut state = self.state.lock();
        state.was_lent = true;
        // One with memory means that nobody waits: when it comes back it goes to a waiter first.
        if let Some(mut blocks) = state.free.pop() {
            // Under the mutex: whoever finds none must know whether somebody else did. It only sets
            // addresses aside, the pages are filled later.
            if blocks.capacity() >= self.blocks || (self.reserve)(&mut blocks, self.blocks) {
                return Ok(Turn::Now(blocks));
            }
            state.free.insert(0, blocks);
            // Those in use all have memory.
            if state.free.len() == self.size.buffers {
                return Err(NoBuffer::Memory);
            }
        }
        if state.waiting.len() >= self.size.queue {
            return Err(NoBuffer::Busy);
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        // One place, used once: whoever hands over never blocks.
        let (hand_over, turn) = bounded(1);
        state.waiting.push_back(Waiter { ticket, hand_over });
        Ok(Turn::Wait { ticket, turn })
    }

    /// Leaves the queue, unless a buffer was handed over since the time was up.
    fn give_up(&self, ticket: u64, turn: &Receiver<Blocks>) -> Result<Blocks, NoBuffer> {
        let mut state = self.state.lock();
        // Buffers are handed over under this mutex: from here on none can get lost.
        if let Ok(blocks) = turn.try_recv() {
            return Ok(blocks);
        }
        state.waiting.retain(|waiter| waiter.ticket != ticket);
        Err(NoBuffer::Busy)
    }

    fn give_back(&self, mut blocks: Blocks) {
        let mut state = self.state.lock();
        while let Some(waiter) = state.waiting.pop_front() {
            match waiter.hand_over.try_send(blocks) {
                Ok(()) => return,
                // Its thread panicked while it waited: the next one gets the buffer.
                Err(refused) => blocks = refused.into_inner(),
            }
        }
        state.free.push(blocks);
    }

    /// Gives the memory of all free buffers back to the system if none was lent since this was last called.
    pub(super) fn give_back_idle(&self) {
        let idle = {
            let mut state = self.state.lock();
            if std::mem::take(&mut state.was_lent) {
                return;
            }
            state.free.iter_mut().map(std::mem::take).collect::<Vec<_>>()
        };
        drop(idle);
    }

    /// Callers that wait now.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// Buffers not in use now.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.state.lock().free.len()
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.pool.give_back(std::mem::take(&mut self.blocks));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::thread;

    use super::*;
    use crate::clock::{Mono, Wall};

    const FOREVER_MS: u64 = 60_000;

    fn pool(buffers: usize, queue: usize, wait_ms: u64) -> Pool {
        let clock = Clock::manual(Mono(0), Wall(0));
        Pool::new(clock, PoolSize { buffers, queue, wait_ms }, 1)
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

    #[test]
    fn pool_buffer_returned_serves_longest_waiting() {
        let pool = pool(1, 8, FOREVER_MS);
        let held = pool.borrow().unwrap();
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for number in 0..8 {
                let (pool, order) = (&pool, &order);
                scope.spawn(move || {
                    let lent = pool.borrow().unwrap();
                    order.lock().push(number);
                    drop(lent);
                });
                until(|| pool.waiting() == number + 1);
            }
            drop(held);
        });
        assert_eq!(order.into_inner(), (0..8).collect::<Vec<_>>());
        assert_eq!(pool.free(), 1);
    }

    #[test]
    fn pool_queue_full_refused_at_once() {
        let pool = pool(1, 1, FOREVER_MS);
        let held = pool.borrow().unwrap();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| pool.borrow().map(drop));
            until(|| pool.waiting() == 1);
            assert!(matches!(pool.queue_up(), Err(NoBuffer::Busy)), "one more may wait");
            drop(held);
            assert_eq!(waiter.join().unwrap(), Ok(()));
        });
    }

    #[test]
    fn pool_wait_over_leaves_queue() {
        let pool = pool(1, 1, 1);
        let held = pool.borrow().unwrap();
        assert_eq!(pool.borrow().map(drop), Err(NoBuffer::Busy));
        assert_eq!(pool.waiting(), 0);
        drop(held);
        assert!(pool.borrow().is_ok());
    }

    /// Of the memory there is room for one buffer.
    #[test]
    fn pool_without_memory_for_a_second_buffer_serves_all_with_the_first() {
        static LEFT: AtomicUsize = AtomicUsize::new(1);
        let pool = Pool {
            reserve: |blocks, count| {
                let take = || LEFT.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
                take().is_ok() && blocks.try_reserve_exact(count).is_ok()
            },
            ..pool(3, 12, FOREVER_MS)
        };
        let held = pool.borrow().unwrap();
        thread::scope(|scope| {
            let waiters: Vec<_> =
                (0..12).map(|_| scope.spawn(|| pool.borrow().map(drop))).collect();
            until(|| pool.waiting() == 12);
            assert_eq!(pool.free(), 2);
            drop(held);
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap(), Ok(()));
            }
        });
        // What was free all the time is tried again when there is memory.
        LEFT.store(1, Relaxed);
        let both = (pool.borrow().unwrap(), pool.borrow().unwrap());
        assert_eq!(pool.free(), 1);
        drop(both);
    }

    #[test]
    fn pool_without_memory_for_any_buffer_says_so() {
        let pool = Pool { reserve: |_, _| false, ..pool(2, 8, FOREVER_MS) };
        assert_eq!(pool.borrow().map(drop), Err(NoBuffer::Memory));
        assert_eq!((pool.free(), pool.waiting()), (2, 0));
    }

    #[test]
    fn pool_that_nobody_used_between_two_looks_gives_its_memory_back() {
        let pool = pool(2, 1, 1);
        let held = || pool.state.lock().free.iter().filter(|it| it.capacity() > 0).count();
        let (one, other) = (pool.borrow().unwrap(), pool.borrow().unwrap());
        drop(other);
        pool.give_back_idle();
        assert_eq!(held(), 1, "it was lent since the start");
        pool.give_back_idle();
        assert_eq!((held(), one.blocks.capacity()), (0, 1), "what is in use stays");
        drop(one);
        drop(pool.borrow().unwrap());
        pool.give_back_idle();
        assert_eq!(held(), 1);
        pool.give_back_idle();
        assert_eq!((held(), pool.free()), (0, 2));
        assert!(pool.borrow().is_ok());
    }

    #[test]
    fn pool_handed_over_at_last_moment_not_lost() {
        let pool = pool(1, 1, FOREVER_MS);
        let held = pool.borrow().unwrap();
        let Turn::Wait { ticket, turn } = pool.queue_up().unwrap() else {
            panic!("the only buffer is held");
        };
        drop(held);
        assert!(pool.give_up(ticket, &turn).is_ok());
    }

    #[test]
    fn pool_waiter_gone_skipped() {
        let pool = pool(1, 1, FOREVER_MS);
        let held = pool.borrow().unwrap();
        drop(pool.queue_up().unwrap());
        drop(held);
        assert_eq!((pool.free(), pool.waiting()), (1, 0));
    }

    #[test]
    fn pool_panic_while_lent_returns_buffer() {
        let pool = pool(1, 1, 1);
        let panicked = thread::scope(|scope| {
            let borrower = scope.spawn(|| {
                let _lent = pool.borrow().unwrap();
                panic!("as planned");
            });
            borrower.join().is_err()
        });
        assert!(panicked);
        assert_eq!(pool.free(), 1);
    }
}
