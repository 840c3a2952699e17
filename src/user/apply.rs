//! What each entry means: the only way a [`User`] changes.
//!
//! Total on purpose: entries come from files and from other machines, so none may be able to stop the
//! process, and all machines must make the same of the same file. What contradicts the state (a post
//! under a number in use, an entry after the account was left) changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entry::{Audience, Entry, Picture, PostRef, Reset, SessionId};
use super::room::make_room;
use super::sent::Sent;
use super::{Place, Post, PostLabels, Requests, Session, Status, User};
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::REQUESTS_KEPT;

impl User {
    /// A name without a file.
    pub const fn absent(name: UserName) -> Self {
        Self {
            name,
            status: Status::Absent,
            joined_at: Wall(0),
            display_name: String::new(),
            bio: String::new(),
            members_only: false,
            posts_for: Audience::Everyone,
            avatar: None,
            password: String::new(),
            reset: None,
            sessions: Vec::new(),
            follows: BTreeMap::new(),
            mutes: BTreeMap::new(),
            blocks: BTreeSet::new(),
            has_asked_in: false,
            inviter: None,
            keeping: None,
            posts: Vec::new(),
            replies: Vec::new(),
            labels: PostLabels::none(),
            deleted: Vec::new(),
            edits: BTreeMap::new(),
            audiences: BTreeMap::new(),
            pictures: BTreeMap::new(),
            sent: Sent::none(),
            pinned: None,
            likes: BTreeMap::new(),
            reposts: BTreeMap::new(),
            bookmarks: BTreeMap::new(),
            aside: None,
            post_id_max: None,
            ops: 0,
            requests: Requests::none(),
        }
    }

    /// Takes in one entry, which stands at `place` in the user's file.
    ///
    /// # Panics
    /// When an invariant of [`crate::user`] would break, or `place` lies beyond any file's end.
    pub fn apply(&mut self, entry: &Entry, place: Place) {
        if matches!(self.status, Status::Left(_)) {
            return;
        }
        match entry {
            Entry::Joined { at } => (self.status, self.joined_at) = (Status::Active, *at),
            Entry::Profile { at: _, display_name, bio, members_only, posts_for, avatar } => {
                self.display_name.clone_from(display_name);
                self.bio.clone_from(bio);
                (self.members_only, self.posts_for) = (*members_only, *posts_for);
                self.avatar.clone_from(avatar);
            }
            Entry::Password { at: _, hash, reset } => self.set_password(hash, reset.as_ref()),
            Entry::SessionOpened { at, id, device, address, app } => self.open(Session {
                id: id.clone(),
                opened_at: *at,
                device: device.clone(),
                address: address.clone(),
                app: app.clone(),
            }),
            Entry::SessionClosed { at: _, id } => self.close(id),
            Entry::Posted { .. } | Entry::PostedFor { .. } => self.take_post(entry, place),
            Entry::PostedPoll { .. } => self.take_poll(entry, place),
            Entry::PostEdited { .. } => self.edit_post(entry, place),
            Entry::PostDeleted { at: _, id, few } => self.drop_post(*id, *few),
            Entry::PictureSent { at, id, picture } => self.sent.put(*id, *at, picture.clone()),
            Entry::Pinned { .. }
            | Entry::Unpinned { .. }
            | Entry::Liked { .. }
            | Entry::Unliked { .. }
            | Entry::Reposted { .. }
            | Entry::Unreposted { .. }
            | Entry::Bookmarked { .. }
            | Entry::Unbookmarked { .. } => self.mark(entry),
            Entry::Followed { .. }
            | Entry::Unfollowed { .. }
            | Entry::Muted { .. }
            | Entry::Unmuted { .. }
            | Entry::Blocked { .. }
            | Entry::Unblocked { .. } => self.tie(entry),
            Entry::Voted { .. }
            | Entry::ThreadMuted { .. }
            | Entry::ThreadUnmuted { .. }
            | Entry::FollowerRemoved { .. } => self.aside.get_or_insert_default().apply(entry),
            Entry::AskedIn { at: _ } => self.has_asked_in = true,
            Entry::JoinedWith { at: _, code: _, inviter } => self.inviter = Some(inviter.clone()),
            Entry::KeeperMade { .. }
            | Entry::KeeperEnded { .. }
            | Entry::CommunitySet { .. }
            | Entry::InvitationMade { .. }
            | Entry::InvitationEnded { .. }
            | Entry::InvitationUsed { .. }
            | Entry::Reported { .. }
            | Entry::ReportClosed { .. }
            | Entry::ReportReopened { .. }
            | Entry::PostHidden { .. }
            | Entry::PostShown { .. }
            | Entry::MemberSuspended { .. }
            | Entry::SuspensionLifted { .. }
            | Entry::MemberAdmitted { .. }
            | Entry::MemberRefused { .. }
            | Entry::MemberUndecided { .. } => self.keeping.get_or_insert_default().apply(entry),
            Entry::Left { at } => self.leave(*at),
        }
        self.assert_invariants();
    }

