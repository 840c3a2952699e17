//! What happens, as it happens: server-sent events.
//!
//! Each part of a stream is a request like any other, made by the gate (`gate/connection/stream.rs`) on
//! behalf of the app after a pause, so neither a worker nor a backend is held between two parts, and each
//! is answered with what the token and its person may see by then. How much was heard stands in the
//! address of the next part, with a code over it, so that no app can make parts of its own, which are not
//! counted as calls.

use serde_json::Value;

use super::params::Params;
use super::route::{self, Row};
use super::{Answer, Answered, Call, bearer, nonsense};
use crate::action::{Action, Heard as Mark, Listen, ListenTo};
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{STREAM_BEAT_MS, STREAM_PAUSE_MS};
use crate::web::ask::Ask;
use crate::web::csrf::FormKey;
use crate::web::handler::Site;
use crate::web::request::{Method, Request};
use crate::web::response::{Content, Location, Response};
use crate::web::session::Session;
use crate::wire::request::{
    AccountView, HeardEvent, HeardPage, NewsReply, NewsView, NewsWhat, Outcome, StatusView,
    Statuses,
};

/// The tree in which streams are.
const TREE: &str = "/api/v1/streaming";
/// What a code over a mark is for.
const PURPOSE: &str = "stream";
/// The field of the next part's address: pauses in silence, what was heard, and the code.
const MARK: &str = "tern_heard";
/// The sign of life: a comment, which no program takes for an event.
const BEAT: &str = ":thump\n";
/// Pauses without a word after which there is one.
const QUIET_MAX: u64 = STREAM_BEAT_MS / STREAM_PAUSE_MS as u64 - 1;

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// None: whether there are streams.
    Health,
    /// The one that the field `stream` names.
    Named,
    Home,
    Everyone,
    Tagged,
}

/// A part of a stream.
pub(super) struct Part {
    content: Content,
    body: String,
    next: Option<Location>,
    listener: Option<UserName>,
}

/// Where a stream is.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// Pauses since the last word.
    quiet: u64,
    mark: Mark,
}

impl Part {
    pub(super) fn into_response(self) -> Response {
        let pause_ms = self.next.is_some().then_some(STREAM_PAUSE_MS);
        let Self { content, body, next, listener } = self;
        Response { next, pause_ms, listener, ..Response::new(200, content, body) }
    }

    fn answer(self) -> Answer {
        Answer { part: Some(Box::new(self)), ..Answer::ok(Value::Null) }
    }
}

/// The token in the address of a stream: programs in a browser cannot send it otherwise.
pub(super) fn token_in_address(request: &Request) -> Option<String> {
    let params = request.path.starts_with(TREE).then(|| Params::read(request).ok())??;
    params.find("access_token").map(str::to_owned)
}

impl Place {
    fn read(text: &str, key: &FormKey) -> Option<Self> {
        let (said, code) = text.split_once('~')?;
        let (quiet, mark) =
            said.split_once('_').filter(|_| key.is_app_code(PURPOSE, said, code))?;
        Some(Self { quiet: quiet.parse().ok()?, mark: mark.parse().ok()? })
    }

    /// The address of the next part.
    fn next(&self, request: &Request, key: &FormKey) -> Option<Location> {
        let said = format!("{}_{}", self.quiet, self.mark);
        let code = key.app_code(PURPOSE, &said);
        let mut address = format!("{}?", request.path);
        for field in request.query.split('&').filter(|field| !field.is_empty() && !is_mark(field)) {
            address.push_str(field);
            address.push('&');
        }
        Location::new(&format!("{address}{MARK}={said}~{code}"))
    }
}

fn is_mark(field: &str) -> bool {
    field.split('=').next() == Some(MARK)
}

/// What a stream's address asks to listen to.
fn listened_to(params: &Params, stream: Stream) -> Result<ListenTo, Answer> {
    let unknown = || Answer::error(400, "Unknown stream");
    match stream {
        Stream::Home => Ok(ListenTo::Home),
        Stream::Everyone => Ok(ListenTo::Everyone),
        Stream::Tagged => {
            let word = params.get("tag").trim_start_matches('#');
            word.parse().map(ListenTo::Tagged).map_err(|_| Answer::error(400, "No tag"))
        }
        Stream::Named => listened_to(
            params,
            match params.get("stream") {
                "user" => Stream::Home,
                "public" | "public:local" => Stream::Everyone,
                "hashtag" | "hashtag:local" => Stream::Tagged,
                _ => return Err(unknown()),
            },
        ),
        Stream::Health => Err(unknown()),
    }
}

impl<A: Ask> Site<A> {
    /// Begins a stream.
    pub(super) fn stream(&self, call: &Call<'_>, stream: Stream) -> Answered {
        if stream == Stream::Health {
            let (content, body) = (Content::Text, "OK".to_owned());
            return Ok(Part { content, body, next: None, listener: None }.answer());
        }
        let to = listened_to(&call.params, stream)?;
        let (_, place) = self.hear_part(call, to, None)?;
        let next = place.next(call.request, &self.form_key);
        let listener = call.bearer.and_then(Session::parse).map(|session| session.user().clone());
        Ok(Part { content: Content::Events, body: BEAT.to_owned(), next, listener }.answer())
    }

