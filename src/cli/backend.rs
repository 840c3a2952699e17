//! `tern backend`: one of several.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::cluster::ClusterError;
use super::cluster::target::node_file;
use super::config::layers::Values;
use super::config::setting::Role;
use super::config::{Backend, ConfigError, Given, HostPort, Source};
use super::error::{CliError, chain};
use super::signal::Again;
use super::watchdog::{self, Place};
use super::{metrics, notify, parent, say};
use crate::id::NodeId;
use crate::limits::SCRUB_ROUND_S;
use crate::metrics::serve::Listener;
use crate::thread::Stop;

/// With what the directory says of its machine, where nobody else does: its number, and where it listens.
/// So the configuration may be the same on all machines.
///
/// # Errors
/// A directory that cannot be asked. One that was never set up says nothing.
pub(super) fn as_set_up(values: Values) -> Result<Values, ConfigError> {
    let is_told = |name| values.get(name).is_some();
    let Some(data) = values.get("data").filter(|_| !(is_told("node") && is_told("listen"))) else {
        return Ok(values);
    };
    if values.role() != Role::Backend {
        return Ok(values);
    }
    let path = PathBuf::from(&data.text);
    let refused =
        |why: ClusterError| ConfigError::Directory { path: path.clone(), why: chain(&why) };
    let Some(file) = node_file(&path).map_err(refused)? else { return Ok(values) };
    let given = |text: &str| Given::new(Source::Directory(path.join("node.json")), text);
    let values = values.or("node", given(&file.node.to_string()));
    // That of a machine that was alone is nowhere.
    let own = file.member(file.node).filter(|own| !own.address.ends_with(":0"));
    Ok(match own {
        Some(own) => values.or("listen", given(&own.address)),
        None => values,
    })
}

/// Runs one backend until it is told to stop.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(config: &Backend, again: Again<'_>) -> Result<(), CliError> {
    let keys = config.key.read()?;
    let place = Place::default();
    parent::until_stopped(config.stop_with_parent, again, |stop| {
        let metrics = metrics::listen(config.metrics.as_ref(), false)?;
        let check = |address: &HostPort| watchdog::backend(address, &keys);
        watchdog::beside(&place, stop, &check, || {
            start(config, metrics, stop, &|address| {
                let data = config.data.display();
                say(&format!("backend {} address={address} data={data}", config.node));
                place.set(address);
                notify::ready();
            })
        })
    })
}

/// The one place where a backend is built and run, for `tern backend` and `tern serve` alike.
pub(super) fn start(
    config: &Backend,
    metrics: Option<Listener>,
    stop: &Stop,
    ready: &dyn Fn(SocketAddr),
) -> Result<(), CliError> {
    let peer = |(node, address): &(NodeId, HostPort)| (*node, address.to_string());
    let config = crate::backend::Config {
        node: config.node,
        listen: config.listen.to_string(),
        peers: config.peers.iter().map(peer).collect(),
        data: config.data.clone(),
        keys: config.key.read()?,
        name: config.name.clone(),
        community: config.community.clone(),
        rate_limits: config.rate_limits,
        scrub_round: Duration::from_secs(SCRUB_ROUND_S),
        metrics,
    };
    Ok(crate::backend::run(config, stop, ready)?)
}
