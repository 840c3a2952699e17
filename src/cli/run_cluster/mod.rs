//! `tern run-cluster`: a whole cluster on one machine, for trying and for tests.
//!
//! It is a parent of `tern backend` and `tern web` processes and nothing else: it keeps no user's
//! data, speaks no protocol, and what it starts is what runs on three real machines.
//!
//! - Standard output holds the lines that scripts read: one for each start of a child, and `ready`
//!   once, when a write would be saved. Everything else goes to standard error.
//! - Children have process groups of their own, so that Ctrl-C in a terminal reaches the parent alone
//!   and the order of stopping is the parent's: the web server first, then the backends.
//! - A child ends by itself when the parent is gone, however that ended (`parent`).
//! - One `tern run-cluster` uses a data directory at a time: it locks the directory.
//!
//! ```text
//!            ┌────────── ended ──────────┐
//!            ▼                           │
//!  start ─▶ running ─ended─▶ waiting 3 s ┘      ended with 2 or 3, or --no-restart ─▶ given up
//! ```

mod child;
mod layout;
mod port;
mod ready;
mod supervisor;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use child::{ChildSpec, Role};
use port::Ports;
use supervisor::Supervisor;

use super::cluster::init;
use super::config::{HostPort, Logging, RunCluster, Site};
use super::error::CliError;
use super::signal::{Again, Second, until_signalled};
use super::{key, say};
use crate::clock::Clock;
use crate::id::NodeId;
use crate::limits::EARLIER_RUN_MS_MAX;
use crate::thread::{CloseOnDrop, Stop, spawn_named};
use crate::transport::Keys;

/// Why a cluster cannot be started here, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunClusterError {
    /// Another one uses the directory.
    #[error("another tern uses {path}: stop it first, or choose another --data", path = path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds a cluster of another size.
    #[error("{path} holds a cluster of {found} machines: use --backends={found}, or another --data", path = path.display())]
    Size {
        /// The directory.
        path: PathBuf,
        /// How many machines it holds.
        found: u16,
    },
    /// A machine of a cluster that has run is gone from the directory.
    #[error(
        "{path} has no node.json, and the cluster beside it has run already: a machine that forgot \
         what it promised must not vote. Let it take its place again, empty, with \
         tern cluster replace {node} --data={data}; the others hold every post",
        path = path.display(), data = data.display()
    )]
    MachineMissing {
        /// The machine's directory.
        path: PathBuf,
        /// The machine.
        node: NodeId,
        /// The cluster's directory.
        data: PathBuf,
    },
    /// The directory cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A port that somebody else has.
    #[error("port {port} is already in use ({option}): stop what uses it, or choose another port")]
    PortInUse {
        /// Which.
        port: u16,
        /// The option that asked for it, with its value.
        option: String,
    },
    /// An address that cannot be listened on.
    #[error("cannot listen on {option}")]
    Listen {
        /// The option that asked for it, with its value.
        option: String,
        /// What the system said.
        source: io::Error,
    },
    /// No free ports for the backends.
    #[error("no free port from {first} on: name one with --backend-port")]
    NoPort {
        /// The first that was tried.
        first: u16,
    },
    /// A child refused its configuration or its data before the cluster was ready.
    #[error("{who} cannot be used as it is ({how}); its own message stands above")]
    ChildRefused {
        /// Which child.
        who: String,
        /// How it ended.
        how: String,
        /// The exit code to pass on: 2 or 3.
        code: u8,
    },
    /// A second signal came while the children were stopping.
    #[error("stopped at once; the processes were killed")]
    Forced,
}

impl RunClusterError {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::PortInUse { .. } | Self::Listen { .. } | Self::NoPort { .. } | Self::Forced => 1,
            Self::Size { .. } => 2,
            Self::InUse { .. } | Self::MachineMissing { .. } | Self::Unreadable { .. } => 3,
            Self::ChildRefused { code, .. } => *code,
        }
    }
}

/// Runs a cluster until it is told to stop.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(config: &RunCluster, again: Again<'_>) -> Result<(), CliError> {
    let key_file = key::ensure(&config.data)?;
    // Held until the end; another process finds it taken.
    let _directory = layout::lock(&config.data)?;
    let machines = layout::machines(&config.data, config.backends)?;
    let clock = Clock::system();
    layout::wait_until_free(&config.data, &machines.start, &clock, EARLIER_RUN_MS_MAX)?;
    let count = u16::try_from(machines.start.len()).unwrap_or(config.backends);
    let ports = port::choose(&config.listen, config.backend_port, count)?;
    let program = std::env::current_exe()
        .map_err(|source| CliError::System { what: "find this program's own file", source })?;
    let nodes = nodes(&machines.start, &ports);
    if machines.is_new {
        set_up(config, &nodes, &key_file)?;
    }
    let specs = specs(config, (&nodes, &ports), &key_file, &program)?;
    let force = Stop::new();
    until_signalled(Second::Close(force.clone()), again, |stop| {
        let supervisor = Supervisor::new(specs, config.no_restart, Clock::system(), &say);
        supervise(supervisor, &ports, stop, &force)
    })?
}

