//! What apps show: members, posts and lists of both, from any place in them.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::Backend;
use super::posts::place;
use super::read::JUST_POSTED_MS;
use super::view::{Asked, Asker, Done, Result};
use crate::action::{ApiRead, PeopleList, StatusList};
use crate::id::{PostId, UserName};
use crate::index::{Eyes, Span, TagsWanted, Walk, Walked, WalkedList};
use crate::limits::{API_PAGE_MAX, API_WALKS_MAX};
use crate::text::query::Query;
use crate::user::User;
use crate::user::entry::{PostRef, Signup};
use crate::wire::request::{
    AccountPage, AccountView, ApiReply, CommunityView, Outcome, Refusal, RelationView, StatusView,
    Statuses,
};

/// Whether an item is wanted in a list.
type Wanted<'a> = dyn Fn(&Walked) -> bool + 'a;
pub(super) type Told<T> = std::result::Result<T, Refusal>;

impl Backend {
    pub(super) fn api(&self, mut asked: Asked<'_>, data: ApiRead) -> Result {
        let asker = asked.asker;
        self.wait_for_lists();
        let reply = match data {
            ApiRead::Community => ApiReply::Community(self.community_view()),
            ApiRead::Account { username } => {
                let own = || asker.map(|asker| asker.user().clone()).ok_or(Refusal::SignedOut);
                let username = username.map_or_else(own, Ok)?;
                self.find(&mut asked, &username)?;
                let view = self.account_view(self.eyes(asker), &username);
                ApiReply::Account(view.ok_or(Refusal::NotFound)?)
            }
            ApiRead::Relations { usernames } => {
                let asker = asked.signed_in()?;
                let relation = |name| self.relation(asker, name);
                ApiReply::Relations(usernames.iter().filter_map(relation).collect())
            }
            ApiRead::Members { query, limit } => {
                ApiReply::Accounts(self.members_named(asker, &query, limit))
            }
            ApiRead::People { list, of, after, limit } => {
                ApiReply::Accounts(self.people_for_app(asked, (list, of), after.as_ref(), limit)?)
            }
            ApiRead::Status { id } => {
                let walked = self.numbered_anew(&mut asked, id)?;
                let status = self.status_view(asker, walked)?;
                ApiReply::Statuses(self.with_accounts(asker, status.into_iter().collect()))
            }
            ApiRead::OwnRepost { post } => {
                let walked = self.own_repost(asked.signed_in()?, post)?;
                let status = self.status_view(asker, walked)?;
                ApiReply::Statuses(self.with_accounts(asker, status.into_iter().collect()))
            }
            ApiRead::AnsweredIn { request } => ApiReply::Post(self.answered_in(asked, request)?),
            ApiRead::Context { id } => self.context(asker, id)?,
            ApiRead::Picture { id } => {
                let asker = asked.signed_in()?;
                let sent = self.sent(asked.permit, asker.user(), &[id]).pop();
                ApiReply::Picture(sent.ok_or(Refusal::NotFound)?)
            }
            ApiRead::News(part) => ApiReply::News(self.news_for_app(asked.signed_in()?, &part)?),
            ApiRead::Found { query, below } => {
                ApiReply::Statuses(self.found_for_app(asked, query, below)?)
            }
            ApiRead::Statuses { list, below, above, is_rising, limit } => {
                let span = Span { below, above, is_rising };
                let page = self.statuses(&mut asked, list, (span, limit))?;
                ApiReply::Statuses(page)
            }
        };
        Ok(Done::told(Outcome::Api(Box::new(reply))))
    }

    fn community_view(&self) -> CommunityView {
        let index = self.cluster.local.index();
        let house = index.house();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        CommunityView {
            members: count(index.members()),
            posts: count(index.posts()),
            is_open: house.signup == Signup::Open,
            is_approved: house.signup == Signup::Approved,
            words: house.words,
        }
    }

    /// A member as apps show them to these eyes.
    pub(super) fn account_view(&self, eyes: Eyes, name: &UserName) -> Option<AccountView> {
        let counts = self.cluster.local.index().counts(eyes, name);
        self.look(name, |user| AccountView {
            username: user.name.clone(),
            display_name: user.display_name.clone(),
            bio: user.bio.clone(),
            joined_at: user.joined_at,
            avatar: user.avatar.as_ref().map(|picture| picture.file),
            muted_until: None,
            members_only: user.members_only,
            last_post: user.last_post_for_all().filter(|_| counts.posts > 0),
            followers: counts.followers,
            following: counts.following,
            posts: counts.posts,
        })
    }

