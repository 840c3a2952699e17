//! A browser by hand: bytes out, bytes in, at any web server.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Once;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Lets the tests open as many connections as the system ever lets them.
pub(crate) fn many_descriptors() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum.or(limit.current);
        setrlimit(Resource::Nofile, limit).unwrap();
    });
}

/// One answer, taken apart.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Fails unless every header that all answers bear is there, once and exactly, and browsers are told
    /// to insist on https.
    #[track_caller]
    pub(crate) fn assert_secure(&self) {
        self.assert_bears_all();
        assert_eq!(self.count("Strict-Transport-Security: max-age=31536000"), 1, "{}", self.head);
    }

    /// The same of a site without https, which must not speak of it.
    #[track_caller]
    pub(crate) fn assert_secure_without_https(&self) {
        self.assert_bears_all();
        assert_eq!(self.header("Strict-Transport-Security"), None, "{}", self.head);
    }

    #[track_caller]
    fn assert_bears_all(&self) {
        let content_type = self.header("Content-Type").unwrap_or_default();
        // The mark is what apps of other sites show of people.
        let embedded =
            if content_type.starts_with("image/") && !content_type.starts_with("image/svg") {
                "cross-origin"
            } else {
                "same-origin"
            };
        for line in [
            "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; \
             img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: same-origin",
            "Cross-Origin-Opener-Policy: same-origin",
            &format!("Cross-Origin-Resource-Policy: {embedded}"),
            "Permissions-Policy: camera=(), microphone=(), geolocation=(), browsing-topics=()",
        ] {
            assert_eq!(self.count(line), 1, "{line}\n{}", self.head);
        }
        assert!(content_type.ends_with("; charset=utf-8"), "{}", self.head);
        assert!(self.header("Cache-Control").is_some(), "{}", self.head);
        assert!(self.header("Date").is_some(), "{}", self.head);
    }

    fn count(&self, line: &str) -> usize {
        self.head.lines().filter(|found| *found == line).count()
    }
}

/// A browser, by hand.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    /// What was read and not used yet.
    pub(crate) buf: Vec<u8>,
    /// How reading ended.
    ended: Option<Result<usize, ErrorKind>>,
}

impl Client {
    pub(crate) fn connect_from(from: IpAddr, to: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
        socket.connect(&to.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, buf: Vec::new(), ended: None }
    }

    /// Sends; that the server has closed already shows when its answer is read.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        drop(self.stream.write_all(bytes.as_ref()));
    }

    /// Asks the site that goes by this `Host` for a page.
    #[track_caller]
    pub(crate) fn get_of(&mut self, host: &str, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        self.reply()
    }

    /// Reads one answer; a body comes with it unless the status or HEAD says there is none.
    #[track_caller]
    pub(crate) fn reply(&mut self) -> Reply {
        let reply = self.try_reply(false);
        reply.unwrap_or_else(|| self.no_reply())
    }

    #[track_caller]
    pub(crate) fn reply_to_head(&mut self) -> Reply {
        let reply = self.try_reply(true);
        reply.unwrap_or_else(|| self.no_reply())
    }

    #[track_caller]
    fn no_reply(&self) -> ! {
        let read = String::from_utf8_lossy(&self.buf);
        panic!("no answer before the connection ended ({:?}), but {read:?}", self.ended)
    }

    pub(crate) fn try_reply(&mut self, is_head: bool) -> Option<Reply> {
        let end = loop {
            if let Some(at) = self.buf.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more()?;
        };
        let head = String::from_utf8(self.buf.drain(..end).collect()).unwrap();
        let status = head["HTTP/1.1 ".len()..][..3].parse().unwrap();
        let mut reply = Reply { status, head, body: String::new() };
        let length = reply.header("Content-Length").map_or(0, |n| n.parse().unwrap());
        if !is_head && !matches!(status, 100 | 204 | 304) {
            while self.buf.len() < length {
                self.read_more()?;
            }
            reply.body = String::from_utf8(self.buf.drain(..length).collect()).unwrap();
        }
        Some(reply)
    }

    pub(crate) fn read_more(&mut self) -> Option<()> {
        let mut chunk = [0; 16 * 1024];
        // A read with a time-out ends when the whole machine stood still, which says nothing of the server.
        let count = loop {
            match self.stream.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(count) if count > 0 => break count,
                ended => {
                    self.ended = Some(ended.map_err(|error| error.kind()));
                    return None;
                }
            }
        };
        self.buf.extend_from_slice(&chunk[..count]);
        Some(())
    }

    pub(crate) fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Fails unless the server says nothing more and closes.
    #[track_caller]
    pub(crate) fn assert_closed(&mut self) {
        assert!(self.buf.is_empty(), "{:?}", String::from_utf8_lossy(&self.buf));
        let mut rest = [0; 64];
        match self.stream.read(&mut rest) {
            Ok(0) => {}
            Ok(count) => panic!("more came: {:?}", String::from_utf8_lossy(&rest[..count])),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }

    /// Reads exactly so many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.buf.len() < count {
            self.read_more()?;
        }
        Some(self.buf.drain(..count).collect())
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.buf.windows(2).position(|w| w == b"\r\n") {
                return self.take(at + 2).map(|line| String::from_utf8(line).unwrap());
            }
            self.read_more()?;
        }
    }

    /// A body in chunks, and whether its end came.
    pub(crate) fn chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        while let Some(line) = self.line() {
            let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
            let Some(chunk) = self.take(length + 2) else { break };
            if length == 0 {
                return (body, true);
            }
            body.extend_from_slice(&chunk[..length]);
        }
        (body, false)
    }
}
