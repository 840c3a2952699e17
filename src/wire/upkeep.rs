//! What `tern user …`, `tern invite …` and `tern import` ask a backend, and what they hear.
//!
//! Asking for the same again does no harm: what makes something new carries a key or the new thing's
//! own name.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::export::{ExportMark, ExportPost};
use crate::action::ExportList;
use crate::action::import::{Newcomer, Taken, Tie};
use crate::clock::Wall;
use crate::id::{Hash128, PostId, RequestKey, UserName};
use crate::json::tagged;
use crate::user::entry::{CodeHash, LinkHash};

/// What the operator wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Order {
    /// Who has an account? Answer: `Users`.
    List {
        /// Only names after this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<UserName>,
        /// Only keepers.
        #[serde(default)]
        only_keepers: bool,
    },
    /// Make an account. Answer: `Done`.
    Add {
        /// Of this act.
        key: RequestKey,
        /// Its name.
        user: UserName,
        /// The name shown; empty means the user name.
        display_name: String,
        /// Its password.
        password: Password,
        /// Whether they keep the community.
        is_keeper: bool,
    },
    /// Let a one-time link choose another password. Answer: `Done`.
    OfferReset {
        /// Whose.
        user: UserName,
        /// The link's hash.
        link: LinkHash,
    },
    /// Make a keeper of somebody, or not any more. Answer: `Done`.
    SetKeeper {
        /// Who.
        user: UserName,
        /// Whether they are one.
        is_keeper: bool,
    },
    /// End all sessions of an account. Answer: `SignedOut`.
    SignOut {
        /// Whose.
        user: UserName,
    },
    /// Let somebody write nothing for a while, in a keeper's name. Answer: `By`.
    Suspend {
        /// Whom.
        user: UserName,
        /// For how many hours; absent for until it is lifted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hours: Option<u32>,
        /// Why.
        reason: String,
        /// In which keeper's name; absent for the first one's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<UserName>,
    },
    /// End that. Answer: `By`.
    Lift {
        /// Whose.
        user: UserName,
        /// As for `Suspend`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<UserName>,
    },
    /// Delete an account. Answer: `Done`.
    Delete {
        /// Whose.
        user: UserName,
    },
    /// Make a code with which others may join, in a member's name. Answer: `By`.
    Invite {
        /// Its hash.
        code: CodeHash,
        /// How many may join with it.
        uses: u32,
        /// For how many days.
        days: u32,
        /// In whose name; absent for the first keeper's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<UserName>,
    },
    /// Which codes are there? Answer: `Invitations`.
    Invitations {
        /// Only those after this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<CodeHash>,
    },
    /// Let nobody join with a code any more. Answer: `By`.
    EndInvitation {
        /// Its hash.
        code: CodeHash,
    },
    /// Take in a part of what a member took along elsewhere. Answer: `Begun` or `Taken`.
    Import {
        /// The name that they have here.
        user: UserName,
        /// The file's hash: parts of another file are refused.
        file: Hash128,
        /// Whether only to tell what would be done.
        #[serde(default)]
        is_dry: bool,
        /// Which part.
        part: Part,
    },
}

tagged!(Order, "do");

/// A part of what is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The account. Answer: `Begun`.
    Begin {
        /// Its password, if it is made now.
        password: Password,
        /// Who they were.
        newcomer: Newcomer,
    },
    /// Posts, oldest first; their own ones name their author by the new name.
    Posts(Vec<ExportPost>),
    /// The same, where some are not for everybody: a machine of an earlier version refuses what it would
    /// take for everybody's.
    PostsFor(Vec<ExportPost>),
    /// Whom they follow, mute or block.
    Ties {
        /// What of it.
        tie: Tie,
        /// Whom.
        names: Vec<UserName>,
    },
    /// Likes, reposts or bookmarks.
    Marks {
        /// What of it.
        list: ExportList,
        /// Which.
        marks: Vec<ExportMark>,
    },
    /// That was all.
    End {
        /// Which post stands first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pinned: Option<PostId>,
    },
}