    fn take_post(&mut self, entry: &Entry, place: Place) {
        let (Entry::Posted { at: _, id, text, reply_to, note: _, pictures, sensitive }
        | Entry::PostedFor { at: _, id, text, reply_to, note: _, pictures, sensitive, .. }) = entry
        else {
            return;
        };
        self.sent.take(pictures);
        if !self.add_post(*id, place, reply_to.as_ref()) {
            return;
        }
        if let Entry::PostedFor { audience, .. } = entry {
            self.limit(*id, *audience);
        }
        self.picture(*id, pictures);
        self.cover(*id, Some(*sensitive));
        self.labels.put(*id, text);
    }

    fn take_poll(&mut self, entry: &Entry, place: Place) {
        let Entry::PostedPoll { at: _, id, audience, text, reply_to, note: _, poll, sensitive } =
            entry
        else {
            return;
        };
        if self.add_post(*id, place, reply_to.as_ref()) {
            self.limit(*id, *audience);
            self.aside.get_or_insert_default().polls.insert(*id, Arc::new(poll.clone()));
            self.cover(*id, Some(*sensitive));
            self.labels.put(*id, text);
        }
    }

    fn set_password(&mut self, hash: &str, reset: Option<&Reset>) {
        hash.clone_into(&mut self.password);
        self.reset = reset.cloned().map(Box::new);
    }

    /// Takes in whom this user wants to hear of, and whom not.
    fn tie(&mut self, entry: &Entry) {
        match entry {
            Entry::Followed { at, user } => {
                self.follows.entry(user.clone()).or_insert(*at);
            }
            Entry::Unfollowed { at: _, user } => {
                self.follows.remove(user);
            }
            Entry::Muted { at: _, user, until } => {
                self.mutes.entry(user.clone()).or_insert(*until);
            }
            Entry::Unmuted { at: _, user } => {
                self.mutes.remove(user);
            }
            Entry::Blocked { at: _, user } => {
                self.blocks.insert(user.clone());
            }
            Entry::Unblocked { at: _, user } => {
                self.blocks.remove(user);
            }
            _ => {}
        }
    }

    /// Takes in what this user thinks of a post, their own or another's. Whether that stands is not
    /// in this file, so it changes nothing here.
    fn mark(&mut self, entry: &Entry) {
        match entry {
            Entry::Pinned { at: _, id } if self.post(*id).is_some() => self.pinned = Some(*id),
            Entry::Unpinned { at: _ } => self.pinned = None,
            Entry::Liked { at, post } => {
                self.likes.entry(self.with_shared_name(post)).or_insert(*at);
            }
            Entry::Unliked { at: _, post } => {
                self.likes.remove(post);
            }
            Entry::Reposted { at, post } => {
                self.reposts.entry(self.with_shared_name(post)).or_insert(*at);
            }
            Entry::Unreposted { at: _, post } => {
                self.reposts.remove(post);
            }
            Entry::Bookmarked { at, post } => {
                self.bookmarks.entry(self.with_shared_name(post)).or_insert(*at);
            }
            Entry::Unbookmarked { at: _, post } => {
                self.bookmarks.remove(post);
            }
            _ => {}
        }
    }

    /// Gives back the memory that growing has set aside: for the end of a file's reading.
    pub fn shrink_to_fit(&mut self) {
        self.posts.shrink_to_fit();
        self.replies.shrink_to_fit();
        self.labels.shrink_to_fit();
        self.deleted.shrink_to_fit();
        self.sessions.shrink_to_fit();
        self.requests.shrink_to_fit();
        self.edits.values_mut().for_each(|edits| edits.earlier.shrink_to_fit());
    }

