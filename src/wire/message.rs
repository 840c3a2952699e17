//! What backends say to each other. A frame is a JSON header of this shape, and behind it the bytes
//! of lines as they are (`Body`), never re-encoded: their chain hash must hold everywhere.

use serde::{Deserialize, Serialize};

use crate::id::{Hash128, NodeId, PictureName, UserName};
use crate::json::tagged;
pub use crate::replica::barrier::{Phase, Standing};
use crate::replica::version::{Term, Version};
pub use crate::replica::{NotVoting, Refuse, State};

/// The oldest and newest protocol versions this program speaks.
pub const PROTO_MIN: u16 = 1;
/// See [`PROTO_MIN`].
pub const PROTO_MAX: u16 = 3;
/// The first protocol version that knows of changes of the members.
pub const PROTO_CHANGES: u16 = 2;
/// The first protocol version that takes the lines a copy lacks where only the whole file was taken before.
pub const PROTO_LINES: u16 = 3;
/// What this program understands in files and messages; a cluster uses it once all its machines do.
pub const FEATURES: u32 = 7;
/// The feature from which on files may begin with a snapshot, on disk and on their way.
pub const FEATURE_SNAPSHOTS: u32 = 1;
/// The feature from which on files may hold what people do with posts: edits, likes, reposts, bookmarks,
/// pins and content notes; whom they mute and block; and how the community is kept.
pub const FEATURE_SOCIAL: u32 = 2;
/// The feature from which on sessions may be of apps: a program that does not know of them would take
/// them for a browser's, which may do everything.
pub const FEATURE_APPS: u32 = 3;

/// The feature from which on posts may have pictures, whose files machines give to each other.
pub const FEATURE_PICTURES: u32 = 4;
/// The feature from which on posts may be for others than everybody: a program that does not know of
/// audiences cannot read the files that hold such posts, and so shows them to nobody.
pub const FEATURE_AUDIENCE: u32 = 5;
/// The feature from which on posts may ask something, people vote, and threads be muted.
pub const FEATURE_POLLS: u32 = 6;
/// The feature from which on followers may be removed, as by unblocking them, and mutes may end by themselves: a
/// program that does not know of that would take them for mutes for good.
pub const FEATURE_TIES: u32 = 7;
/// The feature from which on pictures may be covered without a note: a program that does not know of that
/// would show them, and leave it out of a file that it folds.
pub const FEATURE_COVERS: u32 = 7;
/// The feature from which on somebody's posts may be for fewer than everybody where they do not say it: a program
/// that does not know of that would post to everybody, and forget it with the next change of the profile.
pub const FEATURE_POSTS_FOR: u32 = 7;

/// What stands before every message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// The sender's epoch: votes of different epochs are never counted together.
    pub epoch: u32,
    /// Pairs an answer with its question on one connection.
    pub number: u64,
    /// The message.
    pub message: T,
}

/// The first message each way on a connection between backends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Oldest protocol version spoken.
    pub proto_min: u16,
    /// Newest protocol version spoken.
    pub proto_max: u16,
    /// Which cluster.
    pub cluster: Hash128,
    /// Which machine.
    pub node: NodeId,
    /// Which life of that machine's data directory: another one is another machine.
    pub incarnation: Hash128,
    /// How often it has started.
    pub boot: u32,
    /// Which process: two with one boot count are one directory copied.
    pub process: Hash128,
    /// Up to this term it refuses everything, having forgotten what it promised.
    pub bootfloor: Term,
    /// The numbers of the cluster's machines as it was told them, sorted.
    pub members: Vec<NodeId>,
    /// Its list of members; the first, from a program that knows of no other.
    #[serde(default = "first_epoch")]
    pub epoch: u32,
    /// Whether it copies first, to become a member by that list.
    #[serde(default)]
    pub learning: bool,
    /// What its keeper calls it.
    pub name: String,
    /// The program's version.
    pub version: String,
}

impl Hello {
    /// The newest protocol version that both sides speak.
    pub fn proto(&self) -> u16 {
        self.proto_max.min(PROTO_MAX)
    }
}

const fn first_epoch() -> u32 {
    1
}

/// A list of members with the last one that voted before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The list.
    pub current: Members,
    /// The list that it follows; none before the first.
    pub before: Option<Members>,
}

/// A list of members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Its number; higher is later.
    pub epoch: u32,
    /// What all of them understand.
    pub features: u32,
    /// The machines, by number.
    pub members: Vec<Seated>,
    /// Of a list that was made up of those left of one in force: who was given up. What only they hold
    /// is lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_up: Vec<NodeId>,
}

