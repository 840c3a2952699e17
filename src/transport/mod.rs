//! Connections between processes: blocking, authenticated, encrypted, in frames. Knows no message.
//!
//! ```text
//!   dialler                                   acceptor
//!   role byte, e, psk      ──────────────▶    knows the key? else silence and a closed socket
//!                          ◀──────────────    e, ee
//!   confirmation           ──────────────▶    now it is no stranger any more
//!   frames                 ◀─────────────▶    frames
//! ```
//!
//! What holds here:
//! - A stranger learns nothing and has [`crate::limits::HANDSHAKE_MS`] in all. Recording a dialler's
//!   first bytes and sending them again gets no further: the confirmation needs the session's keys.
//! - Every read and write has an absolute deadline, so a slow drip buys no time.
//! - Memory grows with what has arrived, never with what was announced.
//! - No bytes make it panic. A connection that saw a wrong one is dead and says so ever after.
//! - No key is ever printed.
//!
//! Threads: `accept`, `accept-stop` and one `conn-N` a connection, all in [`listener`].

pub mod connection;
mod error;
pub(crate) mod frame;
pub mod key;
pub mod listener;
mod secure;
mod socket;

pub use connection::{Closer, Connection};
pub use error::TransportError;
pub use frame::Frame;
pub use key::{ClusterKey, KeyError, Keys};
pub use listener::Listener;
pub use secure::Role;

#[cfg(test)]
pub(crate) mod tests;
