//! What an operator does with accounts while the machines run: the real program against a real
//! cluster, and what a browser then sees.

mod accounts;
mod environment;
mod guide;
mod import;
mod invite;
pub(crate) mod link;
mod output;
mod trouble;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cluster::harness::{Cluster, PROGRAM, eventually};

/// How long a command may take.
const END: Duration = Duration::from_mins(1);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    out: String,
    err: String,
}

impl Ended {
    /// One JSON object, of a command that was done.
    fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What stands behind `label` on a line of its own.
    pub(crate) fn told(&self, label: &str) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        let found = self.out.lines().find_map(|line| line.strip_prefix(label));
        found.unwrap_or_else(|| panic!("{label}: {self:?}"))
    }

    fn check_refused(&self, code: i32, words: &str) {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{self:?}");
        assert!(self.err.contains(words), "{words}: {self:?}");
    }
}

/// Runs the program on the machines that a directory names, with `input` on its standard input.
fn run_on(data: &Path, args: &[&str], input: &str) -> Ended {
    let mut child = Command::new(PROGRAM)
        .args(args)
        .arg(format!("--data={}", data.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let status = eventually("the command's end", END, || child.try_wait().unwrap());
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    Ended { code: status.code(), out, err }
}

pub(crate) fn run(cluster: &Cluster, args: &[&str]) -> Ended {
    run_on(cluster.data(), args, "")
}

/// Makes a member and signs them in, as a browser.
fn member(cluster: &Cluster, name: &str) -> crate::cluster::person::Person {
    let mut person = cluster.person(name);
    person.join();
    person
}

/// Signs in with this password; whether that was right.
fn signs_in(cluster: &Cluster, name: &str, password: &str) -> bool {
    let mut person = cluster.person(name);
    let answer = person.act("/login", "/login", &[("username", name), ("password", password)]);
    assert!([303, 422].contains(&answer.status), "{}", answer.body);
    answer.status == 303
}
