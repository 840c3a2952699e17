//! Whatever ends a person's sessions ends their apps' too.

use serde_json::json;

use super::app::{App, one_machine};
use crate::user::run;

const HOME: &str = "/api/v1/timelines/home";
const NEXT: &str = "seven owls in a barn";

#[test]
fn password_changed_or_mended_ends_apps() {
    let cluster = one_machine();
    let mut ada = cluster.person("ada");
    ada.join();
    let old = ada.password();
    let app = App::of(&cluster, &mut ada, "read write");
    assert_eq!(app.get(HOME).status, 200);
    let typed = [("current", old.as_str()), ("new", NEXT)];
    assert_eq!(ada.act("/settings/password", "/settings/password", &typed).status, 303);
    let heard = app.get(HOME);
    assert_eq!((heard.status, heard.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(app.post("/api/v1/statuses", &json!({ "status": "Still here" })).status, 401);

    // A link for a lost password ends them when it is used, not when it is made.
    let app = App::of(&cluster, &mut ada, "read write");
    let link = run(&cluster, &["user", "passwd", "ada"]).told("link: ").to_owned();
    assert_eq!(app.get(HOME).status, 200);
    let mut finder = cluster.person("finder");
    let form = finder.get(&link).form("/reset");
    assert_eq!(finder.submit(&form, &[("new", "nine lamps and a boat")]).status, 303);
    assert_eq!(app.get(HOME).status, 401);

    // So does the operator who signs somebody out, and signing out everywhere else.
    let app = App::of(&cluster, &mut finder, "read write");
    assert_eq!(app.get(HOME).status, 200);
    let devices = finder.get("/settings/devices");
    for told in ["Fen for phones", "This app may:", "read all that you can read here"] {
        assert!(devices.body.contains(told), "{told}: {}", devices.body);
    }
    let others = devices.form("/settings/devices");
    assert_eq!(finder.submit(&others, &[]).status, 303);
    assert_eq!(app.get(HOME).status, 401);
    let app = App::of(&cluster, &mut finder, "read write");
    assert_eq!(run(&cluster, &["user", "signout", "ada"]).code, Some(0));
    assert_eq!(app.get(HOME).status, 401);
}

#[test]
fn member_suspended_does_nothing_by_apps() {
    let cluster = one_machine();
    let (mut ada, mut ben) = (cluster.person("ada"), cluster.person("ben"));
    ada.join();
    ben.join();
    assert_eq!(run(&cluster, &["user", "admin", "ada"]).code, Some(0));
    let app = App::of(&cluster, &mut ben, "read write");
    let post = json!({ "status": "Loud" });
    assert_eq!(app.post("/api/v1/statuses", &post).status, 200);
    let stream = app.listen("/api/v1/streaming/user");
    let told = run(&cluster, &["user", "suspend", "ben", "--days=2", "--reason=Too loud."]);
    assert_eq!(told.code, Some(0));
    for path in [HOME, "/api/v1/accounts/verify_credentials", "/api/v1/timelines/public"] {
        assert_eq!(app.get(path).status, 403, "{path}");
    }
    assert_eq!(app.post("/api/v1/statuses", &post).status, 403);
    // What it listened to has an end, and says nothing of what comes after.
    assert!(!crate::api::app::rest_of(stream).contains("data:"));
    assert_eq!(app.get("/api/v1/streaming/user").status, 403);
    // Ending it is everybody's.
    let end = json!({ "client_id": app.id, "client_secret": app.secret, "token": app.token });
    assert_eq!(app.post("/oauth/revoke", &end).status, 200);
    assert_eq!(app.get(HOME).status, 401);
    assert_eq!(run(&cluster, &["user", "suspend", "ben", "--lift"]).code, Some(0));
    let app = App::of(&cluster, &mut ben, "read write");
    assert_eq!(app.post("/api/v1/statuses", &post).status, 200);
}
