//! The gate: all that stands between browsers and `tiny_http`, and the only thing that listens to
//! the network for them.
//!
//! `tiny_http` 0.12 alone is not fit to be exposed. A large `Content-Length` aborts the process;
//! unread pipelined requests, or bodies announced and never sent, hold all its workers; its accept
//! loop ends at the first error; its connections are uncapped and may idle for ever;
//! `Transfer-Encoding` and odd lengths let requests be smuggled. So the gate reads each request
//! whole, under strict rules, and gives `tiny_http` a clean one over a private socket.
//!
//! Invariants:
//! - A browser's byte reaches `tiny_http` only as part of a request that was read to its end, whose
//!   head was accepted, and of whose headers only the known ones are left.
//! - Nobody waits for a browser but that browser's own thread, which holds no worker meanwhile; each
//!   of its waits has a deadline that the browser cannot move.
//! - Whoever has fewest requests under way gets the next worker: a crowd waits for itself alone.
//! - Answers that nobody takes hold memory up to a bound, whoever asked for them, and no worker.
//! - The accept loop never reads or writes, and goes on after every error.
//! - Every answer, refusals included, bears all security headers.
//!
//! What it is not: it knows no route, no session and no page but its own refusals.
//!
//! ```text
//!  opened ──▶ head ──▶ body ──▶ wait for a worker ──▶ wait for its answer ──▶ write ──▶ idle ─┐
//!               ▲                                                                             │
//!               └─────────────────────────────────────────────────────────────────────────────┘
//!  a broken rule, a passed deadline: refusal, rest drained within bounds, closed
//! ```
//! Threads: `gate` accepts, `gate-N` serves one connection, `gate-full` tells those over the caps.

mod answers;
mod client;
mod connection;
mod deadline;
mod full;
pub(crate) mod head;
mod lending;
mod refusal;
mod slots;
mod upload;
mod upstream;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use rustix::process::{Resource, getrlimit};
use socket2::{Domain, Protocol, Socket, Type};

use crate::clock::Clock;
use crate::limits;
use crate::thread::{Crew, Stop, spawn_named, spawn_vital};
use crate::web::origin::Origin;

use deadline::Ended;
use slots::{Caps, Slot, Slots};
use upstream::Upstream;

/// The header that carries the browser's address to a worker; never passed on from outside.
pub(super) const CLIENT_HEADER: &str = "X-Tern-Client";
/// The header that carries the request's number.
pub(super) const ID_HEADER: &str = "X-Tern-Id";
/// The header with which a worker says where the next part of its answer is; it stays in here.
pub(super) const NEXT_HEADER: &str = "X-Tern-Next";
/// The header with which it says that the answer is a stream, after how many milliseconds to ask for the
/// next part, and whose it is.
pub(super) const PAUSE_HEADER: &str = "X-Tern-Pause";

