//! `src/KEEPER.md`: every command on it, typed from top to bottom beside a cluster that runs, as an
//! operator does whose configuration says where the data and the key are.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::cluster::harness::{Cluster, Options, PROGRAM};
use crate::cluster::person::Person;

const DOCUMENT: &str = include_str!("../../src/KEEPER.md");

/// The lines of the boxes, in order.
fn lines() -> Vec<&'static str> {
    let boxes = DOCUMENT.split("```sh\n").skip(1);
    boxes.flat_map(|rest| rest.split("```").next().unwrap().lines()).collect()
}

/// Where commands are typed: its `tern` is the program, its environment the configuration.
struct Desk<'a> {
    directory: tempfile::TempDir,
    cluster: &'a Cluster,
}

impl Desk<'_> {
    /// What a line prints; it must have been done.
    fn typed(&self, line: &str) -> String {
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.directory.path().display());
        let done = Command::new("sh")
            .args(["-c", line])
            .current_dir(self.directory.path())
            .env("PATH", path)
            .env("TERN_DATA", self.cluster.data())
            .env("TERN_ORIGIN", self.cluster.address())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let out = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success(), "{line}\n{out}{}", String::from_utf8_lossy(&done.stderr));
        out
    }
}

/// What stands behind `label` in what was printed.
fn told<'a>(printed: &'a str, label: &str) -> &'a str {
    let found = printed.lines().find_map(|line| line.strip_prefix(label));
    found.unwrap_or_else(|| panic!("{label}: {printed}"))
}

fn sign_in(person: &mut Person, name: &str, password: &str) {
    let typed = [("username", name), ("password", password)];
    assert_eq!(person.act("/login", "/login", &typed).status, 303, "{name}");
}

#[test]
fn guide_is_typed_from_top_to_bottom() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(PROGRAM, directory.path().join("tern")).unwrap();
    std::fs::write(
        directory.path().join("tern.json"),
        "{\"tern_export\":1,\"profile\":{\"username\":\"cleo\",\"display_name\":\"Cleo\",\"bio\":\"\",\
         \"joined_at\":\"2020-01-01T00:00:00.000Z\"},\"posts\":[]}",
    )
    .unwrap();
    let desk = Desk { directory, cluster: &cluster };
    let (mut ada, mut ben) = (cluster.person("ada"), cluster.person("ben"));
    let mut done = 0;
    for line in lines() {
        let printed = desk.typed(line);
        done += 1;
        // What the page promises of some of them.
        match line {
            "tern user add ada --admin" => {
                sign_in(&mut ada, "ada", told(&printed, "password: "));
                assert_eq!(ada.get("/mod").status, 200);
            }
            "tern user list --admins" => assert!(printed.starts_with("ada "), "{printed}"),
            "tern user add ben" => sign_in(&mut ben, "ben", told(&printed, "password: ")),
            "tern user admin ben --remove" => {
                assert!(!desk.typed("tern user list --admins").contains("ben"));
            }
            "tern user passwd ben" => {
                let link = told(&printed, "link: ").strip_prefix(&cluster.address()).unwrap();
                let form = ben.get(link).form("/reset");
                let answer = ben.submit(&form, &[("new", "eight lamps and a boat")]);
                assert_eq!(answer.status, 303, "{}", answer.body);
                assert_eq!(ben.get("/settings/profile").status, 200);
            }
            "tern user signout ben" => assert_eq!(ben.get("/settings/profile").status, 303),
            "tern user suspend ben --lift" => assert_eq!(ben.get("/").status, 200),
            _ => {}
        }
    }
    assert!(done >= 18, "the page has lost its commands: {done}");
}

#[test]
fn page_on_installing_names_both_ways_to_a_first_keeper() {
    let (_, section) =
        include_str!("../../src/INSTALL.md").split_once("## The first keeper").unwrap();
    let section = section.split("## ").next().unwrap();
    let logged = "nobody keeps this community yet";
    assert!(include_str!("../../src/web/first.rs").contains(logged));
    for words in ["tern user add ada --admin", logged, "half an hour"] {
        assert!(section.contains(words), "{words}: {section}");
    }
}

#[test]
fn guide_says_what_keepers_must_know() {
    for section in [
        "## Become a keeper",
        "## Who may join",
        "## Reports",
        "## Members and the log",
        "## Somebody lost their password",
        "## Somebody comes, goes, or moves",
        "## Spam",
        "## Somebody demands that a post be taken down",
        "## What keepers see, and what they do not",
    ] {
        assert!(DOCUMENT.contains(section), "{section}");
    }
    let version = format!("For version {};", env!("CARGO_PKG_VERSION"));
    assert!(DOCUMENT.contains(&version), "the page is for {version}");
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/KEEPER.md").is_file());
}

/// Words of the pages that the guide sends people to: they must be called so.
#[test]
fn guide_calls_pages_by_their_names() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    let settings = ada.get("/settings/profile").body;
    for name in ["Password", "Invitations", "Your data", "Leave"] {
        assert!(settings.contains(&format!(">{name}<")), "{name}: {settings}");
        assert!(DOCUMENT.contains(&format!("Settings, {name}")), "{name}");
    }
    cluster.order(&["admin", "ada"]);
    assert_eq!(ada.login().status, 303);
    let keeping = ada.get("/mod").body;
    assert!(keeping.contains(">Moderation<"), "{keeping}");
    for name in ["Reports", "Joining", "Members", "Log", "Settings"] {
        assert!(keeping.contains(&format!(">{name}<")), "{name}: {keeping}");
        assert!(DOCUMENT.contains(&format!("Moderation, {name}")), "{name}");
    }
}
