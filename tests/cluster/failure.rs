//! Machines that die, freeze and come back while people write.

use rustix::process::Signal;
use tern::clock::Clock;
use tern::limits::PAGES_FOLLOW_MS;

use super::files::{check_exactly_once, wait_for_agreement};
use super::harness::{Cluster, Options};
use super::load::{Acknowledged, under_load};
use super::person::{Person, Written};
use crate::security::sessions::{machines_of, make_known};

/// Posts that must be saved in each phase, by all writers together.
const POSTS: usize = 40;
const WRITERS: usize = 4;

fn check_all(cluster: &Cluster, acknowledged: &Acknowledged) {
    wait_for_agreement(cluster);
    for (name, texts) in acknowledged {
        check_exactly_once(cluster, name, texts);
    }
}

#[test]
fn each_backend_killed_in_turn_under_load_nobody_notices() {
    let cluster = Cluster::start(Options { alone: true, ..Options::default() });
    let (acknowledged, troubles) = under_load(&cluster, WRITERS, |load| {
        for node in 1..=3 {
            load.wait_for_more(POSTS);
            let old = cluster.kill(node, Signal::KILL);
            load.wait_for_more(POSTS);
            cluster.wait_restarted(node, old);
            cluster.wait_in_step();
        }
        load.troubles()
    });
    assert_eq!(troubles, [], "with one machine missing every post is saved at once");
    check_all(&cluster, &acknowledged);
}

#[test]
fn backend_frozen_under_load_nobody_notices() {
    let cluster = Cluster::start(Options { alone: true, ..Options::default() });
    let (acknowledged, troubles) = under_load(&cluster, WRITERS, |load| {
        for node in 1..=3 {
            load.wait_for_more(POSTS);
            cluster.kill(node, Signal::STOP);
            load.wait_for_more(POSTS);
            cluster.kill(node, Signal::CONT);
            cluster.wait_in_step();
        }
        load.troubles()
    });
    assert_eq!(troubles, [], "with one machine frozen every post is saved");
    check_all(&cluster, &acknowledged);
}

#[test]
fn no_majority_nothing_saved_text_kept_until_it_is() {
    let cluster = Cluster::start(Options { alone: true, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    assert_eq!(ada.post("before").written(), Written::Saved);
    let mut ben = cluster.person("ben");
    ben.join();
    let mut form = ada.get("/").form("/post");
    // What the two others alone know, such as that somebody has joined, nobody can tell without them.
    make_known(&machines_of(&cluster), 1, &[&ada, &ben]);
    cluster.kill(2, Signal::STOP);
    cluster.kill(3, Signal::STOP);
    // What was sent to machines that are silent only since is not known.
    ben.post_in_vain();
    for _ in 0..2 {
        let refused = ada.submit(&form, &[("text", "Frost tonight.\nCover <your> lemons.")]);
        assert_eq!(refused.status, 503, "{}", refused.body);
        assert_eq!(refused.written(), Written::NotSaved, "{}", refused.body);
        assert_eq!(refused.header("retry-after"), Some("10"));
        form = refused.form("/post");
        // A browser sends line ends as CR LF and reads either as one.
        let text = form.value("text").map(|text| text.replace("\r\n", "\n"));
        assert_eq!(text.as_deref(), Some("Frost tonight.\nCover <your> lemons."));
    }
    assert_eq!(ada.get("/").status, 200, "reading goes on");
    cluster.kill(2, Signal::CONT);
    cluster.kill(3, Signal::CONT);
    cluster.wait_in_step();
    let text = form.value("text").expect("the text").to_owned();
    assert_eq!(ada.submit(&form, &[("text", &text)]).written(), Written::Saved);
    wait_for_agreement(&cluster);
    let kept = text.replace("\r\n", "\n");
    check_exactly_once(&cluster, "ada", &["before".to_owned(), kept]);
}

#[test]
fn r0128_pages_go_on_from_the_moment_two_of_three_stand_still() {
    let cluster = Cluster::start(Options { alone: true, ..Options::default() });
    let mut people = ["ada", "ben"].map(|name| cluster.person(name));
    people.iter_mut().for_each(Person::join);
    let [ada, ben] = &mut people;
    for round in 0..3 {
        let form = ada.get("/").form("/post");
        make_known(&machines_of(&cluster), 1, &[&*ada, &*ben]);
        cluster.kill(2, Signal::STOP);
        cluster.kill(3, Signal::STOP);
        std::thread::scope(|scope| {
            // The lines to them are given up with this, before anybody knows that they are gone.
            scope.spawn(|| assert_ne!(ada.submit(&form, &[("text", "is it saved?")]).status, 303));
            let clock = Clock::system();
            let until = clock.mono().plus_ms(PAGES_FOLLOW_MS);
            while clock.mono() < until {
                let page = ben.get("/");
                assert_eq!(page.status, 200, "round {round}: {}", page.body);
                page.form("/post");
            }
        });
        cluster.kill(2, Signal::CONT);
        cluster.kill(3, Signal::CONT);
        cluster.wait_in_step();
    }
}

#[test]
fn cluster_restarted_knows_posts_and_sessions() {
    let keep = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = keep.path().join("db");
    let options = || Options { data: Some(data.clone()), alone: true, ..Options::default() };
    let mut cluster = Cluster::start(options());
    let mut ada = cluster.person("ada");
    ada.join();
    assert_eq!(ada.post("first life").written(), Written::Saved);
    let session = ada.cookies();
    let old = cluster.children();
    assert_eq!(cluster.stop().code(), Some(0));
    assert_eq!(cluster.children(), Vec::<u32>::new(), "of {old:?} none is left");
    drop(cluster);

    let cluster = Cluster::start(options());
    let mut again = cluster.person("ada");
    again.keep_session(&session);
    assert!(again.get("/").body.contains("first life"));
    assert_eq!(again.post("second life").written(), Written::Saved);
    wait_for_agreement(&cluster);
    let both = ["first life", "second life"].map(str::to_owned);
    check_exactly_once(&cluster, "ada", &both);
}

#[test]
fn web_server_killed_started_again_forms_still_good() {
    let cluster = Cluster::start(Options { alone: true, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    let form = ada.get("/").form("/post");
    let old = cluster.web_pid();
    super::harness::send(old, Signal::KILL);
    super::harness::eventually("a new web server", std::time::Duration::from_secs(30), || {
        (cluster.web_pid() != old && ada.try_get("/healthz").is_ok()).then_some(())
    });
    assert_eq!(ada.submit(&form, &[("text", "kept over")]).written(), Written::Saved);
    wait_for_agreement(&cluster);
    check_exactly_once(&cluster, "ada", &["kept over".to_owned()]);
}
