//! Signing in and out.

use sha2::{Digest, Sha256};

use super::account::check_verified;
use super::handle::{ActionError, NewSession, Plan};
use crate::clock::Wall;
use crate::id::Hash128;
use crate::limits::{ADDRESS_CHARS_MAX, DEVICE_CHARS_MAX, SESSIONS_MAX};
use crate::text::chars::is_invisible;
use crate::user::entry::{App, Entry, SessionId};
use crate::user::{Receipt, Session, User};

/// Opens a session, and ends those that are too old anyway and the oldest beyond [`SESSIONS_MAX`]:
/// only an entry takes a session out of the file, so an opening is the time to tidy up.
pub(super) fn open(
    user: &User,
    verified: &str,
    opening: &NewSession,
    rehashed: Option<&str>,
    now: Wall,
) -> Result<Plan, ActionError> {
    check_verified(user, verified)?;
    let mut entries = Vec::new();
    if let Some(hash) = rehashed {
        entries.push(Entry::Password { at: now, hash: hash.to_owned(), reset: None });
    }
    entries.extend(opening_entries(user, opening, now));
    Ok(Plan::of(entries))
}

/// Gives an app its code; doing so twice gives it once.
pub(super) fn allow(user: &User, code: &NewSession, now: Wall) -> Plan {
    match user.session(&code.id) {
        Some(_) => Plan::default(),
        None => Plan::of(opening_entries(user, code, now)),
    }
}

/// Takes an app's code and opens its session: both in one line, so that no code is ever taken twice,
/// whichever machine is asked. Who knows the code but not what it was made for gets nothing, and the
/// code is over all the same: it was told to somebody else. Who knows all of it, and brings a code that was
/// taken, is somebody else or was one before: the session that it gave ends (RFC 6749, section 4.1.2).
pub(super) fn redeem(
    user: &User,
    code: &SessionId,
    (client, bounds): (Hash128, [Hash128; 2]),
    opening: &NewSession,
    now: Wall,
) -> Result<Plan, ActionError> {
    let is_client = |app: &App| app.client == client;
    if user.open_session(&opening.id, now).and_then(|it| it.app.as_deref()).is_some_and(is_client) {
        // The same request, sent on to a second machine.
        return Ok(Plan::default());
    }
    let ended = |id| Plan { entries: vec![closed(id, now)], result: Receipt::SessionsEnded(1) };
    if let Some(given) = came_of(user, code, (client, bounds)) {
        return Ok(ended(&given.id));
    }
    let held = user.session(code).filter(|session| session.is_alive(now));
    let app = held.and_then(|session| session.app.as_deref());
    let (app, bound) =
        app.and_then(|app| Some((app, app.code_for?))).ok_or(ActionError::SignedOut)?;
    if !is_client(app) || !bounds.contains(&bound) {
        return Ok(ended(code));
    }
    let app = App { code_for: None, came_of: Some(trace(code, bound)), ..app.clone() };
    let opening =
        NewSession { device: app.name.clone(), app: Some(Box::new(app)), ..opening.clone() };
    Ok(Plan::of(vec![closed(code, now), opened(&opening, now)]))
}

/// The session that a code gave to this app, which brings it again with all that it had to know.
pub fn came_of<'a>(
    user: &'a User,
    code: &SessionId,
    (client, bounds): (Hash128, [Hash128; 2]),
) -> Option<&'a Session> {
    let traces = bounds.map(|bound| Some(trace(code, bound)));
    let is_given = |app: &App| app.client == client && traces.contains(&app.came_of);
    user.sessions.iter().find(|session| session.app.as_deref().is_some_and(is_given))
}

/// What a session keeps of the code that it came of.
fn trace(code: &SessionId, bound: Hash128) -> Hash128 {
    let sum: [u8; 32] = Sha256::digest(format!("{}{bound}", code.0)).into();
    Hash128(sum.first_chunk().copied().unwrap_or_default())
}

/// An opening with what it tidies up.
fn opening_entries(user: &User, opening: &NewSession, now: Wall) -> Vec<Entry> {
    let (fresh, over_age): (Vec<&Session>, Vec<&Session>) =
        user.sessions.iter().partition(|session| session.is_alive(now));
    let surplus = (fresh.len() + 1).saturating_sub(SESSIONS_MAX);
    let ended = over_age.into_iter().chain(fresh.into_iter().take(surplus));
    let ended = ended.map(|session| closed(&session.id, now));
    ended.chain([opened(opening, now)]).collect()
}

/// Ending what has ended already is what was asked for.
pub(super) fn close(user: &User, this: &SessionId, id: &SessionId, now: Wall) -> Plan {
    if user.session(id).is_none() {
        return Plan::default();
    }
    let result = if id == this { Receipt::Done } else { Receipt::SessionsEnded(1) };
    Plan { entries: vec![closed(id, now)], result }
}

pub(super) fn close_others(user: &User, this: &SessionId, now: Wall) -> Plan {
    let others = user.sessions.iter().filter(|session| session.id != *this);
    let entries = others.map(|session| closed(&session.id, now)).collect();
    Plan { entries, result: Receipt::SessionsEnded(count_others(user, this, now)) }
}

/// How many sessions besides `this` one could still act under: what a person is told was ended.
pub(super) fn count_others(user: &User, this: &SessionId, now: Wall) -> u32 {
    let others = user.sessions.iter().filter(|session| session.id != *this && session.is_open(now));
    u32::try_from(others.count()).unwrap_or(u32::MAX)
}

pub(super) fn opened(opening: &NewSession, now: Wall) -> Entry {
    Entry::SessionOpened {
        at: now,
        id: opening.id.clone(),
        device: header_text(&opening.device, DEVICE_CHARS_MAX),
        address: header_text(&opening.address, ADDRESS_CHARS_MAX),
        app: opening.app.clone(),
    }
}

pub(super) fn closed(id: &SessionId, now: Wall) -> Entry {
    Entry::SessionClosed { at: now, id: id.clone() }
}

/// What a browser says of itself, without what could disguise it on a page, cut to `chars_max`.
fn header_text(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| !c.is_control() && !is_invisible(*c)).take(chars_max).collect()
}
