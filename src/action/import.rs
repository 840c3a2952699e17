//! Taking in what a member took along from another community, or from this one's past.
//!
//! Posts keep their numbers. A number carries its time, and an author's numbers must only differ from
//! each other: two authors' posts may share one. So old posts find their old places by themselves,
//! what answers them still points at them, and doing it again finds each one there already. What was
//! begun is known by the file's own hash, as a request of the new account: the same file goes on,
//! another one finds the name taken.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::handle::{ActionError, Plan};
use super::{ExportList, Problem, field};
use crate::clock::Wall;
use crate::id::{Hash128, PostId, RequestId, RequestKey, UserName};
use crate::limits::{
    APART_MAX, BOOKMARKS_MAX, EDITS_MAX, FOLLOWS_MAX, IMPORT_AHEAD_MS, LIKES_MAX, REPOSTS_MAX,
};
use crate::user::entry::{Audience, Entry, PostRef};
use crate::user::{Status, User};

/// A post as a file tells it, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldPost {
    /// Its number.
    pub id: PostId,
    /// When.
    pub at: Wall,
    /// Whether the file says that it was edited.
    pub is_edited: bool,
    /// Who may read it.
    pub audience: Audience,
    /// What it answers.
    pub reply_to: Option<PostRef>,
    /// What it said before, oldest first.
    pub earlier: Vec<Saying>,
    /// What it says.
    pub last: Saying,
}

/// What a post said from a certain time on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    /// Since when.
    pub at: Wall,
    /// The text.
    pub text: String,
    /// What it is folded behind.
    pub note: Option<String>,
}

/// Why a post cannot be taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Its number carries another time.
    #[error("its number says another time than its \"at\"")]
    OtherTime,
    /// Its time, or an edit's, is still to come.
    #[error("it is from the future")]
    Ahead,
    /// Edited, and nothing said before, or the other way round.
    #[error("\"edited_at\" and \"earlier\" do not go together")]
    HalfEdited,
    /// Edited more often than posts are.
    #[error("it was edited more than {EDITS_MAX} times")]
    ManyEdits,
    /// Nothing in a text can be seen.
    #[error("it says nothing")]
    Empty,
    /// A text is too long.
    #[error("its text is {over} characters too long")]
    LongText {
        /// Characters beyond the limit.
        over: u32,
    },
    /// A note is too long.
    #[error("its note is {over} characters too long")]
    LongNote {
        /// Characters beyond the limit.
        over: u32,
    },
}

/// A post that can be taken in: what is written for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    id: PostId,
    reply_to: Option<PostRef>,
    /// Whether what it answered is not here.
    is_loose: bool,
    /// `posted` or `posted_for`, then each edit.
    entries: Vec<Entry>,
}

/// What became of what was to be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Taken {
    /// Written, or to be written.
    pub written: u32,
    /// There already, or deleted since.
    pub there: u32,
    /// Left out: there is no such member or post here, or the list is full.
    pub left_out: u32,
    /// Posts taken in without what they answered, which is not here.
    pub loosened: u32,
}

/// Whom somebody wants to hear of, and whom not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// Wants nothing to do with.
    Block,
    /// Wants to see nothing of.
    Mute,
    /// Wants to hear of.
    Follow,
}

/// Which step of taking in a file was done, as the new account remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The account was made.
    Begun,
    /// All was taken in.
    Done,
}

impl Step {
    /// The key under which an account remembers that this was done with a file. It is found by the
    /// file alone, so no count of requests is known and none expires it.
    pub fn key(self, file: Hash128) -> RequestKey {
        let step: &[u8] = match self {
            Self::Begun => b"tern import begun ",
            Self::Done => b"tern import done ",
        };
        let mut id = [0; 16];
        let digest = Sha256::new().chain_update(step).chain_update(file.0).finalize();
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        RequestKey { ops: u64::MAX, id: RequestId(id) }
    }

    /// Whether an account remembers it.
    pub fn is_done(self, user: &User, file: Hash128) -> bool {
        matches!(user.answered(&self.key(file).id, file), Some(Ok(_)))
    }
}

/// Whether a time is later than any clock that may have made it.
pub const fn is_ahead(at: Wall, now: Wall) -> bool {
    at.0 > now.0.saturating_add(IMPORT_AHEAD_MS)
}

