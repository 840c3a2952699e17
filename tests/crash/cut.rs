//! What a crash leaves at each step of a save, built byte by byte.

use std::fs;

use tern::id::{Hash128, NodeId};
use tern::store::{DataDir, NodeFile, NodeState, StoreError};

use super::{History, Home, ada, reopened};

/// The history that ends in `seq`, out of `all`: a prefix of it.
fn posts(version: tern::replica::version::Version) -> History {
    History::of(version.seq)
}

/// Lengths at which `len` bytes are cut: both ends, and enough between to hit every field. That
/// every single length is told right is tested where no disk is needed, in `store/tests/scan.rs`.
fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(13).chain([len.saturating_sub(1), len])
}

#[test]
fn s39_append_cut_at_any_byte_reopens_as_old_or_new() {
    let home = Home::new();
    for old in [0, 2] {
        let before = History::of(old).bytes;
        let line = History::of(old).add(&format!("post {}", old + 1));
        for len in cuts(line.len()) {
            home.put("users/ada.jsonl", &[&before, &line[..len]].concat());
            let found = reopened(&home, posts);
            let expected = if len == line.len() { old + 1 } else { old };
            assert_eq!(found.acc.seq, expected, "{len} bytes on top of {old} lines");
        }
    }
}

#[test]
fn append_with_block_never_written_reopens_as_old() {
    let home = Home::new();
    let before = History::of(2);
    let mut line = before.clone().add(&"a line of several blocks ".repeat(240));
    line.pop();
    for end in [&b"\n"[..], b""] {
        let line = [&line, end].concat();
        let file = [&before.bytes[..], &line].concat();
        // A block begins anywhere as seen from the line, and on a multiple as seen from the file.
        for block in (0..file.len()).step_by(512) {
            let zeros = block.max(before.bytes.len())..(block + 512).min(file.len());
            if zeros.is_empty() {
                continue;
            }
            let mut file = file.clone();
            file[zeros].fill(0);
            home.put("users/ada.jsonl", &file);
            assert_eq!(reopened(&home, posts).acc.seq, 2, "block at {block}");
        }
    }
}

#[test]
fn append_with_length_but_no_bytes_reopens_as_old() {
    for old in [0, 2] {
        let home = Home::new();
        home.put("users/ada.jsonl", &[History::of(old).bytes, vec![0; 700]].concat());
        assert_eq!(reopened(&home, posts).acc.seq, old);
    }
}

#[test]
fn replace_cut_before_rename_reopens_as_old() {
    let (old, new) = (History::of(2).bytes, History::of(5).bytes);
    let home = Home::new();
    for len in cuts(new.len()) {
        home.put("users/ada.jsonl", &old);
        home.put("users/ada.jsonl.tmp", &new[..len]);
        assert_eq!(reopened(&home, posts).acc.seq, 2, "{len} bytes of the new file");
        assert!(!home.path("users/ada.jsonl.tmp").exists());
    }
}

#[test]
fn replace_cut_after_rename_reopens_as_new() {
    let home = Home::new();
    home.put("users/ada.jsonl.tmp", &History::of(5).bytes);
    fs::rename(home.path("users/ada.jsonl.tmp"), home.path("users/ada.jsonl")).unwrap();
    assert_eq!(reopened(&home, posts).acc.seq, 5);
}

#[test]
fn first_replace_cut_before_rename_reopens_as_nobody() {
    let home = Home::new();
    home.put("users/ada.jsonl.tmp", &History::of(1).bytes);
    let store = home.open();
    assert_eq!(store.names().unwrap(), []);
    assert_eq!(store.load(&ada(), &mut |_| {}).unwrap().len, 0);
}

#[test]
fn set_aside_cut_at_any_step_stays_marked() {
    let bad = b"not a line\n";
    let mark = |home: &Home, reason: &[u8]| home.put("damaged/ada.mark", reason);
    // The mark is made, then its reason written, then the file moved, one name at a time.
    let steps: [&dyn Fn(&Home); 4] = [
        &|home| mark(home, b""),
        &|home| mark(home, b"chec"),
        &|home| mark(home, b"checksum\n"),
        &|home| {
            mark(home, b"checksum\n");
            fs::rename(home.path("users/ada.jsonl"), home.path("damaged/ada.1.jsonl")).unwrap();
        },
    ];
    for (number, step) in steps.iter().enumerate() {
        let home = Home::new();
        home.put("users/ada.jsonl", bad);
        step(&home);
        let store = home.open();
        let marked: Vec<_> = store.marks().unwrap().into_iter().map(|(user, _)| user).collect();
        assert_eq!(marked, [ada()], "step {number}");
        // The next process comes to the same judgement and to the same end.
        if let Err(error) = store.load(&ada(), &mut |_| {}) {
            assert!(matches!(error, StoreError::Damaged { line: 1, .. }), "{error:?}");
            store.set_aside(&ada(), "checksum").unwrap();
        }
        assert_eq!(home.get("damaged/ada.1.jsonl"), bad, "step {number}");
        assert!(!home.path("users/ada.jsonl").exists());
        assert_eq!(store.marks().unwrap().len(), 1);
    }
}

#[test]
fn node_file_cut_before_rename_reopens_as_old() {
    let home = Home::new();
    let dir = DataDir::open(&home.path("")).unwrap();
    let node = NodeId::new(1).unwrap();
    let old = NodeFile::new(Hash128([1; 16]), node, Hash128([2; 16]), vec![]);
    old.save(&dir).unwrap();
    let old_bytes = home.get("node.json");
    NodeState::new(&dir, old.clone()).raise_ceiling(1 << 20).unwrap();
    let new_bytes = home.get("node.json");
    for len in cuts(new_bytes.len()) {
        home.put("node.json", &old_bytes);
        home.put("node.json.tmp", &new_bytes[..len]);
        let found = NodeFile::load(&dir).unwrap();
        assert_eq!(found.as_ref(), Some(&old), "{len} bytes of the new file");
        // And it can be written again.
        assert_eq!(NodeState::new(&dir, old.clone()).raise_ceiling(7).unwrap(), 7);
    }
}

#[test]
fn first_node_file_cut_before_rename_reopens_as_unused() {
    let home = Home::new();
    home.put("node.json.tmp", b"{\"format\":1");
    let dir = DataDir::open(&home.path("")).unwrap();
    assert_eq!(NodeFile::load(&dir).unwrap(), None);
}