/// A machine of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seated {
    /// Its number.
    pub node: NodeId,
    /// Which life of its data directory; not known before the first meeting.
    pub incarnation: Option<Hash128>,
    /// Where it listens, as HOST:PORT.
    pub address: String,
}

/// The answer to a [`Hello`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Welcome {
    /// Well met.
    Hello(Hello),
    /// No.
    Reject(Reject),
}

/// Why a machine is not spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Reject {
    /// No protocol version in common.
    #[error("no protocol version in common")]
    Protocol,
    /// Another cluster.
    #[error("it belongs to another cluster")]
    Cluster,
    /// Not in the list of machines, or the lists differ.
    #[error("the lists of machines differ")]
    Members,
    /// The number is known, the directory is not: it was set up anew, or two machines share a number.
    #[error("another machine has this number, or its data directory was set up anew")]
    Incarnation,
    /// It has started fewer times than was seen already: an old copy of its directory.
    #[error("its data directory is older than one that was seen already")]
    OldBoot,
    /// The list of machines has changed, and it is no longer in it.
    #[error("it is no longer a member: it was removed, or another machine has taken its place")]
    Gone,
    /// The list of machines by which it was to become a member came second.
    #[error("another change of the members was made first")]
    PassedOver,
}

/// A question or a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Message {
    /// Promise this term, and say what you hold.
    Lock {
        /// Whose file.
        user: UserName,
        /// The term.
        term: Term,
        /// What the asker holds: if it is the same as here, no file need be sent.
        have: Version,
        /// How long to shield the holder, in milliseconds.
        lease_ms: u64,
    },
    /// Accept this version. The body is a line, or several or a whole file ending in that line.
    Sync(Sync),
    /// Let go of the term, and learn what is committed. No answer.
    Unlock {
        /// Whose file.
        user: UserName,
        /// The term.
        term: Term,
        /// What is committed, if anything is known to be.
        com: Option<Version>,
    },
    /// Say what you hold, promising nothing. Answer: `State`.
    Read {
        /// Whose file.
        user: UserName,
        /// Who hears first what is committed of it, as far as you are in touch with them and the asker is not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pass_on: Vec<NodeId>,
    },
    /// Send the file, or what follows in it on what the asker has. Answer: `Body`.
    Fetch {
        /// Whose file.
        user: UserName,
        /// What the asker has, and its chain hash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        have: Option<(Version, Hash128)>,
    },
    /// Which versions do you hold, of the users after this one? Answer: `Sums`.
    Sums {
        /// The last name of the page before.
        after: Option<UserName>,
    },
    /// Are you well? Answer: `Pong`.
    Ping(Health),
    /// Take on this list of members, if it is newer. Answer: `Members`. Only from protocol version 2
    /// on, as the next one.
    Adopt(Offer),
    /// Which list of members do you hold? Answer: `Members`.
    Members,
    /// About a picture; with `Keep` its file is the body. Answer: `Picture`, to `Fetch` with the file as
    /// its body. Only where all members know of pictures ([`FEATURE_PICTURES`]).
    Picture {
        /// Which.
        name: PictureName,
        /// What of it.
        want: PictureWant,
    },
}

/// See [`Message::Picture`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureWant {
    /// Have it on your disk.
    Keep,
    /// If you have it, do not let it go for now.
    Renew,
    /// Give it.
    Fetch,
}

tagged!(Message, "m");

impl Message {
    /// From which protocol version on it is understood.
    pub const fn since(&self) -> u16 {
        match self {
            Self::Adopt(_) | Self::Members => PROTO_CHANGES,
            Self::Sync(sync) if sync.after.is_some() => PROTO_LINES,
            _ => PROTO_MIN,
        }
    }

    /// Whose file it is about.
    pub const fn user(&self) -> Option<&UserName> {
        match self {
            Self::Lock { user, .. }
            | Self::Unlock { user, .. }
            | Self::Read { user, .. }
            | Self::Fetch { user, .. } => Some(user),
            Self::Sync(sync) => Some(&sync.user),
            Self::Sums { .. }
            | Self::Ping(_)
            | Self::Adopt(_)
            | Self::Members
            | Self::Picture { .. } => None,
        }
    }

