//! Mentions, tags, the search, feeds, and how far one has read.

use super::words;

words! {
    mentions: "Mentions" / "Erwähnungen";
    new_ones: "new" / "neu";
    new_above: "new above" / "darüber Neues";
    left_off_here: "you left off here" / "bis hier hast du gelesen";
    no_mentions(name: &str):
        "When someone writes @{name}, it shows here." /
        "Wenn jemand @{name} schreibt, steht es hier.";
    follows_you: "follows you" / "folgt dir";
    older_mentions: "Older mentions" / "Ältere Erwähnungen";

    no_tagged: "No post has this tag yet." / "Noch hat kein Beitrag dieses Schlagwort.";
    tags_used_last: "Tags used last" / "Zuletzt benutzte Schlagwörter";
    feed: "Atom feed" / "Atom-Feed";

    search: "Search" / "Suchen";
    search_for: "Search for" / "Suchen nach";
    search_hint:
        "Words, @names and #tags; all of them must be there." /
        "Wörter, @Namen und #Schlagwörter; alle müssen vorkommen.";
    people_found: "People" / "Leute";
    posts_found: "Posts" / "Beiträge";
    nothing_found: ("Nothing found for ", ".") / ("Nichts gefunden für ", ".");
    how_to_find_more:
        "Fewer words find more, and so does the beginning of a word." /
        "Weniger Wörter finden mehr, und auch der Anfang eines Wortes.";
    search_stopped(s: u64):
        "Stopped after {s} s; there may be more in older posts." /
        "Nach {s} s abgebrochen; in älteren Beiträgen kann mehr stehen.";
    search_older: "Search older posts" / "Ältere Beiträge durchsuchen";
    search_too_much: "That is too much to search for." / "Das ist zu viel auf einmal.";
    search_limits(chars: usize, words: usize):
        "A search has up to {chars} characters and {words} words." /
        "Eine Suche hat bis zu {chars} Zeichen und {words} Wörter.";
    others_search: "Others are searching just now." / "Gerade suchen schon andere.";
}
