//! What happened that concerns somebody: posts that name them, who began to follow them, who likes or
//! reposted a post of theirs, and polls that are over.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::marks::{HOME, NEWS};
use super::paging::{limit, link};
use super::{Answer, Answered, Call, entity, nonsense, told};
use crate::action::{Action, ApiRead, NewsPart};
use crate::id::{PostId, UserName};
use crate::web::ask::Ask;
use crate::web::handler::{Heard, Site};
use crate::wire::request::{AccountView, ApiReply, NewsReply, NewsView, NewsWhat, PostView};

/// News of a page, and at most.
const PAGE: (u16, u16) = (40, 80);
/// Digits of the longest number of a post.
const POST_DIGITS: usize = 20;
/// Digits behind the place in the number of one: whose it is, of what kind, and of which post.
const TAIL_DIGITS: usize = EARLIER_DIGITS + POST_DIGITS;
/// The same before there were likes in the list: apps keep such numbers.
const EARLIER_DIGITS: usize = entity::NAME_DIGITS + 1;

/// What apps call what happened.
const fn kind(what: NewsWhat) -> &'static str {
    match what {
        NewsWhat::Named => "mention",
        NewsWhat::Followed => "follow",
        NewsWhat::Liked(_) => "favourite",
        NewsWhat::Reposted(_) => "reblog",
        NewsWhat::PollEnded(_) => "poll",
    }
}

/// The number of something that happened: its place among posts, who did it, what, and to which post of the
/// one who is told. No two things share one: who likes two posts in one millisecond names two posts.
fn number(view: &NewsView) -> String {
    let (kind, post) = match view.what {
        NewsWhat::Named => (1, 0),
        NewsWhat::Followed => (2, 0),
        NewsWhat::Liked(post) => (3, post.get()),
        NewsWhat::Reposted(post) => (4, post.get()),
        NewsWhat::PollEnded(post) => (5, post.get()),
    };
    format!("{}{}{kind}{post:0POST_DIGITS$}", view.place, entity::name_number(&view.by))
}

/// A number as it is now.
fn whole(id: &str) -> Cow<'_, str> {
    if id.len() > POST_DIGITS + EARLIER_DIGITS {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("{id}{:0POST_DIGITS$}", 0))
}

/// The place in such a number. The rest does not matter to a list.
pub(super) fn place_of(id: &str) -> Option<PostId> {
    let id = whole(id);
    let (place, tail) = id.split_at_checked(id.len().checked_sub(TAIL_DIGITS)?)?;
    tail.bytes().all(|b| b.is_ascii_digit()).then(|| place.parse().ok())?
}

/// Where a list goes on below or above a place.
fn cursor(place: PostId) -> String {
    format!("{place}{:0TAIL_DIGITS$}", 0)
}

impl<A: Ask> Site<A> {
    /// Which part of the news is asked for; none where nothing of it can be.
    fn news_part(call: &Call<'_>) -> Option<NewsPart> {
        let params = &call.params;
        let (only, not) = (params.all("types"), params.all("exclude_types"));
        let wants = |what: NewsWhat| {
            let kind = kind(what);
            (only.is_empty() || only.contains(&kind)) && !not.contains(&kind)
        };
        let any = PostId::from_raw(0);
        let (named, followed) = (wants(NewsWhat::Named), wants(NewsWhat::Followed));
        let (liked, reposted) = (wants(NewsWhat::Liked(any)), wants(NewsWhat::Reposted(any)));
        let ended = wants(NewsWhat::PollEnded(any));
        let by = match params.get("account_id") {
            "" => None,
            id => Some(entity::account_of(id)?.0),
        };
        let place = |name: &str| place_of(params.get(name));
        let min = place("min_id");
        let (below, above) = (place("max_id"), min.or_else(|| place("since_id")));
        let part = NewsPart {
            below,
            above,
            is_rising: min.is_some(),
            named,
            followed,
            liked,
            reposted,
            ended,
            by,
            limit: limit(call, PAGE),
        };
        (named || followed || liked || reposted || ended).then_some(part)
    }