impl OldPost {
    /// What would be written for it at `now`, with texts as a form would have them.
    ///
    /// # Errors
    /// [`Flaw`]: the first one found.
    pub fn check(self, now: Wall) -> Result<Checked, Flaw> {
        let Self { id, at, is_edited, audience, reply_to, earlier, last } = self;
        if id.at_ms() != at.0 {
            return Err(Flaw::OtherTime);
        }
        if is_edited == earlier.is_empty() {
            return Err(Flaw::HalfEdited);
        }
        if earlier.len() > EDITS_MAX {
            return Err(Flaw::ManyEdits);
        }
        let mut entries = Vec::with_capacity(earlier.len() + 1);
        for Saying { at: since, text, note } in earlier.into_iter().chain([last]) {
            if is_ahead(at, now) || is_ahead(since, now) {
                return Err(Flaw::Ahead);
            }
            let text = field::post_text(&text).map_err(|problem| match problem {
                Problem::TooLong { over } => Flaw::LongText { over },
                _ => Flaw::Empty,
            })?;
            let note = field::note(&note.unwrap_or_default()).map_err(|problem| match problem {
                Problem::TooLong { over } => Flaw::LongNote { over },
                _ => Flaw::Empty,
            })?;
            entries.push(if entries.is_empty() {
                let (at, reply_to, pictures) = (since, reply_to.clone(), Vec::new());
                if audience.is_everyone() {
                    Entry::Posted { at, id, text, reply_to, note, pictures, sensitive: false }
                } else {
                    let sensitive = false;
                    Entry::PostedFor { at, id, audience, text, reply_to, note, pictures, sensitive }
                }
            } else {
                Entry::PostEdited { at: since, id, text, note, sensitive: None, descriptions: None }
            });
        }
        Ok(Checked { id, reply_to, is_loose: false, entries })
    }
}

impl Checked {
    /// What it answers.
    pub const fn reply_to(&self) -> Option<&PostRef> {
        self.reply_to.as_ref()
    }

    /// The same post, without what it answers, which is not here.
    #[must_use]
    pub fn loosened(mut self) -> Self {
        if let Some(Entry::Posted { reply_to, .. } | Entry::PostedFor { reply_to, .. }) =
            self.entries.first_mut()
        {
            *reply_to = None;
        }
        Self { reply_to: None, is_loose: true, ..self }
    }

    /// Bytes of it in a line of a user's file, without what lines have besides entries.
    pub fn bytes(&self) -> usize {
        // Writing to a vector cannot fail.
        let bytes = |entry| serde_json::to_vec(entry).map_or(0, |text| text.len() + 1);
        self.entries.iter().map(bytes).sum()
    }
}

/// Who somebody was where they come from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Newcomer {
    /// The name shown.
    pub display_name: String,
    /// What they say of themselves.
    pub bio: String,
    /// Whether their posts are for members alone.
    #[serde(default)]
    pub members_only: bool,
    /// For whom their posts are of which they do not say it.
    #[serde(default, skip_serializing_if = "Audience::is_everyone")]
    pub posts_for: Audience,
    /// Since when they were a member there.
    pub joined_at: Wall,
}

/// Makes the account, with the first password that it has.
///
/// # Errors
/// `Taken`, or what is wrong with the profile.
pub fn begin(
    user: &User,
    newcomer: &Newcomer,
    password_hash: &str,
    now: Wall,
) -> Result<Plan, ActionError> {
    if user.status != Status::Absent {
        return Err(ActionError::Taken);
    }
    let problem = |field| move |problem| ActionError::field(field, problem);
    let Newcomer { display_name, bio, joined_at, .. } = newcomer;
    let (members_only, posts_for) = (newcomer.members_only, newcomer.posts_for);
    let display_name = field::display_name(display_name, &user.name)
        .map_err(problem(super::Field::DisplayName))?;
    let bio = field::bio(bio).map_err(problem(super::Field::Bio))?;
    Ok(Plan::of(vec![
        Entry::Joined { at: (*joined_at).min(now) },
        Entry::Profile { at: now, display_name, bio, members_only, posts_for, avatar: None },
        Entry::Password { at: now, hash: password_hash.to_owned(), reset: None },
    ]))
}

/// Takes in posts. What one of them answers of others' was looked up; of its own author's only this,
/// under the lock, is certain to stand. Where it is only to be told what would be done, those before
/// are not there, and are believed in.
pub fn posts(user: &User, posts: &[Checked], is_dry: bool) -> (Plan, Taken) {
    let mut taken = Taken::default();
    let mut entries = Vec::new();
    let mut fresh = BTreeSet::new();
    for post in posts {
        if user.post(post.id).is_some() || user.has_deleted(post.id) || !fresh.insert(post.id) {
            taken.there += 1;
            continue;
        }
        let own = post.reply_to().filter(|parent| parent.user == user.name);
        let stands = |id: PostId| user.post(id).is_some() || fresh.contains(&id);
        let is_gone = own.is_some_and(|it| it.id == post.id || !(is_dry || stands(it.id)));
        let post = if is_gone { post.clone().loosened() } else { post.clone() };
        taken.written += 1;
        taken.loosened += u32::from(post.is_loose);
        entries.extend(post.entries);
    }
    (Plan::of(entries), taken)
}