/// The gate's bounds, and those of the workers behind it. Only tests have reason to change them.
#[derive(Debug, Clone, Copy)]
pub struct GateLimits {
    /// Connections open at once.
    pub connections: usize,
    /// Connections of one address at once.
    pub address_connections: usize,
    /// Milliseconds for a request's head.
    pub head_ms: u64,
    /// Milliseconds for a whole request.
    pub request_ms: u64,
    /// Milliseconds between two requests.
    pub idle_ms: u64,
    /// Milliseconds until a worker is free.
    pub worker_wait_ms: u64,
    /// The same where a password is hashed for it.
    pub hash_wait_ms: u64,
    /// Milliseconds until a worker has answered.
    pub answer_ms: u64,
    /// Milliseconds until a browser has taken its answer; more for a large one.
    pub write_ms: u64,
    /// Bytes a browser has to take each second beyond that time.
    pub write_bytes_per_s: usize,
    /// Bytes of all answers that browsers have not taken yet.
    pub answers_bytes: usize,
    /// Milliseconds to drain what a refused browser still sends.
    pub drain_ms: u64,
    /// Answers that go on for as long as somebody listens.
    pub streams: usize,
    /// Forms that bring pictures, at once.
    pub uploads: usize,
    /// Workers.
    pub workers: usize,
    /// Answers that they make at once.
    pub making: usize,
    /// Milliseconds for what is under way when the server stops.
    pub stop_ms: u64,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            connections: limits::GATE_CONNECTIONS_MAX,
            address_connections: limits::GATE_ADDRESS_CONNECTIONS_MAX,
            head_ms: limits::GATE_HEAD_MS,
            request_ms: limits::GATE_REQUEST_MS,
            idle_ms: limits::GATE_IDLE_MS,
            worker_wait_ms: limits::GATE_WORKER_WAIT_MS,
            hash_wait_ms: limits::GATE_HASH_WAIT_MS,
            answer_ms: limits::GATE_ANSWER_MS,
            write_ms: limits::GATE_WRITE_MS,
            write_bytes_per_s: limits::GATE_WRITE_BYTES_PER_S,
            answers_bytes: limits::GATE_ANSWERS_BYTES_MAX,
            drain_ms: limits::GATE_DRAIN_MS,
            streams: limits::GATE_STREAMS_MAX,
            uploads: limits::UPLOADS_MAX,
            workers: limits::WEB_WORKERS,
            making: limits::MAKING_MAX,
            stop_ms: limits::WEB_STOP_MS,
        }
    }
}

impl GateLimits {
    /// With no more connections than there are descriptors for, so that a full gate can still say that
    /// it is full, and its workers reach a backend. No address gets more than half of them.
    fn within(self, descriptors: Option<u64>) -> Self {
        let taken = self.workers.saturating_mul(limits::GATE_WORKER_DESCRIPTORS)
            + limits::GATE_OTHER_DESCRIPTORS;
        let descriptors =
            descriptors.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
        let left = descriptors.saturating_sub(taken).max(limits::GATE_CONNECTIONS_MIN);
        if left < self.connections {
            log::warn!(descriptors, connections = left; "few descriptors");
        }
        self.with_connections(left)
    }

    /// With no more than there is memory for beside the least, of which some connections have theirs: what
    /// does not fit would end the process. Pictures go first, being the largest.
    #[must_use]
    pub fn within_memory(self, left_bytes: Option<u64>) -> Self {
        let Some(left_bytes) = left_bytes else { return self };
        let after_pictures = left_bytes.checked_sub(limits::UPLOADS_MEMORY_BYTES);
        if after_pictures.is_none() {
            log::warn!(left = left_bytes; "too little memory for pictures");
        }
        let uploads = if after_pictures.is_some() { self.uploads } else { 0 };
        let left_bytes = after_pictures.unwrap_or(left_bytes);
        // What is made takes far more than what waits, so both have a share.
        let making_bytes = left_bytes / limits::MAKING_PART;
        let making = usize::try_from(making_bytes / limits::MAKING_BYTES).unwrap_or(usize::MAX);
        let making = making.saturating_add(1).min(self.making);
        let taken = limits::MAKING_BYTES.saturating_mul(making.saturating_sub(1) as u64);
        let left_bytes = left_bytes.saturating_sub(taken);
        let more =
            usize::try_from(left_bytes / limits::GATE_CONNECTION_BYTES).unwrap_or(usize::MAX);
        let left = more.saturating_add(limits::GATE_CONNECTIONS_MIN);
        if left < self.connections {
            log::warn!(left = left_bytes, connections = left; "little memory");
        }
        let untaken = left.saturating_mul(limits::GATE_UNTAKEN_BYTES);
        let answers_bytes = untaken.min(self.answers_bytes);
        Self { answers_bytes, uploads, making, ..self }.with_connections(left)
    }

    fn with_connections(self, left: usize) -> Self {
        if left >= self.connections {
            return self;
        }
        let address_connections = self.address_connections.min(left / 2);
        let streams = self.streams.min(left / 4);
        Self { connections: left, address_connections, streams, ..self }
    }

    /// Refused connections that may wait to be told so, and as many that were told.
    fn refusals_queued(&self) -> usize {
        limits::GATE_REFUSALS_QUEUED.min(self.connections / 4).max(1)
    }
}

