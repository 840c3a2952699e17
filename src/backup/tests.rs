//! What is made is read again; whatever else is given is refused, and nothing of it is taken.

use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::header::BLOCK_BYTES;
use super::*;
use crate::id::{PictureKind, PictureName, PostId, UserName};
use crate::replica::version::{Term, Version};
use crate::store::line::{self, Encoded, Kind, NewLine};
use crate::user::entry::Entry;

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

fn version(seq: u32) -> Version {
    Version { term: Term { epoch: 3, round: 40, node: 2, boot: 5 }, seq }
}

/// A file of so many lines.
fn lines(count: u32, text: &str) -> Vec<u8> {
    let (mut bytes, mut base, mut base_hash) = (Vec::new(), Version::ZERO, Hash128::default());
    for seq in 1..=count {
        let id = PostId::from_raw(u64::from(seq));
        let at = Wall(u64::from(seq));
        let posted = Entry::Posted {
            at,
            id,
            text: text.to_owned(),
            reply_to: None,
            note: None,
            pictures: Vec::new(),
            sensitive: false,
        };
        let entries = [if seq == 1 { Entry::Joined { at } } else { posted }];
        let (version, com) = (version(seq), base);
        let kind = Kind::Delta;
        let new = NewLine { version, base, base_hash, com, kind, requests: &[], entries: &entries };
        let Encoded { bytes: line, hash } = line::encode(&new);
        bytes.extend_from_slice(&line);
        (base, base_hash) = (version, hash);
    }
    bytes
}

fn about() -> About {
    About {
        tern_backup: FORMAT,
        program: "tern 1.2.3".to_owned(),
        made_at: "2026-11-28T12:00:00Z".to_owned(),
        at: Wall(1_795_867_200_000),
        cluster: Hash128([7; 16]),
        epoch: 2,
        features: 2,
    }
}

fn users() -> Vec<(UserName, Vec<u8>)> {
    vec![
        (user("ada"), lines(3, "Tea at \"four\"?")),
        (user("ben"), lines(1, "")),
        (user("cleo"), lines(20, "the same again")),
    ]
}

fn made_of(users: &[(UserName, Vec<u8>)]) -> Vec<u8> {
    made_with(users, &[])
}

fn made_with(users: &[(UserName, Vec<u8>)], pictures: &[(PictureName, Option<&[u8]>)]) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &about()).unwrap();
    for (name, lines) in users {
        let count = u32::try_from(lines.split(|&byte| byte == b'\n').count() - 1).unwrap();
        writer.user(name, version(count), lines).unwrap();
    }
    for (name, bytes) in pictures {
        writer.picture(*name, *bytes).unwrap();
    }
    writer.finish().unwrap()
}

/// Two pictures and one that was missing, by name.
fn pictures() -> Vec<(PictureName, Option<&'static [u8]>)> {
    let [one, two, lost] = [b"one", b"two", b"six"].map(|bytes| &bytes[..]);
    let name = |bytes| PictureName::of(PictureKind::Jpeg, bytes);
    let mut pictures = vec![(name(one), Some(one)), (name(two), Some(two)), (name(lost), None)];
    pictures.sort_unstable();
    pictures
}

/// Files that were read.
type Taken = Vec<(String, Vec<u8>)>;

/// What reading says, and what was taken.
fn read_all(bytes: &[u8]) -> (Result<Found, BackupError>, Taken) {
    let mut taken = Vec::new();
    let found = read(&mut &*bytes, &mut |part, content| {
        let name = match part {
            Part::User(name) => name.to_string(),
            Part::Picture(name) => name.to_string(),
        };
        taken.push((name, content.to_owned()));
        Ok(())
    });
    (found, taken)
}

/// Whether a backup is found to be all that was written.
fn is_sound(bytes: &[u8]) -> bool {
    read_all(bytes).0.is_ok_and(|found| found.flaw_count == 0)
}

