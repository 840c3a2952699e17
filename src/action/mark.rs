//! Liking, reposting, bookmarking a post, and letting one of one's own stand first.

use serde::{Deserialize, Serialize};

use super::handle::{ActionError, Plan};
use super::post::check_stands;
use super::{Field, Problem, RequestKey};
use crate::clock::Wall;
use crate::limits::{BOOKMARKS_MAX, LIKES_MAX, REPOSTS_MAX};
use crate::user::User;
use crate::user::entry::{Entry, PostRef};

/// What one may do to a post, and take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Tell its author that one likes it.
    Like,
    /// Show it to those who follow.
    Repost,
    /// Keep it in a list of one's own.
    Bookmark,
    /// Let it, one's own, stand first on one's profile.
    Pin,
}

/// Data of [`super::Action::Mark`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetMark {
    /// The form's key.
    pub key: RequestKey,
    /// Which post.
    pub post: PostRef,
    /// What to do to it.
    pub mark: Mark,
    /// Whether to do it, and not to take it back.
    pub on: bool,
}

/// Marks a post. One that bears the mark already is as asked for.
pub(super) fn set(user: &User, mark: Mark, post: &PostRef, now: Wall) -> Result<Plan, ActionError> {
    // Only here, under the lock, is it certain that an own post still stands.
    if post.user == user.name {
        check_stands(user, post.id)?;
    } else if mark == Mark::Pin {
        return Err(ActionError::NotFound);
    }
    if is_set(user, mark, post) {
        return Ok(Plan::default());
    }
    let (at, post) = (now, post.clone());
    let (count, max, entry) = match mark {
        Mark::Like => (user.likes.len(), LIKES_MAX, Entry::Liked { at, post }),
        Mark::Repost => (user.reposts.len(), REPOSTS_MAX, Entry::Reposted { at, post }),
        Mark::Bookmark => (user.bookmarks.len(), BOOKMARKS_MAX, Entry::Bookmarked { at, post }),
        // Takes the place of another.
        Mark::Pin => (0, 1, Entry::Pinned { at, id: post.id }),
    };
    if count >= max {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        return Err(ActionError::field(Field::Post, Problem::Full { max }));
    }
    Ok(Plan::of(vec![entry]))
}

/// Takes a mark back, whatever became of the post.
pub(super) fn unset(user: &User, mark: Mark, post: &PostRef, now: Wall) -> Plan {
    if !is_set(user, mark, post) {
        return Plan::default();
    }
    let (at, post) = (now, post.clone());
    Plan::of(vec![match mark {
        Mark::Like => Entry::Unliked { at, post },
        Mark::Repost => Entry::Unreposted { at, post },
        Mark::Bookmark => Entry::Unbookmarked { at, post },
        Mark::Pin => Entry::Unpinned { at },
    }])
}

fn is_set(user: &User, mark: Mark, post: &PostRef) -> bool {
    match mark {
        Mark::Like => user.likes.contains_key(post),
        Mark::Repost => user.reposts.contains_key(post),
        Mark::Bookmark => user.bookmarks.contains_key(post),
        Mark::Pin => post.user == user.name && user.pinned == Some(post.id),
    }
}
