//! From a data directory to a cluster that is ready to be served: who this machine is, whether that
//! fits what it was told, and everything that must happen before its first vote.

use super::{BackendError, Config};
use crate::clock::Clock;
use crate::cluster::identity::Identity;
use crate::cluster::{Cluster, Start};
use crate::id::Hash128;
use crate::store::node::Member;
use crate::store::{DataDir, NodeFile, NodeState, UserStore};
use crate::thread::Stop;

/// Opens the data directory, setting it up if it is empty.
///
/// # Errors
/// A directory of another cluster or machine, or one that another process uses.
pub(super) fn open(config: &Config, clock: &Clock, stop: &Stop) -> Result<Cluster, BackendError> {
    let cluster = config.keys.cluster_id().ok_or(BackendError::WebKeyOnly)?;
    let data = DataDir::open(&config.data)?;
    let store = UserStore::open(&data)?;
    let file = match NodeFile::load(&data)? {
        Some(file) => file,
        None => fresh(config, cluster, &data)?,
    };
    check(config, cluster, &file)?;
    let node = Identity::start(NodeState::new(&data, file))?;
    store.start()?;
    Ok(Cluster::open(Start {
        node,
        store,
        members: config.peers.clone(),
        keys: config.keys.clone(),
        name: config.name.clone(),
        clock: clock.clone(),
        stop: stop.clone(),
        process: random_hash()?,
    })?)
}

/// The identity of a machine that never started.
fn fresh(config: &Config, cluster: Hash128, data: &DataDir) -> Result<NodeFile, BackendError> {
    let member = |(node, address): &(_, String)| Member {
        node: *node,
        incarnation: None,
        address: address.clone(),
        extra: serde_json::Map::new(),
    };
    let members = config.peers.iter().map(member).collect();
    let file = NodeFile::new(cluster, config.node, random_hash()?, members);
    file.save(data)?;
    log::info!("data directory set up path={} node={}", config.data.display(), config.node);
    Ok(file)
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
    let mut told: Vec<_> = config.peers.iter().map(|(node, _)| *node).collect();
    let mut known: Vec<_> = file.members.iter().map(|member| member.node).collect();
    told.sort_unstable();
    known.sort_unstable();
    if told != known {
        return Err(BackendError::Foreign(format!(
            "{path} was made for another list of machines than --peers names; the list of a cluster \
             cannot be changed in this version"
        )));
    }
    Ok(())
}

fn random_hash() -> Result<Hash128, BackendError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| BackendError::NoRandomness)?;
    Ok(Hash128(bytes))
}