    fn open(&mut self, session: Session) {
        if self.session(&session.id).is_none() {
            self.sessions.push(session);
        }
    }

    fn close(&mut self, id: &SessionId) {
        self.sessions.retain(|session| session.id != *id);
    }

    /// Whether there was no post of that number.
    fn add_post(&mut self, id: PostId, place: Place, reply_to: Option<&PostRef>) -> bool {
        if self.has_deleted(id) {
            return false;
        }
        // Numbers grow, so this is a push.
        let at = match self.posts.last() {
            Some(last) if last.id >= id => self.posts.binary_search_by_key(&id, |post| post.id),
            Some(_) | None => Err(self.posts.len()),
        };
        let Err(at) = at else { return false };
        make_room(&mut self.posts, 1);
        self.posts.insert(at, Post::new(id, place));
        if let Some(post) = reply_to {
            let at = match self.replies.last() {
                Some((last, _)) if *last >= id => {
                    self.replies.partition_point(|(reply, _)| *reply < id)
                }
                Some(_) | None => self.replies.len(),
            };
            make_room(&mut self.replies, 1);
            self.replies.insert(at, (id, self.with_shared_name(post)));
        }
        self.post_id_max = self.post_id_max.max(Some(id));
        true
    }

    fn edit_post(&mut self, entry: &Entry, place: Place) {
        let Entry::PostEdited { at, id, text, note: _, sensitive, descriptions } = entry else {
            return;
        };
        let Ok(found) = self.posts.binary_search_by_key(id, |post| post.id) else { return };
        let Some(post) = self.posts.get_mut(found) else { return };
        let edits = self.edits.entry(*id).or_default();
        edits.earlier.push(post.place());
        edits.last_at = *at;
        post.put(place);
        self.labels.put(*id, text);
        self.cover(*id, *sensitive);
        self.describe(*id, descriptions.as_deref().unwrap_or_default());
    }

    /// The same reference, its name shared with one held already where that is found at once: each
    /// line that is read brings a name of its own, and a million of them add up.
    fn with_shared_name(&self, post: &PostRef) -> PostRef {
        let known = if post.user == self.name { Some(&self.name) } else { None };
        let user = known
            .or_else(|| self.follows.get_key_value(&post.user).map(|(name, _)| name))
            .unwrap_or(&post.user);
        PostRef { user: user.clone(), id: post.id }
    }

    /// A post's pictures: most have none, and those take no memory.
    fn picture(&mut self, id: PostId, pictures: &[Picture]) {
        if !pictures.is_empty() {
            self.pictures.insert(id, pictures.into());
        }
    }

    /// What a post's pictures are said to show, if that is said of each.
    fn describe(&mut self, id: PostId, descriptions: &[String]) {
        let pictures = self.pictures.get_mut(&id);
        if let Some(pictures) = pictures.filter(|pictures| pictures.len() == descriptions.len()) {
            let described = pictures.iter().zip(descriptions).map(|(picture, description)| {
                Picture { description: description.clone(), ..picture.clone() }
            });
            *pictures = described.collect();
        }
    }

    /// Whether a post's pictures are covered, if that is said: most are not, and those take no memory.
    fn cover(&mut self, id: PostId, is: Option<bool>) {
        match is {
            Some(true) => drop(self.aside.get_or_insert_default().sensitive.insert(id)),
            Some(false) => drop(self.aside.as_mut().map(|aside| aside.sensitive.remove(&id))),
            None => {}
        }
    }

    /// Who may read a post: most are for everybody, and those take no memory.
    fn limit(&mut self, id: PostId, audience: Audience) {
        if !audience.is_everyone() {
            self.audiences.insert(id, audience);
        }
    }

