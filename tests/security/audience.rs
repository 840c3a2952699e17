//! Statement 52: what is meant for few is shown to these few, and to nobody else, by whatever road.

use std::io::{BufRead, BufReader, Cursor};

use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};

use super::wire::Site;
use crate::api::app::{App, Heard, OUT_OF_BAND};
use crate::cluster::harness::{Cluster, Options};
use crate::cluster::person::Person;

/// A word that stands nowhere but in what is for few.
const SECRET: &str = "kingfisher";
/// Stands in the last post that everybody hears of.
const MARKER: &str = "lighthouse";

/// Somebody at a browser and with an app; a stranger has no account.
struct Role {
    name: &'static str,
    person: Person,
    app: App,
}

/// Everybody whom a post of ada's may concern.
struct Town {
    roles: Vec<Role>,
    /// Ada's number.
    ada: String,
}

/// Who writes; whom they name; who follows, who did and does no more; anybody; whom they named and have
/// blocked since.
const NAMES: [&str; 6] = ["ada", "nora", "felix", "floyd", "otto", "bruno"];

impl Town {
    fn of(cluster: &Cluster) -> Self {
        let join = |name: &'static str| {
            let mut person = cluster.person(name);
            person.join();
            let app = App::of(cluster, &mut person, "read write follow");
            Role { name, person, app }
        };
        let mut roles: Vec<Role> = NAMES.into_iter().map(join).collect();
        let app = App::introduce(&cluster.address(), "read", OUT_OF_BAND);
        roles.push(Role { name: "stranger", person: cluster.person("stranger"), app });
        let ada = roles[0].app.get("/api/v1/accounts/verify_credentials").text("id");
        let mut town = Self { roles, ada };
        for name in ["felix", "floyd", "bruno"] {
            town.act(name, "follow");
        }
        town
    }

    fn role(&self, name: &str) -> &Role {
        self.roles.iter().find(|role| role.name == name).unwrap()
    }

    /// What somebody does with ada.
    fn act(&mut self, name: &str, act: &str) {
        let path = format!("/api/v1/accounts/{}/{act}", self.ada);
        assert_eq!(self.role(name).app.post(&path, &json!({})).status, 200, "{name} {act}");
    }

    /// Ada's post, its number and its address here.
    fn post(&self, says: &Value) -> (String, String) {
        let heard = self.role("ada").app.post("/api/v1/statuses", says);
        assert_eq!(heard.status, 200, "{heard:?}");
        (heard.text("id"), format!("/@ada/{}", heard.text("id")))
    }

    fn picture(&self, description: &str) -> String {
        let mut file = Cursor::new(Vec::new());
        // Of one content there is one file, shown to whoever may see either post.
        let width = 40 + u32::from(description.as_bytes()[0]);
        RgbImage::new(width, 20).write_to(&mut file, ImageFormat::Png).unwrap();
        self.role("ada").app.send_picture(&file.into_inner(), description)
    }
}

/// Asks as an app; the bytes that came.
fn raw(app: &App, path: &str) -> (u16, String) {
    let Heard { status, value, .. } = app.get(path);
    (status, value.to_string())
}

/// Everything that is done to a post by its number.
const ACTS: [&str; 9] = [
    "favourite",
    "bookmark",
    "reblog",
    "pin",
    "unfavourite",
    "unbookmark",
    "unreblog",
    "unpin",
    "mute",
];

/// Lists in which it might stand, for apps.
fn lists(town: &Town, post: &Walked) -> Vec<String> {
    let of = |rest: &str| format!("/api/v1/accounts/{}/statuses{rest}", town.ada);
    let mut lists: Vec<String> = [
        "/api/v1/timelines/home",
        "/api/v1/timelines/public",
        "/api/v1/timelines/public?only_media=true",
        "/api/v1/timelines/public?local=true&min_id=1",
        "/api/v1/timelines/tag/river",
        "/api/v1/timelines/tag/river?only_media=true",
        "/api/v1/notifications",
        "/api/v1/notifications?types[]=mention",
        "/api/v1/bookmarks",
        "/api/v1/favourites",
        "/api/v2/search?type=statuses&q=%23river",
        "/api/v2/search?type=statuses&q=from:ada",
        "/api/v2/search?q=%40ada&type=statuses",
        "/api/v1/trends/statuses",
    ]
    .map(str::to_owned)
    .to_vec();
    lists.extend(["", "?only_media=true", "?pinned=true", "?tagged=river", "?min_id=1"].map(of));
    lists.push(format!("/api/v2/search?type=statuses&q={}", post.secret));
    lists.push(format!("/api/v2/search?resolve=true&q={}", post.url));
    lists
}

