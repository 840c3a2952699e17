//! Every address, signed in and out: status, words, who may keep it.

use super::fake::{Browser, NOW, cluster, location, machines, name, posts, site, site_at, text};
use super::fitting::fitting;
use crate::action::Action;
use crate::clock::Wall;
use crate::id::PostId;
use crate::web::ask::AskError;
use crate::web::request::Method;
use crate::web::response::{Cache, Content, Response};
use crate::wire::request::MachineState::{self, Behind, Down, InStep};
use crate::wire::request::{
    Apart, ChangeKind, ChangeRow, Kept, NotVoting, Outcome, PostPage, ProfilePage as Profile,
    Refusal,
};

#[track_caller]
fn check(response: &Response, status: u16, cache: Cache, words: &[&str]) {
    let html = text(response);
    assert_eq!((response.status, response.cache), (status, cache), "{html}");
    for words in words {
        assert!(html.contains(words), "{words:?} is not in {html}");
    }
}

#[test]
fn pages_signed_in_say_what_they_should() {
    let site = site();
    let mut ada = Browser::ada(&site);
    // What of it was shown is remembered, and a page that sets a cookie is kept by nobody.
    check(&ada.get("/"), 200, Cache::NoStore, &[]);
    let mut check =
        |address: &str, cache, words: &[&str]| check(&ada.get(address), 200, cache, words);
    let private = Cache::Private;
    check(
        "/",
        private,
        &["<title>Home · Fen Lane</title>", "action=\"/post\"", "/?before=896", "3 of 3 machines"],
    );
    check("/?before=896", private, &["the old chapel", "Older posts"]);
    check("/public", private, &["<h1 dir=\"auto\">Everyone</h1>", "action=\"/post\""]);
    check(
        "/@ada",
        private,
        &["Edit profile", "action=\"/logout\"", "2 followers", "Joined <time", "21 February 2020"],
    );
    check("/@ben", private, &["action=\"/@ben/follow\"", "name=\"next\" value=\"/@ben\""]);
    check("/%40ben", private, &["action=\"/@ben/follow\""]);
    check(
        "/@ada/901",
        private,
        &["A deleted post", "<textarea", "name=\"reply_id\" value=\"901\"", "class=\"deep\""],
    );
    check(
        "/@ada/followers",
        private,
        &["Finder of gloves", "action=\"/@ben/unfollow\"", "/@ada/followers?after=mina"],
    );
    check("/@ada/following", private, &["Following"]);
    check(
        "/status",
        private,
        &[
            "All is well.",
            "<table>",
            "41 %",
            "Three machines: apple, birch and cedar up and in step.",
        ],
    );
    let none = Cache::NoStore;
    check("/@ada/901/delete", none, &["Delete this post?", "Keep it", "This cannot be undone."]);
    check(
        "/settings/profile",
        none,
        &["name=\"display_name\" value=\"Ada Lind\"", "Some string.", "action=\"/logout\""],
    );
    check("/settings/profile?saved=1", none, &["<strong>Saved.</strong>"]);
    check("/settings/password", none, &["name=\"current\"", "name=\"new\""]);
    check(
        "/settings/password?ended=2",
        none,
        &["Password changed.", "2 other devices were signed out."],
    );
    check(
        "/settings/devices",
        none,
        &["Firefox on Linux", "Safari on iPhone", "this one", "Sign out everywhere else"],
    );
    check("/settings/leave", none, &["This cannot be undone", "Delete my account"]);
}

#[test]
fn pages_signed_out_say_what_they_should() {
    let site = site();
    let mut stranger = Browser::stranger(&site);
    let mut check =
        |address: &str, cache, words: &[&str]| check(&stranger.get(address), 200, cache, words);
    let public = Cache::Public;
    check(
        "/",
        public,
        &[
            "<title>Welcome · Fen Lane</title>",
            "href=\"/join\"",
            "href=\"/login\"",
            "the old chapel",
        ],
    );
    check("/?left=1", public, &["Your account is gone."]);
    check("/public", public, &["Everyone", "the old chapel"]);
    check("/@ada", public, &["Ada Lind", "5 posts"]);
    check("/@ada/901", public, &["Sign in to reply", "/login?next=/@ada/901"]);
    check("/@ada/followers", public, &["Ben Kroll"]);
    check("/status", public, &["All is well."]);
    check("/robots.txt", public, &["Disallow: /settings/"]);
    check("/healthz", Cache::NoStore, &["ok"]);
    check(
        "/join",
        Cache::NoStore,
        &["Join Fen Lane", "autocomplete=\"new-password\"", "8 characters or more."],
    );
    check("/login", Cache::NoStore, &["Lost your password? Ask the keeper.", "type=\"password\""]);
    check("/login?show=1", Cache::NoStore, &["name=\"password\" value=\"\"", "Hide password"]);
}

