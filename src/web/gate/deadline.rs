//! Reading from and writing to a socket until a moment that no peer can push back.
//!
//! A socket's own time-out starts anew with each byte, so a peer that drips could hold a thread for
//! good: here every call gets only what is left.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use socket2::Socket;

use crate::clock::{Clock, Mono};

/// Bytes asked of the system at once.
pub(super) const READ_BYTES: usize = 4 * 1024;

/// Why nothing more can be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// The peer has closed its side.
    #[error("closed by the peer")]
    Closed,
    /// The moment has come.
    #[error("too late")]
    Late,
    /// The socket is broken.
    #[error("socket failed")]
    Failed(#[from] io::Error),
}

/// Appends what comes next to `buf`, one read's worth. Without a deadline it waits for as long as
/// the socket lives.
pub(super) fn read_more(
    socket: &Socket,
    buf: &mut Vec<u8>,
    clock: &Clock,
    deadline: Option<Mono>,
) -> Result<(), Ended> {
    let filled = buf.len();
    loop {
        socket.set_read_timeout(left(clock, deadline)?)?;
        buf.resize(filled + READ_BYTES, 0);
        let (_, free) = buf.split_at_mut(filled);
        let mut reader = socket;
        let outcome = reader.read(free);
        buf.truncate(filled + outcome.as_ref().copied().unwrap_or(0));
        match outcome {
            Ok(0) => return Err(Ended::Closed),
            Ok(_) => return Ok(()),
            Err(e) => retry(e)?,
        }
    }
}

/// Writes all of `bytes`: in one call whenever the system takes them.
pub(super) fn write_all(
    socket: &Socket,
    mut bytes: &[u8],
    clock: &Clock,
    deadline: Mono,
) -> Result<(), Ended> {
    while !bytes.is_empty() {
        socket.set_write_timeout(left(clock, Some(deadline))?)?;
        let mut writer = socket;
        match writer.write(bytes) {
            Ok(0) => return Err(Ended::Closed),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(e) => retry(e)?,
        }
    }
    Ok(())
}

/// Closes a connection so that the peer gets to see the last answer. A socket closed over unread
/// bytes is reset, and the reset overtakes the answer: so a bounded rest is read first.
pub(super) fn close_gently(socket: &Socket, clock: &Clock, deadline: Mono, mut bytes_left: usize) {
    // Either the peer is there to be told or it is not; there is nobody else to tell.
    let mut ended = socket.shutdown(Shutdown::Write).is_err();
    let mut buf = Vec::new();
    while !ended && bytes_left > 0 {
        buf.clear();
        ended = read_more(socket, &mut buf, clock, Some(deadline)).is_err();
        bytes_left = bytes_left.saturating_sub(buf.len());
    }
}

fn left(clock: &Clock, deadline: Option<Mono>) -> Result<Option<Duration>, Ended> {
    let Some(deadline) = deadline else { return Ok(None) };
    // Zero would mean "for ever" to the system.
    match deadline.left(clock.mono()) {
        Duration::ZERO => Err(Ended::Late),
        left => Ok(Some(left)),
    }
}

/// A time-out or an interruption is looked at again: the deadline decides.
fn retry(error: io::Error) -> Result<(), Ended> {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => Ok(()),
        _ => Err(Ended::Failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn pair() -> (Socket, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Socket::from(OwnedFd::from(ours)), theirs)
    }

    #[test]
    fn read_of_silent_peer_ends_late() {
        let (socket, _peer) = pair();
        let clock = Clock::system();
        let mut buf = vec![7];
        let until = Some(clock.mono().plus_ms(20));
        assert!(matches!(read_more(&socket, &mut buf, &clock, until), Err(Ended::Late)));
        assert_eq!(buf, [7]);
    }

    #[test]
    fn read_of_closed_peer_gives_rest_then_closed() {
        let (socket, mut peer) = pair();
        peer.write_all(b"rest").unwrap();
        drop(peer);
        let (clock, mut buf) = (Clock::system(), Vec::new());
        read_more(&socket, &mut buf, &clock, None).unwrap();
        assert_eq!(buf, b"rest");
        assert!(matches!(read_more(&socket, &mut buf, &clock, None), Err(Ended::Closed)));
    }

    #[test]
    fn write_to_peer_that_never_reads_ends_late() {
        let (socket, _peer) = pair();
        let clock = Clock::system();
        let much = vec![0; 16 * 1024 * 1024];
        let written = write_all(&socket, &much, &clock, clock.mono().plus_ms(50));
        assert!(matches!(written, Err(Ended::Late)), "{written:?}");
    }

    #[test]
    fn close_of_peer_that_never_ends_is_bounded() {
        let (socket, mut peer) = pair();
        peer.write_all(&[0; 10_000]).unwrap();
        let clock = Clock::system();
        close_gently(&socket, &clock, clock.mono().plus_ms(60_000), 8_000);
        let mut told = Vec::new();
        peer.read_to_end(&mut told).unwrap();
        assert!(told.is_empty());
    }
}
