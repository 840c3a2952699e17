//! One line of a user's file: what it says, and its only spelling.
//!
//! ```json
//! {"v":"1.4.2.1.7","p":"1.4.2.1.6","k":"d","h":"…","com":"1.4.2.1.6","q":[…],"d":[…],"c":"…"}
//! {"v":"1.4.2.1.7","p":"0","k":"s","h":"…","com":"1.4.2.1.7","ops":9,"q":[…],"d":[…],"part":[1,1],"c":"…"}
//! ```
//!
//! Pure. A line comes from the disk or from another machine, so decoding believes nothing: the
//! fields stand in this order, nothing else stands between them, and the checksum is looked at
//! first. Entries are kept as the bytes they are, because the chain hash covers them.

use std::str::FromStr;

use memchr::memchr;
use serde_json::value::RawValue;

use super::plain;
use crate::id::{Hash128, RequestId};
use crate::limits::LINE_BYTES_MAX;
use crate::replica::version::{Version, chain_hash};
use crate::user::entry::Entry;
use crate::user::keeping;
use crate::user::{Place, Receipt, Recorded, User};

pub(super) const VERSION: &str = "{\"v\":\"";
pub(super) const BASE: &str = ",\"p\":\"";
pub(super) const KIND: &str = ",\"k\":\"";
pub(super) const HASH: &str = ",\"h\":\"";
pub(super) const COM: &str = ",\"com\":\"";
pub(super) const OPS: &str = ",\"ops\":";
pub(super) const REQUESTS: &str = ",\"q\":";
pub(super) const ENTRIES: &str = ",\"d\":";
pub(super) const PART: &str = ",\"part\":[";
const CHECKSUM: &str = ",\"c\":\"";
const END: &str = "\"}\n";
/// Where in [`HASH`] its letter stands.
const HASH_LETTER_AT: usize = 2;
/// Bytes of a checksum in hexadecimal.
const CHECKSUM_DIGITS: usize = 8;
/// Bytes of a hash in hexadecimal.
const HASH_DIGITS: usize = 32;
/// Bytes from the checksum's comma to the line's end.
pub(super) const TAIL_BYTES: usize = CHECKSUM.len() + CHECKSUM_DIGITS + END.len();

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `d`: entries on top of what was there.
    Delta,
    /// `i`: nothing new; a later term writes back what an earlier one may have left half done.
    Identity,
    /// `x`: entries of which the last is [`Entry::Left`]; only identities may follow.
    Tombstone,
    /// `s`: a part of what compaction made of the lines up to a committed version. Only at the head
    /// of a file; see [`super::snapshot`].
    Snapshot(Part),
}

/// Which part of a snapshot a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Counted from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// How many requests were ever recorded: the same in all parts.
    pub ops: u64,
}

impl Part {
    /// Whether the snapshot is complete with this part.
    pub const fn is_last(self) -> bool {
        self.number == self.of
    }
}

impl Kind {
    /// The kind of a line that carries these entries on behalf of a request.
    pub fn of(entries: &[Entry]) -> Self {
        match entries.last() {
            Some(Entry::Left { .. }) => Self::Tombstone,
            _ => Self::Delta,
        }
    }

    const fn letter(self) -> &'static str {
        match self {
            Self::Delta => "d",
            Self::Identity => "i",
            Self::Tombstone => "x",
            Self::Snapshot(_) => "s",
        }
    }
}

/// A line as read: its own claim, true of these bytes, not yet of what stands before them (see
/// [`check_chain`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The state that the file has with this line.
    pub version: Version,
    /// The state that it has without it; in a snapshot, zero.
    pub base: Version,
    /// What it is for.
    pub kind: Kind,
    /// The chain hash of `version`.
    pub hash: Hash128,
    /// What was known to be committed when it was written; at most `base`, and in a snapshot
    /// `version` itself.
    pub com: Version,
    /// The requests it answers; in a snapshot, the last ones that were answered.
    pub requests: Vec<Recorded>,
    /// What changed, and where in the file each entry stands.
    pub entries: Vec<(Entry, Place)>,
}

impl Line {
    /// What the line means to its user. `first` sees each entry, and the user as they are before it.
    pub fn apply_to(&self, user: &mut User, mut first: impl FnMut(&User, &Entry)) {
        for request in &self.requests {
            user.record(*request);
        }
        if let Kind::Snapshot(part) = self.kind
            && part.is_last()
        {
            // Now and not before: recording counts, and these were counted already.
            user.raise_ops(part.ops);
        }
        for (entry, place) in &self.entries {
            first(user, entry);
            user.apply(entry, *place);
        }
    }
}

