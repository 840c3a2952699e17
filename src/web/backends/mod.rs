//! How a web server asks backends: which one, on which connection, for how long, and what then.
//!
//! ```text
//! ask ─▶ order: the user's own backend first, suspected ones last
//!         └─▶ attempt: a pooled connection, else a fresh one; send; wait in slices
//!              ├─ answered ─▶ verdict: give it, or keep it and ask the next
//!              ├─ refused, gone meanwhile ─▶ the next
//!              └─ silent for all its time ─▶ the next; this one is taken to be stuck, however well it
//!                                            answers pings
//! ```
//! Every writing action carries a one-time key, so sending a request to the next backend can never do
//! it twice. Nothing is kept here but connections and suspicions: a web server holds no data.
//!
//! Threads: those that call [`Backends::ask`], and one `watch-N` a backend in [`Backends::watch`].

mod choice;
mod pool;
mod unsure;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use self::choice::Suspicion;
use self::pool::Pool;
use self::unsure::Unsure;
use self::verdict::Verdict;
pub(in crate::web) use self::verdict::is_write;
use super::ask::AskError;
use super::making::Making;
use crate::action::Action;
use crate::clock::{Clock, Mono};
use crate::id::{RequestId, UserName};
use crate::json;
use crate::limits::{
    ANSWER_SLICE_MS, ASK_MS, ATTEMPT_MS, ATTEMPT_SUSPECTED_MS, BESIDE_BYTES_MAX, BESIDE_MS_MAX,
    DIAL_MS, DIAL_SUSPECTED_MS, FRAME_BYTES_PER_MS_MIN, GATE_RETRY_AFTER_S, MAKING_BYTES_MIN,
    PING_MS, PING_ONLY_MS, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX,
};
use crate::thread::{Stop, spawn_vital};
use crate::transport::connection::dial;
use crate::transport::{Connection, Frame, Keys, Role, TransportError};
use crate::wire::request::{Outcome, Refusal, Request, Response};

/// The backends, as one web server knows them.
pub struct Backends {
    all: Vec<Backend>,
    keys: Keys,
    clock: Clock,
    /// Counts requests that are about nobody: they take turns.
    turn: AtomicUsize,
    making: Arc<Making>,
    unsure: Unsure,
}

/// A request on its way.
#[derive(Clone, Copy)]
struct Sent<'a> {
    header: &'a [u8],
    beside: &'a [u8],
    is_write: bool,
}

/// One of them.
struct Backend {
    addr: String,
    pool: Pool,
    suspicion: Mutex<Suspicion>,
}

/// Why a connection gave no answer. The backend may have received the request.
enum Lost {
    /// The connection ended before an answer was complete.
    Broken,
    /// No answer in all the time that there was.
    Silent,
    /// None that makes sense, or none to be hoped for.
    Failed,
}

impl Backends {
    /// The backends at these addresses, `HOST:PORT` each.
    pub fn new(addrs: Vec<String>, keys: Keys, clock: Clock) -> Self {
        let backend = |addr| Backend { addr, pool: Pool::default(), suspicion: Mutex::default() };
        let all = addrs.into_iter().map(backend).collect();
        let (turn, making, unsure) = (AtomicUsize::new(0), Arc::default(), Unsure::default());
        Self { all, keys, clock, turn, making, unsure }
    }

    /// The same, whose answers are made in turns with others'.
    #[must_use]
    pub fn in_turns(self, making: Arc<Making>) -> Self {
        Self { making, ..self }
    }

    /// Sends to the backend that rendezvous hashing on `about` names, the next one when that fails; to
    /// each in turn when the request is about nobody. Takes [`ASK_MS`] at most, and a moment.
    ///
    /// # Errors
    /// [`AskError::Unreachable`].
    pub fn ask(&self, about: Option<&UserName>, request: &Request) -> Result<Response, AskError> {
        self.ask_beside(about, request, &[]).map(|(response, _)| response)
    }

