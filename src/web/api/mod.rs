//! What apps ask and hear: the client API that Mastodon's apps speak, in JSON.
//!
//! - `route`: the table of all addresses with who may use each. `params`: what a request brings,
//!   of which `leaf` reads the JSON. `shape`: what its fields may look like.
//! - `rate`: how often an app may ask. `client`: an app that has introduced itself.
//! - `oauth`: how an app comes by its token. `instance`: what there is to know of the site.
//!   `account`, `people`: members. `status`, `write`: posts. `search`: finding both. `stream`: what
//!   happens, as it happens. `paging`: where in a list. `list`: how one is
//!   written. `entity`: how things are spelt. `news`, `marks`:
//!   what concerns somebody, and up to where they have read. `media`: pictures.
//!
//! Invariants:
//! - Whatever goes wrong is answered in JSON, and nothing of it by 5xx that the request caused.
//! - A token is looked at by the backend together with the scope that the table asks for, in one
//!   request: nothing is done between the check and the act.
//! - No cookie is read here and none is set.

mod account;
pub(super) mod authorize;
pub(super) mod client;
mod detail;
mod entity;
mod instance;
mod leaf;
mod list;
mod marks;
mod media;
mod news;
mod oauth;
mod paging;
pub(crate) mod params;
mod password;
mod people;
mod poll;
pub(super) mod rate;
mod report;
mod route;
mod search;
mod shape;
mod status;
mod stream;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod told_tests;
mod write;

use serde_json::{Value, json};

use super::app_head::AppHead;
use super::ask::{Ask, AskError};
use super::backends::is_write;
use super::handler::{Heard, Site};
use super::page::problem::problem;
use super::request::{Method, Request};
use super::response::{Content, Response};
use super::session::Session;
use super::words::Lang;
use crate::action::{Action, RequestKey, StatusList};
use crate::id::{Hash128, UserName};
use crate::limits::{API_ACCOUNTS_MAX, API_STATUSES_MAX, BEHIND_RETRY_S, NO_MAJORITY_RETRY_S};
use crate::wire::request::{
    ApiReply, FieldProblem, Need, Outcome, Refusal, Request as WireRequest,
};
use params::Params;
use rate::Caller;
use route::{Access, Endpoint, Media, News, Row};
use stream::Part;

/// One request of an app.
struct Call<'a> {
    request: &'a Request,
    params: Params,
    /// What stands in place of each `:` of the address.
    parts: Vec<&'a str>,
    access: Access,
    /// The token, as sent.
    bearer: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// What stands in place of the first `:`.
    fn part(&self) -> &'a str {
        self.parts.first().copied().unwrap_or_default()
    }
}

/// What an app is answered.
struct Answer {
    status: u16,
    value: Value,
    /// What is said instead of the value, as JSON.
    written: Option<String>,
    link: Option<String>,
    retry_after_s: Option<u32>,
    /// What is said instead, in a stream.
    part: Option<Box<Part>>,
}

/// An answer, or why there is none, which is one as well.
type Answered = Result<Answer, Answer>;

impl Answer {
    /// It was done, and here is what came of it.
    const fn ok(value: Value) -> Self {
        Self { status: 200, value, written: None, link: None, retry_after_s: None, part: None }
    }

    /// It was not, and why, for a person.
    fn error(status: u16, error: &str) -> Self {
        Self { status, ..Self::ok(json!({ "error": error })) }
    }

    /// It was not, in OAuth's words.
    fn oauth(status: u16, error: &str, why: &str) -> Self {
        let value = json!({ "error": error, "error_description": why });
        Self { status, ..Self::ok(value) }
    }

    /// No token, or one that opens nothing.
    fn unauthorized() -> Self {
        Self::error(401, "The access token is invalid")
    }

    /// There is no such thing, or it is not for the eyes of the one who asks.
    fn not_found() -> Self {
        Self::error(404, "Record not found")
    }
}

