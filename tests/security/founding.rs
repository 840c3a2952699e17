//! Machines that are killed while the first keeper is made, which goes another way than all other acts:
//! one machine decides who may, and holds in memory which link is good. What was acknowledged stands,
//! what was not is there as a whole or not at all, and nobody becomes a keeper besides.

use std::time::Duration;

use rustix::process::Signal;
use tern::thread::spawn_named;

use crate::cluster::files::{count_of, wait_for_agreement};
use crate::cluster::form::Form;
use crate::cluster::harness::{Cluster, Options, eventually};
use crate::cluster::person::{Person, Written};
use crate::user::link::{Web, told};

/// How long machines may take to come back.
const BACK: Duration = Duration::from_mins(1);
/// What a new keeper's account is made of, and what one who has an account already is given.
const NEW: &[&str] = &["joined", "profile", "password", "keeper_made", "session_opened"];
const HAS: &[&str] = &["keeper_made", "session_opened"];

/// Somebody who is about to become the first keeper.
struct Founder {
    person: Person,
    form: Form,
    /// Kinds of the entries that this makes, all of them or none, with how many there were.
    kinds: Vec<(&'static str, usize)>,
}

impl Founder {
    /// Opens the link that a web server tells of.
    fn new(cluster: &Cluster, web: &Web, name: &str, kinds: &[&'static str]) -> Self {
        let mut person = web.person(name);
        let form = person.get(&told(|| web.log())).form("/first");
        let count = |kind: &&'static str| (*kind, count_of(cluster, 1, name, kind));
        Self { person, form, kinds: kinds.iter().map(count).collect() }
    }

    fn send(&mut self) -> Written {
        let (name, password) = (self.person.name.clone(), self.person.password());
        let typed = [("username", name.as_str()), ("password", password.as_str())];
        let answer = self.person.try_submit(&self.form, &typed);
        answer.map_or(Written::Other(0), |answer| answer.written())
    }

    /// How often it is in their file on each machine: as a whole.
    #[track_caller]
    fn times(&self, cluster: &Cluster) -> usize {
        let (name, nodes) = (&self.person.name, 1..=cluster.backends());
        let of =
            |node| self.kinds.iter().map(move |(kind, n)| count_of(cluster, node, name, kind) - n);
        let all: Vec<_> = nodes.flat_map(of).collect();
        assert!(all.iter().all(|times| *times == all[0]), "{name}: {:?} {all:?}", self.kinds);
        all[0]
    }
}

/// After all machines are back: fails unless what was said holds, and the same form again does it once at
/// most. Then there is no keeper.
fn check(cluster: &Cluster, founder: &mut Founder, written: Written) {
    cluster.wait_in_step();
    wait_for_agreement(cluster);
    let (name, before) = (founder.person.name.clone(), founder.times(cluster));
    match written {
        Written::Saved => assert_eq!(before, 1, "{name}: acknowledged"),
        Written::NotSaved => assert_eq!(before, 0, "{name}: not saved"),
        other => assert!(before <= 1, "{name}: {before} times, {other:?}"),
    }
    let again = eventually("machines answer", BACK, || match founder.send() {
        Written::NotSaved | Written::Unknown | Written::Other(0) => None,
        written => Some(written),
    });
    wait_for_agreement(cluster);
    let made = count_of(cluster, 1, &name, "keeper_made");
    let keepers = cluster.order(&["list", "--admins"]);
    match again {
        // Whoever knows the password is let in, by one session more.
        Written::Saved => {
            assert!(keepers.starts_with(&name) && keepers.lines().count() == 1, "{keepers}");
            assert_eq!(made, 1, "{name}");
            assert_eq!(founder.person.get("/mod/settings").status, 200);
            cluster.order(&["admin", &name, "--remove"]);
        }
        // The link ended with the machine that knew it, or because nobody could tell what became of it.
        Written::Other(410) => {
            assert_eq!((before, founder.times(cluster)), (0, 0), "{name}: the link is spent");
            assert!(!keepers.contains(&name), "{keepers}");
        }
        other => panic!("{name}: {other:?}"),
    }
}

/// Lets somebody become the first keeper while these machines are killed, as soon as the machine that
/// decides has written anything of it or has answered.
fn found_while_killed(cluster: &Cluster, founder: &mut Founder, nodes: &[u16]) -> Written {
    let file = cluster.node_data(1).join(format!("users/{}.jsonl", founder.person.name));
    let size = || std::fs::metadata(&file).map_or(0, |file| file.len());
    let before = size();
    let (written, old) = std::thread::scope(|scope| {
        let sent = spawn_named(scope, "founder", |_permit| founder.send()).unwrap();
        eventually("something is written", BACK, || {
            (size() != before || sent.is_finished()).then_some(())
        });
        let kill = |node: &u16| (*node, cluster.kill(*node, Signal::KILL));
        let old: Vec<_> = nodes.iter().map(kill).collect();
        (sent.join().unwrap(), old)
    });
    for (node, pid) in old {
        cluster.wait_restarted(node, pid);
    }
    written
}

#[test]
fn s46_first_keeper_stands_or_is_not_there_when_machines_are_killed() {
    let cluster = Cluster::start(Options::default());
    cluster.person("dora").join();

    // A majority is frozen before it is asked, and killed: nobody was made a keeper.
    let directory = tempfile::tempdir().unwrap();
    let web = Web::start(&cluster, directory.path());
    let mut dora = Founder::new(&cluster, &web, "dora", HAS);
    let old = [2, 3].map(|node| (node, cluster.kill(node, Signal::STOP)));
    let written = dora.send();
    assert_ne!(written, Written::Saved);
    for (node, pid) in old {
        cluster.kill(node, Signal::KILL);
        cluster.wait_restarted(node, pid);
    }
    check(&cluster, &mut dora, written);

    // The machine that decides and another one die while it is written.
    let web = Web::start(&cluster, directory.path());
    let mut ada = Founder::new(&cluster, &web, "ada", NEW);
    let written = found_while_killed(&cluster, &mut ada, &[1, 2]);
    check(&cluster, &mut ada, written);
}
