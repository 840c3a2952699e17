//! Asking something, and answering it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::handle::{ActionError, Plan};
use super::{Field, NewPost, Problem, RequestKey, field};
use crate::clock::Wall;
use crate::limits::{
    POLL_OPTIONS_MAX, POLL_OPTIONS_MIN, POLL_S_MAX, POLL_S_MIN, POLLS_MAX, VOTES_MAX,
};
use crate::user::User;
use crate::user::aside::{Choices, Poll};
use crate::user::entry::{Audience, Entry, PostRef, is_not};

/// Data of [`super::Action::PostPoll`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostPoll {
    /// Who may read it.
    #[serde(default, skip_serializing_if = "Audience::is_everyone")]
    pub audience: Audience,
    /// The post; it has no pictures.
    pub post: NewPost,
    /// What it asks.
    pub poll: NewPoll,
}

/// What a post is to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPoll {
    /// What can be chosen, as typed.
    pub options: Vec<String>,
    /// For how many seconds votes are taken.
    pub lasts_s: u32,
    /// Whether several may be chosen.
    #[serde(default, skip_serializing_if = "is_not")]
    pub many: bool,
    /// Whether nobody is told before its end how many chose what.
    #[serde(default, skip_serializing_if = "is_not")]
    pub hides_votes: bool,
}

/// Data of [`super::Action::Vote`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// The form's key.
    pub key: RequestKey,
    /// Which post asks.
    pub post: PostRef,
    /// What is chosen, by its places, from 0.
    pub choices: Vec<u32>,
}

/// The poll as it is written down at `now`, if there is room for it among its author's.
///
/// # Errors
/// [`ActionError::Invalid`].
pub(super) fn checked(user: &User, poll: &NewPoll, now: Wall) -> Result<Poll, ActionError> {
    let wrong = |problem| Err(ActionError::field(Field::Poll, problem));
    let &NewPoll { ref options, lasts_s, many, hides_votes } = poll;
    if options.len() < POLL_OPTIONS_MIN {
        return wrong(Problem::TooShort { min: number(POLL_OPTIONS_MIN) });
    }
    if options.len() > POLL_OPTIONS_MAX {
        return wrong(Problem::Full { max: number(POLL_OPTIONS_MAX) });
    }
    let options: Result<Vec<String>, Problem> =
        options.iter().map(|option| field::poll_option(option)).collect();
    let options = match options {
        Ok(options) => options,
        Err(problem) => return wrong(problem),
    };
    if options.iter().collect::<BTreeSet<_>>().len() < options.len() {
        return wrong(Problem::Taken);
    }
    if !(POLL_S_MIN..=POLL_S_MAX).contains(&lasts_s) {
        return wrong(Problem::Wrong);
    }
    if user.aside().polls.len() >= POLLS_MAX {
        return wrong(Problem::Full { max: number(POLLS_MAX) });
    }
    let until = Wall(now.0.saturating_add(u64::from(lasts_s) * 1000));
    Ok(Poll { options, until, many, hides_votes })
}

/// Answers what a post asks; that it stands was looked up.
///
/// # Errors
/// [`ActionError::Invalid`].
pub(super) fn vote(
    user: &User,
    (post, poll): (&PostRef, &Poll),
    choices: &[u32],
    now: Wall,
) -> Result<Plan, ActionError> {
    let wrong = |problem| Err(ActionError::field(Field::Choice, problem));
    if post.user == user.name {
        return wrong(Problem::Own);
    }
    if user.aside().votes.contains_key(post) {
        return wrong(Problem::Used);
    }
    if poll.is_over(now) {
        return wrong(Problem::Past);
    }
    if choices.is_empty() {
        return wrong(Problem::Empty);
    }
    let places = choices.iter().filter_map(|place| usize::try_from(*place).ok());
    let places: Vec<usize> = places.filter(|place| *place < poll.options.len()).collect();
    let chosen: Choices = places.iter().copied().collect();
    if places.len() < choices.len() || (!poll.many && chosen.count() > 1) {
        return wrong(Problem::Wrong);
    }
    if user.aside().votes.len() >= VOTES_MAX {
        return wrong(Problem::Full { max: number(VOTES_MAX) });
    }
    Ok(Plan::of(vec![Entry::Voted { at: now, post: post.clone(), choices: chosen }]))
}

