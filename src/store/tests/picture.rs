//! Pictures on the disk.

use std::os::unix::fs::PermissionsExt;

use crate::clock::Wall;
use crate::id::{PictureKind, PictureName};
use crate::store::{DataDir, PictureStore, StoreError};

const NOW: Wall = Wall(1_800_000_000_000);

fn name(bytes: &[u8]) -> PictureName {
    PictureName::of(PictureKind::Jpeg, bytes)
}

fn path(dir: &std::path::Path, name: PictureName) -> std::path::PathBuf {
    let file = name.to_string();
    dir.join("pictures").join(&file[..2]).join(file)
}

#[test]
fn picture_kept_read_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let store = PictureStore::open(&data).unwrap();
    assert!(!dir.path().join("pictures").exists(), "made before there is any");
    let name = name(b"one");
    assert_eq!(store.read(name).unwrap(), None);
    assert!(!store.renew(name, NOW).unwrap());
    store.keep(name, b"one", NOW).unwrap();
    store.keep(name, b"one", NOW).unwrap();
    let mode = path(dir.path(), name).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let again = PictureStore::open(&data).unwrap();
    assert_eq!(again.all(), [(name, 3)]);
    assert_eq!(again.read(name).unwrap().as_deref(), Some(&b"one"[..]));
}

#[test]
fn picture_under_another_name_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = PictureStore::open(&DataDir::open(dir.path()).unwrap()).unwrap();
    let kept = store.keep(name(b"one"), b"two", NOW);
    assert!(matches!(kept, Err(StoreError::NotAsNamed { .. })));
    assert!(store.all().is_empty());
}

#[test]
fn picture_damaged_counts_as_missing_and_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = PictureStore::open(&DataDir::open(dir.path()).unwrap()).unwrap();
    let name = name(b"one");
    store.keep(name, b"one", NOW).unwrap();
    for damage in [&b"onf"[..], b"", b"one and more"] {
        std::fs::write(path(dir.path(), name), damage).unwrap();
        assert!(store.holds(name));
        assert_eq!(store.read(name).unwrap(), None);
        assert!(!store.holds(name));
        store.keep(name, b"one", NOW).unwrap();
        assert_eq!(store.read(name).unwrap().as_deref(), Some(&b"one"[..]));
    }
}

#[test]
fn picture_removed_only_when_long_unwanted() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let store = PictureStore::open(&data).unwrap();
    let (old, young) = (name(b"old"), name(b"young"));
    store.keep(old, b"old", Wall(0)).unwrap();
    store.keep(young, b"young", NOW).unwrap();
    assert!(store.renew(old, Wall(5_000)).unwrap());
    // Its time is the file's, so that a restart changes nothing.
    let store = PictureStore::open(&data).unwrap();
    assert_eq!(store.unwanted(Wall(5_000)), []);
    assert!(!store.remove(old, Wall(5_000)).unwrap());
    assert_eq!(store.unwanted(Wall(5_001)), [old]);
    assert!(store.remove(old, Wall(5_001)).unwrap());
    assert!(!path(dir.path(), old).exists());
    assert!(!store.remove(young, Wall(5_001)).unwrap());
    assert!(store.holds(young) && !store.holds(old));
}

#[test]
fn picture_half_written_by_a_crash_removed_and_foreign_files_left() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path()).unwrap();
    let kept = name(b"one");
    PictureStore::open(&data).unwrap().keep(kept, b"one", NOW).unwrap();
    let shelf = path(dir.path(), kept).parent().unwrap().to_owned();
    let half = shelf.join(format!("{kept}.tmp"));
    let foreign = shelf.join("holiday.jpg");
    for file in [&half, &foreign] {
        std::fs::write(file, "half").unwrap();
    }
    assert_eq!(PictureStore::open(&data).unwrap().all(), [(kept, 3)]);
    assert!(!half.exists() && foreign.exists());
}
