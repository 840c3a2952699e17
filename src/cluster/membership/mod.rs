//! Who the members are, which of them can be reached, and how this machine stands to a majority.
//!
//! Reachability is a guess that saves time; nothing about safety rests on it.

#[cfg(test)]
mod tests;
#[cfg(test)]
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;

use super::identity::Identity;
use crate::clock::{Clock, Mono, Wall};
use crate::id::{Hash128, NodeId, UserName};
use crate::limits::{FIRST_AGREEMENT_MS, OUT_OF_TOUCH_MS, PAGES_FOLLOW_MS};
use crate::replica::NotVoting;
use crate::replica::barrier::{Phase, Seat};
use crate::replica::quorum::majority;
use crate::store::StoreError;
use crate::wire::message::{Health, Hello, PROTO_MAX, PROTO_MIN, Reject};

/// The members of the cluster as this machine sees them.
pub struct Membership {
    /// This machine's number.
    pub me: NodeId,
    /// What its keeper calls it.
    pub name: String,
    /// Names this process: two with one boot count are one directory copied.
    process: Hash128,
    clock: Clock,
    seen: Mutex<Seen>,
}

struct Seen {
    /// All members' numbers, this machine included, sorted.
    members: Vec<NodeId>,
    peers: BTreeMap<NodeId, Peer>,
    started: Mono,
    /// When a majority was last in touch, this machine included, and nothing that it may have done missing here.
    majority_at: Option<(Mono, Wall)>,
    /// When it last turned out that others may have done something without a word of it to this machine.
    doubted_at: Mono,
    /// When the last comparison of what this machine holds with a majority began.
    agreed_at: Option<Mono>,
    /// Of which users this machine knows to lack something.
    lacking: BTreeSet<UserName>,
}

/// What is known of a peer.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// Whether it answers.
    pub is_up: bool,
    /// Since when it does not, if it ever did or ever was waited for.
    pub down_since: Option<Wall>,
    /// What it said of itself at the last meeting.
    pub hello: Option<Hello>,
    /// How it was when it last told.
    pub health: Option<Health>,
    /// Of how many users it holds less than this machine, by the last comparison.
    pub differing: Option<u32>,
    /// When the last ping was sent that it answered.
    heard_at: Option<Mono>,
}

impl Peer {
    /// Whether it answers, votes, and its disk takes what it votes for, as far as it told.
    pub fn votes(&self) -> bool {
        self.is_up && self.has_room() && self.health.as_ref().is_none_or(|health| health.voting)
    }

    fn has_room(&self) -> bool {
        let why = self.health.as_ref().and_then(|health| health.not_voting);
        !why.is_some_and(NotVoting::is_of_disk)
    }

    /// Whether it answers and says that it does without `me`.
    fn gave_up(&self, me: NodeId) -> bool {
        self.is_up && self.health.as_ref().is_some_and(|health| !health.reaches.contains(&me))
    }
}

impl Seen {
    /// Whether no majority answers, or for so long none answered a ping that others may have given this machine
    /// up, which may have stood still meanwhile without knowing.
    fn is_out_of_touch(&self, now: Mono) -> bool {
        let Some(others) = majority(self.members.len()).checked_sub(2) else { return false };
        let up = self.peers.values().filter(|peer| peer.is_up);
        let mut heard: Vec<Mono> = up.filter_map(|peer| peer.heard_at).collect();
        heard.sort_unstable_by(|a, b| b.cmp(a));
        heard.get(others).is_none_or(|&at| now.since_ms(at) > OUT_OF_TOUCH_MS)
    }

    fn has_agreed(&self) -> bool {
        self.members.len() == 1 || self.agreed_at.is_some()
    }

    fn is_doubted(&self) -> bool {
        self.members.len() > 1 && self.agreed_at.is_none_or(|at| at < self.doubted_at)
    }

    /// What is held here is what a majority holds, if one is in touch and nothing of it lacks or is in doubt.
    fn note_majority(&mut self, now: (Mono, Wall)) {
        let up = 1 + self.peers.values().filter(|peer| peer.is_up).count();
        if up >= majority(self.members.len()) && !self.is_doubted() && self.lacking.is_empty() {
            self.majority_at = Some(now);
        }
    }
}

