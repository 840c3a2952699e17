//! What a machine holds in memory about one user: everything but the texts, which stay in the file.
//!
//! Pure: no file, no clock, no thread. A `User` changes through [`User::apply`] alone, on the machine
//! that coordinated the write, on those that received it and at start, so that all agree.
//!
//! Invariants:
//! - `posts` and `deleted` are sorted by id, without repetition, and share no id; `post_id_max` is not
//!   below any of them;
//! - `labels` is what `text::labels` finds in the posts that stand;
//! - only posts that stand are in `replies`, which is sorted, `edits`, `audiences`, `pictures` or `pinned`;
//! - `audiences` does not hold what is for everybody;
//! - `requests` holds the last `limits::REQUESTS_KEPT` at most; `ops` counts all ever and never falls;
//! - once `Left`, nothing but the name, the time, the count of requests and the last of them remains.

mod apply;
pub mod aside;
mod audience;
pub mod entry;
pub mod fold;
mod house;
pub mod keeping;
mod labels;
mod request;
pub mod room;
pub mod scope;
pub mod sent;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{
    APP_CODE_MS, LAST_POSTS_LOOKED_AT, PASSWORD_FRESH_MS, SESSION_DAYS_MAX, USER_FILE_BYTES_MAX,
};
use aside::Aside;
use entry::{App, Audience, LinkHash, Picture, PostRef, Reset, SessionId};
use keeping::Keeping;
use sent::Sent;

pub use labels::PostLabels;
pub use request::{OtherAct, Receipt, ReceiptError, Recorded, Requests, Seen};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Where an entry's JSON stands in the user's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// Bytes from the file's start.
    pub offset: u64,
    /// Bytes of the entry.
    pub len: u32,
}

/// One user as their file tells.
#[derive(Debug, Clone)]
pub struct User {
    /// Whose file.
    pub name: UserName,
    /// Whether there is an account.
    pub status: Status,
    /// When the account was made; the epoch while there is none.
    pub joined_at: Wall,
    /// The name shown.
    pub display_name: String,
    /// What the user says of themselves.
    pub bio: String,
    /// Whether only members see their posts.
    pub members_only: bool,
    /// For whom their posts are of which they do not say it. Nobody else is told.
    pub posts_for: Audience,
    /// The picture that stands beside the name.
    pub avatar: Option<Box<Picture>>,
    /// The password's PHC string.
    pub password: String,
    /// The link with which another one can be chosen.
    pub reset: Option<Box<Reset>>,
    /// Sessions that nobody has ended, oldest first.
    pub sessions: Vec<Session>,
    /// Whom this user follows, and since when.
    pub follows: BTreeMap<UserName, Wall>,
    /// Whose posts this user does not want to see, and until when, if not for good.
    pub mutes: BTreeMap<UserName, Option<Wall>>,
    /// Whom this user wants nothing to do with.
    pub blocks: BTreeSet<UserName>,
    /// Whether they joined when new members needed a keeper's word.
    pub has_asked_in: bool,
    /// Who invited them.
    pub inviter: Option<UserName>,
    /// What they have to do with the community; most people nothing.
    pub keeping: Option<Box<Keeping>>,
    /// The posts that still stand, by id.
    pub posts: Vec<Post>,
    /// Those of them that answer something, by id, and what. Beside them, because most do not.
    pub replies: Vec<(PostId, PostRef)>,
    /// The names and tags in the posts that stand. From the texts, which are not here.
    pub labels: PostLabels,
    /// The numbers of the posts that were taken back, as far as the file still tells: enough to say
    /// "deleted" and not "never was".
    pub deleted: Vec<PostId>,
    /// Of posts that were edited, what they said before.
    pub edits: BTreeMap<PostId, Edits>,
    /// Who may read a post, of those that are not for everybody.
    pub audiences: BTreeMap<PostId, Audience>,
    /// The pictures of posts that stand and have any.
    pub pictures: BTreeMap<PostId, Arc<[Picture]>>,
    /// Pictures that an app sent and has not posted.
    pub sent: Sent<Picture>,
    /// The post that stands first on the profile.
    pub pinned: Option<PostId>,
    /// The posts that this user likes, and since when.
    pub likes: BTreeMap<PostRef, Wall>,
    /// The posts that this user shows to those who follow them, and since when.
    pub reposts: BTreeMap<PostRef, Wall>,
    /// The posts that this user keeps in a list of their own, and since when.
    pub bookmarks: BTreeMap<PostRef, Wall>,
    /// What most people have none of.
    pub aside: Option<Box<Aside>>,
    /// The highest post id ever given here, deleted posts included.
    pub post_id_max: Option<PostId>,
    /// How many requests were ever recorded.
    pub ops: u64,
    /// The last of them with what they got.
    pub requests: Requests,
}

/// Whether a name has an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody has taken this name.
    Absent,
    /// An account.
    Active,
    /// An account that was deleted at this time.
    Left(Wall),
}

/// Whether what lasts until then, or for good, is not over.
pub fn is_ahead(until: Option<Wall>, now: Wall) -> bool {
    until.is_none_or(|until| now < until)
}

/// A place where the user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The hash of its token.
    pub id: SessionId,
    /// Since when.
    pub opened_at: Wall,
    /// What the browser called itself.
    pub device: String,
    /// The network address it came from.
    pub address: String,
    /// Which app it is of; none where it is a browser's.
    pub app: Option<Box<App>>,
}

