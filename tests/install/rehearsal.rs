//! The page on machines: from nothing to people who post, and one machine unplugged meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::curl::Visitor;
use super::document::MACHINES;
use super::has;
use super::machine::{Machine, OPERATORS_HOME, why_not};
use super::story::{Story, Way};
use crate::cluster::harness::{PROGRAM, eventually, take_turn};

const LONG: Duration = Duration::from_secs(40);
/// Set by `make rehearse`: a bare Debian, unpacked, and the package.
const BARE: &str = "TERN_REHEARSE_ROOT";
const PACKAGE: &str = "TERN_REHEARSE_PACKAGE";

/// Puts there what who has no package brings along.
fn bring_program(machine: &Machine) {
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/packaging");
    for name in ["tern.service", "tern-backend.service", "tern-web.service"] {
        fs::copy(units.join(name), machine.path(&format!("{OPERATORS_HOME}/{name}"))).unwrap();
    }
    fs::copy(PROGRAM, machine.path(&format!("{OPERATORS_HOME}/tern"))).unwrap();
    // What this computer may have of it does not count.
    machine
        .done("rm -rf /etc/tern /var/lib/tern /usr/bin/tern; ! userdel tern 2>/dev/null || true");
}

/// Somebody who comes through that machine.
fn visitor<'a>(story: &'a Story, certificate: &Path, through: &str) -> Visitor<'a> {
    let begin = || {
        let mut begin = story.site.switch.within(&["--net"]);
        begin.arg("curl");
        begin
    };
    Visitor::new(Box::new(begin), &format!("{through}:443"), certificate)
}

/// Waits until the disks of all machines hold these posts.
fn assert_held(story: &Story, texts: &[&str]) {
    for address in MACHINES {
        for text in texts {
            let path = story.machine(address).path("/var/lib/tern/users/ben.jsonl");
            eventually(&format!("{text:?} on {address}"), LONG, || {
                fs::read_to_string(&path).ok()?.contains(text).then_some(())
            });
        }
    }
}

/// The operator was told where ada signs in, and with what.
fn check_first_keeper(said: &str) {
    let (_, told) = said.split_once("ada has an account\nsign in at: https://").expect(said);
    let (address, password) = told.split_once("/login\npassword: ").expect(said);
    assert!(!address.contains('\n') && !password.is_empty(), "{said}");
}

fn people_post_while_a_machine_is_unplugged(story: &Story) {
    check_first_keeper(story.said());
    assert!(story.said().contains("writes: ok"), "{}", story.said());
    // Each machine that people come through has a certificate of its own.
    let certificates = [0, 1].map(|index| {
        let kept = tempfile::NamedTempFile::new().unwrap();
        fs::copy(story.machine(MACHINES[index]).path("/etc/ssl/certs/tern.pem"), kept.path())
            .unwrap();
        kept
    });
    let mut ben = visitor(story, certificates[0].path(), MACHINES[0]);
    ben.join("ben");
    ben.post("all three are there");
    story.wait_in_step(MACHINES[0], 3);
    assert_held(story, &["all three are there"]);

    story.site.set_cable(3, false);
    ben.post("the cable is out");
    ben.go_to(&format!("{}:443", MACHINES[1]), certificates[1].path());
    ben.post("the other one goes on too");
    story.wait_in_step(MACHINES[0], 2);
    ben.post("and on");
    let away = story.machine(MACHINES[2]).path("/var/lib/tern/users/ben.jsonl");
    assert!(!fs::read_to_string(away).unwrap().contains("the cable is out"), "it was unplugged");

    story.site.set_cable(3, true);
    story.wait_in_step(MACHINES[2], 3);
    let texts = ["all three are there", "the cable is out", "the other one goes on too", "and on"];
    assert_held(story, &texts);
    let home = ben.get("/").body;
    assert!(texts.iter().all(|text| home.contains(text)), "{home}");
}

#[test]
fn page_makes_three_machines_a_cluster_and_one_is_unplugged() {
    if let Some(why) = why_not() {
        println!("left out, no machines to rehearse on: {why}");
        return;
    }
    if !has("nginx") || !has("openssl") {
        return;
    }
    let _turn = take_turn();
    let story = Story::told(Way::Cluster { has_package: false }, Path::new("/"), bring_program);
    people_post_while_a_machine_is_unplugged(&story);
}

#[test]
fn page_makes_one_machine_a_community() {
    if let Some(why) = why_not() {
        println!("left out, no machine to rehearse on: {why}");
        return;
    }
    if !has("caddy") {
        return;
    }
    let _turn = take_turn();
    let story = Story::told(Way::Alone, Path::new("/"), bring_program);
    check_first_keeper(story.said());
    assert!(story.said().contains("writes: ok"), "{}", story.said());
}

/// `make rehearse`: the page from the package on, on machines with nothing but a bare Debian.
#[test]
#[ignore = "it needs a bare Debian and the package: make rehearse"]
fn page_makes_a_cluster_of_a_bare_debian() {
    let given = |name| PathBuf::from(std::env::var_os(name).expect(name));
    let (bare, package) = (given(BARE), given(PACKAGE));
    if let Some(why) = why_not() {
        panic!("no machines to rehearse on: {why}");
    }
    let name = format!("{OPERATORS_HOME}/tern_{}_amd64.deb", env!("CARGO_PKG_VERSION"));
    let _turn = take_turn();
    let story = Story::told(Way::Cluster { has_package: true }, &bare, |machine| {
        fs::copy(&package, machine.path(&name)).unwrap();
        // What every machine has that reaches the mirrors; and as no init runs here, nothing is to be
        // started by what is installed.
        fs::copy("/etc/resolv.conf", machine.path("/etc/resolv.conf")).unwrap();
        machine.done(
            "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d",
        );
    });
    people_post_while_a_machine_is_unplugged(&story);
}
