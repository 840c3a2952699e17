//! Addresses: every page has one [`Route`], and each route one canonical path. A page links only by
//! writing a route, so a link to nowhere cannot be spelt.

use std::fmt;
use std::str::FromStr;

use crate::action::Mark;
use crate::id::{PictureName, PostId, UserName};
use crate::limits::AVATAR_DIGITS;
use crate::text::Tag;
use crate::user::entry::PostRef;
use crate::web::form::{decode_path, encode_query};
use crate::web::request::Method;
use crate::web::written::written;

/// Where apps get what stands for somebody, for a password if they may.
const TOKEN: &str = "/oauth/token";

/// Everything that has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Home for members, the landing page for strangers.
    Home,
    /// Everybody's posts.
    Everyone,
    /// What concerns one: who names one, who follows one.
    News,
    /// People and posts, by words.
    Search,
    /// Posts under a tag.
    Tag(Tag),
    /// Everybody's posts, for feed readers.
    EveryoneFeed,
    /// One member's posts, for feed readers.
    ProfileFeed(UserName),
    /// Posts under a tag, for feed readers.
    TagFeed(Tag),
    /// Make an account.
    Join,
    /// Sign in.
    Login,
    /// Become the first keeper, by a one-time link.
    FirstKeeper,
    /// Choose another password for a lost one, by a one-time link.
    NewPassword,
    /// Sign out.
    Logout,
    /// Write a post or a reply.
    Post,
    /// One member.
    Profile(UserName),
    /// One post and its thread.
    Thread(PostRef),
    /// Change a post: shows its text, then does.
    EditPost(PostRef),
    /// What a post said before it was edited.
    History(PostRef),
    /// Like, repost, bookmark or pin a post, or, if not `on`, no longer.
    Mark {
        /// Which.
        post: PostRef,
        /// What to do to it.
        mark: Mark,
        /// Whether to do it, and not to take it back.
        on: bool,
    },
    /// Answer what a post asks.
    Vote(PostRef),
    /// The posts that one has bookmarked.
    Bookmarks,
    /// A picture.
    Picture(PictureName),
    /// The small picture beside a member's name, and how its own begins: another has another address.
    Face(UserName, String),
    /// Whether one may send pictures.
    MayUpload,
    /// Take back a post: asks, then does.
    DeletePost(PostRef),
    /// Who follows a member.
    Followers(UserName),
    /// Whom a member follows.
    Following(UserName),
    /// Follow a member.
    Follow(UserName),
    /// Follow a member no longer.
    Unfollow(UserName),
    /// See nothing of a member.
    Mute(UserName),
    /// Not any more.
    Unmute(UserName),
    /// Have nothing to do with a member.
    Block(UserName),
    /// Not any more.
    Unblock(UserName),
    /// Be followed by a member no longer.
    RemoveFollower(UserName),
    /// Display name and bio.
    SettingsProfile,
    /// The password.
    SettingsPassword,
    /// Where one is signed in.
    SettingsDevices,
    /// Whom one mutes or blocks.
    SettingsPeople,
    /// Codes with which others may join.
    SettingsInvitations,
    /// Tell the keepers of a post.
    Report(PostRef),
    /// For keepers: what was reported.
    Mod,
    /// For keepers: who waits to be let in.
    ModAsking,
    /// For keepers: members.
    ModMembers,
    /// What keepers did.
    ModLog,
    /// For keepers: how the community is kept.
    ModHouse,
    /// For keepers: asks, then does.
    ModAct,
    /// The script's keys.
    SettingsKeys,
    /// What can be taken along.
    SettingsData,
    /// All of it in one file for programs.
    DataJson,
    /// One's posts in one file for people.
    DataHtml,
    /// The language, on this device.
    SettingsLanguage,
    /// Delete the account.
    SettingsLeave,
    /// Let an app act in one's name: asks, then does.
    AllowApp,
    /// How the machines are.
    Status,
    /// Whether this process answers.
    Healthz,
    /// Whether pages can be served, and writes be saved.
    Readyz,
    /// What crawlers may read.
    Robots,
    /// The style sheet, with the hash in its name.
    Style(AssetHash),
    /// The script, with the hash in its name.
    Script(AssetHash),
    /// The mark, with the hash in its name.
    Dots(AssetHash),
    /// What apps show where there is no picture, with the hash in its name.
    StandIn(AssetHash),
}

