//! What apps ask of what their person has done, so that it is the same when it is done again.

use super::Backend;
use super::app_reads::Told;
use super::view::Asker;
use crate::id::PostId;
use crate::index::{Index, Walked};
use crate::user::entry::PostRef;
use crate::wire::request::Refusal;

impl Backend {
    /// The repost that somebody has made of a post.
    pub(super) fn own_repost(&self, asker: &Asker, post: PostRef) -> Told<Walked> {
        let by = asker.user().clone();
        let made = self.look(&by, |user| user.reposts.get(&post).copied()).flatten();
        let place = PostId::floor_of(made.ok_or(Refusal::NotFound)?.0);
        let id = Index::number_of_repost(place, &by, &post);
        Ok(Walked { post, id, by: Some(by) })
    }
}