#[test]
fn pages_for_strangers_hold_no_forms_but_their_own() {
    let site = site();
    let mut stranger = Browser::stranger(&site);
    for address in ["/", "/public", "/@ada", "/@ada/901", "/@ada/followers", "/status"] {
        let response = stranger.get(address);
        assert!(!text(&response).contains("<form"), "{address}");
        assert_eq!(response.cookies, [], "{address}");
    }
    assert!(!text(&stranger.get("/status")).contains("<table"), "the table is for members");
}

/// In a script that runs from right to left it stood at the far end of its line, away from picture and `@name`.
#[test]
fn r0185_name_on_a_profile_stands_where_every_name_does() {
    let page = text(&Browser::stranger(&site()).get("/@ada"));
    assert!(page.contains("<h1><bdi>Ada Lind</bdi></h1>"), "{page}");
}

#[test]
fn profile_says_what_stands_between_two() {
    let cases = [
        (Apart { mutes: true, ..Apart::default() }, "You have muted Ada Lind.", "/@ben/unmute"),
        (Apart { blocks: true, ..Apart::default() }, "You have blocked Ada", "/@ben/unblock"),
        (
            Apart { is_blocked: true, ..Apart::default() },
            "Ada Lind has blocked you.",
            "/@ben/block",
        ),
    ];
    for (apart, words, action) in cases {
        let site = site().answering(move |asked| {
            Ok(match fitting(asked) {
                Outcome::Profile(profile) => {
                    let page = PostPage { posts: Vec::new(), older: None, ..profile.page };
                    Outcome::Profile(Profile {
                        apart: Some(apart),
                        followed: None,
                        page,
                        ..profile
                    })
                }
                other => other,
            })
        });
        let html = text(&Browser::ada(&site).get("/@ben"));
        for words in [words, &format!("action=\"{action}\""), "Their posts are not shown to you."] {
            assert!(html.contains(words), "{words:?} is not in {html}");
        }
        assert!(!html.contains("/@ben/follow\""), "nobody is offered what is refused");
    }
}

#[test]
fn settings_signed_out_go_to_sign_in() {
    let site = site();
    for page in ["profile", "password", "devices", "people", "invitations", "leave"] {
        let address = format!("/settings/{page}");
        let mut stranger = Browser::stranger(&site);
        assert_eq!(location(&stranger.get(&address)), format!("/login?next={address}"));
        assert_eq!(site.last_asked().map(|_| ()), None, "a stranger needs no backend");
    }
    *site.ask.knows_session.lock() = false;
    let mut ada = Browser::ada(&site);
    assert_eq!(location(&ada.get("/settings/leave")), "/login?next=/settings/leave");
    assert!(!ada.cookies.contains_key("s"), "a session that is over is forgotten");
    let mut stranger = Browser::stranger(&site);
    assert_eq!(location(&stranger.get("/@ada/901/delete")), "/login?next=/@ada/901/delete");
}

#[test]
fn join_and_login_signed_in_go_home() {
    let site = site();
    let mut ada = Browser::ada(&site);
    assert_eq!(location(&ada.get("/join")), "/");
    assert_eq!(location(&ada.get("/login?next=/@ben")), "/@ben");
    for evil in
        ["//evil", "/%5Cevil", "/%2Fevil", "https:evil", "/%09/evil", "%2F%2Fevil", "/a%0D%0AX:y"]
    {
        assert_eq!(location(&ada.get(&format!("/login?next={evil}"))), "/", "{evil}");
    }
}

#[test]
fn session_over_shows_landing_and_is_forgotten() {
    let site = site().answering(|action| {
        Ok(match action {
            Action::Home(_) => Outcome::Refused(Refusal::SignedOut),
            other => fitting(other),
        })
    });
    *site.ask.knows_session.lock() = false;
    let mut ada = Browser::ada(&site);
    check(&ada.get("/"), 200, Cache::NoStore, &["Welcome"]);
    assert!(ada.cookies.is_empty());
}

