//! Machines that are namespaces of this one: each with a root of its own, that lies over another one and
//! forgets what was written, with processes of its own, and a cable to a switch with a network that nobody
//! else has. Only root can make them.
//!
//! All of it ends with the process that reads our pipe, which is the first in its namespaces: nothing is
//! left behind, however a test ends, and no name is taken.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::has;

/// Set up as root of new namespaces, then a word, when whoever enters them has the new root (before that they would
/// write into this machine's own), then nothing until the pipe is closed. `$1` is the root
/// that is looked through, `$2` an empty directory.
const HOLD: &str = "set -e
mount --make-rprivate /
mount -t tmpfs tmpfs $2
mkdir $2/upper $2/scratch $2/top
mount -t overlay overlay -o lowerdir=$1,upperdir=$2/upper,workdir=$2/scratch $2/top
mount -t proc proc $2/top/proc
mount --rbind /dev $2/top/dev
mount -t tmpfs tmpfs $2/top/run
mount -t tmpfs -o mode=1777 tmpfs $2/top/tmp
ip link set lo up
exec chroot $2/top sh -c 'echo up; read nothing'";
/// Seconds that a command may take.
const SECONDS: &str = "60";
/// Where on such a machine the operator types, and has what was brought there.
pub(super) const OPERATORS_HOME: &str = "/srv";

/// Some namespaces, and the way into them.
pub(crate) struct Machine {
    holder: Child,
    pid: u32,
    services: Vec<Child>,
    _root: tempfile::TempDir,
}

/// Machines with a switch between them.
pub(super) struct Site {
    pub(super) machines: Vec<Machine>,
    pub(super) switch: Machine,
}

/// Why there can be no such machines here; nothing if there can.
pub(crate) fn why_not() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root makes namespaces".to_owned());
    }
    let tools = ["unshare", "nsenter", "ip", "mount", "chroot", "setpriv", "curl"];
    if let Some(tool) = tools.into_iter().find(|tool| !has(tool)) {
        return Some(format!("{tool} is not installed"));
    }
    Machine::start(Path::new("/")).err()
}

impl Machine {
    /// One that looks through to `lower`.
    pub(crate) fn start(lower: &Path) -> Result<Self, String> {
        let root = tempfile::tempdir().unwrap();
        let mut command = Command::new("unshare");
        command.args([
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            HOLD,
            "sh",
        ]);
        command.arg(lower).arg(root.path());
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut holder = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if said != "up\n" {
            let out = holder.wait_with_output().unwrap();
            return Err(format!("no namespaces: {}", String::from_utf8_lossy(&out.stderr)));
        }
        let id = holder.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let pid = children.trim().parse().expect("its one child");
        Ok(Self { holder, pid, services: Vec::new(), _root: root })
    }

    /// Where its files are.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.pid))
    }

    /// What begins a command that runs in some of its namespaces: its net alone, or all.
    pub(super) fn within(&self, namespaces: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.pid)).args(namespaces).arg("--");
        // Which is there in every root.
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// Types a line.
    pub(crate) fn shell(&self, line: &str) -> Output {
        let mut command = self.within(&["--net", "--mount", "--pid", "--root"]);
        command.args(["timeout", SECONDS, "sh", "-ec", &at_home(line)]).output().unwrap()
    }

    /// The same with the network of this computer, which has a way to the package mirrors.
    pub(super) fn shell_with_mirrors(&self, line: &str) -> Output {
        let mut command = self.within(&["--mount", "--pid", "--root"]);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command.args(["timeout", "300", "sh", "-ec", &at_home(line)]).output().unwrap()
    }

    /// What a line says that must not fail.
    pub(crate) fn done(&self, line: &str) -> String {
        told(line, &self.shell(line))
    }

    /// Starts a service as systemd would: the unit's own command, as the unit's account and with its
    /// capabilities, in its directory, with its directories made. What goes into the background by itself
    /// has then ended.
    pub(super) fn start_service(&mut self, name: &str) {
        let unit = Unit(self.done(&format!(
            "cat /etc/systemd/system/{name}.service 2>/dev/null || \
             cat /lib/systemd/system/{name}.service"
        )));
        let user = unit.one("User").unwrap_or("root");
        for (key, parent) in [("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")] {
            for directory in unit.all(key) {
                let path = format!("{parent}/{directory}");
                self.done(&format!("install -d -o {user} -g {user} -m 700 {path}"));
            }
        }
        let log = fs::File::create(self.path(&format!("/tmp/{name}.log"))).unwrap();
        let mut start = self.within(&["--net", "--mount", "--pid", "--root"]);
        start.args(["setpriv", &format!("--reuid={user}"), &format!("--regid={user}")]);
        start.arg("--init-groups").args(unit.capabilities());
        let start = start.args(["sh", "-ec", &unit.line()]);
        let start = start.stdout(log.try_clone().unwrap()).stderr(log);
        self.services.push(start.spawn().unwrap());
    }

    /// What a service has said.
    pub(super) fn log(&self, name: &str) -> String {
        fs::read_to_string(self.path(&format!("/tmp/{name}.log"))).unwrap_or_default()
    }
}

