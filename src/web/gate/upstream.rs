//! The connections to `tiny_http`: one for each worker, all opened at start and kept for good.
//!
//! None is ever opened later. `tiny_http`'s accept thread dies of a full descriptor table without a
//! word, so it is given nothing to accept once the site is open; and with as many connections as
//! workers, a request that gets one finds a worker free. A connection whose worker did not answer in
//! time is lent to nobody until the answer has come.

use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socket2::Socket;

use crate::clock::{Clock, Mono};
use crate::limits::{ANSWER_BYTES_MAX, HASHING_PART};

use super::deadline::{Ended, READ_BYTES, read_more, write_all};
use super::lending::{Lending, Wanting};
use super::{NEXT_HEADER, PAUSE_HEADER};

/// Header lines of an answer, ours and `tiny_http`'s.
const ANSWER_HEADERS_MAX: usize = 64;
/// Bytes of an answer's head.
const ANSWER_HEAD_BYTES_MAX: usize = 64 * 1024;
/// What the gate asks each worker at start; no browser's request has this method.
const PROBE: &[u8] = b"OPTIONS * HTTP/1.1\r\n\r\n";

/// All of them.
#[derive(Debug)]
pub(super) struct Upstream {
    sockets: Vec<Socket>,
    lending: Lending,
    working: AtomicUsize,
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Whether our worker made it, rather than `tiny_http` in its distress.
    pub(super) is_ours: bool,
    /// Head and body.
    pub(super) bytes: Vec<u8>,
    pub(super) head_bytes: usize,
    /// Where the rest is, if this is not all.
    pub(super) next: Option<Next>,
}

/// The rest of an answer.
#[derive(Debug)]
pub(super) struct Next {
    /// The path of the part that follows.
    pub(super) target: String,
    /// In a stream: after how many milliseconds to ask for it.
    pub(super) pause_ms: Option<u64>,
    /// In a stream: the member who listens.
    pub(super) listener: Option<String>,
}

impl Answer {
    /// Takes a field out of the head.
    pub(super) fn remove_field(&mut self, name: &str) {
        let head = self.bytes.get(..self.head_bytes).unwrap_or_default();
        let mut start = 0;
        for line in head.split_inclusive(|byte| *byte == b'\n') {
            let end = start + line.len();
            let named =
                line.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()));
            if named && line.get(name.len()) == Some(&b':') {
                self.head_bytes -= line.len();
                self.bytes.drain(start..end);
                return;
            }
            start = end;
        }
    }

    /// Adds a field, its line end included, to the head.
    pub(super) fn add_field(&mut self, line: &str) {
        let blank_line = self.head_bytes.saturating_sub(2);
        self.bytes.splice(blank_line..blank_line, line.bytes());
        self.head_bytes += line.len();
    }
}

impl Upstream {
    /// Opens `count` connections to `path`, one after the other, and has each answer once.
    pub(super) fn open(path: &Path, count: usize, clock: &Clock, ms: u64) -> io::Result<Self> {
        let (sockets, working) = (Vec::with_capacity(count), AtomicUsize::new(count));
        let lending = Lending::new(count.div_ceil(HASHING_PART));
        let mut upstream = Self { sockets, lending, working };
        for index in 0..count {
            upstream.sockets.push(Socket::from(OwnedFd::from(UnixStream::connect(path)?)));
            let lease = Lease { upstream: &upstream, index, who: None, is_sound: false };
            let mut exchange = Exchange { lease, is_head_only: false, buf: Vec::new() };
            let deadline = clock.mono().plus_ms(ms);
            let probed = exchange
                .ask(PROBE, clock, deadline)
                .and_then(|()| exchange.answer(clock, Some(deadline)));
            probed.map_err(|ended| match ended {
                Ended::Closed => io::ErrorKind::ConnectionAborted.into(),
                Ended::Late => io::ErrorKind::TimedOut.into(),
                Ended::Failed(error) => error,
            })?;
        }
        Ok(upstream)
    }

