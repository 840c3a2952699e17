//! More than one web server, fewer machines, and what a keeper may set.

use rustix::process::Signal;
use serde_json::json;

use super::app::{App, OUT_OF_BAND};
use crate::cluster::harness::{Cluster, Options, eventually};
use crate::user::link::Web;

const SOON: std::time::Duration = std::time::Duration::from_secs(20);

#[test]
fn same_post_through_two_web_servers_at_once_stands_once() {
    let cluster = Cluster::start(Options { no_restart: true, ..Options::default() });
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let other = Web::start(&cluster, directory.path());
    let mut ada = cluster.person("ada");
    ada.join();
    let one = App::of(&cluster, &mut ada, "read write");
    let two = App { base: other.address.clone(), ..App::introduce(&one.base, "read", OUT_OF_BAND) };
    let two = App { token: one.token.clone(), ..two };
    let mut newest = String::new();
    for round in 0..3 {
        let (says, key) = (json!({ "status": format!("Round {round}") }), format!("round-{round}"));
        let send = |app: &App| {
            let heard = app.try_send("POST", "/api/v1/statuses", &says, Some(&key));
            heard.map(|heard| (heard.status, heard.text("id"))).unwrap_or_default()
        };
        let (send, one, two) = (&send, &one, &two);
        let told = std::thread::scope(|scope| {
            let start = |name: &str, app| {
                let thread = std::thread::Builder::new().name(name.to_owned());
                thread.spawn_scoped(scope, move || send(app)).unwrap()
            };
            [start("one", one), start("two", two)].map(|thread| thread.join().unwrap())
        });
        assert_eq!(told[0], told[1], "round {round}");
        assert_eq!(told[0].0, 200);
        newest.clone_from(&told[0].1);
        if round == 1 {
            cluster.kill(2, Signal::KILL);
        }
    }
    // What one web server was told, the other shows, in both directions, without one machine.
    for app in [&two, &one] {
        // An app keeps no version, so another web server may be a moment behind.
        let home = eventually("all three", SOON, || {
            let home = app.get("/api/v1/timelines/home").ids();
            (home.len() == 3 && home.first() == Some(&newest)).then_some(home)
        });
        let up = app.get(&format!("/api/v1/timelines/home?min_id={}&limit=1", home[2]));
        assert_eq!(up.ids(), [home[1].clone()]);
        let next = up.link_to("prev").unwrap();
        one.write("Meanwhile");
        let above = two.get(&next).ids();
        assert_eq!(above, [home[0].clone()]);
        one.send(
            "DELETE",
            &format!("/api/v1/statuses/{}", one.get("/api/v1/timelines/home").ids()[0]),
            &json!(null),
            None,
        );
    }
    let revoke = json!({ "client_id": one.id, "client_secret": one.secret, "token": one.token });
    assert_eq!(one.post("/oauth/revoke", &revoke).status, 200);
    eventually("its end on the other web server", SOON, || {
        (two.get("/api/v1/timelines/home").status == 401).then_some(())
    });
}

#[test]
fn keeper_sets_how_often_apps_call_and_whether_they_bring_passwords() {
    let more = ["--app-calls=20", "--app-passwords=on"].map(str::to_owned).to_vec();
    let cluster = Cluster::start(Options { backends: 1, more, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    let mut app = App::introduce(&cluster.address(), "read write", OUT_OF_BAND);
    let mut says = json!({
        "grant_type": "password", "client_id": app.id, "client_secret": app.secret,
        "username": "ada", "password": ada.password(), "scope": "read",
    });
    let heard = app.post("/oauth/token", &says);
    assert_eq!((heard.status, heard.value["scope"].as_str()), (200, Some("read")), "{heard:?}");
    let token = Some(heard.text("access_token"));
    says["password"] = json!("wrong horse battery");
    let heard = app.post("/oauth/token", &says);
    assert_eq!((heard.status, heard.text("error").as_str()), (400, "invalid_grant"));
    says["username"] = json!("nobody");
    assert_eq!(app.post("/oauth/token", &says).text("error"), "invalid_grant");
    says["scope"] = json!("read follow push");
    assert_eq!(app.post("/oauth/token", &says).text("error"), "invalid_scope");
    app.token = token;
    // Nothing is left of the signing in but the app's own session.
    let devices = ada.get("/settings/devices");
    assert_eq!(devices.forms().iter().filter(|form| form.value("id").is_some()).count(), 1);
    let statuses: Vec<_> = (0..20).map(|_| app.get("/api/v1/timelines/home").status).collect();
    assert_eq!(statuses, [200; 20]);
    let over = app.get("/api/v1/timelines/home");
    assert_eq!((over.status, over.header("x-ratelimit-remaining")), (429, Some("0")), "{over:?}");
    assert_eq!(over.header("x-ratelimit-limit"), Some("20"));
    assert!(over.header("retry-after").is_some());
}
