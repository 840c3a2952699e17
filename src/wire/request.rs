//! What a web server asks a backend, and what it hears: a session, an action and its data, both
//! ways, as one JSON object a frame.
//!
//! ```json
//! {"session":"ada.TOKEN@1.4.2.1.7","action":"post","data":{"key":"12.5f…","text":"Hello"}}
//! {"session":"ada.TOKEN@1.4.2.1.8","action":"response","data":{"cluster":{…},"saved":{…}}}
//! ```
//! The session is `NAME.TOKEN`, and after `@` the version of the user's file that this person saw
//! last, so that they never see an older one: a backend that is behind catches up first.

use serde::{Deserialize, Serialize};

use crate::action::{Action, KeptPicture};
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::json::tagged;
use crate::text::Tag;
use crate::user::entry::{App, Audience, House, Picture, PostRef, is_not};

pub use super::api::{
    AccountPage, AccountView, ApiReply, CommunityView, NewsReply, NewsView, NewsWhat, RelationView,
    StatusView, Statuses,
};
pub use super::export::{
    ExportMark, ExportPage, ExportPost, ExportProfile, ExportText, ExportVote,
};
pub use super::house::{
    Apart, ApartRow, Hindered, InvitationRow, Invitations, KeptApart, LogPage, LogRow, MemberRow,
    MembersPage, ReportRow, ReportedPost, ReportsPage, Welcome,
};
pub use super::listen::{HeardEvent, HeardPage};
pub use super::poll::{OptionView, PollView};
pub use super::status::{ChangeKind, ChangeRow, MachineRow, MachineState, NotVoting, StatusPage};
pub use crate::action::{Field, FieldProblem};
pub use crate::user::scope::{Need, SCOPES, ScopeError, Scopes};

/// One request. Not printable: it may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks: absent for strangers.
    pub session: Option<String>,
    /// Up to which place this person's device has shown what concerns them.
    pub read_to: Option<PostId>,
    /// Where an app asks: what it must be allowed for that. An app's session is good for nothing else,
    /// and a browser's not for this.
    pub need: Option<Need>,
    /// What is asked, with its data.
    pub action: Action,
}

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The session to go on with (its version moved on, or a new one); absent for strangers and
    /// when the session that was sent is not, or no longer, open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Always [`ResponseAction::Response`].
    pub action: ResponseAction,
    /// The answer.
    pub data: Reply,
}

/// The one action of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseAction {
    /// An answer.
    Response,
}

/// What every answer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// Who is signed in by the request's session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
    /// How the machines are, for the page's header.
    pub cluster: ClusterBrief,
    /// What was asked for.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// Their name.
    pub username: UserName,
    /// The name shown.
    pub display_name: String,
    /// How many requests their file ever recorded: forms' one-time keys derive from it.
    pub ops: u64,
    /// How many posts of others name them, and how many began to follow them, since what their device
    /// has shown, and where an app asks how many like or reposted a post of theirs; counted up to
    /// `limits::NEWS_COUNTED_MAX`.
    #[serde(default)]
    pub news: u32,
    /// Whether they are a keeper of the community.
    #[serde(default, skip_serializing_if = "is_not")]
    pub is_keeper: bool,
    /// For whom their posts are of which they do not say it.
    #[serde(default, skip_serializing_if = "Audience::is_everyone")]
    pub posts_for: Audience,
    /// What keeps them from writing, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hindered: Option<Hindered>,
    /// Where an app asks: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<Box<App>>,
    /// Where it was asked whose session it is: seconds until they may send another picture, if they sent as
    /// many as they may. Nothing from an older backend, which says so when it gets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures_in_s: Option<u32>,
}

/// The machines in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct ClusterBrief {
    /// One for each machine of the cluster, by number.
    pub machines: Vec<MachineState>,
    /// How old this machine's copy is, where it may be old: it is not in touch with a majority, or has lacked for
    /// a while what they hold, as where its disk is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_since: Option<Wall>,
    /// Whether nobody can join by themselves, as far as that machine knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_closed: bool,
    /// The answering machine's name.
    pub answered_by: String,
}

/// The answer proper: exactly one of these keys stands in the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A write that a majority holds.
    Saved(Saved),
    /// A list of posts.
    Posts(PostPage),
    /// One user, with a page of their posts.
    Profile(ProfilePage),
    /// One post with its earlier texts.
    History(HistoryPage),
    /// One post among what it answers and what answers it.
    Thread(ThreadPage),
    /// A list of people.
    People(PeoplePage),
    /// What concerns the user.
    News(NewsPage),
    /// What a search found.
    Found(FoundPage),
    /// What happened.
    Heard(HeardPage),
    /// Whom the one who asks mutes or blocks.
    KeptApart(KeptApart),
    /// A part of what the user takes along.
    Export(ExportPage),
    /// Where the user is signed in.
    Sessions(Vec<SessionRow>),
    /// Answer to a session check: `Reply::viewer` tells.
    Checked,
    /// The machines at length.
    Status(StatusPage),
    /// What strangers are shown first.
    Welcome(Welcome),
    /// One's own invitations.
    Invitations(Invitations),
    /// What was reported.
    Reports(ReportsPage),
    /// Members, or people who wait to be let in.
    Members(MembersPage),
    /// What keepers did.
    KeepersLog(LogPage),
    /// How the community is kept.
    House(House),
    /// What an app wanted to know.
    Api(Box<ApiReply>),
    /// A picture that a majority keeps.
    PictureKept,
    /// A picture, whose file comes beside the answer.
    Picture,
    /// It was not done, and why.
    Refused(Refusal),
}

