//! For tests with made-up options: what comes of them, and nothing is started.

use std::ffi::OsString;

use super::args;
use super::config::{Config, HostPort, Site, check};

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
    let raw = args::parse(line).map_err(|error| error.to_string())?;
    let config = check(raw).map_err(|error| error.to_string())?;
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
        Config::Cluster(_)
        | Config::User(_)
        | Config::Invite(_)
        | Config::Import(_)
        | Config::Backup(_)
        | Config::Check(_) => (Vec::new(), Vec::new()),
    };
    let addresses = addresses.into_iter().map(HostPort::to_string).collect();
    Ok(Told { addresses, names })
}

/// An address as it would be told again.
pub(crate) fn host_port(text: &str) -> Option<String> {
    text.parse().ok().as_ref().map(HostPort::to_string)
}
