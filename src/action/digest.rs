//! What kind of action it is, whose, under which key, and what it asks in 128 bits.

use sha2::{Digest, Sha256};

use super::{
    Action, AvatarWish, EditPost, EditProfile, FirstKeeper, Keep, KeepersDeed, Mark, NewPoll,
    NewPost, PostFor, PostPoll, RequestKey, Sending, SetMark, Untouched,
};
use crate::id::{Hash128, UserName};
use crate::user::entry::{App, House, PostRef, Signup};

impl Action {
    /// Its name, as it stands in a frame.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Join(_) => "join",
            Self::Login(_) => "login",
            Self::FirstKeeper(_) => "first_keeper",
            Self::ResetPassword(_) => "reset_password",
            Self::OfferFirst(_) => "offer_first",
            Self::OpenLink(_) => "open_link",
            Self::Logout(_) => "logout",
            Self::CheckSession => "check_session",
            Self::Post(_) => "post",
            Self::PostFor(_) => "post_for",
            Self::PostPoll(_) => "post_poll",
            Self::Vote(_) => "vote",
            Self::KeepPicture(_) => "keep_picture",
            Self::SendPicture(_) => "send_picture",
            Self::EditPost(_) => "edit_post",
            Self::Mark(_) => "mark",
            Self::DeletePost(_) => "delete_post",
            Self::Follow(_) => "follow",
            Self::Unfollow(_) => "unfollow",
            Self::Mute(_) => "mute",
            Self::MuteFor(_) => "mute_for",
            Self::Unmute(_) => "unmute",
            Self::Block(_) => "block",
            Self::Unblock(_) => "unblock",
            Self::RemoveFollower(_) => "remove_follower",
            Self::EditProfile(_) => "edit_profile",
            Self::ChangePassword(_) => "change_password",
            Self::EndSession(_) => "end_session",
            Self::EndOtherSessions(_) => "end_other_sessions",
            Self::Report(_) => "report",
            Self::Invite(_) => "invite",
            Self::EndInvitation(_) => "end_invitation",
            Self::Keep(_) => "keep",
            Self::SetHouse(_) => "set_house",
            Self::DeleteAccount(_) => "delete_account",
            Self::Home(_) => "home",
            Self::Everyone(_) => "everyone",
            Self::Profile(_) => "profile",
            Self::UserPosts(_) => "user_posts",
            Self::Bookmarks(_) => "bookmarks",
            Self::Picture(_) => "picture",
            Self::Face(_) => "face",
            Self::History(_) => "history",
            Self::Thread(_) => "thread",
            Self::Followers(_) => "followers",
            Self::Following(_) => "following",
            Self::News(_) => "news",
            Self::Tagged(_) => "tagged",
            Self::Listen(_) => "listen",
            Self::Search(_) => "search",
            Self::KeptApart(_) => "kept_apart",
            Self::Export(_) => "export",
            Self::Sessions => "sessions",
            Self::Welcome => "welcome",
            Self::Invitations => "invitations",
            Self::Reports(_) => "reports",
            Self::AskingIn(_) => "asking_in",
            Self::Members(_) => "members",
            Self::KeepersLog(_) => "keepers_log",
            Self::House => "house",
            Self::AllowApp(_) => "allow_app",
            Self::RedeemCode(_) => "redeem_code",
            Self::Api(_) => "api",
            Self::ClusterStatus => "cluster_status",
        }
    }

    /// The key of a writing action.
    ///
    /// A form for strangers is drawn before anyone knows whose file it will be about, so its count of
    /// requests means nothing: it is given as `u64::MAX`, which expires no request. Without that a
    /// user with more than `limits::REQUESTS_KEPT` requests could not sign in.
    pub const fn key(&self) -> Option<RequestKey> {
        match self {
            Self::Join(join) => Some(RequestKey { ops: u64::MAX, id: join.key.id }),
            Self::Login(login) => Some(RequestKey { ops: u64::MAX, id: login.key.id }),
            Self::FirstKeeper(first) => Some(RequestKey { ops: u64::MAX, id: first.join.key.id }),
            Self::ResetPassword(reset) => Some(RequestKey { ops: u64::MAX, id: reset.key.id }),
            Self::Logout(keyed) | Self::EndOtherSessions(keyed) => Some(keyed.key),
            Self::Post(post)
            | Self::PostFor(PostFor { post, .. })
            | Self::PostPoll(PostPoll { post, .. }) => Some(post.key),
            Self::Vote(vote) => Some(vote.key),
            Self::EditPost(edit) => Some(edit.key),
            Self::SendPicture(send) => Some(send.key),
            Self::Mark(mark) => Some(mark.key),
            Self::MuteFor(mute) => Some(mute.key),
            Self::DeletePost(post) => Some(post.key),
            Self::Follow(whom)
            | Self::Unfollow(whom)
            | Self::Mute(whom)
            | Self::Unmute(whom)
            | Self::Block(whom)
            | Self::Unblock(whom)
            | Self::RemoveFollower(whom) => Some(whom.key),
            Self::EditProfile(edit) => Some(edit.key),
            Self::ChangePassword(change) => Some(change.key),
            Self::EndSession(end) => Some(end.key),
            Self::Report(report) => Some(report.key),
            Self::Invite(invite) => Some(invite.key),
            Self::EndInvitation(end) => Some(end.key),
            Self::Keep(keep) => Some(keep.key),
            Self::SetHouse(set) => Some(set.key),
            Self::DeleteAccount(delete) => Some(delete.key),
            Self::AllowApp(allow) => Some(allow.key),
            Self::RedeemCode(redeem) => Some(redeem.key),
            Self::CheckSession
            | Self::KeepPicture(_)
            | Self::Picture(_)
            | Self::Face(_)
            | Self::OfferFirst(_)
            | Self::OpenLink(_)
            | Self::Home(_)
            | Self::Everyone(_)
            | Self::Profile(_)
            | Self::UserPosts(_)
            | Self::Bookmarks(_)
            | Self::History(_)
            | Self::Thread(_)
            | Self::Followers(_)
            | Self::Following(_)
            | Self::News(_)
            | Self::Tagged(_)
            | Self::Listen(_)
            | Self::Search(_)
            | Self::KeptApart(_)
            | Self::Export(_)
            | Self::Sessions
            | Self::Welcome
            | Self::Invitations
            | Self::Reports(_)
            | Self::AskingIn(_)
            | Self::Members(_)
            | Self::KeepersLog(_)
            | Self::House
            | Self::Api(_)
            | Self::ClusterStatus => None,
        }
    }

    /// Whether it may change a file: exactly those actions bear a key.
    pub const fn is_write(&self) -> bool {
        self.key().is_some()
    }

    /// Whose file a stranger's action is about, from the name typed; `None` if that is no name, and
    /// for all actions whose session says it.
    pub fn user(&self) -> Option<UserName> {
        match self {
            Self::Join(join) => UserName::from_input(&join.username).ok(),
            Self::Login(login) => UserName::from_input(&login.username).ok(),
            Self::RedeemCode(redeem) => Some(redeem.username.clone()),
            Self::FirstKeeper(first) => UserName::from_input(&first.join.username).ok(),
            Self::ResetPassword(reset) => Some(reset.user.clone()),
            _ => None,
        }
    }

    /// What is asked, in 128 bits, so that another act under the same key is noticed: SHA-256 over
    /// the action's name and its data, cut.
    ///
    /// It is kept on the disk, so no secret goes in: passwords would be a million times cheaper to
    /// guess from it than from their Argon2id hash. Tokens, device and address differ between two
    /// sendings of one act and stay out as well.
    pub fn digest(&self) -> Hash128 {
        let asked = Asked::new(self.name());
        match self {
            Self::Join(join) | Self::FirstKeeper(FirstKeeper { join, .. }) => {
                asked.text(&join.username).text(&join.display_name)
            }
            Self::Login(login) => asked.text(&login.username),
            Self::ResetPassword(reset) => asked.text(reset.user.as_str()),
            Self::Post(_) | Self::PostFor(_) | Self::PostPoll(_) | Self::Vote(_) => {
                asked.said(self)
            }
            Self::EditPost(edit) => asked.edit(edit),
            Self::SendPicture(send) => asked.sending(send.which).text(&send.description),
            Self::Mark(set) => asked.mark(set),
            Self::DeletePost(post) => asked.number(post.id.get()),
            Self::Follow(whom)
            | Self::Unfollow(whom)
            | Self::Mute(whom)
            | Self::Unmute(whom)
            | Self::Block(whom)
            | Self::Unblock(whom)
            | Self::RemoveFollower(whom) => asked.text(whom.username.as_str()),
            Self::MuteFor(it) => asked.text(it.username.as_str()).number(it.lasts_s.into()),
            Self::EditProfile(edit) => asked.profile(edit),
            Self::EndSession(end) => asked.text(&end.id),
            Self::Report(report) => asked.maybe_post(Some(&report.post)).text(&report.reason),
            Self::Invite(it) => {
                asked.text(&it.code.0).number(it.uses.into()).number(it.days.into())
            }
            Self::EndInvitation(end) => asked.text(&end.code.0),
            Self::Keep(keep) => asked.keep(keep),
            Self::SetHouse(set) => asked.house(&set.house),
            Self::DeleteAccount(delete) => asked.text(&delete.username),
            Self::AllowApp(allow) => asked.app(&allow.app),
            // No data, none but secrets, or reads, which bear no key.
            Self::Logout(_)
            | Self::EndOtherSessions(_)
            | Self::ChangePassword(_)
            | Self::RedeemCode(_)
            | Self::Api(_)
            | Self::CheckSession
            | Self::KeepPicture(_)
            | Self::Picture(_)
            | Self::Face(_)
            | Self::OfferFirst(_)
            | Self::OpenLink(_)
            | Self::Home(_)
            | Self::Everyone(_)
            | Self::Profile(_)
            | Self::UserPosts(_)
            | Self::Bookmarks(_)
            | Self::History(_)
            | Self::Thread(_)
            | Self::Followers(_)
            | Self::Following(_)
            | Self::News(_)
            | Self::Tagged(_)
            | Self::Listen(_)
            | Self::Search(_)
            | Self::KeptApart(_)
            | Self::Export(_)
            | Self::Sessions
            | Self::Welcome
            | Self::Invitations
            | Self::Reports(_)
            | Self::AskingIn(_)
            | Self::Members(_)
            | Self::KeepersLog(_)
            | Self::House
            | Self::ClusterStatus => asked,
        }
        .finish()
    }
}

