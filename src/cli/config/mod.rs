//! From what was typed, exported and written down to values that are valid: a port that is a port, a
//! list of peers that names its own machine. Everything that can be checked without starting anything
//! is checked here.
//!
//! - `setting`: the table; nothing else knows a setting's name, default or help.
//! - `file`: the lines of a configuration file; `layers`: which of default, file, environment and
//!   command line holds; `source`: where a value stands, for messages.
//! - `value`: a text becomes a value; here: the values of a command.

mod error;
pub(super) mod file;
pub(super) mod layers;
pub(super) mod setting;
mod source;
mod value;

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use log::LevelFilter;

pub use error::ConfigError;
pub(super) use source::{Given, Source};
pub(super) use value::{
    HostPort, fixed_address, machine_address, machine_number, numbered_address, peers, twice,
};

use super::logging::Format;
use crate::id::NodeId;
use crate::limits::RUN_CLUSTER_BACKENDS_MAX;
use crate::transport::Keys;
use layers::Values;
use setting::{Role, Setting};

/// A command with all it needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Config {
    Serve(Serve),
    Backend(Backend),
    Web(Web),
    RunCluster(RunCluster),
}

/// `tern serve`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Serve {
    pub listen: HostPort,
    pub data: PathBuf,
    pub name: String,
    pub rate_limits: bool,
    pub metrics: Option<HostPort>,
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
    pub key: Key,
    pub name: String,
    pub community: String,
    pub rate_limits: bool,
    pub metrics: Option<HostPort>,
    pub stop_with_parent: bool,
}

/// `tern web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Web {
    pub listen: HostPort,
    pub backends: Vec<HostPort>,
    pub key: Key,
    pub metrics: Option<HostPort>,
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
    pub logging: Logging,
    /// The web server's; those of the backends have the ports that follow, by number.
    pub metrics: Option<HostPort>,
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
    /// How often an app may call in five minutes; as is usual where nothing is said.
    pub app_calls: Option<u32>,
    pub app_passwords: bool,
    pub noindex: bool,
}

/// A secret: nothing shows it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

/// The cluster's key, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// The file that holds it.
    File(PathBuf),
    /// Itself, checked.
    Text(Source, Secret),
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Logging {
    pub level: LevelFilter,
    pub format: Format,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Key {
    /// The file that holds it, if one does.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Text(..) => None,
        }
    }

    /// The keys made of it.
    ///
    /// # Errors
    /// When there is no such file, or it holds no key.
    pub(super) fn read(&self) -> Result<Keys, super::CliError> {
        match self {
            Self::File(path) => Ok(Keys::read(path)?),
            Self::Text(at, secret) => Ok(value::key(at, &secret.0)?),
        }
    }

    /// The key itself, where no file was named; whether it is one shows when it is read.
    ///
    /// # Errors
    /// When it is no text.
    pub(super) fn secret(values: &Values) -> Result<Option<Self>, ConfigError> {
        let given = values.get("key").filter(|given| given.is_secret);
        let text =
            |given: &Given| Ok(Self::Text(given.at.clone(), Secret(given.text()?.to_owned())));
        given.map(text).transpose()
    }

    fn check(values: &Values) -> Result<Self, ConfigError> {
        let given = values.need("key")?;
        if !given.is_secret {
            return Ok(Self::File(value::path(given)?));
        }
        let text = given.text()?;
        value::key(&given.at, text)?;
        Ok(Self::Text(given.at.clone(), Secret(text.to_owned())))
    }
}

impl Logging {
    /// How the log is written, by what was given.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub(super) fn check(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            level: values.value("log", value::level)?,
            format: values.value("log-format", value::format)?,
        })
    }
}

/// Checks what was given for a command.
///
/// # Errors
/// The first value that cannot be used.
pub(super) fn check(values: &Values) -> Result<Config, ConfigError> {
    Ok(match values.role() {
        Role::Serve => Config::Serve(Serve::check(values)?),
        Role::Backend => Config::Backend(Backend::check(values)?),
        Role::Web => Config::Web(Web::check(values)?),
        Role::RunCluster => Config::RunCluster(RunCluster::check(values)?),
    })
}

/// Checks each value by itself, without what others say and without what lacks.
///
/// # Errors
/// All values that cannot be used.
pub(super) fn check_each(values: &Values) -> Vec<ConfigError> {
    let one = |(setting, given): (&Setting, &Given)| value::check(setting.kind, given).err();
    values.all().filter(|(_, given)| given.at != Source::Default).filter_map(one).collect()
}

impl Serve {
    /// The number of a machine that is alone.
    #[expect(clippy::expect_used, reason = "1 is in 1 to 15")]
    pub(super) fn node() -> NodeId {
        NodeId::new(1).expect("1 is a machine's number")
    }

    fn check(values: &Values) -> Result<Self, ConfigError> {
        let listen = values.value("listen", |at, text| value::fixed_address(at, text))?;
        Ok(Self {
            metrics: metrics(values, &listen)?,
            listen,
            data: values.path("data")?,
            name: machine_name(values, Self::node())?,
            rate_limits: values.value("rate-limits", value::switch)?,
            site: Site::check(values)?,
        })
    }
}

