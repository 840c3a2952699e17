//! nginx and Caddy in front of Tern, set up as the snippets say: only ports and paths are others, and no
//! account of its own is asked for. What the proxy does for visitors, and what it cannot take from them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tern::limits::{
    BODY_BYTES_MAX, GATE_DRAIN_BYTES_MAX, GATE_IDLE_MS, GATE_UPLOAD_ANSWER_MS, UPLOAD_BYTES_MAX,
    UPLOAD_WAIT_MS,
};

use super::curl::{NAME, Page, Visitor};
use super::has;
use crate::cluster::harness::{PROGRAM, eventually, take_turn};
use crate::ports::free_ports;

const NGINX: &str = include_str!("../../src/packaging/nginx.conf");
const CADDY: &str = include_str!("../../src/packaging/Caddyfile");
const LONG: Duration = Duration::from_secs(30);
/// The account that runs the proxy where root runs the tests: nobody.
const NOBODY: u32 = 65_534;

/// Tern, and a proxy in front of it.
struct Behind {
    home: tempfile::TempDir,
    /// What the proxy is started with.
    start: Vec<String>,
    proxy: Option<Child>,
    tern: Option<Child>,
    tern_port: u16,
    https_port: u16,
    http_port: u16,
}

impl Behind {
    fn nginx() -> Self {
        let mut all = Self::prepare();
        let (http, https) = (all.http_port, all.https_port);
        let site = NGINX
            .replace("listen 80;", &format!("listen 127.0.0.1:{http};"))
            .replace("    listen [::]:80;\n", "")
            .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{https} ssl;"))
            .replace("    listen [::]:443 ssl;\n", "")
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", all.tern_port))
            .replace("/etc/ssl/certs/tern.pem", &all.path("tern.pem"))
            .replace("/etc/ssl/private/tern.key", &all.path("tern.key"));
        assert!(!site.contains("[::]") && !site.contains("/etc/ssl"), "{site}");
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = kinds.map(|kind| format!("{kind}_temp_path {};\n", all.path(kind)));
        let frame = format!(
            "daemon off;\npid {};\nerror_log {} info;\nevents {{}}\nhttp {{\naccess_log off;\n{}\n{site}}}\n",
            all.path("pid"),
            all.path("nginx.log"),
            temporary.concat()
        );
        fs::write(all.path("nginx.conf"), frame).unwrap();
        all.start = ["nginx", "-p", &all.path(""), "-e", &all.path("nginx.log"), "-c"]
            .map(str::to_owned)
            .to_vec();
        all.start.push(all.path("nginx.conf"));
        all.begin()
    }

    fn caddy() -> Self {
        let mut all = Self::prepare();
        let (certificate, key) = (all.path("tern.pem"), all.path("tern.key"));
        let head = format!("{NAME} {{\n\ttls {certificate} {key}\n\tbind 127.0.0.1\n");
        let site = CADDY
            .replace("tern.example.org {\n", &head)
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", all.tern_port));
        assert!(site.contains("tls /"), "{site}");
        let options = format!(
            "{{\n\tadmin off\n\thttp_port {}\n\thttps_port {}\n\tstorage file_system {}\n}}\n",
            all.http_port,
            all.https_port,
            all.path("storage")
        );
        fs::write(all.path("Caddyfile"), options + &site).unwrap();
        let file = all.path("Caddyfile");
        all.start = ["caddy", "run", "--adapter", "caddyfile", "--config", &file]
            .map(str::to_owned)
            .to_vec();
        all.begin()
    }

    /// Ports, and a certificate as the page makes it.
    fn prepare() -> Self {
        let home = tempfile::tempdir().unwrap();
        let first = free_ports(3);
        let (tern_port, https_port, http_port) = (first, first + 1, first + 2);
        let all = Self {
            home,
            start: Vec::new(),
            proxy: None,
            tern: None,
            tern_port,
            https_port,
            http_port,
        };
        let command = super::document::blocks().into_iter().flat_map(|block| block.commands);
        let command =
            command.into_iter().find(|line| line.starts_with("openssl req ")).expect("one");
        let command = command
            .replace("/etc/ssl/certs/tern.pem", &all.path("tern.pem"))
            .replace("/etc/ssl/private/tern.key", &all.path("tern.key"));
        let made = Command::new("sh").args(["-ec", &command]).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        all
    }