fn number(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{PostId, UserName};
    use crate::limits::POLL_OPTION_CHARS_MAX;
    use crate::user::Place;

    const NOW: Wall = Wall(1_700_000_000_000);

    fn ada() -> User {
        let mut user = User::absent(UserName::parse("ada").unwrap());
        user.apply(&Entry::Joined { at: NOW }, Place::default());
        user
    }

    fn asks(options: &[&str], lasts_s: u32) -> NewPoll {
        let options = options.iter().map(|it| (*it).to_owned()).collect();
        NewPoll { options, lasts_s, many: false, hides_votes: true }
    }

    #[track_caller]
    fn check(poll: &NewPoll, expected: Result<&[&str], Problem>) {
        let found = checked(&ada(), poll, NOW);
        let expected = expected.map(|options| options.iter().map(|it| (*it).to_owned()).collect());
        let expected = expected.map_err(|problem| ActionError::field(Field::Poll, problem));
        assert_eq!(found.map(|poll| poll.options), expected);
    }

    #[test]
    fn poll_has_two_to_four_different_short_options_and_an_end() {
        check(&asks(&["Tea", "  Cake\n "], 300), Ok(&["Tea", "Cake"]));
        check(&asks(&["1", "2", "3", "4"], POLL_S_MAX), Ok(&["1", "2", "3", "4"]));
        check(&asks(&["Tea"], 300), Err(Problem::TooShort { min: 2 }));
        check(&asks(&["1", "2", "3", "4", "5"], 300), Err(Problem::Full { max: 4 }));
        check(&asks(&["Tea", "Tea "], 300), Err(Problem::Taken));
        check(&asks(&["Tea", " \u{200b}"], 300), Err(Problem::Empty));
        let long = "x".repeat(POLL_OPTION_CHARS_MAX);
        check(&asks(&["Tea", &long], 300), Ok(&["Tea", &long]));
        check(&asks(&["Tea", &(long.clone() + "y")], 300), Err(Problem::TooLong { over: 1 }));
        for bad in [0, 299, POLL_S_MAX + 1, u32::MAX] {
            check(&asks(&["Tea", "Cake"], bad), Err(Problem::Wrong));
        }
        let poll = checked(&ada(), &asks(&["Tea", "Cake"], 300), NOW).unwrap();
        assert_eq!((poll.until, poll.hides_votes), (Wall(NOW.0 + 300_000), true));
    }

    #[test]
    fn polls_of_one_author_bounded() {
        let mut user = ada();
        let poll = checked(&user, &asks(&["Tea", "Cake"], 300), NOW).unwrap();
        for id in 0..POLLS_MAX as u64 {
            let (at, id, text) = (NOW, PostId::from_raw(id), String::new());
            let (audience, reply_to, note, poll) = (Audience::Everyone, None, None, poll.clone());
            let asked = Entry::PostedPoll {
                at,
                id,
                audience,
                text,
                reply_to,
                note,
                poll,
                sensitive: false,
            };
            user.apply(&asked, Place::default());
        }
        let full = ActionError::field(Field::Poll, Problem::Full { max: number(POLLS_MAX) });
        assert_eq!(checked(&user, &asks(&["Tea", "Cake"], 300), NOW), Err(full));
        let deleted = Entry::PostDeleted { at: NOW, id: PostId::from_raw(7), few: false };
        user.apply(&deleted, Place::default());
        assert!(checked(&user, &asks(&["Tea", "Cake"], 300), NOW).is_ok());
    }

    #[test]
    fn vote_once_in_time_for_what_is_there_and_not_oneself() {
        let mut user = ada();
        let of =
            |name: &str| PostRef { user: UserName::parse(name).unwrap(), id: PostId::from_raw(7) };
        let poll = checked(&user, &asks(&["Tea", "Cake", "Fig"], 300), NOW).unwrap();
        let many = Poll { many: true, ..poll.clone() };
        let last = Wall(poll.until.0 - 1);
        for (name, poll, choices, now, wrong) in [
            ("ada", &poll, &[0][..], NOW, Problem::Own),
            ("ben", &poll, &[], NOW, Problem::Empty),
            ("ben", &poll, &[3], NOW, Problem::Wrong),
            ("ben", &poll, &[u32::MAX], NOW, Problem::Wrong),
            ("ben", &poll, &[0, 1], NOW, Problem::Wrong),
            ("ben", &many, &[0, 3], NOW, Problem::Wrong),
            ("ben", &poll, &[0], poll.until, Problem::Past),
        ] {
            let voted = vote(&user, (&of(name), poll), choices, now);
            let expected = ActionError::field(Field::Choice, wrong);
            assert_eq!(voted, Err(expected), "{name} {choices:?}");
        }
        assert!(vote(&user, (&of("ben"), &many), &[2, 0], last).is_ok());
        let plan = vote(&user, (&of("ben"), &poll), &[1, 1], last).unwrap();
        user.apply(&plan.entries[0], Place::default());
        assert_eq!(user.aside().votes[&of("ben")], [1].into_iter().collect());
        let again = vote(&user, (&of("ben"), &poll), &[1], NOW);
        assert_eq!(again, Err(ActionError::field(Field::Choice, Problem::Used)));
    }
}
