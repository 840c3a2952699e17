//! What a person says of themselves.

use super::handle::{ActionError, Plan};
use super::{Field, FieldProblem, field};
use crate::clock::Wall;
use crate::user::User;
use crate::user::entry::Entry;

pub(super) fn edit(
    user: &User,
    display_name: &str,
    bio: &str,
    now: Wall,
) -> Result<Plan, ActionError> {
    // Both are looked at before answering: a form tells all that is wrong with it at once.
    match (field::display_name(display_name, &user.name), field::bio(bio)) {
        (Ok(display_name), Ok(bio)) => {
            if display_name == user.display_name && bio == user.bio {
                return Ok(Plan::default());
            }
            Ok(Plan::of(vec![Entry::Profile { at: now, display_name, bio }]))
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
