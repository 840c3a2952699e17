//! Three real backends spoken to as a web server does, without pages between: what is saved, what is
//! refused, and what a majority that is gone means.

mod apart;
mod audience;
mod export;
mod find;
mod hot;
mod keeping;
mod listen;
mod posts_for;
mod threads;
mod unheard;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tern::action::{Action, Join, NewPost, Opening, Page, RequestKey};
use tern::auth::session::Token;
use tern::clock::Clock;
use tern::id::RequestId;
use tern::limits::{FRAME_BYTES_MAX, REQUEST_BYTES_MAX};
use tern::transport::connection::{Connection, dial};
use tern::transport::key::{ClusterKey, Keys};
use tern::transport::{Role, TransportError};
use tern::wire::request::{Outcome, Refusal, Request, Response};
use tern::wire::status::StatusPage;

use crate::cluster::harness::send;
use crate::ports::free_ports;

const WAIT: Duration = Duration::from_secs(20);

/// Three backends on loopback, ended when dropped.
struct Backends {
    dir: tempfile::TempDir,
    keys: Keys,
    ports: [u16; 3],
    options: &'static [&'static str],
    children: [Option<Child>; 3],
}

impl Backends {
    fn start() -> Self {
        Self::with(&[])
    }

    fn without_rate_limits() -> Self {
        Self::with(&["--rate-limits=off"])
    }

    /// Machines that understand all there is, in a cluster that has not been told so yet.
    fn as_before_an_upgrade() -> Self {
        Self::set_up_by(&[], |all, n| {
            all.set_up(n);
            let path = all.data(n).join("node.json");
            let mut node: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            node["features"] = 1.into();
            std::fs::write(&path, node.to_string()).unwrap();
        })
    }

