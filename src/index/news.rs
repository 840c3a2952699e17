//! What happened that concerns somebody: posts that name them, who began to follow them, who likes or
//! reposted a post of theirs, and the end of polls that they asked or answered.
//!
//! Each item has a place among posts: its number, or for what is no post the number that a post of that
//! moment would at least have. By these places a list is paged, and a device remembers what it has
//! shown.

use std::cmp::Reverse;

use super::echo::{Echo, echoes_down, echoes_up};
use super::people::PersonId;
use super::poll::End;
use super::repost::merged;
use super::{Eyes, Index, Key, Span};
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{NEWS_COUNTED_MAX, PASSED_OVER_MAX};
use crate::user::User;
use crate::user::entry::PostRef;

/// Who follows somebody, as their file states it, and since when; sorted so that one person's followers
/// stand together, in the order of time. Not each of them counts: [`Index::follows`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fan {
    whom: PersonId,
    since: Wall,
    who: PersonId,
}

const _: () = assert!(size_of::<Fan>() == 16);

/// Something that concerns somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Another's post names them.
    Named(PostRef),
    /// Somebody follows them since then.
    Followed(UserName, Wall),
    /// Somebody likes this post of theirs since then.
    Liked(PostRef, UserName, Wall),
    /// Somebody reposted this post of theirs then.
    Reposted(PostRef, UserName, Wall),
    /// A poll is over since then that they asked or answered.
    PollEnded(PostRef, Wall),
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewsKind {
    /// See [`News::Named`].
    Named,
    /// See [`News::Followed`].
    Followed,
    /// See [`News::Liked`].
    Liked,
    /// See [`News::Reposted`].
    Reposted,
    /// See [`News::PollEnded`].
    PollEnded,
}

impl NewsKind {
    /// What apps tell, in lists and as it happens.
    pub const ALL: [Self; 5] =
        [Self::Named, Self::Followed, Self::Liked, Self::Reposted, Self::PollEnded];
    /// What the pages tell: whom one should answer, or may want to get to know.
    pub const OF_PAGES: [Self; 2] = [Self::Named, Self::Followed];
}

/// News, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewsList {
    /// As many as were asked for, or fewer where there are no more; longer by those of the same place
    /// as the last.
    pub news: Vec<News>,
    /// Where the next older page begins, if there is one: its `before`.
    pub older: Option<PostId>,
}

/// Which news.
#[derive(Debug, Clone, Copy)]
pub struct NewsWanted<'a> {
    /// Of these kinds, each given once.
    pub kinds: &'a [NewsKind],
    /// If given, only what this one did.
    pub by: Option<&'a UserName>,
}

/// The first millisecond of which what is no post does not lie below a place.
fn first_ms(place: PostId) -> u64 {
    place.at_ms() + u64::from(PostId::floor_of(place.at_ms()) != place)
}

/// An item before its names are looked up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Named(Key),
    Followed(Fan),
    Liked(Echo),
    Reposted(Echo),
    PollEnded(End),
}

impl Item {
    const fn place(self) -> PostId {
        match self {
            Self::Named(post) => post.id,
            Self::Followed(fan) => PostId::floor_of(fan.since.0),
            Self::Liked(echo) | Self::Reposted(echo) => PostId::floor_of(echo.at.0),
            Self::PollEnded(end) => PostId::floor_of(end.at.0),
        }
    }

    /// Who did it; of a poll, who asked.
    const fn who(self) -> PersonId {
        match self {
            Self::Named(post) => post.author,
            Self::Followed(fan) => fan.who,
            Self::Liked(echo) | Self::Reposted(echo) => echo.who,
            Self::PollEnded(end) => end.post.author,
        }
    }
}

/// One kind's items, in the order of their places.
type Items<'a> = Box<dyn Iterator<Item = Item> + 'a>;

impl Index {
    /// Up to `n` news of the viewer, older than `before`. Passes over a limited number of what they
    /// are not shown: then the page ends early, and the next goes on from there.
    pub fn news(
        &self,
        eyes: Eyes,
        before: Option<PostId>,
        kinds: &[NewsKind],
        n: usize,
    ) -> NewsList {
        let span = Span { below: before, ..Span::default() };
        self.news_part(eyes, span, &NewsWanted { kinds, by: None }, n)
    }

