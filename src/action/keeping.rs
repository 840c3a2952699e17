//! What has to do with the community: inviting, reporting, and what keepers do.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::handle::{ActionError, Plan};
use super::{Cursor, Field, Problem, field, session};
use crate::clock::Wall;
use crate::id::UserName;
use crate::limits::{
    COMMUNITY_CHARS_MAX, INVITATION_DAYS_MAX, INVITATION_USES_MAX, INVITATIONS_MAX,
    REASON_CHARS_MAX, REPORTS_MAX,
};
use crate::user::entry::{CodeHash, Entry, House, PostRef};
use crate::user::keeping::{Deed, Keeping};
use crate::user::{Status, User};

/// Letters of a secret that people type: 100 bits.
pub const SECRET_LETTERS: usize = 20;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// On what ground somebody joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Everybody may.
    Free,
    /// Somebody invited them, who has one use less of this code since.
    Invited {
        /// Who.
        inviter: UserName,
        /// The code's hash.
        code: CodeHash,
    },
    /// They ask for a keeper's word.
    Asking,
}

impl Admission {
    /// The entries of the new account that say so.
    pub(super) fn entry(&self, now: Wall) -> Option<Entry> {
        match self {
            Self::Free => None,
            Self::Invited { inviter, code } => {
                Some(Entry::JoinedWith { at: now, code: code.clone(), inviter: inviter.clone() })
            }
            Self::Asking => Some(Entry::AskedIn { at: now }),
        }
    }
}

/// Random bytes as a secret that people read out and type: 5 bits of each, in fours of five letters,
/// without those that are taken for each other.
pub fn spelt(bytes: impl IntoIterator<Item = u8>) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut text = String::new();
    for (at, byte) in bytes.into_iter().take(SECRET_LETTERS).enumerate() {
        if at > 0 && at % 5 == 0 {
            text.push('-');
        }
        let letter = LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'a');
        text.push(char::from(letter));
    }
    text
}

