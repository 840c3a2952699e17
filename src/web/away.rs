//! Where people are sent when they leave this site for an app.

use super::origin;

/// An address elsewhere, to which an app wants people sent back: a scheme and what follows, printable
/// ASCII without quotes. Never one that runs a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away(String);

impl Away {
    /// Takes an address.
    pub fn new(address: &str) -> Option<Self> {
        let (scheme, rest) = address.split_once(':')?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        let runs = ["javascript", "data", "vbscript", "file", "about", "blob", "filesystem"];
        let is_safe = !runs.iter().any(|it| scheme.eq_ignore_ascii_case(it));
        let is_web = ["http", "https"].iter().any(|it| scheme.eq_ignore_ascii_case(it));
        let host = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next());
        let host = host.flatten().unwrap_or_default();
        let is_there = !is_web || origin::is_authority(host);
        let is_plain = |b: u8| (0x21..=0x7e).contains(&b) && !b"\"'<>\\`;,#".contains(&b);
        let is_good = is_scheme && is_safe && is_there && !rest.is_empty();
        (is_good && rest.bytes().all(is_plain)).then(|| Self(address.to_owned()))
    }

    /// The same with this added to its query.
    pub fn with_query(&self, query: &str) -> Option<Self> {
        let mark = if self.0.contains('?') { '&' } else { '?' };
        Self::new(&format!("{}{mark}{query}", self.0))
    }

    /// Its scheme and, on the web, its host: what a content policy names.
    pub(super) fn source(&self) -> String {
        let (scheme, rest) = self.0.split_once(':').unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        match rest.strip_prefix("//").filter(|_| scheme.starts_with("http")) {
            Some(rest) => {
                format!("{scheme}://{}", rest.split(['/', '?']).next().unwrap_or_default())
            }
            None => format!("{scheme}:"),
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
