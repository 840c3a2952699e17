//! Who may import whom: each module of the library against the table of layers, and no cycles.

use std::collections::{BTreeMap, BTreeSet};

use super::files;

/// What everything may use.
const BASE: [&str; 9] =
    ["id", "limits", "clock", "json", "metrics", "order", "recent", "thread", "text"];

/// A module and what it may use. `a::b` allows that part of `a` alone. The command line may use
/// everything and is used by nobody.
const MAY_USE: [(&str, &[&str]); 24] = [
    ("id", &["limits"]),
    ("limits", &["id"]),
    ("clock", &["id", "limits"]),
    ("order", &[]),
    ("recent", &[]),
    ("json", &[]),
    ("text", &["id", "limits", "order"]),
    ("metrics", &["id", "limits", "clock", "thread"]),
    ("thread", &["id", "limits", "clock"]),
    // Pure: values in, values out. `thread` and `metrics` are not for them.
    ("user", &["id", "limits", "clock", "json", "text"]),
    ("action", &["id", "limits", "clock", "json", "text", "user"]),
    ("index", &["id", "limits", "clock", "order", "text", "user"]),
    ("replica", &["id", "limits", "clock", "json", "user"]),
    ("picture", &["id", "limits"]),
    // Types and their bytes.
    ("wire", &["id", "limits", "clock", "json", "text", "user", "action", "replica"]),
    // What touches the world. A version is a value that travels through all of it; the roles of the
    // protocol are for `cluster` alone.
    ("transport", &["BASE", "wire"]),
    ("store", &["BASE", "user", "wire", "replica::version"]),
    ("backup", &["BASE", "user::entry", "store", "replica::version"]),
    ("auth", &["BASE", "user", "action", "wire", "replica::version"]),
    (
        "cluster",
        &["BASE", "user", "action", "index", "wire", "replica", "store", "transport", "auth"],
    ),
    // The two servers.
    (
        "backend",
        &[
            "BASE",
            "user",
            "action",
            "index",
            "wire",
            "replica::version",
            "store",
            "transport",
            "auth",
            "cluster",
            "picture",
        ],
    ),
    ("web", &["BASE", "picture", "action", "user::entry", "wire::request", "auth", "transport"]),
    ("cli", &["*"]),
    // Properties of all that reads bytes from outside; in no release.
    ("fuzzing", &["*"]),
];

/// Each `crate::…` path outside comments, as its first two names.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let code: Vec<_> =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join(" ");
    for (at, _) in code.match_indices("crate::") {
        let inside_a_name = code[..at].ends_with(|c: char| c.is_alphanumeric() || "_$".contains(c));
        if !inside_a_name {
            paths(&code[at + "crate::".len()..], 2, "", &mut found);
        }
    }
    found
}

/// The paths of a use tree, cut after `depth` names.
fn paths(tree: &str, depth: usize, before: &str, found: &mut BTreeSet<String>) {
    let tree = tree.trim_start();
    if let Some(group) = tree.strip_prefix('{') {
        for branch in branches(group) {
            paths(branch, depth, before, found);
        }
        return;
    }
    let end = tree.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(tree.len());
    let (name, rest) = tree.split_at(end);
    let path = if before.is_empty() { name.to_owned() } else { format!("{before}::{name}") };
    match rest.trim_start().strip_prefix("::") {
        Some(rest) if depth > 1 && !name.is_empty() => paths(rest, depth - 1, &path, found),
        _ if name.is_empty() || name == "self" => {
            found.extend((!before.is_empty()).then(|| before.to_owned()));
        }
        _ => {
            found.insert(path);
        }
    }
}

/// The parts of a group, without its closing brace.
fn branches(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

/// Each top-level module with what it imports, and from which file.
fn graph() -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut graph: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for (path, text) in files("src", "rs") {
        let mut parts = path.iter().skip(1).filter_map(|part| part.to_str());
        let module = parts.next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        if !["main", "lib"].contains(&module.as_str()) {
            let from = path.display().to_string();
            let found = imports(&text).into_iter().map(|import| (import, from.clone()));
            graph.entry(module).or_default().extend(found);
        }
    }
    graph
}

fn is_allowed(module: &str, import: &str, allowed: &[&str]) -> bool {
    let top = import.split("::").next().unwrap_or_default();
    // A macro that the library exports at its root has no module.
    let covers = |rule: &&str| match *rule {
        "*" => true,
        "BASE" => BASE.contains(&top),
        rule => rule == top || rule == import,
    };
    top == module || allowed.iter().any(covers)
}

#[test]
fn imports_follow_the_layers() {
    let table: BTreeMap<_, _> = MAY_USE.into_iter().collect();
    let mut offenders = Vec::new();
    for (module, imports) in graph() {
        let Some(allowed) = table.get(module.as_str()) else {
            offenders.push(format!("{module} stands in no layer: add it to the table"));
            continue;
        };
        for (import, from) in imports {
            if !is_allowed(&module, &import, allowed) {
                offenders.push(format!("{from}: {module} may not use {import}"));
            }
        }
    }
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

/// Some cycle among the modules, as the names along it.
fn cycle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    // Modules from which no import leads out of the ones taken away already are on no cycle.
    let mut left = edges.clone();
    loop {
        let names: BTreeSet<_> = left.keys().cloned().collect();
        let before = left.len();
        left.retain(|_, imports| imports.iter().any(|import| names.contains(import)));
        if left.len() == before {
            break;
        }
    }
    (!left.is_empty()).then(|| left.into_keys().collect())
}

#[test]
fn modules_import_each_other_in_no_cycle() {
    let edges = graph().into_iter().map(|(module, imports)| {
        let tops = imports.into_iter().filter_map(|(import, _)| {
            import.split("::").next().map(str::to_owned).filter(|top| *top != module)
        });
        let tops = tops.collect();
        (module, tops)
    });
    assert_eq!(cycle(&edges.collect()), None, "these modules lie on cycles, or lead to one");
}

#[test]
fn imports_read_from_groups_paths_and_not_from_comments() {
    let text = "use crate::{id::{NodeId, UserName}, clock, user::{self, entry::Entry}};\n\
                // crate::store\n/// [`crate::web`]\nlet x = crate::thread::Stop::new();\n\
                mycrate::cluster::x(); use crate::wire::\n  request::Request;";
    let expected = [
        "clock",
        "id::NodeId",
        "id::UserName",
        "thread::Stop",
        "user",
        "user::entry",
        "wire::request",
    ];
    assert_eq!(imports(text), expected.map(str::to_owned).into());
}

#[test]
fn rules_for_a_part_do_not_cover_the_whole() {
    assert!(is_allowed("web", "wire::request", &["wire::request"]));
    assert!(!is_allowed("web", "wire::message", &["wire::request"]));
    assert!(!is_allowed("web", "wire", &["wire::request"]));
    assert!(is_allowed("web", "web::page", &[]));
    assert!(is_allowed("store", "thread::Stop", &["BASE"]));
    assert!(!is_allowed("replica", "thread::Stop", &["id"]));
}

#[test]
fn cycle_found_where_one_is() {
    let graph = |edges: &[(&str, &[&str])]| {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        edges.iter().map(|(from, to)| ((*from).to_owned(), own(to))).collect()
    };
    assert_eq!(cycle(&graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])), None);
    let found = cycle(&graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &[])]));
    assert_eq!(found, Some(["a", "b", "c"].map(str::to_owned).to_vec()));
}