    fn with(options: &'static [&'static str]) -> Self {
        Self::set_up_by(options, Self::set_up)
    }

    fn set_up_by(options: &'static [&'static str], set_up: impl Fn(&Self, usize)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        ClusterKey::create(&dir.path().join("key")).unwrap();
        let keys = Keys::read(&dir.path().join("key")).unwrap();
        let first = free_ports(3);
        let ports = [first, first + 1, first + 2];
        let mut all = Self { dir, keys, ports, options, children: [None, None, None] };
        (0..3).for_each(|n| set_up(&all, n));
        (0..3).for_each(|n| all.spawn(n));
        all.wait_until_writable(0);
        all
    }

    fn data(&self, n: usize) -> std::path::PathBuf {
        self.dir.path().join(format!("node-{}", n + 1))
    }

    fn command(&self, n: usize, data: &Path) -> Command {
        let [a, b, c] = self.ports;
        let mut command = Command::new(env!("CARGO_BIN_EXE_tern"));
        command.arg("backend").arg(format!("--node={}", n + 1));
        command.arg(format!("--listen=127.0.0.1:{}", self.ports[n]));
        command.arg(format!("--peers=1=127.0.0.1:{a},2=127.0.0.1:{b},3=127.0.0.1:{c}"));
        command.arg(format!("--data={}", data.display()));
        command.arg(format!("--key-file={}", self.dir.path().join("key").display()));
        command.args(self.options);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn set_up(&self, n: usize) {
        let [a, b, c] = self.ports;
        let mut command = Command::new(env!("CARGO_BIN_EXE_tern"));
        command.args(["cluster", "init"]).arg(format!("--node={}", n + 1));
        command.arg(format!("--peers=1=127.0.0.1:{a},2=127.0.0.1:{b},3=127.0.0.1:{c}"));
        command.arg(format!("--data={}", self.data(n).display()));
        command.arg(format!("--key-file={}", self.dir.path().join("key").display()));
        assert!(command.stdout(Stdio::null()).status().unwrap().success());
    }

    fn spawn(&mut self, n: usize) {
        self.children[n] = Some(self.command(n, &self.data(n)).spawn().unwrap());
    }

    fn signal(&self, n: usize, signal: Signal) {
        send(self.children[n].as_ref().unwrap().id(), signal);
    }

    fn kill(&mut self, n: usize) {
        let mut child = self.children[n].take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn connect(&self, n: usize) -> Result<Connection, TransportError> {
        dial(&format!("127.0.0.1:{}", self.ports[n]), Role::Web, &self.keys, WAIT)
    }

    fn try_ask(&self, n: usize, request: &Request) -> Result<Response, TransportError> {
        let mut connection = self.connect(n)?;
        connection.send(&serde_json::to_vec(request).unwrap(), &[], WAIT)?;
        let frame = connection.receive(FRAME_BYTES_MAX, WAIT)?;
        Ok(serde_json::from_slice(&frame.header).unwrap())
    }

    /// Sends the same request until its outcome is known, as a form does.
    fn ask_until_known(&self, n: usize, request: &Request) -> Response {
        eventually(|| Some(self.ask(n, request)).filter(|told| !is_for_later(&told.data.outcome)))
    }

    fn ask(&self, n: usize, request: &Request) -> Response {
        self.try_ask(n, request).unwrap()
    }

    fn wait_until_writable(&self, n: usize) {
        self.wait_until(n, |page| page.writes);
    }

    /// Waits until a machine says that it reaches all others: only those it reaches it asks.
    fn wait_until_all_up(&self, n: usize) {
        self.wait_until(n, |page| page.machines.iter().all(|row| row.down_since.is_none()));
    }

    fn wait_until(&self, n: usize, is_so: impl Fn(&StatusPage) -> bool) {
        let status =
            Request { session: None, read_to: None, need: None, action: Action::ClusterStatus };
        eventually(|| match self.try_ask(n, &status).map(|response| response.data.outcome) {
            Ok(Outcome::Status(page)) => is_so(&page).then_some(()),
            _ => None,
        });
    }
}

impl Drop for Backends {
    fn drop(&mut self) {
        for child in self.children.iter_mut().flatten() {
            let _gone = child.kill();
            let _gone = child.wait();
        }
    }
}

/// Whether the same is to be sent again: what became of it is not known, or all machines are there and too
/// few answered in time, as when their disk stands still for a second.
pub(crate) fn is_for_later(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(Refusal::Busy { .. } | Refusal::Unknown) => true,
        Outcome::Refused(Refusal::NoMajority { reachable, needed, .. }) => reachable >= needed,
        _ => false,
    }
}

