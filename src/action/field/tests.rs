//! Fields: what is taken, what is mended, what is refused and how it is put.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn check_username(input: &str, expected: Result<&str, Problem>) {
    let own = ["elmstreet".to_owned()];
    let found = username(input, &own);
    assert_eq!(found.as_ref().map(UserName::as_str), expected.as_ref().copied(), "{input:?}");
}

fn bad_char(found: char, suggestion: Option<&str>) -> Result<&'static str, Problem> {
    Err(Problem::BadChar { found, suggestion: suggestion.map(name) })
}

#[test]
fn username_typed_forms_accepted() {
    check_username(" Ada_1\n", Ok("ada_1"));
    check_username("adam", Ok("adam"));
}

#[test]
fn s34_username_wrong_named_with_a_way_out() {
    check_username("  ", Err(Problem::Empty));
    check_username("a", Err(Problem::TooShort { min: 2 }));
    check_username(&"a".repeat(30), Err(Problem::TooLong { over: 6 }));
    check_username("rose.bay", bad_char('.', Some("rose_bay")));
    check_username("rose - bay!", bad_char(' ', Some("rose_bay")));
    check_username("Ａｄａ", bad_char('Ａ', Some("ada")));
    check_username("José", bad_char('é', Some("jose")));
    check_username("\u{212a}elvin", bad_char('\u{212a}', Some("kelvin")));
    check_username(&"é".repeat(100), bad_char('é', Some(&"e".repeat(24))));
    check_username("7ada", Err(Problem::BadStart { suggestion: Some(name("ada")) }));
    check_username("_x", Err(Problem::BadStart { suggestion: None }));
    check_username("日本", bad_char('日', None));
    check_username("../..", bad_char('.', None));
}

#[test]
fn s35_username_reserved_refused_and_never_suggested() {
    for word in ["admin", "con", "lpt9", "com0", "everyone", "undefined", "ELMSTREET", "settings"] {
        check_username(word, Err(Problem::Reserved));
    }
    check_username("ädmin", bad_char('ä', None));
    check_username("elm-street", bad_char('-', Some("elm_street")));
    check_username("elmstreet.", bad_char('.', None));
}

#[test]
fn s35_names_that_look_like_those_of_roles_refused() {
    for word in
        ["adm1n", "r00t", "supp0rt", "mod_erator", "rnoderator", "ad_m_in", "sy5tem", "staff_"]
    {
        check_username(word, Err(Problem::Reserved));
    }
    for word in ["adam", "rooted", "sporter", "modern", "arnold"] {
        check_username(word, Ok(word));
    }
    let alike = |one: &str, other: &str| looks_like(&name(one), &name(other));
    assert!(alike("ro5e_bay", "rosebay") && alike("barnaby", "bamaby") && alike("i1l", "lil"));
    assert!(!alike("rosa", "rose") && !alike("ada", "adam"));
}

#[test]
fn s35_reserved_words_sorted_and_could_be_names() {
    let words: Vec<&str> = RESERVED.lines().collect();
    assert!(words.is_sorted_by(|a, b| a < b), "sorted, each once");
    assert!(words.len() >= 600);
    for word in words {
        assert!(UserName::parse(word).is_ok(), "{word:?} is no name, so needs no keeping");
    }
}

fn check_display_name(input: &str, expected: Result<&str, Problem>) {
    let found = display_name(input, &name("ada"));
    assert_eq!(found.as_deref(), expected.as_ref().copied(), "{input:?}");
}

#[test]
fn s38_display_name_mended() {
    check_display_name("  Ada \t\n Lovelace ", Ok("Ada Lovelace"));
    check_display_name("Ada\u{202e}\u{200b}\u{2066}\u{7}", Ok("Ada"));
    check_display_name("A\u{2028}B\u{85}C", Ok("A B C"));
    check_display_name("e\u{301}", Ok("\u{e9}"));
    check_display_name("❤\u{fe0f}", Ok("❤\u{fe0f}"));
    check_display_name(&"é".repeat(40), Ok(&"é".repeat(40)));
}

/// A family fell into its members, a flag into its colours, and words were misspelt.
#[test]
fn r0227_what_joins_two_characters_stays() {
    for whole in ["👩\u{200d}💻", "🏳\u{fe0f}\u{200d}🌈", "می\u{200c}خواهم", "ශ්\u{200d}රී ලංකාව"]
    {
        check_display_name(whole, Ok(whole));
        assert_eq!(note(whole), Ok(Some(whole.to_owned())));
        assert_eq!(poll_option(whole), Ok(whole.to_owned()));
    }
    // Where it joins nothing it is not seen.
    for (typed, kept) in [("A\u{200d}da", "Ada"), ("👩\u{200d}", "👩"), ("👩\u{200d} 💻", "👩 💻")]
    {
        check_display_name(typed, Ok(kept));
    }
    check_display_name("\u{200d}👩\u{200c}\u{200b}\u{200d}💻", Ok("👩\u{200d}💻"));
}

