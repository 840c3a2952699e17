//! What a change of the members comes to: from the lists that machines hold and what the operator
//! wants, the list that is offered to them. Pure.

use crate::id::{Hash128, NodeId};
use crate::limits::MEMBERS_MAX;
use crate::order::sort_by_key;
use crate::replica::barrier::Phase;
use crate::replica::quorum::majority;
use crate::wire::message::{Members, Offer, Seated};
use crate::wire::operator::Held;

/// What the operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// New machines under new numbers.
    Add(Vec<(NodeId, Hash128, String)>),
    /// A new machine in another one's place, at its address unless another is given.
    Replace(NodeId, Hash128, Option<String>),
    /// One machine less.
    Remove(NodeId),
    /// The same machines, using all that this program understands.
    Upgrade(u32),
}

/// How far the operator goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Resolve {
    /// Also if another change is under way: it is given up.
    pub(super) replace_pending: bool,
    /// Without the machines that cannot be reached, also if what they alone hold is lost.
    pub(super) force: bool,
}

/// Why a change is not begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlanError {
    #[error("no machine of the cluster has been met by all others yet: let it become ready first")]
    NotOpen,
    #[error(
        "a change is under way already, to {0}: wait for it, or give it up for this one \
         with --replace-pending"
    )]
    Pending(String),
    #[error("machine {0} is a member already")]
    Member(NodeId),
    #[error("machine {0} is no member; the cluster is {1}")]
    NoMember(NodeId, String),
    #[error("{0} listens at {1} already")]
    Address(NodeId, String),
    #[error("one machine must stay; to give up the cluster, stop it")]
    Last,
    #[error("a cluster has {MEMBERS_MAX} machines at most")]
    TooMany,
    #[error("all machines understand the same already, and use it")]
    NothingNew,
    #[error("machine {0} runs an earlier version, or does not answer: update all of them first")]
    Earlier(NodeId),
    #[error(
        "only {reached} of the {of} machines in force can be reached, {needed} must agree: start \
         {missing} first. If they are gone for good, --force goes on without them; what they alone \
         have on disk is lost then"
    )]
    TooFew { reached: usize, of: usize, needed: usize, missing: String },
    #[error(
        "{0} must take part in the change and cannot be reached: start it first, or remove it. If it \
         is gone for good, --force removes it as well"
    )]
    Absent(String),
    #[error(
        "{0} has damaged files: wait until they are repaired. If they cannot be because machines are \
         gone for good, --force gives those up; what they alone have on disk is lost then"
    )]
    Damaged(String),
    #[error(
        "machine {0} can be reached and may be the only one that has some posts: --force gives up only \
         machines that are gone; here that is {1}"
    )]
    Alive(NodeId, String),
    #[error(
        "machine {0} is in touch with machine {1}, which is not gone: reach it from here too, or stop \
         it for good first"
    )]
    NotGone(NodeId, NodeId),
}

impl PlanError {
    /// Whether more machines must be up first.
    pub(super) const fn is_too_few(&self) -> bool {
        matches!(self, Self::TooFew { .. } | Self::Absent(_) | Self::Damaged(_) | Self::Earlier(_))
    }
}

/// The list to offer, and the one that it follows.
pub(super) fn plan(held: &[Held], wish: &Wish, resolve: Resolve) -> Result<Offer, PlanError> {
    let base = last_opened(held).ok_or(PlanError::NotOpen)?;
    let newest = held.iter().map(|one| one.offer.current.epoch).max().unwrap_or(base.epoch);
    if let Some(pending) = pending(held, base)
        && !resolve.replace_pending
    {
        return Err(PlanError::Pending(machines(pending)));
    }
    let mut next = Members { epoch: newest + 1, ..base.clone() };
    apply(&mut next, base, wish)?;
    sort_by_key(&mut next.members, |one| one.node);
    if next.members.len() > MEMBERS_MAX {
        return Err(PlanError::TooMany);
    }
    if resolve.force {
        let is_left = |one: &Seated| !base.members.contains(one) || is_held_by(held, one);
        next.members.retain(is_left);
        if next.members.is_empty() {
            return Err(PlanError::Last);
        }
    }
    let before = old(held, base, &next, resolve)?;
    // A list that was made up to go on without the lost ones comes between.
    next.epoch = next.epoch.max(before.epoch + 1);
    absent(held, base, &next)?;
    Ok(Offer { current: next, before: Some(before) })
}