/// What a backend answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Told {
    /// Accounts, by name.
    Users {
        /// At most `limits::USERS_PAGE`.
        users: Vec<UserRow>,
        /// The last name that was looked at, if there are more: `after` of the next question.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more_after: Option<UserName>,
    },
    /// Codes, by their hashes.
    Invitations {
        /// At most `limits::INVITATIONS_PAGE`.
        codes: Vec<CodeRow>,
        /// The last one, if there are more: `after` of the next question.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more_after: Option<CodeHash>,
    },
    /// It is as it was asked for.
    Done,
    /// So many sessions that were in use have ended.
    SignedOut {
        /// How many.
        sessions: u32,
    },
    /// Done, in this member's name.
    By {
        /// Whose.
        user: UserName,
    },
    /// How an import stands.
    Begun {
        /// Whether its account is new, has begun, or is done.
        state: Begun,
    },
    /// What became of a part of an import.
    Taken(Taken),
    /// Not done.
    Refused {
        /// What to do about it.
        kind: Refused,
        /// Why, as the operator reads it.
        why: String,
    },
}

tagged!(Told, "told");

/// How an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begun {
    /// The account was made, or would be, with the password that was sent.
    New,
    /// It was made at an earlier time, with another password.
    GoesOn,
    /// All of it was taken in at an earlier time.
    Done,
}

/// What is to be done about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// It cannot be done.
    No,
    /// Ask again: it was not done, or nobody knows.
    Again,
    /// Too few machines can be reached: nothing was saved.
    TooFew,
}

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// The user name.
    pub user: UserName,
    /// The name shown.
    pub display_name: String,
    /// Since when.
    pub joined_at: Wall,
    /// Posts that stand.
    pub posts: u32,
    /// Sessions that one could act under.
    pub sessions: u32,
    /// Whether they keep the community.
    pub is_keeper: bool,
    /// How they stand.
    pub standing: Stands,
    /// Until when a suspension lasts, if it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Wall>,
}

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// As anybody.
    Member,
    /// Nobody has let them in yet.
    Waiting,
    /// They were not let in.
    Refused,
    /// They may write nothing for a while.
    Suspended,
}

/// A code in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRow {
    /// Its hash.
    pub code: CodeHash,
    /// In whose name it was made.
    pub by: UserName,
    /// When.
    pub made_at: Wall,
    /// Until when it holds.
    pub until: Wall,
    /// How many may join with it.
    pub uses: u32,
    /// Who did, or was promised to.
    pub used_by: Vec<UserName>,
}

/// A password on its way: it prints as nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a password)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::operator::{Answer, Question};

    #[test]
    fn order_and_answer_have_their_spelling() {
        let user: UserName = "ada".parse().unwrap();
        let order = Order::OfferReset { user: user.clone(), link: LinkHash("ab".to_owned()) };
        let question = Question::Upkeep(order);
        let text = serde_json::to_string(&question).unwrap();
        assert_eq!(text, r#"{"ask":"upkeep","do":"offer_reset","user":"ada","link":"ab"}"#);
        assert_eq!(serde_json::from_str::<Question>(&text).unwrap(), question);
        let add = Order::Add {
            key: RequestKey { ops: 1, id: crate::id::RequestId([7; 16]) },
            user,
            display_name: String::new(),
            password: Password("hen under oak".to_owned()),
            is_keeper: false,
        };
        assert!(!format!("{add:?}").contains("hen"), "{add:?}");
        let answer = Answer::Upkeep(Told::Begun { state: Begun::GoesOn });
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(text, r#"{"tell":"upkeep","told":"begun","state":"goes_on"}"#);
        assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), answer);
    }

    #[test]
    fn import_part_survives_its_way() {
        use crate::user::entry::Audience;
        let post = ExportPost {
            id: PostId::from_raw(u64::MAX),
            at: Wall(7),
            edited_at: None,
            text: "\"☕\"\n".to_owned(),
            note: None,
            audience: Audience::Named,
            reply_to: None,
            earlier: Vec::new(),
            pictures: Vec::new(),
            poll: None,
            sensitive: false,
        };
        let order = Order::Import {
            user: "ada".parse().unwrap(),
            file: Hash128([7; 16]),
            is_dry: true,
            part: Part::PostsFor(vec![post]),
        };
        let question = Question::Upkeep(order);
        let text = serde_json::to_string(&question).unwrap();
        assert_eq!(serde_json::from_str::<Question>(&text).unwrap(), question);
    }
}
