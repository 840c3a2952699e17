//! What of a user's history still says something: all that a compacted file keeps.
//!
//! Pure, and no judge of time: only an entry ends what an entry began. So a session that is too old
//! stays until somebody closes it, and machines whose clocks differ fold alike.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::entry::{CodeHash, Entry, PostRef, SessionId};
use super::keeping::{Deed, Keeping};
use super::sent::Sent;
use super::{Place, Status, User};
use crate::id::{PostId, UserName};
use crate::limits::REQUESTS_KEPT;

/// Takes in entries one after the other and knows which of them, by their places, still stand: read
/// alone, in their order, they make the same [`super::User`] as all did.
#[derive(Debug, Default)]
pub struct Fold {
    left: Option<Place>,
    joined: Option<Place>,
    profile: Option<Place>,
    password: Option<Place>,
    sessions: HashMap<SessionId, Place>,
    follows: BTreeMap<UserName, Place>,
    mutes: BTreeMap<UserName, Place>,
    blocks: BTreeMap<UserName, Place>,
    /// The first time of asking, and the last of joining with a code.
    asked_in: Option<Place>,
    joined_with: Option<Place>,
    /// A keeper's acts, and when they became and ended being one: the log of the acts is for good.
    keeping: Vec<Place>,
    invitations: BTreeMap<CodeHash, Vec<Place>>,
    reports: BTreeMap<PostRef, Place>,
    posts: BTreeMap<PostId, Place>,
    deleted: BTreeMap<PostId, Place>,
    /// In the order of the file; of posts that stand.
    edits: BTreeMap<PostId, Vec<Place>>,
    sent: Sent<Place>,
    pinned: Option<(PostId, Place)>,
    likes: BTreeMap<PostRef, Place>,
    reposts: BTreeMap<PostRef, Place>,
    bookmarks: BTreeMap<PostRef, Place>,
    votes: BTreeMap<PostRef, Place>,
    muted_threads: BTreeMap<PostRef, Place>,
    /// The last of each.
    removed_followers: BTreeMap<UserName, Place>,
}

impl Fold {
    /// Takes in the next entry. What contradicts those before it is dropped, as
    /// [`super::User::apply`] does.
    pub fn add(&mut self, entry: &Entry, place: Place) {
        if self.left.is_some() {
            return;
        }
        match entry {
            Entry::Joined { .. } => self.joined = Some(place),
            Entry::Profile { .. } => self.profile = Some(place),
            Entry::Password { .. } => self.password = Some(place),
            Entry::SessionOpened { id, .. } => {
                self.sessions.entry(id.clone()).or_insert(place);
            }
            Entry::SessionClosed { id, .. } => {
                self.sessions.remove(id);
            }
            Entry::Posted { .. }
            | Entry::PostedFor { .. }
            | Entry::PostedPoll { .. }
            | Entry::PostEdited { .. }
            | Entry::PostDeleted { .. } => self.post(entry, place),
            Entry::PictureSent { at, id, .. } => self.sent.put(*id, *at, place),
            Entry::Pinned { id, .. } => self.pin(*id, place),
            Entry::Unpinned { .. } => self.pinned = None,
            Entry::Liked { .. }
            | Entry::Unliked { .. }
            | Entry::Reposted { .. }
            | Entry::Unreposted { .. }
            | Entry::Bookmarked { .. }
            | Entry::Unbookmarked { .. }
            | Entry::Voted { .. }
            | Entry::ThreadMuted { .. }
            | Entry::ThreadUnmuted { .. } => self.mark(entry, place),
            Entry::Followed { .. }
            | Entry::Unfollowed { .. }
            | Entry::Muted { .. }
            | Entry::Unmuted { .. }
            | Entry::Blocked { .. }
            | Entry::Unblocked { .. }
            | Entry::FollowerRemoved { .. } => self.tie(entry, place),
            Entry::AskedIn { .. } => self.asked_in = self.asked_in.or(Some(place)),
            Entry::JoinedWith { .. } => self.joined_with = Some(place),
            Entry::InvitationMade { .. }
            | Entry::InvitationEnded { .. }
            | Entry::InvitationUsed { .. } => self.invite(entry, place),
            Entry::Reported { user, id, .. } => {
                self.reports.insert(PostRef { user: user.clone(), id: *id }, place);
            }
            Entry::KeeperMade { .. }
            | Entry::KeeperEnded { .. }
            | Entry::CommunitySet { .. }
            | Entry::ReportClosed { .. }
            | Entry::ReportReopened { .. }
            | Entry::PostHidden { .. }
            | Entry::PostShown { .. }
            | Entry::MemberSuspended { .. }
            | Entry::SuspensionLifted { .. }
            | Entry::MemberAdmitted { .. }
            | Entry::MemberRefused { .. }
            | Entry::MemberUndecided { .. } => self.keeping.push(place),
            Entry::Left { .. } => {
                let keeping = std::mem::take(&mut self.keeping);
                *self = Self { left: Some(place), keeping, ..Self::default() };
            }
        }
    }

