//! Muting and blocking others, and no longer.

use std::collections::BTreeSet;

use super::handle::{ActionError, Plan};
use super::{Field, Problem};
use crate::clock::Wall;
use crate::id::UserName;
use crate::limits::APART_MAX;
use crate::user::User;
use crate::user::entry::Entry;

pub(super) fn mute(user: &User, whom: &UserName, now: Wall) -> Result<Plan, ActionError> {
    let entry = Entry::Muted { at: now, user: whom.clone() };
    Ok(add(user, &user.mutes, whom, entry)?.map_or_else(Plan::default, |it| Plan::of(vec![it])))
}

pub(super) fn unmute(user: &User, whom: &UserName, now: Wall) -> Plan {
    if user.mutes.contains(whom) {
        Plan::of(vec![Entry::Unmuted { at: now, user: whom.clone() }])
    } else {
        Plan::default()
    }
}

/// Following them ends with it; that they follow back counts for nothing from then on.
pub(super) fn block(user: &User, whom: &UserName, now: Wall) -> Result<Plan, ActionError> {
    let entry = Entry::Blocked { at: now, user: whom.clone() };
    let Some(entry) = add(user, &user.blocks, whom, entry)? else { return Ok(Plan::default()) };
    let mut entries = vec![entry];
    if user.follows.contains_key(whom) {
        entries.push(Entry::Unfollowed { at: now, user: whom.clone() });
    }
    Ok(Plan::of(entries))
}

pub(super) fn unblock(user: &User, whom: &UserName, now: Wall) -> Plan {
    if user.blocks.contains(whom) {
        Plan::of(vec![Entry::Unblocked { at: now, user: whom.clone() }])
    } else {
        Plan::default()
    }
}

/// The entry that puts somebody on a list; none if they stand there already.
fn add(
    user: &User,
    list: &BTreeSet<UserName>,
    whom: &UserName,
    entry: Entry,
) -> Result<Option<Entry>, ActionError> {
    if *whom == user.name {
        return Err(ActionError::field(Field::Username, Problem::Wrong));
    }
    if list.contains(whom) {
        return Ok(None);
    }
    if list.len() >= APART_MAX {
        let max = u32::try_from(APART_MAX).unwrap_or(u32::MAX);
        return Err(ActionError::field(Field::Username, Problem::Full { max }));
    }
    Ok(Some(entry))
}
