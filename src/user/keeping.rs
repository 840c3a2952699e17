//! What stands in a user's file about the community rather than about themselves: what they did as its
//! keeper, whom they invited, what they reported.

use std::collections::BTreeMap;

use super::entry::{CodeHash, Entry, House, PostRef};
use crate::clock::Wall;
use crate::id::UserName;

/// Most people have none of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keeping {
    /// Whether the user is a keeper now.
    pub is_keeper: bool,
    /// What they did as one, in their order. What somebody claims to have done who was no keeper at
    /// that place of the file is none of it.
    pub acts: Vec<Act>,
    /// Codes with which others may join.
    pub invitations: BTreeMap<CodeHash, Invitation>,
    /// Posts that a keeper should look at.
    pub reports: BTreeMap<PostRef, Report>,
}

/// Something that a keeper did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Wall,
    /// What.
    pub deed: Deed,
}

/// What a keeper may do. The newest about the same thing holds, whichever keeper did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Said how the community is kept.
    Set(House),
    /// Hid a post, and why.
    Hid(PostRef, String),
    /// Showed it again.
    Showed(PostRef),
    /// Looked at what was reported of a post.
    Closed(PostRef),
    /// Wanted another look.
    Reopened(PostRef),
    /// Suspended somebody, until when and why.
    Suspended(UserName, Option<Wall>, String),
    /// Ended that.
    Lifted(UserName),
    /// Let somebody in.
    Admitted(UserName),
    /// Did not, and why.
    Refused(UserName, String),
    /// Took back either.
    Undecided(UserName),
}

/// How somebody stands with the community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// As anybody.
    Member,
    /// Nobody has let them in yet.
    Waiting,
    /// They were not let in.
    Refused {
        /// Why.
        reason: String,
    },
    /// They may write nothing for a while.
    Suspended {
        /// Until when; absent for until it is lifted.
        until: Option<Wall>,
        /// Why.
        reason: String,
    },
}

/// A code with which others may join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// When it was made.
    pub made_at: Wall,
    /// How many may join with it.
    pub uses: u32,
    /// Until when.
    pub until: Wall,
    /// Who was promised to.
    pub used_by: Vec<UserName>,
}

/// Why a keeper should look at a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// When it was said.
    pub at: Wall,
    /// Why.
    pub reason: String,
}

/// Whether an entry outlives the account that states it: a keeper's acts, and when they were one.
pub fn outlives(entry: &Entry) -> bool {
    matches!(entry, Entry::KeeperMade { .. } | Entry::KeeperEnded { .. })
        || Deed::of(entry).is_some()
}

impl Deed {
    /// What an entry says that a keeper did, if it is about that.
    pub fn of(entry: &Entry) -> Option<(Wall, Self)> {
        let post = |user: &UserName, id| PostRef { user: user.clone(), id };
        Some(match entry {
            Entry::CommunitySet { at, house } => (*at, Self::Set(house.clone())),
            Entry::PostHidden { at, user, id, reason } => {
                (*at, Self::Hid(post(user, *id), reason.clone()))
            }
            Entry::PostShown { at, user, id } => (*at, Self::Showed(post(user, *id))),
            Entry::ReportClosed { at, user, id } => (*at, Self::Closed(post(user, *id))),
            Entry::ReportReopened { at, user, id } => (*at, Self::Reopened(post(user, *id))),
            Entry::MemberSuspended { at, user, until, reason } => {
                (*at, Self::Suspended(user.clone(), *until, reason.clone()))
            }
            Entry::SuspensionLifted { at, user } => (*at, Self::Lifted(user.clone())),
            Entry::MemberAdmitted { at, user } => (*at, Self::Admitted(user.clone())),
            Entry::MemberRefused { at, user, reason } => {
                (*at, Self::Refused(user.clone(), reason.clone()))
            }
            Entry::MemberUndecided { at, user } => (*at, Self::Undecided(user.clone())),
            _ => return None,
        })
    }

