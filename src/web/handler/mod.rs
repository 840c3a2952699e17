//! From a browser's request to its answer: route, ask a backend, draw the page.
//!
//! - `visit`: what a request brings, and what a backend said to it. `draw`: forms with their tokens.
//! - `read`: pages that show; `posts`: a post with its buttons, its history, one's bookmarks. `find`:
//!   mentions, tags, the search; `feed`: posts for feed readers. `entry`: joining and signing in.
//!   `link`: what a one-time link opens. `settings`: one's own account; `language`: the one setting that stays on the device.
//! - `write`: what every POST goes through; `act`: what may be done; `again`: the page that comes
//!   back when it was not done, with everything that was typed.
//! - `plain`: answers that are no pages. `data`: what one takes along. `keys`: the script's keys.
//!
//! Invariants:
//! - A GET changes nothing. A POST that succeeds answers 303, so that reloading repeats nothing.
//! - Whatever becomes of a POST, the text that came with it stands in the answer, passwords apart, or it
//!   says that the browser has it still.

mod act;
mod again;
mod apart;
mod apps;
mod data;
mod draw;
mod entry;
mod feed;
mod find;
mod house;
mod journal;
mod keys;
mod language;
mod link;
mod moderation;
mod pictures;
mod plain;
mod poll;
mod posts;
mod read;
mod settings;
#[cfg(test)]
mod tests;
mod thread;
mod visit;
mod write;

#[cfg(any(test, fuzzing))]
pub(crate) use write::next as next_of;

use std::sync::atomic::{AtomicBool, Ordering};

use askama::Template;

use super::api::rate::Calls;
use super::ask::{Ask, AskError};
use super::cookie::SetCookie;
use super::csrf::FormKey;
use super::form::{decode_path, encode_query};
use super::origin::Origin;
use super::page::frame::{Around, Assets};
use super::page::kept::DrawnPosts;
use super::page::message::MessagePage;
use super::page::said;
use super::request::{CHANGE_PASSWORD, Method, Request, is_for_apps};
use super::response::{Cache, Content, Location, Response};
use super::route::Route;
use super::session::Session;
use crate::action::Action;
use crate::auth::AuthError;
use crate::clock::Clock;
use crate::id::UserName;
use crate::limits::{API_CALLS_MAX, BEHIND_RETRY_S, NO_MAJORITY_RETRY_S};
use crate::picture::Studio;
use crate::wire::request::{Outcome, Refusal, Request as WireRequest, Response as WireResponse};
pub(in crate::web) use pictures::announced;
pub(in crate::web) use visit::Heard;
use visit::Visit;

/// The pages of one community. It holds no data: all it tells it asked of a backend, also where it keeps
/// how that was drawn for others.
pub struct Site<A: Ask> {
    pub(super) ask: A,
    pub(super) community: String,
    pub(super) form_key: FormKey,
    pub(super) origin: Origin,
    pub(super) clock: Clock,
    pub(super) assets: Assets,
    pub(super) calls: Calls,
    pub(super) studio: Studio,
    /// Posts as they were drawn for others.
    pub(super) drawn: DrawnPosts,
    /// Whether apps may bring a password instead of having people sign in on the site's page.
    pub(super) takes_passwords: bool,
    /// Whether search engines are asked to show nothing of it.
    is_unlisted: bool,
    /// Whether nobody could join when a backend was asked last: for pages that ask none.
    is_closed: AtomicBool,
}

/// An answer, or why handling ended early.
type Handled = Result<Response, Stop>;

/// Why handling ended early.
enum Stop {
    /// With this answer.
    Answer(Box<Response>),
    /// Through no fault of the browser's.
    Fault(Fault),
}

