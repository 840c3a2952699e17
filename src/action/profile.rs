//! What a person says of themselves.

use super::handle::{ActionError, Avatar, Plan};
use super::{Field, FieldProblem, field, post};
use crate::clock::Wall;
use crate::user::User;
use crate::user::entry::Entry;

pub(super) fn edit(
    user: &User,
    (display_name, bio): (&str, &str),
    (members_only, avatar): (bool, &Avatar),
    now: Wall,
) -> Result<Plan, ActionError> {
    let avatar = match avatar {
        Avatar::Keep => user.avatar.clone(),
        Avatar::Remove => None,
        Avatar::Show(picture) => {
            post::check_room(user, std::slice::from_ref(picture.as_ref()))?;
            Some(picture.clone())
        }
    };
    // Both are looked at before answering: a form tells all that is wrong with it at once.
    match (field::display_name(display_name, &user.name), field::bio(bio)) {
        (Ok(display_name), Ok(bio)) => {
            let is_same = (&display_name, &bio) == (&user.display_name, &user.bio);
            if is_same && members_only == user.members_only && avatar == user.avatar {
                return Ok(Plan::default());
            }
            Ok(Plan::of(vec![Entry::Profile { at: now, display_name, bio, members_only, avatar }]))
        }
        (display_name, bio) => {
            let problems = [(Field::DisplayName, display_name.err()), (Field::Bio, bio.err())];
            let wrong = problems.into_iter().filter_map(|(field, problem)| {
                problem.map(|problem| FieldProblem { field, problem })
            });
            Err(ActionError::Invalid(wrong.collect()))
        }
    }
}
