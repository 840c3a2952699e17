//! What keepers do and what members are told, on pages of the real program: where several parts of it must
//! agree.

use crate::api::app::one_machine;
use crate::cluster::harness::Cluster;
use crate::cluster::person::{Answer, Person};

/// A keeper and these members.
fn kept<const N: usize>(cluster: &Cluster, members: [&str; N]) -> (Person, [Person; N]) {
    let mut kim = cluster.person("kim");
    kim.join();
    let members = members.map(|name| {
        let mut person = cluster.person(name);
        person.join();
        person
    });
    cluster.order(&["admin", "kim"]);
    assert_eq!(kim.login().status, 303);
    (kim, members)
}

/// The address of a post that was just made.
fn posted(person: &mut Person, text: &str) -> String {
    let answer = person.post(text);
    let to = answer.location.unwrap_or_else(|| panic!("{text}: {}", answer.body));
    format!("/@{}/{}", person.name, to.split_once("posted=").unwrap().1)
}

/// The address that a link with these words leads to, if there is one.
fn link(answer: &Answer, words: &str) -> Option<String> {
    let (before, _) = answer.body.split_once(&format!("\">{words}</a>"))?;
    Some(before.rsplit_once("href=\"").unwrap().1.replace("&#38;", "&").replace("&amp;", "&"))
}

/// A post for those named in it that named nobody who is here was kept, and nobody could ever read it.
#[test]
fn r0032_post_for_those_named_is_for_somebody_who_is_here() {
    let cluster = one_machine();
    let (mut kim, [_ben]) = kept(&cluster, ["ben"]);
    let text = "@nobodyhere, hi to @somebody";
    let back = kim.act("/", "/post", &[("text", text), ("for", "named")]);
    let body = back.body.replace("&#64;", "@");
    assert_eq!(back.status, 422, "{body}");
    assert!(body.contains("Nobody here is called @nobodyhere or @somebody."), "{body}");
    assert_eq!(back.form("/post").value("text"), Some(text));
    // One of two is enough, and for others it is no matter.
    let both = kim.act("/", "/post", &[("text", "@ben and @nobodyhere"), ("for", "named")]);
    assert_eq!(both.status, 303, "{}", both.body);
    assert_eq!(kim.act("/", "/post", &[("text", text), ("for", "followers")]).status, 303);
    let to = both.location.unwrap();
    let edit = format!("/@kim/{}/edit", to.split_once("posted=").unwrap().1);
    for (text, words) in [
        ("@nobodyhere alone", "Nobody here is called @nobodyhere."),
        ("to nobody at all", "This is for people named in it, and names nobody."),
    ] {
        let back = kim.act(&edit, &edit, &[("text", text)]);
        let body = back.body.replace("&#64;", "@");
        assert!(back.status == 422 && body.contains(words), "{text}: {body}");
        assert_eq!(back.form(&edit).value("text"), Some(text));
    }
    assert_eq!(kim.act(&edit, &edit, &[("text", "@ben again")]).status, 303);
    kim.keep_session("lang=de");
    let form = kim.get("/").form("/post");
    let back = kim.submit(&form, &[("text", text), ("for", "named")]);
    let body = back.body.replace("&#64;", "@");
    assert!(body.contains("Hier heißt niemand @nobodyhere oder @somebody."), "{body}");
}

/// A keeper was offered to suspend themselves, and told that this was not their user name.
#[test]
fn r0034_keeper_is_not_offered_to_suspend_themselves() {
    let cluster = one_machine();
    let (mut kim, [_ben]) = kept(&cluster, ["ben"]);
    let page = kim.get("/mod/members");
    let of = |user: &str| page.body.contains(&format!("deed=suspend&#38;username={user}"));
    assert!(of("ben") && !of("kim"), "{}", page.body);
    let act = "/mod/act?deed=suspend&username=kim";
    let back = kim.act(act, "/mod/act", &[("reason", "Tired."), ("hours", "1")]);
    assert_eq!(back.status, 422);
    assert!(back.body.contains("You cannot suspend yourself."), "{}", back.body);
    assert!(!back.body.contains("not your username") && !back.body.contains("href=\"#u\""));
}

