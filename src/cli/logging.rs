//! Log lines: one a record on standard error, `time=… level=… msg="a fixed phrase" key=value`, or the same
//! as a JSON object. Whatever could forge or break a line is escaped, so that programs can read every line
//! whole, whoever wrote the values. The system's journal, which has the time of each line, is not told it
//! again, but how grave it is, so that `journalctl --priority=warning` finds it.

use std::fmt::{self, Display, Write as _};
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};

use log::kv::{self, Key, Value, VisitSource};
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
            // An object is what other programs read, wherever they find it.
            let now = (is_json || !is_journal).then(|| clock.wall());
            let mark = if is_journal { mark(record.level()) } else { "" };
            write!(out, "{mark}{}", line(now, is_json, record))
        })
        .try_init();
    // A program that uses the library may have a logger of its own; then that one is right.
    if started.is_ok() {
        set(level, format);
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Whether this is a process whose end is told in its log.
static HAS_LAST_WORD: AtomicBool = AtomicBool::new(false);

/// From now on the log is all that this process says on standard error.
pub(super) fn has_the_last_word() {
    HAS_LAST_WORD.store(true, Ordering::Relaxed);
}

/// Logs why the process ends, where whoever reads the log reads objects only. False if that is to be told
/// in words.
pub(super) fn last_word(why: &str, code: u8) -> bool {
    let is_read = IS_JSON.load(Ordering::Relaxed) && log::log_enabled!(log::Level::Error);
    let is_told = is_read && HAS_LAST_WORD.load(Ordering::Relaxed);
    if is_told {
        log::error!(error = why, code; "ended");
    }
    is_told
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

/// What stands in front of each line that says in words why a process ended.
pub(super) fn last_mark() -> &'static str {
    if is_journal() { mark(log::Level::Error) } else { "" }
}

/// How grave a line is, for the journal, which takes it off. Source: sd-daemon(3).
const fn mark(level: log::Level) -> &'static str {
    match level {
        log::Level::Error => "<3>",
        log::Level::Warn => "<4>",
        log::Level::Info => "<6>",
        log::Level::Debug | log::Level::Trace => "<7>",
    }
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
        Some(place) => log::error!(thread = name, at:% = place, message = what; "panicked"),
        None => log::error!(thread = name, message = what; "panicked"),
    }
}

/// One record as it is written; without a time for those who have it.
fn line(now: Option<Wall>, is_json: bool, record: &Record<'_>) -> String {
    let mut line = Line { text: String::new(), is_json, is_cut: false };
    if let Some(now) = now {
        line.field("time", &format_args!("{:.3}", now.timestamp()), false);
    }
    line.field("level", &level_name(record.level()), false);
    line.field("msg", record.args(), false);
    // Nothing here fails; what has no room is told by `cut`.
    let _visited = record.key_values().visit(&mut line);
    line.end()
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

/// A line that is being written: fields, as many as its limit has room for.
struct Line {
    text: String,
    is_json: bool,
    is_cut: bool,
}

/// Room that a field's key is only begun with: for what stands around it, and any number. So no number
/// is ever cut, which would make another one of it.
const FIELD_BYTES: usize = 64;

/// Room that is kept behind each character: for the longest escape and for the end of a line that is cut.
const END_BYTES: usize = "\\u2028\",\"cut\":true}\n".len();

impl Line {
    /// Adds a field. In JSON a value that `is_bare`, a number or a boolean, has no quotes; else one that
    /// needs none.
    fn field(&mut self, key: &str, value: &dyn Display, is_bare: bool) {
        self.is_cut |= self.text.len() + key.len() + FIELD_BYTES + END_BYTES > LOG_LINE_BYTES_MAX;
        if self.is_cut {
            return;
        }
        let is_first = self.text.is_empty();
        self.text.push_str(match (self.is_json, is_first) {
            (true, true) => "{\"",
            (true, false) => ",\"",
            (false, true) => "",
            (false, false) => " ",
        });
        // Ours are words; those of other crates may be anything.
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        self.text.extend(key.chars().map(word));
        self.text.push_str(if self.is_json { "\":" } else { "=" });
        let start = self.text.len();
        self.text.push('"');
        // The writer fails where the limit is reached, which ends the formatting of a huge value early.
        self.is_cut = write!(self, "{value}").is_err();
        let written = self.text.get(start + 1..).unwrap_or_default();
        let needs_none = !written.is_empty() && written.chars().all(is_plain);
        if if self.is_json { is_bare } else { needs_none } {
            self.text.remove(start);
        } else {
            self.text.push('"');
        }
    }

    fn end(mut self) -> String {
        let (cut, end) = if self.is_json { (",\"cut\":true", "}\n") } else { (" cut=true", "\n") };
        if self.is_cut {
            self.text.push_str(cut);
        }
        self.text.push_str(end);
        self.text
    }
}

/// Whether a value of such characters needs no quotes in logfmt.
fn is_plain(c: char) -> bool {
    !matches!(c, '=' | '"' | '\\') && (c.is_ascii_graphic() || c.is_alphabetic())
}

impl<'kvs> VisitSource<'kvs> for Line {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let is_bare = value.to_i128().is_some() || value.to_bool().is_some();
        self.field(key.as_str(), &value, is_bare);
        Ok(())
    }
}

