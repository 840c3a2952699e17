//! What routes are called where answers are counted: one word each, without what stands in an address, so
//! that there are as many as this file has.

use super::form::decode_path;
use super::request::is_for_apps;
use super::route::Route;

/// What a request's target is called.
pub(super) fn label(target: &str) -> &'static str {
    let path = target.split('?').next().and_then(decode_path);
    if path.as_deref().is_some_and(is_for_apps) {
        return "api";
    }
    path.and_then(|path| Route::parse(&path)).map_or("none", |route| of(&route))
}

const fn of(route: &Route) -> &'static str {
    match route {
        Route::Home => "home",
        Route::Everyone => "public",
        Route::News => "mentions",
        Route::Search => "search",
        Route::Tag(_) => "tag",
        Route::EveryoneFeed | Route::ProfileFeed(_) | Route::TagFeed(_) => "feed",
        Route::Join => "join",
        Route::Login => "login",
        Route::FirstKeeper => "first",
        Route::NewPassword => "reset",
        Route::Logout => "logout",
        Route::Post | Route::MayUpload => "post",
        Route::Profile(_) => "profile",
        Route::Thread(_) => "thread",
        Route::EditPost(_) => "edit",
        Route::History(_) => "history",
        Route::Mark { .. } => "mark",
        Route::Vote(_) => "vote",
        Route::Bookmarks => "bookmarks",
        Route::Picture(_) => "picture",
        Route::Face(..) => "face",
        Route::DeletePost(_) => "delete",
        Route::Followers(_) | Route::Following(_) => "people",
        Route::Follow(_) | Route::Unfollow(_) | Route::RemoveFollower(_) => "follow",
        Route::Mute(_) | Route::Unmute(_) | Route::Block(_) | Route::Unblock(_) => "mute",
        Route::Report(_) => "report",
        Route::Mod
        | Route::ModAsking
        | Route::ModMembers
        | Route::ModLog
        | Route::ModHouse
        | Route::ModAct => "mod",
        Route::SettingsProfile
        | Route::SettingsPassword
        | Route::SettingsDevices
        | Route::SettingsPeople
        | Route::SettingsInvitations
        | Route::SettingsKeys
        | Route::SettingsData
        | Route::SettingsLanguage
        | Route::SettingsLeave => "settings",
        Route::DataJson | Route::DataHtml => "data",
        Route::AllowApp => "authorize",
        Route::Status => "status",
        Route::Healthz => "healthz",
        Route::Readyz => "readyz",
        Route::Robots => "robots",
        Route::Style(_) | Route::Script(_) | Route::Dots(_) | Route::StandIn(_) => "asset",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_say_nothing_of_whom_or_what() {
        for (target, expected) in [
            ("/", "home"),
            ("/@ada", "profile"),
            ("/@ada/follow", "follow"),
            ("/@ada.atom", "feed"),
            ("/tag/ada", "tag"),
            ("/search?q=ada", "search"),
            ("/%61da", "none"),
            ("/metrics", "none"),
            ("/\u{0}", "none"),
        ] {
            assert_eq!(label(target), expected, "{target}");
        }
    }
}
