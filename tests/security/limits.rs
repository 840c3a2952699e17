//! Statement 42 off the wire: how often is too often.

use tern::limits::{
    ACTS_HOUR_MAX, API_CALLS_MAX, BODY_BYTES_MAX, EXPORTS_DAY_MAX, JOINS_DAY_NETWORK_MAX,
    JOINS_HOUR_ADDRESS_MAX, PICTURES_HOUR_MAX, POST_CHARS_MAX, POSTS_HOUR_MAX, POSTS_MINUTE_MAX,
    SEARCHES_MINUTE_MAX, USER_FILE_BYTES_MAX,
};

use super::wire::{Site, cookies};
use crate::api::app::App;
use crate::cluster::person::{Answer, Person};

/// Bytes of a post's line besides its text and what an earlier one said, at most.
const LINE_BYTES: usize = 1024;

// Who posts as often as is let by does not fill their file in three days, whatever they post.
const _: () =
    assert!(3 * 24 * POSTS_HOUR_MAX * (POST_CHARS_MAX * 4 + LINE_BYTES) <= USER_FILE_BYTES_MAX);

/// Fails unless it was too often, and says when it is not.
#[track_caller]
fn check_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 429, "{what}: {}", answer.body);
    let seconds = answer.header("retry-after").unwrap_or_else(|| panic!("{what}"));
    assert!(seconds.parse::<u32>().unwrap() > 0, "{what}: {seconds}");
}

/// Somebody about to join from an address.
fn joins(site: &Site, name: &str, address: &str) -> Answer {
    let mut person = site.cluster.person(name).through_proxy(address);
    let password = person.password();
    person.act("/join", "/join", &[("username", name), ("password", &password)])
}

#[test]
fn s42_posts_and_small_acts_of_a_member_are_limited() {
    let site = Site::start(&["--rate-limits=on"]);
    let mut ada = site.member("ada");
    site.member("ben");
    for n in 0..POSTS_MINUTE_MAX {
        assert_eq!(ada.post(&format!("Tea number {n}")).status, 303);
    }
    let refused = ada.post("One tea too many");
    check_refused(&refused, "a post");
    assert!(refused.body.contains("One tea too many"), "what was typed comes back");
    assert_eq!(site.file_of("ada").matches("\"posted\"").count(), POSTS_MINUTE_MAX);
    // Acts of all kinds count together, done before or not; posts do not count among them.
    let post = ada.get("/@ada").body;
    let at = post.find("/@ada/1").unwrap();
    let post: String = post[at..].chars().take_while(|c| *c != '"' && *c != '#').collect();
    let follow = ada.get("/@ben").form("/@ben/follow");
    let (page, mark) = (ada.get(&post), format!("{post}/bookmark"));
    let mark = page.form(&mark);
    for n in 0..ACTS_HOUR_MAX {
        let form = [&follow, &mark][n % 2];
        assert_eq!(ada.submit(form, &[]).status, 303, "{n}");
    }
    for form in [&follow, &mark] {
        check_refused(&ada.submit(form, &[]), &form.action);
    }
    let typed = [("display_name", "A."), ("bio", "")];
    let profile = ada.act("/settings/profile", "/settings/profile", &typed);
    check_refused(&profile, "a name");
    // It is hers alone.
    let mut ben = Person::new(&site.cluster.address(), "ben");
    assert_eq!((ben.login().status, ben.post("Mine").status), (303, 303));
    assert_eq!(ben.act("/@ada", "/@ada/follow", &[]).status, 303);
}

#[test]
fn s42_joining_is_limited_by_address_and_by_network() {
    let site = Site::start(&["--rate-limits=on", "--trusted-proxies=127.0.0.1"]);
    let mut joined = 0;
    for address in 0..JOINS_DAY_NETWORK_MAX / JOINS_HOUR_ADDRESS_MAX {
        let from = format!("203.0.113.{}", address + 1);
        for _ in 0..JOINS_HOUR_ADDRESS_MAX {
            joined += 1;
            assert_eq!(joins(&site, &format!("member_{joined}"), &from).status, 303, "{from}");
        }
        let refused = joins(&site, "eve", &from);
        check_refused(&refused, &from);
        assert!(refused.body.contains("value=\"eve\""), "what was typed comes back");
    }
    // Another address of that network is refused, too, and one of another network is not.
    check_refused(&joins(&site, "eve", "203.0.113.99"), "the network");
    assert!(!site.cluster.node_data(1).join("users/eve.jsonl").exists());
    assert_eq!(joins(&site, "eve", "203.0.114.99").status, 303);
}

