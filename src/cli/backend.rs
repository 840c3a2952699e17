//! `tern backend`: one of several.

use std::net::SocketAddr;
use std::time::Duration;

use super::config::{Backend, HostPort};
use super::error::CliError;
use super::{parent, say};
use crate::id::NodeId;
use crate::limits::SCRUB_ROUND_S;
use crate::thread::Stop;
use crate::transport::key::Keys;

/// Runs one backend until it is told to stop.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(config: &Backend) -> Result<(), CliError> {
    parent::until_stopped(config.stop_with_parent, |stop| {
        start(config, stop, &|address| {
            let data = config.data.display();
            say(&format!("backend {} address={address} data={data}", config.node));
        })
    })
}

/// The one place where a backend is built and run, for `tern backend` and `tern serve` alike.
pub(super) fn start(
    config: &Backend,
    stop: &Stop,
    ready: &dyn Fn(SocketAddr),
) -> Result<(), CliError> {
    let peer = |(node, address): &(NodeId, HostPort)| (*node, address.to_string());
    let config = crate::backend::Config {
        node: config.node,
        listen: config.listen.to_string(),
        peers: config.peers.iter().map(peer).collect(),
        data: config.data.clone(),
        keys: Keys::read(&config.key_file)?,
        name: config.name.clone(),
        community: config.community.clone(),
        rate_limits: config.rate_limits,
        scrub_round: Duration::from_secs(SCRUB_ROUND_S),
    };
    Ok(crate::backend::run(config, stop, ready)?)
}