/// Pages in which it might stand.
const PAGES: [&str; 12] = [
    "/",
    "/public",
    "/@ada",
    "/@ada.atom",
    "/public.atom",
    "/tag/river",
    "/tag/river.atom",
    "/search",
    "/search?q=%23river",
    "/search?q=%40ada",
    "/mentions",
    "/bookmarks",
];

/// A post whose every road is walked, and the one that it answers.
struct Walked {
    /// A word that stands nowhere else.
    secret: &'static str,
    id: String,
    page: String,
    url: String,
    /// Its picture's address, without a code.
    picture: String,
    root: String,
    /// What one who may read it answered, for everybody.
    answer: String,
}

fn check_outsider(town: &mut Town, name: &str, post: &Walked) {
    let role = town.role(name);
    let of = |rest: &str| format!("/api/v1/statuses/{}{rest}", post.id);
    for rest in ["", "/context", "/history", "/source", "/favourited_by", "/reblogged_by"] {
        let (status, body) = raw(&role.app, &of(rest));
        let is_refused = status == 404 || (name == "stranger" && status == 401);
        assert!(is_refused && !body.contains(post.secret), "{name} {rest}: {status} {body}");
    }
    for act in ACTS {
        let heard = role.app.post(&of(&format!("/{act}")), &json!({}));
        let is_refused = heard.status == 404 || (name == "stranger" && heard.status == 401);
        assert!(is_refused, "{name} {act}: {heard:?}");
    }
    let reply = json!({ "status": "Me too", "in_reply_to_id": post.id });
    let status = role.app.post("/api/v1/statuses", &reply).status;
    assert_eq!(status, if name == "stranger" { 401 } else { 404 }, "{name}");
    for list in lists(town, post) {
        let (_, body) = raw(&role.app, &list);
        assert!(!body.contains(post.secret) && !body.contains(&post.id), "{name} {list}: {body}");
    }
    // Around it: what it answers, and what answers it.
    let root = role.app.get(&format!("/api/v1/statuses/{}", post.root));
    // Whom ada has blocked sees nothing of hers.
    if name != "bruno" {
        assert_eq!(root.value["replies_count"], json!(0), "{name}");
    }
    for around in [&post.root, &post.answer] {
        for rest in ["", "/context"] {
            let (_, body) = raw(&role.app, &format!("/api/v1/statuses/{around}{rest}"));
            assert!(!body.contains(post.secret), "{name} {around}{rest}: {body}");
        }
    }
    let role = town.roles.iter_mut().find(|role| role.name == name).unwrap();
    let root_page = format!("/@ada/{}", post.root);
    let answer_page = format!("/@nora/{}", post.answer);
    let search = format!("/search?q={}", post.secret);
    for page in PAGES.into_iter().chain([root_page.as_str(), &answer_page, &search]) {
        let answer = role.person.get(page);
        // A search says again what was looked for.
        let mut body = answer.body;
        for said in ["value=\"WORD\"", "<b dir=\"auto\">WORD</b>", "q=WORD"] {
            body = body.replace(&said.replace("WORD", post.secret), "");
        }
        assert!(!body.contains(post.secret), "{name} {page}: {body}");
    }
    let history = format!("{}/history", post.page);
    for page in [&post.page, &history, &post.picture] {
        let answer = role.person.get(page);
        let is_gone = answer.status == 404 || (name == "stranger" && answer.status == 303);
        assert!(is_gone && !answer.body.contains(post.secret), "{name} {page}: {}", answer.status);
    }
}

fn check_reader(town: &mut Town, name: &str, post: &Walked) {
    let role = town.role(name);
    let of = |rest: &str| format!("/api/v1/statuses/{}{rest}", post.id);
    for rest in ["", "/history"] {
        let (status, body) = raw(&role.app, &of(rest));
        assert!(status == 200 && body.contains(post.secret), "{name} {rest}: {status} {body}");
    }
    assert_eq!(role.app.get(&of("/context")).status, 200);
    let address = role.app.get(&of("")).value["media_attachments"][0]["url"].clone();
    assert_eq!(role.app.fetch(address.as_str().unwrap()).0, 200, "{name} {address}");
    // Nobody shows it to others, not even who wrote it; the rest is theirs to do.
    assert_eq!(role.app.post(&of("/reblog"), &json!({})).status, 422, "{name}");
    for act in ["favourite", "bookmark"] {
        assert_eq!(role.app.post(&of(&format!("/{act}")), &json!({})).status, 200, "{name}");
    }
    let profile = format!("/api/v1/accounts/{}/statuses", town.ada);
    let home = "/api/v1/timelines/home";
    for list in ["/api/v1/bookmarks", "/api/v1/favourites", &profile, home] {
        // At home stands whom one follows.
        let is_there = name != "nora" || list != home;
        assert_eq!(raw(&role.app, list).1.contains(post.secret), is_there, "{name} {list}");
    }
    for list in ["/api/v1/timelines/public", "/api/v1/timelines/tag/river"] {
        assert!(!raw(&role.app, list).1.contains(post.secret), "{name} {list}");
    }
    let role = town.roles.iter_mut().find(|role| role.name == name).unwrap();
    for page in [&post.page, "/@ada", &format!("/@ada/{}", post.root), "/bookmarks"] {
        let answer = role.person.get(page);
        assert!(answer.status == 200 && answer.body.contains(post.secret), "{name} {page}");
        assert!(!answer.header("cache-control").unwrap_or_default().contains("public"));
    }
    assert_eq!(role.person.get(&post.picture).status, 200, "{name}");
    for page in ["/public", "/tag/river", "/public.atom", "/@ada.atom", "/tag/river.atom"] {
        assert!(!role.person.get(page).body.contains(post.secret), "{name} {page}");
    }
}

