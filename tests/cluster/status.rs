//! How the machines are: every page's head, the page of the machines, and `tern cluster status`.

use std::time::Duration;

use rustix::process::Signal;
use tern::clock::Clock;
use tern::limits::PAGES_FOLLOW_MS;
use tern::transport::key::ClusterKey;

use super::harness::{Cluster, Options, eventually};
use super::person::Person;
use super::process::{Ended, Program};

/// What a busy machine may add to what is promised.
const ALLOWANCE_MS: u64 = 750;
/// Pages with the machines in their head; a member's and a stranger's differ.
const PAGES: [&str; 5] = ["/", "/public", "/@ada", "/status", "/login"];

/// Whether a page's head tells that so many of three machines are up, in words and dots.
fn tells(person: &mut Person, path: &str, up: usize) -> bool {
    let Ok(answer) = person.try_get(path) else { return false };
    let dots = answer.body.matches("<circle class=\"down\"").count();
    // Members are sent on from the form to sign in.
    answer.status == 303 || (answer.body.contains(&format!("{up} of 3 machines")) && dots == 3 - up)
}

/// Does something to the machines and measures until every page, a member's and a stranger's, tells
/// of it, in milliseconds.
fn measure(people: &mut [Person], up: usize, act: impl FnOnce()) -> u64 {
    let clock = Clock::system();
    act();
    let limit = PAGES_FOLLOW_MS + ALLOWANCE_MS;
    let what = format!("every page says that {up} of 3 machines are up");
    eventually(&what, Duration::from_millis(limit), || {
        people.iter_mut().all(|who| PAGES.iter().all(|path| tells(who, path, up))).then_some(())
    });
    clock.mono().0
}

/// A member and a stranger.
fn people(cluster: &Cluster) -> [Person; 2] {
    let mut ada = cluster.person("ada");
    ada.join();
    [ada, cluster.person("stranger")]
}

#[test]
fn pages_follow_machines_within_two_seconds() {
    let cluster = Cluster::start(Options::default());
    let mut people = people(&cluster);
    cluster.wait_in_step();
    for node in 1..=3 {
        let stopped = measure(&mut people, 2, || {
            cluster.kill(node, Signal::STOP);
        });
        let back = measure(&mut people, 3, || {
            cluster.kill(node, Signal::CONT);
        });
        cluster.wait_in_step();
        let old = cluster.pid(node);
        let killed = measure(&mut people, 2, || {
            cluster.kill(node, Signal::KILL);
        });
        println!("node {node}: frozen {stopped} ms, back {back} ms, killed {killed} ms");
        cluster.wait_restarted(node, old);
        cluster.wait_in_step();
    }
}

#[test]
fn pages_are_asked_for_again_and_unchanged_ones_cost_a_head() {
    let cluster = Cluster::start(Options::default());
    let mut stranger = cluster.person("stranger");
    let page = stranger.get("/public");
    assert_eq!(page.header("cache-control"), Some("public, no-cache"));
    let mut before = page.header("etag").expect("an ETag").to_owned();
    // Backends take turns, and they must have met and agreed first.
    let mut same = 0;
    eventually("the same page from each", Duration::from_secs(10), || {
        let etag = stranger.get("/public").header("etag").expect("an ETag").to_owned();
        same = if etag == before { same + 1 } else { 0 };
        before = etag;
        (same >= 6).then_some(())
    });
    cluster.kill(2, Signal::STOP);
    eventually("another ETag", Duration::from_secs(10), || {
        (stranger.get("/public").header("etag") != Some(before.as_str())).then_some(())
    });
    cluster.kill(2, Signal::CONT);
}

fn status(cluster: &Cluster, more: &[&str]) -> Ended {
    let data = format!("--data={}", cluster.data().display());
    Program::run(&[&["cluster", "status", data.as_str()], more].concat())
}

fn states(json: &str) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_str(json).expect("one JSON object");
    let machines = report["machines"].as_array().expect("machines").iter();
    machines.map(|row| row["state"].as_str().expect("a state").to_owned()).collect()
}

