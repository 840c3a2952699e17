//! What the machines have on disk, read as an operator would: lines of JSON.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::harness::{Cluster, eventually};

/// How long machines may take to agree after the last failure.
const AGREEMENT: Duration = Duration::from_mins(1);

/// Machines with directories of data.
pub(crate) trait Disks {
    /// How many machines: they are numbered from 1.
    fn machines(&self) -> u16;
    /// A machine's data directory.
    fn data_of(&self, node: u16) -> PathBuf;
}

impl Disks for Cluster {
    fn machines(&self) -> u16 {
        self.backends()
    }

    fn data_of(&self, node: u16) -> PathBuf {
        self.node_data(node)
    }
}

/// The files of one machine: name to text.
fn files(disks: &dyn Disks, node: u16) -> BTreeMap<String, String> {
    let users = disks.data_of(node).join("users");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(&users).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if let Some(user) = name.strip_suffix(".jsonl") {
            found.insert(user.to_owned(), fs::read_to_string(entry.path()).unwrap());
        }
    }
    found
}

/// The lines of a file; a last one that is being written does not count.
fn lines(text: &str) -> Vec<Value> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Each user's last version on one machine.
fn versions(disks: &dyn Disks, node: u16) -> BTreeMap<String, Value> {
    let version = |text: String| lines(&text).last().map_or(Value::Null, |line| line["v"].clone());
    files(disks, node).into_iter().map(|(user, text)| (user, version(text))).collect()
}

/// Waits until all machines hold the same version of every user.
pub(crate) fn wait_for_agreement(disks: &dyn Disks) {
    eventually("all machines' files agree", AGREEMENT, || {
        let first = versions(disks, 1);
        (2..=disks.machines()).all(|node| versions(disks, node) == first).then_some(())
    });
}

/// The texts of a user's posts on one machine, in the order of the file.
pub(crate) fn posts(disks: &dyn Disks, node: u16, user: &str) -> Vec<String> {
    let all = files(disks, node);
    let text = all.get(user).unwrap_or_else(|| panic!("machine {node} has no file of {user}"));
    let lines = lines(text);
    let entries = lines.iter().filter_map(|line| line["d"].as_array()).flatten();
    let posted = entries.filter(|entry| entry["e"] == "posted");
    posted.map(|entry| entry["text"].as_str().expect("a text").to_owned()).collect()
}

/// How many entries of a kind the first machine's file of a user holds.
pub(crate) fn entries(disks: &dyn Disks, user: &str, kind: &str) -> usize {
    assert!(files(disks, 1).contains_key(user), "no file of {user}");
    count_of(disks, 1, user, kind)
}

/// How many entries of a kind a machine's file of a user holds; none where there is no file.
pub(crate) fn count_of(disks: &dyn Disks, node: u16, user: &str, kind: &str) -> usize {
    let path = disks.data_of(node).join(format!("users/{user}.jsonl"));
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return 0,
        read => read.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    };
    let lines = lines(&text);
    let entries = lines.iter().filter_map(|line| line["d"].as_array()).flatten();
    entries.filter(|entry| entry["e"] == kind).count()
}

/// Checks that every machine holds each of these posts exactly once, and none of the user's twice.
pub(crate) fn check_exactly_once(disks: &dyn Disks, user: &str, acknowledged: &[String]) {
    for node in 1..=disks.machines() {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for text in posts(disks, node, user) {
            *counts.entry(text).or_default() += 1;
        }
        let twice: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "machine {node} holds posts of {user} twice: {twice:?}");
        let lost: Vec<_> = acknowledged.iter().filter(|text| !counts.contains_key(*text)).collect();
        assert!(lost.is_empty(), "machine {node} lost acknowledged posts of {user}: {lost:?}");
    }
}
