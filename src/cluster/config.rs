//! Lists of members between their three forms: `node.json`, messages, and what `replica/` decides by.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{Hash128, NodeId};
use crate::limits::MEMBERS_MAX;
use crate::order::{gather, sort_by, sort_by_key};
use crate::replica::NotVoting;
use crate::replica::barrier::{Phase, Place, Roster, Seat};
use crate::replica::version::chain_hash;
use crate::store::NodeFile;
use crate::store::node::{Before, Member};
use crate::wire::message::{Members, Offer, Seated};

/// The list of members in force here, as `node.json` has it.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where this machine stands.
    pub place: Place,
    /// The same as others are told it.
    pub offer: Offer,
    /// Whether the old members do not know of it yet.
    pub is_learning: bool,
    /// Why this machine has no vote at all, if so.
    pub not_voting: Option<NotVoting>,
}

/// A machine to be talked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Which machine.
    pub node: NodeId,
    /// Which life of its directory, if known.
    pub incarnation: Option<Hash128>,
    /// Where.
    pub address: String,
}

impl Config {
    /// What a directory tells.
    pub fn of(file: &NodeFile) -> Self {
        let current = members(file.epoch, file.features, &file.members);
        let told = |b: &Before| Members {
            given_up: b.given_up.clone(),
            ..members(b.epoch, b.features, &b.members)
        };
        let before = file.before.as_ref().map(told);
        let phase = match (file.opened, file.ready) {
            (true, _) => Phase::Open,
            (false, true) => Phase::Ready,
            (false, false) => Phase::Adopted,
        };
        let place = Place {
            current: roster(&current),
            phase,
            before: before.as_ref().map(roster),
            ready_for: file.ready_for.as_ref().map(|list| list.iter().map(seat_of).collect()),
        };
        let me = Seat { node: file.node, incarnation: file.incarnation };
        Self {
            not_voting: place.not_voting(me),
            place,
            offer: Offer { current, before },
            is_learning: file.learning,
        }
    }

    /// The members' numbers, sorted.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.offer.current.members.iter().map(|member| member.node).collect()
    }

    /// The seat of a member.
    pub fn seat(&self, node: NodeId) -> Option<Seat> {
        self.place.current.seats.iter().copied().find(|seat| seat.node == node)
    }

    /// How many of the members listen at the host of this one, itself included: they run on one machine, as
    /// those of `tern run-cluster` do, and share its cores.
    pub fn at_host_of(&self, node: NodeId) -> usize {
        let members = &self.offer.current.members;
        let host = |one: &Seated| one.address.rsplit_once(':').map(|(host, _)| host.to_owned());
        let own = members.iter().find(|one| one.node == node).and_then(host);
        let others = members.iter().filter(|one| one.node != node);
        others.filter(|one| own.is_some() && host(one) == own).count() + 1
    }

    /// Whether a machine is in this list or the one before.
    pub fn knows(&self, seat: Seat) -> bool {
        self.place.current.has(seat)
            || self.place.before.as_ref().is_some_and(|before| before.has(seat))
    }

    /// All others to talk to: the members, and while a change is under way those of the list before
    /// that are none any more.
    pub fn others(&self, me: Seat) -> (Vec<Address>, Vec<Address>) {
        let is_me = |one: &Address| one.node == me.node && one.incarnation == Some(me.incarnation);
        let current: Vec<Address> = addresses(&self.offer.current);
        let before = self.offer.before.iter().filter(|_| self.place.phase != Phase::Open);
        let seats: BTreeSet<_> = gather(current.iter().map(|one| (one.node, one.incarnation)));
        let former = before.flat_map(addresses);
        let former = former.filter(|one| !seats.contains(&(one.node, one.incarnation)));
        let former = former.filter(|one| !is_me(one)).collect();
        let current = current.into_iter().filter(|one| one.node != me.node).collect();
        (current, former)
    }
}

fn seat_of(&(node, incarnation): &(NodeId, Hash128)) -> Seat {
    Seat { node, incarnation }
}

fn addresses(members: &Members) -> Vec<Address> {
    let address = |one: &Seated| Address {
        node: one.node,
        incarnation: one.incarnation,
        address: one.address.clone(),
    };
    members.members.iter().map(address).collect()
}

fn members(epoch: u32, features: u32, list: &[Member]) -> Members {
    let seated = |member: &Member| Seated {
        node: member.node,
        incarnation: member.incarnation,
        address: member.address.clone(),
    };
    let mut members: Vec<Seated> = list.iter().map(seated).collect();
    sort_by_key(&mut members, |one| one.node);
    Members { epoch, features, members, given_up: Vec::new() }
}

