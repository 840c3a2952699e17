//! What a machine's disk is given time for.

/// Milliseconds of one write with its flush from which the disk is said to be slow: the whole act of
/// somebody who posts has hardly more.
pub const DISK_SLOW_MS: u64 = 1_000;
/// Milliseconds in which that is said once.
pub const DISK_SLOW_TOLD_MS: u64 = 60_000;
