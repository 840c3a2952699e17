//! What changed here last, in the order in which this machine came to show it: for those who listen.
//!
//! Each change has a number. Whoever has heard of all below a number asks for what came from there on.
//! Only so many changes are kept; a number that is too old, or of another process, tells nothing, and
//! whoever holds it reads the lists instead.

use std::collections::VecDeque;

use super::echo::Echo;
use super::people::PersonId;
use super::repost::Shown;
use super::sorted::SortedChunks;
use super::timeline::below_all_of;
use super::{Eyes, Index, Key};
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::RECENT_CHANGES_KEPT;
use crate::text::{Label, Tag};
use crate::user::User;
use crate::user::entry::{Audience, Entry, PostRef};

#[derive(Debug, Clone, Copy)]
enum Change {
    Posted(Key),
    /// It says something else, or a keeper hid it or showed it again.
    Edited(Key),
    /// It is gone, or not for somebody any more: for that one, else for all who could read it.
    Deleted {
        post: Key,
        audience: Audience,
        whom: Option<PersonId>,
    },
    Reposted {
        who: PersonId,
        post: Key,
        place: PostId,
    },
    Followed {
        who: PersonId,
        whom: PersonId,
        since: Wall,
    },
    Liked(Echo),
}

impl Change {
    /// Where in lists stands what is new; what befell an older post has no place of its own.
    const fn place(self) -> Option<PostId> {
        match self {
            Self::Posted(post) => Some(post.id),
            Self::Reposted { place, .. } => Some(place),
            Self::Liked(echo) => Some(PostId::floor_of(echo.at.0)),
            Self::Followed { since, .. } => Some(PostId::floor_of(since.0)),
            Self::Edited(_) | Self::Deleted { .. } => None,
        }
    }
}

/// The last changes, and the number of the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent {
    next: u64,
    changes: VecDeque<Change>,
    /// The last place of any so far, those included that are not kept any more.
    newest: Option<PostId>,
}

impl Recent {
    fn push(&mut self, change: Change) {
        if self.changes.len() == RECENT_CHANGES_KEPT {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
        self.newest = self.newest.max(change.place());
        self.next += 1;
    }

    /// The last place before `end`: beyond it, one is looked for among the changes that are kept.
    fn newest_before(&self, end: PostId) -> Option<PostId> {
        if self.newest.is_none_or(|newest| newest < end) {
            return self.newest;
        }
        let places = self.changes.iter().filter_map(|change| change.place());
        places.filter(|place| *place < end).max()
    }

    /// The changes from a number on, with theirs; none if it is not known any more.
    fn from(&self, number: u64) -> Option<impl Iterator<Item = (u64, Change)> + '_> {
        let first = self.next - self.changes.len() as u64;
        let skipped = usize::try_from(number.checked_sub(first)?).ok()?;
        (number <= self.next).then(|| (number..).zip(self.changes.iter().copied().skip(skipped)))
    }
}

/// What somebody listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listened<'a> {
    /// What the viewer's home shows, and what concerns them.
    Home,
    /// Everybody's posts.
    Everyone,
    /// Posts that bear a tag.
    Tagged(&'a Tag),
}

/// Something that happened, as far as the viewer is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A post was written.
    Posted(PostRef),
    /// A post was reposted by that person; the number is the repost's.
    Reposted(PostRef, UserName, PostId),
    /// A post says something else.
    Edited(PostRef),
    /// A post is gone, or not for the viewer any more.
    Deleted(PostRef),
    /// A post names the viewer.
    Named(PostRef),
    /// Somebody follows the viewer since then.
    Followed(UserName, Wall),
    /// Somebody likes a post of the viewer since then.
    Liked(PostRef, UserName, Wall),
    /// Somebody reposted a post of the viewer then: told beside [`Self::Reposted`].
    RepostedOwn(PostRef, UserName, Wall),
    /// A poll is over since then that the viewer asked or answered: no change, for it is nobody's act.
    PollEnded(PostRef, Wall),
}

impl Happened {
    /// The number that what is new has, or its place among posts; nothing has one that befell an older
    /// post.
    pub fn id(&self) -> Option<PostId> {
        match self {
            Self::Posted(post) | Self::Named(post) => Some(post.id),
            Self::Reposted(_, _, id) => Some(*id),
            Self::RepostedOwn(post, who, at) => {
                Some(Index::number_of_repost(PostId::floor_of(at.0), who, post))
            }
            Self::Liked(post, who, at) => {
                Some(Index::number_of_like(PostId::floor_of(at.0), who, post))
            }
            Self::PollEnded(post, at) => {
                Some(Index::number_of_poll_end(PostId::floor_of(at.0), post))
            }
            Self::Followed(_, since) => Some(PostId::floor_of(since.0)),
            Self::Edited(_) | Self::Deleted(_) => None,
        }
    }
}

impl Index {
    /// The number of the change that comes next.
    pub fn next_change(&self) -> u64 {
        self.recent.next
    }