    /// The next part of a stream that has begun; nothing if this is none.
    pub(super) fn stream_goes_on(&self, request: &Request) -> Option<Response> {
        if !request.path.starts_with(TREE) || !request.query.split('&').any(is_mark) {
            return None;
        }
        let params = Params::read(request).ok()?;
        let place = Place::read(params.get(MARK), &self.form_key)?;
        let (Row { access, endpoint, .. }, parts) = route::find(Method::Get, &request.path)?;
        let route::Endpoint::Stream(stream) = endpoint else { return None };
        let to = listened_to(&params, *stream).ok()?;
        let in_address = token_in_address(request);
        let bearer = bearer(request.authorization.as_deref()).or(in_address.as_deref());
        let call = Call { request, params, parts, access: *access, bearer };
        let (mut body, mut after) = match self.hear_part(&call, to, Some(&place.mark)) {
            Ok(heard) => heard,
            // Whoever listens need not know that machines are gone: what happens meanwhile is told
            // when one answers.
            Err(Answer { status: 429 | 503, .. }) => {
                (String::new(), Place { quiet: 0, mark: place.mark })
            }
            Err(Answer { status, value, .. }) => {
                return Some(Response::new(status, Content::Json, value.to_string()));
            }
        };
        if body.is_empty() {
            after.quiet = place.quiet + 1;
            if after.quiet > QUIET_MAX {
                BEAT.clone_into(&mut body);
                after.quiet = 0;
            }
        }
        let next = after.next(request, &self.form_key);
        Some(Part { content: Content::Events, body, next, listener: None }.into_response())
    }

    /// Asks what happened, and spells it.
    fn hear_part(
        &self,
        call: &Call<'_>,
        to: ListenTo,
        mark: Option<&Mark>,
    ) -> Result<(String, Place), Answer> {
        let action = Action::Listen(Listen { to, heard: mark.cloned(), marks: true, ends: true });
        let heard = self.ask_with_token(call, None, action)?;
        let Outcome::Heard(HeardPage { events, accounts, heard: mark }) = heard.outcome else {
            return Err(nonsense());
        };
        let viewer = heard.viewer.map(|viewer| viewer.username);
        let viewer = viewer.as_ref();
        let mut body = String::new();
        for event in events {
            let (name, data) = self.spelt_event(event, &accounts, viewer);
            if let Some(data) = data {
                let event = ["event: ", name, "\ndata: ", &data, "\n\n"];
                body.extend(event);
            }
        }
        Ok((body, Place { quiet: 0, mark }))
    }

    /// What apps call an event, and what they are told of it.
    fn spelt_event(
        &self,
        event: HeardEvent,
        accounts: &[AccountView],
        viewer: Option<&UserName>,
    ) -> (&'static str, Option<String>) {
        let page = |status: Option<StatusView>| {
            let statuses = status.into_iter().collect();
            Statuses { statuses, accounts: accounts.to_vec(), older: None }
        };
        let post = |status: Box<StatusView>| {
            self.spelt(&page(Some(*status)), viewer).next().map(|value| value.to_string())
        };
        // Spelt as in the list of what concerns the one who listens.
        let notice = |by: UserName, at: Wall, what: NewsWhat, about: Option<Box<StatusView>>| {
            let place = match (what, &about) {
                (NewsWhat::Named, Some(status)) => status.id,
                _ => PostId::floor_of(at.0),
            };
            let news = vec![NewsView { place, by, at, what }];
            let reply = NewsReply { news, posts: page(about.map(|it| *it)), stopped: None };
            self.spelt_news(&reply, viewer?).next().map(|value| value.to_string())
        };
        match event {
            HeardEvent::Posted(status) => ("update", post(status)),
            HeardEvent::Edited(status) => ("status.update", post(status)),
            HeardEvent::Deleted(post) => ("delete", Some(post.id.to_string())),
            HeardEvent::Named(status) => {
                let (by, at) = (status.post.author.username.clone(), status.post.at);
                ("notification", notice(by, at, NewsWhat::Named, Some(status)))
            }
            HeardEvent::Followed(by, at) => {
                ("notification", notice(by, at, NewsWhat::Followed, None))
            }
            HeardEvent::Liked(status, by, at) => {
                let what = NewsWhat::Liked(status.post.id);
                ("notification", notice(by, at, what, Some(status)))
            }
            HeardEvent::Reposted(status, by, at) => {
                let what = NewsWhat::Reposted(status.post.id);
                ("notification", notice(by, at, what, Some(status)))
            }
            HeardEvent::PollEnded(status, at) => {
                let by = status.post.author.username.clone();
                let what = NewsWhat::PollEnded(status.post.id);
                ("notification", notice(by, at, what, Some(status)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;

    const KEY: FormKey = FormKey::new([7; 32]);

    fn place() -> Place {
        Place { quiet: 3, mark: "2.7.42.1000.5-1f".parse().unwrap() }
    }

    #[test]
    fn place_goes_there_and_back_and_nobody_else_can_make_one() {
        let path = format!("{TREE}/hashtag");
        let query = "tag=tea&tern_heard=0_old~x&local=1".to_owned();
        let request = Request { query, ..request(Method::Get, &path, None) };
        let address = place().next(&request, &KEY).unwrap();
        let (kept, said) = address.as_str().split_once(MARK).unwrap();
        assert_eq!(kept, "/api/v1/streaming/hashtag?tag=tea&local=1&");
        let said = said.strip_prefix('=').unwrap();
        assert_eq!(Place::read(said, &KEY), Some(place()));
        assert_eq!(Place::read(said, &FormKey::new([8; 32])), None);
        for forged in [said.replacen('3', "4", 1), said.replace('~', ""), String::new()] {
            assert_eq!(Place::read(&forged, &KEY), None, "{forged}");
        }
    }
}