    /// How one stands with somebody. Whoever is not there, or was not let in, has no relation.
    fn relation(&self, asker: &Asker, name: &UserName) -> Option<RelationView> {
        let joined_at = self.look(name, |user| user.joined_at)?;
        let eyes = self.eyes(Some(asker));
        let (viewer, index) = (asker.user(), self.cluster.local.index());
        index.is_member(name).then(|| RelationView {
            username: name.clone(),
            joined_at,
            follows: index.follows(viewer, name),
            is_followed: index.follows(name, viewer),
            mutes: index.mutes(eyes, name),
            blocks: index.blocks(viewer, name),
            is_blocked: index.blocks(name, viewer),
        })
    }

    /// Members of that name, as a search on the pages finds them. Whom one blocks is found by their whole
    /// name: else nobody could be unblocked by it.
    fn members_named(&self, asker: Option<&Asker>, query: &str, limit: u16) -> AccountPage {
        let n = usize::from(limit).min(API_PAGE_MAX);
        let query = query.trim().trim_start_matches('@');
        let exact = UserName::from_input(query).ok();
        let exact = exact.filter(|name| self.cluster.local.index().is_member(name));
        let eyes = self.eyes(asker);
        // Whoever looks for more than anybody's name could hold finds nobody.
        let wanted = Query::parse(query).unwrap_or_default();
        let found = self.people_named(eyes, &wanted, n).into_iter();
        let found = found.filter(|name| Some(name) != exact.as_ref());
        let names: Vec<UserName> = exact.clone().into_iter().chain(found).take(n).collect();
        let accounts = names.iter().filter_map(|name| self.account_view(eyes, name)).collect();
        AccountPage { accounts, more_after: None }
    }

    fn people_for_app(
        &self,
        mut asked: Asked<'_>,
        (list, of): (PeopleList, Option<UserName>),
        after: Option<&UserName>,
        limit: u16,
    ) -> Told<AccountPage> {
        let n = usize::from(limit).clamp(1, API_PAGE_MAX);
        let asker = asked.asker;
        let eyes = self.eyes(asker);
        let page = |names: Vec<UserName>, more_after| AccountPage {
            accounts: names.iter().filter_map(|name| self.account_view(eyes, name)).collect(),
            more_after,
        };
        if let PeopleList::Muted | PeopleList::Blocked = list {
            let (from, now) = (after.map_or(Bound::Unbounded, Bound::Excluded), self.now());
            let (range, is_muted) = ((from, Bound::Unbounded), list == PeopleList::Muted);
            let names = |user: &User| -> Vec<UserName> {
                if is_muted {
                    return user.muted_after(after, now).take(n + 1).cloned().collect();
                }
                user.blocks.range::<UserName, _>(range).take(n + 1).cloned().collect()
            };
            let own = asked.signed_in()?.user();
            let mut names = self.look(own, names).unwrap_or_default();
            let has_more = names.len() > n;
            names.truncate(n);
            let more_after = names.last().filter(|_| has_more).cloned();
            names.retain(|name| self.cluster.local.index().is_member(name));
            let mut page = page(names, more_after);
            if is_muted {
                let until = |user: &User, of: &UserName| user.mutes.get(of).copied().flatten();
                for view in &mut page.accounts {
                    let muted = self.look(own, |user| until(user, &view.username));
                    view.muted_until = muted.flatten();
                }
            }
            return Ok(page);
        }
        let of = of.ok_or(Refusal::NotFound)?;
        self.find(&mut asked, &of)?;
        let eyes = self.eyes(asker);
        let found = {
            let index = self.cluster.local.index();
            if list == PeopleList::Followers {
                index.followers(eyes, &of, after, n)
            } else {
                index.following(eyes, &of, after, n)
            }
        };
        Ok(page(found.names, found.more_after))
    }

    /// The post, or the repost, that apps know by a number, if the asker may see it. Where two authors
    /// have posts of one number, one's own comes first, so that it is one's own that is deleted.
    pub(super) fn numbered(&self, asker: Option<&Asker>, id: PostId) -> Told<Walked> {
        let index = self.cluster.local.index();
        let eyes = index.eyes(asker.map(Asker::user), self.now());
        if let Some(walked) = index.repost_numbered(id) {
            let by = walked.by.as_ref();
            let is_shown = by.is_some_and(|by| index.shows_repost(eyes, by, &walked.post));
            return if is_shown { Ok(walked) } else { Err(Refusal::NotFound) };
        }
        let posts = index.posts_numbered(id);
        let mut posts = posts.into_iter().filter(|post| index.shows(eyes, post));
        let is_own = |post: &PostRef| asker.is_some_and(|asker| *asker.user() == post.user);
        let first = posts.next().ok_or(Refusal::NotFound)?;
        let post = if is_own(&first) { None } else { posts.find(is_own) }.unwrap_or(first);
        Ok(Walked { id: post.id, post, by: None })
    }