    fn news_of(&self, call: &Call<'_>, part: NewsPart) -> Result<(NewsReply, UserName), Answer> {
        let mut heard = self.ask_with_token(call, None, Action::Api(ApiRead::News(part)))?;
        match told(&mut heard)? {
            ApiReply::News(reply) => Ok((reply, heard.viewer.ok_or_else(nonsense)?.username)),
            _ => Err(nonsense()),
        }
    }

    /// What happened, the latest first.
    pub(super) fn notifications(&self, call: &Call<'_>) -> Answered {
        let Some(part) = Self::news_part(call) else { return self.nothing(call) };
        let is_rising = part.is_rising;
        let (reply, viewer) = self.news_of(call, part)?;
        let older =
            if is_rising { reply.news.last().map(|last| last.place) } else { reply.stopped };
        let newer = reply.news.first().map(|first| first.place);
        let newer = if is_rising { reply.stopped.or(newer) } else { newer };
        let older = older.map(|place| ("max_id", cursor(place)));
        let newer = newer.map(|place| ("min_id", cursor(place)));
        let link = link(&self.origin, call, older, newer);
        Ok(Answer { link, ..Answer::list(self.spelt_news(&reply, &viewer)) })
    }

    pub(super) fn spelt_news<'a>(
        &'a self,
        reply: &'a NewsReply,
        viewer: &'a UserName,
    ) -> impl Iterator<Item = Value> + 'a {
        let accounts: BTreeMap<&UserName, &AccountView> =
            reply.posts.accounts.iter().map(|view| (&view.username, view)).collect();
        let spell = move |view: &NewsView| {
            let account =
                entity::account(&self.origin, self.assets.stand_ins, accounts.get(&view.by)?);
            let id = number(view);
            let mut notification = json!({
                "id": id,
                "type": kind(view.what),
                "created_at": entity::time(view.at),
                "group_key": format!("ungrouped-{id}"),
                "account": account,
            });
            let post = match view.what {
                NewsWhat::Named => Some((&view.by, view.place)),
                NewsWhat::PollEnded(post) => Some((&view.by, post)),
                NewsWhat::Followed => None,
                NewsWhat::Liked(post) | NewsWhat::Reposted(post) => Some((viewer, post)),
            };
            if let Some((author, id)) = post {
                let mut posts = reply.posts.statuses.iter().map(|status| (status, &status.post));
                let is_it = |post: &PostView| post.author.username == *author && post.id == id;
                let (status, _) = posts.find(|(_, post)| is_it(post))?;
                let status = self.spell(status, &accounts, Some(viewer))?;
                notification.as_object_mut()?.insert("status".to_owned(), status);
            }
            Some(notification)
        };
        reply.news.iter().filter_map(spell)
    }

    /// The one whose number stands in the address.
    pub(super) fn notification(&self, call: &Call<'_>) -> Answered {
        let id = call.part();
        let place = place_of(id).ok_or_else(Answer::not_found)?;
        let id = whole(id);
        let beside = |raw: Option<u64>| raw.map(PostId::from_raw);
        let part = NewsPart {
            below: beside(place.get().checked_add(1)),
            above: beside(place.get().checked_sub(1)),
            is_rising: false,
            named: true,
            followed: true,
            liked: true,
            reposted: true,
            ended: true,
            by: None,
            limit: PAGE.1,
        };
        let (reply, viewer) = self.news_of(call, part)?;
        let mut found =
            self.spelt_news(&reply, &viewer).filter(|it| it.get("id") == Some(&json!(id)));
        found.next().map(Answer::ok).ok_or_else(Answer::not_found)
    }

    /// Nothing is ever taken out of the list: what is cleared counts as read.
    pub(super) fn clear_notifications(&self, call: &Call<'_>) -> Answered {
        let heard = self.ask_with_token(call, None, Action::CheckSession)?;
        let now = PostId::floor_of(self.clock.wall().0);
        self.remember(&heard, NEWS, &cursor(now))?;
        Ok(Answer::ok(json!({})))
    }

    pub(super) fn dismiss_notification(&self, call: &Call<'_>) -> Answered {
        self.notification(call)?;
        Ok(Answer::ok(json!({})))
    }

    /// How much is new since apps said what was read, or since the app was let in.
    pub(super) fn unread_count(&self, call: &Call<'_>) -> Answered {
        let heard = self.ask_with_token(call, None, Action::CheckSession)?;
        let viewer = heard.viewer.ok_or_else(nonsense)?;
        Ok(Answer::ok(json!({ "count": viewer.news })))
    }

    /// Up to where somebody has read, as their apps said.
    pub(super) fn markers(&self, call: &Call<'_>) -> Answered {
        let heard = self.ask_with_token(call, None, Action::CheckSession)?;
        let user = heard.viewer.ok_or_else(nonsense)?.username;
        let wanted = call.params.all("timeline");
        let mut spelt = Map::new();
        for line in [HOME, NEWS].into_iter().filter(|line| wanted.contains(line)) {
            if let Some(mark) = self.calls.marks.get(&user, line) {
                spelt.insert(line.to_owned(), mark);
            }
        }
        Ok(Answer::ok(Value::Object(spelt)))
    }

    pub(super) fn set_markers(&self, call: &Call<'_>) -> Answered {
        let heard = self.ask_with_token(call, None, Action::CheckSession)?;
        let mut spelt = Map::new();
        for line in [HOME, NEWS] {
            let Some(id) = call.params.find(&format!("{line}[last_read_id]")) else { continue };
            let is_id = (1..=PAST_DIGITS_MAX).contains(&id.len());
            if !is_id || !id.bytes().all(|b| b.is_ascii_digit()) {
                return Err(Answer::error(422, "Validation failed: last_read_id"));
            }
            spelt.insert(line.to_owned(), self.remember(&heard, line, id)?);
        }
        Ok(Answer::ok(Value::Object(spelt)))
    }

    fn remember(&self, heard: &Heard, line: &str, id: &str) -> Result<Value, Answer> {
        let user = &heard.viewer.as_ref().ok_or_else(nonsense)?.username;
        Ok(self.calls.marks.set(user, line, id, self.clock.wall()))
    }
}

