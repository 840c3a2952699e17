//! What people write, read by a program: a text cut into pieces for display, the labels it bears, words
//! compared as people compare them, and what a search asks for. Pure, and of no layer: a user's memory,
//! the index and the pages must agree on what is a name and what is a tag.
//!
//! - `link`: addresses. `tag`, `label`: names and tags under which posts are found.
//! - `fold`: texts that read the same become the same. `query`: what a search asks for.
//! - `chars`: characters that disguise text.
//!
//! The pieces are slices of the text, in its order and without gaps; escaping them is the page's work.
//! Time is linear in the text, whatever stands in it. There is no crate for this part: `linkify` finds
//! addresses of any scheme and e-mail, and each rule here that keeps a link from leading elsewhere than
//! it seems would still have to stand behind it.

pub mod chars;
pub mod fold;
mod label;
mod link;
pub mod query;
mod tag;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::id::UserName;
use crate::order::gather;
use chars::is_invisible;

pub use label::Label;
pub use tag::{Tag, TagError};

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text as it is.
    Plain(&'a str),
    /// The address of a page elsewhere.
    Link {
        /// `http://` or `https://`, a host and what follows, as typed.
        url: &'a str,
        /// What to show of it: at most `limits::LINK_CHARS_SHOWN` characters.
        shown: Cow<'a, str>,
    },
    /// `@name`: whom it names, who may or may not exist, and what was typed, `@` included.
    Mention(UserName, &'a str),
    /// `#word`: under which tag the post is found, and what was typed, `#` included.
    Tag(Tag, &'a str),
}

impl<'a> Piece<'a> {
    /// What was typed.
    pub const fn source(&self) -> &'a str {
        match self {
            Self::Plain(text) | Self::Tag(_, text) | Self::Mention(_, text) => text,
            Self::Link { url, .. } => url,
        }
    }
}

/// Cuts a text into its pieces; no two [`Piece::Plain`] are neighbours.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    let mut before = Before::default();
    while let Some((done, rest)) = text.split_at_checked(at)
        && let Some(c) = rest.chars().next()
    {
        let found = find_piece(rest, c, &before);
        let len = match found {
            Found::Piece(_, len) | Found::Plain(len) => len,
        };
        if let Found::Piece(piece, _) = found {
            pieces
                .extend(done.get(plain_from..).filter(|plain| !plain.is_empty()).map(Piece::Plain));
            pieces.push(piece);
            plain_from = at + len;
        }
        at += len;
        rest.get(..len).unwrap_or_default().chars().for_each(|c| before.pass(c));
    }
    pieces.extend(text.get(plain_from..).filter(|plain| !plain.is_empty()).map(Piece::Plain));
    pieces
}

/// The names that a text mentions, each once, in the order of the alphabet.
pub fn mentions(text: &str) -> Vec<UserName> {
    labels(text).iter().filter_map(Label::name).collect()
}

/// The names and tags that a text bears, each once, sorted.
pub fn labels(text: &str) -> Vec<Label> {
    // Most texts have none, and each is read at start.
    if !text.contains(['@', '#', '＃']) {
        return Vec::new();
    }
    let label = |piece| match piece {
        Piece::Mention(name, _) => Some(Label::of_name(&name)),
        Piece::Tag(tag, _) => Some(Label::of_tag(&tag)),
        Piece::Plain(_) | Piece::Link { .. } => None,
    };
    let labels: BTreeSet<Label> = gather(pieces(text).into_iter().filter_map(label));
    labels.into_iter().collect()
}

/// A text in NFC. What is to be left out of a text is left out before: composing another iterator than a
/// text's own characters would put all of the composing into the program once more.
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// The last two characters that were passed, not counting what only changes the one before it: the
/// marks of a letter, the joiners and looks of emoji, the marks of a direction.
#[derive(Debug, Default)]
struct Before {
    last: Option<char>,
    second_last: Option<char>,
}

impl Before {
    fn pass(&mut self, c: char) {
        if !(is_combining_mark(c) || is_invisible(c)) {
            self.second_last = self.last.replace(c);
        }
    }

    fn is_word(&self) -> bool {
        self.last.is_some_and(is_word)
    }

    fn is(&self, any_of: &[char]) -> bool {
        self.last.is_some_and(|c| any_of.contains(&c))
    }

    /// Whether a word ends in one of these, as the part of an address before the `@` may.
    fn is_word_and(&self, any_of: &[char]) -> bool {
        self.is(any_of) && self.second_last.is_some_and(is_word)
    }
}

/// What stands at the beginning of a text, and its length in bytes: never 0.
enum Found<'a> {
    Piece(Piece<'a>, usize),
    Plain(usize),
}

fn find_piece<'a>(rest: &'a str, first: char, before: &Before) -> Found<'a> {
    let found = match first {
        'h' | 'H' => link::find(rest, before.last),
        '@' => find_mention(rest, before),
        '#' | '＃' => find_tag(rest, first, before),
        _ => None,
    };
    found.unwrap_or(Found::Plain(first.len_utf8()))
}

/// `@name` where a word may begin and where the name ends with the word: not in `ada@example.org`, not
/// in `@ada@example.org`, which is somebody elsewhere. `.@ada` names ada: people write it so that a
/// post does not begin with a name.
fn find_mention<'a>(rest: &'a str, before: &Before) -> Option<Found<'a>> {
    let typed = rest.strip_prefix('@')?;
    let len = typed.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let (name, after) = typed.split_at_checked(len.unwrap_or(typed.len()))?;
    let begins =
        !(before.is_word() || before.is(&['@', '/']) || before.is_word_and(&['.', '-', '+']));
    let ends = !after.starts_with(|c: char| is_word(c) || c == '@');
    let len = 1 + name.len();
    match UserName::from_input(name) {
        Ok(user) if begins && ends => {
            Some(Found::Piece(Piece::Mention(user, rest.get(..len)?), len))
        }
        Ok(_) | Err(_) => Some(Found::Plain(len)),
    }
}

/// `#word` where a word may begin, if it has a letter: `#1` is a number, and `/#part` and `&#39;` are no
/// tags. Japanese keyboards give `＃`.
fn find_tag<'a>(rest: &'a str, first: char, before: &Before) -> Option<Found<'a>> {
    let word = rest.get(first.len_utf8()..)?;
    let word = word.get(..tag::word_len(word))?;
    let begins = !(before.is_word() || before.is(&['#', '＃', '&', '/']));
    let len = first.len_utf8() + word.len();
    match Tag::parse(word) {
        Ok(tag) if begins => Some(Found::Piece(Piece::Tag(tag, rest.get(..len)?), len)),
        Ok(_) | Err(_) => Some(Found::Plain(len)),
    }
}

/// Letters, digits and `_` of any script. Marks count: Indic and Arabic words hold them throughout.
/// Letters in squares do not: they are emoji.
fn is_word(c: char) -> bool {
    let is_emoji = matches!(c, '\u{1f100}'..='\u{1f1ff}');
    (c.is_alphanumeric() && !is_emoji) || c == '_' || is_combining_mark(c)
}
