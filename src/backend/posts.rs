//! What people do with posts: marking and editing them, and the pages that come of it.

use std::collections::BTreeSet;

use super::Backend;
use super::view::{Asked, Asker, Done, Result};
use super::write::invalid;
use crate::action::{
    Action, Change, EditPost, HistoryOf, Mark, Page, Problem, SetMark, field, is_covered,
};
use crate::auth::throttle::ActKind;
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::index::PostList;
use crate::limits::{LIKERS_NAMED, NAMES_ASKED_MAX, POSTS_PAGE, THREAD_STEPS_MAX};
use crate::order::sort_by;
use crate::store::Said;
use crate::text;
use crate::user::entry::{Audience, PostRef};
use crate::user::{Receipt, User};
use crate::wire::message::{FEATURE_AUDIENCE, FEATURE_COVERS, FEATURE_POSTS_FOR, FEATURE_SOCIAL};
use crate::wire::request::{
    Field, HistoryPage, LikedBy, Mine, Outcome, PostView, Refusal, Saved, TextView,
};

impl Backend {
    /// Refuses what takes kinds of entries that not all machines' programs know yet.
    pub(super) fn check_social(&self) -> std::result::Result<(), Refusal> {
        let can = self.cluster.local.node.features() >= FEATURE_SOCIAL;
        if can { Ok(()) } else { Err(Refusal::NotYet) }
    }

    /// Refuses to write for few where a machine's program might not know that it is for few.
    pub(super) fn check_audience(&self, audience: Audience) -> std::result::Result<(), Refusal> {
        let can = self.cluster.local.node.features() >= FEATURE_AUDIENCE;
        if can || audience.is_everyone() { Ok(()) } else { Err(Refusal::NotYet) }
    }

    /// Refuses to keep for whom somebody's posts are where a machine's program would post to everybody, and
    /// leave it out of the next profile that it writes; and what nobody can choose.
    pub(super) fn check_posts_for(&self, audience: Audience) -> std::result::Result<(), Refusal> {
        if !Audience::USUAL.contains(&audience) {
            let detail = "whom a post names it says itself".to_owned();
            return Err(Refusal::BadRequest { detail });
        }
        let can = self.cluster.local.node.features() >= FEATURE_POSTS_FOR;
        if can || audience.is_everyone() { Ok(()) } else { Err(Refusal::NotYet) }
    }

    /// Whether pictures can be covered, if that is wanted.
    pub(super) fn check_covers(&self, is_wanted: bool) -> std::result::Result<(), Refusal> {
        let can = self.cluster.local.node.features() >= FEATURE_COVERS;
        if can || !is_wanted { Ok(()) } else { Err(Refusal::NotYet) }
    }

    /// What is for those named in it, and names nobody who is here, nobody could ever read: at a browser
    /// one would not notice. Apps are let: some keep notes so.
    pub(super) fn check_names_somebody(
        &self,
        asked: &mut Asked<'_>,
        text: &str,
    ) -> std::result::Result<(), Refusal> {
        let names_somebody = || !self.known_mentions(text).is_empty();
        if asked.signed_in()?.app.is_some() || names_somebody() {
            return Ok(());
        }
        // Some may have joined a moment ago by way of another machine.
        for name in text::mentions(text).iter().take(NAMES_ASKED_MAX) {
            self.hear_of_unless(names_somebody(), asked.permit, name)?;
        }
        if names_somebody() { Ok(()) } else { Err(invalid(Field::Text, Problem::NamesNobody)) }
    }

    /// To whom a post is not for there is none.
    pub(super) fn check_is_for(
        &self,
        asked: &Asked<'_>,
        post: &PostRef,
    ) -> std::result::Result<(), Refusal> {
        let eyes = self.eyes(asked.asker);
        let is_for = self.cluster.local.index().is_for(eyes, post);
        if is_for { Ok(()) } else { Err(Refusal::NotFound) }
    }

    /// What is for few nobody shows to others, its author included.
    fn check_may_mark(&self, mark: Mark, post: &PostRef) -> std::result::Result<(), Refusal> {
        let is_few = self.cluster.local.index().audience(post).is_few();
        if mark == Mark::Repost && is_few { Err(Refusal::NotFound) } else { Ok(()) }
    }

