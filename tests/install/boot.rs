//! The package under a real systemd: the page on installing, on one machine with Debian's kernel, which qemu
//! emulates. `make boot` makes what it starts from (`tests/dist/boot.sh`), and runs this.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::document::blocks;
use crate::cluster::harness::{eventually, take_turn};
use crate::cluster::person::Person;
use crate::dist::console::{Console, WAIT};
use crate::dist::foreign::{post, sees};
use crate::ports::free_ports;

/// Set by `make boot`: the directory with what the machine starts from.
const BOOT: &str = "TERN_BOOT";
/// Where the web server listens for what comes from this machine.
const LISTEN: &str = "10.0.2.15:8080";

/// A machine that has booted.
struct Booted {
    console: Console,
    port: u16,
}

impl Booted {
    fn start(at: &Path) -> Self {
        let port = free_ports(1);
        let mut qemu = Command::new("qemu-system-x86_64");
        // Not by the processor's own means, which not every machine that is emulated itself has.
        qemu.args(["-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1024"]);
        qemu.args(["-smp", "2"]);
        qemu.arg("-kernel").arg(at.join("kernel")).arg("-initrd").arg(at.join("initrd"));
        qemu.args(["-append", "root=/dev/vda rw console=ttyS0 quiet loglevel=3 panic=-1"]);
        let disk = at.join("disk");
        qemu.arg("-drive").arg(format!("if=none,id=disk,format=raw,file={}", disk.display()));
        qemu.args(["-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"]);
        // It reaches nobody, and is reached from this machine alone.
        let net = format!("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-{LISTEN}");
        qemu.args(["-netdev", &net, "-device", "virtio-net-pci,netdev=net"]);
        Self { console: Console::start(qemu, "boot: up"), port }
    }

    /// Types a command; what it said, and its exit code.
    fn tried(&mut self, command: &str) -> (String, String) {
        let said = self.console.run(&format!("{command}\necho \"code $?\""));
        let (said, code) = said.rsplit_once("code ").expect("a code");
        (said.trim().to_owned(), code.trim().to_owned())
    }

    /// Types a command that must not fail.
    fn done(&mut self, command: &str) -> String {
        let (said, code) = self.tried(command);
        assert_eq!(code, "0", "{command}\n{said}");
        said
    }

    fn property(&mut self, name: &str) -> String {
        self.done(&format!("systemctl show tern --property={name} --value"))
    }

    /// Waits until it was started again and serves.
    fn is_started_again(&mut self, before: &str) {
        eventually("it is started again", WAIT, || {
            let now = self.property("MainPID");
            (now != before && now != "0" && self.property("ActiveState") == "active").then_some(())
        });
    }

    /// Fails if the service has left anything but calm lines behind so far.
    fn assert_calm(&mut self) {
        let said = self.done("journalctl --quiet --output=cat --priority=warning --unit=tern\\*");
        assert_eq!(said, "", "the journal of a machine where all is well");
        let said = self.done("journalctl --quiet --output=cat --unit=tern\\* | grep -c level=info");
        assert!(said.parse::<u32>().unwrap() > 3, "{said}");
    }
}

/// The page's own commands, for one machine with the package.
fn follow_the_page(machine: &mut Booted) {
    for block in blocks() {
        let is_package = block.commands.iter().any(|command| command.contains(".deb"));
        if is_package || block.place == "the only machine" {
            for command in &block.commands {
                machine.done(command);
            }
        }
    }
    let said = machine.done("tern user add ada --admin");
    assert!(said.contains("sign in at: https://tern.example.org/login\npassword: "), "{said}");
}

