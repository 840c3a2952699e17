//! `tern cluster …`: asks the backends of a running cluster, under the operator's key.
//!
//! - `target`: which machines, and the key: from options, else from a data directory.
//! - `ask`: one question to each of them at once.
//! - `init`: a new machine of a new cluster; `change`: other members; `plan`: which, `local`: on this
//!   machine's disk.
//! - `status`: how they are; `report`: the same in words and as JSON.
//!
//! Files of a running backend are read, never locked and never changed.

pub(super) mod ask;
mod change;
pub(super) mod init;
pub(super) mod local;
mod plan;
mod report;
mod status;
pub(super) mod target;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::config::{ConfigError, Key, machine_address, machine_number, numbered_address, peers};
use super::error::{CliError, TRY_AGAIN};
use crate::id::{Hash128, NodeId};
use crate::store::StoreError;
use change::What;
use plan::Resolve;
use target::Target;

/// What can be asked of a cluster, as it was typed.
#[derive(Debug, Subcommand)]
pub(super) enum RawCluster {
    /// How the machines are, in the words of the page /status
    ///
    /// Exit codes: 0 a write would be saved, 1 no machine answers, 2 wrong use, 4 not enough machines.
    Status(RawStatus),
    /// Set up this machine's directory as part of a new cluster
    Init(RawInit),
    /// Add machines: run on a new machine, or on the directory of run-cluster
    ///
    /// The new machine copies what the others hold when its backend is started, and then takes its
    /// place by itself. Exit codes: 0 begun, 1 no machine answers, 2 refused, 3 directory unusable, 4 not
    /// enough machines.
    Add(RawAdd),
    /// Put a new machine in the place of one that is dead or lost its disk; as add
    Replace(RawReplace),
    /// Remove a machine; as add
    Remove(RawRemove),
    /// After an update of the program
    #[command(subcommand)]
    Upgrade(RawUpgrade),
}

/// After an update.
#[derive(Debug, Subcommand)]
pub(super) enum RawUpgrade {
    /// Use what only the new version understands, once all machines run it
    Finish(RawChange),
}

/// Options of `tern cluster init`.
#[derive(Debug, Args)]
pub(super) struct RawInit {
    /// This machine's number, 1 to 15; never another machine's again
    #[arg(long, value_name = "N")]
    node: String,
    /// All machines of the new cluster, this one included, by number
    #[arg(long, value_name = "1=ADDR:PORT,2=...")]
    peers: String,
    /// The directory to set up
    #[arg(long, value_name = "DIR", default_value = "db")]
    data: PathBuf,
    /// The cluster's key; the first machine makes it if it is not there [default: cluster.key in DIR]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// Options of `tern cluster add`.
#[derive(Debug, Args)]
pub(super) struct RawAdd {
    /// The new machine's number and where it will listen; several with the directory of run-cluster
    #[arg(value_name = "N=ADDR:PORT", required = true)]
    machines: Vec<String>,
    #[command(flatten)]
    change: RawChange,
}

/// Options of `tern cluster replace`.
#[derive(Debug, Args)]
pub(super) struct RawReplace {
    /// Which machine
    #[arg(value_name = "N")]
    node: String,
    /// Where the new one will listen [default: where the old one did]
    #[arg(long, value_name = "ADDR:PORT")]
    address: Option<String>,
    #[command(flatten)]
    change: RawChange,
}

/// Options of `tern cluster remove`.
#[derive(Debug, Args)]
pub(super) struct RawRemove {
    /// Which machine
    #[arg(value_name = "N")]
    node: String,
    #[command(flatten)]
    change: RawChange,
}

/// How a change is made.
#[derive(Debug, Args)]
pub(super) struct RawChange {
    #[command(flatten)]
    target: RawTarget,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Give up a change that is under way for this one
    #[arg(long)]
    replace_pending: bool,
    /// Go on without machines that are gone for good: what they alone hold is lost
    #[arg(long)]
    force: bool,
}

/// Options of `tern cluster status`.
#[derive(Debug, Args)]
pub(super) struct RawStatus {
    #[command(flatten)]
    target: RawTarget,
    /// One JSON object instead of words
    #[arg(long)]
    json: bool,
}

/// What names the machines, and which variable may say it.
const DATA_HELP: &str = "A machine's data directory, or that of run-cluster: it names the machines \
                         [env: TERN_DATA]";
/// What opens them.
const KEY_HELP: &str = "The cluster's key [default: cluster.key in DIR or beside it] \
                        [env: TERN_KEY_FILE, or TERN_KEY with the secret itself]";

/// Which cluster.
#[derive(Debug, Args)]
pub(super) struct RawTarget {
    #[arg(long, value_name = "DIR", default_value = "db", help = DATA_HELP)]
    data: PathBuf,
    #[arg(long, value_name = "FILE", help = KEY_HELP)]
    key_file: Option<PathBuf>,
    /// A machine to ask, or several, instead of those that DIR names; they name the others
    #[arg(long, value_name = "ADDR:PORT,...")]
    at: Option<String>,
}

/// What is asked of a cluster.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cluster {
    /// How the machines are.
    Status {
        /// Of which cluster.
        target: Target,
        /// Whether as JSON.
        json: bool,
    },
    /// A new machine of a new cluster.
    Init(init::Init),
    /// Other members.
    Change(change::Change),
}

