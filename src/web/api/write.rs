//! What an app does with posts in somebody's name.

use serde_json::json;

use super::client::hash;
use super::{Answer, Answered, Call, fresh, poll};
use crate::action::{
    Action, ApiRead, EditPost, Mark, NewPost, OnePost, PostFor, RequestKey, SetMark, StatusList,
};
use crate::clock::Wall;
use crate::id::{PostId, RequestId};
use crate::limits::{PINNED_MAX, POST_CHARS_MAX};
use crate::user::entry::{Audience, PostRef};
use crate::web::ask::Ask;
use crate::web::handler::{Heard, Site};
use crate::wire::request::{ApiReply, Mine, Outcome, Person, PostView, StatusView, Statuses};

impl<A: Ask> Site<A> {
    /// The key of an act: made of `Idempotency-Key` and of who asks, so that the same sent again, to
    /// whichever machine, is the same act; fresh where there is none.
    pub(super) fn key_of(call: &Call<'_>) -> Result<RequestKey, Answer> {
        let fresh = fresh()?;
        Ok(RequestKey { id: Self::sent_id(call).unwrap_or(fresh.id), ..fresh })
    }

    /// The number of such a key, if one was sent.
    pub(super) fn sent_id(call: &Call<'_>) -> Option<RequestId> {
        let said = call.request.idempotency_key.as_deref().filter(|key| !key.is_empty())?;
        Some(RequestId(hash(&["idempotency", Self::owner(call), said]).0))
    }