    /// The same, once it is sure that there is none where this copy has none: what one has just written may
    /// be on its way here, and what a machine lacks that is behind may be anything.
    fn numbered_anew(&self, asked: &mut Asked<'_>, id: PostId) -> Told<Walked> {
        match self.numbered(asked.asker, id) {
            Err(Refusal::NotFound) => {}
            found => return found,
        }
        let own = asked.asker.map(Asker::user);
        let is_fresh = own.is_none_or(|own| self.refresh(asked.permit, own));
        // Whose it is the number does not say, so there is nobody's copy to refresh.
        if self.now().0.abs_diff(id.at_ms()) < JUST_POSTED_MS {
            self.cluster.await_coming(|| self.numbered(asked.asker, id).is_ok());
        }
        match self.numbered(asked.asker, id) {
            Err(Refusal::NotFound) if !is_fresh || self.may_lack_any() => Err(Refusal::Behind),
            found => found,
        }
    }

    fn statuses(
        &self,
        asked: &mut Asked<'_>,
        list: StatusList,
        (span, limit): (Span, u16),
    ) -> Told<Statuses> {
        let asker = asked.asker;
        let n = usize::from(limit).clamp(1, API_PAGE_MAX);
        let walked = match &list {
            StatusList::Home => {
                asked.signed_in()?;
                self.walk(asker, (Walk::Home, None), span, n)
            }
            StatusList::Everyone => self.walk(asker, (Walk::Everyone, None), span, n),
            StatusList::Pictured => self.walk(asker, (Walk::Pictured, None), span, n),
            StatusList::Tagged { any, all, none, only_pictures } => {
                let tags = TagsWanted { any, all, none, only_pictures: *only_pictures };
                self.walk(asker, (Walk::Tagged(tags), None), span, n)
            }
            StatusList::Of { username, no_replies, no_reposts, tag, only_pictures } => {
                self.find(asked, username)?;
                let eyes = self.eyes(asker);
                let bears = |item: &Walked| {
                    let index = self.cluster.local.index();
                    let bears =
                        |tag| index.bears(tag, &item.post) && index.shows_text(eyes, &item.post);
                    tag.as_ref().is_none_or(bears)
                };
                let wanted =
                    |item: &Walked| bears(item) && !(*no_replies && self.answers_another(item));
                if *only_pictures {
                    let placed = self.pictured_by(eyes, username, &wanted);
                    let page = self.placed(asker, placed, span, n);
                    return self.status_page(asker, page.items);
                }
                let wanted: Option<&Wanted<'_>> =
                    if *no_replies || tag.is_some() { Some(&wanted) } else { None };
                self.walk(asker, (Walk::Of(username, !no_reposts), wanted), span, n)
            }
            StatusList::Pinned { username } => {
                self.find(asked, username)?;
                let pinned = self.pinned(asker, username)?.map(StatusView::of);
                return Ok(self.with_accounts(asker, pinned.into_iter().collect()));
            }
            StatusList::Bookmarks => {
                let asker = asked.signed_in()?;
                let all = self.look(asker.user(), |user| user.bookmarks.clone());
                let all = all.unwrap_or_default().into_iter();
                self.placed(Some(asker), all.map(place).collect(), span, n)
            }
            StatusList::Favourites => {
                let asker = asked.signed_in()?;
                let all = self.look(asker.user(), |user| user.likes.clone());
                let all = all.unwrap_or_default().into_iter();
                self.placed(Some(asker), all.map(place).collect(), span, n)
            }
        };
        let older = walked.stopped;
        Ok(Statuses { older, ..self.status_page(asker, walked.items)? })
    }

    /// A part of a list, with what is wanted of it. Looks on for a while where there is little of that.
    fn walk(
        &self,
        asker: Option<&Asker>,
        (list, wanted): (Walk<'_>, Option<&Wanted<'_>>),
        mut span: Span,
        n: usize,
    ) -> WalkedList {
        let eyes = self.eyes(asker);
        let mut kept = WalkedList::default();
        for _ in 0..API_WALKS_MAX {
            let part = self.cluster.local.index().walk(eyes, list, span, n);
            let is_last = part.items.len() < n && part.stopped.is_none();
            let end = if span.is_rising { part.items.first() } else { part.items.last() };
            let end = part.stopped.or_else(|| end.map(|item| item.id));
            let is_wanted = |item: &Walked| wanted.is_none_or(|wanted| wanted(item));
            let items: Vec<_> = part.items.into_iter().filter(is_wanted).collect();
            if span.is_rising {
                kept.items.splice(0..0, items);
            } else {
                kept.items.extend(items);
            }
            kept.stopped = end.filter(|_| !is_last);
            if kept.items.len() >= n || is_last || end.is_none() {
                break;
            }
            if span.is_rising { span.above = end } else { span.below = end }
        }
        if kept.items.len() > n && wanted.is_some() {
            if span.is_rising {
                kept.items.drain(..kept.items.len() - n);
            } else {
                kept.items.truncate(n);
            }
        }
        if !kept.items.is_empty() && kept.items.len() >= n {
            kept.stopped = None;
        }
        kept
    }

