//! Directories that no start takes as they are: what a start says, what `tern check` says, and that neither
//! makes anything there.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tern::transport::key::ClusterKey;

use super::backup;
use super::check::{check, findings, make_private};
use super::refused::{all_below, one_machine};
use crate::member::harness::{Machines, PROGRAM, Ran};

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

/// What root mends is the account's; what others put there stays whose it is, and what is not touched too.
#[test]
fn r0140_repair_gives_away_nothing_but_what_it_made() {
    if !rustix::process::geteuid().is_root() {
        println!("left out: only root makes files for others");
        return;
    }
    let (_all, data, _) = stopped();
    std::fs::create_dir(data.join("lost+found")).unwrap();
    std::fs::write(data.join("users/notes"), "mine").unwrap();
    let mut rotten = std::fs::read(data.join("users/ada.jsonl")).unwrap();
    let last = rotten.len() - 30;
    rotten[last] ^= 1;
    std::fs::write(data.join("users/ada.jsonl"), rotten).unwrap();
    give_all(&data);
    let roots = ["lost+found", "users/notes", "node.json"];
    for name in roots {
        chown(data.join(name), Some(0), Some(0)).unwrap();
    }
    let owner = |name: &str| data.join(name).symlink_metadata().unwrap().uid();
    check(&data, &["--repair"]).refused(3, "nothing was touched");
    assert_eq!(roots.map(owner), [0; 3]);

    chown(data.join("node.json"), Some(ACCOUNT), None).unwrap();
    let told = check(&data, &["--repair"]).ended_with(1);
    assert!(told.contains("mended: users/ada.jsonl"), "{told}");
    for name in ["users/ada.jsonl", "damaged/ada.mark", "damaged/ada.1.jsonl"] {
        assert_eq!(owner(name), ACCOUNT, "{name}");
    }
    assert_eq!(["lost+found", "users/notes"].map(owner), [0; 2]);
}

const ACCOUNT: u32 = 4711;

fn give_all(data: &Path) {
    let all = all_below(data).into_iter().map(|(path, _)| path).chain([data.to_owned()]);
    all.for_each(|path| chown(path, Some(ACCOUNT), Some(ACCOUNT)).unwrap());
}

#[test]
fn r0141_check_says_of_odd_names_and_directories_what_a_start_says() {
    let (all, _, file) = stopped();
    let alone = restored(&all, &file, None);
    for name in ["node.json.tmp", "restoring"] {
        std::fs::create_dir(alone.join(name)).unwrap();
        make_private(&alone);
        assert_eq!(findings(&alone, 3), [(name.to_owned(), "no_file".to_owned())]);
        serve(&all, &alone).refused(3, "Is a directory");
        std::fs::remove_dir(alone.join(name)).unwrap();
    }
    // No start minds names that are no text, however long.
    std::fs::create_dir(alone.join("pictures")).unwrap();
    std::fs::write(alone.join("pictures").join(OsStr::from_bytes(&[0xff; 200])), "").unwrap();
    make_private(&alone);
    let found = findings(&alone, 1);
    assert!(found[0].0.starts_with("pictures/\u{fffd}") && found[0].1 == "foreign", "{found:?}");
}

/// As the account that the directory is of: root may do anything.
#[test]
fn r0142_check_says_of_modes_and_owners_what_a_start_says() {
    if !rustix::process::geteuid().is_root() {
        println!("left out: only root becomes somebody else");
        return;
    }
    let (all, _, file) = stopped();
    let alone = restored(&all, &file, None);
    let picture = "3f".repeat(32);
    let (shelf, picture) = ("pictures/3f", format!("pictures/3f/{picture}.jpg"));
    std::fs::create_dir_all(alone.join(shelf)).unwrap();
    std::fs::write(alone.join(&picture), "other").unwrap();
    make_private(&alone);
    set_mode(all.dir.path(), 0o755);
    let check_all = |code: i32, name: &str, kind: &str| {
        let found = findings(&alone, code);
        assert!(found.contains(&(name.to_owned(), kind.to_owned())), "{found:?}");
        // The account itself looks, and it starts or not.
        assert_eq!(as_account(&["check", &alone.display().to_string()]), Some(code), "{name}");
        let listen = format!("--listen={}", all.address(1));
        let here = format!("--data={}", alone.display());
        // Where it would start, it ends before: this is no address for numbers.
        let metrics = format!("--metrics={}", all.address(2));
        let held = std::net::TcpListener::bind(all.address(2)).unwrap();
        let ended = as_account(&["serve", &listen, &here, &metrics]);
        drop(held);
        assert_eq!(ended, Some(if code == 3 { 3 } else { 1 }), "{name}");
    };
    give_all(&alone);
    for name in ["users", "damaged"] {
        set_mode(&alone.join(name), 0o500);
        check_all(3, name, "denied");
        set_mode(&alone.join(name), 0o700);
    }
    set_mode(&alone.join("users/ada.jsonl"), 0o400);
    assert!(findings(&alone, 1).contains(&("users/ada.jsonl".to_owned(), "wrong_mode".to_owned())));
    set_mode(&alone.join("users/ada.jsonl"), 0o600);
    chown(alone.join(&picture), Some(0), None).unwrap();
    check_all(1, &picture, "wrong_owner");
    chown(alone.join(shelf), Some(0), None).unwrap();
    let check_shelf = |code: i32, kind: &str| {
        assert!(findings(&alone, code).contains(&(shelf.to_owned(), kind.to_owned())));
    };
    check_shelf(3, "denied");
    // What others may list is listed.
    set_mode(&alone.join(shelf), 0o755);
    check_shelf(1, "wrong_owner");
}

