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
    /// The body; empty for GET.
    pub body: Vec<u8>,
    /// The browser's address: the peer's, or what a trusted proxy says.
    pub client: IpAddr,
    /// A short number that the answer and the log name.
    pub id: String,
}
