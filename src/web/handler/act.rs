//! What may be done by a form, and the action that asks a backend for it.

use super::draw::{AUDIENCE, POSTS_FOR, audience, posts_for};
use super::visit::Visit;
use super::{Site, Stop, pictures, poll};
use crate::action::{
    Action, ChangePassword, DeleteAccount, EditPost, EditProfile, EndInvitation, EndSession,
    FirstKeeper, Invite, Join, Keep, KeepersDeed, Keyed, Link, Login, Mark, NewPost, OnePost,
    Opening, Report, RequestKey, ResetPassword, SetHouse, SetMark, Untouched, Vote, Whom,
    code_hash,
};
use crate::auth::session::Token;
use crate::id::{PostId, UserName};
use crate::limits::DEVICE_CHARS_MAX;
use crate::user::entry::{Audience, CodeHash, House, PostRef, Signup};
use crate::web::ask::Ask;
use crate::web::csrf::{FormName, act_key};
use crate::web::form::{Form, name_to_sign_in};
use crate::web::page::moderation::Deed;
use crate::web::page::said::Subject;
use crate::web::route::Route;

/// What a form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Join,
    Login,
    /// Become the first keeper.
    FirstKeeper,
    /// Choose another password for a lost one.
    ResetPassword,
    Logout,
    /// A post, or a reply to another.
    Post(Option<PostRef>),
    EditPost(PostRef),
    /// What to do to which post; not `on` takes it back.
    Mark {
        post: PostRef,
        mark: Mark,
        on: bool,
    },
    /// Answer what a post asks: with options by their places.
    Vote(PostRef, Vec<u32>),
    DeletePost(PostRef),
    Follow(UserName),
    Unfollow(UserName),
    Mute(UserName),
    Unmute(UserName),
    Block(UserName),
    Unblock(UserName),
    RemoveFollower(UserName),
    Report(PostRef),
    Invite,
    /// End the invitation of this hash.
    EndInvitation(String),
    Keep(KeepersDeed),
    SetHouse,
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
            Route::FirstKeeper => Self::FirstKeeper,
            Route::NewPassword => Self::ResetPassword,
            Route::Logout => Self::Logout,
            Route::Post => return Some(Self::post(form)),
            Route::EditPost(post) => Self::EditPost(post.clone()),
            Route::Mark { post, mark, on } => {
                Self::Mark { post: post.clone(), mark: *mark, on: *on }
            }
            Route::Vote(post) => match poll::chosen(form) {
                Some(choices) => Self::Vote(post.clone(), choices),
                None => return Some(Err(Garbled(Self::Vote(post.clone(), Vec::new())))),
            },
            Route::DeletePost(post) => Self::DeletePost(post.clone()),
            Route::Follow(name) => Self::Follow(name.clone()),
            Route::Unfollow(name) => Self::Unfollow(name.clone()),
            Route::Mute(name) => Self::Mute(name.clone()),
            Route::Unmute(name) => Self::Unmute(name.clone()),
            Route::Block(name) => Self::Block(name.clone()),
            Route::Unblock(name) => Self::Unblock(name.clone()),
            Route::RemoveFollower(name) => Self::RemoveFollower(name.clone()),
            Route::Report(post) => Self::Report(post.clone()),
            Route::SettingsInvitations => match form.find("code") {
                Some(code) => Self::EndInvitation(code.to_owned()),
                None if invited(form).is_none() => return Some(Err(Garbled(Self::Invite))),
                None => Self::Invite,
            },
            Route::ModAct => {
                let deed = deed(form)?;
                let is_known = !matches!(deed, KeepersDeed::Suspend { .. }) || hours(form).is_ok();
                let deed = Self::Keep(deed);
                return Some(if is_known { Ok(deed) } else { Err(Garbled(deed)) });
            }
            Route::ModHouse if house(form).is_none() => return Some(Err(Garbled(Self::SetHouse))),
            Route::ModHouse => Self::SetHouse,
            Route::SettingsProfile => {
                // Both are always sent, and one that is missing would be emptied.
                let is_whole = ["display_name", "bio"].iter().all(|it| form.find(it).is_some());
                let is_known = form.find(POSTS_FOR).is_none() || posts_for(form).is_some();
                return Some(if is_whole && is_known {
                    Ok(Self::EditProfile)
                } else {
                    Err(Garbled(Self::EditProfile))
                });
            }
            Route::SettingsPassword => Self::ChangePassword,
            Route::SettingsDevices if form.find("others").is_some() => Self::EndOthers,
            Route::SettingsDevices => Self::EndSession(form.get("id").to_owned()),
            Route::SettingsLeave => Self::Leave,
            _ => return None,
        }))
    }

    fn post(form: &Form) -> Result<Self, Garbled> {
        let act = match (form.get("reply_user"), form.get("reply_id")) {
            ("", "") => Self::Post(None),
            (user, id) => match (user.parse(), id.parse()) {
                (Ok(user), Ok(id)) => Self::Post(Some(PostRef { user, id })),
                _ => return Err(Garbled(Self::Post(None))),
            },
        };
        let is_known = audience(form).is_some() && poll::asked(form).is_ok();
        if is_known { Ok(act) } else { Err(Garbled(act)) }
    }

    /// Where its form goes.
    pub(super) fn route(&self) -> Route {
        match self {
            Self::Join => Route::Join,
            Self::Login => Route::Login,
            Self::FirstKeeper => Route::FirstKeeper,
            Self::ResetPassword => Route::NewPassword,
            Self::Logout => Route::Logout,
            Self::Post(_) => Route::Post,
            Self::EditPost(post) => Route::EditPost(post.clone()),
            Self::Mark { post, mark, on } => {
                Route::Mark { post: post.clone(), mark: *mark, on: *on }
            }
            Self::Vote(post, _) => Route::Vote(post.clone()),
            Self::DeletePost(post) => Route::DeletePost(post.clone()),
            Self::Follow(name) => Route::Follow(name.clone()),
            Self::Unfollow(name) => Route::Unfollow(name.clone()),
            Self::Mute(name) => Route::Mute(name.clone()),
            Self::Unmute(name) => Route::Unmute(name.clone()),
            Self::Block(name) => Route::Block(name.clone()),
            Self::Unblock(name) => Route::Unblock(name.clone()),
            Self::RemoveFollower(name) => Route::RemoveFollower(name.clone()),
            Self::Report(post) => Route::Report(post.clone()),
            Self::Invite | Self::EndInvitation(_) => Route::SettingsInvitations,
            Self::Keep(_) => Route::ModAct,
            Self::SetHouse => Route::ModHouse,
            Self::EditProfile => Route::SettingsProfile,
            Self::ChangePassword => Route::SettingsPassword,
            Self::EndSession(_) | Self::EndOthers => Route::SettingsDevices,
            Self::Leave => Route::SettingsLeave,
        }
    }

    /// Where to go after signing in on its way: a page, never a form's target.
    pub(super) fn page(&self) -> Route {
        match self {
            Self::Join
            | Self::Login
            | Self::FirstKeeper
            | Self::ResetPassword
            | Self::Logout
            | Self::Post(None) => Route::Home,
            Self::Post(Some(post)) | Self::Mark { post, .. } | Self::Vote(post, _) => {
                Route::Thread(post.clone())
            }
            Self::Follow(name)
            | Self::Unfollow(name)
            | Self::Mute(name)
            | Self::Unmute(name)
            | Self::Block(name)
            | Self::Unblock(name)
            | Self::RemoveFollower(name) => Route::Profile(name.clone()),
            Self::Keep(_) => Route::Mod,
            other => other.route(),
        }
    }

    /// Its form's name.
    pub(super) const fn form_name(&self) -> FormName {
        match self {
            Self::Join => FormName::Join,
            Self::Login => FormName::Login,
            Self::FirstKeeper => FormName::First,
            Self::ResetPassword => FormName::Reset,
            Self::Logout => FormName::Logout,
            Self::Post(_) => FormName::Post,
            Self::EditPost(_) => FormName::EditPost,
            Self::Mark { .. } => FormName::Mark,
            Self::Vote(..) => FormName::Vote,
            Self::DeletePost(_) => FormName::DeletePost,
            Self::Follow(_) => FormName::Follow,
            Self::Unfollow(_) => FormName::Unfollow,
            Self::Mute(_) => FormName::Mute,
            Self::Unmute(_) => FormName::Unmute,
            Self::Block(_) => FormName::Block,
            Self::Unblock(_) => FormName::Unblock,
            Self::RemoveFollower(_) => FormName::RemoveFollower,
            Self::Report(_) => FormName::Report,
            Self::Invite | Self::EndInvitation(_) => FormName::Invite,
            Self::Keep(_) => FormName::Keep,
            Self::SetHouse => FormName::House,
            Self::EditProfile => FormName::Profile,
            Self::ChangePassword => FormName::Password,
            Self::EndSession(_) | Self::EndOthers => FormName::Devices,
            Self::Leave => FormName::Leave,
        }
    }

    /// What its sentences are about.
    pub(super) const fn subject(&self) -> Subject {
        match self {
            Self::Join | Self::FirstKeeper => Subject::Account,
            Self::Login => Subject::SignIn,
            Self::Post(_) => Subject::Post,
            Self::EditPost(_) => Subject::Edit,
            Self::EditProfile
            | Self::ChangePassword
            | Self::ResetPassword
            | Self::Report(_)
            | Self::Keep(_)
            | Self::SetHouse
            | Self::Leave => Subject::Fields,
            Self::Logout
            | Self::Mark { .. }
            | Self::Vote(..)
            | Self::DeletePost(_)
            | Self::Follow(_)
            | Self::Unfollow(_)
            | Self::Mute(_)
            | Self::Unmute(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::RemoveFollower(_)
            | Self::Invite
            | Self::EndInvitation(_)
            | Self::EndSession(_)
            | Self::EndOthers => Subject::Button,
        }
    }

    /// Whether it takes somebody who is signed in.
    pub(super) const fn needs_session(&self) -> bool {
        !matches!(self, Self::Join | Self::Login | Self::FirstKeeper | Self::ResetPassword)
    }
}