/// `make boot`.
#[test]
#[ignore = "it needs a Debian to boot, qemu and the package: make boot"]
fn package_under_a_systemd_that_runs() {
    let at = PathBuf::from(std::env::var_os(BOOT).expect(BOOT));
    let _turn = take_turn();
    let mut machine = Booted::start(&at);
    println!("{}", machine.done("systemctl --version | head -n 1; uname -srm"));
    follow_the_page(&mut machine);
    assert_eq!(machine.property("ActiveState"), "active");
    machine.assert_calm();

    // For people on this machine, and with a watchdog that nobody has to wait for.
    let port = machine.port;
    machine.done(&format!(
        "sed -i 's|^origin = .*|origin = \"http://127.0.0.1:{port}\"\\nlisten = \"{LISTEN}\"\\n\
         insecure_http = true|' /etc/tern/tern.toml"
    ));
    machine.done(
        "mkdir /etc/systemd/system/tern.service.d; printf '[Service]\\nWatchdogSec=12\\n' \
         >/etc/systemd/system/tern.service.d/soon.conf; systemctl daemon-reload",
    );
    machine.done("systemctl restart tern");
    let mut ben = Person::new(&format!("http://127.0.0.1:{port}"), "ben");
    ben.join();
    post(&mut ben, "The kettle is on.");
    machine.assert_calm();

    for signal in ["KILL", "STOP"] {
        let before = machine.property("MainPID");
        machine.done(&format!("kill -{signal} {before}"));
        machine.is_started_again(&before);
        sees(&mut ben, "/public", "The kettle is on.");
    }
    roots_commands_leave_nothing_of_roots(&mut machine);
    what_cannot_start_is_not_started_again(&mut machine);
    upgrade_and_removal(&mut machine);
}

fn roots_commands_leave_nothing_of_roots(machine: &mut Booted) {
    machine.done("tern backup create /var/backups/a.tar && tern backup verify /var/backups/a.tar");
    machine.done("systemctl stop tern && tern check --repair /var/lib/tern");
    machine.done(
        "rm -r /var/lib/tern/* && tern backup restore /var/backups/a.tar --data=/var/lib/tern",
    );
    assert_eq!(machine.done("find /var/lib/tern ! -user tern"), "");
    machine.done("systemctl start tern");
    let listed = machine.done("tern user list");
    assert!(listed.starts_with("ada ") && listed.contains("\nben "), "{listed}");
}

fn what_cannot_start_is_not_started_again(machine: &mut Booted) {
    machine.done("cp -a /etc/tern/tern.toml /srv; echo 'nonsense = 1' >>/etc/tern/tern.toml");
    let (_, code) = machine.tried("systemctl restart tern");
    assert_ne!(code, "0");
    // That it stays so shows only once the units' RestartSec is over.
    machine.done("sleep 5");
    let state = ["ActiveState", "ExecMainStatus"].map(|name| machine.property(name));
    assert_eq!(state, ["failed", "2"]);
    let said = machine.done("journalctl --quiet --output=cat --priority=err _COMM=tern");
    assert!(said.contains("unknown key nonsense"), "{said}");
    machine.done("cp -a /srv/tern.toml /etc/tern; systemctl start tern");
}

fn upgrade_and_removal(machine: &mut Booted) {
    let before = machine.property("MainPID");
    machine.done("dpkg --install tern_*.deb");
    machine.is_started_again(&before);
    machine.done("dpkg --purge tern");
    assert_eq!(machine.property("ActiveState"), "inactive");
    assert_eq!(machine.done("ls -1 /var/lib/tern/users"), "ada.jsonl\nben.jsonl");

    // One of several, which are one here: the other two units.
    machine.done("dpkg --install tern_*.deb && find /var/lib/tern -mindepth 1 -delete");
    machine.done(
        "printf '%s\\n' 'data = \"/var/lib/tern\"' 'key_file = \"/etc/tern/cluster.key\"' '[web]' \
         'backends = \"127.0.0.1:7001\"' >/etc/tern/tern.toml",
    );
    machine.done("tern cluster init --node=1 --peers=1=127.0.0.1:7001");
    machine.done("systemctl enable --now tern-backend tern-web");
    eventually("it saves", WAIT, || (machine.tried("tern health --writes").1 == "0").then_some(()));
    assert_eq!(machine.done("find /var/lib/tern /etc/tern/cluster.key ! -user tern"), "");
    machine
        .done("tern user add cleo && tern cluster status && systemctl stop tern-web tern-backend");
}