impl<A: Ask> Site<A> {
    /// Answers an app. `request` is to an address for apps.
    pub(super) fn respond_to_app(&self, request: &Request) -> Response {
        if let Some(part) = self.stream_goes_on(request) {
            return part;
        }
        let in_address = stream::token_in_address(request);
        let bearer = bearer(request.authorization.as_deref()).or(in_address.as_deref());
        let token = bearer.map(|token| client::hash(&[token]));
        let caller = self.calls.caller(token, request.client);
        let now = self.clock.wall();
        let mut standing = self.calls.count(&caller, now);
        let answer = if request.method == Method::Options {
            Answer::ok(json!({}))
        } else if standing.is_over {
            let seconds = (standing.reset.0.saturating_sub(now.0)).div_ceil(1_000);
            let retry_after_s = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
            Answer { retry_after_s, ..Answer::error(429, "Too many requests") }
        } else {
            self.call(request, bearer).unwrap_or_else(|refused| refused)
        };
        if let Some(after) = self.judged((token, &caller), answer.status, request) {
            standing = self.calls.count(&after, now);
        }
        let head = AppHead {
            limit: standing.limit,
            remaining: standing.remaining,
            reset: entity::time(standing.reset),
            link: answer.link,
            asks_token: answer.status == 401,
            request_id: request.id.clone(),
        };
        let retry_after_s = answer.retry_after_s;
        let app = Some(Box::new(head));
        if let Some(part) = answer.part {
            return Response { app, ..part.into_response() };
        }
        let body = answer.written.unwrap_or_else(|| answer.value.to_string());
        Response { retry_after_s, app, ..Response::new(answer.status, Content::Json, body) }
    }

    /// Whose call it was after all, if not that of the caller as whose it was let in: what a token is worth
    /// shows only when a backend has looked at it.
    fn judged(
        &self,
        (token, caller): (Option<Hash128>, &Caller),
        status: u16,
        request: &Request,
    ) -> Option<Caller> {
        let token = token?;
        if matches!(caller, Caller::Token(_)) {
            let is_over = status == 401;
            return is_over.then(|| {
                self.calls.ended(token);
                Caller::at(request.client)
            });
        }
        let after = self.calls.caller(Some(token), request.client);
        let has_opened = matches!(after, Caller::Token(_));
        has_opened.then(|| {
            self.calls.take_back(caller);
            after
        })
    }

    fn call(&self, request: &Request, bearer: Option<&str>) -> Answered {
        let Some((row, parts)) = route::find(request.method, &request.path) else {
            return Err(Answer::not_found());
        };
        let Row { access, endpoint, .. } = row;
        // What a stranger may not do is not even read.
        if matches!(access, Access::App | Access::User(_)) && bearer.is_none() {
            return Err(Answer::unauthorized());
        }
        let params = Params::read(request);
        let params = params.map_err(|error| Answer::error(422, &error.to_string()))?;
        shape::check(*endpoint, &params).map_err(|why| match endpoint {
            Endpoint::Token | Endpoint::Revoke => Answer::oauth(400, "invalid_request", &why),
            _ => Answer::error(422, &why),
        })?;
        let call = Call { request, params, parts, access: *access, bearer };
        match endpoint {
            Endpoint::Nothing => self.nothing(&call),
            Endpoint::Instance1 => self.instance(&call, instance::Version::One),
            Endpoint::Instance2 => self.instance(&call, instance::Version::Two),
            Endpoint::Rules => Ok(Answer::ok(json!([]))),
            Endpoint::About => self.about(&call),
            Endpoint::NodeinfoLinks => Ok(self.nodeinfo_links()),
            Endpoint::Nodeinfo => self.nodeinfo(&call),
            Endpoint::SignIn => Ok(self.sign_in_metadata()),
            Endpoint::Introduce => self.introduce(&call),
            Endpoint::Token => self.token(&call),
            Endpoint::Revoke => self.revoke(&call),
            Endpoint::WhichApp => self.which_app(&call),
            Endpoint::Myself => self.myself(&call),
            Endpoint::Account => self.account(&call, call.part()),
            Endpoint::Accounts => {
                self.several(&call, API_ACCOUNTS_MAX, &|id| self.account(&call, id))
            }
            Endpoint::Lookup => self.lookup(&call),
            Endpoint::UpdateMyself => self.update_myself(&call),
            Endpoint::Preferences => self.preferences(&call),
            other => self.call_people_and_posts(&call, *other),
        }
    }

