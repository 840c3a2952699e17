//! The accept loop: one thread a connection, with caps that strangers cannot use up, and an end.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::Scope;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::connection::{Closer, Connection, accept_shared};
use super::error::TransportError;
use super::key::Keys;
use super::secure::Role;
use crate::limits::{ACCEPT_PAUSE_MS, BACKEND_CONNECTIONS_MAX, STOP_GRACE_MS, STRANGERS_MAX};
use crate::thread::{CloseOnDrop, Crew, LockPermit, Stop, spawn_named, spawn_vital};

/// Numbers in the names of connections' threads start again at 0 after this many.
const NAMES_MAX: u64 = 10_000_000_000;

/// A port that is listened at, nobody accepted yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    addr: SocketAddr,
    connections_max: usize,
    strangers_max: usize,
}

impl Listener {
    /// Listens at `addr`, `HOST:PORT`; port 0 picks a free one. The port of a process that ended a
    /// moment ago is free (`SO_REUSEADDR`, set by the standard library).
    ///
    /// # Errors
    /// [`TransportError::InUse`] when another process listens there, else `Io`.
    pub fn bind(addr: &str) -> Result<Self, TransportError> {
        let failed = |source: io::Error| match source.kind() {
            ErrorKind::AddrInUse => TransportError::InUse { addr: addr.to_owned(), source },
            _ => TransportError::Io { op: "listen at", addr: addr.to_owned(), source },
        };
        let socket = TcpListener::bind(addr).map_err(failed)?;
        let addr = socket.local_addr().map_err(failed)?;
        let (connections_max, strangers_max) = (BACKEND_CONNECTIONS_MAX, STRANGERS_MAX);
        Ok(Self { socket, addr, connections_max, strangers_max })
    }

    /// Serves at most so many connections at once, those that have not authenticated included: one
    /// more is closed at once. Without this, [`BACKEND_CONNECTIONS_MAX`].
    #[must_use]
    pub fn with_connections_max(self, connections_max: usize) -> Self {
        Self { connections_max, ..self }
    }

    /// Where it listens, with the port that was picked.
    pub const fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Accepts connections until `stop` closes: thread `accept`, a thread `conn-N` for each
    /// connection, and `accept-stop`, which ends them. `handler` gets every connection whose other
    /// side proved to know the key, and should return when it hears [`TransportError::Closed`].
    ///
    /// On stop the port closes and all connections end for reading, so that each handler may still
    /// answer the request it is at; after [`STOP_GRACE_MS`] they end for writing, too. A panic in a
    /// handler ends its connection; `scope` reports it when it ends. A panic in the accept loop closes
    /// `stop`.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn serve<'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        stop: &Stop,
        keys: &Keys,
        handler: impl Fn(Connection, Role, SocketAddr, LockPermit) + Send + Sync + Clone + 'scope,
    ) -> io::Result<()> {
        let registry = Arc::new(Registry::new(self.connections_max, self.strangers_max));
        let ended = Stop::new();
        let wake_at = SocketAddr::new(reachable(self.addr.ip()), self.addr.port());
        let (stop_here, registry_here, ended_here) =
            (stop.clone(), Arc::clone(&registry), ended.clone());
        spawn_named(scope, "accept-stop", move |_permit| {
            end_all(&stop_here, &registry_here, &ended_here, wake_at);
        })?;
        let accepting = Accepting { registry, stop: stop.clone(), keys: keys.clone() };
        let ended = CloseOnDrop(ended);
        spawn_vital(scope, stop, "accept", move |_permit| {
            let _ended = ended;
            accepting.run(scope, &self.socket, &handler);
        })?;
        Ok(())
    }
}

struct Accepting {
    registry: Arc<Registry>,
    stop: Stop,
    keys: Keys,
}

