//! The blocking shell around `replica/`: this machine's replicas, the way to the peers, and the lock
//! that lets one handler change one user.
//!
//! It is no consensus of its own on who is a member (the operator says it) and no store of its own (`store/`
//! is). Handlers enter through `acquire` and `fresh`, peers through `serve_peer`; the threads `link-P-N`,
//! `ping-P` and `catch-up` belong here.
//!
//! Invariants:
//! - a handler waits on channels with a deadline, never on a socket, and never for all members;
//! - the replica lock of a user is never held across the network;
//! - what a view shows is committed.

pub mod backup;
mod base;
pub mod body;
pub mod catch_up;
pub mod change;
pub mod changes;
pub mod compact;
pub mod config;
mod copy;
mod damage;
pub mod fold;
pub mod identity;
pub mod link;
#[cfg(test)]
mod link_tests;
pub mod lock;
pub mod locks;
pub mod membership;
pub mod peer;
mod picture;
mod post;
mod reach;
pub mod read;
mod reading;
pub mod repair;
pub mod replicas;
mod room;
pub mod scrub;
mod slot;
mod slow;
mod tail;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use parking_lot::Mutex;

use crate::clock::{Clock, Mono};
use crate::id::{Hash128, NodeId, UserName};
use crate::limits::{DISK_LOOK_MS, ERRANDS_QUEUE};
use crate::replica::barrier::Seat;
use crate::replica::version::chain_hash;
use crate::store::{PictureStore, StoreError, UserStore};
use crate::thread::Stop;
use crate::transport::key::Keys;
use crate::wire::message::{Answer, FEATURES, Health, Hello, Message, NotVoting, Reject};
use crate::wire::status::ChangeKind;
use changes::Changes;
use fold::Folds;
use identity::Identity;
use link::{Asker, Heard, Links, Tickets};
use locks::UserLocks;
use membership::{Guest, Membership, Peer};
pub use picture::NotKept;
use replicas::{Errand, Replicas};

/// One backend's part of the cluster.
pub struct Cluster {
    /// This machine's replicas.
    pub local: Replicas,
    /// Who the members are and which can be reached.
    pub members: Membership,
    /// What happened to the machines lately.
    pub changes: Changes,
    /// The pictures on this machine's disk.
    pub pictures: PictureStore,
    /// How many that posts refer to are not there, as far as was looked.
    pictures_missing: AtomicU32,
    /// The system's clocks.
    pub clock: Clock,
    locks: UserLocks,
    folds: Folds,
    links: Links,
    tickets: Tickets,
    change: change::Change,
    errands: Receiver<Errand>,
    compare_wanted: AtomicBool,
    /// How often in a row each peer's sum differed, and what it last said when it turned us away.
    words: Mutex<BTreeMap<NodeId, Words>>,
    fatal: Mutex<Option<Reject>>,
    stop: Stop,
}

#[derive(Default)]
struct Words {
    differed: u32,
    rejected: Option<Reject>,
    /// How it voted when it last told: why not, and on how many users not for damage.
    votes: Option<(Option<NotVoting>, u32)>,
}

/// What a backend is started with.
pub struct Start {
    /// Its identity on disk.
    pub node: Identity,
    /// Its files.
    pub store: UserStore,
    /// Its pictures.
    pub pictures: PictureStore,
    /// The keys under which peers meet.
    pub keys: Keys,
    /// What its keeper calls it.
    pub name: String,
    /// The clocks.
    pub clock: Clock,
    /// Closed when the process is to end.
    pub stop: Stop,
    /// 128 random bits that name this process.
    pub process: Hash128,
}

impl Cluster {
    /// Reads all files and makes ready; the links work once `run_links` was called.
    ///
    /// # Errors
    /// A damaged or unreadable file.
    pub fn open(start: Start) -> Result<Self, StoreError> {
        let Start { node: identity, store, pictures, keys, name, clock, stop, process } = start;
        let numbers = identity.config().nodes();
        let is_alone = identity.is_alone();
        let (errands, receiver) = bounded(ERRANDS_QUEUE);
        let members = Membership::new(identity.node, name, numbers, process, clock.clone());
        let cluster = Self {
            local: Replicas::load(identity, store, errands, clock.clone(), stop.clone())?,
            members,
            changes: Changes::new(clock.clone()),
            pictures,
            pictures_missing: AtomicU32::new(0),
            clock,
            locks: UserLocks::new(),
            folds: Folds::default(),
            links: Links::new(keys),
            tickets: Tickets::default(),
            change: change::Change::new(),
            errands: receiver,
            compare_wanted: AtomicBool::new(false),
            words: Mutex::default(),
            fatal: Mutex::default(),
            stop,
        };
        if is_alone {
            cluster.local.agree_alone();
        }
        cluster.open_if_met()?;
        Ok(cluster)
    }

