//! What a person says of themselves.

use super::handle::{ActionError, Avatar, Change, Plan};
use super::{Field, FieldProblem, field, post};
use crate::clock::Wall;
use crate::user::User;
use crate::user::entry::Entry;

/// What a [`Change::EditProfile`] would write.
pub(super) fn edit(user: &User, change: &Change, now: Wall) -> Result<Plan, ActionError> {
    let Change::EditProfile { display_name, bio, members_only, posts_for, avatar, untouched } =
        change
    else {
        return Ok(Plan::default());
    };
    let avatar = match avatar {
        Avatar::Keep => user.avatar.clone(),
        Avatar::Remove => None,
        Avatar::Show(picture) => {
            post::check_room(user, std::slice::from_ref(picture.as_ref()))?;
            Some(picture.clone())
        }
    };
    let members_only = if untouched.members_only { user.members_only } else { *members_only };
    let posts_for = posts_for.unwrap_or(user.posts_for);
    let as_is = |is_untouched: bool, text: &String| is_untouched.then(|| Ok(text.clone()));
    let display_name = as_is(untouched.display_name, &user.display_name)
        .unwrap_or_else(|| field::display_name(display_name, &user.name));
    let bio = as_is(untouched.bio, &user.bio).unwrap_or_else(|| field::bio(bio));
    // Both are looked at before answering: a form tells all that is wrong with it at once.
    match (display_name, bio) {
        (Ok(display_name), Ok(bio)) => {
            let is_same = (&display_name, &bio) == (&user.display_name, &user.bio);
            let eyes = (members_only, posts_for);
            if is_same && eyes == (user.members_only, user.posts_for) && avatar == user.avatar {
                return Ok(Plan::default());
            }
            let at = now;
            let profile = Entry::Profile { at, display_name, bio, members_only, posts_for, avatar };
            Ok(Plan::of(vec![profile]))
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
    use crate::action::{
        Action, AvatarWish, EditProfile, NewPoll, RequestKey, Untouched, Who, handle,
    };
    use crate::id::{PostId, RequestId};
    use crate::user::Place;
    use crate::user::entry::{Audience, SessionId};

    const NOW: Wall = Wall(9);

    fn edited(user: &User, untouched: Untouched) -> Result<Plan, ActionError> {
        // What somebody knew of the profile before it was changed.
        edit(user, &said(untouched, None), NOW)
    }

    fn said(untouched: Untouched, posts_for: Option<Audience>) -> Change {
        Change::EditProfile {
            display_name: "Ada".to_owned(),
            bio: "gulls".to_owned(),
            members_only: false,
            posts_for,
            avatar: Avatar::Keep,
            untouched,
        }
    }

    #[test]
    fn untouched_parts_stay_as_they_are_when_the_change_is_made() {
        let mut user = User::absent("ada".parse().unwrap());
        let now = |display_name: &str, bio: &str, members_only| Entry::Profile {
            at: NOW,
            display_name: display_name.to_owned(),
            bio: bio.to_owned(),
            members_only,
            posts_for: Audience::Followers,
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
        let same = edit(&user, &said(all, Some(Audience::Followers)), NOW).unwrap();
        assert_eq!(same.entries, []);
        let mut quiet = now("Ada Lind", "terns", true);
        if let Entry::Profile { posts_for, .. } = &mut quiet {
            *posts_for = Audience::Quiet;
        }
        let changed = edit(&user, &said(all, Some(Audience::Quiet)), NOW).unwrap();
        assert_eq!(changed.entries, [quiet]);
    }

    /// Whatever was known where it was asked for: what stands in the file when it is written counts.
    #[test]
    fn r0260_post_that_does_not_say_for_whom_is_for_whom_its_author_wants() {
        let id = SessionId("s".to_owned());
        let mut user = User::absent("ada".parse().unwrap());
        let (device, address, app) = (String::new(), String::new(), None);
        for entry in [
            Entry::Joined { at: NOW },
            Entry::SessionOpened { at: NOW, id: id.clone(), device, address, app },
        ] {
            user.apply(&entry, Place::default());
        }
        let who = Who { session: Some(id) };
        let act = |user: &mut User, change: &Change| {
            let plan = handle(user, &who, change, NOW).unwrap();
            plan.entries.iter().for_each(|entry| user.apply(entry, Place::default()));
        };
        let mut number = 0;
        let mut posted = |user: &mut User, audience, poll| {
            number += 1;
            let (id, text, note) = (PostId::from_raw(number), "tea".to_owned(), String::new());
            let (reply_to, pictures, sent, sensitive) = (None, Vec::new(), Vec::new(), false);
            let post = Change::Post {
                id,
                audience,
                text,
                reply_to,
                note,
                pictures,
                sent,
                sensitive,
                poll,
            };
            act(user, &post);
            user.audience(id)
        };
        for usual in Audience::USUAL {
            act(&mut user, &said(Untouched::default(), Some(usual)));
            // Whoever changes something else leaves it.
            let bio = Untouched { bio: true, members_only: true, ..Untouched::default() };
            act(&mut user, &said(bio, None));
            let options = ["a", "b"].map(str::to_owned).to_vec();
            let poll = NewPoll { options, lasts_s: 600, many: false, hides_votes: false };
            assert_eq!(posted(&mut user, None, None), usual);
            assert_eq!(posted(&mut user, None, Some(poll)), usual);
            for said in Audience::ALL {
                assert_eq!(posted(&mut user, Some(said), None), said);
            }
        }
    }

    #[test]
    fn choosing_whom_posts_are_for_is_another_request_than_leaving_it() {
        let digest = |posts_for: Option<Audience>| {
            let key = RequestKey { ops: 0, id: RequestId([1; 16]) };
            let (display_name, bio, members_only) = (String::new(), String::new(), false);
            let (avatar, untouched) = (AvatarWish::Keep, Untouched::default());
            Action::EditProfile(EditProfile {
                key,
                display_name,
                bio,
                members_only,
                posts_for,
                avatar,
                untouched,
            })
            .digest()
        };
        let usual = Audience::USUAL.map(|it| digest(Some(it)));
        assert!(!usual.contains(&digest(None)));
        assert!(usual[0] != usual[1] && usual[1] != usual[2] && usual[0] != usual[2]);
    }
}
