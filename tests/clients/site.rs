//! Three machines and two web servers, and the scripts that have them die.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::python;
use crate::api::app::App;
use crate::cluster::harness::{Cluster, Options, PROGRAM, eventually};
use crate::cluster::person::Person;
use crate::ports::free_ports;

/// How long a start may take on a busy machine.
pub(super) const START: Duration = Duration::from_secs(30);
/// How long a script may say nothing.
const QUIET: Duration = Duration::from_mins(2);

/// What a script asks of the test, or that it ends.
enum Asked {
    Kill(u16),
    Wait,
    End,
}

/// A community that can be reached by two web servers.
pub(super) struct TwoDoors {
    // Ended first.
    door: Child,
    cluster: Cluster,
    address: String,
    _log: tempfile::NamedTempFile,
}

impl TwoDoors {
    /// A cluster with these members.
    pub(super) fn open(members: &[&str]) -> Self {
        let cluster = Cluster::start(Options::default());
        let listen = format!("127.0.0.1:{}", free_ports(1));
        let backends: Vec<_> = (1..=3).map(|node| cluster.backend_address(node)).collect();
        let key = cluster.data().join("cluster.key");
        let log = tempfile::NamedTempFile::new().unwrap();
        let door = Command::new(PROGRAM)
            .args(["web".to_owned(), format!("--listen={listen}")])
            .arg(format!("--backends={}", backends.join(",")))
            .arg(format!("--key-file={}", key.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let address = format!("http://{listen}");
        let site = Self { door, cluster, address, _log: log };
        let mut stranger = Person::new(&site.address, "stranger");
        eventually("the other web server", START, || stranger.try_get("/healthz").ok());
        for name in members {
            site.person(name).join();
        }
        site
    }

    /// Both web servers' addresses.
    pub(super) fn addresses(&self) -> [String; 2] {
        [self.cluster.address(), self.address.clone()]
    }

    /// What toot calls it: the host with its port.
    pub(super) fn host(&self) -> String {
        self.cluster.address().replace("http://", "")
    }

    /// A browser of somebody.
    pub(super) fn person(&self, name: &str) -> Person {
        self.cluster.person(name)
    }

    /// The token of an app that a member lets in.
    pub(super) fn token(&self, name: &str) -> String {
        let mut person = self.person(name);
        person.login();
        let app = App::of(&self.cluster, &mut person, "read write follow");
        app.token.unwrap_or_default()
    }

    /// Runs a script of this folder, and does to the machines what it asks for.
    pub(super) fn run(&self, script: &str) {
        let errors = tempfile::NamedTempFile::new().unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
        let mut command = python::command("python");
        command.arg(path).args(self.addresses()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(errors.reopen().unwrap()).spawn().unwrap();
        let done =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.serve(&mut child)));
        // It has ended already if all went well.
        child.kill().unwrap();
        let status = child.wait().unwrap();
        let said = std::fs::read_to_string(errors.path()).unwrap();
        assert!(done.is_ok() && status.success(), "{script} {status}:\n{said}");
    }

    fn serve(&self, child: &mut Child) {
        let out = BufReader::new(child.stdout.take().unwrap());
        // A script asks and waits.
        let (tell, told) = crossbeam_channel::bounded(1);
        let read = move || {
            for line in out.lines().map_while(Result::ok) {
                let words: Vec<_> = line.split(' ').collect();
                let asked = match words.as_slice() {
                    ["ask", "kill", node] => Asked::Kill(node.parse().unwrap()),
                    ["ask", "wait"] => Asked::Wait,
                    _ => panic!("a script says {line:?}"),
                };
                tell.send(asked).unwrap();
            }
            // Nobody listens any more where the test has failed already.
            let _gone = tell.send(Asked::End);
        };
        let thread = std::thread::Builder::new().name("script".to_owned()).spawn(read).unwrap();
        let (mut killed, mut stdin) = (Vec::new(), child.stdin.take().unwrap());
        loop {
            match told.recv_timeout(QUIET).unwrap() {
                Asked::Kill(node) => killed.push((node, self.cluster.kill(node, Signal::KILL))),
                Asked::Wait => {
                    for (node, pid) in killed.drain(..) {
                        self.cluster.wait_restarted(node, pid);
                    }
                    self.cluster.wait_in_step();
                }
                Asked::End => break,
            }
            stdin.write_all(b"done\n").unwrap();
        }
        thread.join().unwrap();
        eventually("the script's end", START, || child.try_wait().unwrap());
    }
}

impl Drop for TwoDoors {
    fn drop(&mut self) {
        // It may have ended by itself; then it is waited for all the same.
        let _gone = self.door.kill();
        let _ended = self.door.wait();
    }
}
