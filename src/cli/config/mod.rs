//! From what was typed to values that are valid: a port that is a port, a list of peers that names
//! its own machine. Everything that can be checked without starting anything is checked here.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;

use super::args::{RawBackend, RawConfig, RawMachine, RawRunCluster, RawServe, RawSite, RawWeb};
use super::backup::Backup;
use super::check::RawCheck;
use super::cluster::Cluster;
use super::user::User;
use super::user::import::Import;
use super::user::invite::Invite;
use crate::id::NodeId;
use crate::limits::{
    NAME_CHARS_MAX, OPERATOR_ADDRESSES_MAX, RUN_CLUSTER_BACKENDS_MAX, TRUSTED_PROXIES_MAX,
};

/// A command with all it needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Config {
    Serve(Serve),
    Backend(Backend),
    Web(Web),
    RunCluster(RunCluster),
    Cluster(Cluster),
    User(User),
    Invite(Invite),
    Import(Import),
    Backup(Backup),
    Check(RawCheck),
}

/// `tern serve`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Serve {
    pub listen: HostPort,
    pub data: PathBuf,
    pub name: String,
    pub rate_limits: bool,
    pub site: Site,
}

/// `tern backend`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backend {
    pub node: NodeId,
    pub listen: HostPort,
    /// By number, `node` among them; empty where the directory is to tell.
    pub peers: Vec<(NodeId, HostPort)>,
    pub data: PathBuf,
    pub key_file: PathBuf,
    pub name: String,
    pub community: String,
    pub rate_limits: bool,
    pub stop_with_parent: bool,
}

/// `tern web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Web {
    pub listen: HostPort,
    pub backends: Vec<HostPort>,
    pub key_file: PathBuf,
    pub site: Site,
    pub stop_with_parent: bool,
}

/// `tern run-cluster`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RunCluster {
    /// Port 0 means any free one.
    pub listen: HostPort,
    pub data: PathBuf,
    /// 1 to `RUN_CLUSTER_BACKENDS_MAX`.
    pub backends: u16,
    pub backend_port: Option<NonZeroU16>,
    pub no_restart: bool,
    pub rate_limits: bool,
    pub site: Site,
}

/// What a web server knows of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    /// As given; without it the listening address makes the origin.
    pub origin: Option<String>,
    pub insecure_http: bool,
    pub trusted_proxies: Vec<IpAddr>,
    pub community: String,
}

/// A host and a port, as in `127.0.0.1:7001`, `[::1]:7001` or `apple.lan:7001`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct HostPort {
    /// A name or an address; an IPv6 address without its brackets.
    pub host: String,
    pub port: u16,
}

/// A value that cannot be used, why, and what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not an address with a port.
    #[error("--{option}={value}: not ADDRESS:PORT, as in 127.0.0.1:8080 or [::1]:8080")]
    Address {
        /// Which option.
        option: &'static str,
        /// The address, alone or out of a list.
        value: String,
    },
    /// Port 0 where others must know the port.
    #[error("--{option}={value}: others must know the port; choose one from 1 to 65535")]
    PortZero {
        /// Which option.
        option: &'static str,
        /// The address.
        value: String,
    },
    /// A number outside its range.
    #[error("--{option}={value}: not a number from {min} to {max}")]
    Number {
        /// Which option.
        option: &'static str,
        /// What was given.
        value: String,
        /// The least.
        min: u16,
        /// The most.
        max: u16,
    },
    /// The backends' ports would end beyond the last port.
    #[error("--backend-port={first}: {count} ports from there pass 65535; choose a lower one")]
    PortsEnd {
        /// The first.
        first: u16,
        /// How many.
        count: u16,
    },
    /// Neither on nor off.
    #[error("--{option}={value}: use on or off")]
    Switch {
        /// Which option.
        option: &'static str,
        /// What was given.
        value: String,
    },
    /// What should name a machine and is not a number and an address.
    #[error("{whose}: {entry:?} is not NUMBER=ADDRESS:PORT, as in 1=192.168.1.21:7001")]
    Peer {
        /// Of which option or command.
        whose: &'static str,
        /// The entry.
        entry: String,
    },
    /// Two machines under one number.
    #[error("--peers names machine {node} twice; every machine has a number of its own")]
    PeerTwice {
        /// The number.
        node: NodeId,
    },
    /// One address for two machines.
    #[error("--{option} names {value} twice; every backend has an address of its own")]
    AddressTwice {
        /// Which option.
        option: &'static str,
        /// The address.
        value: String,
    },
    /// More addresses than a cluster has machines.
    #[error(
        "--at names more than {OPERATOR_ADDRESSES_MAX} addresses; a cluster has fewer machines"
    )]
    AddressesTooMany,
    /// A list of peers without the machine itself.
    #[error("--peers={peers}: machine {node} (--node) is not in it; add {node}=ADDRESS:PORT")]
    PeersLackSelf {
        /// The machine.
        node: NodeId,
        /// The list.
        peers: String,
    },
    /// Not an IP address.
    #[error("--trusted-proxies: {value:?} is not an IP address, as in 127.0.0.1")]
    Proxy {
        /// The entry.
        value: String,
    },
    /// More than are looked at.
    #[error("--trusted-proxies names more than {TRUSTED_PROXIES_MAX} addresses")]
    ProxiesTooMany,
    /// A name that cannot stand on a page.
    #[error("--{option}={value:?}: use 1 to {NAME_CHARS_MAX} characters, none of them invisible")]
    Name {
        /// Which option.
        option: &'static str,
        /// What was given.
        value: String,
    },
    /// Not a user name.
    #[error("{value:?} is no user name: 2 to 24 of a-z, 0-9 and _, beginning with a letter")]
    UserName {
        /// What was given.
        value: String,
    },
    /// Standard input is not what `tern run-cluster` makes it.
    #[error("--stop-with-parent: standard input is no pipe; leave the option out")]
    NoParentPipe,
    /// Not a level of the log.
    #[error("TERN_LOG={0} is no log level: use error, warn, info, debug, trace or off")]
    LogLevel(String),
}