#[test]
fn s16_session_kept_while_machine_is_cut_off() {
    let site = site();
    *site.ask.knows_session.lock() = false;
    site.ask.cluster.lock().stale_since = Some(Wall(1_700_000_000_000 - 29_469_000));
    let mut ada = Browser::ada(&site);
    let home = ada.get("/");
    check(
        &home,
        200,
        Cache::Private,
        &["This is <bdi>birch</bdi>’s copy of ", ">14:02:11</time>. Newer posts may be missing."],
    );
    assert_eq!(ada.cookies.len(), 3, "cut off is not signed out");
}

#[test]
fn session_cookies_renewed_when_version_moved_or_gone() {
    let site = site();
    let mut ada = Browser::ada(&site);
    // What of the home page was shown is remembered at the first visit.
    ada.get("/");
    assert_eq!(ada.get("/").cookies, []);
    ada.cookies.remove("v");
    // Without a version the backend tells one; this one tells none, so only the session is set.
    let home = ada.get("/");
    assert_eq!((home.cookies.len(), home.cache), (1, Cache::NoStore));
}

#[test]
fn s04_password_fields_say_what_they_are() {
    let fields = |html: &str| -> Vec<String> {
        let tags = html.split('<').filter(|tag| tag.starts_with("input"));
        let tags = tags.filter(|tag| tag.contains("type=\"password\""));
        tags.map(|tag| tag.split('>').next().unwrap().to_owned()).collect()
    };
    let site = site();
    for (address, expected) in [
        ("/join", &["new"] as &[_]),
        ("/login", &["current"]),
        ("/settings/password", &["current", "new"]),
        ("/settings/leave", &["current"]),
        ("/mod/settings", &["current"]),
    ] {
        let is_stranger = matches!(address, "/join" | "/login");
        let mut browser = if is_stranger { Browser::stranger(&site) } else { Browser::ada(&site) };
        let found = fields(&text(&browser.get(address)));
        assert_eq!(found.len(), expected.len(), "{address}: {found:?}");
        for (field, kind) in found.iter().zip(expected) {
            assert!(field.contains(&format!("autocomplete=\"{kind}-password\"")), "{field}");
            for hindrance in ["maxlength", "pattern", "onpaste", "readonly"] {
                assert!(!field.contains(hindrance), "{field}");
            }
        }
    }
}

#[test]
fn s14_cookies_have_prefix_on_https() {
    let site = site_at("https://fen.example");
    let mut ada = Browser::ada(&site);
    assert!(
        text(&ada.get("/")).contains("Welcome"),
        "a cookie without its prefix counts for nothing"
    );
    let plain = std::mem::take(&mut ada.cookies);
    ada.cookies =
        plain.into_iter().map(|(name, value)| (format!("__Host-{name}"), value)).collect();
    assert!(text(&ada.get("/")).contains("<title>Home"));
}

#[test]
fn posted_is_said_and_the_post_stands_out() {
    let site = site().answering(|action| match action {
        Action::Home(page) => {
            assert_eq!(page.posted, Some(PostId::from_raw(900)));
            let kept = Kept { post: PostId::from_raw(900), on: 2, of: 3 };
            Ok(Outcome::Posts(PostPage { just_posted: Some(kept), ..posts() }))
        }
        other => Ok(fitting(other)),
    });
    let html = text(&Browser::ada(&site).get("/?posted=900"));
    assert!(
        html.contains("<strong>Posted.</strong>\nKept on 2 of 3; the third will catch up."),
        "{html}"
    );
    assert!(html.contains("<article id=\"p900\" class=\"post own-new\""));
    assert_eq!(html.matches("own-new").count(), 1);
    let before = text(&Browser::ada(&super::fake::site()).get("/"));
    assert!(!before.contains("own-new"), "no post of one's own is new by itself");
}

#[test]
fn home_empty_suggests_people() {
    let site = site().answering(|action| match action {
        Action::Home(_) => Ok(Outcome::Posts(PostPage {
            posts: Vec::new(),
            older: None,
            suggestions: super::fake::people(),
            just_posted: None,
        })),
        other => Ok(fitting(other)),
    });
    let html = text(&Browser::ada(&site).get("/"));
    for words in [
        "People to follow",
        "action=\"/@mina/follow\"",
        "See what everyone is saying",
        "Nothing yet.",
    ] {
        assert!(html.contains(words), "{words}");
    }
    assert!(!html.contains("That’s everything."));
}

