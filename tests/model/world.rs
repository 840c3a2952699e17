//! The state of everything, and what can be found wrong with it.

use tern::id::NodeId;
use tern::replica::quorum::majority;
use tern::replica::version::Version;

use crate::config::{Config, May, open};
use crate::file::File;
use crate::history::{Act, History};
use crate::letter::Letter;
use crate::machine::Machine;
use crate::shared::Shared;

/// A state of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) machines: Vec<Shared<Machine>>,
    /// Sorted, each once.
    pub(crate) net: Vec<Shared<Letter>>,
    pub(crate) acts: Vec<Progress>,
    pub(crate) history: Shared<History>,
    pub(crate) ghost: Shared<Ghost>,
    pub(crate) may: May,
    /// More was tried than is explored.
    pub(crate) is_over: bool,
    /// Rules found broken, as bits of [`Rule`].
    pub(crate) broken: u16,
}

/// How far a client's act is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Progress {
    /// How often it was begun.
    pub(crate) begun: u8,
    /// Whether a line of it was sent: then nobody may say that nothing was saved.
    pub(crate) was_sent: bool,
    pub(crate) stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    New,
    Running,
    /// The client does not know, and may ask again.
    Unknown,
    /// The client was told that nothing was saved, and may ask again.
    Refused,
    Answered,
}

/// What nobody in the cluster knows, and the rules speak of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Ghost {
    /// Every version ever proposed, in order.
    pub(crate) written: Vec<Written>,
    /// The longest list that anybody was ever shown.
    pub(crate) shown: Vec<Act>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Written {
    pub(crate) version: Version,
    pub(crate) file: File,
    /// The machines, as bits, whose acknowledgements are votes; how many of them are needed.
    pub(crate) voters: u8,
    pub(crate) needed: u32,
    /// The machines, as bits, that ever had it on disk as a vote.
    pub(crate) votes: u8,
}

/// What must always hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Rule {
    /// What clients were told can be explained by one machine that did one act after the other.
    Linearizable = 1,
    /// I1: a promise never falls, restarts included.
    Promise = 2,
    /// I2: a version names one value.
    OneValue = 4,
    /// I3: whatever is above a committed version builds on it.
    Descent = 8,
    /// I4: within a term each write builds on the one before.
    Sequence = 16,
    /// I6: what was shown stays.
    Shown = 32,
    /// I7: a request stands in a file at most once.
    Once = 64,
    /// I8: yes is only answered to what is committed; "nothing was saved" only to what is nowhere.
    Answer = 128,
    /// The core's own assertions, and I5: acknowledgements and grants tell what is on disk.
    Assertion = 256,
}

pub(crate) const RULES: [Rule; 9] = [
    Rule::Linearizable,
    Rule::Promise,
    Rule::OneValue,
    Rule::Descent,
    Rule::Sequence,
    Rule::Shown,
    Rule::Once,
    Rule::Answer,
    Rule::Assertion,
];

impl Rule {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Linearizable => "linearizable",
            Self::Promise => "a promise never falls",
            Self::OneValue => "a version names one value",
            Self::Descent => "committed is built on",
            Self::Sequence => "a term's writes follow each other",
            Self::Shown => "what was shown stays",
            Self::Once => "a request stands once",
            Self::Answer => "yes means committed",
            Self::Assertion => "assertions hold",
        }
    }
}

impl World {
    /// Nothing has happened.
    pub(crate) fn new(config: &Config) -> Self {
        let place = Shared::new(open(&config.members));
        let seats = config.members.seats.iter().chain(&config.joining);
        let new = Progress { begun: 0, was_sent: false, stage: Stage::New };
        Self {
            machines: seats.map(|&seat| Shared::new(Machine::new(seat, place.clone()))).collect(),
            net: Vec::new(),
            acts: vec![new; config.acts.len()],
            history: Shared::new(History::default()),
            ghost: Shared::new(Ghost::default()),
            may: config.may,
            is_over: false,
            broken: 0,
        }
    }

    pub(crate) fn breaks(&mut self, rule: Rule) {
        self.broken |= rule as u16;
    }

    /// Which machine is meant by a number, for somebody of this machine's configuration.
    pub(crate) fn index(&self, of: usize, node: NodeId) -> Option<usize> {
        let seats = &self.machines[of].place.current.seats;
        let seat = seats.iter().find(|seat| seat.node == node)?;
        self.machines.iter().position(|machine| machine.seat == *seat)
    }

    /// A coordinator of machine `by` proposes a file.
    pub(crate) fn proposed(&mut self, by: usize, file: &File) {
        let version = file.last().0;
        let seats = &self.machines[by].place.current.seats;
        let is_voter = |machine: &Shared<Machine>| seats.contains(&machine.seat);
        let voters = mask(self.machines.iter().map(is_voter));
        let needed = u32::try_from(majority(seats.len())).unwrap();
        let written = Written { version, file: file.clone(), voters, needed, votes: 0 };
        let acts = file.acts(version);
        if acts.iter().enumerate().any(|(at, act)| acts[..at].contains(act)) {
            self.breaks(Rule::Once);
        }
        let at = match self.ghost.written.binary_search_by_key(&version, |w| w.version) {
            Ok(at) if self.ghost.written[at].file == *file => return,
            Ok(_) => return self.breaks(Rule::OneValue),
            Err(at) => at,
        };
        self.ghost.edit().written.insert(at, written);
        let base = file.before();
        let is_next = version.seq == 1 || (base.term, base.seq) == (version.term, version.seq - 1);
        if !is_next {
            self.breaks(Rule::Sequence);
        }
        self.check_descent();
    }

    /// Machine `by` has this version on disk, and said so to be counted.
    pub(crate) fn voted(&mut self, by: usize, version: Version) {
        if self.machines[by].file.last().0 != version {
            self.breaks(Rule::Assertion);
        }
        let Ok(at) = self.ghost.written.binary_search_by_key(&version, |w| w.version) else {
            return self.breaks(Rule::Assertion);
        };
        if self.machines[by].file != self.ghost.written[at].file {
            self.breaks(Rule::OneValue);
        }
        if self.ghost.written[at].votes & (1 << by) == 0 {
            self.ghost.edit().written[at].votes |= 1 << by;
            self.check_descent();
        }
    }

    fn check_descent(&mut self) {
        let written = &self.ghost.written;
        let lost = written.iter().enumerate().any(|(at, one)| {
            one.is_committed() && written[at..].iter().any(|later| !later.file.has(one.version))
        });
        if lost {
            self.breaks(Rule::Descent);
        }
    }

    pub(crate) fn is_committed(&self, version: Version) -> bool {
        self.ghost.written.iter().any(|one| one.version == version && one.is_committed())
    }

    /// Somebody was shown this list.
    pub(crate) fn shows(&mut self, list: &[Act]) {
        let shown = &self.ghost.shown;
        if !shown.starts_with(list) && !list.starts_with(shown) {
            self.breaks(Rule::Shown);
        } else if list.len() > shown.len() {
            self.ghost.edit().shown = list.to_vec();
        }
    }

    /// Puts every part in its one form again, so that equal states are found equal.
    pub(crate) fn seal(&mut self) {
        self.machines.iter_mut().for_each(Shared::seal);
        self.history.seal();
        self.ghost.seal();
    }
}

impl Written {
    pub(crate) fn is_committed(&self) -> bool {
        (self.votes & self.voters).count_ones() >= self.needed
    }
}

fn mask(bits: impl Iterator<Item = bool>) -> u8 {
    bits.enumerate().fold(0, |mask, (at, bit)| mask | (u8::from(bit) << at))
}
