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
    let said = ben.post("Not hers, though it names @ada").location.unwrap();
    // What others say of her, and what she says of others, is for keepers.
    let hers = cluster.person("ben").get("/@ada").body;
    let id = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let at = hers.find("/@ada/1").unwrap() + "/@ada/".len();
    let of_ada = format!("/@ada/{}/report", id(&hers[at..]));
    let of_ben = format!("/@ben/{}/report", id(said.split_once("posted=").unwrap().1));
    let reason = [("reason", "Unkind to ladders")];
    assert_eq!(ben.act(&of_ada, &of_ada, &reason).status, 303);
    assert_eq!(ada.act(&of_ben, &of_ben, &reason).status, 303);
    // A link for her password is on its way.
    cluster.order(&["passwd", "ada"]);
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
        let link = secret("link");
        for other in [
            "argon2",
            "Not hers",
            hash.as_str(),
            token.as_str(),
            link.as_str(),
            "session",
            "127.0.0.1",
            "Unkind",
            "report",
        ] {
            assert!(!taken.body.contains(other), "{other} in {address}:\n{}", taken.body);
        }
        assert_ne!(cluster.person("stranger").get(address).status, 200, "{address}");
    }
}
