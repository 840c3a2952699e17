//! Ports for the children: found free, or said to be taken, before anything starts.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::num::NonZeroU16;

use super::RunClusterError;
use crate::cli::config::HostPort;

/// The first port tried for a backend.
const BACKEND_PORT: u16 = 7001;
/// How many ports from there are tried.
const BACKEND_PORTS_TRIED: u16 = 1_000;

/// Where the children listen.
#[derive(Debug)]
pub(super) struct Ports {
    /// Where the web server listens, with the port that port 0 became.
    pub web: HostPort,
    /// On 127.0.0.1, by machine.
    pub backends: Vec<u16>,
}

/// Chooses a port for each child. All are bound at once while they are chosen, so that none is given
/// twice, and left again: what takes one before the child does makes that child report it.
pub(super) fn choose(
    listen: &HostPort,
    first: Option<NonZeroU16>,
    count: u16,
) -> Result<Ports, RunClusterError> {
    let option = format!("--listen={listen}");
    let web = TcpListener::bind((listen.host.as_str(), listen.port))
        .map_err(|error| refused(error, listen.port, option.clone()))?;
    let port = web.local_addr().map_err(|error| refused(error, listen.port, option))?.port();
    let held = match first {
        Some(first) => exactly(first.get(), count)?,
        None => free(count)?,
    };
    let backends = held.into_iter().map(|(port, _listener)| port).collect();
    Ok(Ports { web: HostPort { host: listen.host.clone(), port }, backends })
}

/// `count` ports from `first` on, every one of them or none.
fn exactly(first: u16, count: u16) -> Result<Vec<(u16, TcpListener)>, RunClusterError> {
    let bind = |port| {
        let listener = TcpListener::bind(("127.0.0.1", port));
        let option = || format!("--backend-port={first}");
        listener.map(|listener| (port, listener)).map_err(|error| refused(error, port, option()))
    };
    (first..=first.saturating_add(count - 1)).map(bind).collect()
}

/// The first `count` ports that are free.
fn free(count: u16) -> Result<Vec<(u16, TcpListener)>, RunClusterError> {
    let tried = BACKEND_PORT..BACKEND_PORT + BACKEND_PORTS_TRIED;
    let bind = |port| TcpListener::bind(("127.0.0.1", port)).ok().map(|listener| (port, listener));
    let held: Vec<_> = tried.filter_map(bind).take(usize::from(count)).collect();
    if held.len() < usize::from(count) {
        return Err(RunClusterError::NoPort { first: BACKEND_PORT });
    }
    Ok(held)
}

fn refused(error: std::io::Error, port: u16, option: String) -> RunClusterError {
    if error.kind() == ErrorKind::AddrInUse {
        return RunClusterError::PortInUse { port, option };
    }
    RunClusterError::Listen { option, source: error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback(port: u16) -> HostPort {
        HostPort { host: "127.0.0.1".to_owned(), port }
    }

    /// A listener in the way, and its port.
    fn taken() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    #[test]
    fn ports_free_chosen_once_each() {
        let ports = choose(&loopback(0), None, 5).unwrap();
        assert_ne!(ports.web.port, 0);
        assert_eq!(ports.backends.len(), 5);
        assert!(ports.backends.is_sorted_by(|a, b| a < b), "{ports:?}");
        assert!(ports.backends.iter().all(|port| *port >= BACKEND_PORT), "{ports:?}");
        assert!(!ports.backends.contains(&ports.web.port), "{ports:?}");
    }

    #[test]
    fn listen_port_taken_named() {
        let (_held, port) = taken();
        let error = choose(&loopback(port), None, 1).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("port {port} is already in use (--listen=127.")),
            "{error}"
        );
    }

    #[test]
    fn backend_port_taken_named() {
        let (_held, port) = taken();
        let error = choose(&loopback(0), NonZeroU16::new(port), 1).unwrap_err();
        assert_eq!(error.code(), 1);
        let error = error.to_string();
        assert!(error.contains(&format!("port {port} is already in use (--backend-port={port})")));
    }

    #[test]
    fn backend_port_equal_to_listen_named() {
        let (held, port) = taken();
        drop(held);
        let error = choose(&loopback(port), NonZeroU16::new(port), 1).unwrap_err();
        assert!(matches!(error, RunClusterError::PortInUse { .. }), "{error}");
    }

    #[test]
    fn address_of_another_machine_refused() {
        let listen = HostPort { host: "192.0.2.1".to_owned(), port: 1 };
        let error = choose(&listen, None, 1).unwrap_err();
        assert!(error.to_string().contains("--listen=192.0.2.1:1"), "{error}");
    }
}