impl Accepting {
    /// Survives every error of accept: the listener ends with the process, not before.
    fn run<'scope, H>(&self, scope: &'scope Scope<'scope, '_>, socket: &TcpListener, handler: &H)
    where
        H: Fn(Connection, Role, SocketAddr, LockPermit) + Send + Sync + Clone + 'scope,
    {
        let mut is_failing = false;
        let mut crew = Crew::new(self.registry.connections_max);
        loop {
            let accepted = socket.accept();
            if self.stop.is_closed() {
                return crew.report();
            }
            let begun = accepted.and_then(|one| self.begin((scope, &mut crew), one, handler));
            match begun {
                Ok(()) => is_failing = false,
                // The other side gave up while it waited to be accepted.
                Err(error) if is_momentary(&error) => {}
                // Out of descriptors, memory or threads: what is there must end first.
                Err(error) => {
                    if !is_failing {
                        log::warn!(error:%; "cannot accept connections, trying on");
                    }
                    is_failing = true;
                    self.stop.wait(Duration::from_millis(ACCEPT_PAUSE_MS));
                }
            }
        }
    }

    fn begin<'scope, H>(
        &self,
        (scope, crew): (&'scope Scope<'scope, '_>, &mut Crew<'scope>),
        (stream, addr): (TcpStream, SocketAddr),
        handler: &H,
    ) -> io::Result<()>
    where
        H: Fn(Connection, Role, SocketAddr, LockPermit) + Send + Sync + Clone + 'scope,
    {
        let stream = Arc::new(stream);
        let Some(slot) = Registry::enter(&self.registry, &stream) else {
            log::debug!(addr:%; "connection refused, too many are open");
            return Ok(());
        };
        // Whoever gave its place back a moment ago may still have its stack.
        if !crew.has_room(&self.stop) {
            return Err(io::Error::other("threads of connections that are over do not end"));
        }
        let (keys, handler) = (self.keys.clone(), handler.clone());
        let name = format!("conn-{}", slot.id % NAMES_MAX);
        crew.add(spawn_named(scope, &name, move |permit| match accept_shared(stream, &keys) {
            Ok((connection, role)) if slot.admit() => handler(connection, role, addr, permit),
            Ok(_) => log::debug!(addr:%; "connection dropped, too many strangers"),
            Err(error) => log::debug!(addr:%, reason:% = error; "stranger dropped"),
        })?);
        Ok(())
    }
}

fn is_momentary(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}

/// The address by which this machine reaches a listener at `ip`.
const fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    }
}

/// Body of `accept-stop`: waits for `stop`, then ends the accept loop and all connections.
fn end_all(stop: &Stop, registry: &Registry, ended: &Stop, wake_at: SocketAddr) {
    while !stop.wait(Duration::from_hours(1)) {}
    registry.close();
    let pause = Duration::from_millis(ACCEPT_PAUSE_MS);
    loop {
        // An accept in progress knows no flag; a connection wakes it. Where that fails (no descriptor
        // is left), the connections that end now make room for the next try.
        if let Err(error) = TcpStream::connect_timeout(&wake_at, pause) {
            log::debug!(error:%; "cannot wake the accept loop yet");
        }
        if ended.wait(pause) {
            break;
        }
    }
    registry.end(Duration::from_millis(STOP_GRACE_MS));
}

/// Every open connection, so that caps hold and stopping reaches all.
struct Registry {
    state: Mutex<Open>,
    emptied: Condvar,
    connections_max: usize,
    strangers_max: usize,
}

#[derive(Default)]
struct Open {
    is_closed: bool,
    next_id: u64,
    /// Not authenticated yet, the oldest first.
    strangers: BTreeMap<u64, Closer>,
    known: BTreeMap<u64, Closer>,
    /// Threads that run: also those of strangers that were ended and have not noticed yet.
    count: usize,
}

/// A connection's place; dropping it, also by a panic, makes room for the next.
struct Slot {
    registry: Arc<Registry>,
    id: u64,
}

impl Registry {
    fn new(connections_max: usize, strangers_max: usize) -> Self {
        let state = Mutex::new(Open::default());
        Self { state, emptied: Condvar::new(), connections_max, strangers_max }
    }

