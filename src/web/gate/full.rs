//! Telling connections over the caps that the site is full.
//!
//! Closing such a connection at once would reset it, because the request that it carries is not
//! read, and a browser would show its own error instead of ours. So each is told, kept for a
//! moment without being waited for, and closed when what it sent has come in. One thread does it
//! for all, and none of them can hold it up: nothing here blocks on a socket.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use socket2::Socket;

use crate::clock::Mono;
use crate::limits::{GATE_REFUSAL_MS, HEADERS_BYTES_MAX};
use crate::web::words::Lang;

use super::Gate;
use super::refusal::{Framing, Reader, Refusal, to_bytes};

/// Those who were told and are not closed yet, each with when to close it, soonest first.
#[derive(Debug, Default)]
struct Told(VecDeque<(Mono, Socket)>);

impl Gate {
    /// Tells each that comes, until no more can come.
    pub(super) fn refuse_all(&self, to_refuse: &Receiver<Socket>) {
        let mut told = Told::default();
        loop {
            let next = told.0.front().map(|(by, _)| by.left(self.clock.mono()));
            match to_refuse.recv_timeout(next.unwrap_or(Duration::from_hours(1))) {
                Ok(socket) => {
                    if self.tell_full(&socket).is_ok() {
                        let by = self.clock.mono().plus_ms(GATE_REFUSAL_MS);
                        told.keep(by, socket, self.limits.refusals_queued());
                    }
                }
                Err(RecvTimeoutError::Timeout) => told.close_first(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// A new connection takes a page at once; one that does not is no browser. Nothing of what it asks
    /// was read, so it is told in all languages.
    fn tell_full(&self, mut socket: &Socket) -> io::Result<()> {
        let encoded =
            Refusal::Full.encode(&self.new_id(), &self.origin, Reader::People(&Lang::ALL));
        let framing = Framing { now: self.clock.wall(), connection: "close", is_head_only: false };
        socket.set_nonblocking(true)?;
        socket.write_all(&to_bytes(&encoded, framing))?;
        socket.shutdown(Shutdown::Write)
    }
}

impl Told {
    fn keep(&mut self, by: Mono, socket: Socket, max: usize) {
        if self.0.len() >= max {
            self.close_first();
        }
        self.0.push_back((by, socket));
    }

    fn close_first(&mut self) {
        if let Some((_, socket)) = self.0.pop_front() {
            let mut unread = (&socket).take(u64::try_from(HEADERS_BYTES_MAX).unwrap_or(u64::MAX));
            // Ends with an error when nothing more is there, which is all that is wanted.
            drop(io::copy(&mut unread, &mut io::sink()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::sync::Arc;

    use crossbeam_channel::bounded;

    use super::*;
    use crate::clock::Clock;
    use crate::thread::{CloseOnDrop, Crew, Stop, spawn_named};
    use crate::web::gate::{GateLimits, Rules, listen};
    use crate::web::origin::Origin;

    const QUEUED: usize = 3;

    fn told(told: &mut Told) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        told.keep(Mono(0), Socket::from(OwnedFd::from(ours)), QUEUED);
        theirs
    }

    #[test]
    fn told_closed_after_reading_and_so_not_reset() {
        let mut all = Told::default();
        let mut peer = told(&mut all);
        peer.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        all.close_first();
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn told_beyond_bound_closes_oldest() {
        let mut all = Told::default();
        let mut peers: Vec<_> = (0..=QUEUED).map(|_| told(&mut all)).collect();
        assert_eq!(all.0.len(), QUEUED);
        assert_eq!(peers[0].read(&mut [0]).unwrap(), 0);
        peers[1].set_nonblocking(true).unwrap();
        assert!(peers[1].read(&mut [0]).is_err());
    }

    #[test]
    fn r0151_connection_that_gets_no_thread_is_told_so() {
        let rules = Rules {
            origin: Origin::of_listener("127.0.0.1:80".parse().unwrap()),
            trusted_proxies: Vec::new(),
            limits: GateLimits { workers: 0, ..GateLimits::default() },
            clock: Clock::system(),
            broken: Stop::new(),
        };
        let gate = Gate::new(listen("127.0.0.1:0").unwrap(), Path::new(""), rules).unwrap();
        let (gate, goes_on) = (Arc::new(gate), Stop::new());
        let (full, to_refuse) = bounded(1);
        let (alive, _over) = bounded(0);
        std::thread::scope(|scope| {
            let _end = CloseOnDrop(goes_on.clone());
            let mut crew = Crew::new(1);
            let works = |_permit| assert!(goes_on.wait(Duration::from_mins(1)));
            crew.add(spawn_named(scope, "works", works).unwrap());
            let mut browser = TcpStream::connect(gate.bound()).unwrap();
            assert!(gate.accept(scope, &mut crew, &full, &alive).is_err());
            assert_eq!(gate.slots.count(), 0);
            drop(full);
            gate.refuse_all(&to_refuse);
            let mut told = [0; 12];
            browser.read_exact(&mut told).unwrap();
            assert_eq!(&told, b"HTTP/1.1 503");
        });
    }
}
