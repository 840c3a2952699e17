//! Three machines, a web server, and the spoilable network between them.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tern::clock::{Clock, Mono};
use tern::store::NodeFile;
use tern::transport::key::{ClusterKey, Keys};

use super::dice::Dice;
use super::disk::{Disk, why_no_images};
use super::machine::{Machine, Start, faketime};
use super::proxy::{Mode, Proxy};
use super::replacement::Backup;
use super::witness::{self, Files, Home};
use crate::cluster::files::Disks;
use crate::cluster::harness::{PROGRAM, Turn, eventually, take_turn, take_turn_beside};
use crate::ports::free_ports;

/// How many machines.
pub(super) const MACHINES: usize = 3;
/// Milliseconds that the machines may take to agree when nothing is broken any more.
const AGREEMENT_MS: u64 = 90_000;

/// Which machines run the program before, for those who judge what it answers.
#[derive(Debug, Default)]
pub(super) struct RunsOld([AtomicBool; MACHINES]);

impl RunsOld {
    pub(super) fn at(&self, n: usize) -> bool {
        self.0[n].load(Ordering::SeqCst)
    }

    fn set(&self, n: usize, is_old: bool) {
        self.0[n].store(is_old, Ordering::SeqCst);
    }
}

/// The processes and what lies between and under them. Dropped in this order: processes end before
/// their disks are unmounted, and those before the directory goes.
pub(crate) struct Fleet {
    machines: Vec<Machine>,
    web: Machine,
    /// From one machine to another.
    links: Vec<((usize, usize), Proxy)>,
    /// From web servers and clients to the machines.
    doors: Vec<Proxy>,
    disks: Vec<Disk>,
    ports: Vec<u16>,
    web_port: u16,
    /// Whether something is being done to a machine that another fault must not meddle with.
    pub(super) busy: Vec<bool>,
    /// What happened how often.
    pub(super) counts: BTreeMap<String, usize>,
    /// The program before, as long as it is mixed in.
    old: Option<PathBuf>,
    pub(super) runs_old: Arc<RunsOld>,
    /// A directory that may be put back.
    pub(super) backup: Option<Backup>,
    /// The list of members that a machine's new directory waits for.
    changing: Option<u32>,
    pub(crate) keys: Keys,
    directory: tempfile::TempDir,
    _turn: Turn,
}

impl Fleet {
    /// Starts everything, and says what will be left out. It has the machine to itself.
    pub(crate) fn start() -> Self {
        Self::set_up_all(take_turn())
    }

    /// The same beside other clusters, for what holds however long anything takes.
    pub(super) fn start_beside() -> Self {
        Self::set_up_all(take_turn_beside())
    }

    fn set_up_all(turn: Turn) -> Self {
        let fleet = Self::start_by(None, turn);
        (0..MACHINES).for_each(|n| fleet.set_up(n));
        fleet.run()
    }

    /// The same with machines that the program before has set up and runs.
    pub(super) fn start_old(old: PathBuf) -> Self {
        Self::start_by(Some(old), take_turn_beside()).run()
    }

    fn start_by(old: Option<PathBuf>, turn: Turn) -> Self {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let home = directory.path();
        ClusterKey::create(&home.join("key")).unwrap();
        let first = free_ports(4);
        let ports: Vec<u16> = (first..first + 3).collect();
        let pairs = (0..MACHINES).flat_map(|from| (0..MACHINES).map(move |to| (from, to)));
        let pairs = pairs.filter(|(from, to)| from != to);
        Self {
            machines: (1..=MACHINES).map(|n| Machine::new(&format!("machine-{n}"), home)).collect(),
            web: Machine::new("web", home),
            links: pairs.map(|pair| (pair, Proxy::start(ports[pair.1]))).collect(),
            doors: ports.iter().map(|port| Proxy::start(*port)).collect(),
            disks: disks(home),
            web_port: first + 3,
            ports,
            busy: vec![false; MACHINES],
            counts: BTreeMap::new(),
            old,
            runs_old: Arc::default(),
            backup: None,
            changing: None,
            keys: Keys::read(&home.join("key")).unwrap(),
            directory,
            _turn: turn,
        }
    }

