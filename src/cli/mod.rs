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
mod descriptors;
mod error;
mod key;
mod logging;
mod origin;
mod parent;
mod run_cluster;
mod serve;
mod signal;
#[cfg(any(test, fuzzing))]
pub(crate) mod trial;
mod user;
mod web;

use std::ffi::OsString;
use std::io::Write;

pub use backup::BackupCommandError;
pub use check::CheckError;
pub use cluster::ClusterError;
pub use config::ConfigError;
pub use error::CliError;
pub use run_cluster::RunClusterError;
pub use user::import::ImportError;

use config::Config;

/// Runs the command that `args` spells, program name first, until it is done or told to stop.
///
/// # Errors
/// [`CliError`], which knows its exit code and how to report itself.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<(), CliError> {
    let config = config::check(args::parse(args)?)?;
    logging::start(std::env::var_os(logging::LEVEL_VARIABLE))?;
    descriptors::raise();
    match config {
        Config::Serve(config) => {
            origin::of(&config.site, &config.listen)?;
            serve::run(&config)
        }
        Config::Backend(config) => backend::run(&config),
        Config::Web(config) => web::run(&config),
        Config::RunCluster(config) => {
            origin::of(&config.site, &config.listen)?;
            run_cluster::run(&config)
        }
        Config::Cluster(config) => cluster::run(&config),
        Config::User(config) => user::run(&config),
        Config::Invite(config) => user::invite::run(&config),
        Config::Import(config) => user::import::run(&config),
        Config::Backup(config) => backup::run(&config),
        Config::Check(config) => check::run(&config),
    }
}

/// Tells the operator, or the script that started the program, one thing: a line on standard output,
/// flushed. A reader that went away is no reason to stop serving.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
        log::warn!("standard output is closed error={error}");
    }
}
