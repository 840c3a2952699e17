//! Catching up: long files, and many users. How long it takes is measured by `make bench`.

use tern::clock::Wall;
use tern::id::{Hash128, PostId};
use tern::replica::version::{Term, Version};
use tern::store::line::{Kind, NewLine, encode};
use tern::user::entry::Entry;

use super::harness::{Machines, eventually};
use super::{wait_equal, wait_whole};

/// A file of one line.
fn one_line(number: usize) -> Vec<u8> {
    let term = Term { epoch: 1, round: 1, node: 1, boot: 1 };
    let posted = Entry::Posted {
        at: Wall(1_700_000_000_000),
        id: PostId::from_raw(u64::try_from(number).unwrap() + 1),
        text: "a few words".to_owned(),
        reply_to: None,
        note: None,
    };
    let line = encode(&NewLine {
        version: Version { term, seq: 1 },
        base: Version::ZERO,
        base_hash: Hash128::default(),
        com: Version::ZERO,
        kind: Kind::Delta,
        requests: &[],
        entries: &[posted],
    });
    line.bytes
}

fn name(number: usize) -> String {
    format!("user{number:06}")
}

/// Gives each machine the users that `has` says, while none of them runs.
fn fill(all: &Machines, users: usize, has: impl Fn(usize, usize) -> bool) {
    for number in 0..users {
        let bytes = one_line(number);
        for n in (0..all.count()).filter(|&n| has(n, number)) {
            std::fs::write(all.file(n, &name(number)), &bytes).unwrap();
        }
    }
}

#[test]
fn users_of_several_pages_learned_though_nobody_knew_them_committed() {
    let mut all = Machines::start(3);
    (0..3).for_each(|n| all.kill(n));
    // More than two pages, every third one missing on the third machine.
    let users = 4_500;
    fill(&all, users, |n, number| n < 2 || number % 3 != 0);
    (0..3).for_each(|n| all.spawn(n));
    for number in [0, 2_001, users - 3] {
        wait_whole(&all, 2, &name(number), &["a few words"]);
    }
    let missing = || (0..users).filter(|&number| !all.file(2, &name(number)).exists()).count();
    eventually(|| (missing() == 0).then_some(()));
    (0..users).for_each(|number| wait_equal(&all, &name(number)));
}

#[test]
fn file_of_megabytes_learned_and_then_only_what_follows() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    (0..3).for_each(|n| wait_whole(&all, n, "ada", &["first words"]));
    all.kill(2);
    let words = "é".repeat(500);
    for _ in 0..950 {
        all.post(0, &mut ada, &words);
    }
    let long = std::fs::metadata(all.file(0, "ada")).unwrap().len();
    assert!(long > 1024 * 1024, "{long} bytes");
    all.spawn(2);
    wait_equal(&all, "ada");
    all.post(2, &mut ada, "last words");
    wait_equal(&all, "ada");
}
