//! `tiny_http` behind the gate, and the workers that ask a handler for each answer.
//!
//! Invariants:
//! - `tiny_http` listens on a socket that only this user can reach, and only the gate connects to it.
//! - A panic in a handler costs one request: the gate answers 500, the worker lives.
//! - If `tiny_http` fails, or no worker can be reached any more, `stop` is closed and
//!   [`Running::join`] says why: a process that cannot serve must not stay.
//!
//! Threads: `web-N` makes answers; `web-stop` waits for `stop` and ends everything in order. See
//! the gate for its own.

mod socket_dir;

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::UnixListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use crate::clock::{Clock, Mono};
use crate::limits::{
    ANSWER_BYTES_MAX, BODY_BYTES_MAX, UPLOAD_BYTES_MAX, UPLOAD_MAPPING_BYTES, WEB_STOP_GRACE_MS,
};
use crate::thread::{Stop, spawn_named};

use super::gate::{self, CLIENT_HEADER, Gate, GateCounters, GateLimits, ID_HEADER};
use super::making::Making;
use super::origin::Origin;
use super::request::{Method, Request};
use super::response::{Asked, Content, Response};
use super::words::Lang;
use socket_dir::SocketDir;

/// Makes the answer to a request; called by many threads at once.
pub type Handler<'a> = dyn Fn(&Request) -> Response + Sync + 'a;

/// Where the server listens, and for whom.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address and port to listen on, such as `127.0.0.1:8080`; port 0 takes a free one.
    pub listen: String,
    /// The address that people type.
    pub origin: Origin,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whose turn it is to make an answer: it ends once the gate has that.
    pub making: Arc<Making>,
}

