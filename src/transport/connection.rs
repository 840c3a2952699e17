//! One connection between two processes, made by [`dial`] or [`accept`]: frames both ways, each with a
//! deadline.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use super::error::TransportError;
use super::frame::{Assembly, Cutter, Flaw, Frame};
use super::key::Keys;
use super::secure::{
    Accepting, CONFIRMATION_BYTES, Channel, Dialling, GREETING_BYTES, LENGTH_BYTES,
    PLAIN_BYTES_MAX, Role, Why,
};
use super::socket::{Socket, is_reset};
use crate::clock::{Clock, Mono};
use crate::limits::{
    FRAME_BYTES_MAX, FRAME_BYTES_PER_MS_MIN, FRAME_MS, FRAME_STALL_MS, HANDSHAKE_MS,
    WRITE_BYTES_MAX,
};

/// Connects to a process and proves that both sides know the key. `addr` is `HOST:PORT`; each address
/// of a host name is tried, and all of it takes `timeout` at most, apart from resolving the name,
/// which the system does in its own time: machines are best named by number or in `/etc/hosts`.
///
/// # Errors
/// [`TransportError::Refused`] when nobody listens there, `TimedOut` when there is silence,
/// `Handshake` when the other side is not of this cluster, else `Io`; of several addresses, the
/// last one's.
pub fn dial(
    addr: &str,
    role: Role,
    keys: &Keys,
    timeout: Duration,
) -> Result<Connection, TransportError> {
    let failed = |source| TransportError::Io { op: "resolve", addr: addr.to_owned(), source };
    let clock = Clock::system();
    let deadline = clock.mono().plus_ms(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
    let found: Vec<SocketAddr> = addr.to_socket_addrs().map_err(failed)?.collect();
    let mut error = failed(io::Error::new(ErrorKind::NotFound, "the name has no address"));
    for (&to, others) in found.iter().zip((0..u32::try_from(found.len()).unwrap_or(1)).rev()) {
        let share = deadline.left(clock.mono()) / (others + 1);
        match dial_one(to, addr, (role, keys), share) {
            Ok(connection) => return Ok(connection),
            Err(why) => error = why,
        }
    }
    Err(error)
}

fn dial_one(
    to: SocketAddr,
    addr: &str,
    (role, keys): (Role, &Keys),
    timeout: Duration,
) -> Result<Connection, TransportError> {
    let clock = Clock::system();
    let stream = TcpStream::connect_timeout(&to, timeout.max(Duration::from_millis(1)))
        .map_err(|source| not_connected(source, addr))?;
    // A dead process's port of the ephemeral range may be given to this very socket, which is then
    // connected with itself.
    if stream.local_addr().is_ok_and(|own| own == to) {
        let source = io::Error::from(ErrorKind::ConnectionRefused);
        return Err(TransportError::Refused { addr: addr.to_owned(), source });
    }
    let spent = Duration::from_millis(clock.mono().0);
    let mut socket = Socket::new(Arc::new(stream), addr.to_owned())?;
    let deadline = socket.deadline(timeout.saturating_sub(spent));
    let channel = greet(&mut socket, role, keys, deadline).map_err(|error| match error {
        TransportError::Closed { addr } => TransportError::Handshake {
            addr,
            why: "it hung up: it has another cluster key, or too many connections",
        },
        TransportError::Io { addr, source, .. } if is_reset(&source) => {
            TransportError::Refused { addr, source }
        }
        other => other,
    })?;
    Ok(Connection { socket, channel, is_dead: false })
}

fn not_connected(source: io::Error, addr: &str) -> TransportError {
    let addr = addr.to_owned();
    match source.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable => TransportError::Refused { addr, source },
        ErrorKind::TimedOut | ErrorKind::WouldBlock => TransportError::TimedOut { addr },
        _ => TransportError::Io { op: "connect to", addr, source },
    }
}

/// The dialler's side of the handshake.
fn greet(
    socket: &mut Socket,
    role: Role,
    keys: &Keys,
    deadline: Mono,
) -> Result<Channel, TransportError> {
    let (dialling, first) = Dialling::start(role, keys).map_err(|why| no_handshake(socket, why))?;
    socket.write_all(&first, deadline)?;
    let answer = fixed(socket, GREETING_BYTES, deadline)?;
    let finished = dialling.finish(&answer);
    let (channel, confirmation) = finished.map_err(|why| no_handshake(socket, why))?;
    socket.write_all(&confirmation, deadline)?;
    Ok(channel)
}

/// Takes a connection that a listener accepted, if whoever dialled knows the key; says nothing at all
/// if not. Takes [`HANDSHAKE_MS`] at most.
///
/// # Errors
/// [`TransportError`]: to be counted, and of no use to the stranger.
pub fn accept(stream: TcpStream, keys: &Keys) -> Result<(Connection, Role), TransportError> {
    accept_shared(Arc::new(stream), keys)
}

