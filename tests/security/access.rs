//! Statement 41: who may do what, walked through every address of the site. A route that is not in the
//! table fails the test.

use std::collections::BTreeSet;

use super::wire::Site;
use crate::cluster::form::Form;
use crate::cluster::person::{Answer, Person};

/// Those who ask, in the order of the table's columns: somebody who is not signed in; ada, whose posts
/// and profile the addresses are about; ben, another member; kim, a keeper; sam, who is suspended.
pub(super) const WHO: [&str; 5] = ["stranger", "ada", "ben", "kim", "sam"];
/// What only its author sees once a keeper has hidden it.
const HIDDEN: &str = "ladder-under-the-floor";
/// What only members see, because its author says so.
const MEMBERS_ONLY: &str = "key-behind-the-clock";
/// What nobody sees while its author is suspended.
const SUSPENDED: &str = "seeds-from-the-tower";

/// A route: its name in the program, an address, and the status that each gets for opening it and for
/// sending the form that goes there, as drawn for themselves; `-` stands for 405 for all.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// `{plain}` is a post of ada's, `{hidden}` one that a keeper hid, `{asset}` what a page names.
/// A write that is refused before anybody looks for what it is about gives 403: the form was drawn for
/// nobody like them.
const TABLE: &[Row] = &[
    ("Home", "/", "200 200 200 200 200", "-"),
    ("Everyone", "/public", "200 200 200 200 200", "-"),
    ("EveryoneFeed", "/public.atom", "200 200 200 200 200", "-"),
    ("News", "/mentions", "303 200 200 200 200", "-"),
    ("Search", "/search?q=ladder", "200 200 200 200 200", "-"),
    ("Tag", "/tag/seeds", "200 200 200 200 200", "-"),
    ("TagFeed", "/tag/seeds.atom", "200 200 200 200 200", "-"),
    ("ProfileFeed", "/@ada.atom", "200 200 200 200 200", "-"),
    ("ProfileFeed", "/@mia.atom", "200 200 200 200 200", "-"),
    ("Join", "/join", "200 303 303 303 303", "422 403 403 403 403"),
    ("Login", "/login", "200 303 303 303 303", "422 403 403 403 403"),
    ("FirstKeeper", "/first", "410 410 410 410 410", "410 410 410 410 410"),
    ("NewPassword", "/reset", "410 410 410 410 410", "410 410 410 410 410"),
    ("Logout", "/logout", "-", "403 303 303 303 303"),
    ("Post", "/post", "-", "403 303 303 303 403"),
    ("MayUpload", "/post/pictures", "403 200 200 200 403", "-"),
    ("Picture", "{picture}", "404 200 200 200 200", "-"),
    ("Face", "{face}", "200 200 200 200 200", "-"),
    ("Profile", "/@ada", "200 200 200 200 200", "-"),
    ("Profile", "/@sam", "200 200 200 200 200", "-"),
    ("Followers", "/@ada/followers", "200 200 200 200 200", "-"),
    ("Following", "/@ada/following", "200 200 200 200 200", "-"),
    ("Thread", "{plain}", "200 200 200 200 200", "-"),
    ("Thread", "{hidden}", "200 200 200 200 200", "-"),
    ("Thread", "{only}", "404 200 200 200 200", "-"),
    ("EditPost", "{plain}/edit", "303 200 403 403 403", "403 303 404 404 404"),
    ("History", "{plain}/history", "200 200 200 200 200", "-"),
    ("History", "{hidden}/history", "404 200 404 404 404", "-"),
    ("Mark", "{plain}/like", "-", "403 303 303 303 403"),
    ("Vote", "{only}/vote", "-", "403 303 303 303 403"),
    ("Bookmarks", "/bookmarks", "303 200 200 200 200", "-"),
    ("DeletePost", "{plain}/delete", "303 200 403 403 403", "403 303 404 404 404"),
    ("Follow", "/@ada/follow", "-", "403 422 303 303 403"),
    ("Unfollow", "/@ada/unfollow", "-", "403 403 303 303 403"),
    ("Mute", "/@ada/mute", "-", "403 422 303 303 403"),
    ("Unmute", "/@ada/unmute", "-", "403 403 303 303 403"),
    ("Block", "/@ada/block", "-", "403 422 303 303 403"),
    ("Unblock", "/@ada/unblock", "-", "403 403 303 303 403"),
    ("RemoveFollower", "/@ada/remove-follower", "-", "403 303 303 303 403"),
    ("SettingsProfile", "/settings/profile", "303 200 200 200 200", "403 303 303 303 403"),
    ("SettingsPassword", "/settings/password", "303 200 200 200 200", "403 422 422 422 422"),
    ("SettingsDevices", "/settings/devices", "303 200 200 200 200", "403 303 303 303 303"),
    ("SettingsPeople", "/settings/people", "303 200 200 200 200", "-"),
    ("SettingsInvitations", "/settings/invitations", "303 200 200 200 200", "403 403 403 303 403"),
    ("SettingsKeys", "/settings/keys", "303 200 200 200 200", "403 303 303 303 303"),
    ("SettingsData", "/settings/data", "303 200 200 200 200", "-"),
    ("DataJson", "/settings/data/tern.json", "303 200 200 200 200", "-"),
    ("DataHtml", "/settings/data/posts.html", "303 200 200 200 200", "-"),
    ("SettingsLanguage", "/settings/language", "200 200 200 200 200", "303 303 303 303 303"),
    ("SettingsLeave", "/settings/leave", "303 200 200 200 200", "403 422 422 422 422"),
    ("AllowApp", "/oauth/authorize", "400 400 400 400 400", "400 400 400 400 400"),
    ("Report", "{plain}/report", "303 403 200 200 200", "403 422 303 303 403"),
    ("Mod", "/mod", "404 404 404 200 404", "-"),
    ("ModAsking", "/mod/joining", "404 404 404 200 404", "-"),
    ("ModMembers", "/mod/members", "404 404 404 200 404", "-"),
    ("ModLog", "/mod/log", "404 404 404 200 404", "-"),
    ("ModHouse", "/mod/settings", "404 404 404 200 404", "403 403 403 303 403"),
    ("ModAct", "/mod/act?deed=suspend&username=ben", "404 404 404 200 404", "403 403 403 303 403"),
    ("Status", "/status", "200 200 200 200 200", "-"),
    ("Healthz", "/healthz", "200 200 200 200 200", "-"),
    ("Readyz", "/readyz", "200 200 200 200 200", "-"),
    ("Robots", "/robots.txt", "200 200 200 200 200", "-"),
    ("Style", "{style}", "200 200 200 200 200", "-"),
    ("Script", "{script}", "200 200 200 200 200", "-"),
    ("Dots", "{dots}", "200 200 200 200 200", "-"),
    ("StandIn", "/s/stand-in-0123456789ab.png", "200 200 200 200 200", "-"),
];

