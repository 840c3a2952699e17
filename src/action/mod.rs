//! What a person may do. Pure: an action's handler looks at one user and says which entries would be
//! written, or why none.
//!
//! This file holds what comes in, as it was typed ([`Action`]). The backend prepares it outside the
//! lock (hashes passwords, looks up other people's posts) into a [`Change`]; under the lock
//! [`handle()`] judges that by the user as they are then. Nothing in here reads a file, asks a clock,
//! or knows of a second user.

mod about;
mod account;
mod apart;
pub mod api;
mod digest;
pub mod field;
mod follow;
mod handle;
mod house;
pub mod import;
mod keeping;
#[cfg(test)]
mod keeping_tests;
mod link;
mod listen;
mod mark;
mod picture;
mod poll;
mod post;
mod problem;
mod profile;
mod session;
#[cfg(test)]
mod tests;
mod thread;
pub mod upkeep;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::id::{PostId, UserName};
use crate::text::Tag;
use crate::user::entry::{Audience, PostRef, is_not};

pub use crate::id::{RequestKey, RequestKeyError};
pub use about::About;
pub use api::{AllowApp, ApiRead, NewsPart, PeopleList, RedeemCode, StatusList};
pub use handle::{ActionError, Avatar, Change, NewSession, Plan, Who, handle};
pub use house::{
    Cursor, EndInvitation, Invite, Keep, KeepersDeed, Members, Next, Report, SetHouse,
};
pub use keeping::{Admission, CursorError, SECRET_LETTERS, code_hash, spelt};
pub use link::{FirstKeeper, Founding, Link, OfferFirst, ResetPassword};
pub use listen::{Heard, HeardError, Listen, ListenTo};
pub use mark::{Mark, SetMark};
pub use picture::{
    AvatarWish, FaceOf, KeptPicture, NewPicture, OnePicture, PostedPicture, SendPicture, Sending,
};
pub use poll::{NewPoll, PostPoll, Vote};
pub use post::is_covered;
pub use problem::{Field, FieldProblem, Problem};
pub use session::came_of;
pub use thread::{ReplyPlace, ReplyPlaceError, ThreadOf};

/// Everything that can be asked of a backend, with its data. Passwords are here in clear; this type
/// has no way into a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Make an account and sign in.
    Join(Join),
    /// Sign in.
    Login(Login),
    /// Make the first keeper, by a one-time link.
    FirstKeeper(FirstKeeper),
    /// Choose another password, by a one-time link, and sign in.
    ResetPassword(ResetPassword),
    /// Let a link make the first keeper for a while, if there is none.
    OfferFirst(OfferFirst),
    /// Whether a one-time link still opens anything.
    OpenLink(Link),
    /// End this session.
    Logout(Keyed),
    /// Whether the session is open.
    CheckSession,
    /// Write a post, or a reply.
    Post(NewPost),
    /// The same, not for everybody. An action of its own: a backend of an earlier version refuses it, where it
    /// would show a post to all whose audience it does not know of.
    PostFor(PostFor),
    /// The same, asking something. An action of its own: a backend of an earlier version refuses it, where it
    /// would post a question without what can be chosen.
    PostPoll(PostPoll),
    /// Answer what a post asks.
    Vote(Vote),
    /// Keep a picture that is to be posted. It bears no key: the same bytes are the same picture.
    KeepPicture(NewPicture),
    /// As an app, have a number for a picture that is to be posted, or say anew what it shows.
    SendPicture(SendPicture),
    /// Change the text of a post of one's own.
    EditPost(EditPost),
    /// Like, repost, bookmark or pin a post or mute its thread, or no longer.
    Mark(SetMark),
    /// Take back a post of one's own.
    DeletePost(OnePost),
    /// Follow somebody.
    Follow(Whom),
    /// Follow somebody no longer.
    Unfollow(Whom),
    /// See nothing of somebody from now on.
    Mute(Whom),
    /// The same for a while. An action of its own: a backend of an earlier version refuses it, where it would
    /// mute for good.
    MuteFor(MuteFor),
    /// Not any more.
    Unmute(Whom),
    /// Have nothing to do with somebody from now on, either way.
    Block(Whom),
    /// Not any more.
    Unblock(Whom),
    /// Be followed by somebody no longer, unless they follow anew.
    RemoveFollower(Whom),
    /// Change display name and bio.
    EditProfile(EditProfile),
    /// Change the password; ends all other sessions and renews this one.
    ChangePassword(ChangePassword),
    /// End one of one's sessions.
    EndSession(EndSession),
    /// End all of one's sessions but this one.
    EndOtherSessions(Keyed),
    /// Tell the keepers of a post.
    Report(Report),
    /// Make a code with which others may join.
    Invite(Invite),
    /// Let nobody join with it any more.
    EndInvitation(EndInvitation),
    /// Do what keepers do.
    Keep(Keep),
    /// Say how the community is kept.
    SetHouse(SetHouse),
    /// Delete the account.
    DeleteAccount(DeleteAccount),
    /// Posts of those one follows, and one's own.
    Home(Page),
    /// Everybody's posts.
    Everyone(Page),
    /// One user and their posts.
    Profile(PageOf),
    /// One user's posts alone.
    UserPosts(PageOf),
    /// The posts that one has bookmarked.
    Bookmarks(Page),
    /// A picture's file, which comes beside the answer.
    Picture(OnePicture),
    /// The small picture beside a member's name; its file comes beside the answer.
    Face(FaceOf),
    /// A post with its earlier texts.
    History(HistoryOf),
    /// A post with its thread.
    Thread(ThreadOf),
    /// Who follows somebody.
    Followers(PeopleOf),
    /// Whom somebody follows.
    Following(PeopleOf),
    /// Posts that name one, and who began to follow one.
    News(Page),
    /// Posts that bear a tag.
    Tagged(TaggedBy),
    /// What happened since one last asked.
    Listen(Listen),
    /// People and posts that a search finds.
    Search(Search),
    /// Whom one mutes or blocks.
    KeptApart(After),
    /// All that one has written here, part by part.
    Export(ExportFrom),
    /// Where one is signed in.
    Sessions,
    /// What strangers are shown first.
    Welcome,
    /// One's own invitations.
    Invitations,
    /// For keepers: what was reported.
    Reports(Next),
    /// For keepers: who waits to be let in.
    AskingIn(After),
    /// For keepers: members, by name.
    Members(Members),
    /// What keepers did.
    KeepersLog(Next),
    /// For keepers: how the community is kept.
    House,
    /// Let an app act in one's name.
    AllowApp(AllowApp),
    /// As an app, take the code that one was given for a session.
    RedeemCode(RedeemCode),
    /// What an app wants to know.
    Api(ApiRead),
    /// How the machines are.
    ClusterStatus,
}

