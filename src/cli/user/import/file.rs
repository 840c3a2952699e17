//! Reads what a member took along: `tern.json`, as `db/FORMAT.md` describes it. The file may come from
//! anywhere, so nothing in it is believed: it is read once to its end, item by item, before anything
//! is asked of a machine, and a second time to be sent.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::action::ExportList;
use crate::action::import::Flaw;
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{APART_MAX, FOLLOWS_MAX, IMPORT_FILE_BYTES_MAX};
use crate::user::aside::Poll;
use crate::user::entry::{Audience, PostRef};
use crate::wire::export::{ExportMark, ExportPost, ExportText};

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is longer than anything that can be taken in.
    #[error("the file is longer than {IMPORT_FILE_BYTES_MAX} bytes, which fit no user's file")]
    TooLong,
    /// It is no text.
    #[error("the file is not UTF-8 from byte {at} on")]
    NotText {
        /// Where it stops being so.
        at: usize,
    },
    /// It is no JSON, or says something of another kind than it should.
    #[error("the file is no export of tern's")]
    Json(#[from] serde_json::Error),
    /// A later form of it.
    #[error("the file is of form {0}; this program knows forms 1 and 2")]
    Form(u64),
    /// Something that it must have is not there.
    #[error("the file has no \"{0}\"")]
    Missing(&'static str),
    /// A list stands before what it needs, or twice.
    #[error("\"{0}\" stands twice in the file")]
    Twice(String),
    /// Posts out of order, or one twice.
    #[error("post {id} does not come after {before}: posts stand oldest first, each once")]
    Order {
        /// Which.
        id: PostId,
        /// The one before it.
        before: PostId,
    },
    /// A post that cannot be taken in.
    #[error("post {id}: {flaw}")]
    Post {
        /// Which.
        id: PostId,
        /// Why not.
        flaw: Flaw,
    },
    /// A time that is still to come.
    #[error("\"{0}\" is from the future")]
    Ahead(&'static str),
    /// A list is longer than a member's can be.
    #[error("more than {max} {list}")]
    TooMany {
        /// Which list.
        list: &'static str,
        /// The most.
        max: usize,
    },
    /// Reading it ended because what was read could not be sent.
    #[error("the file was not sent to its end")]
    NotSent,
    /// All of it together is more than a user's file takes.
    #[error("all of it would take {bytes} bytes of the user's file, {max} are free")]
    TooMuch {
        /// Bytes that it would take.
        bytes: usize,
        /// The most.
        max: usize,
    },
}

/// What stands in the file besides its long lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) profile: Profile,
    pub(super) follows: Vec<UserName>,
    pub(super) mutes: Vec<UserName>,
    pub(super) blocks: Vec<UserName>,
}

/// Who somebody was where the file comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Profile {
    pub(super) username: UserName,
    pub(super) display_name: String,
    pub(super) bio: String,
    #[serde(deserialize_with = "time")]
    pub(super) joined_at: Wall,
    #[serde(default)]
    pub(super) members_only: bool,
    #[serde(default)]
    pub(super) posts_for: Audience,
    #[serde(default)]
    pub(super) pinned: Option<PostId>,
}

/// One thing of a long list.
pub(super) enum Item {
    Post(ExportPost),
    Mark(ExportList, ExportMark),
}

/// What is done with each.
pub(super) type Each<'a> = dyn FnMut(Item) -> Result<(), ImportError> + 'a;

#[derive(Deserialize)]
struct FilePost {
    id: PostId,
    #[serde(deserialize_with = "time")]
    at: Wall,
    #[serde(default, deserialize_with = "maybe_time")]
    edited_at: Option<Wall>,
    text: String,
    #[serde(default)]
    note: Option<String>,
    #[serde(default, rename = "for")]
    audience: Audience,
    #[serde(default)]
    reply_to: Option<PostRef>,
    #[serde(default)]
    poll: Option<FilePoll>,
    #[serde(default)]
    earlier: Vec<FileText>,
}

#[derive(Deserialize)]
struct FilePoll {
    options: Vec<String>,
    #[serde(deserialize_with = "time")]
    until: Wall,
    #[serde(default)]
    many: bool,
}

#[derive(Deserialize)]
struct FileText {
    #[serde(deserialize_with = "time")]
    at: Wall,
    text: String,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Deserialize)]
struct FileMark {
    user: UserName,
    id: PostId,
    #[serde(default, deserialize_with = "maybe_time")]
    at: Option<Wall>,
}

impl From<FilePost> for ExportPost {
    fn from(post: FilePost) -> Self {
        let FilePost { id, at, edited_at, text, note, audience, reply_to, poll, earlier } = post;
        let poll_of =
            |FilePoll { options, until, many }| Poll { options, until, many, hides_votes: false };
        let poll = poll.map(poll_of);
        let text_of = |FileText { at, text, note }| ExportText { at, text, note };
        let earlier = earlier.into_iter().map(text_of).collect();
        // The files are not in it, and their addresses lead to another community.
        let (pictures, sensitive) = (Vec::new(), false);
        Self {
            id,
            at,
            edited_at,
            text,
            note,
            audience,
            reply_to,
            poll,
            earlier,
            pictures,
            sensitive,
        }
    }
}

