//! What posts say, read from their authors' files.

use super::replicas::{Replicas, Slot};
use crate::id::PostId;
use crate::limits::POST_READS_MAX;
use crate::store::{Said, StoreError};
use crate::user::{Place, Post, User};

impl Replicas {
    /// What `about` says of a post, and what it says itself; `None` if the post does not stand.
    pub fn read_post<T>(
        &self,
        slot: &Slot,
        id: PostId,
        about: impl Fn(&User, &Post) -> T,
    ) -> Option<(T, Result<Said, StoreError>)> {
        let look = |user: &User| {
            let post = user.post(id)?;
            Some((about(user, post), post.place()))
        };
        read_at(slot, look, |place| self.store.read_text(&slot.name, id, *place))
    }

    /// What a post said from the first to now, oldest first; `None` if the post does not stand.
    pub fn read_history(&self, slot: &Slot, id: PostId) -> Option<Result<Vec<Said>, StoreError>> {
        let look = |user: &User| {
            let earlier = user.edits.get(&id).map(|edits| edits.earlier.as_slice());
            let places =
                earlier.unwrap_or_default().iter().copied().chain([user.post(id)?.place()]);
            Some(((), places.collect::<Vec<_>>()))
        };
        let read = |place: &Place| self.store.read_text(&slot.name, id, *place);
        read_at(slot, look, |places| places.iter().map(read).collect()).map(|((), said)| said)
    }
}

/// What `look` tells, and what stands where it says. The file may be replaced between looking
/// where a text stands and reading it: then both are done again.
fn read_at<T, P, S>(
    slot: &Slot,
    look: impl Fn(&User) -> Option<(T, P)>,
    read_from: impl Fn(&P) -> Result<S, StoreError>,
) -> Option<(T, Result<S, StoreError>)> {
    let read = || {
        let (told, place) = look(&slot.view())?;
        Some((told, read_from(&place)))
    };
    for _ in 1..POST_READS_MAX {
        match read()? {
            (_, Err(StoreError::NotAtPlace { .. })) => {}
            found => return Some(found),
        }
    }
    // Nothing replaces a file under this lock.
    let _replica = slot.lock();
    read()
}
