//! Following and no longer following.

use super::handle::{ActionError, Plan};
use super::{Field, Problem};
use crate::clock::Wall;
use crate::id::UserName;
use crate::limits::FOLLOWS_MAX;
use crate::user::User;
use crate::user::entry::Entry;

pub(super) fn follow(user: &User, whom: &UserName, now: Wall) -> Result<Plan, ActionError> {
    if *whom == user.name {
        return Err(ActionError::field(Field::Username, Problem::Wrong));
    }
    if user.blocks.contains(whom) {
        return Err(ActionError::Blocked);
    }
    if user.follows.contains_key(whom) {
        return Ok(Plan::default());
    }
    if user.follows.len() >= FOLLOWS_MAX {
        let max = u32::try_from(FOLLOWS_MAX).unwrap_or(u32::MAX);
        let problem = Problem::Full { max };
        return Err(ActionError::field(Field::Username, problem));
    }
    Ok(Plan::of(vec![Entry::Followed { at: now, user: whom.clone() }]))
}

pub(super) fn unfollow(user: &User, whom: &UserName, now: Wall) -> Plan {
    if user.follows.contains_key(whom) {
        Plan::of(vec![Entry::Unfollowed { at: now, user: whom.clone() }])
    } else {
        Plan::default()
    }
}