/// A line to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewLine<'a> {
    /// The state that the file will have; above `base`.
    pub version: Version,
    /// The state that it has.
    pub base: Version,
    /// The chain hash of `base`.
    pub base_hash: Hash128,
    /// What is known to be committed. A lower bound, so more than `base` is written as `base`.
    pub com: Version,
    /// What the line is for.
    pub kind: Kind,
    /// The requests it answers; none in an identity.
    pub requests: &'a [Recorded],
    /// What changes; nothing in an identity.
    pub entries: &'a [Entry],
}

/// A line's bytes, its `\n` included, and the chain hash of its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// What goes to the disk and to the other machines.
    pub bytes: Vec<u8>,
    /// The chain hash.
    pub hash: Hash128,
}

/// Why bytes are no line, or not the next line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// More than `limits::LINE_BYTES_MAX` bytes.
    #[error("the line has more than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// It does not end in `\n`, or there is a `\n` inside.
    #[error("the line does not end where it should")]
    LineEnd,
    /// The bytes are not those that were written.
    #[error("the checksum is wrong")]
    Checksum,
    /// The checksum is right, but a field is missing, out of order or out of range.
    #[error("the field {0} is wrong")]
    Field(&'static str),
    /// The checksum is right, but this program does not know such a thing.
    #[error("unknown to this version of the program: {0}")]
    NewerFormat(String),
    /// It builds on another state than the one before it.
    #[error("it builds on version {found} where {expected} stands")]
    Base {
        /// What stands before it.
        expected: Version,
        /// What it claims to build on.
        found: Version,
    },
    /// Its hash is not that of its bytes on top of the state before it.
    #[error("the chain hash is wrong")]
    Hash,
    /// Something follows the end of an account.
    #[error("it changes an account that was deleted")]
    AfterTombstone,
    /// A snapshot's parts are not all at the head of the file, one after the other.
    #[error("a snapshot is incomplete or out of its place")]
    Snapshot,
}

/// Spells a line.
///
/// # Panics
/// When the line cannot be one: `version` not above `base`, an identity that carries something, a
/// kind that does not fit its entries; a snapshot is spelled by [`super::snapshot::encode`].
pub fn encode(new: &NewLine<'_>) -> Encoded {
    let lefts = new.entries.iter().filter(|entry| matches!(entry, Entry::Left { .. })).count();
    let fits = new.kind == Kind::Identity || new.kind == Kind::of(new.entries);
    assert!(new.version > new.base, "version {} is not above {}", new.version, new.base);
    assert!(fits && lefts <= 1, "entries of another kind than {:?}", new.kind);
    let empty = new.requests.is_empty() && new.entries.is_empty();
    assert!(new.kind != Kind::Identity || empty, "an identity that carries something");

    let (version, base, com) = (new.version, new.base, new.com.min(new.base));
    let kind = new.kind.letter();
    let before = format!("{VERSION}{version}\"{BASE}{base}\"{KIND}{kind}\"");
    let requests: Vec<_> = new.requests.iter().map(|r| (r.id, r.digest, &r.result)).collect();
    let (requests, entries) = (to_json(&requests), to_json(new.entries));
    let after = format!("{COM}{com}\"{REQUESTS}{requests}{ENTRIES}{entries}");
    let hash = chain_hash(new.base_hash, &[before.as_bytes(), after.as_bytes()]);

    let mut bytes = format!("{before}{HASH}{hash}\"{after}").into_bytes();
    let tail = tail_of(&bytes);
    bytes.extend_from_slice(tail.as_bytes());
    Encoded { bytes, hash }
}

/// The checksum of what stands before it, and the line's end.
pub(super) fn tail_of(body: &[u8]) -> String {
    format!("{CHECKSUM}{:08x}{END}", crc32c::crc32c(body))
}

/// Whether a tail is [`tail_of`] this. Comparing the spelling, not the number, keeps `0000000A` from being
/// a second one.
fn is_tail_of(body: &[u8], tail: &[u8]) -> bool {
    let digits = tail.strip_prefix(CHECKSUM.as_bytes());
    let digits = digits.and_then(|tail| tail.strip_suffix(END.as_bytes())).unwrap_or_default();
    let sum = crc32c::crc32c(body);
    let digit_at = |place: u32| {
        let value = (sum >> (28 - 4 * place)) & 15;
        char::from_digit(value, 16).map(|digit| digit as u8)
    };
    digits.len() == CHECKSUM_DIGITS
        && (0..).zip(digits).all(|(place, digit)| digit_at(place) == Some(*digit))
}

#[expect(clippy::expect_used, reason = "strings and numbers in sequences and structs have a JSON")]
pub(super) fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("these types have a JSON")
}