/// Why the web server did not start, or did not last.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address cannot be listened on.
    #[error("listen on {listen}")]
    Listen {
        /// As configured.
        listen: String,
        /// The system's reason.
        source: io::Error,
    },
    /// No directory for the private socket, or no socket in it.
    #[error("make a private socket in the runtime or temporary directory")]
    Socket(#[source] io::Error),
    /// A worker did not answer when asked at start.
    #[error("reach the page workers")]
    Workers(#[source] io::Error),
    /// The system gave no thread.
    #[error("start a thread of the web server")]
    Thread(#[source] io::Error),
    /// `tiny_http` gives no more requests.
    #[error("receive requests")]
    Receive(#[source] io::Error),
    /// Every connection to the workers is lost.
    #[error("all connections to the page workers are lost")]
    Lost,
    /// Requests did not end in the time given to them.
    #[error("requests still run after the time to stop")]
    Stuck,
}

/// A web server that runs until its `stop` is closed.
#[derive(Debug)]
pub struct Running<'scope> {
    address: SocketAddr,
    counters: Arc<GateCounters>,
    supervisor: ScopedJoinHandle<'scope, Result<(), WebError>>,
}

impl Running<'_> {
    /// The address it listens on, with the port it was given.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its gate counts.
    pub const fn counters(&self) -> &Arc<GateCounters> {
        &self.counters
    }

    /// Waits until it has stopped: at most the time to stop after `stop` was closed.
    ///
    /// # Errors
    /// [`WebError::Receive`] or [`WebError::Lost`] if it stopped by itself; [`WebError::Stuck`] if a
    /// handler has not come back.
    pub fn join(self) -> Result<(), WebError> {
        match self.supervisor.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// Starts the gate and the workers as threads of `scope`, which end when `stop` is closed.
///
/// # Errors
/// [`WebError`] if anything of it cannot be had; nothing is left running then.
pub fn serve_within<'scope>(
    scope: &'scope Scope<'scope, '_>,
    config: ServerConfig,
    limits: GateLimits,
    stop: &Stop,
    handler: &'scope Handler<'scope>,
) -> Result<Running<'scope>, WebError> {
    let ServerConfig { listen, origin, trusted_proxies, making } = config;
    let listener = gate::listen(&listen).map_err(|source| WebError::Listen { listen, source })?;
    let dir = SocketDir::create(&socket_dir::parents()).map_err(WebError::Socket)?;
    let socket = UnixListener::bind(dir.socket()).map_err(WebError::Socket)?;
    let server = tiny_http::Server::from_listener(socket, None)
        .map_err(|error| WebError::Socket(io::Error::other(error)))?;
    let failure = Failure { first: Mutex::new(None), stop: stop.clone() };
    let path = dir.socket();
    let site = origin.clone();
    let ending = AtomicBool::new(false);
    let desk = Arc::new(Desk { server, _dir: dir, origin: site, failure, making, ending });
    let workers = Workers::start(scope, &desk, limits.workers, handler)?;
    let rules = gate::Rules {
        origin,
        trusted_proxies,
        limits,
        clock: Clock::system(),
        broken: stop.clone(),
    };
    let gate = Gate::new(listener, &path, rules).map_err(WebError::Workers)?;
    let gate = Arc::new(gate);
    let (address, counters) = (gate.bound(), Arc::clone(gate.counters()));
    // Nothing is ever sent: it disconnects when the last connection's thread has ended.
    let (alive, connections) = bounded(0);
    gate.run(scope, alive).map_err(|error| {
        gate.close();
        WebError::Thread(error)
    })?;
    let supervised = Supervised { gate: Arc::clone(&gate), connections, workers, desk };
    let stop = stop.clone();
    let supervisor =
        spawn_named(scope, "web-stop", move |_permit| supervised.run(&stop, limits.stop_ms));
    let supervisor = supervisor.map_err(|error| {
        gate.close();
        WebError::Thread(error)
    })?;
    log::info!(address:%; "web server started");
    Ok(Running { address, counters, supervisor })
}

/// The first failure, which also stops everything.
#[derive(Debug)]
struct Failure {
    first: Mutex<Option<WebError>>,
    stop: Stop,
}

impl Failure {
    fn raise(&self, error: WebError) {
        self.first.lock().get_or_insert(error);
        self.stop.close();
    }
}

/// What workers share.
struct Desk {
    // Dropped before the directory: tiny_http connects to its own socket to end.
    server: tiny_http::Server,
    _dir: SocketDir,
    origin: Origin,
    failure: Failure,
    making: Arc<Making>,
    /// Whether workers were told to end.
    ending: AtomicBool,
}

impl Desk {
    /// One worker: answers requests until told to end.
    fn work(&self, handler: &Handler<'_>) {
        loop {
            match self.server.recv() {
                Ok(request) => self.serve(request, handler),
                Err(_) if self.ending.load(Ordering::SeqCst) => return,
                // tiny_http's accept loop has ended: it answers nobody new from now on.
                Err(error) => return self.failure.raise(WebError::Receive(error)),
            }
        }
    }

    fn serve(&self, mut raw: tiny_http::Request, handler: &Handler<'_>) {
        let id = field(&raw, ID_HEADER);
        if id.is_none() && *raw.method() == tiny_http::Method::Options {
            // The gate asks at start whether this worker's connection works.
            return respond(raw, tiny_http::Response::empty(204), "probe");
        }
        let id = id.unwrap_or_default();
        // Unwinding drops the request, which tiny_http answers with a bare 500, which the gate
        // replaces by a page.
        let served = catch_unwind(AssertUnwindSafe(|| match read(&mut raw) {
            Ok(request) => {
                let response = handler(&request);
                self.answer(raw, &request, response);
            }
            Err(reason) => log::error!(
                reason:%, request:% = id;
                "request from the gate not readable"
            ),
        }));
        self.making.end();
        if served.is_err() {
            log::error!(request:% = id; "handler panicked");
        }
    }

    fn answer(&self, raw: tiny_http::Request, request: &Request, response: Response) {
        let asked = Asked {
            method: request.method,
            if_none_match: request.if_none_match.as_deref(),
            accept_encoding: request.accept_encoding.as_deref(),
        };
        let response = if response.body.len() > ANSWER_BYTES_MAX {
            log::error!(bytes = response.body.len(), request:% = request.id; "answer too large");
            let accept = request.accept_language.as_deref();
            let t = Lang::of(request.cookie.as_deref(), accept, self.origin.cookie_prefix());
            let text = format!("{}\n", t.page_too_large());
            Response { languages: t.alone(), ..Response::new(500, Content::Text, text) }
        } else {
            response
        };
        let encoded = response.encode(asked, &self.origin);
        let mut headers = Vec::with_capacity(encoded.fields.len() + 1);
        headers.push(header("Server", "tern"));
        headers.extend(encoded.fields.iter().map(|(name, value)| header(name, value)));
        let length = encoded.body.len();
        let status = tiny_http::StatusCode(encoded.status);
        let body = encoded.body.as_slice();
        let response = tiny_http::Response::new(status, headers, body, Some(length), None)
            // Chunks would only have to be put together again by the gate.
            .with_chunked_threshold(usize::MAX);
        respond(raw, response, &request.id);
    }
}

fn respond(raw: tiny_http::Request, response: tiny_http::Response<impl Read>, id: &str) {
    if let Err(error) = raw.respond(response) {
        // The gate has gone, or gives this connection up when it finds the answer cut short.
        log::warn!(request:% = id, error:%; "answer not handed to the gate");
    }
}

#[expect(clippy::expect_used, reason = "names are literals, values typed as printable ASCII")]
fn header(name: &str, value: &str) -> tiny_http::Header {
    tiny_http::Header::from_bytes(name, value).expect("a header of ASCII")
}

fn field(raw: &tiny_http::Request, name: &str) -> Option<String> {
    let mut headers = raw.headers().iter();
    let header = headers.find(|h| h.field.as_str().as_str().eq_ignore_ascii_case(name))?;
    Some(header.value.as_str().to_owned())
}

/// The request as the gate wrote it; the error says what it lacks, which would be a fault of ours.
fn read(raw: &mut tiny_http::Request) -> Result<Request, &'static str> {
    let mut known = Method::ALL.into_iter();
    let known = known.find(|(name, _)| raw.method().as_str() == *name);
    let (_, method) = known.ok_or("method")?;
    let client = field(raw, CLIENT_HEADER).and_then(|text| text.parse().ok()).ok_or("client")?;
    let id = field(raw, ID_HEADER).ok_or("id")?;
    let (path, query) = raw.url().split_once('?').unwrap_or((raw.url(), ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let announced = raw.body_length().unwrap_or(0);
    let room = if announced > BODY_BYTES_MAX { UPLOAD_MAPPING_BYTES } else { announced };
    let mut body = Vec::with_capacity(room);
    let limit = u64::try_from(UPLOAD_BYTES_MAX).unwrap_or(u64::MAX);
    raw.as_reader().take(limit).read_to_end(&mut body).map_err(|_| "body")?;
    Ok(Request {
        method,
        path,
        query,
        cookie: field(raw, "Cookie"),
        origin: field(raw, "Origin"),
        fetch_site: field(raw, "Sec-Fetch-Site"),
        accept_language: field(raw, "Accept-Language"),
        user_agent: field(raw, "User-Agent"),
        accept_encoding: field(raw, "Accept-Encoding"),
        if_none_match: field(raw, "If-None-Match"),
        content_type: field(raw, "Content-Type"),
        authorization: field(raw, "Authorization"),
        idempotency_key: field(raw, "Idempotency-Key"),
        body,
        client,
        id,
    })
}

/// The workers' threads; told to end when this is dropped.
struct Workers {
    desk: Arc<Desk>,
    started: usize,
    /// Disconnects when the last has ended.
    ended: Receiver<()>,
}

impl Workers {
    fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        desk: &Arc<Desk>,
        count: usize,
        handler: &'scope Handler<'scope>,
    ) -> Result<Self, WebError> {
        // Nothing is ever sent on it.
        let (alive, ended) = bounded(0);
        let mut workers = Self { desk: Arc::clone(desk), started: 0, ended };
        for index in 0..count {
            workers.start_one(scope, index, alive.clone(), handler).map_err(WebError::Thread)?;
        }
        Ok(workers)
    }

    fn start_one<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        index: usize,
        alive: Sender<()>,
        handler: &'scope Handler<'scope>,
    ) -> io::Result<()> {
        let desk = Arc::clone(&self.desk);
        spawn_named(scope, &format!("web-{index}"), move |_permit| {
            desk.work(handler);
            drop(desk);
            drop(alive);
        })?;
        self.started += 1;
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.desk.ending.store(true, Ordering::SeqCst);
        for _ in 0..self.started {
            self.desk.server.unblock();
        }
    }
}

