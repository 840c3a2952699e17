//! Anti-entropy for one user: what a comparison of all machines' copies tells this one to do.

use crate::id::NodeId;

use super::State;
use super::mistake::{Mistake, is_made};
use super::quorum::majority;
use super::version::Version;

/// What one machine holds of a user, as it said when it was asked for its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// Which machine.
    pub node: NodeId,
    /// What it holds.
    pub state: State,
    /// Whether it has a vote on this user: the word of a damaged copy proves nothing.
    pub has_vote: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mend {
    /// Nothing.
    Nothing,
    /// A majority holds what is held here: it is committed.
    Commit(Version),
    /// Fetch this committed version from that machine.
    Learn(Version, NodeId),
    /// Read linearizably: somebody holds something newer that nobody knows to be committed.
    Settle,
}

/// What machine `me` does about its copy, given the rows of all that answered, its own among them.
/// Nothing uncommitted is ever copied. Source: PROTOCOL.md, section 10.
pub fn mend(me: NodeId, members: usize, rows: &[Row]) -> Mend {
    let Some(own) = rows.iter().find(|row| row.node == me) else { return Mend::Nothing };
    if is_made(Mistake::UncommittedLearned)
        && let Some(highest) = rows.iter().max_by_key(|row| row.state.acc)
        && highest.state.acc > own.state.acc
    {
        return Mend::Learn(highest.state.acc, highest.node);
    }
    let known = rows.iter().max_by_key(|row| row.state.com);
    if let Some(agreed) = agreed(members, rows)
        && agreed.state.acc > own.state.acc
        && known.is_none_or(|known| known.state.com <= agreed.state.acc)
    {
        return Mend::Learn(agreed.state.acc, agreed.node);
    }
    if let Some(known) = known.filter(|known| known.state.com > own.state.com) {
        return Mend::Learn(known.state.com, known.node);
    }
    let is_same = |row: &&Row| (row.state.acc, row.state.hash) == (own.state.acc, own.state.hash);
    let same = rows.iter().filter(|row| row.has_vote).filter(is_same).count();
    if same >= majority(members) {
        if own.state.com < own.state.acc { Mend::Commit(own.state.acc) } else { Mend::Nothing }
    } else if rows.iter().any(|row| row.state.acc > own.state.acc) {
        Mend::Settle
    } else {
        Mend::Nothing
    }
}

/// A row that a majority shares, if there is one: what it holds is committed, whoever knows it yet.
fn agreed(members: usize, rows: &[Row]) -> Option<&Row> {
    let of = |row: &Row| (row.state.acc, row.state.hash);
    rows.iter().filter(|row| row.has_vote).find(|row| {
        let voters = rows.iter().filter(|other| other.has_vote);
        voters.filter(|other| of(other) == of(row)).count() >= majority(members)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Hash128;
    use crate::replica::version::Term;

    fn version(round: u64) -> Version {
        if round == 0 {
            return Version::ZERO;
        }
        Version { term: Term { epoch: 1, round, node: 1, boot: 1 }, seq: 1 }
    }

    /// Rows of machines 1, 2, …: what each holds, knows to be committed, and whether it votes.
    fn check(held: &[(u64, u64, bool)], expected: Mend) {
        let row = |(node, &(acc, com, has_vote)): (u16, &(u64, u64, bool))| Row {
            node: NodeId::new(node).unwrap(),
            state: State { acc: version(acc), hash: Hash128([1; 16]), com: version(com) },
            has_vote,
        };
        let rows: Vec<Row> = (1..).zip(held).map(row).collect();
        assert_eq!(mend(NodeId::new(1).unwrap(), 3, &rows), expected, "{held:?}");
    }

    #[test]
    fn mend_commits_learns_or_settles_and_never_copies_uncommitted() {
        let two = NodeId::new(2).unwrap();
        check(&[(1, 1, true), (1, 1, true), (1, 1, true)], Mend::Nothing);
        check(&[(2, 1, true), (2, 1, true)], Mend::Commit(version(2)));
        check(&[(1, 1, true), (2, 2, true)], Mend::Learn(version(2), two));
        check(&[(1, 1, true), (2, 1, true), (1, 1, true)], Mend::Nothing);
        check(&[(1, 1, true), (2, 1, true)], Mend::Settle);
        check(&[(0, 0, true), (2, 1, true), (2, 1, true)], Mend::Learn(version(2), two));
        check(&[(1, 1, true), (2, 1, true), (2, 1, true)], Mend::Learn(version(2), two));
        check(&[(1, 1, true), (2, 1, true), (2, 1, false)], Mend::Settle);
        check(&[(2, 1, true), (1, 1, true)], Mend::Nothing);
    }

    #[test]
    fn mend_word_of_damaged_copy_proves_no_commit() {
        check(&[(2, 1, true), (2, 1, false), (1, 1, true)], Mend::Nothing);
        check(&[(2, 1, false), (2, 1, true)], Mend::Nothing);
    }
}
