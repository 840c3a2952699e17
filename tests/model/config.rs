//! What a run of the model explores: machines, clients' acts, and how much may go wrong.

use tern::id::{Hash128, NodeId};
use tern::replica::barrier::{Phase, Place, Roster, Seat};

use crate::history::Ask;

/// One configuration of the model.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) name: &'static str,
    /// The members at the beginning; every machine stands in it, and in `joining`.
    pub(crate) members: Roster,
    /// Machines that are not members yet.
    pub(crate) joining: Vec<Seat>,
    pub(crate) acts: Vec<Plan>,
    pub(crate) turn: Turn,
    pub(crate) may: May,
    /// Which machines may crash, be wiped, lose a file, or compare.
    pub(crate) frail: Vec<usize>,
    /// A machine that cannot raise its ceiling in its first life: its disk is full.
    pub(crate) full_disk: Option<usize>,
    /// Changes of members that the operator asks for.
    pub(crate) changes: Vec<Roster>,
}

/// When an act may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// At any time.
    Any,
    /// Once the act before it has begun: leaves out orders that differ in little else.
    Begun,
    /// Once the act before it was answered: one client.
    Answered,
}

/// A client's act.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) ask: Ask,
    /// Where it is begun first.
    pub(crate) home: usize,
    /// How often it may be begun: anew when outpaced, again by a client that was not answered.
    pub(crate) tries: u8,
}

/// How often each of these may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct May {
    /// Attempts at locking, by all together: two coordinators may outpace each other for ever.
    pub(crate) locks: u8,
    pub(crate) crashes: u8,
    /// An UNLOCK arrives, and tells what is committed.
    pub(crate) unlocks: u8,
    /// A deadline passes.
    pub(crate) timeouts: u8,
    /// A coordinator takes one member for gone.
    pub(crate) silences: u8,
    /// What is known to be committed and not held is fetched.
    pub(crate) fetches: u8,
    /// A directory is emptied.
    pub(crate) wipes: u8,
    /// A file is lost, and that is found out.
    pub(crate) losses: u8,
    pub(crate) repairs: u8,
    pub(crate) compares: u8,
    /// What is left of an ended account is removed; only where that mistake is made.
    pub(crate) collects: u8,
}

pub(crate) fn node(number: u16) -> NodeId {
    NodeId::new(number).unwrap()
}

/// Machine `number` in life `life` of its directory.
pub(crate) fn seat(number: u16, life: u8) -> Seat {
    Seat { node: node(number), incarnation: Hash128([life; 16]) }
}

pub(crate) fn roster(epoch: u32, seats: &[Seat]) -> Roster {
    let mut digest = [u8::try_from(epoch).unwrap(); 16];
    for seat in seats {
        digest[usize::from(seat.node.get())] = seat.incarnation.0[0];
    }
    let mut seats = seats.to_vec();
    seats.sort_unstable();
    Roster { epoch, digest: Hash128(digest), seats }
}

/// A configuration in which everybody may vote.
pub(crate) fn open(roster: &Roster) -> Place {
    Place { current: roster.clone(), phase: Phase::Open, before: None, ready_for: None }
}

impl Config {
    /// Three machines and some acts; nothing goes wrong but with messages.
    pub(crate) fn new(name: &'static str, acts: &[(Ask, usize, u8)]) -> Self {
        let plan = |(ask, home, tries): &(Ask, usize, u8)| Plan {
            ask: ask.clone(),
            home: *home,
            tries: *tries,
        };
        Self {
            name,
            members: roster(1, &[seat(1, 1), seat(2, 1), seat(3, 1)]),
            joining: Vec::new(),
            acts: acts.iter().map(plan).collect(),
            may: May { locks: 4, ..May::default() },
            turn: Turn::Any,
            frail: vec![0, 1, 2],
            full_disk: None,
            changes: Vec::new(),
        }
    }

    #[must_use]
    pub(crate) fn may(mut self, change: impl FnOnce(&mut May)) -> Self {
        change(&mut self.may);
        self
    }

    #[must_use]
    pub(crate) fn turn(mut self, turn: Turn) -> Self {
        self.turn = turn;
        self
    }

    /// The operator asks for this list of members, some of which are new machines.
    #[must_use]
    pub(crate) fn change(mut self, epoch: u32, seats: &[Seat]) -> Self {
        let is_new = |seat: &&Seat| !self.members.has(**seat) && !self.joining.contains(*seat);
        let new: Vec<Seat> = seats.iter().filter(is_new).copied().collect();
        self.joining.extend(new);
        self.changes.push(roster(epoch, seats));
        self
    }

    #[must_use]
    pub(crate) fn frail(mut self, machines: &[usize]) -> Self {
        self.frail = machines.to_vec();
        self
    }
}
