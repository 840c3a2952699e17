//! Who is up, who is in touch with whom, and what a machine that is not trusts of what it holds.

use super::{ATTEMPT_MS, DIAL_MS, PEER_ANSWER_MS, ROUND_TRIP_MS_MAX, WRITE_MS_MAX};

/// Milliseconds between two pings of a peer.
pub const PING_MS: u64 = 400;
/// Milliseconds of silence after a ping from which a peer is suspected. Where a picture is on its way down a
/// slow line, an answer comes late and says as much as one in time.
pub const PING_SILENCE_MS: u64 = 1_200;
/// Milliseconds a peer has to say who it is, from the first packet on: three round trips.
pub const GREET_MS: u64 = 1_200;
/// The same from a web server to its only backend: there is no other to ask instead.
pub const PING_ONLY_MS: u64 = 1_000;
/// Pings that a backend may leave a web server without an answer before it is suspected.
pub const PINGS_MISSED_MAX: u32 = 3;
/// Milliseconds after which every page knows of a machine that died, froze or came back.
pub const PAGES_FOLLOW_MS: u64 = 2_000;
/// Milliseconds for which the last ping that a majority answered says that nobody gave this machine up: from
/// then on it may have stood still, and compares what it holds before it trusts a session. A ping that comes
/// back as late as it may on a line that is not full is in time.
pub const OUT_OF_TOUCH_MS: u64 = 2 * PING_MS + 50;
/// Milliseconds for which a machine that nobody answers asks again before it says that it may be behind: by
/// then enough pings were missed for it to know that it is cut off.
pub const ASK_AGAIN_MS: u64 = PAGES_FOLLOW_MS - OUT_OF_TOUCH_MS;
/// Milliseconds between two times that it asks.
pub const ASK_AGAIN_LOOK_MS: u64 = 50;
/// Milliseconds for which it is waited that a machine passes on what others are to hear who are not in touch here.
pub const PASSED_ON_MS: u64 = 2 * PEER_ANSWER_MS;
/// Seconds without a majority after which a machine trusts no session.
pub const SESSION_TRUST_S: u64 = 60;
/// Milliseconds a started machine waits for its first agreement before it serves lists.
pub const FIRST_AGREEMENT_MS: u64 = 2_000;

// It may freeze right after a pong, and then the misses follow; the rest is for drawing the page.
const _: () = assert!((PINGS_MISSED_MAX as u64 + 1) * PING_MS + 400 <= PAGES_FOLLOW_MS);
const _: () = assert!(PING_MS + PING_SILENCE_MS + 400 <= PAGES_FOLLOW_MS);
// Others go on without a machine once it left a ping so long without an answer, and tell that a session is over
// once it was silent for so long, what they asked having been under way for half a round trip; by then it must
// know that it stood still.
const _: () = assert!(OUT_OF_TOUCH_MS + ROUND_TRIP_MS_MAX / 2 < PING_SILENCE_MS);
const _: () = assert!(OUT_OF_TOUCH_MS + ROUND_TRIP_MS_MAX / 2 <= PEER_ANSWER_MS);
// Whoever is asked to pass it on is asked once the others have not heard it by themselves, and the page is to be told.
const _: () = assert!(WRITE_MS_MAX + PEER_ANSWER_MS + PASSED_ON_MS < ATTEMPT_MS);
// On the longest line machines meet, know each other well, and save.
const _: () = assert!(3 * ROUND_TRIP_MS_MAX < GREET_MS && 2 * ROUND_TRIP_MS_MAX < DIAL_MS);
const _: () = assert!(PING_MS + ROUND_TRIP_MS_MAX < OUT_OF_TOUCH_MS);
const _: () = assert!(2 * ROUND_TRIP_MS_MAX < WRITE_MS_MAX);