/// The hash in a static file's name: 12 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetHash(String);

/// Digits of an [`AssetHash`].
const ASSET_HASH_DIGITS: usize = 12;

impl AssetHash {
    /// The first 48 bits of a content's SHA-256: enough that no two versions share a name.
    pub fn of(content: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        let digits = Sha256::digest(content).iter().fold(String::new(), |mut digits, byte| {
            for nibble in [byte >> 4, byte & 0xf] {
                digits.extend(char::from_digit(nibble.into(), 16));
            }
            digits
        });
        Self(digits.chars().take(ASSET_HASH_DIGITS).collect())
    }

    fn parse(text: &str) -> Option<Self> {
        let is_hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (text.len() == ASSET_HASH_DIGITS && is_hex).then(|| Self(text.to_owned()))
    }
}

/// Whether what is sent to a request's target has a password hashed, and so waits long for its turn.
pub(super) fn hashes_password(target: &str) -> bool {
    let path = target.split('?').next().and_then(decode_path);
    path.is_some_and(|path| {
        path.strip_suffix('/').unwrap_or(&path) == TOKEN
            || Route::parse(&path).is_some_and(|route| route.hashes_password())
    })
}

impl Route {
    /// The route of a decoded path, or `None` if nothing is there. Only the canonical spelling is
    /// known: no trailing slash, no capitals (but in tags), no leading zeros.
    pub fn parse(path: &str) -> Option<Self> {
        if let Some(rest) = path.strip_prefix("/@") {
            return Self::parse_member(rest);
        }
        if let Some(rest) = path.strip_prefix("/tag/") {
            return Self::parse_tag(rest);
        }
        // Where apps look for a tag's name.
        if let Some(rest) = path.strip_prefix("/tags/") {
            return rest.parse().ok().map(Self::Tag);
        }
        if let Some(name) = path.strip_prefix("/picture/") {
            return name.parse().ok().map(Self::Picture);
        }
        Some(match path {
            "/" => Self::Home,
            "/public" => Self::Everyone,
            "/public.atom" => Self::EveryoneFeed,
            "/mentions" => Self::News,
            "/search" => Self::Search,
            "/join" => Self::Join,
            "/login" => Self::Login,
            "/first" => Self::FirstKeeper,
            "/reset" => Self::NewPassword,
            "/logout" => Self::Logout,
            "/post" => Self::Post,
            "/post/pictures" => Self::MayUpload,
            "/bookmarks" => Self::Bookmarks,
            "/settings/profile" => Self::SettingsProfile,
            "/settings/password" => Self::SettingsPassword,
            "/settings/devices" => Self::SettingsDevices,
            "/settings/people" => Self::SettingsPeople,
            "/settings/invitations" => Self::SettingsInvitations,
            "/mod" => Self::Mod,
            "/mod/joining" => Self::ModAsking,
            "/mod/members" => Self::ModMembers,
            "/mod/log" => Self::ModLog,
            "/mod/settings" => Self::ModHouse,
            "/mod/act" => Self::ModAct,
            "/settings/keys" => Self::SettingsKeys,
            "/settings/data" => Self::SettingsData,
            "/settings/data/tern.json" => Self::DataJson,
            "/settings/data/posts.html" => Self::DataHtml,
            "/settings/language" => Self::SettingsLanguage,
            "/settings/leave" => Self::SettingsLeave,
            // Some apps write it with a slash behind.
            "/oauth/authorize" | "/oauth/authorize/" => Self::AllowApp,
            "/status" => Self::Status,
            "/healthz" => Self::Healthz,
            "/readyz" => Self::Readyz,
            "/robots.txt" => Self::Robots,
            _ => return Self::parse_asset(path.strip_prefix("/s/")?),
        })
    }

