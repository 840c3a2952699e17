//! Threads and connections to the other backends.
//!
//! A handler hands its message to a peer's bounded queue and waits on a channel of its own, never on
//! a socket. Each peer has `limits::LINKS_PER_PEER` threads with one blocking connection each, which
//! take messages from the queue, one more for pictures, and one more that pings. A peer that hangs blocks its own threads
//! only; when its queue is full the oldest message is dropped, and catch-up repairs what was missed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::RwLock;

use super::Cluster;
use super::config::Address;
use super::membership::Guest;
use super::peer::PeerError;
use crate::clock::Mono;
use crate::id::{NodeId, UserName};
use crate::json;
use crate::limits::{
    FRAME_BYTES_MAX, FRAME_BYTES_PER_MS_MIN, LINK_QUEUE, LINKS_PER_PEER, PASSED_ON_MS,
    PEER_ANSWER_MS, PEER_FETCH_MS, PICTURE_KEEP_MS, PING_MS, PING_SILENCE_MS, SEND_BUFFER_BYTES,
};
use crate::replica::barrier::Seat;
use crate::thread::{Stop, spawn_vital};
use crate::transport::TransportError;
use crate::transport::connection::Connection;
use crate::transport::key::Keys;
use crate::wire::message::{Answer, Envelope, Health, Message, PictureWant, Reject, Welcome};

/// The way to every peer; it changes with the list of members.
pub struct Links {
    lines: RwLock<Vec<Arc<Line>>>,
    pub(super) keys: Keys,
}

pub(super) struct Line {
    pub(super) to: Address,
    /// Whether it leads to a member; else to one of the list before.
    is_member: bool,
    /// Closed when this line is not needed any more.
    stop: Stop,
    /// A queue for each link, and one more for pictures. One user's messages always take the same one, so that they come in the
    /// order in which they were sent: a line that overtook the one before it would cost a whole file.
    jobs: Vec<(Sender<Job>, Receiver<Job>)>,
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
    /// The epoch that the asker began in: only answers of the same count. None where any will do.
    epoch: Option<u32>,
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
    /// No links yet; `Cluster::run_links` makes them.
    pub fn new(keys: Keys) -> Self {
        Self { lines: RwLock::default(), keys }
    }

    /// Has a peer pinged now: it has just been heard of.
    pub fn nudge(&self, peer: NodeId) {
        if let Some(line) = self.to_member(peer) {
            line.nudge();
        }
    }

    /// Has all peers pinged now: there is something to tell.
    pub fn nudge_all(&self) {
        self.lines.read().iter().for_each(|line| line.nudge());
    }

    fn to_member(&self, node: NodeId) -> Option<Arc<Line>> {
        let lines = self.lines.read();
        lines.iter().find(|line| line.is_member && line.to.node == node).map(Arc::clone)
    }

    /// Keeps the lines that lead to `members` and `former`, ends the others, and makes those that
    /// lack. The new ones.
    pub(super) fn set(&self, members: Vec<Address>, former: Vec<Address>) -> Vec<Arc<Line>> {
        let wanted = members.into_iter().map(|to| (to, true));
        let wanted: Vec<_> = wanted.chain(former.into_iter().map(|to| (to, false))).collect();
        let mut lines = self.lines.write();
        let mut kept = Vec::new();
        let mut fresh = Vec::new();
        for (to, is_member) in wanted {
            let known = lines.iter().find(|line| line.leads(&to) && line.is_member == is_member);
            let line = known.map_or_else(|| Arc::new(Line::new(to, is_member)), Arc::clone);
            if known.is_none() {
                fresh.push(Arc::clone(&line));
            }
            kept.push(line);
        }
        for line in lines.iter().filter(|old| !kept.iter().any(|new| Arc::ptr_eq(old, new))) {
            line.end();
        }
        *lines = kept;
        fresh
    }

