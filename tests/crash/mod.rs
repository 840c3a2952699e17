//! A save that is cut off at any point reopens as the old state or the new one, and as nothing else.
//!
//! What a crash leaves is built byte by byte (`cut`), a process is killed for real (`kill`), and
//! the disk runs full (`full`). Not covered, because it takes a machine that loses power: whether
//! the file system keeps its word about fsync, of a directory above all. The calls and their order
//! are in `store/directory.rs` and `store/file.rs`.

mod cut;
mod full;
mod history;
mod kill;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use tern::id::UserName;
use tern::replica::version::Version;
use tern::store::{DataDir, Loaded, UserStore};

use history::History;

/// Names the data directory to a process that a test starts from this same program.
const CHILD_DIR: &str = "TERN_TEST_CHILD_DIR";

fn ada() -> UserName {
    UserName::parse("ada").unwrap()
}

/// A data directory in which a process has died.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        drop(home.open());
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn get(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn open(&self) -> UserStore {
        UserStore::open(&DataDir::open(self.0.path()).unwrap()).unwrap()
    }
}

/// Loads ada's file and says what is in it, having seen that it takes another line and loads again.
fn reopened(home: &Home, history: impl Fn(Version) -> History) -> Loaded {
    let store = home.open();
    let found = store.load(&ada(), &mut |_| {}).unwrap();
    let mut history = history(found.acc);
    assert_eq!(found.len, history.bytes.len() as u64);
    let line = history.add("one more");
    store.append(&ada(), found.len, &line).unwrap();
    drop(store);
    let again = home.open().load(&ada(), &mut |_| {}).unwrap();
    assert_eq!((again.acc, again.hash), (history.version, history.hash));
    assert_eq!(home.get("users/ada.jsonl"), history.bytes);
    found
}

/// This program again, running one test alone, in `directory`; `shell` runs first if given.
fn child(test: &str, directory: &std::path::Path, wrapper: &[&str]) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut words = wrapper.iter().map(std::ffi::OsString::from).collect::<Vec<_>>();
    words.push(program.into());
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD_DIR, directory);
    command
}
