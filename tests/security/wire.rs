//! A site of the real program, asked byte by byte: what a test sees is what stood on the wire.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::cluster::form::encode;
use crate::cluster::harness::{Cluster, Options, eventually};
use crate::cluster::person::Person;
use crate::ports::free_ports;
use crate::torture::machine::{Machine, Start};
use crate::web::client::{Client, LOCALHOST, Reply};

/// The origin of [`Secure`].
pub(super) const ORIGIN: &str = "https://tern.example";

/// One backend and a web server on loopback, without https.
pub(super) struct Site {
    pub(super) cluster: Cluster,
    pub(super) address: SocketAddr,
}

/// Another web server of the same site, which people reach by https.
pub(super) struct Secure {
    pub(super) address: SocketAddr,
    _process: Machine,
    _directory: tempfile::TempDir,
}

impl Site {
    pub(super) fn start(more: &[&str]) -> Self {
        let more = more.iter().map(|option| (*option).to_owned()).collect();
        let cluster =
            Cluster::start(Options { backends: 1, no_restart: true, more, ..Options::default() });
        let address = cluster.address().trim_start_matches("http://").parse().unwrap();
        Self { cluster, address }
    }

    /// Somebody who has joined.
    pub(super) fn member(&self, name: &str) -> Person {
        let mut person = self.cluster.person(name);
        person.join();
        person
    }

    /// A web server behind https, and with more options.
    pub(super) fn secure(&self, more: &[&str]) -> Secure {
        let directory = tempfile::tempdir().unwrap();
        let address: SocketAddr = format!("127.0.0.1:{}", free_ports(1)).parse().unwrap();
        let mut args = vec![
            "web".to_owned(),
            format!("--listen={address}"),
            format!("--origin={ORIGIN}"),
            format!("--backends={}", self.cluster.backend_address(1)),
            format!("--key-file={}", self.cluster.data().join("cluster.key").display()),
        ];
        args.extend(more.iter().map(|option| (*option).to_owned()));
        let mut process = Machine::new("secure-web", directory.path());
        process.start(&args, &Start::default());
        let limit = Duration::from_secs(30);
        eventually("it serves", limit, || process.said().contains("web serving").then_some(()));
        Secure { address, _process: process, _directory: directory }
    }

    /// The file of a member, as it stands.
    pub(super) fn file_of(&self, name: &str) -> String {
        let path: PathBuf = self.cluster.node_data(1).join(format!("users/{name}.jsonl"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Sends bytes on a connection of their own; the first answer.
    #[track_caller]
    pub(super) fn ask(&self, bytes: impl AsRef<[u8]>) -> Reply {
        ask(self.address, bytes)
    }

    /// Asks for a page with these header lines.
    #[track_caller]
    pub(super) fn get(&self, path: &str, lines: &str) -> Reply {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", self.address))
    }

    /// Sends fields as `person` would.
    #[track_caller]
    pub(super) fn post(&self, person: &Person, path: &str, fields: &[(String, String)]) -> Reply {
        self.send(person, path, &encode(fields))
    }

    /// Sends a body as `person` would.
    #[track_caller]
    pub(super) fn send(&self, person: &Person, path: &str, body: &str) -> Reply {
        self.ask(format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\n{}Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            cookies(person),
            body.len(),
        ))
    }
}

/// Sends bytes on a connection of their own; the first answer.
#[track_caller]
pub(super) fn ask(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Reply {
    let mut client = Client::connect_from(LOCALHOST, address);
    let is_head = bytes.as_ref().starts_with(b"HEAD ");
    client.send(bytes);
    if is_head { client.reply_to_head() } else { client.reply() }
}

/// The header line with all cookies of a person's browser.
pub(super) fn cookies(person: &Person) -> String {
    format!("Cookie: {}\r\n", person.cookies())
}

/// Where the browser is sent.
#[track_caller]
pub(super) fn location(reply: &Reply) -> &str {
    assert_eq!(reply.status, 303, "{}\n{}", reply.head, reply.body);
    reply.header("Location").expect("a place to go")
}
