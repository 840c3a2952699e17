//! `tern backend`: one of several.

use std::net::SocketAddr;

use super::config::Backend;
use super::error::CliError;
use super::{parent, say};
use crate::thread::Stop;

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
    _ready: &dyn Fn(SocketAddr),
) -> Result<(), CliError> {
    log::debug!("starting config={config:?} stopped={}", stop.is_closed());
    Err(CliError::NotInThisBuild { what: "backend" })
}