fn as_account(words: &[&str]) -> Option<i32> {
    let words = ["--reuid=4711", "--regid=4711", "--clear-groups", PROGRAM].iter().chain(words);
    let status = Command::new("setpriv").args(words).env("TERN_CONFIG", "").status();
    status.unwrap().code()
}

/// What cannot be listed cannot be flushed: said to have failed, it was there, and the next was in its way.
#[test]
fn r0144_backup_that_is_said_not_to_be_made_is_not_there() {
    let all = Machines::start(1);
    let (home, key) = (all.dir.path().join("letters"), all.dir.path().join("cluster.key"));
    std::fs::create_dir(&home).unwrap();
    set_mode(&home, 0o300);
    let to = home.join("a.tar").display().to_string();
    let words = ["backup", "create", &to, &format!("--at={}", all.address(1)), &all.key_option()];
    if rustix::process::geteuid().is_root() {
        set_mode(all.dir.path(), 0o755);
        for path in [&home, &key] {
            chown(path, Some(ACCOUNT), None).unwrap();
        }
        assert_eq!(as_account(&words), Some(1));
    } else {
        run(&words).refused(1, "Permission denied");
    }
    set_mode(&home, 0o700);
    assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0);
}

/// A limit on the length of files stands for the disk's end.
#[test]
fn r0191_full_disk_is_no_wrong_use_and_no_fault_of_the_directory() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("db");
    let data_option = format!("--data={}", data.display());
    let check = |words: &[&str], told: &str| {
        let script = "ulimit -S -f 0; exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, PROGRAM]).args(words).arg(&data_option);
        let ran = command.output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.contains(told), "{words:?}: {said}");
    };
    let init = ["cluster", "init", "--node=1", "--peers=1=127.0.0.1:9"];
    check(&init, "cannot write the key file");
    check(&["serve"], "cannot make a key in");
    assert!(all_below(&data).is_empty(), "half a key is none");
    let (key, _) = (home.path().join("key"), std::fs::remove_dir(&data));
    ClusterKey::create(&key).unwrap();
    let key = format!("--key-file={}", key.display());
    check(&[&init[..], &[&key]].concat(), "no space left");
    run(&[&init[..], &[&data_option, &key]].concat()).done();
    // Whoever starts it again, as systemd does of one that failed, need not come back for it.
    check(&["backend", "--node=1", "--listen=127.0.0.1:9", &key], "no space left");
}

/// It stands in every fresh file system that is mounted there.
#[test]
fn r0197_lost_and_found_of_a_file_system_is_nobody_s_fault() {
    let (all, file) = one_machine();
    let data = all.dir.path().join("mounted");
    make_private_directory(&data.join("lost+found"));
    let here = format!("--data={}", data.display());
    let [whole, cut] = [file.clone(), all.dir.path().join("cut.tar")];
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    backup(&["restore", &cut.display().to_string(), &here]).refused(1, "cut off");
    assert_eq!(all_below(&data).len(), 1);
    backup(&["restore", &whole.display().to_string(), &here]).done();
    make_private_directory(&data.join("users/lost+found"));
    check(&data, &[]).done();
}

fn make_private_directory(path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    set_mode(path, 0o700);
    set_mode(path.parent().unwrap(), 0o700);
}
