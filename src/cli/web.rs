//! `tern web`: the web server.

use std::net::SocketAddr;

use super::config::Web;
use super::error::CliError;
use super::{parent, say};
use crate::thread::Stop;

/// Runs a web server until it is told to stop.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(config: &Web) -> Result<(), CliError> {
    parent::until_stopped(config.stop_with_parent, |stop| {
        start(config, stop, &|address| say(&format!("web address=http://{address}")))
    })
}

/// The one place where a web server is built and run, for `tern web` and `tern serve` alike.
pub(super) fn start(
    config: &Web,
    stop: &Stop,
    _ready: &dyn Fn(SocketAddr),
) -> Result<(), CliError> {
    log::debug!("starting config={config:?} stopped={}", stop.is_closed());
    Err(CliError::NotInThisBuild { what: "web server" })
}
