//! The address that people type: as given, or as the listening address makes it.

use std::net::ToSocketAddrs;

use super::config::{HostPort, Site};
use super::error::CliError;
use crate::web::origin::Origin;

/// The site's origin. Checked before anything starts: a plain-http site that a network can reach
/// would send passwords in the open.
///
/// # Errors
/// [`CliError::Origin`] with the cure; [`CliError::System`] when the listening host has no address.
pub(super) fn of(site: &Site, listen: &HostPort) -> Result<Origin, CliError> {
    if let Some(text) = &site.origin {
        return Ok(Origin::parse(text, site.insecure_http)?);
    }
    let resolve = |source| CliError::System { what: "resolve the host of --listen", source };
    let mut found = listen.to_string().to_socket_addrs().map_err(resolve)?;
    let address = found.next().ok_or_else(|| {
        resolve(std::io::Error::new(std::io::ErrorKind::NotFound, "it has no address"))
    })?;
    Ok(Origin::from_listen(address, site.insecure_http)?)
}
