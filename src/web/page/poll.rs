//! A poll as the templates show it, and what is wrong with one.

use super::form::FormHead;
use super::time::Moment;
use crate::action::Problem;
use crate::clock::Wall;
use crate::limits::{POLL_OPTION_CHARS_MAX, POLL_OPTIONS_MAX};
use crate::web::words::Lang;
use crate::wire::request::{Field, PollView};

/// The field of a form that says which one is chosen.
pub(crate) const ONE_CHOICE: &str = "choice";
/// Those that say each of several: no field stands twice in a form.
pub(crate) const MANY_CHOICES: [&str; POLL_OPTIONS_MAX] =
    ["choice_1", "choice_2", "choice_3", "choice_4"];

/// A poll.
#[derive(Debug, Clone)]
pub(crate) struct PollItem {
    /// What can be chosen.
    pub(crate) options: Vec<OptionItem>,
    /// The form in which whoever looks can vote; none where they cannot.
    pub(crate) form: Option<FormHead>,
    /// `radio` or `checkbox`.
    pub(crate) kind: &'static str,
    /// Whether several may be chosen.
    pub(crate) many: bool,
    /// How many voted, in words.
    pub(crate) voters: String,
    /// Its end.
    pub(crate) end: Moment,
    /// Whether that is over.
    pub(crate) is_over: bool,
    /// Whether results are not told yet.
    pub(crate) is_secret: bool,
}

/// Something that can be chosen.
#[derive(Debug, Clone)]
pub(crate) struct OptionItem {
    /// What it is called.
    pub(crate) title: String,
    /// Name and value of it in the form.
    pub(crate) name: &'static str,
    /// See `name`.
    pub(crate) value: usize,
    /// Its part of all votes in percent; none where that is not told.
    pub(crate) percent: Option<u64>,
    /// How many chose it, in words.
    pub(crate) votes: String,
    /// Whether whoever looks chose it.
    pub(crate) is_chosen: bool,
}

impl PollItem {
    /// How it is shown to whoever cannot vote.
    pub(crate) fn of(t: Lang, poll: &PollView, now: Wall) -> Self {
        let options = poll.options.iter().enumerate().map(|(place, option)| OptionItem {
            title: option.title.clone(),
            name: if poll.many {
                MANY_CHOICES.get(place).copied().unwrap_or_default()
            } else {
                ONE_CHOICE
            },
            value: place,
            percent: option.votes.map(|votes| percent(votes, poll.voters)),
            votes: option.votes.map(|votes| t.votes(votes)).unwrap_or_default(),
            is_chosen: poll.chosen.is_some_and(|chosen| chosen.has(place)),
        });
        Self {
            options: options.collect(),
            form: None,
            kind: if poll.many { "checkbox" } else { "radio" },
            many: poll.many,
            voters: t.voters(poll.voters),
            end: if poll.is_over {
                Moment::seen_at(t, poll.until, now)
            } else {
                Moment::ahead(t, poll.until, now)
            },
            is_over: poll.is_over,
            is_secret: poll.options.iter().any(|option| option.votes.is_none()),
        }
    }
}

/// The nearest percent of all who voted.
fn percent(votes: u32, voters: u32) -> u64 {
    let (votes, voters) = (u64::from(votes), u64::from(voters.max(1)));
    (votes * 200 + voters) / (voters * 2)
}

/// What is wrong with a poll, or with a vote, with a way out.
pub(super) fn problem(t: Lang, field: Field, problem: &Problem) -> String {
    let is_vote = field == Field::Choice;
    let said = match problem {
        Problem::TooShort { min } => return t.poll_options_least(*min),
        Problem::TooLong { over } => {
            let over = t.chars_too_many(*over);
            return format!("{over} {}", t.has_up_to(t.an_option(), POLL_OPTION_CHARS_MAX));
        }
        Problem::Full { max } if is_vote => return t.votes_most(*max),
        Problem::Full { max } if *max as usize <= POLL_OPTIONS_MAX => {
            return t.poll_options_most(*max);
        }
        Problem::Full { max } => return t.polls_most(*max),
        Problem::Empty if is_vote => t.choose_something(),
        Problem::Empty => t.option_empty(),
        Problem::Taken => t.options_same(),
        Problem::Used => t.voted_before(),
        Problem::Past => t.poll_is_over(),
        Problem::Own => t.own_poll(),
        _ if is_vote => t.no_such_option(),
        _ => t.poll_lasts(),
    };
    said.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_is_the_nearest_and_of_nobody_none() {
        let of = |votes, voters| percent(votes, voters);
        assert_eq!([of(0, 0), of(1, 3), of(2, 3), of(1, 200), of(3, 3)], [0, 33, 67, 1, 100]);
        assert_eq!(percent(u32::MAX, u32::MAX), 100);
    }
}
