//! What apps can ask for: each address with who may use it. A row without that does not compile, and what
//! has no row is answered 404.

use super::detail::By;
use super::people::Tie;
use super::stream::Stream;
use crate::action::{Mark, PeopleList};
use crate::web::request::Method;
use crate::wire::request::Need;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody; a token is not looked at.
    Open,
    /// Strangers as well; who shows a token must be allowed this.
    Public(Need),
    /// An app, for somebody or for itself.
    App,
    /// An app for somebody who allowed it this.
    User(Need),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A list of what there is none of here.
    Nothing,
    Instance1,
    Instance2,
    Rules,
    About,
    NodeinfoLinks,
    Nodeinfo,
    SignIn,
    Introduce,
    Token,
    Revoke,
    WhichApp,
    Myself,
    Account,
    Accounts,
    Lookup,
    Preferences,
    Relationships,
    SearchAccounts,
    Search,
    Tag,
    People(PeopleList),
    /// What is asked of a member in the address.
    Tie(Tie),
    AccountStatuses,
    PostStatus,
    Status,
    Statuses,
    Context,
    Source,
    EditStatus,
    DeleteStatus,
    Mark(Mark, bool),
    Home,
    Public,
    Tagged,
    Bookmarks,
    Favourites,
    Stream(Stream),
    /// Who likes or reposted a post.
    DoneBy(By),
    History,
    UpdateMyself,
    News(News),
    Media(Media),
    Report,
    Poll,
    Vote,
}

/// What is asked of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// Whether one may send some, which only the gate asks.
    MaySend,
    Send,
    One,
    Describe,
    RemoveAvatar,
}

/// What is asked of what concerns somebody, and of up to where they have read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    List,
    One,
    Clear,
    Dismiss,
    Unread,
    Markers,
    SetMarkers,
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) method: Method,
    /// `:` stands for one part of any name.
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) endpoint: Endpoint,
}

const fn get(path: &'static str, access: Access, endpoint: Endpoint) -> Row {
    Row { method: Method::Get, path, access, endpoint }
}

const fn put(path: &'static str, access: Access, endpoint: Endpoint) -> Row {
    Row { method: Method::Put, path, access, endpoint }
}

const fn delete(path: &'static str, access: Access, endpoint: Endpoint) -> Row {
    Row { method: Method::Delete, path, access, endpoint }
}

const fn patch(path: &'static str, access: Access, endpoint: Endpoint) -> Row {
    Row { method: Method::Patch, path, access, endpoint }
}

const fn news(path: &'static str, news: News) -> Row {
    let (method, scope) = match news {
        News::List | News::One | News::Unread => (Method::Get, "read:notifications"),
        News::Clear | News::Dismiss => (Method::Post, "write:notifications"),
        News::Markers => (Method::Get, "read:statuses"),
        News::SetMarkers => (Method::Post, "write:statuses"),
    };
    Row { method, path, access: user(scope), endpoint: Endpoint::News(news) }
}

const fn post(path: &'static str, access: Access, endpoint: Endpoint) -> Row {
    Row { method: Method::Post, path, access, endpoint }
}

const fn tie(path: &'static str, scope: &'static str, tie: Tie) -> Row {
    post(path, user(scope), Endpoint::Tie(tie))
}

const fn mark(path: &'static str, scope: &'static str, mark: Mark, on: bool) -> Row {
    post(path, user(scope), Endpoint::Mark(mark, on))
}

const fn user(scope: &'static str) -> Access {
    Access::User(Need::scope(scope))
}

const fn public(scope: &'static str) -> Access {
    Access::Public(Need::scope(scope))
}