    fn begin(mut self) -> Self {
        if rustix::process::geteuid().is_root() {
            for path in [self.path(""), self.path("tern.pem"), self.path("tern.key")] {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        self.start_tern();
        self.start_proxy();
        self
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    fn certificate(&self) -> PathBuf {
        self.home.path().join("tern.pem")
    }

    fn start_tern(&mut self) {
        // Root's directory, which nobody may look into.
        let data = self.home.path().join("db");
        let mut tern = Command::new(PROGRAM);
        tern.args(["serve".to_owned(), format!("--listen=127.0.0.1:{}", self.tern_port)])
            .args([format!("--origin=https://{NAME}"), "--trusted-proxies=127.0.0.1".to_owned()])
            .arg(format!("--data={}", data.display()))
            .env("TERN_CONFIG", "")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::options().create(true).append(true).open(self.path("log")).unwrap());
        self.tern = Some(tern.spawn().unwrap());
        self.wait_for_tern();
    }

    fn wait_for_tern(&self) {
        let at = format!("--at=127.0.0.1:{}", self.tern_port);
        eventually("tern", LONG, || {
            let asked =
                Command::new(PROGRAM).args(["health", "--writes", "--config=", &at]).output();
            asked.unwrap().status.success().then_some(())
        });
    }

    fn start_proxy(&mut self) {
        let mut command = Command::new("env");
        if rustix::process::geteuid().is_root() {
            let nobody = NOBODY.to_string();
            command = Command::new("setpriv");
            command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
        }
        let out =
            fs::File::options().create(true).append(true).open(self.path("proxy.log")).unwrap();
        command.args(&self.start).env("HOME", self.home.path()).stdin(Stdio::null());
        let command = command.stdout(out.try_clone().unwrap()).stderr(out);
        self.proxy = Some(command.spawn().unwrap());
        eventually("the proxy", LONG, || {
            let asked = self.visitor("127.0.0.2").ask("/healthz", None);
            asked.ok().filter(|page| page.status == 200)
        });
    }

    fn visitor(&self, address: &str) -> Visitor<'static> {
        Visitor::from(address, &format!("127.0.0.1:{}", self.https_port), &self.certificate())
    }

    /// The proxy's ends of all connections to Tern, those that ended within the last minute included.
    fn connections(&self) -> BTreeSet<u16> {
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        let port =
            |text: &str| text.split(':').nth(1).and_then(|hex| u16::from_str_radix(hex, 16).ok());
        let ends = table.lines().skip(1).filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            Some((port(words.next()?)?, port(words.next()?)?))
        });
        let own = |(local, remote): (u16, u16)| match self.tern_port {
            port if port == local && remote != 0 => Some(remote),
            port if port == remote => Some(local),
            _ => None,
        };
        ends.filter_map(own).collect()
    }

    fn logs(&self) -> String {
        ["log", "proxy.log", "nginx.log"]
            .map(|name| fs::read_to_string(self.path(name)).unwrap_or_default())
            .concat()
    }
}

fn end(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        // It may have ended by itself.
        let _gone = kill_process(Pid::from_child(&child), Signal::TERM);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually("the end of what was stopped", LONG, || child.try_wait().unwrap())
        }));
        if ended.is_err() {
            let _killed = child.kill().and_then(|()| child.wait());
        }
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        end(&mut self.proxy);
        end(&mut self.tern);
        if std::thread::panicking() {
            println!("{}", self.logs());
        }
    }
}

/// What is the same behind every proxy: https, cookies for it, the visitor's own address.
fn check_visitors(behind: &Behind) {
    let ada = behind.visitor("127.0.0.7").saying("X-Forwarded-For: 9.9.9.9");
    let first = ada.get("/join");
    let is_kept =
        |line: &&str| line.starts_with("set-cookie: __host-") && line.contains("; secure");
    assert!(first.head.lines().any(|line| is_kept(&line)), "{first:?}");
    assert!(first.head.contains("strict-transport-security: "), "{first:?}");
    ada.join("ada");
    ada.post("through the proxy");
    assert!(ada.get("/@ada").body.contains("through the proxy"));
    let devices = ada.get("/settings/devices").body;
    assert!(devices.contains("from 127.0.0.7") && !devices.contains("9.9.9.9"), "{devices}");
    // Whoever says to be elsewhere is still counted; somebody else is not refused for it.
    let all: Vec<Page> = (1..=5)
        .map(|number| {
            let one =
                behind.visitor("127.0.0.7").saying(&format!("X-Forwarded-For: 9.9.9.{number}"));
            one.try_join(&format!("crowd{number}"))
        })
        .collect();
    let status: Vec<_> = all.iter().map(|page| page.status).collect();
    assert_eq!(status, [303, 303, 303, 303, 429], "the sixth in an hour from there");
    behind.visitor("127.0.0.8").join("ben");
}

