//! What apps are told of what concerns somebody, and of posts in which words stand.

use super::Backend;
use super::app_reads::Told;
use super::view::{Asked, Asker};
use crate::action::{NewsPart, Search};
use crate::id::PostId;
use crate::index::{News, NewsKind, NewsWanted, Span};
use crate::limits::API_PAGE_MAX;
use crate::user::entry::PostRef;
use crate::wire::request::{NewsReply, NewsView, NewsWhat, Outcome, Refusal, StatusView, Statuses};

impl Backend {
    pub(super) fn news_for_app(&self, asker: &Asker, part: &NewsPart) -> Told<NewsReply> {
        let n = usize::from(part.limit).clamp(1, API_PAGE_MAX);
        let eyes = self.eyes(Some(asker));
        let span = Span { below: part.below, above: part.above, is_rising: part.is_rising };
        let kinds: Vec<_> = [
            (part.named, NewsKind::Named),
            (part.followed, NewsKind::Followed),
            (part.liked, NewsKind::Liked),
            (part.reposted, NewsKind::Reposted),
            (part.ended, NewsKind::PollEnded),
        ]
        .into_iter()
        .filter_map(|(is_wanted, kind)| is_wanted.then_some(kind))
        .collect();
        let wanted = NewsWanted { kinds: &kinds, by: part.by.as_ref() };
        let found = self.cluster.local.index().news_part(eyes, span, &wanted, n);
        let (mut news, mut posts) = (Vec::new(), Vec::<StatusView>::new());
        for item in found.news {
            let (about, by, at, what) = match item {
                News::Named(post) => {
                    let view = self.if_readable(self.post_view(Some(asker), &post))?;
                    let Some(view) = view else { continue };
                    let (place, at) = (post.id, view.at);
                    news.push(NewsView { place, by: post.user, at, what: NewsWhat::Named });
                    posts.push(StatusView::of(view));
                    continue;
                }
                News::Followed(by, at) => (None, by, at, NewsWhat::Followed),
                News::Liked(post, by, at) => (Some(post.clone()), by, at, NewsWhat::Liked(post.id)),
                News::Reposted(post, by, at) => {
                    (Some(post.clone()), by, at, NewsWhat::Reposted(post.id))
                }
                News::PollEnded(post, at) => {
                    (Some(post.clone()), post.user, at, NewsWhat::PollEnded(post.id))
                }
            };
            // Many may like the same post: once is enough.
            let is_known = |post: &PostRef| {
                let mut known = posts.iter().map(|status| &status.post);
                known.any(|it| it.id == post.id && it.author.username == post.user)
            };
            if let Some(post) = about.filter(|post| !is_known(post)) {
                let view = self.if_readable(self.post_view(Some(asker), &post))?;
                let Some(view) = view else { continue };
                posts.push(StatusView::of(view));
            }
            news.push(NewsView { place: PostId::floor_of(at.0), by, at, what });
        }
        let mut posts = self.with_accounts(Some(asker), posts);
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
