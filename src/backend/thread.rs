//! A post, what it answers, and what answers it: for a page a part at a time, for an app as much as may be.

use super::Backend;
use super::app_reads::Told;
use super::view::{Asked, Asker, Done, Result};
use crate::action::{ReplyPlace, ThreadOf};
use crate::id::PostId;
use crate::index::{Begin, Index, Reply, Thread};
use crate::limits::{
    ANCESTORS_SHOWN, API_ABOVE_MAX, API_BELOW_MAX, API_BELOW_STRANGERS_MAX, REPLIES_TOLD_MAX,
    THREAD_STEPS_MAX,
};
use crate::user::entry::PostRef;
use crate::wire::request::{
    Ancestor, ApiReply, Kept, Outcome, PostView, Refusal, ReplyView, StatusView, ThreadPage,
};

impl Backend {
    pub(super) fn thread(&self, mut asked: Asked<'_>, data: ThreadOf) -> Result {
        let asker = asked.asker;
        self.find(&mut asked, &data.post.user)?;
        self.wait_for_lists();
        let eyes = self.eyes(asker);
        if !self.cluster.local.index().shows(eyes, &data.post) {
            return Err(Refusal::NotFound);
        }
        let Some(mut post) = self.post_view(asker, &data.post)? else {
            return Err(self.gone_or_not_found(&data.post));
        };
        post.liked_by = self.liked_by(asker, &data.post);
        let n = data.limit.map_or(REPLIES_TOLD_MAX, usize::from).min(REPLIES_TOLD_MAX);
        let found = self.replies_behind(asker, &data.post, data.after, n);
        let more_replies = found.more;
        let replies = self.reply_views(asker, found.replies)?;
        let just_posted = asker.and_then(|asker| self.just_posted(asker, data.posted));
        let own = just_posted.filter(|kept| replies.iter().all(|it| it.post.id != kept.post));
        let thread = ThreadPage {
            ancestors: self.ancestors(asker, &post, ANCESTORS_SHOWN)?,
            own: self.own_reply(asker, &data.post, own)?,
            replies,
            more_replies,
            just_posted,
            post,
        };
        Ok(Done::told(Outcome::Thread(thread)))
    }

    fn reply_views(&self, asker: Option<&Asker>, replies: Vec<Reply>) -> Told<Vec<ReplyView>> {
        let view = |Reply { post, depth, is_below_unseen }| {
            let view = self.if_readable(self.post_view(asker, &post)).transpose()?;
            Some(view.map(|post| ReplyView { post, depth, is_below_unseen }))
        };
        replies.into_iter().filter_map(view).collect()
    }

    /// Up to `n` replies behind a place.
    fn replies_behind(
        &self,
        asker: Option<&Asker>,
        root: &PostRef,
        after: Option<ReplyPlace>,
        n: usize,
    ) -> Thread {
        let eyes = self.eyes(asker);
        let numbered = |id| self.cluster.local.index().posts_numbered(id);
        let way = after.and_then(|after| {
            numbered(after.last).iter().find_map(|last| self.way_down(asker, root, last))
        });
        let begin = match (&way, after) {
            (Some(way), _) => Begin::Behind(way),
            (None, Some(after)) => Begin::Child(after.top),
            (None, None) => Begin::First,
        };
        self.cluster.local.index().replies_from(eyes, root, begin, n)
    }

    /// The way down from a post to a reply, that included, if the one who asks is shown the reply, and nothing
    /// between is for few and not for them: of no other do they learn that it answers the post.
    fn way_down(
        &self,
        asker: Option<&Asker>,
        root: &PostRef,
        reply: &PostRef,
    ) -> Option<Vec<PostRef>> {
        let eyes = self.eyes(asker);
        let (mut way, mut at) = (Vec::new(), reply.clone());
        while at != *root {
            let is_shown = {
                let index = self.cluster.local.index();
                let is_seen = if way.is_empty() { Index::shows } else { Index::is_for };
                index.contains(&at) && is_seen(&index, eyes, &at)
            };
            if !is_shown || way.len() == THREAD_STEPS_MAX {
                return None;
            }
            let parent = self.look(&at.user, |user| user.reply_to(at.id).cloned()).flatten()?;
            way.push(std::mem::replace(&mut at, parent));
        }
        way.reverse();
        Some(way)
    }

    /// The reply that was just made, which whoever made it is shown wherever it stands.
    fn own_reply(
        &self,
        asker: Option<&Asker>,
        root: &PostRef,
        posted: Option<Kept>,
    ) -> Told<Option<Box<ReplyView>>> {
        let post = asker.zip(posted).map(|(asker, kept)| own_post(asker, kept.post));
        let Some(post) = post.filter(|post| post != root) else { return Ok(None) };
        let Some(way) = self.way_down(asker, root, &post) else { return Ok(None) };
        let depth = u32::try_from(way.len()).unwrap_or(u32::MAX);
        let reply = Reply { post, depth, is_below_unseen: false };
        let views = self.reply_views(asker, vec![reply])?;
        Ok(views.into_iter().next().map(Box::new))
    }

    /// What a post answers, from the root down: the `n` nearest.
    fn ancestors(&self, asker: Option<&Asker>, post: &PostView, n: usize) -> Told<Vec<Ancestor>> {
        let eyes = self.eyes(asker);
        let mut ancestors = Vec::new();
        let mut next = post.reply_to.clone();
        while let Some(parent) = next.take() {
            if ancestors.len() == n {
                break;
            }
            let is_shown = self.cluster.local.index().shows(eyes, &parent);
            match self.post_view(asker, &parent) {
                Err(Refusal::Behind) if !self.others_may_know() => {
                    ancestors.push(Ancestor::Unseen(parent));
                }
                Err(refusal) => return Err(refusal),
                Ok(Some(view)) => {
                    next.clone_from(&view.reply_to);
                    ancestors.push(if is_shown {
                        Ancestor::Post(view)
                    } else {
                        Ancestor::Unseen(parent)
                    });
                }
                Ok(None) => ancestors.push(Ancestor::Deleted(parent)),
            }
        }
        ancestors.reverse();
        Ok(ancestors)
    }

    /// The same for an app, which has no pages of it: strangers are told less than members.
    pub(super) fn context(&self, asker: Option<&Asker>, id: PostId) -> Told<ApiReply> {
        let walked = self.numbered(asker, id)?;
        let view = self.post_view(asker, &walked.post)?.ok_or(Refusal::NotFound)?;
        let above = self.ancestors(asker, &view, API_ABOVE_MAX)?;
        let above = above.into_iter().filter_map(|above| match above {
            Ancestor::Post(view) => Some(StatusView::of(view)),
            Ancestor::Deleted(_) | Ancestor::Unseen(_) => None,
        });
        let ancestors = self.with_accounts(asker, above.collect());
        let n = if asker.is_some() { API_BELOW_MAX } else { API_BELOW_STRANGERS_MAX };
        let below = self.replies_behind(asker, &walked.post, None, n).replies;
        let below = self.reply_views(asker, below)?.into_iter();
        let below = below.map(|reply| StatusView::of(reply.post)).collect();
        Ok(ApiReply::Context { ancestors, descendants: self.with_accounts(asker, below) })
    }
}

fn own_post(asker: &Asker, id: PostId) -> PostRef {
    PostRef { user: asker.user().clone(), id }
}