impl Cluster {
    pub(super) fn check(raw: RawCluster, key: Option<Key>) -> Result<Self, ConfigError> {
        Ok(match raw {
            RawCluster::Status(RawStatus { target, json }) => {
                Self::Status { target: Target::check(target, key)?, json }
            }
            RawCluster::Init(raw) => {
                let node = machine_number("node", raw.node)?;
                let peers = peers("peers", &raw.peers, node)?;
                let (data, key_file) = (raw.data, raw.key_file);
                let key = key.filter(|_| key_file.is_none());
                Self::Init(init::Init { node, data, peers, key_file, key })
            }
            RawCluster::Add(RawAdd { machines, change }) => {
                let address = |entry: &String| numbered_address("tern cluster add", entry);
                let machines = machines.iter().map(address);
                let machines = machines.collect::<Result<Vec<_>, _>>()?;
                let machines = machines.into_iter().map(|(node, at)| (node, at.to_string()));
                change.check(key, What::Add(machines.collect()))?
            }
            RawCluster::Replace(RawReplace { node, address, change }) => {
                let address = address.map(|text| machine_address("address", &text)).transpose()?;
                let address = address.map(|address| address.to_string());
                let node = machine_number("tern cluster replace N", node)?;
                change.check(key, What::Replace(node, address))?
            }
            RawCluster::Remove(RawRemove { node, change }) => {
                let node = machine_number("tern cluster remove N", node)?;
                change.check(key, What::Remove(node))?
            }
            RawCluster::Upgrade(RawUpgrade::Finish(change)) => change.check(key, What::Upgrade)?,
        })
    }
}

impl RawChange {
    fn check(self, key: Option<Key>, what: What) -> Result<Cluster, ConfigError> {
        Ok(Cluster::Change(change::Change {
            target: Target::check(self.target, key)?,
            what,
            resolve: Resolve { replace_pending: self.replace_pending, force: self.force },
            yes: self.yes,
        }))
    }
}

/// Runs a command to its end.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(command: &Cluster) -> Result<(), CliError> {
    match command {
        Cluster::Status { target, json } => status::run(target, *json),
        Cluster::Init(init) => init::run(init),
        Cluster::Change(change) => change::run(change),
    }
}

