//! What a search asks for: words, `@names` and `#tags`, all of which must be there. There are no
//! operators: whatever else is typed counts for nothing.

use std::ops::Range;

use super::fold::{Folded, fold, holds};
use super::{Tag, is_word};
use crate::id::UserName;
use crate::limits::{QUERY_CHARS_MAX, QUERY_TERMS_MAX};
use crate::order::sort_by_key;

/// What a search asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Folded; what a word of the text begins with.
    pub words: Vec<String>,
    /// Who wrote it, or is named in it.
    pub names: Vec<UserName>,
    /// What it bears.
    pub tags: Vec<Tag>,
}

/// A search of more than [`QUERY_CHARS_MAX`] characters or [`QUERY_TERMS_MAX`] terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a search has at most {QUERY_CHARS_MAX} characters and {QUERY_TERMS_MAX} words")]
pub struct TooLong;

impl Query {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn parse(typed: &str) -> Result<Self, TooLong> {
        if typed.chars().nth(QUERY_CHARS_MAX).is_some() {
            return Err(TooLong);
        }
        let mut query = Self::default();
        typed.split_whitespace().for_each(|term| query.add(term));
        if query.words.len() + query.names.len() + query.tags.len() > QUERY_TERMS_MAX {
            return Err(TooLong);
        }
        Ok(query)
    }

    /// A name or tag that is none is a word like others.
    fn add(&mut self, term: &str) {
        // Quotes, brackets and the like stand around words, not in them.
        let of_term = |c: char| is_word(c) || matches!(c, '@' | '#' | '＃');
        let term = term.trim_matches(|c| !of_term(c));
        let name = term.strip_prefix('@').and_then(|name| UserName::from_input(name).ok());
        let tag = term.strip_prefix(['#', '＃']).and_then(|word| Tag::parse(word).ok());
        match (name, tag) {
            (Some(name), _) => add_once(&mut self.names, name),
            (None, Some(tag)) => add_once(&mut self.tags, tag),
            (None, None) => {
                let mut word = String::new();
                fold(term.trim_matches(|c| !is_word(c)), &mut word);
                if word.contains(char::is_alphanumeric) {
                    add_once(&mut self.words, word);
                }
            }
        }
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.names.is_empty() && self.tags.is_empty()
    }

    /// Whether all words stand in a text. `scratch` is memory to fold the text in.
    pub fn is_in(&self, text: &str, scratch: &mut String) -> bool {
        if self.words.is_empty() {
            return true;
        }
        fold(text, scratch);
        self.words.iter().all(|word| holds(scratch, word))
    }

    /// Where in a text its words stand: in order, none within or right beside another.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let folded = Folded::of(text);
        let mut all: Vec<_> = self.words.iter().flat_map(|word| folded.find(word)).collect();
        sort_by_key(&mut all, |place| (place.start, place.end));
        let mut places: Vec<Range<usize>> = Vec::new();
        for place in all {
            match places.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                Some(_) | None => places.push(place),
            }
        }
        places
    }
}

fn add_once<T: PartialEq>(list: &mut Vec<T>, term: T) {
    if !list.contains(&term) {
        list.push(term);
    }
}
