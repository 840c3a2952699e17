//! Statement 47: what the program is made of, as `make sbom` says it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What `make sbom` makes: the list, and the licences.
fn made() -> (String, String) {
    let to = tempfile::tempdir().unwrap();
    let script = root().join(".cargo/sbom.sh");
    let done = Command::new("sh").arg(script).arg(to.path()).current_dir(root()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |name: &str| std::fs::read_to_string(to.path().join(name)).unwrap();
    let left = std::fs::read_dir(to.path()).unwrap().count();
    assert_eq!(left, 2, "nothing else is left there");
    (read("tern.cdx.json"), read("LICENCES"))
}

/// The checksums in Cargo.lock, by name and version.
fn locked() -> BTreeMap<(String, String), String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let packages = lock.split("[[package]]").skip(1);
    let of = |package: &str, key: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    let found = packages.filter_map(|package| {
        let (name, version) = (of(package, "name")?, of(package, "version")?);
        Some(((name, version), of(package, "checksum")?))
    });
    found.collect()
}

#[test]
fn s47_list_of_parts_has_each_crate_with_its_hash_and_licence() {
    let (list, licences) = made();
    let parsed: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(
        (&parsed["bomFormat"], &parsed["specVersion"]),
        (&"CycloneDX".into(), &"1.5".into())
    );
    let own = &parsed["metadata"]["component"];
    assert_eq!(
        (&own["name"], &own["version"]),
        (&"tern".into(), &env!("CARGO_PKG_VERSION").into())
    );
    let locked = locked();
    let mut names = BTreeSet::new();
    for part in parsed["components"].as_array().unwrap() {
        let text = |of: &Value| of.as_str().unwrap_or_else(|| panic!("{part}")).to_owned();
        let (name, version) = (text(&part["name"]), text(&part["version"]));
        assert_eq!(text(&part["purl"]), format!("pkg:cargo/{name}@{version}"));
        let hash = text(&part["hashes"][0]["content"]);
        assert_eq!(locked.get(&(name.clone(), version.clone())), Some(&hash), "{name} {version}");
        let licence = text(&part["licenses"][0]["expression"]);
        assert!(!licence.contains('/') && licence.len() > 2, "{name}: {licence}");
        assert!(licences.contains(&format!("======== {name} {version}: ")), "{name}");
        names.insert(name);
    }
    // What each release is linked with, and nothing that only tests are.
    for needed in ["argon2", "snow", "tiny_http", "clap", "askama", "rustix", "serde_json"] {
        assert!(names.contains(needed), "{needed} is not in {names:?}");
    }
    assert!(!names.contains("ureq") && !names.contains("proptest"), "{names:?}");
    let without_text: Vec<&str> = licences
        .split("\n======== ")
        .skip(1)
        .filter(|part| !part.contains("\n-------- "))
        .map(|part| part.lines().next().unwrap())
        .collect();
    // Those that bring no text of their own say under which well-known one they are.
    assert!(without_text.len() * 10 < names.len(), "{without_text:?}");
    assert!(
        !licences.contains("/registry/") && !list.contains("/registry/"),
        "a path of this machine"
    );
}