/// Reads one line with its `\n`, that begins `offset` bytes into its file.
///
/// # Errors
/// [`LineError`] with the first reason found; never [`LineError::Base`], [`LineError::Hash`] or
/// [`LineError::AfterTombstone`], which need to know what stands before.
pub fn decode(bytes: &[u8], offset: u64) -> Result<Line, LineError> {
    let body = checked_body(bytes)?;
    let (version, rest) = field::<Version>(body, VERSION, "v")?;
    let (base, rest) = field::<Version>(rest, BASE, "p")?;
    let (letter, rest) = text_field(rest, KIND, "k")?;
    if !matches!(letter, "d" | "i" | "x" | "s") {
        return Err(LineError::NewerFormat(format!("line kind {letter:?}")));
    }
    let is_snapshot = letter == "s";
    let (hash, rest) = field::<Hash128>(rest, HASH, "h")?;
    let (com, rest) = field::<Version>(rest, COM, "com")?;
    let (ops, rest) = if is_snapshot { decode_ops(rest)? } else { (0, rest) };
    let (requests, rest) = decode_requests(rest)?;
    let (entries, rest) = decode_entries(rest, bytes, offset)?;
    let kind = match letter {
        "d" => Kind::Delta,
        "i" => Kind::Identity,
        "x" => Kind::Tombstone,
        _ => Kind::Snapshot(decode_part(rest, ops)?),
    };
    if !is_snapshot && !rest.is_empty() {
        return Err(LineError::Field("d"));
    }
    let line = Line { version, base, kind, hash, com, requests, entries };
    check_sense(&line)?;
    Ok(line)
}

/// Whether a line stands on this state and its hash is that of its own bytes on top of it. `bytes`
/// are those it was decoded from.
///
/// # Errors
/// [`LineError::Base`] or [`LineError::Hash`]; [`LineError::Snapshot`] for a part of one, which
/// stands on nothing.
pub fn check_chain(
    line: &Line,
    bytes: &[u8],
    base: Version,
    base_hash: Hash128,
) -> Result<(), LineError> {
    if matches!(line.kind, Kind::Snapshot(_)) {
        return Err(LineError::Snapshot);
    }
    if line.base != base {
        return Err(LineError::Base { expected: base, found: line.base });
    }
    let (before, after) = hashed_parts(bytes).ok_or(LineError::Field("h"))?;
    if chain_hash(base_hash, &[before, after]) == line.hash { Ok(()) } else { Err(LineError::Hash) }
}

/// Everything but the hash, the checksum and the end: what the chain hash covers.
fn hashed_parts(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = bytes.get(..bytes.len().checked_sub(TAIL_BYTES)?)?;
    // The letter in the field's name is the first of its kind: versions have none, and no kind is one.
    let at = memchr(b'h', body)?.checked_sub(HASH_LETTER_AT)?;
    let (before, rest) = body.split_at_checked(at)?;
    Some((before, rest.strip_prefix(HASH.as_bytes())?.get(HASH_DIGITS + 1..)?))
}

/// The text before the checksum, if the line's size, ends and checksum are right.
fn checked_body(bytes: &[u8]) -> Result<&str, LineError> {
    if bytes.len() > LINE_BYTES_MAX {
        return Err(LineError::TooLong);
    }
    match bytes.split_last() {
        // JSON allows a line end between its parts; here it would begin another line.
        Some((b'\n', inside)) if memchr(b'\n', inside).is_none() => {}
        _ => return Err(LineError::LineEnd),
    }
    let split = bytes.len().checked_sub(TAIL_BYTES).ok_or(LineError::Checksum)?;
    let (body, tail) = bytes.split_at_checked(split).ok_or(LineError::Checksum)?;
    if !is_tail_of(body, tail) {
        return Err(LineError::Checksum);
    }
    std::str::from_utf8(body).map_err(|_| LineError::Field("text"))
}

/// The text of the field that opens with `open`, and what stands after its closing quote.
fn text_field<'a>(
    text: &'a str,
    open: &str,
    name: &'static str,
) -> Result<(&'a str, &'a str), LineError> {
    // All of these are so short that looking byte by byte is the quickest.
    let split = |text: &'a str| {
        let (value, rest) = text.split_at_checked(text.bytes().position(|byte| byte == b'"')?)?;
        Some((value, rest.strip_prefix('"')?))
    };
    text.strip_prefix(open).and_then(split).ok_or(LineError::Field(name))
}

fn field<'a, T: FromStr>(
    text: &'a str,
    open: &str,
    name: &'static str,
) -> Result<(T, &'a str), LineError> {
    let (value, rest) = text_field(text, open, name)?;
    Ok((value.parse().map_err(|_| LineError::Field(name))?, rest))
}

fn decode_requests(text: &str) -> Result<(Vec<Recorded>, &str), LineError> {
    let wrong = || LineError::Field("q");
    let text = text.strip_prefix(REQUESTS).ok_or_else(wrong)?;
    if let Some((request, rest)) = plain::requests(text) {
        return Ok((request.into_iter().collect(), rest));
    }
    let mut values =
        serde_json::Deserializer::from_str(text).into_iter::<Vec<(RequestId, Hash128, Receipt)>>();
    let requests = values.next().ok_or_else(wrong)?.map_err(|_| wrong())?;
    let rest = text.get(values.byte_offset()..).ok_or_else(wrong)?;
    let recorded = |(id, digest, result)| Recorded { id, digest, result };
    Ok((requests.into_iter().map(recorded).collect(), rest))
}

