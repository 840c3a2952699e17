//! `tern user …`.

use rustix::process::Signal;

use crate::cluster::harness::{Cluster, Options, eventually};

use super::{END, member, run, run_on, signs_in};

#[test]
fn accounts_are_made_changed_and_deleted_while_all_runs() {
    let cluster = Cluster::start(Options::default());
    assert_eq!(run(&cluster, &["user", "list"]).out, "nobody has an account\n");

    // A password that was made is said once; one that comes in is not said at all.
    let added = run(&cluster, &["user", "add", "ada", "--admin", "--display-name=Ada Lind"]);
    let first = added.told("password: ").to_owned();
    assert!(signs_in(&cluster, "ada", &first));
    let added = run_on(
        cluster.data(),
        &["user", "add", "ben", "--password-stdin", "--json"],
        "hen under the oak\n",
    );
    assert_eq!(added.json(), serde_json::json!({ "done": "add", "user": "ben" }));
    assert!(signs_in(&cluster, "ben", "hen under the oak"));
    run(&cluster, &["user", "add", "ada"]).check_refused(2, "the name ada is taken");
    run(&cluster, &["user", "add", "root"]).check_refused(2, "kept for the system");
    run(&cluster, &["user", "add", "a/b"]).check_refused(2, "no user name");
    let common = ["user", "add", "cleo", "--password-stdin"];
    run_on(cluster.data(), &common, "password1\n").check_refused(2, "on every list");
    run_on(cluster.data(), &common, "").check_refused(2, "no password on standard input");
    run_on(cluster.data(), &common, "cleo 2026").check_refused(2, "made of a name");

    let users = run(&cluster, &["user", "list", "--json"]).json();
    let row = |n: usize, field: &str| users["users"][n][field].clone();
    assert_eq!(
        (row(0, "user"), row(1, "user"), row(2, "user")),
        ("ada".into(), "ben".into(), serde_json::Value::Null)
    );
    assert_eq!(
        (row(0, "display_name"), row(0, "admin"), row(1, "admin")),
        ("Ada Lind".into(), true.into(), false.into())
    );
    assert_eq!(
        (row(1, "sessions"), row(1, "standing"), row(1, "posts")),
        (1.into(), "member".into(), 0.into())
    );

    let fresh = "hen under the oak";
    let out = run(&cluster, &["user", "signout", "ben", "--json"]).json();
    assert_eq!(out, serde_json::json!({ "done": "signout", "user": "ben", "sessions_ended": 1 }));

    for command in ["passwd", "admin", "suspend", "signout"] {
        run(&cluster, &["user", command, "nobody"]).check_refused(2, "no member called nobody");
    }
    run(&cluster, &["user", "delete", "nobody", "--yes"])
        .check_refused(2, "no member called nobody");
    run(&cluster, &["user", "delete", "ben"]).check_refused(2, "--yes goes on");
    run(&cluster, &["user", "delete", "ada", "--yes"])
        .check_refused(2, "tern user admin ada --remove");
    assert_eq!(run(&cluster, &["user", "delete", "ben", "--yes"]).code, Some(0));
    assert!(!signs_in(&cluster, "ben", fresh));
    run(&cluster, &["user", "add", "ben"]).check_refused(2, "the name ben is taken");

    // The log says what was done to whom, and no secret.
    let log = cluster.log();
    for told in ["order=add user=ada", "order=signout user=ben", "order=delete user=ben"] {
        assert!(log.contains(told), "{told}");
    }
    assert!(!log.contains(fresh) && !log.contains(&first), "a secret");
}

