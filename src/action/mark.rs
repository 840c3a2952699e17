//! Liking, reposting, bookmarking a post, letting one of one's own stand first, and muting a thread.

use serde::{Deserialize, Serialize};

use super::handle::{ActionError, Plan};
use super::post::check_stands;
use super::{Field, Problem, RequestKey};
use crate::clock::Wall;
use crate::limits::{BOOKMARKS_MAX, LIKES_MAX, MUTED_THREADS_MAX, REPOSTS_MAX};
use crate::user::User;
use crate::user::entry::{Entry, PostRef};

/// What one may do to a post, and take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// Be told nothing of the thread to which it belongs.
    MuteThread,
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
    match mark {
        // What a thread begins with may be gone.
        Mark::MuteThread => {}
        // Only here, under the lock, is it certain that an own post still stands.
        _ if post.user == user.name => check_stands(user, post.id)?,
        Mark::Pin => return Err(ActionError::NotFound),
        Mark::Like | Mark::Repost | Mark::Bookmark => {}
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
        Mark::MuteThread => {
            let count = user.aside().muted_threads.len();
            (count, MUTED_THREADS_MAX, Entry::ThreadMuted { at, post })
        }
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
        Mark::MuteThread => Entry::ThreadUnmuted { at, post },
    }])
}

/// Mutes no thread any more that begins with one of these.
pub(super) fn unmute_threads(user: &User, beginnings: &[PostRef], now: Wall) -> Plan {
    let unmuted = beginnings.iter().map(|post| unset(user, Mark::MuteThread, post, now));
    Plan::of(unmuted.flat_map(|plan| plan.entries).collect())
}

fn is_set(user: &User, mark: Mark, post: &PostRef) -> bool {
    match mark {
        Mark::Like => user.likes.contains_key(post),
        Mark::Repost => user.reposts.contains_key(post),
        Mark::Bookmark => user.bookmarks.contains_key(post),
        Mark::Pin => post.user == user.name && user.pinned == Some(post.id),
        Mark::MuteThread => user.aside().muted_threads.contains(post),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{PostId, UserName};
    use crate::user::Place;

    const NOW: Wall = Wall(1_700_000_000_000);

    fn of(user: &str, id: u64) -> PostRef {
        PostRef { user: UserName::parse(user).unwrap(), id: PostId::from_raw(id) }
    }

    fn ada() -> User {
        let mut user = User::absent(UserName::parse("ada").unwrap());
        user.apply(&Entry::Joined { at: NOW }, Place::default());
        user
    }

    fn write(user: &mut User, plan: Plan) -> usize {
        let entries = plan.entries;
        for entry in &entries {
            user.apply(entry, Place::default());
        }
        entries.len()
    }

    #[test]
    fn threads_muted_whether_or_not_they_begin_with_what_stands() {
        let mut user = ada();
        let mute = |user: &User, post: &PostRef| set(user, Mark::MuteThread, post, NOW).unwrap();
        for post in [of("ben", 1), of("ada", 2), of("ben", 3)] {
            let plan = mute(&user, &post);
            assert_eq!(write(&mut user, plan), 1);
            assert_eq!(mute(&user, &post), Plan::default(), "as asked for already");
        }
        // All that lie on the way up, and nothing that was not muted.
        let way = [of("ben", 3), of("cleo", 4), of("ben", 1)];
        let plan = unmute_threads(&user, &way, NOW);
        assert_eq!(write(&mut user, plan), 2);
        assert_eq!(unmute_threads(&user, &way, NOW), Plan::default());
        assert_eq!(user.aside().muted_threads.iter().collect::<Vec<_>>(), [&of("ada", 2)]);
    }

    #[test]
    fn muted_threads_beyond_the_most_refused() {
        let mut user = ada();
        for id in 0..MUTED_THREADS_MAX as u64 {
            let muted = Entry::ThreadMuted { at: NOW, post: of("ben", id) };
            user.apply(&muted, Place::default());
        }
        let max = u32::try_from(MUTED_THREADS_MAX).unwrap();
        let full = ActionError::field(Field::Post, Problem::Full { max });
        let next = of("cleo", 1);
        assert_eq!(set(&user, Mark::MuteThread, &next, NOW), Err(full));
        let plan = unmute_threads(&user, &[of("ben", 7)], NOW);
        assert_eq!(write(&mut user, plan), 1);
        assert!(set(&user, Mark::MuteThread, &next, NOW).is_ok());
    }
}
