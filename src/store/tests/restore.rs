//! Tests of filling a directory from a backup.

use std::fs;
use std::path::Path;

use super::{History, ada};
use crate::clock::Wall;
use crate::id::{Hash128, NodeId, PictureKind, PictureName};
use crate::store::node::Member;
use crate::store::restore::Restore;
use crate::store::{DataDir, NodeFile, StoreError, UserStore};

fn node_file() -> NodeFile {
    let (node, incarnation) = (NodeId::new(1).unwrap(), Hash128([2; 16]));
    let member = Member::new(node, Some(incarnation), "127.0.0.1:0".to_owned());
    NodeFile::new(Hash128([1; 16]), node, incarnation, vec![member])
}

/// A directory with one user restored, and nothing else done yet.
fn half_done(path: &Path) -> Restore {
    let restore = Restore::begin(path, Wall(5)).unwrap();
    restore.user(&ada(), &History::of(3).bytes).unwrap();
    restore.picture(PictureName::of(PictureKind::Png, b"one"), b"one").unwrap();
    restore
}

#[test]
fn restore_finished_is_a_machines_directory() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("db");
    half_done(&path).finish(&node_file()).unwrap();
    let dir = DataDir::open(&path).unwrap();
    assert_eq!(NodeFile::load(&dir).unwrap().unwrap().incarnation, Hash128([2; 16]));
    let store = UserStore::open(&dir).unwrap();
    assert_eq!(store.load(&ada(), &mut |_| {}).unwrap().len, History::of(3).bytes.len() as u64);
    assert!(!path.join("restoring").exists());
}

#[test]
fn restore_abandoned_leaves_what_was_there() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("db");
    half_done(&path).abandon().unwrap();
    assert!(!path.exists(), "it was not there before");
    fs::create_dir(&path).unwrap();
    half_done(&path).abandon().unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "it was empty before");
    let restore = half_done(&path);
    restore.finish(&node_file()).unwrap();
    restore.abandon().unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "though it was all but done");
}

#[test]
fn restore_interrupted_at_each_step_is_no_machines_directory() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("db");
    for with_user in [false, true] {
        let restore =
            if with_user { half_done(&path) } else { Restore::begin(&path, Wall(5)).unwrap() };
        // As a kill does: no step follows.
        drop(restore);
        let dir = DataDir::open(&path).unwrap();
        let loaded = NodeFile::load(&dir);
        assert!(matches!(loaded, Err(StoreError::Unfinished { .. })), "{with_user} {loaded:?}");
        drop(dir);
        let again = Restore::begin(&path, Wall(5));
        assert!(matches!(again, Err(StoreError::Unfinished { .. })), "{with_user}");
        fs::remove_dir_all(&path).unwrap();
    }
    // Between the identity and the end of the mark it is a machine's already.
    drop(half_done(&path));
    let dir = DataDir::open(&path).unwrap();
    node_file().save(&dir).unwrap();
    assert!(NodeFile::load(&dir).unwrap().is_some());
    assert!(!path.join("restoring").exists());
}

#[test]
fn restore_takes_no_directory_that_has_something_in_it() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("notes"), "mine").unwrap();
    let refused = Restore::begin(home.path(), Wall(5));
    assert!(matches!(refused, Err(StoreError::NotEmpty { .. })), "{refused:?}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    let file = home.path().join("notes");
    assert!(matches!(Restore::begin(&file, Wall(5)), Err(StoreError::Io { .. })));
}

#[test]
fn r0198_restore_that_goes_on_is_not_called_interrupted() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("db");
    let first = half_done(&path);
    let second = Restore::begin(&path, Wall(5));
    assert!(matches!(second, Err(StoreError::InUse { .. })), "{second:?}");
    first.finish(&node_file()).unwrap();
}
