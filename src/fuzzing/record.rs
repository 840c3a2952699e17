//! What another machine or a disk hands over: lines of users' files, frames and their messages.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::id::{Hash128, UserName};
use crate::limits::{LINE_BYTES_MAX, REQUESTS_KEPT};
use crate::replica::version::Version;
use crate::store::line::{Kind, Line, NewLine, decode, encode};
use crate::store::scan::{End, Scan, scan};
use crate::store::snapshot::fold;
use crate::transport::frame::{Assembly, Cutter};
use crate::user::User;
use crate::user::entry::Entry;
use crate::wire::message::{Answer, Envelope, Hello, Message, Welcome};
use crate::wire::request::{Request, Response};

/// Bytes behind the body of a line: the checksum's field and the line's end.
const TAIL_BYTES: usize = ",\"c\":\"01234567\"}\n".len();

/// A file is read to the same end in whatever condition it is, and what is good of it is folded
/// without changing what it tells. A line that passes its checksum is written again as it was read.
pub(super) fn line(data: &[u8]) {
    let mut lines = Vec::new();
    let scanned = scan(data, &mut |line| lines.push(line));
    check_scan(&scanned, data, &lines);
    // A fuzzer hits no checksum: with the right one it gets further.
    for piece in data.split_inclusive(|&byte| byte == b'\n') {
        let sealed = sealed(piece);
        match decode(&sealed, 0) {
            Ok(line) => check_line(&line, &sealed),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// The same bytes with a checksum that fits them.
fn sealed(piece: &[u8]) -> Vec<u8> {
    let end = piece.len().saturating_sub(TAIL_BYTES);
    let body = if piece.ends_with(b"\"}\n") { piece.get(..end) } else { Some(piece) };
    let body = body.unwrap_or_default();
    let tail = format!(",\"c\":\"{:08x}\"}}\n", crc32c::crc32c(body));
    [body, tail.as_bytes()].concat()
}

fn check_scan(scanned: &Scan, data: &[u8], lines: &[Line]) {
    let good = usize::try_from(scanned.good_len).unwrap_or(usize::MAX);
    let Some(good) = data.get(..good) else { panic!("more is good than is there") };
    if let End::Torn { bytes } = scanned.end {
        assert_eq!(scanned.good_len + bytes, data.len() as u64, "a torn end in the middle");
    }
    let mut again = 0;
    let of_good = scan(good, &mut |_| again += 1);
    assert_eq!((of_good.end, of_good.lines), (End::Whole, again));
    assert_eq!(of_good.chain, scanned.chain, "the good part tells otherwise alone");
    let versions: Vec<Version> = lines.iter().map(|line| line.version).collect();
    assert!(versions.is_sorted(), "{versions:?}");
    let (Ok(name), false) = (UserName::parse("ada"), good.is_empty()) else { return };
    // Whoever folds asks itself whether the fold tells the same, and panics if not.
    match fold(&name, good, scanned.chain.version) {
        Ok(Some(folded)) => {
            let again = scan(&folded.bytes, &mut |_| {});
            assert_eq!((again.end, again.chain.hash), (End::Whole, scanned.chain.hash));
            check_user(&folded.user);
        }
        Ok(None) => panic!("the last version is in no line"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn check_line(line: &Line, bytes: &[u8]) {
    assert!(bytes.len() <= LINE_BYTES_MAX && line.version > line.base);
    let Ok(name) = UserName::parse("ada") else { return };
    let mut user = User::absent(name);
    line.apply_to(&mut user, |_, _| {});
    check_user(&user);
    for (_, place) in &line.entries {
        let (from, len) = (usize::try_from(place.offset).unwrap_or(usize::MAX), place.len as usize);
        let json = bytes.get(from..from.saturating_add(len));
        let found = json.is_some_and(|json| serde_json::from_slice::<Entry>(json).is_ok());
        assert!(found, "no entry stands at {place:?}");
    }
    if matches!(line.kind, Kind::Snapshot(_)) {
        return;
    }
    let entries: Vec<Entry> = line.entries.iter().map(|(entry, _)| entry.clone()).collect();
    let new = NewLine {
        version: line.version,
        base: line.base,
        base_hash: Hash128::default(),
        com: line.com,
        kind: line.kind,
        requests: &line.requests,
        entries: &entries,
    };
    let written = encode(&new).bytes;
    // Another spelling of its texts may be too long.
    if written.len() > LINE_BYTES_MAX {
        return;
    }
    let Ok(again) = decode(&written, 0) else { panic!("a line written anew is no line") };
    assert_eq!((again.version, again.base), (line.version, line.base));
    assert_eq!((again.kind, again.com), (line.kind, line.com));
    assert_eq!(again.requests, line.requests);
    assert!(again.entries.iter().map(|(entry, _)| entry).eq(&entries));
}

/// What `user` promises of itself.
fn check_user(user: &User) {
    assert!(user.posts.is_sorted_by(|a, b| a.id < b.id), "posts out of order");
    assert!(user.deleted.is_sorted_by(|a, b| a < b), "deleted posts out of order");
    assert!(user.posts.iter().all(|post| !user.has_deleted(post.id)), "deleted, and stands");
    assert!(user.labels.iter().is_sorted(), "labels out of order");
    assert!(user.pinned.is_none_or(|id| user.post(id).is_some()), "pinned, and does not stand");
    assert!(user.edits.keys().all(|id| user.post(*id).is_some()), "edited, and does not stand");
    let beside = user.audiences.keys().chain(user.pictures.keys()).chain(user.aside().polls.keys());
    assert!(beside.into_iter().all(|id| user.post(*id).is_some()), "more of what does not stand");
    assert!(user.audiences.values().all(|it| !it.is_everyone()), "for few, and for everybody");
    assert!(user.requests.len() <= REQUESTS_KEPT && user.requests.len() as u64 <= user.ops);
}

/// Bytes of a frame, in whatever pieces, take no more memory than came and than was allowed; the one
/// way to cut the frame gives it back. What it says is read as every kind of message, and what is
/// understood says the same written anew.
pub(super) fn frame(data: &[u8]) {
    /// More than a fuzzer sends.
    const ALLOWED: usize = 64 * 1024;
    let Some((&cut, bytes)) = data.split_first() else { return };
    let (first, rest) = bytes.split_at(usize::from(cut).min(bytes.len()));
    assemble(&[first, rest], ALLOWED);
    if let Some(frame) = assemble(&[bytes], ALLOWED) {
        assert!(assemble(&[bytes], frame.len().saturating_sub(1)).is_none() || frame.is_empty());
        said(&frame);
    }
    said(bytes);
}

/// The header of the frame that these messages make.
fn assemble(messages: &[&[u8]], bytes_max: usize) -> Option<Vec<u8>> {
    let (first, rest) = messages.split_first()?;
    let mut assembly = Assembly::begin(first, bytes_max).ok()?;
    for message in rest {
        assembly.push(message).ok()?;
    }
    if assembly.bytes_left() > 0 {
        return None;
    }
    let frame = assembly.into_frame();
    assert!(frame.header.len() + frame.body.len() <= bytes_max);
    let Ok(mut cutter) = Cutter::new(&frame.header, &frame.body, bytes_max) else {
        panic!("too long to send what was received");
    };
    let (mut cut, mut piece) = (Vec::new(), Vec::new());
    while cutter.next_into(&mut piece) {
        cut.extend_from_slice(&piece);
    }
    assert_eq!(cut, messages.concat(), "cut otherwise than it came");
    Some(frame.header)
}

/// A header, read as all that may come: between backends, and from a web server.
fn said(header: &[u8]) {
    read_again::<Hello>(header);
    read_again::<Welcome>(header);
    read_again::<Envelope<Message>>(header);
    read_again::<Envelope<Answer>>(header);
    read_again::<Request>(header);
    read_again::<Response>(header);
}

fn read_again<T: Serialize + DeserializeOwned + PartialEq>(header: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(header) else { return };
    let Ok(written) = serde_json::to_vec(&read) else { panic!("read, and cannot be written") };
    let again = serde_json::from_slice::<T>(&written).ok();
    assert!(again == Some(read), "said otherwise: {}", String::from_utf8_lossy(&written));
}