/// Data of [`Action::Join`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The form's key.
    pub key: RequestKey,
    /// As typed.
    pub username: String,
    /// As typed; empty means the user name.
    #[serde(default)]
    pub display_name: String,
    /// As typed.
    pub password: String,
    /// An invitation's code, as typed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// The session to open.
    pub opening: Opening,
}

/// Data of [`Action::Login`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The form's key.
    pub key: RequestKey,
    /// As typed.
    pub username: String,
    /// As typed.
    pub password: String,
    /// The session to open.
    pub opening: Opening,
}

/// A session to open, as the web server prepared it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Its token, fresh from the system's generator: 32 bytes, base64url without padding.
    pub token: String,
    /// What the browser calls itself; cut to `limits::DEVICE_CHARS_MAX`.
    pub device: String,
    /// The browser's network address.
    pub address: String,
}

/// Data of an action that needs none but its key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyed {
    /// The form's key.
    pub key: RequestKey,
}

/// Data of [`Action::Post`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPost {
    /// The form's key.
    pub key: RequestKey,
    /// As typed.
    pub text: String,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<PostRef>,
    /// What its text is folded behind, as typed; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Its pictures, which were kept before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<PostedPicture>,
    /// More of them, which an app sent before, by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<PostId>,
    /// Whether they are covered until somebody wants to see them.
    #[serde(default, skip_serializing_if = "is_not")]
    pub sensitive: bool,
    /// Whether its author says that it is for everybody. If not, what [`Action::Post`] writes, and a poll for
    /// everybody, is for whom their posts are unless they say otherwise: so it is where a program asks that
    /// knows nothing of this, too.
    #[serde(default, skip_serializing_if = "is_not")]
    pub for_everybody: bool,
}

/// Data of [`Action::PostFor`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostFor {
    /// Who may read it.
    pub audience: Audience,
    /// The rest.
    pub post: NewPost,
}

impl Action {
    /// The post that it writes, who may read that, if its author says it, and what it asks.
    pub fn written(&self) -> Option<(Option<Audience>, &NewPost, Option<&NewPoll>)> {
        let (audience, post, poll) = match self {
            Self::Post(post) => (Audience::Everyone, post, None),
            Self::PostFor(PostFor { audience, post }) => (*audience, post, None),
            Self::PostPoll(PostPoll { audience, post, poll }) => (*audience, post, Some(poll)),
            _ => return None,
        };
        let is_said = post.for_everybody || !audience.is_everyone();
        Some((is_said.then_some(audience), post, poll))
    }
}

impl NewPost {
    /// What is asked of a backend: to write this for those, or for whom its author's posts are unless they
    /// say otherwise, and to ask that.
    pub fn action(self, audience: Option<Audience>, poll: Option<NewPoll>) -> Action {
        let for_everybody = audience == Some(Audience::Everyone);
        let (audience, post) = (audience.unwrap_or_default(), Self { for_everybody, ..self });
        match poll {
            Some(poll) => Action::PostPoll(PostPoll { audience, post, poll }),
            None if audience.is_everyone() => Action::Post(post),
            None => Action::PostFor(PostFor { audience, post }),
        }
    }
}