/// What a keeper's form asks for; nothing if that makes no sense.
pub(super) fn deed(form: &Form) -> Option<KeepersDeed> {
    let user = form.get("username").parse::<UserName>().ok()?;
    let post = || Some(PostRef { user: user.clone(), id: form.get("id").parse().ok()? });
    let named = || user.clone();
    Some(match form.get("deed") {
        "hide" => KeepersDeed::Hide(post()?),
        "show" => KeepersDeed::Show(post()?),
        "close" => KeepersDeed::Close(post()?),
        "reopen" => KeepersDeed::Reopen(post()?),
        "suspend" => KeepersDeed::Suspend { user: named(), hours: hours(form).unwrap_or_default() },
        "lift" => KeepersDeed::Lift { user: named() },
        "admit" => KeepersDeed::Admit { user: named() },
        "refuse" => KeepersDeed::Refuse { user: named() },
        "undecide" => KeepersDeed::Undecide { user: named() },
        _ => return None,
    })
}

/// Of which post a form, or the page that asks for one, says that its reports are why somebody is suspended.
pub(super) fn reported(form: &Form, deed: &KeepersDeed) -> Option<PostId> {
    let is_suspension = matches!(deed, KeepersDeed::Suspend { .. });
    form.get("id").parse().ok().filter(|_| is_suspension)
}

