//! What goes wrong on the way between two processes.

use std::io;

/// Why a connection could not be made, or did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Nobody listens there, or the connection was reset at once: the machine says that the process
    /// is gone. Silence is [`Self::TimedOut`].
    #[error("{addr} refused the connection")]
    Refused {
        /// Who.
        addr: String,
        /// In the system's words.
        source: io::Error,
    },
    /// Another process listens there already.
    #[error("{addr} is in use by another process")]
    InUse {
        /// The address that was to be listened at.
        addr: String,
        /// In the system's words.
        source: io::Error,
    },
    /// The system failed an operation.
    #[error("cannot {op} {addr}")]
    Io {
        /// What was tried: a verb.
        op: &'static str,
        /// With whom.
        addr: String,
        /// In the system's words.
        source: io::Error,
    },
    /// The deadline passed. The connection is dead: half a frame may be under way.
    #[error("{addr} did not answer in time")]
    TimedOut {
        /// Who.
        addr: String,
    },
    /// Nothing arrived yet; the connection is as good as before.
    #[error("nothing arrived yet")]
    Idle,
    /// The other side, or this one, closed the connection, now or earlier.
    #[error("{addr} closed the connection")]
    Closed {
        /// Who.
        addr: String,
    },
    /// A frame longer than is taken, or than may be sent.
    #[error("a frame of {announced} bytes, {max} are allowed")]
    TooLarge {
        /// Bytes it would have.
        announced: usize,
        /// Bytes it may have.
        max: usize,
    },
    /// The two sides do not share the key, or one of them is no Tern.
    #[error("no handshake with {addr}: {why}")]
    Handshake {
        /// Who.
        addr: String,
        /// What was wrong.
        why: &'static str,
    },
    /// Bytes that this program never sends: damaged, forged or replayed.
    #[error("{addr} sent what makes no sense: {why}")]
    Malformed {
        /// Who.
        addr: String,
        /// What was wrong.
        why: &'static str,
    },
}
