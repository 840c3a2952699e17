//! Answers that browsers have not taken yet: how much memory they hold together.
//!
//! Each connection's own deadlines bound for how long it holds one. Many connections that read slowly
//! could still hold more than a small machine has, so there is a bound for all; and since those who
//! read leave quickly, whoever has been at it for longest is let go first, and nobody new is refused. That
//! is one of the household that holds most: however many read nothing, it is their own that they cost.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
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
    household: IpAddr,
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

    /// Counts an answer of so many bytes to `peer`, for somebody of `household`. For lack of room the
    /// connections of the oldest of the household that holds most, with this answer, are shut down, which
    /// makes their threads let go.
    pub(super) fn hold(&self, peer: &Arc<Peer>, household: IpAddr, bytes: usize) -> Hold<'_> {
        let mut held = self.held.lock();
        while held.bytes.saturating_add(bytes) > self.bytes_max {
            let Some(oldest) = held.take_oldest((household, bytes)) else { break };
            held.bytes -= oldest.bytes;
            log::debug!(
                client:% = oldest.peer.address, bytes = oldest.bytes;
                "slow reader dropped"
            );
            oldest.peer.shut_down();
        }
        let number = held.next_number;
        held.next_number += 1;
        held.bytes += bytes;
        held.answers.push_back(Holding { number, bytes, household, peer: Arc::clone(peer) });
        Hold { untaken: self, number }
    }
}

impl Held {
    /// Takes out the oldest answer of the household that holds most, the one `coming` counted with the
    /// others: of several that hold as much, of whichever began first.
    fn take_oldest(&mut self, coming: (IpAddr, usize)) -> Option<Holding> {
        let mut sums: HashMap<IpAddr, usize> = HashMap::from([coming]);
        for answer in &self.answers {
            let sum = sums.entry(answer.household).or_default();
            *sum = sum.saturating_add(answer.bytes);
        }
        let sum = |answer: &Holding| sums.get(&answer.household).copied().unwrap_or_default();
        let most = self.answers.iter().map(sum).max()?;
        let at = self.answers.iter().position(|answer| sum(answer) == most)?;
        self.answers.remove(at)
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

    fn home(n: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, n])
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
        let first_hold = untaken.hold(&first.peer, home(1), 50);
        let second_hold = untaken.hold(&second.peer, home(1), 50);
        assert!(!is_dropped(&first_browser));
        let third_hold = untaken.hold(&third.peer, home(1), 1);
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
    fn untaken_beyond_bound_drops_of_the_household_that_holds_most() {
        let slots = Arc::new(Slots::default());
        let untaken = Untaken::new(100);
        let all: Vec<_> = (0..6).map(|_| browser(&slots)).collect();
        // The honest one came first, with the largest answer of all.
        let holds = [(home(1), 35), (home(2), 20), (home(3), 20), (home(2), 20)];
        let holds = all.iter().zip(holds);
        let _holds: Vec<_> =
            holds.map(|((it, _), (who, n))| untaken.hold(&it.peer, who, n)).collect();
        let dropped = || all.iter().map(|(_, it)| is_dropped(it)).collect::<Vec<_>>();
        let _fifth = untaken.hold(&all[4].0.peer, home(3), 20);
        assert_eq!(dropped(), [false, true, false, false, false, false]);
        // What comes counts with what its household holds.
        let _sixth = untaken.hold(&all[5].0.peer, home(3), 20);
        assert_eq!(dropped(), [false, true, true, false, false, false]);
    }

    #[test]
    fn untaken_answer_beyond_bound_by_itself_still_given() {
        let slots = Arc::new(Slots::default());
        let untaken = Untaken::new(100);
        let (one, one_browser) = browser(&slots);
        drop(untaken.hold(&one.peer, home(1), 1_000));
        let _hold = untaken.hold(&one.peer, home(1), 100);
        assert!(!is_dropped(&one_browser));
    }
}
