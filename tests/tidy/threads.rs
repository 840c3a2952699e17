//! What is written about threads, and which of them end the process if they fail.

use super::{assert_none, root, sources};

/// The calls that spawn, each with its first argument that is a name.
const SPAWNS: [&str; 4] = ["spawn_named(", "spawn_vital(", "spawn_owned(", "side_by_side("];

/// The program's part of a file, without the tests at its end.
fn program(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default()
}

/// The first text in quotes.
fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

/// What a thread that is spawned at this place of a file is called: there, or where the name is made.
fn name_at(text: &str, at: usize) -> Option<&str> {
    let call = &text[at..];
    let is_made = call.find("&name") < call.find('"') && call.contains("&name");
    if !is_made {
        return quoted(call);
    }
    let made = text[..at].rfind("let name = format!(")?;
    quoted(&text[made..])
}

/// A name with the numbers in it left open.
fn open(name: &str) -> String {
    let parts = name.split('-').map(|part| {
        let is_open = part.starts_with('{') || part == "N" || part == "P";
        if is_open { "*" } else { part }
    });
    parts.collect::<Vec<_>>().join("-")
}

#[test]
fn r0121_every_thread_stands_in_the_table() {
    let table = std::fs::read_to_string(root().join("src/ARCHITECTURE.md")).unwrap();
    let (_, table) = table.split_once("## Threads").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let listed: Vec<String> =
        table.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(open).collect();
    let mut lacking = Vec::new();
    let mut found = 0;
    for (path, text) in sources() {
        let is_other = path.ends_with("thread.rs") || path.to_string_lossy().contains("tests");
        if is_other || path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let text = program(&text);
        for (at, call) in SPAWNS.iter().flat_map(|call| text.match_indices(call)) {
            let Some(name) = name_at(text, at + call.len()) else { continue };
            found += 1;
            let is_listed = listed.contains(&open(name)) || listed.contains(&format!("{name}-*"));
            if !is_listed && !name.starts_with('{') {
                lacking.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(found >= 20, "{found}");
    assert_none(&lacking, "every thread stands in the table of ARCHITECTURE.md");
}

#[test]
fn r0118_threads_without_which_nothing_is_served_end_the_process() {
    let mut offenders = Vec::new();
    for (file, name) in [
        ("src/web/gate/mod.rs", "\"gate\""),
        ("src/web/run.rs", "\"watch\""),
        ("src/web/backends/mod.rs", "\"watch-{number}\""),
        ("src/transport/listener.rs", "\"accept\""),
        ("src/cluster/link.rs", "\"ping-{}\""),
    ] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let at = text.find(name).unwrap_or_else(|| panic!("{file}: {name}"));
        // The call is before its name, or behind where that is made.
        let line = text[..at].rfind("let name").filter(|made| at - made < 30);
        let spawns = match line {
            Some(_) => text[at..].find("spawn_").map(|from| &text[at + from..]),
            None => text[..at].rfind("spawn_").map(|from| &text[from..]),
        };
        if !spawns.unwrap_or_default().starts_with("spawn_vital(") {
            offenders.push(format!("{file}: {name}"));
        }
    }
    assert_none(&offenders, "a thread that the process cannot do without is a vital one");
}
