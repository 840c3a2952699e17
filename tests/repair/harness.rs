//! Machines as processes on loopback, with logs, spoken to as a web server does.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tern::action::{Action, Join, NewPost, OnePost, Opening, Page, PageOf, RequestKey};
use tern::auth::session::Token;
use tern::backend::Config;
use tern::clock::Clock;
use tern::id::{NodeId, PostId, RequestId, UserName};
use tern::limits::FRAME_BYTES_MAX;
use tern::thread::Stop;
use tern::transport::connection::{Connection, dial};
use tern::transport::key::{ClusterKey, Keys};
use tern::transport::{Role, TransportError};
use tern::wire::request::{Outcome, PostView, Request, Response};
use tern::wire::status::StatusPage;

use crate::ports::free_ports;

const WAIT: Duration = Duration::from_secs(20);

/// Backends on loopback, ended when dropped; their logs are shown if the test failed.
pub(super) struct Machines {
    dir: tempfile::TempDir,
    keys: Keys,
    ports: Vec<u16>,
    /// The process of each machine that runs.
    pub(super) children: Vec<Option<Child>>,
    requests: AtomicU64,
}

impl Machines {
    /// `count` machines that save what they are told.
    pub(super) fn start(count: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        ClusterKey::create(&dir.path().join("key")).unwrap();
        let keys = Keys::read(&dir.path().join("key")).unwrap();
        let row = u16::try_from(count).unwrap();
        let ports = (free_ports(row)..).take(count).collect();
        let children = (0..count).map(|_| None).collect();
        let mut all = Self { dir, keys, ports, children, requests: AtomicU64::new(0) };
        (0..count).for_each(|n| all.set_up(n));
        (0..count).for_each(|n| all.spawn(n));
        (0..count).for_each(|n| all.wait_until_writable(n));
        all
    }

    pub(super) fn count(&self) -> usize {
        self.ports.len()
    }

    pub(super) fn data(&self, n: usize) -> PathBuf {
        self.dir.path().join(format!("node-{}", n + 1))
    }

    pub(super) fn file(&self, n: usize, name: &str) -> PathBuf {
        self.data(n).join(format!("users/{name}.jsonl"))
    }

    pub(super) fn mark(&self, n: usize, name: &str) -> PathBuf {
        self.data(n).join(format!("damaged/{name}.mark"))
    }

    /// A file that was set aside.
    pub(super) fn aside(&self, n: usize, name: &str, number: u32) -> String {
        let path = self.data(n).join(format!("damaged/{name}.{number}.jsonl"));
        std::fs::read_to_string(path).unwrap()
    }

    /// What a machine has logged in all its lives.
    pub(super) fn log(&self, n: usize) -> String {
        std::fs::read_to_string(self.log_path(n)).unwrap()
    }

    fn log_path(&self, n: usize) -> PathBuf {
        self.dir.path().join(format!("log-{n}"))
    }

    fn addresses(&self) -> Vec<String> {
        (0..self.count()).map(|n| self.address(n)).collect()
    }

