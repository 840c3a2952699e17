//! What a member takes along, part by part: no part is longer than a few pages, however much there is
//! of it.

use super::Backend;
use super::view::{Asked, Done, Result};
use crate::action::{ExportFrom, ExportList};
use crate::auth::throttle::ActKind;
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{EXPORT_MARKS, EXPORT_POSTS, EXPORT_TEXT_BYTES};
use crate::store::Said;
use crate::user::User;
use crate::user::aside::{Choices, Poll};
use crate::user::entry::PostRef;
use crate::wire::request::{
    ExportMark, ExportPage, ExportPost, ExportProfile, ExportText, ExportVote, Outcome, Refusal,
};

impl Backend {
    /// What comes after a post in one of the lists; with the first of all, who they are.
    pub(super) fn export(&self, asked: Asked<'_>, data: ExportFrom) -> Result {
        let name = asked.signed_in()?.user();
        let is_first = data == ExportFrom::default();
        if is_first {
            self.allow(name, ActKind::Export)?;
        }
        let mut page = match data.list {
            ExportList::Posts => self.export_posts(name, data.after.map(|post| post.id))?,
            list => self.export_marks(name, list, data.after)?,
        };
        if is_first {
            page.profile = self.look(name, profile).map(|it| self.without_void_follows(it));
        }
        Ok(Done::told(Outcome::Export(page)))
    }

    /// Whom one follows counts for something alone: else it would, wherever the file is taken.
    fn without_void_follows(&self, mut profile: ExportProfile) -> ExportProfile {
        let index = self.cluster.local.index();
        profile.follows.retain(|whom| index.follows(&profile.username, whom));
        profile
    }

    /// Posts, oldest first.
    fn export_posts(
        &self,
        name: &UserName,
        after: Option<PostId>,
    ) -> std::result::Result<ExportPage, Refusal> {
        let ids = self.look(name, |user| ids_after(user, after)).ok_or(Refusal::SignedOut)?;
        let (mut posts, mut bytes, mut more_after) = (Vec::new(), 0, None);
        for id in ids {
            if posts.len() == EXPORT_POSTS || bytes > EXPORT_TEXT_BYTES {
                more_after = posts.last().map(|post: &ExportPost| post.id);
                break;
            }
            if let Some(post) = self.export_post(name, id)? {
                bytes += post.earlier.iter().map(|it| it.text.len()).sum::<usize>();
                bytes += post.text.len();
                let options = post.poll.iter().flat_map(|poll| &poll.options);
                bytes += options.map(String::len).sum::<usize>();
                posts.push(post);
            }
        }
        let more = more_after.map(|id| PostRef { user: name.clone(), id });
        Ok(ExportPage { posts, next: next(ExportList::Posts, more), ..ExportPage::default() })
    }

    /// One post; nothing if it was deleted meanwhile. One that cannot be read must not be left out
    /// silently.
    fn export_post(
        &self,
        name: &UserName,
        id: PostId,
    ) -> std::result::Result<Option<ExportPost>, Refusal> {
        let Some(slot) = self.cluster.local.get(name) else { return Ok(None) };
        let Some(said) = self.cluster.local.read_history(&slot, id) else { return Ok(None) };
        let mut texts = said.map_err(|error| {
            log::error!(user:% = name, post:% = id, error:%; "post not taken along");
            self.cluster.local.suspect(&slot);
            Refusal::Behind
        })?;
        let Some(Said { at, text, note }) = texts.pop() else { return Ok(None) };
        let (reply_to, audience, poll, sensitive) = {
            let view = slot.view();
            let poll = view.poll(id).map(|poll| Poll::clone(poll));
            (view.reply_to(id).cloned(), view.audience(id), poll, view.is_sensitive(id))
        };
        let text_of = |Said { at, text, note }| ExportText { at, text, note };
        Ok(Some(ExportPost {
            id,
            at: Wall(id.at_ms()),
            edited_at: (!texts.is_empty()).then_some(at),
            text,
            note,
            audience,
            reply_to,
            poll,
            earlier: texts.into_iter().map(text_of).collect(),
            pictures: slot.view().pictures.get(&id).map(|all| all.to_vec()).unwrap_or_default(),
            sensitive,
        }))
    }

    /// What was done with others' posts, by their authors' names.
    fn export_marks(
        &self,
        name: &UserName,
        list: ExportList,
        after: Option<PostRef>,
    ) -> std::result::Result<ExportPage, Refusal> {
        let marks = |user: &User| marks_after(user, list, after.as_ref());
        let mut marks = self.look(name, marks).ok_or(Refusal::SignedOut)?;
        let has_more = marks.len() > EXPORT_MARKS;
        marks.truncate(EXPORT_MARKS);
        let more = marks.last().filter(|_| has_more).map(|mark| mark.post.clone());
        Ok(ExportPage { marks, next: next(list, more), ..ExportPage::default() })
    }
}

/// Where the rest is: in the same list, else in the one after it.
fn next(list: ExportList, after: Option<PostRef>) -> Option<ExportFrom> {
    match after {
        Some(_) => Some(ExportFrom { list, after }),
        None => list.next().map(|list| ExportFrom { list, after: None }),
    }
}

fn profile(user: &User) -> ExportProfile {
    ExportProfile {
        username: user.name.clone(),
        display_name: user.display_name.clone(),
        bio: user.bio.clone(),
        members_only: user.members_only,
        posts_for: user.posts_for,
        joined_at: user.joined_at,
        has_audiences: !user.audiences.is_empty(),
        pinned: user.pinned,
        follows: user.follows.keys().cloned().collect(),
        // One that ends by itself would last for good wherever the file is taken in.
        mutes: user.mutes.iter().filter(|it| it.1.is_none()).map(|it| it.0.clone()).collect(),
        blocks: user.blocks.iter().cloned().collect(),
        votes: user.aside().votes.iter().map(vote).collect(),
        muted_threads: user.aside().muted_threads.iter().cloned().collect(),
    }
}

fn vote((post, choices): (&PostRef, &Choices)) -> ExportVote {
    ExportVote { post: post.clone(), choices: *choices }
}

/// Up to one more than a part holds, which tells that another part follows.
fn ids_after(user: &User, after: Option<PostId>) -> Vec<PostId> {
    let start = user.posts.partition_point(|post| Some(post.id) <= after);
    user.posts.iter().skip(start).take(EXPORT_POSTS + 1).map(|post| post.id).collect()
}

/// As [`ids_after`].
fn marks_after(user: &User, list: ExportList, after: Option<&PostRef>) -> Vec<ExportMark> {
    let from = match after {
        Some(post) => std::ops::Bound::Excluded(post),
        None => std::ops::Bound::Unbounded,
    };
    let range = (from, std::ops::Bound::Unbounded);
    let mark = |(post, at): (&PostRef, &Wall)| ExportMark { post: post.clone(), at: Some(*at) };
    let marks = match list {
        ExportList::Posts => return Vec::new(),
        ExportList::Likes => &user.likes,
        ExportList::Reposts => &user.reposts,
        ExportList::Bookmarks => &user.bookmarks,
    };
    marks.range::<PostRef, _>(range).map(mark).take(EXPORT_MARKS + 1).collect()
}