/// The same for a stream that the listener keeps a hand on, too.
pub(super) fn accept_shared(
    stream: Arc<TcpStream>,
    keys: &Keys,
) -> Result<(Connection, Role), TransportError> {
    let addr = stream.peer_addr().map_or_else(|_| "a stranger".to_owned(), |addr| addr.to_string());
    let mut socket = Socket::new(stream, addr)?;
    let deadline = socket.deadline(Duration::from_millis(HANDSHAKE_MS));
    socket.fill(1, deadline)?;
    let byte = socket.input().first().copied().unwrap_or_default();
    if !Role::is_known(byte) {
        return Err(no_handshake(&socket, "it is no Tern"));
    }
    socket.consume(1);
    let first = fixed(&mut socket, GREETING_BYTES, deadline)?;
    let (accepting, role, answer) =
        Accepting::answer(byte, &first, keys).map_err(|why| no_handshake(&socket, why))?;
    socket.write_all(&answer, deadline)?;
    let confirmation = fixed(&mut socket, CONFIRMATION_BYTES, deadline)?;
    let channel = accepting.confirm(&confirmation).map_err(|why| no_handshake(&socket, why))?;
    Ok((Connection { socket, channel, is_dead: false }, role))
}

/// A message of the handshake, whose length is known beforehand.
fn fixed(socket: &mut Socket, bytes: usize, deadline: Mono) -> Result<Vec<u8>, TransportError> {
    socket.fill(LENGTH_BYTES, deadline)?;
    if announced(socket) != Some(bytes) {
        return Err(no_handshake(socket, "it is no Tern"));
    }
    socket.fill(LENGTH_BYTES + bytes, deadline)?;
    let message =
        socket.input().get(LENGTH_BYTES..LENGTH_BYTES + bytes).unwrap_or_default().to_vec();
    socket.consume(LENGTH_BYTES + bytes);
    Ok(message)
}

/// The length of the next message, its two bytes being here.
fn announced(socket: &Socket) -> Option<usize> {
    socket.input().first_chunk().map(|&bytes| usize::from(u16::from_be_bytes(bytes)))
}

fn no_handshake(socket: &Socket, why: Why) -> TransportError {
    TransportError::Handshake { addr: socket.addr(), why }
}

/// A connection whose other side is known. One thread uses it at a time; dropping it closes it.
pub struct Connection {
    socket: Socket,
    channel: Channel,
    /// After an error other than `Idle`: half a frame may be under way, so nothing more can be said.
    is_dead: bool,
}

impl Connection {
    /// Sends a frame. `timeout` is for all of it.
    ///
    /// # Errors
    /// [`TransportError::TooLarge`], nothing sent and the connection as good as before; or `TimedOut`,
    /// `Closed`, `Io`: whether the other side got the frame is not known, and the connection is dead.
    pub fn send(
        &mut self,
        header: &[u8],
        body: &[u8],
        timeout: Duration,
    ) -> Result<(), TransportError> {
        self.check_alive()?;
        let deadline = self.socket.deadline(timeout);
        let cutter =
            Cutter::new(header, body, FRAME_BYTES_MAX).map_err(|flaw| self.flawed(flaw))?;
        let sent = self.send_messages(cutter, header.len() + body.len(), deadline);
        sent.map_err(|error| self.died(error))
    }

    fn send_messages(
        &mut self,
        mut cutter: Cutter<'_>,
        bytes: usize,
        deadline: Mono,
    ) -> Result<(), TransportError> {
        // One write a frame: two would cost a packet each, and a wake-up each at the other side.
        let mut out = Vec::with_capacity((bytes + bytes / 1_024 + 64).min(WRITE_BYTES_MAX));
        let mut plain = Vec::with_capacity((bytes + 8).min(PLAIN_BYTES_MAX));
        while cutter.next_into(&mut plain) {
            if out.len() + plain.len() > WRITE_BYTES_MAX {
                self.socket.write_all(&out, self.piece(deadline))?;
                out.clear();
            }
            self.channel.seal(&plain, &mut out).map_err(|why| self.malformed(why))?;
        }
        self.socket.write_all(&out, self.piece(deadline))
    }

    /// Until when the next piece of a frame that has so long must have gone through.
    fn piece(&self, deadline: Mono) -> Mono {
        deadline.min(self.socket.deadline(Duration::from_millis(FRAME_STALL_MS)))
    }

    /// Waits up to `timeout` for a frame to begin; once it has, it may take [`FRAME_MS`], and longer
    /// if it is long. `bytes_max` is for header and body together.
    ///
    /// # Errors
    /// [`TransportError::Idle`] when nothing arrived, the connection being as good as before. All
    /// others mean that it is dead: `TimedOut` half-way, `TooLarge`, `Malformed`, `Closed`, `Io`.
    pub fn receive(
        &mut self,
        bytes_max: usize,
        timeout: Duration,
    ) -> Result<Frame, TransportError> {
        self.check_alive()?;
        if self.socket.input().is_empty() {
            let deadline = self.socket.deadline(timeout);
            match self.socket.fill(1, deadline) {
                Ok(()) => {}
                Err(TransportError::TimedOut { .. }) => return Err(TransportError::Idle),
                Err(error) => return Err(self.died(error)),
            }
        }
        let frame = self.receive_begun(bytes_max);
        self.socket.trim();
        frame.map_err(|error| self.died(error))
    }

