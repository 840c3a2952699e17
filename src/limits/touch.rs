//! Who is up, who is in touch with whom, and what a machine that is not trusts of what it holds.

use super::PEER_ANSWER_MS;

/// Milliseconds between two pings of a peer, and how long its answer is waited for.
pub const PING_MS: u64 = 400;
/// The same from a web server to its only backend: there is no other to ask instead.
pub const PING_ONLY_MS: u64 = 1_000;
/// Pings a silent peer may miss before it is suspected.
pub const PINGS_MISSED_MAX: u32 = 3;
/// Milliseconds after which every page knows of a machine that died, froze or came back.
pub const PAGES_FOLLOW_MS: u64 = 2_000;
/// Milliseconds for which the last ping that a majority answered says that nobody gave this machine up: from
/// then on it may have stood still, and compares what it holds before it trusts a session. A ping that comes
/// back as late as it may is in time.
pub const OUT_OF_TOUCH_MS: u64 = 2 * PING_MS + 100;
/// Milliseconds for which a machine that nobody answers asks again before it says that it may be behind: by
/// then enough pings were missed for it to know that it is cut off.
pub const ASK_AGAIN_MS: u64 = PAGES_FOLLOW_MS - OUT_OF_TOUCH_MS;
/// Milliseconds between two times that it asks.
pub const ASK_AGAIN_LOOK_MS: u64 = 50;
/// Seconds without a majority after which a machine trusts no session.
pub const SESSION_TRUST_S: u64 = 60;
/// Milliseconds a started machine waits for its first agreement before it serves lists.
pub const FIRST_AGREEMENT_MS: u64 = 2_000;

// It may freeze right after a pong, and then the misses follow; the rest is for drawing the page.
const _: () = assert!((PINGS_MISSED_MAX as u64 + 1) * PING_MS + 400 <= PAGES_FOLLOW_MS);
// Others go on without a machine once it missed so many pings, and tell that a session is over once it was
// silent for so long; by then it must know that it stood still.
const _: () = assert!(OUT_OF_TOUCH_MS < PINGS_MISSED_MAX as u64 * PING_MS);
const _: () = assert!(OUT_OF_TOUCH_MS < PEER_ANSWER_MS);