impl Mark {
    /// Its name, in digests and addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::Repost => "repost",
            Self::Bookmark => "bookmark",
            Self::Pin => "pin",
            Self::MuteThread => "mute",
        }
    }
}

/// A hash in the making. Each text is preceded by its length, so that no two lists of texts run
/// together to the same bytes.
struct Asked(Sha256);

impl Asked {
    fn new(action: &str) -> Self {
        Self(Sha256::new()).text(action)
    }

    fn text(self, text: &str) -> Self {
        let mut longer = self.number(text.len() as u64);
        longer.0.update(text);
        longer
    }

    fn number(mut self, number: u64) -> Self {
        self.0.update(number.to_be_bytes());
        self
    }

    /// Comes last and leaves no trace where it is empty: what did not have it yet digests as before.
    fn maybe_text(self, text: &str) -> Self {
        if text.is_empty() { self } else { self.text(text) }
    }

    fn maybe_post(self, post: Option<&PostRef>) -> Self {
        match post {
            None => self.number(0),
            Some(post) => self.number(1).text(post.user.as_str()).number(post.id.get()),
        }
    }

    fn mark(self, set: &SetMark) -> Self {
        let asked = self.text(set.mark.name()).number(set.on.into());
        asked.maybe_post(Some(&set.post))
    }