    fn receive_begun(&mut self, bytes_max: usize) -> Result<Frame, TransportError> {
        let mut deadline = self.socket.deadline(Duration::from_millis(FRAME_MS));
        let mut plain = Vec::new();
        self.socket.fill(LENGTH_BYTES, deadline)?;
        let first = announced(&self.socket).unwrap_or_default();
        deadline = deadline.plus_ms(first as u64 / FRAME_BYTES_PER_MS_MIN);
        self.receive_message(&mut plain, self.piece(deadline))?;
        let mut assembly = Assembly::begin(&plain, bytes_max).map_err(|flaw| self.flawed(flaw))?;
        let left = u64::try_from(assembly.bytes_left()).unwrap_or(u64::MAX);
        deadline = deadline.plus_ms(left / FRAME_BYTES_PER_MS_MIN);
        while assembly.bytes_left() > 0 {
            self.receive_message(&mut plain, self.piece(deadline))?;
            assembly.push(&plain).map_err(|flaw| self.flawed(flaw))?;
        }
        Ok(assembly.into_frame())
    }

    fn receive_message(
        &mut self,
        plain: &mut Vec<u8>,
        deadline: Mono,
    ) -> Result<(), TransportError> {
        self.socket.fill(LENGTH_BYTES, deadline)?;
        let end = LENGTH_BYTES + announced(&self.socket).unwrap_or_default();
        self.socket.fill(end, deadline)?;
        let sealed = self.socket.input().get(LENGTH_BYTES..end).unwrap_or_default();
        let opened = self.channel.open(sealed, plain);
        opened.map_err(|why| self.malformed(why))?;
        self.socket.consume(end);
        Ok(())
    }

    /// Whether the connection can be used again: the other side has neither closed it nor sent
    /// anything that was not received. Does not wait.
    pub fn is_quiet(&self) -> bool {
        !self.is_dead && self.socket.is_quiet()
    }

    /// A handle by which another thread can end this connection.
    pub fn closer(&self) -> Closer {
        Closer(Arc::clone(self.socket.stream()))
    }

    /// Who is at the other side: as dialled, or the network address that was accepted.
    pub fn addr(&self) -> String {
        self.socket.addr()
    }

    /// How much the system holds of what is sent here.
    #[cfg(test)]
    pub(super) fn send_buffer_bytes(&self) -> usize {
        socket2::SockRef::from(&**self.socket.stream()).send_buffer_size().unwrap()
    }

    /// Sends all of a frame but its last byte, as a process does that is killed at it.
    #[cfg(test)]
    pub(crate) fn send_cut(&mut self, header: &[u8]) {
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        assert!(
            Cutter::new(header, &[], FRAME_BYTES_MAX)
                .is_ok_and(|mut cutter| cutter.next_into(&mut plain))
        );
        self.channel.seal(&plain, &mut out).unwrap();
        let deadline = self.socket.deadline(Duration::from_secs(20));
        self.socket.write_all(&out[..out.len() - 1], deadline).unwrap();
    }

    fn check_alive(&self) -> Result<(), TransportError> {
        if self.is_dead { Err(TransportError::Closed { addr: self.addr() }) } else { Ok(()) }
    }

    fn died(&mut self, error: TransportError) -> TransportError {
        self.is_dead = true;
        self.closer().close();
        match error {
            TransportError::Io { addr, source, .. } if is_reset(&source) => {
                TransportError::Closed { addr }
            }
            other => other,
        }
    }

    fn flawed(&self, flaw: Flaw) -> TransportError {
        match flaw {
            Flaw::TooLarge { announced, max } => TransportError::TooLarge { announced, max },
            Flaw::Malformed(why) => self.malformed(why),
        }
    }

    fn malformed(&self, why: Why) -> TransportError {
        TransportError::Malformed { addr: self.addr(), why }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A closer may keep the descriptor open; the other side is to hear of the end now.
        self.closer().close();
    }
}

/// Ends a connection from any thread: whoever waits on it gets [`TransportError::Closed`].
#[derive(Debug, Clone)]
pub struct Closer(Arc<TcpStream>);

impl Closer {
    pub(super) const fn new(stream: Arc<TcpStream>) -> Self {
        Self(stream)
    }

    /// Ends the connection in both directions.
    pub fn close(&self) {
        self.shut_down(Shutdown::Both);
    }

    /// Ends receiving only, so that an answer under way still leaves.
    pub(super) fn close_reading(&self) {
        self.shut_down(Shutdown::Read);
    }

    fn shut_down(&self, how: Shutdown) {
        if let Err(error) = self.0.shutdown(how) {
            // It was closed before: what was asked for holds already.
            log::trace!(error:%; "shutdown had nothing to do");
        }
    }
}
