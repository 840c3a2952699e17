//! Values out of texts, or why a text is none. Each is told where its text stands, to name that.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;

use log::LevelFilter;

use super::error::ConfigError;
use super::setting::Kind;
use super::source::{Given, Source, shown};
use crate::cli::logging::Format;
use crate::id::NodeId;
use crate::limits::{NAME_CHARS_MAX, RUN_CLUSTER_BACKENDS_MAX, TRUSTED_PROXIES_MAX};
use crate::order::sort_by_key;
use crate::transport::Keys;
use crate::web::origin::Origin;

/// A host and a port, as in `127.0.0.1:7001`, `[::1]:7001` or `apple.lan:7001`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::cli) struct HostPort {
    /// A name or an address; an IPv6 address without its brackets.
    pub(in crate::cli) host: String,
    pub(in crate::cli) port: u16,
}

/// Checks a value by itself, without what other values say.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(kind: Kind, given: &Given) -> Result<(), ConfigError> {
    let at = &given.at;
    if kind == Kind::Path || (kind == Kind::Secret && !given.is_secret) {
        return path(given).map(drop);
    }
    let text = given.text()?;
    match kind {
        Kind::Address => fixed_address(at, text).map(drop),
        Kind::FreeAddress => address(at, text).map(drop),
        Kind::Loopback => loopback(at, text).map(drop),
        Kind::Machine => machine_number(at, text.to_owned()).map(drop),
        Kind::Count => number(at, text, 1, RUN_CLUSTER_BACKENDS_MAX).map(drop),
        Kind::Calls => calls(at, text).map(drop),
        Kind::Port => first_port(at, text, 1).map(drop),
        Kind::Addresses => addresses(at, text).map(drop),
        Kind::Peers => entries(at, text).map(drop),
        Kind::Proxies => proxies(at, text).map(drop),
        Kind::Name => shown_name(at, text).map(drop),
        Kind::Origin => origin(at, text, true).map(drop),
        Kind::Switch | Kind::Flag => switch(at, text).map(drop),
        Kind::Level => level(at, text).map(drop),
        Kind::Format => format(at, text).map(drop),
        Kind::Secret => key(at, text).map(drop),
        Kind::Path => Ok(()),
    }
}

/// The name of a file or directory, which may be no UTF-8.
pub(super) fn path(given: &Given) -> Result<PathBuf, ConfigError> {
    let bytes = given.text.as_encoded_bytes();
    if bytes.is_empty() || bytes.contains(&0) {
        return Err(ConfigError::Path { at: given.at.clone() });
    }
    Ok(PathBuf::from(&given.text))
}

/// Refuses the first of `count` ports in a row if `listen` is in the way of one of them.
pub(super) fn apart(
    at: &Source,
    metrics: Option<&HostPort>,
    count: u16,
    listen: &HostPort,
) -> Result<(), ConfigError> {
    let Some(metrics) = metrics else { return Ok(()) };
    let is_near = metrics.port > 0
        && listen.port.checked_sub(metrics.port).is_some_and(|between| between < count);
    if is_near && (listen.is_everywhere() || listen.host == metrics.host) {
        return Err(ConfigError::PortTwice { at: at.clone(), value: metrics.to_string() });
    }
    Ok(())
}

impl HostPort {
    /// Whether it stands for every address of whoever reads it.
    pub(in crate::cli) fn is_everywhere(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_unspecified())
    }

    /// Whether only programs of this machine can connect to it.
    pub(in crate::cli) fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        self.host == "localhost" || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
    }
}

impl FromStr for HostPort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (host, port) = text.rsplit_once(':').ok_or(())?;
        // `u16::from_str` takes a sign.
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(());
        }
        let port = port.parse().map_err(|_| ())?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inner) => {
                inner.parse::<std::net::Ipv6Addr>().map_err(|_| ())?;
                inner
            }
            None => host,
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        let is_named = !host.is_empty() && host.bytes().all(plain);
        let is_address = host.parse::<IpAddr>().is_ok() && text.starts_with('[');
        if is_named || is_address { Ok(Self { host: host.to_owned(), port }) } else { Err(()) }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