    fn call_people_and_posts(&self, call: &Call<'_>, endpoint: Endpoint) -> Answered {
        match endpoint {
            Endpoint::Relationships => self.relationships(call),
            Endpoint::SearchAccounts => self.search_accounts(call),
            Endpoint::Search => self.search_all(call),
            Endpoint::Stream(stream) => self.stream(call, stream),
            Endpoint::Tag => self.tag_named(call),
            Endpoint::People(list) => self.people_listed(call, list),
            Endpoint::Tie(tie) => self.tie(call, tie),
            Endpoint::AccountStatuses => self.account_statuses(call),
            Endpoint::PostStatus => self.post_status(call),
            Endpoint::Status => self.one_status(call, call.part()),
            Endpoint::Statuses => {
                self.several(call, API_STATUSES_MAX, &|id| self.one_status(call, id))
            }
            Endpoint::Context => self.context(call),
            Endpoint::Source => self.source(call),
            Endpoint::EditStatus => self.edit_status(call),
            Endpoint::DeleteStatus => self.delete_status(call),
            Endpoint::Mark(mark, on) => self.mark_status(call, mark, on),
            Endpoint::Home => self.statuses(call, StatusList::Home),
            Endpoint::Public => self.public_timeline(call),
            Endpoint::Tagged => self.tag_timeline(call),
            Endpoint::Bookmarks => self.statuses(call, StatusList::Bookmarks),
            Endpoint::Favourites => self.statuses(call, StatusList::Favourites),
            Endpoint::DoneBy(what) => self.done_by(call, what),
            Endpoint::History => self.status_history(call),
            Endpoint::News(news) => self.call_news(call, news),
            Endpoint::Media(media) => self.call_media(call, media),
            Endpoint::Report => self.report(call),
            Endpoint::Poll => self.one_poll(call),
            Endpoint::Vote => self.vote(call),
            _ => Err(Answer::not_found()),
        }
    }

    fn call_media(&self, call: &Call<'_>, media: Media) -> Answered {
        match media {
            Media::MaySend => self.may_send(call),
            Media::Send => self.send_picture(call),
            Media::One => self.one_picture(call),
            Media::Describe => self.describe_picture(call),
            Media::RemoveAvatar => self.remove_avatar(call),
        }
    }

    fn call_news(&self, call: &Call<'_>, news: News) -> Answered {
        match news {
            News::List => self.notifications(call),
            News::One => self.notification(call),
            News::Clear => self.clear_notifications(call),
            News::Dismiss => self.dismiss_notification(call),
            News::Unread => self.unread_count(call),
            News::Markers => self.markers(call),
            News::SetMarkers => self.set_markers(call),
        }
    }

    /// An empty list, to those who may ask for it.
    fn nothing(&self, call: &Call<'_>) -> Answered {
        if call.access != Access::Open && call.bearer.is_some() {
            self.ask_with_token(call, None, Action::CheckSession)?;
        }
        Ok(Answer::ok(json!([])))
    }

    /// Asks a backend with the token and the scope that the address takes.
    fn ask_with_token(
        &self,
        call: &Call<'_>,
        about: Option<&UserName>,
        action: Action,
    ) -> Result<Heard, Answer> {
        self.ask_with_token_beside(call, about, (action, &[]))
    }

