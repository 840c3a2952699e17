//! The connections that are open: how many, whose, and what each is doing.

use std::net::{IpAddr, Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use socket2::Socket;

use crate::clock::Mono;

use super::client::household;

/// How many connections may be open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    pub(super) total: usize,
    pub(super) per_address: usize,
}

/// One browser's connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) socket: Socket,
    pub(super) address: IpAddr,
    /// The address of ours that it reached.
    pub(super) local: SocketAddr,
    /// Whom it counts for: nobody if it is a proxy's.
    household: Option<IpAddr>,
    phase: AtomicU64,
}

// What a connection is doing, in one word that changes at once: a connection is dropped as idle, or
// it takes up the next request, never both.
/// Opened, nothing was asked yet.
const FRESH: u64 = 0;
/// A request is under way.
const BUSY: u64 = 1;
/// Shut down by us while it was idle.
const DROPPED: u64 = 2;
/// From here on: idle since so many milliseconds.
const IDLE: u64 = 3;

impl Peer {
    /// Waits for its next request from `now` on.
    pub(super) fn set_idle(&self, now: Mono) {
        self.phase.store(IDLE.saturating_add(now.0), Ordering::SeqCst);
    }

    /// Takes up a request; false if the connection was dropped meanwhile.
    pub(super) fn set_busy(&self) -> bool {
        let busy = |phase| (phase != DROPPED).then_some(BUSY);
        self.phase.fetch_update(Ordering::SeqCst, Ordering::SeqCst, busy).is_ok()
    }

    /// Drops the connection if `phase` is still what it is doing.
    fn drop_in(&self, phase: u64) -> bool {
        let exchanged =
            self.phase.compare_exchange(phase, DROPPED, Ordering::SeqCst, Ordering::SeqCst);
        if exchanged.is_ok() {
            self.shut_down();
        }
        exchanged.is_ok()
    }

    /// Wakes whoever reads or writes. Fails only when the peer has gone first, which is as good.
    pub(super) fn shut_down(&self) {
        drop(self.socket.shutdown(Shutdown::Both));
    }

    fn phase(&self) -> u64 {
        self.phase.load(Ordering::SeqCst)
    }
}

/// All of them, by number.
#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<Vec<Option<Arc<Peer>>>>);

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    pub(super) index: usize,
    pub(super) peer: Arc<Peer>,
}

impl Slots {
    /// Admits a connection, or gives it back if there is no room. A connection of the same address,
    /// or of anybody, that idles between two requests makes room: its browser opens another when it
    /// needs one.
    pub(super) fn admit(
        self: &Arc<Self>,
        socket: Socket,
        (address, local): (IpAddr, SocketAddr),
        is_proxy: bool,
        caps: Caps,
    ) -> Result<Slot, Socket> {
        let household = (!is_proxy).then(|| household(address));
        let mut peers = self.0.lock();
        let same = |peer: &Peer| household.is_some() && peer.household == household;
        if !make_room(&peers, caps.per_address, same) || !make_room(&peers, caps.total, |_| true) {
            return Err(socket);
        }
        let phase = AtomicU64::new(FRESH);
        let peer = Arc::new(Peer { socket, address, local, household, phase });
        let free = peers.iter().position(Option::is_none);
        let index = free.unwrap_or(peers.len());
        match peers.get_mut(index) {
            Some(slot) => *slot = Some(Arc::clone(&peer)),
            None => peers.push(Some(Arc::clone(&peer))),
        }
        drop(peers);
        Ok(Slot { slots: Arc::clone(self), index, peer })
    }

    /// Drops whichever connection idles longest, because the system has no more descriptors.
    pub(super) fn drop_idlest(&self) {
        drop_idlest(&self.0.lock(), |_| true);
    }

    /// Drops all that wait for a request.
    pub(super) fn drop_waiting(&self) {
        for peer in self.0.lock().iter().flatten() {
            let phase = peer.phase();
            if phase == FRESH || phase >= IDLE {
                peer.drop_in(phase);
            }
        }
    }

