//! What is told of how a community is kept: who may join, what stands between people, what keepers see.

use serde::{Deserialize, Serialize};

use super::request::{Person, PostPage, PostView};
use crate::action::{Cursor, KeepersDeed};
use crate::clock::Wall;
use crate::id::UserName;
use crate::json::tagged;
use crate::user::entry::{CodeHash, House, PostRef, Signup};

/// What keeps a member from writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Hindered {
    /// No keeper has let them in yet.
    Waiting,
    /// They were not let in.
    Refused {
        /// Why.
        reason: String,
    },
    /// For a while.
    Suspended {
        /// Until when; absent for until a keeper lifts it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Wall>,
        /// Why.
        reason: String,
    },
}

tagged!(Hindered, "is");

/// What stands between a member and the one who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Apart {
    /// The one who asks mutes them.
    #[serde(default)]
    pub mutes: bool,
    /// The one who asks blocks them.
    #[serde(default)]
    pub blocks: bool,
    /// They block the one who asks.
    #[serde(default)]
    pub is_blocked: bool,
}

/// Whom somebody mutes or blocks, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptApart {
    /// At most `limits::PEOPLE_PAGE`.
    pub people: Vec<ApartRow>,
    /// The last name of this page, if more follow: `after` of the next request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_after: Option<UserName>,
}

/// Somebody whom the one who asks mutes or blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApartRow {
    /// Who.
    pub person: Person,
    /// What stands between them.
    pub apart: Apart,
}

/// What strangers are shown first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Welcome {
    /// Who may join.
    pub signup: Signup,
    /// What the keeper says to them; may be empty.
    pub words: String,
    /// The newest posts, if they are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts: Option<PostPage>,
}

/// One's own invitations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitations {
    /// Whether one may make any.
    pub may_invite: bool,
    /// Those that stand, the newest first; at most `limits::INVITATIONS_MAX`.
    pub rows: Vec<InvitationRow>,
}

/// A code with which others may join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationRow {
    /// Its hash.
    pub code: CodeHash,
    /// When it was made.
    pub made_at: Wall,
    /// Until when it stands.
    pub until: Wall,
    /// How many may join with it.
    pub uses: u32,
    /// Who did, or was about to; at most `limits::INVITATION_USES_MAX`.
    pub used_by: Vec<UserName>,
}

/// What was reported, the longest waiting first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportsPage {
    /// At most `limits::REPORTS_PAGE`.
    pub posts: Vec<ReportedPost>,
    /// Where the list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
    /// How many people wait to be let in.
    pub asking_in: u32,
}

/// A post that was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedPost {
    /// Which.
    pub of: PostRef,
    /// The same with its text; absent if it does not stand any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<PostView>,
    /// Why, oldest first.
    pub reports: Vec<ReportRow>,
}

/// Why somebody thinks that a keeper should look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRow {
    /// Who.
    pub by: UserName,
    /// When.
    pub at: Wall,
    /// Why.
    pub reason: String,
}

/// Members, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersPage {
    /// At most `limits::PEOPLE_PAGE`.
    pub members: Vec<MemberRow>,
    /// Where the list goes on: `after` of the next request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_after: Option<UserName>,
}

/// A member as keepers see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// Who.
    pub person: Person,
    /// Since when.
    pub joined_at: Wall,
    /// Whether they are a keeper.
    pub is_keeper: bool,
    /// Who invited them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inviter: Option<UserName>,
    /// What keeps them from writing, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hindered: Option<Hindered>,
}

/// What keepers did, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// At most `limits::LOG_PAGE`.
    pub acts: Vec<LogRow>,
    /// Where the list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
}

/// Something that a keeper did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRow {
    /// When.
    pub at: Wall,
    /// Who.
    pub keeper: UserName,
    /// What; absent for a change of how the community is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<KeepersDeed>,
    /// Until when, of a suspension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Wall>,
    /// Why; may be empty.
    pub reason: String,
    /// How the community was kept from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub house: Option<House>,
    /// How it was kept until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub house_before: Option<House>,
    /// Whether nobody has said anything newer about the same.
    pub is_newest: bool,
}
