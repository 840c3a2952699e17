//! `tern backup …`: every user's file and picture in one archive, and back.
//!
//! - `create`: asks the machines of a running cluster for file after file (`source`), and puts the
//!   archive under its name once it is whole (`part`).
//! - `verify`: reads one to its end and tells what is wrong with it.
//! - `restore`: makes an empty directory the first machine's of a new cluster.
//!
//! What an archive holds is `crate::backup`'s business.

mod create;
mod part;
mod restore;
mod source;
mod verify;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::cluster::RawTarget;
use super::cluster::target::Target;
use super::config::{ConfigError, Key, machine_address, machine_number};
use super::error::CliError;
use crate::backup::{BackupError, Found};
use crate::store::StoreError;

/// What can be done with backups, as it was typed.
#[derive(Debug, Subcommand)]
pub(super) enum RawBackup {
    /// Save every user's file and picture, while the machines run, as FILE, or `-` for standard output
    ///
    /// It holds all that was confirmed before it was begun, and is as secret as the machines' disks.
    /// FILE comes to be once it is whole. Exit codes: 0 made, 1 not made, 2 wrong use, also when FILE is
    /// there already, 4 not enough machines or none, 5 made, but without pictures that no machine has any more.
    Create(RawCreate),
    /// Read a backup to its end and tell what is wrong with it
    ///
    /// Exit codes: 0 whole, 1 damaged or cut off, 2 wrong use, also when there is no such file, 3 no backup
    /// of tern's, or one of a newer version.
    Verify(RawVerify),
    /// Make an empty directory the first machine's of a new cluster, with all that is in a backup
    ///
    /// Nothing is written unless the whole backup is sound. The cluster gets a new key. Exit codes: 0 done,
    /// 1 damaged or not done, 2 wrong use, 3 DIR cannot be used, or no backup that this version reads.
    Restore(RawRestore),
}

/// Options of `tern backup create`.
#[derive(Debug, Args)]
pub(super) struct RawCreate {
    /// Where to, or `-` for standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    target: RawTarget,
}

/// Options of `tern backup verify`.
#[derive(Debug, Args)]
pub(super) struct RawVerify {
    /// The backup, or `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// One JSON object instead of words
    #[arg(long)]
    json: bool,
}

/// Options of `tern backup restore`.
#[derive(Debug, Args)]
pub(super) struct RawRestore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The directory: empty, or not there
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the machine will listen for others [default: nowhere, it is for tern serve]
    #[arg(long, value_name = "ADDR:PORT")]
    address: Option<String>,
    /// The machine's number, 1 to 15
    #[arg(long, value_name = "N", default_value = "1", requires = "address")]
    node: String,
    /// The new cluster's key; made if it is not there [default: cluster.key in DIR]
    #[arg(long, value_name = "FILE", requires = "address")]
    key_file: Option<PathBuf>,
}

/// What is done with a backup.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Backup {
    Create(create::Create),
    Verify { file: Place, json: bool },
    Restore(restore::Restore),
}

/// Where a backup is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Standard,
    File(PathBuf),
}

