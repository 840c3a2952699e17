//! What is said by commands that cannot start, or go on, as they were told: short ones, without a cluster.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tern::transport::key::ClusterKey;

use super::harness::PROGRAM;
use crate::ports::free_ports;

/// The program under a limit of the shell's.
fn limited(limit: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\""), PROGRAM]);
    command.args(args).stdin(Stdio::null()).env("TERN_CONFIG", "");
    command
}

/// How a command ended, and what it said on standard error.
fn ended(args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(PROGRAM);
    said(&command.args(args).stdin(Stdio::null()).env("TERN_CONFIG", "").output().unwrap())
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

fn option(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

#[test]
fn r0064_too_few_open_files_said_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    let (data, key) = (home.path().join("db"), option("key-file", &home.path().join("none")));
    let at = option("data", &data);
    let serve = ["serve", "--listen=127.0.0.1:1", &at];
    let web = ["web", "--listen=127.0.0.1:1", "--backends=127.0.0.1:1", &key];
    let backend = ["backend", "--node=1", "--listen=127.0.0.1:1", &key, &at];
    for (command, has, least) in [
        (&serve[..], 128, "serve needs 224"),
        (&web, 128, "web needs 192"),
        (&backend, 32, "backend needs 64"),
    ] {
        let output = limited(&format!("-n {has}"), command).output().unwrap();
        let words =
            format!("tern: tern {least} open files at least, and may have {has} (ulimit -n)\n");
        assert_eq!(said(&output), (Some(2), words));
    }
    assert!(!data.exists(), "nothing was made");
}

/// A limit on the size of files is told like a full disk; the signal that comes with it ends nothing.
#[test]
fn r0068_limit_on_the_size_of_files_is_told() {
    let home = tempfile::tempdir().unwrap();
    let out = File::create(home.path().join("man")).unwrap();
    let output = limited("-f 1", &["man"]).stdout(out).output().unwrap();
    let (code, words) = said(&output);
    assert_eq!(code, Some(1), "{words} {:?}", output.status);
    assert!(words.starts_with("tern: cannot write standard output: File too large"), "{words}");
}

#[test]
fn r0071_machine_without_a_directory_makes_none_and_names_a_command_that_works() {
    let home = tempfile::tempdir().unwrap();
    let key = home.path().join("the.key");
    ClusterKey::create(&key).unwrap();
    let data = home.path().join("db");
    let (at, key_file) = (option("data", &data), option("key-file", &key));
    let peers = "--peers=1=127.0.0.1:7,2=127.0.0.1:9,3=127.0.0.1:11";
    let listen = format!("--listen=127.0.0.1:{}", free_ports(1));
    let start = ["backend", "--node=3", &listen, peers, &at, &key_file];
    let (code, words) = ended(&start);
    assert_eq!(code, Some(3), "{words}");
    assert!(!data.exists(), "nothing was made: {words}");
    let command = format!("tern cluster replace 3 {at} {key_file} --at=127.0.0.1:7,127.0.0.1:9");
    assert!(words.contains(&command) && words.contains("Nothing was touched"), "{words}");
    std::fs::create_dir_all(data.join("users")).unwrap();
    std::fs::write(data.join("users/ada.jsonl"), "").unwrap();
    let (code, words) = ended(&start);
    assert!(words.contains("holds users' files, but no node.json"), "{words}");
    assert_eq!((code, data.join("damaged").exists()), (Some(3), false));
}

#[test]
fn r0217_machine_whose_identity_cannot_be_read_has_no_wrong_configuration() {
    let home = tempfile::tempdir().unwrap();
    // Even root cannot follow it.
    std::os::unix::fs::symlink("node.json", home.path().join("node.json")).unwrap();
    let (at, key) = (option("data", home.path()), option("key-file", &home.path().join("the.key")));
    let (code, words) = ended(&["backend", &at, &key]);
    assert_eq!(code, Some(3), "r0217 {words}");
    assert!(words.contains("does not tell which machine this is"), "{words}");
}

#[test]
fn r0218_configuration_file_that_is_not_there_is_said_to_be_a_file() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("tern.toml");
    let (code, words) = ended(&["config", "show", &option("config", &file)]);
    let told = format!("tern: cannot read {}: there is no such file\n", file.display());
    assert_eq!((code, words), (Some(2), told), "r0218");
}

#[test]
fn last_line_of_a_log_of_objects_is_an_object() {
    let home = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("--listen={}", taken.local_addr().unwrap());
    let at = option("data", &home.path().join("db"));
    let (code, words) = ended(&["serve", &listen, &at, "--log-format=json"]);
    assert_eq!(code, Some(1), "{words}");
    let object = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect(line);
    let last = words.lines().map(object).next_back().unwrap();
    assert_eq!((&last["level"], &last["msg"]), (&"error".into(), &"ended".into()), "{last}");
    assert!(last["error"].as_str().unwrap().contains("in use"), "{last}");
    let (_, words) = ended(&["serve", &listen, &at]);
    assert!(words.lines().last().unwrap().starts_with("tern: "), "{words}");
}

#[test]
fn listening_everywhere_is_refused_in_one_sentence() {
    let words =
        "0.0.0.0:24000 is every address of this machine: give --origin=… as people will type it\n";
    let home = tempfile::tempdir().unwrap();
    let at = option("data", &home.path().join("db"));
    let listen = "--listen=0.0.0.0:24000";
    let serve = ended(&["serve", listen, &at]);
    assert_eq!(serve, (Some(2), format!("tern: --origin: {words}")));
    let check = ended(&["config", "check", "serve", listen, &at]);
    assert_eq!(check, (Some(2), format!("tern: --listen: {words}")));
}

#[test]
fn web_server_that_is_frozen_did_not_answer_in_time() {
    // Whoever dials is let in by the system, and nobody answers.
    let frozen = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = frozen.local_addr().unwrap();
    let words = format!("tern: {address} is not well: the web server did not answer in time\n");
    assert_eq!(ended(&["health", &format!("--at={address}")]), (Some(1), words));
}

#[test]
fn what_was_typed_is_named_as_it_was_typed() {
    let home = tempfile::tempdir().unwrap();
    let at = option("data", home.path());
    for command in ["remove", "replace"] {
        let (code, words) = ended(&["cluster", command, "x", &at]);
        let expected = format!("tern: tern cluster {command} N=x: not a number from 1 to 15\n");
        assert_eq!((code, words), (Some(2), expected));
    }
    for address in ["0.0.0.0:7001", "[::]:7001"] {
        let address = format!("--address={address}");
        for command in [&["backup", "restore", "a.tar"][..], &["cluster", "replace", "1"]] {
            let (code, words) = ended(&[command, &[&address, &at]].concat());
            assert!(code == Some(2) && words.contains("is no machine's address"), "r0066: {words}");
        }
    }
    let lift = ["user", "suspend", "ben", "--lift", &at];
    for more in ["--days=2", "--reason=why"] {
        let (code, words) = ended(&[&lift[..], &[more]].concat());
        assert_eq!(code, Some(2), "{words}");
        assert!(words.contains("cannot be used with"), "{words}");
    }
}
