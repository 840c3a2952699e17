//! Types the page's commands on machines, each block where it says.
//!
//! A command is typed as it stands, the addresses too. Otherwise done are: `systemctl`, as no systemd runs
//! here (the unit's own command is started, as its account); `scp`, as no machine lets anybody in (the file
//! is carried over as `scp -p` would); `apt-get`, where the mirrors are not to be asked (then it is looked
//! whether what it would install is there).

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::document::{Block, MACHINES, blocks};
use super::machine::{Machine, Site, told};
use crate::cluster::harness::eventually;

const LONG: Duration = Duration::from_secs(40);
/// A visitor's address.
pub(super) const VISITOR: &str = "192.168.1.99";
/// The machine of the section about one.
const ALONE: &str = "192.168.1.20";

/// Which of the ways through the page is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Three machines with nginx; with the package, or by hand without it.
    Cluster { has_package: bool },
    /// One machine, set up by hand, with Caddy.
    Alone,
}

impl Way {
    /// Every one.
    const ALL: [Self; 3] =
        [Self::Cluster { has_package: false }, Self::Cluster { has_package: true }, Self::Alone];

    /// The machines of this way on which a block is typed.
    fn machines(self, block: &Block) -> Vec<&'static str> {
        let about = |word: &str| block.commands.iter().any(|command| command.contains(word));
        let is_alone = self == Self::Alone;
        let by_hand = block.place.strip_suffix(", without the package");
        let instead = block.place.strip_suffix(", instead of nginx");
        let has_package = self == Self::Cluster { has_package: true };
        let is_other_program = if has_package { by_hand.is_some() } else { about(".deb") };
        let is_other_proxy = if is_alone { about("nginx") } else { instead.is_some() };
        if is_other_program || is_other_proxy {
            return Vec::new();
        }
        let place = by_hand.or(instead).unwrap_or(block.place);
        let (place, is_either) =
            place.strip_suffix(", or the only machine").map_or((place, false), |rest| (rest, true));
        match place {
            "every machine" if is_alone && by_hand.is_some() => vec![ALONE],
            "every machine" if is_alone => Vec::new(),
            "every machine" => MACHINES.to_vec(),
            "the only machine" if is_alone => vec![ALONE],
            "the only machine" => Vec::new(),
            _ if is_alone && is_either => vec![ALONE],
            _ if is_alone => Vec::new(),
            // People come through two of them; a keeper is made on one.
            _ if is_either && !about("tern user") => MACHINES[..2].to_vec(),
            one => MACHINES.into_iter().filter(|machine| *machine == one).collect(),
        }
    }

    fn addresses(self) -> &'static [&'static str] {
        if self == Self::Alone { &[ALONE] } else { &MACHINES }
    }
}

#[test]
fn every_command_of_the_page_is_typed_by_a_test() {
    let blocks = blocks();
    assert!(blocks.len() >= 10, "the page has lost its commands");
    for block in &blocks {
        let typed = Way::ALL.into_iter().any(|way| !way.machines(block).is_empty());
        assert!(typed, "typed nowhere: {block:?}");
    }
    let way = Way::Cluster { has_package: true };
    let skipped = blocks.iter().filter(|block| way.machines(block).is_empty());
    let skipped: Vec<_> = skipped.map(|block| block.place).collect();
    let expected = [
        "every machine, without the package",
        "the only machine",
        "192.168.1.21, or the only machine, instead of nginx",
    ];
    assert_eq!(skipped, expected, "left out of the way with the package");
}

/// The machines of a way, and what is typed on them.
pub(super) struct Story {
    way: Way,
    pub(super) site: Site,
    /// How many machines must be in step before the next command.
    awaited: Option<usize>,
    said: String,
}

impl Story {
    /// Types the whole page, on machines that look through to `lower`.
    pub(super) fn told(way: Way, lower: &Path, prepare: impl Fn(&Machine)) -> Self {
        let site = Site::start(lower, way.addresses(), VISITOR);
        site.machines.iter().for_each(prepare);
        let mut story = Self { way, site, awaited: None, said: String::new() };
        for block in blocks() {
            for address in way.machines(&block) {
                for command in &block.commands {
                    story.type_on(address, command);
                }
            }
        }
        story
    }