/// Checks what was typed.
///
/// # Errors
/// The first value that cannot be used.
pub(super) fn check(raw: RawConfig) -> Result<Config, ConfigError> {
    Ok(match raw {
        RawConfig::Serve(raw) => Config::Serve(Serve::check(raw)?),
        RawConfig::Backend(raw) => Config::Backend(Backend::check(raw)?),
        RawConfig::Web(raw) => Config::Web(Web::check(raw)?),
        RawConfig::RunCluster(raw) => Config::RunCluster(RunCluster::check(raw)?),
        RawConfig::Cluster(raw) => Config::Cluster(Cluster::check(raw)?),
        RawConfig::User(raw) => Config::User(User::check(raw)?),
        RawConfig::Invite(raw) => Config::Invite(Invite::check(raw)?),
        RawConfig::Import(raw) => Config::Import(Import::check(raw)?),
        RawConfig::Backup(raw) => Config::Backup(Backup::check(raw)?),
        RawConfig::Check(raw) => Config::Check(raw),
    })
}

impl Serve {
    /// The number of a machine that is alone.
    #[expect(clippy::expect_used, reason = "1 is in 1 to 15")]
    pub(super) fn node() -> NodeId {
        NodeId::new(1).expect("1 is a machine's number")
    }

    fn check(raw: RawServe) -> Result<Self, ConfigError> {
        let (name, rate_limits) = machine(raw.machine, Self::node())?;
        Ok(Self {
            listen: fixed_address("listen", &raw.listen)?,
            data: raw.data,
            name,
            rate_limits,
            site: Site::check(raw.site)?,
        })
    }
}

impl Backend {
    fn check(raw: RawBackend) -> Result<Self, ConfigError> {
        let node = machine_number("node", raw.node)?;
        let (name, rate_limits) = machine(raw.machine, node)?;
        Ok(Self {
            node,
            listen: fixed_address("listen", &raw.listen)?,
            peers: raw.peers.map_or(Ok(Vec::new()), |list| peers(&list, node))?,
            data: raw.data,
            key_file: raw.key_file,
            name,
            community: shown_name("community", raw.community)?,
            rate_limits,
            stop_with_parent: raw.child.stop_with_parent,
        })
    }
}

impl Web {
    fn check(raw: RawWeb) -> Result<Self, ConfigError> {
        let mut backends = Vec::new();
        for entry in raw.backends.split(',') {
            let backend = fixed_address("backends", entry)?;
            if backends.contains(&backend) {
                return Err(twice("backends", &backend));
            }
            backends.push(backend);
        }
        Ok(Self {
            listen: fixed_address("listen", &raw.listen)?,
            backends,
            key_file: raw.key_file,
            site: Site::check(raw.site)?,
            stop_with_parent: raw.child.stop_with_parent,
        })
    }
}

impl RunCluster {
    fn check(raw: RawRunCluster) -> Result<Self, ConfigError> {
        let listen = address("listen", &raw.listen)?;
        let backends = number("backends", &raw.backends, 1, RUN_CLUSTER_BACKENDS_MAX)?;
        let backend_port = raw.backend_port.map(|text| first_port(&text, backends)).transpose()?;
        let rate_limits = match raw.rate_limits {
            Some(text) => switch("rate-limits", &text)?,
            // On loopback it is for trying, and one person joins as many.
            None => !listen.is_loopback(),
        };
        Ok(Self {
            listen,
            data: raw.data,
            backends,
            backend_port,
            no_restart: raw.no_restart,
            rate_limits,
            site: Site::check(raw.site)?,
        })
    }
}

