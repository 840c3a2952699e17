//! What most people have none of, so that it costs those nothing: polls, votes, pictures that are covered,
//! posts for few that were taken back, threads of which somebody wants to hear nothing, and followers whom
//! they removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::User;
use super::entry::{Entry, PostRef, is_not};
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{POLL_OPTIONS_READ, POST_PICTURES_MAX};

/// What a post asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// What can be chosen, at least two, each 1 to `limits::POLL_OPTION_CHARS_MAX` characters.
    pub options: Vec<String>,
    /// Until when votes are taken.
    pub until: Wall,
    /// Whether several may be chosen.
    #[serde(default, skip_serializing_if = "is_not")]
    pub many: bool,
    /// Whether nobody is told before its end how many chose what.
    #[serde(default, skip_serializing_if = "is_not")]
    pub hides_votes: bool,
}

/// How far above its post's number a poll's lies: behind those of a post's pictures
/// ([`super::entry::Picture::number`]).
const BESIDE_POST: u64 = 1 + POST_PICTURES_MAX as u64;

impl Poll {
    /// The number by which apps know the poll of this post.
    pub fn number(post: PostId) -> PostId {
        PostId::from_raw(post.get().saturating_add(BESIDE_POST))
    }

    /// Of which post that is the poll's number; nobody's for what is no poll's.
    pub fn post_of(number: PostId) -> PostId {
        PostId::from_raw(number.get().saturating_sub(BESIDE_POST))
    }

    /// Whether votes are no longer taken.
    pub const fn is_over(&self, now: Wall) -> bool {
        now.0 >= self.until.0
    }
}

/// What somebody chose in a poll: options by their places, from 0. Total on purpose: a place beyond
/// [`POLL_OPTIONS_READ`] chooses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<u32>", into = "Vec<u32>")]
pub struct Choices(u32);

impl Choices {
    /// The places, from the lowest.
    pub fn places(self) -> impl Iterator<Item = usize> {
        (0..POLL_OPTIONS_READ).filter(move |place| self.has(*place))
    }

    /// Whether this is among them.
    pub const fn has(self, place: usize) -> bool {
        place < POLL_OPTIONS_READ && self.0 >> place & 1 == 1
    }

    /// How many they are.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }
}

impl FromIterator<usize> for Choices {
    fn from_iter<T: IntoIterator<Item = usize>>(places: T) -> Self {
        let bit = |place: usize| if place < POLL_OPTIONS_READ { 1 << place } else { 0 };
        Self(places.into_iter().map(bit).fold(0, |all, one: u32| all | one))
    }
}

impl From<Vec<u32>> for Choices {
    fn from(places: Vec<u32>) -> Self {
        places.into_iter().filter_map(|place| usize::try_from(place).ok()).collect()
    }
}

impl From<Choices> for Vec<u32> {
    fn from(choices: Choices) -> Self {
        choices.places().filter_map(|place| u32::try_from(place).ok()).collect()
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Aside {
    /// What their posts ask, of those that stand.
    pub polls: BTreeMap<PostId, Arc<Poll>>,
    /// Their posts that stand whose pictures are covered.
    pub sensitive: BTreeSet<PostId>,
    /// Those of their posts that were taken back that were for few.
    pub few_deleted: BTreeSet<PostId>,
    /// What they chose, and where.
    pub votes: BTreeMap<PostRef, Choices>,
    /// Threads of which they want to hear nothing, by the post that each begins with.
    pub muted_threads: BTreeSet<PostRef>,
    /// Whose following them counts for nothing if it was stated no later than then. It stays when it has
    /// no effect any more, since another's file alone tells that; at most `limits::REMOVED_FOLLOWERS_MAX`.
    pub removed_followers: BTreeMap<UserName, Wall>,
}

static NONE: Aside = Aside {
    polls: BTreeMap::new(),
    sensitive: BTreeSet::new(),
    few_deleted: BTreeSet::new(),
    votes: BTreeMap::new(),
    muted_threads: BTreeSet::new(),
    removed_followers: BTreeMap::new(),
};

impl Aside {
    /// Whether there is none of it.
    pub fn is_empty(&self) -> bool {
        *self == NONE
    }

    /// Takes in an entry that is about this. A vote stands: nobody chooses twice.
    pub(super) fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Voted { at: _, post, choices } => {
                self.votes.entry(post.clone()).or_insert(*choices);
            }
            Entry::ThreadMuted { at: _, post } => {
                self.muted_threads.insert(post.clone());
            }
            Entry::ThreadUnmuted { at: _, post } => {
                self.muted_threads.remove(post);
            }
            Entry::FollowerRemoved { at, user } => {
                self.removed_followers.insert(user.clone(), *at);
            }
            _ => {}
        }
    }
}

impl User {
    /// What they asked, chose and want to hear nothing of.
    pub fn aside(&self) -> &Aside {
        self.aside.as_deref().unwrap_or(&NONE)
    }

    /// Whether the post of that number says something without a text.
    pub fn has_more_than_text(&self, id: PostId) -> bool {
        self.pictures.contains_key(&id) || self.poll(id).is_some()
    }

    /// Whether the pictures of the post of that number are covered, but for what a note covers.
    pub fn is_sensitive(&self, id: PostId) -> bool {
        self.aside().sensitive.contains(&id)
    }

    /// What the post of that number asks, if it stands and asks something.
    pub fn poll(&self, id: PostId) -> Option<&Arc<Poll>> {
        self.aside().polls.get(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_in_a_file_are_places_and_none_breaks_it() {
        let read = |json: &str| serde_json::from_str::<Choices>(json).unwrap();
        let choices = read("[2,0,0]");
        assert_eq!(serde_json::to_string(&choices).unwrap(), "[0,2]");
        assert_eq!((choices.count(), choices.has(2), choices.has(1)), (2, true, false));
        assert_eq!(read("[32,4000000000,31]").places().collect::<Vec<_>>(), [31]);
        assert!(!choices.has(usize::MAX));
        assert!(serde_json::from_str::<Choices>("[-1]").is_err());
    }

    #[test]
    fn cover_stays_until_it_is_lifted_or_its_post_goes() {
        let mut user = User::absent("ada".parse().unwrap());
        let mut is_covered = |entry: &str| {
            user.apply(&serde_json::from_str(entry).unwrap(), super::super::Place::default());
            user.is_sensitive(PostId::from_raw(7))
        };
        for (entry, expected) in [
            (r#"{"e":"posted","at":1,"id":"6","text":"Bare"}"#, false),
            (r#"{"e":"posted","at":1,"id":"7","text":"Mind","sensitive":true}"#, true),
            // As earlier programs edit it.
            (r#"{"e":"post_edited","at":2,"id":"7","text":"Mind it"}"#, true),
            (r#"{"e":"post_edited","at":3,"id":"7","text":"Mind","sensitive":false}"#, false),
            (r#"{"e":"post_edited","at":4,"id":"7","text":"Mind","sensitive":true}"#, true),
            (r#"{"e":"post_edited","at":4,"id":"8","text":"Gone","sensitive":true}"#, true),
            (r#"{"e":"post_deleted","at":5,"id":"7"}"#, false),
        ] {
            assert_eq!(is_covered(entry), expected, "{entry}");
        }
        assert!(user.aside().is_empty());
    }
}
