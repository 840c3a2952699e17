//! The words of the script, which it finds as `data-` attributes of `body`. They are made of those
//! that the pages say themselves, with `#` for the number, so that nothing is said in two ways.

use crate::web::words::Lang;

/// A count that stands nowhere else in a word.
const MANY: u64 = 7_654_321;

/// Forms of each, parted by `|`.
#[derive(Debug, Clone)]
pub(crate) struct ScriptWords {
    /// Now, minutes, hours, one day, days ago.
    pub(crate) ago: String,
    /// One character, and some, left.
    pub(crate) left: String,
    /// One character, and some, too many.
    pub(crate) over: String,
    /// One new post, and some.
    pub(crate) fresh: String,
}

impl ScriptWords {
    /// In this language.
    pub(crate) fn of(t: Lang) -> Self {
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