impl Backend {
    fn check(values: &Values) -> Result<Self, ConfigError> {
        let lacks = |name| values.get(name).is_none();
        for (flag, value) in [("node", "N"), ("listen", "ADDR:PORT")] {
            if lacks(flag) {
                let path = values.path("data")?;
                let told = values.get("node").map(|given| &given.at);
                return Err(match told {
                    Some(Source::Directory(_)) => ConfigError::SetUpAlone { path },
                    _ => ConfigError::NotSetUp { flag, value, path },
                });
            }
        }
        let node = values.value("node", |at, text| machine_number(at, text.to_owned()))?;
        let listen = values.value("listen", |at, text| value::fixed_address(at, text))?;
        let peers = values.optional("peers", |at, list| peers(at, list, node))?;
        Ok(Self {
            node,
            metrics: metrics(values, &listen)?,
            listen,
            peers: peers.unwrap_or_default(),
            data: values.path("data")?,
            key: Key::check(values)?,
            name: machine_name(values, node)?,
            community: values.value("community", value::shown_name)?,
            rate_limits: values.value("rate-limits", value::switch)?,
            stop_with_parent: values.stop_with_parent(),
        })
    }
}

impl Web {
    fn check(values: &Values) -> Result<Self, ConfigError> {
        let listen = values.value("listen", |at, text| value::fixed_address(at, text))?;
        Ok(Self {
            metrics: metrics(values, &listen)?,
            listen,
            backends: values.value("backends", value::addresses)?,
            key: Key::check(values)?,
            site: Site::check(values)?,
            stop_with_parent: values.stop_with_parent(),
        })
    }
}

impl RunCluster {
    fn check(values: &Values) -> Result<Self, ConfigError> {
        let listen = values.value("listen", |at, text| value::address(at, text))?;
        let count = |at: &Source, text: &str| value::number(at, text, 1, RUN_CLUSTER_BACKENDS_MAX);
        let backends = values.value("backends", count)?;
        let port = |at: &Source, text: &str| value::first_port(at, text, backends);
        let metrics = values.value("metrics", metrics_of_all)?;
        let at = &values.need("metrics")?.at;
        value::apart(at, metrics.as_ref(), backends + 1, &listen)?;
        // On loopback it is for trying, and one person joins as many.
        let rate_limits = values.optional("rate-limits", value::switch)?;
        Ok(Self {
            rate_limits: rate_limits.unwrap_or(!listen.is_loopback()),
            listen,
            data: values.path("data")?,
            backends,
            backend_port: values.optional("backend-port", port)?,
            no_restart: values.value("no-restart", value::switch)?,
            logging: Logging::check(values)?,
            metrics,
            site: Site::check(values)?,
        })
    }
}

impl Site {
    fn check(values: &Values) -> Result<Self, ConfigError> {
        let insecure_http = values.value("insecure-http", value::switch)?;
        let origin = |at: &Source, text: &str| value::origin(at, text, insecure_http);
        Ok(Self {
            origin: values.optional("origin", origin)?,
            insecure_http,
            trusted_proxies: values
                .optional("trusted-proxies", value::proxies)?
                .unwrap_or_default(),
            community: values.value("community", value::shown_name)?,
            app_calls: values.optional("app-calls", value::calls)?,
            app_passwords: values.value("app-passwords", value::switch)?,
            noindex: values.value("noindex", value::switch)?,
        })
    }
}

/// Where the numbers are told, which is not where people or machines connect.
fn metrics(values: &Values, listen: &HostPort) -> Result<Option<HostPort>, ConfigError> {
    let found = values.value("metrics", value::loopback)?;
    value::apart(&values.need("metrics")?.at, found.as_ref(), 1, listen)?;
    Ok(found)
}

/// The web server's address, which leaves room for the ports of the backends behind its own.
fn metrics_of_all(at: &Source, text: &str) -> Result<Option<HostPort>, ConfigError> {
    let found = value::loopback(at, text)?;
    if let Some(address) = &found {
        value::fixed_address(at, text)?;
        value::first_port(at, &address.port.to_string(), NodeId::MAX + 1)?;
    }
    Ok(found)
}

fn machine_name(values: &Values, node: NodeId) -> Result<String, ConfigError> {
    let name = values.optional("name", value::shown_name)?;
    Ok(name.unwrap_or_else(|| format!("machine {node}")))
}

/// What flags alone say, without a file and an environment.
#[cfg(any(test, fuzzing))]
pub(super) fn alone(role: Role, typed: &layers::Typed) -> Result<Config, ConfigError> {
    let file = file::ConfigFile::default();
    check(&layers::Layers { file: &file, environment: &|_| None, typed }.resolve(role)?)
}

/// What a command line alone says, program name first.
#[cfg(test)]
pub(super) fn typed(
    args: impl IntoIterator<Item = std::ffi::OsString>,
) -> Result<Config, ConfigError> {
    let line = super::args::parse(args, &[]).expect("a command line");
    let (role, typed) = line.command.settings().expect("a command with settings");
    alone(role, &typed.and(&line.common.typed))
}

#[cfg(test)]
mod tests;
