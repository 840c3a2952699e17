//! What a member takes along, part by part: no part is longer than a page or two, however much there
//! is of it.

use super::Backend;
use super::view::{Asked, Done, Result};
use crate::action::ExportAfter;
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::EXPORT_POSTS;
use crate::user::entry::PostRef;
use crate::user::{Post, User};
use crate::wire::request::{ExportPage, ExportPost, ExportProfile, Outcome, Refusal};

impl Backend {
    /// The posts after one, oldest first; with the first of them everything else.
    pub(super) fn export(&self, asked: Asked<'_>, data: ExportAfter) -> Result {
        let name = asked.signed_in()?.user();
        let first = |user: &User| data.after.is_none().then(|| profile(user));
        let found = self.look(name, |user| (first(user), ids_after(user, data.after)));
        let (profile, ids) = found.ok_or(Refusal::SignedOut)?;
        let more_after = (ids.len() > EXPORT_POSTS).then(|| ids.get(EXPORT_POSTS - 1)).flatten();
        let posts = ids.iter().take(EXPORT_POSTS);
        let posts = posts.filter_map(|id| self.export_post(name, *id).transpose());
        Ok(Done::told(Outcome::Export(ExportPage {
            profile,
            posts: posts.collect::<std::result::Result<_, _>>()?,
            more_after: more_after.copied(),
        })))
    }

    /// One post; nothing if it was deleted meanwhile. One that cannot be read must not be left out
    /// silently.
    fn export_post(
        &self,
        user: &UserName,
        id: PostId,
    ) -> std::result::Result<Option<ExportPost>, Refusal> {
        let post = PostRef { user: user.clone(), id };
        let about = |_: &User, found: &Post| found.reply_to.as_deref().cloned();
        let found = self.read_text(&post, about)?;
        Ok(found.map(|(reply_to, said)| ExportPost {
            id,
            at: Wall(id.at_ms()),
            text: said.text,
            note: said.note,
            reply_to,
        }))
    }
}

fn profile(user: &User) -> ExportProfile {
    ExportProfile {
        username: user.name.clone(),
        display_name: user.display_name.clone(),
        bio: user.bio.clone(),
        joined_at: user.joined_at,
        follows: user.follows.iter().cloned().collect(),
    }
}

/// Up to one more than a part holds, which tells that another part follows.
fn ids_after(user: &User, after: Option<PostId>) -> Vec<PostId> {
    let start = user.posts.partition_point(|post| Some(post.id) <= after);
    user.posts.iter().skip(start).take(EXPORT_POSTS + 1).map(|post| post.id).collect()
}
