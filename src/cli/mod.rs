//! The command line: what an operator types becomes a checked configuration, then running parts.
//!
//! - `args` reads strings, `config` makes values of them; nothing past `cli` sees a string that was
//!   not checked, and all that can be checked is checked before the first thread starts.
//! - Each sub-command has a file that builds its parts, owns their threads and stops them in order.
//! - `Stop` is closed by a signal, by the end of the parent, or by a part that failed; never by a
//!   destructor.

mod args;
mod backend;
mod backup;
mod check;
mod cluster;
mod config;
mod configure;
mod descriptors;
#[cfg(test)]
mod document;
mod error;
mod health;
mod key;
mod logging;
mod memory;
mod metrics;
mod notify;
mod origin;
mod owner;
mod parent;
mod print;
mod probe;
mod reload;
mod run_cluster;
mod serve;
mod signal;
#[cfg(any(test, fuzzing))]
pub(crate) mod trial;
mod user;
mod watchdog;
mod web;

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

pub use backup::BackupCommandError;
pub use check::CheckError;
pub use cluster::ClusterError;
pub use config::ConfigError;
pub use error::CliError;
pub use run_cluster::RunClusterError;
pub use user::import::ImportError;

use args::{RawCommon, RawConfig};
use config::layers::{Environment, Layers, Values};
use config::setting::Role;
use config::{Config, Logging};
use parking_lot::Mutex;
use reload::Reload;

/// Runs the command that `args` spells, program name first, until it is done or told to stop. One that was
/// asked for JSON and has told nothing when it fails tells why as JSON.
///
/// # Errors
/// [`CliError`], which knows its exit code and how to report itself.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<(), CliError> {
    signal::defy_file_limits();
    let args: Vec<OsString> = args.into_iter().collect();
    let is_json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    let done = run_typed(args);
    if let Err(error) = &done
        && is_json
        && !matches!(error, CliError::Usage(_))
        && !ANSWERED.load(Ordering::Relaxed)
    {
        let why = serde_json::Value::from(error.chain());
        // Standard error says it too, and the exit code.
        let _told = write_out(&format!("{{\"error\":{why}}}"));
    }
    done
}

/// Whether something was told on standard output.
static ANSWERED: AtomicBool = AtomicBool::new(false);

fn run_typed(args: Vec<OsString>) -> Result<(), CliError> {
    let environment = |name: &str| std::env::var_os(name);
    let line = args::parse(args.clone(), &[])?;
    if let Some((role, typed)) = line.command.settings() {
        let typed = typed.and(&line.common.typed);
        let file = configure::read(&line.common, &environment).map_err(CliError::faults)?;
        let layers = Layers { file: &file, environment: &environment, typed: &typed };
        return command(role, &layers, &line.common);
    }
    match line.command {
        RawConfig::Man => print::man(),
        RawConfig::Completions(raw) => print::completions(&raw.shell),
        RawConfig::Config(raw) => configure::run(raw, &line.common, &environment),
        _ => ask(args, &line.common, &environment),
    }
}

/// A command with settings.
fn command(role: Role, layers: &Layers<'_>, common: &RawCommon) -> Result<(), CliError> {
    let values = backend::as_set_up(layers.resolve(role)?)?;
    let config = config::check(&values)?;
    begin(&values)?;
    logging::has_the_last_word();
    notify::start(&|name| std::env::var_os(name));
    if let Some(path) = layers.file.path() {
        let (path, count) = (path.display(), layers.file.len());
        log::info!(path:%, settings = count; "configuration read");
    }
    for name in configure::strangers(std::env::vars_os().map(|(name, _)| name)) {
        log::warn!(variable:% = name; "variable is no setting of this program");
    }
    let reload = Reload { common, typed: layers.typed, now: Mutex::new(values) };
    let again = || reload.run();
    match config {
        Config::Serve(config) => {
            origin::of(&config.site, &config.listen)?;
            serve::run(&config, &again)
        }
        Config::Backend(config) => backend::run(&config, &again),
        Config::Web(config) => web::run(&config, &again),
        Config::RunCluster(config) => {
            origin::of(&config.site, &config.listen)?;
            run_cluster::run(&config, &again)
        }
    }
}