    fn run(mut self) -> Self {
        if faketime().is_none() {
            println!("left out: jumps of the wall clock (no faketime; Debian: faketime)");
        }
        let how = Start { program: self.old.clone(), clock: None };
        (0..MACHINES).for_each(|n| self.start_machine(n, &how));
        self.start_web();
        let (web, wait) = (("127.0.0.1", self.web_port), Duration::from_millis(AGREEMENT_MS));
        eventually("the web server listens", wait, || TcpStream::connect(web).ok());
        self
    }

    /// Whether some machines may run the program before.
    pub(super) fn is_mixed(&self) -> bool {
        self.old.is_some()
    }

    /// Ends a rolling upgrade: one machine after the other runs the present program, and then the
    /// operator says that it is finished.
    pub(super) fn finish_upgrade(&mut self) {
        self.old = None;
        for n in 0..MACHINES {
            self.machines[n].kill();
            self.start_plainly(n);
        }
        let wait = Duration::from_millis(AGREEMENT_MS);
        let epoch = self.node_file(0).map(|file| file.epoch).unwrap();
        eventually("the upgrade to be accepted", wait, || {
            self.operate(0, &["upgrade", "finish"]).status.success().then_some(())
        });
        self.changing = Some(epoch + 1);
        eventually("the upgrade to be finished", wait, || self.has_changed().then_some(()));
        self.count("upgrades finished");
    }

    /// Makes a machine's directory, as part of a new cluster.
    fn set_up(&self, n: usize) {
        let node = format!("--node={}", n + 1);
        let options = [node, self.peers(n), self.data_option(n), self.key_option()];
        let mut command = Command::new(PROGRAM);
        command.args(["cluster", "init"]).args(options).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Counts something that was done.
    pub(super) fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
        for machine in &self.machines {
            machine.remark(what);
        }
    }

    /// A machine to which nothing is being done; from now on something is.
    pub(super) fn pick(&mut self, dice: &mut Dice) -> Option<usize> {
        let free: Vec<_> = (0..MACHINES).filter(|n| !self.busy[*n]).collect();
        let n = *free.get(dice.below(free.len().max(1)))?;
        self.busy[n] = true;
        Some(n)
    }

    pub(crate) fn machine(&mut self, n: usize) -> &mut Machine {
        &mut self.machines[n]
    }

    pub(crate) fn disk(&mut self, n: usize) -> &mut Disk {
        &mut self.disks[n]
    }

    /// The same, to look at and to fill.
    pub(crate) fn disk_of(&self, n: usize) -> &Disk {
        &self.disks[n]
    }

    /// Starts a machine again, often with another clock or, in a rolling upgrade, the other program.
    pub(super) fn restart(&mut self, n: usize, dice: &mut Dice) {
        let mut how = Start::default();
        // A start needs to count itself: on a disk that takes nothing it ends, as it should.
        if self.disks[n].has_image() {
            self.disks[n].remount("rw").unwrap();
        }
        if faketime().is_some() && dice.percent(40) {
            how.clock = Some(if dice.percent(50) { "-2d" } else { "+1y" });
            self.count("clock jumps");
        }
        if self.old.is_some() && dice.percent(50) {
            how.program.clone_from(&self.old);
            self.count("starts of the program before");
        }
        self.start_machine(n, &how);
    }

    /// Starts a machine with the right clock and the program of today.
    pub(super) fn start_plainly(&mut self, n: usize) {
        self.start_machine(n, &Start::default());
    }

    /// Starts a machine that does not run.
    pub(crate) fn start_machine(&mut self, n: usize, how: &Start) {
        let args = [
            "backend".to_owned(),
            format!("--node={}", n + 1),
            format!("--listen=127.0.0.1:{}", self.ports[n]),
            self.peers(n),
            self.data_option(n),
            self.key_option(),
            "--rate-limits=off".to_owned(),
        ];
        // Between two lives nobody answers, so that no answer is taken for the other program's.
        self.runs_old.set(n, how.program.is_some());
        self.machines[n].start(&args, how);
    }

