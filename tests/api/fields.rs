//! Each thing that apps are told has the fields without which they break.

use serde_json::{Value, json};

use super::app::{App, OUT_OF_BAND, one_machine};

const ACCOUNT: &str = "id username acct url uri display_name note avatar avatar_static header \
    header_static locked bot group discoverable noindex created_at last_status_at statuses_count \
    followers_count following_count fields emojis roles";
const STATUS: &str = "id uri url created_at edited_at account content visibility sensitive spoiler_text \
    language in_reply_to_id in_reply_to_account_id reblog media_attachments mentions tags emojis \
    reblogs_count favourites_count replies_count poll card application";
const OWN: &str = "favourited reblogged muted bookmarked pinned filtered";
const RELATION: &str = "id following showing_reblogs notifying languages followed_by blocking blocked_by \
    muting muting_notifications requested requested_by domain_blocking endorsed note";
const ONE: &str = "uri title short_description description email version urls stats thumbnail languages \
    registrations approval_required invites_enabled configuration contact_account rules";
const TWO: &str = "domain title version source_url description usage thumbnail icon languages \
    configuration registrations contact rules api_versions";
const CONFIGURATION: &str = "statuses media_attachments polls accounts translation";
const APP: &str =
    "id name website client_id client_secret redirect_uri redirect_uris scopes vapid_key";

#[track_caller]
fn has(value: &Value, fields: &str) {
    for field in fields.split_whitespace() {
        assert!(value.get(field).is_some(), "no {field} in {value}");
    }
}

#[track_caller]
fn has_pictures(account: &Value) {
    for picture in ["avatar", "avatar_static", "header", "header_static"] {
        let address = account[picture].as_str().unwrap_or_default();
        assert!(address.starts_with("http://"), "{picture}: {account}");
    }
    assert!(account["id"].is_string(), "{account}");
}

#[test]
fn everything_told_has_its_fields() {
    let cluster = one_machine();
    let (mut ada, mut ben) = (cluster.person("ada"), cluster.person("ben"));
    ada.join();
    ben.join();
    let ada = App::of(&cluster, &mut ada, "read write follow push profile");
    let ben = App::of(&cluster, &mut ben, "read write");
    let own = ada.get("/api/v1/accounts/verify_credentials").value;
    has(&own, ACCOUNT);
    has(&own, "source role");
    has(&own["source"], "note privacy sensitive language fields follow_requests_count");
    has(&own["role"], "id name permissions color highlighted");
    has_pictures(&own);
    let post = ada.post("/api/v1/statuses", &json!({ "status": "Tea @ben #tea" })).value;
    for field in [STATUS, OWN] {
        has(&post, field);
    }
    assert_eq!(post.get("scheduled_at"), None, "{post}");
    has(&post["mentions"][0], "id username acct url");
    has(&post["tags"][0], "name url");
    has(&post["account"], ACCOUNT);
    let id = post["id"].as_str().unwrap_or_default();
    let stranger = App::introduce(&cluster.address(), "read", OUT_OF_BAND);
    let seen = stranger.get(&format!("/api/v1/statuses/{id}")).value;
    has(&seen, STATUS);
    assert_eq!(seen.get("favourited"), None, "{seen}");
    let repost = ben.post(&format!("/api/v1/statuses/{id}/reblog"), &json!({})).value;
    has(&repost, STATUS);
    has(&repost["reblog"], STATUS);
    let news = ben.get("/api/v1/notifications").value;
    has(&news[0], "id type created_at account status group_key");
    has(&news[0]["status"], STATUS);
    has(&news[0]["account"], ACCOUNT);
    let account = own["id"].as_str().unwrap_or_default();
    has(&ben.post(&format!("/api/v1/accounts/{account}/follow"), &json!({})).value, RELATION);
    has(&ada.get("/api/v1/notifications?types[]=follow").value[0], "id type created_at account");
    has(&stranger.get("/api/v1/instance").value, ONE);
    has(&stranger.get("/api/v2/instance").value, TWO);
    for path in ["/api/v1/instance", "/api/v2/instance"] {
        has(&stranger.get(path).value["configuration"], CONFIGURATION);
    }
    has(&stranger.get("/api/v2/instance").value["configuration"]["urls"], "streaming");
    has(
        &stranger.get("/nodeinfo/2.0").value,
        "version software protocols services usage openRegistrations",
    );
    has(&ada.get("/api/v2/search?q=tea").value, "accounts statuses hashtags");
    has(&ada.get("/api/v2/search?q=tea").value["hashtags"][0], "id name url history following");
    has(&ada.get(&format!("/api/v1/statuses/{id}/context")).value, "ancestors descendants");
    has(&ada.get(&format!("/api/v1/statuses/{id}/source")).value, "id text spoiler_text");
    let earlier = ada.get(&format!("/api/v1/statuses/{id}/history")).value;
    has(&earlier[0], "content spoiler_text sensitive created_at account media_attachments emojis");
    let says = json!({ "client_name": "Fen", "redirect_uris": [OUT_OF_BAND], "scopes": "read" });
    has(&stranger.post("/api/v1/apps", &says).value, APP);
    let path = format!("{}/nonsense", "/api/v1/timelines");
    for (app, path, status) in [
        (&ada, path.as_str(), 404),
        (&ada, "/api/v1/push/subscription", 404),
        (&ada, "/api/v1/polls/1", 404),
        (&ada, "/api/v2/notifications", 404),
        (&stranger, "/api/v1/timelines/home", 401),
    ] {
        let heard = app.get(path);
        assert_eq!((heard.status, heard.text("error").is_empty()), (status, false), "{path}");
        assert_eq!(heard.header("content-type"), Some("application/json; charset=utf-8"));
        for header in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            assert!(heard.header(header).is_some(), "{header}");
        }
    }
}

/// What there is none of here is an empty list, to those who may ask.
#[test]
fn what_there_is_none_of_is_empty() {
    let cluster = one_machine();
    let app = App::joined(&cluster, "ada");
    for path in [
        "/api/v1/custom_emojis",
        "/api/v1/announcements",
        "/api/v1/filters",
        "/api/v2/filters",
        "/api/v1/lists",
        "/api/v1/followed_tags",
        "/api/v1/featured_tags",
        "/api/v1/conversations",
        "/api/v1/trends/tags",
        "/api/v1/trends/statuses",
        "/api/v1/trends/links",
        "/api/v2/suggestions",
        "/api/v1/accounts/familiar_followers",
        "/api/v1/scheduled_statuses",
        "/api/v1/domain_blocks",
        "/api/v1/endorsements",
        "/api/v1/instance/rules",
        "/api/v1/instance/peers",
        "/api/v1/directory",
        "/api/v1/follow_requests",
        "/api/v1/timelines/tag/nobody_used_this",
        "/api/v1/bookmarks/",
    ] {
        let heard = app.get(path);
        assert_eq!((heard.status, &heard.value), (200, &json!([])), "{path}");
    }
    let about = app.get("/api/v1/instance/extended_description");
    has(&about.value, "updated_at content");
    has(&app.get("/api/v1/preferences/").value, "posting:default:visibility reading:expand:media");
    has(&app.get("/api/v1/tags/Tea").value, "name url history following");
}