/// What a keeper did about a reported post left it among the reports.
#[test]
fn r0035_hiding_a_post_or_suspending_its_author_ends_its_reports() {
    let cluster = one_machine();
    let (mut kim, [mut ben, mut mina]) = kept(&cluster, ["ben", "mina"]);
    let posts = ["one", "two", "three"].map(|text| posted(&mut ben, text));
    for post in &posts {
        let report = format!("{post}/report");
        assert_eq!(mina.act(&report, &report, &[("reason", "Rude.")]).status, 303);
    }
    let waiting = |kim: &mut Person| {
        let page = kim.get("/mod");
        posts.each_ref().map(|post| page.body.contains(&format!("href=\"{post}\"")))
    };
    assert_eq!(waiting(&mut kim), [true; 3]);
    let hide = link(&kim.get("/mod"), "Hide the post").unwrap();
    let done = kim.act(&hide, "/mod/act", &[("reason", "We are kind here.")]);
    assert_eq!((done.status, done.location.as_deref()), (303, Some("/mod")));
    assert_eq!(waiting(&mut kim), [false, true, true]);
    // Reported again it waits again.
    let report = format!("{}/report", posts[0]);
    assert_eq!(mina.act(&report, &report, &[("reason", "Still.")]).status, 303);
    assert_eq!(waiting(&mut kim), [true; 3]);
    let suspend = link(&kim.get("/mod"), "Suspend the member").unwrap();
    let done = kim.act(&suspend, "/mod/act", &[("reason", "Too loud."), ("hours", "1")]);
    assert_eq!((done.status, done.location.as_deref()), (303, Some("/mod")));
    assert_eq!(waiting(&mut kim), [true, false, true]);
    let log = kim.get("/mod/log").body;
    assert_eq!(log.matches("closed the reports of a post by").count(), 2, "{log}");
    // A suspension that is about no report ends none.
    let act = "/mod/act?deed=suspend&username=ben";
    assert_eq!(kim.act(act, "/mod/act", &[("reason", "Loud."), ("hours", "2")]).status, 303);
    assert_eq!(waiting(&mut kim), [true, false, true]);
}

/// The log said that a keeper changed how the community is kept, and not what.
#[test]
fn r0035_log_says_which_setting_was_changed_to_what() {
    let cluster = one_machine();
    let (mut kim, []) = kept(&cluster, []);
    let set = |kim: &mut Person, typed: &[(&str, &str)]| {
        let answer = kim.act("/mod/settings", "/mod/settings", typed);
        assert_eq!(answer.status, 303, "{}", answer.body);
    };
    set(&mut kim, &[("signup", "invited"), ("words", "Be kind."), ("members_invite", "1")]);
    let log = kim.get("/mod/log").body;
    for words in [
        "changed how the community is kept.",
        "Who may join: whoever has an invitation",
        "All members may invite, not only keepers: yes",
        "Words for strangers: Be kind.",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    assert!(!log.contains("Members may read what keepers did"), "{log}");
    set(&mut kim, &[("signup", "closed"), ("words", ""), ("members_invite", "1")]);
    let log = kim.get("/mod/log").body;
    let newest = log.split("<li class=\"act\">").nth(1).unwrap();
    for words in ["Who may join: nobody", "Words for strangers: none"] {
        assert!(newest.contains(words), "{words}: {newest}");
    }
    assert!(!newest.contains("All members may invite"), "{newest}");
}

/// Members are written with an @ everywhere but where one signs in.
#[test]
fn r0036_name_to_sign_in_with_may_have_its_at_sign() {
    let cluster = one_machine();
    let (_, [ben]) = kept(&cluster, ["ben"]);
    let sign_in = |typed: &str| {
        let mut device = cluster.person("ben");
        let filled = [("username", typed), ("password", &ben.password())];
        device.act("/login", "/login", &filled)
    };
    for typed in ["@ben", " @Ben "] {
        assert_eq!(sign_in(typed).status, 303, "{typed}");
    }
    for typed in ["@@ben", "@", "ben@"] {
        let back = sign_in(typed);
        assert_eq!((back.status, back.form("/login").value("username")), (422, Some(typed)));
    }
}
