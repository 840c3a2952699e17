//! Who this machine is in its cluster, and what it has promised as a whole: `node.json` in the
//! protocol's words.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::id::{Hash128, NodeId};
use crate::replica::NotVoting;
use crate::replica::acceptor::Floors;
use crate::replica::restart;
use crate::replica::version::Term;
use crate::store::{NodeState, StoreError};

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
    epoch: u32,
    bootfloor: Term,
    is_open: AtomicBool,
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
        let durable = state.durable();
        let incarnation = durable.incarnation;
        state.pin(durable.node, incarnation)?;
        Ok(Self {
            cluster: durable.cluster,
            node: durable.node,
            incarnation,
            boot,
            epoch: durable.epoch,
            bootfloor: restart::bootfloor(durable.epoch, durable.ceiling),
            is_open: AtomicBool::new(durable.opened),
            is_stopped: AtomicBool::new(false),
            state,
        })
    }

    /// Up to which term everything is refused.
    pub fn bootfloor(&self) -> Term {
        self.bootfloor
    }

    /// What this machine has promised and may do.
    pub fn floors(&self) -> Floors {
        let is_open = self.is_open.load(Ordering::Acquire);
        Floors {
            epoch: self.epoch,
            bootfloor: self.bootfloor,
            ceiling: self.state.ceiling(),
            not_voting: (!is_open).then_some(NotVoting::Joining),
        }
    }

    /// Gives up this machine's vote for the rest of its life.
    pub fn stop_voting(&self) {
        self.is_stopped.store(true, Ordering::Release);
        self.is_open.store(false, Ordering::Release);
    }

    /// Makes the ceiling `to` at least.
    ///
    /// # Errors
    /// When it could not be made durable: refuse the round.
    pub fn raise_ceiling(&self, to: u64) -> Result<(), StoreError> {
        self.state.raise_ceiling(to).map(|_ceiling| ())
    }

    /// Remembers a member's data directory for good; false if another one is known under its number.
    ///
    /// # Errors
    /// When `node.json` cannot be written.
    pub fn pin(&self, node: NodeId, incarnation: Hash128) -> Result<bool, StoreError> {
        match self.state.pin(node, incarnation) {
            Ok(()) => Ok(true),
            Err(StoreError::OtherIncarnation { .. } | StoreError::NotMember { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Votes from the moment on which every member was met once: a machine set up anew could
    /// otherwise pass for one that holds something. True if that moment is now.
    ///
    /// # Errors
    /// When it could not be made durable: no vote.
    pub fn open_if_all_met(&self) -> Result<bool, StoreError> {
        if self.is_open.load(Ordering::Acquire) || self.is_stopped.load(Ordering::Acquire) {
            return Ok(false);
        }
        if self.state.durable().members.iter().any(|member| member.incarnation.is_none()) {
            return Ok(false);
        }
        self.state.open()?;
        self.is_open.store(true, Ordering::Release);
        Ok(true)
    }
}
