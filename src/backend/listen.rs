//! What happened since somebody last asked.

use super::Backend;
use super::view::{Asked, Asker, Done, Result};
use crate::action::{Heard, Listen, ListenTo};
use crate::clock::Wall;
use crate::id::UserName;
use crate::index::{
    Eyes, Happened, Index, Listened, News, NewsKind, NewsWanted, Span, TagsWanted, Walk, Walked,
};
use crate::limits::{STREAM_EVENTS, STREAM_TOLD_MAX};
use crate::order::sort_by_key;
use crate::user::entry::PostRef;
use crate::wire::request::{HeardEvent, HeardPage, Need, Outcome, Refusal, StatusView, Statuses};

/// Items of a list that are looked at where nobody knows its changes: all that may have been told, and
/// as many as are told at once.
const LOOKED_AT: usize = STREAM_TOLD_MAX + STREAM_EVENTS;

/// An event, before it is known what its post says.
enum Event {
    /// With the post that is told of, and as what.
    Of(Box<dyn FnOnce(Box<StatusView>) -> HeardEvent>),
    Other(HeardEvent),
}

impl Backend {
    /// Each new post, repost, mention, follower, like and end of a poll once, whichever machine is asked when. Of
    /// edits and deletions tells only the machine that was asked before.
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
        let (mut happened, heard) = self.happened(self.eyes(asker), listened, data.heard.as_ref());
        let news = Need::scope("read:notifications");
        if asker.and_then(|asker| asker.app.as_ref()).is_some_and(|app| !app.scopes.include(news)) {
            happened.retain(|what| !is_news(what));
        }
        if !data.marks {
            happened
                .retain(|what| !matches!(what, Happened::Liked(..) | Happened::RepostedOwn(..)));
        }
        if !data.ends {
            happened.retain(|what| !matches!(what, Happened::PollEnded(..)));
        }
        let (mut events, mut statuses) = (Vec::new(), Vec::new());
        for what in &happened {
            let Some((event, status)) = self.event(asker, what)? else { continue };
            events.push(event);
            statuses.extend(status);
        }
        let eyes = self.eyes(asker);
        let others = happened.iter().filter_map(|what| match what {
            Happened::Followed(who, _)
            | Happened::Liked(_, who, _)
            | Happened::RepostedOwn(_, who, _) => self.account_view(eyes, who),
            _ => None,
        });
        let Statuses { statuses, mut accounts, .. } = self.with_accounts(asker, statuses);
        accounts.extend(others);
        let mut statuses = statuses.into_iter();
        let events = events.into_iter().filter_map(|event| match event {
            Event::Of(told_as) => statuses.next().map(|status| told_as(Box::new(status))),
            Event::Other(event) => Some(event),
        });
        let events = events.collect();
        Ok(Done::told(Outcome::Heard(HeardPage { events, accounts, heard })))
    }

    /// What happened, and how much is heard then.
    fn happened(
        &self,
        eyes: Eyes,
        listened: Listened<'_>,
        before: Option<&Heard>,
    ) -> (Vec<Happened>, Heard) {
        let (node, boot) = (self.cluster.members.me, self.cluster.local.node.boot);
        let now = self.now();
        let index = self.cluster.local.index();
        let Some(before) = before else {
            // All that there is counts as told.
            let (floor, told) = (Heard::oldest_told(now), Vec::new());
            let mut heard = Heard { node, boot, change: Some(index.next_change()), floor, told };
            loop {
                let (there_is, has_more) = newer(&index, eyes, listened, &mut heard);
                heard.remember(there_is.iter().filter_map(Happened::id), now);
                if !has_more {
                    return (Vec::new(), heard);
                }
            }
        };
        let mut heard = Heard { node, boot, ..before.clone() };
        let is_ours = (before.node, before.boot) == (node, boot);
        let known = before.change.filter(|_| is_ours);
        let known = known.and_then(|n| index.happened(eyes, listened, n, STREAM_EVENTS));
        let happened = if let Some((mut happened, change)) = known {
            heard.change = Some(change);
            if listened == Listened::Home {
                happened.extend(polls_ended(&index, eyes, &heard));
            }
            happened.retain(|what| what.id().is_none_or(|id| !heard.has_told(id)));
            happened
        } else {
            let (newer, has_more) = newer(&index, eyes, listened, &mut heard);
            heard.change = (!has_more).then(|| index.next_change());
            newer
        };
        heard.remember(happened.iter().filter_map(Happened::id), now);
        (happened, heard)
    }

    /// An event, with the post that it tells of; none if that is gone by now.
    fn event(
        &self,
        asker: Option<&Asker>,
        what: &Happened,
    ) -> std::result::Result<Option<(Event, Option<StatusView>)>, Refusal> {
        let told = |told_as: Box<dyn FnOnce(Box<StatusView>) -> HeardEvent>, post: &PostRef| {
            let view = self.if_readable(self.post_view(asker, post))?;
            Ok(view.map(|view| (Event::Of(told_as), Some(StatusView::of(view)))))
        };
        let done_by = |told_as: fn(Box<StatusView>, UserName, Wall) -> HeardEvent, who, at| {
            let who = UserName::clone(who);
            Box::new(move |status| told_as(status, who, at))
        };
        Ok(match what {
            Happened::Posted(post) => return told(Box::new(HeardEvent::Posted), post),
            Happened::Edited(post) => return told(Box::new(HeardEvent::Edited), post),
            Happened::Named(post) => return told(Box::new(HeardEvent::Named), post),
            Happened::Liked(post, who, at) => {
                return told(done_by(HeardEvent::Liked, who, *at), post);
            }
            Happened::RepostedOwn(post, who, at) => {
                return told(done_by(HeardEvent::Reposted, who, *at), post);
            }
            Happened::PollEnded(post, at) => {
                let at = *at;
                return told(Box::new(move |status| HeardEvent::PollEnded(status, at)), post);
            }
            Happened::Reposted(post, who, id) => {
                self.if_readable(self.post_view(asker, post))?.map(|mut post| {
                    post.reposted_by = self.person(who);
                    let status = StatusView { id: *id, ..StatusView::of(post) };
                    (Event::Of(Box::new(HeardEvent::Posted)), Some(status))
                })
            }
            Happened::Deleted(post) => {
                Some((Event::Other(HeardEvent::Deleted(post.clone())), None))
            }
            Happened::Followed(who, at) => {
                Some((Event::Other(HeardEvent::Followed(who.clone(), *at)), None))
            }
        })
    }
}