/// All that has to end, in order.
struct Supervised {
    gate: Arc<Gate>,
    connections: Receiver<()>,
    workers: Workers,
    desk: Arc<Desk>,
}

impl Supervised {
    /// Waits for `stop`; then requests under way may finish, then the rest is cut off, then the
    /// workers end.
    fn run(self, stop: &Stop, stop_ms: u64) -> Result<(), WebError> {
        while !stop.wait(Duration::from_hours(1)) {}
        if !self.gate.has_workers() {
            self.desk.failure.raise(WebError::Lost);
        }
        log::info!("web server stopping");
        let clock = Clock::system();
        let end = clock.mono().plus_ms(stop_ms);
        let cut = clock.mono().plus_ms(stop_ms.saturating_sub(WEB_STOP_GRACE_MS));
        self.gate.close();
        has_ended(&self.connections, &clock, cut);
        self.gate.abort();
        let mut is_over = has_ended(&self.connections, &clock, end);
        let workers_ended = self.workers.ended.clone();
        drop(self.workers);
        is_over &= has_ended(&workers_ended, &clock, end);
        if !is_over {
            log::error!("requests still run after the time to stop");
            self.desk.failure.raise(WebError::Stuck);
        }
        log::info!("web server stopped");
        self.desk.failure.first.lock().take().map_or(Ok(()), Err)
    }
}

/// Whether all holders of the other side have ended by `by`.
fn has_ended(threads: &Receiver<()>, clock: &Clock, by: Mono) -> bool {
    let outcome = threads.recv_timeout(by.left(clock.mono()));
    matches!(outcome, Err(RecvTimeoutError::Disconnected))
}
