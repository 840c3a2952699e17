//! What reading and writing do, off the wire.

use std::collections::{BTreeMap, BTreeSet};

use super::wire::{ask, cookies};
use crate::api::app::App;
use crate::api::table::TABLE;
use crate::cluster::harness::{Cluster, Options};
use crate::cluster::person::Person;

/// Pages that are opened at most.
const PAGES_MAX: usize = 150;

/// Addresses of this site that a page leads to.
fn links(page: &str) -> Vec<String> {
    let hrefs = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let own = hrefs.filter(|href| href.starts_with('/'));
    own.map(|href| href.split('#').next().unwrap().replace("&#38;", "&")).collect()
}

/// Opens every page that can be reached from the front page, and asks for its head alone; says which.
fn walk(cluster: &Cluster, person: &mut Person) -> BTreeSet<String> {
    let (mut seen, mut left) = (BTreeSet::new(), vec!["/".to_owned()]);
    while let Some(address) = left.pop() {
        if seen.len() == PAGES_MAX || !seen.insert(address.clone()) {
            continue;
        }
        let answer = person.get(&address);
        assert!(answer.status < 500, "{address}: {}", answer.status);
        let site = cluster.address().trim_start_matches("http://").parse().unwrap();
        let lines = format!("Host: {site}\r\n{}", cookies(person));
        let head = ask(site, format!("HEAD {address} HTTP/1.1\r\n{lines}\r\n"));
        assert_eq!(head.status, answer.status, "{address}");
        left.extend(links(&answer.body));
        left.extend(answer.location.filter(|to| to.starts_with('/')));
    }
    seen
}

/// What the machine holds of its users, byte by byte.
fn state(cluster: &Cluster) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(cluster.node_data(1).join("users")).unwrap();
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.display().to_string(), std::fs::read(&path).unwrap())
    };
    entries.map(read).collect()
}

/// Reads all that an app can read.
fn check_app(app: &App) {
    let own = app.get("/api/v1/accounts/verify_credentials").text("id");
    let post = app.get(&format!("/api/v1/accounts/{own}/statuses")).ids().remove(0);
    let reads = TABLE.iter().filter(|(method, ..)| *method == "GET");
    let mut read = 0;
    for (_, path, _) in reads {
        let id = if path.contains("/accounts/") { &own } else { &post };
        let heard = app.get(&path.replace(':', id));
        assert!(heard.status < 500, "{path}: {heard:?}");
        read += usize::from(heard.status == 200);
    }
    assert!(read > 25, "{read} were answered");
}

#[test]
fn s19_opening_every_page_changes_nothing() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let (mut ada, mut ben) = (cluster.person("ada"), cluster.person("ben"));
    ada.join();
    ben.join();
    for text in ["Tea at four #tea @ben", "https://example.org/ #seeds"] {
        assert_eq!(ada.post(text).status, 303);
    }
    ben.post("Gladly @ada");
    ben.follow("ada");
    cluster.order(&["admin", "ada"]);
    assert_eq!(ada.login().status, 303);
    let app = App::of(&cluster, &mut ada, "read write follow push");
    let before = state(&cluster);
    let seen = walk(&cluster, &mut ada);
    for needed in
        ["/settings/leave", "/settings/devices", "/mentions", "/bookmarks", "/@ben", "/mod/log"]
    {
        assert!(seen.contains(needed), "{needed} was not reached: {seen:?}");
    }
    assert!(seen.iter().any(|address| address.ends_with("/delete")), "{seen:?}");
    assert!(seen.len() > 25, "{seen:?}");
    assert_eq!(state(&cluster), before, "reading wrote something");
    walk(&cluster, &mut cluster.person("stranger"));
    assert_eq!(state(&cluster), before, "a stranger's reading wrote something");
    check_app(&app);
    assert_eq!(state(&cluster), before, "an app's reading wrote something");
}
