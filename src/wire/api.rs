//! What apps are told.

use serde::{Deserialize, Serialize};

use super::request::PostView;
use crate::clock::Wall;
use crate::id::{PictureName, PostId, UserName};
use crate::user::entry::{Picture, PostRef, is_not};

/// An answer to an [`crate::action::ApiRead`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiReply {
    /// How large the community is.
    Community(CommunityView),
    /// One member.
    Account(AccountView),
    /// How one stands with people.
    Relations(Vec<RelationView>),
    /// Members.
    Accounts(AccountPage),
    /// What concerns the one who asks.
    News(NewsReply),
    /// A picture that the one who asks has sent.
    Picture(Picture),
    /// Posts.
    Statuses(Statuses),
    /// Which post, of one of which no more is told.
    Post(PostRef),
    /// What a post answers and what answers it.
    Context {
        /// From the root down.
        ancestors: Statuses,
        /// What it answers comes before each.
        descendants: Statuses,
    },
}

/// What concerns somebody, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NewsReply {
    /// What happened.
    pub news: Vec<NewsView>,
    /// The posts among it, and everybody who is in it.
    pub posts: Statuses,
    /// How far the list was looked at, if there is more of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<PostId>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "NewsSaid", into = "NewsSaid")]
pub struct NewsView {
    /// Its place among posts.
    pub place: PostId,
    /// Who did it.
    pub by: UserName,
    /// When.
    pub at: Wall,
    /// What.
    pub what: NewsWhat,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewsWhat {
    /// They wrote the post of that place, which names the one who asks.
    Named,
    /// They follow the one who asks.
    Followed,
    /// They like that post of the one who asks.
    Liked(PostId),
    /// They reposted it.
    Reposted(PostId),
    /// That post of theirs asks something, which is over.
    PollEnded(PostId),
}

/// A [`NewsView`] on its way: a web server of an earlier version reads `is_post` alone, and asks for nothing
/// of which that is not all.
#[derive(Clone, Serialize, Deserialize)]
struct NewsSaid {
    place: PostId,
    by: UserName,
    at: Wall,
    is_post: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    liked: Option<PostId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reposted: Option<PostId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<PostId>,
}

impl From<NewsSaid> for NewsView {
    fn from(said: NewsSaid) -> Self {
        let NewsSaid { place, by, at, is_post, liked, reposted, ended } = said;
        let liked = liked.map(NewsWhat::Liked);
        let reposted = reposted.map(NewsWhat::Reposted);
        let ended = ended.map(NewsWhat::PollEnded);
        let named = is_post.then_some(NewsWhat::Named);
        let what = named.or(liked).or(reposted).or(ended).unwrap_or(NewsWhat::Followed);
        Self { place, by, at, what }
    }
}

impl From<NewsView> for NewsSaid {
    fn from(view: NewsView) -> Self {
        let NewsView { place, by, at, what } = view;
        let (mut liked, mut reposted, mut ended) = (None, None, None);
        match what {
            NewsWhat::Liked(post) => liked = Some(post),
            NewsWhat::Reposted(post) => reposted = Some(post),
            NewsWhat::PollEnded(post) => ended = Some(post),
            NewsWhat::Named | NewsWhat::Followed => {}
        }
        Self { place, by, at, is_post: what == NewsWhat::Named, liked, reposted, ended }
    }
}

/// Members in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountPage {
    /// In their order.
    pub accounts: Vec<AccountView>,
    /// The last name of this page, if more follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_after: Option<UserName>,
}

/// Posts, and everybody who is named in them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Statuses {
    /// In their order.
    pub statuses: Vec<StatusView>,
    /// Who wrote, reposted or is named or answered in them, each once.
    pub accounts: Vec<AccountView>,
    /// How far the list was looked at, if there is more of it and the last of these does not tell; where the
    /// list was asked for from its older end, upwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<PostId>,
}

/// A post, or a repost, as apps show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// By what number apps know it: the post's, or the repost's.
    pub id: PostId,
    /// The post.
    pub post: PostView,
    /// How many like it, as far as that is the asker's to know.
    pub likes: u32,
    /// Whether strangers are not shown it.
    #[serde(default, skip_serializing_if = "is_not")]
    pub for_members: bool,
}

impl StatusView {
    /// A post for itself.
    pub const fn of(post: PostView) -> Self {
        Self { id: post.id, post, likes: 0, for_members: false }
    }
}

/// How one stands with somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "five ties that are independent of each other")]
pub struct RelationView {
    /// With whom.
    pub username: UserName,
    /// Since when they are here.
    pub joined_at: Wall,
    /// Whether one follows them.
    pub follows: bool,
    /// Whether they follow one.
    pub is_followed: bool,
    /// Whether one mutes them.
    pub mutes: bool,
    /// Whether one blocks them.
    pub blocks: bool,
    /// Whether they block one.
    pub is_blocked: bool,
}

/// How large the community is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityView {
    /// How many have an account.
    pub members: u64,
    /// How many posts stand.
    pub posts: u64,
    /// Whether anybody may join.
    pub is_open: bool,
    /// Whether keepers let in who joins.
    pub is_approved: bool,
    /// What is said to strangers; may be empty.
    pub words: String,
}

/// A member, as apps show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// The user name.
    pub username: UserName,
    /// The name shown.
    pub display_name: String,
    /// What they say of themselves.
    pub bio: String,
    /// Since when they are here.
    pub joined_at: Wall,
    /// The picture beside the name, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<PictureName>,
    /// Until when the one who asks mutes them, in the list of those, if not for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Wall>,
    /// Whether only members see their posts.
    #[serde(default, skip_serializing_if = "is_not")]
    pub members_only: bool,
    /// Their newest post that stands, if the one who asks may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_post: Option<PostId>,
    /// How many follow them.
    pub followers: u32,
    /// How many they follow.
    pub following: u32,
    /// How many of their posts stand, of those that the one who asks may read.
    pub posts: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_goes_there_and_back_and_as_an_earlier_program_says_it() {
        let post = PostId::from_raw(7);
        let view = |what| {
            let by = "ben".parse().unwrap();
            NewsView { place: PostId::from_raw(9), by, at: Wall(1), what }
        };
        for (what, more) in [
            (NewsWhat::Named, r#""is_post":true"#),
            (NewsWhat::Followed, r#""is_post":false"#),
            (NewsWhat::Liked(post), r#""is_post":false,"liked":"7""#),
            (NewsWhat::Reposted(post), r#""is_post":false,"reposted":"7""#),
            (NewsWhat::PollEnded(post), r#""is_post":false,"ended":"7""#),
        ] {
            let said = serde_json::to_string(&view(what)).unwrap();
            assert_eq!(said, format!(r#"{{"place":"9","by":"ben","at":1,{more}}}"#));
            assert_eq!(serde_json::from_str::<NewsView>(&said).unwrap(), view(what));
        }
    }
}
