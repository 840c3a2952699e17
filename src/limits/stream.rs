//! Bounds of what goes on for as long as somebody listens, and of the order in which they hear it.

use super::{GATE_CONNECTIONS_MAX, SESSION_TRUST_S};

/// Answers of a web server that go on for as long as somebody listens; with more, apps ask now and then.
pub const GATE_STREAMS_MAX: usize = 64;
/// One in so many of them is one member's: eight, for all that they read with at a time.
pub const GATE_STREAMS_MEMBER_PART: usize = 8;
/// Milliseconds until such an answer ends and is asked for anew.
pub const GATE_STREAM_MS_MAX: u64 = 3_600_000;
/// Milliseconds between two looks for what happened: what one who reads along does not notice.
pub const STREAM_PAUSE_MS: u32 = 1_000;
/// Milliseconds of silence after which a sign of life is sent: proxies cut off what is silent for longer.
pub const STREAM_BEAT_MS: u64 = 15_000;
/// Events told at once; what is beyond comes with the next look.
pub const STREAM_EVENTS: usize = 20;
/// Milliseconds by which one machine may come to know of a post later than another, for those who listen to
/// the one and then to the other.
pub const STREAM_TOLD_MS: u64 = 60_000;
/// Of what was told in that time, so much is remembered: in 1.5 kB, which go along with each look.
pub const STREAM_TOLD_MAX: usize = 128;
/// Changes of posts, follows and likes that are kept for those who listen: far more than happen between two
/// looks.
pub const RECENT_CHANGES_KEPT: usize = 4_096;
/// Milliseconds by which what somebody wrote may be ahead of the clock here for what is written next to come
/// after it all the same: so far a machine whose clock is wrong takes the times of all along, for an hour,
/// and beyond that its own posts alone. Clocks that a time zone or a minute without the network put
/// wrong are within.
pub const ORDER_AHEAD_MS_MAX: u64 = 3_600_000;

const _: () = assert!(4 * GATE_STREAMS_MAX <= GATE_CONNECTIONS_MAX);
const _: () = assert!((STREAM_PAUSE_MS as u64) < STREAM_BEAT_MS);
const _: () = assert!(STREAM_EVENTS < RECENT_CHANGES_KEPT);
const _: () = assert!(STREAM_EVENTS < STREAM_TOLD_MAX);
// The session that listens is looked at far more often than it is trusted without a majority.
const _: () = assert!((STREAM_PAUSE_MS as u64) < SESSION_TRUST_S * 1000);
