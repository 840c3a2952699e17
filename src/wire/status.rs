//! How the machines are, at length: what the status page and `tern cluster status` show.

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::id::NodeId;
use crate::wire::message::is_zero;

pub use crate::replica::NotVoting;

/// A machine as the answering one sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineState {
    /// Up, and holds what it should.
    InStep,
    /// Up, catching up.
    Behind,
    /// Not to be reached.
    Down,
}

/// The machines at length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPage {
    /// Each machine, by number.
    pub machines: Vec<MachineRow>,
    /// Whether a write would be saved.
    pub writes: bool,
    /// Machines that must agree.
    pub needed: u8,
    /// What changed last, the newest first; at most `limits::CHANGES_SHOWN`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeRow>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineRow {
    /// Its number.
    pub node: NodeId,
    /// What its keeper calls it.
    pub name: String,
    /// How it is.
    pub state: MachineState,
    /// Since when, if it is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_since: Option<Wall>,
    /// Why it has no vote, on all users or on those whose files are damaged. Beside `state`, not one
    /// of its values, for the sake of web servers of an earlier version.
    #[serde(flatten, with = "super::earlier::refuses")]
    pub refuses: Option<NotVoting>,
    /// How many users' files are damaged there.
    #[serde(default)]
    pub damaged: u32,
    /// How many users' files it lacks something of, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<u32>,
    /// How many files of pictures that posts refer to are not there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pictures_missing: u32,
    /// How full its disk is, in percent, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_percent: Option<u8>,
    /// Which machines it says it can talk to, itself included.
    pub talks_to: Vec<NodeId>,
    /// The program's version, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Something that happened to a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// When, by the answering machine's clock.
    pub at: Wall,
    /// To which machine: what its keeper calls it.
    pub machine: String,
    /// What.
    pub what: ChangeKind,
}

/// What can happen to a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It can be reached.
    Up,
    /// It cannot be reached any more.
    Down,
    /// It holds all that it had missed.
    CaughtUp,
    /// A user's file was found damaged there.
    DamageFound,
    /// What was damaged there is whole again.
    Repaired,
    /// Its disk takes nothing more, so it refuses votes.
    VoteRefused,
    /// It votes again.
    VotingAgain,
    /// It has joined the cluster.
    Added,
    /// It has left the cluster.
    Removed,
    /// Another machine has taken its place.
    Replaced,
    /// The operator gave it up for lost: what only it held is gone.
    GivenUp,
    /// Something that a later version has a word for.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_of_earlier_and_later_version_read() {
        let old = r#"{"machines":[{"node":1,"name":"apple","state":"in_step","talks_to":[1]}],"writes":true,"needed":1}"#;
        let page: StatusPage = serde_json::from_str(old).unwrap();
        let row = page.machines.first().unwrap();
        assert_eq!((row.refuses, row.damaged, page.changes.len()), (None, 0, 0));
        let later = r#"{"at":1,"machine":"apple","what":"painted"}"#;
        let change: ChangeRow = serde_json::from_str(later).unwrap();
        assert_eq!(change.what, ChangeKind::Other);
    }
}