/// For how many hours a form suspends somebody, none of them for until it is lifted; an error if it does not
/// say, or something else: a slip of a program must not suspend without end.
fn hours(form: &Form) -> Result<Option<u32>, std::num::ParseIntError> {
    match form.find("hours") {
        Some("") => Ok(None),
        said => said.unwrap_or_default().parse().map(Some),
    }
}

/// How many may join with an invitation, and for how many days, if a form says both.
fn invited(form: &Form) -> Option<(u32, u32)> {
    Some((form.get("uses").parse().ok()?, form.get("days").parse().ok()?))
}

/// How a form says that the community is to be kept; nothing if it does not say who may join, in a word of
/// ours, or what the first page says. What is not ticked is not sent.
pub(super) fn house(form: &Form) -> Option<House> {
    let is_on = |name| form.find(name).is_some();
    Some(House {
        signup: match form.get("signup") {
            "open" => Signup::Open,
            "invited" => Signup::Invited,
            "approved" => Signup::Approved,
            "closed" => Signup::Closed,
            _ => return None,
        },
        members_invite: is_on("members_invite"),
        words: form.find("words")?.to_owned(),
        shows_posts: is_on("shows_posts"),
        shows_log: is_on("shows_log"),
    })
}

/// The same to draw anew: what is not understood opens nothing.
pub(super) fn house_again(form: &Form) -> House {
    house(form).unwrap_or_else(|| House {
        signup: Signup::Closed,
        members_invite: form.find("members_invite").is_some(),
        words: form.get("words").to_owned(),
        shows_posts: form.find("shows_posts").is_some(),
        shows_log: form.find("shows_log").is_some(),
    })
}

/// Who may read what is posted; nothing where the form does not ask.
fn said_audience(form: &Form) -> Result<Option<Audience>, super::Fault> {
    let said = form.find(AUDIENCE).map(|_| audience(form).ok_or(super::Fault::Nonsense));
    said.transpose()
}

