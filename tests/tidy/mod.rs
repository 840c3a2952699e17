//! Rules about the project's own files that no compiler checks: sizes, names, what stands at the top.
//! The rules about imports are in `layers`, those about words in `words`.

mod layers;
mod threads;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a source file, at most: a longer one needs a guide.
const FILE_LINES_MAX: usize = 600;
/// What may stand at the top of the project, besides names that begin with a dot.
const TOP_LEVEL: [&str; 8] =
    ["Cargo.lock", "Cargo.toml", "LICENSE", "Makefile", "README.md", "db", "src", "tests"];
/// Crates that are, or come with, an async runtime.
const ASYNC_RUNTIMES: [&str; 8] = [
    "async-executor",
    "async-io",
    "async-std",
    "futures-executor",
    "glommio",
    "monoio",
    "smol",
    "tokio",
];
/// Names that say nothing: what has no name yet has no home yet.
const NAMES_WITHOUT_MEANING: [&str; 5] = ["common", "helpers", "manager", "misc", "util"];

/// The project's directory.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `directory` with this extension, by name, with its text.
fn files(directory: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut left = vec![root().join(directory)];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|is| is == extension) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty() || extension != "rs", "no {extension} below {directory}");
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    [files("src", "rs"), files("tests", "rs")].concat()
}

fn assert_none(offenders: &[String], rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

#[test]
fn source_files_open_with_docs_and_keep_their_size() {
    let mut offenders = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            offenders.push(format!("{}: {lines} lines", path.display()));
        }
        if !text.starts_with("//!") && !text.starts_with("#![doc = include_str!") {
            offenders.push(format!("{}: does not open with //!", path.display()));
        }
    }
    assert_none(&offenders, "a source file says what it is, in at most 600 lines");
}

#[test]
fn folders_with_sources_have_a_mod_file() {
    let mut offenders = Vec::new();
    for (path, _text) in sources() {
        let folder = root().join(path.parent().unwrap());
        let opened = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| folder.join(name).is_file());
        if !opened {
            offenders.push(path.display().to_string());
        }
    }
    assert_none(&offenders, "a folder of modules has its mod.rs");
}

#[test]
fn file_names_have_meaning() {
    let mut offenders = Vec::new();
    for (path, _text) in sources() {
        let words = path.iter().filter_map(|part| part.to_str());
        let stems = words.map(|word| word.trim_end_matches(".rs"));
        if stems.into_iter().any(|stem| NAMES_WITHOUT_MEANING.contains(&stem)) {
            offenders.push(path.display().to_string());
        }
    }
    assert_none(&offenders, "a file's name says what it holds");
}

#[test]
fn open_ends_bear_a_number() {
    let mark = concat!("TO", "DO");
    let mut offenders = Vec::new();
    for (path, text) in sources() {
        let bare = |line: &&str| line.contains(mark) && !line.contains(&format!("{mark}(#"));
        offenders
            .extend(text.lines().filter(bare).map(|line| format!("{}: {line}", path.display())));
    }
    assert_none(&offenders, "what is left open names its issue");
}

#[test]
fn templates_escape_everything() {
    let mut offenders = Vec::new();
    for extension in ["html", "svg", "txt", "xml"] {
        for (path, text) in files("src", extension) {
            let packed: String = text.split_whitespace().collect();
            if packed.contains("|safe") || packed.contains("escape(\"none\"") {
                offenders.push(path.display().to_string());
            }
        }
    }
    assert_none(&offenders, "no template switches escaping off");
}

#[test]
fn top_level_holds_nothing_else() {
    let mut offenders = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // Cargo's directory is no part of the project.
        if !name.starts_with('.') && name != "target" && !TOP_LEVEL.contains(&name.as_str()) {
            offenders.push(name);
        }
    }
    assert_none(&offenders, "the top level stays as it is");
}

#[test]
fn dependencies_bring_no_async_runtime() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut offenders = Vec::new();
    for line in lock.lines() {
        let name = line.strip_prefix("name = \"").map(|rest| rest.trim_end_matches('"'));
        offenders.extend(name.filter(|name| ASYNC_RUNTIMES.contains(name)).map(str::to_owned));
    }
    assert_none(&offenders, "threads block; nothing is async");
}

#[test]
fn readme_names_commands_that_exist() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    for target in ["run-cluster", "test"] {
        assert!(
            readme.contains(&format!("make {target}")),
            "README.md does not tell make {target}"
        );
        assert!(makefile.contains(&format!("\n{target}:")), "Makefile has no {target}");
    }
}
