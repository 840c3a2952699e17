//! What a healthy backend answers in the community of [`super::fake`].

use super::fake::*;
use super::kept::kept;
use super::taken::export;
use crate::action::Action;
use crate::clock::Wall;
use crate::id::PostId;
use crate::wire::request::*;

/// What a healthy backend says.
pub(super) fn fitting(action: &Action) -> Outcome {
    match action {
        Action::Home(_)
        | Action::Everyone(_)
        | Action::UserPosts(_)
        | Action::Bookmarks(_)
        | Action::Tagged(_) => Outcome::Posts(posts()),
        Action::History(_) => Outcome::History(history()),
        Action::Profile(asked) => Outcome::Profile(ProfilePage {
            person: person(asked.username.as_str(), "Ada Lind"),
            bio: "Seeds, mostly.\nSome string.".to_owned(),
            joined_at: Wall(1_582_246_865_000),
            followers: 2,
            following: 1,
            posts_count: 5,
            members_only: false,
            followed: (asked.username != name("ada")).then_some(false),
            apart: None,
            hindered: None,
            pinned: None,
            page: posts(),
        }),
        Action::Thread(_) => Outcome::Thread(thread()),
        Action::Followers(asked) | Action::Following(asked) => Outcome::People(PeoplePage {
            of: person(asked.username.as_str(), "Ada Lind"),
            people: people(),
            more_after: Some(name("mina")),
        }),
        Action::News(_) => Outcome::News(news()),
        Action::Search(asked) => Outcome::Found(found(&asked.query)),
        Action::Export(asked) => Outcome::Export(export(asked)),
        Action::Sessions => {
            let row = |id: &str, device: &str, is_this| SessionRow {
                id: id.repeat(64),
                device: device.to_owned(),
                address: "192.0.2.7".to_owned(),
                opened_at: Wall(NOW.0 - 86_400_000),
                is_this,
                app: None,
            };
            Outcome::Sessions(vec![
                row("a", "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0", true),
                row("b", "Mozilla/5.0 (iPhone) Version/17.5 Safari/604.1", false),
            ])
        }
        Action::ClusterStatus => Outcome::Status(machines(&[MachineState::InStep; 3])),
        Action::CheckSession | Action::OpenLink(_) | Action::OfferFirst(_) => Outcome::Checked,
        Action::KeepPicture(_) => Outcome::PictureKept,
        Action::Picture(_) | Action::Face(_) => Outcome::Picture,
        Action::Post(_) | Action::PostFor(_) => {
            Outcome::Saved(Saved { post: Some(PostId::from_raw(904)), sessions_ended: 0 })
        }
        Action::ChangePassword(_) | Action::EndOtherSessions(_) => {
            Outcome::Saved(Saved { post: None, sessions_ended: 2 })
        }
        other => kept(other).unwrap_or(Outcome::Saved(Saved { post: None, sessions_ended: 0 })),
    }
}