    /// Up to `n` news of the viewer in a part of the list, the latest first; where the part is rising,
    /// those at its older end, and `older` is where it goes on to newer ones.
    pub fn news_part(&self, eyes: Eyes, span: Span, wanted: &NewsWanted<'_>, n: usize) -> NewsList {
        let by = wanted.by.map(|name| self.people.find(name));
        let is_wanted =
            |item: Item| by.is_none_or(|by| by == Some(item.who())) && self.is_told(eyes, item);
        let within = |item: &Item| {
            span.below.is_none_or(|below| item.place() < below)
                && span.above.is_none_or(|above| item.place() > above)
        };
        if span.is_rising {
            let items = self.items_up(eyes, span.above, wanted.kinds).take_while(within);
            let mut list = self.listed(items, is_wanted, n);
            list.news.reverse();
            return list;
        }
        self.listed(self.items(eyes, span.below, wanted.kinds).take_while(within), is_wanted, n)
    }

    fn listed(
        &self,
        items: impl Iterator<Item = Item>,
        is_wanted: impl Fn(Item) -> bool,
        n: usize,
    ) -> NewsList {
        let mut list = NewsList::default();
        let (mut last, mut passed_over) = (None, 0);
        for item in items {
            let place = item.place();
            let is_full = list.news.len() >= n || passed_over >= PASSED_OVER_MAX;
            if is_full && last != Some(place) {
                list.older = last;
                break;
            }
            last = Some(place);
            if !is_wanted(item) {
                passed_over += 1;
                continue;
            }
            let who = || self.people.get(item.who()).name.clone();
            list.news.push(match item {
                Item::Named(post) => News::Named(self.post_ref(post)),
                Item::Followed(fan) => News::Followed(who(), fan.since),
                Item::Liked(echo) => News::Liked(self.post_ref(echo.post()), who(), echo.at),
                Item::Reposted(echo) => News::Reposted(self.post_ref(echo.post()), who(), echo.at),
                Item::PollEnded(end) => News::PollEnded(self.post_ref(end.post), end.at),
            });
        }
        list
    }

    /// How many news of the viewer there are above `read_to`, counted up to [`NEWS_COUNTED_MAX`] among
    /// the latest.
    pub fn news_count(&self, eyes: Eyes, read_to: PostId, kinds: &[NewsKind]) -> usize {
        let items = self.items(eyes, None, kinds).take_while(|item| item.place() > read_to);
        let items = items.take(NEWS_COUNTED_MAX + PASSED_OVER_MAX);
        items.filter(|item| self.is_told(eyes, *item)).take(NEWS_COUNTED_MAX).count()
    }

    /// Whom one mutes is not heard of either, nor what befalls a thread that one mutes, and a post that is gone
    /// takes with it what befell it.
    fn is_told(&self, eyes: Eyes, item: Item) -> bool {
        match item {
            Item::Named(post) => self.shows_text_of(eyes, post) && !self.is_hushed_key(eyes, post),
            Item::Followed(fan) => self.shows_author(eyes, fan.who),
            Item::Liked(echo) | Item::Reposted(echo) => self.tells_echo(eyes, echo),
            Item::PollEnded(end) => {
                self.shows_text_of(eyes, end.post) && !self.is_hushed_key(eyes, end.post)
            }
        }
    }

    /// Whether these eyes, the author's, are told of that.
    pub(super) fn tells_echo(&self, eyes: Eyes, echo: Echo) -> bool {
        self.stands(echo.post())
            && self.shows_author(eyes, echo.who)
            && !self.is_hushed_key(eyes, echo.post())
    }

    /// All news of the viewer that lie below `before`, the latest first.
    fn items(
        &self,
        eyes: Eyes,
        before: Option<PostId>,
        kinds: &[NewsKind],
    ) -> impl Iterator<Item = Item> {
        let lists = eyes.viewer.into_iter().flat_map(move |whom| {
            kinds.iter().map(move |kind| self.items_of_kind((whom, eyes.now), *kind, before))
        });
        merged(lists.map(|list| list.map(|it| (it.place(), it)))).map(|(_, item)| item)
    }