/// The names of all routes, as the program has them.
fn routes() -> BTreeSet<String> {
    let source = include_str!("../../src/web/route/mod.rs");
    let (_, rest) = source.split_once("pub enum Route {\n").expect("the routes");
    let (body, _) = rest.split_once("\n}\n").expect("their end");
    // Fields of a variant stand deeper.
    let variants = body.lines().filter_map(|line| line.strip_prefix("    "));
    let variants = variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    variants
        .map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap().to_owned())
        .collect()
}

/// A community in which all that can be hidden from somebody is there.
pub(super) struct Community {
    pub(super) site: Site,
    pub(super) people: Vec<Person>,
    /// What stands for the names in braces.
    places: Vec<(&'static str, String)>,
}

impl Community {
    pub(super) fn new() -> Self {
        let site = Site::start(&[]);
        let mut mia = site.member("mia");
        let typed = [("display_name", "Mia"), ("bio", ""), ("members_only", "1")];
        assert_eq!(mia.act("/settings/profile", "/settings/profile", &typed).status, 303);
        let only = asked(&mut mia, &format!("The {MEMBERS_ONLY} #seeds"));
        let (picture, face) = pictured(&mut mia);
        let (mut ada, ben) = (site.member("ada"), site.member("ben"));
        let plain = posted(&mut ada, "A ladder, to lend #seeds");
        let hidden = posted(&mut ada, &format!("The {HIDDEN} #seeds @ben"));
        let (mut kim, mut sam) = (site.member("kim"), site.member("sam"));
        let lost = posted(&mut sam, &format!("The {SUSPENDED} #seeds"));
        site.cluster.order(&["admin", "kim"]);
        assert_eq!(kim.login().status, 303);
        let id = hidden.rsplit('/').next().unwrap();
        for query in [
            format!("deed=hide&username=ada&id={id}"),
            "deed=suspend&username=sam&hours=".to_owned(),
        ] {
            let form = kim.get(&format!("/mod/act?{query}")).form("/mod/act");
            assert_eq!(
                kim.submit(&form, &[("reason", "House rules."), ("hours", "")]).status,
                303,
                "{query}"
            );
        }
        let page = kim.get("/").body;
        let asset = |begin: &str| {
            let found = page.split('"').find(|text| text.starts_with(begin));
            found.unwrap_or_else(|| panic!("{begin}: {page}")).to_owned()
        };
        let places = vec![
            ("{plain}", plain),
            ("{hidden}", hidden),
            ("{only}", only),
            ("{lost}", lost),
            ("{picture}", picture),
            ("{face}", face),
            ("{style}", asset("/s/style-")),
            ("{script}", asset("/s/script-")),
            ("{dots}", asset("/s/dots-")),
        ];
        for name in &WHO[1..] {
            // Another device, for there to be one to sign out.
            assert_eq!(site.cluster.person(name).login().status, 303);
        }
        let stranger = site.cluster.person("stranger");
        Self { site, people: vec![stranger, ada, ben, kim, sam], places }
    }

