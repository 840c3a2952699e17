//! From a change that is asked for to the entries that would be written: the types, and the one match
//! that finds each change's handler.

use std::sync::Arc;

use super::keeping::Admission;
use super::link::{self, Founding};
use super::{
    Field, FieldProblem, Mark, NewPoll, Problem, Untouched, account, apart, follow, keeping, mark,
    picture, poll, post, profile, session,
};
use crate::clock::Wall;
use crate::id::{Hash128, PostId, UserName};
use crate::user::aside::Poll;
use crate::user::entry::{App, Audience, CodeHash, Entry, LinkHash, Picture, PostRef, SessionId};
use crate::user::keeping::Deed;
use crate::user::{Receipt, User};

/// What becomes of the picture beside a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Avatar {
    /// It stays, or stays away.
    Keep,
    /// It goes.
    Remove,
    /// This one takes its place.
    Show(Box<Picture>),
}

/// A change of one user, prepared: what takes long (hashing passwords) or looks at others (does the
/// post that is answered exist?) was done before. Not printable: it holds password hashes.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Make the account and open its first session.
    Join {
        /// As typed; empty means the user name.
        display_name: String,
        /// The new password's PHC string.
        password_hash: String,
        /// On what ground.
        admission: Admission,
        /// The session to open.
        session: NewSession,
    },
    /// Open a session.
    OpenSession {
        /// The PHC string that the typed password was found to match.
        verified_hash: String,
        /// The session to open.
        session: NewSession,
        /// The same password's PHC string with today's parameters, if the stored one's are weaker.
        rehashed: Option<String>,
    },
    /// Let an app act in one's name: gives it a code.
    AllowApp {
        /// The code, which is a session that opens nothing yet.
        code: NewSession,
    },
    /// Make a session of an app's code. Takes no session: the code is as good.
    RedeemCode {
        /// The code's id.
        code: SessionId,
        /// Which app says so.
        client: Hash128,
        /// What it must know: one or the other.
        bounds: [Hash128; 2],
        /// The session to open; its app is that of the code.
        session: NewSession,
    },
    /// Become the first keeper; that there is none, and that the link holds, was looked at before.
    Found {
        /// With which account.
        founding: Founding,
        /// The session to open.
        session: NewSession,
    },
    /// Choose another password by a one-time link; ends all sessions and opens one.
    ResetPassword {
        /// The link's hash.
        link: LinkHash,
        /// The new password's PHC string.
        new_hash: String,
        /// The session to open.
        session: NewSession,
    },
    /// End one of one's sessions, this one or another.
    CloseSession {
        /// Which.
        id: SessionId,
    },
    /// End all of one's sessions but this one.
    CloseOtherSessions,
    /// Write a post, or a reply.
    Post {
        /// Its number: made under the lock, above [`User::post_id_max`].
        id: PostId,
        /// Who may read it; nothing where its author does not say it.
        audience: Option<Audience>,
        /// As typed.
        text: String,
        /// What it answers; that it stands was looked up, unless it is one's own.
        reply_to: Option<PostRef>,
        /// What its text is folded behind, as typed; empty for nothing.
        note: String,
        /// Its pictures, which are kept by a majority.
        pictures: Vec<Picture>,
        /// More of them, which were sent before, by their numbers.
        sent: Vec<PostId>,
        /// Whether they are covered.
        sensitive: bool,
        /// What it asks, as typed.
        poll: Option<NewPoll>,
    },
    /// Answer what a post asks; that it stands was looked up.
    Vote {
        /// Which.
        post: PostRef,
        /// What it asks.
        poll: Arc<Poll>,
        /// What is chosen, by its places.
        choices: Vec<u32>,
    },
    /// Have a number for a picture that is to be posted.
    SendPicture {
        /// The number: made under the lock, above all others here.
        id: PostId,
        /// The picture, which is kept by a majority, with its description as typed.
        picture: Box<Picture>,
    },
    /// Say anew what such a picture shows.
    DescribePicture {
        /// Which.
        id: PostId,
        /// As typed.
        description: String,
    },
    /// Change the text of a post.
    EditPost {
        /// Which.
        id: PostId,
        /// As typed.
        text: String,
        /// What it is folded behind, as typed; empty for nothing.
        note: String,
        /// Whether its pictures are covered from now on, if that is said.
        sensitive: Option<bool>,
        /// What each of its pictures shows, in their order, as typed, if that is said.
        descriptions: Option<Vec<String>>,
    },
    /// Like, repost, bookmark or pin a post; that it stands was looked up, unless it is one's own. Or mute the
    /// thread that begins with it, whether or not it stands.
    Mark {
        /// What to do to it.
        mark: Mark,
        /// Which.
        post: PostRef,
    },
    /// Take that back.
    Unmark {
        /// What to take back.
        mark: Mark,
        /// From which.
        post: PostRef,
    },
    /// Mute no thread any more that begins with one of these posts, each given once.
    UnmuteThreads {
        /// Which; what is no beginning of a muted one is passed over.
        beginnings: Vec<PostRef>,
    },
    /// Take back a post.
    DeletePost {
        /// Which.
        id: PostId,
        /// Whether its pictures can be posted again, as if they had been sent just now.
        gives_pictures: bool,
    },
    /// Follow somebody; that there is such a member was looked up.
    Follow {
        /// Whom.
        user: UserName,
        /// When they removed this follower last, if they did.
        removed_at: Option<Wall>,
    },
    /// Follow somebody no longer.
    Unfollow {
        /// Whom.
        user: UserName,
    },
    /// Mute somebody; that there is such a member was looked up.
    Mute {
        /// Whom.
        user: UserName,
        /// Until when, if not for good.
        until: Option<Wall>,
    },
    /// Mute somebody no longer.
    Unmute {
        /// Whom.
        user: UserName,
    },
    /// Block somebody; that there is such a member was looked up.
    Block {
        /// Whom.
        user: UserName,
    },
    /// Block somebody no longer.
    Unblock {
        /// Whom.
        user: UserName,
        /// Since when they follow, as their own file says, if that is to stay ended.
        follows_since: Option<Wall>,
    },
    /// Be followed by somebody no longer, unless they follow anew.
    RemoveFollower {
        /// By whom.
        user: UserName,
        /// Since when they follow, if they do.
        follows_since: Option<Wall>,
    },
    /// Change display name and bio.
    EditProfile {
        /// As typed; empty means the user name.
        display_name: String,
        /// As typed.
        bio: String,
        /// Whether only members see their posts.
        members_only: bool,
        /// For whom their posts are from now on of which they do not say it; nothing where that stays.
        posts_for: Option<Audience>,
        /// What becomes of the picture beside the name.
        avatar: Avatar,
        /// What of it stays as it is.
        untouched: Untouched,
    },
    /// Change the password; ends all sessions and opens one in place of this one.
    ChangePassword {
        /// The PHC string that the current password was found to match.
        verified_hash: String,
        /// The new password's PHC string.
        new_hash: String,
        /// The session that takes this one's place.
        session: NewSession,
    },
    /// Tell the keepers of a post; that it stands was looked up.
    Report {
        /// Which.
        post: PostRef,
        /// As typed.
        reason: String,
    },
    /// Make a code with which others may join; that they may was looked up.
    Invite {
        /// Its hash.
        code: CodeHash,
        /// How many may join with it, and for how many days.
        uses_and_days: [u32; 2],
    },
    /// Let nobody join with it any more.
    EndInvitation {
        /// Its hash.
        code: CodeHash,
    },
    /// Promise one use of a code to somebody who joins. Takes no session: it is the community's doing.
    Promise {
        /// Its hash.
        code: CodeHash,
        /// To whom.
        by: UserName,
    },
    /// Make a keeper of somebody, or not any more. Takes no session: it is the operator's doing.
    SetKeeper {
        /// Whether they are one.
        is_keeper: bool,
    },
    /// What keepers do.
    Keep {
        /// What.
        deed: Deed,
        /// At which time, above that of all that it overrules.
        at: Wall,
        /// A post whose reports are looked at with that, and at which time.
        closes: Option<(PostRef, Wall)>,
        /// The PHC string that the typed password was found to match, if one was asked for.
        verified_hash: Option<String>,
    },
    /// Delete the account.
    Leave {
        /// The PHC string that the typed password was found to match.
        verified_hash: String,
    },
}

