//! Threads and connections to the other backends.
//!
//! A handler hands its message to a peer's bounded queue and waits on a channel of its own, never on
//! a socket. Each peer has `limits::LINKS_PER_PEER` threads with one blocking connection each, which
//! take messages from the queue, and one more that pings. A peer that hangs blocks its own threads
//! only; when its queue is full the oldest message is dropped, and catch-up repairs what was missed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::Cluster;
use crate::clock::Mono;
use crate::id::NodeId;
use crate::limits::{
    FRAME_BYTES_MAX, FRAME_BYTES_PER_MS_MIN, LINK_QUEUE, LINKS_PER_PEER, PEER_ANSWER_MS,
    PEER_FETCH_MS, PING_MS, REQUEST_BYTES_MAX,
};
use crate::thread::Stop;
use crate::transport::connection::{Connection, dial};
use crate::transport::key::Keys;
use crate::transport::{Role, TransportError};
use crate::wire::message::{Answer, Envelope, Message, Reject, Welcome};

/// The way to every peer.
pub struct Links {
    peers: BTreeMap<NodeId, Line>,
    keys: Keys,
}

struct Line {
    addr: String,
    jobs: (Sender<Job>, Receiver<Job>),
    /// Has the peer pinged at once.
    nudge: (Sender<()>, Receiver<()>),
}

/// A message on its way to a peer.
struct Job {
    message: Message,
    body: Arc<[u8]>,
    /// Where the answer goes; a message without one is a notice.
    asker: Option<Asker>,
    /// After this time nobody waits any more.
    until: Mono,
}

/// Who waits for an answer.
#[derive(Clone)]
pub struct Asker {
    /// Where it goes; bounded, with room for every answer that was asked for.
    pub answers: Sender<Heard>,
    /// Which of the asker's questions it belongs to.
    pub ticket: u64,
}

/// An answer, or the word that none will come.
pub struct Heard {
    /// From whom.
    pub from: NodeId,
    /// To which question.
    pub ticket: u64,
    /// What.
    pub answer: Option<(Answer, Vec<u8>)>,
}

impl Job {
    fn done(self, from: NodeId, answer: Option<(Answer, Vec<u8>)>) {
        if let Some(Asker { answers, ticket }) = self.asker {
            // The asker may have had its majority and gone: then nobody needs this answer.
            let _gone = answers.try_send(Heard { from, ticket, answer });
        }
    }
}

impl Links {
    /// Links to `peers` (this machine not among them); [`Cluster::run_links`] makes them work.
    pub fn new(peers: &[(NodeId, String)], keys: Keys) -> Self {
        // A full queue drops its oldest message: see `send`.
        // Two nudges at once are as good as one.
        let line = |addr: &String| Line {
            addr: addr.clone(),
            jobs: bounded(LINK_QUEUE),
            nudge: bounded(1),
        };
        Self { peers: peers.iter().map(|(node, addr)| (*node, line(addr))).collect(), keys }
    }

    /// Has a peer pinged now: it has just been heard of.
    pub fn nudge(&self, peer: NodeId) {
        if let Some(line) = self.peers.get(&peer) {
            let _nudged_already = line.nudge.0.try_send(());
        }
    }

    /// Hands a message to a peer's queue; `asker` hears the answer or that none will come.
    pub fn send(
        &self,
        to: NodeId,
        (message, body): (Message, Arc<[u8]>),
        asker: Option<Asker>,
        until: Mono,
    ) {
        let Some(line) = self.peers.get(&to) else { return };
        let mut job = Job { message, body, asker, until };
        for _ in 0..=LINK_QUEUE {
            match line.jobs.0.try_send(job) {
                Ok(()) => return,
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => job = back,
            }
            if let Ok(oldest) = line.jobs.1.try_recv() {
                oldest.done(to, None);
            }
        }
        job.done(to, None);
    }
}

impl Cluster {
    /// Spawns the threads of every link. They end when `stop` closes.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn run_links<'scope>(
        &'scope self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        stop: &Stop,
    ) -> std::io::Result<()> {
        for (&peer, line) in &self.links.peers {
            for number in 1..=LINKS_PER_PEER {
                let stop = stop.clone();
                let name = format!("link-{peer}-{number}");
                crate::thread::spawn_named(scope, &name, move |_permit| {
                    Link { cluster: self, peer, line, connection: None, sent: 0 }.run(&stop);
                })?;
            }
            let stop = stop.clone();
            crate::thread::spawn_named(scope, &format!("ping-{peer}"), move |_permit| {
                Link { cluster: self, peer, line, connection: None, sent: 0 }.ping(&stop);
            })?;
        }
        Ok(())
    }
}

/// How often a waiting link looks whether it should stop.
const LOOK_MS: u64 = 200;

/// One connection to a peer, and the thread that owns it.
struct Link<'a> {
    cluster: &'a Cluster,
    peer: NodeId,
    line: &'a Line,
    connection: Option<Connection>,
    sent: u64,
}

/// Why an exchange gave no answer.
enum NoAnswer {
    /// Refused or reset: the process is gone.
    Gone,
    /// Silent, or otherwise broken.
    Failed,
}