impl<A: Ask> Site<A> {
    /// The action that asks for it under this key.
    pub(super) fn action(
        &self,
        visit: &Visit<'_>,
        act: &Act,
        form: &Form,
        key: RequestKey,
    ) -> Result<Action, Stop> {
        let field = |name| form.get(name).to_owned();
        Ok(match act {
            Act::Join => Action::Join(join(visit, form, key)?),
            Act::FirstKeeper | Act::ResetPassword => by_link(visit, act, form, key)?,
            Act::Login => Action::Login(Login {
                key,
                username: name_to_sign_in(form.get("username")).to_owned(),
                password: field("password"),
                opening: opening(visit)?,
            }),
            Act::Logout => Action::Logout(Keyed { key }),
            Act::Post(reply_to) => {
                let (text, note, sent) = (field("text"), field("note"), Vec::new());
                let (reply_to, (pictures, sensitive)) = (reply_to.clone(), pictures::posted(form));
                let poll = poll::asked(form).map_err(|_| super::Fault::Nonsense)?;
                let for_everybody = false;
                NewPost { key, text, reply_to, note, pictures, sent, sensitive, for_everybody }
                    .action(said_audience(form)?, poll)
            }
            Act::EditPost(post) => Action::EditPost(EditPost {
                key,
                id: post.id,
                text: field("text"),
                note: field("note"),
                sensitive: None,
                descriptions: pictures::described(form),
            }),
            Act::Mark { post, mark, on } => {
                let key = act_key(key, &act.route().to_string());
                Action::Mark(SetMark { key, post: post.clone(), mark: *mark, on: *on })
            }
            Act::Vote(post, choices) => {
                Action::Vote(Vote { key, post: post.clone(), choices: choices.clone() })
            }
            Act::DeletePost(post) => Action::DeletePost(OnePost { key, id: post.id }),
            Act::Follow(name) => Action::Follow(Whom { key, username: name.clone() }),
            Act::Unfollow(name) => Action::Unfollow(Whom { key, username: name.clone() }),
            Act::Mute(name) => Action::Mute(Whom { key, username: name.clone() }),
            Act::Unmute(name) => Action::Unmute(Whom { key, username: name.clone() }),
            Act::Block(name) => Action::Block(Whom { key, username: name.clone() }),
            Act::Unblock(name) => Action::Unblock(Whom { key, username: name.clone() }),
            Act::RemoveFollower(name) => {
                Action::RemoveFollower(Whom { key, username: name.clone() })
            }
            Act::Report(_) | Act::Invite | Act::EndInvitation(_) | Act::Keep(_) | Act::SetHouse => {
                self.keeping(visit, act, form, key)?
            }
            Act::EditProfile => Action::EditProfile(EditProfile {
                key,
                display_name: field("display_name"),
                bio: field("bio"),
                members_only: !form.get("members_only").is_empty(),
                posts_for: posts_for(form),
                avatar: pictures::avatar(form),
                untouched: Untouched::default(),
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

    /// As [`Self::action`], of what concerns the community's keeping.
    fn keeping(
        &self,
        visit: &Visit<'_>,
        act: &Act,
        form: &Form,
        key: RequestKey,
    ) -> Result<Action, Stop> {
        let field = |name| form.get(name).to_owned();
        Ok(match act {
            Act::Report(post) => {
                Action::Report(Report { key, post: post.clone(), reason: field("reason") })
            }
            Act::Invite => {
                let (uses, days) = invited(form).ok_or(super::Fault::Nonsense)?;
                let code = code_hash(&self.invitation_code(visit.session.as_ref(), key.id));
                Action::Invite(Invite { key, code, uses, days })
            }
            Act::EndInvitation(code) => {
                Action::EndInvitation(EndInvitation { key, code: CodeHash(code.clone()) })
            }
            Act::Keep(deed) => {
                let (reason, password) = (field("reason"), field("password"));
                let user = || Deed::of(visit.t, deed).user;
                let closes = reported(form, deed).map(|id| PostRef { user: user(), id });
                Action::Keep(Keep { key, deed: deed.clone(), reason, closes, password })
            }
            Act::SetHouse => {
                let house = house(form).ok_or(super::Fault::Nonsense)?;
                Action::SetHouse(SetHouse { key, house, password: field("password") })
            }
            _ => return Err(super::Fault::Nonsense.into()),
        })
    }
}

fn join(visit: &Visit<'_>, form: &Form, key: RequestKey) -> Result<Join, Stop> {
    let field = |name| form.get(name).to_owned();
    Ok(Join {
        key,
        username: field("username"),
        display_name: field("display_name"),
        password: field("password"),
        code: field("code"),
        opening: opening(visit)?,
    })
}

/// What a one-time link was opened for. A link that makes no sense opens nothing: the backend says so.
fn by_link(visit: &Visit<'_>, act: &Act, form: &Form, key: RequestKey) -> Result<Action, Stop> {
    match super::link::read(&act.route(), form) {
        Some(Link::NewPassword { user, secret }) => Ok(Action::ResetPassword(ResetPassword {
            key,
            user,
            secret,
            new: form.get("new").to_owned(),
            opening: opening(visit)?,
        })),
        Some(Link::FirstKeeper { secret }) => {
            Ok(Action::FirstKeeper(FirstKeeper { secret, join: join(visit, form, key)? }))
        }
        None => Ok(Action::OpenLink(Link::FirstKeeper { secret: String::new() })),
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