    fn drop_post(&mut self, id: PostId, is_few: bool) {
        if let Ok(at) = self.posts.binary_search_by_key(&id, |post| post.id) {
            self.posts.remove(at);
        }
        if let Ok(at) = self.replies.binary_search_by_key(&id, |(reply, _)| *reply) {
            self.replies.remove(at);
        }
        self.labels.put(id, "");
        self.edits.remove(&id);
        self.audiences.remove(&id);
        self.pictures.remove(&id);
        self.aside.as_mut().map(|aside| aside.polls.remove(&id));
        self.cover(id, Some(false));
        self.pinned = self.pinned.filter(|pinned| *pinned != id);
        // Also where the post itself is not in the file any more: a compacted file tells only this.
        if let Err(at) = self.deleted.binary_search(&id) {
            self.deleted.insert(at, id);
            if is_few {
                self.aside.get_or_insert_default().few_deleted.insert(id);
            }
        }
        self.post_id_max = self.post_id_max.max(Some(id));
    }

    fn leave(&mut self, at: Wall) {
        let left = Self::absent(self.name.clone());
        let was = std::mem::replace(self, left);
        self.status = Status::Left(at);
        self.ops = was.ops;
        self.keeping = was.keeping.and_then(|keeping| keeping.left()).map(Box::new);
        // The one that deleted, so that asking it again is answered. A line's requests are recorded
        // before its entries are taken in, so it is the last one on every machine; all others would
        // only keep a gone account's file from shrinking.
        self.requests = was.requests.keep_last();
    }

    /// What can be checked at each change without walking the lists; tests check the rest.
    pub(super) fn assert_invariants(&self) {
        assert!(
            self.posts.last().map(|post| post.id) <= self.post_id_max,
            "{}: post id",
            self.name
        );
        assert!(self.deleted.last() <= self.post_id_max.as_ref(), "{}: deleted id", self.name);
        assert!(self.requests.len() <= REQUESTS_KEPT, "{}: too many requests", self.name);
        assert!(self.ops >= self.requests.len() as u64, "{}: ops fell", self.name);
        if matches!(self.status, Status::Left(_)) {
            let posts = self.posts.len() + self.replies.len();
            let empty = posts == 0 && self.sessions.is_empty() && self.follows.is_empty();
            assert!(self.labels.is_empty(), "{}: left, but labels stay", self.name);
            let marks = self.likes.len() + self.reposts.len() + self.bookmarks.len();
            assert!(marks == 0 && self.edits.is_empty(), "{}: left, but marks stay", self.name);
            let little = self.audiences.is_empty() && self.aside.is_none();
            assert!(little, "{}: left, but audiences or polls stay", self.name);
            let pictures = self.pictures.is_empty() && self.sent.is_empty();
            assert!(pictures, "{}: left, but pictures stay", self.name);
            let apart = self.mutes.len() + self.blocks.len();
            let has_acts_alone = self.keeping.as_ref().is_none_or(|it| it.is_of_the_gone());
            assert!(apart == 0 && has_acts_alone, "{}: left, but ties stay", self.name);
            assert!(empty && self.password.is_empty(), "{}: left, but not gone", self.name);
            assert!(self.requests.len() <= 1, "{}: left, but requests stay", self.name);
        }
    }

    /// The invariants that take a walk through the lists.
    #[cfg(test)]
    pub(super) fn assert_order(&self) {
        assert!(self.posts.is_sorted_by(|a, b| a.id < b.id));
        assert!(self.replies.is_sorted_by(|a, b| a.0 < b.0));
        assert!(self.replies.iter().all(|(id, _)| self.post(*id).is_some()));
        assert!(self.labels.iter().is_sorted_by(|a, b| a < b));
        assert!(self.labels.iter().all(|(id, _)| self.post(id).is_some()));
        assert!(self.deleted.is_sorted_by(|a, b| a < b));
        assert!(self.deleted.iter().all(|id| self.post(*id).is_none()));
        assert!(self.pictures.keys().all(|id| self.post(*id).is_some()));
        assert!(self.aside().polls.keys().all(|id| self.post(*id).is_some()));
        assert!(self.aside().sensitive.iter().all(|id| self.post(*id).is_some()));
        assert!(self.aside().few_deleted.iter().all(|id| self.has_deleted(*id)));
        assert!(self.audiences.keys().all(|id| self.post(*id).is_some()));
        assert!(self.audiences.values().all(|audience| !audience.is_everyone()));
        assert!(self.edits.keys().chain(&self.pinned).all(|id| self.post(*id).is_some()));
    }
}
