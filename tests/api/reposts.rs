//! Reposts, which are posts of their own to apps.

use serde_json::{Value, json};

use super::app::{App, Heard, one_machine};

const STATUSES: &str = "/api/v1/statuses";

fn act(app: &App, post: &str, act: &str) -> Heard {
    app.post(&format!("{STATUSES}/{post}/{act}"), &json!({}))
}

/// The original was given where one's own repost was not among one's last forty posts.
#[test]
fn r0095_repost_made_again_is_the_same_however_long_ago() {
    let cluster = one_machine();
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| App::joined(&cluster, name));
    let post = ada.write("Worth showing");
    let of_ben = act(&ben, &post, "reblog").text("id");
    // By the number of somebody else's repost: a new one, of the original.
    let own = act(&cleo, &of_ben, "reblog");
    let (id, of) = (own.text("id"), &own.value["reblog"]);
    assert_eq!((own.status, &of["id"], &of["reblogged"]), (200, &json!(post), &json!(true)));
    assert_eq!(own.value["account"]["username"], json!("cleo"));
    assert!(id != post && id != of_ben, "{own:?}");
    for n in 0..41 {
        cleo.write(&format!("Later {n}"));
    }
    for number in [&post, &of_ben, &id] {
        let again = act(&cleo, number, "reblog");
        assert_eq!((again.text("id"), &again.value["reblog"]["id"]), (id.clone(), &json!(post)));
    }
    // Taken back by that number, and the original is told.
    let back = act(&cleo, &of_ben, "unreblog");
    assert_eq!((back.text("id"), &back.value["reblogged"]), (post, &json!(false)), "{back:?}");
    assert_eq!(cleo.get(&format!("{STATUSES}/{id}")).status, 404);
    assert_eq!(cleo.get(&format!("{STATUSES}/{of_ben}")).status, 200);
}

/// It was shown to everybody.
#[test]
fn r0096_repost_that_is_meant_for_few_refused() {
    let cluster = one_machine();
    let [ada, ben] = ["ada", "ben"].map(|name| App::joined(&cluster, name));
    let post = ada.write("Worth showing");
    let path = format!("{STATUSES}/{post}/reblog");
    for few in [json!("private"), json!("direct"), json!("sideways"), json!(["private"])] {
        let heard = ben.post(&path, &json!({ "visibility": few }));
        let error = heard.text("error");
        assert!(heard.status == 422 && error.contains("visibility"), "{few} {error}");
    }
    assert_eq!(ben.get(&format!("{STATUSES}/{post}")).value["reblogged"], json!(false));
    for all in [json!("public"), json!("unlisted"), json!(""), Value::Null] {
        assert_eq!(ben.post(&path, &json!({ "visibility": all })).status, 200, "{all}");
    }
}

/// It was answered 404.
#[test]
fn r0097_own_repost_taken_back_by_its_number() {
    let cluster = one_machine();
    let [ada, ben] = ["ada", "ben"].map(|name| App::joined(&cluster, name));
    let post = ada.write("Worth showing");
    let own = act(&ben, &post, "reblog").text("id");
    let path = format!("{STATUSES}/{own}");
    assert_eq!(ada.send("DELETE", &path, &Value::Null, None).status, 404);
    let taken = ben.send("DELETE", &path, &Value::Null, None);
    assert_eq!((taken.status, taken.text("id")), (200, own.clone()), "{taken:?}");
    assert_eq!(taken.value["reblog"]["id"], json!(post));
    assert_eq!(ben.get(&path).status, 404);
    let seen = ben.get(&format!("{STATUSES}/{post}"));
    assert_eq!((seen.status, &seen.value["reblogged"]), (200, &json!(false)));
    // One's own post, reposted by oneself, stands when that is taken back.
    let own = act(&ada, &post, "reblog").text("id");
    let path = format!("{STATUSES}/{own}");
    assert_eq!(ada.send("DELETE", &path, &Value::Null, None).status, 200);
    assert_eq!(ada.get(&format!("{STATUSES}/{post}")).status, 200);
}
