//! A cluster of real processes, started by `tern run-cluster` on loopback as anybody would start it.
//!
//! Whatever a test does, `Drop` ends every process that was started, by its id, and shows the end of
//! the cluster's log if the test failed. As many clusters run at once as there are test threads, which is
//! one a core: more would time out where nothing is wrong. They mostly wait, for each other and the disk.
//! What measures how soon something happens has the machine to itself.
//!
//! Nothing here unwraps: a failure says what was awaited, because it is read without a debugger.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use rustix::process::{Pid, Signal, kill_process};
use tern::clock::Clock;

use super::person::Person;
use crate::ports::free_ports;

/// How long a start may take: binaries are not optimised and machines are busy.
const START: Duration = Duration::from_mins(1);
/// How long `tern run-cluster` may take to stop all: it promises 10 seconds.
const STOP: Duration = Duration::from_secs(15);
/// Lines of the log shown when a test failed.
const LOG_LINES_SHOWN: usize = 60;

/// Held shared by whoever runs beside others, and by who must not alone. Who waits to be alone is not
/// overtaken.
static TURN: RwLock<()> = RwLock::new(());

/// The turn of a cluster, given back when dropped.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Others may run meanwhile.
    Beside { _held: RwLockReadGuard<'static, ()> },
    /// No other runs meanwhile.
    Alone { _held: RwLockWriteGuard<'static, ()> },
}

/// Waits for the turn of a cluster that is started by other means than [`Cluster`], and has the machine
/// to itself.
pub(crate) fn take_turn() -> Turn {
    Turn::Alone { _held: TURN.write() }
}

/// The same, beside others.
pub(crate) fn take_turn_beside() -> Turn {
    Turn::Beside { _held: TURN.read() }
}

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tern");

/// How a cluster is started.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// How many backends; 0 means 3.
    pub(crate) backends: u16,
    /// Leave dead processes dead.
    pub(crate) no_restart: bool,
    /// Let no other cluster run meanwhile: for tests that measure how soon something happens.
    pub(crate) alone: bool,
    /// An existing data directory; a fresh one otherwise.
    pub(crate) data: Option<PathBuf>,
    /// More options of `tern run-cluster`.
    pub(crate) more: Vec<String>,
    /// Another program than the one under test.
    pub(crate) program: Option<PathBuf>,
    /// More of the environment of all processes.
    pub(crate) environment: Vec<(String, OsString)>,
}

/// A running cluster.
pub(crate) struct Cluster {
    parent: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    data: PathBuf,
    log: PathBuf,
    web_port: u16,
    backends: u16,
    has_stopped: bool,
    /// Where `data` lies, unless it was given.
    _directory: tempfile::TempDir,
    /// Given back last, when all is over.
    _turn: Turn,
}