/// Writes what stands in quotes, up to the limit: with control characters, line separators and marks
/// that turn the direction of text escaped, in the way that JSON and readers of logfmt know.
impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| self.write_char(c))
    }

    fn write_char(&mut self, c: char) -> fmt::Result {
        if self.text.len() + END_BYTES > LOG_LINE_BYTES_MAX {
            return Err(fmt::Error);
        }
        let forges = matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match c {
            '"' | '\\' => self.text.extend(['\\', c]),
            '\n' => self.text.push_str("\\n"),
            '\r' => self.text.push_str("\\r"),
            '\t' => self.text.push_str("\\t"),
            // All of these are in the first plane, where one such escape is enough.
            _ if c.is_control() || forges => write!(self.text, "\\u{:04x}", u32::from(c))?,
            _ => self.text.push(c),
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "../../tests/cluster/lines.rs"]
mod lines;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const NOW: Wall = Wall(1_700_000_000_123);

    /// A record with these fields, as logfmt and as JSON.
    fn both(phrase: fmt::Arguments<'_>, fields: &[(&str, Value<'_>)]) -> [String; 2] {
        let mut record = Record::builder();
        let record = record.level(log::Level::Warn).args(phrase).key_values(&fields).build();
        [false, true].map(|is_json| line(Some(NOW), is_json, &record))
    }

    #[test]
    fn journal_is_told_no_time() {
        let record = Record::builder().args(format_args!("stopped")).build();
        assert_eq!(line(None, false, &record), "level=info msg=stopped\n");
    }

    #[test]
    fn journal_is_told_how_grave_a_line_is() {
        let marks = log::Level::iter().map(mark).collect::<Vec<_>>();
        assert_eq!(marks, ["<3>", "<4>", "<6>", "<7>", "<7>"]);
    }

    fn check(fields: &[(&str, Value<'_>)], logfmt: &str, json: &str) {
        let lines = both(format_args!("lease expired"), fields);
        assert_eq!(
            lines,
            [
                format!("time=2023-11-14T22:13:20.123Z level=warn msg=\"lease expired\"{logfmt}\n"),
                format!(
                    "{{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warn\",\
                     \"msg\":\"lease expired\"{json}}}\n"
                ),
            ]
        );
    }

    #[test]
    fn journal_known_by_device_and_inode_of_standard_error() {
        assert!(names("8:1234", 8, 1234));
        for other in ["8:1235", "9:1234", "8", "", ":", "8:1234:1", " 8:1234"] {
            assert!(!names(other, 8, 1234), "{other}");
        }
    }

    #[test]
    fn line_has_time_level_phrase_and_fields() {
        check(&[], "", "");
        check(
            &[
                ("user", "ann".into()),
                ("held_ms", 5003.into()),
                ("left", (-1).into()),
                ("most", u64::MAX.into()),
                ("is_late", true.into()),
                ("number_like", "17".into()),
            ],
            " user=ann held_ms=5003 left=-1 most=18446744073709551615 is_late=true number_like=17",
            ",\"user\":\"ann\",\"held_ms\":5003,\"left\":-1,\"most\":18446744073709551615,\
             \"is_late\":true,\"number_like\":\"17\"",
        );
    }

    #[test]
    fn value_is_quoted_where_it_would_not_read_back() {
        for (value, logfmt) in [
            ("ann", "ann"),
            ("[::1]:8080,/a_b-c;d'e", "[::1]:8080,/a_b-c;d'e"),
            ("größe", "größe"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("a=b", "\"a=b\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
            ("a\\b", "\"a\\\\b\""),
            ("a\u{a0}b", "\"a\u{a0}b\""),
            ("🐦", "\"🐦\""),
        ] {
            let json = serde_json::to_string(value).unwrap();
            check(&[("a", value.into())], &format!(" a={logfmt}"), &format!(",\"a\":{json}"));
        }
        // A phrase of one word, and of a crate that knows no fields.
        let [logfmt, json] = both(format_args!("stopped"), &[]);
        assert!(logfmt.ends_with(" level=warn msg=stopped\n"), "{logfmt}");
        assert!(json.ends_with(",\"level\":\"warn\",\"msg\":\"stopped\"}\n"), "{json}");
    }

    #[test]
    fn key_of_another_crate_forges_no_field() {
        check(&[("a b=\"c\n", 1.into())], " a_b__c_=1", ",\"a_b__c_\":1");
    }

    #[test]
    fn s45_line_with_line_ends_stays_one() {
        let escaped = r#"x\r\n\ttime=2026 level=info msg=\"signed in\" \u2028\u202e\u001b[2J"#;
        check(
            &[(
                "a",
                "x\r\n\ttime=2026 level=info msg=\"signed in\" \u{2028}\u{202e}\u{1b}[2J".into(),
            )],
            &format!(" a=\"{escaped}\""),
            &format!(",\"a\":\"{escaped}\""),
        );
    }

    /// Both lines of a record, each read back in full.
    fn read_back(phrase: &str, fields: &[(&str, Value<'_>)]) -> [BTreeMap<String, String>; 2] {
        let [logfmt, json] = both(format_args!("{phrase}"), fields);
        for text in [&logfmt, &json] {
            assert!(text.len() <= LOG_LINE_BYTES_MAX, "{}", text.len());
            let bare = text.strip_suffix('\n').unwrap();
            assert!(!bare.contains(|c: char| c.is_control() || c == '\u{202e}'), "{bare}");
            let is_full = text.len() > LOG_LINE_BYTES_MAX - FIELD_BYTES - 2 * END_BYTES;
            assert!(is_full || !text.contains("cut"), "{}", text.len());
        }
        [lines::logfmt(&logfmt).unwrap(), lines::json(&json).unwrap()]
    }

    #[test]
    fn s45_line_too_long_cut_within_limit() {
        for unit in ["x", "é\u{7}", "\"", "\\", "\u{2028}", "🐦", "a b="] {
            let long = unit.repeat(LOG_LINE_BYTES_MAX);
            for phrase in ["phrase", &long] {
                let fields = [("user", "ann".into()), ("a", long.as_str().into()), ("b", 1.into())];
                for read in read_back(phrase, &fields) {
                    assert_eq!(read["cut"], "true");
                    assert_eq!(read.contains_key("a"), phrase != long);
                    assert!(!read.contains_key("b"));
                    assert!(long.starts_with(read.get("a").unwrap_or(&read["msg"])));
                }
            }
        }
    }

    #[test]
    fn line_of_any_length_reads_back_and_no_number_is_cut() {
        for length in LOG_LINE_BYTES_MAX - 400..LOG_LINE_BYTES_MAX {
            let pad = "p".repeat(length);
            let fields =
                [("a", pad.as_str().into()), ("n", u64::MAX.into()), ("m", i64::MIN.into())];
            for read in read_back("phrase", &fields) {
                assert!(read.get("n").is_none_or(|n| *n == u64::MAX.to_string()), "{length}");
                assert!(read.get("m").is_none_or(|m| *m == i64::MIN.to_string()), "{length}");
                assert_ne!(read.contains_key("m"), read.contains_key("cut"), "{length}");
            }
        }
    }

    #[test]
    fn hostile_texts_read_back_as_they_were() {
        for hostile in [
            "x\r\n\"\\ \u{2028}\u{202e}\u{1b}[2J é",
            "a\" level=error msg=\"panicked",
            "a\",\"level\":\"error",
            "\\",
            "\\\"",
            "\\n",
            "",
            " ",
            "=",
        ] {
            for mut read in read_back(hostile, &[("user", hostile.into()), ("n", 1.into())]) {
                assert_eq!(read.remove("time").unwrap(), "2023-11-14T22:13:20.123Z");
                let said: Vec<_> =
                    read.iter().map(|(key, it)| (key.as_str(), it.as_str())).collect();
                let expected = [("level", "warn"), ("msg", hostile), ("n", "1"), ("user", hostile)];
                assert_eq!(said, expected);
            }
        }
    }
}
