//! Posts whose pictures are covered until somebody wants to see them.

use serde_json::{Value, json};

use super::app::{App, one_machine};
use super::media::small;

const STATUSES: &str = "/api/v1/statuses";

/// It counted for nothing without a note: the pictures were shown. What was taken along (r0184) did not tell it.
#[test]
fn r0101_r0184_sensitive_post_without_a_note_stays_covered() {
    let cluster = one_machine();
    let [ada, ben] = ["ada", "ben"].map(|name| App::joined(&cluster, name));
    let mut person = cluster.person("cleo");
    person.join();
    for (more, visibility) in [
        (json!({ "media_ids": [ada.send_picture(&small(), "A wound")] }), "public"),
        (json!({ "media_ids": [ada.send_picture(&small(), "A wound")] }), "unlisted"),
        (json!({ "poll": { "options": ["a", "b"], "expires_in": 600 } }), "public"),
    ] {
        let mut says = json!({ "status": "Mind", "sensitive": true, "visibility": visibility });
        says.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let posted = ada.send("POST", STATUSES, &says, Some(&more.to_string()));
        assert_eq!((posted.status, &posted.value["sensitive"]), (200, &json!(true)), "{posted:?}");
        assert_eq!(posted.text("spoiler_text"), "");
        let path = format!("{STATUSES}/{}", posted.text("id"));
        let is = |app: &App| app.get(&path).value["sensitive"].clone();
        assert_eq!((is(&ada), is(&ben)), (json!(true), json!(true)));
        // The same once more is the same; not covered it would be another.
        says["sensitive"] = json!(false);
        assert_eq!(ada.send("POST", STATUSES, &says, Some(&more.to_string())).status, 422);
        // It stays so while nothing else is said, and changes when it is.
        let edit = |says: Value| ada.send("PUT", &path, &says, None).value["sensitive"].clone();
        assert_eq!(edit(json!({ "status": "Mind it" })), json!(true));
        assert_eq!(edit(json!({ "status": "Mind it", "sensitive": "false" })), json!(false));
        assert_eq!(is(&ben), json!(false));
        assert_eq!(edit(json!({ "status": "Mind it", "sensitive": true })), json!(true));
        assert_eq!(is(&ben), json!(true));
        // What was said before is told with the same pictures.
        let history = ada.get(&format!("{path}/history")).value;
        assert_eq!(history.as_array().map(Vec::len), Some(4), "{history}");
        assert_eq!(history[2]["sensitive"], json!(true), "{history}");
    }
    let page = person.get("/@ada").body;
    let covered =
        "<details class=\"fold\"><summary>1 sensitive picture</summary>\n<div class=\"pics\">";
    assert_eq!(page.matches(covered).count(), 2, "{page}");
    // Whoever takes their posts along, takes that along.
    let mut leaving = cluster.person("ada");
    leaving.login();
    let taken: Value = serde_json::from_str(&leaving.get("/settings/data/tern.json").body).unwrap();
    let is_told: Vec<_> =
        taken["posts"].as_array().unwrap().iter().map(|post| &post["sensitive"]).collect();
    assert_eq!(is_told, [&json!(true); 3], "{taken}");
    // A note covers all of it, and says so once.
    let says = json!({ "status": "", "spoiler_text": "Blood", "sensitive": true,
        "media_ids": [ada.send_picture(&small(), "")] });
    let noted = ada.post(STATUSES, &says);
    assert_eq!(noted.value["sensitive"], json!(true));
    let path = format!("{STATUSES}/{}", noted.text("id"));
    let bare = ada.send("PUT", &path, &json!({ "status": "Look" }), None);
    assert_eq!(bare.value["sensitive"], json!(false), "{bare:?}");
    let odd = ada.post(STATUSES, &json!({ "status": "x", "sensitive": "perhaps" }));
    assert_eq!((odd.status, odd.text("error").contains("sensitive")), (422, true));
}
