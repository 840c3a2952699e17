//! Signing in and out.

use super::account::check_verified;
use super::handle::{ActionError, NewSession, Plan};
use crate::clock::Wall;
use crate::limits::{ADDRESS_CHARS_MAX, DEVICE_CHARS_MAX, SESSIONS_MAX};
use crate::text::chars::is_invisible;
use crate::user::entry::{Entry, SessionId};
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
    let (fresh, over_age): (Vec<&Session>, Vec<&Session>) =
        user.sessions.iter().partition(|session| session.is_open(now));
    let surplus = (fresh.len() + 1).saturating_sub(SESSIONS_MAX);
    let ended = over_age.into_iter().chain(fresh.into_iter().take(surplus));
    entries.extend(ended.map(|session| closed(&session.id, now)));
    entries.push(opened(opening, now));
    Ok(Plan::of(entries))
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
    }
}

pub(super) fn closed(id: &SessionId, now: Wall) -> Entry {
    Entry::SessionClosed { at: now, id: id.clone() }
}

/// What a browser says of itself, without what could disguise it on a page, cut to `chars_max`.
fn header_text(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| !c.is_control() && !is_invisible(*c)).take(chars_max).collect()
}
