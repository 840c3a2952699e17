//! Names as small numbers, and for each name what belongs to it: whether it has an account, its posts'
//! numbers, whom it follows, who follows it.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::apart::Apart;
use super::repost::Repost;
use crate::clock::Wall;
use crate::id::{PostId, UserName};

/// A name's number in this process: an index into the list of people. Never on disk or wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PersonId(u32);

impl PersonId {
    /// Below or equal to every other.
    pub(super) const FIRST: Self = Self(0);

    /// Its place in a list of all people.
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Whether a name has an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody has taken the name yet, as far as is known here: it was mentioned by someone's follow
    /// or reply.
    Absent,
    Active,
    Left,
}

#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: UserName,
    pub(super) standing: Standing,
    /// When the account was made.
    pub(super) joined_at: Wall,
    /// How many of their posts are kept from some.
    pub(super) few: u32,
    /// Whether strangers are shown none of their posts.
    pub(super) members_only: bool,
    /// Sorted.
    pub(super) posts: Vec<PostId>,
    /// Sorted.
    pub(super) reposts: Vec<Repost>,
    /// Sorted by name.
    follows: Vec<PersonId>,
    /// Sorted by name.
    followers: Vec<PersonId>,
}

/// Invariants: `follows` and `followers` are each other's mirror; nobody who left is in either,
/// nor is a follow that [`Apart`] calls void.
#[derive(Debug, Clone, Default)]
pub(super) struct People {
    ids: BTreeMap<UserName, PersonId>,
    list: Vec<Person>,
    active: usize,
    /// Who wants to see nothing of whom.
    pub(super) apart: Apart,
}

/// Which of a person's two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Circle {
    Follows,
    Followers,
}

impl People {
    /// The number of a name, if it has one.
    pub(super) fn find(&self, name: &UserName) -> Option<PersonId> {
        self.ids.get(name).copied()
    }

    /// The number of a name; gives it one if it has none.
    #[expect(clippy::expect_used, reason = "four thousand million names do not fit the memory")]
    pub(super) fn intern(&mut self, name: &UserName) -> PersonId {
        if let Some(id) = self.find(name) {
            return id;
        }
        let id = PersonId(u32::try_from(self.list.len()).expect("too many names"));
        self.ids.insert(name.clone(), id);
        self.list.push(Person {
            name: name.clone(),
            standing: Standing::Absent,
            joined_at: Wall(0),
            few: 0,
            members_only: false,
            posts: Vec::new(),
            reposts: Vec::new(),
            follows: Vec::new(),
            followers: Vec::new(),
        });
        id
    }

    #[expect(clippy::indexing_slicing, reason = "ids come from `intern`, and none is taken back")]
    pub(super) fn get(&self, id: PersonId) -> &Person {
        &self.list[id.index()]
    }

    #[expect(clippy::indexing_slicing, reason = "ids come from `intern`, and none is taken back")]
    pub(super) fn get_mut(&mut self, id: PersonId) -> &mut Person {
        &mut self.list[id.index()]
    }

    /// Everybody's number.
    pub(super) fn ids(&self) -> impl Iterator<Item = PersonId> {
        self.ids.values().copied()
    }

    /// How many names have a number.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// How many have an account.
    pub(super) fn active(&self) -> usize {
        self.active
    }

    pub(super) fn is_active(&self, id: PersonId) -> bool {
        self.get(id).standing == Standing::Active
    }

    /// Makes an account, unless the name is used up.
    pub(super) fn join(&mut self, id: PersonId, at: Wall) {
        let person = self.get_mut(id);
        if person.standing == Standing::Absent {
            person.standing = Standing::Active;
            person.joined_at = at;
            self.active += 1;
        }
    }

    /// Ends an account for good, with all that ties it to others.
    pub(super) fn leave(&mut self, id: PersonId) {
        for followed in std::mem::take(&mut self.get_mut(id).follows) {
            self.delist(followed, Circle::Followers, id);
        }
        for follower in std::mem::take(&mut self.get_mut(id).followers) {
            self.delist(follower, Circle::Follows, id);
        }
        let person = self.get_mut(id);
        if person.standing == Standing::Active {
            self.active -= 1;
        }
        let person = self.get_mut(id);
        person.standing = Standing::Left;
        person.posts = Vec::new();
        person.reposts = Vec::new();
        self.apart.forget(id);
    }