/// Posts something for few below a post for all, and answers it as one who may read it.
fn written(town: &Town, visibility: &str, secret: &'static str) -> Walked {
    let (root, _) = town.post(&json!({ "status": "Who saw it? #river" }));
    let says = json!({
        "status": format!("@nora and @bruno: a {secret} #river"), "visibility": visibility,
        "in_reply_to_id": root, "media_ids": [town.picture(secret)],
    });
    let (id, page) = town.post(&says);
    let seen = town.role("ada").app.get(&format!("/api/v1/statuses/{id}"));
    assert_eq!(seen.value["visibility"], json!(visibility));
    let (_, path) = seen.value["media_attachments"][0]["url"]
        .as_str()
        .and_then(|url| url.split_once("/picture/"))
        .unwrap();
    let picture = format!("/picture/{}", path.split('?').next().unwrap());
    let answer = json!({ "status": "Where?", "in_reply_to_id": id });
    let answer = town.role("nora").app.post("/api/v1/statuses", &answer).text("id");
    Walked { secret, id, page, url: seen.text("url"), picture, root, answer }
}

#[test]
fn s52_what_is_for_few_is_shown_to_them_and_to_nobody_else_by_any_road() {
    let site = Site::start(&[]);
    let mut town = Town::of(&site.cluster);
    let blocked = town.role("bruno").app.get("/api/v1/accounts/verify_credentials").text("id");
    let private = &written(&town, "private", "kingfisher");
    let direct = &written(&town, "direct", "goldeneye");
    for name in ["floyd", "bruno"] {
        let path = format!("/api/v1/statuses/{}", private.id);
        assert_eq!(town.role(name).app.get(&path).status, 200, "{name} is not that yet");
    }
    town.act("floyd", "unfollow");
    let block = format!("/api/v1/accounts/{blocked}/block");
    assert_eq!(town.role("ada").app.post(&block, &json!({})).status, 200);
    for name in ["otto", "floyd", "bruno", "stranger"] {
        check_outsider(&mut town, name, private);
        check_outsider(&mut town, name, direct);
    }
    check_outsider(&mut town, "felix", direct);
    for name in ["ada", "nora", "felix"] {
        check_reader(&mut town, name, private);
    }
    for name in ["ada", "nora"] {
        check_reader(&mut town, name, direct);
    }
    // Whom it names hears of it.
    let news = raw(&town.role("nora").app, "/api/v1/notifications").1;
    assert!(news.contains(&private.id) && news.contains(&direct.id), "{news}");
    // An edit keeps it for few, and what it named before counts no more.
    let path = format!("/api/v1/statuses/{}", direct.id);
    let says = json!({ "status": "@felix: a goldeneye, a goldeneye" });
    assert_eq!(town.role("ada").app.send("PUT", &path, &says, None).status, 200);
    assert_eq!(town.role("felix").app.get(&path).value["visibility"], json!("direct"));
    assert_eq!(town.role("nora").app.get(&path).status, 404);
    assert_eq!(town.role("otto").app.get(&path).status, 404);
}

#[test]
fn s52_unlisted_is_read_by_whoever_comes_and_stands_in_no_list_of_everybodys() {
    let site = Site::start(&[]);
    let mut town = Town::of(&site.cluster);
    let says = json!({ "status": "A kingfisher #river", "visibility": "unlisted" });
    let (id, page) = town.post(&says);
    for name in NAMES.into_iter().chain(["stranger"]) {
        let role = town.roles.iter_mut().find(|role| role.name == name).unwrap();
        let seen = role.app.get(&format!("/api/v1/statuses/{id}"));
        assert_eq!((seen.status, &seen.value["visibility"]), (200, &json!("unlisted")), "{name}");
        let path = format!("/api/v1/accounts/{}/statuses", town.ada);
        assert!(raw(&role.app, &path).1.contains(SECRET), "{name}");
        for page in [page.as_str(), "/@ada"] {
            assert!(role.person.get(page).body.contains(SECRET), "{name} {page}");
        }
        for list in ["/api/v1/timelines/public", "/api/v1/timelines/tag/river"] {
            assert!(!raw(&role.app, list).1.contains(SECRET), "{name} {list}");
        }
        for page in ["/public", "/public.atom", "/tag/river", "/tag/river.atom"] {
            assert!(!role.person.get(page).body.contains(SECRET), "{name} {page}");
        }
        let found = "/api/v2/search?type=statuses&q=kingfisher";
        assert_eq!(raw(&role.app, found).1.contains(SECRET), name == "ada", "{name}");
    }
    // At home it stands as any post, and who likes it may show it on.
    let fan = town.role("felix");
    assert!(raw(&fan.app, "/api/v1/timelines/home").1.contains(SECRET));
    assert_eq!(fan.app.post(&format!("/api/v1/statuses/{id}/reblog"), &json!({})).status, 200);
}

