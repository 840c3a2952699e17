//! Characters that show nothing and are still wanted, where they change how their neighbours look: the two joiners, and
//! the tags of flags. Anywhere else they make two texts differ that look the same.

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

const ZWJ: char = '\u{200d}';
/// Marks on one letter that are looked past.
const MARKS_MAX: usize = 4;
/// What follows a black flag and makes it England's, Scotland's or Wales's. Source: Unicode's emoji-sequences.txt, 16.0,
/// `RGI_Emoji_Tag_Sequence`.
const FLAGS: [&str; 3] = [
    "\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// Whether it may join, or keep apart, what stands before and after it.
pub const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | ZWJ)
}

/// Whether a joiner is seen between these: it makes one emoji of two, stands at the virama of an Indic word, or keeps letters apart
/// that join, as Persian is spelt.
///
/// Source: RFC 5892, appendix A.1 and A.2, by blocks instead of tables; emoji besides, and the reph that Bengali, Telugu and
/// Kannada keep off by a joiner before the virama (Unicode 16, section 12.2).
pub fn is_joined(before: &str, joiner: char, after: Option<char>) -> bool {
    let is_past_virama = before.ends_with(is_virama);
    let base = before.chars().rev().take(MARKS_MAX).find(|c| !is_combining_mark(*c));
    let (Some(base), Some(after)) = (base, after) else { return joiner == ZWJ && is_past_virama };
    if joiner == ZWJ {
        let keeps_ra = matches!(base, 'র' | 'ৰ' | 'ర' | 'ರ') && is_virama(after);
        return is_past_virama || keeps_ra || is_picture(base) && is_picture(after);
    }
    let is_letter = !after.is_ascii() && after.is_alphabetic() && !is_combining_mark(after);
    is_letter && (is_past_virama || joins_next(base) && is_of_joining_script(after))
}

/// The tags that make a flag of what stands before them.
pub fn flag(before: char, rest: &str) -> Option<&'static str> {
    FLAGS.into_iter().find(|tags| before == '🏴' && rest.starts_with(tags))
}

fn is_virama(c: char) -> bool {
    canonical_combining_class(c) == 9
}

/// Arrows to dingbats, and the planes of emoji.
const fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Arabic, Syriac, N'Ko, Mandaic and their supplements.
const fn is_of_joining_script(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{77f}' | '\u{7c0}'..='\u{7ff}' | '\u{840}'..='\u{8ff}')
}

/// Of Arabic letters those that join only what stands before them, or nothing, are left out.
const fn joins_next(c: char) -> bool {
    is_of_joining_script(c)
        && !matches!(c,
            '\u{621}'..='\u{625}' | '\u{627}' | '\u{629}' | '\u{62f}'..='\u{632}' | '\u{648}'
            | '\u{671}'..='\u{677}' | '\u{688}'..='\u{699}' | '\u{6c0}' | '\u{6c3}'..='\u{6cb}'
            | '\u{6cd}' | '\u{6cf}' | '\u{6d2}'..='\u{6d5}' | '\u{6ee}' | '\u{6ef}')
}