    /// Takes in a follow that a file states, or looks anew whether it counts. Following someone who has
    /// left, or oneself, ties nobody to anybody; nor does what is void.
    pub(super) fn follow(&mut self, who: PersonId, whom: PersonId, since: Wall) {
        let gone = [who, whom].into_iter().any(|id| self.get(id).standing == Standing::Left);
        if gone || who == whom || self.apart.is_void(who, whom, since) {
            self.unfollow(who, whom);
            return;
        }
        self.enlist(who, Circle::Follows, whom);
        self.enlist(whom, Circle::Followers, who);
    }

    pub(super) fn unfollow(&mut self, who: PersonId, whom: PersonId) {
        self.delist(who, Circle::Follows, whom);
        self.delist(whom, Circle::Followers, who);
    }

    /// Ends what ties the two to each other, while one blocks. What they stated stays in their files.
    pub(super) fn block(&mut self, who: PersonId, whom: PersonId) {
        if who == whom {
            return;
        }
        self.apart.block(who, whom);
        self.unfollow(who, whom);
        self.unfollow(whom, who);
    }

    /// One of a person's lists, by name.
    pub(super) fn circle(&self, id: PersonId, circle: Circle) -> &[PersonId] {
        match circle {
            Circle::Follows => &self.get(id).follows,
            Circle::Followers => &self.get(id).followers,
        }
    }

    pub(super) fn follows(&self, who: PersonId, whom: PersonId) -> bool {
        self.place(who, Circle::Follows, &self.get(whom).name).is_ok()
    }

    /// Those of a list whose names come after `after`.
    pub(super) fn circle_after(
        &self,
        id: PersonId,
        circle: Circle,
        after: Option<&UserName>,
    ) -> &[PersonId] {
        let from = after.map_or(0, |after| match self.place(id, circle, after) {
            Ok(at) => at + 1,
            Err(at) => at,
        });
        self.circle(id, circle).get(from..).unwrap_or_default()
    }

    /// Those who have an account, by name, after `after`.
    pub(super) fn directory(&self, after: Option<&UserName>) -> impl Iterator<Item = PersonId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = self.ids.range::<UserName, _>((from, Bound::Unbounded));
        names.map(|(_, id)| *id).filter(|id| self.is_active(*id))
    }

    /// Those who have an account and whose names begin so, by name.
    pub(super) fn starting_with(&self, start: &str) -> impl Iterator<Item = PersonId> {
        let names = self.ids.range::<str, _>((Bound::Included(start), Bound::Unbounded));
        let names = names.take_while(move |(name, _)| name.as_str().starts_with(start));
        names.map(|(_, id)| *id).filter(|id| self.is_active(*id))
    }

    /// Gives back the memory that growing has set aside.
    pub(super) fn shrink_to_fit(&mut self) {
        for person in &mut self.list {
            person.posts.shrink_to_fit();
            person.reposts.shrink_to_fit();
            person.follows.shrink_to_fit();
            person.followers.shrink_to_fit();
        }
    }

    /// Where a name stands in a list, or would stand.
    fn place(&self, id: PersonId, circle: Circle, name: &UserName) -> Result<usize, usize> {
        self.circle(id, circle).binary_search_by(|other| self.get(*other).name.cmp(name))
    }

    fn enlist(&mut self, id: PersonId, circle: Circle, other: PersonId) {
        if let Err(at) = self.place(id, circle, &self.get(other).name) {
            self.circle_mut(id, circle).insert(at, other);
        }
    }

    fn delist(&mut self, id: PersonId, circle: Circle, other: PersonId) {
        if let Ok(at) = self.place(id, circle, &self.get(other).name) {
            self.circle_mut(id, circle).remove(at);
        }
    }

    fn circle_mut(&mut self, id: PersonId, circle: Circle) -> &mut Vec<PersonId> {
        let person = self.get_mut(id);
        match circle {
            Circle::Follows => &mut person.follows,
            Circle::Followers => &mut person.followers,
        }
    }
}
