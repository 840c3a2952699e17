//! What people write, read by a program: a text cut into pieces for display, the labels it bears, words
//! compared as people compare them, and what a search asks for. Pure, and of no layer: a user's memory,
//! the index and the pages must agree on what is a name and what is a tag.
//!
//! - `link`: addresses. `tag`, `label`: names and tags under which posts are found.
//! - `fold`: texts that read the same become the same. `query`: what a search asks for.
//! - `chars`: characters that disguise text. `join`: those of them that are wanted in places.
//!
//! The pieces are slices of the text, in its order and without gaps; escaping them is the page's work.
//! Time is linear in the text, whatever stands in it. There is no crate for this part: `linkify` finds
//! addresses of any scheme and e-mail, and each rule here that keeps a link from leading elsewhere than
//! it seems would still have to stand behind it.

pub mod chars;
pub mod fold;
pub mod join;
mod label;
mod link;
pub mod query;
mod tag;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use memchr::memchr3;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::id::UserName;
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
    scan(text, &mut |at, sign| {
        let piece = match sign {
            Sign::Link(url) => Some(Piece::Link { url, shown: link::shown(url) }),
            Sign::Name(typed, name) => {
                UserName::from_input(name).ok().map(|name| Piece::Mention(name, typed))
            }
            Sign::Tag(typed, word) => Tag::parse(word).ok().map(|tag| Piece::Tag(tag, typed)),
        };
        let Some(piece) = piece else { return };
        let plain = text.get(plain_from..at).filter(|plain| !plain.is_empty());
        pieces.extend(plain.map(Piece::Plain));
        plain_from = at + piece.source().len();
        pieces.push(piece);
    });
    pieces.extend(text.get(plain_from..).filter(|plain| !plain.is_empty()).map(Piece::Plain));
    pieces
}

/// The names that a text mentions, each once, in the order of the alphabet.
pub fn mentions(text: &str) -> Vec<UserName> {
    labels(text).iter().filter_map(Label::name).collect()
}

/// The names and tags that a text bears, each once, sorted.
pub fn labels(text: &str) -> Vec<Label> {
    labels_by(text, Label::of)
}

/// The same, each made of its text by `make`: at start a million are read, and most are known already.
pub fn labels_by(text: &str, make: impl Fn(&str) -> Label) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    // Most texts have none.
    if memchr3(b'@', b'#', FULL_WIDTH, text.as_bytes()).is_none() {
        return labels;
    }
    let mut label = String::new();
    scan(text, &mut |_, sign| {
        label.clear();
        let is_one = match sign {
            Sign::Link(_) => false,
            Sign::Name(_, name) => {
                label.push('@');
                UserName::lower_into(name, &mut label).is_ok()
            }
            Sign::Tag(_, word) => {
                label.push('#');
                Tag::fold_into(word, &mut label).is_ok()
            }
        };
        if is_one && let Err(at) = labels.binary_search_by(|known| known.as_str().cmp(&label)) {
            labels.insert(at, make(&label));
        }
    });
    labels
}

/// A text in NFC. What is to be left out of a text is left out before: composing another iterator than a
/// text's own characters would put all of the composing into the program once more.
pub fn composed(text: &str) -> String {
    // Most words are ASCII, which is composed already, and every tag is read at start.
    if text.is_ascii() { text.to_owned() } else { text.nfc().collect() }
}

/// Something in a text that may be more than text.
enum Sign<'a> {
    /// The address of a page.
    Link(&'a str),
    /// `@name` as typed, and the name in it, which may still be none.
    Name(&'a str, &'a str),
    /// `#word` as typed, and the word in it, which may still be no tag.
    Tag(&'a str, &'a str),
}

/// The first byte of `＃`, and of much else.
const FULL_WIDTH: u8 = 0xef;

/// Shows all signs in a text to `found`, in order, each with where it stands.
fn scan<'a>(text: &'a str, found: &mut dyn FnMut(usize, Sign<'a>)) {
    // The rest of a text says nothing: a link begins with `h`.
    let may_begin = |byte: &u8| matches!(byte, b'@' | b'#' | b'h' | b'H' | &FULL_WIDTH);
    let mut from = 0;
    while let Some(rest) = text.as_bytes().get(from..)
        && let Some(at) = rest.iter().position(may_begin)
        && let Some((before, rest)) = text.split_at_checked(from + at)
        && let Some(first) = rest.chars().next()
    {
        let (sign, len) = match first {
            'h' | 'H' => link::find(rest, before),
            '@' => find_mention(rest, before),
            '#' | '＃' => find_tag(rest, first, before),
            _ => None,
        }
        .unwrap_or((None, first.len_utf8()));
        if let Some(sign) = sign {
            found(before.len(), sign);
        }
        from = before.len() + len;
    }
}

/// What stands at the beginning of a text, if it is something, and how many bytes are done with it.
type Found<'a> = Option<(Option<Sign<'a>>, usize)>;

/// The last two characters of a text, not counting what only changes the one before it: the marks of a
/// letter, the joiners and looks of emoji, the marks of a direction.
///
/// Whatever [`scan`] stops at counts, so no character is looked at for more than the two stops behind it.
struct Before {
    last: Option<char>,
    second_last: Option<char>,
}

impl Before {
    fn of(text: &str) -> Self {
        let counts = |c: &char| c.is_ascii() || !(is_combining_mark(*c) || is_invisible(*c));
        let mut chars = text.chars().rev().filter(counts);
        Self { last: chars.next(), second_last: chars.next() }
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

/// `@name` where a word may begin and where the name ends with the word: not in `ada@example.org`, not
/// in `@ada@example.org`, which is somebody elsewhere. `.@ada` names ada: people write it so that a
/// post does not begin with a name.
fn find_mention<'a>(rest: &'a str, before: &str) -> Found<'a> {
    let typed = rest.strip_prefix('@')?;
    let len = typed.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_'));
    let (name, after) = typed.split_at_checked(len.unwrap_or(typed.len()))?;
    let before = Before::of(before);
    let begins =
        !(before.is_word() || before.is(&['@', '/']) || before.is_word_and(&['.', '-', '+']));
    let ends = !after.starts_with(|c: char| is_word(c) || c == '@');
    let len = 1 + name.len();
    let sign = Sign::Name(rest.get(..len)?, name);
    Some(((begins && ends).then_some(sign), len))
}

/// `#word` where a word may begin, if it has a letter: `#1` is a number, and `/#part` and `&#39;` are no
/// tags. Japanese keyboards give `＃`.
fn find_tag<'a>(rest: &'a str, first: char, before: &str) -> Found<'a> {
    let word = rest.get(first.len_utf8()..)?;
    let word = word.get(..tag::word_len(word))?;
    let before = Before::of(before);
    let begins = !(before.is_word() || before.is(&['#', '＃', '&', '/']));
    let len = first.len_utf8() + word.len();
    let sign = Sign::Tag(rest.get(..len)?, word);
    Some((begins.then_some(sign), len))
}

/// Letters, digits and `_` of any script. Marks count: Indic and Arabic words hold them throughout.
/// Letters in squares do not: they are emoji.
fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let is_emoji = matches!(c, '\u{1f100}'..='\u{1f1ff}');
    (c.is_alphanumeric() && !is_emoji) || is_combining_mark(c)
}
