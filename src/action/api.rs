//! What apps ask for: to be allowed to act for somebody, and what they show them.

use serde::{Deserialize, Serialize};

use super::{Opening, RequestKey};
use crate::id::{Hash128, PostId, RequestId, UserName};
use crate::text::Tag;
use crate::user::entry::{App, PostRef, is_not};

/// Data of [`super::Action::AllowApp`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowApp {
    /// The form's key.
    pub key: RequestKey,
    /// Which app, what for, and what its code is bound to.
    pub app: App,
    /// The code to be given to it: a token, and whence it was allowed.
    pub opening: Opening,
}

/// Data of [`super::Action::RedeemCode`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedeemCode {
    /// A fresh one: what is asked twice is told apart by the code.
    pub key: RequestKey,
    /// Whose code.
    pub username: UserName,
    /// The code.
    pub code: String,
    /// Which app says so: the first half of the SHA-256 of its `client_id`.
    pub client: Hash128,
    /// Its redirect address and challenge, hashed.
    pub bound: Hash128,
    /// What is as good: the same of a code that was asked for without an address, where the one that comes
    /// with it is where it was sent all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub or_bound: Option<Hash128>,
    /// The session to open.
    pub opening: Opening,
}

/// Data of [`super::Action::Api`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiRead {
    /// How large the community is.
    Community,
    /// One member; if nobody is named, oneself.
    Account {
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<UserName>,
    },
    /// How one stands with these people.
    Relations {
        /// With whom.
        usernames: Vec<UserName>,
    },
    /// Members whose names begin so.
    Members {
        /// As typed.
        query: String,
        /// How many at most.
        limit: u16,
    },
    /// Who follows somebody, or whom somebody follows, or whom one mutes or blocks.
    People {
        /// Which of them.
        list: PeopleList,
        /// Whose; one's own where that is all there is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<UserName>,
        /// Only names after this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<UserName>,
        /// How many at most.
        limit: u16,
    },
    /// One post, by its number or that of a repost.
    Status {
        /// The number.
        id: PostId,
    },
    /// The repost that one has made of a post.
    OwnRepost {
        /// Of which.
        post: PostRef,
    },
    /// What the post answers that one has made by a request.
    AnsweredIn {
        /// Which.
        request: RequestId,
    },
    /// What a post answers and what answers it.
    Context {
        /// Its number.
        id: PostId,
    },
    /// What concerns one.
    News(NewsPart),
    /// A picture that one sent and has not posted.
    Picture {
        /// Its number.
        id: PostId,
    },
    /// Posts in which words stand.
    Found {
        /// As typed.
        query: String,
        /// Only what is older.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<PostId>,
    },
    /// Posts of a list.
    Statuses {
        /// Which.
        list: StatusList,
        /// Only what is older.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<PostId>,
        /// Only what is newer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        above: Option<PostId>,
        /// Whether to begin at the older end.
        #[serde(default, skip_serializing_if = "is_not")]
        is_rising: bool,
        /// How many at most.
        limit: u16,
    },
}

/// A part of what concerns somebody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "five kinds, each asked for or not")]
pub struct NewsPart {
    /// Only what is older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<PostId>,
    /// Only what is newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<PostId>,
    /// Whether to begin at the older end.
    #[serde(default, skip_serializing_if = "is_not")]
    pub is_rising: bool,
    /// Posts that name one.
    #[serde(default, skip_serializing_if = "is_not")]
    pub named: bool,
    /// Who began to follow one.
    #[serde(default, skip_serializing_if = "is_not")]
    pub followed: bool,
    /// Who likes a post of one's own. A web server of an earlier version asks for none of these.
    #[serde(default, skip_serializing_if = "is_not")]
    pub liked: bool,
    /// Who reposted one.
    #[serde(default, skip_serializing_if = "is_not")]
    pub reposted: bool,
    /// The end of a poll that one asked or answered.
    #[serde(default, skip_serializing_if = "is_not")]
    pub ended: bool,
    /// If given, only what this one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserName>,
    /// How many at most.
    pub limit: u16,
}

/// A list of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleList {
    /// Who follows somebody.
    Followers,
    /// Whom somebody follows.
    Following,
    /// Whom one mutes.
    Muted,
    /// Whom one blocks.
    Blocked,
}

/// A list of posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusList {
    /// Of those one follows, and one's own.
    Home,
    /// Everybody's.
    Everyone,
    /// Everybody's that have pictures.
    Pictured,
    /// What bears any of some tags.
    Tagged {
        /// Which.
        any: Vec<Tag>,
        /// And all of these.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        all: Vec<Tag>,
        /// And none of these.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        none: Vec<Tag>,
        /// Only what has pictures.
        #[serde(default, skip_serializing_if = "is_not")]
        only_pictures: bool,
    },
    /// One member's.
    Of {
        /// Whose.
        username: UserName,
        /// Without what answers others.
        no_replies: bool,
        /// Without what they reposted.
        no_reposts: bool,
        /// Only what bears this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<Tag>,
        /// Only what has pictures; no repost has any of its own.
        #[serde(default, skip_serializing_if = "is_not")]
        only_pictures: bool,
    },
    /// The one that stands first on a member's profile.
    Pinned {
        /// Whose.
        username: UserName,
    },
    /// What one bookmarked, the last bookmarked first.
    Bookmarks,
    /// What one likes, by the posts' own time: when one began to like it nobody keeps.
    Favourites,
}
