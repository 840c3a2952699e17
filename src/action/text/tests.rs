//! Which pieces a text falls into; hostile links stay text.

use proptest::prelude::*;

use super::*;

/// Pieces in short: `L` a link, `M` a mention, `T` a tag, with what was typed; plain text left out.
fn check(text: &str, expected: &[&str]) {
    let found: Vec<String> = pieces(text)
        .iter()
        .filter_map(|piece| match piece {
            Piece::Plain(_) => None,
            Piece::Link { url, .. } => Some(format!("L{url}")),
            Piece::Mention(name, typed) => {
                assert_eq!(format!("@{name}"), typed.to_lowercase());
                Some(format!("M{typed}"))
            }
            Piece::Tag(tag) => Some(format!("T{tag}")),
        })
        .collect();
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn link_http_and_https_alone() {
    check(
        "see http://a.org and HTTPS://B.org/x?y=1#z",
        &["Lhttp://a.org", "LHTTPS://B.org/x?y=1#z"],
    );
    check(
        "http://localhost:8080/ http://münchen.example/ü",
        &["Lhttp://localhost:8080/", "Lhttp://münchen.example/ü"],
    );
    check("http://a.org./x", &["Lhttp://a.org./x"]);
    check("https://a.org/@ada/17#top", &["Lhttps://a.org/@ada/17#top"]);
    for text in
        ["javascript:alert(1)", "data:text/html,x", "ftp://a.org", "//a.org", "xhttp://a.org"]
    {
        check(text, &[]);
    }
}

#[test]
fn link_disguised_stays_text() {
    for text in [
        "http://bank@evil.example",
        "http://bank:x@evil.example/",
        "http://a\"onmouseover=alert(1)",
        "http://a.org/'x'y",
        "http://good.example\\@evil.example",
        "http://a.org/\u{202e}gpj.exe",
        "http://a.org/\u{200b}x",
        "http://a\u{200d}.org",
        "http://a.org/\u{7}x",
        "http:///x",
        "http://?x",
        "http://.a.org",
        "http://a..org",
        "http://a.org:port/",
        "http://a.org:",
        "http://a.org:123456/",
        "http://%61.org",
        "http://\u{301}a.org",
        "http://-a.org",
        "http://evil⒈example",
        "http://ｅvil.example",
        "http://\"@ada",
    ] {
        // What the trimmed ending leaves may be a link; nothing in these may.
        let text = format!("{text}x");
        check(&text, &[]);
    }
    check("http://", &[]);
}

#[test]
fn link_ending_left_out() {
    check("(http://a.org/x).", &["Lhttp://a.org/x"]);
    check("http://a.org/x_(y)", &["Lhttp://a.org/x_(y)"]);
    check("(http://a.org/x_(y))", &["Lhttp://a.org/x_(y)"]);
    check("[http://a.org/]", &["Lhttp://a.org/"]);
    check("\"http://a.org/\", she said", &["Lhttp://a.org/"]);
    check("http://a.org/?!…", &["Lhttp://a.org/"]);
    check("<http://a.org>", &["Lhttp://a.org"]);
    check("见http://a.org/x。好", &["Lhttp://a.org/x"]);
}

#[test]
fn link_long_shown_cut() {
    let check_shown = |url: &str, expected: &str| match pieces(url).as_slice() {
        [Piece::Link { url: whole, shown }] => {
            assert_eq!((*whole, shown.as_ref()), (url, expected));
        }
        other => panic!("{other:?}"),
    };
    let exact = format!("http://a.org/{}", "é".repeat(47));
    check_shown(&exact, &exact);
    let long = format!("{exact}x");
    check_shown(&long, &format!("http://a.org/{}…", "é".repeat(46)));
}

#[test]
fn mention_at_a_words_edges_alone() {
    check("@Ada, @ben_2! (@cleo)", &["M@Ada", "M@ben_2", "M@cleo"]);
    check("ask @ada.", &["M@ada"]);
    check("@ada's @ben-like", &["M@ada", "M@ben"]);
    for text in [
        "ada@example.org",
        "a.b+@ada",
        "@ada@example.org",
        "é@ada",
        "@adaé",
        "@@ada",
        "x.org/@ada",
        "@a",
        "@1ada",
        "@_ada",
        "@",
        "@ ada",
        "@\u{212a}elvin",
    ] {
        check(text, &[]);
    }
    check(&format!("@{}", "a".repeat(25)), &[]);
}

#[test]
fn tag_needs_a_letter_and_a_words_edge() {
    check(
        "#rust #2024in #größe #日本語 #हिन्दी",
        &["T#rust", "T#2024in", "T#größe", "T#日本語", "T#हिन्दी"],
    );
    check("(#a_b), #c.", &["T#a_b", "T#c"]);
    for text in ["#1", "#12_3", "#", "a#b", "##b", "&#39x", "/#b", "#_", "#\u{301}b", "# b"] {
        check(text, &[]);
    }
}

#[test]
fn mentions_each_once_in_order() {
    let names = mentions("@cleo @Ada @ada ben@ada http://x.org/@dora");
    assert_eq!(names.iter().map(UserName::as_str).collect::<Vec<_>>(), ["ada", "cleo"]);
}

/// Texts made of what the rules look at, so that chance hits them.
fn tricky() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "\\PC{0,4}",
        prop::sample::select(vec![
            "http://", "https://", "a.org", "/", "@", "ada", "#", "tag", ")", "(", ".", "\"", "'",
            "\\", " ", "\n", "\u{202e}", "\u{200b}", "é", "。", "_", "1", ":", "?", "<", "…",
            "\u{301}",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_joined_give_the_text(text in tricky()) {
        let pieces = pieces(&text);
        prop_assert_eq!(pieces.iter().map(Piece::source).collect::<String>(), text.as_str());
        prop_assert!(pieces.iter().all(|piece| !piece.source().is_empty()));
        let plain = |piece: &Piece<'_>| matches!(piece, Piece::Plain(_));
        prop_assert!(!pieces.windows(2).any(|pair| plain(&pair[0]) && plain(&pair[1])));
    }

    #[test]
    fn link_found_is_harmless(text in tricky()) {
        for piece in pieces(&text) {
            let Piece::Link { url, shown } = piece else { continue };
            let lower = url.to_ascii_lowercase();
            let rest = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"));
            let rest = rest.unwrap();
            prop_assert!(rest.starts_with(char::is_alphanumeric));
            prop_assert!(!rest.split(['/', '?', '#']).next().unwrap().contains('@'));
            prop_assert!(!url.contains(|c: char| c.is_control() || c.is_whitespace()));
            let disguise = ['"', '\'', '<', '>', '\\', '\u{202e}', '\u{200b}'];
            prop_assert!(!url.contains(disguise));
            prop_assert!(shown.chars().count() <= LINK_CHARS_SHOWN);
        }
    }
}
