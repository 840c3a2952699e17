//! Making an account, changing its password, deleting it.

use super::handle::{ActionError, NewSession, Plan};
use super::keeping::Admission;
use super::{Field, Problem, field, session};
use crate::clock::Wall;
use crate::user::entry::{Audience, Entry, SessionId};
use crate::user::{Receipt, Status, User};

/// What an account begins with. A name that was left stays taken: mentions of it would point to a
/// stranger.
pub(super) fn newcomer(
    user: &User,
    display_name: &str,
    password_hash: &str,
    now: Wall,
) -> Result<Vec<Entry>, ActionError> {
    if user.status != Status::Absent {
        return Err(ActionError::Taken);
    }
    let display_name = field::display_name(display_name, &user.name)
        .map_err(|problem| ActionError::field(Field::DisplayName, problem))?;
    Ok(vec![
        Entry::Joined { at: now },
        Entry::Profile {
            at: now,
            display_name,
            bio: String::new(),
            members_only: false,
            posts_for: Audience::Everyone,
            avatar: None,
        },
        Entry::Password { at: now, hash: password_hash.to_owned(), reset: None },
    ])
}

/// Somebody joins.
pub(super) fn join(
    user: &User,
    display_name: &str,
    password_hash: &str,
    (opening, admission): (&NewSession, &Admission),
    now: Wall,
) -> Result<Plan, ActionError> {
    let mut entries = newcomer(user, display_name, password_hash, now)?;
    entries.extend(admission.entry(now));
    entries.push(session::opened(opening, now));
    Ok(Plan::of(entries))
}

/// Ends every session, so that whoever knew the old password is out, and opens one for the person who
/// is changing it. `hashes` are the one verified and the new one.
pub(super) fn change_password(
    user: &User,
    this: &SessionId,
    [verified, new]: [&str; 2],
    opening: &NewSession,
    now: Wall,
) -> Result<Plan, ActionError> {
    check_verified(user, verified)?;
    let mut entries = vec![Entry::Password { at: now, hash: new.to_owned(), reset: None }];
    entries.extend(user.sessions.iter().map(|session| session::closed(&session.id, now)));
    entries.push(session::opened(opening, now));
    let result = Receipt::SessionsEnded(session::count_others(user, this, now));
    Ok(Plan { entries, result })
}

pub(super) fn leave(user: &User, verified: &str, now: Wall) -> Result<Plan, ActionError> {
    check_verified(user, verified)?;
    // A community shall not lose its keeper without anybody having said so.
    if user.is_keeper() {
        return Err(ActionError::Keeper);
    }
    Ok(Plan::of(vec![Entry::Left { at: now }]))
}

/// What must not be done from a browser that was left open needs the password, given when signing in
/// or now; and soon, by [`PASSWORD_FRESH_MS`].
pub(super) fn check_fresh(
    user: &User,
    session: &SessionId,
    verified: Option<&str>,
    now: Wall,
) -> Result<(), ActionError> {
    match verified {
        Some(verified) => check_verified(user, verified),
        None if user.session(session).is_some_and(|session| session.is_fresh(now)) => Ok(()),
        None => Err(ActionError::field(Field::Password, Problem::Empty)),
    }
}

/// Passwords are verified outside the lock; under it, what was verified must still be what is stored.
/// Both strings come from this machine, so nothing is learnt from how long the comparison takes.
pub(super) fn check_verified(user: &User, verified: &str) -> Result<(), ActionError> {
    if user.status == Status::Active && user.password == verified {
        Ok(())
    } else {
        Err(ActionError::BadLogin)
    }
}
