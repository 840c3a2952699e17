//! One machine: the production core's parts, and beside them what the shell keeps for them.

use tern::id::NodeId;
use tern::limits::CEILING_STEP;
use tern::replica::acceptor::{Acceptor, Floors};
use tern::replica::barrier::{Place, Seat};
use tern::replica::coordinator::Coordinator;
use tern::replica::digest::Row;
use tern::replica::mistake::{Mistake, is_made};
use tern::replica::reader::Reader;
use tern::replica::restart;
use tern::replica::version::{Term, Version};

use crate::file::{File, Line};
use crate::history::Act;
use crate::shared::Shared;

/// A machine. The first fields are on its disk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Machine {
    pub(crate) seat: Seat,
    pub(crate) boot: u32,
    pub(crate) ceiling: u64,
    /// Where it stands between configurations, as its disk says.
    pub(crate) kept_place: Shared<Place>,
    pub(crate) is_marked: bool,
    pub(crate) file: File,
    /// The highest term that others were told is promised here; known to nobody.
    pub(crate) told: Term,
    // From here on: memory.
    pub(crate) place: Shared<Place>,
    pub(crate) bootfloor: Term,
    pub(crate) acceptor: Acceptor,
    /// What is known to be committed and not held here: an errand for catch-up.
    pub(crate) behind: Version,
    pub(crate) coordinator: Coordinator,
    pub(crate) job: Job,
    /// Whether it has copied what the old configuration left.
    pub(crate) has_installed: bool,
}

/// What a machine is doing for somebody. One thing at a time, as the lock of a user wants it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    /// Nothing.
    None,
    /// Something that takes the lock.
    Lock(Lock),
    /// A linearizable read.
    Read(Act, u8, Reader),
    /// A comparison of all machines' copies; a number that names it.
    Compare(u8, Vec<Row>),
}

/// On whose behalf the lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Why {
    /// To write a client's act.
    Write(Act),
    /// To settle what a client's reading found unsettled.
    Settle(Act),
    /// To rebuild the own file.
    Repair,
}

/// What `UserGuard` keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lock {
    pub(crate) why: Why,
    /// The question that is under way: answers to others are stale.
    pub(crate) asked: Question,
    /// Files that came with grants.
    pub(crate) bodies: Vec<(NodeId, File)>,
    /// The file that the lock was granted on.
    pub(crate) base: File,
    /// The line being written.
    pub(crate) line: Option<Line>,
}

/// A question of a coordinator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// None yet.
    None,
    /// For the lock.
    Lock(Term),
    /// To accept a version.
    Sync(Version),
}

impl Machine {
    /// A machine with an empty directory that holds this configuration. Mirrors `Identity::start`.
    pub(crate) fn new(seat: Seat, place: Shared<Place>) -> Self {
        let boot = 0;
        let mut machine = Self {
            seat,
            boot,
            ceiling: 0,
            kept_place: place.clone(),
            is_marked: false,
            file: File::default(),
            told: Term::default(),
            place,
            bootfloor: Term::default(),
            acceptor: restart::replica(File::default().state(), false),
            behind: Version::ZERO,
            coordinator: Coordinator::new(seat.node, boot, 1),
            job: Job::None,
            has_installed: false,
        };
        machine.start();
        machine
    }

    /// What the machine as a whole has promised and may do. Mirrors `Identity::floors`.
    pub(crate) fn floors(&self) -> Floors {
        Floors {
            epoch: self.place.current.epoch,
            bootfloor: self.bootfloor,
            ceiling: self.ceiling,
            not_voting: self.place.not_voting(self.seat),
        }
    }

    /// A process begins: all it knows is on the disk. Mirrors `Identity::start` and
    /// `Replicas::load_one`.
    pub(crate) fn start(&mut self) {
        self.boot = restart::next_boot(self.boot).unwrap();
        self.place = self.kept_place.clone();
        self.bootfloor = restart::bootfloor(self.place.current.epoch, self.ceiling);
        self.acceptor = restart::replica(self.file.state(), self.is_marked);
        self.behind = Version::ZERO;
        self.coordinator = Coordinator::new(self.seat.node, self.boot, 1);
        self.job = Job::None;
        self.has_installed = false;
    }

    /// A new ceiling is on the disk. Rounded up to whole steps: any higher one would do as well,
    /// and so machines that differ in nothing else do not differ in it.
    pub(crate) fn raise_ceiling(&mut self, to: u64) {
        self.ceiling = to.next_multiple_of(CEILING_STEP);
    }

    /// A configuration, or how far this machine is with it, is on the disk before it is told.
    pub(crate) fn take_place(&mut self, place: Place) {
        let place = Shared::new(place);
        if !is_made(Mistake::EpochVolatile) {
            self.kept_place = place.clone();
        }
        self.place = place;
    }

    /// Whether the cluster it knows counts it in.
    pub(crate) fn is_member(&self) -> bool {
        self.place.current.has(self.seat)
    }

    pub(crate) fn is_free(&self) -> bool {
        self.job == Job::None
    }

    /// What the lock's keeper waits for.
    pub(crate) fn question(&self) -> Question {
        match &self.job {
            Job::Lock(lock) => lock.asked,
            Job::None | Job::Read(..) | Job::Compare(..) => Question::None,
        }
    }

    pub(crate) fn lock(&mut self) -> &mut Lock {
        match &mut self.job {
            Job::Lock(lock) => lock,
            other => panic!("no lock is being taken: {other:?}"),
        }
    }

    /// What people are shown here.
    pub(crate) fn view(&self) -> Vec<Act> {
        self.file.acts(self.acceptor.state().com)
    }
}

impl Lock {
    pub(crate) fn new(why: Why) -> Self {
        Self { why, asked: Question::None, bodies: Vec::new(), base: File::default(), line: None }
    }
}
