//! What apps are told of a write that may have been saved, and of one that was.

use serde_json::{Value, json};

use super::tests::request;
use crate::action::{Action, ApiRead};
use crate::clock::{Clock, Mono, Wall};
use crate::id::{PostId, RequestId, UserName};
use crate::user::entry::Audience;
use crate::web::ask::{Ask, AskError};
use crate::web::handler::Site;
use crate::web::origin::Origin;
use crate::web::request::{Method, Request};
use crate::web::response::Response;
use crate::wire::request::{
    AccountView, ApiReply, ClusterBrief, Mine, Outcome, Person, PostView, Refusal, Reply,
    Request as WireRequest, Response as WireResponse, ResponseAction, Saved, StatusView, Statuses,
    Viewer,
};

const NOW: Wall = Wall(1_769_862_896_789);
const TOKEN: &str = "ada.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const ID: &str = "115816900853764096";
const NOT_KNOWN: &str = "Not known whether it was saved: send the same again";

type Answer<'a> = dyn Fn(&Action) -> Result<Outcome, AskError> + Sync + 'a;

/// A backend that answers what a test tells it, and whether nobody knows what became of what was sent.
struct Tells<'a>(&'a Answer<'a>, bool);

impl Ask for &Tells<'_> {
    fn ask(&self, _: Option<&UserName>, request: &WireRequest) -> Result<WireResponse, AskError> {
        let outcome = (self.0)(&request.action)?;
        let cluster = ClusterBrief { answered_by: "fen".to_owned(), ..ClusterBrief::default() };
        let viewer = Some(Viewer {
            username: ada().username,
            display_name: "Ada Lind".to_owned(),
            ops: 12,
            pictures_in_s: None,
            news: 0,
            is_keeper: false,
            posts_for: Audience::Quiet,
            hindered: None,
            app: None,
        });
        let data = Reply { viewer, cluster, outcome };
        let session = request.session.clone();
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

    fn is_unsure(&self, _: &RequestId) -> bool {
        self.1
    }
}

fn ada() -> Person {
    let (username, display_name) = ("ada".parse().unwrap(), "Ada Lind".to_owned());
    Person { username, display_name, avatar: None }
}

fn account() -> AccountView {
    AccountView {
        username: ada().username,
        display_name: "Ada Lind".to_owned(),
        bio: String::new(),
        joined_at: NOW,
        avatar: None,
        muted_until: None,
        members_only: false,
        last_post: None,
        followers: 3,
        following: 2,
        posts: 1,
    }
}

/// The post as it stands.
fn post() -> Outcome {
    let id: PostId = ID.parse().unwrap();
    let post = PostView {
        id,
        author: ada(),
        at: Wall(id.at_ms()),
        text: "Tea".to_owned(),
        note: None,
        edited_at: None,
        reposted_by: None,
        mine: Mine::default(),
        liked_by: None,
        audience: Audience::Quiet,
        reply_to: None,
        pictures: Vec::new(),
        poll: None,
        replies: 0,
        mentions: Vec::new(),
        hidden: None,
        sensitive: false,
    };
    let (statuses, accounts) = (vec![StatusView::of(post)], vec![account()]);
    Outcome::Api(Box::new(ApiReply::Statuses(Statuses { statuses, accounts, older: None })))
}

fn saved() -> Outcome {
    Outcome::Saved(Saved { post: ID.parse().ok(), sessions_ended: 0 })
}

fn no_majority() -> Outcome {
    Outcome::Refused(Refusal::NoMajority { reachable: 1, members: 3, needed: 2 })
}

const fn is_read(action: &Action) -> bool {
    matches!(action, Action::Api(_))
}

/// What a backend that answers so has an app told.
fn told(
    (method, path): (Method, &str),
    (answer, is_unsure): (&Answer<'_>, bool),
) -> (Response, Value) {
    let tells = Tells(answer, is_unsure);
    let origin = Origin::parse("https://fen.example", false).unwrap();
    let clock = Clock::manual(Mono(0), NOW);
    let site = Site::new(&tells, "Fen Lane".to_owned(), [7; 32], origin, clock);
    // A repost is for nobody alone.
    let visibility = if path.ends_with("/reblog") { "unlisted" } else { "private" };
    let asked = Request {
        query: format!("status=Coffee&visibility={visibility}&spoiler_text=Drinks"),
        idempotency_key: Some("k1".to_owned()),
        ..request(method, path, Some(TOKEN))
    };
    let response = site.respond(&asked);
    let value = serde_json::from_slice(&response.body).unwrap();
    (response, value)
}

fn writes() -> [(Method, String); 4] {
    let path = format!("/api/v1/statuses/{ID}");
    [
        (Method::Put, path.clone()),
        (Method::Delete, path.clone()),
        (Method::Post, format!("{path}/favourite")),
        (Method::Post, "/api/v1/statuses".to_owned()),
    ]
}

#[test]
fn r0073_read_before_a_write_says_nothing_of_saving_unless_that_is_not_known() {
    for (method, path) in writes() {
        let path = path.as_str();
        for is_unsure in [false, true] {
            let check = |answer: &Answer<'_>, plain: &str| {
                let (response, value) = told((method, path), (answer, is_unsure));
                let expected = if is_unsure { NOT_KNOWN } else { plain };
                assert_eq!(
                    (response.status, &value["error"]),
                    (503, &json!(expected)),
                    "{method:?} {path}"
                );
                assert!(response.retry_after_s.is_some());
            };
            if path != "/api/v1/statuses" {
                check(&|_| Ok(no_majority()), "Too few machines answer; try again");
                check(
                    &|_| Err(AskError::Unreachable { asked: true }),
                    "No machine answers; try again soon",
                );
                let behind = || Outcome::Refused(Refusal::Behind);
                check(&|_| Ok(behind()), "Try again");
            }
        }
        // The write itself says it.
        let (_, value) = told(
            (method, path),
            (&|action| Ok(if is_read(action) { post() } else { no_majority() }), false),
        );
        assert_eq!(value["error"], "Nothing was saved: too few machines answer");
    }
    let path = format!("/api/v1/statuses/{ID}");
    let (_, value) = told((Method::Get, &path), (&|_| Ok(no_majority()), true));
    assert_eq!(value["error"], "Too few machines answer; try again", "nothing was to be saved");
}

