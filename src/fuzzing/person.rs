//! What people type: texts that become pages, names that become files.

use askama::Template;

use crate::action::{Problem, field};
use crate::id::{USER_NAME_CHARS_MAX, USER_NAME_CHARS_MIN, UserName};
use crate::limits::{
    BIO_CHARS_MAX, DISPLAY_NAME_CHARS_MAX, LINK_CHARS_SHOWN, NOTE_CHARS_MAX, POST_CHARS_MAX,
};
use crate::text::chars::is_invisible;
use crate::text::join::is_joiner;
use crate::text::query::Query;
use crate::text::{Label, Piece, labels, mentions, pieces};
use crate::web::page::text::{Run, runs};

/// A post's text as every page shows it.
#[derive(Template)]
#[template(path = "runs.html", config = "src/web/askama.toml")]
struct Shown {
    runs: Vec<Run>,
}

/// A text is cut into pieces without loss, leads only where it says, and is text on the page.
pub(super) fn text(data: &[u8]) {
    let typed = String::from_utf8_lossy(data);
    fields(&typed);
    let Ok(text) = field::post_text(&typed) else { return };
    let pieces = pieces(&text);
    assert_eq!(pieces.iter().map(Piece::source).collect::<String>(), text);
    for piece in &pieces {
        match piece {
            Piece::Plain(plain) => assert!(!plain.is_empty()),
            Piece::Link { url, shown } => {
                check_link(url);
                assert!(shown.chars().count() <= LINK_CHARS_SHOWN);
            }
            Piece::Mention(name, typed) => {
                assert!(
                    typed
                        .strip_prefix('@')
                        .is_some_and(|typed| { typed.eq_ignore_ascii_case(name.as_str()) })
                );
                assert!(labels(&text).contains(&Label::of_name(name)));
            }
            Piece::Tag(tag, typed) => {
                assert!(typed.starts_with(['#', '＃']));
                assert!(labels(&text).contains(&Label::of_tag(tag)));
            }
        }
    }
    // The first words of the text itself are searched for.
    let query: String = text.chars().take(40).collect();
    let query = Query::parse(&query).unwrap_or_default();
    let marks = query.places(&text);
    assert!(marks.iter().all(|mark| text.get(mark.clone()).is_some()));
    let runs = runs(&text, &mentions(&text), &marks);
    let is_whole = runs.iter().all(|run| !run.is_cut);
    let Ok(page) = (Shown { runs }).render() else { panic!("no page of {text:?}") };
    let shown = text_of(&page);
    assert!(!is_whole || shown == text, "{shown:?} is shown for {text:?}");
}

/// An address leads to the host that one sees in it.
fn check_link(url: &str) {
    let lower = url.to_ascii_lowercase();
    let after = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let Some(after) = after else { panic!("{url:?} is linked") };
    let host = after.split(['/', '?', '#']).next().unwrap_or_default();
    assert!(host.starts_with(char::is_alphanumeric), "{url:?} has no host");
    assert!(!host.contains(['@', '%', '\\', '[', ']']), "{url:?} has another host than it seems");
    let disguise = |c: char| {
        c.is_control()
            || c.is_whitespace()
            || is_invisible(c)
            || matches!(c, '"' | '<' | '>' | '\\')
    };
    assert!(!url.contains(disguise), "{url:?} hides something");
}

/// What a browser shows of a page made of texts and links. Any tag that the template does not write,
/// and any character that could begin one, is a panic.
fn text_of(page: &str) -> String {
    let mut shown = String::new();
    let mut rest = page;
    while let Some(at) = rest.find(['<', '>', '"', '\'', '&']) {
        let (before, after) = rest.split_at(at);
        shown.push_str(before);
        rest = match entity(after) {
            Some((c, after)) => {
                shown.push(c);
                after
            }
            None => after_tag(after).unwrap_or_else(|| panic!("markup: {after:?} in {page:?}")),
        };
    }
    shown + rest
}