#[test]
fn what_a_keeper_did_holds_when_their_account_is_gone() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let (mut ada, mut ben) = (member(&cluster, "ada"), member(&cluster, "ben"));
    let _cleo = member(&cluster, "cleo");
    for keeper in ["ada", "cleo"] {
        assert_eq!(run(&cluster, &["user", "admin", keeper]).code, Some(0));
    }
    assert_eq!(ada.login().status, 303);
    let closed = [("signup", "closed"), ("words", "")];
    assert_eq!(ada.act("/mod/settings", "/mod/settings", &closed).status, 303);
    let suspend = ["user", "suspend", "ben", "--by=ada", "--reason=Too loud."];
    assert_eq!(run(&cluster, &suspend).code, Some(0));
    assert_eq!(run(&cluster, &["user", "admin", "ada", "--remove"]).code, Some(0));
    assert_eq!(run(&cluster, &["user", "delete", "ada", "--yes"]).code, Some(0));

    let mut cleo = cluster.person("cleo");
    assert_eq!(cleo.login().status, 303);
    let mut stranger = cluster.person("stranger");
    let mut is_as_before = |cluster: &Cluster| {
        assert!(run(cluster, &["user", "list"]).out.contains("suspended"), "ben");
        assert!(ben.get("/").body.contains("Too loud."));
        assert!(!stranger.get("/join").body.contains("name=\"password\""), "closed");
        let log = cleo.get("/mod/log").body;
        assert!(log.contains("Too loud.") && log.contains("@ada"), "{log}");
    };
    is_as_before(&cluster);
    // It stands in the file that tells of the account's end.
    let old = cluster.kill(1, Signal::KILL);
    cluster.wait_restarted(1, old);
    eventually("it answers again", END, || {
        (run(&cluster, &["user", "list"]).code == Some(0)).then_some(())
    });
    is_as_before(&cluster);
    assert_eq!(cleo.get("/@ada").status, 410);
}

#[test]
fn keepers_are_made_and_suspend_by_the_operator() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let (mut ada, mut ben) = (member(&cluster, "ada"), member(&cluster, "ben"));
    assert_eq!(run(&cluster, &["user", "list", "--admins"]).out, "nobody keeps the community\n");
    run(&cluster, &["user", "suspend", "ben"]).check_refused(2, "tern user admin NAME");
    assert_eq!(ada.get("/mod").status, 404);
    let before = ada.cookies();
    assert_eq!(run(&cluster, &["user", "admin", "ada"]).code, Some(0));
    // s15: rights come with a new token, and the old one is worth nothing.
    assert_eq!(ada.get("/mod").location.as_deref(), Some("/login?next=/mod"));
    assert_eq!(ada.login().status, 303);
    assert_eq!(ada.get("/mod").status, 200);
    let mut stolen = cluster.person("ada");
    stolen.keep_session(&before);
    assert_eq!(stolen.get("/mod").status, 303);
    assert!(run(&cluster, &["user", "list", "--admins"]).out.starts_with("ada "));

    run(&cluster, &["user", "suspend", "ben", "--by=ben"]).check_refused(2, "ben is no keeper");
    run(&cluster, &["user", "suspend", "ada"]).check_refused(2, "nobody else keeps");
    run(&cluster, &["user", "suspend", "ben", "--days=367"]).check_refused(2, "1 to 366");
    let told = run(&cluster, &["user", "suspend", "ben", "--days=2", "--reason=Too loud."]);
    assert_eq!(told.told("in the name of "), "ada");
    assert!(ben.get("/").body.contains("Too loud."));
    let list = run(&cluster, &["user", "list"]).out;
    assert!(
        list.lines().any(|line| line.starts_with("ben ") && line.contains("suspended until")),
        "{list}"
    );
    assert_eq!(run(&cluster, &["user", "suspend", "ben", "--lift"]).code, Some(0));
    assert!(!run(&cluster, &["user", "list"]).out.contains("suspended"));
    assert!(ada.get("/mod/log").body.contains("Too loud."));

    assert_eq!(run(&cluster, &["user", "admin", "ada", "--remove"]).code, Some(0));
    assert_eq!(ada.login().status, 303);
    assert_eq!(ada.get("/mod").status, 404);
}