    /// The same with bytes beside the request.
    fn ask_with_token_beside(
        &self,
        call: &Call<'_>,
        about: Option<&UserName>,
        asked: (Action, &[u8]),
    ) -> Result<Heard, Answer> {
        let need = match call.access {
            Access::Open => None,
            Access::App => Some(Need::ANY_APP),
            Access::Public(need) | Access::User(need) => Some(need),
        };
        let for_nobody = call.bearer.and_then(|token| self.own_token(token));
        let session = match (call.bearer.filter(|_| need.is_some()), &for_nobody) {
            (None, _) => None,
            (Some(_), Some(_)) if matches!(call.access, Access::User(_)) => {
                let why = "This method requires an authenticated user";
                return Err(Answer::error(422, why));
            }
            (Some(_), Some(own)) => match need {
                Some(need) if !own.scopes.include(need) => return Err(out_of_scope()),
                _ => None,
            },
            (Some(token), None) => Some(self.session_of(token).ok_or_else(Answer::unauthorized)?),
        };
        let need = need.filter(|_| session.is_some());
        let is_write = is_write(&asked.0);
        let unread = |answer| if is_write { answer } else { self.unread(call, answer) };
        let heard = self.hear_for_app(session.as_ref(), about, need, asked).map_err(unread)?;
        let is_known = session.is_none() || heard.session.is_some();
        if let Some(token) = call.bearer.filter(|_| heard.session.is_some()) {
            self.calls.opened(client::hash(&[token]));
        }
        let refusal = match &heard.outcome {
            Outcome::Refused(refusal) => heard.honest(refusal),
            _ if is_known => return Ok(heard),
            _ if heard.is_over => return Err(Answer::unauthorized()),
            _ => heard.honest(&Refusal::SignedOut),
        };
        Err(if is_write { refused(&refusal) } else { self.unread(call, not_read(&refusal)) })
    }

    /// What is told of a read that failed: it says nothing of what was saved. Where it came before a write
    /// that may have been saved when it was sent before, that is told.
    fn unread(&self, call: &Call<'_>, answer: Answer) -> Answer {
        let is_for_write = !matches!(call.request.method, Method::Get | Method::Head);
        let is_unsure = || Self::sent_id(call).is_some_and(|id| self.ask.is_unsure(&id));
        let is_not_known = answer.status == 503 && is_for_write && is_unsure();
        if is_not_known { refused(&Refusal::Unknown) } else { answer }
    }

    /// A token's session, with the version that its person's apps saw last.
    fn session_of(&self, token: &str) -> Option<Session> {
        let session = Session::parse(token).filter(|_| !token.contains('@'))?;
        let seen = self.calls.seen(session.user());
        seen.and_then(|seen| Session::parse(&format!("{token}@{seen}"))).or(Some(session))
    }

    /// One request to a backend for an app.
    fn hear_for_app(
        &self,
        session: Option<&Session>,
        about: Option<&UserName>,
        need: Option<Need>,
        (action, beside): (Action, &[u8]),
    ) -> Result<Heard, Answer> {
        let about = session.map(Session::user).or(about);
        let secret = session.map(Session::secret);
        let read_to = session.and_then(|session| self.calls.marks.news(session.user()));
        let is_write = is_write(&action);
        let request = WireRequest { session: secret, read_to, need, action };
        let asked = self.ask.ask_beside(about, &request, beside);
        let (response, _) = asked.map_err(|error| unreached(error, is_write))?;
        let heard = Heard::of(response, session);
        if let Some(session) = &heard.session
            && let Some((_, version)) = session.secret().rsplit_once('@')
        {
            self.calls.saw(session.user(), version);
        }
        Ok(heard)
    }
}

/// No backend answered. One that was asked may have done it.
fn unreached(AskError::Unreachable { asked }: AskError, is_write: bool) -> Answer {
    if asked && is_write {
        return refused(&Refusal::Unknown);
    }
    let retry_after_s = Some(NO_MAJORITY_RETRY_S);
    Answer { retry_after_s, ..Answer::error(503, "No machine answers; try again soon") }
}

