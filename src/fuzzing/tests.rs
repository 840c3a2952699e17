//! The corpus, run through the properties without a fuzzer.

use std::fs;
use std::path::{Path, PathBuf};

use super::{TARGETS, check};

/// Bytes of a kept file, at most: the corpus is small, and its files can be looked at.
const KEPT_BYTES_MAX: u64 = 16 * 1024;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus")
}

/// The names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|e| panic!("{directory:?}: {e}"));
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What is read from outside, and the target for it.
const READ: [(&str, &str); 12] = [
    ("the head of an HTTP request", "head"),
    ("the body of a form", "form"),
    ("a form that brings files", "parts"),
    ("what apps send", "params"),
    ("cookies", "cookie"),
    ("links in texts", "text"),
    ("a user's file of JSON", "line"),
    ("what machines say to each other", "frame"),
    ("where a form leads on", "next"),
    ("a user name", "username"),
    ("a file of configuration", "config"),
    ("a picture", "picture"),
];

#[test]
fn s48_what_comes_from_outside_has_a_target() {
    let has = |target: &str| TARGETS.iter().any(|(name, _)| *name == target);
    for (what, target) in READ {
        assert!(has(target), "nothing makes up {what}");
    }
    assert_eq!(TARGETS.len(), READ.len(), "each is for something");
}

#[test]
fn s48_every_target_has_a_program_and_a_corpus() {
    let mut expected: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    expected.sort();
    assert_eq!(names(&corpus()), expected);
    let manifest = fs::read_to_string(corpus().with_file_name("Cargo.toml")).unwrap();
    let bins = manifest.split("[[bin]]\nname = \"").skip(1);
    let mut bins: Vec<_> = bins.map(|bin| bin.split('"').next().unwrap()).collect();
    bins.sort_unstable();
    assert_eq!(bins, expected);
    let makefile = include_str!("../../Makefile");
    let run = makefile.lines().find_map(|line| line.strip_prefix("TARGETS = ")).unwrap();
    let mut run: Vec<_> = run.split(' ').collect();
    run.sort_unstable();
    assert_eq!(run, expected, "`make fuzz` runs all of them");
    for name in &expected {
        let kept = names(&corpus().join(name));
        assert!((12..=60).contains(&kept.len()), "{name} has {} files", kept.len());
    }
}

#[test]
fn corpus_keeps_every_property() {
    for (name, _) in TARGETS {
        let directory = corpus().join(name);
        for file in names(&directory) {
            let data = fs::read(directory.join(&file)).unwrap();
            assert!(data.len() as u64 <= KEPT_BYTES_MAX, "{name}/{file} is not small");
            let held = std::panic::catch_unwind(|| check(name, &data));
            assert!(held.is_ok(), "{name}/{file} breaks the property");
        }
    }
}