    /// Whether it is answered to a machine that holds another list of members, or is in none: what
    /// is held may be told to all, votes are given to members alone.
    pub const fn is_across(&self) -> bool {
        match self {
            Self::Fetch { .. }
            | Self::Sums { .. }
            | Self::Ping(_)
            | Self::Adopt(_)
            | Self::Members
            | Self::Picture { want: PictureWant::Fetch, .. } => true,
            Self::Picture { want: PictureWant::Keep | PictureWant::Renew, .. }
            | Self::Lock { .. }
            | Self::Sync(_)
            | Self::Unlock { .. }
            | Self::Read { .. } => false,
        }
    }
}

/// See [`Message::Sync`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {
    /// Whose file.
    pub user: UserName,
    /// The version to accept.
    pub version: Version,
    /// What it builds on.
    pub base: Version,
    /// The chain hash there.
    pub base_hash: Hash128,
    /// The chain hash of `version`.
    pub hash: Hash128,
    /// What is committed, as the sender knows.
    pub com: Version,
    /// Whether the body is all that leads to `version`, and not its line alone.
    pub full: bool,
    /// Behind which version the lines of such a body begin, that the receiver said to be committed;
    /// without it the body is the whole file. Only from protocol version 3 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Version>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Answer {
    /// To `Lock`: promised. The body holds the file, if the asker's differs and it is short.
    Grant {
        /// The term promised.
        term: Term,
        /// What is held, and what of it is committed.
        state: State,
    },
    /// To `Lock`: promised, but the file is damaged, so this is no vote.
    Damaged {
        /// The term promised.
        term: Term,
        /// What of the file can still be read.
        state: State,
    },
    /// To `Sync`: on disk.
    Ack {
        /// What is on disk.
        version: Version,
    },
    /// To a `Sync` of one line: it builds on something else than what is held.
    Need {
        /// What is held.
        state: State,
    },
    /// To `Lock` and `Sync`: no.
    Refuse {
        /// Why.
        why: Refuse,
    },
    /// To `Read`.
    State {
        /// What is held.
        state: State,
    },
    /// To `Fetch`: the body is the file, or the lines behind what the asker has.
    Body {
        /// What is held; the body ends in `acc`.
        state: State,
        /// Behind which version the body begins; zero for the whole file.
        #[serde(default)]
        after: Version,
    },
    /// To `Sums`.
    Sums {
        /// By name; at most `limits::SUMS_PAGE_ROWS`.
        rows: Vec<SumsRow>,
        /// Whether this is the last page.
        last: bool,
    },
    /// To `Ping`.
    Pong(Health),
    /// To `Adopt` and `Members`: what is held now.
    Members(Offer),
    /// To `Picture`.
    Picture {
        /// Whether it is on the disk.
        is_held: bool,
    },
}

tagged!(Answer, "m");

/// A user in a list of what is held. There may be a hundred thousand, so a row says nothing twice:
/// `["ada","1.4.2.1.7","32 hex",{}]`. Version 1 of the protocol said `{"user":…,"state":{…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AnyRow", into = "ShortRow")]
pub struct SumsRow {
    /// Who.
    pub user: UserName,
    /// What is held.
    pub state: State,
    /// Whether the file is damaged: then this proves nothing of what was accepted.
    pub is_damaged: bool,
}

#[derive(Serialize)]
struct ShortRow(UserName, Version, Hash128, RowNotes);

#[derive(Default, Serialize, Deserialize)]
struct RowNotes {
    /// What is known to be committed, if it is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    com: Option<Version>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    damaged: Option<bool>,
}

impl From<SumsRow> for ShortRow {
    fn from(SumsRow { user, state, is_damaged }: SumsRow) -> Self {
        let State { acc, hash, com } = state;
        let notes =
            RowNotes { com: (com != acc).then_some(com), damaged: is_damaged.then_some(true) };
        Self(user, acc, hash, notes)
    }
}

/// Read from a short row by place, from one of version 1 by name.
#[derive(Deserialize)]
struct AnyRow {
    user: UserName,
    #[serde(default)]
    acc: Option<Version>,
    #[serde(default)]
    hash: Hash128,
    #[serde(default)]
    notes: RowNotes,
    #[serde(default)]
    state: Option<State>,
}

impl TryFrom<AnyRow> for SumsRow {
    type Error = &'static str;

    fn try_from(row: AnyRow) -> Result<Self, Self::Error> {
        let AnyRow { user, acc, hash, notes, state } = row;
        let short = acc.map(|acc| State { acc, hash, com: notes.com.unwrap_or(acc) });
        let state = short.or(state).ok_or("a row that says nothing of what is held")?;
        Ok(Self { user, state, is_damaged: notes.damaged.unwrap_or(false) })
    }
}