    fn app(self, app: &App) -> Self {
        self.text(&app.client.to_string()).text(&app.scopes.to_string())
    }

    /// What somebody posts, asks or answers.
    fn said(self, action: &Action) -> Self {
        match action {
            Action::Post(post) => self.post(post),
            Action::PostFor(PostFor { audience, post }) => self.text(audience.as_str()).post(post),
            Action::PostPoll(PostPoll { audience, post, poll }) => {
                self.text(audience.as_str()).poll(poll).post(post)
            }
            Action::Vote(vote) => {
                let asked = self.maybe_post(Some(&vote.post));
                vote.choices.iter().fold(asked, |asked, place| asked.number((*place).into()))
            }
            _ => self,
        }
    }

    /// It is the same request whether or not it says that it is for everybody: a program that knows nothing of
    /// that makes the same of it.
    fn post(self, post: &NewPost) -> Self {
        let asked = self.text(&post.text).maybe_post(post.reply_to.as_ref());
        let asked = asked.maybe_text(&post.note);
        let pictures = post.pictures.iter();
        let asked = pictures
            .fold(asked, |asked, it| asked.text(&it.kept.to_string()).text(&it.description));
        let asked = post.sent.iter().fold(asked, |asked, id| asked.number(id.get()));
        asked.maybe_text(if post.sensitive { "covered" } else { "" })
    }

