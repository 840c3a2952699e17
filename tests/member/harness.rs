//! Machines as processes on loopback, set up and changed with the commands that an operator types.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use tern::action::{Action, Join, NewPost, Opening, Page, RequestKey};
use tern::auth::session::Token;
use tern::clock::Clock;
use tern::id::RequestId;
use tern::limits::FRAME_BYTES_MAX;
use tern::transport::connection::dial;
use tern::transport::key::{ClusterKey, Keys};
use tern::transport::{Role, TransportError};
use tern::wire::operator::{Answer, Held, Question};
use tern::wire::request::{Outcome, Request, Response};

use crate::ports::free_ports;

const WAIT: Duration = Duration::from_secs(20);
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tern");

/// Backends on loopback, ended when dropped; their logs are shown if the test failed.
pub(crate) struct Machines {
    pub(crate) dir: tempfile::TempDir,
    caller: Caller,
    children: BTreeMap<u16, Child>,
}

/// Speaks to machines, also while they come and go.
#[derive(Clone)]
pub(crate) struct Caller {
    keys: Keys,
    ports: Arc<BTreeMap<u16, u16>>,
    requests: Arc<AtomicU64>,
}

impl Machines {
    /// A new cluster of machines 1 to `count`; ports for two more are chosen.
    pub(crate) fn start(count: u16) -> Self {
        let mut all = Self::not_set_up(count);
        for number in 1..=count {
            let options = [format!("--node={number}"), all.peers_option(count)];
            let more = [all.data_option(number), all.key_option()];
            let words = options.into_iter().chain(more);
            Ran::of(["cluster".to_owned(), "init".to_owned()].into_iter().chain(words)).done();
        }
        (1..=count).for_each(|number| all.spawn(number));
        (1..=count).for_each(|number| all.wait_until_writable(number));
        all
    }

    /// A key and ports for machines 1 to `count` and two more, and nothing else yet.
    pub(crate) fn not_set_up(count: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        ClusterKey::create(&dir.path().join("cluster.key")).unwrap();
        let keys = Keys::read(&dir.path().join("cluster.key")).unwrap();
        let ports = (1..=count + 2).zip(free_ports(count + 2)..).collect();
        let caller = Caller::new(keys, ports);
        Self { dir, caller, children: BTreeMap::new() }
    }

    /// Machines 1 to `count`, as `--peers` names them.
    pub(crate) fn peers_option(&self, count: u16) -> String {
        let peers: Vec<_> = (1..=count).map(|n| format!("{n}={}", self.address(n))).collect();
        format!("--peers={}", peers.join(","))
    }

    pub(crate) fn address(&self, number: u16) -> String {
        self.caller.address(number)
    }

    pub(crate) fn data(&self, number: u16) -> PathBuf {
        self.dir.path().join(format!("node-{number}"))
    }

    fn data_option(&self, number: u16) -> String {
        format!("--data={}", self.data(number).display())
    }

    pub(crate) fn key_option(&self) -> String {
        format!("--key-file={}", self.dir.path().join("cluster.key").display())
    }

    fn log(&self, number: u16) -> PathBuf {
        self.dir.path().join(format!("log-{number}"))
    }

    /// A change of the members, asked of all machines that run.
    pub(crate) fn change(&self, words: &[&str], data: u16) -> Ran {
        self.change_unasked(&[words, &["--yes"]].concat(), data)
    }

    /// The same from where nobody can be asked.
    pub(crate) fn change_unasked(&self, words: &[&str], data: u16) -> Ran {
        let at: Vec<_> = self.children.keys().map(|number| self.address(*number)).collect();
        let options = [self.data_option(data), self.key_option(), format!("--at={}", at.join(","))];
        let first = ["cluster"].iter().chain(words).map(|word| (*word).to_owned());
        Ran::of(first.chain(options))
    }

    pub(crate) fn spawn(&mut self, number: u16) {
        self.spawn_as(Path::new(PROGRAM), number, None);
    }

    /// Starts a machine with another program, or with one option more.
    pub(crate) fn spawn_as(&mut self, program: &Path, number: u16, more: Option<String>) {
        let listen = self.address(number);
        self.start_process(program, number, &listen, more);
    }

    /// Starts a machine that is told to listen elsewhere.
    pub(crate) fn spawn_listening(&mut self, number: u16, address: &str) {
        self.start_process(Path::new(PROGRAM), number, address, None);
    }