    fn post(&mut self, entry: &Entry, place: Place) {
        match entry {
            Entry::Posted { id, .. }
            | Entry::PostedFor { id, .. }
            | Entry::PostedPoll { id, .. } => {
                if let Entry::Posted { pictures, .. } | Entry::PostedFor { pictures, .. } = entry {
                    self.sent.take(pictures);
                }
                if !self.deleted.contains_key(id) {
                    self.posts.entry(*id).or_insert(place);
                }
            }
            Entry::PostEdited { id, .. } if self.posts.contains_key(id) => {
                self.edits.entry(*id).or_default().push(place);
            }
            Entry::PostDeleted { id, .. } => {
                self.posts.remove(id);
                self.edits.remove(id);
                self.pinned = self.pinned.filter(|(pinned, _)| pinned != id);
                self.deleted.entry(*id).or_insert(place);
            }
            _ => {}
        }
    }

    fn pin(&mut self, id: PostId, place: Place) {
        if self.posts.contains_key(&id) {
            self.pinned = Some((id, place));
        }
    }

    fn mark(&mut self, entry: &Entry, place: Place) {
        match entry {
            Entry::Liked { post, .. } => add_to(&mut self.likes, post, place),
            Entry::Unliked { post, .. } => drop(self.likes.remove(post)),
            Entry::Reposted { post, .. } => add_to(&mut self.reposts, post, place),
            Entry::Unreposted { post, .. } => drop(self.reposts.remove(post)),
            Entry::Bookmarked { post, .. } => add_to(&mut self.bookmarks, post, place),
            Entry::Unbookmarked { post, .. } => drop(self.bookmarks.remove(post)),
            Entry::Voted { post, .. } => add_to(&mut self.votes, post, place),
            Entry::ThreadMuted { post, .. } => add_to(&mut self.muted_threads, post, place),
            Entry::ThreadUnmuted { post, .. } => drop(self.muted_threads.remove(post)),
            _ => {}
        }
    }

    fn tie(&mut self, entry: &Entry, place: Place) {
        match entry {
            Entry::Followed { user, .. } => {
                self.follows.entry(user.clone()).or_insert(place);
            }
            Entry::Unfollowed { user, .. } => {
                self.follows.remove(user);
            }
            Entry::Muted { user, .. } => {
                self.mutes.entry(user.clone()).or_insert(place);
            }
            Entry::Unmuted { user, .. } => {
                self.mutes.remove(user);
            }
            Entry::Blocked { user, .. } => {
                self.blocks.entry(user.clone()).or_insert(place);
            }
            Entry::Unblocked { user, .. } => {
                self.blocks.remove(user);
            }
            Entry::FollowerRemoved { user, .. } => {
                self.removed_followers.insert(user.clone(), place);
            }
            _ => {}
        }
    }

    fn invite(&mut self, entry: &Entry, place: Place) {
        match entry {
            Entry::InvitationMade { code, .. } => {
                self.invitations.entry(code.clone()).or_insert_with(|| vec![place]);
            }
            Entry::InvitationEnded { code, .. } => {
                self.invitations.remove(code);
            }
            Entry::InvitationUsed { code, .. } => {
                if let Some(places) = self.invitations.get_mut(code) {
                    places.push(place);
                }
            }
            _ => {}
        }
    }

    /// Where the entries stand that survive, in the order of the file.
    pub fn survivors(&self) -> Vec<Place> {
        let pinned = self.pinned.map(|(_, place)| place);
        let single = [self.left, self.joined, self.profile, self.password, pinned];
        let single: Vec<_> = single.into_iter().chain([self.asked_in, self.joined_with]).collect();
        let many = self.sessions.values().chain(self.follows.values());
        let many = many.chain(self.mutes.values()).chain(self.blocks.values());
        let many = many.chain(&self.keeping).chain(self.invitations.values().flatten());
        let many = many.chain(self.reports.values());
        let many = many.chain(self.posts.values()).chain(self.deleted.values());
        let many = many.chain(self.edits.values().flatten());
        let many = many.chain(self.likes.values()).chain(self.reposts.values());
        let many = many.chain(self.bookmarks.values()).chain(self.sent.values());
        let many = many.chain(self.votes.values()).chain(self.muted_threads.values());
        let many = many.chain(self.removed_followers.values());
        let places = single.iter().flatten().chain(many).map(|place| (place.offset, place.len));
        let sorted: BTreeSet<(u64, u32)> = places.collect();
        sorted.into_iter().map(|(offset, len)| Place { offset, len }).collect()
    }
}

/// The first one stands, as it does in a [`User`].
fn add_to(marks: &mut BTreeMap<PostRef, Place>, post: &PostRef, place: Place) {
    marks.entry(post.clone()).or_insert(place);
}

