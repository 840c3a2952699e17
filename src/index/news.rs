//! What happened that concerns somebody: posts that name them, and who began to follow them.
//!
//! Each item has a place among posts: its number, or for a follow the number that a post of that
//! moment would at least have. By these places a list is paged, and a device remembers what it has
//! shown.

use super::people::PersonId;
use super::{Eyes, Index, Key, Span};
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{NEWS_COUNTED_MAX, PASSED_OVER_MAX};
use crate::user::User;
use crate::user::entry::PostRef;

/// Who follows somebody, and since when; sorted so that one person's followers stand together, in the
/// order of time. It may hold who follows no longer, because somebody left: [`Index::follows`] tells.
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
    /// Posts that name the viewer.
    pub named: bool,
    /// Who began to follow them.
    pub followed: bool,
    /// If given, only what this one did.
    pub by: Option<&'a UserName>,
}

/// The first millisecond whose follows do not lie below a place.
fn first_ms(place: PostId) -> u64 {
    place.at_ms() + u64::from(PostId::floor_of(place.at_ms()) != place)
}

/// An item before its names are looked up.
#[derive(Clone, Copy)]
enum Item {
    Named(Key),
    Followed(Fan),
}

impl Item {
    const fn place(self) -> PostId {
        match self {
            Self::Named(post) => post.id,
            Self::Followed(fan) => PostId::floor_of(fan.since.0),
        }
    }
}

impl Index {
    /// Up to `n` news of the viewer, older than `before`. Passes over a limited number of what they
    /// are not shown: then the page ends early, and the next goes on from there.
    pub fn news(&self, eyes: Eyes, before: Option<PostId>, n: usize) -> NewsList {
        self.listed(self.items(eyes.viewer, before), |item| self.is_told(eyes, item), n)
    }

    /// Up to `n` news of the viewer in a part of the list, the latest first; where the part is rising,
    /// those at its older end, and `older` is where it goes on to newer ones.
    pub fn news_part(&self, eyes: Eyes, span: Span, wanted: &NewsWanted<'_>, n: usize) -> NewsList {
        let by = wanted.by.map(|name| self.people.find(name));
        let is_wanted = |item: Item| {
            let (is_kind, who) = match item {
                Item::Named(post) => (wanted.named, post.author),
                Item::Followed(fan) => (wanted.followed, fan.who),
            };
            is_kind && by.is_none_or(|by| by == Some(who)) && self.is_told(eyes, item)
        };
        let within = |item: &Item| {
            span.below.is_none_or(|below| item.place() < below)
                && span.above.is_none_or(|above| item.place() > above)
        };
        if span.is_rising {
            let items = self.items_up(eyes.viewer, span.above).take_while(within);
            let mut list = self.listed(items, is_wanted, n);
            list.news.reverse();
            return list;
        }
        self.listed(self.items(eyes.viewer, span.below).take_while(within), is_wanted, n)
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
            list.news.push(match item {
                Item::Named(post) => News::Named(self.post_ref(post)),
                Item::Followed(fan) => {
                    News::Followed(self.people.get(fan.who).name.clone(), fan.since)
                }
            });
        }
        list
    }

    /// How many news of the viewer there are above `read_to`, counted up to [`NEWS_COUNTED_MAX`] among
    /// the latest.
    pub fn news_count(&self, eyes: Eyes, read_to: PostId) -> usize {
        let items = self.items(eyes.viewer, None).take_while(|item| item.place() > read_to);
        let items = items.take(NEWS_COUNTED_MAX + PASSED_OVER_MAX);
        items.filter(|item| self.is_told(eyes, *item)).take(NEWS_COUNTED_MAX).count()
    }

    /// Whom one mutes is not heard of either.
    fn is_told(&self, eyes: Eyes, item: Item) -> bool {
        match item {
            Item::Named(post) => self.shows_text_of(eyes, post),
            Item::Followed(fan) => self.shows_author(eyes, fan.who),
        }
    }

    /// All news of somebody that lie below `before`, the latest first.
    fn items(
        &self,
        whom: Option<PersonId>,
        before: Option<PostId>,
    ) -> impl Iterator<Item = Item> + use<'_> {
        let naming =
            whom.into_iter().flat_map(move |whom| self.naming(&self.people.get(whom).name, before));
        let mut posts = naming.peekable();
        let mut fans =
            whom.into_iter().flat_map(move |whom| self.fans_down(whom, before)).peekable();
        std::iter::from_fn(move || {
            let post = posts.peek().map(|post| Item::Named(*post));
            let fan = fans.peek().map(|fan| Item::Followed(*fan));
            match (post, fan) {
                (Some(post), Some(fan)) if post.place() < fan.place() => {
                    fans.next();
                    Some(fan)
                }
                (None, Some(fan)) => {
                    fans.next();
                    Some(fan)
                }
                (post, _) => {
                    posts.next();
                    post
                }
            }
        })
    }

    /// The same from the older end: all that lie above `above`.
    fn items_up(
        &self,
        whom: Option<PersonId>,
        above: Option<PostId>,
    ) -> impl Iterator<Item = Item> + use<'_> {
        let from = PostId::from_raw(above.map_or(0, |above| above.get().saturating_add(1)));
        let naming = whom
            .into_iter()
            .flat_map(move |whom| self.naming_up(&self.people.get(whom).name, from));
        let mut posts = naming.map(Item::Named).peekable();
        let fans = whom.into_iter().flat_map(move |whom| self.fans_up(whom, from));
        let mut fans = fans.map(Item::Followed).peekable();
        std::iter::from_fn(move || match (posts.peek(), fans.peek()) {
            (Some(post), Some(fan)) if post.place() > fan.place() => fans.next(),
            (None, _) => fans.next(),
            (Some(_), _) => posts.next(),
        })
    }

    fn fans_up(&self, whom: PersonId, from: PostId) -> impl Iterator<Item = Fan> + '_ {
        let first = Fan { whom, since: Wall(first_ms(from)), who: PersonId::FIRST };
        let above = self.fans.up(std::ops::Bound::Included(&first)).copied();
        above
            .take_while(move |fan| fan.whom == whom)
            .filter(move |fan| self.people.follows(fan.who, whom))
    }

    fn fans_down(&self, whom: PersonId, before: Option<PostId>) -> impl Iterator<Item = Fan> + '_ {
        let end_ms = before.map_or(u64::MAX, first_ms);
        let end = Fan { whom, since: Wall(end_ms), who: PersonId::FIRST };
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
