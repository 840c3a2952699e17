//! Asks a web server how it is, as a monitor would: for `tern run-cluster`, `tern health` and the
//! watchdog.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::config::HostPort;
use crate::limits::{READY_ANSWER_BYTES_MAX, READY_ANSWER_MS};
use crate::web::words::Lang;

/// Why a web server is not well.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotReady {
    #[error("the web server does not answer: {0}")]
    Silent(io::Error),
    #[error("the web server did not answer in time")]
    Late,
    #[error("the web server's answer is no HTTP")]
    Garbled,
    #[error("the web server has too many connections")]
    Full,
    #[error("the web server says {status}: {body}")]
    Refused { status: u16, body: String },
}

impl From<io::Error> for NotReady {
    /// A read that a limit on its time ended is told as one that would have had to wait.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Late,
            _ => Self::Silent(error),
        }
    }
}

/// One question, on a connection of its own.
///
/// # Errors
/// [`NotReady`]; otherwise what it said.
pub(super) fn get(web: &HostPort, path: &str) -> Result<String, NotReady> {
    let limit = Duration::from_millis(READY_ANSWER_MS);
    let address = resolve(web)?;
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(READY_ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    understand(&answer)
}

/// The address to ask, by which the web server knows itself: where it listens on every address of this
/// machine, the nearest.
fn resolve(web: &HostPort) -> io::Result<SocketAddr> {
    let mut addresses = (web.host.as_str(), web.port).to_socket_addrs()?;
    let mut address = addresses.next().ok_or_else(|| io::Error::from(ErrorKind::NotFound))?;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(address)
}

fn understand(answer: &[u8]) -> Result<String, NotReady> {
    let text = String::from_utf8_lossy(answer);
    let mut words = text.strip_prefix("HTTP/1.1 ").ok_or(NotReady::Garbled)?.split_whitespace();
    let status = words.next().and_then(|word| word.parse().ok()).ok_or(NotReady::Garbled)?;
    // One line of plain text; an HTML page in its place would tell an operator nothing.
    let body = text.split_once("\r\n\r\n").map_or("", |(_head, body)| body).trim();
    let body = if body.starts_with('<') { "a page" } else { body };
    let body: String = body.chars().filter(|c| !c.is_control()).take(200).collect();
    match status {
        200 => Ok(body),
        503 if text.contains(Lang::En.too_many_connections()) => Err(NotReady::Full),
        _ => Err(NotReady::Refused { status, body }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_asked_at_the_nearest() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("192.168.1.21:80", "192.168.1.21:80"),
        ] {
            assert_eq!(resolve(&listen.parse().unwrap()).unwrap().to_string(), asked);
        }
    }

    fn check(answer: &str, expected: &str) {
        let told = understand(answer.as_bytes())
            .map_or_else(|why| why.to_string(), |said| format!("ok: {said}"));
        assert_eq!(told, expected);
    }

    #[test]
    fn answer_understood() {
        check("HTTP/1.1 200 OK\r\n\r\nwrites: ok\n", "ok: writes: ok");
        check(
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n\r\nwrites: no-majority\n",
            "the web server says 503: writes: no-majority",
        );
        check("HTTP/1.1 421 X\r\n\r\n<!doctype html>", "the web server says 421: a page");
        let full = format!("HTTP/1.1 503 X\r\n\r\n<p>{}</p>", Lang::En.too_many_connections());
        check(&full, "the web server has too many connections");
        check("", "the web server's answer is no HTTP");
        check("HTTP/1.1 x", "the web server's answer is no HTTP");
    }
}