impl Link<'_> {
    fn run(&mut self, stop: &Stop) {
        while !stop.is_closed() {
            let Ok(job) = self.line.jobs.1.recv_timeout(Duration::from_millis(LOOK_MS)) else {
                continue;
            };
            let now = self.cluster.clock.mono();
            let is_stale = job.asker.is_some() && now >= job.until;
            if is_stale || !self.cluster.members.is_up(self.peer) {
                job.done(self.peer, None);
                continue;
            }
            let answer = match self.exchange(&job.message, &job.body, job.asker.is_some()) {
                Ok(answer) => answer,
                Err(NoAnswer::Gone) => {
                    self.cluster.peer_changed(self.peer, self.cluster.members.gone(self.peer));
                    None
                }
                Err(NoAnswer::Failed) => None,
            };
            job.done(self.peer, answer);
        }
    }

    fn ping(&mut self, stop: &Stop) {
        loop {
            let next = self.cluster.clock.mono().plus_ms(PING_MS);
            let health = Message::Ping(self.cluster.health());
            let change = match self.exchange(&health, &[], true) {
                Ok(Some((Answer::Pong(health), _))) => {
                    self.cluster.compare_sums(self.peer, &health);
                    self.cluster.members.answered(self.peer, health)
                }
                Ok(_) | Err(NoAnswer::Failed) => self.cluster.members.missed(self.peer),
                Err(NoAnswer::Gone) => self.cluster.members.gone(self.peer),
            };
            self.cluster.peer_changed(self.peer, change);
            let _nudged = self.line.nudge.1.recv_timeout(next.left(self.cluster.clock.mono()));
            if stop.is_closed() {
                return;
            }
        }
    }

    /// Sends one message and, if it is a question, waits for its answer. A connection that fails is
    /// dropped; one that had been idle may have been closed by the other side, so a fresh one is
    /// tried once.
    fn exchange(
        &mut self,
        message: &Message,
        body: &[u8],
        is_question: bool,
    ) -> Result<Option<(Answer, Vec<u8>)>, NoAnswer> {
        let was_connected = self.connection.is_some();
        match self.try_exchange(message, body, is_question) {
            Err(NoAnswer::Gone) if was_connected => self.try_exchange(message, body, is_question),
            result => result,
        }
    }

    fn try_exchange(
        &mut self,
        message: &Message,
        body: &[u8],
        is_question: bool,
    ) -> Result<Option<(Answer, Vec<u8>)>, NoAnswer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.dial()?,
        };
        self.sent += 1;
        let epoch = self.cluster.local.floors().epoch;
        let envelope = Envelope { epoch, number: self.sent, message };
        let Ok(header) = serde_json::to_vec(&envelope) else { return Err(NoAnswer::Failed) };
        // A ping that is late is as good as none.
        let timeout = Duration::from_millis(match message {
            Message::Ping(_) => PING_MS,
            // The whole file is read and checked before its first byte is sent.
            Message::Fetch { .. } => PEER_FETCH_MS,
            _ => PEER_ANSWER_MS,
        });
        let sending = timeout + travel_time(body.len());
        connection.send(&header, body, sending).map_err(|error| classify(&error))?;
        let mut answer = None;
        if is_question {
            let frame =
                connection.receive(FRAME_BYTES_MAX, timeout).map_err(|error| classify(&error))?;
            let envelope: Envelope<Answer> =
                serde_json::from_slice(&frame.header).map_err(|_| NoAnswer::Failed)?;
            if envelope.number != self.sent || envelope.epoch != epoch {
                return Err(NoAnswer::Failed);
            }
            answer = Some((envelope.message, frame.body));
        }
        self.connection = Some(connection);
        Ok(answer)
    }

    /// A fresh connection on which both sides have said who they are.
    fn dial(&self) -> Result<Connection, NoAnswer> {
        let timeout = Duration::from_millis(PING_MS);
        let mut connection = dial(&self.line.addr, Role::Peer, &self.cluster.links.keys, timeout)
            .map_err(|error| classify(&error))?;
        let hello = self.cluster.members.hello(&self.cluster.local.node);
        let Ok(header) = serde_json::to_vec(&hello) else { return Err(NoAnswer::Failed) };
        connection.send(&header, &[], timeout).map_err(|error| classify(&error))?;
        let frame =
            connection.receive(REQUEST_BYTES_MAX, timeout).map_err(|error| classify(&error))?;
        match serde_json::from_slice(&frame.header) {
            Ok(Welcome::Hello(hello)) if hello.node == self.peer => {
                match self.cluster.meet(&hello) {
                    Ok(()) => Ok(connection),
                    Err(_) => Err(NoAnswer::Failed),
                }
            }
            Ok(Welcome::Hello(_)) => {
                self.cluster.rejected(self.peer, &Reject::Members);
                Err(NoAnswer::Failed)
            }
            Ok(Welcome::Reject(why)) => {
                self.cluster.rejected(self.peer, &why);
                Err(NoAnswer::Failed)
            }
            Err(_) => Err(NoAnswer::Failed),
        }
    }
}

/// How long so many bytes may be under way on the slowest line.
pub(super) fn travel_time(bytes: usize) -> Duration {
    Duration::from_millis(bytes as u64 / FRAME_BYTES_PER_MS_MIN)
}

fn classify(error: &TransportError) -> NoAnswer {
    match error {
        TransportError::Refused { .. } | TransportError::Closed { .. } => NoAnswer::Gone,
        _ => NoAnswer::Failed,
    }
}

/// Numbers questions, so that an answer to an earlier one is not taken for one to the present.
#[derive(Debug, Default)]
pub struct Tickets(AtomicU64);

impl Tickets {
    /// A number not given before.
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}
