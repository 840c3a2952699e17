//! To hear of what happens: asked again and again, each time with the mark that came with the last answer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{NodeId, PostId};
use crate::text::Tag;

/// Data of [`super::Action::Listen`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// To what.
    pub to: ListenTo,
    /// How much was heard already; nothing of what lies before is told to who has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Heard>,
}

/// What may be listened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenTo {
    /// One's home, and what concerns one.
    Home,
    /// Everybody's posts.
    Everyone,
    /// Posts that bear a tag.
    Tagged(Tag),
}

/// How much was heard: a number that one process of one machine gave, and for all others the newest post
/// there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The machine.
    pub node: NodeId,
    /// Which of its starts.
    pub boot: u32,
    /// Its next change.
    pub change: u64,
    /// The highest number of a post.
    pub newest: PostId,
}

/// A text that is no [`Heard`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no mark of what was heard")]
pub struct HeardError;

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.node, self.boot, self.change, self.newest)
    }
}

impl FromStr for Heard {
    type Err = HeardError;

    fn from_str(text: &str) -> Result<Self, HeardError> {
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(HeardError);
        let node = part()?.parse().map_err(|_| HeardError)?;
        let heard = Self {
            node: NodeId::new(node).map_err(|_| HeardError)?,
            boot: part()?.parse().map_err(|_| HeardError)?,
            change: part()?.parse().map_err(|_| HeardError)?,
            newest: part()?.parse().map_err(|_| HeardError)?,
        };
        parts.next().is_none().then_some(heard).ok_or(HeardError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heard_text_goes_there_and_back_and_nonsense_refused() {
        let newest = PostId::from_raw(117_694_926_112_301_056);
        let heard = Heard { node: NodeId::new(3).unwrap(), boot: 7, change: 42, newest };
        assert_eq!(heard.to_string(), "3.7.42.117694926112301056");
        assert_eq!(heard.to_string().parse(), Ok(heard));
        for text in ["", "3.7.42", "3.7.42.1.1", "0.7.42.1", "3.-7.42.1", "3.7.x.1", "3.7.42.-1"] {
            assert_eq!(text.parse::<Heard>(), Err(HeardError), "{text}");
        }
    }
}
