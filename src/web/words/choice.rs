//! Which language a browser gets: what was chosen on this device, else what it asks for.

use super::Lang;
use crate::limits::LANGUAGES_READ_MAX;
use crate::web::cookie::{CookieValue, SetCookie, find};

/// The name of the cookie with the language chosen on this device.
pub(crate) const COOKIE: &str = "lang";

impl Lang {
    /// The language of what answers a request with these headers. The cookie wins; `prefix` stands
    /// before our cookies' names on https. Without a word from the browser it is English.
    pub fn of(cookie: Option<&str>, accept: Option<&str>, prefix: &str) -> Self {
        let chosen = cookie.and_then(|cookie| Self::chosen(cookie, prefix));
        chosen.unwrap_or_else(|| Self::accepted(accept.unwrap_or_default()))
    }

    /// The language chosen on this device.
    pub(crate) fn chosen(cookie: &str, prefix: &str) -> Option<Self> {
        Self::tagged(find(cookie, prefix, COOKIE)?)
    }

    /// The language with this tag.
    pub(crate) fn tagged(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.tag() == tag)
    }

    /// What an `Accept-Language` asks for: RFC 9110, section 12.5.4. Of a range only the language
    /// counts, so `de-AT` is German (lookup by RFC 4647, section 3.4, which ends there). Of two that
    /// are wanted as much the first one named is taken; what is malformed is skipped.
    fn accepted(header: &str) -> Self {
        let mut wanted = [Wish::default(); Self::ALL.len()];
        let mut any = Wish::default();
        let ranges = header.split(',').take(LANGUAGES_READ_MAX).filter_map(range);
        for (place, (language, quality)) in ranges.enumerate() {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            if language == "*" {
                any.raise(quality, place);
            }
            for (lang, wish) in Self::ALL.into_iter().zip(&mut wanted) {
                if language.eq_ignore_ascii_case(lang.tag()) {
                    wish.raise(quality, place);
                }
            }
        }
        let wishes = wanted.map(|wish| if wish.is_named { wish } else { any });
        let wishes = Self::ALL.into_iter().zip(wishes).filter(|(_, wish)| wish.quality > 0);
        let best = wishes.reduce(|best, next| if next.1.beats(best.1) { next } else { best });
        best.map_or_else(Self::default, |(lang, _)| lang)
    }

    /// What makes a browser keep this choice, or forget it.
    pub(crate) fn cookie(chosen: Option<Self>) -> SetCookie {
        SetCookie {
            name: COOKIE,
            value: chosen.and_then(|lang| CookieValue::new(lang.tag())),
            max_age_s: Some(crate::limits::DEVICE_COOKIE_S),
        }
    }
}

/// How much a language is wanted.
#[derive(Debug, Clone, Copy, Default)]
struct Wish {
    is_named: bool,
    /// Thousandths; none means that it is not wanted at all.
    quality: u32,
    /// Where it stands in the header.
    place: u32,
}

impl Wish {
    /// A language that is named more than once is wanted as much as where it is wanted most.
    fn raise(&mut self, quality: u32, place: u32) {
        if !self.is_named || quality > self.quality {
            *self = Self { is_named: true, quality, place };
        }
    }

    const fn beats(self, other: Self) -> bool {
        self.quality > other.quality || (self.quality == other.quality && self.place < other.place)
    }
}

/// A range: its language, and its quality in thousandths.
fn range(text: &str) -> Option<(&str, u32)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next()?;
    let language = tag.split('-').next()?;
    let is_known_form = language == "*" || language.bytes().all(|b| b.is_ascii_alphabetic());
    let quality = match (parts.next(), parts.next()) {
        (None, _) => 1000,
        (Some(weight), None) => thousandths(weight)?,
        (Some(_), Some(_)) => return None,
    };
    (is_known_form && !language.is_empty()).then_some((language, quality))
}