#[test]
fn errors_have_their_pages() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let none = Cache::NoStore;
    check(
        &ada.get("/nothing"),
        404,
        none,
        &["<title>Error: Not found · Fen Lane</title>", "Request r1"],
    );
    check(&ada.get("/post"), 405, none, &["Not a page"]);
    check(&ada.post("/public", &[]), 405, none, &["Not a page"]);
    check(&ada.get("/?before=x"), 400, none, &["Not understood"]);
    check(&ada.get("/?before=1&before=2"), 400, none, &["Not understood"]);
    check(&ada.get("/@ada/followers?after=No"), 400, none, &["Not understood"]);
    check(&ada.get("/%zz"), 404, none, &["Not found"]);
    check(&ada.get("/@ben/901/delete"), 403, none, &["Not allowed"]);
    let bare = crate::web::request::Request::bare(Method::Get, "/");
    let request = crate::web::request::Request { id: "r2".to_owned(), ..bare };
    for status in [400, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503] {
        let response = site.error_page(&request, status);
        check(&response, status, none, &["<title>Error: ", "Request r2"]);
    }
}

#[test]
fn refusals_of_pages_have_their_status() {
    let by = |refusal: Refusal| site().answering(move |_| Ok(Outcome::Refused(refusal.clone())));
    let none = Cache::NoStore;
    check(
        &Browser::ada(&by(Refusal::NotFound)).get("/@eve"),
        404,
        none,
        &["Nobody here is called @eve.", "name=\"q\" type=\"search\" value=\"eve\""],
    );
    check(&Browser::ada(&by(Refusal::Gone)).get("/@rose_bay"), 410, none, &["rose_bay has left"]);
    check(&Browser::ada(&by(Refusal::Gone)).get("/@eve/1"), 410, none, &["Gone"]);
    let busy = by(Refusal::Busy { retry_after_s: 3 });
    let response = Browser::ada(&busy).get("/");
    check(&response, 503, none, &["Not reachable"]);
    assert_eq!(response.retry_after_s, Some(3));
    let detail = "secret".to_owned();
    let response = Browser::ada(&by(Refusal::BadRequest { detail })).get("/public");
    check(&response, 400, none, &["Not understood"]);
    assert!(!text(&response).contains("secret"));
}

#[test]
fn backends_unreachable_give_503_everywhere() {
    let site = site().answering(|_| Err(AskError::Unreachable { asked: false }));
    let pages = [
        "/",
        "/public",
        "/join",
        "/login",
        "/@ada",
        "/@ada/901",
        "/@ada/followers",
        "/settings/profile",
        "/settings/devices",
    ];
    for address in pages {
        for mut browser in [Browser::ada(&site), Browser::stranger(&site)] {
            let response = browser.get(address);
            if response.status != 303 {
                check(
                    &response,
                    503,
                    Cache::NoStore,
                    &["Error: Not reachable", "Nothing is lost."],
                );
                assert_eq!(response.retry_after_s, Some(10));
            }
        }
    }
    check(&Browser::ada(&site).get("/status"), 503, Cache::NoStore, &["Can’t tell"]);
    let healthy = Browser::stranger(&site).get("/healthz");
    assert_eq!((healthy.status, text(&healthy)), (200, "ok\n".to_owned()));
}

#[test]
fn answer_to_another_question_is_500() {
    let site = site().answering(|_| Ok(Outcome::Checked));
    for address in ["/", "/public", "/@ada", "/@ada/901", "/@ada/followers", "/status"] {
        check(&Browser::ada(&site).get(address), 500, Cache::NoStore, &["Something broke"]);
    }
}

#[test]
fn readiness_tells_of_writes() {
    let ready = |states: &'static [MachineState], address: &str| {
        let site = site().answering(move |_| Ok(Outcome::Status(machines(states))));
        let response = Browser::stranger(&site).get(address);
        (response.status, text(&response))
    };
    assert_eq!(ready(&[InStep; 3], "/readyz"), (200, "writes: ok\n".to_owned()));
    assert_eq!(ready(&[InStep; 3], "/readyz?writes=1"), (200, "writes: ok\n".to_owned()));
    let alone = &[InStep, Down, Down];
    assert_eq!(ready(alone, "/readyz"), (200, "writes: no-majority\n".to_owned()));
    assert_eq!(ready(alone, "/readyz?writes=1"), (503, "writes: no-majority\n".to_owned()));
    let lacking = site().answering(|_| {
        let mut status = machines(&[InStep; 3]);
        status.machines[1].pictures_missing = 3;
        Ok(Outcome::Status(status))
    });
    let response = Browser::stranger(&lacking).get("/readyz?writes=1");
    let told = "writes: ok\npictures: 3 missing on machine 2\n";
    assert_eq!((response.status, text(&response).as_str()), (200, told));
    let site = site().answering(|_| Err(AskError::Unreachable { asked: true }));
    assert_eq!(Browser::stranger(&site).get("/readyz").status, 503);
}

