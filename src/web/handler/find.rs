//! Pages that find: what concerns one, posts under a tag, the search.

use super::draw::row;
use super::posts::Look;
use super::read::{at, changed, feed, seen};
use super::visit::{Heard, Visit};
use super::{Fault, Handled, Head, Site, html};
use crate::action::{Action, Page, Search, TaggedBy};
use crate::id::PostId;
use crate::limits::{QUERY_CHARS_MAX, QUERY_TERMS_MAX, SEARCH_MS};
use crate::text::Tag;
use crate::text::query::Query;
use crate::web::ask::Ask;
use crate::web::form::encode_query;
use crate::web::marker::{List, Marker};
use crate::web::page::find::{News, NewsItem, NewsPage, SearchPage};
use crate::web::page::frame::{Notice, Tone};
use crate::web::page::list::{Feed, TimelinePage};
use crate::web::page::post::{Byline, Eyes};
use crate::web::page::time::{Moment, span};
use crate::web::route::Route;
use crate::wire::request::{FoundPage, NewsPage as NewsTold, NewsRow, Outcome, Refusal};

impl<A: Ask> Site<A> {
    /// Posts that name one, and who began to follow one.
    pub(super) fn news(&self, visit: &Visit<'_>) -> Handled {
        let before: Option<PostId> = self.or_bad(visit, visit.cursor("before"))?;
        let heard = self.read(visit, None, Action::News(Page { before, posted: None }))?;
        let Outcome::News(told) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let Some(viewer) = heard.viewer.as_ref() else { return Err(Fault::Nonsense.into()) };
        let marker = if before.is_none() { shown_news(visit, told) } else { visit.news };
        let line = marker.map_or(told.read_to, |marker| marker.line);
        let look = self.look(visit, &heard, None, at(&Route::News, before));
        let page = NewsPage {
            frame: self
                .around(visit, Some(&heard))
                .frame(visit.t.mentions(), Some(&Route::News))
                .marking(look.marks()),
            username: viewer.username.to_string(),
            items: items(told, &look, line, before),
            newest: before.map(|_| Route::News.href()),
            older: told.older.map(|older| format!("{}?before={older}", Route::News)),
            is_end: told.older.is_none() && (before.is_some() || told.news.len() > 1),
        };
        let mut head = seen(visit, &heard);
        head.cookies.extend(changed(visit, &heard, (visit.news, marker), List::News));
        html(&page, head)
    }

    /// Posts under a tag.
    pub(super) fn tag(&self, visit: &Visit<'_>, tag: Tag) -> Handled {
        let before: Option<PostId> = self.or_bad(visit, visit.cursor("before"))?;
        let heard =
            self.read(visit, None, Action::Tagged(TaggedBy { tag: tag.clone(), before }))?;
        let Outcome::Posts(posts) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let (title, here) = (format!("#{tag}"), Route::Tag(tag.clone()));
        let look = self.look(visit, &heard, None, at(&here, before));
        let frame = self.around(visit, Some(&heard)).frame(title.clone(), None);
        let page = TimelinePage {
            frame: frame.feeding(&Route::TagFeed(tag), title).marking(look.marks()),
            fresh: None,
            composer: None,
            feed: Feed {
                empty: visit.t.no_tagged(),
                ..feed(posts, look.drawn(&posts.posts)?, &look, &here)
            },
            suggestions: Vec::new(),
            everyone: None,
        };
        html(&page, seen(visit, &heard))
    }

    /// People and posts, by words.
    pub(super) fn search(&self, visit: &Visit<'_>) -> Handled {
        let before: Option<PostId> = self.or_bad(visit, visit.cursor("before"))?;
        let typed = visit.query.get("q");
        let Ok(query) = Query::parse(typed) else {
            let strong = visit.t.search_too_much();
            let text = visit.t.search_limits(QUERY_CHARS_MAX, QUERY_TERMS_MAX);
            return self.search_refused(visit, None, Notice::new(Tone::Stop, strong, text), 422);
        };
        let asked = Action::Search(Search {
            query: typed.to_owned(),
            before,
            address: Some(visit.request.client),
        });
        let heard = self.hear(visit, visit.session.as_ref(), None, asked)?;
        let found = match &heard.outcome {
            Outcome::Found(found) => found,
            Outcome::Refused(Refusal::Busy { retry_after_s }) => {
                let strong = visit.t.others_search();
                let text = visit.t.try_again_in(&span(visit.t, (*retry_after_s).into()));
                let notice = Notice::new(Tone::Care, strong, text);
                let mut response = self.search_refused(visit, Some(&heard), notice, 503)?;
                response.retry_after_s = Some(*retry_after_s);
                return Ok(response);
            }
            Outcome::Refused(refusal) => return self.refuse_page(visit, &heard, refusal),
            _ => return Err(Fault::Nonsense.into()),
        };
        let page = self.search_page(visit, &heard, (&query, found), before.is_none())?;
        html(&page, seen(visit, &heard))
    }

