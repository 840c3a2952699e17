//! A post, above it what it answers, below it what answers it.

use askama::Template;

use super::form::Composer;
use super::frame::Frame;
use super::poll::PollItem;
use super::post::{Byline, PictureItem, PostItem};
use super::text::{Run, runs};
use super::time::Moment;
use crate::clock::Wall;
use crate::web::words::Lang;
use crate::wire::request::TextView;

/// A post and its thread.
#[derive(Debug, Template)]
#[template(path = "thread.html", config = "src/web/askama.toml")]
pub(crate) struct ThreadPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// From the root, or from what is not too far up, down to what the post answers; words for what cannot be
    /// shown.
    pub(crate) ancestors: Vec<Result<PostItem, &'static str>>,
    /// The post.
    pub(crate) post: PostItem,
    /// Where to report it, if one may.
    pub(crate) report: Option<String>,
    /// What answers it.
    pub(crate) replies: Replies,
    /// The box to answer in.
    pub(crate) composer: Option<Composer>,
    /// Where to sign in to answer.
    pub(crate) login: Option<String>,
}

/// A part of what answers a post.
#[derive(Debug, Clone)]
pub(crate) struct Replies {
    /// The answers.
    pub(crate) list: Vec<Reply>,
    /// Where the first of all are, if these are not.
    pub(crate) first: Option<String>,
    /// Where the next are.
    pub(crate) more: Option<String>,
    /// The one that was just written, if it stands further on.
    pub(crate) own: Option<Reply>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The post.
    pub(crate) post: PostItem,
    /// Whether it answers an answer: such are indented, once, and name whom they answer.
    pub(crate) is_deep: bool,
    /// What stands in the place of an answer above it that is not shown.
    pub(crate) unseen: Option<Unseen>,
}

/// An answer that is not shown.
#[derive(Debug, Clone)]
pub(crate) struct Unseen {
    /// What stands in its place.
    pub(crate) words: &'static str,
    /// Whether it answers an answer.
    pub(crate) is_deep: bool,
}

/// All that a post ever said.
#[derive(Debug, Template)]
#[template(path = "history.html", config = "src/web/askama.toml")]
pub(crate) struct HistoryPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// Who wrote it.
    pub(crate) by: Byline,
    /// The post's page.
    pub(crate) back: String,
    /// From the first text to the present one.
    pub(crate) texts: Vec<Earlier>,
}

/// What a post said from a certain time on.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    /// Since when.
    pub(crate) at: Moment,
    /// What.
    pub(crate) runs: Vec<Run>,
    /// What that was folded behind.
    pub(crate) note: Option<String>,
    /// None: pictures stay as they were, and stand with the post.
    pub(crate) pictures: Vec<PictureItem>,
    /// None: likewise.
    pub(crate) covered: Option<u32>,
    /// None: likewise.
    pub(crate) poll: Option<PollItem>,
}

impl Earlier {
    /// A text as seen at `now`.
    pub(crate) fn of(t: Lang, text: &TextView, now: Wall) -> Self {
        Self {
            at: Moment::seen_at(t, text.at, now),
            runs: runs(&text.text, &text.mentions, &[]),
            note: text.note.clone(),
            pictures: Vec::new(),
            covered: None,
            poll: None,
        }
    }
}
