//! `tern import`: an account made of what a member took along.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{END, Ended, member, run, signs_in};
use crate::cluster::harness::{Cluster, Options, PROGRAM, eventually};

/// 1 January 2020: long before there was this program.
const OLD_MS: u64 = 1_577_836_800_000;
/// Posts of a file that takes a while.
const MANY: u64 = 20_000;

/// A time as the file has it.
fn time(ms: u64) -> String {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(ms).unwrap()).unwrap();
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// The number of a post of machine 2.
fn id(ms: u64) -> String {
    (ms << 16 | 0x2007).to_string()
}

fn write(cluster: &Cluster, name: &str, text: &str) -> PathBuf {
    let path = cluster.data().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn import(cluster: &Cluster, file: &std::path::Path, more: &[&str]) -> Ended {
    let file = file.to_string_lossy();
    run(cluster, &[&["import", &file], more].concat())
}

/// What somebody takes along, in all its parts.
fn exported(cluster: &Cluster, name: &str, password: &str) -> Value {
    let mut person = cluster.person(name);
    let filled = [("username", name), ("password", password)];
    assert_eq!(person.act("/login", "/login", &filled).status, 303);
    let page = person.get("/settings/data/tern.json");
    serde_json::from_str(&page.body).unwrap_or_else(|error| panic!("{error}: {}", page.body))
}

/// All that must be the same of the same person under two names.
fn same(export: &Value) -> Value {
    let own = export["profile"]["username"].as_str().unwrap();
    let mut text = export.to_string();
    text = text.replace(&format!("\"user\":\"{own}\""), "\"user\":\"me\"");
    text = text.replace(&format!("\"username\":\"{own}\""), "\"username\":\"me\"");
    let mut export: Value = serde_json::from_str(&text).unwrap();
    export["exported_at"] = Value::Null;
    for list in ["likes", "reposts", "bookmarks"] {
        // By name: one's own moves.
        let marks = export[list].as_array_mut().unwrap();
        marks.sort_by_key(ToString::to_string);
    }
    export
}

fn posts_of(cluster: &Cluster, name: &str) -> u64 {
    let users = run(cluster, &["user", "list", "--json"]).json();
    let users = users["users"].as_array().unwrap();
    let row = users.iter().find(|row| row["user"] == name);
    row.and_then(|row| row["posts"].as_u64()).unwrap_or_else(|| panic!("{name}: {users:?}"))
}

/// A file with something of everything; `ben_post` is a post that stands here.
fn rich(ben_post: &str) -> Value {
    let of = |user: &str, id: &str| json!({ "user": user, "id": id });
    let at = |n: u64| OLD_MS + n * 60_000;
    json!({
        "tern_export": 1, "community": "Elsewhere", "exported_at": time(at(100)),
        "profile": {
            "username": "old_ada", "display_name": "Ada Lind", "bio": "Seeds,\nmostly.",
            "members_only": true, "posts_for": "followers",
            "joined_at": time(OLD_MS), "pinned": id(at(2)),
        },
        "follows": ["ben", "cleo", "nobody_here", "old_ada"], "mutes": ["gus"], "blocks": ["cleo"],
        "posts": [
            { "id": id(at(1)), "at": time(at(1)), "text": "Tea at \"four\"?\nBring cups ☕" },
            { "id": id(at(2)), "at": time(at(2)), "text": "Cups!", "note": "Dishes",
              "reply_to": of("old_ada", &id(at(1))), "edited_at": time(at(9)), "earlier": [
                { "at": time(at(2)), "text": "Cus!" },
                { "at": time(at(3)), "text": "Cups", "note": "Dish" },
            ] },
            { "id": id(at(4)), "at": time(at(4)), "text": "@ben I do", "reply_to": of("ben", ben_post) },
            { "id": id(at(5)), "at": time(at(5)), "text": "To nobody", "reply_to": of("ben", "77") },
            { "id": id(at(6)), "at": time(at(6)), "text": "To none of mine",
              "reply_to": of("old_ada", "78") },
        ],
        "likes": [
            { "user": "ben", "id": ben_post, "at": time(at(6)) },
            // As programs wrote them that kept no time.
            of("old_ada", &id(at(4))),
            of("nobody_here", "7"),
        ],
        "reposts": [{ "user": "ben", "id": ben_post, "at": time(at(7)) }],
        "bookmarks": [
            { "user": "ben", "id": "79", "at": time(at(7)) },
            { "user": "old_ada", "id": id(at(1)), "at": time(at(8)) },
        ],
    })
}

#[test]
fn export_imported_and_exported_again_is_the_same() {
    let cluster = Cluster::start(Options::default());
    let mut ben = member(&cluster, "ben");
    member(&cluster, "cleo");
    member(&cluster, "gus");
    assert_eq!(ben.post("Who has a ladder?").status, 303);
    let body = ben.get("/@ben").body;
    let at = body.find("/@ben/1").expect("the post's address") + "/@ben/".len();
    let ben_post: String = body[at..].chars().take_while(char::is_ascii_digit).collect();
    let file = rich(&ben_post);
    let path = write(&cluster, "tern.json", &file.to_string());

    let dry = import(&cluster, &path, &["--as=ada", "--dry-run", "--json"]).json();
    assert_eq!((&dry["state"], &dry["password"]), (&json!("new"), &Value::Null));
    run(&cluster, &["user", "passwd", "ada"]).check_refused(2, "no member called ada");
    let done = import(&cluster, &path, &["--as=ada", "--json"]).json();
    assert_eq!(done["took"], dry["took"], "what was said comes true");
    let took = |written, left_out, loosened| json!({ "written": written, "there": 0, "left_out": left_out, "loosened": loosened });
    for (list, expected) in [
        ("posts", took(5, 0, 2)),
        ("follows", took(1, 3, 0)),
        ("mutes", took(1, 0, 0)),
        ("blocks", took(1, 0, 0)),
        ("likes", took(2, 1, 0)),
        ("reposts", took(1, 0, 0)),
        ("bookmarks", took(1, 1, 0)),
    ] {
        assert_eq!(done["took"][list], expected, "{list}");
    }
    let password = done["password"].as_str().unwrap();
    let first = exported(&cluster, "ada", password);
    // What came of it is what the file says, without what is not here.
    let mut expected = same(&file);
    expected["community"] = first["community"].clone();
    expected["follows"] = json!(["ben"]);
    for n in [3, 4] {
        expected["posts"][n].as_object_mut().unwrap().remove("reply_to");
    }
    let likes = expected["likes"].as_array_mut().unwrap();
    likes.retain(|mark| mark["user"] != "nobody_here");
    let own = first["likes"].as_array().unwrap().iter().find(|mark| mark["user"] == "ada").unwrap();
    let since = own["at"].as_str().unwrap();
    assert!(Some(since) > file["bookmarks"][1]["at"].as_str(), "the time when it was taken in");
    likes.iter_mut().find(|mark| mark["user"] == "me").unwrap()["at"] = json!(since);
    likes.sort_by_key(ToString::to_string);
    expected["bookmarks"].as_array_mut().unwrap().retain(|mark| mark["user"] == "me");
    assert_eq!(same(&first), expected);

    // And once more, as a program would take it from here.
    let path = write(&cluster, "again.json", &first.to_string());
    let again = import(&cluster, &path, &["--as=ada_two"]);
    let second = exported(&cluster, "ada_two", again.told("password: "));
    assert_eq!(same(&second), same(&first));

    // Pages show both, old posts in their places, and new ones above them.
    let public = ben.get("/public").body;
    assert_eq!(public.matches("Bring cups").count(), 2, "{public}");
    assert!(public.find("Who has a ladder?") < public.find("Bring cups"), "{public}");
    let thread = ben.get(&format!("/@ada/{}", id(OLD_MS + 120_000))).body;
    assert!(thread.contains("Dishes") && thread.contains("Bring cups"), "{thread}");

    // Done is done: what was taken back since stays so, and names are nobody else's.
    let again = import(&cluster, &path, &["--as=ada_two"]);
    assert!(again.out.contains("nothing is left to do"), "{again:?}");
    import(&cluster, &path, &["--as=ada"]).check_refused(2, "the name ada is taken");
    import(&cluster, &path, &["--as=ben", "--dry-run"]).check_refused(2, "the name ben is taken");
    import(&cluster, &path, &["--as=root"]).check_refused(2, "kept for the system");
    let cut = write(&cluster, "cut.json", &first.to_string()[..900]);
    import(&cluster, &cut, &["--as=eve"]).check_refused(2, "no export of tern's");
    run(&cluster, &["user", "signout", "eve"]).check_refused(2, "no member called eve");
}

#[test]
fn import_broken_off_goes_on_and_doubles_nothing() {
    let cluster = Cluster::start(Options { no_restart: true, ..Options::default() });
    let mut text = json!({
        "tern_export": 1,
        "profile": { "username": "ada", "display_name": "", "bio": "", "joined_at": time(OLD_MS) },
    })
    .to_string();
    text.pop();
    text.push_str(",\"posts\":[");
    for n in 0..MANY {
        let at = OLD_MS + n;
        let comma = if n == 0 { "" } else { "," };
        let (id, at) = (id(at), time(at));
        write!(text, "{comma}{{\"id\":\"{id}\",\"at\":\"{at}\",\"text\":\"Post {n} of #many\"}}")
            .unwrap();
    }
    text.push_str("]}");
    let path = write(&cluster, "tern.json", &text);

    // Killed as soon as it has said the password: the first lines are under way.
    let mut child = Command::new(PROGRAM)
        .arg("import")
        .arg(&path)
        .arg(format!("--data={}", cluster.data().display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("password: ").map(str::to_owned));
    child.kill().unwrap();
    child.wait().unwrap();
    let before = posts_of(&cluster, "ada");
    assert!(before < MANY, "{before} posts: broken off too late");

    // A file with anything else is not the same import.
    let other = write(&cluster, "other.json", &format!("{text} "));
    import(&cluster, &other, &[]).check_refused(2, "the name ada is taken");

    // While it goes on, the machine that is asked dies.
    let mut child = Command::new(PROGRAM)
        .args(["import", "--json"])
        .arg(&path)
        .arg(format!("--data={}", cluster.data().display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    eventually("more of it", END, || (posts_of(&cluster, "ada") > before).then_some(()));
    cluster.kill(1, Signal::KILL);
    let status = eventually("the import's end", END, || child.try_wait().unwrap());
    let out = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(status.success() && told.contains("posts: "), "{told}");
    let done: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((&done["state"], &done["password"]), (&json!("goes_on"), &Value::Null));
    let took = &done["took"]["posts"];
    let sum = took["written"].as_u64().unwrap() + took["there"].as_u64().unwrap();
    assert_eq!(sum, MANY, "{took}");
    assert!(took["there"].as_u64().unwrap() >= before, "{took}");
    assert_eq!(posts_of(&cluster, "ada"), MANY);
    assert!(signs_in(&cluster, "ada", &said.unwrap()));

    // Each stands once in the file, on every machine that is left.
    let file = std::fs::read_to_string(cluster.node_data(2).join("users/ada.jsonl")).unwrap();
    assert_eq!(file.matches("\"e\":\"posted\"").count() as u64, MANY);
    let mut person = cluster.person("stranger");
    assert!(person.get("/@ada").body.contains(&format!("Post {} of", MANY - 1)));
}
