//! What people do with posts: like, repost, bookmark, edit, pin, fold.

use std::time::Duration;

use super::form::forms;
use super::harness::{Cluster, Options, eventually};
use super::person::{Answer, Person, Written};

/// Ada and ben, who follows her, and her post's page.
fn ada_and_ben(cluster: &Cluster, text: &str) -> (Person, Person, String) {
    let (mut ada, mut ben) = (cluster.person("ada"), cluster.person("ben"));
    ada.join();
    ben.join();
    assert_eq!(ada.post(text).written(), Written::Saved);
    ben.follow("ada");
    let thread = page_of(&ben.get("/@ada"), "ada", text);
    (ada, ben, thread)
}

/// The page of the post with this text.
fn page_of(page: &Answer, author: &str, text: &str) -> String {
    let (before, _) = page.body.split_once(text).unwrap_or_else(|| panic!("{}", page.body));
    let start = format!("class=\"at\" href=\"/@{author}/");
    let (_, rest) = before.rsplit_once(&start).unwrap_or_else(|| panic!("{}", page.body));
    format!("/@{author}/{}", rest.split('"').next().unwrap_or_default())
}

fn has_form(page: &Answer, action: &str) -> bool {
    forms(&page.body).iter().any(|form| form.action == action)
}

#[track_caller]
fn check_act(person: &mut Person, page: &str, action: &str, to: &str) {
    let answer = person.act(page, action, &[]);
    assert_eq!((answer.status, answer.location.as_deref()), (303, Some(to)), "{}", answer.body);
}

fn anchor(thread: &str) -> String {
    format!("#p{}", thread.rsplit('/').next().unwrap_or_default())
}

#[test]
fn like_shown_to_author_and_liker_alone() {
    let cluster = Cluster::start(Options::default());
    let (mut ada, mut ben, thread) = ada_and_ben(&cluster, "Tea at four.");
    let (like, unlike) = (format!("{thread}/like"), format!("{thread}/unlike"));
    let back = format!("/{}", anchor(&thread));
    assert!(!has_form(&ada.get(&thread), &like), "nobody likes their own");

    let form = ben.get("/").form(&like);
    check_act(&mut ben, "/", &like, &back);
    assert_eq!(ben.submit(&form, &[]).status, 303, "the same form again");
    assert!(has_form(&ben.get("/"), &unlike) && !has_form(&ben.get("/"), &like));
    // Another's act is on the machine that answers a moment later.
    eventually("ada sees who likes it", Duration::from_secs(10), || {
        let liker = "Liked by <a href=\"/@ben\"><bdi>ben</bdi></a>";
        ada.get(&thread).body.contains(liker).then_some(())
    });
    let mut cleo = cluster.person("cleo");
    for page in [cleo.get(&thread), ben.get(&thread)] {
        assert!(!page.body.contains("Liked by"), "{}", page.body);
    }
    assert!(!cleo.get(&thread).body.contains("/like\""), "a stranger has no buttons");

    // Liking what one likes already writes nothing, whichever form asks for it.
    let fresh = ben.get(&thread).form(&unlike);
    let again = [("key", fresh.value("key").unwrap()), ("token", fresh.value("token").unwrap())];
    assert_eq!(ben.submit(&form, &again).status, 303);
    super::files::wait_for_agreement(&cluster);
    assert_eq!(super::files::entries(&cluster, "ben", "liked"), 1);

    check_act(&mut ben, &thread, &unlike, &format!("{thread}{}", anchor(&thread)));
    eventually("ada sees it taken back", Duration::from_secs(10), || {
        (!ada.get(&thread).body.contains("Liked by")).then_some(())
    });
}