/// What the gate has seen since it opened.
#[derive(Debug, Default)]
pub struct GateCounters {
    connections: AtomicU64,
    requests: AtomicU64,
    refused: AtomicU64,
}

impl GateCounters {
    /// Connections accepted, those over the caps included.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Requests that a worker answered.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests and connections that the gate refused: many mean an attack, or caps too low.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whose requests the gate lets in, and how many.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) origin: Origin,
    pub(super) trusted_proxies: Vec<IpAddr>,
    pub(super) limits: GateLimits,
    pub(super) clock: Clock,
    /// Closed when the site can no longer be served.
    pub(super) broken: Stop,
}

/// The gate, open.
#[derive(Debug)]
pub(super) struct Gate {
    listener: Socket,
    bound: SocketAddr,
    origin: Origin,
    trusted_proxies: Vec<IpAddr>,
    limits: GateLimits,
    clock: Clock,
    broken: Stop,
    slots: Arc<Slots>,
    answers: answers::Untaken,
    turns: client::Turns,
    /// Forms with pictures that are taken in just now.
    uploads: upload::Uploads,
    streams: connection::stream::Streams,
    upstream: Upstream,
    stopping: Stop,
    id_base: u32,
    ids: AtomicU32,
    has_warned_of_proxy: AtomicBool,
    counters: Arc<GateCounters>,
}

