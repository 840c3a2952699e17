//! A tag: what `#Größe`, `#GRÖSSE` and `#grösse` have in common.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use unicode_normalization::char::is_combining_mark;

use super::chars::is_invisible;
use super::fold::fold_case;
use super::{composed, is_word};
use crate::id::serde_as_text;
use crate::limits::TAG_CHARS_MAX;

/// A tag's word without its `#`: letters, marks, digits and `_` of any script, with a letter among
/// them, in NFC and without difference of case; what joins two letters invisibly is left out, so that
/// two tags that look the same are the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

/// Why a word is no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// It holds something that no tag does, or no letter.
    #[error("a tag is letters, digits and _ with a letter among them")]
    NotAWord,
    /// More than [`TAG_CHARS_MAX`] characters.
    #[error("a tag has at most {TAG_CHARS_MAX} characters")]
    TooLong,
}

impl Tag {
    /// Reads a tag's word in any spelling.
    ///
    /// # Errors
    /// [`TagError`].
    pub fn parse(word: &str) -> Result<Self, TagError> {
        let mut folded = String::new();
        Self::fold_into(word, &mut folded)?;
        Ok(Self(folded.into()))
    }

    /// Adds the tag of a word in any spelling to a text; on an error nothing.
    ///
    /// # Errors
    /// [`TagError`].
    pub(super) fn fold_into(word: &str, text: &mut String) -> Result<(), TagError> {
        // What cannot be seen makes no word of what is left without it.
        let seen: Cow<'_, str> = if word.contains(is_invisible) {
            word.chars().filter(|c| !is_invisible(*c)).collect::<String>().into()
        } else {
            word.into()
        };
        let is_one = |word: &str| word_len(word) == word.len();
        let has_letter = seen.chars().any(char::is_alphabetic);
        if !has_letter || !is_one(word) || !is_one(&seen) || seen.starts_with(is_combining_mark) {
            return Err(TagError::NotAWord);
        }
        if word.chars().count() > TAG_CHARS_MAX {
            return Err(TagError::TooLong);
        }
        if word.is_ascii() {
            // The same, which every tag that is read at start goes through.
            text.extend(word.chars().map(|c| c.to_ascii_lowercase()));
            return Ok(());
        }
        let folded: String = composed(&seen).chars().flat_map(fold_case).collect();
        text.push_str(&composed(&folded));
        Ok(())
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bytes of the tag's word at the beginning of a text.
pub(super) fn word_len(text: &str) -> usize {
    let ascii = text.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_'));
    let ascii = ascii.unwrap_or(text.len());
    if text.as_bytes().get(ascii).is_none_or(u8::is_ascii) {
        return ascii;
    }
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let is_seen = |c: char| is_word(c) && !is_invisible(c);
        let joins = at > 0 && is_joiner(c) && chars.peek().is_some_and(|(_, next)| is_seen(*next));
        if !is_word(c) && !joins {
            return at;
        }
    }
    text.len()
}

/// What stands inside words of some scripts: the joiners of Persian and Indic, the dots of Catalan and
/// Japanese, the quotes of Hebrew.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '·' | '・' | '׳' | '״')
}

impl FromStr for Tag {
    type Err = TagError;
    fn from_str(text: &str) -> Result<Self, TagError> {
        Self::parse(text)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
serde_as_text!(Tag);