#[test]
fn cluster_status_and_page_agree() {
    let cluster = Cluster::start(Options { no_restart: true, ..Options::default() });
    let [mut ada, _] = people(&cluster);
    cluster.wait_in_step();
    let well = eventually("all is well", Duration::from_secs(10), || {
        let ended = status(&cluster, &[]);
        ended.stdout.contains("All is well.").then_some(ended)
    });
    assert_eq!((well.code, well.stderr.as_str()), (Some(0), ""));
    for words in
        ["Posts are saved on 3 of 3.", "machine 1  In step", "talks to machine 2, machine 3"]
    {
        assert!(well.stdout.contains(words), "{words}: {}", well.stdout);
    }
    let own = format!("--data={}", cluster.node_data(2).display());
    let json = Program::run(&["cluster", "status", &own, "--json"]);
    assert_eq!((json.code, states(&json.stdout)), (Some(0), vec!["in_step".to_owned(); 3]));

    cluster.kill(2, Signal::STOP);
    eventually("the page tells", Duration::from_secs(10), || {
        ada.get("/status").body.contains("Working, with one machine down.").then_some(())
    });
    // The other machine may take a moment longer to see it.
    let down = eventually("the command tells", Duration::from_secs(10), || {
        let clock = Clock::system();
        let ended = status(&cluster, &[]);
        assert!(clock.mono().0 < 4_000, "a frozen machine keeps one waiting: {}", clock.mono().0);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout.contains("machine 2 went down").then_some(ended)
    });
    let page = ada.get("/status").body;
    let line = down.stdout.lines().find(|line| line.starts_with("machine 2")).expect("its line");
    let words = line.trim_start_matches("machine 2").trim().split("  ").next().expect("words");
    assert!(words.starts_with("Down since ") && page.contains(words), "{words}: {page}");
    assert!(page.contains("<bdi>machine 2</bdi> went down"), "{page}");
    assert!(!cluster.person("stranger").get("/status").body.contains("Last changes"));

    cluster.kill(3, Signal::KILL);
    let few = eventually("not enough", Duration::from_secs(10), || {
        let ended = status(&cluster, &["--json"]);
        (ended.code == Some(4)).then_some(ended)
    });
    assert!(few.stderr.contains("not enough machines"), "{}", few.stderr);
    assert_eq!(states(&few.stdout), ["in_step", "down", "down"]);
    assert!(ada.get("/status").body.contains("Nothing can be saved just now."));

    cluster.kill(1, Signal::KILL);
    let none = status(&cluster, &["--json"]);
    assert_eq!((none.code, states(&none.stdout)), (Some(1), vec!["unknown".to_owned(); 3]));
    assert!(none.stderr.contains("no machine answers"), "{}", none.stderr);
}

#[test]
fn cluster_status_needs_the_cluster_key_and_machines() {
    let cluster = Cluster::start(Options::default());
    let directory = tempfile::tempdir().unwrap();
    let key = ClusterKey::read(&cluster.data().join("cluster.key")).unwrap();
    let web = directory.path().join("web.key");
    key.create_web_file(&web).unwrap();
    let refused = status(&cluster, &[&format!("--key-file={}", web.display())]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("the key of a web server alone"), "{}", refused.stderr);

    let other = directory.path().join("other.key");
    ClusterKey::create(&other).unwrap();
    let stranger = status(&cluster, &[&format!("--key-file={}", other.display())]);
    assert_eq!(stranger.code, Some(1), "{stranger:?}");
    assert!(stranger.stderr.contains("another cluster key"), "{}", stranger.stderr);

    let at = format!("--at={}", cluster.backend_address(3));
    // A cluster is ready when two machines have met; the third may not have yet.
    eventually("one machine alone tells", Duration::from_secs(10), || {
        (status(&cluster, &[&at]).code == Some(0)).then_some(())
    });
    let empty = format!("--data={}", directory.path().display());
    let nothing = Program::run(&["cluster", "status", &empty]);
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    assert!(nothing.stderr.contains("names no machines"), "{}", nothing.stderr);
}
