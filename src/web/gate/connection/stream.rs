//! An answer that goes on for as long as somebody listens: the worker gives what there is, and says
//! where, and after which pause, to ask for more. Neither a worker nor a backend is held meanwhile.
//!
//! While it pauses, the connection counts as idle: it is dropped when the server stops, and before
//! anybody is turned away for lack of room.

use parking_lot::Mutex;

use super::{Browser, Unanswered, Whole, chunk};
use crate::limits::{GATE_STREAM_MS_MAX, GATE_STREAMS_MEMBER_PART};
use crate::web::gate::deadline::{Ended, read_more};
use crate::web::gate::refusal::Refusal;
use crate::web::gate::upstream::{Answer, Next};
use crate::web::gate::{NEXT_HEADER, PAUSE_HEADER};

/// Who listens to each such answer there is; nobody's name where no member is known.
#[derive(Debug, Default)]
pub(in crate::web::gate) struct Streams(Mutex<Vec<Option<String>>>);

/// One of them, counted until this is dropped.
struct Place<'a>(&'a Streams, Option<String>);

impl Streams {
    fn take(&self, most: usize, who: Option<String>) -> Option<Place<'_>> {
        let mut all = self.0.lock();
        let own = all.iter().filter(|it| who.is_some() && **it == who).count();
        if all.len() >= most || own >= most.div_ceil(GATE_STREAMS_MEMBER_PART) {
            return None;
        }
        all.push(who.clone());
        Some(Place(self, who))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut all = self.0.0.lock();
        if let Some(index) = all.iter().position(|who| *who == self.1) {
            all.swap_remove(index);
        }
    }
}

impl Browser<'_> {
    /// Passes it on until either side ends it; the connection is not used again.
    pub(super) fn pass_stream(&self, mut answer: Answer, request: &Whole<'_>, mut next: Next) {
        let Some(_place) = self.gate.streams.take(self.gate.limits.streams, next.listener.take())
        else {
            return self.refuse(Refusal::Busy, &request.id);
        };
        let is_chunked = !request.head.is_http10;
        for name in ["Content-Length", NEXT_HEADER, PAUSE_HEADER] {
            answer.remove_field(name);
        }
        answer.add_field(if is_chunked { "Transfer-Encoding: chunked\r\n" } else { "" });
        answer.add_field("Connection: close\r\n");
        let body = answer.bytes.split_off(answer.head_bytes);
        if !self.write(&answer.bytes) {
            return;
        }
        let is_heard = self.is_head_only || self.write_stream((body, next), request, is_chunked);
        if is_heard {
            self.close();
        }
    }

    /// Writes parts until there are no more; false if nobody is there any longer. Whoever listens is to
    /// ask anew after a while, since what may be shown is decided when it is asked for.
    fn write_stream(&self, first: (Vec<u8>, Next), request: &Whole<'_>, is_chunked: bool) -> bool {
        let gate = self.gate;
        let ends_at = gate.clock.mono().plus_ms(GATE_STREAM_MS_MAX);
        let (mut body, mut next) = (first.0, Some(first.1));
        loop {
            if is_chunked {
                body = chunk(body);
            }
            if !body.is_empty() && !self.write(&body) {
                return false;
            }
            let Some(Next { target, pause_ms, listener }) = next.take() else { break };
            if gate.clock.mono() >= ends_at || !self.listens(pause_ms.unwrap_or_default()) {
                break;
            }
            match self.ask(request, &target, Vec::new()) {
                Ok(mut answer) if answer.is_ours && answer.status == 200 => {
                    body = answer.bytes.split_off(answer.head_bytes);
                    next = answer.next;
                }
                Ok(_) | Err(Unanswered::Failed) => break,
                // Asked for again, it tells the same: its address says from where on.
                Err(unanswered) => {
                    self.settle_late(unanswered);
                    (body, next) = (Vec::new(), Some(Next { target, pause_ms, listener }));
                }
            }
        }
        !is_chunked || self.write(b"0\r\n\r\n")
    }

    /// Whether somebody still listens after so many milliseconds. Whoever asks for something else
    /// meanwhile does not.
    fn listens(&self, ms: u64) -> bool {
        let gate = self.gate;
        let now = gate.clock.mono();
        self.peer.set_idle(now);
        // Looked at after becoming idle, as between two requests.
        if gate.is_stopping() {
            return false;
        }
        let by = Some(now.plus_ms(ms));
        let heard = read_more(&self.peer.socket, &mut Vec::new(), &gate.clock, by);
        matches!(heard, Err(Ended::Late)) && self.peer.set_busy()
    }
}
