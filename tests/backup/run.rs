//! `src/RUN.md`: every command on it, typed from top to bottom on three machines that are three
//! directories, at addresses of this computer.
//!
//! A line is run as it stands, but for what stands for a machine: its address, and `/var` and `/etc`. A
//! comment says on which machine, when a program is stopped, which machines are gone, and for what is
//! waited; there is no comment that this test does not understand.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::member::harness::{PROGRAM, eventually};

const DOCUMENT: &str = include_str!("../../src/RUN.md");
const MACHINES: [&str; 3] = ["192.168.1.21", "192.168.1.22", "192.168.1.23"];
/// Paths that are each machine's own.
const OWN: [&str; 4] = ["/var/lib/tern", "/var/backups/tern", "/var/tmp/tern-drill", "/etc/tern"];

/// The content of each block of a kind, in order.
fn blocks(kind: &str) -> Vec<&'static str> {
    let open = format!("```{kind}\n");
    let mut blocks = Vec::new();
    let mut rest = DOCUMENT;
    while let Some((_, after)) = rest.split_once(&open) {
        let (block, after) = after.split_once("```").unwrap();
        blocks.push(block);
        rest = after;
    }
    blocks
}

/// Three machines in one directory.
struct Stage {
    home: tempfile::TempDir,
    /// What stands for 192.168.1: addresses that are this computer's, and no other test's.
    network: String,
    on: String,
    children: BTreeMap<(String, String), Child>,
    /// How many machines must be in step before the next command.
    awaited: Option<usize>,
}

impl Stage {
    /// With a cluster as INSTALL.md sets one up, that one member has joined and posted to.
    fn set() -> Self {
        let id = std::process::id();
        let network = format!("127.{}.{}", 64 + id % 64, (id / 64) % 250 + 1);
        let home = tempfile::tempdir().unwrap();
        let children = BTreeMap::new();
        let mut stage = Self { home, network, on: String::new(), children, awaited: None };
        fs::create_dir(stage.home.path().join("bin")).unwrap();
        std::os::unix::fs::symlink(PROGRAM, stage.home.path().join("bin/tern")).unwrap();
        // All machines are here, so that a copy is what remains of it.
        std::os::unix::fs::symlink("/bin/cp", stage.home.path().join("bin/scp")).unwrap();
        let peers: Vec<_> =
            (1..).zip(MACHINES).map(|(n, machine)| format!("{n}={machine}:7001")).collect();
        for (number, machine) in (1..).zip(MACHINES) {
            stage.on = machine.to_owned();
            for path in OWN {
                fs::create_dir_all(stage.own(machine, path).parent().unwrap()).unwrap();
            }
            fs::create_dir_all(stage.own(machine, "/etc/tern")).unwrap();
            if number > 1 {
                stage.line("scp -p 192.168.1.21:/etc/tern/cluster.key /etc/tern/cluster.key");
            }
            let (peers, key) = (peers.join(","), "--key-file=/etc/tern/cluster.key");
            stage.line(&format!(
                "tern cluster init --node={number} --data=/var/lib/tern {key} --peers={peers}"
            ));
            stage.as_set_up_by_an_earlier_version(machine);
        }
        for (number, machine) in (1..).zip(MACHINES) {
            stage.on = machine.to_owned();
            stage.line(&format!(
                "tern backend --node={number} --listen={machine}:7001 --data=/var/lib/tern \
                 --key-file=/etc/tern/cluster.key"
            ));
        }
        stage.wait_in_step(3);
        stage
    }

    /// There must be something to finish in an upgrade.
    fn as_set_up_by_an_earlier_version(&self, machine: &str) {
        let path = self.own(machine, "/var/lib/tern/node.json");
        let mut node: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        node["format"] = 1.into();
        node.as_object_mut().unwrap().remove("features").unwrap();
        fs::write(path, serde_json::to_vec(&node).unwrap()).unwrap();
    }