impl Change {
    /// Whether lists that are walked up have it at its time, and at no number of its own; or it says something
    /// anew, and to whom by its time.
    pub const fn has_place_by_time(&self) -> bool {
        matches!(
            self,
            Self::Follow { .. }
                | Self::EditPost { .. }
                | Self::Mark { mark: Mark::Like | Mark::Repost, .. }
        )
    }
}

/// A session to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The hash of its fresh token.
    pub id: SessionId,
    /// What the browser calls itself, as sent.
    pub device: String,
    /// The browser's network address.
    pub address: String,
    /// Which app it is for; none for a browser's.
    pub app: Option<Box<App>>,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// The session under which the act is done. Checked by [`handle`], so under the lock: a session
    /// ended a moment ago writes nothing.
    pub session: Option<SessionId>,
}

/// What would be written, and what its writer is told once it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The entries, in order; none where everything is as asked for already.
    pub entries: Vec<Entry>,
    /// What is recorded with the request, and told now and whenever it is sent again.
    pub result: Receipt,
}

impl Plan {
    /// These entries, and nothing to tell but that it was done.
    pub(super) const fn of(entries: Vec<Entry>) -> Self {
        Self { entries, result: Receipt::Done }
    }

    /// Whether there is anything to write.
    pub const fn changes_file(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether the user leaves: the line is of the kind that ends a file.
    pub fn is_tombstone(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Left { .. }))
    }
}

