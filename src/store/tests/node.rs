//! Tests of `node.json`.

use std::fs;

use tempfile::TempDir;

use crate::id::{Hash128, NodeId};
use crate::limits::NODE_FILE_BYTES_MAX;
use crate::store::node::Member;
use crate::store::{DataDir, NodeFile, NodeState, StoreError};

fn node(number: u16) -> NodeId {
    NodeId::new(number).unwrap()
}

fn member(number: u16, incarnation: Option<Hash128>) -> Member {
    let address = format!("10.0.0.{number}:7101");
    Member::new(node(number), incarnation, address)
}

const CLUSTER: Hash128 = Hash128([1; 16]);
const SELF: Hash128 = Hash128([2; 16]);
const PEER: Hash128 = Hash128([3; 16]);

fn first_file() -> NodeFile {
    NodeFile::new(CLUSTER, node(1), SELF, vec![member(1, Some(SELF)), member(2, None)])
}

fn fresh() -> (TempDir, DataDir) {
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::open(home.path()).unwrap();
    (home, dir)
}

fn started() -> (TempDir, DataDir, NodeState) {
    let (home, dir) = fresh();
    first_file().save(&dir).unwrap();
    let state = NodeState::new(&dir, first_file());
    (home, dir, state)
}

fn on_disk(dir: &DataDir) -> NodeFile {
    NodeFile::load(dir).unwrap().unwrap()
}

/// `node.json` with this text: why is it refused? The text must be there still.
fn refused(text: &str) -> StoreError {
    let (home, dir) = fresh();
    let path = home.path().join("node.json");
    fs::write(&path, text).unwrap();
    fs::write(home.path().join("node.json.tmp"), "left by a crash").unwrap();
    let error = NodeFile::load(&dir).unwrap_err();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert!(home.path().join("node.json.tmp").exists(), "nothing is touched");
    error
}

