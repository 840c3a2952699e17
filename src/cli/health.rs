//! `tern health`: asks the web server on this machine how it is, for monitors and images without `curl`.

use clap::Args;

use super::config::layers::Layers;
use super::config::setting::Role;
use super::config::{ConfigError, HostPort, Source, fixed_address};
use super::error::CliError;
use super::{answer, probe};

/// Options of `tern health`.
#[derive(Debug, Args)]
pub(super) struct RawHealth {
    /// The web server to ask [default: where `listen` says]
    #[arg(long, value_name = "ADDR:PORT")]
    at: Option<String>,
    /// Fail also while nothing can be saved
    #[arg(long)]
    writes: bool,
}

/// Asks, and says what was said.
///
/// # Errors
/// [`CliError::Unwell`], with exit code 1, when the web server does not answer or is not well; also when
/// what it said cannot be told.
pub(super) fn run(raw: &RawHealth, layers: &Layers<'_>) -> Result<(), CliError> {
    let address = match &raw.at {
        Some(text) => fixed_address("at", text)?,
        None => listening(layers)?,
    };
    let path = if raw.writes { "/readyz?writes=1" } else { "/readyz" };
    let asked = probe::get(&address, path);
    let said = asked
        .map_err(|why| CliError::Unwell { address: address.to_string(), why: why.to_string() })?;
    answer(&said)
}

/// Where the web server of this machine listens: that of `tern web`, else that of `tern serve`.
fn listening(layers: &Layers<'_>) -> Result<HostPort, ConfigError> {
    let web = layers.resolve(Role::Web)?;
    let serve = layers.resolve(Role::Serve)?;
    let is_given = web.get("listen").is_some_and(|given| given.at != Source::Default);
    let values = if is_given { web } else { serve };
    values.value("listen", |at, text| fixed_address(at, text))
}
