//! What others think of somebody's posts, for their author: who likes or reposted one, in the order of time.

use super::Key;
use super::people::PersonId;
use super::sorted::SortedChunks;
use crate::clock::Wall;
use crate::id::PostId;

/// That somebody likes another's post, or reposted it; sorted so that what one author is told stands together,
/// in the order of time. It may hold what became of a post that is gone: [`super::Index::contains`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Echo {
    author: PersonId,
    pub(super) at: Wall,
    pub(super) who: PersonId,
    post: PostId,
}

const _: () = assert!(size_of::<Echo>() == 24);

impl Echo {
    /// What the author of a post is told of it; nothing of what they do themselves.
    pub(super) fn of(who: PersonId, post: Key, at: Wall) -> Option<Self> {
        let Key { id, author } = post;
        (author != who).then_some(Self { author, at, who, post: id })
    }

    /// Of which post.
    pub(super) const fn post(self) -> Key {
        Key { id: self.post, author: self.author }
    }

    /// Not above any of that author and time.
    const fn first_of(author: PersonId, at: Wall) -> Self {
        Self { author, at, who: PersonId::FIRST, post: PostId::from_raw(0) }
    }
}

/// What an author is told, made before `end`, the latest first.
pub(super) fn echoes_down(
    all: &SortedChunks<Echo>,
    author: PersonId,
    end: Wall,
) -> impl Iterator<Item = Echo> + use<'_> {
    let below = all.down(Some(&Echo::first_of(author, end))).copied();
    below.take_while(move |echo| echo.author == author)
}

/// The same from the older end, made at `first` or later.
pub(super) fn echoes_up(
    all: &SortedChunks<Echo>,
    author: PersonId,
    first: Wall,
) -> impl Iterator<Item = Echo> + use<'_> {
    let first = Echo::first_of(author, first);
    let above = all.up(std::ops::Bound::Included(&first)).copied();
    above.take_while(move |echo| echo.author == author)
}
