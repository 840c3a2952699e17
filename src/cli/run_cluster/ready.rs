//! When the cluster is ready: the web server is asked whether a write would be saved, until it says
//! yes; a start that takes long says why.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::cli::config::HostPort;
use crate::cli::say;
use crate::clock::Clock;
use crate::limits::{READY_ANSWER_BYTES_MAX, READY_ANSWER_MS, READY_POLL_MS, READY_REPORT_MS};
use crate::thread::Stop;

/// Prints `ready` and closes the flag of that name once a write would be saved; returns then, or when
/// `stop` is closed.
pub(super) fn announce(web: &HostPort, clock: &Clock, stop: &Stop, ready: &Stop) {
    let started = clock.mono();
    let mut report_at = started.plus_ms(READY_REPORT_MS);
    loop {
        match ask(web) {
            Ok(()) => {
                say("ready");
                return ready.close();
            }
            Err(why) if clock.mono() >= report_at => {
                let waited_s = clock.mono().since_ms(started) / 1_000;
                log::warn!("not ready yet waited_s={waited_s} why={:?}", why.to_string());
                report_at = clock.mono().plus_ms(READY_REPORT_MS);
            }
            Err(_not_yet) => {}
        }
        if stop.wait(Duration::from_millis(READY_POLL_MS)) {
            return;
        }
    }
}

/// Why the cluster is not ready.
#[derive(Debug, thiserror::Error)]
enum NotReady {
    #[error("the web server does not answer: {0}")]
    Silent(#[from] io::Error),
    #[error("the web server's answer is no HTTP")]
    Garbled,
    #[error("the web server says {status}: {body}")]
    Refused { status: u16, body: String },
}

/// One question, on a connection of its own.
fn ask(web: &HostPort) -> Result<(), NotReady> {
    let limit = Duration::from_millis(READY_ANSWER_MS);
    let mut stream = TcpStream::connect_timeout(&resolve(web)?, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let head = format!("GET /readyz?writes=1 HTTP/1.1\r\nHost: {web}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(READY_ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    understand(&answer)
}

fn resolve(web: &HostPort) -> io::Result<SocketAddr> {
    let mut addresses = (web.host.as_str(), web.port).to_socket_addrs()?;
    addresses.next().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

fn understand(answer: &[u8]) -> Result<(), NotReady> {
    let text = String::from_utf8_lossy(answer);
    let mut words = text.strip_prefix("HTTP/1.1 ").ok_or(NotReady::Garbled)?.split_whitespace();
    let status = words.next().and_then(|word| word.parse().ok()).ok_or(NotReady::Garbled)?;
    if status == 200 {
        return Ok(());
    }
    // One line of plain text; an HTML page in its place would tell an operator nothing.
    let body = text.split_once("\r\n\r\n").map_or("", |(_head, body)| body).trim();
    let body = if body.starts_with('<') { "a page" } else { body };
    Err(NotReady::Refused { status, body: body.chars().take(200).collect() })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::thread::spawn_named;

    fn check(answer: &str, expected: &str) {
        let told =
            understand(answer.as_bytes()).map_or_else(|why| why.to_string(), |()| "ok".into());
        assert_eq!(told, expected);
    }

    #[test]
    fn answer_understood() {
        check("HTTP/1.1 200 OK\r\n\r\nwrites: ok", "ok");
        check(
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n\r\nwrites: no-majority\n",
            "the web server says 503: writes: no-majority",
        );
        check("HTTP/1.1 421 X\r\n\r\n<!doctype html>", "the web server says 421: a page");
        check("", "the web server's answer is no HTTP");
        check("HTTP/1.1 x", "the web server's answer is no HTTP");
    }

    /// Answers each connection in turn.
    fn serve(listener: &TcpListener, answers: &[&str]) {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 512];
            let len = stream.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..len]).into_owned();
            assert!(
                head.starts_with("GET /readyz?writes=1 HTTP/1.1\r\nHost: 127.0.0.1:"),
                "{head}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    }

    #[test]
    fn ready_announced_after_refusals() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let web = HostPort { host: "127.0.0.1".to_owned(), port };
        let (stop, ready) = (Stop::new(), Stop::new());
        std::thread::scope(|scope| {
            let asking = spawn_named(scope, "ready", |_permit| {
                announce(&web, &Clock::system(), &stop, &ready);
            });
            let not_yet = "HTTP/1.1 503 No\r\n\r\nwrites: no-majority";
            serve(&listener, &[not_yet, "no http", ""]);
            assert!(!ready.is_closed());
            serve(&listener, &["HTTP/1.1 200 OK\r\n\r\nwrites: ok"]);
            asking.unwrap().join().unwrap();
        });
        assert!(ready.is_closed());
    }

    #[test]
    fn announce_ends_when_stopped() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let (stop, ready) = (Stop::new(), Stop::new());
        stop.close();
        let web = HostPort { host: "127.0.0.1".to_owned(), port };
        announce(&web, &Clock::system(), &stop, &ready);
        assert!(!ready.is_closed());
    }
}
