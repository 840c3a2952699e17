//! The read side, in memory: what is asked the other way round than the files tell it. Who follows
//! ada, what answers her post, what everybody wrote last.
//!
//! Pure. Built from all users at start, then fed with committed entries, one at a time and in the
//! order of their user's file; never written anywhere. If it and a file differ, the file is right.
//! It holds no text and no display name: those come from the file and from [`User`].
//!
//! Invariants:
//! - the timeline holds exactly the posts of all people's lists, a post being its number *and* its
//!   author: two authors may have the same number;
//! - an edge from a post to its reply stands as long as the reply does, whatever becomes of the post;
//! - whoever has left is in no list;
//! - nobody is shown what [`Index::shows`] keeps from them: each list is asked for with the [`Eyes`]
//!   that it is for.
//!
//! A post costs 20 bytes here (12 in the timeline, 8 in its author's list), a reply 24 more, a repost
//! 48, a like 40 (of either 24 are for its author to be told of it, and are saved for one's own post), a
//! name or a tag in it 16, a follow 24; a post that is not for everybody about 40 more. Every query costs
//! what it shows, and [`Index::home`] at most a few steps for each person followed besides.

mod apart;
#[cfg(test)]
mod apart_tests;
mod audience;
#[cfg(test)]
mod audience_tests;
mod echo;
mod eyes;
mod hush;
#[cfg(test)]
mod hush_tests;
mod keeping;
#[cfg(test)]
mod keeping_tests;
mod label;
mod lists;
mod news;
mod people;
mod picture;
mod poll;
#[cfg(test)]
mod poll_tests;
mod recent;
#[cfg(test)]
mod recent_tests;
mod repost;
mod search;
mod sorted;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_found;
mod thread;
mod timeline;
mod walk;
#[cfg(test)]
mod world;

use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::text;
use crate::user::entry::{Entry, PostRef};
use crate::user::room::make_room;
use crate::user::{Status, User};
use audience::Audiences;
use echo::Echo;
use hush::Hush;
use keeping::Keeping;
use label::Labels;
use news::Fan;
use people::{People, PersonId};
use picture::Pictures;
use poll::Polls;
use recent::Recent;
use repost::{Like, Marks};
use sorted::SortedChunks;

pub use eyes::Eyes;
pub use keeping::{Logged, Reported, Since};
pub use lists::{Counts, PeopleList};
pub use news::{News, NewsKind, NewsList, NewsWanted};
pub use poll::Tally;
pub use recent::{Happened, Listened};
pub use repost::Likers;
pub use thread::{Begin, Reply, Thread};
pub use timeline::PostList;
pub use walk::{Span, TagsWanted, Walk, Walked, WalkedList};

/// A post: number and author, in the order of time. 12 bytes and not 16, because each post has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(Rust, packed(4))]
struct Key {
    id: PostId,
    author: PersonId,
}

/// A reply under what it answers; sorted so that one post's replies stand together, oldest first.
/// Not two `Key`s, which would take 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    parent_id: PostId,
    parent_author: PersonId,
    child_id: PostId,
    child_author: PersonId,
}

const _: () = assert!(size_of::<Key>() == 12 && size_of::<Edge>() == 24);

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Index {
    people: People,
    /// What keepers decided, and what waits for them.
    keeping: Keeping,
    timeline: SortedChunks<Key>,
    replies: SortedChunks<Edge>,
    labels: Labels,
    fans: SortedChunks<Fan>,
    likes: SortedChunks<Like>,
    /// Likes again, by whose posts they are of.
    liked: SortedChunks<Echo>,
    /// Reposts, likewise.
    reposted: SortedChunks<Echo>,
    pictures: Pictures,
    /// Whom posts are for that are not for everybody.
    audiences: Audiences,
    polls: Polls,
    /// Threads of which somebody wants to hear nothing.
    hush: Hush,
    recent: Recent,
}

