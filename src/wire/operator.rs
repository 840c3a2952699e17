//! What `tern cluster …`, `tern user …` and `tern backup create` ask a backend, and what they hear: one
//! JSON object a frame, on a connection
//! under the operator's key.
//!
//! ```json
//! {"ask":"status"}
//! {"tell":"status","node":1,"at":1764311579000,"seen":{"machines":[…],"writes":true,"needed":2}}
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use super::message::{Offer, Phase};
use super::status::StatusPage;
use super::upkeep::{Order, Told};
use crate::clock::Wall;
use crate::id::{Hash128, NodeId, PictureName, UserName};
use crate::json::tagged;
use crate::replica::version::Version;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Question {
    /// How are the machines, as you see them? Answer: `Status`.
    Status,
    /// Which list of members do you hold? Answer: `Members`.
    Members,
    /// Take on this list of members, if it is newer. Answer: `Members`.
    Adopt(Offer),
    /// Do this with accounts, or tell of them. Answer: `Upkeep`.
    Upkeep(Order),
    /// Who has a file on any machine of a majority, after this name? Answer: `Names`.
    Names {
        /// The last name of the page before.
        after: Option<UserName>,
    },
    /// Send a user's file, up to what is committed by now. Answer: `File`, with the lines behind it.
    File {
        /// Whose.
        user: UserName,
    },
    /// Send a picture. Answer: `Picture`, with its file behind it.
    Picture {
        /// Which.
        name: PictureName,
    },
}

tagged!(Question, "ask");

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Answer {
    /// To `Status`.
    Status(Seen),
    /// To `Members` and `Adopt`.
    Members(Held),
    /// To `Upkeep`.
    Upkeep(Told),
    /// To `Names`: sorted.
    Names {
        /// At most `limits::SUMS_PAGE_ROWS` on each machine that was heard.
        names: Vec<UserName>,
        /// Behind which name to go on; none at the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<UserName>,
    },
    /// To `File`.
    File {
        /// The version in which the file ends that comes with this; zero, and none, where nothing of the
        /// user is committed.
        version: Version,
    },
    /// To `Picture`.
    Picture {
        /// Whether it comes with this; else no machine of a majority has it.
        is_held: bool,
        /// Whether a post refers to it now.
        is_needed: bool,
    },
    /// To `Names`, `File` and `Picture`: not now.
    NotNow {
        /// Whether it is for want of machines.
        is_too_few: bool,
        /// Why not.
        why: String,
    },
    /// To `Adopt`: no.
    Refused {
        /// Why not.
        why: String,
    },
    /// The question is none that this version knows.
    NotUnderstood {
        /// Where it stopped making sense, for a developer's eyes.
        detail: String,
    },
}

tagged!(Answer, "tell");

/// A machine's list of members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Who answers.
    pub node: NodeId,
    /// In which life of its directory.
    pub incarnation: Hash128,
    /// Its list, and the one before.
    pub offer: Offer,
    /// How far it is with it.
    pub phase: Phase,
    /// Whether nobody but the new machines knows of it yet.
    pub is_learning: bool,
    /// What the program there understands.
    pub features: u32,
    /// Whether a user's file is damaged there.
    #[serde(default)]
    pub is_damaged: bool,
    /// The machines that it is in touch with, itself included.
    pub live: Vec<NodeId>,
}

/// A change of the members that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The new list.
    pub members: Vec<NodeId>,
    /// For what it waits.
    pub waits: Waits,
}

/// For what a change of the members waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", content = "nodes", rename_all = "snake_case")]
pub enum Waits {
    /// For these members of the old list: a majority must take on the new one.
    OldMembers(Vec<NodeId>),
    /// For these members of the new list: all must take it on.
    NewMembers(Vec<NodeId>),
    /// For all new members to hold the same files.
    SameFiles,
    /// For the others to be ready.
    Readiness,
    /// For a change that comes before this one to be repeated.
    EarlierChange,
    /// Something that a later version has a word for.
    #[serde(other)]
    Other,
}

/// Machines' numbers in a sentence.
pub fn numbers(nodes: &[NodeId]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OldMembers(nodes) => {
                return write!(f, "enough of the old machines; still without {}", numbers(nodes));
            }
            Self::NewMembers(nodes) => return write!(f, "machine {}", numbers(nodes)),
            Self::SameFiles => "all machines to hold the same files",
            Self::Readiness => "the other machines to be ready",
            Self::EarlierChange => {
                "an earlier change that may have taken effect: repeat that one first"
            }
            Self::Other => "something that this version has no word for",
        })
    }
}

/// The machines as one of them sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Who answers.
    pub node: NodeId,
    /// Its time.
    pub at: Wall,
    /// When it last was in touch with a majority, if it now is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_since: Option<Wall>,
    /// The number of its list of members; 0 from an earlier version.
    #[serde(default)]
    pub epoch: u32,
    /// A change of the members that is under way there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// What it sees.
    pub seen: StatusPage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_and_answer_have_their_spelling() {
        assert_eq!(serde_json::to_string(&Question::Status).unwrap(), r#"{"ask":"status"}"#);
        assert!(serde_json::from_str::<Question>(r#"{"ask":"later"}"#).is_err());
        let seen =
            StatusPage { machines: Vec::new(), writes: true, needed: 2, changes: Vec::new() };
        let node = NodeId::new(1).unwrap();
        let answer = Answer::Status(Seen {
            node,
            at: Wall(7),
            stale_since: None,
            epoch: 1,
            pending: None,
            seen,
        });
        let text = r#"{"tell":"status","node":1,"at":7,"epoch":1,"seen":{"machines":[],"writes":true,"needed":2}}"#;
        assert_eq!(serde_json::to_string(&answer).unwrap(), text);
        assert_eq!(serde_json::from_str::<Answer>(text).unwrap(), answer);
    }
}
