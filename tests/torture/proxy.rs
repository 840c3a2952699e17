//! A network between two processes that can be spoilt: a proxy on loopback, one for each directed
//! pair, with two threads a connection.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use socket2::SockRef;
use tern::thread::Stop;

/// How long a thread waits for bytes before it looks whether something has changed.
const POLL: Duration = Duration::from_millis(100);
/// How long connecting to the process behind may take.
const CONNECT: Duration = Duration::from_secs(2);
/// Bytes moved at once.
const PIECE: usize = 16 * 1024;
/// Bytes of a thread's stack.
const STACK: usize = 128 * 1024;

/// What a proxy does with what comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mode {
    /// Hands everything on.
    #[default]
    Pass,
    /// Ends all connections, and every new one at once.
    Cut,
    /// Swallows what the dialling side sends.
    SwallowThere,
    /// Swallows what is answered.
    SwallowBack,
    /// Hands on late.
    Delay(Duration),
    /// Keeps the other side's end to itself.
    HalfOpen,
    /// Accepts new connections and says nothing.
    Hang,
    /// Hands on the first half of the next piece and resets the connection.
    Reset,
}

/// The modes that spoil something.
pub(super) const SPOILT: [(&str, Mode); 7] = [
    ("cut", Mode::Cut),
    ("one-way there", Mode::SwallowThere),
    ("one-way back", Mode::SwallowBack),
    ("delay", Mode::Delay(Duration::from_millis(150))),
    ("half-open", Mode::HalfOpen),
    ("accept and hang", Mode::Hang),
    ("reset in a frame", Mode::Reset),
];

/// A proxy in front of one address; its threads end when it is dropped.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    target: SocketAddr,
    /// With a number that rises at each change.
    mode: Mutex<(Mode, u64)>,
    stop: Stop,
}