impl Index {
    /// An index of nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// An index of these users, each given once: much faster than one entry after another.
    pub fn build<'a>(users: impl IntoIterator<Item = &'a User> + Clone) -> Self {
        let mut index = Self::default();
        // Known before the follows that it makes void: those are looked at once.
        for user in users.clone() {
            let by = index.people.intern(&user.name);
            index.replace_removed(by, &User::absent(user.name.clone()), user);
        }
        let (mut keys, mut edges, mut marks) = (Vec::new(), Vec::new(), Marks::default());
        let (mut uses, mut tagged, mut fans) = (Vec::new(), Vec::new(), Vec::new());
        for user in users {
            let author = index.add_person(user);
            index.keep_all(user);
            for post in &user.posts {
                let key = Key { id: post.id, author };
                keys.push(key);
            }
            for (id, parent) in &user.replies {
                edges.push(index.edge(parent, Key { id: *id, author }));
            }
            index.limit_all(user);
            index.open_polls(author, user);
            index.replace_votes(author, &User::absent(user.name.clone()), user);
            index.replace_hushed(author, &User::absent(user.name.clone()), user);
            index.labels_of(author, user, &mut uses, &mut tagged);
            index.fans_of(author, user, &mut fans);
            index.people.get_mut(author).posts = user.posts.iter().map(|post| post.id).collect();
            index.marks_of(author, user, &mut marks);
            for (id, pictures) in &user.pictures {
                index.pictures.show(Key { id: *id, author }, pictures);
            }
            index.pictures.face(author, None, user.avatar.as_deref());
        }
        index.timeline = SortedChunks::from_unsorted(keys);
        index.replies = SortedChunks::from_unsorted(edges);
        index.fill_hushed();
        index.labels.fill(uses, tagged);
        index.fans = SortedChunks::from_unsorted(fans);
        index.fill_marks(marks);
        index.people.shrink_to_fit();
        index
    }

    /// Takes in one committed entry of `before`, who is as they were before it: ask this first, then
    /// [`User::apply`]. What is deleted must be found in there.
    pub fn apply(&mut self, before: &User, entry: &Entry) {
        if matches!(before.status, Status::Left(_)) {
            return;
        }
        let author = self.people.intern(&before.name);
        match entry {
            Entry::Joined { at } => self.join(author, *at),
            Entry::Profile { members_only, avatar, .. } => {
                self.people.get_mut(author).members_only = *members_only;
                self.pictures.face(author, before.avatar.as_deref(), avatar.as_deref());
            }
            Entry::Posted { .. } | Entry::PostedFor { .. } | Entry::PostedPoll { .. } => {
                self.post(author, before, entry);
            }
            Entry::PostDeleted { id, few, .. } => self.delete_post(before, *id, *few),
            Entry::Followed { .. }
            | Entry::Unfollowed { .. }
            | Entry::Muted { .. }
            | Entry::Unmuted { .. }
            | Entry::Blocked { .. }
            | Entry::Unblocked { .. }
            | Entry::FollowerRemoved { .. } => self.tie(author, before, entry),
            Entry::KeeperMade { .. }
            | Entry::KeeperEnded { .. }
            | Entry::CommunitySet { .. }
            | Entry::InvitationMade { .. }
            | Entry::InvitationEnded { .. }
            | Entry::AskedIn { .. }
            | Entry::Reported { .. }
            | Entry::ReportClosed { .. }
            | Entry::ReportReopened { .. }
            | Entry::PostHidden { .. }
            | Entry::PostShown { .. }
            | Entry::MemberSuspended { .. }
            | Entry::SuspensionLifted { .. }
            | Entry::MemberAdmitted { .. }
            | Entry::MemberRefused { .. }
            | Entry::MemberUndecided { .. } => self.keep(before, entry),
            Entry::Left { .. } => {
                self.remove_user(before);
                self.keep_acts(before);
            }
            Entry::Liked { .. }
            | Entry::Unliked { .. }
            | Entry::Reposted { .. }
            | Entry::Unreposted { .. } => self.mark(before, entry),
            Entry::PostEdited { at, id, text, .. } => {
                if before.post(*id).is_some() {
                    self.said_anew(Key { id: *id, author }, *at);
                    let labels: Vec<_> =
                        text::labels(text).into_iter().map(|label| (*id, label)).collect();
                    self.relabel(author, &before.labels.of(*id), &labels);
                }
            }
            Entry::Voted { post, choices, .. } => self.vote(before, post, *choices),
            Entry::ThreadMuted { post, .. } => self.hush(author, post),
            Entry::ThreadUnmuted { post, .. } => self.unhush(author, post),
            Entry::PictureSent { .. }
            | Entry::Pinned { .. }
            | Entry::Unpinned { .. }
            | Entry::Bookmarked { .. }
            | Entry::Unbookmarked { .. }
            | Entry::InvitationUsed { .. }
            | Entry::JoinedWith { .. }
            | Entry::Password { .. }
            | Entry::SessionOpened { .. }
            | Entry::SessionClosed { .. } => {}
        }
        self.note(author, before, entry);
    }

    fn post(&mut self, author: PersonId, before: &User, entry: &Entry) {
        let (Entry::Posted { id, text, reply_to, .. }
        | Entry::PostedFor { id, text, reply_to, .. }
        | Entry::PostedPoll { id, text, reply_to, .. }) = entry
        else {
            return;
        };
        let key = Key { id: *id, author };
        if before.has_deleted(*id) || !self.add_post(key, reply_to.as_ref()) {
            return;
        }
        if let Entry::PostedFor { audience, .. } | Entry::PostedPoll { audience, .. } = entry {
            // By its number, as after a start: by a clock that is behind it was written before that.
            self.limit(key, *audience, Wall(id.at_ms()));
        }
        if let Entry::PostedPoll { poll, .. } = entry {
            self.polls.open(key, poll.until);
        }
        if let Entry::Posted { pictures, .. } | Entry::PostedFor { pictures, .. } = entry {
            self.pictures.show(key, pictures);
        }
        let labels: Vec<_> = text::labels(text).into_iter().map(|label| (*id, label)).collect();
        self.relabel(author, &[], &labels);
    }

    fn tie(&mut self, author: PersonId, before: &User, entry: &Entry) {
        match entry {
            Entry::Followed { at, user } => {
                let followed = self.people.intern(user);
                let since = before.follows.get(user).copied().unwrap_or(*at);
                self.people.follow(author, followed, since);
                self.add_fan(author, followed, since);
            }
            Entry::Unfollowed { user, .. } => {
                let followed = self.people.intern(user);
                self.people.unfollow(author, followed);
                if let Some(since) = before.follows.get(user) {
                    self.remove_fan(author, followed, *since);
                }
            }
            Entry::Muted { user, until, .. } => {
                let until = before.mutes.get(user).unwrap_or(until);
                let muted = self.people.intern(user);
                self.people.apart.mute(author, muted, *until);
            }
            Entry::Unmuted { user, .. } => {
                let muted = self.people.intern(user);
                self.people.apart.unmute(author, muted);
            }
            Entry::Blocked { user, .. } => {
                let blocked = self.people.intern(user);
                self.people.block(author, blocked);
            }
            Entry::Unblocked { user, .. } => {
                let blocked = self.people.intern(user);
                self.unblock(author, blocked);
            }
            Entry::FollowerRemoved { at, user } => {
                let follower = self.people.intern(user);
                self.people.apart.remove_follower(author, follower, Some(*at));
                self.settle_follow(follower, author);
            }
            _ => {}
        }
    }

    fn unblock(&mut self, who: PersonId, whom: PersonId) {
        self.people.apart.unblock(who, whom);
        self.settle_follow(who, whom);
        self.settle_follow(whom, who);
    }

    /// Takes in whom a user removed from their followers, where that differs.
    fn replace_removed(&mut self, by: PersonId, before: &User, after: &User) {
        let [before, after] = [before, after].map(|user| &user.aside().removed_followers);
        for name in before.keys().chain(after.keys()) {
            let at = after.get(name).copied();
            if before.get(name).copied() != at {
                let follower = self.people.intern(name);
                self.people.apart.remove_follower(by, follower, at);
                self.settle_follow(follower, by);
            }
        }
    }

    /// Takes in a user whose file came whole from another machine. `before` is the user as indexed so
    /// far; only what differs is touched.
    pub fn replace(&mut self, before: &User, after: &User) {
        if matches!(after.status, Status::Left(_)) {
            self.remove_user(before);
        }
        let author = self.add_person(after);
        for unfollowed in before.follows.keys().filter(|name| !after.follows.contains_key(*name)) {
            let unfollowed = self.people.intern(unfollowed);
            self.people.unfollow(author, unfollowed);
        }
        self.replace_fans(author, before, after);
        for unmuted in before.mutes.keys().filter(|name| !after.mutes.contains_key(*name)) {
            let unmuted = self.people.intern(unmuted);
            self.people.apart.unmute(author, unmuted);
        }
        for unblocked in before.blocks.difference(&after.blocks) {
            let unblocked = self.people.intern(unblocked);
            self.unblock(author, unblocked);
        }
        self.replace_removed(author, before, after);
        if (before.has_asked_in, &before.keeping) != (after.has_asked_in, &after.keeping) {
            self.forget_kept(before);
            self.keep_all(after);
        }
        self.replace_marks(author, before, after);
        self.replace_votes(author, before, after);
        self.replace_hushed(author, before, after);
        self.unlimit_all(before);
        self.close_polls(author, before);
        for post in before.posts.iter().filter(|post| after.post(post.id).is_none()) {
            self.remove_post(before, post.id);
        }
        for post in after.posts.iter().filter(|post| before.post(post.id).is_none()) {
            let key = Key { id: post.id, author };
            self.add_post(key, after.reply_to(post.id));
            if let Some(pictures) = after.pictures.get(&post.id) {
                self.pictures.show(key, pictures);
            }
        }
        self.limit_all(after);
        self.open_polls(author, after);
        self.pictures.face(author, before.avatar.as_deref(), after.avatar.as_deref());
        let all = |user: &User| -> Vec<_> {
            user.labels.iter().map(|(id, label)| (id, label.clone())).collect()
        };
        self.relabel(author, &all(before), &all(after));
        self.note_replaced(author, before, after);
    }

    /// Whether there is an account of that name, and it was let in.
    pub fn is_member(&self, user: &UserName) -> bool {
        let person = self.people.find(user);
        person.is_some_and(|id| self.people.is_active(id) && self.has_come_in(id))
    }

    /// Whether there is an account of that name.
    pub fn is_active(&self, user: &UserName) -> bool {
        self.people.find(user).is_some_and(|id| self.people.is_active(id))
    }

    /// Whether the post stands.
    pub fn contains(&self, post: &PostRef) -> bool {
        self.key(post).is_some_and(|key| self.stands(key))
    }

    fn stands(&self, post: Key) -> bool {
        let Key { id, author } = post;
        self.people.get(author).posts.binary_search(&id).is_ok()
    }

    /// Whether `who` follows `whom`.
    pub fn follows(&self, who: &UserName, whom: &UserName) -> bool {
        let pair = self.people.find(who).zip(self.people.find(whom));
        pair.is_some_and(|(who, whom)| self.people.follows(who, whom))
    }

    /// How many have an account.
    pub fn members(&self) -> usize {
        self.people.active()
    }

    /// How many posts stand and are not kept from some.
    pub fn posts(&self) -> usize {
        self.timeline.len() - self.audiences.few
    }

    /// The person with all that ties them to others; not the posts.
    fn add_person(&mut self, user: &User) -> PersonId {
        let id = self.people.intern(&user.name);
        match user.status {
            Status::Absent => {}
            Status::Active => self.join(id, user.joined_at),
            Status::Left(_) => self.people.leave(id),
        }
        self.people.get_mut(id).members_only = user.members_only;
        for (followed, since) in &user.follows {
            let followed = self.people.intern(followed);
            self.people.follow(id, followed, *since);
        }
        for (muted, until) in &user.mutes {
            let muted = self.people.intern(muted);
            self.people.apart.mute(id, muted, *until);
        }
        for blocked in &user.blocks {
            let blocked = self.people.intern(blocked);
            self.people.block(id, blocked);
        }
        id
    }

    /// Whether it was not there already.
    fn add_post(&mut self, key: Key, reply_to: Option<&PostRef>) -> bool {
        if !self.timeline.insert(key) {
            return false;
        }
        let Key { id, author } = key;
        let posts = &mut self.people.get_mut(author).posts;
        if let Err(at) = posts.binary_search(&id) {
            make_room(posts, 1);
            posts.insert(at, id);
        }
        if let Some(parent) = reply_to {
            let edge = self.edge(parent, key);
            self.replies.insert(edge);
            self.hush_reply(key, edge.parent());
        }
        true
    }

    /// Takes out a post that was taken back, and remembers if it was for few.
    fn delete_post(&mut self, before: &User, id: PostId, is_few: bool) {
        self.remove_post(before, id);
        if is_few && !before.has_deleted(id) {
            let author = self.people.intern(&before.name);
            self.deleted_of_few(Key { id, author });
        }
    }

    /// Takes out a post; what it answered only its author's `User` tells.
    fn remove_post(&mut self, before: &User, id: PostId) {
        if before.post(id).is_none() {
            return;
        }
        let key = Key { id, author: self.people.intern(&before.name) };
        self.timeline.remove(&key);
        self.unlimit(key);
        self.polls.close(key);
        if let Some(pictures) = before.pictures.get(&id) {
            self.pictures.hide(key, pictures);
        }
        let posts = &mut self.people.get_mut(key.author).posts;
        if let Ok(at) = posts.binary_search(&id) {
            posts.remove(at);
        }
        if let Some(parent) = before.reply_to(id) {
            let edge = self.edge(parent, key);
            self.replies.remove(&edge);
            self.unhush_reply(key);
        }
        self.relabel(key.author, &before.labels.of(id), &[]);
    }

    fn remove_user(&mut self, before: &User) {
        // From the end, so that nothing has to move up in the author's list.
        for post in before.posts.iter().rev() {
            self.remove_post(before, post.id);
        }
        self.unlimit_all(before);
        let id = self.people.intern(&before.name);
        self.replace_fans(id, before, &User::absent(before.name.clone()));
        self.replace_marks(id, before, &User::absent(before.name.clone()));
        self.replace_votes(id, before, &User::absent(before.name.clone()));
        self.replace_hushed(id, before, &User::absent(before.name.clone()));
        self.pictures.face(id, before.avatar.as_deref(), None);
        self.people.leave(id);
    }

    fn edge(&mut self, parent: &PostRef, child: Key) -> Edge {
        let Key { id: parent_id, author: parent_author } = self.interned(parent);
        Edge { parent_id, parent_author, child_id: child.id, child_author: child.author }
    }

    /// A post that somebody answers, likes or the like: it need not be known here yet.
    fn interned(&mut self, post: &PostRef) -> Key {
        Key { id: post.id, author: self.people.intern(&post.user) }
    }

    fn key(&self, post: &PostRef) -> Option<Key> {
        self.people.find(&post.user).map(|author| Key { id: post.id, author })
    }

    fn post_ref(&self, key: Key) -> PostRef {
        PostRef { user: self.people.get(key.author).name.clone(), id: key.id }
    }
}
