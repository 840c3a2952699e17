//! How a community is kept, as keepers say.

use serde::{Deserialize, Serialize};

/// How a community is kept, as one of its keepers says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct House {
    /// Who may join.
    pub signup: Signup,
    /// Whether all members may invite, and not only keepers.
    pub members_invite: bool,
    /// What is said to strangers on the first page; may be empty.
    pub words: String,
    /// Whether strangers are shown the newest posts there.
    pub shows_posts: bool,
    /// Whether members may read what keepers did.
    pub shows_log: bool,
}

impl Default for House {
    /// As a community is kept of which no keeper has said anything.
    fn default() -> Self {
        Self {
            signup: Signup::Open,
            members_invite: false,
            words: String::new(),
            shows_posts: true,
            shows_log: false,
        }
    }
}

/// Who may join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signup {
    /// Everybody.
    #[default]
    Open,
    /// Whoever was invited.
    Invited,
    /// Whom a keeper lets in.
    Approved,
    /// Nobody.
    Closed,
}
