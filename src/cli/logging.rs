//! Log lines: one a record on standard error, `time=… level=… a fixed phrase key=value`, with
//! whatever could forge or break a line escaped. The system's journal, which has the time of each line,
//! is not told it again.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};

use log::{LevelFilter, Record};

use crate::clock::{Clock, Wall};
use crate::limits::LOG_LINE_BYTES_MAX;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `key=value`.
    Logfmt,
    /// An object a line.
    Json,
}

impl Format {
    /// As it is typed.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Logfmt => "logfmt",
            Self::Json => "json",
        }
    }
}

/// Whether lines are JSON; they may become so while the program runs.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Directs the log, and panics with it, to standard error.
pub(super) fn start(level: LevelFilter, format: Format) {
    let (clock, is_journal) = (Clock::system(), is_journal());
    let started = env_logger::Builder::new()
        // What other crates say below a warning is for their authors.
        .filter_level(LevelFilter::Warn)
        .filter_module("tern", LevelFilter::Trace)
        .format(move |out, record| {
            let is_json = IS_JSON.load(Ordering::Relaxed);
            let line = if is_json {
                json_line(clock.wall(), record)
            } else {
                line((!is_journal).then(|| clock.wall()), record)
            };
            out.write_all(line.as_bytes())
        })
        .try_init();
    // A program that uses the library may have a logger of its own; then that one is right.
    if started.is_ok() {
        set(level, format);
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Whether standard error is the system's journal, as its `JOURNAL_STREAM` says. Source: systemd.exec(5).
fn is_journal() -> bool {
    let stream = std::env::var("JOURNAL_STREAM");
    let own = rustix::fs::fstat(std::io::stderr());
    matches!((stream, own), (Ok(stream), Ok(own)) if names(&stream, own.st_dev, own.st_ino))
}

/// Whether `stream` is `device:inode` of this file.
fn names(stream: &str, device: u64, inode: u64) -> bool {
    stream.split_once(':') == Some((&device.to_string(), &inode.to_string()))
}

/// Changes how much is logged, and how it looks.
pub(super) fn set(level: LevelFilter, format: Format) {
    IS_JSON.store(format == Format::Json, Ordering::Relaxed);
    log::set_max_level(level);
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

/// One record as it is written; without a time for those who have it.
fn line(now: Option<Wall>, record: &Record<'_>) -> String {
    let mut text = now.map_or_else(String::new, |now| format!("time={:.3} ", time(now)));
    text.extend(["level=", level_name(record.level()), " "]);
    // The writer fails where the limit is reached, which ends the formatting of a huge value early.
    if write!(Escaped { text: &mut text, is_json: false }, "{}", record.args()).is_err() {
        text.push('…');
    }
    text.push('\n');
    text
}

/// One record as an object: what other programs read.
fn json_line(now: Wall, record: &Record<'_>) -> String {
    let mut text = format!(
        "{{\"time\":\"{:.3}\",\"level\":\"{}\",\"message\":\"",
        time(now),
        level_name(record.level())
    );
    if write!(Escaped { text: &mut text, is_json: true }, "{}", record.args()).is_err() {
        text.push('…');
    }
    text.push_str("\"}\n");
    text
}

fn time(now: Wall) -> jiff::Timestamp {
    let time = i64::try_from(now.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.unwrap_or(jiff::Timestamp::MAX)
}

const fn level_name(level: log::Level) -> &'static str {
    match level {
        log::Level::Error => "error",
        log::Level::Warn => "warn",
        log::Level::Info => "info",
        log::Level::Debug => "debug",
        log::Level::Trace => "trace",
    }
}

/// Writes text with control characters, line separators and marks that turn the direction of text
/// escaped, up to the limit.
struct Escaped<'a> {
    text: &'a mut String,
    is_json: bool,
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| self.write_char(c))
    }

    fn write_char(&mut self, c: char) -> fmt::Result {
        // Room for the longest escape, the ellipsis and the end.
        if self.text.len() + "\\u{10ffff}…\"}\n".len() > LOG_LINE_BYTES_MAX {
            return Err(fmt::Error);
        }
        let forges = matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match c {
            '"' | '\\' if self.is_json => self.text.extend(['\\', c]),
            // All of these are in the first plane, where one JSON escape is enough.
            _ if self.is_json && (c.is_control() || forges) => {
                write!(self.text, "\\u{:04x}", u32::from(c))?;
            }
            _ if c.is_control() || forges => self.text.extend(c.escape_default()),
            _ => self.text.push(c),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: fmt::Arguments<'_>, expected: &str) {
        let record = Record::builder().level(log::Level::Warn).args(message).build();
        let with_time = line(Some(Wall(1_700_000_000_123)), &record);
        assert_eq!(with_time, expected);
        let (_, without) = expected.split_once(' ').unwrap();
        assert_eq!(line(None, &record), without);
    }

    #[test]
    fn journal_known_by_device_and_inode_of_standard_error() {
        assert!(names("8:1234", 8, 1234));
        for other in ["8:1235", "9:1234", "8", "", ":", "8:1234:1", " 8:1234"] {
            assert!(!names(other, 8, 1234), "{other}");
        }
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
        let text = line(Some(Wall(0)), &record);
        assert!(text.len() <= LOG_LINE_BYTES_MAX, "{}", text.len());
        assert!(text.len() > LOG_LINE_BYTES_MAX - 32, "{}", text.len());
        assert!(text.ends_with("…\n"));
    }

    #[test]
    fn json_lines_are_one_object_each_whatever_they_hold() {
        let hostile = "x\r\n\"\\ \u{2028}\u{202e}\u{1b}[2J é";
        let long = hostile.repeat(LOG_LINE_BYTES_MAX);
        for message in [hostile, &long, ""] {
            let args = format_args!("{message}");
            let record = Record::builder().level(log::Level::Warn).args(args).build();
            let text = json_line(Wall(1_700_000_000_123), &record);
            assert!(text.len() <= LOG_LINE_BYTES_MAX, "{}", text.len());
            let bare = text.strip_suffix('\n').unwrap();
            assert!(!bare.contains(|c: char| c.is_control() || c == '\u{202e}'), "{bare}");
            let value: serde_json::Value = serde_json::from_str(bare).unwrap();
            assert_eq!(value["time"], "2023-11-14T22:13:20.123Z");
            assert_eq!(value["level"], "warn");
            let read = value["message"].as_str().unwrap();
            assert!(message.starts_with(read.trim_end_matches('…')), "{read}");
        }
    }
}
