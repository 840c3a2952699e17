//! Directories that no start takes as they are: what a start says, what `tern check` says, and that neither
//! makes anything there.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::backup;
use super::check::{check, findings, make_private};
use super::refused::{all_below, one_machine};
use crate::member::harness::{Machines, Ran};

fn run(words: &[&str]) -> Ran {
    Ran::of(words.iter().map(|word| (*word).to_owned()))
}

fn start(all: &Machines, data: &Path) -> Ran {
    let here = format!("--data={}", data.display());
    let listen = format!("--listen={}", all.address(1));
    run(&["backend", "--node=1", &listen, &here, &all.key_option()])
}

fn serve(all: &Machines, data: &Path) -> Ran {
    let here = format!("--data={}", data.display());
    run(&["serve", &format!("--listen={}", all.address(1)), &here])
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A machine that was stopped, with a member who posted.
fn stopped() -> (Machines, PathBuf, PathBuf) {
    let (mut all, file) = one_machine();
    all.kill(1);
    let data = all.data(1);
    (all, data, file)
}

/// What was restored in a directory of that mode, or in none, for `tern serve`.
fn restored(all: &Machines, file: &Path, mode: Option<u32>) -> PathBuf {
    let data = all.dir.path().join("alone");
    if let Some(mode) = mode {
        std::fs::create_dir(&data).unwrap();
        set_mode(&data, mode);
    }
    let here = format!("--data={}", data.display());
    backup(&["restore", &file.display().to_string(), &here]).done();
    data
}

fn check_is_key(data: &Path, words: &str) {
    assert_eq!(findings(data, 3), [("cluster.key".to_owned(), "key".to_owned())]);
    check(data, &[]).refused(3, words);
}

#[test]
fn machine_whose_users_or_marks_are_gone_does_not_start_as_if_it_were_new() {
    let (mut all, data, _) = stopped();
    let here = format!("--data={}", data.display());
    let peers = all.peers_option(1);
    for name in ["users", "damaged"] {
        let away = all.dir.path().join(name);
        std::fs::rename(data.join(name), &away).unwrap();
        let before = all_below(&data);
        let words = format!("{} is not there, and node.json is", data.join(name).display());
        start(&all, &data).refused(3, &words);
        let init = ["cluster", "init", "--node=1", &peers, &here, &all.key_option()];
        run(&init).refused(3, &words);
        assert_eq!(findings(&data, 3), [(name.to_owned(), "identity".to_owned())]);
        check(&data, &["--repair"]).refused(3, "nothing was touched");
        assert_eq!(all_below(&data), before, "nothing was made");
        std::fs::rename(&away, data.join(name)).unwrap();
    }
    all.spawn(1);
    all.wait_until_writable(1);
}

/// The folder over which `users/` is mounted is there when the mount is missing.
#[test]
fn machine_whose_users_are_not_mounted_does_not_start_as_if_it_were_new() {
    let (mut all, data, _) = stopped();
    let (users, away) = (data.join("users"), all.dir.path().join("users"));
    std::fs::rename(&users, &away).unwrap();
    std::fs::create_dir(&users).unwrap();
    let before = all_below(&data);
    all.spawn(1);
    assert_eq!(all.ended(1).code(), Some(3));
    assert!(all.said(1).contains("there were users' files on this machine"), "{}", all.said(1));
    serve(&all, &data).refused(2, "no cluster key at");
    let findings = findings(&data, 3);
    assert!(findings.contains(&("users".to_owned(), "identity".to_owned())), "{findings:?}");
    check(&data, &["--repair"]).refused(3, "nothing was touched");
    assert_eq!(all_below(&data), before, "nothing was made");
    std::fs::remove_dir(&users).unwrap();
    std::fs::rename(&away, &users).unwrap();
    all.spawn(1);
    all.wait_until_writable(1);
}

#[test]
fn machine_whose_setting_up_was_cut_off_is_set_up_by_the_next_call() {
    let all = Machines::not_set_up(1);
    let peers = all.peers_option(1);
    for (number, made) in [&[][..], &["users"], &["users", "damaged"]].into_iter().enumerate() {
        let data = all.dir.path().join(format!("cut-{number}"));
        for name in made {
            std::fs::create_dir_all(data.join(name)).unwrap();
        }
        let here = format!("--data={}", data.display());
        run(&["cluster", "init", "--node=1", &peers, &here, &all.key_option()]).done();
        assert!(data.join("users").is_dir() && data.join("damaged").is_dir());
    }
}

#[test]
fn no_key_is_made_where_a_machine_is() {
    let (all, data, file) = stopped();
    let before = all_below(&data);
    serve(&all, &data).refused(2, "no cluster key at");
    assert_eq!(all_below(&data), before);
    let here = format!("--data={}", data.display());
    for key in [all.dir.path().join("other/new.key"), data.join("cluster.key")] {
        let key_file = format!("--key-file={}", key.display());
        run(&["cluster", "init", "--node=1", &all.peers_option(1), &here, &key_file])
            .refused(3, "is a machine's directory already");
        assert!(!key.exists() && !all.dir.path().join("other").exists());
    }
    assert_eq!(all_below(&data), before);

    let alone = restored(&all, &file, None);
    assert!(findings(&alone, 0).is_empty());
    std::fs::remove_file(alone.join("cluster.key")).unwrap();
    check_is_key(&alone, "no cluster key at");
    serve(&all, &alone).refused(2, "put back");

    // The machines of `tern run-cluster` stand beside their key.
    let many = all.dir.path().join("many");
    std::fs::create_dir(&many).unwrap();
    std::fs::rename(&alone, many.join("node-1")).unwrap();
    let listen = format!("--listen={}", all.address(1));
    run(&["run-cluster", &listen, &format!("--data={}", many.display())]).refused(2, "put back");
    assert!(!many.join("cluster.key").exists());
}

#[test]
fn check_says_what_a_start_says_of_a_file_in_a_directory_s_place() {
    let (all, data, _) = stopped();
    std::fs::create_dir_all(data.join("pictures")).unwrap();
    std::fs::write(data.join("pictures/ab"), "mine").unwrap();
    make_private(&data);
    let file_in_place = ("pictures/ab".to_owned(), "no_directory".to_owned());
    assert_eq!(findings(&data, 3), [file_in_place]);
    start(&all, &data).refused(3, "pictures/ab is no directory");
}

#[test]
fn check_says_what_a_start_says_of_the_key() {
    let (all, _, file) = stopped();
    let alone = restored(&all, &file, None);
    let key = alone.join("cluster.key");
    set_mode(&key, 0o644);
    check_is_key(&alone, "chmod 600");
    serve(&all, &alone).refused(2, "chmod 600");
    set_mode(&key, 0o600);
    std::fs::write(&key, "rubbish").unwrap();
    check_is_key(&alone, "holds no key");
    serve(&all, &alone).refused(2, "holds no key");
}

#[test]
fn restore_shuts_an_open_directory() {
    let (all, _, file) = stopped();
    let data = restored(&all, &file, Some(0o777));
    assert_eq!(data.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
    assert!(findings(&data, 0).is_empty());
}

#[test]
fn r0069_restored_directory_that_was_emptied_is_no_new_one() {
    let (all, _, file) = stopped();
    let alone = restored(&all, &file, None);
    std::fs::remove_file(alone.join("users/ada.jsonl")).unwrap();
    let before = all_below(&alone);
    serve(&all, &alone).refused(3, "there were users' files on this machine");
    assert_eq!(all_below(&alone), before, "nothing was made");
}

/// `tern serve` and `tern run-cluster` may share a directory: each leaves what is the other's.
#[test]
fn machines_of_a_cluster_beside_a_single_one_are_not_foreign() {
    let (all, _, file) = stopped();
    let alone = restored(&all, &file, None);
    let machine = format!("--data={}", alone.join("node-1").display());
    let init = ["cluster", "init", "--node=1", &all.peers_option(1), &machine, &all.key_option()];
    run(&init).done();
    assert!(findings(&alone, 0).is_empty());
    std::fs::create_dir(alone.join("node-2")).unwrap();
    make_private(&alone);
    assert_eq!(findings(&alone, 1), [("node-2".to_owned(), "foreign".to_owned())]);
}
