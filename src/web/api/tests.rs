//! Each address of the table, asked by everybody who might ask.

use parking_lot::Mutex;

use super::entity::account_id;
use super::route::{Access, Row, TABLE};
use crate::clock::{Clock, Mono, Wall};
use crate::id::UserName;
use crate::web::ask::{Ask, AskError};
use crate::web::handler::Site;
use crate::web::origin::Origin;
use crate::web::request::{Method, Request};
use crate::web::response::{Content, Response};
use crate::wire::request::{
    ClusterBrief, Hindered, Need, Outcome, Refusal, Reply, Request as WireRequest,
    Response as WireResponse, ResponseAction, Scopes,
};

const NOW: Wall = Wall(1_769_862_896_789);
const TOKEN: &str = "ada.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A backend that finds that the app may not do it, whatever it is, and keeps what it was asked.
#[derive(Default)]
struct Strict {
    asked: Mutex<Vec<WireRequest>>,
}

impl Ask for &Strict {
    fn ask(&self, _: Option<&UserName>, request: &WireRequest) -> Result<WireResponse, AskError> {
        self.asked.lock().push(request.clone());
        let cluster = ClusterBrief { answered_by: "fen".to_owned(), ..ClusterBrief::default() };
        let outcome = Outcome::Refused(Refusal::Scope);
        let data = Reply { viewer: None, cluster, outcome };
        Ok(WireResponse { session: None, action: ResponseAction::Response, data })
    }

    fn ask_beside(
        &self,
        about: Option<&UserName>,
        request: &WireRequest,
        _: &[u8],
    ) -> Result<(WireResponse, Vec<u8>), AskError> {
        self.ask(about, request).map(|response| (response, Vec::new()))
    }
}

fn site(strict: &Strict) -> Site<&Strict> {
    let origin = Origin::parse("https://fen.example", false).unwrap();
    Site::new(strict, "Fen Lane".to_owned(), [7; 32], origin, Clock::manual(Mono(0), NOW))
}

pub(super) fn request(method: Method, path: &str, token: Option<&str>) -> Request {
    Request {
        query: "acct=ada&q=ada&status=Hello&stream=public&tag=tea".to_owned(),
        cookie: Some(format!("__Host-s={TOKEN}")),
        authorization: token.map(|token| format!("Bearer {token}")),
        ..Request::bare(method, path)
    }
}

/// An address of a row, with something that may stand in place of each `:`.
fn address(row: &Row) -> String {
    let account = account_id(&"ben".parse().unwrap(), NOW);
    let any = if row.path.contains("accounts") { account.as_str() } else { "115816900853764096" };
    let any = if row.path.contains("tag") && !row.path.contains("accounts") { "tea" } else { any };
    let news = format!("115816900853764096{:039}", 0);
    let any = if row.path.contains("notifications") { news.as_str() } else { any };
    row.path.replace(':', any)
}

fn ask(row: &Row, token: Option<&str>) -> (Response, Vec<Option<Need>>) {
    let strict = Strict::default();
    let response = site(&strict).respond(&request(row.method, &address(row), token));
    let asked = strict.asked.lock();
    assert!(asked.iter().all(|it| it.session.is_some() == it.need.is_some()), "{row:?}");
    let needs = asked.iter().map(|it| it.need).collect();
    drop(asked);
    (response, needs)
}