#[test]
fn backup_made_and_read_are_inverse() {
    let (found, taken) = read_all(&made_of(&users()));
    let found = found.unwrap();
    assert_eq!((found.flaw_count, found.users), (0, 3));
    assert_eq!(found.about, about());
    assert_eq!((found.epoch, found.round), (3, 40), "the highest of all lines");
    let expected: Taken =
        users().into_iter().map(|(name, lines)| (name.to_string(), lines)).collect();
    assert_eq!(taken, expected);
    let (found, taken) = read_all(&made_of(&[]));
    assert_eq!((found.unwrap().users, taken.len()), (0, 0));
}

#[test]
fn backup_cut_at_each_byte_or_longer_noticed() {
    let whole = made_of(&users()[..1]);
    for len in 0..whole.len() {
        assert!(!is_sound(&whole[..len]), "cut at {len}");
    }
    assert!(is_sound(&whole));
    for more in [vec![0], vec![b'x'], vec![0; BLOCK_BYTES]] {
        assert!(!is_sound(&[whole.clone(), more].concat()));
    }
}

#[test]
fn backup_with_any_byte_changed_noticed() {
    let whole = made_of(&users()[..2]);
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        assert!(!is_sound(&changed), "byte {at} of {}", whole.len());
    }
}

#[test]
fn pictures_come_with_their_posts_and_what_is_missing_is_said() {
    let whole = made_with(&users()[..1], &pictures());
    let (found, taken) = read_all(&whole);
    let found = found.unwrap();
    assert_eq!((found.flaw_count, found.users), (0, 1));
    assert_eq!((found.pictures, found.pictures_missing), (2, 1));
    assert_eq!(found.bytes, users()[0].1.len() as u64 + 6);
    let held = pictures().into_iter().filter_map(|(name, bytes)| Some((name, bytes?)));
    let held: Taken = held.map(|(name, bytes)| (name.to_string(), bytes.to_owned())).collect();
    assert_eq!(taken[1..], held);
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        assert!(!is_sound(&changed), "byte {at} of {}", whole.len());
        assert!(!is_sound(&whole[..at]), "cut at {at}");
    }
}

#[test]
fn picture_that_is_another_named_and_not_taken() {
    let name = PictureName::of(PictureKind::Png, b"one");
    let other = made_with(&[], &[(name, Some(b"two"))]);
    check_flaw(&other, "it is not the picture of that name");
    // Said to be missing, and yet there; or there, and said nowhere.
    let [there, missing, none] =
        [&[(name, Some(&b"one"[..]))][..], &[(name, None)], &[]].map(|all| made_with(&[], all));
    let manifest = |bytes: &[u8]| {
        let blocks = bytes.chunks(BLOCK_BYTES);
        let at = blocks.rev().position(|block| block.starts_with(b"tern-backup/manifest"));
        bytes.len() - (at.unwrap() + 1) * BLOCK_BYTES
    };
    for other in [&missing, &none] {
        let mixed = [&there[..manifest(&there)], &other[manifest(other)..]].concat();
        assert_eq!(read_all(&mixed).0.unwrap().flaw_count, 1);
    }
    let mixed = [&none[..manifest(&none)], &there[manifest(&there)..]].concat();
    let lost = read_all(&mixed).0.unwrap().flaws[0].to_string();
    assert!(lost.ends_with(".png: the manifest names it, and it is not there"), "{lost}");
    // The form before there were pictures holds none.
    let about = About { tern_backup: FORMAT_WITHOUT_PICTURES, ..about() };
    let mut writer = Writer::begin(Vec::new(), &about).unwrap();
    writer.picture(name, Some(b"one")).unwrap();
    check_foreign(&writer.finish().unwrap(), "is not in its place");
    assert!(is_sound(&Writer::begin(Vec::new(), &about).unwrap().finish().unwrap()));
}

/// Archives whose content the writer would not have made: the parts that are named are put together as
/// they are, with a right manifest.
fn with_lines(content: &[u8]) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &about()).unwrap();
    writer.user(&user("ada"), version(1), content).unwrap();
    writer.finish().unwrap()
}

fn check_flaw(bytes: &[u8], expected: &str) {
    let (found, taken) = read_all(bytes);
    let found = found.unwrap();
    assert!(taken.is_empty(), "a bad file is not taken");
    let told: Vec<String> = found.flaws.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|flaw| flaw.contains(expected)), "{expected}: {told:?}");
}

