//! Statement 42 off the wire: how often is too often.

use tern::limits::{EXPORTS_DAY_MAX, SEARCHES_MINUTE_MAX};

use super::wire::{Site, cookies};

#[test]
fn s42_searches_and_downloads_are_limited() {
    let site = Site::start(&["--rate-limits=on"]);
    let mut ada = site.member("ada");
    assert_eq!(ada.post("A ladder").status, 303);
    let refused = |status: u16, retry: Option<&str>, what: &str| {
        assert_eq!(status, 429, "{what}");
        let seconds: u32 = retry.unwrap_or_else(|| panic!("{what}")).parse().unwrap();
        assert!(seconds > 0, "{what}");
    };
    for lines in [cookies(&ada), String::new()] {
        for n in 0..SEARCHES_MINUTE_MAX {
            assert_eq!(site.get("/search?q=ladder", &lines).status, 200, "{n}");
        }
        let reply = site.get("/search?q=ladder", &lines);
        refused(reply.status, reply.header("Retry-After"), "a search");
        // Nothing was looked for: the page itself is still there.
        assert_eq!(site.get("/search", &lines).status, 200);
    }
    for n in 0..EXPORTS_DAY_MAX {
        let page = ["tern.json", "posts.html"][n % 2];
        assert_eq!(ada.get(&format!("/settings/data/{page}")).status, 200, "{n}");
    }
    let answer = ada.get("/settings/data/tern.json");
    refused(answer.status, answer.header("retry-after"), "a download");
}