fn error_of(response: &Response) -> String {
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    body["error"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn each_address_asks_for_its_scope_and_nothing_without_a_token() {
    for row in TABLE {
        let (stranger, asked) = ask(row, None);
        let (with_token, asked_with_token) = ask(row, Some(TOKEN));
        let is_json = stranger.content == Content::Json;
        assert!(is_json || row.path == "/api/v1/streaming/health", "{row:?}");
        match row.access {
            Access::User(need) => {
                assert_eq!((stranger.status, asked.len()), (401, 0), "{row:?}");
                assert_eq!(
                    (with_token.status, asked_with_token),
                    (403, vec![Some(need)]),
                    "{row:?}"
                );
                assert!(!error_of(&with_token).is_empty());
            }
            Access::App => {
                assert_eq!((stranger.status, asked.len()), (401, 0), "{row:?}");
                assert_eq!(asked_with_token, [Some(Need::ANY_APP)], "{row:?}");
            }
            Access::Public(need) => {
                assert!(asked.iter().all(Option::is_none), "{row:?}");
                assert!(asked_with_token.iter().all(|it| *it == Some(need)), "{row:?}");
            }
            // A token is not even looked at, nor is a cookie anywhere.
            Access::Open => assert!(asked_with_token.iter().all(Option::is_none), "{row:?}"),
        }
        assert!(stranger.cookies.is_empty() && with_token.cookies.is_empty());
    }
}

/// Strangers of two addresses could keep all of them, and members had none.
#[test]
fn r0183_streams_are_for_members() {
    let streams: Vec<_> = TABLE.iter().filter(|row| row.path.contains("/streaming")).collect();
    assert_eq!(streams.len(), 7);
    for row in streams {
        let is_stream = row.path != "/api/v1/streaming/health";
        assert_eq!(matches!(row.access, Access::User(_)), is_stream, "{row:?}");
    }
}

#[test]
fn unknown_address_and_bad_token_told_in_json() {
    let strict = Strict::default();
    let site = site(&strict);
    for (method, path, token, status) in [
        (Method::Get, "/api/v1/nonsense", None, 404),
        (Method::Get, "/api/v1/push/subscription", Some(TOKEN), 404),
        (Method::Delete, "/api/v1/instance", None, 404),
        (Method::Get, "/api/v1/timelines/home", Some("nobody"), 401),
        (Method::Get, "/api/v1/timelines/home", Some("ada.short"), 401),
        (Method::Get, "/api/v1/accounts/17", None, 404),
        (Method::Get, "/api/v1/statuses/x", None, 404),
        (Method::Options, "/api/v1/statuses", None, 200),
    ] {
        let response = site.respond(&request(method, path, token));
        assert_eq!(response.status, status, "{path}");
        assert_eq!(error_of(&response).is_empty(), status == 200, "{path}");
        let head = response.app.unwrap();
        assert_eq!(head.limit, 300);
        assert!(head.remaining < 300 && head.reset.ends_with('Z'));
    }
    assert!(strict.asked.lock().is_empty());
}

/// A stranger's body is not even read where a token is wanted.
#[test]
fn strangers_refused_before_what_they_send_is_read() {
    let strict = Strict::default();
    let site = site(&strict);
    for (token, status) in [(None, 401), (Some(TOKEN), 422)] {
        let asked = Request {
            content_type: Some("application/json".to_owned()),
            body: b"{".to_vec(),
            ..request(Method::Post, "/api/v1/statuses", token)
        };
        assert_eq!(site.respond(&asked).status, status, "{token:?}");
    }
    assert!(strict.asked.lock().is_empty());
}

/// It was posted, and for everybody.
#[test]
fn post_whose_audience_makes_no_sense_is_asked_of_nobody() {
    let strict = Strict::default();
    let site = site(&strict);
    let sent = |path: &str, query: &str, body: &str| Request {
        query: query.to_owned(),
        content_type: Some("application/json".to_owned()),
        body: body.as_bytes().to_vec(),
        ..request(Method::Post, path, Some(TOKEN))
    };
    let one = "Validation failed: visibility is one value";
    for (query, body) in [
        ("", r#"{"status":"x","visibility":["private"]}"#),
        ("visibility[]=direct", r#"{"status":"x"}"#),
        ("", r#"{"status":"x","visibility":[]}"#),
    ] {
        let response = site.respond(&sent("/api/v1/statuses", query, body));
        assert_eq!((response.status, error_of(&response).as_str()), (422, one), "{query} {body}");
    }
    let odd =
        r#"{"status":"x","poll":{"options":["a","b"],"expires_in":300,"hide_totals":"maybe"}}"#;
    assert_eq!(site.respond(&sent("/api/v1/statuses", "", odd)).status, 422);
    let twice = site.respond(&sent("/oauth/token", "code=a", r#"{"code":"b"}"#));
    assert_eq!((twice.status, error_of(&twice).as_str()), (400, "invalid_request"));
    assert!(strict.asked.lock().is_empty());
}

/// A site that counts calls.
fn counting(knows: &Knows) -> Site<&Knows> {
    let origin = Origin::parse("https://fen.example", false).unwrap();
    Site::new(knows, "Fen Lane".to_owned(), [7; 32], origin, Clock::manual(Mono(0), NOW))
}

/// Something that only somebody signed in is told.
const HOME: &str = "/api/v1/timelines/home";

#[test]
fn calls_beyond_the_limit_told_to_wait() {
    let knows = Knows(Role::With("read"));
    let site = counting(&knows);
    let ask = || site.respond(&request(Method::Get, HOME, Some(TOKEN)));
    for _ in 0..300 {
        assert_eq!(ask().status, 404);
    }
    let refused = ask();
    assert_eq!((refused.status, refused.retry_after_s), (429, Some(300)));
    // Another person is not in the way.
    let other = site.respond(&request(Method::Get, "/api/v1/custom_emojis", None));
    assert_eq!(other.status, 200);
}

/// What stands in a token proves nothing before it opened a session: whoever makes up tokens, or has an
/// app's own, would have as many calls as they like.
#[test]
fn r0054_tokens_that_open_no_session_have_no_calls_of_their_own() {
    let knows = Knows(Role::With("read"));
    let site = counting(&knows);
    let ask = |path: &str, token: Option<&str>, from: &str| {
        let client = from.parse().unwrap();
        let response = site.respond(&Request { client, ..request(Method::Get, path, token) });
        let remaining = response.app.as_ref().unwrap().remaining;
        (response.status, remaining)
    };
    // One that opened a session has its own, and takes none from those beside it.
    let (emojis, here) = ("/api/v1/custom_emojis", "192.0.2.1");
    assert_eq!(ask(HOME, Some(TOKEN), here), (404, 299));
    let own = own_token(&site);
    for n in 0..100 {
        let made_up = format!("nobody{n}");
        assert_eq!(ask(emojis, Some(&made_up), here), (200, 299 - 3 * n));
        assert_eq!(ask(HOME, Some(&made_up), here), (401, 298 - 3 * n));
        assert_eq!(ask(emojis, Some(&own), here), (200, 297 - 3 * n));
    }
    let unknown = format!("eve.{}", "A".repeat(43));
    for token in [None, Some("nobody"), Some(&own), Some(&unknown)] {
        for path in [emojis, HOME] {
            assert_eq!(ask(path, token, here), (429, 0), "{path} {token:?}");
        }
    }
    assert_eq!(ask(HOME, Some(TOKEN), here), (404, 298));
    // A household has one network of IPv6.
    for n in 0..300 {
        assert_eq!(ask(emojis, None, &format!("2001:db8:1:2::{n:x}")), (200, 299 - n));
    }
    assert_eq!(ask(emojis, None, "2001:db8:1:2:ffff::1").0, 429);
    assert_eq!(ask(emojis, None, "2001:db8:1:3::1").0, 200);
}

/// The app's session was ended.
#[test]
fn r0054_token_that_opens_nothing_any_more_counts_by_its_address() {
    let knows = Knows(Role::Ended);
    let site = counting(&knows);
    let ask = || site.respond(&request(Method::Get, HOME, Some(TOKEN)));
    for _ in 0..300 {
        assert_eq!(ask().status, 401);
    }
    assert_eq!(ask().status, 429);
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Nobody,
    /// An app for itself, which may read.
    OwnApp,
    /// Apps for somebody, with these scopes.
    With(&'static str),
    Ended,
    Suspended,
}

/// A backend that knows what each role may, and has nothing to show.
struct Knows(Role);

impl Ask for &Knows {
    fn ask(&self, _: Option<&UserName>, request: &WireRequest) -> Result<WireResponse, AskError> {
        let cluster = ClusterBrief { answered_by: "fen".to_owned(), ..ClusterBrief::default() };
        let may = |scopes: &str, need| scopes.parse::<Scopes>().unwrap().include(need);
        let (refusal, is_open) = match (self.0, request.need) {
            (_, None) => (Refusal::NotFound, false),
            (Role::With(scopes), Some(need)) if !may(scopes, need) => (Refusal::Scope, false),
            (Role::Suspended, Some(need)) if need != Need::ANY_APP => {
                let reason = "Too loud.".to_owned();
                (Refusal::Hindered(Hindered::Suspended { until: None, reason }), false)
            }
            (Role::With(_) | Role::Suspended, Some(_)) => (Refusal::NotFound, true),
            (Role::Ended | Role::Nobody | Role::OwnApp, Some(_)) => (Refusal::SignedOut, false),
        };
        let session = request.session.clone().filter(|_| is_open);
        let data = Reply { viewer: None, cluster, outcome: Outcome::Refused(refusal) };
        Ok(WireResponse { session, action: ResponseAction::Response, data })
    }

    fn ask_beside(
        &self,
        about: Option<&UserName>,
        request: &WireRequest,
        _: &[u8],
    ) -> Result<(WireResponse, Vec<u8>), AskError> {
        self.ask(about, request).map(|response| (response, Vec::new()))
    }
}

/// What a role is answered at an address: the status of a refusal, or none where it may ask.
fn refused_with(role: Role, access: Access) -> Option<u16> {
    let has = |need: Need, kinds: &[&str]| kinds.iter().any(|kind| need.as_str().starts_with(kind));
    match (role, access) {
        (_, Access::Open)
        | (Role::Nobody, Access::Public(_))
        | (Role::OwnApp | Role::Suspended | Role::With(_), Access::App) => None,
        (Role::Nobody, Access::User(_) | Access::App) | (Role::Ended, _) => Some(401),
        (Role::OwnApp, Access::User(_)) => Some(422),
        (Role::OwnApp, Access::Public(need)) => (!has(need, &["read"])).then_some(403),
        (Role::With(scopes), Access::User(need) | Access::Public(need)) => {
            let kinds: Vec<_> = scopes.split(' ').collect();
            (!has(need, &kinds)).then_some(403)
        }
        (Role::Suspended, Access::User(_) | Access::Public(_)) => Some(403),
    }
}

fn own_token(site: &Site<&Knows>) -> String {
    let ask = |path: &str, query: String| {
        let asked = Request { query, ..request(Method::Post, path, None) };
        let body: serde_json::Value = serde_json::from_slice(&site.respond(&asked).body).unwrap();
        move |field: &str| body[field].as_str().unwrap().to_owned()
    };
    let app =
        ask("/api/v1/apps", "client_name=Fen&redirect_uris=urn:ietf:wg:oauth:2.0:oob".to_owned());
    let (id, secret) = (app("client_id"), app("client_secret"));
    let asked = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    ask("/oauth/token", asked)("access_token")
}

#[test]
fn each_role_may_at_each_address_what_the_table_says() {
    let roles = [
        Role::Nobody,
        Role::OwnApp,
        Role::With("read"),
        Role::With("write"),
        Role::With("read write"),
        Role::Ended,
        Role::Suspended,
    ];
    for role in roles {
        let knows = Knows(role);
        let origin = Origin::parse("https://fen.example", false).unwrap();
        let clock = Clock::manual(Mono(0), NOW);
        let site = Site::new(&knows, "Fen Lane".to_owned(), [7; 32], origin, clock);
        let site = site.with_apps(Some(0), false);
        let token = match role {
            Role::Nobody => None,
            Role::OwnApp => Some(own_token(&site)),
            Role::With(_) | Role::Ended | Role::Suspended => Some(TOKEN.to_owned()),
        };
        for row in TABLE {
            let heard = site.respond(&request(row.method, &address(row), token.as_deref()));
            let (status, expected) = (heard.status, refused_with(role, row.access));
            let is_refused = [401, 403].contains(&status);
            // The sign-in addresses refuse, in their own words, who brings no app.
            let is_sign_in = row.path.starts_with("/oauth/");
            match expected {
                Some(expected) => assert_eq!(status, expected, "{role:?} {row:?}"),
                None => assert!(!is_refused || is_sign_in, "{role:?} {row:?} {status}"),
            }
        }
    }
}
