//! How slow a line between two machines may be, and what that makes of the time they give each other.

use super::{PEER_ANSWER_MS, SUMS_PAGE_ROWS, WRITE_BYTES_MAX};

/// Milliseconds that a round trip between two machines may take: half-way round the world.
pub const ROUND_TRIP_MS_MAX: u64 = 300;
/// Bytes a millisecond that a long frame may count on, 256 kbit/s: what a line of 2 Mbit/s leaves each of a few.
pub const FRAME_BYTES_PER_MS_MIN: u64 = 32;
/// Milliseconds that one piece of a long frame may take, of [`WRITE_BYTES_MAX`] or one message: whoever hangs
/// half-way is not waited for as long as the whole of it may take.
pub const FRAME_STALL_MS: u64 = 4_000;
/// Bytes that the system may hold of what a connection sends (Linux doubles it). On a slow line what it holds
/// stands in the way of pings and locks, and nobody sees whether it goes on.
pub const SEND_BUFFER_BYTES: usize = 32 * 1024;
/// Milliseconds for a page of what a machine holds: a row has hardly more than 200 bytes.
pub const SUMS_MS: u64 = PEER_ANSWER_MS + SUMS_PAGE_ROWS as u64 * 200 / FRAME_BYTES_PER_MS_MIN;

const _: () = assert!(WRITE_BYTES_MAX as u64 / FRAME_BYTES_PER_MS_MIN <= FRAME_STALL_MS);
