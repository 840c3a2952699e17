//! Polls and votes as forms say them.

use crate::action::field::poll_option;
use crate::action::{NewPoll, Problem};
use crate::web::form::Form;
use crate::web::page::form::{FormHead, PollField};
use crate::web::page::poll::{MANY_CHOICES, ONE_CHOICE};
use crate::web::words::Lang;

/// The button that asks for room for a poll.
pub(super) const ASKS: &str = "ask";
/// What can be chosen.
const OPTIONS: [&str; 4] = ["option_1", "option_2", "option_3", "option_4"];
/// For how many seconds votes are taken, and whether several may be chosen.
const LASTS: &str = "lasts";
const SEVERAL: &str = "several";
/// Hours that can be chosen for it: an hour to a month.
const HOURS: [u32; 6] = [1, 6, 24, 3 * 24, 7 * 24, 30 * 24];
/// What is chosen on a form that nobody filled in.
const DAY_S: u32 = 24 * 3600;

/// What is chosen, by its places; nothing where that makes no sense.
pub(super) fn chosen(form: &Form) -> Option<Vec<u32>> {
    let fields = MANY_CHOICES.iter().chain(&[ONE_CHOICE]);
    fields.filter_map(|name| form.find(name)).map(|place| place.parse().ok()).collect()
}

/// The form carrying the same.
pub(super) fn carrying(form: FormHead, sent: &Form) -> FormHead {
    let fields = MANY_CHOICES.into_iter().chain([ONE_CHOICE]);
    fields.fold(form, |form, name| form.carrying(name, sent.get(name)))
}

/// A form that does not say how long votes are taken, or in no length of ours: a poll ends when its author
/// meant it to, and cannot be changed afterwards.
pub(super) struct EndUnknown;

/// What a form asks; nothing where it has no room for that. What is left blank is left out, also where all is: whoever
/// asked for the room and filled in nothing is told so, as no poll can be put to a post afterwards.
pub(super) fn asked(form: &Form) -> Result<Option<NewPoll>, EndUnknown> {
    if !has_room(form) {
        return Ok(None);
    }
    let options = OPTIONS.iter().map(|name| form.get(name));
    let options: Vec<_> = options.filter(|it| !it.trim().is_empty()).map(str::to_owned).collect();
    let lasts_s = lasts_s(form).or(options.is_empty().then_some(DAY_S)).ok_or(EndUnknown)?;
    let many = !form.get(SEVERAL).is_empty();
    Ok(Some(NewPoll { options, lasts_s, many, hides_votes: false }))
}

fn has_room(form: &Form) -> bool {
    OPTIONS.iter().any(|name| form.find(name).is_some())
}

fn lasts_s(form: &Form) -> Option<u32> {
    let said = form.get(LASTS).parse().ok();
    said.filter(|said| HOURS.iter().any(|hours| hours * 3600 == *said))
}

/// The number of what can be chosen that has this problem by itself.
pub(super) fn at_fault(form: &Form, problem: &Problem) -> Option<u32> {
    let filled = (1..).zip(OPTIONS).filter(|(_, name)| !form.get(name).trim().is_empty());
    let mut judged = filled.map(|(number, name)| (number, poll_option(form.get(name)).err()));
    judged.find(|(_, found)| found.as_ref() == Some(problem)).map(|(number, _)| number)
}

/// The fields for a poll as they were filled in, with what is wrong with it; none where none were asked for.
pub(super) fn fields(t: Lang, form: &Form, problem: String) -> Option<PollField> {
    let has_room = form.find(ASKS).is_some() || has_room(form);
    let options =
        (1..).zip(OPTIONS).map(|(number, name)| (number, name, form.get(name).to_owned()));
    let chosen = lasts_s(form).unwrap_or(DAY_S);
    let lasts = HOURS.map(|hours| {
        let words = if hours < 24 { t.hours_long(hours) } else { t.days_long(hours / 24) };
        (hours * 3600, words, hours * 3600 == chosen)
    });
    has_room.then(|| PollField {
        options: options.collect(),
        lasts: lasts.to_vec(),
        several: !form.get(SEVERAL).is_empty(),
        problem,
    })
}