#[test]
fn nginx_tells_who_comes_uses_connections_again_and_is_restarted() {
    if ["nginx", "curl", "openssl"].into_iter().any(|tool| !has(tool)) {
        return;
    }
    let _turn = take_turn();
    let mut behind = Behind::nginx();
    check_visitors(&behind);

    // Each a new connection to nginx.
    let before = behind.connections();
    for _ in 0..20 {
        assert_eq!(behind.visitor("127.0.0.9").get("/public").status, 200);
    }
    let more = behind.connections().difference(&before).count();
    assert!(more <= 2, "connections to Tern are used again: {more} more for 20 requests");

    let ada = behind.visitor("127.0.0.7");
    assert_eq!(ada.act("/login", "/login", &credentials("ada")).status, 303);
    end(&mut behind.proxy);
    assert!(ada.ask("/", None).is_err(), "nobody listens");
    behind.start_proxy();
    ada.post("after nginx was restarted");
    // What nginx has kept open leads nowhere now.
    let form = ada.get("/").form("/post");
    end(&mut behind.tern);
    behind.start_tern();
    assert_eq!(ada.send(&form, &[("text", "after Tern was restarted")]).status, 303);
    let page = ada.get("/@ada").body;
    assert!(page.contains("after nginx was") && page.contains("after Tern was"), "{page}");

    let mut plain = Command::new("curl");
    plain.args(["--silent", "--include", "--noproxy", "*"]);
    let plain = plain.args(["--header", &format!("Host: {NAME}")]);
    let plain =
        plain.arg(format!("http://127.0.0.1:{}/about?x=1", behind.http_port)).output().unwrap();
    let plain = String::from_utf8(plain.stdout).unwrap();
    assert!(plain.contains(&format!("Location: https://{NAME}/about?x=1\r\n")), "{plain}");
}

fn credentials(name: &str) -> [(&'static str, &'static str); 2] {
    assert_eq!(name, "ada");
    [("username", "ada"), ("password", "seven lamps of ada at the gate")]
}

#[test]
fn nginx_passes_large_forms_on_and_waits_for_slow_visitors_itself() {
    if ["nginx", "curl", "openssl"].into_iter().any(|tool| !has(tool)) {
        return;
    }
    let _turn = take_turn();
    let behind = Behind::nginx();
    let ada = behind.visitor("127.0.0.7");
    ada.join("ada");
    let form = ada.get("/").form("/post");
    for bytes in [BODY_BYTES_MAX + 1, GATE_DRAIN_BYTES_MAX - 4_096] {
        let refused = ada.send(&form, &[("text", &"x".repeat(bytes))]);
        assert_eq!(refused.status, 413, "{bytes}: {refused:?}");
        let page = refused.body;
        assert!(
            page.contains("Request ") && page.contains("href=\"/\""),
            "Tern's own page: {page}"
        );
    }
    let refused = ada.send(&form, &[("text", &"x".repeat(UPLOAD_BYTES_MAX + 2 * 1024 * 1024))]);
    assert!(refused.status == 413 && refused.body.contains("nginx"), "{refused:?}");

    // Forms that come at 1,000 bytes a second, and are well within what is taken.
    let before = behind.connections();
    let mut slow: Vec<_> = (0..8).map(|_| Slow(ada.send_slowly("/post", 60_000))).collect();
    eventually("slow visitors are there", LONG, || {
        (established(behind.https_port) >= slow.len()).then_some(())
    });
    for _ in 0..5 {
        assert_eq!(behind.visitor("127.0.0.9").get("/public").status, 200);
    }
    let more = behind.connections().difference(&before).count();
    assert!(more <= 1, "{more} connections to Tern, while {} visitors are slow", slow.len());
    for one in &mut slow {
        assert!(one.0.try_wait().unwrap().is_none(), "it is still sending");
    }
}

/// A visitor who is ended when the test is.
struct Slow(Child);