/// Everything that apps can ask for.
pub(super) const TABLE: &[Row] = &[
    get("/.well-known/nodeinfo", Access::Open, Endpoint::NodeinfoLinks),
    get("/.well-known/oauth-authorization-server", Access::Open, Endpoint::SignIn),
    get("/nodeinfo/2.0", Access::Open, Endpoint::Nodeinfo),
    post("/oauth/token", Access::Open, Endpoint::Token),
    post("/oauth/revoke", Access::Open, Endpoint::Revoke),
    post("/api/v1/apps", Access::Open, Endpoint::Introduce),
    get("/api/v1/apps/verify_credentials", Access::App, Endpoint::WhichApp),
    get("/api/v1/instance", Access::Open, Endpoint::Instance1),
    get("/api/v2/instance", Access::Open, Endpoint::Instance2),
    get("/api/v1/instance/rules", Access::Open, Endpoint::Rules),
    get("/api/v1/instance/peers", Access::Open, Endpoint::Nothing),
    get("/api/v1/instance/extended_description", Access::Open, Endpoint::About),
    get("/api/v1/custom_emojis", Access::Open, Endpoint::Nothing),
    get("/api/v1/trends/tags", Access::Open, Endpoint::Nothing),
    get("/api/v1/trends/statuses", Access::Open, Endpoint::Nothing),
    get("/api/v1/trends/links", Access::Open, Endpoint::Nothing),
    get("/api/v1/accounts/verify_credentials", user("read:accounts"), Endpoint::Myself),
    patch("/api/v1/accounts/update_credentials", user("write:accounts"), Endpoint::UpdateMyself),
    get("/api/v1/accounts/lookup", public("read:accounts"), Endpoint::Lookup),
    get("/api/v1/accounts", public("read:accounts"), Endpoint::Accounts),
    get("/api/v1/accounts/:", public("read:accounts"), Endpoint::Account),
    get("/api/v1/accounts/relationships", user("read:follows"), Endpoint::Relationships),
    get("/api/v1/accounts/search", user("read:accounts"), Endpoint::SearchAccounts),
    get("/api/v1/accounts/familiar_followers", user("read:follows"), Endpoint::Nothing),
    get("/api/v1/accounts/:/statuses", public("read:statuses"), Endpoint::AccountStatuses),
    get(
        "/api/v1/accounts/:/followers",
        public("read:accounts"),
        Endpoint::People(PeopleList::Followers),
    ),
    get(
        "/api/v1/accounts/:/following",
        public("read:accounts"),
        Endpoint::People(PeopleList::Following),
    ),
    tie("/api/v1/accounts/:/follow", "write:follows", Tie::Follow),
    tie("/api/v1/accounts/:/unfollow", "write:follows", Tie::Unfollow),
    tie("/api/v1/accounts/:/mute", "write:mutes", Tie::Mute),
    tie("/api/v1/accounts/:/unmute", "write:mutes", Tie::Unmute),
    tie("/api/v1/accounts/:/block", "write:blocks", Tie::Block),
    tie("/api/v1/accounts/:/unblock", "write:blocks", Tie::Unblock),
    tie("/api/v1/accounts/:/remove_from_followers", "write:follows", Tie::RemoveFollower),
    get("/api/v1/mutes", user("read:mutes"), Endpoint::People(PeopleList::Muted)),
    get("/api/v1/blocks", user("read:blocks"), Endpoint::People(PeopleList::Blocked)),
    post("/api/v1/statuses", user("write:statuses"), Endpoint::PostStatus),
    get("/api/v1/statuses", public("read:statuses"), Endpoint::Statuses),
    get("/api/v1/statuses/:", public("read:statuses"), Endpoint::Status),
    put("/api/v1/statuses/:", user("write:statuses"), Endpoint::EditStatus),
    delete("/api/v1/statuses/:", user("write:statuses"), Endpoint::DeleteStatus),
    get("/api/v1/statuses/:/context", public("read:statuses"), Endpoint::Context),
    get("/api/v1/statuses/:/history", public("read:statuses"), Endpoint::History),
    get("/api/v1/statuses/:/favourited_by", public("read:accounts"), Endpoint::DoneBy(By::Likes)),
    get("/api/v1/statuses/:/reblogged_by", public("read:accounts"), Endpoint::DoneBy(By::Reposts)),
    mark("/api/v1/statuses/:/mute", "write:mutes", Mark::MuteThread, true),
    mark("/api/v1/statuses/:/unmute", "write:mutes", Mark::MuteThread, false),
    get("/api/v1/statuses/:/source", user("read:statuses"), Endpoint::Source),
    mark("/api/v1/statuses/:/favourite", "write:favourites", Mark::Like, true),
    mark("/api/v1/statuses/:/unfavourite", "write:favourites", Mark::Like, false),
    mark("/api/v1/statuses/:/bookmark", "write:bookmarks", Mark::Bookmark, true),
    mark("/api/v1/statuses/:/unbookmark", "write:bookmarks", Mark::Bookmark, false),
    mark("/api/v1/statuses/:/reblog", "write:statuses", Mark::Repost, true),
    mark("/api/v1/statuses/:/unreblog", "write:statuses", Mark::Repost, false),
    mark("/api/v1/statuses/:/pin", "write:accounts", Mark::Pin, true),
    mark("/api/v1/statuses/:/unpin", "write:accounts", Mark::Pin, false),
    get("/api/v1/timelines/home", user("read:statuses"), Endpoint::Home),
    get("/api/v1/timelines/public", public("read:statuses"), Endpoint::Public),
    get("/api/v1/timelines/tag/:", public("read:statuses"), Endpoint::Tagged),
    news("/api/v1/notifications", News::List),
    news("/api/v1/notifications/:", News::One),
    news("/api/v1/notifications/clear", News::Clear),
    news("/api/v1/notifications/:/dismiss", News::Dismiss),
    news("/api/v1/notifications/unread_count", News::Unread),
    news("/api/v1/markers", News::Markers),
    news("/api/v1/markers", News::SetMarkers),
    get("/api/v1/media", user("write:media"), Endpoint::Media(Media::MaySend)),
    post("/api/v1/media", user("write:media"), Endpoint::Media(Media::Send)),
    post("/api/v2/media", user("write:media"), Endpoint::Media(Media::Send)),
    get("/api/v1/media/:", user("write:media"), Endpoint::Media(Media::One)),
    put("/api/v1/media/:", user("write:media"), Endpoint::Media(Media::Describe)),
    get("/api/v1/profile/avatar", user("write:accounts"), Endpoint::Media(Media::MaySend)),
    delete("/api/v1/profile/avatar", user("write:accounts"), Endpoint::Media(Media::RemoveAvatar)),
    get("/api/v1/polls/:", public("read:statuses"), Endpoint::Poll),
    post("/api/v1/polls/:/votes", user("write:statuses"), Endpoint::Vote),
    post("/api/v1/reports", user("write:reports"), Endpoint::Report),
    get("/api/v1/bookmarks", user("read:bookmarks"), Endpoint::Bookmarks),
    get("/api/v1/favourites", user("read:favourites"), Endpoint::Favourites),
    get("/api/v1/streaming/health", Access::Open, Endpoint::Stream(Stream::Health)),
    get("/api/v1/streaming", user("read:statuses"), Endpoint::Stream(Stream::Named)),
    get("/api/v1/streaming/user", user("read:statuses"), Endpoint::Stream(Stream::Home)),
    get("/api/v1/streaming/public", user("read:statuses"), Endpoint::Stream(Stream::Everyone)),
    get(
        "/api/v1/streaming/public/local",
        user("read:statuses"),
        Endpoint::Stream(Stream::Everyone),
    ),
    get("/api/v1/streaming/hashtag", user("read:statuses"), Endpoint::Stream(Stream::Tagged)),
    get("/api/v1/streaming/hashtag/local", user("read:statuses"), Endpoint::Stream(Stream::Tagged)),
    get("/api/v2/search", user("read:search"), Endpoint::Search),
    get("/api/v1/tags/:", user("read:follows"), Endpoint::Tag),
    get("/api/v1/accounts/:/featured_tags", public("read:accounts"), Endpoint::Nothing),
    get("/api/v1/accounts/:/lists", user("read:lists"), Endpoint::Nothing),
    get("/api/v1/preferences", user("read:accounts"), Endpoint::Preferences),
    get("/api/v1/directory", Access::Open, Endpoint::Nothing),
    get("/api/v1/trends", Access::Open, Endpoint::Nothing),
    get("/api/v1/suggestions", user("read"), Endpoint::Nothing),
    get("/api/v2/suggestions", user("read"), Endpoint::Nothing),
    get("/api/v1/announcements", user("read"), Endpoint::Nothing),
    get("/api/v1/filters", user("read:filters"), Endpoint::Nothing),
    get("/api/v2/filters", user("read:filters"), Endpoint::Nothing),
    get("/api/v1/lists", user("read:lists"), Endpoint::Nothing),
    get("/api/v1/follow_requests", user("read:follows"), Endpoint::Nothing),
    get("/api/v1/followed_tags", user("read:follows"), Endpoint::Nothing),
    get("/api/v1/featured_tags", user("read:accounts"), Endpoint::Nothing),
    get("/api/v1/conversations", user("read:statuses"), Endpoint::Nothing),
    get("/api/v1/scheduled_statuses", user("read:statuses"), Endpoint::Nothing),
    get("/api/v1/domain_blocks", user("read:blocks"), Endpoint::Nothing),
    get("/api/v1/endorsements", user("read:accounts"), Endpoint::Nothing),
];

