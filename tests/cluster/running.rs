//! The program under a service manager: what the manager hears, signals, health, the log.

use std::collections::BTreeMap;
use std::fs::{File, read_to_string};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tern::limits::GATE_ADDRESS_CONNECTIONS_MAX;

use super::harness::{PROGRAM, eventually, send, take_turn};
use super::lines;
use super::person::Person;
use crate::ports::free_ports;

const LONG: Duration = Duration::from_secs(30);

/// A program with a configuration file, and the manager that started it.
struct Served {
    child: Child,
    directory: tempfile::TempDir,
    manager: UnixDatagram,
    port: u16,
}

impl Served {
    /// `tern serve`.
    fn start(config: &str) -> Self {
        let port = free_ports(1);
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let data = directory.path().join("db");
        // On every address, of which only one is asked.
        let args = [
            "serve".to_owned(),
            format!("--listen=0.0.0.0:{port}"),
            format!("--origin=http://127.0.0.1:{port}"),
            format!("--data={}", data.display()),
        ];
        Self::run(directory, port, &args, config)
    }

    fn run(directory: tempfile::TempDir, port: u16, args: &[String], config: &str) -> Self {
        let path = |name: &str| directory.path().join(name);
        let manager = UnixDatagram::bind(path("notify")).unwrap();
        manager.set_read_timeout(Some(LONG)).unwrap();
        std::fs::write(path("tern.toml"), config).unwrap();
        let child = Command::new(PROGRAM)
            .args(args)
            .env("TERN_CONFIG", path("tern.toml"))
            .env("NOTIFY_SOCKET", path("notify"))
            .env("WATCHDOG_USEC", "400000")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, directory, manager, port }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Waits until the manager hears this.
    fn hears(&self, wanted: &str) {
        let mut buf = [0; 256];
        loop {
            let count = match self.manager.recv(&mut buf) {
                Ok(count) => count,
                // All of this machine stood still.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => panic!("waiting for {wanted}: {error}\n{}", self.log()),
            };
            let text = std::str::from_utf8(&buf[..count]).unwrap();
            if text.split('\n').any(|line| line.starts_with(wanted)) {
                return;
            }
        }
    }

    fn log(&self) -> String {
        read_to_string(self.path("log")).unwrap()
    }

    fn logs(&self, wanted: &str) {
        eventually(wanted, LONG, || self.log().contains(wanted).then_some(()));
    }

    fn reload(&self, config: &str) {
        std::fs::write(self.path("tern.toml"), config).unwrap();
        send(self.child.id(), Signal::HUP);
        self.hears("RELOADING=1");
        self.hears("READY=1");
    }

    fn health(&self, more: &[&str]) -> Output {
        let at = format!("--at=127.0.0.1:{}", self.port);
        let command = ["health", "--config=", at.as_str()];
        Command::new(PROGRAM).args([&command, more].concat()).output().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already, and then has been waited for.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[test]
fn manager_hears_of_start_life_reload_and_stop() {
    let _turn = take_turn();
    let mut served = Served::start("community = 'Fen'\n");
    served.hears("READY=1");
    served.hears("WATCHDOG=1");
    let health = served.health(&["--writes"]);
    assert_eq!(health.status.code(), Some(0), "{health:?}");
    assert_eq!(health.stdout, b"writes: ok\n");

    served.reload("community = 'Lane'\nlog = 'debug'\n");
    served.logs("msg=\"setting changed\" key=log from=info to=debug effect=now");
    served.logs("key=community from=Fen to=Lane effect=\"after a restart\"");
    served.health(&[]);
    served.logs("level=debug msg=\"request answered\" ");

    // One that cannot be used changes nothing, and is named.
    served.reload("log = 'loud'\n");
    served.logs("the old one holds\" fault=");
    assert!(served.log().contains("line 1: log=loud: use error, warn"), "{}", served.log());
    served.reload("no configuration\n");
    assert_eq!(served.health(&[]).status.code(), Some(0));
    served.hears("WATCHDOG=1");

    send(served.child.id(), Signal::TERM);
    served.hears("STOPPING=1");
    let status = eventually("the end", LONG, || served.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0), "{}", served.log());
    let health = served.health(&[]);
    assert_eq!(health.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&health.stderr).contains("is not well"), "{health:?}");
}

