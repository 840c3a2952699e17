//! Everything that can stand in a user's file.

use serde::{Deserialize, Serialize};

use super::scope::Scopes;
use crate::clock::Wall;
use crate::id::{Hash128, PictureName, PostId, UserName};
use crate::json::tagged;

pub use super::aside::{Choices, Poll};
pub use super::audience::Audience;
pub use super::house::{House, Signup};

/// Names one post: its author and its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PostRef {
    /// Who wrote it.
    pub user: UserName,
    /// Its number.
    pub id: PostId,
}

/// A picture of a post, or beside a name. What it shows is in a file of its own, named by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// The picture.
    pub file: PictureName,
    /// The small one that stands in lists.
    pub thumb: PictureName,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Bytes of both files together.
    pub bytes: u64,
    /// What it shows, for whoever does not see it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Of a picture that an app sent before it was posted: by what number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_as: Option<PostId>,
}

impl Picture {
    /// The number by which apps know the picture that stands at `index` in this post.
    pub fn number(&self, post: PostId, index: usize) -> PostId {
        let beside = PostId::from_raw(post.get().saturating_add(1 + index as u64));
        self.sent_as.unwrap_or(beside)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
pub(crate) const fn is_not(is: &bool) -> bool {
    !*is
}

/// One change of one user, with its time. In the file `{"e":"posted","at":…,…}`.
///
/// Fields that this version does not know are kept, because lines are moved as bytes and never
/// written anew; a kind that it does not know makes the line unreadable to it, which is why new
/// kinds need every machine's consent first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Entry {
    /// The account was made.
    Joined {
        /// When.
        at: Wall,
    },
    /// The profile reads so from now on.
    Profile {
        /// When.
        at: Wall,
        /// The name shown, 1 to 40 characters.
        display_name: String,
        /// What the user says of themselves, up to 200 characters.
        bio: String,
        /// Whether only members see their posts.
        #[serde(default, skip_serializing_if = "is_not")]
        members_only: bool,
        /// For whom their posts are of which they do not say it; for fewer than everybody written from
        /// `features` 7 on.
        #[serde(default, skip_serializing_if = "Audience::is_everyone")]
        posts_for: Audience,
        /// The picture that stands beside the name, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        avatar: Option<Box<Picture>>,
    },
    /// The password is this one from now on.
    Password {
        /// When.
        at: Wall,
        /// A PHC string, Argon2id.
        hash: String,
        /// The link with which another one can be chosen, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reset: Option<Reset>,
    },
    /// Somebody signed in.
    SessionOpened {
        /// When.
        at: Wall,
        /// Which session.
        id: SessionId,
        /// What the browser calls itself, up to 200 characters.
        device: String,
        /// From which network address.
        address: String,
        /// Which app it is of, where it is not a browser's; written from `features` 3 on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<Box<App>>,
    },
    /// A session ended.
    SessionClosed {
        /// When.
        at: Wall,
        /// Which one.
        id: SessionId,
    },
    /// A post or a reply.
    Posted {
        /// When.
        at: Wall,
        /// Its number.
        id: PostId,
        /// Its text, 1 to 500 characters, line ends as `\n`.
        text: String,
        /// What it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<PostRef>,
        /// What its text is folded behind, 1 to 100 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// Its pictures, in their order; at most `limits::POST_PICTURES_MAX`. They stay when it is
        /// edited; what they are said to show may change.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pictures: Vec<Picture>,
        /// Whether its pictures are covered until somebody wants to see them. A note covers them by itself.
        #[serde(default, skip_serializing_if = "is_not")]
        sensitive: bool,
    },
    /// A post or a reply that is not for everybody, or not in every list: else as [`Self::Posted`]. A kind
    /// of its own, so that a program that knows nothing of audiences cannot take it for a post for all.
    PostedFor {
        /// When.
        at: Wall,
        /// Its number.
        id: PostId,
        /// Who may read it. It stays so.
        #[serde(rename = "for")]
        audience: Audience,
        /// Its text.
        text: String,
        /// What it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<PostRef>,
        /// What its text is folded behind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// Its pictures.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pictures: Vec<Picture>,
        /// The same as in [`Self::Posted`].
        #[serde(default, skip_serializing_if = "is_not")]
        sensitive: bool,
    },
    /// A post or a reply that asks something: else as [`Self::PostedFor`], for everybody as well. A kind of
    /// its own, so that no program shows a question that nobody can answer.
    PostedPoll {
        /// When.
        at: Wall,
        /// Its number.
        id: PostId,
        /// Who may read it. It stays so.
        #[serde(rename = "for", default, skip_serializing_if = "Audience::is_everyone")]
        audience: Audience,
        /// Its text; may be empty.
        text: String,
        /// What it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<PostRef>,
        /// What its text is folded behind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// What it asks. It stays so.
        poll: Poll,
        /// The same as in [`Self::Posted`].
        #[serde(default, skip_serializing_if = "is_not")]
        sensitive: bool,
    },
    /// A post reads so from now on; it stays where it is.
    PostEdited {
        /// When.
        at: Wall,
        /// Which one.
        id: PostId,
        /// Its text, as in [`Self::Posted`].
        text: String,
        /// What its text is folded behind, as in [`Self::Posted`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// Whether its pictures are covered from now on; absent where that stays as it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sensitive: Option<bool>,
        /// What its pictures are said to show from now on, of each and in their order; absent where that stays as
        /// it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        descriptions: Option<Vec<String>>,
    },
    /// A post was taken back.
    PostDeleted {
        /// When.
        at: Wall,
        /// Which one.
        id: PostId,
        /// Whether it was for few: to all others there never was one.
        #[serde(default, skip_serializing_if = "is_not")]
        few: bool,
    },
    /// A picture was sent that is in no post yet, or is said to show something else. A post that names
    /// it, another that is sent much later, or many of them, let it be forgotten.
    PictureSent {
        /// When.
        at: Wall,
        /// Its number.
        id: PostId,
        /// The picture; its own `sent_as` is empty.
        picture: Picture,
    },
    /// One of this user's posts stands first on their profile, and no other.
    Pinned {
        /// When.
        at: Wall,
        /// Which one.
        id: PostId,
    },
    /// None does any more.
    Unpinned {
        /// When.
        at: Wall,
    },
    /// This user likes a post.
    Liked {
        /// When.
        at: Wall,
        /// Which one.
        #[serde(flatten)]
        post: PostRef,
    },
    /// Not any more.
    Unliked {
        /// When.
        at: Wall,
        /// Which one.
        #[serde(flatten)]
        post: PostRef,
    },
    /// This user shows a post to those who follow them.
    Reposted {
        /// When.
        at: Wall,
        /// Which one.
        #[serde(flatten)]
        post: PostRef,
    },
    /// Not any more.
    Unreposted {
        /// When.
        at: Wall,
        /// Which one.
        #[serde(flatten)]
        post: PostRef,
    },
    /// This user keeps a post in a list of their own.
    Bookmarked {
        /// When.
        at: Wall,
        /// Which one.
        #[serde(flatten)]
        post: PostRef,
    },
    /// Not any more.
    Unbookmarked {
        /// When.
        at: Wall,
        /// Which one.
        #[serde(flatten)]
        post: PostRef,
    },
    /// This user answers what a post asks, for good.
    Voted {
        /// When.
        at: Wall,
        /// Which post.
        #[serde(flatten)]
        post: PostRef,
        /// What they choose.
        choices: Choices,
    },
    /// This user wants to hear nothing of a thread.
    ThreadMuted {
        /// When.
        at: Wall,
        /// What it begins with.
        #[serde(flatten)]
        post: PostRef,
    },
    /// They do again.
    ThreadUnmuted {
        /// When.
        at: Wall,
        /// What it begins with.
        #[serde(flatten)]
        post: PostRef,
    },
    /// This user follows another.
    Followed {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// This user no longer follows another.
    Unfollowed {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// This user wants to see nothing of another.
    Muted {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
        /// Until when, if not for good; written from `features` 7 on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Wall>,
    },
    /// Not any more.
    Unmuted {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// This user wants nothing to do with another, either way.
    Blocked {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// Not any more.
    Unblocked {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// That another follows this user, as that one stated up to then, counts for nothing from now on,
    /// whatever becomes of blocks; what they state later does.
    FollowerRemoved {
        /// When. Not before what it ends was stated, whatever the clocks of two machines said.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// The operator made this user a keeper.
    KeeperMade {
        /// When.
        at: Wall,
    },
    /// Not a keeper any more.
    KeeperEnded {
        /// When.
        at: Wall,
    },
    /// A keeper says how the community is kept from now on.
    CommunitySet {
        /// When.
        at: Wall,
        /// How.
        #[serde(flatten)]
        house: House,
    },
    /// This user made a code with which others may join.
    InvitationMade {
        /// When.
        at: Wall,
        /// Its hash.
        code: CodeHash,
        /// How many may join with it.
        uses: u32,
        /// Until when.
        until: Wall,
    },
    /// Nobody may join with it any more.
    InvitationEnded {
        /// When.
        at: Wall,
        /// Its hash.
        code: CodeHash,
    },
    /// Somebody was promised to join with it: written before they do, so that no use is promised twice.
    InvitationUsed {
        /// When.
        at: Wall,
        /// Its hash.
        code: CodeHash,
        /// Who.
        by: UserName,
    },
    /// With which code this user joined.
    JoinedWith {
        /// When.
        at: Wall,
        /// Its hash.
        code: CodeHash,
        /// Whose it is.
        inviter: UserName,
    },
    /// This user joined when new members needed a keeper's word.
    AskedIn {
        /// When.
        at: Wall,
    },
    /// This user finds that a keeper should look at a post.
    Reported {
        /// When.
        at: Wall,
        /// Who wrote it.
        user: UserName,
        /// Its number.
        id: PostId,
        /// Why.
        reason: String,
    },
    /// A keeper looked at all that was reported of a post so far.
    ReportClosed {
        /// When.
        at: Wall,
        /// Who wrote it.
        user: UserName,
        /// Its number.
        id: PostId,
    },
    /// A keeper wants another look at it.
    ReportReopened {
        /// When.
        at: Wall,
        /// Who wrote it.
        user: UserName,
        /// Its number.
        id: PostId,
    },
    /// A keeper hides a post from all but its author.
    PostHidden {
        /// When.
        at: Wall,
        /// Who wrote it.
        user: UserName,
        /// Its number.
        id: PostId,
        /// Why.
        reason: String,
    },
    /// A keeper hides it no longer.
    PostShown {
        /// When.
        at: Wall,
        /// Who wrote it.
        user: UserName,
        /// Its number.
        id: PostId,
    },
    /// A keeper lets a member write nothing for a while.
    MemberSuspended {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
        /// Until when; absent for until it is lifted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Wall>,
        /// Why.
        reason: String,
    },
    /// A keeper ends that.
    SuspensionLifted {
        /// When.
        at: Wall,
        /// Whose.
        user: UserName,
    },
    /// A keeper lets somebody in who asked.
    MemberAdmitted {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
    },
    /// A keeper does not let them in.
    MemberRefused {
        /// When.
        at: Wall,
        /// Whom.
        user: UserName,
        /// Why.
        reason: String,
    },
    /// A keeper takes back what was decided of them.
    MemberUndecided {
        /// When.
        at: Wall,
        /// Whose.
        user: UserName,
    },
    /// The account was deleted; nothing follows this entry.
    Left {
        /// When.
        at: Wall,
    },
}

tagged!(Entry, "e");

/// An app that acts for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// What it calls itself, up to `limits::APP_NAME_CHARS_MAX` characters.
    pub name: String,
    /// Its page; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub website: String,
    /// Which app it is: the first half of the SHA-256 of its `client_id`.
    pub client: Hash128,
    /// What it may do.
    pub scopes: Scopes,
    /// Where the session is only a code so far, with which the app may open one, once and within
    /// `limits::APP_CODE_MS`: what the app must know for that, its redirect address and challenge,
    /// hashed. Nobody may act under a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_for: Option<Hash128>,
    /// Which code the session came of, together with what the app had to know for it: half the SHA-256 of
    /// both, so that a code that is brought again ends what it gave. Earlier programs wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_of: Option<Hash128>,
}

/// The SHA-256 of an invitation's code, in 64 hexadecimal digits: the code itself is a secret, and long
/// enough that its hash gives nothing away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeHash(pub String);

/// A one-time link with which somebody who lost their password chooses another one. It ends with the
/// next `password`, whatever that says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// Which.
    pub link: LinkHash,
    /// Until when it holds.
    pub until: Wall,
}

/// The SHA-256 of a one-time link's secret, in 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkHash(pub String);

/// The SHA-256 of a session's token, in 64 hexadecimal digits: what the file keeps, so that a stolen
/// disk opens no session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub String);
