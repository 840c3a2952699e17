//! The script with its words in it. They are made of those that the pages say themselves, with `#`
//! for the number, so that nothing is said in two ways.

use serde_json::json;

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

/// Where the script has its words.
const PLACE: &str = "WORDS";

/// The file that pages in this language name.
pub(crate) fn file(t: Lang) -> String {
    let ScriptWords { ago, left, over, fresh } = ScriptWords::of(t);
    let heavy = t.pictures_heavy();
    let words = json!({ "ago": ago, "left": left, "over": over, "new": fresh, "heavy": heavy });
    SCRIPT.replacen(PLACE, &words.to_string(), 1)
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
    use crate::limits::PICTURE_INPUT_BYTES_MAX;

    #[track_caller]
    fn check(t: Lang, ago: &str, left: &str, over: &str, fresh: &str) {
        let words = ScriptWords::of(t);
        assert_eq!([&words.ago, &words.left, &words.over, &words.fresh], [ago, left, over, fresh]);
    }

    #[test]
    fn words_stand_in_the_script() {
        let file = file(Lang::De);
        let (before, rest) = SCRIPT.split_once(PLACE).unwrap();
        let words = file.strip_prefix(before).unwrap().strip_suffix(rest).unwrap();
        let expected = json!({
            "ago": "jetzt|vor # Min.|vor # Std.|vor # Tag|vor # Tagen",
            "left": "noch # Zeichen|noch # Zeichen",
            "over": "# Zeichen zu viel|# Zeichen zu viel",
            "new": "# neuer Beitrag|# neue Beiträge",
            "heavy": "Zusammen mehr als 8 MB. Wähle weniger oder kleinere Bilder.",
        });
        assert!(SCRIPT.contains("8 * 2 ** 20") && PICTURE_INPUT_BYTES_MAX == 8 << 20);
        assert_eq!(serde_json::from_str::<serde_json::Value>(words).unwrap(), expected);
        for word in ["ago", "left", "over", "new", "heavy"] {
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
