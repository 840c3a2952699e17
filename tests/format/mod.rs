//! The format on disk: a directory of every released version loads, and is spelled as it was then;
//! `db/FORMAT.md` says what is so. A golden file changes only with a reason in the commit.

mod document;
mod golden;
mod later;

use std::path::{Path, PathBuf};

use tern::id::UserName;

/// A data directory as format 1 has it.
fn golden_v1() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format/v1")
}

/// Users' files with kinds of entries that the first version refuses.
fn golden_later() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format/later")
}

/// The part of a data directory that format 2 spells otherwise.
fn golden_v2() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format/v2")
}

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

/// A copy to work on, as `db` in a directory of its own.
fn copy_of_golden_v1() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let users = ["ada", "cleo", "finn", "hana", "zoe"].map(|name| format!("users/{name}.jsonl"));
    for name in users.iter().map(String::as_str).chain(["node.json", "damaged/ben.mark"]) {
        let to = home.path().join("db").join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(golden_v1().join(name), to).unwrap();
    }
    home
}
