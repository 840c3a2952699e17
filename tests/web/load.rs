//! Many clients at once, and too few descriptors.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

#[test]
fn clients_200_at_once_all_answered() {
    with_site(limits(), |site| {
        // Ten addresses, so that the cap of none is reached.
        let address = |n: u8| IpAddr::V4(Ipv4Addr::new(127, 0, 1, n % 10 + 1));
        let mut clients: Vec<_> =
            (0..200).map(|n| Client::connect_from(address(n), site.address)).collect();
        for client in &mut clients {
            client.send("GET /big?3000 HTTP/1.1\r\nHost: tern.example\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.reply().body.len(), 3_000);
        }
    })
    .unwrap();
}

/// Set in the process that [`descriptors_exhausted_survived`] starts.
const CHILD: &str = "TERN_TEST_FEW_DESCRIPTORS";

#[test]
fn descriptors_exhausted_survived() {
    if std::env::var_os(CHILD).is_some() {
        return child_with_few_descriptors();
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "web::load::descriptors_exhausted_survived", "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.find_map(|line| line.unwrap().split_once("address=")?.1.parse().ok());
    let address: SocketAddr = address.expect("the child's address");
    // More than the child has descriptors for: its accept fails on the last of them.
    let mut crowd: Vec<_> = (0..30).map(|_| Client::connect_from(LOCALHOST, address)).collect();
    assert_eq!(crowd[0].get("/hello").status, 200);
    drop(crowd);
    assert_eq!(Client::connect_from(LOCALHOST, address).get("/hello").status, 200);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

/// Serves with room for ten connections until its standard input ends.
fn child_with_few_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    with_site(limits(), |site| {
        let open = std::fs::read_dir("/proc/self/fd").unwrap().count();
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = Some(u64::try_from(open).unwrap() + 10);
        setrlimit(Resource::Nofile, limit).unwrap();
        println!("address={}", site.address);
        assert_eq!(std::io::stdin().read(&mut [0]).unwrap(), 0);
    })
    .unwrap();
}
