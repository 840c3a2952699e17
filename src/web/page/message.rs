//! A page that only says something: errors, and what is no longer there.

use askama::Template;

use super::frame::Frame;

/// What happened, is my text safe, what now.
#[derive(Debug, Template)]
#[template(path = "message.html", config = "src/web/askama.toml")]
pub(crate) struct MessagePage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// What happened, in sentences.
    pub(crate) text: String,
    /// What the search on it is filled in with; empty for no search.
    pub(crate) looks_for: String,
    /// Where to sign in, if what was asked for may be there for members; empty if not.
    pub(crate) login: String,
    /// The way on: address and label.
    pub(crate) link: (String, &'static str),
    /// The request's number, to be told to the keeper.
    pub(crate) request_id: String,
}
