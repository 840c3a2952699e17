//! The script with its words before it. They are made of those that the pages say themselves, with `#`
//! for the number, so that nothing is said in two ways.

use super::frame::SCRIPT;
use crate::web::words::Lang;

/// A count that stands nowhere else in a word.
const MANY: u64 = 7_654_321;

/// Forms of each, parted by `|`.
#[derive(Debug)]
struct ScriptWords {
    /// Now, minutes, hours, one day, days ago.
    ago: String,
    /// One character, and some, left.
    left: String,
    /// One character, and some, too many.
    over: String,
    /// One new post, and some.
    fresh: String,
}

/// The file that pages in this language name. The words are spelt as Rust spells them, which JavaScript
/// reads as well: they hold letters, spaces and full stops.
pub(crate) fn file(t: Lang) -> String {
    let ScriptWords { ago, left, over, fresh } = ScriptWords::of(t);
    format!(
        "const words = {{ ago: {ago:?}, left: {left:?}, over: {over:?}, new: {fresh:?} }};\n{SCRIPT}"
    )
}

impl ScriptWords {
    /// In this language.
    fn of(t: Lang) -> Self {
        let many = |word: fn(Lang, u64) -> String| word(t, MANY).replace(&MANY.to_string(), "#");
        let one = |word: fn(Lang, u64) -> String| word(t, 1).replacen('1', "#", 1);
        let both = |word| format!("{}|{}", one(word), many(word));
        let days = both(Lang::days_ago);
        let (minutes, hours) = (many(Lang::minutes_ago), many(Lang::hours_ago));
        Self {
            ago: format!("{}|{minutes}|{hours}|{days}", t.now()),
            left: both(Lang::chars_left),
            over: both(Lang::chars_over),
            fresh: both(Lang::new_posts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(t: Lang, ago: &str, left: &str, over: &str, fresh: &str) {
        let words = ScriptWords::of(t);
        assert_eq!([&words.ago, &words.left, &words.over, &words.fresh], [ago, left, over, fresh]);
    }

    #[test]
    fn words_stand_before_the_script() {
        let file = file(Lang::De);
        let (words, rest) = file.split_once('\n').unwrap();
        let expected = "const words = { ago: \"jetzt|vor # Min.|vor # Std.|vor # Tag|vor # Tagen\", \
                        left: \"noch # Zeichen|noch # Zeichen\", \
                        over: \"# Zeichen zu viel|# Zeichen zu viel\", \
                        new: \"# neuer Beitrag|# neue Beiträge\" };";
        assert_eq!((words, rest), (expected, SCRIPT));
        for word in ["ago", "left", "over", "new"] {
            assert!(SCRIPT.contains(&format!("words.{word}")), "{word}");
        }
    }

    #[test]
    fn script_says_what_pages_say() {
        check(
            Lang::En,
            "now|# min|# h|# d|# d",
            "# character left|# characters left",
            "# character too many|# characters too many",
            "# new post|# new posts",
        );
        check(
            Lang::De,
            "jetzt|vor # Min.|vor # Std.|vor # Tag|vor # Tagen",
            "noch # Zeichen|noch # Zeichen",
            "# Zeichen zu viel|# Zeichen zu viel",
            "# neuer Beitrag|# neue Beiträge",
        );
    }
}
