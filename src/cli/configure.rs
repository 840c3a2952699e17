//! `tern config check` and `tern config show`: what a configuration says, and whether it can be used.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::args::{ANY, Flags, RawCommon};
use super::config::file::{ConfigFile, DEFAULT_PATH};
use super::config::layers::{Environment, Layers, Values};
use super::config::setting::{self, Kind, Role, SETTINGS, Setting};
use super::config::{Config, ConfigError, Given, Key, Logging, Source, check, check_each};
use super::error::CliError;
use super::{answer, backend, origin};

/// The environment's name for the configuration file.
const FILE_VARIABLE: &str = "TERN_CONFIG";
/// What the names of all variables begin with.
const PREFIX: &str = "TERN_";

/// What is asked of the configuration, as it was typed.
#[derive(Debug, Subcommand)]
pub(super) enum RawConfigure {
    /// Say what is wrong, if anything: exit code 0 or 2
    ///
    /// Without COMMAND each value is looked at by itself. With one, also whether the command could be
    /// started with them.
    Check(RawLook),
    /// Show each value that holds, and where it stands; secrets as ***
    Show(RawLook),
}

/// Which configuration.
#[derive(Debug, Args)]
pub(super) struct RawLook {
    /// Of one command alone: serve, backend, web or run-cluster
    #[arg(value_name = "COMMAND", value_parser = ["serve", "backend", "web", "run-cluster"])]
    command: Option<String>,
    /// JSON instead of lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags<ANY>,
}

/// The file that holds, by what was typed and exported; whether it must be there.
fn which(common: &RawCommon, environment: Environment<'_>) -> Option<(PathBuf, bool)> {
    let named = common.config.clone().or_else(|| environment(FILE_VARIABLE).map(PathBuf::from));
    match named {
        // An empty name stands for no file at all.
        Some(path) if path.as_os_str().is_empty() => None,
        Some(path) => Some((path, true)),
        None => Some((PathBuf::from(DEFAULT_PATH), false)),
    }
}

/// Reads the configuration file.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn read(
    common: &RawCommon,
    environment: Environment<'_>,
) -> Result<ConfigFile, Vec<ConfigError>> {
    let Some((path, must_exist)) = which(common, environment) else {
        return Ok(ConfigFile::default());
    };
    ConfigFile::read(&path, must_exist)
}

/// What holds for flags of commands without settings of their own: where a backend's files are, where the
/// key is, and the site's address.
///
/// # Errors
/// When a secret and its file are both given in one place.
pub(super) fn defaults(layers: &Layers<'_>) -> Result<Vec<(&'static str, OsString)>, ConfigError> {
    let values = layers.resolve(Role::Backend)?;
    // On a single machine they may stand under `[serve]`.
    let (site, alone) = (layers.resolve(Role::Web)?, layers.resolve(Role::Serve)?);
    let of = |values: &Values, name: &str| {
        let given = values.get(name)?;
        let is_given = given.at != Source::Default && !given.is_secret;
        is_given.then(|| given.text.clone())
    };
    let found = [
        ("data", of(&values, "data").or_else(|| of(&alone, "data"))),
        ("key_file", of(&values, "key")),
        ("origin", of(&site, "origin").or_else(|| of(&alone, "origin"))),
    ];
    Ok(found.into_iter().filter_map(|(name, text)| Some((name, text?))).collect())
}

/// The key of the same commands, where it was given itself. It goes by no flag: others see what is typed.
///
/// # Errors
/// As [`defaults`].
pub(super) fn secret(layers: &Layers<'_>) -> Result<Option<Key>, ConfigError> {
    Key::secret(&layers.resolve(Role::Backend)?)
}

/// Variables that look like settings and are none: perhaps misspelt.
pub(super) fn strangers(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let is_known = |name: &str| {
        let known = |setting: &Setting| {
            let own = setting.variable();
            name == own || (setting.kind == Kind::Secret && name == format!("{own}_FILE"))
        };
        name == FILE_VARIABLE || SETTINGS.iter().any(known)
    };
    let names = names.filter_map(|name| name.into_string().ok());
    let mut found: Vec<_> =
        names.filter(|name| name.starts_with(PREFIX) && !is_known(name)).collect();
    found.sort_unstable();
    found
}

/// Runs the command.
///
/// # Errors
/// [`CliError::Faults`] when something is wrong.
pub(super) fn run(
    command: RawConfigure,
    common: &RawCommon,
    environment: Environment<'_>,
) -> Result<(), CliError> {
    let (look, is_check) = match command {
        RawConfigure::Check(look) => (look, true),
        RawConfigure::Show(look) => (look, false),
    };
    let RawLook { command, json, flags: Flags(typed) } = look;
    let only = command.as_deref().and_then(Role::named);
    let typed = typed.and(&common.typed);
    let path = which(common, environment).map(|(path, _)| path);
    let file =
        read(common, environment).map_err(|faults| refuse(&faults, json, path.as_deref()))?;
    let layers = Layers { file: &file, environment, typed: &typed };
    let (values, faults) = look_at(&layers, only, is_check);
    let strangers = strangers(std::env::vars_os().map(|(name, _)| name));
    if !is_check {
        answer(&if json { show_json(&file, &values) } else { show(&file, &values) })?;
        let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
        return if texts.is_empty() { Ok(()) } else { Err(CliError::Faults(texts)) };
    }
    if !faults.is_empty() {
        return Err(refuse(&faults, json, path.as_deref()));
    }
    answer(&checked(&file, &strangers, json))
}