    /// The page that an address means in another spelling than its own, as people type it: a member's name in
    /// capitals, a slash behind, the settings without which. What only takes forms is no page, and what
    /// nobody types neither.
    pub fn misspelt(path: &str) -> Option<Self> {
        let whole = path.strip_suffix('/').unwrap_or(path);
        let small = match whole.strip_prefix("/@") {
            Some(rest) => {
                let (name, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                format!("/@{}{rest}", name.to_ascii_lowercase())
            }
            None if whole == "/settings" => return Some(Self::SettingsProfile),
            None => whole.to_owned(),
        };
        let route = Self::parse(&small).filter(|route| route.allows(Method::Get));
        route.filter(|route| !route.is_home_or_for_programs())
    }

    /// Home, which is what is left of nothing but slashes, and what programs alone ask for.
    const fn is_home_or_for_programs(&self) -> bool {
        matches!(
            self,
            Self::Home
                | Self::Picture(_)
                | Self::Face(..)
                | Self::MayUpload
                | Self::Style(_)
                | Self::Script(_)
                | Self::Dots(_)
                | Self::StandIn(_)
                | Self::Healthz
                | Self::Readyz
                | Self::Robots
        )
    }

    /// What stands after `/tag/`: a tag in any spelling, as people type it.
    fn parse_tag(rest: &str) -> Option<Self> {
        match rest.strip_suffix(".atom") {
            Some(word) => word.parse().ok().map(Self::TagFeed),
            None => rest.parse().ok().map(Self::Tag),
        }
    }

    /// What stands after `/@`.
    fn parse_member(rest: &str) -> Option<Self> {
        if let Some(name) = rest.strip_suffix(".atom") {
            return UserName::parse(name).ok().map(Self::ProfileFeed);
        }
        let mut parts = rest.split('/');
        let name = UserName::parse(parts.next()?).ok()?;
        let route = match (parts.next(), parts.next()) {
            (None, None) => Self::Profile(name),
            (Some("followers"), None) => Self::Followers(name),
            (Some("following"), None) => Self::Following(name),
            (Some("follow"), None) => Self::Follow(name),
            (Some("unfollow"), None) => Self::Unfollow(name),
            (Some("mute"), None) => Self::Mute(name),
            (Some("unmute"), None) => Self::Unmute(name),
            (Some("block"), None) => Self::Block(name),
            (Some("unblock"), None) => Self::Unblock(name),
            (Some("remove-follower"), None) => Self::RemoveFollower(name),
            (Some("face"), Some(digits)) => Self::Face(name, face(digits)?),
            (Some(id), None) => Self::Thread(PostRef { user: name, id: post_id(id)? }),
            (Some(id), Some(what)) => {
                Self::of_post(PostRef { user: name, id: post_id(id)? }, what)?
            }
            (None, Some(_)) => return None,
        };
        parts.next().is_none().then_some(route)
    }

    /// What stands after a post's address.
    fn of_post(post: PostRef, what: &str) -> Option<Self> {
        Some(match what {
            "delete" => Self::DeletePost(post),
            "report" => Self::Report(post),
            "edit" => Self::EditPost(post),
            "history" => Self::History(post),
            "vote" => Self::Vote(post),
            _ => {
                let (on, name) = match what.strip_prefix("un") {
                    Some(name) => (false, name),
                    None => (true, what),
                };
                let mark = MARKS.into_iter().find(|mark| mark.name() == name)?;
                Self::Mark { post, mark, on }
            }
        })
    }

    fn parse_asset(name: &str) -> Option<Self> {
        let hash =
            |before, after| AssetHash::parse(name.strip_prefix(before)?.strip_suffix(after)?);
        hash("style-", ".css")
            .map(Self::Style)
            .or_else(|| hash("script-", ".js").map(Self::Script))
            .or_else(|| hash("dots-", ".svg").map(Self::Dots))
            .or_else(|| hash("stand-in-", ".png").map(Self::StandIn))
    }

    /// The methods that may be used here, as `Allow` spells them.
    pub fn allowed(&self) -> &'static str {
        match (self.allows(Method::Get), self.allows(Method::Post)) {
            (true, true) => "GET, HEAD, POST",
            (true, false) => "GET, HEAD",
            (false, _) => "POST",
        }
    }

