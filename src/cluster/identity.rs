//! Who this machine is in its cluster, and what it has promised as a whole: `node.json` in the
//! protocol's words.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::config::{self, Config};
use crate::id::{Hash128, NodeId};
use crate::replica::NotVoting;
use crate::replica::acceptor::Floors;
use crate::replica::barrier::{Place, Seat};
use crate::replica::restart;
use crate::replica::version::Term;
use crate::store::{NodeState, StoreError};
use crate::wire::message::{Hello, Offer};

/// This machine, for one life of its process.
pub struct Identity {
    state: NodeState,
    /// Which cluster.
    pub cluster: Hash128,
    /// Which machine.
    pub node: NodeId,
    /// Which life of its data directory.
    pub incarnation: Hash128,
    /// How often it has started, this time included.
    pub boot: u32,
    bootfloor: Term,
    /// The list of members that is on the disk.
    config: RwLock<Arc<Config>>,
    /// Whether the vote was given up for the rest of this life.
    is_stopped: AtomicBool,
}

impl Identity {
    /// Counts a start. Everything up to the ceiling of the last life is refused from now on: what
    /// was promised below it is forgotten.
    ///
    /// # Errors
    /// When `node.json` cannot be written: do not start.
    pub fn start(state: NodeState) -> Result<Self, StoreError> {
        let boot = state.next_boot(restart::next_boot)?;
        let (node, incarnation) = (state.durable().node, state.durable().incarnation);
        // In a list of members that gave its number away it has no place.
        match state.pin(node, incarnation) {
            Ok(()) | Err(StoreError::NotMember { .. } | StoreError::OtherIncarnation { .. }) => {}
            Err(error) => return Err(error),
        }
        let durable = state.durable();
        Ok(Self {
            cluster: durable.cluster,
            node,
            incarnation,
            boot,
            bootfloor: restart::bootfloor(durable.epoch, durable.ceiling),
            config: RwLock::new(Arc::new(Config::of(&durable))),
            is_stopped: AtomicBool::new(false),
            state,
        })
    }

    /// This machine in this life of its directory.
    pub fn seat(&self) -> Seat {
        Seat { node: self.node, incarnation: self.incarnation }
    }

    /// The list of members that is on the disk.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read())
    }

    /// Whether it is the only member, and so the majority. Not while a change is under way: the others may
    /// hold what is newer.
    pub fn is_alone(&self) -> bool {
        let is_changing = self.floors().not_voting == Some(NotVoting::Changing);
        !is_changing && self.config().nodes().as_slice() == [self.node]
    }

    /// What all members understand.
    pub fn features(&self) -> u32 {
        self.config.read().offer.current.features
    }

    /// Up to which term everything is refused.
    pub fn bootfloor(&self) -> Term {
        self.bootfloor
    }

    /// What this machine has promised and may do.
    pub fn floors(&self) -> Floors {
        let config = self.config.read();
        let stopped = self.is_stopped.load(Ordering::Acquire).then_some(NotVoting::Unmarked);
        Floors {
            epoch: config.place.current.epoch,
            bootfloor: self.bootfloor,
            ceiling: self.state.ceiling(),
            not_voting: config.not_voting.or(stopped),
        }
    }

    /// Gives up this machine's vote on everybody, or takes it up again.
    pub fn let_vote(&self, may: bool) {
        self.is_stopped.store(!may, Ordering::Release);
    }

    /// Makes the ceiling `to` at least.
    ///
    /// # Errors
    /// When it could not be made durable: refuse the round.
    pub fn raise_ceiling(&self, to: u64) -> Result<(), StoreError> {
        self.state.raise_ceiling(to).map(|_ceiling| ())
    }

    /// Writes down, once, that users' files are there.
    pub fn note_users(&self) {
        self.state.note_users();
    }

    /// Remembers a member's data directory for good; false if another one is known under its number.
    ///
    /// # Errors
    /// When `node.json` cannot be written.
    pub fn pin(&self, node: NodeId, incarnation: Hash128) -> Result<bool, StoreError> {
        match self.state.pin(node, incarnation) {
            Ok(()) => {
                self.reread();
                Ok(true)
            }
            Err(StoreError::OtherIncarnation { .. } | StoreError::NotMember { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Remembers which life of its process a machine is in; false if a later one was met already.
    ///
    /// # Errors
    /// When `node.json` cannot be written.
    pub fn saw(&self, hello: &Hello) -> Result<bool, StoreError> {
        self.state.saw((hello.node, hello.incarnation), (hello.boot, hello.process))
    }

    /// Votes from the moment on which every member was met once: a machine set up anew could
    /// otherwise pass for one that holds something. True if that moment is now.
    ///
    /// # Errors
    /// When it could not be made durable: no vote.
    pub fn open_if_all_met(&self) -> Result<bool, StoreError> {
        let config = self.config();
        let is_met = config.offer.current.members.iter().all(|one| one.incarnation.is_some());
        if config.not_voting != Some(NotVoting::Joining) || !is_met {
            return Ok(false);
        }
        self.take(&config.offer, &config.place.opened())?;
        Ok(true)
    }

    /// Makes a place durable that follows from the present one, and goes by it.
    ///
    /// # Errors
    /// When it could not be made durable: nothing has changed.
    pub fn take(&self, offer: &Offer, place: &Place) -> Result<(), StoreError> {
        self.state.change_members(|file| config::write(file, offer, place))?;
        self.reread();
        Ok(())
    }

    /// The old members may be told of the list that this machine is to become a member by.
    ///
    /// # Errors
    /// When it could not be made durable.
    pub fn has_learned(&self) -> Result<(), StoreError> {
        self.state.change_members(|file| file.learning = false)?;
        self.reread();
        Ok(())
    }

    fn reread(&self) {
        // Under the lock: of two who read at the same time the later one must come last.
        let mut config = self.config.write();
        *config = Arc::new(Config::of(&self.state.durable()));
    }
}
