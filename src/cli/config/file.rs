//! The configuration file: TOML, a key a setting. What stands under a command's name is for that
//! command alone; what stands at the top is for all but `tern run-cluster`, which is for trying and
//! must not find the data of a real machine.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::setting::{self, Kind, Role, SETTINGS, Setting};
use super::source::{Given, Source, shown};
use crate::limits::{CONFIG_FAULTS_MAX, CONFIG_FILE_BYTES_MAX};

/// Where the file is, unless another is named.
pub(in crate::cli) const DEFAULT_PATH: &str = "/etc/tern/tern.toml";
/// Permission bits of those who are neither the file's owner nor of its group.
const MODE_OTHERS: u32 = 0o007;

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct ConfigFile {
    /// Which; none where there is none.
    path: Option<PathBuf>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// The command whose section it stands in.
    section: Option<Role>,
    /// The setting's name.
    name: &'static str,
    given: Given,
}

impl ConfigFile {
    /// Which it is, if there is one.
    pub(in crate::cli) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// How many values it sets.
    pub(in crate::cli) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Its value of a setting for a command.
    pub(super) fn get(&self, role: Role, setting: &Setting) -> Option<Given> {
        let named =
            |section| move |entry: &&Entry| entry.section == section && entry.name == setting.name;
        let own = self.entries.iter().find(named(Some(role)));
        let all = || self.entries.iter().find(named(None)).filter(|_| role != Role::RunCluster);
        Some(own.or_else(all)?.given.clone())
    }

    /// Reads a file; the default one may lack.
    ///
    /// # Errors
    /// All that is wrong with it, up to a limit; never nothing.
    pub(in crate::cli) fn read(path: &Path, must_exist: bool) -> Result<Self, Vec<ConfigError>> {
        let file = match open(path) {
            Ok(file) => file,
            Err(ErrorKind::NotFound) if !must_exist => return Ok(Self::default()),
            Err(why) => {
                return Err(vec![ConfigError::Unreadable { path: path.to_owned(), why }]);
            }
        };
        let (text, mode) = text_of(&file, path).map_err(|error| vec![error])?;
        let found = Self::parse(path, &text)?;
        if mode & MODE_OTHERS != 0 && found.entries.iter().any(|entry| entry.given.is_secret) {
            return Err(vec![ConfigError::Open { path: path.to_owned() }]);
        }
        Ok(found)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(in crate::cli) fn parse(path: &Path, text: &str) -> Result<Self, Vec<ConfigError>> {
        let mut reading = Reading { path, text, entries: Vec::new(), faults: Vec::new() };
        match DeTable::parse(text) {
            Ok(table) => reading.table(None, table.get_ref()),
            Err(error) => reading.syntax(&error),
        }
        if reading.faults.is_empty() {
            return Ok(Self { path: Some(path.to_owned()), entries: reading.entries });
        }
        Err(reading.faults)
    }
}

/// Opens what is at the path without waiting for the other end of a pipe.
fn open(path: &Path) -> Result<File, ErrorKind> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    opened.map_err(|error| error.kind())
}

/// The text of an open file, and its permission bits.
fn text_of(file: &File, path: &Path) -> Result<(String, u32), ConfigError> {
    let own = || path.to_owned();
    let unreadable =
        |error: std::io::Error| ConfigError::Unreadable { path: own(), why: error.kind() };
    let about = file.metadata().map_err(unreadable)?;
    let kind = about.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() {
            "directory"
        } else if kind.is_fifo() {
            "pipe"
        } else {
            "device"
        };
        return Err(ConfigError::NotFile { path: own(), what });
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(CONFIG_FILE_BYTES_MAX).unwrap_or(u64::MAX);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > CONFIG_FILE_BYTES_MAX {
        return Err(ConfigError::TooLarge { path: own() });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::FileNotText { path: own(), line }
    })?;
    Ok((text, about.permissions().mode()))
}

/// A file that is being understood.
struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
    entries: Vec<Entry>,
    faults: Vec<ConfigError>,
}