/// Takes in names of whom the member follows, mutes or blocks; that they are members was looked up.
pub fn ties(user: &User, tie: Tie, names: &[UserName], now: Wall) -> (Plan, Taken) {
    let mut taken = Taken::default();
    let mut entries = Vec::new();
    let mut fresh = BTreeSet::new();
    let (count, max) = match tie {
        Tie::Follow => (user.follows.len(), FOLLOWS_MAX),
        Tie::Mute => (user.mutes.len(), APART_MAX),
        Tie::Block => (user.blocks.len(), APART_MAX),
    };
    for name in names {
        let is_there = match tie {
            Tie::Follow => user.follows.contains_key(name),
            Tie::Mute => user.mutes.contains_key(name),
            Tie::Block => user.blocks.contains(name),
        };
        let is_blocked = tie == Tie::Follow && user.blocks.contains(name);
        if is_there || fresh.contains(name) {
            taken.there += 1;
        } else if *name == user.name || is_blocked || count + fresh.len() >= max {
            taken.left_out += 1;
        } else {
            taken.written += 1;
            fresh.insert(name.clone());
            let (at, whom) = (now, name.clone());
            entries.push(match tie {
                Tie::Follow => Entry::Followed { at, user: whom },
                Tie::Mute => Entry::Muted { at, user: whom, until: None },
                Tie::Block => Entry::Blocked { at, user: whom },
            });
        }
    }
    (Plan::of(entries), taken)
}

/// Takes in likes, reposts or bookmarks, each with its time; that others' posts stand was looked up.
/// As for [`posts`], one's own are believed in where it is only to be told what would be done.
pub fn marks(
    user: &User,
    list: ExportList,
    marks: &[(PostRef, Wall)],
    is_dry: bool,
) -> (Plan, Taken) {
    let mut taken = Taken::default();
    let mut entries = Vec::new();
    let mut fresh = BTreeSet::new();
    let (count, max) = match list {
        ExportList::Likes => (user.likes.len(), LIKES_MAX),
        ExportList::Reposts => (user.reposts.len(), REPOSTS_MAX),
        ExportList::Bookmarks => (user.bookmarks.len(), BOOKMARKS_MAX),
        ExportList::Posts => (0, 0),
    };
    for (post, at) in marks {
        let is_there = match list {
            ExportList::Likes => user.likes.contains_key(post),
            ExportList::Reposts => user.reposts.contains_key(post),
            ExportList::Bookmarks => user.bookmarks.contains_key(post),
            ExportList::Posts => false,
        };
        let is_gone = !is_dry && post.user == user.name && user.post(post.id).is_none();
        if is_there || fresh.contains(post) {
            taken.there += 1;
        } else if is_gone || count + fresh.len() >= max {
            taken.left_out += 1;
        } else {
            taken.written += 1;
            fresh.insert(post.clone());
            let (at, post) = (*at, post.clone());
            entries.push(match list {
                ExportList::Reposts => Entry::Reposted { at, post },
                ExportList::Bookmarks => Entry::Bookmarked { at, post },
                ExportList::Likes | ExportList::Posts => Entry::Liked { at, post },
            });
        }
    }
    (Plan::of(entries), taken)
}

/// Ends it: which post stands first. An entry in any case, so that its request is remembered.
pub fn end(user: &User, pinned: Option<PostId>, now: Wall) -> Plan {
    let pinned = pinned.filter(|id| user.post(*id).is_some());
    Plan::of(vec![match pinned {
        Some(id) => Entry::Pinned { at: now, id },
        None => Entry::Unpinned { at: now },
    }])
}

/// Whether parts of this file may be taken in: its account was made, and it is not done with.
///
/// # Errors
/// `Taken`: the account is somebody else's, or began with another file.
pub fn check_under_way(user: &User, file: Hash128) -> Result<(), ActionError> {
    let is_ours = user.status == Status::Active && Step::Begun.is_done(user, file);
    if is_ours { Ok(()) } else { Err(ActionError::Taken) }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
