//! Names and files: what a name may become, and what a member takes along.

use std::collections::BTreeSet;

use crate::cluster::harness::{Cluster, Options};

/// Everything below the data directory, by path.
fn paths(directory: &std::path::Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        found.insert(path.display().to_string());
        if path.is_dir() {
            paths(&path, found);
        }
    }
}

#[test]
fn s36_names_that_are_paths_become_no_files() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    cluster.person("ada").join();
    let all = || {
        let mut found = BTreeSet::new();
        paths(cluster.data().parent().unwrap(), &mut found);
        found
    };
    let before = all();
    let long = "a".repeat(255);
    for name in [
        "..",
        ".",
        "../eve",
        "a/../b",
        "/etc/passwd",
        "..\\eve",
        "%2e%2e",
        "%2e%2e%2feve",
        "con",
        "nul",
        "com1",
        "eve.",
        "eve.jsonl",
        "eve\0",
        "ev\u{ff45}",
        "\u{212a}elvin",
        &long,
    ] {
        let mut eve = cluster.person("eve");
        let typed = [("username", name), ("password", "a quiet gull sleeps")];
        assert_eq!(eve.act("/join", "/join", &typed).status, 422, "{name:?}");
        let typed = [("username", name), ("password", "a quiet gull sleeps")];
        assert_eq!(eve.act("/login", "/login", &typed).status, 422, "{name:?}");
        let path: Vec<_> = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(eve.get(&format!("/@{}", path.concat())).status, 404, "{name:?}");
    }
    assert_eq!(all(), before);
}

#[test]
fn s40_what_one_takes_along_holds_no_secret_and_nobody_else() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let (mut ada, mut ben) = (cluster.person("ada"), cluster.person("ben"));
    ada.join();
    ben.join();
    assert_eq!(ada.post("Hers to take along").status, 303);
    assert_eq!(ben.post("Not hers, though it names @ada").status, 303);
    let file = std::fs::read_to_string(cluster.node_data(1).join("users/ada.jsonl")).unwrap();
    let secret = |key: &str| {
        let found = file.split(&format!("\"{key}\":\"")).nth(1);
        found.and_then(|rest| rest.split('"').next()).unwrap().to_owned()
    };
    let hash = secret("hash");
    let token = ada.cookie("s").unwrap().strip_prefix("ada.").unwrap().to_owned();
    assert!(hash.starts_with("$argon2id$"));
    for address in ["/settings/data/tern.json", "/settings/data/posts.html"] {
        let taken = ada.get(address);
        assert_eq!(taken.status, 200, "{address}");
        assert!(taken.body.contains("Hers to take along"), "{}", taken.body);
        for other in ["argon2", "Not hers", hash.as_str(), token.as_str(), "session", "127.0.0.1"] {
            assert!(!taken.body.contains(other), "{other} in {address}:\n{}", taken.body);
        }
        assert_ne!(cluster.person("stranger").get(address).status, 200, "{address}");
    }
}
