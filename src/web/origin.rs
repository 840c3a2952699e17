//! The site's own address: what `Host` and `Origin` must equal, and what decides how cookies are
//! named and whether a browser is told to insist on https.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Bytes of a host name. Source: RFC 1035, section 2.3.4.
const HOST_BYTES_MAX: usize = 253;
/// Bytes of one label of it.
const LABEL_BYTES_MAX: usize = 63;

/// Scheme, host and port under which browsers reach the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    is_https: bool,
    host: Host,
    port: u16,
}

/// A host as browsers write it: lower case, an IPv6 address without its brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

/// Why a text is no origin that this site may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Neither `http://` nor `https://` in front.
    #[error("{0:?} does not begin with http:// or https://, as in https://tern.example")]
    Scheme(String),
    /// The host is none, or something follows the port.
    #[error("{0:?} is not a scheme, a host and perhaps a port, as in https://tern.example")]
    Malformed(String),
    /// Passwords would cross a network in the open.
    #[error(
        "{0} would send passwords in the open: put a reverse proxy in front and give \
         --origin=https://…, or give --insecure-http if this is a home network"
    )]
    PlainHttp(Origin),
    /// Listening on every address does not say by which of them people come.
    #[error("{0} is every address of this machine: give --origin=… as people will type it")]
    Unspecified(SocketAddr),
}

impl Origin {
    /// Reads an origin, such as `https://tern.example` or `http://127.0.0.1:8080`; one `/` at its
    /// end is forgiven. Plain http is taken on loopback, elsewhere only if `insecure_http` is set.
    ///
    /// # Errors
    /// [`OriginError`], in words for whoever configures the site.
    pub fn parse(text: &str, insecure_http: bool) -> Result<Self, OriginError> {
        let bare = text.strip_suffix('/').unwrap_or(text);
        let lower = bare.to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return Err(OriginError::Scheme(text.to_owned()));
        }
        let origin = Self::read(bare).ok_or_else(|| OriginError::Malformed(text.to_owned()))?;
        origin.checked(insecure_http)
    }

    /// The origin of a site that nothing stands in front of.
    ///
    /// # Errors
    /// [`OriginError::Unspecified`] when `listen` is every address of the machine;
    /// [`OriginError::PlainHttp`] when it is not loopback and `insecure_http` is not set.
    pub fn from_listen(listen: SocketAddr, insecure_http: bool) -> Result<Self, OriginError> {
        if listen.ip().is_unspecified() {
            return Err(OriginError::Unspecified(listen));
        }
        Self::of_listener(listen).checked(insecure_http)
    }

    /// The origin that a browser sees which connects to `listen` itself, as health checks do.
    pub(super) fn of_listener(listen: SocketAddr) -> Self {
        let host = Host::Address(listen.ip().to_canonical());
        Self { is_https: false, host, port: listen.port() }
    }

    fn checked(self, insecure_http: bool) -> Result<Self, OriginError> {
        if self.is_https || self.is_loopback() || insecure_http {
            Ok(self)
        } else {
            Err(OriginError::PlainHttp(self))
        }
    }

    /// An origin spelt as browsers do in `Origin`: nothing after the port.
    fn read(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let (host, port) = read_authority(authority)?;
        Some(Self { is_https, host, port: port.unwrap_or(default_port(is_https)) })
    }

    /// Whether browsers speak https to the site.
    pub const fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether only this machine's own browsers reach it.
    pub fn is_loopback(&self) -> bool {
        self.host.is_loopback()
    }

    /// The host alone, as browsers write it.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Address(address) => address.to_string(),
            Host::Name(name) => name.clone(),
        }
    }

    /// What stands before the name of each cookie: `__Host-` makes a browser insist on `Secure`,
    /// which it accepts over https only.
    pub const fn cookie_prefix(&self) -> &'static str {
        if self.is_https { "__Host-" } else { "" }
    }

    /// Whether a request with this `Host` is meant for this site. Any name of loopback is any
    /// other's equal there, with the same port.
    pub fn allows_host(&self, host: &str) -> bool {
        read_authority(host).is_some_and(|(host, port)| {
            self.host.equals(&host) && port.unwrap_or(default_port(self.is_https)) == self.port
        })
    }

    /// Whether a page of this site sent a request with this `Origin`; `null` did not.
    pub fn matches_origin_header(&self, origin: &str) -> bool {
        Self::read(origin).is_some_and(|other| {
            other.is_https == self.is_https
                && other.port == self.port
                && self.host.equals(&other.host)
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_https { "https://" } else { "http://" })?;
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            Host::Name(name) => f.write_str(name)?,
        }
        if self.port == default_port(self.is_https) {
            return Ok(());
        }
        write!(f, ":{}", self.port)
    }
}

impl Host {
    fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }

    fn equals(&self, other: &Self) -> bool {
        self == other || (self.is_loopback() && other.is_loopback())
    }
}