    /// Runs `tern cluster …` for one machine's directory, asking all machines.
    pub(crate) fn operate(&self, n: usize, words: &[&str]) -> Output {
        let at: Vec<_> = self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let options = [self.data_option(n), self.key_option(), format!("--at={}", at.join(","))];
        let mut command = Command::new(PROGRAM);
        command.arg("cluster").args(words).arg("--yes").args(options);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Makes a member a keeper.
    pub(crate) fn make_keeper(&self, name: &str) {
        let at: Vec<_> = self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let options = [self.data_option(0), self.key_option(), format!("--at={}", at.join(","))];
        let made = Command::new(PROGRAM).args(["user", "admin", name]).args(options).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{made:?}");
    }

    /// Whether each machine, asked by itself, says that nothing is amiss. The page of a web server may
    /// lag behind it by a second or two.
    pub(crate) fn is_well(&self) -> bool {
        (0..MACHINES).all(|n| {
            let at = format!("--at=127.0.0.1:{}", self.ports[n]);
            let options = [at, self.data_option(n), self.key_option()];
            let mut command = Command::new(PROGRAM);
            command.args(["cluster", "status", "--json"]).args(options);
            let said = command.stdin(Stdio::null()).output().unwrap().stdout;
            String::from_utf8_lossy(&said).contains("\"strong\":\"All is well.\"")
        })
    }

    /// How a machine reaches each: the others through the networks that can be spoilt.
    fn peers(&self, n: usize) -> String {
        let peers = (0..MACHINES).map(|to| {
            let link = self.links.iter().find(|link| link.0 == (n, to));
            let own = || format!("127.0.0.1:{}", self.ports[to]);
            format!("{}={}", to + 1, link.map_or_else(own, |link| link.1.address()))
        });
        format!("--peers={}", peers.collect::<Vec<_>>().join(","))
    }

    fn data_option(&self, n: usize) -> String {
        format!("--data={}", self.disks[n].data().display())
    }

    /// The cluster's key.
    pub(crate) fn key_option(&self) -> String {
        format!("--key-file={}", self.directory.path().join("key").display())
    }

    pub(crate) fn start_web(&mut self) {
        let args = [
            "web".to_owned(),
            format!("--listen=127.0.0.1:{}", self.web_port),
            format!("--backends={}", self.door_addresses().join(",")),
            self.key_option(),
        ];
        self.web.start(&args, &Start::default());
    }

    pub(crate) fn kill_web(&mut self) {
        self.web.kill();
    }

    pub(crate) fn door_addresses(&self) -> Vec<String> {
        self.doors.iter().map(Proxy::address).collect()
    }

    /// Where browsers go.
    pub(crate) fn site(&self) -> String {
        format!("http://127.0.0.1:{}", self.web_port)
    }

    /// How many networks there are to spoil.
    pub(super) fn networks(&self) -> usize {
        self.links.len() + self.doors.len()
    }

    /// Spoils or mends one of the networks.
    pub(super) fn set_network(&self, at: usize, mode: Mode) {
        let links = self.links.iter().map(|link| &link.1);
        if let Some(proxy) = links.chain(&self.doors).nth(at) {
            proxy.set(mode);
        }
    }

    /// Spoils or mends all networks of one machine: it alone against the others.
    pub(crate) fn set_island(&self, n: usize, mode: Mode) {
        self.set_ways(n, mode, mode);
    }

    /// Spoils or mends what one machine dials, and what dials it, of all networks between machines.
    pub(crate) fn set_ways(&self, n: usize, out: Mode, into: Mode) {
        for ((from, to), proxy) in &self.links {
            if *from == n {
                proxy.set(out);
            } else if *to == n {
                proxy.set(into);
            }
        }
    }

    /// Spoils or mends the line between two machines, whoever dials.
    pub(crate) fn set_line(&self, a: usize, b: usize, mode: Mode) {
        for (pair, proxy) in &self.links {
            if [(a, b), (b, a)].contains(pair) {
                proxy.set(mode);
            }
        }
    }

    /// Spoils or mends the way from web servers and clients to one machine.
    pub(crate) fn set_door(&self, n: usize, mode: Mode) {
        self.doors[n].set(mode);
    }

    /// A process that ended by itself, if one did.
    pub(super) fn ended(&mut self) -> Option<(usize, String)> {
        let found = |(n, machine): (usize, &mut Machine)| machine.ended().map(|how| (n, how));
        self.machines.iter_mut().enumerate().find_map(found)
    }

    /// Mends all networks.
    pub(super) fn mend_networks(&self) {
        (0..self.networks()).for_each(|at| self.set_network(at, Mode::Pass));
    }

    /// Nothing is being done to any machine any more.
    pub(super) fn free_all(&mut self) {
        self.busy.fill(false);
    }

    /// A user's file on a machine.
    pub(super) fn file(&self, n: usize, user: &str) -> PathBuf {
        self.disks[n].data().join("users").join(format!("{user}.jsonl"))
    }

    /// Whether a machine knows that it cannot trust its file of a user.
    pub(super) fn is_marked(&self, n: usize, user: &str) -> bool {
        self.disks[n].data().join("damaged").join(format!("{user}.mark")).exists()
    }

    /// Where the copy of a directory is kept.
    pub(super) fn backup_path(&self) -> PathBuf {
        self.directory.path().join("backup")
    }

    /// Prepares a new directory for a machine, as an operator would.
    pub(super) fn type_replace(&self, n: usize) -> Result<(), String> {
        let others = (0..MACHINES).filter(|other| *other != n);
        let at = others.map(|other| format!("127.0.0.1:{}", self.ports[other]));
        let at = format!("--at={}", at.collect::<Vec<_>>().join(","));
        let number = (n + 1).to_string();
        let options = [at, self.data_option(n), self.key_option(), "--yes".to_owned()];
        let mut command = Command::new(PROGRAM);
        command.args(["cluster", "replace", &number]).args(options).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    }

    /// Whether the members are being changed.
    pub(super) fn is_changing(&self) -> bool {
        self.changing.is_some()
    }

    /// From now on a machine's new directory waits to become a member.
    pub(crate) fn set_changing(&mut self, n: usize) {
        let epoch = self.node_file(n).map(|file| file.epoch);
        self.changing = Some(epoch.unwrap());
    }

    /// Whether all machines have opened the list that is waited for.
    pub(crate) fn has_changed(&mut self) -> bool {
        let Some(epoch) = self.changing else { return true };
        let is_open = |file: NodeFile| file.epoch == epoch && file.opened;
        let all = (0..MACHINES).all(|n| self.node_file(n).is_some_and(is_open));
        if all {
            self.changing = None;
        }
        all
    }

    /// What a machine's directory says of it; nothing while it is being written.
    pub(super) fn node_file(&self, n: usize) -> Option<NodeFile> {
        let bytes = std::fs::read(self.disks[n].data().join("node.json")).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// How often any machine said something.
    pub(super) fn said(&self, phrase: &str) -> usize {
        self.machines.iter().map(|machine| machine.said().matches(phrase).count()).sum()
    }

    /// Starts whatever does not run.
    pub(super) fn start_all(&mut self) {
        for n in 0..MACHINES {
            if !self.machines[n].is_wanted() {
                self.start_machine(n, &Start::default());
            }
        }
        if !self.web.is_wanted() {
            self.start_web();
        }
    }

    /// Waits until all machines hold the same of each user.
    pub(super) fn agreed(&mut self) -> Files {
        let clock = Clock::system();
        loop {
            if let Some((n, how)) = self.ended() {
                panic!("machine {} ended by itself: {how}", n + 1);
            }
            // A file may be replaced while its directory is read.
            let all = self.disks.iter().map(|disk| witness::read(&disk.data()));
            let all: Vec<Home> = all.filter_map(Result::ok).collect();
            if all.len() == MACHINES
                && let Some(agreed) = witness::agreed(&all)
            {
                return agreed;
            }
            let is_late = clock.mono() > Mono(AGREEMENT_MS);
            assert!(!is_late, "the machines do not agree:\n{}", witness::differences(&all));
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    pub(super) fn logs(&self) -> String {
        self.machines.iter().chain([&self.web]).map(Machine::log_end).collect()
    }
}

impl Disks for Fleet {
    fn machines(&self) -> u16 {
        u16::try_from(MACHINES).unwrap()
    }

    fn data_of(&self, node: u16) -> PathBuf {
        self.disks[usize::from(node) - 1].data()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the ends of the logs:\n{}", self.logs());
        }
        // Whoever is frozen is killed as well as the others, and the disks are free after that.
        self.machines.iter_mut().for_each(Machine::kill);
        self.web.kill();
    }
}

fn disks(home: &Path) -> Vec<Disk> {
    let homes = (1..=MACHINES).map(|n| home.join(format!("disk-{n}")));
    if let Some(why) = why_no_images(home) {
        println!("left out: power cuts, full and read-only disks ({why})");
        return homes.map(|home| Disk::plain(&home)).collect();
    }
    homes.map(|home| Disk::with_image(&home).unwrap()).collect()
}