/// What must not happen, and costs the one request.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("draw a page")]
    Render(#[from] askama::Error),
    #[error("get random bytes")]
    Random(#[from] getrandom::Error),
    #[error("make a token")]
    Token(#[from] AuthError),
    #[error("a backend answered another question than was asked")]
    Nonsense,
}

impl<E: Into<Fault>> From<E> for Stop {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

/// What an answer bears besides its page.
#[derive(Default)]
struct Head {
    status: Option<u16>,
    cache: Option<Cache>,
    cookies: Vec<SetCookie>,
    retry_after_s: Option<u32>,
}

impl Head {
    /// An answer that nobody keeps.
    fn of(status: u16, cookies: Vec<SetCookie>) -> Self {
        Self { status: Some(status), cookies, ..Self::default() }
    }
}

impl<A: Ask> Site<A> {
    /// A site whose forms are made with `form_key` and whose cookies suit `origin`.
    pub fn new(
        ask: A,
        community: String,
        form_key: [u8; 32],
        origin: Origin,
        clock: Clock,
    ) -> Self {
        let form_key = FormKey::new(form_key);
        // Whoever runs it on their own machine to try it out is not to wait.
        let calls = Calls::new((!origin.is_loopback()).then_some(API_CALLS_MAX));
        let (assets, studio, takes_passwords) = (Assets::embedded(), Studio::default(), false);
        let is_unlisted = false;
        Self {
            ask,
            community,
            form_key,
            origin,
            clock,
            assets,
            calls,
            studio,
            drawn: DrawnPosts::new(),
            takes_passwords,
            is_unlisted,
            is_closed: AtomicBool::default(),
        }
    }

    /// The same with other rules for apps: how often they may call, 0 for as often as they like, and
    /// whether they may bring somebody's password.
    #[must_use]
    pub fn with_apps(self, calls: Option<u32>, takes_passwords: bool) -> Self {
        let is_counted = |calls: &u32| *calls > 0;
        let counted = calls.map(|calls| Calls::new(Some(calls).filter(is_counted)));
        Self { calls: counted.unwrap_or(self.calls), takes_passwords, ..self }
    }

    /// The same, which search engines are asked not to show: on every answer and not in `robots.txt`, since
    /// who may not open a page never reads that, and may list its address.
    #[must_use]
    pub fn unlisted(self, is_unlisted: bool) -> Self {
        Self { is_unlisted, ..self }
    }

    /// Answers a request. Never fails: what goes wrong here is logged and answered by 500.
    pub fn respond(&self, request: &Request) -> Response {
        let response = self.respond_plainly(request);
        Response { robots: self.is_unlisted.then_some("noindex"), ..response }
    }

    fn respond_plainly(&self, request: &Request) -> Response {
        if is_for_apps(&request.path) {
            return self.respond_to_app(request);
        }
        let visit = self.visit(request);
        // However the address spells it.
        let route = decode_path(&request.path)
            .and_then(|path| Route::parse(&path).or_else(|| Route::misspelt(&path)));
        let hides_address = matches!(route, Some(Route::FirstKeeper | Route::NewPassword));
        let finished = |response| {
            let response = self.masked(spoken(&visit, response));
            Response { hides_address, ..response }
        };
        match self.handle(&visit) {
            Ok(response) => finished(response),
            Err(Stop::Answer(response)) => finished(*response),
            Err(Stop::Fault(fault)) => {
                let source = std::error::Error::source(&fault).map(ToString::to_string);
                let source = source.unwrap_or_default();
                log::error!(request:% = request.id, error:% = fault, source:%; "request not answered");
                Response { hides_address, ..self.error_page(request, 500) }
            }
        }
    }

    fn visit<'a>(&self, request: &'a Request) -> Visit<'a> {
        let cookies = (self.origin.cookie_prefix(), &self.form_key);
        Visit::new(request, cookies, self.clock.wall())
    }

    /// A page whose tokens its length cannot give away, with what its `ETag` is made of.
    fn masked(&self, mut response: Response) -> Response {
        let page = std::str::from_utf8(&response.body).ok();
        let Some(page) = page.filter(|_| response.content == Content::Html) else {
            return response;
        };
        let (masked, mark) = self.form_key.mask(page);
        response.mark = Some(mark);
        if let Some(masked) = masked {
            response.body = masked.into_bytes();
        }
        response
    }

    /// The page for an error that the server itself met. Asks nobody.
    pub fn error_page(&self, request: &Request, status: u16) -> Response {
        let visit = self.visit(request);
        let response = match self.error(&visit, None, status) {
            Ok(response) => response,
            Err(Stop::Answer(response)) => *response,
            Err(Stop::Fault(_)) => {
                let (title, text) = said::error(visit.t, status);
                Response::new(status, Content::Text, format!("{title}\n\n{text}\n"))
            }
        };
        spoken(&visit, response)
    }

    fn handle(&self, visit: &Visit<'_>) -> Handled {
        let path = decode_path(&visit.request.path);
        let Some(route) = path.as_deref().and_then(Route::parse) else {
            // For now: which page it is may change, and browsers keep what they are told for good.
            if visit.request.path == CHANGE_PASSWORD && visit.request.method != Method::Post {
                return Ok(see_other(&Route::SettingsPassword.href(), Vec::new()));
            }
            return match path.as_deref().and_then(Route::misspelt) {
                Some(route) if visit.request.method != Method::Post => Ok(moved(visit, &route)),
                _ => self.error(visit, None, 404),
            };
        };
        if !route.allows(visit.request.method) {
            return self.not_allowed(visit, &route);
        }
        if visit.request.method == Method::Post {
            return self.write(visit, &route);
        }
        if visit.query.fault().is_some() {
            return self.error(visit, None, 400);
        }
        self.show(visit, route)
    }

    fn show(&self, visit: &Visit<'_>, route: Route) -> Handled {
        match route {
            Route::Home => self.home(visit),
            Route::Everyone => self.everyone(visit),
            Route::News => self.news(visit),
            Route::Search => self.search(visit),
            Route::Tag(tag) => self.tag(visit, tag),
            Route::EveryoneFeed | Route::ProfileFeed(_) | Route::TagFeed(_) => {
                self.feed(visit, &route)
            }
            Route::Join => self.join(visit),
            Route::Login => self.login(visit),
            Route::FirstKeeper | Route::NewPassword => self.link(visit, &route),
            Route::Profile(name) => self.profile(visit, name),
            Route::Thread(post) => self.thread(visit, post),
            Route::DeletePost(post) => self.ask_delete(visit, post),
            Route::EditPost(post) => self.edit(visit, post),
            Route::History(post) => self.history(visit, post),
            Route::Bookmarks => self.bookmarks(visit),
            Route::Picture(name) => self.picture_file(visit, name),
            Route::Face(user, digits) => self.face(visit, user, digits),
            Route::MayUpload => self.may_upload(visit),
            Route::Followers(_) | Route::Following(_) => self.people(visit, &route),
            Route::SettingsProfile => self.settings_profile(visit),
            Route::SettingsPassword => self.settings_password(visit),
            Route::SettingsDevices => self.settings_devices(visit),
            Route::SettingsKeys => self.settings_keys(visit),
            Route::SettingsData => self.settings_data(visit),
            Route::DataJson | Route::DataHtml => self.download(visit, &route),
            Route::SettingsLanguage => self.settings_language(visit),
            Route::SettingsLeave => self.settings_leave(visit),
            Route::SettingsPeople => self.settings_people(visit),
            Route::SettingsInvitations => self.invitations(visit),
            Route::Report(post) => self.ask_report(visit, post),
            Route::Mod => self.reports(visit),
            Route::ModAsking | Route::ModMembers => self.members(visit, &route),
            Route::ModLog => self.keepers_log(visit),
            Route::ModHouse => self.house(visit),
            Route::ModAct => self.ask_deed(visit),
            Route::AllowApp => self.ask_allow_app(visit),
            Route::Status => self.status(visit),
            Route::Healthz => Ok(Response::new(200, Content::Text, "ok\n")),
            Route::Readyz => Ok(self.ready(visit)),
            Route::Robots => Ok(plain::robots()),
            Route::Style(_) | Route::Script(_) | Route::Dots(_) | Route::StandIn(_) => {
                Ok(self.asset(visit, &route))
            }
            // These take only POST, which was looked at before.
            Route::Logout
            | Route::Post
            | Route::Follow(_)
            | Route::Unfollow(_)
            | Route::Mute(_)
            | Route::Unmute(_)
            | Route::Block(_)
            | Route::Unblock(_)
            | Route::RemoveFollower(_)
            | Route::Vote(_)
            | Route::Mark { .. } => self.error(visit, None, 405),
        }
    }

    /// Asks a backend under `session`, and says what that means for the browser's cookies.
    fn ask_as(
        &self,
        session: Option<&Session>,
        about: Option<&UserName>,
        action: Action,
    ) -> Result<Heard, AskError> {
        let about = session.map(Session::user).or(about);
        let request = asked(session, action);
        Ok(self.heard(session, self.ask.ask(about, &request)?))
    }

    /// As [`Self::ask_as`], with bytes beside the request, and those beside the answer.
    fn ask_with(
        &self,
        session: Option<&Session>,
        action: Action,
        beside: &[u8],
    ) -> Result<(Heard, Vec<u8>), AskError> {
        let request = asked(session, action);
        let about = session.map(Session::user);
        let (response, beside) = self.ask.ask_beside(about, &request, beside)?;
        Ok((self.heard(session, response), beside))
    }

    fn heard(&self, session: Option<&Session>, response: WireResponse) -> Heard {
        let mut heard = Heard::of(response, session);
        self.is_closed.store(heard.cluster.is_closed, Ordering::Relaxed);
        let now = self.clock.wall();
        let open = heard.session.as_ref();
        let stamp = open.and_then(|open| open.stamp(session, &self.form_key, now));
        heard.cookies.extend(stamp);
        heard
    }

    /// Asks for what a page shows; nobody who answers becomes an error's page.
    fn hear(
        &self,
        visit: &Visit<'_>,
        session: Option<&Session>,
        about: Option<&UserName>,
        action: Action,
    ) -> Result<Heard, Stop> {
        match self.ask_as(session, about, action) {
            Ok(heard) => Ok(heard),
            Err(error) => {
                log::debug!(request:% = visit.request.id, error:%; "page not asked");
                Err(Stop::Answer(Box::new(self.error(visit, None, 503)?)))
            }
        }
    }

    /// As [`Self::hear`]; a refusal becomes an error's page too.
    fn read(
        &self,
        visit: &Visit<'_>,
        about: Option<&UserName>,
        action: Action,
    ) -> Result<Heard, Stop> {
        let heard = self.hear(visit, visit.session.as_ref(), about, action)?;
        if let Outcome::Refused(refusal) = &heard.outcome {
            let response = self.refuse_page(visit, &heard, refusal)?;
            return Err(Stop::Answer(Box::new(response)));
        }
        Ok(heard)
    }

    fn refuse_page(&self, visit: &Visit<'_>, heard: &Heard, refusal: &Refusal) -> Handled {
        let (status, retry_after_s) = match refusal {
            Refusal::SignedOut => return Ok(to_login(visit, heard.cookies.clone())),
            // What is there for some alone may be there for who was signed in until now.
            Refusal::NotFound if heard.is_over => {
                return Ok(to_login(visit, heard.cookies.clone()));
            }
            Refusal::NotFound => (404, None),
            Refusal::Scope | Refusal::Blocked | Refusal::Closed | Refusal::Keeper => (403, None),
            Refusal::Hindered(hindered) => return self.hindered_page(visit, heard, hindered),
            Refusal::Gone => (410, None),
            Refusal::TooMany { retry_after_s } => (429, Some(*retry_after_s)),
            Refusal::Busy { retry_after_s } => (503, Some(*retry_after_s)),
            Refusal::Behind => (503, Some(BEHIND_RETRY_S)),
            Refusal::NoMajority { .. } | Refusal::NoSpace | Refusal::Unknown => {
                (503, Some(NO_MAJORITY_RETRY_S))
            }
            Refusal::Invalid { .. }
            | Refusal::BadLogin
            | Refusal::Conflict
            | Refusal::Expired
            | Refusal::Full
            | Refusal::NotYet
            | Refusal::BadRequest { .. } => {
                let outcome = journal::refused(refusal);
                log::warn!(request:% = visit.request.id, outcome:%; "page refused");
                if let Refusal::BadRequest { detail } = refusal {
                    log::warn!(request:% = visit.request.id, detail:%; "page not understood");
                }
                (400, None)
            }
        };
        let mut response = self.error(visit, Some(heard), status)?;
        response.retry_after_s = retry_after_s.or(response.retry_after_s);
        Ok(response)
    }

    /// The page where an address does not take this method.
    fn not_allowed(&self, visit: &Visit<'_>, route: &Route) -> Handled {
        let response = self.error(visit, None, 405)?;
        Ok(Response { allow: Some(route.allowed()), ..response })
    }

    /// An error's page: what happened, is my text safe, what now.
    fn error(&self, visit: &Visit<'_>, heard: Option<&Heard>, status: u16) -> Handled {
        let (title, text) = said::error(visit.t, status);
        if status != 404 {
            return self.message(visit, heard, (status, title, text));
        }
        let page = self.not_found_page(visit, heard, text);
        let cookies = heard.map_or_else(Vec::new, |heard| heard.cookies.clone());
        html(&page, Head::of(404, cookies))
    }

    /// Says that something is not found. Strangers are offered to sign in, whatever they asked for: what is
    /// there for members alone and what is not there at all look the same.
    fn not_found_page(&self, visit: &Visit<'_>, heard: Option<&Heard>, text: &str) -> MessagePage {
        let page = self.message_page(visit, heard, (visit.t.not_found(), text));
        if self.around(visit, heard).viewer.is_some() {
            return page;
        }
        let text = format!("{text} {}", visit.t.sign_in_to_see());
        MessagePage { text, login: login_for(visit), ..page }
    }

    fn message(
        &self,
        visit: &Visit<'_>,
        heard: Option<&Heard>,
        (status, title, text): (u16, &str, &str),
    ) -> Handled {
        let page = self.message_page(visit, heard, (title, text));
        let cookies = heard.map_or_else(Vec::new, |heard| heard.cookies.clone());
        let retry_after_s = (status == 503).then_some(NO_MAJORITY_RETRY_S);
        html(&page, Head { retry_after_s, ..Head::of(status, cookies) })
    }

    fn message_page(
        &self,
        visit: &Visit<'_>,
        heard: Option<&Heard>,
        (title, text): (&str, &str),
    ) -> MessagePage {
        let mut frame = self.around(visit, heard).frame(title, None);
        frame.is_error = true;
        MessagePage {
            frame,
            text: text.to_owned(),
            looks_for: String::new(),
            login: String::new(),
            link: (Route::Home.href(), visit.t.go_home()),
            request_id: visit.request.id.clone(),
        }
    }

    /// Says that nobody has a name, and offers to search for it.
    fn nobody(&self, visit: &Visit<'_>, heard: &Heard, name: &UserName) -> Handled {
        let text = visit.t.nobody_called(name.as_str());
        let page = self.not_found_page(visit, Some(heard), &text);
        let page = MessagePage { looks_for: name.to_string(), ..page };
        html(&page, Head::of(404, heard.cookies.clone()))
    }

    /// What stands around a page. Without an answer from a backend the browser's cookie says whose
    /// links to show.
    fn around<'a>(&'a self, visit: &'a Visit<'_>, heard: Option<&'a Heard>) -> Around<'a> {
        Around {
            t: visit.t,
            community: &self.community,
            assets: &self.assets,
            cluster: heard.map(|heard| &heard.cluster),
            is_closed: self.is_closed.load(Ordering::Relaxed),
            has_keys: visit.has_keys,
            viewer: match heard {
                Some(heard) => heard.who(visit.session.as_ref()),
                None => visit.session.as_ref().map(Session::user),
            },
            news: heard.and_then(|heard| heard.viewer.as_ref()).map_or(0, |viewer| viewer.news),
        }
    }
}

/// What a backend is asked in somebody's name.
fn asked(session: Option<&Session>, action: Action) -> WireRequest {
    let read_to = session.and_then(Session::read_to);
    WireRequest { session: session.map(Session::secret), read_to, need: None, action }
}

/// An answer that says which language its page is in. What is no page is in none.
fn spoken(visit: &Visit<'_>, response: Response) -> Response {
    let is_page = response.content == Content::Html;
    Response { languages: if is_page { visit.t.alone() } else { &[] }, ..response }
}

/// A page as an answer. One that sets cookies is kept by nobody.
fn html(page: &impl Template, head: Head) -> Handled {
    let body = page.render()?;
    let has_cookies = !head.cookies.is_empty();
    let cache = head.cache.filter(|_| !has_cookies).unwrap_or(Cache::NoStore);
    Ok(Response {
        cache,
        cookies: head.cookies,
        retry_after_s: head.retry_after_s,
        ..Response::new(head.status.unwrap_or(200), Content::Html, body)
    })
}

/// Sends the browser to the one spelling of a route, with what stood after `?`: for good, but nobody keeps
/// that.
fn moved(visit: &Visit<'_>, route: &Route) -> Response {
    let query = &visit.request.query;
    let whole = Location::new(&format!("{route}?{query}")).filter(|_| !query.is_empty());
    let location = whole.or_else(|| Location::new(&route.href()));
    Response { location, ..Response::new(308, Content::Text, "") }
}

/// Sends the browser on. What is no path on this site becomes `/`.
fn see_other(path: &str, cookies: Vec<SetCookie>) -> Response {
    let location = Location::new(path).or_else(|| Location::new("/"));
    Response { location, cookies, ..Response::new(303, Content::Text, "") }
}

/// Sends the browser to sign in, and back to where it was.
fn to_login(visit: &Visit<'_>, cookies: Vec<SetCookie>) -> Response {
    see_other(&login_for(visit), cookies)
}

/// Where one signs in to come back to what was asked for, with what stood after `?`. Where nothing can be there
/// is nothing to come back to, and an error says nothing that it was told.
fn login_for(visit: &Visit<'_>) -> String {
    let Request { path, query, .. } = visit.request;
    let whole = Location::new(&format!("{path}?{query}")).filter(|_| !query.is_empty());
    let is_there = decode_path(path).is_some_and(|path| Route::parse(&path).is_some());
    match whole.or_else(|| Location::new(path)).filter(|_| is_there) {
        Some(here) => format!("{}?next={}", Route::Login, encode_query(here.as_str())),
        None => Route::Login.href(),
    }
}
