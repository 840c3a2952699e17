//! `tern cluster …`: asks the backends of a running cluster, under the operator's key.
//!
//! - `target`: which machines, and the key: from options, else from a data directory.
//! - `ask`: one question to each of them at once.
//! - `status`: how they are; `report`: the same in words and as JSON.
//!
//! Files of a running backend are read, never locked and never changed.

mod ask;
mod report;
mod status;
mod target;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::config::ConfigError;
use super::error::CliError;
use crate::store::StoreError;
use target::Target;

/// What can be asked of a cluster, as it was typed.
#[derive(Debug, Subcommand)]
pub(super) enum RawCluster {
    /// How the machines are, in the words of the page /status
    ///
    /// Exit codes: 0 a write would be saved, 1 no machine answers, 2 wrong use, 4 not enough machines.
    Status(RawStatus),
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

/// Which cluster.
#[derive(Debug, Args)]
pub(super) struct RawTarget {
    /// A machine's data directory, or that of run-cluster: it names the machines
    #[arg(long, value_name = "DIR", default_value = "db")]
    data: PathBuf,
    /// The cluster's key [default: cluster.key in DIR or beside it]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The machines to ask, instead of those that DIR names
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
}

impl Cluster {
    pub(super) fn check(raw: RawCluster) -> Result<Self, ConfigError> {
        Ok(match raw {
            RawCluster::Status(RawStatus { target, json }) => {
                Self::Status { target: Target::check(target)?, json }
            }
        })
    }
}

/// Runs a command to its end.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(command: &Cluster) -> Result<(), CliError> {
    match command {
        Cluster::Status { target, json } => status::run(target, *json),
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
    /// No thread, so nobody was asked.
    #[error("cannot start a thread")]
    Thread(#[from] std::io::Error),
    /// Nobody answered.
    #[error("no machine answers: {why}")]
    NobodyAnswers {
        /// The first machine's reason.
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
            Self::NoMachines { .. } | Self::Alone { .. } => 2,
            Self::File { .. } | Self::Content { .. } => 3,
            Self::Thread(_) | Self::NobodyAnswers { .. } => 1,
            Self::NotEnough => 4,
        }
    }
}