/// A write that was done, now or at an earlier sending of the same request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The number of the post it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<PostId>,
    /// How many other sessions it ended.
    #[serde(default)]
    pub sessions_ended: u32,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Refusal {
    /// Fields that cannot be taken as they are.
    Invalid {
        /// Each with its field.
        problems: Vec<FieldProblem>,
    },
    /// No session, or one that has ended.
    SignedOut,
    /// Name and password do not match (or there is no such name: the same answer).
    BadLogin,
    /// The app may not do that.
    Scope,
    /// Nothing of that name or number.
    NotFound,
    /// There was, and it was deleted.
    Gone,
    /// One of the two blocks the other.
    Blocked,
    /// Nobody can join just now.
    Closed,
    /// Something keeps the one who asks from it.
    Hindered(Hindered),
    /// A keeper does not leave before they are none.
    Keeper,
    /// Another act was sent under this request's key.
    Conflict,
    /// The key is too old to tell whether the act was done.
    Expired,
    /// It takes what not all machines' programs know yet; nothing was saved.
    NotYet,
    /// The user's file has reached its limit; nothing was saved.
    Full,
    /// The machines' disks are full; nothing was saved.
    NoSpace,
    /// Too often; try again after so many seconds.
    TooMany {
        /// Seconds.
        retry_after_s: u32,
    },
    /// Too busy just now; nothing was done; try again after so many seconds.
    Busy {
        /// Seconds.
        retry_after_s: u32,
    },
    /// This machine's copy of the asker's file is older than what they have seen, and it could not be
    /// brought up to date just now; nothing was done. Another machine may do better.
    Behind,
    /// Nothing was saved: no majority can be reached.
    NoMajority {
        /// Machines that can be reached, the answering one included.
        reachable: u8,
        /// Machines in all.
        members: u8,
        /// Machines that must agree.
        needed: u8,
    },
    /// Nobody knows yet whether it was saved: asked, no answer in time.
    Unknown,
    /// The request made no sense: an unknown action, data of the wrong shape.
    BadRequest {
        /// What was wrong, for a developer's eyes.
        detail: String,
    },
}

tagged!(Refusal, "why");

/// A post as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostView {
    /// Its number.
    pub id: PostId,
    /// Who wrote it.
    pub author: Person,
    /// When.
    pub at: Wall,
    /// Its text.
    pub text: String,
    /// What its text is folded behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was last edited, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Wall>,
    /// Who reposted it, where it stands in a list because of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reposted_by: Option<Person>,
    /// What the one who asks has done with it.
    #[serde(default, skip_serializing_if = "Mine::is_nothing")]
    pub mine: Mine,
    /// Who likes it, told to its author where they open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liked_by: Option<LikedBy>,
    /// Who may read it.
    #[serde(default, skip_serializing_if = "Audience::is_everyone")]
    pub audience: Audience,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<PostRef>,
    /// Its pictures, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Picture>,
    /// Whether they are covered until somebody wants to see them, but for what a note covers.
    #[serde(default, skip_serializing_if = "is_not")]
    pub sensitive: bool,
    /// What it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Box<PollView>>,
    /// How many replies it has that still stand.
    pub replies: u32,
    /// Those names among the `@names` of the text that have an account, to be linked.
    pub mentions: Vec<UserName>,
    /// A keeper has hidden it: why, as far as that is the asker's to know. All but its author get no
    /// text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<String>,
}

/// What somebody has done with a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "marks that are independent of each other")]
pub struct Mine {
    /// They like it.
    pub liked: bool,
    /// They reposted it.
    pub reposted: bool,
    /// They bookmarked it.
    pub bookmarked: bool,
    /// It is theirs and stands first on their profile.
    pub pinned: bool,
    /// They want to be told nothing of its thread.
    pub muted_thread: bool,
}

impl Mine {
    /// Whether nothing was done with it.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Who likes a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LikedBy {
    /// At most `limits::LIKERS_NAMED` of them.
    pub people: Vec<Person>,
    /// How many more.
    pub more: u32,
}

/// Who somebody is, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The user name.
    pub username: UserName,
    /// The name shown.
    pub display_name: String,
    /// The picture beside it, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<Box<KeptPicture>>,
}

/// Posts, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostPage {
    /// At most `limits::POSTS_PAGE`.
    pub posts: Vec<PostView>,
    /// Where the next older page begins, if there is one: `before` of the next request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<PostId>,
    /// Where a home page is empty: up to 5 active members to follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<PersonRow>,
    /// The post that was just made, and how many machines hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub just_posted: Option<Kept>,
}