#[test]
fn s42_an_apps_calls_are_limited_by_its_token() {
    const OWN: &str = "/api/v1/accounts/verify_credentials";
    let site = Site::start(&["--app-calls=300"]);
    assert_eq!(API_CALLS_MAX, 300, "what it is where nobody says so");
    let mut ada = site.member("ada");
    let [app, other] = [(); 2].map(|()| App::of(&site.cluster, &mut ada, "read write"));
    for left in (0..API_CALLS_MAX).rev() {
        let heard = app.get(OWN);
        assert_eq!(heard.status, 200, "{heard:?}");
        assert_eq!(heard.header("x-ratelimit-remaining"), Some(left.to_string().as_str()));
    }
    let heard = app.get(OWN);
    assert_eq!(heard.status, 429, "{heard:?}");
    assert!(heard.header("x-ratelimit-reset").is_some());
    let write = app.post("/api/v1/statuses", &serde_json::json!({ "status": "One too many" }));
    assert_eq!(write.status, 429, "{write:?}");
    assert!(!site.file_of("ada").contains("One too many"));
    assert_eq!(other.get(OWN).status, 200, "another app of hers");
    assert_eq!(ada.get("/").status, 200, "her browser");
}

#[test]
fn s42_searches_and_downloads_are_limited() {
    let site = Site::start(&["--rate-limits=on"]);
    let mut ada = site.member("ada");
    assert_eq!(ada.post("A ladder").status, 303);
    for lines in [cookies(&ada), String::new()] {
        for n in 0..SEARCHES_MINUTE_MAX {
            assert_eq!(site.get("/search?q=ladder", &lines).status, 200, "{n}");
        }
        let reply = site.get("/search?q=ladder", &lines);
        assert_eq!(reply.status, 429, "{}", reply.head);
        assert!(reply.header("Retry-After").unwrap().parse::<u32>().unwrap() > 0);
        // Nothing was looked for: the page itself is still there.
        assert_eq!(site.get("/search", &lines).status, 200);
    }
    for n in 0..EXPORTS_DAY_MAX {
        let page = ["tern.json", "posts.html"][n % 2];
        assert_eq!(ada.get(&format!("/settings/data/{page}")).status, 200, "{n}");
    }
    check_refused(&ada.get("/settings/data/tern.json"), "a download");
}

/// Decoding keeps one thread busy that all have: whoever has sent as many pictures as they may is told so
/// before it is looked at what it is that they send.
#[test]
fn r0058_picture_too_many_is_not_decoded() {
    let site = Site::start(&["--rate-limits=on"]);
    let mut ada = site.member("ada");
    let app = App::of(&site.cluster, &mut ada, "read write");
    let media = ("POST", "/api/v2/media");
    let none = b"This is no picture, as its first bytes say.";
    let refused = app.send_parts(media, &[], &[("file", none)]).unwrap();
    assert_eq!(refused.status, 422, "{refused:?}");
    for n in 0..PICTURES_HOUR_MAX {
        let sent = app.send_parts(media, &[], &[("file", &dot(n))]).unwrap();
        assert_eq!(sent.status, 200, "{n}: {sent:?}");
    }
    let large = vec![7; BODY_BYTES_MAX * 2];
    for file in [none.as_slice(), &dot(1_000), &large] {
        let refused = app.send_parts(media, &[], &[("file", file)]).unwrap();
        assert_eq!(refused.status, 429, "{refused:?}");
        let update = ("PATCH", "/api/v1/accounts/update_credentials");
        let refused = app.send_parts(update, &[], &[("avatar", file)]).unwrap();
        assert_eq!(refused.status, 429, "{refused:?}");
        let form = ada.act("/", "/post", &[("text", "Look"), ("more", "")]).form("/post");
        let answer = ada.submit_files(&form, &[("text", "What I typed")], &[("picture_1", file)]);
        check_refused(&answer, "a picture in a form");
        assert!(answer.body.contains("What I typed"), "what was typed comes back");
    }
    assert_eq!(ada.post("Without any").status, 303);
}

/// A small picture that no other is like.
fn dot(n: usize) -> Vec<u8> {
    let n = u32::try_from(n).unwrap();
    let mut file = std::io::Cursor::new(Vec::new());
    let [_, a, b, c] = n.to_be_bytes();
    let dot = image::RgbImage::from_pixel(4, 4, image::Rgb([a, b, c]));
    dot.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

#[test]
fn s42_switched_off_nothing_is_limited() {
    // As when somebody tries it on their own machine, which is the default there.
    let site = Site::start(&[]);
    let mut ada = site.member("ada");
    for n in 0..=POSTS_MINUTE_MAX {
        assert_eq!(ada.post(&format!("Tea number {n}")).status, 303);
    }
    for n in 0..=SEARCHES_MINUTE_MAX {
        assert_eq!(site.get("/search?q=tea", "").status, 200, "{n}");
    }
    for n in 0..=JOINS_HOUR_ADDRESS_MAX {
        site.member(&format!("member_{n}"));
    }
    for _ in 0..=EXPORTS_DAY_MAX {
        assert_eq!(ada.get("/settings/data/tern.json").status, 200);
    }
}