#[test]
fn users_file_that_is_no_whole_one_named() {
    let good = lines(3, "text");
    check_flaw(&with_lines(&good[..good.len() - 5]), "users/ada.jsonl: its last line is cut off");
    let mut rotten = good.clone();
    rotten[40] ^= 1;
    check_flaw(&with_lines(&rotten), "users/ada.jsonl: damaged in line 1");
    check_flaw(&with_lines(b""), "users/ada.jsonl: there is nothing in it");
}

#[test]
fn manifest_that_tells_of_others_named() {
    let (whole, other) = (made_of(&users()), made_of(&users()[..2]));
    // Where the manifest begins: two blocks from the end, its own blocks, its header.
    let begin = |bytes: &[u8]| {
        let blocks: Vec<&[u8]> = bytes.chunks(BLOCK_BYTES).collect();
        let at = blocks.iter().rposition(|block| block.starts_with(b"tern-backup/manifest"));
        at.unwrap() * BLOCK_BYTES
    };
    let lacking = [&whole[..begin(&whole)], &other[begin(&other)..]].concat();
    let found = read_all(&lacking).0.unwrap();
    assert_eq!(found.flaws[0].to_string(), "users/cleo.jsonl: the manifest does not name it");
    let missing = [&other[..begin(&other)], &whole[begin(&whole)..]].concat();
    let found = read_all(&missing).0.unwrap();
    let expected = "users/cleo.jsonl: the manifest names it, and it is not there";
    assert_eq!(found.flaws[0].to_string(), expected);
    let mut differing = users();
    differing[1].1 = lines(2, "more");
    let changed = made_of(&differing);
    let swapped = [&changed[..begin(&changed)], &whole[begin(&whole)..]].concat();
    let found = read_all(&swapped).0.unwrap();
    let expected = "users/ben.jsonl: it is not the file that the manifest tells of";
    assert_eq!(found.flaws[0].to_string(), expected);
}

/// An archive that begins as a backup does and goes on with this.
fn going_on(header: &Header, content: &[u8]) -> Vec<u8> {
    let whole = made_of(&[]);
    let about_len = whole.chunks(BLOCK_BYTES).position(|b| b.starts_with(b"tern-backup/manifest"));
    let mut archive = Builder::new(whole[..about_len.unwrap() * BLOCK_BYTES].to_vec());
    archive.append(header, content).unwrap();
    archive.into_inner().unwrap()
}

fn header(path: &[u8], kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(about().at.0 / 1000);
    header.set_size(size);
    header.set_cksum();
    header
}

fn check_foreign(bytes: &[u8], expected: &str) {
    let (found, taken) = read_all(bytes);
    let error = found.expect_err(expected);
    assert!(error.is_foreign(), "{error}");
    assert!(error.to_string().contains(expected), "{expected}: {error}");
    assert!(taken.is_empty());
}

#[test]
fn hostile_names_refused() {
    let names: [&[u8]; 16] = [
        b"../ada.jsonl",
        b"/etc/passwd",
        b"tern-backup/../ada.jsonl",
        b"tern-backup/users/../ada.jsonl",
        b"tern-backup/users//ada.jsonl",
        b"tern-backup/users/ADA.jsonl",
        b"tern-backup/users/ada.jsonl/",
        b"tern-backup/users/a/b.jsonl",
        b"tern-backup/users/.jsonl",
        b"tern-backup/node.json",
        b"tern-backup/users/ada\x1b[2J.jsonl",
        b"tern-backup/users/\xff\xfe.jsonl",
        b"tern-backup/pictures/ab/ab.jpg",
        b"tern-backup/pictures/../users/ada.jsonl",
        b"tern-backup/pictures/aa/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.jpg",
        b"tern-backup/pictures/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.svg",
    ];
    for name in names {
        let content = lines(1, "");
        let header = header(name, EntryType::Regular, content.len() as u64);
        check_foreign(&going_on(&header, &content), "a file of the name");
    }
}

