//! Statement 41, of what nobody tells outright: a post that somebody may not see leaves no trace in a
//! number, an order, a mark of a page's content or a feed that they can see. That a keeper hid one is told,
//! in its place; what it says is not.

use std::collections::BTreeMap;

use super::access::{Community, WHO, posted};
use crate::cluster::person::{Answer, Person};

/// Everything that lists, counts, finds or names posts.
const PAGES: [&str; 22] = [
    "/",
    "/public",
    "/public.atom",
    "/@ada",
    "/@ada.atom",
    "/@mia",
    "/@mia.atom",
    "/@mia/followers",
    "/@mia/following",
    "/@sam",
    "/@sam.atom",
    "/tag/seeds",
    "/tag/seeds.atom",
    "/search?q=ladder",
    "/search?q=clock",
    "/search?q=tower",
    "{plain}",
    "{only}",
    "/status",
    "/api/v1/timelines/public",
    "/api/v1/timelines/tag/seeds",
    "/api/v1/accounts/lookup?acct=mia",
];

/// What an app is told of an account, by its number.
const OF_ACCOUNT: [&str; 3] = ["", "/statuses", "/featured_tags"];

/// A page without how long ago everything was, and without its own number.
fn without_times(answer: &Answer) -> String {
    let mut kept = String::new();
    for (n, part) in answer.body.split("<time").enumerate() {
        let rest = if n == 0 { part } else { part.split_once("</time>").map_or("", |it| it.1) };
        kept.push_str(rest);
    }
    let number = kept.find("Request ").map(|at| at + "Request ".len());
    if let Some(at) = number.filter(|_| answer.status >= 400) {
        kept.replace_range(at..at + 8, "NUMBER");
    }
    kept
}

/// What somebody sees of all pages, by address.
fn seen_by(
    person: &mut Person,
    pages: &[String],
) -> BTreeMap<String, (u16, Option<String>, String)> {
    let mut see = |page: &String| {
        let answer = person.get(page);
        let etag = answer.header("etag").map(str::to_owned);
        (page.clone(), (answer.status, etag, without_times(&answer)))
    };
    pages.iter().map(&mut see).collect()
}

/// The number of an account, for apps.
fn account(person: &mut Person, name: &str) -> String {
    let told = person.get(&format!("/api/v1/accounts/lookup?acct={name}"));
    let told: serde_json::Value = serde_json::from_str(&told.body).expect(&told.body);
    told["id"].as_str().unwrap().to_owned()
}

/// Fails if any of these people sees anything else than before once `act` is done.
fn check_unseen(
    (all, pages): (&mut Community, &[String]),
    readers: &[usize],
    what: &str,
    act: impl FnOnce(&mut Community),
) {
    // What was read is remembered by the first visit.
    let see = |all: &mut Community| {
        let mut of = |n: &usize| seen_by(&mut all.people[*n], pages);
        readers.iter().map(&mut of).collect::<Vec<_>>()
    };
    see(all);
    let before = see(all);
    act(all);
    for ((reader, before), after) in readers.iter().zip(before).zip(see(all)) {
        for (page, (status, etag, body)) in before {
            let now = &after[&page];
            assert_eq!((&status, &body), (&now.0, &now.2), "{what}: {} {page}", WHO[*reader]);
            // The mark may only follow the page, on which times grow.
            let has_times = page.starts_with("/api") || !body.contains("ago");
            assert!(!has_times || etag == now.1, "{what}: {} {page}'s mark", WHO[*reader]);
        }
    }
}

fn act(person: &mut Person, page: &str, to: &str, typed: &[(&str, &str)]) {
    let answer = person.act(page, to, typed);
    assert_eq!(answer.status, 303, "{to}: {}", answer.body);
}

