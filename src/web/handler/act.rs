//! What may be done by a form, and the action that asks a backend for it.

use super::visit::Visit;
use super::{Site, Stop};
use crate::action::{
    Action, ChangePassword, DeleteAccount, EditProfile, EndSession, Join, Keyed, Login, NewPost,
    OnePost, Opening, RequestKey, Whom,
};
use crate::auth::session::Token;
use crate::id::UserName;
use crate::limits::DEVICE_CHARS_MAX;
use crate::user::entry::PostRef;
use crate::web::ask::Ask;
use crate::web::csrf::FormName;
use crate::web::form::Form;
use crate::web::page::words::Subject;
use crate::web::route::Route;

/// What a form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Join,
    Login,
    Logout,
    /// A post, or a reply to another.
    Post(Option<PostRef>),
    DeletePost(PostRef),
    Follow(UserName),
    Unfollow(UserName),
    Mute(UserName),
    Unmute(UserName),
    Block(UserName),
    Unblock(UserName),
    EditProfile,
    ChangePassword,
    /// End the session of this id.
    EndSession(String),
    EndOthers,
    Leave,
}

/// A form whose hidden fields are not as we drew them; what it asks for as far as that can be told.
pub(super) struct Garbled(pub(super) Act);

impl Act {
    /// What a form sent to `route` asks for; nothing where no form goes.
    pub(super) fn of(route: &Route, form: &Form) -> Option<Result<Self, Garbled>> {
        Some(Ok(match route {
            Route::Join => Self::Join,
            Route::Login => Self::Login,
            Route::Logout => Self::Logout,
            Route::Post => return Some(Self::post(form)),
            Route::DeletePost(post) => Self::DeletePost(post.clone()),
            Route::Follow(name) => Self::Follow(name.clone()),
            Route::Unfollow(name) => Self::Unfollow(name.clone()),
            Route::Mute(name) => Self::Mute(name.clone()),
            Route::Unmute(name) => Self::Unmute(name.clone()),
            Route::Block(name) => Self::Block(name.clone()),
            Route::Unblock(name) => Self::Unblock(name.clone()),
            Route::SettingsProfile => Self::EditProfile,
            Route::SettingsPassword => Self::ChangePassword,
            Route::SettingsDevices if form.find("others").is_some() => Self::EndOthers,
            Route::SettingsDevices => Self::EndSession(form.get("id").to_owned()),
            Route::SettingsLeave => Self::Leave,
            _ => return None,
        }))
    }

    fn post(form: &Form) -> Result<Self, Garbled> {
        match (form.get("reply_user"), form.get("reply_id")) {
            ("", "") => Ok(Self::Post(None)),
            (user, id) => match (user.parse(), id.parse()) {
                (Ok(user), Ok(id)) => Ok(Self::Post(Some(PostRef { user, id }))),
                _ => Err(Garbled(Self::Post(None))),
            },
        }
    }

    /// Where its form goes.
    pub(super) fn route(&self) -> Route {
        match self {
            Self::Join => Route::Join,
            Self::Login => Route::Login,
            Self::Logout => Route::Logout,
            Self::Post(_) => Route::Post,
            Self::DeletePost(post) => Route::DeletePost(post.clone()),
            Self::Follow(name) => Route::Follow(name.clone()),
            Self::Unfollow(name) => Route::Unfollow(name.clone()),
            Self::Mute(name) => Route::Mute(name.clone()),
            Self::Unmute(name) => Route::Unmute(name.clone()),
            Self::Block(name) => Route::Block(name.clone()),
            Self::Unblock(name) => Route::Unblock(name.clone()),
            Self::EditProfile => Route::SettingsProfile,
            Self::ChangePassword => Route::SettingsPassword,
            Self::EndSession(_) | Self::EndOthers => Route::SettingsDevices,
            Self::Leave => Route::SettingsLeave,
        }
    }

    /// Where to go after signing in on its way: a page, never a form's target.
    pub(super) fn page(&self) -> Route {
        match self {
            Self::Join | Self::Login | Self::Logout | Self::Post(None) => Route::Home,
            Self::Post(Some(parent)) => Route::Thread(parent.clone()),
            Self::Follow(name)
            | Self::Unfollow(name)
            | Self::Mute(name)
            | Self::Unmute(name)
            | Self::Block(name)
            | Self::Unblock(name) => Route::Profile(name.clone()),
            other => other.route(),
        }
    }

