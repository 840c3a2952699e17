//! How much of a thread is told at once.

/// Posts shown above an opened one.
pub const ANCESTORS_SHOWN: usize = 20;
/// Replies on a page of a thread.
pub const REPLIES_PAGE: usize = 30;
/// Replies told at once to a web server of an earlier version, which shows all of them.
pub const REPLIES_TOLD_MAX: usize = 200;
/// Posts told to an app of what a post answers. Source: what Mastodon tells strangers, and apps show hardly
/// as many.
pub const API_ABOVE_MAX: usize = 40;
/// Replies told of a post to a member's app...
pub const API_BELOW_MAX: usize = 200;
/// ...and to strangers. Source: what Mastodon tells them.
pub const API_BELOW_STRANGERS_MAX: usize = 60;
/// Bytes after which that list ends for an app: three hundred posts as people write them, or some dozens that
/// consist of names and tags alone, of which each becomes a link.
pub const API_BELOW_BYTES_MAX: usize = 1024 * 1024;
/// Posts that a thread is followed up for its beginning.
pub const THREAD_STEPS_MAX: usize = 2_000;

const _: () =
    assert!(REPLIES_PAGE <= API_BELOW_STRANGERS_MAX && API_BELOW_STRANGERS_MAX < API_BELOW_MAX);
