//! Strangers at the backends' ports, and machines that do not belong.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::Path;

use super::harness::{Cluster, Options, connect};
use super::person::{Person, Written};
use super::process::Program;
use crate::ports::free_ports;

/// A key file that is well made and not this cluster's.
fn other_key(directory: &Path) -> String {
    use std::os::unix::fs::OpenOptionsExt;
    let path = directory.join("other.key");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&path).unwrap();
    writeln!(file, "{}", "5a".repeat(32)).unwrap();
    path.display().to_string()
}

/// The list of peers as the cluster's own backends have it, with machine `moved` elsewhere.
fn peers(cluster: &Cluster, moved: u16, address: &str) -> String {
    let own = |node| if node == moved { address.to_owned() } else { cluster.backend_address(node) };
    let all: Vec<_> =
        (1..=cluster.backends()).map(|node| format!("{node}={}", own(node))).collect();
    all.join(",")
}

fn check_goes_on(cluster: &Cluster, name: &str) {
    let mut person = cluster.person(name);
    person.join();
    assert_eq!(person.post("still here").written(), Written::Saved);
}

#[test]
fn random_bytes_at_backend_port_answered_nothing() {
    let cluster = Cluster::start(Options::default());
    let address = cluster.backend_address(1);
    for length in [0, 1, 2, 3, 64, 4096, 100_000] {
        let mut bytes = vec![0; length];
        getrandom::fill(&mut bytes).unwrap();
        let mut stream = connect(&address);
        // It may be closed while this is being written: that is an answer too.
        let _closed_early =
            stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        assert_eq!(answer, b"", "{length} bytes");
    }
    check_goes_on(&cluster, "ada");
}

#[test]
fn silent_strangers_do_not_keep_others_out() {
    let cluster = Cluster::start(Options::default());
    let address = cluster.backend_address(1);
    let strangers: Vec<_> = (0..200).map(|_| connect(&address)).collect();
    check_goes_on(&cluster, "ada");
    for mut stranger in strangers {
        let mut answer = Vec::new();
        let _reset = stranger.read_to_end(&mut answer);
        assert_eq!(answer, b"");
    }
}

#[test]
fn web_server_with_wrong_key_gets_nothing() {
    let cluster = Cluster::start(Options::default());
    let directory = tempfile::tempdir().unwrap();
    let port = free_ports(1);
    let backends: Vec<_> = (1..=3).map(|node| cluster.backend_address(node)).collect();
    let _web = Program::start(&[
        "web",
        &format!("--listen=127.0.0.1:{port}"),
        &format!("--backends={}", backends.join(",")),
        &format!("--key-file={}", other_key(directory.path())),
    ]);
    let mut person = Person::new(&format!("http://127.0.0.1:{port}"), "eve");
    let limit = std::time::Duration::from_secs(30);
    super::harness::eventually("the web server", limit, || person.try_get("/healthz").ok());
    assert_eq!(person.get("/readyz?writes=1").status, 503);
    check_goes_on(&cluster, "ada");
}

#[test]
fn data_directory_of_another_cluster_refused() {
    let mut cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    assert_eq!(cluster.stop().code(), Some(0));
    let directory = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_ports(1));
    let ended = Program::run(&[
        "backend",
        "--node=1",
        &format!("--listen={address}"),
        &format!("--peers=1={address}"),
        &format!("--data={}", cluster.node_data(1).display()),
        &format!("--key-file={}", other_key(directory.path())),
    ]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("cluster"), "{}", ended.stderr);
}

#[test]
fn second_machine_with_one_number_turned_away() {
    let cluster = Cluster::start(Options::default());
    check_goes_on(&cluster, "ada");
    cluster.wait_in_step();
    let directory = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_ports(1));
    let peers = format!("--peers={}", peers(&cluster, 2, &address));
    let data = format!("--data={}", directory.path().join("db").display());
    let key = format!("--key-file={}", cluster.data().join("cluster.key").display());
    let made = Program::run(&["cluster", "init", "--node=2", &peers, &data, &key]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let listen = format!("--listen={address}");
    let ended = Program::run(&["backend", "--node=2", &listen, &peers, &data, &key]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("number"), "{}", ended.stderr);
    check_goes_on(&cluster, "ben");
}

#[test]
fn machine_wiped_under_run_cluster_refused() {
    let keep = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = keep.path().join("db");
    let mut cluster = Cluster::start(Options { data: Some(data.clone()), ..Options::default() });
    check_goes_on(&cluster, "ada");
    cluster.wait_in_step();
    assert_eq!(cluster.stop().code(), Some(0));
    std::fs::remove_dir_all(data.join("node-2")).unwrap();
    let ended = Program::run(&["run-cluster", &format!("--data={}", data.display())]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("node-2"), "{}", ended.stderr);
}