    pub(super) fn machine(&self, address: &str) -> &Machine {
        &self.site.machines[self.index(address)]
    }

    fn index(&self, address: &str) -> usize {
        let mut addresses = self.way.addresses().iter();
        addresses.position(|known| *known == address).unwrap_or_else(|| panic!("no {address}"))
    }

    /// All that the commands said.
    pub(super) fn said(&self) -> &str {
        &self.said
    }

    fn type_on(&mut self, address: &str, command: &str) {
        let index = self.index(address);
        if let Some(comment) = command.strip_prefix("# ") {
            let count = comment.strip_prefix("again, until all ");
            let count = count.and_then(|rest| rest.strip_suffix(" machines are in step"));
            let count = count.unwrap_or_else(|| panic!("no comment that is understood: {comment}"));
            self.awaited = Some(count.parse().unwrap());
            return;
        }
        if let Some(count) = self.awaited.take() {
            assert_eq!(command, "tern cluster status");
            self.wait_in_step(address, count);
        }
        let words: Vec<_> = command.split(' ').collect();
        match words[..] {
            ["apt-get", "update"] if !self.has_package() => {}
            ["apt-get", ..] => self.install(index, command),
            ["scp", "-p", from, to] => self.carry(from, (address, to)),
            ["systemctl", "daemon-reload"] => {}
            ["systemctl", "enable", "--now", ..] => {
                words[3..].iter().for_each(|name| self.start(index, name));
            }
            ["systemctl", "restart", name] => self.start(index, name),
            ["tern", "health"] => self.healthy(index),
            _ => {
                let said = self.site.machines[index].done(command);
                self.said.push_str(&said);
            }
        }
    }

    fn has_package(&self) -> bool {
        self.way == (Way::Cluster { has_package: true })
    }

    fn install(&self, index: usize, command: &str) {
        let machine = &self.site.machines[index];
        if self.has_package() {
            told(command, &machine.shell_with_mirrors(command));
            return;
        }
        for package in command.split(' ').skip(3) {
            let program = package.strip_suffix("-light").unwrap_or(package);
            machine.done(&format!("command -v {program}"));
        }
    }

    fn carry(&self, from: &str, (address, to): (&str, &str)) {
        let (machine, path) = from.split_once(':').unwrap();
        let machine = machine.strip_prefix("root@").expect("root is who may read it");
        let from = self.machine(machine).path(path);
        let to = self.machine(address).path(to);
        std::fs::copy(&from, &to).unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&from), mode(&to));
    }

    /// Starts a service, and waits until it says that it serves, as `systemctl` does.
    fn start(&mut self, index: usize, name: &str) {
        let machine = &mut self.site.machines[index];
        machine.start_service(name);
        if name.starts_with("tern") {
            eventually(&format!("{name} on machine {index}: ready"), LONG, || {
                let log = machine.log(name);
                assert!(!log.contains("tern: "), "{name}: {log}");
                log.contains("address=").then_some(())
            });
        } else {
            eventually(&format!("{name} listens"), LONG, || {
                let mut asked = machine.within(&["--net"]);
                asked.args(["curl", "--silent", "--noproxy", "*", "--max-time", "5"]);
                let asked = asked.arg("http://127.0.0.1:80/").output().unwrap();
                asked.status.success().then_some(())
            });
        }
    }

    fn healthy(&mut self, index: usize) {
        let machine = &self.site.machines[index];
        self.said.push_str(&eventually("tern health", LONG, || {
            let asked = machine.shell("tern health --writes");
            asked.status.success().then(|| String::from_utf8(asked.stdout).unwrap())
        }));
        machine.done("tern health");
    }

    /// Waits as the reader does who types it again.
    pub(super) fn wait_in_step(&self, address: &str, count: usize) {
        let machine = self.machine(address);
        eventually(&format!("{count} machines in step, by {address}"), LONG, || {
            let out = machine.shell("tern cluster status --json").stdout;
            let told: Value = serde_json::from_slice(&out).ok()?;
            let machines = told["machines"].as_array()?;
            let in_step = machines.iter().filter(|one| one["state"] == "in_step").count();
            (told["writes"] == true && in_step == count).then_some(())
        });
    }
}
