//! `db/FORMAT.md` against the golden directory: its commands give what it says, its tables name
//! what there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tern::user::entry::Entry;

use super::golden::crc32c;
use super::{copy_of_golden_v1, golden_later, golden_v1};

const DOCUMENT: &str = include_str!("../../db/FORMAT.md");

/// Each command of the document with the output printed below it.
fn examples() -> Vec<(&'static str, &'static str)> {
    let examples: Vec<_> = DOCUMENT
        .split("```sh\n")
        .skip(1)
        .map(|rest| {
            let (command, rest) = rest.split_once("\n```\n").unwrap();
            let output = rest.trim_start().strip_prefix("```text\n");
            let output = output.unwrap_or_else(|| panic!("no output below {command}"));
            (command, output.split_once("```").unwrap().0)
        })
        .collect();
    assert!(examples.len() >= 5, "the document has lost its examples");
    examples
}

fn golden_lines(name: &str) -> Vec<String> {
    let text = fs::read_to_string(golden_v1().join(name)).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Lines with the kinds of entries that came with the second feature, too.
fn all_lines() -> impl Iterator<Item = String> {
    let later = fs::read_dir(golden_later()).unwrap().map(|file| file.unwrap().path());
    let later = later.flat_map(|path| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let later: Vec<String> = later.collect();
    lines_v1().chain(later)
}

fn lines_v1() -> impl Iterator<Item = String> {
    ["ada", "cleo", "finn", "hana", "zoe"]
        .into_iter()
        .flat_map(|name| golden_lines(&format!("users/{name}.jsonl")))
}

/// The first column of the table under a heading, without its quotes.
fn table(heading: &str) -> BTreeSet<String> {
    let (_, section) = DOCUMENT.split_once(&format!("\n{heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|row| row.strip_prefix("| `")?.split_once('`'));
    rows.map(|(first, _)| first.to_owned()).collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

fn has(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

fn run(command: &str, directory: &Path) -> String {
    let output = Command::new("sh").args(["-c", command]).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn document_commands_print_what_it_says() {
    let home = copy_of_golden_v1();
    for (command, expected) in examples() {
        let tool = ["jq", "sha256sum"].into_iter().find(|tool| command.contains(tool));
        if tool.is_some_and(|tool| !has(tool)) {
            eprintln!("skipped, {tool:?} is not installed: {command}");
            continue;
        }
        assert_eq!(run(command, home.path()), expected, "{command}");
    }
}

#[test]
fn document_example_lines_are_golden_ones() {
    let (_, rest) = DOCUMENT.split_once("```json\n").unwrap();
    let line = rest.split_once("\n```").unwrap().0;
    assert!(golden_lines("users/ada.jsonl").iter().any(|golden| golden == line), "{line}");
    let (_, rest) = rest.split_once("```json\n").unwrap();
    let line = rest.split_once("\n```").unwrap().0;
    assert_eq!(golden_lines("users/finn.jsonl"), [line]);
}

#[test]
fn document_names_every_field_and_no_other() {
    let (fields, more) = (table("## A line"), table("## A snapshot"));
    let of_snapshots: BTreeSet<_> = fields.union(&more).cloned().collect();
    let mut snapshots = 0;
    for line in all_lines() {
        let line: Value = serde_json::from_str(&line).unwrap();
        let is_snapshot = line["k"] == "s";
        snapshots += u32::from(is_snapshot);
        assert_eq!(keys(&line), *if is_snapshot { &of_snapshots } else { &fields });
    }
    assert_eq!(snapshots, 2);
    let node: Value =
        serde_json::from_slice(&fs::read(golden_v1().join("node.json")).unwrap()).unwrap();
    let mut fields = keys(&node);
    fields.extend(node["members"].as_array().unwrap().iter().flat_map(keys));
    assert_eq!(table("## node.json"), fields);
}

#[test]
fn document_and_golden_files_have_every_kind_of_entry() {
    // The parser's own words are the one list that cannot be incomplete.
    let error = serde_json::from_str::<Entry>(r#"{"e":"?"}"#).unwrap_err().to_string();
    let (_, list) = error.split_once("expected one of ").unwrap();
    let kinds: BTreeSet<_> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(kinds.contains("joined") && kinds.contains("left"), "{error}");
    assert_eq!(table("## Entries"), kinds);
    let mut golden = BTreeSet::new();
    for line in all_lines() {
        let line: Value = serde_json::from_str(&line).unwrap();
        golden.extend(
            line["d"].as_array().unwrap().iter().map(|e| e["e"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(golden, kinds);
}

#[test]
fn document_checksum_is_the_files_checksum() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283, "the check value in the document");
    assert!(DOCUMENT.contains("e3069283"));
    for line in all_lines() {
        let (body, tail) = line.rsplit_once(",\"c\":\"").unwrap();
        assert_eq!(tail, format!("{:08x}\"}}", crc32c(body.as_bytes())));
    }
}