#[test]
fn repost_reaches_followers_until_taken_back_or_deleted() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let (mut ada, mut ben, thread) = ada_and_ben(&cluster, "Tea at four.");
    let mut cleo = cluster.person("cleo");
    cleo.join();
    cleo.follow("ben");
    assert!(!cleo.get("/").body.contains("Tea at four."));
    let repost = format!("{thread}/repost");
    check_act(&mut ben, "/", &repost, &format!("/{}", anchor(&thread)));
    for page in [cleo.get("/"), cleo.get("/@ben")] {
        assert!(page.body.contains("<bdi>ben</bdi></a> reposted"), "{}", page.body);
        assert_eq!(page.body.matches("Tea at four.").count(), 1);
    }
    // Following both, she meets it once.
    cleo.follow("ada");
    assert_eq!(cleo.get("/").body.matches("Tea at four.").count(), 1);
    assert!(!cleo.get("/public").body.contains("reposted"));

    check_act(&mut ben, "/", &format!("{thread}/unrepost"), &format!("/{}", anchor(&thread)));
    assert!(!cleo.get("/@ben").body.contains("Tea at four."));
    check_act(&mut ben, "/", &repost, &format!("/{}", anchor(&thread)));
    ada.act(&format!("{thread}/delete"), &format!("{thread}/delete"), &[]);
    for page in [cleo.get("/@ben"), cleo.get("/")] {
        assert!(!page.body.contains("Tea at four."), "{}", page.body);
    }
}

#[test]
fn bookmarks_are_ones_own_and_newest_first() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let (mut ada, mut ben, first) = ada_and_ben(&cluster, "Tea at four.");
    ada.post("Cake at five.");
    let second = page_of(&ben.get("/@ada"), "ada", "Cake at five.");
    for thread in [&second, &first] {
        let back = format!("{thread}{}", anchor(thread));
        check_act(&mut ben, thread, &format!("{thread}/bookmark"), &back);
    }
    let list = ben.get("/bookmarks").body;
    let at = |text: &str| list.find(text).unwrap_or_else(|| panic!("{list}"));
    assert!(at("Tea at four.") < at("Cake at five."), "the last bookmarked first");
    assert!(!ada.get("/bookmarks").body.contains("at four"));
    let stranger = cluster.person("cleo").get("/bookmarks");
    assert_eq!(stranger.location.as_deref(), Some("/login?next=/bookmarks"));

    let back = format!("/bookmarks{}", anchor(&first));
    check_act(&mut ben, "/bookmarks", &format!("{first}/unbookmark"), &back);
    ada.act(&format!("{second}/delete"), &format!("{second}/delete"), &[]);
    let empty = ben.get("/bookmarks").body;
    assert!(empty.contains("Nothing bookmarked yet."), "{empty}");
}

#[test]
fn edit_keeps_place_and_history() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let (mut ada, mut ben, thread) = ada_and_ben(&cluster, "Tea at fuor.");
    ada.post("Cake at five.");
    let edit = format!("{thread}/edit");
    let form = ada.get(&edit).form(&edit);
    assert_eq!((form.value("text"), form.value("note")), (Some("Tea at fuor."), Some("")));
    assert_eq!(ben.get(&edit).status, 403);

    let saved = ada.submit(&form, &[("text", "Tea at four."), ("note", "About tea")]);
    assert_eq!((saved.status, saved.location.as_deref()), (303, Some(thread.as_str())));
    let page = ben.get("/@ada").body;
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{page}"));
    assert!(at("Cake at five.") < at("Tea at four.") && !page.contains("fuor"));
    assert!(page.contains("Edited · <time"), "{page}");
    let summary = "<details class=\"fold\"><summary dir=\"auto\">About tea</summary>";
    assert!(page.contains(summary), "{page}");

    let history = ben.get(&format!("{thread}/history")).body;
    let at = |text: &str| history.find(text).unwrap_or_else(|| panic!("{history}"));
    assert!(at("Tea at fuor.") < at("Tea at four."));
    assert!(ben.get("/@ada").body.contains(&format!("{thread}/history")));

    // Saving what it says already changes nothing.
    ada.act(&edit, &edit, &[]);
    assert_eq!(super::files::entries(&cluster, "ada", "post_edited"), 1);
    let failed = ada.act(&edit, &edit, &[("text", " "), ("note", &"n".repeat(101))]);
    assert_eq!(failed.status, 422);
    assert!(failed.body.contains("1 character too many. A content note has up to 100."));
    assert_eq!(failed.form(&edit).value("note"), Some("n".repeat(101).as_str()));

    // Another's post is not changed by a form that says so, nor is one's own under another's name.
    let mut forged = ada.get(&edit).form(&edit);
    forged.action = format!("/@ben/{}/edit", thread.rsplit('/').next().unwrap());
    assert_eq!(ada.submit(&forged, &[("text", "changed")]).status, 404);
    ada.act(&format!("{thread}/delete"), &format!("{thread}/delete"), &[]);
    assert_eq!(ben.get(&format!("{thread}/history")).status, 410);
    assert_eq!(ada.submit(&form, &[("text", "Tea at noon.")]).status, 409, "its key was used");
}

