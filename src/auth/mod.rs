//! Signing in: what a password must be, how it is hashed and compared, what a session's token is,
//! and how often a stranger may try.
//!
//! It is *not* where accounts and sessions live: those are entries of the user's file. Nothing here
//! opens a file or a socket.
//!
//! Invariants:
//! - a password is never kept, printed or cut; a token is never printed, and stored only as its hash;
//! - secrets come from the system's generator alone and are compared in constant time;
//! - a name that nobody has costs as much, and answers the same, as one with a wrong password;
//! - never more memory for hashing than the pool's buffers, however many ask.
//!
//! Threads: any connection's thread enters. [`password::Hasher`] makes it wait its turn, up to
//! `limits::PASSWORD_HASH_WAIT_MS`; so never hash under a user's lock. [`throttle::Throttle`] never
//! waits on anything but its own short mutexes.

pub mod link;
pub mod password;
pub mod policy;
pub mod session;
pub mod throttle;

/// Why nothing can be said about a password, or no token made. None of them names a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Too many passwords are being hashed; nothing was done.
    #[error("too many passwords to hash, retry after {retry_after_s} s")]
    Busy {
        /// Seconds after which to try again.
        retry_after_s: u32,
    },
    /// More bytes than `limits::PASSWORD_BYTES_MAX`: the policy was not asked before.
    #[error("the password is too long to be hashed")]
    PasswordTooLong,
    /// What is stored is no Argon2 record.
    #[error("the stored password record is malformed: {0}")]
    Malformed(&'static str),
    /// What is stored asks for more memory or time than any record of ours.
    #[error("the stored password record asks for m={kib} KiB t={passes} p={lanes}")]
    TooCostly {
        /// Memory it asks for.
        kib: u32,
        /// Passes it asks for.
        passes: u32,
        /// Lanes it asks for.
        lanes: u32,
    },
    /// No memory for a buffer.
    #[error("no memory to hash a password")]
    OutOfMemory,
    /// The system's generator gave nothing.
    #[error("the system's random generator failed")]
    Random(#[source] getrandom::Error),
    /// Argon2 refused its input.
    #[error("hash a password")]
    Hash(#[source] argon2::Error),
}
