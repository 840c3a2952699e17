//! Which pieces a text falls into; hostile links stay text.

use proptest::prelude::*;

use super::*;
use crate::limits::{LINK_CHARS_SHOWN, QUERY_CHARS_MAX, QUERY_TERMS_MAX, TAG_CHARS_MAX};
use query::{Query, TooLong};

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
            Piece::Tag(_, typed) => Some(format!("T{typed}")),
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
fn s29_link_disguised_stays_text() {
    for text in [
        "http://bank@evil.example",
        "http://bank:x@evil.example/",
        "http://a\"onmouseover=alert(1)",
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
    check("(see https://a.b/c_(d))", &["Lhttps://a.b/c_(d)"]);
    check("(see https://a.b/c_(d)!)…", &["Lhttps://a.b/c_(d)"]);
    check("http://a.org/x— http://a.org/y،", &["Lhttp://a.org/x", "Lhttp://a.org/y"]);
    // The marks that right-to-left text puts around a link.
    check("انظر \u{2067}http://a.org/x\u{2069}؟", &["Lhttp://a.org/x"]);
    check("http://a.org/x\u{200f} שלום", &["Lhttp://a.org/x"]);
}

#[test]
fn link_in_quotes_ends_with_them() {
    check("'http://a.org/x',http", &["Lhttp://a.org/x"]);
    check("“http://a.org/x”-page", &["Lhttp://a.org/x"]);
    check("„http://a.org/x“ «http://a.org/y»", &["Lhttp://a.org/x", "Lhttp://a.org/y"]);
    check(
        "http://a.org/Ohm's_law http://a.org/it’s.",
        &["Lhttp://a.org/Ohm's_law", "Lhttp://a.org/it’s"],
    );
    check("'http://a.org/Ohm's_law'", &["Lhttp://a.org/Ohm's_law"]);
    check("http://a.org's", &[]);
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
    check("ask @ada. .@ada -@ada; @ada…", &["M@ada", "M@ada", "M@ada", "M@ada"]);
    check(
        "[@ada] “@ada” @ada: @ada—@ben (via @ada)",
        &["M@ada", "M@ada", "M@ada", "M@ada", "M@ben", "M@ada"],
    );
    // Emoji, joined or with a look, and marks of a direction are no letters.
    check("👋@ada ❤\u{fe0f}@ada 👩\u{200d}👧@ada 👍🏽@ada🎉 🅰@ada", &["M@ada"; 5]);
    check("\u{200f}@ada شكرا @ada، תודה @ada׃", &["M@ada"; 3]);
    check("@ada's @ben-like", &["M@ada", "M@ben"]);
    for text in [
        "ada@example.org",
        "a.b+@ada",
        "@ada@example.org",
        "é@ada",
        "@adaé",
        "@@ada",
        "a\u{301}@ada",
        "א\u{200f}@ada",
        "x/@ada",
        "a-@ada",
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
    check("(#a_b), #c. “#d” #e… ＃f", &["T#a_b", "T#c", "T#d", "T#e", "T＃f"]);
    check(
        "#می\u{200c}خواهم #paral·lel #צה״ל #ハリー・ポッター #ไทย",
        &["T#می\u{200c}خواهم", "T#paral·lel", "T#צה״ל", "T#ハリー・ポッター", "T#ไทย"],
    );
    check("#a· #b\u{200d}👧 👩\u{200d}👧#c #d👍🏽 ❤\u{fe0f}#e", &["T#a", "T#b", "T#c", "T#d", "T#e"]);
    check(
        &format!("#{0} #{0}a", "é".repeat(TAG_CHARS_MAX)),
        &[&format!("T#{}", "é".repeat(TAG_CHARS_MAX))],
    );
    for text in [
        "#1",
        "#12_3",
        "#",
        "a#b",
        "##b",
        "&#39x",
        "/#b",
        "#_",
        "#\u{301}b",
        "# b",
        "#\u{fe0f}\u{20e3}",
        "#١٢٣",
        "#²",
        "#🅰",
        "日#本",
        "##x",
        "＃",
    ] {
        check(text, &[]);
    }
}

#[test]
fn mentions_each_once_in_order() {
    let names = mentions("@cleo @Ada @ada ben@ada http://x.org/@dora");
    assert_eq!(names.iter().map(UserName::as_str).collect::<Vec<_>>(), ["ada", "cleo"]);
}

#[test]
fn tag_spelt_otherwise_is_the_same() {
    let check = |one: &str, other: &str| {
        assert_eq!(one.parse::<Tag>().unwrap(), other.parse::<Tag>().unwrap(), "{one} {other}");
    };
    check("Größe", "GRÖSSE");
    check("STRAẞE", "Straße");
    check("ΟΔΟΣ", "οδος");
    check("οδος", "οδοσ");
    check("e\u{301}te", "ÉTE");
    check("می\u{200c}خواهم", "میخواهم");
    check("Ünï_1", "ünï_1");
    assert_ne!("ete".parse::<Tag>().unwrap(), "été".parse::<Tag>().unwrap());
    for bad in ["", "a b", "a-b", "1", "a.", "#a", "·a", "a·"] {
        assert_eq!(bad.parse::<Tag>(), Err(TagError::NotAWord), "{bad:?}");
    }
    let long = "a".repeat(TAG_CHARS_MAX + 1);
    assert_eq!(long.parse::<Tag>(), Err(TagError::TooLong));
}

#[test]
fn case_folded_again_is_the_same_of_every_character() {
    for c in '\0'..=char::MAX {
        let folded: String = fold::fold_case(c).collect();
        let again: String = folded.chars().flat_map(fold::fold_case).collect();
        assert_eq!(again, folded, "{c} U+{:04X}", c as u32);
    }
}

#[test]
fn labels_each_once_and_no_other() {
    let labels = labels("@Ada #Seeds @ada #seeds ben@cleo http://x.org/#dora #1");
    let ada = UserName::parse("ada").unwrap();
    let seeds: Tag = "seeds".parse().unwrap();
    assert_eq!(labels, [Label::of_tag(&seeds), Label::of_name(&ada)]);
    assert!(labels[0].is_tag() && labels[1].is_name(&ada));
    assert_eq!((labels[0].tag(), labels[0].name()), (Some(seeds), None));
    assert_eq!((labels[1].tag(), labels[1].name()), (None, Some(ada)));
}

/// What of a text a search marks.
fn marked(query: &str, text: &str) -> Vec<String> {
    let query = Query::parse(query).unwrap();
    let places = query.places(text).into_iter();
    let found: Vec<String> = places.map(|place| text[place].to_owned()).collect();
    let words = query.words.len();
    // The quick look agrees with the exact one.
    if words == 1 {
        assert_eq!(query.is_in(text, &mut String::new()), !found.is_empty(), "{text}");
    }
    found
}

#[test]
fn query_words_found_where_a_word_begins() {
    let check = |query: &str, text: &str, expected: &[&str]| {
        assert_eq!(marked(query, text), expected, "{query:?} in {text:?}");
    };
    check("seed", "Seeds! #seeds, reseed", &["Seed", "seed"]);
    check("cafe", "Café, CAFE\u{301}", &["Café", "CAFE\u{301}"]);
    check("GRÖSSE", "Die Größe", &["Größe"]);
    check("straße", "STRASSE", &["STRASSE"]);
    check("oe", "œuvre", &["œ"]);
    check("smorre", "Smørrebrød", &["Smørre"]);
    check("елка", "Ёлка", &["Ёлка"]);
    check("中文", "我写中文。", &["中文"]);
    check("か", "が か", &["か"]);
    check("हिन्दी", "यह हिन्दी है", &["हिन्दी"]);
    check("ना", "नाम", &["ना"]);
    check("न", "ना", &[]);
    check("aa a", "aaa", &["aa"]);
    check("ﬁsh", "fish", &["fish"]);
    check("x", "", &[]);
}

#[test]
fn query_reads_words_names_and_tags() {
    let query = Query::parse(" “Seed” @Ada #Größe -foo \"bar\" AND @ada ( ) @1 #2 c++ ").unwrap();
    assert_eq!(query.words, ["seed", "foo", "bar", "and", "1", "2", "c"]);
    assert_eq!(query.names, [UserName::parse("ada").unwrap()]);
    assert_eq!(query.tags, ["GRÖSSE".parse::<Tag>().unwrap()]);
    for nothing in ["", "   ", "\u{3000}", "\u{200b}", "\"\"", "* ? - ( ) | & ~", "%_", "'; --"] {
        assert!(Query::parse(nothing).unwrap().is_empty(), "{nothing:?}");
    }
    assert_eq!(Query::parse(&"a".repeat(QUERY_CHARS_MAX)).unwrap().words.len(), 1);
    assert_eq!(Query::parse(&"a".repeat(QUERY_CHARS_MAX + 1)), Err(TooLong));
    let terms: Vec<String> = (0..=QUERY_TERMS_MAX).map(|n| format!("w{n}")).collect();
    assert_eq!(Query::parse(&terms.join(" ")), Err(TooLong));
    assert!(Query::parse(&terms[1..].join(" ")).is_ok());
}

/// Such a tag's own page was not found.
#[test]
fn r0276_what_cannot_be_seen_makes_no_tag() {
    for word in ["a·\u{180b}", "1\u{115f}", "\u{115f}\u{301}a", "\u{115f}·a"] {
        assert_eq!(Tag::parse(word), Err(TagError::NotAWord), "{word:?}");
    }
    assert_eq!(Tag::parse("a\u{180b}").unwrap().as_str(), "a");
    let all = pieces("#a·\u{180b}");
    assert!(matches!(&all[0], Piece::Tag(tag, "#a") if tag.as_str() == "a"), "{all:?}");
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
    fn tag_parsed_again_is_the_same(word in "[\\p{L}\\p{M}\\p{N}_·\\u{200d}]{1,8}") {
        if let Ok(tag) = Tag::parse(&word) {
            prop_assert_eq!(Tag::parse(tag.as_str()), Ok(tag.clone()));
        }
    }

    #[test]
    fn query_places_lie_in_the_text(text in tricky(), query in "\\PC{0,6}") {
        let places = Query::parse(&query).unwrap().places(&text);
        prop_assert!(places.iter().all(|place| text.get(place.clone()).is_some()));
        prop_assert!(places.windows(2).all(|pair| pair[0].end < pair[1].start));
        // What was typed and stands in the text as a word of its own is found.
        let query = Query::parse(&text).unwrap_or_default();
        prop_assert!(query.is_in(&text, &mut String::new()), "{query:?}");
    }

    #[test]
    fn s29_link_found_is_harmless(text in tricky()) {
        for piece in pieces(&text) {
            let Piece::Link { url, shown } = piece else { continue };
            let lower = url.to_ascii_lowercase();
            let rest = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"));
            let rest = rest.unwrap();
            prop_assert!(rest.starts_with(char::is_alphanumeric));
            prop_assert!(!rest.split(['/', '?', '#']).next().unwrap().contains('@'));
            prop_assert!(!url.contains(|c: char| c.is_control() || c.is_whitespace()));
            let disguise = ['"', '`', '<', '>', '\\', '\u{202e}', '\u{200b}'];
            prop_assert!(!url.contains(disguise));
            prop_assert!(shown.chars().count() <= LINK_CHARS_SHOWN);
        }
    }
}

/// [`scan`] as it is described and not as it is done: every character is looked at, and nothing is
/// passed over because it can begin nothing.
fn scan_by_character(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let (mut at, mut last, mut second_last) = (0, None, None);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        // What came before, its marks left out, is all that may matter of it.
        let before: String = [second_last, last].into_iter().flatten().collect();
        let sign = match first {
            'h' | 'H' => link::find(rest, &before),
            '@' => find_mention(rest, &before),
            '#' | '＃' => find_tag(rest, first, &before),
            _ => None,
        };
        let (sign, len) = sign.unwrap_or((None, first.len_utf8()));
        found.extend(sign.map(|sign| (at, spelt(&sign))));
        for c in rest[..len].chars() {
            if !(is_combining_mark(c) || is_invisible(c)) {
                second_last = last.replace(c);
            }
        }
        at += len;
    }
    found
}

fn spelt(sign: &Sign<'_>) -> String {
    match sign {
        Sign::Link(url) => format!("link {url}"),
        Sign::Name(typed, name) => format!("name {typed} {name}"),
        Sign::Tag(typed, word) => format!("tag {typed} {word}"),
    }
}

/// The word's tag by the way that any word could go.
fn tag_by_folding(word: &str) -> Option<String> {
    let is_one = word.chars().any(char::is_alphabetic) && word.chars().all(is_word);
    let folded: String = word.chars().flat_map(fold::fold_case).collect();
    (is_one && word.chars().count() <= TAG_CHARS_MAX).then(|| composed(&folded))
}

const PARTS: &[&str] = &[
    "@", "#", "＃", "h", "H", "http://", "HTTPS://", "a.org", "/", ".", "-", "+", "&", " ", "ada",
    "Ada_1", "x", "1", "_", "é", "e\u{301}", "\u{301}", "\u{200d}", "\u{fe0f}", "\u{202e}", "日",
    "ア", "ﾟ", "ﬀ", "·", "İ", "ı", "ſ", "\"", "'", "(", ")", "」", "🅰", "\u{ff9e}", "\u{200b}", "?",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// What is passed over could begin nothing, and labels are those of the pieces.
    #[test]
    fn scan_finds_what_looking_at_every_character_finds(
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..12),
        other in any::<String>(),
        at in any::<prop::sample::Index>(),
    ) {
        let mut parts: Vec<&str> = parts;
        parts.insert(at.index(parts.len() + 1), &other);
        let text = parts.concat();
        let mut found = Vec::new();
        scan(&text, &mut |at, sign| found.push((at, spelt(&sign))));
        prop_assert_eq!(&found, &scan_by_character(&text), "{:?}", &text);

        let pieces = pieces(&text);
        prop_assert_eq!(pieces.iter().map(Piece::source).collect::<String>(), text.clone());
        let bears = |piece: &Piece<'_>| match piece {
            Piece::Mention(name, _) => Some(Label::of_name(name)),
            Piece::Tag(tag, _) => Some(Label::of_tag(tag)),
            Piece::Plain(_) | Piece::Link { .. } => None,
        };
        let expected: std::collections::BTreeSet<Label> = pieces.iter().filter_map(bears).collect();
        prop_assert_eq!(labels(&text), expected.into_iter().collect::<Vec<_>>(), "{:?}", &text);
    }

    #[test]
    fn tag_of_plain_letters_folded_as_any_other(word in "[A-Za-z0-9_]{0,6}") {
        let tag = word.parse::<Tag>().ok().map(|tag| tag.to_string());
        prop_assert_eq!(tag, tag_by_folding(&word));
    }
}
