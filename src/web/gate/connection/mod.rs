//! One browser's connection: requests read whole, passed on, answered, one after the other.

pub(super) mod stream;

use std::mem;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Mono;
use crate::limits::{
    BODY_BYTES_MAX, GATE_DRAIN_BYTES_MAX, GATE_PARTS_MAX, GATE_UPLOAD_ANSWER_MS,
    GATE_UPLOAD_MS_MAX, UPLOAD_LOOK_MS, UPLOAD_MAPPING_BYTES,
};
use crate::metrics;
use crate::web::label::label;
use crate::web::origin::Origin;
use crate::web::request::{Method, is_for_apps};
use crate::web::route::hashes_password;
use crate::web::words::Lang;

use super::client::{Turn, client_of, household};
use super::deadline::{Ended, close_gently, read_more, write_all};
use super::head::{self, Head, Scan};
use super::lending::Wanting;
use super::refusal::{Framing, Reader, Refusal, to_bytes};
use super::slots::Peer;
use super::upload::{Upload, may_upload, sender};
use super::upstream::{Answer, Exchange, Next};
use super::{CLIENT_HEADER, Gate, ID_HEADER, NEXT_HEADER};

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// What stands for the route of a request that the gate refused.
const REFUSED: &str = "gate";
/// Characters of a path that the log shows.
const LOGGED_PATH_CHARS: usize = 200;

/// Serves a connection until either side ends it.
pub(super) fn serve(gate: &Gate, peer: &Arc<Peer>) {
    let mut browser = Browser {
        gate,
        peer,
        client: peer.address,
        buf: Vec::new(),
        is_head_only: false,
        told: Reader::People(&Lang::ALL),
    };
    let mut is_first = true;
    loop {
        match browser.next_request(is_first) {
            Ok(request) => {
                if !browser.answer(request) {
                    return;
                }
                is_first = false;
            }
            Err(End::Gone) => return,
            Err(End::Refused(refusal)) => return browser.refuse(refusal, &gate.new_id()),
            Err(End::Answered(answer)) => return browser.turn_away(answer),
        }
    }
}

struct Browser<'a> {
    gate: &'a Gate,
    peer: &'a Arc<Peer>,
    /// Who asked last: behind a trusted proxy another than the peer.
    client: IpAddr,
    /// What was read and not used yet.
    buf: Vec<u8>,
    /// Whether the request under way is a HEAD, so that every answer to it goes without its body.
    is_head_only: bool,
    /// Whom to refuse, and in what.
    told: Reader,
}

/// A request that was read to its last byte.
struct Whole<'a> {
    head: Head,
    body: Vec<u8>,
    client: IpAddr,
    id: String,
    begun: Mono,
    upload: Option<Upload<'a>>,
    _turn: Option<Turn<'a>>,
}

/// Why there is no answer.
enum Unanswered<'a> {
    /// All workers have work.
    Busy,
    /// It has not come in time; it still will.
    Late(Exchange<'a>),
    /// Nothing will come.
    Failed,
}

/// Why no request comes of a connection any more.
enum End {
    /// Nobody is there to be told, or nothing was asked.
    Gone,
    Refused(Refusal),
    /// By a worker, before its body was read.
    Answered(Answer),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// In the middle of a request.
impl From<Ended> for End {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Closed => Refusal::Malformed("ends too early").into(),
            Ended::Late => Refusal::Slow.into(),
            Ended::Failed(_) => Self::Gone,
        }
    }
}

