//! The watchdog: tells the service manager that the process is alive, each time after the process has
//! answered a question from outside. A timer alone would go on in a process that hangs.

use std::net::SocketAddr;
use std::sync::OnceLock;

use super::config::HostPort;
use super::notify;
use super::probe::{self, NotReady};
use crate::action::Action;
use crate::clock::Clock;
use crate::thread::{CloseOnDrop, Stop, spawn_named};
use crate::transport::Keys;
use crate::web::backends::Backends;
use crate::wire::request::Request;

/// Where the process serves, once it does.
#[derive(Debug, Default)]
pub(super) struct Place(OnceLock<SocketAddr>);

impl Place {
    /// It serves here.
    pub(super) fn set(&self, address: SocketAddr) {
        // It is told once.
        let _is_first = self.0.set(address);
    }

    fn get(&self) -> Option<HostPort> {
        let address = self.0.get()?;
        Some(HostPort { host: address.ip().to_string(), port: address.port() })
    }
}

/// A question whose answer proves that the process is well.
pub(super) type Check<'a> = &'a (dyn Fn(&HostPort) -> bool + Sync);

/// Runs `body` with a watchdog beside it, if the service manager wants one. It begins when `place` is
/// known, and ends with `body` or with `stop`: an orderly end has a time limit of its own.
pub(super) fn beside<T>(
    place: &Place,
    stop: &Stop,
    check: Check<'_>,
    body: impl FnOnce() -> T,
) -> T {
    let Some(every) = notify::every() else { return body() };
    let over = Stop::new();
    std::thread::scope(|scope| {
        let watching = spawn_named(scope, "watchdog", |_permit| {
            while !over.wait(every) && !stop.is_closed() {
                match place.get() {
                    // A start that takes long is limited by the manager itself.
                    None => notify::alive(),
                    Some(address) if check(&address) => notify::alive(),
                    Some(address) => {
                        log::error!(address:%; "no answer from this process itself");
                    }
                }
            }
        });
        if let Err(error) = &watching {
            log::error!(error:%; "no watchdog, for there is no thread");
        }
        let _over = CloseOnDrop(over.clone());
        body()
    })
}

/// Whether a web server answers, through everything that browsers' requests go through. A crowd that fills it
/// keeps this question out too: the server says so, and to be started anew would help nobody but the crowd.
pub(super) fn web(address: &HostPort, path: &str) -> bool {
    matches!(probe::get(address, path), Ok(_) | Err(NotReady::Full))
}

/// Whether a backend answers a web server.
pub(super) fn backend(address: &HostPort, keys: &Keys) -> bool {
    let backends = Backends::new(vec![address.to_string()], keys.clone(), Clock::system());
    let request =
        Request { session: None, read_to: None, need: None, action: Action::ClusterStatus };
    backends.ask(None, &request).is_ok()
}
