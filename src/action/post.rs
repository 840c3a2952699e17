//! Writing posts and taking them back.

use super::handle::{ActionError, Plan};
use super::{Field, field};
use crate::clock::Wall;
use crate::id::PostId;
use crate::user::entry::{Entry, PostRef};
use crate::user::{Receipt, User};

pub(super) fn post(
    user: &User,
    id: PostId,
    text: &str,
    reply_to: Option<&PostRef>,
    now: Wall,
) -> Result<Plan, ActionError> {
    let text =
        field::post_text(text).map_err(|problem| ActionError::field(Field::Text, problem))?;
    // Only here, under the lock, is it certain that an own post still stands.
    if let Some(own) = reply_to.filter(|post| post.user == user.name) {
        check_stands(user, own.id)?;
    }
    if reply_to.is_some_and(|post| user.blocks.contains(&post.user)) {
        return Err(ActionError::Blocked);
    }
    match user.post_id_max {
        Some(above) if id <= above => Err(ActionError::StaleId { above }),
        Some(_) | None => {
            let reply_to = reply_to.cloned();
            let entries = vec![Entry::Posted { at: now, id, text, reply_to }];
            Ok(Plan { entries, result: Receipt::Post(id) })
        }
    }
}

/// Deleting a deleted post again is what was asked for.
pub(super) fn delete(user: &User, id: PostId, now: Wall) -> Result<Plan, ActionError> {
    match check_stands(user, id) {
        Ok(()) => Ok(Plan::of(vec![Entry::PostDeleted { at: now, id }])),
        Err(ActionError::Gone) => Ok(Plan::default()),
        Err(error) => Err(error),
    }
}

fn check_stands(user: &User, id: PostId) -> Result<(), ActionError> {
    if user.post(id).is_some() {
        Ok(())
    } else if user.has_deleted(id) {
        Err(ActionError::Gone)
    } else {
        Err(ActionError::NotFound)
    }
}