#[test]
fn s52_streams_tell_what_is_for_few_to_those_few() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let town = Town::of(&cluster);
    let streams = |path: &str| -> Vec<_> {
        let members = town.roles.iter().filter(|role| role.name != "stranger");
        members.map(|role| (role.name, role.app.listen(path))).collect()
    };
    let (own, public) = (streams("/api/v1/streaming/user"), streams("/api/v1/streaming/public"));
    let tagged = streams("/api/v1/streaming/hashtag?tag=river");
    for visibility in ["private", "direct"] {
        let says = json!({ "status": "@nora: a kingfisher #river", "visibility": visibility });
        let (id, _) = town.post(&says);
        let path = format!("/api/v1/statuses/{id}");
        let edit = json!({ "status": "@nora: the kingfisher #river" });
        assert_eq!(town.role("ada").app.send("PUT", &path, &edit, None).status, 200);
        let (gone, _) = town.post(&says);
        let path = format!("/api/v1/statuses/{gone}");
        assert_eq!(town.role("ada").app.send("DELETE", &path, &json!(null), None).status, 200);
    }
    let all: Vec<_> = NAMES.iter().map(|name| format!("@{name}")).collect();
    let marker = format!("{}: {MARKER} #river", all.join(" "));
    town.role("otto").app.write(&marker);
    town.role("nora").app.write(&marker);
    for (name, stream) in own {
        let told = until_marker(stream);
        let is_reader = ["ada", "nora", "felix", "floyd", "bruno"].contains(&name);
        assert_eq!(told.contains(SECRET), is_reader, "{name}: {told}");
        if !is_reader {
            assert!(!told.contains("event: delete"), "{name}: {told}");
        }
    }
    for (name, stream) in public.into_iter().chain(tagged) {
        let told = until_marker(stream);
        assert!(!told.contains(SECRET) && !told.contains("event: delete"), "{name}: {told}");
    }
}

/// What a stream tells until the marker comes.
fn until_marker(stream: ureq::http::Response<ureq::Body>) -> String {
    let mut told = String::new();
    let mut lines = BufReader::new(stream.into_body().into_reader()).lines();
    while !told.contains(MARKER) {
        let line = lines.next().unwrap_or_else(|| panic!("it ended: {told}"));
        told.push_str(&line.unwrap_or_else(|error| panic!("{error}: {told}")));
        told.push('\n');
    }
    told
}

/// Whoever a post named after an edit read in its history what it had said before, to others.
#[test]
fn r0031_history_tells_nobody_what_was_said_before_they_were_named() {
    let site = Site::start(&[]);
    let mut town = Town::of(&site.cluster);
    for (visibility, follower) in [("direct", false), ("private", true)] {
        let says = json!({ "status": "@nora: the kingfisher", "visibility": visibility });
        let (id, page) = town.post(&says);
        let path = format!("/api/v1/statuses/{id}");
        for status in ["@nora: another kingfisher", "@nora @otto: nice words"] {
            let says = json!({ "status": status });
            assert_eq!(town.role("ada").app.send("PUT", &path, &says, None).status, 200);
        }
        for (name, count) in [("ada", 3), ("nora", 3), ("otto", 1), ("felix", 3)] {
            if name == "felix" && !follower {
                continue;
            }
            let role = town.roles.iter_mut().find(|role| role.name == name).unwrap();
            let heard = role.app.get(&format!("{path}/history")).value;
            let heard = heard.as_array().unwrap();
            assert_eq!(heard.len(), count, "{name} {visibility}");
            let history = role.person.get(&format!("{page}/history"));
            assert_eq!(history.status, 200, "{name}");
            let is_told = count == 3;
            assert_eq!(history.body.contains(SECRET), is_told, "{name} {}", history.body);
            assert_eq!(json!(heard).to_string().contains(SECRET), is_told, "{name}");
            assert!(history.body.contains("nice words"), "{name}");
        }
    }
}
