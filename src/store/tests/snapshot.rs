//! Tests of snapshots: their spelling, their place, and what folding keeps.

use proptest::prelude::*;

use super::user_store::Home;
use super::{History, ada, posted, recorded, version};
use crate::clock::Wall;
use crate::id::{Hash128, PictureKind, PictureName, PostId, RequestId};
use crate::limits::{LINE_BYTES_MAX, LOAD_BUFFER_BYTES, REQUESTS_KEPT, REQUESTS_LEAST};
use crate::replica::version::{Term, Version};
use crate::store::StoreError;
use crate::store::folding::FoldError;
use crate::store::line::{Kind, LineError, NewLine, Part, check_chain, decode, encode as line};
use crate::store::scan::{End, Scan, scan};
use crate::store::snapshot::{Head, encode, fold};
use crate::user::entry::{Audience, Entry, Picture, PostRef, SessionId};
use crate::user::{Receipt, Recorded, User};

const HASH: Hash128 = Hash128([7; 16]);

fn head(requests: &[Recorded]) -> Head<'_> {
    Head { version: version(1, 9), hash: HASH, ops: 12, requests }
}

fn json(entry: &Entry) -> Vec<u8> {
    serde_json::to_vec(entry).unwrap()
}

fn post(number: u64, text: &str) -> Entry {
    Entry::Posted {
        at: Wall(number),
        id: PostId::from_raw(number),
        text: text.to_owned(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    }
}

fn covered(number: u64, is_covered: bool) -> Entry {
    match post(number, "hello") {
        Entry::Posted { at, id, text, reply_to, note, pictures, .. } => {
            Entry::Posted { at, id, text, reply_to, note, pictures, sensitive: is_covered }
        }
        other => other,
    }
}

fn spelled(requests: &[Recorded], entries: &[Entry]) -> Vec<u8> {
    let entries: Vec<_> = entries.iter().map(json).collect();
    let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    encode(&head(requests), &entries).unwrap()
}

/// A snapshot that takes `parts` lines.
fn long(parts: usize) -> Vec<u8> {
    let text = "x".repeat(LINE_BYTES_MAX / 2 + 1);
    let entries: Vec<_> = (1..=parts as u64).map(|number| post(number, &text)).collect();
    spelled(&[recorded(1)], &entries)
}

fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').collect()
}

fn sealed(body: &str) -> Vec<u8> {
    format!("{body},\"c\":\"{:08x}\"}}\n", crc32c::crc32c(body.as_bytes())).into_bytes()
}

fn scanned(bytes: &[u8]) -> Scan {
    scan(bytes, &mut |_| {})
}

fn user_of(bytes: &[u8]) -> User {
    let mut user = User::absent(ada());
    let scan = scan(bytes, &mut |line| line.apply_to(&mut user, |_, _| {}));
    assert_eq!(scan.end, End::Whole);
    user
}

const SPELLING: &str = concat!(
    r#"{"v":"1.1.2.3.9","p":"0","k":"s","h":"07070707070707070707070707070707","#,
    r#""com":"1.1.2.3.9","ops":12,"#,
    r#""q":[["01010101010101010101010101010101","02020202020202020202020202020202","111"]],"#,
    r#""d":[{"e":"joined","at":4},{"e":"left_out_below"}],"part":[1,1]"#
);

