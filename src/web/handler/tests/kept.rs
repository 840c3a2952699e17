//! What keepers of the community of [`super::fake`] see.

use super::fake::{NOW, name, person, post, posts};
use crate::action::{Action, Cursor, KeepersDeed};
use crate::clock::Wall;
use crate::id::PostId;
use crate::user::entry::{CodeHash, House, PostRef, Signup};
use crate::wire::request::{
    Apart, ApartRow, Hindered, InvitationRow, Invitations, KeptApart, LogPage, LogRow, MemberRow,
    MembersPage, Outcome, ReportRow, ReportedPost, ReportsPage, Welcome,
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
        house_before: None,
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

/// What a healthy backend says of how the community is kept, if it is asked about that.
pub(super) fn kept(action: &Action) -> Option<Outcome> {
    Some(match action {
        Action::Welcome => {
            let words = String::new();
            Outcome::Welcome(Welcome { signup: Signup::Open, words, posts: Some(posts()) })
        }
        Action::House => Outcome::House(House::default()),
        Action::Invitations => Outcome::Invitations(Invitations {
            may_invite: true,
            rows: vec![InvitationRow {
                code: CodeHash("c".repeat(64)),
                made_at: Wall(NOW.0 - 86_400_000),
                until: Wall(NOW.0 + 86_400_000),
                uses: 5,
                used_by: vec![name("mina")],
            }],
        }),
        Action::Reports(_) => Outcome::Reports(reports()),
        Action::AskingIn(_) | Action::Members(_) => Outcome::Members(members()),
        Action::KeepersLog(_) => Outcome::KeepersLog(log()),
        Action::KeptApart(_) => Outcome::KeptApart(KeptApart {
            people: vec![ApartRow {
                person: person("ben", "Ben Kroll"),
                apart: Apart { mutes: true, blocks: true, is_blocked: false },
            }],
            more_after: Some(name("ben")),
        }),
        _ => return None,
    })
}