/// The values of the commands, and all that is wrong with them, each told once.
fn look_at(
    layers: &Layers<'_>,
    only: Option<Role>,
    is_check: bool,
) -> (Vec<Values>, Vec<ConfigError>) {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for role in Role::ALL.into_iter().filter(|role| only.is_none_or(|only| only == *role)) {
        match layers.resolve(role).and_then(backend::as_set_up) {
            Ok(values) => {
                faults.extend(check_each(&values));
                found.push(values);
            }
            Err(error) => faults.push(error),
        }
    }
    let is_whole = is_check && faults.is_empty();
    if let (Some(_), [values], true) = (only, found.as_slice(), is_whole) {
        faults.extend(startable(values).err());
    }
    let mut told = Vec::new();
    faults.retain(|fault| {
        let is_new = !told.contains(fault);
        told.push(fault.clone());
        is_new
    });
    (found, faults)
}

/// Whether a command could be started with these values, as far as that shows without starting it.
///
/// # Errors
/// The first that cannot be used.
pub(super) fn startable(values: &Values) -> Result<(), ConfigError> {
    Logging::check(values)?;
    let (site, listen) = match check(values)? {
        Config::Serve(config) => (config.site, config.listen),
        Config::Web(config) => (config.site, config.listen),
        Config::RunCluster(config) => (config.site, config.listen),
        Config::Backend(_) => return Ok(()),
    };
    match origin::of(&site, &listen) {
        // A name that nobody knows just now is no fault of the configuration.
        Ok(_) | Err(CliError::System { .. }) => Ok(()),
        Err(error) => {
            let at = values.get("listen").map_or(Source::Default, |given| given.at.clone());
            let why = match error {
                CliError::Origin(why) => why.to_string(),
                error => error.to_string(),
            };
            Err(ConfigError::Origin { at, why })
        }
    }
}

fn refuse(faults: &[ConfigError], json: bool, path: Option<&Path>) -> CliError {
    let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
    if json {
        let path = path.map(|path| path.display().to_string());
        let told = json!({ "ok": false, "file": path, "faults": texts }).to_string();
        if let Err(error) = answer(&told) {
            return error;
        }
    }
    CliError::Faults(texts)
}

/// Says that nothing is wrong, and which variables are no settings, for they may be misspelt.
fn checked(file: &ConfigFile, strangers: &[String], json: bool) -> String {
    let path = file.path().map(|path| path.display().to_string());
    if json {
        let faults: [&str; 0] = [];
        let unknown = json!(strangers);
        return json!({ "ok": true, "file": path, "faults": faults, "unknown_variables": unknown })
            .to_string();
    }
    let first = match path {
        Some(path) => format!("{path}: {} settings, nothing wrong", file.len()),
        None => "no configuration file, nothing wrong".to_owned(),
    };
    let stranger = |name| format!("{name} is in the environment, and no setting of this program");
    let lines: Vec<_> = [first].into_iter().chain(strangers.iter().map(stranger)).collect();
    lines.join("\n")
}

/// Where a value stands, in few words.
fn place(at: &Source) -> String {
    match at {
        Source::File { path, line, .. } => format!("{} line {line}", path.display()),
        at => at.to_string(),
    }
}

/// As a configuration file would say it, a section a command.
fn show(file: &ConfigFile, all: &[Values]) -> String {
    let mut lines = vec![match file.path() {
        Some(path) => format!("# configuration file: {}", path.display()),
        None => "# no configuration file".to_owned(),
    }];
    for values in all {
        lines.push(format!("\n[{}]", values.role().name()));
        for setting in setting::of(values.role()) {
            let line = if let Some(given) = values.get(setting.name) {
                let key = key_of(setting, given);
                format!("{key} = {}  # {}", quoted(&given.masked()), place(&given.at))
            } else {
                let words = setting.default_words().unwrap_or("not set, and needed");
                format!("# {}: {words}", key_of_unset(setting))
            };
            lines.push(line);
        }
    }
    lines.join("\n")
}

fn key_of(setting: &Setting, given: &Given) -> String {
    let is_file = setting.kind == Kind::Secret && !given.is_secret;
    format!("{}{}", setting.key(), if is_file { "_file" } else { "" })
}

fn key_of_unset(setting: &Setting) -> String {
    let end = if setting.kind == Kind::Secret { "_file" } else { "" };
    format!("{}{end}", setting.key())
}

/// A text as TOML has it; JSON's escapes are among those of TOML.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn show_json(file: &ConfigFile, all: &[Values]) -> String {
    let path = file.path().map(|path| path.display().to_string());
    let settings = all.iter().flat_map(|values| {
        setting::of(values.role()).map(|setting| match values.get(setting.name) {
            Some(given) => json!({
                "command": values.role().name(),
                "key": key_of(setting, given),
                "value": given.masked(),
                "source": place(&given.at),
            }),
            None => json!({
                "command": values.role().name(),
                "key": key_of_unset(setting),
                "value": null,
                "source": "default",
                "default": setting.default_words(),
            }),
        })
    });
    json!({ "file": path, "settings": settings.collect::<Vec<_>>() }).to_string()
}
