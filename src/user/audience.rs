//! Whom a post is for.

use serde::{Deserialize, Serialize};

/// Who may read a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody who may read its author.
    #[default]
    Everyone,
    /// They too, but it stands in no list of everybody's posts, under no tag, and no search finds it.
    Quiet,
    /// Who follows its author at the time of reading, and whom it names.
    Followers,
    /// Whom it names.
    Named,
}

impl Audience {
    /// Whether everybody is meant, as mostly.
    pub const fn is_everyone(&self) -> bool {
        matches!(self, Self::Everyone)
    }

    /// All of them, the widest first.
    pub const ALL: [Self; 4] = [Self::Everyone, Self::Quiet, Self::Followers, Self::Named];

    /// Those that somebody's posts can be for unless they say otherwise: whom a post names it says itself.
    pub const USUAL: [Self; 3] = [Self::Everyone, Self::Quiet, Self::Followers];

    /// As files and machines spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Quiet => "quiet",
            Self::Followers => "followers",
            Self::Named => "named",
        }
    }

    /// Whether it is kept from some.
    pub const fn is_few(self) -> bool {
        matches!(self, Self::Followers | Self::Named)
    }
}
