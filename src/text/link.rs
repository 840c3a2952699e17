//! Addresses of pages elsewhere: where they end, and which of them may be linked.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::is_nfkc;

use super::chars::is_invisible;
use super::{Before, Found, Sign};
use crate::limits::LINK_CHARS_SHOWN;

/// A link reaches up to white space, less the punctuation that ends it. If anything in between could
/// disguise where it leads, all of it stays plain text, so that it is seen for what it is.
pub(super) fn find<'a>(rest: &'a str, before: &str) -> Found<'a> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| {
        rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })?;
    let before = Before::of(before).last;
    // After an ASCII letter or digit it is the end of a longer word; other scripts write links
    // right behind their letters.
    if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let run_end = rest.find(ends_link).unwrap_or(rest.len());
    let run = rest.get(..run_end)?;
    let run = before.and_then(|quote| inside_quotes(run, quote)).unwrap_or(run);
    let url = without_ending(run);
    let after_scheme = url.get(scheme.len()..).unwrap_or_default();
    let authority_end = after_scheme.find(['/', '?', '#']).unwrap_or(after_scheme.len());
    let host_is_plain = after_scheme.get(..authority_end).is_some_and(is_host);
    if host_is_plain && !url.contains(is_disguise) {
        Some((Some(Sign::Link(url)), url.len()))
    } else {
        Some((None, run.len()))
    }
}

/// What no address holds: it ends there. The ideographic full stop and its kin end a sentence whose
/// script puts no space behind a link.
fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '<' | '>')
        || matches!(c, '\u{3000}'..='\u{303f}' | '！' | '，' | '：' | '；' | '？' | '（' | '）')
}

/// What may stand in an address, but not in one that we link. An apostrophe is harmless: addresses of
/// encyclopedias have them.
fn is_disguise(c: char) -> bool {
    // Browsers take `\` for `/`, so the host would be another one than it seems.
    (is_quote(c) && !is_apostrophe(c)) || c == '\\' || c.is_control() || is_invisible(c)
}

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '«' | '»' | '‹' | '›')
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’')
}

/// What stands before the quote that ends what `open` began, if one does: an apostrophe inside a word
/// ends nothing.
fn inside_quotes(run: &str, open: char) -> Option<&str> {
    let ends: &[char] = match open {
        '"' => &['"'],
        '\'' => &['\''],
        '`' => &['`'],
        '“' => &['”'],
        '‘' | '‚' => &['’', '‘'],
        '„' => &['“', '”'],
        '«' => &['»'],
        '»' => &['«', '»'],
        '‹' => &['›'],
        '›' => &['‹', '›'],
        _ => return None,
    };
    let in_word = |at: usize, c: &str| {
        let after = run.get(at + c.len()..).unwrap_or_default();
        c.starts_with(is_apostrophe) && after.starts_with(char::is_alphanumeric)
    };
    let end = run.match_indices(ends).find(|(at, c)| !in_word(*at, c))?.0;
    run.get(..end)
}

/// Less what ends a sentence rather than an address: punctuation, quotes, a bracket that was opened
/// before the link, and the invisible marks with which right-to-left text sets a link apart.
fn without_ending(run: &str) -> &str {
    const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];
    let mut surplus = BRACKETS
        .map(|(open, close)| run.matches(close).count().saturating_sub(run.matches(open).count()));
    let mut url = run;
    while let Some(last) = url.chars().next_back() {
        let bracket = BRACKETS.iter().zip(&mut surplus).find(|((_, close), _)| *close == last);
        match bracket {
            Some((_, surplus)) if *surplus > 0 => *surplus -= 1,
            None if ends_sentence(last) || is_quote(last) || is_invisible(last) => {}
            Some(_) | None => break,
        }
        url = url.strip_suffix(last).unwrap_or_default();
    }
    url
}

/// Punctuation of Latin, Arabic, Hebrew and Indic sentences, and the star of those who write `*so*`.
const fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '*' | '…' | '‥' | '—' | '–' | '¡' | '¿' | '‽')
        || matches!(c, '،' | '؛' | '؟' | '۔' | '׃' | '।' | '॥' | '።' | '·')
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

/// What to show of an address.
pub(super) fn shown(url: &str) -> Cow<'_, str> {
    match url.char_indices().nth(LINK_CHARS_SHOWN) {
        None => Cow::Borrowed(url),
        Some(_) => Cow::Owned(url.chars().take(LINK_CHARS_SHOWN - 1).chain(['…']).collect()),
    }
}
