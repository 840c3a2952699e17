//! Every route is read as it is written.

use proptest::prelude::*;

use super::*;
use crate::web::response::Location;

fn post(user: &str, id: u64) -> PostRef {
    PostRef { user: user.parse().unwrap(), id: PostId::from_raw(id) }
}

fn every_route() -> Vec<Route> {
    let name = || "ada_1".parse().unwrap();
    vec![
        Route::Home,
        Route::Everyone,
        Route::Join,
        Route::Login,
        Route::FirstKeeper,
        Route::NewPassword,
        Route::Logout,
        Route::Post,
        Route::News,
        Route::Search,
        Route::Tag("seeds_1".parse().unwrap()),
        Route::EveryoneFeed,
        Route::ProfileFeed(name()),
        Route::TagFeed("seeds_1".parse().unwrap()),
        Route::Profile(name()),
        Route::Thread(post("ada", u64::MAX)),
        Route::DeletePost(post("ada", 0)),
        Route::EditPost(post("ada", 1)),
        Route::History(post("ada", 1)),
        Route::Mark { post: post("ada", 1), mark: Mark::Pin, on: true },
        Route::Mark { post: post("ada", 1), mark: Mark::Like, on: false },
        Route::Bookmarks,
        Route::Picture(PictureName::of(crate::id::PictureKind::Png, b"a")),
        Route::MayUpload,
        Route::Face(name(), "0a1b2c3d".to_owned()),
        Route::Followers(name()),
        Route::Following(name()),
        Route::Follow(name()),
        Route::Unfollow(name()),
        Route::Mute(name()),
        Route::Unmute(name()),
        Route::RemoveFollower(name()),
        Route::Block(name()),
        Route::Unblock(name()),
        Route::SettingsProfile,
        Route::SettingsPeople,
        Route::SettingsInvitations,
        Route::Report(post("ada", 7)),
        Route::Mod,
        Route::ModAsking,
        Route::ModMembers,
        Route::ModLog,
        Route::ModHouse,
        Route::ModAct,
        Route::SettingsPassword,
        Route::SettingsDevices,
        Route::SettingsKeys,
        Route::SettingsData,
        Route::DataJson,
        Route::DataHtml,
        Route::SettingsLanguage,
        Route::SettingsLeave,
        Route::Status,
        Route::Healthz,
        Route::Readyz,
        Route::Robots,
        Route::Style(AssetHash::of(b"a")),
        Route::Dots(AssetHash::of(b"b")),
        Route::StandIn(AssetHash::of(b"d")),
        Route::Script(AssetHash::of(b"c")),
    ]
}

#[test]
fn route_written_and_read_is_the_same() {
    for route in every_route() {
        assert_eq!(Route::parse(&route.to_string()), Some(route));
    }
}

#[test]
fn route_path_not_canonical_refused() {
    for path in [
        "",
        "//",
        "/public/",
        "/Public",
        "/@",
        "/@a",
        "/@Ada",
        "/@ada/",
        "/@ada/007",
        "/@ada/+1",
        "/@ada/1/",
        "/@ada/1/delete/",
        "/@ada/1/edit/",
        "/@ada/01/like",
        "/@ada/1/ununlike",
        "/@ada/1/undelete",
        "/@ada//like",
        "/@ada/follow/x",
        "/@ada/face/0a1b2c3",
        "/@ada/face/0A1B2C3D",
        "/@ada/face/0a1b2c3d/",
        "/@ada/..",
        "/@ada/18446744073709551616",
        "/s/style.css",
        "/s/style-0123456789ABCDEF.css",
        "/s/style-0123456789abcdef.svg",
        "/s/",
        "/settings",
        "/tag/",
        "/tag/1",
        "/tag/a/",
        "/tag/a b",
        "/tag/.atom",
        "/tag/a.rss",
        "/tag/a.atom.atom",
        "/@Ada.atom",
        "/@ada.atom/",
        "/public.atom/x",
        "/mentions/",
        "/metrics",
        "/.env",
    ] {
        assert_eq!(Route::parse(path), None, "{path:?}");
    }
}

#[test]
fn route_misspelt_is_known_by_its_own_address() {
    for (path, own) in [
        ("/@Ada", "/@ada"),
        ("/@Ada/7/", "/@ada/7"),
        ("/@ADA.ATOM", "/@ada.atom"),
        ("/settings", "/settings/profile"),
        ("/tag/Seeds/", "/tag/seeds"),
    ] {
        assert_eq!(Route::misspelt(path).map(|route| route.to_string()).as_deref(), Some(own));
    }
    for path in ["", "/", "//", "//evil", "/@Ada//", "/@ada/007", "/Public", "/post/", "/@É"] {
        assert_eq!(Route::misspelt(path), None, "{path:?}");
    }
    let picture = Route::Picture(PictureName::of(crate::id::PictureKind::Png, b"a"));
    for route in [picture, Route::Style(AssetHash::of(b"a")), Route::Healthz] {
        assert_eq!(Route::misspelt(&format!("{route}/")), None);
    }
}

#[test]
fn route_of_tag_in_any_script_and_spelling() {
    let tag = Route::Tag("größe".parse().unwrap());
    assert_eq!(tag.to_string(), "/tag/gr%C3%B6sse");
    let read = |path: &str| Route::parse(&crate::web::form::decode_path(path).unwrap());
    assert_eq!(read("/tag/gr%C3%B6sse"), Some(tag.clone()));
    assert_eq!(read("/tag/Gr%C3%B6%C3%9Fe"), Some(tag));
    let feed = Route::TagFeed("日本語".parse().unwrap());
    assert_eq!(read(&feed.to_string()), Some(feed));
}

#[test]
fn route_methods_by_kind() {
    for route in every_route() {
        assert_eq!(route.allows(Method::Get), route.allows(Method::Head), "{route}");
        assert!(route.allows(Method::Get) || route.allows(Method::Post), "{route}");
    }
    assert!(!Route::Home.allows(Method::Post));
    assert!(!Route::Logout.allows(Method::Get));
}

proptest! {
    #[test]
    fn route_any_path_read_writes_itself(path in "(/@?[a-z0-9_./-]{0,30}){1,3}") {
        if let Some(route) = Route::parse(&path) {
            prop_assert_eq!(route.to_string(), path);
        }
    }

    #[test]
    fn route_any_path_misspelt_stays_on_this_site(path in "/{1,2}(@?[A-Za-z0-9_.É-]{0,9}/{0,2}){1,4}") {
        if let Some(route) = Route::misspelt(&path) {
            prop_assert!(Location::new(&route.to_string()).is_some());
            prop_assert_eq!(Route::parse(&route.to_string()), Some(route));
        }
    }
}

#[test]
fn what_hashes_is_known_however_its_address_is_spelt() {
    for target in [
        "/join",
        "/login",
        "/login?to=%2Fsearch",
        "/log%69n",
        "/first?link=x",
        "/reset",
        "/settings/password",
        "/settings/leave",
        "/oauth/token",
        "/oauth/token/",
    ] {
        assert!(hashes_password(target), "{target}");
    }
    for target in ["/", "/post", "/logout", "/@login", "/oauth/revoke", "/search?q=/login", "/%"] {
        assert!(!hashes_password(target), "{target}");
    }
}
