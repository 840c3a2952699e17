//! Parts of pages that stand on several kinds of them. Each is a template of its own, so that the program
//! holds it once and not in every page that shows it.
//!
//! Their templates escape what they are given, so other templates take them as they are.

use askama::Template;
use askama::filters::HtmlSafe;

use super::form::{ButtonForm, Composer};
use super::frame::Frame;
use super::list::{Feed, Row};
use super::poll::PollItem;
use super::post::PostItem;
use crate::web::words::Lang;

/// A part: what it shows, as the templates name it, the reader's language, and how it is asked for.
macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident($path:literal): $shown:ident: $type:ty, $drawn:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Template)]
        #[template(path = $path, config = "src/web/askama.toml")]
        pub(crate) struct $part<'a> {
            $shown: &'a $type,
            t: Lang,
        }

        impl HtmlSafe for $part<'_> {}

        impl $type {
            $(#[$doc])*
            // By reference: templates hand it over so.
            pub(crate) const fn $drawn<'a>(&'a self, t: &Lang) -> $part<'a> {
                $part { $shown: self, t: *t }
            }
        }
    )+};
}

parts! {
    /// What stands above every page.
    Top("top.html"): frame: Frame, top;
    /// What is said first on every page, below its heading.
    Remarks("remarks.html"): frame: Frame, remarks;
    /// What stands below every page.
    End("end.html"): frame: Frame, end;
    /// A post in a list.
    Post("post.html"): post: PostItem, drawn;
    /// A list of posts.
    Posts("feed.html"): feed: Feed, drawn;
    /// A poll.
    Asked("poll.html"): poll: PollItem, drawn;
    /// A box to write in.
    Box("composer.html"): composer: Composer, drawn;
}

/// A member in a list.
#[derive(Template)]
#[template(path = "row.html", config = "src/web/askama.toml")]
pub(crate) struct Member<'a> {
    row: &'a Row,
}

impl HtmlSafe for Member<'_> {}

impl Row {
    /// The row.
    pub(crate) const fn drawn(&self) -> Member<'_> {
        Member { row: self }
    }
}

/// A form that is a button.
#[derive(Template)]
#[template(path = "button.html", config = "src/web/askama.toml")]
pub(crate) struct Button<'a> {
    button: &'a ButtonForm,
}

impl HtmlSafe for Button<'_> {}

impl ButtonForm {
    /// The form.
    pub(crate) const fn drawn(&self) -> Button<'_> {
        Button { button: self }
    }
}
