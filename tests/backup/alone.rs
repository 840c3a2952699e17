//! The backup of `tern serve`, through pipes: out of the one, into the other.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{backup, talk};
use crate::member::harness::{PROGRAM, Ran};
use crate::ports::free_ports;

/// `tern serve` in a directory; ended when dropped.
struct Serve(Child);

impl Serve {
    /// Until it serves.
    fn start(data: &Path) -> Self {
        let listen = format!("--listen=127.0.0.1:{}", free_ports(1));
        let mut command = Command::new(PROGRAM);
        command.args(["serve", &listen, &format!("--data={}", data.display())]);
        let log = File::options().create(true).append(true).open(data.with_extension("log"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.unwrap());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let serve = Self(child);
        let log = || fs::read_to_string(data.with_extension("log"));
        assert!(said.starts_with("web address="), "{said}{}", log().unwrap());
        serve
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[test]
fn machine_that_is_alone_is_saved_while_it_runs_and_serves_again() {
    let home = tempfile::tempdir().unwrap();
    let (data, file) = (home.path().join("db"), home.path().join("a.tar"));
    let serve = Serve::start(&data);
    let node: Value = serde_json::from_slice(&fs::read(data.join("node.json")).unwrap()).unwrap();
    talk::post(node["listens"].as_str().unwrap(), &data.join("cluster.key"), "kept");

    let here = format!("--data={}", data.display());
    let create = |to: File| {
        let mut command = Command::new(PROGRAM);
        command.args(["backup", "create", "-", &here]).stdin(Stdio::null()).stdout(to);
        command.output().unwrap()
    };
    let made = create(File::create(&file).unwrap());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut verify = Command::new(PROGRAM);
    verify.args(["backup", "verify", "-"]).stdin(File::open(&file).unwrap());
    let verified = verify.output().unwrap();
    let told = String::from_utf8(verified.stdout).unwrap();
    assert!(told.starts_with("the backup is whole: 1 user,"), "{told}");

    // A disk without room: it is said, and by the exit code too.
    let full = create(File::options().write(true).open("/dev/full").unwrap());
    assert_eq!(full.status.code(), Some(1));
    let told = String::from_utf8(full.stderr).unwrap();
    assert!(told.contains("cannot write standard output"), "{told}");

    drop(serve);
    backup(&["create", &home.path().join("b.tar").display().to_string(), &here])
        .refused(4, "no machine tells");
    let restored = home.path().join("again");
    let there = format!("--data={}", restored.display());
    backup(&["restore", &file.display().to_string(), &there]).done();
    let ada = fs::read(data.join("users/ada.jsonl")).unwrap();
    assert_eq!(fs::read(restored.join("users/ada.jsonl")).unwrap(), ada);
    let _serve = Serve::start(&restored);
    let again = home.path().join("c.tar");
    backup(&["create", &again.display().to_string(), &there]).done();
    assert!(super::file_in(&again, "ada").contains("kept"), "it is shown as committed");
}

/// What a script that closed it would take for a backup.
#[test]
fn r0194_backup_that_is_kept_nowhere_is_not_made() {
    for end in ["", " >&-", " >/dev/null"] {
        let script = format!("exec \"$0\" backup create -{end}");
        let mut command = Command::new("sh");
        command.args(["-c", &script, PROGRAM]).stdin(Stdio::null()).stdout(Stdio::null());
        let ran = command.output().unwrap();
        let told = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{end:?}: {told}");
        assert!(told.contains("is kept nowhere"), "{told}");
    }
}

#[test]
fn r0148_directory_that_is_named_for_serve_alone_is_found_by_the_other_commands() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("db");
    let _serve = Serve::start(&data);
    let config = home.path().join("tern.toml");
    fs::write(&config, format!("[serve]\ndata = \"{}\"\n", data.display())).unwrap();
    let config = format!("--config={}", config.display());
    let list = ["user", "list", &config].map(str::to_owned);
    assert_eq!(Ran::of(list).done(), "nobody has an account\n");
}