    /// Why this machine must end, if another turned it away for good.
    pub fn fatal(&self) -> Option<Reject> {
        self.fatal.lock().clone()
    }

    /// Whether a write would be saved: as many machines as are needed can be reached and vote. One
    /// that is not set up yet cannot tell. `peers` is what [`Membership::peers`] says: asked once for all
    /// that is said together.
    pub fn can_write(&self, peers: &BTreeMap<NodeId, Peer>) -> bool {
        let own = self.local.floors().not_voting.or_else(|| self.local.disk_refusal());
        let voters =
            usize::from(own.is_none()) + peers.values().filter(|peer| peer.votes()).count();
        let is_apart = matches!(own, Some(NotVoting::Joining | NotVoting::Changing));
        !is_apart && voters >= self.members.needed()
    }

    /// Whether the disks of enough machines may take a line: a machine alone finds out by trying, others
    /// would leave it on some disks and tell nobody what became of it.
    pub(super) fn may_have_room(&self) -> bool {
        let count = self.members.count();
        let is_full_here = self.local.disk_refusal().is_some();
        let full = usize::from(is_full_here) + self.members.without_room(is_full_here);
        count == 1 || full + self.members.needed() <= count
    }

    /// Waits as long as this machine's disk hangs, if there are others who can go on without it: a ping is
    /// answered behind it.
    pub fn await_disk(&self) {
        let look = Duration::from_millis(DISK_LOOK_MS);
        let is_of_many = self.members.count() > 1;
        while is_of_many && self.local.is_disk_hanging() && !self.stop.wait(look) {}
    }

    /// What this machine tells of itself in pings.
    pub fn health(&self) -> Health {
        let floors = self.local.floors();
        let damaged = u32::try_from(self.local.damaged_count()).unwrap_or(u32::MAX);
        let not_voting = floors.not_voting.or_else(|| self.local.disk_refusal());
        self.note_votes(self.members.me, not_voting, damaged);
        Health {
            sum: self.local.sum(),
            bootfloor: floors.bootfloor,
            voting: floors.not_voting.is_none(),
            reaches: self.members.live(),
            disk_percent: self.local.store.disk_percent().unwrap_or(0),
            not_voting,
            damaged,
            catching_up: self.members.lacking(),
            standing: Some(self.standing()),
            has_learned: self.change.has_learned.load(Ordering::Acquire),
            features: FEATURES,
            pictures_missing: self.pictures_missing(),
        }
    }

    /// Pauses after `Busy` must differ from machine to machine and user to user; that is all.
    fn seed(&self, user: &UserName) -> u64 {
        let hash = chain_hash(Hash128::default(), &[user.as_str().as_bytes()]);
        let number = u64::from(self.members.me.get());
        hash.0.iter().fold(number, |seed, &byte| seed.rotate_left(7) ^ u64::from(byte)) | 1
    }

    /// A machine says this of itself: whether it is spoken to. One that has started anew holds no
    /// lock any more.
    ///
    /// # Errors
    /// Why not.
    pub fn meet(&self, hello: &Hello) -> Result<Guest, Reject> {
        let before = self.members.peers().remove(&hello.node).and_then(|peer| peer.hello);
        let admitted = self.members.admit(&self.local.node, hello).unwrap_or_else(|error| {
            log::error!(peer = hello.node, error:%; "peer not remembered");
            Err(Reject::Members)
        });
        match admitted {
            Ok(Guest::Other) => Ok(Guest::Other),
            Ok(Guest::Member) => {
                if before.is_some_and(|last| last.boot != hello.boot) {
                    self.local.release_locks_of(hello.node);
                }
                if !self.members.is_up(hello.node) {
                    self.links.nudge(hello.node);
                }
                if let Err(error) = self.open_if_met() {
                    log::error!(error:%; "not opened");
                }
                Ok(Guest::Member)
            }
            Err(why) => {
                self.log_once(hello.node, &why, "peer refused");
                let seat = Seat { node: hello.node, incarnation: hello.incarnation };
                let is_same = hello.learning || hello.members == self.local.node.config().nodes();
                self.passed_over(seat, hello.epoch, is_same);
                Err(why)
            }
        }
    }

    /// A peer turned this machine away.
    fn rejected(&self, by: NodeId, why: &Reject) {
        self.log_once(by, why, "turned away by peer");
        let never_voted = self.local.floors().not_voting == Some(NotVoting::Joining);
        let is_final = matches!(why, Reject::Incarnation | Reject::OldBoot);
        if (is_final && never_voted) || matches!(why, Reject::OldBoot | Reject::Gone) {
            self.end(why.clone());
        }
    }

