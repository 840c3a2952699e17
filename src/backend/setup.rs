//! From a data directory to a cluster that is ready to be served: who this machine is, whether that
//! fits what it was told, and everything that must happen before its first vote.

use std::net::SocketAddr;

use super::{BackendError, Config};
use crate::clock::Clock;
use crate::cluster::identity::Identity;
use crate::cluster::{Cluster, Start};
use crate::id::{Hash128, NodeId};
use crate::store::{DataDir, NodeFile, NodeState, PictureStore, UserStore};
use crate::thread::Stop;

/// Opens the data directory, which must have been set up: a machine that forgot what it promised must
/// not pass for a new one.
///
/// # Errors
/// An empty directory, one of another cluster or machine, or one that another process uses.
pub(super) fn open(
    config: &Config,
    address: SocketAddr,
    clock: &Clock,
    stop: &Stop,
) -> Result<Cluster, BackendError> {
    let cluster = config.keys.cluster_id().ok_or(BackendError::WebKeyOnly)?;
    // Before anything is made there.
    if let Some(has_users) = DataDir::lacks_identity(&config.data)? {
        return Err(not_set_up(config, has_users));
    }
    let data = DataDir::open(&config.data)?;
    let store = UserStore::open(&data)?;
    let pictures = PictureStore::open(&data)?;
    let mut file = NodeFile::load(&data)?.ok_or_else(|| not_set_up(config, false))?;
    check(config, cluster, &file)?;
    take_addresses(config, &mut file);
    // One whose port nobody is told tells it the operator.
    let is_nowhere = file.member(file.node).is_some_and(|own| own.address.ends_with(":0"));
    file.listens = is_nowhere.then(|| address.to_string());
    let node = Identity::start(NodeState::new(&data, file))?;
    store.start()?;
    let cluster = Cluster::open(Start {
        node,
        store,
        pictures,
        keys: config.keys.clone(),
        name: config.name.clone(),
        clock: clock.clone(),
        stop: stop.clone(),
        process: random_hash()?,
    })?;
    cluster.local.store.started();
    Ok(cluster)
}

fn not_set_up(config: &Config, has_users: bool) -> BackendError {
    let others = config.peers.iter().filter(|(node, _)| *node != config.node);
    BackendError::NotSetUp {
        path: config.data.clone(),
        node: config.node,
        has_users,
        key_file: config.key_file.clone(),
        others: others.map(|(_, address)| address.clone()).collect(),
    }
}

/// Whether a directory is this machine's, of this cluster.
fn check(config: &Config, cluster: Hash128, file: &NodeFile) -> Result<(), BackendError> {
    let path = config.data.display();
    if file.cluster != cluster {
        return Err(BackendError::Foreign(format!(
            "{path} belongs to another cluster (the key does not fit it): give the key file that \
             this directory was made with, or another --data"
        )));
    }
    if file.node != config.node {
        return Err(BackendError::Foreign(format!(
            "{path} is the directory of machine {}, not of machine {}: give its own --node or \
             another --data",
            file.node, config.node
        )));
    }
    Ok(())
}

/// Where the machines listen is told at the start; which they are stands in the directory, and is
/// changed with `tern cluster` alone.
fn take_addresses(config: &Config, file: &mut NodeFile) {
    let current: Vec<NodeId> = file.members.iter().map(|member| member.node).collect();
    for (node, address) in &config.peers {
        let before = file.before.iter_mut().flat_map(|before| &mut before.members);
        let before = before.filter(|member| !current.contains(&member.node));
        let mut is_known = false;
        for member in file.members.iter_mut().chain(before).filter(|m| m.node == *node) {
            member.address.clone_from(address);
            is_known = true;
        }
        if !is_known {
            log::warn!(node; "--peers names a machine that is no member, see tern cluster add");
        }
    }
    let told = |node| config.peers.is_empty() || config.peers.iter().any(|(told, _)| *told == node);
    if let Some(left_out) = current.into_iter().find(|node| !told(*node)) {
        log::info!(node = left_out; "--peers leaves out a member, its last known address is used");
    }
}

fn random_hash() -> Result<Hash128, BackendError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| BackendError::NoRandomness)?;
    Ok(Hash128(bytes))
}