    fn search_page(
        &self,
        visit: &Visit<'_>,
        heard: &Heard,
        (query, found): (&Query, &FoundPage),
        is_first: bool,
    ) -> askama::Result<SearchPage> {
        let typed = visit.query.get("q");
        let here = format!("{}?q={}", Route::Search, encode_query(typed));
        let look = self.look(visit, heard, None, here.clone());
        let look = Look { eyes: Eyes { query: Some(query), ..look.eyes }, ..look };
        let drawer = self.drawer(visit.t, heard);
        let posts = Feed {
            posts: look.drawn(&found.posts)?,
            older: None,
            empty: "",
            newest: None,
            is_end: false,
            line: None,
        };
        let has_posts = !found.posts.is_empty();
        let is_nothing = is_first && !query.is_empty() && !has_posts && found.people.is_empty();
        let is_last = found.older.is_none() && !is_first;
        let ending = match (found.is_stopped, is_last) {
            (true, _) => visit.t.search_stopped(SEARCH_MS / 1_000),
            (false, true) => visit.t.that_is_everything().to_owned(),
            (false, false) => String::new(),
        };
        let label = if found.is_stopped { visit.t.search_older() } else { visit.t.older_posts() };
        Ok(SearchPage {
            frame: self
                .around(visit, Some(heard))
                .frame(visit.t.search(), Some(&Route::Search))
                .marking(look.marks().filter(|_| has_posts)),
            query: typed.to_owned(),
            tags: found
                .tags
                .iter()
                .map(|tag| (Route::Tag(tag.clone()).href(), tag.to_string()))
                .collect(),
            people: found.people.iter().map(|it| row(it, drawer, &here)).collect(),
            feed: has_posts.then_some(posts),
            ending,
            more: found.older.map(|older| (format!("{here}&before={older}"), label)),
            // What was not looked at yet may hold it.
            is_nothing: is_nothing && found.older.is_none(),
        })
    }

    /// The search as it was typed, and why nothing was found.
    fn search_refused(
        &self,
        visit: &Visit<'_>,
        heard: Option<&Heard>,
        notice: Notice,
        status: u16,
    ) -> Handled {
        let page = SearchPage {
            frame: self
                .around(visit, heard)
                .frame(visit.t.search(), Some(&Route::Search))
                .saying(notice),
            query: visit.query.get("q").to_owned(),
            tags: Vec::new(),
            people: Vec::new(),
            feed: None,
            ending: String::new(),
            more: None,
            is_nothing: false,
        };
        let cookies = heard.map_or_else(Vec::new, |heard| heard.cookies.clone());
        html(&page, Head::of(status, cookies))
    }
}

/// News as a page shows them: the line stands above the first that is not new, if something new stands
/// above it, there or on the page before.
fn items(told: &NewsTold, look: &Look<'_>, line: PostId, before: Option<PostId>) -> Vec<NewsItem> {
    let seen_at = told.news.iter().position(|row| row.place() <= line);
    let line_at = seen_at.filter(|at| *at > 0 || before.is_some_and(|before| before > line));
    let item = |(at, row): (usize, &NewsRow)| NewsItem {
        is_line: line_at == Some(at),
        what: match row {
            NewsRow::Named(post) => News::Named(Box::new(look.item(post))),
            NewsRow::Followed { person, at } => {
                News::Followed(Byline::of(person), Moment::seen_at(look.eyes.t, *at, look.eyes.now))
            }
        },
    };
    told.news.iter().enumerate().map(item).collect()
}

/// The marker of the news now that their first page is shown.
fn shown_news(visit: &Visit<'_>, told: &NewsTold) -> Option<Marker> {
    let Some(newest) = told.news.iter().map(NewsRow::place).max() else { return visit.news };
    // Where this device has shown none yet, the line stands where its session began.
    let held = visit.news.unwrap_or(Marker { line: told.read_to, newest: told.read_to });
    Some(Marker::after(Some(held), newest, Some(newest)))
}