fn edited(from: &str, to: &str) -> String {
    let text = serde_json::to_string(&first_file()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    text.replacen(from, to, 1)
}

#[test]
fn node_file_saved_loads_again_and_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (home, dir) = fresh();
    assert_eq!(NodeFile::load(&dir).unwrap(), None);
    first_file().save(&dir).unwrap();
    assert_eq!(on_disk(&dir), first_file());
    let mode = home.path().join("node.json").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn node_file_missing_beside_users_or_marks_refused() {
    for name in ["users/ada.jsonl", "damaged/ada.mark", "damaged/ada.1.jsonl"] {
        let (home, dir) = fresh();
        fs::write(home.path().join("users/notes.txt"), "").unwrap();
        assert_eq!(NodeFile::load(&dir).unwrap(), None);
        fs::write(home.path().join(name), "").unwrap();
        let error = NodeFile::load(&dir).unwrap_err();
        assert!(matches!(error, StoreError::NoIdentity { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains("put node.json back from this same machine"), "{message}");
    }
}

#[test]
fn node_file_of_newer_format_refused_whatever_else_it_holds() {
    for text in [r#"{"format":3}"#, &edited(r#""format":1"#, r#""format":7"#)] {
        let error = refused(text);
        assert!(matches!(error, StoreError::NewerFormat { .. }), "{error:?}");
    }
}

#[test]
fn node_file_of_first_format_until_what_is_new_is_used() {
    let (_home, dir, state) = started();
    state.raise_ceiling(9).unwrap();
    assert_eq!(on_disk(&dir).format, 1);
    state.change_members(|file| file.features = 1).unwrap();
    assert_eq!((on_disk(&dir).format, state.durable().format), (2, 2));
    let (_home, dir, state) = started();
    state.change_members(|file| file.epoch = 2).unwrap();
    assert_eq!(on_disk(&dir).format, 2);
    let (_home, dir) = fresh();
    NodeFile { features: 1, ..first_file() }.save(&dir).unwrap();
    assert_eq!(on_disk(&dir).format, 2);
}

#[test]
fn node_file_without_sense_refused() {
    for text in ["", "{", "[]", "null", &edited(r#""boot":0"#, r#""boot":-1"#), "\0\0\0\0"] {
        let error = refused(text);
        assert!(matches!(error, StoreError::NodeFile { .. }), "{text}: {error:?}");
    }
    let long = format!("{}{}", edited("1", "1"), " ".repeat(NODE_FILE_BYTES_MAX));
    let cases = [
        edited(r#""format":1"#, r#""format":0"#),
        edited(r#""epoch":1"#, r#""epoch":0"#),
        edited(r#"{"node":2"#, r#"{"node":1"#),
        edited(
            &format!(r#""node":1,"incarnation":"{SELF}""#),
            &format!(r#""node":1,"incarnation":"{PEER}""#),
        ),
        long,
    ];
    for text in cases {
        let error = refused(&text);
        assert!(matches!(error, StoreError::NodeValue { .. }), "{text}: {error:?}");
    }
}

#[test]
fn node_file_that_cannot_be_read_back_not_saved() {
    let (_home, dir, _state) = started();
    let twice = vec![member(1, None), member(1, None)];
    let error = NodeFile::new(CLUSTER, node(1), SELF, twice).save(&dir).unwrap_err();
    assert!(matches!(error, StoreError::NodeValue { .. }), "{error:?}");
    assert_eq!(on_disk(&dir), first_file());
}

#[test]
fn node_file_unknown_fields_survive_a_change() {
    let (home, dir) = fresh();
    let text = edited(r#""opened":false"#, r#""opened":false,"later":{"a":[1,null]}"#)
        .replace(r#""address":"10.0.0.2:7101""#, r#""address":"10.0.0.2:7101","weight":3"#);
    fs::write(home.path().join("node.json"), text).unwrap();
    let state = NodeState::new(&dir, on_disk(&dir));
    state.next_boot(|boot| boot.checked_add(1)).unwrap();
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(home.path().join("node.json")).unwrap()).unwrap();
    assert_eq!(json["boot"], 1);
    assert_eq!(json["later"], serde_json::json!({"a": [1, null]}));
    assert_eq!(json["members"][1]["weight"], 3);
}

#[test]
fn state_fields_only_grow() {
    let (_home, dir, state) = started();
    assert_eq!(state.raise_ceiling(100).unwrap(), 100);
    assert_eq!(on_disk(&dir).ceiling, 100);
    assert_eq!(state.raise_ceiling(50).unwrap(), 100);
    assert_eq!((state.ceiling(), on_disk(&dir).ceiling), (100, 100));
    let next = |boot: u32| boot.checked_add(1);
    assert_eq!((state.next_boot(next).unwrap(), state.next_boot(next).unwrap()), (1, 2));
    state.change_members(|file| file.opened = true).unwrap();
    assert_eq!(state.durable(), on_disk(&dir));
    assert!(on_disk(&dir).opened);
}

#[test]
fn state_boot_count_never_reaches_floor() {
    let (_home, dir) = fresh();
    let mut file = first_file();
    file.boot = u32::MAX - 2;
    let state = NodeState::new(&dir, file);
    let next = |boot| Some(boot + 1).filter(|&next| next != u32::MAX);
    assert_eq!(state.next_boot(next).unwrap(), u32::MAX - 1);
    assert!(matches!(state.next_boot(next), Err(StoreError::NodeValue { .. })));
    assert_eq!(on_disk(&dir).boot, u32::MAX - 1);
}

#[test]
fn state_pin_first_incarnation_and_no_other() {
    let (_home, dir, state) = started();
    state.pin(node(2), PEER).unwrap();
    assert_eq!(on_disk(&dir).member(node(2)).unwrap().incarnation, Some(PEER));
    state.pin(node(2), PEER).unwrap();
    let other = |number| move |error| matches!(error, StoreError::OtherIncarnation { node: found } if found == node(number));
    assert!(state.pin(node(2), CLUSTER).is_err_and(other(2)));
    assert!(state.pin(node(1), PEER).is_err_and(other(1)));
    let unknown = NodeFile::new(CLUSTER, node(1), SELF, vec![member(1, None)]);
    assert!(NodeState::new(&dir, unknown).pin(node(1), PEER).is_err_and(other(1)));
    let error = state.pin(node(3), PEER).unwrap_err();
    assert!(matches!(error, StoreError::NotMember { node: found } if found == node(3)));
    assert_eq!(on_disk(&dir), state.durable());
}

#[test]
fn state_write_failed_known_values_stay() {
    let (home, dir, state) = started();
    state.raise_ceiling(10).unwrap();
    // A directory in the temporary file's place lets every write fail, for root as well.
    let obstacle = home.path().join("node.json.tmp");
    fs::create_dir(&obstacle).unwrap();
    assert!(state.raise_ceiling(20).is_err());
    assert!(state.next_boot(|boot| boot.checked_add(1)).is_err());
    assert!(state.pin(node(2), PEER).is_err());
    assert!(state.change_members(|file| file.opened = true).is_err());
    assert_eq!((state.ceiling(), state.durable().boot, state.durable().opened), (10, 0, false));
    fs::remove_dir(&obstacle).unwrap();
    assert_eq!(on_disk(&dir), state.durable());
    assert_eq!(state.raise_ceiling(15).unwrap(), 15);
    assert_eq!(state.next_boot(|boot| boot.checked_add(1)).unwrap(), 1);
}

#[test]
fn state_raised_by_many_threads_highest_stays() {
    let (_home, dir, state) = started();
    std::thread::scope(|scope| {
        for start in 0..4_u64 {
            let state = &state;
            scope.spawn(move || {
                for step in 1..=8 {
                    assert!(state.raise_ceiling(step * 4 + start).unwrap() >= step * 4 + start);
                }
            });
        }
    });
    assert_eq!((state.ceiling(), on_disk(&dir).ceiling), (35, 35));
}

#[test]
fn state_crash_leftover_removed_at_load() {
    let (home, dir, _state) = started();
    let leftover = home.path().join("node.json.tmp");
    fs::write(&leftover, "half").unwrap();
    assert_eq!(on_disk(&dir), first_file());
    assert!(!leftover.exists());
}

/// As of a `users/` that is not mounted: it is there, and nothing is in it.
#[test]
fn node_file_of_a_machine_whose_users_are_hidden_refused() {
    let (home, dir, state) = started();
    let (file, aside) = (home.path().join("users/ada.jsonl"), home.path().join("damaged/ada.mark"));
    let is_noted = || on_disk(&dir).holds_users;
    // Nobody joined yet: nothing is said, and an empty directory is as it should be.
    state.next_boot(|boot| boot.checked_add(1)).unwrap();
    assert!(!is_noted());
    // A start finds them, and so does whoever writes the first.
    fs::write(&file, "").unwrap();
    state.next_boot(|boot| boot.checked_add(1)).unwrap();
    assert!(is_noted());
    fs::remove_file(&file).unwrap();
    let is_refused = || match NodeFile::load(&dir) {
        Err(StoreError::Emptied { path }) => path == home.path().join("users"),
        other => other.is_err(),
    };
    assert!(is_refused());
    // What was not put there by us is nobody's file.
    fs::create_dir(home.path().join("users/lost+found")).unwrap();
    assert!(is_refused());
    // Of the only user something was set aside, and nothing else is there.
    fs::write(&aside, "").unwrap();
    assert!(is_noted());
    fs::remove_file(&aside).unwrap();
    fs::write(&file, "").unwrap();
    assert!(is_noted());
}

#[test]
fn r0122_old_damaged_files_do_not_stand_for_users_that_are_hidden() {
    let (home, dir, state) = started();
    state.note_users();
    let aside = |name: &str| fs::write(home.path().join("damaged").join(name), "").unwrap();
    aside("ada.1.jsonl");
    assert!(matches!(NodeFile::load(&dir), Err(StoreError::Emptied { .. })));
    aside("ada.mark");
    assert!(NodeFile::load(&dir).unwrap().is_some());
}

#[test]
fn node_state_notes_the_first_user_once() {
    let (home, dir, state) = started();
    fs::write(home.path().join("users/ada.jsonl"), "").unwrap();
    state.note_users();
    assert!(on_disk(&dir).holds_users && state.durable().holds_users);
    // Not written again: an old one stays.
    first_file().save(&dir).unwrap();
    state.note_users();
    assert!(!on_disk(&dir).holds_users);
}
