//! Log lines: one a record on standard error, `time=… level=… a fixed phrase key=value`, with
//! whatever could forge or break a line escaped.

use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::str::FromStr;

use log::{LevelFilter, Record};

use super::config::ConfigError;
use crate::clock::{Clock, Wall};
use crate::limits::LOG_LINE_BYTES_MAX;

/// The environment variable that says how much is logged.
pub(super) const LEVEL_VARIABLE: &str = "TERN_LOG";

/// Directs the log, and panics with it, to standard error.
///
/// # Errors
/// When `wanted` is no level's name.
pub(super) fn start(wanted: Option<OsString>) -> Result<(), ConfigError> {
    let level = level(wanted)?;
    let clock = Clock::system();
    let started = env_logger::Builder::new()
        // What other crates say below a warning is for their authors.
        .filter_level(level.min(LevelFilter::Warn))
        .filter_module("tern", level)
        .format(move |out, record| out.write_all(line(clock.wall(), record).as_bytes()))
        .try_init();
    // A program that uses the library may have a logger of its own; then that one is right.
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
    Ok(())
}

fn level(wanted: Option<OsString>) -> Result<LevelFilter, ConfigError> {
    let Some(wanted) = wanted else { return Ok(LevelFilter::Info) };
    let text = wanted.to_string_lossy();
    LevelFilter::from_str(&text).map_err(|_| ConfigError::LogLevel(text.into_owned()))
}

/// A panic is our bug: one line like any other, so that it cannot be overlooked in a log of lines.
fn log_panic(info: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("unnamed");
    let what = info.payload_as_str().unwrap_or("not a text");
    match info.location() {
        Some(place) => log::error!("panicked thread={name} at={place} message={what:?}"),
        None => log::error!("panicked thread={name} message={what:?}"),
    }
}

/// One record as it is written.
fn line(now: Wall, record: &Record<'_>) -> String {
    let time = i64::try_from(now.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let time = time.unwrap_or(jiff::Timestamp::MAX);
    let level = match record.level() {
        log::Level::Error => "error",
        log::Level::Warn => "warn",
        log::Level::Info => "info",
        log::Level::Debug => "debug",
        log::Level::Trace => "trace",
    };
    let mut text = format!("time={time:.3} level={level} ");
    // The writer fails where the limit is reached, which ends the formatting of a huge value early.
    if write!(Escaped(&mut text), "{}", record.args()).is_err() {
        text.push('…');
    }
    text.push('\n');
    text
}

/// Writes text with control characters, line separators and marks that turn the direction of text
/// escaped, up to the limit.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| self.write_char(c))
    }

    fn write_char(&mut self, c: char) -> fmt::Result {
        // Room for the longest escape, the ellipsis and the line end.
        if self.0.len() + "\\u{10ffff}…\n".len() > LOG_LINE_BYTES_MAX {
            return Err(fmt::Error);
        }
        let forges = matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || forges {
            self.0.extend(c.escape_default());
        } else {
            self.0.push(c);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: fmt::Arguments<'_>, expected: &str) {
        let record = Record::builder().level(log::Level::Warn).args(message).build();
        assert_eq!(line(Wall(1_700_000_000_123), &record), expected);
    }

    #[test]
    fn line_has_time_level_and_phrase() {
        check(
            format_args!("lease expired user=ann held_ms=5003"),
            "time=2023-11-14T22:13:20.123Z level=warn lease expired user=ann held_ms=5003\n",
        );
    }

    #[test]
    fn s45_line_with_line_ends_stays_one() {
        check(
            format_args!("a={}", "x\r\ntime=2026 level=info \u{2028}\u{202e}\u{1b}[2J"),
            "time=2023-11-14T22:13:20.123Z level=warn \
             a=x\\r\\ntime=2026 level=info \\u{2028}\\u{202e}\\u{1b}[2J\n",
        );
    }

    #[test]
    fn s45_line_too_long_cut_within_limit() {
        let long = "é\u{7}".repeat(LOG_LINE_BYTES_MAX);
        let message = format_args!("{long}");
        let record = Record::builder().level(log::Level::Warn).args(message).build();
        let text = line(Wall(0), &record);
        assert!(text.len() <= LOG_LINE_BYTES_MAX, "{}", text.len());
        assert!(text.len() > LOG_LINE_BYTES_MAX - 32, "{}", text.len());
        assert!(text.ends_with("…\n"));
    }

    #[test]
    fn level_unknown_refused() {
        assert_eq!(level(None).unwrap(), LevelFilter::Info);
        assert_eq!(level(Some("debug".into())).unwrap(), LevelFilter::Debug);
        let error = level(Some("loud".into())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "TERN_LOG=loud is no log level: use error, warn, info, debug, trace or off"
        );
    }
}