/// A command that asks a running cluster: of the configuration it takes where the data and the key
/// are, and how the log is written.
fn ask(
    args: Vec<OsString>,
    common: &RawCommon,
    environment: Environment<'_>,
) -> Result<(), CliError> {
    let file = configure::read(common, environment).map_err(CliError::faults)?;
    let layers = Layers { file: &file, environment, typed: &common.typed };
    begin(&layers.resolve(Role::Backend)?)?;
    let key = configure::secret(&layers)?;
    match args::parse(args, &configure::defaults(&layers)?)?.command {
        RawConfig::Cluster(raw) => cluster::run(&cluster::Cluster::check(raw, key)?),
        RawConfig::User(raw) => user::run(&user::User::check(raw, key)?),
        RawConfig::Invite(raw) => user::invite::run(&user::invite::Invite::check(raw, key)?),
        RawConfig::Import(raw) => user::import::run(&user::import::Import::check(raw, key)?),
        RawConfig::Backup(raw) => backup::run(&backup::Backup::check(raw, key)?),
        RawConfig::Check(raw) => check::run(&raw),
        RawConfig::Health(raw) => health::run(&raw, &layers),
        // These were looked at before.
        _ => Ok(()),
    }
}

/// What every command does before anything else.
fn begin(values: &Values) -> Result<(), CliError> {
    let Logging { level, format } = Logging::check(values)?;
    logging::start(level, format);
    descriptors::raise();
    Ok(())
}

/// Tells the operator, or the script that started a server, one thing: a line on standard output,
/// flushed. A reader that went away is no reason to stop serving.
fn say(line: &str) {
    if let Err(error) = write_out(line) {
        log::warn!(error:%; "standard output is closed");
    }
}

/// Tells what a command was asked for. One whose answer nobody has has failed; a reader that has read
/// enough, as `head` has, takes nothing from it.
///
/// # Errors
/// [`CliError::Output`].
fn answer(text: &str) -> Result<(), CliError> {
    match write_out(text) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => Err(CliError::Output { source }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Tells what is told once: all of it in one piece, and nobody's reading it is a failure too. `lost` says
/// what is there nevertheless, and what to do about it.
///
/// # Errors
/// [`CliError::Untold`].
fn answer_once(text: &str, lost: impl FnOnce() -> String) -> Result<(), CliError> {
    let nowhere = || io::Error::other("standard output is closed, or /dev/null");
    let told = if is_nowhere() { Err(nowhere()) } else { write_out(text) };
    told.map_err(|source| CliError::Untold { lost: lost(), source })
}

/// Tells that something is done that is not done twice. Nobody's having heard it does not undo it, so it is
/// said again beside the failure.
///
/// # Errors
/// [`CliError::Untold`].
fn answer_done(text: &str, done: &str) -> Result<(), CliError> {
    match write_out(text) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => {
            let lost = format!("{done}, but standard output cannot be written");
            Err(CliError::Untold { lost, source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whether standard output is the null device, which is also what a closed one is opened as when a program
/// starts.
fn is_nowhere() -> bool {
    let is_null = |out: rustix::fs::Stat| {
        // Two devices that are named alike are one.
        rustix::fs::stat("/dev/null")
            .is_ok_and(|null| (out.st_mode, out.st_rdev) == (null.st_mode, null.st_rdev))
    };
    rustix::fs::fstat(io::stdout()).is_ok_and(is_null)
}

/// What a stranger may have written, as a name of a file is: as it is, but nothing of it steers a terminal.
fn harmless(text: &str) -> String {
    let turns = |c| matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut shown = String::new();
    for c in text.chars() {
        if c.is_control() || turns(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

fn write_out(text: &str) -> io::Result<()> {
    ANSWERED.store(true, Ordering::Relaxed);
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
