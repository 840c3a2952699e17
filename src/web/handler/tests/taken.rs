//! What somebody takes along.

use super::fake::{name, of_ben};
use crate::action::{ExportFrom, ExportList};
use crate::clock::Wall;
use crate::id::PostId;
use crate::user::entry::{Audience, Poll, PostRef};
use crate::wire::request::{
    ExportMark, ExportPage, ExportPost, ExportProfile, ExportText, ExportVote,
};

/// Three posts, and what was done with others, in five parts.
pub(super) fn export(from: &ExportFrom) -> ExportPage {
    let ms = 1_582_246_865_000_u64;
    let post = |n: u64, text: &str| ExportPost {
        pictures: Vec::new(),
        sensitive: false,
        poll: None,
        id: PostId::from_raw((ms + n * 60_000) << 16),
        at: Wall(ms + n * 60_000),
        edited_at: None,
        text: text.to_owned(),
        note: None,
        audience: Audience::Everyone,
        reply_to: (n == 1).then(|| of_ben(899)),
        earlier: Vec::new(),
    };
    let edited = ExportPost {
        edited_at: Some(Wall(ms + 500_000)),
        note: Some("Frost".to_owned()),
        earlier: vec![ExportText { at: Wall(ms), text: "Se".to_owned(), note: None }],
        ..post(2, "See https://example.org/?a=1&b=2")
    };
    let edited = ExportPost { poll: Some(poll()), ..edited };
    let first = vec![post(0, "Tea at \"four\"?\nBring cups <3"), post(1, "@ben gladly!")];
    let last = first.last().map(|post| PostRef { user: name("ada"), id: post.id });
    let next = |list, after| Some(ExportFrom { list, after });
    let mark = |id, at: Option<u64>| vec![ExportMark { post: of_ben(id), at: at.map(Wall) }];
    match (from.list, &from.after) {
        (ExportList::Posts, None) => ExportPage {
            profile: Some(ExportProfile {
                votes: vec![ExportVote { post: of_ben(5), choices: [0, 2].into_iter().collect() }],
                muted_threads: vec![of_ben(6), of_ben(7)],
                username: name("ada"),
                display_name: "Ada Lind".to_owned(),
                bio: "Seeds, mostly.".to_owned(),
                members_only: true,
                posts_for: Audience::Followers,
                has_audiences: false,
                joined_at: Wall(ms),
                pinned: first.first().map(|post| post.id),
                follows: vec![name("ben"), name("mina")],
                mutes: vec![name("gus")],
                blocks: Vec::new(),
            }),
            posts: first,
            next: next(ExportList::Posts, last),
            ..ExportPage::default()
        },
        (ExportList::Posts, Some(_)) => ExportPage {
            posts: vec![edited],
            next: next(ExportList::Likes, None),
            ..ExportPage::default()
        },
        (ExportList::Likes, None) => ExportPage {
            marks: mark(1, None),
            next: next(ExportList::Likes, Some(of_ben(1))),
            ..ExportPage::default()
        },
        (ExportList::Likes, Some(_)) => ExportPage {
            marks: mark(2, None),
            next: next(ExportList::Reposts, None),
            ..ExportPage::default()
        },
        (ExportList::Reposts, _) => {
            ExportPage { next: next(ExportList::Bookmarks, None), ..ExportPage::default() }
        }
        (ExportList::Bookmarks, _) => {
            ExportPage { marks: mark(3, Some(ms)), ..ExportPage::default() }
        }
    }
}

fn poll() -> Poll {
    let options = vec!["\"Tea\"".to_owned(), "Cake <3".to_owned()];
    Poll { options, until: Wall(1_582_246_865_000 + 900_000), many: true, hides_votes: false }
}
