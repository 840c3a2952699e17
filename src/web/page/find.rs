//! What concerns one, and what a search found.

use askama::Template;

use super::frame::Frame;
use super::list::{Feed, Row};
use super::post::{Byline, PostItem};
use super::time::Moment;

/// Something that concerns one.
#[derive(Debug, Clone)]
pub(crate) struct NewsItem {
    /// Whether the line stands above it, below what is new.
    pub(crate) is_line: bool,
    /// What.
    pub(crate) what: News,
}

/// What concerns one.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// A post.
    Named(Box<PostItem>),
    /// Somebody follows one since then.
    Followed(Byline, Moment),
}

/// Posts that name one, and who follows one.
#[derive(Debug, Template)]
#[template(path = "news.html", config = "src/web/askama.toml")]
pub(crate) struct NewsPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// Whose.
    pub(crate) username: String,
    /// The latest first.
    pub(crate) items: Vec<NewsItem>,
    /// Where the list begins, if this is not there.
    pub(crate) newest: Option<String>,
    /// Where the next older page is.
    pub(crate) older: Option<String>,
    /// Whether this is the end of a list that is not empty.
    pub(crate) is_end: bool,
}

/// A search and what it found.
#[derive(Debug, Template)]
#[template(path = "search.html", config = "src/web/askama.toml")]
pub(crate) struct SearchPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// As typed.
    pub(crate) query: String,
    /// Tags that were used last, where nothing is asked for: address and word.
    pub(crate) tags: Vec<(String, String)>,
    /// People of that name.
    pub(crate) people: Vec<Row>,
    /// Posts, if there are any.
    pub(crate) feed: Option<Feed>,
    /// What there is to say about the end of the list; may be empty.
    pub(crate) ending: String,
    /// Where the search goes on, and in what words.
    pub(crate) more: Option<(String, &'static str)>,
    /// Whether nothing at all was found.
    pub(crate) is_nothing: bool,
}