/// How far a write has spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The post.
    pub post: PostId,
    /// Machines that hold it.
    pub on: u8,
    /// Machines in all.
    pub of: u8,
}

/// A user and a page of their posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfilePage {
    /// Who.
    pub person: Person,
    /// What they say of themselves.
    pub bio: String,
    /// Since when.
    pub joined_at: Wall,
    /// How many follow them.
    pub followers: u32,
    /// How many they follow.
    pub following: u32,
    /// Posts that still stand, of those that the one who asks may read.
    pub posts_count: u32,
    /// Whether only members see them.
    #[serde(default, skip_serializing_if = "is_not")]
    pub members_only: bool,
    /// Whether the one who asks follows them; absent for strangers and oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<bool>,
    /// What stands between them and the one who asks; absent if nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<Apart>,
    /// What keeps them from writing, if that is everybody's to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hindered: Option<Hindered>,
    /// The post that stands first, whatever the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<PostView>,
    /// The page of posts.
    pub page: PostPage,
}

/// A post and all that it ever said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The post.
    pub post: PostView,
    /// From the first text to the present one.
    pub texts: Vec<TextView>,
}

/// What a post said from a certain time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextView {
    /// Since when.
    pub at: Wall,
    /// The text.
    pub text: String,
    /// What it was folded behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Those names among the `@names` of the text that have an account.
    pub mentions: Vec<UserName>,
}

/// A post, what it answers and what answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadPage {
    /// From the root down to what the post answers, at most `limits::ANCESTORS_SHOWN`.
    pub ancestors: Vec<Ancestor>,
    /// The post.
    pub post: PostView,
    /// What answers it, at any depth, oldest first within each; as many as were asked for, and at most
    /// `limits::REPLIES_TOLD_MAX`.
    pub replies: Vec<ReplyView>,
    /// Whether there are replies beyond those shown.
    pub more_replies: bool,
    /// The reply that the one who asks just made, if it is not among those shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Box<ReplyView>>,
    /// The post, and how many machines hold it, when the one who asks just made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub just_posted: Option<Kept>,
}

/// A post above another in its thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "most are posts, and a thread has a few")]
pub enum Ancestor {
    /// It stands.
    Post(PostView),
    /// It was deleted, or its author has left.
    Deleted(PostRef),
    /// It stands, and is not for the eyes of the one who asks.
    Unseen(PostRef),
}

/// A reply in a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyView {
    /// The reply.
    pub post: PostView,
    /// 1 for a reply to the opened post, 2 for a reply to that, and so on.
    pub depth: u32,
    /// Whether it answers what the one who asks is not shown, and no reply before it says so.
    #[serde(default, skip_serializing_if = "is_not")]
    pub is_below_unseen: bool,
}

/// People, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeoplePage {
    /// Whose followers, or followings.
    pub of: Person,
    /// At most `limits::PEOPLE_PAGE`.
    pub people: Vec<PersonRow>,
    /// The last name of this page, if more follow: `after` of the next request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_after: Option<UserName>,
}

/// What concerns the user, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewsPage {
    /// At most `limits::POSTS_PAGE`, and those of the same moment as the last.
    pub news: Vec<NewsRow>,
    /// Where the next older page begins, if there is one: `before` of the next request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<PostId>,
    /// What lies above is new: the request's `read_to`, or where the session began.
    pub read_to: PostId,
}

/// Something that concerns the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewsRow {
    /// A post that names them.
    Named(Box<PostView>),
    /// Somebody follows them.
    Followed {
        /// Who.
        person: Person,
        /// Since when.
        at: Wall,
    },
}

impl NewsRow {
    /// Its place among posts.
    pub const fn place(&self) -> PostId {
        match self {
            Self::Named(post) => post.id,
            Self::Followed { at, .. } => PostId::floor_of(at.0),
        }
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FoundPage {
    /// On a first page people of that name, at most `limits::PEOPLE_FOUND`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonRow>,
    /// Newest first, at most `limits::POSTS_PAGE`.
    pub posts: Vec<PostView>,
    /// From where to go on, if not all was looked at: `before` of the next request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<PostId>,
    /// Whether it ended before the page was full, because it took too long.
    #[serde(default)]
    pub is_stopped: bool,
    /// Where nothing was asked for: tags that were used last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// A member in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Who.
    pub person: Person,
    /// The first line of what they say of themselves.
    pub bio_line: String,
    /// Whether the one who asks follows them; absent for strangers and oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<bool>,
}

/// A place where the user is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Names it in a request to end it: its session id, which opens nothing.
    pub id: String,
    /// What the browser called itself.
    pub device: String,
    /// The network address it came from.
    pub address: String,
    /// Since when.
    pub opened_at: Wall,
    /// Whether it is the one that asks.
    pub is_this: bool,
    /// Where it is an app's: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<Box<App>>,
}
