//! Who may ask for what: each address, asked without a token, with one that may not, and with one that may.

use std::collections::BTreeSet;

use serde_json::json;

use super::app::{App, OUT_OF_BAND};
use crate::cluster::harness::{Cluster, Options};
use tern::user::scope::{Need, Scopes};

/// What takes a token, with the scope that it takes; `:` is some number. `?` stands before what strangers may
/// ask as well.
pub(crate) const TABLE: &[(&str, &str, &str)] = &[
    ("GET", "/api/v1/accounts/verify_credentials", "read:accounts"),
    ("PATCH", "/api/v1/accounts/update_credentials", "write:accounts"),
    ("GET", "/api/v1/accounts/lookup", "?read:accounts"),
    ("GET", "/api/v1/accounts/:", "?read:accounts"),
    ("GET", "/api/v1/accounts", "?read:accounts"),
    ("GET", "/api/v1/accounts/relationships", "read:follows"),
    ("GET", "/api/v1/accounts/search", "read:accounts"),
    ("GET", "/api/v1/accounts/familiar_followers", "read:follows"),
    ("GET", "/api/v1/accounts/:/statuses", "?read:statuses"),
    ("GET", "/api/v1/accounts/:/followers", "?read:accounts"),
    ("GET", "/api/v1/accounts/:/following", "?read:accounts"),
    ("POST", "/api/v1/accounts/:/follow", "write:follows"),
    ("POST", "/api/v1/accounts/:/unfollow", "write:follows"),
    ("POST", "/api/v1/accounts/:/mute", "write:mutes"),
    ("POST", "/api/v1/accounts/:/unmute", "write:mutes"),
    ("POST", "/api/v1/accounts/:/block", "write:blocks"),
    ("POST", "/api/v1/accounts/:/unblock", "write:blocks"),
    ("POST", "/api/v1/accounts/:/remove_from_followers", "write:follows"),
    ("GET", "/api/v1/mutes", "read:mutes"),
    ("GET", "/api/v1/blocks", "read:blocks"),
    ("POST", "/api/v1/statuses", "write:statuses"),
    ("GET", "/api/v1/statuses", "?read:statuses"),
    ("GET", "/api/v1/statuses/:", "?read:statuses"),
    ("PUT", "/api/v1/statuses/:", "write:statuses"),
    ("DELETE", "/api/v1/statuses/:", "write:statuses"),
    ("GET", "/api/v1/statuses/:/context", "?read:statuses"),
    ("GET", "/api/v1/statuses/:/history", "?read:statuses"),
    ("GET", "/api/v1/statuses/:/favourited_by", "?read:accounts"),
    ("GET", "/api/v1/statuses/:/reblogged_by", "?read:accounts"),
    ("POST", "/api/v1/statuses/:/mute", "write:mutes"),
    ("POST", "/api/v1/statuses/:/unmute", "write:mutes"),
    ("GET", "/api/v1/statuses/:/source", "read:statuses"),
    ("POST", "/api/v1/statuses/:/favourite", "write:favourites"),
    ("POST", "/api/v1/statuses/:/unfavourite", "write:favourites"),
    ("POST", "/api/v1/statuses/:/bookmark", "write:bookmarks"),
    ("POST", "/api/v1/statuses/:/unbookmark", "write:bookmarks"),
    ("POST", "/api/v1/statuses/:/reblog", "write:statuses"),
    ("POST", "/api/v1/statuses/:/unreblog", "write:statuses"),
    ("POST", "/api/v1/statuses/:/pin", "write:accounts"),
    ("POST", "/api/v1/statuses/:/unpin", "write:accounts"),
    ("GET", "/api/v1/timelines/home", "read:statuses"),
    ("GET", "/api/v1/timelines/public", "?read:statuses"),
    ("GET", "/api/v1/timelines/tag/:", "?read:statuses"),
    ("GET", "/api/v1/notifications", "read:notifications"),
    ("GET", "/api/v1/notifications/:", "read:notifications"),
    ("POST", "/api/v1/notifications/clear", "write:notifications"),
    ("POST", "/api/v1/notifications/:/dismiss", "write:notifications"),
    ("GET", "/api/v1/notifications/unread_count", "read:notifications"),
    ("GET", "/api/v1/markers", "read:statuses"),
    ("POST", "/api/v1/markers", "write:statuses"),
    ("GET", "/api/v1/media", "write:media"),
    ("POST", "/api/v1/media", "write:media"),
    ("POST", "/api/v2/media", "write:media"),
    ("GET", "/api/v1/media/:", "write:media"),
    ("PUT", "/api/v1/media/:", "write:media"),
    ("GET", "/api/v1/profile/avatar", "write:accounts"),
    ("DELETE", "/api/v1/profile/avatar", "write:accounts"),
    ("GET", "/api/v1/polls/:", "?read:statuses"),
    ("POST", "/api/v1/polls/:/votes", "write:statuses"),
    ("POST", "/api/v1/reports", "write:reports"),
    ("GET", "/api/v1/bookmarks", "read:bookmarks"),
    ("GET", "/api/v1/favourites", "read:favourites"),
    ("GET", "/api/v2/search", "read:search"),
    ("GET", "/api/v1/tags/:", "read:follows"),
    ("GET", "/api/v1/accounts/:/featured_tags", "?read:accounts"),
    ("GET", "/api/v1/accounts/:/lists", "read:lists"),
    ("GET", "/api/v1/preferences", "read:accounts"),
    ("GET", "/api/v1/suggestions", "read"),
    ("GET", "/api/v2/suggestions", "read"),
    ("GET", "/api/v1/announcements", "read"),
    ("GET", "/api/v1/filters", "read:filters"),
    ("GET", "/api/v2/filters", "read:filters"),
    ("GET", "/api/v1/lists", "read:lists"),
    ("GET", "/api/v1/follow_requests", "read:follows"),
    ("GET", "/api/v1/followed_tags", "read:follows"),
    ("GET", "/api/v1/featured_tags", "read:accounts"),
    ("GET", "/api/v1/conversations", "read:statuses"),
    ("GET", "/api/v1/scheduled_statuses", "read:statuses"),
    ("GET", "/api/v1/domain_blocks", "read:blocks"),
    ("GET", "/api/v1/endorsements", "read:accounts"),
];

