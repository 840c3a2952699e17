//! What `tern cluster …` asks a backend, and what it hears: one JSON object a frame, on a connection
//! under the operator's key.
//!
//! ```json
//! {"ask":"status"}
//! {"tell":"status","node":1,"at":1764311579000,"seen":{"machines":[…],"writes":true,"needed":2}}
//! ```

use serde::{Deserialize, Serialize};

use super::status::StatusPage;
use crate::clock::Wall;
use crate::id::NodeId;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Question {
    /// How are the machines, as you see them? Answer: `Status`.
    Status,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "tell", rename_all = "snake_case")]
pub enum Answer {
    /// To `Status`.
    Status(Seen),
    /// The question is none that this version knows.
    NotUnderstood {
        /// Where it stopped making sense, for a developer's eyes.
        detail: String,
    },
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
        let answer = Answer::Status(Seen { node, at: Wall(7), stale_since: None, seen });
        let text =
            r#"{"tell":"status","node":1,"at":7,"seen":{"machines":[],"writes":true,"needed":2}}"#;
        assert_eq!(serde_json::to_string(&answer).unwrap(), text);
        assert_eq!(serde_json::from_str::<Answer>(text).unwrap(), answer);
    }
}
