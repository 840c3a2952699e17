//! Times as people read them. All are told in UTC: the server knows no reader's clock.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::clock::Wall;
use crate::web::words::Lang;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;
const DAY_MS: u64 = 1000 * DAY_S;
/// Bytes of a time to the second, and of what is put behind it.
const SECOND_BYTES: usize = 24;
/// Days up to which a time is told as so many days ago.
const DAYS_TOLD: u64 = 7;

/// A moment, for a `<time>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// For machines: `2020-02-21T01:01:00Z`.
    pub(crate) iso: String,
    /// In full: `21 February 2020, 01:01 UTC`, `21. Februar 2020, 01:01 UTC`.
    pub(crate) full: String,
    /// In short, seen from now: `3 h`, `vor 3 Std.`.
    pub(crate) short: String,
}

impl Moment {
    /// A moment as seen at `now`. What lies ahead, by clocks that differ, is now.
    pub(crate) fn seen_at(t: Lang, at: Wall, now: Wall) -> Self {
        let short = match Age::of(at, now) {
            Age::Now => t.now().to_owned(),
            Age::Minutes(n) => t.minutes_ago(n),
            Age::Hours(n) => t.hours_ago(n),
            Age::Days(n) => t.days_ago(n),
            Age::Long => short_day(t, at, now),
        };
        let date = civil(at);
        let full = t.day_and_time(&day(t, date), &minute(date));
        let mut iso = second(date);
        iso.push('Z');
        Self { iso, full, short }
    }

    /// A moment that lies ahead, told by how long it is until then: `23 hours from now`.
    pub(crate) fn ahead(t: Lang, at: Wall, now: Wall) -> Self {
        let left = span(t, at.0.saturating_sub(now.0) / 1000);
        Self { short: t.time_ahead(&left), ..Self::seen_at(t, at, now) }
    }

    /// A moment told by its day: `21 February 2020`.
    pub(crate) fn of_day(t: Lang, at: Wall) -> Self {
        Self { short: day(t, civil(at)), ..Self::seen_at(t, at, at) }
    }

    /// A moment told by the time of day, to the second: `14:02:11`.
    pub(crate) fn to_the_second(t: Lang, at: Wall) -> Self {
        let date = civil(at);
        let mut short = minute(date);
        push_part(&mut short, ':', date.second());
        Self { short, ..Self::seen_at(t, at, at) }
    }

    /// A moment told by the time of day: `13:56`.
    pub(crate) fn to_the_minute(t: Lang, at: Wall) -> Self {
        Self { short: minute(civil(at)), ..Self::seen_at(t, at, at) }
    }
}

/// How long ago something was, in the unit that it is told in.
enum Age {
    Now,
    Minutes(u64),
    Hours(u64),
    Days(u64),
    /// So long that it is told by its day.
    Long,
}

impl Age {
    fn of(at: Wall, now: Wall) -> Self {
        let age_s = now.0.saturating_sub(at.0) / 1000;
        match age_s {
            0..MINUTE_S => Self::Now,
            MINUTE_S..HOUR_S => Self::Minutes(age_s / MINUTE_S),
            HOUR_S..DAY_S => Self::Hours(age_s / HOUR_S),
            _ if age_s <= DAYS_TOLD * DAY_S => Self::Days(age_s / DAY_S),
            _ => Self::Long,
        }
    }
}

/// Until when a moment that is seen at `now` is told in the same words.
pub(crate) fn told_until(at: Wall, now: Wall) -> Wall {
    let age_s = match Age::of(at, now) {
        Age::Now => MINUTE_S,
        Age::Minutes(n) => (n + 1) * MINUTE_S,
        Age::Hours(n) => (n + 1) * HOUR_S,
        Age::Days(n) => ((n + 1) * DAY_S).min(DAYS_TOLD * DAY_S + 1),
        // Told with its year once that is not the present one, and no year ends within a day.
        Age::Long => return Wall((now.0 / DAY_MS + 1).saturating_mul(DAY_MS)),
    };
    Wall(at.0.saturating_add(age_s * 1000))
}

/// Since when something lasts, in short, as it stands after `seit`: `3 h`, `3 Std.`; none for what
/// has only begun.
pub(crate) fn since(t: Lang, at: Wall, now: Wall) -> Option<String> {
    match Age::of(at, now) {
        Age::Now => None,
        Age::Minutes(n) => Some(t.minutes_short(n)),
        Age::Hours(n) => Some(t.hours_short(n)),
        Age::Days(n) => Some(t.days_short(n)),
        Age::Long => Some(short_day(t, at, now)),
    }
}

/// A span as people say it: `30 seconds`, `2 minutes`; rounded up, at least one second.
pub(crate) fn span(t: Lang, seconds: u64) -> String {
    match seconds {
        0..120 => t.seconds(seconds.max(1)),
        120..7_200 => t.minutes(seconds.div_ceil(MINUTE_S)),
        7_200..172_800 => t.hours(seconds.div_ceil(HOUR_S)),
        _ => t.days(seconds.div_ceil(DAY_S)),
    }
}

