//! What people type into forms, made fit to be kept, or what is wrong with it.
//!
//! Each function is idempotent: what it returned, it takes as it is. So checking a field early, to
//! tell all that is wrong with a form at once, and again in its handler, does no harm.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::action::Problem;
use crate::id::{NameError, USER_NAME_CHARS_MAX, USER_NAME_CHARS_MIN, UserName};
use crate::limits::{
    BIO_CHARS_MAX, DESCRIPTION_CHARS_MAX, DISPLAY_NAME_CHARS_MAX, NOTE_CHARS_MAX,
    POLL_OPTION_CHARS_MAX, POST_CHARS_MAX, SUGGESTION_CHARS_READ,
};
use crate::text::chars::{is_blank, is_invisible};
use crate::text::composed;
use crate::text::join::{flag, is_joined, is_joiner};

/// Names nobody may take: sorted, one a line.
const RESERVED: &str = include_str!("reserved.txt");

/// Words of those who have a say here: no name may look like one.
const ROLES: [&str; 14] = [
    "admin",
    "administrator",
    "keeper",
    "keepers",
    "moderator",
    "official",
    "operator",
    "owner",
    "root",
    "security",
    "staff",
    "support",
    "system",
    "webmaster",
];

/// Whether one name could be taken for the other at a glance: `ro5e_bay` for `rosebay`.
pub fn looks_like(one: &UserName, other: &UserName) -> bool {
    skeleton(one.as_str()) == skeleton(other.as_str())
}

/// A name without what the eye passes over.
fn skeleton(name: &str) -> String {
    let plain = name.chars().filter(|c| *c != '_').map(|c| match c {
        '0' => 'o',
        '1' | 'l' => 'i',
        '5' => 's',
        other => other,
    });
    plain.collect::<String>().replace("rn", "m")
}

/// A name for a new account. `own_words` are the community's: its name, its host, its keeper's
/// choice, in lower case.
///
/// # Errors
/// [`Problem`], with a name that would do where one can be made of what was typed.
pub fn username(input: &str, own_words: &[String]) -> Result<UserName, Problem> {
    let typed = input.trim();
    if typed.is_empty() {
        return Err(Problem::Empty);
    }
    let name = UserName::from_input(typed).map_err(|error| match error {
        NameError::TooShort => Problem::TooShort { min: chars_u32(USER_NAME_CHARS_MIN) },
        NameError::TooLong => too_long(typed.chars().count(), USER_NAME_CHARS_MAX),
        NameError::BadStart => Problem::BadStart { suggestion: suggestion(typed, own_words) },
        NameError::BadChar(found) => {
            Problem::BadChar { found, suggestion: suggestion(typed, own_words) }
        }
    })?;
    if is_reserved(&name, own_words) { Err(Problem::Reserved) } else { Ok(name) }
}

/// Whether nobody may take this name.
fn is_reserved(name: &UserName, own_words: &[String]) -> bool {
    RESERVED.lines().any(|word| word == name.as_str())
        || ROLES.iter().any(|role| skeleton(role) == skeleton(name.as_str()))
        || own_words.iter().any(|word| word.eq_ignore_ascii_case(name.as_str()))
}

/// A name that would do, made of what was typed: other forms of ASCII letters become those (`Ａｄａ`,
/// `adá`), whatever else stands between letters becomes one `_`. Offered, never taken by itself.
fn suggestion(typed: &str, own_words: &[String]) -> Option<UserName> {
    let mut name = String::new();
    let read: String = typed.chars().take(SUGGESTION_CHARS_READ).collect();
    for c in read.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)) {
        match c.to_ascii_lowercase() {
            letter @ 'a'..='z' => name.push(letter),
            // Nothing but a letter may come first.
            _ if name.is_empty() => {}
            digit @ '0'..='9' => name.push(digit),
            _ if name.ends_with('_') => {}
            _ => name.push('_'),
        }
        if name.len() == USER_NAME_CHARS_MAX {
            break;
        }
    }
    let name = UserName::parse(name.trim_end_matches('_')).ok()?;
    (!is_reserved(&name, own_words)).then_some(name)
}

/// A name to be shown beside the user name, which stands in where nothing is left of it.
///
/// What cannot be seen is dropped, not complained about: it comes along when one copies a name, and
/// its owner could not find it. White space of any kind becomes single spaces. NFC, because two
/// names that look the same should be the same.
///
/// # Errors
/// [`Problem::TooLong`].
pub fn display_name(input: &str, name: &UserName) -> Result<String, Problem> {
    let shown = one_line(input);
    if is_blank(&shown) {
        return Ok(name.as_str().to_owned());
    }
    check_chars(shown, DISPLAY_NAME_CHARS_MAX)
}

