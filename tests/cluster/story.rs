//! What people do, from joining to leaving, and what they are told when they mistype.

use std::time::Duration;

use super::harness::{Cluster, Options, eventually};
use super::person::{Person, Written};

/// What a busy machine may need.
const WAIT: Duration = Duration::from_secs(10);

#[test]
fn people_join_post_follow_reply_and_sign_out() {
    let cluster = Cluster::start(Options::default());
    let (mut ada, mut ben) = (cluster.person("ada"), cluster.person("ben"));
    ada.join();
    ben.join();

    let posted = ada.post("The seed swap is on Saturday <at ten>.");
    assert_eq!(posted.written(), Written::Saved);
    let home = ada.get(posted.location.as_deref().expect("a place to go"));
    assert!(home.body.contains("Kept on"), "{}", home.body);
    assert!(
        home.body.contains("The seed swap is on Saturday &lt;at ten&gt;.")
            || home.body.contains("The seed swap is on Saturday &#60;at ten&#62;."),
        "{}",
        home.body
    );

    assert!(!ben.get("/").body.contains("seed swap"), "ben follows nobody yet");
    assert_eq!(ben.follow("ada").status, 303);
    // What another did is on the machine that answers a moment later.
    sees(&mut ben, "/", "seed swap");
    sees(&mut ada, "/@ada/followers", "/@ben");
    assert!(ben.get("/@ben/following").body.contains("/@ada"));

    let thread = permalink(&ben.get("/@ada").body, "ada");
    assert_eq!(ben.reply(&thread, "I bring labels.").written(), Written::Saved);
    sees(&mut ada, &thread, "I bring labels.");

    assert_eq!(ben.logout().status, 303);
    assert!(!ben.get("/").body.contains("action=\"/post\""), "a stranger has no composer");
    assert_eq!(ben.login().status, 303);
    assert!(ben.get("/").body.contains("seed swap"));
    assert_eq!(ben.act("/@ada", "/@ada/unfollow", &[]).status, 303);
    assert!(!ben.get("/").body.contains("seed swap"));

    let deleted = ada.act(&format!("{thread}/delete"), &format!("{thread}/delete"), &[]);
    assert_eq!(deleted.status, 303);
    eventually("it is gone for ben", WAIT, || (ben.get(&thread).status == 410).then_some(()));
}

fn sees(person: &mut Person, page: &str, text: &str) {
    let what = format!("{page} shows {text}");
    eventually(&what, WAIT, || person.get(page).body.contains(text).then_some(()));
}

/// The address of the first post on a page.
pub(crate) fn permalink(page: &str, author: &str) -> String {
    let start = format!("/@{author}/");
    let is_digit = |c: char| c.is_ascii_digit();
    let addresses = page.match_indices(&start).map(|(at, _)| page.split_at(at + start.len()).1);
    let id = addresses.map(|rest| rest.split(|c: char| !is_digit(c)).next().unwrap_or_default());
    format!("{start}{}", id.into_iter().find(|id| !id.is_empty()).expect(page))
}

#[test]
fn mistyped_forms_come_back_with_reason_and_text() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let mut rose = cluster.person("rose");
    let join = |person: &mut Person, name: &str, password: &str| {
        person.act("/join", "/join", &[("username", name), ("password", password)])
    };
    for (name, password) in [("Rose.Bay", "long enough words"), ("rose", "short"), ("", "")] {
        let answer = join(&mut rose, name, password);
        assert_eq!(answer.status, 422, "{name} {password}");
        let form = answer.form("/join");
        assert_eq!(form.value("username"), Some(name));
        assert_eq!(form.value("password").unwrap_or_default(), "", "a password never comes back");
    }
    rose.join();
    let mut other = cluster.person("other");
    assert_eq!(join(&mut other, "rose", "another long password").status, 422, "the name is taken");
    let wrong = [("username", "rose"), ("password", "not her password")];
    let refused = other.act("/login", "/login", &wrong);
    assert!(refused.body.contains("match"), "{}", refused.body);
    assert_ne!(refused.status, 303);

    assert_eq!(rose.post("").status, 422);
    assert_eq!(rose.post(" \n ").status, 422);
    let long = "é".repeat(523);
    let answer = rose.post(&long);
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("23 characters too many"), "{}", answer.body);
    assert_eq!(answer.form("/post").value("text"), Some(long.as_str()));
    assert_eq!(rose.post(&"é".repeat(500)).written(), Written::Saved);
}

#[test]
fn same_form_sent_twice_posts_once() {
    let cluster = Cluster::start(Options::default());
    let mut ada = cluster.person("ada");
    ada.join();
    let form = ada.get("/").form("/post");
    let first = ada.submit(&form, &[("text", "once")]);
    let second = ada.submit(&form, &[("text", "once")]);
    assert_eq!(first.written(), Written::Saved);
    assert_eq!(second.location, first.location, "the first result again");
    super::files::wait_for_agreement(&cluster);
    super::files::check_exactly_once(&cluster, "ada", &["once".to_owned()]);

    let conflict = ada.submit(&form, &[("text", "something else")]);
    assert_eq!(conflict.status, 409);
    let returned = conflict.form("/post");
    assert_eq!(returned.value("text"), Some("something else"));
    assert_ne!(returned.value("key"), form.value("key"), "with a fresh key");
    assert_eq!(ada.submit(&returned, &[("text", "something else")]).written(), Written::Saved);
}

#[test]
fn form_without_its_token_or_from_elsewhere_refused_with_text() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    let form = ada.get("/").form("/post");
    let forged = ada.submit(&form, &[("token", ""), ("text", "not mine")]);
    assert_eq!(forged.status, 403);
    assert!(forged.body.contains("not mine"), "{}", forged.body);
    assert!(forged.header("content-security-policy").is_some());
    assert!(!ada.get("/").body.contains("not mine"));
}
