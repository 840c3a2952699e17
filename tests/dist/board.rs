//! The program for a small board on such a board: arm64, two slow cores and 512 MB, emulated by qemu with
//! Debian's kernel. Three backends and a web server, of which one backend dies. `make board` makes what it
//! starts from (`board.sh`), and runs this; it prints what memory each process took.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::console::{Console, WAIT};
use super::foreign::{post, sees, they_meet};
use crate::cluster::harness::{eventually, take_turn};
use crate::cluster::person::Person;
use crate::ports::free_ports;

/// Set by `make board`: the directory with what the board starts from.
const BOARD: &str = "TERN_BOARD";
/// What the community's site is called by.
const PORT: u16 = 8080;
/// Memory that a process may have taken at most, in KiB: 25 MB were measured, of which 19 are for a password.
const EACH_KIB_MAX: u64 = 40 * 1024;

/// A board that runs.
struct Board {
    console: Console,
    port: u16,
}

impl Board {
    fn start(at: &Path) -> Self {
        let port = free_ports(1);
        let mut command = Command::new("qemu-system-aarch64");
        command.args(["-M", "virt", "-cpu", "cortex-a53", "-m", "512", "-smp", "2"]);
        command.arg("-kernel").arg(at.join("kernel")).arg("-initrd").arg(at.join("initrd"));
        command.args(["-append", "console=ttyAMA0 quiet loglevel=3 panic=-1 rdinit=/init"]);
        command.arg("-drive");
        command.arg(format!("if=none,id=disk,format=raw,file={}", at.join("disk").display()));
        command.args(["-device", "virtio-blk-device,drive=disk"]);
        // It reaches nobody, and is reached from this machine alone.
        command.arg("-netdev");
        command
            .arg(format!("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:{PORT}"));
        command.args(["-device", "virtio-net-device,netdev=net"]);
        Self { console: Console::start(command, "board: up"), port }
    }

    fn run(&mut self, command: &str) -> String {
        self.console.run(command)
    }

    fn person(&self, name: &str) -> Person {
        Person::new(&format!("http://127.0.0.1:{}", self.port), name)
    }

    /// Each process: what it is, its number, and KiB in memory now and at most.
    fn processes(&mut self) -> Vec<(String, u32, u64, u64)> {
        let listed = self.run(
            "for p in $(pidof tern); do echo \"@ $p $(tr '\\0' ' ' </proc/$p/cmdline)\"; \
             grep -E 'VmRSS|VmHWM' /proc/$p/status; done",
        );
        let mut all = Vec::new();
        for part in listed.split("@ ").skip(1) {
            let (pid, rest) = part.split_once(' ').unwrap();
            let size = |name: &str| {
                let line = rest.lines().find(|line| line.starts_with(name)).expect(name);
                line.split_whitespace().nth(1).unwrap().parse().unwrap()
            };
            let words: Vec<_> = rest.lines().next().unwrap().split(' ').collect();
            let data = words.iter().find_map(|word| word.strip_prefix("--data="));
            let node = data.and_then(|data| data.rsplit_once("node-")).map_or("", |(_, node)| node);
            let what = format!("{} {node}", words[1]).trim().to_owned();
            all.push((what, pid.parse().unwrap(), size("VmRSS"), size("VmHWM")));
        }
        all.sort();
        all
    }
}

/// Waits until the page says that so many machines are in step.
fn in_step(board: &Board, count: usize) {
    let mut stranger = board.person("stranger");
    let all = format!("{count} of 3 machines");
    eventually(&all, WAIT, || stranger.try_get("/public").ok()?.body.contains(&all).then_some(()));
}

fn print(board: &mut Board, when: &str) {
    println!("{when}:");
    for (what, _, now, most) in board.processes() {
        println!("  {what}: {now} KiB, at most {most}");
    }
    println!("  {}", board.run("grep MemAvailable /proc/meminfo"));
}

/// `make board`.
#[test]
#[ignore = "it needs a kernel and qemu: make board"]
fn main_story_on_an_emulated_board_of_512_mb() {
    let at = PathBuf::from(std::env::var_os(BOARD).expect(BOARD));
    let _turn = take_turn();
    let mut board = Board::start(&at);
    println!("{}", board.run("uname -srm; grep -E 'MemTotal|MemAvailable' /proc/meminfo"));
    board.run(&format!(
        "cd /data; tern run-cluster --listen=10.0.2.15:{PORT} --origin=http://127.0.0.1:{} \
         --data=/data/db >/data/lines 2>/data/log &",
        board.port
    ));
    let mut stranger = board.person("stranger");
    eventually("the cluster is up", WAIT, || {
        (stranger.try_get("/readyz?writes=1").ok()?.status == 200).then_some(())
    });
    in_step(&board, 3);
    print(&mut board, "started");

    let (mut ada, mut ben) = (board.person("ada"), board.person("ben"));
    they_meet(&mut ada, &mut ben);

    let second = board.processes().into_iter().find(|(what, ..)| what == "backend 2").unwrap().1;
    board.run(&format!("kill -9 {second}"));
    post(&mut ada, "One machine less, and the tea is ready.");
    post(&mut ben, "I bring cake.");
    eventually("the machine is started again", WAIT, || {
        let again = board.processes().into_iter().find(|(what, ..)| what == "backend 2")?;
        (again.1 != second).then_some(())
    });
    in_step(&board, 3);
    for text in ["The kettle is on.", "the tea is ready", "I bring cake."] {
        sees(&mut ada, "/public", text);
    }
    let held = board.run("grep -c 'tea is ready' /data/db/node-*/users/ada.jsonl");
    let each: Vec<_> = held.lines().map(|line| line.rsplit(':').next().unwrap()).collect();
    assert_eq!(each, ["1"; 3], "{held}");
    print(&mut board, "after the story");
    for (what, _, _, most) in board.processes() {
        assert!(most <= EACH_KIB_MAX, "{what} took {most} KiB");
    }
}