/// Whether only those hear of it who may read what concerns them.
const fn is_news(what: &Happened) -> bool {
    match what {
        Happened::Named(_)
        | Happened::Followed(..)
        | Happened::Liked(..)
        | Happened::RepostedOwn(..)
        | Happened::PollEnded(..) => true,
        Happened::Posted(_)
        | Happened::Reposted(..)
        | Happened::Edited(_)
        | Happened::Deleted(_) => false,
    }
}

/// What is news to somebody, as one who listens hears of it.
fn of_news(news: News) -> Happened {
    match news {
        News::Named(post) => Happened::Named(post),
        News::Followed(who, since) => Happened::Followed(who, since),
        News::Liked(post, who, at) => Happened::Liked(post, who, at),
        News::Reposted(post, who, at) => Happened::RepostedOwn(post, who, at),
        News::PollEnded(post, at) => Happened::PollEnded(post, at),
    }
}

/// Polls that have ended since what was heard, the first to end first.
fn polls_ended(index: &Index, eyes: Eyes, heard: &Heard) -> impl Iterator<Item = Happened> + use<> {
    let span = Span { above: Some(heard.floor), is_rising: true, ..Span::default() };
    let wanted = NewsWanted { kinds: &[NewsKind::PollEnded], by: None };
    index.news_part(eyes, span, &wanted, LOOKED_AT).news.into_iter().rev().map(of_news)
}

/// What a list, and the news, hold that was not told, oldest first, and whether there is more. For
/// whoever comes from another machine, whose numbers of changes say nothing here.
fn newer(
    index: &Index,
    eyes: Eyes,
    listened: Listened<'_>,
    heard: &mut Heard,
) -> (Vec<Happened>, bool) {
    let list = match listened {
        Listened::Home => Walk::Home,
        Listened::Everyone => Walk::Everyone,
        Listened::Tagged(tag) => {
            let any = std::slice::from_ref(tag);
            Walk::Tagged(TagsWanted { any, ..TagsWanted::default() })
        }
    };
    let span = Span { above: Some(heard.floor), is_rising: true, ..Span::default() };
    let walked = index.walk(eyes, list, span, LOOKED_AT);
    let is_all = walked.items.len() < LOOKED_AT && walked.stopped.is_none();
    let news = index.news(eyes, None, &NewsKind::ALL, LOOKED_AT).news;
    let items = walked.items.into_iter().rev();
    let mut newer: Vec<Happened> = items
        .map(|Walked { post, id, by }| match by {
            Some(by) => Happened::Reposted(post, by, id),
            None => Happened::Posted(post),
        })
        .collect();
    // What concerns one beyond the end of the list's part comes with its next.
    let end = if is_all { None } else { newer.iter().filter_map(Happened::id).max() };
    if listened == Listened::Home {
        newer.extend(news.into_iter().map(of_news));
    }
    newer.retain(|what| {
        what.id().is_some_and(|id| !heard.has_told(id) && end.is_none_or(|end| id <= end))
    });
    sort_by_key(&mut newer, Happened::id);
    // A post that is told stands with the word that it names one, or they would be told apart.
    let cut = newer.get(STREAM_EVENTS).map(|next| {
        let first = newer.iter().take(STREAM_EVENTS).filter(|what| what.id() < next.id());
        if first.clone().next().is_some() { first.count() } else { STREAM_EVENTS }
    });
    if let Some(cut) = cut {
        newer.truncate(cut);
    } else if !is_all && newer.is_empty() {
        // Nothing of that part is for these eyes, or all of it was told.
        heard.floor = heard.floor.max(walked.stopped.or(end).unwrap_or(heard.floor));
    }
    (newer, cut.is_some() || !is_all)
}