#[test]
fn hostile_kinds_sizes_and_order_refused() {
    let (ada, content) = (b"tern-backup/users/ada.jsonl", lines(1, ""));
    let kinds = [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::GNULongName,
        EntryType::XHeader,
        EntryType::GNUSparse,
    ];
    for kind in kinds {
        check_foreign(&going_on(&header(ada, kind, 0), b""), "is no plain file");
    }
    let large = header(ada, EntryType::Regular, 10_000_000_000);
    check_foreign(&going_on(&large, b""), "is said to have 10000000000 bytes");
    let about = header(b"tern-backup/backup.json", EntryType::Regular, 0);
    check_foreign(&going_on(&about, b""), "not in its place");
    let mut other_mode = header(ada, EntryType::Regular, content.len() as u64);
    other_mode.set_mode(0o4755);
    other_mode.set_cksum();
    check_foreign(&going_on(&other_mode, &content), "not as tern writes it");
    let mut other_time = header(ada, EntryType::Regular, content.len() as u64);
    other_time.set_mtime(1);
    other_time.set_cksum();
    check_foreign(&going_on(&other_time, &content), "not of one time");

    let one = made_of(&users()[..1]);
    let at = one.chunks(BLOCK_BYTES).position(|block| block.starts_with(ada)).unwrap();
    let end = one.chunks(BLOCK_BYTES).position(|b| b.starts_with(b"tern-backup/manifest")).unwrap();
    let (at, end) = (at * BLOCK_BYTES, end * BLOCK_BYTES);
    let twice = [&one[..end], &one[at..]].concat();
    let error = read_all(&twice).0.expect_err("a user twice").to_string();
    assert!(error.contains("users/ada.jsonl is not in its place"), "{error}");
}

#[test]
fn what_is_no_backup_told_from_what_was_one() {
    check_foreign(&[0x1f; 2_000], "no tar archive");
    check_foreign(&[0; 4_096], "does not begin as one");
    assert!(matches!(read_all(b"").0, Err(BackupError::CutOff { at: 0 })));
    let mut writer = Writer::begin(Vec::new(), &About { tern_backup: 3, ..about() }).unwrap();
    writer.user(&user("ada"), version(1), &lines(1, "")).unwrap();
    assert!(matches!(read_all(&writer.finish().unwrap()).0, Err(BackupError::Newer(_))));
    let unfinished = going_on(&header(b"tern-backup/users/ada.jsonl", EntryType::Regular, 0), b"");
    let error = read_all(&unfinished).0.expect_err("no manifest").to_string();
    assert!(error.contains("never finished"), "{error}");
}

#[test]
fn versions_that_nobody_can_follow_refused() {
    let term = Term { epoch: u32::MAX, round: 1, node: 1, boot: 1 };
    let new = NewLine {
        version: Version { term, seq: 1 },
        base: Version::ZERO,
        base_hash: Hash128::default(),
        com: Version::ZERO,
        kind: Kind::Delta,
        requests: &[],
        entries: &[Entry::Joined { at: Wall(1) }],
    };
    check_foreign(&with_lines(&line::encode(&new).bytes), "nobody can follow");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_of_any_kind_noticed(
        posts in 1_u32..30,
        text in "[a-zä\\n]{0,60}",
        at: prop::sample::Index,
        len in 1_usize..2_000,
        byte: u8,
        kind in 0..4,
    ) {
        let whole = made_of(&[(user("ada"), lines(posts, &text)), (user("ben"), lines(2, &text))]);
        let at = at.index(whole.len());
        let end = (at + len).min(whole.len());
        let damaged = match kind {
            // A stretch reads as one byte, is missing, stands twice, or all behind it is gone.
            0 => [&whole[..at], &vec![byte; end - at], &whole[end..]].concat(),
            1 => [&whole[..at], &whole[end..]].concat(),
            2 => [&whole[..end], &whole[at..]].concat(),
            _ => whole[..at].to_vec(),
        };
        prop_assert_eq!(is_sound(&damaged), damaged == whole);
    }

    #[test]
    fn any_bytes_read_without_panic(bytes: Vec<u8>) {
        prop_assert!(!is_sound(&bytes));
    }
}