/// A time for programs, in RFC 3339: `2020-02-21T01:01:05.000Z`.
pub(crate) fn precise(at: Wall) -> String {
    let date = civil(at);
    format!("{}.{:03}Z", second(date), date.millisecond())
}

/// `01:01`.
fn minute(date: DateTime) -> String {
    let mut text = String::with_capacity(SECOND_BYTES);
    push_two(&mut text, date.hour());
    push_part(&mut text, ':', date.minute());
    text
}

/// `2020-02-21T01:01:05`.
fn second(date: DateTime) -> String {
    let mut text = String::with_capacity(SECOND_BYTES);
    let year = date.year().unsigned_abs();
    push_two(&mut text, i8::try_from(year / 100).unwrap_or_default());
    push_two(&mut text, i8::try_from(year % 100).unwrap_or_default());
    push_part(&mut text, '-', date.month());
    push_part(&mut text, '-', date.day());
    push_part(&mut text, 'T', date.hour());
    push_part(&mut text, ':', date.minute());
    push_part(&mut text, ':', date.second());
    text
}

/// A part of a date or a time, of two digits, after `mark`.
fn push_part(text: &mut String, mark: char, number: i8) {
    text.push(mark);
    push_two(text, number);
}

/// Two digits. A page has some hundreds of them, and `{:02}` does ten times as much for each.
fn push_two(text: &mut String, number: i8) {
    let number = number.unsigned_abs();
    text.push(char::from(b'0' + number / 10 % 10));
    text.push(char::from(b'0' + number % 10));
}

/// `21 February 2020`.
fn day(t: Lang, date: DateTime) -> String {
    t.day_month_year(date.day(), month(t.months(), date), date.year())
}

/// `21 Feb`, and the year if it is not the present one.
fn short_day(t: Lang, at: Wall, now: Wall) -> String {
    let date = civil(at);
    let month = month(t.months_short(), date);
    if date.year() == civil(now).year() {
        t.day_month(date.day(), month)
    } else {
        t.day_month_year(date.day(), month, date.year())
    }
}

