//! What a post asks, and how it was answered, as far as that is told.

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::user::aside::Choices;
use crate::user::entry::is_not;

/// A poll, as it is for the one who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollView {
    /// What can be chosen.
    pub options: Vec<OptionView>,
    /// Until when votes are taken.
    pub until: Wall,
    /// Whether that is over.
    #[serde(default, skip_serializing_if = "is_not")]
    pub is_over: bool,
    /// Whether several may be chosen.
    #[serde(default, skip_serializing_if = "is_not")]
    pub many: bool,
    /// How many have voted.
    pub voters: u32,
    /// How many choices they made in all.
    pub votes: u32,
    /// What the one who asks chose, if they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Choices>,
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionView {
    /// What it is called.
    pub title: String,
    /// How many chose it; not told before the end of a poll that hides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<u32>,
}