/// `q=0.8` as 800: RFC 9110, section 12.4.2.
fn thousandths(weight: &str) -> Option<u32> {
    let (name, value) = weight.split_once('=')?;
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    let is_weight = name.eq_ignore_ascii_case("q")
        && matches!(whole, "0" | "1")
        && part.len() <= 3
        && part.bytes().all(|b| b.is_ascii_digit());
    let part: u32 = if is_weight { format!("{part:0<3}").parse().ok()? } else { return None };
    let quality = if whole == "1" { 1000 + part } else { part };
    (quality <= 1000).then_some(quality)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Lang::{De, En};

    #[track_caller]
    fn check(header: &str, expected: Lang) {
        assert_eq!(Lang::of(None, Some(header), ""), expected, "{header:?}");
    }

    #[test]
    fn language_by_quality_and_place() {
        for (header, expected) in [
            ("", En),
            ("de", De),
            ("de-AT", De),
            ("DE-at", De),
            ("de-Latn-CH-1996", De),
            ("en-GB, de", En),
            ("de, en", De),
            ("fr, de;q=0.5", De),
            ("fr, de;q=0.5, en;q=0.6", En),
            ("en;q=0.5, de;q=0.51", De),
            ("en;q=0.5 , de ; q=0.999", De),
            ("de-AT, de;q=0.8, en-US;q=0.9", De),
            ("en-US;q=0.3, de;q=0.2, en;q=0.1", En),
            ("pl, ru", En),
        ] {
            check(header, expected);
        }
    }

    #[test]
    fn language_of_star_is_any_not_named() {
        for (header, expected) in [
            ("*", En),
            ("fr, *;q=0.1", En),
            ("en;q=0, *", De),
            ("en;q=0.1, *;q=0.5", De),
            ("de, *;q=0.5", De),
            ("de;q=0.3, *;q=0.5", En),
            ("*, de;q=0.5", En),
            ("*;q=0, de", De),
        ] {
            check(header, expected);
        }
    }

    #[test]
    fn language_not_wanted_not_given() {
        check("de;q=0", En);
        check("de;q=0.000, en;q=0.001", En);
        check("en;q=0, de;q=0", En);
        check("en;q=0, de;q=0.001", De);
    }

    #[test]
    fn language_from_hostile_header_skips_what_is_malformed() {
        for (header, expected) in [
            (",,;;,=", En),
            (";q=1", En),
            ("de;q=2, en;q=0.1", En),
            ("de;q=1.001", En),
            ("de;q=-1", En),
            ("de;q=", En),
            ("de;q", En),
            ("de;q=0.1234", En),
            ("de;q=NaN", En),
            ("de;q=1e9", En),
            ("de;q=0.5;q=1", En),
            ("de;level=1", En),
            ("d\u{e9}", En),
            ("de-", De),
            ("-de", En),
            ("deutsch", En),
            ("d e", En),
            ("de\t", De),
            ("\r\nde", De),
            ("q=1;de", En),
            ("de;q=0., en;q=0.1", En),
            ("de;q=1.000", De),
            ("xx,de;Q=0.7", De),
        ] {
            check(header, expected);
        }
    }

    #[test]
    fn language_from_long_header_read_to_a_bound() {
        let many = |n| "fr, ".repeat(n);
        check(&format!("{}de", many(LANGUAGES_READ_MAX - 1)), De);
        check(&format!("{}de", many(LANGUAGES_READ_MAX)), En);
        check(&"d".repeat(1 << 20), En);
        check(&"de;q=0.5,".repeat(1 << 16), De);
    }

    #[test]
    fn cookie_wins_over_header() {
        let of = |cookie, accept| Lang::of(Some(cookie), Some(accept), "");
        assert_eq!(of("lang=de", "en"), De);
        assert_eq!(of("s=x; lang=en; p=y", "de"), En);
        // What is no choice of ours is none.
        for cookie in ["lang=", "lang=fr", "lang=DE", "lang=en; lang=de", "language=en", "lang"] {
            assert_eq!(of(cookie, "de"), De, "{cookie}");
            assert_eq!(of(cookie, "en"), En, "{cookie}");
        }
        let behind_https = |cookie| Lang::of(Some(cookie), Some("en"), "__Host-");
        assert_eq!(behind_https("lang=de"), En);
        assert_eq!(behind_https("__Host-lang=de"), De);
        assert_eq!(Lang::of(None, None, ""), En);
    }

    #[test]
    fn cookie_kept_a_year_or_forgotten() {
        for lang in Lang::ALL {
            let cookie = Lang::cookie(Some(lang));
            let value = cookie.value.unwrap();
            assert_eq!(
                Lang::chosen(&format!("{}={}", cookie.name, value.as_str()), ""),
                Some(lang)
            );
        }
        assert_eq!(Lang::cookie(None).value, None);
    }

    proptest! {
        #[test]
        fn language_of_any_header_is_found(header in ".{0,200}", cookie in ".{0,200}") {
            let lang = Lang::of(Some(&cookie), Some(&header), "");
            prop_assert!(Lang::ALL.contains(&lang));
        }
    }
}