/// Binds the address that browsers connect to.
///
/// # Errors
/// The last of the system's, if `listen` names several addresses and none can be had.
pub(super) fn listen(listen: &str) -> io::Result<Socket> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in listen.to_socket_addrs()? {
        match listen_at(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listen_at(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server must get its port back while old connections linger.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // Those that it accepts inherit both.
    socket.set_send_buffer_size(limits::GATE_SEND_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(limits::GATE_RECEIVE_BUFFER_BYTES)?;
    socket.bind(&address.into())?;
    socket.listen(limits::GATE_BACKLOG)?;
    Ok(socket)
}

impl Gate {
    /// A gate before `listener`, with `tiny_http` behind it at `upstream`.
    pub(super) fn new(listener: Socket, upstream: &Path, rules: Rules) -> io::Result<Self> {
        let Rules { origin, trusted_proxies, limits, clock, broken } = rules;
        let bound = listener.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        let trusted_proxies = trusted_proxies.iter().map(IpAddr::to_canonical).collect();
        let upstream =
            Upstream::open(upstream, limits.workers, &clock, crate::limits::WEB_START_MS)?;
        // What a closed connection has left to send would wait for minutes for a browser that takes
        // nothing. Later than our own deadline, which tells the browser.
        #[cfg(target_os = "linux")]
        listener.set_tcp_user_timeout(Some(Duration::from_millis(2 * limits.write_ms)))?;
        let limits = limits.within(getrlimit(Resource::Nofile).current);
        let id_base = getrandom::u32().map_err(|e| io::Error::other(e.to_string()))?;
        Ok(Self {
            listener,
            bound,
            origin,
            trusted_proxies,
            limits,
            clock: clock.clone(),
            broken,
            slots: Arc::default(),
            answers: answers::Untaken::new(limits.answers_bytes),
            turns: client::Turns::default(),
            uploads: upload::Uploads::new(clock, limits.uploads),
            streams: connection::stream::Streams::default(),
            upstream,
            stopping: Stop::new(),
            id_base,
            ids: AtomicU32::new(0),
            has_warned_of_proxy: AtomicBool::new(false),
            counters: Arc::default(),
        })
    }

    /// Where it listens.
    pub(super) const fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// What it counts.
    pub(super) const fn counters(&self) -> &Arc<GateCounters> {
        &self.counters
    }

    /// Accepts until [`Self::close`], each connection into its own thread of `scope`. Every such
    /// thread keeps a copy of `alive` for as long as it runs.
    pub(super) fn run<'scope>(
        self: &Arc<Self>,
        scope: &'scope Scope<'scope, '_>,
        alive: Sender<()>,
    ) -> io::Result<()> {
        // A connection that finds this full is closed without a word: whoever floods the gate does
        // not get to slow down how the others are told.
        let (full, to_refuse) = bounded(self.limits.refusals_queued());
        let gate = Arc::clone(self);
        let token = alive.clone();
        spawn_named(scope, "gate-full", move |_permit| {
            gate.refuse_all(&to_refuse);
            drop(token);
        })?;
        let gate = Arc::clone(self);
        spawn_vital(scope, &self.broken, "gate", move |_permit| {
            gate.accept_all(scope, &full, &alive);
        })?;
        Ok(())
    }

    fn accept_all<'scope>(
        self: &Arc<Self>,
        scope: &'scope Scope<'scope, '_>,
        full: &Sender<Socket>,
        alive: &Sender<()>,
    ) {
        let mut failures = 0_u64;
        let mut crew = Crew::new(self.limits.connections);
        while !self.is_stopping() {
            match self.accept(scope, &mut crew, full, alive) {
                Ok(()) if failures > 0 => {
                    log::info!(failures; "accepting connections again");
                    failures = 0;
                }
                Ok(()) => {}
                Err(_) if self.is_stopping() => {}
                Err(error) => {
                    if failures == 0 && !is_peers_fault(&error) {
                        log::warn!(error:%; "connection not accepted");
                    }
                    failures += u64::from(!is_peers_fault(&error));
                    self.recover(&error);
                }
            }
        }
    }

    fn accept<'scope>(
        self: &Arc<Self>,
        scope: &'scope Scope<'scope, '_>,
        crew: &mut Crew<'scope>,
        full: &Sender<Socket>,
        alive: &Sender<()>,
    ) -> io::Result<()> {
        let (socket, _) = self.listener.accept()?;
        let Some(slot) = self.admit(socket, full)? else { return Ok(()) };
        if !crew.has_room(&self.stopping) {
            slot.give_back().into_iter().for_each(|socket| self.refuse(socket, full));
            return Err(io::Error::other("threads of connections that are over do not end"));
        }
        crew.add(self.spawn(scope, slot, alive.clone())?);
        Ok(())
    }

    /// Makes way for the next connection after `error`.
    fn recover(&self, error: &io::Error) {
        if !is_peers_fault(error) {
            // No descriptor, thread or memory is left: an idle connection may give back its own.
            self.slots.drop_idlest();
            self.stopping.wait(Duration::from_millis(limits::GATE_ACCEPT_PAUSE_MS));
        }
    }

    /// Takes a connection in, or hands it to those who are told to come back.
    fn admit(&self, socket: Socket, full: &Sender<Socket>) -> io::Result<Option<Slot>> {
        self.counters.connections.fetch_add(1, Ordering::Relaxed);
        let missing = || io::Error::from(io::ErrorKind::ConnectionAborted);
        let peer = socket.peer_addr()?.as_socket().ok_or_else(missing)?.ip().to_canonical();
        let local = socket.local_addr()?.as_socket().ok_or_else(missing)?;
        socket.set_tcp_nodelay(true)?;
        let caps =
            Caps { total: self.limits.connections, per_address: self.limits.address_connections };
        let is_proxy = self.trusted_proxies.contains(&peer);
        match self.slots.admit(socket, (peer, local), is_proxy, caps) {
            Ok(slot) => Ok(Some(slot)),
            Err(refused) => {
                log::debug!(client:% = peer, open = self.slots.count(); "connection refused");
                self.refuse(refused, full);
                Ok(None)
            }
        }
    }

    /// Has a connection for which there is no room told so.
    fn refuse(&self, socket: Socket, full: &Sender<Socket>) {
        self.counters.count_refused();
        drop(full.try_send(socket));
    }

    fn spawn<'scope>(
        self: &Arc<Self>,
        scope: &'scope Scope<'scope, '_>,
        slot: Slot,
        alive: Sender<()>,
    ) -> io::Result<ScopedJoinHandle<'scope, ()>> {
        let gate = Arc::clone(self);
        let name = format!("gate-{}", slot.index);
        spawn_named(scope, &name, move |_permit| {
            // A bug in here costs this one connection.
            let served = catch_unwind(AssertUnwindSafe(|| connection::serve(&gate, &slot.peer)));
            if served.is_err() {
                log::error!(client:% = slot.peer.address; "connection panicked");
            }
            drop(slot);
            drop(alive);
        })
    }

    /// Accepts nothing more and drops who waits; requests under way go on.
    pub(super) fn close(&self) {
        self.stopping.close();
        // Wakes the accept loop on Linux; elsewhere the connection to ourselves does. Either may
        // fail for the other's success.
        drop(self.listener.shutdown(Shutdown::Both));
        let mut own = self.bound;
        if own.ip().is_unspecified() {
            own.set_ip(match own {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        drop(TcpStream::connect_timeout(&own, Duration::from_millis(limits::GATE_REFUSAL_MS)));
        self.slots.drop_waiting();
    }

    /// Whether any worker can still be reached.
    pub(super) fn has_workers(&self) -> bool {
        self.upstream.is_working()
    }

    /// Ends all that is still under way, at both sides.
    pub(super) fn abort(&self) {
        self.slots.drop_all();
        self.upstream.shut_down();
    }

    fn is_stopping(&self) -> bool {
        self.stopping.is_closed()
    }

    /// A request's number: other after each start, so that a log names each request once.
    fn new_id(&self) -> String {
        let id = self.id_base.wrapping_add(self.ids.fetch_add(1, Ordering::Relaxed));
        format!("{id:08x}")
    }

    fn lost_upstream(&self, ended: &Ended) {
        if !self.is_stopping() {
            log::error!(error:% = ended; "connection to a worker lost");
        }
        self.check_upstream();
    }

    /// Without a single worker to reach the site is down: better to end and be started anew.
    fn check_upstream(&self) {
        if !self.upstream.is_working() && !self.is_stopping() {
            self.broken.close();
        }
    }

    /// Says once that a proxy is not trusted: everybody behind it shares its caps.
    fn warn_of_proxy(&self, peer: IpAddr) {
        if !self.has_warned_of_proxy.swap(true, Ordering::Relaxed) {
            log::warn!(peer:%; "X-Forwarded-For from an untrusted address is ignored");
        }
    }
}

/// Whether accepting failed because that one peer has gone already.
fn is_peers_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | NotConnected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_little_memory_leaves_some_connections() {
        let all = GateLimits::default();
        let check = |left, connections, of_one_address, uploads| {
            let limits = all.within_memory(left);
            assert_eq!(limits.uploads, uploads, "{left:?}");
            assert_eq!(limits.connections, connections, "{left:?}");
            assert_eq!(limits.address_connections, of_one_address, "{left:?}");
        };
        let (few, pictures) = (16 * limits::GATE_CONNECTION_BYTES, limits::UPLOADS_MEMORY_BYTES);
        check(None, 512, 32, 2);
        check(Some(u64::MAX), 512, 32, 2);
        check(Some(0), 16, 8, 0);
        check(Some(few), 32, 16, 0);
        check(Some(few + pictures), 32, 16, 2);
        let made = |left| {
            let limits = all.within_memory(left);
            (limits.making, limits.answers_bytes >> 20)
        };
        let much = Some(32 << 20);
        assert_eq!([made(None), made(much), made(Some(0))], [(4, 32), (2, 4), (1, 2)]);
    }

    #[test]
    fn limits_few_descriptors_leave_room_for_workers_and_refusals() {
        let all = GateLimits::default();
        let check = |descriptors, connections, of_one_address, refusals| {
            let limits = all.within(descriptors);
            assert_eq!(limits.connections, connections, "{descriptors:?}");
            assert_eq!(limits.address_connections, of_one_address, "{descriptors:?}");
            assert_eq!(limits.refusals_queued(), refusals, "{descriptors:?}");
        };
        check(None, 512, 32, 64);
        check(Some(16_384), 512, 32, 64);
        check(Some(1_024), 512, 32, 64);
        check(Some(512), 288, 32, 64);
        check(Some(256), 32, 16, 8);
        check(Some(64), 16, 8, 4);
    }
}
