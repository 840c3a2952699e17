//! What the machines have on disk, as the order that all answers must fit: one user's lines.

use std::collections::BTreeMap;
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