    /// As [`Self::ask`], with bytes beside the request, and those beside the answer.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn ask_beside(
        &self,
        about: Option<&UserName>,
        request: &Request,
        beside: &[u8],
    ) -> Result<(Response, Vec<u8>), AskError> {
        let was_sent = self.unsure.holds(&request.action);
        let verdict = Verdict::new(&request.action).sent_before(was_sent);
        let answer = self.ask_all(about, (request, beside), verdict);
        let heard = answer.as_ref().map(|(response, _)| response);
        self.unsure.heard(&request.action, heard.map_err(|error| *error));
        answer
    }

    /// Whether something was sent under this number of which nobody knows what became.
    pub fn is_unsure(&self, id: &RequestId) -> bool {
        self.unsure.holds_any(id)
    }

    fn ask_all(
        &self,
        about: Option<&UserName>,
        (request, beside): (&Request, &[u8]),
        mut verdict: Verdict,
    ) -> Result<(Response, Vec<u8>), AskError> {
        let bytes = encode(request);
        if bytes.len() > REQUEST_BYTES_MAX || beside.len() > BESIDE_BYTES_MAX {
            // Backends would hang up on it, each in turn.
            log::error!(bytes = bytes.len(); "request too long to send");
            return verdict.conclude().map(|response| (response, Vec::new()));
        }
        let sent = Sent { header: &bytes, beside, is_write: is_write(&request.action) };
        // Nobody stands in others' way while a backend takes its time.
        self.making.end();
        let deadline = self.clock.mono().plus_ms(ASK_MS + travel_ms(beside));
        let mut kept_beside = Vec::new();
        for backend in self.in_order(about) {
            if self.clock.mono() >= deadline {
                break;
            }
            if backend.is_suspected(self.clock.mono()) && !verdict.needs_suspected() {
                continue;
            }
            match self.attempt(backend, sent, deadline) {
                Ok((response, beside)) => {
                    if let Some(answer) = verdict.heard(response) {
                        return Ok((answer, beside));
                    }
                    // Of answers that may be old the first is kept, and only a picture's has something beside it.
                    if kept_beside.is_empty() {
                        kept_beside = beside;
                    }
                }
                Err(AskError::Unreachable { asked: true }) => verdict.unanswered(),
                Err(AskError::Unreachable { asked: false }) => {}
            }
        }
        verdict.conclude().map(|response| (response, kept_beside))
    }

    fn in_order(&self, about: Option<&UserName>) -> impl Iterator<Item = &Backend> {
        let turn = self.turn.fetch_add(usize::from(about.is_none()), Ordering::Relaxed);
        let now = self.clock.mono();
        let known: Vec<_> =
            self.all.iter().map(|each| (each.addr.as_str(), each.is_suspected(now))).collect();
        let order = choice::order(&known, about, turn);
        order.into_iter().filter_map(|index| self.all.get(index))
    }

    /// Asks one backend, on a pooled connection if there is one. That may have ended unnoticed: then
    /// once more on a fresh one.
    fn attempt(
        &self,
        backend: &Backend,
        sent: Sent<'_>,
        deadline: Mono,
    ) -> Result<(Response, Vec<u8>), AskError> {
        let now = self.clock.mono();
        let (is_trial, is_suspected) = (backend.tries(now), backend.is_suspected(now));
        let (dial_ms, answer_ms) = if is_suspected {
            (DIAL_SUSPECTED_MS, ATTEMPT_SUSPECTED_MS)
        } else {
            (DIAL_MS, ATTEMPT_MS)
        };
        let attempt_ms = answer_ms + travel_ms(sent.beside);
        // Silence says something of who had all the time there may be, for what takes none to send; and
        // where there is another to ask.
        let is_fair = now.plus_ms(attempt_ms) <= deadline && sent.beside.is_empty();
        let finds_out = is_fair && (is_trial || !is_suspected) && self.all.len() > 1;
        let deadline = deadline.min(now.plus_ms(attempt_ms));
        let exchange = |connection| {
            self.exchange(backend, connection, sent, deadline).inspect_err(|lost| {
                if finds_out && matches!(lost, Lost::Silent) {
                    backend.ran_out(self.clock.mono());
                }
            })
        };
        let mut asked = false;
        if let Some(pooled) = backend.pool.take() {
            match exchange(pooled) {
                Ok(response) => return Ok(response),
                Err(Lost::Silent | Lost::Failed) => {
                    return Err(AskError::Unreachable { asked: true });
                }
                Err(Lost::Broken) => asked = true,
            }
        }
        let timeout = Duration::from_millis(dial_ms).min(deadline.left(self.clock.mono()));
        match dial(&backend.addr, Role::Web, &self.keys, timeout) {
            Ok(fresh) => exchange(fresh).map_err(|_lost| AskError::Unreachable { asked: true }),
            Err(error) => {
                backend.not_dialled(&error);
                Err(AskError::Unreachable { asked })
            }
        }
    }

    /// Sends, and waits in slices: when the backend turns out to be gone meanwhile, waiting is in vain.
    fn exchange(
        &self,
        backend: &Backend,
        mut connection: Connection,
        sent: Sent<'_>,
        deadline: Mono,
    ) -> Result<(Response, Vec<u8>), Lost> {
        let was_gone = backend.is_gone();
        let left = || deadline.left(self.clock.mono());
        if let Err(error) = connection.send(sent.header, sent.beside, left()) {
            return Err(backend.lost("request", &error));
        }
        loop {
            let slice = Duration::from_millis(ANSWER_SLICE_MS).min(left());
            match connection.receive(RESPONSE_BYTES_MAX, slice) {
                Ok(frame) => {
                    let response = self.read(backend, frame, sent.is_write)?;
                    backend.answered();
                    backend.pool.put(connection, self.clock.mono());
                    return Ok(response);
                }
                Err(TransportError::Idle) => {
                    if left().is_zero() {
                        return Err(Lost::Silent);
                    }
                    if !was_gone && backend.is_gone() {
                        return Err(Lost::Failed);
                    }
                }
                Err(error) => return Err(backend.lost("answer", &error)),
            }
        }
    }

    /// What a backend told, once it is this thread's turn to make something of it. What was written is told at
    /// once: that is short, and must not be told as if nothing had been done.
    fn read(
        &self,
        backend: &Backend,
        Frame { header, body }: Frame,
        is_write: bool,
    ) -> Result<(Response, Vec<u8>), Lost> {
        let is_short = header.len() + body.len() < MAKING_BYTES_MIN;
        let has_turn = is_write || is_short || self.making.begin();
        let mut response = backend.decode(&header).ok_or(Lost::Failed)?;
        if has_turn {
            return Ok((response, body));
        }
        log::debug!(backend = backend.addr; "too many answers in the making");
        let busy = Refusal::Busy { retry_after_s: GATE_RETRY_AFTER_S };
        response.data.outcome = Outcome::Refused(busy);
        Ok((response, Vec::new()))
    }

    /// Pings every backend each [`PING_MS`], an only one each [`PING_ONLY_MS`], until `stop` closes, on a connection and a thread `watch-N`
    /// of its own, and ends connections that lie idle.
    pub fn watch(&self, stop: &Stop) {
        std::thread::scope(|scope| {
            for (number, backend) in (1_u32..).zip(&self.all) {
                let watch = move |_permit| self.watch_one(backend, stop);
                let name = format!("watch-{number}");
                if let Err(error) = spawn_vital(scope, stop, &name, watch) {
                    // Refused connections are noticed without it, silence costs time-outs.
                    log::error!(backend:% = backend.addr, error:%; "backend is not watched");
                }
            }
        });
    }

    fn watch_one(&self, backend: &Backend, stop: &Stop) {
        let ping = encode(&Request {
            session: None,
            read_to: None,
            need: None,
            action: Action::CheckSession,
        });
        let mut pinger = None;
        let every_ms = if self.all.len() == 1 { PING_ONLY_MS } else { PING_MS };
        while !stop.is_closed() {
            let next = self.clock.mono().plus_ms(every_ms);
            match self.ping(backend, &mut pinger, &ping, (next, stop)) {
                Ok(()) => backend.pinged(),
                Err(_) if stop.is_closed() => return,
                Err(error) => {
                    if is_gone(&error) {
                        backend.not_dialled(&error);
                    } else {
                        backend.missed();
                    }
                    // Once it is suspected the way there may have changed: a fresh connection finds out.
                    if !matches!(error, TransportError::Idle) || backend.is_gone() {
                        pinger = None;
                    }
                }
            }
            backend.pool.sweep(self.clock.mono());
            stop.wait(next.left(self.clock.mono()));
        }
    }

    /// Waits for any answer until the time of the next ping. One is under way at a time: a slow
    /// backend is not to get a queue of them.
    fn ping(
        &self,
        backend: &Backend,
        pinger: &mut Option<Pinger>,
        ping: &[u8],
        (next, stop): (Mono, &Stop),
    ) -> Result<(), TransportError> {
        // The backend may have ended the connection, and be there all the same.
        if pinger.as_ref().is_some_and(|pinger| !pinger.is_waiting && !pinger.connection.is_quiet())
        {
            *pinger = None;
        }
        let pinger = if let Some(pinger) = pinger {
            pinger
        } else {
            let timeout = Duration::from_millis(DIAL_MS);
            let connection = dial(&backend.addr, Role::Web, &self.keys, timeout)?;
            pinger.insert(Pinger { connection, is_waiting: false })
        };
        if !pinger.is_waiting {
            pinger.is_waiting = true;
            pinger.connection.send(ping, &[], Duration::from_millis(PING_MS))?;
        }
        loop {
            let left = next.left(self.clock.mono());
            let slice = Duration::from_millis(ANSWER_SLICE_MS).min(left);
            match pinger.connection.receive(RESPONSE_BYTES_MAX, slice) {
                Ok(_any_answer) => {
                    pinger.is_waiting = false;
                    return Ok(());
                }
                Err(TransportError::Idle) if !left.is_zero() && !stop.is_closed() => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// How long what goes beside a request may be under way: to a backend, and from there to others.
fn travel_ms(beside: &[u8]) -> u64 {
    (2 * beside.len() as u64 / FRAME_BYTES_PER_MS_MIN).min(BESIDE_MS_MAX)
}

/// The connection that pings go over.
struct Pinger {
    connection: Connection,
    /// A ping was sent and not answered yet.
    is_waiting: bool,
}

impl Backend {
    fn is_suspected(&self, now: Mono) -> bool {
        self.suspicion.lock().is_suspected(now)
    }

    fn is_gone(&self) -> bool {
        self.suspicion.lock().is_gone()
    }

    fn tries(&self, now: Mono) -> bool {
        self.suspicion.lock().tries(now)
    }

    fn ran_out(&self, now: Mono) {
        if self.suspicion.lock().ran_out(now) {
            self.suspected("it took a request and did not answer it");
        }
    }

    fn pinged(&self) {
        if self.suspicion.lock().pinged() {
            log::info!(backend:% = self.addr; "backend answers again");
        }
    }

    fn answered(&self) {
        if self.suspicion.lock().answered() {
            log::info!(backend:% = self.addr; "backend answers again");
        }
    }

    fn missed(&self) {
        if self.suspicion.lock().missed() {
            self.suspected("it does not answer");
        }
    }

    /// A connection for a request could not be made. One that got no answer for as long as that counts
    /// as well: until the pings have decided, each request would wait for it anew.
    fn not_dialled(&self, error: &TransportError) {
        let is_silent = matches!(error, TransportError::TimedOut { .. });
        if is_silent && self.is_gone() {
            // It is no proof, so it takes no proof's place.
            return;
        }
        let why = error.to_string();
        if (is_silent || is_gone(error)) && self.suspicion.lock().refused(&why) {
            self.suspected(&why);
        }
    }

    fn suspected(&self, reason: &str) {
        self.pool.clear();
        log::warn!(backend:% = self.addr, reason:%; "backend suspected");
    }

    fn lost(&self, what: &str, error: &TransportError) -> Lost {
        log::debug!(backend:% = self.addr, during:% = what, error:%; "backend failed");
        match error {
            TransportError::Closed { .. } | TransportError::Io { .. } => Lost::Broken,
            _ => Lost::Failed,
        }
    }

    fn decode(&self, header: &[u8]) -> Option<Response> {
        match json::parse(header) {
            Ok(response) => Some(response),
            Err(error) => {
                // Where it went wrong, not what stood there: that may be secret.
                let (line, column) = (error.line(), error.column());
                log::warn!(backend:% = self.addr, line, column; "answer makes no sense");
                None
            }
        }
    }
}

/// Whether an error proves that the backend cannot be used. Silence does not, pings decide; nor does
/// trouble of this machine's own, such as having no descriptor left.
const fn is_gone(error: &TransportError) -> bool {
    match error {
        TransportError::Refused { .. }
        | TransportError::Handshake { .. }
        | TransportError::Closed { .. }
        | TransportError::TooLarge { .. }
        | TransportError::Malformed { .. } => true,
        TransportError::Io { .. }
        | TransportError::InUse { .. }
        | TransportError::TimedOut { .. }
        | TransportError::Idle => false,
    }
}

#[expect(clippy::expect_used, reason = "no map with keys that are not strings, no failing writer")]
fn encode(request: &Request) -> Vec<u8> {
    serde_json::to_vec(request).expect("a request always has a JSON form")
}

#[cfg(test)]
mod tests;