/// Waits for a condition, asking again every few milliseconds.
fn eventually<T>(mut check: impl FnMut() -> Option<T>) -> T {
    let clock = Clock::system();
    let deadline = clock.mono().plus_ms(30_000);
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(clock.mono() < deadline, "what was awaited did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn key(number: u8) -> RequestKey {
    RequestKey { ops: 0, id: RequestId([number; 16]) }
}

fn opening() -> Opening {
    let token = Token::generate().unwrap().secret().to_owned();
    Opening { token, device: "a test".to_owned(), address: "127.0.0.1".to_owned() }
}

fn join(name: &str, number: u8) -> Request {
    let action = Action::Join(Join {
        key: key(number),
        username: name.to_owned(),
        display_name: String::new(),
        password: "a quiet gull sleeps".to_owned(),
        code: String::new(),
        opening: opening(),
    });
    Request { session: None, read_to: None, need: None, action }
}

fn post(session: &str, number: u8, text: &str) -> Request {
    let action = NewPost {
        key: key(number),
        text: text.to_owned(),
        reply_to: None,
        note: String::new(),
        pictures: Vec::new(),
        sent: Vec::new(),
        sensitive: false,
        for_everybody: false,
    };
    Request {
        session: Some(session.to_owned()),
        read_to: None,
        need: None,
        action: Action::Post(action),
    }
}

fn joined(all: &Backends, n: usize, name: &str, number: u8) -> String {
    all.ask_until_known(n, &join(name, number)).session.expect("a session after joining")
}

fn everyone(all: &Backends, n: usize) -> Vec<String> {
    let request = Request {
        session: None,
        read_to: None,
        need: None,
        action: Action::Everyone(Page::default()),
    };
    match all.ask(n, &request).data.outcome {
        Outcome::Posts(page) => page.posts.into_iter().map(|post| post.text).collect(),
        other => panic!("a list was asked for: {other:?}"),
    }
}

#[test]
fn post_saved_shown_by_every_machine() {
    let all = Backends::start();
    let session = joined(&all, 0, "ada", 1);
    assert!(matches!(all.ask(0, &post(&session, 2, "hello")).data.outcome, Outcome::Saved(_)));
    for n in 0..3 {
        eventually(|| (everyone(&all, n) == ["hello"]).then_some(()));
    }
}

#[test]
fn post_sent_again_elsewhere_done_once_other_text_conflicts() {
    let all = Backends::start();
    let session = joined(&all, 0, "ada", 1);
    let first = all.ask(0, &post(&session, 2, "once")).data.outcome;
    let Outcome::Saved(first) = first else { panic!("{first:?}") };
    for n in [1, 2, 0] {
        let again = all.ask(n, &post(&session, 2, "once")).data.outcome;
        assert_eq!(again, Outcome::Saved(first.clone()), "on machine {}", n + 1);
    }
    let other = all.ask(1, &post(&session, 2, "another")).data.outcome;
    assert_eq!(other, Outcome::Refused(Refusal::Conflict));
    // Strangers may be shown a moment less; never something twice.
    eventually(|| (everyone(&all, 1) == ["once"]).then_some(()));
}

#[test]
fn own_post_seen_at_once_on_any_machine() {
    let all = Backends::start();
    let mut session = joined(&all, 0, "ada", 1);
    for number in 2..12 {
        let n = usize::from(number) % 3;
        let text = format!("post {number}");
        session = all.ask(n, &post(&session, number, &text)).session.unwrap();
        let home = Request {
            session: Some(session.clone()),
            read_to: None,
            need: None,
            action: Action::Home(Page::default()),
        };
        let Outcome::Posts(page) = all.ask((n + 1) % 3, &home).data.outcome else { panic!() };
        assert_eq!(page.posts.first().map(|post| &*post.text), Some(&*text));
    }
}

#[test]
fn name_taken_by_one_of_many_who_join_at_once() {
    let all = Backends::start();
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..6)
            .map(|i| {
                let all = &all;
                scope.spawn(move || all.ask(usize::from(i) % 3, &join("ada", i + 1)).data.outcome)
            })
            .collect();
        tries.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    let won = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Saved(_))).count();
    assert_eq!(won, 1, "{outcomes:?}");
}

#[test]
fn one_machine_killed_or_frozen_writes_go_on_and_it_catches_up() {
    let mut all = Backends::start();
    let mut session = joined(&all, 0, "ada", 1);
    all.kill(2);
    session = all.ask(0, &post(&session, 2, "while one is dead")).session.unwrap();
    all.spawn(2);
    eventually(|| (everyone_or_none(&all, 2) == ["while one is dead"]).then_some(()));
    all.wait_until_all_up(0);
    all.signal(1, Signal::STOP);
    let frozen = all.ask(0, &post(&session, 3, "while one is frozen")).data.outcome;
    assert!(matches!(frozen, Outcome::Saved(_)), "{frozen:?}");
    all.signal(1, Signal::CONT);
    eventually(|| (everyone_or_none(&all, 1).len() == 2).then_some(()));
}

