//! Golden directories: built anew they are the same bytes, and they load.

use std::fs;

use tern::clock::Wall;
use tern::id::{Hash128, NodeId, PostId, RequestId};
use tern::replica::version::{Term, Version};
use tern::store::line::{Kind, Line, NewLine, encode};
use tern::store::node::{Before, Member};
use tern::store::scan::scan;
use tern::store::snapshot::fold;
use tern::store::{DataDir, NodeFile, NodeState, StoreError, UserStore};
use tern::user::entry::{Audience, Entry, PostRef, SessionId};
use tern::user::{Receipt, Recorded, User};

use super::{copy_of_golden_v1, golden_v1, golden_v2, user};

/// The first second of 2026.
const START_MS: u64 = 1_767_225_600_000;

pub(super) fn at(minute: u64) -> Wall {
    Wall(START_MS + minute * 60_000)
}

fn node(number: u16) -> NodeId {
    NodeId::new(number).unwrap()
}

pub(super) fn post(minute: u64) -> PostId {
    PostId::first_of(at(minute).0, node(1))
}

pub(super) fn version(round: u64, boot: u32, seq: u32) -> Version {
    Version { term: Term { epoch: 1, round, node: 1, boot }, seq }
}

/// A file in the making.
#[derive(Default)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    version: Version,
    hash: Hash128,
    lines: u8,
}

impl File {
    pub(super) fn add(&mut self, version: Version, result: Option<PostId>, entries: &[Entry]) {
        self.lines += 1;
        let kind = if entries.is_empty() { Kind::Identity } else { Kind::of(entries) };
        let request = Recorded {
            id: RequestId([self.lines; 16]),
            digest: Hash128([self.lines | 0x80; 16]),
            result: result.map(Receipt::Post).unwrap_or_default(),
        };
        let requests = if kind == Kind::Identity { vec![] } else { vec![request] };
        let line = encode(&NewLine {
            version,
            base: self.version,
            base_hash: self.hash,
            com: self.version,
            kind,
            requests: &requests,
            entries,
        });
        (self.version, self.hash) = (version, line.hash);
        self.bytes.extend_from_slice(&line.bytes);
    }
}

pub(super) fn account(name: &str, minute: u64, session: &SessionId) -> Vec<Entry> {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$\
                aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
    vec![
        Entry::Joined { at: at(minute) },
        Entry::Profile {
            at: at(minute),
            display_name: name.to_owned(),
            bio: String::new(),
            members_only: false,
            posts_for: Audience::Everyone,
            avatar: None,
        },
        Entry::Password { at: at(minute), hash: hash.to_owned(), reset: None },
        Entry::SessionOpened {
            at: at(minute),
            id: session.clone(),
            device: "Firefox on Linux".to_owned(),
            address: "192.0.2.7".to_owned(),
            app: None,
        },
    ]
}

fn posted(minute: u64, text: &str, reply_to: Option<PostRef>) -> Entry {
    Entry::Posted {
        at: at(minute),
        id: post(minute),
        text: text.to_owned(),
        reply_to,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    }
}

fn ada() -> File {
    let session = SessionId("5e".repeat(32));
    let reply_to = PostRef { user: user("ben"), id: post(2) };
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Ada", 0, &session));
    file.add(
        version(1, 1, 2),
        Some(post(1)),
        &[posted(1, "Tea at \"four\"?\nBring cups ☕", None)],
    );
    file.add(version(1, 1, 3), Some(post(3)), &[posted(3, "Gladly!", Some(reply_to))]);
    file.add(version(1, 1, 4), None, &[Entry::Followed { at: at(4), user: user("ben") }]);
    file.add(version(1, 1, 5), None, &[Entry::Followed { at: at(5), user: user("zoe") }]);
    // The machine started again and wrote back what it found.
    file.add(version(1_048_579, 2, 1), None, &[]);
    let typo = posted(6, "Tea at fuor", None);
    file.add(version(1_048_579, 2, 2), Some(post(6)), &[typo]);
    file.add(
        version(1_048_579, 2, 3),
        None,
        &[Entry::PostDeleted { at: at(7), id: post(6), few: false }],
    );
    file.add(version(1_048_579, 2, 4), None, &[Entry::Unfollowed { at: at(8), user: user("zoe") }]);
    file.add(version(1_048_579, 2, 5), None, &[Entry::SessionClosed { at: at(9), id: session }]);
    file
}

fn zoe() -> File {
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Zoe", 0, &SessionId("20".repeat(32))));
    file.add(version(1, 1, 2), None, &[Entry::Left { at: at(1) }]);
    file
}