/// Why nothing would be written. All but [`Self::StaleId`] are the person's to hear.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// No session, or one that has ended.
    #[error("not signed in")]
    SignedOut,
    /// The name has, or had, an account.
    #[error("the name is taken")]
    Taken,
    /// No account, or its password is no longer the one that was verified.
    #[error("the name and password do not match")]
    BadLogin,
    /// No post of that number.
    #[error("there is no such post")]
    NotFound,
    /// There was such a post, and it was deleted.
    #[error("the post was deleted")]
    Gone,
    /// One of the two blocks the other.
    #[error("one of the two blocks the other")]
    Blocked,
    /// A keeper does not leave before they are none.
    #[error("a keeper cannot leave")]
    Keeper,
    /// Fields that cannot be taken as they are.
    #[error("fields cannot be taken as they are")]
    Invalid(Vec<FieldProblem>),
    /// The post's number is not above the user's highest, because another machine's clock is ahead:
    /// make one above this and ask again. Nobody's fault, and nothing to show.
    #[error("the number of the post is not above {above}")]
    StaleId {
        /// The user's highest number.
        above: PostId,
    },
}

impl ActionError {
    /// One field, one problem.
    pub(super) fn field(field: Field, problem: Problem) -> Self {
        Self::Invalid(vec![FieldProblem { field, problem }])
    }
}