    /// The last place before `end` that anything has which is known here, or at which somebody joined; likes,
    /// follows and reposts count since the process was started.
    pub fn newest_place(&self, end: Wall) -> PostId {
        let end = PostId::floor_of(end.0);
        let changed = self.recent.newest_before(end);
        let post = self.timeline.down(Some(&below_all_of(end))).next().map(|key| key.id);
        changed.max(post).unwrap_or(PostId::floor_of(0))
    }

    /// Somebody joined then. What names them comes after that, or it would not be taken to mean them.
    pub(super) fn join(&mut self, who: PersonId, at: Wall) {
        self.people.join(who, at);
        self.recent.newest = self.recent.newest.max(Some(PostId::floor_of(at.0)));
    }

    /// What happened from `number` on, looking at no more than is kept, and the number to go on from;
    /// none if `number` is not known (any more). Ends early, between two changes, with `n` or more.
    pub fn happened(
        &self,
        eyes: Eyes,
        listened: Listened<'_>,
        number: u64,
        n: usize,
    ) -> Option<(Vec<Happened>, u64)> {
        let (mut happened, mut next) = (Vec::new(), self.recent.next);
        for (at, change) in self.recent.from(number)? {
            if happened.len() >= n {
                next = at;
                break;
            }
            self.tell(eyes, listened, change, &mut happened);
        }
        Some((happened, next))
    }

    fn tell(&self, eyes: Eyes, listened: Listened<'_>, change: Change, told: &mut Vec<Happened>) {
        let is_home = listened == Listened::Home;
        let eyes = if is_home { eyes } else { eyes.in_public() };
        match change {
            Change::Posted(post) if self.is_there_for(eyes, post) => {
                if self.is_listened_to(eyes, listened, post) {
                    told.push(Happened::Posted(self.post_ref(post)));
                }
                if is_home && self.names_viewer(eyes, post) && !self.is_hushed_key(eyes, post) {
                    told.push(Happened::Named(self.post_ref(post)));
                }
            }
            Change::Edited(post)
                if self.stands(post)
                    && self.is_meant_for(eyes, post)
                    && self.is_listened_to(eyes, listened, post) =>
            {
                let is_shown = self.shows_text_of(eyes, post);
                let told_as = if is_shown { Happened::Edited } else { Happened::Deleted };
                told.push(told_as(self.post_ref(post)));
            }
            Change::Deleted { post, audience, whom } => {
                let is_for = match whom {
                    None => self.could_read(eyes, listened, (post, audience)),
                    Some(whom) => {
                        let still_reads = if self.stands(post) {
                            self.is_meant_for(eyes, post)
                        } else {
                            self.could_read(eyes, listened, (post, audience))
                        };
                        is_home && eyes.viewer == Some(whom) && !still_reads
                    }
                };
                if is_for && self.shows_author(eyes, post.author) {
                    told.push(Happened::Deleted(self.post_ref(post)));
                }
            }
            Change::Reposted { who, post, place } if is_home => {
                self.tell_repost(eyes, Shown::reposted(place, who, post), told);
            }
            Change::Liked(echo) if is_home && self.is_echo_for(eyes, &self.liked, echo) => {
                let who = self.people.get(echo.who).name.clone();
                told.push(Happened::Liked(self.post_ref(echo.post()), who, echo.at));
            }
            Change::Followed { who, whom, since }
                if is_home
                    && eyes.viewer == Some(whom)
                    && self.people.follows(who, whom)
                    && self.shows_author(eyes, who) =>
            {
                told.push(Happened::Followed(self.people.get(who).name.clone(), since));
            }
            _ => {}
        }
    }

    /// A repost, to whom it is shown at home, and to the post's author.
    fn tell_repost(&self, eyes: Eyes, shown: Shown, told: &mut Vec<Happened>) {
        let (Some(viewer), Some(who)) = (eyes.viewer, shown.by()) else { return };
        let (name, post) = (self.people.get(who).name.clone(), self.post_ref(shown.post()));
        let is_at_home = viewer == who || self.people.follows(viewer, who);
        if is_at_home && self.is_there_for(eyes, shown.post()) && self.shows_item(eyes, shown) {
            let id = Self::number_of_repost(shown.place(), &name, &post);
            told.push(Happened::Reposted(post.clone(), name.clone(), id));
        }
        let at = Wall(shown.place().at_ms());
        let echo = Echo::of(who, shown.post(), at);
        if echo.is_some_and(|echo| self.is_echo_for(eyes, &self.reposted, echo)) {
            told.push(Happened::RepostedOwn(post, name, at));
        }
    }

    /// Whether the viewer is told what somebody thinks of a post: if it is theirs, and that was not undone.
    fn is_echo_for(&self, eyes: Eyes, all: &SortedChunks<Echo>, echo: Echo) -> bool {
        let is_own = eyes.viewer == Some(echo.post().author);
        is_own && all.contains(&echo) && self.tells_echo(eyes, echo)
    }

    fn is_there_for(&self, eyes: Eyes, post: Key) -> bool {
        self.stands(post) && self.shows_text_of(eyes, post)
    }

