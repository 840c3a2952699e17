//! `tern check`: finds what is planted, changes nothing, and mends what a start mends.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::refused::all_below;
use crate::member::harness::{Machines, Ran, eventually};

pub(super) fn check(data: &Path, more: &[&str]) -> Ran {
    let words = ["check".to_owned(), data.display().to_string()];
    Ran::of(words.into_iter().chain(more.iter().map(|word| (*word).to_owned())))
}

/// A stopped machine's directory with three members' files.
fn stopped() -> (Machines, PathBuf) {
    let mut all = Machines::start(1);
    for name in ["ada", "ben", "cleo"] {
        let session = all.join(1, name);
        all.post(1, &session, "one");
        all.post(1, &session, "two");
    }
    check(&all.data(1), &[]).refused(3, "in use by another process");
    all.kill(1);
    let data = all.data(1);
    (all, data)
}

/// Content, mode, and when it was changed, of everything.
fn traces(data: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, i64, i64)> {
    let root = (data.to_owned(), Vec::new());
    let trace = |(path, content): (PathBuf, Vec<u8>)| {
        let is = path.symlink_metadata().unwrap();
        (path, (content, is.mode(), is.mtime() * 1_000_000_000 + is.mtime_nsec(), is.ctime_nsec()))
    };
    all_below(data).into_iter().chain([root]).map(trace).collect()
}

pub(super) fn findings(data: &Path, code: i32) -> Vec<(String, String)> {
    let before = traces(data);
    let text = check(data, &["--json"]).ended_with(code);
    assert_eq!(traces(data), before, "looking changes no byte, mode or time");
    let told: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let of = |finding: &Value| {
        let text = |field: &str| finding[field].as_str().unwrap().to_owned();
        (text("file"), text("kind"))
    };
    told["findings"].as_array().unwrap().iter().map(of).collect()
}

fn check_found(data: &Path, code: i32, file: &str, kind: &str) {
    assert_eq!(findings(data, code), [(file.to_owned(), kind.to_owned())]);
    check(data, &[]).refused(code, file);
}

