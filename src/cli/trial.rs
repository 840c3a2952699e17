//! For tests with made-up options: what comes of them, and nothing is started.

use std::ffi::OsString;

use super::args::{self, RawConfig};
use super::backup::Backup;
use super::cluster::Cluster;
use super::config::{Config, ConfigError, HostPort, Site, alone};
use super::user::User;
use super::user::import::Import;
use super::user::invite::Invite;

/// What was understood.
pub(crate) struct Told {
    /// Addresses with ports, as they would be told again.
    pub(crate) addresses: Vec<String>,
    /// Names that people will read.
    pub(crate) names: Vec<String>,
}

/// What `tern` makes of these words, or how it refuses them.
pub(crate) fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Result<Told, String> {
    let line = ["tern"].into_iter().chain(words).map(OsString::from);
    let line = args::parse(line, &[]).map_err(|error| error.to_string())?;
    let Some((role, typed)) = line.command.settings() else {
        checked(line.command).map_err(|error| error.to_string())?;
        return Ok(Told { addresses: Vec::new(), names: Vec::new() });
    };
    let config = alone(role, typed).map_err(|error| error.to_string())?;
    let site = |site: &Site| site.community.clone();
    let (addresses, names) = match &config {
        Config::Serve(serve) => (vec![&serve.listen], vec![serve.name.clone(), site(&serve.site)]),
        Config::Backend(backend) => {
            let peers = backend.peers.iter().map(|(_, address)| address);
            let names = vec![backend.name.clone(), backend.community.clone()];
            (peers.chain([&backend.listen]).collect(), names)
        }
        Config::Web(web) => {
            (web.backends.iter().chain([&web.listen]).collect(), vec![site(&web.site)])
        }
        Config::RunCluster(run) => (vec![&run.listen], vec![site(&run.site)]),
    };
    let addresses = addresses.into_iter().map(HostPort::to_string).collect();
    Ok(Told { addresses, names })
}

/// A command without settings: whether its own options can be used.
fn checked(command: RawConfig) -> Result<(), ConfigError> {
    match command {
        RawConfig::Cluster(raw) => Cluster::check(raw, None).map(drop),
        RawConfig::User(raw) => User::check(raw, None).map(drop),
        RawConfig::Invite(raw) => Invite::check(raw, None).map(drop),
        RawConfig::Import(raw) => Import::check(raw, None).map(drop),
        RawConfig::Backup(raw) => Backup::check(raw, None).map(drop),
        _ => Ok(()),
    }
}

/// An address as it would be told again.
pub(crate) fn host_port(text: &str) -> Option<String> {
    text.parse().ok().as_ref().map(HostPort::to_string)
}