fn good() -> String {
    SPELLING.replace(r#",{"e":"left_out_below"}"#, "")
}

#[test]
fn snapshot_encoded_has_this_spelling() {
    let bytes = spelled(&[recorded(1)], &[Entry::Joined { at: Wall(4) }]);
    assert_eq!(String::from_utf8(bytes), String::from_utf8(sealed(&good())));
}

#[test]
fn snapshot_decodes_with_places_and_state() {
    let bytes = spelled(&[recorded(1)], &[Entry::Joined { at: Wall(4) }, posted("one")]);
    let line = decode(&bytes, 0).unwrap();
    assert_eq!((line.version, line.base, line.com), (version(1, 9), Version::ZERO, version(1, 9)));
    assert_eq!(line.kind, Kind::Snapshot(Part { number: 1, of: 1, ops: 12 }));
    let place = line.entries[1].1;
    let from = usize::try_from(place.offset).unwrap();
    assert_eq!(&bytes[from..from + place.len as usize], json(&posted("one")));
    let scan = scanned(&bytes);
    assert_eq!((scan.end, scan.lines, scan.good_len), (End::Whole, 1, bytes.len() as u64));
    assert_eq!((scan.chain.version, scan.chain.hash), (version(1, 9), HASH));
    assert_eq!(scan.chain.com, version(1, 9));
    let user = user_of(&bytes);
    assert_eq!((user.ops, user.requests.len()), (12, 1));
    // Another machine must not be able to pass it off as the next line of a file.
    assert_eq!(check_chain(&line, &bytes, Version::ZERO, HASH), Err(LineError::Snapshot));
}

#[test]
fn snapshot_other_spellings_refused() {
    let check = |from: &str, to: &str, name| {
        let body = good().replace(from, to);
        assert_ne!(body, good(), "{from} is not in there");
        assert_eq!(decode(&sealed(&body), 0), Err(LineError::Field(name)), "{body}");
    };
    assert!(decode(&sealed(&good()), 0).is_ok());
    check(r#""ops":12"#, r#""ops":012"#, "ops");
    check(r#""ops":12"#, r#""ops":"12""#, "ops");
    check(r#""ops":12,"#, "", "ops");
    check(r#""ops":12"#, r#""ops":18446744073709551616"#, "ops");
    check("[1,1]", "[1, 1]", "part");
    check("[1,1]", "[0,1]", "part");
    check("[1,1]", "[2,1]", "part");
    check("[1,1]", "[+1,1]", "part");
    check(r#","part":[1,1]"#, "", "part");
    check(r#""p":"0""#, r#""p":"1.1.2.3.8""#, "p");
    check(r#""com":"1.1.2.3.9""#, r#""com":"1.1.2.3.8""#, "com");
    check(r#"[{"e":"joined","at":4}]"#, r#"[{"e":"joined","at":4},{"e":"left","at":5}]"#, "k");
    // A field of a snapshot in an ordinary line.
    let body = good().replace(r#""k":"s""#, r#""k":"d""#).replace(r#""ops":12,"#, "");
    let body = body.replace(r#""com":"1.1.2.3.9""#, r#""com":"0""#);
    assert_eq!(decode(&sealed(&body), 0), Err(LineError::Field("d")));
}

#[test]
fn snapshot_longer_than_a_line_takes_several() {
    let bytes = long(3);
    let parts = pieces(&bytes);
    assert_eq!(parts.len(), 3);
    assert!(parts.iter().all(|part| part.len() <= LINE_BYTES_MAX));
    assert_eq!(scanned(&bytes).end, End::Whole);
    let user = user_of(&bytes);
    assert_eq!((user.posts.len(), user.ops, user.requests.len()), (3, 12, 1));
    let history: Vec<_> = [&bytes[..], &next_line(&bytes)].concat();
    assert_eq!(scanned(&history).chain.version, version(1, 10));
}

#[test]
fn snapshot_entry_without_room_refused() {
    let entry = vec![b'x'; LINE_BYTES_MAX - 100];
    assert_eq!(encode(&head(&[]), &[&entry]), Err(LineError::TooLong));
}

#[test]
fn snapshot_with_all_requests_fits_its_first_part() {
    let longest = Receipt::Post(PostId::from_raw(u64::MAX));
    let requests = vec![Recorded { result: longest, ..recorded(3) }; REQUESTS_KEPT];
    let term = Term { epoch: u32::MAX, round: u64::MAX, node: u16::MAX, boot: u32::MAX };
    let version = Version { term, seq: u32::MAX };
    let head = Head { version, hash: HASH, ops: u64::MAX, requests: &requests };
    let text = "y".repeat(1000);
    let entries: Vec<_> = (0..400).map(|number| json(&post(number, &text))).collect();
    let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    let bytes = encode(&head, &entries).unwrap();
    assert!(pieces(&bytes).len() >= 2);
    assert_eq!((user_of(&bytes).ops, user_of(&bytes).requests.len()), (u64::MAX, REQUESTS_KEPT));
}

/// The line that comes after a snapshot of `head`.
fn next_line(_snapshot: &[u8]) -> Vec<u8> {
    line(&NewLine {
        version: version(1, 10),
        base: version(1, 9),
        base_hash: HASH,
        com: version(1, 9),
        kind: Kind::Delta,
        requests: &[],
        entries: &[post(77, "after")],
    })
    .bytes
}

#[test]
fn snapshot_incomplete_or_out_of_place_damaged() {
    let bytes = long(3);
    let parts = pieces(&bytes);
    let next = next_line(&bytes);
    let other = spelled(&[], &[post(5, "another")]);
    let more_ops = {
        let text =
            String::from_utf8(parts[1].to_vec()).unwrap().replace("\"ops\":12", "\"ops\":13");
        sealed(text.rsplit_once(",\"c\":").unwrap().0)
    };
    let before = History::of(1).bytes;
    let cases: [(&str, Vec<&[u8]>); 8] = [
        ("a part is missing at the end", vec![parts[0], parts[1]]),
        ("a part is missing at the beginning", vec![parts[1], parts[2]]),
        ("a part is missing between", vec![parts[0], parts[2]]),
        ("a part comes twice", vec![parts[0], parts[0], parts[1], parts[2]]),
        ("a line comes too early", vec![parts[0], parts[1], &next]),
        ("a second snapshot", vec![&bytes, &other]),
        ("the count differs", vec![parts[0], &more_ops, parts[2]]),
        ("it stands behind a line", vec![&before, &other]),
    ];
    for (what, pieces) in cases {
        let scan = scanned(&pieces.concat());
        assert!(
            matches!(scan.end, End::Damaged { why: LineError::Snapshot, .. }),
            "{what}: {:?}",
            scan.end
        );
        // What is good of it is a state, or nothing.
        let good = usize::try_from(scan.good_len).unwrap();
        assert_eq!(scanned(&pieces.concat()[..good]).end, End::Whole, "{what}");
    }
}

#[test]
fn snapshot_torn_damaged_because_renamed_never_torn() {
    let bytes = spelled(&[recorded(1)], &[posted("one")]);
    let kind_known = bytes.windows(7).position(|window| window == b"\"k\":\"s\"").unwrap() + 7;
    for len in kind_known..bytes.len() - 1 {
        let end = scanned(&bytes[..len]).end;
        assert!(matches!(end, End::Damaged { .. }), "first {len} bytes: {end:?}");
    }
    // A block that reads as zeros hides its beginning or its end, not both.
    for zeros in [0..60, bytes.len() - 60..bytes.len() - 1, bytes.len() - 60..bytes.len()] {
        let mut bytes = bytes.clone();
        bytes[zeros.clone()].fill(0);
        let end = scanned(&bytes).end;
        assert!(matches!(end, End::Damaged { .. }), "zeros at {zeros:?}: {end:?}");
    }
    let two = long(2);
    for len in [two.len() / 2 + 1000, two.len() - 5] {
        let end = scanned(&two[..len]).end;
        assert!(matches!(end, End::Damaged { .. }), "first {len} bytes of two parts: {end:?}");
    }
}

#[test]
fn line_behind_snapshot_cut_anywhere_torn() {
    let snapshot = spelled(&[recorded(1)], &[posted("one")]);
    let next = next_line(&snapshot);
    for len in 1..next.len() {
        let scan = scanned(&[&snapshot[..], &next[..len]].concat());
        assert_eq!(scan.end, End::Torn { bytes: len as u64 });
        assert_eq!(scan.good_len, snapshot.len() as u64);
    }
}

#[test]
fn snapshot_one_bit_other_refused() {
    let bytes = spelled(&[recorded(1)], &[Entry::Joined { at: Wall(4) }]);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            assert_ne!(scanned(&bytes).end, End::Whole, "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn snapshot_of_another_program_keeps_unknown_fields() {
    let entry = br#"{"e":"joined","at":4,"colour":"teal"}"#;
    let bytes = encode(&head(&[]), &[entry]).unwrap();
    let folded = fold(&ada(), &bytes, version(1, 9)).unwrap().unwrap();
    assert_eq!(folded.bytes, bytes);
    let unknown = encode(&head(&[]), &[br#"{"e":"painted","at":4}"#]).unwrap();
    assert_eq!(decode(&unknown, 0), Err(LineError::NewerFormat("entry \"painted\"".to_owned())));
}

#[test]
fn store_loads_and_verifies_snapshot_with_lines_behind_it() {
    let bytes = [long(2), next_line(b"")].concat();
    let home = Home::with_ada(&bytes);
    let (loaded, lines) = home.load().unwrap();
    assert_eq!((loaded.acc, loaded.com), (version(1, 10), version(1, 9)));
    assert_eq!(lines.len(), 3);
    assert_eq!(home.store.verify(&ada(), loaded.len).unwrap(), loaded);
    let place = lines[1].entries[0].1;
    let text = home.store.read_text(&ada(), PostId::from_raw(2), place).unwrap();
    assert_eq!(text.text.len(), LINE_BYTES_MAX / 2 + 1);
    // Cut inside of it: nothing of it is a state.
    let home = Home::with_ada(pieces(&long(2))[0]);
    let error = home.load().unwrap_err();
    assert!(matches!(error, StoreError::Damaged { why: LineError::Snapshot, .. }), "{error:?}");
}

/// A file of these entries, one a line, and the version of each.
fn file_of(entries: &[Entry]) -> (History, Vec<Version>) {
    let mut history = History::default();
    let mut versions = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let kind =
            if history.chain.left { Kind::Identity } else { Kind::of(std::slice::from_ref(entry)) };
        let left = history.chain.left || kind == Kind::Tombstone;
        let id = RequestId((number as u128).to_be_bytes());
        let request = Recorded { id, digest: HASH, result: Receipt::Done };
        match kind {
            Kind::Identity => history.add_kind(kind, &[]),
            _ => history.add_asked(&[request], std::slice::from_ref(entry)),
        };
        history.chain.left = left;
        versions.push(history.chain.version);
    }
    (history, versions)
}

#[test]
fn fold_keeps_the_tail_as_it_is() {
    let (history, versions) = file_of(&[post(1, "one"), post(2, "two"), post(3, "three")]);
    let third = pieces(&history.bytes)[2].to_vec();
    let folded = fold(&ada(), &history.bytes, versions[1]).unwrap().unwrap();
    assert!(folded.bytes.ends_with(&third));
    assert_eq!((folded.tail.len(), folded.user.posts.len()), (1, 2));
    let scan = scanned(&folded.bytes);
    assert_eq!((scan.chain.version, scan.chain.hash), (versions[2], history.chain.hash));
    // No line of that version: nothing is known to be committed, or it was folded further.
    assert!(fold(&ada(), &history.bytes, Version::ZERO).unwrap().is_none());
    assert!(fold(&ada(), &folded.bytes, versions[0]).unwrap().is_none());
}

#[test]
fn fold_of_damaged_file_refused() {
    let (history, versions) = file_of(&[post(1, "one"), post(2, "two")]);
    let mut bytes = history.bytes.clone();
    bytes[30] ^= 1;
    assert_eq!(fold(&ada(), &bytes, versions[1]).unwrap_err(), LineError::Checksum);
    let torn = &history.bytes[..history.bytes.len() - 4];
    assert_eq!(fold(&ada(), torn, versions[0]).unwrap_err(), LineError::LineEnd);
}

#[test]
fn fold_of_tombstone_under_300_bytes() {
    let term = Term { epoch: 12, round: 1_048_576_003, node: 15, boot: 4321 };
    let mut history = History::default();
    history.chain.version = Version::default();
    for number in 0..50 {
        history.add_asked(&[recorded(number)], &[post(u64::from(number), "a text")]);
    }
    let com = history.chain.version;
    let tombstone = line(&NewLine {
        version: Version { term, seq: 3 },
        base: com,
        base_hash: history.chain.hash,
        com,
        kind: Kind::Tombstone,
        requests: &[Recorded { result: Receipt::Done, ..recorded(0xee) }],
        entries: &[Entry::Left { at: Wall(1_790_000_000_000) }],
    });
    let bytes = [&history.bytes[..], &tombstone.bytes].concat();
    let folded = fold(&ada(), &bytes, Version { term, seq: 3 }).unwrap().unwrap();
    assert!(folded.bytes.len() < 300, "{} bytes", folded.bytes.len());
    assert_eq!((folded.user.ops, folded.user.requests.len()), (51, 1));
    assert!(folded.user.answered(&recorded(0xee).id, Hash128([0; 16])).is_some());
    let scan = scanned(&folded.bytes);
    assert!(scan.chain.left, "only identities may follow");
}

/// In as many parts as that takes.
#[test]
fn fold_of_a_keeper_who_left_keeps_what_they_did_as_one() {
    let acts = LINE_BYTES_MAX / 50;
    let mut history = History::default();
    history.add(&[Entry::Joined { at: Wall(1) }, Entry::KeeperMade { at: Wall(1) }, posted("one")]);
    for _ in 0..acts {
        history.add(&[kept(3)]);
    }
    history.add(&[kept(5), Entry::KeeperEnded { at: Wall(2) }]);
    history.add(&[Entry::Left { at: Wall(3) }]);
    let folded = fold(&ada(), &history.bytes, history.chain.version).unwrap().unwrap();
    let keeping = folded.user.keeping.as_ref().unwrap();
    assert_eq!((keeping.acts.len(), keeping.is_keeper, keeping.reports.len()), (acts, false, 0));
    assert!(folded.user.posts.is_empty() && pieces(&folded.bytes).len() > 1);
    assert!(scanned(&folded.bytes).chain.left, "only identities may follow");
    // Nothing else of the account may stand there.
    let spelled = |entries: &[Entry]| decode(&spelled(&[], entries), 0).map(|_| ());
    let left = || Entry::Left { at: Wall(3) };
    assert_eq!(spelled(&[kept(0), kept(3), kept(2), left()]), Ok(()));
    for other in [posted("one"), kept(5), left(), Entry::Joined { at: Wall(1) }] {
        assert_eq!(spelled(&[kept(0), other, left()]), Err(LineError::Field("k")));
    }
    assert_eq!(spelled(&[left(), kept(3)]), Err(LineError::Field("k")));
}

/// Read as it is needed, piece by piece, and never the bytes behind its end.
#[test]
fn fold_of_a_file_on_the_disk_is_that_of_its_bytes() {
    let mut entries = Vec::new();
    let text =
        |number: u64| format!("{number:0width$}", width = usize::try_from(number % 900).unwrap());
    while entries.len() < 2_000 {
        let number = entries.len() as u64 + 1;
        entries.push(post(number, &text(number)));
    }
    // What is left of them stands in pieces.
    let gone = (1..1_000).filter(|number| number % 7 < 3);
    entries.extend(gone.map(|number| Entry::PostDeleted {
        at: Wall(9),
        id: PostId::from_raw(number),
        few: false,
    }));
    let (history, versions) = file_of(&entries);
    assert!(history.bytes.len() > 4 * LOAD_BUFFER_BYTES, "several pieces");
    let home = Home::with_ada(&[&history.bytes[..], b"half a line that came meanwhile"].concat());
    let len = history.bytes.len() as u64;
    for behind in [0, 1, 1_500] {
        let com = versions[versions.len() - 1 - behind];
        let folded = home.store.fold(&ada(), len, com).unwrap().unwrap();
        let expected = fold(&ada(), &history.bytes, com).unwrap().unwrap();
        assert!(folded.bytes == expected.bytes, "{behind} lines behind it");
        assert_eq!((folded.tail.len(), folded.user.says_same(&expected.user)), (behind, true));
    }
    let last = *versions.last().unwrap();
    for wrong in [len - 1, len + 5] {
        let error = home.store.fold(&ada(), wrong, last).unwrap_err();
        assert!(matches!(error, FoldError::Line(LineError::LineEnd)), "{wrong}: {error:?}");
    }
    let error = home.store.fold(&ada(), len + 1_000, last).unwrap_err();
    assert!(matches!(error, FoldError::Store(StoreError::LengthDiffers { .. })), "{error:?}");
}

/// In memory are fewer: what years have passed since nobody sends again.
#[test]
fn fold_keeps_the_last_requests_of_the_file_and_not_those_of_memory() {
    const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1_000;
    let mut history = History::default();
    let request = |number: u64| {
        let id = RequestId(u128::from(number).to_be_bytes());
        let result = Receipt::Post(PostId::floor_of(number * YEAR_MS));
        Recorded { id, digest: Hash128([3; 16]), result }
    };
    let all = REQUESTS_KEPT as u64 + 7;
    for number in 1..=all {
        history.add_asked(
            &[request(number)],
            &[post(request(number).result.post().unwrap().get(), "text")],
        );
    }
    let folded = fold(&ada(), &history.bytes, history.chain.version).unwrap().unwrap();
    let first = decode(pieces(&folded.bytes)[0], 0).unwrap();
    assert!(first.requests.iter().copied().eq((8..=all).map(request)));
    assert_eq!(folded.user.requests.len(), REQUESTS_LEAST);
    assert_eq!(folded.user.requests, user_of(&history.bytes).requests);
    assert_eq!(folded.user.ops, all);
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let session = |byte: u8| SessionId(format!("{byte:02x}").repeat(32));
    let opened = move |(byte, at)| Entry::SessionOpened {
        at: Wall(at),
        id: session(byte),
        device: "Firefox".to_owned(),
        address: "192.0.2.1".to_owned(),
        app: None,
    };
    let name = |n: u8| crate::id::UserName::parse(&format!("user{n}")).unwrap();
    let profile = |n: u8| Entry::Profile {
        at: Wall(1),
        display_name: format!("Ada {n}"),
        bio: String::new(),
        members_only: n % 2 == 1,
        posts_for: Audience::USUAL[usize::from(n) % 3],
        avatar: None,
    };
    prop_oneof![
        2 => (0..9u64).prop_map(|at| Entry::Joined { at: Wall(at) }),
        2 => (0..9u8).prop_map(profile),
        2 => (0..9u8).prop_map(|n| Entry::Password { at: Wall(1), hash: format!("hash {n}"), reset: None }),
        8 => (0..5u8, 0..9u64).prop_map(opened),
        6 => (0..5u8).prop_map(move |byte| Entry::SessionClosed { at: Wall(1), id: session(byte) }),
        8 => (0..12u64, any::<bool>()).prop_map(|(id, is_covered)| covered(id, is_covered)),
        5 => (0..12u64, any::<bool>())
            .prop_map(|(id, few)| Entry::PostDeleted { at: Wall(1), id: PostId::from_raw(id), few }),
        30 => any_mark(),
        5 => (0..4u8).prop_map(move |n| Entry::Followed { at: Wall(1), user: name(n) }),
        4 => (0..4u8).prop_map(move |n| Entry::Unfollowed { at: Wall(1), user: name(n) }),
        2 => (0..4u8, prop::option::of(0..9u64)).prop_map(move |(n, until)| {
            Entry::Muted { at: Wall(1), user: name(n), until: until.map(Wall) }
        }),
        1 => (0..4u8).prop_map(move |n| Entry::Unmuted { at: Wall(1), user: name(n) }),
        2 => (0..4u8).prop_map(move |n| Entry::Blocked { at: Wall(1), user: name(n) }),
        1 => (0..4u8).prop_map(move |n| Entry::Unblocked { at: Wall(1), user: name(n) }),
        2 => (0..4u8, 0..9u64)
            .prop_map(move |(n, at)| Entry::FollowerRemoved { at: Wall(at), user: name(n) }),
        3 => (0..6u8).prop_map(kept),
        1 => Just(Entry::Left { at: Wall(7) }),
    ]
}

/// What somebody says who keeps the community, or once did.
fn kept(kind: u8) -> Entry {
    let (at, user, reason) = (Wall(1), ada(), "loud".to_owned());
    match kind {
        0 | 1 => Entry::KeeperMade { at },
        2 => Entry::KeeperEnded { at },
        3 => Entry::MemberSuspended { at, user, until: None, reason },
        4 => Entry::PostHidden { at, user, id: PostId::from_raw(4), reason },
        _ => Entry::Reported { at, user, id: PostId::from_raw(4), reason },
    }
}

fn picture(n: u8, sent_as: Option<PostId>) -> Picture {
    let file = PictureName::of(PictureKind::Png, &[n]);
    let description = format!("gull {n}");
    Picture { file, thumb: file, width: 4, height: 3, bytes: 9, description, sent_as }
}

/// What people do with posts: their own, which may stand or not, and others'.
fn any_mark() -> impl Strategy<Value = Entry> {
    let id = || (0..12u64).prop_map(PostId::from_raw);
    let note = prop::option::of(Just("Gloves".to_owned()));
    let edited = move |(id, n, note, sensitive): (_, u64, _, _)| Entry::PostEdited {
        at: Wall(n),
        id,
        text: format!("edit {n}"),
        note,
        sensitive,
        descriptions: sensitive.map(|is| vec![format!("gull {n} {is}")]),
    };
    let post = (prop::sample::select(vec!["ada", "ben"]), id())
        .prop_map(|(user, id)| PostRef { user: user.parse().unwrap(), id });
    let mark = |(kind, at, post): (u8, u64, PostRef)| {
        let at = Wall(at);
        match kind {
            0 => Entry::Liked { at, post },
            1 => Entry::Unliked { at, post },
            2 => Entry::Reposted { at, post },
            3 => Entry::Unreposted { at, post },
            4 => Entry::Bookmarked { at, post },
            _ => Entry::Unbookmarked { at, post },
        }
    };
    // Some of them a day later.
    let sent = |(n, id, day): (u8, PostId, u64)| Entry::PictureSent {
        at: Wall(day * 90_000_000),
        id,
        picture: picture(n, None),
    };
    let shown = |(id, n, sent): (PostId, u8, PostId)| Entry::Posted {
        at: Wall(1),
        id,
        text: String::new(),
        reply_to: None,
        note: None,
        pictures: vec![picture(n, Some(sent))],
        sensitive: false,
    };
    prop_oneof![
        3 => (0..3u8, id(), 0..3u64).prop_map(sent),
        2 => (id(), 0..3u8, id()).prop_map(shown),
        3 => (id(), 0..9u64, note, any::<Option<bool>>()).prop_map(edited),
        2 => id().prop_map(|id| Entry::Pinned { at: Wall(1), id }),
        1 => Just(Entry::Unpinned { at: Wall(1) }),
        6 => (0..6u8, 0..9u64, post).prop_map(mark),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn fold_keeps_user_and_is_idempotent(
        entries in prop::collection::vec(any_entry(), 1..90), until in 0_usize..90,
    ) {
        let (history, versions) = file_of(&entries);
        let com = versions[until.min(versions.len() - 1)];
        let folded = fold(&ada(), &history.bytes, com).unwrap().unwrap();
        prop_assert!(user_of(&folded.bytes).says_same(&user_of(&history.bytes)));
        let again = fold(&ada(), &folded.bytes, com).unwrap().unwrap();
        prop_assert_eq!(&again.bytes, &folded.bytes);
        // Folding in two steps is folding once.
        let (last, all) = (*versions.last().unwrap(), history.chain);
        let step = fold(&ada(), &folded.bytes, last).unwrap().unwrap();
        let once = fold(&ada(), &history.bytes, last).unwrap().unwrap();
        prop_assert_eq!(&step.bytes, &once.bytes);
        prop_assert!(step.user.says_same(&once.user));
        prop_assert_eq!(scanned(&step.bytes).chain.hash, all.hash);
    }
}
