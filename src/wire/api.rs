//! What apps are told.

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::user::entry::is_not;

/// An answer to an [`crate::action::ApiRead`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiReply {
    /// How large the community is.
    Community(CommunityView),
    /// One member.
    Account(AccountView),
}

/// How large the community is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityView {
    /// How many have an account.
    pub members: u64,
    /// How many posts stand.
    pub posts: u64,
    /// Whether anybody may join.
    pub is_open: bool,
    /// Whether keepers let in who joins.
    pub is_approved: bool,
    /// What is said to strangers; may be empty.
    pub words: String,
}

/// A member, as apps show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// The user name.
    pub username: UserName,
    /// The name shown.
    pub display_name: String,
    /// What they say of themselves.
    pub bio: String,
    /// Since when they are here.
    pub joined_at: Wall,
    /// Whether only members see their posts.
    #[serde(default, skip_serializing_if = "is_not")]
    pub members_only: bool,
    /// Their newest post that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_post: Option<PostId>,
    /// How many follow them.
    pub followers: u32,
    /// How many they follow.
    pub following: u32,
    /// How many of their posts stand.
    pub posts: u32,
}
