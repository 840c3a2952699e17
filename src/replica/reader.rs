//! A linearizable read: asks all members what they hold, and tells as soon as a majority's answers
//! prove which version is the last committed one.

use crate::id::NodeId;

use super::State;
use super::mistake::{Mistake, is_made};
use super::quorum::majority;
use super::version::Version;

/// One read of one user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    members: Vec<NodeId>,
    answers: Vec<(NodeId, State)>,
    lost: Vec<NodeId>,
}

/// What a read has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Found {
    /// More answers are needed.
    Pending,
    /// This version is committed, no later one was when the read began; this member holds it.
    Fresh(Version, NodeId),
    /// All who can have answered, and do not agree: a write is under way or was left unfinished. An
    /// identity write settles it.
    Unsettled,
    /// Fewer than a majority can be reached.
    NoMajority,
}

impl Reader {
    /// A read among `members`.
    pub fn new(members: &[NodeId]) -> Self {
        Self { members: members.to_vec(), answers: Vec::new(), lost: Vec::new() }
    }

    /// A member's answer; the first counts.
    pub fn answered(&mut self, from: NodeId, state: State) {
        if self.members.contains(&from) && self.answers.iter().all(|(node, _)| *node != from) {
            self.answers.push((from, state));
        }
    }

    /// A member that will not answer.
    pub fn lost(&mut self, from: NodeId) {
        if self.members.contains(&from) && !self.lost.contains(&from) {
            self.lost.push(from);
        }
    }

    /// Whether a majority has answered: those who have not get a short grace only.
    pub fn has_majority(&self) -> bool {
        self.answers.len() >= majority(self.members.len())
    }

    /// Takes all who have not answered for lost.
    pub fn give_up_rest(&mut self) {
        self.lost = self.unanswered();
    }

    /// What the answers prove.
    pub fn found(&self) -> Found {
        let needed = majority(self.members.len());
        for (node, state) in &self.answers {
            let is_same = |other: &State| (other.acc, other.hash) == (state.acc, state.hash);
            let same = self.answers.iter().filter(|(_, other)| is_same(other)).count();
            if same >= needed {
                return Found::Fresh(state.acc, *node);
            }
        }
        if self.answers.len() >= needed {
            let highest = self.answers.iter().max_by_key(|(_, state)| state.acc);
            let com = self.answers.iter().map(|(_, state)| state.com).max();
            if let (Some((node, state)), Some(com)) = (highest, com)
                && (com >= state.acc || is_made(Mistake::ReadHighest))
            {
                return Found::Fresh(state.acc, *node);
            }
        }
        let silent = |node: &&NodeId| {
            !self.lost.contains(node) && self.answers.iter().all(|(from, _)| from != *node)
        };
        match self.members.iter().filter(silent).count() {
            0 if self.answers.len() >= needed => Found::Unsettled,
            waiting if self.answers.len() + waiting < needed => Found::NoMajority,
            _ => Found::Pending,
        }
    }

    /// How many members hold `version` or something that builds on it, as far as they answered:
    /// what is higher than a committed version was built on it.
    pub fn holding(&self, version: Version) -> usize {
        self.answers.iter().filter(|(_, state)| state.acc >= version).count()
    }

    /// The members that have not answered.
    pub fn unanswered(&self) -> Vec<NodeId> {
        let answered = |node: &NodeId| self.answers.iter().any(|(from, _)| from == node);
        self.members.iter().copied().filter(|node| !answered(node)).collect()
    }

    /// Whether every member has answered or is lost.
    pub fn is_complete(&self) -> bool {
        self.members.iter().all(|node| {
            self.lost.contains(node) || self.answers.iter().any(|(from, _)| from == node)
        })
    }
}