/// A time as RFC 3339 has it.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Wall, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|_| D::Error::custom("a time is written as 2026-01-31T12:00:00.000Z"))?;
    let ms = u64::try_from(time.as_millisecond());
    ms.map(Wall).map_err(|_| D::Error::custom("a time before 1970"))
}

fn maybe_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Wall>, D::Error> {
    #[derive(Deserialize)]
    struct Time(#[serde(deserialize_with = "time")] Wall);
    Ok(Option::<Time>::deserialize(from)?.map(|Time(at)| at))
}

/// The bytes of a file, which must not be more than can be taken in.
///
/// # Errors
/// `File` and `TooLong`.
pub(super) fn load(path: &Path) -> Result<Vec<u8>, ImportError> {
    let failed = |source| ImportError::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(IMPORT_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > IMPORT_FILE_BYTES_MAX { Err(ImportError::TooLong) } else { Ok(bytes) }
}

/// The same as text.
///
/// # Errors
/// `NotText`.
pub(super) fn text(bytes: &[u8]) -> Result<&str, ImportError> {
    std::str::from_utf8(bytes).map_err(|error| ImportError::NotText { at: error.valid_up_to() })
}

/// Reads a file to its end; `each` hears what stands in the long lists. Fields that are not known are
/// passed over.
///
/// # Errors
/// [`ImportError`]: the first thing that is wrong.
pub(super) fn read(text: &str, each: &mut Each<'_>) -> Result<Head, ImportError> {
    let mut failed = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let whole = Whole { each, failed: &mut failed };
    let head = whole.deserialize(&mut reader).and_then(|head| reader.end().map(|()| head));
    match failed {
        Some(error) => Err(error),
        None => Ok(head?),
    }
}

/// What is found wrong is kept beside: the reader's own errors are words alone.
struct Whole<'a, 'b> {
    each: &'a mut Each<'b>,
    failed: &'a mut Option<ImportError>,
}

impl Whole<'_, '_> {
    fn fail<T, E: serde::de::Error>(&mut self, error: ImportError) -> Result<T, E> {
        *self.failed = Some(error);
        Err(E::custom("refused"))
    }
}

impl<'de> DeserializeSeed<'de> for Whole<'_, '_> {
    type Value = Head;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Head, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_, '_> {
    type Value = Head;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Head, A::Error> {
        let (mut form, mut profile) = (None, None);
        let [mut follows, mut mutes, mut blocks] = [const { Vec::new() }; 3];
        let mut known = BTreeSet::new();
        while let Some(field) = map.next_key::<String>()? {
            match field.as_str() {
                "tern_export" => form = Some(map.next_value::<u64>()?),
                "profile" => profile = Some(map.next_value::<Profile>()?),
                "follows" => follows = map.next_value_seed(Names(FOLLOWS_MAX))?,
                "mutes" => mutes = map.next_value_seed(Names(APART_MAX))?,
                "blocks" => blocks = map.next_value_seed(Names(APART_MAX))?,
                other => {
                    let list = ExportList::ALL.into_iter().find(|list| list.as_str() == other);
                    let Some(list) = list else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    map.next_value_seed(Items { list, whole: &mut self })?;
                }
            }
            if form.is_some_and(|form| !matches!(form, 1 | 2)) {
                return self.fail(ImportError::Form(form.unwrap_or_default()));
            }
            if !known.insert(field.clone()) {
                return self.fail(ImportError::Twice(field));
            }
        }
        if form.is_none() {
            return self.fail(ImportError::Missing("tern_export"));
        }
        if !known.contains("posts") {
            return self.fail(ImportError::Missing("posts"));
        }
        match profile {
            Some(profile) => Ok(Head { profile, follows, mutes, blocks }),
            None => self.fail(ImportError::Missing("profile")),
        }
    }
}

/// One of the long lists.
struct Items<'a, 'b, 'c> {
    list: ExportList,
    whole: &'a mut Whole<'b, 'c>,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {}", self.list.as_str())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let item = if self.list == ExportList::Posts {
                items.next_element::<FilePost>()?.map(|post| Item::Post(post.into()))
            } else {
                let mark = items.next_element::<FileMark>()?;
                mark.map(|FileMark { user, id, at }| {
                    Item::Mark(self.list, ExportMark { post: PostRef { user, id }, at })
                })
            };
            let Some(item) = item else { return Ok(()) };
            if let Err(error) = (self.whole.each)(item) {
                return self.whole.fail(error);
            }
        }
    }
}

/// Names, so many at most.
struct Names(usize);

impl<'de> DeserializeSeed<'de> for Names {
    type Value = Vec<UserName>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Vec<UserName>, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = Vec<UserName>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Vec<UserName>, A::Error> {
        let mut found = Vec::new();
        while let Some(name) = names.next_element()? {
            if found.len() == self.0 {
                return Err(A::Error::custom(format!("more than {} names in a list", self.0)));
            }
            found.push(name);
        }
        Ok(found)
    }
}