pub(super) fn address(at: impl Into<Source>, text: &str) -> Result<HostPort, ConfigError> {
    text.parse().map_err(|()| ConfigError::Address { at: at.into(), value: shown(text) })
}

/// An address whose port others know.
pub(in crate::cli) fn fixed_address(
    at: impl Into<Source>,
    text: &str,
) -> Result<HostPort, ConfigError> {
    let at = at.into();
    let address = address(&at, text)?;
    if address.port == 0 {
        return Err(ConfigError::PortZero { at, value: shown(text) });
    }
    Ok(address)
}

/// The address at which others reach a machine.
pub(in crate::cli) fn machine_address(
    at: impl Into<Source>,
    text: &str,
) -> Result<HostPort, ConfigError> {
    let at = at.into();
    let address = fixed_address(&at, text)?;
    // Whoever dialled it would speak to itself.
    if address.is_everywhere() {
        return Err(ConfigError::Everywhere { at, value: shown(text) });
    }
    Ok(address)
}

/// An address that only this machine reaches, or none: `off`.
pub(super) fn loopback(at: &Source, text: &str) -> Result<Option<HostPort>, ConfigError> {
    if text == "off" {
        return Ok(None);
    }
    let address = address(at, text)?;
    if !address.is_loopback() {
        return Err(ConfigError::NotLoopback { at: at.clone(), value: shown(text) });
    }
    Ok(Some(address))
}

/// Addresses, each of them once.
pub(super) fn addresses(at: &Source, list: &str) -> Result<Vec<HostPort>, ConfigError> {
    let mut found = Vec::new();
    for entry in list.split(',') {
        let address = fixed_address(at, entry)?;
        if found.contains(&address) {
            return Err(twice(at, &address));
        }
        found.push(address);
    }
    Ok(found)
}

/// An address that was given twice.
pub(in crate::cli) fn twice(at: impl Into<Source>, address: &HostPort) -> ConfigError {
    ConfigError::AddressTwice { at: at.into(), value: shown(&address.to_string()) }
}

pub(in crate::cli) fn machine_number(
    at: impl Into<Source>,
    value: String,
) -> Result<NodeId, ConfigError> {
    value.parse().map_err(|_| ConfigError::Number {
        at: at.into(),
        value: shown(&value),
        min: 1,
        max: NodeId::MAX,
    })
}

/// `NUMBER=ADDRESS:PORT`, typed for an option or a command.
pub(in crate::cli) fn numbered_address(
    at: impl Into<Source>,
    entry: &str,
) -> Result<(NodeId, HostPort), ConfigError> {
    let parts = entry.split_once('=').and_then(|(number, address)| {
        let address: HostPort = address.parse().ok()?;
        Some((number.parse::<NodeId>().ok()?, address)).filter(|(_, address)| address.port > 0)
    });
    match parts {
        // Whoever dialled it would speak to itself.
        Some((_, address)) if address.is_everywhere() => {
            Err(ConfigError::Everywhere { at: at.into(), value: shown(&address.to_string()) })
        }
        Some(parts) => Ok(parts),
        None => Err(ConfigError::Peer { at: at.into(), entry: shown(entry) }),
    }
}

/// Machines with their addresses, each of both once.
fn entries(at: &Source, list: &str) -> Result<Vec<(NodeId, HostPort)>, ConfigError> {
    let mut peers: Vec<(NodeId, HostPort)> = Vec::new();
    for entry in list.split(',') {
        let (number, address) = numbered_address(at, entry)?;
        for (other, known) in &peers {
            if *other == number {
                return Err(ConfigError::PeerTwice { at: at.clone(), node: number });
            }
            if *known == address {
                return Err(twice(at, &address));
            }
        }
        peers.push((number, address));
    }
    Ok(peers)
}

