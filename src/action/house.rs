//! What is asked of the community's keeping: reports, invitations, what keepers do and look at.

use serde::{Deserialize, Serialize};

use super::RequestKey;
use crate::clock::Wall;
use crate::id::UserName;
use crate::json::tagged;
use crate::user::entry::{CodeHash, House, PostRef};

/// Data of [`Action::Report`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The form's key.
    pub key: RequestKey,
    /// Which post.
    pub post: PostRef,
    /// As typed.
    pub reason: String,
}

/// Data of [`Action::Invite`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// The form's key.
    pub key: RequestKey,
    /// The hash of the code, which only its maker's browser is shown.
    pub code: CodeHash,
    /// How many may join with it.
    pub uses: u32,
    /// For how many days.
    pub days: u32,
}

/// Data of [`Action::EndInvitation`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndInvitation {
    /// The form's key.
    pub key: RequestKey,
    /// The hash of its code.
    pub code: CodeHash,
}

/// Data of [`Action::Keep`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// The form's key.
    pub key: RequestKey,
    /// What.
    pub deed: KeepersDeed,
    /// Why, as typed, where a reason is needed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The post whose reports are why it is done: they are looked at with that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes: Option<PostRef>,
    /// The keeper's password, needed a while after signing in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub password: String,
}

/// What a keeper does with a post or a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum KeepersDeed {
    /// Hides a post; needs a reason.
    Hide(PostRef),
    /// Shows it again.
    Show(PostRef),
    /// Has looked at what was reported of it.
    Close(PostRef),
    /// Wants another look.
    Reopen(PostRef),
    /// Lets a member write nothing for a while; needs a reason.
    Suspend {
        /// Whom.
        user: UserName,
        /// For how many hours; absent for until it is lifted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hours: Option<u32>,
    },
    /// Ends that.
    Lift {
        /// Whose.
        user: UserName,
    },
    /// Lets somebody in.
    Admit {
        /// Whom.
        user: UserName,
    },
    /// Does not; needs a reason.
    Refuse {
        /// Whom.
        user: UserName,
    },
    /// Takes back either.
    Undecide {
        /// Whose.
        user: UserName,
    },
}

tagged!(KeepersDeed, "do");

/// Data of [`Action::SetHouse`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetHouse {
    /// The form's key.
    pub key: RequestKey,
    /// How the community is kept from now on.
    pub house: House,
    /// The keeper's password, needed a while after signing in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub password: String,
}

/// Data of lists by time: behind which row they go on.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Next {
    /// As the page before said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
}

/// A row of a list by time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Its time.
    pub at: Wall,
    /// Whose it is.
    pub user: UserName,
    /// Which of theirs.
    pub id: u64,
}

/// Data of [`Action::Members`].
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Members {
    /// What their names must hold.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub named: String,
    /// Only names after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<UserName>,
}