    pub(super) fn address(&self, row: &str) -> String {
        self.places.iter().fold(row.to_owned(), |row, (name, place)| row.replace(name, place))
    }
}

/// The address of a post that was just made.
pub(super) fn posted(person: &mut Person, text: &str) -> String {
    let answer = person.post(text);
    let to = answer.location.unwrap_or_else(|| panic!("{text}: {}", answer.body));
    format!("/@{}/{}", person.name, to.split_once("posted=").unwrap().1)
}

/// The same of one that asks something.
fn asked(person: &mut Person, text: &str) -> String {
    let form = person.act("/", "/post", &[("text", text), ("ask", "")]).form("/post");
    let typed = [("option_1", MEMBERS_ONLY), ("option_2", "Neither"), ("lasts", "86400")];
    let answer = person.submit(&form, &typed);
    let to = answer.location.unwrap_or_else(|| panic!("{text}: {}", answer.body));
    format!("/@{}/{}", person.name, to.split_once("posted=").unwrap().1)
}

/// The addresses of a picture that was just posted, and of the one beside the name.
fn pictured(person: &mut Person) -> (String, String) {
    let mut file = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(40, 20).write_to(&mut file, image::ImageFormat::Png).unwrap();
    let file = file.into_inner();
    let form = person.act("/", "/post", &[("text", "Look"), ("more", "")]).form("/post");
    let typed = [("text", "Look"), ("description_1", MEMBERS_ONLY)];
    assert_eq!(person.submit_files(&form, &typed, &[("picture_1", &file)]).status, 303);
    let form = person.get("/settings/profile").form("/settings/profile");
    let typed = [("display_name", "Mia"), ("bio", ""), ("members_only", "1")];
    assert_eq!(person.submit_files(&form, &typed, &[("avatar", &file)]).status, 303);
    let page = person.get(&format!("/@{}", person.name)).body;
    let source = |begin: &str| {
        let found = page.split('"').find(|text| text.starts_with(begin));
        found.unwrap_or_else(|| panic!("{begin}: {page}")).to_owned()
    };
    (source("/picture/"), source(&format!("/@{}/face/", person.name)))
}

/// The statuses of a cell.
fn statuses(cell: &str) -> Vec<u16> {
    if cell == "-" {
        return vec![405; WHO.len()];
    }
    let all: Vec<u16> = cell.split(' ').map(|status| status.parse().unwrap()).collect();
    assert_eq!(all.len(), WHO.len(), "{cell}");
    all
}

/// An address without what it is about: forms of one kind are worth as much for another's post.
fn kind(address: &str) -> String {
    let path = address.split('?').next().unwrap();
    let parts = path.split('/').map(|part| match part {
        name if name.starts_with('@') => "@",
        number if number.starts_with(|c: char| c.is_ascii_digit()) => "#",
        other => other,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// All forms that somebody is shown, by kind: what they can send at all.
fn forms_of(person: &mut Person, [own, others]: [&str; 2]) -> Vec<Form> {
    let mut pages = vec!["/", "/public", "/@mia", "/@ada", "/login", "/join"];
    pages.extend(["/settings/profile", "/settings/password", "/settings/devices"]);
    pages.extend(["/settings/invitations", "/settings/keys", "/settings/language"]);
    pages.extend(["/settings/leave", "/mod/settings", "/mod/act?deed=suspend&username=mia"]);
    let mut pages: Vec<String> = pages.into_iter().map(str::to_owned).collect();
    pages.push(format!("/@{}/followers", person.name));
    pages.push(format!("{others}/report"));
    if !own.is_empty() {
        pages.extend([format!("{own}/edit"), format!("{own}/delete")]);
    }
    pages.into_iter().flat_map(|page| person.get(&page).forms()).collect()
}

/// Whether an answer tells what it must not tell to this one.
fn told(answer: &Answer, n: usize) -> Option<&'static str> {
    let may_read = |text: &str| match text {
        HIDDEN => WHO[n] == "ada",
        MEMBERS_ONLY => WHO[n] != "stranger",
        _ => WHO[n] == "sam",
    };
    [HIDDEN, MEMBERS_ONLY, SUSPENDED].into_iter().find(|text| {
        let head = answer.headers.iter().any(|(_, value)| value.contains(*text));
        !may_read(text) && (head || answer.body.contains(*text))
    })
}

#[test]
fn s41_every_route_opens_for_those_who_may_and_tells_nobody_else() {
    let named: BTreeSet<String> = TABLE.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(named, routes(), "the table has a row for each route, and no other");
    let mut all = Community::new();
    let mut wrong = Vec::new();
    for (name, address, get, post) in TABLE {
        let address = all.address(address);
        let mut expected = statuses(get);
        if *get == "-" {
            assert_ne!(*post, "-", "{name} takes nothing");
            expected = vec![405; WHO.len()];
        }
        for (n, status) in expected.into_iter().enumerate() {
            let answer = all.people[n].get(&address);
            if answer.status != status {
                wrong.push(format!("{} GET {address}: {} not {status}", WHO[n], answer.status));
            }
            if let Some(text) = told(&answer, n) {
                wrong.push(format!("{} GET {address} tells {text}", WHO[n]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn s41_every_form_is_taken_from_those_who_may_alone() {
    let mut all = Community::new();
    let mut wrong = Vec::new();
    // One's own post, whose forms would do for another's; made before anybody is stopped.
    let own = ["", "{plain}", "", "", "{lost}"].map(|place| all.address(place));
    let bens = posted(&mut all.people[2], "A ladder of mine");
    let kims = posted(&mut all.people[3], "A ladder of kim's");
    let own = [&own[0], &own[1], &bens, &kims, &own[4]];
    // A follower of each, who can be removed.
    let mut mia = all.site.cluster.person("mia");
    assert_eq!(mia.login().status, 303);
    for name in &WHO[1..] {
        assert_eq!(mia.follow(name).status, 303, "{name}");
    }
    let others = all.address("{only}");
    for (name, address, _, post) in TABLE {
        let address = all.address(address);
        for (n, status) in statuses(post).into_iter().enumerate() {
            // What signs out, or takes the post away, is done by somebody whom nobody needs afterwards.
            let fresh = ["Logout", "DeletePost"].contains(name) && n == 1;
            let mut other = all.site.cluster.person(WHO[n]);
            let (person, to) = if fresh {
                assert_eq!(other.login().status, 303);
                let to = posted(&mut other, "To be taken back");
                (
                    &mut other,
                    if *name == "Logout" { address.clone() } else { format!("{to}/delete") },
                )
            } else {
                (&mut all.people[n], address.clone())
            };
            let answer = send(person, &to, [own[n], &others]);
            if answer.status != status {
                wrong.push(format!("{} POST {to}: {} not {status}", WHO[n], answer.status));
            }
            if let Some(text) = told(&answer, n) {
                wrong.push(format!("{} POST {to} tells {text}", WHO[n]));
            }
            if *name == "Logout" && !fresh && n > 0 {
                assert_eq!(all.people[n].login().status, 303);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Sends to an address the form of its kind that this one is shown anywhere, or one that nobody drew.
fn send(person: &mut Person, to: &str, own: [&str; 2]) -> Answer {
    let path = to.split('?').next().unwrap();
    let found = forms_of(person, own).into_iter().find(|form| kind(&form.action) == kind(path));
    let form = found.unwrap_or_else(|| Form { action: String::new(), fields: Vec::new() });
    let form = Form { action: path.to_owned(), ..form };
    let typed = [
        ("text", "Tea"),
        ("reason", "Too loud."),
        ("display_name", ""),
        ("lang", "en"),
        ("deed", "suspend"),
        ("username", "ben"),
        ("choice", "0"),
        ("bio", ""),
        ("signup", "open"),
        ("words", ""),
        ("hours", "1"),
        ("uses", "1"),
        ("days", "1"),
    ];
    person.submit(&form, &typed)
}