/// How a machine is, in pings and their answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(Default))]
pub struct Health {
    /// XOR over all users of a hash of name, accepted version and chain hash: equal sums mean equal
    /// files.
    pub sum: Hash128,
    /// Up to this term the sender refuses everything.
    pub bootfloor: Term,
    /// Whether it votes.
    pub voting: bool,
    /// The machines it can talk to.
    pub reaches: Vec<NodeId>,
    /// How full its disk is, in percent.
    pub disk_percent: u8,
    /// Why it does not vote; absent while it does, and from an earlier version.
    #[serde(flatten, with = "super::earlier::not_voting")]
    pub not_voting: Option<NotVoting>,
    /// How many users' files are damaged there, so that it has no vote on these users.
    #[serde(default)]
    pub damaged: u32,
    /// How many users' files it knows it lacks something of.
    #[serde(default)]
    pub catching_up: u32,
    /// Where it stands between lists of members; absent from an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// Whether a new machine has copied what the others hold, and the change may begin.
    #[serde(default)]
    pub has_learned: bool,
    /// What the program there understands.
    #[serde(default)]
    pub features: u32,
    /// How many files of pictures that posts refer to are not there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pictures_missing: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
pub(crate) const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sync_of_earlier_version_read_and_never_sent_lines() {
        let version = serde_json::to_string(&Version::default()).unwrap();
        let hash = Hash128::default();
        let old = format!(
            r#"{{"m":"sync","user":"ada","version":{version},"base":{version},"base_hash":"{hash}","hash":"{hash}","com":{version},"full":true}}"#
        );
        let Message::Sync(whole) = serde_json::from_str(&old).unwrap() else { panic!("{old}") };
        assert_eq!(whole.after, None);
        let sync = Message::Sync(whole.clone());
        assert_eq!((serde_json::to_string(&sync).unwrap(), sync.since()), (old, PROTO_MIN));
        let lines = Message::Sync(Sync { after: Some(Version::default()), ..whole });
        assert_eq!(lines.since(), PROTO_LINES);
        let said = serde_json::to_string(&lines).unwrap();
        assert_eq!(serde_json::from_str::<Message>(&said).unwrap(), lines);
    }

    #[test]
    fn health_of_earlier_version_read() {
        let floor = serde_json::to_string(&Term::default()).unwrap();
        let old = format!(
            r#"{{"sum":"{}","bootfloor":{floor},"voting":false,"reaches":[1,2],"disk_percent":4}}"#,
            Hash128::default()
        );
        let health: Health = serde_json::from_str(&old).unwrap();
        assert_eq!((health.not_voting, health.damaged, health.catching_up), (None, 0, 0));
        let new = serde_json::to_value(&health).unwrap();
        assert!(new.get("not_voting").is_none(), "{new}");
    }

    #[test]
    fn r0120_with_a_later_version_only_what_both_speak_is_spoken() {
        let version = |proto_max| {
            let hello = format!(
                r#"{{"proto_min":1,"proto_max":{proto_max},"cluster":"{0}","node":2,"incarnation":"{0}","boot":1,"process":"{0}","bootfloor":{1},"members":[1,2],"name":"","version":""}}"#,
                Hash128::default(),
                serde_json::to_string(&Term::default()).unwrap()
            );
            serde_json::from_str::<Hello>(&hello).unwrap().proto()
        };
        assert_eq!([1, PROTO_MAX, PROTO_MAX + 1].map(version), [1, PROTO_MAX, PROTO_MAX]);
    }

    #[test]
    fn r0117_reason_told_exactly_and_to_an_earlier_version_in_a_word_that_it_knows() {
        let health = |why| Health {
            voting: true,
            disk_percent: 4,
            not_voting: Some(why),
            ..Health::default()
        };
        for (why, known, exact) in [
            (NotVoting::Changing, "changing", None),
            (NotVoting::NoSpace, "no_space", None),
            (NotVoting::Disk, "no_space", Some("disk")),
            (NotVoting::Unmarked, "no_space", Some("unmarked")),
        ] {
            let said = serde_json::to_value(health(why)).unwrap();
            assert_eq!(said["not_voting"], known);
            assert_eq!(said.get("not_voting_for").and_then(|word| word.as_str()), exact);
            let heard: Health = serde_json::from_slice(said.to_string().as_bytes()).unwrap();
            assert_eq!(heard, health(why));
        }
    }
}