    fn set_up(&self, n: usize) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tern"));
        command.args(["cluster", "init"]).arg(format!("--node={}", n + 1));
        command.arg(peers(&self.addresses()));
        command.arg(format!("--data={}", self.data(n).display()));
        command.arg(format!("--key-file={}", self.dir.path().join("key").display()));
        assert!(command.stdout(Stdio::null()).status().unwrap().success());
    }

    pub(super) fn spawn(&mut self, n: usize) {
        self.spawn_among(n, &self.addresses());
    }

    /// Starts a machine that reaches each of all by the way given.
    pub(super) fn spawn_among(&mut self, n: usize, addresses: &[String]) {
        self.spawn_by(Command::new(env!("CARGO_BIN_EXE_tern")), n, addresses);
    }

    /// The same, by a command that goes on with what is told the program.
    pub(super) fn spawn_by(&mut self, mut command: Command, n: usize, addresses: &[String]) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_path(n));
        command.arg("backend").arg("--rate-limits=off").arg(format!("--node={}", n + 1));
        command.arg(format!("--listen=127.0.0.1:{}", self.ports[n]));
        command.arg(peers(addresses));
        command.arg(format!("--data={}", self.data(n).display()));
        command.arg(format!("--key-file={}", self.key_file().display()));
        command.stdout(Stdio::null()).stderr(log.unwrap());
        self.children[n] = Some(command.spawn().unwrap());
    }

    /// Runs a machine within this process, checking all its files once in `scrub_round`.
    pub(super) fn run_inside(&self, n: usize, scrub_round: Duration, stop: &Stop) {
        let node = |i: usize| NodeId::new(u16::try_from(i + 1).unwrap()).unwrap();
        let peer = |(i, port): (usize, &u16)| (node(i), format!("127.0.0.1:{port}"));
        let config = Config {
            node: node(n),
            listen: format!("127.0.0.1:{}", self.ports[n]),
            peers: self.ports.iter().enumerate().map(peer).collect(),
            data: self.data(n),
            keys: self.keys.clone(),
            key_file: None,
            name: format!("machine {}", n + 1),
            community: "Tern".to_owned(),
            rate_limits: false,
            scrub_round,
            metrics: None,
        };
        tern::backend::run(config, stop, &|_address| {}).unwrap();
    }

    pub(super) fn kill(&mut self, n: usize) {
        let mut child = self.children[n].take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Lifts the limit on the length of a running machine's files.
    pub(super) fn let_files_grow(&self, n: usize) {
        let id = self.children[n].as_ref().unwrap().id();
        let pid = Pid::from_raw(i32::try_from(id).unwrap());
        let any = Rlimit { current: None, maximum: None };
        prlimit(pid, Resource::Fsize, any).unwrap();
    }

    /// A connection to a machine, as a web server has it.
    pub(super) fn connect(&self, n: usize) -> Result<Connection, TransportError> {
        dial(&self.address(n), Role::Web, &self.keys, WAIT)
    }

    /// Where a machine listens.
    pub(super) fn address(&self, n: usize) -> String {
        format!("127.0.0.1:{}", self.ports[n])
    }

    /// The file of the key that all share.
    pub(super) fn key_file(&self) -> PathBuf {
        self.dir.path().join("key")
    }

    fn ask(
        &self,
        n: usize,
        session: Option<&str>,
        action: Action,
    ) -> Result<Response, TransportError> {
        self.ask_beside(n, session, action, &[]).map(|(response, _)| response)
    }

    /// Asks a machine, with bytes beside the request; its answer, and the bytes beside that.
    pub(super) fn ask_beside(
        &self,
        n: usize,
        session: Option<&str>,
        action: Action,
        beside: &[u8],
    ) -> Result<(Response, Vec<u8>), TransportError> {
        let request =
            Request { session: session.map(str::to_owned), read_to: None, need: None, action };
        let mut connection = self.connect(n)?;
        connection.send(&serde_json::to_vec(&request).unwrap(), beside, WAIT)?;
        let frame = connection.receive(FRAME_BYTES_MAX, WAIT)?;
        Ok((serde_json::from_slice(&frame.header).unwrap(), frame.body))
    }

    /// A post under a key of its own.
    pub(super) fn new_post(&self, text: &str) -> NewPost {
        NewPost {
            key: self.key(),
            text: text.to_owned(),
            reply_to: None,
            note: String::new(),
            pictures: Vec::new(),
            sent: Vec::new(),
            sensitive: false,
            for_everybody: false,
        }
    }

    pub(super) fn wait_until_writable(&self, n: usize) {
        eventually(|| self.status(n).filter(|page| page.writes).map(|_| ()));
    }

    /// How a machine sees all of them, if it answers.
    pub(super) fn status(&self, n: usize) -> Option<StatusPage> {
        match self.ask(n, None, Action::ClusterStatus).ok()?.data.outcome {
            Outcome::Status(page) => Some(page),
            _ => None,
        }
    }

    fn key(&self) -> RequestKey {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        RequestKey { ops: 0, id: RequestId(id) }
    }

    /// Joins, and says whose session it is from then on.
    pub(super) fn join(&self, n: usize, name: &str) -> String {
        let joined = self.ask(n, None, self.joining(name)).unwrap();
        joined.session.unwrap_or_else(|| panic!("{:?}", joined.data.outcome))
    }

    pub(super) fn try_join(&self, n: usize, name: &str) -> bool {
        let joined = self.ask(n, None, self.joining(name));
        joined.is_ok_and(|told| matches!(told.data.outcome, Outcome::Saved(_)))
    }

    fn joining(&self, name: &str) -> Action {
        let token = Token::generate().unwrap().secret().to_owned();
        let (device, address) = ("a test".to_owned(), "127.0.0.1".to_owned());
        Action::Join(Join {
            key: self.key(),
            username: name.to_owned(),
            display_name: String::new(),
            password: "a quiet gull sleeps".to_owned(),
            code: String::new(),
            opening: Opening { token, device, address },
        })
    }

    pub(super) fn post(&self, n: usize, session: &mut String, text: &str) {
        eventually(|| self.is_posted(n, session, text).then_some(()));
    }

    /// Tries once to post; whether it was acknowledged.
    pub(super) fn is_posted(&self, n: usize, session: &mut String, text: &str) -> bool {
        matches!(self.try_post(n, session, text), Some(Outcome::Saved(_)))
    }

    /// Tries once to post; what is told, if anything.
    pub(super) fn try_post(&self, n: usize, session: &mut String, text: &str) -> Option<Outcome> {
        let post = self.new_post(text);
        let told = self.ask(n, Some(session), Action::Post(post)).ok()?;
        if let Some(renewed) = told.session {
            *session = renewed;
        }
        Some(told.data.outcome)
    }

    /// A person's own home page on a machine; their session takes note of what they saw.
    pub(super) fn own_texts(&self, n: usize, session: &mut String) -> Vec<String> {
        let told = self.ask(n, Some(session), Action::Home(Page::default())).unwrap();
        *session = told.session.expect("still signed in");
        match told.data.outcome {
            Outcome::Posts(page) => page.posts.into_iter().map(|post| post.text).collect(),
            other => panic!("a list was asked for: {other:?}"),
        }
    }

    /// Deletes those of a person's newest posts that begin with `word`; how many they were.
    pub(super) fn delete_all(&self, n: usize, session: &mut String, word: &str) -> usize {
        let name = session.split('.').next().unwrap_or_default().to_owned();
        let found: Vec<PostId> = (self.posts(n, &name).into_iter())
            .filter_map(|post| post.text.starts_with(word).then_some(post.id))
            .collect();
        for id in &found {
            let delete = Action::DeletePost(OnePost { key: self.key(), id: *id });
            let told = self.ask(n, Some(session), delete).unwrap();
            assert!(matches!(told.data.outcome, Outcome::Saved(_)), "{:?}", told.data.outcome);
            *session = told.session.expect("still signed in");
        }
        found.len()
    }

    pub(super) fn posts(&self, n: usize, name: &str) -> Vec<PostView> {
        let username = UserName::parse(name).unwrap();
        let asked = Action::UserPosts(PageOf { username, before: None });
        match self.ask(n, None, asked).map(|told| told.data.outcome) {
            Ok(Outcome::Posts(page)) => page.posts,
            _ => Vec::new(),
        }
    }

    /// A user's posts as a machine shows them to strangers, newest first.
    pub(super) fn texts(&self, n: usize, name: &str) -> Vec<String> {
        self.posts(n, name).into_iter().map(|post| post.text).collect()
    }
}

fn peers(addresses: &[String]) -> String {
    let peers = addresses.iter().enumerate().map(|(i, address)| format!("{}={address}", i + 1));
    format!("--peers={}", peers.collect::<Vec<_>>().join(","))
}

impl Drop for Machines {
    fn drop(&mut self) {
        for child in self.children.iter_mut().flatten() {
            let _gone = child.kill();
            let _gone = child.wait();
        }
        if std::thread::panicking() {
            for n in (0..self.count()).filter(|&n| self.log_path(n).exists()) {
                eprintln!("--- machine {}\n{}", n + 1, self.log(n));
            }
        }
    }
}

/// Waits for a condition, asking again every few milliseconds.
pub(super) fn eventually<T>(check: impl FnMut() -> Option<T>) -> T {
    within(30_000, check)
}

/// The same, for as long as that.
pub(super) fn within<T>(ms: u64, mut check: impl FnMut() -> Option<T>) -> T {
    let clock = Clock::system();
    let deadline = clock.mono().plus_ms(ms);
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(clock.mono() < deadline, "what was awaited did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}