/// A list as it is decided by. Where its machines listen is no part of it: each machine may be told
/// another way to the same one.
pub fn roster(list: &Members) -> Roster {
    let seat =
        |one: &Seated| Seat { node: one.node, incarnation: one.incarnation.unwrap_or_default() };
    let mut seats: Vec<Seat> = list.members.iter().map(seat).collect();
    sort_by(&mut seats, Ord::cmp);
    let words = seats.iter().map(|seat| format!("{}={}", seat.node, seat.incarnation));
    let words: Vec<String> = words.collect();
    let text = format!("{} {} {}", list.epoch, list.features, words.join(" "));
    let digest = chain_hash(Hash128::default(), &[text.as_bytes()]);
    Roster { epoch: list.epoch, digest, seats }
}

/// What is wrong with a list of members that another machine or the operator offers, if anything.
pub fn wrong(offer: &Offer) -> Option<&'static str> {
    let list = &offer.current;
    let numbers: BTreeSet<NodeId> = gather(list.members.iter().map(|one| one.node));
    if numbers.len() != list.members.len() {
        return Some("two members have one number");
    }
    if numbers.is_empty() || numbers.len() > MEMBERS_MAX {
        return Some("there are too few or too many members");
    }
    let before = offer.before.iter().flat_map(|before| &before.members);
    if list.members.iter().chain(before).any(|one| one.incarnation.is_none()) {
        return Some("a member is not known yet");
    }
    match &offer.before {
        None => Some("it follows no list of members"),
        Some(before) if before.epoch >= list.epoch => Some("it follows a newer one"),
        Some(_) => None,
    }
}

/// Writes a place that follows from the one in `file`, with the lists that it consists of. What is
/// known of a machine is kept as long as it is in one of them.
pub fn write(file: &mut NodeFile, offer: &Offer, place: &Place) {
    let before = file.before.take();
    let known = file.members.iter().chain(before.iter().flat_map(|before| &before.members));
    let known: BTreeMap<_, Member> =
        gather(known.map(|member| ((member.node, member.incarnation), member.clone())));
    let member = |one: &Seated| {
        let fresh = Member::new(one.node, one.incarnation, one.address.clone());
        known.get(&(one.node, one.incarnation)).cloned().unwrap_or(fresh)
    };
    let all = |list: &Members| list.members.iter().map(member).collect::<Vec<_>>();
    file.before = offer.before.as_ref().map(|list| Before {
        epoch: list.epoch,
        members: all(list),
        features: list.features,
        given_up: list.given_up.clone(),
        extra: serde_json::Map::new(),
    });
    file.members = all(&offer.current);
    file.epoch = offer.current.epoch;
    file.features = offer.current.features;
    (file.opened, file.ready) = (place.phase == Phase::Open, place.phase == Phase::Ready);
    let pair = |seat: &Seat| (seat.node, seat.incarnation);
    file.ready_for = place.ready_for.as_ref().map(|seats| seats.iter().map(pair).collect());
    file.learning = false;
}

/// The directory of a machine that copies first, to become a member by `offer`.
pub fn learner(cluster: Hash128, me: Seat, offer: &Offer) -> NodeFile {
    let mut file = NodeFile::new(cluster, me.node, me.incarnation, Vec::new());
    let place = Place {
        current: roster(&offer.current),
        phase: Phase::Adopted,
        before: offer.before.as_ref().map(roster),
        ready_for: None,
    };
    write(&mut file, offer, &place);
    file.learning = true;
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_at_one_host_counted_together() {
        let addresses =
            ["10.0.0.1:7001", "127.0.0.1:7001", "127.0.0.1:7002", "[::1]:7001", "[::1]:7"];
        let member = |(number, address): (u16, &&str)| {
            Member::new(NodeId::new(number).unwrap(), None, (*address).to_owned())
        };
        let list: Vec<_> = (1..).zip(&addresses).map(member).collect();
        let mut file = NodeFile::new(Hash128([1; 16]), list[0].node, Hash128([2; 16]), Vec::new());
        file.members = list;
        let config = Config::of(&file);
        let counted = [1, 2, 3, 4, 5, 6].map(|node| config.at_host_of(NodeId::new(node).unwrap()));
        assert_eq!(counted, [1, 2, 2, 2, 2, 1]);
    }
}