/// Takes away what others may do, as of what the program writes itself.
pub(super) fn make_private(data: &Path) {
    for (path, _) in all_below(data) {
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        set_mode(&path, mode);
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Plants something, looks, and takes it away again.
fn plant(data: &Path, name: &str, content: &[u8], (code, kind): (i32, &str)) {
    let path = data.join(name);
    let before = std::fs::read(&path).ok();
    std::fs::write(&path, content).unwrap();
    set_mode(&path, 0o600);
    check_found(data, code, name, kind);
    match before {
        Some(before) => std::fs::write(&path, before).unwrap(),
        None => std::fs::remove_file(&path).unwrap(),
    }
}

#[test]
fn check_finds_each_planted_damage_and_changes_nothing() {
    let (_all, data) = stopped();
    assert!(findings(&data, 0).is_empty());
    let told = check(&data, &[]).done();
    assert!(told.contains("3 users' files") && told.contains("nothing is wrong"), "{told}");

    let good = std::fs::read(data.join("users/ada.jsonl")).unwrap();
    let node = std::fs::read_to_string(data.join("node.json")).unwrap();
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let torn = [&good[..], &good[..60]].concat();
    plant(&data, "users/ada.jsonl", &torn, (1, "torn_end"));
    plant(&data, "users/ada.jsonl", &changed(30), (1, "damaged_line"));
    plant(&data, "users/ada.jsonl", &changed(good.len() - 30), (1, "damaged_line"));
    let newer = node.replacen("\"format\": 2", "\"format\": 3", 1);
    assert_ne!(newer, node);
    plant(&data, "node.json", newer.as_bytes(), (3, "newer"));
    plant(&data, "node.json", b"{", (3, "identity"));
    let earlier = node.replacen("\"epoch\": 1", "\"epoch\": 0", 1);
    plant(&data, "node.json", earlier.as_bytes(), (3, "identity"));
    plant(&data, "node.json.tmp", b"half", (1, "left_over"));
    plant(&data, "users/ada.jsonl.tmp", b"half", (1, "left_over"));
    plant(&data, "users/Ada.jsonl", &good, (1, "wrong_name"));
    plant(&data, "users/ada.1.jsonl", &good, (1, "wrong_name"));
    plant(&data, "users/zoe.jsonl", b"", (1, "empty"));
    plant(&data, "users/notes", b"mine", (1, "foreign"));
    plant(&data, "notes", b"mine", (1, "foreign"));
    plant(&data, "damaged/ada.mark", b"line 3: the checksum is wrong\n", (1, "marked"));
    plant(&data, "damaged/ada.jsonl", &good, (1, "wrong_name"));

    symlink("/etc/passwd", data.join("users/zoe.jsonl")).unwrap();
    check_found(&data, 1, "users/zoe.jsonl", "foreign");
    std::fs::remove_file(data.join("users/zoe.jsonl")).unwrap();
    for (name, open, private) in [("users/ben.jsonl", 0o644, 0o600), ("users", 0o755, 0o700)] {
        set_mode(&data.join(name), open);
        check_found(&data, 1, name, "wrong_mode");
        set_mode(&data.join(name), private);
    }
    std::fs::rename(data.join("node.json"), data.join("..").join("node.json")).unwrap();
    check_found(&data, 3, "node.json", "identity");
    std::fs::write(data.join("restoring"), "").unwrap();
    check_found(&data, 3, "node.json", "unfinished");
    check(&data.join("nowhere"), &[]).refused(3, "cannot open");
}

#[test]
fn check_tells_a_file_that_was_copied_under_another_name() {
    let (_all, data) = stopped();
    std::fs::copy(data.join("users/ben.jsonl"), data.join("users/ada.jsonl")).unwrap();
    make_private(&data);
    check_found(&data, 3, "users/ben.jsonl", "copied");
    check(&data, &[]).refused(3, "begins with the same line as users/ada.jsonl");
    let before = traces(&data);
    check(&data, &["--repair"]).refused(3, "nothing was touched");
    assert_eq!(traces(&data), before);
}

/// Nobody can tell which of the two is the copy, and a machine that voted with it would have the others take
/// one member for the other.
#[test]
fn r0063_file_copied_under_another_name_is_served_nowhere() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    for number in 0..5 {
        all.post(1, &ada, &format!("ada's {number}"));
    }
    let ben = all.join(2, "ben");
    all.post(2, &ben, "ben's");
    all.wait_until_held_once(3, "ben", &["ben's".to_owned()]);
    (1..=3).for_each(|number| all.kill(number));
    let (data, users) = (all.data(3), all.data(3).join("users"));
    std::fs::copy(users.join("ada.jsonl"), users.join("ben.jsonl")).unwrap();
    make_private(&data);
    (1..=3).for_each(|number| all.spawn(number));
    assert_eq!(all.ended(3).code(), Some(3));
    let said = all.said(3);
    assert!(said.contains("users/ben.jsonl begins with the same line as"), "{said}");
    assert!(said.contains(&format!("tern check --repair {}", data.display())), "{said}");
    // The others go on, as without any machine that is not there.
    all.wait_until_writable(1);
    all.post(1, &ben, "ben's too");

    check_found(&data, 3, "users/ben.jsonl", "copied");
    let told = check(&data, &["--repair"]).ended_with(1);
    assert!(told.contains("mended: users/ben.jsonl: both were set aside in damaged/"), "{told}");
    for kept in ["damaged/ada.1.jsonl", "damaged/ben.1.jsonl"] {
        assert!(data.join(kept).exists(), "{kept}");
    }
    all.spawn(3);
    all.wait_until_held_once(3, "ben", &["ben's".to_owned(), "ben's too".to_owned()]);
    all.wait_until_held_once(3, "ada", &["ada's 0".to_owned(), "ada's 4".to_owned()]);
    assert!(!all.file(3, "ben").contains("ada's") && !all.file(1, "ben").contains("ada's"));
    eventually("both to be whole", || is_unmarked(&data).then_some(()));
}

/// Whether no member is marked.
fn is_unmarked(data: &Path) -> bool {
    let marks = std::fs::read_dir(data.join("damaged")).unwrap().filter_map(Result::ok);
    !marks.map(|found| found.path()).any(|path| path.extension().is_some_and(|end| end == "mark"))
}

/// Root can read all, and the program that is to run as another account cannot.
#[test]
fn check_finds_what_belongs_to_another_account() {
    if !rustix::process::geteuid().is_root() {
        println!("left out: only root makes files for others");
        return;
    }
    let (_all, data) = stopped();
    let give = |name: &str, user| chown(data.join(name), Some(user), None).unwrap();
    for name in ["users/ben.jsonl", "damaged", "node.json"] {
        give(name, 4711);
        check_found(&data, 1, name, "wrong_owner");
        check(&data, &[]).refused(1, "it belongs to account 4711");
        give(name, 0);
    }
    let give_all = || {
        give("", 4711);
        for (path, _) in all_below(&data) {
            chown(path, Some(4711), None).unwrap();
        }
    };
    give_all();
    assert!(findings(&data, 0).is_empty());
    // As that account it could not be started.
    for name in ["node.json", "users/ben.jsonl", "damaged"] {
        give(name, 0);
        check_found(&data, 3, name, "denied");
        give_all();
    }
}

#[test]
fn r0070_mark_that_is_no_file_keeps_a_machine_from_starting() {
    let (mut all, data) = stopped();
    std::fs::create_dir(data.join("damaged/ben.mark")).unwrap();
    make_private(&data);
    check_found(&data, 3, "damaged/ben.mark", "no_file");
    all.spawn(1);
    assert_eq!(all.ended(1).code(), Some(3));
}

/// What was wrong with a file that is set aside is not mended each by itself.
#[test]
fn r0065_file_that_is_set_aside_is_not_said_to_be_removed() {
    let (_all, data) = stopped();
    let ada = data.join("users/ada.jsonl");
    let mut rotten = std::fs::read(&ada).unwrap();
    rotten[30] ^= 1;
    std::fs::write(&ada, rotten).unwrap();
    set_mode(&ada, 0o644);
    let told = check(&data, &["--repair"]).ended_with(1);
    assert!(told.contains("mended: users/ada.jsonl, line 1: set aside"), "{told}");
    assert!(!told.contains("removed"), "{told}");
}

#[test]
fn check_sends_a_machine_that_is_alone_to_its_backup() {
    let (all, data) = stopped();
    let file = data.join("users/ada.jsonl");
    let mut rotten = std::fs::read(&file).unwrap();
    rotten[30] ^= 1;
    std::fs::write(&file, &rotten).unwrap();
    let told = check(&data, &[]).ended_with(1);
    assert!(told.contains("backup") && !told.contains("other machines"), "{told}");

    let (data, here) = (all.data(2), format!("--data={}", all.data(2).display()));
    let words = ["cluster", "init", "--node=2", &all.peers_option(3), &here, &all.key_option()];
    Ran::of(words.iter().map(|word| (*word).to_owned())).done();
    std::fs::write(data.join("users/ada.jsonl"), &rotten).unwrap();
    let told = check(&data, &[]).ended_with(1);
    assert!(!told.contains("backup") && told.contains("other machines"), "{told}");
}

#[test]
fn check_tells_a_file_of_members_that_the_identity_does_not_know() {
    let (all, data) = stopped();
    // A second list of members is in force when this member joins; then an old identity comes back.
    let old = std::fs::read(data.join("node.json")).unwrap();
    let mut all = all;
    all.spawn(1);
    all.wait_until_writable(1);
    all.change(&["add", &format!("2={}", all.address(2))], 2).done();
    all.spawn(2);
    (1..=2).for_each(|number| all.wait_until_open(number, &[1, 2]));
    let finn = all.join(1, "finn");
    all.post(1, &finn, "late");
    all.kill(1);
    all.kill(2);
    std::fs::write(data.join("node.json"), old).unwrap();
    check_found(&data, 1, "users/finn.jsonl", "ahead");
}

#[test]
fn check_repairs_what_a_start_would_and_tells_what_is_left() {
    let (mut all, data) = stopped();
    let users = data.join("users");
    let (ada, ben) = (users.join("ada.jsonl"), users.join("ben.jsonl"));
    let whole = std::fs::read(&ada).unwrap();
    std::fs::write(&ada, [&whole[..], b"{\"v\":\"1."].concat()).unwrap();
    let mut rotten = std::fs::read(&ben).unwrap();
    let lines: Vec<_> = rotten.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::len).collect();
    let at = rotten.len() - lines[lines.len() - 1] + 20;
    rotten[at] ^= 1;
    std::fs::write(&ben, &rotten).unwrap();
    std::fs::write(users.join("cleo.jsonl.tmp"), "half").unwrap();
    std::fs::write(users.join("notes"), "mine").unwrap();
    set_mode(&users.join("notes"), 0o600);

    let told = check(&data, &["--repair"]).ended_with(1);
    for said in [
        "mended: users/ada.jsonl, line",
        "the torn end was cut off",
        "mended: users/ben.jsonl, line",
        "set aside in damaged/",
        "mended: users/cleo.jsonl.tmp: removed",
        "damaged/ben.mark",
        "users/notes",
    ] {
        assert!(told.contains(said), "{said:?} in {told}");
    }
    assert_eq!(std::fs::read(&ada).unwrap(), whole);
    assert_eq!(std::fs::read(data.join("damaged/ben.1.jsonl")).unwrap(), rotten, "kept as it was");
    let intact = rotten.len() - lines[lines.len() - 1];
    assert_eq!(std::fs::read(&ben).unwrap(), rotten[..intact], "what was before the damage");
    assert_eq!(std::fs::read_to_string(users.join("notes")).unwrap(), "mine");

    // A start finds nothing more to do, and goes on.
    all.spawn(1);
    all.wait_until_writable(1);
    assert!(!all.said(1).contains("torn tail cut off"), "{}", all.said(1));
    all.kill(1);

    // What no start touches, no repair does.
    std::fs::write(&ada, [&whole[..], b"{\"v\":\"1."].concat()).unwrap();
    let node = std::fs::read_to_string(data.join("node.json")).unwrap();
    std::fs::write(data.join("node.json"), node.replacen(": 2,", ": 9,", 1)).unwrap();
    let before = traces(&data);
    check(&data, &["--repair"]).refused(3, "nothing was touched");
    assert_eq!(traces(&data), before);
}