/// Digits of the longest number there is.
const PAST_DIGITS_MAX: usize = POST_DIGITS + TAIL_DIGITS;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::clock::Wall;

    #[test]
    fn number_of_news_says_its_place_and_grows_with_it() {
        let (old, new) = (PostId::floor_of(1_769_862_896_789), PostId::floor_of(1_769_862_896_790));
        let number = |place, by: &str, what| {
            number(&NewsView { place, by: by.parse().unwrap(), at: Wall(0), what })
        };
        let post = |raw| PostId::from_raw(raw);
        let kinds = [
            NewsWhat::Named,
            NewsWhat::Followed,
            NewsWhat::Liked(post(1)),
            NewsWhat::Liked(post(u64::MAX)),
            NewsWhat::Reposted(post(1)),
        ];
        let all = |place, by| kinds.map(|what| number(place, by, what));
        let (olds, news) = ([all(old, "ada"), all(old, "zoe")].concat(), all(new, "ada"));
        let unlike: BTreeSet<_> = olds.iter().collect();
        assert_eq!(unlike.len(), 10);
        assert!(olds.iter().all(|it| news.iter().all(|new| it.len() == new.len() && it < new)));
        for id in olds.iter().chain([&cursor(old)]) {
            assert_eq!(place_of(id), Some(old));
        }
        for none in ["", "1", &"9".repeat(80), &format!("x{}", cursor(old)), &old.to_string()] {
            assert_eq!(place_of(none), None, "{none}");
        }
    }

    #[test]
    fn number_that_an_app_keeps_from_before_there_were_likes_is_understood() {
        let place = PostId::floor_of(1_769_862_896_789);
        let view =
            NewsView { place, by: "ada".parse().unwrap(), at: Wall(0), what: NewsWhat::Named };
        let now = number(&view);
        let earlier = format!("{place}{}1", entity::name_number(&view.by));
        assert_eq!((place_of(&earlier), whole(&earlier).as_ref()), (Some(place), now.as_str()));
        assert_eq!(whole(&now), now);
    }
}
