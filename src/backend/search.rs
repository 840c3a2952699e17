//! What is found: news of somebody, posts under a tag, and what a search finds.
//!
//! A search walks back through the posts that the index offers and reads their texts, which lie in the
//! files alone. It ends when the page is full, when its time is up, or when it has read as much as any
//! page may cost; then the next page goes on from there. The index is locked for one step at a time and
//! never while a text is read.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Backend;
use super::account::too_many;
use super::view::{Asked, Asker, Done, Result, read_from};
use crate::action::{Page, Search, TaggedBy};
use crate::auth::throttle::ActKind;
use crate::clock::Mono;
use crate::id::{PostId, UserName};
use crate::index::{Eyes, News, NewsKind};
use crate::limits::{
    PEOPLE_FOUND, PEOPLE_LOOKED_AT_MAX, POSTS_PAGE, RECENT_TAGS, SEARCH_MS, SEARCH_READS_MAX,
    SEARCH_RETRY_S, SEARCH_STEP_POSTS, SEARCHES_MAX,
};
use crate::text::query::Query;
use crate::user::User;
use crate::user::entry::PostRef;
use crate::wire::request::{FoundPage, NewsPage, NewsRow, Outcome, PersonRow, Refusal};

/// The searches that read texts just now: at most [`SEARCHES_MAX`].
#[derive(Default)]
pub(super) struct Searches(AtomicUsize);

/// One of them; ends when dropped.
struct Turn<'a>(&'a AtomicUsize);