    /// The way up from a post to what its thread begins with, both included, as far as the one who asks can
    /// follow it: not beyond what is for few and not for them, unless they answered it. Its end may be gone.
    /// Replies in a circle, which no honest file holds, are passed once.
    fn way_up(&self, asker: &Asker, post: PostRef) -> Vec<PostRef> {
        let (eyes, mut passed) = (self.eyes(Some(asker)), BTreeSet::new());
        let (mut way, mut next) = (Vec::new(), Some(post));
        let mut is_answered = false;
        while let Some(post) = next.filter(|_| way.len() < THREAD_STEPS_MAX) {
            let is_for = is_answered || self.cluster.local.index().is_for(eyes, &post);
            if !is_for || !passed.insert(post.clone()) {
                break;
            }
            is_answered = post.user == *asker.user();
            next = self.look(&post.user, |user| user.reply_to(post.id).cloned()).flatten();
            way.push(post);
        }
        way
    }

    /// Mutes the thread of a post by what it begins with. Not any more: a machine that was behind may have
    /// taken a nearer post for the beginning, so whatever lies on the way up is none from then on.
    fn mute_thread(&self, asked: Asked<'_>, data: SetMark) -> Result {
        self.check_polls()?;
        if data.on {
            self.check_stands(&asked, &data.post)?;
        } else {
            self.check_is_for(&asked, &data.post)?;
        }
        let mut way = self.way_up(asked.signed_in()?, data.post.clone());
        let change = if data.on {
            let post = way.pop().ok_or(Refusal::NotFound)?;
            Change::Mark { mark: Mark::MuteThread, post }
        } else {
            Change::UnmuteThreads { beginnings: way }
        };
        self.simple(asked, &Action::Mark(data), ActKind::Other, &change)
    }

    pub(super) fn mark(&self, asked: Asked<'_>, data: SetMark) -> Result {
        if data.mark == Mark::MuteThread {
            return self.mute_thread(asked, data);
        }
        self.check_social()?;
        let SetMark { mark, post, on, .. } = data.clone();
        let change = if on {
            self.check_stands(&asked, &post)?;
            self.check_may_mark(mark, &post)?;
            Change::Mark { mark, post }
        } else {
            Change::Unmark { mark, post }
        };
        self.simple(asked, &Action::Mark(data), ActKind::Other, &change)
    }

    pub(super) fn edit_post(&self, mut asked: Asked<'_>, data: EditPost) -> Result {
        self.check_social()?;
        self.check_covers(data.sensitive == Some(true))?;
        let asker = asked.signed_in()?;
        let post = PostRef { user: asker.user().clone(), id: data.id };
        let is_changed = !self.says(&post, &data);
        self.hear_of_unless(is_changed, asked.permit, asker.user())?;
        if !is_changed && self.says(&post, &data) {
            let saved = Saved { post: Receipt::Done.post(), sessions_ended: 0 };
            return Ok(Done::told(Outcome::Saved(saved)));
        }
        if self.cluster.local.index().audience(&post) == Audience::Named {
            self.check_names_somebody(&mut asked, &data.text)?;
        }
        let EditPost { key: _, id, text, note, sensitive, descriptions } = data.clone();
        let change = Change::EditPost { id, text, note, sensitive, descriptions };
        self.simple(asked, &Action::EditPost(data), ActKind::Post, &change)
    }

    /// Whether a post says exactly this already.
    fn says(&self, post: &PostRef, edit: &EditPost) -> bool {
        let slot = self.cluster.local.get(&post.user);
        let has_more = slot.as_ref().is_some_and(|slot| slot.view().has_more_than_text(post.id));
        let is_sensitive = slot.as_ref().is_some_and(|slot| slot.view().is_sensitive(post.id));
        let shows_so = edit.descriptions.as_ref().is_none_or(|typed| {
            let pictures =
                slot.as_ref().and_then(|slot| slot.view().pictures.get(&post.id).cloned());
            let shown: Vec<_> =
                pictures.iter().flat_map(|it| it.iter()).map(|it| it.description.clone()).collect();
            typed.iter().map(|it| field::description(it).ok()).eq(shown.into_iter().map(Some))
        });
        let text = field::post_text_beside(&edit.text, has_more);
        let typed = text.ok().zip(field::note(&edit.note).ok());
        let read = slot.and_then(|slot| self.cluster.local.read_post(&slot, post.id, |_, _| ()));
        match (typed, read) {
            (Some((text, note)), Some(((), Ok(said)))) => {
                let sensitive = edit.sensitive.map(|is| is_covered(is, note.as_deref()));
                let is_same = sensitive.is_none_or(|is| is == is_sensitive) && shows_so;
                is_same && (said.text, said.note) == (text, note)
            }
            _ => false,
        }
    }

