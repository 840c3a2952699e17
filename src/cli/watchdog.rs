//! The watchdog: tells the service manager that the process is alive, each time after the process has
//! answered a question from outside. A timer alone would go on in a process that hangs.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use super::config::HostPort;
use super::notify;
use super::probe::{self, NotReady};
use crate::action::Action;
use crate::clock::Clock;
use crate::limits::WATCHDOG_TRIES;
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
            let mut is_alive = true;
            while !over.wait(pause(every, is_alive)) && !stop.is_closed() {
                // A start that takes long is limited by the manager itself.
                let silent = place.get().filter(|address| !check(address));
                is_alive = silent.is_none();
                match silent {
                    None => notify::alive(),
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

/// How long to wait before the next question. Soon after one that had no answer in time: at the same pace the
/// manager's time would be over before it, and a busy machine has slow moments.
fn pause(every: Duration, is_alive: bool) -> Duration {
    if is_alive { every } else { every / WATCHDOG_TRIES }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One slow moment was the end of a process: the next question came when the manager's time was over.
    #[test]
    fn r0211_several_questions_are_asked_before_the_managers_time_is_over() {
        let half = Duration::from_secs(30);
        assert_eq!(pause(half, true), half);
        let asked = |count: u32| half + pause(half, false) * count;
        assert!(asked(3) < half * 2, "r0211 {:?}", asked(3));
    }
}
