//! Serves `tern cluster …` and `tern user …`: who holds the cluster key asks, one frame at a time.

use std::time::Duration;

use super::{Backend, describe};
use crate::limits::{BACKEND_IDLE_S, PEER_ANSWER_MS, REQUEST_BYTES_MAX};
use crate::thread::LockPermit;
use crate::transport::connection::Connection;
use crate::wire::message::FEATURES;
use crate::wire::operator::{Answer, Held, Pending, Question, Seen};

impl Backend {
    /// Serves an operator until the connection ends.
    pub(super) fn serve_operator(&self, mut connection: Connection, mut permit: LockPermit) {
        loop {
            let idle = Duration::from_secs(BACKEND_IDLE_S);
            let frame = match connection.receive(REQUEST_BYTES_MAX, idle) {
                Ok(frame) => frame,
                Err(error) => {
                    log::debug!("operator connection ended error={error}");
                    return;
                }
            };
            let answer = match serde_json::from_slice::<Question>(&frame.header) {
                Ok(question) => self.tell(&mut permit, &question),
                Err(error) => {
                    log::warn!(
                        "operator's question not understood line={} column={}",
                        error.line(),
                        error.column()
                    );
                    Answer::NotUnderstood { detail: describe(&error) }
                }
            };
            let sent = serde_json::to_vec(&answer)
                .map(|header| connection.send(&header, &[], Duration::from_millis(PEER_ANSWER_MS)));
            if !matches!(sent, Ok(Ok(()))) {
                log::debug!("answer to the operator not sent");
                return;
            }
        }
    }

    /// One question's answer.
    fn tell(&self, permit: &mut LockPermit, question: &Question) -> Answer {
        match question {
            Question::Status => Answer::Status(Seen {
                node: self.cluster.members.me,
                at: self.now(),
                epoch: self.cluster.local.floors().epoch,
                pending: self.pending(),
                stale_since: self.cluster.members.cut_off().and_then(|(_, since)| since),
                seen: self.status(),
            }),
            Question::Members => Answer::Members(self.held()),
            Question::Upkeep(order) => Answer::Upkeep(self.obey(permit, order)),
            Question::Adopt(offer) => match self.cluster.take_on(offer, false) {
                Ok(()) => Answer::Members(self.held()),
                Err(error) => {
                    log::warn!("list of members from the operator refused error={error}");
                    Answer::Refused { why: error.to_string() }
                }
            },
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
