//! What apps may ask for, and how much.

use super::{
    APART_MAX, BODY_BYTES_MAX, EDITS_MAX, EXPORT_POSTS, EXPORT_TEXT_BYTES, FOLLOWS_MAX,
    POST_CHARS_MAX, RESPONSE_BYTES_MAX,
};

/// Calls of one app for one person, and of one address (IPv6: one /64) with all that opens nobody's session,
/// in [`API_CALLS_MS`]. Source: what Mastodon allows, to which apps are made.
pub const API_CALLS_MAX: u32 = 300;
/// Milliseconds over which [`API_CALLS_MAX`] counts.
pub const API_CALLS_MS: u64 = 5 * 60_000;
/// Posts, or people, of a page for apps, at most.
pub const API_PAGE_MAX: usize = 80;
/// Posts that an app asks for together by their numbers. Source: as [`API_CALLS_MAX`].
pub const API_STATUSES_MAX: usize = 20;
/// And people.
pub const API_ACCOUNTS_MAX: usize = 40;
/// Days for which the address of a picture that strangers are not shown is good, today among them: it says
/// for whose eyes it is, and apps keep it with the post.
pub const APP_PICTURE_DAYS: u64 = 3;
/// Posts that stand first on somebody's profile: a page begins with one, and an app is refused another.
pub const PINNED_MAX: usize = 1;
/// Tags of a list that apps ask for together, of each kind.
pub const API_TAGS_MAX: usize = 4;
/// Posts that an app reports together.
pub const API_REPORTED_MAX: usize = 10;
/// Parts of a list that are looked at for one such page where not all of it is wanted.
pub const API_WALKS_MAX: usize = 5;
/// What can be chosen in a poll. Source: what Mastodon allows, to which apps are made.
pub const POLL_OPTIONS_MAX: usize = 4;
/// The fewest that are a choice.
pub const POLL_OPTIONS_MIN: usize = 2;
/// How many are read of a file: a later version may allow more.
pub const POLL_OPTIONS_READ: usize = 32;
/// Characters of each. Source: as [`POLL_OPTIONS_MAX`].
pub const POLL_OPTION_CHARS_MAX: usize = 50;
/// Seconds for which a poll takes votes, at least. Source: as [`POLL_OPTIONS_MAX`].
pub const POLL_S_MIN: u32 = 300;
/// And at most: a month. Source: as [`POLL_OPTIONS_MAX`].
pub const POLL_S_MAX: u32 = 2_629_746;
/// Polls of one member that stand: each is in memory with all that can be chosen.
pub const POLLS_MAX: usize = 1_000;
/// Polls in which somebody can vote in all: as many as they can bookmark posts.
pub const VOTES_MAX: usize = 5_000;
/// Requests of which a web server remembers that nobody knows what became of them.
pub const UNSURE_KEPT: usize = 1_024;
/// Milliseconds for which a backend that took a request and answered nothing in all its time is asked last,
/// however well it answers pings: then one request finds out. A disk that hangs does so for minutes, and
/// whoever waits in vain for one that is well again is served by another meanwhile.
pub const STUCK_MS: u64 = 30_000;
/// Threads of which somebody can want to hear nothing.
pub const MUTED_THREADS_MAX: usize = 5_000;
/// Fields of what an app sends: a poll or a profile has a dozen, and a list of ids is one.
pub const API_FIELDS_MAX: usize = 250;
/// Bytes of the name of each, brackets and all: the longest that says something has thirty. In JSON all items
/// of a list have the list's name, which stands in the body once.
pub const API_NAME_BYTES_MAX: usize = 256;
/// Bytes of all names and values together: a body, and as many items of a list as there may be, each with
/// the longest name.
pub const API_SAID_BYTES_MAX: usize = 2 * BODY_BYTES_MAX;
/// How deep the JSON that an app sends may lie: `home[last_read_id]` is two.
pub const API_DEPTH_MAX: usize = 4;
/// People whose last seen version is remembered for their apps, which send none themselves.
pub const API_SEEN_MAX: usize = 10_000;
/// Milliseconds within which an app must come back with the code that it was given: RFC 6749, section
/// 4.1.2, recommends ten minutes at most.
pub const APP_CODE_MS: u64 = 10 * 60_000;
/// Characters of what an app calls itself.
pub const APP_NAME_CHARS_MAX: usize = 60;
/// Bytes of an app's page's address.
pub const APP_WEBSITE_BYTES_MAX: usize = 200;
/// Addresses to which an app may have people sent back.
pub const APP_REDIRECTS_MAX: usize = 10;
/// Bytes of all that an app says of itself, which its `client_id` holds: that stands in addresses, once
/// more as the address to go on to after signing in.
pub const APP_BYTES_MAX: usize = 1_200;
/// Posts among which the last one that is kept from nobody is looked for, to tell when it was written.
pub const LAST_POSTS_LOOKED_AT: usize = 200;

// The first part of what a member takes along has all whom they follow, mute and block, how they voted and
// which threads they mute, beside posts.
const _: () = assert!(
    6 * (EXPORT_TEXT_BYTES + (EDITS_MAX + 1) * POST_CHARS_MAX * 4)
        + EXPORT_POSTS * 1024
        + (FOLLOWS_MAX + 2 * APART_MAX) * 32
        + VOTES_MAX * 128
        + MUTED_THREADS_MAX * 96
        < RESPONSE_BYTES_MAX
);
const _: () = assert!(API_FIELDS_MAX * API_NAME_BYTES_MAX + BODY_BYTES_MAX <= API_SAID_BYTES_MAX);
