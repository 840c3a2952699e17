//! What other backends ask of this one: one thread a connection, one frame at a time.

use std::sync::Arc;
use std::time::Duration;

use super::Cluster;
use super::body::end_of;
use super::link::travel_time;
use super::replicas::{Body, BodyError, Slot};
use crate::id::{Hash128, NodeId};
use crate::json;
use crate::limits::{
    BACKEND_IDLE_S, FRAME_BYTES_MAX, GRANT_BODY_BYTES_MAX, HANDSHAKE_MS, PEER_ANSWER_MS,
    REQUEST_BYTES_MAX, SUMS_PAGE_ROWS,
};
use crate::replica::acceptor::{Event, Proposal};
use crate::replica::barrier::Seat;
use crate::replica::version::Version;
use crate::replica::{Refuse, Reply, State};
use crate::store::StoreError;
use crate::transport::TransportError;
use crate::transport::connection::Connection;
use crate::wire::earlier;
use crate::wire::message::{Answer, Envelope, Hello, Message, Reject, Sync, Welcome};

/// Why a connection with a peer ended.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The connection failed or was closed.
    #[error("connection ended")]
    Transport(#[from] TransportError),
    /// Not a message.
    #[error("malformed message")]
    Malformed(#[from] serde_json::Error),
    /// Lines that are not what they should be.
    #[error("malformed lines")]
    Body(#[from] BodyError),
    /// A message that this peer may not send.
    #[error("a term of another machine")]
    NotItsTerm,
    /// This machine does not speak to it.
    #[error("turned away")]
    Rejected(#[source] Reject),
    /// A user's file could not be read.
    #[error("file not read")]
    Store(#[from] crate::store::StoreError),
}

impl PeerError {
    /// Whether it only means that the peer went away.
    pub fn is_quiet(&self) -> bool {
        matches!(
            self,
            Self::Transport(TransportError::Closed { .. } | TransportError::Idle)
                | Self::Rejected(_)
        )
    }
}

impl Cluster {
    /// Serves a peer until its connection ends.
    ///
    /// # Errors
    /// How it ended.
    pub fn serve_peer(&self, mut connection: Connection) -> Result<(), PeerError> {
        let first = connection.receive(REQUEST_BYTES_MAX, Duration::from_millis(HANDSHAKE_MS))?;
        let hello: Hello = json::parse(&first.header)?;
        let proto = hello.proto();
        let met = self.meet(&hello);
        let welcome = match &met {
            Ok(_) => Welcome::Hello(self.members.hello(&self.local.node)),
            Err(why) => Welcome::Reject(earlier::rejection(why.clone(), proto)),
        };
        let timeout = Duration::from_millis(PEER_ANSWER_MS);
        connection.send(&serde_json::to_vec(&welcome)?, &[], timeout)?;
        met.map_err(PeerError::Rejected)?;
        let ended = self.answer_all(&hello, connection);
        // Perhaps its process has died: a ping of ours finds out before the next one is due.
        self.links.nudge(hello.node);
        ended
    }

    fn answer_all(&self, hello: &Hello, mut connection: Connection) -> Result<(), PeerError> {
        let timeout = Duration::from_millis(PEER_ANSWER_MS);
        let seat = Seat { node: hello.node, incarnation: hello.incarnation };
        loop {
            let frame = connection.receive(FRAME_BYTES_MAX, Duration::from_secs(BACKEND_IDLE_S))?;
            let question: Envelope<Message> = json::parse(&frame.header)?;
            let is_member = self.local.node.config().place.current.has(seat);
            // A later life of that machine has said hello since: this one must not vote beside it.
            if is_member && !self.members.is_latest(hello) {
                return Err(PeerError::Rejected(Reject::OldBoot));
            }
            // Who is no member has no vote, and asks for none.
            let epoch = question.epoch;
            let is_heard = is_member && epoch == self.local.floors().epoch;
            let answered = match question.message {
                message if is_heard || message.is_across() => {
                    self.answer(seat, message, frame.body)
                }
                Message::Unlock { .. } => continue,
                _ => {
                    let why = Refuse::Epoch { epoch: self.local.floors().epoch };
                    Ok(Some((Answer::Refuse { why }, Vec::new())))
                }
            };
            let Some((message, body)) = or_refusal(answered)? else { continue };
            let epoch = self.local.floors().epoch;
            let message = earlier::answer(message, hello.proto());
            let envelope = Envelope { epoch, number: question.number, message };
            let timeout = timeout + travel_time(body.len());
            connection.send(&serde_json::to_vec(&envelope)?, &body, timeout)?;
        }
    }

    /// One question's answer; none for a notice.
    fn answer(
        &self,
        seat: Seat,
        message: Message,
        body: Vec<u8>,
    ) -> Result<Option<(Answer, Vec<u8>)>, PeerError> {
        let from = seat.node;
        match message {
            Message::Lock { user, term, have, lease_ms } => {
                if term.node != from.get() {
                    return Err(PeerError::NotItsTerm);
                }
                let slot = self.local.get_or_make(&user);
                let reply = self.local.step(&slot, Event::Lock { term, lease_ms }, &Body::None);
                let mut body = Vec::new();
                if let Some(Reply::Grant { state, .. }) = &reply
                    && state.acc != have
                    && slot.standing(&self.local.floors()).2 <= GRANT_BODY_BYTES_MAX as u64
                {
                    let (now, bytes) = self.local.file(&slot)?;
                    if now.acc == state.acc {
                        body = bytes;
                    }
                }
                // A late repetition gets no word of the acceptor; its asker waits for one all the same.
                let acc = slot.state().acc;
                let answer = reply.map_or(Answer::Refuse { why: Refuse::Old { acc } }, to_answer);
                Ok(Some((answer, body)))
            }
            Message::Sync(sync) => self.accept(from, sync, body),
            Message::Unlock { user, term, com } => {
                if let Some(slot) = self.local.get(&user) {
                    self.local.step(&slot, Event::Unlock { term, com }, &Body::None);
                }
                Ok(None)
            }
            Message::Read { user, pass_on } => {
                self.pass_on(&user, &pass_on);
                Ok(Some((to_answer(self.local.read(&user)), Vec::new())))
            }
            Message::Fetch { user, have } => {
                let file = self.local.get(&user).map(|slot| self.answer_fetch(&slot, have));
                let (state, after, bytes) = file.transpose()?.unwrap_or_default();
                Ok(Some((Answer::Body { state, after }, bytes)))
            }
            Message::Sums { after } => {
                let (rows, last) = self.local.rows_after(after.as_ref(), SUMS_PAGE_ROWS);
                Ok(Some((Answer::Sums { rows, last }, Vec::new())))
            }
            Message::Ping(health) => {
                self.await_disk();
                let is_known = self.local.node.config().knows(seat);
                if let Some(standing) = health.standing.filter(|_| is_known) {
                    self.told(seat, standing, health.has_learned);
                }
                Ok(Some((Answer::Pong(self.health()), Vec::new())))
            }
            Message::Adopt(offer) => {
                let told = self.change.last_words().remove(&seat);
                self.hear_of(&offer, (from, told.map(|told| told.standing)));
                Ok(Some((self.members_held(), Vec::new())))
            }
            Message::Members => Ok(Some((self.members_held(), Vec::new()))),
            Message::Picture { name, want } => Ok(Some(self.answer_picture(name, want, &body))),
        }
    }

    /// What a file is, behind which version of what the asker has its lines are sent, and they.
    fn answer_fetch(
        &self,
        slot: &Slot,
        have: Option<(Version, Hash128)>,
    ) -> Result<(State, Version, Vec<u8>), StoreError> {
        if let Some(have) = have
            && let Some((state, lines)) = self.local.lines_behind(slot, have)
        {
            return Ok((state, have.0, lines));
        }
        let (state, mut bytes) = self.local.file(slot)?;
        let shared = have.and_then(|have| end_of(&bytes, have).map(|end| (have.0, end)));
        let (after, end) = shared.unwrap_or_default();
        bytes.drain(..end);
        Ok((state, after, bytes))
    }

    fn members_held(&self) -> Answer {
        Answer::Members(self.local.node.config().offer.clone())
    }

    fn accept(
        &self,
        from: NodeId,
        sync: Sync,
        body: Vec<u8>,
    ) -> Result<Option<(Answer, Vec<u8>)>, PeerError> {
        let Sync { user, version, base, base_hash, hash, com, full, after } = sync;
        if version.term.node != from.get() {
            return Err(PeerError::NotItsTerm);
        }
        let bytes: Arc<[u8]> = body.into();
        let slot = self.local.get_or_make(&user);
        let body = match after.filter(|_| full) {
            None if full => Body::file(&user, bytes)?,
            None => Body::line(&user, bytes, (base, base_hash), (version, hash))?,
            Some(after) => match self.local.hash_at(&slot, after) {
                Some(known) => Body::lines(&user, bytes, (after, known))?,
                None => return Ok(Some((Answer::Need { state: slot.state() }, Vec::new()))),
            },
        };
        if body.last() != Some((version, hash)) {
            return Err(BodyError::Mismatch(user).into());
        }
        let proposal = Proposal { version, base, base_hash, hash, com, full };
        let reply = self.local.step(&slot, Event::Sync(proposal), &body);
        Ok(reply.map(|reply| (to_answer(reply), Vec::new())))
    }
}

fn to_answer(reply: Reply) -> Answer {
    match reply {
        Reply::Grant { term, state } => Answer::Grant { term, state },
        Reply::Damaged { term, state } => Answer::Damaged { term, state },
        Reply::Ack(version) => Answer::Ack { version },
        Reply::Need(state) => Answer::Need { state },
        Reply::Refuse(why) => Answer::Refuse { why },
        Reply::State(state) => Answer::State { state },
    }
}

/// One user's unreadable file or lines must not cost the other users this connection.
fn or_refusal(
    answered: Result<Option<(Answer, Vec<u8>)>, PeerError>,
) -> Result<Option<(Answer, Vec<u8>)>, PeerError> {
    match answered {
        Err(error @ (PeerError::Body(_) | PeerError::Store(_))) => {
            log::error!(error:%; "question refused");
            Ok(Some((Answer::Refuse { why: Refuse::BadBase }, Vec::new())))
        }
        other => other,
    }
}