#[test]
fn s41_posts_that_one_may_not_see_change_nothing_that_one_sees() {
    let mut all = Community::new();
    let mut mia = all.site.cluster.person("mia");
    assert_eq!(mia.login().status, 303);
    let mut pages: Vec<_> = PAGES.iter().map(|page| all.address(page)).collect();
    for name in ["ada", "mia", "sam"] {
        let id = account(&mut all.people[1], name);
        pages.extend(OF_ACCOUNT.map(|of| format!("/api/v1/accounts/{id}{of}")));
    }
    let hidden = all.address("{hidden}");
    let (stranger, ada, ben, sam) = (0, 1, 2, 4);
    let what = "a hidden post is written anew and marked";
    check_unseen((&mut all, &pages), &[stranger, ben, sam], what, |all| {
        let ada = &mut all.people[ada];
        let edit = format!("{hidden}/edit");
        act(ada, &edit, &edit, &[("text", "Another ladder #clock #seeds @sam @ben")]);
        act(ada, &hidden, &format!("{hidden}/bookmark"), &[]);
    });
    let what = "posts for members are written, answered, edited, marked and deleted";
    check_unseen((&mut all, &pages), &[stranger], what, |all| {
        let only = posted(&mut mia, "More of the clock #seeds #ladder #tower @ada");
        let edit = format!("{only}/edit");
        act(&mut mia, &edit, &edit, &[("text", "Less of the clock #seeds #ladder #tower")]);
        act(&mut mia, &only, &format!("{only}/pin"), &[]);
        let old = all.address("{only}");
        act(&mut mia, &format!("{old}/delete"), &format!("{old}/delete"), &[]);
        let again = posted(&mut mia, "Clocks and towers #seeds");
        act(&mut mia, &again, "/post", &[("text", "An answer to it #seeds")]);
    });
    check_counts(&mut all);
    check_not_there(&mut all, &mut mia);
}

/// What a post says, of which a list asked for by it would tell: a keeper has hidden the post.
#[test]
fn r0059_post_that_a_keeper_hid_is_in_no_list_of_what_it_bears() {
    let mut all = Community::new();
    let (stranger, ada, ben, kim) = (0, 1, 2, 3);
    let form = all.people[ada].act("/", "/post", &[("text", "Look"), ("more", "")]).form("/post");
    let mut file = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(40, 20).write_to(&mut file, image::ImageFormat::Png).unwrap();
    let (typed, file) = ([("text", "Look #gull")], file.into_inner());
    let answer = all.people[ada].submit_files(&form, &typed, &[("picture_1", &file)]);
    let to = answer.location.unwrap_or_else(|| panic!("{}", answer.body));
    let id = to.split_once("posted=").unwrap().1;
    let account = account(&mut all.people[ada], "ada");
    let asked = ["tagged=gull", "only_media=true", "only_media=true&tagged=gull"];
    let told = |person: &mut Person| {
        asked.map(|asked| {
            let told = person.get(&format!("/api/v1/accounts/{account}/statuses?{asked}"));
            let told: serde_json::Value = serde_json::from_str(&told.body).expect(&told.body);
            told.as_array().unwrap().len()
        })
    };
    assert_eq!(told(&mut all.people[stranger]), [1; 3]);
    let page = format!("/mod/act?deed=hide&username=ada&id={id}");
    act(&mut all.people[kim], &page, "/mod/act", &[("reason", "House rules."), ("hours", "")]);
    for reader in [stranger, ben] {
        assert_eq!(told(&mut all.people[reader]), [0; 3], "{}", WHO[reader]);
    }
}

/// Of posts that one may not see one is told no number and no time.
fn check_counts(all: &mut Community) {
    let (stranger, ada, ben) = (0, 1, 2);
    for name in ["mia", "sam"] {
        let told = all.people[stranger].get(&format!("/api/v1/accounts/lookup?acct={name}")).body;
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!((&told["statuses_count"], &told["last_status_at"]), (&0.into(), &().into()));
    }
    for (person, path, words) in [
        (stranger, "/@mia", None),
        (stranger, "/@sam", None),
        (ben, "/@sam", None),
        (ben, "/@mia", Some("<span>4 posts</span>")),
        (ada, "/@ada", Some("<span>2 posts</span>")),
    ] {
        let page = all.people[person].get(path).body;
        let found = page.split_once("<p class=\"facts\">").expect(&page).1;
        match words {
            Some(words) => assert!(found.starts_with(words), "{path}: {found}"),
            None => assert!(found.starts_with("<a "), "{path}: {found}"),
        }
    }
}

