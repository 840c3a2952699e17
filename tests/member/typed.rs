//! Addresses that are typed wrongly: it is said, and nothing has changed. And a key that is in no file.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::{Command, Stdio};

use super::grow;
use super::harness::{Machines, PROGRAM, Ran, eventually};
use super::phases::node_file;

/// No machine can have this address: it is kept for documentation.
const ELSEWHERE: &str = "192.0.2.1:7004";

#[test]
fn r0012_added_machine_with_mistyped_address_told_and_nothing_changed() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "before");
    let before = [1, 2, 3].map(|number| node_file(&all, number).unwrap()["epoch"].clone());
    let forms = ["4", "4=", "4=127.0.0.1", "4=127.0.0.1:70000", "4=127.0.0.1:0"];
    for word in forms.into_iter().chain(["four=127.0.0.1:7004", "16=127.0.0.1:7004"]) {
        let said = format!("tern cluster add: {word:?} is not NUMBER=ADDRESS:PORT");
        all.change(&["add", word], 4).refused(2, &said);
    }
    let taken = format!("4={}", all.address(2));
    all.change(&["add", &taken], 4).refused(2, "2 listens at");
    assert!(!all.data(4).exists(), "a directory was made");
    // One that is right by its form, and another machine's: it cannot be listened on here.
    all.change(&["add", &format!("4={ELSEWHERE}")], 4).done();
    all.spawn_listening(4, ELSEWHERE);
    assert_eq!(all.ended(4).code(), Some(1));
    assert!(all.said(4).contains(ELSEWHERE), "{}", all.said(4));
    // One where nobody listens: the others are told of it, do not find it, and go on as they are.
    let nowhere = all.address(5);
    all.change(&["add", &format!("4={nowhere}")], 4).done();
    all.spawn(4);
    for number in 1..=3 {
        let said = format!("machine 4 is not found at {nowhere}");
        eventually(&said, || all.said(number).contains(&said).then_some(()));
    }
    let said = format!("was its address mistyped?\" node=4 address={nowhere}");
    assert!(all.said(4).contains(&said), "{}", all.said(4));
    all.post(2, &ada, "not stopped");
    for (number, epoch) in (1..).zip(before) {
        assert_eq!(node_file(&all, number).unwrap()["epoch"], epoch, "nothing has begun");
        let held = eventually("a list of members", || all.held(number));
        assert_eq!(held.offer.current.members.len(), 3);
    }
    // Typed again, for an empty directory.
    all.kill(4);
    std::fs::remove_dir_all(all.data(4)).unwrap();
    grow(&mut all, 4, &[1, 2, 3, 4], &["before", "not stopped"]);
}

/// Those of healthy machines that were not typed were said to be out of reach, and `--force` to go on
/// without them.
#[test]
fn address_of_one_machine_is_enough() {
    let mut all = Machines::start(3);
    (1..=3).for_each(|number| all.wait_until_open(number, &[1, 2, 3]));
    let by = |all: &Machines, number: u16, words: &[&str]| {
        let words = ["cluster"].iter().chain(words).map(|word| (*word).to_owned());
        Ran::of(words.chain([format!("--at={}", all.address(number)), all.key_option()]))
    };
    let status = by(&all, 2, &["status", "--json"]).done();
    let told: serde_json::Value = serde_json::from_str(status.lines().next().unwrap()).unwrap();
    let rows = told["machines"].as_array().unwrap();
    assert!(rows.len() == 3 && rows.iter().all(|row| row["answers"] == true), "{status}");
    by(&all, 2, &["remove", "3", "--yes"]).done();
    (1..=2).for_each(|number| all.wait_until_open(number, &[1, 2]));
    // Who is not there is said to be missing all the same.
    all.kill(1);
    by(&all, 2, &["remove", "1", "--yes"]).refused(4, "start machine 1 first");
}

/// A new machine's directory was not handed over for want of a key file, and a cluster that was set up had
/// another key than its machines were started with.
#[test]
fn r0143_key_in_the_configuration_is_that_of_each_command() {
    let all = Machines::start(1);
    let key = std::fs::read_to_string(all.dir.path().join("cluster.key")).unwrap();
    let config = all.dir.path().join("tern.toml");
    std::fs::write(&config, format!("key = \"{}\"\n", key.trim())).unwrap();
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
    let run = |words: &[&str], number: u16| {
        let data = format!("--data={}", all.data(number).display());
        let more = [data, format!("--config={}", config.display())];
        let words = ["cluster"].iter().chain(words).map(|word| (*word).to_owned());
        Ran::of(words.chain(more)).done()
    };
    std::fs::create_dir(all.data(2)).unwrap();
    if rustix::process::geteuid().is_root() {
        chown(all.data(2), Some(4711), None).unwrap();
    }
    let owner = |name: &str| all.data(2).join(name).metadata().unwrap().uid();
    let (added, at) = (format!("2={}", all.address(2)), format!("--at={}", all.address(1)));
    let told = run(&["add", &added, "--yes", &at], 2);
    assert!(told.contains("machine 2 is set up in") && !told.contains("--key-file"), "{told}");
    assert_eq!(owner("node.json"), owner(""));

    let told = run(&["init", "--node=2", &all.peers_option(2)], 3);
    assert!(told.contains("machine 2 is set up in") && !told.contains("--key-file"), "{told}");
    assert!(!all.data(3).join("cluster.key").exists());
    let cluster = |number| node_file(&all, number).unwrap()["cluster"].clone();
    assert_eq!(cluster(3), cluster(1));
}

/// A pipe gives a key once, and is as good as a file.
#[test]
fn r0149_key_through_a_pipe_is_read_once() {
    let all = Machines::start(1);
    let check = |code: i32, said: &str, words: &[&str]| {
        let key = File::open(all.dir.path().join("cluster.key")).unwrap();
        let mut cat = Command::new("cat").stdin(key).stdout(Stdio::piped()).spawn().unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(words).arg("--key-file=/dev/stdin").stdin(cat.stdout.take().unwrap());
        let ended = command.output().unwrap();
        assert!(cat.wait().unwrap().success());
        let err = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{err}");
        assert!(err.contains(said), "{said:?} in {err}");
    };
    let option = |number| format!("--data={}", all.data(number).display());
    check(2, "machine 9 is no member", &["cluster", "remove", "9", "--yes", &option(1)]);
    let (added, at) = (format!("2={}", all.address(2)), format!("--at={}", all.address(1)));
    check(0, "", &["cluster", "add", &added, "--yes", &at, &option(2)]);
    // With its key it would start: another one has its port.
    check(1, "is in use by another process", &["backend", &option(1)]);
    let file = all.dir.path().join("a.tar").display().to_string();
    check(0, "", &["backup", "create", &file, &at]);
    let address = format!("--address={}", all.address(3));
    let again = ["backup", "restore", &file, &address, &option(3)];
    check(2, "is the key of the cluster that the backup was made of", &again);
}