/// Entries, and where in the file each stands.
type Placed = Vec<(Entry, Place)>;

/// The entries with their places, and what stands behind them.
fn decode_entries<'a>(
    text: &'a str,
    bytes: &[u8],
    offset: u64,
) -> Result<(Placed, &'a str), LineError> {
    let wrong = || LineError::Field("d");
    let text = text.strip_prefix(ENTRIES).ok_or_else(wrong)?;
    // An entry's distance from the line's first byte is its place: all these are parts of the line.
    let place_of = |json: &str| {
        let inside = json.as_ptr() as usize - bytes.as_ptr() as usize;
        let offset = u64::try_from(inside).ok().and_then(|inside| offset.checked_add(inside));
        let len = u32::try_from(json.len()).ok();
        Ok(Place { offset: offset.ok_or_else(wrong)?, len: len.ok_or_else(wrong)? })
    };
    if let Some((entry, json, rest)) = plain::posted(text) {
        return Ok((vec![(entry, place_of(json)?)], rest));
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Vec<&RawValue>>();
    let entries = values.next().ok_or_else(wrong)?.map_err(|_| wrong())?;
    let rest = text.get(values.byte_offset()..).ok_or_else(wrong)?;
    // The general reader borrows, too.
    let with_place = |raw: &RawValue| Ok((decode_entry(raw.get())?, place_of(raw.get())?));
    let entries: Result<Placed, LineError> = entries.into_iter().map(with_place).collect();
    Ok((entries?, rest))
}

fn decode_ops(text: &str) -> Result<(u64, &str), LineError> {
    let wrong = || LineError::Field("ops");
    let text = text.strip_prefix(OPS).ok_or_else(wrong)?;
    let (digits, rest) = text.split_at(text.find(',').ok_or_else(wrong)?);
    Ok((number(digits).ok_or_else(wrong)?, rest))
}

fn decode_part(text: &str, ops: u64) -> Result<Part, LineError> {
    let part = text.strip_prefix(PART).and_then(|text| text.strip_suffix(']'));
    let (part, of) = part.and_then(|text| text.split_once(',')).ok_or(LineError::Field("part"))?;
    let part = Option::zip(number(part), number(of)).filter(|(part, of)| (1..=*of).contains(part));
    let (number, of) = part.ok_or(LineError::Field("part"))?;
    Ok(Part { number, of, ops })
}

/// A number in its only spelling.
fn number<T: FromStr + ToString>(digits: &str) -> Option<T> {
    digits.parse().ok().filter(|number: &T| number.to_string() == digits)
}

/// The checksum is right, so an entry that is not understood was written so: by a newer program.
fn decode_entry(json: &str) -> Result<Entry, LineError> {
    #[derive(serde::Deserialize)]
    struct Named {
        e: String,
    }
    serde_json::from_str(json).map_err(|_| match serde_json::from_str::<Named>(json) {
        Ok(named) => LineError::NewerFormat(format!("entry {:?}", named.e)),
        Err(_) => LineError::Field("d"),
    })
}

/// What the fields must be to each other.
fn check_sense(line: &Line) -> Result<(), LineError> {
    if line.version <= line.base {
        return Err(LineError::Field("v"));
    }
    let is_snapshot = matches!(line.kind, Kind::Snapshot(_));
    if is_snapshot && !line.base.is_zero() {
        return Err(LineError::Field("p"));
    }
    if if is_snapshot { line.com != line.version } else { line.com > line.base } {
        return Err(LineError::Field("com"));
    }
    let left = |(entry, _): &&(Entry, Place)| matches!(entry, Entry::Left { .. });
    let lefts = line.entries.iter().filter(left).count();
    let is_last = line.entries.last().is_some_and(|entry| left(&entry));
    let fits = match line.kind {
        Kind::Delta => lefts == 0,
        Kind::Identity => line.entries.is_empty() && line.requests.is_empty(),
        Kind::Tombstone => lefts == 1 && is_last,
        Kind::Snapshot(part) => {
            lefts == 0 || (lefts == 1 && is_last && part.number == part.of && is_of_the_gone(line))
        }
    };
    if fits { Ok(()) } else { Err(LineError::Field("k")) }
}

/// Whether nothing stands before the last entry but what outlives an account.
fn is_of_the_gone(line: &Line) -> bool {
    let before = line.entries.split_last().map(|(_, before)| before);
    before.into_iter().flatten().all(|(entry, _)| keeping::outlives(entry))
}
