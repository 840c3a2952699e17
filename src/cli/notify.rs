//! What the service manager is told: that the process is ready, reads its configuration again, stops, and,
//! while it is well, that it is alive. Without a manager that asks for it nothing is told.
//!
//! Source: `sd_notify(3)`; a datagram with lines of `NAME=value` to the socket that `NOTIFY_SOCKET` names.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::limits::WATCHDOG_MS_MIN;

/// The manager's socket, where it gave one.
static MANAGER: OnceLock<Manager> = OnceLock::new();

/// Names of variables that are for one process and not for those that it starts.
pub(super) const VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

struct Manager {
    socket: UnixDatagram,
    /// Within what time it wants to hear that the process is alive.
    watchdog: Option<Duration>,
}

/// Finds out whom to tell. Without effect when there is nobody.
pub(super) fn start(environment: &dyn Fn(&str) -> Option<OsString>) {
    let Some(name) = environment("NOTIFY_SOCKET") else { return };
    match connect(&name) {
        Ok(socket) => {
            let watchdog = watchdog(environment);
            // The command line is run once a process.
            let _is_first = MANAGER.set(Manager { socket, watchdog });
        }
        Err(error) => {
            let name = name.display();
            log::warn!(socket:% = name, error:%; "service manager cannot be told");
        }
    }
}

fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    // A manager that does not read must not hold this process up.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The watchdog's time, if it is meant for this process.
fn watchdog(environment: &dyn Fn(&str) -> Option<OsString>) -> Option<Duration> {
    let number = |name| environment(name)?.to_str()?.parse::<u64>().ok();
    let is_own = environment("WATCHDOG_PID").is_none()
        || number("WATCHDOG_PID") == Some(u64::from(std::process::id()));
    let limit = Duration::from_micros(number("WATCHDOG_USEC")?);
    (is_own && !limit.is_zero()).then_some(limit)
}

/// How often to say that the process is alive, where that is wanted: twice in the time given.
pub(super) fn every() -> Option<Duration> {
    let half = MANAGER.get()?.watchdog? / 2;
    Some(half.max(Duration::from_millis(WATCHDOG_MS_MIN)))
}

/// The process does what it is for.
pub(super) fn ready() {
    tell("READY=1");
}

/// The configuration is being read again.
pub(super) fn reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    let us = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000);
    tell(&format!("RELOADING=1\nMONOTONIC_USEC={us}"));
}

/// The process was told to stop.
pub(super) fn stopping() {
    tell("STOPPING=1");
}

/// The process is well.
pub(super) fn alive() {
    tell("WATCHDOG=1");
}

fn tell(text: &str) {
    let Some(manager) = MANAGER.get() else { return };
    if let Err(error) = manager.socket.send(text.as_bytes()) {
        log::warn!(what:% = text, error:%; "service manager not told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchdog_taken_if_it_is_for_this_process() {
        let check = |usec: &'static str, pid: Option<String>, expected: Option<u64>| {
            let environment = |name: &str| match name {
                "WATCHDOG_USEC" => Some(OsString::from(usec)),
                "WATCHDOG_PID" => pid.clone().map(OsString::from),
                _ => None,
            };
            assert_eq!(
                watchdog(&environment),
                expected.map(Duration::from_micros),
                "{usec} {pid:?}"
            );
        };
        check("60000000", None, Some(60_000_000));
        check("60000000", Some(std::process::id().to_string()), Some(60_000_000));
        check("60000000", Some("1".to_owned()), None);
        check("60000000", Some("x".to_owned()), None);
        check("0", None, None);
        check("soon", None, None);
    }

    #[test]
    fn sockets_by_path_and_by_name_reached() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let by_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("tern-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let by_name = UnixDatagram::bind_addr(&address).unwrap();
        for (heard, spelt) in
            [(by_path, path.into_os_string()), (by_name, format!("@{name}").into())]
        {
            connect(&spelt).unwrap().send(b"READY=1").unwrap();
            heard.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut buf = [0; 64];
            let count = heard.recv(&mut buf).unwrap();
            assert_eq!(&buf[..count], b"READY=1");
        }
        assert!(connect(OsStr::new("/nowhere/notify")).is_err());
    }
}