/// Finds the row of a request, and what stands in place of each `:`. A slash at the end counts for
/// nothing, and HEAD is GET.
pub(super) fn find(method: Method, path: &str) -> Option<(&'static Row, Vec<&str>)> {
    let method = if method == Method::Head { Method::Get } else { method };
    let path = path.strip_suffix('/').unwrap_or(path);
    let rows = TABLE.iter().filter(|row| row.method == method);
    let mut found = rows.filter_map(|row| Some((row, captures(row.path, path)?)));
    // The exact one before the one with a name in it, wherever they stand.
    let first = found.next()?;
    Some(found.fold(first, |best, next| if next.1.len() < best.1.len() { next } else { best }))
}

fn captures<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let (mut parts, mut captures) = (path.split('/'), Vec::new());
    for wanted in pattern.split('/') {
        match parts.next()? {
            part if wanted == ":" && !part.is_empty() => captures.push(part),
            part if part == wanted => {}
            _ => return None,
        }
    }
    parts.next().is_none().then_some(captures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, path: &str, expected: Option<(Endpoint, &[&str])>) {
        let found = find(method, path);
        let found = found.as_ref().map(|(row, captures)| (row.endpoint, captures.as_slice()));
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn route_found_with_or_without_a_slash_and_exact_ones_first() {
        check(Method::Get, "/api/v1/instance", Some((Endpoint::Instance1, &[])));
        check(Method::Get, "/api/v1/instance/", Some((Endpoint::Instance1, &[])));
        check(Method::Head, "/api/v2/instance/", Some((Endpoint::Instance2, &[])));
        check(Method::Get, "/api/v1/accounts/lookup", Some((Endpoint::Lookup, &[])));
        check(Method::Get, "/api/v1/accounts/", Some((Endpoint::Accounts, &[])));
        check(Method::Get, "/api/v1/accounts/17", Some((Endpoint::Account, &["17"])));
        for none in ["/api/v1/polls/", "/api/v1/accounts//x", "/api/v9/instance", "/api", "/"] {
            check(Method::Get, none, None);
        }
        check(Method::Post, "/api/v1/instance", None);
    }

    #[test]
    fn table_has_each_address_once() {
        let mut rows: Vec<_> = TABLE.iter().map(|row| (row.method.as_str(), row.path)).collect();
        rows.sort_unstable();
        let count = rows.len();
        rows.dedup();
        assert_eq!(rows.len(), count);
        assert!(TABLE.iter().all(|row| !row.path.ends_with('/')));
    }
}
