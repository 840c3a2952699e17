//! A snapshot: what stands in a file in place of the committed lines that compaction folded.
//!
//! ```text
//!   {…"k":"s"…,"part":[1,2]…}\n    the same version, hash and count of requests in every part; the
//!   {…"k":"s"…,"part":[2,2]…}\n    requests in the first
//!   {…"k":"d"…}\n                  ordinary lines go on from that version
//! ```
//!
//! Pure. It is several lines and not one so that none is longer than `LINE_BYTES_MAX` and no reader
//! needs a whole file in one piece. The entries are copied as the bytes they were: what a newer
//! program had written into them survives.

use std::collections::VecDeque;
use std::ops::Range;

use super::line::{
    BASE, COM, ENTRIES, HASH, KIND, Line, LineError, OPS, PART, REQUESTS, TAIL_BYTES, VERSION,
    tail_of, to_json,
};
use super::scan::{Chain, End, Scan, scan};
use crate::id::{Hash128, UserName};
use crate::limits::{LINE_BYTES_MAX, REQUESTS_KEPT};
use crate::replica::version::Version;
use crate::user::fold::Fold;
use crate::user::{Place, Recorded, Status, User};

/// Bytes of a request with its brackets and the comma behind it, at most: two hashes and a post's
/// number, which is the longest of receipts.
const REQUEST_BYTES_MAX: usize = 2 * (32 + 3) + 2 + 20 + 3;
/// Bytes of everything in a part but its requests and entries, at most: two versions of five
/// numbers, a hash, three more numbers, and the fields' names.
const FRAME_BYTES_MAX: usize = 512;

const _: () = assert!(FRAME_BYTES_MAX + REQUESTS_KEPT * REQUEST_BYTES_MAX < LINE_BYTES_MAX / 2);

/// What a snapshot states beside its entries.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The version that the folded lines had led to.
    pub version: Version,
    /// The chain hash there.
    pub hash: Hash128,
    /// How many requests were ever recorded.
    pub ops: u64,
    /// The last of them, oldest first.
    pub requests: &'a [Recorded],
}

/// Spells a snapshot of these entries, each given as its JSON.
///
/// # Errors
/// [`LineError::TooLong`] when an entry leaves no room for what a part must state: such a file
/// stays as it is.
///
/// # Panics
/// When there are more requests than are kept, or than were ever recorded; when the version is
/// zero.
pub fn encode(head: &Head<'_>, entries: &[&[u8]]) -> Result<Vec<u8>, LineError> {
    let lens: Vec<usize> = entries.iter().map(|entry| entry.len()).collect();
    spell(head, &lens, |index, line| {
        line.extend_from_slice(entries.get(index).copied().unwrap_or_default());
        Ok(())
    })
}

/// The same, of entries of these lengths, each of which `copy` adds to a part when it is its turn.
fn spell<E: From<LineError>>(
    head: &Head<'_>,
    lens: &[usize],
    mut copy: impl FnMut(usize, &mut Vec<u8>) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let asked = head.requests.len();
    assert!(asked <= REQUESTS_KEPT && asked as u64 <= head.ops, "{asked} requests of {}", head.ops);
    assert!(!head.version.is_zero(), "a snapshot of no file");
    let requests: Vec<_> = head.requests.iter().map(|r| (r.id, r.digest, &r.result)).collect();
    let requests = to_json(&requests);
    let parts = split(requests.len(), lens)?;
    let Head { version, hash, ops, .. } = head;
    let kind = "s";
    let mut file = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let requests = if index == 0 { requests.as_str() } else { "[]" };
        let mut line = format!(
            "{VERSION}{version}\"{BASE}{}\"{KIND}{kind}\"{HASH}{hash}\"{COM}{version}\"{OPS}{ops}\
             {REQUESTS}{requests}{ENTRIES}[",
            Version::ZERO
        )
        .into_bytes();
        for entry in part.clone() {
            if entry > part.start {
                line.push(b',');
            }
            copy(entry, &mut line)?;
        }
        line.extend_from_slice(format!("]{PART}{},{}]", index + 1, parts.len()).as_bytes());
        let tail = tail_of(&line);
        line.extend_from_slice(tail.as_bytes());
        assert!(line.len() <= LINE_BYTES_MAX, "a part of {} bytes", line.len());
        file.append(&mut line);
    }
    Ok(file)
}

/// Deals entries of these lengths out to parts, in order, as many to each as it holds; `first` bytes are
/// taken in the first one.
fn split(first: usize, lens: &[usize]) -> Result<Vec<Range<usize>>, LineError> {
    let room = LINE_BYTES_MAX - FRAME_BYTES_MAX - TAIL_BYTES;
    let (mut parts, mut start, mut used) = (Vec::new(), 0, first);
    for (index, len) in lens.iter().enumerate() {
        let bytes = len + 1;
        if bytes > room {
            return Err(LineError::TooLong);
        }
        if used + bytes > room {
            parts.push(start..index);
            (start, used) = (index, 0);
        }
        used += bytes;
    }
    parts.push(start..lens.len());
    Ok(parts)
}

/// Whether bytes that are no good line were a part of a snapshot. Its kind stands near its beginning
/// and its number at its end, so that a lost block hides one of them at most.
pub(super) fn is_part(piece: &[u8]) -> bool {
    let kind = format!("{KIND}s\"");
    let number = format!("]{PART}");
    [kind, number]
        .iter()
        .any(|mark| piece.windows(mark.len()).any(|window| window == mark.as_bytes()))
}

