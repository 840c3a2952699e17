//! `tern backend`: one of several.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cluster::ClusterError;
use super::cluster::target::node_file;
use super::config::layers::Values;
use super::config::setting::Role;
use super::config::{Backend, ConfigError, Given, HostPort, Source};
use super::error::{CliError, chain};
use super::memory::{self, Part};
use super::signal::Again;
use super::watchdog::{self, Place};
use super::{descriptors, metrics, notify, parent, say};
use crate::id::NodeId;
use crate::limits::SCRUB_ROUND_S;
use crate::metrics::serve::Listener;
use crate::thread::Stop;
use crate::transport::Keys;

/// With what the directory says of its machine, where nobody else does: its number, and where it listens.
/// So the configuration may be the same on all machines.
///
/// # Errors
/// A directory that cannot be asked. One that was never set up says nothing.
pub(super) fn as_set_up(values: Values) -> Result<Values, ConfigError> {
    let is_told = |name| values.get(name).is_some();
    let Some(data) = values.get("data").filter(|_| !(is_told("node") && is_told("listen"))) else {
        return Ok(values);
    };
    if values.role() != Role::Backend {
        return Ok(values);
    }
    let path = PathBuf::from(&data.text);
    let refused =
        |why: ClusterError| ConfigError::Directory { path: path.clone(), why: chain(&why) };
    let Some(file) = node_file(&path).map_err(refused)? else { return Ok(values) };
    let given = |text: &str| Given::new(Source::Directory(path.join("node.json")), text);
    let values = values.or("node", given(&file.node.to_string()));
    // That of a machine that was alone is nowhere.
    let own = file.member(file.node).filter(|own| !own.address.ends_with(":0"));
    Ok(match own {
        Some(own) => values.or("listen", given(&own.address)),
        None => values,
    })
}

/// Runs one backend until it is told to stop.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(config: &Backend, again: Again<'_>) -> Result<(), CliError> {
    descriptors::check(Part::Backend)?;
    memory::check(Part::Backend)?;
    // Once, for it may come through a pipe.
    let keys = config.key.read()?;
    let place = Place::default();
    parent::until_stopped(config.stop_with_parent, again, |stop| {
        let metrics = metrics::listen(config.metrics.as_ref(), false)?;
        let check = |address: &HostPort| watchdog::backend(address, &keys);
        watchdog::beside(&place, stop, &check, || {
            start((config, keys.clone()), metrics, stop, &|address| {
                let data = config.data.display();
                say(&format!("backend {} address={address} data={data}", config.node));
                place.set(address);
                notify::ready();
            })
        })
    })
}

/// The one place where a backend is built and run, for `tern backend` and `tern serve` alike.
pub(super) fn start(
    (config, keys): (&Backend, Keys),
    metrics: Option<Listener>,
    stop: &Stop,
    ready: &dyn Fn(SocketAddr),
) -> Result<(), CliError> {
    let peer = |(node, address): &(NodeId, HostPort)| (*node, address.to_string());
    let config = crate::backend::Config {
        node: config.node,
        listen: config.listen.to_string(),
        peers: config.peers.iter().map(peer).collect(),
        data: config.data.clone(),
        keys,
        key_file: config.key.file().map(Path::to_owned),
        name: config.name.clone(),
        community: config.community.clone(),
        rate_limits: config.rate_limits,
        scrub_round: Duration::from_secs(SCRUB_ROUND_S),
        metrics,
    };
    Ok(crate::backend::run(config, stop, ready)?)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::cluster::init::set_up;
    use crate::cli::config::check;
    use crate::cli::config::file::ConfigFile;
    use crate::cli::config::layers::{Layers, Typed};

    /// What holds for a backend in `data` with these flags, by its number and its address.
    fn found(data: &Path, flags: &[(&str, &str)]) -> Result<(String, String), String> {
        let flags = [&[("data", data.to_str().unwrap()), ("key-file", "k")], flags].concat();
        let typed = |(name, text): (&str, &str)| (name.to_owned(), OsString::from(text));
        let typed = Typed { values: flags.into_iter().map(typed).collect(), ..Typed::default() };
        let file = ConfigFile::default();
        let layers = Layers { file: &file, environment: &|_| None, typed: &typed };
        let values = layers.resolve(Role::Backend).and_then(as_set_up);
        let values = values.map_err(|error| error.to_string())?;
        check(&values).map_err(|error| error.to_string())?;
        let text = |name| values.get(name).unwrap().text().unwrap().to_owned();
        Ok((text("node"), text("listen")))
    }

    #[test]
    fn number_and_address_are_those_of_the_directory_unless_given() {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("db");
        let refused = found(&data, &[("node", "2")]).unwrap_err();
        assert!(refused.contains("needs --listen=ADDR:PORT: "), "{refused}");
        assert!(refused.ends_with("tern cluster init, add or replace makes it one"), "{refused}");

        let keys = Keys::of_text(&"0a".repeat(32)).unwrap();
        let node = |number| crate::id::NodeId::new(number).unwrap();
        let peers = [(1, "192.0.2.1:7001"), (2, "192.0.2.2:7001")];
        let peers = peers.map(|(number, address)| (node(number), address.to_owned()));
        assert!(set_up(&data, &keys, node(2), &peers).unwrap());
        let pair = |node: &str, listen: &str| Ok((node.to_owned(), listen.to_owned()));
        assert_eq!(found(&data, &[]), pair("2", "192.0.2.2:7001"));
        assert_eq!(found(&data, &[("listen", "a:1")]), pair("2", "a:1"));
        assert_eq!(found(&data, &[("node", "3"), ("listen", "a:1")]), pair("3", "a:1"));

        let alone = home.path().join("alone");
        assert!(set_up(&alone, &keys, node(1), &[(node(1), "127.0.0.1:0".to_owned())]).unwrap());
        let refused = found(&alone, &[]).unwrap_err();
        assert!(refused.contains("is the directory of a machine that is alone"), "{refused}");
        assert_eq!(found(&alone, &[("listen", "a:1")]), pair("1", "a:1"));

        std::fs::write(data.join("node.json"), "{}").unwrap();
        let refused = found(&data, &[]).unwrap_err();
        assert!(refused.contains("does not tell which machine this is: "), "{refused}");
        assert!(found(&data, &[("node", "2"), ("listen", "a:1")]).is_ok());
    }
}
