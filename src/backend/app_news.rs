//! What apps are told of what concerns somebody, and of posts in which words stand.

use super::Backend;
use super::app_reads::Told;
use super::view::{Asked, Asker};
use crate::action::{NewsPart, Search};
use crate::id::PostId;
use crate::index::{News, NewsWanted, Span};
use crate::limits::API_PAGE_MAX;
use crate::wire::request::{NewsReply, NewsView, Outcome, Refusal, StatusView, Statuses};

impl Backend {
    pub(super) fn news_for_app(&self, asker: &Asker, part: &NewsPart) -> Told<NewsReply> {
        let n = usize::from(part.limit).clamp(1, API_PAGE_MAX);
        let eyes = self.eyes(Some(asker));
        let span = Span { below: part.below, above: part.above, is_rising: part.is_rising };
        let (named, followed, by) = (part.named, part.followed, part.by.as_ref());
        let wanted = NewsWanted { named, followed, by };
        let found = self.cluster.local.index().news_part(eyes, span, &wanted, n);
        let (mut news, mut posts) = (Vec::new(), Vec::new());
        for item in found.news {
            match item {
                News::Named(post) => {
                    let Some(view) = self.post_view(Some(asker), &post)? else { continue };
                    let (place, at) = (post.id, view.at);
                    news.push(NewsView { place, by: post.user, at, is_post: true });
                    posts.push(StatusView::of(view));
                }
                News::Followed(by, at) => {
                    let place = PostId::floor_of(at.0);
                    news.push(NewsView { place, by, at, is_post: false });
                }
            }
        }
        let mut posts = self.with_accounts(Some(asker), posts);
        let eyes = self.eyes(Some(asker));
        for view in &news {
            if !posts.accounts.iter().any(|known| known.username == view.by) {
                posts.accounts.extend(self.account_view(eyes, &view.by));
            }
        }
        Ok(NewsReply { news, posts, stopped: found.older })
    }

    /// Posts in which all stands that is looked for, as a search on the pages finds them.
    pub(super) fn found_for_app(
        &self,
        asked: Asked<'_>,
        query: String,
        before: Option<PostId>,
    ) -> Told<Statuses> {
        let asker = asked.signed_in()?;
        let search = Search { query, before, address: None };
        let Outcome::Found(found) = self.search(asked, search)?.outcome else {
            return Err(Refusal::NotFound);
        };
        let posts = found.posts.into_iter().map(StatusView::of).collect();
        Ok(Statuses { older: found.older, ..self.with_accounts(Some(asker), posts) })
    }
}