/// Waits until `check` gives something, and returns it.
pub(crate) fn eventually<T>(
    what: &str,
    limit: Duration,
    mut check: impl FnMut() -> Option<T>,
) -> T {
    let clock = Clock::system();
    let deadline = clock.mono().plus_ms(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(clock.mono() < deadline, "waited {limit:?} in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

impl Cluster {
    /// Starts a cluster and waits until a write would be saved.
    pub(crate) fn start(options: Options) -> Self {
        let cluster = Self::spawn(options);
        cluster.wait_for_line("ready", |line| (line == "ready").then_some(()));
        cluster
    }

    /// Starts a cluster and waits for nothing.
    pub(crate) fn spawn(options: Options) -> Self {
        let turn = if options.alone { take_turn() } else { take_turn_beside() };
        // On the disk that the project is on: a directory in memory would make every flush free.
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        let directory = directory.unwrap_or_else(|error| panic!("a directory: {error}"));
        let backends = if options.backends == 0 { 3 } else { options.backends };
        let web_port = free_ports(backends + 1);
        let data = options.data.unwrap_or_else(|| directory.path().join("db"));
        let log = directory.path().join("log");
        let stderr =
            File::create(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let program = options.program.unwrap_or_else(|| PathBuf::from(PROGRAM));
        let mut command = Command::new(&program);
        command
            .args(["run-cluster".to_owned(), format!("--listen=127.0.0.1:{web_port}")])
            .args([format!("--data={}", data.display()), format!("--backends={backends}")])
            .arg(format!("--backend-port={}", web_port + 1))
            .args(options.no_restart.then_some("--no-restart"))
            .args(options.more)
            .envs(options.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr);
        let parent = command.spawn();
        let mut parent = parent.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let reader = parent.stdout.take().map(|out| {
            let lines = Arc::clone(&lines);
            let read = move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    lines.lock().push(line);
                }
            };
            let spawned = std::thread::Builder::new().name("lines".to_owned()).spawn(read);
            spawned.unwrap_or_else(|error| panic!("a thread: {error}"))
        });
        Self {
            parent,
            lines,
            reader,
            data,
            log,
            web_port,
            backends,
            has_stopped: false,
            _directory: directory,
            _turn: turn,
        }
    }

    /// The site's address.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.web_port)
    }

    /// A browser of somebody who has not signed in.
    pub(crate) fn person(&self, name: &str) -> Person {
        Person::new(&self.address(), name)
    }

    /// How many backends it has.
    pub(crate) fn backends(&self) -> u16 {
        self.backends
    }

    /// Where a backend listens.
    pub(crate) fn backend_address(&self, node: u16) -> String {
        format!("127.0.0.1:{}", self.web_port + node)
    }

    /// The cluster's data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A backend's data directory.
    pub(crate) fn node_data(&self, node: u16) -> PathBuf {
        self.data.join(format!("node-{node}"))
    }

    /// The lines on standard output so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().clone()
    }

    /// What the processes logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Has the operator's program do something with an account; what it printed.
    pub(crate) fn order(&self, order: &[&str]) -> String {
        let data = format!("--data={}", self.data().display());
        let done = Command::new(PROGRAM).arg("user").args(order).arg(data).output();
        let done = done.unwrap_or_else(|error| panic!("{order:?}: {error}"));
        assert!(done.status.success(), "{order:?}: {done:?}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// The process of `tern run-cluster` itself.
    pub(crate) fn parent_pid(&self) -> u32 {
        self.parent.id()
    }

    /// The web server's process, as last started.
    pub(crate) fn web_pid(&self) -> u32 {
        self.wait_for_line("the web server's line", |line| pid_of(line, "web "))
    }

    /// A backend's process, as last started.
    pub(crate) fn pid(&self, node: u16) -> u32 {
        let who = format!("backend {node} ");
        self.wait_for_line(&who, |line| pid_of(line, &who))
    }

    /// Waits for a line, and takes what `read` sees in the last that it sees anything in.
    fn wait_for_line<T>(&self, what: &str, read: impl Fn(&str) -> Option<T>) -> T {
        eventually(what, START, || self.lines.lock().iter().rev().find_map(|line| read(line)))
    }

    /// Sends a signal to a backend, and returns the process it went to.
    pub(crate) fn kill(&self, node: u16, signal: Signal) -> u32 {
        let pid = self.pid(node);
        send(pid, signal);
        pid
    }

    /// Waits until a backend runs as another process than `old`.
    pub(crate) fn wait_restarted(&self, node: u16, old: u32) {
        eventually("a backend started again", START, || (self.pid(node) != old).then_some(()));
    }

    /// Waits until the pages say that every machine is up and holds what it should.
    pub(crate) fn wait_in_step(&self) {
        let all = format!("{0} of {0} machines", self.backends);
        let mut stranger = self.person("stranger");
        eventually(&all, START, || {
            let page = stranger.try_get("/public").ok()?;
            page.body.contains(&all).then_some(())
        });
    }

    /// Asks `tern run-cluster` to stop, and returns how it ended.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        send(self.parent.id(), Signal::TERM);
        self.wait_stopped()
    }

    /// Waits until `tern run-cluster` has ended.
    pub(crate) fn wait_stopped(&mut self) -> ExitStatus {
        let parent = &mut self.parent;
        let status = eventually("run-cluster's end", STOP, || match parent.try_wait() {
            Ok(status) => status,
            Err(error) => panic!("run-cluster cannot be waited for: {error}"),
        });
        self.has_stopped = true;
        status
    }

    /// The processes that were started last, each while it is one of ours: a number may have been
    /// given to another process since.
    pub(crate) fn children(&self) -> Vec<u32> {
        let mut last = BTreeMap::new();
        for line in self.lines.lock().iter() {
            if let Some((who, rest)) = line.split_once(" pid=") {
                let pid = rest.split(' ').next().and_then(|pid| pid.parse::<u32>().ok());
                last.extend(pid.map(|pid| (who.to_owned(), pid)));
            }
        }
        last.into_values().filter(|pid| is_ours(*pid)).collect()
    }

    fn end_all(&mut self) {
        // First the parent, so that it starts nothing again; its last lines are read to their end.
        let ended = self.parent.kill().and_then(|()| self.parent.wait());
        if let Err(error) = ended {
            eprint_line(&format!("run-cluster cannot be ended: {error}"));
        }
        if let Some(reader) = self.reader.take() {
            let _panicked = reader.join();
        }
        for pid in self.children() {
            send(pid, Signal::KILL);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end_all();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let shown = lines.len().saturating_sub(LOG_LINES_SHOWN);
            let mut text =
                format!("the cluster's lines: {:#?}\nthe end of its log:\n", self.lines());
            for line in lines.iter().skip(shown) {
                let _infallible = writeln!(text, "{line}");
            }
            eprint_line(&text);
        }
    }
}

/// Tells whoever reads why a test failed; where nobody can be told, nothing is lost.
fn eprint_line(text: &str) {
    let _unread = writeln!(std::io::stderr(), "{text}");
}

fn pid_of(line: &str, who: &str) -> Option<u32> {
    line.strip_prefix(who)?.strip_prefix("pid=")?.split(' ').next()?.parse().ok()
}

/// Whether a process runs, and runs this program. One that was killed and not yet waited for is gone.
pub(crate) fn is_ours(pid: u32) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == Path::new(PROGRAM))
}

/// Sends a signal to a process of ours; one that has ended needs none.
pub(crate) fn send(pid: u32, signal: Signal) {
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(target) = raw.filter(|_| is_ours(pid)) {
        // It may end between the look and the signal; then all is well too.
        let _gone = kill_process(target, signal);
        if signal == Signal::STOP {
            await_stopped(pid);
        }
    }
}

/// Waits until a process that was told to stop stands still: on a busy machine its threads go on meanwhile.
pub(crate) fn await_stopped(pid: u32) {
    let is_still = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
        Some(stat.rsplit_once(')')?.1.starts_with(" T"))
    };
    eventually("it stands still", START, || {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Some(()) };
        tasks.flatten().filter_map(is_still).all(|is_still| is_still).then_some(())
    });
}

/// Connects to a port of this machine, for tests that send what no program of ours sends.
pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    let limits = stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .and_then(|()| stream.set_write_timeout(Some(Duration::from_secs(10))));
    limits.unwrap_or_else(|error| panic!("{address}: {error}"));
    stream
}
