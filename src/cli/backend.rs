//! `tern backend`: one of several.

use std::net::SocketAddr;
use std::time::Duration;

use super::config::{Backend, HostPort};
use super::error::CliError;
use super::signal::Again;
use super::watchdog::{self, Place};
use super::{metrics, notify, parent, say};
use crate::id::NodeId;
use crate::limits::SCRUB_ROUND_S;
use crate::metrics::serve::Listener;
use crate::thread::Stop;

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