    /// Whether a post answers somebody else. Answering oneself is going on.
    fn answers_another(&self, item: &Walked) -> bool {
        let answers = |user: &User| {
            user.reply_to(item.post.id).is_some_and(|parent| parent.user != user.name)
        };
        item.by.is_none() && self.look(&item.post.user, answers) == Some(true)
    }

    /// The posts of a member that show these eyes pictures, as far as they are wanted; so many as pictures
    /// may be.
    fn pictured_by(
        &self,
        eyes: Eyes,
        name: &UserName,
        wanted: &Wanted<'_>,
    ) -> Vec<(PostId, PostRef)> {
        let ids = self.look(name, |user| user.pictures.keys().copied().collect::<Vec<_>>());
        let ids = ids.unwrap_or_default().into_iter();
        let items = ids.map(|id| {
            let post = PostRef { user: name.clone(), id };
            Walked { post, id, by: None }
        });
        let shows = |item: &Walked| self.cluster.local.index().shows_text(eyes, &item.post);
        let items = items.filter(|item| shows(item) && wanted(item));
        items.map(|item| (item.id, item.post)).collect()
    }

    /// Posts with their places in a list of their own, such as bookmarks.
    fn placed(
        &self,
        asker: Option<&Asker>,
        mut placed: Vec<(PostId, PostRef)>,
        span: Span,
        n: usize,
    ) -> WalkedList {
        let eyes = self.eyes(asker);
        {
            let index = self.cluster.local.index();
            placed.retain(|(place, post)| {
                span.below.is_none_or(|below| *place < below)
                    && span.above.is_none_or(|above| *place > above)
                    && index.contains(post)
                    && index.shows(eyes, post)
            });
        }
        placed.sort_unstable_by(|a, b| b.cmp(a));
        let from = if span.is_rising { placed.len().saturating_sub(n) } else { 0 };
        let items = placed.into_iter().skip(from).take(n);
        let items: Vec<_> = items.map(|(id, post)| Walked { post, id, by: None }).collect();
        WalkedList { items, stopped: None }
    }

    fn status_page(&self, asker: Option<&Asker>, items: Vec<Walked>) -> Told<Statuses> {
        let mut statuses = Vec::with_capacity(items.len());
        for item in items {
            statuses.extend(self.if_readable(self.status_view(asker, item))?);
        }
        Ok(self.with_accounts(asker, statuses))
    }

    fn status_view(&self, asker: Option<&Asker>, item: Walked) -> Told<Option<StatusView>> {
        let Some(mut post) = self.post_view(asker, &item.post)? else { return Ok(None) };
        post.reposted_by = item.by.as_ref().and_then(|by| self.person(by));
        Ok(Some(StatusView { id: item.id, ..StatusView::of(post) }))
    }

    /// Adds what is told of each post beside its text, and everybody who is named in them.
    pub(super) fn with_accounts(
        &self,
        asker: Option<&Asker>,
        mut statuses: Vec<StatusView>,
    ) -> Statuses {
        let mut names = BTreeSet::new();
        for status in &mut statuses {
            let post = &status.post;
            let of = PostRef { user: post.author.username.clone(), id: post.id };
            let is_own = asker.is_some_and(|asker| *asker.user() == of.user);
            let strangers = self.eyes(None);
            status.for_members = !self.cluster.local.index().shows(strangers, &of);
            // Who likes a post is for its author to know; others know of themselves.
            status.likes = if is_own {
                self.cluster.local.index().likers(&of, 0).more
            } else {
                post.mine.liked.into()
            };
            names.insert(post.author.username.clone());
            names.extend(post.reposted_by.as_ref().map(|by| by.username.clone()));
            names.extend(post.mentions.iter().cloned());
            names.extend(post.reply_to.as_ref().map(|parent| parent.user.clone()));
        }
        let eyes = self.eyes(asker);
        let accounts = names.iter().filter_map(|name| self.account_view(eyes, name)).collect();
        Statuses { statuses, accounts, older: None }
    }
}
