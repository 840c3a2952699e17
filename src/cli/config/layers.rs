//! Which value holds: the command line before the environment before the file before the default.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::error::ConfigError;
use super::file::ConfigFile;
use super::setting::{self, Kind, Role, Setting, Unset};
use super::source::{Given, Source};
use super::value;

/// A lookup in the environment.
pub(in crate::cli) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What was typed: values by the names of their flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct Typed {
    pub(in crate::cli) values: Vec<(String, OsString)>,
    pub(in crate::cli) stop_with_parent: bool,
}

impl Typed {
    /// With what was typed for every command.
    pub(in crate::cli) fn and(&self, common: &Self) -> Self {
        let values = [self.values.clone(), common.values.clone()].concat();
        Self { values, ..*self }
    }
}

/// All that a command is told, each value with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Values {
    role: Role,
    given: BTreeMap<&'static str, Given>,
    stop_with_parent: bool,
}

/// Where values may stand, besides the defaults.
pub(in crate::cli) struct Layers<'a> {
    pub(in crate::cli) file: &'a ConfigFile,
    pub(in crate::cli) environment: Environment<'a>,
    pub(in crate::cli) typed: &'a Typed,
}

impl Layers<'_> {
    /// The values that hold for a command.
    ///
    /// # Errors
    /// When a secret and its file are both given in one place.
    pub(in crate::cli) fn resolve(&self, role: Role) -> Result<Values, ConfigError> {
        let mut given = BTreeMap::new();
        for setting in setting::of(role) {
            let found = match self.typed(setting) {
                Some(typed) => Some(typed),
                None => self.exported(setting)?.map_or_else(|| self.file.get(role, setting), Some),
            };
            if let Some(found) = found.or_else(|| default(setting)) {
                given.insert(setting.name, found);
            }
        }
        Ok(Values { role, given, stop_with_parent: self.typed.stop_with_parent })
    }

    fn typed(&self, setting: &Setting) -> Option<Given> {
        let flag = setting.flag();
        let (_, text) = self.typed.values.iter().find(|(name, _)| *name == flag)?;
        Some(Given::new(Source::Flag(flag), text))
    }

    /// What the environment says; a variable without text says nothing.
    fn exported(&self, setting: &Setting) -> Result<Option<Given>, ConfigError> {
        let get = |name: String| {
            let text = (self.environment)(&name).filter(|text| !text.is_empty())?;
            Some(Given::new(Source::Variable(name), text))
        };
        let own = get(setting.variable());
        if setting.kind != Kind::Secret {
            return Ok(own);
        }
        let file = get(format!("{}_FILE", setting.variable()));
        let own = own.map(|own| Given { is_secret: true, ..own });
        match (own, file) {
            (Some(own), Some(file)) => {
                Err(ConfigError::Both { at: own.at, other: file.at.to_string() })
            }
            (own, file) => Ok(own.or(file)),
        }
    }
}

fn default(setting: &Setting) -> Option<Given> {
    match setting.unset {
        Unset::Is(text) => Some(Given::new(Source::Default, text)),
        Unset::Needed | Unset::Means(_) => None,
    }
}

impl Values {
    /// The command they are for.
    pub(in crate::cli) const fn role(&self) -> Role {
        self.role
    }

    /// Whether standard input tells when to stop.
    pub(super) const fn stop_with_parent(&self) -> bool {
        self.stop_with_parent
    }

    /// Each value that is there, in the order of the table.
    pub(in crate::cli) fn all(&self) -> impl Iterator<Item = (&'static Setting, &Given)> {
        setting::of(self.role).filter_map(|one| Some((one, self.given.get(one.name)?)))
    }

    /// A value, if it is there.
    pub(in crate::cli) fn get(&self, name: &str) -> Option<&Given> {
        self.given.get(name)
    }

    /// With a value that nobody gave.
    pub(in crate::cli) fn or(mut self, name: &'static str, given: Given) -> Self {
        self.given.entry(name).or_insert(given);
        self
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub(super) fn need(&self, name: &'static str) -> Result<&Given, ConfigError> {
        self.get(name).ok_or_else(|| {
            let setting = setting::find(self.role, name);
            let is_secret = setting.is_some_and(|setting| setting.kind == Kind::Secret);
            let (above, below) = if is_secret { ("_FILE", "_file") } else { ("", "") };
            let words = |text: fn(&Setting) -> String| setting.map(text).unwrap_or_default();
            ConfigError::Missing {
                command: self.role.name(),
                flag: words(Setting::flag),
                value: setting.map_or("", |setting| setting.value),
                variable: format!("{}{above}", words(Setting::variable)),
                key: format!("{}{below}", words(Setting::key)),
            }
        })
    }

    /// A value that must be there, as `read` understands its text.
    pub(in crate::cli) fn value<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&Source, &str) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        let given = self.need(name)?;
        read(&given.at, given.text()?)
    }

    /// A value that may lack, as `read` understands its text.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Source, &str) -> Result<T, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        self.get(name).map(|given| read(&given.at, given.text()?)).transpose()
    }

    /// A file or directory, whose name may be no UTF-8.
    pub(super) fn path(&self, name: &'static str) -> Result<PathBuf, ConfigError> {
        value::path(self.need(name)?)
    }
}