impl Place {
    fn of(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Standard } else { Self::File(path) }
    }

    /// What people call it.
    fn shown(&self) -> String {
        match self {
            Self::Standard => "the backup".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

impl Backup {
    pub(super) fn check(raw: RawBackup, key: Option<Key>) -> Result<Self, ConfigError> {
        Ok(match raw {
            RawBackup::Create(RawCreate { file, target }) => {
                let (to, target) = (Place::of(file), Target::check(target, key)?);
                Self::Create(create::Create { to, target })
            }
            RawBackup::Verify(RawVerify { file, json }) => {
                Self::Verify { file: Place::of(file), json }
            }
            RawBackup::Restore(raw) => {
                let address =
                    raw.address.map(|text| machine_address("address", &text)).transpose()?;
                Self::Restore(restore::Restore {
                    file: raw.file,
                    data: raw.data,
                    node: machine_number("node", raw.node)?,
                    address: address.map(|address| address.to_string()),
                    key_file: raw.key_file,
                })
            }
        })
    }
}

/// Runs a command to its end.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(command: &Backup) -> Result<(), CliError> {
    match command {
        Backup::Create(create) => create::run(create),
        Backup::Verify { file, json } => verify::run(file, *json),
        Backup::Restore(restore) => restore::run(restore),
    }
}

/// Why a backup was not made, is not whole, or was not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupCommandError {
    /// Its name is taken.
    #[error("{} is there already: choose another name, or remove it", path.display())]
    IsThere {
        /// Which.
        path: PathBuf,
    },
    /// Standard output is somebody's screen.
    #[error("a backup is no text to be shown: send standard output into a file or a pipe")]
    Terminal,
    /// Standard output is closed, or throws away what is written.
    #[error(
        "the backup is kept nowhere: standard output is closed, or /dev/null; send it into a file or a pipe"
    )]
    Nowhere,
    /// Standard input is gone once it was read.
    #[error("a backup is read twice before it is restored: name a file, not standard input")]
    ReadTwice,
    /// Somewhere it cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No machine has told what was asked.
    #[error("no machine tells: {why}")]
    NobodyTells {
        /// The machines' reasons.
        why: String,
    },
    /// One that runs another version, perhaps.
    #[error("a machine answers another question")]
    OtherQuestion,
    /// The machines have another key.
    #[error("the key is not that of the machines: {why}")]
    WrongKey {
        /// The last machine's reason.
        why: String,
    },
    /// Too few of them are there to know what is committed.
    #[error(
        "not enough machines, so nobody knows what was confirmed last ({why}); nothing was made"
    )]
    TooFew {
        /// The last one's reason.
        why: String,
    },
    /// What was lost before.
    #[error(
        "made, but {count} files of pictures are missing: posts refer to them, and no machine has them \
         any more"
    )]
    PicturesMissing {
        /// How many.
        count: u64,
    },
    /// A signal came first.
    #[error("stopped; nothing was made")]
    Stopped,
    /// It cannot be read to its end.
    #[error("{file} cannot be used")]
    Unusable {
        /// Which.
        file: String,
        /// Why not.
        source: BackupError,
    },
    /// It is not what was written.
    #[error(
        "{file} is damaged: {count} of its files are not what was written, the first is {first}"
    )]
    Flawed {
        /// Which.
        file: String,
        /// How much is wrong.
        count: u64,
        /// What is, first of all.
        first: String,
    },
    /// The old cluster's key.
    #[error(
        "{} is the key of the cluster that the backup was made of, whose machines may still run: name a \
         file that is not there yet, and a new key is made", path.display()
    )]
    OldKey {
        /// Which.
        path: PathBuf,
    },
    /// The directory cannot be filled.
    #[error("cannot restore; nothing was left behind")]
    Store(#[from] StoreError),
}

impl BackupCommandError {
    /// The exit code.
    pub(super) const fn code(&self) -> u8 {
        match self {
            Self::IsThere { .. }
            | Self::Terminal
            | Self::Nowhere
            | Self::ReadTwice
            | Self::Open { .. }
            | Self::WrongKey { .. }
            | Self::OldKey { .. } => 2,
            Self::Unusable { source, .. } if source.is_foreign() => 3,
            Self::Store(_) => 3,
            Self::TooFew { .. } | Self::NobodyTells { .. } => 4,
            Self::PicturesMissing { .. } => 5,
            Self::Write { .. }
            | Self::OtherQuestion
            | Self::Stopped
            | Self::Unusable { .. }
            | Self::Flawed { .. } => 1,
        }
    }
}

/// How much is in it; in words for people.
#[derive(Debug, Clone, Copy, Default)]
struct Amount {
    users: u64,
    /// Files of pictures, small ones included.
    pictures: u64,
    bytes: u64,
}

impl Amount {
    const fn of(found: &Found) -> Self {
        Self { users: found.users, pictures: found.pictures, bytes: found.bytes }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { users, pictures, bytes } = self;
        write!(f, "{users} {}, ", if *users == 1 { "user" } else { "users" })?;
        if *pictures > 0 {
            write!(
                f,
                "{pictures} {} of pictures, ",
                if *pictures == 1 { "file" } else { "files" }
            )?;
        }
        write!(f, "{bytes} bytes")
    }
}

/// Opens a backup.
fn open(path: &Path) -> Result<File, BackupCommandError> {
    let failed = |source| BackupCommandError::Open { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    Ok(file)
}

/// What is in it, if all of it is what was written.
fn read_whole(
    name: &str,
    from: &mut dyn Read,
    take: crate::backup::Take<'_>,
) -> Result<Found, BackupCommandError> {
    let unusable = |source| BackupCommandError::Unusable { file: name.to_owned(), source };
    let found = crate::backup::read(from, take).map_err(|error| match error {
        BackupError::Taken(error) => BackupCommandError::Store(error),
        error => unusable(error),
    })?;
    match found.flaws.first() {
        None => Ok(found),
        Some(first) => Err(flawed(name, first, found.flaw_count)),
    }
}

fn flawed(name: &str, first: &crate::backup::Flaw, count: u64) -> BackupCommandError {
    BackupCommandError::Flawed { file: name.to_owned(), count, first: first.to_string() }
}