    /// What lies ahead has not happened yet: a poll's end is known long before.
    fn items_of_kind(
        &self,
        (whom, now): (PersonId, Wall),
        kind: NewsKind,
        before: Option<PostId>,
    ) -> Items<'_> {
        let end = Wall(before.map_or(u64::MAX, first_ms));
        let echoes = |all| echoes_down(all, whom, end);
        match kind {
            NewsKind::Named => {
                let posts = self.naming(&self.people.get(whom).name, before);
                Box::new(posts.map(Item::Named))
            }
            NewsKind::Followed => Box::new(self.fans_down(whom, end).map(Item::Followed)),
            NewsKind::Liked => Box::new(echoes(&self.liked).map(Item::Liked)),
            NewsKind::Reposted => Box::new(echoes(&self.reposted).map(Item::Reposted)),
            NewsKind::PollEnded => {
                let end = end.min(Wall(now.0.saturating_add(1)));
                Box::new(self.polls.ended_down(whom, end).map(Item::PollEnded))
            }
        }
    }

    /// The same from the older end: all that lie above `above`.
    fn items_up(
        &self,
        eyes: Eyes,
        above: Option<PostId>,
        kinds: &[NewsKind],
    ) -> impl Iterator<Item = Item> {
        let from = PostId::from_raw(above.map_or(0, |above| above.get().saturating_add(1)));
        let lists = eyes.viewer.into_iter().flat_map(move |whom| {
            kinds.iter().map(move |kind| self.items_of_kind_up((whom, eyes.now), *kind, from))
        });
        merged(lists.map(|list| list.map(|it| Reverse((it.place(), it)))))
            .map(|Reverse((_, item))| item)
    }

    fn items_of_kind_up(
        &self,
        (whom, now): (PersonId, Wall),
        kind: NewsKind,
        from: PostId,
    ) -> Items<'_> {
        let first = Wall(first_ms(from));
        let echoes = |all| echoes_up(all, whom, first);
        match kind {
            NewsKind::Named => {
                let posts = self.naming_up(&self.people.get(whom).name, from);
                Box::new(posts.map(Item::Named))
            }
            NewsKind::Followed => Box::new(self.fans_up(whom, first).map(Item::Followed)),
            NewsKind::Liked => Box::new(echoes(&self.liked).map(Item::Liked)),
            NewsKind::Reposted => Box::new(echoes(&self.reposted).map(Item::Reposted)),
            NewsKind::PollEnded => {
                let end = Wall(now.0.saturating_add(1));
                Box::new(self.polls.ended_up(whom, (first, end)).map(Item::PollEnded))
            }
        }
    }

    /// Looks anew whether `who` follows `whom`: who blocks or removed whom has changed.
    pub(super) fn settle_follow(&mut self, who: PersonId, whom: PersonId) {
        let first = Fan { whom, since: Wall(0), who: PersonId::FIRST };
        let all = self.fans.up(std::ops::Bound::Included(&first));
        let stated = all.take_while(|fan| fan.whom == whom).find(|fan| fan.who == who).copied();
        if let Some(Fan { since, .. }) = stated {
            self.people.follow(who, whom, since);
        }
    }

    fn fans_up(&self, whom: PersonId, first: Wall) -> impl Iterator<Item = Fan> + '_ {
        let first = Fan { whom, since: first, who: PersonId::FIRST };
        let above = self.fans.up(std::ops::Bound::Included(&first)).copied();
        above
            .take_while(move |fan| fan.whom == whom)
            .filter(move |fan| self.people.follows(fan.who, whom))
    }

    fn fans_down(&self, whom: PersonId, end: Wall) -> impl Iterator<Item = Fan> + '_ {
        let end = Fan { whom, since: end, who: PersonId::FIRST };
        let below = self.fans.down(Some(&end)).copied();
        below
            .take_while(move |fan| fan.whom == whom)
            .filter(move |fan| self.people.follows(fan.who, whom))
    }

    /// Whom a user follows, to be sorted at once.
    pub(super) fn fans_of(&mut self, who: PersonId, user: &User, fans: &mut Vec<Fan>) {
        for (followed, since) in &user.follows {
            let whom = self.people.intern(followed);
            fans.push(Fan { whom, since: *since, who });
        }
    }

    pub(super) fn add_fan(&mut self, who: PersonId, whom: PersonId, since: Wall) {
        self.fans.insert(Fan { whom, since, who });
    }

    pub(super) fn remove_fan(&mut self, who: PersonId, whom: PersonId, since: Wall) {
        self.fans.remove(&Fan { whom, since, who });
    }

    /// The same for a user who came whole, or left.
    pub(super) fn replace_fans(&mut self, who: PersonId, before: &User, after: &User) {
        for (followed, since) in &before.follows {
            if after.follows.get(followed) != Some(since) {
                let whom = self.people.intern(followed);
                self.remove_fan(who, whom, *since);
            }
        }
        for (followed, since) in &after.follows {
            if before.follows.get(followed) != Some(since) {
                let whom = self.people.intern(followed);
                self.add_fan(who, whom, *since);
            }
        }
    }
}
