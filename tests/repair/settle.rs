//! What is left open at a file's end is settled, and what was deleted leaves the disk.

use std::path::Path;

use tern::clock::Wall;
use tern::id::{NodeId, PostId};
use tern::limits::FETCH_TAIL_BYTES;
use tern::replica::version::{Term, Version};
use tern::store::line::{self, Kind, NewLine};
use tern::store::scan::scan;
use tern::user::entry::Entry;

use super::catch_up::lengthened;
use super::harness::{Machines, eventually};
use super::{wait_equal, wait_whole};

/// Appends a line to a file of machine `node` that it could send to nobody else before it died.
pub(crate) fn append_open_line(path: &Path, node: u16, text: &str) {
    let mut bytes = std::fs::read(path).unwrap();
    let chain = scan(&bytes, &mut |_| {}).chain;
    let term = Term { round: chain.version.term.round + 1, node, ..chain.version.term };
    let id = PostId::first_of(4_000_000_000_000, NodeId::new(node).unwrap());
    let posted = Entry::Posted {
        at: Wall(1),
        id,
        text: text.to_owned(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    };
    let line = line::encode(&NewLine {
        version: Version { term, seq: 1 },
        base: chain.version,
        base_hash: chain.hash,
        com: chain.com,
        kind: Kind::Delta,
        requests: &[],
        entries: &[posted],
    });
    bytes.extend_from_slice(&line.bytes);
    std::fs::write(path, bytes).unwrap();
}

/// The others agree without that line, so no read ever needs it: without a rule of its own their
/// files would differ until the user's next act.
#[test]
fn r0004_line_that_one_machine_alone_has_is_settled_without_an_act() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    wait_whole(&all, 2, "ada", &["first words"]);
    wait_equal(&all, "ada");
    all.kill(2);
    append_open_line(&all.file(2, "ada"), 3, "words of a dead machine");
    all.spawn(2);
    wait_equal(&all, "ada");
    let shown = |n: usize| all.texts(n, "ada") == ["words of a dead machine", "first words"];
    (0..3).for_each(|n| eventually(|| shown(n).then_some(())));
}

/// A machine that failed to flush its own line, and whose peers never took that: what they hold ends where
/// the damaged copy is committed, and nothing follows there.
#[test]
fn r0051_damaged_long_file_with_a_line_that_nobody_else_has_rebuilt() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    (0..3).for_each(|n| wait_whole(&all, n, "ada", &["first words"]));
    (0..3).for_each(|n| all.kill(n));
    let long = lengthened(std::fs::read(all.file(0, "ada")).unwrap(), 400);
    assert!(long.len() > FETCH_TAIL_BYTES, "else it is fetched whole");
    (0..3).for_each(|n| std::fs::write(all.file(n, "ada"), &long).unwrap());
    append_open_line(&all.file(2, "ada"), 3, "words that failed");
    std::fs::write(all.mark(2, "ada"), "a flush failed\n").unwrap();
    (0..3).for_each(|n| all.spawn(n));
    wait_whole(&all, 2, "ada", &["first words"]);
    wait_equal(&all, "ada");
    assert!(!all.texts(2, "ada").contains(&"words that failed".to_owned()));
}

#[test]
fn deleted_texts_leave_every_disk_and_what_stands_is_read_on() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "to stay");
    // Each of 500 characters of four bytes: the void ones are more than half, and over 64 KiB.
    for number in 0..50 {
        let text = format!("void {number:03} {}", "\u{1F426}".repeat(490));
        all.post(0, &mut ada, &text);
    }
    // A page of them at a time.
    while all.delete_all(0, &mut ada, "void") > 0 {}
    let files = [0, 1, 2].map(|n| all.file(n, "ada"));
    let text = |n: usize| std::fs::read_to_string(&files[n]).unwrap();
    let is_compact = |n: usize| text(n).contains("\"k\":\"s\"") && !text(n).contains("void 0");
    (0..3).for_each(|n| eventually(|| is_compact(n).then_some(())));
    all.post(1, &mut ada, "after it");
    (0..3).for_each(|n| {
        eventually(|| (all.texts(n, "ada") == ["after it", "to stay"]).then_some(()));
    });
    all.kill(2);
    all.spawn(2);
    eventually(|| (all.texts(2, "ada") == ["after it", "to stay"]).then_some(()));
    all.post(2, &mut ada, "and after a start");
    let last = |n: usize| text(n).lines().last().map(str::to_owned);
    eventually(|| (last(0) == last(1) && last(1) == last(2)).then_some(()));
}
