//! What the page says that Tern says when something is wrong, provoked.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::document::DOCUMENT;
use crate::cluster::harness::{PROGRAM, eventually, take_turn};
use crate::ports::free_ports;

const LONG: Duration = Duration::from_secs(30);

/// The first cells of the table of troubles.
fn troubles() -> Vec<&'static str> {
    let table = DOCUMENT.split("## When it does not work").nth(1).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.collect()
}

/// Directories of some machines, and what they said.
struct Stage {
    home: tempfile::TempDir,
    port: u16,
    heard: Vec<String>,
    children: Vec<Child>,
}

impl Stage {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        let own = self.home.path().display().to_string();
        let here = |word: &&str| word.replace("DIR", &own).replace("PORT", &self.port.to_string());
        command.args(words.iter().map(here)).env("TERN_CONFIG", "").stdin(Stdio::null());
        command
    }

    fn run(&mut self, words: &[&str]) -> Output {
        let out = self.command(words).output().unwrap();
        self.heard.push(format!("{}{}", text(&out.stdout), text(&out.stderr)));
        out
    }

    fn done(&mut self, words: &[&str]) {
        let out = self.run(words);
        assert!(out.status.success(), "{words:?}: {:?}", self.heard.last());
    }

    fn refused(&mut self, words: &[&str], code: i32) {
        let out = self.run(words);
        assert_eq!(out.status.code(), Some(code), "{words:?}: {:?}", self.heard.last());
    }

    /// Starts what stays, and waits until its log has these words.
    fn says(&mut self, words: &[&str], expected: &str) {
        let path = self.home.path().join(format!("log-{}", self.children.len()));
        let log = fs::File::create(&path).unwrap();
        let child = self.command(words).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.children.push(child);
        let said = eventually(expected, LONG, || {
            fs::read_to_string(&path).ok().filter(|text| text.contains(expected))
        });
        self.heard.push(said);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn troubles_of_the_page_are_told_in_these_words() {
    let _turn = take_turn();
    let home = tempfile::tempdir().unwrap();
    let mut stage = Stage { home, port: free_ports(1), heard: Vec::new(), children: Vec::new() };
    let peers = "--peers=1=127.0.0.1:PORT,2=127.0.0.2:PORT,3=192.0.2.9:7001";
    let init = |node, key| ["cluster", "init", node, key, peers];
    let data = |command: [&'static str; 5], data| [&command[..], &[data]].concat();

    // Copied to nowhere, or so that others can read it; twice; and not at all.
    stage.refused(&data(init("--node=2", "--key-file=DIR/k2"), "--data=DIR/2"), 2);
    assert!(!stage.home.path().join("k2").exists(), "no second key is made");
    stage.done(&data(init("--node=1", "--key-file=DIR/k1"), "--data=DIR/1"));
    stage.refused(&data(init("--node=1", "--key-file=DIR/k1"), "--data=DIR/1"), 3);
    let backend = ["backend", "--key-file=DIR/k1", "--data=DIR/1"];
    stage.refused(&["backend", "--key-file=DIR/k1", "--data=DIR/2"], 2);
    // The way to it is shut.
    stage.refused(&["backend", "--key-file=DIR/k1/k1", "--data=DIR/1"], 2);
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let key = stage.home.path().join("k1");
    mode(&key, 0o644);
    stage.refused(&backend, 2);
    mode(&key, 0o600);

    // What listens there already, and what is not this machine's.
    let taken = TcpListener::bind(("127.0.0.1", stage.port)).unwrap();
    stage.refused(&backend, 1);
    let listen = "--listen=127.0.0.1:PORT";
    stage.refused(&["serve", listen, "--data=DIR/alone"], 1);
    drop(taken);
    stage.done(&data(init("--node=3", "--key-file=DIR/k1"), "--data=DIR/3"));
    stage.refused(&["backend", "--key-file=DIR/k1", "--data=DIR/3"], 1);

    // One waits, and says for whom; then the other comes with another key.
    stage.says(&backend, "msg=\"machine not reached\" node=2 ");
    let other = "--peers=2=127.0.0.2:PORT,3=192.0.2.9:7001";
    stage.done(&["cluster", "init", "--node=2", "--key-file=DIR/k3", other, "--data=DIR/2"]);
    stage.done(&["config", "check"]);
    stage.says(&["backend", "--key-file=DIR/k3", "--data=DIR/2"], "backend serving");
    let path = stage.home.path().join("log-0");
    stage.heard.push(eventually("word of the other key", LONG, || {
        fs::read_to_string(&path).ok().filter(|text| text.contains("it has another cluster key"))
    }));
    stage.refused(&["cluster", "status", "--data=DIR/1", "--key-file=DIR/k1"], 4);

    // A proxy that passes another host on.
    stage.says(
        &["serve", "--listen=127.0.0.3:PORT", "--data=DIR/alone", "--origin=https://a.example"],
        "web serving",
    );
    let mut asked = Command::new("curl");
    asked.args(["--silent", "--noproxy", "*", "--header", "Host: b.example"]);
    let page = asked.arg(format!("http://127.0.0.3:{}/", stage.port)).output().unwrap();
    stage.heard.push(text(&page.stdout));

    let heard = stage.heard.join("\n");
    let troubles = troubles();
    assert!(troubles.len() >= 8, "{troubles:?}");
    for trouble in troubles {
        let trouble = trouble.replace("127.0.0.1:8080", &format!("127.0.0.1:{}", stage.port));
        assert!(heard.contains(&trouble), "{trouble:?} is not in\n{heard}");
    }
    assert!(heard.contains("it has not met all machines yet"), "{heard}");
}