/// Why a command to a running cluster failed.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A directory that names no machines.
    #[error(
        "{path} names no machines (no node.json in it, nor in a node-N): give the directory of a \
         backend or of tern run-cluster as --data=DIR, or --at=ADDRESS:PORT and --key-file=FILE"
    )]
    NoMachines {
        /// Which.
        path: PathBuf,
    },
    /// The directory of `tern serve`.
    #[error(
        "{path} is the directory of a machine that is alone (tern serve); its page /status tells \
         how it is"
    )]
    Alone {
        /// Which.
        path: PathBuf,
    },
    /// The same, for what its pages cannot do.
    #[error(
        "{path} is the directory of a machine that is alone (tern serve): give --at=ADDRESS:PORT, \
         which its log says where it says \"backend serving\""
    )]
    AloneUnknown {
        /// Which.
        path: PathBuf,
    },
    /// A file that names machines cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It makes no sense.
    #[error("cannot use {path}")]
    Content {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: StoreError,
    },
    /// A directory that is a machine's already.
    #[error("{path} is a machine's directory already: choose another, empty one with --data")]
    Directory {
        /// Which.
        path: PathBuf,
    },
    /// A machine that would get a key of its own.
    #[error(
        "no cluster key at {path}: copy it from machine {first} first, where tern cluster init makes \
         it"
    )]
    KeyOfFirst {
        /// Where it should be.
        path: PathBuf,
        /// The machine that has it.
        first: NodeId,
    },
    /// A directory with users' files and without an identity.
    #[error(
        "{path} holds users' files of a machine that lost its node.json: move it out of the way, the \
         others hold every post, and give an empty one with --data"
    )]
    LeftOver {
        /// Which.
        path: PathBuf,
    },
    /// A directory that cannot be used.
    #[error("data directory not usable")]
    Store(#[from] StoreError),
    /// Several machines, where one directory was given.
    #[error("one machine at a time: run this on each new machine, one after the other")]
    OneAtATime,
    /// The key file holds a web server's key alone.
    #[error("the key file holds a web server's key only; give the cluster key")]
    WebKeyOnly,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// The operator did not say yes.
    #[error("nothing was changed; --yes goes on without asking")]
    NotConfirmed,
    /// The terminal cannot be read.
    #[error("cannot ask")]
    Terminal(#[source] std::io::Error),
    /// The change cannot be made.
    #[error("{0}")]
    Refused(String),
    /// The machines have another key.
    #[error("the key is not that of the machines: {why}")]
    WrongKey {
        /// The last machine's reason.
        why: String,
    },
    /// They did not get to it in time.
    #[error("{0}")]
    Busy(String),
    /// More machines must be up for it.
    #[error("{0}")]
    TooFew(String),
    /// No thread, so nobody was asked.
    #[error("cannot start a thread")]
    Thread(#[from] std::io::Error),
    /// Nobody answered.
    #[error("no machine answers: {why}")]
    NobodyAnswers {
        /// The machines' reasons.
        why: String,
    },
    /// Writes would not be saved.
    #[error("not enough machines: nothing can be saved just now")]
    NotEnough,
}

impl ClusterError {
    /// The exit code.
    pub(super) const fn code(&self) -> u8 {
        match self {
            Self::NoMachines { .. }
            | Self::Alone { .. }
            | Self::AloneUnknown { .. }
            | Self::OneAtATime
            | Self::WebKeyOnly
            | Self::KeyOfFirst { .. }
            | Self::WrongKey { .. }
            | Self::Refused(_)
            | Self::NotConfirmed => 2,
            Self::File { .. }
            | Self::Content { .. }
            | Self::Directory { .. }
            | Self::LeftOver { .. }
            | Self::Store(_) => 3,
            Self::Thread(_)
            | Self::NobodyAnswers { .. }
            | Self::NoRandomness
            | Self::Terminal(_) => 1,
            Self::Busy(_) => TRY_AGAIN,
            Self::NotEnough | Self::TooFew(_) => 4,
        }
    }
}

/// What names a new life of a machine's directory.
pub(super) fn random() -> Result<Hash128, ClusterError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| ClusterError::NoRandomness)?;
    Ok(Hash128(bytes))
}