/// A crowd that kept all connections busy had the manager end the process, each minute anew.
#[test]
fn r0155_manager_is_told_that_a_server_lives_which_is_full() {
    let _turn = take_turn();
    let served = Served::start("community = 'Fen'\n");
    served.hears("READY=1");
    let open = || {
        let mut browser = TcpStream::connect(("127.0.0.1", served.port)).unwrap();
        browser.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut told = [0; 12];
        let is_full = browser.read_exact(&mut told).is_ok_and(|()| &told == b"HTTP/1.1 503");
        (!is_full).then_some(browser)
    };
    // They say nothing, and so are no idle ones that make room.
    let _silent: Vec<_> = std::iter::from_fn(open).take(2 * GATE_ADDRESS_CONNECTIONS_MAX).collect();
    for _ in 0..4 {
        served.hears("WATCHDOG=1");
    }
    assert!(!served.log().contains("no answer from this process"), "{}", served.log());
}

#[test]
fn reload_refuses_an_address_with_which_no_start_would_succeed() {
    let _turn = take_turn();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let port = free_ports(1);
    let config =
        |listen: &str, more: &str| format!("listen = '{listen}:{port}'\ncommunity = 'Fen'\n{more}");
    let args = ["serve".to_owned(), format!("--data={}", directory.path().join("db").display())];
    let served = Served::run(directory, port, &args, &config("127.0.0.1", ""));
    served.hears("READY=1");
    // Passwords would be sent in the open.
    served.reload(&config("0.0.0.0", "log = 'debug'\n"));
    served.logs("the old one holds\" fault=");
    assert!(!served.log().contains("setting changed"), "{}", served.log());
    served.reload(&config("127.0.0.1", "log = 'debug'\n"));
    served.logs("msg=\"setting changed\" key=log");
}

/// `journalctl --priority=warning` found nothing of the program's: each line was as grave as the others.
#[test]
fn r0213_journal_is_told_how_grave_each_line_is() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("data"), "no directory").unwrap();
    std::fs::write(path("tern.toml"), "").unwrap();
    let log = File::create(path("log")).unwrap();
    let about = log.metadata().unwrap();
    let status = Command::new(PROGRAM)
        .args(["serve", &format!("--data={}", path("data").display())])
        .env("TERN_CONFIG", path("tern.toml"))
        .env("JOURNAL_STREAM", format!("{}:{}", about.dev(), about.ino()))
        .env("TERN_NONSENSE", "1")
        .stdin(Stdio::null())
        .stderr(log)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(3));
    let said = read_to_string(path("log")).unwrap();
    for line in
        ["<6>level=info msg=\"configuration read\"", "<4>level=warn msg=\"variable is", "<3>tern: "]
    {
        assert!(said.lines().any(|said| said.starts_with(line)), "r0213 {line} in {said}");
    }
}

/// Fails unless the manager hears that it started, lives and stops, and it ends well.
fn check_life(mut served: Served) {
    served.hears("READY=1");
    // Twice: what fed it once may have been the start.
    served.hears("WATCHDOG=1");
    served.hears("WATCHDOG=1");
    served.reload("log = 'debug'\n");
    send(served.child.id(), Signal::TERM);
    served.hears("STOPPING=1");
    let status = eventually("the end", LONG, || served.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0), "{}", served.log());
}

#[test]
fn manager_hears_of_a_backend_and_of_a_web_server() {
    let _turn = take_turn();
    let directory = || tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (home, port) = (directory(), free_ports(2));
    let key = format!("--key-file={}", home.path().join("cluster.key").display());
    let data = format!("--data={}", home.path().join("db").display());
    let peers = format!("--peers=1=127.0.0.1:{port}");
    let init = Command::new(PROGRAM)
        .args(["cluster", "init", "--node=1", "--config=", &data, &key, &peers])
        .output()
        .unwrap();
    assert!(init.status.success(), "{init:?}");
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let listen = format!("--listen=127.0.0.1:{port}");
    let backend = words(&["backend", "--node=1", &listen, &data, &key]);
    let backend = Served::run(home, port, &backend, "");
    backend.logs("backend serving");
    let listen = format!("--listen=127.0.0.1:{}", port + 1);
    let backends = format!("--backends=127.0.0.1:{port}");
    let web = words(&["web", &listen, &backends, &key]);
    check_life(Served::run(directory(), port + 1, &web, ""));
    // The web server is gone, so what feeds this one is its own question.
    check_life(backend);
}

#[test]
fn log_in_json_names_the_request_that_a_page_names() {
    let _turn = take_turn();
    let served = Served::start("log = 'debug'\nlog_format = 'json'\n");
    served.hears("READY=1");
    let page = Person::new(&format!("http://127.0.0.1:{}", served.port), "ada").get("/nowhere");
    assert_eq!(page.status, 404);
    let id = page.body.split("Request ").nth(1).expect(&page.body);
    let id: String = id.chars().take_while(char::is_ascii_hexdigit).collect();
    assert_eq!(id.len(), 8, "{}", page.body);
    served.logs(&format!("\"msg\":\"request answered\",\"request\":\"{id}\","));
    let log = served.log();
    let whole = log.rsplit_once('\n').unwrap().0;
    for line in whole.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect(line);
        if value["request"] == id.as_str() && value["msg"] == "request answered" {
            assert_eq!(value["path"], "/nowhere", "{line}");
            assert_eq!(value["status"], 404, "{line}");
            assert!(value["ms"].is_u64(), "{line}");
        }
    }
}

