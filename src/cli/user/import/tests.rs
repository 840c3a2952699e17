//! Files from anywhere: what is wrong with them is said, and nothing else happens.

use super::*;
use crate::limits::EDITS_MAX;

const NOW: Wall = Wall(1_767_225_600_000);
const HEAD: &str = r#"{"tern_export":1,"community":"Tern","exported_at":"2026-01-01T00:00:00.000Z",
"profile":{"username":"ada","display_name":"Ada","bio":"","joined_at":"2025-01-01T00:00:00.000Z"},
"follows":["ben"],"#;

fn post(ms: u64, more: &str) -> String {
    let time = jiff::Timestamp::from_millisecond(i64::try_from(ms).unwrap()).unwrap();
    let at = time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
    format!(r#"{{"id":"{}","at":"{at}","text":"Tea?"{more}}}"#, ms << 16)
}

fn whole(posts: &str, rest: &str) -> String {
    format!("{HEAD}\"posts\":[{posts}]{rest}}}")
}

fn look(text: &str, now: Wall) -> Result<Looked, ImportError> {
    look_within(text, now, FILE_BYTES_MAX)
}

fn refused(text: &str) -> String {
    let shown: String = text.chars().take(400).collect();
    crate::cli::error::chain(&look(text, NOW).expect_err(&shown))
}

/// Is refused, and with these words.
fn check(text: &str, expected: &str) {
    let why = refused(text);
    assert!(why.contains(expected), "{why}\nnot: {expected}");
}

#[test]
fn whole_file_is_read_and_what_it_does_not_know_passed_over() {
    let posts = format!("{},{}", post(1_000, ""), post(2_000, r#","later":{"a":[1]}"#));
    let rest = r#","likes":[{"user":"ben","id":"7"}],"bookmarks":[],"later":[[{}]]"#;
    let looked = look(&whole(&posts, rest), NOW).unwrap();
    assert_eq!(looked.ids, [PostId::from_raw(1_000 << 16), PostId::from_raw(2_000 << 16)]);
    assert_eq!(looked.head.follows, ["ben".parse().unwrap()]);
    assert_eq!(looked.head.profile.joined_at, Wall(1_735_689_600_000));
    // What a program of before mutes and blocks exported has no such lists.
    assert!(looked.head.mutes.is_empty() && looked.head.blocks.is_empty());
}

#[test]
fn file_that_is_no_export_refused() {
    for text in ["", "7", "[]", "null", "{", "{\"a\":1}", "\u{feff}{}", "{}{}"] {
        refused(text);
    }
    check("{}", "no \"tern_export\"");
    check(r#"{"tern_export":3}"#, "form 3");
    check(r#"{"tern_export":-1}"#, "invalid value");
    check(&format!("{HEAD}\"likes\":[]}}"), "no \"posts\"");
    check(r#"{"tern_export":1,"posts":[]}"#, "no \"profile\"");
    check(&whole("", ",\"posts\":[]"), "\"posts\" stands twice");
    check(&whole("", ",\"likes\":[],\"likes\":[]"), "\"likes\" stands twice");
    check(&whole("", "}"), "trailing characters");
    let cut = whole(&post(1_000, ""), "");
    for end in 1..cut.len() {
        refused(&cut[..end]);
    }
    assert!(matches!(file::text(b"{\"a\xff"), Err(ImportError::NotText { at: 3 })));
}

#[test]
fn deep_file_refused_and_not_followed_down() {
    let deep = "[".repeat(1_000_000);
    // What is passed over is not held, however deep; what is read has no depth at all.
    refused(&whole("", &format!(",\"later\":{deep}")));
    let closed = format!("{deep}{}", "]".repeat(1_000_000));
    assert!(look(&whole("", &format!(",\"later\":{closed}")), NOW).is_ok());
    check(&whole(&deep, ""), "invalid type");
}

#[test]
fn values_of_another_kind_or_range_refused() {
    for (found, expected) in [
        (r#"{"id":7,"at":"2026-01-01T00:00:00Z","text":"T"}"#, "invalid type"),
        (r#"{"id":"-7","at":"2026-01-01T00:00:00Z","text":"T"}"#, "1 to 20 digits"),
        (
            r#"{"id":"18446744073709551616","at":"2026-01-01T00:00:00Z","text":"T"}"#,
            "1 to 20 digits",
        ),
        (r#"{"id":"65536","at":"1969-12-31T23:59:59.999Z","text":"T"}"#, "before 1970"),
        (r#"{"id":"65536","at":"yesterday","text":"T"}"#, "a time is written as"),
        (r#"{"id":"65536","at":1,"text":"T"}"#, "invalid type"),
        (r#"{"id":"65536","at":"1970-01-01T00:00:00.002Z","text":"T"}"#, "another time"),
        (r#"{"id":"65536","at":"1970-01-01T00:00:00.001Z","text":["T"]}"#, "invalid type"),
        (r#"{"id":"65536","at":"1970-01-01T00:00:00.001Z"}"#, "missing field `text`"),
        (
            r#"{"id":"65536","at":"1970-01-01T00:00:00.001Z","text":"T","reply_to":{"user":"../a","id":"7"}}"#,
            "cannot hold '.'",
        ),
        ("7", "invalid type"),
    ] {
        check(&whole(found, ""), expected);
    }
    check(&whole("", r#","mutes":["Ada B"]"#), "cannot hold");
    check(&whole("", r#","blocks":{}"#), "a list of names");
    check(&whole("", r#","likes":[{"user":"ben"}]"#), "missing field `id`");
    check(&HEAD.replace("\"username\":\"ada\"", "\"username\":\"a/b\""), "cannot hold '/'");
}

#[test]
fn posts_that_cannot_stand_refused_by_number() {
    let twice = format!("{},{}", post(1_000, ""), post(1_000, ""));
    check(&whole(&twice, ""), "post 65536000 does not come after 65536000");
    let back = format!("{},{}", post(2_000, ""), post(1_000, ""));
    check(&whole(&back, ""), "oldest first");
    check(&whole(&post(NOW.0 + 3_600_000, ""), ""), "from the future");
    let long = post(1_000, "").replace("Tea?", &"a".repeat(501));
    check(&whole(&long, ""), "post 65536000: its text is 1 characters too long");
    check(&whole(&post(1_000, "").replace("Tea?", "\\u200b"), ""), "it says nothing");
    check(&whole(&post(1_000, r#","edited_at":"2025-01-01T00:00:00Z""#), ""), "do not go together");
    let text = r#"{"at":"2025-01-01T00:00:00Z","text":"T"}"#;
    let often = vec![text; EDITS_MAX + 1].join(",");
    let edited = format!(r#","edited_at":"2025-01-01T00:00:00Z","earlier":[{often}]"#);
    check(&whole(&post(1_000, &edited), ""), "more than 30 times");
}

#[test]
fn lists_longer_than_a_members_refused() {
    let names: Vec<_> = (0..=crate::limits::FOLLOWS_MAX).map(|n| format!("\"a{n}\"")).collect();
    check(&whole("", &format!(",\"mutes\":[{}]", names.join(","))), "more than 5000 names");
    let mark = |n| format!(r#"{{"user":"ben","id":"{n}","at":"2025-01-01T00:00:00Z"}}"#);
    let marks: Vec<_> = (0..=BOOKMARKS_MAX).map(mark).collect();
    check(&whole("", &format!(",\"bookmarks\":[{}]", marks.join(","))), "more than 5000 bookmarks");
    let late = r#","reposts":[{"user":"ben","id":"7","at":"2100-01-01T00:00:00Z"}]"#;
    check(&whole("", late), "\"reposts\" is from the future");
}

#[test]
fn more_than_a_users_file_takes_refused_before_anything_is_sent() {
    let posts = (1..=100).map(|n| post(n * 1_000, "")).collect::<Vec<_>>().join(",");
    let text = whole(&posts, "");
    let within = |max| look_within(&text, NOW, max);
    let Err(ImportError::TooMuch { bytes, max: 9_000 }) = within(9_000) else { panic!("taken") };
    assert!((9_000..40_000).contains(&bytes), "{bytes}");
    assert_eq!(within(bytes).unwrap().ids.len(), 100);
}

#[test]
fn file_too_long_to_be_taken_in_not_even_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tern.json");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(crate::limits::IMPORT_FILE_BYTES_MAX as u64 + 1).unwrap();
    assert!(matches!(file::load(&path), Err(ImportError::TooLong)));
    assert!(matches!(file::load(directory.path()), Err(ImportError::File { .. })));
    assert!(matches!(file::load(&directory.path().join("none")), Err(ImportError::File { .. })));
}