/// A file whose committed lines were folded.
#[derive(Debug)]
pub struct Folded {
    /// The new file.
    pub bytes: Vec<u8>,
    /// The user as the committed part of it tells.
    pub user: User,
    /// The lines behind that.
    pub tail: Vec<Line>,
}

/// A file that is folded, wherever its bytes are: the file of somebody who wrote much is not held in memory.
pub(super) trait Source {
    /// What may be wrong with it.
    type Error: From<LineError>;

    /// Shows each good line, as [`scan`] does.
    fn scan(&self, visit: &mut dyn FnMut(Line)) -> Result<Scan, Self::Error>;

    /// Adds the bytes at a place.
    fn copy(&self, place: Place, to: &mut Vec<u8>) -> Result<(), Self::Error>;

    /// Adds all that stands behind so many lines.
    fn copy_behind(&self, lines: usize, to: &mut Vec<u8>) -> Result<(), Self::Error>;
}

impl Source for &[u8] {
    type Error = LineError;

    fn scan(&self, visit: &mut dyn FnMut(Line)) -> Result<Scan, LineError> {
        Ok(scan(self, visit))
    }

    fn copy(&self, place: Place, to: &mut Vec<u8>) -> Result<(), LineError> {
        let from = usize::try_from(place.offset).unwrap_or(usize::MAX);
        let bytes = self.get(from..from.saturating_add(place.len as usize));
        to.extend_from_slice(bytes.ok_or(LineError::LineEnd)?);
        Ok(())
    }

    fn copy_behind(&self, lines: usize, to: &mut Vec<u8>) -> Result<(), LineError> {
        let pieces = self.split_inclusive(|&byte| byte == b'\n');
        pieces.skip(lines).for_each(|line| to.extend_from_slice(line));
        Ok(())
    }
}

/// Folds the lines of a file up to `com`; those after it stay as they are. What comes out was read
/// again and tells the same as what went in. `None` if the file has no line of that version.
///
/// # Errors
/// What is wrong with the file, or [`LineError::TooLong`] as for [`encode`].
///
/// # Panics
/// When the new file would tell something else: it must never take the old one's place.
pub fn fold(name: &UserName, bytes: &[u8], com: Version) -> Result<Option<Folded>, LineError> {
    fold_from(name, &bytes, com)
}

/// [`fold`] of a file that is read as it is needed.
pub(super) fn fold_from<S: Source>(
    name: &UserName,
    source: &S,
    com: Version,
) -> Result<Option<Folded>, S::Error> {
    let mut before = Told::absent(name);
    let mut standing = Fold::default();
    let ended = source.scan(&mut |line| {
        if line.version <= com {
            line.entries.iter().for_each(|(entry, place)| standing.add(entry, *place));
        }
        before.line(line, com);
    })?;
    let before = before.end(ended)?;
    let Some(hash) = before.hash else { return Ok(None) };
    let places = standing.survivors();
    drop(standing);
    let lens: Vec<usize> = places.iter().map(|place| place.len as usize).collect();
    let requests = before.requests.as_slices().0;
    let head = Head { version: com, hash, ops: before.user.ops, requests };
    let mut new = spell(&head, &lens, |index, line| match places.get(index) {
        Some(place) => source.copy(*place, line),
        None => Ok(()),
    })?;
    drop((places, lens));
    if !before.tail.is_empty() {
        source.copy_behind(before.lines, &mut new)?;
    }

    let mut after = Told::absent(name);
    let ended = scan(&new, &mut |line| after.line(line, com));
    let after = after.end(ended)?;
    let chain = Chain { com: before.chain.com.max(com), ..before.chain };
    let same = after.chain == chain && after.tail.len() == before.tail.len();
    assert!(same && after.hash == Some(hash), "{name}: folding changed the history");
    assert!(after.requests == before.requests, "{name}: folding changed the requests");
    assert!(after.user.says_same(&before.user), "{name}: folding changed the user");
    Ok(Some(Folded { bytes: new, user: after.user, tail: after.tail }))
}

/// What a whole file tells.
struct Told {
    /// As the lines up to `com` tell.
    user: User,
    /// The last requests that the file keeps, in one piece; in memory are fewer.
    requests: VecDeque<Recorded>,
    /// How many lines that are.
    lines: usize,
    /// The chain hash of `com`, if there is a line of that version.
    hash: Option<Hash128>,
    tail: Vec<Line>,
    chain: Chain,
}

impl Told {
    fn absent(name: &UserName) -> Self {
        let user = User::absent(name.clone());
        let (requests, chain) = (VecDeque::new(), Chain::default());
        Self { user, requests, lines: 0, hash: None, tail: Vec::new(), chain }
    }

    fn line(&mut self, line: Line, com: Version) {
        if line.version > com {
            return self.tail.push(line);
        }
        line.apply_to(&mut self.user, |_, _| {});
        self.requests.extend(&line.requests);
        let kept = if matches!(self.user.status, Status::Left(_)) { 1 } else { REQUESTS_KEPT };
        self.requests.drain(..self.requests.len().saturating_sub(kept));
        self.lines += 1;
        self.hash = (line.version == com).then_some(line.hash);
    }

    /// With how the file ends.
    fn end(mut self, scan: Scan) -> Result<Self, LineError> {
        match scan.end {
            End::Whole => {
                self.user.shrink_to_fit();
                self.requests.make_contiguous();
                Ok(Self { chain: scan.chain, ..self })
            }
            End::Torn { .. } => Err(LineError::LineEnd),
            End::Damaged { why, .. } => Err(why),
        }
    }
}