    /// A connection for one request of somebody, or `None` if all that they may have do other work for
    /// longer than `wait_ms`.
    pub(super) fn lend(
        &self,
        who: Wanting,
        wait_ms: u64,
        is_head_only: bool,
    ) -> Option<Exchange<'_>> {
        let index = self.lending.take(who, Duration::from_millis(wait_ms))?;
        let lease = Lease { upstream: self, index, who: Some(who), is_sound: false };
        Some(Exchange { lease, is_head_only, buf: Vec::new() })
    }

    /// Whether any connection is left.
    pub(super) fn is_working(&self) -> bool {
        self.working.load(Ordering::SeqCst) > 0
    }

    /// Ends all that is under way.
    pub(super) fn shut_down(&self) {
        for socket in &self.sockets {
            // Fails only if it is closed already.
            drop(socket.shutdown(Shutdown::Both));
        }
    }
}

/// The right to use one connection. Given back if an answer was read to its end; else the
/// connection is lost, for nobody knows what would come next on it.
#[derive(Debug)]
struct Lease<'a> {
    upstream: &'a Upstream,
    index: usize,
    /// For whom; nobody while it is tried out.
    who: Option<Wanting>,
    is_sound: bool,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let index = self.is_sound.then_some(self.index);
        if index.is_none() {
            self.upstream.working.fetch_sub(1, Ordering::SeqCst);
        }
        match (self.who, index) {
            (Some(who), index) => self.upstream.lending.end(who, index),
            (None, Some(index)) => self.upstream.lending.add(index),
            (None, None) => {}
        }
    }
}

/// One request and its answer.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    lease: Lease<'a>,
    is_head_only: bool,
    buf: Vec<u8>,
}

impl Exchange<'_> {
    fn socket(&self) -> Result<&Socket, Ended> {
        self.lease.upstream.sockets.get(self.lease.index).ok_or(Ended::Closed)
    }

    /// Sends the request.
    pub(super) fn ask(&self, bytes: &[u8], clock: &Clock, by: Mono) -> Result<(), Ended> {
        write_all(self.socket()?, bytes, clock, by)
    }

    /// Waits for the whole answer. After [`Ended::Late`] it may be waited for again.
    pub(super) fn answer(&mut self, clock: &Clock, by: Option<Mono>) -> Result<Answer, Ended> {
        let mut known = None;
        loop {
            if known.is_none() {
                known = Frame::read(&self.buf, self.is_head_only)?;
                // Growing by doubling would set aside up to twice as much, for as long as the browser reads.
                let total = known.as_ref().map_or(0, |frame| frame.total_bytes + READ_BYTES);
                self.buf.reserve_exact(total.saturating_sub(self.buf.len()));
            }
            if let Some(frame) = known.take_if(|frame| self.buf.len() >= frame.total_bytes) {
                self.lease.is_sound = self.buf.len() == frame.total_bytes;
                let bytes = std::mem::take(&mut self.buf);
                let Frame { status, is_ours, head_bytes, next, .. } = frame;
                return Ok(Answer { status, is_ours, bytes, head_bytes, next });
            }
            let mut buf = std::mem::take(&mut self.buf);
            let outcome = self.socket().and_then(|socket| read_more(socket, &mut buf, clock, by));
            self.buf = buf;
            outcome?;
        }
    }
}

/// Where an answer's parts begin and end.
#[derive(Debug)]
struct Frame {
    status: u16,
    is_ours: bool,
    next: Option<Next>,
    head_bytes: usize,
    total_bytes: usize,
}

