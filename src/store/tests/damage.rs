//! Tests of marks and of files set aside.

use std::fs;

use super::user_store::Home;
use super::{History, ada};
use crate::limits::MARK_BYTES_MAX;
use crate::store::{Loaded, StoreError};

fn marks(home: &Home) -> Vec<(String, String)> {
    let marks = home.store.marks().unwrap();
    marks.into_iter().map(|(user, why)| (user.as_str().to_owned(), why)).collect()
}

fn one(why: &str) -> Vec<(String, String)> {
    vec![("ada".to_owned(), why.to_owned())]
}

#[test]
fn mark_outlives_restart_and_keeps_first_reason() {
    let home = Home::new();
    assert_eq!(marks(&home), []);
    home.store.mark_damaged(&ada(), "the disk\nsaid no").unwrap();
    home.store.mark_damaged(&ada(), "and again").unwrap();
    let home = home.reopen();
    assert_eq!(marks(&home), one("the disk said no"));
    home.store.clear_mark(&ada()).unwrap();
    home.store.clear_mark(&ada()).unwrap();
    assert_eq!(marks(&home.reopen()), []);
}

#[test]
fn mark_reason_cut_between_characters() {
    let home = Home::new();
    home.store.mark_damaged(&ada(), &"é".repeat(MARK_BYTES_MAX)).unwrap();
    let why = "é".repeat((MARK_BYTES_MAX - 1) / 2);
    assert_eq!(marks(&home), one(&why));
}

#[test]
fn mark_without_reason_still_marks() {
    let home = Home::new();
    fs::write(home.path("damaged/ada.mark"), b"").unwrap();
    assert_eq!(marks(&home), one(""));
    fs::write(home.path("damaged/ada.mark"), [0xff, 0xfe]).unwrap();
    assert_eq!(marks(&home), one("\u{fffd}\u{fffd}"));
}

#[test]
fn mark_that_is_no_file_reported() {
    let home = Home::new();
    fs::create_dir(home.path("damaged/ada.mark")).unwrap();
    assert!(matches!(home.store.marks(), Err(StoreError::Foreign { .. })));
    assert!(matches!(home.store.mark_damaged(&ada(), "why"), Err(StoreError::Foreign { .. })));
}

#[test]
fn file_set_aside_whole_leaves_nothing_under_its_name() {
    let bytes = History::of(2).bytes;
    let home = Home::with_ada(&bytes);
    home.store.set_aside_whole(&ada(), "it is another's").unwrap();
    assert_eq!(marks(&home), one("it is another's"));
    assert!(!home.path("users/ada.jsonl").exists());
    assert_eq!(fs::read(home.path("damaged/ada.1.jsonl")).unwrap(), bytes);
    // Also where there is nothing.
    home.store.set_aside_whole(&ada(), "and again").unwrap();
    assert_eq!(marks(&home), one("it is another's"));
}

#[test]
fn set_aside_keeps_every_bad_file() {
    let home = Home::with_ada(b"first bad\n");
    home.store.set_aside(&ada(), "checksum").unwrap();
    assert_eq!(home.load().unwrap().0, Loaded::default());
    assert!(!home.path("users/ada.jsonl").exists());
    let history = History::of(1);
    let bad = [&history.bytes[..], b"second bad\n"].concat();
    home.store.replace(&ada(), &bad).unwrap();
    // Reading has opened the file that is set aside next.
    home.store.read_prefix(&ada(), 1).unwrap();
    home.store.set_aside(&ada(), "again").unwrap();
    let intact = home.store.read_prefix(&ada(), history.bytes.len() as u64).unwrap();
    assert_eq!((&intact, home.ada_bytes()), (&history.bytes, history.bytes.clone()));
    assert_eq!(fs::read(home.path("damaged/ada.1.jsonl")).unwrap(), b"first bad\n");
    assert_eq!(fs::read(home.path("damaged/ada.2.jsonl")).unwrap(), bad);
    assert_eq!(marks(&home.reopen()), one("checksum"));
}

#[test]
fn set_aside_without_file_marks() {
    let home = Home::new();
    home.store.set_aside(&ada(), "it is gone").unwrap();
    assert_eq!(marks(&home), one("it is gone"));
    let others: Vec<_> = fs::read_dir(home.path("damaged")).unwrap().collect();
    assert_eq!(others.len(), 1);
}

#[test]
fn set_aside_without_mark_moves_nothing() {
    let home = Home::with_ada(b"bad\n");
    fs::create_dir(home.path("damaged/ada.mark")).unwrap();
    assert!(home.store.set_aside(&ada(), "why").is_err());
    assert_eq!(home.ada_bytes(), b"bad\n");
}

#[test]
fn set_aside_of_others_left_alone() {
    let home = Home::with_ada(b"bad\n");
    fs::write(home.path("damaged/ada.7.jsonl"), b"kept").unwrap();
    fs::write(home.path("damaged/ben.9.jsonl"), b"kept").unwrap();
    fs::write(home.path("damaged/notes.txt"), b"kept").unwrap();
    home.store.set_aside(&ada(), "why").unwrap();
    assert_eq!(fs::read(home.path("damaged/ada.8.jsonl")).unwrap(), b"bad\n");
    for name in ["ada.7.jsonl", "ben.9.jsonl", "notes.txt"] {
        assert_eq!(fs::read(home.path("damaged").join(name)).unwrap(), b"kept");
    }
    assert_eq!(marks(&home), one("why"));
}
