//! What apps find, and what they show of whom and what they find.

use serde_json::{Value, json};

use super::app::{App, one_machine};

/// What stands under a name in each item of a list.
fn each(list: &Value, name: &str) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item[name].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn r0104_members_found_by_the_names_they_show() {
    let cluster = one_machine();
    let [ben, zora] = ["ben", "zora"].map(|name| App::joined(&cluster, name));
    let path = "/api/v1/accounts/update_credentials";
    let named = ben.send("PATCH", path, &json!({ "display_name": "Zoë Lind" }), None);
    assert_eq!(named.status, 200, "{named:?}");
    for (query, names) in [
        ("zo", ["zora", "ben"].as_slice()),
        ("ZOE", &["ben"]),
        ("lin", &["ben"]),
        ("zoe+lind", &["ben"]),
        ("zoe+zora", &[]),
        ("@zo", &["zora", "ben"]),
        ("be", &["ben"]),
        ("ind", &[]),
    ] {
        let found = zora.get(&format!("/api/v1/accounts/search?q={query}"));
        assert_eq!(each(&found.value, "acct"), names, "{query}");
        let found = zora.get(&format!("/api/v2/search?type=accounts&q={query}"));
        assert_eq!(each(&found.value["accounts"], "acct"), names, "{query}");
    }
}

#[test]
fn r0105_what_is_found_is_paged_by_offset() {
    let cluster = one_machine();
    let [ada, adam, _adele] = ["ada", "adam", "adele"].map(|name| App::joined(&cluster, name));
    // More than a page of a search on the site.
    let mut posts: Vec<_> = (0..33).map(|n| ada.write(&format!("Kingfisher {n} #river"))).collect();
    posts.reverse();
    let found = |query: &str| adam.get(&format!("/api/v2/search?{query}")).value;
    for (offset, limit, some) in [
        (0, 2, 0..2),
        (2, 2, 2..4),
        (28, 4, 28..32),
        (31, 40, 31..33),
        (33, 2, 33..33),
        (0, 40, 0..33),
    ] {
        let page = found(&format!("q=kingf&type=statuses&offset={offset}&limit={limit}"));
        assert_eq!(each(&page["statuses"], "id"), posts[some], "{offset} {limit}");
    }
    for (offset, names) in [(0, ["ada", "adam"].as_slice()), (2, &["adele"]), (3, &[])] {
        let page = found(&format!("q=ad&type=accounts&offset={offset}&limit=2"));
        assert_eq!(each(&page["accounts"], "acct"), names, "{offset}");
        let page = adam.get(&format!("/api/v1/accounts/search?q=ad&offset={offset}&limit=2"));
        assert_eq!(each(&page.value, "acct"), names, "{offset}");
    }
    for (offset, tags) in [(0, ["river"].as_slice()), (1, &[])] {
        let page = found(&format!("q=river&type=hashtags&offset={offset}"));
        assert_eq!(each(&page["hashtags"], "name"), tags, "{offset}");
    }
}

#[test]
fn r0106_apps_are_given_a_png_of_whoever_and_whatever_has_no_picture() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    let own = ada.get("/api/v1/accounts/verify_credentials").value;
    let (one, two) = (ada.get("/api/v1/instance").value, ada.get("/api/v2/instance").value);
    let faces = [&own["avatar"], &own["avatar_static"]];
    let banners =
        [&own["header"], &own["header_static"], &one["thumbnail"], &two["thumbnail"]["url"]];
    assert_ne!(faces[0], banners[0]);
    for address in faces.into_iter().chain(banners).map(|it| it.as_str().unwrap_or_default()) {
        let mut answer = ada.agent.get(address).call().unwrap_or_else(|error| panic!("{error}"));
        let field = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(field("content-type"), Some("image/png"), "{address}");
        assert_eq!(field("access-control-allow-origin"), Some("*"), "{address}");
        assert_eq!(field("cross-origin-resource-policy"), Some("cross-origin"), "{address}");
        let kept = field("cache-control");
        assert_eq!(kept, Some("public, max-age=31536000, immutable"), "{address}");
        let bytes = answer.body_mut().read_to_vec().unwrap_or_else(|error| panic!("{error}"));
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() < 2_000, "{address}");
    }
}

#[test]
fn r0107_libraries_are_told_whose_api_is_spoken() {
    let cluster = one_machine();
    let stranger = App::introduce(&cluster.address(), "read", super::app::OUT_OF_BAND);
    let links = stranger.get("/.well-known/nodeinfo").value;
    let links = links["links"].as_array().cloned().unwrap_or_default();
    assert!(!links.is_empty());
    for link in links {
        let href = link["href"].as_str().unwrap_or_default().to_owned();
        let told = stranger.get(href.trim_start_matches(&cluster.address())).value;
        // As the library megalodon looks: at the software's name, then whose it takes after.
        assert_eq!(told["software"]["name"], json!("tern"));
        assert_eq!(told["metadata"]["upstream"]["name"], json!("mastodon"), "{told}");
    }
}