pub(in crate::cli) fn peers(
    at: impl Into<Source>,
    list: &str,
    node: NodeId,
) -> Result<Vec<(NodeId, HostPort)>, ConfigError> {
    let at = at.into();
    let mut peers = entries(&at, list)?;
    if !peers.iter().any(|(number, _)| *number == node) {
        return Err(ConfigError::PeersLackSelf { at, node, peers: shown(list) });
    }
    sort_by_key(&mut peers, |(number, _)| *number);
    Ok(peers)
}

/// Reverse proxies; no text is none.
pub(super) fn proxies(at: &Source, list: &str) -> Result<Vec<IpAddr>, ConfigError> {
    let mut found = Vec::new();
    for entry in list.split(',').filter(|_| !list.is_empty()) {
        let proxy = entry
            .parse()
            .map_err(|_| ConfigError::Proxy { at: at.clone(), value: shown(entry) })?;
        found.push(proxy);
        if found.len() > TRUSTED_PROXIES_MAX {
            return Err(ConfigError::ProxiesTooMany { at: at.clone() });
        }
    }
    Ok(found)
}

pub(super) fn shown_name(at: &Source, value: &str) -> Result<String, ConfigError> {
    let count = value.chars().count();
    let is_seen = !value.trim().is_empty() && !value.chars().any(is_invisible);
    if is_seen && count <= NAME_CHARS_MAX {
        return Ok(value.trim().to_owned());
    }
    Err(ConfigError::Name { at: at.clone(), value: shown(value) })
}

/// Characters without a shape, which could hide in a name or turn the text around it.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The site's address, as it was given.
pub(super) fn origin(at: &Source, text: &str, insecure_http: bool) -> Result<String, ConfigError> {
    match Origin::parse(text, insecure_http) {
        Ok(_origin) => Ok(text.to_owned()),
        Err(why) => Err(ConfigError::Origin { at: at.clone(), why: shown(&why.to_string()) }),
    }
}

pub(super) fn switch(at: &Source, text: &str) -> Result<bool, ConfigError> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(word(at, text, "on or off")),
    }
}

pub(super) fn level(at: &Source, text: &str) -> Result<LevelFilter, ConfigError> {
    let allowed = "error, warn, info, debug, trace or off";
    LevelFilter::from_str(text).map_err(|_| word(at, text, allowed))
}

pub(super) fn format(at: &Source, text: &str) -> Result<Format, ConfigError> {
    match text {
        "logfmt" => Ok(Format::Logfmt),
        "json" => Ok(Format::Json),
        _ => Err(word(at, text, "logfmt or json")),
    }
}

fn word(at: &Source, text: &str, allowed: &'static str) -> ConfigError {
    ConfigError::Word { at: at.clone(), value: shown(text), allowed }
}

/// The cluster's key, or a web server's part of it.
pub(super) fn key(at: &Source, text: &str) -> Result<Keys, ConfigError> {
    Keys::of_text(text).ok_or_else(|| ConfigError::Key { at: at.clone() })
}

pub(super) fn number(at: &Source, text: &str, min: u16, max: u16) -> Result<u16, ConfigError> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let parsed = text.parse().ok().filter(|number| plain && (min..=max).contains(number));
    parsed.ok_or_else(|| ConfigError::Number { at: at.clone(), value: shown(text), min, max })
}

/// Calls of an app in a while; 0 for any number.
pub(super) fn calls(at: &Source, text: &str) -> Result<u32, ConfigError> {
    number(at, text, 0, u16::MAX).map(u32::from)
}

pub(super) fn first_port(at: &Source, text: &str, count: u16) -> Result<NonZeroU16, ConfigError> {
    let first = number(at, text, 1, u16::MAX)?;
    let fits = first.checked_add(count - 1).and(NonZeroU16::new(first));
    fits.ok_or_else(|| ConfigError::PortsEnd { at: at.clone(), first, count })
}