impl Drop for Slow {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Connections that stand to a port here.
fn established(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let own = format!(":{port:04X}");
    let mut lines = table.lines().skip(1).map(str::split_whitespace);
    let is_own = |words: &mut std::str::SplitWhitespace<'_>| {
        let words: Vec<_> = words.skip(1).take(3).collect();
        words[0].ends_with(&own) && words[2] == "01"
    };
    lines.by_ref().filter_map(|mut words| is_own(&mut words).then_some(())).count()
}

#[test]
fn nginx_gives_connections_up_before_tern_does() {
    let kept = NGINX.split("keepalive_timeout ").nth(1).and_then(|rest| rest.split("s;").next());
    let kept: u64 = kept.unwrap().parse().unwrap();
    assert!(kept * 1_000 < GATE_IDLE_MS, "{kept}");
    let kept = CADDY.split("keepalive ").nth(1).and_then(|rest| rest.split("s\n").next());
    assert!(kept.unwrap().parse::<u64>().unwrap() * 1_000 < GATE_IDLE_MS);
    let number = |name: &str, unit: &str| {
        let said = NGINX.split(name).nth(1).and_then(|rest| rest.split(unit).next());
        said.and_then(|said| said.trim().parse::<usize>().ok()).expect(name)
    };
    let taken = number("client_max_body_size", "m;") * 1024 * 1024;
    assert!(taken >= UPLOAD_BYTES_MAX, "the longest form with pictures");
    let waited_ms = number("proxy_read_timeout", "s;") as u64 * 1_000;
    assert!(waited_ms > UPLOAD_WAIT_MS + GATE_UPLOAD_ANSWER_MS, "the longest wait for an answer");
}

#[test]
fn caddy_tells_who_comes() {
    if ["caddy", "curl", "openssl"].into_iter().any(|tool| !has(tool)) {
        return;
    }
    let _turn = take_turn();
    check_visitors(&Behind::caddy());
}

/// Head lines of a request that does not say how long it is, as some apps send pictures.
const UNKNOWN_LENGTH: &[&str] = &["Transfer-Encoding: chunked"];

/// Somebody sends a photograph to stand beside their name, saying these head lines too.
fn send_photograph(visitor: &Visitor<'_>, heads: &[&str]) -> Result<Page, String> {
    let photograph = crate::api::media::photograph(800, 600, image::ImageFormat::Png);
    assert!((1_100_000..UPLOAD_BYTES_MAX).contains(&photograph.len()), "{}", photograph.len());
    let form = visitor.get("/settings/profile").form("/settings/profile");
    visitor.send_file(&form, ("avatar", &photograph), heads)
}

#[test]
fn r0108_photographs_come_through_nginx_whether_or_not_their_length_is_said() {
    if ["nginx", "curl", "openssl"].into_iter().any(|tool| !has(tool)) {
        return;
    }
    let _turn = take_turn();
    let behind = Behind::nginx();
    for (name, from, heads) in [("ada", "127.0.0.7", &[][..]), ("ben", "127.0.0.8", UNKNOWN_LENGTH)]
    {
        let visitor = behind.visitor(from);
        visitor.join(name);
        let sent = send_photograph(&visitor, heads).unwrap();
        assert_eq!(sent.status, 303, "{name}: {sent:?}");
        let page = visitor.get(&format!("/@{name}")).body;
        assert!(page.contains(&format!("/@{name}/face/")), "{page}");
    }
}

#[test]
fn photographs_come_through_caddy_where_their_length_is_said() {
    if ["caddy", "curl", "openssl"].into_iter().any(|tool| !has(tool)) {
        return;
    }
    let _turn = take_turn();
    let behind = Behind::caddy();
    let ada = behind.visitor("127.0.0.7");
    ada.join("ada");
    assert_eq!(send_photograph(&ada, &[]).unwrap().status, 303);
    let face = |page: &str| {
        page.split('"').find(|text| text.starts_with("/@ada/face/")).map(str::to_owned)
    };
    let before = face(&ada.get("/@ada").body);
    assert!(before.is_some());
    // Debian's Caddy hands on what it gets, and has no option to do otherwise; INSTALL.md says so. It stops
    // reading what it is sent once it begins to answer, and may cut that answer off when it notices.
    if let Ok(refused) = send_photograph(&ada, UNKNOWN_LENGTH) {
        assert_eq!(refused.status, 400, "{refused:?}");
    }
    assert_eq!(face(&ada.get("/@ada").body), before, "none was taken");
}