    /// Whose key it is: a person's, whichever of their apps sends it.
    pub(super) fn owner<'a>(call: &Call<'a>) -> &'a str {
        call.bearer.and_then(|token| token.split_once('.')).map_or("", |(name, _)| name)
    }

    pub(super) fn written(&self, call: &Call<'_>, action: Action) -> Result<Heard, Answer> {
        let heard = self.ask_with_token(call, None, action)?;
        match heard.outcome {
            Outcome::Saved(_) => Ok(heard),
            _ => Err(super::nonsense()),
        }
    }

    /// The text and the note that an app sends, if they can be a post.
    fn said<'c>(call: &'c Call<'_>, has_more: bool) -> Result<(&'c str, &'c str), Answer> {
        let (text, note) = (call.params.get("status"), call.params.get("spoiler_text"));
        let chars = text.trim_end().chars().count() + note.chars().count();
        if text.trim().is_empty() && !has_more {
            return Err(Answer::error(422, "Validation failed: Text can't be blank"));
        }
        if chars > POST_CHARS_MAX {
            let error = format!(
                "Validation failed: Text character limit of {POST_CHARS_MAX} exceeded: it has {chars}, \
                 with its note, and with each address in full"
            );
            return Err(Answer::error(422, &error));
        }
        Ok((text, note))
    }

    pub(super) fn post_status(&self, call: &Call<'_>) -> Answered {
        let sent = Self::media_ids(call)?;
        let poll = poll::said(call)?;
        let (text, note) = Self::said(call, !sent.is_empty() || poll.is_some())?;
        let params = &call.params;
        let audience = audience(params.get("visibility"))?;
        let sensitive = params.is_on("sensitive")?;
        if poll.is_some() && !sent.is_empty() {
            let why = "Validation failed: a post has pictures or a poll, not both";
            return Err(Answer::error(422, why));
        }
        if !params.get("scheduled_at").is_empty() {
            let why = "Validation failed: this site takes no scheduled posts";
            return Err(Answer::error(422, why));
        }
        let reply_to = match params.get("in_reply_to_id") {
            "" => None,
            id => Some(self.answered(call, id)?),
        };
        let key = Self::key_of(call)?;
        let (text, note, pictures) = (text.to_owned(), note.to_owned(), Vec::new());
        let sensitive = sensitive.unwrap_or_default();
        let for_everybody = false;
        let post = NewPost { key, text, reply_to, note, pictures, sent, sensitive, for_everybody };
        let heard = self.written(call, post.clone().action(audience, poll))?;
        let Outcome::Saved(saved) = &heard.outcome else { return Err(super::nonsense()) };
        let id = saved.post.ok_or_else(super::nonsense)?;
        let usual = || heard.viewer.as_ref().map(|viewer| viewer.posts_for).unwrap_or_default();
        let written = PostFor { audience: audience.unwrap_or_else(usual), post };
        self.shown(call, id, || self.as_written(call, id, written))
    }

    /// What a reply is to answer. One that is sent again is known by its key, whatever has become of that.
    fn answered(&self, call: &Call<'_>, id: &str) -> Result<PostRef, Answer> {
        let id: PostId = id.parse().map_err(|_| Answer::not_found())?;
        match self.status_numbered(call, id) {
            Ok((page, _)) => of(&page),
            Err(refused) => self.answered_before(call).ok_or(refused),
        }
    }

    fn answered_before(&self, call: &Call<'_>) -> Option<PostRef> {
        let read = ApiRead::AnsweredIn { request: Self::sent_id(call)? };
        let mut heard = self.ask_with_token(call, None, Action::Api(read)).ok()?;
        match super::told(&mut heard).ok()? {
            ApiReply::Post(post) => Some(post),
            _ => None,
        }
    }

    /// A post as it is after an act that was saved. Where that cannot be read it is told as it is known
    /// without: whoever heard that it is not there would write it once more.
    fn shown(
        &self,
        call: &Call<'_>,
        id: PostId,
        known: impl FnOnce() -> Option<Statuses>,
    ) -> Answered {
        let (page, viewer) = match self.status_numbered(call, id) {
            Ok(read) => read,
            Err(_) => (known().ok_or_else(saved_unseen)?, Self::owner(call).parse().ok()),
        };
        self.spelt(&page, viewer.as_ref()).next().map(Answer::ok).ok_or_else(saved_unseen)
    }

    /// A post as it was sent, without its pictures, its poll and the people that it names.
    fn as_written(&self, call: &Call<'_>, id: PostId, written: PostFor) -> Option<Statuses> {
        let read = Action::Api(ApiRead::Account { username: None });
        let mut heard = self.ask_with_token(call, None, read).ok()?;
        let ApiReply::Account(account) = super::told(&mut heard).ok()? else { return None };
        let PostFor { audience, post: NewPost { text, note, reply_to, sensitive, .. } } = written;
        let author = Person {
            username: account.username.clone(),
            display_name: account.display_name.clone(),
            avatar: None,
        };
        let post = PostView {
            id,
            author,
            at: Wall(id.at_ms()),
            text: text.trim_end().to_owned(),
            note: Some(note).filter(|note| !note.is_empty()),
            edited_at: None,
            reposted_by: None,
            mine: Mine::default(),
            liked_by: None,
            audience,
            reply_to,
            pictures: Vec::new(),
            sensitive,
            poll: None,
            replies: 0,
            mentions: Vec::new(),
            hidden: None,
        };
        let status = StatusView { for_members: account.members_only, ..StatusView::of(post) };
        Some(Statuses { statuses: vec![status], accounts: vec![account], older: None })
    }

    pub(super) fn edit_status(&self, call: &Call<'_>) -> Answered {
        let mut page = self.own_page(call)?;
        let before = &page.statuses.first().ok_or_else(Answer::not_found)?.post;
        let id = before.id;
        let has_more = !before.pictures.is_empty() || before.poll.is_some();
        let (text, note) = Self::said(call, has_more)?;
        poll::check_stays(call, before)?;
        let descriptions = Self::described(call, before)?;
        let key = Self::key_of(call)?;
        let sensitive = call.params.is_on("sensitive")?;
        let (said, shows) = ((text.to_owned(), note.to_owned()), descriptions.clone());
        let edit = EditPost { key, id, text: said.0, note: said.1, sensitive, descriptions };
        self.written(call, Action::EditPost(edit))?;
        self.shown(call, id, || {
            let post = &mut page.statuses.first_mut()?.post;
            text.trim_end().clone_into(&mut post.text);
            post.note = Some(note.to_owned()).filter(|note| !note.is_empty());
            post.sensitive = sensitive.unwrap_or(post.sensitive);
            for (picture, shown) in post.pictures.iter_mut().zip(shows.into_iter().flatten()) {
                picture.description = shown;
            }
            post.edited_at = Some(self.clock.wall());
            Some(page)
        })
    }

    /// Takes back a post, and gives its text so that it can be written anew; or a repost, by its own number.
    pub(super) fn delete_status(&self, call: &Call<'_>) -> Answered {
        let (page, viewer) = match self.status_numbered(call, Self::id_in(call)?) {
            Ok(heard) => heard,
            Err(none) => return self.deleted_before(call).ok_or(none),
        };
        let view = &page.statuses.first().ok_or_else(Answer::not_found)?.post;
        let by = view.reposted_by.as_ref().unwrap_or(&view.author);
        if viewer.as_ref() != Some(&by.username) {
            return Err(Answer::not_found());
        }
        let mut status = self.spelt(&page, viewer.as_ref()).next().ok_or_else(Answer::not_found)?;
        let key = Self::key_of(call)?;
        let (text, take_back) = if view.reposted_by.is_some() {
            let set = SetMark { key, post: of(&page)?, mark: Mark::Repost, on: false };
            ("", Action::Mark(set))
        } else {
            (view.text.as_str(), Action::DeletePost(OnePost { key, id: view.id }))
        };
        if let Some(fields) = status.as_object_mut() {
            fields.insert("text".to_owned(), json!(text));
        }
        self.written(call, take_back)?;
        Ok(Answer::ok(status))
    }

    /// What is said, to whoever sent a key, of a post of theirs that was taken back, of which nothing is left
    /// but its number: that it was done, as at the first time.
    fn deleted_before(&self, call: &Call<'_>) -> Option<Answer> {
        Self::sent_id(call)?;
        let (id, key) = (Self::id_in(call).ok()?, Self::key_of(call).ok()?);
        self.written(call, Action::DeletePost(OnePost { key, id })).ok()?;
        let (text, note) = (String::new(), String::new());
        let (reply_to, pictures, sent, sensitive) = (None, vec![], vec![], false);
        let for_everybody = false;
        let post = NewPost { key, text, reply_to, note, pictures, sent, sensitive, for_everybody };
        let page = self.as_written(call, id, PostFor { audience: Audience::Everyone, post })?;
        let viewer = Self::owner(call).parse().ok();
        let mut status = self.spelt(&page, viewer.as_ref()).next()?;
        status.as_object_mut()?.insert("text".to_owned(), json!(null));
        Some(Answer::ok(status))
    }

    /// Likes, reposts, bookmarks or pins a post or mutes its thread, or no longer.
    pub(super) fn mark_status(&self, call: &Call<'_>, mark: Mark, on: bool) -> Answered {
        let (page, _) = self.status_numbered(call, Self::id_in(call)?)?;
        let post = of(&page)?;
        match mark {
            Mark::Pin => self.check_may_pin(call, &post, on)?,
            Mark::Repost if on => check_may_repost(call, &page)?,
            Mark::Repost | Mark::Like | Mark::Bookmark | Mark::MuteThread => {}
        }
        let key = Self::key_of(call)?;
        self.written(call, Action::Mark(SetMark { key, post: post.clone(), mark, on }))?;
        let shown = self.shown(call, post.id, || marked(page, mark, on))?;
        let is_repost = mark == Mark::Repost && on;
        let repost = if is_repost { self.own_repost(call, post) } else { None };
        Ok(repost.unwrap_or(shown))
    }

    /// Refuses to pin what is another's, and one more than may be: of an app the next would take the place of
    /// the one before, unsaid.
    fn check_may_pin(&self, call: &Call<'_>, post: &PostRef, on: bool) -> Result<(), Answer> {
        if Self::owner(call) != post.user.as_str() {
            return Err(Answer::error(422, "Validation failed: not your own post"));
        }
        if !on {
            return Ok(());
        }
        let list = StatusList::Pinned { username: post.user.clone() };
        let read = ApiRead::Statuses { list, below: None, above: None, is_rising: false, limit: 1 };
        let mut heard = self.ask_with_token(call, None, Action::Api(read))?;
        let ApiReply::Statuses(pinned) = super::told(&mut heard)? else {
            return Err(super::nonsense());
        };
        let others = pinned.statuses.iter().filter(|status| status.id != post.id).count();
        if others < PINNED_MAX {
            return Ok(());
        }
        let why = "Validation failed: you have already pinned as many posts as can be";
        Err(Answer::error(422, why))
    }

    /// The repost that one has made of a post, which is a status of its own to apps.
    fn own_repost(&self, call: &Call<'_>, post: PostRef) -> Option<Answer> {
        let read = Action::Api(ApiRead::OwnRepost { post });
        let mut heard = self.ask_with_token(call, None, read).ok()?;
        let ApiReply::Statuses(page) = super::told(&mut heard).ok()? else { return None };
        let own = heard.viewer.map(|viewer| viewer.username);
        self.spelt(&page, own.as_ref()).next().map(Answer::ok)
    }
}

