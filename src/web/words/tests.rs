//! What the compiler cannot see of the words: that nothing is left empty or in the other language,
//! and that no parameter is forgotten.

use std::collections::BTreeSet;

use super::{
    Lang, Written, apps, entry, find, frame, gate, keeping, machines, marks, poll, post, settings,
    time, trouble,
};

/// Words that are the same in both languages.
const SAME: [&str; 4] = ["text", "version", "day_and_time", "name_label"];

fn every_word() -> impl Iterator<Item = &'static Written> {
    [
        apps::WRITTEN,
        entry::WRITTEN,
        find::WRITTEN,
        frame::WRITTEN,
        gate::WRITTEN,
        keeping::WRITTEN,
        machines::WRITTEN,
        marks::WRITTEN,
        poll::WRITTEN,
        post::WRITTEN,
        settings::WRITTEN,
        time::WRITTEN,
        trouble::WRITTEN,
    ]
    .into_iter()
    .flatten()
}

/// What stands in English texts and in no German one: on a German page each is a leftover.
pub(in crate::web) fn english_alone() -> BTreeSet<String> {
    let of = |texts: fn(&Written) -> &'static [&'static str]| {
        let texts = every_word().flat_map(texts).map(|text| without_holes(text));
        texts.flat_map(|text| split(&text)).collect::<BTreeSet<_>>()
    };
    let german = of(|word| word.de);
    of(|word| word.en).difference(&german).cloned().collect()
}

/// The words of a text, in small letters; single letters are none.
pub(in crate::web) fn split(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 1);
    words.map(str::to_lowercase).collect()
}

/// A text without its parameters.
fn without_holes(text: &str) -> String {
    let outside = |part: &str| part.split_once('}').map_or(part, |(_, rest)| rest).to_owned();
    text.split('{').map(outside).collect()
}

/// The names of a text's parameters.
fn parameters(texts: &[&'static str]) -> BTreeSet<&'static str> {
    let inside =
        |text: &'static str| text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
    texts.iter().copied().flat_map(inside).collect()
}

#[test]
fn words_have_both_languages() {
    for Written { key, en, de } in every_word() {
        for text in en.iter().chain(*de) {
            assert!(!text.trim().is_empty(), "{key} is empty");
        }
        assert!(en != de || SAME.contains(key), "{key} is the same in both languages: {en:?}");
        // A form for one may leave the count out: `one machine`.
        let (en, de) = (parameters(en), parameters(de));
        assert_eq!(en, de, "{key} has other parameters in German");
    }
}

#[test]
fn words_have_the_marks_of_their_language() {
    for Written { key, en, de } in every_word() {
        for text in en.iter().chain(*de) {
            let bad = text.contains(['\'', '"', '<', '>', '&']) || text.contains("  ");
            assert!(!bad, "{key} holds a typewriter's mark or markup: {text}");
        }
        for text in *en {
            assert!(!text.contains(['„', 'ä', 'ö', 'ü', 'ß']), "{key} is no English: {text}");
        }
        for text in *de {
            let closes = text.matches('„').count() == text.matches('“').count();
            assert!(closes && !text.contains('”'), "{key} has other quotation marks: {text}");
            for formal in ["Sie ", "Ihre", "Ihnen", " Ihr "] {
                assert!(!text.contains(formal), "{key} says Sie: {text}");
            }
        }
    }
}

#[test]
fn r0269_words_name_things_alike() {
    // What a word is called in English, and in German, wherever it stands.
    let terms = [
        (&["keeper"][..], &["Betreiber"][..]),
        (&["machine"], &["Maschine", "dazu"]),
        (&["Nothing was saved"], &["Es wurde nichts gespeichert"]),
        (&["sign out", "signed out"], &["melde", "Abmeld"]),
        (&["block"], &["sperr", "Sperr"]),
        (&["mute and block people"], &["ausblenden und sperren"]),
        (&["Ends"], &["Ende:"]),
    ];
    for Written { key, en, de } in every_word() {
        let holds = |texts: &[&str], terms: &[&str]| {
            terms.iter().any(|term| texts.iter().any(|text| text.contains(term)))
        };
        for (english, german) in terms {
            assert!(!holds(en, english) || holds(de, german), "{key}: {de:?} lacks {german:?}");
        }
    }
}

#[track_caller]
fn check(word: impl Fn(Lang, u32) -> String, en: [&str; 4], de: [&str; 4]) {
    for (lang, expected) in [(Lang::En, en), (Lang::De, de)] {
        assert_eq!([0, 1, 2, 1000].map(|n| word(lang, n)), expected);
    }
}

#[test]
fn counted_words_take_the_right_form() {
    check(
        Lang::replies,
        ["0 replies", "1 reply", "2 replies", "1000 replies"],
        ["0 Antworten", "1 Antwort", "2 Antworten", "1000 Antworten"],
    );
    check(
        Lang::followers,
        ["0 followers", "1 follower", "2 followers", "1000 followers"],
        [
            "0 Mitglieder folgen",
            "1 Mitglied folgt",
            "2 Mitglieder folgen",
            "1000 Mitglieder folgen",
        ],
    );
    check(
        |t, n| t.machines_up(n.try_into().unwrap(), 1),
        ["1 of 0 machines", "1 of 1 machine", "1 of 2 machines", "1 of 1000 machines"],
        ["1 von 0 Maschinen", "1 von 1 Maschine", "1 von 2 Maschinen", "1 von 1000 Maschinen"],
    );
    check(
        Lang::posts,
        ["0 posts", "1 post", "2 posts", "1000 posts"],
        ["0 Beiträge", "1 Beitrag", "2 Beiträge", "1000 Beiträge"],
    );
}
