//! Posts for feed readers: Atom 1.0 (RFC 4287). Addresses are whole, because a reader shows a post far
//! from where it stands; an entry's id is the post's page.

use askama::Template;

use super::text::{Part, Run, runs};
use super::time::Moment;
use crate::clock::Wall;
use crate::limits::FEED_TITLE_CHARS_SHOWN;
use crate::user::entry::{Picture, PostRef};
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::PostView;

/// A feed.
#[derive(Debug, Template)]
#[template(path = "feed.xml", config = "src/web/askama.toml")]
pub(crate) struct AtomPage {
    /// What it is called.
    pub(crate) title: String,
    /// Its own address, and its id.
    pub(crate) own: String,
    /// The page that shows the same.
    pub(crate) page: String,
    /// When something in it last changed.
    pub(crate) updated: String,
    /// The newest first.
    pub(crate) entries: Vec<Entry>,
}

/// A post in a feed.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its page, and its id.
    pub(crate) page: String,
    /// How it begins.
    pub(crate) title: String,
    /// Who wrote it: name and page.
    pub(crate) author: (String, String),
    /// When.
    pub(crate) at: String,
    /// When it was last edited, or written.
    pub(crate) updated: String,
    /// What it says, line by line.
    pub(crate) lines: Vec<Vec<Run>>,
}

impl Entry {
    /// A post, on the site at `origin`.
    pub(crate) fn of(post: &PostView, origin: &str) -> Self {
        let user = post.author.username.clone();
        let own = Route::Thread(PostRef { user: user.clone(), id: post.id });
        let whole = |mut run: Run| {
            if run.href.starts_with('/') {
                run.href.insert_str(0, origin);
            }
            run
        };
        let line =
            |line: &str| runs(line, &post.mentions, &[]).into_iter().map(whole).collect::<Vec<_>>();
        let pictures = post.pictures.iter().map(|it| picture(it, origin));
        let options = post.poll.iter().flat_map(|poll| &poll.options);
        let options = options.map(|option| Run::plain(format!("• {}", option.title)));
        let beside: Vec<Run> = pictures.into_iter().chain(options).collect();
        let first = beside.first().and_then(|run| run.parts.first()).map(|it| it.text.as_str());
        let begins = first.filter(|_| post.text.is_empty()).unwrap_or(&post.text);
        let said = post.text.split('\n').filter(|_| !post.text.is_empty()).map(line);
        Self {
            page: format!("{origin}{own}"),
            title: title(post.note.as_deref().unwrap_or(begins)),
            author: (post.author.display_name.clone(), format!("{origin}{}", Route::Profile(user))),
            at: iso(post.at),
            updated: iso(changed(post)),
            lines: said.chain(beside.into_iter().map(|run| vec![run])).collect(),
        }
    }
}

/// Where a picture is, called by what it shows.
fn picture(picture: &Picture, origin: &str) -> Run {
    let href = format!("{origin}{}", Route::Picture(picture.file));
    let text = match picture.description.as_str() {
        "" => href.clone(),
        description => description.to_owned(),
    };
    Run { href, is_elsewhere: false, is_cut: false, parts: vec![Part { text, is_marked: false }] }
}

/// When a post last changed.
pub(crate) fn changed(post: &PostView) -> Wall {
    post.edited_at.unwrap_or(post.at)
}

/// A moment as feeds tell it.
pub(crate) fn iso(at: Wall) -> String {
    Moment::seen_at(Lang::default(), at, at).iso
}

/// How a post begins: its first line, cut.
fn title(text: &str) -> String {
    let line = text.trim_start().lines().next().unwrap_or_default();
    match line.char_indices().nth(FEED_TITLE_CHARS_SHOWN) {
        None => line.to_owned(),
        Some(_) => line.chars().take(FEED_TITLE_CHARS_SHOWN - 1).chain(['…']).collect(),
    }
}

/// Without what XML 1.0 cannot hold, however it is escaped (section 2.2): posts may have two such
/// characters.
pub(crate) fn well_formed(xml: &str) -> String {
    let is_char = |c: char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    xml.chars().map(|c| if is_char(c) { c } else { '\u{fffd}' }).collect()
}
