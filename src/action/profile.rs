//! What a person says of themselves.

use super::handle::{ActionError, Avatar, Plan};
use super::{Field, FieldProblem, Untouched, field, post};
use crate::clock::Wall;
use crate::user::User;
use crate::user::entry::Entry;

pub(super) fn edit(
    user: &User,
    (display_name, bio): (&str, &str),
    (members_only, avatar): (bool, &Avatar),
    untouched: Untouched,
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
    let members_only = if untouched.members_only { user.members_only } else { members_only };
    let as_is = |is_untouched: bool, text: &String| is_untouched.then(|| Ok(text.clone()));
    let display_name = as_is(untouched.display_name, &user.display_name)
        .unwrap_or_else(|| field::display_name(display_name, &user.name));
    let bio = as_is(untouched.bio, &user.bio).unwrap_or_else(|| field::bio(bio));
    // Both are looked at before answering: a form tells all that is wrong with it at once.
    match (display_name, bio) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::Place;

    const NOW: Wall = Wall(9);

    fn edited(user: &User, untouched: Untouched) -> Result<Plan, ActionError> {
        // What somebody knew of the profile before it was changed.
        edit(user, ("Ada", "gulls"), (false, &Avatar::Keep), untouched, NOW)
    }

    #[test]
    fn untouched_parts_stay_as_they_are_when_the_change_is_made() {
        let mut user = User::absent("ada".parse().unwrap());
        let now = |display_name: &str, bio: &str, members_only| Entry::Profile {
            at: NOW,
            display_name: display_name.to_owned(),
            bio: bio.to_owned(),
            members_only,
            avatar: None,
        };
        user.apply(&now("Ada Lind", "terns", true), Place::default());
        for (said, entry) in [
            (Untouched::default(), now("Ada", "gulls", false)),
            (
                Untouched { display_name: true, ..Untouched::default() },
                now("Ada Lind", "gulls", false),
            ),
            (Untouched { bio: true, ..Untouched::default() }, now("Ada", "terns", false)),
            (Untouched { members_only: true, ..Untouched::default() }, now("Ada", "gulls", true)),
        ] {
            assert_eq!(edited(&user, said).unwrap().entries, [entry], "{said:?}");
        }
        let all = Untouched { display_name: true, bio: true, members_only: true };
        assert_eq!(edited(&user, all).unwrap().entries, []);
    }
}
