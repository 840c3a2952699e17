//! For whom somebody's posts are that do not say it, as apps and pages set it and go by it.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::app::App;
use crate::cluster::harness::{Cluster, Options};
use crate::cluster::person::Person;

const STATUSES: &str = "/api/v1/statuses";
const UPDATE: &str = "/api/v1/accounts/update_credentials";
const OWN: &str = "/api/v1/accounts/verify_credentials";
const SETTINGS: &str = "/settings/profile";

/// What is chosen on a page in the field of that name.
fn chosen(page: &str, name: &str) -> String {
    let (_, select) = page.split_once(&format!("name=\"{name}\"")).expect(page);
    let (before, _) = select.split_once("\" selected>").expect(page);
    before.rsplit_once("value=\"").expect(page).1.to_owned()
}

/// Sees that this is what the app and the pages of the same person tell, and what posts go by.
#[track_caller]
fn check(app: &App, person: &mut Person, word: &str) {
    assert_eq!(app.get(OWN).value["source"]["privacy"], word);
    assert_eq!(app.get("/api/v1/preferences").value["posting:default:visibility"], word);
    for more in [json!({}), json!({ "poll": { "options": ["a", "b"], "expires_in": 600 } })] {
        let mut says = json!({ "status": "Tea", "visibility": "" });
        says.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let posted = app.post(STATUSES, &says);
        assert_eq!((posted.status, posted.text("visibility").as_str()), (200, word), "{posted:?}");
    }
    let ours = match word {
        "public" => "everyone",
        "unlisted" => "quiet",
        _ => "followers",
    };
    assert_eq!(chosen(&person.get(SETTINGS).body, "posts_for"), ours);
    let first = if ours == "everyone" { "" } else { ours };
    assert_eq!(chosen(&person.get("/").body, "for"), first);
}

/// Somebody with their app, and another's app.
fn two(cluster: &Cluster) -> (Person, App, App) {
    let mut ada = cluster.person("ada");
    ada.join();
    let app = App::of(cluster, &mut ada, "read write follow");
    (ada, app, App::joined(cluster, "ben"))
}

fn set(app: &App, word: &str) {
    let says = json!({ "source": { "privacy": word } });
    let heard = app.send("PATCH", UPDATE, &says, None);
    assert_eq!((heard.status, &heard.value["source"]["privacy"]), (200, &json!(word)), "{heard:?}");
}

/// It was refused, and apps' posts that did not say it were for everybody.
#[test]
fn r0265_apps_and_pages_set_and_show_whom_posts_are_for() {
    let cluster = Cluster::start(Options {
        more: vec!["--rate-limits=off".to_owned()],
        ..Options::default()
    });
    let (mut ada, app, ben) = two(&cluster);
    check(&app, &mut ada, "public");
    let path = format!("/api/v1/accounts/{}", app.account());
    // All that others are told of her, but for what counts her posts.
    let others_see = || {
        let mut account = ben.get(&path).value;
        let fields = account.as_object_mut().unwrap();
        fields.retain(|name, _| !matches!(name.as_str(), "statuses_count" | "last_status_at"));
        account
    };
    let seen = others_see();
    for word in ["unlisted", "private", "public"] {
        set(&app, word);
        check(&app, &mut ada, word);
        assert_eq!(others_see(), seen);
    }
    // As a form, and in parts; nothing said leaves it, and nothing else changes with it.
    for (field, word) in [("private", "private"), ("", "private"), ("unlisted", "unlisted")] {
        let says = [("source[privacy]", field), ("display_name", "Ada L.")];
        let heard = app.send_parts(("PATCH", UPDATE), &says, &[]).unwrap();
        assert_eq!(heard.value["source"]["privacy"], word, "{heard:?}");
        let form = format!("source%5Bprivacy%5D={field}&source%5Blanguage%5D=de");
        let heard = app.send_form(("PATCH", UPDATE), &form);
        assert_eq!((heard.status, &heard.value["source"]["privacy"]), (200, &json!(word)));
        assert_eq!(heard.text("display_name"), "Ada L.");
    }
    for bad in [json!("direct"), json!("Private"), json!("followers"), json!(["private"])] {
        let refused = app.send("PATCH", UPDATE, &json!({ "source": { "privacy": bad } }), None);
        assert_eq!(refused.status, 422, "{bad} {refused:?}");
    }
    check(&app, &mut ada, "unlisted");
    // What is said of a post holds.
    for said in ["public", "unlisted", "private", "direct"] {
        let posted = app.post(STATUSES, &json!({ "status": "@ben Tea", "visibility": said }));
        assert_eq!(posted.text("visibility"), said);
    }
    let wrong = app.post(STATUSES, &json!({ "status": "Tea", "visibility": "followers" }));
    assert_eq!(wrong.status, 422);

    // By the page. What was chosen in a form that was open before holds.
    let open = ada.get("/").form("/post");
    let filled = [("posts_for", "followers"), ("display_name", "Ada"), ("bio", "")];
    assert_eq!(ada.act(SETTINGS, SETTINGS, &filled).status, 303);
    check(&app, &mut ada, "private");
    assert_eq!(ada.submit(&open, &[("text", "For all"), ("for", "")]).status, 303);
    let told = app.get(&format!("{path}/statuses")).value;
    assert_eq!(
        (&told[0]["visibility"], told[0]["content"].as_str()),
        (&json!("public"), Some("<p>For all</p>"))
    );
    // A reply is never for more than that, nor for more than what it answers.
    let answered = |visibility: &str| {
        let says = json!({ "status": "@ada Cake?", "visibility": visibility });
        let id = ben.post(STATUSES, &says).text("id");
        format!("/@ben/{id}")
    };
    let [everybody, named] = ["public", "direct"].map(answered);
    assert_eq!(chosen(&ada.get(&everybody).body, "for"), "followers");
    assert_eq!(chosen(&ada.get(&named).body, "for"), "named");
    // A page before all this, which does not ask, leaves it.
    let says_nothing = [("display_name", "Ada"), ("bio", "Terns")];
    assert_eq!(ada.act(SETTINGS, SETTINGS, &says_nothing).status, 303);
    let taken: Value = serde_json::from_str(&ada.get("/settings/data/tern.json").body).unwrap();
    assert_eq!(
        (&taken["profile"]["posts_for"], &taken["profile"]["bio"]),
        (&json!("followers"), &json!("Terns"))
    );
    for node in 1..=3 {
        let old = cluster.kill(node, Signal::KILL);
        cluster.wait_restarted(node, old);
    }
    cluster.wait_in_step();
    check(&app, &mut ada, "private");
}