    /// An old member's list has this number: ends a new machine if that is another list than the one
    /// by which it was to become a member, since the old ones will not take that on any more.
    fn passed_over(&self, by: Seat, epoch: u32, is_same: bool) {
        let config = self.local.node.config();
        let is_old = config.place.before.as_ref().is_some_and(|before| before.has(by));
        if config.is_learning && is_old && epoch == config.place.current.epoch && !is_same {
            self.end(Reject::PassedOver);
        }
    }

    fn end(&self, why: Reject) {
        *self.fatal.lock() = Some(why);
        self.stop.close();
    }

    fn log_once(&self, peer: NodeId, why: &Reject, what: &str) {
        let mut words = self.words.lock();
        let words = words.entry(peer).or_default();
        if words.rejected.as_ref() != Some(why) {
            log::error!(peer, why:%; "{what}");
            words.rejected = Some(why.clone());
        }
    }

    /// Votes from the moment on which every member has been met once: before that a machine set up
    /// anew could pass for one that holds something.
    fn open_if_met(&self) -> Result<(), StoreError> {
        if self.local.node.open_if_all_met()? {
            log::info!(members = self.members.count(); "all members met, voting");
        }
        Ok(())
    }

    /// A peer came or went.
    fn peer_changed(&self, peer: NodeId, change: membership::Change) {
        match change {
            membership::Change::None => {}
            membership::Change::Up => {
                log::info!(peer; "peer up");
                self.changes.note(ChangeKind::Up, peer);
                self.words.lock().entry(peer).or_default().rejected = None;
                self.want_comparison();
            }
            membership::Change::Doubted => self.want_comparison(),
            membership::Change::Down => {
                log::warn!(peer; "peer down");
                self.changes.note(ChangeKind::Down, peer);
                self.local.release_locks_of(peer);
            }
        }
    }

    /// Compares sums; twice different in a row, and what is held is compared at length.
    fn compare_sums(&self, peer: NodeId, health: &Health) {
        self.note_votes(peer, health.not_voting, health.damaged);
        let is_same = health.sum == self.local.sum();
        if is_same && self.members.is_same(peer) {
            self.changes.note(ChangeKind::CaughtUp, peer);
        }
        let mut words = self.words.lock();
        let words = words.entry(peer).or_default();
        words.differed = if is_same { 0 } else { words.differed + 1 };
        if words.differed >= 2 {
            self.want_comparison();
        }
    }

    /// Takes note of a machine that votes otherwise than when it last told.
    fn note_votes(&self, node: NodeId, not_voting: Option<NotVoting>, damaged: u32) {
        let now = (not_voting, damaged);
        let before = self.words.lock().entry(node).or_default().votes.replace(now);
        let (was_voting, were_damaged) = before.unwrap_or(now);
        match (was_voting, not_voting) {
            (Some(why), None) if why.is_of_disk() => {
                self.changes.note(ChangeKind::VotingAgain, node);
            }
            (None, Some(why)) if why.is_of_disk() => {
                self.changes.note(ChangeKind::VoteRefused, node);
            }
            // Being set up, and a change of the members, are told by what ends them.
            _ => {}
        }
        if node == self.members.me {
            // Told by what finds and repairs it, which may be quicker than the next ping.
        } else if damaged > were_damaged {
            self.changes.note(ChangeKind::DamageFound, node);
        } else if damaged < were_damaged && damaged == 0 {
            self.changes.note(ChangeKind::Repaired, node);
        }
    }

    /// Asks one peer one thing and waits for the answer.
    fn ask_until(&self, peer: NodeId, message: Message, until: Mono) -> Option<(Answer, Vec<u8>)> {
        let answers = self.ask(peer, message, until);
        answers.recv_timeout(until.left(self.clock.mono())).ok()?.answer
    }

    /// Asks one peer one thing. Where the answer comes, or the word that none will.
    fn ask(&self, peer: NodeId, message: Message, until: Mono) -> Receiver<Heard> {
        // Room for the one answer.
        let (answers, heard) = bounded(1);
        let asker = Asker { answers, ticket: self.tickets.next() };
        let when = (until, self.local.floors().epoch);
        self.links.send(peer, (message, Arc::default()), Some(asker), when);
        heard
    }

    /// Has a write whose outcome is not known settled as soon as can be.
    pub fn settle_later(&self, user: &UserName) {
        self.local.errand(Errand::Settle(user.clone()));
    }

    /// For how long no majority has been in touch, in milliseconds; `None` while one is.
    pub fn cut_off_ms(&self) -> Option<u64> {
        self.members.cut_off().map(|(ms, _)| ms)
    }

    /// Waits up to `timeout`; true as soon as the process is to end.
    pub fn wait_stopped(&self, timeout: std::time::Duration) -> bool {
        self.stop.wait(timeout)
    }

    /// When an act that begins now must have its outcome.
    pub fn deadline(&self, ms: u64) -> Mono {
        self.clock.mono().plus_ms(ms)
    }
}
