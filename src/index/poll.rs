//! How polls were answered, and whom it concerns that one is over.
//!
//! A vote stands in the file of whoever voted and may be known before what it answers, so both are kept by the
//! post's key, whichever comes first.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};

use super::people::PersonId;
use super::{Index, Key};
use crate::clock::Wall;
use crate::user::User;
use crate::user::aside::Choices;
use crate::user::entry::PostRef;

/// The end of a poll that somebody asked or answered; sorted so that one person's stand together, in the
/// order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    whom: PersonId,
    pub(super) at: Wall,
    pub(super) post: Key,
}

impl End {
    /// Not above any of that person and time.
    const fn first_of(whom: PersonId, at: Wall) -> Self {
        let post = Key { id: crate::id::PostId::from_raw(0), author: PersonId::FIRST };
        Self { whom, at, post }
    }
}

/// One poll.
#[derive(Debug, Clone, Default)]
struct Ballot {
    /// Its end; none while its post is not known here, or gone.
    until: Option<Wall>,
    votes: BTreeMap<PersonId, Choices>,
    /// How many chose each, by places; as long as it must be.
    counts: Vec<u32>,
}

impl Ballot {
    fn count(&mut self, choices: Choices, change: impl Fn(&mut u32)) {
        for place in choices.places() {
            if self.counts.len() <= place {
                self.counts.resize(place + 1, 0);
            }
            self.counts.get_mut(place).map(&change);
        }
    }
}

/// See the module. Invariant: `ends` holds the author and all voters of each poll whose end is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Polls {
    ballots: BTreeMap<Key, Ballot>,
    ends: BTreeSet<End>,
}

/// How a poll was answered so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many chose each, by places.
    pub counts: Vec<u32>,
    /// How many have voted.
    pub voters: u32,
}

impl Polls {
    /// A post asks something until then.
    pub(super) fn open(&mut self, post: Key, until: Wall) {
        let ballot = self.ballots.entry(post).or_default();
        ballot.until = Some(until);
        let whom = ballot.votes.keys().copied().chain([post.author]);
        self.ends.extend(whom.map(|whom| End { whom, at: until, post }));
    }

    /// It does not stand any more.
    pub(super) fn close(&mut self, post: Key) {
        let Slot::Occupied(mut slot) = self.ballots.entry(post) else { return };
        let ballot = slot.get_mut();
        let Some(until) = ballot.until.take() else { return };
        for whom in ballot.votes.keys().copied().chain([post.author]) {
            self.ends.remove(&End { whom, at: until, post });
        }
        if ballot.votes.is_empty() {
            slot.remove();
        }
    }

    /// Somebody answered, for good.
    fn vote(&mut self, who: PersonId, post: Key, choices: Choices) {
        let ballot = self.ballots.entry(post).or_default();
        if ballot.votes.insert(who, choices).is_none() {
            ballot.count(choices, |count| *count = count.saturating_add(1));
            let end = ballot.until.map(|at| End { whom: who, at, post });
            self.ends.extend(end);
        }
    }

    /// Their file says so no longer: they have left, or it came anew.
    fn unvote(&mut self, who: PersonId, post: Key) {
        let Slot::Occupied(mut slot) = self.ballots.entry(post) else { return };
        let ballot = slot.get_mut();
        let Some(choices) = ballot.votes.remove(&who) else { return };
        ballot.count(choices, |count| *count = count.saturating_sub(1));
        match ballot.until {
            Some(at) if who != post.author => {
                self.ends.remove(&End { whom: who, at, post });
            }
            None if ballot.votes.is_empty() => {
                slot.remove();
            }
            Some(_) | None => {}
        }
    }

    /// What ended for somebody before `end`, the latest first.
    pub(super) fn ended_down(&self, whom: PersonId, end: Wall) -> impl Iterator<Item = End> + '_ {
        let all = End::first_of(whom, Wall(0))..End::first_of(whom, end);
        self.ends.range(all).rev().copied()
    }

    /// The same from the older end, from `first` on and before `end`.
    pub(super) fn ended_up(
        &self,
        whom: PersonId,
        (first, end): (Wall, Wall),
    ) -> impl Iterator<Item = End> + '_ {
        let all = End::first_of(whom, first)..End::first_of(whom, end.max(first));
        self.ends.range(all).copied()
    }
}

impl Index {
    /// How a poll was answered so far.
    pub fn tally(&self, post: &PostRef) -> Tally {
        let ballot = self.key(post).and_then(|key| self.polls.ballots.get(&key));
        ballot.map_or_else(Tally::default, |ballot| Tally {
            counts: ballot.counts.clone(),
            voters: u32::try_from(ballot.votes.len()).unwrap_or(u32::MAX),
        })
    }

    /// Takes in one vote of `before`, who is as they were before it.
    pub(super) fn vote(&mut self, before: &User, post: &PostRef, choices: Choices) {
        if !before.aside().votes.contains_key(post) {
            let (who, post) = (self.people.intern(&before.name), self.interned(post));
            self.polls.vote(who, post, choices);
        }
    }

    /// Has `who` have voted as `after` says and `before` did not, and the other way round.
    pub(super) fn replace_votes(&mut self, who: PersonId, before: &User, after: &User) {
        let (before, after) = (&before.aside().votes, &after.aside().votes);
        for (post, _) in before.iter().filter(|(post, was)| after.get(post) != Some(was)) {
            let post = self.interned(post);
            self.polls.unvote(who, post);
        }
        for (post, is) in after.iter().filter(|(post, is)| before.get(post) != Some(is)) {
            let post = self.interned(post);
            self.polls.vote(who, post, *is);
        }
    }

    /// Takes back what [`Self::open_polls`] took in.
    pub(super) fn close_polls(&mut self, author: PersonId, user: &User) {
        for id in user.aside().polls.keys() {
            self.polls.close(Key { id: *id, author });
        }
    }

    /// What all the posts of a user ask.
    pub(super) fn open_polls(&mut self, author: PersonId, user: &User) {
        for (id, poll) in &user.aside().polls {
            self.polls.open(Key { id: *id, author }, poll.until);
        }
    }
}
