//! Lists of people, by name, and whom somebody might want to follow.

use super::people::{Circle, PersonId};
use super::{Eyes, Index};
use crate::id::UserName;
use crate::limits::{PASSED_OVER_MAX, SUGGESTION_STEPS_MAX};

/// People, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeopleList {
    /// At most as many as were asked for.
    pub names: Vec<UserName>,
    /// Where the next page begins, if there is more: its `after`.
    pub more_after: Option<UserName>,
}

impl Index {
    /// Up to `n` of those who follow `user`, by name, after `after`.
    pub fn followers(
        &self,
        eyes: Eyes,
        user: &UserName,
        after: Option<&UserName>,
        n: usize,
    ) -> PeopleList {
        self.circle_page(eyes, (user, Circle::Followers), after, n)
    }

    /// Up to `n` of those whom `user` follows, by name, after `after`.
    pub fn following(
        &self,
        eyes: Eyes,
        user: &UserName,
        after: Option<&UserName>,
        n: usize,
    ) -> PeopleList {
        self.circle_page(eyes, (user, Circle::Follows), after, n)
    }

    /// Up to `n` members, by name, after `after`.
    pub fn directory(&self, eyes: Eyes, after: Option<&UserName>, n: usize) -> PeopleList {
        self.people_page(eyes, self.people.directory(after), n)
    }

    /// Up to `n` accounts, by name, after `after`, whoever has let them in.
    pub fn accounts(&self, after: Option<&UserName>, n: usize) -> PeopleList {
        let mut people = self.people.directory(after);
        let names: Vec<UserName> =
            people.by_ref().take(n).map(|id| self.people.get(id).name.clone()).collect();
        let more_after = people.next().and_then(|_| names.last().cloned());
        PeopleList { names, more_after }
    }

    /// Up to `n` members whom the viewer does not follow: those who posted last, then, where there are
    /// too few of them, any. Looks through a limited number of posts and names.
    pub fn suggestions(&self, eyes: Eyes, n: usize) -> Vec<UserName> {
        let latest = self.timeline.down(None).take(SUGGESTION_STEPS_MAX);
        // Who writes to few is not betrayed by when they do.
        let posters = latest.filter(|key| !self.is_for_few(**key)).map(|key| key.author);
        let anyone = self.people.directory(None).take(SUGGESTION_STEPS_MAX);
        let is_known = |id: PersonId| {
            eyes.viewer.is_some_and(|viewer| viewer == id || self.people.follows(viewer, id))
        };
        let mut found: Vec<PersonId> = Vec::new();
        for id in posters.chain(anyone) {
            if found.len() >= n {
                break;
            }
            let is_seen = self.people.is_active(id) && self.shows_author(eyes, id);
            if is_seen && !found.contains(&id) && !is_known(id) {
                found.push(id);
            }
        }
        found.into_iter().map(|id| self.people.get(id).name.clone()).collect()
    }

    fn circle_page(
        &self,
        eyes: Eyes,
        (user, circle): (&UserName, Circle),
        after: Option<&UserName>,
        n: usize,
    ) -> PeopleList {
        let Some(id) = self.people.find(user) else { return PeopleList::default() };
        self.people_page(eyes, self.people.circle_after(id, circle, after).iter().copied(), n)
    }

    /// The first `n` of these whom the eyes are shown. Passes over a limited number of others: then
    /// the page ends early, and the next goes on from there.
    fn people_page(
        &self,
        eyes: Eyes,
        people: impl Iterator<Item = PersonId>,
        n: usize,
    ) -> PeopleList {
        let mut names: Vec<UserName> = Vec::new();
        let (mut last, mut passed_over) = (None, 0);
        for id in people {
            let is_shown = self.shows_id(eyes, id);
            if passed_over >= PASSED_OVER_MAX || (is_shown && names.len() >= n) {
                let more_after = last.map(|last| self.people.get(last).name.clone());
                return PeopleList { names, more_after };
            }
            if is_shown {
                names.push(self.people.get(id).name.clone());
            } else {
                passed_over += 1;
            }
            last = Some(id);
        }
        PeopleList { names, more_after: None }
    }
}
