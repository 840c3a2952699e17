//! `tern serve`: a backend and a web server in one process, for a machine that is alone.

use std::net::SocketAddr;
use std::path::Path;

use super::cluster::init;
use super::config::{Backend, HostPort, Key, Serve, Web};
use super::error::CliError;
use super::memory::{self, Part};
use super::signal::{Again, Second, until_signalled};
use super::watchdog::{self, Place};
use super::{backend, descriptors, key, metrics, notify, say, web};
use crate::thread::{CloseOnDrop, Stop, spawn_named};
use crate::transport::Keys;

/// Where the backend listens: at a free port, for this process alone.
const LISTEN: &str = "127.0.0.1:0";

/// Runs both until they are told to stop.
///
/// # Errors
/// [`CliError`]: the backend's if both fail, because then the web server's follows from it.
pub(super) fn run(config: &Serve, again: Again<'_>) -> Result<(), CliError> {
    descriptors::check(Part::Serve)?;
    memory::check(Part::Serve)?;
    let key_file = key::ensure(&config.data)?;
    warn_of_cluster(&config.data);
    let keys = Keys::read(&key_file)?;
    // Alone it is the majority of itself: a directory without users is a new one.
    let alone = (Serve::node(), LISTEN.to_owned());
    init::set_up(&config.data, &keys, Serve::node(), &[alone])?;
    let place = Place::default();
    until_signalled(Second::Exit, again, |stop| {
        // A page that is ready has asked the backend.
        let check = |address: &HostPort| watchdog::web(address, "/readyz");
        watchdog::beside(&place, stop, &check, || {
            run_both(config, (&key_file, &keys), &place, stop)
        })
    })?
}

/// `tern run-cluster` keeps its backends' files beside those of `tern serve`: who starts the one after
/// the other would look for their posts.
fn warn_of_cluster(data: &Path) {
    if data.join("node-1").exists() {
        log::warn!(
            data:% = data.display();
            "the directory holds a cluster's data too, which tern run-cluster serves"
        );
    }
}

/// The web server stops first, so that no request of a browser finds the backend gone.
fn run_both(
    config: &Serve,
    (key_file, keys): (&Path, &Keys),
    place: &Place,
    stop: &Stop,
) -> Result<(), CliError> {
    let backend_stop = Stop::new();
    let (sender, receiver) = crossbeam_channel::bounded(1);
    // One listener tells the numbers of both.
    let listener = metrics::listen(config.metrics.as_ref(), true)?;
    std::thread::scope(|scope| {
        let backend = spawn_named(scope, "backend", |_permit| {
            // Without a backend the web server has nothing to say, and nobody need wait for one.
            let _ended = CloseOnDrop(stop.clone());
            let sender = sender;
            let ready = |address| {
                // The channel has room for the one address that is ever sent.
                if sender.try_send(address).is_err() {
                    log::error!(address:%; "the backend said twice that it is ready");
                }
            };
            let config = backend_of(config, key_file);
            backend::start((&config, keys.clone()), listener, &backend_stop, &ready)
        })
        .map_err(|source| CliError::System { what: "start a thread", source })?;
        let ended = CloseOnDrop(backend_stop.clone());
        let web = match receiver.recv() {
            Ok(address) => start_web(config, key_file, (address, place), stop),
            Err(crossbeam_channel::RecvError) => Ok(()),
        };
        drop(ended);
        match backend.join() {
            Ok(outcome) => outcome.and(web),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn start_web(
    config: &Serve,
    key_file: &Path,
    (backend, place): (SocketAddr, &Place),
    stop: &Stop,
) -> Result<(), CliError> {
    let web = Web {
        listen: config.listen.clone(),
        backends: vec![HostPort { host: backend.ip().to_string(), port: backend.port() }],
        key: Key::File(key_file.to_owned()),
        metrics: None,
        site: config.site.clone(),
        stop_with_parent: false,
    };
    let memory_left = memory::check(Part::Serve)?;
    web::start((&web, memory_left), stop, &|address| {
        say(&format!("web address=http://{address}"));
        place.set(address);
        notify::ready();
    })
}

fn backend_of(config: &Serve, key_file: &Path) -> Backend {
    let node = Serve::node();
    let listen = HostPort { host: "127.0.0.1".to_owned(), port: 0 };
    Backend {
        node,
        listen: listen.clone(),
        peers: vec![(node, listen)],
        data: config.data.clone(),
        key: Key::File(key_file.to_owned()),
        name: config.name.clone(),
        community: config.site.community.clone(),
        rate_limits: config.rate_limits,
        metrics: None,
        stop_with_parent: false,
    }
}