/// Starts the children, says when the cluster is ready, and ends with the last of them.
fn supervise(
    mut supervisor: Supervisor<'_>,
    ports: &Ports,
    stop: &Stop,
    force: &Stop,
) -> Result<(), CliError> {
    let ready = Stop::new();
    std::thread::scope(|scope| {
        // Also what waits for `ready` must end.
        let ended = CloseOnDrop(stop.clone());
        supervisor.start_all();
        let spawned = spawn_named(scope, "ready", |_permit| {
            ready::announce(&ports.web, &Clock::system(), stop, &ready);
        });
        let watched = match spawned {
            Ok(_handle) => supervisor.watch(stop, &ready).map_err(CliError::from),
            Err(source) => Err(CliError::System { what: "start a thread", source }),
        };
        drop(ended);
        let stopped = supervisor.stop_all(force);
        watched.and(stopped.map_err(CliError::from))
    })
}

/// The machines and where they listen.
fn nodes(machines: &[NodeId], ports: &Ports) -> Vec<(NodeId, String)> {
    let address = |(node, port): (&NodeId, &u16)| (*node, format!("127.0.0.1:{port}"));
    machines.iter().zip(&ports.backends).map(address).collect()
}

/// Makes the directories of a cluster that is new, as `tern cluster init` does for one machine.
fn set_up(
    config: &RunCluster,
    nodes: &[(NodeId, String)],
    key_file: &Path,
) -> Result<(), CliError> {
    let keys = Keys::read(key_file)?;
    for (node, _) in nodes {
        init::set_up(&layout::node_directory(&config.data, *node), &keys, *node, nodes)?;
    }
    Ok(())
}

/// What to start: the backends by number, then the web server.
fn specs(
    config: &RunCluster,
    (nodes, ports): (&[(NodeId, String)], &Ports),
    key_file: &Path,
    program: &Path,
) -> Result<Vec<ChildSpec>, CliError> {
    let peers: Vec<_> = nodes.iter().map(|(node, address)| format!("{node}={address}")).collect();
    let peers = peers.join(",");
    let mut specs = Vec::new();
    for (node, address) in nodes {
        let data = layout::node_directory(&config.data, *node);
        key::make_directory(&data)?;
        let args = [
            "backend".into(),
            format!("--node={node}").into(),
            format!("--listen={address}").into(),
            format!("--peers={peers}").into(),
            option("--data=", &data),
            option("--key-file=", key_file),
            format!("--community={}", config.site.community).into(),
            format!("--rate-limits={}", if config.rate_limits { "on" } else { "off" }).into(),
        ];
        let mut args = [args.into(), child_args(config.logging)].concat();
        args.extend(metrics_arg(config, node.get()));
        let place = format!("address={address} data={}", data.display());
        specs.push(ChildSpec::new(program, Role::Backend(*node), args, place));
    }
    let addresses: Vec<_> = nodes.iter().map(|(_, address)| address.as_str()).collect();
    let mut args = vec![
        "web".into(),
        format!("--listen={}", ports.web).into(),
        format!("--backends={}", addresses.join(",")).into(),
        option("--key-file=", key_file),
    ];
    args.extend(site_args(&config.site));
    args.extend(child_args(config.logging));
    args.extend(metrics_arg(config, 0));
    let place = format!("address=http://{}", ports.web);
    specs.push(ChildSpec::new(program, Role::Web, args, place));
    Ok(specs)
}

/// What every child is told: it has no configuration file, the log is written as here, and it ends
/// with this process.
fn child_args(logging: Logging) -> Vec<OsString> {
    let Logging { level, format } = logging;
    let level = level.as_str().to_lowercase();
    let told = [
        "--config=".to_owned(),
        format!("--log={level}"),
        format!("--log-format={}", format.name()),
    ];
    told.into_iter().chain(["--stop-with-parent".to_owned()]).map(OsString::from).collect()
}

/// Where a child tells its numbers: the web server at the address that was given, each backend as many
/// ports behind it as its number says.
fn metrics_arg(config: &RunCluster, number: u16) -> Option<OsString> {
    let HostPort { host, port } = config.metrics.clone()?;
    let address = HostPort { host, port: port.checked_add(number)? };
    Some(format!("--metrics={address}").into())
}

fn site_args(site: &Site) -> Vec<OsString> {
    let mut args = vec![OsString::from(format!("--community={}", site.community))];
    if let Some(origin) = &site.origin {
        args.push(format!("--origin={origin}").into());
    }
    if let Some(calls) = site.app_calls {
        args.push(format!("--app-calls={calls}").into());
    }
    if site.app_passwords {
        args.push("--app-passwords=on".into());
    }
    if site.noindex {
        args.push("--noindex=on".into());
    }
    if site.insecure_http {
        args.push("--insecure-http".into());
    }
    if !site.trusted_proxies.is_empty() {
        let proxies: Vec<_> = site.trusted_proxies.iter().map(ToString::to_string).collect();
        args.push(format!("--trusted-proxies={}", proxies.join(",")).into());
    }
    args
}

/// An option with a path, which may be no UTF-8.
fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}

#[cfg(test)]
mod tests;
