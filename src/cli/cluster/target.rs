//! Which machines are asked, and under which key.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{ClusterError, RawTarget};
use crate::cli::config::{ConfigError, Key, fixed_address, twice};
use crate::cli::error::CliError;
use crate::cli::key::FILE_NAME as KEY_NAME;
use crate::id::NodeId;
use crate::limits::{NODE_FILE_BYTES_MAX, OPERATOR_ADDRESSES_MAX};
use crate::order::sort_by_key;
use crate::store::node::{NodeFile, parse};
use crate::transport::Keys;
use crate::transport::key::ClusterKey;

/// A cluster, as it was typed.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Target {
    data: PathBuf,
    key_file: Option<PathBuf>,
    /// Where no file was named.
    key: Option<Key>,
    /// Instead of those that `data` names.
    at: Vec<String>,
}

/// A machine to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Machine {
    /// Its number; unknown where only its address was given.
    pub(in crate::cli) node: Option<NodeId>,
    /// Where it listens.
    pub(in crate::cli) address: String,
}

impl Target {
    pub(in crate::cli) fn check(raw: RawTarget, key: Option<Key>) -> Result<Self, ConfigError> {
        let mut at = Vec::new();
        for entry in raw.at.iter().flat_map(|list| list.split(',')) {
            let address = fixed_address("at", entry)?;
            if at.contains(&address.to_string()) {
                return Err(twice("at", &address));
            }
            at.push(address.to_string());
        }
        if at.len() > OPERATOR_ADDRESSES_MAX {
            return Err(ConfigError::AddressesTooMany);
        }
        Ok(Self { data: raw.data, key_file: raw.key_file, key, at })
    }

    /// The directory that was given.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Whether machines were named by their addresses, which may not be all.
    pub(super) const fn is_by_address(&self) -> bool {
        !self.at.is_empty()
    }

    /// The same, if it is that of `tern run-cluster`.
    pub(super) fn run_cluster(&self) -> Option<&Path> {
        let is_used = self.at.is_empty() && !super::local::machines(&self.data).is_empty();
        is_used.then_some(&self.data)
    }

    /// The file that holds the key; none where the key itself was given.
    pub(super) fn key_path(&self) -> Option<PathBuf> {
        let named = || self.key_file.clone().unwrap_or_else(|| self.key_beside());
        (self.key.is_none() || self.key_file.is_some()).then(named)
    }

    /// The machines, by number where it is known.
    ///
    /// # Errors
    /// [`ClusterError`] when the directory does not name them.
    pub(in crate::cli) fn machines(&self) -> Result<Vec<Machine>, ClusterError> {
        if !self.at.is_empty() {
            let machine = |address: &String| Machine { node: None, address: address.clone() };
            return Ok(self.at.iter().map(machine).collect());
        }
        let known = newest(&self.data)?;
        let known = known.ok_or_else(|| ClusterError::NoMachines { path: self.data.clone() })?;
        let mut machines: Vec<_> = known
            .members
            .into_iter()
            .filter(|member| !member.address.ends_with(":0"))
            .map(|member| Machine { node: Some(member.node), address: member.address })
            .collect();
        if machines.is_empty() {
            return Err(ClusterError::Alone { path: self.data.clone() });
        }
        sort_by_key(&mut machines, |machine| machine.node);
        Ok(machines)
    }

    /// The machines whose files can be asked for: also one that is alone, as long as it runs.
    ///
    /// # Errors
    /// As [`Self::machines`].
    pub(in crate::cli) fn machines_or_alone(&self) -> Result<Vec<Machine>, ClusterError> {
        match self.machines() {
            Err(ClusterError::Alone { path }) => {
                let alone = newest(&self.data)?.and_then(|own| Some((own.node, own.listens?)));
                let (node, address) = alone.ok_or(ClusterError::Alone { path })?;
                Ok(vec![Machine { node: Some(node), address }])
            }
            machines => machines,
        }
    }

    /// The operator's key: a web server's opens nothing here.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub(in crate::cli) fn keys(&self) -> Result<Keys, CliError> {
        match (self.key_path(), &self.key) {
            (None, Some(key)) => key_of_all(key),
            (path, _) => Ok(Keys::from(&ClusterKey::read(&path.unwrap_or_default())?)),
        }
    }

    /// In the directory, or beside it as `tern run-cluster` has it for its machines.
    fn key_beside(&self) -> PathBuf {
        let within = self.data.join(KEY_NAME);
        let beside = self.data.join("..").join(KEY_NAME);
        if !within.exists() && beside.exists() { beside } else { within }
    }
}

/// The keys of one that was given itself.
///
/// # Errors
/// When it is none, or a web server's alone.
pub(super) fn key_of_all(key: &Key) -> Result<Keys, CliError> {
    let keys = key.read()?;
    if keys.cluster_id().is_none() {
        return Err(ClusterError::WebKeyOnly.into());
    }
    Ok(keys)
}

/// What a machine's directory says of the cluster; of several machines' the newest list.
fn newest(data: &Path) -> Result<Option<NodeFile>, ClusterError> {
    if let Some(own) = node_file(data)? {
        return Ok(Some(own));
    }
    let mut newest: Option<NodeFile> = None;
    for node in (1..=NodeId::MAX).filter_map(|number| NodeId::new(number).ok()) {
        let found = node_file(&data.join(format!("node-{node}")))?;
        let is_newer = |file: &NodeFile| newest.as_ref().is_none_or(|n| file.epoch > n.epoch);
        if let Some(file) = found.filter(is_newer) {
            newest = Some(file);
        }
    }
    Ok(newest)
}

/// `node.json` of a directory, if there is one. It is replaced as a whole, so what is read is a whole.
pub(in crate::cli) fn node_file(directory: &Path) -> Result<Option<NodeFile>, ClusterError> {
    let path = directory.join("node.json");
    let failed = |source| ClusterError::File { path: path.clone(), source };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(NODE_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    let parsed = parse(&bytes, || path.clone());
    parsed.map(Some).map_err(|source| ClusterError::Content { path: path.clone(), source })
}
