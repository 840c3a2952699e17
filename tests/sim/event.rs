//! What can happen, when, and what is sent: the queue from which a run takes one event after another.

use std::collections::{BTreeMap, VecDeque};

use tern::clock::{Mono, Wall};
use tern::id::{Hash128, NodeId, PostId, RequestKey, UserName};
use tern::replica::acceptor::Proposal;
use tern::replica::barrier::{Seat, Standing};
use tern::replica::version::{Term, Version};
use tern::replica::{Reply, State};

use crate::net::Net;
use crate::oracle::Oracle;
use crate::random::Random;

/// Lines of the trace that are kept to be shown with a failure.
const TRACE_KEPT: usize = 120;
/// The wall clock when a run begins: late in 2023.
const WALL_START_MS: u64 = 1_700_000_000_000;

/// A question from one machine to another.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Lock { user: UserName, term: Term, have: Version },
    Sync { user: UserName, proposal: Proposal, bytes: Vec<u8> },
    Unlock { user: UserName, term: Term, com: Option<Version> },
    Read { user: UserName },
    Fetch { user: UserName },
    Sums,
    Ping(Told),
}

/// What a machine says of itself with each ping.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) boot: u32,
    pub(crate) bootfloor: Term,
    pub(crate) standing: Standing,
}

#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Reply(Reply, Vec<u8>),
    Body(Vec<u8>),
    Rows(Vec<(UserName, State, bool)>),
    Pong(Told),
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Ask(Ask),
    Answer(Answer),
}

#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) from: Seat,
    /// The sender's life: who has heard of a later one does not listen.
    pub(crate) boot: u32,
    pub(crate) to: Seat,
    pub(crate) epoch: u32,
    /// Names the question, among all of its asker.
    pub(crate) number: u64,
    pub(crate) content: Content,
}

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Join,
    Post(String),
    Delete(PostId),
    Follow(UserName),
    Unfollow(UserName),
    Leave,
    /// What is committed now.
    Read,
    /// What this machine shows, at least up to a version.
    View(Version),
}

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) client: usize,
    /// Which act of the history, and which sending of it.
    pub(crate) act: usize,
    pub(crate) sending: u32,
    pub(crate) user: UserName,
    pub(crate) key: RequestKey,
    pub(crate) digest: Hash128,
    pub(crate) what: What,
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done as of this version; `recorded` if the request's id must stand in the file.
    Saved { version: Version, recorded: bool, post: Option<PostId> },
    /// Nothing to be done, as of this version, and why.
    Refused { version: Version, why: &'static str },
    /// What a read found: the version, and how many requests were ever recorded.
    Seen { version: Version, ops: u64 },
    /// Nothing was saved.
    Nothing,
    /// Nobody knows.
    Unknown,
}

/// Something that a process set itself an alarm for.
#[derive(Debug, Clone)]
pub(crate) enum Alarm {
    Flushed(UserName),
    NodeFlushed,
    Act(u64, Mono),
    Unanswered(u64),
    Read(u64),
    Behind(UserName, Version),
    Settle(UserName),
    Ping,
    CatchUp,
    Repair,
    Scrub,
}

#[derive(Debug, Clone)]
pub(crate) enum Event {
    Deliver(Packet),
    Alarm {
        node: NodeId,
        life: u64,
        alarm: Alarm,
    },
    Request {
        to: NodeId,
        request: Request,
    },
    Told {
        request: Request,
        verdict: Verdict,
    },
    /// A client looks whether it has something to do, or waits no longer.
    Client {
        client: usize,
        waited_for: Option<(usize, u32)>,
    },
    Fault,
    Restart(NodeId),
    /// In the middle of a write.
    PowerCut(NodeId),
    Operator,
}

/// Counts of what happened, so that nobody wonders whether a run exercised anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Totals(pub(crate) BTreeMap<&'static str, u64>);

impl Totals {
    pub(crate) fn add(&mut self, what: &'static str, count: u64) {
        *self.0.entry(what).or_default() += count;
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, count)| self.add(what, *count));
    }

    pub(crate) fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all: Vec<String> =
            self.0.iter().map(|(what, count)| format!("{what} {count}")).collect();
        f.write_str(&all.join(", "))
    }
}

/// Readable lines, the last of which are kept, and a hash of all.
pub(crate) struct Trace {
    kept: VecDeque<String>,
    pub(crate) hash: u64,
    is_printed: bool,
}

impl Trace {
    pub(crate) fn new(is_printed: bool) -> Self {
        Self { kept: VecDeque::new(), hash: 0xcbf2_9ce4_8422_2325, is_printed }
    }

    pub(crate) fn line(&mut self, line: String) {
        // FNV-1a. Source: Fowler, Noll and Vo.
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        if self.is_printed {
            println!("{line}");
        }
        if self.kept.len() == TRACE_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(line);
    }

    pub(crate) fn tail(&self) -> String {
        self.kept.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

/// What all parts of a run share.
pub(crate) struct Ctx {
    pub(crate) now: u64,
    queue: BTreeMap<(u64, u64), Event>,
    pushed: u64,
    pub(crate) random: Random,
    pub(crate) net: Net,
    pub(crate) oracle: Oracle,
    pub(crate) trace: Trace,
    pub(crate) totals: Totals,
    /// Whether waiting acts of one user are folded into one line.
    pub(crate) folds: bool,
    lives: u64,
}

impl Ctx {
    pub(crate) fn new(seed: u64, is_printed: bool) -> Self {
        Self {
            now: 0,
            queue: BTreeMap::new(),
            pushed: 0,
            random: Random::new(seed),
            net: Net::default(),
            oracle: Oracle::default(),
            trace: Trace::new(is_printed),
            totals: Totals::default(),
            folds: false,
            lives: 0,
        }
    }

    pub(crate) fn at(&mut self, at: u64, event: Event) {
        self.pushed += 1;
        self.queue.insert((at.max(self.now), self.pushed), event);
    }

    pub(crate) fn after(&mut self, ms: u64, event: Event) {
        self.at(self.now + ms, event);
    }

    pub(crate) fn next(&mut self) -> Option<Event> {
        let ((at, _), event) = self.queue.pop_first()?;
        self.now = at;
        Some(event)
    }

    pub(crate) fn wall(&self) -> Wall {
        Wall(WALL_START_MS + self.now)
    }

    pub(crate) fn life(&mut self) -> u64 {
        self.lives += 1;
        self.lives
    }

    pub(crate) fn trace(&mut self, who: NodeId, what: std::fmt::Arguments<'_>) {
        self.trace.line(format!("{:>7} {who} {what}", self.now));
    }

    /// Gives a packet to the network, which may lose, delay or double it.
    pub(crate) fn send(&mut self, packet: Packet) {
        for delay in self.net.carry(&packet, &mut self.random) {
            self.after(delay, Event::Deliver(packet.clone()));
        }
    }
}