    /// Whether a post belongs to what is listened to, whether or not it may be shown.
    fn is_listened_to(&self, eyes: Eyes, listened: Listened<'_>, post: Key) -> bool {
        match listened {
            Listened::Home => eyes.viewer.is_some_and(|viewer| {
                viewer == post.author || self.people.follows(viewer, post.author)
            }),
            Listened::Everyone => true,
            Listened::Tagged(tag) => self.labels.is_on(&Label::of_tag(tag), post),
        }
    }

    /// Whether a post that is gone was told to these eyes by what is listened to, but for whom it named.
    fn could_read(
        &self,
        eyes: Eyes,
        listened: Listened<'_>,
        (post, audience): (Key, Audience),
    ) -> bool {
        let is_home = listened == Listened::Home;
        match audience {
            Audience::Everyone => !is_home || self.is_listened_to(eyes, listened, post),
            Audience::Quiet | Audience::Followers => {
                is_home && self.is_listened_to(eyes, listened, post)
            }
            Audience::Named => is_home && eyes.viewer == Some(post.author),
        }
    }

    fn names_viewer(&self, eyes: Eyes, post: Key) -> bool {
        let named = |viewer: PersonId| Label::of_name(&self.people.get(viewer).name);
        eyes.viewer.is_some_and(|viewer| self.labels.is_on(&named(viewer), post))
    }

    /// Keeps what a committed entry changed, once it has been taken in. `before` is who says it, as they
    /// were before.
    pub(super) fn note(&mut self, author: PersonId, before: &User, entry: &Entry) {
        let own = |id: PostId| Key { id, author };
        let change = match entry {
            Entry::Posted { id, .. }
            | Entry::PostedFor { id, .. }
            | Entry::PostedPoll { id, .. }
                if self.stands(own(*id)) =>
            {
                Change::Posted(own(*id))
            }
            Entry::PostEdited { id, .. } if self.stands(own(*id)) => {
                self.note_unnamed(own(*id), before);
                Change::Edited(own(*id))
            }
            Entry::PostDeleted { id, .. } if before.post(*id).is_some() => {
                self.note_unnamed(own(*id), before);
                let (post, audience) = (own(*id), before.audience(*id));
                Change::Deleted { post, audience, whom: None }
            }
            Entry::PostHidden { user, id, .. } | Entry::PostShown { user, id, .. } => {
                let Some(author) = self.people.find(user) else { return };
                Change::Edited(Key { id: *id, author })
            }
            Entry::Reposted { at, post } if !before.reposts.contains_key(post) => {
                let Some(post) = self.key(post) else { return };
                Change::Reposted { who: author, post, place: PostId::floor_of(at.0) }
            }
            Entry::Liked { at, post } if !before.likes.contains_key(post) => {
                let post = self.key(post);
                let Some(echo) = post.and_then(|it| Echo::of(author, it, *at)) else { return };
                Change::Liked(echo)
            }
            Entry::Followed { at, user } if !before.follows.contains_key(user) => {
                let Some(whom) = self.people.find(user) else { return };
                Change::Followed { who: author, whom, since: *at }
            }
            _ => return,
        };
        self.recent.push(change);
    }

    /// Whoever a post for few named before may be somebody whom it is not for any more.
    fn note_unnamed(&mut self, post: Key, before: &User) {
        let audience = before.audience(post.id);
        if !audience.is_few() {
            return;
        }
        let names = before.labels.of(post.id).into_iter().filter_map(|(_, label)| label.name());
        let named: Vec<_> = names.filter_map(|name| self.people.find(&name)).collect();
        for whom in named.into_iter().filter(|whom| *whom != post.author) {
            self.recent.push(Change::Deleted { post, audience, whom: Some(whom) });
        }
    }

    /// The same for a user who came whole from another machine.
    pub(super) fn note_replaced(&mut self, author: PersonId, before: &User, after: &User) {
        for post in before.posts.iter().filter(|post| after.post(post.id).is_none()) {
            let (key, audience) = (Key { id: post.id, author }, before.audience(post.id));
            self.note_unnamed(key, before);
            self.recent.push(Change::Deleted { post: key, audience, whom: None });
        }
        for post in after.posts.iter().filter(|post| before.post(post.id).is_none()) {
            self.recent.push(Change::Posted(Key { id: post.id, author }));
        }
        for (post, at) in after.reposts.iter().filter(|(it, _)| !before.reposts.contains_key(*it)) {
            if let Some(post) = self.key(post) {
                let place = PostId::floor_of(at.0);
                self.recent.push(Change::Reposted { who: author, post, place });
            }
        }
        for (post, at) in after.likes.iter().filter(|(it, _)| !before.likes.contains_key(*it)) {
            let echo = self.key(post).and_then(|post| Echo::of(author, post, *at));
            if let Some(echo) = echo {
                self.recent.push(Change::Liked(echo));
            }
        }
        let follows = after.follows.iter();
        for (whom, since) in follows.filter(|(it, at)| before.follows.get(*it) != Some(*at)) {
            if let Some(whom) = self.people.find(whom) {
                self.recent.push(Change::Followed { who: author, whom, since: *since });
            }
        }
    }
}