    /// Whether there is such a post: of one whose author has left that it is gone, too.
    pub(super) fn check_stands(
        &self,
        asked: &Asked<'_>,
        post: &PostRef,
    ) -> std::result::Result<(), Refusal> {
        let state = |user: &User| (user.post(post.id).is_some(), user.has_deleted(post.id));
        let has_left = |user: &User| matches!(user.status, crate::user::Status::Left(_));
        let eyes = self.eyes(Some(asked.signed_in()?));
        if !self.cluster.local.index().shows(eyes, post) {
            return Err(Refusal::NotFound);
        }
        match self.look(&post.user, |user| (state(user), has_left(user))) {
            Some(((true, _), _)) => Ok(()),
            Some(((false, true), _) | (_, true)) => Err(Refusal::Gone),
            Some(_) | None => Err(Refusal::NotFound),
        }
    }

    /// The posts that one has bookmarked, the last bookmarked first.
    pub(super) fn bookmarks(&self, asked: Asked<'_>, data: Page) -> Result {
        let asker = asked.signed_in()?;
        self.wait_for_lists();
        let all = self.look(asker.user(), |user| user.bookmarks.clone()).unwrap_or_default();
        let mut standing: Vec<(PostId, PostRef)> = {
            let eyes = self.eyes(Some(asker));
            let index = self.cluster.local.index();
            let placed = all.into_iter().map(place);
            let older = placed.filter(|(place, _)| data.before.is_none_or(|it| *place < it));
            older.filter(|(_, it)| index.contains(it) && index.shows(eyes, it)).collect()
        };
        sort_by(&mut standing, |a, b| b.cmp(a));
        let page = self.page(Some(asker), bookmarks_page(standing))?;
        Ok(Done::told(Outcome::Posts(page)))
    }

    pub(super) fn history(&self, mut asked: Asked<'_>, data: HistoryOf) -> Result {
        let HistoryOf { post } = data;
        self.find(&mut asked, &post.user)?;
        let gone = || self.gone_or_not_found(&post);
        // What a keeper has hidden is hidden with all that it said before.
        let eyes = self.eyes(asked.asker);
        if !self.cluster.local.index().shows_text(eyes, &post) {
            return Err(Refusal::NotFound);
        }
        let view = self.post_view(asked.asker, &post)?.ok_or_else(gone)?;
        let slot = self.cluster.local.get(&post.user).ok_or(Refusal::NotFound)?;
        let said = self.cluster.local.read_history(&slot, post.id).ok_or_else(gone)?;
        let said = said.map_err(|error| {
            log::error!(user:% = post.user, post:% = post.id, error:%; "history not read");
            self.cluster.local.suspect(&slot);
            Refusal::Behind
        })?;
        let index = self.cluster.local.index();
        let is_told = |said: &Said| index.was_said_to(eyes, &post, (&said.text, said.at));
        let told: Vec<Said> = said.into_iter().filter(is_told).collect();
        drop(index);
        let texts = told.into_iter().map(|said| self.text_view(said)).collect();
        Ok(Done::told(Outcome::History(HistoryPage { post: view, texts })))
    }

    fn text_view(&self, said: Said) -> TextView {
        let mentions = self.known_mentions(&said.text);
        TextView { at: said.at, text: said.text, note: said.note, mentions }
    }

    /// Those names in a text that have an account.
    pub(super) fn known_mentions(&self, text: &str) -> Vec<UserName> {
        let index = self.cluster.local.index();
        text::mentions(text).into_iter().filter(|name| index.is_member(name)).collect()
    }

    /// What a post that does not stand is: deleted, or never there.
    pub(super) fn gone_or_not_found(&self, post: &PostRef) -> Refusal {
        match self.look(&post.user, |user| user.has_deleted(post.id)) {
            Some(true) => Refusal::Gone,
            Some(false) | None => Refusal::NotFound,
        }
    }

