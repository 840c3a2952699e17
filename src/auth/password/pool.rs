//! A fixed number of buffers to hash in, given out first come first served.
//!
//! Argon2 wants 19 MiB for every hash. Allocating them per hash was seen to grow a process to 1.6 GB
//! under 200 sign-ins; a buffer here is allocated when it is first needed and kept.
//!
//! A buffer that comes back goes straight to whoever has waited longest, so that a newcomer cannot
//! overtake: that is why this is a queue of one-place channels and not a condition variable.

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

/// The pool is as busy as it may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PoolBusy;

type Blocks = Vec<Block>;

/// The buffers and who waits for one.
pub(super) struct Pool {
    clock: Clock,
    size: PoolSize,
    state: Mutex<State>,
}

struct State {
    /// Last in, first out, so that as few as possible are ever filled.
    free: Vec<Blocks>,
    waiting: VecDeque<Waiter>,
    next_ticket: u64,
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
    pub(super) fn new(clock: Clock, size: PoolSize) -> Self {
        let free = (0..size.buffers).map(|_| Blocks::new()).collect();
        let state = State { free, waiting: VecDeque::new(), next_ticket: 0 };
        Self { clock, size, state: Mutex::new(state) }
    }

    /// A buffer, at once or when one comes back; it may be shorter than what the caller needs.
    pub(super) fn borrow(&self) -> Result<Lent<'_>, PoolBusy> {
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

    fn queue_up(&self) -> Result<Turn, PoolBusy> {
        let mut state = self.state.lock();
        // A free buffer means that nobody waits: one that comes back goes to a waiter first.
        if let Some(blocks) = state.free.pop() {
            return Ok(Turn::Now(blocks));
        }
        if state.waiting.len() >= self.size.queue {
            return Err(PoolBusy);
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        // One place, used once: whoever hands over never blocks.
        let (hand_over, turn) = bounded(1);
        state.waiting.push_back(Waiter { ticket, hand_over });
        Ok(Turn::Wait { ticket, turn })
    }

    /// Leaves the queue, unless a buffer was handed over since the time was up.
    fn give_up(&self, ticket: u64, turn: &Receiver<Blocks>) -> Result<Blocks, PoolBusy> {
        let mut state = self.state.lock();
        // Buffers are handed over under this mutex: from here on none can get lost.
        if let Ok(blocks) = turn.try_recv() {
            return Ok(blocks);
        }
        state.waiting.retain(|waiter| waiter.ticket != ticket);
        Err(PoolBusy)
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
    use std::thread;

    use super::*;
    use crate::clock::{Mono, Wall};

    const FOREVER_MS: u64 = 60_000;

    fn pool(buffers: usize, queue: usize, wait_ms: u64) -> Pool {
        let clock = Clock::manual(Mono(0), Wall(0));
        Pool::new(clock, PoolSize { buffers, queue, wait_ms })
    }

    fn until(condition: impl Fn() -> bool) {
        while !condition() {
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
            assert!(matches!(pool.queue_up(), Err(PoolBusy)), "one more may wait");
            drop(held);
            assert_eq!(waiter.join().unwrap(), Ok(()));
        });
    }

    #[test]
    fn pool_wait_over_leaves_queue() {
        let pool = pool(1, 1, 1);
        let held = pool.borrow().unwrap();
        assert_eq!(pool.borrow().map(drop), Err(PoolBusy));
        assert_eq!(pool.waiting(), 0);
        drop(held);
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
