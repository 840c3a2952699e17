//! Pictures that were sent and are in no post yet: apps send them first and post after.
//!
//! Only an entry ends what an entry began: a post that names one, or, so that a file does not fill with what
//! was never posted, another picture that is sent much later or when there are many. What is too old for a
//! post is judged when it is posted.

use std::collections::BTreeMap;

use super::entry::Picture;
use crate::clock::Wall;
use crate::id::{PictureName, PostId};
use crate::limits::{PICTURE_UNWANTED_MS, SENT_PICTURE_MS, SENT_PICTURES_MAX};

/// Such pictures by their numbers, with when each was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent<T>(BTreeMap<PostId, (Wall, T)>);

impl<T> Sent<T> {
    /// None.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// One more, or one anew.
    pub(super) fn put(&mut self, id: PostId, at: Wall, what: T) {
        self.0.insert(id, (at, what));
        self.0.retain(|_, (sent_at, _)| sent_at.0.saturating_add(PICTURE_UNWANTED_MS) >= at.0);
        while self.0.len() > SENT_PICTURES_MAX {
            self.0.pop_first();
        }
    }

    /// A post has these now.
    pub(super) fn take(&mut self, pictures: &[Picture]) {
        for id in pictures.iter().filter_map(|picture| picture.sent_as) {
            self.0.remove(&id);
        }
    }

    /// All of them.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.0.values().map(|(_, what)| what)
    }

    /// The one of that number, if it was not sent too long ago to be posted.
    pub fn get(&self, id: PostId, now: Wall) -> Option<&T> {
        let (at, what) = self.0.get(&id)?;
        (now.0 < at.0.saturating_add(SENT_PICTURE_MS)).then_some(what)
    }

    /// The highest number among them.
    pub fn last(&self) -> Option<PostId> {
        self.0.last_key_value().map(|(id, _)| *id)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Sent<Picture> {
    /// Whether that file is of one of them.
    pub fn holds(&self, name: PictureName) -> bool {
        self.values().any(|picture| picture.file == name || picture.thumb == name)
    }
}

impl<T> Default for Sent<T> {
    fn default() -> Self {
        Self::none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PictureKind;

    const NOW: Wall = Wall(1_700_000_000_000);

    fn id(n: u64) -> PostId {
        PostId::from_raw(n)
    }

    #[test]
    fn sent_forgotten_when_posted_too_old_or_too_many() {
        let mut sent = Sent::none();
        for n in 0..=SENT_PICTURES_MAX as u64 {
            sent.put(id(n), NOW, n);
        }
        assert_eq!((sent.get(id(0), NOW), sent.get(id(1), NOW)), (None, Some(&1)));
        assert_eq!(sent.last(), Some(id(SENT_PICTURES_MAX as u64)));
        // Too old to be posted, and then too old to be kept.
        let late = Wall(NOW.0 + SENT_PICTURE_MS);
        assert_eq!((sent.get(id(2), Wall(late.0 - 1)), sent.get(id(2), late)), (Some(&2), None));
        // What is said anew counts anew.
        sent.put(id(2), late, 9);
        assert_eq!((sent.get(id(2), late), sent.get(id(3), late)), (Some(&9), None));
        sent.put(id(999), Wall(NOW.0 + PICTURE_UNWANTED_MS + 1), 1);
        assert_eq!(sent.values().copied().collect::<Vec<_>>(), [9, 1]);
        let file = PictureName::of(PictureKind::Jpeg, b"gull");
        let sent_as = Some(id(2));
        let description = String::new();
        let picture =
            Picture { file, thumb: file, width: 4, height: 3, bytes: 9, description, sent_as };
        sent.take(std::slice::from_ref(&picture));
        assert_eq!(sent.values().copied().collect::<Vec<_>>(), [1]);
    }
}
