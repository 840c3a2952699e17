//! Limits on memory, set as a shell or a service manager sets them: too low a one is said at the start, and
//! at one that is just enough people are served, and what does not fit is turned away politely.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::harness::{Cluster, Options, PROGRAM, eventually, take_turn};
use super::person::{Person, Written};
use crate::ports::free_ports;
use crate::web::client::{Client, many_descriptors};

const LONG: Duration = Duration::from_secs(30);
/// `ulimit` counts so.
const KIB_A_MIB: u64 = 1024;

/// The program under a limit of the shell's: `-d` or `-v`.
fn limited(option: &str, mib: u64, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -{option} {} && exec \"$0\" \"$@\"", mib * KIB_A_MIB)]);
    command.arg(PROGRAM).args(args).stdin(Stdio::null());
    command.env_remove("MALLOC_ARENA_MAX").env_remove("RUST_MIN_STACK");
    command
}

#[test]
fn limit_that_is_too_low_is_said_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    let data = format!("--data={}", home.path().join("db").display());
    let key = format!("--key-file={}", home.path().join("none").display());
    let serve = ["serve", "--listen=127.0.0.1:1", &data];
    let web = ["web", "--listen=127.0.0.1:1", "--backends=127.0.0.1:1", &key];
    let backend =
        ["backend", "--node=1", "--listen=127.0.0.1:1", "--peers=1=127.0.0.1:1", &key, &data];
    let check = |mut command: Command, words: &str| {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(2), "{stderr}");
        let expected = format!("tern: {words}\n");
        assert_eq!((String::from_utf8(stdout).unwrap().as_str(), stderr), ("", expected));
    };
    let memory = "of memory at least, and may take";
    check(
        limited("d", 64, &serve),
        &format!("tern serve needs 196 MiB {memory} 64 MiB (ulimit -d)"),
    );
    check(limited("d", 64, &web), &format!("tern web needs 152 MiB {memory} 64 MiB (ulimit -d)"));
    check(
        limited("d", 32, &backend),
        &format!("tern backend needs 44 MiB {memory} 32 MiB (ulimit -d)"),
    );
    // Of address space more is needed: the allocator of most systems only sets it aside. One arena is the
    // heap itself.
    let mut small = limited("v", 180, &serve);
    small.env("MALLOC_ARENA_MAX", "1");
    let space = "of address space at least, and may take";
    check(small, &format!("tern serve needs 216 MiB {space} 180 MiB (ulimit -v)"));
    assert!(!home.path().join("db").exists(), "nothing was made");
}

/// `tern serve` under a limit; ended when dropped.
struct Serve {
    child: Child,
    address: SocketAddr,
}

impl Serve {
    fn start(mib: u64, home: &Path) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_ports(1)));
        let data = format!("--data={}", home.join("db").display());
        let listen = format!("--listen={address}");
        let mut command = limited("d", mib, &["serve", &listen, &data, "--rate-limits=off"]);
        // What many arenas may keep would go off what is left for connections.
        command.env("RUST_MIN_STACK", "524288").env("MALLOC_ARENA_MAX", "1");
        command.stdout(Stdio::piped()).stderr(File::create(home.join("log")).unwrap());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let serve = Self { child, address };
        let log = std::fs::read_to_string(home.join("log")).unwrap();
        assert!(said.starts_with("web address="), "{said}{log}");
        serve
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// People who sign in at once.
const AT_ONCE: usize = 12;
/// The least with stacks of half a MiB, and what this build takes more for being made to be debugged.
const LEAST_MIB: u64 = 124 + 12;

/// Signs somebody in. On a slow machine some of many are told to come again.
fn signs_in(person: &mut Person) {
    eventually("signed in", LONG, || {
        let status = person.login().status;
        assert!([303, 503].contains(&status), "{status}");
        (status == 303).then_some(())
    });
}

#[test]
fn limit_that_is_just_enough_serves_and_turns_a_crowd_away() {
    many_descriptors();
    let _turn = take_turn();
    let home = tempfile::tempdir().unwrap();
    let mut serve = Serve::start(LEAST_MIB, home.path());
    let mut ada = Person::new(&format!("http://{}", serve.address), "ada");
    ada.join();
    assert_eq!(ada.post("in a small house").written(), Written::Saved);
    // More than there is room for: each of these has a thread at the gate.
    let crowd: Vec<Client> = (0..400)
        .map(|n: u16| {
            let [high, low] = n.to_be_bytes();
            let from = IpAddr::V4(Ipv4Addr::new(127, 67, high, low));
            let mut client = Client::connect_from(from, serve.address);
            client.send(format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", serve.address));
            client
        })
        .collect();
    // Whoever is answered gets a page or is told to come back; others are only hung up on.
    let mut answered = 0;
    for mut client in crowd {
        if let Some(reply) = client.try_reply(false) {
            assert!([200, 503].contains(&reply.status), "{}", reply.head);
            answered += 1;
        }
    }
    assert!(answered > 0);
    eventually("a page for ada once the crowd has gone", LONG, || {
        let page = ada.try_get("/@ada").ok()?;
        (page.status == 200 && page.body.contains("in a small house")).then_some(())
    });
    // Her password is hashed once more.
    ada.logout();
    signs_in(&mut ada);
    // And those of many at once, one after the other if there is no room for two to be hashed in.
    let person = || Person::new(&format!("http://{}", serve.address), "ada");
    let mut many: Vec<Person> = std::iter::repeat_with(person).take(AT_ONCE).collect();
    std::thread::scope(|scope| {
        let signing_in: Vec<_> =
            many.iter_mut().map(|person| scope.spawn(|| signs_in(person))).collect();
        for signed_in in signing_in {
            signed_in.join().unwrap();
        }
    });
    assert!(serve.child.try_wait().unwrap().is_none(), "it runs on");
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    assert!(!log.contains("panicked") && !log.contains("memory allocation"), "{log}");
}

/// Whether one of a process's threads hashes passwords or waits to, and the megabytes that it then has: asked
/// the other way round, a thread could end between the two, and its memory be counted still.
fn size_of(pid: u32) -> (u64, bool) {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let mut names = threads.map(|thread| std::fs::read_to_string(thread.path().join("comm")));
    let is_hashing = names.any(|name| name.is_ok_and(|name| name.trim_end() == "hash"));
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    (kib / KIB_A_MIB, is_hashing)
}

/// Whichever thread of a connection asked for it, and however often.
#[test]
fn memory_that_hashing_took_goes_back_once_nobody_signs_in() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    cluster.person("ada").join();
    let pid = cluster.pid(1);
    let at_rest = || {
        eventually("threads that hashed have ended", LONG, || {
            let (resident, is_hashing) = size_of(pid);
            (!is_hashing).then_some(resident)
        })
    };
    let before = at_rest();
    for _burst in 0..2 {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(cluster.person("ada").login().status, 303));
            }
        });
        assert!(size_of(pid).1, "a thread hashed");
        let now = at_rest();
        assert!(now < before + 16, "{before} MB before, {now} behind");
    }
}
