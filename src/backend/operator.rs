//! Serves `tern cluster …`, `tern user …` and `tern backup create`: who holds the cluster key asks, one
//! frame at a time.

use std::time::Duration;

use super::view::Permit;
use super::{Backend, describe};
use crate::json;
use crate::limits::{BACKEND_IDLE_S, FRAME_BYTES_PER_MS_MIN, PEER_ANSWER_MS, REQUEST_BYTES_MAX};
use crate::thread::LockPermit;
use crate::transport::connection::Connection;
use crate::wire::message::{FEATURES, Offer};
use crate::wire::operator::{Answer, Held, Pending, Question, Seen};

impl Backend {
    /// Serves an operator until the connection ends.
    pub(super) fn serve_operator(&self, mut connection: Connection, permit: LockPermit) {
        let mut permit = Permit::new(permit);
        loop {
            let idle = Duration::from_secs(BACKEND_IDLE_S);
            let frame = match connection.receive(REQUEST_BYTES_MAX, idle) {
                Ok(frame) => frame,
                Err(error) => {
                    log::debug!(error:%; "operator connection ended");
                    return;
                }
            };
            permit.begin();
            let (answer, body) = match json::parse::<Question>(&frame.header) {
                Ok(Question::File { user }) => self.tell_file(&mut permit, &user),
                Ok(Question::Names { after }) => {
                    (self.tell_names(&mut permit, after.as_ref()), Vec::new())
                }
                Ok(Question::Picture { name }) => self.tell_picture(name),
                Ok(Question::Status) => (self.tell_status(), Vec::new()),
                Ok(Question::Members) => (Answer::Members(self.held()), Vec::new()),
                Ok(Question::Adopt(offer)) => (self.adopt(&offer), Vec::new()),
                Ok(Question::Upkeep(order)) => {
                    (Answer::Upkeep(self.obey(&mut permit, &order)), Vec::new())
                }
                Err(error) => {
                    log::warn!(
                        line = error.line(), column = error.column();
                        "operator's question not understood"
                    );
                    (Answer::NotUnderstood { detail: describe(&error) }, Vec::new())
                }
            };
            let within = PEER_ANSWER_MS + body.len() as u64 / FRAME_BYTES_PER_MS_MIN;
            let sent = serde_json::to_vec(&answer)
                .map(|header| connection.send(&header, &body, Duration::from_millis(within)));
            if !matches!(sent, Ok(Ok(()))) {
                log::debug!("answer to the operator not sent");
                return;
            }
        }
    }

    fn tell_status(&self) -> Answer {
        Answer::Status(Seen {
            node: self.cluster.members.me,
            at: self.now(),
            epoch: self.cluster.local.floors().epoch,
            pending: self.pending(),
            stale_since: self.cluster.members.cut_off().and_then(|(_, since)| since),
            seen: self.status(),
        })
    }

    fn adopt(&self, offer: &Offer) -> Answer {
        match self.cluster.take_on(offer, false) {
            Ok(()) => Answer::Members(self.held()),
            Err(error) => {
                log::warn!(error:%; "list of members from the operator refused");
                Answer::Refused { why: error.to_string() }
            }
        }
    }

    fn held(&self) -> Held {
        let config = self.cluster.local.node.config();
        Held {
            node: self.cluster.members.me,
            incarnation: self.cluster.local.node.incarnation,
            offer: config.offer.clone(),
            phase: config.place.phase,
            is_learning: config.is_learning,
            features: FEATURES,
            is_damaged: self.cluster.local.damaged_count() > 0,
            live: self.cluster.members.live(),
        }
    }

    fn pending(&self) -> Option<Pending> {
        let waits = self.cluster.waiting()?;
        Some(Pending { members: self.cluster.members.members(), waits })
    }
}
