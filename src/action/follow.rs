//! Following and no longer following.

use super::handle::{ActionError, Plan};
use super::{Field, Problem};
use crate::clock::Wall;
use crate::id::UserName;
use crate::limits::FOLLOWS_MAX;
use crate::user::User;
use crate::user::entry::Entry;

/// Whom they removed from their followers at `removed_at` follows anew: in a line of its own, whatever their
/// file says, and later than that by any machine's clock.
pub(super) fn follow(
    user: &User,
    whom: &UserName,
    removed_at: Option<Wall>,
    now: Wall,
) -> Result<Plan, ActionError> {
    if *whom == user.name {
        return Err(ActionError::field(Field::Username, Problem::Wrong));
    }
    if user.blocks.contains(whom) {
        return Err(ActionError::Blocked);
    }
    let at = removed_at.map_or(now, |removed| now.max(Wall(removed.0.saturating_add(1))));
    let followed = Entry::Followed { at, user: whom.clone() };
    if let Some(since) = user.follows.get(whom) {
        if removed_at.is_none_or(|removed| *since > removed) {
            return Ok(Plan::default());
        }
        return Ok(Plan::of(vec![Entry::Unfollowed { at, user: whom.clone() }, followed]));
    }
    if user.follows.len() >= FOLLOWS_MAX {
        let max = u32::try_from(FOLLOWS_MAX).unwrap_or(u32::MAX);
        let problem = Problem::Full { max };
        return Err(ActionError::field(Field::Username, problem));
    }
    Ok(Plan::of(vec![followed]))
}

pub(super) fn unfollow(user: &User, whom: &UserName, now: Wall) -> Plan {
    if user.follows.contains_key(whom) {
        Plan::of(vec![Entry::Unfollowed { at: now, user: whom.clone() }])
    } else {
        Plan::default()
    }
}
