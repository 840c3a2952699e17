//! What happened since somebody last asked.

use super::Backend;
use super::view::{Asked, Asker, Done, Result};
use crate::action::{Heard, Listen, ListenTo};
use crate::index::{Eyes, Happened, Listened, News, PostList};
use crate::limits::STREAM_EVENTS;
use crate::order::sort_by_key;
use crate::user::entry::PostRef;
use crate::wire::request::{HeardEvent, HeardPage, NewsRow, Outcome, PostView, Refusal};

impl Backend {
    /// Exact for whoever goes on at the same machine. After a change of machines, or a long silence, what
    /// is newer than the newest post that was heard of, up to a page: of changes to older ones nothing.
    pub(super) fn listen(&self, asked: Asked<'_>, data: &Listen) -> Result {
        let asker = asked.asker;
        if data.to == ListenTo::Home {
            asked.signed_in()?;
        }
        self.wait_for_lists();
        let listened = match &data.to {
            ListenTo::Home => Listened::Home,
            ListenTo::Everyone => Listened::Everyone,
            ListenTo::Tagged(tag) => Listened::Tagged(tag),
        };
        let (happened, heard) = self.happened(self.eyes(asker), listened, data.heard);
        let mut events = Vec::new();
        for what in &happened {
            events.extend(self.event(asker, what)?);
        }
        Ok(Done::told(Outcome::Heard(HeardPage { events, heard })))
    }

    /// What happened, and how much is heard then.
    fn happened(
        &self,
        eyes: Eyes,
        listened: Listened<'_>,
        heard: Option<Heard>,
    ) -> (Vec<Happened>, Heard) {
        let (node, boot) = (self.cluster.members.me, self.cluster.local.node.boot);
        let index = self.cluster.local.index();
        let (change, newest) = (index.next_change(), index.newest_post());
        let Some(before) = heard else {
            return (Vec::new(), Heard { node, boot, change, newest });
        };
        let is_ours = (before.node, before.boot) == (node, boot);
        let known = is_ours.then(|| index.happened(eyes, listened, before.change, STREAM_EVENTS));
        let newest = newest.max(before.newest);
        if let Some((happened, change)) = known.flatten() {
            return (happened, Heard { node, boot, change, newest });
        }
        let mut newer = Vec::new();
        let page = match listened {
            Listened::Home => {
                let concerns = index.news(eyes, None, STREAM_EVENTS).news.into_iter();
                newer.extend(concerns.map(|news| match news {
                    News::Named(post) => Happened::Named(post),
                    News::Followed(who, since) => Happened::Followed(who, since),
                }));
                index.home(eyes, None, STREAM_EVENTS)
            }
            Listened::Everyone => index.everyone(eyes, None, STREAM_EVENTS),
            Listened::Tagged(tag) => index.tagged(eyes, tag, None, STREAM_EVENTS),
        };
        let PostList { posts, reposted, .. } = page;
        let is_repost = |post: &PostRef| reposted.iter().any(|(of, _)| of == post);
        let posts = posts.into_iter().filter(|post| !is_repost(post));
        newer.extend(posts.map(Happened::Posted));
        newer.retain(|what| what.place() > before.newest);
        sort_by_key(&mut newer, Happened::place);
        (newer, Heard { node, boot, change, newest })
    }

    /// An event as it is told; none if what it tells of is gone by now.
    fn event(
        &self,
        asker: Option<&Asker>,
        what: &Happened,
    ) -> std::result::Result<Option<HeardEvent>, Refusal> {
        let boxed = |view: PostView| Box::new(view);
        Ok(match what {
            Happened::Posted(post) => {
                self.post_view(asker, post)?.map(boxed).map(HeardEvent::Posted)
            }
            Happened::Reposted(post, who) => self.post_view(asker, post)?.map(|view| {
                HeardEvent::Posted(boxed(PostView { reposted_by: self.person(who), ..view }))
            }),
            Happened::Edited(post) => {
                self.post_view(asker, post)?.map(boxed).map(HeardEvent::Edited)
            }
            Happened::Deleted(post) => Some(HeardEvent::Deleted(post.clone())),
            Happened::Named(post) => {
                let view = self.post_view(asker, post)?;
                view.map(|view| HeardEvent::News(NewsRow::Named(boxed(view))))
            }
            Happened::Followed(who, at) => {
                let row = |person| HeardEvent::News(NewsRow::Followed { person, at: *at });
                self.person(who).map(row)
            }
        })
    }
}