    fn start_process(&mut self, program: &Path, number: u16, at: &str, more: Option<String>) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log(number));
        let mut command = Command::new(program);
        command.arg("backend").arg("--rate-limits=off").arg(format!("--node={number}"));
        command.arg(format!("--listen={at}"));
        command.arg(self.data_option(number)).arg(self.key_option()).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.unwrap());
        self.children.insert(number, command.spawn().unwrap());
    }

    pub(crate) fn kill(&mut self, number: u16) {
        let mut child = self.children.remove(&number).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Lets no file of a machine grow beyond so many bytes from now on, or any.
    pub(crate) fn limit_files(&self, number: u16, bytes: Option<u64>) {
        let maximum = getrlimit(Resource::Fsize).maximum;
        let limit = Rlimit { current: bytes.or(maximum), maximum };
        let pid = Pid::from_child(&self.children[&number]);
        prlimit(Some(pid), Resource::Fsize, limit).unwrap();
    }

    /// Waits until a machine ends by itself.
    pub(crate) fn ended(&mut self, number: u16) -> ExitStatus {
        // One that does not is still among them, and ended with them.
        let child = self.children.get_mut(&number).unwrap();
        let status =
            eventually(&format!("the end of machine {number}"), || child.try_wait().unwrap());
        self.children.remove(&number);
        status
    }

    pub(crate) fn said(&self, number: u16) -> String {
        std::fs::read_to_string(self.log(number)).unwrap()
    }

    /// Who speaks to these machines.
    pub(crate) fn caller(&self) -> Caller {
        self.caller.clone()
    }

    pub(crate) fn ask(
        &self,
        number: u16,
        session: Option<&str>,
        action: Action,
    ) -> Result<Response, TransportError> {
        self.caller.ask(number, session, action)
    }

    /// The list of members that a machine holds, if it answers.
    pub(crate) fn held(&self, number: u16) -> Option<Held> {
        let question = serde_json::to_vec(&Question::Members).unwrap();
        let answer = self.caller.exchange(number, Role::Operator, &question).ok()?;
        match serde_json::from_slice(&answer).unwrap() {
            Answer::Members(held) => Some(held),
            other => panic!("members were asked for: {other:?}"),
        }
    }

    /// Waits until a machine votes in a list of these members.
    pub(crate) fn wait_until_open(&self, number: u16, members: &[u16]) {
        eventually(&format!("machine {number} to vote among {members:?}"), || {
            let held = self.held(number)?;
            let listed = held.offer.current.members.iter().map(|one| one.node.get());
            let is_open = held.phase == tern::wire::message::Phase::Open;
            (is_open && listed.eq(members.iter().copied())).then_some(())
        });
        self.wait_until_writable(number);
    }

    pub(crate) fn wait_until_writable(&self, number: u16) {
        let outcome =
            || self.ask(number, None, Action::ClusterStatus).map(|told| told.data.outcome);
        eventually(&format!("machine {number} to save what it is told"), || {
            matches!(outcome(), Ok(Outcome::Status(page)) if page.writes).then_some(())
        });
    }

    /// Joins, and says whose session it is from then on.
    pub(crate) fn join(&self, number: u16, name: &str) -> String {
        let token = Token::generate().unwrap().secret().to_owned();
        let opening = Opening { token, device: "test".to_owned(), address: "::1".to_owned() };
        let (username, password) = (name.to_owned(), "a quiet gull sleeps".to_owned());
        let key = self.caller.key();
        let (display_name, code) = (String::new(), String::new());
        let join = Join { key, username, display_name, password, code, opening };
        let joined = self.ask(number, None, Action::Join(join)).unwrap();
        joined.session.unwrap_or_else(|| panic!("{:?}", joined.data.outcome))
    }

    /// Posts until it is saved, always as the same request.
    pub(crate) fn post(&self, number: u16, session: &str, text: &str) {
        let post = self.caller.new_post(text);
        eventually(&format!("{text:?} to be saved"), || {
            self.caller.is_saved(number, session, &post).then_some(())
        });
    }

    /// Waits until a machine shows exactly these posts.
    pub(crate) fn wait_until_shown(&self, number: u16, expected: &[String]) {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        let everyone = || {
            let action = Action::Everyone(Page::default());
            match self.ask(number, None, action).ok()?.data.outcome {
                Outcome::Posts(page) => Some(page.posts),
                _ => None,
            }
        };
        eventually(&format!("machine {number} to show {expected:?}"), || {
            let mut texts: Vec<_> = everyone()?.into_iter().map(|post| post.text).collect();
            texts.sort_unstable();
            (texts == expected).then_some(())
        });
    }
}