/// What a post's text is folded behind, if anything of it can be seen: a line, like a name.
///
/// # Errors
/// [`Problem::TooLong`].
pub fn note(input: &str) -> Result<Option<String>, Problem> {
    let shown = one_line(input);
    if is_blank(&shown) { Ok(None) } else { check_chars(shown, NOTE_CHARS_MAX).map(Some) }
}

/// What a picture shows, for whoever does not see it; may be empty: a line, like a name.
///
/// # Errors
/// [`Problem::TooLong`].
pub fn description(input: &str) -> Result<String, Problem> {
    check_chars(one_line(input), DESCRIPTION_CHARS_MAX)
}

/// What can be chosen in a poll: a line, like a name.
///
/// # Errors
/// [`Problem::Empty`] if nothing of it can be seen, [`Problem::TooLong`].
pub fn poll_option(input: &str) -> Result<String, Problem> {
    let line = one_line(input);
    if is_blank(&line) {
        return Err(Problem::Empty);
    }
    check_chars(line, POLL_OPTION_CHARS_MAX)
}

/// Without what cannot be seen, but for what changes how that looks beside which it stands; white space as single spaces,
/// in NFC.
fn one_line(input: &str) -> String {
    let typed = composed(input);
    let (mut seen, mut joiner, mut rest) = (String::new(), None, typed.chars());
    loop {
        let next = rest.next();
        if next.is_some_and(is_joiner) {
            joiner = next;
        } else if next.is_none_or(|c| c.is_whitespace() || !(c.is_control() || is_invisible(c))) {
            let kept = joiner.take().filter(|joiner| is_joined(&seen, *joiner, next));
            seen.extend(kept.into_iter().chain(next));
            let Some(c) = next else { break };
            seen.push_str(flag(c, rest.as_str()).unwrap_or_default());
        }
    }
    let composed = composed(&seen);
    let words: Vec<&str> = composed.split_whitespace().collect();
    words.join(" ")
}

/// What a person says of themselves; may be empty. NFC, line ends as `\n`.
///
/// # Errors
/// [`Problem::TooLong`].
pub fn bio(input: &str) -> Result<String, Problem> {
    let composed = composed(&several_lines(input));
    check_chars(without_blank_ends(&composed).to_owned(), BIO_CHARS_MAX)
}

/// Without control characters but line ends, which are `\n`.
fn several_lines(input: &str) -> String {
    unix_lines(input).chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// Why something is done, or what a keeper says to strangers; may be empty. As [`bio`], with a limit of
/// its own.
///
/// # Errors
/// [`Problem::TooLong`].
pub fn reason(input: &str, chars_max: usize) -> Result<String, Problem> {
    let composed = composed(&several_lines(input));
    let text = without_blank_ends(&composed);
    check_chars(if is_blank(text) { String::new() } else { text.to_owned() }, chars_max)
}

/// A post's text: as typed, but for line ends (`\n`), control characters other than tabs, blank lines
/// before it and white space after it.
///
/// # Errors
/// [`Problem::Empty`] if nothing of it can be seen, [`Problem::TooLong`].
pub fn post_text(input: &str) -> Result<String, Problem> {
    let kept = |c: &char| matches!(c, '\n' | '\t') || !c.is_control();
    let text: String = unix_lines(input).chars().filter(kept).collect();
    if is_blank(&text) {
        return Err(Problem::Empty);
    }
    check_chars(without_blank_ends(&text).to_owned(), POST_CHARS_MAX)
}

/// The same of a post that may have pictures, or ask something: beside that its text may be nothing.
///
/// # Errors
/// As [`post_text`].
pub fn post_text_beside(input: &str, has_more: bool) -> Result<String, Problem> {
    match post_text(input) {
        Err(Problem::Empty) if has_more => Ok(String::new()),
        other => other,
    }
}

/// Line ends as browsers (CR LF), old files (CR) and most apps (LF) send them, all as LF.
fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Without blank lines before it and white space after it. Spaces that begin its first line stay: they
/// may be meant.
fn without_blank_ends(text: &str) -> &str {
    let end = text.trim_end();
    let blank = end.len() - end.trim_start().len();
    match end.get(..blank).and_then(|blank| blank.rfind('\n')) {
        Some(line_end) => end.get(line_end + 1..).unwrap_or(end),
        None => end,
    }
}

fn check_chars(text: String, max: usize) -> Result<String, Problem> {
    let count = text.chars().count();
    if count > max { Err(too_long(count, max)) } else { Ok(text) }
}

fn too_long(count: usize, max: usize) -> Problem {
    Problem::TooLong { over: chars_u32(count.saturating_sub(max)) }
}

fn chars_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
