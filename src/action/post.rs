//! Writing posts, changing them and taking them back.

use super::handle::{ActionError, Plan};
use super::{Field, FieldProblem, NewPoll, Problem, field, poll};
use crate::clock::Wall;
use crate::id::PostId;
use crate::limits::{EDITS_MAX, POST_PICTURES_MAX, USER_PICTURE_BYTES_MAX, USER_PICTURES_MAX};
use crate::user::entry::{Audience, Entry, Picture, PostRef};
use crate::user::{Receipt, User};

/// What is posted.
pub(super) struct What<'a> {
    /// Its number.
    pub(super) id: PostId,
    /// Who may read it.
    pub(super) audience: Audience,
    /// The text and the note it is folded behind, as typed.
    pub(super) typed: [&'a str; 2],
    /// Its pictures, with their descriptions as typed.
    pub(super) pictures: &'a [Picture],
    /// Whether they are covered.
    pub(super) sensitive: bool,
    /// What it asks, as typed; such a post has no pictures.
    pub(super) poll: Option<&'a NewPoll>,
}

pub(super) fn post(
    user: &User,
    what: What<'_>,
    reply_to: Option<&PostRef>,
    now: Wall,
) -> Result<Plan, ActionError> {
    let What { id, audience, typed, pictures, sensitive, poll } = what;
    let (text, note) = fields(typed, !pictures.is_empty() || poll.is_some())?;
    let sensitive = is_covered(sensitive, note.as_deref());
    let poll = poll.map(|poll| poll::checked(user, poll, now)).transpose()?;
    let pictures = described(user, pictures)?;
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
            let posted = if let Some(poll) = poll {
                Entry::PostedPoll { at: now, id, audience, text, reply_to, note, poll, sensitive }
            } else if audience.is_everyone() {
                Entry::Posted { at: now, id, text, reply_to, note, pictures, sensitive }
            } else {
                Entry::PostedFor {
                    at: now,
                    id,
                    audience,
                    text,
                    reply_to,
                    note,
                    pictures,
                    sensitive,
                }
            };
            Ok(Plan { entries: vec![posted], result: Receipt::Post(id) })
        }
    }
}

fn full(max: u64) -> ActionError {
    let max = u32::try_from(max).unwrap_or(u32::MAX);
    ActionError::field(Field::Picture, Problem::Full { max })
}

/// Whether there is room for pictures among a member's.
pub(super) fn check_room(user: &User, pictures: &[Picture]) -> Result<(), ActionError> {
    if !pictures.is_empty() && user.picture_count() + pictures.len() > USER_PICTURES_MAX {
        return Err(full(USER_PICTURES_MAX as u64));
    }
    let new = pictures.iter().fold(0_u64, |sum, picture| sum.saturating_add(picture.bytes));
    if new > 0 && user.picture_bytes().saturating_add(new) > USER_PICTURE_BYTES_MAX {
        return Err(full(USER_PICTURE_BYTES_MAX));
    }
    Ok(())
}

/// The pictures as they are written down, if there is room for them among the author's.
pub(super) fn described(user: &User, pictures: &[Picture]) -> Result<Vec<Picture>, ActionError> {
    if pictures.len() > POST_PICTURES_MAX {
        return Err(full(POST_PICTURES_MAX as u64));
    }
    check_room(user, pictures)?;
    let described = pictures.iter().map(|picture| {
        let description = description(&picture.description)?;
        Ok(Picture { description, ..picture.clone() })
    });
    described.collect()
}

fn description(typed: &str) -> Result<String, ActionError> {
    field::description(typed).map_err(|problem| ActionError::field(Field::Description, problem))
}

/// What an edit says of a post's pictures: whether they are covered, and what each shows.
type OfPictures<'a> = (Option<bool>, Option<&'a [String]>);