/// A post that is not for strangers is to them as one that never was.
fn check_not_there(all: &mut Community, mia: &mut Person) {
    let only = posted(mia, "For members alone");
    let (path, id) = only.rsplit_once('/').unwrap();
    // A number as good as any: that of another moment.
    let never = format!("{path}/{}", id.parse::<u64>().unwrap() - (1 << 40));
    for of_post in ["", "/history", "/edit", "/delete", "/report", "/like", "/picture"] {
        let told = |address: &str, person: &mut Person| {
            let answer = person.get(address);
            let headers = answer.headers.iter().filter(|(name, _)| {
                !["date", "etag", "x-request-id", "server-timing"].contains(&name.as_str())
            });
            let plain = |text: &str| text.replace(address.trim_end_matches(of_post), "POST");
            let headers: Vec<_> = headers.map(|(name, it)| (name.clone(), plain(it))).collect();
            let escaped = without_times(&answer).replace("%2F", "/").replace("%40", "@");
            (answer.status, headers, plain(&escaped))
        };
        let stranger = &mut all.people[0];
        let there = told(&format!("{only}{of_post}"), stranger);
        assert_eq!(there, told(&format!("{never}{of_post}"), stranger), "{of_post}");
    }
}

/// Whoever waited for a keeper's word, or was refused, read what is for members.
#[test]
fn r0030_whoever_waits_or_was_refused_sees_what_strangers_see() {
    let mut all = Community::new();
    let kim = 3;
    let house = [("signup", "approved"), ("words", ""), ("shows_posts", "1")];
    act(&mut all.people[kim], "/mod/settings", "/mod/settings", &house);
    let [mut waiting, mut refused, mut held] =
        ["wes", "rex", "hal"].map(|name| all.site.member(name));
    for (deed, name) in [("refuse", "rex"), ("suspend", "hal")] {
        let page = format!("/mod/act?deed={deed}&username={name}");
        let typed = [("reason", "Who are you?"), ("hours", "")];
        act(&mut all.people[kim], &page, "/mod/act", &typed);
    }
    let mut pages: Vec<_> = PAGES.iter().map(|page| all.address(page)).collect();
    let id = account(&mut all.people[1], "mia");
    pages.extend(OF_ACCOUNT.map(|of| format!("/api/v1/accounts/{id}{of}")));
    let only = all.address("{only}");
    let number = only.rsplit('/').next().unwrap();
    let of_post = ["", "/context", "/history"];
    pages.extend(of_post.map(|of| format!("/api/v1/statuses/{number}{of}")));
    pages.push(format!("{only}/history"));
    for person in [&mut waiting, &mut refused, &mut held] {
        for page in &pages {
            let answer = person.get(page);
            let name = person.name.clone();
            assert!(
                !answer.body.contains("key-behind-the-clock"),
                "{name} {page}: {}",
                answer.body
            );
            let is_there = answer.status == 200;
            assert!(!page.contains(&only) || !is_there, "{name} {page}: {}", answer.status);
        }
        let picture = all.address("{picture}");
        assert_eq!(person.get(&picture).status, 404, "{} {picture}", person.name);
        let profile = person.get("/@mia").body;
        assert!(profile.contains("Only members see these posts."), "{profile}");
    }
    // Once they were let in; and who is suspended may still read.
    let admit = "/mod/act?deed=admit&username=wes";
    act(&mut all.people[kim], admit, "/mod/act", &[]);
    assert_eq!(waiting.get(&only).status, 200);
    assert_eq!(all.people[4].get(&only).status, 200);
}
