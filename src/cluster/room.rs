//! How long a user's file may become by what. What nobody does again and again, or what makes room, is taken
//! also where there is none for posts: a full account must not shut its owner out, and what stands open at a
//! file's end must come to one.

use crate::limits::{USER_FILE_BYTES_MAX, USER_FILE_LAST_BYTES, USER_FILE_ROOM_BYTES};
use crate::store::line::Kind;
use crate::user::entry::Entry;

/// The length up to which posts and the like are taken.
pub(super) const ROOM_FOR_POSTS: usize = USER_FILE_BYTES_MAX - USER_FILE_ROOM_BYTES;

/// How many bytes a user's file may have with a line of this kind and these entries at its end.
pub(super) fn most(kind: Kind, entries: &[Entry]) -> usize {
    match kind {
        Kind::Identity => USER_FILE_BYTES_MAX,
        Kind::Tombstone => USER_FILE_BYTES_MAX - USER_FILE_LAST_BYTES,
        _ if entries.iter().all(is_always_taken) => USER_FILE_BYTES_MAX - USER_FILE_LAST_BYTES,
        _ => ROOM_FOR_POSTS,
    }
}

/// Whether it lets somebody in or out, keeps somebody off, or takes back what was written.
const fn is_always_taken(entry: &Entry) -> bool {
    matches!(
        entry,
        Entry::SessionOpened { .. }
            | Entry::SessionClosed { .. }
            | Entry::Password { .. }
            | Entry::PostDeleted { .. }
            | Entry::Unpinned { .. }
            | Entry::Unliked { .. }
            | Entry::Unreposted { .. }
            | Entry::Unbookmarked { .. }
            | Entry::Unfollowed { .. }
            | Entry::Muted { .. }
            | Entry::Unmuted { .. }
            | Entry::Blocked { .. }
            | Entry::Unblocked { .. }
            | Entry::FollowerRemoved { .. }
            | Entry::KeeperMade { .. }
            | Entry::KeeperEnded { .. }
            | Entry::PostHidden { .. }
            | Entry::MemberSuspended { .. }
            | Entry::SuspensionLifted { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::id::{PostId, UserName};

    #[test]
    fn posts_leave_room_for_what_makes_room() {
        let at = Wall(1);
        let deleted = Entry::PostDeleted { at, id: PostId::from_raw(1), few: false };
        let profile = Entry::Profile {
            at,
            display_name: "Ada".to_owned(),
            bio: String::new(),
            members_only: false,
            posts_for: crate::user::entry::Audience::Everyone,
            avatar: None,
        };
        let for_delete = most(Kind::Delta, std::slice::from_ref(&deleted));
        let user: UserName = "ben".parse().unwrap();
        let unblocked =
            [Entry::FollowerRemoved { at, user: user.clone() }, Entry::Unblocked { at, user }];
        assert_eq!(most(Kind::Delta, &unblocked), for_delete);
        assert_eq!(most(Kind::Delta, std::slice::from_ref(&profile)), ROOM_FOR_POSTS);
        assert_eq!(
            most(Kind::Delta, &[deleted, profile]),
            ROOM_FOR_POSTS,
            "the one with the other"
        );
        assert!(ROOM_FOR_POSTS < for_delete && for_delete < most(Kind::Identity, &[]));
        assert_eq!(most(Kind::Tombstone, &[Entry::Left { at }]), for_delete);
        assert_eq!(most(Kind::Identity, &[]), USER_FILE_BYTES_MAX, "the store takes no more");
    }
}