/// A unit file of systemd.
struct Unit(String);

impl Unit {
    fn all(&self, key: &str) -> Vec<&str> {
        let key = format!("{key}=");
        self.0.lines().filter_map(|line| line.strip_prefix(&key)).collect()
    }

    fn one(&self, key: &str) -> Option<&str> {
        self.all(key).last().copied()
    }

    /// What the command may do although it is not root's.
    fn capabilities(&self) -> Vec<String> {
        let named = self.one("AmbientCapabilities").unwrap_or_default().split_whitespace();
        let named = named.map(|name| format!("+{}", name.to_lowercase().replace("cap_", "")));
        let listed = named.collect::<Vec<_>>().join(",");
        if listed.is_empty() {
            return Vec::new();
        }
        vec![format!("--inh-caps={listed}"), format!("--ambient-caps={listed}")]
    }

    fn line(&self) -> String {
        let command =
            self.one("ExecStart").unwrap_or_else(|| panic!("it starts nothing: {}", self.0));
        let environment = self.all("Environment").join(" ");
        let home = self.one("WorkingDirectory").unwrap_or("/");
        let mask = self.one("UMask").unwrap_or("0022");
        let path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
        format!("umask {mask}; cd {home}; exec env -i {path} {environment} {command}")
    }
}

fn at_home(line: &str) -> String {
    format!("cd {OPERATORS_HOME}\n{line}")
}

/// What a command said that must not fail.
pub(super) fn told(line: &str, out: &Output) -> String {
    let (said, wrong) =
        (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{line}\n{said}{wrong}");
    said.into_owned()
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The first process of the namespaces reads the end of the pipe, and all others end with it.
        drop(self.holder.stdin.take());
        for child in self.services.iter_mut().chain([&mut self.holder]) {
            let _ended = child.wait();
        }
    }
}

impl Site {
    /// A machine for each of these addresses; the switch has one of its own, for visitors.
    pub(super) fn start(lower: &Path, addresses: &[&str], visitor: &str) -> Self {
        let switch = Machine::start(lower).unwrap();
        let plug = |line: String| {
            let out = switch.within(&["--net"]).args(["sh", "-ec", &line]).output().unwrap();
            told(&line, &out);
        };
        plug(format!(
            "ip link add bridge type bridge; ip address add {visitor}/24 dev bridge; \
             ip link set bridge up"
        ));
        let machines = addresses.iter().zip(1..).map(|(address, number)| {
            let machine = Machine::start(lower).unwrap();
            plug(format!(
                "ip link add port{number} type veth peer name eth0 netns {}; \
                 ip link set port{number} master bridge; ip link set port{number} up",
                machine.pid
            ));
            let line = format!("ip address add {address}/24 dev eth0; ip link set eth0 up");
            told(&line, &machine.within(&["--net"]).args(["sh", "-ec", &line]).output().unwrap());
            machine
        });
        let machines = machines.collect();
        Self { machines, switch }
    }

    /// Pulls a machine's cable out, or plugs it in again.
    pub(super) fn set_cable(&self, number: usize, is_plugged: bool) {
        let state = if is_plugged { "up" } else { "down" };
        let mut command = self.switch.within(&["--net"]);
        let out = command.args(["ip", "link", "set", &format!("port{number}"), state]).output();
        told("ip link set", &out.unwrap());
    }
}
