//! What the machines have on disk, as the order that all answers must fit: one user's lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

/// A line of a user's file, as far as the checks ask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Line {
    /// Its version.
    pub(super) version: String,
    /// Requests it answers: id and result.
    pub(super) requests: Vec<(String, String)>,
    pub(super) entries: Vec<Entry>,
    /// Whether it sums up lines that are gone.
    pub(super) is_summary: bool,
}

/// An entry, as far as the checks ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Joined,
    Posted { id: String, text: String },
    Deleted { id: String },
    Followed { user: String },
    Unfollowed { user: String },
    Other(String),
}

/// All users of one machine, by name.
pub(super) type Files = BTreeMap<String, Vec<Line>>;

/// Reads a machine's files; a last line that is being written does not count.
pub(super) fn read(data: &Path) -> std::io::Result<Files> {
    let mut files = Files::new();
    for entry in std::fs::read_dir(data.join("users"))? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if let Some(user) = name.strip_suffix(".jsonl") {
            let text = std::fs::read_to_string(entry.path())?;
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            files.insert(user.to_owned(), whole.lines().map(line).collect());
        }
    }
    Ok(files)
}

/// What a majority of machines holds of each user, once every other has all of that too. It may have
/// lines beyond: of an act that nobody was told of, which the next write builds on or does away with.
pub(super) fn agreed(all: &[Files]) -> Option<Files> {
    let users: BTreeSet<_> = all.iter().flat_map(Files::keys).collect();
    let mut agreed = Files::new();
    for user in users {
        let held: Vec<&[Line]> =
            all.iter().map(|files| files.get(user).map_or(&[][..], Vec::as_slice)).collect();
        let count = |lines: &[Line]| held.iter().filter(|other| **other == lines).count();
        let most = held.iter().find(|lines| 2 * count(lines) > held.len())?;
        if !held.iter().all(|lines| lines.starts_with(most)) {
            return None;
        }
        agreed.insert(user.clone(), most.to_vec());
    }
    Some(agreed)
}

/// Where machines differ: users with the last versions and the number of lines on each.
pub(super) fn differences(all: &[Files]) -> String {
    let users: BTreeSet<_> = all.iter().flat_map(Files::keys).collect();
    let mut text = String::new();
    for user in users {
        let held: Vec<_> = all.iter().map(|files| files.get(user)).collect();
        if held.windows(2).any(|pair| pair[0] != pair[1]) {
            let ends = held.iter().map(|lines| {
                let last = lines.and_then(|lines| lines.last());
                (lines.map_or(0, Vec::len), last.map_or("none", |line| &line.version))
            });
            let _infallible = writeln!(text, "{user}: {:?}", ends.collect::<Vec<_>>());
        }
    }
    text
}

fn line(text: &str) -> Line {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let list = |field: &str| value[field].as_array().cloned().unwrap_or_default();
    Line {
        version: word(&value["v"]),
        requests: list("q").iter().map(|one| (word(&one[0]), word(&one[2]))).collect(),
        entries: list("d").iter().map(entry).collect(),
        is_summary: value["k"] == "s",
    }
}

fn entry(value: &Value) -> Entry {
    let field = |name: &str| word(&value[name]);
    match value["e"].as_str().unwrap_or_default() {
        "joined" => Entry::Joined,
        "posted" => Entry::Posted { id: field("id"), text: field("text") },
        "post_deleted" => Entry::Deleted { id: field("id") },
        "followed" => Entry::Followed { user: field("user") },
        "unfollowed" => Entry::Unfollowed { user: field("user") },
        other => Entry::Other(other.to_owned()),
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(versions: &[&str]) -> Files {
        let line = |version: &&str| Line { version: (*version).to_owned(), ..Line::default() };
        Files::from([("ada".to_owned(), versions.iter().map(line).collect())])
    }

    #[test]
    fn majority_agrees_and_nobody_is_behind_it() {
        let (one, two, fork) = (files(&["1"]), files(&["1", "2"]), files(&["1", "3"]));
        let agreed = |a: &Files, b: &Files, c: &Files| agreed(&[a.clone(), b.clone(), c.clone()]);
        assert_eq!(agreed(&two, &two, &two), Some(two.clone()));
        assert_eq!(agreed(&one, &two, &one), Some(one.clone()), "an open end");
        assert_eq!(agreed(&two, &two, &one), None, "one is behind");
        assert_eq!(agreed(&two, &fork, &two), None, "one went another way");
        assert_eq!(agreed(&one, &two, &fork), None, "no majority");
        assert_eq!(agreed(&two, &two, &Files::new()), None, "one has nothing");
    }
}
