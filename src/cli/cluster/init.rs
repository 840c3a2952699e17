//! `tern cluster init`: sets up a machine's directory as part of a new cluster. `tern serve` and
//! `tern run-cluster` do the same for themselves.

use std::path::{Path, PathBuf};

use super::target::key_of_all;
use super::{ClusterError, random};
use crate::cli::config::{HostPort, Key};
use crate::cli::error::CliError;
use crate::cli::owner::Owner;
use crate::cli::{answer_done, key};
use crate::id::{Hash128, NodeId};
use crate::store::node::Member;
use crate::store::{DataDir, NodeFile};
use crate::transport::Keys;
use crate::transport::key::ClusterKey;
use crate::wire::message::FEATURES;

/// What is set up.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Init {
    pub(super) node: NodeId,
    pub(super) data: PathBuf,
    pub(super) peers: Vec<(NodeId, HostPort)>,
    pub(super) key_file: Option<PathBuf>,
    /// The key itself, where it was given and no file was named.
    pub(super) key: Option<Key>,
}

/// Runs the command.
///
/// # Errors
/// [`ClusterError`]: also when the directory is in use.
pub(super) fn run(init: &Init) -> Result<(), CliError> {
    let path = init.key_file.clone().unwrap_or_else(|| init.data.join(key::FILE_NAME));
    let given = init.key.as_ref().map(key_of_all).transpose()?;
    let is_new_key = given.is_none() && !path.exists();
    let owner = Owner::of(&init.data)?;
    if is_new_key {
        key::check_name(&path, &init.data)?;
        make_key(init, &path)?;
    }
    let has_file = given.is_none();
    let keys = match given {
        Some(keys) => keys,
        None => Keys::from(&ClusterKey::read(&path)?),
    };
    let peers: Vec<_> =
        init.peers.iter().map(|(node, address)| (*node, address.to_string())).collect();
    if !set_up(&init.data, &keys, init.node, &peers)? {
        return Err(ClusterError::Directory { path: init.data.clone() }.into());
    }
    owner.take_all(&init.data)?;
    if has_file {
        owner.take(&path)?;
    }
    let (node, data, key) = (init.node, init.data.display(), path.display());
    let done = format!("machine {node} is set up in {data}");
    let mut lines = vec![done.clone()];
    if is_new_key {
        lines.push(format!(
            "a new key was made in {key}: copy this one file to the other machines before you set them \
             up; whoever has it is part of the cluster"
        ));
    }
    let (any, here) = if has_file {
        (" --key-file=FILE", format!(" --key-file={key}"))
    } else {
        ("", String::new())
    };
    lines.push(format!(
        "next: set up the other machines with the same --peers, then start on each tern backend \
         --data=DIR{any} (here --data={data}{here})"
    ));
    answer_done(&lines.join("\n"), &done)
}

/// Makes the key of the cluster, on its first machine.
fn make_key(init: &Init, path: &Path) -> Result<(), CliError> {
    // Each machine with a key of its own would be a cluster of its own, and wait for the others.
    let first = init.peers.iter().map(|(node, _)| *node).min();
    if let Some(first) = first.filter(|first| *first != init.node) {
        return Err(ClusterError::KeyOfFirst { path: path.to_owned(), first }.into());
    }
    // A new key would fit nothing that is there, and stay.
    refuse_used(&init.data)?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        key::make_directory(parent)?;
    }
    ClusterKey::create(path)?;
    Ok(())
}

/// Refuses a directory that is a machine's, or cannot become one's, before anything is made for it.
fn refuse_used(directory: &Path) -> Result<(), ClusterError> {
    if !directory.exists() {
        return Ok(());
    }
    match NodeFile::load(&DataDir::open(directory)?)? {
        Some(_) => Err(ClusterError::Directory { path: directory.to_owned() }),
        None => Ok(()),
    }
}

/// Makes the identity of a machine that never started, in a cluster that is new. False if the
/// directory has one already.
///
/// # Errors
/// A directory that cannot be used, or that holds users without an identity.
pub(in crate::cli) fn set_up(
    directory: &Path,
    keys: &Keys,
    node: NodeId,
    peers: &[(NodeId, String)],
) -> Result<bool, ClusterError> {
    let data = DataDir::open(directory)?;
    if NodeFile::load(&data)?.is_some() {
        return Ok(false);
    }
    let member = |(node, address): &(NodeId, String)| Member::new(*node, None, address.clone());
    let members = peers.iter().map(member).collect();
    let file = NodeFile::new(cluster_of(keys)?, node, random()?, members);
    NodeFile { features: FEATURES, ..file }.save(&data)?;
    log::info!(path:% = directory.display(), node; "data directory set up");
    Ok(true)
}

/// Which cluster a key is for.
pub(in crate::cli) fn cluster_of(keys: &Keys) -> Result<Hash128, ClusterError> {
    keys.cluster_id().ok_or(ClusterError::WebKeyOnly)
}