impl<'a> Browser<'a> {
    fn next_request(&mut self, is_first: bool) -> Result<Whole<'a>, End> {
        let (gate, peer) = (self.gate, self.peer);
        self.wait(is_first)?;
        let begun = gate.clock.mono();
        let head = self.read_head(begun.plus_ms(gate.limits.head_ms))?;
        let is_own = gate.origin.allows_host(&head.host)
            || Origin::of_listener(peer.local).allows_host(&head.host);
        if !is_own {
            return Err(Refusal::Host.into());
        }
        let is_proxy = gate.trusted_proxies.contains(&peer.address);
        if !is_proxy && !head.forwarded_for.is_empty() {
            gate.warn_of_proxy(peer.address);
        }
        let client = client_of(peer.address, &gate.trusted_proxies, &head.forwarded_for);
        self.client = client;
        let turn = if is_proxy && client != peer.address {
            let turn = gate.turns.begin(client, gate.limits.address_connections);
            Some(turn.ok_or(Refusal::Full)?)
        } else {
            None
        };
        let id = gate.new_id();
        let mut request =
            Whole { head, body: Vec::new(), client, id, begun, upload: None, _turn: turn };
        let mut by = begun.plus_ms(gate.limits.request_ms);
        if request.head.body_bytes > BODY_BYTES_MAX {
            request.upload = Some(self.admit_upload(&mut request)?);
            by = gate.clock.mono().plus_ms(GATE_UPLOAD_MS_MAX);
        }
        request.body = self.read_body(&request.head, request.upload.as_ref(), by)?;
        if !request.head.method.is_write() {
            request.body = Vec::new();
        }
        Ok(request)
    }

    /// Lets in a form with pictures, if a worker says that it comes from a member, once there are not too
    /// many others.
    fn admit_upload(&self, request: &mut Whole<'a>) -> Result<Upload<'a>, End> {
        let asks = may_upload(&request.head.target).ok_or(Refusal::BodyTooLarge)?;
        let method = mem::replace(&mut request.head.method, Method::Get);
        let asked = self.ask(request, asks, Vec::new());
        request.head.method = method;
        match asked {
            Ok(answer) if answer.is_ours && answer.status == 200 => {
                let prefix = self.gate.origin.cookie_prefix();
                let sender = sender(&request.head, prefix).ok_or(Refusal::Stranger)?;
                let upload = self.gate.uploads.begin(&sender, &self.gate.stopping);
                Ok(upload.ok_or(Refusal::Uploads)?)
            }
            // What an app is told says what it must do.
            Ok(answer) if answer.is_ours && is_for_apps(asks) => Err(End::Answered(answer)),
            Ok(answer) if answer.is_ours && answer.status == 403 => Err(Refusal::Stranger.into()),
            Ok(_) | Err(Unanswered::Busy | Unanswered::Failed) => Err(Refusal::Busy.into()),
            Err(Unanswered::Late(exchange)) => {
                self.settle(exchange);
                Err(Refusal::Busy.into())
            }
        }
    }

    /// Waits for a request's first byte.
    fn wait(&mut self, is_first: bool) -> Result<(), End> {
        let gate = self.gate;
        let now = gate.clock.mono();
        if !self.buf.is_empty() {
            return Ok(());
        }
        if !is_first {
            self.peer.set_idle(now);
        }
        // Looked at after becoming idle: whoever stops the gate sets this first and drops the
        // idle ones then, so that one of the two notices the other.
        if gate.is_stopping() {
            return Err(End::Gone);
        }
        let ms = if is_first { gate.limits.head_ms } else { gate.limits.idle_ms };
        let read = read_more(&self.peer.socket, &mut self.buf, &gate.clock, Some(now.plus_ms(ms)));
        if read.is_err() || !self.peer.set_busy() {
            return Err(End::Gone);
        }
        Ok(())
    }

    fn read_head(&mut self, by: Mono) -> Result<Head, End> {
        let found = self.find_head(by);
        let read = found.as_ref().unwrap_or(&self.buf);
        self.told = Reader::of(read, self.gate.origin.cookie_prefix());
        Ok(head::parse(&found?)?)
    }

    fn find_head(&mut self, by: Mono) -> Result<Vec<u8>, End> {
        let mut scan = Scan::default();
        loop {
            self.is_head_only = self.buf.starts_with(b"HEAD ");
            if let Some(end) = scan.find_end(&self.buf)? {
                let rest = self.buf.split_off(end);
                return Ok(mem::replace(&mut self.buf, rest));
            }
            self.read_part(by)?;
        }
    }

    fn read_body(
        &mut self,
        head: &Head,
        upload: Option<&Upload<'_>>,
        by: Mono,
    ) -> Result<Vec<u8>, End> {
        if head.expects_continue && self.buf.len() < head.body_bytes {
            write_all(&self.peer.socket, CONTINUE, &self.gate.clock, by).map_err(|_| End::Gone)?;
        }
        let room = if upload.is_some() { UPLOAD_MAPPING_BYTES } else { head.body_bytes };
        self.buf.reserve_exact(room.saturating_sub(self.buf.len()));
        let begun = self.gate.clock.mono();
        while self.buf.len() < head.body_bytes {
            match upload {
                Some(upload) => self.read_of_upload(upload, begun, by)?,
                None => self.read_part(by)?,
            }
        }
        let rest = self.buf.split_off(head.body_bytes);
        Ok(mem::replace(&mut self.buf, rest))
    }

    /// Reads on in an upload for a moment, unless it has to give way to others.
    fn read_of_upload(&mut self, upload: &Upload<'_>, begun: Mono, by: Mono) -> Result<(), End> {
        let clock = &self.gate.clock;
        let now = clock.mono();
        if upload.gives_way(self.buf.len(), now.since_ms(begun)) {
            return Err(Refusal::Slow.into());
        }
        let look = now.plus_ms(UPLOAD_LOOK_MS).min(by);
        match read_more(&self.peer.socket, &mut self.buf, clock, Some(look)) {
            Err(Ended::Late) if look < by => Ok(()),
            read => read.map_err(End::from),
        }
    }

    /// Reads on in the middle of a request.
    fn read_part(&mut self, by: Mono) -> Result<(), End> {
        let read = read_more(&self.peer.socket, &mut self.buf, &self.gate.clock, Some(by));
        read.map_err(End::from)
    }

    /// Answers a request; true if the connection may be used again.
    fn answer(&mut self, mut request: Whole<'_>) -> bool {
        let was_write = request.head.method.is_write();
        let upload =
            if request.upload.is_some() { mem::take(&mut request.body) } else { Vec::new() };
        let asked = self.ask(&request, &request.head.target, upload);
        // Nobody needs it any more, and the browser may take long to take its answer.
        request.body = Vec::new();
        match asked {
            Ok(answer) => {
                self.log(&request, &answer);
                self.pass_back(answer, &request)
            }
            Err(Unanswered::Busy) => {
                let keeps = self.keeps(&request);
                let connection = if keeps { "keep-alive" } else { "close" };
                self.say(Refusal::Busy, &request.id, connection) && keeps
            }
            Err(Unanswered::Late(exchange)) => {
                self.refuse(Refusal::Late { was_write }, &request.id);
                self.settle(exchange);
                false
            }
            Err(Unanswered::Failed) => {
                self.refuse(Refusal::Failed { was_write }, &request.id);
                false
            }
        }
    }

    /// Has a worker answer. None is held after that, while the browser reads. A body of an upload goes
    /// as soon as the worker has it: what is made of its pictures takes memory of its own.
    fn ask(
        &self,
        request: &Whole<'_>,
        target: &str,
        upload: Vec<u8>,
    ) -> Result<Answer, Unanswered<'a>> {
        let gate = self.gate;
        let hashes = request.head.method.is_write() && hashes_password(target);
        let who = Wanting { household: household(request.client), hashes };
        let wait_ms = if hashes { gate.limits.hash_wait_ms } else { gate.limits.worker_wait_ms };
        let lent = gate.upstream.lend(who, wait_ms, self.is_head_only);
        let mut exchange = lent.ok_or(Unanswered::Busy)?;
        let has_upload = !upload.is_empty();
        let ms = if has_upload { GATE_UPLOAD_ANSWER_MS } else { gate.limits.answer_ms };
        let by = gate.clock.mono().plus_ms(ms);
        let mut sent = exchange.ask(&clean(request, target, upload.len()), &gate.clock, by);
        if has_upload && sent.is_ok() {
            sent = exchange.ask(&upload, &gate.clock, by);
        }
        drop(upload);
        let asked = sent.map_err(|ended| match ended {
            // Half a request was sent: what comes now is of no use, however long we wait.
            Ended::Late => Ended::Closed,
            other => other,
        });
        match asked.and_then(|()| exchange.answer(&gate.clock, Some(by))) {
            Ok(answer) => {
                drop(exchange);
                gate.check_upstream();
                Ok(answer)
            }
            Err(Ended::Late) => {
                log::warn!(request:% = request.id; "worker too slow");
                Err(Unanswered::Late(exchange))
            }
            Err(ended) => {
                drop(exchange);
                gate.lost_upstream(&ended);
                Err(Unanswered::Failed)
            }
        }
    }

    /// Waits for an answer that nobody wants any more, so that its connection can be lent again.
    fn settle(&self, mut exchange: Exchange<'_>) {
        let outcome = exchange.answer(&self.gate.clock, None);
        drop(exchange);
        if let Err(ended) = outcome {
            self.gate.lost_upstream(&ended);
        }
    }

    /// The same where no answer may come at all.
    fn settle_late(&self, unanswered: Unanswered<'_>) {
        if let Unanswered::Late(exchange) = unanswered {
            self.settle(exchange);
        }
    }

    /// Whether the connection stays open after this request: decided as late as can be, so that a
    /// server that stops says so in its last answers.
    fn keeps(&self, request: &Whole<'_>) -> bool {
        request.head.keeps_alive && !self.gate.is_stopping()
    }

    fn pass_back(&self, mut answer: Answer, request: &Whole<'_>) -> bool {
        if !answer.is_ours {
            let was_write = request.head.method.is_write();
            self.refuse(Refusal::Failed { was_write }, &request.id);
            return false;
        }
        match answer.next.take() {
            None => {}
            Some(Next { target, pause_ms: None, .. }) => {
                return self.pass_parts(answer, request, target);
            }
            Some(next) => {
                self.pass_stream(answer, request, next);
                return false;
            }
        }
        let keeps = self.keeps(request);
        if answer.status == 304 {
            // It would have to be that of the page itself, which nobody has compressed.
            answer.remove_field("Content-Length");
        }
        answer.add_field(match (keeps, request.head.is_http10) {
            (true, false) => "",
            (true, true) => "Connection: keep-alive\r\n",
            (false, _) => "Connection: close\r\n",
        });
        let is_written = self.write(&answer.bytes);
        if is_written && !keeps {
            self.close();
        }
        is_written && keeps
    }

    /// Passes on an answer that comes in parts, each asked for once the browser has taken the one
    /// before: neither the whole of it nor a worker is ever held. One that breaks off is cut off
    /// without its end, so that the browser knows.
    fn pass_parts(&self, mut answer: Answer, request: &Whole<'_>, next: String) -> bool {
        let is_chunked = !request.head.is_http10;
        let keeps = is_chunked && self.keeps(request);
        answer.remove_field("Content-Length");
        answer.remove_field(NEXT_HEADER);
        answer.add_field(if is_chunked { "Transfer-Encoding: chunked\r\n" } else { "" });
        answer.add_field(if keeps { "" } else { "Connection: close\r\n" });
        let body = answer.bytes.split_off(answer.head_bytes);
        let mut is_sound = self.write(&answer.bytes);
        if is_sound && !self.is_head_only {
            is_sound = self.write_parts(body, request, next, is_chunked);
        }
        if is_sound && !keeps {
            self.close();
        }
        is_sound && keeps
    }

    fn write_parts(
        &self,
        first: Vec<u8>,
        request: &Whole<'_>,
        next: String,
        is_chunked: bool,
    ) -> bool {
        let (mut body, mut next) = (first, Some(next));
        for _ in 0..GATE_PARTS_MAX {
            if is_chunked {
                body = chunk(body);
            }
            if !self.write(&body) {
                return false;
            }
            let Some(target) = next else {
                return !is_chunked || self.write(b"0\r\n\r\n");
            };
            match self.ask(request, &target, Vec::new()) {
                Ok(mut answer) if answer.is_ours && answer.status == 200 => {
                    body = answer.bytes.split_off(answer.head_bytes);
                    next = answer.next.map(|next| next.target);
                }
                Ok(_) => break,
                Err(unanswered) => {
                    self.settle_late(unanswered);
                    break;
                }
            }
        }
        log::warn!(request:% = request.id; "answer in parts cut off");
        false
    }

    /// Says no and ends the connection.
    fn refuse(&self, refusal: Refusal, id: &str) {
        log::debug!(request:% = id, client:% = self.peer.address, reason:% = refusal; "request refused");
        if self.say(refusal, id, "close") {
            self.close();
        }
    }

    /// Passes on an answer to a request that nobody will read, and ends the connection.
    fn turn_away(&self, mut answer: Answer) {
        answer.add_field("Connection: close\r\n");
        if self.write(&answer.bytes) {
            self.close();
        }
    }

    fn say(&self, refusal: Refusal, id: &str, connection: &'static str) -> bool {
        self.gate.counters.count_refused();
        metrics::REQUESTS.count(REFUSED, refusal.status());
        let now = self.gate.clock.wall();
        let framing = Framing { now, connection, is_head_only: self.is_head_only };
        self.write(&to_bytes(&refusal.encode(id, &self.gate.origin, self.told), framing))
    }

    /// Writes an answer, giving a slow reader time by the size of it; false if it was not taken. Then
    /// the connection is reset, or the system would go on offering the rest for minutes.
    fn write(&self, bytes: &[u8]) -> bool {
        let gate = self.gate;
        let _untaken = gate.answers.hold(self.peer, household(self.client), bytes.len());
        let extra_s = bytes.len() / gate.limits.write_bytes_per_s.max(1);
        let extra_s = u64::try_from(extra_s).unwrap_or(u64::MAX);
        let ms = gate.limits.write_ms.saturating_add(extra_s.saturating_mul(1_000));
        let by = gate.clock.mono().plus_ms(ms);
        let is_taken = write_all(&self.peer.socket, bytes, &gate.clock, by).is_ok();
        if !is_taken {
            // Fails only where the connection has gone already.
            drop(self.peer.socket.set_linger(Some(Duration::ZERO)));
        }
        is_taken
    }

    fn close(&self) {
        let by = self.gate.clock.mono().plus_ms(self.gate.limits.drain_ms);
        close_gently(&self.peer.socket, &self.gate.clock, by, GATE_DRAIN_BYTES_MAX);
    }

    fn log(&self, request: &Whole<'_>, answer: &Answer) {
        self.gate.counters.count_request();
        let ms = self.gate.clock.mono().since_ms(request.begun);
        metrics::REQUEST_TIMES.observe(ms);
        // Another answer is given, and counted, in the place of one that is not ours.
        if answer.is_ours {
            metrics::REQUESTS.count(label(&request.head.target), answer.status);
        }
        let target = request.head.target.as_str();
        let path = target.split('?').next().unwrap_or_default();
        log::debug!(
            request:% = request.id,
            client:% = request.client,
            method:? = request.head.method,
            path:% = path.get(..LOGGED_PATH_CHARS).unwrap_or(path),
            status = answer.status,
            ms;
            "request answered"
        );
    }
}

/// A part of a body whose length nobody knows beforehand. An empty one would end it.
fn chunk(mut bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.is_empty() {
        let length = format!("{:x}\r\n", bytes.len());
        bytes.splice(0..0, length.into_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The request as `tiny_http` gets it: what we use, spelt in one way. An upload of so many bytes follows
/// by itself: a copy of it would be held meanwhile.
fn clean(request: &Whole<'_>, target: &str, upload_bytes: usize) -> Vec<u8> {
    let Head { method, passed, .. } = &request.head;
    let method = method.as_str();
    let body = request.body.as_slice();
    let (client, length) = (request.client.to_string(), (body.len() + upload_bytes).to_string());
    let own = [
        (CLIENT_HEADER, client.as_str()),
        (ID_HEADER, request.id.as_str()),
        ("Content-Length", length.as_str()),
    ];
    let mut text = String::with_capacity(1024 + body.len());
    for part in [method, " ", target, " HTTP/1.1\r\n"] {
        text.push_str(part);
    }
    let passed = passed.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in own.into_iter().chain(passed) {
        for part in [name, ": ", value, "\r\n"] {
            text.push_str(part);
        }
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