/// A character that is written as its number.
fn entity(text: &str) -> Option<(char, &str)> {
    let (digits, after) = text.strip_prefix("&#")?.split_once(';')?;
    let c = char::from_u32(digits.parse().ok()?)?;
    matches!(c, '<' | '>' | '"' | '\'' | '&').then_some((c, after))
}

/// What stands behind one of the template's tags.
fn after_tag(text: &str) -> Option<&str> {
    let plain = ["<mark>", "</mark>", "</a>"];
    if let Some(after) = plain.iter().find_map(|tag| text.strip_prefix(tag)) {
        return Some(after);
    }
    let (href, after) = text.strip_prefix("<a href=\"")?.split_once('"')?;
    assert!(!href.contains(['<', '>', '\'']), "{href:?}");
    let is_here = href.starts_with("/@") || href.starts_with("/tag/");
    let after = match after.strip_prefix(" rel=\"nofollow noopener ugc\"") {
        Some(after) => {
            let lower = href.to_ascii_lowercase();
            assert!(lower.starts_with("http://") || lower.starts_with("https://"), "{href:?}");
            after
        }
        None => Some(after).filter(|_| is_here)?,
    };
    after.strip_prefix(" class=\"cut\"").unwrap_or(after).strip_prefix('>')
}

/// Every field takes again what it gave, within its limit and without what cannot be seen.
fn fields(typed: &str) {
    let same = |again: Result<String, Problem>, kept: &str| again.as_deref() == Ok(kept);
    if let Ok(name) = UserName::parse("ada")
        && let Ok(shown) = field::display_name(typed, &name)
    {
        assert!((1..=DISPLAY_NAME_CHARS_MAX).contains(&shown.chars().count()));
        let is_tag = |c| matches!(c, '\u{e0020}'..='\u{e007f}');
        let unseen = |c: char| c.is_control() || (is_invisible(c) && !is_joiner(c) && !is_tag(c));
        assert!(!shown.contains(unseen), "{shown:?}");
        assert!(same(field::display_name(&shown, &name), &shown));
    }
    if let Ok(bio) = field::bio(typed) {
        assert!(bio.chars().count() <= BIO_CHARS_MAX && same(field::bio(&bio), &bio));
    }
    if let Ok(Some(note)) = field::note(typed) {
        assert!((1..=NOTE_CHARS_MAX).contains(&note.chars().count()));
        assert!(same(field::note(&note).map(Option::unwrap_or_default), &note));
    }
    if let Ok(text) = field::post_text(typed) {
        assert!((1..=POST_CHARS_MAX).contains(&text.chars().count()));
        assert!(!text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')));
        assert!(same(field::post_text(&text), &text));
    }
}

/// A name that is taken is a plain file name of one spelling; one that is refused may suggest one
/// that would be taken.
pub(super) fn username(data: &[u8]) {
    let typed = String::from_utf8_lossy(data);
    if let Ok(name) = UserName::from_input(&typed) {
        let text = name.as_str();
        assert!((USER_NAME_CHARS_MIN..=USER_NAME_CHARS_MAX).contains(&text.len()), "{name}");
        assert!(text.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        assert!(text.bytes().all(plain), "{name}");
        assert!(typed.trim().eq_ignore_ascii_case(text), "{typed:?} became {name}");
        assert_eq!(UserName::parse(text).as_ref(), Ok(&name));
    }
    let own = ["fen".to_owned()];
    match field::username(&typed, &own) {
        Ok(name) => {
            assert_eq!(UserName::from_input(&typed).as_ref(), Ok(&name));
            assert_ne!(name.as_str(), "fen");
        }
        Err(
            Problem::BadChar { suggestion: Some(name), .. }
            | Problem::BadStart { suggestion: Some(name) },
        ) => assert_eq!(field::username(name.as_str(), &own), Ok(name)),
        Err(_) => assert!(UserName::from_input(&typed).map_or(true, |name| {
            field::username(name.as_str(), &own) == Err(Problem::Reserved)
        })),
    }
}