    /// Shuts down all there are, whatever they do.
    pub(super) fn drop_all(&self) {
        for peer in self.0.lock().iter().flatten() {
            peer.shut_down();
        }
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.0.lock().iter().flatten().count()
    }
}

impl Slot {
    /// Gives the connection back, which counts no more.
    pub(super) fn give_back(self) -> Option<Socket> {
        let peer = Arc::clone(&self.peer);
        drop(self);
        Arc::into_inner(peer).map(|peer| peer.socket)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slot) = self.slots.0.lock().get_mut(self.index) {
            *slot = None;
        }
    }
}

/// Whether fewer than `max` of those that `counts` are open, after dropping the idlest if need be.
fn make_room(peers: &[Option<Arc<Peer>>], max: usize, counts: impl Fn(&Peer) -> bool) -> bool {
    let open = peers.iter().flatten().filter(|peer| counts(peer) && peer.phase() != DROPPED);
    open.count() < max || drop_idlest(peers, counts)
}

fn drop_idlest(peers: &[Option<Arc<Peer>>], counts: impl Fn(&Peer) -> bool) -> bool {
    let idle = peers.iter().flatten().filter(|peer| counts(peer));
    let idle = idle.map(|peer| (peer.phase(), peer)).filter(|(phase, _)| *phase >= IDLE);
    idle.min_by_key(|(phase, _)| *phase).is_some_and(|(phase, peer)| peer.drop_in(phase))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    const CAPS: Caps = Caps { total: 3, per_address: 2 };

    fn admit(slots: &Arc<Slots>, address: &str) -> Result<(Slot, UnixStream), Socket> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let local = "127.0.0.1:80".parse().unwrap();
        let proxy = address == "9.9.9.9";
        let slot = slots.admit(
            Socket::from(OwnedFd::from(ours)),
            (address.parse().unwrap(), local),
            proxy,
            CAPS,
        )?;
        Ok((slot, theirs))
    }

    #[test]
    fn slots_over_cap_of_address_or_total_refused() {
        let slots = Arc::new(Slots::default());
        let first = admit(&slots, "1.1.1.1").unwrap();
        let _second = admit(&slots, "1.1.1.1").unwrap();
        assert!(admit(&slots, "1.1.1.1").is_err());
        let _third = admit(&slots, "2.2.2.2").unwrap();
        assert!(admit(&slots, "3.3.3.3").is_err());
        drop(first);
        assert_eq!(slots.count(), 2);
        assert_eq!(admit(&slots, "3.3.3.3").unwrap().0.index, 0);
    }

    #[test]
    fn slots_of_proxy_counted_in_total_only() {
        let slots = Arc::new(Slots::default());
        let all: Vec<_> = (0..3).map(|_| admit(&slots, "9.9.9.9").unwrap()).collect();
        assert!(admit(&slots, "9.9.9.9").is_err());
        drop(all);
        assert_eq!(slots.count(), 0);
    }

    #[test]
    fn slots_full_idlest_makes_room() {
        let slots = Arc::new(Slots::default());
        let (newer, _newer_browser) = admit(&slots, "1.1.1.1").unwrap();
        let (older, mut older_browser) = admit(&slots, "1.1.1.1").unwrap();
        newer.peer.set_idle(Mono(7));
        older.peer.set_idle(Mono(5));
        let _third = admit(&slots, "1.1.1.1").unwrap();
        assert_eq!(older_browser.read(&mut [0]).unwrap(), 0);
        assert!(!older.peer.set_busy());
        assert!(newer.peer.set_busy());
        assert!(admit(&slots, "1.1.1.1").is_err());
    }

    #[test]
    fn slots_stopping_drop_waiting_and_keep_busy() {
        let slots = Arc::new(Slots::default());
        let (fresh, _a) = admit(&slots, "1.1.1.1").unwrap();
        let (idle, _b) = admit(&slots, "2.2.2.2").unwrap();
        let (busy, _c) = admit(&slots, "3.3.3.3").unwrap();
        idle.peer.set_idle(Mono(1));
        assert!(busy.peer.set_busy());
        slots.drop_waiting();
        assert!(!fresh.peer.set_busy() && !idle.peer.set_busy() && busy.peer.set_busy());
    }
}