    /// Has each of these lines served. One that cannot be is no line, so that it is made anew at the next
    /// look at the members.
    ///
    /// # Errors
    /// Why the last of them could not be.
    pub(super) fn serve(
        &self,
        lines: Vec<Arc<Line>>,
        mut serve: impl FnMut(&Arc<Line>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut served = Ok(());
        for line in lines {
            if let Err(error) = serve(&line) {
                self.lines.write().retain(|other| !Arc::ptr_eq(other, &line));
                line.end();
                served = Err(error);
            }
        }
        served
    }

    /// Hands a message to a peer's queue; `asker` hears the answer or that none will come.
    pub fn send(
        &self,
        to: NodeId,
        (message, body): (Message, Arc<[u8]>),
        asker: Option<Asker>,
        (until, epoch): (Mono, u32),
    ) {
        let job = Job { message, body, asker, until, epoch: Some(epoch) };
        match self.to_member(to) {
            Some(line) => line.take(job),
            None => job.done(to, None),
        }
    }

    /// Asks a machine of this list or the one before, whatever its epoch.
    pub fn send_across(&self, to: Seat, message: Message, asker: Asker, until: Mono) {
        let line = self.lines.read().iter().find(|line| line.is_to(to)).map(Arc::clone);
        let (body, asker) = (Arc::default(), Some(asker));
        let job = Job { message, body, asker, until, epoch: None };
        match line {
            Some(line) => line.take(job),
            None => job.done(to.node, None),
        }
    }
}

impl Line {
    fn new(to: Address, is_member: bool) -> Self {
        // A full queue drops its oldest message: see `take`.
        let jobs = (0..=LINKS_PER_PEER).map(|_| bounded(LINK_QUEUE)).collect();
        // Two nudges at once are as good as one.
        Self { to, is_member, stop: Stop::new(), jobs, nudge: bounded(1) }
    }

    /// Whether it leads there. A machine that was not met when the line was made is still the same.
    fn leads(&self, to: &Address) -> bool {
        let is_same = self.to.incarnation.is_none() || self.to.incarnation == to.incarnation;
        (self.to.node, &self.to.address) == (to.node, &to.address) && is_same
    }

    fn is_to(&self, seat: Seat) -> bool {
        let is_same = self.to.incarnation.is_none_or(|known| known == seat.incarnation);
        self.to.node == seat.node && is_same
    }

    fn nudge(&self) {
        let _nudged_already = self.nudge.0.try_send(());
    }

    fn end(&self) {
        self.stop.close();
        self.nudge();
        for (_, waiting) in &self.jobs {
            while let Ok(job) = waiting.try_recv() {
                job.done(self.to.node, None);
            }
        }
    }

    fn take(&self, mut job: Job) {
        let to = self.to.node;
        let lane = lane_for(&job.message);
        let Some((sender, waiting)) = self.jobs.get(lane) else { return job.done(to, None) };
        for _ in 0..=LINK_QUEUE {
            match sender.try_send(job) {
                Ok(()) => return,
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => job = back,
            }
            if let Ok(oldest) = waiting.try_recv() {
                oldest.done(to, None);
            }
        }
        job.done(to, None);
    }
}

impl Cluster {
    /// Spawns the threads of every link that lacks, and ends those that are not needed any more. All
    /// end when `stop` closes.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(super) fn run_links<'scope>(
        &'scope self,
        scope: &'scope std::thread::Scope<'scope, '_>,
    ) -> io::Result<()> {
        let (members, former) = self.local.node.config().others(self.local.node.seat());
        self.links.serve(self.links.set(members, former), |line| {
            let kind = if line.is_member { "link" } else { "former" };
            let link = |line: &Arc<Line>| Link {
                cluster: self,
                peer: line.to.node,
                line: Arc::clone(line),
                connection: None,
                sent: 0,
                proto: 0,
                unreached: None,
            };
            for (number, (_, jobs)) in (1..).zip(&line.jobs) {
                let name = format!("{kind}-{}-{number}", line.to.node);
                let (mut link, jobs) = (link(line), jobs.clone());
                spawn_vital(scope, &self.stop, &name, move |_permit| link.run(&jobs))?;
            }
            let mut link = link(line);
            let name = format!("ping-{}", line.to.node);
            spawn_vital(scope, &self.stop, &name, move |_permit| link.ping())?;
            Ok(())
        })
    }
}

#[cfg(test)]
impl Cluster {
    /// Makes the lines to all peers, without the threads that serve them: none of them says anything
    /// unless [`Self::say_of_picture`] does.
    pub(crate) fn have_silent_peers(&self) {
        let (members, former) = self.local.node.config().others(self.local.node.seat());
        self.links.set(members, former);
    }

    /// Answers what a peer is asked about users until `stop` closes, as one that holds the same: how often it was.
    pub(crate) fn say_the_same(&self, peer: NodeId, stop: &Stop) -> usize {
        self.say_for(peer, stop, |asked| {
            let Message::Read { user, .. } = asked else { return None };
            let state = self.local.get(user).map(|slot| slot.state()).unwrap_or_default();
            Some((Answer::State { state }, Vec::new()))
        })
    }

    /// Answers what a peer is asked until `stop` closes: how often there was an answer.
    pub(super) fn say_for(
        &self,
        peer: NodeId,
        stop: &Stop,
        say: impl Fn(&Message) -> Option<(Answer, Vec<u8>)>,
    ) -> usize {
        let line = self.links.to_member(peer).expect("a member");
        let mut asked = 0;
        while !stop.wait(Duration::from_millis(1)) {
            for job in line.jobs.iter().flat_map(|(_, waiting)| waiting.try_iter()) {
                let answer = say(&job.message);
                asked += usize::from(answer.is_some());
                job.done(peer, answer);
            }
        }
        asked
    }

