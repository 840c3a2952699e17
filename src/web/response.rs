//! An answer to a browser: fields that only hold what a header may hold, so that no user's text can
//! become a header of its own.

use super::cookie::SetCookie;

/// An answer. The server loop adds the headers that every answer bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What the body is.
    pub content: Content,
    /// The body.
    pub body: Vec<u8>,
    /// Where to go instead, for 303.
    pub location: Option<Location>,
    /// Cookies to set.
    pub cookies: Vec<SetCookie>,
    /// Who may keep it, and how long.
    pub cache: Cache,
    /// Seconds after which to try again.
    pub retry_after_s: Option<u32>,
    /// Whether the browser should drop what it cached of this site (after a log-out).
    pub clear_cache: bool,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// `text/html; charset=utf-8`.
    Html,
    /// `text/plain; charset=utf-8`.
    Text,
    /// `text/css; charset=utf-8`.
    Css,
    /// `image/svg+xml; charset=utf-8`.
    Svg,
}

/// Who may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// `private, no-store`: anything with a cookie or a secret, and errors.
    NoStore,
    /// `private, no-cache`, with an ETag: a signed-in person's page.
    Private,
    /// `public, max-age=15`, with an ETag: a page for strangers.
    Public,
    /// `public, max-age=31536000, immutable`: files whose name holds their hash.
    Forever,
}

/// A path on this site: begins with one `/`, holds printable ASCII only, so no `\`, no line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(String);

impl Location {
    /// A path on this site, or `None` if `path` is none: used for what the site makes itself and for
    /// `next=` alike.
    pub fn new(path: &str) -> Option<Self> {
        let printable = path.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'\\');
        let local = path.starts_with('/') && !path.starts_with("//");
        (printable && local).then(|| Self(path.to_owned()))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
