//! Answers who collects the numbers: `GET /metrics` and nothing else, whoever has asked first, each by a
//! deadline. Who asks nothing keeps nobody waiting. Who reaches the listener may read them; it is for this
//! machine alone.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::page::CONTENT_TYPE;
use crate::clock::{Clock, Mono};
use crate::limits::{
    METRICS_ANSWER_MS, METRICS_CALLERS_MAX, METRICS_HEAD_BYTES_MAX, METRICS_POLL_MS,
};
use crate::thread::Stop;

/// A listener for those who collect, not yet answering.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    /// Whether the process is a web server too.
    pub is_web: bool,
}

impl Listener {
    /// Listens on an address of this machine alone; port 0 takes a free one.
    ///
    /// # Errors
    /// The system's; also when the address is one that others reach.
    pub fn bind(listen: &str, is_web: bool) -> io::Result<Self> {
        let address = listen.to_socket_addrs()?.next().ok_or(ErrorKind::AddrNotAvailable)?;
        if !address.ip().to_canonical().is_loopback() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not an address of loopback"));
        }
        let socket = TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address, is_web })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` closes, with what `page` makes each time.
    pub fn run(&self, stop: &Stop, page: &dyn Fn() -> String) {
        let clock = Clock::system();
        let mut waiting = VecDeque::new();
        while !stop.is_closed() {
            match self.socket.accept() {
                Ok((stream, _)) => {
                    let by = clock.mono().plus_ms(METRICS_ANSWER_MS);
                    waiting.push_back(Caller { stream, by, head: Vec::new() });
                    if waiting.len() > METRICS_CALLERS_MAX {
                        waiting.pop_front();
                    }
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The system has no descriptor left: a little later.
                Err(error) => log::debug!(error:%; "metrics connection not accepted"),
            }
            waiting.retain_mut(|caller| match caller.serve(&clock, page) {
                Ok(is_done) => !is_done,
                Err(error) => {
                    log::debug!(error:%; "metrics not told");
                    false
                }
            });
            stop.wait(Duration::from_millis(METRICS_POLL_MS));
        }
    }
}

/// Somebody whose question has not been read to its end.
struct Caller {
    stream: TcpStream,
    by: Mono,
    head: Vec<u8>,
}

impl Caller {
    /// Reads what there is, and answers if that is all; whether it is over.
    fn serve(&mut self, clock: &Clock, page: &dyn Fn() -> String) -> io::Result<bool> {
        let time = left(clock, self.by)?;
        self.stream.set_nonblocking(true)?;
        let is_whole = read_head(&mut self.stream, &mut self.head)?;
        if is_whole {
            self.stream.set_nonblocking(false)?;
            self.stream.set_write_timeout(Some(time))?;
            self.stream.write_all(&answer(&self.head, page))?;
        }
        Ok(is_whole)
    }
}

fn answer(head: &[u8], page: &dyn Fn() -> String) -> Vec<u8> {
    let (status, allow, body) = match understood(head) {
        Asked::Page => ("200 OK", "", page()),
        Asked::OtherMethod => ("405 Method Not Allowed", "Allow: GET, HEAD\r\n", String::new()),
        Asked::OtherPath => ("404 Not Found", "", "only /metrics is here\n".to_owned()),
        Asked::Nonsense => ("400 Bad Request", "", String::new()),
    };
    let length = body.len();
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {length}\r\n{allow}\
         Connection: close\r\n\r\n"
    );
    if !head.starts_with(b"HEAD ") {
        bytes.push_str(&body);
    }
    bytes.into_bytes()
}

/// What is left until `by`; never the zero that would mean for ever.
fn left(clock: &Clock, by: Mono) -> io::Result<Duration> {
    let left = by.left(clock.mono());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Reads on in the head of a request; whether its end is there.
fn read_head(stream: &mut TcpStream, head: &mut Vec<u8>) -> io::Result<bool> {
    let mut part = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > METRICS_HEAD_BYTES_MAX {
            return Err(ErrorKind::InvalidData.into());
        }
        let count = match stream.read(&mut part) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        head.extend_from_slice(part.get(..count).unwrap_or_default());
    }
    Ok(true)
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Page,
    OtherPath,
    OtherMethod,
    Nonsense,
}

fn understood(head: &[u8]) -> Asked {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    let parsed = request.parse(head);
    let (Ok(httparse::Status::Complete(_)), Some(method), Some(path)) =
        (parsed, request.method, request.path)
    else {
        return Asked::Nonsense;
    };
    match path.split('?').next() {
        _ if method != "GET" && method != "HEAD" => Asked::OtherMethod,
        Some("/metrics") => Asked::Page,
        _ => Asked::OtherPath,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::{CloseOnDrop, spawn_named};

    /// What a running listener answers to these bytes.
    fn told(asked: &[u8]) -> String {
        told_beside(0, asked)
    }

    /// The same while so many others say nothing.
    fn told_beside(silent: usize, asked: &[u8]) -> String {
        let listener = Listener::bind("127.0.0.1:0", true).unwrap();
        let stop = Stop::new();
        std::thread::scope(|scope| {
            let running = spawn_named(scope, "metrics", |_permit| {
                listener.run(&stop, &|| "a 1\n".to_owned());
            });
            let _stops = CloseOnDrop(stop.clone());
            let silent = (0..silent).map(|_| TcpStream::connect(listener.address()).unwrap());
            let _silent = silent.collect::<Vec<_>>();
            let mut stream = TcpStream::connect(listener.address()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream.write_all(asked).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            stop.close();
            running.unwrap().join().unwrap();
            text
        })
    }

    #[test]
    fn page_told_and_nothing_else() {
        let text = told(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(
            text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\na 1\n"),
            "{text}"
        );
        assert!(text.contains("version=0.0.4") && text.contains("Content-Length: 4\r\n"), "{text}");
        let text = told(b"HEAD /metrics?x=1 HTTP/1.1\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n"), "{text}");
        assert!(told(b"GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        assert!(told(b"POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
        assert!(told(b"\x16\x03\x01 no http\r\n\r\n").starts_with("HTTP/1.1 400 "));
    }

    /// Each held the others up for two seconds, so a handful of them kept whoever collects away.
    #[test]
    fn r0222_whoever_asks_nothing_keeps_nobody_waiting() {
        let text = told_beside(METRICS_CALLERS_MAX + 30, b"GET /metrics HTTP/1.1\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    }

    #[test]
    fn slow_or_endless_heads_given_up() {
        // Nothing comes back: the connection ends within its time.
        assert_eq!(told(b"GET /metrics HTTP/1.1\r\n"), "");
        let endless = vec![b'a'; METRICS_HEAD_BYTES_MAX + 4_096];
        let listener = Listener::bind("127.0.0.1:0", false).unwrap();
        let mut stream = TcpStream::connect(listener.address()).unwrap();
        stream.write_all(&endless).unwrap();
        let (mut own, _) = loop {
            match listener.socket.accept() {
                Ok(accepted) => break accepted,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        };
        own.set_nonblocking(false).unwrap();
        let error = read_head(&mut own, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn address_that_others_reach_refused() {
        for address in ["0.0.0.0:0", "[::]:0"] {
            let error = Listener::bind(address, true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{address}");
        }
    }
}
