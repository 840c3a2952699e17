//! Whom or what an action is about, beside the one who asks.

use super::{Action, ApiRead, KeepersDeed, StatusList};
use crate::id::UserName;
use crate::user::entry::PostRef;

/// What has to be known where something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Somebody.
    User(UserName),
    /// A post of somebody's.
    Post(PostRef),
}

impl About {
    /// Whose file tells.
    pub const fn user(&self) -> &UserName {
        match self {
            Self::User(user) => user,
            Self::Post(post) => &post.user,
        }
    }
}

impl Action {
    /// Whom or what it is about; `None` where that is nobody but the one who asks, or a list.
    pub fn about(&self) -> Option<About> {
        let post = |post: &PostRef| Some(About::Post(post.clone()));
        match self {
            Self::Post(_) | Self::PostFor(_) | Self::PostPoll(_) => {
                let (_, written, _) = self.written()?;
                post(written.reply_to.as_ref()?)
            }
            Self::Vote(vote) => post(&vote.post),
            Self::Mark(mark) => post(&mark.post),
            Self::Report(report) => post(&report.post),
            Self::History(history) => post(&history.post),
            Self::Thread(thread) => post(&thread.post),
            Self::Keep(keep) => Some(keep.deed.about()),
            _ => self.person().map(|name| About::User(name.clone())),
        }
    }

    const fn person(&self) -> Option<&UserName> {
        match self {
            Self::Follow(whom)
            | Self::Unfollow(whom)
            | Self::Mute(whom)
            | Self::Unmute(whom)
            | Self::Block(whom)
            | Self::Unblock(whom)
            | Self::RemoveFollower(whom) => Some(&whom.username),
            Self::MuteFor(mute) => Some(&mute.username),
            Self::Profile(page) | Self::UserPosts(page) => Some(&page.username),
            Self::Followers(people) | Self::Following(people) => Some(&people.username),
            Self::Api(read) => read.person(),
            _ => None,
        }
    }
}

impl ApiRead {
    const fn person(&self) -> Option<&UserName> {
        match self {
            Self::Account { username: Some(name) }
            | Self::People { of: Some(name), .. }
            | Self::Statuses {
                list: StatusList::Of { username: name, .. } | StatusList::Pinned { username: name },
                ..
            } => Some(name),
            _ => None,
        }
    }
}

impl KeepersDeed {
    fn about(&self) -> About {
        match self {
            Self::Hide(post) | Self::Show(post) | Self::Close(post) | Self::Reopen(post) => {
                About::Post(post.clone())
            }
            Self::Suspend { user, .. }
            | Self::Lift { user }
            | Self::Admit { user }
            | Self::Refuse { user }
            | Self::Undecide { user } => About::User(user.clone()),
        }
    }
}