    /// Whether what is sent here has a password hashed, and by crowds: what keepers do now and then with theirs
    /// is as any other page.
    const fn hashes_password(&self) -> bool {
        matches!(
            self,
            Self::Join
                | Self::Login
                | Self::FirstKeeper
                | Self::NewPassword
                | Self::SettingsPassword
                | Self::SettingsLeave
        )
    }

    /// Whether `method` may be used here.
    pub fn allows(&self, method: Method) -> bool {
        let is_post = method == Method::Post;
        match self {
            Self::Post
            | Self::Logout
            | Self::Follow(_)
            | Self::Unfollow(_)
            | Self::Mute(_)
            | Self::Unmute(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::RemoveFollower(_)
            | Self::Vote(_)
            | Self::Mark { .. } => is_post,
            Self::Join
            | Self::Login
            | Self::FirstKeeper
            | Self::NewPassword
            | Self::DeletePost(_)
            | Self::EditPost(_)
            | Self::SettingsProfile
            | Self::SettingsPassword
            | Self::SettingsDevices
            | Self::SettingsInvitations
            | Self::Report(_)
            | Self::ModHouse
            | Self::ModAct
            | Self::SettingsKeys
            | Self::SettingsLanguage
            | Self::AllowApp
            | Self::SettingsLeave => true,
            Self::Home
            | Self::Everyone
            | Self::News
            | Self::Search
            | Self::Tag(_)
            | Self::EveryoneFeed
            | Self::ProfileFeed(_)
            | Self::TagFeed(_)
            | Self::Profile(_)
            | Self::Thread(_)
            | Self::History(_)
            | Self::Bookmarks
            | Self::Picture(_)
            | Self::Face(..)
            | Self::MayUpload
            | Self::Followers(_)
            | Self::Following(_)
            | Self::SettingsPeople
            | Self::Mod
            | Self::ModAsking
            | Self::ModMembers
            | Self::ModLog
            | Self::SettingsData
            | Self::DataJson
            | Self::DataHtml
            | Self::Status
            | Self::Healthz
            | Self::Readyz
            | Self::Robots
            | Self::Style(_)
            | Self::Script(_)
            | Self::Dots(_)
            | Self::StandIn(_) => !is_post,
        }
    }
}

/// What one may do to a post.
const MARKS: [Mark; 5] = [Mark::Like, Mark::Repost, Mark::Bookmark, Mark::Pin, Mark::MuteThread];

/// A post's number in its one spelling: without leading zeros.
fn post_id(text: &str) -> Option<PostId> {
    let id = PostId::from_str(text).ok()?;
    (id.to_string() == text).then_some(id)
}

/// How a picture's name begins.
fn face(digits: &str) -> Option<String> {
    let is_hex = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (digits.len() == AVATAR_DIGITS && is_hex).then(|| digits.to_owned())
}

/// `/@ada`, and what follows.
fn of_member(f: &mut fmt::Formatter<'_>, name: &UserName, rest: &str) -> fmt::Result {
    f.write_str("/@")?;
    f.write_str(name.as_str())?;
    f.write_str(rest)
}

/// `/@ada/1`, and what follows.
fn of_post(f: &mut fmt::Formatter<'_>, post: &PostRef, rest: &str) -> fmt::Result {
    of_member(f, &post.user, "/")?;
    fmt::Display::fmt(&post.id, f)?;
    f.write_str(rest)
}

impl Route {
    /// Its address, for a link.
    pub(crate) fn href(&self) -> String {
        written(format_args!("{self}"))
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fixed = match self {
            Self::Profile(name) => return of_member(f, name, ""),
            Self::ProfileFeed(name) => return of_member(f, name, ".atom"),
            Self::Picture(name) => return write!(f, "/picture/{name}"),
            Self::Tag(tag) => return write!(f, "/tag/{}", encode_query(tag.as_str())),
            Self::TagFeed(tag) => return write!(f, "/tag/{}.atom", encode_query(tag.as_str())),
            Self::Thread(post) => return of_post(f, post, ""),
            Self::EditPost(post) => return of_post(f, post, "/edit"),
            Self::History(post) => return of_post(f, post, "/history"),
            Self::Mark { post, mark, on } => {
                of_post(f, post, if *on { "/" } else { "/un" })?;
                mark.name()
            }
            Self::DeletePost(post) => return of_post(f, post, "/delete"),
            Self::Vote(post) => return of_post(f, post, "/vote"),
            Self::Report(post) => return of_post(f, post, "/report"),
            Self::Face(user, digits) => return write!(f, "/@{user}/face/{digits}"),
            Self::Followers(name) => return of_member(f, name, "/followers"),
            Self::Following(name) => return of_member(f, name, "/following"),
            Self::Follow(name) => return of_member(f, name, "/follow"),
            Self::Unfollow(name) => return of_member(f, name, "/unfollow"),
            Self::Mute(name) => return of_member(f, name, "/mute"),
            Self::Unmute(name) => return of_member(f, name, "/unmute"),
            Self::Block(name) => return of_member(f, name, "/block"),
            Self::Unblock(name) => return of_member(f, name, "/unblock"),
            Self::RemoveFollower(name) => return of_member(f, name, "/remove-follower"),
            Self::Style(hash) => return write!(f, "/s/style-{}.css", hash.0),
            Self::Script(hash) => return write!(f, "/s/script-{}.js", hash.0),
            Self::StandIn(hash) => return write!(f, "/s/stand-in-{}.png", hash.0),
            Self::Dots(hash) => return write!(f, "/s/dots-{}.svg", hash.0),
            Self::Home => "/",
            Self::Everyone => "/public",
            Self::EveryoneFeed => "/public.atom",
            Self::News => "/mentions",
            Self::Search => "/search",
            Self::Join => "/join",
            Self::Login => "/login",
            Self::FirstKeeper => "/first",
            Self::NewPassword => "/reset",
            Self::Logout => "/logout",
            Self::Post => "/post",
            Self::MayUpload => "/post/pictures",
            Self::Bookmarks => "/bookmarks",
            Self::SettingsProfile => "/settings/profile",
            Self::SettingsPassword => "/settings/password",
            Self::SettingsDevices => "/settings/devices",
            Self::SettingsPeople => "/settings/people",
            Self::SettingsInvitations => "/settings/invitations",
            Self::Mod => "/mod",
            Self::ModAsking => "/mod/joining",
            Self::ModMembers => "/mod/members",
            Self::ModLog => "/mod/log",
            Self::ModHouse => "/mod/settings",
            Self::ModAct => "/mod/act",
            Self::SettingsKeys => "/settings/keys",
            Self::SettingsData => "/settings/data",
            Self::DataJson => "/settings/data/tern.json",
            Self::DataHtml => "/settings/data/posts.html",
            Self::SettingsLanguage => "/settings/language",
            Self::SettingsLeave => "/settings/leave",
            Self::AllowApp => "/oauth/authorize",
            Self::Status => "/status",
            Self::Healthz => "/healthz",
            Self::Readyz => "/readyz",
            Self::Robots => "/robots.txt",
        };
        f.write_str(fixed)
    }
}

#[cfg(test)]
mod tests;
