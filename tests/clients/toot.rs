//! The program toot, typed as a person types it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::python;
use super::site::TwoDoors;
use crate::api::app::App;

/// A shell of somebody, with toot in it.
struct Shell {
    config: tempfile::TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { config: tempfile::tempdir().unwrap() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = python::command("toot");
        command.args(["--no-color", "--max-width", "200"]).args(args);
        command.env("XDG_CONFIG_HOME", self.config.path());
        command
    }

    fn toot(&self, args: &[&str]) -> String {
        python::output(&mut self.command(args))
    }

    fn json(&self, args: &[&str]) -> Value {
        let said = self.toot(&[args, &["--json"]].concat());
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{args:?}: {error}: {said}"))
    }

    /// Signs in by the address that `toot login` shows, with the code that the page there shows.
    fn sign_in(&self, site: &TwoDoors, name: &str) {
        let [address, _] = site.addresses();
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("says");
        let out = std::fs::File::create(&pipe).unwrap();
        let mut command = self.command(&["login", "--instance", &address]);
        let mut child =
            command.env("PYTHONUNBUFFERED", "1").stdin(Stdio::piped()).stdout(out).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let url =
            crate::cluster::harness::eventually("an address", super::site::START, || url_in(&pipe));
        let mut person = site.person(name);
        person.login();
        let asks = url.strip_prefix(&address).unwrap();
        let answer = App::allow(&mut person, asks);
        let (_, code) = answer.body.split_once("<code>").unwrap();
        let (code, _) = code.split_once('<').unwrap();
        writeln!(stdin, "n\n{code}").unwrap();
        drop(stdin);
        let ended = crate::cluster::harness::eventually("toot's end", super::site::START, || {
            child.try_wait().unwrap()
        });
        assert!(ended.success(), "{}", std::fs::read_to_string(&pipe).unwrap());
    }
}

fn url_in(path: &Path) -> Option<String> {
    let said = std::fs::read_to_string(path).unwrap();
    let (_, after) = said.split_once("Login URL:\n")?;
    after.split_once('\n').map(|(url, _)| url.to_owned())
}

#[test]
fn toot_does_what_a_person_types() {
    if python::is_left_out() {
        return;
    }
    let site = TwoDoors::open(&["ada", "ben"]);
    let (ada, ben) = (Shell::new(), Shell::new());
    ada.sign_in(&site, "ada");
    ben.sign_in(&site, "ben");
    assert_eq!(ada.json(&["whoami"])["acct"], "ada");
    assert!(ada.toot(&["whoami"]).contains("@ada"));
    let said = ben.json(&["post", "Tea & scones at 4 > 3? #tea"]);
    let id = said["id"].as_str().unwrap().to_owned();
    assert!(ada.toot(&["follow", "ben"]).contains("ben"));
    let home = ada.toot(&["timeline", "--once"]);
    assert!(home.contains("Tea & scones at 4 > 3? #tea"), "{home}");
    let tagged = ada.toot(&["timeline", "--once", "--tag", "tea"]);
    assert!(tagged.contains("scones"), "{tagged}");
    assert_eq!(ada.json(&["favourite", &id])["favourited"], true);
    assert_eq!(ada.json(&["reblog", &id])["reblog"]["id"], id.as_str());
    assert_eq!(ada.json(&["bookmark", &id])["bookmarked"], true);
    assert!(ada.toot(&["bookmarks"]).contains("scones"));
    let reply = ada.json(&["post", "With jam", "--reply-to", &id]);
    let reply = reply["id"].as_str().unwrap().to_owned();
    let thread = ben.toot(&["thread", &reply]);
    assert!(thread.contains("scones") && thread.contains("With jam"), "{thread}");
    // A picture with what it shows.
    let file = ada.config.path().join("gull.png");
    let noise = |x: u32, y: u32| (x * 7 + y * 13 + x * y).to_le_bytes();
    let image = image::RgbImage::from_fn(200, 200, |x, y| {
        let [a, b, ..] = noise(x, y);
        image::Rgb([a, b, a ^ b])
    });
    image.save(&file).unwrap();
    let said =
        ada.json(&["post", "Look", "--media", file.to_str().unwrap(), "--description", "A gull"]);
    assert_eq!(said["media_attachments"][0]["description"], "A gull", "{said}");
    let seen = ben.toot(&["status", said["id"].as_str().unwrap()]);
    let address = said["media_attachments"][0]["url"].as_str().unwrap();
    // It breaks long addresses.
    assert!(seen.replace('\n', "").contains(address), "{seen}");
    // Something asked, and how it stands.
    let options = ["--poll-option", "Tea", "--poll-option", "Cake", "--poll-expires-in", "1h"];
    let asked = ben.json(&[&["post", "Which?"][..], &options].concat());
    let asked = asked["id"].as_str().unwrap().to_owned();
    let shown = ada.toot(&["status", &asked]);
    for what in ["Which?", "Tea", "Cake", "0 votes"] {
        assert!(shown.contains(what), "{what}: {shown}");
    }
    // That somebody follows him, and likes and reposted what he said.
    let news = ben.toot(&["notifications"]);
    assert!(news.contains("@ada"), "{news}");
    for what in ["follow", "favourited your status", "boosted your status"] {
        assert!(news.contains(what), "{what}: {news}");
    }
    let found = ada.toot(&["search", "ben"]);
    assert!(found.contains("@ben"), "{found}");
    assert!(ada.toot(&["mute", "ben"]).contains("ben"));
    assert!(!ada.toot(&["timeline", "--once"]).contains("@ben"));
    assert!(ada.toot(&["muted"]).contains("ben"));
    ada.toot(&["unmute", "ben"]);
    ada.toot(&["block", "ben"]);
    assert!(ada.toot(&["blocked"]).contains("ben"));
    ada.toot(&["unblock", "ben"]);
    ada.toot(&["delete", &reply]);
    assert_eq!(ada.command(&["status", &reply]).output().unwrap().status.code(), Some(1));
    ada.toot(&["unfollow", "ben"]);
    ada.toot(&["logout", &format!("ada@{}", site.host())]);
    assert_eq!(ada.command(&["whoami"]).output().unwrap().status.code(), Some(1));
}
