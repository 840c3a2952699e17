//! The same with the directory of `tern run-cluster`, while it is stopped.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use super::harness::{PROGRAM, Ran, eventually};

/// One cluster at a time: each takes the first ports that are free when it begins, and two that begin
/// together would take the same.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// `tern run-cluster` in a directory; ended when dropped.
struct Run(Child);

fn run(data: &Path, backends: u16) -> Child {
    let log = File::options().create(true).append(true).open(data.with_extension("log")).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["run-cluster", "--listen=127.0.0.1:0"]);
    command.arg(format!("--backends={backends}")).arg(format!("--data={}", data.display()));
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

impl Run {
    /// Until it would save a post.
    fn start(data: &Path, backends: u16) -> Self {
        let log = data.with_extension("log");
        let count = |text: &str| text.lines().filter(|line| line.starts_with("ready")).count();
        let before = std::fs::read_to_string(&log).map_or(0, |text| count(&text));
        let mut run = Self(run(data, backends));
        eventually("a cluster that is ready", || {
            let text = std::fs::read_to_string(&log).unwrap();
            assert!(run.0.try_wait().unwrap().is_none(), "{text}");
            (count(&text) > before).then_some(())
        });
        run
    }

    fn stop(mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        eventually("the end of a cluster", || self.0.try_wait().unwrap());
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn change(data: &Path, words: &[&str]) -> Ran {
    let first = ["cluster"].iter().chain(words).map(|word| (*word).to_owned());
    Ran::of(first.chain([format!("--data={}", data.display()), "--yes".to_owned()]))
}

/// The members of the list that a machine votes in, from its directory.
fn members(data: &Path, number: u16) -> Option<Vec<u64>> {
    let text = std::fs::read(data.join(format!("node-{number}/node.json"))).ok()?;
    let file: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let list = file["members"].as_array().unwrap();
    let numbers = list.iter().map(|one| one["node"].as_u64().unwrap()).collect();
    (file["opened"] == true).then_some(numbers)
}

fn wait_until(data: &Path, numbers: &[u16]) {
    let all: Vec<u64> = numbers.iter().map(|number| u64::from(*number)).collect();
    for number in numbers {
        eventually(&format!("machine {number} to vote among {all:?}"), || {
            (members(data, *number)? == all).then_some(())
        });
    }
}

#[test]
fn directory_grown_shrunk_and_mended() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("db");
    Run::start(&data, 1).stop();
    change(&data, &["add", "2=127.0.0.1:7902", "3=127.0.0.1:7903"]).done();
    change(&data, &["remove", "1"]).refused(2, "--replace-pending");
    let grown = Run::start(&data, 3);
    wait_until(&data, &[1, 2, 3]);
    grown.stop();
    change(&data, &["remove", "1"]).done();
    let shrunk = Run::start(&data, 2);
    wait_until(&data, &[2, 3]);
    shrunk.stop();
    std::fs::remove_dir_all(data.join("node-2")).unwrap();
    let mut refused = run(&data, 2);
    assert_eq!(eventually("a refusal", || refused.try_wait().unwrap()).code(), Some(3));
    let said = std::fs::read_to_string(data.with_extension("log")).unwrap();
    let command = format!("tern cluster replace 2 --data={}", data.display());
    assert!(said.contains(&command), "{said}");
    // Of two machines one alone is no majority: only by force.
    change(&data, &["replace", "2"]).refused(4, "--force");
    change(&data, &["replace", "2", "--force"]).done();
    let mended = Run::start(&data, 2);
    wait_until(&data, &[2, 3]);
    mended.stop();
}

#[test]
fn wiped_machine_of_three_replaced_as_it_was_told() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("db");
    Run::start(&data, 3).stop();
    std::fs::remove_file(data.join("node-3/node.json")).unwrap();
    let said = change(&data, &["replace", "3"]).done();
    assert!(said.contains("node-3.old-1"), "{said}");
    let mended = Run::start(&data, 3);
    wait_until(&data, &[1, 2, 3]);
    mended.stop();
    assert!(data.join("node-3.old-1/users").is_dir());
}

/// Everything in a directory, by path.
fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
            found.insert(path, Vec::new());
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn half_set_up_for_another_number_told_and_nothing_touched() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("db");
    // What a first start for three leaves that was stopped before it was through.
    for number in 1..=2 {
        let peers = (1..=3).map(|n| format!("{n}=127.0.0.1:{}", 7_900 + n)).collect::<Vec<_>>();
        let own = data.join(format!("node-{number}"));
        let options = [
            format!("--node={number}"),
            format!("--peers={}", peers.join(",")),
            format!("--data={}", own.display()),
            format!("--key-file={}", data.join("cluster.key").display()),
        ];
        let words = ["cluster", "init"].map(str::to_owned);
        Ran::of(words.into_iter().chain(options)).done();
    }
    let before = contents(&data);
    for backends in [1, 2, 5] {
        let mut refused = run(&data, backends);
        let code = eventually("a refusal", || refused.try_wait().unwrap()).code();
        let log = std::fs::read_to_string(data.with_extension("log")).unwrap();
        assert_eq!(code, Some(2), "{backends}: {log}");
        assert!(log.contains("a cluster of 3 machines: use --backends=3"), "{backends}: {log}");
        assert!(contents(&data) == before, "{backends}: something was touched");
        std::fs::remove_file(data.with_extension("log")).unwrap();
    }
    Run::start(&data, 3).stop();
}