/// What a post said before it was edited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edits {
    /// Since when it says what it says.
    pub last_at: Wall,
    /// Where its earlier texts stand, oldest first.
    pub earlier: Vec<Place>,
}

/// A post without its text: 16 bytes, because a million of them must fit a Raspberry Pi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Post {
    /// Its number.
    pub id: PostId,
    offset: u32,
    len: u32,
}

const _: () = assert!(size_of::<Post>() == 16);
const _: () = assert!(USER_FILE_BYTES_MAX <= u32::MAX as usize);

impl Post {
    /// A post whose entry stands at `place`.
    ///
    /// # Panics
    /// When the place lies beyond [`USER_FILE_BYTES_MAX`]: no file is that long.
    pub fn new(id: PostId, place: Place) -> Self {
        let mut post = Self { id, offset: 0, len: 0 };
        post.put(place);
        post
    }

    /// From now on its text is that of the entry at `place`.
    #[expect(clippy::expect_used, reason = "files end far below 4 GiB, by USER_FILE_BYTES_MAX")]
    fn put(&mut self, place: Place) {
        self.offset = u32::try_from(place.offset).expect("an offset beyond any user's file");
        self.len = place.len;
    }

    /// Where the entry with its text stands in the file.
    pub const fn place(&self) -> Place {
        Place { offset: self.offset as u64, len: self.len }
    }
}

impl User {
    /// The post of that number, if it still stands.
    pub fn post(&self, id: PostId) -> Option<&Post> {
        self.posts.binary_search_by_key(&id, |post| post.id).ok().and_then(|at| self.posts.get(at))
    }

    /// What the post of that number answers, if it answers something.
    pub fn reply_to(&self, id: PostId) -> Option<&PostRef> {
        let at = self.replies.binary_search_by_key(&id, |(reply, _)| *reply).ok()?;
        self.replies.get(at).map(|(_, to)| to)
    }

    /// Who may read the post of that number.
    pub fn audience(&self, id: PostId) -> Audience {
        self.audiences.get(&id).copied().unwrap_or_default()
    }

    /// The last of the posts that are not kept from anybody, as far as it is among the last of all.
    pub fn last_post_for_all(&self) -> Option<PostId> {
        let ids = self.posts.iter().rev().map(|post| post.id);
        ids.take(LAST_POSTS_LOOKED_AT).find(|id| !self.audience(*id).is_few())
    }

    /// Whether the post of that number was taken back, as far as the file still tells.
    pub fn has_deleted(&self, id: PostId) -> bool {
        self.deleted.binary_search(&id).is_ok()
    }

    /// All pictures of theirs.
    pub fn all_pictures(&self) -> impl Iterator<Item = &Picture> {
        let of_posts = self.pictures.values().flat_map(|pictures| pictures.iter());
        of_posts.chain(self.avatar.as_deref())
    }

    /// How many these are.
    pub fn picture_count(&self) -> usize {
        self.all_pictures().count()
    }

    /// Bytes of all these.
    pub fn picture_bytes(&self) -> u64 {
        self.all_pictures().fold(0, |sum: u64, picture| sum.saturating_add(picture.bytes))
    }

    /// Those whom they mute at `now`, after `after`, by name.
    pub fn muted_after(
        &self,
        after: Option<&UserName>,
        now: Wall,
    ) -> impl Iterator<Item = &UserName> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mutes = self.mutes.range::<UserName, _>((from, Bound::Unbounded));
        mutes.filter(move |(_, until)| is_ahead(**until, now)).map(|(name, _)| name)
    }

    /// Whether they are a keeper of the community.
    pub fn is_keeper(&self) -> bool {
        self.keeping.as_ref().is_some_and(|keeping| keeping.is_keeper)
    }

    /// Whether this link lets them choose another password at `now`.
    pub fn has_reset(&self, link: &LinkHash, now: Wall) -> bool {
        let holds = |reset: &Reset| reset.link == *link && now < reset.until;
        self.status == Status::Active && self.reset.as_deref().is_some_and(holds)
    }

    /// The session of that id, whatever its age, unless it was ended.
    pub fn session(&self, id: &SessionId) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == *id)
    }

    /// The session of that id if one may act under it at `now`.
    pub fn open_session(&self, id: &SessionId, now: Wall) -> Option<&Session> {
        self.session(id).filter(|session| session.is_open(now))
    }
}

impl Session {
    /// Whether the password was given so short a while ago that it need not be asked for again.
    pub const fn is_fresh(&self, now: Wall) -> bool {
        now.0.saturating_sub(self.opened_at.0) < PASSWORD_FRESH_MS
    }

    /// Whether it is young enough to act under. A clock that went back makes it younger, never older.
    /// An app's does not age: apps cannot ask for a new one. Under a code nobody acts.
    pub fn is_open(&self, now: Wall) -> bool {
        self.is_alive(now) && self.app.as_ref().is_none_or(|app| app.code_for.is_none())
    }

    /// Whether it is open, or a code that can still become a session.
    pub fn is_alive(&self, now: Wall) -> bool {
        let age_ms = now.0.saturating_sub(self.opened_at.0);
        match &self.app {
            None => age_ms < SESSION_DAYS_MAX * DAY_MS,
            Some(app) => app.code_for.is_none() || age_ms < APP_CODE_MS,
        }
    }
}
