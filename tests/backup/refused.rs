//! What the commands refuse, how they say so, and that nothing is left of it.

use std::path::Path;

use super::{backup, create, verified};
use crate::member::harness::{Machines, Ran};

/// A cluster of one machine with a member who posted, and a backup of it.
pub(super) fn one_machine() -> (Machines, std::path::PathBuf) {
    let all = Machines::start(1);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "kept");
    let file = create(&all, 1, "a.tar");
    verified(&file);
    (all, file)
}

fn restore(file: &Path, data: &Path, more: &[&str]) -> Ran {
    let (file, data) = (file.display().to_string(), format!("--data={}", data.display()));
    backup(&[&["restore", &file, &data], more].concat())
}

/// Everything below a directory: names and content.
pub(super) fn all_below(path: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let (mut found, mut left) = (Vec::new(), vec![path.to_owned()]);
    while let Some(next) = left.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path.clone());
                found.push((path, Vec::new()));
            } else {
                found.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn backup_that_is_damaged_is_told_and_never_restored() {
    let (all, file) = one_machine();
    let whole = std::fs::read(&file).unwrap();
    let home = all.dir.path().join("bad");
    std::fs::create_dir(&home).unwrap();
    let (bad, data) = (home.join("bad.tar"), home.join("db"));
    let shown = bad.display().to_string();
    let check = |bytes: &[u8], code: i32, what: &str| {
        std::fs::write(&bad, bytes).unwrap();
        backup(&["verify", &shown]).refused(code, what);
        let json = backup(&["verify", &shown, "--json"]);
        json.refused(code, "\"ok\":false");
        restore(&bad, &data, &[]).refused(code, what);
        assert_eq!(all_below(&home).len(), 1, "nothing was made beside the backup");
    };
    check(&whole[..whole.len() / 2], 1, "cut off");
    let mut flipped = whole.clone();
    let at = whole.windows(4).position(|four| four == b"kept").unwrap();
    flipped[at] = b'K';
    check(&flipped, 1, "users/ada.jsonl: damaged in line");
    check(&[whole.clone(), vec![0; 512]].concat(), 1, "behind its end");
    check(b"PK\x03\x04, or whatever it is that somebody has at hand", 1, "cut off");
    check(&[7; 2_048], 3, "no backup that tern made");
    backup(&["verify", "/nowhere/a.tar"]).refused(2, "cannot open");
    backup(&["verify", &file.display().to_string(), "--json"]).done();
}

/// The beginning of a real backup, and then an entry as somebody else would make it.
fn hostile(real: &Path, path: &str, kind: tar::EntryType, link: &str) -> Vec<u8> {
    let content = b"owned\n";
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_link_name_literal(link).unwrap();
    header.set_mode(0o600);
    header.set_size(if link.is_empty() { content.len() as u64 } else { 0 });
    let first = std::fs::read(real).unwrap()[..1_024].to_vec();
    header.set_mtime(tar::Header::from_byte_slice(&first[..512]).mtime().unwrap());
    header.set_cksum();
    let mut archive = tar::Builder::new(first);
    archive.append(&header, &content[..usize::try_from(header.size().unwrap()).unwrap()]).unwrap();
    archive.into_inner().unwrap()
}

#[test]
fn backup_of_names_that_lead_elsewhere_writes_nothing_anywhere() {
    let (all, file) = one_machine();
    let home = all.dir.path().join("hostile");
    std::fs::create_dir(&home).unwrap();
    let evil = home.join("evil.tar");
    let outside = home.join("ada.jsonl").display().to_string();
    let (plain, link) = (tar::EntryType::Regular, tar::EntryType::Symlink);
    for (path, kind, to, what) in [
        (outside.as_str(), plain, "", "is in it"),
        ("../ada.jsonl", plain, "", "is in it"),
        ("tern-backup/users/../../ada.jsonl", plain, "", "is in it"),
        ("tern-backup/node.json", plain, "", "is in it"),
        ("tern-backup/users/ada.jsonl", link, "/etc/passwd", "no plain file"),
        ("tern-backup/users", link, "/", "no plain file"),
    ] {
        std::fs::write(&evil, hostile(&file, path, kind, to)).unwrap();
        let before = all_below(&home);
        backup(&["verify", &evil.display().to_string()]).refused(3, what);
        restore(&evil, &home.join("db"), &[]).refused(3, what);
        assert_eq!(all_below(&home), before);
    }
}

#[test]
fn restore_takes_an_empty_directory_and_a_new_key_only() {
    let (all, file) = one_machine();
    let home = all.dir.path().to_owned();
    let before = all_below(&all.data(1));
    restore(&file, &all.data(1), &[]).refused(3, "not empty");
    assert_eq!(all_below(&all.data(1)), before);
    let address = format!("--address={}", all.address(2));
    restore(&file, &home.join("new"), &[&address, &all.key_option()])
        .refused(2, "is the key of the cluster that the backup was made of");
    assert!(!home.join("new").exists());
    let taken = file.display().to_string();
    let at = format!("--at={}", all.address(1));
    backup(&["create", &taken, &at, &all.key_option()]).refused(2, "is there already");
    verified(&file);

    // An empty one is as good as none; then it is a machine's, of another cluster, whose terms all come
    // after those in the files.
    std::fs::create_dir(home.join("new")).unwrap();
    restore(&file, &home.join("new"), &[]).done();
    let [old, new] = [all.data(1), home.join("new")].map(|data| {
        let bytes = std::fs::read(data.join("node.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
    });
    assert_ne!(new["cluster"], old["cluster"]);
    assert_ne!(new["incarnation"], old["incarnation"]);
    assert_eq!(new["epoch"].as_u64().unwrap(), old["epoch"].as_u64().unwrap() + 1);
    let ada = std::fs::read_to_string(home.join("new/users/ada.jsonl")).unwrap();
    let round = ada.lines().last().unwrap().split(['.', '"']).nth(4).unwrap();
    assert!(new["ceiling"].as_u64().unwrap() >= round.parse().unwrap(), "{round} of {ada}");
    restore(&file, &home.join("new"), &[]).refused(3, "not empty");
}

#[test]
fn restore_that_was_killed_can_be_started_by_no_command() {
    let (all, file) = one_machine();
    let data = all.dir.path().join("half");
    restore(&file, &data, &[]).done();
    // As a kill leaves it before the last step: all users, and the mark in place of an identity.
    std::fs::remove_file(data.join("node.json")).unwrap();
    std::fs::write(data.join("restoring"), "").unwrap();
    let here = format!("--data={}", data.display());
    let key = format!("--key-file={}", data.join("cluster.key").display());
    let address = all.address(2);
    let peers = format!("--peers=1={address}");
    let commands: [&[&str]; 4] = [
        &["serve", &format!("--listen={address}"), &here],
        &["backend", "--node=1", &format!("--listen={address}"), &here, &key],
        &["cluster", "init", "--node=1", &peers, &here, &key],
        &["backup", "restore", &file.display().to_string(), &here],
    ];
    let before = all_below(&data);
    for words in commands {
        let ran = Ran::of(words.iter().map(|word| (*word).to_owned()));
        ran.refused(3, "was interrupted");
    }
    assert_eq!(all_below(&data), before, "nothing was touched");
}

/// Under such a name the machine's own file would take the place of the key.
#[test]
fn r0190_key_is_made_under_no_name_of_the_directory_itself() {
    let (all, file) = one_machine();
    let home = all.dir.path().join("named");
    std::fs::create_dir(&home).unwrap();
    let data = home.join("db");
    let address = format!("--address={}", all.address(2));
    let here = format!("--data={}", data.display());
    let peers = all.peers_option(1);
    // r0215: nor among its files.
    for name in ["node.json", "node.json.tmp", "users", "restoring", "ballast", "users/a.key"] {
        let key = format!("--key-file={}", data.join(name).display());
        restore(&file, &data, &[&address, &key]).refused(2, "for itself: choose another");
        let words = ["cluster", "init", "--node=1", &peers, &here, &key];
        let ran = Ran::of(words.iter().map(|word| (*word).to_owned()));
        ran.refused(2, "for itself: choose another");
        assert!(all_below(&home).is_empty(), "nothing was made");
    }
    // r0216: a backup is read twice.
    restore(Path::new("-"), &data, &[]).refused(2, "not standard input");
}