/// Addresses of the program that take no scope, or go on for as long as somebody listens.
const OTHERS: &[&str] = &[
    "/api/v1/apps",
    "/api/v1/apps/verify_credentials",
    "/api/v1/instance",
    "/api/v2/instance",
    "/api/v1/instance/rules",
    "/api/v1/instance/peers",
    "/api/v1/instance/extended_description",
    "/api/v1/custom_emojis",
    "/api/v1/trends/tags",
    "/api/v1/trends/statuses",
    "/api/v1/trends/links",
    "/api/v1/trends",
    "/api/v1/directory",
    "/api/v1/streaming/health",
    "/api/v1/streaming",
    "/api/v1/streaming/user",
    "/api/v1/streaming/public",
    "/api/v1/streaming/public/local",
    "/api/v1/streaming/hashtag",
    "/api/v1/streaming/hashtag/local",
];

#[test]
fn each_address_takes_its_scope_and_no_other() {
    let source = include_str!("../../src/web/api/route.rs");
    let (_, table) = source.split_once("pub(super) const TABLE").unwrap();
    let (table, _) = table.split_once("];").unwrap();
    let paths = table.split('"').filter(|word| word.starts_with("/api/"));
    let known = TABLE.iter().map(|(_, path, _)| *path).chain(OTHERS.iter().copied());
    assert_eq!(paths.collect::<BTreeSet<_>>(), known.collect::<BTreeSet<_>>());

    let more = vec!["--app-calls=0".to_owned()];
    let cluster = Cluster::start(Options { backends: 1, more, ..Options::default() });
    let mut ada = cluster.person("ada");
    let mut ben = cluster.person("ben");
    ada.join();
    ben.join();
    let of_ben = App::of(&cluster, &mut ben, "read");
    let of_ben = of_ben.account();
    let of_news = format!("115816900853764096{:039}", 0);
    let stranger = App::introduce(&cluster.address(), "read write", OUT_OF_BAND);
    let scopes = ["read", "write", "follow", "read:statuses write:media"];
    let apps = scopes.map(|scopes| (scopes, App::of(&cluster, &mut ada, scopes)));
    for (method, path, takes) in TABLE {
        let number = match path {
            path if path.starts_with("/api/v1/accounts") => &of_ben,
            path if path.starts_with("/api/v1/notifications") => &of_news,
            path if path.contains("/tag") => "tea",
            _ => "1",
        };
        let path = path.replace(':', number) + "?acct=ben&q=ben";
        let ask = |app: &App| {
            // Looked at after the token, so that nothing comes of it.
            let says = if *method == "GET" { json!(null) } else { json!({ "status": "Hello" }) };
            let heard = app.send(method, &path, &says, None);
            assert!(heard.status == 200 || !heard.text("error").is_empty(), "{path} {heard:?}");
            heard.status
        };
        let need = takes.trim_start_matches('?');
        let is_public = *takes != need;
        let status = ask(&stranger);
        assert_eq!(status == 401, !is_public, "{method} {path} {status}");
        for (scopes, app) in &apps {
            let may = scopes.parse::<Scopes>().unwrap().include(Need::scope(need));
            let status = ask(app);
            assert_eq!(status == 403, !may, "{method} {path} {scopes} {status}");
            assert!(status < 500 && status != 401, "{method} {path} {scopes} {status}");
        }
    }
}
