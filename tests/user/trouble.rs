//! Machines that are gone, too few, or another cluster's.

use std::net::TcpListener;

use rustix::process::Signal;
use tern::clock::Clock;
use tern::transport::key::ClusterKey;

use crate::cluster::harness::{Cluster, Options, eventually};

use super::{END, member, run};

#[test]
fn machines_that_cannot_are_told_from_a_wrong_key() {
    let mut cluster = Cluster::start(Options { no_restart: true, ..Options::default() });
    member(&cluster, "ada");
    let wrong = cluster.data().join("wrong.key");
    ClusterKey::create(&wrong).unwrap();
    let key = format!("--key-file={}", wrong.display());
    run(&cluster, &["user", "list", &key]).check_refused(2, "the key is not that of the machines");
    let to = |name: &str| cluster.data().join(name).display().to_string();
    let (first, second, third) = (to("a.tar"), to("b.tar"), to("c.tar"));
    run(&cluster, &["backup", "create", &first, &key])
        .check_refused(2, "the key is not that of the machines");
    let none = format!("--key-file={}", cluster.data().join("none").display());
    run(&cluster, &["user", "list", &none]).check_refused(2, "no cluster key");

    // With one of three gone all goes on, whichever is asked first.
    cluster.kill(1, Signal::KILL);
    let signout = run(&cluster, &["user", "signout", "ada"]);
    assert_eq!(signout.told("sessions ended: "), "1");
    cluster.kill(2, Signal::KILL);
    eventually("too few machines are told so", END, || {
        let ended = run(&cluster, &["user", "signout", "ada"]);
        assert_ne!(ended.code, Some(0), "{ended:?}");
        (ended.code == Some(4)).then_some(())
    });
    let ended = run(&cluster, &["user", "passwd", "ada"]);
    ended.check_refused(4, "");
    assert!(!ended.err.contains("no machine answers"), "one does: {ended:?}");
    let clock = Clock::system();
    let deadline = clock.mono().plus_ms(18_000);
    run(&cluster, &["backup", "create", &second]).check_refused(4, "not enough machines");
    assert!(clock.mono() < deadline, "it waited the whole time");
    assert_eq!(run(&cluster, &["user", "list"]).code, Some(0), "reading goes on");
    let import = std::env::temp_dir().join("there is no such file");
    run(&cluster, &["import", &import.to_string_lossy()]).check_refused(2, "cannot read");
    cluster.stop();
    run(&cluster, &["backup", "create", &third]).check_refused(4, "no machine tells");
    run(&cluster, &["user", "list"]).check_refused(4, "no machine answers");
    run(&cluster, &["invite", "list"]).check_refused(4, "no machine answers");
}

#[test]
fn r0147_wrong_key_is_told_though_another_machine_is_not_there() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let wrong = cluster.data().join("wrong.key");
    ClusterKey::create(&wrong).unwrap();
    let key = format!("--key-file={}", wrong.display());
    // Nobody listens there any more.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at = format!("--at={},{nobody}", cluster.backend_address(1));
    run(&cluster, &["user", "list", &key, &at]).check_refused(4, "it has another cluster key");
    // r0214: whichever of them is asked last.
    let turned = format!("--at={nobody},{}", cluster.backend_address(1));
    let file = cluster.data().join("a.tar").display().to_string();
    for at in [&at, &turned] {
        for (words, code) in [
            (&["backup", "create", &file][..], 4),
            (&["cluster", "remove", "2", "--yes"], 1),
            (&["cluster", "upgrade", "finish", "--yes"], 1),
            (&["cluster", "status"], 1),
        ] {
            let ended = run(&cluster, &[words, &[&key, at]].concat());
            assert_eq!(ended.code, Some(code), "r0214 {ended:?}");
            assert!(ended.err.contains("it has another cluster key"), "r0214 {ended:?}");
        }
    }
}