    /// A place for a new connection, a stranger so far. When there are too many strangers the oldest
    /// ends, not the newest: an honest one needs a round trip, so those who wait long are not honest,
    /// and who turned the newest away could be kept from all honest ones by a few idle sockets.
    fn enter(this: &Arc<Self>, stream: &Arc<TcpStream>) -> Option<Slot> {
        let mut open = this.state.lock();
        if open.is_closed || open.count >= this.connections_max {
            return None;
        }
        if open.strangers.len() >= this.strangers_max
            && let Some((_, oldest)) = open.strangers.pop_first()
        {
            oldest.close();
        }
        let id = open.next_id;
        open.next_id += 1;
        open.count += 1;
        open.strangers.insert(id, Closer::new(Arc::clone(stream)));
        Some(Slot { registry: Arc::clone(this), id })
    }

    /// Lets nobody in any more, and ends all for reading.
    fn close(&self) {
        let mut open = self.state.lock();
        open.is_closed = true;
        open.strangers.values().for_each(Closer::close);
        open.known.values().for_each(Closer::close_reading);
    }

    /// Ends what is still open after `grace`.
    fn end(&self, grace: Duration) {
        let mut open = self.state.lock();
        self.emptied.wait_while_for(&mut open, |open| open.count > 0, grace);
        open.known.values().for_each(Closer::close);
    }
}

impl Slot {
    /// The stranger is known now; false if it was ended meanwhile.
    fn admit(&self) -> bool {
        let mut open = self.registry.state.lock();
        match open.strangers.remove(&self.id) {
            Some(closer) if !open.is_closed => {
                open.known.insert(self.id, closer);
                true
            }
            _ => false,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.registry.state.lock();
        open.strangers.remove(&self.id);
        open.known.remove(&self.id);
        open.count -= 1;
        if open.count == 0 {
            self.registry.emptied.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Connections that wait to be known, and what their diallers hold.
    fn enter(registry: &Arc<Registry>, count: usize) -> Vec<(Option<Slot>, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let enter_one = |_| {
            let dialled = TcpStream::connect(addr).unwrap();
            dialled.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let stream = Arc::new(listener.accept().unwrap().0);
            (Registry::enter(registry, &stream), dialled)
        };
        (0..count).map(enter_one).collect()
    }

    fn is_ended(mut dialled: &TcpStream) -> bool {
        dialled.read(&mut [0]).is_ok_and(|read| read == 0)
    }

    fn admitted(entered: &[(Option<Slot>, TcpStream)]) -> Vec<bool> {
        entered.iter().map(|(slot, _)| slot.as_ref().is_some_and(Slot::admit)).collect()
    }

    #[test]
    fn registry_too_many_strangers_oldest_ends() {
        let registry = Arc::new(Registry::new(10, 2));
        let known = enter(&registry, 1);
        assert_eq!(admitted(&known), [true]);
        let entered = enter(&registry, 3);
        assert_eq!(admitted(&entered), [false, true, true]);
        assert!(is_ended(&entered[0].1));
        assert!(!is_ended(&entered[1].1) && !is_ended(&known[0].1));
    }

    #[test]
    fn registry_full_newest_not_let_in() {
        let registry = Arc::new(Registry::new(2, 2));
        let mut entered = enter(&registry, 3);
        assert_eq!(admitted(&entered), [true, true, false]);
        assert!(is_ended(&entered[2].1));
        entered.remove(0);
        assert_eq!(admitted(&enter(&registry, 1)), [true]);
    }

    #[test]
    fn registry_closed_ends_strangers_and_lets_nobody_in() {
        let registry = Arc::new(Registry::new(10, 10));
        let known = enter(&registry, 1);
        assert_eq!(admitted(&known), [true]);
        let strangers = enter(&registry, 1);
        registry.close();
        assert!(is_ended(&strangers[0].1), "it would wait for its time-out");
        assert!(!is_ended(&known[0].1), "it may still be answered");
        assert_eq!(admitted(&strangers), [false]);
        assert_eq!(admitted(&enter(&registry, 1)), [false]);
        registry.end(Duration::ZERO);
        assert!(is_ended(&known[0].1));
    }

    #[test]
    fn wake_address_is_reachable() {
        for (bound, expected) in
            [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.7", "192.0.2.7")]
        {
            let found = reachable(bound.parse().unwrap());
            assert_eq!(found, expected.parse::<IpAddr>().unwrap());
        }
    }
}
