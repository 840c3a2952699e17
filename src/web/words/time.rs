//! Times and spans.

use super::words;

words! {
    months:
        ("January", "February", "March", "April", "May", "June",
         "July", "August", "September", "October", "November", "December") /
        ("Januar", "Februar", "März", "April", "Mai", "Juni",
         "Juli", "August", "September", "Oktober", "November", "Dezember");
    months_short:
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec") /
        ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez.");
    day_month(day: i8, month: &str): "{day} {month}" / "{day}. {month}";
    day_month_year(day: i8, month: &str, year: i16): "{day} {month} {year}" / "{day}. {month} {year}";
    day_and_time(day: &str, time: &str): "{day}, {time} UTC" / "{day}, {time} UTC";

    now: "now" / "jetzt";
    minutes_ago(n: u64): "{n} min" / "vor {n} Min.";
    hours_ago(n: u64): "{n} h" / "vor {n} Std.";
    days_ago(n: u64): ["{n} d", "{n} d"] / ["vor {n} Tag", "vor {n} Tagen"];

    // When something is that lies ahead: `23 hours from now`.
    time_ahead(span: &str): "{span} from now" / "in {span}";

    // How long something takes or has lasted, as it stands after `in` and `seit`.
    seconds(n: u64): ["{n} second", "{n} seconds"] / ["{n} Sekunde", "{n} Sekunden"];
    minutes(n: u64): ["{n} minute", "{n} minutes"] / ["{n} Minute", "{n} Minuten"];
    hours(n: u64): ["{n} hour", "{n} hours"] / ["{n} Stunde", "{n} Stunden"];
    days(n: u64): ["{n} day", "{n} days"] / ["{n} Tag", "{n} Tagen"];
    minutes_short(n: u64): "{n} min" / "{n} Min.";
    hours_short(n: u64): "{n} h" / "{n} Std.";
    days_short(n: u64): ["{n} d", "{n} d"] / ["{n} Tag", "{n} Tagen"];
}