/// Says what `change` would write into the file of `user`, at `now`.
///
/// # Errors
/// [`ActionError`], when nothing is to be written.
pub fn handle(user: &User, who: &Who, change: &Change, now: Wall) -> Result<Plan, ActionError> {
    let this = || signed_in(user, who, now);
    match change {
        Change::Join { display_name, password_hash, admission, session } => {
            account::join(user, display_name, password_hash, (session, admission), now)
        }
        Change::OpenSession { verified_hash, session, rehashed } => {
            session::open(user, verified_hash, session, rehashed.as_deref(), now)
        }
        Change::AllowApp { code } => this().map(|_| session::allow(user, code, now)),
        Change::RedeemCode { code, client, bounds, session } => {
            session::redeem(user, code, (*client, *bounds), session, now)
        }
        Change::Found { founding, session } => link::found(user, founding, session, now),
        Change::ResetPassword { link, new_hash, session } => {
            link::reset_password(user, (link, new_hash), session, now)
        }
        Change::CloseSession { id } => this().map(|this| session::close(user, this, id, now)),
        Change::CloseOtherSessions => this().map(|this| session::close_others(user, this, now)),
        Change::Post { .. } => this().and_then(|_| post(user, change, now)),
        Change::Vote { post, poll, choices } => {
            this().and_then(|_| poll::vote(user, (post, poll), choices, now))
        }
        Change::SendPicture { id, picture } => {
            this().and_then(|_| picture::send(user, *id, picture, now))
        }
        Change::DescribePicture { id, description } => {
            this().and_then(|_| picture::describe(user, *id, description, now))
        }
        Change::EditPost { id, text, note, sensitive, descriptions } => {
            let pictures = (*sensitive, descriptions.as_deref());
            this().and_then(|_| post::edit(user, *id, ([text, note], pictures), now))
        }
        Change::Mark { mark, post } => this().and_then(|_| mark::set(user, *mark, post, now)),
        Change::Unmark { mark, post } => this().map(|_| mark::unset(user, *mark, post, now)),
        Change::UnmuteThreads { beginnings } => {
            this().map(|_| mark::unmute_threads(user, beginnings, now))
        }
        Change::DeletePost { id, gives_pictures } => {
            this().and_then(|_| post::delete(user, *id, *gives_pictures, now))
        }
        Change::Follow { .. }
        | Change::Unfollow { .. }
        | Change::Mute { .. }
        | Change::Unmute { .. }
        | Change::Block { .. }
        | Change::Unblock { .. }
        | Change::RemoveFollower { .. } => this().and_then(|_| tie(user, change, now)),
        Change::EditProfile { .. } => this().and_then(|_| profile::edit(user, change, now)),
        Change::ChangePassword { verified_hash, new_hash, session } => {
            account::change_password(user, this()?, [verified_hash, new_hash], session, now)
        }
        Change::Report { post, reason } => {
            this().and_then(|_| keeping::report(user, post, reason, now))
        }
        Change::Invite { code, uses_and_days } => {
            this().and_then(|_| keeping::invite(user, code, *uses_and_days, now))
        }
        Change::EndInvitation { code } => this().map(|_| keeping::end_invitation(user, code, now)),
        Change::Promise { code, by } => keeping::promise(user, code, by, now),
        Change::SetKeeper { is_keeper } => keeping::set_keeper(user, *is_keeper, now),
        Change::Keep { deed, at, closes, verified_hash } => {
            let session = this()?;
            let plan = keeping::keep_closing(user, (deed, *at), closes.as_ref())?;
            account::check_fresh(user, session, verified_hash.as_deref(), now).map(|()| plan)
        }
        Change::Leave { verified_hash } => {
            this().and_then(|_| account::leave(user, verified_hash, now))
        }
    }
}

/// Whom somebody wants to hear of, and whom not.
fn tie(user: &User, change: &Change, now: Wall) -> Result<Plan, ActionError> {
    match change {
        Change::Follow { user: whom, removed_at } => follow::follow(user, whom, *removed_at, now),
        Change::Unfollow { user: whom } => Ok(follow::unfollow(user, whom, now)),
        Change::Mute { user: whom, until } => apart::mute(user, whom, *until, now),
        Change::Unmute { user: whom } => Ok(apart::unmute(user, whom, now)),
        Change::Block { user: whom } => apart::block(user, whom, now),
        Change::Unblock { user: whom, follows_since } => {
            apart::unblock(user, whom, *follows_since, now)
        }
        Change::RemoveFollower { user: whom, follows_since } => {
            apart::remove_follower(user, whom, *follows_since, now)
        }
        _ => Ok(Plan::default()),
    }
}

fn post(user: &User, change: &Change, now: Wall) -> Result<Plan, ActionError> {
    let Change::Post { id, audience, text, reply_to, note, pictures, sent, sensitive, poll } =
        change
    else {
        return Ok(Plan::default());
    };
    let pictures = &picture::with_sent(user, pictures, sent, now)?;
    // By what stands in the file under the lock, whichever machine it was changed at a moment ago.
    let (id, audience) = (*id, audience.unwrap_or(user.posts_for));
    let typed = [text.as_str(), note.as_str()];
    let (sensitive, poll) = (*sensitive, poll.as_ref());
    let what = post::What { id, audience, typed, pictures, sensitive, poll };
    post::post(user, what, reply_to.as_ref(), now)
}

/// The open session under which the act is done.
fn signed_in<'a>(user: &User, who: &'a Who, now: Wall) -> Result<&'a SessionId, ActionError> {
    who.session
        .as_ref()
        .filter(|id| user.open_session(id, now).is_some())
        .ok_or(ActionError::SignedOut)
}
