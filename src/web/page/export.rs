//! What a member takes along, as a file for people: made part by part.

use askama::Template;

use super::text::{Run, runs};
use super::time::Moment;
use crate::clock::Wall;
use crate::web::words::Lang;
use crate::wire::request::{ExportPage, ExportPost, ExportProfile};

/// A part of the file for people.
#[derive(Debug, Template)]
#[template(path = "export.html", config = "src/web/askama.toml")]
pub(crate) struct ExportHtml {
    /// The reader's language.
    t: Lang,
    /// The file's own style: it has no site to ask for one. No quotes and no angles, which would be
    /// escaped.
    style: &'static str,
    /// The community's name.
    community: String,
    /// Whose posts, and when they were taken along; in the first part.
    head: Option<(ExportProfile, Moment)>,
    /// The posts of this part.
    posts: Vec<Item>,
    /// Whether no part follows.
    is_last: bool,
}

/// A post.
#[derive(Debug)]
struct Item {
    at: Moment,
    runs: Vec<Run>,
    /// What it is folded behind.
    note: Option<String>,
    /// Whom it answers.
    to: Option<String>,
}

impl ExportHtml {
    /// Takes a part.
    pub(crate) fn of(t: Lang, part: &ExportPage, community: &str, now: Wall) -> Self {
        let item = |post: &ExportPost| Item {
            at: Moment::seen_at(t, post.at, post.at),
            // Names of members would lead nowhere in a file.
            runs: runs(&post.text, &[]).into_iter().map(in_full).collect(),
            note: post.note.clone(),
            to: post.reply_to.as_ref().map(|to| to.user.to_string()),
        };
        Self {
            t,
            style: include_str!("../static/posts.css"),
            community: community.to_owned(),
            head: part.profile.clone().map(|profile| (profile, Moment::seen_at(t, now, now))),
            posts: part.posts.iter().map(item).collect(),
            is_last: part.more_after.is_none(),
        }
    }
}

/// A link with the whole of its address to be seen: on paper nothing else tells it.
fn in_full(run: Run) -> Run {
    match run {
        Run::Link { url, .. } => Run::Link { shown: url.clone(), url },
        other @ (Run::Plain(_) | Run::Mention { .. }) => other,
    }
}