    /// No address is in it: it would be replaced by another.
    fn root(&self, machine: &str) -> PathBuf {
        self.home.path().join(format!("machine-{}", last_of(machine)))
    }

    /// What stands for a path of a machine.
    fn own(&self, machine: &str, path: &str) -> PathBuf {
        self.root(machine).join(path.trim_start_matches('/'))
    }

    /// A line with this computer's paths and addresses.
    fn here(&self, line: &str) -> String {
        let word = |word: &str| {
            let mut on = self.on.as_str();
            let mut rest = word.to_owned();
            for machine in MACHINES {
                if let Some(path) = word.strip_prefix(&format!("{machine}:/")) {
                    (on, rest) = (machine, format!("/{path}"));
                }
            }
            let root = self.root(on).display().to_string();
            for path in OWN {
                rest = rest.replace(path, &format!("{root}{path}"));
            }
            // On this very machine, which has an address of its own here.
            rest = rest.replace("127.0.0.1", &format!("{}.{}", self.network, last_of(on)));
            rest.replace("192.168.1", &self.network)
        };
        line.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    fn shell(&self, line: &str) -> Output {
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.home.path().join("bin").display());
        let mut shell = Command::new("sh");
        shell.args(["-c", &self.here(line)]).env("PATH", path).stdin(Stdio::null());
        shell.current_dir(self.home.path()).output().unwrap()
    }

    /// Types one line of the document.
    fn line(&mut self, line: &str) -> String {
        if let Some(comment) = line.strip_prefix("# ") {
            self.heed(comment);
            return String::new();
        }
        if line.starts_with("tern backend ") || line.starts_with("tern serve ") {
            self.start(line);
            return String::new();
        }
        if let Some(count) = self.awaited.take() {
            assert!(line.starts_with("tern cluster status "), "{line}");
            self.wait_in_step(count);
        }
        let tool = ["jq", "curl"].into_iter().find(|tool| line.contains(tool));
        if let Some(tool) = tool.filter(|tool| !has(tool)) {
            eprintln!("left out, {tool} is not installed: {line}");
            return String::new();
        }
        let done = self.shell(line);
        let (out, err) = (String::from_utf8(done.stdout).unwrap(), done.stderr);
        let err = String::from_utf8_lossy(&err);
        assert!(done.status.success(), "on {}: {line}\n{out}{err}{}", self.on, self.logs());
        out
    }

    fn heed(&mut self, comment: &str) {
        let counted = comment.strip_prefix("again, until all ");
        let counted = counted.and_then(|rest| rest.strip_suffix(" machines are in step"));
        if let Some(machine) = comment.strip_prefix("on ") {
            assert!(MACHINES.contains(&machine), "{machine}");
            machine.clone_into(&mut self.on);
        } else if let Some(program) = comment.strip_prefix("stop ") {
            let key = (self.on.clone(), program.to_owned());
            let mut child = self.children.remove(&key).expect("what is to be stopped runs");
            kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
            eventually("the end of what was stopped", || child.try_wait().unwrap());
        } else if let Some(count) = counted {
            self.awaited = Some(count.parse().unwrap());
        } else {
            let lost: &[&str] = match comment {
                "machines 2 and 3 are gone for good" => &MACHINES[1..],
                "all machines are gone for good" => &MACHINES,
                other => panic!("no comment that is understood: {other}"),
            };
            self.end(|(machine, _)| lost.contains(&machine.as_str()));
        }
    }