fn everyone_or_none(all: &Backends, n: usize) -> Vec<String> {
    let request = Request {
        session: None,
        read_to: None,
        need: None,
        action: Action::Everyone(Page::default()),
    };
    match all.try_ask(n, &request).map(|response| response.data.outcome) {
        Ok(Outcome::Posts(page)) => page.posts.into_iter().map(|post| post.text).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn two_machines_killed_nothing_saved_and_reading_goes_on() {
    let mut all = Backends::start();
    let session = joined(&all, 0, "ada", 1);
    let session = all.ask(0, &post(&session, 2, "before")).session.unwrap();
    all.kill(1);
    all.kill(2);
    let refused = eventually(|| match all.ask(0, &post(&session, 3, "after")).data.outcome {
        Outcome::Refused(refusal @ Refusal::NoMajority { .. }) => Some(refusal),
        Outcome::Refused(Refusal::Unknown) => None,
        other => panic!("nothing can be saved: {other:?}"),
    });
    assert_eq!(refused, Refusal::NoMajority { reachable: 1, members: 3, needed: 2 });
    assert!(everyone(&all, 0).contains(&"before".to_owned()));
    all.spawn(1);
    let saved = eventually(|| match all.ask(0, &post(&session, 3, "after")).data.outcome {
        Outcome::Saved(saved) => Some(saved),
        _ => None,
    });
    assert!(saved.post.is_some());
    let texts = everyone(&all, 0);
    assert_eq!(texts.iter().filter(|text| *text == "after").count(), 1, "{texts:?}");
}

#[test]
fn r0005_machine_that_met_nobody_since_its_start_does_not_show_less_than_seen() {
    let mut all = Backends::start();
    let session = joined(&all, 0, "ada", 1);
    let session = all.ask(0, &post(&session, 2, "seen")).session.unwrap();
    (0..3).for_each(|n| all.kill(n));
    // Nothing on its disk says yet that the last line was committed.
    all.spawn(0);
    let home = Request {
        session: Some(session),
        read_to: None,
        need: None,
        action: Action::Home(Page::default()),
    };
    let alone = eventually(|| all.try_ask(0, &home).ok());
    assert_eq!(alone.data.outcome, Outcome::Refused(Refusal::Behind));
    all.spawn(1);
    let texts = eventually(|| match all.ask(0, &home).data.outcome {
        Outcome::Posts(page) => Some(page.posts.into_iter().map(|post| post.text)),
        _ => None,
    });
    assert!(texts.eq(["seen"]));
}

#[test]
fn unknown_action_and_broken_frame_told_and_others_served() {
    let all = Backends::start();
    let mut connection = all.connect(0).unwrap();
    for bytes in [&b"{\"action\":\"sing\",\"data\":{}}"[..], b"{\"action\":\"post\"}", b"\xff\0"] {
        connection.send(bytes, &[], WAIT).unwrap();
        let frame = connection.receive(REQUEST_BYTES_MAX, WAIT).unwrap();
        let response: Response = serde_json::from_slice(&frame.header).unwrap();
        let outcome = response.data.outcome;
        assert!(matches!(outcome, Outcome::Refused(Refusal::BadRequest { .. })), "{outcome:?}");
    }
    assert!(everyone(&all, 0).is_empty());
}

#[test]
fn wiped_machine_turned_away_and_the_others_go_on() {
    let mut all = Backends::start();
    let session = joined(&all, 0, "ada", 1);
    all.kill(2);
    let mut wiped = all.command(2, &all.dir.path().join("empty")).spawn().unwrap();
    assert_eq!(wiped.wait().unwrap().code(), Some(3));
    let outcome = all.ask(0, &post(&session, 2, "still here")).data.outcome;
    assert!(matches!(outcome, Outcome::Saved(_)), "{outcome:?}");
}

#[test]
fn directory_without_identity_or_of_another_cluster_refused_untouched() {
    let mut all = Backends::start();
    joined(&all, 0, "ada", 1);
    eventually(|| all.data(2).join("users/ada.jsonl").exists().then_some(()));
    all.kill(2);
    let node = all.data(2).join("node.json");
    let kept = std::fs::read(&node).unwrap();
    std::fs::remove_file(&node).unwrap();
    let code =
        |all: &Backends| all.command(2, &all.data(2)).spawn().unwrap().wait().unwrap().code();
    assert_eq!(code(&all), Some(3), "users without an identity");
    let mut foreign: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    foreign["cluster"] = "0".repeat(32).into();
    std::fs::write(&node, foreign.to_string()).unwrap();
    assert_eq!(code(&all), Some(3), "another cluster's directory");
    std::fs::write(&node, kept).unwrap();
    all.spawn(2);
    all.wait_until_writable(2);
}
