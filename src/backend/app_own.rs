//! What apps ask of what their person has done, so that it is the same when it is done again.

use super::Backend;
use super::app_reads::Told;
use super::view::{Asked, Asker};
use crate::id::{PostId, RequestId};
use crate::index::{Index, Walked};
use crate::user::User;
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

    /// What somebody's post answers, by the request that made it: what that is may be gone.
    pub(super) fn answered_in(&self, asked: Asked<'_>, request: RequestId) -> Told<PostRef> {
        let own = asked.signed_in()?.user();
        let answered = |user: &User| user.reply_to(user.made_by(&request)?).cloned();
        let look = || self.look(own, answered).flatten();
        // Sent by way of another machine a moment ago.
        let refreshed = || self.refresh(asked.permit, own).then(look).flatten();
        look().or_else(refreshed).ok_or(Refusal::NotFound)
    }
}
