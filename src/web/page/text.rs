//! A post's text for display: what is linked, and where to; what a search found in it.

use std::ops::Range;

use crate::id::UserName;
use crate::text::{Piece, pieces};
use crate::web::route::Route;

/// A run of a text. The template escapes all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// Where it leads; empty for text as it is.
    pub(crate) href: String,
    /// Whether that is a page elsewhere.
    pub(crate) is_elsewhere: bool,
    /// Whether not all of its address is shown.
    pub(crate) is_cut: bool,
    /// What is shown.
    pub(crate) parts: Vec<Part>,
}

/// A part of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Text.
    pub(crate) text: String,
    /// Whether a search found it.
    pub(crate) is_marked: bool,
}

impl Run {
    /// Text as it is.
    pub(crate) fn plain(text: String) -> Self {
        let parts = vec![Part { text, is_marked: false }];
        Self { href: String::new(), is_elsewhere: false, is_cut: false, parts }
    }
}

/// Cuts a text; of the names in it those in `members` are linked. `marks` are the places that a search
/// found, in order.
pub(crate) fn runs(text: &str, members: &[UserName], marks: &[Range<usize>]) -> Vec<Run> {
    let mut at = 0;
    let run = |piece: Piece<'_>| {
        let source = piece.source();
        let (is_elsewhere, href) = match &piece {
            Piece::Link { url, .. } if is_web_address(url) => (true, (*url).to_owned()),
            Piece::Mention(name, _) if members.contains(name) => {
                (false, Route::Profile(name.clone()).href())
            }
            Piece::Tag(tag, _) => (false, Route::Tag(tag.clone()).href()),
            Piece::Plain(_) | Piece::Link { .. } | Piece::Mention(..) => (false, String::new()),
        };
        let shown = match &piece {
            // A long address is cut; what is found beyond is not shown either.
            Piece::Link { shown, .. } if is_elsewhere => shown,
            _ => source,
        };
        let parts = parts(shown, at, marks);
        at += source.len();
        Run { is_cut: is_elsewhere && shown != source, href, is_elsewhere, parts }
    };
    pieces(text).into_iter().map(run).collect()
}

/// A piece that stands at `from` in its text, cut where marks begin and end.
fn parts(piece: &str, from: usize, marks: &[Range<usize>]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut take = |range: Range<usize>, is_marked| {
        // A cut address need not have a boundary where the whole one has.
        let text = piece.get(range).filter(|text| !text.is_empty());
        parts.extend(text.map(|text| Part { text: text.to_owned(), is_marked }));
    };
    let mut done = 0;
    for mark in marks.iter().filter(|mark| mark.end > from && mark.start < from + piece.len()) {
        let start = mark.start.saturating_sub(from);
        let end = (mark.end - from).min(piece.len());
        if piece.is_char_boundary(start) && piece.is_char_boundary(end) {
            take(done..start, false);
            take(start..end, true);
            done = end;
        }
    }
    take(done..piece.len(), false);
    parts
}

/// The cutter finds no others; a link that runs a script is worth a second look.
fn is_web_address(url: &str) -> bool {
    let starts = |scheme: &str| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts("https://") || starts("http://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::query::Query;

    /// What is shown, marks in brackets.
    fn shown(run: &Run) -> String {
        let part = |part: &Part| {
            if part.is_marked { format!("[{}]", part.text) } else { part.text.clone() }
        };
        run.parts.iter().map(part).collect()
    }

    fn check(text: &str, query: &str, expected: &[(&str, &str)]) {
        let marks = Query::parse(query).unwrap().places(text);
        let runs = runs(text, &["ada".parse().unwrap()], &marks);
        let found: Vec<_> = runs.iter().map(|run| (shown(run), run.href.as_str())).collect();
        let found: Vec<_> = found.iter().map(|(shown, href)| (shown.as_str(), *href)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn runs_link_what_exists() {
        check(
            "@ada @eve see Https://example.org/a #Größe",
            "",
            &[
                ("@ada", "/@ada"),
                (" ", ""),
                ("@eve", ""),
                (" see ", ""),
                ("Https://example.org/a", "Https://example.org/a"),
                (" ", ""),
                ("#Größe", "/tag/gr%C3%B6sse"),
            ],
        );
        let elsewhere = runs("http://a.org @ada", &["ada".parse().unwrap()], &[]);
        assert_eq!(elsewhere.iter().filter(|run| run.is_elsewhere).count(), 1);
    }

    #[test]
    fn runs_mark_what_is_found_in_text_and_links() {
        check(
            "Seeds, seeds: #seeds",
            "seed",
            &[("[Seed]s, [seed]s: ", ""), ("#[seed]s", "/tag/seeds")],
        );
        check("Café @ada", "cafe ada", &[("[Café] ", ""), ("@[ada]", "/@ada")]);
        let long = format!("http://a.org/{}/found", "é".repeat(60));
        let run = &runs(&long, &[], &Query::parse("found").unwrap().places(&long))[0];
        assert!(run.parts.iter().all(|part| !part.is_marked), "{run:?}");
        assert_eq!((run.href.as_str(), run.is_elsewhere), (long.as_str(), true));
    }

    #[test]
    fn runs_of_script_address_stay_text() {
        for text in ["javascript:alert(1)", "data:text/html,x", "http://bank@evil.example/"] {
            assert!(runs(text, &[], &[]).iter().all(|run| run.href.is_empty()), "{text}");
        }
    }
}
