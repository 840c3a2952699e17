//! What a machine's disk is given time for, and what of a user's file is for whom.

use super::{FRAME_BYTES_PER_MS_MIN, PEER_FETCH_MS, USER_FILE_BYTES_MAX};

/// Milliseconds of one write with its flush from which the disk is said to be slow, and answers no ping: the
/// whole act of somebody who posts has hardly more.
pub const DISK_SLOW_MS: u64 = 1_000;
/// Milliseconds in which a user's longest file comes from another machine: it is read and checked there, and
/// sent over the slowest line.
pub const FETCH_MS_MAX: u64 = PEER_FETCH_MS + USER_FILE_BYTES_MAX as u64 / FRAME_BYTES_PER_MS_MIN;
/// Milliseconds between two looks whether a write that hangs is over.
pub const DISK_LOOK_MS: u64 = 50;
/// Milliseconds in which that is said once.
pub const DISK_SLOW_TOLD_MS: u64 = 60_000;
/// Bytes of a user's file in which no posts are written, but what makes room and who signs in: some
/// thousand lines.
pub const USER_FILE_ROOM_BYTES: usize = 1024 * 1024;
/// Bytes at its very end, for lines without content: they settle what was left open.
pub const USER_FILE_LAST_BYTES: usize = 64 * 1024;