    /// Gives what a peer is asked of a picture next this answer, unless nobody waits for it any more.
    pub(super) fn say_of_picture(&self, peer: NodeId, answer: (Answer, Vec<u8>)) {
        let line = self.links.to_member(peer).expect("a member");
        let (_, asked) = line.jobs.last().expect("a queue for pictures");
        let job = asked.recv().expect("its other end is here");
        let is_stale = self.clock.mono() >= job.until;
        job.done(peer, (!is_stale).then_some(answer));
    }
}

/// Which of a peer's queues a message takes.
pub(super) fn lane_for(message: &Message) -> usize {
    match message {
        // The last one, so that no write waits for a picture on a slow line, nor a word about one.
        Message::Picture { want: PictureWant::Keep | PictureWant::Fetch, .. } => LINKS_PER_PEER,
        message => message.user().map_or(0, |user| lane_of(user, LINKS_PER_PEER)),
    }
}

/// Which of `count` queues a user's messages take.
fn lane_of(user: &UserName, count: usize) -> usize {
    let sum = user
        .as_str()
        .bytes()
        .fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    sum % count.max(1)
}

/// How often a waiting link looks whether it should stop.
const LOOK_MS: u64 = 200;

/// One connection to a peer, and the thread that owns it.
struct Link<'a> {
    cluster: &'a Cluster,
    peer: NodeId,
    line: Arc<Line>,
    connection: Option<Connection>,
    sent: u64,
    /// The newest protocol version that both sides speak, by the last meeting.
    proto: u16,
    /// Why the last connection did not come to be.
    unreached: Option<String>,
}

/// Why an exchange gave no answer.
enum NoAnswer {
    /// Refused or reset: the process is gone.
    Gone,
    /// Silent, or otherwise broken.
    Failed,
}

