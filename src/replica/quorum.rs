//! Counts votes of the configured members: a strict majority of them, never of those who answered.

use crate::id::NodeId;

/// How many of `members` must agree.
pub const fn majority(members: usize) -> usize {
    members / 2 + 1
}

/// Votes on one question. Each member counts once; strangers do not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Quorum {
    members: Vec<NodeId>,
    needed: usize,
    yes: Vec<NodeId>,
    no: Vec<NodeId>,
}

/// Where a vote stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Either may still come.
    Pending,
    /// A majority said yes.
    Won,
    /// So many said no, or cannot be reached, that no majority is left.
    Lost,
}

impl Quorum {
    /// A vote among `members`, nobody having voted.
    pub fn new(members: &[NodeId]) -> Self {
        Self::without(members, None)
    }

    /// The same, `without` having no vote: still a majority of all `members` must agree.
    pub fn without(members: &[NodeId], without: Option<NodeId>) -> Self {
        let needed = majority(members.len());
        let voters = members.iter().copied().filter(|&node| Some(node) != without).collect();
        Self { members: voters, needed, yes: Vec::new(), no: Vec::new() }
    }

    /// Counts a yes; a no of the same member is taken back (it answered after all).
    pub fn yes(&mut self, from: NodeId) {
        self.no.retain(|&node| node != from);
        if self.members.contains(&from) && !self.yes.contains(&from) {
            self.yes.push(from);
        }
    }

    /// Counts a no, unless the member has said yes.
    pub fn no(&mut self, from: NodeId) {
        if self.members.contains(&from) && !self.yes.contains(&from) && !self.no.contains(&from) {
            self.no.push(from);
        }
    }

    /// Whether this member said yes.
    pub fn has_yes(&self, from: NodeId) -> bool {
        self.yes.contains(&from)
    }

    /// Whether this member said no.
    pub fn has_no(&self, from: NodeId) -> bool {
        self.no.contains(&from)
    }

    /// Where the vote stands.
    pub fn verdict(&self) -> Verdict {
        if self.yes.len() >= self.needed {
            Verdict::Won
        } else if self.members.len() - self.no.len() < self.needed {
            Verdict::Lost
        } else {
            Verdict::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(numbers: &[u16]) -> Vec<NodeId> {
        numbers.iter().map(|&n| NodeId::new(n).unwrap()).collect()
    }

    fn check(members: u16, yes: &[u16], no: &[u16], expected: Verdict) {
        let all: Vec<u16> = (1..=members).collect();
        let mut quorum = Quorum::new(&nodes(&all));
        for n in nodes(yes) {
            quorum.yes(n);
        }
        for n in nodes(no) {
            quorum.no(n);
        }
        assert_eq!(quorum.verdict(), expected, "{members} members, yes {yes:?}, no {no:?}");
    }

    #[test]
    fn quorum_majority_of_members_not_of_answers() {
        check(1, &[], &[], Verdict::Pending);
        check(1, &[1], &[], Verdict::Won);
        check(2, &[1], &[], Verdict::Pending);
        check(2, &[1], &[2], Verdict::Lost);
        check(3, &[1], &[2], Verdict::Pending);
        check(3, &[1, 3], &[2], Verdict::Won);
        check(3, &[], &[1, 2], Verdict::Lost);
        check(5, &[1, 2], &[], Verdict::Pending);
    }

    #[test]
    fn quorum_same_or_strange_member_counted_once_or_never() {
        check(3, &[1, 1, 9], &[], Verdict::Pending);
        check(3, &[1], &[1, 1], Verdict::Pending);
        check(3, &[], &[2, 2, 9], Verdict::Pending);
    }

    #[test]
    fn quorum_late_yes_takes_back_no() {
        let mut quorum = Quorum::new(&nodes(&[1, 2, 3]));
        for n in nodes(&[2, 3]) {
            quorum.no(n);
        }
        assert_eq!(quorum.verdict(), Verdict::Lost);
        for n in nodes(&[1, 2]) {
            quorum.yes(n);
        }
        assert_eq!(quorum.verdict(), Verdict::Won);
    }
}
