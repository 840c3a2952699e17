//! What a request brings, and what a backend said to it.

use std::str::FromStr;

use super::keys;
use crate::clock::Wall;
use crate::id::UserName;
use crate::web::cookie::{SetCookie, find};
use crate::web::csrf::FormKey;
use crate::web::form::Form;
use crate::web::marker::{List, Marker};
use crate::web::request::Request;
use crate::web::response::Cache;
use crate::web::session::{Session, Stranger};
use crate::web::words::Lang;
use crate::wire::request::{ClusterBrief, MachineState, Outcome, Refusal, Response, Viewer};

/// One request, with what its cookies and its query say.
pub(super) struct Visit<'a> {
    pub(super) request: &'a Request,
    /// The language of the answer.
    pub(super) t: Lang,
    /// The language that was chosen on this device.
    pub(super) chosen: Option<Lang>,
    /// The session it claims; whether it is open only a backend knows.
    pub(super) session: Option<Session>,
    /// The value that binds the forms of who is not signed in.
    pub(super) stranger: Option<Stranger>,
    /// How far the home page was read on this device by whom the session is of.
    pub(super) home: Option<Marker>,
    /// How far the news were.
    pub(super) news: Option<Marker>,
    /// What stood after `?`.
    pub(super) query: Form,
    /// When it came.
    pub(super) now: Wall,
    /// Whether the script's keys are on, on this device.
    pub(super) has_keys: bool,
}

/// A value in the query that is not what it should be.
pub(super) struct BadCursor;

impl<'a> Visit<'a> {
    pub(super) fn new(
        request: &'a Request,
        (cookie_prefix, key): (&str, &FormKey),
        now: Wall,
    ) -> Self {
        let cookies = request.cookie.as_deref().unwrap_or_default();
        let session = Session::in_use(cookies, cookie_prefix, key, now);
        let marker = |list| {
            let user = session.as_ref().map(Session::user)?;
            Marker::from_cookies(cookies, cookie_prefix, list, user)
        };
        let (home, news) = (marker(List::Home), marker(List::News));
        let accept = request.accept_language.as_deref();
        Self {
            request,
            t: Lang::of(request.cookie.as_deref(), accept, cookie_prefix),
            chosen: Lang::chosen(cookies, cookie_prefix),
            session,
            home,
            news,
            stranger: Stranger::from_cookies(cookies, cookie_prefix),
            query: Form::parse_query(&request.query),
            now,
            has_keys: find(cookies, cookie_prefix, keys::COOKIE) != Some(keys::OFF),
        }
    }

    /// Where a list goes on, if the query says so.
    pub(super) fn cursor<T: FromStr>(&self, name: &str) -> Result<Option<T>, BadCursor> {
        self.query.find(name).map(T::from_str).transpose().map_err(|_| BadCursor)
    }

    /// Who may keep its page: a stranger's page anybody, a member's page only their browser.
    pub(super) const fn cache(&self) -> Cache {
        if self.session.is_none() { Cache::Public } else { Cache::Private }
    }

    /// A value of the query that only adds a remark; one that is malformed adds none.
    pub(super) fn remark<T: FromStr>(&self, name: &str) -> Option<T> {
        self.query.get(name).parse().ok()
    }
}

/// What a backend said.
pub(in crate::web) struct Heard {
    /// Who is signed in.
    pub(in crate::web) viewer: Option<Viewer>,
    /// How the machines are.
    pub(in crate::web) cluster: ClusterBrief,
    /// The answer proper.
    pub(in crate::web) outcome: Outcome,
    /// The session to go on with.
    pub(in crate::web) session: Option<Session>,
    /// What the browser must keep or forget.
    pub(in crate::web) cookies: Vec<SetCookie>,
    /// Whether the session that was sent is over.
    pub(in crate::web) is_over: bool,
}

impl Heard {
    /// Reads a reply to a request under `sent`.
    pub(in crate::web) fn of(response: Response, sent: Option<&Session>) -> Self {
        let session = response.session.as_deref().and_then(Session::parse);
        if session.is_none() && response.session.is_some() {
            log::error!("a backend answered with a malformed session");
        }
        let reply = response.data;
        let is_over = sent.is_some()
            && response.session.is_none()
            && can_tell(&reply.cluster, &reply.outcome);
        let cookies = match &session {
            Some(session) => session.cookies_after(sent),
            None if is_over => Session::cleared(),
            None => Vec::new(),
        };
        let (viewer, cluster, outcome) = (reply.viewer, reply.cluster, reply.outcome);
        Self { viewer, cluster, outcome, session, cookies, is_over }
    }

    /// Who is signed in: a write that was refused before anybody looked does not sign out.
    pub(in crate::web) fn who<'a>(&'a self, sent: Option<&'a Session>) -> Option<&'a UserName> {
        let claimed = sent.filter(|_| matches!(self.outcome, Outcome::Refused(_)) && !self.is_over);
        self.viewer.as_ref().map(|viewer| &viewer.username).or(claimed.map(Session::user))
    }
}

impl Heard {
    /// Seconds until who is signed in may send another picture, if they sent as many as they may: told where it
    /// was asked whose session it is.
    pub(in crate::web) fn pictures_in_s(&self) -> Option<u32> {
        self.viewer.as_ref()?.pictures_in_s
    }

    /// A refusal as it is meant: a machine that is cut off from the others trusts no session, which
    /// is not to be told as having been signed out. One whose copy is old for another reason asks them.
    pub(in crate::web) fn honest(&self, refusal: &Refusal) -> Refusal {
        let machines = &self.cluster.machines;
        let up = machines.iter().filter(|state| **state != MachineState::Down).count();
        let needed = machines.len() / 2 + 1;
        let is_cut_off = self.cluster.stale_since.is_some() && up < needed;
        if *refusal != Refusal::SignedOut || !is_cut_off {
            return refusal.clone();
        }
        let count = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        Refusal::NoMajority {
            reachable: count(up),
            members: count(machines.len()),
            needed: count(needed),
        }
    }
}

/// Whether a reply without a session means that the session is over. A machine that is cut off from
/// the others trusts none, and a refusal may come before anybody looked: forgetting the session
/// then would sign people out because a machine died.
fn can_tell(cluster: &ClusterBrief, outcome: &Outcome) -> bool {
    let is_unsure = matches!(
        outcome,
        Outcome::Refused(
            Refusal::NoMajority { .. }
                | Refusal::Unknown
                | Refusal::Busy { .. }
                | Refusal::Behind
                | Refusal::TooMany { .. }
                | Refusal::BadRequest { .. }
        )
    );
    cluster.stale_since.is_none() && !is_unsure
}
