//! Members, and what they have set.

use serde_json::json;

use super::{Answer, Answered, Call, entity, fresh, nonsense, status, told};
use crate::action::{Action, ApiRead, AvatarWish, EditProfile, Untouched};
use crate::id::UserName;
use crate::picture::Use;
use crate::user::entry::Audience;
use crate::web::ask::Ask;
use crate::web::handler::{Heard, Site};
use crate::wire::request::{AccountView, ApiReply};

impl<A: Ask> Site<A> {
    /// Asks for one member; for oneself if nobody is named.
    fn account_view(
        &self,
        call: &Call<'_>,
        username: Option<UserName>,
    ) -> Result<(AccountView, Heard), Answer> {
        let read = Action::Api(ApiRead::Account { username: username.clone() });
        let mut heard = self.ask_with_token(call, username.as_ref(), read)?;
        match told(&mut heard)? {
            ApiReply::Account(view) => Ok((view, heard)),
            _ => Err(nonsense()),
        }
    }

    /// The one who asks, with what only they may know.
    pub(super) fn myself(&self, call: &Call<'_>) -> Answered {
        let (view, heard) = self.account_view(call, None)?;
        let mut account = entity::account(&self.origin, self.assets.stand_ins, &view);
        let privacy = privacy(&heard);
        let is_keeper = heard.viewer.is_some_and(|viewer| viewer.is_keeper);
        if let Some(fields) = account.as_object_mut() {
            let source = json!({
                "note": view.bio,
                "privacy": privacy,
                "sensitive": false,
                "language": null,
                "fields": [],
                "follow_requests_count": 0,
            });
            let role = json!({
                "id": if is_keeper { "1" } else { "-99" },
                "name": if is_keeper { "Keeper" } else { "" },
                "permissions": "0",
                "color": "",
                "highlighted": is_keeper,
            });
            fields.insert("source".to_owned(), source);
            fields.insert("role".to_owned(), role);
        }
        Ok(Answer::ok(account))
    }

    /// One member by their number.
    pub(super) fn account(&self, call: &Call<'_>, id: &str) -> Answered {
        let (name, joined_at) = entity::account_of(id).ok_or_else(Answer::not_found)?;
        let (view, _) = self.account_view(call, Some(name))?;
        if view.joined_at != joined_at {
            return Err(Answer::not_found());
        }
        Ok(Answer::ok(entity::account(&self.origin, self.assets.stand_ins, &view)))
    }

    /// One member by their name, with or without this site's host.
    pub(super) fn lookup(&self, call: &Call<'_>) -> Answered {
        let name = self.named(call.params.get("acct")).ok_or_else(Answer::not_found)?;
        let (view, _) = self.account_view(call, Some(name))?;
        Ok(Answer::ok(entity::account(&self.origin, self.assets.stand_ins, &view)))
    }

    /// Whom `name`, `@name` or `name@host` names here.
    fn named(&self, text: &str) -> Option<UserName> {
        let text = text.trim().trim_start_matches('@');
        let (name, host) = text.split_once('@').map_or((text, None), |(a, b)| (a, Some(b)));
        let is_here = host.is_none_or(|host| self.origin.allows_host(host));
        UserName::from_input(name).ok().filter(|_| is_here)
    }

    /// Changes what is sent, and nothing else.
    pub(super) fn update_myself(&self, call: &Call<'_>) -> Answered {
        let params = &call.params;
        if params.file("header", &call.request.body).is_some() || !params.get("header").is_empty() {
            let why = "Validation failed: header: profiles have no such picture here";
            return Err(Answer::error(422, why));
        }
        check_settings_stay(call)?;
        let posts_for = posts_for(call)?;
        self.ask_with_token(call, None, Action::CheckSession)?;
        let avatar = match params.file("avatar", &call.request.body) {
            Some(bytes) => {
                self.may_send(call)?;
                AvatarWish::Show(self.take_in(call, bytes, Use::Avatar)?)
            }
            None if !params.get("avatar").is_empty() => {
                let why = "Validation failed: avatar: send it as a file";
                return Err(Answer::error(422, why));
            }
            None if params.has("avatar") => AvatarWish::Remove,
            None => AvatarWish::Keep,
        };
        let (name, note) = (params.find("display_name"), params.find("note"));
        let says = name.is_some() || note.is_some() || posts_for.is_some();
        if says || avatar != AvatarWish::Keep {
            let (view, _) = self.account_view(call, None)?;
            let edit = EditProfile { posts_for, ..edited(&view, (name, note), avatar)? };
            self.ask_with_token(call, None, Action::EditProfile(edit))?;
        }
        self.myself(call)
    }

    /// Leaves a name without a picture beside it.
    pub(super) fn remove_avatar(&self, call: &Call<'_>) -> Answered {
        let (view, _) = self.account_view(call, None)?;
        let edit = edited(&view, (None, None), AvatarWish::Remove)?;
        self.ask_with_token(call, None, Action::EditProfile(edit))?;
        self.myself(call)
    }

    pub(super) fn preferences(&self, call: &Call<'_>) -> Answered {
        let heard = self.ask_with_token(call, None, Action::CheckSession)?;
        Ok(Answer::ok(json!({
            "posting:default:visibility": privacy(&heard),
            "posting:default:sensitive": false,
            "posting:default:language": null,
            "reading:expand:media": "default",
            "reading:expand:spoilers": false,
        })))
    }
}

/// For whom posts of one's own are of which nothing is said, in apps' words.
fn privacy(heard: &Heard) -> &'static str {
    status::word(heard.viewer.as_ref().map(|viewer| viewer.posts_for).unwrap_or_default())
}

/// The same as an app sets it, if it does.
fn posts_for(call: &Call<'_>) -> Result<Option<Audience>, Answer> {
    let said = call.params.get("source[privacy]");
    let known = Audience::USUAL.into_iter().find(|it| status::word(*it) == said);
    if known.is_none() && !said.is_empty() {
        let why = "Validation failed: source[privacy] is public, unlisted or private";
        return Err(Answer::error(422, why));
    }
    Ok(known)
}

/// Refuses to set what is not kept: who is told that it was set says it of no post, or thinks that they are
/// asked who may follow them.
fn check_settings_stay(call: &Call<'_>) -> Result<(), Answer> {
    let why = if call.params.flag("source[sensitive]") == Some(true) {
        "source[sensitive] is not kept here: say of each post that it is"
    } else if call.params.flag("locked") == Some(true) {
        "locked is not kept here: whoever follows is not asked about, and can be removed or blocked"
    } else if call.params.pairs().any(is_field) {
        "fields_attributes are not kept here: say it in the note"
    } else {
        return Ok(());
    };
    Err(Answer::error(422, &format!("Validation failed: {why}")))
}

/// Whether it says something in a row of a table that profiles have elsewhere.
fn is_field((name, value): &(String, String)) -> bool {
    name.starts_with("fields_attributes[") && !value.trim().is_empty()
}

/// A change of what is said, and of nothing else: whatever somebody else changes meanwhile stays changed.
fn edited(
    view: &AccountView,
    (name, note): (Option<&str>, Option<&str>),
    avatar: AvatarWish,
) -> Result<EditProfile, Answer> {
    Ok(EditProfile {
        key: fresh()?,
        // Older backends take what stands here.
        display_name: name.unwrap_or(&view.display_name).to_owned(),
        bio: note.unwrap_or(&view.bio).to_owned(),
        members_only: view.members_only,
        posts_for: None,
        avatar,
        untouched: Untouched {
            display_name: name.is_none(),
            bio: note.is_none(),
            members_only: true,
        },
    })
}
