//! What keepers of the community of [`super::fake`] see.

use super::fake::{NOW, name, person, post};
use crate::action::{Cursor, KeepersDeed};
use crate::clock::Wall;
use crate::id::PostId;
use crate::user::entry::{House, PostRef};
use crate::wire::request::{
    Hindered, LogPage, LogRow, MemberRow, MembersPage, ReportRow, ReportedPost, ReportsPage,
};

pub(super) fn reports() -> ReportsPage {
    let of = PostRef { user: name("ben"), id: PostId::from_raw(899) };
    let gone = PostRef { user: name("eve"), id: PostId::from_raw(7) };
    let row = |by, reason: &str| ReportRow {
        by: name(by),
        at: Wall(NOW.0 - 60_000),
        reason: reason.to_owned(),
    };
    let mut hidden = post(899, "ben", "Ben Kroll", 5, "Found: one left glove.");
    hidden.hidden = Some("Not his glove.".to_owned());
    ReportsPage {
        posts: vec![
            ReportedPost {
                of,
                post: Some(hidden),
                reports: vec![row("mina", "It is mine."), row("yuki", "Spam")],
            },
            ReportedPost { of: gone, post: None, reports: vec![row("mina", "Rude.")] },
        ],
        next: Some(Cursor { at: Wall(1), user: name("eve"), id: 7 }),
        asking_in: 2,
    }
}

pub(super) fn members() -> MembersPage {
    let row = |username, display_name, hindered| MemberRow {
        person: person(username, display_name),
        joined_at: Wall(NOW.0 - 86_400_000),
        is_keeper: username == "ada",
        inviter: (username == "ben").then(|| name("ada")),
        hindered,
    };
    let reason = "Shouts.".to_owned();
    let until = Some(Wall(NOW.0 + 3_600_000));
    MembersPage {
        members: vec![
            row("ada", "Ada Lind", None),
            row("ben", "Ben Kroll", Some(Hindered::Suspended { until, reason: reason.clone() })),
            row("eve", "Eve", Some(Hindered::Waiting)),
            row("finn", "Finn", Some(Hindered::Refused { reason })),
        ],
        more_after: Some(name("finn")),
    }
}

pub(super) fn log() -> LogPage {
    let ben = || name("ben");
    let glove = || PostRef { user: ben(), id: PostId::from_raw(899) };
    let row = |deed, reason: &str, is_newest| LogRow {
        at: Wall(NOW.0 - 60_000),
        keeper: name("ada"),
        deed,
        until: None,
        reason: reason.to_owned(),
        house: None,
        is_newest,
    };
    let set = LogRow { house: Some(House::default()), ..row(None, "", true) };
    LogPage {
        acts: vec![
            row(Some(KeepersDeed::Hide(glove())), "Not his glove.", true),
            row(Some(KeepersDeed::Suspend { user: ben(), hours: None }), "Shouts.", false),
            row(Some(KeepersDeed::Lift { user: ben() }), "", true),
            set,
        ],
        next: Some(Cursor { at: Wall(1), user: name("ada"), id: 0 }),
    }
}
