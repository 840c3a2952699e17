//! What one hears who listens.

use serde::{Deserialize, Serialize};

use super::request::{NewsRow, PostView};
use crate::action::Heard;
use crate::user::entry::PostRef;

/// What happened, in the order in which the answering machine came to show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardPage {
    /// About `limits::STREAM_EVENTS` of them at most.
    pub events: Vec<HeardEvent>,
    /// To go on from.
    pub heard: Heard,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeardEvent {
    /// A post, or with [`PostView::reposted_by`] a repost.
    Posted(Box<PostView>),
    /// A post says something else.
    Edited(Box<PostView>),
    /// A post is gone, or not for the one who listens any more.
    Deleted(PostRef),
    /// It concerns them.
    News(NewsRow),
}