#[test]
fn pin_stands_first_until_another_takes_its_place() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let (mut ada, mut ben, first) = ada_and_ben(&cluster, "Tea at four.");
    ada.post("Cake at five.");
    let second = page_of(&ben.get("/@ada"), "ada", "Cake at five.");
    let pin = |thread: &str| format!("{thread}/pin");
    assert!(!has_form(&ben.get(&first), &pin(&first)));
    let order = |ben: &mut Person| {
        let page = ben.get("/@ada").body;
        let at = |text: &str| page.find(text).unwrap_or(usize::MAX);
        assert_eq!(page.matches("Tea at four.").count(), 1, "{page}");
        (page.matches(">Pinned</p>").count(), at("Tea at four.") < at("Cake at five."))
    };
    assert_eq!(order(&mut ben), (0, false));
    check_act(&mut ada, &first, &pin(&first), &format!("{first}{}", anchor(&first)));
    assert_eq!(order(&mut ben), (1, true));
    check_act(&mut ada, &second, &pin(&second), &format!("{second}{}", anchor(&second)));
    assert_eq!(order(&mut ben), (1, false));
    ada.act(&format!("{second}/delete"), &format!("{second}/delete"), &[]);
    assert_eq!(order(&mut ben), (0, true));
}

#[test]
fn note_folds_text_everywhere_and_answers_take_it() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let (mut ada, mut ben) = (cluster.person("ada"), cluster.person("ben"));
    ada.join();
    ben.join();
    ben.follow("ada");
    ada.act("/", "/post", &[("text", "It was the gardener."), ("note", "Ends the book")]);
    let thread = page_of(&ben.get("/"), "ada", "It was the gardener.");
    let folded = "<summary dir=\"auto\">Ends the book</summary>";
    for page in ["/", "/public", "/@ada", &thread] {
        let body = ben.get(page).body;
        assert!(body.contains(folded), "{page}: {body}");
    }
    let form = ben.get(&thread).form("/post");
    assert_eq!(form.value("note"), Some("Ends the book"));
    ben.submit(&form, &[("text", "@ada I knew.")]);
    assert_eq!(ben.get("/@ben").body.matches(folded).count(), 1);
    assert_eq!(ada.get(&format!("{thread}/delete")).body.matches(folded).count(), 1);
    let answer = page_of(&ben.get("/@ben"), "ben", "I knew.");
    assert_eq!(ada.get(&answer).body.matches(folded).count(), 2, "what it answers is folded too");
}

#[test]
fn acts_on_what_is_gone_say_so() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let (mut ada, mut ben, thread) = ada_and_ben(&cluster, "Tea at four.");
    let page = ben.get(&thread);
    let forms = ["like", "repost", "bookmark"].map(|mark| page.form(&format!("{thread}/{mark}")));
    let mut nowhere = forms[0].clone();
    nowhere.action = "/@ada/1/like".to_owned();
    assert_eq!(ben.submit(&nowhere, &[]).status, 404);
    nowhere.action = "/@nobody/1/like".to_owned();
    assert_eq!(ben.submit(&nowhere, &[]).status, 404);
    let away = ben.submit(&forms[0], &[("next", "//evil.example/")]);
    let back = format!("{thread}{}", anchor(&thread));
    assert_eq!(away.location.as_deref(), Some(back.as_str()), "never an open redirect");
    let unlike = ben.get(&thread).form(&format!("{thread}/unlike"));

    let password = ada.password();
    let leave = [("username", "ada"), ("password", password.as_str())];
    ada.act("/settings/leave", "/settings/leave", &leave);
    for form in &forms[1..] {
        assert_eq!(ben.submit(form, &[]).status, 410, "{}", form.action);
    }
    assert_eq!(ben.submit(&unlike, &[]).status, 303, "a like can be taken back all the same");
}