/// The hash of an invitation's code as somebody typed it: case, spaces and hyphens mean nothing.
pub fn code_hash(typed: &str) -> CodeHash {
    let plain = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let plain: String = plain.flat_map(char::to_lowercase).collect();
    let digest = Sha256::digest(plain);
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    CodeHash(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
}

/// The operator's word that somebody is a keeper, or not any more.
pub(super) fn set_keeper(user: &User, is_keeper: bool, now: Wall) -> Result<Plan, ActionError> {
    if user.status != Status::Active {
        return Err(ActionError::NotFound);
    }
    let mut entries = match (user.is_keeper(), is_keeper) {
        (false, true) => vec![Entry::KeeperMade { at: now }],
        (true, false) => vec![Entry::KeeperEnded { at: now }],
        (true, true) | (false, false) => return Ok(Plan::default()),
    };
    // Who may do more, or less, signs in anew: a token that somebody took before is worth nothing then.
    entries.extend(user.sessions.iter().map(|it| session::closed(&it.id, now)));
    Ok(Plan::of(entries))
}

/// What a keeper does; to others there is no such thing.
pub(super) fn keep(user: &User, deed: &Deed, at: Wall) -> Result<Plan, ActionError> {
    if !user.is_keeper() {
        return Err(ActionError::NotFound);
    }
    let reason = |text: &str| {
        let fit = field::reason(text, REASON_CHARS_MAX)
            .and_then(|text| if text.is_empty() { Err(Problem::Empty) } else { Ok(text) });
        fit.map_err(|problem| ActionError::field(Field::Reason, problem))
    };
    let deed = match deed {
        Deed::Hid(post, why) => Deed::Hid(post.clone(), reason(why)?),
        Deed::Suspended(whom, ..) if *whom == user.name => {
            return Err(ActionError::field(Field::Username, Problem::Own));
        }
        Deed::Refused(whom, _) if *whom == user.name => {
            return Err(ActionError::field(Field::Username, Problem::Wrong));
        }
        Deed::Suspended(whom, until, why) => Deed::Suspended(whom.clone(), *until, reason(why)?),
        Deed::Refused(whom, why) => Deed::Refused(whom.clone(), reason(why)?),
        Deed::Set(house) => {
            let words = field::reason(&house.words, COMMUNITY_CHARS_MAX)
                .map_err(|problem| ActionError::field(Field::Community, problem))?;
            Deed::Set(House { words, ..house.clone() })
        }
        other => other.clone(),
    };
    Ok(Plan::of(vec![deed.entry(at)]))
}

/// The same, and at which time they have looked at what was reported of a post with that.
pub(super) fn keep_closing(
    user: &User,
    (deed, at): (&Deed, Wall),
    closes: Option<&(PostRef, Wall)>,
) -> Result<Plan, ActionError> {
    let mut plan = keep(user, deed, at)?;
    let closed = closes.map(|(post, at)| Deed::Closed(post.clone()).entry(*at));
    plan.entries.extend(closed);
    Ok(plan)
}

pub(super) fn report(
    user: &User,
    post: &PostRef,
    reason: &str,
    now: Wall,
) -> Result<Plan, ActionError> {
    if post.user == user.name {
        return Err(ActionError::field(Field::Username, Problem::Wrong));
    }
    let reason = field::reason(reason, REASON_CHARS_MAX)
        .and_then(|text| if text.is_empty() { Err(Problem::Empty) } else { Ok(text) })
        .map_err(|problem| ActionError::field(Field::Reason, problem))?;
    let reports = user.keeping.as_deref().map(|keeping| &keeping.reports);
    if reports.is_some_and(|all| all.len() >= REPORTS_MAX && !all.contains_key(post)) {
        let max = u32::try_from(REPORTS_MAX).unwrap_or(u32::MAX);
        return Err(ActionError::field(Field::Reason, Problem::Full { max }));
    }
    let (user, id) = (post.user.clone(), post.id);
    Ok(Plan::of(vec![Entry::Reported { at: now, user, id, reason }]))
}

/// Making the same code again is what was asked for.
pub(super) fn invite(
    user: &User,
    code: &CodeHash,
    [uses, days]: [u32; 2],
    now: Wall,
) -> Result<Plan, ActionError> {
    let made = user.keeping.as_deref().map(|keeping| &keeping.invitations);
    if made.is_some_and(|made| made.contains_key(code)) {
        return Ok(Plan::default());
    }
    let mut entries = Vec::new();
    // Those that nobody can use any more make room.
    let over = made.into_iter().flatten().filter(|(_, one)| now >= one.until);
    entries.extend(over.map(|(code, _)| Entry::InvitationEnded { at: now, code: code.clone() }));
    if made.map_or(0, |made| made.len() - entries.len()) >= INVITATIONS_MAX {
        let max = u32::try_from(INVITATIONS_MAX).unwrap_or(u32::MAX);
        return Err(ActionError::field(Field::Code, Problem::Full { max }));
    }
    let until = Wall(now.0.saturating_add(u64::from(days.clamp(1, INVITATION_DAYS_MAX)) * DAY_MS));
    let uses = uses.clamp(1, INVITATION_USES_MAX);
    entries.push(Entry::InvitationMade { at: now, code: code.clone(), uses, until });
    Ok(Plan::of(entries))
}

pub(super) fn end_invitation(user: &User, code: &CodeHash, now: Wall) -> Plan {
    let keeping = user.keeping.as_deref();
    if keeping.is_some_and(|keeping| keeping.invitations.contains_key(code)) {
        Plan::of(vec![Entry::InvitationEnded { at: now, code: code.clone() }])
    } else {
        Plan::default()
    }
}

/// Promises one use of a code to `by`, under the lock of whoever made it: so none is promised twice.
/// What was promised to them before still is.
pub(super) fn promise(
    user: &User,
    code: &CodeHash,
    by: &UserName,
    now: Wall,
) -> Result<Plan, ActionError> {
    let refused = |problem| Err(ActionError::field(Field::Code, problem));
    let keeping: Option<&Keeping> = user.keeping.as_deref();
    let Some(invitation) = keeping.and_then(|keeping| keeping.invitations.get(code)) else {
        return refused(Problem::Wrong);
    };
    if invitation.used_by.contains(by) {
        return Ok(Plan::default());
    }
    if now >= invitation.until {
        return refused(Problem::Past);
    }
    if invitation.used_by.len() >= invitation.uses as usize {
        return refused(Problem::Used);
    }
    Ok(Plan::of(vec![Entry::InvitationUsed { at: now, code: code.clone(), by: by.clone() }]))
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.at.0, self.user, self.id)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('.');
        let (at, user, id) = (parts.next(), parts.next(), parts.next());
        let cursor = || {
            let (at, id) = (at?.parse().ok()?, id?.parse().ok()?);
            Some(Self { at: Wall(at), user: UserName::parse(user?).ok()?, id })
        };
        cursor().filter(|cursor| cursor.to_string() == text).ok_or(CursorError)
    }
}

/// A string that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is TIME.USER.NUMBER")]
pub struct CursorError;
