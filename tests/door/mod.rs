//! The door under attack: the real program, and strangers who send what they should not, more than they
//! should, slower than they should, or nothing at all.
//!
//! Meanwhile, from another address, and afterwards: a plain request is answered within a second, the web
//! server's memory keeps to its bound, and no thread is left behind. Attacks that would each wait for
//! the same deadline run side by side; `make attack` runs each alone, and floods for longer.
//!
//! - `watch`: what others see while it is attacked, and what it costs.
//! - `words`: heads and lengths that no browser sends.
//! - `slow`: heads and bodies that never come, answers that nobody takes.
//! - `crowd`: too many connections, and too few descriptors.
//! - `threads`: long threads of posts that become longest, by many at once.
//! - `pictures`: the largest pictures that are taken, and larger ones, many at a time.

mod crowd;
mod pictures;
mod slow;
mod threads;
mod watch;
mod words;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::cluster::harness::{Cluster, Options};
use crate::web::client::many_descriptors;
use watch::Door;

/// Set by `make attack`: seconds that each flood lasts.
const ATTACK: &str = "TERN_ATTACK_SECONDS";

/// How long a flood lasts.
fn flood() -> Duration {
    thorough().unwrap_or(Duration::from_millis(1_500))
}

/// Whether each attack is to be run alone and for long, and how long.
fn thorough() -> Option<Duration> {
    let seconds = std::env::var(ATTACK).ok()?;
    let seconds = seconds.parse().unwrap_or_else(|_| panic!("{ATTACK}={seconds} is no number"));
    Some(Duration::from_secs(seconds))
}

/// A cluster that is attacked, and its web server.
fn attacked() -> (Cluster, Door) {
    many_descriptors();
    let cluster = Cluster::start(Options { backends: 1, alone: true, ..Options::default() });
    let address = cluster.address().trim_start_matches("http://").parse().unwrap();
    let door = Door::new(address, cluster.web_pid());
    (cluster, door)
}

/// One of many addresses of this machine, of which each may have its own connections.
fn stranger(n: usize) -> IpAddr {
    let n = u16::try_from(n).unwrap();
    let [high, low] = n.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 66, high, low))
}

/// A browser that connects from `from`.
fn connect(door: &Door, from: IpAddr) -> crate::web::client::Client {
    crate::web::client::Client::connect_from(from, door.address)
}

/// The head of a form that announces so many bytes of body.
fn announcing(door: &Door, bytes: &str) -> String {
    format!("POST /login HTTP/1.1\r\nHost: {}\r\nContent-Length: {bytes}\r\n\r\n", door.address)
}

fn get(address: SocketAddr, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")
}