/// Refuses to show others what is for few, and to show few what is for all: a repost is for whoever follows.
fn check_may_repost(call: &Call<'_>, page: &Statuses) -> Result<(), Answer> {
    if page.statuses.first().is_some_and(|view| view.post.audience.is_few()) {
        let why = "Validation failed: this post is not for everybody";
        return Err(Answer::error(422, why));
    }
    match audience(call.params.get("visibility"))? {
        None | Some(Audience::Everyone | Audience::Quiet) => Ok(()),
        Some(Audience::Followers | Audience::Named) => {
            let why = "Validation failed: the visibility of a repost is public or unlisted";
            Err(Answer::error(422, why))
        }
    }
}

/// It was saved, and nobody can tell what it looks like: nothing is to be sent again.
pub(super) fn saved_unseen() -> Answer {
    Answer::error(503, "It was saved, and cannot be shown just now")
}

/// A page of one post as it is once its reader has marked it, or does no longer.
fn marked(mut page: Statuses, mark: Mark, on: bool) -> Option<Statuses> {
    let status = page.statuses.first_mut()?;
    let (post, likes) = (&mut status.post, &mut status.likes);
    let mine = &mut post.mine;
    match mark {
        Mark::Like => {
            let was = std::mem::replace(&mut mine.liked, on);
            *likes = likes.saturating_sub(was.into()).saturating_add(on.into());
        }
        Mark::Repost => mine.reposted = on,
        Mark::Bookmark => mine.bookmarked = on,
        Mark::Pin => mine.pinned = on,
        Mark::MuteThread => mine.muted_thread = on,
    }
    (status.id, post.reposted_by) = (post.id, None);
    Some(page)
}

/// Who may read what an app posts, if it says it. What is meant for few, in whatever word, is never shown to
/// many.
fn audience(visibility: &str) -> Result<Option<Audience>, Answer> {
    let known = Audience::ALL.into_iter().find(|it| super::status::word(*it) == visibility);
    if known.is_none() && !visibility.is_empty() {
        let why = "Validation failed: visibility is public, unlisted, private or direct";
        return Err(Answer::error(422, why));
    }
    Ok(known)
}

/// The post of a page that holds one.
pub(super) fn of(page: &Statuses) -> Result<PostRef, Answer> {
    let post = &page.statuses.first().ok_or_else(Answer::not_found)?.post;
    Ok(PostRef { user: post.author.username.clone(), id: post.id })
}
