//! What a password must not be: too short, too long, on every guessing list, or made of a name that
//! stands on the page. Nothing else is asked of it: no capital, no digit, no renewal.

use unicode_normalization::UnicodeNormalization;

use crate::action::Problem;
use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN};

/// The list, one password a line in lower case; lines with `#` name its source and licence.
const COMMON: &str = include_str!("common.txt");
/// Letters of a word in a longer name, so that the word alone counts as the name: fewer are chance.
const WORD_CHARS_MIN: usize = 3;

/// Names that a guesser tries first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// The user's name.
    pub username: &'a str,
    /// The name shown.
    pub display_name: &'a str,
    /// What the community calls itself.
    pub community: &'a str,
    /// The site's host.
    pub host: &'a str,
}

/// What is wrong with a password, if anything. Lengths count bytes of its NFC form, which is what is
/// hashed.
pub fn check(password: &str, names: Names<'_>) -> Option<Problem> {
    let password: String = password.nfc().collect();
    if password.len() < PASSWORD_BYTES_MIN {
        return Some(Problem::TooShort { min: u32::try_from(PASSWORD_BYTES_MIN).unwrap_or(0) });
    }
    let over = chars_over(&password);
    if over > 0 {
        return Some(Problem::TooLong { over });
    }
    if is_common(&password) {
        return Some(Problem::Common);
    }
    is_guessable(&password, names).then_some(Problem::Guessable)
}

/// Characters to take off its end so that it is short enough: what a person can count, while the
/// limit is in bytes.
fn chars_over(password: &str) -> u32 {
    let beyond = |(start, c): &(usize, char)| start + c.len_utf8() > PASSWORD_BYTES_MAX;
    u32::try_from(password.char_indices().filter(beyond).count()).unwrap_or(u32::MAX)
}

/// A walk through the whole list: 120 KB, some 20 microseconds, beside a hash that takes a thousand
/// times that. An index would only cost memory.
fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    COMMON.lines().filter(|line| !line.starts_with('#')).any(|line| line == lower)
}

/// Whether nothing but digits and marks is left once a name is taken out, as often as it stands there.
fn is_guessable(password: &str, names: Names<'_>) -> bool {
    let password = folded(password);
    let digits_alone = |text: &str| text.chars().all(char::is_numeric);
    [names.username, names.display_name, names.community, names.host]
        .into_iter()
        .flat_map(spellings)
        .any(|name| password.contains(&name) && digits_alone(&password.replace(&name, "")))
}

/// What a guesser makes of a name: the whole of it, that without its digits, and each longer word, a
/// label of a host's name being one as well.
fn spellings(name: &str) -> Vec<String> {
    let whole = folded(name);
    let bare = whole.trim_matches(char::is_numeric).to_owned();
    let words = name
        .split(|c: char| !c.is_alphanumeric())
        .chain(name.split('.'))
        .map(folded)
        .filter(|word| word.chars().filter(|c| !c.is_numeric()).count() >= WORD_CHARS_MIN);
    [whole, bare].into_iter().chain(words).filter(|spelling| !spelling.is_empty()).collect()
}

/// Letters and digits alone, small and in their plain forms: `Rose_Bay!`, `rose bay` and `ｒｏｓｅbay`
/// are one.
fn folded(text: &str) -> String {
    let lower = text.nfkc().collect::<String>().to_lowercase();
    lower.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const NAMES: Names<'_> = Names {
        username: "rose_bay",
        display_name: "Rosamund Bay-Ö",
        community: "Fen Lane",
        host: "fenlane.example.org",
    };

    fn check_password(password: &str, expected: Option<Problem>) {
        assert_eq!(check(password, NAMES), expected, "{password:?}");
    }

    #[test]
    fn s03_password_length_counted_in_nfc_bytes() {
        let short = Some(Problem::TooShort { min: 8 });
        check_password("", short.clone());
        check_password("xk7q mv", short.clone());
        check_password("xk7q mvw", None);
        check_password("ééé", short.clone());
        check_password("éüßø", None);
        // 9 bytes as typed, 6 once composed.
        check_password(&"e\u{301}".repeat(3), short);
    }

    #[test]
    fn s03_password_too_long_told_by_how_much() {
        check_password(&"xk7q".repeat(256), None);
        check_password(&"xk7q".repeat(257), Some(Problem::TooLong { over: 4 }));
        check_password(&format!("{}é", "x".repeat(1023)), Some(Problem::TooLong { over: 1 }));
        check_password(&"€".repeat(342), Some(Problem::TooLong { over: 1 }));
        check_password(&"e\u{301}".repeat(512), None);
    }

    #[test]
    fn s04_password_sentence_or_any_script_taken() {
        for good in [
            "four random words here",
            "        x        ",
            "пароль-из-леса",
            "正确的马电池",
            "🐎🔋📎🪡",
            "correct\u{200d}horse 9",
        ] {
            check_password(good, None);
        }
        check_password(&"seven is odd, ".repeat(5), None);
    }

    #[test]
    fn s05_password_common_refused_in_any_case() {
        for common in ["password", "PassWord1", "QWERTYUIOP", "12345678", "summer2025", "jennifer"]
        {
            check_password(common, Some(Problem::Common));
        }
        check_password("password1 ", None);
        check_password("# The above copyright notice", None);
    }

    #[test]
    fn s05_password_of_names_refused() {
        for guessable in [
            "rose_bay",
            "RoseBay1987",
            "1987rose-bay!",
            "rosebayrosebay",
            "rosamund",
            "Rosamund 12",
            "rosamundbayö",
            "fen lane",
            "Fen-Lane-2026",
            "fenlane.example.org",
            "example99",
            "ｒｏｓｅｂａｙ７",
        ] {
            check_password(guessable, Some(Problem::Guessable));
        }
        for fine in ["rosebay by the pump", "fen lanes", "87654309 bay x", "rosarose"] {
            check_password(fine, None);
        }
    }

    #[test]
    fn password_of_name_with_digits_refused_with_others() {
        let names = Names { username: "ada_1990", display_name: "7", ..Names::default() };
        assert_eq!(check("ada_2005xx", names), None);
        for guessable in ["ada_2005", "ada19901990", "adaadaada", "83920174"] {
            assert_eq!(check(guessable, names), Some(Problem::Guessable), "{guessable}");
        }
        let names = Names { username: "ada1990", ..Names::default() };
        assert_eq!(check("ada20055", names), Some(Problem::Guessable));
        let names = Names { username: "a_", display_name: "!!!", ..Names::default() };
        assert_eq!(check("aaaaaaaaaaaaa", names), Some(Problem::Guessable));
        assert_eq!(check("!!!!!!!!!!!!!", names), None);
    }

    #[test]
    fn s05_common_list_sorted_lower_case_long_enough() {
        let words: Vec<&str> = COMMON.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(words.len() >= 3_000, "ASVS 6.2.4 asks for 3,000");
        assert!(COMMON.len() < 120_000);
        assert!(words.is_sorted());
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
        for word in words {
            assert!(word.len() >= PASSWORD_BYTES_MIN, "{word}");
            assert_eq!(word.to_lowercase(), word);
        }
    }
}