/// Two names could be told apart by nothing that is seen, and the flags of three countries were black ones.
#[test]
fn r0250_what_joins_stays_only_where_it_is_seen() {
    let flag = |region: &str| format!("🏴{region}\u{e007f}");
    let tags = |letters: &str| -> String {
        letters.bytes().filter_map(|c| char::from_u32(0xe_0000 + u32::from(c))).collect()
    };
    let wales = flag(&tags("gbwls"));
    for whole in [
        "🏴\u{200d}☠\u{fe0f}",
        "👁\u{fe0f}\u{200d}🗨\u{fe0f}",
        "🧑🏽\u{200d}❤\u{fe0f}\u{200d}🧑🏽",
        "🐈\u{200d}⬛",
        "خانه\u{200c}ها",
        "نامه\u{64f}\u{200c}ای",
        "क\u{94d}\u{200d}ष",
        "ക\u{d4d}\u{200c}ഷ",
        "രാജന\u{d4d}\u{200d} പി",
        "രാജന\u{d4d}\u{200d}",
        "র\u{200d}\u{9cd}যাব",
        wales.as_str(),
        &flag(&tags("gbeng")),
        &format!("Ada {}!", flag(&tags("gbsct"))),
    ] {
        check_display_name(whole, Ok(whole));
    }
    for (typed, kept) in [
        ("Ж\u{200d}анна", "Жанна"),
        ("Zo\u{200c}\u{eb}", "Zoë"),
        ("É\u{200d}élan", "Éélan"),
        ("王\u{200c}芳", "王芳"),
        ("👩\u{200c}💻", "👩💻"),
        ("👩\u{200d}é", "👩é"),
        ("é\u{200d}👩", "é👩"),
        // What never joins what follows looks the same.
        ("دا\u{200c}ر\u{200d}ا", "دارا"),
        ("سا\u{200c}را", "سارا"),
        ("ک\u{200c}\u{64e}ک", "ک\u{64e}ک"),
        ("क\u{200d}ष", "कष"),
        ("क\u{94d}\u{200c}", "क\u{94d}"),
        ("क\u{200d}\u{94d}ष", "क\u{94d}ष"),
        (&format!("🏳{}", tags("gbeng\u{7f}")), "🏳"),
        (&flag(&tags("gbxyz")), "🏴"),
        (&format!("🏴{}", tags("gbeng")), "🏴"),
        (&format!("{wales}{}", tags("gbwls\u{7f}")), &wales),
    ] {
        check_display_name(typed, Ok(kept));
    }
}

#[test]
fn display_name_of_nothing_seen_is_the_user_name() {
    for nothing in ["", " ", "\u{200b}\u{3164}", "\u{2800}", "\u{fe0f}", "\0"] {
        check_display_name(nothing, Ok("ada"));
    }
}

#[test]
fn display_name_too_long_says_by_how_much() {
    check_display_name(&"é".repeat(43), Err(Problem::TooLong { over: 3 }));
}

#[test]
fn bio_lines_kept_controls_dropped() {
    assert_eq!(bio("a\r\nb\rc\td\u{7}"), Ok("a\nb\ncd".to_owned()));
    assert_eq!(bio(" \n "), Ok(String::new()));
    assert_eq!(bio(&"x".repeat(200)), Ok("x".repeat(200)));
    assert_eq!(bio(&"x".repeat(201)), Err(Problem::TooLong { over: 1 }));
}

fn check_post(input: &str, expected: Result<&str, Problem>) {
    assert_eq!(post_text(input).as_deref(), expected.as_ref().copied(), "{input:?}");
}

#[test]
fn post_text_kept_as_typed_inside() {
    check_post("a\r\n\r\n  b\tc\rd\u{1b}", Ok("a\n\n  b\tc\nd"));
    check_post("\n \n  art\n ", Ok("  art"));
    check_post("e\u{301}", Ok("e\u{301}"));
}

#[test]
fn post_text_of_nothing_seen_empty() {
    for nothing in ["", " \r\n\t", "\0\u{1b}", "\u{200b}\u{202e}", "\u{a0}\u{3000}"] {
        check_post(nothing, Err(Problem::Empty));
    }
}

#[test]
fn post_text_length_counted_after_mending() {
    let full = "é\r\n".repeat(250);
    check_post(&full, Ok(full.replace('\r', "").trim_end()));
    check_post(&"😀".repeat(500), Ok(&"😀".repeat(500)));
    check_post(&"😀".repeat(523), Err(Problem::TooLong { over: 23 }));
}

const ZWNJ: char = '\u{200c}';

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fields_taken_are_taken_again_as_they_are(text in "(\\PC|[\\x00-\\x20\u{301}\u{200b}-\u{200d}\u{1160}\u{ad}\u{fe0f}🏴سد\u{94d}\u{9cd}র]|🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}){0,40}") {
        let ada = name("ada");
        if let Ok(shown) = display_name(&text, &ada) {
            prop_assert!((1..=DISPLAY_NAME_CHARS_MAX).contains(&shown.chars().count()));
            let is_tag = |c| matches!(c, '\u{e0020}'..='\u{e007f}');
            let unseen = |c: char| c.is_control() || (is_invisible(c) && !is_joiner(c) && !is_tag(c));
            prop_assert!(!shown.contains(unseen));
            prop_assert!(!shown.starts_with(is_joiner) && !shown.ends_with(ZWNJ));
            prop_assert_eq!(display_name(&shown, &ada), Ok(shown));
        }
        if let Ok(kept) = bio(&text) {
            prop_assert_eq!(bio(&kept), Ok(kept));
        }
        if let Ok(kept) = post_text(&text) {
            prop_assert_eq!(post_text(&kept), Ok(kept));
        }
        let better = match username(&text, &[]) {
            Err(Problem::BadChar { suggestion, .. } | Problem::BadStart { suggestion }) => suggestion,
            Ok(_) | Err(_) => None,
        };
        if let Some(better) = better {
            prop_assert_eq!(username(better.as_str(), &[]), Ok(better));
        }
    }
}