/// As what a machine is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guest {
    /// A member of the list in force here.
    Member,
    /// One that knows another list, or that a change is to make one: it may ask what is held here,
    /// and has no part in anything else.
    Other,
}

/// What changed by a peer's word, for the caller to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// It has come (back): compare what both hold.
    Up,
    /// It may have done something without a word of it to this machine: compare what both hold.
    Doubted,
    /// It is gone: its locks are void.
    Down,
}

impl Membership {
    /// The members `members`, none of whose peers has been met yet.
    pub fn new(
        me: NodeId,
        name: String,
        members: Vec<NodeId>,
        process: Hash128,
        clock: Clock,
    ) -> Self {
        let peers = members.iter().filter(|&&node| node != me);
        let now = (clock.mono(), clock.wall());
        let seen = Seen {
            peers: peers
                .map(|&node| (node, Peer { down_since: Some(now.1), ..Peer::default() }))
                .collect(),
            members: members.clone(),
            started: now.0,
            majority_at: (majority(members.len()) == 1).then_some(now),
            doubted_at: now.0,
            agreed_at: None,
            lacking: BTreeSet::new(),
        };
        Self { me, name, process, clock, seen: Mutex::new(seen) }
    }

    /// All members' numbers, this machine included, sorted.
    pub fn members(&self) -> Vec<NodeId> {
        self.seen.lock().members.clone()
    }

    /// How many members there are.
    pub fn count(&self) -> usize {
        self.seen.lock().members.len()
    }

    /// Another list of members is in force: `fresh` of them are machines that were never met.
    pub fn now(&self, members: Vec<NodeId>, fresh: &[NodeId]) {
        let mut seen = self.seen.lock();
        let wall = self.clock.wall();
        seen.peers.retain(|node, _| members.contains(node) && !fresh.contains(node));
        for &node in members.iter().filter(|&&node| node != self.me) {
            let unmet = || Peer { down_since: Some(wall), ..Peer::default() };
            seen.peers.entry(node).or_insert_with(unmet);
        }
        if majority(members.len()) == 1 {
            seen.majority_at = Some((self.clock.mono(), wall));
        }
        seen.members = members;
    }