fn month(names: [&'static str; 12], date: DateTime) -> &'static str {
    let index = usize::from(date.month().unsigned_abs()).saturating_sub(1);
    names.get(index).copied().unwrap_or_default()
}

fn civil(at: Wall) -> DateTime {
    TimeZone::UTC.to_datetime(at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Lang::{De, En};

    /// 21 February 2020, 01:01:05 UTC.
    const AT: Wall = Wall(1_582_246_865_000);

    #[test]
    fn moment_told_the_same_until_it_is_said_to_change() {
        let ages = [0, 1, 59, 60, 61, 3_599, 3_600, 86_399, 86_400, 604_799, 604_800, 604_801];
        let years = [0, 27_000_000, 27_043_000, 90_000_000];
        for age_ms in
            ages.into_iter().chain(years).flat_map(|age_s| [0, 1, 999].map(|ms| age_s * 1000 + ms))
        {
            let now = Wall(AT.0 + age_ms);
            let until = told_until(AT, now);
            assert!(until > now, "{age_ms}");
            for t in [En, De] {
                let seen = Moment::seen_at(t, AT, now);
                let last = Wall(until.0 - 1);
                let between = Wall(now.0 + (until.0 - now.0) / 2);
                for then in [between, last] {
                    assert_eq!(Moment::seen_at(t, AT, then), seen, "{age_ms} {then:?}");
                }
                if age_ms <= 604_800_999 {
                    assert_ne!(Moment::seen_at(t, AT, until), seen, "{age_ms}");
                }
            }
        }
        // What lies ahead is now.
        assert_eq!(told_until(AT, Wall(AT.0 - 5)), Wall(AT.0 + 60_000));
        // The last day of a year.
        let silvester = Wall(1_609_459_199_000);
        assert_eq!(told_until(AT, silvester), Wall(1_609_459_200_000));
    }

    #[track_caller]
    fn check(age_s: u64, en: &str, de: &str) {
        let short = |t| Moment::seen_at(t, AT, Wall(AT.0 + age_s * 1000)).short;
        assert_eq!((short(En).as_str(), short(De).as_str()), (en, de), "{age_s}");
    }

    #[test]
    fn moment_short_by_age() {
        check(0, "now", "jetzt");
        check(59, "now", "jetzt");
        check(60, "1 min", "vor 1 Min.");
        check(3_599, "59 min", "vor 59 Min.");
        check(3_600, "1 h", "vor 1 Std.");
        check(86_399, "23 h", "vor 23 Std.");
        check(86_400, "1 d", "vor 1 Tag");
        check(7 * 86_400, "7 d", "vor 7 Tagen");
        check(7 * 86_400 + 1, "21 Feb", "21. Feb.");
        check(366 * 86_400, "21 Feb 2020", "21. Feb. 2020");
        assert_eq!(Moment::seen_at(En, AT, Wall(0)).short, "now");
    }

    #[test]
    fn moment_short_at_edges_of_a_year() {
        // 31 December 2019, 23:59:59, the second after it, and 31 December 2020.
        let (eve, new_year) = (Wall(1_577_836_799_000), Wall(1_577_836_800_000));
        let next_eve = Wall(1_609_459_199_000);
        let short = |t, at, now| Moment::seen_at(t, at, now).short;
        // Young enough to be told by age, whatever year it was in.
        assert_eq!(short(En, eve, Wall(new_year.0 + 3_600_000)), "1 h");
        assert_eq!(short(De, eve, Wall(new_year.0 + 3_600_000)), "vor 1 Std.");
        let week_on = Wall(new_year.0 + 8 * 86_400_000);
        assert_eq!(short(En, eve, week_on), "31 Dec 2019");
        assert_eq!(short(De, eve, week_on), "31. Dez. 2019");
        assert_eq!(short(En, new_year, week_on), "1 Jan");
        assert_eq!(short(De, new_year, week_on), "1. Jan.");
        assert_eq!(short(En, new_year, next_eve), "1 Jan");
        assert_eq!(short(De, new_year, next_eve), "1. Jan.");
        let day_after = Wall(next_eve.0 + 1_000);
        assert_eq!(short(En, new_year, day_after), "1 Jan 2020");
        assert_eq!(short(De, new_year, day_after), "1. Jan. 2020");
    }

    #[test]
    fn moment_names_each_month() {
        // The 15th of each month of 2021.
        let of = |month: u64| Wall(1_610_668_800_000 + (month - 1) * 2_629_746_000);
        let shorts = |t| {
            let all: Vec<_> =
                (1..=12).map(|month| Moment::seen_at(t, of(month), Wall(u64::MAX)).short).collect();
            all.iter().map(|short| short.split(' ').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
        };
        let en =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        assert_eq!(shorts(En), en);
        let de = [
            "Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.",
            "Dez.",
        ];
        assert_eq!(shorts(De), de);
    }

    #[test]
    fn moment_told_in_full() {
        let moment = Moment::seen_at(En, AT, AT);
        assert_eq!(moment.iso, "2020-02-21T01:01:05Z");
        assert_eq!(moment.full, "21 February 2020, 01:01 UTC");
        assert_eq!(Moment::of_day(En, AT).short, "21 February 2020");
        assert_eq!(Moment::to_the_second(En, AT).short, "01:01:05");
        assert_eq!(Moment::to_the_minute(En, AT).short, "01:01");
        let moment = Moment::seen_at(De, AT, AT);
        assert_eq!(moment.iso, "2020-02-21T01:01:05Z");
        assert_eq!(moment.full, "21. Februar 2020, 01:01 UTC");
        assert_eq!(Moment::of_day(De, AT).short, "21. Februar 2020");
        assert_eq!(Moment::to_the_second(De, AT).short, "01:01:05");
    }

    #[test]
    fn moment_ahead_told_by_how_long_it_takes() {
        let ahead = |t, s: u64| Moment::ahead(t, AT, Wall(AT.0 - s * 1000));
        assert_eq!(ahead(En, 82_800).short, "23 hours from now");
        assert_eq!(ahead(De, 259_200).short, "in 3 Tagen");
        assert_eq!(ahead(En, 0).short, "1 second from now");
        assert_eq!(ahead(En, 600).full, "21 February 2020, 01:01 UTC");
    }

    #[test]
    fn moment_beyond_calendar_is_its_end() {
        let moment = Moment::seen_at(En, Wall(u64::MAX), Wall(0));
        assert!(moment.iso.starts_with("9999-12-"), "{}", moment.iso);
    }

    #[test]
    fn second_is_what_the_calendar_says() {
        // Primes, so that every part runs through all that it can be.
        for step in 0..20_000 {
            let date = civil(Wall(step * 104_729 * 121_001));
            assert_eq!(second(date), date.strftime("%Y-%m-%dT%H:%M:%S").to_string());
            assert_eq!(minute(date), date.strftime("%H:%M").to_string());
        }
    }

    #[test]
    fn since_without_word_for_ago() {
        let since = |t, age_s: u64| since(t, AT, Wall(AT.0 + age_s * 1000));
        assert_eq!(since(De, 59), None);
        assert_eq!(since(De, 360).as_deref(), Some("6 Min."));
        assert_eq!(since(En, 360).as_deref(), Some("6 min"));
        assert_eq!(since(De, 7_200).as_deref(), Some("2 Std."));
        assert_eq!(since(De, 86_400).as_deref(), Some("1 Tag"));
        assert_eq!(since(De, 3 * 86_400).as_deref(), Some("3 Tagen"));
        assert_eq!(since(De, 30 * 86_400).as_deref(), Some("21. Feb."));
    }

    #[test]
    fn span_in_words() {
        for (seconds, en, de) in [
            (0, "1 second", "1 Sekunde"),
            (30, "30 seconds", "30 Sekunden"),
            (121, "3 minutes", "3 Minuten"),
            (900, "15 minutes", "15 Minuten"),
            (7_201, "3 hours", "3 Stunden"),
            (200_000, "3 days", "3 Tagen"),
        ] {
            assert_eq!((span(En, seconds).as_str(), span(De, seconds).as_str()), (en, de));
        }
    }
}
