//! `tern web`: the web server.

use std::net::SocketAddr;

use super::config::{HostPort, Web};
use super::error::CliError;
use super::memory::{self, Part};
use super::signal::Again;
use super::watchdog::{self, Place};
use super::{descriptors, metrics, notify, origin, parent, say};
use crate::thread::Stop;

/// Runs a web server until it is told to stop.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(config: &Web, again: Again<'_>) -> Result<(), CliError> {
    descriptors::check(Part::Web)?;
    let memory_left = memory::check(Part::Web)?;
    let place = Place::default();
    parent::until_stopped(config.stop_with_parent, again, |stop| {
        let check = |address: &HostPort| watchdog::web(address, "/healthz");
        watchdog::beside(&place, stop, &check, || {
            start((config, memory_left), stop, &|address| {
                say(&format!("web address=http://{address}"));
                place.set(address);
                notify::ready();
            })
        })
    })
}

/// The one place where a web server is built and run, for `tern web` and `tern serve` alike.
pub(super) fn start(
    (config, memory_left): (&Web, Option<u64>),
    stop: &Stop,
    ready: &dyn Fn(SocketAddr),
) -> Result<(), CliError> {
    let site = &config.site;
    let config = crate::web::run::Config {
        listen: config.listen.to_string(),
        backends: config.backends.iter().map(ToString::to_string).collect(),
        keys: config.key.read()?,
        origin: origin::of(site, &config.listen)?,
        community: site.community.clone(),
        trusted_proxies: site.trusted_proxies.clone(),
        app_calls: site.app_calls,
        app_passwords: site.app_passwords,
        noindex: site.noindex,
        metrics: metrics::listen(config.metrics.as_ref(), true)?,
        memory_left,
    };
    Ok(crate::web::run::run(config, stop, ready)?)
}
