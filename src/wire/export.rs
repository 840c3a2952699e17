//! What a member takes along, as a backend tells it, part by part.

use serde::{Deserialize, Serialize};

use crate::action::ExportFrom;
use crate::action::import::{OldPost, Saying};
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::text::chars::is_blank;
use crate::user::aside::{Choices, Poll};
use crate::user::entry::{Audience, Picture, PostRef, is_not};

/// A part of what a member takes along.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExportPage {
    /// Who they are, in the first part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ExportProfile>,
    /// Posts that stand; at most `limits::EXPORT_POSTS`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub posts: Vec<ExportPost>,
    /// What they did with posts; at most `limits::EXPORT_MARKS`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<ExportMark>,
    /// What to ask for next, if another part follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ExportFrom>,
}

/// Who somebody is, and what they keep here in short lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportProfile {
    /// The user name.
    pub username: UserName,
    /// The name shown.
    pub display_name: String,
    /// What they say of themselves.
    pub bio: String,
    /// Whether their posts are for members alone.
    #[serde(default)]
    pub members_only: bool,
    /// For whom their posts are of which they do not say it.
    #[serde(default, skip_serializing_if = "Audience::is_everyone")]
    pub posts_for: Audience,
    /// Since when they are a member.
    pub joined_at: Wall,
    /// Whether some of their posts are not for everybody.
    #[serde(default, skip_serializing_if = "is_not")]
    pub has_audiences: bool,
    /// Which of their posts stands first on their profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<PostId>,
    /// Whom they follow, by name.
    pub follows: Vec<UserName>,
    /// Whom they mute, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutes: Vec<UserName>,
    /// Whom they block, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<UserName>,
    /// How they voted, by the names of those who asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<ExportVote>,
    /// Threads that they mute, by what these begin with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub muted_threads: Vec<PostRef>,
}

/// How a member answered what a post asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportVote {
    /// Which post.
    #[serde(flatten)]
    pub post: PostRef,
    /// What they chose.
    pub choices: Choices,
}

/// A post as its author takes it along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPost {
    /// Its number.
    pub id: PostId,
    /// When.
    pub at: Wall,
    /// When it was last edited, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Wall>,
    /// Its text.
    pub text: String,
    /// What its text is folded behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who may read it.
    #[serde(default, skip_serializing_if = "Audience::is_everyone")]
    pub audience: Audience,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<PostRef>,
    /// What it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
    /// What it said before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<ExportText>,
    /// Its pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Picture>,
    /// Whether those are covered until somebody wants to see them, without a note.
    #[serde(default, skip_serializing_if = "is_not")]
    pub sensitive: bool,
}

/// What a post said before it was edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportText {
    /// Since when.
    pub at: Wall,
    /// Its text.
    pub text: String,
    /// What that was folded behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a member did with a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportMark {
    /// With which.
    #[serde(flatten)]
    pub post: PostRef,
    /// When, where the list tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Wall>,
}

/// What can be chosen, line by line.
fn listed(poll: &Poll) -> String {
    poll.options.iter().map(|option| format!("• {option}")).collect::<Vec<_>>().join("\n")
}

impl From<ExportPost> for OldPost {
    fn from(post: ExportPost) -> Self {
        let ExportPost { id, at, edited_at, text, note, audience, reply_to, earlier, .. } = post;
        let (pictures, poll) = (post.pictures, post.poll);
        // Pictures do not come along: a post of nothing else says what the first one showed, or how it
        // was called. Nor does a poll, whose votes are others' to tell: it says what could be chosen.
        let stands_for = |it: &Picture| match it.description.as_str() {
            "" => it.file.to_string(),
            description => description.to_owned(),
        };
        let says = |at, text: String, note| match pictures.first() {
            Some(first) if is_blank(&text) => Saying { at, text: stands_for(first), note },
            _ if is_blank(&text)
                && let Some(poll) = &poll =>
            {
                Saying { at, text: listed(poll), note }
            }
            _ => Saying { at, text, note },
        };
        let last = says(edited_at.unwrap_or(at), text, note);
        let says = |it: ExportText| says(it.at, it.text, it.note);
        let is_edited = edited_at.is_some();
        let earlier = earlier.into_iter().map(says).collect();
        Self { id, at, is_edited, audience, reply_to, earlier, last }
    }
}
