//! What one hears who listens.

use serde::{Deserialize, Serialize};

use super::request::{AccountView, StatusView};
use crate::action::Heard;
use crate::clock::Wall;
use crate::id::UserName;
use crate::user::entry::PostRef;

/// What happened, in the order in which the answering machine came to show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardPage {
    /// About `limits::STREAM_EVENTS` of them at most.
    pub events: Vec<HeardEvent>,
    /// Everybody who is named in them.
    pub accounts: Vec<AccountView>,
    /// To go on from.
    pub heard: Heard,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeardEvent {
    /// A post, or a repost.
    Posted(Box<StatusView>),
    /// A post says something else.
    Edited(Box<StatusView>),
    /// A post is gone, or not for the one who listens any more.
    Deleted(PostRef),
    /// A post names the one who listens.
    Named(Box<StatusView>),
    /// Somebody follows them since then.
    Followed(UserName, Wall),
    /// Somebody likes a post of theirs since then. This and the next only to who asked for it:
    /// [`crate::action::Listen::marks`].
    Liked(Box<StatusView>, UserName, Wall),
    /// Somebody reposted a post of theirs then.
    Reposted(Box<StatusView>, UserName, Wall),
    /// A poll is over since then that they asked or answered. Only to who asked for it:
    /// [`crate::action::Listen::ends`].
    PollEnded(Box<StatusView>, Wall),
}