impl Shared {
    fn mode(&self) -> (Mode, u64) {
        *self.mode.lock()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    There,
    Back,
}

impl Proxy {
    /// A proxy in front of a port of this machine.
    pub(crate) fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            target: SocketAddr::from(([127, 0, 0, 1], target)),
            mode: Mutex::default(),
            stop: Stop::new(),
        });
        let own = Arc::clone(&shared);
        let acceptor = spawn(move || accept(&listener, &own));
        Self { port, shared, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// From now on it does this.
    pub(crate) fn set(&self, mode: Mode) {
        let mut now = self.shared.mode.lock();
        *now = (mode, now.1 + 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.close();
        // Wakes the acceptor; if that fails it has ended.
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(acceptor) = self.acceptor.take() {
            let _panicked = acceptor.join();
        }
    }
}

fn spawn(body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    Builder::new().name("proxy".to_owned()).stack_size(STACK).spawn(body).unwrap()
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections = Vec::new();
    while let Ok((from, _)) = listener.accept() {
        if shared.stop.is_closed() {
            break;
        }
        connections.retain(|thread: &JoinHandle<()>| !thread.is_finished());
        let shared = Arc::clone(shared);
        connections.push(spawn(move || carry(&from, &shared)));
    }
    for thread in connections {
        let _panicked = thread.join();
    }
}

/// Serves one connection to its end.
fn carry(from: &TcpStream, shared: &Shared) {
    let (mode, since) = shared.mode();
    match mode {
        Mode::Cut => return,
        Mode::Hang => {
            // It is held until the proxy does something else, then closed.
            while shared.mode().1 == since && !shared.stop.wait(POLL) {}
            return;
        }
        _ => {}
    }
    let Ok(to) = TcpStream::connect_timeout(&shared.target, CONNECT) else { return };
    let ready = [from, &to].into_iter().all(|stream| {
        stream.set_read_timeout(Some(POLL)).is_ok() && stream.set_nodelay(true).is_ok()
    });
    if ready {
        std::thread::scope(|scope| {
            let back = Builder::new()
                .name("proxy-back".to_owned())
                .stack_size(STACK)
                .spawn_scoped(scope, || pump(&to, from, Direction::Back, shared));
            pump(from, &to, Direction::There, shared);
            let _panicked = back.map(std::thread::ScopedJoinHandle::join);
        });
    }
}

/// Ends both ends, so that the other direction's thread ends too.
fn end(a: &TcpStream, b: &TcpStream) {
    for stream in [a, b] {
        // It may be closed already.
        let _closed = stream.shutdown(Shutdown::Both);
    }
}

/// Whether there was only nothing to be read for a while, or all of this machine stood still.
fn is_for_later(error: &std::io::Error) -> bool {
    use ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

/// Moves bytes one way until the connection has ended.
fn pump(mut from: &TcpStream, mut to: &TcpStream, way: Direction, shared: &Shared) {
    let mut piece = vec![0; PIECE];
    let mut swallowed = None;
    loop {
        let read = from.read(&mut piece);
        let (mode, since) = shared.mode();
        // What was swallowed is missing for good: no use to go on afterwards.
        let is_broken = swallowed.is_some_and(|at| at != since);
        if shared.stop.is_closed() || mode == Mode::Cut || is_broken {
            return end(from, to);
        }
        let len = match read {
            Ok(0) if mode == Mode::HalfOpen => {
                while shared.mode().1 == since && !shared.stop.wait(POLL) {}
                return end(from, to);
            }
            Ok(0) => return end(from, to),
            Ok(len) => len,
            Err(error) if is_for_later(&error) => continue,
            Err(_) => return end(from, to),
        };
        match (mode, way) {
            (Mode::SwallowThere, Direction::There) | (Mode::SwallowBack, Direction::Back) => {
                swallowed = Some(since);
                continue;
            }
            (Mode::Delay(time), _) => {
                shared.stop.wait(time);
            }
            (Mode::Reset, _) => {
                let _gone = to.write_all(&piece[..len / 2]);
                for stream in [from, to] {
                    let _gone = SockRef::from(stream).set_linger(Some(Duration::ZERO));
                }
                return end(from, to);
            }
            _ => {}
        }
        if to.write_all(&piece[..len]).is_err() {
            return end(from, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(proxy: &Proxy, listener: &TcpListener) -> (TcpStream, TcpStream) {
        let near = TcpStream::connect(proxy.address()).unwrap();
        let (far, _) = listener.accept().unwrap();
        for stream in [&near, &far] {
            stream.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
        }
        (near, far)
    }

    fn start() -> (Proxy, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        (Proxy::start(listener.local_addr().unwrap().port()), listener)
    }

    fn passes(mut from: &TcpStream, mut to: &TcpStream) -> bool {
        let mut bytes = [0; 4];
        from.write_all(b"word").is_ok() && to.read_exact(&mut bytes).is_ok() && bytes == *b"word"
    }

    #[test]
    fn proxy_passes_both_ways_and_swallows_one() {
        let (proxy, listener) = start();
        let (near, far) = pair(&proxy, &listener);
        assert!(passes(&near, &far) && passes(&far, &near));
        proxy.set(Mode::SwallowThere);
        assert!(!passes(&near, &far) && passes(&far, &near));
        proxy.set(Mode::Pass);
        assert!(!passes(&near, &far), "bytes are missing: this connection must not go on");
        let (near, far) = pair(&proxy, &listener);
        proxy.set(Mode::SwallowBack);
        assert!(passes(&near, &far) && !passes(&far, &near));
    }

    #[test]
    fn proxy_cuts_hangs_and_resets() {
        let (proxy, listener) = start();
        let (near, far) = pair(&proxy, &listener);
        proxy.set(Mode::Reset);
        assert!(!passes(&near, &far));
        assert_eq!((&near).read(&mut [0]).map_err(|error| error.kind()).unwrap_or_default(), 0);
        proxy.set(Mode::Hang);
        let mut hung = TcpStream::connect(proxy.address()).unwrap();
        hung.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        assert_eq!(hung.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        proxy.set(Mode::Cut);
        assert_eq!(hung.read(&mut [0]).unwrap(), 0);
        let mut cut = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(cut.read(&mut [0]).unwrap_or_default(), 0);
    }

    #[test]
    fn proxy_half_open_keeps_the_end_to_itself() {
        let (proxy, listener) = start();
        let (near, far) = pair(&proxy, &listener);
        proxy.set(Mode::HalfOpen);
        drop(far);
        assert_eq!((&near).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        proxy.set(Mode::Pass);
        assert_eq!((&near).read(&mut [0]).unwrap(), 0);
    }
}