/// Whether `text` could stand in `Host`: a host and perhaps a port.
pub(crate) fn is_authority(text: &str) -> bool {
    read_authority(text).is_some()
}

fn read_authority(text: &str) -> Option<(Host, Option<u16>)> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']')?;
        let address = address.parse::<Ipv6Addr>().ok()?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(read_port(port)?),
            None if rest.is_empty() => None,
            None => return None,
        };
        return Some((Host::Address(IpAddr::V6(address).to_canonical()), port));
    }
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(read_port(port)?)),
        None => (text, None),
    };
    let host = match name.parse() {
        Ok(address) => Host::Address(IpAddr::V4(address)),
        Err(_not_an_address) => Host::Name(read_name(name)?),
    };
    Some((host, port))
}

/// Digits only: `parse` alone would take `+80`.
fn read_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok().filter(|port| *port != 0) } else { None }
}

fn read_name(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label =
        |label: &str| (1..=LABEL_BYTES_MAX).contains(&label.len()) && label.bytes().all(plain);
    // The dot of the root may stand at the end; with it, it is another name to a browser.
    let labels = text.strip_suffix('.').unwrap_or(text);
    let is_name = text.len() <= HOST_BYTES_MAX && labels.split('.').all(label);
    is_name.then(|| text.to_ascii_lowercase())
}

const fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let shown = Origin::parse(text, true).ok().map(|origin| origin.to_string());
        assert_eq!(shown.as_deref(), expected, "{text}");
    }

    #[test]
    fn origin_spellings_normalised() {
        check("https://tern.example", Some("https://tern.example"));
        check("HTTPS://Tern.Example:443/", Some("https://tern.example"));
        check("http://127.0.0.1:8080", Some("http://127.0.0.1:8080"));
        check("http://[0:0::1]:80", Some("http://[::1]"));
        check("http://[::ffff:10.0.0.1]:81", Some("http://10.0.0.1:81"));
    }

    #[test]
    fn origin_malformed_refused() {
        for text in [
            "",
            "tern.example",
            "ftp://a",
            "http://",
            "https://a/b",
            "https://a//",
            "https://u@a",
            "https://a:0",
            "https://a:+80",
            "https://a:",
            "https://a:65536",
            "https://a b",
            "https://a?x",
            "https://[::1",
            "https://[::1]x",
            "https://a..b",
            "https://a..",
            "https://.",
            "https://ä",
            "null",
            "https://::1",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn origin_plain_http_refused_off_loopback_only() {
        let plain = Origin::parse("http://10.0.0.1:8080", false).unwrap_err().to_string();
        assert!(
            plain.contains("--origin=https://") && plain.contains("--insecure-http"),
            "{plain}"
        );
        assert!(Origin::parse("http://10.0.0.1:8080", true).is_ok());
        for loopback in ["http://localhost:1", "http://127.9.9.9:1", "http://[::1]:1"] {
            assert!(Origin::parse(loopback, false).unwrap().is_loopback(), "{loopback}");
        }
    }

    #[test]
    fn origin_from_every_address_refused() {
        for every in ["0.0.0.0:8080", "[::]:8080"] {
            let listen = every.parse().unwrap();
            let refused = Origin::from_listen(listen, true);
            assert_eq!(refused, Err(OriginError::Unspecified(listen)));
        }
        let one = Origin::from_listen("127.0.0.1:8080".parse().unwrap(), false).unwrap();
        assert_eq!(one.to_string(), "http://127.0.0.1:8080");
    }

    #[test]
    fn host_other_than_own_refused() {
        let site = Origin::parse("https://tern.example", false).unwrap();
        assert!(site.allows_host("tern.example") && site.allows_host("TERN.example:443"));
        for other in ["tern.example:80", "evil.example", "tern.example.", "", "localhost", "a b"] {
            assert!(!site.allows_host(other), "{other}");
        }
    }

    #[test]
    fn host_of_loopback_any_name_allowed() {
        let site = Origin::parse("http://127.0.0.1:8080", false).unwrap();
        for own in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080"] {
            assert!(site.allows_host(own), "{own}");
        }
        for other in ["localhost", "localhost:8081", "evil.example:8080", "10.0.0.1:8080"] {
            assert!(!site.allows_host(other), "{other}");
        }
    }

    #[test]
    fn origin_header_of_other_site_refused() {
        let site = Origin::parse("http://localhost:8080", false).unwrap();
        assert!(site.matches_origin_header("http://localhost:8080"));
        assert!(site.matches_origin_header("http://127.0.0.1:8080"));
        for other in [
            "null",
            "",
            "https://localhost:8080",
            "http://localhost",
            "http://evil:8080",
            "http://localhost:8080/",
            "http://localhost:8080, http://evil",
        ] {
            assert!(!site.matches_origin_header(other), "{other}");
        }
    }
}
