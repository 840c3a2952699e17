//! A change of the members on this machine's disk: the directory of a new one, and the lists of
//! machines that are stopped.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ClusterError;
use super::target::node_file;
use crate::cluster::config::{self, Config, roster};
use crate::id::{Hash128, NodeId};
use crate::limits::OLD_DIRECTORIES_MAX;
use crate::replica::barrier::Seat;
use crate::store::{DataDir, NodeFile, StoreError};
use crate::wire::message::Offer;
use crate::wire::operator::Held;

/// Directories of the machines that `tern run-cluster` keeps in `data`, by number.
pub(in crate::cli) fn machines(data: &Path) -> Vec<(NodeId, PathBuf)> {
    let all = (1..=NodeId::MAX).filter_map(|number| NodeId::new(number).ok());
    let with_path = all.map(|node| (node, data.join(format!("node-{node}"))));
    with_path.filter(|(_, path)| path.join("node.json").exists()).collect()
}

/// What the stopped machines of a directory hold; `None` if one of them runs.
///
/// # Errors
/// A directory that cannot be used.
pub(super) fn held(data: &Path) -> Result<Option<Vec<Held>>, ClusterError> {
    let mut all = Vec::new();
    for (_, path) in machines(data) {
        let (directory, file) = match load(&path) {
            Err(StoreError::InUse { .. }) => return Ok(None),
            // As one without an identity: it is no more than a number that can be given up.
            Err(error @ (StoreError::Gone { .. } | StoreError::Emptied { .. })) => {
                log::warn!(path:% = path.display(), why:% = error; "machine left out");
                continue;
            }
            other => other?,
        };
        let Some(file) = file else { continue };
        let config = Config::of(&file);
        all.push(Held {
            node: file.node,
            incarnation: file.incarnation,
            offer: config.offer,
            phase: config.place.phase,
            is_learning: config.is_learning,
            // It is this very program that will be started there.
            features: crate::wire::message::FEATURES,
            is_damaged: directory.has_marks()?,
            live: Vec::new(),
        });
    }
    Ok(Some(all))
}

/// A machine's directory, and what it says of the machine.
fn load(path: &Path) -> Result<(DataDir, Option<NodeFile>), StoreError> {
    let directory = DataDir::open(path)?;
    let file = NodeFile::load(&directory)?;
    Ok((directory, file))
}

/// Has every stopped machine of a directory take on a list of members.
///
/// # Errors
/// A directory that cannot be used.
pub(super) fn adopt(data: &Path, offer: &Offer) -> Result<(), ClusterError> {
    for (node, path) in machines(data) {
        let (directory, file) = match load(&path) {
            Err(StoreError::Gone { .. } | StoreError::Emptied { .. }) => continue,
            other => other?,
        };
        let Some(mut file) = file else { continue };
        let before = offer.before.as_ref().map(roster);
        let place = before
            .map(|before| Config::of(&file).place.adopt(&roster(&offer.current), &before))
            .transpose();
        match place {
            Ok(Some(place)) => {
                config::write(&mut file, offer, &place);
                file.save(&directory)?;
            }
            Ok(None) => {}
            Err(why) => log::warn!(node, why:%; "list of members not taken on"),
        }
    }
    Ok(())
}

/// Refuses a place in which [`learner`] would make no directory, before anybody is asked; one that is moved
/// aside first must be free and no more.
///
/// # Errors
/// As [`learner`].
pub(super) fn check_place(path: &Path, is_moved: bool) -> Result<(), ClusterError> {
    if !path.exists() {
        return Ok(());
    }
    DataDir::check_free(path)?;
    if is_moved {
        return Ok(());
    }
    match DataDir::lacks_identity(path)? {
        Some(true) => Err(ClusterError::LeftOver { path: path.to_owned() }),
        Some(false) => Ok(()),
        None if node_file(path)?.is_some_and(|file| file.learning) => Ok(()),
        None => Err(ClusterError::Directory { path: path.to_owned() }),
    }
}

/// Makes the directory of a new machine, which copies all that the others hold when it is started.
///
/// # Errors
/// A directory that is in use, or that cannot be used.
pub(super) fn learner(
    path: &Path,
    cluster: Hash128,
    me: Seat,
    offer: &Offer,
) -> Result<(), ClusterError> {
    let directory = DataDir::open(path)?;
    let found = match NodeFile::load(&directory) {
        Err(StoreError::NoIdentity { .. }) => {
            return Err(ClusterError::LeftOver { path: path.to_owned() });
        }
        other => other?,
    };
    match found {
        Some(file) if !file.learning => Err(ClusterError::Directory { path: path.to_owned() }),
        _ => Ok(config::learner(cluster, me, offer).save(&directory)?),
    }
}

/// Moves what is left of a machine's directory out of the way; nothing is deleted.
///
/// # Errors
/// What the system says.
pub(super) fn move_aside(path: &Path) -> Result<Option<PathBuf>, ClusterError> {
    let failed = |source| ClusterError::File { path: path.to_owned(), source };
    let is_empty = match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(failed(error)),
    };
    if is_empty {
        return Ok(None);
    }
    DataDir::check_free(path)?;
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".old-{number}"));
        PathBuf::from(name)
    };
    let free = (1..=OLD_DIRECTORIES_MAX).map(name).find(|old| !old.exists());
    let old = free.ok_or_else(|| failed(std::io::Error::from(ErrorKind::AlreadyExists)))?;
    std::fs::rename(path, &old).map_err(failed)?;
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed)?;
    Ok(Some(old))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_machine_is_moved_not_deleted() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("node-3");
        assert_eq!(move_aside(&path).unwrap(), None);
        for number in 1..=2 {
            std::fs::create_dir_all(path.join("users")).unwrap();
            std::fs::write(path.join("users/ada.jsonl"), number.to_string()).unwrap();
            let old = move_aside(&path).unwrap().unwrap();
            assert!(old.ends_with(format!("node-3.old-{number}")), "{old:?}");
            let kept = std::fs::read_to_string(old.join("users/ada.jsonl")).unwrap();
            assert_eq!(kept, number.to_string());
            assert!(!path.exists());
        }
    }

    #[test]
    fn machine_that_lost_its_users_counts_as_gone_and_is_moved_aside() {
        let home = tempfile::tempdir().unwrap();
        let key = crate::cli::key::ensure(home.path()).unwrap();
        let keys = crate::transport::Keys::read(&key).unwrap();
        let node = |number| NodeId::new(number).unwrap();
        let all: Vec<_> = (1..=3).map(|n| (node(n), format!("127.0.0.1:{n}"))).collect();
        let path = |number| home.path().join(format!("node-{number}"));
        for number in 1..=3 {
            assert!(super::super::init::set_up(&path(number), &keys, node(number), &all).unwrap());
        }
        std::fs::remove_dir(path(2).join("users")).unwrap();
        // Of one more they are not mounted.
        let (directory, file) = load(&path(3)).unwrap();
        NodeFile { holds_users: true, ..file.unwrap() }.save(&directory).unwrap();
        drop(directory);
        let held = held(home.path()).unwrap().expect("none runs");
        assert_eq!(held.iter().map(|one| one.node).collect::<Vec<_>>(), [node(1)]);
        let old = move_aside(&path(2)).unwrap().unwrap();
        assert!(old.join("node.json").exists() && !old.join("users").exists());
    }
}