/// Data of [`Action::EditPost`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditPost {
    /// The form's key.
    pub key: RequestKey,
    /// Which.
    pub id: PostId,
    /// The new text, as typed.
    pub text: String,
    /// What it is folded behind, as typed; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Whether its pictures are covered from now on, if that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<bool>,
    /// What each of its pictures shows, in their order, as typed, if that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptions: Option<Vec<String>>,
}

/// Data of [`Action::DeletePost`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnePost {
    /// The form's key.
    pub key: RequestKey,
    /// Which.
    pub id: PostId,
}

/// Data of [`Action::Follow`], [`Action::Mute`], [`Action::Block`] and their contraries.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whom {
    /// The form's key.
    pub key: RequestKey,
    /// Whom.
    pub username: UserName,
}

/// Data of [`Action::MuteFor`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MuteFor {
    /// The form's key.
    pub key: RequestKey,
    /// Whom.
    pub username: UserName,
    /// For how many seconds; at most `limits::MUTE_S_MAX`.
    pub lasts_s: u32,
}

/// Data of [`Action::EditProfile`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditProfile {
    /// The form's key.
    pub key: RequestKey,
    /// As typed; empty means the user name.
    pub display_name: String,
    /// As typed.
    pub bio: String,
    /// Whether only members see their posts.
    #[serde(default, skip_serializing_if = "is_not")]
    pub members_only: bool,
    /// For whom their posts are from now on of which they do not say it; one of [`Audience::USUAL`], or nothing
    /// where that stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts_for: Option<Audience>,
    /// What becomes of the picture beside the name.
    #[serde(default, skip_serializing_if = "AvatarWish::is_keep")]
    pub avatar: AvatarWish,
    /// What of it stays as it is then.
    #[serde(default, skip_serializing_if = "Untouched::is_nothing")]
    pub untouched: Untouched,
}

/// What of a profile somebody has not said anything about: it stays as it is when the change is made,
/// whatever was said for it. An older program takes what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Untouched {
    /// The display name.
    pub display_name: bool,
    /// What they say of themselves.
    pub bio: bool,
    /// Whether only members see their posts.
    pub members_only: bool,
}

impl Untouched {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Data of [`Action::ChangePassword`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePassword {
    /// The form's key.
    pub key: RequestKey,
    /// The password so far, as typed.
    pub current: String,
    /// The new one, as typed.
    pub new: String,
    /// The session that takes this one's place.
    pub opening: Opening,
}

/// Data of [`Action::EndSession`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndSession {
    /// The form's key.
    pub key: RequestKey,
    /// Which: a `SessionRow::id`.
    pub id: String,
}

/// Data of [`Action::DeleteAccount`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteAccount {
    /// The form's key.
    pub key: RequestKey,
    /// One's own name, typed again.
    pub username: String,
    /// The password, typed again.
    pub password: String,
}

/// Data of the lists of posts.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Page {
    /// Only posts older than this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<PostId>,
    /// The post that was just made, to be told how far it has spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted: Option<PostId>,
}

/// Data of [`Action::Profile`] and [`Action::UserPosts`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageOf {
    /// Whose.
    pub username: UserName,
    /// Only posts older than this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<PostId>,
}

/// Data of [`Action::Tagged`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaggedBy {
    /// Which.
    pub tag: Tag,
    /// Only posts older than this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<PostId>,
}

/// Data of [`Action::Search`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// As typed.
    pub query: String,
    /// Only posts older than this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<PostId>,
    /// The browser's network address: by it strangers' searches are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

/// Data of [`Action::History`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryOf {
    /// The post.
    pub post: PostRef,
}

/// Data of [`Action::Followers`] and [`Action::Following`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleOf {
    /// Whose.
    pub username: UserName,
    /// Only names after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<UserName>,
}

/// Data of a list of people that is about nobody but the one who asks.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct After {
    /// Only names after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<UserName>,
}

/// Data of [`Action::Export`]; the default is the beginning of all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExportFrom {
    /// In which list.
    pub list: ExportList,
    /// Only what comes after this post in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PostRef>,
}

/// The long lists of what a member takes along, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportList {
    /// Their posts, oldest first.
    #[default]
    Posts,
    /// Posts that they like, by their authors' names.
    Likes,
    /// Posts that they reposted, by their authors' names.
    Reposts,
    /// Posts that they bookmarked, by their authors' names.
    Bookmarks,
}

impl ExportList {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Posts, Self::Likes, Self::Reposts, Self::Bookmarks];

    /// Its name in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Posts => "posts",
            Self::Likes => "likes",
            Self::Reposts => "reposts",
            Self::Bookmarks => "bookmarks",
        }
    }

    /// The list after it.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Posts => Some(Self::Likes),
            Self::Likes => Some(Self::Reposts),
            Self::Reposts => Some(Self::Bookmarks),
            Self::Bookmarks => None,
        }
    }
}