#[test]
fn status_tells_of_each_state() {
    let status = |states: &'static [MachineState]| {
        let site = site().answering(move |_| Ok(Outcome::Status(machines(states))));
        *site.ask.cluster.lock() = cluster(states);
        text(&Browser::ada(&site).get("/status"))
    };
    let one_down = status(&[InStep, InStep, Down]);
    for words in [
        "2 of 3 machines",
        "Working, with one machine down.",
        "cedar down for 6 minutes.",
        "<title>Machines",
    ] {
        assert!(one_down.contains(words), "{words}: {one_down}");
    }
    assert!(status(&[InStep, Down, Down]).contains("Nothing can be saved just now."));
    assert!(status(&[InStep, Behind, InStep]).contains("one machine is catching up."));
    assert!(status(&[InStep]).contains("1 of 1 machine"));
}

#[test]
fn status_tells_members_why_and_what_changed() {
    let site = site().answering(|_| {
        let mut status = machines(&[InStep, Behind, Behind]);
        status.machines[1].behind = Some(12);
        (status.machines[2].refuses, status.machines[2].talks_to) =
            (Some(NotVoting::NoSpace), vec![status.machines[2].node]);
        let machine = "<cedar>".to_owned();
        let at = Wall(NOW.0 - 120_000);
        status.changes = vec![ChangeRow { at, machine, what: ChangeKind::VoteRefused }];
        Ok(Outcome::Status(status))
    });
    let page = text(&Browser::ada(&site).get("/status"));
    for words in [
        "Working; one machine refuses votes.",
        "<td>Catching up, 12 behind</td>",
        "<td>Refuses votes: disk full</td>",
        "apple up and in step; cedar up and refusing votes; birch up and catching up; \
         apple and cedar do not reach each other; birch and cedar do not reach each other.",
        "2 min</time> <span><bdi>&#60;cedar&#62;</bdi> refuses votes: disk full",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(page.matches("class=\"cut\"").count(), 2, "{page}");
    let strangers = text(&Browser::stranger(&site).get("/status"));
    assert!(strangers.contains("Working; one machine refuses votes."), "{strangers}");
    assert!(!strangers.contains("<table>") && !strangers.contains("Last changes"), "{strangers}");
}

#[test]
fn assets_served_under_their_hash() {
    let site = site();
    let mut browser = Browser::stranger(&site);
    let html = text(&browser.get("/"));
    let address = |before: &str, after: &str| {
        let start = html.find(before).unwrap();
        html[start..].split(after).next().unwrap().to_owned()
    };
    let style = address("/s/style-", "\"");
    let response = browser.get(&style);
    assert_eq!(
        (response.status, response.content, response.cache),
        (200, Content::Css, Cache::Forever)
    );
    let dots = browser.get(&address("/s/dots-", "\""));
    assert_eq!((dots.content, dots.cache), (Content::Svg, Cache::Forever));
    let other = browser.get("/s/style-0123456789ab.css");
    assert_eq!((other.status, other.cache), (200, Cache::Public));
    assert_eq!(browser.get("/s/style.css").status, 404);
}

#[test]
fn requests_of_one_person_go_where_theirs_go() {
    let site = site();
    Browser::ada(&site).get("/@ben");
    Browser::stranger(&site).get("/@ben");
    Browser::stranger(&site).get("/public");
    let about: Vec<_> = site.ask.asked.lock().iter().map(|(about, _)| about.clone()).collect();
    assert_eq!(about, [Some(name("ada")), Some(name("ben")), None]);
}

#[test]
fn page_unchanged_is_the_same_to_the_byte() {
    let site = site();
    let mut ada = Browser::ada(&site);
    for address in ["/", "/public", "/@ben", "/@ada/901", "/@ada/followers"] {
        assert_eq!(ada.get(address).body, ada.get(address).body, "{address}");
    }
}
