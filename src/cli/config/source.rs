//! Where a value comes from: a default, a line of the file, the environment or the command line.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use super::error::ConfigError;
use crate::limits::CONFIG_SHOWN_CHARS_MAX;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: the program has it.
    Default,
    /// In a configuration file.
    File {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// With the section before it, if it stands in one.
        key: String,
    },
    /// In the environment.
    Variable(String),
    /// On the command line, under this name or that of a command.
    Flag(String),
    /// In the data directory, as this machine was set up.
    Directory(PathBuf),
}

/// A value and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::cli) struct Given {
    pub(in crate::cli) at: Source,
    pub(in crate::cli) text: OsString,
    /// Whether it is a secret itself, and not the file that holds it.
    pub(in crate::cli) is_secret: bool,
}

impl Given {
    /// A value that may be shown.
    pub(in crate::cli) fn new(at: Source, text: impl AsRef<OsStr>) -> Self {
        Self { at, text: text.as_ref().to_owned(), is_secret: false }
    }

    /// The value as text.
    ///
    /// # Errors
    /// When it is none.
    pub(in crate::cli) fn text(&self) -> Result<&str, ConfigError> {
        self.text.to_str().ok_or_else(|| ConfigError::NotText { at: self.at.clone() })
    }

    /// The value as it may be shown.
    pub(in crate::cli) fn masked(&self) -> String {
        if self.is_secret { "***".to_owned() } else { self.text.to_string_lossy().into_owned() }
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.at, self.masked())
    }
}

impl From<&str> for Source {
    fn from(flag: &str) -> Self {
        Self::Flag(flag.to_owned())
    }
}

impl From<&Self> for Source {
    fn from(at: &Self) -> Self {
        at.clone()
    }
}

/// The name under which the value stands there.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, key } => write!(f, "{} line {line}: {key}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Directory(path) => path.display().fmt(f),
            // A command's own words stand as they are.
            Self::Flag(name) if name.contains(' ') => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// What was given, as it can stand in a message of one line: hostile values are cut and escaped.
pub(in crate::cli) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(CONFIG_SHOWN_CHARS_MAX) {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    if text.chars().nth(CONFIG_SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_shown_are_short_and_on_one_line() {
        assert_eq!(shown("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        let long = shown(&"é".repeat(1_000_000));
        assert_eq!(long.chars().count(), CONFIG_SHOWN_CHARS_MAX + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn secrets_have_no_debug() {
        let at = Source::Variable("TERN_KEY".to_owned());
        let secret = Given { is_secret: true, ..Given::new(at, "abc") };
        assert_eq!(format!("{secret:?}"), "TERN_KEY=***");
        assert_eq!(secret.masked(), "***");
    }
}
