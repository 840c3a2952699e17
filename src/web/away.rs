//! Where people are sent when they leave this site for an app.

use super::origin;

/// Schemes on which browsers and systems act themselves: they run or fetch what follows, write a message,
/// call somebody, open a part of the machine. None is an app's own. Source: RFC 9700, section 2.1, asks for
/// care, and no registry says which they are.
const ACTED_ON: [&str; 38] = [
    "about",
    "blob",
    "brave",
    "callto",
    "chrome",
    "chrome-extension",
    "content",
    "data",
    "edge",
    "facetime",
    "file",
    "filesystem",
    "ftp",
    "hcp",
    "help",
    "intent",
    "itms-services",
    "jar",
    "javascript",
    "mailto",
    "market",
    "microsoft-edge",
    "mms",
    "moz-extension",
    "opera",
    "resource",
    "search",
    "search-ms",
    "shell",
    "smb",
    "sms",
    "smsto",
    "ssh",
    "steam",
    "tel",
    "telnet",
    "vbscript",
    "view-source",
];
/// Whole families of them, by how they begin.
const ACTED_ON_FROM: [&str; 2] = ["ms-", "x-apple"];

/// An address elsewhere, to which an app wants people sent back: a scheme and what follows, printable
/// ASCII without quotes. Never one on which a browser or a system acts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away(String);

impl Away {
    /// Takes an address.
    pub fn new(address: &str) -> Option<Self> {
        let (scheme, rest) = address.split_once(':')?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        let is_web = ["http", "https"].iter().any(|it| scheme.eq_ignore_ascii_case(it));
        let host = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next());
        let host = host.flatten().unwrap_or_default();
        let is_there = !is_web || origin::is_authority(host);
        let is_plain = |b: u8| (0x21..=0x7e).contains(&b) && !b"\"'<>\\`;,#".contains(&b);
        // A name with a dot in it is its owner's own (RFC 8252, section 7.1); without one it is at least an
        // address like the web's. Some apps have nothing behind the slashes.
        let is_apps = scheme.contains('.') || rest.starts_with("//");
        let is_good = is_scheme && is_apps && !is_acted_on(scheme) && is_there && !rest.is_empty();
        (is_good && rest.bytes().all(is_plain)).then(|| Self(address.to_owned()))
    }

    /// Whether people may be shown it as a link: what it says crosses no network that others read.
    pub fn is_private(&self) -> bool {
        self.source().split(':').next() != Some("http")
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

fn is_acted_on(scheme: &str) -> bool {
    let scheme = scheme.to_ascii_lowercase();
    ACTED_ON.contains(&scheme.as_str()) || ACTED_ON_FROM.iter().any(|it| scheme.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apps_addresses_taken() {
        for address in [
            "https://app.example/cb?x=1",
            "http://127.0.0.1:8000/cb",
            "oauth2redirect://com.keylesspalace.tusky/",
            "ivory://callback",
            "icecubesapp://",
            "tuba://auth_code",
            "com.example.app:/oauth",
            "dev.fen-app://back",
        ] {
            assert!(Away::new(address).is_some(), "{address}");
        }
        assert!(Away::new("https://a.example/").is_some_and(|it| it.is_private()));
        assert!(Away::new("HTTP://a.example/").is_some_and(|it| !it.is_private()));
    }

    #[test]
    fn addresses_acted_on_refused() {
        for address in [
            "ms-msdt:/id",
            "ms-msdt://id",
            "MS-Settings://x",
            "ms-app.dotted:x",
            "search-ms:x",
            "search-ms://x",
            "view-source:https://x",
            "view-source://x",
            "mailto:x",
            "Mailto://x",
            "tel:1",
            "intent://x",
            "javascript://a%0aalert(1)",
            "x-apple.systempreferences:x",
            "fen:back",
            "fen:/back",
            "urn:x:y",
        ] {
            assert_eq!(Away::new(address), None, "{address}");
        }
    }
}