#[test]
fn r0076_write_that_was_sent_and_not_answered_is_not_known() {
    for (method, path) in writes() {
        let path = path.as_str();
        for (asked, expected) in [(true, NOT_KNOWN), (false, "No machine answers; try again soon")]
        {
            let answer = |action: &Action| {
                if is_read(action) { Ok(post()) } else { Err(AskError::Unreachable { asked }) }
            };
            let (response, value) = told((method, path), (&answer, false));
            assert_eq!((response.status, &value["error"]), (503, &json!(expected)), "{path}");
        }
    }
}

#[test]
fn r0077_post_that_was_saved_is_told_as_saved_whatever_can_be_read_of_it() {
    let lost = [
        || Ok(Outcome::Refused(Refusal::NotFound)),
        || Ok(Outcome::Refused(Refusal::Behind)),
        || Ok(no_majority()),
        || Err(AskError::Unreachable { asked: true }),
    ];
    for lost in lost {
        let answer = |action: &Action| match action {
            Action::Api(ApiRead::Account { .. }) => {
                Ok(Outcome::Api(Box::new(ApiReply::Account(account()))))
            }
            Action::Api(_) => lost(),
            _ => Ok(saved()),
        };
        let (response, value) = told((Method::Post, "/api/v1/statuses"), (&answer, false));
        assert_eq!((response.status, &value["id"]), (200, &json!(ID)), "{value}");
        let said = ["content", "spoiler_text", "visibility"].map(|name| value[name].clone());
        assert_eq!(said, ["<p>Coffee</p>", "Drinks", "private"]);
        assert_eq!(value["account"]["followers_count"], 3);
        // Nor can it be told who wrote it: it is not said that it may be sent again.
        let answer = |action: &Action| if is_read(action) { lost() } else { Ok(saved()) };
        let (response, value) = told((Method::Post, "/api/v1/statuses"), (&answer, false));
        let expected = "It was saved, and cannot be shown just now";
        assert_eq!((response.status, &value["error"]), (503, &json!(expected)));
    }
}

#[test]
fn r0077_edit_or_mark_that_was_saved_is_told_as_saved() {
    let path = format!("/api/v1/statuses/{ID}");
    let told = |method, path: &str| {
        let is_done = std::sync::atomic::AtomicBool::new(false);
        let answer = |action: &Action| {
            let lost = Outcome::Refused(Refusal::NotFound);
            let was_done = is_done.load(std::sync::atomic::Ordering::SeqCst);
            is_done.fetch_or(!is_read(action), std::sync::atomic::Ordering::SeqCst);
            Ok(match (is_read(action), was_done) {
                (false, _) => saved(),
                (true, true) => lost,
                (true, false) => post(),
            })
        };
        let (response, value) = told((method, path), (&answer, false));
        assert_eq!((response.status, &value["id"]), (200, &json!(ID)), "{path} {value}");
        value
    };
    let edited = told(Method::Put, &path);
    assert_eq!(
        (&edited["content"], &edited["spoiler_text"]),
        (&json!("<p>Coffee</p>"), &json!("Drinks"))
    );
    assert_eq!(
        (&edited["visibility"], edited["edited_at"].is_string()),
        (&json!("unlisted"), true)
    );
    for (act, field, is) in [
        ("favourite", "favourited", true),
        ("unfavourite", "favourited", false),
        ("bookmark", "bookmarked", true),
        ("reblog", "reblogged", true),
        ("pin", "pinned", true),
        ("mute", "muted", true),
    ] {
        let marked = told(Method::Post, &format!("{path}/{act}"));
        assert_eq!(
            (&marked[field], &marked["content"]),
            (&json!(is), &json!("<p>Tea</p>")),
            "{act}"
        );
    }
}
