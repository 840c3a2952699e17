//! Whom one mutes or blocks.

use askama::Template;

use super::form::ButtonForm;
use super::frame::Frame;
use super::post::Byline;
use super::settings::Tab;

/// The list in the settings.
#[derive(Debug, Template)]
#[template(path = "apart.html", config = "src/web/askama.toml")]
pub(crate) struct ApartPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The links to all settings.
    pub(crate) tabs: Vec<Tab>,
    /// The people.
    pub(crate) people: Vec<ApartRow>,
    /// Where the list begins, if this is not there.
    pub(crate) first: Option<String>,
    /// Where the list goes on.
    pub(crate) more: Option<String>,
}

/// Somebody whom one mutes or blocks.
#[derive(Debug, Clone)]
pub(crate) struct ApartRow {
    /// Who.
    pub(crate) by: Byline,
    /// The buttons that undo it.
    pub(crate) undo: Vec<ButtonForm>,
}