    /// The entry that says so.
    pub fn entry(&self, at: Wall) -> Entry {
        let of = |post: &PostRef| (post.user.clone(), post.id);
        match self {
            Self::Set(house) => Entry::CommunitySet { at, house: house.clone() },
            Self::Hid(post, reason) => {
                let ((user, id), reason) = (of(post), reason.clone());
                Entry::PostHidden { at, user, id, reason }
            }
            Self::Showed(post) => {
                let (user, id) = of(post);
                Entry::PostShown { at, user, id }
            }
            Self::Closed(post) => {
                let (user, id) = of(post);
                Entry::ReportClosed { at, user, id }
            }
            Self::Reopened(post) => {
                let (user, id) = of(post);
                Entry::ReportReopened { at, user, id }
            }
            Self::Suspended(user, until, reason) => Entry::MemberSuspended {
                at,
                user: user.clone(),
                until: *until,
                reason: reason.clone(),
            },
            Self::Lifted(user) => Entry::SuspensionLifted { at, user: user.clone() },
            Self::Admitted(user) => Entry::MemberAdmitted { at, user: user.clone() },
            Self::Refused(user, reason) => {
                Entry::MemberRefused { at, user: user.clone(), reason: reason.clone() }
            }
            Self::Undecided(user) => Entry::MemberUndecided { at, user: user.clone() },
        }
    }

    /// Whom it is about.
    pub const fn about(&self) -> Option<&UserName> {
        match self {
            Self::Set(_) => None,
            Self::Hid(post, _) | Self::Showed(post) | Self::Closed(post) | Self::Reopened(post) => {
                Some(&post.user)
            }
            Self::Suspended(user, ..)
            | Self::Lifted(user)
            | Self::Admitted(user)
            | Self::Refused(user, _)
            | Self::Undecided(user) => Some(user),
        }
    }

    /// The post it is about.
    pub const fn post(&self) -> Option<&PostRef> {
        match self {
            Self::Hid(post, _) | Self::Showed(post) | Self::Closed(post) | Self::Reopened(post) => {
                Some(post)
            }
            _ => None,
        }
    }

    /// Why, where a reason is given.
    pub fn reason(&self) -> &str {
        match self {
            Self::Hid(_, reason) | Self::Suspended(_, _, reason) | Self::Refused(_, reason) => {
                reason
            }
            _ => "",
        }
    }
}

impl Keeping {
    /// What stays when an account goes: what its owner did as a keeper is the community's, and holds until
    /// a keeper says otherwise. None if they did nothing.
    pub(super) fn left(self) -> Option<Self> {
        let acts = self.acts;
        (!acts.is_empty()).then(|| Self { acts, ..Self::default() })
    }

    /// Whether there is only what stays when an account goes.
    pub(super) fn is_of_the_gone(&self) -> bool {
        !self.is_keeper && self.invitations.is_empty() && self.reports.is_empty()
    }

    /// Takes in an entry that is about the community; whether it was.
    pub(super) fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::KeeperMade { .. } => self.is_keeper = true,
            Entry::KeeperEnded { .. } => self.is_keeper = false,
            Entry::InvitationMade { at, code, uses, until } => {
                self.invitations.entry(code.clone()).or_insert_with(|| Invitation {
                    made_at: *at,
                    uses: *uses,
                    until: *until,
                    used_by: Vec::new(),
                });
            }
            Entry::InvitationEnded { at: _, code } => {
                self.invitations.remove(code);
            }
            Entry::InvitationUsed { at: _, code, by } => {
                if let Some(invitation) = self.invitations.get_mut(code)
                    && !invitation.used_by.contains(by)
                {
                    invitation.used_by.push(by.clone());
                }
            }
            Entry::Reported { at, user, id, reason } => {
                let post = PostRef { user: user.clone(), id: *id };
                self.reports.insert(post, Report { at: *at, reason: reason.clone() });
            }
            other => {
                let deed = Deed::of(other).filter(|_| self.is_keeper);
                self.acts.extend(deed.map(|(at, deed)| Act { at, deed }));
            }
        }
    }
}