    /// Starts a program that stays, and waits until it says that it serves.
    fn start(&mut self, line: &str) {
        let words: Vec<String> = self.here(line).split(' ').map(str::to_owned).collect();
        let log = self.log(&self.on);
        let log = fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.current_dir(self.home.path()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let key = (self.on.clone(), format!("tern {}", words[1]));
        self.children.insert(key, child);
        assert!(said.contains("address="), "{line}\n{said}{}", self.logs());
    }

    fn end(&mut self, is_it: impl Fn(&(String, String)) -> bool) {
        for (_, mut child) in self.children.extract_if(.., |key, _| is_it(key)) {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn log(&self, machine: &str) -> PathBuf {
        self.home.path().join(format!("log-{machine}"))
    }

    fn logs(&self) -> String {
        let read = |machine| fs::read_to_string(self.log(machine)).unwrap_or_default();
        MACHINES.map(|machine| format!("--- {machine}\n{}", read(machine))).concat()
    }

    /// Waits as the reader does who types it again.
    fn wait_in_step(&self, count: usize) {
        let line =
            "tern cluster status --data=/var/lib/tern --key-file=/etc/tern/cluster.key --json";
        eventually(&format!("{count} machines in step, by {}", self.on), || {
            let told: Value = serde_json::from_slice(&self.shell(line).stdout).ok()?;
            let machines = told["machines"].as_array()?;
            let in_step = machines.iter().filter(|one| one["state"] == "in_step").count();
            let is_open = told["writes"] == true && told.get("pending").is_none_or(Value::is_null);
            (is_open && in_step == count && machines.len() == count).then_some(())
        });
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.end(|_| true);
    }
}

/// The last number of an address.
fn last_of(machine: &str) -> &str {
    machine.rsplit('.').next().unwrap()
}

fn has(program: &str) -> bool {
    let run = Command::new(program).arg("--version").output();
    run.is_ok_and(|run| run.status.success())
}

/// What a member posted, as the files on each machine say.
fn assert_posted(stage: &Stage, text: &str) {
    for machine in MACHINES {
        let path = stage.own(machine, "/var/lib/tern/users/ada.jsonl");
        eventually(&format!("{text:?} on {machine}"), || {
            fs::read_to_string(&path).ok()?.contains(text).then_some(())
        });
    }
}

#[test]
fn page_is_typed_from_top_to_bottom() {
    let mut stage = Stage::set();
    let first = format!("{}.21:7001", stage.network);
    super::talk::post(&first, &stage.own(MACHINES[0], "/etc/tern/cluster.key"), "kept");
    let mut printed = String::new();
    let blocks = blocks("sh");
    assert!(blocks.len() >= 12, "the page has lost its commands");
    for block in blocks {
        assert!(block.starts_with("# on "), "it says where: {block}");
        for line in block.lines() {
            printed.push_str(&stage.line(line));
        }
    }
    for said in ["first.tar is whole: 1 user,", "tern-backup/users/ada.jsonl", "nothing is wrong"] {
        assert!(printed.contains(said), "{said:?} in {printed}");
    }
    if has("jq") {
        assert!(printed.lines().filter(|line| *line == "kept").count() >= 2, "{printed}");
    }
    assert_posted(&stage, "kept");

    // The line for cron, as cron runs it: what is escaped for it is not for the shell.
    let line = blocks_of_cron();
    stage.on = MACHINES[0].to_owned();
    stage.line(&line);
    let made = fs::read_dir(stage.own(MACHINES[0], "/var/backups/tern")).unwrap();
    let names = made.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("20")).count(), 1);
}

fn blocks_of_cron() -> String {
    let lines = blocks("text").into_iter().flat_map(str::lines);
    let lines: Vec<_> = lines.filter_map(|line| line.split_once(" * * * root ")).collect();
    assert_eq!(lines.len(), 1, "one line for cron");
    lines[0].1.replace("\\%", "%")
}

#[test]
fn page_says_what_must_not_be_missed() {
    assert!(DOCUMENT.contains("**Replication is not backup.**"));
    assert!(DOCUMENT.contains("**A backup is a secret.**"));
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/RUN.md").is_file());
    let version = format!("For version {};", env!("CARGO_PKG_VERSION"));
    assert!(DOCUMENT.contains(&version), "the page is for {version}");
}
