//! Times as people read them. All are told in UTC: the server knows no reader's clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::clock::Wall;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;
/// Days up to which a time is told as so many days ago.
const DAYS_TOLD: u64 = 7;

/// A moment, for a `<time>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// For machines: `2020-02-21T01:01:00Z`.
    pub(crate) iso: String,
    /// In full: `21 February 2020, 01:01 UTC`.
    pub(crate) full: String,
    /// In short, seen from now: `3 h`.
    pub(crate) short: String,
}

impl Moment {
    /// A moment as seen at `now`. What lies ahead, by clocks that differ, is now.
    pub(crate) fn seen_at(at: Wall, now: Wall) -> Self {
        let age_s = now.0.saturating_sub(at.0) / 1000;
        let short = match age_s {
            0..MINUTE_S => "now".to_owned(),
            MINUTE_S..HOUR_S => format!("{} min", age_s / MINUTE_S),
            HOUR_S..DAY_S => format!("{} h", age_s / HOUR_S),
            _ if age_s <= DAYS_TOLD * DAY_S => format!("{} d", age_s / DAY_S),
            _ if format(at, "%Y") == format(now, "%Y") => format(at, "%-d %b"),
            _ => format(at, "%-d %b %Y"),
        };
        Self {
            iso: format(at, "%Y-%m-%dT%H:%M:%SZ"),
            full: format(at, "%-d %B %Y, %H:%M UTC"),
            short,
        }
    }

    /// A moment told by its day: `21 February 2020`.
    pub(crate) fn of_day(at: Wall) -> Self {
        Self { short: format(at, "%-d %B %Y"), ..Self::seen_at(at, at) }
    }

    /// A moment told by the time of day, to the second: `14:02:11`.
    pub(crate) fn to_the_second(at: Wall) -> Self {
        Self { short: format(at, "%H:%M:%S"), ..Self::seen_at(at, at) }
    }

    /// A moment told by the time of day: `13:56`.
    pub(crate) fn to_the_minute(at: Wall) -> Self {
        Self { short: format(at, "%H:%M"), ..Self::seen_at(at, at) }
    }
}

/// A span as people say it: `30 seconds`, `2 minutes`; rounded up, at least one second.
pub(crate) fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds.max(1), "second"),
        120..7_200 => (seconds.div_ceil(MINUTE_S), "minute"),
        7_200..172_800 => (seconds.div_ceil(HOUR_S), "hour"),
        _ => (seconds.div_ceil(DAY_S), "day"),
    };
    if count == 1 { format!("{count} {unit}") } else { format!("{count} {unit}s") }
}

/// A time for programs, in RFC 3339: `2020-02-21T01:01:05.000Z`.
pub(crate) fn precise(at: Wall) -> String {
    format(at, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

/// Formats a time by `strftime`'s rules; a time beyond the calendar's end is its end.
fn format(at: Wall, how: &str) -> String {
    let timestamp = i64::try_from(at.0)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX);
    timestamp.to_zoned_datetime(TimeZone::UTC).strftime(how).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 21 February 2020, 01:01:05 UTC.
    const AT: Wall = Wall(1_582_246_865_000);

    #[track_caller]
    fn check(age_s: u64, short: &str) {
        assert_eq!(Moment::seen_at(AT, Wall(AT.0 + age_s * 1000)).short, short, "{age_s}");
    }

    #[test]
    fn moment_short_by_age() {
        check(0, "now");
        check(59, "now");
        check(60, "1 min");
        check(3_599, "59 min");
        check(3_600, "1 h");
        check(86_399, "23 h");
        check(86_400, "1 d");
        check(7 * 86_400, "7 d");
        check(7 * 86_400 + 1, "21 Feb");
        check(366 * 86_400, "21 Feb 2020");
        assert_eq!(Moment::seen_at(AT, Wall(0)).short, "now");
    }

    #[test]
    fn moment_told_in_full() {
        let moment = Moment::seen_at(AT, AT);
        assert_eq!(moment.iso, "2020-02-21T01:01:05Z");
        assert_eq!(moment.full, "21 February 2020, 01:01 UTC");
        assert_eq!(Moment::of_day(AT).short, "21 February 2020");
        assert_eq!(Moment::to_the_second(AT).short, "01:01:05");
        assert_eq!(Moment::to_the_minute(AT).short, "01:01");
    }

    #[test]
    fn moment_beyond_calendar_is_its_end() {
        let moment = Moment::seen_at(Wall(u64::MAX), Wall(0));
        assert!(moment.iso.starts_with("9999-12-"), "{}", moment.iso);
    }

    #[test]
    fn span_in_words() {
        for (seconds, words) in [
            (0, "1 second"),
            (30, "30 seconds"),
            (121, "3 minutes"),
            (900, "15 minutes"),
            (7_201, "3 hours"),
            (200_000, "3 days"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }
}