fn apply(next: &mut Members, base: &Members, wish: &Wish) -> Result<(), PlanError> {
    let of = |node: NodeId| base.members.iter().find(|one| one.node == node);
    let known = |node| of(node).ok_or_else(|| PlanError::NoMember(node, machines(base)));
    match wish {
        Wish::Add(fresh) => {
            for (node, incarnation, address) in fresh {
                if next.members.iter().any(|one| one.node == *node) {
                    return Err(PlanError::Member(*node));
                }
                if let Some(one) = next.members.iter().find(|one| one.address == *address) {
                    return Err(PlanError::Address(one.node, address.clone()));
                }
                let (node, incarnation) = (*node, Some(*incarnation));
                next.members.push(Seated { node, incarnation, address: address.clone() });
            }
        }
        Wish::Replace(node, incarnation, address) => {
            let old = known(*node)?;
            let address = address.clone().unwrap_or_else(|| old.address.clone());
            next.members.retain(|one| one.node != *node);
            next.members.push(Seated { node: *node, incarnation: Some(*incarnation), address });
        }
        Wish::Remove(node) => {
            known(*node)?;
            next.members.retain(|one| one.node != *node);
            if next.members.is_empty() {
                return Err(PlanError::Last);
            }
        }
        Wish::Upgrade(features) => {
            if *features <= base.features {
                return Err(PlanError::NothingNew);
            }
            next.features = *features;
        }
    }
    Ok(())
}

/// The list in force: the newest that is known to have opened.
fn last_opened(held: &[Held]) -> Option<&Members> {
    let opened = held.iter().filter_map(|one| match one.phase {
        Phase::Open => Some(&one.offer.current),
        Phase::Adopted | Phase::Ready => one.offer.before.as_ref(),
    });
    opened.max_by_key(|list| list.epoch)
}

/// A change that has begun and not opened.
fn pending<'a>(held: &'a [Held], base: &Members) -> Option<&'a Members> {
    let lists = held.iter().map(|one| &one.offer.current);
    lists.filter(|list| list.epoch > base.epoch).max_by_key(|list| list.epoch)
}

/// Which list the change follows: the one in force, if enough of its machines are there and whole.
/// Else, by force alone, one made up of those that are there: what the others alone hold is lost.
///
/// What is made up must contain all that can be had: all of it stays, so that all of it takes part.
fn old(
    held: &[Held],
    base: &Members,
    next: &Members,
    resolve: Resolve,
) -> Result<Members, PlanError> {
    let (here, missing): (Vec<Seated>, Vec<Seated>) =
        base.members.iter().cloned().partition(|one| is_held_by(held, one));
    let missing: Vec<NodeId> = missing.into_iter().map(|one| one.node).collect();
    let (of, needed) = (base.members.len(), majority(base.members.len()));
    let is_damaged = |one: &&Seated| held.iter().any(|h| h.node == one.node && h.is_damaged);
    let damaged: Vec<NodeId> = here.iter().filter(is_damaged).map(|one| one.node).collect();
    if here.len() < needed && (!resolve.force || here.is_empty()) {
        let (reached, missing) = (here.len(), listed(missing.into_iter()));
        return Err(PlanError::TooFew { reached, of, needed, missing });
    }
    if !damaged.is_empty() && !resolve.force {
        return Err(PlanError::Damaged(listed(damaged.into_iter())));
    }
    // With nobody missing nothing is given up: the change waits for all of them.
    if missing.is_empty() || here.len() - damaged.len() >= needed {
        return Ok(base.clone());
    }
    for one in held.iter().filter(|one| one.offer.current.epoch == base.epoch) {
        if let Some(other) = missing.iter().find(|node| one.live.contains(node)) {
            return Err(PlanError::NotGone(one.node, *other));
        }
    }
    if let Some(leaving) = here.iter().find(|one| !next.members.contains(one)) {
        return Err(PlanError::Alive(leaving.node, listed(missing.into_iter())));
    }
    let newest = held.iter().map(|one| one.offer.current.epoch).max().unwrap_or(base.epoch);
    Ok(Members { epoch: newest + 1, members: here, given_up: missing, ..base.clone() })
}

/// All old members that stay must be there: the change would stop writing until they come.
fn absent(held: &[Held], base: &Members, next: &Members) -> Result<(), PlanError> {
    let stays = next.members.iter().filter(|one| base.members.contains(one));
    let absent: Vec<NodeId> =
        stays.filter(|one| !is_held_by(held, one)).map(|one| one.node).collect();
    if absent.is_empty() {
        return Ok(());
    }
    Err(PlanError::Absent(listed(absent.into_iter())))
}