impl Site {
    fn check(raw: RawSite) -> Result<Self, ConfigError> {
        let mut trusted_proxies = Vec::new();
        for entry in raw.trusted_proxies.iter().flat_map(|list| list.split(',')) {
            let proxy =
                entry.parse().map_err(|_| ConfigError::Proxy { value: entry.to_owned() })?;
            trusted_proxies.push(proxy);
        }
        if trusted_proxies.len() > TRUSTED_PROXIES_MAX {
            return Err(ConfigError::ProxiesTooMany);
        }
        Ok(Self {
            origin: raw.origin,
            insecure_http: raw.insecure_http,
            trusted_proxies,
            community: shown_name("community", raw.community)?,
        })
    }
}

impl HostPort {
    /// Whether only programs of this machine can connect to it.
    pub(super) fn is_loopback(&self) -> bool {
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

fn address(option: &'static str, text: &str) -> Result<HostPort, ConfigError> {
    text.parse().map_err(|()| ConfigError::Address { option, value: text.to_owned() })
}

/// An address whose port others know.
pub(super) fn fixed_address(option: &'static str, text: &str) -> Result<HostPort, ConfigError> {
    let address = address(option, text)?;
    if address.port == 0 {
        return Err(ConfigError::PortZero { option, value: text.to_owned() });
    }
    Ok(address)
}

/// An address that was given twice.
pub(super) fn twice(option: &'static str, address: &HostPort) -> ConfigError {
    ConfigError::AddressTwice { option, value: address.to_string() }
}

pub(super) fn machine_number(option: &'static str, value: String) -> Result<NodeId, ConfigError> {
    value.parse().map_err(|_| ConfigError::Number { option, value, min: 1, max: NodeId::MAX })
}

/// `NUMBER=ADDRESS:PORT`, typed for `whose` option or command.
pub(super) fn numbered_address(
    whose: &'static str,
    entry: &str,
) -> Result<(NodeId, HostPort), ConfigError> {
    let parts = entry.split_once('=').and_then(|(number, address)| {
        let address: HostPort = address.parse().ok()?;
        Some((number.parse::<NodeId>().ok()?, address)).filter(|(_, address)| address.port > 0)
    });
    parts.ok_or_else(|| ConfigError::Peer { whose, entry: entry.to_owned() })
}

pub(super) fn peers(list: &str, node: NodeId) -> Result<Vec<(NodeId, HostPort)>, ConfigError> {
    let mut peers: Vec<(NodeId, HostPort)> = Vec::new();
    for entry in list.split(',') {
        let (number, address) = numbered_address("--peers", entry)?;
        for (other, known) in &peers {
            if *other == number {
                return Err(ConfigError::PeerTwice { node: number });
            }
            if *known == address {
                return Err(twice("peers", &address));
            }
        }
        peers.push((number, address));
    }
    if !peers.iter().any(|(number, _)| *number == node) {
        return Err(ConfigError::PeersLackSelf { node, peers: list.to_owned() });
    }
    peers.sort_by_key(|(number, _)| *number);
    Ok(peers)
}

fn machine(raw: RawMachine, node: NodeId) -> Result<(String, bool), ConfigError> {
    let name = raw.name.unwrap_or_else(|| format!("machine {node}"));
    Ok((shown_name("name", name)?, switch("rate-limits", &raw.rate_limits)?))
}

fn shown_name(option: &'static str, value: String) -> Result<String, ConfigError> {
    let count = value.chars().count();
    let is_seen = !value.trim().is_empty() && !value.chars().any(is_invisible);
    if is_seen && count <= NAME_CHARS_MAX {
        return Ok(value.trim().to_owned());
    }
    Err(ConfigError::Name { option, value })
}

/// Characters without a shape, which could hide in a name or turn the text around it.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn switch(option: &'static str, text: &str) -> Result<bool, ConfigError> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(ConfigError::Switch { option, value: text.to_owned() }),
    }
}

fn number(option: &'static str, text: &str, min: u16, max: u16) -> Result<u16, ConfigError> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let parsed = text.parse().ok().filter(|number| plain && (min..=max).contains(number));
    parsed.ok_or(ConfigError::Number { option, value: text.to_owned(), min, max })
}

fn first_port(text: &str, count: u16) -> Result<NonZeroU16, ConfigError> {
    let first = number("backend-port", text, 1, u16::MAX)?;
    if first.checked_add(count - 1).is_none() {
        return Err(ConfigError::PortsEnd { first, count });
    }
    NonZeroU16::new(first).ok_or(ConfigError::PortsEnd { first, count })
}

#[cfg(test)]
mod tests;