impl Machines {
    /// A user's file on a machine; nothing if there is none.
    pub(crate) fn file(&self, number: u16, name: &str) -> String {
        let path = self.data(number).join(format!("users/{name}.jsonl"));
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// Waits until each of these posts stands in a user's file on a machine; none does twice.
    pub(crate) fn wait_until_held_once(&self, number: u16, name: &str, texts: &[String]) {
        let count = |file: &str, text: &str| file.matches(&quoted(text)).count();
        let what = format!("machine {number} to hold {texts:?}");
        let file = eventually(&what, || {
            let file = self.file(number, name);
            texts.iter().all(|text| count(&file, text) > 0).then_some(file)
        });
        for text in texts {
            assert_eq!(count(&file, text), 1, "{text:?} on machine {number}: {file}");
        }
    }
}

impl Caller {
    /// Of machines that listen at these ports, by number.
    pub(crate) fn new(keys: Keys, ports: BTreeMap<u16, u16>) -> Self {
        Self { keys, ports: Arc::new(ports), requests: Arc::default() }
    }

    fn address(&self, number: u16) -> String {
        format!("127.0.0.1:{}", self.ports[&number])
    }

    fn exchange(&self, number: u16, role: Role, words: &[u8]) -> Result<Vec<u8>, TransportError> {
        Ok(self.exchange_beside(number, role, (words, &[]))?.0)
    }

    /// Words and bytes beside them, both ways.
    fn exchange_beside(
        &self,
        number: u16,
        role: Role,
        (words, beside): (&[u8], &[u8]),
    ) -> Result<(Vec<u8>, Vec<u8>), TransportError> {
        let mut connection = dial(&self.address(number), role, &self.keys, WAIT)?;
        connection.send(words, beside, WAIT)?;
        let frame = connection.receive(FRAME_BYTES_MAX, WAIT)?;
        Ok((frame.header, frame.body))
    }

    /// Asks with bytes beside the request; the answer, and the bytes beside that.
    pub(crate) fn ask_beside(
        &self,
        number: u16,
        session: Option<&str>,
        (action, beside): (Action, &[u8]),
    ) -> Result<(Response, Vec<u8>), TransportError> {
        let request =
            Request { session: session.map(str::to_owned), read_to: None, need: None, action };
        let words = serde_json::to_vec(&request).unwrap();
        let (answer, body) = self.exchange_beside(number, Role::Web, (&words, beside))?;
        Ok((serde_json::from_slice(&answer).unwrap(), body))
    }

    pub(crate) fn ask(
        &self,
        number: u16,
        session: Option<&str>,
        action: Action,
    ) -> Result<Response, TransportError> {
        let request =
            Request { session: session.map(str::to_owned), read_to: None, need: None, action };
        let answer = self.exchange(number, Role::Web, &serde_json::to_vec(&request).unwrap())?;
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    /// A key that no request had yet.
    pub(crate) fn key(&self) -> RequestKey {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        RequestKey { ops: 0, id: RequestId(id) }
    }

    /// A post that was not sent yet.
    pub(crate) fn new_post(&self, text: &str) -> NewPost {
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

    /// Whether a machine says that the post is saved.
    pub(crate) fn is_saved(&self, number: u16, session: &str, post: &NewPost) -> bool {
        let answer = self.ask(number, Some(session), Action::Post(post.clone()));
        matches!(answer.map(|answer| answer.data.outcome), Ok(Outcome::Saved(_)))
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for child in self.children.values_mut() {
            let _gone = child.kill();
            let _gone = child.wait();
        }
        if std::thread::panicking() {
            for number in self.caller.ports.keys().filter(|number| self.log(**number).exists()) {
                eprintln!("--- machine {number}\n{}", self.said(*number));
            }
        }
    }
}

/// A text as it stands in a file.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// A command that has ended.
pub(crate) struct Ran(Output);

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn of(words: impl IntoIterator<Item = String>) -> Self {
        Self(Command::new(PROGRAM).args(words).stdin(Stdio::null()).output().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        let (out, err) = (&self.0.stdout, &self.0.stderr);
        format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
    }

    pub(crate) fn done(self) -> String {
        assert!(self.0.status.success(), "{}", self.text());
        self.text()
    }

    /// What it said, having ended with `code`.
    pub(crate) fn ended_with(self, code: i32) -> String {
        assert_eq!(self.0.status.code(), Some(code), "{}", self.text());
        self.text()
    }

    /// That it was refused with `code`, and said `what`.
    pub(crate) fn refused(self, code: i32, what: &str) {
        assert_eq!(self.0.status.code(), Some(code), "{}", self.text());
        assert!(self.text().contains(what), "{what:?} in {}", self.text());
    }
}

/// A copy of a directory, as a backup would be.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Waits for a condition, asking again every few milliseconds.
pub(crate) fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let clock = Clock::system();
    let deadline = clock.mono().plus_ms(60_000);
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(clock.mono() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}