    /// Its form's name.
    pub(super) const fn form_name(&self) -> FormName {
        match self {
            Self::Join => FormName::Join,
            Self::Login => FormName::Login,
            Self::Logout => FormName::Logout,
            Self::Post(_) => FormName::Post,
            Self::DeletePost(_) => FormName::DeletePost,
            Self::Follow(_) => FormName::Follow,
            Self::Unfollow(_) => FormName::Unfollow,
            Self::Mute(_) => FormName::Mute,
            Self::Unmute(_) => FormName::Unmute,
            Self::Block(_) => FormName::Block,
            Self::Unblock(_) => FormName::Unblock,
            Self::EditProfile => FormName::Profile,
            Self::ChangePassword => FormName::Password,
            Self::EndSession(_) | Self::EndOthers => FormName::Devices,
            Self::Leave => FormName::Leave,
        }
    }

    /// What its sentences are about.
    pub(super) const fn subject(&self) -> Subject {
        match self {
            Self::Join => Subject::Account,
            Self::Login => Subject::SignIn,
            Self::Post(_) => Subject::Post,
            Self::EditProfile | Self::ChangePassword | Self::Leave => Subject::Fields,
            Self::Logout
            | Self::DeletePost(_)
            | Self::Follow(_)
            | Self::Unfollow(_)
            | Self::Mute(_)
            | Self::Unmute(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::EndSession(_)
            | Self::EndOthers => Subject::Button,
        }
    }

    /// Whether it takes somebody who is signed in.
    pub(super) const fn needs_session(&self) -> bool {
        !matches!(self, Self::Join | Self::Login)
    }
}

impl<A: Ask> Site<A> {
    /// The action that asks for it under this key.
    pub(super) fn action(
        visit: &Visit<'_>,
        act: &Act,
        form: &Form,
        key: RequestKey,
    ) -> Result<Action, Stop> {
        let field = |name| form.get(name).to_owned();
        Ok(match act {
            Act::Join => Action::Join(Join {
                key,
                username: field("username"),
                display_name: field("display_name"),
                password: field("password"),
                opening: opening(visit)?,
            }),
            Act::Login => Action::Login(Login {
                key,
                username: field("username"),
                password: field("password"),
                opening: opening(visit)?,
            }),
            Act::Logout => Action::Logout(Keyed { key }),
            Act::Post(reply_to) => {
                Action::Post(NewPost { key, text: field("text"), reply_to: reply_to.clone() })
            }
            Act::DeletePost(post) => Action::DeletePost(OnePost { key, id: post.id }),
            Act::Follow(name) => Action::Follow(Whom { key, username: name.clone() }),
            Act::Unfollow(name) => Action::Unfollow(Whom { key, username: name.clone() }),
            Act::Mute(name) => Action::Mute(Whom { key, username: name.clone() }),
            Act::Unmute(name) => Action::Unmute(Whom { key, username: name.clone() }),
            Act::Block(name) => Action::Block(Whom { key, username: name.clone() }),
            Act::Unblock(name) => Action::Unblock(Whom { key, username: name.clone() }),
            Act::EditProfile => Action::EditProfile(EditProfile {
                key,
                display_name: field("display_name"),
                bio: field("bio"),
            }),
            Act::ChangePassword => Action::ChangePassword(ChangePassword {
                key,
                current: field("current"),
                new: field("new"),
                opening: opening(visit)?,
            }),
            Act::EndSession(id) => Action::EndSession(EndSession { key, id: id.clone() }),
            Act::EndOthers => Action::EndOtherSessions(Keyed { key }),
            Act::Leave => Action::DeleteAccount(DeleteAccount {
                key,
                username: field("username"),
                password: field("password"),
            }),
        })
    }
}

/// A session to open for this browser, with a fresh token.
fn opening(visit: &Visit<'_>) -> Result<Opening, Stop> {
    let agent = visit.request.user_agent.as_deref().unwrap_or_default();
    Ok(Opening {
        token: Token::generate()?.secret().to_owned(),
        device: agent.chars().take(DEVICE_CHARS_MAX).collect(),
        address: visit.request.client.to_string(),
    })
}
