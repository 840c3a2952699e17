//! Posts: one, a list of them, and how they are spelt.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::list::write;
use super::paging::{Part, link};
use super::people::account_in;
use super::{Answer, Answered, Call, entity, nonsense, poll, told};
use crate::action::{Action, ApiRead, StatusList};
use crate::id::{PostId, UserName};
use crate::limits::{API_BELOW_BYTES_MAX, API_BELOW_MAX, API_BELOW_STRANGERS_MAX, API_TAGS_MAX};
use crate::text::{Label, Tag, labels};
use crate::user::entry::{Audience, PostRef};
use crate::web::ask::Ask;
use crate::web::handler::Site;
use crate::web::route::Route;
use crate::wire::request::{AccountView, ApiReply, StatusView, Statuses};

/// Posts of a page, and at most.
const PAGE: (u16, u16) = (20, 40);

impl<A: Ask> Site<A> {
    /// The posts of a page as apps see them, for whoever asks; each is spelt when it is taken.
    pub(super) fn spelt<'a>(
        &'a self,
        page: &'a Statuses,
        viewer: Option<&'a UserName>,
    ) -> impl Iterator<Item = Value> + 'a {
        let accounts: BTreeMap<&UserName, &AccountView> =
            page.accounts.iter().map(|view| (&view.username, view)).collect();
        page.statuses.iter().filter_map(move |view| self.spell(view, &accounts, viewer))
    }

    pub(super) fn spell(
        &self,
        view: &StatusView,
        accounts: &BTreeMap<&UserName, &AccountView>,
        viewer: Option<&UserName>,
    ) -> Option<Value> {
        let original = self.original(view, accounts, viewer)?;
        let Some(by) = &view.post.reposted_by else { return Some(original) };
        let by = accounts.get(&by.username)?;
        let mut repost = original.clone();
        let fields = repost.as_object_mut()?;
        let at = entity::time(crate::clock::Wall(view.id.at_ms()));
        let account = entity::account(&self.origin, self.assets.stand_ins, by);
        let spelt = [
            ("id", json!(view.id.to_string())),
            ("created_at", json!(at)),
            ("edited_at", Value::Null),
            ("account", account),
            ("uri", json!(format!("{}/@{}/{}", self.origin, by.username, view.id))),
            ("in_reply_to_id", Value::Null),
            ("in_reply_to_account_id", Value::Null),
            ("application", Value::Null),
            ("reblog", original),
        ];
        fields.extend(spelt.map(|(name, value)| (name.to_owned(), value)));
        Some(repost)
    }

    /// A post for itself.
    fn original(
        &self,
        view: &StatusView,
        accounts: &BTreeMap<&UserName, &AccountView>,
        viewer: Option<&UserName>,
    ) -> Option<Value> {
        let post = &view.post;
        let author = accounts.get(&post.author.username)?;
        let this = PostRef { user: author.username.clone(), id: post.id };
        let url = format!("{}{}", self.origin, Route::Thread(this));
        let parent = post.reply_to.as_ref();
        let parent_account = parent.and_then(|parent| accounts.get(&parent.user));
        let id_of = |view: &AccountView| entity::account_id(&view.username, view.joined_at);
        let mention = |name: &UserName| {
            let view = accounts.get(name)?;
            let url = format!("{}{}", self.origin, Route::Profile(name.clone()));
            let name = name.as_str();
            Some(json!({ "id": id_of(view), "username": name, "acct": name, "url": url }))
        };
        let tag = |label: &Label| {
            let tag = label.tag()?;
            let url = entity::tag_url(&self.origin, tag.as_str());
            Some(json!({ "name": tag.as_str(), "url": url }))
        };
        let note = post.note.as_deref().unwrap_or_default();
        let mut status = json!({
            "id": post.id.to_string(),
            "uri": url,
            "url": url,
            "created_at": entity::time(post.at),
            "edited_at": post.edited_at.map(entity::time),
            "account": entity::account(&self.origin, self.assets.stand_ins, author),
            "content": entity::html(&self.origin, &post.text, &post.mentions),
            "visibility": visibility(view),
            "sensitive": post.sensitive || post.note.is_some(),
            "spoiler_text": note,
            "language": null,
            "in_reply_to_id": parent.map(|parent| parent.id.to_string()),
            "in_reply_to_account_id": parent_account.map(|view| id_of(view)),
            "reblog": null,
            "media_attachments": self.attachments(view, viewer),
            "mentions": post.mentions.iter().filter_map(mention).collect::<Vec<_>>(),
            "tags": labels(&post.text).iter().filter_map(tag).collect::<Vec<_>>(),
            "emojis": [],
            "reblogs_count": u32::from(post.mine.reposted),
            "favourites_count": view.likes,
            "replies_count": post.replies,
            "poll": poll::spelt(post, viewer),
            "card": null,
            "application": null,
        });
        if viewer.is_some()
            && let Some(fields) = status.as_object_mut()
        {
            let mine = [
                ("favourited", json!(post.mine.liked)),
                ("reblogged", json!(post.mine.reposted)),
                ("muted", json!(post.mine.muted_thread)),
                ("bookmarked", json!(post.mine.bookmarked)),
                ("pinned", json!(post.mine.pinned)),
                ("filtered", json!([])),
            ];
            fields.extend(mine.map(|(name, value)| (name.to_owned(), value)));
        }
        Some(status)
    }

    /// One post, by the number in the address or another.
    pub(super) fn status_numbered(
        &self,
        call: &Call<'_>,
        id: PostId,
    ) -> Result<(Statuses, Option<UserName>), Answer> {
        let mut heard = self.ask_with_token(call, None, Action::Api(ApiRead::Status { id }))?;
        match told(&mut heard)? {
            ApiReply::Statuses(page) if !page.statuses.is_empty() => {
                Ok((page, heard.viewer.map(|viewer| viewer.username)))
            }
            ApiReply::Statuses(_) => Err(Answer::not_found()),
            _ => Err(nonsense()),
        }
    }

    /// The number in the address.
    pub(super) fn id_in(call: &Call<'_>) -> Result<PostId, Answer> {
        call.part().parse().map_err(|_| Answer::not_found())
    }

    pub(super) fn one_status(&self, call: &Call<'_>, id: &str) -> Answered {
        let id = id.parse().map_err(|_| Answer::not_found())?;
        let (page, viewer) = self.status_numbered(call, id)?;
        self.spelt(&page, viewer.as_ref()).next().map(Answer::ok).ok_or_else(Answer::not_found)
    }

    /// What was typed, for its author.
    pub(super) fn source(&self, call: &Call<'_>) -> Answered {
        let view = self.own_status(call)?;
        let (text, note) = (view.post.text, view.post.note.unwrap_or_default());
        Ok(Answer::ok(json!({
            "id": view.post.id.to_string(), "text": text, "spoiler_text": note,
        })))
    }

    /// A post of the one who asks.
    pub(super) fn own_status(&self, call: &Call<'_>) -> Result<StatusView, Answer> {
        self.own_page(call)?.statuses.into_iter().next().ok_or_else(Answer::not_found)
    }

    /// A page of one post, that of the one who asks with the number in the address.
    pub(super) fn own_page(&self, call: &Call<'_>) -> Result<Statuses, Answer> {
        let (page, own) = self.status_numbered(call, Self::id_in(call)?)?;
        let is_own = |view: &StatusView| {
            view.post.reposted_by.is_none() && Some(&view.post.author.username) == own.as_ref()
        };
        if page.statuses.first().is_some_and(is_own) { Ok(page) } else { Err(Answer::not_found()) }
    }

    pub(super) fn context(&self, call: &Call<'_>) -> Answered {
        let id = Self::id_in(call)?;
        let mut heard = self.ask_with_token(call, None, Action::Api(ApiRead::Context { id }))?;
        let ApiReply::Context { ancestors, descendants } = told(&mut heard)? else {
            return Err(nonsense());
        };
        let viewer = heard.viewer.map(|viewer| viewer.username);
        // A backend of an earlier version tells strangers more.
        let most = if viewer.is_some() { API_BELOW_MAX } else { API_BELOW_STRANGERS_MAX };
        let below = self.spelt(&descendants, viewer.as_ref()).take(most);
        let mut both = String::from(r#"{"ancestors":"#);
        write(&mut both, self.spelt(&ancestors, viewer.as_ref()), usize::MAX);
        both.push_str(r#","descendants":"#);
        write(&mut both, below, API_BELOW_BYTES_MAX);
        both.push('}');
        Ok(Answer { written: Some(both), ..Answer::ok(Value::Null) })
    }

    /// A list of posts, with the addresses of what is older and newer.
    pub(super) fn statuses(&self, call: &Call<'_>, list: StatusList) -> Answered {
        let Part { below, above, is_rising, limit } = Part::of(call, PAGE);
        let read = ApiRead::Statuses { list, below, above, is_rising, limit };
        let mut heard = self.ask_with_token(call, None, Action::Api(read))?;
        let ApiReply::Statuses(page) = told(&mut heard)? else { return Err(nonsense()) };
        // A page may end early, or be empty, where much was looked at for nothing: it goes on from there.
        let oldest = page.statuses.last().map(|status| status.id);
        let newest = page.statuses.first().map(|status| status.id);
        let (oldest, newest) = if is_rising {
            (oldest, page.older.or(newest))
        } else {
            (page.older.or(oldest), newest)
        };
        let older = oldest.map(|id| ("max_id", id.to_string()));
        let newer = newest.map(|id| ("min_id", id.to_string()));
        let link = link(&self.origin, call, older, newer);
        let statuses = self.spelt(&page, heard.viewer.as_ref().map(|viewer| &viewer.username));
        Ok(Answer { link, ..Answer::list(statuses) })
    }

    pub(super) fn public_timeline(&self, call: &Call<'_>) -> Answered {
        // There are no posts of elsewhere.
        if call.params.flag("remote") == Some(true) {
            return self.nothing(call);
        }
        let only_pictures = call.params.flag("only_media") == Some(true);
        let list = if only_pictures { StatusList::Pictured } else { StatusList::Everyone };
        self.statuses(call, list)
    }

    pub(super) fn tag_timeline(&self, call: &Call<'_>) -> Answered {
        let word = call.part();
        let word = crate::web::form::decode_path(word).unwrap_or_default();
        let params = &call.params;
        let tags = |name: &str| -> Vec<Tag> {
            let words = params.all(name).into_iter().take(API_TAGS_MAX);
            words.filter_map(|word| word.trim_start_matches('#').parse().ok()).collect()
        };
        let Ok(tag) = word.parse() else { return self.nothing(call) };
        let mut any = vec![tag];
        any.extend(tags("any"));
        let (all, none) = (tags("all"), tags("none"));
        let only_pictures = params.flag("only_media") == Some(true);
        self.statuses(call, StatusList::Tagged { any, all, none, only_pictures })
    }

    pub(super) fn account_statuses(&self, call: &Call<'_>) -> Answered {
        let username = account_in(call)?;
        let says = |name: &str| call.params.flag(name) == Some(true);
        if says("pinned") {
            return self.statuses(call, StatusList::Pinned { username });
        }
        let only_pictures = says("only_media");
        let (no_replies, no_reposts) = (says("exclude_replies"), says("exclude_reblogs"));
        let tag = match call.params.get("tagged") {
            "" => None,
            word => match word.parse() {
                Ok(tag) => Some(tag),
                Err(_) => return self.nothing(call),
            },
        };
        self.statuses(call, StatusList::Of { username, no_replies, no_reposts, tag, only_pictures })
    }
}

/// Apps offer to repost what is public or unlisted: what only members may read is neither.
const fn visibility(view: &StatusView) -> &'static str {
    match view.post.audience {
        Audience::Everyone | Audience::Quiet if view.for_members => word(Audience::Followers),
        audience => word(audience),
    }
}

/// What apps call it.
pub(super) const fn word(audience: Audience) -> &'static str {
    match audience {
        Audience::Everyone => "public",
        Audience::Quiet => "unlisted",
        Audience::Followers => "private",
        Audience::Named => "direct",
    }
}
