//! Whom one person may be tied to, or kept from.

/// People one user may follow.
pub const FOLLOWS_MAX: usize = 5_000;
/// People one user may mute, and as many they may block.
pub const APART_MAX: usize = 5_000;
/// Seconds for which one may mute somebody, where not for good: ten years.
pub const MUTE_S_MAX: u32 = 10 * 365 * 24 * 60 * 60;
/// Followers whom one user may have removed, by unblocking them too. One more is refused: were the oldest
/// forgotten instead, that one's following would count again, unasked.
pub const REMOVED_FOLLOWERS_MAX: usize = 5_000;