impl Reading<'_> {
    fn fault(&mut self, fault: ConfigError) {
        self.faults.push(fault);
    }

    fn syntax(&mut self, error: &toml::de::Error) {
        let at = error.span().map_or(self.text.len(), |span| span.start);
        let before = self.text.get(..at).unwrap_or(self.text);
        let begun = before.rsplit('\n').next().unwrap_or_default();
        let (line, column) = (self.line(at), begun.chars().count() + 1);
        let what = shown(error.message());
        self.fault(ConfigError::Syntax { path: self.path.to_owned(), line, column, what });
    }

    /// The line on which a byte stands.
    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    fn unknown(&mut self, line: usize, what: String) {
        self.fault(ConfigError::Unknown { path: self.path.to_owned(), line, what });
    }

    fn table(&mut self, section: Option<Role>, table: &DeTable<'_>) {
        for (key, value) in table {
            if self.faults.len() >= CONFIG_FAULTS_MAX {
                return;
            }
            let (name, line) = (key.get_ref().as_ref(), self.line(key.span().start));
            match (value.get_ref(), Role::named(name)) {
                (DeValue::Table(inner), Some(role)) if section.is_none() => {
                    self.table(Some(role), inner);
                }
                (DeValue::Array(_), Some(role)) if section.is_none() => {
                    let name = role.name();
                    let what = format!(
                        "[[{name}]] makes a list of sections, and there is one of each: write [{name}]"
                    );
                    self.unknown(line, what);
                }
                (DeValue::Table(_), None) if section.is_none() => {
                    let what =
                        format!("unknown section [{}]; there are {}", shown(name), sections());
                    self.unknown(line, what);
                }
                _ => self.entry(section, (name, line), value),
            }
        }
    }

    fn entry(&mut self, section: Option<Role>, key: (&str, usize), value: &Spanned<DeValue<'_>>) {
        let (key, line) = key;
        let place = section.map_or_else(String::new, |role| format!("{}.", role.name()));
        let Some((setting, is_secret)) = named(section, key) else {
            let what = unknown_words(section, key);
            return self.unknown(line, what);
        };
        let at = Source::File { path: self.path.to_owned(), line, key: format!("{place}{key}") };
        let text = match text(setting.kind, is_secret, value.get_ref()) {
            Ok(text) => text,
            Err(found) => {
                let allowed = allowed(setting.kind);
                return self.fault(ConfigError::Shape { at, found, allowed });
            }
        };
        let twin = |entry: &&Entry| entry.section == section && entry.name == setting.name;
        if let Some(other) = self.entries.iter().find(twin) {
            let other = other.given.at.to_string();
            return self.fault(ConfigError::Both { at, other });
        }
        let given = Given { is_secret, ..Given::new(at, text) };
        self.entries.push(Entry { section, name: setting.name, given });
    }
}

/// The setting that a key is for, and whether the key bears the secret itself.
fn named(section: Option<Role>, key: &str) -> Option<(&'static Setting, bool)> {
    let fits = |setting: &&Setting| match section {
        Some(role) => setting.roles.contains(&role),
        None => setting.roles.iter().any(|role| *role != Role::RunCluster),
    };
    let mut all = SETTINGS.iter().filter(fits);
    all.find_map(|setting| {
        let own = setting.key();
        match setting.kind {
            Kind::Secret if key == format!("{own}_file") => Some((setting, false)),
            kind if key == own => Some((setting, kind == Kind::Secret)),
            _ => None,
        }
    })
}

fn sections() -> String {
    Role::ALL.map(|role| format!("[{}]", role.name())).join(", ")
}

/// What to say of a key that is none there.
fn unknown_words(section: Option<Role>, key: &str) -> String {
    let of = |role: Role| setting::of(role).find(|setting| setting.key() == key);
    let elsewhere = Role::ALL.into_iter().find(|role| of(*role).is_some());
    let place = section.map_or_else(String::new, |role| format!(" in [{}]", role.name()));
    let key = shown(key);
    if let Some(role) = elsewhere {
        return format!("unknown key {key}{place}; it belongs in [{}]", role.name());
    }
    let near = SETTINGS.iter().map(Setting::key).min_by_key(|name| distance(name, &key));
    let near = near.filter(|name| distance(name, &key) <= 2);
    let hint = near.map(|near| format!("did you mean {near}?"));
    let hint = hint.unwrap_or_else(|| "tern config show lists all".to_owned());
    format!("unknown key {key}{place}; {hint}")
}

/// How many characters must be changed, put in or left out to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut last = i + 1;
        let mut diagonal = i;
        for (cell, to) in row.iter_mut().skip(1).zip(b.chars()) {
            let here = (diagonal + usize::from(from != to)).min(last + 1).min(*cell + 1);
            (diagonal, *cell, last) = (*cell, here, here);
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// What can stand for a setting.
const fn allowed(kind: Kind) -> &'static str {
    if kind.is_list() {
        "a text, or a list of texts,"
    } else if kind.is_switch() {
        "true or false"
    } else if kind.is_number() {
        "a whole number"
    } else {
        "a text in quotes"
    }
}

/// A value as it would be typed; the error says what it is instead.
fn text(kind: Kind, is_secret: bool, value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Boolean(on) if kind.is_switch() => Ok(if *on { "on" } else { "off" }.to_owned()),
        DeValue::Integer(number) if kind.is_number() && !is_secret => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            // What no number holds is outside of every range, and is refused with its range.
            Ok(parsed.map_or_else(|_| number.as_str().to_owned(), |number| number.to_string()))
        }
        DeValue::Array(parts) if kind.is_list() => {
            let text = |part: &Spanned<DeValue<'_>>| match part.get_ref() {
                DeValue::String(text) => Ok(text.clone().into_owned()),
                _ => Err("a list of other things than texts"),
            };
            Ok(parts.iter().map(text).collect::<Result<Vec<_>, _>>()?.join(","))
        }
        DeValue::Boolean(_) => Err("true or false"),
        DeValue::Integer(_) => Err("a number"),
        DeValue::Float(_) => Err("a number that is not whole"),
        DeValue::Array(_) => Err("a list"),
        DeValue::Table(_) => Err("a table"),
        DeValue::Datetime(_) => Err("a date"),
    }
}