/// A key that no other act has.
fn fresh() -> Result<RequestKey, Answer> {
    super::csrf::fresh_key(None).map_err(|error| {
        log::error!(error:%; "key not made");
        Answer::error(500, "Something went wrong")
    })
}

/// The token that an app shows.
pub(crate) fn bearer(authorization: Option<&str>) -> Option<&str> {
    let (kind, token) = authorization?.trim().split_once(' ')?;
    kind.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

/// What a backend told an app.
fn told(heard: &mut Heard) -> Result<ApiReply, Answer> {
    match std::mem::replace(&mut heard.outcome, Outcome::Checked) {
        Outcome::Api(reply) => Ok(*reply),
        _ => Err(nonsense()),
    }
}

/// A backend answered another question than was asked.
fn nonsense() -> Answer {
    log::error!("a backend answered an app another question than was asked");
    Answer::error(500, "Something went wrong")
}

fn out_of_scope() -> Answer {
    Answer::error(403, "This action is outside the authorized scopes")
}

/// What is wrong with what was sent, as the pages say it.
fn invalid(problems: &[FieldProblem]) -> Answer {
    let why = problems.iter().map(|it| problem(Lang::En, it.field, &it.problem));
    let why: Vec<_> = why.collect();
    Answer::error(422, &format!("Validation failed: {}", why.join(" ")))
}

/// What the refusal of a read is to an app: there was nothing to be saved.
fn not_read(refusal: &Refusal) -> Answer {
    let Refusal::NoMajority { .. } = refusal else { return refused(refusal) };
    let retry_after_s = Some(NO_MAJORITY_RETRY_S);
    Answer { retry_after_s, ..Answer::error(503, "Too few machines answer; try again") }
}

/// What a backend's refusal is to an app. What somebody may not know of is not there.
fn refused(refusal: &Refusal) -> Answer {
    let (status, error, retry_after_s) = match refusal {
        Refusal::SignedOut => return Answer::unauthorized(),
        Refusal::Scope => return out_of_scope(),
        Refusal::NotFound | Refusal::Gone => return Answer::not_found(),
        Refusal::Blocked => (403, "One of you blocks the other", None),
        Refusal::Closed | Refusal::Keeper => (403, "This action is not allowed", None),
        Refusal::Hindered(_) => (403, "Your account cannot do that at the moment", None),
        Refusal::Invalid { problems } => return invalid(problems),
        Refusal::BadLogin => (403, "Name and password do not match", None),
        Refusal::Conflict => (422, "Something else was sent with the same key", None),
        Refusal::Expired => (422, "Nobody can tell any more whether that was done", None),
        Refusal::NotYet => (503, "Not all machines of this site can do that yet", None),
        Refusal::Full => (422, "Your account holds as much as it can", None),
        Refusal::NoSpace => (
            503,
            "Nothing was saved: the disks are full, or cannot be written",
            Some(NO_MAJORITY_RETRY_S),
        ),
        Refusal::TooMany { retry_after_s } => (429, "Too many requests", Some(*retry_after_s)),
        Refusal::Busy { retry_after_s } => (503, "Too busy; try again", Some(*retry_after_s)),
        Refusal::Behind => (503, "Try again", Some(BEHIND_RETRY_S)),
        Refusal::NoMajority { .. } => {
            (503, "Nothing was saved: too few machines answer", Some(NO_MAJORITY_RETRY_S))
        }
        Refusal::Unknown => {
            (503, "Not known whether it was saved: send the same again", Some(NO_MAJORITY_RETRY_S))
        }
        Refusal::BadRequest { detail } => {
            log::warn!(detail:%; "an app's request was not understood");
            (422, "Validation failed", None)
        }
    };
    Answer { retry_after_s, ..Answer::error(status, error) }
}
