//! Texts that people take for the same become the same.
//!
//! Case is folded by way of the capitals (`ß` and `SS`, `ς` and `σ`), which the standard library knows:
//! that differs from Unicode's own folding in the dotless `ı` alone, which becomes `i`. A search also
//! folds accents of Latin, Greek and Cyrillic letters, ligatures and widths. It leaves alone the marks
//! of scripts that write vowels with them: without these a word is another one.

use std::ops::Range;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::chars::is_invisible;
use super::is_word;

/// A letter without its case. The capital `ẞ` is its own capital, unlike the `ß` that is small to it.
pub(super) fn fold_case(c: char) -> impl Iterator<Item = char> {
    let c = if c == 'ẞ' { 'ß' } else { c };
    c.to_uppercase().flat_map(char::to_lowercase)
}

/// A text made to be searched in.
#[derive(Debug, Clone, Default)]
pub struct Folded {
    text: String,
    /// For each byte of the text, where in the source the character stands that it came from; then the
    /// source's length.
    from: Vec<u32>,
}

impl Folded {
    /// Folds a text, and remembers what came from where.
    pub fn of(source: &str) -> Self {
        let mut folded = Self::default();
        for (at, c) in source.char_indices() {
            fold_into(c, &mut folded.text);
            folded.from.resize(folded.text.len(), position(at));
        }
        folded.from.push(position(source.len()));
        folded
    }

    /// Where in the source a folded word stands: where a word begins with it. In scripts without spaces
    /// between words anywhere.
    pub fn find<'a>(&'a self, word: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        starts(&self.text, word).map(|start| {
            let at = |folded: usize| self.from.get(folded).map_or(0, |from| *from as usize);
            let (from, mut end) = (at(start), start + word.len());
            // To the end of the character in which the word ends.
            while self.from.get(end).is_some_and(|next| at(end - 1) == *next as usize) {
                end += 1;
            }
            from..at(end)
        })
    }
}

/// A text folded, without a memory of where what came from: for the many texts in which nothing is
/// found.
pub(super) fn fold(source: &str, folded: &mut String) {
    folded.clear();
    source.chars().for_each(|c| fold_into(c, folded));
}

/// Whether a folded word stands in a folded text.
pub(super) fn holds(text: &str, word: &str) -> bool {
    starts(text, word).next().is_some()
}

fn starts<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_anywhere = word.starts_with(is_unspaced);
    let found = text.match_indices(word).map(|(at, _)| at);
    found.filter(move |&at| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !word.is_empty()
            && (is_anywhere || !before.is_some_and(is_word))
            // A mark makes another letter of the one before it.
            && !after.is_some_and(is_combining_mark)
    })
}

fn fold_into(c: char, folded: &mut String) {
    if c.is_ascii() {
        folded.push(c.to_ascii_lowercase());
        return;
    }
    if !is_word(c) {
        // Letters in a circle or a square are signs, and stay so.
        folded.extend(Some(c).filter(|c| !is_invisible(*c)));
        return;
    }
    decompose_compatible(c, |part| match part {
        // The accents that Latin, Greek and Cyrillic letters bear.
        '\u{300}'..='\u{36f}' => {}
        'ø' | 'Ø' => folded.push('o'),
        'ł' | 'Ł' => folded.push('l'),
        'đ' | 'Đ' => folded.push('d'),
        'æ' | 'Æ' => folded.push_str("ae"),
        'œ' | 'Œ' => folded.push_str("oe"),
        part if is_invisible(part) || is_look(part) => {}
        part => folded.extend(fold_case(part)),
    });
}

/// What chooses the look of the character before it.
const fn is_look(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}')
}

/// Letters of scripts that put no spaces between words: Han, kana, Thai, Lao, Tibetan, Burmese, Khmer.
const fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Texts of posts and names are far shorter than 4 GiB; one that were not would be marked wrongly.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
