//! Letting an app in.

use askama::Template;

use super::form::FormHead;
use super::frame::Frame;
use crate::web::words::Lang;
use crate::wire::request::Scopes;

/// Whether an app may act in somebody's name.
#[derive(Debug, Template)]
#[template(path = "allow_app.html", config = "src/web/askama.toml")]
pub(crate) struct AllowAppPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// What the app calls itself.
    pub(crate) app: String,
    /// Its page; may be empty.
    pub(crate) website: String,
    /// Whose name.
    pub(crate) name: String,
    /// What it wants to do.
    pub(crate) may: Vec<String>,
    /// The form.
    pub(crate) form: FormHead,
}

/// A code to copy into an app.
#[derive(Debug, Template)]
#[template(path = "app_code.html", config = "src/web/askama.toml")]
pub(crate) struct CodePage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// What to do with it.
    pub(crate) intro: String,
    /// The code.
    pub(crate) code: String,
}

/// What an app may do, in plain words, each once.
pub(crate) fn what_it_may(t: Lang, scopes: &Scopes) -> Vec<String> {
    let all: Vec<&str> = scopes.iter().collect();
    let is_said = |scope: &&str| *scope == "follow" && all.contains(&"write");
    all.iter().copied().filter(|scope| !is_said(scope)).map(|scope| words(t, scope)).collect()
}

fn words(t: Lang, scope: &str) -> String {
    match scope {
        "read" => t.may_read().to_owned(),
        "write" => t.may_write().to_owned(),
        "follow" => t.may_follow().to_owned(),
        "push" => t.may_push().to_owned(),
        "profile" => t.may_profile().to_owned(),
        _ => {
            let (kind, what) = scope.split_once(':').unwrap_or_default();
            let what = match what {
                "accounts" if kind == "write" => t.scope_own_profile(),
                "accounts" => t.scope_accounts(),
                "blocks" => t.scope_blocks(),
                "bookmarks" => t.scope_bookmarks(),
                "conversations" => t.scope_conversations(),
                "favourites" => t.scope_favourites(),
                "filters" => t.scope_filters(),
                "follows" => t.scope_follows(),
                "lists" => t.scope_lists(),
                "media" => t.scope_media(),
                "mutes" => t.scope_mutes(),
                "notifications" => t.scope_notifications(),
                "reports" => t.scope_reports(),
                "search" => t.scope_search(),
                _ => t.scope_statuses(),
            };
            if kind == "write" { t.may_change(what) } else { t.may_see(what) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_includes_the_other_is_said_alone() {
        let may = |scopes: &str| what_it_may(Lang::En, &scopes.parse().unwrap()).len();
        assert_eq!([may("read write follow"), may("read follow"), may("write")], [2, 2, 1]);
    }
}