/// What people do with posts.
fn hana() -> File {
    let of_ada = || PostRef { user: user("ada"), id: post(1) };
    let note = || Some("About tea".to_owned());
    let folded = Entry::Posted {
        at: at(2),
        id: post(2),
        text: "Green, wiht rice.".to_owned(),
        reply_to: Some(of_ada()),
        note: note(),
        pictures: Vec::new(),
        sensitive: false,
    };
    let text = "Green, with rice.".to_owned();
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Hana", 0, &SessionId("3a".repeat(32))));
    file.add(version(1, 1, 2), Some(post(2)), &[folded]);
    let acts = [
        Entry::PostEdited {
            at: at(3),
            id: post(2),
            text,
            note: note(),
            sensitive: None,
            descriptions: None,
        },
        Entry::Pinned { at: at(4), id: post(2) },
        Entry::Unpinned { at: at(5) },
        Entry::Liked { at: at(6), post: of_ada() },
        Entry::Unliked { at: at(7), post: of_ada() },
        Entry::Reposted { at: at(8), post: of_ada() },
        Entry::Unreposted { at: at(9), post: of_ada() },
        Entry::Bookmarked { at: at(10), post: of_ada() },
        Entry::Unbookmarked { at: at(11), post: of_ada() },
    ];
    for (seq, act) in (3..).zip(acts) {
        file.add(version(1, 1, seq), None, &[act]);
    }
    file
}

/// A file of ada's or zoe's history, whose first `folded` lines were compacted.
fn compacted(name: &str, history: fn() -> File, folded: usize) -> File {
    let mut file = history();
    let mut versions = Vec::new();
    scan(&file.bytes, &mut |line| versions.push(line.version));
    file.bytes = fold(&user(name), &file.bytes, versions[folded - 1]).unwrap().unwrap().bytes;
    file
}

/// Every golden file, how it is made, and how many lines it has.
fn files() -> [(&'static str, File, usize); 5] {
    [
        ("ada", ada(), 10),
        ("cleo", compacted("cleo", ada, 9), 2),
        ("finn", compacted("finn", zoe, 2), 1),
        ("hana", hana(), 11),
        ("zoe", zoe(), 2),
    ]
}

fn node_file() -> NodeFile {
    let member = |number: u16, incarnation| {
        Member::new(node(number), incarnation, format!("10.0.0.{number}:7101"))
    };
    let own = Hash128([0xa1; 16]);
    let members = vec![member(1, Some(own)), member(2, Some(Hash128([0xb2; 16]))), member(3, None)];
    let file = NodeFile::new(Hash128([0xc0; 16]), node(1), own, members);
    NodeFile { boot: 2, ceiling: 2_097_155, opened: true, ..file }
}

#[test]
fn golden_v1_spelled_the_same_today() {
    for (name, file, _) in files() {
        let golden = fs::read_to_string(golden_v1().join(format!("users/{name}.jsonl"))).unwrap();
        assert_eq!(String::from_utf8(file.bytes).unwrap(), golden, "{name}");
    }
    let home = tempfile::tempdir().unwrap();
    node_file().save(&DataDir::open(home.path()).unwrap()).unwrap();
    assert_eq!(
        fs::read_to_string(home.path().join("node.json")).unwrap(),
        fs::read_to_string(golden_v1().join("node.json")).unwrap()
    );
}

#[test]
fn golden_v1_loads() {
    let home = copy_of_golden_v1();
    let dir = DataDir::open(&home.path().join("db")).unwrap();
    assert_eq!(NodeFile::load(&dir).unwrap(), Some(node_file()));
    let store = UserStore::open(&dir).unwrap();
    assert_eq!(store.names().unwrap(), files().map(|(name, ..)| user(name)));
    for (name, file, count) in files() {
        let mut lines: Vec<Line> = Vec::new();
        let loaded = store.load(&user(name), &mut |line| lines.push(line)).unwrap();
        assert_eq!((loaded.acc, loaded.hash), (file.version, file.hash), "{name}");
        assert_eq!(lines.len(), count, "{name}");
        let bytes = store.read_prefix(&user(name), loaded.len).unwrap();
        for (entry, place) in lines.iter().flat_map(|line| &line.entries) {
            let from = usize::try_from(place.offset).unwrap();
            let bytes = &bytes[from..from + usize::try_from(place.len).unwrap()];
            assert_eq!(&serde_json::from_slice::<Entry>(bytes).unwrap(), entry);
        }
    }
    let marks = store.marks().unwrap();
    assert_eq!(marks, [(user("ben"), "the checksum is wrong in line 3".to_owned())]);
}

/// Every field of format 2, also those that never stand together, and some of a later version.
fn node_file_v2() -> NodeFile {
    let life = |number: u16| Hash128([0xa0 + u8::try_from(number).unwrap(); 16]);
    let extra = |name: &str, value| serde_json::Map::from_iter([(name.to_owned(), value)]);
    let member = |number: u16, boot| {
        let address = format!("10.0.0.{number}:7101");
        Member { boot, ..Member::new(node(number), Some(life(number)), address) }
    };
    let (process, colour) = (Some(Hash128([0xd1; 16])), extra("colour", "red".into()));
    // Spelled out, so that a new field is missed here.
    NodeFile {
        format: 2,
        cluster: Hash128([0xc0; 16]),
        node: node(3),
        incarnation: life(3),
        boot: 7,
        ceiling: 3_145_731,
        epoch: 5,
        members: vec![Member { process, extra: colour, ..member(1, 4) }, member(3, 0)],
        opened: true,
        ready: true,
        ready_for: Some(vec![(node(1), life(1)), (node(3), life(3))]),
        learning: true,
        features: 1,
        before: Some(Before {
            epoch: 4,
            members: vec![member(1, 3)],
            features: 1,
            given_up: vec![node(2), node(3)],
            extra: extra("since", "yesterday".into()),
        }),
        // Of a machine that is alone; this one is not.
        listens: None,
        holds_users: false,
        extra: extra("later", serde_json::json!({ "kept": true })),
    }
}

#[test]
fn golden_v2_node_file_read_and_spelled_the_same_today() {
    let golden = golden_v2().join("node.json");
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("node.json");
    let dir = DataDir::open(home.path()).unwrap();
    fs::copy(&golden, &path).unwrap();
    assert_eq!(NodeFile::load(&dir).unwrap(), Some(node_file_v2()));
    for file in [node_file_v2(), NodeFile::load(&dir).unwrap().unwrap()] {
        fs::write(&path, "").unwrap();
        file.save(&dir).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), fs::read_to_string(&golden).unwrap());
    }
    // And by the one writer of a process that works with it.
    let state = NodeState::new(&dir, NodeFile::load(&dir).unwrap().unwrap());
    state.raise_ceiling(3_145_732).unwrap();
    let raised = fs::read_to_string(&golden).unwrap().replace("3145731", "3145732");
    assert_eq!(fs::read_to_string(&path).unwrap(), raised);
}

