//! `tern backup restore`: the whole backup is read first, and only one that is sound is brought back.
//!
//! The new directory is the only machine of a cluster that is new in every way: another key, so that no
//! machine of the old one is ever spoken to (two histories would bear the same versions), and a list of
//! members above all in the backup, so that no term is made a second time.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::{Path, PathBuf};

use super::{Amount, BackupCommandError, open, read_whole};
use crate::backup::{BackupError, Found, Part};
use crate::cli::cluster::init::cluster_of;
use crate::cli::cluster::random;
use crate::cli::error::CliError;
use crate::cli::owner::Owner;
use crate::cli::{answer_done, key};
use crate::clock::Clock;
use crate::id::{Hash128, NodeId};
use crate::store::NodeFile;
use crate::store::node::Member;
use crate::store::restore::Restore as Directory;
use crate::transport::Keys;
use crate::transport::key::ClusterKey;
use crate::wire::message::FEATURES;

/// The address of a machine that is alone: nobody looks for it.
const NOWHERE: &str = "127.0.0.1:0";

/// What is restored.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Restore {
    pub(super) file: PathBuf,
    pub(super) data: PathBuf,
    pub(super) node: NodeId,
    pub(super) address: Option<String>,
    pub(super) key_file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(restore: &Restore) -> Result<(), CliError> {
    if restore.file.as_os_str() == "-" {
        return Err(BackupCommandError::ReadTwice.into());
    }
    let key_path = restore.key_file.clone().unwrap_or_else(|| restore.data.join(key::FILE_NAME));
    key::check_name(&key_path, &restore.data)?;
    let name = restore.file.display().to_string();
    let mut file = open(&restore.file)?;
    let found = read_whole(&name, &mut BufReader::new(&file), &mut |_, _| Ok(()))?;
    if found.about.features > FEATURES {
        let source = BackupError::Newer(format!("features {}", found.about.features));
        return Err(BackupCommandError::Unusable { file: name, source }.into());
    }
    let old = found.about.cluster;
    // Read once, for it may come through a pipe.
    let key = key_path.exists().then(|| ClusterKey::read(&key_path)).transpose()?;
    if let Some(key) = &key
        && cluster_of(&Keys::from(key))? == old
    {
        return Err(BackupCommandError::OldKey { path: key_path }.into());
    }
    file.rewind()
        .map_err(|source| BackupCommandError::Open { path: restore.file.clone(), source })?;
    let owner = Owner::of(&restore.data)?;
    let directory = Directory::begin(&restore.data, Clock::system().wall())
        .map_err(BackupCommandError::from)?;
    match fill(restore, &directory, &file, (&key_path, key)) {
        Ok(found) => {
            owner.take_all(&restore.data)?;
            owner.take(&key_path)?;
            tell(restore, &key_path, &found)
        }
        Err(error) => {
            if let Err(left) = directory.abandon() {
                log::error!(error:% = left; "not all that was restored could be removed");
            }
            Err(error)
        }
    }
}

/// Brings the users' files and the pictures back, and then makes the directory a machine's.
fn fill(
    restore: &Restore,
    directory: &Directory,
    file: &File,
    (key_path, key): (&Path, Option<ClusterKey>),
) -> Result<Found, CliError> {
    let name = restore.file.display().to_string();
    let take = &mut |part: Part<'_>, bytes: &[u8]| match part {
        Part::User(user) => directory.user(user, bytes),
        Part::Picture(name) => directory.picture(name, bytes),
    };
    // Read again, so checked again: it may have changed.
    let found = read_whole(&name, &mut BufReader::new(file), take)?;
    let is_new_key = key.is_none();
    let key = key.map_or_else(|| ClusterKey::create(key_path), Ok)?;
    let finished = (|| {
        let node = identity(restore, cluster_of(&Keys::from(&key))?, &found)?;
        directory.finish(&node).map_err(BackupCommandError::from)?;
        Ok(found)
    })();
    if finished.is_err()
        && is_new_key
        && let Err(error) = std::fs::remove_file(key_path)
    {
        log::error!(path:% = key_path.display(), error:%; "new key left behind");
    }
    finished
}

/// Who the machine is. It is all members, so it votes from its first start on.
fn identity(restore: &Restore, cluster: Hash128, found: &Found) -> Result<NodeFile, CliError> {
    let incarnation = random()?;
    let address = restore.address.clone().unwrap_or_else(|| NOWHERE.to_owned());
    let member = Member::new(restore.node, Some(incarnation), address);
    Ok(NodeFile {
        // Reading it has made sure that there is one more.
        epoch: found.epoch.saturating_add(1),
        ceiling: found.round,
        features: FEATURES,
        opened: true,
        // Where they are gone, nothing of it is a machine any more.
        holds_users: found.users > 0,
        ..NodeFile::new(cluster, restore.node, incarnation, vec![member])
    })
}

fn tell(restore: &Restore, key_path: &Path, found: &Found) -> Result<(), CliError> {
    let (data, key, node) = (restore.data.display(), key_path.display(), restore.node);
    let amount = Amount::of(found);
    let done = format!("restored in {data}, as machine {node} of a new cluster: {amount}");
    let missing = match found.pictures_missing {
        0 => String::new(),
        count => {
            format!("\n{count} files of pictures were missing already when the backup was made")
        }
    };
    let next = match &restore.address {
        None => format!("next: tern serve --data={data}"),
        Some(address) => format!(
            "its new key is {key}: copy it to the other machines and web servers, in the place of the \
             old one\nnext: tern backend --node={node} --listen={address} --data={data} \
             --key-file={key}; then let each other machine join with an empty directory: tern cluster \
             add N=ADDRESS:PORT --data=DIR --key-file={key} --at={address}"
        ),
    };
    answer_done(&format!("{done}{missing}\n{next}"), &done)
}