/// `typed` as in [`post`]. What it said so far is not known here, so this writes even what it says
/// already: whoever asks looks first.
pub(super) fn edit(
    user: &User,
    id: PostId,
    (typed, (sensitive, descriptions)): ([&str; 2], OfPictures<'_>),
    now: Wall,
) -> Result<Plan, ActionError> {
    let (text, note) = fields(typed, user.has_more_than_text(id))?;
    let descriptions = descriptions.map(|typed| described_anew(user, id, typed)).transpose()?;
    let sensitive = sensitive.map(|is| is_covered(is, note.as_deref()));
    check_stands(user, id)?;
    let times = user.edits.get(&id).map_or(0, |edits| edits.earlier.len());
    if times >= EDITS_MAX {
        let max = u32::try_from(EDITS_MAX).unwrap_or(u32::MAX);
        return Err(ActionError::field(Field::Text, Problem::Full { max }));
    }
    Ok(Plan::of(vec![Entry::PostEdited { at: now, id, text, note, sensitive, descriptions }]))
}

/// What is said of each of a post's pictures, as it would be kept.
fn described_anew(user: &User, id: PostId, typed: &[String]) -> Result<Vec<String>, ActionError> {
    if user.pictures.get(&id).map_or(0, |pictures| pictures.len()) != typed.len() {
        return Err(ActionError::field(Field::Picture, Problem::Wrong));
    }
    typed.iter().map(|typed| description(typed)).collect()
}

/// Whether pictures are to be covered by themselves. What a note covers is not: with the note the cover goes,
/// as on the pages, where there is no other.
pub fn is_covered(sensitive: bool, note: Option<&str>) -> bool {
    sensitive && note.is_none()
}

/// The text and the note as they would be kept. Both are looked at before answering: a form tells all
/// that is wrong with it at once.
fn fields(
    [text, note]: [&str; 2],
    has_more: bool,
) -> Result<(String, Option<String>), ActionError> {
    match (field::post_text_beside(text, has_more), field::note(note)) {
        (Ok(text), Ok(note)) => Ok((text, note)),
        (text, note) => {
            let problems = [(Field::Text, text.err()), (Field::Note, note.err())];
            let wrong = problems.into_iter().filter_map(|(field, problem)| {
                problem.map(|problem| FieldProblem { field, problem })
            });
            Err(ActionError::Invalid(wrong.collect()))
        }
    }
}

/// Deleting a deleted post again is what was asked for.
pub(super) fn delete(
    user: &User,
    id: PostId,
    gives_pictures: bool,
    now: Wall,
) -> Result<Plan, ActionError> {
    match check_stands(user, id) {
        Ok(()) => {
            let pictures = user.pictures.get(&id).filter(|_| gives_pictures);
            let pictures = pictures.into_iter().flat_map(|pictures| pictures.iter().enumerate());
            let again = pictures.map(|(index, picture)| Entry::PictureSent {
                at: now,
                id: picture.number(id, index),
                picture: Picture { sent_as: None, ..picture.clone() },
            });
            let few = user.audience(id).is_few();
            let deleted = Entry::PostDeleted { at: now, id, few };
            Ok(Plan::of(again.chain([deleted]).collect()))
        }
        Err(ActionError::Gone) => Ok(Plan::default()),
        Err(error) => Err(error),
    }
}

pub(super) fn check_stands(user: &User, id: PostId) -> Result<(), ActionError> {
    if user.post(id).is_some() {
        Ok(())
    } else if user.has_deleted(id) {
        Err(ActionError::Gone)
    } else {
        Err(ActionError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::super::handle::Avatar;
    use super::*;
    use crate::id::{PictureKind, PictureName, UserName};
    use crate::user::Place;

    const NOW: Wall = Wall(1_700_000_000_000);

    fn picture(bytes: u64, description: &str) -> Picture {
        let file = PictureName::of(PictureKind::Jpeg, &bytes.to_be_bytes());
        let description = description.to_owned();
        Picture { file, thumb: file, width: 4, height: 3, bytes, description, sent_as: None }
    }

    /// Posts these, as the backend would.
    fn try_post(user: &mut User, id: u64, pictures: &[Picture]) -> Result<(), ActionError> {
        try_say(user, id, ("Look", pictures))
    }

    fn try_say(
        user: &mut User,
        id: u64,
        (text, pictures): (&str, &[Picture]),
    ) -> Result<(), ActionError> {
        let (id, audience) = (PostId::from_raw(id), Audience::Everyone);
        let what = What { id, audience, typed: [text, ""], pictures, sensitive: false, poll: None };
        let plan = post(user, what, None, NOW)?;
        plan.entries.iter().for_each(|entry| user.apply(entry, Place::default()));
        Ok(())
    }

    #[test]
    fn post_pictures_bounded() {
        let mut user = User::absent(UserName::parse("ada").unwrap());
        user.apply(&Entry::Joined { at: NOW }, Place::default());
        let full = |max: u64| {
            let max = u32::try_from(max).unwrap();
            Err(ActionError::field(Field::Picture, Problem::Full { max }))
        };
        assert_eq!(try_post(&mut user, 1, &vec![picture(1, ""); 5]), full(4));
        let half = USER_PICTURE_BYTES_MAX / 2;
        try_post(&mut user, 2, &[picture(half, " A \n gull ")]).unwrap();
        assert_eq!(user.pictures[&PostId::from_raw(2)][0].description, "A gull");
        try_post(&mut user, 3, &[picture(half, "")]).unwrap();
        assert_eq!(user.picture_bytes(), USER_PICTURE_BYTES_MAX);
        assert_eq!(try_post(&mut user, 4, &[picture(1, "")]), full(USER_PICTURE_BYTES_MAX));
        // What is deleted makes room; what is edited keeps its pictures.
        let [two, three] = [2, 3].map(PostId::from_raw);
        let plan = delete(&user, three, false, NOW).unwrap();
        let edited = edit(&user, two, (["Seen", ""], (None, None)), NOW).unwrap();
        for entry in plan.entries.iter().chain(&edited.entries) {
            user.apply(entry, Place::default());
        }
        assert_eq!(user.picture_bytes(), half);
        // So many, however small.
        for id in 10.. {
            let room = USER_PICTURES_MAX - user.picture_count();
            if room == 0 {
                break;
            }
            try_post(&mut user, id, &vec![picture(1, ""); room.min(4)]).unwrap();
        }
        assert_eq!(try_post(&mut user, 9_000, &[picture(1, "")]), full(USER_PICTURES_MAX as u64));
        let mut user = User::absent(user.name);
        let long = [picture(1, &"x".repeat(301))];
        let over = ActionError::field(Field::Description, Problem::TooLong { over: 1 });
        assert_eq!(try_post(&mut user, 5, &long), Err(over));
    }

    #[test]
    fn edit_describes_each_picture_or_none() {
        let mut user = User::absent(UserName::parse("ada").unwrap());
        user.apply(&Entry::Joined { at: NOW }, Place::default());
        try_post(&mut user, 1, &[picture(1, "a"), picture(2, "b")]).unwrap();
        try_post(&mut user, 2, &[]).unwrap();
        let said = |id, typed: &[&str]| {
            let typed: Vec<_> = typed.iter().map(|&it| it.to_owned()).collect();
            let pictures = (None, Some(typed.as_slice()));
            match edit(&user, PostId::from_raw(id), (["Seen", ""], pictures), NOW)?.entries.pop() {
                Some(Entry::PostEdited { descriptions, .. }) => Ok(descriptions.unwrap()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(said(1, &[" A \n gull ", ""]).unwrap(), ["A gull", ""]);
        let lost = Err(ActionError::field(Field::Picture, Problem::Wrong));
        for (id, typed) in [(1, &[][..]), (1, &["a"]), (1, &["a", "b", "c"]), (2, &["a"])] {
            assert_eq!(said(id, typed), lost, "{typed:?}");
        }
        let over = ActionError::field(Field::Description, Problem::TooLong { over: 1 });
        assert_eq!(said(1, &["", &"x".repeat(301)]), Err(over));
        let none = edit(&user, PostId::from_raw(1), (["Seen", ""], (None, None)), NOW).unwrap();
        assert!(matches!(&none.entries[..], [Entry::PostEdited { descriptions: None, .. }]));
    }

    #[test]
    fn pictures_alone_are_a_post_and_stay_one() {
        let mut user = User::absent(UserName::parse("ada").unwrap());
        user.apply(&Entry::Joined { at: NOW }, Place::default());
        let empty = Err(ActionError::field(Field::Text, Problem::Empty));
        assert_eq!(try_say(&mut user, 1, (" \n", &[])), empty);
        try_say(&mut user, 2, (" \n", &[picture(1, "")])).unwrap();
        try_say(&mut user, 3, ("Look", &[])).unwrap();
        let said = |id, text: &str| match edit(
            &user,
            PostId::from_raw(id),
            ([text, ""], (None, None)),
            NOW,
        ) {
            Ok(plan) => match plan.entries.first() {
                Some(Entry::PostEdited { text, .. }) => Ok(text.clone()),
                _ => panic!("no edit"),
            },
            Err(error) => Err(error),
        };
        assert_eq!(said(2, "Seen"), Ok("Seen".to_owned()));
        assert_eq!(said(2, "\u{200b}"), Ok(String::new()));
        assert_eq!(said(3, ""), Err(ActionError::field(Field::Text, Problem::Empty)));
    }

    #[test]
    fn avatar_stays_goes_or_is_another_and_counts() {
        let mut user = User::absent(UserName::parse("ada").unwrap());
        user.apply(&Entry::Joined { at: NOW }, Place::default());
        let one = picture(1_000, "");
        let shows = |avatar| crate::action::Change::EditProfile {
            display_name: "Ada".to_owned(),
            bio: "Gulls".to_owned(),
            members_only: false,
            posts_for: None,
            avatar,
            untouched: crate::action::Untouched::default(),
        };
        for (wish, expected) in [
            (Avatar::Keep, None),
            (Avatar::Show(Box::new(one.clone())), Some(&one)),
            (Avatar::Keep, Some(&one)),
            (Avatar::Remove, None),
            (Avatar::Show(Box::new(one.clone())), Some(&one)),
        ] {
            let plan = super::super::profile::edit(&user, &shows(wish), NOW);
            plan.unwrap().entries.iter().for_each(|it| user.apply(it, Place::default()));
            assert_eq!(user.avatar.as_deref(), expected);
            assert_eq!(user.picture_bytes(), expected.map_or(0, |it| it.bytes));
        }
        let full = picture(USER_PICTURE_BYTES_MAX, "");
        let wish = Avatar::Show(Box::new(full));
        let refused = super::super::profile::edit(&user, &shows(wish), NOW);
        let max = u32::try_from(USER_PICTURE_BYTES_MAX).unwrap();
        let expected = ActionError::field(Field::Picture, Problem::Full { max });
        assert_eq!(refused.map(|plan| plan.entries.len()), Err(expected));
    }
}
