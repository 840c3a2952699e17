//! The program as an operator meets it: exit codes, messages, lines, signals.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::harness::{Cluster, Options, PROGRAM, eventually, is_ours, send};
use crate::ports::free_ports;

/// How long a command may take that is to end by itself.
const END: Duration = Duration::from_secs(30);

/// A command that runs, and is ended when it is no longer looked at.
pub(super) struct Program {
    child: Child,
    stderr: tempfile::NamedTempFile,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Program {
    /// Starts a command.
    pub(super) fn start(args: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(args);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let stderr = tempfile::NamedTempFile::new().unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr.reopen().unwrap())
            .spawn()
            .unwrap();
        Self { child, stderr }
    }

    /// Runs a command that ends by itself.
    pub(super) fn run(args: &[&str]) -> Ended {
        Self::start(args).wait()
    }

    fn stderr(&self) -> String {
        std::fs::read_to_string(self.stderr.path()).unwrap()
    }

    /// Waits until it has ended.
    fn wait(mut self) -> Ended {
        let child = &mut self.child;
        let status = eventually("the command's end", END, || child.try_wait().unwrap());
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        Ended { code: status.code(), stdout, stderr: self.stderr() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already, and then has been waited for.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn check_refused(args: &[&str], code: i32, expected: &str) {
    let ended = Program::run(args);
    assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.stderr);
    assert!(ended.stderr.contains(expected), "{args:?}: {}", ended.stderr);
    assert_eq!(ended.stdout, "", "{args:?}");
}

#[test]
fn help_and_version_succeed_on_standard_output() {
    for args in
        [["--help"].as_slice(), &["help", "run-cluster"], &["serve", "--help"], &["--version"]]
    {
        let ended = Program::run(args);
        assert_eq!(ended.code, Some(0), "{args:?}");
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty(), "{ended:?}");
    }
}

#[test]
fn wrong_use_exits_2_with_what_is_wrong() {
    check_refused(&[], 2, "Usage");
    check_refused(&["serv"], 2, "serve");
    check_refused(&["serve", "--data=a", "--data=b"], 2, "--data");
    check_refused(&["serve", "--listen=nowhere"], 2, "--listen=nowhere");
    check_refused(&["run-cluster", "--backends=9"], 2, "--backends=9");
    let lacks_self = "--peers=1=127.0.0.1:7001,2=127.0.0.1:7002";
    let backend = ["backend", "--node=3", "--listen=127.0.0.1:7003", lacks_self, "--key-file=none"];
    check_refused(&backend, 2, "machine 3 (--node) is not in it");
}

#[test]
fn log_level_unknown_exits_2() {
    let out = Command::new(PROGRAM).arg("serve").env("TERN_LOG", "loud").output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("TERN_LOG=loud: use error"));
}

#[test]
fn port_in_use_named_before_anything_starts() {
    let directory = tempfile::tempdir().unwrap();
    let data = format!("--data={}", directory.path().display());
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    let message = format!("port {port} is already in use");
    check_refused(&["run-cluster", &data, &format!("--listen=127.0.0.1:{port}")], 1, &message);
    let backend_port = format!("--backend-port={port}");
    check_refused(&["run-cluster", &data, "--listen=127.0.0.1:0", &backend_port], 1, &message);
}

#[test]
fn data_directory_in_use_exits_3() {
    let cluster = Cluster::spawn(Options::default());
    eventually("the first line", END, || (!cluster.lines().is_empty()).then_some(()));
    let data = format!("--data={}", cluster.data().display());
    check_refused(&["run-cluster", &data, "--listen=127.0.0.1:0"], 3, "another tern uses");
}

#[test]
fn cluster_lines_are_as_scripts_expect() {
    let cluster = Cluster::start(Options::default());
    let lines = cluster.lines();
    let mut expected = Vec::new();
    for node in 1..=3 {
        let (pid, address) = (cluster.pid(node), cluster.backend_address(node));
        let data = cluster.node_data(node);
        expected
            .push(format!("backend {node} pid={pid} address={address} data={}", data.display()));
        assert!(is_ours(pid));
    }
    expected.push(format!("web pid={} address={}", cluster.web_pid(), cluster.address()));
    expected.push("ready".to_owned());
    assert_eq!(lines, expected);
}

