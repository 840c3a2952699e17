//! Characters that disguise text: what names may not hold and links may not contain.

/// Whether a character shows nothing, or changes how its neighbours are ordered or joined:
/// zero-width characters, direction marks and overrides, blank fillers, tags. Control characters are
/// `char::is_control`'s, line and paragraph separators count as white space.
///
/// Source: Unicode 16, `Default_Ignorable_Code_Point`, without the variation selectors, which
/// choose the look of the character before them (emoji, Japanese names); and two blanks that are
/// letters or symbols to Unicode (Hangul filler halfwidth, Braille blank).
pub const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e00ff}'
        | '\u{e01f0}'..='\u{e0fff}')
}

/// Whether nothing of this text can be seen.
pub fn is_blank(text: &str) -> bool {
    let selector = |c| matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    let shows = |c: char| !(c.is_whitespace() || c.is_control() || is_invisible(c) || selector(c));
    !text.chars().any(shows)
}