    /// What the one who asks has done with a post.
    pub(super) fn mine(&self, asker: Option<&Asker>, post: &PostRef) -> Mine {
        let mine = |user: &User| Mine {
            liked: user.likes.contains_key(post),
            reposted: user.reposts.contains_key(post),
            bookmarked: user.bookmarks.contains_key(post),
            pinned: post.user == user.name && user.pinned == Some(post.id),
            muted_thread: false,
        };
        let mine = asker.and_then(|asker| self.look(asker.user(), mine)).unwrap_or_default();
        let eyes = self.eyes(asker);
        let muted_thread = self.cluster.local.index().is_hushed(eyes, post);
        Mine { muted_thread, ..mine }
    }

    /// Who likes a post, for its author alone.
    pub(super) fn liked_by(&self, asker: Option<&Asker>, post: &PostRef) -> Option<LikedBy> {
        asker.filter(|asker| *asker.user() == post.user)?;
        let likers = self.cluster.local.index().likers(post, LIKERS_NAMED);
        let people: Vec<_> = likers.names.iter().filter_map(|name| self.person(name)).collect();
        (!people.is_empty()).then_some(LikedBy { people, more: likers.more })
    }

    /// The post that stands first on somebody's profile.
    pub(super) fn pinned(
        &self,
        asker: Option<&Asker>,
        of: &UserName,
    ) -> std::result::Result<Option<PostView>, Refusal> {
        let Some(id) = self.look(of, |user| user.pinned).flatten() else { return Ok(None) };
        let post = PostRef { user: of.clone(), id };
        let eyes = self.eyes(asker);
        if !self.cluster.local.index().shows(eyes, &post) {
            return Ok(None);
        }
        self.if_readable(self.post_view(asker, &post))
    }
}

/// A post with its place in a list of what somebody did with posts: by when they did. Acts of one moment,
/// as taking a file in makes them, differ as far as that is possible, so that a list can end between them.
pub(super) fn place((post, at): (PostRef, Wall)) -> (PostId, PostRef) {
    // Multiplying by an odd number spreads what differs in low or high bits alone over those that are kept.
    let spread = post.id.get().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    (PostId::from_raw(PostId::floor_of(at.0).get() | spread), post)
}

/// The first page of these, each with its place, the last first; never ends between equal places.
fn bookmarks_page(standing: Vec<(PostId, PostRef)>) -> PostList {
    let end = standing
        .get(POSTS_PAGE - 1)
        .map_or(standing.len(), |(last, _)| standing.partition_point(|(place, _)| place >= last));
    let older = standing.get(..end).filter(|_| end < standing.len());
    let older = older.and_then(<[_]>::last).map(|(place, _)| *place);
    let posts = standing.into_iter().take(end).map(|(_, post)| post).collect();
    PostList { posts, older, reposted: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(places: &[u64]) -> Vec<(PostId, PostRef)> {
        let user: UserName = "ben".parse().unwrap();
        let post = |(id, place): (usize, &u64)| {
            let id = PostId::from_raw(id as u64);
            (PostId::from_raw(*place), PostRef { user: user.clone(), id })
        };
        places.iter().enumerate().map(post).collect()
    }

    #[track_caller]
    fn check(places: &[u64], len: usize, older: Option<u64>) {
        let page = bookmarks_page(standing(places));
        assert_eq!((page.posts.len(), page.older), (len, older.map(PostId::from_raw)));
    }

    #[test]
    fn places_are_by_time_and_differ_within_a_moment() {
        let user: UserName = "ben".parse().unwrap();
        let at = |id: u64, ms| {
            place((PostRef { user: user.clone(), id: PostId::from_raw(id << 16) }, Wall(ms))).0
        };
        let of_one_moment: std::collections::BTreeSet<PostId> =
            (0..30).map(|id| at(id, 7)).collect();
        assert_eq!(of_one_moment.len(), 30);
        assert!(of_one_moment.iter().all(|it| it.at_ms() == 7));
        assert!(at(9, 7) < at(1, 8));
    }

    #[test]
    fn bookmarks_page_ends_between_places_alone() {
        let down: Vec<u64> = (0..40).rev().collect();
        check(&down, POSTS_PAGE, Some(10));
        check(&down[..POSTS_PAGE], POSTS_PAGE, None);
        check(&down[..3], 3, None);
        check(&[], 0, None);
        // Three of the same moment at the page's end.
        let mut equal = down.clone();
        (equal[30], equal[31]) = (10, 10);
        check(&equal, POSTS_PAGE + 2, Some(10));
    }
}
