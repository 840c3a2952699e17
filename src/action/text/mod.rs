//! A text cut into pieces for display: plain text, links, mentions, tags. Nothing else is markup.
//!
//! The pieces are slices of the text, in its order and without gaps; escaping them is the page's work.
//! Time is linear in the text, whatever stands in it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::is_nfkc;

use crate::action::chars::is_invisible;
use crate::id::UserName;
use crate::limits::LINK_CHARS_SHOWN;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text as it is.
    Plain(&'a str),
    /// The address of a page elsewhere.
    Link {
        /// `http://` or `https://`, a host and what follows, as typed.
        url: &'a str,
        /// What to show of it: at most [`LINK_CHARS_SHOWN`] characters.
        shown: Cow<'a, str>,
    },
    /// `@name`: whom it names, who may or may not exist, and what was typed, `@` included.
    Mention(UserName, &'a str),
    /// `#word` as typed, `#` included.
    Tag(&'a str),
}

impl<'a> Piece<'a> {
    /// What was typed.
    pub const fn source(&self) -> &'a str {
        match self {
            Self::Plain(text) | Self::Tag(text) | Self::Mention(_, text) => text,
            Self::Link { url, .. } => url,
        }
    }
}

/// Cuts a text into its pieces; no two [`Piece::Plain`] are neighbours.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    let mut before = None;
    while let Some((done, rest)) = text.split_at_checked(at)
        && let Some(c) = rest.chars().next()
    {
        let found = find_piece(rest, c, before);
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
        before = rest.get(..len).and_then(|taken| taken.chars().next_back());
    }
    pieces.extend(text.get(plain_from..).filter(|plain| !plain.is_empty()).map(Piece::Plain));
    pieces
}

/// The names that a text mentions, each once, in the order of the alphabet.
pub fn mentions(text: &str) -> Vec<UserName> {
    let names: BTreeSet<UserName> = pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Mention(name, _) => Some(name),
            Piece::Plain(_) | Piece::Link { .. } | Piece::Tag(_) => None,
        })
        .collect();
    names.into_iter().collect()
}

/// What stands at the beginning of a text, and its length in bytes: never 0.
enum Found<'a> {
    Piece(Piece<'a>, usize),
    Plain(usize),
}

fn find_piece(rest: &str, first: char, before: Option<char>) -> Found<'_> {
    let found = match first {
        'h' | 'H' => find_link(rest, before),
        '@' => find_mention(rest, before),
        '#' => find_tag(rest, before),
        _ => None,
    };
    found.unwrap_or(Found::Plain(first.len_utf8()))
}

/// A link reaches up to white space, less the punctuation that ends it. If anything in between could
/// disguise where it leads, all of it stays plain text, so that it is seen for what it is.
fn find_link(rest: &str, before: Option<char>) -> Option<Found<'_>> {
    // After an ASCII letter or digit it is the end of a longer word; other scripts write links
    // right behind their letters.
    if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let scheme = ["https://", "http://"].into_iter().find(|scheme| {
        rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })?;
    let run_end = rest.find(ends_link).unwrap_or(rest.len());
    let url = without_ending(rest.get(..run_end)?);
    let after_scheme = url.get(scheme.len()..).unwrap_or_default();
    let authority_end = after_scheme.find(['/', '?', '#']).unwrap_or(after_scheme.len());
    let host_is_plain = after_scheme.get(..authority_end).is_some_and(is_host);
    if host_is_plain && !url.contains(is_disguise) {
        Some(Found::Piece(Piece::Link { url, shown: shown(url) }, url.len()))
    } else {
        Some(Found::Plain(run_end))
    }
}

/// What no address holds: it ends there. The ideographic full stop and its kin end a sentence whose
/// script puts no space behind a link.
fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '<' | '>')
        || matches!(c, '\u{3000}'..='\u{303f}' | '！' | '，' | '：' | '；' | '？' | '（' | '）')
}

/// What may stand in an address, but not in one that we link.
fn is_disguise(c: char) -> bool {
    let quote = matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '«' | '»' | '‹' | '›');
    // Browsers take `\` for `/`, so the host would be another one than it seems.
    quote || c == '\\' || c.is_control() || is_invisible(c)
}

/// Less what ends a sentence rather than an address: punctuation, quotes, and a bracket that was opened
/// before the link.
fn without_ending(run: &str) -> &str {
    const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];
    let mut surplus = BRACKETS
        .map(|(open, close)| run.matches(close).count().saturating_sub(run.matches(open).count()));
    let mut url = run;
    while let Some(last) = url.chars().next_back() {
        let bracket = BRACKETS.iter().zip(&mut surplus).find(|((_, close), _)| *close == last);
        match bracket {
            Some((_, surplus)) if *surplus > 0 => *surplus -= 1,
            None if matches!(last, '.' | ',' | ';' | ':' | '!' | '?' | '*' | '…') => {}
            None if last != '\\' && is_disguise(last) && !is_invisible(last) => {}
            Some(_) | None => break,
        }
        url = url.strip_suffix(last).unwrap_or_default();
    }
    url
}

/// A host, with a port or without: labels of letters, digits, `-` and `_` that begin with a letter or
/// digit. So no user-info, no escapes, nothing that another reader of addresses could take otherwise.
fn is_host(authority: &str) -> bool {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let port_is_number = (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
    let host = host.strip_suffix('.').unwrap_or(host);
    let of_label = |c: char| c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '-' | '_');
    let is_label =
        |label: &str| label.starts_with(char::is_alphanumeric) && label.chars().all(of_label);
    // Browsers normalise a host before they go there: one that this changes is not what it seems.
    port_is_number && is_nfkc(host) && host.split('.').all(is_label)
}

fn shown(url: &str) -> Cow<'_, str> {
    match url.char_indices().nth(LINK_CHARS_SHOWN) {
        None => Cow::Borrowed(url),
        Some(_) => Cow::Owned(url.chars().take(LINK_CHARS_SHOWN - 1).chain(['…']).collect()),
    }
}

/// `@name` where a word may begin and where the name ends with the word: not in `ada@example.org`, not
/// in `@ada@example.org`, which is somebody elsewhere.
fn find_mention(rest: &str, before: Option<char>) -> Option<Found<'_>> {
    let typed = rest.strip_prefix('@')?;
    let len = typed.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let (name, after) = typed.split_at_checked(len.unwrap_or(typed.len()))?;
    let begins = !before.is_some_and(|c| is_word(c) || matches!(c, '@' | '/' | '.' | '-' | '+'));
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
/// tags.
fn find_tag(rest: &str, before: Option<char>) -> Option<Found<'_>> {
    let typed = rest.strip_prefix('#')?;
    let word_len = typed.find(|c: char| !is_word(c)).unwrap_or(typed.len());
    let word = typed.get(..word_len)?;
    let begins = !before.is_some_and(|c| is_word(c) || matches!(c, '#' | '&' | '/'));
    let starts_plain = !word.starts_with(is_combining_mark);
    let len = 1 + word_len;
    if begins && starts_plain && word.contains(char::is_alphabetic) {
        Some(Found::Piece(Piece::Tag(rest.get(..len)?), len))
    } else {
        Some(Found::Plain(len))
    }
}

/// Letters, digits and `_` of any script. Marks count: Indic and Arabic words hold them throughout.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_combining_mark(c)
}

#[cfg(test)]
mod tests;