impl Frame {
    /// Reads a head, once it is there. `tiny_http` writes it, so anything odd is a fault of ours.
    fn read(buf: &[u8], is_head_only: bool) -> Result<Option<Self>, Ended> {
        let odd = || Ended::Failed(io::ErrorKind::InvalidData.into());
        let mut headers = [httparse::EMPTY_HEADER; ANSWER_HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let head_bytes = match response.parse(buf) {
            Ok(httparse::Status::Complete(bytes)) => bytes,
            Ok(httparse::Status::Partial) if buf.len() < ANSWER_HEAD_BYTES_MAX => return Ok(None),
            _ => return Err(odd()),
        };
        let status = response.code.ok_or_else(odd)?;
        let value = |name: &str| {
            response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value)
        };
        let length = value("Content-Length").and_then(|v| std::str::from_utf8(v).ok());
        let length: usize = length.and_then(|v| v.parse().ok()).ok_or_else(odd)?;
        let body_bytes = if is_head_only || matches!(status, 204 | 304) { 0 } else { length };
        if body_bytes > ANSWER_BYTES_MAX {
            return Err(odd());
        }
        let is_ours = value("Content-Security-Policy").is_some();
        let text = |name| value(name).map(std::str::from_utf8).transpose().map_err(|_| odd());
        let mut pause = text(PAUSE_HEADER)?.into_iter().flat_map(|pause| pause.split(' '));
        let pause_ms = pause.next().map(str::parse).transpose().map_err(|_| odd())?;
        let listener = pause.next().map(str::to_owned);
        let next = text(NEXT_HEADER)?;
        let next = next.map(|target| Next { target: target.to_owned(), pause_ms, listener });
        Ok(Some(Self { status, is_ours, next, head_bytes, total_bytes: head_bytes + body_bytes }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::thread::spawn_named;

    const CLIENT: Wanting =
        Wanting { household: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), hashes: false };
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

    /// One connection to a peer that gives `answers` to what it is asked, in turn.
    fn with_peer(answers: &[&[u8]], test: impl FnOnce(&Upstream, &Clock)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::scope(|scope| {
            let peer = spawn_named(scope, "peer", move |_permit| {
                let (mut socket, _) = listener.accept().unwrap();
                for answer in [OK].iter().chain(answers) {
                    assert!(socket.read(&mut [0; 1000]).unwrap() > 0);
                    socket.write_all(answer).unwrap();
                }
                assert_eq!(socket.read(&mut [0]).unwrap(), 0);
            });
            let clock = Clock::system();
            let upstream = Upstream::open(&path, 1, &clock, 60_000).unwrap();
            test(&upstream, &clock);
            drop(upstream);
            peer.unwrap().join().unwrap();
        });
    }

    fn get(upstream: &Upstream, clock: &Clock) -> Result<Answer, Ended> {
        let mut exchange = upstream.lend(CLIENT, 0, false).unwrap();
        let by = clock.mono().plus_ms(60_000);
        exchange.ask(b"GET / HTTP/1.1\r\n\r\n", clock, by)?;
        exchange.answer(clock, Some(by))
    }

    #[test]
    fn exchange_whole_answer_gives_connection_back() {
        with_peer(&[OK, OK], |upstream, clock| {
            for _ in 0..2 {
                let answer = get(upstream, clock).unwrap();
                assert_eq!((answer.status, answer.head_bytes), (200, OK.len() - 2));
                assert_eq!(answer.bytes, OK);
                assert!(!answer.is_ours);
            }
        });
    }

    #[test]
    fn exchange_late_answer_keeps_connection_until_it_came() {
        with_peer(&[&OK[..20], &OK[20..]], |upstream, clock| {
            let mut exchange = upstream.lend(CLIENT, 0, false).unwrap();
            let by = clock.mono().plus_ms(60_000);
            exchange.ask(b"GET / HTTP/1.1\r\n\r\n", clock, by).unwrap();
            let soon = Some(clock.mono().plus_ms(20));
            assert!(matches!(exchange.answer(clock, soon), Err(Ended::Late)));
            assert!(upstream.lend(CLIENT, 0, false).is_none());
            exchange.ask(b"nudge", clock, by).unwrap();
            assert_eq!(exchange.answer(clock, None).unwrap().bytes, OK);
            drop(exchange);
            assert!(upstream.lend(CLIENT, 0, false).is_some());
        });
    }

    #[test]
    fn exchange_odd_answer_loses_connection() {
        for odd in [
            &b"nonsense\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
        ] {
            with_peer(&[odd], |upstream, clock| {
                assert!(matches!(get(upstream, clock), Err(Ended::Failed(_))));
                assert!(!upstream.is_working());
                assert!(upstream.lend(CLIENT, 0, false).is_none());
            });
        }
    }

    #[test]
    fn exchange_more_than_announced_loses_connection() {
        with_peer(&[b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore"], |upstream, clock| {
            assert!(get(upstream, clock).is_ok());
            assert!(!upstream.is_working());
        });
    }
}