impl Link<'_> {
    fn is_over(&self) -> bool {
        self.line.stop.is_closed() || self.cluster.stop.is_closed()
    }

    fn run(&mut self, jobs: &Receiver<Job>) {
        while !self.is_over() {
            let Ok(job) = jobs.recv_timeout(Duration::from_millis(LOOK_MS)) else {
                self.be_ready();
                continue;
            };
            let now = self.cluster.clock.mono();
            let is_stale = job.asker.is_some() && now >= job.until;
            let is_down = self.line.is_member && !self.cluster.members.is_up(self.peer);
            if is_stale || is_down {
                job.done(self.peer, None);
                continue;
            }
            let what = (&job.message, job.epoch);
            let answer = match self.exchange(what, &job.body, job.asker.is_some()) {
                Ok(answer) => answer,
                Err(NoAnswer::Gone) => {
                    if self.line.is_member {
                        self.cluster.peer_changed(self.peer, self.cluster.members.gone(self.peer));
                    }
                    None
                }
                Err(NoAnswer::Failed) => None,
            };
            job.done(self.peer, answer);
        }
    }

    /// Has a connection before somebody waits for it: on a long line making one takes as long as an act may.
    fn be_ready(&mut self) {
        if self.line.is_member && self.cluster.members.is_up(self.peer) {
            let known = self.connection.take().filter(Connection::is_quiet);
            self.connection = known.or_else(|| self.dial().ok());
        }
    }

    fn ping(&mut self) {
        let mut told = None;
        loop {
            let sent = self.cluster.clock.mono();
            let health = Message::Ping(self.cluster.health());
            let answer = self.exchange((&health, None), &[], true);
            if self.is_over() {
                return;
            }
            // A mistyped address and another key look like a machine that is down: the log tells which.
            if self.unreached != told {
                if let Some(why) = &self.unreached {
                    let (node, address) = (self.peer, &self.line.to.address);
                    log::warn!(node, address:%, why:%; "machine not reached");
                }
                told.clone_from(&self.unreached);
            }
            let members = &self.cluster.members;
            let change = match answer {
                Ok(Some((Answer::Pong(health), _))) => {
                    self.heard(&health);
                    if self.line.is_member {
                        self.cluster.compare_sums(self.peer, &health);
                        Some(members.answered(self.peer, health, sent))
                    } else {
                        None
                    }
                }
                _ => self.line.is_member.then(|| members.gone(self.peer)),
            };
            if let Some(change) = change {
                self.cluster.peer_changed(self.peer, change);
            }
            let next = sent.plus_ms(PING_MS);
            let _nudged = self.line.nudge.1.recv_timeout(next.left(self.cluster.clock.mono()));
            if self.is_over() {
                return;
            }
        }
    }

    /// Takes note of where a peer stands, and sees that it and this machine hold the same list of
    /// members.
    fn heard(&mut self, health: &Health) {
        let Some(standing) = health.standing else { return };
        if let Some(seat) = self.seat() {
            self.cluster.told(seat, standing, health.has_learned);
        }
        let Some(message) = self.cluster.answer_to(&standing) else { return };
        if let Ok(Some((Answer::Members(offer), _))) = self.exchange((&message, None), &[], true) {
            self.cluster.hear_of(&offer, (self.peer, Some(standing)));
        }
    }

    fn seat(&self) -> Option<Seat> {
        let known = self.line.to.incarnation.map(|of| Seat { node: self.peer, incarnation: of });
        known.or_else(|| self.cluster.local.node.config().seat(self.peer))
    }

    /// Sends one message and, if it is a question, waits for its answer. A connection that fails is
    /// dropped; one that had been idle may have been closed by the other side, so a fresh one is
    /// tried once.
    fn exchange(
        &mut self,
        what: (&Message, Option<u32>),
        body: &[u8],
        is_question: bool,
    ) -> Result<Option<(Answer, Vec<u8>)>, NoAnswer> {
        let was_connected = self.connection.is_some();
        match self.try_exchange(what, body, is_question) {
            Err(NoAnswer::Gone) if was_connected => self.try_exchange(what, body, is_question),
            result => result,
        }
    }

    fn try_exchange(
        &mut self,
        (message, asked_in): (&Message, Option<u32>),
        body: &[u8],
        is_question: bool,
    ) -> Result<Option<(Answer, Vec<u8>)>, NoAnswer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.dial()?,
        };
        if self.proto < message.since() {
            self.connection = Some(connection);
            return Ok(None);
        }
        self.sent += 1;
        let epoch = asked_in.unwrap_or_else(|| self.cluster.local.floors().epoch);
        let envelope = Envelope { epoch, number: self.sent, message };
        let Ok(header) = serde_json::to_vec(&envelope) else { return Err(NoAnswer::Failed) };
        let timeout = Duration::from_millis(match message {
            Message::Ping(_) => PING_SILENCE_MS,
            // The whole file is read and checked before its first byte is sent.
            Message::Fetch { .. } => PEER_FETCH_MS,
            Message::Picture { .. } => PICTURE_KEEP_MS,
            Message::Read { pass_on, .. } if !pass_on.is_empty() => PASSED_ON_MS,
            _ => PEER_ANSWER_MS,
        });
        let sending = timeout + travel_time(body.len());
        connection.send(&header, body, sending).map_err(|error| classify(&error))?;
        let mut answer = None;
        if is_question {
            // The end of what was sent is still on its way.
            let timeout = timeout + travel_time(body.len().min(SEND_BUFFER_BYTES));
            let frame =
                connection.receive(FRAME_BYTES_MAX, timeout).map_err(|error| classify(&error))?;
            let envelope: Envelope<Answer> =
                json::parse(&frame.header).map_err(|_| NoAnswer::Failed)?;
            // Votes of different epochs are never counted together.
            let is_other = asked_in.is_some_and(|epoch| envelope.epoch != epoch);
            if envelope.number != self.sent {
                return Err(NoAnswer::Failed);
            }
            answer = (!is_other).then_some((envelope.message, frame.body));
        }
        self.connection = Some(connection);
        Ok(answer)
    }

    fn is_meant(&self, node: NodeId, incarnation: crate::id::Hash128) -> bool {
        let known = self.line.to.incarnation;
        node == self.peer && known.is_none_or(|known| known == incarnation)
    }

    /// A fresh connection on which both sides have said who they are.
    fn dial(&mut self) -> Result<Connection, NoAnswer> {
        let greeted = self.cluster.greet(&self.line.to.address);
        self.unreached = greeted.as_ref().err().map(|error| match error {
            PeerError::Transport(error) => error.to_string(),
            other => other.to_string(),
        });
        let (connection, welcome) = greeted.map_err(|error| match error {
            PeerError::Transport(error) => classify(&error),
            _ => NoAnswer::Failed,
        })?;
        match welcome {
            Welcome::Hello(hello) if self.is_meant(hello.node, hello.incarnation) => {
                self.proto = hello.proto();
                match self.cluster.meet(&hello) {
                    Ok(guest) if (guest == Guest::Member) == self.line.is_member => Ok(connection),
                    _ => Err(NoAnswer::Failed),
                }
            }
            Welcome::Hello(_) => {
                self.cluster.log_once(self.peer, &Reject::Incarnation, "not the machine meant");
                Err(NoAnswer::Failed)
            }
            Welcome::Reject(why) => {
                self.cluster.rejected(self.peer, &why);
                Err(NoAnswer::Failed)
            }
        }
    }
}

/// How long so many bytes may be under way on the slowest line.
pub fn travel_time(bytes: usize) -> Duration {
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
