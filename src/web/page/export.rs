//! What a member takes along, as a file for people: made part by part.

use askama::Template;

use super::text::{Part, Run, runs};
use super::time::Moment;
use crate::action::ExportList;
use crate::clock::Wall;
use crate::user::entry::Picture;
use crate::web::route::Route;
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
    /// Whom it answers.
    to: Option<String>,
    /// What its text is folded behind.
    note: Option<String>,
    /// Where each picture is, and what it shows.
    pictures: Vec<(String, String)>,
    /// What can be chosen, if it asks something.
    options: Vec<String>,
}

impl ExportHtml {
    /// Takes a part of what somebody has in a community, at a site.
    pub(crate) fn of(t: Lang, part: &ExportPage, of: (&str, &str), now: Wall) -> Self {
        let (community, site) = of;
        let picture =
            |it: &Picture| (format!("{site}{}", Route::Picture(it.file)), it.description.clone());
        let item = |post: &ExportPost| Item {
            at: Moment::seen_at(t, post.at, post.at),
            // Names of members would lead nowhere in a file.
            runs: runs(&post.text, &[], &[]).into_iter().map(in_full).collect(),
            to: post.reply_to.as_ref().map(|to| to.user.to_string()),
            note: post.note.clone(),
            pictures: post.pictures.iter().map(picture).collect(),
            options: post.poll.iter().flat_map(|poll| poll.options.clone()).collect(),
        };
        Self {
            t,
            style: include_str!("../static/posts.css"),
            community: community.to_owned(),
            head: part.profile.clone().map(|profile| (profile, Moment::seen_at(t, now, now))),
            posts: part.posts.iter().map(item).collect(),
            is_last: part.next.as_ref().is_none_or(|next| next.list != ExportList::Posts),
        }
    }
}

/// A link with the whole of its address to be seen: on paper nothing else tells it. Tags lead nowhere
/// in a file.
fn in_full(run: Run) -> Run {
    if run.is_elsewhere {
        let parts = vec![Part { text: run.href.clone(), is_marked: false }];
        return Run { is_cut: false, parts, ..run };
    }
    Run { href: String::new(), ..run }
}