    fn edit(self, edit: &EditPost) -> Self {
        let asked = self.number(edit.id.get()).text(&edit.text).maybe_text(&edit.note);
        let asked = asked.maybe_text(match edit.sensitive {
            Some(true) => "covered",
            Some(false) => "not covered",
            None => "",
        });
        edit.descriptions.iter().flatten().fold(asked, |asked, it| asked.text(it))
    }

    fn poll(self, poll: &NewPoll) -> Self {
        let asked = self.number(poll.lasts_s.into()).number(poll.many.into());
        let asked = asked.number(poll.hides_votes.into()).number(poll.options.len() as u64);
        poll.options.iter().fold(asked, |asked, option| asked.text(option))
    }

    fn sending(self, which: Sending) -> Self {
        match which {
            Sending::New(kept) => self.text(&kept.to_string()),
            Sending::Again(id) => self.number(id.get()),
        }
    }

    fn profile(self, edit: &EditProfile) -> Self {
        let only = if edit.members_only { "members_only" } else { "" };
        let asked = self.text(&edit.display_name).text(&edit.bio).maybe_text(only);
        let Untouched { display_name, bio, members_only } = edit.untouched;
        let parts =
            [(display_name, "name as is"), (bio, "bio as is"), (members_only, "eyes as are")];
        let said =
            |asked: Self, (is, word): (bool, &str)| if is { asked.text(word) } else { asked };
        let asked = parts.into_iter().fold(asked, said);
        let asked = match edit.posts_for {
            Some(it) => asked.text("posts for").text(it.as_str()),
            None => asked,
        };
        match edit.avatar {
            AvatarWish::Keep => asked,
            AvatarWish::Remove => asked.text("remove"),
            AvatarWish::Show(kept) => asked.text(&kept.to_string()),
        }
    }

    fn keep(self, keep: &Keep) -> Self {
        let asked = self.deed(&keep.deed).text(&keep.reason);
        match &keep.closes {
            Some(post) => asked.maybe_post(Some(post)),
            // As before there was such a thing.
            None => asked,
        }
    }

    fn deed(self, deed: &KeepersDeed) -> Self {
        match deed {
            KeepersDeed::Hide(post) => self.text("hide").maybe_post(Some(post)),
            KeepersDeed::Show(post) => self.text("show").maybe_post(Some(post)),
            KeepersDeed::Close(post) => self.text("close").maybe_post(Some(post)),
            KeepersDeed::Reopen(post) => self.text("reopen").maybe_post(Some(post)),
            KeepersDeed::Suspend { user, hours } => {
                let hours = hours.map_or(0, |hours| u64::from(hours) + 1);
                self.text("suspend").text(user.as_str()).number(hours)
            }
            KeepersDeed::Lift { user } => self.text("lift").text(user.as_str()),
            KeepersDeed::Admit { user } => self.text("admit").text(user.as_str()),
            KeepersDeed::Refuse { user } => self.text("refuse").text(user.as_str()),
            KeepersDeed::Undecide { user } => self.text("undecide").text(user.as_str()),
        }
    }

    fn house(self, house: &House) -> Self {
        let signup = match house.signup {
            Signup::Open => "open",
            Signup::Invited => "invited",
            Signup::Approved => "approved",
            Signup::Closed => "closed",
        };
        let asked = self.text(signup).text(&house.words);
        [house.members_invite, house.shows_posts, house.shows_log]
            .into_iter()
            .fold(asked, |asked, is| asked.number(is.into()))
    }

    fn finish(self) -> Hash128 {
        let mut out = [0; 16];
        for (to, from) in out.iter_mut().zip(self.0.finalize()) {
            *to = from;
        }
        Hash128(out)
    }
}
