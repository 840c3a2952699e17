//! The lock protocol.

pub mod version;
