//! Where the numbers are told, if anywhere.

use super::config::HostPort;
use super::error::CliError;
use super::say;
use crate::metrics::serve::Listener;

/// Listens where it was asked for, and says so.
///
/// # Errors
/// When the address cannot be had.
pub(super) fn listen(
    address: Option<&HostPort>,
    is_web: bool,
) -> Result<Option<Listener>, CliError> {
    let Some(address) = address else { return Ok(None) };
    let listener = Listener::bind(&address.to_string(), is_web);
    let listener =
        listener.map_err(|source| CliError::Metrics { address: address.to_string(), source })?;
    say(&format!("metrics address=http://{}/metrics", listener.address()));
    Ok(Some(listener))
}
