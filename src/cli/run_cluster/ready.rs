//! When the cluster is ready: the web server is asked whether a write would be saved, until it says
//! yes; a start that takes long says why.

use std::time::Duration;

use crate::cli::config::HostPort;
use crate::cli::{notify, probe, say};
use crate::clock::Clock;
use crate::limits::{READY_POLL_MS, READY_REPORT_MS};
use crate::thread::Stop;

/// Prints `ready` and closes the flag of that name once a write would be saved; returns then, or when
/// `stop` is closed.
pub(super) fn announce(web: &HostPort, clock: &Clock, stop: &Stop, ready: &Stop) {
    let started = clock.mono();
    let mut report_at = started.plus_ms(READY_REPORT_MS);
    loop {
        match probe::get(web, "/readyz?writes=1") {
            Ok(_) => {
                say("ready");
                notify::ready();
                return ready.close();
            }
            Err(why) if clock.mono() >= report_at => {
                let waited_s = clock.mono().since_ms(started) / 1_000;
                log::warn!(waited_s, why:%; "not ready yet");
                report_at = clock.mono().plus_ms(READY_REPORT_MS);
            }
            Err(_not_yet) => {}
        }
        if stop.wait(Duration::from_millis(READY_POLL_MS)) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::thread::spawn_named;

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
