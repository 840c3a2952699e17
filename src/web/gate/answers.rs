//! Answers that browsers have not taken yet: how much memory they hold together.
//!
//! Each connection's own deadlines bound for how long it holds one. Many connections that read slowly
//! could still hold more than a small machine has, so there is a bound for all; and since those who
//! read leave quickly, whoever has been at it for longest is let go first, and nobody new is refused.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::slots::Peer;

/// All answers under way, oldest first.
#[derive(Debug)]
pub(super) struct Untaken {
    bytes_max: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    next_number: u64,
    answers: VecDeque<Holding>,
}

#[derive(Debug)]
struct Holding {
    number: u64,
    bytes: usize,
    peer: Arc<Peer>,
}

/// One answer, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Hold<'a> {
    untaken: &'a Untaken,
    number: u64,
}

impl Untaken {
    /// None yet, and room for `bytes_max`.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, held: Mutex::default() }
    }

    /// Counts an answer of so many bytes to `peer`. For lack of room the connections of the oldest are
    /// shut down, which makes their threads let go.
    pub(super) fn hold(&self, peer: &Arc<Peer>, bytes: usize) -> Hold<'_> {
        let mut held = self.held.lock();
        while held.bytes.saturating_add(bytes) > self.bytes_max {
            let Some(oldest) = held.answers.pop_front() else { break };
            held.bytes -= oldest.bytes;
            log::debug!(
                "slow reader dropped client={} bytes={}",
                oldest.peer.address,
                oldest.bytes
            );
            oldest.peer.shut_down();
        }
        let number = held.next_number;
        held.next_number += 1;
        held.bytes += bytes;
        held.answers.push_back(Holding { number, bytes, peer: Arc::clone(peer) });
        Hold { untaken: self, number }
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut held = self.untaken.held.lock();
        let at = held.answers.iter().position(|answer| answer.number == self.number);
        if let Some(answer) = at.and_then(|at| held.answers.remove(at)) {
            held.bytes -= answer.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use socket2::Socket;

    use super::*;
    use crate::web::gate::slots::{Caps, Slot, Slots};

    fn browser(slots: &Arc<Slots>) -> (Slot, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let from = ("127.0.0.1".parse().unwrap(), "127.0.0.1:80".parse().unwrap());
        let caps = Caps { total: 9, per_address: 9 };
        let slot = slots.admit(Socket::from(OwnedFd::from(ours)), from, false, caps).unwrap();
        (slot, theirs)
    }

    fn is_dropped(mut theirs: &UnixStream) -> bool {
        theirs.read(&mut [0]).is_ok()
    }

    #[test]
    fn untaken_beyond_bound_drops_oldest_first() {
        let slots = Arc::new(Slots::default());
        let untaken = Untaken::new(100);
        let (first, first_browser) = browser(&slots);
        let (second, second_browser) = browser(&slots);
        let (third, third_browser) = browser(&slots);
        let first_hold = untaken.hold(&first.peer, 50);
        let second_hold = untaken.hold(&second.peer, 50);
        assert!(!is_dropped(&first_browser));
        let third_hold = untaken.hold(&third.peer, 1);
        assert!(is_dropped(&first_browser));
        assert!(!is_dropped(&second_browser) && !is_dropped(&third_browser));
        // What was let go counts no more, and is not taken off twice.
        drop(first_hold);
        assert_eq!(untaken.held.lock().bytes, 51);
        drop(third_hold);
        drop(second_hold);
        let held = untaken.held.lock();
        assert_eq!((held.bytes, held.answers.len()), (0, 0));
    }

    #[test]
    fn untaken_answer_beyond_bound_by_itself_still_given() {
        let slots = Arc::new(Slots::default());
        let untaken = Untaken::new(100);
        let (one, one_browser) = browser(&slots);
        drop(untaken.hold(&one.peer, 1_000));
        let _hold = untaken.hold(&one.peer, 100);
        assert!(!is_dropped(&one_browser));
    }
}
