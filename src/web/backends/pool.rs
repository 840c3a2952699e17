//! Idle connections to one backend, kept because a handshake costs more than a request.

use parking_lot::Mutex;

use crate::clock::Mono;
use crate::limits::{POOL_CONNECTIONS_MAX, POOL_IDLE_S};
use crate::transport::Connection;

/// Idle connections, the one used last at the end.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<Idle>>);

struct Idle {
    connection: Connection,
    since: Mono,
}

impl Pool {
    /// The connection used last, so that those not needed grow old and end; none that the backend
    /// closed meanwhile.
    pub(super) fn take(&self) -> Option<Connection> {
        loop {
            let idle = self.0.lock().pop()?;
            if idle.connection.is_quiet() {
                return Some(idle.connection);
            }
        }
    }

    /// Keeps a connection on which no answer is due, if there is room.
    pub(super) fn put(&self, connection: Connection, now: Mono) {
        let idle = Idle { connection, since: now };
        let mut pool = self.0.lock();
        if pool.len() < POOL_CONNECTIONS_MAX {
            pool.push(idle);
        }
    }

    /// Ends those that nobody used for [`POOL_IDLE_S`].
    pub(super) fn sweep(&self, now: Mono) {
        let mut pool = self.0.lock();
        let is_old = |idle: &Idle| now.since_ms(idle.since) >= POOL_IDLE_S * 1_000;
        let count_old = pool.partition_point(is_old);
        pool.drain(..count_old);
    }

    /// Ends all: the backend is suspected.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.lock().len()
    }
}