impl Searches {
    /// A turn, unless all are taken.
    fn begin(&self) -> Option<Turn<'_>> {
        let more = |count: usize| (count < SEARCHES_MAX).then_some(count + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(Turn(&self.0))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How far a search may go on.
struct Bounds {
    until: Mono,
    reads_left: usize,
}

/// The posts of a page.
type Posts = (Vec<PostRef>, Option<PostId>, bool);

impl Backend {
    pub(super) fn news(&self, asked: Asked<'_>, data: Page) -> Result {
        let asker = asked.signed_in()?;
        self.wait_for_lists();
        let (name, eyes) = (asker.user(), self.eyes(Some(asker)));
        let kinds = &NewsKind::OF_PAGES;
        let found = self.cluster.local.index().news(eyes, data.before, kinds, POSTS_PAGE);
        let mut news = Vec::new();
        for item in found.news {
            match item {
                News::Named(post) => {
                    let view = self.if_readable(self.post_view(Some(asker), &post))?;
                    news.extend(view.map(|it| NewsRow::Named(Box::new(it))));
                }
                News::Followed(who, at) => {
                    let person = self.person(&who);
                    news.extend(person.map(|person| NewsRow::Followed { person, at }));
                }
                // These are none of those asked for.
                News::Liked(..) | News::Reposted(..) | News::PollEnded(..) => {}
            }
        }
        let opened_at = self.look(name, |user| user.session(&asker.id).map(|one| one.opened_at));
        let read_to = read_from(asker.read_to, opened_at.flatten().unwrap_or_default());
        Ok(Done::told(Outcome::News(NewsPage { news, older: found.older, read_to })))
    }

    pub(super) fn tagged(&self, asked: Asked<'_>, data: TaggedBy) -> Result {
        self.wait_for_lists();
        let eyes = self.eyes(asked.asker);
        let found = self.cluster.local.index().tagged(eyes, &data.tag, data.before, POSTS_PAGE);
        Ok(Done::told(Outcome::Posts(self.page(asked.asker, found)?)))
    }

    pub(super) fn search(&self, asked: Asked<'_>, data: Search) -> Result {
        let query = Query::parse(&data.query)
            .map_err(|error| Refusal::BadRequest { detail: error.to_string() })?;
        self.wait_for_lists();
        let eyes = self.eyes(asked.asker);
        if query.is_empty() {
            let tags = self.cluster.local.index().recent_tags(eyes, RECENT_TAGS);
            return Ok(Done::told(Outcome::Found(FoundPage { tags, ..FoundPage::default() })));
        }
        match (asked.asker, data.address) {
            (Some(asker), _) => self.allow(asker.user(), ActKind::Search)?,
            (None, Some(address)) => {
                let checked = self.throttle.check_search(address, self.clock.mono());
                checked.map_err(too_many)?;
            }
            // A web server of an earlier version does not say.
            (None, None) => {}
        }
        let busy = Refusal::Busy { retry_after_s: SEARCH_RETRY_S };
        let turn = self.searches.begin().ok_or(busy)?;
        let bounds =
            Bounds { until: self.cluster.deadline(SEARCH_MS), reads_left: SEARCH_READS_MAX };
        let people = match data.before {
            None => self.people_found(asked.asker, &query),
            Some(_) => Vec::new(),
        };
        let (found, older, is_stopped) = self.posts_found(eyes, &query, data.before, bounds)?;
        drop(turn);
        let view = |post| self.if_readable(self.post_view(asked.asker, post)).transpose();
        let posts = found.iter().filter_map(view);
        let posts = posts.collect::<std::result::Result<_, _>>()?;
        let found = FoundPage { people, posts, older, is_stopped, tags: Vec::new() };
        Ok(Done::told(Outcome::Found(found)))
    }

    /// The next posts in which all stands that is looked for, from where to go on, and whether the
    /// search was stopped. It stops between two numbers of posts only: a page cannot begin between two
    /// posts of the same number.
    fn posts_found(
        &self,
        eyes: Eyes,
        query: &Query,
        before: Option<PostId>,
        mut bounds: Bounds,
    ) -> std::result::Result<Posts, Refusal> {
        let (mut found, mut scratch) = (Vec::new(), String::new());
        let wanted = (query.names.as_slice(), query.tags.as_slice());
        let mut last = before;
        loop {
            let step = self.cluster.local.index().candidates(eyes, wanted, last, SEARCH_STEP_POSTS);
            for post in &step.posts {
                let may_end = last != Some(post.id);
                let is_over = bounds.reads_left == 0 || self.clock.mono() >= bounds.until;
                if may_end && (is_over || found.len() >= POSTS_PAGE) {
                    let is_full = found.len() >= POSTS_PAGE;
                    return Ok((found, last, !is_full));
                }
                last = Some(post.id);
                if query.words.is_empty() {
                    found.push(post.clone());
                    continue;
                }
                bounds.reads_left = bounds.reads_left.saturating_sub(1);
                let read = self.if_readable(self.said(post, |_, _| ()))?;
                if read.is_some_and(|((), said)| query.is_in(&said.text, &mut scratch)) {
                    found.push(post.clone());
                }
            }
            match step.older {
                None => return Ok((found, None, false)),
                Some(_) if self.clock.mono() >= bounds.until => {
                    return Ok((found, step.older, true));
                }
                older @ Some(_) => last = older,
            }
        }
    }

    fn people_found(&self, asker: Option<&Asker>, query: &Query) -> Vec<PersonRow> {
        let found = self.people_named(self.eyes(asker), query, PEOPLE_FOUND);
        found.iter().filter_map(|name| self.row(asker, name)).collect()
    }

    /// Up to `n` members whose user name or display name begins with each word that is looked for; those
    /// first whose user name does.
    pub(super) fn people_named(&self, eyes: Eyes, query: &Query, n: usize) -> Vec<UserName> {
        let names = query.names.iter().map(ToString::to_string);
        let words = query.words.iter().cloned().chain(names).collect();
        let wanted = Query { words, ..Query::default() };
        let Some(first) = wanted.words.first().filter(|_| query.tags.is_empty()) else {
            return Vec::new();
        };
        let index = || self.cluster.local.index();
        let named = index().named(eyes, first, PEOPLE_LOOKED_AT_MAX);
        // Not looked through where there are enough without.
        let anyone =
            std::iter::once_with(|| index().directory(eyes, None, PEOPLE_LOOKED_AT_MAX).names);
        let mut found: Vec<UserName> = Vec::new();
        let mut scratch = String::new();
        for name in named.into_iter().chain(anyone.flatten()) {
            if found.len() >= n {
                break;
            }
            let is_named = |user: &User| {
                wanted.is_in(&format!("{} {}", user.name, user.display_name), &mut scratch)
            };
            if !found.contains(&name) && self.look(&name, is_named) == Some(true) {
                found.push(name);
            }
        }
        found
    }
}
