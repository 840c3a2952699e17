//! A process that is killed while it saves: what it said was saved is there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use tern::store::{DataDir, StoreError, UserStore};

use super::{CHILD_DIR, History, Home, ada, child, reopened};

/// Not a test by itself: what the process does that is killed.
#[test]
fn child_saves_until_killed() {
    let Ok(directory) = std::env::var(CHILD_DIR) else { return };
    let store = UserStore::open(&DataDir::open(Path::new(&directory)).unwrap()).unwrap();
    let mut history = History::default();
    // Far more than it will live to do, so that it ends even when nobody kills it.
    for number in 1..=100_000 {
        let at = history.bytes.len() as u64;
        let line = history.add(&format!("post {number}"));
        store.append(&ada(), at, &line).unwrap();
        eprintln!("saved {number}");
    }
}

#[test]
fn killed_process_loses_no_saved_line() {
    let home = Home::new();
    let mut process = child("crash::kill::child_saves_until_killed", &home.path(""), &[])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut saved = BufReader::new(process.stderr.take().unwrap()).lines().filter_map(|line| {
        let line = line.unwrap();
        line.strip_prefix("saved ").map(|number| number.parse::<u32>().unwrap())
    });
    assert_eq!(saved.nth(29), Some(30));
    assert!(matches!(DataDir::open(&home.path("")), Err(StoreError::InUse { .. })));
    process.kill().unwrap();
    process.wait().unwrap();
    let said = saved.last().unwrap_or(30);

    home.open().start().unwrap();
    let found = reopened(&home, |version| History::of(version.seq)).acc.seq;
    // The line that was being written may have become whole before the answer.
    assert!(found == said || found == said + 1, "{found} lines of {said}");
}