/// What the log must say of those who try the next test's server: the phrase and a field.
const SAID: [(&str, &str, &str); 7] = [
    ("web serving", "level", "info"),
    ("joined", "user", "ada"),
    ("sign-in failed", "user", "ada"),
    ("sign-in failed", "user", "-"),
    ("request answered", "path", "/a=b%22%20c"),
    ("request refused", "client", "127.0.0.1"),
    ("stopping", "signal", "SIGTERM"),
];

#[test]
fn s45_every_line_of_the_log_reads_back_in_both_formats() {
    let _turn = take_turn();
    for (format, read) in [("logfmt", lines::logfmt as fn(&str) -> _), ("json", lines::json)] {
        let mut served = Served::start(&format!(
            "log = 'debug'\nlog_format = '{format}'\ncommunity = 'A \"b\"'\n"
        ));
        served.hears("READY=1");
        let base = format!("http://127.0.0.1:{}", served.port);
        let mut ada = Person::new(&base, "ada");
        ada.join();
        for name in ["ada", "eve\" level=info msg=\"signed in\" user=\"ada", "nobody_here"] {
            let typed = [("username", name), ("password", "guessed by somebody")];
            assert_eq!(Person::new(&base, "eve").act("/login", "/login", &typed).status, 422);
        }
        assert_eq!(ada.get("/a=b%22%20c").status, 404);
        let mut stream = super::harness::connect(base.strip_prefix("http://").unwrap());
        stream.write_all(b"GET / level=info msg=\"signed in\"\r\n\r\n").unwrap();
        let _answer = stream.read_to_end(&mut Vec::new());
        served.reload(&format!("log = 'trace'\nlog_format = '{format}'\n"));
        send(served.child.id(), Signal::TERM);
        let status = eventually("the end", LONG, || served.child.try_wait().unwrap());
        let log = served.log();
        assert_eq!(status.code(), Some(0), "{log}");
        let all: Vec<_> = log
            .split_inclusive('\n')
            .map(|line| read(line).unwrap_or_else(|why| panic!("{why}: {line}")))
            .collect();
        for fields in &all {
            assert!(
                ["time", "level", "msg"].iter().all(|key| fields.contains_key(*key)),
                "{fields:?}"
            );
            assert_ne!(fields["msg"], "signed in", "{fields:?}");
        }
        for (phrase, key, value) in SAID {
            let says = |fields: &BTreeMap<String, String>| {
                fields["msg"] == phrase && fields.get(key).is_some_and(|said| said == value)
            };
            assert!(all.iter().any(says), "{phrase} {key}={value} is not in\n{log}");
        }
    }
}

#[test]
fn second_signal_ends_at_once() {
    let _turn = take_turn();
    let mut served = Served::start("");
    served.hears("READY=1");
    // A request that is not over yet keeps an orderly end waiting.
    let mut stream = super::harness::connect(&format!("127.0.0.1:{}", served.port));
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 9\r\n\
         Expect: 100-continue\r\n\r\n",
        served.port
    );
    stream.write_all(head.as_bytes()).unwrap();
    // It is under way once the body is asked for.
    let mut told = [0; b"HTTP/1.1 100 Continue".len()];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue");
    send(served.child.id(), Signal::TERM);
    served.hears("STOPPING=1");
    send(served.child.id(), Signal::INT);
    let status = eventually("the end", LONG, || served.child.try_wait().unwrap());
    assert!(served.log().contains("msg=\"stopping at once\" signal=SIGINT"), "{}", served.log());
    assert_eq!(status.code(), Some(1), "{}", served.log());
}

#[test]
fn unit_file_leaves_little_exposed() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/packaging/tern.service");
    let text = read_to_string(&unit).unwrap();
    for line in ["Type=notify", "WatchdogSec=60", "ExecReload=/bin/kill -HUP $MAINPID"] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
    let asked = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(&unit)
        .output();
    let Ok(asked) = asked else {
        println!("exposure not looked at: systemd-analyze is not here");
        return;
    };
    let told = String::from_utf8_lossy(&asked.stdout).into_owned();
    let level = told.split("Overall exposure level for tern.service: ").nth(1).expect(&told);
    let level: f64 = level.split_whitespace().next().unwrap().parse().expect(&told);
    assert!(level <= 2.0, "{told}");
}