#[test]
fn cluster_asked_to_stop_ends_all_with_0() {
    let mut cluster = Cluster::start(Options::default());
    let children = cluster.children();
    assert_eq!(children.len(), 4);
    // A frozen machine must not keep the others waiting.
    cluster.kill(2, Signal::STOP);
    assert_eq!(cluster.stop().code(), Some(0));
    assert!(!children.into_iter().any(is_ours), "a process is left");
}

#[test]
fn cluster_killed_children_end_by_themselves() {
    let mut cluster = Cluster::start(Options::default());
    let children = cluster.children();
    assert_eq!(children.len(), 4);
    send(cluster.parent_pid(), Signal::KILL);
    cluster.wait_stopped();
    eventually("the children's end", END, || {
        (!children.iter().any(|pid| is_ours(*pid))).then_some(())
    });
}

#[test]
fn child_dead_reported_and_left_when_asked_so() {
    let cluster = Cluster::start(Options { no_restart: true, ..Options::default() });
    let pid = cluster.kill(1, Signal::KILL);
    let told = format!("process=\"backend 1\" pid={pid} how=\"killed by signal 9\"");
    eventually("a line in the log", END, || cluster.log().contains(&told).then_some(()));
    assert_eq!(cluster.pid(1), pid);
}

#[test]
fn key_missing_refused_where_none_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let key = format!("--key-file={}", directory.path().join("cluster.key").display());
    let data = format!("--data={}", directory.path().join("db").display());
    let listen = format!("--listen=127.0.0.1:{}", free_ports(1));
    let peers = listen.replace("--listen=", "--peers=1=");
    check_refused(&["backend", "--node=1", &listen, &peers, &key, &data], 2, "no cluster key");
    check_refused(&["web", &listen, "--backends=127.0.0.1:1", &key], 2, "no cluster key");
}

#[test]
fn plain_http_beyond_this_machine_refused_with_cure() {
    let directory = tempfile::tempdir().unwrap();
    let data = format!("--data={}", directory.path().display());
    let origin = "--origin=http://tern.example";
    check_refused(&["serve", "--listen=127.0.0.1:8080", &data, origin], 2, "--insecure-http");
    check_refused(&["run-cluster", "--listen=127.0.0.1:0", &data, origin], 2, "--insecure-http");
    check_refused(&["serve", "--listen=0.0.0.0:8080", &data], 2, "--origin=");
}

/// Runs a command on this directory where its account may have so many threads and no more, itself included;
/// `None` where that cannot be had. Root is exempt, so root runs it as an account that nobody else is, which
/// may look for the program wherever it lies; anybody else in a namespace of accounts of its own.
fn with_threads(most: u32, directory: &Path) -> Option<Command> {
    let account = 30_000 + std::process::id() % 10_000;
    let words: &[&str] = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(directory, Some(account), None).unwrap();
        let caps = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
        &["setpriv", &format!("--reuid={account}"), "--clear-groups", caps[0], caps[1]]
    } else {
        &["unshare", "--user"]
    };
    let command = || {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["prlimit", &format!("--nproc={most}")]);
        command
    };
    let allowed = command().arg("true").output();
    if !allowed.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped, threads cannot be limited here: {allowed:?}");
        return None;
    }
    Some(command())
}

/// Serves with so many threads and checks that it ends: by itself and saying why, or when it is told to.
fn check_threads(most: u32) {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut command) = with_threads(most, directory.path()) else { return };
    let data = format!("--data={}", directory.path().join("db").display());
    let listen = format!("--listen=127.0.0.1:{}", free_ports(1));
    command.args([PROGRAM, "serve", &listen, &data]);
    let mut run = Program::spawn(command);
    let has_ended = || {
        let has_ended = run.child.try_wait().unwrap().is_some();
        (has_ended || run.stderr().contains("web serving")).then_some(has_ended)
    };
    let what = format!("with {most} threads, a server that serves or has ended");
    if !eventually(&what, END, has_ended) {
        send(run.child.id(), Signal::TERM);
        assert_eq!(run.wait().code, Some(0), "{most} threads");
        return;
    }
    let ended = run.wait();
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert!(ended.code == Some(1) && last.starts_with("tern: "), "{most} threads: {ended:?}");
}

#[test]
fn r0025_server_that_gets_too_few_threads_says_so_and_ends() {
    [2, 3, 5, 7, 9, 12, 14, 16, 20, 30, 60, 200].into_iter().for_each(check_threads);
}