    /// What this machine says of itself when it meets another.
    pub fn hello(&self, node: &Identity) -> Hello {
        let config = node.config();
        Hello {
            proto_min: PROTO_MIN,
            proto_max: PROTO_MAX,
            cluster: node.cluster,
            node: self.me,
            incarnation: node.incarnation,
            boot: node.boot,
            process: self.process,
            bootfloor: node.bootfloor(),
            members: config.nodes(),
            epoch: config.place.current.epoch,
            learning: config.is_learning,
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Judges a machine that says this of itself. A member met for the first time is remembered for
    /// good: from then on another data directory under its number is another machine.
    ///
    /// # Errors
    /// Outer: `node.json` could not be written. Inner: why it is not spoken to.
    pub fn admit(
        &self,
        node: &Identity,
        hello: &Hello,
    ) -> Result<Result<Guest, Reject>, StoreError> {
        if hello.proto_min > PROTO_MAX || hello.proto_max < PROTO_MIN {
            return Ok(Err(Reject::Protocol));
        }
        if hello.cluster != node.cluster {
            return Ok(Err(Reject::Cluster));
        }
        let config = node.config();
        let mine = config.place.current.epoch;
        // Not while a change is under way: then the lists differ, as they should.
        if hello.epoch == mine && !hello.learning && hello.members != config.nodes() {
            return Ok(Err(Reject::Members));
        }
        let seat = Seat { node: hello.node, incarnation: hello.incarnation };
        let is_former = config.place.before.as_ref().is_some_and(|before| before.has(seat));
        let is_unmet =
            config.offer.current.members.iter().any(|one| {
                one.node == hello.node && one.incarnation.is_none() && hello.epoch == mine
            });
        if !config.place.current.has(seat) && !is_unmet || seat == node.seat() {
            let is_ahead = hello.learning || hello.epoch > mine;
            let is_known = is_former && node.saw(hello)?;
            return Ok(if seat != node.seat() && (is_ahead || is_known) {
                Ok(Guest::Other)
            } else if is_former {
                Err(Reject::OldBoot)
            } else if hello.epoch < mine && config.place.phase == Phase::Open {
                Err(Reject::Gone)
            } else if config.seat(hello.node).is_some() {
                Err(Reject::Incarnation)
            } else {
                Err(Reject::Members)
            });
        }
        if !node.pin(hello.node, hello.incarnation)? {
            return Ok(Err(Reject::Incarnation));
        }
        if !node.saw(hello)? {
            return Ok(Err(Reject::OldBoot));
        }
        let mut seen = self.seen.lock();
        let Some(peer) = seen.peers.get_mut(&hello.node) else { return Ok(Err(Reject::Members)) };
        if let Some(last) = &peer.hello
            && (hello.boot < last.boot
                || (hello.boot == last.boot && hello.process != last.process))
        {
            return Ok(Err(Reject::OldBoot));
        }
        peer.hello = Some(hello.clone());
        Ok(Ok(Guest::Member))
    }

    /// Whether nobody has said hello as that member since.
    pub fn is_latest(&self, hello: &Hello) -> bool {
        let seen = self.seen.lock();
        let last = seen.peers.get(&hello.node).and_then(|peer| peer.hello.as_ref());
        last.is_some_and(|last| (last.boot, last.process) == (hello.boot, hello.process))
    }

    /// The newest protocol version that this machine and a peer speak; 0 as long as they have not met.
    pub fn proto(&self, peer: NodeId) -> u16 {
        let seen = self.seen.lock();
        let hello = seen.peers.get(&peer).and_then(|peer| peer.hello.as_ref());
        hello.map_or(0, Hello::proto)
    }

    /// A peer answered a ping that was sent then.
    pub fn answered(&self, from: NodeId, health: Health, sent: Mono) -> Change {
        let now = (self.clock.mono(), self.clock.wall());
        let mut seen = self.seen.lock();
        let was_apart = seen.is_out_of_touch(now.0);
        let Some(peer) = seen.peers.get_mut(&from) else { return Change::None };
        let is_doubted = was_apart || peer.gave_up(self.me);
        let change = match (peer.is_up, is_doubted) {
            (false, _) => Change::Up,
            (true, true) => Change::Doubted,
            (true, false) => Change::None,
        };
        peer.is_up = true;
        peer.down_since = None;
        peer.health = Some(health);
        peer.heard_at = Some(sent);
        if is_doubted {
            seen.doubted_at = now.0;
        }
        seen.note_majority(now);
        change
    }

    /// A peer refused or reset a connection, or was silent for too long.
    pub fn gone(&self, from: NodeId) -> Change {
        let mut seen = self.seen.lock();
        let Some(peer) = seen.peers.get_mut(&from) else { return Change::None };
        if !peer.is_up {
            return Change::None;
        }
        peer.is_up = false;
        peer.down_since = Some(self.clock.wall());
        Change::Down
    }

    /// The members that are not suspected, this machine first.
    pub fn live(&self) -> Vec<NodeId> {
        let seen = self.seen.lock();
        let up = seen.peers.iter().filter(|(_, peer)| peer.is_up).map(|(&node, _)| node);
        std::iter::once(self.me).chain(up).collect()
    }

    /// Whether this peer is not suspected.
    pub fn is_up(&self, node: NodeId) -> bool {
        node == self.me || self.seen.lock().peers.get(&node).is_some_and(|peer| peer.is_up)
    }

    /// The highest round that a live peer refuses since its start.
    pub fn round_floor(&self) -> u64 {
        let seen = self.seen.lock();
        let floors = seen.peers.values().filter(|peer| peer.is_up);
        floors.filter_map(|peer| peer.hello.as_ref()).map(|h| h.bootfloor.round).max().unwrap_or(0)
    }

    /// How many must agree.
    pub fn needed(&self) -> usize {
        majority(self.count())
    }

    /// How many of the others said last that their disks are full; or do not answer, where one is full: else only
    /// trying tells whether they will.
    pub fn without_room(&self, is_full_here: bool) -> usize {
        let seen = self.seen.lock();
        let is_one_full = is_full_here || seen.peers.values().any(|peer| !peer.has_room());
        let lacks = |peer: &&Peer| !peer.has_room() || is_one_full && !peer.is_up;
        seen.peers.values().filter(lacks).count()
    }

    /// Whether a majority can be reached.
    pub fn has_majority(&self) -> bool {
        self.live().len() >= self.needed()
    }

    /// For how long no majority has been in touch, in milliseconds, and of when what is held here is, if that
    /// can be said: `None` while one is.
    pub fn cut_off(&self) -> Option<(u64, Option<Wall>)> {
        if self.has_majority() {
            return None;
        }
        let seen = self.seen.lock();
        let now = self.clock.mono();
        Some(match seen.majority_at {
            Some((at, wall)) => (now.since_ms(at), Some(wall)),
            None => (now.since_ms(seen.started), None),
        })
    }

    /// Of when what is held here is, if that can be said, where it is not what a majority holds: while none is in
    /// touch, or where it has been known for more than a moment that something lacks here, as on a full disk.
    pub fn left_behind(&self) -> Option<Option<Wall>> {
        if let Some((_, since)) = self.cut_off() {
            return Some(since);
        }
        let seen = self.seen.lock();
        let is_long = |(at, _): &(Mono, Wall)| self.clock.mono().since_ms(*at) > PAGES_FOLLOW_MS;
        let is_behind = !seen.lacking.is_empty() && seen.majority_at.as_ref().is_none_or(is_long);
        is_behind.then(|| seen.majority_at.map(|(_, wall)| wall))
    }

    /// Takes note of a comparison that began then: of how many users each peer holds less than this machine.
    /// Whether it was one with a majority.
    pub fn compared(&self, differing: &BTreeMap<NodeId, u32>, began: Mono) -> bool {
        let mut seen = self.seen.lock();
        for (node, count) in differing {
            if let Some(peer) = seen.peers.get_mut(node) {
                peer.differing = Some(*count);
            }
        }
        let is_of_majority = differing.len() + 1 >= majority(seen.members.len());
        if is_of_majority {
            seen.agreed_at = seen.agreed_at.max(Some(began));
        }
        seen.note_majority((self.clock.mono(), self.clock.wall()));
        is_of_majority
    }

    /// A peer holds the same as this machine. True if it did not by the last comparison.
    pub fn is_same(&self, node: NodeId) -> bool {
        let mut seen = self.seen.lock();
        let Some(peer) = seen.peers.get_mut(&node) else { return false };
        let differing = peer.differing.as_mut().map(std::mem::take);
        differing.is_some_and(|count| count > 0)
    }

    /// Takes note of users of whom this machine lacks something.
    pub fn lacks(&self, users: impl IntoIterator<Item = UserName>) {
        self.seen.lock().lacking.extend(users);
    }

    /// A comparison with a majority found that these are all of whom it lacks something.
    pub fn lacks_only(&self, users: BTreeSet<UserName>) {
        self.seen.lock().lacking = users;
    }

    /// Nothing lacks of this user.
    pub fn has(&self, user: &UserName) {
        self.seen.lock().lacking.remove(user);
    }

    /// Whether this machine knows to lack something of a user.
    pub fn lacks_of(&self, user: &UserName) -> bool {
        self.seen.lock().lacking.contains(user)
    }

    /// Of how many users this machine knows to lack something.
    pub fn lacking(&self) -> u32 {
        u32::try_from(self.seen.lock().lacking.len()).unwrap_or(u32::MAX)
    }

    /// Whether there was a comparison with a majority since the start.
    pub fn has_agreed(&self) -> bool {
        self.seen.lock().has_agreed()
    }

    /// Whether it is time to compare with a majority: there was no comparison since the start, or since
    /// others may have done something without a word of it to this machine.
    pub fn is_doubted(&self) -> bool {
        self.seen.lock().is_doubted()
    }

    /// Whether what is held here may be old. A machine that stood still finds that out by its clock, before
    /// it hears of anybody; one that others gave up for another reason, as they answer its next ping.
    pub fn may_be_old(&self) -> bool {
        let seen = self.seen.lock();
        seen.is_doubted()
            || seen.is_out_of_touch(self.clock.mono())
            || seen.peers.values().any(|peer| peer.gave_up(self.me))
    }

    /// Whether lists may be served: after the first comparison, or when waiting for it is over.
    pub fn serves_lists(&self) -> bool {
        let seen = self.seen.lock();
        seen.has_agreed() || self.clock.mono().since_ms(seen.started) >= FIRST_AGREEMENT_MS
    }

    /// A copy of what is known of each peer.
    pub fn peers(&self) -> BTreeMap<NodeId, Peer> {
        self.seen.lock().peers.clone()
    }
}