/// Bytes that a surviving entry takes beside its texts, about: of a session, its app, a follow (or mute or
/// block), until when a mute lasts, a like or its kin, a deletion, a request, and all that there is one of.
const SESSION_BYTES: usize = 160;
const APP_BYTES: usize = 560;
const FOLLOW_BYTES: usize = 60;
const UNTIL_BYTES: usize = 30;
const MARK_BYTES: usize = 110;
const DELETED_BYTES: usize = 70;
const REQUEST_BYTES: usize = 100;
const ACCOUNT_BYTES: usize = 600;
const ACT_BYTES: usize = 160;
const INVITATION_BYTES: usize = 170;
const INVITED_BYTES: usize = 140;
const SENT_BYTES: usize = 420;

impl Keeping {
    fn folded_bytes(&self) -> usize {
        let acts = self.acts.iter().map(|act| match &act.deed {
            Deed::Set(house) => ACT_BYTES + 2 * house.words.len(),
            other => ACT_BYTES + 2 * other.reason().len(),
        });
        let reports = self.reports.values().map(|report| ACT_BYTES + 2 * report.reason.len());
        let invitations = self.invitations.values();
        let invitations = invitations.map(|it| INVITATION_BYTES + it.used_by.len() * INVITED_BYTES);
        acts.chain(reports).chain(invitations).sum()
    }
}

/// Nothing said is nothing, whether or not it was ever anything.
fn said(keeping: Option<&Keeping>) -> Keeping {
    keeping.cloned().unwrap_or_default()
}

impl User {
    /// Bytes of the file that folding would leave, about, and rather too many than too few.
    pub fn folded_bytes(&self) -> u64 {
        let texts = self.display_name.len() + self.bio.len() + self.password.len();
        let session = |session: &super::Session| {
            let app = session.app.as_ref();
            let app = app.map_or(0, |app| APP_BYTES + 2 * (app.name.len() + app.website.len()));
            SESSION_BYTES + session.device.len() + session.address.len() + app
        };
        let posts: u64 = self.posts.iter().map(|post| u64::from(post.len) + 1).sum();
        let earlier = self.edits.values().flat_map(|edits| &edits.earlier);
        let edits: u64 = earlier.map(|place| u64::from(place.len) + 1).sum();
        let marks = self.likes.len() + self.reposts.len() + self.bookmarks.len();
        let marks = marks + self.aside().votes.len() + self.aside().muted_threads.len();
        let rest = ACCOUNT_BYTES
            + marks * MARK_BYTES
            + 2 * texts
            + self.sessions.iter().map(session).sum::<usize>()
            + self.named().map(|name| FOLLOW_BYTES + name.as_str().len()).sum::<usize>()
            + self.mutes.values().flatten().count() * UNTIL_BYTES
            + self.deleted.len() * DELETED_BYTES
            + self.requests_in_file() * REQUEST_BYTES
            + self.sent.values().map(|it| SENT_BYTES + 2 * it.description.len()).sum::<usize>()
            + self.keeping.as_deref().map_or(0, Keeping::folded_bytes);
        posts + edits + rest as u64
    }

    /// How many requests the folded file keeps: all that are kept at all, and of whoever left one.
    fn requests_in_file(&self) -> usize {
        let most = if matches!(self.status, Status::Left(_)) { 1 } else { REQUESTS_KEPT };
        usize::try_from(self.ops).map_or(most, |ops| ops.min(most))
    }

    /// Everybody whom one short entry each is about.
    fn named(&self) -> impl Iterator<Item = &UserName> {
        let removed = self.aside().removed_followers.keys();
        self.follows.keys().chain(self.mutes.keys()).chain(&self.blocks).chain(removed)
    }

    /// Whether two files tell the same of a user, wherever in them it stands; their requests apart, of
    /// which not all are here.
    pub fn says_same(&self, other: &Self) -> bool {
        let posts = |user: &Self| user.posts.iter().map(|post| post.id).collect::<Vec<_>>();
        let edits = |user: &Self| {
            let edits = user.edits.iter();
            edits.map(|(id, edits)| (*id, edits.last_at, edits.earlier.len())).collect::<Vec<_>>()
        };
        (&self.name, self.status, self.joined_at) == (&other.name, other.status, other.joined_at)
            && (&self.display_name, &self.bio) == (&other.display_name, &other.bio)
            && (self.members_only, self.posts_for) == (other.members_only, other.posts_for)
            && (&self.password, &self.sessions) == (&other.password, &other.sessions)
            && (&self.follows, &self.deleted) == (&other.follows, &other.deleted)
            && (&self.replies, &self.labels) == (&other.replies, &other.labels)
            && (&self.pictures, &self.avatar) == (&other.pictures, &other.avatar)
            && self.audiences == other.audiences
            && self.aside() == other.aside()
            && self.sent == other.sent
            && (&self.mutes, &self.blocks) == (&other.mutes, &other.blocks)
            && (self.has_asked_in, &self.inviter) == (other.has_asked_in, &other.inviter)
            && said(self.keeping.as_deref()) == said(other.keeping.as_deref())
            && (self.post_id_max, self.ops) == (other.post_id_max, other.ops)
            && (self.pinned, &self.likes) == (other.pinned, &other.likes)
            && (&self.reposts, &self.bookmarks) == (&other.reposts, &other.bookmarks)
            && edits(self) == edits(other)
            && posts(self) == posts(other)
    }
}