/// Whether this very machine, in this life of its directory, has answered.
fn is_held_by(held: &[Held], one: &Seated) -> bool {
    held.iter().any(|other| other.node == one.node && Some(other.incarnation) == one.incarnation)
}

/// Which members' programs do not understand `features` yet, or do not say.
pub(super) fn earlier(held: &[Held], offer: &Offer) -> Option<PlanError> {
    let wanted = offer.current.features;
    let can = |node: NodeId| held.iter().any(|one| one.node == node && one.features >= wanted);
    let behind = offer.current.members.iter().map(|one| one.node).find(|node| !can(*node));
    behind.map(PlanError::Earlier)
}

/// Machines, for people.
pub(super) fn listed(nodes: impl Iterator<Item = NodeId>) -> String {
    let words: Vec<String> = nodes.map(|node| format!("machine {node}")).collect();
    words.join(" and ")
}

/// The machines of a list, for people: "machine 2", "machines 1, 2 and 3".
pub(super) fn machines(list: &Members) -> String {
    let numbers: Vec<String> = list.members.iter().map(|one| one.node.to_string()).collect();
    match numbers.split_last() {
        Some((one, [])) => format!("machine {one}"),
        Some((last, others)) => format!("machines {} and {last}", others.join(", ")),
        None => "no machine".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u16) -> NodeId {
        NodeId::new(number).unwrap()
    }

    fn seated(number: u16, life: u8) -> Seated {
        let address = format!("10.0.0.{number}:7001");
        Seated { node: node(number), incarnation: Some(Hash128([life; 16])), address }
    }

    fn list(epoch: u32, seats: &[(u16, u8)]) -> Members {
        let members = seats.iter().map(|&(number, life)| seated(number, life)).collect();
        Members { epoch, features: 0, members, given_up: Vec::new() }
    }

    fn held(number: u16, current: &Members, before: Option<&Members>, phase: Phase) -> Held {
        let offer = Offer { current: current.clone(), before: before.cloned() };
        Held {
            node: node(number),
            incarnation: Hash128([1; 16]),
            offer,
            phase,
            is_learning: false,
            features: 1,
            is_damaged: false,
            live: Vec::new(),
        }
    }

    fn three() -> (Members, Vec<Held>) {
        let list = list(4, &[(1, 1), (2, 1), (3, 1)]);
        let held = [1, 2, 3].map(|number| held(number, &list, None, Phase::Open));
        (list, held.into())
    }

    const NEW: Hash128 = Hash128([9; 16]);

    #[test]
    fn change_follows_the_list_in_force() {
        let (base, held) = three();
        let offer = plan(&held[..2], &Wish::Replace(node(3), NEW, None), Resolve::default());
        let offer = offer.unwrap();
        assert_eq!(offer.before, Some(base));
        assert_eq!(offer.current, list(5, &[(1, 1), (2, 1), (3, 9)]));
        let more = vec![(node(4), NEW, "10.0.0.4:7001".to_owned())];
        let offer = plan(&held, &Wish::Add(more), Resolve::default()).unwrap();
        assert_eq!(offer.current, list(5, &[(1, 1), (2, 1), (3, 1), (4, 9)]));
        let offer = plan(&held, &Wish::Remove(node(1)), Resolve::default()).unwrap();
        assert_eq!(offer.current, list(5, &[(2, 1), (3, 1)]));
    }

    #[test]
    fn change_without_sense_refused() {
        let (_, held) = three();
        let refused = |wish| plan(&held, &wish, Resolve::default()).unwrap_err();
        let add = |number, address: &str| Wish::Add(vec![(node(number), NEW, address.to_owned())]);
        assert_eq!(refused(add(3, "10.0.0.9:7001")), PlanError::Member(node(3)));
        let taken = "10.0.0.2:7001";
        assert_eq!(refused(add(4, taken)), PlanError::Address(node(2), taken.to_owned()));
        assert!(matches!(refused(Wish::Remove(node(7))), PlanError::NoMember(..)));
        assert_eq!(refused(Wish::Upgrade(0)), PlanError::NothingNew);
        let alone = list(1, &[(1, 1)]);
        let alone = [self::held(1, &alone, None, Phase::Open)];
        assert_eq!(plan(&alone, &Wish::Remove(node(1)), Resolve::default()), Err(PlanError::Last));
        assert_eq!(plan(&[], &Wish::Remove(node(1)), Resolve::default()), Err(PlanError::NotOpen));
    }

    #[test]
    fn second_change_refused_or_put_above_the_first() {
        let (base, mut all) = three();
        let stuck = list(5, &[(1, 1), (2, 1), (3, 1), (4, 9)]);
        all[1] = held(2, &stuck, Some(&base), Phase::Adopted);
        let wish = Wish::Remove(node(3));
        let pending = PlanError::Pending("machines 1, 2, 3 and 4".to_owned());
        assert_eq!(plan(&all, &wish, Resolve::default()), Err(pending));
        let over = Resolve { replace_pending: true, force: false };
        let offer = plan(&all, &wish, over).unwrap();
        assert_eq!((offer.current.epoch, offer.before), (6, Some(base)));
        all[1] = held(2, &stuck, Some(&list(4, &[])), Phase::Open);
        let offer = plan(&all, &Wish::Remove(node(4)), Resolve::default()).unwrap();
        assert_eq!(offer.before, Some(stuck), "it has opened");
    }

    #[test]
    fn too_few_machines_refused_or_the_lost_ones_given_up() {
        let base = list(1, &[(1, 1), (2, 1)]);
        let one = [held(1, &base, None, Phase::Open)];
        let wish = Wish::Replace(node(2), NEW, None);
        let error = plan(&one, &wish, Resolve::default()).unwrap_err();
        assert!(error.is_too_few() && error.to_string().contains("--force"), "{error}");
        let forced = Resolve { replace_pending: false, force: true };
        let offer = plan(&one, &wish, forced).unwrap();
        let left = Members { given_up: vec![node(2)], ..list(2, &[(1, 1)]) };
        assert_eq!(offer.before, Some(left));
        assert_eq!(offer.current, list(3, &[(1, 1), (2, 9)]));
        let (_, three) = three();
        let error = plan(&three[..2], &Wish::Remove(node(1)), Resolve::default()).unwrap_err();
        assert_eq!(error, PlanError::Absent("machine 3".to_owned()));
    }

    const FORCED: Resolve = Resolve { replace_pending: false, force: true };

    #[test]
    fn all_that_cannot_be_reached_leave_by_force() {
        let (_, held) = three();
        let offer = plan(&held[..1], &Wish::Remove(node(2)), FORCED).unwrap();
        let given_up = vec![node(2), node(3)];
        assert_eq!(offer.before, Some(Members { given_up, ..list(5, &[(1, 1)]) }));
        assert_eq!(offer.current, list(6, &[(1, 1)]));
        // Where a majority is there and whole, nothing is given up.
        let offer = plan(&held[..2], &Wish::Remove(node(3)), FORCED).unwrap();
        assert_eq!(offer.before, Some(list(4, &[(1, 1), (2, 1), (3, 1)])));
        let all = list(4, &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
        let five: Vec<_> = (1..=3).map(|n| self::held(n, &all, None, Phase::Open)).collect();
        let error = plan(&five, &Wish::Remove(node(4)), Resolve::default()).unwrap_err();
        assert_eq!(error, PlanError::Absent("machine 5".to_owned()));
        let offer = plan(&five, &Wish::Remove(node(4)), FORCED).unwrap();
        assert_eq!((offer.before, offer.current.members.len()), (Some(all), 3));
    }

    #[test]
    fn damaged_machine_lets_nobody_leave_but_by_force_those_that_are_gone() {
        let (base, mut held) = three();
        held[1].is_damaged = true;
        for wish in [Wish::Remove(node(1)), Wish::Replace(node(3), NEW, None)] {
            let error = plan(&held, &wish, Resolve::default()).unwrap_err();
            assert!(matches!(error, PlanError::Damaged(_)) && error.is_too_few(), "{error}");
            assert_eq!(plan(&held, &wish, FORCED).unwrap().before, Some(base.clone()));
        }
        let two = &mut held[..2];
        let gone = Wish::Replace(node(3), NEW, None);
        let offer = plan(two, &gone, FORCED).unwrap();
        let left = Members { given_up: vec![node(3)], ..list(5, &[(1, 1), (2, 1)]) };
        assert_eq!(offer.before, Some(left));
        let error = plan(two, &Wish::Remove(node(1)), FORCED).unwrap_err();
        assert_eq!(error, PlanError::Alive(node(1), "machine 3".to_owned()));
        two[0].live = vec![node(1), node(3)];
        assert_eq!(plan(two, &gone, FORCED), Err(PlanError::NotGone(node(1), node(3))));
    }
}
