//! What becomes of a command whose answer cannot be written.

use std::fs::File;
use std::process::{Command, Output, Stdio};

use crate::cluster::harness::{Cluster, Options, PROGRAM};

use super::{member, run, signs_in};

fn run_into(out: impl Into<Stdio>, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(args).env("TERN_CONFIG", "").stdin(Stdio::null()).stdout(out);
    command.output().unwrap()
}

/// One line on standard error, with these words in it.
#[track_caller]
fn check_failed(args: &[&str], words: &str) {
    let ended = run_into(File::options().write(true).open("/dev/full").unwrap(), args);
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), told.lines().count()), (Some(1), 1), "{args:?}: {told}");
    assert!(told.contains(words) && told.contains("No space left"), "{args:?}: {told}");
}

/// A pipe whose reader went away.
fn closed() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

#[test]
fn answer_that_cannot_be_written_is_a_failure_and_what_was_made_is_told() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    member(&cluster, "ada");
    assert_eq!(run(&cluster, &["user", "admin", "ada"]).code, Some(0));
    let data = format!("--data={}", cluster.data().display());
    let lost = "cannot write standard output";
    for args in [&["--help"][..], &["--version"], &["man"], &["completions", "bash"]] {
        check_failed(args, lost);
        let ended = run_into(closed(), args);
        assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
    }
    for args in [&["config", "show"][..], &["config", "check"], &["config", "check", "--json"]] {
        check_failed(args, lost);
    }
    for args in [["user", "list"], ["cluster", "status"], ["invite", "list"]] {
        check_failed(&[&args[..], &[&data]].concat(), lost);
        check_failed(&[&args[..], &["--json", &data]].concat(), lost);
        let ended = run_into(closed(), &[&args[..], &[&data]].concat());
        assert_eq!(ended.status.code(), Some(0), "{args:?}");
        assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let home = tempfile::tempdir().unwrap();
    let stopped = home.path().join("node").display().to_string();
    let data_of = format!("--data={stopped}");
    let set_up = ["cluster", "init", "--node=1", "--peers=1=127.0.0.1:9", &data_of];
    assert!(run_into(Stdio::null(), &set_up).status.success());
    let other = format!("--data={}", home.path().join("other").display());
    let other = [&set_up[..4], &[&other, "--log=off"]].concat();
    check_failed(&other, "machine 1 is set up in");
    let saved = home.path().join("a.tar").display().to_string();
    check_failed(&["backup", "create", &saved, &data], "a.tar is made: 1 user,");
    let again = format!("--data={}", home.path().join("again").display());
    check_failed(&["backup", "restore", &saved, &again], "restored in ");
    check_failed(&["check", &stopped], lost);
    check_failed(&["check", "--json", &stopped], lost);
    // What is told once is there nevertheless.
    check_failed(&["user", "add", "ben", &data], "ben has an account, but its password");
    check_failed(&["user", "passwd", "ben", &data], "tern user passwd ben makes another");
    check_failed(&["invite", "new", &data], "ends it");
    let ended = run_into(closed(), &["user", "add", "cleo", "--json", &data]);
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(told.contains("tern user passwd cleo"), "{told}");
    for args in [["user", "passwd", "cleo"], ["user", "add", "dora"]] {
        let ended = run_into(Stdio::null(), &[&args[..], &[&data]].concat());
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "r0194 {args:?}: {told}");
        assert!(told.contains("tern user passwd") && told.contains("is closed"), "{told}");
    }
    assert_eq!(run(&cluster, &["user", "list"]).out.lines().count(), 4);
    let listed = run(&cluster, &["invite", "list", "--json"]).json();
    assert_eq!(listed["invitations"].as_array().unwrap().len(), 1, "{listed}");
    assert!(!signs_in(&cluster, "ben", "whatever it was"));
    for (name, json) in [("ben", &[][..]), ("cleo", &["--json"])] {
        let delete = [&["user", "delete", name, "--yes", &data][..], json].concat();
        check_failed(&delete, &format!("{name} is deleted, but standard output"));
    }
}

/// What a script reads is a document, whatever comes of the command.
#[test]
fn r0195_command_that_fails_says_why_as_the_json_that_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let gone = home.path().join("gone").display().to_string();
    let data = format!("--data={gone}");
    for words in [
        &["check", &gone][..],
        &["backup", "verify", &gone],
        &["cluster", "status", &data],
        &["user", "list", &data],
        &["user", "delete", "ada", "--yes", &data],
        &["invite", "new", &data],
    ] {
        let ended = run_into(Stdio::piped(), &[words, &["--json"]].concat());
        let [out, told] = [ended.stdout, ended.stderr].map(|it| String::from_utf8(it).unwrap());
        assert_ne!(ended.status.code(), Some(0), "{words:?}");
        let document: serde_json::Value = serde_json::from_str(&out)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {out:?} {told}"));
        assert_eq!(format!("tern: {}\n", document["error"].as_str().unwrap()), told);
    }
    // One that is there already is all there is.
    let mut command = Command::new(PROGRAM);
    command.args(["backup", "verify", "-", "--json"]).stdin(Stdio::null());
    let out = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["ok"], false, "{out}");
}
