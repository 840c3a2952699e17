//! A TCP socket whose every read and write has an absolute deadline: however slowly the bytes drip,
//! it ends in time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use super::error::TransportError;
use crate::clock::{Clock, Mono};
use crate::limits::{
    CONNECTION_BUFFER_BYTES, KEEPALIVE_INTERVAL_S, KEEPALIVE_S, SEND_BUFFER_BYTES,
};

/// The least time-out that the system takes; none at all would mean to wait for ever.
const WAIT_MIN: Duration = Duration::from_millis(1);

pub(super) struct Socket {
    stream: Arc<TcpStream>,
    /// Who is there, for messages.
    addr: String,
    /// The system's: what waits here waits on the network, which no test drives by hand.
    clock: Clock,
    /// Bytes that arrived stand in `start..end`; what is behind is room for more.
    input: Vec<u8>,
    start: usize,
    end: usize,
}

impl Socket {
    pub(super) fn new(stream: Arc<TcpStream>, addr: String) -> Result<Self, TransportError> {
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(KEEPALIVE_S))
            .with_interval(Duration::from_secs(KEEPALIVE_INTERVAL_S));
        // Without TCP_NODELAY an answer may wait 40 ms for the acknowledgement of the one before.
        let set = stream.set_nodelay(true);
        let socket = SockRef::from(&*stream);
        if let Err(source) = set
            .and_then(|()| socket.set_tcp_keepalive(&keepalive))
            .and_then(|()| socket.set_send_buffer_size(SEND_BUFFER_BYTES))
        {
            return Err(TransportError::Io { op: "set up the connection with", addr, source });
        }
        let clock = Clock::system();
        Ok(Self { stream, addr, clock, input: Vec::new(), start: 0, end: 0 })
    }

    pub(super) const fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    pub(super) fn addr(&self) -> String {
        self.addr.clone()
    }

    /// The time so far from now.
    pub(super) fn deadline(&self, timeout: Duration) -> Mono {
        self.clock.mono().plus_ms(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
    }

    /// Sends all of `bytes`.
    pub(super) fn write_all(&self, mut bytes: &[u8], deadline: Mono) -> Result<(), TransportError> {
        while !bytes.is_empty() {
            let wait = deadline.left(self.clock.mono()).max(WAIT_MIN);
            let done = self
                .stream
                .set_write_timeout(Some(wait))
                .and_then(|()| (&*self.stream).write(bytes));
            let sent = self.transferred(done, "send to")?;
            bytes = bytes.get(sent..).unwrap_or_default();
            if !bytes.is_empty() && self.clock.mono() >= deadline {
                return Err(TransportError::TimedOut { addr: self.addr() });
            }
        }
        Ok(())
    }

    /// Waits until at least `need` bytes are here. Tries once even when the deadline has passed, so
    /// that a caller may poll.
    pub(super) fn fill(&mut self, need: usize, deadline: Mono) -> Result<(), TransportError> {
        while self.end - self.start < need {
            self.make_room(need);
            let wait = deadline.left(self.clock.mono()).max(WAIT_MIN);
            let room = self.input.get_mut(self.end..).unwrap_or_default();
            let done =
                self.stream.set_read_timeout(Some(wait)).and_then(|()| (&*self.stream).read(room));
            if done.as_ref().is_ok_and(|&read| read == 0) {
                return Err(TransportError::Closed { addr: self.addr() });
            }
            self.end += self.transferred(done, "receive from")?;
            if self.end - self.start < need && self.clock.mono() >= deadline {
                return Err(TransportError::TimedOut { addr: self.addr() });
            }
        }
        Ok(())
    }

    /// The bytes that are here.
    pub(super) fn input(&self) -> &[u8] {
        self.input.get(self.start..self.end).unwrap_or_default()
    }

    /// Drops the first `bytes` of them.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.start = self.end.min(self.start + bytes);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Gives back what a long frame took. 500 idle connections are to stay small.
    pub(super) fn trim(&mut self) {
        if self.input.len() > CONNECTION_BUFFER_BYTES
            && self.end - self.start <= CONNECTION_BUFFER_BYTES
        {
            self.input.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            self.input.truncate(CONNECTION_BUFFER_BYTES);
            self.input.shrink_to_fit();
        }
    }

    /// Whether the other side neither closed the connection nor sent anything that was not received.
    pub(super) fn is_quiet(&self) -> bool {
        if self.start != self.end || self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let peeked = self.stream.peek(&mut [0]);
        let is_quiet = peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).is_ok() && is_quiet
    }

    /// Makes room for `need` bytes from `start` on, or a good read's worth.
    fn make_room(&mut self, need: usize) {
        if self.start > 0 && self.start + need > self.input.len() {
            self.input.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.start + need > self.input.len() {
            self.input.resize(need.max(CONNECTION_BUFFER_BYTES), 0);
        }
    }

    /// How many bytes went through; none when that was tried too early or in vain.
    fn transferred(
        &self,
        done: io::Result<usize>,
        op: &'static str,
    ) -> Result<usize, TransportError> {
        match done {
            Ok(bytes) => Ok(bytes),
            Err(source) => match source.kind() {
                // WouldBlock is what a passed SO_RCVTIMEO is called; the caller asks the clock.
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(0),
                _ => Err(TransportError::Io { op, addr: self.addr(), source }),
            },
        }
    }
}

/// Whether the system's word means: this connection is over, at the other side's wish or fault.
pub(super) fn is_reset(source: &io::Error) -> bool {
    matches!(
        source.kind(),
        ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
    )
}
