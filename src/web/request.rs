//! A browser's request, after the gate has checked its head and read its body.

use std::net::IpAddr;

/// What may be asked. HEAD is served as GET and loses its body on the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read, the head of the answer only.
    Head,
    /// Change something.
    Post,
    /// As an app: put this in its place.
    Put,
    /// As an app: change what is said of it.
    Patch,
    /// As an app: take it away.
    Delete,
    /// As a browser, for an app that runs in it: may it ask?
    Options,
}

impl Method {
    /// All of them, as they are spelt. The last four are for apps' addresses alone.
    pub const ALL: [(&'static str, Self); 7] = [
        ("GET", Self::Get),
        ("HEAD", Self::Head),
        ("POST", Self::Post),
        ("PUT", Self::Put),
        ("PATCH", Self::Patch),
        ("DELETE", Self::Delete),
        ("OPTIONS", Self::Options),
    ];

    /// As it is spelt.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, method)| *method == self).map_or("GET", |(name, _)| name)
    }

    /// Whether something may be written.
    pub const fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::Head | Self::Options)
    }

    /// Whether pages take it.
    pub const fn is_for_pages(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Post)
    }
}

/// Where whoever keeps passwords looks for the page on which one is changed (W3C, "A Well-Known URL for
/// Changing Passwords").
pub const CHANGE_PASSWORD: &str = "/.well-known/change-password";

/// Whether an address is for programs rather than for people: what is said there is JSON, errors too.
pub fn is_for_apps(path: &str) -> bool {
    let trees = ["/api/", "/oauth/token", "/oauth/revoke", "/.well-known/", "/nodeinfo/"];
    let is_in_one = trees.iter().any(|tree| path.starts_with(tree)) && path != CHANGE_PASSWORD;
    is_in_one || path == "/api"
}

/// One request. The gate has already refused what breaks HTTP's rules or our limits.
#[derive(Clone)]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// The path as sent, not decoded: begins with `/`, printable ASCII.
    pub path: String,
    /// What stood after `?`, as sent; empty if nothing did.
    pub query: String,
    /// `Cookie`, as sent.
    pub cookie: Option<String>,
    /// `Origin`, as sent.
    pub origin: Option<String>,
    /// `Sec-Fetch-Site`, as sent.
    pub fetch_site: Option<String>,
    /// `Accept-Language`, as sent.
    pub accept_language: Option<String>,
    /// `User-Agent`, as sent.
    pub user_agent: Option<String>,
    /// `Accept-Encoding`, as sent.
    pub accept_encoding: Option<String>,
    /// `If-None-Match`, as sent.
    pub if_none_match: Option<String>,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// `Authorization`, as sent.
    pub authorization: Option<String>,
    /// `Idempotency-Key`, as sent.
    pub idempotency_key: Option<String>,
    /// The body; empty for what only reads.
    pub body: Vec<u8>,
    /// The browser's address: the peer's, or what a trusted proxy says.
    pub client: IpAddr,
    /// A short number that the answer and the log name.
    pub id: String,
}

#[cfg(any(test, fuzzing))]
impl Request {
    /// One that says nothing but what is asked.
    pub(crate) fn bare(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            query: String::new(),
            cookie: None,
            origin: None,
            fetch_site: None,
            accept_language: None,
            user_agent: None,
            accept_encoding: None,
            if_none_match: None,
            content_type: None,
            authorization: None,
            idempotency_key: None,
            body: Vec::new(),
            client: [127, 0, 0, 1].into(),
            id: "1".to_owned(),
        }
    }
}