#[test]
fn golden_v1_compacted_tells_the_same() {
    let told = |file: &File| {
        let mut told = User::absent(user("ada"));
        scan(&file.bytes, &mut |line| line.apply_to(&mut told, |_, _| {}));
        told
    };
    for (history, folded) in [(ada as fn() -> File, 9), (zoe, 2)] {
        let compacted = compacted("ada", history, folded);
        assert!(told(&compacted).says_same(&told(&history())));
        assert!(compacted.bytes.len() < history().bytes.len());
    }
}

#[test]
fn newer_formats_refused_by_name_and_untouched() {
    let home = copy_of_golden_v1();
    let (node_path, ada_path) =
        (home.path().join("db/node.json"), home.path().join("db/users/ada.jsonl"));
    let newer_node =
        fs::read_to_string(&node_path).unwrap().replace("\"format\": 1", "\"format\": 3");
    fs::write(&node_path, &newer_node).unwrap();
    // A kind of line that does not exist yet, with a checksum that is right.
    let body = r#"{"v":"1.1.1.1.5","p":"0","k":"z","later":5"#;
    let newer_line = format!("{body},\"c\":\"{:08x}\"}}\n", crc32c(body.as_bytes()));
    fs::write(&ada_path, &newer_line).unwrap();

    let dir = DataDir::open(&home.path().join("db")).unwrap();
    let error = NodeFile::load(&dir).unwrap_err();
    assert!(matches!(&error, StoreError::NewerFormat { what, .. } if what == "format 3"));
    let store = UserStore::open(&dir).unwrap();
    let error = store.load(&user("ada"), &mut |_| {}).unwrap_err();
    assert!(
        matches!(&error, StoreError::NewerFormat { what, .. } if what == r#"line kind "z""#),
        "{error:?}"
    );
    assert_eq!(fs::read_to_string(&node_path).unwrap(), newer_node);
    assert_eq!(fs::read_to_string(&ada_path).unwrap(), newer_line);
}

#[test]
fn golden_v1_goes_on_living() {
    let home = copy_of_golden_v1();
    let dir = DataDir::open(&home.path().join("db")).unwrap();
    let state = NodeState::new(&dir, NodeFile::load(&dir).unwrap().unwrap());
    assert_eq!(state.next_boot(|boot| boot.checked_add(1)).unwrap(), 3);
    let store = UserStore::open(&dir).unwrap();
    let mut file = ada();
    let at = file.bytes.len();
    file.add(
        version(2_097_156, 3, 1),
        None,
        &[Entry::Followed { at: at_end(), user: user("ben") }],
    );
    store.append(&user("ada"), at as u64, &file.bytes[at..]).unwrap();
    let loaded = store.load(&user("ada"), &mut |_| {}).unwrap();
    assert_eq!((loaded.acc, loaded.hash), (file.version, file.hash));
}

fn at_end() -> Wall {
    at(60)
}

/// CRC-32C bit by bit, by the definition that the document gives: a second opinion.
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}
